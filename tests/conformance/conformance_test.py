#!/usr/bin/env python3
"""Plays the conformance and attack sets to tocsind and holds it to a floor.

The sets are not part of this tree: CONFORMANCE_DIR names their folder,
../shared/conformance beside the source tree without it. floor.txt says how
many cases of each set may fail; a set that is not in it may not fail at all.
CONFORMANCE_SETS (comma list) runs some sets only.
"""
import collections
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from filter import program
from tap import diag, skip_all

HERE = os.path.dirname(os.path.abspath(__file__))
SRC = os.environ.get('srcdir', os.path.join(HERE, '..', '..'))
SETS = os.environ.get('CONFORMANCE_DIR', os.path.join(SRC, '..', 'shared', 'conformance'))


def floor():
    allowed = {}
    with open(os.path.join(HERE, 'floor.txt')) as file:
        for line in file:
            words = line.split('#')[0].split()
            if words:
                allowed[words[0]] = (int(words[1]), int(words[2]))
    return allowed


def play(report):
    command = [sys.executable, os.path.join(SETS, 'run_conformance.py'), '--kill', '--json', report,
               '--start-command', f'{program("tocsind")} -f -c @CONFIG@',
               '--config-template', os.path.join(HERE, 'tocsin.conf.in')]
    if os.environ.get('CONFORMANCE_SETS'):
        command += ['--set', os.environ['CONFORMANCE_SETS']]
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)


def main():
    runner = os.path.join(SETS, 'run_conformance.py')
    if not os.path.exists(runner):
        skip_all('the conformance sets are not here; CONFORMANCE_DIR names their folder')
    if program('tocsind') is None:
        skip_all('tocsind is not built')
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, 'report.json')
        done = play(report)
        diag(done.stdout)
        if done.returncode not in (0, 1) or not os.path.exists(report):
            print('1..1\nnot ok 1 - the runner ends with a report')
            return 1
        with open(report) as file:
            outcomes = json.load(file)
    return judge(outcomes, floor())


def judge(outcomes, allowed):
    bad, names = collections.defaultdict(collections.Counter), []
    for outcome in outcomes:
        if outcome['set'] not in names:
            names.append(outcome['set'])
        if not outcome['ok']:
            bad[outcome['set']][outcome['level']] += 1
    failed = 0
    print(f'1..{len(names)}')
    for number, name in enumerate(names, 1):
        must, should = bad[name]['must'], bad[name]['should']
        most = allowed.get(name, (0, 0))
        good = must <= most[0] and should <= most[1]
        failed += not good
        print(f'{"ok" if good else "not ok"} {number} - {name}: {must} must and {should} should cases fail, '
              f'{most[0]} and {most[1]} may')
        if good and (must, should) != most:
            diag(f'{name}: floor.txt can go down to {must} {should}')
        if not good:
            for outcome in outcomes:
                if outcome['set'] == name and not outcome['ok']:
                    diag(f'{outcome["level"]} {outcome["case"]}: {"; ".join(outcome["why"])[:200]}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
