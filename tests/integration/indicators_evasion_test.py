#!/usr/bin/env python3
"""The same indicator written otherwise in a message has to match; another one
that only looks like it must not."""
import base64
import contextlib
import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from filter import program
from tap import case, check, run, skip_all

LISTED = '''\
evil.example
evil-bare.com
b\u00f6se-seite.example
http://kit.example/a/login.php
http://folder.example/kit/
http://root-only.example/
bad@mailbox.example
@whole.example
203.0.114.7
192.88.0.0/16
2a00:db9::/32
https://query.example/go?id=7
'''

# (what stands in the mail, how many of the listed match)
LINKS = [
    ('http://evil.example/x', True), ('HTTP://EVIL.EXAMPLE/x', True), ('https://evil.example./', True),
    ('https://evil.example:8443/x', True), ('https://www.mx.evil.example/', True),
    ('https://good.example@evil.example/', True), ('https://user:pw@evil.example/', True),
    ('https://%65vil.example/', True), ('https://ev%69l%2Eexample/', True), ('http:\\\\evil.example\\x', True),
    ('http:///evil.example/x', True), ('http:evil.example/x', True), ('//evil.example/x', True),
    ('ht\ntp://evil.ex\tample/', True), (' https://evil.example/ ', True),
    ('https://\uff45\uff56\uff49\uff4c.example/', True), ('https://evil\u3002example/', True),
    ('https://ev\u00adil.example/', True), ('https://ev\u200bil.example/', True),
    ('https://b\u00d6se-seite.example/', True), ('https://xn--bse-seite-07a.example/', True),
    ('https://XN--BSE-SEITE-07A.example/', True),
    ('https://notevil.example/', False), ('https://evil.example.good.example/', False),
    ('https://good.example/evil.example', False), ('https://evil.example@good.example/', False),
    ('https://evil-example/', False), ('https://evil.examples/', False),
    ('https://good.example/?u=evil.example', False),
    ('http://kit.example/a/login.php', True), ('https://kit.example/a/login.php', True),
    ('http://kit.example:80/a/login.php', True), ('http://kit.example/a/login.php?victim=me', True),
    ('http://kit.example/a/login.php#top', True), ('http://kit.example/a/./b/../login.php', True),
    ('http://kit.example/a/%6Cogin.php', True), ('http://KIT.example/a/login.php', True),
    ('http://kit.example/A/login.php', False), ('http://kit.example/a/login.php5', False),
    ('http://kit.example/', False), ('http://sub.kit.example/a/login.php', False),
    ('http://folder.example/kit/', True), ('http://folder.example/kit/deep/er?x', True),
    ('http://folder.example/kitten/', False), ('http://root-only.example', True),
    ('http://root-only.example/?x', True),
    ('http://root-only.example/page', False),
    ('http://203.0.114.7/x', True), ('http://3405804039/x', True), ('http://0xCB007207/', True),
    ('http://0313.0.0162.7/', True), ('http://203.0.29191/', True), ('http://[::ffff:203.0.114.7]/', True),
    ('http://203.0.114.8/', False), ('http://192.88.77.1/', True), ('http://[2a00:db9:1::1]/', True),
    ('http://[2a00:dba::1]/', False), ('mailto:bad@mailbox.example', True),
    ('mailto:BAD@MAILBOX.EXAMPLE?subject=x', True),
    ('MAILTO:ok@good.example,bad%40mailbox.example', True), ('mailto:notbad@mailbox.example', False),
    ('https://query.example/go?id=7', True), ('https://query.example/go?id=8', False),
]
SENDERS = [
    ('Bad <bad@mailbox.example>', True), ('Bad <BAD@Mailbox.Example>', True),
    ('"bad@mailbox.example" <ok@good.example>', True),
    ('=?utf-8?B?YmFkQG1haWxib3guZXhhbXBsZQ==?= <ok@good.example>', True), ('x <any@whole.example>', True),
    ('x <any@below.whole.example>', False), ('x <any@evil.example>', True), ('x <any@sub.evil.example>', True),
    ('x <any@notevil.example>', False), ('x <notbad@mailbox.example>', False), ('x <"bad"@mailbox.example>', True),
    ('x <bad+tag@mailbox.example>', False), ('x (bad@mailbox.example) <ok@good.example>', False),
    ('<ok@good.example>, <bad@mailbox.example>', True),
]
TEXTS = [
    ('see http://evil.example/x now', True), ('see evil-bare.com/x now', True), ('see Evil-Bare.COM now', True),
    ('see notevil-bare.com now', False),
    ('see www.evil.example', True),
    ('write to bad@mailbox.example', True), ('<http://evil.example>', True), ('(http://evil.example)', True),
    ('http://evil.example.', True), ('"http://evil.example",', True), ('see hxxp://evil[.]example/x', False),
    ('see http://notevil.example/', False),
]


class World:
    def __init__(self, top):
        self.top, self.conf, self.mails = top, os.path.join(top, 'tocsin.conf'), os.path.join(top, 'mails')
        for name in ('state', 'mails'):
            os.makedirs(os.path.join(top, name))
        with open(os.path.join(top, 'list.txt'), 'w') as file:
            file.write(LISTED)
        with open(self.conf, 'w') as file:
            file.write(f'state-directory "{top}/state"\nown-domains {{ "tocsin.test" }}\n'
                       f'own-networks {{ 10.0.0.0/8 }}\n'
                       f'trusted-relays {{ 127.0.0.0/8 }}\n'
                       f'feed x {{ source "{top}/list.txt" status verified client-ip on }}\n')
        self.tocsin('indicators', 'build')

    def tocsin(self, *words):
        done = subprocess.run([program('tocsin'), words[0], '-c', self.conf, *words[1:]], capture_output=True,
                              text=True, timeout=120)
        check(done.returncode in (0, 1), True, done.stderr)
        return done.stdout

    def judge(self, table, mail):
        """Scans a message for each row; the rows that are judged otherwise."""
        for number, (text, _) in enumerate(table):
            with open(os.path.join(self.mails, f'{number:03d}.eml'), 'wb') as file:
                file.write(mail(text).encode('utf-8', 'surrogateescape'))
        found = [json.loads(line) for line in self.tocsin('scan', '--json', self.mails).splitlines()
                 if line.startswith('{')]
        for name in os.listdir(self.mails):
            os.unlink(os.path.join(self.mails, name))
        check(len(found), len(table), 'messages')
        found.sort(key=lambda message: message['file'])
        return [(text, [hit['value'] for hit in message.get('indicators', ())])
                for (text, wanted), message in zip(table, found) if bool(message.get('indicators')) != wanted]


def mail_of(sender='Shop <ok@good.example>', text=None, html=None):
    kind, body = ('html', html) if html is not None else ('plain', text)
    return (f'From: {sender}\nTo: <inbox@tocsin.test>\nSubject: hello\nMessage-ID: <1@good.example>\n'
            f'Date: Tue, 24 Nov 2026 10:00:00 +0000\nMIME-Version: 1.0\n'
            f'Content-Type: text/{kind}; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{body}\n'
            ).replace('\n', '\r\n')


@case('a link that is written otherwise matches; one to elsewhere does not')
def links(world):
    check(world.judge(LINKS, lambda link: mail_of(html=f'<p><a href="{link}">click</a></p>')), [])


@case('an author who is written otherwise matches; another one does not')
def senders(world):
    check(world.judge(SENDERS, lambda sender: mail_of(sender, text='hello')), [])


@case('plain text holds links and addresses; what is defanged does not count')
def texts(world):
    check(world.judge(TEXTS, lambda text: mail_of(text=text)), [])


@case('every digest that feeds publish is looked for, in attachments and in archives')
def digests(world):
    for number, kind in enumerate(('md5', 'sha1', 'sha256', 'sha512')):
        payload, inside = f'payload {number}\n'.encode() * 20, f'member {number}\n'.encode() * 20
        for octets in (payload, inside):
            world.tocsin('indicators', 'add', kind, hashlib.new(kind, octets).hexdigest().upper())
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, 'w', zipfile.ZIP_DEFLATED) as archive:
            archive.writestr('member.bin', inside)
        for name, octets in (('a.bin', payload), ('a.zip', packed.getvalue()), ('b.bin', payload + b'.')):
            coded = base64.encodebytes(octets).decode()
            mail = mail_of(text='').replace('text/plain; charset=utf-8', f'application/octet-stream; name={name}')
            mail = mail.replace('Encoding: 8bit', 'Encoding: base64') + coded.replace('\n', '\r\n')
            check(world.judge([(mail, name != 'b.bin')], str), [], f'{kind} {name}')


@contextlib.contextmanager
def make():
    with tempfile.TemporaryDirectory(prefix='tocsin-evasion-') as top:
        yield World(top)


if not program('tocsin'):
    skip_all('the tool is not built')
run(make)
