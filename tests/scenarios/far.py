#!/usr/bin/env python3
"""Far users: a point-to-point link of 56 kbit/s, 150 ms each way and 2 % loss to the server.

    alice, bob  ----- tun:, a slow and bad wire -----  mx.b.example (packetboatd)
    192.0.2.1                                          192.0.2.2, our stack

S3  alice submits with TLS and AUTH, by pbmail and by smtplib; the link drops in the middle
    of DATA and comes back: nothing is lost, nothing doubled.
S4  bob reads by POP3 and IMAP with TLS, by pbmail too; IDLE tells him of a message, and he
    downloads it.
Everything is in a network namespace of its own.
"""
import contextlib
import imaplib
import json
import os
import pathlib
import poplib
import shutil
import smtplib
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
from real import (DAEMON, PBMAIL, TOOL, add_user, cases_of, conf_of, enter, play, sh,
                  wait_for_start)

NS, HERE, THERE = f'pb-far-{os.getpid()}', '192.0.2.1', '192.0.2.2'
HOST, LIMIT_S = 'mx.b.example', 120
WIRE = 'rate=56k,delay=150ms,loss=2%,queue=16000'
USERS = ('alice', 'bob')

CONF = """\
[stack]
port = fault:{wire}:tun:pb0
addr = {there}/24
host_addr = {here}/24
[tls]
cert = {dir}/cert.pem
key = {dir}/key.pem
"""


ACCOUNT = """\
from = {user}@b.example
user = {user}
password = secret of {user}
ca = {dir}/cert.pem
[smtp]
host = {host}
[{box}]
host = {host}
tls = tls
"""


def text_of(name, n_lines):
    """A message of so many lines, the same each time for one name."""
    lines = ''.join(f'{name} line {i} {i * 7919 % 10007:05d} of a long letter\r\n'
                    for i in range(n_lines))
    return (f'From: alice@b.example\r\nTo: bob@b.example\r\nSubject: {name}\r\n'
            f'Message-ID: <{name}@b.example>\r\n'
            f'Date: Tue, 24 Nov 2026 12:00:00 +0000\r\n\r\n{lines}')


class Server:
    def __init__(self, folder):
        self.dir = folder
        self.conf = folder / 'conf'
        self.conf.write_text(conf_of(folder, HOST) + CONF.format(
            dir=folder, wire=WIRE, there=THERE, here=HERE))

    def tool(self, *args, **kw):
        return sh(TOOL, '-c', self.conf, *args, **kw)

    def __enter__(self):
        for user in USERS:
            add_user(self.conf, user, f'{user}@b.example')
        self.tool('tls', 'self-signed', HOST)
        self.proc = subprocess.Popen(['ip', 'netns', 'exec', NS, DAEMON, '-f', '-c',
                                      self.conf])
        wait_for_start(self.dir, self.proc)
        return self

    def __exit__(self, *_):
        self.proc.terminate()
        self.proc.wait(timeout=LIMIT_S)

    def trust(self):
        """Believes this certificate and no other; the name is checked."""
        return ssl.create_default_context(cafile=self.dir / 'cert.pem')

    def counter(self, name):
        [found] = json.loads(self.tool('stat', '--json', name))
        return found['value']


def link(state):
    sh('ip', '-n', NS, 'link', 'set', 'pb0', state)


class Submission(smtplib.SMTP):
    """To the server's name, at its address."""

    def _get_socket(self, host, port, timeout):
        return super()._get_socket(THERE, port, timeout)


def submit(server, text):
    """As a user agent does: again, when the connection broke before the answer."""
    with contextlib.closing(Submission(HOST, 587, timeout=LIMIT_S)) as smtp:
        smtp.starttls(context=server.trust())
        smtp.login('alice', 'secret of alice')
        smtp.sendmail('alice@b.example', ['bob@b.example'], text)
        smtp.quit()


class Pop(poplib.POP3_SSL):
    def _create_socket(self, timeout):
        self.host, name = THERE, self.host
        sock = poplib.POP3._create_socket(self, timeout)
        self.host = name
        return self.context.wrap_socket(sock, server_hostname=name)


class Imap(imaplib.IMAP4_SSL):
    def _create_socket(self, timeout):
        self.host, name = THERE, self.host
        sock = imaplib.IMAP4._create_socket(self, timeout)
        self.host = name
        return self.ssl_context.wrap_socket(sock, server_hostname=name)


def mailbox(server):
    """bob's messages by POP3: subject -> text."""
    pop = Pop(HOST, 995, timeout=LIMIT_S, context=server.trust())
    pop.user('bob')
    pop.pass_('secret of bob')
    found = {}
    for i in range(1, len(pop.list()[1]) + 1):
        text = '\r\n'.join(line.decode() for line in pop.retr(i)[1]) + '\r\n'
        subject = text.split('Subject: ')[1].split('\r\n')[0]
        assert subject not in found, f'{subject} came twice'
        found[subject] = text
    pop.quit()
    return found


def same(got, sent):
    """Behind the trace fields that the server puts in front."""
    assert got.endswith(sent), f'{got[:300]} ... is not {sent[:300]}'


class Tests:
    def __init__(self, server):
        self.server = server

    def _pbmail(self, user, box, *args, **kw):
        account = self.server.dir / f'{user}.{box}'
        account.write_text(ACCOUNT.format(user=user, box=box, dir=self.server.dir, host=HOST))
        account.chmod(0o600)
        return sh('ip', 'netns', 'exec', NS, PBMAIL, '-A', account, *args, **kw)

    def s3_a_letter_is_submitted_with_tls_and_auth(self):
        submit(self.server, text_of('first', 50))
        same(mailbox(self.server)['first'], text_of('first', 50))

    def s3_the_link_drops_in_the_middle_of_data_and_comes_back(self):
        text = text_of('dropped', 1000)
        before = self.server.counter('smtp.messages')
        sender = threading.Thread(target=submit, args=(self.server, text))
        sender.start()
        until = time.monotonic() + LIMIT_S
        while self.server.counter('smtp.messages_open') == 0:   # in DATA
            assert sender.is_alive() and time.monotonic() < until
            time.sleep(0.05)
        time.sleep(1)
        link('down')
        time.sleep(5)
        assert sender.is_alive(), 'it was over too soon to prove anything'
        link('up')
        sender.join(LIMIT_S)
        assert not sender.is_alive(), 'it never ended'
        assert self.server.counter('smtp.messages') == before + 1
        found = mailbox(self.server)
        assert sorted(found) == ['dropped', 'first']
        same(found['dropped'], text)

    def s3_pbmail_sends_and_s4_pbmail_reads(self):
        text, part = 'Grüße von weit her.\n', os.urandom(3000)
        sent, got = self.server.dir / 'part.bin', self.server.dir / 'got.bin'
        sent.write_bytes(part)
        self._pbmail('alice', 'imap', 'send', '-t', 'bob@b.example', '-s', 'Grüße', '-a',
                     sent, input=text)
        for box in ('imap', 'pop3'):
            n = self._pbmail('bob', box, 'list').splitlines()[-1].split()[0]
            assert text.strip() in self._pbmail('bob', box, 'read', n)
        self._pbmail('bob', 'imap', 'save', n, '2', got)
        assert got.read_bytes() == part

    def s4_bob_lists_and_fetches_by_imap(self):
        imap = Imap(HOST, 993, ssl_context=self.server.trust(), timeout=LIMIT_S)
        imap.login('bob', 'secret of bob')
        assert imap.select('INBOX') == ('OK', [b'3'])
        got = imap.uid('FETCH', '1', '(BODY.PEEK[])')[1][0][1].decode()
        same(got, text_of('first', 50))
        imap.logout()

    def s4_idle_tells_him_and_he_downloads(self):
        imap = Imap(HOST, 993, ssl_context=self.server.trust(), timeout=LIMIT_S)
        imap.login('bob', 'secret of bob')
        imap.select('INBOX')
        imap.send(b'i IDLE\r\n')
        assert imap.readline().startswith(b'+ ')
        sender = threading.Thread(target=submit,
                                  args=(self.server, text_of('news', 30)))
        sender.start()
        while b' EXISTS' not in (line := imap.readline()):
            assert line, 'hung up'
        n = line.split()[1].decode()
        imap.send(b'DONE\r\n')
        while not imap.readline().startswith(b'i OK'):
            pass
        same(imap.fetch(n, '(BODY[])')[1][0][1].decode(), text_of('news', 30))
        sender.join(LIMIT_S)
        imap.logout()

    def s4_pbmail_deletes_what_it_is_told_and_nothing_else(self):
        imap = Imap(HOST, 993, ssl_context=self.server.trust(), timeout=LIMIT_S)
        imap.login('bob', 'secret of bob')
        n = int(imap.select('INBOX')[1][0])
        imap.store('1', '+FLAGS', r'(\Deleted)')    # and thinks again
        self._pbmail('bob', 'imap', 'delete', '2')
        assert imap.select('INBOX') == ('OK', [b'%d' % (n - 1)])
        assert b'\\Deleted' in imap.fetch('1', '(FLAGS)')[1][0]
        imap.logout()

    def the_wire_was_bad_indeed(self):
        assert self.server.counter('port.fault_lost') > 0


def main():
    if os.geteuid() != 0:
        print('needs root, for namespaces and TUN')
        return 77
    folder = pathlib.Path(tempfile.mkdtemp(prefix='pb-far-'))
    names = pathlib.Path('/etc/netns') / NS
    names.mkdir(parents=True)
    (names / 'hosts').write_text(f'{THERE} {HOST}\n')
    sh('ip', 'netns', 'add', NS)
    try:
        sh('ip', '-n', NS, 'link', 'set', 'lo', 'up')
        with Server(folder) as server:
            enter(NS)
            failed = play(cases_of(Tests(server)))
    finally:
        sh('ip', 'netns', 'del', NS)
        shutil.rmtree(names)
        shutil.rmtree(folder)
    return failed


if __name__ == '__main__':
    sys.exit(main())
