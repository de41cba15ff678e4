#!/usr/bin/env python3
"""Reading against CPython's C unpickler and joblib, as ratios in one run.

    bench_read.py BENCH_READ [ROUNDS]

BENCH_READ is the program built from bench_read.c. The files are made here, in a
temporary folder. Each round measures Python and C in turn, and the best of each
counts: machines are noisy, and the least disturbed run says most.
"""
import math
import os
import pickle
import random
import subprocess
import sys
import tempfile
import tracemalloc

from timing import best


class Point:
    def __init__(self, x, y, label):
        self.x, self.y, self.label = x, y, label


def workloads():
    rnd = random.Random(1)
    yield "ints", [rnd.randrange(-(2**31), 2**31) if i % 2 else rnd.randrange(300) for i in range(2_000_000)]
    yield "floats", [rnd.gauss(0, 100) for _ in range(2_000_000)]
    yield "strings", ["item %d %s" % (i, "x" * (i % 13)) for i in range(1_000_000)]
    yield "dict", {"key%d" % i: i for i in range(1_000_000)}
    yield "records", [
        {"id": i, "name": "user%d" % i, "score": i * 0.5, "tags": ["a", "b"], "ok": i % 2 == 0, "none": None}
        for i in range(300_000)
    ]
    yield "tuples", [(i, (i + 1, (i + 2, (str(i % 100), None)))) for i in range(400_000)]
    yield "objects", [Point(i, i * 0.5, "p%d" % i) for i in range(200_000)]


def message():
    return {
        "id": 123456, "user": "somebody@example.org", "when": 1700000000.25, "tags": ["alpha", "beta"],
        "position": (51.5, -0.12), "active": True, "parent": None, "counts": {"seen": 12, "sent": 3},
        "note": "a short text",
    }


def python_memory(data):
    tracemalloc.start()
    value = pickle.loads(data)
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del value
    return size


def measure_c(program, path, rounds):
    line = subprocess.run([program, str(rounds), path], check=True, stdout=subprocess.PIPE, text=True).stdout
    _, fresh, reused, memory = line.rsplit(" ", 3)
    return float(fresh), float(reused), int(memory)


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def report(name, python, fresh, reused, memory):
    print("%-12s %10.3f ms %8.1fx fresh %8.1fx reused   memory %.2fx" % (name, python * 1e3, python / fresh, python / reused, memory))


def graphs(program, folder, rounds):
    ratios = []
    for name, value in workloads():
        for protocol in (2, 4):
            data = pickle.dumps(value, protocol)
            path = os.path.join(folder, "graph.pkl")
            with open(path, "wb") as out:
                out.write(data)
            python = best(lambda: pickle.loads(data), rounds)
            fresh, reused, memory = measure_c(program, path, rounds)
            ratios.append((python / fresh, python / reused))
            report("%s p%d" % (name, protocol), python, fresh, reused, memory / python_memory(data))
        del value
    print("geometric mean: %.1fx fresh (least %.1fx), %.1fx reused (least %.1fx)" % (
        geometric_mean([f for f, _ in ratios]), min(f for f, _ in ratios),
        geometric_mean([r for _, r in ratios]), min(r for _, r in ratios)))


def messages(program, folder, rounds):
    for protocol in (2, 4):
        data = pickle.dumps(message(), protocol)
        path = os.path.join(folder, "message.pkl")
        with open(path, "wb") as out:
            out.write(data)

        def many():
            for _ in range(100_000):
                pickle.loads(data)

        python = best(many, rounds) / 100_000
        fresh, reused, _ = measure_c(program, path, rounds)
        print("message p%d, %d bytes: Python %.0f ns, %.1fx fresh, %.1fx reused (%.0f ns)" % (
            protocol, len(data), python * 1e9, python / fresh, python / reused, reused * 1e9))


def main():
    program = sys.argv[1]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    print("CPython %s" % sys.version.split()[0])
    with tempfile.TemporaryDirectory() as folder:
        graphs(program, folder, rounds)
        messages(program, folder, rounds)


if __name__ == "__main__":
    main()
