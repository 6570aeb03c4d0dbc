"""What integration tests share: Postfix, scripted DNS and tocsind together."""
import contextlib
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
import dkim_signer
import dns_server
import filter as tocsind
import postfix
import samples
from tap import Skip

LOAD = float(os.environ.get('TEST_LOAD', '1'))


def load(count):
    """A number of messages, at the share that TEST_LOAD asks for."""
    return max(10, int(count * LOAD))


class Bench:
    """server (Postfix, Sendmail or None), dns, filter, keys by domain."""

    def log(self):
        lines = self.filter.log_text().splitlines()[-25:]
        if self.server is not None:
            lines += ['--- the MTA', *self.server.log_text().splitlines()[-15:]]
        return '\n'.join(lines)

    def sign(self, message, domain='shop.test'):
        return self.keys[domain].sign(message)


@contextlib.contextmanager
def bench(policy, settings='', with_postfix=True, zone='', start=True, feeds=(), mta=None, **mta_options):
    """Everything running, in a folder that goes away. `feeds` are (name, text)
    files in the folder of the configuration; `mta` is the class of the mail
    server, Postfix when none is named."""
    if tocsind.program('tocsind') is None:
        raise Skip('tocsind is not built')
    with tempfile.TemporaryDirectory(prefix='tocsin-test-') as top, contextlib.ExitStack() as stack:
        found = Bench()
        found.top = top
        found.keys = {domain: dkim_signer.DkimKey(top, domain) for domain in ('bank.test', 'shop.test')}
        found.dns = stack.enter_context(dns_server.DnsServer(samples.zone(found.keys.values()) + zone))
        found.server = None
        folder = None
        if with_postfix:
            try:
                found.server = (mta or postfix.Postfix)(top, **mta_options)
            except postfix.Missing as why:
                raise Skip(why) from None
            folder = found.server.milter_folder()
        found.filter = tocsind.Filter(top, policy, settings, dns=found.dns.host_port, socket_folder=folder)
        for name, text in feeds:
            found.filter.write(name, text)
        if start:
            stack.enter_context(found.filter)
            if found.server is not None:
                stack.enter_context(found.server)
        yield found
