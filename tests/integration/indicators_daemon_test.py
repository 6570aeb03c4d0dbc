#!/usr/bin/env python3
"""How fast the daemon acts on what has become known: feeds that are dropped
into place, indicators added by hand, stores swapped under load, YARA rules."""
import contextlib
import json
import os
import re
import struct
import threading
import time

from bench import bench
import milter_client
import samples
from tap import case, check, check_in, check_not_in, diag, run, wait_for

POLICY = '''\
rule listed "carries an indicator" {
  when any indicator (.strength == strong)
  then tag "X-Listed" "yes"
}
rule weak "what alone holds nothing" { when any indicator (.strength == weak) then tag "X-Weak" "yes" }
rule content "content that rules know" { when any yara("rules") then tag "X-Rules" "yes" }
rule inner "content that rules inside a bundle know" { when any yara("intel") then tag "X-Inner" "yes" }
'''
FEEDS = '''\
feed intel { source "intel.json"  status verified }
feed drop  { source "drop.txt"  format list  status verified  severity high }
feed rules { source "rules.yar"  format yara }
'''
RULE = 'rule known { strings: $a = "%s" condition: $a }\n'


def milter(this):
    client = milter_client.MilterClient(this.filter.socket, timeout=30)
    client.connect('192.0.2.20', 'mail.shop.test')
    client.helo('mail.shop.test')
    return client


def mail_with(text, ident='m'):
    return samples.message('Shop <news@shop.test>', 'Your order', text + '\n', ident=ident)


def tagged(client, text, header='X-Listed', queue_id='TESTQUEUEID'):
    answer = client.message('<news@shop.test>', ['<inbox@tocsin.test>'], mail_with(text), queue_id=queue_id)
    check(answer.action in ('accept', 'continue'), True, f'{answer}')
    return answer.inserted(header) != []


def seconds_until(this, text, wanted=True, header='X-Listed', seconds=20):
    """Sends the same mail again and again: how long until it is judged so."""
    begun = time.monotonic()
    with milter(this) as client:
        wait_for(lambda: tagged(client, text, header) == wanted, seconds, f'{text}: {wanted}')
    return time.monotonic() - begun


def replace(this, name, text):
    path = os.path.join(this.filter.top, name)
    with open(path + '.new', 'w') as file:
        file.write(text)
    os.replace(path + '.new', path)


def generations(this):
    return [int(number) for number in re.findall(r'store in force generation=(\d+)', this.filter.log_text())]


@case('an indicator added by hand acts within a second, and so does taking it back')
def by_hand(this):
    text = 'See http://by-hand.example/x'
    with milter(this) as client:
        check(tagged(client, text), False)
    check(this.filter.tool('indicators', 'add', 'domain', 'by-hand.example', '--severity', 'high').returncode, 0)
    took = seconds_until(this, text)
    diag(f'added: {took:.2f} s')
    check(took < 2.0, True, f'{took:.2f} s until it acted')
    check(this.filter.tool('indicators', 'remove', 'domain', 'by-hand.example').returncode, 0)
    took = seconds_until(this, text, False)
    diag(f'removed: {took:.2f} s')
    check(took < 2.0, True, f'{took:.2f} s until it no longer acted')


@case('weak indicators added by hand act as fast: file name, subject, mailer, Message-ID')
def weak_by_hand(this):
    name, subject, mailer = 'weak plan.docx', 'A weak subject', 'WeakMailer 7.1'
    mail = samples.message('Shop <news@shop.test>', subject, 'see the file\n', extra=(f'X-Mailer: {mailer}',),
                           attachment=(name, b'nothing'), ident='weak')
    ident = re.search(rb'Message-ID: <([^>]*)>', mail).group(1).decode()

    def seconds_until_weak(client, wanted):
        begun = time.monotonic()
        wait_for(lambda: (client.message('<news@shop.test>', ['<inbox@tocsin.test>'], mail).inserted('X-Weak') != [])
                 == wanted, 20, f'weak: {wanted}')
        return time.monotonic() - begun

    with milter(this) as client:
        for kind, value in (('filename', name), ('subject', subject), ('mailer', mailer), ('message-id', ident)):
            check(seconds_until_weak(client, False) < 1, True, kind)
            this.filter.tool('indicators', 'add', kind, value, check=True)
            added = seconds_until_weak(client, True)
            this.filter.tool('indicators', 'remove', kind, value, check=True)
            removed = seconds_until_weak(client, False)
            diag(f'{kind}: added {added:.2f} s, removed {removed:.2f} s')
            check(max(added, removed) < 2.0, True, f'{kind}: {added:.2f} s, {removed:.2f} s')


@case('while local.indicators is made shorter, what was added by hand goes on acting')
def compacted(this):
    text, path = 'See http://stays.example/x', os.path.join(this.filter.state, 'local.indicators')
    this.filter.tool('indicators', 'add', 'domain', 'stays.example', check=True)
    seconds_until(this, text)
    for number in range(3):
        pair = ''.join(json.dumps({'op': op, 'kind': 'domain', 'value': 'dead.example', 'added': 1}) + '\n'
                       for op in ('add', 'remove'))
        with open(path, 'a') as file:
            file.write(pair * (((1 << 20) - file.tell() - 20) // len(pair)))
            file.write('\n' * ((1 << 20) - 20 - file.tell()))
        adding = threading.Thread(target=lambda: this.filter.tool(
            'indicators', 'add', 'domain', f'new-{number}.example', check=True))
        with milter(this) as client:
            adding.start()
            while adding.is_alive():
                check(tagged(client, text), True, 'while it is made shorter')
            adding.join()
            check(os.path.getsize(path) < 20000, True, f'{os.path.getsize(path)}')
            end = time.monotonic() + 1.5
            while time.monotonic() < end:
                check(tagged(client, text), True, 'afterwards')
        seconds_until(this, f'See http://new-{number}.example/')
    said = this.filter.tool('indicators', 'list', check=True).stdout
    check(said.count('stays.example'), 1, said)
    for value in ('stays.example', 'new-0.example', 'new-1.example', 'new-2.example'):
        this.filter.tool('indicators', 'remove', 'domain', value, check=True)
    seconds_until(this, text, False)


@case('one that was built into the store is taken back as fast')
def built_and_removed(this):
    text = 'See http://built-in.example/x'
    this.filter.tool('indicators', 'add', 'domain', 'built-in.example', check=True)
    seconds_until(this, text)
    this.filter.tool('indicators', 'build', check=True)
    time.sleep(1.2)
    with milter(this) as client:
        check(tagged(client, text), True)
    this.filter.tool('indicators', 'remove', 'domain', 'built-in.example', check=True)
    took = seconds_until(this, text, False)
    check(took < 2.0, True, f'{took:.2f} s until it no longer acted')


@case('a line written into local.indicators that would match too much does not act')
def unchecked(this):
    wide, narrow = 'See http://www.tocsin.test/x', 'See http://after-it.example/x'
    with open(os.path.join(this.filter.state, 'local.indicators'), 'a') as file:
        file.write('{"op":"add","kind":"domain","value":"tocsin.test"}\n')
    this.filter.tool('indicators', 'add', 'domain', 'after-it.example', check=True)
    seconds_until(this, narrow)
    with milter(this) as client:
        check(tagged(client, wide), False, 'our own domain')
    check_in('1 do not act, since they would match too much', this.filter.log_text())
    this.filter.tool('indicators', 'add', '--force', 'domain', 'tocsin.test', check=True)
    seconds_until(this, wide)
    for value in ('tocsin.test', 'after-it.example'):
        this.filter.tool('indicators', 'remove', 'domain', value, check=True)
    seconds_until(this, wide, False)


@case('a feed that is dropped into place acts within seconds')
def dropped(this):
    before = generations(this)[-1]
    replace(this, 'drop.txt', 'evil-list.example\nevil-new.example\n')
    took = seconds_until(this, 'See http://evil-new.example/')
    diag(f'feed: {took:.2f} s')
    check(took < 8.0, True, f'{took:.2f} s until it acted')
    check(generations(this)[-1] > before, True, 'the generation')


@case('a feed that is copied into place line by line counts once it is whole')
def copied(this):
    before = generations(this)
    with open(os.path.join(this.filter.top, 'drop.txt'), 'w') as file:
        for number in range(40):
            file.write(f'# line {number}\n' if number else 'evil-list.example\n')
            file.flush()
            time.sleep(0.1)
        check(generations(this), before, 'none of it counts before the end')
        file.write('evil-new.example\ncopied-last.example\n')
    seconds_until(this, 'See http://copied-last.example/')
    check(len(generations(this)), len(before) + 1, 'one build')


@case('a feed that became empty, or broken, keeps what it had and the log says so')
def empty(this):
    mark = len(this.filter.log_text())
    replace(this, 'drop.txt', '')
    wait_for(lambda: 'is empty' in this.filter.log_text()[mark:], 20, 'the warning')
    check_in('older content stays', this.filter.log_text()[mark:])
    with milter(this) as client:
        check(tagged(client, 'See http://evil-new.example/'), True)
    replace(this, 'drop.txt', 'evil-list.example\nevil-new.example\n')


@case('pins, own domains and warninglists act after a reload, without a word about feeds')
def settings_changed(this):
    known = os.path.join(this.filter.top, 'state', 'warninglists', 'known.json')
    replace(this, 'drop.txt', 'evil-list.example\nportal.example\n')
    seconds_until(this, 'See http://portal.example/')
    os.makedirs(os.path.dirname(known))
    with open(known, 'w') as file:
        json.dump({'name': 'Portals', 'type': 'hostname', 'list': ['portal.example']}, file)
    seconds_until(this, 'See http://portal.example/', False)
    this.filter.write_conf(FEEDS + 'pin domain "portal.example"\n')
    this.filter.tool('reload', check=True)
    seconds_until(this, 'See http://portal.example/')
    this.filter.write_conf(FEEDS)
    this.filter.tool('reload', check=True)
    seconds_until(this, 'See http://portal.example/', False)
    os.remove(known)
    seconds_until(this, 'See http://portal.example/')
    check_in('settings of feeds, warninglists, pins or own names are others than before', this.filter.log_text())
    time.sleep(5)
    before = len(generations(this))
    time.sleep(5)
    check(len(generations(this)), before, 'no build without a reason')


@case('the log line of each message names the generation of the store')
def named(this):
    with milter(this) as client:
        tagged(client, 'See http://evil-list.example/', queue_id='GENERATION1')
    line = wait_for(lambda: [line for line in this.filter.log_text().splitlines() if 'GENERATION1' in line],
                    5, 'the line')[0]
    check_in(f'store={generations(this)[-1]}', line)


@case('stores that are swapped under load lose no message and no match')
def under_load(this):
    ending, problems, counts, slowest = threading.Event(), [], [], []

    def send(number):
        try:
            with milter(this) as client:
                count, worst = 0, 0.0
                while not ending.is_set():
                    begun = time.monotonic()
                    if not tagged(client, 'See http://evil-list.example/', queue_id=f'LOAD{number}'):
                        problems.append(f'a message without its tag after {count}')
                    worst = max(worst, time.monotonic() - begun)
                    count += 1
                counts.append(count)
                slowest.append(worst)
        except Exception as problem:
            problems.append(repr(problem))

    before = generations(this)[-1]
    senders = [threading.Thread(target=send, args=(number,)) for number in range(4)]
    for sender in senders:
        sender.start()
    for turn in range(5):
        replace(this, 'drop.txt', 'evil-list.example\n' + ''.join(f'n{turn}-{k}.example\n' for k in range(500)))
        check(this.filter.tool('indicators', 'build').returncode in (0, 75), True)
        time.sleep(1.2)
    ending.set()
    for sender in senders:
        sender.join()
    check(problems, [])
    swaps = generations(this)[-1] - before
    diag(f'{sum(counts)} messages over {swaps} swaps, slowest {max(slowest) * 1000:.0f} ms')
    check(swaps >= 3, True, f'{swaps} swaps')


@case('the rules of a YARA feed act, and changed ones replace them')
def yara(this):
    with milter(this) as client:
        check(tagged(client, 'the first mark', 'X-Rules'), True)
        check(tagged(client, 'the second mark', 'X-Rules'), False)
    replace(this, 'rules.yar', RULE % 'second mark')
    took = seconds_until(this, 'the second mark', True, 'X-Rules')
    diag(f'rules: {took:.2f} s')
    with milter(this) as client:
        check(tagged(client, 'the first mark', 'X-Rules'), False)


@case('YARA rules that do not compile leave the old ones in force and are named')
def broken_yara(this):
    mark = len(this.filter.log_text())
    replace(this, 'rules.yar', 'rule broken { condition: nonsense }\n')
    wait_for(lambda: 'rules.yar' in this.filter.log_text()[mark:], 20, 'a message')
    time.sleep(1)
    log = this.filter.log_text()[mark:]
    diag(log[:600])
    check_in('nonsense', log)
    with milter(this) as client:
        check(tagged(client, 'the second mark', 'X-Rules'), True)
    check_not_in('crashed', log)


def bundle(*patterns):
    return json.dumps({'type': 'bundle', 'objects': [
        {'type': 'indicator', 'id': f'indicator--{number:08d}-0000-4000-8000-000000000000', 'pattern_type': 'yara',
         'pattern': pattern} for number, pattern in enumerate(patterns)]})


@case('YARA rules inside a STIX bundle or a MISP event act; one that does not compile costs itself')
def inner_rules(this):
    replace(this, 'rules.yar', RULE % 'first mark')
    broken, twice = 'rule broken { condition: nonsense }', RULE % 'INNER-TWO'
    replace(this, 'intel.json', bundle(RULE % 'INNER-ONE', broken, twice))
    seconds_until(this, 'INNER-ONE', header='X-Inner', seconds=90)
    with milter(this) as client:
        check(tagged(client, 'INNER-TWO', 'X-Inner'), True, 'two rules of one name')
    replace(this, 'intel.json', json.dumps({'Event': {'info': 'an event', 'Attribute': [
        {'type': 'yara', 'value': RULE % 'INNER-THREE', 'to_ids': True},
        {'type': 'yara', 'value': RULE % 'INNER-OFF', 'to_ids': False}]}}))
    seconds_until(this, 'INNER-THREE', header='X-Inner', seconds=90)
    with milter(this) as client:
        check((tagged(client, 'INNER-ONE', 'X-Inner'), tagged(client, 'INNER-OFF', 'X-Inner')), (False, False),
              'withdrawn, and to_ids=false')


@case('a store that was built by hand with settings that are not loaded does not go without a word')
def built_otherwise(this):
    text, mark = 'See http://evil-list.example/x', len(this.filter.log_text())
    this.filter.write_conf(FEEDS + 'pin domain "portal.example"\n')
    said = this.filter.tool('indicators', 'build', check=True).stdout
    check_in('the running tocsind has other settings of feeds, warninglists, pins or own names loaded', said)
    check_in('`tocsin reload` loads the new ones', said)
    wait_for(lambda: 'built by hand with other settings than are loaded' in this.filter.log_text()[mark:], 20,
             'why the store is built again')
    wait_for(lambda: 'store built' in this.filter.log_text()[mark:], 20, 'a store')
    this.filter.tool('reload', check=True)
    seconds_until(this, text)
    this.filter.write_conf(FEEDS)
    this.filter.tool('reload', check=True)
    said = this.filter.tool('indicators', 'build', check=True).stdout
    check_not_in('running tocsind', said)


def folded(a, b):
    product = a * b
    return (product ^ product >> 64) & 0xffffffffffffffff


def format_sum(data):
    """The sum of the store's format; its parts are multiples of eight octets."""
    total = 0
    for (word,) in struct.iter_unpack('<Q', data):
        total = folded(total ^ word ^ 0x9e3779b97f4a7c15, 0xd6e8feb86659fd93)
    return total


def as_version_1(store):
    """A store as Tocsin wrote it before it remembered what was revoked and had a filter."""
    before, sections = struct.unpack('<8sIIQQqQIIQQ', store[:72]), struct.unpack('<26Q', store[72:280])
    check(before[1], 2, 'version')
    body = store[280:sections[20]]  # the last three sections are new
    table = b''.join(struct.pack('<QQ', sections[i] - 48, sections[i + 1]) for i in range(0, 20, 2))

    def header(head_sum):
        return struct.pack('<8sIIQQqQIIQQ', before[0], 1, before[2], len(body) + 232, *before[4:7], 10, before[8],
                           format_sum(body), head_sum) + table
    return header(format_sum(header(0))) + body


@case('after an upgrade the older store serves until the new one is there, and the log says why it is built')
def upgraded(this):
    text, path = 'See http://evil-list.example/x', os.path.join(this.filter.state, 'indicators.store')
    this.filter.stop()
    mark, before = len(this.filter.log_text()), generations(this)[-1]
    with open(path, 'rb') as file:
        older = as_version_1(file.read())
    status = os.stat(path)
    with open(path, 'wb') as file:
        file.write(older)
    this.filter.tool('indicators', 'verify', check=True)
    os.utime(path, ns=(time.time_ns(), time.time_ns()))
    os.chown(path, status.st_uid, status.st_gid)
    this.filter.start()
    with milter(this) as client:
        check(tagged(client, text), True)
    wait_for(lambda: 'store built' in this.filter.log_text()[mark:], 20, 'the new store')
    check_in(f'store in force generation={before} ', this.filter.log_text()[mark:])
    check_in('store build begins: the one in force was built by an older Tocsin', this.filter.log_text()[mark:])
    check_in(f'store built generation={before + 1} ', this.filter.log_text()[mark:])
    with milter(this) as client:
        check(tagged(client, text), True)


@case('a store that is damaged where it lies is built again, and what is in force stays until then')
def damaged(this):
    text, path = 'See http://evil-list.example/x', os.path.join(this.filter.state, 'indicators.store')
    mark, before = len(this.filter.log_text()), generations(this)[-1]
    with open(path + '.torn', 'wb') as file:
        file.write(b'no store at all, but long enough to be looked at' * 10)
    os.replace(path + '.torn', path)
    wait_for(lambda: 'store built' in this.filter.log_text()[mark:], 30, 'the new store')
    check_in('store build begins: the one there is not an indicator store', this.filter.log_text()[mark:])
    with milter(this) as client:
        check(tagged(client, text), True)
    check(generations(this)[-1], before + 1, 'the generation')


@case('at a start, rule files that do not compile cost themselves, and each is named')
def broken_at_start(this):
    this.filter.stop()
    mark = len(this.filter.log_text())
    this.filter.write('more/good.yar', RULE % 'third mark')
    for name in ('bad1.yar', 'bad2.yar'):
        this.filter.write(f'more/{name}', 'rule broken { condition: nonsense }\n')
    this.filter.write_conf(FEEDS.replace('"rules.yar"', '"more"').replace('feed intel', '#'))
    this.filter.start()
    with milter(this) as client:
        check(tagged(client, 'the third mark', 'X-Rules'), True)
    for part in ('bad1.yar', 'bad2.yar', '2 of 3 rule files'):
        check_in(part, this.filter.log_text()[mark:])


@contextlib.contextmanager
def make():
    feeds = (('drop.txt', 'evil-list.example\n'), ('rules.yar', RULE % 'first mark'))
    with bench(POLICY, FEEDS, with_postfix=False, feeds=feeds) as found:
        wait_for(lambda: generations(found), 20, 'a store')
        yield found


run(make, on_failure=lambda found: found.log())
