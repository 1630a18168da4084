#!/usr/bin/env python3
"""Aliases, lists, users who moved, and mail that is called for: two packetboatd on the
kernel's network, a.example at 127.0.13.1 and b.example at 127.0.13.2."""
import ctypes
import os
import pathlib
import re
import select
import shutil
import smtplib
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
from real import DAEMON, TOOL, add_user, cases_of, conf_of, one, play, sh, take_mail, wait

CONF = """\
[smtp]
listen = {addr}:2525
aliases = {dir}/aliases
hops_max = 20
{smtp}
[pop3]
listen = {addr}:2110
login_delay_ms = 0
[imap]
listen = {addr}:2143
[queue]
retry_first_s = 600
{queue}
[odmr]
{odmr}
[relay]
down_s = 1
{relay}
[dns]
servers = 127.0.13.99
"""

ALIASES_A = """\
# who gets what
sales@a.example: alice, bob@a.example
list dev@a.example owner owner@a.example: alice, carol@b.example, gone@b.example
owner@a.example: bob
moved smith@a.example 251: smith@b.example
moved jones@a.example 551: jones@b.example
one@a.example: two@a.example
two@a.example: one@a.example
round@a.example: round@b.example
list both@a.example owner owner@a.example: back1@b.example, back2@b.example
"""


CLONE_NEWUTS = 0x4000000


def take_name():
    """This process has a whole name: fetchmail would look for the rest of it."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUTS):
        raise OSError(ctypes.get_errno(), 'unshare')
    socket.sethostname('mx.b.example')


def carry(one_end, other_end):
    """All that is said between the two, until one of them ends."""
    while True:
        for end in select.select([one_end, other_end], [], [], 20)[0]:
            said = end.recv(65536)
            if not said:
                return
            (other_end if end is one_end else one_end).sendall(said)


class Server:
    def __init__(self, folder, name, addr, users, aliases, smtp='', relay='',
                 queue='', odmr=''):
        self.addr, self.dir, self.proc = addr, folder / name, None
        self.dir.mkdir()
        self.conf = self.dir / 'conf'
        self.conf.write_text(conf_of(self.dir, f'mx.{name}.example', 'kernel') + CONF.format(
            dir=self.dir, addr=addr, smtp=smtp, relay=relay, queue=queue, odmr=odmr))
        self.aliases(aliases)
        for user in users:
            add_user(self.conf, user, f'{user}@{name}.example', password='secret')

    def aliases(self, text):
        new = self.dir / 'aliases.new'
        new.write_text(text)
        new.rename(self.dir / 'aliases')

    def start(self):
        log = open(self.dir / 'log', 'ab')
        self.proc = subprocess.Popen([DAEMON, '-f', '-c', self.conf], stdout=log,
                                     stderr=log)
        wait(lambda: (self.dir / 'pid').exists(), 'packetboatd to start')

    def stop(self):
        if self.proc and self.proc.poll() is None:
            self.proc.terminate()
            assert self.proc.wait(30) == 0, 'did not end in order'
            self.proc = None

    def stat(self, name):
        return int(sh(TOOL, '-c', self.conf, 'stat', name).splitlines()[1].split()[1])

    def queue(self):
        return sh(TOOL, '-c', self.conf, 'queue', 'list').splitlines()[1:]

    def show(self, i):
        item = self.queue()[i].split()[0]
        return sh(TOOL, '-c', self.conf, 'queue', 'show', item)

    def retry(self, what):
        return subprocess.run([TOOL, '-c', self.conf, 'queue', 'retry', what], text=True,
                              capture_output=True)

    def smtp(self):
        smtp = smtplib.SMTP(self.addr, 2525, timeout=20, local_hostname='us.example')
        smtp.ehlo()
        return smtp

    def send(self, sender, to, subject):
        with self.smtp() as smtp:
            smtp.sendmail(sender, to, f'Subject: {subject}\n\nHello.\n')

    def mail(self, user):
        return take_mail(self.addr, user, 2110)

    def gets(self, user, *parts):
        return one(wait(lambda: self.mail(user), f'mail for {user}'), *parts)


class Tests:
    def __init__(self, folder):
        self.a = Server(folder, 'a', '127.0.13.1', ['alice', 'bob'], ALIASES_A,
                        smtp='vrfy = yes\nexpn = yes\nauth = yes',
                        relay='route = b.example via 127.0.13.2:2525, e.example waits',
                        queue='etrn = b.example',
                        odmr='listen = 127.0.13.1:2366\n'
                             + ''.join(f'give = {name}.example to bee\n'
                                       for name in ['d', *range(16), 'e']))
        add_user(self.a.conf, 'bee', 'bee@a.example', '--in-clear', password='honey')
        self.b = Server(folder, 'b', '127.0.13.2', ['carol', 'smith'],
                        'round@b.example: round@a.example\n'
                        'back1@b.example: both@a.example\n'
                        'back2@b.example: both@a.example\n',
                        relay='route = a.example via 127.0.13.1:2525',
                        odmr='listen = none\ngive = f.example to wasp')
        add_user(self.b.conf, 'dora', 'dora@d.example', 'dora@e.example',
                 password='secret')

    def an_alias_reaches_two_users_with_its_sender(self):
        self.a.send('x@c.example', ['sales@a.example'], 'one')
        for user in ('alice', 'bob'):
            self.a.gets(user, 'Return-Path: <x@c.example>',
                        'Delivered-To: sales@a.example', 'Subject: one')

    def a_list_reaches_all_and_what_fails_its_owner(self):
        self.a.send('x@c.example', ['dev@a.example'], 'two')
        for server, user in ((self.a, 'alice'), (self.b, 'carol')):
            text = server.gets(user, 'Return-Path: <owner@a.example>', 'Subject: two')
            assert 'x@c.example' not in text, text
        self.a.gets('bob', 'Return-Path: <>', 'Delivered-To: owner@a.example',
                    'Final-Recipient: rfc822; gone@b.example', 'Status: 5.1.1')

    def who_moved_is_forwarded_to(self):
        with self.a.smtp() as smtp:
            smtp.mail('x@c.example')
            answer = smtp.rcpt('smith@a.example')
            assert answer == (251, b'2.1.5 User not local; will forward to '
                                   b'<smith@b.example>'), answer
            assert smtp.data('Subject: three\r\n\r\n')[0] == 250
        self.b.gets('smith', 'Return-Path: <x@c.example>', 'Subject: three')

    def who_moved_away_is_refused_with_the_new_path(self):
        with self.a.smtp() as smtp:
            smtp.mail('x@c.example')
            answer = smtp.rcpt('jones@a.example')
            assert answer == (551, b'5.1.6 User not local; please try '
                                   b'<jones@b.example>'), answer

    def a_loop_of_aliases_is_refused(self):
        with self.a.smtp() as smtp:
            smtp.mail('x@c.example')
            answer = smtp.rcpt('one@a.example')
            assert answer[0] == 550 and answer[1].startswith(b'5.4.6'), answer

    def a_loop_through_another_host_ends_in_a_bounce(self):
        self.a.send('alice@a.example', ['round@a.example'], 'four')
        self.a.gets('alice', 'Return-Path: <>', '554 5.4.6', 'Subject: four')
        wait(lambda: not self.a.queue() and not self.b.queue(), 'empty queues')
        assert self.a.stat('smtp.loops') + self.b.stat('smtp.loops') == 1

    def a_list_that_comes_back_twice_does_not_multiply(self):
        before = self.a.stat('smtp.messages') + self.b.stat('smtp.messages')
        self.a.send('bob@a.example', ['both@a.example'], 'eight')
        wait(lambda: len(self.a.mail('bob')) or None, 'the bounces')
        wait(lambda: not self.a.queue() and not self.b.queue(), 'empty queues')
        after = self.a.stat('smtp.messages') + self.b.stat('smtp.messages')
        assert after - before == 3, after - before      # itself, and what came twice to b

    def _fetchmail(self, lines):
        rc = self.a.dir / 'fetchmailrc'
        rc.write_text(lines)
        rc.chmod(0o600)
        return subprocess.run(['fetchmail', '-v', '-f', str(rc), '--pidfile',
                               str(self.a.dir / 'fetchmail.pid')], text=True,
                              capture_output=True, timeout=60,
                              preexec_fn=take_name,
                              env={**os.environ, 'HOME': str(self.a.dir)})

    def fetchmail_calls_for_mail_that_waits(self):
        self.b.stop()
        self.a.send('x@c.example', ['smith@a.example'], 'seven')
        wait(lambda: self.a.queue() and int(self.a.queue()[0].split()[5]) > 0,
             'an attempt')
        self.b.start()
        done = self.a.retry('misspelt.example')
        assert done.returncode == 1 and 'nothing waits for it that is not held' in done.stderr, done
        assert self.b.mail('smith') == [] and len(self.a.queue()) == 1
        got = self._fetchmail('poll 127.0.13.1 protocol ETRN port 2525 '
                             'fetchdomains b.example none.example\n')
        assert '253 2.0.0 OK, 1 pending messages for node b.example' in got.stdout, got
        assert '459 4.7.1 Node none.example' in got.stdout, got
        self.b.gets('smith', 'Subject: seven')
        wait(lambda: not self.a.queue(), 'the queue to be empty')

    def a_domain_is_retried_in_letters_of_any_case(self):
        self.b.stop()
        self.a.send('x@c.example', ['smith@a.example'], 'eight')
        wait(lambda: self.a.queue() and int(self.a.queue()[0].split()[5]) > 0,
             'an attempt')
        self.b.start()
        assert self.a.retry('B.Example').returncode == 0
        self.b.gets('smith', 'Subject: eight')
        wait(lambda: not self.a.queue(), 'the queue to be empty')

    def the_list_of_users_tells_whose_password_is_in_clear(self):
        rows = sh(TOOL, '-c', self.a.conf, 'user', 'list').splitlines()[1:]
        assert {row.split()[0]: row.split()[1] for row in rows} == {
            'alice': 'yes', 'bob': 'yes', 'bee': 'clear'}, rows

    def a_customer_who_is_no_user_is_in_the_log(self):
        said = 'odmr refused=yes domain=f.example why="no user: wasp"'
        assert said in (self.b.dir / 'log').read_text()

    def fetchmail_takes_mail_for_its_domains_by_odmr(self):
        for domain in 'd.example', 'e.example', 'd.example':
            self.a.send('x@c.example', [f'dora@{domain}'], f'for {domain}')
        # What comes for a destination that is put off is put off with it.
        wait(lambda: [row.split()[6][-1] for row in self.a.queue()] == 3 * ['s'],
             'all to be put off')
        assert re.search('next attempt +[0-9]+s\n', self.a.show(2)), self.a.show(2)
        poll = ('poll 127.0.13.1 protocol ODMR port 2366 user bee '
                'smtphost 127.0.13.2/2525 fetchdomains {} password {}\n')
        got = self._fetchmail(poll.format('d.example b.example', 'honey'))
        assert '450 4.7.1' in got.stdout, got
        got = self._fetchmail(poll.format('d.example', 'wrong'))
        assert '535 5.7.8' in got.stdout, got
        assert len(self.a.queue()) == 3
        got = self._fetchmail(poll.format('d.example', 'honey'))
        assert got.returncode == 0 and 'Turnaround now' in got.stdout, got
        wait(lambda: len(self.a.queue()) == 1, 'two to be gone')
        texts = self.b.mail('dora')
        assert ['Subject: for d.example' in text for text in texts] == 2 * [True], texts
        got = self._fetchmail(poll.format('d.example', 'honey'))
        assert '453 4.0.0 You have no mail' in got.stdout, got

    def who_is_known_takes_mail_by_turn(self):
        with self.a.smtp() as smtp, \
                socket.create_connection((self.b.addr, 2525), 20) as server:
            assert smtp.docmd('TURN')[0] == 502
            smtp.login('bee', 'honey')
            assert smtp.docmd('TURN')[0] == 250
            carry(smtp.sock, server)
            smtp.close()
        self.b.gets('dora', 'Subject: for e.example')
        wait(lambda: not self.a.queue(), 'the queue to be empty')
        assert self.a.stat('smtp.turned') == 2

    def vrfy_and_expn_tell(self):
        with self.a.smtp() as smtp:
            assert smtp.verify('alice@a.example') == (250, b'2.1.5 <alice@a.example>')
            assert smtp.verify('smith@a.example')[0] == 251
            assert smtp.verify('jones@a.example')[0] == 551
            assert smtp.verify('nobody@a.example')[0] == 550
            code, text = smtp.expn('sales@a.example')
            assert (code, text.split(b'\n')) == (250, [b'2.1.5 <alice@a.example>',
                                                       b'2.1.5 <bob@a.example>']), text
        with self.b.smtp() as smtp:
            assert smtp.verify('carol@b.example')[0] == 252
            assert smtp.expn('round@b.example')[0] == 502

    def a_new_file_is_taken_and_a_wrong_one_is_not(self):
        self.a.aliases(ALIASES_A + 'new@a.example: alice\n')
        wait(lambda: self.a.stat('aliases.loaded') == 1, 'the new file')
        self.a.send('x@c.example', ['new@a.example'], 'five')
        self.a.gets('alice', 'Subject: five')
        self.a.aliases(ALIASES_A + 'wrong\n')
        wait(lambda: self.a.stat('aliases.refused') == 1, 'the wrong file')
        assert ':11: no colon' in (self.a.dir / 'log').read_text()
        self.a.send('x@c.example', ['new@a.example'], 'six')
        self.a.gets('alice', 'Subject: six')
        check = subprocess.run([DAEMON, '--check', '-c', self.a.conf],
                               capture_output=True, text=True)
        assert check.returncode and ':11: no colon' in check.stderr, check


def main():
    if os.geteuid() != 0:
        print('needs root')
        return 77
    if not shutil.which('fetchmail'):
        print('needs fetchmail')
        return 77
    if not DAEMON.exists():
        print('packetboatd is not built')
        return 77
    with tempfile.TemporaryDirectory(prefix='forward.', dir='/var/tmp') as folder:
        tests, failed = Tests(pathlib.Path(folder)), True
        try:
            tests.a.start()
            tests.b.start()
            failed = play(cases_of(tests))
            tests.a.stop()
            tests.b.stop()
        finally:
            for server in (tests.a, tests.b):
                if server.proc and server.proc.poll() is None:
                    server.proc.kill()
                    server.proc.wait()
                if failed:
                    print((server.dir / 'log').read_text()[-3000:])
    return failed


if __name__ == '__main__':
    sys.exit(main())
