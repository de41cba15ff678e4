#!/usr/bin/env python3
"""Predicting with scikit-learn's models: the speed against scikit-learn itself, and against
onnxruntime and treelite, as ratios in one run, each with one thread.

    bench_predict.py BENCH_PREDICT [ROUNDS]

BENCH_PREDICT is the program built from bench_predict.c; Python needs numpy, joblib and
scikit-learn. The models are fitted here, in a temporary folder. Answers are compared, too: "equal"
means every bit. onnxruntime, skl2onnx and treelite are installed by pip in an environment of their
own, in $PICKLE_BENCH_VENV or else in the temporary folder; where that fails, they are left out.
"""
import json
import os
import subprocess
import sys
import tempfile
import time
import venv

import joblib
import numpy as np
import sklearn

from timing import best

SINGLE = 200


def row_of(table, i):
    return table[i:i + 1]


def mean_of_rows(call, table, rounds):
    """Seconds for one row, each asked for by itself."""
    rows = [row_of(table, i) for i in range(min(SINGLE, len(table)))]
    return best(lambda: [call(row) for row in rows], rounds) / len(rows)


# ----------------------------------------------------------------------- models

def numbers():
    from sklearn.datasets import make_classification
    X, y = make_classification(30_000, 30, n_informative=10, flip_y=0.05, random_state=0)
    return X[:20_000], y[:20_000], X[20_000:]


def forest():
    from sklearn.ensemble import RandomForestClassifier
    X, y, rows = numbers()
    return RandomForestClassifier(200, random_state=0, n_jobs=-1).fit(X, y).set_params(n_jobs=1), rows


def boosting():
    from sklearn.ensemble import HistGradientBoostingClassifier
    X, y, rows = numbers()
    return HistGradientBoostingClassifier(random_state=0).fit(X, y), rows


def logistic():
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    X, y, rows = numbers()
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y), rows


def words():
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC
    rng = np.random.default_rng(0)
    texts = [" ".join("word%d" % word for word in rng.zipf(1.3, 200) if word < 50_000)
             for _ in range(3000)]
    kinds = np.arange(3000) % 20
    return make_pipeline(TfidfVectorizer(), LinearSVC()).fit(texts[:2000], kinds[:2000]), texts[2000:]


def small_forest():
    from sklearn.datasets import load_iris
    from sklearn.ensemble import RandomForestClassifier
    X, y = load_iris(return_X_y=True)
    return RandomForestClassifier(random_state=0).fit(X, y), X


MODELS = {
    "forest of 200 trees": (forest, "predict_proba"),
    "histogram boosting": (boosting, "predict_proba"),
    "scaler and logistic": (logistic, "predict_proba"),
    "tf-idf and LinearSVC": (words, "predict"),
    "forest of iris": (small_forest, "predict_proba"),
}

# ---------------------------------------------------------------------- compare


def show(name, what, them, theirs, ours, note=""):
    print("%-21s %-12s %-13s %11.4f ms   here %10.4f ms %9.1fx   %s" % (
        name, what, them, theirs * 1e3, ours * 1e3, theirs / ours, note))


def measure(program, model, table, method, rounds, folder):
    """Seconds for opening, one row, all rows; and the answer. None where it can't be run."""
    out = os.path.join(folder, "out")
    run = subprocess.run([program, model, table, method, str(rounds), out], text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if run.returncode != 0:
        return run.stderr.strip(), None
    return [float(word) for word in run.stdout.split()], np.fromfile(out)


def process(arguments, rounds):
    def run():
        subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)
    return best(run, rounds)


def compare(program, name, folder, rounds):
    fit, method = MODELS[name]
    model, rows = fit()
    paths = [os.path.join(folder, name + end) for end in (".model", ".rows")]
    joblib.dump(model, paths[0])
    joblib.dump(rows, paths[1])
    call = getattr(model, method)
    times, answer = measure(program, *paths, method, 1, folder)
    if answer is None:
        print("%-21s left out: %s" % (name, times))
        return None
    expected = np.asarray(call(rows), dtype=np.float64).ravel()
    note = "equal" if np.array_equal(answer, expected) else (
        "farthest %.1e" % np.abs(answer - expected).max())
    theirs = [1e9] * 3
    for _ in range(rounds):
        ours = measure(program, *paths, method, rounds, folder)[0]
        times = [min(pair) for pair in zip(times, ours)]
        now = best(lambda: joblib.load(paths[0]), 3), mean_of_rows(call, rows, 1), best(lambda: call(rows), 1)
        theirs = [min(pair) for pair in zip(theirs, now)]
    for i, what in enumerate(("open", "one row", "%d rows" % len(rows))):
        show(name, what, "scikit-learn", theirs[i], times[i], note if i == 2 else "")
    if name == "forest of iris":
        code = "import joblib; m = joblib.load(%r); m.%s(joblib.load(%r))" % (paths[0], method, paths[1])
        show(name, "cold process", "scikit-learn", process([sys.executable, "-c", code], rounds),
             process([program, *paths, method], rounds * 3), "with loading")
    return times


# ----------------------------------------------------------------------- others

def onnx(model, rows):
    """How to predict by onnxruntime, with one thread."""
    import onnxruntime
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import StringTensorType
    if isinstance(rows, list):
        rows = np.array(rows)[:, None]
        graph = to_onnx(model, initial_types=[("X", StringTensorType([None, 1]))])
    else:
        rows = rows.astype(np.float32)
        graph = to_onnx(model, rows[:1], options={"zipmap": False})
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph.SerializeToString(), options,
                                           providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return (lambda some: session.run(None, {name: some})), rows


def treelite(model, rows):
    import treelite
    forest = treelite.sklearn.import_model(model)
    rows = rows.astype(np.float32) if "RandomForest" in type(model).__name__ else rows
    return (lambda some: treelite.gtil.predict(forest, some, nthread=1)), rows


def others(folder, rounds):
    """Run by the Python of the environment of its own: JSON lines of times, or of what failed."""
    for name in MODELS:
        path = os.path.join(folder, name)
        if not os.path.exists(path + ".rows"):
            continue
        model, rows = joblib.load(path + ".model"), joblib.load(path + ".rows")
        for them, prepare in (("onnxruntime", onnx), ("treelite", treelite)):
            try:
                call, table = prepare(model, rows)
                times = [mean_of_rows(call, table, rounds), best(lambda: call(table), rounds)]
                print(json.dumps([name, them, times, ""]), flush=True)
            except Exception as error:
                print(json.dumps([name, them, None, str(error).split("\n")[0][:80]]), flush=True)


def environment(folder):
    """The Python that has the others; None, and a word why, where pip can't install them."""
    folder = os.environ.get("PICKLE_BENCH_VENV") or os.path.join(folder, "venv")
    python = os.path.join(folder, "bin", "python")
    if not os.path.exists(python):
        venv.create(folder, with_pip=True)
    run = subprocess.run(
        [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "joblib==" + joblib.__version__,
         "scikit-learn==" + sklearn.__version__, "numpy==" + np.__version__,
         "skl2onnx", "onnxruntime", "treelite"], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if run.returncode == 0:
        return python
    print("onnxruntime, treelite: left out: %s" % run.stderr.strip().split("\n")[-1])
    return None


def main():
    program = sys.argv[1]
    if program == "--others":
        others(sys.argv[2], int(sys.argv[3]))
        return
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    print("scikit-learn %s, numpy %s" % (sklearn.__version__, np.__version__))
    with tempfile.TemporaryDirectory() as folder:
        times = {name: compare(program, name, folder, rounds) for name in MODELS}
        python = environment(folder)
        if not python:
            return
        run = subprocess.run([python, "-W", "ignore", os.path.abspath(__file__), "--others", folder, str(rounds)],
                             text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for line in run.stdout.splitlines():
            name, them, theirs, error = json.loads(line)
            if theirs is None:
                print("%-21s %s: left out: %s" % (name, them, error))
            elif times[name]:
                show(name, "one row", them, theirs[0], times[name][1])
                show(name, "all rows", them, theirs[1], times[name][2])
        if run.returncode != 0:
            print("onnxruntime, treelite: the process failed")


main()
