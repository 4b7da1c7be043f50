"""ways: operations on a SoftHSM2 token by every way to it, side by side.

SoftHSM2 itself and Pinward run in one process, on one state of the token, and are measured in many short turns, so that the
ratio of the two is sure to a hundredth; each other way runs in a process of its own, in fewer turns. Who is first changes
from round to round.
"""
import stage
from figures import median, rate, ratio, span, summary, verdict
from routes import DIRECT, NAMES, OTHERS, PINWARD, open_other
from stage import SOFTHSM, TOKEN, Cannot, say
from worker import Failed, Worker

LOW = ('[key "rsa"]', "level = low", '[key "p256"]', "level = low")
LIMIT = 0.99
THREADS = (1, 2, 8)

# What the table calls it, what the worker calls it, and on a token with how many objects.
OPERATIONS = (
    ("sign, RSA-2048", "sign-rsa", 10),
    ("sign, P-256", "sign-p256", 10),
    ("decrypt, RSA-2048", "decrypt", 10),
    ("find 1 of 10 objects", "find", 10),
    ("find 1 of 1,000", "find", 1000),
    ("find 1 of 10,000", "find", 10000),
    ("attributes, public key", "attributes-public", 10),
    ("attributes, private key", "attributes-private", 10),
    ("open and close a session", "open-session", 10),
    ("C_GetSessionInfo", "session-info", 10),
    ("digest, SHA-256", "digest", 10),
)


class Token:
    """A token with so many objects, and a worker for each way to it."""

    def __init__(self, place, objects):
        self.place = place
        self.objects = objects
        self.folder = place.work / f"t{objects}"
        self.routes = {}  # name: (worker, number of the module in it)
        self.missing = {}  # name: why
        place.filled_store(self.folder, objects)
        place.configure(self.folder, *LOW)
        pair = Worker(place, place.environment(self.folder), TOKEN, objects, SOFTHSM, place.module)
        self.routes = {DIRECT: (pair, 0), PINWARD: (pair, 1)}
        for name in OTHERS:
            self.open(name)

    def open(self, name):
        try:
            module, env, before = open_other(self.place, self.folder, name)
            self.routes[name] = (Worker(self.place, env, TOKEN, self.objects, module, before=before), 0)
        except (Cannot, Failed) as why:
            self.missing[name] = str(why)

    def run(self, name, operation, threads, seconds):
        """Operations a second, and for one of processor time; None when this way does not go (any more)."""
        if name not in self.routes:
            return None
        worker, module = self.routes[name]
        try:
            rate_now, done, _, used_ns = worker.run(module, operation, threads, seconds)
            return rate_now, done * 1e9 / used_ns
        except Failed as why:
            if name in (DIRECT, PINWARD):
                raise
            self.missing[name] = f"{operation} with {threads} threads: {why}"
            del self.routes[name]
            return None

    def close(self):
        for worker in {worker for worker, _ in self.routes.values()}:
            worker.close()


def turns(names, number):
    """The names in the order of this round."""
    return names if number % 2 == 0 else names[::-1]


def measure_cell(token, operation, threads, seconds, quick):
    """The rates of every way, round by round, and the ratios of the pair."""
    slice_s = 0.01 if quick else 0.1
    pairs = 1 if quick else max(5, round(2.2 * seconds / slice_s))
    rounds = 1 if quick else max(3, round(0.4 * seconds / slice_s))
    slow = token.run(DIRECT, operation, threads, slice_s / 10)[0]  # also warms it
    token.run(PINWARD, operation, threads, slice_s / 10)
    if slow < 4 * threads / slice_s and not quick:  # an operation that takes longer than a slice: fewer of them
        pairs, rounds = max(5, pairs // 4), 3
    rates = {name: [] for name in NAMES}
    for number in range(rounds):
        for name in turns(list(OTHERS), number):
            rates[name].append(token.run(name, operation, threads, slice_s))
    for number in range(pairs):
        for name in turns([DIRECT, PINWARD], number):
            rates[name].append(token.run(name, operation, threads, slice_s))
    return {name: values for name, values in rates.items() if values and None not in values}


def row_of(label, threads, rates):
    pair = summary([p[0] / d[0] for p, d in zip(rates[PINWARD], rates[DIRECT])])
    used = summary([p[1] / d[1] for p, d in zip(rates[PINWARD], rates[DIRECT])])
    direct = median([value for value, _ in rates[DIRECT]])
    cells = [ratio(median([value for value, _ in rates[name]]) / direct) if name in rates else "-" for name in OTHERS]
    return {"operation": label, "threads": threads, "direct": direct, "pair": pair, "pair_of_processor_time": used,
            "rates": {name: summary([value for value, _ in values]) for name, values in rates.items()},
            "cells": [label, str(threads), rate(direct), ratio(pair["median"]), span(pair), ratio(used["median"]), *cells]}


def measure_beginnings(token, quick):
    """C_Initialize and C_GetSlotList, each way in a process of its own."""
    token.close()
    rates = {name: [] for name in NAMES}
    workers = {}
    pinward = token.place.environment(token.folder)
    for name, module in ((DIRECT, SOFTHSM), (PINWARD, token.place.module)):
        workers[name] = Worker(token.place, pinward, TOKEN, token.objects, module)
    for name in [name for name in OTHERS if name in token.routes]:
        worker = token.routes[name][0]
        worker.start()
        workers[name] = worker
    for number in range(1 if quick else 21):
        for name in turns(list(workers), number):
            try:
                rates[name].append((workers[name].begin(0, 1 if quick else 5), 1))
            except Failed as why:
                token.missing[name] = f"C_Finalize, C_Initialize: {why}"
                rates[name].append(None)
                workers.pop(name)
    token.routes = {name: (worker, 0) for name, worker in workers.items()}
    return row_of("C_Initialize, slot list", 1, {n: v for n, v in rates.items() if v and None not in v})


def judge(rows):
    """Where Pinward's ratio to SoftHSM2 itself is below the limit."""
    said = []
    for row in rows:
        word = verdict(row["pair"], LIMIT, True)
        if word != "met" and row["operation"] != "C_Initialize, slot list":
            said.append(f"{row['operation']}, {row['threads']} thread{'s' * (row['threads'] > 1)}: {ratio(row['pair']['median'])} "
                        f"({span(row['pair'])}), {word}; by CPU time {ratio(row['pair_of_processor_time']['median'])}")
    count = sum(row["operation"] != "C_Initialize, slot list" for row in rows)
    head = f"Pinward in-process at {LIMIT} or more of SoftHSM2: {count - len(said)} of {count} rows"
    return [head + ("." if not said else "; not in:"), *said]


def measure(place):
    quick, seconds = place.settings.quick, place.settings.seconds
    rows, missing = [], {}
    for objects in sorted({objects for _, _, objects in OPERATIONS}):
        if quick and objects > 10:
            continue
        say(f"a token with {objects:,} objects")
        token = Token(place, objects)
        for label, operation, wanted in OPERATIONS:
            for threads in (THREADS[:2] if quick else THREADS) if wanted == objects else ():
                rates = measure_cell(token, operation, threads, seconds, quick)
                rows.append((label, row_of(label, threads, rates)))
                say(f"  {label}, {threads}: {rows[-1][1]['cells'][2:]}")
        if objects == 10:
            rows.append(("C_Initialize, slot list", measure_beginnings(token, quick)))
        token.close()
        place.end_all()
        missing.update(token.missing)
    order = [label for label, _, _ in OPERATIONS] + ["C_Initialize, slot list"]
    rows = [row for _, row in sorted(rows, key=lambda pair: order.index(pair[0]))]
    notes = [f"{name} was not measured, or not everywhere: {why}." for name, why in missing.items()]
    return {"rows": rows, "tables": {"ways": {
        "title": "Operations a second on SoftHSM2 directly, and every way's share of it",
        "columns": ["operation", "threads", "SoftHSM2 /s", "Pinward", "95 %", "by CPU time", *OTHERS],
        "rows": [row["cells"] for row in rows]}}, "notes": notes, "verdicts": judge(rows)}
