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


def answers_while(world, daemon, work):
    """Sends until `work` is done; how long each answer took, in ms."""
    ending, took, problems = threading.Event(), [], []

    def load():
        try:
            with daemon.client() as client:
                while not ending.is_set():
                    begun = time.monotonic()
                    send(client, world.mails[len(took) % len(world.mails)])
                    took.append((time.monotonic() - begun) * 1000)
        except Exception as problem:
            problems.append(repr(problem))

    sender = threading.Thread(target=load)
    sender.start()
    try:
        work()
    finally:
        ending.set()
        sender.join()
    check(problems, [], 'messages that failed')
    return sorted(took)


def told(what, took):
    diag(f'{what}: {len(took)} messages, median {took[len(took) // 2]:.2f} ms, 99 % {took[len(took) * 99 // 100]:.2f}, '
         f'99.9 % {took[len(took) * 999 // 1000]:.2f}, slowest {" ".join(f"{one:.1f}" for one in took[-4:])} ms')


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
        for number in range(20):
            os.rename(store, f'{copies[number % 2]}.old')
            os.rename(copies[number % 2], store)
            os.rename(f'{copies[number % 2]}.old', copies[number % 2])
            time.sleep(0.6)

    before = daemon.filter.log_text().count('store in force')
    told('at rest', answers_while(world, daemon, lambda: time.sleep(12)))
    told('20 swaps', answers_while(world, daemon, swap))
    told('at rest', answers_while(world, daemon, lambda: time.sleep(12)))
    told('20 swaps', answers_while(world, daemon, swap))
    check(daemon.filter.log_text().count('store in force') - before >= 30, True, 'swaps')
    told('a build beside it', answers_while(world, daemon, daemon.build))
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
