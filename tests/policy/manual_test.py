#!/usr/bin/env python3
"""Every example of tocsin-policy(5), and the first rule of README.md: the policies load without a warning, pass
their tests and are laid out as fmt does it; the commands run against a tocsind
that judges by all of them.

In the page an example is announced by a comment: `.\\" policy NAME` or `.\\" run`.
"""
import contextlib
import glob
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from filter import Filter
from tap import Skip, case, check, check_in, diag, run

SRC = os.environ.get('srcdir', os.path.abspath(os.path.join(os.path.dirname(__file__), '..', '..')))
TOCSIN = os.path.abspath(os.path.join(os.environ.get('builddir', '.'), 'tocsin'))
PAGE = os.path.join(SRC, 'packaging', 'man', 'tocsin-policy.5.in')

CONF = '''\
socket          "unix:{socket}"
socket-mode     0666
state-directory "{state}"
control-socket  "{control}"
authserv-id     "mx.interieur.example"
resolver        {{ server "{dns}"  deadline 1s  early-deadline 1s }}
list our-domains  domains  {{ "interieur.example" }}
own-domains     our-domains
own-networks    {{ 10.0.0.0/8 }}
trusted-relays  {{ 127.0.0.0/8, ::1 }}
{user}
{settings}
include "policy.d/*.policy"
'''
SAMPLE = '''\
Received: from mail.shop.example (unknown [203.0.113.5]) by mx.interieur.example; Mon, 23 Nov 2026 10:00:00 +0000
Return-Path: <offers@shop.example>
Delivered-To: chef@interieur.example
From: offers@shop.example
Subject: offers
Message-ID: <1@shop.example>

Buy.
'''
# tocsin ends with 1 when a hunt found nothing: the examples name no real mail.
STATUS = {'hunt': (0, 1)}


def examples():
    with open(PAGE, encoding='utf-8') as file:
        page = file.read()
    found = re.findall(r'^\.\\" (policy \S+|run)\n\.PP\n\.nf\n\.RS 4\n(.*?)\n\.RE\n', page, re.M | re.S)
    check(len(found), len(re.findall(r'(?m)^\.\\" (?:policy|run)\b', page)), 'examples that could be read')
    for kind, text in found:
        yield kind, re.sub(r'(?m)^\\&', '', text).replace('\\e', '\\') + '\n'


POLICIES = [(kind.split()[1], text) for kind, text in examples() if kind != 'run']


def first_rule():
    """The policy of README.md: its indented lines from `rule` to the end of the test."""
    with open(os.path.join(SRC, 'README.md'), encoding='utf-8') as file:
        found = re.search(r'(?m)^    rule (?:    .*\n|.*\n|\n)*?    }\n\n(?:    .*\n)*?    }\n', file.read())
    return re.sub('(?m)^    ', '', found[0])


POLICIES.append(('readme', first_rule()))
COMMANDS = [line for kind, text in examples() if kind == 'run' for line in text.splitlines()]


@contextlib.contextmanager
def place():
    with tempfile.TemporaryDirectory(prefix='tocsin-manual-') as folder:
        this = Filter(folder, conf=CONF)
        for name, text in POLICIES:
            this.write(f'policy.d/{name}.policy', text)
        this.write('lists/stolen.txt', '')
        this.write('sample.eml', SAMPLE)
        this.write('bin/tocsin', f'#!/bin/sh\ncommand=$1; shift\nexec {TOCSIN} "$command" -c {this.conf} "$@"\n')
        os.chmod(os.path.join(this.top, 'bin', 'tocsin'), 0o755)
        yield this


def tocsin(this, *arguments):
    return subprocess.run([os.path.join(this.top, 'bin', 'tocsin'), *arguments], capture_output=True, text=True,
                          cwd=this.top, timeout=60)


@case('the manual has a cookbook of ten tasks')
def tasks(_):
    with open(PAGE, encoding='utf-8') as file:
        cookbook = file.read().split('.SH COOKBOOK')[1].split('\n.SH ')[0]
    check(len(re.findall(r'(?m)^\.SS ', cookbook)) >= 10, True)
    check(len(POLICIES) >= 10, True, 'policies')


@case('every policy of the manual loads, beside all the others')
def load(this):
    done = tocsin(this, 'check', '--strict')
    check(done.returncode, 0, done.stdout + done.stderr)
    warnings = [w for w in re.findall(r': warning: (.*)', done.stderr) if not w.endswith('has ended')]
    check(warnings, [], 'warnings')


@case('their tests pass')
def tests(this):
    done = tocsin(this, 'test')
    check(done.returncode, 0, done.stdout + done.stderr)
    check_in(' 0 failed', done.stdout)


@case('each rule of the manual has a test')
def tested(_):
    for name, text in POLICIES:
        for rule in re.findall(r'(?m)^rule (\S+)', text):
            check(bool(re.search(rf'expect .*\b{re.escape(rule)}', text)), True, f'{name}: a test of {rule}')


@case('they are laid out as tocsin fmt does it')
def layout(this):
    for name, _ in POLICIES:
        path = os.path.join(this.top, 'policy.d', f'{name}.policy')
        done = subprocess.run([TOCSIN, 'fmt', path], capture_output=True, text=True, timeout=20)
        with open(path, encoding='utf-8') as file:
            check(done.stdout, file.read(), name)


@case('every command of the manual does what it says')
def commands(this):
    environment = dict(os.environ, PATH=os.path.join(this.top, 'bin') + ':' + os.environ['PATH'])
    with this:
        for line in COMMANDS:
            here = line.replace('/etc/tocsin', this.top)
            done = subprocess.run(['sh', '-c', here], capture_output=True, text=True, cwd=this.top, env=environment,
                                  timeout=60)
            wanted = STATUS.get(line.split()[1], (0,))
            if done.returncode not in wanted:
                diag(done.stdout + done.stderr)
            check(done.returncode in wanted, True, f'`{line}` ended with {done.returncode}')
            if line.startswith('tocsin scan --explain'):
                check_in('until-friday', done.stdout, line)
    with open(os.path.join(this.top, 'lists', 'stolen.txt'), encoding='utf-8') as file:
        check_in('jdupont', file.read())


@case('the page names every shipped rule with what it asks for')
def shipped(_):
    with open(PAGE, encoding='utf-8') as file:
        section = file.read().split('.SH SHIPPED RULES')[1].split('\n.SH ')[0]
    told = dict(re.findall(r'(?m)^\.BR (\S+) " \((.*)\)"$', section))
    found = {}
    for path in glob.glob(os.path.join(SRC, 'policy', 'rules', '*.policy')):
        with open(path, encoding='utf-8') as file:
            for name, head, body in re.findall(r'(?ms)^rule (\S+) "[^"]*"([^{]*)\{\n(.*?)^}', file.read()):
                then = re.search(r'(?s)then (.*)', body)[1]
                actions = re.sub(r'\s+', ' ', re.sub(r' "[^"]*"', '', then)).strip()
                found[name] = actions + ('; in shadow' if 'shadow' in head else '')
    check(len(found) > 20, True, 'shipped rules')
    check(told, found, 'shipped rules')


@case('the page names every field, function and action')
def complete(_):
    with open(PAGE, encoding='utf-8') as file:
        page = file.read()
    check_in('\n@FIELDS@\n', page)
    for word in ('reject', 'quarantine', 'discard', 'defer', 'tag', 'prefix-subject', 'add-header', 'remove-header',
                 'copy-to', 'preserve', 'alert', 'lookalike', 'registrable', 'lower', 'length', 'yara', 'exactly',
                 'under', 'matches', 'contains', 'starts-with', 'ends-with', 'is missing', 'is present', 'on-error'):
        check_in(word, page)


@case('the page lists the words that lookalike() knows')
def words(_):
    with open(os.path.join(SRC, 'policy', 'language', 'lookalike.c'), encoding='utf-8') as file:
        table = re.search(r'lures\[\] = \{(.*?)\};', file.read(), re.S)[1]
    with open(PAGE, encoding='utf-8') as file:
        section = file.read().split('.SS Lookalikes')[1].split('.SS ')[0]
    listed = re.search(r'The words:\n(.*?)\.\n', section, re.S)[1]
    check(re.split(r',\s+', listed), re.findall(r'"([a-z]+)"', table))


run(place)
