#!/usr/bin/env python3
"""SPF through libunbound against a hostile DNS server on the loopback.

The server answers late, truncated, endless, forged and malformed. Each case
must end within the message's deadline and without a pass. Cases with a signed
zone need python3-dnspython with cryptography and are skipped without.
"""
import concurrent.futures
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

TOP = os.environ.get('srcdir', os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
BUILD = os.environ.get('builddir', TOP)
sys.path.insert(0, os.path.join(TOP, 'tests', 'support'))
from tap import Skip, case, check, run  # noqa: E402

A, NS, CNAME, PTR, MX, TXT, AAAA = 1, 2, 5, 12, 15, 16, 28
PASS_ALL = b'v=spf1 +all'
DEADLINE_S = 2.5


def wire_name(name):
    labels = name if isinstance(name, list) else [label.encode() for label in name.split('.') if label]
    return b''.join(bytes([len(label)]) + label for label in labels) + b'\0'


def strings(text):
    return b''.join(bytes([len(text[at:at + 255])]) + text[at:at + 255] for at in range(0, len(text), 255))


class Server:
    """Answers by the first label of the name asked for."""

    def __init__(self):
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(('127.0.0.1', 0))
        self.port = self.udp.getsockname()[1]
        self.tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.tcp.bind(('127.0.0.1', self.port))
        self.tcp.listen(20)
        self.signed = {}
        for target in (self.serve_udp, self.serve_tcp):
            threading.Thread(target=target, daemon=True).start()

    def serve_udp(self):
        while True:
            data, peer = self.udp.recvfrom(4096)
            threading.Thread(target=self.one_udp, args=(data, peer), daemon=True).start()

    def one_udp(self, data, peer):
        for packet in self.answers(data, False):
            self.udp.sendto(packet[:65000], peer)

    def serve_tcp(self):
        while True:
            client = self.tcp.accept()[0]
            threading.Thread(target=self.one_tcp, args=(client,), daemon=True).start()

    def one_tcp(self, client):
        try:
            while True:
                head = client.recv(2, socket.MSG_WAITALL)
                if len(head) < 2:
                    return
                data = client.recv(struct.unpack('>H', head)[0], socket.MSG_WAITALL)
                for packet in self.answers(data, True):
                    out = struct.pack('>H', len(packet)) + packet
                    if self.mood(data) == 'drip':
                        for octet in out:
                            client.sendall(bytes([octet]))
                            time.sleep(0.3)
                    else:
                        client.sendall(out)
        except OSError:
            pass
        finally:
            client.close()

    @staticmethod
    def question(data):
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1:at + 1 + data[at]])
            at += 1 + data[at]
        return labels, struct.unpack('>H', data[at + 1:at + 3])[0], data[12:at + 5]

    def mood(self, data):
        labels = self.question(data)[0]
        return labels[0].decode('latin-1').lower() if labels else '.'

    def answers(self, data, tcp):
        labels, kind, question = self.question(data)
        name = '.'.join(label.decode('latin-1') for label in labels).lower()
        mood = self.mood(data)
        ident = data[:2]

        def packet(records=(), flags=0x8580, rcode=0, ident=ident, asked=question, count=None):
            body = b''
            for owner, code, rdata in records:
                body += (owner if owner else b'\xc0\x0c') + struct.pack('>HHIH', code, 1, 60, len(rdata)) + rdata
            return ident + struct.pack('>HHHHH', flags | rcode, 1, len(records) if count is None else count,
                                       0, 0) + asked + body

        if (name, kind) in self.signed:
            return [ident + self.signed[name, kind][2:]]
        text = [(b'', TXT, strings(PASS_ALL))]
        if mood in ('.', 'test') or kind not in (A, TXT, MX, PTR, AAAA):
            return [packet()]
        if mood == 'good':
            return [packet(text)]
        if mood == 'late':
            time.sleep(DEADLINE_S + 3)
            return [packet(text)]
        if mood == 'wrongid':
            return [packet(text, ident=bytes([ident[0] ^ 1, ident[1]]))]
        if mood == 'wrongquestion':
            return [packet([(wire_name('other.test'), TXT, strings(PASS_ALL))],
                           asked=wire_name('other.test') + question[-4:])]
        if mood == 'otherowner':
            return [packet([(wire_name('elsewhere.test'), TXT, strings(PASS_ALL))])]
        if mood == 'noanswerbit':
            return [packet(text, flags=0x0100)]
        if mood == 'truncated':
            return [packet(text)] if tcp else [packet(flags=0x8780)]
        if mood in ('drip', 'tcpsilent'):
            if not tcp:
                return [packet(flags=0x8780)]
            return [] if mood == 'tcpsilent' else [packet(text)]
        if mood == 'loop':
            return [packet([(b'', CNAME, wire_name('pool.test'))])]
        if mood == 'pool':
            return [packet([(b'', CNAME, wire_name('loop.test'))])]
        if mood == 'self':
            return [packet([(b'', CNAME, wire_name(name))])]
        if mood.startswith('chain'):
            return [packet([(b'', CNAME, wire_name('chain%d.test' % (int(mood[5:] or 0) + 1)))])]
        if mood == 'huge':
            if not tcp:
                return [packet(flags=0x8780)]
            return [packet([(b'', TXT, strings(b'v=spf1 ' + b'x' * 64000 + b' +all'))])]
        if mood == 'many' and kind == TXT:
            return [packet([(b'', TXT, strings(b'v=spf1 a mx -all'))])]
        if mood == 'many' and kind == A:
            if not tcp:
                return [packet(flags=0x8780)]
            return [packet([(b'', A, bytes([10, 0, i >> 8, i & 255])) for i in range(1000)])]
        if mood == 'many' and kind == MX:
            if not tcp:
                return [packet(flags=0x8780)]
            return [packet([(b'', MX, struct.pack('>H', i) + wire_name('h%d.test' % i)) for i in range(1000)])]
        if mood == 'manytxt':
            if not tcp:
                return [packet(flags=0x8780)]
            return [packet([(b'', TXT, strings(b'v=spf1 ip4:10.0.%d.%d +all' % (i >> 8, i & 255)))
                            for i in range(1000)])]
        if mood == 'odd' and kind == TXT:
            return [packet([(b'', TXT, strings(b'v=spf1 mx ptr -all'))])]
        if mood == 'odd' and kind == MX:
            return [packet([(b'', MX, b'\0\1' + wire_name([b'a\0b', b'test'])),
                            (b'', MX, b'\0\1' + wire_name([b'a.b', b'test'])),
                            (b'', MX, b'\0\1' + wire_name([b'\xff\xfe"\\', b'test'])),
                            (b'', MX, b'\0\1\0')])]
        if mood == 'deadmx' and kind == TXT:
            return [packet([(b'', TXT, strings(b'v=spf1 mx -all'))])]
        if mood == 'deadmx' and kind == MX:
            return [packet([(b'', MX, b'\0\1' + wire_name('wrongid.h%d.%s' % (i, name))) for i in range(10)])]
        if mood == 'garbage':
            return [ident + b'\x85\x80' + os.urandom(300)]
        if mood == 'overrun':
            return [packet([(b'', TXT, strings(PASS_ALL))])[:-4]]
        if mood == 'pointer':
            at = 12 + len(question)
            return [packet([(struct.pack('>H', 0xc000 | at), TXT, strings(PASS_ALL))])]
        if mood == 'count':
            return [packet(text, count=65535)]
        if mood == 'brokenstring':
            return [packet([(b'', TXT, bytes([200]) + PASS_ALL)])]
        if mood == 'refused':
            return [packet(rcode=5)]
        if mood == 'failing':
            return [packet(text, rcode=2)]
        return [packet(rcode=3)]


class Bench:
    def __init__(self):
        self.server = Server()
        self.silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.silent.bind(('127.0.0.1', 0))

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.silent.close()

    def ask_all(self, names):
        """The results of several senders, one after the other, from one process."""
        done = subprocess.run([os.path.join(BUILD, 'tests/unit/spf_cases'), '-s', '127.0.0.1@%d' % self.server.port,
                               '-d', '1500'],
                              input=''.join('case\tx\t192.0.2.1\thelo.test\tu@%s\n' % name for name in names).encode(),
                              stdout=subprocess.PIPE, timeout=100)
        return [line.split('\t')[1] for line in done.stdout.decode().splitlines()]

    def ask(self, name, port=None, deadline_s=DEADLINE_S, engine='native', anchor=None, client='192.0.2.1'):
        command = [os.path.join(BUILD, 'tests/unit/spf_cases'), '-e', engine,
                   '-s', '127.0.0.1@%d' % (port or self.server.port), '-d', str(int(deadline_s * 1000))]
        if anchor:
            command += ['-t', anchor]
        start = time.monotonic()
        done = subprocess.run(command, input=('case\tx\t%s\thelo.test\tu@%s\n' % (client, name)).encode(),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        took = time.monotonic() - start
        if done.returncode:
            raise AssertionError('%s: %s' % (name, done.stderr.decode()))
        fields = [urllib.parse.unquote(part) for part in done.stdout.decode().rstrip('\n').split('\t')]
        return {'result': fields[1], 'ms': int(fields[5]), 'down': fields[6] == 'down', 'problem': fields[7],
                'took': took}


HOSTILE = {
    'late': 'temperror', 'wrongid': 'temperror', 'wrongquestion': 'temperror', 'otherowner': None,
    'noanswerbit': None, 'drip': None, 'tcpsilent': 'temperror', 'loop': 'temperror', 'self': 'temperror',
    'chain': 'temperror', 'huge': 'permerror', 'many': None, 'manytxt': 'permerror', 'odd': 'fail',
    'garbage': None, 'overrun': None, 'pointer': None, 'count': None, 'brokenstring': 'none',
    'refused': 'temperror', 'failing': 'temperror',
}


@case('a hostile server gets no pass and no more than the deadline')
def hostile(bench):
    wrong = []
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        jobs = {(mood, engine): pool.submit(bench.ask, mood + '.test', engine=engine)
                for mood in HOSTILE for engine in ('native', 'libspf2')}
        for (mood, engine), job in jobs.items():
            answer, wanted = job.result(), HOSTILE[mood]
            if answer['result'] == 'pass' or answer['ms'] > DEADLINE_S * 1000 + 500 or \
                    answer['took'] > DEADLINE_S + 10 or \
                    (engine == 'native' and wanted and answer['result'] != wanted):
                wrong.append((mood, engine, answer))
    check(wrong, [])


@case('an honest answer passes, and a truncated one is asked again over TCP')
def honest(bench):
    check(bench.ask('good.test')['result'], 'pass')
    check(bench.ask('truncated.test')['result'], 'pass')


@case('a server that never answers is found out, a zone that does not is not')
def down(bench):
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        mixed = pool.submit(bench.ask_all, ['wrongid.v.test', 'wrongid.test', 'late.test', 'wrongid.w.test',
                                            'tcpsilent.test', 'deadmx.x.test', 'deadmx.y.test',
                                            'deadmx.z.test', 'good.test'])
        silent = pool.submit(bench.ask, 'good.test', port=bench.silent.getsockname()[1], deadline_s=7)
        dead = pool.submit(bench.ask, 'wrongid.test', deadline_s=7)
    silent, dead = silent.result(), dead.result()
    check((silent['result'], silent['down']), ('temperror', True))
    check((dead['result'], dead['down']), ('temperror', False))
    check(mixed.result()[-1], 'pass', 'a good name after dead ones')


def sign(server, folder):
    """A root zone with two signed records, one of them spoilt; the anchor's file."""
    try:
        import dns.dnssec
        import dns.message
        import dns.name
        import dns.rdatatype
        import dns.rrset
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError:
        raise Skip('python3-dnspython with cryptography is not installed')
    if not hasattr(dns.dnssec, 'sign'):
        raise Skip('this python3-dnspython cannot sign')
    private = ec.generate_private_key(ec.SECP256R1())
    key = dns.dnssec.make_dnskey(private.public_key(), dns.dnssec.Algorithm.ECDSAP256SHA256, flags=257)
    keys = dns.rrset.from_rdata('.', 3600, key)

    def keep(name, kind, rrset, spoil=False):
        signature = dns.dnssec.sign(rrset, private, dns.name.root, key, lifetime=86400, inception=time.time() - 3600)
        if spoil:
            octets = bytearray(signature.signature)
            octets[5] ^= 1
            signature = signature.replace(signature=bytes(octets))
        question = dns.message.make_query(name + '.', kind, want_dnssec=True)
        response = dns.message.make_response(question, recursion_available=True)
        response.answer = [rrset, dns.rrset.from_rdata(name + '.', 3600, signature)]
        server.signed[name, int(kind)] = response.to_wire()

    keep('', dns.rdatatype.DNSKEY, keys)
    for name, spoil in (('signed.zone', False), ('spoilt.zone', True)):
        record = dns.rrset.from_text(name + '.', 3600, 'IN', 'TXT', '"v=spf1 +all"')
        keep(name, dns.rdatatype.TXT, record, spoil)
    path = os.path.join(folder, 'anchor')
    with open(path, 'w', encoding='ascii') as file:
        file.write('. 3600 IN DNSKEY %s\n' % key.to_text())
    return path


@case('with dnssec on a broken signature is a temporary error')
def dnssec(bench):
    with tempfile.TemporaryDirectory() as folder:
        anchor = sign(bench.server, folder)
        good = bench.ask('signed.zone', anchor=anchor)
        check((good['result'], good['problem']), ('pass', ''))
        broken = bench.ask('spoilt.zone', anchor=anchor)
        check(broken['result'], 'temperror')
        check('DNSSEC' in broken['problem'], True, broken['problem'])
        check(bench.ask('spoilt.zone')['result'], 'pass', 'without validation')


if __name__ == '__main__':
    run(Bench)
