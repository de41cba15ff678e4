"""test_sklearn.py - models that live scikit-learns fit, and what the library answers for them.

For each Python in the folder $PICKLE_VENVS (<name>/bin/python) that has scikit-learn, the zoo of
fixtures/zoo is made anew, on this machine, and $PICKLE_ZOO_PROGRAM checks it. Skipped when no such
Python is there. Reports in TAP.
"""

import glob
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "api"))
import tap  # noqa: E402

ZOO = os.environ["PICKLE_ZOO_PROGRAM"]
MAKE = os.path.join(os.environ["PICKLE_FIXTURES"], "zoo", "make_zoo.py")


def has_sklearn(python):
    done = subprocess.run([python, "-c", "import sklearn"], stderr=subprocess.DEVNULL)
    return done.returncode == 0


def test_python(name, python):
    with tempfile.TemporaryDirectory() as folder:
        made = subprocess.run([python, "-B", MAKE, folder], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
        tap.check("%s: models are fitted" % name, made.stderr.decode() if made.returncode else None)
        for path in sorted(glob.glob(os.path.join(folder, "*.pkl.xz"))):
            done = subprocess.run([ZOO, path], stdout=subprocess.PIPE)
            lines = done.stdout.decode().splitlines()
            wrong = [line for line in lines if not line.startswith("ok ")]
            tap.check("%s: %s (%d models)" % (name, os.path.basename(path).split(".")[0],
                                              len(lines) - len(wrong)),
                      "\n".join(wrong) if done.returncode else None)


def main():
    pythons = sorted(glob.glob(os.path.join(os.environ.get("PICKLE_VENVS", ""), "*", "bin", "python")))
    found = [python for python in pythons if has_sklearn(python)]
    if not found:
        tap.skip("models of live scikit-learns", "no Python with scikit-learn in $PICKLE_VENVS")
    for python in found:
        test_python(python.split(os.sep)[-3], python)
    tap.done()


main()
