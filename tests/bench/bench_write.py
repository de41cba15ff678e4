#!/usr/bin/env python3
"""Writing against CPython's C pickler and joblib, as ratios in one run.

    bench_write.py BENCH_WRITE [ROUNDS] [graphs|files]

BENCH_WRITE is the program built from bench_write.c. The same workloads as in bench_read.py: the file
is read once, and written into memory that is used again; Python pickles the value it came from. For
"files" Python needs numpy and joblib: 400 MB to the disk, and 30 MB of what models hold with each
codec, by one thread and by two. The best of each counts.
"""
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import time

import bench_read as read
from timing import best

LEVELS = {"zlib": 3, "gzip": 3, "bz2": 9, "xz": 6, "lzma": 6, "lz4": 3}


def measure(program, rounds, *args):
    """Seconds, bytes."""
    run = subprocess.run([program, str(rounds), *map(str, args)], stdout=subprocess.PIPE, text=True, check=True)
    seconds, size = run.stdout.split()
    return float(seconds), int(size)


def compare_graph(program, folder, rounds, name, value, protocol, repeat=1):
    path = os.path.join(folder, "graph.pkl")
    data = pickle.dumps(value, protocol)
    with open(path, "wb") as out:
        out.write(data)

    def many():
        for _ in range(repeat):
            pickle.dumps(value, protocol)

    python = best(many, rounds) / repeat
    ours, size = measure(program, rounds, "graph", path)
    print("%-12s p%d %12.1f us %12.1f us %8.1fx%s" % (
        name, protocol, python * 1e6, ours * 1e6, python / ours, "" if size == len(data) else "  ANOTHER SIZE"))
    return python / ours


def graphs(program, folder, rounds):
    ratios = []
    for name, value in read.workloads():
        for protocol in (2, 4, 5):
            ratios.append(compare_graph(program, folder, rounds, name, value, protocol))
    print("geometric mean: %.1fx (least %.1fx)" % (read.geometric_mean(ratios), min(ratios)))
    for protocol in (2, 4, 5):
        compare_graph(program, folder, rounds, "message", read.message(), protocol, 100_000)


def like_a_model(np, size):
    """Sorted thresholds, small integers, noise: about what forests and linear models hold."""
    rng, n = np.random.default_rng(0), size // 24
    return {"threshold": rng.normal(size=n).round(3), "feature": rng.integers(0, 50, n),
            "coef": rng.normal(size=n // 2), "count": np.sort(rng.integers(1, 1000, n // 2))}


def files(program, folder, rounds):
    import joblib
    import numpy as np
    print("joblib %s, numpy %s" % (joblib.__version__, np.__version__))
    source, ours, theirs = (os.path.join(folder, name) for name in ("source.joblib", "ours", "theirs"))
    value = {"weights": np.random.default_rng(0).normal(size=50_000_000).round(2)}
    joblib.dump(value, source)
    python = best(lambda: joblib.dump(value, theirs), rounds)
    seconds, size = measure(program, rounds, "file", source, ours)
    print("400 MB       joblib.dump %8.3f s   ours %8.3f s %6.2fx   %d bytes, %d" % (
        python, seconds, python / seconds, os.path.getsize(theirs), size))
    start = time.perf_counter()
    shutil.copyfile(source, ours)
    print("             a copy of the file: %.3f s" % (time.perf_counter() - start))
    value = like_a_model(np, 30_000_000)
    joblib.dump(value, source)
    for codec, level in LEVELS.items():
        try:
            python = best(lambda: joblib.dump(value, theirs, compress=(codec, level)), 1)
        except ValueError as error:
            print("%s: left out: %s" % (codec, error))
            continue
        for threads in (1, 2):
            seconds, size = measure(program, 1, "file", source, ours, codec, level, threads)
            print("%-5s %d thread%s joblib.dump %8.3f s   ours %8.3f s %6.2fx   size %.3f of joblib's %.1f MB" % (
                codec, threads, "s"[:threads - 1] or " ", python, seconds, python / seconds,
                size / os.path.getsize(theirs), os.path.getsize(theirs) / 1e6))


def main():
    program = sys.argv[1]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    what = sys.argv[3:] or ["graphs", "files"]
    print("CPython %s" % sys.version.split()[0])
    with tempfile.TemporaryDirectory() as folder:
        if "graphs" in what:
            graphs(program, folder, rounds)
        if "files" in what:
            files(program, folder, min(rounds, 3))


main()
