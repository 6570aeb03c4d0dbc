#!/usr/bin/env python3
"""What is listed is found through every nesting and encoding.

A table of wrappings: each must be found by name, digest, YARA rule or URL, or
the file must be called unscannable. All go through `tocsin scan`, and once
more through the filter's socket.
"""
import base64
import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
import bench
import milter_client
from filter import program
from tap import case, check, check_in, diag, run
import wrap_doc
import wrap_hidden
import wrap_zip
from wrap import (TEXT, attached, by_libarchive, cab, compressors, docx, mail, ole, part, rar4, rar5, rar5_closed, tar,
                  uuencoded, zip_encrypted, zip_two_names, zipped)

# Put together here so that a virus scanner leaves this file alone.
EICAR = b'X5O!P%@AP[4\\PZX54(P^)7CC)7}$' + b'EICAR-STANDARD-' + b'ANTIVIRUS-TEST-FILE!$H+H*'
NAME = 'eicar-listed.com'
URL = 'http://evil-link.test/login?id=7'
FILE = {'yara', 'digest', 'name'}

SETTINGS = '''
feed digests { source "digests.txt"  format list  status verified  severity high }
feed names   { source "names.txt"  format csv  status verified  severity high
               columns { type "type"  value "value" } }
feed urls    { source "urls.txt"  format list  status verified  severity high }
feed test    { source "test.yar"  format yara  status verified  severity high }
'''
POLICY = '''
rule found-yara "y" { severity low  when any yara("test") then tag "X-Found" "yara" }
rule found-digest "d" { severity low  when any indicator (.type == sha256) then tag "X-Found" "digest" }
rule found-name "n" { severity low  when any indicator (.type == filename) then tag "X-Found" "name" }
rule found-url "u" { severity low  when any indicator (.type in {url}) then tag "X-Found" "url" }
rule found-unscannable "s" { severity low  when any attachment (.unscannable) then tag "X-Found" "unscannable" }
rule found-encrypted "e" { severity low  when any attachment (.encrypted) then tag "X-Found" "encrypted" }
rule found-macros "m" { severity low  when any attachment (.macros) then tag "X-Found" "macros" }
rule found-double "x" { severity low
    when any attachment (.name matches /\\.(pdf|txt)\\.exe$/i) then tag "X-Found" "double" }
rule found-program "p" { severity low  when any attachment (.extension == "exe") then tag "X-Found" "program" }
rule found-inside "i" { severity low
    when any attachment (.depth >= 1 and .parent matches /\\.zip$/i and .extension == "js")
    then tag "X-Found" "inside" }
'''
FEEDS = {
    'digests.txt': hashlib.sha256(EICAR).hexdigest() + '\n',
    'names.txt': f'type,value\nfilename,{NAME}\n',
    'urls.txt': URL + '\n',
    'test.yar': 'rule test_file { strings: $a = "EICAR-STANDARD-" condition: $a }\n',
}


def file_wrappings():
    """(title, message, what must be found)"""
    def one(title, data, name, found=FILE, **options):
        if data is not None:
            yield title, attached(data, name, **options), found

    yield from one('plain', EICAR, NAME)
    for how in ('7bit', '8bit', 'binary', 'quoted-printable', 'x-uuencode', 'x-uue'):
        yield from one(how, EICAR, NAME, how=how if how != 'x-uue' else 'x-uuencode')
    yield 'uuencoded inside text', mail(b'Content-Type: text/plain\r\n\r\nlook:\r\n\r\n' + uuencoded(EICAR, NAME)), FILE
    yield 'uuencoded without MIME', b'From: a@shop.test\r\nSubject: x\r\n\r\n' + uuencoded(EICAR, NAME), FILE
    yield 'the only part', mail(part(EICAR, NAME)), FILE
    inner = attached(EICAR, NAME)
    yield 'forwarded', mail(TEXT, b'Content-Type: message/rfc822\r\n\r\n' + inner), FILE
    yield 'forwarded thrice', forwarded(inner, 3), FILE
    yield 'forwarded in base64', mail(TEXT, part(inner, 'mail.eml', kind='message/rfc822', how='base64')), FILE
    yield 'forwarded in quoted-printable', mail(
        TEXT, part(inner, 'mail.eml', kind='message/rfc822', how='quoted-printable')), FILE
    yield 'a mail as a file', attached(inner, 'mail.eml'), FILE
    yield 'a mail as a file without a name for it', attached(inner, 'file.bin'), FILE
    yield 'forwarded with a zip', mail(
        TEXT, b'Content-Type: message/rfc822\r\n\r\n' + attached(zipped(NAME, EICAR), 'a.zip')), FILE
    yield from archives(one, inner)


def forwarded(inner, times):
    for number in range(times):
        inner = mail(TEXT, b'Content-Type: message/rfc822\r\n\r\n' + inner, mark=f'outer-{number}')
    return inner


def archives(one, inner):
    packed = zipped(NAME, EICAR)
    yield from one('zip', packed, 'a.zip')
    yield from one('stored zip', zipped(NAME, EICAR, zipfile.ZIP_STORED), 'a.zip')
    for method in ('BZIP2', 'LZMA'):
        yield from one(f'zip {method}', zipped(NAME, EICAR, getattr(zipfile, f'ZIP_{method}')), 'a.zip',
                       FILE if method == 'BZIP2' else {'name'})
    yield from one('zip behind a program', b'MZ' + bytes(3000) + packed, 'setup.exe')
    yield from one('zip with a comment', zipped(NAME, EICAR, comment=b'x' * 60000), 'a.zip')
    yield from one('zip called text', packed, 'a.txt', kind='text/plain')
    yield from one('zip in zip', zipped('b.zip', packed), 'a.zip')
    yield from one('zip thrice', zipped('c.zip', zipped('b.zip', packed)), 'a.zip')
    yield from one('zip five times', zipped('e.zip', zipped('d.zip', zipped('c.zip', zipped('b.zip', packed)))),
                   'a.zip', {'unscannable'})
    for mode in ('', 'gz', 'bz2', 'xz'):
        yield from one(f'tar {mode}', tar(NAME, EICAR, mode), f'a.tar.{mode}')
    yield from one('tar.gz in zip', zipped('b.tgz', tar(NAME, EICAR, 'gz')), 'a.zip')
    for suffix, compress in compressors():
        yield from one(suffix, compress(EICAR), f'{NAME}.{suffix}')
    for title, form, filters in (('7z', '7zip', ()), ('iso', 'iso9660', ()), ('cpio', 'cpio', ()),
                                 ('ar', 'ar_svr4', ()),
                                 ('pax.zst', 'pax', ['zstd']), ('tar.lz', 'ustar', ['lzip'])):
        exact = {'yara', 'digest'}  # names are cut or folded there
        yield from one(title, by_libarchive(NAME, EICAR, form, filters), f'a.{title}', exact)
    yield from one('xar', by_libarchive(NAME, EICAR, 'xar'), 'a.xar', {'unscannable'})
    yield from one('arj', b'\x60\xea' + bytes(100), 'a.arj', {'unscannable'})
    yield from one('Outlook\'s TNEF, broken', b'\x78\x9f\x3e\x22' + b'\xff' * 100, 'winmail.dat', {'unscannable'})
    yield from one('cab', cab(NAME, EICAR), 'a.cab')
    yield from one('rar 5', rar5(NAME, EICAR), 'a.rar')
    yield from one('rar 4', rar4(NAME, EICAR), 'a.rar')
    yield from odd_archives(one)
    yield from documents(one)
    yield from one('mail in zip', zipped('mail.eml', inner), 'a.zip')
    yield from one('mail in zip without a name for it', zipped('mail', inner), 'a.zip')
    yield from one('zip in mail in zip', zipped('mail.eml', attached(packed, 'b.zip')), 'a.zip')
    yield from one('zip in mail in zip in mail in zip', zipped('mail.eml', attached(
        zipped('mail.eml', attached(packed, 'b.zip')), 'c.zip')), 'a.zip', {'unscannable'})
    yield from one('mail with uuencode in tar.gz', tar('m.eml', mail(
        b'Content-Type: text/plain\r\n\r\n' + uuencoded(EICAR, NAME)), 'gz'), 'a.tgz')
    yield from one('docx', docx([('word/embeddings/' + NAME, EICAR)]), 'a.docx', {'yara', 'digest'})
    coded = base64.b64encode(EICAR)
    for title, name, kind in (('html', 'a.html', 'text/html'), ('html as octets', 'a.htm', 'application/octet-stream'),
                              ('svg', 'a.svg', 'image/svg+xml')):
        yield from one(f'data URI in {title}', b'<svg><a href="data:application/zip;base64,' +
                       base64.b64encode(packed) + b'">x</a></svg>', name, {'yara', 'digest', 'name'}, kind=kind)
        yield from one(f'script in {title}', b'<html><script>var d="' + coded +
                       b'";var b=new Blob([atob(d)]);</script></html>', name, {'yara', 'digest'}, kind=kind)
    yield from one('script in html in zip', zipped('a.html', b'<html><script>var d="' + coded + b'";</script></html>'),
                   'a.zip', {'yara', 'digest'})


def odd_archives(one):
    name = NAME.encode()
    for title, data in (('unlisted member before', wrap_zip.unlisted(name, EICAR, True)),
                        ('unlisted member behind', wrap_zip.unlisted(name, EICAR, False)),
                        ('directory in the comment', wrap_zip.two_directories(name, EICAR)),
                        ('two places for the directory', wrap_zip.two_places(name, EICAR)),
                        ('data descriptor', wrap_zip.described(name, EICAR)), ('64 bits', wrap_zip.large(name, EICAR)),
                        ('another name in UTF-8', wrap_zip.with_unicode(b'safe.txt', EICAR, name)),
                        ('another name behind a prefix', b'MZ' + bytes(500) + wrap_zip.one(name, EICAR, b'safe.txt')),
                        ('no directory', wrap_zip.local(name, EICAR)), ('wrong sum', wrap_zip.one(name, EICAR, crc=1)),
                        ('nothing but a picture in front', b'GIF89a' + bytes(90) + wrap_zip.one(name, EICAR)),
                        ('100 KB behind it', wrap_zip.one(name, EICAR) + bytes(100000)),
                        ('a zip behind it', wrap_zip.one(name, EICAR) + zipped('b.txt', b'hello')),
                        ('name that ends at a NUL', wrap_zip.one(name + b'\0.txt', EICAR))):
        yield from one('zip, ' + title, data, 'a.zip')
    yield from one('zip of a folder with data', wrap_zip.one(name + b'/', EICAR, attributes=16), 'a.zip',
                   {'unscannable', 'name'})
    yield from one('zip of an unknown method', wrap_zip.one(name, EICAR, method=77), 'a.zip', {'name', 'unscannable'})
    for title, data in (('rar 4', rar4(NAME, EICAR)), ('rar 5', rar5(NAME, EICAR)),
                        ('7z', wrap_zip.by_7z(NAME, EICAR, '7z'))):
        if data is not None:
            yield from one(f'{title} behind a program', b'MZ' + bytes(5000) + data, 'setup.exe')
            yield from one(f'{title} behind a gzip', gzip.compress(b'hello') + data, 'a.gz')
    for method in ('PPMd', 'BZip2', 'Deflate', 'Copy'):
        yield from one(f'7z, {method}', wrap_zip.by_7z(NAME, EICAR, '7z', f'-m0={method}'), 'a.7z')
    for method in ('Deflate64', 'ARM64'):
        yield from one(f'7z, {method}', wrap_zip.by_7z(NAME, EICAR, '7z', f'-m0={method}'), 'a.7z',
                       {'name', 'unscannable'})
    yield from one('two gzips', gzip.compress(b'x') + gzip.compress(EICAR), 'a.gz', {'yara'})
    yield from one('gzip that knows the name', gzip_named(NAME, EICAR), 'a.gz')
    yield from one('two tars', tar('a.txt', b'hello') + tar(NAME, EICAR), 'a.tar')
    yield from one('uuencoded file in zip', zipped('a.uue', uuencoded(EICAR, NAME)), 'a.zip', {'yara', 'digest'})
    image = by_libarchive(NAME, EICAR, 'iso9660')
    if image:
        bridge = image[:32768 + 3 * 2048] + b'\0NSR02\1' + image[32768 + 3 * 2048 + 7:]
        yield from one('iso that is UDF as well', bridge, 'a.iso', {'yara', 'unscannable'})
    yield from one('virtual disk', bytes(4096) + b'conectix' + bytes(504), 'a.vhd', {'unscannable'})


def documents(one):
    for title, data, name in (('object in a document', wrap_doc.document_with_object(NAME, EICAR), 'a.doc'),
                              ('object in RTF', wrap_doc.rtf_with_object(NAME, EICAR), 'a.rtf'),
                              ('object in RTF under noise', wrap_doc.rtf_with_object(NAME, EICAR, True), 'a.doc'),
                              ('Outlook message', wrap_doc.outlook(NAME, EICAR), 'a.msg'),
                              ('TNEF', wrap_doc.tnef(NAME, EICAR), 'winmail.dat')):
        yield from one(title, data, name)
        yield from one(f'{title} in zip', zipped(name, data), 'a.zip')
        yield from one(f'zip in {title}', rewrap(title, zipped(NAME, EICAR)), name)
    unnamed = {'yara', 'digest'}
    yield from one('file in PDF', wrap_doc.pdf_with_file(EICAR), 'a.pdf', unnamed)
    yield from one('file in PDF under two filters', wrap_doc.pdf_with_file(
        EICAR, b'/Type/EmbeddedFile/Filter[/ASCII85Decode/FlateDecode]', True), 'a.pdf', unnamed)
    yield from one('file in PDF under LZW', wrap_doc.pdf((
        b'/Type/EmbeddedFile/Filter/LZWDecode', wrap_hidden.lzw(EICAR))), 'a.pdf', unnamed)
    yield from one('file in PDF that is encrypted', wrap_doc.pdf((b'/Type/EmbeddedFile/Filter/Crypt', b'x')), 'a.pdf',
                   {'unscannable'})
    yield from one('zip in PDF in zip', zipped('a.pdf', wrap_doc.pdf_with_file(zipped(NAME, EICAR))), 'a.zip')
    yield from one('OneNote', wrap_doc.onenote(EICAR), 'a.one', unnamed)
    yield from one('zip in OneNote in zip', zipped('a.one', wrap_doc.onenote(zipped(NAME, EICAR))), 'a.zip')
    coded = base64.encodebytes(EICAR)
    yield from one('base64 of base64', coded, 'a.txt', unnamed)
    yield from one('base64 of base64 of base64', base64.encodebytes(coded), 'a.b64', unnamed)
    yield from one('base64 as a certificate', b'-----BEGIN CERTIFICATE-----\r\n' + coded +
                   b'-----END CERTIFICATE-----\r\n', 'a.crt', unnamed)
    deep = wrap_zip.one(b'a.txt', base64.encodebytes(zipped(NAME, EICAR)))
    yield 'base64 of a zip in zip in tar.xz in a forwarded mail', mail(
        TEXT, b'Content-Type: message/rfc822\r\n\r\n' + attached(tar('b.zip', deep, 'xz'), 'c.tar.xz')), FILE


def rewrap(title, data):
    """The same carrier around a zip."""
    make = {'object in a document': wrap_doc.document_with_object, 'object in RTF': wrap_doc.rtf_with_object,
            'object in RTF under noise': wrap_doc.rtf_with_object, 'Outlook message': wrap_doc.outlook,
            'TNEF': wrap_doc.tnef}[title]
    return make('b.zip', data)


def gzip_named(name, data):
    out = io.BytesIO()
    with gzip.GzipFile(name, 'wb', fileobj=out) as file:
        file.write(data)
    return out.getvalue()


def url_wrappings():
    link = URL.encode()
    html = b'<html><body><p>hello</p><a href="' + link + b'">here</a></body></html>'
    rels = f'<Relationships><Relationship Target="{URL}" TargetMode="External"/></Relationships>'
    spelt = URL.replace('h', '&#104;', 1).replace(':', '&#x3a;', 1)
    rtf = b'{\\rtf1{\\field{\\*\\fldinst HYPERLINK "' + link + b'"}}}'
    pdf = b'%PDF-1.4\n1 0 obj<</Type/Action/S/URI/URI(' + link + b')>>endobj\n'
    ics = b'BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDESCRIPTION:join ' + link + b'\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n'
    shortcut = b'[InternetShortcut]\r\nURL=' + link + b'\r\n'
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><a xlink:href="' + link + b'"><text>x</text></a></svg>'
    script = b'<html><script>window.location.href="' + link + b'"</script></html>'
    smuggled = b'<html><script>document.write(atob("' + base64.b64encode(html) + b'"))</script></html>'
    files = [('html', 'a.html', 'text/html', html), ('html as octets', 'a.html', 'application/octet-stream', html),
             ('script', 'a.html', 'text/html', script), ('smuggled html', 'a.html', 'text/html', smuggled),
             ('svg', 'a.svg', 'image/svg+xml', svg), ('ics', 'a.ics', 'text/calendar', ics),
             ('ics as octets', 'a.ics', 'application/octet-stream', ics), ('pdf', 'a.pdf', 'application/pdf', pdf),
             ('rtf', 'a.rtf', 'application/rtf', rtf), ('docx', 'a.docx', 'application/octet-stream',
              docx([('word/_rels/document.xml.rels', rels)])),
              ('shortcut', 'a.url', 'application/octet-stream', shortcut),
             ('utf-16 html', 'a.html', 'text/html; charset=utf-16', html.decode().encode('utf-16')),
             ('utf-16 text', 'a.txt', 'application/octet-stream', f'go to {URL} now'.encode('utf-16')),
             *((f'pdf, {how}', 'a.pdf', 'application/pdf', wrap_doc.pdf_with_link(link, how))
               for how in ('object stream', 'escaped', 'hexadecimal', 'escaped in a stream', 'hidden filter name')),
             ('remote template', 'a.docx', 'application/octet-stream', docx([(
                 'word/_rels/settings.xml.rels', f'<?xml?><R Target="{spelt}" TargetMode="External"/>')])),
             ('Outlook message', 'a.msg', 'application/vnd.ms-outlook', wrap_doc.outlook('a.txt', b'x', f'see {URL} ')),
             ('ole document', 'a.doc', 'application/msword', ole(['WordDocument']) + URL.encode('utf-16le') + bytes(2)),
             ('text', 'a.txt', 'text/plain', b'go to ' + link + b' now\r\n')]
    for title, name, kind, data in files:
        yield f'link in {title}', attached(data, name, kind=kind), {'url'}
        yield f'link in {title} in zip', attached(zipped(name, data), 'a.zip'), {'url'}
        yield f'link in {title} in zip in tar.gz', attached(tar('a.zip', zipped(name, data), 'gz'), 'a.tgz'), {'url'}
        yield f'link in {title} in forwarded mail in zip', attached(
            zipped('m.eml', attached(data, name, kind=kind)), 'a.zip'), {'url'}


def marks():
    yield 'encrypted zip', attached(zip_encrypted(NAME, EICAR), 'a.zip'), {'encrypted', 'unscannable', 'name'}
    aes = by_libarchive(NAME, EICAR, 'zip', options='zip:encryption=aes256')
    if aes:
        yield 'zip with AES', attached(aes, 'a.zip'), {'encrypted', 'unscannable', 'name'}
    names = {'encrypted', 'unscannable', 'name'}
    for title, options, found in (('content', ['-mhe=off'], names), ('headers', ['-mhe=on'], names - {'name'})):
        sealed = wrap_zip.by_7z(NAME, EICAR, '7z', '-psecret', *options)
        if sealed is None:
            diag('7z is not installed: no encrypted 7z is tried')
            continue
        yield f'encrypted 7z, {title}', attached(sealed, 'a.7z'), found
        yield f'encrypted 7z in zip, {title}', attached(zipped('b.7z', sealed), 'a.zip'), found
    for title, data, found in (('rar 4', rar4(NAME, bytes(80), encrypted=True), names),
                               ('rar 4, headers', rar4(NAME, EICAR, closed=True), names - {'name'}),
                               ('rar 5', rar5(NAME, bytes(80), encrypted=True), names),
                               ('rar 5, headers', rar5_closed(), names - {'name'})):
        yield f'encrypted {title}', attached(data, 'a.rar'), found
        yield f'encrypted {title} in mail in zip', attached(
            zipped('m.eml', attached(data, 'a.rar')), 'a.zip'), found
        yield f'encrypted {title} behind a program', attached(b'MZ' + bytes(900) + data, 'a.exe'), found
    yield 'encrypted pdf', attached(b'%PDF-1.6\ntrailer<</Encrypt 3 0 R>>', 'a.pdf'), {'encrypted'}
    yield 'encrypted ooxml', attached(ole(['EncryptionInfo', 'EncryptedPackage']), 'a.docx'), {'encrypted'}
    for title, name, data in (('word', 'a.doc', wrap_doc.word_encrypted()),
                              ('excel', 'a.xls', wrap_doc.book((0x2f, bytes(54)))),
                              ('powerpoint', 'a.ppt', wrap_doc.slides_encrypted())):
        yield f'encrypted {title}', attached(data, name), {'encrypted', 'unscannable'}
        yield f'encrypted {title} in zip', attached(zipped(name, data), 'a.zip'), {'encrypted', 'unscannable'}
    yield 'excel 4.0 sheet', attached(wrap_doc.book((0x85, bytes(5) + b'\1' + bytes(9))), 'a.xls'), {'macros'}
    yield 'macros under another name', attached(docx([('word/odd.bin', wrap_doc.ole_file(wrap_doc.Storage(
        {'VBA': wrap_doc.Storage({'dir': b'x' * 100})})))]), 'a.docx'), {'macros'}
    yield 'docm', attached(docx([('word/vbaProject.bin', b'vba')]), 'a.docm'), {'macros'}
    yield 'docm in zip', attached(zipped('a.docm', docx([('word/vbaProject.bin', b'vba')])), 'a.zip'), {'macros'}
    yield 'ole macros', attached(ole(['Macros', 'VBA', '_VBA_PROJECT', 'dir']), 'a.doc'), {'macros'}
    yield 'ole macros in mail in zip', attached(
        zipped('m.eml', attached(ole(['VBA']), 'a.doc')), 'a.zip'), {'macros'}
    yield 'two names', attached(zip_two_names('invoice-number.txt', NAME + '  ', EICAR), 'a.zip'), {'digest'}
    yield 'hidden name', attached(zip_two_names('harmless-one.txt', NAME, EICAR), 'a.zip'), {'digest', 'name'}
    yield 'double extension', attached(b'MZ', 'bill.pdf.exe'), {'double'}
    yield 'double extension in zip', attached(zipped('bill.pdf.exe', b'MZ'), 'a.zip'), {'double'}
    yield 'double extension in mail in zip', attached(
        zipped('m.eml', attached(b'MZ', 'bill.txt.exe')), 'a.zip'), {'double'}
    yield 'double extension, seen backwards', attached(
        wrap_zip.one('bill.pdf.\u202eex\u200be'.encode(), b'MZ', flags=wrap_zip.UTF8), 'a.zip'), {'program'}
    yield 'script in zip', attached(zipped('run.js', b'alert(1)'), 'a.zip'), {'inside'}
    yield 'broken zip', attached(zipped(NAME, EICAR)[:60], 'a.zip'), {'unscannable'}
    yield 'broken 7z', attached(b'7z\xbc\xaf\x27\x1c' + b'\xff' * 100, 'a.7z'), {'unscannable'}


def table():
    return [*file_wrappings(), *url_wrappings(), *marks()]


def scanned(this, folder, rows, conf=None):
    """What `tocsin scan` finds in each."""
    paths = []
    for number, (_, octets, _) in enumerate(rows):
        paths.append(os.path.join(folder, f'{number:03}.eml'))
        with open(paths[-1], 'wb') as file:
            file.write(octets)
    done = subprocess.run([program('tocsin'), 'scan', '-c', conf or this.filter.conf, '--json', *paths],
                          stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300)
    check(done.returncode, 0, done.stderr)
    return [{rule['name'].removeprefix('found-') for rule in json.loads(line)['rules']}
            for line in done.stdout.splitlines()]


def misses(rows, found):
    bad = [f'{title}: found {sorted(seen)}, missing {sorted(wanted - seen)}'
           for (title, _, wanted), seen in zip(rows, found) if not wanted <= seen]
    for line in bad:
        diag(line)
    diag(f'{len(rows)} wrappings, {len(rows) - len(bad)} as they must be')
    return bad


@case('`tocsin scan` finds what is listed through every wrapping')
def at_rest(this):
    rows = table()
    with tempfile.TemporaryDirectory() as folder:
        found = scanned(this, folder, rows)
    check(len(found), len(rows), 'records')
    check(misses(rows, found), [], 'wrappings that hide')


@case('the filter finds what is listed through every wrapping')
def in_session(this):
    rows, found = table(), []
    with milter_client.MilterClient(this.filter.socket, timeout=60) as milter:
        milter.connect('192.0.2.20', 'mail.shop.test')
        milter.helo('mail.shop.test')
        for _, octets, _ in rows:
            answer = milter.message('<news@shop.test>', ['<inbox@tocsin.test>'], octets)
            found.append({value.strip() for value in answer.inserted('X-Found')})
    check(misses(rows, found), [], 'wrappings that hide')


@case('links are found where nothing but links is listed and asked for')
def only_links(this):
    """Only what somebody needs is done: this must not need the other needs."""
    rows = url_wrappings()
    conf = this.filter.write('only/links.conf', f'''
state-directory "{this.filter.top}/only"
authserv-id "mx.tocsin.test"
feed urls {{ source "{this.filter.top}/urls.txt"  format list  status verified  severity high }}
rule found-url "u" {{ severity low  when any indicator (.type in {{url}}) then tag "X-Found" "url" }}
''')
    subprocess.run([program('tocsin'), 'indicators', 'build', '-c', conf], check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.PIPE)
    with tempfile.TemporaryDirectory() as folder:
        rows = list(rows)
        check(misses(rows, scanned(this, folder, rows, conf)), [], 'wrappings that hide')


@case('mail without anything listed is not marked')
def clean(this):
    rows = [('text', mail(TEXT), set()), ('zip', attached(zipped('a.txt', b'hello'), 'a.zip'), set()),
            ('docx', attached(docx(), 'a.docx'), set()),
            ('html', attached(b'<p>hello</p>', 'a.html', kind='text/html'), set()),
            ('image', attached(b'\x89PNG\r\n\x1a\n' + bytes(5000), 'a.png', kind='image/png'), set()),
            ('data URI', attached(b'<img src="data:image/png;base64,' + base64.b64encode(bytes(5000)) + b'">', 'a.html',
                                  kind='text/html'), set()),
            ('mail in zip', attached(zipped('m.eml', attached(b'x', 'x.txt')), 'a.zip'), set())]
    with tempfile.TemporaryDirectory() as folder:
        found = scanned(this, folder, rows)
    check([f'{row[0]}: {seen}' for row, seen in zip(rows, found) if seen], [], 'marks')


def make():
    return bench.bench(POLICY, settings=SETTINGS, feeds=FEEDS.items(), with_postfix=False)


def on_failure(this):
    return this.log()


run(make, on_failure)
