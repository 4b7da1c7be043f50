#!/usr/bin/python3 -B
"""run.py [PART...] [SECONDS] [--write] [--quick]: the bench. Parts run in the order of the table below; without a name, all do.

SECONDS: how long each way of doing an operation is measured (1; less is for trying things out). --quick: as little as shows
that every part runs. --write: docs/performance.md and its pictures are made from the figures. The figures are written to
build/bench/performance.json; a part that runs alone replaces its own there.

Everything else is under build/bench, and gone at the end.
"""
import sys
import traceback

import apply_renew
import consent
import gate
import host
import isolated
import portal
import report
import stage
import ways

PARTS = {
    "ways": ways.measure,          # operations on a token, by every way to it
    "gate": gate.measure,          # the module in front of a backend that costs nothing
    "host": host.measure,          # memory and time that loading the module costs
    "consent": consent.measure,    # what one consent costs
    "isolated": isolated.measure,  # through the agent
    "enroll": apply_renew.measure,  # apply and renew, end to end
    "portal": portal.measure,      # the portal, from 100 to 100,000 certificates
}


def arguments(words):
    """The parts, and the settings of the run."""
    settings = stage.Settings()
    parts = []
    for word in words:
        if word in PARTS:
            parts.append(word)
        elif word == "--write":
            settings.write = True
        elif word == "--quick":
            settings.quick = True
        elif word.replace(".", "", 1).isdigit() and float(word) > 0:
            settings.seconds = float(word)
        else:
            sys.exit(f"bench: {word} is neither a part ({', '.join(PARTS)}) nor a number of seconds, --quick or --write")
    return parts or list(PARTS), settings


def main():
    parts, settings = arguments(sys.argv[1:])
    measured = report.Report(settings)
    failed = []
    with stage.Stage(settings) as place:
        for name in parts:
            try:
                measured.add(name, PARTS[name](place))
                measured.save()
            except Exception as why:  # the other parts are measured all the same
                traceback.print_exc()
                failed.append(f"{name} was not measured: {why}")
            place.end_all()
    print(f"figures: {measured.path}")
    if settings.write:
        measured.write_document()
    sys.exit("\n".join(failed) or 0)


if __name__ == "__main__":
    main()
