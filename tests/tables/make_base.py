#!/usr/bin/env python3
"""make_base.py - write the tables for lib/base: what CPython 3.13 makes of numbers and text.

    python3.13 tests/tables/make_base.py

Each table is tab-separated, with its columns named in the first line. Bytes are
hexadecimal where they are numbers, else percent-encoded, and "-" where there are
none; doubles are their 64 bits, the highest first. What failed begins with "!".
"""
import codecs
import ctypes
import math
import pathlib
import pickle
import random
import struct
import sys
import warnings
import zlib

HERE = pathlib.Path(__file__).parent


PLAIN = set(range(0x21, 0x7f)) - set(b"!#%")


def quoted(data):
    text = "".join(chr(c) if c in PLAIN else "%%%02x" % c for c in data)
    return {"": "-", "-": "%2d"}.get(text, text)


def bits(x):
    return struct.pack(">d", x).hex()


def write(name, columns, rows):
    with open(HERE / name, "w", encoding="ascii", newline="\n") as table:
        table.write("#" + "\t".join(columns) + "\n")
        for row in rows:
            table.write("\t".join(map(str, row)) + "\n")


# ------------------------------------------------------------------- floats

def doubles(rng):
    yield from (0.0, -0.0, math.inf, -math.inf, math.nan, 1e15, 1e16, 1e17, 123456789012345680.0)
    yield from (0.1, 0.2, 0.3, 1 / 3, 2 / 3, 1e22, 1e23, 5e-324, 1e-323, 1.7976931348623157e308)
    yield from (2.2250738585072014e-308, 2.225073858507201e-308, 9007199254740993.0, 2.0 ** -44)
    yield from (0.0001, 0.00001, 0.00012345, 9999999999999998.0, 99999999999999990.0, 1e-5, 12.5e-5)
    for exponent in range(-1074, 1024, 3):
        yield math.ldexp(1.0, exponent)
    for _ in range(300):
        yield struct.unpack("<d", rng.randbytes(8))[0]
    for _ in range(200):
        yield round(rng.uniform(-1000, 1000), rng.randrange(8))
    for _ in range(100):
        yield float(rng.getrandbits(rng.randrange(1, 80)))
    for _ in range(100):
        x = math.ldexp(1.0, rng.randrange(-1074, 1023))
        yield math.nextafter(x, 0.0)
        yield math.nextafter(x, math.inf)


def float_repr(rng):
    for x in doubles(rng):
        if not math.isnan(x) or bits(x) == bits(math.nan):
            yield bits(x), repr(x)


def middle(x):
    """The decimal expansion of what lies in the middle between x and the next double."""
    low, high = x.as_integer_ratio(), math.nextafter(x, math.inf).as_integer_ratio()
    denominator = 2 * max(low[1], high[1])
    numerator = sum(n * (denominator // (2 * d)) for n, d in (low, high))
    places = denominator.bit_length() - 1
    return str(numerator * 5 ** places), -places


def float_texts(rng):
    yield from b"1.5 1 1. .5 +1.5 -1.5 -0 -.0 0 00 007 1e5 1E5 1e+5 1e-5 1.e2 .1e2 0e0 0e999".split()
    yield from b"inf -inf +inf INF Inf infinity INFINITY -Infinity nan -nan +nan NaN nAN".split()
    yield from b"infi infinit infinityx nann na in i n - + . -. e e5 .e5 1e 1e+ 1e- 1ee5 1e5.0".split()
    yield from b"1..5 1.5.5 --1 +-1 1_0 1,5 0x1p3 0x10 1d5 1f 1L 1e5x 1e400 -1e400 1e400x 1e-400".split()
    yield from b"1e999999999999999999999999 1e-999999999999999999999999 0e999999999999999999999".split()
    yield from b"1e00000000000000000000000005 nan(1) snan 1j \xd9\xa3 1\xa0 1.7976931348623159e308".split()
    yield from b"1.7976931348623158e308 2.4703282292062328e-324 2.4703282292062327e-324".split()
    yield from (b" 1.5", b"1.5 ", b"1.5\r", b"\t1.5", b"1.5\x00", b"1.5\x00junk", b"\x001.5", b"1 5")
    yield from (b"1e400\x00", b"inf\x00x", b"0" * 400 + b"1.5", b"0." + b"0" * 400 + b"15e400")
    yield from (b"1" + b"0" * 400 + b"e-400", b"1" * 309, b"9" * 310, b"0." + b"3" * 500)
    for x in (1.0, 0.1, 1e23, 5e-324, 0.0, 2.2250738585072014e-308, 1e-310, 9007199254740992.0):
        digits, exponent = middle(x)
        above = digits + "0" * 40 + "1"
        dotted = "00" + digits[:5] + "." + digits[5:]
        for text, shift in ((digits, 0), (above, -41), (dotted, max(0, len(digits) - 5)),
                            (digits[:770], len(digits) - 770)):
            if len(text) < 900:
                yield b"%se%d" % (text.encode(), exponent + shift)
    for size in (17, 18, 19, 20, 21, 25, 40):
        for _ in range(25):
            digits = str(rng.randrange(10 ** (size - 1), 10 ** size))
            point = rng.randrange(size + 1)
            exponent = rng.choice((rng.randrange(-30, 30), rng.randrange(-345, 310)))
            yield b"%s.%se%d" % (digits[:point].encode(), digits[point:].encode(), exponent)


def float_parse(rng):
    for text in float_texts(rng):
        try:
            result = bits(pickle.loads(b"F" + text + b"\n."))
        except OverflowError:
            result = "!overflow"
        except ValueError:
            result = "!malformed"
        yield quoted(text), result


# ----------------------------------------------------------------- integers

def minimal(n):
    """Two's complement, little-endian, as short as can be; nothing for zero."""
    return pickle.encode_long(n).hex() or "-"


def int_texts(rng):
    yield from b"0 1 -1 +1 00 -00 000 0_0 0_ _0 1_000 1__0 _1 1_ 1_000_000 007 0_7 010 -010 08".split()
    yield from b"0x10 0X1f 0x 0x_1 0x__1 0x1_ -0xff +0xff 0xg 0o17 0O17 0o8 0o_7 0b101 0B1 0b2 0b_1".split()
    yield from b"0b -0b1 0x0 0x00 0o0 0b0 1L 1l 1.5 1e5 1a a x - + -- +-1 0x-1 0xx1 1x 0z1 \xd9\xa3".split()
    yield from (b"", b" ", b" 1", b"1 ", b"\t\n\v\f\r 1 \t\n\v\f\r", b"- 1", b"1 2", b"0 x1", b"0x 1")
    yield from (b"1\x00", b"\x001", b"\x1c1", b"1\x1f", b"\xa01", b" _1", b"1_ ", b"-" + b"0" * 50)
    for shift in (31, 63, 64, 128):
        for n in (2 ** shift - 1, 2 ** shift, 2 ** shift + 1):
            for form in ("%d", "-%d", "%#x", "-%#x", "%#o", "-%#o"):
                yield (form % n).encode()
            yield bin(n).encode()
    for size in (17, 18, 19, 20, 21, 37, 38, 39, 57, 608, 609, 1217):
        yield str(10 ** size - 1).encode()
        yield str(-10 ** size).encode()
        yield str(rng.randrange(10 ** size)).encode()
    yield "_".join(str(rng.randrange(10 ** 50))).encode()
    yield b"0x" + "_".join("%x" % rng.getrandbits(180)).encode()
    yield b"%#o" % rng.getrandbits(300)
    yield b"0b" + "_".join("{:b}".format(rng.getrandbits(45))).encode()
    yield b"%d" % rng.getrandbits(13000)


def int_parse(rng):
    for text in int_texts(rng):
        for base in (0,) if text.startswith(b"0") else (0, 10) if len(text) < 100 else (10,):
            try:
                # bytes rather than str: no digits but those of ASCII
                result = minimal(int(text, base))
            except ValueError:
                result = "!malformed"
            yield base, quoted(text), result


def strtol(rng):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.strtol.restype = ctypes.c_long
    texts = [text for text in int_texts(rng) if len(text) < 45 and b"\x00" not in text]
    texts += [text for text in texts[:20] for text in (text + b"L", b"  " + text + b"\r")]
    texts += [b"0xL", b"0x", b"0X", b"09", b"0778", b"0b1", b"9" * 19, b"-9" + b"9" * 18, b"1" * 40]
    texts += [b"01777777777777777777777", b"-01000000000000000000000", b"0x8000000000000000"]
    for text in dict.fromkeys(texts):
        for base in (0, 10):
            buffer = ctypes.create_string_buffer(text)
            end = ctypes.c_char_p()
            ctypes.set_errno(0)
            value = libc.strtol(buffer, ctypes.byref(end), base)
            used = len(text) - len(end.value)
            yield base, quoted(text), value, used, int(ctypes.get_errno() == 34)


def integers(rng):
    numbers = {0}
    for shift in (*range(0, 18), *range(22, 130, 7), 31, 63, 64, 127, 128, 1024):
        numbers.update((2 ** shift - 1, 2 ** shift, 2 ** shift + 1))
    for exponent in (18, 19, 20, 37, 38, 39, 57, 308, 309):
        numbers.update((10 ** exponent - 1, 10 ** exponent))
    for size in (54, 55, 63, 64, 65, 72, 200):
        half = (1 << size - 1) | (rng.getrandbits(52) << size - 53 if size > 53 else 0)
        tie = half | 1 << size - 54
        numbers.update((half, tie - 1, tie, tie + 1, (tie ^ 1 << size - 53), tie + (1 << size - 53)))
    numbers.add(2 ** 1024 - 2 ** 970)
    numbers.add(2 ** 1024 - 2 ** 970 - 1)
    numbers.update(rng.getrandbits(rng.randrange(64, 600)) for _ in range(20))
    numbers.add(rng.getrandbits(9000))
    for n in sorted(numbers | {-n for n in numbers}):
        try:
            double = bits(float(n))
        except OverflowError:
            double = "!overflow"
        yield minimal(n), n, double


# --------------------------------------------------------------------- text

def flags(text):
    surrogates = any("\ud800" <= c <= "\udfff" for c in text)
    return int(surrogates) | (0 if text.isascii() else 2)


def failure(error):
    return "!%d %s" % (error.start, error.reason)


def utf8_inputs(rng):
    edges = [0x7f, 0x80, 0x7ff, 0x800, 0xfff, 0x1000, 0xcfff, 0xd000, 0xd7ff, 0xd800, 0xdbff]
    edges += [0xdc00, 0xdfff, 0xe000, 0xfffd, 0xffff, 0x10000, 0x3ffff, 0x40000, 0xfffff]
    edges += [0x100000, 0x10ffff]
    whole = [chr(edge).encode("utf-8", "surrogatepass") for edge in edges]
    yield from whole
    for sequence in whole:
        for cut in range(1, len(sequence)):
            yield sequence[:cut]
            yield b"ab" + sequence[:cut] + b"c"
            yield sequence[:cut] + b"\xff"
            yield sequence[:cut] + b"\xc3\xa9"
    for lead in range(0x80, 0x100):
        yield bytes([lead])
        yield bytes([lead]) + b"A" * 4
        yield bytes([lead]) + b"\x80" * 4
    for lead in (0xe0, 0xed, 0xef, 0xf0, 0xf4):
        for second in (0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0):
            yield bytes([lead, second, 0x80, 0x80])
            yield bytes([lead, second])
    yield b"\xed\xa0\xbd\xed\xb8\x80"
    yield b"\xef\xbb\xbfbom"
    yield "Zażółć gęślą jaźń, 中文字符, Ελληνικά, 😀😀, a\0b".encode()
    for _ in range(150):
        yield b"".join(rng.choice((b"A", b"bcdefghij", rng.choice(whole), rng.randbytes(1)))
                       for _ in range(rng.randrange(1, 9)))


def utf8(rng):
    for data in dict.fromkeys(utf8_inputs(rng)):
        try:
            result = flags(data.decode("utf-8", "surrogatepass"))
        except UnicodeDecodeError as error:
            result = failure(error)
        yield quoted(data), result


def decode_result(data, encoding, errors="strict"):
    try:
        text = data.decode(encoding, errors)
    except UnicodeDecodeError as error:
        return 0, failure(error)
    return flags(text), quoted(text.encode("utf-8", "surrogatepass"))


def decode(rng):
    inputs = [b"", b"abc", bytes(range(256)), b"caf\xe9", b"\xff", b"a" * 20 + b"\x80" + b"b" * 20]
    inputs += rng.sample(list(dict.fromkeys(utf8_inputs(rng))), 80)
    for data in inputs:
        for encoding in ("ascii", "utf-8", "latin1"):
            for errors in ("strict", "replace", "surrogateescape"):
                if encoding != "latin1" or errors == "strict":
                    yield encoding, errors, quoted(data), *decode_result(data, encoding, errors)


def raw_unicode_escape(rng):
    inputs = rb"abc \u20ac \U0001f600 \ud83d\ude00 \ud800 \\u0041 \\\u0041 \\\\u0041".split()
    inputs += rb"\x41 a\n \ \u".split()
    inputs += rb"\u1 \u12 \u123 \u1234 \u12345 \u123g \U0001f60 \U0010ffff \U00110000 \Uffffffff".split()
    inputs += rb"\u20AC \u000a \u005c \q \N{DASH} ab\u12 abc\U0001 x\U00110000y \u0000 \u7f".split()
    inputs += rb"\u00e9 \U00000041 \u-123 \u+123 \u 123 \u12_4 \uD7FF\uD800\uDFFF\uE000 \\ a\\".split()
    inputs += [b"", b"\\", b"ab\r", b"a\x00b", b"\\\n", b"\\\xe9", b"\\\xe9u0041", b"\\u\xe9\xe9"]
    inputs.append(bytes(range(256)))
    pieces = (b"\\", b"u", b"U", b"00", b"004", b"1", b"20ac", b"\xe9", b"z")
    for _ in range(150):
        inputs.append(b"".join(rng.choice(pieces) for _ in range(rng.randrange(1, 10))))
    for data in dict.fromkeys(inputs):
        yield quoted(data), *decode_result(data, "raw-unicode-escape")


def escapes(rng):
    inputs = [b"", b"abc", b"\\", b"a\\", b"\\\\", b"\\\\\\", b"\\\n", b"a\\\nb", b"a'b", b'a"b']
    inputs += [b"\\" + bytes([c]) for c in range(256)]
    inputs += rb"\00 \000 \0000 \1 \12 \123 \1234 \377 \400 \477 \777 \18 \128 \08 \x4 \x41".split()
    inputs += rb"\x4g \xg4 \xFf \xff\x00 a\x b\x4 ab\x4z \x414 \X41 \u0041 \U00000041 \N{DASH} \x-1".split()
    pieces = (b"\\", b"x", b"4", b"07", b"n", b"'", b"\xe9", b"q", b"f")
    for _ in range(150):
        inputs.append(b"".join(rng.choice(pieces) for _ in range(rng.randrange(1, 10))))
    for data in dict.fromkeys(inputs):
        try:
            result = quoted(codecs.escape_decode(data)[0])
        except ValueError as error:
            reason, _, position = str(error).partition(" at position ")
            result = "!%d %s" % (int(position or len(data) - 1), reason)
        yield quoted(data), result


def latin1(rng):
    texts = ["", "abc", "é", "ÿ", "Ā", "a\0b", "\x7f\x80", "中", "é中", "😀", "\ud800"]
    texts += ["".join(map(chr, range(256)))]
    for text in texts:
        try:
            result = quoted(text.encode("latin1"))
        except UnicodeEncodeError:
            result = "!"
        yield quoted(text.encode("utf-8", "surrogatepass")), result


def reprs(rng):
    texts = ["", "abc", "'", '"', "'\"", "a'b", 'a"b', "it's \"both\"", "\\", "\t\n\r\v\f\0\x1b\x7f"]
    texts += ["\x80\x9f\xa0\xad", "é", "中文", "😀", "\ud800", "\udfff", "\ud83d\ude00", "\ufeff"]
    texts += ["\u2028\u2029\u200b\u3000", "\uffff", "\U000e0001", "\U0010ffff", "a\u0300", "\u0378"]
    texts += ["\U0001f600\U0001fbff", "\u00a0'", "x" * 70]
    texts += ["".join(map(chr, range(start, start + 256))) for start in (0, 0x300, 0x2000)]
    for _ in range(60):
        texts.append("".join(chr(rng.randrange(0x110000)) for _ in range(6)))
    for text in texts:
        yield "str", quoted(text.encode("utf-8", "surrogatepass")), quoted(repr(text).encode())
    for data in (b"", b"abc", b"'", b'"', b"'\"", b"a'b", b"\\", bytes(range(256)), b"\xc3\xa9"):
        yield "bytes", quoted(data), quoted(repr(data).encode())


def printable(rng):
    """CRC-32 over one bit a character, the first the lowest of its byte, for each plane."""
    for plane in range(17):
        octets = bytearray(0x10000 // 8)
        for i in range(0x10000):
            octets[i // 8] |= chr(plane << 16 | i).isprintable() << i % 8
        yield plane, "%08x" % zlib.crc32(octets)


def main():
    assert sys.version_info[:2] == (3, 13), "the tables say what CPython 3.13 does"
    warnings.simplefilter("ignore")  # of unknown escapes
    write("float_repr.tsv", ("double", "repr"), float_repr(random.Random(1)))
    write("float_parse.tsv", ("text", "double"), float_parse(random.Random(2)))
    write("int_parse.tsv", ("base", "text", "bytes"), int_parse(random.Random(3)))
    write("strtol.tsv", ("base", "text", "value", "used", "overflow"), strtol(random.Random(4)))
    write("integers.tsv", ("bytes", "repr", "double"), integers(random.Random(5)))
    write("utf8.tsv", ("bytes", "flags"), utf8(random.Random(6)))
    write("decode.tsv", ("encoding", "errors", "bytes", "flags", "text"), decode(random.Random(7)))
    write("raw_unicode_escape.tsv", ("bytes", "flags", "text"),
          raw_unicode_escape(random.Random(8)))
    write("escapes.tsv", ("bytes", "result"), escapes(random.Random(9)))
    write("latin1.tsv", ("text", "bytes"), latin1(random.Random(10)))
    write("repr.tsv", ("type", "value", "repr"), reprs(random.Random(11)))
    write("printable.tsv", ("plane", "crc"), printable(random.Random(12)))


if __name__ == "__main__":
    main()
