#!/usr/bin/env python3
"""The engine over published feeds and real mail, where they are at hand:
$TOCSIN_SHARED, or a folder `shared` beside the source. The diagnostics are a
table: file, form, what was read, used, ignored by reason and suppressed,
seconds, memory."""
import collections
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'support'))
from filter import program
from tap import case, check, check_in, diag, run, skip_all

TOP = os.path.join(HERE, '..', '..')
SHARED = os.environ.get('TOCSIN_SHARED') or os.path.join(TOP, '..', 'shared')
DATA = os.path.join(SHARED, 'data')
INDICATORS = os.path.join(DATA, 'indicators')
RULES = os.path.join(TOP, 'policy', 'rules', '10-indicators.policy')
# Forms that are refused, and what the refusal says.
REFUSED = {'openioc': 'OpenIOC', 'stix1': 'STIX 1.x'}


class World:
    def __init__(self, top):
        self.top, self.number = top, 0

    def configure(self, feeds, more=''):
        """A configuration of its own, with the warninglists and the shipped
        rules about indicators."""
        self.number += 1
        folder = os.path.join(self.top, str(self.number))
        os.makedirs(os.path.join(folder, 'state'))
        conf = os.path.join(folder, 'tocsin.conf')
        lines = [f'state-directory "{folder}/state"', 'authserv-id "mx.test.example"',
                 'own-domains { "interieur.example" }', 'own-networks { 10.0.0.0/8 }',
                 'trusted-relays { 127.0.0.0/8 }', f'warninglists {{ "{DATA}/warninglists/*/list.json" }}',
                 *(f'feed {name} {{ source "{path}" {options} }}' for name, path, options in feeds),
                 f'include "{os.path.abspath(RULES)}"', more]
        with open(conf, 'w') as file:
            file.write('\n'.join(lines) + '\n')
        return conf


def tocsin(conf, *words, statuses=(0,)):
    done = subprocess.run([program('tocsin'), words[0], '-c', conf, *words[1:]], capture_output=True, text=True,
                          timeout=300)
    if done.returncode not in statuses:
        raise AssertionError(f'tocsin {words}: {done.returncode} {done.stdout[-2000:]}{done.stderr[-2000:]}')
    return done.stdout


def build(conf):
    return json.loads(tocsin(conf, 'indicators', 'build', '--json'))


def scan(conf, *paths):
    text = tocsin(conf, 'scan', '--json', *paths, statuses=(0, 1))
    return [json.loads(line) for line in text.splitlines() if line.startswith('{')]


def indicator_files():
    found = []
    for folder, _, names in sorted(os.walk(INDICATORS)):
        found += [os.path.join(folder, name) for name in sorted(names)]
    return found


def all_feeds(options=''):
    return [(f'f{number}', path, ('format yara ' if path.endswith('.yar') else '') + options)
            for number, path in enumerate(indicator_files())]


@case('every published file loads, or is refused with a reason')
def every_file(world):
    feeds = all_feeds()
    report = build(world.configure(feeds))
    check(len(report['feeds']), len(feeds) + 1)
    for (_, path, _), feed in zip(feeds, report['feeds']):
        shown = os.path.relpath(path, INDICATORS)
        ignored = ' '.join(f'{name}={count}' for name, count in feed['ignored'].items())
        diag(f'{shown} {feed["format"]} read={feed["read"]} used={feed["used"]} suppressed={feed["suppressed"]} '
             f'{ignored} {feed["seconds"]:.2f}s {feed.get("warning", "")}')
        check(feed['used'] + sum(feed['ignored'].values()) >= feed['read'], True, f'{shown}: what was read')
        if feed['used'] == 0 and feed['format'] != 'yara':
            check_in(f'feed {feed["feed"]} ', feed['warning'], f'{shown}: a reason')
        for folder, word in REFUSED.items():
            if shown.startswith(folder):
                check_in(word, feed['warning'], shown)
    diag(f'{report["indicators"]} indicators, {report["bytes"]} bytes, peak {report["peak-memory"] // 1000000} MB')


@case('what reading each file takes, without the warninglists')
def measured(world):
    feeds = all_feeds()
    conf = world.configure(feeds)
    with open(conf) as file:
        text = '\n'.join(line for line in file.read().splitlines() if not line.startswith('warninglists'))
    with open(conf, 'w') as file:
        file.write(text)
    for name, path, _ in feeds:
        begun = time.monotonic()
        child = subprocess.Popen([program('tocsin'), 'indicators', '-c', conf, 'explain', name],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        check(child.returncode in (0, 65), True, f'{path}: {child.returncode}')
        diag(f'{os.path.relpath(path, INDICATORS)} {time.monotonic() - begun:.2f} s, '
             f'at most {usage.ru_maxrss / 1024:.0f} MB')


@case('every example of the STIX specification parses')
def examples(_):
    path = os.path.join(INDICATORS, 'stix21', 'pattern-spec-examples.txt')
    with open(path) as file:
        patterns = [line.rstrip('\n') for line in file if line.strip()]
    check(len(patterns) > 20, True, 'patterns')
    for pattern in patterns:
        done = subprocess.run([program('tocsin'), 'indicators', 'pattern', pattern, '-'], input='[]', text=True,
                              capture_output=True, timeout=60)
        check(done.returncode, 0, f'{pattern}: {done.stderr}')
        check(done.stdout.split()[0] in ('true', 'false', 'unknown'), True, done.stdout)


@case('each mail of a pair matches the feed of the same name, and that one only')
def pairs(world):
    folder = os.path.join(DATA, 'pairs', 'spamassassin-phishing')
    if not os.path.isdir(folder):
        skip_all('no pairs')
    conf = world.configure([('openphish', f'{folder}/openphish-feed.txt', 'status verified'),
                            ('phishtank', f'{folder}/phishtank-feed.csv', 'status verified')])
    build(conf)
    for name in ('openphish', 'phishtank'):
        found = scan(conf, os.path.join(folder, f'phishing_{name}.eml'))
        check(len(found), 1)
        feeds = {hit['feed'] for hit in found[0]['indicators']}
        check(feeds, {name}, f'the feeds that {name} matches')
        check({hit['type'] for hit in found[0]['indicators']}, {'url'})


@case('one event gives the same matches in each form that can be read')
def cross_format(world):
    folder = os.path.join(INDICATORS, 'cross-format', 'nilephish-2017')
    with open(os.path.join(folder, 'misp.json')) as file:
        event = json.load(file)
    event = event.get('Event') or event['response'][0]['Event']
    values = [attribute['value'] for attribute in event['Attribute']
              if attribute['type'] in ('domain', 'hostname', 'ip-dst', 'email-src', 'md5', 'sha1', 'sha256')]
    check(len(values) > 20, True, 'values')
    answers = {}
    for form in ('iocs.csv', 'misp.json'):
        conf = world.configure([('event', os.path.join(folder, form), 'status verified')])
        build(conf)
        acts = {}
        for value in values:
            answer = json.loads(tocsin(conf, 'indicators', 'query', '--json', value, statuses=(0, 1)))
            acts[value] = sorted(hit['kind'] for hit in answer['indicators'] if hit['acts'])
        answers[form] = acts
    check(answers['iocs.csv'], answers['misp.json'])
    check(sum(hits != [] for hits in answers['misp.json'].values()) > 20, True, 'matches')


def explain(found):
    seen = collections.Counter()
    for message in found:
        for hit in message.get('indicators', ()):
            seen[f'{hit["type"]} {hit["value"]} of {hit["feed"]} at {hit["where"]}'] += 1
    for text, count in seen.most_common(40):
        diag(f'{count:4} {text}')
    return seen


@case('good mail is not held by all feeds together with default settings')
def ham(world):
    folder = os.path.join(DATA, 'mail', 'ham')
    conf = world.configure(all_feeds())
    build(conf)
    found = scan(conf, folder)
    held = [message for message in found if message['verdict']['disposition'] == 'quarantine']
    diag(f'{len(found)} messages, {len(held)} held, '
         f'{sum(bool(message.get("indicators")) for message in found)} with an indicator')
    explain(found)
    check(len(found) > 300, True, 'messages')
    check([message.get('file') for message in held], [])


@contextlib.contextmanager
def make():
    with tempfile.TemporaryDirectory(prefix='tocsin-data-') as top:
        yield World(top)


if not program('tocsin'):
    skip_all('the tool is not built')
if not os.path.isdir(INDICATORS):
    skip_all('the published feeds are not at hand: set TOCSIN_SHARED')
run(make)
