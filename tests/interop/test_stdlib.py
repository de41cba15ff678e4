"""test_stdlib.py - objects of the standard library that live Pythons pickle, and what the views say.

For each Python in the folder $PICKLE_VENVS (<name>/bin/python) and each that pyenv has: many values,
pickled by the C pickler and the one written in Python, in every protocol. The helper $PICKLE_STDLIB
prints the parts of each; what they should be, the Python that wrote them says of the values before
it pickled them. The last column is repr(): a Python 3.12 or later that is there reads the files and
says what it is, where it can (names of modules it lacks are not compared).

Run with "write FOLDER" by those Pythons themselves, 2.7 included: makes the files, and FOLDER/want.
Run with "show FOLDER": makes FOLDER/shown.
"""
from __future__ import print_function

import array
import collections
import datetime
import decimal
import fractions
import functools
import glob
import io
import json
import os
import pickle
import re
import subprocess
import sys
import tempfile
import uuid

PY2 = sys.version_info[0] == 2
if PY2:
    import UserDict
    import UserList
    import cPickle
    # Old-style in Python 2; what Python 3 writes for its own is Python 2's IterableUserDict.
    user_dicts, user_list = [UserDict.UserDict, UserDict.IterableUserDict], UserList.UserList
else:
    user_dicts, user_list = [collections.UserDict], collections.UserList

try:
    import enum
except ImportError:
    enum = None
try:
    import dataclasses
except ImportError:
    dataclasses = None

# --------------------------------------------------------------------- our own classes

Point = collections.namedtuple('Point', 'x y')
One = collections.namedtuple('One', 'only')


class Tuple(tuple):
    pass


class List(list):
    pass


class Dict(dict):
    pass


class Ordered(collections.OrderedDict):
    pass


class Plain(object):
    pass


class Slots(object):
    __slots__ = ('a', 'b')


if enum:
    class Color(enum.Enum):
        RED = 1
        BLUE = 'b'

    class Level(enum.IntEnum):
        LOW = 1

    class Bits(enum.Flag):
        A = 1
        B = 2
        C = 4

if dataclasses:                         # made so that Python 2 can read this file
    fields = [('a', int, 1), ('b', str, 'x')]
    Data = dataclasses.make_dataclass('Data', fields)
    Data.__module__ = __name__
    if sys.version_info >= (3, 10):
        SlotData = dataclasses.make_dataclass('SlotData', fields, slots=True)
        FrozenData = dataclasses.make_dataclass('FrozenData', fields, frozen=True, slots=True)
        SlotData.__module__ = FrozenData.__module__ = __name__

# ------------------------------------------------------------------------- the writer


def rep(value):
    """repr() as Python 3 has it, of what is simple."""
    if value is None or isinstance(value, (bool, float)):
        return repr(value)
    if isinstance(value, type):
        return "<class '%s'>" % value.__name__
    if PY2 and isinstance(value, (int, long)):  # noqa: F821
        return repr(int(value)).rstrip('L')
    if PY2 and isinstance(value, unicode):  # noqa: F821
        return repr(value)[1:]
    if isinstance(value, tuple):
        return '(%s%s)' % (', '.join(rep(v) for v in value), ',' if len(value) == 1 else '')
    if isinstance(value, list):
        return '[%s]' % ', '.join(rep(v) for v in value)
    if isinstance(value, dict):
        return '{%s}' % ', '.join('%s: %s' % (rep(k), rep(value[k])) for k in value)
    return repr(value)


def items(kind, value, factory=None, maxlen=-1):
    if isinstance(value, list):
        parts = [rep(v) for v in value]
    else:
        parts = [rep(k) + ':' + rep(v) for k, v in value]
    return ' '.join(['%s %d %s %d' % (kind, len(parts), '-' if factory is None else rep(factory), maxlen)]
                    + parts)


def mapping(value, factory=None):
    return items('dict', tuple((k, value[k]) for k in value), factory)


def zone_parts(zone):
    if zone is None:
        return 'naive'
    offset = zone.utcoffset(None)
    micros = offset // datetime.timedelta.resolution
    given = zone.__reduce__()[1]
    name = given[1] if len(given) == 2 else '-' if micros else 'UTC'
    return '%s - %d' % (name, micros)


def moment_parts(value):
    parts = [getattr(value, name, 0) for name in
             ('year', 'month', 'day', 'hour', 'minute', 'second', 'microsecond', 'fold')]
    return ' '.join(str(n) for n in parts) + ' ' + zone_parts(getattr(value, 'tzinfo', None))


def containers():
    yield 'mapping', 'collections.UserDict', [(cls({u'a': 1}), mapping({u'a': 1})) for cls in user_dicts]
    yield 'mapping', 'collections.OrderedDict', [
        (value, mapping(value)) for value in (
            collections.OrderedDict(), collections.OrderedDict([(u'z', 1), (u'a', [2]), (None, ())]),
            collections.OrderedDict((i, -i) for i in range(30)),
            collections.OrderedDict([(1, 'one'), (2.5, 'x'), ((1, u'k'), 'y'), (2 ** 70, 'big')]))]
    yield 'mapping', 'collections.defaultdict', [
        (collections.defaultdict(list, {u'a': [1]}), items('dict', ((u'a', [1]),), list)),
        (collections.defaultdict(None, {1: 2}), items('dict', ((1, 2),))),
        (collections.defaultdict(int), items('dict', (), int))]
    yield 'mapping', 'collections.Counter', [
        (value, mapping(value.__reduce__()[1][0])) for value in (
            collections.Counter('abracadabra'), collections.Counter(), collections.Counter(a=-1, b=0, c=2.5),
            collections.Counter({1: 2 ** 70, 2: 1, 3: 3}))]
    yield 'sequence', 'collections.deque', [
        (value, items('list', list(value), None, -1 if value.maxlen is None else value.maxlen))
        for value in (collections.deque(), collections.deque([1, None, u'x']), collections.deque([1, 2], 5),
                      collections.deque([], 0), collections.deque(range(10), 3))]
    yield 'sequence', 'collections.UserList', [(user_list([1, [2]]), items('list', [1, [2]]))]
    yield 'set', '-', [(set(v), items('set', list(set(v)))) for v in ((), (1,), (u'x',))]
    yield 'set', '-', [(frozenset(v), items('frozenset', list(frozenset(v)))) for v in ((), ((1, 2),))]
    yield 'bytes', '-', [(bytearray(v), ''.join('%02x' % c for c in bytearray(v)))
                         for v in (b'', b'abc', b'it\'s', bytes(bytearray(range(256))))]
    if not PY2:
        chains = [({},), ({'a': 1}, {'b': 2}), ({1: 1}, {}, {1: 2})]
        yield 'ChainMap', 'collections.ChainMap', [
            (collections.ChainMap(*maps), items('list', list(maps))) for maps in chains]


def dates():
    date, time, moment = datetime.date, datetime.time, datetime.datetime
    delta = datetime.timedelta
    moments = [moment.min, moment.max, moment(2020, 2, 29, 13, 14, 15, 999999), moment(2020, 1, 2),
               moment(2020, 1, 2, 3, 4, 5)]
    times = [time.min, time.max, time(1), time(1, 2, 0, 4)]
    if not PY2:
        zone = datetime.timezone
        zones = [zone.utc, zone(delta(hours=5, minutes=30)), zone(delta(hours=-5), 'EST'), zone(delta(0), 'Z'),
                 zone(delta(hours=23, minutes=59)), zone(-delta(hours=23, minutes=59))]
        if sys.version_info >= (3, 7):
            zones.append(zone(delta(microseconds=1) - delta(1)))
        yield 'time zone', 'datetime.timezone', [(v, zone_parts(v)) for v in zones]
        moments += [moment(2020, 2, 3, tzinfo=v) for v in zones]
        times += [time(2, tzinfo=v) for v in zones]
        if sys.version_info >= (3, 6):
            times += [time(1, 2, 3, 4, fold=1), time(23, tzinfo=zone.utc, fold=1)]
            moments += [moment(2020, 12, 31, fold=1), moment(2020, 12, 31, 1, 2, 3, 4, zone.utc, fold=1)]
    yield 'date', 'datetime.date', [(v, moment_parts(v)) for v in (date.min, date.max, date(2020, 2, 29))]
    yield 'time', 'datetime.time', [(v, moment_parts(v)) for v in times]
    yield 'datetime', 'datetime.datetime', [(v, moment_parts(v)) for v in moments]
    yield 'timedelta', 'datetime.timedelta', [
        (v, '%d %d %d' % (v.days, v.seconds, v.microseconds))
        for v in (delta(0), delta.min, delta.max, delta.resolution, -delta.resolution, delta(1, 2, 3),
                  delta(seconds=-1), delta(hours=1))]
    try:
        import zoneinfo
        yield 'time zone', 'zoneinfo.ZoneInfo', [
            (zoneinfo.ZoneInfo('Europe/Berlin'), 'Europe/Berlin -'),
            (zoneinfo.ZoneInfo.no_cache('UTC'), 'UTC -')]
    except Exception:                   # no such module, or no such zone on this machine
        pass


def other_zones():
    """Of packages that may not be there; repr() of what they are is their own."""
    try:
        import pytz
        berlin = pytz.timezone('Europe/Berlin').localize(datetime.datetime(2020, 7, 1)).tzinfo
        yield 'time zone', 'pytz.UTC', [(pytz.utc, 'UTC - 0')]
        yield 'time zone', 'pytz.tzinfo.BaseTzInfo', [
            (berlin, 'Europe/Berlin CEST 7200000000'), (pytz.timezone('Etc/GMT+5'), 'Etc/GMT+5 -')]
        yield 'time zone', 'pytz.FixedOffset', [(pytz.FixedOffset(n), '- - %d' % (n * 60000000))
                                                for n in (90, -90)]
    except ImportError:
        pass
    try:
        import dateutil.tz as tz
        yield 'time zone', 'dateutil.tz.tzutc', [(tz.tzutc(), 'UTC - 0')]
        yield 'time zone', 'dateutil.tz.tzoffset', [(tz.tzoffset('X', 3600), 'X - 3600000000'),
                                                    (tz.tzoffset(None, -5400), '- - -5400000000')]
        yield 'time zone', 'dateutil.tz.tzlocal', [(tz.tzlocal(), '- -')]
        yield 'time zone', 'dateutil.tz.tzrange', [(tz.tzrange('EST', -18000, 'EDT'), '- -')]
        yield 'time zone', 'dateutil.tz.tzstr', [(tz.tzstr('EST5EDT'), 'EST5EDT -')]
    except ImportError:
        pass


def numbers():
    nan, inf = float('nan'), float('inf')

    def hexa(x):
        """C's %a."""
        if x != x or x in (inf, -inf):
            return repr(x)
        sign, digits, exponent = re.match(r'(-?)0x([01](?:\.\w*?)?)0*p(.*)', x.hex()).groups()
        return '%s0x%sp%s' % (sign, digits.rstrip('.'), exponent)

    yield 'complex', 'builtins.complex', [
        (v, '%s %s' % (hexa(v.real), hexa(v.imag)))
        for v in (1 + 2j, complex(0, 1), complex(-0.0, 1), complex(1.5, -0.0), complex(inf, nan), 1e300 + .1j)]
    texts = ['0', '-0', '1.10', 'NaN', '-sNaN123', 'Infinity', '-Infinity', '1E+500', '1.5E-10', '123456789' * 9]
    yield 'Decimal', 'decimal.Decimal', [(decimal.Decimal(t), t) for t in texts]
    yield 'Fraction', 'fractions.Fraction', [
        (fractions.Fraction(n, d), '%d %d' % (n, d)) for n, d in ((-22, 7), (0, 1), (5, 1), (1, 2 ** 62))]
    yield 'Fraction', 'fractions.Fraction', [(fractions.Fraction(3 ** 60, 2 ** 80), 'no fraction of 64 bits')]
    yield 'UUID', 'uuid.UUID', [(v, v.hex) for v in (
        uuid.UUID(int=0), uuid.UUID(int=2 ** 128 - 1), uuid.UUID(int=2 ** 127), uuid.UUID(int=2 ** 120 + 5),
        uuid.uuid1(), uuid.uuid4())]
    if not PY2:
        ranges = [range(3), range(1, 10, 3), range(10, 0, -1), range(0), range(2 ** 70, 2 ** 71)]
        yield 'range', 'builtins.range', [(v, '%d %d %d' % (v.start, v.stop, v.step)) for v in ranges]
    yield 'slice', 'builtins.slice', [(v, '%s %s %s' % (rep(v.start), rep(v.stop), rep(v.step)))
                                      for v in (slice(None), slice(1, -2, 3), slice(u'a', None, 2.5))]
    yield 'array.array', 'array.array', [(v, '%s %d' % (v.typecode, len(v))) for v in arrays()]


def arrays():
    for code in 'bBhHiIlL' + ('' if PY2 else 'qQ'):
        bits = 8 * array.array(code).itemsize
        low, high = (0, 2 ** bits - 1) if code.isupper() else (-2 ** (bits - 1), 2 ** (bits - 1) - 1)
        yield array.array(code, [low, high, 1])
        yield array.array(code)
    for code in 'fd':
        yield array.array(code, [0.0, -1.5, 0.1, 1e30, float('inf')])
    yield array.array('u', u'a\xe9\u20ac')
    if sys.version_info >= (3, 13):
        yield array.array('w', u'a\xe9\U0001f600')


def paths():
    import pathlib
    texts = [(), ('/',), ('a',), ('/a/b.txt',), ('a', 'b', '/c', 'd'), ('a//b/./c/..',), ('//x/y',), ('///x',),
             ('..', '.'), ('', 'a', ''), ('c:a',), ('./c:a',), ('c:/a', 'b'), ('c:/a', '/b'), ('c:/a', 'C:b'),
             ('c:/a', 'd:b'), ('//server/share/x', 'y'), ('//server/share', '/z'), ('a\\b',), ('caf\xe9',)]
    for cls in (pathlib.PurePosixPath, pathlib.PureWindowsPath, pathlib.PosixPath):
        # Of what is written: Python 3.12 loses the start of ".\\c:a".
        yield 'path', 'pathlib.' + cls.__name__, [(cls(*t), str(cls(*cls(*t).__reduce__()[1]))) for t in texts]


def calls():
    yield 'partial', 'functools.partial', [
        (functools.partial(int, u'1', base=2), "<class 'int'> %s %s -" % (rep((u'1',)), rep({u'base': 2}))),
        (functools.partial(dict), "<class 'dict'> () {} -")]
    error = RuntimeError(u'with state')
    error.extra = [1]
    yield 'exception', 'builtins.RuntimeError', [(error, rep((u'with state',)) + ' extra=[1]')]
    for value in (ValueError(u'bad', 3), KeyError(u'k'), StopIteration(), ZeroDivisionError(1)):
        yield 'exception', 'builtins.' + type(value).__name__, [(value, rep(value.args))]
    flags = 0 if PY2 else re.UNICODE
    yield 'pattern', 're.Pattern', [
        (re.compile(u'a+'), '%s %d' % (rep(u'a+'), flags)),
        (re.compile(u"it's", re.I | re.M), '%s %d' % (rep(u"it's"), flags + 10)),
        (re.compile(u'x' * 300, re.S | re.X), '%s %d' % (rep(u'x' * 300), flags + 80))]
    if not PY2:
        import types
        yield 'pattern', 're.Pattern', [(re.compile(b'a\xff'), "b'a\\xff' 0"), (re.compile('a', re.A), "'a' 256")]
        yield 'namespace', 'types.SimpleNamespace', [
            (types.SimpleNamespace(), ''), (types.SimpleNamespace(a=1, b=[2]), ' a=1 b=[2]')]


def own():
    """No repr() of these is known: the file doesn't have their names."""
    yield [(Point(1, u'y'), items('tuple', [1, u'y'])), (One((1, 2)), {2: items('tuple', [1, 2]), 0: items('tuple', [(1, 2)])}),
           (One(5), items('tuple', [5])), (Tuple([1, 2]), items('tuple', [1, 2])),
           (List([1, [2]]), items('list', [1, [2]])), (Dict({u'a': 1}), mapping({u'a': 1}))]
    if not PY2:                         # there a call with a list, which may mean anything
        ordered = [('b', 1), ('a', 2)]
        yield [(Ordered(ordered), mapping(collections.OrderedDict(ordered)))]
    plain, slots = Plain(), Slots()
    plain.a = slots.a = 1
    yield [(plain, 'object a=1'), (slots, 'object a=1')]
    if enum:
        yield [(Color.RED, 'enum Color - 1'), (Color.BLUE, "enum Color - 'b'"), (Level.LOW, 'enum Level - 1'),
               (Bits.A | Bits.C, 'enum Bits - 5')]
    if dataclasses:
        yield [(Data(), "object a=1 b='x'")]
        if sys.version_info >= (3, 10):
            yield [(SlotData(), "object a=1 b='x'"), (FrozenData(), items('list', [1, u'x']))]


def all_values():
    """Of each value: type, public name, parts, whether its repr() is known, and itself."""
    groups = [containers(), dates(), numbers(), calls()]
    if not PY2:
        groups.append(paths())
    for group in groups:
        for kind, public, pairs in group:
            for value, parts in pairs:
                yield kind, public, parts, True, value
    for kind, public, pairs in other_zones():
        for value, parts in pairs:
            yield kind, public, parts, False, value
    for pairs in own():
        for value, parts in pairs:
            yield 'other', '-', parts, False, value
    nested = collections.deque([collections.OrderedDict([(u'd', [datetime.date(2020, 1, 2), set([1])])]),
                                collections.Counter(u'aab'), decimal.Decimal('1.5')])
    yield 'sequence', 'collections.deque', None, True, nested


def picklers():
    def by_python(value, protocol):
        out = io.BytesIO()
        getattr(pickle, '_Pickler', pickle.Pickler)(out, protocol).dump(value)
        return out.getvalue()
    return [cPickle.dumps if PY2 else pickle.dumps, by_python]


def by_name(value):
    """Python 3.11.0 to 3.11.3 writes members of enums by their names, flags as combinations."""
    return {'Color.RED': 'enum Color RED -', 'Color.BLUE': 'enum Color BLUE -'}.get(str(value))


def write(folder):
    want = []
    for number, (kind, public, parts, known, value) in enumerate(all_values()):
        if enum and (3, 11) <= sys.version_info < (3, 11, 4) and isinstance(value, enum.Enum):
            parts = by_name(value)
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            seen = []
            for dumps in picklers():
                try:
                    data = dumps(value, protocol)
                except TypeError:       # slots, before protocol 2
                    continue
                if data in seen:
                    continue
                seen.append(data)
                path = os.path.join(folder, '%d.p%d.%d' % (number, protocol, len(seen)))
                with open(path, 'wb') as out:
                    out.write(data)
                fold = getattr(value, 'fold', 0) and protocol < 4
                if fold:                # time and datetime leave it out
                    lost = moment_parts(value.replace(fold=0))
                if isinstance(parts, dict):     # by protocol
                    parts_here = parts[max(p for p in parts if p <= protocol)]
                else:
                    parts_here = lost if fold else parts
                want.append([path, kind, public, parts_here, known])
    with open(os.path.join(folder, 'want'), 'w') as out:
        json.dump(want, out)
    print('Python %d.%d.%d' % sys.version_info[:3])


# ------------------------------------------------------------------------- the reader


def show(folder):
    with open(os.path.join(folder, 'want')) as file:
        want = json.load(file)
    shown = []
    for path, kind, public, parts, known in want:
        text = None
        if known:
            with open(path, 'rb') as file:
                try:
                    text = repr(pickle.load(file, encoding='latin1'))
                except ImportError:
                    pass
        shown.append(text)
    with open(os.path.join(folder, 'shown'), 'w') as out:
        json.dump(shown, out)


# ------------------------------------------------------------------------ the checker


def find_pythons():
    pythons = sorted(glob.glob(os.path.join(os.environ.get('PICKLE_VENVS', ''), '*', 'bin', 'python')))
    root = os.environ.get('PYENV_ROOT') or os.path.expanduser('~/.pyenv')
    pythons += sorted(glob.glob(os.path.join(root, 'versions', '[23].*', 'bin', 'python')))
    # The last of those the machine itself has: a 3.11.2, on Debian 12, writes enums by name.
    return pythons + [p for p in ['/usr/bin/python3'] if os.path.exists(p)]


def is_reader(python):
    """repr() as it is from 3.12 on."""
    test = 'import sys; sys.exit(sys.version_info < (3, 12))'
    return subprocess.run([python, '-c', test], stderr=subprocess.DEVNULL).returncode == 0


def problems(want, shown, lines):
    if len(lines) != len(want):
        yield 'want %d lines, got %d' % (len(want), len(lines))
    for (path, kind, public, parts, known), text, line in zip(want, shown, lines):
        got = line.split('\t')
        for a, b in zip([kind, public, parts, text], got):
            if a is not None and a != b:
                yield '%s: want %s\n#  got  %s' % (os.path.basename(path), a, b)


def check(number, python, reader, helper):
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run([python, __file__, 'write', folder], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, universal_newlines=True)
        if run.returncode != 0:
            return 'not ok %d - %s\n# %s' % (number, python, run.stderr.strip().replace('\n', '\n# '))
        with open(os.path.join(folder, 'want')) as file:
            want = json.load(file)
        shown = [None] * len(want)
        if reader:
            subprocess.run([reader, __file__, 'show', folder], check=True)
            with open(os.path.join(folder, 'shown')) as file:
                shown = json.load(file)
        out = subprocess.run([helper] + [w[0] for w in want], stdout=subprocess.PIPE)
        found = list(problems(want, shown, out.stdout.decode().splitlines()))
    name = '%s: %d files, %d shown' % (run.stdout.strip(), len(want), sum(s is not None for s in shown))
    if found or out.returncode != 0:
        return 'not ok %d - %s\n#  %s' % (number, name, '\n#  '.join(found[:20]) or 'the helper failed')
    return 'ok %d - %s' % (number, name)


def main():
    helper = os.environ.get('PICKLE_STDLIB')
    if not helper:
        sys.exit('PICKLE_STDLIB does not name the helper')
    pythons = find_pythons()
    reader = next((p for p in reversed(pythons) if is_reader(p)), None)
    if not reader:
        print('# no Python 3.12 or later here: repr() is not compared')
    results = [check(i, python, reader, helper) for i, python in enumerate(pythons, 1)]
    if not results:
        results = ['ok 1 - standard library # SKIP no Python but this one']
    print('\n'.join(results + ['1..%d' % len(results)]))


if __name__ == '__main__':
    # Under the module's name, as pickles have to say where its classes are.
    import test_stdlib
    if sys.argv[1:2] == ['write']:
        test_stdlib.write(sys.argv[2])
    elif sys.argv[1:2] == ['show']:
        test_stdlib.show(sys.argv[2])
    else:
        main()
