"""test_sparse.py - sparse matrices that live scipy writes, and what the library finds in them.

For each Python in the folder $PICKLE_VENVS (<name>/bin/python) that has scipy: matrices and arrays
of all formats, pickled in each protocol and dumped by joblib. The helper $PICKLE_SPARSE prints what
is in the files. Skipped when no such Python is there.

Run with "write FOLDER" by those Pythons themselves, Python 2.7 included: makes the files, and
FOLDER/want with what the helper should print.
"""
from __future__ import print_function

import copy
import glob
import hashlib
import os
import pickle
import random
import struct
import subprocess
import sys
import tempfile

SEED = 20260102

FORMATS = ['csr', 'csc', 'bsr', 'coo', 'dia', 'lil', 'dok']
DTYPES = ['?', 'i1', 'u1', 'i2', 'u2', 'i4', 'u4', 'i8', 'u8', 'f4', 'f8', 'c8', 'c16', 'g', 'G']

# ------------------------------------------------------------------ the matrices


def numbers(np, rng, dtype, count):
    """Some of which overflow when they are added up, and some of which are zero."""
    values = [rng.choice([0, 1, 2, -3, 100, 127, 0.1, 1e9]) for _ in range(count)]
    dtype = np.dtype(dtype)
    if dtype.kind == 'b':
        return np.array([v != 0 for v in values], dtype)
    if dtype.kind in 'iu':
        return np.array([abs(int(v)) % 128 for v in values], dtype)
    if dtype.kind == 'c':
        return np.array([complex(v, -v / 3.) for v in values], dtype)
    return np.array(values, dtype)


def filled(np, rng, dtype, rows, columns, density):
    dense = numbers(np, rng, dtype, rows * columns).reshape(rows, columns)
    dense[np.array([rng.random() >= density for _ in range(rows * columns)],
                   bool).reshape(rows, columns)] = 0
    return dense


def with_duplicates(np, sp, rng, kind, dtype, rows, columns):
    count = rng.randrange(1, 12)
    row = np.array([rng.randrange(rows) for _ in range(count)], 'i4')
    col = np.array([rng.randrange(columns) for _ in range(count)], 'i4')
    data = numbers(np, rng, dtype, count)
    if 'coo' in kind:
        return getattr(sp, kind)((data, (row, col)), shape=(rows, columns))
    lines, major, minor = (rows, row, col) if 'csr' in kind else (columns, col, row)
    order = np.argsort(major, kind='mergesort')             # minor indices stay as unsorted as they are
    indptr = np.searchsorted(major[order], np.arange(lines + 1)).astype('i4')
    return getattr(sp, kind)((data[order], minor[order], indptr), shape=(rows, columns))


def diagonals(np, sp, rng, kind, dtype, rows, columns):
    """Offsets in any order, some of them outside; diagonals as long as the rows, or shorter."""
    offsets = list(range(-rows - 1, columns + 2))
    rng.shuffle(offsets)
    offsets = offsets[:rng.randrange(1, 4)]
    width = rng.choice([columns, columns, columns + 2, max(columns - 1, 1)])
    data = numbers(np, rng, dtype, width * len(offsets)).reshape(len(offsets), width)
    return getattr(sp, kind)((data, offsets), shape=(rows, columns))


def change_parts(np, matrix, names, change):
    """scipy checks what it is called with, but not what is assigned."""
    for name in names:
        if name in vars(matrix) and isinstance(vars(matrix)[name], np.ndarray) and vars(matrix)[name].dtype != object:
            setattr(matrix, name, change(vars(matrix)[name]))
    if 'row' in names and 'coords' in vars(matrix):
        matrix.coords = tuple(change(axis) for axis in matrix.coords)


def changed(np, rng, matrix):
    """Other index types and orders of the data, which scipy keeps when they are assigned."""
    how = rng.randrange(6)
    index = {0: 'i8', 1: '>i4', 2: '>i8'}.get(how)
    if index:
        change_parts(np, matrix, ('indices', 'indptr', 'offsets', 'row', 'col'), lambda part: part.astype(index))
    if how == 3 and isinstance(getattr(matrix, 'data', None), np.ndarray) and matrix.data.dtype != object:
        matrix.data = matrix.data.astype(matrix.data.dtype.newbyteorder('>'))
    if how == 4 and isinstance(getattr(matrix, 'data', None), np.ndarray) and matrix.data.ndim > 1:
        matrix.data = np.asfortranarray(matrix.data)
    if how == 5 and matrix.format in ('csr', 'csc'):    # more than indptr reaches
        matrix.indices = np.append(matrix.indices, np.zeros(3, matrix.indices.dtype))
        matrix.data = np.append(matrix.data, np.zeros(3, matrix.data.dtype))
    return matrix


def one_matrix(np, sp, rng, kind):
    dtype = rng.choice(DTYPES)
    rows, columns = rng.randrange(7), rng.randrange(7)
    if rng.random() < .1:
        rows = columns = 1
    how = rng.random()
    if how < .5 and kind[:3] in ('csr', 'csc', 'coo') and rows and columns:
        return with_duplicates(np, sp, rng, kind, dtype, rows, columns)
    if how < .6 and kind[:3] == 'dia' and rows and columns:
        return diagonals(np, sp, rng, kind, dtype, rows, columns)
    if kind[:3] == 'bsr' and rows and columns:
        blocks = rng.randrange(1, 4), rng.randrange(1, 4)
        dense = filled(np, rng, dtype, rows * blocks[0], columns * blocks[1], .2)
        return getattr(sp, kind)(dense, blocksize=blocks)
    return getattr(sp, kind)(filled(np, rng, dtype, rows, columns, rng.choice([0, .2, .9])))


def others(np, sp):
    """Of one dimension, and of many, where this scipy has them."""
    for kind in ('coo_array', 'csr_array', 'dok_array'):
        for values in ([1., 0, 2.5], [], [0, 0]):
            try:
                array = getattr(sp, kind)(np.array(values))
            except (AttributeError, ValueError, TypeError):
                continue
            if array.ndim == 1:
                yield array
    for shape in ((2, 3, 4), (1, 0, 2), (2, 1, 2, 1, 3)):
        try:
            yield sp.coo_array(np.arange(np.prod(shape)).reshape(shape) % 3)
        except (AttributeError, ValueError, TypeError):
            pass


# -------------------------------------------------------------- what they hold

def native(np, array):
    return array.astype(array.dtype.newbyteorder('='))


def with_native_parts(np, matrix):
    """scipy's compiled routines want this machine's byte order; the same matrix in it."""
    if matrix.format == 'dok':
        return matrix
    matrix = copy.copy(matrix)
    change_parts(np, matrix, ('data', 'indices', 'indptr', 'offsets', 'row', 'col'), lambda part: native(np, part))
    if matrix.format in ('csr', 'csc'):
        matrix.prune()      # what indptr does not reach: not all versions can do with it
    return matrix


def compressed_elements(matrix, by_columns):
    lines = len(matrix.indptr) - 1
    for line in range(lines):
        for at in range(matrix.indptr[line], matrix.indptr[line + 1]):
            other = int(matrix.indices[at])
            where = (other,) if len(matrix.shape) == 1 else (other, line) if by_columns else (line, other)
            yield where, matrix.data[at]


def block_elements(matrix):
    rows, columns = matrix.data.shape[1:]
    for line in range(len(matrix.indptr) - 1):
        for at in range(matrix.indptr[line], matrix.indptr[line + 1]):
            for r in range(rows):
                for c in range(columns):
                    yield (line * rows + r, int(matrix.indices[at]) * columns + c), matrix.data[at, r, c]


def diagonal_elements(matrix):
    for i, offset in enumerate(matrix.offsets):
        for column in range(min(matrix.shape[1], matrix.data.shape[1])):
            row = column - int(offset)
            if 0 <= row < matrix.shape[0]:
                yield (row, column), matrix.data[i, column]


def elements(matrix):
    """((row, column), value) of each stored element, from scipy's own attributes."""
    if matrix.format in ('csr', 'csc'):
        return compressed_elements(matrix, matrix.format == 'csc')
    if matrix.format == 'bsr':
        return block_elements(matrix)
    if matrix.format == 'dia':
        return diagonal_elements(matrix)
    if matrix.format == 'coo':
        coords = getattr(matrix, 'coords', None) or (matrix.row, matrix.col)
        return ((tuple(int(axis[i]) for axis in coords), value) for i, value in enumerate(matrix.data))
    if matrix.format == 'lil':
        return (((row, int(column)), value) for row in range(matrix.shape[0])
                for column, value in zip(matrix.rows[row], matrix.data[row]))
    return ((where if isinstance(where, tuple) else (where,), value) for where, value in matrix.items())


def raw(array):
    return array.tobytes() if hasattr(array, 'tobytes') else array.tostring()


def stored_bytes(np, dtype, values):
    """Little-endian; of x86's long doubles the padding is zero."""
    data = np.array(values, dtype)
    if dtype.kind not in 'fc' or dtype.itemsize not in (12, 16, 24, 32) or dtype == np.dtype('c16'):
        return raw(data.astype(dtype.newbyteorder('<')))
    part = dtype.itemsize // (2 if dtype.kind == 'c' else 1)
    cleared = bytearray(raw(data))
    for i in range(len(cleared)):
        if i % part >= 10:
            cleared[i] = 0
    return bytes(cleared)


def digest(data):
    return hashlib.sha256(data).hexdigest()[:16]


def rows_digest(np, dtype, shape, found):
    if len(shape) > 2:
        return '-'
    by_row = [[] for _ in range(shape[0] if len(shape) == 2 else 1)]
    for where, value in found:
        by_row[where[0] if len(shape) == 2 else 0].append((where[-1], value))
    pointers = [0]
    for row in by_row:
        pointers.append(pointers[-1] + len(row))
    flat = [item for row in by_row for item in row]
    integers = pointers + [column for column, _ in flat]
    return digest(struct.pack('<%dq' % len(integers), *integers)
                  + stored_bytes(np, dtype, [value for _, value in flat]))


def code_of(dtype):
    return '?' if dtype.kind == 'b' else '<%s%d' % (dtype.kind, dtype.itemsize)


def lines_for(np, matrix):
    dtype = matrix.dtype.newbyteorder('=')
    found = list(elements(matrix))
    dense = with_native_parts(np, matrix).toarray()
    assert dense.dtype == dtype, (dense.dtype, dtype)
    name = type(matrix).__name__
    first = ['sparse matrix', 'scipy.sparse.' + name, name.replace('_', ' '),
             ','.join(str(n) for n in matrix.shape), str(len(found)), code_of(dtype),
             digest(stored_bytes(np, dtype, dense)), digest(stored_bytes(np, np.dtype('c16'), dense)),
             rows_digest(np, dtype, matrix.shape, found)]
    second = ['%s=%s ' % (','.join(str(int(n)) for n in where),
                          ''.join('%02x' % c for c in bytearray(stored_bytes(np, dtype, value))))
              for where, value in found]
    return '\t'.join(first) + '\n' + ''.join(second) + '\n'


def write(folder):
    import numpy as np
    import scipy
    import scipy.sparse as sp
    try:
        import joblib
    except ImportError:
        joblib = None
    rng = random.Random(SEED)
    kinds = [f + '_' + kind for f in FORMATS for kind in ('matrix', 'array') if hasattr(sp, f + '_' + kind)]
    matrices = [changed(np, rng, one_matrix(np, sp, rng, kind)) for kind in kinds for _ in range(40)]
    matrices += list(others(np, sp))
    lines = ''.join(lines_for(np, matrix) for matrix in matrices)
    files = []
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        files.append(os.path.join(folder, 'p%d.pkl' % protocol))
        with open(files[-1], 'wb') as out:
            pickle.dump(matrices, out, protocol)
    for compress in (0, 3) if joblib else ():
        files.append(os.path.join(folder, 'joblib%d' % compress))
        joblib.dump(matrices, files[-1], compress=compress)
    with open(os.path.join(folder, 'want'), 'w') as out:
        out.write(''.join('%s\n%s' % (path, lines) for path in files))
    print('Python %d.%d, numpy %s, scipy %s' % (sys.version_info[:2] + (np.__version__, scipy.__version__)))


# ------------------------------------------------------------------ the checker

def first_difference(want, got):
    for number, (a, b) in enumerate(zip(want + ['the end'], got + ['the end']), 1):
        if a != b:
            return 'line %d\n#  want %s\n#  got  %s' % (number, a, b)


def check(number, python, helper):
    """A TAP line for one Python; None when it has no scipy."""
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run([python, '-W', 'ignore', __file__, 'write', folder], capture_output=True, text=True)
        if 'No module named' in run.stderr:
            return None
        if run.returncode != 0:
            return 'not ok %d - %s\n# %s' % (number, python, run.stderr.strip().replace('\n', '\n# '))
        with open(os.path.join(folder, 'want')) as want:
            want = want.read().splitlines()
        files = [line for line in want if line.startswith(folder)]
        shown = subprocess.run([helper] + files, capture_output=True, text=True)
        difference = first_difference(want, shown.stdout.splitlines())
    name = '%s: %d files, %d matrices in each' % (run.stdout.strip(), len(files), len(want) // len(files) // 2)
    if difference or shown.returncode != 0:
        return 'not ok %d - %s\n#  %s' % (number, name, difference or shown.stderr)
    return 'ok %d - %s' % (number, name)


def main():
    pythons = sorted(glob.glob(os.path.join(os.environ.get('PICKLE_VENVS', ''), '*', 'bin', 'python')))
    helper = os.environ.get('PICKLE_SPARSE')
    if not helper:
        sys.exit('PICKLE_SPARSE does not name the helper')
    results = []
    for python in pythons:
        result = check(len(results) + 1, python, helper)
        if result:
            results.append(result)
    if not results:
        results = ['ok 1 - sparse matrices # SKIP no Python in PICKLE_VENVS has scipy']
    print('\n'.join(results + ['1..%d' % len(results)]))


if __name__ == '__main__':
    if sys.argv[1:2] == ['write']:
        write(sys.argv[2])
    else:
        main()
