"""IMAP: packetboatd on our stack beside Debian's Dovecot with Maildir on loopback.

Each holds the same 10,000 messages of about 4 KiB in a mailbox.  A client on the kernel's
TCP asks for flags and envelopes of all, first with nothing remembered and then again, and
searches all texts; the clock runs from the command to its tagged OK.  Then 1,000
sessions idle, ten for each of a hundred users; another one appends a message for one of them,
and the news is timed in each of the ten, from the last octet of the message sent: so the
commit to the disk is in it, and how long that takes is shown too.
"""
import contextlib
import os
import random
import select
import socket
import subprocess
import sys
import time

from rows import in_ns, namespace, need_programs, result
from servers import OUR_ADDR, packetboatd, work_dir

PEER = "Debian's Dovecot, Maildir"
LIMIT_S = 120
N_USERS, N_EACH = 100, 10
DOVECOT_PORT, FIRST_UID = 1143, 20000
AT_ONCE = 50        # messages appended before the first OK is awaited
CONF = """\
[imap]
per_client_max = 5000
per_user_max = 5000
sessions_max = 5000
"""

DOVECOT_CONF = """\
base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{dir}/mail/%u
mail_max_userip_connections = 0
mail_fsync = always
passdb {{
  driver = passwd-file
  args = {dir}/users
}}
userdb {{
  driver = passwd-file
  args = {dir}/users
}}
service imap-login {{
  service_count = 0
  client_limit = 4000
  inet_listener imap {{
    port = {port}
  }}
}}
service imap {{
  process_limit = 3000
}}
service anvil {{
  client_limit = 8000
}}
service stats {{
  client_limit = 8000
}}
service auth {{
  client_limit = 8000
}}
"""


@contextlib.contextmanager
def dovecot(ns, top, users):
    """Each user with a uid of its own: of one, the kernel lets 128 wait for news."""
    (top / 'mail').mkdir(parents=True)
    os.chmod(top, 0o755)
    lines = []
    for i, user in enumerate(users):
        home, uid = top / 'mail' / user, FIRST_UID + i
        home.mkdir()
        os.chown(home, uid, uid)
        lines.append(f'{user}:{{PLAIN}}bench:{uid}:{uid}::{home}\n')
    (top / 'users').write_text(''.join(lines))
    conf = top / 'dovecot.conf'
    conf.write_text(DOVECOT_CONF.format(dir=top, port=DOVECOT_PORT))
    proc = subprocess.Popen(['ip', 'netns', 'exec', ns, 'dovecot', '-F', '-c', str(conf)])
    try:
        until = time.monotonic() + 20
        while not (top / 'run/master.pid').exists():
            if proc.poll() is not None or time.monotonic() > until:
                sys.exit('bench: dovecot did not start')
            time.sleep(0.05)
        yield
    finally:
        proc.terminate()
        proc.wait(timeout=30)


def inside(ns, work, *args):
    """Runs one of the functions below in this namespace, by this file as a program."""
    done = subprocess.run(in_ns(ns, 1, sys.executable, __file__, work, *map(str, args)),
                          stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f'bench: {work} failed')
    return [float(word) for word in done.stdout.split()]


class Session:
    def __init__(self, addr, port, user):
        self.sock = socket.create_connection((addr, port), LIMIT_S)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.data, self.n = b'', 0
        self.until(b'\r\n')
        self.ask(f'LOGIN {user} bench')

    def until(self, end):
        """All that came, when it has @end in what is new."""
        got = [self.data]
        tail = self.data
        while end not in tail:
            piece = self.sock.recv(1 << 20)
            if not piece:
                sys.exit(f'bench: the server hung up: {b"".join(got)[-200:]}')
            got.append(piece)
            tail = tail[-len(end):] + piece
        self.data = b''
        return b''.join(got)

    def ask(self, command):
        self.n += 1
        tag = f'a{self.n}'
        self.sock.sendall(f'{tag} {command}\r\n'.encode())
        data = self.until(f'{tag} '.encode())
        while not data.endswith(b'\r\n'):
            data += self.until(b'\r\n')
        if f'{tag} OK'.encode() not in data:
            sys.exit(f'bench: {command}: {data[-200:]}')
        return data

    def timed(self, command):
        began = time.monotonic()
        data = self.ask(command)
        return time.monotonic() - began, data


WORDS = ('packet window segment socket mailbox message header commit queue letter ship '
         'harbour tide north keel rope sail anchor captain cargo').split()


def text(i):
    """An ordinary message of about 4 KiB; one of a hundred has the needle."""
    rng = random.Random(i)
    lines = [' '.join(rng.choice(WORDS) for _ in range(10)) for _ in range(50)]
    if i % 100 == 7:
        lines[25] = 'here is the needle in the hay'
    return (f'Received: from a.example (a.example [192.0.2.{i % 250}])\r\n'
            f'\tby mx.example with ESMTP id {i:08x};\r\n'
            f'\tMon, 7 Feb 1994 21:52:25 -0800\r\n'
            f'From: "Sender {i % 89}" <s{i % 89}@c.example>\r\n'
            f'To: "You" <u0@bench.example>, other{i % 7}@bench.example\r\n'
            f'Cc: third@bench.example\r\nSubject: {" ".join(lines[0].split()[:6])}\r\n'
            f'Message-ID: <{i}.{i * 7}@c.example>\r\nIn-Reply-To: <{i - 1}@c.example>\r\n'
            f'Date: Mon, 7 Feb 1994 21:52:25 -0800\r\nMIME-Version: 1.0\r\n'
            f'Content-Type: text/plain; charset=us-ascii\r\n\r\n'
            + '\r\n'.join(lines) + '\r\n').encode()


def fill(addr, port, user, n):
    """Appends; prints messages a second."""
    s = Session(addr, int(port), user)
    began, n = time.monotonic(), int(n)
    for first in range(0, n, AT_ONCE):
        some = [text(i) for i in range(first, min(first + AT_ONCE, n))]
        s.sock.sendall(b''.join(b'x%d APPEND INBOX {%d+}\r\n%s\r\n' % (i, len(t), t)
                                for i, t in enumerate(some)))
        data = b''
        while data.count(b' OK ') < len(some):
            data += s.sock.recv(65536)
    print(n / (time.monotonic() - began))


def read(addr, port, user, n):
    """Prints the seconds of FETCH and SEARCH."""
    s = Session(addr, int(port), user)
    s.ask('SELECT INBOX')
    fetch, data = s.timed('FETCH 1:* (FLAGS ENVELOPE)')
    if data.count(b'ENVELOPE (') != int(n):
        sys.exit(f'bench: {data.count(b"ENVELOPE (")} envelopes')
    search, data = s.timed('SEARCH TEXT "the needle in"')
    if len(data.split(b'\r\n')[0].split()) - 2 != int(n) // 100:
        sys.exit(f'bench: found {data[:200]}')
    print(fetch, search)


def idle(addr, port, n_news):
    """Prints for each piece of news the ms from the last octet sent to it, from there to the
    OK, and how much later than the OK it came."""
    port = int(port)
    sessions, users = {}, {}
    for u in range(N_USERS):
        for _ in range(N_EACH):
            s = Session(addr, port, f'u{u}')
            s.ask('SELECT INBOX')
            s.sock.sendall(b'i IDLE\r\n')
            s.until(b'+ ')
            s.data = b''
            s.sock.setblocking(False)
            sessions[s.sock.fileno()] = s
        users[u] = Session(addr, port, f'u{u}')
    poll = select.epoll()
    for fd in sessions:
        poll.register(fd, select.EPOLLIN)
    time.sleep(3)
    while poll.poll(0):         # what was still said of the beginning
        for fd, _ in poll.poll(0):
            sessions[fd].sock.recv(65536)
    rng = random.Random(1)
    for i in range(int(n_news)):
        u = rng.randrange(N_USERS)
        sender, message = users[u], text(i)
        poll.register(sender.sock.fileno(), select.EPOLLIN)
        tag = b'm%d' % i
        sender.sock.sendall(b'%s APPEND INBOX {%d+}\r\n%s\r\n' % (tag, len(message),
                                                                 message))
        sent, ok, news = time.monotonic(), None, []
        while ok is None or len(news) < N_EACH:
            for fd, _ in poll.poll(LIMIT_S):
                now = time.monotonic()
                if fd == sender.sock.fileno():
                    if tag + b' OK' in sender.sock.recv(65536):
                        ok = now
                elif b' EXISTS' in sessions[fd].sock.recv(65536):
                    news.append(now)
        poll.unregister(sender.sock.fileno())
        for at in news:
            print((at - sent) * 1000, (ok - sent) * 1000, (at - ok) * 1000)
        time.sleep(0.02)
        for fd, _ in poll.poll(0):      # RECENT, and the like
            sessions[fd].sock.recv(65536)


def percentile(values, p):
    return sorted(values)[min(len(values) - 1, int(len(values) * p / 100))]


def run(quick):
    need_programs('apps/packetboatd/packetboatd')
    runs, n, n_news = (2, 2000, 20) if quick else (5, 10000, 100)
    users = [*(f'u{i}' for i in range(N_USERS)), 'big']
    with work_dir() as top, namespace('pb') as pb, namespace('dc') as dc, \
            packetboatd(pb, top / 'ours', CONF, users), \
            dovecot(dc, top / 'dovecot', users):
        servers = ((pb, OUR_ADDR, 143), (dc, '127.0.0.1', DOVECOT_PORT))
        rate = [inside(*s[:1], 'fill', *s[1:], 'big', n)[0] for s in servers]
        yield result('imap', f'APPEND of {n} messages', 'messages/s', PEER, [rate[0]],
                     [rate[1]])
        cold = [inside(s[0], 'read', *s[1:], 'big', n) for s in servers]
        yield result('imap', 'FETCH flags, envelope: first time', 's', PEER,
                     [cold[0][0]], [cold[1][0]])
        warm = [[inside(s[0], 'read', *s[1:], 'big', n) for s in servers]
                for _ in range(runs)]
        for i, case in enumerate(('FETCH flags, envelope', 'SEARCH TEXT')):
            yield result('imap', f'{case}: again', 's', PEER, [w[0][i] for w in warm],
                         [w[1][i] for w in warm])
        news = [[inside(s[0], 'idle', *s[1:], n_news) for s in servers]
                for _ in range(2 if quick else 3)]
        for i, what in enumerate(('news', 'OK', 'news after OK')):
            for p in (50, 99):
                yield result('imap', f'IDLE, 1000 sessions: {what}, p{p}', 'ms',
                             PEER, [percentile(n[0][i::3], p) for n in news],
                             [percentile(n[1][i::3], p) for n in news])


if __name__ == '__main__':
    {'fill': fill, 'read': read, 'idle': idle}[sys.argv[1]](*sys.argv[2:])
