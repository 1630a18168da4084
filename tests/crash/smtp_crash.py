#!/usr/bin/env python3
"""Usage: smtp_crash.py [KILLS [SEED]]    (5 kills; the clock)

Kills packetboatd at random moments while clients deliver and a reader deletes, starts it
again, and reads every mailbox over POP3:

    what was answered with 250 is there, once, for each recipient, byte for byte;
    what was deleted in a session whose QUIT was answered is gone, and stays gone;
    what had no answer is there for all its recipients, or for none.

Each second kill is a cut of the power: what was written and not synced is there in part,
or not at all (power.py).  Between the lives store_look goes through the store.  On the
kernel's sockets, on loopback.
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

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
from real import BUILD, conf_of

USERS = [f'user{i}' for i in range(6)]
N_CLIENTS = 8
TO_MAX = 3
LIFE_MS = (20, 800)
START_LIMIT_S = 20
IO_LIMIT_S = 60
UNKNOWN, PRESENT, ABSENT = 'unknown', 'present', 'absent'

CONF = """\
[smtp]
listen = 127.0.0.1:{smtp}
per_client_max = 1000
[pop3]
listen = 127.0.0.1:{pop3}
per_client_max = 1000
[imap]
listen = 127.0.0.1:{imap}
"""


class Mail:
    """A message: all of it follows from its number."""

    def __init__(self, seed, number):
        rng = random.Random(f'{seed}/{number}')
        self.number = number
        self.to = rng.sample(USERS, rng.choice([1, 1, 1, 2, TO_MAX]))
        lines = [f'Id: {number}', '', '.leading dot']
        for _ in range(rng.choice([1, 20, 60, 120, 1500])):
            lines.append(f'{rng.getrandbits(288):072x}')
        self.lines = lines
        self.fate = ABSENT      # what is known of its delivery
        self.deleted = {}       # and of deletions: recipient -> UNKNOWN or ABSENT

    def wire(self):
        dotted = ['.' + line if line.startswith('.') else line for line in self.lines]
        return ('\r\n'.join(dotted) + '\r\n.\r\n').encode()


class Replies:
    """The server's side of an SMTP connection."""

    def __init__(self, sock):
        self.file = sock.makefile('rb')

    def next(self):
        while True:
            line = self.file.readline()
            if not line.endswith(b'\r\n'):
                raise ConnectionError('cut off')
            if line[3:4] != b'-':
                return int(line[:3])


def free_ports(n):
    socks = [socket.socket() for _ in range(n)]
    for sock in socks:
        sock.bind(('127.0.0.1', 0))
    ports = [sock.getsockname()[1] for sock in socks]
    for sock in socks:
        sock.close()
    return ports


class Crash:
    def __init__(self, folder, seed):
        self.dir, self.seed = folder, seed
        self.rng = random.Random(seed)
        self.smtp, self.pop3, imap = free_ports(3)
        self.mails, self.lock = {}, threading.Lock()
        self.n_acked = self.n_deleted = self.n_unanswered = 0
        self.faults = []
        self.power = Power(BUILD, folder)
        self.conf = folder / 'packetboatd.conf'
        self.conf.write_text(conf_of(folder, 'mx.b.example', 'kernel') +
                             CONF.format(smtp=self.smtp, pop3=self.pop3, imap=imap))
        for user in USERS:
            subprocess.run([BUILD / 'apps/packetboat/packetboat', '-c', self.conf, 'user',
                            'add', user, f'{user}@b.example', '--password-stdin'],
                           input=b'secret\n', check=True, capture_output=True)

    def fault(self, text):
        self.faults.append(text)
        print(f'FAULT: {text}', flush=True)

    def start(self):
        with open(self.dir / 'log', 'ab') as log:
            # It never outlives this script.
            daemon = subprocess.Popen(['setpriv', '--pdeathsig', 'KILL',
                                       BUILD / 'apps/packetboatd/packetboatd', '-f',
                                       '-c', self.conf], stdout=log, stderr=log,
                                      env=self.power.env())
        end = time.monotonic() + START_LIMIT_S
        while time.monotonic() < end and daemon.poll() is None:
            with contextlib.suppress(OSError):
                socket.create_connection(('127.0.0.1', self.pop3), 1).close()
                socket.create_connection(('127.0.0.1', self.smtp), 1).close()
                return daemon
            time.sleep(0.01)
        daemon.kill()
        sys.exit('packetboatd does not start:\n' +
                 (self.dir / 'log').read_text(errors='replace')[-2000:])

    # While it lives.

    def new_mail(self):
        with self.lock:
            number = len(self.mails) + 1
            self.mails[number] = mail = Mail(self.seed, number)
        return mail

    def send_one(self, sock, replies):
        mail = self.new_mail()
        rcpts = ''.join(f'RCPT TO:<{user}@b.example>\r\n' for user in mail.to)
        sock.sendall(f'MAIL FROM:<a@c.example>\r\n{rcpts}DATA\r\n'.encode())
        codes = [replies.next() for _ in range(2 + len(mail.to))]
        if codes != [250] * (1 + len(mail.to)) + [354]:
            self.fault(f'mail {mail.number}: answered {codes}')
            raise ConnectionError('refused')
        mail.fate = UNKNOWN
        sock.sendall(mail.wire())
        code = replies.next()
        if code == 250:
            mail.fate = PRESENT
            with self.lock:
                self.n_acked += 1
        else:
            mail.fate = ABSENT
            self.fault(f'mail {mail.number}: answered {code}')

    def client(self):
        with contextlib.suppress(OSError), \
                socket.create_connection(('127.0.0.1', self.smtp), IO_LIMIT_S) as sock:
            replies = Replies(sock)
            replies.next()
            sock.sendall(b'EHLO c.example\r\n')
            replies.next()
            while True:
                self.send_one(sock, replies)

    def pop(self, user):
        pop = poplib.POP3('127.0.0.1', self.pop3, timeout=IO_LIMIT_S)
        pop.user(user)
        pop.pass_('secret')
        return pop

    def delete(self, pop, user, numbers):
        """numbers: of the message in the maildrop -> of the mail."""
        for at in numbers:
            pop.dele(at)
        for number in numbers.values():
            self.mails[number].deleted[user] = UNKNOWN
        pop.quit()
        for number in numbers.values():
            self.mails[number].deleted[user] = ABSENT
        self.n_deleted += len(numbers)

    def reader(self, user):
        """Deletes every other of the first ten messages, again and again."""
        with contextlib.suppress(OSError, EOFError, poplib.error_proto):
            while True:
                pop = self.pop(user)
                found = {}
                for at in range(1, min(pop.stat()[0], 10) + 1):
                    number = self.number_of(pop.retr(at)[1])
                    if number and at % 2:
                        found[at] = number
                self.delete(pop, user, found)

    def live_and_die(self):
        daemon = self.start()
        threads = [threading.Thread(target=self.client, daemon=True) for _ in range(N_CLIENTS)]
        threads.append(threading.Thread(target=self.reader, daemon=True,
                                        args=(self.rng.choice(USERS),)))
        for thread in threads:
            thread.start()
        time.sleep(self.rng.uniform(*LIFE_MS) / 1000)
        daemon.send_signal(signal.SIGKILL)
        if daemon.wait() != -signal.SIGKILL:
            sys.exit('packetboatd ended by itself')
        self.power.fail_or_keep(self.rng)
        for thread in threads:
            thread.join()
        look = subprocess.run([BUILD / 'tests/crash/store_look', self.dir / 'store'],
                              capture_output=True, text=True)
        if look.returncode:
            self.fault(f'store_look: {look.stdout}{look.stderr}')

    # After its death.

    @staticmethod
    def number_of(lines):
        for line in lines:
            if line.startswith(b'Id: '):
                return int(line[4:])
        return None

    def look_at_message(self, user, lines, seen):
        number = self.number_of(lines)
        mail = self.mails.get(number)
        if not mail or user not in mail.to:
            self.fault(f'{user} has mail {number}, which was not sent to them')
            return None
        if number in seen:
            self.fault(f'{user} has mail {number} twice')
        body = [line.encode() for line in mail.lines]
        if lines[-len(body):] != body or not lines[0].startswith(b'Return-Path:'):
            self.fault(f'{user} has mail {number}, but not as it was sent')
        seen.add(number)
        return number

    def look_at_mailbox(self, user):
        """The numbers of its mails, by their place in the maildrop."""
        pop, seen = self.pop(user), set()
        found = {at: self.look_at_message(user, pop.retr(at)[1], seen)
                 for at in range(1, pop.stat()[0] + 1)}
        pop.quit()
        return {at: number for at, number in found.items() if number}

    def look(self):
        daemon = self.start()
        found = {user: self.look_at_mailbox(user) for user in USERS}
        for mail in self.mails.values():
            self.settle(mail, {user: mail.number in found[user].values()
                               for user in mail.to})
        # Now and then a mailbox is emptied, so that the next looks are short.
        for user in USERS:
            if self.rng.random() < 0.3:
                self.delete(self.pop(user), user, found[user])
        daemon.terminate()
        if daemon.wait(START_LIMIT_S) != 0:
            self.fault('packetboatd does not end in order')

    def settle(self, mail, there):
        """Compares with what was answered; what was open is settled from now on."""
        for user, fate in mail.deleted.items():
            if fate == ABSENT and there[user]:
                self.fault(f'mail {mail.number} is there again for {user}')
        rest = [there[user] for user in mail.to if user not in mail.deleted]
        mail.deleted = {user: ABSENT for user in mail.deleted if not there[user]}
        if mail.fate == UNKNOWN:
            # Whoever deletes it has seen it.
            mail.fate = PRESENT if all(rest) else ABSENT
            self.n_unanswered += mail.fate == PRESENT
        for is_there in rest:
            if is_there != (mail.fate == PRESENT):
                self.fault(f'mail {mail.number} should be {mail.fate}, {there}')


def main(kills=5, seed=None):
    if not (BUILD / 'apps/packetboatd/packetboatd').exists():
        print('packetboatd is not built')
        return 77
    seed = int(seed) if seed else int(time.time())
    folder = pathlib.Path(tempfile.mkdtemp(prefix='smtp_crash.', dir='/var/tmp'))
    print(f'seed {seed}', flush=True)
    try:
        crash = Crash(folder, seed)
        for _ in range(int(kills)):
            crash.live_and_die()
            crash.look()
    finally:
        shutil.rmtree(folder)
    print(f'{kills} kills, {crash.power.n_cuts} cuts of the power, '
          f'{crash.power.n_forgotten} sectors forgotten: {crash.n_acked} deliveries and {crash.n_deleted} deletions '
          f'acknowledged, {crash.n_unanswered} more found whole; '
          f'{len(crash.faults)} faults')
    return bool(crash.faults) or crash.n_acked == 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
