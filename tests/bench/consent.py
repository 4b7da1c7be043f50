"""consent: what a consent costs besides the user's and pinentry's time, with a pinentry that answers at once."""
from figures import median, summary
from stage import SOFTHSM

KEYS = {"gate": "the gate checks the PIN", "token": "the token checks the PIN"}


def measure(place):
    folder = place.work / "consent"
    place.store(folder)
    place.configure(folder, '[key "low"]', "level = low")
    rounds = 2 if place.settings.quick else max(11, round(101 * place.settings.seconds))
    said = place.run(place.program("consent"), SOFTHSM, place.module, place.pinentry, str(rounds), env=place.environment(folder))
    rows, verdicts, raw = [], [], {}
    for key, label in KEYS.items():
        figures = [[float(word) for word in line.split()[1:]] for line in said.split("\n") if line.split(" ")[0] == key]
        direct, starting, asking, together = ([f[i] for f in figures] for i in range(4))
        added = summary([t - d - a for d, _, a, t in figures])
        raw[key] = {"direct": summary(direct), "starting": summary(starting), "asking": summary(asking),
                    "together": summary(together), "added": added}
        rows.append([label, *(f"{median(v):.2f}" for v in (direct, starting, asking, together)), f"{added['median']:.2f}",
                     f"{added['low']:.2f} to {added['high']:.2f}"])
        verdicts.append(f"A consent where {label}: {added['median']:.2f} ms besides the signature ({median(direct):.2f} ms) and "
                        f"pinentry ({median(asking):.2f} ms, of which {median(starting):.2f} ms are the start and end of its process).")
    return {"raw": raw, "verdicts": verdicts, "tables": {"consent": {
        "title": "A signature with an RSA-2048 key at level high, milliseconds",
        "columns": ["", "direct", "pinentry's process", "pinentry asked", "gated", "gate adds", "95 %"], "rows": rows}}}
