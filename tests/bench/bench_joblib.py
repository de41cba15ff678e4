#!/usr/bin/env python3
"""Opening joblib files against joblib.load, as ratios in one run.

    bench_joblib.py BENCH_JOBLIB [ROUNDS]

BENCH_JOBLIB is the program built from bench_joblib.c; Python needs numpy, joblib and scikit-learn.
The files are made here, in a temporary folder. "open" maps the file and builds the graph; "touch"
also reads every page of every array, which is what joblib.load does.
"""
import os
import subprocess
import sys
import tempfile

import joblib
import numpy as np
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

from timing import best


def files(folder):
    """name, path, rounds"""
    X, y = load_iris(return_X_y=True)
    forest = RandomForestClassifier(n_estimators=100, random_state=0).fit(X, y)
    path = os.path.join(folder, "forest.joblib")
    joblib.dump(forest, path)
    yield "forest of 100 trees", path, 30
    array = np.random.default_rng(0).normal(size=(50_000_000,)).round(2)
    path = os.path.join(folder, "raw.joblib")
    joblib.dump({"weights": array}, path)
    yield "400 MB, uncompressed", path, 3
    part = array[:12_500_000]
    del array
    for codec, level in (("zlib", 3), ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3), ("lz4", 3)):
        path = os.path.join(folder, "array.joblib." + codec)
        try:
            joblib.dump({"weights": part}, path, compress=(codec, level))
        except ValueError as error:
            print("%s: left out: %s" % (codec, error))
            continue
        yield "100 MB, %s" % codec, path, 2


def main():
    program = sys.argv[1]
    factor = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    print("joblib %s, numpy %s" % (joblib.__version__, np.__version__))
    with tempfile.TemporaryDirectory() as folder:
        for name, path, rounds in files(folder):
            python = best(lambda: joblib.load(path), rounds * factor)
            line = subprocess.run([program, str(rounds * factor), path], check=True, stdout=subprocess.PIPE, text=True).stdout
            _, opened, touched, rss = line.rsplit(" ", 3)
            print("%-22s joblib.load %9.3f ms   open %9.3f ms %9.1fx   touch %9.3f ms %6.2fx   peak %.0f MB" % (
                name, python * 1e3, float(opened) * 1e3, python / float(opened),
                float(touched) * 1e3, python / float(touched), int(rss) / 1024))
            os.unlink(path)


main()
