"""host: what loading and initialising the module adds to a process, in time and in memory, beside loading its backend alone."""
from figures import span, summary, verdict
from stage import SOFTHSM

LIMIT_MS = 3
LIMIT_KIB = 1024


def once(place, env, module):
    took_ns, resident, private = place.run(place.program("host"), module, env=env).split()
    return int(took_ns) / 1e6, int(resident), int(private)


def measure(place):
    folder = place.work / "host"
    place.filled_store(folder, 10)
    place.configure(folder)
    env = place.environment(folder)
    direct, pinward = [], []
    for number in range(1 if place.settings.quick else 41):
        for module, figures in ((SOFTHSM, direct), (place.module, pinward))[:: 1 if number % 2 else -1]:
            figures.append(once(place, env, module))
    rows, verdicts, raw = [], [], {}
    for index, (label, unit, digits, limit) in enumerate((
            ("dlopen, C_GetFunctionList, C_Initialize", "ms", 2, LIMIT_MS), ("resident memory (RSS)", "KiB", 0, LIMIT_KIB),
            ("of it private and written to", "KiB", 0, LIMIT_KIB))):
        alone, with_it = summary([f[index] for f in direct]), summary([f[index] for f in pinward])
        added = summary([p[index] - d[index] for p, d in zip(pinward, direct)])

        def text(value, digits=digits):
            return f"{value:,.{digits}f}"

        rows.append([f"{label}, {unit}", text(alone["median"]), text(with_it["median"]), text(added["median"]), span(added, text)])
        verdicts.append(f"{label}: adds {text(added['median'])} {unit}; limit {limit:,} {unit}: {verdict(added, limit, False)}.")
        raw[label] = {"alone": alone, "pinward": with_it, "added": added}
    return {"raw": raw, "verdicts": verdicts[:2], "tables": {"host": {
        "title": "What a process that loads the module pays, beside one that loads SoftHSM2 alone",
        "columns": ["", "SoftHSM2 alone", "with Pinward", "added", "95 %"], "rows": rows}}}
