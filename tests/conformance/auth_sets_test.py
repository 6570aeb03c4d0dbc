#!/usr/bin/env python3
"""Plays the DKIM, ARC and DMARC sets to the authentication modules themselves.

No milter and no network: auth_driver reads the messages as an MTA would hand
them over, with the set's zone as its only DNS, once for each DKIM engine. The
sets are not part of this tree: CONFORMANCE_DIR names their folder,
../shared/conformance beside the source tree without it.
"""
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'support'))
from tap import diag, skip_all

SRC = os.environ.get('srcdir', os.path.join(HERE, '..', '..'))
BUILD = os.environ.get('builddir', os.path.join(SRC, 'build'))
SETS = os.environ.get('CONFORMANCE_DIR', os.path.join(SRC, '..', 'shared', 'conformance'))
DRIVER = os.path.join(BUILD, 'tests', 'conformance', 'auth_driver')
NAMES = ['dkim-dkimpy', 'dkim-go-msgauth', 'dkim-mail-auth', 'dkim-mail-dkim', 'dkim-opendkim', 'dkim-rspamd',
         'arc-mail-auth', 'arc-valimail-validate', 'dmarc-rspamd']
ENGINES = ['libopendkim', 'native']


def quoted(text):
    """A character-string of a zone text."""
    octets = text.encode('latin-1', 'replace')
    return '"' + ''.join(chr(o) if 32 <= o < 127 and o not in (34, 92) else f'\\{o:03d}' for o in octets) + '"'


def zone_name(name):
    octets = name.encode('latin-1', 'replace')
    return ''.join(chr(o) if 32 < o < 127 and chr(o) not in '"\\;()#' else f'\\{o:03d}' for o in octets) or '.'


def record_line(owner, kind, value):
    if value in ('TIMEOUT', 'SERVFAIL'):
        return f'{owner} {value} {kind}'
    if kind in ('TXT', 'SPF'):
        strings = value if isinstance(value, list) else [value]
        return f'{owner} {kind} ' + ' '.join(quoted(str(s)) for s in strings)
    if kind == 'MX':
        return f'{owner} MX {value[0]} {zone_name(str(value[1]))}'
    if kind in ('CNAME', 'PTR', 'NS'):
        return f'{owner} {kind} {zone_name(str(value))}'
    return f'{owner} {kind} {value}'


def zone_text(zone):
    lines = []
    for name, records in (zone or {}).items():
        owner = zone_name(str(name))
        if not records:
            lines.append(f'{owner} NODATA')
        for record in records or []:
            if isinstance(record, str):
                lines.append(f'{owner} {record}')
                continue
            lines += [record_line(owner, kind, value) for kind, value in record.items()
                      if kind in ('A', 'AAAA', 'MX', 'TXT', 'SPF', 'CNAME', 'PTR', 'NS')]
    return '\n'.join(lines) + '\n'


def sender_passes(case, zone):
    """SPF for the DMARC set: an ip4 that names the client, and all."""
    domain = case['mail_from'].strip('<>').rpartition('@')[2] or case['helo']
    for record in zone.get(domain) or []:
        text = str(record.get('TXT', ''))
        if text.startswith('v=spf1') and ('+all' in text or f'ip4:{case["ip"]}' in text):
            return domain, True
    return domain, False


def case_input(case, folder, zones, engine, mode, view):
    raw = b''
    if case.get('msg'):
        with open(os.path.join(folder, case['msg']), 'rb') as file:
            raw = file.read()
    headers, body = view(raw)
    zone = zones.get(case.get('zone')) or {}
    text = zone_text(zone).encode('latin-1')
    domain, passes = sender_passes(case, zone)
    out = [b'case %s\n' % case['id'].encode(), b'engine %s\n' % engine.encode(),
           b'mode %s\n' % mode.encode(), b'now %d\n' % time.time(),
           b'spf %s %s\n' % (b'pass' if passes else b'fail', domain.encode('latin-1') or b'-'),
           b'zone %d\n%s' % (len(text), text)]
    for name, value in headers:
        out.append(b'header %d %d\n%s%s' % (len(name), len(value), name, value))
    out.append(b'body %d\n%s' % (len(body), body))
    out.append(b'run\n')
    return b''.join(out)


def answers(text):
    found, name, now = {}, None, None
    for line in text.splitlines():
        if line == '.':
            found[name], name = now, None
        elif name is None:
            name, now = line, {'dkim': [], 'arc': [], 'dmarc': []}
        else:
            words = line.split(' ', 2)
            now[words[0]].append(words[1:])
    return found


def is_right(expect, answer):
    for method in ('dkim', 'arc', 'dmarc'):
        if method not in expect:
            continue
        results = [words[0] for words in answer[method]]
        if 'pass' in expect[method] or method != 'dkim':
            good = any(result in expect[method] for result in results)
        else:
            good = 'pass' not in results and any(result in expect[method] for result in results)
        if not good:
            return f'{method} is {answer[method]}, expected {expect[method]}'
    policy = expect.get('dmarc_policy')
    if policy and answer['dmarc'][0][0] == 'fail' and answer['dmarc'][0][1].split(' ')[0] != policy:
        return f'dmarc policy is {answer["dmarc"]}, expected {policy}'
    return None


# What we hold otherwise than a set; held-wrong.txt says at length why.
OTHERWISE = {
    # A second signature, rsa-sha256, is good: RFC 8301 speaks of rsa-sha1 only.
    ('dkim-opendkim', 't-test67-1', 'rfc9989'): {'dkim': ['pass']},
    ('dkim-opendkim', 't-test74-1', 'rfc9989'): {'dkim': ['pass']},
    # RFC 9989 has no pct= and ignores unknown tags (4.7).
    ('dmarc-rspamd', 'dmarc-pct-zero-reject', 'rfc9989'): {'dmarc': ['fail'], 'dmarc_policy': 'reject'},
    ('dmarc-rspamd', 'dmarc-pct-zero-sp-quarantine', 'rfc9989'): {'dmarc': ['fail'], 'dmarc_policy': 'quarantine'},
    # my.mom.za.org has a record, mom.za.org has none: two organisational domains by the walk (RFC 9989, 4.10.2), one by
    # the public suffix list.
    ('dmarc-rspamd', 'dmarc-subdomain-pass-dkim-relaxed-alignment', 'rfc9989'): {'dmarc': ['fail']},
    ('dmarc-rspamd', 'dmarc-subdomain-pass-spf-relaxed-alignment', 'rfc9989'): {'dmarc': ['fail']},
}
OTHERWISE.update({(s, c, 'rfc7489'): e for (s, c, _), e in list(OTHERWISE.items())
                  if 'pct' in c or s == 'dkim-opendkim'})


def play(name, engine, mode, view, yaml):
    folder = os.path.join(SETS, 'sets', name)
    with open(os.path.join(folder, 'cases.yaml')) as file:
        cases = yaml.load(file, Loader=yaml.CSafeLoader)
    with open(os.path.join(folder, 'zones.yaml')) as file:
        zones = yaml.load(file, Loader=yaml.CSafeLoader)
    done = subprocess.run([DRIVER], input=b''.join(case_input(c, folder, zones, engine, mode, view) for c in cases),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    found = answers(done.stdout.decode('latin-1'))
    if done.returncode != 0:
        diag(f'{name}: the driver ended with {done.returncode}: {done.stderr.decode("latin-1")}')
    wrong = []
    for case in cases:
        expect = OTHERWISE.get((name, case['id'], mode), case['expect'])
        problem = is_right(expect, found[case['id']]) if case['id'] in found else 'no answer'
        if problem:
            level = case.get('level', 'must')
            diag(f'{name} {case["id"]} ({level}): {problem}')
            if level == 'must':
                wrong.append(case['id'])
    return len(cases), wrong


def main():
    if not os.path.exists(os.path.join(SETS, 'run_conformance.py')):
        skip_all('the conformance sets are not here; CONFORMANCE_DIR names their folder')
    try:
        import yaml
    except ImportError:
        skip_all('python3-yaml is not installed')
    sys.dont_write_bytecode = True
    sys.path.insert(0, SETS)
    from run_conformance import mta_view
    jobs = [(name, engine, 'rfc9989') for name in NAMES for engine in ENGINES]
    jobs.append(('dmarc-rspamd', 'libopendkim', 'rfc7489'))
    print(f'1..{len(jobs)}')
    failed = 0
    for number, (name, engine, mode) in enumerate(jobs, 1):
        count, wrong = play(name, engine, mode, mta_view, yaml)
        failed += bool(wrong)
        print(f'{"not " if wrong else ""}ok {number} - {name} with {engine}, {mode}: {count - len(wrong)} of {count}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
