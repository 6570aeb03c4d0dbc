#!/usr/bin/env python3
"""What documents and containers hide is found, or its hiding is said.

A table of ways in which senders hide a link, a file or a macro in documents.
Each must be found by its indicator, or the file must be called unscannable
with the reason.
"""
import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
import bench
import milter_client
import wrap_doc
import wrap_hidden
from filter import program
from tap import case, check, diag, run
from wrap import attached, zip_of, zipped

NAME = 'hidden-listed.exe'
PROGRAM = b'MZ' + b'a program that somebody listed ' * 20
URL = 'http://evil-link.test/login?id=7'

SETTINGS = '''
feed digests { source "digests.txt"  format list  status verified  severity high }
feed urls    { source "urls.txt"  format list  status verified  severity high }
'''
POLICY = '''
rule found-digest "d" { severity low  when any indicator (.type == sha256) then tag "X-Found" "digest" }
rule found-url "u" { severity low  when any indicator (.type == url) then tag "X-Found" "url" }
rule found-domain "o" { severity low  when any indicator (.type == domain) then tag "X-Found" "domain" }
rule found-unscannable "s" { severity low  when any attachment (.unscannable) then tag "X-Found" "unscannable" }
rule found-encrypted "e" { severity low  when any attachment (.reason == encrypted) then tag "X-Found" "encrypted" }
rule found-archive-form "f" { severity low
    when any attachment (.reason == archive-form) then tag "X-Found" "archive-form" }
rule found-macros "m" { severity low  when any attachment (.macros) then tag "X-Found" "macros" }
'''
FEEDS = {'digests.txt': hashlib.sha256(PROGRAM).hexdigest() + '\n', 'urls.txt': URL + '\nevil-link.test\n'}


def table():
    """(title, name, file, what must be found)"""
    link = URL.encode()
    for title, data in wrap_hidden.pdfs(link):
        yield f'pdf, {title}', 'a.pdf', data, {'url'}
    for title, data in wrap_hidden.rtfs(link):
        yield f'rtf, {title}', 'a.rtf', data, {'url'}
    for title, data in wrap_hidden.rtf_objects(NAME, PROGRAM):
        yield f'object in rtf, {title}', 'a.rtf', data, {'digest'}
    for title, name, data in wrap_hidden.pictures(PROGRAM):
        yield title, name, data, {'digest'}
    for title, name, data in wrap_hidden.ole_links(link):
        yield f'ole, {title}', name, data, {'url'}
    for title, name, data in wrap_hidden.xml_links(link):
        yield f'xml, {title}', name, data, {'url'}
    for title, name, data in wrap_hidden.plain_links(link):
        yield title, name, data if isinstance(data, bytes) else data.encode(), {
            'domain' if title in ('long', 'installer', 'remote desktop') else 'url'}
    for title, name, data in wrap_hidden.pieces(link):
        yield title, name, data, {'url'}
    for title, name, data in wrap_hidden.commands_in_base64(link):
        yield title, name, data, {'url'}
    for title, name, data in wrap_hidden.shares('evil-link.test'):
        yield title, name, data, {'domain'}
    for title, name, data in wrap_hidden.commands():
        yield title, name, data, {'macros'}
    for title, name, data, reason in wrap_hidden.closed():
        yield title, name, data, {'unscannable', reason}


def scanned(conf, messages):
    """The record of each message, as `tocsin scan --json` prints it."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, octets in enumerate(messages):
            paths.append(os.path.join(folder, f'{number:03}.eml'))
            with open(paths[-1], 'wb') as file:
                file.write(octets)
        done = subprocess.run([program('tocsin'), 'scan', '-c', conf, '--json', *paths], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300)
    check(done.returncode, 0, done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


def found_in(record):
    return {rule['name'].removeprefix('found-') for rule in record['rules']}


def misses(this, rows, wrap):
    records = scanned(this.filter.conf, [wrap(name, data) for _, name, data, _ in rows])
    check(len(records), len(rows), 'records')
    bad = [f'{row[0]}: found {sorted(found_in(record))}, missing {sorted(row[3] - found_in(record))}'
           for row, record in zip(rows, records) if not row[3] <= found_in(record)]
    for line in bad:
        diag(line)
    diag(f'{len(rows)} documents, {len(rows) - len(bad)} as they must be')
    return bad


@case('what a document hides is found')
def alone(this):
    check(misses(this, list(table()), lambda name, data: attached(data, name)), [], 'documents that hide')


@case('and in a zip')
def in_zip(this):
    check(misses(this, list(table()), lambda name, data: attached(zipped(name, data), 'a.zip')), [],
          'documents that hide')


# A document for each limit, which is met in it.
LIMITS = 'limits { document-bytes 4kB  document-objects 10  document-links 3  content-bytes 2kB  attached-mails 1 }'


def limited():
    """(limit, name, file)"""
    link = URL.encode()
    small = attached(b'x', 'x.txt')
    yield 'document-bytes', 'a.rtf', wrap_doc.rtf_with_object(NAME, bytes(9000))
    yield 'document-bytes', 'a.doc', wrap_doc.ole_file(wrap_doc.Storage({'WordDocument': b'x' * 9000}))
    yield 'document-bytes', 'a.xml', b'<a>' + b'&amp;' * 9000 + b'</a>'
    yield 'document-bytes', 'a.pdf', wrap_doc.pdf((b'/Filter/FlateDecode', zlib.compress(random_text(30000))))
    yield 'document-objects', 'a.pdf', wrap_doc.pdf(*[(b'/Filter/FlateDecode', zlib.compress(link))] * 11)
    yield 'document-objects', 'a.doc', wrap_doc.ole_file(wrap_doc.Storage({f's{n}': link for n in range(20)}))
    yield 'document-objects', 'a.rtf', b'{\\rtf1' + b'{\\*\\objdata 0105}' * 11 + b'}'
    yield 'document-links', 'a.bin', b'\0'.join(b'http://h%d.test/' % n for n in range(4))
    yield 'content-bytes', 'a.zip', zipped('a.txt', random_text(3000))
    yield 'attached-mails', 'a.zip', zip_of([('1.eml', small), ('2.eml', small)])


@case('the filter finds the same, and its log says why a file is closed')
def in_session(this):
    rows, bad = list(table()), []
    with milter_client.MilterClient(this.filter.socket, timeout=60) as milter:
        milter.connect('192.0.2.20', 'mail.shop.test')
        milter.helo('mail.shop.test')
        for title, name, data, wanted in rows:
            answer = milter.message('<news@shop.test>', ['<inbox@tocsin.test>'], attached(data, name))
            found = {value.strip() for value in answer.inserted('X-Found')}
            bad += [] if wanted <= found else [f'{title}: {sorted(found)}']
    check(bad, [], 'documents that hide')
    closed = [line for line in this.filter.log_text().splitlines() if ' unscannable=archive-form' in line]
    check(len(closed), sum('archive-form' in row[3] for row in rows), 'log lines with the reason')


def random_text(size):
    """Text that does not squeeze well."""
    return base64.b64encode(b''.join(hashlib.sha256(b'%d' % n).digest() for n in range(size // 40)))


@case('a limit that is met is a fact with its name, a gap and a tag')
def limits(this):
    rules = '\n'.join(f'rule found-{name} "l" {{ severity low  when any attachment (.reason == {name}) '
                      f'then tag "X-Found" "{name}" }}' for name in sorted({row[0] for row in limited()}))
    conf = this.filter.write('limited/limited.conf', f'''
state-directory "{this.filter.top}/limited"
authserv-id "mx.tocsin.test"
{LIMITS}
{rules}
rule links "u" {{ severity low  when any url (.host == "nowhere.test") then tag "X-Found" "link" }}
rule found-gap "g" {{ severity low  when any analysis.gap (.value == limit) then tag "X-Found" "gap" }}
''')
    rows = list(limited())
    records = scanned(conf, [attached(data, name) for _, name, data in rows])
    check([f'{row[0]} in {row[1]}: {sorted(found_in(record))}' for row, record in zip(rows, records)
           if found_in(record) != {row[0], 'gap'}], [], 'limits that are met in silence')
    records = scanned(this.filter.conf, [attached(data, name) for _, name, data in rows])
    check([f'{row[0]} in {row[1]}: {sorted(found_in(record))}' for row, record in zip(rows, records)
           if 'unscannable' in found_in(record)], [], 'documents within the default limits')


def ordinary():
    """(title, name, file): what the programs of offices write every day."""
    theme = zip_of([('[Content_Types].xml', random_text(4000)), ('theme/theme1.xml', random_text(4000))])
    pieces = theme[:1024] + bytes(512) + theme[1024:]
    small = {f'__substg1.0_{n:08X}': b'property %d' % n for n in range(9000)}
    template = r'file:///C:\Users\ann\Templates\Report.dotx'
    share = r'file:///\\server.own.test\forms\Report.dotx'
    yield 'a drawing in sectors of a workbook', 'a.xls', wrap_doc.ole_file(wrap_doc.Storage({
        'Workbook': b'\x09\x08\x10\0' + bytes(16) + pieces}))
    yield 'TNEF with a line end behind', 'winmail.dat', wrap_doc.tnef('a.txt', b'hello') + b'\r\n'
    yield 'a publication without macros', 'a.pub', wrap_doc.ole_file(wrap_doc.Storage({
        'Quill': b'text', 'VBA': wrap_doc.Storage()}))
    yield 'a message to thousands', 'a.msg', wrap_doc.ole_file(wrap_doc.Storage(small))
    for rows in (50000, 400000):
        yield f'a table of {rows} rows', 'a.xlsx', zip_of([('[Content_Types].xml', b'<Types/>'), (
            'xl/worksheets/sheet1.xml', b''.join(b'<row r="%d"><c r="A%d"><v>%d.5</v></c></row>' % (n, n, n)
                                                 for n in range(rows)))])
    yield 'a template on a disk', 'a.docx', zip_of([
        ('[Content_Types].xml', b'<Types/>'), ('word/_rels/settings.xml.rels',
         f'<Relationships><Relationship Target="{template}"/><Relationship Target="{share}"/></Relationships>')])


@case('what offices write every day is marked with nothing')
def unmarked(this):
    conf = this.filter.write('ordinary/ordinary.conf', f'''
state-directory "{this.filter.top}/ordinary"
authserv-id "mx.tocsin.test"
limits {{ scan-time 30s }}  # marks are asked for, and slow builds are tested too
{POLICY}
rule found-disguised "h" {{ severity low  when any url (.disguised) then tag "X-Found" "disguised" }}
rule found-gap "g" {{ severity low  when any analysis.gap (.value == limit) then tag "X-Found" "gap" }}
rule found-drive "c" {{ severity low  when any url (.host == "c") then tag "X-Found" "drive" }}
rule found-share "t" {{ severity low  when any url (.host == "server.own.test") then tag "X-Found" "share" }}
''')
    rows = list(ordinary())
    records = scanned(conf, [attached(data, name) for _, name, data in rows])
    check([f'{row[0]}: {sorted(found_in(record))}' for row, record in zip(rows, records)
           if found_in(record) - {'share'}], [], 'ordinary documents that are marked')
    check(found_in(records[-1]), {'share'}, 'the link that leads to a host')


def make():
    return bench.bench(POLICY, settings=SETTINGS, feeds=FEEDS.items(), with_postfix=False)


def on_failure(this):
    return this.log()


run(make, on_failure)
