#!/usr/bin/env python3
"""A real Sendmail with the filter: what a deletion does to the later indexes,
what quarantine does to the queue, and what the client is told."""
import bench
import re
import samples
import sendmail
import time
from tap import case, check, check_in, check_not_in, run

POLICY = """\
rule to-hold "held by its subject" { severity high  when subject contains "please-hold" then quarantine }
rule to-reject "refused" { severity high  when subject contains "please-reject" then reject "5.7.9 no such thing here" }
rule to-discard "dropped" { severity high  when subject contains "please-discard" then discard }
rule to-defer "later" { severity high  when subject contains "please-defer" then defer }
rule to-tag "marked" { severity low  when subject contains "please-tag" then tag }
rule to-prefix "seen in the subject" { severity low
    when subject contains "please-prefix" then prefix-subject "[LOOK] " }
rule at-mail "refused early" at mail { severity high  when mail-from.domain == "refused.test" then reject }
"""
# Ways to write a field that a careless reader takes for ours.
FORGED = (
    'Authentication-Results: mx.tocsin.test; spf=pass; dkim=pass; dmarc=pass',
    'AUTHENTICATION-RESULTS: MX.TOCSIN.TEST; dmarc=pass',
    'Authentication-Results: mx.tocsin.test 1; dmarc=pass',
    'Authentication-Results:mx.tocsin.test;dmarc=pass',
    'Authentication-Results: (a comment) mx.tocsin.test (another); dmarc=pass',
    'Authentication-Results:\r\n\tmx.tocsin.test;\r\n\tdmarc=pass',
    'Authentication-Results: "mx.tocsin.test"; dmarc=pass',
    'Authentication-Results: mx.tocsin.test.; dmarc=pass',
    'Authentication-Results: mx(nested (twice))mx.tocsin.test; dmarc=pass',
    'X-Tocsin-Result: clean',
)
FOREIGN = 'Authentication-Results: mx.elsewhere.test; dmarc=fail'


def send(this, subject, extra=(), **envelope):
    message = samples.message('Shop <news@shop.test>', subject, ident=subject.replace(' ', '-'), extra=extra)
    return this.server.send(this.sign(message), **envelope)


def results(message):
    return [' '.join(value.split()) for name, value in message.items() if name.lower() == 'authentication-results']


def is_only_ours(found):
    check([one.startswith('mx.tocsin.test;') for one in found], [True] + [False] * (len(found) - 1), found)
    for part in ('spf=pass', 'dkim=pass', 'dmarc=pass'):
        check_in(part, found[0], 'Authentication-Results')


@case('clean mail is delivered with our results, judged by the client behind the relay')
def clean(this):
    reply = send(this, 'nothing special')
    check(reply.code, 250, f'{reply}')
    message = this.server.delivery(reply.queue_id)
    is_only_ours(results(message))
    check(len(results(message)), 1, 'Authentication-Results fields')
    check(message['X-Tocsin-Result'], None, 'X-Tocsin-Result')
    record = this.filter.record(reply.queue_id)
    check((record['client']['ip'], record['client']['peer']), ('192.0.2.20', '127.0.0.1'), record)


@case('ten forged fields in ten forms go, others between them stay, ours stands once')
def ten(this):
    reply = send(this, 'ten forged', extra=[line for forged in FORGED for line in (forged, FOREIGN, 'X-Kept: yes')])
    message = this.server.delivery(reply.queue_id)
    found = results(message)
    is_only_ours(found)
    check(found[1:], ['mx.elsewhere.test; dmarc=fail'] * len(FORGED), 'the results of others')
    check(message.get_all('X-Kept'), ['yes'] * len(FORGED), 'other fields')
    check(message.get_all('X-Tocsin-Result'), None, 'our own field')
    check([name for name in message.keys() if name in ('From', 'To', 'Subject', 'Date', 'DKIM-Signature')],
          ['DKIM-Signature', 'From', 'To', 'Subject', 'Date'], 'the rest of the header')


@case('three thousand forged fields go, every one')
def three_thousand(this):
    lines = [FORGED[at % 5] for at in range(3000)]
    lines.insert(1500, FOREIGN)
    start = time.monotonic()
    reply = send(this, 'three thousand', extra=lines)
    spent = time.monotonic() - start
    found = results(this.server.delivery(reply.queue_id))
    is_only_ours(found)
    check(found[1:], ['mx.elsewhere.test; dmarc=fail'], 'what is left')
    took = re.search(rf'{reply.queue_id}: verdict .*took_ms=(\d+)', this.filter.log_text())
    print(f'# 3000 forged fields: {spent:.2f} s through Sendmail, {took[1] if took else "?"} ms in the filter')


@case('a message held for inspection keeps its place in the queue as quarantined')
def hold(this):
    reply = send(this, 'please-hold me')
    check(reply.code, 250, f'{reply}')
    check(this.server.queue_files(reply.queue_id), ['df', 'hf'], 'queue files')
    check_not_in(reply.queue_id, this.server.delivered())
    listing = this.server.command('-bp', '-qQ')
    check_in(reply.queue_id, listing, 'mailq -qQ')
    check_in('QUARANTINE: ', listing, 'mailq -qQ')
    check_in('to-hold', listing, 'mailq -qQ')
    check_not_in(reply.queue_id, this.server.command('-bp'), 'mailq')
    check_in('Authentication-Results: mx.tocsin.test;', this.server.queue_file('hf', reply.queue_id))
    this.server.command('-q')
    check_not_in(reply.queue_id, this.server.delivered(), 'after a queue run')


@case('its release delivers it')
def release(this):
    reply = send(this, 'please-hold me too')
    this.server.command('-qQ', '-Q', f'-qI{reply.queue_id}')
    check(this.server.queue_files(reply.queue_id), ['df', 'qf'], 'queue files')
    this.server.command(f'-qI{reply.queue_id}')
    check(this.server.delivery(reply.queue_id)['Subject'], 'please-hold me too')


@case('reject reaches the client with its text, and nothing is queued')
def reject(this):
    before = set(this.server.delivered())
    reply = send(this, 'please-reject me')
    check((reply.stage, reply.code, reply.text), ('data', 550, '5.7.9 no such thing here'), f'{reply}')
    check(set(this.server.delivered()), before, 'what was delivered')


@case('defer asks the client to come again')
def defer(this):
    reply = send(this, 'please-defer me')
    check((reply.stage, reply.code // 100), ('data', 4), f'{reply}')


@case('discard is accepted and is gone')
def discard(this):
    reply = send(this, 'please-discard me')
    check(reply.code, 250, f'{reply}')
    check_not_in(reply.queue_id, this.server.delivered())
    check(this.server.queue_files(reply.queue_id), [], 'queue files')


@case('tag adds its field and takes forged ones away; prefix-subject changes the subject')
def marks(this):
    reply = send(this, 'please-tag please-prefix me', extra=('X-Tocsin-Result: clean; forged', 'X-Tocsin-Anything: x'))
    message = this.server.delivery(reply.queue_id)
    check(len(message.get_all('X-Tocsin-Result')), 1, 'X-Tocsin-Result fields')
    check_in('tag', message['X-Tocsin-Result'])
    check(message['X-Tocsin-Anything'], None, 'a forged field')
    check(message.get_all('Subject'), ['[LOOK] please-tag please-prefix me'])


@case('a rule at mail refuses before the message is sent')
def early(this):
    reply = send(this, 'any', sender='x@refused.test', name='mail.refused.test')
    check((reply.code, reply.stage in ('mail', 'rcpt')), (550, True), f'{reply}')


@case('a claim that names another client behind the relay is not believed')
def claims(this):
    reply = this.server.send(samples.aligned('claim'), sender='x@bank.test', name='x (mail.bank.test [192.0.2.10])',
                             address=samples.OTHER_CLIENT)
    found = results(this.server.delivery(reply.queue_id))[0]
    check_not_in('spf=pass', found)
    check_in('dmarc=fail', found)


@case('without the filter mail is asked to come again, as tocsind(8) sets it up')
def away(this):
    this.filter.stop()
    try:
        reply = send(this, 'while away')
        check(reply.code // 100, 4, f'{reply}')
    finally:
        this.filter.start()
    check(send(this, 'back again').code, 250)


if __name__ == '__main__':
    run(lambda: bench.bench(POLICY, mta=sendmail.Sendmail), on_failure=lambda this: this.log())
