"""Sample messages and the small world that they come from.

    example senders  bank.test (SPF, DKIM, p=reject), shop.test (the same,
                     p=none), nobody.test (nothing published)
    listed           http://evil-link.test/login, the attachment whose SHA-256
                     is sha256(LISTED_PAYLOAD)
"""
import base64
import hashlib
import zlib

OWN_DOMAIN = 'tocsin.test'
RECIPIENT = 'inbox@tocsin.test'
BANK_CLIENT = '192.0.2.10'
SHOP_CLIENT = '192.0.2.20'
OTHER_CLIENT = '198.51.100.66'
LISTED_URL = 'http://evil-link.test/login'
LISTED_PAYLOAD = b'MZ' + bytes(range(256)) * 24
LISTED_SHA256 = hashlib.sha256(LISTED_PAYLOAD).hexdigest()


def zone(keys=()):
    """The zone that the samples need; `keys` are DkimKey objects."""
    lines = [
        'bank.test TXT "v=spf1 ip4:192.0.2.10 -all"', 'bank.test MX 10 mail.bank.test',
        'mail.bank.test A 192.0.2.10', 'mail.bank.test TXT "v=spf1 a -all"',
        '10.2.0.192.in-addr.arpa PTR mail.bank.test',
        '_dmarc.bank.test TXT "v=DMARC1; p=reject; adkim=s"',
        'shop.test TXT "v=spf1 a:mail.shop.test -all"', 'mail.shop.test A 192.0.2.20',
        'shop.test MX 10 mail.shop.test',
        '20.2.0.192.in-addr.arpa PTR mail.shop.test', '_dmarc.shop.test TXT "v=DMARC1; p=none"',
        'nobody.test A 198.51.100.66', '66.100.51.198.in-addr.arpa PTR host.nobody.test',
        'host.nobody.test A 198.51.100.66', 'evil-link.test A 198.51.100.67',
        'tocsin.test TXT "v=spf1 -all"', '_dmarc.tocsin.test TXT "v=DMARC1; p=reject"',
    ]
    lines += [f'{key.record_name} TXT "{key.record}"' for key in keys]
    return '\n'.join(lines) + '\n'


def message(sender, subject, text='Hello,\n\nnothing to see here.\n', to=RECIPIENT, extra=(), html=None,
            attachment=None, ident='1'):
    """A message as octets with CRLF. `attachment` is (file name, octets)."""
    fields = [f'From: {sender}', f'To: <{to}>', f'Subject: {subject}', 'Date: Tue, 24 Nov 2026 10:00:00 +0000',
              f'Message-ID: <{ident}.{zlib.crc32((sender + subject).encode())}@{sender.split("@")[-1].strip("<>")}>',
              'MIME-Version: 1.0', *extra]
    parts = []
    if text is not None:
        parts.append('Content-Type: text/plain; charset=utf-8\n\n' + text)
    if html is not None:
        parts.append('Content-Type: text/html; charset=utf-8\n\n' + html)
    if attachment is not None:
        name, octets = attachment
        coded = base64.encodebytes(octets).decode()
        parts.append(f'Content-Type: application/octet-stream; name="{name}"\n'
                     f'Content-Disposition: attachment; filename="{name}"\n'
                     f'Content-Transfer-Encoding: base64\n\n{coded}')
    if len(parts) == 1:
        whole = '\n'.join(fields) + '\n' + parts[0]
    else:
        mark = 'part-of-a-sample'
        whole = '\n'.join(fields) + f'\nContent-Type: multipart/mixed; boundary="{mark}"\n\n'
        whole += ''.join(f'--{mark}\n{part}\n' for part in parts) + f'--{mark}--\n'
    return whole.encode('utf-8', 'surrogateescape').replace(b'\r\n', b'\n').replace(b'\n', b'\r\n')


def clean(ident='clean'):
    return message('Shop <news@shop.test>', 'Your order', 'Your order has been sent.\n', ident=ident)


def listed_url(ident='url'):
    return message('Shop <news@shop.test>', 'Please log in', 'See below.\n',
                   html=f'<p>Please <a href="{LISTED_URL}">log in</a> today.</p>\n', ident=ident)


def listed_attachment(ident='attachment'):
    return message('Shop <news@shop.test>', 'Invoice', 'Attached.\n', attachment=('invoice.bin', LISTED_PAYLOAD),
                   ident=ident)


def aligned(ident='aligned'):
    return message('The bank <service@bank.test>', 'Your statement', 'Your statement is ready.\n', ident=ident)
