"""test_summary.py - add up what test runs said.

usage: test_summary.py BUILD_DIR...

Prints a line for each build folder, and last the line "N passed, N failed, N skipped". A test that
speaks TAP counts as many times as it reports; one that says nothing, or crashes, counts once.
Fails if a test failed or a build folder has no results; with CI=true also if an interop test was
skipped.
"""

import collections
import json
import os
import pathlib
import re
import sys

OUTCOMES = ["passed", "failed", "skipped"]
RESULTS = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}


def tap_outcomes(text):
    for failed, skipped in re.findall(r"^(not )?ok \d+[^#\n]*(# SKIP)?", text or "",
                                      re.MULTILINE | re.IGNORECASE):
        yield "skipped" if skipped else "failed" if failed else "passed"


def outcomes(test):
    """What one entry of Meson's log counts as."""
    overall = RESULTS.get(test["result"], "failed")
    counts = collections.Counter(tap_outcomes(test.get("stdout")))
    if not counts or overall == "failed" and not counts["failed"]:
        counts[overall] += 1
    return counts


def summarize(folder):
    """(counts, lines about tests that did not pass) of one build folder."""
    counts, remarks = collections.Counter(), []
    log = pathlib.Path(folder, "meson-logs", "testlog.json")
    if not log.exists():
        return collections.Counter(failed=1), ["failed: the build"]
    for line in log.read_text().splitlines():
        test = json.loads(line)
        here = outcomes(test)
        counts += here
        remarks += ["%s: %s" % (outcome, test["name"])
                    for outcome in OUTCOMES[1:] if here[outcome]]
    return counts, remarks


def words(counts):
    return ", ".join("%d %s" % (counts[outcome], outcome) for outcome in OUTCOMES)


total, interop_skipped = collections.Counter(), False
for folder in sys.argv[1:]:
    counts, remarks = summarize(folder)
    total += counts
    print("%-16s %s" % (pathlib.Path(folder).name, words(counts)))
    for remark in remarks:
        print("    " + remark)
        interop_skipped |= remark.startswith("skipped") and "interop" in remark
refused = interop_skipped and os.environ.get("CI") == "true"
if refused:
    print("CI=true: interop tests must not be skipped")
print(words(total))
sys.exit(1 if total["failed"] or refused else 0)
