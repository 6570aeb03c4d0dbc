#!/usr/bin/env python3
"""`tocsin scan --explain`: who asked what, what came back, and which rule of
which RFC decided. One message a line of the table, every method, good and bad;
the sections are those of RFC 6376, 7208, 8301, 8463, 8617 and 9989."""
import subprocess

import filter as daemon
from scan_bench import CONF, Place, line, mail
from tap import case, check, check_in, run

SPF = [
    # domain, what --explain says
    ('ip4.test', 'pass for mailfrom ip4.test (RFC 7208, 5.6) by "ip4:192.0.2.1" of ip4.test'),
    ('all.test', 'fail for mailfrom all.test (RFC 7208, 5.1) by "-all" of all.test'),
    ('a.test', 'pass for mailfrom a.test (RFC 7208, 5.3) by "a:host.a.test"'),
    ('mx.test', 'pass for mailfrom mx.test (RFC 7208, 5.4) by "mx"'),
    ('ptr.test', 'pass for mailfrom ptr.test (RFC 7208, 5.5) by "ptr:ptr.test"'),
    ('exists.test', 'pass for mailfrom exists.test (RFC 7208, 5.7) by "exists:%{i}.ok.exists.test"'),
    ('include.test', 'pass for mailfrom include.test (RFC 7208, 5.2) by "include:ip4.test"'),
    ('missing.test', 'permerror for mailfrom missing.test (RFC 7208, 5.2) by "include:nothing.test"'),
    ('redirect.test', 'pass for mailfrom redirect.test (RFC 7208, 5.6)'),
    ('lost.test', 'permerror for mailfrom lost.test (RFC 7208, 6.1)'),
    ('none.test', 'neutral for mailfrom none.test (RFC 7208, 4.7)'),
    ('nothing.test', 'none for mailfrom nothing.test (RFC 7208, 4.5): no SPF record at'),
    ('two.test', 'permerror for mailfrom two.test (RFC 7208, 4.5): several SPF records at'),
    ('bad.test', 'permerror for mailfrom bad.test (RFC 7208, 4.6): syntax error'),
    ('loop.test', 'permerror for mailfrom loop.test (RFC 7208, 4.6.4)'),
    ('void.test', 'permerror for mailfrom void.test (RFC 7208, 4.6.4)'),
    ('dead.test', 'temperror for mailfrom dead.test (RFC 7208, 2.6.6): DNS gave no answer in time'),
    ('slow.test', 'temperror for mailfrom slow.test (RFC 7208, 2.6.6) by "a:dead.test" of slow.test: DNS gave no'),
    ('[192.0.2.1]', 'none for mailfrom [192.0.2.1] (RFC 7208, 4.3): no domain name'),
    ('bücher.test', 'pass for mailfrom xn--bcher-kva.test (RFC 7208, 5.6)'),
]


@case('each outcome of SPF names the mechanism and its section')
def spf(place):
    for domain, wanted in SPF:
        text = place.explain(mail(), sender=f'a@{domain}')
        check_in(wanted, line(text, 'spf '), f'SPF of {domain}')


@case('a null sender is judged by its HELO name, and DMARC counts that')
def null_sender(place):
    text = place.explain(mail('postmaster@helo.test'), sender='')
    check_in('pass for helo helo.test', line(text, 'spf '))
    check_in('asked       spf   TXT   helo.test: found "v=spf1', text)


@case('what was asked stands with who asked it and what came back')
def asked(place):
    message = place.keys['rsa'].sign(mail())
    text = place.explain(message, sender='a@slow.test')
    for wanted in ('asked       spf   TXT   slow.test: found "v=spf1 a:dead.test -all"',
                   'asked       spf   A     dead.test: temperror (timed out)',
                   'asked       dkim  TXT   rsa._domainkey.ip4.test: found "v=DKIM1;',
                   'asked       dmarc TXT   _dmarc.ip4.test: found "v=DMARC1; p=reject'):
        check_in(wanted, text)


@case('each outcome of DKIM names its reason and section')
def dkim(place):
    keys = place.keys
    changed = lambda message: message.replace(b'\r\n\r\nx', b'\r\n\r\ny')
    altered = lambda message: message.replace(b'Subject: s', b'Subject: t')
    retag = lambda message, old, new: message.replace(old, new, 1)
    good = keys['rsa'].sign(mail())
    table = [
        (mail(), 'none, no signature (RFC 6376, 6.1)'),
        (good, 'pass d=ip4.test s=rsa a=rsa-sha256 bits=2048 (RFC 6376, 6.1.3; RFC 8301, 3)'),
        (keys['ed'].sign(mail()), 'pass d=ip4.test s=ed a=ed25519-sha256 bits=256 (RFC 6376, 6.1.3; RFC 8463, 3)'),
        (changed(good), 'fail d=ip4.test s=rsa a=rsa-sha256 bits=2048: body hash differs (RFC 6376, 6.1.3)'),
        (altered(good), 'signature differs (RFC 6376, 6.1.3)'),
        (keys['small'].sign(mail()), 'bits=768: key is too small (RFC 8301, 3.2)'),
        (keys['test'].sign(mail()), 'pass d=ip4.test s=test a=rsa-sha256 bits=2048 testing'),
        (changed(keys['test'].sign(mail())), 'fail d=ip4.test s=test a=rsa-sha256 bits=2048 testing: body hash'),
        (keys['late'].sign(mail()), 'v= is not the first tag of the key (RFC 6376, 3.6.1)'),
        (keys['gone'].sign(mail()), 'no key at the selector (RFC 6376, 6.1.2)'),
        (keys['revoked'].sign(mail()), 'key was revoked (RFC 6376, 3.6.1)'),
        (keys['dead'].sign(mail()), 'temperror d=ip4.test s=dead a=rsa-sha256: no answer about the key'),
        (keys['rsa'].sign(mail(), expires=1000000), 'x= is before t= (RFC 6376, 3.5)'),
        (keys['rsa'].sign(mail(), identity='a@else.test'), 'i= is not within d= (RFC 6376, 6.1.1)'),
        (keys['rsa'].sign(mail(), signed=['subject']), 'From is not signed (RFC 6376, 6.1.1)'),
        (keys['rsa'].sign(mail(body='one\r\ntwo\r\n'), length=5), 'text after l= (RFC 6376, 8.2)'),
        (retag(good, b'a=rsa-sha256', b'a=rsa-sha1'), 'rsa-sha1 does not count (RFC 8301, 3.1)'),
        (retag(good, b'v=1', b'v=2'), 'unknown version (RFC 6376, 6.1.1)'),
        (retag(good, b's=rsa;', b's=rsa; s=rsa;'), 'tag stands twice (RFC 6376, 3.2)'),
        (retag(good, b'd=ip4.test;', b''), 'no domain, d= (RFC 6376, 6.1.1)'),
    ]
    for message, wanted in table:
        check_in(wanted, line(place.explain(message), 'dkim '))
    rules = b'rule testing { when any signature (.testing and .result == fail) and dkim == none then tag }\n'
    place.write('testing.conf', CONF.encode() + rules)
    for message, matches in ((changed(keys['test'].sign(mail())), True), (changed(good), False), (good, False)):
        text = place.explain(message, '-c', 'testing.conf', '--rule', 'testing')
        check('+ testing: matches' in text, matches, text)


DMARC = [
    # From, MAIL FROM, what is said
    ('a@ip4.test', 'a@ip4.test', 'pass for ip4.test, record at _dmarc.ip4.test asks reject', 'aligned:spf'),
    ('a@ip4.test', 'a@a.test', 'fail for ip4.test',
     'aligned:none: nothing passed and aligned (RFC 9989, 4.10.2 and 5.3.5)'),
    ('a@ip4.test', 'a@ip4.test', 'pass', 'aligned (RFC 9989, 4.10.2 and 5.3.5)'),
    ('a@news.ip4.test', 'a@a.test', 'record at _dmarc.ip4.test asks quarantine', 'organisational domain ip4.test'),
    ('a@nowhere.ip4.test', 'a@a.test', 'record at _dmarc.ip4.test asks reject', 'fail'),
    ('a@sub.strict.test', 'a@a.test', 'fail for sub.strict.test', '_dmarc.strict.test'),
    ('a@testing.test', 'a@a.test', 'asks quarantine', 'fail'),
    ('a@several.test', 'a@a.test', 'none for several.test', 'no DMARC record applies (RFC 9989, 4.10.1 and 5.3.2)'),
    ('a@nothing.test', 'a@a.test', 'none for nothing.test', 'no DMARC record applies (RFC 9989, 4.10.1 and 5.3.2)'),
    ('a@dead.test', 'a@a.test', 'temperror for dead.test',
     'no answer about the DMARC record (RFC 9989, 4.10.1 and 5.3.6)'),
    # What might have passed makes it temporary; what could not have been aligned does not.
    ('a@ip4.test', 'a@dead.test', 'temperror for ip4.test',
     'an identifier could not be judged for now (RFC 9989, 5.3.6)'),
    ('a@ip4.test', 'a@slow.test', 'fail for ip4.test', 'aligned:none'),
    ('a@ip4.test, b@all.test', 'a@ip4.test', 'fail', 'not exactly one author domain (RFC 9989, 5.3.1 and 11.5)'),
    ('undisclosed:;', 'a@ip4.test', 'permerror', '(RFC 9989, 5.3.1'),
    ('a@bücher.test', 'a@bücher.test', 'pass for xn--bcher-kva.test', 'aligned:spf'),
]


@case('each outcome of DMARC names record, domain, alignment and section')
def dmarc(place):
    for author, sender, *wanted in DMARC:
        found = line(place.explain(mail(author), sender=sender), 'dmarc ').replace('aligned: ', 'aligned:')
        for piece in wanted:
            check_in(piece, found, f'DMARC of {author} by {sender}')


@case('a relaxed alignment by DKIM walks the tree of both names')
def walk(place):
    text = place.explain(place.keys['rsa'].sign(mail('a@news.ip4.test')), sender='a@a.test')
    check_in('pass for news.ip4.test', line(text, 'dmarc '))
    for name in ('_dmarc.news.ip4.test', '_dmarc.ip4.test', '_dmarc.test'):
        check_in(f'asked       dmarc TXT   {name}:', text)


@case('ARC says that there is no chain, or what is wrong with it')
def arc(place):
    check_in('none, no chain (RFC 8617, 5.2, step 1)', line(place.explain(mail()), 'arc '))
    lonely = mail(extra='ARC-Seal: i=1; a=rsa-sha256; cv=none; d=ip4.test; s=rsa; b=AAAA\r\n')
    check_in('fail, 1 sets', line(place.explain(lonely), 'arc '))
    check_in('an instance is not complete (RFC 8617, 5.2, step 3)', line(place.explain(lonely), 'arc '))


@case('a chain whose newest seal is of a trusted sealer lifts what a rule says it lifts, no other does')
def trusted_sealers(place):
    lists, evil = place.keys['list'], place.keys['evil']
    results = 'spf=pass smtp.mailfrom=a@ip4.test; dmarc=pass header.from=ip4.test'
    plain = mail('a@ip4.test')
    sealed = lists.seal(plain, results, 'mx.list.test')
    table = [
        # what arrives from a list's host; what --explain says of ARC; whether it is held
        (plain, 'none, no chain', True),
        (sealed, 'pass, 1 sets, sealed by list.test (RFC 8617, 5.2, step 7)', False),
        (evil.seal(plain, results, 'mx.list.test'), 'pass, 1 sets, sealed by evil.test', True),
        (evil.seal(sealed, results, 'mx.evil.test'), 'pass, 2 sets, sealed by evil.test', True),
        (lists.seal(evil.seal(plain, results, 'mx.evil.test'), results, 'mx.list.test'),
         'pass, 2 sets, sealed by list.test', False),
        (sealed.replace(b'\r\n\r\nx', b'\r\n\r\ny'), 'body hash of the newest instance differs (RFC 8617, 5.2, step 4)',
         True),
        (sealed.replace(b'spf=pass', b'spf=fail'), 'a seal does not verify (RFC 8617, 5.2, step 6)', True),
        (sealed.replace(b'cv=none', b'cv=pass'), 'cv= does not say that it was whole (RFC 8617, 5.2, step 3)', True),
        (sealed.replace(b'i=1;', b'i=2;'), 'an instance is not complete (RFC 8617, 5.2, step 3)', True),
        (sealed.replace(b'ARC-Seal: i=1;', b'ARC-Seal: i=1; h=from;'), 'seal with h= (RFC 8617, 4.1.3)', True),
        (b'ARC-Seal: i=51; cv=pass\r\n' + sealed, '', True),
    ]
    for message, wanted, held in table:
        text = place.explain(message, sender='bounce@all.test', client='203.0.113.77')
        check_in(wanted, line(text, 'arc '))
        check('rule        spoofed' in text, held, f'held: {line(text, "arc ")}')


@case('received-spf adds a field in which all that a client said is quoted')
def received_spf(place):
    place.write('tocsin.conf', (CONF + 'received-spf on\n').encode())
    try:
        text = place.explain(mail(), helo='a b"c\\d.test', sender='a@ip4.test')
    finally:
        place.write('tocsin.conf', CONF.encode())
    found = line(text, 'edit        insert 0 Received-SPF')
    for piece in ('pass', 'client-ip="192.0.2.1"', 'envelope-from="a@ip4.test"', 'identity="mailfrom"',
                  'mechanism="ip4:192.0.2.1"', 'helo="a b\\x5C"c'):
        check_in(piece, found)
    check('Received-SPF' in place.explain(mail()), False, 'off by default')


@case('without DNS the results of our own and of trusted authserv-ids are taken, no others')
def trusted_ids(place):
    for authserv, wanted in (('mx.tocsin.test', 'dmarc=fail'), ('gw.tocsin.test', 'dmarc=fail'),
                             ('evil.test', 'dmarc=none')):
        place.write('stored.eml', f'Authentication-Results: {authserv}; spf=fail smtp.mailfrom=a@ip4.test;\r\n'
                    '\tdmarc=fail header.from=ip4.test\r\n'.encode() + mail())
        done = subprocess.run([daemon.program('tocsin'), 'scan', '-c', 'tocsin.conf', '--all', 'stored.eml'],
                              cwd=place.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        check_in(wanted, line(done.stdout, 'results '), authserv)


@case('where nothing is judged the reason is said')
def not_judged(place):
    text = place.explain(mail(), client='10.1.2.3')
    check_in('not judged: the mail is from ours', line(text, 'spf '))
    check_in('not judged: the mail is from ours', line(text, 'dmarc '))


if __name__ == '__main__':
    run(Place)
