#!/usr/bin/env python3
"""count.py LOG...: adds up ctest's logs; names what was skipped, and ends with "N passed, N failed".

A test program that reports its cases (cmocka's "[       OK ] name", TAP's "ok 1 - name", the clients' "pass: name")
counts as many as it reports; any other counts as one. A program that failed without a failed case (a crash, a leak report, a time-out)
counts as one failure. A skipped case (cmocka's "[  SKIPPED ] name", TAP's "ok 1 - name # SKIP why") has neither passed
nor failed.
"""
import re
import sys

OK = re.compile(r"^(?:\[       OK \] .*|ok \d+\b(?!.*# SKIP).*|pass: .*)$", re.M)
NOT_OK = re.compile(r"^(?:\[  FAILED  \] \S+(?!.*test\(s\)).*|not ok \d+\b.*|FAIL: .*)$", re.M)
SKIPPED = re.compile(r"^(?:\[  SKIPPED \] (?!\d+ test\(s\)).*|ok (?:\d+\b|-).*# SKIP.*)$", re.M)
WHY = re.compile(r"^skipped on .*$", re.M)  # tests/support/lacks.c


def count(part):
    """(passed, failed, skipped, lines about what was skipped) of one program's part of the log."""
    end = re.search(r"^Test (Passed|Failed|Timeout|Pass Reason|Fail Reason).*", part, re.M)
    good = bool(end and end.group(1).startswith("Pass"))
    cases_passed = len(OK.findall(part))
    cases_failed = len(set(NOT_OK.findall(part)))
    skips = set(SKIPPED.findall(part))
    why = WHY.findall(part)
    if len(why) < len(skips):
        why += sorted(skips)
    if good and cases_failed == 0:
        return cases_passed or (0 if skips else 1), 0, len(skips), why
    return cases_passed, max(cases_failed, 1), len(skips), why


def main():
    text = ""
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8", errors="replace") as log:
            text += log.read()
    passed = failed = skipped = 0
    # A program's part of the log begins with "N/M Test: NAME" and ends with "Test Passed." or "Test Failed.";
    for part in re.split(r"^\d+/\d+ Test: ", text, flags=re.M)[1:]:
        part_passed, part_failed, part_skipped, why = count(part)
        passed += part_passed
        failed += part_failed
        skipped += part_skipped
        for line in why:
            print(f"{part.split(maxsplit=1)[0]}: {line}")
    if skipped:
        print(f"{skipped} skipped, for what their backend or this machine lacks (above)")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
