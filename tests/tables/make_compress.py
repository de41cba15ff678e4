"""Writes compress.tsv: the digests of what Python's modules and joblib make of some inputs.

Needs joblib, lz4, and zstandard in a version whose libzstd is the system's; Python has to use the
system's libraries for the others. Columns: input; codec; level ("-": the default); what else is
given ("-": nothing; piece=N: written in calls of N bytes); the library's version ("-": any makes
the same); length; SHA-256.
"""
import bz2
import ctypes
import gzip
import hashlib
import io
import lzma
import os
import struct
import sys
import zlib

import _lzma
import lz4
import zstandard
from joblib.compressor import _COMPRESSORS
from joblib.numpy_pickle_utils import _buffered_write_file


def random_words(count):
    x = 1
    for _ in range(count):
        x = (x * 6364136223846793005 + 1442695040888963407) % 2**64
        yield x


def floats():
    """Noise, and every third one of few values, as in a fitted tree."""
    return b''.join(struct.pack('<d', (x >> 60) / 8 if i % 3 == 0 else (x >> 11) / 2**53)
                    for i, x in enumerate(random_words(38400)))


INPUTS = {
    'empty': b'',
    'byte': b'x',
    'text': b''.join(b'line %d of %d\n' % (i * i % 977, i) for i in range(12000)),
    'floats': floats(),
    'zeros': bytes(1 << 20),
    'ints': b''.join(struct.pack('<I', x >> 58) for x in random_words(650_000)),
}


class Kept(io.BytesIO):
    def close(self):
        pass


def joblib_file(codec, level, data, piece=0):
    """As joblib.dump() writes to its file object."""
    raw = Kept()
    file = _COMPRESSORS[codec].compressor_file(raw, compresslevel=level)
    with _buffered_write_file(file) as buffered:
        for at in range(0, len(data), piece or len(data) or 1):
            buffered.write(data[at:at + (piece or len(data))])
    file.close()
    return raw.getvalue()


def zstd(level, data):
    raw = Kept()
    with zstandard.ZstdCompressor(level=3 if level is None else level).stream_writer(raw) as file:
        file.write(data)
    return raw.getvalue()


def header_of(data):
    """The size of a gzip header with a name."""
    return data.index(b'\0', 10) + 1


def string(library, name):
    function = getattr(ctypes.CDLL(library), name)
    function.restype = ctypes.c_char_p
    return function().decode()


VERSIONS = {
    'zlib': zlib.ZLIB_RUNTIME_VERSION,
    'gzip': zlib.ZLIB_RUNTIME_VERSION,
    'bz2': '-',
    'xz': string(_lzma.__file__, 'lzma_version_string'),
    'lzma': string(_lzma.__file__, 'lzma_version_string'),
    'lz4': lz4.library_version_string(),
    'zstd': '.'.join(map(str, zstandard.ZSTD_VERSION)),
}
LEVELS = {
    'zlib': range(1, 10),
    'gzip': range(1, 10),
    'bz2': (1, 5, 9),
    'xz': (1, 3, 6),
    'lzma': (1, 3, 6),
    'lz4': (-5, -1, 1, 3, 9, 12, 16),
    'zstd': (-2, 1, 3, 9),
}


def rows():
    for name, data in INPUTS.items():
        for codec, levels in LEVELS.items():
            if name == 'ints' and codec != 'lz4':
                continue
            for level in (None, *levels):
                made = zstd(level, data) if codec == 'zstd' else joblib_file(codec, level, data)
                yield name, codec, level, '-', made
    for level in (None, 3, 9):
        for piece in (1000, 65536, 700_001, 1 << 20):
            yield 'ints', 'lz4', level, 'piece=%d' % piece, joblib_file(
                'lz4', level, INPUTS['ints'], piece)
    yield 'ints', 'zlib', None, '-', joblib_file('zlib', None, INPUTS['ints'])
    for preset in (0, 6):
        for check in lzma.CHECK_NONE, lzma.CHECK_CRC32, lzma.CHECK_SHA256:
            yield 'text', 'xz', preset, 'check=%d' % check, lzma.compress(
                INPUTS['text'], check=check, preset=preset)
    for level in 1, 6, 9:
        raw = io.BytesIO()
        with gzip.GzipFile('model.pkl', 'wb', level, raw, mtime=1700000000) as file:
            file.write(INPUTS['text'])
        made = raw.getvalue()
        yield 'text', 'gzip', level, 'header=' + made[:header_of(made)].hex(), made
    # These take much memory and time.
    for codec in 'xz', 'lzma':
        yield 'text', codec, 9, '-', joblib_file(codec, 9, INPUTS['text'])
    yield 'text', 'zstd', 19, '-', zstd(19, INPUTS['text'])
    yield 'text', 'bz2', 7, '-', bz2.compress(INPUTS['text'], 7)


def main():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'compress.tsv')
    with open(path, 'w') as table:
        print('# Written by make_compress.py.', file=table)
        for name, codec, level, extra, made in rows():
            print(name, codec, '-' if level is None else level, extra, VERSIONS[codec], len(made),
                  hashlib.sha256(made).hexdigest(), sep='\t', file=table)


if __name__ == '__main__':
    sys.exit(main())
