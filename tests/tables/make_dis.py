#!/usr/bin/env python3
"""make_dis.py - write tests/tables/dis.tsv: what pickletools.dis of CPython 3.13.0 prints.

    python3.13 tests/tables/make_dis.py

One line for each input and set of options:

    file     below fixtures/vectors, or "-"
    bytes    the input itself where there is no file, percent-encoded, or "-"
    options  l=N (indentation), a (annotate; "@" stands for each annotation, as our words differ),
             A (all pickles of the input), m (with one memo), j (joblib), or "-"
    sha256   of what was printed, until the end or the exception
    outcome  "ok" or "error"

pickletools cannot read past joblib's array data. There, "j", it is shown the file without the data,
and the lines that stand for the data, and the indentation of nested pickles, are put in here.
"""
import hashlib
import io
import pathlib
import pickle
import pickletools
import re
import sys
import warnings

from struct import pack

ROOT = pathlib.Path(__file__).parents[2]
VECTORS = ROOT / "fixtures" / "vectors"
TABLE = ROOT / "tests" / "tables" / "dis.tsv"

PLAIN = set(range(0x21, 0x7f)) - set(b"!#%")


def quoted(data):
    text = "".join(chr(c) if c in PLAIN else "%%%02x" % c for c in data)
    return {"": "-", "-": "%2d"}.get(text, text)


# -------------------------------------------------------------- pickletools

def dis(data, options):
    """What is printed, and whether it came to the end."""
    out, file = io.StringIO(), io.BytesIO(data)
    indent = next((int(o[2:]) for o in options if o.startswith("l=")), 4)
    memo = {} if "m" in options else None
    try:
        while True:
            pickletools.dis(file, out, memo, indent, 30 if "a" in options else 0)
            if "A" not in options or file.tell() == len(data):
                return out.getvalue(), "ok"
    except (ValueError, IndexError):
        return out.getvalue(), "error"


# ------------------------------------------------------------------- joblib

class Payloads(pickle._Unpickler):
    """Finds the array data in a joblib file that this project made: (end of the BUILD, offset,
    size, end of the data), and for a nested pickle None as its size. Classes are stand-ins,
    whatever their names."""

    def __init__(self, data):
        self.file = io.BytesIO(data)
        super().__init__(self.file)
        self.payloads = []

    def find_class(self, module, name):
        class StandIn:
            path = module + "." + name
            state = None
            args = ()

            def __new__(cls, *args, **kwargs):
                self = object.__new__(cls)
                self.args = args
                return self

            def __init__(self, *args, **kwargs):
                pass

            def __setstate__(self, state):
                self.state = state

            def __setitem__(self, key, value):
                pass

            def append(self, item):
                pass

            __hash__ = object.__hash__
        return StandIn

    def load_build(self):
        super().load_build()
        wrapper = self.stack[-1]
        if getattr(wrapper, "path", "").endswith("joblib.numpy_pickle.NumpyArrayWrapper"):
            self.array_data(wrapper.state)

    dispatch = {**pickle._Unpickler.dispatch, pickle.BUILD[0]: load_build}

    def array_data(self, wrapper):
        dtype, gap = wrapper["dtype"], self.file.tell()
        if dtype.state[7] & 1:
            *_, (_, _, stop) = pickletools.genops(self.file)
            self.payloads.append((gap, gap, None, stop + 1))
            return
        if wrapper.get("numpy_array_alignment_bytes") is not None:
            self.file.seek(self.file.read(1)[0], io.SEEK_CUR)
        size = dtype.state[5]
        if size < 0:
            size = int(dtype.args[0][1:])
        for length in wrapper["shape"]:
            size *= length
        self.payloads.append((gap, self.file.tell(), size, self.file.seek(size, io.SEEK_CUR)))


class Without(io.BytesIO):
    """A file whose reader does not see the parts it is told to leave out."""

    def __init__(self, data, gaps):
        super().__init__(data)
        self.gaps = gaps

    def hop(self):
        self.seek(self.gaps.get(self.tell(), self.tell()))

    def read(self, size):
        data = super().read(size)
        self.hop()
        return data

    def readline(self):
        data = super().readline()
        self.hop()
        return data


LINE = re.compile(r"( *\d+: )(.{4} )( *)(.*)")
HIGHEST = "highest protocol among opcodes = "


def joblib_dis(data):
    finder = Payloads(data)
    finder.load()
    gaps = {gap: end for gap, _, _, end in finder.payloads}
    lines_before = {end: (start, size) for _, start, size, end in finder.payloads}
    out = io.StringIO()
    pickletools.dis(Without(data, gaps), out)
    lines, protos, depth = [], [], ""
    for line in out.getvalue().splitlines():
        if line.startswith(HIGHEST):
            protos.append(int(line[len(HIGHEST):]))
            continue
        offset, code, blanks, rest = LINE.fullmatch(line).groups()
        if int(offset[:-2]) in lines_before:
            start, size = lines_before[int(offset[:-2])]
            head = "%5d: %4s %s" % (start, "", depth)
            if size is not None:
                lines.append(head + "(%d bytes of array data)" % size)
            else:
                lines.append(head + "(array of objects: a pickle of its own)")
                nested, protocol = nested_dis(data, start, depth + "    ")
                lines += nested
                protos.append(protocol)
        lines.append(line)
        depth = blanks
    return "".join(line + "\n" for line in [*lines, HIGHEST + str(max(protos))])


def nested_dis(data, start, indent):
    out, file = io.StringIO(), io.BytesIO(data)
    file.seek(start)
    pickletools.dis(file, out)
    *lines, last = out.getvalue().splitlines()
    return [LINE.sub(r"\g<1>\g<2>%s\g<3>\g<4>" % indent, line) for line in lines], \
        int(last[len(HIGHEST):])


# ------------------------------------------------------------------- inputs

def integers():
    for text in (b"0", b"-0", b"+7", b" 12", b"\t\x0b\x0c\r 12 \r", b"1_000", b"1__0", b"_1",
                 b"1_", b"007", b"0x10", b"1e3", b"", b"-", b"- 1", b"00", b"01", b"02", b"1\x00",
                 b"\x001", b"\x851", b"\xa01", b"\xb2", b"9223372036854775807",
                 b"9223372036854775808", b"-9223372036854775808", b"-9223372036854775809",
                 b"7" * 40, b"9" * 4300, b"-" + b"9" * 4300, b"9" * 4301, b"0" * 4301,
                 b"1_" * 4299 + b"1"):
        yield b"I" + text + b"\n."
        yield b"L" + text + b"L\n."
        yield b"L" + text + b"\n."
        yield b"Np" + text + b"\n0g" + text + b"\n."
    yield b"LLL\n."
    for number in (10 ** 4300, 10 ** 4300 - 1, -10 ** 4300, 1 - 10 ** 4300, 1 << 14284, 1 << 63,
                   -1 << 63, -1 - (1 << 63), 1 << 40000, 0, -1, 255, 128):
        data = number.to_bytes(number.bit_length() // 8 + 1, "little", signed=True)
        yield b"\x8b" + pack("<i", len(data) + 2) + data + (b"\xff\xff" if number < 0
                                                          else b"\0\0") + b"."
        if len(data) < 256:
            yield b"\x8a" + bytes([len(data)]) + data + b"."
    yield b"\x8a\x00."
    for operand in (0, 1, 1 << 63, (1 << 64) - 1):
        yield b"\x95" + pack("<Q", operand) + b"N."


def floats():
    for text in (b"1.5", b"-0.0", b"nan", b"-NaN", b"inf", b"+iNfInItY", b"-inf", b"infin",
                 b"1e400", b"-1e400", b"1e400x", b"1e-400", b"1_0.2_5e1_0", b"1_.5", b"1._5",
                 b"1e_1", b"1__0", b".5", b"5.", b".", b"", b"e5", b"1e", b"0x1p3",
                 b" \t1.5\r\x0c ", b"1.5\x00", b"\x1c1", b"\xa01", b"1 2",
                 b"1.7976931348623157e308", b"1.7976931348623159e308", b"4.9e-324",
                 b"2.4703282292062327e-324", b"2.4703282292062328e-324", b"9" * 400):
        yield b"F" + text + b"\n."
    for bits in (0, 1 << 63, 0x7ff0 << 48, 0xfff0 << 48, 0x7ff8 << 48, 0x3ff8 << 48, 1,
                 0x433 << 52):
        yield b"G" + pack(">Q", bits) + b"."


def texts():
    for text in (b"'a'", b'"a"', b"'", b'"', b"''", b"", b"a", b"'a", b"'a\"",
                 b"'\\x41\\101\\n\\\\'", b"'\\x4'", b"'\\xe9'", b"'\\351'", b"'\\777'",
                 b"'\\q\\8'", b"'\\", b"'\\'", b"'\xe9'", b"'\x00\x7f'", b"'it''s'", b"\"it's\"",
                 b"'a' ", b" 'a'"):
        yield b"S" + text + b"\n."
    for text in (b"a", b"", b"\\x41", b"\\", b"\xe9", b"a'b", b"a'b\"c", b"\\u1234", b"\r",
                 b" a "):
        yield b"P" + text + b"\n."
        yield b"c" + text + b"\nb\n."
        yield b"cb\n" + text + b"\n."
        yield b"(i" + text + b"\n" + text + b"\n."
    for text in (b"\\u00e9\\U0001f600", b"\\ud800", b"\\u12", b"\\U00110000", b"\\\\u0041",
                 b"\\x41", b"\xe9\x7f\x80\xad", b"'", b"'\"", b"\\", b"\\u"):
        yield b"V" + text + b"\n."
    for text in ("é€\U0001f600", "\x7f\x80\xad\u2028\ufeff\U000e0001\u0378", "a'b", "a'b\"c",
                 "\\\n\t\r\0"):
        data = text.encode()
        yield b"\x8c" + bytes([len(data)]) + data + b"."
        yield b"X" + pack("<I", len(data)) + data + b"."
        yield b"\x8d" + pack("<Q", len(data)) + data + b"."
    for data in (b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf4\x90\x80\x80", b"\xc0\x80", b"\xe2\x82",
                 b"\x80", b"\xff", b"a'b", b"a'b\"c", b'a"b', bytes(range(256))[:200], b""):
        for code, length in ("\x8c", "B"), ("U", "B"), ("C", "B"), ("T", "i"), ("B", "I"), \
                ("\x8e", "Q"), ("\x96", "Q"):
            yield code.encode("latin1") + pack("<" + length, len(data)) + data + b"."


def lengths():
    for code, length in (b"T", "<i"), (b"\x8b", "<i"), (b"X", "<I"), (b"B", "<I"), (b"\x8d", "<Q"), \
            (b"\x8e", "<Q"), (b"\x96", "<Q"):
        ones = (1 << 8 * len(pack(length, 0))) - 1
        for number in (4, ones, ones >> 1, (ones >> 1) + 1):
            yield code + number.to_bytes(len(pack(length, 0)), "little") + b"abc"


def machines():
    yield from (b"", b".", b"N", b"NN.", b"((.", b"(.", b"N.N.", b"\xff", b"N\x00.", b"0.", b"1.",
                b"(0N.", b"(N0.", b"((01N.", b"(1N.", b"(K\x01K\x02\x87t.", b"(\x85t.",
                b"(K\x01\x86.", b"((\x86t.", b"(2t.", b"2.", b"(a.", b"N(a.", b"(s.", b"NN(s.",
                b"t.", b"l.", b"e.", b"N(e.", b"(e.", b"N(NNe.", b"((((((((ttttttt.",
                b"N" + b"(" * 30 + b"N1" + b"1" * 29 + b".")
    yield from (b"q\x00.", b"(q\x00.", b"\x94.", b"(\x94.", b"Nq\x00q\x00.", b"Nq\x01\x94\x94.",
                b"N\x94\x940.", b"N\x94h\x000.", b"Nh\x00.", b"g-1\n.", b"Np-1\n0g-1\n.",
                b"Np00\n0g0\n.", b"Np01\n0h\x01.", b"Np1\n0g01\n.",
                b"Nr\xff\xff\xff\xff0j\xff\xff\xff\xff.", b"Nr\xff\xff\xff\xff0h\xff.",
                b"Np18446744073709551616\n0g018446744073709551616\n.",
                b"Np18446744073709551616\np18446744073709551616\n.", b"(Nq\x000h\x00t.",
                b"Nq\x000h\x00\x85.")
    yield from (b"\x80\xff\x80\x00N.", b"\x97\x98.",
                b"\x82\x01\x83\x01\x02\x84\xff\xff\xff\xff00.", b"]]b.",
                b"c__main__\nvery_long_name_of_a_class_that_moves_the_column_of_the_annotation\n)\x81}b.",
                b"(Vtext\nVof_several_lengths_that_move\nVthe_column\nVtoo_far_to_the_right_to_be_kept\nt.")


def sequences():
    """Several pickles in a row; with one memo, the later ones may use it."""
    yield from (b"N.N.", b"Nq\x00.h\x00.", b"Nq\x00.Nq\x00.", b"N\x94.N\x94.\x80\x05h\x01.",
                b"N.(", b"N.\xff", b"(N.N.", b"N\x94.(\x94.", b"\x80\x04.\x80\x04N.")


def rows():
    for folder in "semantics", "emit":
        for path in sorted((VECTORS / folder).glob("*.pkl")):
            yield path.relative_to(VECTORS), path.read_bytes(), [["a"], ["l=0"], ["l=7"]]
    for crafted in integers, floats, texts, lengths:
        for data in crafted():
            yield None, data, []
    for data in machines():
        yield None, data, [["a"], ["l=0"]]
    for data in sequences():
        yield None, data, [["A"], ["A", "m"], ["A", "a"]]


def main():
    assert sys.version_info[:3] == (3, 13, 0), "the words of the table are those of 3.13"
    warnings.simplefilter("ignore")
    for op in pickletools.opcodes:
        op.doc = "@"
    with open(TABLE, "w", encoding="ascii", newline="\n") as table:
        def write(path, data, options, text, outcome):
            digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
            print(path or "-", "-" if path else quoted(data), ",".join(options) or "-", digest,
                  outcome, sep="\t", file=table)

        print("#file", "bytes", "options", "sha256", "outcome", sep="\t", file=table)
        for path, data, variants in rows():
            plain = dis(data, [])
            write(path, data, [], *plain)
            for options in variants:
                if (result := dis(data, options)) != plain:
                    write(path, data, options, *result)
        for path in sorted((VECTORS / "joblib-1.2").glob("*.joblib")):
            data = path.read_bytes()
            if data[:1] in b"\x80(]}c":
                write(path.relative_to(VECTORS), data, ["j"], joblib_dis(data), "ok")


main()
