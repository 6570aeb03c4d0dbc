#!/usr/bin/env python3
"""What only another reading of a message shows is found, and the reading is named.

Each message hides the word HIDDEN so that one kind of reader alone sees it;
its digest is listed. `.where` of the hit must name that reading, and only when
the usual one does not have it.
"""
import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from filter import program
from tap import Skip, case, check, check_in, run

SRC = os.environ.get('srcdir', os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
HIDDEN = b'a hidden file of the test, 40 octets long'[:39]
CODED = base64.b64encode(HIDDEN).decode()
HEAD = 'From: a@sender.test\r\nTo: b@tocsin.test\r\nSubject: x\r\nMIME-Version: 1.0\r\n'
B64 = 'Content-Transfer-Encoding: base64\r\n'
MIXED = 'Content-Type: multipart/mixed; boundary=x\r\n\r\n'
PART = f'{B64}\r\n{CODED}\r\n'
CONF = '''
state-directory "state"
authserv-id "mx.tocsin.test"
feed digests { source "digests.txt"  format list  status verified  severity high }
rule place "where" {
    severity low
    when any indicator (.where == "attachment:base64-stop")
    then tag "X-Where" "stop"
}
rule listed "any" { severity low  when any indicator then tag "X-Any" "any" }
'''
QUOTED = ''.join(f'={octet:02X}' for octet in HIDDEN)


def uuencoded():
    import binascii
    return 'begin 644 a\r\n' + binascii.b2a_uu(HIDDEN).decode().replace('\n', '\r\n') + '`\r\nend\r\n'


def yenc():
    data = ''.join(chr(octet + 42) for octet in HIDDEN)
    return f'=ybegin line=128 size=39 name=a\r\n{data}\r\n=yend size=39\r\n'


# By the reading that alone shows it; None: the usual one does.
MAILS = [
    (None, f'{B64}\r\n{CODED}\r\n'),
    (None, f'Content-Transfer-Encoding: quoted-printable\r\n\r\n{QUOTED}'),
    (None, f'Content-Transfer-Encoding: x-uuencode\r\n\r\n{uuencoded()}'),
    (None, f'Content-Transfer-Encoding: x-yenc\r\n\r\n{yenc()}'),
    (None, f'{B64}{MIXED}--x\r\n{PART}--x--\r\n'),
    ('base64', f'Content-Transfer-Encoding: 7bit\r\n{B64}\r\n{CODED}\r\n'),
    ('quoted-printable', 'Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
     f'{QUOTED}'),
    ('uuencode', f'Content-Transfer-Encoding: 8bit\r\nContent-Transfer-Encoding: x-uuencode\r\n'
     f'Content-Type: application/octet-stream\r\n\r\n{uuencoded()}'),
    ('base64-stop', f'{B64}\r\n{CODED}=\r\nAAAA\r\n'),
    ('base64-ignore-padding', f'{B64}\r\n{CODED[:7]}={CODED[7:]}\r\n'),
    ('base64-lines', f'{B64}\r\n{CODED[:20]}\r\nAAAA#AAAA\r\n{CODED[20:]}\r\n'),
    ('base64-line-tails', f'{B64}\r\n{CODED[:20]}#AAAA\r\n{CODED[20:]}\r\n'),
    ('base64-after-blank', f'{B64}\r\nAAAA\r\n\r\n{CODED}\r\n'),
    ('base64-whole-lines', f'{B64}\r\n{CODED[:20]}A\r\n{CODED[20:]}\r\n'),
    ('base64-whole-quanta', f'{B64}\r\n{CODED[:20]}\r\n{CODED[20:]}AA\r\n'),
    ('quoted-drop', f'Content-Transfer-Encoding: quoted-printable\r\n\r\n{QUOTED[:30]}={QUOTED[30:]}'),
    ('guessed-base64', f'Content-Type: application/octet-stream; name=a.bin\r\n\r\n{CODED}'),
    ('guessed-quoted-printable', f'Content-Type: application/octet-stream; name=a.bin\r\n\r\n{QUOTED}'),
    ('boundary', f'Content-Type: multipart/mixed; boundary=y; boundary=x\r\n\r\n--x\r\n{PART}--x--\r\n'),
    ('guessed-boundary', f'Content-Type: multipart/mixed\r\n\r\n--x\r\n{PART}--x--\r\n'),
    ('loose-delimiter', f'{MIXED}--x junk\r\n{PART}--x--\r\n'),
    ('inner-first', f'{MIXED}--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--x--\r\n--y\r\n{PART}--y--\r\n'
     '--x--\r\n'),
    ('after-close', f'{MIXED}--x\r\n\r\na\r\n--x--\r\n--x\r\n{PART}'),
    ('preamble', f'{MIXED}{uuencoded()}--x\r\n\r\na\r\n--x--\r\n'),
    ('epilogue', f'{MIXED}--x\r\n\r\na\r\n--x--\r\n{uuencoded()}'),
    ('not-multipart', f'{B64}Content-Type: multipart/mixed; boundary=x; name=a\r\n\r\n{CODED}\r\n'),
    ('decoded-multipart', f'{B64}{MIXED}' + base64.encodebytes(f'--x\r\n{PART}--x--\r\n'.encode()).decode()),
    ('headers-end-early', f'{MIXED}--x\r\n{B64}{CODED}\r\n--x--\r\n'),
    ('headers-end-odd', f'{MIXED}--x\r\n{B64}- no field -\r\n{CODED}\r\n--x--\r\n'),
    ('headers-after-blank', f'{MIXED}--x\r\n\r\n{PART.replace(B64, "Content-Type: a/b" + chr(13) + chr(10) + B64)}'
     '--x--\r\n'),
    ('cr-ends-lines', f'{MIXED}--x\r\nA: b\rContent-Type: message/rfc822\r\n\r\n{PART}--x--\r\n'),
]


class Place:
    pass


def scan(this, mails):
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, text in enumerate(mails):
            paths.append(os.path.join(folder, f'{number:02}.eml'))
            with open(paths[-1], 'wb') as file:
                file.write((HEAD + text).encode('latin-1'))
        done = subprocess.run([this.tocsin, 'scan', '-c', this.conf, '--json', *paths], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
    check(done.returncode, 0, done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


@case('an indicator that only another reading shows is found, and .where names the reading')
def named(this):
    bad = []
    for (reading, _), record in zip(MAILS, scan(this, [text for _, text in MAILS])):
        places = {hit['where'] for hit in record['indicators']}
        wanted = 'attachment' if reading is None else f'attachment:{reading}'
        if wanted not in places or reading is not None and 'attachment' in places:
            bad.append(f'{wanted}: {sorted(places)}')
    check(bad, [], 'readings')


@case('a rule can ask for the reading')
def asked(this):
    stop = dict((reading, text) for reading, text in MAILS)['base64-stop']
    records = scan(this, [stop, MAILS[0][1]])
    rules = [[rule['name'] for rule in record['rules']] for record in records]
    check(rules, [['place', 'listed'], ['listed']], 'rules')


@case('the manual explains each reading')
def explained(this):
    with open(os.path.join(SRC, 'packaging', 'man', 'tocsin-policy.5.in')) as file:
        manual = file.read().splitlines()
    for reading, _ in MAILS:
        if reading is not None:
            check_in(f'.B {reading}', manual, 'the manual')


def make():
    class Making:
        def __enter__(self):
            self.folder = tempfile.TemporaryDirectory()
            this = Place()
            this.tocsin = program('tocsin')
            if this.tocsin is None:
                raise Skip('tocsin is not built')
            this.conf = os.path.join(self.folder.name, 'tocsin.conf')
            with open(this.conf, 'w') as file:
                file.write(CONF)
            with open(os.path.join(self.folder.name, 'digests.txt'), 'w') as file:
                file.write(hashlib.sha256(HIDDEN).hexdigest() + '\n')
            os.mkdir(os.path.join(self.folder.name, 'state'))
            subprocess.run([this.tocsin, 'indicators', 'build', '-c', this.conf], check=True,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
            return this

        def __exit__(self, *why):
            self.folder.cleanup()
    return Making()


run(make)
