"""`tocsin scan --explain` over single messages with a scripted DNS and keys
made for the occasion: what explain_test and attack_test share."""
import os
import shutil
import subprocess
import tempfile

import dkim_signer
import filter as daemon
from tap import check

CONF = '''\
authserv-id "mx.tocsin.test"
own-domains { "tocsin.test" }
own-networks { 10.0.0.0/8 }
trusted-relays { 127.0.0.0/8 }
trusted-authserv-ids { "gw.tocsin.test" }
list trusted-sealers domains { "list.test" }
rule spoofed "not by its author" {
    when dmarc == fail
    unless arc == pass and arc.sealer in trusted-sealers
    then quarantine
}
'''
ZONE = '''\
ip4.test            TXT "v=spf1 ip4:192.0.2.1 -all"
all.test            TXT "v=spf1 -all"
a.test              TXT "v=spf1 a:host.a.test -all"
host.a.test         A 192.0.2.1
mx.test             TXT "v=spf1 mx -all"
mx.test             MX 10 host.a.test
ptr.test            TXT "v=spf1 ptr:ptr.test -all"
1.2.0.192.in-addr.arpa PTR mail.ptr.test
mail.ptr.test       A 192.0.2.1
exists.test         TXT "v=spf1 exists:%{i}.ok.exists.test -all"
192.0.2.1.ok.exists.test A 127.0.0.2
include.test        TXT "v=spf1 include:ip4.test -all"
missing.test        TXT "v=spf1 include:nothing.test -all"
redirect.test       TXT "v=spf1 redirect=ip4.test"
lost.test           TXT "v=spf1 redirect=nothing.test"
none.test           TXT "v=spf1 ip4:198.51.100.1"
two.test            TXT "v=spf1 -all"
two.test            TXT "v=spf1 +all"
bad.test            TXT "v=spf1 ip4:192.0.2.300 -all"
loop.test           TXT "v=spf1 include:loop.test -all"
void.test           TXT "v=spf1 a:v1.void.test a:v2.void.test a:v3.void.test -all"
dead.test           TIMEOUT
slow.test           TXT "v=spf1 a:dead.test -all"
helo.test           TXT "v=spf1 ip4:192.0.2.1 -all"
xn--bcher-kva.test  TXT "v=spf1 ip4:192.0.2.1 -all"
_dmarc.ip4.test     TXT "v=DMARC1; p=reject; sp=quarantine; np=reject"
news.ip4.test       A 192.0.2.99
_dmarc.strict.test  TXT "v=DMARC1; p=reject; adkim=s; aspf=s"
_dmarc.several.test TXT "v=DMARC1; p=reject"
_dmarc.several.test TXT "v=DMARC1; p=none"
_dmarc.testing.test TXT "v=DMARC1; p=reject; t=y"
_dmarc.dead.test    TIMEOUT
_dmarc.xn--bcher-kva.test TXT "v=DMARC1; p=reject"
revoked._domainkey.ip4.test TXT "v=DKIM1; p="
dead._domainkey.ip4.test TIMEOUT
'''


class Place:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix='tocsin-explain-')
        self.keys = {
            'rsa': dkim_signer.DkimKey(self.folder, 'ip4.test', 'rsa'),
            'ed': dkim_signer.DkimKey(self.folder, 'ip4.test', 'ed', 'ed25519'),
            'small': dkim_signer.DkimKey(self.folder, 'ip4.test', 'small', bits=768),
            'test': dkim_signer.DkimKey(self.folder, 'ip4.test', 'test'),
            'late': dkim_signer.DkimKey(self.folder, 'ip4.test', 'late'),
            'gone': dkim_signer.DkimKey(self.folder, 'ip4.test', 'gone'),
            'revoked': dkim_signer.DkimKey(self.folder, 'ip4.test', 'revoked'),
            'dead': dkim_signer.DkimKey(self.folder, 'ip4.test', 'dead'),
            'other': dkim_signer.DkimKey(self.folder, 'other.test', 'other'),
            'list': dkim_signer.DkimKey(self.folder, 'list.test', 'arc'),
            'evil': dkim_signer.DkimKey(self.folder, 'evil.test', 'arc'),
        }
        self.keys['test'].record += '; t=y'
        self.keys['late'].record = self.keys['late'].record.replace('v=DKIM1; k=rsa', 'k=rsa; v=DKIM1')
        published = [self.keys[name] for name in ('rsa', 'ed', 'small', 'test', 'late', 'other', 'list', 'evil')]
        zone = ZONE + ''.join(f'{key.record_name} TXT "{key.record}"\n' for key in published)
        self.write('zone', zone.encode())
        self.write('tocsin.conf', CONF.encode())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def write(self, name, octets):
        with open(os.path.join(self.folder, name), 'wb') as file:
            file.write(octets)

    def explain(self, message, *options, sender='a@ip4.test', client='192.0.2.1', helo='helo.test'):
        self.write('mail.eml', message)
        done = subprocess.run(
            [daemon.program('tocsin'), 'scan', '-c', 'tocsin.conf', '--explain', '--all', '--zone', 'zone',
             '--client', client, '--helo', helo, '--mail-from', sender, '--rcpt', 'x@tocsin.test', *options,
             'mail.eml'],
            cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        check(done.returncode, 0, done.stdout)
        return done.stdout


def mail(author='a@ip4.test', body='x\r\n', extra=''):
    return (f'{extra}From: {author}\r\nTo: x@tocsin.test\r\nSubject: s\r\nMessage-ID: <1@ip4.test>\r\n'
            f'\r\n{body}').encode()


def line(text, start):
    found = [one for one in text.splitlines() if one.startswith('  ' + start)]
    return found[0].strip() if found else f'no line {start!r} in {text}'
