#!/usr/bin/env python3
"""Ordinary mail beside senders whose DNS answers after ten seconds: rate and
latency of the others without, with one and with twenty slow senders at a time.
A report, not a test: it judges no time, and fails only when a message gets no
verdict or an ordinary one another result than it has alone.

The load client is not part of this tree: BENCH_DIR names its folder,
../shared/bench beside the source tree without it. SLOW_SECONDS is the length
of each run (20), SLOW_ROUNDS how often each is run (3; the median is shown).
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
import dkim_signer
import dns_server
import filter as tocsind
import samples
from tap import case, check, diag, run, skip_all

SOURCE = os.environ.get('srcdir', os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
BENCH = os.environ.get('BENCH_DIR', os.path.join(SOURCE, '..', 'shared', 'bench'))
SECONDS = int(os.environ.get('SLOW_SECONDS', '20'))
ROUNDS = int(os.environ.get('SLOW_ROUNDS', '3'))
SESSIONS, SENDERS, SLOW_MS = 50, 20, 10000
CONF = tocsind.CONF.replace('  deadline 5s  early-deadline 2s', '')


def ordinary(folder):
    """200 signed messages of 20 senders, 2 to 20 KiB; the zone for them."""
    zone, names = [], []
    os.makedirs(os.path.join(folder, 'ordinary'))
    keys = [dkim_signer.DkimKey(folder, f's{at}.example.test') for at in range(SENDERS)]
    for at, key in enumerate(keys):
        zone += [f'{key.domain} TXT "v=spf1 a:mail.{key.domain} -all"', f'mail.{key.domain} A 192.0.2.{at + 1}',
                 f'_dmarc.{key.domain} TXT "v=DMARC1; p=reject"', f'{key.record_name} TXT "{key.record}"']
    for at in range(200):
        key = keys[at % SENDERS]
        text = ('A line of an ordinary message, neither long nor short.\n' * (36 if at % 2 else 360))
        path = os.path.join(folder, 'ordinary', f'{at}.eml')
        with open(path, 'wb') as file:
            file.write(key.sign(samples.message(f'a@{key.domain}', f'Message {at}', text, ident=str(at))))
        with open(path[:-3] + 'env', 'w') as file:
            file.write(f'client_addr: 192.0.2.{at % SENDERS + 1}\nclient_name: mail.{key.domain}\n'
                       f'helo: mail.{key.domain}\nmail_from: a@{key.domain}\nrcpt: x@tocsin.test\n')
        names.append(path)
    return zone, names


def slow(folder, count):
    """Messages of as many senders, none of which was asked about before."""
    names = []
    os.makedirs(os.path.join(folder, 'slow'))
    for at in range(count):
        domain = f'n{at}.slow.test'
        path = os.path.join(folder, 'slow', f'{at}.eml')
        with open(path, 'wb') as file:
            file.write(samples.message(f'a@{domain}', f'Slow {at}', ident=str(at)))
        with open(path[:-3] + 'env', 'w') as file:
            file.write(f'client_addr: 198.51.100.7\nclient_name: mail.{domain}\nhelo: mail.{domain}\n'
                       f'mail_from: a@{domain}\nrcpt: x@tocsin.test\n')
        names.append(path)
    return names


class World:
    def __enter__(self):
        self.temporary = tempfile.TemporaryDirectory(prefix='tocsin-slow-')
        top = self.top = self.temporary.name
        self.load = os.path.join(top, 'milterload')
        subprocess.run([os.environ.get('CC', 'cc'), '-O2', '-w', '-o', self.load, os.path.join(BENCH, 'milterload.c'),
                        '-pthread'], check=True)
        zone, self.ordinary = ordinary(top)
        self.slow = slow(top, 2000)
        self.next_slow = 0
        zone += [f'*.slow.test DELAY {SLOW_MS}', '*.slow.test TXT "v=spf1 ip4:198.51.100.7 -all"']
        self.dns = dns_server.DnsServer('\n'.join(zone)).__enter__()
        self.filter = tocsind.Filter(top, dns=self.dns.host_port, conf=CONF).__enter__()
        return self

    def __exit__(self, *_):
        self.filter.__exit__(None, None, None)
        self.dns.__exit__(None, None, None)
        self.temporary.cleanup()

    def send(self, messages, sessions, rate=None):
        """One run of the load client: its report."""
        listing = tempfile.NamedTemporaryFile('w', dir=self.top, suffix='.lst', delete=False)
        with listing:
            listing.write('\n'.join(messages) + '\n')
        words = [self.load, '-s', 'unix:' + self.filter.socket, '-c', str(sessions), '-n', '1000000',
                 '--max-time', str(SECONDS), '-l', listing.name, '--json', '--allow-errors',
                 '--macros', 'postfix', *(['--rate', str(rate)] if rate else [])]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=SECONDS + 120)
        if done.returncode > 1:
            raise AssertionError(done.stderr)
        return json.loads(done.stdout)

    def beside(self, senders, rate):
        """Ordinary mail while so many slow senders each send one message after
        the other: (report on ordinary mail, report on slow mail or None)."""
        reports = {}
        messages = self.slow[self.next_slow:self.next_slow + senders * 10]
        self.next_slow += senders * 10
        other = threading.Thread(target=lambda: reports.update(slow=self.send(messages, senders)))
        if senders:
            other.start()
        report = self.send(self.ordinary, SESSIONS, rate)
        if senders:
            other.join()
        return report, reports.get('slow')


def figures(report):
    eob = report['eob_ms']
    return (report['rate'], report['lat_ms']['p50'], report['lat_ms']['p99'], eob['p50'], eob['p99'])


@case('ordinary mail beside slow senders, in a table')
def table(world):
    world.send(world.ordinary, 4, 50)  # caches are warm, as on any day
    rates = {'full': None, 'half': world.send(world.ordinary, SESSIONS)['rate'] / 2}
    found = {(load, senders): [] for load in rates for senders in (0, 1, 20)}
    slow_messages = dict.fromkeys(found, 0)
    for _ in range(ROUNDS):  # in turn, since other work on the machine comes and goes
        for (load, senders), values in found.items():
            report, other = world.beside(senders, rates[load])
            check(report['errors'], 0, f'ordinary mail, {senders} slow senders')
            values.append(figures(report))
            if other is not None:
                check(other['errors'], 0, 'slow mail')
                slow_messages[load, senders] += other['messages']
    rows = [(load, senders, slow_messages[load, senders] // ROUNDS,
             *(statistics.median(column) for column in zip(*values))) for (load, senders), values in found.items()]
    diag(f'{SESSIONS} sessions, {SECONDS} s a run, median of {ROUNDS}; a slow sender\'s DNS answers after '
         f'{SLOW_MS // 1000} s; times in ms')
    diag('| load | slow senders at a time | their messages | msg/s | latency p50 | p99 | end of message p50 | p99 |')
    diag('|---|---|---|---|---|---|---|---|')
    for load, senders, messages, *values in rows:
        diag(f'| {load} | {senders} | {messages} | ' + ' | '.join(f'{value:.1f}' for value in values) + ' |')
    results = world.filter.log_text()
    wrong = [line for line in results.splitlines() if '.example.test' in line and ' verdict ' in line and
             'spf=pass' not in line]
    check(wrong[:3], [], 'ordinary mail with another result')


if not os.path.exists(os.path.join(BENCH, 'milterload.c')):
    skip_all('the load client is not here (BENCH_DIR)')
if tocsind.program('tocsind') is None:
    skip_all('tocsind is not built')
run(World)
