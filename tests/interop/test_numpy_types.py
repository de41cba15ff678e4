"""test_numpy_types.py - what live numpy writes besides arrays, and what the library finds in it.

For each Python in the folder $PICKLE_VENVS (<name>/bin/python) that has numpy: subclasses of arrays,
masked arrays, random generators, seed sequences, and arrays of strings, pickled in each protocol and
dumped by joblib. The helper $PICKLE_NUMPY_TYPES prints what is in the files. Skipped when no such
Python is there.

Run with "write FOLDER" by those Pythons themselves, Python 2.7 included: makes the files, and
FOLDER/want with what the helper should print.
"""
from __future__ import print_function

import binascii
import glob
import hashlib
import os
import pickle
import random
import struct
import subprocess
import sys
import tempfile

SEED = 20260103

# ------------------------------------------------------------------ the values


def subclasses(np, folder):
    yield 'numpy.matrix', np.matrix([[1, 2], [3, 4]])
    yield 'numpy.matrix', np.matrix([[1.5, 2, 3]]).T
    yield 'numpy.matrix', np.asmatrix(np.array([[1, 2], [3, 4]], order='F'))
    yield 'numpy.recarray', np.rec.array([(1, 2.5, 'x'), (3, 4.5, 'yz')], dtype=[('a', 'i4'), ('b', 'f8'), ('c', 'S2')])
    yield 'numpy.recarray', np.zeros(0, [('a', 'i4')]).view(np.recarray)
    yield 'numpy.char.chararray', np.char.array(['ab', 'c'])
    array = np.memmap(os.path.join(folder, 'mapped'), 'f4', 'w+', shape=(2, 3))
    array[:] = [[1, 2, 3], [4, 5, 6]]
    yield 'numpy.memmap', array


def random_dtype(np, rng, depth=0):
    if depth and rng.random() < .7:
        return np.dtype(rng.choice(['?', 'i2', '<f8', '>i4', 'S3', 'U2', 'M8[D]', 'c8']))
    fields = []
    for i in range(rng.randrange(1, 4)):
        field = ('f%d' % i, random_dtype(np, rng, depth + 1) if depth < 2 else np.dtype('i4'))
        if rng.random() < .3:
            field += (tuple(rng.randrange(1, 4) for _ in range(rng.randrange(1, 3))),)
        fields.append(field)
    return np.dtype(fields)


def random_masked(np, rng):
    shape = tuple(rng.randrange(4) for _ in range(rng.randrange(4)))
    count = int(np.prod(shape))
    dtype = random_dtype(np, rng) if rng.random() < .5 else np.dtype(rng.choice(['?', 'i1', 'i4', 'f8', '>f4', 'c16', 'S3']))
    array = np.ma.zeros(count, dtype)
    if dtype.kind in 'iufc':
        array.data[...] = np.arange(count)
    if rng.random() < .8:
        array.mask = np.ma.getmaskarray(array)
        mask = array.mask.view(np.uint8) if count else np.zeros(0)
        if mask.size:
            mask[...] = np.array([rng.randrange(2) for _ in range(mask.size)]).reshape(mask.shape)
    array = array.reshape(shape)
    if dtype.kind in 'if' and rng.random() < .5:
        array.fill_value = 7
    return array.T if rng.random() < .3 and not dtype.names else array


def masked_arrays(np, rng):
    for _ in range(40):
        yield 'numpy.ma.MaskedArray', random_masked(np, rng)
    yield 'numpy.ma.MaskedArray', np.ma.array([1, 2, 3])
    yield 'numpy.ma.MaskedArray', np.ma.array(5, mask=True)
    yield 'numpy.ma.MaskedArray', np.ma.array([[1, 2], [3, 4]], mask=[[1, 0], [0, 1]], order='F', fill_value=9)
    yield 'numpy.ma.MaskedArray', np.ma.array(np.matrix([[1, 2]]), mask=[[0, 1]])
    if tuple(int(n) for n in np.__version__.split('.')[:2]) > (1, 13):
        # Before, numpy wrote the addresses of the objects.
        yield 'numpy.ma.MaskedArray', np.ma.array([None, 'text', 1], dtype=object, mask=[1, 0, 0])
    yield 'numpy.ma.core.MaskedConstant', np.ma.masked
    from numpy.ma import mrecords
    yield 'numpy.ma.mrecords.MaskedRecords', mrecords.fromarrays(
        [np.ma.array([1, 2], mask=[0, 1]), np.ma.array([1.5, 2.5])], names='a,b')


def generators(np):
    r = np.random
    yield 'numpy.random.RandomState', r.RandomState(1)
    used = r.RandomState(2)
    used.normal(size=3)
    used.randint(10, size=700)
    yield 'numpy.random.RandomState', used
    for name in ('MT19937', 'PCG64', 'PCG64DXSM', 'Philox', 'SFC64'):
        if not hasattr(r, name):
            continue
        yield 'numpy.random.' + name, getattr(r, name)(1)
        generator = r.Generator(getattr(r, name)(2))
        generator.integers(10, size=5, dtype='i4')
        generator.normal(size=3)
        yield 'numpy.random.Generator', generator
        yield 'numpy.random.RandomState', r.RandomState(getattr(r, name)(3))
    if hasattr(r, 'SeedSequence'):
        yield 'numpy.random.SeedSequence', r.SeedSequence(2 ** 70 + 1, spawn_key=(1, 2), pool_size=8)
        seed = r.SeedSequence([1, 2, 3])
        seed.spawn(3)
        yield 'numpy.random.SeedSequence', seed
        yield 'numpy.random.Generator', r.Generator(r.PCG64(seed.spawn(2)[1]))


def strings(np):
    if not hasattr(getattr(np, 'dtypes', None), 'StringDType'):
        return
    t = np.dtypes.StringDType
    yield 'numpy.ndarray', np.array(['a', 'longer than sixteen bytes', u'\xe9'], t())
    yield 'numpy.ndarray', np.array([['a', None], ['', 'b']], t(na_object=None))
    yield 'numpy.ndarray', np.array(['x'], t(coerce=False, na_object='missing'))


def dtype_classes(np):
    """As numpy pickles them since 1.20; before, there was only numpy.dtype."""
    for code in ('?', 'i1', 'u2', 'i4', 'i8', 'u8', 'f2', 'f4', 'f8', 'c8', 'c16', 'g', 'O'):
        if type(np.dtype(code)) is not np.dtype:
            yield 'class', type(np.dtype(code))


def plain(np):
    """Of no type that the library knows."""
    yield 'other', np.poly1d([1, 2, 3])


# -------------------------------------------------------------- what they hold

def raw(array):
    return array.tobytes() if hasattr(array, 'tobytes') else array.tostring()


def digest(array):
    return hashlib.sha256(raw(array)).hexdigest()[:16]


def array_line(array):
    """The helper's print_array."""
    shape = '(%s)' % ''.join('%d,' % n for n in array.shape)
    descr = array.dtype.str if array.dtype.names is None else repr(array.dtype.descr)
    if array.dtype.kind == 'T':
        descr = '|T16'
    if array.dtype.hasobject:
        return '\t%s %s%s' % (descr, shape, ''.join(' %r' % (item,) for item in array.ravel().tolist()))
    return '\t%s %s %s' % (descr, shape, digest(array))


def mask_line(np, mask):
    """Records are shown as their bytes."""
    if mask.dtype.names is None:
        return array_line(mask)
    bools = np.zeros(mask.shape, 'V%d' % mask.dtype.itemsize)
    if mask.size:
        bools = np.frombuffer(raw(mask), bools.dtype).reshape(mask.shape)
    return array_line(bools)


def masked_line(np, array, depth=0):
    data, mask = np.ma.getdata(array), np.ma.getmaskarray(array)
    line = array_line(data) + mask_line(np, mask)
    if depth == 0 and getattr(array, '_fill_value', None) is not None:
        line += array_line(np.asarray(array._fill_value))
    for name in data.dtype.names or () if depth < 3 else ():
        line += masked_line(np, np.ma.array(data[name], mask=mask[name], copy=False), depth + 1)
    return line


def value_line(np, value):
    return array_line(value) if isinstance(value, np.ndarray) else '\t%r' % (value,)


def state_line(np, state):
    inner = state['state']
    if state['bit_generator'] == 'MT19937':
        line = array_line(np.asarray(inner['key'])) + '\t%d' % inner['pos']
    else:
        line = ''.join(value_line(np, inner[name]) for name in ('state', 'inc', 'counter', 'key') if name in inner)
    if 'buffer' in state:
        line += value_line(np, state['buffer']) + '\t%d' % state['buffer_pos']
    gauss = binascii.hexlify(struct.pack('>d', state.get('gauss', 0.))).decode()
    return line + '\t%d %d\t%d %s' % (state.get('has_uint32', 0), state.get('uinteger', 0), state.get('has_gauss', 0), gauss)


def seed_line(np, seed):
    return value_line(np, seed.entropy) + value_line(np, seed.spawn_key) + '\t%d\t%d' % (
        seed.pool_size, seed.n_children_spawned) + array_line(seed.pool)


def rng_line(np, name, rng):
    if isinstance(rng, np.random.RandomState):
        state = rng.get_state() if not hasattr(np.random, 'Generator') else rng.get_state(legacy=False)
        if isinstance(state, tuple):
            state = dict(zip(('bit_generator', 'key', 'pos', 'has_gauss', 'gauss'), state))
            state['state'] = state
        bits = getattr(rng, '_bit_generator', None)
    else:
        bits = getattr(rng, 'bit_generator', rng)
        state = bits.state
    line = '\t%s\t%s' % (name if name in ('RandomState', 'Generator') else '-', state['bit_generator'])
    line += state_line(np, state)
    if int(np.__version__.split('.')[0]) >= 2 and bits.seed_seq is not None:    # before, it was not pickled
        line += seed_line(np, bits.seed_seq)
    return line


def line_for(np, public, value):
    if public == 'other':
        return 'other\t-'
    if public == 'class':
        dtype = np.dtype(value.type)
        return 'class\t' + dtype.str
    if isinstance(value, np.ma.MaskedArray):
        return 'masked array\t' + public + masked_line(np, value)
    if isinstance(value, np.ndarray):
        line = 'array\t' + public + array_line(value)
        if value.dtype.kind == 'T':
            na = '%r' % value.dtype.na_object if hasattr(value.dtype, 'na_object') else ''
            line += '\tcoerce %d\t%s' % (value.dtype.coerce, na)
        return line
    if public == 'numpy.random.SeedSequence':
        return 'random number generator\t' + public + seed_line(np, value)
    old = not isinstance(value, np.random.RandomState) and public != 'numpy.random.Generator' \
        and int(np.__version__.split('.')[0]) < 2      # made by a function that was called with a name
    name = public.split('.')[-1]
    return 'random number generator\t' + ('-' if old else public) + rng_line(np, name, value)


def write(folder):
    import numpy as np
    try:
        import joblib
    except ImportError:
        joblib = None
    rng = random.Random(SEED)
    found = list(subclasses(np, folder)) + list(masked_arrays(np, rng)) + list(generators(np)) + list(strings(np)) \
        + list(dtype_classes(np)) + list(plain(np))
    lines = ''.join(line_for(np, public, value) + '\n' for public, value in found)
    values = [value for _, value in found]
    files = []
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        files.append(os.path.join(folder, 'p%d.pkl' % protocol))
        with open(files[-1], 'wb') as out:
            pickle.dump(values, out, protocol)
    for compress in (0, 3) if joblib else ():
        files.append(os.path.join(folder, 'joblib%d' % compress))
        joblib.dump(values, files[-1], compress=compress)
    with open(os.path.join(folder, 'want'), 'w') as out:
        out.write(''.join('%s\n%s' % (path, lines) for path in files))
    print('Python %d.%d, numpy %s' % (sys.version_info[:2] + (np.__version__,)))


# ------------------------------------------------------------------ the checker

def first_difference(want, got):
    for number, (a, b) in enumerate(zip(want + ['the end'], got + ['the end']), 1):
        if a != b:
            return 'line %d\n#  want %s\n#  got  %s' % (number, a, b)


def check(number, python, helper):
    """A TAP line for one Python; None when it has no numpy."""
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run([python, '-W', 'ignore', __file__, 'write', folder], capture_output=True, text=True)
        if 'No module named' in run.stderr:
            return None
        if run.returncode != 0:
            return 'not ok %d - %s\n# %s' % (number, python, run.stderr.strip().replace('\n', '\n# '))
        with open(os.path.join(folder, 'want'), encoding='utf-8') as want:
            want = want.read().splitlines()
        files = [line for line in want if line.startswith(folder)]
        shown = subprocess.run([helper] + files, capture_output=True, encoding='utf-8')
        difference = first_difference(want, shown.stdout.splitlines())
    name = '%s: %d files, %d values in each' % (run.stdout.strip(), len(files), len(want) // len(files) - 1)
    if difference or shown.returncode != 0:
        return 'not ok %d - %s\n#  %s' % (number, name, difference or shown.stderr)
    return 'ok %d - %s' % (number, name)


def main():
    pythons = sorted(glob.glob(os.path.join(os.environ.get('PICKLE_VENVS', ''), '*', 'bin', 'python')))
    helper = os.environ.get('PICKLE_NUMPY_TYPES')
    if not helper:
        sys.exit('PICKLE_NUMPY_TYPES does not name the helper')
    results = []
    for python in pythons:
        result = check(len(results) + 1, python, helper)
        if result:
            results.append(result)
    if not results:
        results = ['ok 1 - numpy\'s types # SKIP no Python in PICKLE_VENVS has numpy']
    print('\n'.join(results + ['1..%d' % len(results)]))


if __name__ == '__main__':
    if sys.argv[1:2] == ['write']:
        write(sys.argv[2])
    else:
        main()
