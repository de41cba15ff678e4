"""Writes emit.tsv: what CPython's picklers write, and as which calls of an emitter.

usage: make_emit.py PYTHON2.7

A row is a protocol, a script, and the bytes: in hexadecimal, or their number and SHA-256. A script
is what pickletools.genops says of the bytes, without PROTO and FRAME, which an emitter writes by
itself, and without saying which of several opcodes it was. Its words:

    i:N  L:HEX               an int: decimal; two's complement, little-endian
    f:HEX                    a float: its 64 bits
    s:HEX  b:HEX  a:HEX      str, bytes, bytearray
    u:HEX                    a str of Python 2
    none  true  false
    global:MODULE:NAME  inst:MODULE:NAME  persid:TEXT  ext:N
    buffer  readonly         out-of-band buffers
    put  get:KEY
    boundary                 a MARK follows that begins a value
    raw:HEX                  no opcode
    NAME                     an opcode
    N( WORD... )             repeated

HEX may be N*HEX, repeated too; "-" is nothing. The rows whose protocol is the name of a fixture say
what pickletools.optimize makes of it.
"""
import copyreg
import collections
import glob
import hashlib
import io
import os
import pickle
import pickletools
import struct
import subprocess
import sys
import types

HERE = os.path.dirname(os.path.abspath(__file__))
FIXTURES = os.path.join(HERE, os.pardir, os.pardir, 'fixtures')
PROTOCOLS = range(6)
TARGET = 64 << 10

# ---------------------------------------------------------------------- scripts


def hexadecimal(data):
    for unit in 1, 2, 3, 4:
        count = len(data) // unit
        if count > 8 and data == data[:unit] * count:
            return '%d*%s' % (count, data[:unit].hex())
    return data.hex() or '-'


def text(s):
    return hexadecimal(s.encode('utf-8', 'surrogatepass'))


def integer(n):
    if isinstance(n, bool):
        return str(n).lower()
    if -2**63 <= n < 2**63:
        return 'i:%d' % n
    return 'L:' + hexadecimal(pickle.encode_long(n))


def names(what):
    return lambda arg: what + ':' + arg.replace(' ', ':')


WORDS = {
    'NONE': lambda arg: 'none',
    'NEWTRUE': lambda arg: 'true',
    'NEWFALSE': lambda arg: 'false',
    'FLOAT': lambda arg: 'f:' + struct.pack('>d', arg).hex(),
    'GLOBAL': names('global'),
    'INST': names('inst'),
    'PERSID': lambda arg: 'persid:' + arg,
    'NEXT_BUFFER': lambda arg: 'buffer',
    'MEMOIZE': lambda arg: 'put',
}
WORDS.update(dict.fromkeys(['INT', 'LONG', 'LONG1', 'LONG4', 'BININT', 'BININT1', 'BININT2'], integer))
WORDS.update(dict.fromkeys(
    ['UNICODE', 'BINUNICODE', 'SHORT_BINUNICODE', 'BINUNICODE8'], lambda arg: 's:' + text(arg)))
WORDS.update(dict.fromkeys(
    ['BINBYTES', 'SHORT_BINBYTES', 'BINBYTES8'], lambda arg: 'b:' + hexadecimal(arg)))
WORDS.update(dict.fromkeys(
    ['STRING', 'BINSTRING', 'SHORT_BINSTRING'], lambda arg: 'u:' + hexadecimal(arg.encode('latin1'))))
WORDS['BYTEARRAY8'] = lambda arg: 'a:' + hexadecimal(arg)
WORDS['BINFLOAT'] = WORDS['FLOAT']
WORDS.update(dict.fromkeys(['EXT1', 'EXT2', 'EXT4'], lambda arg: 'ext:%d' % arg))
WORDS.update(dict.fromkeys(['PUT', 'BINPUT', 'LONG_BINPUT'], lambda arg: 'put'))
WORDS.update(dict.fromkeys(['GET', 'BINGET', 'LONG_BINGET'], lambda arg: 'get:%d' % arg))


def words(data):
    """The calls that make a pickle."""
    made, marks = [], []
    for op, arg, _ in pickletools.genops(data):
        if op.name in ('PROTO', 'FRAME'):
            continue
        if op.name == 'READONLY_BUFFER':
            made[-1] = 'readonly'
            continue
        if op.name == 'MARK':
            marks.append(len(made))
            made.append('')
        elif pickletools.markobject in op.stack_before:
            opened = marks.pop()
            if op.name in ('TUPLE', 'FROZENSET', 'POP_MARK') and not made[opened]:
                made[opened] = 'boundary'
        made.append(WORDS[op.name](arg) if op.name in WORDS else op.name)
    return [word for word in made if word]


def repeated(sequence):
    """Runs of the same words once."""
    for period in 1, 2, 3, 4, 5, 6:
        packed, at = [], 0
        while at < len(sequence):
            unit, count = sequence[at:at + period], 1
            while sequence[at + count * period:at + (count + 1) * period] == unit:
                count += 1
            if count > 3:
                packed += ['%d(' % count, *unit, ')']
                packed[-period - 2:] = [' '.join(packed[-period - 2:])]
                at += count * period
            else:
                packed.append(sequence[at])
                at += 1
        sequence = packed
    return sequence


def expected(data):
    return data.hex() if len(data) <= 64 else '%d:%s' % (len(data), hashlib.sha256(data).hexdigest())


def row(protocol, script, data):
    return '\t'.join([str(protocol), ' '.join(repeated(script)), expected(data)])


# ----------------------------------------------------------------------- values

LONG = int.from_bytes(b'\x55' * 75_000, 'little')
INTEGERS = [0, 1, 255, 256, 65535, 65536, -1, -128, -129, -32769, 2**31 - 1, 2**31, -2**31, -2**31 - 1,
            2**32, 2**63 - 1, 2**63, -2**63, -2**63 - 1, 2**64, 10**30, 2**2039 - 1, 2**2039, 2**2040,
            -2**2039, -2**2039 - 1, -2**2047, LONG >> 2**19, LONG]
FLOATS = [0.0, -0.0, 0.1, 1.5, -1e16, 1e-5, 1e22, 123456789.0, 5e-324, 1.7976931348623157e308,
          float('inf'), float('-inf'), float('nan')]
SIZES = [0, 1, 255, 256, 65535, 65536, 70_000]
TEXTS = ['\x7f', '\x80', '\xff', '\u20ac', '\uffff', '\U0001f600', '\U0010ffff', '\ud800', '\udfff',
         'a\ud83d\ude00b', '\n', 'a\\u0041\\', '\r\0\x1a\t', 'x' * 100 + '\n' * 100, '\xe9' * 127,
         '\xe9' * 128, '\u20ac' * 85, '\u20ac' * 22_000, '\n' * 30_000]

module = types.ModuleType('shapes')
sys.modules['shapes'] = module
exec('''
class Point: pass
class Keyword(int):
    def __new__(cls, *, n): return int.__new__(cls, n)
    def __getnewargs_ex__(self): return (), {'n': 5}
class Outer:
    class Inner: pass
''', module.__dict__)


def copies(value, count):
    """As many objects that are not the same one."""
    return [bytes(value, 'ascii').decode() for _ in range(count)]


def point():
    made = module.Point()
    made.x, made.y = 1, [2.5]
    return made


def cycles():
    own, inner = [], []
    own.append(own)
    inner.append((inner,))
    inner.append((inner, 1, 2, 3))
    return own, inner[0], inner[1]


def values(protocol):
    yield from (None, True, False)
    yield from INTEGERS
    yield from FLOATS
    for size in SIZES:
        yield from ('x' * size, b'\xfe' * size, bytearray(size))
    yield from TEXTS
    yield from ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), [], [1], [1, 2], {}, {1: 2}, {1: 2, 3: 4})
    yield from (set(), {1}, frozenset(), frozenset([1]), [(), [], {}, ((),)])
    yield from (collections.OrderedDict, module.Point, complex, point(), complex(1, 2), len)
    if protocol >= 2:
        yield module.Keyword(n=5)
    if protocol >= 4:
        yield module.Outer.Inner
    yield from cycles()
    for count in 254, 255, 256, 257, 300:
        names = copies('name', count)
        yield names + names[250:]
    yield [1] * 3001
    yield dict.fromkeys(range(5))


def frames(protocol):
    """Values whose encodings are about as long as a frame."""
    for size in range(TARGET - 24, TARGET + 3):
        if protocol == 4 or size % 5 == 0:
            yield ['x' * size, 'y', 'z']
            yield [b'x' * size, (1, 2, 3, 4), 2.5]
            yield ['x' * size, frozenset([1])]
            yield ['x' * size, None]
    yield [7] * 100_000
    yield [0.5] * 30_000
    yield copies('x' * 60, 3000)
    yield [tuple([1] * 5) for _ in range(9000)]
    if protocol >= 4:
        yield [frozenset([()]) for _ in range(20_000)]
    yield [b'x' * TARGET]
    yield [b'x' * TARGET] * 3
    yield [1, b'x' * (TARGET + 1), 2, 'y' * (3 * TARGET), 3]
    yield (b'x' * TARGET, b'y' * TARGET, b'z' * (TARGET - 1))
    yield [LONG, 1]
    yield 'x' * 1_000_000
    yield [copies('y' * (TARGET - 1), 20)]


# ------------------------------------------------------------------------- rows


def plain_rows():
    for protocol in PROTOCOLS:
        sized = [frames(protocol)] if protocol >= 4 or protocol == 2 else []
        for group in [values(protocol), *sized]:
            for value in group:
                data = pickle.dumps(value, protocol)
                yield row(protocol, words(data), data)
        # pickle.py's batches and frames
        for value in [list(range(3)), {1: 2}, [7] * 70_000, [b'x' * TARGET, 1]]:
            data = pickle._dumps(value, protocol)
            yield row(protocol, words(data), data)


class Persistent(pickle.Pickler):
    def persistent_id(self, obj):
        return obj[1:] if isinstance(obj, str) and obj[:1] == '#' else None


def persistent_rows():
    for protocol in PROTOCOLS:
        out = io.BytesIO()
        Persistent(out, protocol).dump(['#42', '#x' + 'y' * 300, 'plain'])
        yield row(protocol, words(out.getvalue()), out.getvalue())


def extension_rows():
    for code in 1, 255, 256, 65535, 65536, 2**31 - 1:
        copyreg.add_extension('shapes', 'Point', code)
        for protocol in PROTOCOLS[2:]:
            data = pickle.dumps([module.Point, 1], protocol)
            yield row(protocol, words(data), data)
        copyreg.remove_extension('shapes', 'Point', code)


def several_rows():
    """Pickles that follow each other."""
    groups = [[None, 1], [['a', 'a'], ['a', ('b', 'c', 'd', 'e')], 5], [b'x' * TARGET, [7] * 70_000, 'y']]
    for protocol in PROTOCOLS:
        for group in groups:
            made = [pickle.dumps(value, protocol) for value in group]
            yield row(protocol, sum(map(words, made), []), b''.join(made))


def buffer_rows():
    buffers = [pickle.PickleBuffer(b'abc'), pickle.PickleBuffer(bytearray(3))]
    for value in [buffers[0], buffers[1], buffers, (1, *buffers * 2)]:
        data = pickle.dumps(value, 5, buffer_callback=lambda buffer: None)
        yield row(5, words(data), data)


class Raw:
    def __init__(self, data):
        self.data = data


class RawPickler(pickle._Pickler):
    """As joblib's, which writes the data of arrays behind what describes them."""

    def __init__(self, file, protocol):
        super().__init__(file, protocol)
        self.file = file

    def save(self, obj):
        if not isinstance(obj, Raw):
            return super().save(obj)
        super().save(len(obj.data))
        if self.proto >= 4:
            self.framer.commit_frame(force=True)
        self.file.write(obj.data)


def raw_rows():
    for protocol in PROTOCOLS:
        for sizes in [(0,), (3,), (70_000, 1), (10, 200_000)]:
            raws = [Raw(b'\xff' * size) for size in sizes]
            out, described = io.BytesIO(), io.BytesIO()
            RawPickler(out, protocol).dump(raws + ['end'])
            pickle._Pickler(described, protocol).dump([len(raw.data) for raw in raws] + ['end'])
            script = words(described.getvalue())
            for raw in raws:
                at = script.index('i:%d' % len(raw.data)) + 1
                script.insert(at, 'raw:' + hexadecimal(raw.data))
            yield row(protocol, script, out.getvalue())


# Prints a line for each pickle: the protocol; what the str is, "-" if empty, or "other"; itself.
PYTHON2 = r'''
import pickle, pickletools, sys, types
module = types.ModuleType("old")
sys.modules["old"] = module
class Old: pass
Old.__module__ = "old"
module.Old = Old
made = Old()
made.x = 1
for protocol in 0, 1, 2:
    for s in ("", "abc", "it's", 'both "\'', "\n\t\\\r\x00\x7f\xff\x80", "x" * 255, "x" * 256, "\xff" * 65535,
              "\xff" * 65536, "'" * 70000):
        print protocol, s.encode("hex") or "-", pickle.dumps(s, protocol).encode("hex")
    for v in (made, u"text", 2L, [5, 2L ** 40]):
        print protocol, "other", pickle.dumps(v, protocol).encode("hex")
'''


def shortest(data):
    """Are its ints those an emitter writes? A long of Python 2 that is short is not."""
    return all(op.name not in ('LONG', 'LONG1') or not -2**31 <= arg < 2**31
               for op, arg, _ in pickletools.genops(data))


def python2_rows(python):
    answer = subprocess.run([python, '-c', PYTHON2], capture_output=True, text=True, check=True).stdout
    for line in answer.splitlines():
        protocol, content, data = line.split()
        data = bytes.fromhex(data)
        if content != 'other':
            string = bytes.fromhex(content.strip('-'))
            yield row(protocol, ['u:' + hexadecimal(string), 'put', 'STOP'], data)
        elif shortest(data):
            yield row(protocol, words(data), data)


def optimized_rows():
    for path in sorted(glob.glob(os.path.join(FIXTURES, 'vectors', 'emit', '*.pkl'))):
        with open(path, 'rb') as file:
            data = pickletools.optimize(file.read())
        yield '\t'.join([os.path.basename(path), 'optimize', expected(data)])


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.set_int_max_str_digits(0)
    with open(os.path.join(HERE, 'emit.tsv'), 'w', encoding='utf-8') as table:
        print('#protocol\tscript\tbytes', file=table)
        for rows in (plain_rows(), persistent_rows(), extension_rows(), several_rows(), buffer_rows(),
                     raw_rows(), python2_rows(sys.argv[1]), optimized_rows()):
            for line in rows:
                print(line, file=table)


if __name__ == '__main__':
    main()
