#!/usr/bin/env python3
"""Sends a handful of messages through a private Postfix with Tocsin and
prints what each check found and what the queue did.

packaging/quickstart calls it; `builddir` names the folder of the programs.
Everything runs on the loopback, in a folder that is removed afterwards, and
ends by process id.
"""
import os
import sys
import tempfile
import textwrap

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'tests', 'support'))
sys.dont_write_bytecode = True
import dkim_signer
import dns_server
import filter as tocsind
import postfix
import samples

POLICY = """\
rule spoofed-sender "the author's domain asks to reject what it did not send" {
    severity high
    when direction == inbound and dmarc == fail and dmarc.policy == reject
    then quarantine
}

rule in-our-name "in our name from outside" {
    severity high
    when direction == inbound and any from (.domain in { "tocsin.test" }) and dmarc != pass
    then reject "5.7.1 not from here"
}

rule listed "carries an indicator that is known to be bad" {
    severity critical
    when any indicator (.strength == strong and .severity >= high)
    then quarantine
}

rule no-sender-policy "the sender's domain publishes nothing" {
    severity low
    when direction == inbound and spf == none and dmarc == none
    then tag
}
"""

SETTINGS = """\
feed cert { source "feeds/cert.json"  format misp  status verified  severity high  confidence 90 }
feed phish { source "feeds/phish.csv"  format csv  status verified  severity high  confidence 90
             columns { value "url" } }
"""

MISP = """\
{"Event": {"uuid": "0a1b2c3d-0000-4000-8000-000000000001", "info": "Demonstration", "date": "2026-11-24",
 "published": true, "Attribute": [
 {"uuid": "0a1b2c3d-0000-4000-8000-000000000002", "type": "sha256", "category": "Payload delivery",
  "to_ids": true, "value": "%s", "comment": "a sample"}]}}
"""

CSV = 'url\n%s\n'


class Sample:
    def __init__(self, title, octets, **envelope):
        self.title, self.octets, self.envelope = title, octets, envelope
        self.reply = None


def make_samples(bank, shop):
    at_bank = {'sender': 'service@bank.test', 'address': samples.BANK_CLIENT, 'helo': 'mail.bank.test'}
    at_shop = {'sender': 'news@shop.test', 'address': samples.SHOP_CLIENT, 'helo': 'mail.shop.test'}
    elsewhere = {'sender': 'x@host.nobody.test', 'address': samples.OTHER_CLIENT, 'helo': 'host.nobody.test'}
    return [
        Sample('signed and aligned', bank.sign(samples.aligned()), **at_bank),
        Sample('spoofed bank', samples.aligned('spoofed'), **elsewhere),
        Sample('in our own name', samples.message('The boss <boss@tocsin.test>', 'Urgent'), **elsewhere),
        Sample('carries a listed URL', shop.sign(samples.listed_url()), **at_shop),
        Sample('carries a listed file', shop.sign(samples.listed_attachment()), **at_shop),
        Sample('from an unknown domain', samples.message('A <a@host.nobody.test>', 'Hello'), **elsewhere),
        Sample('clean', shop.sign(samples.clean()), **at_shop),
    ]


def fate(server, sample):
    """What the queue did with a message, and the headers it has now."""
    reply = sample.reply
    if reply.queue_id is None:
        return f'refused: {reply.code} {reply.text}', None
    if reply.queue_id in server.held():
        return 'held', server.headers_of_held(reply.queue_id)
    message = server.delivery(reply.queue_id)
    if message is None:
        return 'gone: ' + server.log_of(reply.queue_id)[-1].split(': ', 2)[-1], None
    added = [f'{name}: {" ".join(value.split())}' for name, value in message.items()
             if name.lower().startswith(('authentication-results', 'x-tocsin'))]
    return 'delivered with ' + (' | '.join(added) or 'nothing added'), message


def table(rows, widths):
    """Rows of texts in columns; long ones are wrapped within their column."""
    rule = '+'.join('-' * (width + 2) for width in widths)
    lines = [rule]
    for row in rows:
        cells = [textwrap.wrap(str(cell), width) or [''] for cell, width in zip(row, widths)]
        for at in range(max(map(len, cells))):
            lines.append((' ' + ' | '.join((cell[at] if at < len(cell) else '').ljust(width)
                                          for cell, width in zip(cells, widths))).rstrip())
        lines.append(rule)
    return '\n'.join(lines)


def row(server, filter_process, sample):
    record = find_record(filter_process, sample)
    done, _ = fate(server, sample)
    return (sample.title, *describe(record), done)


def find_record(filter_process, sample):
    """The evidence record of a sample: by Message-ID, which refused mail has
    as well."""
    ident = next(line for line in sample.octets.decode('utf-8', 'replace').split('\r\n')
                 if line.startswith('Message-ID:')).split(':', 1)[1].strip().strip('<>')
    for record in filter_process.records():
        if str(record.get('message_id', '')).strip('<>') == ident:
            return record
    return {}


def describe(record):
    """SPF, DKIM, DMARC, rules and indicators of an evidence record."""
    rules = ', '.join(rule['name'] for rule in record.get('rules', []))
    hits = ', '.join(f'{hit["type"]} {hit["value"][:40]} ({hit["feed"]})' for hit in record.get('indicators', []))
    results = record.get('results', {})
    return [str(results.get(name, '?')) for name in ('spf', 'dkim', 'dmarc')] + [rules or '-', hits or '-']


def main():
    if tocsind.program('tocsind') is None:
        print('demonstration: tocsind is not built', file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix='tocsin-demonstration-') as top:
        bank, shop = (dkim_signer.DkimKey(top, domain) for domain in ('bank.test', 'shop.test'))
        with dns_server.DnsServer(samples.zone([bank, shop])) as dns:
            server = postfix.Postfix(top)
            filter_process = tocsind.Filter(top, POLICY, SETTINGS, dns=dns.host_port,
                                            socket_folder=server.milter_folder())
            filter_process.write('feeds/cert.json', MISP % samples.LISTED_SHA256)
            filter_process.write('feeds/phish.csv', CSV % samples.LISTED_URL)
            with filter_process, server:
                sent = make_samples(bank, shop)
                for sample in sent:
                    sample.reply = server.send(sample.octets, **sample.envelope)
                server.drain()
                rows = [('message', 'SPF', 'DKIM', 'DMARC', 'rule', 'indicator', 'what the queue did')]
                rows += [row(server, filter_process, sample) for sample in sent]
                print(table(rows, (22, 8, 8, 8, 18, 28, 60)))
                wrong = [sample.title for sample in sent if sample.reply.code == 451]
                if wrong or os.environ.get('SHOW_LOG'):
                    print(filter_process.log_text(), file=sys.stderr)
                return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
