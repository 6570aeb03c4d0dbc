#!/usr/bin/env python3
"""What rules cost the daemon: CPU of the filter for a message, by 10 and by
1,000 rules with 50 lists, with and without Vectorscan. A report, not a test.

    builddir=BUILD tests/bench/policy_bench.py [MESSAGES]

`make tests/bench/policy_bench` makes the program that writes the policies.
"""
import os
import random
import subprocess
import sys
import tempfile
import time

TREE = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
sys.path.insert(0, os.path.join(TREE, 'tests', 'support'))
import filter as tocsind
import milter_client

BUILD = os.environ['builddir'] = os.path.abspath(os.environ.get('builddir', 'build'))
TICK = os.sysconf('SC_CLK_TCK')


def words(count):
    return ' '.join(''.join(random.choice('bcdfghlmnprst') + random.choice('aeiou')
                            for _ in range(random.randint(2, 4))) for _ in range(count))


def message():
    """10 KiB of text, 20 links, 3 attachments."""
    links = '\n'.join(f'https://www.{words(1)}.example/{words(1)}?id={n}' for n in range(20))
    parts = ''.join('--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; '
                    f'filename="{words(1)}.pdf"\r\n\r\n%PDF-1.4 nothing\r\n' for _ in range(3))
    text = '\r\n'.join(words(10) for _ in range(150)) + '\r\n' + links.replace('\n', '\r\n')
    return ('From: someone@mail.example.org\r\nTo: us@interieur.example\r\n'
            f'Subject: {words(8)}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n'
            f'--b\r\nContent-Type: text/plain\r\n\r\n{text}\r\n{parts}--b--\r\n').encode()


def cpu_seconds(pid):
    with open(f'/proc/{pid}/stat', encoding='ascii') as file:
        fields = file.read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def measure(rules, vectorscan, count):
    policy = subprocess.run([os.path.join(BUILD, 'tests/bench/policy_bench'), str(rules)], capture_output=True,
                            text=True, check=True).stdout
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        place = tocsind.Filter(os.path.join(folder, 'a'), policy)
        # A zone with next to nothing in it: answers without a network.
        place.dns = 'zone:' + place.write('zone', 'mail.example.org A 203.0.113.5\n')
        place.write_conf(f'vectorscan {vectorscan}\nevidence off\n')
        began = time.monotonic()
        place.start()
        started = time.monotonic() - began
        try:
            if vectorscan == 'on' and rules > 100:
                while 'patterns in one pass' not in place.log_text():
                    time.sleep(0.1)
            random.seed(7)
            mails = [message() for _ in range(20)]
            with milter_client.MilterClient(place.socket, timeout=60) as client:
                client.connect('203.0.113.5', 'mail.example.org')
                client.helo('mail.example.org')
                for mail in mails:
                    client.message('<someone@mail.example.org>', ['<us@interieur.example>'], mail)
                pid = place.filter_pid()
                spent, began = cpu_seconds(pid), time.monotonic()
                for number in range(count):
                    client.message('<someone@mail.example.org>', ['<us@interieur.example>'],
                                   mails[number % 20])
                took = time.monotonic() - began
                spent = cpu_seconds(pid) - spent
        finally:
            place.stop()
    print(f'{rules:6} {vectorscan:>10} {spent / count * 1e6:14.0f} {took / count * 1e3:12.2f} {started:8.2f}',
          flush=True)


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    print(f'{"rules":>6} {"vectorscan":>10} {"CPU us/message":>14} {"ms/message":>12} {"start s":>8}')
    for rules, vectorscan in ((10, 'off'), (10, 'on'), (1000, 'off'), (1000, 'on')):
        measure(rules, vectorscan, count)


if __name__ == '__main__':
    main()
