#!/usr/bin/env python3
"""Counts the single tests behind a CTest JUnit file and a log of Python's unittest -v, for scripts/test.

Usage: count_tests.py JUNIT UNITTEST_LOG       either may be missing and then counts nothing

Prints a line for every failed and every skipped test, and "PASSED FAILED SKIPPED" as the last line. CTest knows whole
programs; a GoogleTest program's output names its tests. A program that crashes, runs out of time, or fails without a
failed test is one failed test itself.
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
    """True when one of its tests failed."""
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
        words = output.strip().splitlines()  # a script says last why it skips
        counts.skipped.append(f"{program}: {words[-1] if words else reason or status}")
    elif status == "notrun":
        counts.failed.append(f"{program}: not run: {reason}")
    elif "[==========] Running " in output:
        explained = count_gtest(program, output, counts) and GTEST_ENDED.search(output)
        if status != "run" and not explained:
            counts.failed.append(f"{program}: the program itself (crash, time limit, or exit status)")
    elif status == "run":
        counts.passed += 1
    else:
        counts.failed.append(program)


def count_unittest(log, counts):
    failed, skipped = UNITTEST_FAIL.findall(log), UNITTEST_SKIP.findall(log)
    ran = UNITTEST_RAN.search(log)
    if ran is None:
        failed.append("Python tests did not come to their end")
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
