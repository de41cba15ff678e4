"""objects.py - values for test_rewrite.py, and what the picklers of this Python make of them.

Python 2.7 and 3.6 to 3.13 run it; the values are the same each time, so that another process can
say whether what it loads is still the same value.

usage: objects.py write WHAT FILE    WHAT: values, arrays, models
       objects.py check WHAT FILE
       objects.py compress WHAT FOLDER      files of joblib, with each codec

FILE has records: a line "name TAB protocol TAB writer TAB size", then `size` bytes. `write` makes
one for each value, protocol and writer: "c" and "python" are the picklers, "python" only where it
makes something else; "oob" is the C pickler with its buffers elsewhere; "joblib" is
joblib.dump. `check` loads each record, and prints a line "name TAB protocol TAB writer TAB problem"
where that is another value than what the writer's own bytes in that protocol load as.
"""
from __future__ import print_function

import array
import collections
import datetime
import decimal
import fractions
import functools
import io
import os
import pickle
import random
import re
import struct
import sys
import types
import uuid

PY2 = sys.version_info[0] == 2
SEED = 20260101
RANDOM = 150    # nested structures
BYTEARRAYS = sys.version_info >= (3, 8)     # in those: what they are pickled as has changed then

if PY2:
    import copy_reg as copyreg
    import cPickle as c_pickle          # the C pickler is apart there
else:
    import copyreg
    c_pickle = pickle

# -------------------------------------------------------------------- classes


class Plain(object):
    def __init__(self, **attributes):
        self.__dict__.update(attributes)


class Old:
    """In Python 2 an old-style class."""

    def __init__(self, a=None):
        self.a = a


class OldWithArgs:
    def __init__(self, a, b):
        self.a, self.b = a, b

    def __getinitargs__(self):
        return self.a, self.b


class Slots(object):
    __slots__ = 'a', 'b'


class SlotsAndDict(Slots):
    pass


class Stateful(object):
    """A state that is no dict."""
    state = None

    def __init__(self, state=None):
        self.state = state

    def __getstate__(self):
        return self.state

    def __setstate__(self, state):
        self.state = state


class NewArgs(object):
    def __new__(cls, *args):
        self = object.__new__(cls)
        self.args = args
        return self

    def __getnewargs__(self):
        return self.args


class NewArgsEx(object):
    def __new__(cls, *args, **kwargs):
        self = object.__new__(cls)
        self.args, self.kwargs = args, kwargs
        return self

    def __getnewargs_ex__(self):
        return self.args, self.kwargs


class Reduced(object):
    """Whatever __reduce__ is to give, after the class and its arguments."""

    def __init__(self, *args):
        self.args, self.rest, self.items, self.pairs = args, (), [], []

    def __reduce__(self):
        return (Reduced, self.args) + tuple(iter(part) if i in (1, 2) and part is not None else part
                                            for i, part in enumerate(self.rest))

    def append(self, item):
        self.items.append(item)

    def extend(self, items):
        self.items.extend(items)

    def __setitem__(self, key, value):
        self.pairs.append((key, value))

    def __eq__(self, other):
        return type(other) is Reduced and vars(self) == vars(other)

    __hash__ = object.__hash__


def set_reduced(reduced, state):
    reduced.set_by = state


class ByProtocol(object):
    """Its pickle says which protocol it was for."""

    def __init__(self, protocol=None):
        self.protocol = protocol

    def __reduce_ex__(self, protocol):
        return ByProtocol, (protocol,)


class IntChild(int):
    pass


class FloatChild(float):
    pass


class StrChild(str):
    pass


class BytesChild(bytes):
    pass


class TupleChild(tuple):
    pass


class ListChild(list):
    pass


class DictChild(dict):
    pass


class SetChild(set):
    pass


class FrozenChild(frozenset):
    pass


class OrderedChild(collections.OrderedDict):
    pass


class Failure(Exception):
    pass


class Outer(object):
    class Inner(object):
        class Innermost(object):
            pass

        def method(self):
            pass


def function():
    pass


Pair = collections.namedtuple('Pair', 'left right')

if not PY2:
    import enum

    class Color(enum.Enum):
        RED = 1
        BLUE = 'blue'

    class Level(enum.IntEnum):
        LOW = 1

    class Bits(enum.Flag):
        A = 1
        B = 2

    Point = types.new_class('Point')
    Point.__module__ = __name__
    if sys.version_info >= (3, 7):
        import dataclasses

        Data = dataclasses.make_dataclass('Data', ['x', ('y', object, 2)])
        Frozen = dataclasses.make_dataclass('Frozen', ['x'], frozen=True)
        Data.__module__ = Frozen.__module__ = __name__


# --------------------------------------------------------------------- values

def attributes(thing, **more):
    for name, value in more.items():
        setattr(thing, name, value)
    return thing


def fresh(text):
    """A str (bytes, unicode) of its own."""
    return text[:1] + text[1:] if len(text) > 1 else text


def integers():
    yield '0', 0
    for bits in (0, 7, 8, 15, 16, 31, 32, 63, 64, 127, 2031, 2032, 2039, 2040, 2047, 2048, 4000):
        for near in (-1, 0, 1):
            yield '2^%d%+d' % (bits, near), 2 ** bits + near
            yield '-(2^%d%+d)' % (bits, near), -(2 ** bits + near)


def floats():
    return [0.0, -0.0, 1.0, -1.5, 0.1, float('inf'), float('-inf'), float('nan'), sys.float_info.max,
            sys.float_info.min, 5e-324, -5e-324, 1e16, 1e22, 123456789.125, 1e-5, 2.0 ** 255, 2.0 ** 256, 2.0 ** -256]


SIZES = [0, 1, 2, 3, 255, 256, 257, 65535, 65536, 70000]
COUNTS = [0, 1, 2, 3, 4, 999, 1000, 1001, 1002, 1999, 2000, 2001, 3000]

TEXTS = [u'caf\xe9', u'\u20ac\u4e2d', u'\U0001f600', u'a\0b', u'a\nb\r\n\x1ac', u'a\\b\\u0041', u'\'"', u'\ufeff',
         u'\U0010ffff', u'\x7f\x80\xa0', u'\xff', u'\xe9', u'latin1', u'\u0100' * 128, u'\u0100' * 127 + u'a']


def atoms():
    yield 'none', None
    yield 'true', True
    yield 'false', False
    for name, n in integers():
        yield 'int ' + name, n
    for x in floats():
        yield 'float %r' % x, x
    yield 'nan with payload', struct.unpack('<d', b'\1\0\0\0\0\0\xf8\xff')[0]
    for size in SIZES:
        yield 'text %d' % size, u'x' * size
        yield 'bytes %d' % size, b'y' * size
        yield 'bytearray %d' % size, bytearray(b'z' * size)
        yield 'high bytes %d' % size, b'\xe9' * size
        yield 'wide text %d' % size, u'\xe9' * (size // 2)
    for i, text in enumerate(TEXTS):
        yield 'text #%d' % i, text
    if not PY2:
        for i, text in enumerate([u'\ud800', u'x\udfffy', u'\udc80' * 100]):
            yield 'surrogates #%d' % i, text
    yield 'every byte', bytes(bytearray(range(256)))
    yield 'latin1 letters', [u'\xe9', u'a', u'\xe9', u'a', b'a', b'a', b'\xe9', u'\xe9']
    yield 'bytes and text of one letter', [b'a', u'a', bytearray(b'a'), bytearray(b'a'), b'a']
    yield 'empty ones', [u'', b'', (), [], {}, u'', b'', (), [], {}, frozenset(), frozenset(), bytearray(), bytearray()]


def boxes():
    for n in COUNTS:
        yield 'list %d' % n, [i % 300 for i in range(n)]
        yield 'dict %d' % n, dict((i, None) for i in range(n))
        yield 'set %d' % n, set(range(n))
        yield 'frozenset %d' % n, frozenset(range(n))
        yield 'list child %d' % n, ListChild(range(n))
        yield 'dict child %d' % n, DictChild((i, i) for i in range(n))
        yield 'ordered %d' % n, collections.OrderedDict((i, i) for i in range(n))
        yield 'deque %d' % n, collections.deque(range(n))
    for n in range(6):
        yield 'tuple %d' % n, tuple(range(n))
        yield 'text tuple %d' % n, tuple(u'item %d' % i for i in range(n))
    yield 'tuple 2001', tuple(range(2001))
    yield 'keys', {None: 0, True: 1, 2.5: 2, (1, 2): 3, u'\xe9': 4, -1: 5, 2 ** 70: 6, '': 7, frozenset([1]): 8}
    yield 'texts of frames', [u'%d ' % i * 5000 for i in range(60)]
    yield 'large among small', [1, u'a' * 66000, 2, b'b' * 66000, {u'k': u'c' * 65536}, b'd' * 65535, [3]]
    yield 'frame by ints', list(range(40000))
    deep = []
    for _ in range(100):
        deep = [deep, (deep,)][:1]
    yield 'deep', deep


def sharing():
    part, pair, text, data = [1, 2], (1, [2]), fresh(u'shared text'), fresh(b'shared bytes')
    number, group, both = 2 ** 70, frozenset([1, 2]), bytearray(b'shared')
    for name, one in [('list', part), ('tuple', pair), ('text', text), ('bytes', data), ('int', number),
                      ('frozenset', group), ('bytearray', both), ('class', Plain), ('function', function),
                      ('global', len), ('object', Plain(a=1)), ('set', set([3])), ('dict', {1: 2})]:
        yield 'shared ' + name, [one, one, {u'again': one}, (one,)]
    yield 'equal texts', [fresh(u'equal text'), fresh(u'equal text')]
    yield 'many shared', [[[i] for i in range(400)]] * 2
    yield 'many texts shared', [[u'text %d' % i for i in range(300)]] * 2
    yield 'text and attribute', [Plain(name=1), 'name', Plain(name=2)]
    yield 'bytes shared with bytearray', [data, bytearray(data), data]


def recursion():
    one = []
    one.append(one)
    yield 'list in itself', one
    table = {}
    table[u'self'] = table
    yield 'dict in itself', table
    for n in range(1, 6):
        by = []
        ring = (by,) + (None,) * (n - 1)
        by.append(ring)
        yield 'tuple of %d in itself' % n, ring
        yield 'list in a tuple of %d in itself' % n, by
    thing = Plain()
    thing.me = thing
    yield 'object in itself', thing
    member = Plain()
    member.group = set([member])
    yield 'object in a set in itself', member
    yield 'set with an object that has it', member.group
    member = Plain()
    member.group = frozenset([member])
    yield 'object in a frozenset in itself', member
    yield 'frozenset with an object that has it', member.group
    like = ListChild()
    like.append(like)
    yield 'list child in itself', like
    like = DictChild()
    like[1] = like
    like.me = like
    yield 'dict child in itself', like
    through = []
    reduced = Reduced(through)
    through.append(reduced)
    yield 'arguments with what they make', reduced
    yield 'list in the arguments of its item', through
    ordered = collections.OrderedDict()
    ordered[u'me'] = ordered
    yield 'ordered in itself', ordered
    ring = collections.deque()
    ring.append(ring)
    yield 'deque in itself', ring
    a, b = Plain(), Plain()
    a.b, b.a, a.list = b, a, [a, b]
    yield 'two objects', a


def with_rest(*rest):
    value = Reduced(1, u'x')
    value.rest = rest
    return value


def objects():
    yield 'plain', Plain(a=1, b=[2])
    yield 'plain empty', Plain()
    yield 'plain many', [Plain(x=i, y=str(i)) for i in range(1001)]
    yield 'old', Old(1)
    yield 'old with arguments', OldWithArgs(1, u'x')
    yield 'stateful', [Stateful(1), Stateful((1, 2)), Stateful(None), Stateful(u'text'), Stateful([])]
    yield 'slots', attributes(Slots(), a=1, b=[2])
    yield 'slots and dict', attributes(SlotsAndDict(), a=1, more=u'x')
    for i, args in enumerate([(), (1,), (1, 2), (1, 2, 3, 4)]):
        yield 'newargs %d' % i, NewArgs(*args)
    if not PY2:
        yield 'newargs_ex', NewArgsEx(1, 2, key=u'value')
        yield 'newargs_ex twice', [NewArgsEx(1, key=1), NewArgsEx(key=2), NewArgsEx()]
    yield 'by protocol', ByProtocol()
    yield 'reduce 2', with_rest()
    yield 'reduce 3', with_rest({u'a': 1})
    yield 'reduce 4', with_rest({u'a': 1}, [1, 2, 3])
    yield 'reduce 4 of 1', with_rest(None, [1])
    yield 'reduce 5', with_rest({u'a': 1}, [1], [(u'k', 1), (u'l', 2)])
    yield 'reduce 5 of 1001', with_rest(None, list(range(1001)), [(i, i) for i in range(1001)])
    yield 'reduce 5 of 1000', with_rest(None, list(range(1000)), [(i, i) for i in range(2000)])
    if sys.version_info >= (3, 8):
        yield 'setter', with_rest({u'a': 1}, None, None, set_reduced)
        yield 'setter among others', [with_rest([1], [2], [(3, 4)], set_reduced), 5]
    for child in (IntChild(7), FloatChild(1.5), StrChild('text'), TupleChild((1, 2)), BytesChild(b'abc'),
                  SetChild([1, 2]), FrozenChild([3]), ListChild([1, 2]), DictChild({1: 2}), OrderedChild([(1, 2)]),
                  Pair(1, u'right')):
        yield 'child %s' % type(child).__name__, child
        if not isinstance(child, Pair):
            yield 'child with attributes %s' % type(child).__name__, attributes(type(child)(child), extra=[1])
    yield 'error', Failure(u'text', 1)
    yield 'error with attributes', attributes(Failure(), extra=1)
    yield 'classes', [Plain, Old, Failure, IntChild, Pair]
    yield 'functions', [function, set_reduced]
    if not PY2:
        yield 'inner class', Outer.Inner
        yield 'inner classes', [Outer.Inner, Outer.Inner.Innermost, Outer, Outer.Inner]
        yield 'inner object', [Outer.Inner(), Outer.Inner.Innermost()]
        yield 'inner function', Outer.Inner.method
        yield 'method of a type', [str.join, str.join]
        yield 'method of an object', [].append
        yield 'enums', [Color.RED, Color.BLUE, Color.RED, Level.LOW, Bits.A, Bits.A | Bits.B]
        yield 'new class', Point
    if sys.version_info >= (3, 7):
        yield 'dataclass', [Data(1), Data(u'x', [])]
        yield 'frozen dataclass', Frozen(1)


def standard():
    moment = datetime.datetime(2020, 2, 29, 13, 14, 15, 999999)
    for value in (moment, moment.date(), moment.time(), datetime.timedelta(-1, 3600, 7), datetime.datetime(1, 1, 1)):
        yield '%s %s' % (type(value).__name__, value), value
    yield 'dates', [moment.date(), moment, moment.date(), datetime.date, datetime.datetime]
    yield 'decimals', [decimal.Decimal(s) for s in ('1.10', '-0', 'NaN', 'Infinity', '1E+500')]
    yield 'fraction', fractions.Fraction(-22, 7)
    yield 'complex', [complex(1.5, -0.0), complex(float('inf'), 0)]
    yield 'ordered', collections.OrderedDict([(u'z', 1), (u'a', [2]), (u'm', None)])
    yield 'ordered with attributes', attributes(OrderedChild([(1, 2)]), extra=3)
    yield 'defaultdict', collections.defaultdict(list, {u'a': [1], u'b': []})
    yield 'defaultdict of none', collections.defaultdict(None, {u'a': 1})
    yield 'counter', collections.Counter({u'a': 3, u'b': 1})
    yield 'deque bounded', collections.deque([1, 2, 3], 5)
    yield 'uuid', uuid.UUID('12345678123456781234567812345678')
    yield 'partial', functools.partial(int, base=2)
    for code, items in (('b', [1, -1]), ('d', [1.0, 2.5]), ('i', []), ('i', list(range(2000)))):
        yield 'array %s of %d' % (code, len(items)), array.array(code, items)
    yield 'errors', [ValueError(u'bad', 3), KeyError(u'k'), attributes(RuntimeError(u'with state'), extra=[1])]
    yield 'os error', OSError(2, 'No such file', 'name')
    yield 'types', [int, list, dict, object, Exception, str, float, type]
    yield 'builtin functions', [len, abs, max]
    yield 'types and functions', [int, len, str, abs]
    yield 'expression', re.compile(u'a+b', re.I)
    if not PY2:
        for name, value in standard3(moment):
            yield name, value


def standard3(moment):
    import ipaddress
    import pathlib
    zone = datetime.timezone(datetime.timedelta(hours=5, minutes=30), 'IST')
    yield 'aware', [moment.replace(tzinfo=datetime.timezone.utc), moment.replace(tzinfo=zone).timetz()]
    yield 'fold', moment.replace(fold=1)
    yield 'fold of a time', moment.time().replace(fold=1)
    yield 'range', [range(1, 10, 3), range(0)]
    yield 'slice', slice(None, 5, 2)
    yield 'path', pathlib.PurePosixPath('/a', 'b.txt')
    yield 'address', ipaddress.IPv4Address('127.0.0.1')
    yield 'namespace', types.SimpleNamespace(a=1, b=[2])
    yield 'chain', collections.ChainMap({u'a': 1}, {u'b': 2})
    yield 'user list', collections.UserList([1, 2])
    yield 'singletons', [Ellipsis, NotImplemented, Ellipsis, None]
    yield 'types of singletons', [type(None), type(Ellipsis), type(NotImplemented), type(None)]
    yield 'module functions', [os.path.join, functools.reduce, pickle.dumps]
    yield 'renamed modules', [io.BytesIO, functools.reduce, StopIteration, ConnectionError, map, zip, range]
    if sys.version_info >= (3, 8):
        yield 'buffers', [pickle.PickleBuffer(b'read only'), pickle.PickleBuffer(bytearray(b'may change'))]


def python2():
    """What only Python 2 has."""
    yield 'str', ['text', 'caf\xe9', '', 'a\nb\\c\'"', 'x' * 255, 'x' * 256, 'x' * 70000]
    yield 'longs', [long(n) for _, n in integers()] + [1, long(1)]     # noqa: F821
    yield 'xrange', slice(1, 2)
    yield 'old class', Old
    yield 'old in itself', attributes(Old(), a=OldWithArgs(Old(), 2))


class Maker(object):
    """Nested structures; `made` are the parts so far, to be used again and to close cycles."""

    def __init__(self, rng):
        self.rng, self.made = rng, []

    def atom(self):
        rng = self.rng
        return rng.choice([
            None, True, False, rng.randrange(-300, 300), rng.randrange(1 << 70) - (1 << 69), rng.random() * 100,
            u'text %d' % rng.randrange(50), u'key', u'\u20ac', u'e', b'bytes %d' % rng.randrange(9) if not PY2 else 'b',
            Plain, function, datetime.date(2020, 1, 1 + rng.randrange(28)), decimal.Decimal(rng.randrange(100))])

    def key(self):
        rng = self.rng
        return rng.choice([rng.randrange(100), u'key %d' % rng.randrange(50), (rng.randrange(5), u'pair'),
                           frozenset([rng.randrange(9), u'member']), None, rng.random()])

    def list(self, depth, size):
        value = self.keep([])
        value.extend(self.value(depth) for _ in range(size))
        return value

    def dict(self, depth, size):
        value = self.keep({})
        for _ in range(size):
            value[self.key()] = self.value(depth)
        return value

    def tuple(self, depth, size):
        return self.keep(tuple(self.value(depth) for _ in range(size % 6)))

    def set(self, depth, size):
        return self.keep(set(self.key() for _ in range(size)))

    def frozenset(self, depth, size):
        return self.keep(frozenset(self.key() for _ in range(size)))

    def object(self, depth, size):
        value = self.keep(Plain())
        for i in range(size):
            setattr(value, 'attribute%d' % i, self.value(depth))
        return value

    def ordered(self, depth, size):
        value = self.keep(collections.OrderedDict())
        for _ in range(size):
            value[self.key()] = self.value(depth)
        return value

    def bytearray(self, depth, size):
        return self.keep(bytearray(b'x' * size * 3))

    def keep(self, value):
        self.made.append(value)
        return value

    def value(self, depth=0):
        rng = self.rng
        if self.made and rng.random() < .12:
            return rng.choice(self.made)
        if depth > 5 or rng.random() < .45:
            return self.atom()
        make = rng.choice([self.list, self.list, self.dict, self.dict, self.tuple, self.tuple, self.set,
                           self.frozenset, self.object, self.object, self.ordered] + BYTEARRAYS * [self.bytearray])
        size = rng.randrange(6) if rng.random() < .99 else rng.choice([1000, 1001])
        return make(depth + 1 if size < 10 else 9, size)


def nested():
    for i in range(RANDOM):
        maker = Maker(random.Random(SEED + i))
        yield 'random %d' % i, [maker.value() for _ in range(4)]


def values():
    for group in (atoms, boxes, sharing, recursion, objects, standard, nested) + ((python2,) if PY2 else ()):
        for name, value in group():
            yield name, value


# --------------------------------------------------------------------- arrays

SIMPLE = ['?', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'f2', 'f4', 'f8', 'c8', 'c16', 'S1', 'S7', 'U1', 'U5',
          'V3', 'M8[ns]', 'M8[D]', 'M8[25s]', 'm8[us]', 'M8', 'm8', 'm8[Y]', '>i4', '>f8', '>U3', '>M8[s]', 'g']
RECORDS = [('packed', [('a', '<i4'), ('b', '<f8')]), ('one', [('x', 'f4')]), ('subarray', [('m', '<f4', (2, 3))]),
           ('nested', [('in', [('x', '<i2'), ('y', '>f8')]), ('s', 'S3')]), ('title', [(('the title', 'a'), '<i4')])]


def filled(np, dtype, shape):
    """No padding bytes but zeros."""
    count = 1
    for n in shape:
        count *= n
    value = np.zeros(count, dtype)
    if value.dtype.names is None and value.dtype.kind not in 'OV?' and value.dtype.char != 'g':
        value[:] = np.arange(1, count + 1).astype('i8').astype(value.dtype)
    return value.reshape(shape)


def array_of_each_dtype(np):
    for dtype in SIMPLE:
        yield 'dtype ' + dtype, filled(np, dtype, (3,))
        yield 'pair ' + dtype, [filled(np, dtype, (2, 2)), filled(np, dtype, (2,))]
    for name, fields in RECORDS:
        yield 'record ' + name, filled(np, fields, (2,))
    yield 'record aligned', filled(np, np.dtype([('a', 'i1'), ('b', 'f8')], align=True), (2,))
    yield 'record with gaps', filled(np, np.dtype({'names': ['a'], 'formats': ['<i4'], 'offsets': [4], 'itemsize': 16}),
                                     (2,))
    yield 'dtypes', [np.dtype(d) for d in SIMPLE] + [np.dtype(fields) for _, fields in RECORDS]
    yield 'dtype class', [np.float64, np.ndarray, np.dtype]


def arrays_by_layout(np):
    grid = np.arange(12, dtype='<f8').reshape(3, 4)
    locked = grid.copy()
    locked.setflags(write=False)
    for name, value in [
            ('0-d', np.array(1.5)), ('0-size', np.zeros((0, 3))), ('empty', np.array([])), ('C', grid),
            ('F', np.asfortranarray(grid)), ('strided', grid[:, ::2]), ('reversed', grid[::-1]),
            ('transposed', np.arange(24).reshape(2, 3, 4).transpose(1, 0, 2)), ('read-only', locked),
            ('one', np.ones((1, 1))), ('large', np.zeros(20000)), ('large bytes', np.zeros(65536, 'u1')),
            ('small bytes', np.zeros(65535, 'u1')), ('broadcast', np.broadcast_to(np.array([1.0]), (3,)))]:
        yield 'array ' + name, value
    yield 'shared array', [grid, grid, {u'again': grid}]
    yield 'view and base', [grid, grid[0]]
    yield 'shared dtype', [np.zeros(2), np.ones(2), np.dtype('<f8'), np.float64(2)]
    record = np.dtype([('a', '<i4')])
    yield 'shared record dtype', [np.zeros(2, record), np.zeros(1, record), record]
    yield 'table of arrays', {u'a': grid, u'b': Plain(coef=grid[0].copy(), classes=np.array([1, 2]))}


def arrays_of_objects(np):
    things = np.empty((2, 2), dtype=object)
    things[:] = [[1, u'text'], [None, [1]]]
    yield 'objects', things
    yield 'objects F', np.asfortranarray(things)
    yield 'objects empty', np.empty(0, object)
    inner = np.empty(2, object)
    inner[:] = [np.arange(3), np.zeros(2, 'S2')]
    yield 'objects with arrays', inner
    ring = np.empty(1, object)
    ring[0] = ring
    yield 'objects in themselves', ring
    yield 'record of objects', np.zeros(2, [('o', 'O'), ('i', '<i4')])
    yield 'many objects', np.array([u'text %d' % i for i in range(1500)], dtype=object)
    yield 'scalars', [np.float64(1.5), np.float32(2.5), np.int64(3), np.bool_(True), np.complex128(1j),
                      np.datetime64('2020-01-01'), np.timedelta64(5, 's'), np.bytes_(b'ab'), np.str_(u'text')]
    yield 'same scalars', [np.float64(1.5), np.float64(2.5), np.float32(1)]
    yield 'void', np.zeros(1, [('a', '<i4')])[0]
    yield 'matrix', np.matrix([[1, 2], [3, 4]])
    yield 'masked', np.ma.masked_array([1, 2, 3], mask=[0, 1, 0])
    yield 'recarray', np.rec.array([(1, 2.0)], dtype=[('a', '<i4'), ('b', '<f8')])
    yield 'random state', np.random.RandomState(0)
    if hasattr(np.random, 'default_rng'):
        yield 'generator', np.random.default_rng(0)


def arrays():
    import numpy as np
    for group in (array_of_each_dtype, arrays_by_layout, arrays_of_objects):
        for name, value in group(np):
            yield name, value


def models():
    from sklearn import datasets, ensemble, linear_model, neighbors, pipeline, preprocessing
    x, y = datasets.load_iris(return_X_y=True)
    scaled = pipeline.Pipeline([('scale', preprocessing.StandardScaler()),
                                ('model', linear_model.LogisticRegression(max_iter=500))])
    for name, model in [('forest', ensemble.RandomForestClassifier(n_estimators=5, random_state=0)),
                        ('boosting', ensemble.GradientBoostingClassifier(n_estimators=3, random_state=0)),
                        ('neighbors', neighbors.KNeighborsClassifier(algorithm='kd_tree')), ('pipeline', scaled)]:
        yield name, model.fit(x, y)


VALUES = {'values': values, 'arrays': arrays, 'models': models}

# -------------------------------------------------------------------- pickling


def out_of_band(value):
    return pickle.dumps(value, 5, buffer_callback=lambda buffer: None)


def by_python(value, protocol):
    out = io.BytesIO()
    getattr(pickle, '_Pickler', pickle.Pickler)(out, protocol).dump(value)
    return out.getvalue()


def by_joblib(value, protocol):
    import joblib
    out = io.BytesIO()
    joblib.dump(value, out, protocol=protocol)
    return out.getvalue()


def writers(what):
    """name, dumps, protocols"""
    protocols = range(pickle.HIGHEST_PROTOCOL + 1)
    yield 'c', c_pickle.dumps, protocols
    yield 'python', by_python, protocols
    if what == 'values':
        return
    if pickle.HIGHEST_PROTOCOL >= 5:
        yield 'oob', lambda value, protocol: out_of_band(value), [5]
    yield 'joblib', by_joblib, protocols


def write_one(out, what, name, value):
    seen = {}
    for writer, dumps, protocols in writers(what):
        for protocol in protocols:
            try:
                data = dumps(value, protocol)
            except Exception:       # not in this protocol, or not by this pickler
                continue
            if data == seen.get(protocol) and writer == 'python':
                continue
            seen.setdefault(protocol, data)
            out.write(('%s\t%d\t%s\t%d\n' % (name, protocol, writer, len(data))).encode('utf-8'))
            out.write(data)


def write(what, path):
    with open(path, 'wb') as out:
        for name, value in VALUES[what]():
            write_one(out, what, name, value)


# ------------------------------------------------------------------- comparing

BoundMethod = type([].append)
ONE = (list, dict, set, Plain, collections.OrderedDict)     # what is one object or two matters


class Difference(Exception):
    pass


def parts(value):
    """(type, parts to be compared in order) of two equal values are the same."""
    kind = type(value)
    if kind is float:
        return struct.pack('<d', value) if value == value else 'nan'
    if kind in (list, tuple):
        return list(value)
    if kind is dict:
        return [part for pair in value.items() for part in pair]
    if kind in (set, frozenset):
        return sorted(value, key=lambda v: (repr(type(v)), repr(v) if not isinstance(v, Plain) else ''))
    if kind.__name__ == 'PickleBuffer':
        return bytes(value)
    if kind.__module__ == 'numpy' and kind.__name__ == 'ndarray' and value.dtype.names:
        return [value.dtype, value.shape] + [value[name] for name in value.dtype.names]     # no padding
    if kind.__module__ == 'numpy' and kind.__name__ == 'ndarray' and not value.dtype.hasobject:
        return [value.dtype, value.shape, value.tobytes()]
    if kind is Reduced:
        return [vars(value)]
    if kind is types.MethodType or kind is BoundMethod and isinstance(value.__self__, list):
        return [value.__self__]
    if isinstance(value, (type, types.FunctionType, BoundMethod)):
        return repr(value)
    if kind is ByProtocol:
        return []
    if kind in (str, bytes, int, bool, type(None), bytearray, type(u'')):
        return value
    reduce = copyreg.dispatch_table.get(kind)
    reduced = reduce(value) if reduce else value.__reduce_ex__(2)
    if isinstance(reduced, tuple):
        return [list(part) if i in (3, 4) and part is not None else part for i, part in enumerate(reduced)]
    return reduced


def compare(want, got):
    """Raises Difference; what is shared has to be shared, cycles included."""
    todo, seen, kept = [(want, got, 'it')], {}, []
    while todo:
        a, b, path = todo.pop()
        kept += [a, b]
        if type(a) is not type(b):
            raise Difference('%s: %s, not %s' % (path, type(b).__name__, type(a).__name__))
        if id(a) in seen:
            if seen[id(a)] is not b and isinstance(a, ONE):
                raise Difference('%s: not the same object as before' % path)
            continue
        seen[id(a)] = b
        left, right = parts(a), parts(b)
        if type(left) is not list:
            if left != right:
                raise Difference('%s: %.60r, not %.60r' % (path, right, left))
            continue
        if len(left) != len(right):
            raise Difference('%s: %d parts, not %d' % (path, len(right), len(left)))
        todo.extend((x, y, '%s.%d' % (path, i)) for i, (x, y) in enumerate(zip(left, right)))


def load(what, data):
    if what == 'values':
        return pickle.loads(data)
    import joblib
    return joblib.load(io.BytesIO(data))


COMPRESSORS = [('zlib', 'z', (1, 3, 6, 9)), ('gzip', 'gz', (1, 3, 6, 9)), ('bz2', 'bz2', (1, 3, 9)),
               ('xz', 'xz', (0, 3, 6)), ('lzma', 'lzma', (0, 3, 6)), ('lz4', 'lz4', (1, 3, 9))]


def records(path):
    with open(path, 'rb') as file:
        for line in iter(file.readline, b''):
            name, protocol, writer, size = line.decode('utf-8').rstrip('\n').split('\t')
            yield name, int(protocol), writer, file.read(int(size))


def check(what, path):
    values, dumps = dict(VALUES[what]()), dict((name, dumps) for name, dumps, _ in writers(what))
    for name, protocol, writer, data in records(path):
        try:
            want = load(what, dumps[writer](values[name], protocol))
            compare(want, load(what, data))
        except Exception as error:      # whatever a class says to what it is given
            problem = '%s: %s' % (type(error).__name__, error)
            print('%s\t%d\t%s\t%s' % (name, protocol, writer, problem.split('\n')[0]))


def compress(what, folder):
    """NAME.joblib, and NAME.LEVEL.joblib.CODEC for each codec there is."""
    import joblib
    for name, value in VALUES[what]():
        joblib.dump(value, os.path.join(folder, name + '.joblib'))
        for method, ending, levels in COMPRESSORS:
            for level in levels:
                path = os.path.join(folder, '%s.%d.joblib.%s' % (name, level, ending))
                try:
                    joblib.dump(value, path, compress=(method, level))
                except (ValueError, NotImplementedError):   # this joblib does not have it
                    pass


def main(action, what, path):
    sys.setrecursionlimit(10000)
    {'write': write, 'check': check, 'compress': compress}[action](what, path)


if __name__ == '__main__':
    # Classes are pickled by their module's name, which is not to be __main__.
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    sys.modules.pop('objects', None)
    import objects
    objects.main(*sys.argv[1:])
