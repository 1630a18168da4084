#!/usr/bin/env python3
"""Real mail clients against packetboatd, on the kernel's sockets and on our stack.

A network namespace for each of the two; in it packetboatd, and swaks, curl, msmtp, mpop,
fetchmail, getmail and Python's own clients deliver to it and read from it.  What is read
must be what was sent, byte for byte.  Prints `ok NAME` or `not ok NAME` for each.
"""
import os
import pathlib
import poplib
import random
import re
import shutil
import smtplib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
from real import (CLIENT_LIMIT_S, NETS, TAP, add_user, conf_of, on_both_nets, packetboatd,
                  play_clients, run)

DOMAIN = 'b.example'

CONF = """\
[smtp]
postmaster = curl
[pop3]
login_delay_ms = 100
"""

# Users, one for each client, so that none sees another's mail.
USERS = ['swaks', 'pipeline', 'curl', 'python', 'msmtp', 'fetchmail', 'getmail']

# Lines on which transparency and line limits break; every client must bring them back.
LINES = ['', '.', '..', '.leading', 'trailing dot.', ' ', '\tblank', 'From here',
         'x' * 997, 'é, 8 bits', '', '.', '']


def message(user, body=None):
    head = [f'From: sender@c.example', f'To: {user}@{DOMAIN}', f'Subject: for {user}',
            f'Message-Id: <{user}.{random.getrandbits(64):x}@c.example>',
            'MIME-Version: 1.0', 'Content-Type: text/plain; charset=utf-8',
            'Content-Transfer-Encoding: 8bit', '']
    return '\r\n'.join(head + (body or LINES)).encode() + b'\r\n'


def body_of(raw):
    """The body, with the line ends of a file."""
    raw = raw.replace(b'\r\n', b'\n')
    return raw.partition(b'\n\n')[2].rstrip(b'\n')


def same_body(got, sent):
    got, sent = body_of(got), body_of(sent)
    assert got == sent, f'read {got[:200]!r}..., sent {sent[:200]!r}...'


class Clients:
    """One method for each client; @at is where the server is, @dir a folder to use."""

    def __init__(self, at, folder):
        self.at, self.dir = at, folder

    def file(self, name, content, mode=0o600):
        path = self.dir / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(mode)
        return str(path)

    def swaks(self, user, *more, check=True):
        return run('swaks', '--server', self.at, '--helo', 'client.c.example',
                   '--from', 'sender@c.example', '--to', f'{user}@{DOMAIN}', *more,
                   check=check)

    def pop(self, user):
        pop = poplib.POP3(self.at, timeout=30)
        pop.user(user)
        pop.pass_(f'secret of {user}')
        return pop

    def test_swaks_delivers_and_poplib_reads(self):
        sent = message('swaks')
        self.swaks('swaks', '--data', '@' + self.file('swaks.eml', sent))
        pop = self.pop('swaks')
        lines = pop.retr(1)[1]
        same_body(b'\r\n'.join(lines), sent)
        head = b'\n'.join(lines[:6]).decode()
        assert head.startswith('Return-Path: <sender@c.example>\n'), head
        assert f'for <swaks@{DOMAIN}>' in head, head
        pop.dele(1)
        pop.quit()
        pop = self.pop('swaks')
        assert pop.stat() == (0, 0)
        pop.quit()

    def test_swaks_in_a_pipeline_to_three(self):
        to = ','.join(f'{u}@{DOMAIN}' for u in ('pipeline', 'swaks', 'msmtp'))
        self.swaks('pipeline', '--pipeline', '--to', to)
        for user in ('pipeline', 'swaks', 'msmtp'):
            pop = self.pop(user)
            assert len(pop.list()[1]) == 1, user
            pop.dele(1)
            pop.quit()

    def test_swaks_is_told_of_unknown_users_and_relaying(self):
        for to, code in (('nobody@' + DOMAIN, b'550 5.1.1'), ('x@c.example', b'550 5.7.1')):
            done = run('swaks', '--server', self.at, '--from', 'sender@c.example',
                       '--to', to, check=False)
            assert done.returncode == 24 and code in done.stdout, done.stdout[-500:]

    def test_curl_sends_5_mb_and_reads_them_back(self):
        block = ''.join(f'{random.getrandbits(304):076x}\r\n' for _ in range(1000))
        lines = (block * 68).split('\r\n')
        sent = message('curl', lines)
        assert len(sent) > 5 << 20
        run('curl', '-sS', f'smtp://{self.at}/client.c.example', '--mail-from',
            'sender@c.example', '--mail-rcpt', f'curl@{DOMAIN}', '-T',
            self.file('curl.eml', sent))
        got = run('curl', '-sS', f'pop3://{self.at}/1', '-u', 'curl:secret of curl').stdout
        same_body(got, sent)
        uidl = run('curl', '-sS', f'pop3://{self.at}', '-X', 'UIDL', '-u',
                   'curl:secret of curl').stdout
        assert re.fullmatch(rb'1 [0-9a-f]{16}\r\n', uidl), uidl

    def test_curl_is_refused_with_a_wrong_password(self):
        done = run('curl', '-sS', f'pop3://{self.at}/', '-u', 'curl:wrong', check=False)
        assert done.returncode == 67, done

    def test_python_sends_and_reads(self):
        sent = [message('python', [str(i)] + LINES) for i in range(20)]
        with smtplib.SMTP(self.at, timeout=30) as smtp:
            assert smtp.ehlo()[0] == 250
            assert smtp.has_extn('pipelining') and smtp.has_extn('8bitmime')
            assert smtp.esmtp_features['size'] == str(50 << 20)
            for one in sent:
                smtp.sendmail('sender@c.example', [f'python@{DOMAIN}'], one,
                              mail_options=['BODY=8BITMIME'])
            assert smtp.verify('python')[0] == 252
        pop = self.pop('python')
        assert 'TOP' in pop.capa() and 'UIDL' in pop.capa()
        assert pop.stat()[0] == len(sent)
        ids = [line.split()[1] for line in pop.uidl()[1]]
        assert len(set(ids)) == len(sent)
        for i, one in enumerate(sent, 1):
            same_body(b'\r\n'.join(pop.retr(i)[1]), one)
        assert pop.top(1, 0)[1][-1] == b''
        pop.dele(1)
        pop.rset()
        pop.dele(2)
        pop.quit()
        pop = self.pop('python')
        assert [line.split()[1] for line in pop.uidl()[1]] == ids[:1] + ids[2:]
        pop.quit()

    def test_python_finds_the_maildrop_in_use(self):
        first = self.pop('python')
        try:
            self.pop('python')
        except poplib.error_proto as error:
            assert b'[IN-USE]' in error.args[0], error
        else:
            raise AssertionError('two sessions have the maildrop')
        first.quit()

    def test_msmtp_sends_and_mpop_reads(self):
        sent = message('msmtp')
        conf = self.file('msmtprc', f'account default\nhost {self.at}\nport 25\n'
                                    'from sender@c.example\ndomain client.c.example\n')
        run('msmtp', '-C', conf, f'msmtp@{DOMAIN}', stdin=sent.replace(b'\r\n', b'\n'))
        conf = self.file('mpoprc', f'account default\nhost {self.at}\nuser msmtp\n'
                                   'password "secret of msmtp"\ntls off\nauth user\n'
                                   f'delivery mbox {self.dir}/mpop.mbox\nkeep off\n'
                                   f'uidls_file {self.dir}/mpop.uidls\n')
        run('mpop', '-C', conf)
        got = (self.dir / 'mpop.mbox').read_bytes()
        same_body(got.replace(b'\n>From ', b'\nFrom '), sent)

    def test_fetchmail_reads_and_deletes(self):
        sent = message('fetchmail')
        self.swaks('fetchmail', '--data', '@' + self.file('fetchmail.eml', sent))
        got = self.dir / 'fetchmail.got'
        conf = self.file('fetchmailrc', f'poll {self.at} protocol POP3 uidl username '
                                        'fetchmail password "secret of fetchmail" '
                                        'sslproto "" nokeep no rewrite no mimedecode '
                                        f'mda "cat >{got}"\n')
        env = dict(os.environ, FETCHMAILHOME=str(self.dir), HOME=str(self.dir))
        done = subprocess.run(['fetchmail', '-f', conf, '--nosyslog', '--nodetach', '-v'],
                              env=env, capture_output=True, timeout=CLIENT_LIMIT_S)
        assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-1500:]
        same_body(got.read_bytes(), sent)
        pop = self.pop('fetchmail')
        assert pop.stat()[0] == 0
        pop.quit()

    def test_getmail_reads_once(self):
        sent = message('getmail')
        self.swaks('getmail', '--data', '@' + self.file('getmail.eml', sent))
        own = self.dir / 'getmail'
        own.mkdir()
        (own / 'getmailrc').write_text(
            f'[retriever]\ntype = SimplePOP3Retriever\nserver = {self.at}\n'
            'username = getmail\npassword = secret of getmail\n'
            f'[destination]\ntype = Mboxrd\npath = {own}/mbox\n'
            '[options]\nread_all = false\ndelete = false\n'
            'delivered_to = false\nreceived = false\n')
        (own / 'mbox').touch()
        # It delivers nothing as root.
        for path in (own, own / 'mbox'):
            shutil.chown(path, 'nobody', 'nogroup')
        for _ in range(2):
            run('setpriv', '--reuid', 'nobody', '--regid', 'nogroup', '--clear-groups',
                'getmail', '--getmaildir', own, '--rcfile', own / 'getmailrc')
        got = (own / 'mbox').read_bytes()
        assert got.count(b'\nDelivered-To:') == 1, got
        same_body(got.replace(b'\n>From ', b'\nFrom '), sent)


def inside(net):
    """Within the namespace: all clients, one behind the other."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix='pb-mail-'))
    folder.chmod(0o711)
    conf = folder / 'packetboatd.conf'
    conf.write_text(conf_of(folder, f'mx.{DOMAIN}', net) + TAP + CONF)
    for user in USERS:
        add_user(conf, user, f'{user}@{DOMAIN}')
    failed = play_clients(net, folder, packetboatd(conf, folder, NETS[net], 25),
                          lambda _: Clients(NETS[net], folder))
    shutil.rmtree(folder)
    return failed


if __name__ == '__main__':
    sys.exit(on_both_nets(__file__, inside))
