#!/usr/bin/env python3
"""Public SPF suites through both engines of ours.

Reads the sets spf-* of TOCSIN_CONFORMANCE (default: ../shared/conformance
beside the source tree) and runs every case through tests/unit/spf_cases.
The native engine must pass all `must` cases; where libspf2 differs is listed.
Skips when the sets or python3-yaml are not there.
"""
import os
import subprocess
import sys
import urllib.parse

TOP = os.environ.get('srcdir', os.path.join(os.path.dirname(__file__), '..', '..'))
BUILD = os.environ.get('builddir', TOP)
SETS = os.path.join(os.environ.get('TOCSIN_CONFORMANCE',
                                   os.path.join(TOP, '..', 'shared', 'conformance')), 'sets')


def skip(why):
    print('1..0 # SKIP ' + why)
    sys.exit(0)


try:
    import yaml
except ImportError:
    skip('python3-yaml is not installed')
if not os.path.isdir(os.path.join(SETS, 'spf-rfc7208')):
    skip('the public SPF suites are not here')


def octets(text):
    return str(text).encode('latin-1', 'replace')


def escape(text, quoted=False):
    """Octets for a zone text."""
    out = ''
    for octet in octets(text):
        char = chr(octet)
        if (char.isalnum() and octet < 128) or (quoted and 32 <= octet < 127 and char not in '"\\'):
            out += char
        elif char in '-_.*' and not quoted:
            out += char
        else:
            out += '\\%03d' % octet
    return out


def data(kind, value):
    if kind in ('TXT', 'SPF'):
        parts = [str(part)[:255] for part in (value if isinstance(value, list) else [value])]
        return ' '.join('"%s"' % escape(part, True) for part in parts or [''])
    if kind == 'MX':
        return '%d %s' % (value[0], escape(value[1]).rstrip('.') or '.')
    if kind in ('CNAME', 'PTR', 'NS'):
        return escape(value).rstrip('.') or '.'
    return str(value)


def sound(name):
    labels = octets(name).rstrip(b'.').split(b'.')
    return all(0 < len(label) < 64 for label in labels)


def zone_text(zone):
    lines = []
    for name, records in zone.items():
        if not sound(name):
            continue
        name = escape(str(name).rstrip('.'))
        if not records:
            lines.append('%s NODATA' % name)
        for record in records or []:
            if isinstance(record, str):
                lines.append('%s %s' % (name, record))
                continue
            for kind, value in record.items():
                if value in ('TIMEOUT', 'SERVFAIL'):
                    lines.append('%s %s %s' % (name, value, kind))
                elif kind in ('CNAME', 'PTR', 'NS') and not sound(value):
                    lines.append('%s NODATA' % name)
                else:
                    lines.append('%s %s %s' % (name, kind, data(kind, value)))
    return 'zone\n' + '\n'.join(lines) + '\nend\n'


def field(text):
    return urllib.parse.quote(octets(text), safe="@<>=+:,/!~*'()&;$[]^{}|`\\\"#?") or '-'


def load():
    for name in sorted(os.listdir(SETS)):
        if not name.startswith('spf-'):
            continue
        with open(os.path.join(SETS, name, 'cases.yaml'), encoding='utf-8') as file:
            cases = yaml.safe_load(file)
        with open(os.path.join(SETS, name, 'zones.yaml'), encoding='utf-8') as file:
            zones = yaml.safe_load(file)
        cases = [case for case in cases if case.get('expect', {}).get('spf')]
        yield name, cases, zones


def run(engine, cases, zones):
    text, current = '', None
    for case in cases:
        if case['zone'] != current:
            current = case['zone']
            text += zone_text(zones[current])
        sender = case.get('mail_from', '<>')
        text += '\t'.join(['case', case['id'].replace(' ', '_'), case['ip'],
                           field(case.get('helo', '')),
                           field(sender[1:-1] if sender.startswith('<') else sender)]) + '\n'
    done = subprocess.run([os.path.join(BUILD, 'tests/unit/spf_cases'), '-e', engine, '-d', '3000'],
                          input=text.encode('latin-1'), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=100)
    out = {}
    for line in done.stdout.decode('latin-1').splitlines():
        fields = [urllib.parse.unquote(part) for part in line.split('\t')]
        out[fields[0]] = fields[1:]
    return out, done.returncode, done.stderr.decode('latin-1')


def judge(case, answer):
    """What is wrong with an answer, or None."""
    expect = case['expect']
    if answer is None:
        return 'no answer'
    if answer[0] not in expect['spf']:
        return 'is %s, expected %s (%s)' % (answer[0], '|'.join(expect['spf']), answer[6])
    if 'spf_scope' in expect and answer[1] != expect['spf_scope']:
        return 'judged %s, expected %s' % (answer[1], expect['spf_scope'])
    return None


def explained(case, answer):
    want = case['expect'].get('spf_explanation')
    if want is None or answer is None or answer[0] != 'fail':
        return None
    # the suites' DEFAULT stands for "no explanation of the domain's own"
    if want == 'DEFAULT':
        want = ''
    return None if answer[2] == want else 'explains %r, expected %r' % (answer[2], want)


def main():
    suites = list(load())
    print('1..%d' % (2 * len(suites)))
    number = failures = 0
    for name, cases, zones in suites:
        for engine in ('native', 'libspf2'):
            number += 1
            out, code, errors = run(engine, cases, zones)
            wrong = []
            for case in cases:
                answer = out.get(case['id'].replace(' ', '_'))
                why = judge(case, answer)
                if why is None and engine == 'native':
                    why = explained(case, answer)
                if why is not None and case.get('level', 'must') == 'must':
                    wrong.append('%s: %s' % (case['id'], why))
            must = sum(case.get('level', 'must') == 'must' for case in cases)
            good = code == 0 and (engine == 'libspf2' or not wrong)
            failures += not good
            for line in wrong + ([errors.strip()] if code else []):
                print('# ' + line.encode('ascii', 'backslashreplace').decode())
            print('%s %d - %s, %s engine: %d of %d' % ('ok' if good else 'not ok', number, name,
                                                      engine, must - len(wrong), must))
    return failures > 0


if __name__ == '__main__':
    sys.exit(main())
