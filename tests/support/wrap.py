"""Files inside files and files inside mail, in every way that is mailed.

Archives are made by Python's own modules, by libarchive's writer (7z, iso,
cab-like forms Python lacks) where that library is there, or octet by octet.
"""
import base64
import bz2
import ctypes
import ctypes.util
import gzip
import io
import lzma
import os
import quopri
import struct
import tarfile
import zipfile
import zlib

CRLF = b'\r\n'


def libarchive():
    name = ctypes.util.find_library('archive') or 'libarchive.so.13'
    try:
        library = ctypes.CDLL(name)
    except OSError:
        return None
    library.archive_write_new.restype = ctypes.c_void_p
    library.archive_entry_new.restype = ctypes.c_void_p
    library.archive_write_data.restype = ctypes.c_ssize_t
    return library


def by_libarchive(name, data, form, filters=(), options=None):
    """One file in an archive of libarchive's making; None without it."""
    library = libarchive()
    if library is None:
        return None
    space = ctypes.create_string_buffer(len(data) * 2 + (1 << 20))
    used = ctypes.c_size_t(0)
    archive = ctypes.c_void_p(library.archive_write_new())
    entry = ctypes.c_void_p(library.archive_entry_new())
    good = getattr(library, f'archive_write_set_format_{form}')(archive) in (0, -20)
    for one in filters:
        good = getattr(library, f'archive_write_add_filter_{one}')(archive) in (0, -20) and good
    if options:
        good = library.archive_write_set_options(archive, options.encode()) == 0 and good
    if form == 'zip' and options and 'encryption' in options:
        library.archive_write_set_passphrase(archive, b'secret')
    library.archive_write_open_memory(archive, space, ctypes.c_size_t(len(space)), ctypes.byref(used))
    library.archive_entry_set_pathname(entry, name.encode())
    library.archive_entry_set_size(entry, ctypes.c_int64(len(data)))
    library.archive_entry_set_filetype(entry, 0o100000)
    library.archive_entry_set_perm(entry, 0o644)
    good = library.archive_write_header(archive, entry) in (0, -20) and good
    good = library.archive_write_data(archive, data, ctypes.c_size_t(len(data))) == len(data) and good
    library.archive_entry_free(entry)
    good = library.archive_write_close(archive) in (0, -20) and good
    library.archive_write_free(archive)
    return space.raw[:used.value] if good else None


def zipped(name, data, method=zipfile.ZIP_DEFLATED, comment=b''):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', method) as archive:
        archive.writestr(zipfile.ZipInfo(name) if method == zipfile.ZIP_STORED else name, data)
        archive.comment = comment
    return out.getvalue()


def zip_of(files, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', method) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return out.getvalue()


def zip_encrypted(name, data):
    """A zip whose member says that it is encrypted (octets are made up)."""
    octets = bytearray(zipped(name, data))
    octets[6] |= 1
    octets[octets.index(b'PK\x01\x02') + 8] |= 1
    return bytes(octets)


def zip_two_names(shown, hidden, data):
    """Local header and central directory name the member differently."""
    assert len(shown) == len(hidden)
    octets = bytearray(zipped(shown, data))
    octets[30:30 + len(hidden)] = hidden.encode()
    return bytes(octets)


def tar(name, data, mode=''):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w:' + mode) as archive:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def cab(name, data):
    """One stored file in a cabinet (MS-CAB 2)."""
    blocks = [data[at:at + 32768] for at in range(0, len(data), 32768)]
    files_at = 36 + 8
    file = struct.pack('<IIHHHH', len(data), 0, 0, 0x5000, 0, 0x20) + name.encode() + b'\0'
    data_at = files_at + len(file)
    body = b''.join(struct.pack('<IHH', 0, len(b), len(b)) + b for b in blocks)
    head = struct.pack('<4sIIIIIBBHHHHH', b'MSCF', 0, data_at + len(body), 0, files_at, 0, 3, 1, 1, 1, 0, 0, 0)
    folder = struct.pack('<IHH', data_at, len(blocks), 0)
    return head + folder + file + body


def vint(number):
    out = bytearray()
    while number >= 128:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out + bytes([number]))


def rar5_block(*fields):
    head = b''.join(f if isinstance(f, bytes) else vint(f) for f in fields)
    sized = vint(len(head)) + head
    return struct.pack('<I', zlib.crc32(sized)) + sized


def rar5(name, data, unpacked=None, method=0, window=0, encrypted=False):
    """One stored file in a RAR 5 archive; `window` asks for 128 KiB << n."""
    size = len(data) if unpacked is None else unpacked
    info = method << 7 | window << 10
    main = rar5_block(1, 0, 0)
    extra = b''
    if encrypted:
        record = vint(1) + vint(0) + vint(3) + bytes([15]) + b'S' * 16 + b'I' * 16 + b'C' * 12
        extra = vint(len(record)) + record
    sizes = [3, len(extra)] if encrypted else [2]
    file = rar5_block(2, *sizes, len(data), 4, size, 0o644, struct.pack('<I', zlib.crc32(data)), info, 1,
                      len(name), name.encode(), extra)
    return b'Rar!\x1a\x07\x01\x00' + main + file + data + rar5_block(5, 0, 0)


def rar5_closed():
    """A RAR 5 archive whose headers are encrypted."""
    return b'Rar!\x1a\x07\x01\x00' + rar5_block(4, 0, 0, 1, 15, b'S' * 16, b'C' * 12) + bytes(range(256))


def rar4_block(kind, flags, body, data=b''):
    head = struct.pack('<BHH', kind, flags, 7 + len(body)) + body
    return struct.pack('<H', zlib.crc32(head) & 0xffff) + head + data


def rar4(name, data, encrypted=False, closed=False):
    """One stored file in a RAR 4 archive; `closed`: headers are encrypted."""
    start = b'Rar!\x1a\x07\x00' + rar4_block(0x73, 0x80 if closed else 0, bytes(6))
    if closed:
        return start + b'saltsalt' + bytes(range(96))
    body = struct.pack('<IIBIIBBHI', len(data), len(data), 3, zlib.crc32(data), 0x5a000000, 29, 0x30, len(name),
                       0o100644)
    body += name.encode() + (b'saltsalt' if encrypted else b'')
    return start + rar4_block(0x74, 0x8000 | (0x404 if encrypted else 0), body, data) + rar4_block(0x7b, 0x4000, b'')


def ole(names):
    """An OLE file (MS-CFB) with these directory entries and no streams."""
    def entry(name, kind):
        text = name.encode('utf-16le')
        child = 1 if kind == 1 else 0xffffffff
        return text.ljust(64, b'\0') + struct.pack('<HBBIII', len(text) + 2, kind, 1, *[0xffffffff] * 2, child) \
            + bytes(36) + struct.pack('<IQ', 0xfffffffe, 0)
    table = struct.pack('<I', 0xfffffffd)
    entries = [entry('Root Entry', 5)] + [entry(name, 1) for name in names]
    entries += [bytes(128)] * (-len(entries) % 4)
    sectors = len(entries) // 4
    for number in range(sectors):
        table += struct.pack('<I', number + 2 if number + 1 < sectors else 0xfffffffe)
    head = b'\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1' + bytes(16) + struct.pack('<HHHHH', 0x3e, 3, 0xfffe, 9, 6) + bytes(6)
    head += struct.pack('<IIIIIIIII', 0, 1, 1, 0, 4096, 0xfffffffe, 0, 0xfffffffe, 0) + struct.pack('<I', 0)
    return head.ljust(512, b'\xff') + table.ljust(512, b'\xff') + b''.join(entries)


def docx(files=()):
    return zip_of([('[Content_Types].xml', '<Types/>'), ('word/document.xml', '<w:document/>'), *files])


# --- mail ---

def part(data, name='file.bin', kind='application/octet-stream', how='base64', disposition='attachment'):
    """A body part: headers and coded data."""
    head = [f'Content-Type: {kind}; name="{name}"' if name else f'Content-Type: {kind}']
    if name and disposition:
        head.append(f'Content-Disposition: {disposition}; filename="{name}"')
    if how == 'base64':
        coded = base64.encodebytes(data).replace(b'\n', CRLF)
    elif how == 'quoted-printable':
        coded = quopri.encodestring(data, quotetabs=True).replace(b'\r\n', b'\n').replace(b'\n', CRLF)
    elif how == 'x-uuencode':
        coded = uuencoded(data, name)
    else:
        coded = data
    head.append(f'Content-Transfer-Encoding: {how}')
    return '\r\n'.join(head).encode() + CRLF + CRLF + coded


def uuencoded(data, name):
    lines = [b'begin 644 ' + name.encode()]
    for at in range(0, len(data), 45):
        piece = data[at:at + 45]
        line = bytes([32 + len(piece) if piece else 96])
        for i in range(0, len(piece), 3):
            a, b, c = (piece[i:i + 3] + b'\0\0')[:3]
            line += bytes(v + 32 if v else 96 for v in (a >> 2, (a & 3) << 4 | b >> 4, (b & 15) << 2 | c >> 6, c & 63))
        lines.append(line)
    return CRLF.join(lines + [b'`', b'end', b''])


def mail(*parts, kind='mixed', mark='mark-of-a-part', subject='files'):
    """A message of these parts; of one part without multipart."""
    head = (b'From: news@shop.test\r\nTo: inbox@tocsin.test\r\nSubject: ' + subject.encode() +
            b'\r\nMessage-ID: <files@shop.test>\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n')
    if len(parts) == 1:
        return head + parts[0]
    edge = b'--' + mark.encode()
    body = b''.join(edge + CRLF + one + CRLF for one in parts) + edge + b'--' + CRLF
    return head + f'Content-Type: multipart/{kind}; boundary="{mark}"\r\n\r\n'.encode() + body


TEXT = b'Content-Type: text/plain; charset=utf-8\r\n\r\nSee the file.\r\n'


def attached(data, name, **options):
    """A message with a line of text and one file."""
    return mail(TEXT, part(data, name, **options), mark=options.pop('mark', f'mark-{len(data)}'))


def compressors():
    """(suffix, function) of every single-file compression at hand."""
    found = [('gz', gzip.compress), ('bz2', bz2.compress), ('xz', lzma.compress)]
    for suffix, name in (('zst', 'zstd'), ('lz4', 'lz4'), ('lz', 'lzip'), ('Z', 'compress')):
        def compress(data, name=name):
            return by_libarchive('file', data, 'raw', [name])
        if compress(b'x' * 100):
            found.append((suffix, compress))
    return found
