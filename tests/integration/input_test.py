#!/usr/bin/env python3
"""Odd and hostile dialogues, spoken to tocsind's socket directly."""
import os
import struct
import time

import bench
import milter_client
import samples
from filter import descendants
from tap import case, check, check_in, diag, run, wait_for

POLICY = 'rule every-mail "all mail" { severity low  when size > 0 then tag "X-Seen" "yes" }\n'


def client(this, **options):
    return milter_client.MilterClient(this.filter.socket, timeout=60, **options)


def opened(this, address='192.0.2.20'):
    milter = client(this)
    milter.connect(address, 'mail.shop.test')
    milter.helo('mail.shop.test')
    return milter


def still_serves(this):
    with opened(this) as milter:
        answer = milter.message('<news@shop.test>', ['<inbox@tocsin.test>'], samples.clean())
        check(answer.action in ('accept', 'continue'), True, f'{answer}')
        check([value.strip() for value in answer.inserted('X-Seen')], ['yes'], 'X-Seen')


def memory(this):
    """Resident kilobytes of all its processes."""
    total = 0
    for pid in (this.filter.process.pid, *descendants(this.filter.process.pid)):
        try:
            with open(f'/proc/{pid}/status') as file:
                total += sum(int(line.split()[1]) for line in file if line.startswith('VmRSS'))
        except OSError:
            pass
    return total


@case('what it asks for at the negotiation')
def negotiation(this):
    with client(this) as milter:
        check(milter.version, 6, 'version')
        check(bool(milter.steps & milter_client.LEADING_SPACE), True, 'leading spaces are kept')
        check(bool(milter.steps & milter_client.NR_HEADER), True, 'headers need no reply')
        check(bool(milter.steps & milter_client.NR_BODY), True, 'body chunks need no reply')
        check(bool(milter.steps & milter_client.NR_CONNECT), True, 'no rule at connect, no reply')
        check(bool(milter.steps & milter_client.NR_HELO), True, 'no rule at HELO, no reply')
        check(bool(milter.steps & milter_client.NR_MAIL), False, 'MAIL is answered')


@case('clients over IPv4, IPv6, a unix socket and from unknown')
def families(this):
    for address in ('192.0.2.20', '2001:db8::20', '::ffff:192.0.2.20', '/run/x', 'unknown'):
        with client(this) as milter:
            check(milter.connect(address, 'mail.shop.test').action, 'continue', address)
            milter.helo('mail.shop.test')
            answer = milter.message('<news@shop.test>', ['<inbox@tocsin.test>'], samples.clean())
            check(answer.action in ('accept', 'continue'), True, f'{address}: {answer}')
            check(len(answer.inserted('X-Seen')), 1, address)


@case('many messages on a connection, some of them abandoned')
def many(this):
    with opened(this) as milter:
        for number in range(50):
            if number % 3 == 0:
                milter.envelope('<x@shop.test>', ['<inbox@tocsin.test>'])
                milter.header('Subject', ' never ends')
                milter.abort()
                continue
            answer = milter.message('<news@shop.test>', ['<inbox@tocsin.test>'], samples.clean(f'm{number}'))
            check(len(answer.inserted('X-Seen')), 1, f'message {number}')


@case('a disconnect at every stage')
def disconnects(this):
    def stages():
        yield lambda m: None
        yield lambda m: m.connect('192.0.2.20')
        yield lambda m: m.helo('h')
        yield lambda m: m.mail('<news@shop.test>')
        yield lambda m: m.rcpt('<inbox@tocsin.test>')
        yield lambda m: m.data()
        yield lambda m: m.header('From', ' a@shop.test')
        yield lambda m: m.end_of_headers()
        yield lambda m: m.body(b'x' * 100000)
        yield lambda m: m.send(b'E')
    for last in range(10):
        milter = client(this)
        for number, step in enumerate(stages()):
            if number > last:
                break
            step(milter)
        milter.drop()
    wait_for(lambda: 'TESTQUEUEID: message without an end, broken off after=body' in this.filter.log_text(), 5,
             'a line in the log')
    still_serves(this)


@case('a disconnect in the middle of a packet')
def half_packet(this):
    milter = opened(this)
    milter.envelope('<news@shop.test>', ['<inbox@tocsin.test>'])
    milter.end_of_headers()
    milter.sock.sendall(struct.pack('>I', 65000) + b'B' + b'x' * 1000)
    milter.drop()
    still_serves(this)


@case('2 MiB of headers in pieces of 100 KiB end in an answer')
def large_headers(this):
    with opened(this) as milter:
        milter.envelope('<news@shop.test>', ['<inbox@tocsin.test>'])
        milter.header('From', ' news@shop.test')
        for number in range(21):
            milter.header(f'X-Large-{number}', b' ' + b'x' * 102300)
        milter.end_of_headers()
        milter.body(b'body\r\n')
        answer = milter.end_of_message()
    diag(f'{answer.action}, {len(answer.edits)} edits')
    check(answer.action in ('accept', 'continue', 'reject', 'tempfail', 'reply'), True, f'{answer}')
    still_serves(this)


@case('a header packet of more than 1,048,575 bytes ends the connection, with a line in the log')
def too_large(this):
    before = memory(this)
    for _ in range(5):
        milter = opened(this)
        milter.envelope('<news@shop.test>', ['<inbox@tocsin.test>'])
        try:
            milter.header('X-Huge', b' ' + b'x' * 1100000)
            milter.end_of_headers()
            milter.end_of_message()
        except (milter_client.ProtocolError, OSError):
            pass
        milter.drop()
    wait_for(lambda: this.filter.log_text().count('message without an end, broken off after=data') >= 5, 5,
             'a line for each in the log')
    still_serves(this)
    diag(f'{before} kB before, {memory(this)} kB after')


@case('100,000 headers end in an answer, in time')
def many_headers(this):
    start = time.monotonic()
    with opened(this) as milter:
        milter.envelope('<news@shop.test>', ['<inbox@tocsin.test>'])
        milter.header('From', ' news@shop.test')
        count = 100000 if bench.LOAD >= 1 else 30000
        for number in range(count):
            milter.header('X-Many', b' value')
        milter.end_of_headers()
        milter.body(b'body\r\n')
        answer = milter.end_of_message()
    seconds = time.monotonic() - start
    diag(f'{answer.action} after {seconds:.1f} s')
    check(answer.action in ('accept', 'continue', 'reject', 'tempfail', 'reply'), True, f'{answer}')
    still_serves(this)


@case('a message without any header, and one without a body')
def bare(this):
    for octets in (b'\r\nbody\r\n', b'From: a@shop.test\r\n\r\n', b'\r\n'):
        with opened(this) as milter:
            answer = milter.message('<>', ['<inbox@tocsin.test>'], octets)
            check(answer.action in ('accept', 'continue'), True, f'{octets}: {answer}')


@case('values that would break what we write or log')
def hostile_values(this):
    nasty = 'x\r\nX-Injected: 1\x00\x1b[31m%s%n"\\;=(' + '\udcff'
    with client(this) as milter:
        milter.connect('192.0.2.20', 'a b;c=d\r\nq')
        milter.helo('he lo; spf=pass\r\n x')
        answer = milter.message(f'<{nasty.replace(chr(0), "")}@shop.test>', ['<inbox@tocsin.test>'],
                                samples.message('"a\r\n b; dmarc=pass" <x@evil;.test>', 'x'))
    check(answer.action in ('accept', 'continue', 'reject', 'reply'), True, f'{answer}')
    for edit in answer.edits:
        value = edit[-1]
        if isinstance(value, str):
            check([c for c in value if ord(c) < 32 and c not in '\n\t'], [], f'controls in {value!r}')
            check(any(line[:1] not in (' ', '\t') for line in value.split('\n')[1:]), False, f'folds of {value!r}')
    log = this.filter.log_text()
    check('\x1b' in log, False, 'an escape sequence in the log')
    check([line for line in log.splitlines() if line.startswith('X-Injected')], [], 'an injected log line')


@case('two hundred connections at once')
def connections(this):
    milters = [opened(this) for _ in range(200)]
    for milter in milters:
        milter.envelope('<news@shop.test>', ['<inbox@tocsin.test>'])
    for milter in milters[::2]:
        milter.drop()
    for milter in milters[1::2]:
        milter.header('From', ' news@shop.test')
        milter.end_of_headers()
        answer = milter.end_of_message()
        check(len(answer.inserted('X-Seen')), 1)
        milter.close()


@case('the socket is a socket, with the mode that was asked for')
def socket_mode(this):
    check(oct(os.stat(this.filter.socket).st_mode), oct(0o140666))


@case('tocsind -n says 0 for what loads and 78 with every error for what does not')
def check_only(this):
    check(this.filter.check()[0], 0, 'a good policy')
    this.filter.write_policy('rule a "x" { when nosuch == 1 then tag }\nrule b "y" { when subject then hold }\n')
    status, output = this.filter.check()
    this.filter.write_policy(POLICY)
    check(status, 78, output)
    check_in('10-test.policy:1:', output)
    check_in('10-test.policy:2:', output)
    check_in('^', output, 'a caret')


@case('a start with a broken policy ends with 78')
def broken_start(this):
    import filter as tocsind
    other = tocsind.Filter(os.path.join(this.top, 'other'), 'rule a "x" { when nosuch == 1 then tag }\n')
    try:
        other.start(10)
    except RuntimeError as problem:
        check_in('ended with 78', str(problem))
    else:
        other.stop()
        raise AssertionError('it started')


@case('a feed that is missing, and a folder for the socket that is not there, are named')
def missing_things(this):
    import filter as tocsind
    other = tocsind.Filter(os.path.join(this.top, 'third'), POLICY,
                           'feed gone { source "feeds/not-here.csv"  format list }\n')
    try:
        other.start(10)
        wait_for(lambda: 'feed gone cannot be read' in other.log_text(), 5, 'the missing feed in the log')
    except RuntimeError as problem:
        check_in('gone', str(problem))
    finally:
        other.stop()
    other = tocsind.Filter(os.path.join(this.top, 'fourth'), POLICY)
    other.socket = os.path.join(this.top, 'nowhere', 'sub', 'x.sock')
    other.write_conf()
    try:
        other.start(5)
    except RuntimeError as problem:
        check_in('nowhere', str(problem))
        check_in('ended with', str(problem))
    else:
        other.stop()
        raise AssertionError('it started without a folder for its socket')


def on_failure(this):
    return this.log()


run(lambda: bench.bench(POLICY, with_postfix=False), on_failure)
