#!/usr/bin/env python3
"""Real IMAP clients against packetboatd, on the kernel's sockets and on our stack.

A network namespace for each of the two; in it packetboatd, and Python's imaplib, curl,
mbsync, offlineimap and mutt work with one user each.  Prints `ok NAME` or `not ok NAME` for each.
"""
import imaplib
import pathlib
import re
import shutil
import smtplib
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
from real import NETS, TAP, add_user, conf_of, on_both_nets, packetboatd, play_clients, run

DOMAIN = 'b.example'
N_SYNC = 1000       # messages that mbsync brings over
N_MANY = 2000       # messages in one mailbox

CONF = """\
[imap]
login_delay_ms = 100
"""

USERS = ['imaplib', 'curl', 'mbsync', 'idle', 'many', 'offline', 'mutt']

MBSYNC = """\
IMAPStore far
Host {at}
Port 143
User mbsync
Pass "secret of mbsync"
SSLType None
AuthMechs PLAIN

MaildirStore near
Path {dir}/maildir/
Inbox {dir}/maildir/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
SyncState *
"""


OFFLINEIMAP = """\
[general]
accounts = all
metadata = {dir}/offlineimap
[Account all]
localrepository = near
remoterepository = far
[Repository near]
type = Maildir
localfolders = {dir}/offline
[Repository far]
type = IMAP
remotehost = {at}
remoteport = 143
remoteuser = offline
remotepass = secret of offline
ssl = no
starttls = no
"""

# It reads the first message, files it, and leaves.
MUTT = """\
set imap_user = mutt
set imap_pass = "secret of mutt"
set folder = imap://{at}/
set ssl_starttls = no
set ssl_force_tls = no
set wait_key = no
set confirmcreate = no
set confirmappend = no
set delete = yes
set quit = yes
set mail_check = 1
set header_cache = {dir}/muttcache
push "<pipe-message>cat > {dir}/mutt.eml<enter><save-message>=filed<enter><sync-mailbox><quit>"
"""


def message(i, body='text'):
    return (f'From: "Sender {i}" <s{i}@c.example>\r\nTo: you@{DOMAIN}\r\n'
            f'Subject: number {i}\r\nMessage-Id: <{i}@c.example>\r\n'
            f'Date: Mon, 7 Feb 1994 21:52:25 -0800\r\n\r\n{body} {i}\r\n').encode()


class Clients:
    """One method for each client; @at is where the server is, @dir a folder to use."""

    def __init__(self, at, folder):
        self.at, self.dir = at, folder

    def login(self, user):
        imap = imaplib.IMAP4(self.at, timeout=60)
        imap.login(user, f'secret of {user}')
        return imap

    def deliver(self, user, *messages):
        with smtplib.SMTP(self.at, timeout=30) as smtp:
            for m in messages:
                smtp.sendmail('s@c.example', [f'{user}@{DOMAIN}'], m)

    def test_imaplib_does_its_normal_work(self):
        def good(answer):
            assert answer[0] == 'OK', answer
            return answer[1]

        imap = self.login('imaplib')
        assert 'UIDPLUS' in imap.capabilities or good(imap.capability())
        self.deliver('imaplib', message(1), message(2))
        assert good(imap.select('INBOX')) == [b'2']
        assert good(imap.search(None, 'TEXT', '"number 2"')) == [b'2']
        data = good(imap.fetch('1:2', '(FLAGS ENVELOPE BODYSTRUCTURE)'))
        assert b'"number 1"' in data[0] and b'"Sender 2"' in data[1], data
        got = good(imap.fetch('1', '(BODY[])'))[0][1]
        assert got.endswith(message(1)), got
        assert b'\\Seen' in good(imap.fetch('1', '(FLAGS)'))[0]
        good(imap.create('a/b'))
        good(imap.subscribe('a/b'))
        assert any(b'a/b' in line for line in good(imap.list()))
        assert good(imap.lsub())[0].endswith(b'a/b')
        good(imap.append('a/b', r'(\Flagged $Label)', None, message(3)))
        good(imap.copy('1:2', 'a/b'))
        assert good(imap.status('a/b', '(MESSAGES UNSEEN)')) == \
            [b'a/b (MESSAGES 3 UNSEEN 2)']
        good(imap.store('1', '+FLAGS', r'(\Deleted)'))
        assert good(imap.expunge()) == [b'1']
        good(imap.uid('MOVE', '2', 'a/b'))
        good(imap.rename('a', 'c'))
        assert good(imap.select('c/b')) == [b'4']
        assert good(imap.search(None, 'FLAGGED', 'KEYWORD', '$Label')) == [b'1']
        good(imap.close())
        good(imap.delete('c/b'))
        imap.logout()

    def test_imaplib_is_told_of_a_wrong_password(self):
        imap = imaplib.IMAP4(self.at, timeout=60)
        try:
            imap.login('imaplib', 'wrong')
        except imaplib.IMAP4.error as error:
            assert 'AUTHENTICATIONFAILED' in str(error), error
        else:
            raise AssertionError('it was let in')
        imap.shutdown()

    def test_imaplib_idles_until_mail_comes(self):
        imap = self.login('idle')
        imap.select('INBOX')
        imap.send(b'x1 IDLE\r\n')
        assert imap.readline().startswith(b'+ ')
        sender = threading.Thread(target=self.deliver, args=('idle', message(1)))
        sender.start()
        assert imap.readline() == b'* 1 EXISTS\r\n'
        assert imap.readline() == b'* 1 RECENT\r\n'
        sender.join()
        imap.send(b'DONE\r\n')
        assert imap.readline().startswith(b'x1 OK')
        imap.shutdown()

    def test_curl_lists_fetches_and_appends_5_mb(self):
        auth = ('-u', 'curl:secret of curl')
        body = ''.join(f'{i:070}\r\n' for i in range(70000))
        sent = self.dir / 'big.eml'
        sent.write_bytes(message(1, body))
        run('curl', '-sS', f'imap://{self.at}/INBOX', *auth, '-T', sent)
        got = run('curl', '-sS', f'imap://{self.at}/INBOX;MAILINDEX=1', *auth).stdout
        assert got == sent.read_bytes(), f'{len(got)} octets came back'
        listed = run('curl', '-sS', f'imap://{self.at}/', *auth).stdout
        assert b'INBOX' in listed, listed
        found = run('curl', '-sS', f'imap://{self.at}/INBOX?SUBJECT%20number', *auth).stdout
        assert found.strip() == b'* SEARCH 1', found
        done = run('curl', '-sS', f'imap://{self.at}/', '-u', 'curl:wrong', check=False)
        assert done.returncode == 67, done.returncode

    def test_imaplib_reads_two_thousand_envelopes(self):
        imap = self.login('many')
        self.deliver('many', *(message(i) for i in range(N_MANY // 16)))
        imap.select('INBOX')
        for _ in range(4):
            imap.copy('1:*', 'INBOX')
            imap.noop()
        for _ in range(2):      # made, then from the store
            data = imap.fetch('1:*', '(FLAGS ENVELOPE)')[1]
            assert len(data) == N_MANY and b'"number 124"' in data[-1], data[-1]
        found = imap.search(None, 'TEXT', '"text 124"')[1]
        assert len(found[0].split()) == 16, found
        imap.logout()

    def mbsync(self):
        done = run('mbsync', '-c', self.rc, '-V', 'all')
        return (done.stdout + done.stderr).decode(errors='replace')

    def files(self):
        return len([f for f in (self.dir / 'maildir').rglob('*')
                    if f.parent.name in ('cur', 'new')])

    def test_mbsync_syncs_both_ways_and_then_moves_nothing(self):
        (self.dir / 'maildir').mkdir()
        self.rc = str(self.dir / 'mbsyncrc')
        pathlib.Path(self.rc).write_text(MBSYNC.format(at=self.at, dir=self.dir))
        imap = self.login('mbsync')
        imap.create('lists/c')
        self.deliver('mbsync', *(message(i) for i in range(N_SYNC)))
        imap.select('INBOX')
        imap.store('2:500', '+FLAGS', r'(\Seen)')
        imap.uid('MOVE', '100:200', 'lists/c')
        self.mbsync()
        assert self.files() == N_SYNC, self.files()
        # One more here, one more there, one deleted there.
        near = self.dir / 'maildir/INBOX/cur/1.x.here:2,S'
        near.write_bytes(message('near').replace(b'\r\n', b'\n'))
        imap.append('lists/c', None, None, message('far'))
        imap.select('INBOX')
        imap.store('1', '+FLAGS', r'(\Deleted)')
        imap.expunge()
        self.mbsync()
        assert self.files() == N_SYNC + 1, self.files()
        assert imap.search(None, 'SUBJECT', 'near')[1] != [b''], self.files()
        before = {f: f.stat().st_mtime_ns for f in (self.dir / 'maildir').rglob('*')
                  if f.parent.name in ('cur', 'new')}
        said = self.mbsync()
        after = {f: f.stat().st_mtime_ns for f in (self.dir / 'maildir').rglob('*')
                 if f.parent.name in ('cur', 'new')}
        assert before == after, said[-1000:]
        assert not re.search(r'(pulling|pushing|copying) \d', said.lower()), said[-1000:]
        imap.logout()

    def test_offlineimap_brings_mail_over_and_flags_and_mail_back(self):
        def sync():
            run('offlineimap', '-o', '-u', 'basic', '-c', rc)
            return sorted((self.dir / 'offline').rglob('*:2,*'))

        rc = self.dir / 'offlineimaprc'
        rc.write_text(OFFLINEIMAP.format(at=self.at, dir=self.dir))
        imap = self.login('offline')
        imap.create('lists/c')
        self.deliver('offline', *(message(i) for i in range(20)))
        here = sync()
        assert len(here) == 20, here
        here[0].rename(f'{here[0]}S')
        new = self.dir / 'offline/lists.c/new/1.x.here'
        new.write_bytes(message('near').replace(b'\r\n', b'\n'))
        assert len(sync()) == 21
        imap.select('INBOX')
        assert len(imap.search(None, 'SEEN')[1][0].split()) == 1
        assert imap.select('lists/c') == ('OK', [b'1'])
        imap.logout()

    def test_mutt_reads_a_message_and_files_it(self):
        rc = self.dir / 'muttrc'
        rc.write_text(MUTT.format(at=self.at, dir=self.dir))
        self.deliver('mutt', message(1), message(2))
        run('env', 'TERM=vt100', 'script', '-qec', f'mutt -n -F {rc} -f imap://{self.at}/INBOX', '/dev/null')
        text = (self.dir / 'mutt.eml').read_bytes()
        assert text.endswith(message(1).replace(b'\r\n', b'\n')), text
        imap = self.login('mutt')
        assert imap.select('filed') == ('OK', [b'1'])
        assert b'number 1' in imap.fetch('1', '(ENVELOPE)')[1][0]
        assert imap.select('INBOX') == ('OK', [b'1'])
        imap.logout()


def inside(net):
    """Within the namespace: all clients, one behind the other."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix='pb-imap-'))
    conf = folder / 'packetboatd.conf'
    conf.write_text(conf_of(folder, f'mx.{DOMAIN}', net) + TAP + CONF)
    for user in USERS:
        add_user(conf, user, f'{user}@{DOMAIN}')
    failed = play_clients(net, folder, packetboatd(conf, folder, NETS[net], 143),
                          lambda _: Clients(NETS[net], folder))
    shutil.rmtree(folder)
    return failed


if __name__ == '__main__':
    sys.exit(on_both_nets(__file__, inside))
