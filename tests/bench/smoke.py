"""smoke PART...: each part of the bench runs, with as little as it can do, and fills its tables; and the document can be made of
what it says. No figure is judged.

Environment: PINWARD_BENCH_BUILD and PINWARD_BENCH_FOLDER, as in stage.py.
"""
import pathlib
import re
import sys

import report
import stage
from run import PARTS


def faults_of(name, part):
    """What is wrong with the part's answer."""
    for table in part["tables"].values():
        if not table["rows"]:
            yield f"{name}: no rows in {table['title']}"
        for row in table["rows"]:
            if len(row) != len(table["columns"]) or not all(isinstance(cell, str) and cell for cell in row):
                yield f"{name}: {row} does not fit {table['columns']}"


def faults_of_document(measured, parts, folder):
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    measured.write_document(folder)
    text = (folder / "performance.md").read_text(encoding="utf-8")
    if re.search(r"@[a-z]+(:[a-z.]+)?@", text):
        yield "the document has holes"
    for name in parts:
        for table in measured.parts[name]["tables"].values():
            if report.markdown(table) not in text:
                yield f"the document lacks the table of {name}: {table['title']}"


def main(parts):
    settings = stage.Settings()
    settings.quick = True
    settings.seconds = 0.1
    measured = report.Report(settings)
    faults = []
    with stage.Stage(settings) as place:
        for name in parts:
            measured.add(name, PARTS[name](place))
            faults += faults_of(name, measured.parts[name])
    measured.save()
    faults += faults_of_document(measured, parts, pathlib.Path(measured.path).parent / "docs")
    sys.exit("\n".join(faults) or 0)


main(sys.argv[1:])
