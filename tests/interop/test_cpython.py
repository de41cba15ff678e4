"""test_cpython.py - the strict reader next to CPython's C unpickler: what is accepted, and what it means.

Inputs are all that CPython's own tests unpickle, and those of a seeded generator: valid pickles, damaged
ones, random opcodes. The helper $PICKLE_OUTCOME says what the strict reader makes of them; live Python,
with a find_class that imports nothing and gives stand-ins, has to say the same, sharing and cycles included.

usage: test_cpython.py [--cases N] [--seed N]

Python is the newest in the folder $PICKLE_VENVS (<name>/bin/python), or the one that runs this. Before 3.13
only valid pickles are compared. Reports in TAP.
Run with "harvest" or "compare" by that Python itself.
"""

import argparse
import ast
import collections
import copyreg
import glob
import io
import os
import pickle
import pickletools
import random
import resource
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "api"))
import tap  # noqa: E402

SEED = 20260101
CASES = 120_000
EXACT = (3, 13)     # from this version on the C unpickler is what the strict reader follows
BATCH = 2000
MEMORY = 600 << 20  # for Python: a memo key takes it eight bytes for each key below

# Where the two differ and are right: (who refuses, what it says) -> why.
EXPLAINED = [
    ("python", "MemoryError", "the memo is a table up to the highest key there"),
    ("python", "argument list must be a tuple", "what a call gave may be a tuple"),
    ("python", "args argument must be a tuple, not Made", "what a call gave may be a tuple"),
    ("python", "args argument must be a tuple, not Global", "what has a name may be a tuple"),
    ("python", "class argument must be a type, not Made", "what a call gave may be a class"),
    ("python", "kwargs argument must be a dict, not Made", "what a call gave may be a dict"),
    ("python", "kwargs argument must be a dict, not Global", "what has a name may be a dict"),
    ("python", "keywords must be strings", "what keywords a class takes is for the class to say"),
    ("python", "a bytes-like object is required, not 'Made'", "what a call gave may be a buffer"),
    ("python", "a bytes-like object is required, not 'Global'", "what has a name may be a buffer"),
    ("python", "Existing exports of data: object cannot be re-sized", "a view of a bytearray is a copy here"),
]

# ------------------------------------------------------------------- stand-ins


class Change(list):
    """What was done to a stand-in by opcodes of one kind in a row."""

    def __init__(self, word, items=()):
        super().__init__(items)
        self.word = word


def note(changes, word, items):
    """Opcodes of one kind are one change, but for BUILD."""
    if word == "build" or not changes or changes[-1].word != word:
        changes.append(Change(word))
    changes[-1].extend(items)


class Recorder:
    """For classes and instances alike: what BUILD, APPENDS, SETITEMS and ADDITEMS look for."""

    def __setstate__(self, state):
        note(self.changes, "build", [state])

    def extend(self, items):
        note(self.changes, "append", items)

    def append(self, item):
        note(self.changes, "append", [item])

    def __setitem__(self, key, value):
        note(self.changes, "put", [(key, value)])

    def add(self, item):
        note(self.changes, "add", [item])


class Made(Recorder):
    """What a call would make."""

    def __init__(self, how, maker, args, kwargs):
        self.how, self.maker, self.args, self.kwargs, self.changes = how, maker, args, kwargs, []

    def __call__(self, *args):
        return Made("call", self, args, {})


class Global(Recorder, type):
    """A class or function by name."""

    def __call__(cls, *args):
        return Made("call", cls, args, {})

    def __eq__(cls, other):
        return isinstance(other, Global) and cls.names == other.names

    def __hash__(cls):
        return hash(cls.names)


def new_made(cls, *args, **kwargs):
    return Made("new", cls, args, kwargs)


class Memory:
    """A file that the unpickler has whole when it first looks, so that it reads as from bytes."""

    def __init__(self, data):
        self.data = data

    def peek(self, size):
        data, self.data = self.data, b""
        return data

    def read(self, size):
        return b""

    def readline(self):
        return b""


class Inert(pickle.Unpickler):
    """CPython's C unpickler, which finds only stand-ins."""

    def find_class(self, module, name):
        return type.__new__(Global, "stand_in", (), {"__new__": new_made, "names": (module, name), "changes": []})


# -------------------------------------------------------- values, written down


class Word(str):
    """A word among values."""


class Node:
    """A value read back from what the helper wrote."""

    def __init__(self, word, shared):
        self.word, self.shared, self.parts = word, shared, []


def utf8(text):
    return text.encode("utf-8", "surrogatepass")


def int_word(n):
    bits = (n if n >= 0 else ~n).bit_length()
    return "i" + n.to_bytes(bits // 8 + 1 if n else 0, "little", signed=True).hex()


def stop_at_nul(text):
    return utf8(text).split(b"\0")[0].hex()


TEXT = 3    # bytes; what is shorter is one object whatever the stream says

# What a value begins with, and can it be shared?
HEADS = {
    Node: lambda v: (v.word, v.shared),
    type(None): lambda v: ("None", False),
    bool: lambda v: ("true" if v else "false", False),
    int: lambda v: (int_word(v), False),
    float: lambda v: ("f" + struct.pack(">d", v).hex(), False),
    str: lambda v: ("s" + utf8(v).hex(), len(utf8(v)) >= TEXT),
    bytes: lambda v: ("b" + v.hex(), len(v) >= TEXT),
    bytearray: lambda v: ("B" + v.hex(), True),
    memoryview: lambda v: ("m" + v.hex(), True),
    tuple: lambda v: ("tuple/%d" % len(v), len(v) > 0),
    list: lambda v: ("list/%d" % len(v), True),
    dict: lambda v: ("dict/%d" % len(v), True),
    set: lambda v: ("set/%d" % len(v), True),
    frozenset: lambda v: ("frozenset/%d" % len(v), True),
    Made: lambda v: (v.how + "/0", True),
    Global: lambda v: ("g%s.%s" % tuple(map(stop_at_nul, v.names)), True),
}


def head(value):
    return HEADS[type(value)](value)


def as_key(item):
    """What cannot be a key equals nothing but itself."""
    try:
        hash(item)
    except TypeError:
        return id(item)
    return (item,)


def once(items):
    """Items without those that equal an earlier one."""
    first = {}
    for item in items:
        first.setdefault(as_key(item), item)
    return list(first.values())


def pairs(word, items):
    """The first of equal keys, with the last value."""
    last = {}
    for key, value in items:
        last[as_key(key)] = last.get(as_key(key), [key])[0], value
    return [Word("%s/%d" % (word, len(last)))] + [part for pair in last.values() for part in pair]


def counted(word, items):
    return [Word("%s/%d" % (word, len(items)))] + list(items)


def change_parts(changes):
    parts = []
    for change in changes:
        if change.word == "put":
            parts += pairs("put", change)
        else:
            parts += counted(change.word, once(change) if change.word == "add" else change)
    return parts + [Word("end/0")]


def is_set(value):
    return type(value) in (set, frozenset) or type(value) is Node and value.word.startswith(("set/", "frozenset/"))


def members(value):
    return value.parts if type(value) is Node else list(value)


def parts_of(value):
    """The words and values behind the first."""
    kind = type(value)
    if is_set(value):
        return sorted(members(value), key=shape)
    if kind is Node:
        return value.parts
    if kind in (list, tuple):
        return list(value)
    if kind is dict:
        return [part for pair in value.items() for part in pair]
    if kind is Made:
        return [value.maker] + counted("args", value.args) + pairs("kwargs", value.kwargs.items()) \
            + change_parts(value.changes)
    return change_parts(value.changes) if kind is Global else []


def shape(value, most=60):
    """To put members of sets in an order: how they begin, whatever they share."""
    words, todo = [], [value]
    while todo and len(words) < most:
        value = todo.pop()
        words.append(value if type(value) is Word else head(value)[0])
        if is_set(value):
            words += sorted(shape(member, most // 4) for member in members(value))
        elif type(value) is not Word:
            todo.extend(reversed(parts_of(value)))
    return " ".join(words)


def write_down(root):
    words, todo, seen = [], [root], {}
    while todo:
        value = todo.pop()
        if type(value) is Word:
            words.append(value)
            continue
        word, shared = head(value)
        if shared and id(value) in seen:
            words.append("*%d" % seen[id(value)])
            continue
        if shared:
            seen[id(value)] = len(seen)
        words.append(word)
        todo.extend(reversed(parts_of(value)))
    return " ".join(words)


# How many values follow for each that the word counts.
WIDTH = {"list": 1, "tuple": 1, "set": 1, "frozenset": 1, "dict": 2}


class Reader:
    """The helper's text back into a graph of nodes."""

    def __init__(self):
        self.shared, self.open = [], []     # open: [node, values that it still lacks], the innermost last

    def read(self, text):
        root = Node("root", False)
        self.open = [[root, 1]]
        for word in text.split(" "):
            self.take(word)
        return root.parts[0]

    def close_full(self):
        while self.open and self.open[-1][1] == 0:
            self.open.pop()

    def add(self, node, lacks=0):
        top = self.open[-1]
        top[0].parts.append(node)
        top[1] -= 1
        self.open.append([node, lacks])
        self.close_full()

    def take(self, word):
        name, slash, count = word.partition("/")
        if word[0] == "*":
            self.add(self.shared[int(word[1:])])
        elif slash and name not in WIDTH and name not in ("call", "new"):
            self.open[-1][0].parts.append(Word(word))
            if name == "end":
                self.open[-1][1] = 0
                self.close_full()
        else:
            self.begin(word, name, int(count or 0))

    def begin(self, word, name, count):
        if name in WIDTH:
            node, lacks = Node(word, word != "tuple/0"), WIDTH[name] * count
        elif name in ("call", "new") or word[0] == "g":
            node, lacks = Node(word, True), float("inf")    # up to "end"
        else:
            node, lacks = Node(word, word[0] in "Bm" or word[0] in "sb" and len(word) > 2 * TEXT), 0
        if node.shared:
            self.shared.append(node)
        self.add(node, lacks)


def same(ours, theirs, value):
    """Do the two texts say the same? Sets have no order: their members are put in one first."""
    if ours == theirs:
        return True
    if "set/" not in theirs:
        return False
    return write_down(Reader().read(ours)) == write_down(value)


# ------------------------------------------------------------------- generator


class Thing:
    """Written as whatever calls and changes are asked for."""

    def __init__(self, how, args, state, items, pairs):
        self.how, self.args, self.state, self.items, self.pairs = how, args, state, items, pairs

    def __reduce_ex__(self, protocol):
        how = self.how
        if how == 0:
            made = (Thing, self.args)
        elif how == 1:
            made = (copyreg.__newobj__, (Thing,) + self.args)
        else:
            made = (copyreg.__newobj_ex__, (Thing, self.args, {"key": self.state}))
        return made + (self.state, iter(self.items) if self.items else None,
                       iter(self.pairs) if self.pairs else None)


INTS = [0, 1, -1, 127, 128, 255, 256, 65535, 65536, 2**31 - 1, -2**31, 2**31, 2**60, 2**63, -2**63, 2**64, 10**40,
        2**2040]
FLOATS = [0.0, -0.0, 1.5, 1e308, 5e-324, float("inf"), float("-inf"), float("nan"), 0.1, 1e22, 1e-7]
TEXTS = ["", "a", "\xe9", "\u20ac", "\ud800", "\U0001f600", "text", "a\nb", "back\\slash", "\x00", "key" * 90]
BYTES = [b"", b"a", b"\xff", b"bytes", b"x" * 300]


def random_atom(rng):
    how = rng.randrange(7)
    if how == 0:
        return rng.choice([None, True, False])
    if how == 1:
        return rng.choice(INTS)
    if how == 2:
        return rng.choice(FLOATS)
    if how == 3:
        return rng.choice(BYTES)
    if how == 4:
        return rng.randrange(-1000, 1000) << rng.randrange(70)
    if how == 5:
        return struct.unpack("<d", rng.randbytes(8))[0]
    return rng.choice(TEXTS)


def random_key(rng, depth=0):
    how = rng.randrange(6)
    if depth < 2 and how == 0:
        return tuple(random_key(rng, depth + 1) for _ in range(rng.randrange(4)))
    if depth < 2 and how == 1:
        return frozenset(random_key(rng, depth + 1) for _ in range(rng.randrange(4)))
    return random_atom(rng)


def random_value(rng, made, depth=0):
    """A value; `made` holds those from before, to be used again and to close cycles."""
    if made and rng.random() < .15:
        return rng.choice(made)
    how = rng.randrange(12) if depth < 5 else 11
    size = rng.randrange(5) if rng.random() < .98 else rng.choice([999, 1000, 1001])
    small = depth + 1 if size < 10 else 9
    if how in (0, 1):
        value = []
        made.append(value)
        value.extend(random_value(rng, made, small) for _ in range(size))
    elif how in (2, 3):
        value = {}
        made.append(value)
        for _ in range(size):
            value[random_key(rng)] = random_value(rng, made, small)
    elif how == 4:
        value = tuple(random_value(rng, made, depth + 1) for _ in range(size % 7))
    elif how == 5:
        value = set(random_key(rng) for _ in range(size))
    elif how == 6:
        value = random_key(rng)
    elif how == 7:
        value = bytearray(rng.choice(BYTES))
    elif how == 8 and depth < 3:
        value = Thing(rng.randrange(3), tuple(random_value(rng, made, depth + 2) for _ in range(rng.randrange(3))),
                      random_value(rng, made, depth + 2), [random_atom(rng) for _ in range(rng.randrange(3))],
                      [(random_key(rng), random_atom(rng)) for _ in range(rng.randrange(3))])
    else:
        return random_atom(rng)
    made.append(value)
    return value


def valid(rng):
    dumps = rng.choice([pickle.dumps, pickle._dumps])
    data = dumps(random_value(rng, []), rng.randrange(6))
    if rng.random() < .1:
        data = pickletools.optimize(data)
    return data


def damaged(rng, pool):
    data = bytearray(rng.choice(pool))
    for _ in range(rng.choice([1, 1, 1, 2, 3, 5])):
        at = rng.randrange(len(data) + 1)
        to = min(len(data), at + rng.choice([1, 1, 2, 4, 10]))
        how = rng.randrange(7)
        if how == 0 and data:
            data[at % len(data)] = rng.randrange(256)
        elif how == 1 and data:
            data[at % len(data)] ^= 1 << rng.randrange(8)
        elif how == 2:
            del data[at:to]
        elif how == 3:
            data[at:at] = data[at:to]
        elif how == 4:
            other = rng.choice(pool)
            cut = rng.randrange(len(other) + 1)
            data[at:to] = other[cut:cut + rng.randrange(1, 20)]
        elif how == 5:
            data[at:at] = random_op(rng)
        elif data:
            data[at % len(data)] = rng.choice(OPCODES).code.encode("latin1")[0]
    return bytes(data)


OPCODES = [op for op in pickletools.opcodes if op.name not in ("STOP", "PROTO", "FRAME")]
NUMBERS = [b"0", b"1", b"00", b"01", b"-0", b"+1", b"-1", b" 7", b"7 ", b"\t1", b"0x1f", b"0X1F", b"0b11", b"0o17",
           b"017", b"08", b"1_000", b"_1", b"1__0", b"1L", b"1l", b"L", b"", b"12\x0034", b"9" * 30,
           b"-9223372036854775808",
           b"9223372036854775807", b"9223372036854775808", b"1.5", b"1e5", b".5", b"5.", b"1e", b"inf", b"-Infinity",
           b"nan", b"-nan", b"NAN", b"infin", b"1e400", b"1e-400", b" 1.5", b"1.5 ", b"0x1p3", b"1_0.5", b"\x0b2",
           b"2\r", b"0x", b"-", b"--1", b"1 2", b"0_1", b"0x_f", b"\xd9\xa1", b"\xa0" b"1", b"4.9e-324",
           b"2.4703282292062328e-324"]
LINES = [b"'a'", b'"b"', b"'it''s'", b"'\\x41\\n\\101'", b"'\\x4'", b"'\\'", b"'", b"''", b"a", b"'a\"", b"'a' ",
         b" 'a'", b"'\\\\'", b"'\xe9'", b"'\\400'", b"'\\q'", b"'\\xff'", b"'a\x00b'"]
UNICODES = [b"", b"a", b"\\u20ac", b"\\U0001f600", b"\\ud800", b"\\ud83d\\ude00", b"\\U00110000", b"\\u12", b"\\",
            b"\\\\u0041", b"\xe9", b"a\x00", b"\\x41", b"\\u005cu0041", b"\\\\\\u0041", b"\\N{DASH}"]
UTF8S = [b"", b"a", b"abc", b"\xc3\xa9", b"\xed\xa0\x80", b"\xed\xb0\x80", b"\xf0\x9f\x98\x80", b"\xc0\x80", b"\xff",
         b"\xe2\x82", b"\xf4\x90\x80\x80", b"a\x00b", b"encode", b"_codecs", b"\xed\xa0\xbd\xed\xb8\x80"]
ALPHABET = b"0123456789+-_.eExXLl nai\\u'\"\t\x00\r"


def line(rng, known):
    if rng.random() < .8:
        return rng.choice(known) + b"\n"
    return bytes(rng.choice(ALPHABET) for _ in range(rng.randrange(6))) + b"\n"


def some_number(rng, size):
    if rng.random() < .9:
        return rng.randrange(6).to_bytes(size, "little")
    return rng.randbytes(size)


def operand(rng, op):
    name = op.arg.name if op.arg else None
    if name is None:
        return b""
    if "nl" in name:
        if op.name in ("GET", "PUT"):
            return str(rng.randrange(6)).encode() + b"\n" if rng.random() < .8 else line(rng, NUMBERS)
        known = {"STRING": LINES, "UNICODE": UNICODES}.get(op.name, NUMBERS)
        if op.name in ("GLOBAL", "INST"):
            return line(rng, [b"m", b"_codecs", b"\xc3\xa9", b"a.b"]) + line(rng, [b"n", b"encode", b"x.y", b""])
        return line(rng, known)
    if name == "float8":
        return struct.pack(">d", rng.choice(FLOATS)) if rng.random() < .5 else rng.randbytes(8)
    if name in ("uint1", "uint2", "int4", "uint4", "uint8"):
        return some_number(rng, int(name[-1]))
    content = rng.choice(UTF8S) if "unicode" in name else rng.choice(BYTES[:4] + UTF8S) \
        if "long" not in name else rng.randbytes(rng.randrange(10))
    size = int(name[-1])
    if rng.random() < .03:
        return some_number(rng, size) + content
    return len(content).to_bytes(size, "little") + content


def random_op(rng, op=None):
    op = op or rng.choice(OPCODES)
    return op.code.encode("latin1") + operand(rng, op)


def by_name(*names):
    return [op for op in OPCODES if op.name in names]


ATOMS = [op for op in OPCODES if not op.stack_before and op.stack_after and "GET" not in op.name
         and "BUFFER" not in op.name and "EXT" not in op.name and op.name not in ("MARK", "PERSID")]
MAKERS = by_name("EMPTY_LIST", "EMPTY_DICT", "EMPTY_SET", "GLOBAL", "BYTEARRAY8", "EMPTY_TUPLE", "MARK")


def opcodes(rng):
    """Random opcodes that mostly have on the stack what they need."""
    out, height, marks = bytearray(), 0, []
    for _ in range(rng.randrange(1, 25)):
        floor = marks[-1] if marks else 0
        above = height - floor
        how = rng.random()
        if how < .04:
            op = rng.choice(OPCODES)
        elif how < .35 or not height:
            op = rng.choice(ATOMS)
        elif how < .55:
            op = rng.choice(MAKERS)
        elif how < .65:
            op = rng.choice(by_name("PUT", "BINPUT", "MEMOIZE", "LONG_BINPUT", "GET", "BINGET", "DUP", "BINGET", "POP"))
        elif marks and how < .85:
            op = rng.choice(by_name("APPENDS", "SETITEMS", "ADDITEMS", "TUPLE", "LIST", "DICT", "FROZENSET", "OBJ",
                                    "INST", "POP_MARK"))
        else:
            op = rng.choice(by_name("TUPLE1", "TUPLE2", "TUPLE3", "APPEND", "SETITEM", "REDUCE", "NEWOBJ", "NEWOBJ_EX",
                                    "BUILD", "STACK_GLOBAL", "READONLY_BUFFER"))
        out += random_op(rng, op)
        if op.name == "MARK":
            marks.append(height)
        elif pickletools.markobject in op.stack_before and marks:
            height = marks.pop() - (op.name in ("APPENDS", "SETITEMS", "ADDITEMS")) + len(op.stack_after)
        else:
            height += len(op.stack_after) - len(op.stack_before)
        height = max(height, marks[-1] if marks else 0)
        if height == 0 and above > 3:
            break
    return (b"\x80\x04" if rng.random() < .3 else b"") + bytes(out) + b"."


def fitting(rng):
    """Something that is changed, and what fits it more or less."""
    parts = [random_op(rng, rng.choice(ATOMS)) for _ in range(rng.randrange(4))]
    inner = b"(" + b"".join(parts) + rng.choice([b"t", b"l", b"d", b"\x91"])
    target = rng.choice([b"]", b"}", b"\x8f", b"cm\nn\n", b"cm\nn\n)R", b"cm\nn\n)\x81", b"(im\nn\n", b"(cm\nn\no",
                         b"cm\nn\n)}\x92", b"\x96\x02" + bytes(7) + b"ab", b")", b"N", inner])
    target += rng.choice([b"", b"\x94"])
    more = b"".join(random_op(rng, rng.choice(ATOMS)) for _ in range(rng.randrange(4)))
    change = rng.choice([b"(" + more + b"e", b"(" + more + b"u", b"(" + more + b"\x90", inner + b"a", inner + b"b",
                         parts[0] + inner + b"s" if parts else b"", b"NN\x86b", b"\x98", b"h\x00a", b"K\x00h\x00s"])
    return target + change + (rng.choice([change, inner + b"\x86", b"0h\x00"])) + b"."


def generate(rng, pool, exact):
    how = rng.randrange(8)
    if how < 2 or not exact:
        data = valid(rng)
        if len(pool) < 4000:
            pool.append(data)
        else:
            pool[rng.randrange(4000)] = data
        return "valid", data
    if how < 5:
        return "damaged", damaged(rng, pool)
    return ("opcodes", opcodes(rng)) if how < 7 else ("fitting", fitting(rng))


# ----------------------------------------------------------------- comparison


def limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))


def lift_limit():
    """The helper keeps its own limits, and sanitizers reserve terabytes."""
    resource.setrlimit(resource.RLIMIT_AS, resource.getrlimit(resource.RLIMIT_AS)[1:] * 2)


def ask_helper(helper, inputs):
    """A line for each input; that on which the helper died says so, and those behind are asked again."""
    lines = []
    while len(lines) < len(inputs):
        rest = b"".join(struct.pack("<I", len(data)) + data for data in inputs[len(lines):])
        run = subprocess.run([helper], input=rest, capture_output=True, preexec_fn=lift_limit)
        lines += run.stdout.decode().split("\n")[:-1]
        if len(lines) < len(inputs):
            lines.append("DIED %d %s" % (run.returncode, run.stderr.decode(errors="replace")[:2000]))
    return lines


# GLOBAL, INST, STACK_GLOBAL, EXT1, EXT2, EXT4: without these bytes nothing can be imported.
MAY_NAME = frozenset(b"ci\x93\x82\x83\x84")


def ask_python(data):
    """(value in a list, or None; what was said)"""
    try:
        if MAY_NAME.isdisjoint(data):
            return [pickle.loads(data)], ""
        return [Inert(Memory(data)).load()], ""
    except Exception as error:
        return None, "%s: %s" % (type(error).__name__, error)


def explained(who, words):
    for refuses, text, why in EXPLAINED:
        if refuses == who and text in words:
            return why
    return None


def compare(data, ours):
    """(accepted by both, what differs, why that is right)"""
    value, words = ask_python(data)
    if ours.startswith("DIED"):
        return False, ours, None
    if ours.startswith("ERR"):
        return False, value and "Python accepts, the reader: " + ours, explained("reader", ours)
    if not value:
        return False, "the reader accepts, Python: " + words, explained("python", words)
    theirs = write_down(value[0])
    if same(ours[3:], theirs, value[0]):
        return True, None, None
    start = len(os.path.commonprefix([theirs, ours[3:]]))
    start = max(0, start - 60)
    return True, "Python reads ...%s\nthe reader  ...%s" % (theirs[start:][:300], ours[3 + start:][:300]), None


def compare_all(helper, named, tell):
    """Compare (kind, input) pairs; tell of differences and give counts."""
    counts = collections.Counter()
    for (kind, data), ours in zip(named, ask_helper(helper, [data for _, data in named])):
        accepted, problem, why = compare(data, ours)
        counts[kind] += 1
        counts["accepted " + kind] += accepted
        if problem and why:
            counts["explained: " + why] += 1
        elif problem:
            counts["differences"] += 1
            tell(kind, data, problem)
    return counts


def compare_main(helper, harvested, cases, seed, share):
    """Prints what differs, then the counts."""
    limit_memory()
    with open(harvested, "rb") as file:
        pool = ast.literal_eval(file.read().decode())
    rng, shown = random.Random(seed), collections.Counter()
    exact = sys.version_info >= EXACT

    def tell(kind, data, problem):
        shown[kind] += 1
        if shown[kind] <= 40:
            print("# %s %r\n#  %s" % (kind, data[:600], problem.replace("\n", "\n#  ")))

    counts = compare_all(helper, [("own", data) for data in pool], tell) if exact and share == 0 else \
        collections.Counter()
    pool = [data for data in pool if 0 < len(data) < 2000] or [b"N."]
    for start in range(0, cases, BATCH):
        named = [generate(rng, pool, exact) for _ in range(min(BATCH, cases - start))]
        counts += compare_all(helper, named, tell)
    print(repr(dict(counts)))


# -------------------------------------------------------------------- harvest


def recording(unpickler, found):
    """A subclass that keeps what it is given to read."""
    class Recording(unpickler):
        def __init__(self, file, *args, **kwargs):
            if isinstance(file, io.BytesIO):
                found.add(file.getvalue()[file.tell():])
            super().__init__(file, *args, **kwargs)
    return Recording


def harvest(path):
    """Write what CPython's tests unpickle: the literals in them, and what they read when they run."""
    import unittest
    from test import pickletester, test_pickle
    found, loads = set(), pickle.loads
    with open(pickletester.__file__, encoding="utf-8") as source:
        for node in ast.walk(ast.parse(source.read())):
            if isinstance(node, ast.Constant) and isinstance(node.value, bytes):
                found.add(node.value)

    def recorded(data, **kwargs):
        found.add(bytes(data))
        return loads(data, **kwargs)

    pickle.loads, suite = recorded, unittest.TestSuite()
    for name, case in sorted(vars(test_pickle).items()):
        if not (isinstance(case, type) and issubclass(case, unittest.TestCase)):
            continue
        if name.startswith("C") or name.startswith("InMemory"):
            for place in ("unpickler", "unpickler_class"):
                if hasattr(case, place):
                    setattr(case, place, recording(getattr(case, place), found))
            suite.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(case))
    suite.run(unittest.TestResult())
    with open(path, "w") as out:
        out.write(repr(sorted(data for data in found if len(data) < 1 << 20)))


# ----------------------------------------------------------------------- main


def version_of(python):
    run = subprocess.run([python, "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, text=True)
    return tuple(map(int, run.stdout.split())) if run.returncode == 0 else (0, 0)


def find_python():
    pythons = glob.glob(os.path.join(os.environ.get("PICKLE_VENVS", ""), "*", "bin", "python"))
    version, python = max((version_of(p), p) for p in pythons + [sys.executable])
    return (version, python) if version >= (3, 9) else (version, None)


def run_all(python, helper, cases, seed):
    """The counts of all shares of the work, and what they said."""
    counts, said = collections.Counter(), []
    shares = min(os.cpu_count() or 1, 8)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "harvested")
        run = subprocess.run([python, __file__, "harvest", path], capture_output=True, text=True, cwd=folder)
        if run.returncode != 0:
            tap.skip("what CPython's tests unpickle", "this Python comes without its tests")
            with open(path, "w") as out:
                out.write("[]")
        running = [subprocess.Popen([python, __file__, "compare", helper, path, str(-(-cases // shares)), str(seed + i),
                                     str(i)], env=dict(os.environ, PYTHONHASHSEED="0"),
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for i in range(shares)]
        for process in running:
            out, complaints = process.communicate()
            lines = out.splitlines()
            if process.returncode == 0:
                counts += collections.Counter(ast.literal_eval(lines.pop()))
            else:
                counts["differences"] += 1
                lines += complaints.splitlines()
            said += lines
    return counts, said


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    helper = os.environ.get("PICKLE_OUTCOME")
    if not helper:
        sys.exit("PICKLE_OUTCOME does not name the helper")
    version, python = find_python()
    if not python:
        tap.skip("the strict reader next to CPython", "no Python from 3.9 on")
        tap.done()
        return
    counts, said = run_all(python, helper, options.cases, options.seed)
    print("# Python %d.%d" % version)
    for kind in ("own", "valid", "damaged", "opcodes", "fitting"):
        if counts[kind]:
            print("# %s: %d inputs, %d accepted" % (kind, counts[kind], counts["accepted " + kind]))
    for what, count in sorted(counts.items()):
        if what.startswith("explained"):
            print("# %s: %d" % (what, count))
    problem = "\n".join(line.lstrip("# ") for line in said) or "no details" if counts["differences"] else None
    tap.check("the strict reader does as CPython's C unpickler (%d differences)" % counts["differences"], problem)
    tap.done()
    sys.exit(1 if problem else 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["harvest"]:
        harvest(sys.argv[2])
    elif sys.argv[1:2] == ["compare"]:
        compare_main(sys.argv[2], sys.argv[3], *map(int, sys.argv[4:7]))
    else:
        main()
