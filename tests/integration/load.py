"""Messages from several clients at once, and whether any was lost."""
import concurrent.futures
import itertools
import re

import samples
from tap import check

SERIES = itertools.count()


def numbered(number, series=0):
    return samples.message('Shop <news@shop.test>', f'number {number}', ident=f's{series}n{number}')


class Load:
    """Messages from several clients at once; replies by number."""

    def __init__(self, this, count, clients=6, make=numbered):
        self.this, self.count, self.make = this, count, make
        self.series = next(SERIES) + 1
        self.replies = {}
        self.pool = concurrent.futures.ThreadPoolExecutor(clients)
        self.jobs = [self.pool.submit(self.one, number) for number in range(count)]

    def one(self, number):
        self.replies[number] = self.this.server.send(self.make(number, self.series))

    def running(self):
        return not all(job.done() for job in self.jobs)

    def wait(self):
        for job in self.jobs:
            job.result()
        self.pool.shutdown()

    def accepted(self):
        return {reply.queue_id: number for number, reply in self.replies.items() if reply.code == 250}


def settle(this):
    """Delivers what a dead filter has left in the queue."""
    this.server.drain(120)
    return this.server.delivered()


def nothing_lost(this, load):
    """Accepted means delivered exactly once or still queued; refused means
    not there."""
    delivered = settle(this)
    queued = {entry['queue_id'] for entry in this.server.queue()}
    accepted = load.accepted()
    lost = [queue_id for queue_id in accepted if queue_id not in delivered and queue_id not in queued]
    check(lost, [], 'accepted and gone')
    pattern = re.compile(rb'Message-ID: <s%dn(\d+)\.' % load.series)
    numbers = [pattern.search(octets) for octets in delivered.values()]
    numbers = [int(number[1]) for number in numbers if number]
    check(len(numbers), len(set(numbers)), 'messages delivered, and distinct ones')
    refused = {number for number, reply in load.replies.items() if reply.code != 250}
    check(sorted(refused & set(numbers)), [], 'refused and delivered')
    return accepted, refused
