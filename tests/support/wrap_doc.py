"""Documents that carry files and links: OLE, Outlook, RTF, PDF, OneNote, made octet by octet."""
import base64
import struct
import zlib

FREE, END, TABLE = 0xffffffff, 0xfffffffe, 0xfffffffd


class Storage(dict):
    """A folder of an OLE file: name to octets or to another Storage."""


def ole_file(root):
    """An OLE file (MS-CFB, version 3) of nested storages and streams; small streams lie in the root's."""
    entries, large, small, table, small_table = [], b'', b'', [], []

    def chain(sectors, count):
        first = len(sectors)
        sectors.extend(first + n + 1 for n in range(count - 1))
        sectors.append(END)
        return first

    def put(data):
        nonlocal large, small
        if len(data) >= 4096:
            first = chain(table, -(-len(data) // 512))
            large += data.ljust(-(-len(data) // 512) * 512, b'\0')
            return first
        if not data:
            return END
        first = chain(small_table, -(-len(data) // 64))
        small += data.ljust(-(-len(data) // 64) * 64, b'\0')
        return first

    def add(name, kind, data=b''):
        number = len(entries)
        entries.append([name, kind, FREE, FREE, FREE, put(data) if kind == 2 else (END if kind == 1 else 0), len(data)])
        return number

    def fill(parent, storage):
        previous = None
        for name, what in storage.items():
            number = add(name, 1 if isinstance(what, Storage) else 2, b'' if isinstance(what, Storage) else what)
            if previous is None:
                entries[parent][4] = number
            else:
                entries[previous][3] = number
            previous = number
            if isinstance(what, Storage):
                fill(number, what)

    add('Root Entry', 5)
    fill(0, root)
    entries[0][5:] = [chain(table, -(-len(small) // 512)) if small else END, len(small)]
    large += small.ljust(-(-len(small) // 512) * 512, b'\0')
    small_sectors = b''.join(struct.pack('<I', n) for n in small_table).ljust(512, b'\xff')
    small_sectors = small_sectors.ljust(-(-len(small_sectors) // 512) * 512, b'\xff')
    small_first = chain(table, len(small_sectors) // 512)
    large += small_sectors
    directory = b''
    for name, kind, left, right, child, start, size in entries:
        text = name.encode('utf-16le')
        directory += text.ljust(64, b'\0') + struct.pack('<HBBIII', len(text) + 2, kind, 1, left, right, child) + \
            bytes(36) + struct.pack('<IQ', start, size)
    directory = directory.ljust(-(-len(directory) // 512) * 512, b'\0')
    directory_first = chain(table, len(directory) // 512)
    large += directory
    count = -(-(len(table) + 8) // 128)
    tables = list(range(len(table), len(table) + count))
    table += [TABLE] * count
    large += b''.join(struct.pack('<I', n) for n in table).ljust(count * 512, b'\xff')
    head = b'\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1' + bytes(16) + struct.pack('<HHHHH', 0x3e, 3, 0xfffe, 9, 6) + bytes(6)
    head += struct.pack('<IIIIIIIII', 0, count, directory_first, 0, 4096, small_first, len(small_sectors) // 512, END,
                        0)
    return (head + b''.join(struct.pack('<I', n) for n in tables)).ljust(512, b'\xff') + large


def package(name, data):
    """An object as Windows' packager writes it."""
    path = b'C:\\Temp\\' + name.encode() + b'\0'
    return b'\2\0' + name.encode() + b'\0' + path + struct.pack('<HHI', 0, 3, len(path)) + path + \
        struct.pack('<I', len(data)) + data + bytes(2)


def document_with_object(name, data):
    inner = package(name, data)
    return ole_file(Storage({'WordDocument': bytes(600), 'ObjectPool': Storage({'_123': Storage({
        '\1Ole10Native': struct.pack('<I', len(inner)) + inner})})}))


def outlook(name, data, body=''):
    """A message as Outlook saves it."""
    return ole_file(Storage({
        '__properties_version1.0': bytes(32), '__substg1.0_0037001F': 'subject'.encode('utf-16le'),
        '__substg1.0_1000001F': body.encode('utf-16le'),
        '__attach_version1.0_#00000000': Storage({
            '__properties_version1.0': bytes(8), '__substg1.0_3704001F': 'EICAR~1.COM'.encode('utf-16le'),
            '__substg1.0_3707001F': name.encode('utf-16le'), '__substg1.0_37010102': data})}))


def word_encrypted():
    return ole_file(Storage({'WordDocument': struct.pack('<HHHHHH', 0xa5ec, 0xc1, 0, 0, 0, 0x0100) + bytes(600)}))


def book(*records):
    body = b''.join(struct.pack('<HH', kind, len(data)) + data for kind, data in
                    ((0x0809, bytes(16)), *records, (0x000a, b'')))
    return ole_file(Storage({'Workbook': body.ljust(4200, b'\0')}))


def slides_encrypted():
    return ole_file(Storage({'PowerPoint Document': bytes(100), 'Current User': bytes(12) + struct.pack(
        '<I', 0xf3d1c4df) + bytes(20)}))


def rtf_with_object(name, data, noise=False):
    inner = package(name, data)
    frame = struct.pack('<III', 0x501, 2, 8) + b'Package\0' + bytes(8) + struct.pack('<I', len(inner)) + inner
    digits = frame.hex().encode()
    if noise:
        digits = b'\r\n'.join(digits[at:at + 3] + b'{\\*\\junk77}\\par ' for at in range(0, len(digits), 3))
    return b'{\\rtf1{\\object\\objemb{\\*\\objclass Package}{\\*\\objdata ' + digits + b'}}}'


def pdf(*objects):
    """(dictionary, stream or None) as objects of a PDF."""
    out = b'%PDF-1.7\n'
    for number, (words, stream) in enumerate(objects, 1):
        out += b'%d 0 obj\n<<%s>>\n' % (number, words)
        if stream is not None:
            out += b'stream\n' + stream + b'\nendstream\n'
        out += b'endobj\n'
    return out + b'trailer<</Root 1 0 R>>\n%%EOF\n'


def pdf_with_file(data, words=b'/Type/EmbeddedFile/Filter/FlateDecode', twice=False):
    coded = zlib.compress(data)
    if twice:
        coded = base64.a85encode(coded) + b'~>'
    return pdf((b'/Type/Catalog', None), (words, coded))


def pdf_with_link(link, how):
    squeezed = zlib.compress(b'1 0 <</Type/Annot/A<</S/URI/URI(' + link + b')>>>>')
    escaped = b'<</S/URI/URI(' + link.replace(b'/', b'\\057').replace(b'h', b'\\150') + b')>>'
    return {
        'object stream': pdf((b'/Type/Catalog', None), (b'/Type/ObjStm/N 1/First 4/Filter/FlateDecode', squeezed)),
        'escaped': pdf((b'/Type/Catalog', None), (escaped, None)),
        'hexadecimal': pdf((b'/Type/Catalog', None), (b'/S/URI/URI <' + link.hex().encode() + b'>', None)),
        'escaped in a stream': pdf((b'/Type/ObjStm/Filter[/FlateDecode]', zlib.compress(escaped))),
        'hidden filter name': pdf((b'/Type/ObjStm/Filter/Flate#44ecode', squeezed)),
    }[how]


def onenote(data):
    head = bytes.fromhex('e4525c7b8cd8a74daeb15378d02996d3') + bytes(32) + bytes.fromhex(
        '3fdd9a101b91f549a5d01791edc8aed8') + bytes(952)
    return head + bytes.fromhex('e716e3bd65261145a4c48d4d0b7a9eac') + struct.pack('<QIQ', len(data), 0, 0) + data + \
        bytes(40)


def tnef(name, data):
    """Outlook's winmail.dat with one file."""
    def record(level, kind, content):
        return struct.pack('<BII', level, kind, len(content)) + content + struct.pack('<H', sum(content) & 0xffff)
    return struct.pack('<IH', 0x223e9f78, 1) + record(1, 0x00089006, struct.pack('<I', 0x10000)) + \
        record(2, 0x00069002, bytes(14)) + record(2, 0x0006800f, data) + record(2, 0x00018010, name.encode() + b'\0')
