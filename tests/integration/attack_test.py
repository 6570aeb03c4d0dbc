#!/usr/bin/env python3
"""Mail of an attacker who has a domain, its DNS, its keys and a host of its
own, and wants to pass as ip4.test (p=reject). Nothing of it may be a DMARC pass
that a reader takes for ip4.test, and no field of it may end a value in what
we write. `tocsin scan` judges, as the daemon does."""
import re
import subprocess

import filter as daemon
from scan_bench import Place, line, mail
from tap import case, check, check_in, run

EVIL = {'sender': 'x@evil.test', 'client': '203.0.113.66', 'helo': 'mail.evil.test'}
EVIL_ZONE = '''\
evil.test           TXT "v=spf1 ip4:203.0.113.66 -all"
mail.evil.test      TXT "v=spf1 ip4:203.0.113.66 -all"
_dmarc.evil.test    TXT "v=DMARC1; p=none"
'''
FROMS = [
    # header fields in place of From; each also in the other order
    'From: a@ip4.test\r\nFrom: x@evil.test', 'From: x@evil.test\r\nFrom: a@ip4.test',
    'From: a@ip4.test\r\nfrom: x@evil.test', 'From : a@ip4.test\r\nFrom: x@evil.test',
    'From\t: a@ip4.test\r\nFrom: x@evil.test', 'From: x@evil.test\r\nFrom : a@ip4.test',
    'From: x@evil.test\r\nFrom:\r\n a@ip4.test', 
    'From: x@evil.test\r\n From: a@ip4.test', 'From: x@evil.test\rFrom: a@ip4.test',
    'From: a@ip4.test, x@evil.test', 'From: x@evil.test, a@ip4.test', 'From: x@evil.test,\r\n\ta@ip4.test',
    'From: a@ip4.test; x@evil.test', 'From: x@evil.test a@ip4.test', 'From: a@ip4.test x@evil.test',
    'From: <a@ip4.test> <x@evil.test>', 'From: <x@evil.test> <a@ip4.test>', 'From: <x@evil.test>a@ip4.test',
    'From: a@ip4.test <x@evil.test>', 'From: x@evil.test <a@ip4.test>', 'From: <<x@evil.test>a@ip4.test>',
    'From: g: a@ip4.test;, x@evil.test', 'From: g: x@evil.test, a@ip4.test;', 'From: a@ip4.test: x@evil.test;',
    'From: <@evil.test:a@ip4.test>', 'From: <@ip4.test:x@evil.test>', 'From: a@ip4.test@evil.test',
    'From: x@evil.test@ip4.test', 'From: a@ip4.test\0@evil.test', 'From: x@evil.test\0, a@ip4.test',
    'From: <a@ip4.test\0>, <x@evil.test>', 'From: a@ip4.test\x0b<x@evil.test>', 'From: x@evil.test\x0c a@ip4.test',
    'From: =?utf-8?q?a=40ip4.test=2C?= x@evil.test',
    'From: =?utf-8?q?=3Ca=40ip4.test=3E?=\r\n <x@evil.test> a@ip4.test',
    'From: "x@evil.test" <a@ip4.test>', 'From: "a@ip4.test" a@ip4.test', 'From: (x@evil.test) a@ip4.test',
    'From: A@IP4.TEST', 'From: a@ip4.test.', 'From: a@ip4 .test', 'From: a@ip4.\r\n test', 'From: a@(c)ip4(d).test',
    'From: a @ ip4.test', 'From: "a"@ip4.test', 'From: "a\\"@evil.test, x"@ip4.test', 'From: a@ip4\u3002test',
    'From: a@ip4.\uff54est', 'From: a@ip4\u00ad.test', 'From: a@\u200bip4.test', 'From: a@ip4.test\u2028@evil.test',
    'From: a@ip4.test\u00a0<x@evil.test>', 'From: a@ip4.test\ufeff', 'From: a@xn--ip4-.test',
    'From: \u202ea@ip4.test <x@evil.test>, a@ip4.test', 'From: ' + 'y@evil.test, ' * 1500 + 'a@ip4.test',
    'From: a@ip4.test' + ' ' * 110000 + '<x@evil.test>', 'From: ' + '(' * 5000 + 'a@ip4.test',
    'From:', 'From: <>', 'X-From: a@ip4.test', 'Sender: a@ip4.test', 'Resent-From: x@evil.test\r\nFrom: a@ip4.test',
    'Sender: x@evil.test\r\nFrom: a@ip4.test', 'From: a@sub.ip4.test', 'From: a@nowhere.ip4.test',
    'From: a@[203.0.113.66]', 'From: a@ip4.test%evil.test', 'From: a%ip4.test@evil.test, a@ip4.test',
]
# What an attacker may pass as: itself, with any text beside the address.
HARMLESS = [
    'From: x@evil.test', 'From: "a@ip4.test" <x@evil.test>', 'From: =?utf-8?q?a=40ip4.test?= <x@evil.test>',
    'From: x@evil.test (a@ip4.test)', 'From: (a@ip4.test) x@evil.test', 'From: "a@ip4.test\\""@evil.test',
]
TEXTS = [
    'x; dmarc=pass header.from=ip4.test', 'x"; dmarc=pass', 'x\\"; dmarc=pass', 'x); dmarc=pass (', 'x\r\n\tdmarc=pass',
    'x\rAuthentication-Results: mx.tocsin.test; dmarc=pass', 'x\0; dmarc=pass', 'x=pass header.from=ip4.test;',
    'x header.from=ip4.test', 'x\u2028; dmarc=pass', 'x\u00a0dmarc=pass', '(x', 'x<ip4.test>', 'x/1=pass', '"', '\\',
    '=?utf-8?q?dmarc=3Dpass?=', '=?utf-8?q?x=3B_dmarc=3Dpass_header.from=3Dip4.test?=', '=?utf-8?b?OyBkbWFyYz1wYXNz?=',
    'x' * 400, '\u202etset.4pi',
]


class World(Place):
    def __init__(self):
        super().__init__()
        with open(f'{self.folder}/zone', 'a') as zone:
            zone.write(EVIL_ZONE)

    def explain(self, message, *options, **envelope):
        return super().explain(message, *options, **{**EVIL, **envelope})


def passes_for(text):
    """The domain that has a DMARC pass in what we would write, or None."""
    found = re.search(r'Authentication-Results:(.*)', text)
    passed = re.search(r'dmarc=pass\b.*?header\.from=([^\s;\\]+)', found[1]) if found else None
    return passed[1] if passed else None


def authored(field, body='x\r\n'):
    return (f'MIME-Version: 1.0\r\n{field}\r\nTo: x@tocsin.test\r\nSubject: s\r\n'
            f'Message-ID: <1@evil.test>\r\n\r\n{body}').encode()


@case('no From of an attacker with valid SPF and DKIM of its own passes for the victim')
def from_tricks(world):
    for field in FROMS:
        signed = [authored(field)]
        if '\0' not in field and '\r' not in field.replace('\r\n', ''):
            signed.append(world.keys['evil'].sign(authored(field), signed=['from', 'subject']))
        for message in signed:
            passed = passes_for(world.explain(message))
            check(passed, None, f'{field[:120]!r} passes for')


@case('as itself it passes, whatever stands beside its address')
def harmless(world):
    for field in HARMLESS:
        text = world.explain(world.keys['evil'].sign(authored(field)))
        check(passes_for(text), 'evil.test', field)


@case('a signed message of the victim does not pass once its author or its length is tampered with')
def replays(world):
    key = world.keys['rsa']
    good = key.sign(mail())
    check(passes_for(world.explain(good)), 'ip4.test', 'as signed')
    short = key.sign(mail(body='one\r\n'), length=5)
    tampered = [
        b'From: a2@ip4.test\r\n' + good,                   # a second From above the signed one
        good.replace(b'\r\n\r\n', b'\r\nFrom: a2@ip4.test\r\n\r\n', 1),
        good.replace(b'From: a@ip4.test', b'From: b@ip4.test'),
        short + b'<p>more</p>\r\n',
        good.replace(b'd=ip4.test', b'd=IP4.TEST.evil.test'),
        good.replace(b'd=ip4.test', b'd=evil.test'),
        good.replace(b'd=ip4.test', b'd=test'),
        good.replace(b'd=ip4.test;', b'd=ip4.test; d=evil.test;'),
        good.replace(b'b=', b'b=;b=', 1),
        good.replace(b'h=from', b'h=from:from'),
        good.replace(b'a=rsa-sha256', b'a=rsa-sha256; a=none'),
        good.replace(b'a=rsa-sha256', b'a='),
        good.replace(b'c=relaxed/relaxed', b'c=relaxed/relaxed; l=0'),
    ]
    for at, message in enumerate(tampered):
        check(passes_for(world.explain(message)), None, f'tampered {at}')


@case('a signature of another domain, of a public suffix or of a child does not align where it must not')
def alignment(world):
    for name in ('evil', 'other', 'list'):
        signed = world.keys[name].sign(mail())
        check_in('pass d=', line(world.explain(signed), 'dkim '))
        check(passes_for(world.explain(signed)), None, f'signed by {name}')


@case('what a client says ends no value in the results that we write')
def injection(world):
    for text in TEXTS:
        for envelope in ({'helo': text}, {'sender': f'{text}@evil.test'}, {'sender': f'"{text}"@evil.test'},
                         {'sender': f'x@{text}'}, {'sender': '', 'helo': text}):
            if any('\0' in value for value in envelope.values()):
                continue  # no argument of a program
            shown = world.explain(authored(f'From: "{text}" <a@ip4.test>'), **envelope)
            check(passes_for(shown), None, f'{envelope}')
            only_one(shown)
        for tag in ('d', 's', 'i', 'a', 'b', 'h', 'q', 'x'):
            message = (f'DKIM-Signature: v=1; a=rsa-sha256; d=evil.test; s=arc; h=from; bh=AAAA; b=AAAA; {tag}={text}'
                       f'\r\nFrom: a@ip4.test\r\n\r\nx\r\n').encode()
            shown = world.explain(message)
            check(passes_for(shown), None, f'{tag}={text!r}')
            only_one(shown)


def only_one(shown):
    """What we add is one field whose folds begin with a blank."""
    found = re.findall(r'edit +insert 0 Authentication-Results:(.*)', shown)
    check(len(found), 1, shown)
    for part in found[0].split('\\x0A')[1:]:
        check(part[:4], '\\x09', found[0])
    bare = re.sub(r'"[^"]*"', '', found[0].replace('\\x0A\\x09', ' '))
    check(len(re.findall(r'(?<![\w.])dmarc=', bare)), 1, found[0])


RECORDS = [
    # SPF of an attacker's domain that wants more than its host: the result must not be pass, in bounded time
    '"v=spf1 ' + 'include:e.evil2.test ' * 40 + '-all"',
    '"v=spf1 exists:%{d}%{d}%{d}%{d}%{d}%{d}%{d}%{d}.evil2.test -all"',
    '"v=spf1 redirect=%{d}"', '"v=spf1 include:%{d} +all"', '"v=spf1 ip4:0.0.0.0/33 +all"',
    '"v=spf1 ip6:::ffff:0:0/96 -all"',
    '"v=spf1 a:%{l}%{l1000r-}.evil2.test mx:%{p}.evil2.test -all"', '"v=spf1 ip4:203.0.113.66\\000 +all"',
    '"v=spf1" "+all"', '"v=spf10 +all"', '" v=spf1 +all"', '"v=spf1\\009+all"', '"v=spf1 +all" ' + '"x" ' * 800,
    '"v=spf1 exp=%{x} +all"', '"v=spf1 redirect=a.test redirect=b.test +all"', '"v=spf1 foo:bar +all"',
    '"v=spf1 all:x +all"',
    '"v=spf1 -all ?all +all"', '"v=spf1 ip4:::1/0 +all"', '"v=spf1 ptr:' + 'a.' * 130 + 'test -all"',
]


@case('no odd record makes SPF pass, and none costs more than a moment')
def records(world):
    path = f'{world.folder}/zone'
    with open(path) as file:
        before = file.read()
    for record in RECORDS:
        with open(path, 'w') as file:
            file.write(before + f'evil2.test TXT {record}\ne.evil2.test TXT "v=spf1 include:evil2.test -all"\n')
        found = line(world.explain(mail('x@evil2.test'), sender='x@evil2.test'), 'spf ')
        check(found.split()[1] in ('fail', 'neutral', 'none', 'permerror', 'softfail'), True, f'{record[:60]}: {found}')
    with open(path, 'w') as file:
        file.write(before)


V6 = [('2001:db8::1', 'pass'), ('2001:DB8:0:0:0:0:0:1', 'pass'), ('2001:db8::2', 'fail'), ('::ffff:192.0.2.1', 'pass'),
      ('::ffff:c000:201', 'pass'), ('::ffff:192.0.2.2', 'fail'), ('::192.0.2.1', 'fail'), ('64:ff9b::192.0.2.1',
      'fail')]


@case('IPv6 clients in every form, and IPv4 within')
def forms_of_addresses(world):
    with open(f'{world.folder}/zone', 'a') as zone:
        zone.write('six.test TXT "v=spf1 ip4:192.0.2.1 ip6:2001:db8:0::1 -all"\n')
    for client, wanted in V6:
        found = line(world.explain(mail('x@six.test'), sender='x@six.test', client=client), 'spf ')
        check(found.split()[1], wanted, f'{client}: {found}')


FORGED = [
    'Authentication-Results: mx.tocsin.test; dmarc=pass', 'authentication-results: MX.Tocsin.Test; dmarc=pass',
    'Authentication-Results : mx.tocsin.test; dmarc=pass', 'Authentication-Results\t:mx.tocsin.test; dmarc=pass',
    'Authentication-Results: (x) mx.tocsin.test (y); dmarc=pass',
    'Authentication-Results: ((x)) mx.tocsin.test 1; dmarc=pass',
    'Authentication-Results: (\\)) mx.tocsin.test; dmarc=pass', 'Authentication-Results: "mx.tocsin.test"; dmarc=pass',
    'Authentication-Results: "mx.toc\\sin.test"; dmarc=pass', 'Authentication-Results: mx.tocsin.test.; dmarc=pass',
    'Authentication-Results:\r\n mx.tocsin.test\r\n ; dmarc=pass',
    'Authentication-Results: mx.tocsin.test/1; dmarc=pass',
    'Authentication-Results: mx.tocsin.test', 'Authentication-Results: mx.tocsin.test dmarc=pass',
    'Authentication-Results: mx.tocsin.test,; dmarc=pass', 'Authentication-Results: mx .tocsin.test; dmarc=pass',
    'Authentication-Results: mx.(x)tocsin.test; dmarc=pass',
    'Authentication-Results: (mx.evil.test mx.tocsin.test; dmarc=pass',
    'Authentication-Results: =?utf-8?q?mx.tocsin.test?=; dmarc=pass',
    'Authentication-Results: mx.tocsin.test\0; dmarc=pass',
    'Authentication-Results: mx.tocsin.test\x0b; dmarc=pass',
    'Authentication-Results: \ufeffmx.tocsin.test; dmarc=pass',
    'Authentication-Results: ;mx.tocsin.test; dmarc=pass', 'Authentication-Results: mx.to\u00adcsin.test; dmarc=pass',
    'Authentication-Results: mx.tocsin\uff0etest; dmarc=pass', 'Authentication-Results: mx.tocsin.test\r; dmarc=pass',
    'Authentication-Results: (mx.tocsin.test) a.test; dmarc=pass',
]


@case('forged results go in every form that a reader may take for ours, those of others stay')
def forged(world):
    for field in FORGED:
        message = field.encode() + b'\r\n' + authored('From: a@ip4.test')
        check_in('edit        delete 1 authentication-results', world.explain(message).lower(), repr(field))
    for field in ('Authentication-Results: mx.evil.test; dmarc=pass',
                  'Authentication-Results: mx.tocsin.test.evil.test; x=y',
                  'Authentication-Results: xmx.tocsin.test; dmarc=pass', 'Authentication-Results: (x) a.test; x=y'):
        shown = world.explain(field.encode() + b'\r\n' + authored('From: a@ip4.test'))
        check('edit        delete' in shown, False, field)


@case('the same words are nothing in stored mail of others')
def stored(world):
    world.write('stored.eml', b'Authentication-Results: mx.evil.test; dmarc=pass header.from=ip4.test\r\n' + mail())
    done = subprocess.run([daemon.program('tocsin'), 'scan', '-c', 'tocsin.conf', '--all', 'stored.eml'],
                          cwd=world.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    check_in('dmarc=none', line(done.stdout, 'results '))


if __name__ == '__main__':
    run(World)
