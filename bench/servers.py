"""Mail servers for the rows of bench/run: packetboatd, Postfix, and who sends to them."""
import contextlib
import os
import pathlib
import pwd
import subprocess
import sys
import tempfile
import time

from rows import BUILD, in_ns, sh

DOMAIN = 'bench.example'
OUR_ADDR, HOST_ADDR = '192.0.2.2', '192.0.2.1'
POSTFIX_PORT = 2525
CLIENTS, BYTES = 32, 4096

MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {dir}/spool
data_directory = {dir}/data
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.{domain}
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_recipient_restrictions = permit_mynetworks, reject
mynetworks = 127.0.0.0/8
maillog_file = {dir}/log
maillog_file_prefixes = {dir}
default_process_limit = 200
"""

OURS_CONF = """\
hostname = mx.{domain}
user = root
users = {dir}/users
control = {dir}/control
pid_file = {dir}/pid
log_level = warning
[stack]
addr = {addr}/24
host_addr = {host}/24
probe_addr = no
[store]
dir = {dir}/store
[smtp]
postmaster = u0
"""


@contextlib.contextmanager
def work_dir():
    """On the disk of the build, not on a tmpfs."""
    with tempfile.TemporaryDirectory(prefix='bench-', dir=BUILD) as top:
        os.chmod(top, 0o755)
        yield pathlib.Path(top)


def source(ns, where, to, count, keep):
    """Postfix's smtp-source sends @count messages; with @keep, sessions carry many."""
    command = in_ns(ns, 1, 'smtp-source', *(['-d'] if keep else []), '-s', CLIENTS, '-l',
                    BYTES, '-m', count, '-f', f'from@{DOMAIN}', '-t', to, where)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    if done.returncode or done.stdout.strip():
        sys.exit(f'bench: smtp-source: {done.stdout}')


@contextlib.contextmanager
def postfix(ns, top, main_cf):
    """Debian's Postfix on 127.0.0.1:POSTFIX_PORT there, with all its files in @top."""
    owner = pwd.getpwnam('postfix')
    conf = top / 'etc'
    for name in ('etc', 'spool', 'data', 'mail', 'mail/all'):
        (top / name).mkdir(parents=True, exist_ok=True)
    os.chmod(top, 0o755)
    for name in ('data', 'mail', 'mail/all'):
        os.chown(top / name, owner.pw_uid, owner.pw_gid)
    (conf / 'main.cf').write_text((MAIN_CF + main_cf).format(
        dir=top, domain=DOMAIN, uid=owner.pw_uid, gid=owner.pw_gid))
    master = pathlib.Path('/usr/share/postfix/master.cf.dist').read_text()
    lines = []
    for line in master.splitlines():
        words = line.split()
        # Nothing chrooted: the spool is in a folder of ours.
        if len(words) > 7 and not line.startswith(('#', ' ')):
            words[4] = 'n'
            if words[0] == 'smtp' and words[1] == 'inet':
                words[0] = f'127.0.0.1:{POSTFIX_PORT}'
            line = ' '.join(words)
        lines.append(line)
    lines.append('postlog unix-dgram n - n - 1 postlogd')
    (conf / 'master.cf').write_text('\n'.join(dict.fromkeys(lines)) + '\n')
    sh('ip', 'netns', 'exec', ns, 'postfix', '-c', str(conf), 'start')
    try:
        yield
    finally:
        sh('ip', 'netns', 'exec', ns, 'postfix', '-c', str(conf), 'stop')


@contextlib.contextmanager
def packetboatd(ns, top, conf='', users=('u0',)):
    """Ours on our own stack, at OUR_ADDR behind a TAP; @conf: more settings."""
    daemon = BUILD / 'apps/packetboatd/packetboatd'
    top.mkdir()
    os.chmod(top, 0o755)
    path = top / 'packetboatd.conf'
    path.write_text(OURS_CONF.format(dir=top, domain=DOMAIN, addr=OUR_ADDR,
                                     host=HOST_ADDR) + conf)
    # A cheap hash: these rows measure no passwords.
    cheap = sh('openssl', 'passwd', '-6', '-salt', 'rounds=1000$bench', 'bench').strip()
    (top / 'users').write_text(''.join(f'{user}:{cheap}:{user}@{DOMAIN}\n'
                                       for user in users))
    os.chmod(top / 'users', 0o600)
    proc = subprocess.Popen(in_ns(ns, 0, daemon, '-f', '-c', path))
    try:
        until = time.monotonic() + 20
        while not (top / 'pid').exists():
            if proc.poll() is not None or time.monotonic() > until:
                sys.exit('bench: packetboatd did not start')
            time.sleep(0.05)
        yield
    finally:
        proc.terminate()
        proc.wait(timeout=60)
