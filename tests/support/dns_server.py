#!/usr/bin/env python3
"""A scripted DNS server on the loopback, for tests and demonstrations.

It answers over UDP and TCP from a zone file:

    ; a comment (# as well)
    example.test       A      192.0.2.1
    example.test       MX     10 mx.example.test
    example.test       TXT    "v=spf1 ip4:192.0.2.0/24 -all"
    *.wild.test        A      192.0.2.2
    1.2.0.192.in-addr.arpa  PTR  mail.example.test
    alias.test         CNAME  example.test
    dead.test          TIMEOUT           ; no answer at all; so is NEVER
    half.test          TIMEOUT TXT       ; for that type alone
    broken.test        SERVFAIL
    gone.test          NXDOMAIN          ; whatever lies below it
    empty.test         NODATA
    slow.test          DELAY  1500       ; milliseconds, beside other records
    big.test           TRUNCATE          ; UDP answers ask for TCP

A name that has a name below it exists without data; other names do not exist.
Strings over 255 octets are cut into character-strings. Every question is kept
in `questions` (name, type), for tests that count them.

    dns_server.py ZONEFILE [ADDRESS:PORT]
"""
import ipaddress
import shlex
import socket
import socketserver
import struct
import sys
import threading
import time

TYPES = {'A': 1, 'NS': 2, 'CNAME': 5, 'SOA': 6, 'PTR': 12, 'MX': 15, 'TXT': 16, 'AAAA': 28, 'SPF': 99}
NAMES = {code: name for name, code in TYPES.items()}
SCRIPTED = ('TIMEOUT', 'NEVER', 'SERVFAIL', 'NXDOMAIN', 'NODATA', 'DELAY', 'TRUNCATE')
NOERROR, SERVFAIL, NXDOMAIN = 0, 2, 3


# ". 30 SOA . . 1 3600 600 86400 30": the whole world is one zone here.
SOA = b'\0' + struct.pack('>HHIH', 6, 1, 30, 22) + b'\0\0' + struct.pack('>5I', 1, 3600, 600, 86400, 30)


def canonical(name):
    return name.rstrip('.').lower()


def wire_name(name):
    out = b''
    for label in canonical(name).split('.'):
        if label:
            octets = label.encode('latin-1')
            out += bytes([len(octets)]) + octets
    return out + b'\0'


def character_strings(texts):
    out = b''
    for text in texts:
        octets = text.encode('latin-1', 'surrogateescape') if isinstance(text, str) else text
        pieces = [octets[at:at + 255] for at in range(0, len(octets), 255)] or [b'']
        out += b''.join(bytes([len(piece)]) + piece for piece in pieces)
    return out


def rdata(kind, words):
    if kind in ('A', 'AAAA'):
        return ipaddress.ip_address(words[0]).packed
    if kind in ('NS', 'CNAME', 'PTR'):
        return wire_name(words[0])
    if kind == 'MX':
        return struct.pack('>H', int(words[0])) + wire_name(words[1])
    return character_strings(words)


class Zone:
    def __init__(self, text=''):
        self.names = {}
        self.load(text)

    def load(self, text):
        names = {}
        for number, line in enumerate(text.splitlines(), 1):
            line = line.strip()
            if not line or line[0] in ';#':
                continue
            lexer = shlex.shlex(line, posix=True, punctuation_chars=False)
            lexer.whitespace_split = True
            lexer.commenters = ';'
            lexer.escape = ''
            words = list(lexer)
            if words[1].isdigit():
                del words[1]
            if words[1] == 'IN':
                del words[1]
            kind = words[1].upper()
            if kind not in TYPES and kind not in SCRIPTED:
                raise ValueError(f'line {number}: unknown type {words[1]}')
            names.setdefault(canonical(words[0]), []).append((kind, words[2:]))
        self.names = names

    def add(self, name, kind, *words):
        self.names.setdefault(canonical(name), []).append((kind, list(words)))

    def find(self, name):
        """The records of a name, [] where only names below exist, or None."""
        name = canonical(name)
        if name in self.names:
            return self.names[name]
        if any(other.endswith('.' + name) for other in self.names):
            return []
        labels = name.split('.')
        for at in range(1, len(labels)):
            star = '*.' + '.'.join(labels[at:])
            if star in self.names:
                return self.names[star]
        return None


class DnsServer:
    """Serves from construction until close(); .address is (host, port)."""

    def __init__(self, text='', address='127.0.0.1', port=0):
        self.zone = Zone(text)
        self.questions = []
        self.silent = False  # True: no answer to anything
        outer = self

        class Udp(socketserver.BaseRequestHandler):
            def handle(self):
                octets, sock = self.request
                answer = outer.answer(octets, 4096)
                if answer is None:
                    return
                try:
                    sock.sendto(answer, self.client_address)
                except OSError:
                    pass  # late, and the server is closed

        class Tcp(socketserver.BaseRequestHandler):
            def handle(self):
                self.request.settimeout(10)
                try:
                    while True:
                        head = self.exactly(2)
                        answer = outer.answer(self.exactly(struct.unpack('>H', head)[0]), 65535)
                        if answer is None:
                            time.sleep(10)
                            return
                        self.request.sendall(struct.pack('>H', len(answer)) + answer)
                except (OSError, EOFError):
                    return

            def exactly(self, size):
                octets = b''
                while len(octets) < size:
                    more = self.request.recv(size - len(octets))
                    if not more:
                        raise EOFError
                    octets += more
                return octets

        socketserver.ThreadingUDPServer.daemon_threads = True
        socketserver.ThreadingUDPServer.max_packet_size = 4096
        socketserver.ThreadingTCPServer.daemon_threads = True
        socketserver.ThreadingTCPServer.allow_reuse_address = True
        for _ in range(20):
            self.udp = socketserver.ThreadingUDPServer((address, port), Udp)
            try:
                self.tcp = socketserver.ThreadingTCPServer(self.udp.server_address, Tcp)
                break
            except OSError:
                self.udp.server_close()  # the port is taken for TCP: another
                if port:
                    raise
        self.address = self.udp.server_address
        self.threads = [threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
                        for server in (self.udp, self.tcp)]
        for thread in self.threads:
            thread.start()

    @property
    def host_port(self):
        return '%s:%d' % self.address

    def close(self):
        for server in (self.udp, self.tcp):
            server.shutdown()
            server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def answer(self, query, size_max):
        try:
            return self.reply(query, size_max)
        except (IndexError, struct.error, ValueError):
            return None

    def reply(self, query, size_max):
        ident, flags, questions = struct.unpack('>HHH', query[:6])
        if flags & 0x8000 or questions != 1:
            return None
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode('latin-1'))
            at += 1 + query[at]
        code = struct.unpack('>H', query[at + 1:at + 3])[0]
        question = query[12:at + 5]
        name = '.'.join(labels)
        self.questions.append((canonical(name), NAMES.get(code, str(code))))
        if self.silent:
            return None
        rcode, answers, truncate, silent, delay = self.look_up(name, NAMES.get(code, ''))
        if delay:
            time.sleep(delay / 1000)
        if silent:
            return None
        has_edns = struct.unpack('>H', query[10:12])[0] > 0
        limit = size_max if size_max > 4096 or has_edns else 512
        body = b''.join(answers)
        udp = size_max <= 4096
        if udp and (truncate or 12 + len(question) + len(body) > limit):
            return struct.pack('>HHHHHH', ident, 0x8780 | rcode, 1, 0, 0, 0) + question
        # How long "no" may be kept stands in the zone's SOA (RFC 2308, 5).
        says_no = rcode == NXDOMAIN or (rcode == NOERROR and not answers)
        authority = SOA if says_no else b''
        return (struct.pack('>HHHHHH', ident, 0x8580 | rcode, 1, len(answers), says_no, 0) + question + body +
                authority)

    def look_up(self, name, kind):
        answers, truncate, delay = [], False, 0
        for _ in range(12):
            records = self.zone.find(name)
            if records is None:
                return NXDOMAIN, answers, truncate, False, delay
            found = [words for k, words in records if k == kind]
            alias = [words for k, words in records if k == 'CNAME']
            for k, words in records:
                truncate |= k == 'TRUNCATE'
                delay += int(words[0]) if k == 'DELAY' else 0
                meant = words[:1] == [kind] or (not words and not found)
                if k == 'SERVFAIL' and meant:
                    return SERVFAIL, [], truncate, False, delay
                if k in ('TIMEOUT', 'NEVER') and meant:
                    return NOERROR, [], truncate, True, delay
                if k == 'NXDOMAIN':
                    return NXDOMAIN, [], truncate, False, delay
            if found or not alias:
                answers += [self.record(name, kind, words) for words in found]
                return NOERROR, answers, truncate, False, delay
            answers.append(self.record(name, 'CNAME', alias[0]))
            name = alias[0][0]
        return SERVFAIL, [], truncate, False, delay

    @staticmethod
    def record(name, kind, words):
        data = rdata(kind, words)
        return wire_name(name) + struct.pack('>HHIH', TYPES[kind], 1, 30, len(data)) + data


def main():
    host, port = '127.0.0.1', 0
    if len(sys.argv) > 2:
        host, _, port = sys.argv[2].rpartition(':')
    with open(sys.argv[1], encoding='latin-1') as zone:
        server = DnsServer(zone.read(), host or '127.0.0.1', int(port))
    print(server.host_port, flush=True)
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        server.close()


if __name__ == '__main__':
    main()
