#!/usr/bin/env python3
"""Usage: relay_crash.py [KILLS [SEED]]    (5 kills; the clock)

Two packetboatd, one of which relays to the other.  Clients hand messages to the first
without a pause, and at random moments the first, the second or both are killed and
started again.  At the end the spool is let run dry and every mailbox is read:

    what the first answered with 250 is at the second, byte for byte: never lost;
    at most one in a hundred is there twice: a server killed between the other's 250 and
    its own commit cannot know (RFC 5321 4.5.4.1), and sends again.

Each second kill is a cut of the power: what was written and not synced is there in part,
or not at all (power.py).
After each kill store_look goes through the store of whoever was killed.  On the kernel's
sockets, on loopback.
"""
import contextlib
import pathlib
import poplib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from power import Power
from smtp_crash import (BUILD, IO_LIMIT_S, START_LIMIT_S, Replies, conf_of,
                        free_ports)

USERS = [f'user{i}' for i in range(4)]
N_CLIENTS, PAUSE_S = 4, 0.003
LIFE_MS = (20, 600)
DRY_LIMIT_S = 120
DOUBLED_MAX = 0.01

CONF = """\
[smtp]
listen = 127.0.0.1:{smtp}
per_client_max = 1000
relay_from = 127.0.0.1
[pop3]
listen = 127.0.0.1:{pop3}
[imap]
listen = 127.0.0.1:{imap}
[queue]
retry_first_s = 1
retry_most_s = 1
warn_s = 0
[relay]
route = b.example via 127.0.0.1:{next}
down_s = 0
connect_s = 2
"""


class Server:
    def __init__(self, folder, name, ports):
        self.dir = folder / name
        self.dir.mkdir()
        self.smtp, self.pop3, imap, next_hop = ports
        self.conf, self.proc, self.power = self.dir / 'conf', None, Power(BUILD, self.dir)
        self.conf.write_text(conf_of(self.dir, f'mx.{name}.example', 'kernel') +
                             CONF.format(smtp=self.smtp, pop3=self.pop3, imap=imap,
                                         next=next_hop))

    def tool(self, *args, **kw):
        return subprocess.run([BUILD / 'apps/packetboat/packetboat', '-c', self.conf, *args],
                              check=True, capture_output=True, text=True, **kw).stdout

    def start(self):
        with open(self.dir / 'log', 'ab') as log:
            # It never outlives this script.
            self.proc = subprocess.Popen(['setpriv', '--pdeathsig', 'KILL',
                                          BUILD / 'apps/packetboatd/packetboatd', '-f',
                                          '-c', self.conf], stdout=log, stderr=log,
                                         env=self.power.env())
        end = time.monotonic() + START_LIMIT_S
        while time.monotonic() < end and self.proc.poll() is None:
            with contextlib.suppress(OSError):
                socket.create_connection(('127.0.0.1', self.smtp), 1).close()
                return
            time.sleep(0.01)
        sys.exit('packetboatd does not start:\n' +
                 (self.dir / 'log').read_text(errors='replace')[-2000:])

    def kill(self, rng, cuts=0.5):
        """@cuts: how probable it is that the power fails, too."""
        self.proc.send_signal(signal.SIGKILL)
        if self.proc.wait() != -signal.SIGKILL:
            sys.exit('packetboatd ended by itself:\n' +
                     (self.dir / 'log').read_text(errors='replace')[-2000:])
        self.power.fail_or_keep(rng, cuts)
        look = subprocess.run([BUILD / 'tests/crash/store_look', self.dir / 'store'],
                              capture_output=True, text=True)
        return look.stdout + look.stderr if look.returncode else ''

    def stop(self):
        self.proc.terminate()
        return self.proc.wait(START_LIMIT_S)


def lines_of(seed, number):
    """The body of a message: all of it follows from its number."""
    rng = random.Random(f'{seed}/{number}')
    return [f'Id: {number}', '', '.leading dot'] + [
        f'{rng.getrandbits(288):072x}' for _ in range(rng.choice([1, 20, 60, 400]))]


class Crash:
    def __init__(self, folder, seed):
        self.seed, self.rng, self.lock = seed, random.Random(seed), threading.Lock()
        ports = free_ports(6)
        self.alpha = Server(folder, 'a', (*ports[:3], ports[3]))
        self.beta = Server(folder, 'b', (*ports[3:], 9))
        for user in USERS:
            self.beta.tool('user', 'add', user, f'{user}@b.example', '--password-stdin',
                           input='secret\n')
        self.n_given = 0
        self.acked, self.seen, self.faults = set(), {}, []
        self.ended = threading.Event()

    def fault(self, text):
        self.faults.append(text)
        print(f'FAULT: {text}', flush=True)

    def send_one(self, sock, replies):
        with self.lock:
            self.n_given += 1
            number = self.n_given
        to = USERS[number % len(USERS)]
        sock.sendall(f'MAIL FROM:<>\r\nRCPT TO:<{to}@b.example>\r\nDATA\r\n'.encode())
        codes = [replies.next() for _ in range(3)]
        if codes != [250, 250, 354]:
            self.fault(f'mail {number}: answered {codes}')
            raise ConnectionError('refused')
        text = ''.join(('.' if line.startswith('.') else '') + line + '\r\n'
                       for line in lines_of(self.seed, number))
        sock.sendall(f'{text}.\r\n'.encode())
        if replies.next() == 250:
            with self.lock:
                self.acked.add(number)
        else:
            self.fault(f'mail {number}: refused')

    def client(self):
        while not self.ended.is_set():
            with contextlib.suppress(OSError), socket.create_connection(
                    ('127.0.0.1', self.alpha.smtp), IO_LIMIT_S) as sock:
                replies = Replies(sock)
                replies.next()
                sock.sendall(b'EHLO c.example\r\n')
                replies.next()
                while not self.ended.is_set():
                    self.send_one(sock, replies)
                    time.sleep(PAUSE_S)
            time.sleep(0.02)

    def kill_some(self):
        time.sleep(self.rng.uniform(*LIFE_MS) / 1000)
        victims = self.rng.choice([[self.alpha], [self.beta], [self.alpha, self.beta]])
        for server in victims:
            said = server.kill(self.rng)
            if said:
                self.fault(f'store_look: {said}')
        for server in victims:
            server.start()

    def run_dry(self):
        """Waits until nothing is left in the spool."""
        end = time.monotonic() + DRY_LIMIT_S
        while len(self.alpha.tool('queue', 'list').splitlines()) > 1:
            if time.monotonic() > end:
                self.fault('the spool does not run dry')
                return
            time.sleep(0.2)

    def look_at(self, user, lines):
        number = next((int(line[4:]) for line in lines if line.startswith(b'Id: ')), None)
        body = [line.encode() for line in lines_of(self.seed, number)]
        if lines[-len(body):] != body:
            self.fault(f'{user} has mail {number}, but not as it was sent')
        if USERS[number % len(USERS)] != user:
            self.fault(f'{user} has mail {number}, which was not for them')
        self.seen[number] = self.seen.get(number, 0) + 1

    def look(self):
        for user in USERS:
            pop = poplib.POP3('127.0.0.1', self.beta.pop3, timeout=IO_LIMIT_S)
            pop.user(user)
            pop.pass_('secret')
            for at in range(1, pop.stat()[0] + 1):
                self.look_at(user, pop.retr(at)[1])
                pop.dele(at)
            pop.quit()

    def run(self, kills):
        self.alpha.start()
        self.beta.start()
        threads = [threading.Thread(target=self.client, daemon=True)
                   for _ in range(N_CLIENTS)]
        for thread in threads:
            thread.start()
        for i in range(kills):
            self.kill_some()
            if i % 20 == 19:
                self.look()     # so that no mailbox gets long
        self.ended.set()
        for thread in threads:
            thread.join()
        self.run_dry()
        self.look()
        for server in (self.alpha, self.beta):
            if server.stop() != 0:
                self.fault('packetboatd does not end in order')

    def judge(self):
        lost = self.acked - set(self.seen)
        doubled = [number for number, n in self.seen.items() if n > 1]
        if lost:
            self.fault(f'lost: {sorted(lost)[:20]}')
        if len(doubled) > DOUBLED_MAX * len(self.seen):
            self.fault(f'doubled: {sorted(doubled)[:20]}')
        return len(lost), len(doubled)


def main(kills=5, seed=None):
    if not (BUILD / 'apps/packetboatd/packetboatd').exists():
        print('packetboatd is not built')
        return 77
    kills, seed = int(kills), int(seed) if seed else int(time.time())
    folder = pathlib.Path(tempfile.mkdtemp(prefix='relay_crash.', dir='/var/tmp'))
    print(f'seed {seed}', flush=True)
    try:
        crash = Crash(folder, seed)
        crash.run(kills)
        n_lost, n_doubled = crash.judge()
    finally:
        shutil.rmtree(folder)
    powers = crash.alpha.power, crash.beta.power
    print(f'{kills} kills, {sum(p.n_cuts for p in powers)} cuts of the power, '
          f'{sum(p.n_forgotten for p in powers)} sectors forgotten: '
          f'{len(crash.acked)} messages acknowledged, {n_lost} lost, {n_doubled} doubled, '
          f'{len(set(crash.seen) - crash.acked)} more found; {len(crash.faults)} faults')
    return bool(crash.faults) or not crash.acked


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
