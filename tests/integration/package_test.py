#!/usr/bin/env python3
"""The Debian package: built, looked at by lintian, installed beside a stock
Postfix, used with one line in main.cf, and purged.

All of it happens in a copy of this system that exists for the test alone: an
overlay with its own mounts, processes and network. PACKAGE_TEST=0 leaves it
out; it takes about a minute.
"""
import contextlib
import glob
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from filter import sanitized
from tap import Skip, case, check, check_in, diag, run

SRC = os.environ.get('srcdir', os.path.abspath(os.path.join(os.path.dirname(__file__), '..', '..')))

# Runs as process 1 of the copy. Every step says what it found.
INSIDE = r"""
set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
mount -t tmpfs tmpfs "$1/root/run"
mount -t tmpfs -o mode=1777 tmpfs "$1/root/tmp"
ip link set lo up 2>/dev/null || true
cp "$2" "$1/root/run/tocsin.deb"
exec chroot "$1/root" /bin/bash -s
"""
STEPS = r"""
say() { echo "@@ $*"; }
dpkg --purge tocsin >/dev/null 2>&1
find /etc /usr /lib /bin /sbin /var /opt -xdev 2>/dev/null | sort >/run/before
dpkg -i /run/tocsin.deb >/run/dpkg.log 2>&1; say "install $?"
[ "$(stat -c '%U %a' /var/lib/tocsin)" = 'tocsin 710' ] && say 'state folder is ours'
[ "$(stat -c '%U:%G %a' /var/lib/tocsin/feeds)" = 'tocsin-feeds:tocsin 750' ] && say 'feeds have a user of their own'
getent passwd tocsin | grep -q nologin && say 'user has no shell'
tocsind -n -c /etc/tocsin/tocsin.conf; say "check $?"

cp /usr/share/postfix/main.cf.debian /etc/postfix/main.cf
cat >>/etc/postfix/main.cf <<END
myhostname = mx.package.test
mydestination = mx.package.test
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
maillog_file = /var/log/mail.log
smtpd_milters = unix:tocsin/tocsin.sock
END
grep -q postlog /etc/postfix/master.cf || echo 'postlog unix-dgram n - n - 1 postlogd' >>/etc/postfix/master.cf
[ ! -x /usr/lib/postfix/configure-instance.sh ] || /usr/lib/postfix/configure-instance.sh - >/dev/null 2>&1
postfix start >/dev/null 2>&1; say "postfix $?"

# Feeds by their own user, from a server on loopback, and read by the filter's.
if command -v systemd-analyze >/dev/null; then
	systemd-analyze verify --man=no /lib/systemd/system/tocsin-feeds.timer /lib/systemd/system/tocsin-feeds.service \
		>/run/verify.log 2>&1; say "units $? $(grep -c tocsin-feeds /run/verify.log)"
	cat /run/verify.log
else
	say 'units 0 0'
fi
[ -L /etc/systemd/system/timers.target.wants/tocsin-feeds.timer ] && say 'the timer is enabled'
mkdir /run/web; echo evil.example >/run/web/list.txt
python3 -m http.server --bind 127.0.0.1 -d /run/web 8099 >/run/web.log 2>&1 & web=$!
echo 'user:secret' >/etc/tocsin/web.auth; chown tocsin-feeds /etc/tocsin/web.auth; chmod 0600 /etc/tocsin/web.auth
cp -p /etc/tocsin/tocsin.conf /run/tocsin.conf
echo 'feed web { source "http://127.0.0.1:8099/list.txt" format list auth-file "/etc/tocsin/web.auth" }' \
	>>/etc/tocsin/tocsin.conf
for _ in $(seq 50); do (: >/dev/tcp/127.0.0.1/8099) 2>/dev/null && break; sleep 0.1; done
feeds=/lib/systemd/system/tocsin-feeds.service
sed -n 's/^ExecStartPre=[+-]*//p' $feeds | while read -r line; do $line; done
(umask "$(sed -n 's/^UMask=//p' $feeds)"
setpriv --reuid "$(sed -n 's/^User=//p' $feeds)" --regid "$(sed -n 's/^Group=//p' $feeds)" --clear-groups \
	--no-new-privs $(sed -n 's/^ExecStart=//p' $feeds)); say "timer $?"
tocsin feeds update web; say "by hand $?"
say "fetched $(stat -c '%U:%G %a' /var/lib/tocsin/feeds/web)"
tocsin indicators build >/dev/null && tocsin indicators query evil.example; say "acts $?"
kill $web; rm -f /etc/tocsin/web.auth; mv /run/tocsin.conf /etc/tocsin/tocsin.conf

# What the unit does, with the rights that it leaves.
unit=/lib/systemd/system/tocsind.service
sed -n 's/^ExecStartPre=[+-]*//p' $unit | while read -r line; do $line; done
mkdir -p /run/tocsin
start=$(sed -n 's/^ExecStart=//p' $unit)
bound=$(sed -n 's/^CapabilityBoundingSet=//p' $unit | tr 'A-Z' 'a-z' | sed 's/cap_//g; s/ /,+/g')
umask 0077
setpriv --bounding-set=-all,+$bound --inh-caps=-all --no-new-privs $start >/run/tocsind.log 2>&1 &
pid=$!
for _ in $(seq 100); do [ -S /var/spool/postfix/tocsin/tocsin.sock ] && break; sleep 0.1; done
sleep 0.5
say "socket $(stat -c '%G %a' /var/spool/postfix/tocsin/tocsin.sock)"
say "users $(ps -o user= --pid "$(pgrep -P $pid | tr '\n' ',')$pid" | sort -u | xargs)"
useradd -m receiver 2>/dev/null
python3 - <<'END'
import smtplib
with smtplib.SMTP('127.0.0.1', 25, timeout=60) as client:
    client.sendmail('a@b.test', ['receiver@mx.package.test'], 'From: a@b.test\r\nSubject: x\r\n\r\nbody\r\n')
END
say "send $?"
for _ in $(seq 100); do [ -s /var/mail/receiver ] && break; sleep 0.1; done
grep -m1 '^Authentication-Results: mx.package.test' /var/mail/receiver && say 'one line in main.cf is enough'
tocsin reload; say "reload $?"
tocsin status; say "status $?"
kill $pid; wait $pid; say "stop $?"
postfix stop >/dev/null 2>&1
cat /run/tocsind.log | tail -40
tail -5 /var/log/mail.log
rm -rf /etc/postfix/main.cf /var/mail/receiver
dpkg --purge tocsin >/run/purge.log 2>&1; say "purge $?"
left=$(find /etc /usr /lib /bin /sbin /var /opt -xdev 2>/dev/null | sort | comm -13 /run/before - |
	grep -i tocsin | tr '\n' ' ')
say "left [$left]"
getent passwd tocsin >/dev/null || getent passwd tocsin-feeds >/dev/null || say 'user is gone'
"""


class Package:
    pass


@contextlib.contextmanager
def package():
    if os.environ.get('PACKAGE_TEST', '1') == '0' or os.environ.get('ASAN_OPTIONS'):
        raise Skip('left out')
    if sanitized():
        raise Skip('the package does not depend on the sanitizer build')
    for tool in ('dpkg-buildpackage', 'dh', 'lintian', 'unshare', 'setpriv'):
        if shutil.which(tool) is None:
            raise Skip(f'{tool} is not installed')
    if os.geteuid() != 0:
        raise Skip('only root can make a copy of the system')
    found = Package()
    with tempfile.TemporaryDirectory() as folder:
        found.folder = folder
        done = subprocess.run([os.path.join(SRC, 'packaging', 'build-package'), folder], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env=dict(os.environ, DEB_BUILD_OPTIONS='nocheck parallel=2', TMPDIR=folder))
        found.built, found.log = done.returncode, done.stdout
        debs = [path for path in glob.glob(os.path.join(folder, 'tocsin_*.deb'))]
        found.deb = debs[0] if debs else None
        yield found


@case('dpkg-buildpackage builds it')
def builds(this):
    if this.built:
        diag('\n'.join(this.log.splitlines()[-40:]))
    check(this.built, 0, 'exit status')
    listing = subprocess.run(['dpkg-deb', '-c', this.deb], stdout=subprocess.PIPE, text=True, check=True).stdout
    for path in ('./usr/sbin/tocsind', './usr/bin/tocsin', './etc/tocsin/tocsin.conf',
                 './usr/share/man/man8/tocsind.8.gz', './usr/share/man/man1/tocsin.1.gz',
                 './usr/share/man/man5/tocsin.conf.5.gz', './lib/systemd/system/tocsind.service',
                 './lib/systemd/system/tocsin-feeds.service', './lib/systemd/system/tocsin-feeds.timer'):
        check_in(path + '\n', listing, 'the package')


@case('lintian finds no error')
def lintian(this):
    changes = glob.glob(os.path.join(this.folder, '*.changes'))
    done = subprocess.run(['lintian', '--allow-root', '--fail-on', 'error', *changes], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    diag(done.stdout)
    check(done.returncode, 0, 'exit status')


@case('it installs, works after one line in main.cf, and purges cleanly')
def lives(this):
    if not os.path.exists('/usr/share/postfix/main.cf.debian'):
        raise Skip('Postfix is not installed')
    mount = os.path.join(this.folder, 'copy')
    os.mkdir(mount)
    done = subprocess.run(['unshare', '--mount', '--pid', '--net', '--uts', '--fork', 'bash', '-c', INSIDE, 'copy',
                           mount, this.deb], input=STEPS, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=300)
    if '@@ install' not in done.stdout:
        raise Skip(f'no copy of the system can be made here: {done.stdout.strip()[-200:]}')
    found = [line[3:] for line in done.stdout.splitlines() if line.startswith('@@ ')]
    try:
        check(found, [
            'install 0', 'state folder is ours', 'feeds have a user of their own', 'user has no shell', 'check 0',
            'postfix 0', 'units 0 0', 'the timer is enabled', 'timer 0', 'by hand 0',
            'fetched tocsin-feeds:tocsin 640', 'acts 0', 'socket postfix 660',
            'users tocsin', 'send 0', 'one line in main.cf is enough', 'reload 0', 'status 0', 'stop 0', 'purge 0',
            'left []', 'user is gone'])
    except AssertionError:
        diag(done.stdout)
        raise


run(package)
