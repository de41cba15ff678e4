"""estimators.py MANUAL SOURCES - the manual lists the estimators that the sources have, and no others.

MANUAL is pickle_sklearn.3, SOURCES the folder with the tables of classes. Reports in TAP.
"""

import glob
import os
import re
import sys

import tap

ROW = re.compile(r'\{ ("[^"]+"|[A-Z_]+),\s+"(\w+)",\s+\w+ \}')
TABLE = re.compile(r"^const pickle__estimator \w+\[\] = \{\n(.*?)^\};", re.M | re.S)
NAME = re.compile(r'^#define ([A-Z_]+) +"([^"]+)"', re.M)


def in_sources(folder):
    """{package: {class}}; what scikit-learn keeps to itself is left out."""
    found = {}
    for path in glob.glob(os.path.join(folder, "*.c")):
        with open(path, encoding="ascii") as source:
            text = source.read()
        names = {name: '"%s"' % value for name, value in NAME.findall(text)}
        rows = [row for table in TABLE.findall(text) for row in ROW.findall(table)]
        for package, cls in rows:
            package = names.get(package, package).strip('"')
            package = package[1:] if package.startswith(":") else "sklearn." + package
            if not cls.startswith("_"):
                found.setdefault(package, set()).add(cls)
    return found


def in_manual(path):
    """Of its section ESTIMATORS: `.It package`, and lines of classes."""
    with open(path, encoding="ascii") as manual:
        section = manual.read().split(".Sh ESTIMATORS\n")[1].split("\n.Sh ")[0]
    found = {}
    for part in section.split("\n.It ")[1:]:
        package, classes = part.split("\n", 1)
        found[package] = set(re.findall(r"\w+", classes.split("\n.El")[0]))
    return found


def main():
    manual, folder = sys.argv[1:]
    ours, theirs = in_sources(folder), in_manual(manual)
    for package in sorted(set(ours) | set(theirs)):
        missing = ours.get(package, set()) ^ theirs.get(package, set())
        tap.check(package, "not in both: %s" % ", ".join(sorted(missing)) if missing else None)
    tap.done()


main()
