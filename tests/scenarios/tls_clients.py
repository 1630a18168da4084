#!/usr/bin/env python3
"""Real mail clients in TLS, with logins, on the kernel's sockets and on our stack.

swaks, curl, msmtp, mpop, OpenSSL's s_client and Python's own clients submit and read, by
STARTTLS and on the ports that begin with TLS, by PLAIN, LOGIN and SCRAM-SHA-256; the certificate
is checked.  Prints `ok NAME` or `not ok NAME` for each.
"""
import imaplib
import pathlib
import poplib
import shutil
import signal
import smtplib
import socket
import ssl
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
from real import (DAEMON, NETS, TAP, TOOL, add_user, conf_of, on_both_nets, packetboatd,
                  play_clients, run)

HOST = 'mx.b.example'
# Where mail for others goes: the host's end, seen from either net.
SINKS = {'kernel': '127.0.0.1', 'stack': '192.0.2.1'}
SINK_PORT = 2525
TELL_LIMIT_S = 20

CONF = """\
[tls]
cert = {dir}/cert.pem
key = {dir}/key.pem
[smtp]
postmaster = alice
login_delay_ms = 100
[pop3]
login_delay_ms = 100
[relay]
route = * via {sink}:{port}
"""


class Sink(threading.Thread):
    """Another host that takes one message, and says whether it came in TLS."""

    def __init__(self, at, folder):
        super().__init__(daemon=True)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / 'cert.pem', folder / 'key.pem')
        self.listener = socket.create_server((at, SINK_PORT))
        self.secure, self.lines = False, []

    def run(self):
        conn, _ = self.listener.accept()
        conn.sendall(b'220 sink\r\n')
        file, in_data = conn.makefile('rb'), False
        while line := file.readline().rstrip(b'\r\n').decode():
            self.lines.append(line)
            if line == 'STARTTLS':
                conn.sendall(b'220 go\r\n')
                conn = self.context.wrap_socket(conn, server_side=True)
                self.secure, file = True, conn.makefile('rb')
            elif line.startswith('EHLO'):
                conn.sendall(b'250-sink\r\n250 STARTTLS\r\n')
            elif line == 'DATA':
                conn.sendall(b'354 go\r\n')
                while (text := file.readline()) not in (b'.\r\n', b''):
                    self.lines.append(text.rstrip(b'\r\n').decode())
                conn.sendall(b'250 stored\r\n')
            elif line == 'QUIT':
                conn.sendall(b'221 bye\r\n')
                break
            else:
                conn.sendall(b'250 ok\r\n')
        conn.close()


class Clients:
    """One method for each client; @at is where the server is, @dir a folder to use."""

    def __init__(self, net, folder, daemon):
        self.net, self.at, self.dir, self.daemon = net, NETS[net], folder, daemon
        self.ca = str(folder / 'cert.pem')
        self.context = ssl.create_default_context(cafile=self.ca)

    def tool(self, *args):
        return run(TOOL, '-c', self.dir / 'conf', *args)

    def stat(self):
        lines = self.tool('stat').stdout.decode().splitlines()
        return {words[0]: words[1] for words in map(str.split, lines) if len(words) > 1}

    def secure(self, sock):
        return self.context.wrap_socket(sock, server_hostname=HOST)

    def text(self, subject):
        return f'From: alice@b.example\r\nSubject: {subject}\r\n\r\nText.\r\n'

    def pop(self):
        pop = poplib.POP3(self.at, timeout=30)
        pop.stls(self.named())
        return pop

    def named(self):
        """A context that looks for the server's name, whatever address it has."""
        context = ssl.create_default_context(cafile=self.ca)
        wrap = context.wrap_socket
        context.wrap_socket = lambda sock, server_hostname=None, **more: wrap(
            sock, server_hostname=HOST, **more)
        return context

    def last_of_bob(self):
        pop = self.pop()
        pop.user('bob')
        pop.pass_('secret of bob')
        lines = pop.retr(pop.stat()[0])[1]
        pop.quit()
        return b'\n'.join(lines).decode()

    def arrived(self, subject, how):
        text = self.last_of_bob()
        assert f'\nSubject: {subject}\n' in text and f' with {how} id ' in text, text

    def swaks(self, subject, *more):
        run('swaks', '--server', self.at, '--from', 'alice@b.example', '--to',
            'bob@b.example', '--auth-user', 'alice', '--auth-password',
            'secret of alice', '--header', f'Subject: {subject}', *more)
        self.arrived(subject, 'ESMTPSA')

    def test_swaks_submits_by_starttls_and_plain(self):
        self.swaks('plain', '--port', '587', '--tls', '--auth', 'PLAIN')

    def test_swaks_submits_by_starttls_and_login(self):
        self.swaks('login', '--port', '587', '--tls', '--auth', 'LOGIN')

    def test_swaks_submits_at_465(self):
        self.swaks('smtps', '--port', '465', '--tls-on-connect', '--auth', 'PLAIN')

    def msmtp(self, subject, *more):
        run('msmtp', f'--host={HOST}', '--auth=scram-sha-256', '--user=alice',
            '--passwordeval=echo secret of alice', '--from=alice@b.example', *more,
            'bob@b.example', stdin=f'Subject: {subject}\n\nhi\n'.encode())

    def test_msmtp_submits_by_scram(self):
        self.msmtp('scram', '--port=587', '--tls=on', f'--tls-trust-file={self.ca}')
        self.arrived('scram', 'ESMTPSA')

    def test_msmtp_submits_by_scram_in_clear(self):
        self.msmtp('clear', '--port=587', '--tls=off')
        self.arrived('clear', 'ESMTPA')

    def test_mpop_reads_by_scram(self):
        for tls in (['--tls=on', f'--tls-trust-file={self.ca}'], ['--tls=off']):
            own = pathlib.Path(tempfile.mkdtemp(dir=self.dir))
            run('mpop', f'--host={HOST}', '--auth=scram-sha-256', '--user=bob',
                '--passwordeval=echo secret of bob', '--keep=on', *tls,
                f'--delivery=mbox,{own}/mbox', f'--uidls-file={own}/uidls')
            assert b'Text' in (own / 'mbox').read_bytes() or b'hi' in (
                own / 'mbox').read_bytes()

    def curl(self, url, user, *more):
        return run('curl', '-sS', '--cacert', self.ca, '--ssl-reqd', '-u',
                   f'{user}:secret of {user}', url.replace('//', f'//{HOST}', 1),
                   *more).stdout

    def test_curl_submits_at_both_ports(self):
        file = self.dir / 'curl.eml'
        for url, subject in (('smtp://:587', 'curl587'), ('smtps://:465', 'curl465')):
            file.write_text(self.text(subject))
            self.curl(url, 'alice', '--mail-from', 'alice@b.example', '--mail-rcpt',
                      'bob@b.example', '-T', file)
            self.arrived(subject, 'ESMTPSA')

    def test_curl_reads_at_all_ports(self):
        self.swaks('to read', '--port', '587', '--tls', '--auth', 'PLAIN')
        for url in ('pop3://:110/1', 'pop3s://:995/1'):
            assert b'Delivered-To: bob@b.example' in self.curl(url, 'bob'), url
        for url in ('imap://:143/', 'imaps://:993/'):
            assert b'INBOX' in self.curl(url, 'bob'), url

    def test_python_submits_to_another_host_in_tls(self):
        sink = Sink(SINKS[self.net], self.dir)
        sink.start()
        smtp = smtplib.SMTP(self.at, 587, timeout=30)
        smtp.starttls(context=self.named())
        smtp.login('alice', 'secret of alice')
        smtp.sendmail('alice@b.example', ['x@other.example'], self.text('relay'))
        smtp.quit()
        sink.join(TELL_LIMIT_S)
        assert sink.secure and 'Subject: relay' in sink.lines, sink.lines
        for field in ('Date: ', 'Message-ID: '):
            assert any(line.startswith(field) for line in sink.lines), sink.lines
        assert int(self.stat()['relay.tls_sessions']) == 1

    def test_python_reads_by_imap_and_pop3(self):
        for imap in (imaplib.IMAP4(self.at, timeout=30), None):
            if imap:
                imap.starttls(self.named())
            else:
                imap = imaplib.IMAP4_SSL(self.at, ssl_context=self.named(), timeout=30)
            imap.authenticate('PLAIN', lambda _: b'\0bob\0secret of bob')
            assert imap.select()[0] == 'OK'
            assert b'Subject' in imap.fetch('1', '(RFC822)')[1][0][1]
            imap.logout()
        pop = poplib.POP3_SSL(self.at, context=self.named(), timeout=30)
        pop.user('bob')
        pop.pass_('secret of bob')
        assert pop.stat()[0] > 0
        pop.quit()

    def test_passwords_are_not_taken_in_clear(self):
        pop = poplib.POP3(self.at, timeout=30)
        imap = imaplib.IMAP4(self.at, timeout=30)
        smtp = smtplib.SMTP(self.at, 587, timeout=30)
        for login in (lambda: pop.user('bob'), lambda: imap.login('bob', 'x'),
                      lambda: smtp.login('alice', 'secret of alice')):
            try:
                login()
            except (poplib.error_proto, imaplib.IMAP4.error, smtplib.SMTPException):
                continue
            raise AssertionError('it was taken')
        assert 'LOGINDISABLED' in imap.capabilities
        assert smtp.mail('alice@b.example')[0] == 530
        assert smtp.docmd('AUTH', 'PLAIN AGEAYg==')[0] == 538
        smtp.quit()

    def test_users_are_nobody_else(self):
        smtp = smtplib.SMTP_SSL(self.at, 465, context=self.named(), timeout=30)
        smtp.login('alice', 'secret of alice')
        assert smtp.mail('bob@b.example')[0] == 553
        assert smtp.mail('alice@b.example')[0] == 250
        smtp.quit()
        for user in ('alice', 'nobody'):
            smtp = smtplib.SMTP_SSL(self.at, 465, context=self.named(), timeout=30)
            try:
                smtp.login(user, 'secret of bob')
                raise AssertionError('it was right')
            except smtplib.SMTPAuthenticationError as error:
                assert error.smtp_code == 535
            smtp.close()

    def s_client(self, port, *more):
        done = run('openssl', 's_client', '-connect', f'{self.at}:{port}', '-CAfile',
                   self.ca, '-servername', HOST, '-verify_hostname', HOST,
                   '-verify_return_error', *more, stdin=b'', check=False)
        return done.returncode == 0 and b'Verify return code: 0 (ok)' in done.stdout

    def test_openssl_connects_everywhere_and_not_with_tls_1_1(self):
        for port, protocol in ((25, 'smtp'), (587, 'smtp'), (110, 'pop3'), (143, 'imap'),
                               (465, None), (995, None), (993, None)):
            start = ['-starttls', protocol] if protocol else []
            for version in ('-tls1_2', '-tls1_3'):
                assert self.s_client(port, *start, version), (port, version)
            assert not self.s_client(port, *start, '-tls1_1', '-cipher',
                                     'DEFAULT@SECLEVEL=0'), port

    def test_what_comes_in_clear_behind_starttls_is_thrown_away(self):
        for port, hello, start, noop, answer in (
                (587, b'EHLO c\r\n', b'STARTTLS\r\n', b'NOOP\r\n', b'250 2.0.0 Ok\r\n'),
                (110, b'', b'STLS\r\n', b'STAT\r\n', b'-ERR Log in first\r\n'),
                (143, b'', b'a STARTTLS\r\n', b'b NOOP\r\n', b'b OK Done\r\n')):
            sock = socket.create_connection((self.at, port), 30)
            file = sock.makefile('rb')
            file.readline()
            sock.sendall(hello)
            while hello and file.readline()[3:4] != b' ':
                pass
            sock.sendall(start + b'x LOGOUT\r\nQUIT\r\n')
            file.readline()
            tls = self.secure(sock)
            tls.sendall(noop)
            heard = tls.recv(1000)
            assert heard == answer, heard
            tls.close()

    def fingerprint(self):
        sock = socket.create_connection((self.at, 993), 30)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with context.wrap_socket(sock) as tls:
            return tls.getpeercert(True)

    def hang_up(self, word):
        before = (self.dir / 'log').read_text().count(word)
        self.daemon.send_signal(signal.SIGHUP)
        end = time.monotonic() + TELL_LIMIT_S
        while (self.dir / 'log').read_text().count(word) == before:
            assert time.monotonic() < end, f'no {word}'
            time.sleep(0.05)

    def test_z_a_new_certificate_is_taken_and_a_wrong_one_is_not(self):
        old, pop = self.fingerprint(), self.pop()
        for name in ('cert.pem', 'key.pem'):
            (self.dir / name).unlink()
        self.tool('tls', 'self-signed')
        self.hang_up('tls loaded=yes')
        new = self.fingerprint()
        assert new != old
        (self.dir / 'key.pem').write_text('no key')
        self.hang_up('tls refused=yes')
        assert self.fingerprint() == new
        # Who was there before noticed nothing.
        pop.user('bob')
        pop.pass_('secret of bob')
        pop.quit()
        stat = self.stat()
        for name in ('smtp.tls_sessions', 'pop3.tls_sessions', 'imap.tls_sessions',
                     'smtp.tls_failures', 'smtp.logins', 'smtp.login_failures',
                     'smtp.not_owned', 'smtp.strangers', 'auth.right', 'auth.wrong'):
            assert int(stat[name]) > 0, name


def inside(net):
    """Within the namespace: all clients, one behind the other."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix='pb-tls-'))
    hosts, conf = folder / 'hosts', folder / 'conf'
    hosts.write_text(f'127.0.0.1 localhost\n{NETS[net]} {HOST}\n')
    conf.write_text(conf_of(folder, 'mx.b.example', net) + TAP + CONF.format(
        dir=folder, sink=SINKS[net], port=SINK_PORT))
    run(TOOL, '-c', conf, 'tls', 'self-signed')
    for user in ('alice', 'bob'):
        add_user(conf, user, f'{user}@b.example')
    run(DAEMON, '--check', '-c', conf)
    run('mount', '--bind', hosts, '/etc/hosts')
    failed = play_clients(net, folder, packetboatd(conf, folder, NETS[net], 993),
                          lambda daemon: Clients(net, folder, daemon))
    run('umount', '/etc/hosts')
    shutil.rmtree(folder)
    return failed


if __name__ == '__main__':
    sys.exit(on_both_nets(__file__, inside))
