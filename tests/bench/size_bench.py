#!/usr/bin/env python3
"""What a message costs the daemon by its size: CPU of the filter and the time
from the end of the body to the answer. A report, not a test.

    builddir=BUILD tests/bench/size_bench.py [CONNECTIONS]
"""
import base64
import os
import random
import statistics
import sys
import tempfile
import threading
import time

TREE = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
sys.path.insert(0, os.path.join(TREE, 'tests', 'support'))
import filter as tocsind
import milter_client

BUILD = os.environ['builddir'] = os.path.abspath(os.environ.get('builddir', 'build'))
TICK = os.sysconf('SC_CLK_TCK')
SIZES = ((5_000, 4000), (200_000, 800), (2 << 20, 160), (10 << 20, 40))


def message(size):
    """One attachment in base64 of about that many octets."""
    attachment = base64.encodebytes(random.Random(size).randbytes(size * 3 // 4 - 600)).replace(b'\n', b'\r\n')
    return (b'From: a@mail.example.org\r\nTo: us@interieur.example\r\nSubject: size\r\nMIME-Version: 1.0\r\n'
            b'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n'
            b'--b\r\nContent-Type: application/octet-stream; name=x.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n' +
            attachment + b'--b--\r\n')


def cpu_seconds(pid):
    with open(f'/proc/{pid}/stat', encoding='ascii') as file:
        fields = file.read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def send(place, octets, count, waits):
    with milter_client.MilterClient(place.socket) as client:
        client.connect('203.0.113.5', 'mail.example.org')
        client.helo('mail.example.org')
        for _ in range(count):
            fields, body = milter_client.mta_view(octets)
            client.envelope('<a@mail.example.org>', ['<us@interieur.example>'])
            for name, value in fields:
                client.header(milter_client.text(name), value)
            client.end_of_headers()
            client.body(body)
            began = time.monotonic()
            client.end_of_message()
            waits.append(time.monotonic() - began)


def main():
    connections = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    print(f'{"octets":>10} {"messages":>9} {"CPU ms":>8} {"answer p50 ms":>14} {"memory MB":>10}')
    for size, count in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            place = tocsind.Filter(os.path.join(folder, 'a'), 'rule x "x" { when size > 1GB then tag }\n')
            place.dns = 'zone:' + place.write('zone', 'mail.example.org A 203.0.113.5\n')
            place.write_conf('evidence off\n')
            place.start()
            try:
                waits = []
                send(place, message(size), max(2, count // 20), [])
                before = cpu_seconds(place.filter_pid())
                threads = [threading.Thread(target=send, args=(place, message(size), count // connections, waits))
                           for _ in range(connections)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                used = cpu_seconds(place.filter_pid()) - before
                with open(f'/proc/{place.filter_pid()}/status', encoding='ascii') as file:
                    memory = next(int(line.split()[1]) for line in file if line.startswith('VmHWM')) / 1000
            finally:
                place.stop()
            print(f'{size:>10} {len(waits):>9} {used / len(waits) * 1000:>8.2f} '
                  f'{statistics.median(waits) * 1000:>14.2f} {memory:>10.0f}', flush=True)


if __name__ == '__main__':
    main()
