"""The MTA's side of the milter protocol (version 6), for tests.

Hands a message over as Postfix does and collects what the milter asks for.
Everything can be bent: chunk sizes, packets over the limit, a disconnect at
any point, several messages on a connection.

    with MilterClient('/run/x.sock') as milter:
        milter.connect('192.0.2.1', 'mail.example.test')
        milter.helo('mail.example.test')
        answer = milter.message('<a@example.test>', ['<b@example.test>'], octets)
        answer.action       'accept', 'continue', 'reject', 'tempfail', 'discard', 'reply'
        answer.edits        [('insert', 0, 'X-A', 'b'), ('quarantine', 'text'), ...]
"""
import ipaddress
import re
import socket
import struct

# What is offered: all actions and all protocol steps that Postfix knows.
ACTIONS = 0x1ff
STEPS = 0x1fffff
NO_CONNECT, NO_HELO, NO_MAIL, NO_RCPT, NO_BODY, NO_HEADERS, NO_EOH = (1 << bit for bit in range(7))
NO_UNKNOWN, NO_DATA, SKIP, RCPT_REJECTED = 0x100, 0x200, 0x400, 0x800
NR_HEADER, NR_CONNECT, NR_HELO, NR_MAIL, NR_RCPT, NR_DATA, NR_UNKNOWN, NR_EOH, NR_BODY = (
    0x80, 0x1000, 0x2000, 0x4000, 0x8000, 0x10000, 0x20000, 0x40000, 0x80000)
LEADING_SPACE = 0x100000

FINAL = {'a': 'accept', 'c': 'continue', 'r': 'reject', 't': 'tempfail', 'd': 'discard', 'y': 'reply', 's': 'skip'}


class ProtocolError(Exception):
    pass


class Answer:
    def __init__(self, action, text='', edits=None):
        self.action = action
        self.text = text
        self.edits = edits or []

    def __repr__(self):
        return f'Answer({self.action!r}, {self.text!r}, {self.edits!r})'

    def inserted(self, name):
        return [edit[-1] for edit in self.edits
                if edit[0] in ('insert', 'add') and edit[-2].lower() == name.lower()]

    @property
    def quarantined(self):
        return [edit[1] for edit in self.edits if edit[0] == 'quarantine']


def text(octets):
    return octets.decode('utf-8', 'surrogateescape')


def octets_of(value):
    return value if isinstance(value, bytes) else value.encode('utf-8', 'surrogateescape')


def mta_view(message):
    """Header fields and body as Postfix hands them over: folds are LF, the
    value keeps its leading space, the body has CRLF line ends."""
    message = re.sub(rb'\r*\n', b'\n', message)
    head, _, body = message.partition(b'\n\n')
    fields = []
    for line in head.split(b'\n'):
        if line[:1] in (b' ', b'\t') and fields:
            fields[-1][1] += b'\n' + line
        elif b':' in line:
            name, _, value = line.partition(b':')
            fields.append([name, value])
    return fields, body.replace(b'\n', b'\r\n')


class MilterClient:
    def __init__(self, path, timeout=30, steps=STEPS, actions=ACTIONS, macros=None):
        """`path` is a unix socket or (host, port)."""
        family = socket.AF_INET if isinstance(path, tuple) else socket.AF_UNIX
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.settimeout(timeout)
        self.sock.connect(path)
        self.macros = {'j': 'mx.tocsin.test', '{daemon_name}': 'smtpd', 'v': 'Postfix 3.7.11'}
        self.macros.update(macros or {})
        self.steps = self.negotiate(actions, steps)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Says goodbye and closes."""
        try:
            self.send(b'Q')
        except OSError:
            pass
        self.sock.close()

    def drop(self):
        """Closes without a word, in the middle of whatever is going on."""
        self.sock.close()

    # ---- packets

    def send(self, command, octets=b''):
        self.sock.sendall(struct.pack('>I', len(octets) + 1) + command + octets)

    def receive(self):
        size = struct.unpack('>I', self.exactly(4))[0]
        if size == 0:
            raise ProtocolError('an empty packet')
        packet = self.exactly(size)
        return packet[:1], packet[1:]

    def exactly(self, size):
        octets = b''
        while len(octets) < size:
            more = self.sock.recv(size - len(octets))
            if not more:
                raise ProtocolError('the milter closed the connection')
            octets += more
        return octets

    def negotiate(self, actions, steps):
        self.send(b'O', struct.pack('>III', 6, actions, steps))
        command, octets = self.receive()
        if command != b'O':
            raise ProtocolError(f'{command!r} for an option negotiation')
        version, self.actions, chosen = struct.unpack('>III', octets[:12])
        self.version = version
        self.wanted_macros = octets[12:]
        if self.actions & ~actions or chosen & ~steps:
            raise ProtocolError('more was asked for than offered')
        return chosen

    def define(self, stage, macros):
        pairs = b''.join(octets_of(name) + b'\0' + octets_of(value) + b'\0' for name, value in macros.items())
        self.send(b'D', stage + pairs)

    def command(self, command, octets, skip, no_reply):
        """Sends a command unless it was declined; the milter's answer."""
        if self.steps & skip:
            return Answer('continue')
        self.send(command, octets)
        if self.steps & no_reply:
            return Answer('continue')
        return self.answer()

    def answer(self):
        edits = []
        while True:
            command, octets = self.receive()
            letter = command.decode('latin-1')
            if letter == 'p':
                continue
            if letter in FINAL:
                return Answer(FINAL[letter], text(octets.rstrip(b'\0')), edits)
            edits.append(self.edit(letter, octets))

    @staticmethod
    def edit(letter, octets):
        if letter in 'im':
            index = struct.unpack('>I', octets[:4])[0]
            name, value = octets[4:].split(b'\0')[:2]
            return ('insert' if letter == 'i' else 'change', index, text(name), text(value))
        if letter == 'h':
            name, value = octets.split(b'\0')[:2]
            return ('add', text(name), text(value))
        words = {'q': 'quarantine', '+': 'add-recipient', '-': 'remove-recipient', 'e': 'sender', 'b': 'body',
                 '2': 'add-recipient'}
        if letter not in words:
            raise ProtocolError(f'unknown answer {letter!r}')
        return (words[letter], text(octets.rstrip(b'\0')) if letter != 'b' else octets)

    # ---- the steps of a session

    def connect(self, address='192.0.2.1', name=None, port=25000, macros=None):
        if address.startswith('/'):
            family, port_octets = b'L', b'\0\0'
        elif address == 'unknown':
            family, port_octets = b'U', b''
        else:
            family = b'4' if ipaddress.ip_address(address).version == 4 else b'6'
            port_octets = struct.pack('>H', port)
        shown = ('IPv6:' if family == b'6' else '') + address
        tail = b'' if family == b'U' else port_octets + octets_of(shown) + b'\0'
        defined = dict(self.macros)
        defined.update({'{client_addr}': shown, '{client_name}': name or f'[{address}]'})
        defined.update(macros or {})
        self.define(b'C', defined)
        return self.command(b'C', octets_of(name or f'[{address}]') + b'\0' + family + tail, NO_CONNECT, NR_CONNECT)

    def helo(self, name, macros=None):
        self.define(b'H', macros or {})
        return self.command(b'H', octets_of(name) + b'\0', NO_HELO, NR_HELO)

    def mail(self, sender, parameters=(), macros=None):
        defined = {'{mail_addr}': sender.strip('<>'), '{mail_mailer}': 'smtp', '{mail_host}': ''}
        defined.update(macros or {})
        self.define(b'M', defined)
        return self.command(b'M', b''.join(octets_of(word) + b'\0' for word in (sender, *parameters)),
                            NO_MAIL, NR_MAIL)

    def rcpt(self, recipient, parameters=(), macros=None):
        defined = {'{rcpt_addr}': recipient.strip('<>'), '{rcpt_mailer}': 'virtual', 'i': self.macros.get('i', '')}
        defined.update(macros or {})
        self.define(b'R', {name: value for name, value in defined.items() if value})
        return self.command(b'R', b''.join(octets_of(word) + b'\0' for word in (recipient, *parameters)),
                            NO_RCPT, NR_RCPT)

    def data(self, queue_id='TESTQUEUEID'):
        self.queue_id = queue_id
        self.define(b'T', {'i': queue_id})
        return self.command(b'T', b'', NO_DATA, NR_DATA)

    def header(self, name, value):
        value = octets_of(value)
        if not self.steps & LEADING_SPACE:
            value = value[1:] if value[:1] == b' ' else value
        self.define(b'L', {'i': self.queue_id})
        return self.command(b'L', octets_of(name) + b'\0' + value + b'\0', NO_HEADERS, NR_HEADER)

    def end_of_headers(self):
        self.define(b'N', {'i': self.queue_id})
        return self.command(b'N', b'', NO_EOH, NR_EOH)

    def body(self, octets, chunk=65535):
        for at in range(0, len(octets), chunk):
            self.define(b'B', {'i': self.queue_id})
            answer = self.command(b'B', octets[at:at + chunk], NO_BODY, NR_BODY)
            if answer.action == 'skip':
                break
            if answer.action != 'continue':
                return answer
        return Answer('continue')

    def end_of_message(self):
        self.define(b'E', {'i': self.queue_id})
        self.send(b'E')
        return self.answer()

    def abort(self):
        self.send(b'A')

    def envelope(self, sender, recipients, macros=None, queue_id='TESTQUEUEID'):
        answer = self.mail(sender, macros=macros)
        for recipient in recipients:
            if answer.action != 'continue':
                return answer
            answer = self.rcpt(recipient)
        return self.data(queue_id) if answer.action == 'continue' else answer

    def message(self, sender, recipients, message, macros=None, queue_id='TESTQUEUEID', chunk=65535):
        """A whole transaction; the answer that ended it."""
        answer = self.envelope(sender, recipients, macros, queue_id)
        if answer.action != 'continue':
            return answer
        fields, body = mta_view(message)
        for name, value in fields:
            answer = self.header(name, value)
            if answer.action != 'continue':
                return answer
        answer = self.end_of_headers()
        if answer.action == 'continue':
            answer = self.body(body, chunk)
        return self.end_of_message() if answer.action == 'continue' else answer
