"""accuracy.py - write accuracy.tsv: how near the answers are, for each model, method and version.

usage: accuracy.py ZOO_PROGRAM [FOLDER]      (FOLDER: fixtures/zoo)

A line for each model of the zoo and each of its methods, a column for each folder, which is a version
of scikit-learn, or of another package by its name:
"equal" to the last bit, so many "ulp" (units in the last place) at most, or the largest difference
in relation to the largest number of the answer; "-" where that version has no such model or method.
"""

import collections
import glob
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def distance(ulps, relative, bound):
    if ulps == 0:
        return "equal"
    return "%d ulp" % ulps if bound == "libm" else "%.0e" % relative


def release(folder):
    """scikit-learn's own first, in order."""
    package, _, version = folder.rpartition("-")
    return package, tuple(int(part) for part in version.split("."))


def measure(program, folder):
    """{(family, model, method, bound): {version: distance}}"""
    rows = collections.OrderedDict()
    for path in sorted(glob.glob(os.path.join(folder, "*", "*.pkl.xz"))):
        version, file = path.split(os.sep)[-2:]
        family = file.split(".")[0]
        done = subprocess.run([program, "--table", path], stdout=subprocess.PIPE)
        for line in done.stdout.decode().splitlines():
            if line.startswith("#"):
                continue
            _, name, _, method, bound, ulps, relative = line.split("\t")
            rows.setdefault((family, name, method), {})[version] = \
                (bound, distance(int(ulps), float(relative), bound))
    return rows


def main(program, folder=os.path.join(HERE, os.pardir, os.pardir, "fixtures", "zoo")):
    rows = measure(program, folder)
    folders = sorted({name for found in rows.values() for name in found}, key=release)
    with open(os.path.join(HERE, "accuracy.tsv"), "w", encoding="utf-8") as out:
        print("family", "model", "method", "bound", *folders, sep="\t", file=out)
        for (family, name, method), found in sorted(rows.items()):
            bound = sorted({one[0] for one in found.values()})
            print(family, name, method, "/".join(bound),
                  *[found.get(name, ("", "-"))[1] for name in folders], sep="\t", file=out)


if __name__ == "__main__":
    main(*sys.argv[1:])
