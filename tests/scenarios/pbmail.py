#!/usr/bin/env python3
"""pbmail from afar: with an account file, TLS, and certificates that are checked.

In one network namespace: packetboatd on the kernel's sockets, and pbmail

    on the kernel's sockets too, reading by IMAP, and by POP3
    on a stack of its own behind a TAP device, asking dnsmasq for the server's name

alice sends bob text and a file of 1 MB; he reads and saves it.  Wrong passwords, wrong
names, unknown authorities and unknown hosts are told apart by their exit status.
"""
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
from real import DAEMON, PBMAIL, TOOL, add_user, conf_of, play, sh, wait_for_start

NS, HOST, LIMIT_S = f'pb-mail-{os.getpid()}', 'mx.b.example', 60
EX_DATAERR, EX_NOUSER, EX_NOHOST, EX_UNAVAILABLE = 65, 67, 68, 69
EX_PROTOCOL, EX_NOPERM = 76, 77

CONF = """\
[imap]
login_delay_ms = 50
[tls]
cert = {dir}/cert.pem
key = {dir}/key.pem
"""

ACCOUNT = """\
from = {user}@b.example
user = {user}
password_command = echo "{password}"
ca = {ca}
net = {net}
[smtp]
host = {host}
tls = {tls}
[{kind}]
host = {host}
tls = {tls}
[stack]
port = tap:pb0
addr = 192.0.2.3/24
host_addr = 192.0.2.1/24
[dns]
servers = 192.0.2.1
"""

TEXT = 'Fünf Boxkämpfer jagen Viktor über den Deich.\n'
UNTRUSTED = re.compile(fr'pbmail: ({HOST}|other.example): TLS: .+; see host and ca in '
                       r'pbmail\(1\)\n$')
BYTES = bytes(i * 7919 % 251 for i in range(1_000_000))


class World:
    def __init__(self, folder):
        self.dir, self.conf = folder, folder / 'conf'
        self.etc = pathlib.Path('/etc/netns') / NS
        self.conf.write_text(conf_of(folder, HOST, 'kernel') + CONF.format(dir=folder))
        (folder / 'data.bin').write_bytes(BYTES)
        self.procs, self.said = [], ''

    def __enter__(self):
        self.etc.mkdir(parents=True)
        (self.etc / 'hosts').write_text(f'127.0.0.1 localhost {HOST} other.example\n')
        sh('ip', 'netns', 'add', NS)
        sh('ip', '-n', NS, 'link', 'set', 'lo', 'up')
        for user in ('alice', 'bob'):
            add_user(self.conf, user, f'{user}@b.example')
        sh(TOOL, '-c', self.conf, 'tls', 'self-signed', HOST)
        self.start(DAEMON, '-f', '-c', self.conf)
        self.start('dnsmasq', '-k', '-C', '/dev/null', '--no-resolv', '--no-hosts',
                   f'--address=/{HOST}/192.0.2.1', f'--pid-file={self.dir}/dnsmasq.pid')
        wait_for_start(self.dir, self.procs[0])
        return self

    def __exit__(self, *_):
        for proc in self.procs:
            proc.terminate()
            proc.wait(timeout=LIMIT_S)
        subprocess.run(['ip', 'netns', 'del', NS], check=False)
        shutil.rmtree(self.etc)

    def start(self, *args):
        self.procs.append(subprocess.Popen(['ip', 'netns', 'exec', NS, *map(str, args)],
                                           stderr=subprocess.DEVNULL))

    def pbmail(self, user, *args, text='', status=0, **changes):
        account = {'user': user, 'password': f'secret of {user}', 'net': 'kernel',
                   'ca': self.dir / 'cert.pem', 'host': HOST, 'tls': 'starttls',
                   'kind': 'imap', **changes}
        path = self.dir / 'account'
        path.write_text(ACCOUNT.format(**account))
        path.chmod(0o600)
        done = subprocess.run(['ip', 'netns', 'exec', NS, PBMAIL, '-A', path,
                               *map(str, args)], cwd=self.dir, input=text, text=True,
                              capture_output=True, timeout=LIMIT_S, check=False)
        assert done.returncode == status, (done.returncode, done.stderr)
        assert not {'\x1b', '\x07', '\x9b'} & {*done.stdout, *done.stderr}
        self.said = done.stderr
        return done.stdout


def there_and_back(world, name, **how):
    """A letter with a file, all the way; and it is deleted."""
    world.pbmail('alice', 'send', '-t', 'bob', '-s', name, '-a', 'data.bin', text=TEXT,
                 **how)
    out = world.pbmail('bob', 'list', **how)
    assert name in out, out
    n = out.split()[0]
    out = world.pbmail('bob', 'read', n, **how)
    assert TEXT in out and '[2: application/octet-stream, data.bin' in out, out
    world.pbmail('bob', 'save', n, 2, f'saved-{name}', **how)
    assert (world.dir / f'saved-{name}').read_bytes() == BYTES
    world.pbmail('bob', 'delete', n, **how)
    assert world.pbmail('bob', 'list', **how) == ''
    for command in 'read', 'delete':
        world.pbmail('bob', command, n, status=EX_DATAERR, **how)
        assert 'there is no message' in world.said


def by_imap_with_starttls(world):
    there_and_back(world, 'imap')


def by_imap_with_tls_at_once(world):
    there_and_back(world, 'imaps', tls='tls')


def by_pop3(world):
    there_and_back(world, 'pop3', kind='pop3')


def by_pop3_with_tls_at_once(world):
    there_and_back(world, 'pop3s', kind='pop3', tls='tls')


def by_imap_on_our_stack(world):
    there_and_back(world, 'stack', net='stack')


def by_pop3_on_our_stack(world):
    there_and_back(world, 'stack3', net='stack', kind='pop3', tls='tls')


def mailboxes_are_the_server_s(world):
    world.pbmail('alice', 'send', '-t', 'bob', '-s', 'file me', text=TEXT)
    world.pbmail('bob', 'mailbox', 'create', 'Ablage')
    n = world.pbmail('bob', 'list').split()[0]
    world.pbmail('bob', 'move', n, n + '0', 'Ablage', status=EX_DATAERR)
    world.pbmail('bob', 'move', n, 'Ablage')
    assert 'file me' in world.pbmail('bob', 'list', 'Ablage')
    world.pbmail('bob', 'list', 'Ablage', kind='pop3', status=EX_UNAVAILABLE)


DIGEST = """\
From: list@b.example
To: bob@b.example
Subject: digest
MIME-Version: 1.0
Content-Type: multipart/digest; boundary=d

--d

Subject: first

One.}
--d

Subject: second

Two.
--d--
"""


def a_number_means_the_same_message_for_ever(world):
    for name in 'one', 'two':
        world.pbmail('alice', 'send', '-t', 'bob', '-s', name, text=TEXT)
    one, two = (line.split()[0] for line in world.pbmail('bob', 'list').splitlines())
    world.pbmail('bob', 'delete', one)
    world.pbmail('bob', 'delete', one, status=EX_DATAERR)
    assert 'Subject: two' in world.pbmail('bob', 'read', two)
    world.pbmail('bob', 'delete', two)


def a_digest_bursts(world):
    (world.dir / 'digest').write_text(DIGEST)
    sh('ip', 'netns', 'exec', NS, 'curl', '-sS', '--crlf', 'smtp://127.0.0.1', '--mail-from',
       'list@b.example', '--mail-rcpt', 'bob@b.example', '-T', world.dir / 'digest')
    n = world.pbmail('bob', 'list').split()[0]
    world.pbmail('bob', 'burst', 1, kind='pop3', status=EX_UNAVAILABLE)
    world.pbmail('bob', 'burst', n)
    lines = world.pbmail('bob', 'list').splitlines()
    assert [line.split()[-1] for line in lines] == ['digest', 'first', 'second'], lines
    one, two = (line.split()[0] for line in lines[1:])
    assert 'One.}' in world.pbmail('bob', 'read', one)
    world.pbmail('bob', 'burst', two, status=EX_DATAERR)
    world.pbmail('bob', 'delete', n, one, two)


def mistakes_have_their_status(world):
    world.pbmail('bob', 'list', password='wrong', status=EX_NOPERM)
    world.pbmail('bob', 'list', kind='pop3', password='wrong', status=EX_NOPERM)
    world.pbmail('bob', 'send', '-t', 'alice', password='wrong', text='x',
                 status=EX_NOPERM)
    world.pbmail('bob', 'list', host='nowhere.invalid', status=EX_NOHOST)
    world.pbmail('alice', 'send', '-t', 'nobody', text='x', status=EX_NOUSER)


def certificates_are_checked(world):
    """For another name, and of another authority; who is meant, and what helps, is said."""
    sh('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1',
       '-subj', '/CN=other.example', '-keyout', world.dir / 'other.key', '-out',
       world.dir / 'other.pem')
    for how in ({'host': 'other.example'}, {'ca': world.dir / 'other.pem'}):
        for tls in ('tls', 'starttls'):
            for kind in ('imap', 'pop3'):
                world.pbmail('bob', 'list', kind=kind, tls=tls, status=EX_NOPERM, **how)
                assert UNTRUSTED.match(world.said), world.said
            world.pbmail('bob', 'send', '-t', 'alice', text='x', tls=tls,
                         status=EX_NOPERM, **how)
            assert UNTRUSTED.match(world.said), world.said


EVIL = '\x1b]0;owned\x07\x9b2J'
LETTER = (f'From: "{EVIL}" <a@b.example>\r\nSubject: {EVIL}\r\nMIME-Version: 1.0\r\n'
          'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n'
          f'{EVIL}text\r\n--b\r\nContent-Type: image/png\r\nContent-Disposition: '
          'attachment; filename="../../evil\x1b[0m.png"\r\n\r\nPNG\r\n--b--\r\n')
PREAUTH = '* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n'
OPENED = f'* 1 EXISTS\r\na OK [READ-ONLY] {EVIL}\r\n'
# What a server says to the connection, and to each command; the command; its status.
BAD_SERVERS = {
    'goes away': ([f'* BYE {EVIL}\r\n'], ['list'], EX_UNAVAILABLE),
    'speaks another protocol': (['220 mx ESMTP\r\n'], ['list'], EX_PROTOCOL),
    'hangs up': (['* PREA'], ['list'], EX_UNAVAILABLE),
    'refuses': ([PREAUTH, 'a OK x\r\n', f'a NO {EVIL}\r\n'], ['list'], EX_UNAVAILABLE),
    'promises too much': ([PREAUTH, 'a OK x\r\n', OPENED,
                           '* 1 FETCH (BODY[] {999999999999999}\r\nx'], ['read', '1'],
                          EX_UNAVAILABLE),
    'sends nothing': ([PREAUTH, 'a OK x\r\n', OPENED, 'a OK x\r\n'], ['read', '1'], 65),
    'names mailboxes': ([PREAUTH, 'a OK x\r\n',
                         f'* LIST () "/" "{EVIL}"\r\na OK x\r\n'], ['mailbox', 'list'], 0),
    'has an evil letter': ([PREAUTH, 'a OK x\r\n', OPENED, '* 1 FETCH (BODY[] {%d}\r\n%s)'
                            '\r\na OK x\r\n' % (len(LETTER.encode()), LETTER)],
                           ['read', '1'], 0),
    'has an evil file': ([PREAUTH, 'a OK x\r\n', OPENED, '* 1 FETCH (BODY[] {%d}\r\n%s)'
                          '\r\na OK x\r\n' % (len(LETTER.encode()), LETTER)],
                         ['save', '1', '2'], 0),
}


def serve(listener, answers):
    """Says one answer after each line that comes, and hangs up."""
    conn, _ = listener.accept()
    with conn, conn.makefile('rb') as lines:
        for answer in answers:
            conn.sendall(answer.encode())
            if answer is not answers[-1] or answer.endswith('\r\n'):
                lines.readline()


def bad_servers_do_no_harm(world):
    for name, (answers, command, status) in BAD_SERVERS.items():
        path = world.dir / 'bad'
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()
            thread = threading.Thread(target=serve, args=(listener, answers))
            thread.start()
            try:
                world.pbmail('bob', *command, host=path, status=status)
            except AssertionError as why:
                raise AssertionError(f'{name}: {why}') from why
            thread.join(timeout=LIMIT_S)
    [saved] = world.dir.glob('*evil*')
    assert saved.name == 'evil [0m.png' and saved.read_bytes() == b'PNG', saved


CASES = [by_imap_with_starttls, by_imap_with_tls_at_once, by_pop3,
         by_pop3_with_tls_at_once, by_imap_on_our_stack, by_pop3_on_our_stack,
         mailboxes_are_the_server_s, a_number_means_the_same_message_for_ever,
         a_digest_bursts, mistakes_have_their_status,
         certificates_are_checked, bad_servers_do_no_harm]


def main():
    if os.geteuid() != 0:
        print('needs root for network namespaces')
        return 77
    folder = pathlib.Path(tempfile.mkdtemp(prefix='pb-mail-'))
    try:
        with World(folder) as world:
            failed = play(CASES, world)
    finally:
        shutil.rmtree(folder)
    return failed


sys.exit(main())
