#!/usr/bin/env python3
"""A private Postfix for tests: own configuration, spool and port.

Nothing of the machine's own mail set-up is used, changed or started. What is
needed of Postfix are its programs. They are taken

  * from an installed Postfix, which is left as it is;
  * where no mail server is installed, from the package, installed with
    "No configuration" and forbidden to start;
  * where another mail server is installed, from the package's files, unpacked
    beside it and never installed.

    postfix.py provide FOLDER     makes sure that the programs are there

smtpd runs chrooted, as in Debian's master.cf; XCLIENT is open to loopback.
Mail for any address of tocsin.test is delivered to a maildir.
"""
import email
import email.policy
import glob
import grp
import json
import os
import pwd
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import time

DOMAIN = 'tocsin.test'
UNPACKED = ('postfix', 'libicu72', 'libnsl2', 'libdb5.3', 'libsasl2-2')

MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {top}/spool
data_directory = {top}/data
command_directory = {commands}
daemon_directory = {daemons}
{shared}
mail_owner = {owner}
setgid_group = {group}
maillog_file = {top}/mail.log
maillog_file_prefixes = {top}
import_environment = MAIL_CONFIG MAIL_LOGTAG TZ LANG=C LD_LIBRARY_PATH
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.tocsin.test
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps =
disable_dns_lookups = yes
smtpd_peername_lookup = no
smtpd_authorized_xclient_hosts = 127.0.0.0/8
smtpd_relay_restrictions = permit_auth_destination, reject
smtpd_client_connection_count_limit = 0
smtpd_tls_security_level = none
smtputf8_autodetect_classes = all
in_flow_delay = 0
header_size_limit = 102400
message_size_limit = 60000000
virtual_mailbox_limit = 0
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {top}/mail
virtual_mailbox_maps = static:inbox/
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
default_transport = error:no mail leaves this machine
relay_transport = error:no mail leaves this machine
milter_protocol = 6
{milters}
non_smtpd_milters = $smtpd_milters
{extra}
"""

MASTER_CF = """\
127.0.0.1:{port} inet n - y - {processes} smtpd
pickup    unix  n       -       n       60      1       pickup
cleanup   unix  n       -       y       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
rewrite   unix  -       -       y       -       -       trivial-rewrite
bounce    unix  -       -       y       -       0       bounce
defer     unix  -       -       y       -       0       bounce
trace     unix  -       -       y       -       0       bounce
verify    unix  -       -       y       -       1       verify
flush     unix  n       -       y       1000?   0       flush
proxymap  unix  -       -       n       -       -       proxymap
showq     unix  n       -       y       -       -       showq
error     unix  -       -       y       -       -       error
retry     unix  -       -       y       -       -       error
discard   unix  -       -       y       -       -       discard
local     unix  -       n       n       -       -       local
virtual   unix  -       n       n       -       -       virtual
anvil     unix  -       -       y       -       1       anvil
postlog   unix-dgram n  -       n       -       1       postlogd
"""


class Missing(Exception):
    """Postfix cannot be had here; the text says why."""


def quiet(command, **options):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, **options)
    if done.returncode:
        raise Missing(f'{" ".join(command)}: {done.stdout.strip()[-300:]}')
    return done.stdout


def another_mta():
    """Whether a mail server other than Postfix is, or wants to be, here."""
    if os.path.exists('/usr/sbin/sendmail'):
        return True
    done = subprocess.run(['dpkg-query', '-W', '-f', '${db:Status-Abbrev} ${Provides}\n'], stdout=subprocess.PIPE,
                          text=True, check=False)
    return any(line.startswith('ii') and 'mail-transport-agent' in line for line in done.stdout.splitlines())


def install():
    """Installs the package on a machine without a mail server. The policy
    that forbids its start is there only while the package is configured."""
    policy = '/usr/sbin/policy-rc.d'
    ours = not os.path.lexists(policy)
    environment = dict(os.environ, DEBIAN_FRONTEND='noninteractive')
    subprocess.run(['debconf-set-selections'], input='postfix postfix/main_mailer_type select No configuration\n',
                   text=True, check=True)
    try:
        if ours:
            with open(os.open(policy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o755), 'w') as script:
                script.write('#!/bin/sh\nexit 101\n')
        quiet(['apt-get', 'install', '-y', '-qq', '--no-install-recommends', 'postfix'], env=environment)
    finally:
        if ours:
            os.unlink(policy)


def unpack(folder):
    """Unpacks the package, and the libraries that this machine lacks."""
    debs, root = os.path.join(folder, 'debs'), os.path.join(folder, 'root')
    os.makedirs(debs, exist_ok=True)
    os.chmod(debs, 0o755)
    for package in UNPACKED:
        status = subprocess.run(['dpkg-query', '-W', '-f', '${db:Status-Abbrev}', package], stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True, check=False).stdout
        if package == 'postfix' or not status.startswith('ii'):
            quiet(['apt-get', 'download', '-qq', '-o', 'APT::Sandbox::User=root', package], cwd=debs)
    for deb in glob.glob(os.path.join(debs, '*.deb')):
        quiet(['dpkg-deb', '-x', deb, root])
    return root


def programs(folder, provide=False):
    """(commands, daemons, library folders) of a Postfix to use."""
    root = os.path.join(folder, 'root')
    for base in ('', root):
        if os.path.exists(base + '/usr/lib/postfix/sbin/master'):
            break
    else:
        if not provide:
            raise Missing('Postfix is not here; packaging/quickstart brings it')
        if os.geteuid() != 0:
            raise Missing('Postfix is not here, and only root can bring it')
        if another_mta():
            base = unpack(folder)
        else:
            install()
            base = ''
    libraries = [base + '/usr/lib/postfix', *glob.glob(base + '/usr/lib/*-linux-gnu')] if base else []
    return base + '/usr/sbin', base + '/usr/lib/postfix/sbin', libraries


def users(base_is_installed):
    """Mail owner and set-gid group. An unpacked Postfix has no users of its
    own; it borrows two that every Debian has."""
    if base_is_installed:
        try:
            return pwd.getpwnam('postfix').pw_name, grp.getgrnam('postdrop').gr_name
        except KeyError:
            pass
    return 'daemon', 'tty'


def free_port():
    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        return sock.getsockname()[1]


def postfix_folder():
    """Where an unpacked Postfix lies."""
    build = os.environ.get('builddir', os.getcwd())
    return os.environ.get('TOCSIN_POSTFIX', os.path.join(build, 'postfix-unpacked'))


class Reply:
    """What the client saw: the last code and text, the stage that gave it,
    and the queue id when the message was taken."""

    def __init__(self, stage, code, text):
        self.stage, self.code = stage, code
        self.text = text.decode('utf-8', 'replace') if isinstance(text, bytes) else text
        found = re.search(r'queued as (\w+)', self.text)
        self.queue_id = found[1] if found else None

    def __repr__(self):
        return f'Reply({self.stage} {self.code} {self.text!r})'


class Postfix:
    """A running private Postfix. `milter` is the socket as main.cf names it,
    relative to the queue folder because smtpd is chrooted."""

    def __init__(self, top, milter='unix:tocsin/tocsin.sock', extra='', default_action='tempfail', processes='-'):
        if os.geteuid() != 0:
            raise Missing('a private Postfix needs root')
        self.commands, self.daemons, libraries = programs(postfix_folder())
        self.top, self.port = top, free_port()
        self.spool, self.conf, self.log = (os.path.join(top, name) for name in ('spool', 'conf', 'mail.log'))
        self.owner, self.group = users(not libraries)
        self.environment = dict(os.environ, LC_ALL='C')
        if libraries:
            self.environment['LD_LIBRARY_PATH'] = ':'.join(libraries)
        self.process = None
        self.make_folders()
        milters = ('smtpd_milters = { %s, connect_timeout=10s, command_timeout=30s, content_timeout=60s, '
                   'default_action=%s }' % (milter, default_action)) if milter else 'smtpd_milters ='
        shared = f'shlib_directory = {libraries[0]}' if libraries else ''
        nobody = pwd.getpwnam('nobody')
        self.write('main.cf', MAIN_CF.format(
            top=top, commands=self.commands, daemons=self.daemons, shared=shared, owner=self.owner,
            group=self.group, domain=DOMAIN, uid=nobody.pw_uid, gid=nobody.pw_gid, milters=milters, extra=extra))
        self.write('master.cf', MASTER_CF.format(port=self.port, processes=processes))

    def write(self, name, text):
        with open(os.path.join(self.conf, name), 'w') as file:
            file.write(text)

    def make_folders(self):
        """What `postfix check` would make."""
        owner, group = pwd.getpwnam(self.owner).pw_uid, grp.getgrnam(self.group).gr_gid
        nobody = pwd.getpwnam('nobody')
        os.chmod(self.top, 0o755)
        for name, user, group_id, mode in (
                ('conf', 0, 0, 0o755), ('data', owner, 0, 0o700), ('mail', 0, 0, 0o755),
                ('mail/inbox', nobody.pw_uid, nobody.pw_gid, 0o700), ('spool', 0, 0, 0o755),
                ('spool/pid', 0, 0, 0o755), ('spool/public', owner, group, 0o710),
                ('spool/maildrop', owner, group, 0o730),
                *((f'spool/{folder}', owner, 0, 0o700) for folder in (
                    'active', 'bounce', 'corrupt', 'defer', 'deferred', 'flush', 'hold', 'incoming', 'private',
                    'saved', 'trace'))):
            path = os.path.join(self.top, name)
            os.makedirs(path, exist_ok=True)
            os.chown(path, user, group_id)
            os.chmod(path, mode)

    def milter_folder(self):
        """The folder for the milter's socket, inside the queue folder."""
        path = os.path.join(self.spool, 'tocsin')
        os.makedirs(path, exist_ok=True)
        return path

    def start(self):
        self.process = subprocess.Popen(
            [os.path.join(self.daemons, 'master'), '-c', self.conf, '-d'], env=self.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        end = time.monotonic() + 20
        while True:
            if self.process.poll() is not None:
                raise RuntimeError(f'Postfix ended with {self.process.returncode}: {self.log_text()[-1000:]}')
            try:
                socket.create_connection(('127.0.0.1', self.port), 1).close()
                return
            except OSError:
                if time.monotonic() > end:
                    self.stop()
                    raise RuntimeError(f'Postfix does not answer: {self.log_text()[-1000:]}') from None
                time.sleep(0.05)

    def stop(self):
        """Ends master, which ends its children; then what is left of the
        session that it leads, by process group."""
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

    # ---- what a client does

    def send(self, message, sender='news@shop.test', recipients=('inbox@tocsin.test',), address='192.0.2.20',
             name='[UNAVAILABLE]', helo='mail.shop.test', login=None, timeout=90):
        """Hands in a message as the client with `address`; a Reply."""
        client = smtplib.SMTP('127.0.0.1', self.port, local_hostname=helo, timeout=timeout)
        try:
            client.ehlo()
            shown = f'IPV6:{address}' if ':' in address else address
            words = f'XCLIENT ADDR={shown} NAME={name}' + (f' LOGIN={login}' if login else '')
            code, text = client.docmd(words)
            if code != 220:
                return Reply('connect', code, text)
            code, text = client.ehlo()
            if code != 250:
                return Reply('helo', code, text)
            options = ['SMTPUTF8'] if not sender.isascii() else []
            code, text = client.mail(sender, options)
            if code != 250:
                return Reply('mail', code, text)
            for recipient in recipients:
                code, text = client.rcpt(recipient)
                if code != 250:
                    return Reply('rcpt', code, text)
            code, text = client.data(message)
            return Reply('data', code, text)
        except smtplib.SMTPDataError as problem:
            return Reply('data', problem.smtp_code, problem.smtp_error)
        except smtplib.SMTPServerDisconnected as problem:
            return Reply('lost', 0, str(problem))
        finally:
            client.close()

    # ---- what became of it

    def queue(self, name=None):
        """The queue's entries, as postqueue knows them."""
        lines = quiet([os.path.join(self.commands, 'postqueue'), '-c', self.conf, '-j'], env=self.environment)
        entries = [json.loads(line) for line in lines.splitlines()]
        return [entry for entry in entries if name is None or entry['queue_name'] == name]

    def held(self):
        return [entry['queue_id'] for entry in self.queue('hold')]

    def headers_of_held(self, queue_id):
        text = subprocess.run([os.path.join(self.commands, 'postcat'), '-c', self.conf, '-h', '-q', queue_id],
                              env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True).stdout
        return email.message_from_bytes(text.replace(b'\n*** ', b'\n'), policy=email.policy.compat32)

    def delivered(self):
        """All delivered messages, by queue id."""
        found = {}
        for path in glob.glob(os.path.join(self.top, 'mail/inbox/new/*')):
            with open(path, 'rb') as file:
                octets = file.read()
            queue_id = re.search(rb'\bid (\w+)\b', octets)
            found[queue_id[1].decode() if queue_id else path] = octets
        return found

    def delivery(self, queue_id, seconds=15):
        """The delivered message of a queue id, parsed; None when it does not
        come or leaves the queue in another way."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            octets = self.delivered().get(queue_id)
            if octets is not None:
                return email.message_from_bytes(octets, policy=email.policy.compat32)
            time.sleep(0.05)
        return None

    def release(self, queue_id):
        quiet([os.path.join(self.commands, 'postsuper'), '-c', self.conf, '-H', queue_id], env=self.environment)
        quiet([os.path.join(self.commands, 'postqueue'), '-c', self.conf, '-i', queue_id], env=self.environment)

    def drain(self, seconds=60):
        """Waits until nothing is on its way; what is held or deferred stays."""
        end = time.monotonic() + seconds
        moving = [os.path.join(self.spool, name) for name in ('incoming', 'active', 'maildrop')]
        while any(files for folder in moving for _, _, files in os.walk(folder)):
            if time.monotonic() > end:
                raise AssertionError('the queue does not drain')
            time.sleep(0.05)

    def log_text(self):
        try:
            with open(self.log, errors='replace') as log:
                return log.read()
        except OSError:
            return ''

    def log_of(self, queue_id):
        return [line for line in self.log_text().splitlines() if queue_id in line]


def main():
    if sys.argv[1:2] != ['provide'] or len(sys.argv) != 3:
        print('usage: postfix.py provide FOLDER', file=sys.stderr)
        return 64
    try:
        commands, _, _ = programs(sys.argv[2], provide=True)
    except (Missing, subprocess.CalledProcessError, OSError) as why:
        print(f'postfix: {why}', file=sys.stderr)
        return 1
    print(commands)
    return 0


if __name__ == '__main__':
    sys.exit(main())
