"""isolated: RSA-2048 signatures through whatever keeps the token out of the program's process, with one thread, and with a second
thread or a second process beside it: SoftHSM2 directly, p11-kit's server, Caml Crush and pinward-agent in turns.
"""
from concurrent.futures import ThreadPoolExecutor

from figures import median, rate, ratio, span, summary, verdict
from routes import open_other
from stage import SOFTHSM, TOKEN, Cannot, say
from worker import Failed, Worker

DIRECT, AGENT = "SoftHSM2", "pinward-agent"
SERVERS = ("p11-kit server", "Caml Crush", AGENT)
CASES = (("one thread", 1, 1), ("two threads", 1, 2), ("two processes", 2, 1))  # processes, and threads of each
OBJECTS = 10
LIMIT = 0.85


def open_all(place, folder):
    """Two processes for each way, and why there are none for some."""
    pairs, missing = {}, {}
    for name in (DIRECT, *SERVERS):
        try:
            module, env, before = (SOFTHSM, place.environment(folder), []) if name == DIRECT else open_other(place, folder, name)
            pairs[name] = [Worker(place, env, TOKEN, OBJECTS, module, before=before) for _ in range(2)]
        except (Cannot, Failed) as why:
            missing[name] = str(why)
    return pairs, missing


def signatures(pair, processes, threads, seconds):
    """A second, by all of them together."""
    with ThreadPoolExecutor(processes) as pool:
        runs = pool.map(lambda worker: worker.run(0, "sign-rsa", threads, seconds)[0], pair[:processes])
        return sum(runs)


def measure_case(pairs, processes, threads, rounds, seconds):
    rates = {name: [] for name in pairs}
    for number in range(rounds + 1):
        for name in sorted(pairs, reverse=number % 2 == 1):
            rates[name].append(signatures(pairs[name], processes, threads, seconds))
    return {name: values[1:] for name, values in rates.items()}  # the first warms


def row_of(label, rates):
    shares = {name: summary([now / direct for now, direct in zip(values, rates[DIRECT])]) for name, values in rates.items()}
    cells = [ratio(shares[name]["median"]) if name in shares else "-" for name in SERVERS]
    return {"case": label, "rates": {name: median(values) for name, values in rates.items()}, "shares": shares,
            "cells": [label, rate(median(rates[DIRECT])), *cells, span(shares[AGENT])]}


def judge(rows):
    one, threads, processes = (row["rates"] for row in rows)
    share = rows[0]["shares"][AGENT]
    growth = {name: f"{threads[name] / one[name]:.2f} and {processes[name] / one[name]:.2f}" for name in one}
    return [f"pinward-agent at {LIMIT} or more of SoftHSM2 with one thread: {verdict(share, LIMIT, True)} "
            f"({ratio(share['median'])}, {span(share)}).",
            "Signatures with two threads and with two processes, in those with one thread: "
            + "; ".join(f"{name} {value}" for name, value in growth.items()) + "."]


def measure(place):
    folder = place.work / "isolated"
    place.filled_store(folder, OBJECTS)
    place.configure(folder, '[key "rsa"]', "level = low")
    pairs, missing = open_all(place, folder)
    quick = place.settings.quick
    rounds, seconds = (1, 0.01) if quick else (max(5, round(20 * place.settings.seconds)), 0.1)
    rows = []
    for label, processes, threads in CASES:
        rows.append(row_of(label, measure_case(pairs, processes, threads, rounds, seconds)))
        say(f"  {rows[-1]['cells']}")
    for worker in [worker for pair in pairs.values() for worker in pair]:
        worker.close()
    place.end_all()
    return {"rows": rows, "tables": {"isolated": {
        "title": "RSA-2048 signatures a second on SoftHSM2 directly, and each server's share of it",
        "columns": ["signing", "SoftHSM2 /s", *SERVERS, "95 %"], "rows": [row["cells"] for row in rows]}},
            "notes": [f"{name} was not measured: {why}." for name, why in missing.items()], "verdicts": judge(rows)}
