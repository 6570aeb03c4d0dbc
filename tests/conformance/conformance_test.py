#!/usr/bin/env python3
"""Plays the conformance and attack sets to tocsind and holds it to a floor.

The sets are not part of this tree: CONFORMANCE_DIR names their folder,
../shared/conformance beside the source tree without it. floor.txt says how
many cases of each set may fail; a set that is not in it may not fail at all.
held-wrong.txt names the cases that we answer otherwise on purpose, with the
RFC's section and why; they are printed, and must fail as it says.
CONFORMANCE_SETS (comma list) runs some sets only.
"""
import collections
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from filter import program
from tap import diag, skip_all

HERE = os.path.dirname(os.path.abspath(__file__))
SRC = os.environ.get('srcdir', os.path.join(HERE, '..', '..'))
SETS = os.environ.get('CONFORMANCE_DIR', os.path.join(SRC, '..', 'shared', 'conformance'))
# Played once more without the rule on defects: what hides a file must show it.
CONTENT_SETS = ['mime-noxxi-content', 'mime-noxxi-filename']


def floor():
    allowed = {}
    with open(os.path.join(HERE, 'floor.txt')) as file:
        for line in file:
            words = line.split('#')[0].split()
            if words:
                allowed[words[0]] = (int(words[1]), int(words[2]))
    return allowed


def held_wrong():
    """(set, case): why, one string."""
    found, now = {}, None
    with open(os.path.join(HERE, 'held-wrong.txt')) as file:
        for line in file:
            if line[0] in ' \t' and now:
                found[now] += ' ' + line.strip()
            elif line.strip() and line[0] != '#':
                now = tuple(line.split())
                found[now] = ''
    for (name, case), why in found.items():
        assert 'RFC' in why, f'{name} {case} has no reason in held-wrong.txt'
    return found


def template(folder, content_only):
    """The configuration; `content_only` leaves out the rule that says that a
    message is odd, so that only what is found in it counts."""
    with open(os.path.join(HERE, 'tocsin.conf.in')) as file:
        text = file.read()
    if content_only:
        text = re.sub(r'rule odd .*?\n}\n', '', text, flags=re.S)
        if 'mime.defect' in text:
            raise SystemExit('the template has another rule on defects')
    path = os.path.join(folder, f'tocsin{int(content_only)}.conf.in')
    with open(path, 'w') as file:
        file.write(text)
    return path


def play(folder, content_only):
    report = os.path.join(folder, f'report{int(content_only)}.json')
    command = [sys.executable, os.path.join(SETS, 'run_conformance.py'), '--kill', '--json', report,
               '--start-command', f'{program("tocsind")} -f -c @CONFIG@',
               '--config-template', template(folder, content_only)]
    sets = os.environ.get('CONFORMANCE_SETS', '')
    if content_only:
        sets = ','.join(name for name in CONTENT_SETS if not sets or name in sets.split(','))
        if not sets:
            return []
    if sets:
        command += ['--set', sets]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    diag(done.stdout)
    if done.returncode not in (0, 1) or not os.path.exists(report):
        print('1..1\nnot ok 1 - the runner ends with a report')
        sys.exit(1)
    with open(report) as file:
        outcomes = json.load(file)
    for outcome in outcomes:
        outcome['set'] += '/content' if content_only else ''
    return outcomes


def main():
    runner = os.path.join(SETS, 'run_conformance.py')
    if not os.path.exists(runner):
        skip_all('the conformance sets are not here; CONFORMANCE_DIR names their folder')
    if program('tocsind') is None:
        skip_all('tocsind is not built')
    with tempfile.TemporaryDirectory() as folder:
        outcomes = play(folder, False) + play(folder, True)
    return judge(outcomes, floor(), held_wrong())


def judge(outcomes, allowed, held):
    bad, names = collections.defaultdict(collections.Counter), []
    for outcome in outcomes:
        name, case = outcome['set'], outcome['case']
        if name not in names:
            names.append(name)
        why = held.get((name, case))
        if not outcome['ok'] and why is None:
            bad[name][outcome['level']] += 1
        elif why is not None:
            diag(f'{name} {case} held to be wrong: {"; ".join(outcome["why"])[:200]}.{why}')
            bad[name]['must'] += outcome['ok']  # then it does not belong there
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
                if outcome['set'] == name and outcome['ok'] == ((name, outcome['case']) in held):
                    diag(f'{outcome["level"]} {outcome["case"]}: {"; ".join(outcome["why"])[:200]}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
