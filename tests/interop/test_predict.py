"""test_predict.py - pickle predict, as people and programs use it.

$PICKLE_COMMAND is the command, $PICKLE_FIXTURES the folder of fixtures: what the models of the iris
data answer for iris.csv stands in their facts. How CSV is read is compared with the pandas of the
environments in $PICKLE_VENVS, and skipped without them. Reports in TAP.
"""

import ast
import csv
import io
import os
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "api"))
import tap  # noqa: E402

COMMAND = os.environ["PICKLE_COMMAND"]
FIXTURES = os.environ["PICKLE_FIXTURES"]
VENVS = os.environ.get("PICKLE_VENVS", "")
IRIS = os.path.join(FIXTURES, "iris.csv")
METHODS = ("predict", "predict_proba", "decision_function", "transform", "score_samples")


def run(*args, stdin=b""):
    """(exit code, standard output, standard error)"""
    done = subprocess.run([COMMAND, "predict", *args], input=stdin, capture_output=True,
                          env=dict(os.environ, LC_ALL="C.UTF-8"))
    return done.returncode, done.stdout.decode(), done.stderr.decode()


failed = []


def expect(name, want, got):
    problem = None if want == got else "expected %.500r\n     got %.500r" % (want, got)
    tap.check(name, problem)
    if problem:
        failed.append(name)


# ----------------------------------------------------------------------- facts

def answers_of(env):
    """{file: {method: answer}}, of the files of one environment."""
    found = {}
    with open(os.path.join(FIXTURES, env, "facts.tsv"), encoding="utf-8", newline="") as lines:
        for file, path, what, value in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            if what in METHODS + ("texts",) and not path:
                found.setdefault(file, {})[what] = ast.literal_eval(value)
    return found


def near(want, got):
    """Numbers that BLAS may have added in another order."""
    most = max([abs(x) for row in want for x in row] + [1e-300])
    return len(want) == len(got) and all(
        len(a) == len(b) and all(abs(x - y) <= 1e-12 * most for x, y in zip(a, b))
        for a, b in zip(want, got))


def numbers(text):
    return [[float(x) for x in line.split(" ")] for line in text.splitlines()]


def rows_of(answer):
    return [row if isinstance(row, list) else [row] for row in answer]


def test_models():
    """Every model of every environment, by every method that its Python noted."""
    texts = answers_of("py313")["sklearn/words.joblib.z"]["texts"]
    with open(IRIS, encoding="ascii") as lines:
        header, *rows = lines.read().splitlines()
    few = "\n".join([header] + rows[::15]).encode()
    for env in sorted(os.listdir(FIXTURES)):
        facts = os.path.join(FIXTURES, env, "facts.tsv")
        if not os.path.isdir(os.path.join(FIXTURES, env, "sklearn")) or not os.path.exists(facts):
            continue
        for file, found in sorted(answers_of(env).items()):
            found.pop("texts", None)  # the same everywhere; Python 2 did not note them
            test_model(env, file, found, texts if "/words." in file else None, few)


def test_model(env, file, found, texts, few):
    path = os.path.join(FIXTURES, env, file)
    if env == "py27-old" and "predict" in found:
        found.pop("transform", None)  # classifiers selected features until 0.19: not offered
    problems = []
    for method, answer in found.items():
        if texts:
            status, out, err = run("-m", method, path, "-", stdin="\n".join(texts).encode())
        elif method == "predict":
            status, out, err = run(path, IRIS)
        else:
            status, out, err = run("-m", method, path, "-", stdin=few)
        if status:
            problems.append("%s: exit %d, %s" % (method, status, err))
        elif not near(rows_of(answer), numbers(out)):
            problems.append("%s: %.200r is not %.200r" % (method, out, answer))
    tap.check("%s/%s" % (env, file), "\n".join(problems))
    failed.extend(problems)


# ------------------------------------------------------------------- in and out

def write(folder, name, data):
    path = os.path.join(folder, name)
    with open(path, "wb") as out:
        out.write(data)
    return path


def npy(descr, shape, data):
    """A .npy file, as the format's specification has it."""
    header = "{'descr': %r, 'fortran_order': False, 'shape': %r, }" % (descr, shape)
    header += " " * (-(10 + len(header) + 1) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


FLOWERS = [[5.1, 3.5, 1.4, 0.2], [7.0, 3.2, 4.7, 1.4], [6.3, 3.3, 6.0, 2.5]]


def test_inputs(folder):
    model = os.path.join(FIXTURES, "py313/sklearn/iris_tree.joblib.z")
    flat = [x for row in FLOWERS for x in row]
    csv_rows = ["%r,%r,%r,%r" % tuple(row) for row in FLOWERS]
    wanted = (0, "0\n1\n2\n", "")
    inputs = {
        "f8.npy": npy("<f8", (3, 4), struct.pack("<12d", *flat)),
        "f4.npy": npy("<f4", (3, 4), struct.pack("<12f", *flat)),
        "big.npy": npy(">f8", (3, 4), struct.pack(">12d", *flat)),
        "plain.csv": "\n".join(csv_rows).encode(),
        "header.csv": ("a,b,c,d\n" + "\n".join(csv_rows) + "\n").encode(),
        "crlf.csv": ("\ufeffa,b,c,d\r\n" + "\r\n".join(csv_rows) + "\r\n\r\n").encode(),
        "quoted.csv": ('"a","b ""x""","c\n","d"\n' + "\n".join(csv_rows)).encode(),
        "semicolons.csv": "\n".join(csv_rows).replace(",", ";").encode(),
        "tabs.tsv": "\n".join(csv_rows).replace(",", "\t").encode(),
    }
    for name, data in inputs.items():
        expect(name, wanted, run(model, write(folder, name, data)))
        expect(name + " from a pipe", wanted, run(model, "-", stdin=data))
    expect("two threads", wanted, run(model, os.path.join(folder, "f8.npy"), "-j", "2"))
    empty = write(folder, "none.csv", b"a,b,c,d\n")
    expect("no rows", (0, "", ""), run(model, empty))


def test_outputs(folder):
    model = os.path.join(FIXTURES, "py313/sklearn/iris_tree.joblib.z")
    data = write(folder, "in.csv", "\n".join(",".join(map(str, row)) for row in FLOWERS).encode())
    out = os.path.join(folder, "out.npy")
    expect("-o out.npy", (0, "", ""), run(model, data, "-o", out))
    with open(out, "rb") as written:
        expect("out.npy", npy("<i8", (3,), struct.pack("<3q", 0, 1, 2)), written.read())
    out = os.path.join(folder, "out.csv")
    expect("-o out.csv", (0, "", ""), run(model, data, "-o", out, "-m", "predict_proba"))
    with open(out, encoding="ascii") as written:
        rows = [[float(x) for x in row] for row in csv.reader(written)]
    _, text, _ = run(model, data, "-m", "predict_proba")
    expect("out.csv", numbers(text), rows)


def test_complaints(folder):
    model = os.path.join(FIXTURES, "py313/sklearn/iris_tree.joblib.z")
    words = os.path.join(FIXTURES, "py313/sklearn/words_matrix.joblib.z")
    narrow = write(folder, "narrow.csv", b"1,2,3\n")
    ragged = write(folder, "ragged.csv", b"1,2,3,4\n1,2,3\n")
    text = write(folder, "text.csv", b"1,2,3,4\n1,2,x,4\n")
    open_quote = write(folder, "quote.csv", b'1,2,3,"4\n')
    plain = os.path.join(FIXTURES, "py313/sklearn/iris_kmeans.joblib.z")
    for name, args, code, complaint in [
            ("too few columns", (model, narrow), 1,
             "%s: X has 3 columns, but sklearn.tree.DecisionTreeClassifier expects 4" % narrow),
            ("ragged", (model, ragged), 2, "%s: line 2: it has 3 fields, and the first has 4" % ragged),
            ("text", (model, text), 1, "%s: column 2 is no column of numbers: row 0 has text" % text),
            ("an open quote", (model, open_quote), 2, "%s: line 1: a quote is not closed" % open_quote),
            ("no method", (plain, narrow, "-m", "predict_proba"), 1,
             "%s: sklearn.cluster.KMeans has no predict_proba" % narrow),
            ("no such method", (model, narrow, "-m", "fit"), 1, "there is no method fit"),
            ("no estimator", (words, narrow), 1, None),
            ("no path", (model, narrow, "-p", "x"), 1, "%s: there is no x" % model),
            ("no input", (model,), 2, "INPUT is missing (see pickle predict --help)"),
            ("no file", (model, os.path.join(folder, "none")), 2, None),
            ("odd output", (model, narrow, "-o", "x.json"), 2,
             "-o takes a name that ends with .npy or .csv")]:
        status, out, err = run(*args)
        expect(name, (code, ""), (status, out))
        if complaint:
            expect(name + ", in words", "pickle: %s\n" % complaint, err)


# ---------------------------------------------------------------------- pandas

READ_CSV = """
import io, sys
import pandas as pd
frame = pd.read_csv(io.StringIO(sys.stdin.read()))
def cell(x):
    return repr(float(x)) if not isinstance(x, str) and not isinstance(x, (bool,)) else repr(x)
for row in frame.to_numpy(dtype=object).tolist():
    print("|".join(cell(x) for x in row))
"""

TABLE = """name,n,x,flag,mixed
a,1,0.5,True,1
b,2,nan,False,two
"c, d",3,1e3,True,
,4,-inf,False,4.5
NA,5,.5,True,null
"""


def test_pandas(folder):
    """OrdinalEncoder is not at hand for all of this: what CSV holds is shown by passing it through."""
    for env in ("newest", "middle", "oldest"):
        python = os.path.join(VENVS, env, "bin", "python")
        if not os.path.exists(python):
            tap.skip("CSV as pandas reads it, " + env, "no " + env)
            continue
        make = write(folder, "make.py", b"""
import pickle, sys
from sklearn.preprocessing import FunctionTransformer
pickle.dump(FunctionTransformer(validate=False), open(sys.argv[1], 'wb'), 4)
""")
        model = os.path.join(folder, env + ".pkl")
        subprocess.run([python, make, model], check=True)
        table = write(folder, "table.csv", TABLE.encode())
        out = os.path.join(folder, "passed.csv")
        expect("CSV passes, " + env, (0, "", ""), run(model, table, "-m", "transform", "-o", out))
        wanted = subprocess.run([python, "-c", READ_CSV], input=TABLE.encode(), check=True,
                                stdout=subprocess.PIPE).stdout.decode().splitlines()
        with io.open(out, encoding="utf-8") as written:
            rows = list(csv.reader(written))
        expect("CSV as pandas reads it, " + env, [w.split("|") for w in wanted],
               [[plain(x, w) for x, w in zip(row, w.split("|"))] for row, w in zip(rows, wanted)])


NAMED = """
import pickle, sys
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
X = pd.DataFrame(np.random.RandomState(0).rand(30, 3).round(3), columns=["a", "b", "c"])
model = LogisticRegression().fit(X, np.where(X.a > X.b, "more", "less"))
pickle.dump(model, open(sys.argv[1] + ".pkl", "wb"))
X.assign(more=1)[["c", "more", "a", "b"]].to_csv(sys.argv[1] + ".csv", index=False)
X[["c", "a"]].to_csv(sys.argv[1] + "-few.csv", index=False)
print(*model.predict(X), sep="\\n")
"""


def test_names(folder):
    """A header's columns are found by the names that the model was fitted with."""
    python = os.path.join(VENVS, "newest", "bin", "python")
    if not os.path.exists(python):
        tap.skip("columns by name", "no newest")
        return
    base = os.path.join(folder, "named")
    labels = subprocess.run([python, "-c", NAMED, base], check=True,
                            stdout=subprocess.PIPE).stdout.decode()
    expect("columns by name", (0, labels, ""), run(base + ".pkl", base + ".csv"))
    expect("a column is missing", (1, "", "pickle: %s-few.csv: there is no column 'b'\n" % base),
           run(base + ".pkl", base + "-few.csv"))


def plain(text, wanted):
    """As READ_CSV prints it: numbers as floats, the rest quoted."""
    if wanted.startswith("'") or wanted in ("True", "False"):
        return repr(text) if wanted.startswith("'") else text
    return repr(float(text))


def main():
    test_models()
    with tempfile.TemporaryDirectory() as folder:
        test_inputs(folder)
        test_outputs(folder)
        test_complaints(folder)
        test_pandas(folder)
        test_names(folder)
    tap.done()


main()
