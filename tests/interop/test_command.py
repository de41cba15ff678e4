"""test_command.py - the pickle command, as programs and people use it.

$PICKLE_COMMAND is the command, $PICKLE_FIXTURES the folder of fixtures, whose facts say what the
command has to find. What live Python is needed for (the words of pickletools, numpy.load) is taken
from the environments in the folder $PICKLE_VENVS, and skipped without them. Reports in TAP.
"""

import ast
import base64
import bz2
import csv
import glob
import gzip
import hashlib
import json
import lzma
import os
import pickle
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "api"))
import tap  # noqa: E402

COMMAND = os.environ["PICKLE_COMMAND"]
FIXTURES = os.environ["PICKLE_FIXTURES"]
MOST_RUNS = 60  # of `get`, for each environment and kind of fact


def run(*args, stdin=b"", env=None, text=False):
    """(exit code, standard output, standard error)"""
    done = subprocess.run([COMMAND, *args], input=stdin, capture_output=True,
                          env=dict(os.environ, **(env or {"LC_ALL": "C.UTF-8"})))
    out = done.stdout.decode() if text else done.stdout
    return done.returncode, out, done.stderr.decode()


failed = []


def check(name, problem):
    tap.check(name, problem)
    if problem:
        failed.append(name)


def expect(name, want, got):
    check(name, None if want == got else "expected %r\n     got %r" % (want, got))


class Complaints(list):
    """What is wrong, as one check."""

    def __init__(self, name):
        super().__init__()
        self.name, self.count = name, 0

    def compare(self, what, want, got):
        self.count += 1
        if want != got:
            self.append("%s: expected %.200r, got %.200r" % (what, want, got))

    def report(self):
        nothing = None if self.count else "nothing was compared"
        check("%s (%d)" % (self.name, self.count), "\n".join(self[:20]) or nothing)


# ----------------------------------------------------------------------- facts

def read_facts(env):
    """{file: [(path, what, value)]}, with the rows that "like" stands for.

    Without the files of joblib before 0.10 whose arrays are in files of their own.
    """
    facts = {}
    with open(os.path.join(FIXTURES, env, "facts.tsv"), encoding="utf-8", newline="") as lines:
        for file, path, what, value in list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]:
            facts.setdefault(file, []).append((path, what, value))
    for rows in facts.values():
        if rows[0][1] == "like":
            rows[:] = facts[rows[0][2]]
    return {file: rows for file, rows in facts.items()
            if not glob.glob(glob.escape(os.path.join(FIXTURES, env, file)) + "_01.npy*")}


STEP = re.compile(r"""\[('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\]|\[([-0-9,]+)\]|\.?([^.\[]+)""")


def steps_of(path):
    for text, number, name in STEP.findall(path):
        yield ("key", ast.literal_eval(text)) if text else \
            ("index", [int(n) for n in number.split(",")]) if number else ("name", name)


class Document:
    """What show --json says, with its shared values joined again."""

    def __init__(self, text):
        self.facts = json.loads(text)
        self.nodes = {}
        self.collect(self.facts["root"])

    def collect(self, root):
        work = [root]
        while work:
            node = work.pop()
            if isinstance(node, list):
                work += node
            elif isinstance(node, dict):
                if "id" in node:
                    self.nodes[node["id"]] = node
                work += node.values()

    def at(self, node):
        return self.nodes[node["ref"]] if node and "ref" in node else node

    def members(self, node, *names):
        """The lists of a kind: "items", "items_3", ..."""
        return [x for name, part in node.items() if name.split("_")[0] in names
                and isinstance(part, list) for x in part]

    def attribute(self, node, name):
        found = None
        for part, members in node.items():
            if re.match(r"(attributes|slots)(_\d+)?$", part) and name in members:
                found = members[name]
            if re.match(r"state(_\d+)?$", part):
                state = self.at(members)
                for dict_ in [state] + (state.get("items", []) if state["kind"] == "tuple" else []):
                    found = self.entry(self.at(dict_), name) or found
        return found

    def entry(self, node, key):
        if node["kind"] not in ("dict", "object"):
            return None
        pairs = self.members(node, "items" if node["kind"] == "dict" else "entries")
        for k, value in reversed(pairs):
            k = self.at(k)
            if k["kind"] in ("str", "int") and k.get("value") == key:
                return value
        return None

    def element(self, node, index):
        if node["kind"] == "array":
            shape, flat = node["shape"], 0
            for n, size in zip(index, shape):
                flat = flat * size + n
            return node["items"][flat]
        if node["kind"] != "dict":
            items = self.members(node, "items")
            if -len(items) <= index[0] < len(items):
                return items[index[0]]
        return self.entry(node, index[0])

    def find(self, path):
        node = self.facts["root"]
        for kind, step in steps_of(path):
            node = self.at(node)
            if kind == "index":
                node = self.element(node, step)
            else:
                node = (kind == "name" and self.attribute(node, step)) or self.entry(node, step)
            if node is None:
                return None
        return self.at(node)

    def value(self, node):
        """The Python value of plain data."""
        node = self.at(node)
        kind = node["kind"]
        if kind == "float":
            return float(node["value"])
        if "value" in node or kind == "none":
            return node.get("value")
        if kind in ("bytes", "bytearray"):
            return {"bytes": bytes, "bytearray": bytearray}[kind](base64.b64decode(node["base64"]))
        if kind == "dict":
            return {self.value(k): self.value(v) for k, v in node["items"]}
        if kind in ("list", "tuple", "set", "frozenset"):
            make = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}[kind]
            return make(self.value(item) for item in node.get("items", []))
        if node.get("class") == "builtins.bytearray":
            args = [self.value(a) for a in self.at(node["args"])["items"]] if "args" in node else []
            return bytearray(*args)
        raise ValueError("no plain value: %.100r" % node)


def order_of(words):
    dtype, shape, order, _ = words.split(" ")
    return dtype, json.loads(shape.replace("(", "[").replace(",)", "]").replace(")", "]")), order


def same_dtype(fact, shown):
    """numpy describes some dtypes in a way that does not lead back to them."""
    shown = shown.replace(" ", "")
    return fact if shown.startswith("{") or fact.startswith("StringDType") else shown


def check_fact(doc, path, what, value, compare):
    node = doc.find(path)
    if node is None:
        compare("path", "something", None)
    elif what == "repr":
        compare("repr", value, repr(doc.value(node)))
    elif what == "sorted":
        compare("sorted", value, repr(sorted(doc.value(node))))
    elif what == "class":
        compare("class", value, node["class"])
    elif what == "global":
        compare("global", value, node["name"])
    elif what == "len" and node["kind"] in ("list", "tuple", "dict", "set", "frozenset", "bytes"):
        compare("len", int(value), node["len"])
    elif what == "len" and node["kind"] == "str":
        compare("len", int(value), len(node["value"]))
    elif what == "array":
        dtype, shape, order = order_of(value)
        compare("dtype", same_dtype(dtype, node["dtype"]), dtype)
        compare("shape", shape, node["shape"])
        compare("order", order == "F", node["order"] == "F")
    elif what in ("scalar", "dtype"):
        dtype = value.split(" ")[0]
        compare("dtype", same_dtype(dtype, node["dtype"]), dtype)
    elif what == "same" and "id" in node:
        compare("same", node["id"], doc.find(value).get("id"))
    elif what == "persid":
        compare("persid", value, repr(doc.value(node["of"])))
    elif what == "ext":
        compare("ext", int(value), doc.value(node["of"]))
    elif what == "end":
        compare("end", int(value), doc.facts["bytes"])


def test_show_json(env, facts):
    """Every fixture has JSON that is valid and says what the facts say."""
    wrong = Complaints("show --json: " + env)
    for file, rows in sorted(facts.items()):
        code, out, err = run("show", "--json", os.path.join(FIXTURES, env, file))
        wrong.compare(file + ": exit", (0, ""), (code, err))
        if code == 0:
            doc = Document(out)
            for path, what, value in rows:
                check_fact(doc, path, what, value,
                           lambda w, want, got: wrong.compare("%s: %s: %s" % (file, path, w), want, got))
    wrong.report()


# ------------------------------------------------------------------------- get

def plain(value):
    """A Python value as `get` shows it in JSON."""
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(x) for x in value]
    if isinstance(value, dict):
        return {k if isinstance(k, str) else json.dumps(k): plain(x) for k, x in value.items()}
    if isinstance(value, (bytes, bytearray)):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return repr(value)
    return value


def has_plain_json(value):
    """Keys that JSON may have, and no bytearray, which is a call in protocols 0 to 2."""
    if isinstance(value, dict):
        return all(isinstance(k, (str, int, float, type(None))) for k in value) \
            and all(map(has_plain_json, value.values()))
    if isinstance(value, bytearray):
        return False
    return not isinstance(value, (list, tuple)) or all(map(has_plain_json, value))


def evaluate(text):
    """repr() of plain data, read back; nan and inf are names there."""
    return eval(text, {"__builtins__": {}, "nan": float("nan"), "inf": float("inf"),
                       "set": set, "frozenset": frozenset, "bytearray": bytearray})


def text_of(value):
    if isinstance(value, str):
        return re.sub("[\ud800-\udfff]", lambda m: "\\u%04x" % ord(m.group()), value)
    return repr(value)


def some(rows):
    """A few of many, evenly."""
    rows = list(rows)
    return rows[::max(1, len(rows) // MOST_RUNS)]


def own_rows(facts, what):
    seen = set()
    for file, rows in sorted(facts.items()):
        if id(rows) not in seen:
            seen.add(id(rows))
            yield from ((file, path, value) for path, w, value in rows if w == what)


def test_get_values(env, facts):
    wrong = Complaints("get: values of " + env)
    for file, path, fact in some(own_rows(facts, "repr")):
        value = evaluate(fact)
        code, out, err = run("get", os.path.join(FIXTURES, env, file), path)
        if isinstance(value, (list, tuple, dict, set, frozenset)):
            if has_plain_json(value):
                got = json.loads(out) if code == 0 else err
                wrong.compare("%s %s" % (file, path), plain(value), got)
        else:
            wrong.compare("%s %s" % (file, path), text_of(value) + "\n", out.decode() + err)
    wrong.report()


def test_dates(env, facts):
    rows = [row for row in own_rows(facts, "shown")
            if re.match(r"datetime\.(datetime|date|time)\(", row[2]) and "tzinfo" not in row[2]]
    if rows:
        wrong = Complaints("show: dates of " + env)
        for file, path, fact in rows:
            if re.search(r"\.p[0-3]\.", file):
                fact = fact.replace(", fold=1", "")     # Python pickles it from protocol 4 on
            wrong.compare("%s %s" % (file, path), (0, "%s: %s\n" % (path, fact)),
                          run("show", os.path.join(FIXTURES, env, file), path, text=True)[:2])
        wrong.report()


def read_npy(data):
    """(descr, fortran, shape, elements in C order), by the format's description."""
    assert data[:6] == b"\x93NUMPY"
    wide = data[6] > 1
    length, = struct.unpack("<I" if wide else "<H", data[8:12 if wide else 10])
    start = (12 if wide else 10) + length
    assert start % 64 == 0 and data[start - 1:start] == b"\n"
    header = ast.literal_eval(data[12 if wide else 10:start].decode("utf-8" if data[6] == 3 else "latin1"))
    assert set(header) == {"descr", "fortran_order", "shape"}
    elements, shape = data[start:], header["shape"]
    if header["fortran_order"]:
        elements = to_c_order(elements, shape)
    return header["descr"], header["fortran_order"], shape, elements


def to_c_order(data, shape):
    count = 1
    for n in shape:
        count *= n
    size = len(data) // count if count else 0
    out = []
    for i in range(count):
        at, step, index = 0, count, i
        strides = [1]
        for n in shape[:-1]:
            strides.append(strides[-1] * n)
        for n, stride in zip(reversed(shape), reversed(strides)):
            index, k = divmod(index, n)
            at += k * stride
        out.append(data[at * size:(at + 1) * size])
    return b"".join(out)


def test_get_npy(env, facts, folder):
    wrong = Complaints("get -o .npy: arrays of " + env)
    target = os.path.join(folder, "out.npy")
    for file, path, fact in some(own_rows(facts, "array")):
        dtype, shape, order, digest = fact.split(" ")
        code, _, err = run("get", os.path.join(FIXTURES, env, file), path, "-o", target)
        name = "%s %s" % (file, path)
        if file.startswith("numpy/buffers"):
            continue
        if digest == "-" or dtype.startswith("{") or "its fields overlap" in err:
            wrong.compare(name + ": exit", 1, code)
            continue
        wrong.compare(name + ": exit", (0, ""), (code, err))
        with open(target, "rb") as lines:
            descr, fortran, got_shape, elements = read_npy(lines.read())
        descr = descr if isinstance(descr, str) else repr(descr)
        wrong.compare(name, fact.split(" "),
                      [descr.replace(" ", ""), repr(got_shape).replace(" ", ""),
                       "F" if fortran else "C", hashlib.sha256(elements).hexdigest()[:32]])
    wrong.report()


# ------------------------------------------------------------- made on the spot

class Files:
    """Pickles for single tests."""

    def __init__(self, folder):
        self.folder = folder

    def path(self, name):
        return os.path.join(self.folder, name)

    def raw(self, name, data):
        with open(self.path(name), "wb") as out:
            out.write(data)
        return self.path(name)

    def dump(self, name, *values, protocol=4):
        return self.raw(name, b"".join(pickle.dumps(v, protocol) for v in values))


def tree_of(path, *args):
    """The lines of the tree that `show` prints, without the header."""
    code, out, err = run("show", path, *args, text=True)
    return out.split("\n\n", 1)[1].splitlines() if code == 0 and "\n\n" in out else [out + err]


def test_trees(files):
    path = files.dump("tree.pkl", {"a": [1, 2.5, None], 3: {"deep": [[{"x": (1,)}]]}, "t": "text"})
    expect("a tree", [
        "dict of 3 items",
        "├─ ['a']: [1, 2.5, None]",
        "├─ [3]: dict of 1 list",
        "│  └─ ['deep']: list of 1 list",
        "│     └─ [0]: list of 1 dict",
        "│        └─ [0]: {'x': (1,)}",
        "└─ ['t']: 'text'"], tree_of(path))
    expect("--depth", ["dict of 3 items", "├─ ['a']: [1, 2.5, None]",
                       "├─ [3]: dict of 1 list  {'deep': [[{'x': …}]]}", "└─ ['t']: 'text'"],
           tree_of(path, "--depth", "1"))
    expect("--items", ["dict of 3 items", "├─ ['a']: [1, 2.5, None]", "└─ … 2 more"],
           tree_of(path, "--items=1"))
    code, out, _ = run("show", path, "[3]", "-d", "1", text=True)
    expect("a path", (0, "[3]: dict of 1 list\n└─ ['deep']: list of 1 list  [[{'x': (1,)}]]\n"), (code, out))
    code, out, _ = run("show", path, env={"LC_ALL": "C"}, text=True)
    expect("without UTF-8", True, out.isascii() and "|  `- ['deep']" in out)


def test_sharing(files):
    shared, cycle = [1], []
    cycle.append(cycle)
    path = files.dump("shared.pkl", [shared, shared, cycle, (), ()])
    expect("shared values and cycles", [
        "list of 5 items", "├─ [0]: &1 [1]", "├─ [1]: *1 [1]", "├─ [2]: &2 list of 1 list",
        "│  └─ [0]: *2 list of 1 list", "├─ [3]: ()", "└─ [4]: ()"], tree_of(path))
    root = json.loads(run("show", "--json", path)[1])["root"]
    expect("shared values in JSON", ["id", "ref"],
           [next(k for k in ("id", "ref") if k in item) for item in root["items"][:2]])
    code, out, err = run("get", path, text=True)
    expect("get refuses a cycle", (1, ""), (code, out))
    expect("... and says so", True, err.startswith("pickle: %s: it contains itself" % path))
    many = []
    for _ in range(64):
        many = [many, many]
    path = files.dump("many.pkl", many)
    expect("a value that is endless in JSON", 1, run("get", path, "--limit", "10000")[0])
    expect("... has a tree", True, len(tree_of(path)) < 200)
    expect("... and JSON with references", True, len(run("show", "--json", path)[1]) < 20000)


def test_depth(files):
    n = 1000000
    path = files.raw("deep.pkl", b"\x80\x04" + b"]" * n + b"a" * (n - 1) + b".")
    expect("a million levels: show", 0, run("show", path)[0])
    expect("a million levels: show --depth", 0, run("show", "--depth=1000000", path)[0])
    code, out, _ = run("show", "--json", path)
    expect("a million levels: show --json", (0, n), (code, out.count(b'"kind"')))
    expect("a million levels: get", (0, b"[" * n + b"]" * n + b"\n"), run("get", path)[:2])


HOSTILE = "a\x1b[31m\x07\r\nb\x9b\u202ec\u200bd\ud800"


def has_controls(data):
    text = data.decode("utf-8")
    return sorted(set(re.findall("[\0-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ud800-\udfff]", text)))


def test_escapes(files):
    class_name = b"\x8c\x06m\x1b[1mx" + b"\x8c\x05K\xe2\x80\xae." + b"\x93)\x81}\x8c\x03a\x1b.K\x01sb"
    path = files.raw("escapes.pkl", b"\x80\x04](" + class_name + pickle.dumps(HOSTILE, 4)[11:-1]
                     .replace(b"\x94", b"") + b"e.")
    for args in ["show"], ["show", "--json"], ["show", "--color=never"]:
        code, out, _ = run(*args, path)
        expect("%s escapes" % " ".join(args), (0, []), (code, has_controls(out)))
    expect("JSON gives the text back", HOSTILE,
           json.loads(run("show", "--json", path)[1])["root"]["items"][1]["value"])
    code, out, err = run("get", path, "[0].\x1b[31m")
    expect("complaints escape paths", (1, []), (code, has_controls(err.encode())))
    text = files.dump("text.pkl", HOSTILE)
    expect("get gives programs the text", HOSTILE.replace("\ud800", "\\ud800") + "\n",
           run("get", text)[1].decode())
    expect("get --raw gives bytes", HOSTILE.encode("utf-8", "surrogatepass"), run("get", "--raw", text)[1])
    expect("no color in a pipe", False, b"\x1b" in run("show", text)[1])
    expect("--color=always", True, b"\x1b[" in run("show", "--color=always", text)[1])


def on_terminal(*args, **env):
    """What the command prints to a terminal."""
    import pty
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(COMMAND, [COMMAND, *args], dict(os.environ, LC_ALL="C.UTF-8", **env))
    out = b""
    while True:
        try:
            chunk = os.read(fd, 65536)
        except OSError:     # how Linux says that the other end is gone
            chunk = b""
        if not chunk:
            break
        out += chunk
    os.close(fd)
    os.waitpid(pid, 0)
    return out


def test_terminal(files):
    text = files.dump("text.pkl", HOSTILE)
    expect("get escapes on a terminal", [], has_controls(on_terminal("get", text).replace(b"\r\n", b"\n")))
    expect("color on a terminal", True, b"\x1b[" in on_terminal("show", text, TERM="xterm"))
    expect("NO_COLOR", False, b"\x1b[" in on_terminal("show", text, TERM="xterm", NO_COLOR="1"))


def test_get_forms(files):
    path = files.dump("forms.pkl", {"i": 10**40, "f": 0.1, "n": None, "b": True, "y": b"\0a'",
                                    "d": {1: 2, 2.5: 3, True: 4, None: [float("nan"), float("-inf")]},
                                    "k": {(1, 2): 3}, "o": os.path.join, "t": (1, {2})})
    for step, want in [("i", "1" + "0" * 40), ("f", "0.1"), ("n", "None"), ("b", "True"),
                       ("y", repr(b"\0a'")), ("o", "posixpath.join"),
                       ("d", '{"1": 4, "2.5": 3, "null": ["nan", "-inf"]}'), ("t", "[1, [2]]")]:
        expect("get " + step, (0, want + "\n", ""), run("get", path, step, text=True))
    code, out, err = run("get", path, "k", text=True)
    expect("get of keys that JSON does not have", (1, ""), (code, out))
    expect("... says so", "pickle: %s: k: a dict in it has keys that JSON cannot have: "
           "try pickle show --json\n" % path, err)
    expect("get --json", (0, b'{"bytes": "AGEn"}\n', ""), run("get", "--json", path, "y"))
    expect("get --raw", (0, b"\0a'", ""), run("get", "--raw", path, "y"))
    target = files.path("text.out")
    expect("get -o", (0, b"", ""), run("get", path, "i", "-o", target))
    with open(target) as lines:
        expect("... writes the file", "1" + "0" * 40 + "\n", lines.read())
    expect("get -o .npy of no array", 1, run("get", path, "i", "-o", files.path("no.npy"))[0])
    expect("... leaves nothing behind", [], glob.glob(files.path("no.npy*")))


def test_arrays():
    few = os.path.join(FIXTURES, "py313", "numpy", "layouts.p4.pkl")
    doc = Document(run("show", "--json", few)[1])
    name = next(k["value"] for k, v in doc.facts["root"]["items"]
                if doc.at(v)["kind"] == "array" and len(doc.at(v)["shape"]) == 2
                and doc.at(v)["dtype"] in ("<f8", "<i8", "<i4") and 0 not in doc.at(v)["shape"])
    path = "[%r]" % name
    rows = json.loads(run("get", "--json", few, path)[1])
    text = [[float(x) for x in line.split(" ")] for line in run("get", few, path, text=True)[1].splitlines()]
    expect("an array as text", rows, text)
    expect("[i,j]", rows[1][1], float(run("get", few, path + "[1,1]")[1]))
    expect("[-1,0]", rows[-1][0], float(run("get", few, path + "[-1,0]")[1]))
    expect("a row", rows[1], [float(x) for x in run("get", few, path + "[1]", text=True)[1].split()])
    code, _, err = run("get", few, path + "[99,0]")
    expect("an index beyond the array", (1, True), (code, "there is no [99,0] in " in err))


def test_paths_and_codes(files):
    path = files.dump("codes.pkl", {"steps": [("scale", {"mean": [1, 2]})]})
    expect("a path", (0, b"2\n", ""), run("get", path, "steps[0][1].mean[-1]"))
    for args, code, err in [
            ((path, "steps[5]"), 1, "%s: there is no [5] in steps, which is list of 1 tuple" % path),
            ((path, "nope.x"), 1, "%s: there is no nope.x: the root is dict of 1 list; it has 'steps'" % path),
            ((path, "--index", "4"), 1, "%s: there is no pickle number 4: it holds 1" % path),
            ((files.path("gone"),), 2, "%s: cannot open: No such file or directory" % files.path("gone")),
            ((files.raw("cut.pkl", b"\x80\x04]"),), 2,
             "%s: byte 3: the input ends before STOP" % files.path("cut.pkl")),
            ((path, "--max-memory=1k"), 2, "%s: byte 0: the graph needs more than --max-memory = 1024" % path),
            ((path, "-d", "many"), 2, "show: --depth cannot be \"many\" (see pickle show --help)"),
            ((path, "--frob"), 2, "show: no such option: --frob (see pickle show --help)"),
            ((path, "--depth"), 2, "show: an argument is missing behind --depth (see pickle show --help)"),
            ((path, "-qd1"), 2, "show: no such option: -q (see pickle show --help)"),
            ((), 2, "show: a FILE is missing (see pickle show --help)"),
            ((path, "a", "b"), 2,
             "show: too many operands: it takes FILE [PATH] (see pickle show --help)")]:
        expect("show %s" % " ".join(map(os.path.basename, args)), (code, b"", "pickle: %s\n" % err),
               run("show", *args))
    expect("no subcommand", (2, b"", "pickle: a subcommand is missing (see pickle --help)\n"), run())
    expect("no such subcommand", (2, b"", "pickle: no such subcommand: sho (see pickle --help)\n"), run("sho"))
    expect("help", [0] * 6, [run(*args, "--help")[0]
                             for args in ([], ["show"], ["get"], ["dis"], ["convert"], ["predict"])])
    expect("version", True, bool(re.match(r"pickle \d+\.\d+\.\d+\ncodecs:", run("--version", text=True)[1])))


def project_file(*path):
    with open(os.path.join(os.path.dirname(FIXTURES.rstrip("/")), *path), encoding="utf-8") as lines:
        return lines.read()


def test_documents():
    options = {(sub, option) for sub in ("show", "get", "dis", "convert", "predict")
               for option in re.findall(r"--([a-z-]+)", run(sub, "--help", text=True)[1])
               if option != sub} - {("show", "json and")}
    for path, form in [("man/pickle.1", r"(?:Fl|,) \\-%s\b"), ("completions/pickle.bash", "--%s"),
                       ("completions/_pickle", "--%s"), ("completions/pickle.fish", "-l %s")]:
        text = project_file("tools", *path.split("/"))
        expect("options in " + path, [],
               sorted((s, o) for s, o in options if not re.search(form % re.escape(o), text)))
    root = os.path.dirname(FIXTURES.rstrip("/"))
    manuals = "".join(map(project_file, glob.glob(os.path.join(root, "tools", "man", "*.3"))))
    for header in sorted(glob.glob(os.path.join(root, "include", "pickle", "*.h"))):
        names = re.findall(r"^PICKLE_API\b[^;(]*?(\w+)\(", project_file(header), re.MULTILINE)
        if names:
            expect("functions of pickle/%s in the manuals" % os.path.basename(header), [],
                   [name for name in names if ".Fo %s\n" % name not in manuals])
    lint = shutil.which("mandoc")
    if not lint:
        tap.skip("mandoc -Tlint", "no mandoc")
        return
    done = subprocess.run([lint, "-T", "lint", "-W", "warning",
                           *sorted(glob.glob(os.path.join(root, "tools", "man", "*")))], capture_output=True)
    expect("mandoc -Tlint", "", done.stdout.decode())


def test_streams(files):
    path = files.dump("several.pkl", 1, [2], "three")
    with open(path, "rb") as lines:
        data = lines.read()
    expect("--index", (0, b"three\n", ""), run("get", path, "-i", "2"))
    expect("standard input", (0, b"[2]\n", ""), run("get", "-", "--index=1", stdin=data))
    expect("how many pickles", (3, 1, 0), tuple(json.loads(run("show", "-j", "-i1", path)[1])[k]
                                                for k in ("pickles", "index", "trailing")))
    junk = files.raw("junk.pkl", data + b"\xffjunk")
    expect("what follows them", 5, json.loads(run("show", "--json", junk)[1])["trailing"])
    big = files.dump("big.pkl", ["x" * 100] * 100000)
    done = subprocess.run(["sh", "-c", '"$1" get "$2" | head -c 10; exit 0', "sh", COMMAND, big],
                          capture_output=True)
    expect("a closed pipe", (b'["xxxxxxxx', b""), (done.stdout, done.stderr))
    if os.path.exists("/dev/full"):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([COMMAND, "show", path], stdout=full, stderr=subprocess.PIPE)
        expect("a full disk", (2, b"pickle: standard output: cannot write: No space left on device\n"),
               (done.returncode, done.stderr))


# ---------------------------------------------------------------------- convert

def content(path):
    with open(path, "rb") as data:
        return data.read()


VALUE = {"text": ["two", 2.5, None, (True, b"bytes")], 3: {"deep": [{"inner": (10 ** 30,)}]}}


def convert(files, source, target, *options):
    """The bytes of the target, or what the command said."""
    code, out, err = run("convert", source, files.path(target), *options)
    return content(files.path(target)) if (code, out, err) == (0, b"", "") else (code, out, err)


def test_convert(files):
    path = files.dump("in.pkl", VALUE)
    data = content(path)
    expect("a copy", data, convert(files, path, "copy.pkl"))
    expect("onto itself", data, convert(files, path, "in.pkl"))
    expect("to standard output", (0, data, ""), run("convert", path, "-"))
    expect("from standard input", ((0, b"", ""), data),
           (run("convert", "-", files.path("stdin.pkl"), stdin=data), content(files.path("stdin.pkl"))))
    for protocol in range(6):
        expect("--protocol %d" % protocol, pickle.dumps(pickle.loads(data), protocol),
               convert(files, path, "p.pkl", "--protocol", str(protocol)))
    expect("a joblib file without arrays", pickle._dumps(pickle.loads(data), 4),
           convert(files, path, "in.joblib"))
    several = files.dump("series.pkl", *range(20), VALUE, "end")
    expect("several pickles", content(several), convert(files, several, "series2.pkl"))
    expect("several, another protocol", b"".join(pickle.dumps(v, 2) for v in [*range(20), VALUE, "end"]),
           convert(files, several, "series2.pkl", "-p2"))
    expect("--first", pickle.dumps(0, 4), convert(files, several, "first.pkl", "--first"))
    expect("--index", pickle.dumps("end", 4), convert(files, several, "last.pkl", "--index=21"))


def test_convert_compressed(files):
    def inflated(got):
        try:
            return inflate(got) if isinstance(got, bytes) else got
        except (EOFError, OSError, lzma.LZMAError, zlib.error) as failure:
            return failure

    path = files.dump("in.pkl", VALUE)
    data = content(path)
    codecs = run("--version", text=True)[1].split("codecs:")[1].split()
    for name, ending, option, inflate in [("zlib", ".z", "zlib:9", zlib.decompress),
                                          ("zlib", ".gz", "gzip:1", gzip.decompress),
                                          ("bz2", ".bz2", "bz2", bz2.decompress),
                                          ("xz", ".xz", "xz:0", lzma.decompress),
                                          ("lzma", ".lzma", "lzma", lzma.decompress)]:
        if name not in codecs:
            tap.skip("convert to " + ending, "no " + name)
            continue
        target = "in.pkl" + ending
        expect("to " + ending, data, inflated(convert(files, path, target)))
        expect("from " + ending, data, convert(files, files.path(target), "out.pkl"))
        expect("--compress " + option, data, inflated(convert(files, path, "named.pkl", "--compress", option)))
        kept = content(files.path("named.pkl"))
        expect("kept as " + option, data, inflated(convert(files, files.path("named.pkl"), "kept.pkl", "-p4")))
        expect("--compress none", data, convert(files, files.path("named.pkl"), "none.pkl", "-c", "none"))
        expect("an ending goes before what is kept", data,
               inflated(convert(files, files.path("named.pkl"), "other.pkl" + ending)))
        expect("an option goes before an ending", data, convert(files, path, target, "-cnone"))
        expect("named.pkl is as it was", kept, content(files.path("named.pkl")))
    if "zlib" in codecs:
        for level in range(1, 10):
            made = files.raw("level.pkl", zlib.compress(data * 50, level))
            expect("a copy of zlib, level %d" % level, content(made), convert(files, made, "copy.pkl"))


def test_convert_files(files):
    folder = files.path("convert")
    os.mkdir(folder)
    path = files.dump("in.pkl", VALUE)
    target = files.raw("convert/target.pkl", b"old")
    os.chmod(target, 0o640)
    os.symlink("target.pkl", os.path.join(folder, "link.pkl"))
    expect("permissions are kept", (content(path), 0o640),
           (convert(files, path, "convert/link.pkl"), os.stat(target).st_mode & 0o7777))
    expect("a link stays", "target.pkl", os.readlink(os.path.join(folder, "link.pkl")))
    junk = files.raw("junk.pkl", content(path) + b"\xffjunk")
    expect("what follows and is no pickle",
           (2, b"", "pickle: %s: byte %d: what follows is no pickle (byte 0xff is no opcode); "
                    "--first converts the first pickle alone\n" % (junk, len(content(path)))),
           convert(files, junk, "convert/new.pkl"))
    expect("the first before that", content(path), convert(files, junk, "first.pkl", "--first"))
    cut = files.raw("cut.pkl", b"\x80\x04]")
    expect("unreadable", (2, b"", "pickle: %s: byte 3: the input ends before STOP\n" % cut),
           convert(files, cut, "convert/link.pkl"))
    expect("a failure leaves what was there", (["link.pkl", "target.pkl"], content(path)),
           (sorted(os.listdir(folder)), content(target)))
    text = files.raw("odd.pkl", b"\x80\x02J\x01\0\0\0.")     # no pickler takes four bytes for that
    code, out, err = run("convert", text, files.path("odd2.pkl"))
    expect("a copy that is none", (0, b"", True),
           (code, out, bool(re.match("pickle: .*odd2.pkl: not identical to .*odd.pkl: byte \\d+ is the first "
                                     "that differs\n$", err))))
    expect("its value", 1, pickle.loads(content(files.path("odd2.pkl"))))
    if os.path.exists("/dev/full"):
        expect("a full disk", (2, b"", "pickle: /dev/full: cannot write: No space left on device\n"),
               run("convert", path, "/dev/full"))
    expect("no pickles on a terminal", b"pickle: convert: pickles are not written to a terminal\r\n",
           on_terminal("convert", path, "-"))
    done = subprocess.run(["sh", "-c", '"$1" convert "$2" - | :; exit 0', "sh", COMMAND,
                           files.dump("long.pkl", ["x" * 100] * 100000)], capture_output=True)
    expect("a closed pipe", (b"", b""), (done.stdout, done.stderr))


def test_convert_refusals(files):
    path, out = files.dump("in.pkl", VALUE), files.path("refused.pkl")
    for args, err in [
            ((path,), "convert: an operand is missing (see pickle convert --help)"),
            ((path, out, "-p6"), 'convert: --protocol cannot be "6"; there is: 0, 1, 2, 3, 4, 5'),
            ((path, out, "--to", "json"), 'convert: --to cannot be "json"; there is: pkl, joblib'),
            ((path, out, "--numpy=3"), 'convert: --numpy cannot be "3"; there is: 1, 2'),
            ((path, out, "--joblib=11"), 'convert: --joblib cannot be "11"; there is: 10, 12, 15'),
            ((path, out, "--joblib=10"), "convert: --joblib is for joblib files: it needs --to=joblib"),
            ((path, out, "--flavor=C"),
             'convert: --flavor cannot be "C"; there is: c, python, c36, python36, py2, cpickle2'),
            ((path, out, "-c", "zfile"),
             'convert: --compress cannot be "zfile"; there is: none, zlib, gzip, bz2, xz, lzma, lz4, zstd, '
             'with :LEVEL behind it'),
            ((path, out, "-cgzip:x"),
             'convert: --compress cannot be "gzip:x"; there is: none, zlib, gzip, bz2, xz, lzma, lz4, zstd, '
             'with :LEVEL behind it'),
            ((files.path("gone"), out), "%s: cannot open: No such file or directory" % files.path("gone")),
            ((path, files.path("gone/x.pkl")),
             "%s: cannot write: No such file or directory" % files.path("gone/x.pkl")),
            ((path, files.folder), "%s: cannot write: Is a directory" % files.folder)]:
        expect("convert %s" % " ".join(map(os.path.basename, args)), (2, b"", "pickle: %s\n" % err),
               run("convert", *args))
    for name in ("x.zip", "x.tar", "x.tar.gz", "x.npy", "x.npz", "x.safetensors", "x.json", "x.json.gz", "x.pt", "x.csv"):
        target, word = files.path(name), name.split(".")[1]
        expect("convert to %s" % name,
               ((2, b"", "pickle: %s: %s is not a format that is written; there is: pkl, joblib (see --to)\n" % (target, word)),
                False), (run("convert", path, target), os.path.exists(target)))
    for to in ("pkl", "joblib"):
        expect("convert to x.zip with --to", content(path), convert(files, path, "x.zip", "--to", to))
    expect("convert to a name in a folder of another", content(path), convert(files, path, "x.zip.d"))
    expect("a pickle that is not there", (1, b"", "pickle: %s: there is no pickle number 4: it holds 1\n" % path),
           run("convert", path, out, "--index=4"))
    expect("nothing was written", False, os.path.exists(out))


# ------------------------------------------------------------------ live Python

def pythons():
    return sorted(glob.glob(os.path.join(os.environ.get("PICKLE_VENVS", ""), "*", "bin", "python")))


def first_python(test):
    for python in pythons() + [sys.executable]:
        if subprocess.run([python, "-c", test], capture_output=True).returncode == 0:
            return python
    return None


def dis_samples():
    wanted = ["py313/plain/*.p[0245].pkl", "py27/plain/*.p2.pkl", "py313/numpy/simple.p*.pkl",
              "vectors/*/*trunc*", "py313/sklearn/iris_forest.pkl"]
    return sorted(p for pattern in wanted for p in glob.glob(os.path.join(FIXTURES, pattern)))


def test_dis(files):
    # Later ones show Python 2 strings in another way.
    python = first_python("import sys; assert (3, 8) <= sys.version_info < (3, 13, 1)")
    if not python:
        tap.skip("dis, compared with pickletools", "no Python 3.8 to 3.13.0")
        return
    wrong = Complaints("dis, compared with pickletools")
    samples = dis_samples()
    cases = [(["-l", "0"], samples[:5]), (["-m"], samples[:2]), (["-p", "<<{name}>>"], samples[3:6]),
             (["-l", "2", "-p", "{{}}"], samples[1:3])] + [([], [path]) for path in samples]
    for options, paths in cases:
        want = subprocess.run([python, "-X", "utf8", "-m", "pickletools", *options, *paths], capture_output=True)
        code, out, _ = run("dis", *options, *paths)
        wrong.compare("%s %s" % (options, paths), (want.returncode != 0, want.stdout),
                      (code == 2, out if code == 0 else out[:len(want.stdout)]))
    target = files.path("dis.txt")
    run("dis", samples[0], "-o", target)
    with open(target, "rb") as lines:
        wrong.compare("-o", run("dis", samples[0])[1], lines.read())
    with open(samples[0], "rb") as lines:
        wrong.compare("-", run("dis", samples[0])[1], run("dis", "-", stdin=lines.read())[1])
    wrong.report()


LOAD = """
import sys, numpy
for path in sys.argv[1:]:
    a = numpy.load(path)
    print(a.dtype.str if a.dtype.names is None else a.dtype.descr, a.shape, a.tobytes().hex())
"""


def test_numpy_load(facts, folder):
    python = first_python("import numpy")
    if not python:
        tap.skip("numpy.load of what get writes", "no numpy")
        return
    wanted, paths = [], []
    for file, path, fact in some(own_rows(facts, "array")):
        dtype, shape, _, digest = fact.split(" ")
        if digest != "-" and not dtype.startswith("{") and not dtype.endswith("f16") \
                and not file.startswith("numpy/buffers"):
            paths.append(os.path.join(folder, "%d.npy" % len(paths)))
            run("get", os.path.join(FIXTURES, "py313", file), path, "-o", paths[-1])
            wanted.append([dtype, shape, digest])
    done = subprocess.run([python, "-c", LOAD, *paths], capture_output=True, text=True)
    got = []
    for line in done.stdout.splitlines():
        text, data = line.rsplit(" ", 1) if not line.endswith(") ") else (line[:-1], "")
        dtype, shape = text[:text.rindex("(")], text[text.rindex("("):]
        got.append([dtype.replace(" ", ""), shape.replace(" ", ""),
                    hashlib.sha256(bytes.fromhex(data)).hexdigest()[:32]])
    wrong = Complaints("numpy.load of what get writes")
    for path, want, have in zip(paths, wanted, got + [done.stderr] * len(paths)):
        wrong.compare(path, want, have)
    wrong.report()


def main():
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(0)
    environments = sorted(os.path.basename(os.path.dirname(p))
                          for p in glob.glob(os.path.join(FIXTURES, "*", "facts.tsv")))
    with tempfile.TemporaryDirectory() as folder:
        files = Files(folder)
        for test in (test_trees, test_sharing, test_depth, test_escapes, test_terminal, test_get_forms,
                     test_paths_and_codes, test_streams, test_dis, test_convert, test_convert_compressed,
                     test_convert_files, test_convert_refusals):
            test(files)
        test_arrays()
        test_documents()
        for env in environments:
            facts = read_facts(env)
            test_show_json(env, facts)
            test_get_values(env, facts)
            test_dates(env, facts)
            test_get_npy(env, facts, folder)
            if env == "py313":
                test_numpy_load(facts, folder)
    tap.done()
    sys.exit(1 if failed else 0)


main()
