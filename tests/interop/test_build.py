"""test_build.py - documents made in C, loaded by Python.

The helper $PICKLE_BUILD makes a dict of values with every constructor of <pickle/build.h>. Each
Python of pyenv's and in the folder $PICKLE_VENVS loads it, from each protocol and container, and
compares each value with the expression here that makes it: type, value, dtype, order in memory,
sharing. Single values also have to be the bytes that its own pickle makes of the expression, in
protocols 4 and 5. Reports in TAP.

usage: test_build.py [WORD...]    only the checks with one of the words in their names

Run with "load FOLDER GROUP" by those Pythons themselves: a line for each difference, and one at the
end with the number of values compared.
"""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SHOWN = 20
PATTERN = bytes(bytearray(i % 251 for i in range(100000)))

# ---------------------------------------------------------------- what is expected


def plain():
    import argparse
    import collections
    import datetime
    import decimal
    import fractions
    import http
    import pathlib
    import urllib.parse
    import uuid
    zone = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
    shared, cycle = [1, 'two'], []
    cycle.append(cycle)
    return {
        'none': None, 'true': True, 'int': -7, 'long int': -2**63, 'uint': 2**64 - 1, 'bigint': -2**95,
        'int text': -123456789012345678901234567890, 'float': 0.1, 'complex': -1.5 + 2.25j,
        'decimal': decimal.Decimal('-12.50'), 'decimal exponent': decimal.Decimal('1E+1000'),
        'decimal nan': decimal.Decimal('NaN'),
        'fraction': fractions.Fraction(-5, 2), 'whole fraction': fractions.Fraction(0),
        'str': u'h\xe9llo \u20ac \U0001f600\n', 'str with NUL': 'a\0b', 'surrogate': u'\ud800',
        'bytes': b'\0\xff\n', 'bytearray': bytearray(b'\0\xff\n'),
        'borrowed bytes': PATTERN[:300], 'borrowed bytearray': bytearray(PATTERN[:300]),
        'tuple': (1, 'two', shared), 'empty tuple': (), 'list': shared, 'dict': {'list': shared, 1: None},
        'set': {1}, 'frozenset': frozenset([1]), 'shared': (shared, shared), 'cycle': cycle,
        'class': int, 'call': 1024, 'keywords': fractions.Fraction(1, 2),
        'instance': argparse.Namespace(a=1), 'range': range(10, -10, -3), 'slice': slice(1, None, 2),
        'uuid': uuid.UUID('ff010203-0405-0607-0809-0a0b0c0d0e00'),
        'pure posix path': pathlib.PurePosixPath('/a/b/c.txt'), 'posix path': pathlib.PosixPath('a/b'),
        'pure windows path': pathlib.PureWindowsPath('c:\\a\\b'), 'enum': http.HTTPStatus(404),
        'namedtuple': urllib.parse.urlparse('https://a.org/x'),
        'date': datetime.date(2024, 2, 29), 'last date': datetime.date.max,
        'time': datetime.time(23, 59, 58, 123456), 'time with fold': datetime.time(1, 30, fold=1),
        'time in a zone': datetime.time(1, 30, tzinfo=zone),
        'datetime': datetime.datetime(1999, 12, 31, 23, 59, 59, 999999),
        'datetime with fold': datetime.datetime(2024, 10, 27, 2, 30, fold=1),
        'datetime in a zone': datetime.datetime(2024, 1, 1, tzinfo=zone),
        'timedelta': datetime.timedelta(1, 90000, 1500000), 'negative timedelta': datetime.timedelta(0, 0, -1),
        'timezone': zone, 'negative timezone': datetime.timezone(datetime.timedelta(seconds=-3660)),
        'utc': datetime.timezone.utc,
        'ordered dict': collections.OrderedDict([('z', 1), ('a', 2)]),
        'default dict': collections.defaultdict(list, k=[]),
        'default dict of nothing': collections.defaultdict(),
        'counter': collections.Counter(a=3), 'filled counter': collections.Counter(b=1),
        'deque': collections.deque([0, 1]), 'bounded deque': collections.deque([0, 1], 2),
    }


def buffers():
    return {'buffer': bytearray(PATTERN[:300]), 'read-only buffer': PATTERN[:300]}


CODES = ['?', 'i1', 'u1', '<i2', '>i2', '<i4', '>i4', '<i8', '>i8', '<u2', '>u2', '<u4', '<u8', '>u8', '<f2',
         '>f2', '<f4', '>f4', '<f8', '>f8', '<f16', '<c8', '<c16', '>c16', 'S3', '<U2', '>U2', 'V3', '<M8[ns]',
         '>M8[D]', '<M8[25s]', '<M8', '<m8[us]']


def records(np):
    return [np.dtype(spec, align=align) for spec, align in [
        ([('a', '<i4'), ('b', '<f8')], False),
        ([('a', '<i4'), ('b', '>f8', (2,)), ('c', 'S3', (2, 2))], False),
        ([('a', [('x', '<f4'), ('y', [('z', '<U1')])]), ('b', 'u1')], False),
        ([(('title', 'name'), '<i2'), (u'h\xe9', '<M8[s]')], False),
        ({'names': ['b', 'a'], 'formats': ['i1', '<i4'], 'offsets': [8, 2], 'itemsize': 16}, False),
        ([('a', 'i1'), ('b', '<f8', (2,))], True),
        ([], False)]]


def numpy():
    import numpy as np

    def patterned(dtype, shape, order='C'):
        count = int(np.prod(shape, dtype=int))
        return np.ndarray(shape, dtype, bytearray(PATTERN[:np.dtype(dtype).itemsize * count]), order=order)

    def objects(items, shape):
        array = np.empty(len(items), dtype=object)
        array[:] = items
        return array.reshape(shape)

    values = {}
    for code in CODES:
        values['dtype ' + code] = np.dtype(code)
        values['array ' + code] = patterned(code, (3,))
        if 'U' not in code:
            values['scalar ' + code] = patterned(code, (3,))[0]
    for i, record in enumerate(records(np)):
        values['record %d' % i] = record
        if record.itemsize:         # joblib cannot read arrays without bytes
            values['records %d' % i] = patterned(record, (2, 2))
    whole, whole_records = patterned('<i4', (4, 6)), patterned(records(np)[1], (2,))
    inner, texts = patterned('<f8', (2,)), objects(['text', 2.5, None, None, 'text', []], (2, 3))
    texts[1, 0] = inner
    nested = np.empty(1, dtype=object)
    nested[0] = texts
    values.update({
        'text scalar': np.array([u'a\u20ac'])[0], 'dtype object': np.dtype(object),
        'record of objects': np.dtype([('a', '<i4'), ('o', object)]),
        'gaps': np.dtype({'names': ['a', 'b'], 'formats': ['i1', '<i4'], 'offsets': [0, 4], 'itemsize': 8}),
        'record scalar': patterned(records(np)[0], (1,))[0],
        'matrix': patterned('<i4', (2, 3)), 'same matrix': patterned('<i4', (2, 3)),
        "matrix in Fortran's order": patterned('<i4', (2, 3), 'F'),
        "cube in Fortran's order": patterned('>f4', (2, 3, 4), 'F'),
        "row in Fortran's order": patterned('<i4', (1, 3), 'F'),
        'number': patterned('<f8', ()), 'nothing': np.empty((0, 3)), 'much': patterned('u1', (len(PATTERN),)),
        "empty in Fortran's order": np.empty((2, 0, 3), order='F'),
        'view': whole, 'strided view': whole[::2, ::3].copy(), 'transposed view': whole.T.copy('F'),
        'reversed view': whole[::-1].copy(), 'view of records': whole_records,
        'view of a field': whole_records['b'].copy(), 'view of a scalar': patterned('>f8', ()).astype('f8'),
        'objects': texts, 'object': objects(['text'], ()), 'no objects': np.empty(0, dtype=object),
        'objects in objects': nested, 'view of objects': texts,
        'transposed view of objects': texts.T.copy(),
    })
    return values


def sparse(kind):
    import numpy as np
    import scipy.sparse
    dense = np.array([[1., 0, 2], [0, 3, 0]])
    blocks = (np.array([1., 0, 0, 3, 2, 0]).reshape(3, 2, 1), np.array([0, 1, 2], '<i4'), np.array([0, 3], '<i4'))
    values = {name + kind: getattr(scipy.sparse, name + kind)(dense) for name in ['csr_', 'csc_', 'coo_']}
    values['bsr_' + kind] = getattr(scipy.sparse, 'bsr_' + kind)(blocks, shape=(2, 3))
    return values


def pandas():
    import numpy as np
    import pandas as pd
    ints, floats, index = np.array([3, 1, 2]), np.array([.5, 1.5, 2.5]), [0, 10, 20]
    whens = np.array([0, 10**9, 'NaT'], 'M8[ns]')
    texts = np.array(['x', 'y', None], dtype=object)
    series = pd.Series(floats, index, name='name')
    return {
        'frame': pd.DataFrame({'z': ints, 'a': floats, 'when': whens, 'text': texts}),
        'frame with index': pd.DataFrame({'z': ints, 'a': floats}, index),
        'frame of lists and series': pd.DataFrame({'z': index, 'a': series}, index),
        'empty frame': pd.DataFrame({}), 'series': pd.Series(ints), 'named series': series,
    }


GROUPS = {'plain': plain, 'buffers': buffers, 'numpy': numpy, 'scipy': lambda: sparse('matrix'),
          'sparray': lambda: sparse('array'), 'pandas': pandas}

# ---------------------------------------------------------------------- comparing


def same_array(want, got, how):
    """What differs, or None. numpy and joblib load most arrays as native ones, and those that
    joblib maps are numpy.memmap."""
    if type(got) is not type(want) and not (how == 'mapped' and type(got).__name__ == 'memmap'):
        return 'a %s' % type(got)
    if got.dtype != want.dtype and want.dtype.byteorder == '>':
        want = want.astype(want.dtype.newbyteorder('='))
    if got.dtype != want.dtype or got.shape != want.shape:
        return '%s %s, not %s %s' % (got.dtype, got.shape, want.dtype, want.shape)
    if got.flags.fnc != want.flags.fnc or got.flags.c_contiguous != want.flags.c_contiguous:
        return 'another order'
    if not want.dtype.hasobject:
        # Between and behind fields joblib reads what it likes.
        equal = got.tobytes() == want.tobytes() or want.dtype.names and repr(got.tolist()) == repr(want.tolist())
        return None if equal else 'other data'
    wants, gots = list(want.flat), list(got.flat)
    shared = [wants.index(w) for w in wants if isinstance(w, str)]
    if shared != [[id(g) for g in gots].index(id(g)) for g in gots if isinstance(g, str)]:
        return 'texts that are not shared'
    return next(filter(None, map(difference, wants, gots, [how] * len(wants))), None)


def same_dtype(want, got):
    if want.flags > 127 and got == want:
        return None     # numpy 2 loads from numpy 1 that a record is aligned, and forgets it
    if got != want or repr(got) != repr(want) or got.flags != want.flags or got.alignment != want.alignment:
        return '%r, not %r' % (got, want)


def difference(want, got, how):
    name = type(want).__name__
    if name == 'ndarray':
        return same_array(want, got, how)
    if type(want) is not type(got):
        return 'a %s, not a %s' % (type(got), type(want))
    if 'dtype' in name.lower() and hasattr(want, 'itemsize') and not hasattr(want, 'tobytes'):
        return same_dtype(want, got)
    if hasattr(want, 'tobytes'):
        return None if got.dtype == want.dtype and got.tobytes() == want.tobytes() else 'another scalar'
    if hasattr(want, 'toarray'):
        equal = want.shape == got.shape and want.dtype == got.dtype and (want.toarray() == got.toarray()).all()
        return None if equal else 'another matrix'
    if hasattr(want, 'equals'):
        equal = want.equals(got) and repr(want) == repr(got)
        return None if equal else '\n%s\n%s' % (want, got)
    return difference_of_plain(want, got)


def difference_of_plain(want, got):
    if want is not got and repr(got) != repr(want):
        return '%r, not %r' % (got, want)
    if isinstance(want, list) and len(want) == 1 and want[0] is want:
        return None if got[0] is got else 'no cycle'
    if isinstance(want, tuple) and len(want) == 2 and want[0] is want[1] and got[0] is not got[1]:
        return 'not shared'
    if getattr(want, 'fold', 0) != getattr(got, 'fold', 0):
        return 'another fold'


# ------------------------------------------------- run by the Pythons: what came of it

def differs(name, want):
    """Why the bytes are not those that this Python writes; None: they are."""
    if name in ('call', 'keywords', 'posix path', 'pure posix path', 'pure windows path'):
        return 'a call of the class that all versions have'
    if name == 'enum' and want.__reduce_ex__(4)[0] is getattr:
        return 'this Python names the member'
    if 'fraction' in name and len(want.__reduce__()[1]) == 1:
        return 'before 3.12 a text'
    if name == 'filled counter':
        return 'Python gives the counts to the class'
    if name.startswith('datetime'):
        return 'whether equal names are one str, only the modules know'
    if name.endswith(('view of records', 'view of objects')):
        return 'what is cloned has names and letters of its own'
    dtype = getattr(want, 'dtype', want)
    if hasattr(dtype, 'alignment'):
        return dtype_differs(dtype)


def dtype_differs(dtype):
    import numpy as np
    if np.dtype('f8').__reduce__()[1][1] is not False:
        return "this numpy's dtypes have 0 and 1 for False and True"
    if dtype.flags > 127:
        return "numpy 2's flags are unsigned, which numpy 1 refuses"
    if 'M' in repr(dtype) + dtype.str or 'm8' in dtype.str:
        return np.dtype('M8').__reduce__()[2][8][0] is None and 'this numpy has None for no metadata'


def listing(data):
    """Without what follows from the name of numpy's core."""
    import pickletools
    return [(op.name, argument.replace('numpy._core', 'numpy.core') if isinstance(argument, str) else argument)
            for op, argument, _ in pickletools.genops(data) if op.name != 'FRAME']


def load_file(path, kind):
    import pickle
    if kind == 'pickle':
        with open(path, 'rb') as file:
            return pickle.load(file)
    import joblib
    return joblib.load(path, mmap_mode='r' if kind == 'mapped' else None)


def load(folder, group):
    wanted = GROUPS[group]()
    count = 0
    for entry in sorted(os.listdir(folder)):
        kind, protocol, name = entry.split('-', 2)
        path = os.path.join(folder, entry)
        if kind == 'exact':
            count += check_bytes(wanted[name], path, entry, int(protocol))
            continue
        for how in [kind, 'mapped'] if kind != 'pickle' and name in ('numpy', '_core') else [kind]:
            try:
                got = load_file(path, how)
            except Exception as error:
                print('%s, %s: %s: %s' % (entry, how, type(error).__name__, error))
                continue
            if list(sorted(got)) != list(sorted(wanted)):
                print('%s: other names: %s' % (entry, sorted(set(got) ^ set(wanted))))
            for key in wanted:
                problem = difference(wanted[key], got.get(key), how)
                count += 1
                if problem:
                    print('%s, %s, %s: %s' % (entry, how, key, problem))
    print(count)


def check_bytes(want, path, entry, protocol):
    """Of one value; how many were compared."""
    import pickle
    if sys.version_info < (3, 7) or differs(entry.split('-', 2)[2], want):
        return 0        # 3.6 has frames even for the shortest pickles
    want = pickle.dumps(want, protocol)
    with open(path, 'rb') as file:
        got = file.read()
    if got != want and (b'numpy._core' not in want or listing(got) != listing(want)):
        print('%s: other bytes: %s, not %s' % (entry, got.hex(), want.hex()))
    return 1


# ------------------------------------------------------------------------ the test

COMPRESSED = ['z', 'gz', 'bz2', 'xz']


def modules_of(versions):
    """2 for numpy._core, which numpy 2 writes."""
    return 2 if versions['numpy'] >= (2,) else 1


def build(folder, name, protocol, container, modules, group, *value):
    """What is wrong, or None."""
    path = os.path.join(folder, name)
    done = subprocess.run([os.environ['PICKLE_BUILD'], path, str(protocol), container, str(modules), group, *value],
                          capture_output=True, text=True)
    return '%s: %s' % (name, done.stderr.strip() or done.returncode) if done.returncode else None


def build_all(folder, group, versions):
    """Files <container>-<protocol>-<compression>, and exact-<protocol>-<value>."""
    modules = modules_of(versions)
    highest = 5 if versions['Python'] >= (3, 8) else 4
    joblib = 'joblib' if versions['joblib'] >= (1, 2) else 'joblib10'
    containers = ['pickle', joblib] if versions['joblib'] else ['pickle']
    for container in containers:
        for protocol in range(highest + 1):
            yield build(folder, '%s-%d-numpy' % (container, protocol), protocol, container, 1, group)
            yield build(folder, '%s-%d-_core' % (container, protocol), protocol, container, modules, group)
    for ending in COMPRESSED if versions['joblib'] else []:
        yield build(folder, '%s-4-%s' % (joblib, ending), 4, '%s.%s' % (joblib, ending), 1, group)


def names_of(python, group):
    """The names of the group's values, or None when this Python lacks a module or class."""
    code = "import sys; sys.path.insert(0, %r); import test_build; print('\\n'.join(test_build.GROUPS[%r]()))"
    run = subprocess.run([python, '-W', 'ignore', '-c', code % (HERE, group)], capture_output=True, text=True)
    return run.stdout.split('\n')[:-1] if run.returncode == 0 else None


def versions_of(python):
    versions = {}
    for module in ['numpy', 'joblib']:
        answer = ask(python, "import %s; print(%s.__version__)" % (module, module))
        versions[module] = tuple(int(n) for n in answer.split('.')[:2]) if answer else ()
    versions['Python'] = version_of(python)
    return versions


def check(python, versions, group, names):
    with tempfile.TemporaryDirectory() as folder:
        problems = list(filter(None, build_all(folder, group, versions)))
        for protocol in [4, 5] if versions['Python'] >= (3, 8) else [4]:
            if group not in ('plain', 'numpy'):
                continue
            modules = modules_of(versions)
            for name in names:
                problems += filter(None, [build(folder, 'exact-%d-%s' % (protocol, name), protocol, 'pickle', modules,
                                                group, name)])
        run = subprocess.run([python, '-W', 'ignore', __file__, 'load', folder, group], capture_output=True, text=True)
    lines = run.stdout.splitlines()
    problems += lines[:-1] + run.stderr.splitlines()[-1:]
    if len(problems) > SHOWN:
        problems = ['%d problems' % len(problems)] + problems[:SHOWN]
    text = ', '.join('%s %s' % (name, '.'.join(map(str, version))) for name, version in sorted(versions.items())
                     if version)
    tap.check('%s, %s: %s values' % (text, group, lines[-1] if lines else 'no'), '\n'.join(problems))


def main():
    words = sys.argv[1:]
    if 'PICKLE_BUILD' not in os.environ:
        sys.exit('PICKLE_BUILD does not name the helper')
    venvs = pythons_in(os.environ.get('PICKLE_VENVS'))
    for python in [p for v, p in find_pythons().items() if v >= (3, 6) and p not in venvs] + venvs:
        versions = versions_of(python)
        for group in GROUPS if versions['Python'] >= (3, 6) else ():
            names = names_of(python, group)
            if names and (not words or any(word in python + ' ' + group for word in words)):
                check(python, versions, group, names)
    tap.done()


if __name__ == '__main__':
    if sys.argv[1:2] == ['load']:
        load(*sys.argv[2:])
    else:
        sys.path.insert(0, os.path.join(HERE, os.pardir, 'api'))
        import tap
        from test_rewrite import ask, find_pythons, pythons_in, version_of
        main()
