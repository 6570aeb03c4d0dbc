#!/usr/bin/env python3
"""bash completion of the `tocsin` command: what the program knows is proposed."""
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from tap import case, check, check_in, run, skip_all

SRC = os.environ.get('srcdir', os.path.abspath(os.path.join(os.path.dirname(__file__), '..', '..')))
TOCSIN = os.path.abspath(os.path.join(os.environ.get('builddir', '.'), 'tocsin'))
SCRIPT = os.path.join(SRC, 'packaging', 'completion', 'tocsin')
COMPLETE = '''
. "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_tocsin "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
'''


def complete(*words, **environment):
    done = subprocess.run(['bash', '-c', COMPLETE, 'bash', SCRIPT, TOCSIN, *words], capture_output=True, text=True,
                          timeout=20, env=dict(os.environ, **environment))
    check(done.stderr, '', 'complaints of the shell')
    return [word for word in done.stdout.split('\n') if word]


def printed(*words):
    return subprocess.run([TOCSIN, *words], capture_output=True, text=True, timeout=20).stdout


@case('every command of the program is proposed')
def commands():
    known = [line.split()[0] for line in printed('--help').splitlines() if line.startswith('  ')]
    check(len(known) > 10, True, 'commands in the help')
    check(sorted(complete('')), sorted(known + ['--help', '--version']))
    check(complete('sc'), ['scan'])


@case('options come from the help of their command')
def options():
    for command, option in (('check', '--strict'), ('test', '--coverage'), ('fmt', '--check'), ('scan', '--explain'),
                            ('set', '--reason'), ('hunt', '--since'), ('indicators', '--severity')):
        check_in(option, complete(command, '--'), command)
    check(complete('test', '--cov'), ['--coverage'])


@case('fields and their members are proposed')
def fields():
    check(complete('fields', 'dmarc'), ['dmarc', 'dmarc.policy', 'dmarc.domain'])
    check(sorted(complete('fields', '')), sorted(set(printed('fields', '--names').split())))


@case('subcommands, kinds and closed lists of words are proposed')
def words():
    check(complete('feeds', ''), ['update', 'status'])
    check_in('query', complete('indicators', ''))
    check_in('sha256', complete('indicators', 'add', 'sha'))
    check(complete('scan', '--auth', ''), ['recorded', 'now', 'none'])


@case('the switches of the policy are proposed, then their positions')
def switches():
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(os.path.join(SRC, 'policy', 'rules', '00-lists.policy'), folder)
        check(complete('set', '', TOCSIN_POLICY=folder), ['containment'])
        check(complete('set', 'containment', 'o', TOCSIN_POLICY=folder), ['on', 'off'])


@case('where nothing is known, file names are left to the shell')
def files():
    check(complete('check', ''), [])


if shutil.which('bash') is None:
    skip_all('there is no bash')
run()
