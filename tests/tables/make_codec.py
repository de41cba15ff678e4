"""Writes codec.tsv: compressed streams as Python and joblib make them, and what they hold.

Needs joblib, lz4 and zstandard. Each row is read back with Python first. Columns: name; codec; the
status that reading must end with; for PICKLE_OK the length of the payload, else the offset of the
error ("-": any); CRC-32 of what is delivered ("-": any); offset in the stream of the first byte
that is not read (0: none); how many streams are read; whether checksums cover every byte of the
payload; the bytes in hexadecimal.
"""
import bz2
import gzip
import io
import lzma
import os
import pickle
import random
import struct
import sys
import tempfile
import zlib

import joblib
import lz4.frame
import zstandard

OBJECT = {'name': 'codec', 'ints': list(range(-3, 40)), 'text': 'abc' * 20, 'none': None}


def big():
    rand = random.Random(1)
    block = rand.randbytes(1200)
    parts = [bytes(70_000), block * 30, bytes(range(256)) * 100, block]
    parts.append(b''.join(b'line %d\n' % (i // 40) for i in range(9000)))
    parts += [parts[-1][:32_000], block[::-1], bytes(60_000), block]
    return b''.join(parts)[:300_000]


def lzma_alone(data):
    return lzma.compress(data, format=lzma.FORMAT_ALONE)


def zstd(data):
    return zstandard.ZstdCompressor(
        level=3, write_checksum=True, write_content_size=False).compress(data)


def zstd_read(data):
    payload = b''
    while data:
        frame = zstandard.ZstdDecompressor().decompressobj()
        payload += frame.decompress(data)
        if not frame.eof:
            raise EOFError
        data = frame.unused_data
    return payload


def deflate(data):
    z = zlib.compressobj(wbits=-15)
    return z.compress(data) + z.flush()


def zfile(data, width=19):
    return b'ZF' + hex(len(data)).encode().ljust(width) + zlib.compress(data)


WRITE = {
    'zlib': zlib.compress,
    'gzip': lambda data: gzip.compress(data, mtime=0),
    'bz2': bz2.compress,
    'xz': lzma.compress,
    'lzma': lzma_alone,
    'lz4': lambda data: lz4.frame.compress(data, content_checksum=True),
    'zstd': zstd,
    'zfile': zfile,
    'deflate': deflate,
}
READ = {
    'zlib': zlib.decompress,
    'gzip': gzip.decompress,
    'bz2': lambda data: bz2.BZ2File(io.BytesIO(data)).read(),
    'xz': lambda data: lzma.LZMAFile(io.BytesIO(data)).read(),
    'lzma': lambda data: lzma.LZMAFile(io.BytesIO(data)).read(),
    'lz4': lambda data: lz4.frame.LZ4FrameFile(io.BytesIO(data)).read(),
    'zstd': zstd_read,
    'zfile': lambda data: zlib.decompress(data[21:].lstrip(b' ')),
    'deflate': lambda data: zlib.decompressobj(-15).decompress(data),
}
DECOMPRESSOR = {
    'gzip': lambda: zlib.decompressobj(31),
    'bz2': bz2.BZ2Decompressor,
    'xz': lzma.LZMADecompressor,
    'lzma': lzma.LZMADecompressor,
    'lz4': lz4.frame.LZ4FrameDecompressor,
    'zstd': lambda: zstandard.ZstdDecompressor().decompressobj(),
}
UNCHECKED = {'lzma', 'deflate'}
rows = []


def row(name, codec, status, length, crc, trailing, streams, checked, data):
    rows.append('\t'.join(map(str, (name, codec, status, length, crc, trailing, streams,
                                    int(checked), data.hex()))))


def ok(name, codec, payload, data, trailing=0, streams=1, checked=None, read=None):
    """A stream that delivers `payload`; read=False: Python refuses what follows the stream."""
    if read is not False:
        assert (read or READ[codec])(data) == payload, name
    checked = codec not in UNCHECKED if checked is None else checked
    row(name, codec, 'PICKLE_OK', len(payload), zlib.crc32(payload), trailing, streams, checked,
        data)


def bad(name, codec, offset, data, status='PICKLE_ERR_CODEC', delivered=None, read=None):
    try:
        (read or READ[codec])(data)
    except Exception:
        pass
    else:
        sys.exit(name + ': Python reads it')
    row(name, codec, status, offset, '-' if delivered is None else zlib.crc32(delivered), 0, 1, 0,
        data)


def dumped(codec):
    with tempfile.TemporaryDirectory() as folder:
        plain, packed = os.path.join(folder, 'plain'), os.path.join(folder, 'packed')
        joblib.dump(OBJECT, plain)
        joblib.dump(OBJECT, packed, compress=(codec, 3))
        return open(plain, 'rb').read(), open(packed, 'rb').read()


def flip(data, at):
    data = bytearray(data)
    data[at] ^= 0x55
    return bytes(data)


def gzip_with_everything(data):
    head = bytes([0x1f, 0x8b, 8, 1 | 2 | 4 | 8 | 16]) + struct.pack('<IBB', 1234567890, 2, 3)
    head += struct.pack('<H', 7) + b'AB\x03\x00xyz' + b'name.pkl\0' + b'a comment\0'
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (head + struct.pack('<H', zlib.crc32(head) & 0xffff) + deflate.compress(data) +
            deflate.flush() + struct.pack('<II', zlib.crc32(data), len(data)))


def deflated(data, level, strategy):
    z = zlib.compressobj(level, zlib.DEFLATED, 15, 9, strategy)
    return z.compress(data) + z.flush()


def main():
    small = pickle.dumps(OBJECT, 4)
    payloads = {'empty': b'', 'one': b'.', 'small': small, 'big': big()}
    for codec, write in WRITE.items():
        for name, payload in payloads.items():
            ok(codec + '_' + name, codec, payload, write(payload))
        if codec in ('zstd', 'zfile', 'deflate'):
            continue
        payload, packed = dumped(codec)
        ok(codec + '_joblib', codec, payload, packed, checked=codec not in ('lzma', 'lz4'))

    # Streams one after the other, and what is not one.
    two = small + b'second'
    for codec, write in WRITE.items():
        one = write(small)
        if codec not in ('zlib', 'zfile', 'deflate'):
            ok(codec + '_members', codec, two, one + write(b'second'), streams=2)
            ok(codec + '_members_empty', codec, small, write(b'') + one + write(b''),
               streams=3)
            cut = write(b'second')[:-3]
            bad(codec + '_member_cut', codec, len(small + DECOMPRESSOR[codec]().decompress(cut)),
                one + cut, 'PICKLE_ERR_TRUNCATED')
            bad(codec + '_member_head', codec, len(small), one + one[:5], 'PICKLE_ERR_TRUNCATED')
        # Modules disagree: we tolerate it everywhere, and tell.
        refused = codec in ('gzip', 'lz4', 'zstd')
        for name, after in ('garbage', b'garbage after the end'), ('byte', b'x'):
            ok(codec + '_' + name, codec, small, one + after, len(one),
               read=False if refused else None)
    gz, xz = WRITE['gzip'](small), lzma.compress(small)
    ok('zlib_twice', 'zlib', small, zlib.compress(small) * 2, len(zlib.compress(small)),
       read=lambda data: zlib.decompressobj().decompress(data))
    ok('gzip_zeros', 'gzip', small, gz + bytes(513))
    ok('gzip_zeros_member', 'gzip', two, gz + bytes(300) + WRITE['gzip'](b'second'),
       streams=2)
    ok('gzip_zeros_garbage', 'gzip', small, gz + bytes(3) + b'xyz', len(gz) + 3, read=False)
    ok('bz2_zeros_member', 'bz2', small, bz2.compress(small) + bytes(4) + bz2.compress(small),
       len(bz2.compress(small)))
    # Padding that the format allows: Python misses another stream, or ignores the rest.
    ok('xz_zeros', 'xz', small, xz + bytes(4), len(xz), read=False)
    ok('xz_zeros_member', 'xz', small, xz + bytes(4) + xz, len(xz))
    ok('xz_lzma', 'xz', two, xz + lzma_alone(b'second'), streams=2, checked=False)
    ok('lzma_xz', 'lzma', two, lzma_alone(small) + lzma.compress(b'second'), streams=2)
    skippable = struct.pack('<II', 0x184d2a53, 5) + b'abcde'
    for codec in ('lz4', 'zstd'):
        one = WRITE[codec](small)
        ok(codec + '_skippable', codec, two, one + skippable + WRITE[codec](b'second'),
           streams=3)
        ok(codec + '_skippable_end', codec, small, one + skippable, streams=2)

    # What writers can choose.
    for level in 0, 1, 9:
        ok('zlib_level%d' % level, 'zlib', small, zlib.compress(small, level))
    ok('zlib_fixed', 'zlib', small, deflated(small, 9, zlib.Z_FIXED))
    ok('zlib_runs', 'zlib', small, deflated(small, 9, zlib.Z_RLE))
    ok('gzip_everything', 'gzip', small, gzip_with_everything(small), read=lambda data:
       zlib.decompress(data, 31))
    ok('bz2_level1', 'bz2', payloads['big'], bz2.compress(payloads['big'], 1))
    for check in 'NONE', 'CRC32', 'SHA256':
        ok('xz_' + check.lower(), 'xz', small,
           lzma.compress(small, check=getattr(lzma, 'CHECK_' + check)), checked=check != 'NONE')
    ok('xz_filters', 'xz', small, lzma.compress(small, filters=[
        {'id': lzma.FILTER_DELTA, 'dist': 4}, {'id': lzma.FILTER_X86},
        {'id': lzma.FILTER_LZMA2, 'preset': 6}]))
    for linked in False, True:
        for checksum in False, True:
            ok('lz4_linked%d_checksum%d' % (linked, checksum), 'lz4', payloads['big'],
               lz4.frame.compress(payloads['big'], block_size=lz4.frame.BLOCKSIZE_MAX64KB,
                                  block_linked=linked, block_checksum=checksum,
                                  store_size=checksum),
               checked=checksum)
    ok('zstd_plain', 'zstd', small,
       zstandard.ZstdCompressor(level=19, write_content_size=True).compress(small), checked=False)
    ok('zfile_python2', 'zfile', small, zfile(small, 20))

    # Damage at known places.
    trailers = dict.fromkeys(('zlib', 'lz4', 'zstd', 'zfile'), (4, 1))
    trailers['gzip'] = 8, 5, 4, 1
    for codec, places in trailers.items():
        for place in places:
            data = WRITE[codec](small)
            # libzstd does not tell what it wrote before an error.
            offset, delivered = ('-', None) if codec == 'zstd' else (len(small), small)
            bad('%s_trailer%d' % (codec, place), codec, offset, flip(data, len(data) - place),
                delivered=delivered)
    bad('gzip_second_trailer', 'gzip', len(two), gz + flip(WRITE['gzip'](b'second'), -1),
        delivered=two)
    bad('bz2_block_crc', 'bz2', len(small), flip(bz2.compress(small), 10), delivered=small)
    # Check, padding, index, footer: the check ends 8 + 4 + 12 bytes before the end.
    bad('xz_check', 'xz', len(small), flip(xz, len(xz) - 28), delivered=small)
    bad('xz_footer', 'xz', len(small), flip(xz, len(xz) - 1), delivered=small)
    z = zlib.compressobj(zdict=b'abcabc')
    bad('zlib_dictionary', 'zlib', 0, z.compress(small) + z.flush())
    bad('gzip_method', 'gzip', 0, flip(gz, 2))
    bad('gzip_header_crc', 'gzip', 0, flip(gzip_with_everything(small), 40),
        read=lambda data: zlib.decompress(data, 31))
    bad('lzma_2g', 'lzma', 0, b'\x5d\x00\x00\x00\x80' + lzma_alone(small)[5:], 'PICKLE_ERR_LIMIT',
        read=lambda data: lzma.decompress(data, memlimit=520 << 20))
    bad('zstd_window', 'zstd', 0, struct.pack('<I', 0xfd2fb528) + b'\x00\xa8' + bytes(9),
        'PICKLE_ERR_LIMIT')
    row('zfile_length', 'zfile', 'PICKLE_ERR_CODEC', len(small), zlib.crc32(small), 0, 1, 0,
        b'ZF' + b'0x10'.ljust(19) + zlib.compress(small))
    row('zfile_no_number', 'zfile', 'PICKLE_ERR_CODEC', 0, '-', 0, 1, 0,
        b'ZF' + b'0y10'.ljust(19) + zlib.compress(small))

    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'codec.tsv'), 'w') as out:
        out.write('# Made by make_codec.py: Python %s, zlib %s, joblib %s, lz4 %s, zstandard %s.\n'
                  % (sys.version.split()[0], zlib.ZLIB_RUNTIME_VERSION, joblib.__version__,
                   lz4.VERSION, zstandard.__version__))
        out.write('\n'.join(rows) + '\n')


main()
