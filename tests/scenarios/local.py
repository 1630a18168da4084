#!/usr/bin/env python3
"""S1: two users on one server.

    alice -- pbmail send --> smtp  packetboatd  imap <-- pbmail read -- bob
                             (local sockets; nobody has a network)

alice sends bob text in UTF-8 and a file; he lists, reads and saves it, answers and files.
carol, who is a user too, sees nothing of it, neither by the sockets nor by the store's
files, and may not write as alice; mallory, who is none, is turned away.  The system
accounts are made here, with names of this test's own, and removed; every process runs
in a network namespace without a network.
"""
import contextlib
import email
import email.policy
import imaplib
import os
import pathlib
import pty
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
from real import DAEMON, PBMAIL, add_user, conf_of, play, wait_for_start

LIMIT_S, DOMAIN = 60, 'b.example'
EX_USAGE, EX_DATAERR, EX_NOINPUT, EX_NOUSER = 64, 65, 66, 67
EX_CANTCREAT, EX_NOPERM = 73, 77
ALICE, BOB, CAROL, MALLORY = (f'pb{os.getpid() % 100000}{c}' for c in 'abcm')
USERS = (ALICE, BOB, CAROL)

ACCOUNT = """\
from = {user}@{domain}
name = {name}
[smtp]
host = {dir}/smtp
[imap]
host = {dir}/imap
"""

TEXT = 'Grüße aus Köln, 北京 und Θεσσαλονίκη.\n\n' + 'Ein langes Wort folgt dem anderen. ' * 20
BYTES = bytes(range(256)) * 500


class Refused(Exception):
    def __init__(self, done):
        super().__init__(f'{done.returncode}: {done.stderr}')
        self.status, self.says = done.returncode, done.stderr


class Host:
    """The machine: a folder that all may enter, system accounts, and the server."""

    def __init__(self, folder):
        self.dir = folder
        folder.chmod(0o755)
        (folder / 'conf').write_text(conf_of(folder, f'mx.{DOMAIN}', 'kernel'))

    def __enter__(self):
        for user in (*USERS, MALLORY):
            subprocess.run(['useradd', '-M', '-N', '-s', '/bin/sh', user], check=True)
            self.give(user, f'{user}.account', ACCOUNT.format(
                user=user, domain=DOMAIN, dir=self.dir, name='Åsa Ünal').encode())
            home = self.dir / f'{user}.home'
            home.mkdir()
            shutil.chown(home, user)
        for user in USERS:
            add_user(self.dir / 'conf', user, f'{user}@{DOMAIN}')
        self.proc = subprocess.Popen(['unshare', '-n', DAEMON, '-f', '-c',
                                      self.dir / 'conf'])
        wait_for_start(self.dir, self.proc)
        return self

    def __exit__(self, *_):
        if hasattr(self, 'proc'):
            self.proc.terminate()
            self.proc.wait(timeout=LIMIT_S)

    def give(self, user, name, data):
        path = self.dir / name
        path.write_bytes(data)
        path.chmod(0o600)
        shutil.chown(path, user)
        return path

    def run(self, user, *args, **kw):
        return subprocess.run(
            ['unshare', '-n', 'runuser', '-u', user, '--', *map(str, args)],
            cwd=self.dir / f'{user}.home', capture_output=True, timeout=LIMIT_S, **kw)

    def pbmail(self, user, *args, text=''):
        done = self.run(user, PBMAIL, '-A', self.dir / f'{user}.account', *args,
                        input=text, text=True)
        if done.returncode:
            raise Refused(done)
        return done.stdout

    def refused(self, status, user, *args, text=''):
        try:
            self.pbmail(user, *args, text=text)
        except Refused as why:
            assert why.status == status, why
            return why.says
        raise AssertionError(f'{args} was not refused')

    def raw(self, user, n):
        """Message n as it is in the mailbox, by bob's own IMAP."""
        bridge = ('import os, socket, sys, threading\n'
                  's = socket.socket(socket.AF_UNIX)\n'
                  's.connect(sys.argv[1])\n'
                  'def up():\n'
                  '    while b := os.read(0, 65536): s.sendall(b)\n'
                  '    s.shutdown(1)\n'
                  'threading.Thread(target=up, daemon=True).start()\n'
                  'while b := s.recv(65536): os.write(1, b)\n')
        (self.dir / 'bridge.py').write_text(bridge)
        imap = imaplib.IMAP4_stream(f'unshare -n runuser -u {user} -- python3 '
                                    f'{self.dir}/bridge.py {self.dir}/imap')
        assert imap.state == 'AUTH', imap.state     # PREAUTH
        imap.select('INBOX', readonly=True)
        data = imap.fetch(str(n), '(BODY.PEEK[])')[1][0][1]
        imap.logout()
        return data


def alice_sends(host):
    host.give(ALICE, 'Übersicht.bin', BYTES)
    host.pbmail(ALICE, 'send', '-t', f'Bøb <{BOB}@{DOMAIN}>', '-s', 'Schöne Grüße 🚢',
                '-a', host.dir / 'Übersicht.bin', text=TEXT)


def bob_lists(host):
    out = host.pbmail(BOB, 'list')
    assert 'Schöne Grüße 🚢' in out and 'Åsa Ünal' in out and ' N ' in out, out


def bob_reads(host):
    out = host.pbmail(BOB, 'read', 1)
    assert TEXT.split('\n')[0] in out and 'Übersicht.bin' in out and '[2: ' in out, out
    assert ' N ' not in host.pbmail(BOB, 'list')


def on_terminal(host, user, *args, where, text=b''):
    """What the program writes there, which is a terminal of 50 columns."""
    main, side = pty.openpty()
    subprocess.run(['stty', 'cols', '50'], stdin=side, check=True)
    proc = subprocess.Popen(
        ['unshare', '-n', 'runuser', '-u', user, '--', PBMAIL, '-A',
         host.dir / f'{user}.account', *map(str, args)], stdin=subprocess.PIPE,
        **{where: side})
    os.close(side)
    proc.stdin.write(text)
    proc.stdin.close()
    out = b''
    with contextlib.suppress(OSError):      # the terminal is gone
        while piece := os.read(main, 65536):
            out += piece
    os.close(main)
    assert proc.wait(timeout=LIMIT_S) == 0, out
    return out.decode()


def bob_reads_on_a_terminal(host):
    """Lines as wide as it, and no wider."""
    out = on_terminal(host, BOB, 'read', 1, where='stdout')
    body = out.split('\r\n\r\n', 1)[1]
    assert 'Ein langes Wort' in body
    assert max(map(len, body.split('\r\n'))) <= 50, body


def a_bar_shows_how_much_left(host):
    """Of a long transfer, on a terminal: from the first percent to the last."""
    big = host.give(ALICE, 'big', BYTES * 60)
    out = on_terminal(host, ALICE, 'send', '-t', CAROL, '-a', big, where='stderr')
    percent = [int(p) for p in re.findall(r'(\d+)%', out)]
    assert percent == sorted(percent) and percent[-1] == 100 and len(percent) > 2, out
    host.pbmail(CAROL, 'delete', 1)


def bob_saves_the_file(host):
    home = host.dir / f'{BOB}.home'
    host.pbmail(BOB, 'save', 1, 2)
    assert (home / 'Übersicht.bin').read_bytes() == BYTES
    host.refused(EX_CANTCREAT, BOB, 'save', 1, 2)       # it is never overwritten
    host.pbmail(BOB, 'save', 1, 2, 'other')
    assert (home / 'other').read_bytes() == BYTES
    host.refused(EX_DATAERR, BOB, 'save', 1, 3)


def python_finds_no_defects(host):
    message = email.message_from_bytes(host.raw(BOB, 1), policy=email.policy.default)
    defects = [d for part in message.walk() for d in part.defects]
    assert not defects, defects
    assert message['subject'] == 'Schöne Grüße 🚢', message['subject']
    assert message['to'].addresses[0].display_name == 'Bøb'
    text, data = message.iter_parts()
    assert text.get_content().replace('\r\n', '\n') == TEXT
    assert data.get_content() == BYTES and data.get_filename() == 'Übersicht.bin'
    assert host.raw(BOB, 1).isascii()
    assert b'Received: from ' in host.raw(BOB, 1) and b'(uid:' in host.raw(BOB, 1)


def bob_answers(host):
    host.pbmail(BOB, 'reply', 1, text='Danke!\n')
    out = host.pbmail(ALICE, 'read', 1)
    assert 'Subject: Re: Schöne Grüße 🚢' in out and 'Danke!' in out, out
    got = email.message_from_bytes(host.raw(ALICE, 1), policy=email.policy.default)
    was = email.message_from_bytes(host.raw(BOB, 1), policy=email.policy.default)
    assert got['in-reply-to'] == got['references'] == was['message-id']


def bob_forwards(host):
    host.pbmail(BOB, 'forward', 1, '-t', ALICE, text='Sieh mal.\n')
    got = email.message_from_bytes(host.raw(ALICE, 2), policy=email.policy.default)
    inner = list(got.iter_parts())[1].get_content()
    assert inner['subject'] == 'Schöne Grüße 🚢' and got['subject'].startswith('Fwd: ')


def a_long_letter_comes_in_pieces(host):
    host.pbmail(ALICE, 'send', '-t', BOB, '-s', 'Teile', '--partial', 20000, '-a',
                host.dir / 'Übersicht.bin', text=TEXT)
    numbers = [line.split()[0] for line in host.pbmail(BOB, 'list').splitlines()]
    assert len(numbers) > 5, numbers
    host.pbmail(BOB, 'save', numbers[-1], 2, 'joined')
    assert (host.dir / f'{BOB}.home/joined').read_bytes() == BYTES
    host.pbmail(BOB, 'delete', *numbers[1:])
    assert len(host.pbmail(BOB, 'list').splitlines()) == 1


def bob_files(host):
    host.pbmail(BOB, 'mailbox', 'create', 'Entwürfe')
    host.pbmail(BOB, 'mailbox', 'rename', 'Entwürfe', 'Briefe/Köln')
    assert 'Briefe/Köln' in host.pbmail(BOB, 'mailbox', 'list').splitlines()
    host.refused(EX_CANTCREAT, BOB, 'move', 1, 'nowhere')
    host.pbmail(BOB, 'move', 1, 'Briefe/Köln')
    assert host.pbmail(BOB, 'list') == ''
    assert 'Schöne' in host.pbmail(BOB, 'list', 'Briefe/Köln')
    host.pbmail(BOB, '-m', 'Briefe/Köln', 'delete', 1)
    host.pbmail(BOB, 'mailbox', 'delete', 'Briefe/Köln')


def carol_sees_nothing(host):
    alice_sends(host)
    assert host.pbmail(CAROL, 'list') == ''
    assert host.pbmail(CAROL, 'mailbox', 'list').split() == ['INBOX']
    for path in [host.dir / 'store', *(host.dir / 'store').iterdir()]:
        done = host.run(CAROL, 'cat' if path.is_file() else 'ls', path)
        assert done.returncode and not done.stdout, path
    host.refused(EX_NOPERM, CAROL, '-f', f'{ALICE}@{DOMAIN}', 'send', '-t', BOB, text='x')
    host.refused(EX_NOPERM, MALLORY, 'list')
    host.refused(EX_NOPERM, MALLORY, 'send', '-t', f'{BOB}@{DOMAIN}', text='x')


def who_is_refused_is_told_once(host):
    """A sender that is none of hers, whatever the recipients; a recipient; and who is none."""
    says = host.refused(EX_NOPERM, ALICE, '-f', f'{BOB}@{DOMAIN}', 'send', '-t', BOB, '-c',
                        CAROL, text='x')
    assert says == f'pbmail: {BOB}@{DOMAIN}: That is not an address of yours\n', says
    says = host.refused(EX_NOUSER, ALICE, 'send', '-t', BOB, '-c', 'nobody', text='x')
    assert says == f'pbmail: nobody@{DOMAIN}: No such user here\n', says
    says = host.refused(EX_NOPERM, MALLORY, 'send', '-t', f'{BOB}@{DOMAIN}', text='x')
    assert says == f'pbmail: {host.dir}/smtp: You are no user here\n', says


def mistakes_have_their_status(host):
    host.refused(EX_USAGE, ALICE, 'send', '-t', BOB, *['-a', 'file'] * 101, text='x')
    host.refused(EX_NOUSER, ALICE, 'send', '-t', f'nobody@{DOMAIN}', text='x')
    host.refused(EX_USAGE, ALICE, 'send', text='x')
    host.refused(EX_USAGE, ALICE, 'dance')
    host.refused(EX_DATAERR, BOB, 'read', 99)
    host.refused(EX_NOINPUT, BOB, 'list', 'nowhere')
    host.refused(EX_NOINPUT, BOB, 'mailbox', 'rename', 'nowhere', 'somewhere')
    host.refused(EX_NOINPUT, ALICE, 'send', '-t', BOB, '-a', 'nothing', text='x')
    host.refused(EX_CANTCREAT, BOB, 'mailbox', 'create', 'INBOX')
    host.refused(EX_DATAERR, ALICE, 'send', '-t', 'a b c', text='x')
    (host.dir / f'{ALICE}.account').chmod(0o644)
    host.refused(EX_NOPERM, ALICE, 'list')
    (host.dir / f'{ALICE}.account').chmod(0o600)


CASES = [alice_sends, bob_lists, bob_reads, bob_reads_on_a_terminal, bob_saves_the_file,
         python_finds_no_defects, bob_answers, bob_forwards, a_bar_shows_how_much_left,
         a_long_letter_comes_in_pieces, bob_files, carol_sees_nothing,
         who_is_refused_is_told_once, mistakes_have_their_status]


def main():
    if os.geteuid() != 0:
        print('needs root for system accounts and network namespaces')
        return 77
    folder = pathlib.Path(tempfile.mkdtemp(prefix='pb-local-'))
    try:
        with Host(folder) as host:
            failed = play(CASES, host)
    finally:
        for user in (*USERS, MALLORY):
            subprocess.run(['userdel', user], stderr=subprocess.DEVNULL, check=False)
        shutil.rmtree(folder)
    return failed


sys.exit(main())
