"""Signs messages with keys made for the occasion (RFC 6376, RFC 8463).

Canonicalisation is relaxed/relaxed. Keys are made and used by the openssl
command, so that nothing but it is needed. This is the tests' own signer: it
shares no code with the verifier that it puts to the test.
"""
import base64
import hashlib
import os
import re
import subprocess
import tempfile
import time

SIGNED = ['from', 'to', 'subject', 'date', 'message-id', 'mime-version', 'content-type']


def relax_header(name, value):
    value = re.sub(rb'\r?\n', b'', value)
    value = re.sub(rb'[ \t]+', b' ', value).strip(b' ')
    return name.lower().strip() + b':' + value


def relax_body(body):
    lines = body.split(b'\r\n')
    if lines and lines[-1] == b'':
        lines.pop()
    lines = [re.sub(rb'[ \t]+', b' ', line).rstrip(b' ') for line in lines]
    while lines and lines[-1] == b'':
        lines.pop()
    return b''.join(line + b'\r\n' for line in lines)


def split_message(message):
    """The header fields as (name, value) and the body; CRLF throughout."""
    head, _, body = message.partition(b'\r\n\r\n')
    fields = []
    for line in head.split(b'\r\n'):
        if line[:1] in (b' ', b'\t') and fields:
            fields[-1] = (fields[-1][0], fields[-1][1] + b'\r\n' + line)
        else:
            name, _, value = line.partition(b':')
            fields.append((name, value))
    return fields, body


class DkimKey:
    def __init__(self, folder, domain, selector='s1', kind='rsa', bits=2048):
        self.domain, self.selector, self.kind = domain, selector, kind
        self.path = os.path.join(folder, f'{selector}.{domain}.pem')
        algorithm = ['RSA', '-pkeyopt', f'rsa_keygen_bits:{bits}'] if kind == 'rsa' else ['ED25519']
        openssl('genpkey', '-algorithm', *algorithm, '-out', self.path)
        public = openssl('pkey', '-in', self.path, '-pubout', '-outform', 'DER')
        if kind != 'rsa':
            public = public[-32:]
        self.record = f'v=DKIM1; k={kind}; p={base64.b64encode(public).decode()}'

    @property
    def record_name(self):
        return f'{self.selector}._domainkey.{self.domain}'

    def sign(self, message, identity=None, expires=None, length=None, signed=None):
        """The message with a DKIM-Signature in front of it."""
        fields, body = split_message(message)
        canonical = relax_body(body)
        if length is not None:
            canonical = canonical[:length]
        names = [name.lower().decode('latin-1') for name, _ in fields]
        wanted = [name for name in (signed or SIGNED) if name in names]
        algorithm = 'rsa-sha256' if self.kind == 'rsa' else 'ed25519-sha256'
        tags = [('v', '1'), ('a', algorithm), ('c', 'relaxed/relaxed'), ('d', self.domain), ('s', self.selector),
                ('t', str(int(time.time()))), ('h', ':'.join(wanted)),
                ('bh', base64.b64encode(hashlib.sha256(canonical).digest()).decode())]
        if identity:
            tags.insert(4, ('i', identity))
        if expires:
            tags.insert(6, ('x', str(expires)))
        if length is not None:
            tags.insert(6, ('l', str(length)))
        value = ' ' + ';\r\n\t'.join(f'{tag}={text}' for tag, text in tags) + ';\r\n\tb='
        octets = b''
        left = list(fields)
        for name in wanted:  # of several fields of one name, the last first
            for at in range(len(left) - 1, -1, -1):
                if left[at][0].lower().strip() == name.encode():
                    octets += relax_header(*left.pop(at)) + b'\r\n'
                    break
        octets += relax_header(b'DKIM-Signature', value.encode())
        signature = base64.b64encode(self.raw_signature(octets)).decode()
        folded = '\r\n\t '.join(signature[at:at + 70] for at in range(0, len(signature), 70))
        return b'DKIM-Signature:' + value.encode() + folded.encode() + b'\r\n' + message

    def seal(self, message, results, authserv_id):
        """The message with one more ARC set in front of it (RFC 8617, 5.1)."""
        fields, body = split_message(message)
        sets = {}
        for name, value in fields:
            if name.lower().startswith(b'arc-'):
                instance = int(re.search(rb'i=(\d+)', value)[1])
                sets.setdefault(instance, {})[name.lower()] = (name, value)
        at = len(sets) + 1
        new = [(b'ARC-Authentication-Results', f' i={at}; {authserv_id}; {results}'.encode())]
        wanted = [name for name in SIGNED if name in [n.lower().decode('latin-1') for n, _ in fields]]
        digest = base64.b64encode(hashlib.sha256(relax_body(body)).digest()).decode()
        value = (f' i={at}; a=rsa-sha256; c=relaxed/relaxed; d={self.domain}; s={self.selector}; t={int(time.time())};'
                 f'\r\n\th={":".join(wanted)}; bh={digest};\r\n\tb=').encode()
        octets = b''
        for name in wanted:
            octets += relax_header(*[f for f in fields if f[0].lower() == name.encode()][-1]) + b'\r\n'
        octets += relax_header(b'ARC-Message-Signature', value)
        new.append((b'ARC-Message-Signature', value + base64.b64encode(self.raw_signature(octets))))
        value = (f' i={at}; a=rsa-sha256; cv={"none" if at == 1 else "pass"}; d={self.domain}; s={self.selector}; '
                 f't={int(time.time())};\r\n\tb=').encode()
        octets = b''
        order = (b'arc-authentication-results', b'arc-message-signature', b'arc-seal')
        for instance in sorted(sets):
            octets += b''.join(relax_header(*sets[instance][name]) + b'\r\n' for name in order)
        octets += b''.join(relax_header(*field) + b'\r\n' for field in new) + relax_header(b'ARC-Seal', value)
        new.append((b'ARC-Seal', value + base64.b64encode(self.raw_signature(octets))))
        return b''.join(name + b':' + text + b'\r\n' for name, text in reversed(new)) + message

    def raw_signature(self, octets):
        if self.kind == 'rsa':
            return openssl('dgst', '-sha256', '-sign', self.path, stdin=octets)
        with tempfile.NamedTemporaryFile() as digest:  # RFC 8463 signs the hash
            digest.write(hashlib.sha256(octets).digest())
            digest.flush()
            return openssl('pkeyutl', '-sign', '-inkey', self.path, '-rawin', '-in', digest.name)


def openssl(*arguments, stdin=b''):
    done = subprocess.run(['openssl', *arguments], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        raise RuntimeError(f'openssl {arguments[0]}: {done.stderr.decode().strip()}')
    return done.stdout
