#!/usr/bin/env python3
"""Reading joblib files: the speed against joblib.load, as ratios in one run, and the memory.

    bench_joblib.py BENCH_JOBLIB [ROUNDS] [speed|memory]

BENCH_JOBLIB is the program built from bench_joblib.c, which says what the ways of reading are;
Python needs numpy, joblib and scikit-learn. The files are made here, in a temporary folder: up to
400 MB for "speed"; for "memory" 2 GB, and the peak is compared with what the arrays have. Each
round measures Python and C in turn, and the best of each counts: machines are noisy.
"""
import os
import subprocess
import sys
import tempfile

import joblib
import numpy as np

from timing import best

CODECS = {"zlib": 3, "gzip": 3, "bz2": 3, "xz": 3, "lzma": 3, "lz4": 3}


def measure(program, way, times, path):
    """Seconds, bytes, page faults."""
    run = subprocess.run([program, way, str(times), path], stdout=subprocess.PIPE, text=True, check=True)
    seconds, kib, faults = run.stdout.split()
    return float(seconds), int(kib) * 1024, int(faults)


def dump(value, path, *compress):
    """False where joblib lacks the codec."""
    try:
        joblib.dump(value, path, compress=compress or 0)
    except ValueError as error:
        print("%s: left out: %s" % (compress[0], error))
        return False
    return True


def compare(program, rounds, name, path, ways=("open",), times=1):
    python, ours = [], {way: [] for way in ways}
    for _ in range(rounds):
        python.append(best(lambda: joblib.load(path), times))
        for way in ways:
            ours[way].append(measure(program, way, times, path))
    for way in ways:
        seconds, peak, faults = min(ours[way])
        print("%-28s joblib.load %9.3f ms   %-5s %9.3f ms %8.2fx   peak %4.0f MB %6d page faults" % (
            name, min(python) * 1e3, way, seconds * 1e3, min(python) / seconds, peak / 1e6, faults))


def speed(program, folder, rounds):
    from sklearn.datasets import load_iris
    from sklearn.ensemble import RandomForestClassifier
    path = os.path.join(folder, "file")
    forest = RandomForestClassifier(n_estimators=100, random_state=0).fit(*load_iris(return_X_y=True))
    for compress in ((), ("zlib", 3), ("gzip", 3), ("lz4", 3)):
        if dump(forest, path, *compress):
            compare(program, rounds, " ".join(("forest of 100 trees", *compress[:1])), path, times=30)
    array = np.random.default_rng(0).normal(size=50_000_000).round(2)
    ways = ("open", "touch", "copy", "pipe")
    dump({"weights": array}, path)
    compare(program, rounds, "400 MB", path, ways, times=3)
    dump(np.array_split(array, 380), path)
    compare(program, rounds, "400 MB, 380 arrays", path, ways, times=3)
    part = array[:12_500_000]
    for codec, level in CODECS.items():
        for name, value in (("100 MB, %s", part), ("100 MB, 95 arrays, %s", np.array_split(part, 95))):
            if dump(value, path, codec, level):
                compare(program, rounds, name % codec, path, times=2)


def memory(program, folder):
    def show(name, way, payload):
        seconds, peak, _ = measure(program, way, 1, path)
        print("%-28s %-5s %6.0f MB of arrays: %6.0f MB %6.3fx %8.0f ms" % (
            name, way, payload / 1e6, peak / 1e6, peak / payload, seconds * 1e3))

    path = os.path.join(folder, "file")
    # Sixteen of each number, so that it does not take long.
    array = np.random.default_rng(0).normal(size=50_000_000 // 16).round(2).repeat(16)
    for codec, level in CODECS.items():
        for count in (1, 100, 380):
            if dump(np.array_split(array, count), path, codec, level):
                for way in ("open", "pipe"):
                    show("%d arrays, %s" % (count, codec), way, array.nbytes)
    many = [array[i * 1_000_000:i * 1_000_000 + 12_500_000] for i in range(20)]
    for compress in ((), ("zlib", 1)):
        dump(many, path, *compress)
        for way in ("open", "one", "pipe"):
            show(" ".join(("20 arrays", *compress[:1])), way, many[0].nbytes * (1 if way == "one" and not compress else 20))


def main():
    program = sys.argv[1]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    what = sys.argv[3:] or ["speed", "memory"]
    print("joblib %s, numpy %s" % (joblib.__version__, np.__version__))
    with tempfile.TemporaryDirectory() as folder:
        if "speed" in what:
            speed(program, folder, rounds)
        if "memory" in what:
            memory(program, folder)


main()
