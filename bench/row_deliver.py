"""Durable deliveries: packetboatd beside Debian's Postfix with Maildir.

Both get the same mail from the same client (Postfix's smtp-source, 32 sessions, 4 KiB
messages) and keep it on the same disk, in turns.  The clock runs until the last message
is in its mailbox: for us that is the last 250, for Postfix the last file in new/.
"""
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from rows import BUILD, in_ns, namespace, need_programs, result, sh

PEER = "Debian's Postfix, virtual(8) into Maildir"
CLIENTS, BYTES, USERS = 32, 4096, 8
DOMAIN = 'bench.example'

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
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {dir}/mail
virtual_mailbox_maps = static:all/
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
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
addr = 192.0.2.2/24
host_addr = 192.0.2.1/24
probe_addr = no
[store]
dir = {dir}/store
"""


def source(ns, to, count, keep):
    """smtp-source with @count messages; with @keep, sessions carry many."""
    command = in_ns(ns, 1, 'smtp-source', *(['-d'] if keep else []), '-s', CLIENTS, '-l',
                    BYTES, '-m', count, '-f', f'from@{DOMAIN}', '-t', f'u0@{DOMAIN}', to)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    if done.returncode or done.stdout.strip():
        sys.exit(f'bench: smtp-source: {done.stdout}')


def work_dir():
    """On the disk of the build, not on a tmpfs."""
    top = pathlib.Path(tempfile.mkdtemp(prefix='bench-deliver-', dir=BUILD))
    top.chmod(0o755)
    return top


@contextlib.contextmanager
def postfix(ns, top):
    import pwd
    owner = pwd.getpwnam('postfix')
    conf = top / 'etc'
    for name in ('etc', 'spool', 'data', 'mail', 'mail/all'):
        (top / name).mkdir(parents=True, exist_ok=True)
    os.chmod(top, 0o755)
    for name in ('data', 'mail', 'mail/all'):
        os.chown(top / name, owner.pw_uid, owner.pw_gid)
    (conf / 'main.cf').write_text(MAIN_CF.format(
        dir=top, domain=DOMAIN, uid=owner.pw_uid, gid=owner.pw_gid))
    master = pathlib.Path('/usr/share/postfix/master.cf.dist').read_text()
    lines = []
    for line in master.splitlines():
        words = line.split()
        # Nothing chrooted: the spool is in a folder of ours.
        if len(words) > 7 and not line.startswith(('#', ' ')):
            words[4] = 'n'
            if words[0] == 'smtp' and words[1] == 'inet':
                words[0] = '127.0.0.1:2525'
            line = ' '.join(words)
        lines.append(line)
    lines.append('postlog unix-dgram n - n - 1 postlogd')
    (conf / 'master.cf').write_text('\n'.join(dict.fromkeys(lines)) + '\n')
    sh('ip', 'netns', 'exec', ns, 'postfix', '-c', str(conf), 'start')
    try:
        yield top / 'mail' / 'all' / 'new'
    finally:
        sh('ip', 'netns', 'exec', ns, 'postfix', '-c', str(conf), 'stop')


def postfix_run(ns, new, count, keep):
    before = len(os.listdir(new)) if new.exists() else 0
    began = time.monotonic()
    source(ns, '127.0.0.1:2525', count, keep)
    while not new.exists() or len(os.listdir(new)) < before + count:
        if time.monotonic() > began + 300:
            sys.exit('bench: Postfix did not deliver all in 300 s')
        time.sleep(0.01)
    return count / (time.monotonic() - began)


@contextlib.contextmanager
def ours(ns, top):
    daemon, tool = BUILD / 'apps/packetboatd/packetboatd', BUILD / 'apps/packetboat/packetboat'
    top.mkdir()
    conf = top / 'packetboatd.conf'
    conf.write_text(OURS_CONF.format(dir=top, domain=DOMAIN))
    os.chmod(top, 0o755)
    subprocess.run([tool, '-c', conf, 'user', 'add', 'u0', f'u0@{DOMAIN}',
                    '--password-stdin'], input='bench\n', text=True, check=True,
                   stdout=subprocess.DEVNULL)
    proc = subprocess.Popen(in_ns(ns, 0, daemon, '-f', '-c', conf))
    try:
        for _ in range(100):
            if (top / 'pid').exists():
                break
            time.sleep(0.05)
        yield
    finally:
        proc.terminate()
        proc.wait(timeout=30)


def our_run(ns, count, keep):
    began = time.monotonic()
    source(ns, '192.0.2.2:25', count, keep)
    return count / (time.monotonic() - began)


def run(quick):
    need_programs('apps/packetboatd/packetboatd', 'apps/packetboat/packetboat')
    runs, few, many = (2, 1000, 5000) if quick else (5, 3000, 20000)
    top = work_dir()
    mine, peer = {}, {}
    try:
        with namespace('pb') as pb, namespace('pf') as pf, ours(pb, top / 'ours'), \
                postfix(pf, top / 'postfix') as new:
            for _ in range(runs):
                for keep in (True, False):
                    mine.setdefault(keep, []).append(our_run(pb, many, keep))
                    peer.setdefault(keep, []).append(postfix_run(pf, new, few, keep))
    finally:
        shutil.rmtree(top)
    for keep, case in ((True, '32 sessions, many messages each'),
                       (False, '32 at a time, a session a message')):
        yield result('deliver', case, 'messages/s', PEER, mine[keep], peer[keep])
