#!/usr/bin/env python3
"""The indicators at ten million: what indicators_bench reports, and what the
daemon does with as many. It judges no time; it fails when a build, a look-up
or a message does.

INDICATORS names another number.
"""
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
import dkim_signer
import dns_server
import filter as tocsind
import milter_client
import samples
from tap import case, check, diag, run, skip_all

PROGRAM = os.path.join(os.environ.get('builddir', '.'), 'tests', 'bench', 'indicators_bench')
COUNT = os.environ.get('INDICATORS', '10000000')
POLICY = 'rule listed "carries an indicator" { when any indicator (.strength == strong) then tag "X-Listed" "yes" }\n'
FEED = 'feed bench { source "bench.csv"  format csv  status verified  severity high  max-size 8GB }\n'
ROUNDS, MESSAGES, DIFFERENT = 6, 1500, 600
LINK = '<a href="https://www.host-%d.example/%x/page?x=%d">a link with some text around it, as newsletters do</a><br>\n'


@case('a store is built, opened, asked, and swapped under matches')
def build(world):
    folder = os.path.join(world.top, 'bench')
    os.makedirs(folder)
    done = subprocess.run([PROGRAM, folder, COUNT], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    diag(done.stdout)
    check(done.returncode, 0, 'exit status')
    shutil.rmtree(folder)


class Daemon:
    """A filter with that many indicators of the same kinds."""

    def __init__(self, world, name, count):
        self.name, top = name, os.path.join(world.top, name)
        os.makedirs(top)
        self.filter = tocsind.Filter(top, POLICY, FEED, dns=world.dns.host_port)
        check(subprocess.run([PROGRAM, self.filter.top, count, '--feed-only']).returncode, 0, 'the feed')
        os.makedirs(self.filter.state)
        if os.geteuid() == 0:
            shutil.chown(self.filter.state, tocsind.service_user())
        begun = time.monotonic()
        self.build()
        self.built_s = time.monotonic() - begun
        self.cpu, self.start_ms = [], self.start()

    def build(self):
        done = subprocess.run([tocsind.program('tocsin'), 'indicators', '-c', self.filter.conf, 'build'],
                              capture_output=True, text=True)
        check(done.returncode, 0, done.stdout + done.stderr)

    def start(self):
        """Milliseconds until it answers a client; then it is left running."""
        with open(self.filter.log, 'ab') as log:
            begun = time.monotonic()
            self.filter.process = subprocess.Popen(self.filter.command(), stdin=subprocess.DEVNULL, stdout=log,
                                                   stderr=log, start_new_session=True)
            while not self.filter.answers():
                check(time.monotonic() < begun + 60, True, self.filter.log_text())
                time.sleep(0.001)
            return (time.monotonic() - begun) * 1000

    def client(self):
        client = milter_client.MilterClient(self.filter.socket, timeout=60)
        client.connect('192.0.2.20', 'mail.shop.test')
        client.helo('mail.shop.test')
        return client

    def cpu_s(self):
        with open(f'/proc/{self.filter.filter_pid()}/stat') as file:
            fields = file.read().rpartition(')')[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def memory(self, *names):
        with open(f'/proc/{self.filter.filter_pid()}/smaps_rollup') as file:
            sizes = {line.split(':')[0]: int(line.split()[1]) for line in file if ' kB' in line}
        return sum(sizes[name] for name in names) / 1024

    def told_memory(self):
        """What is the process's own, and what it has mapped of files (the
        store is clean and the same for all processes)."""
        return (f'memory of its own {self.memory("Anonymous"):.1f} MB, '
                f'pages of files {self.memory("Rss") - self.memory("Anonymous"):.1f} MB')


def mail(number):
    """20 KiB of HTML, signed, with sixty links to some hosts of two hundred; no link stands in two messages."""
    links = ''.join(LINK % ((number * 7 + link) % 200, number * 1000003 + link * 7919, link) for link in range(60))
    return samples.message('Shop <news@shop.test>', 'Your order', html=f'<html><body>{links}{"<p>text</p>" * 700}',
                           ident=f'm{number}')


def send(client, octets):
    answer = client.message('<news@shop.test>', ['<inbox@tocsin.test>'], octets)
    check(answer.action in ('accept', 'continue'), True, f'{answer}')


@case('a message costs as much with all of them as with ten; the start, the memory')
def cost(world):
    few, many = Daemon(world, 'ten', '10'), Daemon(world, 'all', COUNT)
    world.many = many
    for daemon in (few, many):
        daemon.samples = []
        world.stack.callback(daemon.filter.stop)
    for turn in range(ROUNDS):
        for daemon in (few, many) if turn % 2 == 0 else (many, few):
            with daemon.client() as client:
                send(client, world.mails[0])
                begun = daemon.cpu_s()
                for number in range(MESSAGES):
                    send(client, world.mails[number % len(world.mails)])
            daemon.samples.append((daemon.cpu_s() - begun) / MESSAGES * 1e6)
    for daemon in (few, many):
        taken = sorted(daemon.samples[1:])
        diag(f'{daemon.name}: built in {daemon.built_s:.1f} s, start {daemon.start_ms:.0f} ms, '
             f'{taken[len(taken) // 2]:.0f} us of CPU a message (rounds: '
             f'{" ".join(f"{sample:.0f}" for sample in daemon.samples)}), {daemon.told_memory()}')
    starts = []
    for _ in range(5):
        many.filter.stop()
        starts.append(many.start())
    diag(f'all: five more starts {" ".join(f"{start:.0f}" for start in starts)} ms')


PAUSE_MS = 5
PACE_S = 0.002  # ends of waiting between messages: half of the processor stays free


@contextlib.contextmanager
def favoured(filter_pid):
    """Puts the filter and our own threads, the name server among them, before all else that runs on this machine, so
    that what is measured is theirs and not their neighbours'. Threads that they start take it over. The main thread
    stays as it is: what it starts is not to be measured."""
    def threads():
        ours = [int(name) for name in os.listdir(f'/proc/{os.getpid()}/task')]
        ours.remove(threading.main_thread().native_id)
        return ours + [int(name) for name in os.listdir(f'/proc/{filter_pid}/task')]

    def give(policy, priority):
        for thread in threads():
            with contextlib.suppress(ProcessLookupError):
                os.sched_setscheduler(thread, policy, os.sched_param(priority))

    try:
        give(os.SCHED_RR, 10)
    except PermissionError:
        diag('not at real-time priority, which root may set: other work on this machine shows in what follows')
        yield
        return
    try:
        yield
    finally:
        give(os.SCHED_OTHER, 0)


def stolen_ms():
    """What the host of a virtual machine took from it, of all its processors."""
    with open('/proc/stat') as file:
        return int(file.readline().split()[8]) * 1000 / os.sysconf('SC_CLK_TCK')


class Answers:
    """Messages sent one after another while something else is done."""

    def __init__(self, world, daemon):
        self.world, self.daemon = world, daemon
        self.took, self.begun, self.problems, self.ending = [], [], [], threading.Event()

    def load(self):
        try:
            with self.daemon.client() as client:
                due = time.monotonic()
                while not self.ending.is_set():
                    due = max(due + PACE_S, time.monotonic())
                    time.sleep(max(0, due - time.monotonic()))
                    self.begun.append(time.monotonic())
                    send(client, self.world.mails[len(self.took) % len(self.world.mails)])
                    self.took.append((time.monotonic() - self.begun[-1]) * 1000)
        except Exception as problem:
            self.problems.append(repr(problem))

    def run(self, what, work):
        """Does the work under messages and tells how long they took; `work` returns the times of its events."""
        stolen, sender = stolen_ms(), threading.Thread(target=self.load)
        sender.start()
        with favoured(self.daemon.filter.filter_pid()):
            try:
                events = work() or []
            finally:
                self.ending.set()
                sender.join()
        check(self.problems, [], 'messages that failed')
        took, slow = sorted(self.took), [(at, ms) for at, ms in zip(self.begun, self.took) if ms > PAUSE_MS]
        beside = [ms for at, ms in slow if any(event - ms / 1000 <= at <= event + 0.55 for event in events)]
        diag(f'{what}: {len(took)} messages, median {took[len(took) // 2]:.2f} ms, '
             f'99 % {took[len(took) * 99 // 100]:.2f}, 99.9 % {took[len(took) * 999 // 1000]:.2f}, '
             f'slowest {" ".join(f"{one:.1f}" for one in took[-4:])} ms; '
             f'{len(slow)} over {PAUSE_MS} ms, of them {len(beside)} in the {len(events)} half seconds behind a swap; '
             f'the host took {stolen_ms() - stolen:.0f} ms')


@case('stores are swapped under load: no message fails')
def swapped(world):
    daemon = world.many
    store = os.path.join(daemon.filter.state, 'indicators.store')
    copies = [f'{store}.{number}' for number in range(2)]
    for copy in copies:
        shutil.copyfile(store, copy)
        if os.geteuid() == 0:
            shutil.chown(copy, tocsind.service_user())

    def swap():
        events = []
        for number in range(20):
            os.rename(store, f'{copies[number % 2]}.old')
            os.rename(copies[number % 2], store)
            events.append(time.monotonic())
            os.rename(f'{copies[number % 2]}.old', copies[number % 2])
            time.sleep(0.6)
        return events

    before = daemon.filter.log_text().count('store in force')
    for _ in range(2):
        Answers(world, daemon).run('at rest', lambda: time.sleep(12))
        Answers(world, daemon).run('20 swaps', swap)
    check(daemon.filter.log_text().count('store in force') - before >= 30, True, 'swaps')
    Answers(world, daemon).run('a build beside it', daemon.build)
    time.sleep(2)  # what is no longer used is unmapped
    diag(f'after it {daemon.told_memory()}')


class World:
    pass


@contextlib.contextmanager
def make():
    with tempfile.TemporaryDirectory(prefix='tocsin-long-') as top, contextlib.ExitStack() as stack:
        os.chmod(top, 0o755)
        world = World()
        world.top, world.stack = top, stack
        key = dkim_signer.DkimKey(top, 'shop.test')
        world.dns = stack.enter_context(dns_server.DnsServer(samples.zone([key])))
        world.mails = [key.sign(mail(number)) for number in range(DIFFERENT)]
        yield world


if not os.path.exists(PROGRAM):
    skip_all('indicators_bench is not built')
run(make)
