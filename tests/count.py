#!/usr/bin/env python3
"""count.py LOG: adds up ctest's log and prints "N passed, N failed" as the last line.

A test program that reports its cases (cmocka's "[       OK ] name", TAP's "ok 1 - name") counts as many as it
reports; any other counts as one. A program that failed without a failed case (a crash, a leak report, a time-out)
counts as one failure.
"""
import re
import sys

OK = re.compile(r"^(?:\[       OK \] .*|ok \d+\b(?!.*# SKIP).*)$", re.M)
NOT_OK = re.compile(r"^(?:\[  FAILED  \] \S+(?!.*test\(s\)).*|not ok \d+\b.*)$", re.M)


def main():
    with open(sys.argv[1], encoding="utf-8", errors="replace") as log:
        text = log.read()
    passed = failed = 0
    # A program's part of the log begins with "N/M Test: NAME" and ends with "Test Passed." or "Test Failed.";
    for part in re.split(r"^\d+/\d+ Test: ", text, flags=re.M)[1:]:
        end = re.search(r"^Test (Passed|Failed|Timeout|Pass Reason|Fail Reason).*", part, re.M)
        good = bool(end and end.group(1).startswith("Pass"))
        cases_passed = len(OK.findall(part))
        cases_failed = len(set(NOT_OK.findall(part)))
        if good and cases_failed == 0:
            passed += max(cases_passed, 1)
        else:
            passed += cases_passed
            failed += max(cases_failed, 1)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
