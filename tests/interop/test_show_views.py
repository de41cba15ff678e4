# -*- coding: utf-8 -*-
"""test_show_views.py - what `pickle show` and `pickle get` say of objects of known classes.

For each Python in the folder $PICKLE_VENVS (<name>/bin/python): values of the standard library,
numpy, scipy and pandas, as far as they are there, pickled in several protocols. What
$PICKLE_COMMAND should print is composed of what these libraries say of the values: str(), tolist(),
dtypes, cells one by one. PyTorch's files, and what torch says of them, are in $PICKLE_FIXTURES.

Run with "write FOLDER" by those Pythons themselves, Python 2.7 included: makes the files, and
FOLDER/cases.json.
"""
from __future__ import print_function

import array
import collections
import csv
import datetime
import decimal
import fractions
import functools
import glob
import io
import json
import math
import os
import pickle
import struct
import subprocess
import sys
import tempfile
import unicodedata
import uuid

PROTOCOLS = (0, 2, pickle.HIGHEST_PROTOCOL)
HOSTILE = u'a\x1b[31m\n\u202eb\x9bc'

# ------------------------------------------------------------------ the writer


class Cases(object):
    """Files, and what the command should say of them."""

    def __init__(self, folder):
        self.folder, self.cases, self.files = folder, [], 0

    def save(self, value, protocol=2):
        self.files += 1
        path = os.path.join(self.folder, '%d.pkl' % self.files)
        with open(path, 'wb') as out:
            pickle.dump(value, out, protocol)
        return path

    def add(self, what, args, form, want):
        self.cases.append([what, args, form, want])

    def get(self, what, path, step, form, want):
        self.add('get: ' + what, ['get', path, step], form, want)

    def show(self, what, path, *lines):
        """The lines of the tree; they follow the header."""
        self.add('show: ' + what, ['show', path], 'tree', list(lines))

    def facts(self, what, path, **facts):
        self.add('show --json: ' + what, ['show', '--json', '--depth=0', path], 'facts', facts)


def python_values():
    utc = [] if sys.version_info[0] == 2 else \
        [datetime.datetime(2020, 1, 2, tzinfo=datetime.timezone.utc),
         datetime.datetime(1, 1, 1, 0, 0, 0, 5, tzinfo=datetime.timezone(datetime.timedelta(minutes=-90))),
         datetime.time(1, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=5, seconds=7)))]
    return utc + [
        datetime.datetime(2020, 1, 2, 3, 4), datetime.datetime(1999, 12, 31, 23, 59, 59, 999999),
        datetime.date(2020, 2, 29), datetime.date(1, 1, 1), datetime.time(1, 2), datetime.time(23, 0, 0, 7),
        datetime.timedelta(5), datetime.timedelta(-1, 5, 7), datetime.timedelta(0), datetime.timedelta(1, 1),
        datetime.timedelta(-999999999), decimal.Decimal('1.50'), decimal.Decimal('-Infinity'),
        decimal.Decimal('1E+500'), fractions.Fraction(-1, 3), fractions.Fraction(4), uuid.UUID(int=5),
        uuid.UUID(int=2 ** 128 - 1), 1 + 2j, -1.5j]


def later_values():
    """What Python 2 does not have, or writes as something else."""
    import pathlib
    import re
    return [range(1, 10, 2), range(3), slice(1, None, 2), pathlib.PurePosixPath('/x/y'),
            pathlib.PureWindowsPath('c:/x'), re.compile('a+', re.I)]


def write_values(cases):
    values = python_values() + (later_values() if sys.version_info[0] > 2 else [])
    for value in values:
        for protocol in PROTOCOLS:
            if isinstance(value, slice) and sys.version_info < (3,):
                continue
            path = cases.save(value, protocol)
            name = '%r, protocol %d' % (value, protocol)
            cases.get(name, path, '', 'text', str(value))
            if sys.version_info >= (3, 7):          # repr of timedelta before
                cases.show(name, path, repr(value))
    path = cases.save({'d': datetime.date(2020, 1, 2), 'n': decimal.Decimal('1.5')})
    cases.get('values in a dict', path, '', 'json', {'d': '2020-01-02', 'n': '1.5'})
    cases.facts('a date', cases.save(datetime.date(2020, 1, 2)), kind='object', type='date',
                value='2020-01-02', **{'class': 'datetime.date'})


def add_three(a, b, c):
    return a + b + c


class Registered(dict):
    """A class that is not known."""


def write_containers(cases):
    ordered = collections.OrderedDict([(u'a', 1), (u'b', [1, 2, 3])])
    default = collections.defaultdict(list, {u'x': [1]})
    for protocol in PROTOCOLS:
        name = ', protocol %d' % protocol
        path = cases.save(ordered, protocol)
        cases.get('OrderedDict' + name, path, '', 'json', dict(ordered))
        cases.get("['b'][1] of it" + name, path, "['b'][1]", 'text', '2')
        cases.show('OrderedDict' + name, path, 'OrderedDict of 2 items', u"├─ ['a']: 1", u"└─ ['b']: [1, 2, 3]")
        path = cases.save(default, protocol)
        cases.get('defaultdict' + name, path, '', 'json', default)
        cases.show('defaultdict' + name, path, 'defaultdict(list) of 1 list', u"└─ ['x']: [1]")
        path = cases.save(collections.deque([1, 2, 3], 3), protocol)
        cases.get('deque' + name, path, '', 'json', [1, 2, 3])
        cases.get('[-1] of it' + name, path, '[-1]', 'text', '3')
        cases.show('deque' + name, path, 'deque([1, 2, 3], maxlen=3)')
        path = cases.save(collections.Counter({u'a': 3}), protocol)
        cases.get('Counter' + name, path, '', 'json', {'a': 3})
        cases.show('Counter' + name, path, "Counter({'a': 3})")
        cases.show('an empty OrderedDict' + name, cases.save(collections.OrderedDict(), protocol),
                   'OrderedDict()')
        cases.show('an empty defaultdict' + name, cases.save(collections.defaultdict(), protocol),
                   'defaultdict(None, {})')
        for value in set([5]), frozenset([5]):
            path = cases.save(value, protocol)
            cases.get('%s%s' % (type(value).__name__, name), path, '', 'json', [5])
            cases.show('%s%s' % (type(value).__name__, name), path,
                       '{5}' if isinstance(value, set) else 'frozenset({5})')
        path = cases.save(array.array('d', [1.5, -2.25]), protocol)
        cases.get('array.array' + name, path, '', 'text', '1.5\n-2.25')
        cases.show('array.array' + name, path, "array.array 'd' (2,)  [1.5, -2.25]")
        path = cases.save(bytearray(b'a\xff'), protocol)
        cases.get('bytearray' + name, path, '', 'text', "bytearray(b'a\\xff')")
        cases.add('get --json: bytearray' + name, ['get', '--json', path], 'json', {'bytes': 'Yf8='})
        cases.show('bytearray' + name, path, "bytearray(b'a\\xff')")
        path = cases.save(functools.partial(int, base=2), protocol)
        cases.show('partial' + name, path, 'functools.partial(int, base=2)')
    cases.facts('OrderedDict', cases.save(ordered), kind='object', type='mapping', len=2)
    ordered.note = u'set on it'
    path = cases.save(ordered)
    cases.show('attributes of a container', path, 'OrderedDict of 2 items', u"├─ note: 'set on it'",
               u"├─ ['a']: 1", u"└─ ['b']: [1, 2, 3]")
    cases.get('... which JSON does not have', path, '', 'json', dict(ordered))
    cases.show('an unknown class', cases.save(Registered(a=1)), 'Registered  (__main__)', u"└─ ['a']: 1")
    cases.show('an exception', cases.save(ValueError(u'bad', 3)), "ValueError('bad', 3)")
    if sys.version_info[0] > 2:
        cases.get('ChainMap', cases.save(collections.ChainMap({'a': 1}, {'b': 2})), '', 'json',
                  [{'a': 1}, {'b': 2}])
        cases.get('UserDict', cases.save(collections.UserDict(a=1)), '', 'json', {'a': 1})
        raw = cases.save(datetime.date(2020, 2, 29), 4)
        cases.add('show --raw', ['show', '--raw', raw], 'tree', ["datetime.date(b'\\x07\\xe4\\x02\\x1d')"])
        raw = cases.save({'x': collections.OrderedDict(a=1)}, 4)
        cases.add('show --raw --json', ['show', '--raw', '--json', raw], 'without', '"type"')


# ----------------------------------------------------------------- numpy, scipy


def write_numpy(cases):
    import numpy as np
    for protocol in PROTOCOLS:
        name = ', protocol %d' % protocol
        masked = np.ma.array([[1.5, 2, 3], [4, 5, 6]], mask=[[0, 1, 0], [0, 0, 1]])
        path = cases.save(masked, protocol)
        cases.get('MaskedArray' + name, path, '', 'json', masked.tolist())
        cases.get('a row of it' + name, path, '[0]', 'json', masked[0].tolist())
        cases.get('an element of it' + name, path, '[1,0]', 'json', masked[1, 0].tolist())
        cases.get('one that is masked' + name, path, '[0,1]', 'json', None)
        cases.add('get -o .npy: MaskedArray' + name, ['get', path, '-o', os.path.join(cases.folder, 'no.npy')],
                  'refused', 'it is a masked array')
        cases.show('MaskedArray' + name, path, 'MaskedArray float64 (2, 3) C  [1.5, --, 3, 4, 5, --]')
        cases.facts('MaskedArray' + name, path, type='masked array', dtype=masked.dtype.str, shape=[2, 3])
        objects = np.ma.array([1, u'a', None, [u'b']], mask=[0, 1, 0, 0], dtype=object)
        cases.get('masked objects' + name, cases.save(objects, protocol), '', 'json', [1, None, None, [u'b']])
        rng = np.random.RandomState(3)
        rng.rand(5)
        _, key, pos = rng.get_state()[:3]
        path = cases.save(rng, protocol)
        cases.show('RandomState' + name, path, 'RandomState (MT19937), pos %d' % pos)
        cases.get('RandomState' + name, path, '', 'member', ['key', key.tolist()])
        if hasattr(np.random, 'SFC64'):
            path = cases.save(np.random.SFC64(1), protocol)
            cases.get('a bit generator' + name, path, '', 'member', ['bit_generator', 'SFC64'])
            cases.show('a bit generator' + name, path, 'SFC64')
            path = cases.save(np.random.default_rng(1), protocol)
            cases.show('Generator' + name, path, 'Generator (PCG64)')
        matrix = np.matrix([[1, 2], [3, 4]])
        cases.show('matrix' + name, cases.save(matrix, protocol), 'matrix %s (2, 2) C  [1, 2, 3, 4]' % matrix.dtype)
    for name, values in ('one', [np.arange(3)]), ('two', [np.arange(3), np.zeros((2, 2))]):
        path = os.path.join(cases.folder, name + '.npy')
        with open(path, 'wb') as out:
            for value in values:
                np.save(out, value)
        cases.add('show: the header of .npy, ' + name, ['show', path], 'header',
                  '%s  npy, %d bytes\n' % (path, os.path.getsize(path)) +
                  ('2 values, this is number 0 (--index shows the others)\n' if len(values) > 1 else ''))
    np.savez(os.path.join(cases.folder, 'a.npz'), x=np.arange(3))
    path = os.path.join(cases.folder, 'a.npz')
    cases.add('show: the header of .npz', ['show', path], 'header',
              '%s  npz, %d bytes\n' % (path, os.path.getsize(path)))


def stored_elements(m):
    """What is stored, zeros too."""
    if m.format != 'dia':
        m = m.tocoo()
        return [[int(i), int(j), float(x)] for i, j, x in zip(m.row, m.col, m.data)]
    return [[j - int(offset), j, float(line[j])] for offset, line in zip(m.offsets, m.data)
            for j in range(min(len(line), m.shape[1])) if 0 <= j - offset < m.shape[0]]


def write_scipy(cases):
    import numpy as np
    import scipy.sparse as sp
    dense = np.array([[0, 1.5, 0, 0], [2, 0, 0, 3], [0, 0, 0, 0]])
    for kind in 'csr csc bsr coo dia lil dok'.split():
        for protocol in PROTOCOLS:
            m = getattr(sp, kind + '_matrix')(dense)
            path = cases.save(m, protocol)
            name = '%s, protocol %d' % (kind, protocol)
            cases.get(name, path, '', 'elements', sorted(stored_elements(m)))
            cases.add('show: ' + name, ['show', path], 'starts',
                      '%s_matrix float64 (3, 4), %d stored elements  (' % (kind, m.nnz))
            cases.add('get -o .npy: ' + name, ['get', path, '-o', path + '.npy'], 'npy', dense.tolist())
            cases.facts(name, path, type='sparse matrix', format=kind, shape=[3, 4], dtype='<f8', nnz=int(m.nnz))
    path = cases.save(sp.csr_matrix((1000000, 1000000)))
    cases.add('get -o .npy: a large one', ['get', path, '-o', path + '.npy'], 'refused',
              'its dense form takes more than 1 GiB')


# ---------------------------------------------------------------------- pandas


def is_missing(x):
    import pandas as pd
    missing = pd.isna(x)
    return missing if isinstance(missing, bool) else getattr(missing, 'shape', 0) == () and bool(missing)


def cell_json(x):
    """A cell in JSON."""
    import numpy as np
    if is_missing(x):
        return None
    if isinstance(x, (bool, np.bool_)):
        return bool(x)
    if isinstance(x, (int, np.integer)):
        return int(x)
    if isinstance(x, (float, np.floating)):
        return float(str(x)) if not math.isinf(x) else str(float(x))
    if isinstance(x, (list, tuple, set)):
        return [cell_json(y) for y in x]
    return str(x)


def label_json(index):
    import pandas as pd
    if isinstance(index, pd.MultiIndex):
        return [[cell_json(x) for x in label] for label in index]
    return [cell_json(x) for x in index]


def cells_of(series):
    return [series.iloc[i] for i in range(len(series))]


def split(df):
    columns = [cells_of(df.iloc[:, n]) for n in range(df.shape[1])]
    return {'columns': label_json(df.columns), 'index': label_json(df.index),
            'data': [[cell_json(column[i]) for column in columns] for i in range(len(df))]}


def series_json(series):
    return {'name': cell_json(series.name), 'index': label_json(series.index),
            'data': [cell_json(x) for x in cells_of(series)]}


def width(text):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in 'WF' else 1
               for c in text)


def dtype_text(dtype):
    """As today's pandas: it says on which side an interval is closed."""
    text = str(dtype)
    if text.startswith('interval[') and ', ' not in text:
        text = text[:-1] + ', right]'
    return text


def levels_of(index):
    import pandas as pd
    if isinstance(index, pd.MultiIndex):
        return [(index.names[n], index.levels[n].dtype, list(index.get_level_values(n)))
                for n in range(index.nlevels)]
    return [(index.name, index.dtype, list(index))]


def table(index, columns, rows, total):
    """Lines: labels to the left, columns of (name, dtype, cells) to the right."""
    labels = [(u'' if name is None else str(name), dtype_text(dtype), [str(x) for x in cells[:rows]])
              for name, dtype, cells in levels_of(index)]
    others = [(str(name), dtype_text(dtype), [str(x) for x in cells[:rows]]) for name, dtype, cells in columns]
    texts = [[name, dtype] + cells for name, dtype, cells in labels + others]
    widths = [max(map(width, column)) for column in texts]
    lines = []
    for line in range(2 + min(rows, total)):
        cells = []
        for n, column in enumerate(texts):
            blanks = ' ' * (widths[n] - width(column[line]))
            cells.append(column[line] + blanks if n < len(labels) else blanks + column[line])
        lines.append('  '.join(cells))
    if total > rows:
        lines.append(u'… %d more row%s' % (total - rows, 's' if total - rows > 1 else ''))
    return lines


def frame_lines(df, rows=10):
    kind = 'DataFrame [%d row%s x %d column%s]' % (len(df), '' if len(df) == 1 else 's', df.shape[1],
                                                   '' if df.shape[1] == 1 else 's')
    columns = [(df.columns[n], df.dtypes.iloc[n], cells_of(df.iloc[:rows, n])) for n in range(df.shape[1])]
    return [kind] + table(df.index, columns, rows, len(df))


def frames():
    import numpy as np
    import pandas as pd
    n = 5
    yield 'numbers', pd.DataFrame({'i': range(n), 'f': [0.1, 2.5, np.nan, -1e300, 3.0], 'b': [True, False] * 2 + [True],
                                   'u': np.arange(n, dtype='u1'), 's': np.arange(n, dtype='f4') / 3})
    yield 'text', pd.DataFrame({'t': [u'a', u'日本語', u'', u'e\u0301', u'x y'], 'o': [1, u'two', None, [3, 4], 2.5]})
    yield 'dates', pd.DataFrame({'t': pd.date_range('2020-01-01', periods=n, freq='36h' if n else ''),
                                 'z': pd.date_range('2020-01-01', periods=n, tz='UTC'),
                                 'd': pd.to_timedelta([1, 90, 86400, None, 0], unit='s')})
    yield 'categories', pd.DataFrame({'c': pd.Categorical([u'a', u'b', None, u'a', u'b']),
                                      'o': pd.Categorical([3, 1, 2, 3, 1], ordered=True)})
    yield 'periods', pd.DataFrame({'p': pd.period_range('2020Q1', periods=n, freq='Q'),
                                   'i': pd.interval_range(0, n)})
    yield 'labels', pd.DataFrame({'x': [1, 2]}, index=pd.Index([u'one', u'two'], name='number'))
    yield 'levels', pd.DataFrame(np.arange(8).reshape(4, 2), columns=['x', 'y'], index=pd.MultiIndex.from_product(
        [[u'a', u'b'], [1, 2]], names=['letter', None]))
    yield 'numbered columns', pd.DataFrame(np.arange(6.0).reshape(2, 3))
    yield 'many rows', pd.DataFrame({'x': np.arange(30), 'y': np.arange(30) / 4.0})
    yield 'one row', pd.DataFrame({'x': [1]})
    yield 'twice the same column', pd.DataFrame([[1, 2.5], [3, 4.5]], columns=['a', 'a'])
    if hasattr(pd, 'Int64Dtype') and hasattr(pd, 'NA'):
        yield 'nullable', pd.DataFrame({'i': pd.array([1, None, 3], dtype='Int64'),
                                        'b': pd.array([True, None, False], dtype='boolean'),
                                        's': pd.array([u'a', None, u'c'], dtype='string')})


def write_frames(cases):
    for name, df in frames():
        for protocol in (2, pickle.HIGHEST_PROTOCOL):
            path = cases.save(df, protocol)
            what = 'DataFrame, %s, protocol %d' % (name, protocol)
            cases.get(what, path, '', 'json', split(df))
            cases.show(what, path, *frame_lines(df))
            cases.facts(what, path, type='dataframe', shape=list(df.shape), columns=[
                {'name': cell_json(c), 'dtype': dtype_text(d)} for c, d in zip(df.columns, df.dtypes)])
            cases.get('.index of ' + what, path, '.index', 'json', label_json(df.index))
            cases.get('.columns of ' + what, path, '.columns', 'json', label_json(df.columns))
        if name == 'numbers':
            df = df.drop(columns='s')       # floats of 32 bits have more digits there
            path = cases.save(df)
        if name in ('numbers', 'labels', 'numbered columns', 'many rows', 'categories'):
            want = json.loads(df.to_json(orient='split', double_precision=15))
            cases.get('to_json, ' + name, path, '', 'near', want)
        if df.columns.is_unique:
            for label in df.columns:
                step = '[%s]' % (repr(str(label)) if isinstance(label, str) else label)
                cases.get('%s of %s' % (step, name), path, step, 'json', series_json(df[label]))
                cases.get('%s[-1] of %s' % (step, name), path, step + '[-1]', 'cell', [
                    cell_json(df[label].iloc[-1]), str(df[label].iloc[-1])])
    path = cases.save({'frame': df, 'x': 1})
    lines = [(u'│  ' if i else u"├─ ['frame']: ") + line for i, line in enumerate(frame_lines(df))]
    cases.show('a DataFrame in a dict', path, 'dict of 2 items', *(lines + [u"└─ ['x']: 1"]))
    cases.add('show --items', ['show', '--items=2', cases.save(list(frames())[8][1])], 'tree',
              frame_lines(list(frames())[8][1], 2))


def write_wide(cases):
    import numpy as np
    import pandas as pd
    df = pd.DataFrame(np.arange(200).reshape(2, 100), columns=['c%02d' % i for i in range(100)])
    path = cases.save(df)
    cases.add('show: a wide DataFrame', ['show', path], 'narrow', 100)
    df = pd.DataFrame({HOSTILE: [HOSTILE, u'b' * 1000]}, index=[HOSTILE, u'x'])
    path = cases.save({HOSTILE: df, u'c': df[HOSTILE].astype('category'), u'i': df.index})
    for args in ['show', path], ['show', '--json', path], ['get', path], ['show', path, "['c']"]:
        cases.add('%s escapes' % ' '.join(a for a in args if a != path), args, 'escaped', None)
    loop = []
    loop.append(pd.DataFrame({'x': pd.Series([loop, None], dtype=object)}))
    path = cases.save(loop)
    cases.get('a table within itself', path, '', 'refused', 'it contains itself')
    cases.add('show: a table within itself', ['show', path], 'escaped', None)
    path = cases.save(pd.DataFrame({'a': [1], 'b': [2]}))
    cases.get('a column that is not there', path, "['c']", 'refused',
              "there is no ['c']: the root is DataFrame [1 row x 2 columns]; its columns are a, b")
    cases.get('a row that is not there', path, "['a'][1]", 'refused',
              "there is no [1] in ['a'], which is Series int64 (1,) 'a'")


def write_series(cases):
    import pandas as pd
    for name, df in frames():
        s = df.iloc[:, 0].rename('name of it')
        path = cases.save(s)
        cases.get('Series, ' + name, path, '', 'json', series_json(s))
        cases.get('.index of Series, ' + name, path, 'index', 'json', label_json(s.index))
        cases.facts('Series, ' + name, path, type='series', shape=[len(s)], dtype=dtype_text(s.dtype), name=s.name)
        lines = table(s.index, [(s.name, s.dtype, cells_of(s))], 10, len(s))
        if str(s.dtype) == 'category':
            lines.append('categories: ' + ', '.join(map(repr, s.cat.categories)))
        cases.show('Series, ' + name, path, "Series %s (%d,) 'name of it'" % (dtype_text(s.dtype), len(s)), *lines)
    indexes = [pd.RangeIndex(0, 6, 2), pd.Index([u'a', u'b'], name='n'), pd.Index([1.5, 2]), pd.Index([1, 2, 5]),
               pd.date_range('2020-01-01', periods=3), pd.period_range('2020-01', periods=3, freq='M'),
               pd.to_timedelta([1, 2], unit='h'), pd.interval_range(0, 2), pd.CategoricalIndex([u'a', u'b', u'a']),
               pd.MultiIndex.from_product([[u'a', u'b'], [1, 2]])]
    for index in indexes:
        path = cases.save(index)
        name = type(index).__name__
        cases.get(name, path, '', 'json', label_json(index))
        if name != 'MultiIndex':
            cases.facts(name, path, type='index', shape=[len(index)], dtype=dtype_text(index.dtype))
            cases.get('[1] of ' + name, path, '[1]', 'text', str(index[1]))
            cases.add('show: ' + name, ['show', path], 'starts', '%s %s (%d,)' % (name, dtype_text(index.dtype), len(index)))
        else:
            cases.facts(name, path, type='index', shape=[4], levels=2)
            cases.add('show: ' + name, ['show', path], 'starts', 'MultiIndex (4,), 2 levels')
    categories = pd.Categorical([u'a', u'b', None], ordered=True)
    path = cases.save(categories)
    cases.get('Categorical', path, '', 'json', [u'a', u'b', None])
    cases.add('show: Categorical', ['show', path], 'starts', 'ordered Categorical of ')


def write_scalars(cases):
    import pandas as pd
    values = [pd.Timestamp('2020-01-01 12:00'), pd.Timestamp(5), pd.Timestamp('2020-01-01', tz='UTC'),
              pd.Timedelta(1, 'h'), pd.Timedelta(-1, 'us'), pd.Period('2020Q1'), pd.Period('2020-01-05', 'D'),
              pd.Interval(0, 1), pd.Interval(0.5, 1.5, closed='both'), pd.NaT] + \
        ([pd.NA] if hasattr(pd, 'NA') else [])
    for value in values:
        for protocol in (2, pickle.HIGHEST_PROTOCOL):
            path = cases.save(value, protocol)
            name = '%s %s, protocol %d' % (type(value).__name__, value, protocol)
            cases.get(name, path, '', 'text', str(value))
            if getattr(value, 'tzinfo', None) is None:
                cases.show(name, path, repr(value))
    offset = pd.offsets.MonthEnd(2)
    cases.show('an offset', cases.save(offset), repr(offset))
    cases.get('missing values in JSON', cases.save([pd.NaT, values[-1]]), '', 'json', [None, None])


def write(folder):
    cases = Cases(folder)
    write_values(cases)
    write_containers(cases)
    for module, writers in [('numpy', [write_numpy]), ('scipy', [write_scipy]),
                            ('pandas', [write_frames, write_wide, write_series, write_scalars])]:
        try:
            __import__(module)
        except ImportError:
            continue
        for writer in writers:
            writer(cases)
    with io.open(os.path.join(folder, 'cases.json'), 'w', encoding='utf-8') as out:
        text = json.dumps(cases.cases)
        out.write(text if isinstance(text, type(u'')) else text.decode('ascii'))


# ---------------------------------------------------------------------- checks


def run(args):
    done = subprocess.run([os.environ['PICKLE_COMMAND']] + args, capture_output=True,
                          env=dict(os.environ, LC_ALL='C.UTF-8'))
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def below_header(out):
    return out.split('\n\n', 1)[1] if '\n\n' in out else out


def has_controls(text):
    return [c for c in text if c != '\n' and unicodedata.category(c) in ('Cc', 'Cf')]


def read_npy(path):
    """Rows of float64, by the format's description."""
    with open(path, 'rb') as data:
        content = data.read()
    start = 10 + struct.unpack('<H', content[8:10])[0]
    header = eval(content[10:start], {'__builtins__': {}})
    assert header['descr'] == '<f8' and not header['fortran_order'], header
    numbers = struct.unpack('<%dd' % ((len(content) - start) // 8), content[start:])
    rows, columns = header['shape']
    return [list(numbers[r * columns:(r + 1) * columns]) for r in range(rows)]


def near(a, b):
    """pandas writes 15 digits after the point."""
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(near, a, b))
    if isinstance(a, dict):
        return isinstance(b, dict) and set(a) - {'name'} <= set(b) and all(near(a[k], b[k]) for k in a)
    return a == b or (isinstance(a, float) and isinstance(b, (int, float)) and float('%.14g' % a) == float('%.14g' % b))


def found(form, args, want, done):
    """(what should be there, what is)"""
    code, out, err = done
    if form == 'refused':
        return (1, True), (code, want in err) if want in err else (code, err)
    if code or err:
        return '', 'exit %d: %s' % (code, err)
    if form == 'text':
        return want + '\n', out
    if form == 'tree':
        return want, below_header(out).splitlines()
    if form == 'header':
        return want, out.split('\n\n')[0] + '\n'
    if form == 'starts':
        return want, below_header(out)[:len(want)]
    if form == 'json':
        return want, json.loads(out)
    if form == 'member':
        return want[1], json.loads(out).get(want[0])
    if form == 'near':
        return want, want if near(want, json.loads(out)) else json.loads(out)
    if form == 'elements':
        return want, sorted(json.loads(out)['elements'])
    if form == 'cell':
        return True, out in (want[1] + '\n', json.dumps(want[0], ensure_ascii=False) + '\n') or out
    if form == 'facts':
        root = json.loads(out)['root']
        return want, {name: root.get(name) for name in want}
    if form == 'without':
        return False, want in out
    if form == 'narrow':
        return True, all(width(line) <= want for line in out.splitlines()) and '… ' in out or out
    if form == 'escaped':
        return [], has_controls(out)
    assert form == 'npy', form
    return want, read_npy(args[-1])


def check_cases(tap, env, folder):
    with open(os.path.join(folder, 'cases.json'), encoding='utf-8') as lines:
        cases = json.load(lines)
    problems = []
    for what, args, form, want in cases:
        expected, got = found(form, args, want, run(args))
        if expected != got:
            problems.append('%s: %s\n  expected %.600r\n  got      %.600r' % (what, args[1:], expected, got))
    tap.check('%s: show and get of known classes (%d)' % (env, len(cases)), '\n'.join(problems[:12]) or None)
    return problems


# ----------------------------------------------------------------------- torch


def tensor_facts(folder):
    """{(file, path): {what: value}} of the tensors."""
    facts = {}
    with open(os.path.join(folder, 'facts.tsv'), encoding='utf-8', newline='') as lines:
        for file, path, what, value in list(csv.reader(lines, delimiter='\t', quoting=csv.QUOTE_NONE))[1:]:
            facts.setdefault((os.path.join(folder, file), path), {})[what] = value
    return {place: what for place, what in facts.items() if 'tensor' in what}


def flat(values):
    for x in values:
        for y in flat(x) if isinstance(x, list) else [x]:
            yield y


def number_of(text):
    return {'nan': 'NaN', 'inf': 'Infinity', '-inf': '-Infinity'}.get(text, text) if isinstance(text, str) else text


def check_tensor(file, path, what):
    """A complaint, or None."""
    dtype, shape = what['tensor'].split(' ')[:2]
    shape = shape.replace(',', ', ').replace(', )', ',)')
    code, out, err = run(['show', '--json', '--depth=0', file, path])
    root = json.loads(out)['root'] if code == 0 else {}
    if (root.get('type'), root.get('dtype'), root.get('shape')) != \
            ('tensor', dtype, list(eval(shape, {'__builtins__': {}}))):
        return '%s %s: %s, but %.300s' % (file, path, what['tensor'], out or err)
    shown = run(['show', file, path])[1]
    if ' %s %s' % (dtype.split('.')[1], shape) not in shown:
        return '%s %s: %s, but %s' % (file, path, what['tensor'], shown)
    values = json.loads(what.get('values', 'null'))
    if values is None or not all(isinstance(x, (int, float)) for x in values):
        return None
    got = json.loads(run(['get', '--json', file, path])[1] or 'null')
    if isinstance(got, dict) or dtype.startswith('torch.complex'):
        return None
    got = [float(number_of(x)) for x in flat(got if isinstance(got, list) else [got])]
    want = [float(x) for x in values]
    form = {'torch.float32': 'f', 'torch.float16': 'e'}.get(dtype, 'd')     # shown with its own digits
    if [struct.pack(form, x) for x in got if x == x] != [struct.pack(form, x) for x in want if x == x]:
        return '%s %s: expected %.200r, got %.200r' % (file, path, want, got)
    return None


def check_torch(tap):
    folders = sorted(glob.glob(os.path.join(os.environ['PICKLE_FIXTURES'], 'torch', '*', '')))
    problems, count = [], 0
    for folder in folders:
        for (file, path), what in sorted(tensor_facts(folder).items()):
            count += 1
            problem = check_tensor(file, path, what)
            problems += [problem] if problem else []
    tap.check('tensors (%d)' % count, '\n'.join(problems[:12]) or (None if count else 'no tensors'))
    return problems


def main():
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, 'api'))
    import tap
    problems = check_torch(tap)
    pythons = sorted(glob.glob(os.path.join(os.environ.get('PICKLE_VENVS', ''), '*', 'bin', 'python')))
    if not pythons:
        tap.skip('show and get of known classes', 'no Python in $PICKLE_VENVS')
    for python in pythons:
        with tempfile.TemporaryDirectory() as folder:
            env = python.split(os.sep)[-3]
            made = subprocess.run([python, os.path.abspath(__file__), 'write', folder], capture_output=True, text=True)
            if made.returncode:
                tap.check('%s: writing' % env, made.stderr)
                problems.append(env)
            else:
                problems += check_cases(tap, env, folder)
    tap.done()
    sys.exit(1 if problems else 0)


if sys.argv[1:2] == ['write']:
    write(sys.argv[2])
else:
    main()
