#!/usr/bin/env python3
"""The tests' own instruments: DNS server, signer, milter client, Postfix."""
import os
import socket
import struct
import sys
import tempfile
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dkim_signer
import dns_server
import milter_client
import postfix
import samples
from tap import Skip, case, check, check_in, run

ZONE = """
; a comment
a.test        A     192.0.2.1
a.test   300  MX    10 mail.a.test
a.test        TXT   "v=spf1 -all" ; another
mail.a.test   CNAME a.test
*.w.test      A     192.0.2.9
dead.test     TIMEOUT
bad.test      SERVFAIL
deep.er.test  A     192.0.2.3
long.test     TXT   "%s"
""" % ('x' * 700)


def ask(server, name, code, tcp=False):
    """(rcode, truncated, answers) of one question, or None."""
    query = struct.pack('>HHHHHH', 7, 0x100, 1, 0, 0, 0) + dns_server.wire_name(name) + struct.pack('>HH', code, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.3 if not tcp else 3)
        sock.connect(server.address)
        sock.send(struct.pack('>H', len(query)) + query if tcp else query)
        try:
            answer = sock.recv(65536)
        except TimeoutError:
            return None
    if tcp:
        answer = answer[2:]
    flags, _, count = struct.unpack('>HHH', answer[2:8])
    return flags & 15, bool(flags & 0x200), count, answer


@case('the DNS server answers from its zone')
def zone_answers():
    with dns_server.DnsServer(ZONE) as server:
        for name, code, rcode, count in (
                ('a.test', 1, 0, 1), ('A.Test', 15, 0, 1), ('a.test', 28, 0, 0), ('none.test', 1, 3, 0),
                ('er.test', 1, 0, 0), ('x.w.test', 1, 0, 1), ('mail.a.test', 1, 0, 2), ('bad.test', 1, 2, 0)):
            found = ask(server, name, code)
            check(found[:1] + found[2:3], (rcode, count), f'{name} {code}')
        check(ask(server, 'dead.test', 1), None, 'a time-out')
        check(server.questions[0], ('a.test', 'A'), 'the first question')


@case('the DNS server gives long answers over TCP')
def long_answers():
    with dns_server.DnsServer(ZONE) as server:
        check(ask(server, 'long.test', 16)[:2], (0, True), 'UDP')
        rcode, truncated, count, answer = ask(server, 'long.test', 16, tcp=True)
        check((rcode, truncated, count), (0, False, 1), 'TCP')
        check(answer.count(b'x'), 700, 'octets of text')


@case('a signature verifies with the published key')
def signature():
    with tempfile.TemporaryDirectory() as folder:
        for kind in ('rsa', 'ed25519'):
            key = dkim_signer.DkimKey(folder, 'bank.test', selector=kind, kind=kind)
            signed = key.sign(samples.aligned())
            check(signed.count(b'DKIM-Signature:'), 1, 'signatures')
            try:
                import dkim
            except ImportError:
                check_in('p=', key.record)
                continue
            found = dkim.verify(signed, dnsfunc=lambda name, timeout=5, key=key: key.record.encode())
            check(found, True, f'{kind} by dkimpy')


@case('relaxed canonicalisation is that of RFC 6376, 3.4.5')
def canonical():
    check(dkim_signer.relax_header(b'SubjeCT ', b' AbC\r\n\t  d '), b'subject:AbC d')
    check(dkim_signer.relax_body(b' C \r\nD \t E\r\n\r\n\r\n'), b' C\r\nD E\r\n')


def scripted_milter(server, seen):
    """Speaks just enough of the milter's side to hold the client to it."""
    sock, _ = server.accept()
    stream = sock.makefile('rwb')

    def put(letter, octets=b''):
        stream.write(struct.pack('>I', len(octets) + 1) + letter + octets)
        stream.flush()
    with sock:
        while True:
            head = stream.read(4)
            if len(head) < 4:
                return
            packet = stream.read(struct.unpack('>I', head)[0])
            seen.append(packet)
            letter = packet[:1]
            if letter == b'O':
                put(b'O', struct.pack('>III', 6, 0x1ff, milter_client.NR_HEADER | milter_client.LEADING_SPACE))
            elif letter == b'E':
                put(b'p')
                put(b'i', struct.pack('>I', 0) + b'X-A\0 b\0')
                put(b'q', b'held\0')
                put(b'c')
            elif letter not in b'DLQA':
                put(b'c')


@case('the milter client hands a message over as Postfix does')
def milter():
    with tempfile.TemporaryDirectory() as folder:
        path, seen = os.path.join(folder, 's'), []
        server = socket.socket(socket.AF_UNIX)
        server.bind(path)
        server.listen()
        thread = threading.Thread(target=scripted_milter, args=(server, seen), daemon=True)
        thread.start()
        with milter_client.MilterClient(path) as client:
            client.connect('2001:db8::1')
            client.helo('h.test')
            answer = client.message('<a@a.test>', ['<b@b.test>'], b'A: 1\r\n 2\r\nB:3\r\n\r\nbody\r\n')
        thread.join(5)
        server.close()
        check(answer.action, 'continue')
        check(answer.edits, [('insert', 0, 'X-A', ' b'), ('quarantine', 'held')], 'edits')
        letters = b''.join(packet[:1] for packet in seen)
        check(letters, b'ODCDHDMDRDTDLDLDNDBDEQ', 'order of packets')
        check([p for p in seen if p[:1] == b'L'], [b'LA\0 1\n 2\0', b'LB\x003\0'], 'header packets')
        check([p for p in seen if p[:1] == b'C'][0][1:].split(b'\0')[1][:1], b'6', 'address family')


@case('a private Postfix takes, holds and delivers mail')
def private_postfix():
    with tempfile.TemporaryDirectory() as top:
        try:
            server = postfix.Postfix(top, milter=None,
                                     extra=f'header_checks = regexp:{top}/conf/checks')
        except postfix.Missing as why:
            raise Skip(why) from None
        server.write('checks', '/^Subject: Invoice/ HOLD\n')
        with server:
            clean, held = server.send(samples.clean()), server.send(samples.listed_attachment())
            message = server.delivery(clean.queue_id)
            check_in('[192.0.2.20]', message['Received'], 'the client address')
            check(server.held(), [held.queue_id], 'the hold queue')
            check(server.headers_of_held(held.queue_id)['Subject'], 'Invoice')
            server.release(held.queue_id)
            check(server.delivery(held.queue_id)['Subject'], 'Invoice')


run()
