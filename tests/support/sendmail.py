#!/usr/bin/env python3
"""A private Sendmail for tests: its own configuration, queue and port.

Nothing of the machine's mail set-up is used, changed or started, and nothing
is installed: the packages are downloaded and unpacked.

    sendmail.py provide FOLDER     makes sure that the programs are there

Sendmail insists on paths that only root can write along the whole way, on a
host name with a domain and on the machine's resolver files. It is given all
that in a mount and UTS namespace of its own: the run folder lies at /mnt
there, with its own /etc/hosts, nsswitch.conf and resolv.conf, so that no
question leaves the loopback. The configuration is made from Sendmail's own
macros, with the line of tocsind(8).

Mail for any address of tocsin.test is written to a file named by queue id.
"""
import email
import email.policy
import glob
import os
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import time

from postfix import DOMAIN, Missing, Reply, free_port, quiet

PACKAGES = ('sendmail-bin', 'sendmail-cf', 'libwrap0', 'liblockfile1', 'libldap-2.5-0', 'libsasl2-2', 'libnsl2',
            'libdb5.3', 'm4')

MC = """\
divert(0)dnl
VERSIONID(`tests')dnl
OSTYPE(`linux')dnl
DOMAIN(`generic')dnl
define(`QUEUE_DIR', `/mnt/queue')dnl
define(`confPID_FILE', `/mnt/sendmail.pid')dnl
define(`STATUS_FILE', `/mnt/statistics')dnl
define(`HELP_FILE', `/mnt/helpfile')dnl
define(`ALIAS_FILE', `')dnl
define(`confCW_FILE', `/mnt/names')dnl
define(`confSERVICE_SWITCH_FILE', `/mnt/service.switch')dnl
define(`confHOSTS_FILE', `/etc/hosts')dnl
define(`confDOMAIN_NAME', `mx.tocsin.test')dnl
define(`confDELIVERY_MODE', `interactive')dnl
define(`confMAX_HEADERS_LENGTH', `4000000')dnl
define(`confTO_IDENT', `0')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`accept_unqualified_senders')dnl
FEATURE(`nocanonify')dnl
FEATURE(`no_default_msa')dnl
DAEMON_OPTIONS(`Name=MTA, Port=%(port)d, Addr=127.0.0.1')dnl
%(milter)s
MAILER(`smtp')dnl
MAILER_DEFINITIONS
Mbox, P=/bin/sh, F=DFMPhnu9, S=EnvFromL/HdrFromL, R=EnvToL/HdrToL, T=DNS/RFC822/X-Unix, A=sh /mnt/deliver $i $u
LOCAL_RULE_0
R$* < @ %(domain)s . > $*	$#box $@ %(domain)s $: $1
R$* < @ %(domain)s > $*	$#box $@ %(domain)s $: $1
"""

FILES = {
    'names': '',
    'helpfile': '',
    'service.switch': 'hosts files\naliases files\npasswd files\n',
    'hosts': '127.0.0.1 mx.tocsin.test localhost\n',
    'nsswitch': 'hosts: files\npasswd: files\ngroup: files\nservices: files\nprotocols: files\n',
    'resolv': 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n',
    'deliver': 'umask 022\ncat >"/mnt/mail/.$1" && mv "/mnt/mail/.$1" "/mnt/mail/$1"\n',
}

ENTER = """\
set -e
hostname mx.tocsin.test
mount --bind "$1" /mnt
mount --bind /mnt/hosts /etc/hosts
mount --bind /mnt/nsswitch /etc/nsswitch.conf
mount --bind /mnt/resolv /etc/resolv.conf
shift
exec "$@"
"""


def milter_line():
    """The line that tocsind(8) tells operators to write, for our socket."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'packaging', 'man', 'tocsind.8')
    with open(path) as manual:
        line = re.search(r"^INPUT_MAIL_FILTER\(`tocsin',\n.*\)dnl$", manual.read(), re.M)[0]
    assert '/run/tocsin/' in line, line
    return line.replace('/run/tocsin/', '/mnt/tocsin/')


def unpacked(folder):
    return os.path.join(folder, 'root')


def program(folder):
    return os.path.join(unpacked(folder), 'usr/libexec/sendmail/sendmail')


def provide(folder):
    """Downloads and unpacks what is not there yet."""
    debs = os.path.join(folder, 'debs')
    os.makedirs(debs, exist_ok=True)
    os.chmod(debs, 0o755)
    if os.path.exists(program(folder)):
        return
    if os.geteuid() != 0:
        raise Missing('Sendmail is not here, and only root can run it')
    for package in PACKAGES:
        quiet(['apt-get', 'download', '-qq', '-o', 'APT::Sandbox::User=root', package], cwd=debs)
    new = unpacked(folder) + '.new'
    shutil.rmtree(new, ignore_errors=True)
    for deb in glob.glob(os.path.join(debs, '*.deb')):
        quiet(['dpkg-deb', '-x', deb, new])
    # Set-group-id, it would not take its libraries from the folder.
    os.chmod(os.path.join(new, 'usr/libexec/sendmail/sendmail'), 0o755)
    os.rename(new, unpacked(folder))


def sendmail_folder():
    build = os.environ.get('builddir', os.getcwd())
    return os.environ.get('TOCSIN_SENDMAIL', os.path.join(build, 'sendmail-unpacked'))


class Sendmail:
    """A running private Sendmail; the milter's socket lies in
    milter_folder(). `milter` False: without a filter."""

    def __init__(self, top, milter=True):
        if os.geteuid() != 0:
            raise Missing('a private Sendmail needs root')
        self.root = unpacked(sendmail_folder())
        self.program = program(sendmail_folder())
        if not os.path.exists(self.program):
            raise Missing('Sendmail is not here; packaging/quickstart check brings it')
        self.port = free_port()
        self.run = os.path.join(top, 'sendmail')
        self.process = None
        for name in ('', 'queue', 'mail', 'tocsin'):
            os.makedirs(os.path.join(self.run, name), exist_ok=True)
            # Sendmail hands mail to a program as a user without rights.
            os.chmod(os.path.join(self.run, name), 0o777 if name == 'mail' else 0o755)
        os.chmod(top, 0o755)
        for name, text in FILES.items():
            self.write(name, text)
        line = milter_line() if milter else 'dnl'
        self.write('sendmail.mc', MC % {'port': self.port, 'domain': DOMAIN, 'milter': line})
        self.write('sendmail.cf', self.configuration())
        libraries = [*glob.glob(self.root + '/usr/lib/*-linux-gnu'), *glob.glob(self.root + '/lib/*-linux-gnu')]
        self.environment = dict(os.environ, LC_ALL='C', LD_LIBRARY_PATH=':'.join(libraries))
        self.log = os.path.join(self.run, 'log')
        probe = subprocess.run(self.inside('true'), env=self.environment, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
        if probe.returncode:
            raise Missing(f'no namespace for Sendmail: {probe.stdout.strip()}')

    def write(self, name, text):
        with open(os.path.join(self.run, name), 'w') as file:
            file.write(text)

    def configuration(self):
        """sendmail.cf out of sendmail.mc, by Sendmail's own macros."""
        macros = self.root + '/usr/share/sendmail/cf/'
        m4 = self.root + '/usr/bin/m4'
        return quiet([m4, f'-D_CF_DIR_={macros}', macros + 'm4/cf.m4', os.path.join(self.run, 'sendmail.mc')])

    def inside(self, *command):
        return ['unshare', '--mount', '--uts', 'sh', '-c', ENTER, 'sh', self.run, *command]

    def command(self, *words):
        """Runs sendmail as an operator would, on this queue."""
        done = subprocess.run(self.inside(self.program, '-C', '/mnt/sendmail.cf', *words), env=self.environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=60)
        return done.stdout

    def milter_folder(self):
        return os.path.join(self.run, 'tocsin')

    def start(self):
        with open(self.log, 'ab') as log:
            self.process = subprocess.Popen(
                self.inside(self.program, '-C', '/mnt/sendmail.cf', '-bD'), env=self.environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        end = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(('127.0.0.1', self.port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    self.stop()
                    raise RuntimeError(f'Sendmail does not answer: {self.log_text()[-1000:]}') from None
                time.sleep(0.05)

    def stop(self):
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def send(self, message, sender='news@shop.test', recipients=('inbox@tocsin.test',), address='192.0.2.20',
             name='mail.shop.test', timeout=90):
        """Hands in a message; a Reply. Sendmail knows no XCLIENT, so the client
        stands in a Received field, as behind a relay on this host."""
        hop = (f'Received: from {name} ({name} [{address}])\r\n'
               '\tby gw.tocsin.test (Postfix) with ESMTP id 4Zb1c93Xw\r\n'
               '\tfor <inbox@tocsin.test>; Tue, 24 Nov 2026 10:00:00 +0000 (UTC)\r\n').encode()
        client = smtplib.SMTP('127.0.0.1', self.port, local_hostname='gw.tocsin.test', timeout=timeout)
        try:
            client.ehlo()
            code, text = client.mail(sender)
            if code != 250:
                return self.reply('mail', code, text)
            for recipient in recipients:
                code, text = client.rcpt(recipient)
                if code != 250:
                    return self.reply('rcpt', code, text)
            code, text = client.data(hop + message)
            return self.reply('data', code, text)
        except smtplib.SMTPDataError as problem:
            return self.reply('data', problem.smtp_code, problem.smtp_error)
        except smtplib.SMTPServerDisconnected as problem:
            return self.reply('lost', 0, str(problem))
        finally:
            client.close()

    @staticmethod
    def reply(stage, code, text):
        reply = Reply(stage, code, text)
        found = re.search(r'(\w+) Message accepted for delivery', reply.text)
        reply.queue_id = found[1] if found else None
        return reply

    def queue_files(self, queue_id):
        """The kinds of the queue files of a message: qf, df, hf (quarantined), ..."""
        return sorted(name[:2] for name in os.listdir(os.path.join(self.run, 'queue')) if name[2:] == queue_id)

    def queue_file(self, kind, queue_id):
        with open(os.path.join(self.run, 'queue', kind + queue_id), errors='surrogateescape') as file:
            return file.read()

    def delivery(self, queue_id, seconds=15):
        """The delivered message of a queue id, parsed; None when it does not come."""
        path = os.path.join(self.run, 'mail', queue_id)
        end = time.monotonic() + seconds
        while not os.path.exists(path):
            if time.monotonic() > end:
                return None
            time.sleep(0.05)
        with open(path, 'rb') as file:
            return email.message_from_bytes(file.read(), policy=email.policy.compat32)

    def delivered(self):
        return os.listdir(os.path.join(self.run, 'mail'))

    def log_text(self):
        try:
            with open(self.log, errors='replace') as log:
                return log.read()
        except OSError:
            return ''


def main():
    if sys.argv[1:2] != ['provide'] or len(sys.argv) != 3:
        print('usage: sendmail.py provide FOLDER', file=sys.stderr)
        return 64
    try:
        provide(sys.argv[2])
    except (Missing, subprocess.CalledProcessError, OSError) as why:
        print(f'sendmail: {why}', file=sys.stderr)
        return 1
    print(program(sys.argv[2]))
    return 0


if __name__ == '__main__':
    sys.exit(main())
