#!/usr/bin/env python3
"""The rules that ship, each with a message that it is for and neighbours that it
is not for: through `tocsin scan`, and by SMTP through a private Postfix to the
running filter, with the same result.
"""
import base64
import contextlib
import glob
import io
import json
import os
import re
import shutil
import sys
import tempfile
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
import dns_server
import filter as tocsind
import postfix
import samples
import wrap
from tap import Skip, case, check, check_in, run, wait_for

SRC = os.environ.get('srcdir', os.path.abspath(os.path.join(os.path.dirname(__file__), '..', '..')))
SHOP, BANK, PARTNER, STRANGER = '192.0.2.20', '192.0.2.10', '192.0.2.30', '198.51.100.66'

ZONE = samples.zone() + '''
partner.test TXT "v=spf1 ip4:192.0.2.30 -all"
_dmarc.partner.test TXT "v=DMARC1; p=none"
quar.test TXT "v=spf1 -all"
_dmarc.quar.test TXT "v=DMARC1; p=quarantine"
no-dmarc.test TXT "v=spf1 -all"
slow.test SERVFAIL
_dmarc.slow.test SERVFAIL
'''
CONF = '''\
socket          "unix:{socket}"
socket-mode     0666
state-directory "{state}"
control-socket  "{control}"
authserv-id     "mx.tocsin.test"
resolver        {{ server "{dns}"  deadline 5s  early-deadline 2s }}
list our-domains domains {{ "tocsin.test", "slow.test" }}
own-domains     our-domains
own-networks    {{ 10.0.0.0/8 }}
trusted-relays  {{ 127.0.0.0/8, ::1 }}
{user}
{settings}
include "policy.d/*.policy"
'''
FEEDS = '''\
feed phish { source "feeds/phish.csv"  format csv  status verified  severity high  confidence 90
             columns { value "url" }  defanged match }
feed claims { source "feeds/claims.csv"  format csv  status unverified  severity high
              columns { value "value" type "type" } }
'''


def zipped(name, octets):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, octets)
    return out.getvalue()


def encrypted_zip():
    """A zip whose headers say that its member is encrypted."""
    octets = bytearray(zipped('plan.txt', b'twelve octets and more'))
    octets[6] |= 1
    octets[octets.rindex(b'PK\x01\x02') + 8] |= 1
    return bytes(octets)


def with_macros():
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w') as archive:
        archive.writestr('[Content_Types].xml', '<Types xmlns="http://schemas.openxmlformats.org/package/2006/'
                         'content-types"><Override PartName="/word/document.xml" ContentType="x"/></Types>')
        archive.writestr('word/document.xml', '<w:document/>')
        archive.writestr('word/vbaProject.bin', b'\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1' + b'\0' * 2048)
    return out.getvalue()


def program_octets():
    head = bytearray(b'MZ' + b'\0' * 0x3a + b'\x80\0\0\0' + b'\0' * 0x40)
    return bytes(head) + b'PE\0\0\x4c\x01\x01\0' + b'\0' * 12 + b'\xe0\0\x02\x01\x0b\x01' + b'\0' * 1024


def mail(sender='Anne <anne@nobody.test>', subject='Hello', **more):
    return samples.message(sender, subject, **more)


def file_mail(name, octets, sender='Anne <anne@nobody.test>', **more):
    return samples.message(sender, 'A file for you', attachment=(name, octets), **more)


class Letter:
    """A message, its envelope, the rules that match and what becomes of it."""

    def __init__(self, what, octets, rules, outcome='delivered', client=STRANGER, sender='anne@nobody.test',
                 rcpt=('chef@tocsin.test',), login=None):
        self.what, self.octets, self.rules, self.outcome = what, octets, set(rules), outcome
        self.client, self.sender, self.rcpt, self.login = client, sender, rcpt, login


def outgoing(what, octets, rules, outcome='delivered', rcpt=('citizen@gmail.com',)):
    return Letter(what, octets, rules, outcome, client='10.1.2.3', sender='jdupont@tocsin.test', rcpt=rcpt,
                  login='jdupont')


OURS = 'J Dupont <jdupont@tocsin.test>'
HREF = '<p><a href="https://evil.example.net/x">{}</a></p>\n'
TWO_FROM = mail().replace(b'From: ', b'From: boss@bank.test\r\nFrom: ', 1)
TWO_BOUNDARIES = (b'From: anne@nobody.test\r\nTo: <chef@tocsin.test>\r\nSubject: two\r\nMIME-Version: 1.0\r\n'
                  b'Content-Type: multipart/mixed; boundary="a"; boundary="b"\r\n\r\n--a\r\nContent-Type: text/plain\r'
                  b'\n\r\none\r\n--a\r\nContent-Type: application/pdf; name="a.pdf"\r\nContent-Disposition: attachment;'
                  b' filename="a.pdf"\r\n\r\n%PDF-1.4\r\n--a--\r\n--b\r\n\r\ntwo\r\n--b--\r\n')
MARKED = mail(OURS, '=?utf-8?b?' + base64.b64encode('Note – Diffusion restreinte'.encode()).decode() + '?=')
MARKED_TEXT = samples.message(OURS, 'Note', text=None, extra=(
    'Content-Type: text/plain; charset=iso-8859-1', 'Content-Transfer-Encoding: quoted-printable', '',
    'TR=C8S SECRET', 'The plan.'))
MANY = tuple(f'r{number}@mail.example' for number in range(51))

LETTERS = [
    Letter('ordinary mail', mail('Shop <news@shop.test>', html=HREF.format('our offers')), (), client=SHOP,
           sender='news@shop.test'),
    Letter('a link that a verified feed lists', samples.listed_url(), {'strong-indicator'}, 'held', client=SHOP,
           sender='news@shop.test'),
    Letter('a name that an unverified feed claims', file_mail('budget-2027.xlsx', b'PK'), {'weak-indicator'}),
    Letter('a listed link that a defender writes about', mail(
        text='We saw hxxp://evil-link[.]test/login today.\n'), {'discussed-indicator'}),
    Letter('in our name', mail('Chef <chef@tocsin.test>'), {'spoofed-own-domain', 'dmarc-reject'}, 'held'),
    Letter('in a name below ours', mail('Chef <chef@factures.tocsin.test>'), {'spoofed-own-domain', 'dmarc-reject'},
           'held'),
    Letter('in our name, and DNS fails', mail('Chef <chef@slow.test>'), {'own-domain-temperror'},
           'deferred'),
    Letter('a lookalike of us', mail('Chef <chef@t0csin.test>'), {'lookalike-domain'}),
    Letter('us under another suffix, for answers', mail(extra=('Reply-To: chef@tocsin.com',)), {'lookalike-domain'}),
    Letter('a link to a lookalike', mail(html='<a href="https://tocsin-login.com/">here</a>\n'), {'lookalike-link'}),
    Letter('a display name that is an address', mail('"chef@tocsin.test" <x@nobody.test>'), {'address-as-name'}),
    Letter('the bank, not authenticated', mail('Bank <service@bank.test>'), {'dmarc-reject'}),
    Letter('the bank itself', mail('Bank <service@bank.test>'), (), client=BANK, sender='service@bank.test'),
    Letter('a domain that asks to set apart', mail('Q <q@quar.test>'), {'dmarc-quarantine'}),
    Letter('a client that its domain disowns', mail('N <n@no-dmarc.test>'), {'spf-fail'}, sender='n@no-dmarc.test'),
    Letter('two authors', TWO_FROM, {'ambiguous-author', 'dmarc-reject'}),
    Letter('a script', file_mail('invoice.js', b'x'), {'risky-attachment'}, 'held'),
    Letter('a script in an archive', file_mail('invoice.zip', zipped('invoice.js', b'x')), {'risky-attachment'},
           'held'),
    Letter('a document in an archive', file_mail('invoice.zip', zipped('invoice.txt', b'x')), ()),
    Letter('a program with two extensions', file_mail('invoice.pdf.exe', program_octets()),
           {'risky-attachment', 'disguised-attachment'}, 'held'),
    Letter('a program that says it is a PDF', file_mail('invoice.pdf', program_octets()), {'disguised-attachment'},
           'held'),
    Letter('a web page as a file', file_mail('voicemail.html', b'<form action="https://x.nobody.test/">'),
           {'page-attachment'}),
    Letter('a document with macros', file_mail('order.docm', with_macros()), {'macros'}),
    Letter('an encrypted archive from a stranger', file_mail('plan.zip', encrypted_zip()),
           {'encrypted-from-stranger', 'not-examined'}),
    Letter('an encrypted archive from a partner', file_mail('plan.zip', encrypted_zip(), 'P <p@partner.test>'),
           {'not-examined'}, client=PARTNER, sender='p@partner.test'),
    Letter('two boundaries and a file', TWO_BOUNDARIES, {'ambiguous-structure'}),
    Letter('a link that shows another host', mail(html=HREF.format('https://www.bank.test/login')),
           {'link-text-mismatch'}),
    Letter('a link with its host behind an @', mail(text='https://www.bank.test@evil.example.net/x\n'),
           {'link-hides-host'}),
    outgoing('ordinary mail to the outside', mail(OURS), ()),
    outgoing('un mot de passe', mail(OURS, text='Bonjour,\nton mot de passe\u00a0:\u00a0Soleil2026!\n'),
             {'credentials-in-clear'}),
    outgoing('a password in a sentence', mail(OURS, text='the password for the VPN is hunter22x, see you\n'),
             {'credentials-in-clear'}),
    outgoing('a private key', mail(OURS, text='-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n'),
             {'credentials-in-clear'}),
    outgoing('mail that speaks of passwords', mail(OURS, text='The password is required! Le mot de passe est '
                                                   'obligatoire: voir plus bas.\n'), ()),
    outgoing('a marked subject leaves', MARKED, {'marked-mail-leaves'}),
    outgoing('a marked text leaves', MARKED_TEXT, {'marked-mail-leaves'}),
    outgoing('a marked file leaves', file_mail('plan (TLP:RED).pdf', b'%PDF-1.4', OURS), {'marked-mail-leaves'}),
    outgoing('a marking header leaves', mail(OURS, extra=('Sensitivity: Company-Confidential',)),
             {'marked-mail-leaves'}),
    outgoing('a marked subject stays', MARKED, (), rcpt=('chef@tocsin.test',)),
    outgoing('a rule of a mailbox forwards', mail(
        'Anne <anne@nobody.test>', extra=('X-MS-Exchange-Inbox-Rules-Loop: jdupont@tocsin.test',)),
        {'auto-forward', 'forward-to-freemail'}),
    outgoing('a stranger in our outgoing mail', mail(), (), rcpt=('someone@mail.example',)),
    outgoing('a mailing to 51 outside', mail(OURS), {'many-recipients-outside'}, rcpt=MANY),
    outgoing('an encrypted archive to free mail', file_mail('dossier.zip', encrypted_zip(), OURS),
             {'archive-to-freemail'}),
    outgoing('a large archive to free mail', file_mail('dossier.zip', os.urandom(5_500_000), OURS),
             {'archive-to-freemail'}),
    outgoing('a small archive to free mail', file_mail('dossier.zip', zipped('a.txt', b'x'), OURS), ()),
    Letter('mail of a stolen account', mail('Voleur <vol@tocsin.test>'), {'stolen-account'}, 'held',
           client='10.1.2.3', sender='vol@tocsin.test', login='vol'),
    Letter('a sample for abuse', file_mail('sample.exe', b'MZ'), (), rcpt=('abuse@tocsin.test',)),
    Letter('a sample for abuse and one more', file_mail('sample.exe', b'MZ'), {'risky-attachment'}, 'held',
           rcpt=('abuse@tocsin.test', 'chef@tocsin.test')),
    Letter('a listed link for the CERT', samples.listed_url('cert'), (), client=SHOP, sender='news@shop.test',
           rcpt=('cert@tocsin.test',)),
]


def install(this):
    """Rules and lists as they ship, with entries of this test's world."""
    os.remove(this.policy)
    for path in glob.glob(os.path.join(SRC, 'policy', 'rules', '*.policy')):
        shutil.copy(path, os.path.dirname(this.policy))
    shutil.copytree(os.path.join(SRC, 'packaging', 'examples', 'lists'), os.path.join(this.top, 'lists'))
    for name, entry in (('stolen-accounts', 'vol'), ('partners', 'partner.test'), ('cert-desk', 'cert@tocsin.test')):
        with open(os.path.join(this.top, 'lists', f'{name}.txt'), 'a', encoding='utf-8') as file:
            file.write(entry + '\n')
    this.write('feeds/phish.csv', f'url\n{samples.LISTED_URL}\n')
    this.write('feeds/claims.csv', 'type,value\nfilename,budget-2027.xlsx\n')
    this.write('zone', ZONE)


def take_mail_for_all(server):
    """Delivers mail for any domain into the one mailbox: nothing leaves."""
    path = os.path.join(server.conf, 'main.cf')
    with open(path, encoding='utf-8') as file:
        text = file.read()
    for name, value in (('smtpd_relay_restrictions', 'check_sender_access static:OK, reject'),
                        ('default_transport', 'virtual'), ('relay_transport', 'virtual')):
        text = re.sub(rf'(?m)^{name} = .*$', f'{name} = {value}', text)
    server.write('main.cf', text)


class World:
    pass


@contextlib.contextmanager
def world():
    if tocsind.program('tocsind') is None:
        raise Skip('tocsind is not built')
    with tempfile.TemporaryDirectory(prefix='tocsin-pack-mail-') as top, contextlib.ExitStack() as stack:
        found = World()
        found.dns = stack.enter_context(dns_server.DnsServer(ZONE))
        try:
            found.server = postfix.Postfix(top)
            take_mail_for_all(found.server)
        except postfix.Missing as why:
            found.server, found.why = None, why
        folder = found.server.milter_folder() if found.server else None
        found.filter = tocsind.Filter(top, '', FEEDS, dns=found.dns.host_port, socket_folder=folder, conf=CONF)
        install(found.filter)
        if found.server is not None:
            stack.enter_context(found.filter)
            stack.enter_context(found.server)
        else:
            found.filter.tool('indicators', 'build', check=True)
        yield found


def matched(record):
    return {rule['name'] for rule in record['rules'] if 'exempted_by' not in rule}


def scan(this, letter):
    path = this.filter.write('letter.eml', letter.octets.decode('latin-1').encode('latin-1'))
    options = ['--client', letter.client, '--mail-from', letter.sender]
    for rcpt in letter.rcpt:
        options += ['--rcpt', rcpt]
    if letter.login:
        options += ['--auth-user', letter.login]
    done = this.filter.tool('scan', '--json', '--zone', os.path.join(this.filter.top, 'zone'), *options, path)
    check(done.returncode, 0, done.stdout)
    return json.loads(next(line for line in done.stdout.splitlines() if line.startswith('{')))


@case('the policy of this test loads, enforced')
def loads(this):
    done = this.filter.tool('check')
    check(done.returncode, 0, done.stdout)
    check_in('enforcing', done.stdout)


def add_cases(letter):
    @case(f'scan: {letter.what}')
    def by_scan(this):
        record = scan(this, letter)
        check(sorted(matched(record)), sorted(letter.rules), 'rules')
        wanted = {'held': 'quarantine', 'deferred': 'defer', 'delivered': 'none'}[letter.outcome]
        check(record['verdict']['disposition'], wanted, 'disposition')

    @case(f'Postfix: {letter.what}')
    def by_mail(this):
        if this.server is None:
            raise Skip(this.why)
        reply = this.server.send(letter.octets, sender=letter.sender, recipients=letter.rcpt, address=letter.client,
                                 login=letter.login, helo='host.nobody.test', timeout=20)
        if letter.outcome == 'deferred':
            check(reply.code // 100, 4, f'{reply}')
            return
        check(reply.code, 250, f'{reply}')
        record = wait_for(lambda: this.filter.record(reply.queue_id), 10, 'the record')
        check(sorted(matched(record)), sorted(letter.rules), 'rules')
        this.server.drain()
        held = reply.queue_id in this.server.held()
        check('held' if held else 'delivered', letter.outcome, 'what became of it')


for each in LETTERS:
    add_cases(each)


@case('Postfix: what could not be examined is held while containment is on')
def contained(this):
    if this.server is None:
        raise Skip(this.why)
    this.filter.tool('set', 'containment', 'on', '--for', '1h', '--reason', 'test', check=True)
    try:
        reply = this.server.send(file_mail('plan.zip', encrypted_zip()), sender='anne@nobody.test',
                                 recipients=('chef@tocsin.test',), address=STRANGER)
        record = wait_for(lambda: this.filter.record(reply.queue_id), 10, 'the record')
        check_in('not-examined-held', matched(record))
        this.server.drain()
        check_in(reply.queue_id, this.server.held(), 'the hold queue')
    finally:
        this.filter.tool('set', 'containment', 'default', check=True)


@case('Postfix: mail of the stolen account is kept in the evidence')
def preserved(this):
    if this.server is None:
        raise Skip(this.why)
    kept = glob.glob(os.path.join(this.filter.state, 'evidence', '**', '*.eml'), recursive=True)
    check(any(b'vol@tocsin.test' in open(path, 'rb').read() for path in kept), True, f'{kept}')


def on_failure(this):
    return '\n'.join(this.filter.log_text().splitlines()[-6:])


run(world, on_failure)
