"""Starts and stops tocsind for tests, in a folder of its own.

    with Filter(folder, policy='rule …', dns=server) as filter:
        filter.socket       the milter socket (unix)
        filter.log_text()   what it has logged
        filter.records()    the evidence records so far
"""
import glob
import json
import os
import pwd
import signal
import socket
import subprocess
import time

CONF = """\
socket          "unix:{socket}"
socket-mode     0666
state-directory "{state}"
control-socket  "{control}"
authserv-id     "mx.tocsin.test"
resolver        {{ server "{dns}"  deadline 5s  early-deadline 2s }}
own-domains     {{ "tocsin.test" }}
own-networks    {{ 10.0.0.0/8 }}
trusted-relays  {{ 127.0.0.0/8, ::1 }}
{user}
{settings}
include "policy.d/*.policy"
"""


def program(name):
    """The built program: $TOCSIN_BIN, the build folder, or the PATH."""
    for folder in (os.environ.get('TOCSIN_BIN'), os.environ.get('builddir'), '/usr/sbin', '/usr/bin'):
        if folder and os.path.exists(os.path.join(folder, name)):
            return os.path.join(folder, name)
    return None


def sanitized():
    """Whether the programs are a sanitizer build, which needs several times the memory and time."""
    try:
        with open(os.path.join(os.environ.get('builddir', '.'), 'config.h')) as file:
            return '#define WITH_SANITIZERS 1' in file.read()
    except OSError:
        return False


def children(pid):
    found = []
    for path in glob.glob(f'/proc/{pid}/task/*/children'):
        try:
            with open(path) as file:
                found += [int(word) for word in file.read().split()]
        except OSError:
            pass
    return found


def descendants(pid):
    found = []
    for child in children(pid):
        found += [child, *descendants(child)]
    return found


def runs(pid):
    """Whether a process is there and has not ended (a zombie has)."""
    try:
        with open(f'/proc/{pid}/stat') as file:
            return file.read().rpartition(')')[2].split()[0] not in 'ZX'
    except OSError:
        return False


class Filter:
    def __init__(self, top, policy='', settings='', dns='127.0.0.1@9', socket_folder=None, conf=CONF):
        self.top = os.path.join(top, 'tocsin')
        self.socket_folder = socket_folder or os.path.join(self.top, 'run')
        self.socket = os.path.join(self.socket_folder, 'tocsin.sock')
        self.state = os.path.join(self.top, 'state')
        self.control = os.path.join(self.top, 'control.sock')
        self.conf = os.path.join(self.top, 'tocsin.conf')
        self.policy = os.path.join(self.top, 'policy.d', '10-test.policy')
        self.log = os.path.join(self.top, 'log')
        self.dns, self.settings, self.template = dns.replace(':', '@'), settings, conf
        self.process = None
        for folder in (self.top, self.socket_folder, os.path.dirname(self.policy)):
            os.makedirs(folder, exist_ok=True)
        os.chmod(top, 0o755)
        os.chmod(self.top, 0o755)
        self.write_policy(policy)
        self.write_conf()

    def write_conf(self, settings=None):
        if settings is not None:
            self.settings = settings
        with open(self.conf, 'w') as file:
            file.write(self.template.format(
                socket=self.socket, state=self.state, control=self.control, dns=self.dns, settings=self.settings,
                user=f'user "{service_user()}"' if os.geteuid() == 0 else ''))

    def write_policy(self, text):
        """Puts the file in place whole: a reload that is under way must not
        see half of it."""
        with open(self.policy + '.new', 'w') as file:
            file.write(text)
        os.replace(self.policy + '.new', self.policy)

    def write(self, name, text):
        path = os.path.join(self.top, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w' if isinstance(text, str) else 'wb') as file:
            file.write(text)
        return path

    def command(self, *extra):
        return [program('tocsind'), '-f', '-c', self.conf, *extra]

    def check(self):
        """Runs `tocsind -n`: (exit status, output)."""
        done = subprocess.run(self.command('-n'), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60)
        return done.returncode, done.stdout

    def start(self, seconds=20):
        with open(self.log, 'ab') as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True)
        self.wait_until_it_answers(seconds)

    def wait_until_it_answers(self, seconds=20):
        end = time.monotonic() + seconds
        while True:
            if self.process.poll() is not None:
                raise RuntimeError(f'tocsind ended with {self.process.returncode}:\n{self.log_text()[-3000:]}')
            if self.answers():
                return
            if time.monotonic() > end:
                raise RuntimeError(f'tocsind does not answer:\n{self.log_text()[-3000:]}')
            time.sleep(0.05)

    def answers(self):
        """Whether a milter client gets as far as the negotiation."""
        try:
            with socket.socket(socket.AF_UNIX) as sock:
                sock.settimeout(2)
                sock.connect(self.socket)
                sock.sendall(b'\0\0\0\x0dO\0\0\0\6\0\0\1\xff\0\x1f\xff\xff')
                return len(sock.recv(64)) > 0
        except OSError:
            return False

    def stop(self, seconds=20):
        """Asks it to end and waits; its exit status, or None when it had to
        be killed."""
        if self.process is None:
            return None
        status = None
        below = descendants(self.process.pid)
        self.process.terminate()
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            for pid in (self.process.pid, *below):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.process.wait()
        self.process = None
        return status

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def filter_pid(self):
        """The process that talks to the MTA: the child of the supervisor with
        the most threads."""
        def threads(pid):
            try:
                return len(os.listdir(f'/proc/{pid}/task'))
            except OSError:
                return 0
        return max(descendants(self.process.pid), key=threads, default=None)

    def hang_up(self):
        self.process.send_signal(signal.SIGHUP)

    def tool(self, *words, check=False, stdin=subprocess.DEVNULL):
        """Runs `tocsin` with this configuration."""
        return subprocess.run([program('tocsin'), words[0], '-c', self.conf, *words[1:]], stdin=stdin,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=check)

    def log_text(self):
        try:
            with open(self.log, errors='replace') as log:
                return log.read()
        except OSError:
            return ''

    def records(self):
        found = []
        for path in sorted(glob.glob(os.path.join(self.state, 'evidence', '*.jsonl'))):
            with open(path) as file:
                found += [json.loads(line) for line in file if line.endswith('\n')]
        return found

    def record(self, queue_id):
        for record in self.records():
            if record.get('queue_id') == queue_id:
                return record
        return None


def service_user():
    """A user without rights, for a daemon that is started by root."""
    return pwd.getpwnam('nobody').pw_name
