#!/usr/bin/env python3
"""The supervisor and its filter: start, reload, restart, control, stop."""
import contextlib
import json
import os
import pwd
import re
import signal
import socket
import stat
import subprocess
import threading
import time

import bench
import filter as tocsind
import milter_client
import samples
from tap import Skip, case, check, check_in, check_not_in, diag, run, wait_for

POLICY = """\
switch containment off
rule marked "which policy judged this" {{ severity low  when size > 0 then tag "X-Generation" "{name}" }}
rule contained "only while the switch is on" {{ severity low  when containment then tag "X-Contained" "yes" }}
"""
BROKEN = '\nrule broken "does not load" { when nosuchfield == 1 then tag }\n'


def policy(name):
    return POLICY.format(name=name)


def milter(this):
    client = milter_client.MilterClient(this.filter.socket, timeout=30)
    client.connect('192.0.2.20', 'mail.shop.test')
    client.helo('mail.shop.test')
    return client


def judged(client, ident='m1'):
    """One message; the answer, which must not defer."""
    answer = client.message('<news@shop.test>', ['<inbox@tocsin.test>'], samples.clean(ident))
    check(answer.action in ('accept', 'continue'), True, f'{answer}')
    return answer


def generation(client):
    return [value.strip() for value in judged(client).inserted('X-Generation')]


def log_after(this, mark):
    return this.filter.log_text()[mark:]


def status(this):
    done = this.filter.tool('status', '--json')
    check(done.returncode, 0, done.stdout)
    return json.loads(done.stdout)


def filter_after(this, old):
    """The number of the filter that runs, when it is another than `old`."""
    pid = int(status(this)['filter-pid'])
    return pid if pid not in (0, old) else None


class Traffic(threading.Thread):
    """One connection that sends messages until it is told to stop."""

    def __init__(self, this):
        super().__init__()
        self.this, self.seen, self.problem, self.ending = this, [], None, False
        self.start()

    def run(self):
        try:
            with milter(self.this) as client:
                while not self.ending:
                    self.seen.append(generation(client))
        except Exception as problem:
            self.problem = problem

    def finish(self):
        self.ending = True
        self.join()
        if self.problem:
            raise self.problem
        return self.seen


@contextlib.contextmanager
def another(this, policy_text=policy('x')):
    """A tocsind beside the bench's, not started."""
    folder = os.path.join(this.top, f'another{time.monotonic_ns()}')
    os.makedirs(folder)
    found = tocsind.Filter(folder, policy_text, dns=this.dns.host_port)
    try:
        yield found
    except Exception:
        found.stop()
        diag(found.log_text()[-4000:])
        raise
    finally:
        found.stop()


def run_once(this, *extra):
    """Starts it and expects it to end by itself."""
    done = subprocess.run(this.command(*extra), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=30)
    return done.returncode, done.stdout


@case('-n says what is wrong, with place, and exits with 0 or 78')
def check_only(this):
    with another(this) as other:
        check(other.check()[0], 0, 'a good configuration')
        other.write_policy(policy('x') + BROKEN)
        code, text = other.check()
        check(code, 78, 'a broken one')
        check_in('10-test.policy:5:', text)
        check_in('nosuchfield', text)
        other.write_policy(policy('x'))
        other.socket = '127.0.0.1:8899'
        other.template = other.template.replace('unix:{socket}', 'inet:{socket}')
        other.write_conf()
        code, text = other.check()
        check(code, 78, 'an address as in main.cf')
        check_in('inet:8899@127.0.0.1', text)


@case('-V names the libraries, --help the options, a wrong option is 64')
def versions(this):
    program = tocsind.program('tocsind')
    shown = subprocess.run([program, '-V'], stdout=subprocess.PIPE, text=True, check=True).stdout
    for name in ('tocsind', 'libmilter', 'libopendkim', 'libunbound', 'libcrypto'):
        check_in(name, shown)
    check_in('-c FILE', subprocess.run([program, '--help'], stdout=subprocess.PIPE, text=True, check=True).stdout)
    check(subprocess.run([program, '--nonsense'], stderr=subprocess.DEVNULL).returncode, 64, 'exit status')


@case('the socket has the mode of the settings, the control socket is ours alone')
def modes(this):
    check(stat.S_IMODE(os.stat(this.filter.socket).st_mode), 0o666, 'socket')
    check(stat.S_IMODE(os.stat(this.filter.control).st_mode), 0o600, 'control socket')
    check(os.listdir(os.path.dirname(this.filter.socket)), ['tocsin.sock'], 'the socket alone is there')


@case('a file at the place of the socket is left alone, a stale socket is replaced')
def places(this):
    with another(this) as other:
        with open(other.socket, 'w') as file:
            file.write('mine')
        code, text = run_once(other)
        check(code, 75, text)
        check_in('is no socket', text)
        with open(other.socket) as file:
            check(file.read(), 'mine', 'the file')
        os.unlink(other.socket)
        stale = socket.socket(socket.AF_UNIX)
        stale.bind(other.socket)
        stale.close()
        other.start()
        check(other.stop(), 0, 'exit status')


@case('a second tocsind does not take over the socket of the first')
def second(this):
    code, text = run_once(this.filter)
    check(code, 75, text)
    check_in('served by another process', text)
    with milter(this) as client:
        judged(client)


@case('a folder that is not there, or not to be written, is named')
def folders(this):
    with another(this) as other:
        os.rmdir(os.path.dirname(other.socket))
        code, text = run_once(other)
        check(code, 75, text)
        check_in(os.path.dirname(other.socket), text)


@case('a reload is in force for the next message of an open connection')
def reloads(this):
    this.filter.write_policy(policy('one'))
    check(this.filter.tool('reload').returncode, 0, 'reload')
    with milter(this) as client:
        check(generation(client), ['one'], 'before')
        client.envelope('<news@shop.test>', ['<inbox@tocsin.test>'])
        this.filter.write_policy(policy('two'))
        done = this.filter.tool('reload')
        check(done.returncode, 0, done.stdout)
        check_in('in force', done.stdout)
        fields, body = milter_client.mta_view(samples.clean('m2'))
        for name, value in fields:
            client.header(name, value)
        client.end_of_headers()
        client.body(body)
        answer = client.end_of_message()
        check([value.strip() for value in answer.inserted('X-Generation')], ['one'], 'begun before the reload')
        check(generation(client), ['two'], 'after')


@case('a policy that does not load keeps the old one, and says why with file, line and column')
def refused(this):
    mark = len(this.filter.log_text())
    this.filter.write_policy(policy('three'))
    check(this.filter.tool('reload').returncode, 0, 'reload')
    this.filter.write_policy(policy('four') + BROKEN)
    done = this.filter.tool('reload')
    check(done.returncode, 78, done.stdout)
    check_in('10-test.policy:5:', done.stdout)
    check_in('old policy stays', done.stdout)
    check_in('10-test.policy:5:', log_after(this, mark))
    with milter(this) as client:
        check(generation(client), ['three'], 'what is in force')
    check_in('old policy stays', status(this)['last-refused'])


# What a policy can set and no filter can run with, and where that is said.
UNUSABLE = {
    'resolver { server "bananas" }': ('bananas', '10:19:'),
    'resolver { server "127.0.0.1@99999" }': ('99999', '10:19:'),
    'resolver { server "zone:{top}/broken.zone" }': ('zone line 2', '10:19:'),
    'resolver { dnssec on  trust-anchor "{top}/none.key" }': ('none.key', '10:36:'),
    'resolver { dnssec on  trust-anchor "{top}/broken.zone" }': ('trust anchor', '10:36:'),
}


def with_resolver(other, line):
    """Replaces the line of the resolver, the bench's, by one at line 10."""
    other.template = ''.join(one for one in tocsind.CONF.splitlines(True) if not one.startswith('resolver'))
    other.write_conf(line.replace('{top}', other.top))


@case('settings that no filter could run with are errors where they stand: -n, check, reload and start')
def unusable(this):
    with another(this) as other:
        other.write('broken.zone', 'good.test. A 192.0.2.1\nbad.test. BANANA 1\n')
        other.start()
        for line, (word, place) in UNUSABLE.items():
            with_resolver(other, line)
            for code, text in (other.check(), run_once(other),
                               (lambda done: (done.returncode, done.stdout))(other.tool('check', '-c', other.conf)),
                               (lambda done: (done.returncode, done.stdout))(other.tool('reload'))):
                check(code, 78, f'{line}: {text}')
                check_in(word, text)
                check_in('tocsin.conf:' + place, text)
        with milter(type('', (), {'filter': other})) as client:
            check(generation(client), ['x'], 'what is in force')


@case('a file of the resolver that breaks after the load costs look-ups, not the filter')
def breaks_later(this):
    down = 'rule down "our resolver" { severity low  when resolver.down then tag "X-Generation" "down" }'
    with another(this, down) as other:
        bench_of = type('', (), {'filter': other})
        zone = other.write('some.zone', 'good.test. A 192.0.2.1\n')
        with_resolver(other, 'resolver { server "zone:{top}/some.zone" }')
        other.start()
        with milter(bench_of) as client:
            check(generation(client), [], 'before')
        old = filter_after(bench_of, 0)
        other.write('some.zone', 'BANANA\n')
        os.kill(old, signal.SIGKILL)
        wait_for(lambda: filter_after(bench_of, old) and other.answers(), 10)
        with milter(bench_of) as client:
            check(generation(client), ['down'], 'without a resolver')
        check(status(bench_of)['restarts'], 1, 'one start is enough')
        other.write(os.path.basename(zone), 'good.test. A 192.0.2.1\n')

        def there_again():
            with milter(bench_of) as client:
                return generation(client) == []
        wait_for(there_again, 20, 'the resolver to be made again')


@case('a setting that needs a restart stays as it was, also for switches and a new filter')
def needs_restart(this):
    with another(this) as other:
        bench_of = type('', (), {'filter': other})
        other.start()
        old = filter_after(bench_of, 0)
        other.template = other.template.replace('"{state}"', '"{state}-elsewhere"')
        other.write_conf()
        for _ in range(2):
            done = other.tool('reload')
            check(done.returncode, 0, done.stdout)
            check_in('only a restart brings it into force: state-directory', done.stdout)
            check(other.tool('set', 'containment', 'on', '--for', '1h', '--reason', 'test').returncode, 0, 'set')

            def contained():
                with milter(bench_of) as client:
                    return judged(client).inserted('X-Contained') != []
            wait_for(contained, 3, 'the switch to act')
            os.kill(old, signal.SIGKILL)
            wait_for(lambda: filter_after(bench_of, old) and other.answers(), 10)
            check(contained(), True, 'after a new start of the filter')
            old = filter_after(bench_of, old)
        check(os.path.exists(other.state + '-elsewhere'), False, 'nothing is made there')


@case('a filter that is started again has the policy in force, not the broken one in the file')
def restarted(this):
    old = filter_after(this, 0)
    os.kill(old, signal.SIGKILL)
    start = time.monotonic()
    wait_for(lambda: filter_after(this, old) and this.filter.answers(), 5)
    check(time.monotonic() - start < 1.5, True, f'back after {time.monotonic() - start:.2f} s')
    with milter(this) as client:
        check(generation(client), ['three'], 'what is in force')
    check(status(this)['restarts'] >= 1, True, 'it is counted')


@case('HUP 50 times under traffic: no connection is lost, each message has one policy')
def hang_ups(this):
    this.filter.write_policy(policy('h0'))
    check(this.filter.tool('reload').returncode, 0, 'reload')
    traffic = [Traffic(this) for _ in range(4)]
    for number in range(50):
        text = policy(f'h{number}') + (BROKEN if number % 3 == 1 else '')
        this.filter.write_policy(text)
        this.filter.hang_up()
        time.sleep(0.02)
    this.filter.write_policy(policy('last'))
    check(this.filter.tool('reload').returncode, 0, 'reload')
    seen = [one for thread in traffic for one in thread.finish()]
    wrong = [one for one in seen if len(one) != 1 or (one[0] != 'last' and int(one[0][1:]) % 3 == 1)]
    check(wrong, [], f'of {len(seen)} messages')
    with milter(this) as client:
        check(generation(client), ['last'], 'in the end')


LISTED = 'rule listed "an indicator" { severity high  when any indicator  then quarantine }'
FEEDS = """
feed one { source "feeds/one.txt"  format list  status verified }
feed folder { source "feeds/all"  format list  status verified }
"""


def seconds_until_held(this, name):
    """How long after now mail that carries a link to `name` is held."""
    start = time.monotonic()
    with milter(this) as client:
        def held():
            text = samples.message('Shop <news@shop.test>', 'a link', f'See http://{name}/ for more.\n')
            return client.message('<news@shop.test>', ['<inbox@tocsin.test>'], text).quarantined
        wait_for(held, 15, f'{name} to be held')
    return time.monotonic() - start


def put(path, names, changed=None):
    """A file of the feed, put into place whole; `changed` is its own time."""
    with open(path + '.aside', 'w') as file:
        file.writelines(f'{name}\n' for name in names)
    if changed is not None:
        os.utime(path + '.aside', (changed, changed))
    os.replace(path + '.aside', path)


@case('files of feeds act within seconds, one after the other, whatever their own time is')
def dropped_feeds(this):
    with another(this, LISTED) as filter:
        filter.write_conf(FEEDS)
        os.makedirs(os.path.join(filter.top, 'feeds', 'all'))
        one, folder = (os.path.join(filter.top, 'feeds', name) for name in ('one.txt', 'all'))
        put(one, ['zero.example'])
        filter.start()
        bench_of = type('', (), {'filter': filter})
        slowest, now = 0.0, time.time()
        for number, (path, changed) in enumerate([
                (one, None), (one, now - 86400), (one, now + 86400), (folder + '/a.txt', None),
                (folder + '/b.txt', now - 86400), (one, now - 2 * 86400)]):
            put(path, [f'name{number}.example'], changed)
            slowest = max(slowest, seconds_until_held(bench_of, f'name{number}.example'))
        diag(f'{slowest:.1f} s at most until a file acted')
        check(slowest < 8, True, f'{slowest:.1f} s until a file acted')


@case('what root adds by hand is the filter\'s to read, and acts within a second or two')
def added_by_root(this):
    with another(this, LISTED) as filter:
        filter.write_conf(FEEDS)
        filter.start()
        check(filter.tool('indicators', 'build').returncode, 0)
        bench_of = type('', (), {'filter': filter})
        done = filter.tool('indicators', 'add', 'domain', 'by-hand.example', '--severity', 'high')
        check(done.returncode, 0, done.stdout)
        seconds = seconds_until_held(bench_of, 'by-hand.example')
        check(seconds < 5, True, f'{seconds:.1f} s until it acted')
        owner = os.stat(filter.state).st_uid
        names = os.listdir(filter.state)
        check({'local.indicators', 'indicators.lock', 'indicators.store'} <= set(names), True, f'{names}')
        for name in names:
            check(os.stat(os.path.join(filter.state, name)).st_uid, owner, f'owner of {name}')


def searching(name, count=300):
    rules = [f'rule s{i} {{ severity low  when subject matches /\\bword{i}\\s+(and|or) {name}/i\n'
             f'then tag "X-S{i}" "yes" }}' for i in range(count)]
    return policy(name) + '\n'.join(rules) + '\n'


@case('many patterns are searched for at once when that is compiled; a reload does not wait for it')
def compiled_patterns(this):
    shown = subprocess.run([tocsind.program('tocsind'), '-V'], capture_output=True, text=True, check=True).stdout
    line = 'patterns in one pass fields=1 patterns=300 one_by_one=0'

    def found(client, name):
        mail = samples.message('Shop <news@shop.test>', f'a WORD7  or {name.upper()}', 'Text.\n', ident='m1')
        answer = client.message('<news@shop.test>', ['<inbox@tocsin.test>'], mail)
        return [value.strip() for header in ('X-S7', 'X-S8') for value in answer.inserted(header)]
    with another(this, searching('one')) as filter:
        filter.start()
        bench_of = type('', (), {'filter': filter})
        with milter(bench_of) as client:
            check(found(client, 'one'), ['yes'], 'at the start')
            if 'not built in' in shown:
                raise Skip('built without Vectorscan')
            wait_for(lambda: line in filter.log_text(), 30, 'compiled patterns')
            check(found(client, 'one'), ['yes'], 'in one pass')
            mark = len(filter.log_text())
            filter.write_policy(searching('two'))
            check(filter.tool('reload').returncode, 0)
            check(found(client, 'two'), ['yes'], 'right after the reload')
            check(found(client, 'one'), [], 'what is no more')
            wait_for(lambda: line in filter.log_text()[mark:], 30, 'compiled patterns of the second policy')
            check(found(client, 'two'), ['yes'], 'in one pass')
            check(generation(client), ['two'], 'the policy in force')
            filter.write_conf('vectorscan off\n')
            mark = len(filter.log_text())
            check(filter.tool('reload').returncode, 0)
            check(found(client, 'two'), ['yes'], 'one by one')
            time.sleep(2)
            check_not_in('patterns in one pass', filter.log_text()[mark:])


@case('patterns at which their compiler crashes are searched for one by one, and crash no filter')
def crashing_patterns(this):
    shown = subprocess.run([tocsind.program('tocsind'), '-V'], capture_output=True, text=True, check=True).stdout
    rogue = os.path.join(os.environ.get('builddir', '.'), 'tests/integration/rogue_tocsind')
    if 'not built in' in shown or not os.path.exists(rogue):
        raise Skip('built without Vectorscan')
    with another(this, searching('roguecrash', 20)) as filter:
        bench_of = type('', (), {'filter': filter})
        usual = filter.command
        filter.command = lambda *extra: [os.path.abspath(rogue), *usual(*extra)[1:]]
        filter.start()
        wait_for(lambda: 'making one search of them crashed' in filter.log_text(), 20, 'the crash to be told')
        mail = samples.message('Shop <news@shop.test>', 'a WORD7  or ROGUECRASH', 'Text.\n', ident='m1')
        with milter(bench_of) as client:
            answer = client.message('<news@shop.test>', ['<inbox@tocsin.test>'], mail)
            check([value.strip() for value in answer.inserted('X-S7')], ['yes'], 'one by one')
        time.sleep(1)
        check(status(bench_of)['restarts'], 0, 'the filter')
        filter.write_policy(searching('roguecrash', 21))
        check(filter.tool('reload').returncode, 0)
        wait_for(lambda: filter.log_text().count('making one search of them crashed') == 2, 20, 'the second crash')
        check(status(bench_of)['restarts'], 0, 'the filter after a reload')


@case('what is discarded is kept first: where the quota is full it is deferred')
def discards(this):
    with another(this, 'rule gone "a copy is enough" { severity high  when subject == "drop" then discard }') as filter:
        filter.write_conf('evidence-quota 1')
        filter.start()
        bench_of = type('', (), {'filter': filter})
        mail = samples.message('Shop <news@shop.test>', 'drop', 'Text.\n', ident='m1')

        def action():
            with milter(bench_of) as client:
                return client.message('<news@shop.test>', ['<inbox@tocsin.test>'], mail).action
        check_in(action(), ('tempfail', 'reply'))
        check_in('raise evidence-quota', filter.log_text())
        check_in('disposition=defer', filter.log_text())
        filter.write_conf('evidence-quota 1MB')
        check(filter.stop(), 0, 'exit status')
        filter.start()
        check(action(), 'discard', 'with room')
        kept = [name for name in os.listdir(os.path.join(filter.state, 'evidence')) if name.endswith('.eml')]
        check(len(kept), 1, f'{kept}')


@case('a switch acts at once, survives a restart and ends by itself')
def switches(this):
    def contained(client):
        return [value.strip() for value in judged(client).inserted('X-Contained')]
    with milter(this) as client:
        check(contained(client), [], 'off')
        os.environ['LOGNAME'] = os.environ['SUDO_USER'] = ''  # as in a timer
        done = this.filter.tool('set', 'containment', 'on', '--for', '1h', '--reason', 'ticket 41')
        check(done.returncode, 0, done.stdout)
        check(contained(client), ['yes'], 'on')
    found = [one for one in status(this)['switches'] if one['name'] == 'containment']
    check((found[0]['on'], found[0]['reason']), (True, 'ticket 41'), 'status')
    check_in(f'by="{pwd.getpwuid(os.getuid()).pw_name}" reason="ticket 41"', this.filter.log_text())
    old = filter_after(this, 0)
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: filter_after(this, old) and this.filter.answers(), 5)
    with milter(this) as client:
        check(contained(client), ['yes'], 'after a restart')
        done = this.filter.tool('set', 'containment', 'on', '--for', '1s')
        check(done.returncode, 0, done.stdout)
        wait_for(lambda: contained(client) == [], 5, 'its end')
    check_in('has ended', this.filter.log_text())
    done = this.filter.tool('set', 'containmend', 'on')
    check(done.returncode, 1, 'what the filter refuses')
    check(done.returncode != 0, True, 'an unknown switch')
    check_in('did you mean "containment"', done.stdout)


@case('status tells policy, store and counters')
def statuses(this):
    with milter(this) as client:
        judged(client)
    found = status(this)
    check(found['policy']['rules'], 2, 'rules')
    check(found['counters']['messages'] > 0, True, 'messages')
    done = this.filter.tool('status')
    check_in('policy    generation', done.stdout)
    check_in(found['policy']['hash'], done.stdout)


@case('only root and its own user may speak to the control socket')
def strangers(this):
    if os.getuid() != 0:
        raise Skip('needs root')
    os.chmod(this.filter.control, 0o666)
    script = ('import os, socket\n'
              'os.setuid(12345)\n'
              's = socket.socket(socket.AF_UNIX)\n'
              f's.connect({this.filter.control!r})\n'
              'try: s.sendall(b\'{"request":"reload"}\\n\')\n'
              'except BrokenPipeError: pass\n'
              'print(s.recv(1000).decode())\n')
    os.chmod(this.top, 0o755)
    done = subprocess.run(['python3', '-c', script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    os.chmod(this.filter.control, 0o600)
    check_in('only root', done.stdout)


@case('nonsense at the control socket is answered, silence does not hold it up')
def nonsense(this):
    silent = socket.socket(socket.AF_UNIX)
    silent.connect(this.filter.control)
    for line in (b'nonsense\n', b'[]\n', b'{}\n', b'{"request":7}\n', b'{"request":"fly"}\n'):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(this.filter.control)
            client.sendall(line)
            check_in(b'"ok":false', client.recv(4096), f'answer to {line}')
    silent.close()
    check(status(this)['ok'], True, 'it still serves')


@case('a crash loop is slowed down and ends when the cause does')
def crash_loop(this):
    pid = 0
    for _ in range(5):
        pid = wait_for(lambda: filter_after(this, pid), 5)
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: filter_after(this, pid), 5)
    with milter(this) as client:
        judged(client)


@case('the process that starts scanners may die: it is replaced, and mail goes on')
def zygotes(this):
    known = int(status(this)['filter-pid'])
    zygote = next(pid for pid in tocsind.children(this.filter.process.pid) if pid != known)
    os.kill(zygote, signal.SIGKILL)
    wait_for(lambda: filter_after(this, known) and this.filter.answers(), 10)
    with milter(this) as client:
        judged(client)


@case('messages that wait for a dead resolver do not wait for one another')
def dead_resolver(this):
    with another(this) as other, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as hole:
        hole.bind(('127.0.0.1', 0))  # takes questions and never answers
        other.dns = f'127.0.0.1@{hole.getsockname()[1]}'
        other.template = other.template.replace('deadline 5s', 'deadline 2s')
        other.write_conf()
        other.start()
        clients, took = [], []
        for number in range(40):
            client = milter_client.MilterClient(other.socket, timeout=60)
            client.connect('192.0.2.20', 'mail.shop.test')
            client.helo('mail.shop.test')
            client.envelope(f'<news@slow{number}.test>', ['<inbox@tocsin.test>'])
            fields, body = milter_client.mta_view(samples.clean(f'w{number}'))
            for name, value in fields:
                client.header(name, value)
            client.end_of_headers()
            client.body(body)
            clients.append(client)

        def finish(client):
            start = time.monotonic()
            client.end_of_message()
            took.append(time.monotonic() - start)
        threads = [threading.Thread(target=finish, args=(client,)) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        check(len(took), 40, 'answers')
        check(max(took) < 3.5, True, f'the slowest took {max(took):.1f} s')


@case('a message in hand is finished when it stops')
def drains(this):
    with another(this, policy('drain')) as other:
        other.start()
        client = milter_client.MilterClient(other.socket, timeout=30)
        client.connect('192.0.2.20', 'mail.shop.test')
        client.helo('mail.shop.test')
        client.envelope('<news@shop.test>', ['<inbox@tocsin.test>'])
        other.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        fields, body = milter_client.mta_view(samples.clean('m3'))
        for name, value in fields:
            client.header(name, value)
        client.end_of_headers()
        client.body(body)
        answer = client.end_of_message()
        check(len(answer.inserted('X-Generation')), 1, 'the message in hand')
        check(other.process.wait(10), 0, 'exit status')
        other.process = None
        check_not_in('killed', other.log_text())


@case('when the supervisor is killed the filter goes with it')
def orphan(this):
    with another(this) as other:
        other.start()
        pid = int(wait_for(lambda: re.search(r'filter ready pid=(\d+)', other.log_text()), 10, 'the filter')[1])
        os.kill(other.process.pid, signal.SIGKILL)
        other.process.wait()
        other.process = None
        wait_for(lambda: not os.path.exists(f'/proc/{pid}'), 10, 'the end of the filter')


@case('the whole stops within a second when nothing is in hand')
def stops(this):
    with another(this) as other:
        other.start()
        start = time.monotonic()
        check(other.stop(), 0, 'exit status')
        check(time.monotonic() - start < 2, True, f'took {time.monotonic() - start:.1f} s')
        if os.getuid() != 0:  # else its user may not remove what root made
            check(os.path.exists(other.control), False, 'the control socket is gone')
            check(os.path.exists(other.socket), False, 'the socket is gone')
        other.start()
        check(other.stop(), 0, 'a start over what was left')


run(lambda: bench.bench(policy('start'), with_postfix=False), lambda this: this.log())
