#!/usr/bin/env python3
"""What happens to mail when processes die, policies change and DNS is away."""
import os
import re
import signal
import time

import bench
import samples
from load import Load, nothing_lost, numbered, settle
from tap import case, check, check_in, diag, run, wait_for

POLICY = """\
rule generation "which policy judged this" {{ severity low  when size > 0 then tag "X-Generation" "{name}" }}
rule to-hold "held" {{ severity high  when subject contains "please-hold" then quarantine }}
"""
BROKEN = 'rule broken "does not load" {{ when nosuchfield == 1 then tag }}'


@case('kill -9 of the filter under load loses nothing, and the service is back within a second')
def killed(this):
    load = Load(this, bench.load(600))
    kills, slowest = 0, 0.0
    while load.running() and kills < 20:
        time.sleep(0.3)
        pid = this.filter.filter_pid()
        if pid is None:
            continue
        os.kill(pid, signal.SIGKILL)
        start = time.monotonic()
        kills += 1
        wait_for(this.filter.answers, 10, 'the filter after a kill')
        slowest = max(slowest, time.monotonic() - start)
    load.wait()
    accepted, refused = nothing_lost(this, load)
    diag(f'{kills} kills, {len(accepted)} accepted, {len(refused)} deferred, back after {slowest:.2f} s at most')
    check(all(load.replies[number].code in (421, 451, 450, 0) for number in refused), True, 'refusals are temporary')
    check(slowest < 3, True, f'{slowest:.2f} s until it answered')
    wait_for(this.filter.answers, 10, 'the filter')
    check(this.server.send(numbered(10**6)).code, 250, 'afterwards')


@case('reload under load: no message fails, each is judged by one policy')
def reload(this):
    load = Load(this, bench.load(400))
    rounds = 0
    while load.running():
        this.filter.write_policy((POLICY.format(name=f'g{rounds}') if rounds % 3 != 2 else BROKEN.format()))
        this.filter.hang_up()
        rounds += 1
        time.sleep(0.1)
    load.wait()
    this.filter.write_policy(POLICY.format(name='last'))
    accepted, refused = nothing_lost(this, load)
    diag(f'{rounds} reloads during {len(accepted)} messages')
    check(sorted(refused), [], 'messages that were not taken')
    delivered = settle(this)
    for queue_id in accepted:
        found = re.findall(rb'^X-Generation: (\S+)', delivered[queue_id], re.M)
        check(len(found), 1, f'generations in {queue_id}')


@case('a broken policy leaves the old in force, and the log says why')
def broken_reload(this):
    this.filter.write_policy(POLICY.format(name='good'))
    done = this.filter.tool('reload')
    check(done.returncode, 0, done.stdout)
    this.filter.write_policy(BROKEN.format())
    done = this.filter.tool('reload')
    check(done.returncode != 0, True, 'the status of a reload that failed')
    check_in('nosuchfield', done.stdout, 'tocsin reload')
    reply = this.server.send(numbered(1))
    check(this.server.delivery(reply.queue_id)['X-Generation'], 'good')
    wait_for(lambda: 'nosuchfield' in this.filter.log_text(), 5, 'the reason in the log')
    this.filter.write_policy(POLICY.format(name='again'))
    check(this.filter.tool('reload').returncode, 0)
    reply = this.server.send(numbered(2))
    check(this.server.delivery(reply.queue_id)['X-Generation'], 'again')


@case('HUP a hundred times, and it still answers')
def hang_up(this):
    for _ in range(100):
        this.filter.hang_up()
        time.sleep(0.005)
    check(this.server.send(numbered(3)).code, 250)
    check(this.filter.process.poll(), None, 'the supervisor')


@case('a DNS server that is away: a temporary result, an answer in time')
def dns_away(this):
    this.dns.silent = True
    try:
        start = time.monotonic()
        reply = this.server.send(samples.message('A <a@silent.test>', 'no DNS'), sender='a@silent.test')
        seconds = time.monotonic() - start
    finally:
        this.dns.silent = False
    diag(f'answered {reply} after {seconds:.1f} s')
    check(seconds < 20, True, f'{seconds:.1f} s')
    if reply.code == 250:
        check_in('temperror', str(this.server.delivery(reply.queue_id).items()), 'the results')
    else:
        check(reply.code // 100, 4, 'the reply')


@case('told to end, it ends with 0 and leaves no process behind')
def ends(this):
    import filter as tocsind
    below = tocsind.descendants(this.filter.process.pid)
    status = this.filter.stop()
    check(status, 0, 'exit status')
    wait_for(lambda: not any(tocsind.runs(pid) for pid in below), 5, f'the end of its processes {below}')
    reply = this.server.send(numbered(4))
    check(reply.code // 100, 4, 'mail while it is away is deferred')
    this.filter.start()
    check(this.server.send(numbered(5)).code, 250, 'and taken afterwards')


def on_failure(this):
    return this.log()


run(lambda: bench.bench(POLICY.format(name='first')), on_failure)
