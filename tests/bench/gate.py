"""gate: the module in front of a backend that does nothing at once, so that all the time is the module's (and the clock's):
calls a second and how they grow with threads, how often a thread waited, and instructions a call.
"""
import os
import re
import subprocess

import stage
from figures import median, rate, summary
from stage import Cannot
from worker import Worker
from ways import LOW, turns

OPERATIONS = (
    ("C_GetSessionInfo", "session-info"),
    ("digest (2 calls)", "digest"),
    ("attributes, public key", "attributes-public"),
    ("find (3 calls)", "find"),
    ("attributes, private key", "attributes-private"),
    ("sign at level low (2 calls)", "sign-rsa"),
    ("open and close a session", "open-session"),
)
THREADS = (1, 2, 8)
VALGRIND = "/usr/bin/valgrind"


class Figures:
    """Of one operation, direct or through the module: for each number of threads, round by round, operations a second and
    processor time for one; and how many there were and how often a thread waited."""

    def __init__(self):
        self.rates = {threads: [] for threads in THREADS}
        self.used_ns = {threads: [] for threads in THREADS}
        self.done = {threads: 0 for threads in THREADS}
        self.waits = {threads: 0 for threads in THREADS}

    def add(self, threads, measured):
        rate_now, done, waits, used_ns = measured
        self.rates[threads].append(rate_now)
        self.used_ns[threads].append(used_ns / done)
        self.done[threads] += done
        self.waits[threads] += waits

    def waits_in_a_million(self, threads):
        return self.waits[threads] * 1e6 / self.done[threads]


def growth(place, worker, operation):
    """The figures without the module and through it."""
    seconds = 0.01 if place.settings.quick else 0.1
    rounds = 1 if place.settings.quick else max(5, round(5 * place.settings.seconds))
    direct, through = Figures(), Figures()
    for number in range(rounds):
        for threads in turns(list(THREADS), number):
            direct.add(threads, worker.run(0, operation, threads, seconds))
            through.add(threads, worker.run(1, operation, threads, seconds))
    return direct, through


def instructions(place, env, module, operation):
    """Instructions that one operation needs, by valgrind's count of two runs of different length. Cannot without valgrind."""
    if not os.path.exists(VALGRIND):
        raise Cannot("valgrind is not installed: instructions are not counted")
    counted = []
    few, many = 200, 1200
    for times in (few, many):
        done = subprocess.run(
            [VALGRIND, "--tool=callgrind", "--callgrind-out-file=/dev/null", place.program("worker"), "idle", "1", module],
            input=f"count 0 {operation} {times}\n", env=env, capture_output=True, text=True, timeout=300)
        found = re.search(r"Collected : (\d+)", done.stderr)
        if done.returncode != 0 or not found:
            raise Cannot(f"valgrind cannot run the bench: {done.stderr.strip().split(chr(10))[-1]}")
        counted.append(int(found[1]))
    return (counted[1] - counted[0]) / (many - few)


def added_instructions(place, env, idle, operation, notes):
    try:
        return instructions(place, env, place.module, operation) - instructions(place, env, idle, operation)
    except Cannot as why:
        notes.append(f"{why}.")
        return None


def measure(place):
    folder = place.work / "gate"
    idle = str(stage.built() / "tests" / "bench" / "idle-backend.so")
    place.configure(folder, f"backend = {idle}", *LOW)
    env = place.environment(folder)
    worker = Worker(place, env, "idle", 1, idle, place.module)
    rows, raw, notes = [], {}, []
    for label, operation in OPERATIONS[:1] if place.settings.quick else OPERATIONS:
        direct, through = growth(place, worker, operation)
        more = added_instructions(place, env, idle, operation, notes) if not notes else None
        added_ns = summary([t - d for t, d in zip(through.used_ns[1], direct.used_ns[1])])
        grown = {n: summary([a / b for a, b in zip(through.rates[n], through.rates[1])]) for n in THREADS}
        crowded = summary([a / b for a, b in zip(through.used_ns[8], through.used_ns[1])])
        raw[operation] = {"through": {n: summary(v) for n, v in through.rates.items()}, "added_ns": added_ns, "grown": grown,
                          "direct": {n: summary(v) for n, v in direct.rates.items()}, "instructions": more,
                          "processor_time_8_to_1": crowded, "waits": {n: through.waits_in_a_million(n) for n in THREADS}}
        rows.append([label, rate(median(direct.rates[1])), *(rate(median(through.rates[n])) for n in THREADS),
                     f"{added_ns['median']:.0f}", "-" if more is None else f"{more:.0f}", f"{grown[2]['median']:.2f}",
                     f"{grown[8]['median']:.2f}", f"{crowded['median']:.2f}", f"{through.waits_in_a_million(8):.1f}"])
    worker.close()
    verdicts = [f"On {os.cpu_count()} processors, two threads make {row[7]} times the calls of one: {row[0]}." for row in rows]
    return {"raw": raw, "notes": notes, "verdicts": verdicts, "tables": {"gate": {
        "title": "Through the module, in front of a backend that costs nothing: operations a second",
        "columns": ["operation", "backend alone", "1 thread", "2 threads", "8 threads", "adds ns", "adds instructions",
                    "2 : 1", "8 : 1", "CPU time, 8 : 1", "waits, 8 threads"],
        "rows": rows}}}
