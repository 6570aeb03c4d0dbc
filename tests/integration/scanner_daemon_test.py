#!/usr/bin/env python3
"""Scanner workers that are taken over, die, hang or are killed cost a fact, never mail.

A tocsind is started whose workers obey attachments (rogue.c); the jail that
stops them is the product's own.
"""
import json
import os
import shutil
import signal
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
import bench
import filter as tocsind
import milter_client
import samples
from load import Load, nothing_lost
from tap import Skip, case, check, check_in, diag, run, wait_for
from wrap import attached, mail, part, zipped

SETTINGS = """
limits { scan-time 800ms  scan-workers 2  scan-memory 100MB }
"""
POLICY = """
rule unscannable "s" { severity low  when any attachment (.unscannable) then tag "X-Found" "unscannable" }
rule typed "t" { severity low  when any attachment (.detected-type == "application/zip") then tag "X-Found" "zip" }
rule gap "g" { severity low  when analysis.incomplete then tag "X-Found" "incomplete" }
rule done "a" { severity low  when size > 0 then tag "X-Found" "answered" }
"""
DEEDS = ('open', 'create', 'socket', 'exec', 'ptrace', 'kill', 'fork', 'code', 'crash')
if not tocsind.sanitized():
    DEEDS += ('memory',)  # AddressSanitizer's shadow leaves no limit to set


def send(this, octets):
    """What is found, and the seconds until the answer."""
    with milter_client.MilterClient(this.filter.socket, timeout=60) as milter:
        milter.connect('192.0.2.20', 'mail.shop.test')
        milter.helo('mail.shop.test')
        start = time.monotonic()
        answer = milter.message('<news@shop.test>', ['<inbox@tocsin.test>'], octets)
        return {value.strip() for value in answer.inserted('X-Found')}, time.monotonic() - start


def counters(this):
    done = this.filter.tool('status', '--json')
    check(done.returncode, 0, done.stdout)
    return json.loads(done.stdout)['counters']


def named(this, kind):
    """Ids of the scanner's processes: the zygote, templates, workers."""
    family = this.filter.process.pid
    below = [pid for pid in tocsind.children(family) if comm(pid) == 'tocsin-zygote']
    templates = [pid for zygote in below for pid in tocsind.children(zygote)]
    workers = [pid for template in templates for pid in tocsind.children(template)]
    return {'zygote': below, 'template': templates, 'worker': workers}[kind]


def comm(pid):
    try:
        with open(f'/proc/{pid}/comm') as file:
            return file.read().strip()
    except OSError:
        return ''


def fields(path):
    with open(path) as file:
        return {line.split(':', 1)[0]: line.split(':', 1)[1].strip() for line in file if ':' in line}


GOOD = attached(zipped('a.txt', b'hello'), 'a.zip')


@case('a worker that is taken over is killed; the message is answered, the next one is fine')
def taken_over(this):
    for deed in DEEDS:
        before = counters(this)['scanner-worker-deaths']
        found, seconds = send(this, attached(f'rogue: {deed}'.encode(), 'a.bin'))
        check(found, {'unscannable', 'incomplete', 'answered'}, deed)
        check(counters(this)['scanner-worker-deaths'] - before, 1, f'deaths counted after {deed}')
        check(send(this, GOOD)[0], {'zip', 'answered'}, f'the message after {deed}')
        diag(f'{deed}: {seconds * 1000:.0f} ms')
    lines = [line for line in this.filter.log_text().splitlines() if 'unscannable=scanner-worker-died' in line]
    check(len(lines), len(DEEDS), 'log lines that say so')
    check_in('incomplete=scanner', lines[0], 'the line')
    check(os.path.exists(os.environ['TOCSIN_ROGUE_FILE']), False, 'the file that was to be created')


@case('a worker that hangs is given up after scan-time, however many parts do')
def hanging(this):
    for order in ('hang', 'overstay'):
        rogue = f'rogue: {order}'.encode()
        before = counters(this)['scanner-timeouts']
        found, seconds = send(this, mail(*(part(rogue, f'{n}.bin') for n in range(8))))
        check_in('unscannable', found, order)
        check(seconds < 0.8 + 1.2, True, f'{order}: answered after {seconds:.2f} s')
        check(counters(this)['scanner-timeouts'] > before, True, 'time-outs counted')
        check(send(this, GOOD)[0], {'zip', 'answered'}, 'the message after')
        diag(f'{order}: {seconds:.2f} s for 8 parts')
    check_in('unscannable=scan-time', this.filter.log_text(), 'the log')


@case('a worker has no files, no rights, no network; its memory and time are bounded')
def jailed(this):
    send(this, GOOD)
    workers = named(this, 'worker')
    check(len(workers) > 0, True, 'workers there')
    for pid in workers:
        status, limits = fields(f'/proc/{pid}/status'), {}
        with open(f'/proc/{pid}/limits') as file:
            limits = {line[:26].strip(): line[26:].split()[:2] for line in file}
        check(status['Seccomp'], '2', 'a seccomp filter')
        check(status['NoNewPrivs'], '1', 'no new rights')
        check(status['CapEff'], '0' * 16, 'capabilities')
        if os.geteuid() == 0:
            check('0' in status['Uid'].split(), False, 'user 0')
        check(limits['Max file size'], ['0', '0'], 'bytes it may write')
        check(limits['Max core file size'], ['0', '0'], 'bytes of a core')
        check(int(limits['Max cpu time'][0]) < 60, True, 'CPU seconds')
        if not tocsind.sanitized():
            check(int(limits['Max address space'][0]) < 2 << 30, True, 'address space')
        held = {os.readlink(f'/proc/{pid}/fd/{name}') for name in os.listdir(f'/proc/{pid}/fd')}
        other = [path for path in held if not path.startswith(('socket:', '/memfd:tocsin-scanner', '/dev/null'))]
        check(other if not tocsind.sanitized() else [], [], 'open files')


@case('a message without attachments does not wait for a worker')
def plain(this):
    send(this, GOOD)
    stopped = named(this, 'template') + named(this, 'worker')
    scans = counters(this)['scanner-scans']
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        found, seconds = send(this, samples.clean('plain'))
        check(found, {'answered'}, 'what was found')
        check(seconds < 0.7, True, f'answered after {seconds:.2f} s while every worker stands still')
        check(counters(this)['scanner-scans'], scans, 'scans')
        found, seconds = send(this, GOOD)
        check_in('unscannable', found, 'and one with an attachment says so')
        check(seconds < 2.5, True, f'after {seconds:.2f} s')
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    wait_for(lambda: send(this, GOOD)[0] == {'zip', 'answered'}, 10, 'the service')


@case('a template that is killed is made anew, with its rules, without a reload')
def template(this):
    before = counters(this)['scanner-template-starts']
    for _ in range(2):
        time.sleep(1.1)
        family = named(this, 'template') + named(this, 'worker')
        for pid in named(this, 'template'):
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not any(tocsind.runs(pid) for pid in family), 5, 'the end of template and workers')
        start = time.monotonic()
        wait_for(lambda: send(this, GOOD)[0] == {'zip', 'answered'}, 10, 'the service')
        diag(f'back after {time.monotonic() - start:.2f} s')
    check(counters(this)['scanner-template-starts'] >= before + 2, True, 'starts counted')


@case('kill -9 of zygote, template and workers under load through Postfix: no message lost')
def killed(this):
    load = Load(this, bench.load(1500), make=numbered)
    kills = {'worker': 0, 'template': 0, 'zygote': 0}
    turn = 0
    while load.running():
        kind = ('worker', 'template', 'worker', 'zygote')[turn % 4]
        turn += 1
        for pid in named(this, kind)[:1]:
            try:
                os.kill(pid, signal.SIGKILL)
                kills[kind] += 1
            except ProcessLookupError:
                pass
        time.sleep(0.4)
    load.wait()
    accepted, refused = nothing_lost(this, load)
    diag(f'kills {kills}, {len(accepted)} accepted, {len(refused)} deferred')
    check(all(load.replies[number].code in (421, 451, 450, 0) for number in refused), True, 'refusals are temporary')
    check(kills['worker'] > 0 and kills['template'] > 0, True, 'something was killed')
    wait_for(this.filter.answers, 10, 'the filter')
    wait_for(lambda: send(this, GOOD)[0] == {'zip', 'answered'}, 15, 'the scanner')


def numbered(number, series):
    octets = attached(zipped(f'{number}.txt', b'hello %d' % number), 'a.zip')
    ident = b'Message-ID: <s%dn%d.' % (series, number)
    return octets.replace(b'Message-ID: <', ident)


def rogue_folder():
    """A folder in which the programs are, with the rogue as tocsind."""
    built = os.environ.get('builddir', '.')
    rogue = os.path.join(built, 'tests/integration/rogue_tocsind')
    if not os.path.exists(rogue):
        raise Skip('rogue_tocsind is not built')
    folder = tempfile.mkdtemp(prefix='tocsin-rogue-')
    os.chmod(folder, 0o777)
    os.symlink(os.path.abspath(rogue), os.path.join(folder, 'tocsind'))
    os.symlink(os.path.abspath(os.path.join(built, 'tocsin')), os.path.join(folder, 'tocsin'))
    return folder


def on_failure(this):
    return this.log()


FOLDER = rogue_folder()
os.environ['TOCSIN_BIN'] = FOLDER
os.environ['TOCSIN_ROGUE_FILE'] = os.path.join(FOLDER, 'made')
try:
    run(lambda: bench.bench(POLICY, settings=SETTINGS), on_failure)
finally:
    shutil.rmtree(FOLDER)
