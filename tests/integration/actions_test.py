#!/usr/bin/env python3
"""Every action, seen in the queue of a real Postfix."""
import bench
import samples
from tap import case, check, check_in, check_not_in, run, wait_for

POLICY = """\
rule to-hold "held by its subject" { severity high  when subject contains "please-hold" then quarantine }
rule to-reject "refused" { severity high  when subject contains "please-reject" then reject "5.7.9 no such thing here" }
rule to-discard "dropped" { severity high  when subject contains "please-discard" then discard }
rule to-defer "later" { severity high  when subject contains "please-defer" then defer }
rule to-tag "marked" { severity low  when subject contains "please-tag" then tag }
rule to-name "marked by name" { severity low  when subject contains "please-name" then tag "X-Spice" "hot" }
rule to-prefix "seen in the subject" { severity low
    when subject contains "please-prefix" then prefix-subject "[LOOK] " }
rule at-mail "refused early" at mail { severity high  when mail-from.domain == "refused.test" then reject }
rule spoofed "not by the bank" { severity high
    when dmarc == fail and dmarc.policy == reject then quarantine }
rule listed "a listed link" { severity high
    when any indicator (.strength == strong and .severity >= high) then quarantine }
"""
SETTINGS = """\
feed phish { source "feeds/phish.csv"  format csv  status verified  severity high  confidence 90
             columns { value "url" } }
"""


def send(this, subject, **envelope):
    message = samples.message('Shop <news@shop.test>', subject, ident=subject.replace(' ', '-'))
    return this.server.send(this.sign(message), **envelope)


def results(message):
    return ' '.join(value for name, value in message.items() if name.lower() == 'authentication-results')


@case('clean mail is delivered with what was found about it')
def clean(this):
    reply = send(this, 'nothing special')
    message = this.server.delivery(reply.queue_id)
    found = results(message)
    for part in ('mx.tocsin.test', 'spf=pass', 'dkim=pass', 'dmarc=pass'):
        check_in(part, found, 'Authentication-Results')
    check(message.keys()[0:4].count('Authentication-Results'), 1, 'at the top of what the filter sees')
    check(message['X-Tocsin-Result'], None, 'X-Tocsin-Result')


@case('quarantine puts the message into the hold queue, and a release delivers it')
def hold(this):
    reply = send(this, 'please-hold me')
    check(reply.code, 250, 'reply')
    this.server.drain()
    check_in(reply.queue_id, this.server.held(), 'the hold queue')
    check_not_in(reply.queue_id, this.server.delivered())
    this.server.release(reply.queue_id)
    check(this.server.delivery(reply.queue_id)['Subject'], 'please-hold me')


@case('reject reaches the client with its text, and nothing is queued')
def reject(this):
    reply = send(this, 'please-reject me')
    check(reply.code, 550, 'reply')
    check(reply.text, '5.7.9 no such thing here', 'reply')


@case('discard is accepted and is gone')
def discard(this):
    reply = send(this, 'please-discard me')
    check(reply.code, 250, 'reply')
    this.server.drain()
    wait_for(lambda: 'milter-discard' in ' '.join(this.server.log_of(reply.queue_id)), 10, 'milter-discard in the log')
    check_not_in(reply.queue_id, this.server.delivered())
    check([entry for entry in this.server.queue() if entry['queue_id'] == reply.queue_id], [], 'the queue')


@case('defer asks the client to come again')
def defer(this):
    reply = send(this, 'please-defer me')
    check(reply.code // 100, 4, 'reply')


@case('tag adds X-Tocsin-Result and takes forged ones away')
def tag(this):
    message = samples.message('Shop <news@shop.test>', 'please-tag me', extra=(
        'X-Tocsin-Result: clean; forged', 'X-Tocsin-Anything: forged'))
    reply = this.server.send(this.sign(message))
    delivered = this.server.delivery(reply.queue_id)
    found = delivered.get_all('X-Tocsin-Result')
    check(len(found), 1, 'X-Tocsin-Result headers')
    check_in('tag', found[0], 'X-Tocsin-Result')
    check(delivered['X-Tocsin-Anything'], None, 'a forged header')


@case('tag with a name adds that header, and a forged one of that name goes')
def tag_named(this):
    message = samples.message('Shop <news@shop.test>', 'please-name me', extra=('X-Spice: mild',))
    reply = this.server.send(this.sign(message))
    check(this.server.delivery(reply.queue_id).get_all('X-Spice'), ['hot'])


@case('prefix-subject changes the subject')
def prefix(this):
    reply = send(this, 'please-prefix me')
    check(this.server.delivery(reply.queue_id)['Subject'], '[LOOK] please-prefix me')


@case('a rule at mail refuses before the message is sent')
def early(this):
    reply = send(this, 'any', sender='x@refused.test')
    check((reply.code, reply.stage in ('mail', 'rcpt')), (550, True), f'{reply}')


@case('a spoofed sender is held')
def spoofed(this):
    reply = this.server.send(samples.aligned('spoof'), sender='x@host.nobody.test', address=samples.OTHER_CLIENT)
    this.server.drain()
    check_in(reply.queue_id, this.server.held(), 'the hold queue')


@case('a listed link is held')
def listed(this):
    reply = this.server.send(this.sign(samples.listed_url()))
    this.server.drain()
    check_in(reply.queue_id, this.server.held(), 'the hold queue')


@case('forged Authentication-Results of our name go, those of others stay')
def forged(this):
    forged = ['Authentication-Results: mx.tocsin.test; spf=pass smtp.mailfrom=bank.test; dmarc=pass'] * 12
    forged.insert(5, 'Authentication-Results: other.example; spf=pass smtp.mailfrom=a.example')
    message = samples.message('Shop <news@shop.test>', 'results', extra=forged)
    reply = this.server.send(message, address=samples.OTHER_CLIENT)
    found = this.server.delivery(reply.queue_id).get_all('Authentication-Results')
    check(sum('other.example' in value for value in found), 1, 'those of others')
    check(sum('mx.tocsin.test' in value for value in found), 1, 'those of our name')
    check_in('spf=fail', found[0], 'the first')


@case('several messages of one connection are judged each for itself')
def several(this):
    import smtplib
    client = smtplib.SMTP('127.0.0.1', this.server.port, timeout=60)
    replies = []
    for subject in ('first one', 'please-reject me', 'third one', 'please-hold me'):
        client.ehlo()
        client.mail('news@shop.test')
        client.rcpt(samples.RECIPIENT)
        replies.append(client.data(samples.message('Shop <news@shop.test>', subject))[0])
        client.rset()
    client.quit()
    check(replies, [250, 550, 250, 250])


@case('the log has one line for a message, with its queue id first')
def one_line(this):
    reply = send(this, 'logged once')
    this.server.delivery(reply.queue_id)
    lines = [line for line in this.filter.log_text().splitlines() if reply.queue_id in line]
    check(len(lines), 1, f'lines of {reply.queue_id}')


@case('the evidence has one record for a message, and hunt finds it')
def evidence(this):
    reply = this.server.send(this.sign(samples.listed_url('hunted')))
    record = wait_for(lambda: this.filter.record(reply.queue_id), 5, 'the record')
    check_in('evil-link.test', str(record))
    found = this.filter.tool('hunt', samples.LISTED_URL)
    check(found.returncode, 0, found.stdout)
    check_in(reply.queue_id, found.stdout, 'tocsin hunt')


def on_failure(this):
    return this.log()


run(lambda: bench.bench(POLICY, SETTINGS, feeds=[('feeds/phish.csv', f'url\n{samples.LISTED_URL}\n')]), on_failure)
