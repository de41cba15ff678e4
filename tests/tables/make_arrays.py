#!/usr/bin/env python3
"""make_arrays.py - write the tables for lib/types: what numpy makes of dtypes and arrays.

    python3.13 tests/tables/make_arrays.py         (numpy 2.0 or later, on x86-64)

    casts.tsv       numbers of one type, as astype(casting="unsafe") makes them another
    items.tsv       a pickled element of each type, its dtype as text, and the element's repr
    layouts.tsv     pickled arrays: shape, order, elements in C order
    bad_arrays.tsv  pickles that contradict themselves, and what is wrong with them
    dtypes.tsv      dtypes with states of every version: as text, whether they hold objects

Tab-separated, columns named in the first line, bytes in hexadecimal, "-" where there are none.
"""
import datetime
import math
import pathlib
import pickle
import random
import warnings

import numpy as np

HERE = pathlib.Path(__file__).parent
warnings.simplefilter("ignore")
rng = random.Random(7)


def write(name, columns, rows):
    with open(HERE / name, "w", encoding="utf-8", newline="\n") as table:
        table.write("#" + "\t".join(columns) + "\n")
        for row in rows:
            assert not any("\t" in str(field) or "\n" in str(field) for field in row)
            table.write("\t".join(str(field) or "-" for field in row) + "\n")


def bytes_of(array):
    """Its bytes in C order; the padding of long doubles is whatever memory held, and made 0."""
    data = bytearray(array.tobytes())
    if array.dtype.char in "gG":
        for i in range(0, len(data), 16):
            data[i + 10:i + 16] = bytes(6)
    return data.hex()


# -------------------------------------------------------------------- casts

INTS = ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]
FLOATS = ["f2", "f4", "f8", "f16"]
NUMBERS = ["b1"] + INTS + FLOATS + ["c8", "c16", "c32"]


def integers(code):
    info = np.iinfo(code)
    values = {0, 1, 2, 7, 100, 127, 128, 255, 256, 2047, 2049, 65519, 65520, 2 ** 24 + 1, 2 ** 31,
              2 ** 53 + 1, 2 ** 63 - 1, 2 ** 63, 2 ** 64 - 1, -1, -2, -128, -2049, -2 ** 53 - 1,
              info.min, info.max, info.max - 1}
    values |= {rng.randrange(info.min, info.max) for _ in range(6)}
    return np.array(sorted(v for v in values if info.min <= v <= info.max), dtype=code)


def floats(code):
    texts = """0 -0 1 -1 0.5 -0.5 1.5 2.5 -2.5 0.1 1e-3 127.9 -128.9 255.5 2049 65504 65519.99 65520 1e5
        16777217 2147483647.5 -2147483648.5 4294967295.5 1e10 9.2e18 9223372036854775807 1.8e19 1e30 1e38
        3.5e38 1e300 1e310 6e-8 2.98e-8 2.99e-8 5.97e-8 1e-45 7e-46 7.1e-46 1e-300 5e-324 2.4e-324
        -9223372036854775808 18446744073709551615 1.00048828125 1.0004882812500000001 inf -inf nan
        1.00000005960464477539 1.0000000596046447754 1.00000000000000011102230246251565404
        1.0000000000000001110223024625156541 0.99999999999999994448884876874217298""".split()
    values = np.array([np.longdouble(t) for t in texts])
    more = [rng.uniform(-1, 1) * 10.0 ** rng.randrange(-12, 20) for _ in range(4)]
    return np.concatenate([values, np.array(more, np.longdouble)]).astype(code)


def samples(code):
    if code == "b1":
        return np.array([False, True])
    if code[0] in "iu":
        return integers(code)
    if code[0] == "f":
        return floats(code)
    part = floats({"c8": "f4", "c16": "f8", "c32": "f16"}[code])
    return (part + 1j * part[::-1]).astype(code)


def defined(values, code):
    """Of floats that become integers, those that fit: C leaves the others undefined."""
    real = values.real
    if code[0] not in "iu" or values.dtype.kind not in "fc":
        return values
    info = np.iinfo(code)
    fits = [bool(np.isfinite(x)) and info.min <= int(x) <= info.max for x in real]
    return values[fits]


def casts():
    for source in NUMBERS:
        for target in NUMBERS:
            values = defined(samples(source), target)
            yield source, target, bytes_of(values), bytes_of(values.astype(target))


# -------------------------------------------------------------------- items

def show_float(x):
    """As str(), whose limit for exponents has changed: always that of float.__repr__."""
    if not np.isfinite(x) or x == 0:
        return repr(float(x))
    if 1e-4 <= abs(x) < 1e16:
        return np.format_float_positional(x, unique=True, trim="0")
    return np.format_float_scientific(x, unique=True, trim="-", exp_digits=2)


def show_complex(x):
    real, imaginary = (t[:-2] if t.endswith(".0") else t
                       for t in (show_float(x.real), show_float(x.imag)))
    if real == "0":
        return imaginary + "j"
    return "(%s%s%sj)" % (real, "" if imaginary.startswith("-") else "+", imaginary)


def show(x):
    if isinstance(x, np.ndarray):
        return "[" + ", ".join(map(show, x)) + "]"
    if isinstance(x, np.void) and x.dtype.names is not None:
        parts = [show(x[name]) for name in x.dtype.names]
        return "(" + ", ".join(parts) + (",)" if len(parts) == 1 else ")")
    kind = x.dtype.kind
    if kind in "Mm":
        return str(x)
    if kind == "f":
        return show_float(x)
    if kind == "c":
        return show_complex(x)
    return repr(x.item())


def moments():
    values = [0, 1, -1, 59, 60, 3599, 3600, 86399, 86400, -86401, 951782400, 951868800, 10 ** 9,
              -2208988800, -62135596800, 253402300799, 253402300800, 11016, 11017, 146097, -719468]
    values += [rng.randrange(-10 ** 11, 10 ** 11) for _ in range(6)]
    for unit in ("Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as", "25s"):
        for value in values + [10 ** 18 + 5]:
            if unit in "YMWDhm" and abs(value) > 10 ** 7:
                continue
            moment = np.array([value], "i8").view("M8[%s]" % unit)[0]
            if unit != "25s" or abs(value) < 10 ** 17:
                yield moment
        yield np.datetime64("NaT", unit)
        yield np.timedelta64(rng.randrange(-50, 50), unit)
    yield np.timedelta64("NaT")
    yield np.timedelta64(5)


def texts():
    for text in ["", "a", "caf\xe9", "\u20ac", "\U0001f600", "it's", "\"'", "a\0b", "tab\t", "\x7f",
                 "\ud800", "\u200b"]:
        yield np.str_(text)
        yield np.array([text], ">U5")[0]
    for data in [b"", b"ab", b"a\0b", b"it's", b"\xff\n\\"]:
        yield np.bytes_(data)
        yield np.array([data], "V4")[0]


def records():
    specs = [
        [("a", "<i4")], [("a", "<i4"), ("b", ">f8")], [(("title", "name"), "u1"), ("b", "?")],
        [("m", "<i2", (2, 3)), ("v", "<f4", 2)], [("p", [("x", "<f4"), ("y", "<c8")]), ("n", "u1")],
        {"names": ["a", "b"], "formats": ["<i4", "<f8"], "offsets": [4, 16], "itemsize": 32},
        {"names": ["a", "b"], "formats": ["<i2", "<i4"], "offsets": [4, 0]},
        {"names": ["w", "l"], "formats": ["<i4", "<i2"], "offsets": [0, 0]},
        {"names": ["w", "l"], "formats": ["<i4", "<i2"], "offsets": [0, 0], "titles": ["W", None]},
        [("x", {"names": ["a", "b"], "formats": ["<i2", "<i4"], "offsets": [4, 0]}), ("y", "<u2")],
        [("s", "S3"), ("u", "<U2"), ("t", "<M8[D]"), ("d", "<m8[h]"), ("r", "V2")],
        [("e", []), ("f", "f2")], [("it's", "i1"), ("\u20ac", "i1")], [("deep", [("er", [("a", "i1")])])],
        [("s", [("a", "i1"), ("b", "i1", (2,))], (2, 2))], [("z", "i4", (0, 3))],
        [("x", ("i2", (1,)), (2,))]]
    for spec in specs:
        dtype = np.dtype(spec)
        array = np.zeros(1, dtype)
        if not any(c in str(dtype) for c in "UM"):
            array.view("u1")[:] = [(i * 37 + 1) % 60 for i in range(dtype.itemsize)]
        yield array[0]
    yield np.zeros(1, np.dtype([("a", "u1"), ("b", "<f8")], align=True))[0]
    yield np.zeros(1, np.dtype({"names": ["a", "b"], "formats": ["<i2", "<i4"], "offsets": [4, 0]},
                               align=True))[0]


def descr(dtype):
    try:
        return repr(dtype.descr) if dtype.names is not None else dtype.str
    except ValueError:
        return str(dtype)


def scalars():
    for code in NUMBERS:
        values = samples(code)
        for x in values if code[0] in "f" else values[::3]:
            yield np.array([x], "<" + code)
        yield np.array([values[-2]], ">" + code)
    for x in (1e16, 1.5e16, 123456789, 16777216, 9.999e-5, 1e-4, 0.3, 1e15, 1 / 3):
        for code in FLOATS:
            yield np.array([x], code)
    for x in [*moments(), *texts(), *records()]:
        yield np.array([x], x.dtype)
    yield np.array([3], ">M8[D]")


def items():
    for number, array in enumerate(scalars()):
        yield (pickle.dumps(array, number % 6).hex(), descr(array.dtype).encode().hex(),
               show(array[0]).encode("utf-8", "surrogatepass").hex())


# ------------------------------------------------------------------ layouts

def arrays():
    yield np.array(2.5)
    yield np.zeros((0, 3))
    yield np.arange(5, dtype=">i2")[::2]
    for code in ("u1", "<i2", ">f4", "<f8", "<c16", "S3", "<U2", "V5", "<f16"):
        base = np.zeros(24, code)
        if code == "<U2":
            base[:] = ["%d" % i for i in range(24)]
        elif code != "<f16":
            base.view("u1")[:] = np.arange(base.nbytes) % 251
        yield base.reshape(4, 6)
        yield base.reshape(4, 6, order="F")
        yield base.reshape(2, 3, 4).T
        for axes in [(1, 0, 2), (0, 2, 1), (1, 2, 0)]:
            yield base.reshape(2, 3, 4).transpose(axes)
        yield base.reshape(2, 1, 3, 4).transpose(2, 1, 0, 3)
    yield np.arange(1200, dtype="<i4").reshape(30, 40).T
    yield np.arange(1200, dtype="<i2").reshape(3, 20, 20).transpose(1, 0, 2)


def layouts():
    for number, array in enumerate(arrays()):
        for protocol in (number % 5, 5):
            data = pickle.dumps(array, protocol)
            flags = pickle.loads(data).flags
            order = "F" if flags.f_contiguous and not flags.c_contiguous else "C"
            yield (data.hex(), repr(array.shape).replace(" ", ""), order, bytes_of(array))


# --------------------------------------------------------------- bad arrays

class Call:
    """Pickled as a call of a function of numpy, and maybe a BUILD."""

    def __init__(self, function, args, state=None):
        self.parts = function, args, state

    def __reduce__(self):
        return self.parts


RECONSTRUCT, FROMBUFFER, SCALAR = (np.array(0).__reduce__()[0], np._core.numeric._frombuffer,
                                   np.float64(0).__reduce__()[0])


def array(*state):
    return Call(RECONSTRUCT, (np.ndarray, (0,), b"b"), state)


def dtype(code, *state):
    return Call(np.dtype, (code, False, True), state)


def bad_arrays():
    f8, i4 = np.dtype("<f8"), np.dtype("<i4")
    ints = np.dtype([("a", "<i4")])
    good = bytes(24)
    yield "good", "-", array(1, (3,), f8, False, good)
    yield "four items", "-", array((3,), f8, False, good)
    yield "too short", "bytes of data", array(1, (3,), f8, False, good[1:])
    yield "too long", "bytes of data", array(1, (3,), f8, False, good + b"x")
    yield "no bytes", "no bytes", array(1, (3,), f8, False, 5)
    yield "list", "no bytes", array(1, (3,), f8, False, [1.0, 2.0, 3.0])
    yield "negative", "dimension", array(1, (-3,), f8, False, good)
    yield "overflow", "2^63", array(1, (2 ** 40, 2 ** 40), f8, False, b"")
    yield "wraps to 24", "2^63", array(1, (3, 2 ** 32, 2 ** 32), f8, False, good)
    yield "zero and large", "-", array(1, (0, 2 ** 40, 2 ** 20), f8, False, b"")
    yield "65 dimensions", "64 dimensions", array(1, (1,) * 65, f8, False, good[:8])
    yield "64 dimensions", "-", array(1, (1,) * 64, f8, False, good[:8])
    yield "shape of text", "dimension", array(1, ("3",), f8, False, good)
    yield "shape is list", "no tuple", array(1, [3], f8, False, good)
    yield "no dtype", "dtype is none", array(1, (3,), "f8", False, good)
    yield "version", "version", array(2, (3,), f8, False, good)
    yield "objects as bytes", "no list", array(1, (3,), np.dtype(object), False, good)
    yield "objects too few", "as long", array(1, (3,), np.dtype(object), False, [1, 2])
    yield "no state", "state", Call(RECONSTRUCT, (np.ndarray, (0,), b"b"))
    yield "code", "no dtype", array(1, (3,), dtype("x8", 3, "<", None, None, None, -1, -1, 0), False, good)
    yield "f3", "no dtype", array(1, (3,), dtype("f3", 3, "<", None, None, None, -1, -1, 0), False, good)
    yield "order", "byte order", array(1, (3,), dtype("f8", 3, "<<", None, None, None, -1, -1, 0), False, good)
    yield "state of 4", "5 to 9", array(1, (3,), dtype("f8", 3, "<", None, None), False, good)
    yield "dtype version", "version", array(1, (3,), dtype("f8", 5, "<", None, None, None, -1, -1, 0), False, good)
    yield "names alone", "without", array(1, (3,), dtype("V8", 3, "|", None, ("a",), None, 8, 1, 16), False, good)
    yield "fields alone", "without", array(1, (3,), dtype("V8", 3, "|", None, None, {"a": (i4, 0)}, 8, 1, 16), False, good)
    yield "unit", "unit of time", array(1, (3,), dtype("M8", 4, "<", None, None, None, -1, -1, 0, (None, (b"xs", 1, 1, 1))), False, good)
    yield "subarray", "no pair", array(1, (3,), dtype("V8", 3, "|", (i4,), None, None, 8, 1, 0), False, good)
    yield "buffer", "-", Call(FROMBUFFER, (good, f8, (3,), "C"))
    yield "buffer order", "none of C", Call(FROMBUFFER, (good, f8, (3,), "X"))
    yield "buffer short", "bytes of data", Call(FROMBUFFER, (good, f8, (2, 2), "C"))
    yield "buffer objects", "no list", Call(FROMBUFFER, (good, np.dtype(object), (3,), "C"))
    yield "axes", "permutation", Call(FROMBUFFER, (good, f8, (3, 1), "K", (0, 0)))
    yield "axes missing", "none of C", Call(FROMBUFFER, (good, f8, (3, 1), "K"))
    yield "axes too few", "permutation", Call(FROMBUFFER, (good, f8, (3, 1), "K", (0,)))
    yield "axes too large", "permutation", Call(FROMBUFFER, (good, f8, (3, 1), "K", (0, 2)))
    yield "scalar", "-", Call(SCALAR, (f8, good[:8]))
    yield "scalar zero", "-", Call(SCALAR, (f8,))
    yield "scalar short", "too few", Call(SCALAR, (f8, good[:7]))
    yield "scalar object", "holds an object", Call(SCALAR, (np.dtype(object), None))
    yield "record", "-", array(1, (6,), ints, False, good)
    held = np.zeros(1, [("n", "<i4"), ("o", object)])
    yield "scalar with objects", "-", held[0]
    yield "scalar objects as bytes", "holds an object", Call(SCALAR, (held.dtype, good))
    yield "item size", "item size", array(1, (3,), dtype("V8", 3, "|", None, None, None, "8", 1, 0), False, good)
    yield "names", "no tuple", array(1, (3,), dtype("V8", 3, "|", None, 5, {"a": (i4, 0)}, 8, 1, 16), False, good)
    yield "flags", "flags", array(1, (3,), dtype("V8", 3, "|", None, None, None, 8, 1, "16"), False, good)
    yield "subarray shape", "no tuple", array(1, (3,), dtype("V8", 3, "|", (i4, "2"), None, None, 8, 1, 0), False, good)
    yield "scalar of nothing", "dtype is none", Call(SCALAR, (5, good))


# ------------------------------------------------------------- dtype states

def states():
    i4, f8, o = np.dtype("<i4"), np.dtype("<f8"), np.dtype(object)
    fields, names = {"a": (i4, 0), "b": (f8, 4)}, ("a", "b")
    held = {"a": (i4, 0), "b": (o, 4)}
    inner = dtype("V12", 2, "|", None, names, held, 12, 1)
    yield dtype("f8", "<", None, None, -1, -1)
    yield dtype("f8", ">", None, None, -1, -1)
    yield dtype("V12", "|", None, {**fields, -1: names}, 12, 1)
    yield dtype("V12", 1, "|", None, {**fields, -1: names}, 12, 1)
    yield dtype("V12", 1, "|", None, {**held, -1: names}, 12, 1)
    yield dtype("V12", 2, "|", None, names, fields, 12, 1)
    yield inner
    yield dtype("V16", 2, "|", None, names, {"a": (i4, 0), "b": (inner, 4)}, 16, 1)
    yield dtype("O8", 2, "|", None, None, None, -1, -1)
    yield dtype("S5", 2, "|", None, None, None, 5, 1)
    yield dtype("V12", 3, "|", None, names, held, 12, 1, 27)
    yield dtype("V12", 3, "|", None, names, fields, 12, 1, 16)
    yield dtype("V16", 3, "|", None, names, {"a": (i4, 0), "b": (f8, 8)}, 16, 8, -112)
    yield dtype("V24", 3, "|", None, ("m",), {"m": (dtype("V24", 3, "|", (f8, 3), None, None, 24, 8, 0), 0)}, 24, 8, 16)
    yield dtype("V24", 3, "|", None, ("m",), {"m": (dtype("V24", 3, "|", (f8, (3, 1)), None, None, 24, 8, 0), 0)}, 24, 8, 16)
    yield dtype(np.record, 3, b"|", None, names, fields, 12, 1, 16)
    yield dtype("U3", 3, b">", None, None, None, 12, 4, 8)
    yield dtype("f8", 4, "<", None, None, None, -1, -1, 0, {"unit": "m"})
    yield dtype("M8", 4, ">", None, None, None, -1, -1, 0, ({}, (b"ns", 25, 1, 1)))
    yield dtype("m8", 4, "<", None, None, None, -1, -1, 0, (None, (b"generic", 1, 1, 1)))


def dtypes():
    for value in states():
        data = pickle.dumps(value, 2)
        loaded = pickle.loads(data)
        yield data.hex(), descr(loaded), int(loaded.hasobject)


def loads(data):
    try:
        pickle.loads(data)
    except Exception:
        return False
    return True


# Where numpy makes an array of whatever is in memory.
UNSAFE = ("no state", "objects too few")


def bad_rows():
    for name, reason, value in bad_arrays():
        data = pickle.dumps(value, 3)
        assert name in UNSAFE or loads(data) == (reason == "-"), name
        yield name.replace(" ", "_"), data.hex(), reason


write("casts.tsv", ["from", "to", "numbers", "converted"], casts())
write("items.tsv", ["pickle", "dtype", "repr"], items())
write("layouts.tsv", ["pickle", "shape", "order", "elements"], layouts())
write("dtypes.tsv", ["pickle", "dtype", "objects"], dtypes())
write("bad_arrays.tsv", ["name", "pickle", "reason"], bad_rows())
