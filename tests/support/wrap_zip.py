"""Zip files put together octet by octet, as writers of malware do."""
import struct
import subprocess
import tempfile
import zlib
import os
import shutil

DESCRIPTOR, UTF8, ENCRYPTED = 8, 0x800, 1


def squeeze(data, method):
    return zlib.compress(data)[2:-4] if method == 8 else data


def local(name, data, flags=0, method=8, extra=b'', crc=None, sizes=None):
    """A local header and the member's data."""
    coded = squeeze(data, method)
    packed, size = sizes or (len(coded), len(data))
    return struct.pack('<IHHHHHIIIHH', 0x04034b50, 20, flags, method, 0, 0x21, zlib.crc32(data) if crc is None else crc,
                       packed, size, len(name), len(extra)) + name + extra + coded


def central(name, data, at, flags=0, method=8, extra=b'', sizes=None, attributes=0):
    packed, size = sizes or (len(squeeze(data, method)), len(data))
    return struct.pack('<IHHHHHHIIIHHHHHII', 0x02014b50, 20, 20, flags, method, 0, 0x21, zlib.crc32(data), packed, size,
                       len(name), len(extra), 0, 0, 0, attributes, at) + name + extra


def end(count, size, at, comment=b''):
    return struct.pack('<IHHHHIIH', 0x06054b50, 0, 0, count, count, size, at, len(comment)) + comment


def one(name, data, shown=None, **options):
    """A zip of one member; the directory calls it `shown`."""
    attributes = options.pop('attributes', 0)
    head = local(name, data, **options)
    options.pop('crc', None)
    listed = central(shown or name, data, 0, attributes=attributes, **options)
    return head + listed + end(1, len(listed), len(head))


def unlisted(name, data, first):
    """The member is there, but only a harmless one is in the directory."""
    hidden, shown = local(name, data), local(b'shown.txt', b'hello')
    body = hidden + shown if first else shown + hidden
    listed = central(b'shown.txt', b'hello', len(hidden) if first else 0)
    return body + listed + end(1, len(listed), len(body))


def two_directories(name, data):
    """The archive's comment holds another directory and end record."""
    hidden, shown = local(name, data), local(b'shown.txt', b'hello')
    listed, other = central(name, data, 0), central(b'shown.txt', b'hello', len(hidden))
    body = hidden + shown
    comment = other + end(1, len(other), len(body) + len(listed) + 22)
    return body + listed + end(1, len(listed), len(body), comment)


def two_places(name, data):
    """The end record's offset and size lead to different directories."""
    hidden, shown = local(name, data), local(b'shown.txt', b'hello')
    listed, other = central(name, data, 0), central(b'shown.txt', b'hello', len(hidden))
    body = hidden + shown
    return body + listed + other + end(1, len(other), len(body))


def described(name, data):
    """Sizes follow the data."""
    coded = squeeze(data, 8)
    body = local(name, data, flags=DESCRIPTOR, crc=0, sizes=(0, 0)) + \
        b'PK\x07\x08' + struct.pack('<III', zlib.crc32(data), len(coded), len(data))
    listed = central(name, data, 0, flags=DESCRIPTOR)
    return body + listed + end(1, len(listed), len(body))


def large(name, data):
    """Sizes and offsets in their 64-bit form."""
    sizes = (len(squeeze(data, 8)), len(data))
    head = local(name, data, sizes=(0xffffffff,) * 2, extra=struct.pack('<HHQQ', 1, 16, sizes[1], sizes[0]))
    listed = central(name, data, 0xffffffff, sizes=(0xffffffff,) * 2,
                     extra=struct.pack('<HHQQQ', 1, 24, sizes[1], sizes[0], 0))
    record = struct.pack('<IQHHIIQQQQ', 0x06064b50, 44, 45, 45, 0, 0, 1, 1, len(listed), len(head))
    locator = struct.pack('<IIQI', 0x07064b50, 0, len(head) + len(listed), 1)
    return head + listed + record + locator + \
        struct.pack('<IHHHHIIH', 0x06054b50, 0, 0, 0xffff, 0xffff, 0xffffffff, 0xffffffff, 0)


def with_unicode(name, data, said):
    """An extra field that says another name in UTF-8."""
    extra = struct.pack('<HHBI', 0x7075, 5 + len(said), 1, zlib.crc32(name)) + said
    return one(name, data, extra=extra)


def by_7z(name, data, suffix, *options):
    """An archive by the 7z program; None where that is absent."""
    program = shutil.which('7z')
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, name), 'wb') as file:
            file.write(data)
        done = subprocess.run([program, 'a', *options, f'made.{suffix}', name], cwd=folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        if done.returncode != 0:
            return None
        with open(os.path.join(folder, f'made.{suffix}'), 'rb') as file:
            return file.read()
