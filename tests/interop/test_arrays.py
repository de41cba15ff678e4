"""test_arrays.py - arrays that live numpy and joblib write, and what the library finds in them.

For each Python in the folder $PICKLE_VENVS (<name>/bin/python) that has numpy: arrays of random
dtypes, shapes and orders, pickled in each protocol, dumped by joblib with each compressor, saved as
.npy and .npz, and pickles in the archives that pandas writes. The helper $PICKLE_DESCRIBE prints
what is in the files. Skipped when no such Python is there.

Run with "write FOLDER" by those Pythons themselves, Python 2.7 included: makes the files, and
FOLDER/want with what the helper should print.
"""
from __future__ import print_function

import contextlib
import glob
import hashlib
import io
import os
import pickle
import random
import subprocess
import sys
import tarfile
import tempfile
import zipfile

SEED = 20260101

# ------------------------------------------------------------------ the writer

SIMPLE = ['?', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'f2', 'f4', 'f8', 'c8', 'c16', 'S1', 'S7',
          'U1', 'U5', 'V3', 'M8[ns]', 'M8[D]', 'M8[25s]', 'm8[us]', 'M8', 'm8[Y]']


def simple_dtype(rng):
    return rng.choice('<>') + rng.choice(SIMPLE)


def shape_of(rng, most):
    return tuple(rng.randrange(4) for _ in range(rng.randrange(most)))


def record_dtype(np, rng, depth=0):
    fields = []
    for i in range(rng.randrange(1, 5)):
        name = '%s%d' % (rng.choice(['a', 'name ', 'Z_']), i)
        kind = record_dtype(np, rng, depth + 1) if depth < 2 and rng.random() < .25 else simple_dtype(rng)
        if rng.random() < .2:
            name = ('title %d' % i, name)
        field = (name, kind)
        if rng.random() < .3:
            field += (tuple(rng.randrange(1, 4) for _ in range(rng.randrange(1, 3))),)
        fields.append(field)
    dtype = np.dtype(fields, align=rng.random() < .3)
    if rng.random() < .3:               # gaps before, between and behind the fields
        dtype = np.dtype({'names': dtype.names, 'formats': [dtype.fields[n][0] for n in dtype.names],
                          'offsets': [dtype.fields[n][1] + 3 + 5 * i for i, n in enumerate(dtype.names)],
                          'itemsize': dtype.itemsize + 40})
    return dtype


def contents(np, rng, dtype, count):
    """Any bytes, but where numpy minds: text has to be text."""
    if dtype.kind == 'U':
        return np.array([u''.join(rng.choice(u'ab\xe9\u20ac') for _ in range(rng.randrange(6)))
                         for _ in range(count)], dtype=dtype)
    if dtype.kind == 'b':
        return np.array([rng.random() < .5 for _ in range(count)], dtype=dtype)
    data = bytearray(rng.randrange(256) for _ in range(count * dtype.itemsize))
    array = np.zeros(count, dtype)
    if data and 'U' not in dtype.str and not (dtype.names and 'U' in str(dtype.descr)):
        array.view('u1')[:] = np.frombuffer(bytes(data), 'u1')
    return array


def laid_out(np, rng, array):
    """The same elements in another order or with gaps; padding bytes do not survive that."""
    if array.dtype.names or array.size == 0:
        return array
    how = rng.randrange(6)
    if how == 0:
        return np.asfortranarray(array)
    if how == 1:
        return array.T
    if how == 2 and array.ndim:
        return array[::2]
    if how == 3 and array.ndim:
        return array[::-1]
    if how == 4 and array.ndim > 2:
        axes = list(range(array.ndim))
        rng.shuffle(axes)
        return array.transpose(axes)
    return array


def random_array(np, rng):
    dtype = np.dtype(simple_dtype(rng)) if rng.random() < .6 else record_dtype(np, rng)
    shape = shape_of(rng, 5)
    count = 1
    for n in shape:
        count *= n
    array = contents(np, rng, dtype, count)
    gaps = dtype.names and '|V' in repr(dtype.descr)
    if dtype.names and not gaps and rng.random() < .3:
        return array.reshape(shape, order='F')
    return laid_out(np, rng, array.reshape(shape))


def random_objects(np, rng):
    array = np.empty((rng.randrange(3), 2), dtype=object)
    for index in np.ndindex(*array.shape):
        array[index] = rng.choice([None, 1, 'text', [1, 2], 2.5])
    return array.T if rng.random() < .5 else array


def random_scalar(np, rng):
    dtype = np.dtype(rng.choice(['?', 'i4', 'u8', 'f4', 'f8', 'c16', 'M8[s]', 'S3', 'U2']))
    value = contents(np, rng, dtype, 1)[0]
    return value if dtype.kind != 'U' or value else np.str_('never empty: Python 2 cannot say how long')


def line_for(np, value):
    scalar = isinstance(value, np.generic)
    dtype = value.dtype
    shape = ','.join(str(n) for n in value.shape) or '-'
    flags = value.flags
    order = 'F' if not scalar and flags.f_contiguous and not flags.c_contiguous else 'C'
    data = '-' if dtype.hasobject else hashlib.sha256(value.tobytes()).hexdigest()
    descr = dtype.str if dtype.names is None else repr(dtype.descr)
    return '\t'.join(['scalar' if scalar else 'array', descr, '%s %s %s' % (shape, order, data)])


def compressors(joblib, np):
    yield 'joblib', 0
    for method in ('zlib', 'gzip', 'bz2', 'xz', 'lzma', 'lz4'):
        yield 'joblib+' + method, (method, 3)


def save_npy(np, folder, arrays):
    """One array a file, and all of them in an .npz, stored and compressed."""
    want = []
    for i, array in enumerate(arrays):
        path = os.path.join(folder, '%d.npy' % i)
        np.save(path, array)
        want.append('%s\troot\tnpy\n%s\n' % (path, line_for(np, array)))
    lines = ''.join(line_for(np, array) + '\n' for array in arrays)
    for name, save in (('stored', np.savez), ('deflated', np.savez_compressed)):
        path = os.path.join(folder, name + '.npz')
        save(path, **{'%03d' % i: array for i, array in enumerate(arrays)})
        want.append('%s\troot\tnpz\n%s' % (path, lines))
    return want


def in_tar(name, mode):
    def write(path, data):
        member = tarfile.TarInfo('model.pkl')
        member.size = len(data)
        with contextlib.closing(tarfile.open(path, mode)) as tar:
            tar.addfile(member, io.BytesIO(data))
    return name, write


def in_zip(name, method):
    def write(path, data):
        with contextlib.closing(zipfile.ZipFile(path, 'w', method)) as archive:
            archive.writestr('model.pkl', data)
    return name, write


def compressed(name, module):
    def write(path, data):
        with contextlib.closing(getattr(__import__(module), name)(path, 'wb')) as out:
            out.write(data)
    return 'pickle+' + module.replace('lzma', 'xz'), write


def save_wrapped(folder, data, lines):
    """A pickle as pandas, and people by hand, wrap it."""
    wrappers = [in_tar('pickle+tar', 'w'), in_tar('pickle+tar+gzip', 'w:gz'), in_tar('pickle+tar+bz2', 'w:bz2'),
                in_zip('pickle+zip', zipfile.ZIP_STORED), in_zip('pickle+zip', zipfile.ZIP_DEFLATED),
                compressed('GzipFile', 'gzip'), compressed('BZ2File', 'bz2')]
    if sys.version_info[0] > 2:
        wrappers += [in_tar('pickle+tar+xz', 'w:xz'), in_zip('pickle+zip', zipfile.ZIP_BZIP2),
                     compressed('LZMAFile', 'lzma')]
    want = []
    for i, (name, write) in enumerate(wrappers):
        path = os.path.join(folder, 'wrapped%d' % i)
        write(path, data)
        want.append('%s\troot\t%s\n%s' % (path, name, lines))
    return want


def write(folder):
    import numpy as np
    try:
        import joblib
    except ImportError:
        joblib = None
    rng = random.Random(SEED)
    values = [random_array(np, rng) for _ in range(60)] + [random_objects(np, rng) for _ in range(5)] \
        + [random_scalar(np, rng) for _ in range(10)]
    rng.shuffle(values)
    # There are only two numpy.bool_: they are in the file once.
    once = [v for i, v in enumerate(values) if not any(v is w for w in values[:i])]
    lines = ''.join(line_for(np, value) + '\n' for value in once)
    want = []
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        path = os.path.join(folder, 'p%d.pkl' % protocol)
        with open(path, 'wb') as out:
            pickle.dump(values, out, protocol)
        want.append('%s\troot\tpickle\n%s' % (path, lines))
    for i, (container, compress) in enumerate(compressors(joblib, np) if joblib else ()):
        path = os.path.join(folder, container)
        try:
            joblib.dump(values, path, compress=compress)
        except (ValueError, NotImplementedError):   # this joblib, or this Python, does not have it
            continue
        want.append('%s\troot\t%s\n%s' % (path, container, lines))
    want += save_wrapped(folder, pickle.dumps(values, 2), lines)
    want += save_npy(np, folder, [np.asarray(value) for value in values])
    with open(os.path.join(folder, 'want'), 'w') as out:
        out.write(''.join(want))
    versions = [np.__version__, joblib.__version__ if joblib else 'no joblib']
    print('Python %d.%d, numpy %s, joblib %s' % (sys.version_info[:2] + tuple(versions)))


# ------------------------------------------------------------------ the checker

def first_difference(want, got):
    for number, (a, b) in enumerate(zip(want + ['the end'], got + ['the end']), 1):
        if a != b:
            return 'line %d\n#  want %s\n#  got  %s' % (number, a, b)


def check(number, python, describe):
    """A TAP line for one Python; None when it has no numpy."""
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run([python, __file__, 'write', folder], capture_output=True, text=True)
        if 'No module named' in run.stderr:
            return None
        if run.returncode != 0:
            return 'not ok %d - %s\n# %s' % (number, python, run.stderr.strip().replace('\n', '\n# '))
        with open(os.path.join(folder, 'want')) as want:
            want = want.read().splitlines()
        files = [line.split('\t')[0] for line in want if '\troot\t' in line]
        shown = subprocess.run([describe] + files, capture_output=True, text=True)
        difference = first_difference(want, shown.stdout.splitlines())
    name = '%s: %d files' % (run.stdout.strip(), len(files))
    if difference or shown.returncode != 0:
        return 'not ok %d - %s\n#  %s' % (number, name, difference or shown.stderr)
    return 'ok %d - %s' % (number, name)


def main():
    pythons = sorted(glob.glob(os.path.join(os.environ.get('PICKLE_VENVS', ''), '*', 'bin', 'python')))
    describe = os.environ.get('PICKLE_DESCRIBE')
    if not describe:
        sys.exit('PICKLE_DESCRIBE does not name the helper')
    results = []
    for python in pythons:
        result = check(len(results) + 1, python, describe)
        if result:
            results.append(result)
    if not results:
        results = ['ok 1 - arrays # SKIP no Python in PICKLE_VENVS has numpy']
    print('\n'.join(results + ['1..%d' % len(results)]))


if __name__ == '__main__':
    if sys.argv[1:2] == ['write']:
        write(sys.argv[2])
    else:
        main()
