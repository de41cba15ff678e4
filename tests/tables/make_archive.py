"""Writes archives.tsv: zip and tar archives as Python and GNU tar make them, and what they hold.

Needs zstandard, and GNU tar as "tar". Two kinds of rows:

archive  name  zip|tar  status that going through ends with  offset of the error ("-": any)  hex
member   name (percent-encoded)  file|folder|other  size  CRC-32 ("-": none)  SHA-256 of the content

Members follow their archive, and are what Python's zipfile and tarfile find in it. Names are the
bytes in the archive; tarfile leaves out slashes at the end of folders. Instead of a digest "!" and
a status stand where reading the content must fail. zipfile does not know the methods 93 and 95: for
these the table has what was compressed. A sparse file is a regular one for tarfile.
"""
import hashlib
import io
import lzma
import os
import struct
import subprocess
import sys
import tarfile
import tempfile
import urllib.parse
import zipfile
import zlib

import zstandard

SMALL = b'a pickle of few words, ' * 9
BIG = b''.join(b'%d %d\n' % (i % 99, i // 9000) for i in range(60_000))
EPOCH = (1980, 0, 0, 0, 0, 0)  # as PyTorch writes: neither a month nor a day
rows = []

tarfile.RECORDSIZE = 1024  # less padding than 10 KiB


def archive(name, kind, data, members, status='PICKLE_END', offset='-'):
    assert ['archive', name] not in [row[:2] for row in rows], name
    rows.append(['archive', name, kind, status, offset, data.hex() or '-'])
    for member, what, size, crc, digest in members:
        rows.append(['member', urllib.parse.quote(member, safe='/.'), what, size,
                     '-' if crc is None else crc, digest])


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def zip_members(data, contents={}):
    with zipfile.ZipFile(io.BytesIO(data)) as z:
        for info in z.infolist():
            raw = info.orig_filename.encode('utf-8' if info.flag_bits & 0x800 else 'cp437')
            content = contents.get(info.filename)
            digest = content if str(content).startswith('!') else sha256(
                z.read(info) if content is None else content)
            yield raw, 'folder' if info.is_dir() else 'file', info.file_size, info.CRC, digest


def tar_members(data):
    with tarfile.open(fileobj=io.BytesIO(data), mode='r:') as t:
        for info in t:
            what = 'folder' if info.isdir() else 'other'
            digest = '-'
            if info.isreg() and not info.issparse():
                what, digest = 'file', sha256(t.extractfile(info).read())
            yield (info.name.encode('utf-8', 'surrogateescape'), what,
                   info.size if what == 'file' else 0, None, digest)


class Pipe(io.RawIOBase):
    """What cannot be sought in: sizes come behind the data."""

    def __init__(self):
        self.data = bytearray()

    def writable(self):
        return True

    def write(self, data):
        self.data += data
        return len(data)


def make_zip(members, method=zipfile.ZIP_DEFLATED, comment=b'', force_zip64=False, out=None,
             limit=zipfile.ZIP64_LIMIT):
    """`limit`: from where on the directory has 64 bits."""
    out = io.BytesIO() if out is None else out
    before = zipfile.ZIP64_LIMIT
    with zipfile.ZipFile(out, 'w', method) as z:
        z.comment = comment
        for name, content in members:
            info = zipfile.ZipInfo(name, (2020, 2, 2, 2, 2, 2))
            info.compress_type = method
            with z.open(info, 'w', force_zip64=force_zip64) as f:
                f.write(content)
        zipfile.ZIP64_LIMIT = limit
    zipfile.ZIP64_LIMIT = before
    return bytes(out.data) if isinstance(out, Pipe) else out.getvalue()


def torch_zip(members, pipe=False):
    """Stored, aligned to 64 bytes by an extra field that the directory does not have."""
    out = Pipe() if pipe else io.BytesIO()
    with zipfile.ZipFile(out, 'w') as z:
        for name, content in members:
            info = zipfile.ZipInfo(name, EPOCH)
            pad = -(z.start_dir + 30 + len(name) + 4) % 64
            info.extra = b'FB' + struct.pack('<H', pad) + b'Z' * pad
            with z.open(info, 'w') as f:
                f.write(content)
            info.extra = b''
    return bytes(out.data) if pipe else out.getvalue()


def recoded(name, method, content, packed):
    """A zip whose member is said to be compressed so."""
    data = bytearray(make_zip([(name, packed)], zipfile.ZIP_STORED))
    start = struct.unpack_from('<I', data, len(data) - 6)[0]
    for at, shift in (0, 8), (start, 10):
        struct.pack_into('<H', data, at + shift, method)
        struct.pack_into('<III', data, at + shift + 6, zlib.crc32(content), len(packed),
                         len(content))
    return bytes(data)


def changed(data, at, new):
    return data[:at] + new + data[at + len(new):]


def zips():
    two = [('archive/data.pkl', SMALL), ('archive/data/0', b'\0' * 100)]
    methods = {'stored': zipfile.ZIP_STORED, 'deflated': zipfile.ZIP_DEFLATED,
               'bz2': zipfile.ZIP_BZIP2, 'lzma': zipfile.ZIP_LZMA}

    def ok(name, data, contents={}):
        archive(name, 'zip', data, zip_members(data, contents))

    for name, method in methods.items():
        ok('zip_' + name, make_zip(two + [('empty', b'')], method))
        ok('zip_%s_big' % name, make_zip([('big', BIG if method else BIG[:9000])], method))
    stored, deflated = make_zip(two, zipfile.ZIP_STORED), make_zip(two)
    ok('zip_empty', make_zip([]))
    ok('zip_comment', make_zip(two, comment=b'PK\1\2 a comment PK\5'))
    ok('zip_prefix', b'#!/bin/sh\nexec junk PK\3\4\n' + deflated)
    ok('zip_prefix_comment', b'x' * 300 + make_zip(two, comment=b'behind'))
    ok('zip_zip64', make_zip(two, force_zip64=True))
    ok('zip_streamed', make_zip(two, out=Pipe()))
    ok('zip_streamed_zip64', make_zip(two, force_zip64=True, out=Pipe()))
    ok('zip_torch', torch_zip(two + [('archive/data/1', BIG[:1000]), ('archive/version', b'3\n')]))
    ok('zip_torch_streamed', torch_zip(two, pipe=True))
    ok('zip_names', make_zip([('a/', b''), ('a/../b', b'1'), ('\u00e9t\u00e9', b'2'),
                              ('n' * 3000, b'3'), ('twice', b'4')] + [('', b'none')]))
    ok('zip_cp437', make_zip([('\x65t_', SMALL)]).replace(b'et_', b'\x82t\x82'))
    ok('zip_nul_in_name', make_zip([('ab_cd', SMALL)]).replace(b'ab_cd', b'ab\0cd'))
    big_end = make_zip(two, limit=10)
    ok('zip_zip64_directory', big_end)
    ok('zip_zip64_prefix', b'junk' * 9 + big_end)

    packed = zstandard.ZstdCompressor(level=3).compress(SMALL)
    ok('zip_zstd', recoded('z', 93, SMALL, packed), {'z': SMALL})
    ok('zip_xz', recoded('x', 95, SMALL, lzma.compress(SMALL)), {'x': SMALL})
    # Only the size tells where it ends.
    unmarked = b'\x09\x04\x05\0' + lzma_unmarked(SMALL)
    ok('zip_lzma_unmarked', recoded('l', 14, SMALL, unmarked))

    fails = '!PICKLE_ERR_UNSUPPORTED'
    ok('zip_method_9', recoded('m', 9, SMALL, packed), {'m': fails})
    start, flat = (struct.unpack_from('<I', z, len(z) - 6)[0] for z in (deflated, stored))
    ok('zip_encrypted', changed(deflated, start + 8, b'\1'), {'archive/data.pkl': fails})
    fails = '!PICKLE_ERR_CODEC'
    ok('zip_crc', changed(deflated, start + 16, b'1234'), {'archive/data.pkl': fails})
    ok('zip_size_less', changed(deflated, start + 24, b'\x05'), {'archive/data.pkl': fails})
    ok('zip_size_more', changed(deflated, start + 24, b'\xff'), {'archive/data.pkl': fails})
    ok('zip_stored_size', changed(stored, flat + 24, b'\x05'), {'archive/data.pkl': fails})
    ok('zip_stored_crc', changed(stored, flat + 16, b'1234'), {'archive/data.pkl': fails})
    ok('zip_lzma_header', recoded('l', 14, SMALL, b'\x09\x04\x06\0' + unmarked[4:]), {'l': fails})
    ok('zip_count', changed(deflated, len(deflated) - 14, b'\xff\x7f\xff\x7f'))
    bad_zips(deflated, big_end, start)


def lzma_unmarked(content):
    """Properties and raw stream as zip has them. A chunk of LZMA2 has the stream without a mark."""
    chunk = lzma.compress(content, lzma.FORMAT_RAW, filters=[{'id': lzma.FILTER_LZMA2}])
    control, unpacked, packed, properties = struct.unpack_from('>BHHB', chunk)
    assert control == 0xe0 and unpacked == len(content) - 1
    return struct.pack('<BI', properties, 1 << 23) + chunk[6:6 + packed + 1]


def bad_zips(deflated, big_end, start):
    def bad(name, data, offset='-', status='PICKLE_ERR_CODEC', members=(), noticed=True):
        """noticed=False: Python's zipfile reads it."""
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as z:
                for info in z.infolist()[len(members):]:
                    z.read(info)
        except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, OverflowError):
            pass
        else:
            if noticed:
                sys.exit(name + ': Python reads it')
        archive(name, 'zip', data, members, status, offset)

    first = list(zip_members(deflated))[:1]
    size, end = len(deflated), len(deflated) - 22
    second = deflated.index(b'PK\1\2', start + 4)
    local = deflated.index(b'PK\3\4', 4)
    bad('zip_no_directory', deflated[:start], start, 'PICKLE_ERR_TRUNCATED')
    bad('zip_nothing', b'', 0)
    bad('zip_other', b'not a zip' * 9, 81)
    bad('zip_volumes', changed(deflated, end + 4, b'\1'), end, 'PICKLE_ERR_UNSUPPORTED',
        noticed=False)
    bad('zip_directory_size', changed(deflated, end + 12, struct.pack('<I', size)), end)
    bad('zip_directory_offset', changed(deflated, end + 16, struct.pack('<I', size)), end)
    bad('zip_entry', changed(deflated, start, b'PK\1\3'), start)
    bad('zip_second_entry', changed(deflated, second, b'PKPK'), second, members=first)
    bad('zip_entry_name', changed(deflated, second + 28, b'\xff\xff'), second, members=first,
        noticed=False)  # the name is the last of the directory, and gets cut
    bad('zip_local_offset', changed(deflated, second + 42, b'\xf0\xff\xff\0'), second,
        members=first)
    bad('zip_local_header', changed(deflated, local, b'PKPK'), local, members=first)
    bad('zip_local_name', changed(deflated, local + 30, b'A'), local, members=first)
    bad('zip_into_directory', changed(deflated, second + 20, b'\xff\xff'), local, members=first)
    bad('zip_no_zip64_field', changed(deflated, second + 42, b'\xff\xff\xff\xff'), second,
        members=first)
    directory = big_end.index(b'PK\6\6')
    huge = b'\xff' * 8
    bad('zip_zip64_size', changed(big_end, directory + 40, huge), directory)
    bad('zip_zip64_offset', changed(big_end, directory + 48, huge), directory)
    entry = big_end.index(b'PK\1\2')
    extra = entry + 46 + len('archive/data.pkl') + 4
    bad('zip_zip64_packed', changed(big_end, extra + 8, huge), 0)
    same = changed(deflated, second + 42, struct.pack('<I', 0))
    bad('zip_wrong_local', same, 0, members=first)


def make_tar(members, types={}, **how):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', **how) as t:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if name in types:
                info.type, info.linkname = types[name], content
            else:
                info.size = len(content)
            t.addfile(info, io.BytesIO(content) if info.size else None)
    return out.getvalue()


def gnu_tar(*how):
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(os.path.join(folder, 'd/e'))
        for name, content in ('d/e/' + 'm' * 80, SMALL), ('d/plain', BIG[:600]):
            with open(os.path.join(folder, name), 'wb') as f:
                f.write(content)
        with open(os.path.join(folder, 'd/sparse'), 'wb') as f:
            for i in range(6):
                f.seek(i * 40960)
                f.write(b'here')
        os.symlink('d', os.path.join(folder, 'link'))
        names = 'd/e', 'link', 'd/sparse', 'd/plain'
        if 'sparse' not in str(how) and '-S' not in how:
            names = 'd/e', 'link', 'd/plain'
        command = ['tar', '-c', '-b2', '--sort=name', '--owner=x:1', '--group=x:1',
                   '--mtime=@1', '--pax-option=delete=?time']
        command = command[:-1] if '--format=posix' not in how else command
        return subprocess.run(command + list(how + names), cwd=folder, check=True,
                              stdout=subprocess.PIPE).stdout


def with_sum(header):
    header = changed(header, 148, b' ' * 8)
    return changed(header, 148, b'%06o\0 ' % sum(header))


def tars():
    def ok(name, data):
        archive(name, 'tar', data, tar_members(data))

    long = 'l' * 90 + '/' + 'o' * 90 + '/n'
    plain = [('pickle', SMALL), ('storages', b''), ('d', ''), ('tensors', b'x' * 512)]
    types = {'d': tarfile.DIRTYPE, 'to': tarfile.SYMTYPE, 'hard': tarfile.LNKTYPE,
             'fifo': tarfile.FIFOTYPE}
    names = [(long, SMALL), ('\u00e9t\u00e9', b'1'), ('../..', b'2'), ('x' * 300, b'3')]
    for name, form in (('ustar', tarfile.USTAR_FORMAT), ('gnu', tarfile.GNU_FORMAT),
                       ('pax', tarfile.PAX_FORMAT)):
        far = 'elsewhere' * (20 if form else 1)
        links = [('to', far), ('hard', far), ('fifo', ''), ('last', b'.')]
        ok('tar_' + name, make_tar(plain, types, format=form))
        ok('tar_%s_links' % name, make_tar(links, types, format=form))
        ok('tar_%s_names' % name, make_tar(names[:3 if form == 0 else 4], format=form))
    ok('tar_empty', make_tar([], format=tarfile.GNU_FORMAT))
    for name, about in ('comment', 'all of them'), ('path', 'same'):
        ok('tar_pax_global_' + name, make_tar(plain + names[:1], types, format=tarfile.PAX_FORMAT,
                                              pax_headers={name: about}))
    for form in 'v7', 'ustar', 'oldgnu', 'gnu', 'posix':
        ok('gnutar_' + form, gnu_tar('--format=' + form))
    ok('gnutar_sparse', gnu_tar('--format=gnu', '-S'))
    for version in '0.0', '0.1', '1.0':
        ok('gnutar_sparse_' + version, gnu_tar('--format=posix', '-S',
                                               '--sparse-version=' + version))

    one = make_tar([('one', SMALL), ('two', b'2')], format=tarfile.GNU_FORMAT)
    ok('tar_base256', with_sum(changed(one[:512], 124, b'\x80' + bytes(10) + b'\xcf')) + one[512:])
    signed = changed(one[:512], 0, b'\xe9\xff\0')
    signed = changed(signed, 148, b' ' * 8)
    signed = changed(signed, 148, b'%06o\0 ' % sum(struct.unpack('512b', signed)))
    ok('tar_signed', signed + one[512:])
    ok('tar_v7_folder', with_sum(changed(make_tar([('old/', b'')], format=0)[:512], 156, b'\0')) +
       bytes(1024))
    ok('tar_no_end', one[:2048])
    sized = {'size': str(len(SMALL))}
    pax = tarfile.TarInfo('big')
    pax.size = len(SMALL)
    pax.pax_headers = dict(sized, path='by pax')
    header = pax.tobuf(tarfile.PAX_FORMAT)
    body = with_sum(changed(header[-512:], 124, b'00000000000\0')) + SMALL + bytes(512 - len(SMALL))
    ok('tar_pax_size', header[:-512] + body + one)
    long_twice = make_tar([('g' * 150, b'1')], format=tarfile.GNU_FORMAT)[:1024]
    ok('tar_names_twice', long_twice + header[:-512] + body + one)
    bad_tars(one, header[:-512])


def bad_tars(one, pax):
    def bad(name, data, offset, status='PICKLE_ERR_CODEC', members=()):
        archive(name, 'tar', data, members, status, offset)

    first = list(tar_members(one))[:1]
    bad('tar_checksum', changed(one, 0, b'O'), 0)
    bad('tar_second_checksum', changed(one, 1024, b'T'), 1024, members=first)
    bad('tar_cut_header', one[:1500], 1024, 'PICKLE_ERR_TRUNCATED', first)
    bad('tar_cut_content', one[:512 + len(SMALL) - 1], 0, 'PICKLE_ERR_TRUNCATED')
    for name, size in (('octal', b'77777777777\0'), ('base256', b'\x80' + b'\0' * 3 + b'\xff' * 8)):
        bad('tar_size_' + name, with_sum(changed(one[:512], 124, size)) + one[512:], 0,
            'PICKLE_ERR_TRUNCATED')
    for name, size in (('text', b'size?\0'), ('negative', b'\xff' * 12),
                       ('overflow', b'\x80\0\0\1' + bytes(8))):
        bad('tar_size_' + name, with_sum(changed(one[:512], 124, size)) + one[512:], 124)
    bad('tar_pax_alone', pax + bytes(1024), len(pax), 'PICKLE_ERR_TRUNCATED')
    for name, record in (('no_length', b'path=x\n'), ('length', b'99999 path=x\n'),
                         ('short', b'3 path=x\n'), ('no_line', b'10 path=xy'),
                         ('size', b'10 size=x\n'), ('size_huge', b'30 size=99999999999999999999\n'),
                         ('length_huge', b'99999999999999999999999 path=x\n')):
        header = with_sum(changed(pax[:512], 124, b'%011o\0' % len(record)))
        bad('tar_bad_pax_' + name, header + record.ljust(512, b'\0') + one, 512)


def main():
    zips()
    tars()
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'archives.tsv'), 'w') as out:
        version = subprocess.run(['tar', '--version'], stdout=subprocess.PIPE).stdout.decode()
        out.write('# Made by make_archive.py: Python %s, zlib %s, zstandard %s, %s.\n' % (
            sys.version.split()[0], zlib.ZLIB_RUNTIME_VERSION, zstandard.__version__,
            version.split('\n')[0]))
        for row in rows:
            out.write('\t'.join(map(str, row)) + '\n')


main()
