#!/usr/bin/env python3
"""Bad input for the indicator engine: whatever a feed has become, what was in
force stays in force and the message says so."""
import contextlib
import json
import os
import pty
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from filter import program
from tap import Skip, case, check, check_in, diag, run, skip_all


class World:
    def __init__(self, top):
        self.top, self.state = top, os.path.join(top, 'state')
        self.conf, self.feed = os.path.join(top, 'tocsin.conf'), os.path.join(top, 'feed')
        os.makedirs(self.state)
        self.configure()

    def configure(self, options=''):
        with open(self.conf, 'w') as file:
            file.write(f'state-directory "{self.state}"\nown-domains {{ "tocsin.test" }}\n'
                       f'own-networks {{ 10.0.0.0/8 }}\ntrusted-relays {{ 127.0.0.0/8 }}\n'
                       f'feed x {{ source "{self.feed}" status verified {options} }}\n')

    def publish(self, octets):
        with open(self.feed + '.new', 'wb') as file:
            file.write(octets if isinstance(octets, bytes) else octets.encode())
        os.replace(self.feed + '.new', self.feed)

    def build(self, status=0, **options):
        done = subprocess.run([program('tocsin'), 'indicators', '-c', self.conf, 'build', '--json'],
                              capture_output=True, timeout=120, **options)
        check(done.returncode, status, f'build: {done.stdout[-1500:]}{done.stderr[-1500:]}')
        report = json.loads(done.stdout)
        report['stderr'] = done.stderr.decode()
        return report

    def forget(self):
        """As on the first day."""
        for name in os.listdir(self.state):
            os.unlink(os.path.join(self.state, name))
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.feed)

    def acts(self, value):
        done = subprocess.run([program('tocsin'), 'indicators', '-c', self.conf, 'query', '--json', value],
                              capture_output=True, text=True, timeout=60)
        return json.loads(done.stdout)['acts']

    def generation(self):
        done = subprocess.run([program('tocsin'), 'indicators', '-c', self.conf, 'stat', '--json'],
                              capture_output=True, text=True, timeout=60)
        return json.loads(done.stdout)['generation']


def names(count, word='evil'):
    return ''.join(f'{word}-{number}.example\n' for number in range(count))


def indicator(number, pattern=None):
    return {'type': 'indicator', 'id': f'indicator--{number:08x}-0000-4000-8000-000000000000',
            'modified': '2026-01-01T00:00:00Z',
            'pattern': pattern or f"[domain-name:value = 'stix-{number}.example']"}


def bundle(objects):
    return json.dumps({'type': 'bundle', 'id': 'bundle--1', 'objects': objects})


def kept(world, why, octets):
    """Publishes that over 1,000 good names: they stay, and it is said why."""
    world.publish(names(1000))
    world.build()
    world.publish(octets)
    report = world.build()
    feed = report['feeds'][0]
    check(feed['kept'], True, f'kept: {feed}')
    check_in(why, feed['warning'])
    check_in('older content stays', feed['warning'])
    check(world.acts('evil-999.example'), True, 'the old content')


@case('a column that is not in the heading is named, beside those that are')
def no_column(world):
    world.configure('format csv columns { value "Indicator" type "Typ" }')
    try:
        world.publish('Indikator;Typ;Datum\nevil.example;domain;2026-11-20\n')
        check_in('has no column named "Indicator"; it has Indikator, Typ, Datum', world.build()['feeds'][0]['warning'])
    finally:
        world.configure()


@case('URLs at our own domains act and are told; what is taken out by hand stays out')
def own_urls(world):
    world.publish('https://www.tocsin.test/login.php\nhttps://tocsin.test/privacy\nhttps://nottocsin.test/x\n')
    told = [text for text in world.build()['warnings'] if 'own-domains' in text]
    check(len(told), 1, f'{told}')
    check_in('feed x: 2 URLs at own-domains act, such as https://www.tocsin.test/login.php; ', told[0])
    check(world.acts('https://www.tocsin.test/login.php'), True, 'it acts')
    subprocess.run([program('tocsin'), 'indicators', '-c', world.conf, 'remove', '--mask', 'url',
                    'https://tocsin.test/privacy'], check=True, capture_output=True)
    world.build()
    check(world.acts('https://tocsin.test/privacy'), False, 'what was taken out')
    world.forget()
    world.publish('https://nottocsin.test/x\n')
    check([text for text in world.build()['warnings'] if 'own-domains' in text], [], 'a name that only ends alike')
    world.forget()


@case('a state directory that is not there is named, with how it is made')
def no_state(world):
    world.publish('evil.example\n')
    os.rename(world.state, world.state + '.away')
    try:
        said = world.build(status=73)['stderr']
    finally:
        os.rename(world.state + '.away', world.state)
    check_in(f'the state-directory {world.state} does not exist', said)
    check_in('install -d -m 0700', said)


@case('an empty feed keeps the old content')
def empty(world):
    kept(world, 'is empty', b'')


@case('one that shrank by 95 % keeps the old content')
def shrunk(world):
    kept(world, 'has shrunk from 1000 to 50', names(50))


@case('one that became something else keeps the old content')
def foreign(world):
    kept(world, 'XML or HTML', '<!DOCTYPE html><html><body>502 Bad Gateway</body></html>')
    kept(world, 'compressed', b'\x1f\x8b\x08\0\0\0\0\0' + os.urandom(500))
    kept(world, 'is JSON, but neither STIX nor MISP', '{"error":"quota exceeded"}')


@case('one that is gone or unreadable keeps the old content')
def gone(world):
    world.publish(names(1000))
    world.build()
    os.unlink(world.feed)
    feed = world.build()['feeds'][0]
    check(feed['kept'], True)
    check_in('No such file', feed['warning'])
    check(world.acts('evil-1.example'), True)


@case('a bundle that was cut off keeps the old content; without any, what stands before the cut is used')
def truncated(world):
    whole = bundle([indicator(number) for number in range(1000)])
    kept(world, 'ends in the middle', whole[:len(whole) * 3 // 4])
    os.unlink(os.path.join(world.state, 'indicators.store'))
    feed = world.build()['feeds'][0]
    check(700 < feed['used'] < 800, True, f'{feed}')
    check(feed['ignored']['bad-object'] > 0, True, 'the cut is counted')
    check_in('ends in the middle', feed['warning'])
    check(world.acts('stix-1.example'), True)
    event = json.dumps({'Event': {'uuid': 'u', 'info': 'i', 'Attribute': [
        {'type': 'domain', 'value': f'misp-{number}.example', 'to_ids': True} for number in range(1000)]}})
    kept(world, 'ends in the middle', event[:len(event) * 3 // 4])


@case('one bad object among many costs itself')
def one_bad(world):
    objects = [json.dumps(indicator(number)) for number in range(1000)]
    objects[500] = '{"type":"indicator","id":7,"pattern":[[["x'
    objects[501] = '{"type":"indicator","id":"i","pattern":"[domain-name:value = \'x"}'
    world.publish('{"type":"bundle","objects":[' + ','.join(objects[:500] + objects[501:]) + ']}')
    feed = world.build()['feeds'][0]
    check((feed['used'], feed['ignored'].get('bad-pattern')), (998, 1))
    world.publish('\n'.join(objects))
    feed = world.build()['feeds'][0]
    check((feed['used'], feed['ignored'].get('bad-object')), (998, 1), 'as lines')


@case('a line of 1 MB and a depth of 100,000 cost themselves')
def huge(world):
    world.publish(names(500) + 'x' * 1000000 + '\n' + names(500, 'more'))
    feed = world.build()['feeds'][0]
    check((feed['used'], feed['ignored'].get('bad-object')), (1000, 1))
    deep = json.dumps(indicator(1))[:-1] + ',"x":' + '[' * 100000 + ']' * 100000 + '}'
    objects = [json.dumps(indicator(number)) for number in range(2, 1000)]
    world.publish('{"type":"bundle","objects":[' + ','.join([deep, *objects]) + ']}')
    feed = world.build()['feeds'][0]
    check((feed['used'], feed['ignored'].get('bad-object')), (998, 1))
    pattern = '(' * 100000 + "domain-name:value = 'a.example'" + ')' * 100000
    world.publish(bundle([indicator(1, f'[{pattern}]'), *(indicator(number) for number in range(2, 1000))]))
    feed = world.build()['feeds'][0]
    check((feed['used'], feed['ignored'].get('bad-pattern')), (998, 1))


@case('a byte order mark and octets that are no UTF-8 cost nothing but their line')
def octets(world):
    world.publish(b'\xef\xbb\xbfbom.example\r\n\xff\xfe\x80.example\r\n' + names(1000).encode() + b'\0\0\n')
    feed = world.build()['feeds'][0]
    check(feed['used'] >= 1001, True, f'{feed}')
    check(world.acts('bom.example'), True)
    world.publish(b'\xef\xbb\xbf' + bundle([indicator(number) for number in range(1000)]).encode())
    check(world.build()['feeds'][0]['used'], 1000, 'a bundle with a mark')


@case('a feed that is replaced and cut while it is read gives the old or the new')
def replaced(world):
    world.publish(names(100000))
    world.build()
    ending = threading.Event()

    def rewrite():
        while not ending.is_set():
            world.publish(names(100000, 'evil'))
            with open(world.feed, 'r+b') as file:
                file.truncate(1500000)
            time.sleep(0.02)

    writer = threading.Thread(target=rewrite)
    writer.start()
    try:
        for _ in range(3):
            world.build()
            check(world.acts('evil-7.example'), True)
    finally:
        ending.set()
        writer.join()


def rows(begin, end):
    """CSV rows of more than 100 octets, with quotes and line ends inside a cell."""
    return ''.join(f'row-{number}.example,domain,"a ""quoted"", cell\nof two lines {"x" * 60}"\n'
                   for number in range(begin, end))


@case('a large file of lines is read whole, and a line larger than any buffer costs itself')
def large(world):
    world.forget()
    world.publish('value,type,description\n' + rows(0, 60000) + 'x' * 6000000 + ',evil.example\n' + rows(60000, 120000))
    feed = world.build()['feeds'][0]
    check((feed['used'], feed['ignored'].get('bad-object')), (120000, 1), f'{feed}')
    check(feed['bytes'] > 18000000, True, 'read')
    for value in ('row-0.example', 'row-59999.example', 'row-60000.example', 'row-119999.example'):
        check(world.acts(value), True, value)
    check(world.acts('evil.example'), False, 'behind the long line')
    world.publish(names(700000, 'listed'))
    feed = world.build()['feeds'][0]
    check((feed['used'], feed['format']), (700000, 'list'), f'{feed}')
    check(world.acts('listed-699999.example'), True)


@case('a large file that somebody writes to while it is read does not replace the old content')
def written_to(world):
    whole = names(600000)
    world.publish(whole)
    world.build()
    world.publish(whole)
    ending = threading.Event()

    def write():
        while not ending.is_set():
            with open(world.feed, 'ab') as file:
                file.write(b'more.example\n')
            time.sleep(0.01)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        feed = world.build()['feeds'][0]
    finally:
        ending.set()
        writer.join()
    check(feed['kept'], True, f'{feed}')
    check_in('written to while it was read', feed['warning'])
    check(world.acts('evil-599999.example'), True)
    check(world.build()['feeds'][0]['kept'], False, 'once it is at rest')


@case('UTF-16, as Windows programs write it, is read')
def utf16(world):
    world.forget()
    for encoding, mark in (('utf-16-le', b'\xff\xfe'), ('utf-16-be', b'\xfe\xff')):
        world.publish(mark + f'value;type\r\n{encoding}.example;domain\r\nb\u00fccher-\U0001f4a5.example;domain\r\n'
                      .encode(encoding))
        check(world.build()['feeds'][0]['format'], 'csv')
        check(world.acts(f'{encoding}.example'), True, encoding)


@case('of a folder, what was read and what was not is said')
def folder(world):
    world.forget()
    os.makedirs(os.path.join(world.feed, 'below'))
    for name, text in (('good.txt', names(10)), ('more.csv', 'value,type\nmore.example,domain\n'),
                       ('bad.ioc', '<ioc xmlns="http://schemas.mandiant.com/2010/ioc"/>'),
                       ('manifest.json', '{}'), ('.hidden', names(5, 'hidden')), ('below/list.txt', names(5, 'below'))):
        with open(os.path.join(world.feed, name), 'w') as file:
            file.write(text)
    feed = world.build()['feeds'][0]
    check((feed['files'], feed['files-failed'], feed['used']), (3, 1, 11), f'{feed}')
    left = '\n'.join(feed['left-out'])
    for words in ('bad.ioc is OpenIOC', 'below: is a folder', 'manifest.json: is the index of a MISP feed'):
        check_in(words, left)
    check('hidden' in left, False, 'hidden files')
    check((world.acts('more.example'), world.acts('below-1.example')), (True, False))
    for command in (('indicators', 'build'), ('indicators', 'explain', 'x'), ('check',)):
        done = subprocess.run([program('tocsin'), command[0], '-c', world.conf, *command[1:]], capture_output=True,
                              text=True, timeout=60)
        check(done.returncode, 0, f'{command}: {done.stderr}')
        check_in('below: is a folder', done.stdout + done.stderr)


def on_terminal(*command):
    """What the command writes to a terminal that is its standard error."""
    try:
        main, end = pty.openpty()
    except OSError as why:
        raise Skip(f'no terminal can be made here: {why}') from None
    done = subprocess.Popen([program('tocsin'), *command], stdout=subprocess.PIPE, stderr=end)
    os.close(end)
    text = b''
    with contextlib.suppress(OSError):
        while octets := os.read(main, 65536):
            text += octets
    done.communicate()
    os.close(main)
    check(done.returncode, 0, text.decode())
    return text.decode()


@case('on a terminal a long build shows rate and remaining time, elsewhere nothing')
def shown(world):
    shutil.rmtree(world.feed)
    count = 200000
    while True:
        world.publish(names(count))
        started = time.monotonic()
        check(world.build()['stderr'], '', 'not on a terminal')
        if time.monotonic() - started > 2.5 or count > 20000000:
            break
        count *= 2
    try:
        text = on_terminal('indicators', '-c', world.conf, 'build')
    finally:
        world.forget()
    check_in('indicators, ', text)
    check_in(' a second', text)
    # Less than a second is left of it where the machine became faster meanwhile.
    check_in(' left' if ', nearly done' not in text else ', nearly done', text)
    check(text.endswith('\r\x1b[K'), True, 'the line is taken away at the end')
    world.publish(names(100))
    check(on_terminal('indicators', '-c', world.conf, 'build'), '', 'a short one')


@case('a disk that is full leaves the old store in force')
def full(world):
    world.publish(names(1000))
    world.build()
    before = world.generation()
    world.publish(names(200000))
    report = world.build(status=73, restore_signals=False,
                         preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000000, 1000000)))
    check_in('File too large', report['stderr'])
    check(world.generation(), before, 'the generation')
    check(world.acts('evil-9.example'), True)
    check([name for name in os.listdir(world.state) if name.endswith('.new') or 'spool' in name], [], 'left behind')
    check(world.build()['indicators'], 200000)


@case('two builds at once: one works, the other says so')
def twice(world):
    world.publish(names(300000))
    command = [program('tocsin'), 'indicators', '-c', world.conf, 'build', '--json']
    builds = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    answers = [build.communicate() for build in builds]
    statuses = sorted(build.returncode for build in builds)
    check(statuses[0], 0)
    check(set(statuses) <= {0, 75}, True, f'{statuses}')
    for build, (_, errors) in zip(builds, answers):
        if build.returncode == 75:
            check_in('another build', errors)
    check(world.acts('evil-299999.example'), True)


@case('a store that is damaged is refused, and the next build replaces it')
def damaged(world):
    world.publish(names(1000))
    world.build()
    path = os.path.join(world.state, 'indicators.store')
    with open(path, 'r+b') as file:
        file.write(b'\0' * 64)
    done = subprocess.run([program('tocsin'), 'indicators', '-c', world.conf, 'verify'], capture_output=True,
                          text=True, timeout=60)
    check(done.returncode, 65)
    check_in('tocsin indicators build', done.stderr)
    report = world.build()
    check(report['indicators'], 1000)
    check(len(report['warnings']), 1, 'a warning')
    diag(report['warnings'][0])


def change(operation, value, added, **more):
    return json.dumps({'op': operation, 'kind': 'domain', 'value': value, 'added': added, **more}) + '\n'


def hand_file(world, octets, tail=''):
    """local.indicators of so many octets, of which all but a few lines are dead, and `tail`."""
    path, now = os.path.join(world.state, 'local.indicators'), int(time.time())
    live = ('# by hand\nnot understood\n' + ''.join(change('add', f'live-{number}.example', now)
                           for number in range(50))
            + change('mask', 'masked.example', 1000) + change('add', 'expired.example', 1000, expires=2000))
    pair = change('add', 'dead.example', 1000, description='x' * 20) + change('remove', 'dead.example', 1000)
    with open(path, 'w') as file:
        file.write(live + pair * ((octets - len(live) - len(tail) - 20) // len(pair)) + tail)
        file.write('\n' * (octets - 10 - file.tell()))
    os.chmod(path, 0o604)
    return path


def add(world, value, **options):
    return subprocess.Popen([program('tocsin'), 'indicators', '-c', world.conf, 'add', 'domain', value],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def all_live(world, path, others=()):
    with open(path) as file:
        text = file.read()
    for value in [f'live-{number}.example' for number in range(50)] + ['masked.example', *others]:
        check(text.count(f'"{value}"'), 1, value)
    check_in('# by hand\n', text)
    check_in('not understood\n', text)
    return text


@case('local.indicators is made shorter when most of its lines are dead, and takes changes when it is full')
def compacted(world):
    world.forget()
    for octets in (1 << 20, 64 << 20):
        path, begun = hand_file(world, octets), time.monotonic()
        with add(world, 'last.example') as adding:
            check((adding.wait(60), adding.stderr.read()), (0, ''))
        diag(f'{octets} octets: {time.monotonic() - begun:.2f} s, then {os.path.getsize(path)}')
        check(os.path.getsize(path) < 20000, True, f'{os.path.getsize(path)}')
        check(oct(os.stat(path).st_mode & 0o777), '0o604')
        text = all_live(world, path, ['last.example'])
        for value in ('dead.example', 'expired.example'):
            check(value in text, False, value)
        check(os.listdir(world.state), ['local.indicators'])
    # What was removed after the store in force was built may be in it.
    world.publish(names(10))
    world.build()
    later = int(time.time()) + 5
    path = hand_file(world, 1 << 20, change('remove', 'removed.example', later) + change('remove', 'old.example', 1000))
    with add(world, 'last.example') as adding:
        check(adding.wait(60), 0)
    text = all_live(world, path, ['last.example', 'removed.example'])
    check('"old.example"' in text, False, 'built in')


@case('local.indicators that is full of what is in force says what to do')
def full(world):
    world.forget()
    path, now = os.path.join(world.state, 'local.indicators'), int(time.time())
    long = 'x' * 50000
    with open(path, 'w') as file:
        for number in range((64 << 20) // 50100):
            file.write(change('add', f'n{number}.example', now, description=long))
        file.write('#' * ((64 << 20) - file.tell() - 20) + '\n')
    with add(world, 'last.example') as adding:
        check(adding.wait(60) != 0, True)
        check_in('belongs into a feed', adding.stderr.read())
    world.forget()


@case('many that change local.indicators at once, and some that are killed, lose nothing')
def compacted_at_once(world):
    world.forget()
    path = hand_file(world, (1 << 20) - 100)
    adding = [add(world, f'new-{number}.example') for number in range(12)]
    for one in adding:
        one.communicate(timeout=60)
    check([one.returncode for one in adding], [0] * 12)
    all_live(world, path, [f'new-{number}.example' for number in range(12)])
    check(os.path.getsize(path) < 30000, True, f'{os.path.getsize(path)}')
    shorter = 0
    for number in range(30):
        path = hand_file(world, 4 << 20)
        with add(world, 'killed.example') as killed:
            time.sleep(0.004 * number)
            killed.kill()
        shorter += os.path.getsize(path) < 1 << 20
        with open(path) as file:
            check(file.read().count('"live-49.example"'), 1)
        with add(world, 'next.example') as adding:
            check(adding.wait(60), 0)
        all_live(world, path, ['next.example'])
    diag(f'{shorter} of 30 were killed after the shorter file was there')


@contextlib.contextmanager
def make():
    with tempfile.TemporaryDirectory(prefix='tocsin-input-') as top:
        yield World(top)


if not program('tocsin'):
    skip_all('the tool is not built')
run(make)
