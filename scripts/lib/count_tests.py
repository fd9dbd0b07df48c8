#!/usr/bin/env python3
"""Counts the single tests in a CTest JUnit file and in a log of Python's unittest -v, for scripts/test.

Usage: count_tests.py JUNIT UNITTEST_LOG       a missing file counts as no tests

Prints one line per failed or skipped test, and "PASSED FAILED SKIPPED" as the last line. CTest counts programs; the output
of a GoogleTest program names its tests. A program that crashes, runs out of time, or fails without a failed test counts as
one failed test.
"""

import os
import re
import sys
import xml.etree.ElementTree

GTEST_RESULT = re.compile(r"\[ (      OK| FAILED | SKIPPED) \] (\S+?)(?:, where .*)? \(\d+ ms\)$", re.MULTILINE)
GTEST_ENDED = re.compile(r"^\[={10}\] .* ran\.", re.MULTILINE)
GTEST_REASON = re.compile(r": Skipped\n(.*)")
UNITTEST_SKIP = re.compile(r"^(\w+) \(.*\.\.\. skipped (.*)$", re.MULTILINE)
UNITTEST_FAIL = re.compile(r"^(?:FAIL|ERROR|UNEXPECTED SUCCESS): (.*)$", re.MULTILINE)
UNITTEST_RAN = re.compile(r"^Ran (\d+) tests? in ", re.MULTILINE)


class Counts:
    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = []


def count_gtest(program, output, counts):
    """Counts the tests in the output; returns True if one of them failed."""
    failed, begin = False, 0
    for match in GTEST_RESULT.finditer(output):
        result, name = match.group(1).strip(), f"{program}: {match.group(2)}"
        if result == "OK":
            counts.passed += 1
        elif result == "FAILED":
            counts.failed.append(name)
            failed = True
        else:
            reasons = GTEST_REASON.findall(output, begin, match.start())
            counts.skipped.append(f"{name}: {reasons[-1] if reasons else 'no reason given'}")
        begin = match.end()
    return failed


def count_program(case, counts):
    program, status = case.get("name"), case.get("status")
    output = case.findtext("system-out") or ""
    skipped = case.find("skipped")
    reason = skipped.get("message", "") if skipped is not None else ""
    if status == "disabled" or (status == "notrun" and reason.startswith("SKIP_")):
        lines = output.strip().splitlines()  # the last line of a script says why it is skipped
        counts.skipped.append(f"{program}: {lines[-1] if lines else reason or status}")
    elif status == "notrun":
        counts.failed.append(f"{program}: did not run: {reason}")
    elif "[==========] Running " in output:
        explained = count_gtest(program, output, counts) and GTEST_ENDED.search(output)
        if status != "run" and not explained:
            counts.failed.append(f"{program}: the program itself failed (crash, time limit, or exit status)")
    elif status == "run":
        counts.passed += 1
    else:
        counts.failed.append(program)


def count_unittest(log, counts):
    failed, skipped = UNITTEST_FAIL.findall(log), UNITTEST_SKIP.findall(log)
    ran = UNITTEST_RAN.search(log)
    if ran is None:
        failed.append("the Python tests did not finish")
    counts.failed += failed
    counts.skipped += [f"{name}: {reason}" for name, reason in skipped]
    counts.passed += max(0, int(ran.group(1)) - len(failed) - len(skipped)) if ran else 0


def main(arguments):
    junit, log = arguments
    counts = Counts()
    if os.path.exists(junit):
        for case in xml.etree.ElementTree.parse(junit).iter("testcase"):
            count_program(case, counts)
    if os.path.exists(log):
        with open(log, encoding="utf-8", errors="replace") as file:
            count_unittest(file.read(), counts)
    for name in counts.skipped:
        print(f"skipped: {name}")
    for name in counts.failed:
        print(f"failed: {name}")
    print(counts.passed, len(counts.failed), len(counts.skipped))


if __name__ == "__main__":
    main(sys.argv[1:])
