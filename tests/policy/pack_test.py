#!/usr/bin/env python3
"""The rules that ship, as they are installed: checked, tested, laid out, and run
over real mail where there is some (TOCSIN_MAIL, or ../shared/data/mail).
"""
import collections
import contextlib
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from tap import Skip, case, check, check_in, check_not_in, diag, run

SRC = os.environ.get('srcdir', os.path.abspath(os.path.join(os.path.dirname(__file__), '..', '..')))
TOCSIN = os.path.join(os.environ.get('builddir', '.'), 'tocsin')
RULES = sorted(glob.glob(os.path.join(SRC, 'policy', 'rules', '*.policy')))

# How the same mail is looked at: as it comes in, as if it left, as if it stayed.
WAYS = {
    'in': ('--rcpt', 'chef@interieur.example'),
    'out': ('--auth-user', 'someone', '--rcpt', 'citizen@gmail.com'),
    'inside': ('--auth-user', 'someone', '--rcpt', 'chef@interieur.example'),
}
# Rules that match all mail of the corpus when it is played as ours, because its
# From is never ours.
NOT_OURS = {'forward-to-freemail'}


class Installed:
    """The example configuration as `make install` lays it out."""

    def __init__(self, folder):
        self.folder = folder
        examples = os.path.join(SRC, 'packaging', 'examples')
        shutil.copytree(os.path.join(examples, 'lists'), os.path.join(folder, 'lists'))
        os.mkdir(os.path.join(folder, 'policy.d'))
        os.mkdir(os.path.join(folder, 'state'))
        for rule in RULES:
            shutil.copy(rule, os.path.join(folder, 'policy.d'))
        with open(os.path.join(examples, 'tocsin.conf'), encoding='utf-8') as file:
            # The package makes the accounts; here they need not be there.
            self.text = re.sub(r'(?m)^(user|socket-group)\b', r'# \1', file.read())
        self.write('tocsin.conf', self.text)

    def write(self, name, text):
        with open(os.path.join(self.folder, name), 'w', encoding='utf-8') as file:
            file.write(text)

    def run(self, command, *arguments, configuration='tocsin.conf'):
        return subprocess.run([TOCSIN, command, '-c', os.path.join(self.folder, configuration), *arguments],
                              capture_output=True, text=True, timeout=300)


@contextlib.contextmanager
def installed():
    with tempfile.TemporaryDirectory(prefix='tocsin-pack-') as folder:
        yield Installed(folder)


@case('a fresh installation has no error and no warning, and says first what it does not do yet')
def fresh(place):
    done = place.run('check', '--strict')
    check(done.stdout.splitlines()[0][:33], 'enforcement shadow: no rule acts;', 'the first line')
    check_in('own-domains is empty: all mail counts as inbound', done.stdout)
    check_in('lists/own-domains.txt', done.stdout)
    check(done.returncode, 0, done.stdout + done.stderr)
    check(done.stderr, '', 'messages')
    check_in('good:', done.stdout)


@case('enforced, only rules in shadow without a date are warned of')
def enforced(place):
    place.write('enforced.conf', re.sub(r'(?m)^enforcement .*$', 'enforcement on', place.text))
    done = place.run('check', '--strict', configuration='enforced.conf')
    check(done.returncode, 0, done.stderr)
    warnings = re.findall(r': warning: (.*)', done.stderr)
    check([w for w in warnings if not w.startswith('shadow without a date')], [], 'warnings')
    rules = ''.join(open(rule, encoding='utf-8').read() for rule in RULES)
    check(len(warnings), 1, 'one warning for all of them')
    named = re.search('without a date: (.*?);', warnings[0])[1].split(', ')
    check(sorted(named), sorted(re.findall(r'(?m)^rule (\S+) .* shadow \{', rules)), 'rules in shadow')


@case('each test passes and makes each rule match')
def tests(place):
    done = place.run('test', '--coverage')
    check(done.returncode, 0, done.stdout + done.stderr)
    matched, rules = re.search(r'(\d+) of (\d+) rules are made to match', done.stdout).groups()
    check(matched, rules, done.stdout)


@case('each rule has a sentence, an owner, a severity and a test that it does not match')
def complete(place):
    text = '\n'.join(open(rule, encoding='utf-8').read() for rule in RULES)
    spared = set()
    for names in re.findall(r'expect not ([^\n]+)', text):
        spared.update(name.strip() for name in names.split(','))
    for name, head, body in re.findall(r'(?ms)^rule (\S+)([^{]*)\{(.*?)^\}', text):
        check('"' in head, True, f'{name} has a sentence')
        for clause in ('owner', 'severity'):
            check_in(f'    {clause} ', body, name)
        check_in(name, spared, 'tests for no match')


@case('the files are laid out as tocsin fmt does it')
def layout(place):
    done = subprocess.run([TOCSIN, 'fmt', '--check', *RULES], capture_output=True, text=True, timeout=60)
    check(done.stdout + done.stderr, '')
    check(done.returncode, 0)


@case('what is installed is all of it')
def listed(place):
    with open(os.path.join(SRC, 'policy', 'rules', 'local.mk'), encoding='utf-8') as file:
        check(re.findall(r'policy/rules/(\S+\.policy)', file.read()), [os.path.basename(r) for r in RULES])
    with open(os.path.join(SRC, 'packaging', 'local.mk'), encoding='utf-8') as file:
        makefile = file.read()
    for name in os.listdir(os.path.join(place.folder, 'lists')):
        check_in(f'packaging/examples/lists/{name}', makefile)


def mail():
    folder = os.environ.get('TOCSIN_MAIL') or os.path.join(SRC, '..', 'shared', 'data', 'mail')
    if not os.path.isdir(os.path.join(folder, 'ham')):
        folder = os.path.join(SRC, '..', '..', 'shared', 'data', 'mail')
    if not os.path.isdir(os.path.join(folder, 'ham')):
        raise Skip('there is no corpus of mail')
    return folder


@case('real mail: no ham is held, no rule tags more than 1 % of it')
def corpus(place):
    folder = mail()
    text = re.sub(r'(?m)^(enforcement|user|list our-domains) .*$', '', place.text)
    text = re.sub(r'(?m)^state-directory .*$', f'state-directory "{place.folder}/state"', text)
    place.write('corpus.conf', text + '\nlist our-domains domains { "interieur.example" }\n')
    place.write('empty.zone', '')
    folders = sorted(kind for kind in os.listdir(folder) if os.path.isdir(os.path.join(folder, kind)))
    counts, totals, held = collections.Counter(), collections.Counter(), []
    for way, arguments in WAYS.items():
        for name in folders:
            done = place.run('scan', '--json', '--all', '--zone', os.path.join(place.folder, 'empty.zone'), *arguments,
                             os.path.join(folder, name), configuration='corpus.conf')
            check(done.returncode, 0, done.stderr)
            for line in done.stdout.splitlines():
                record = json.loads(line)
                kind = 'phishing' if os.path.basename(record['file']).startswith('phish') else name
                totals[way, kind] += 1
                for rule in record['rules']:
                    counts[rule['name'], way, kind] += 1
                    # Rules in shadow count as well: they are meant to be enforced.
                    if kind == 'ham' and way == 'in' and 'quarantine' in json.dumps(rule):
                        held.append((rule['name'], record.get('file')))
    columns = [(way, kind) for way in WAYS for kind in sorted({kind for _, kind in totals})]
    diag('rule'.ljust(26) + ''.join(f'{way}/{kind}'.rjust(17) for way, kind in columns))
    diag(''.ljust(26) + ''.join(str(totals[column]).rjust(17) for column in columns))
    for name in sorted({key[0] for key in counts}):
        diag(name.ljust(26) + ''.join(str(counts[(name, *column)]).rjust(17) for column in columns))
    check(held, [], 'ham that is held')
    annoying = [(name, way, count) for (name, way, kind), count in counts.items()
                if kind == 'ham' and name not in NOT_OURS and count * 100 > totals[way, kind]]
    check(annoying, [], 'rules that match more than 1 % of ham')
    check(all(totals[column] > 0 for column in columns), True, 'mail was read')


run(installed)
