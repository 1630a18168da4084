#!/usr/bin/env python3
"""Two servers, each with its own stack, on one Ethernet with a name server between; and
each of them beside Debian's Postfix.

    alpha.example  packetboatd  192.0.2.10  --+
    beta.example   packetboatd  192.0.2.20  --+-- bridge --  192.0.2.1, dnsmasq and us
    gamma.example  Postfix      192.0.2.30  --+

In IPv6 they are 2001:db8::10 and so on.  smith@alpha sends; jones and brown are at beta, green is nobody.  Every server is in a
namespace of its own, with a private configuration.
"""
import os
import pathlib
import pwd
import shutil
import smtplib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
from real import (DAEMON, TOOL, WAIT_S, add_user, cases_of, conf_of, enter, one, play, run,
                  sh, take_mail, wait)

MID, ADDR = 'mid', {'alpha': '192.0.2.10', 'beta': '192.0.2.20', 'gamma': '192.0.2.30'}
ADDR6 = {'alpha': '2001:db8::10', 'beta': '2001:db8::20', 'gamma': '2001:db8::30'}
US, US6 = '192.0.2.1', '2001:db8::1'
BLACK_HOLE = '2001:db8:dead::1'     # we are the way to it, and no router
PREFIX = f'pb-relay-{os.getpid()}-'

OURS = """\
[stack]
port = packet:eth0
addr = {addr}/24
addr6 = {addr6}/64
gateway6 = {us6}
probe_addr = no
[smtp]
relay_from = {us}, {us6}
[pop3]
login_delay_ms = 0
[queue]
retry_first_s = 2
retry_most_s = 4
[relay]
down_s = 1
connect_s = 5
[dns]
servers = {us}
"""

MAIN_CF = """\
compatibility_level = 3.6
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
queue_directory = {dir}/spool
data_directory = {dir}/data
mail_owner = postfix
maillog_file = /var/log/postfix-{ns}.log
maillog_file_prefixes = /var
myhostname = mx.gamma.example
mydestination =
mynetworks = {us}, [{us6}]
inet_interfaces = {addr}, {addr6}
inet_protocols = all
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = gamma.example, six.example, hole.example
virtual_mailbox_maps = inline:{{ jones@gamma.example=jones/, smith@gamma.example=smith/,
    jones@six.example=jones/, jones@hole.example=jones/ }}
virtual_mailbox_base = {dir}/mail
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
smtpd_discard_ehlo_keywords = 8bitmime
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
minimal_backoff_time = 2s
queue_run_delay = 2s
"""


def ns(name):
    return PREFIX + name


class Lan:
    """A bridge, and a cable from it to each server's namespace."""

    def __enter__(self):
        for name in (MID, *ADDR):
            sh('ip', 'netns', 'add', ns(name))
            sh('ip', '-n', ns(name), 'link', 'set', 'lo', 'up')
        sh('ip', '-n', ns(MID), 'link', 'add', 'br0', 'type', 'bridge')
        sh('ip', '-n', ns(MID), 'addr', 'add', f'{US}/24', 'dev', 'br0')
        sh('ip', '-n', ns(MID), 'addr', 'add', f'{US6}/64', 'dev', 'br0', 'nodad')
        sh('ip', '-n', ns(MID), 'link', 'set', 'br0', 'up')
        for name in ADDR:
            sh('ip', '-n', ns(MID), 'link', 'add', name, 'type', 'veth', 'peer', 'name',
               'eth0', 'netns', ns(name))
            sh('ip', '-n', ns(MID), 'link', 'set', name, 'master', 'br0', 'up')
            sh('ip', '-n', ns(name), 'link', 'set', 'eth0', 'up')
        sh('ip', '-n', ns('gamma'), 'addr', 'add', f'{ADDR["gamma"]}/24', 'dev', 'eth0')
        sh('ip', '-n', ns('gamma'), 'addr', 'add', f'{ADDR6["gamma"]}/64', 'dev', 'eth0',
           'nodad')
        return self

    def __exit__(self, *_):
        for name in (MID, *ADDR):
            subprocess.run(['ip', 'netns', 'del', ns(name)], capture_output=True)


class Dns:
    def __init__(self, folder):
        lines = ['no-resolv', 'no-hosts', 'bind-interfaces', f'listen-address={US}',
                 'local=/example/', 'user=root', 'pid-file=', 'local-ttl=1']
        for name, addr in ADDR.items():
            lines += [f'mx-host={name}.example,mx.{name}.example,10',
                      f'host-record=mx.{name}.example,{addr}']
        # The first of two hosts is nowhere; then one without MX.
        lines += ['mx-host=two.example,nowhere.two.example,5',
                  'mx-host=two.example,mx.beta.example,10',
                  'host-record=nowhere.two.example,192.0.2.99',
                  f'host-record=implicit.example,{ADDR["beta"]}']
        # Hosts of IPv6 alone, and one that answers by IPv4 only.
        for name, addrs in {'six': ADDR6['gamma'], 'beta6': ADDR6['beta'],
                            'hole': f'{ADDR["gamma"]},{BLACK_HOLE}'}.items():
            lines += [f'mx-host={name}.example,mx.{name}.example,10',
                      f'host-record=mx.{name}.example,{addrs}']
        conf = folder / 'dnsmasq.conf'
        conf.write_text('\n'.join(lines) + '\n')
        self.proc = subprocess.Popen(['dnsmasq', '--keep-in-foreground', '-C', str(conf)])

    def end(self):
        self.proc.terminate()
        self.proc.wait()


class Ours:
    """A packetboatd."""

    def __init__(self, folder, name, users):
        self.name, self.addr, self.dir = name, ADDR[name], folder / name
        self.dir.mkdir()
        self.conf = self.dir / 'conf'
        self.conf.write_text(conf_of(self.dir, f'mx.{name}.example') + OURS.format(
            addr=self.addr, addr6=ADDR6[name], us=US, us6=US6))
        for user, addrs in users.items():
            add_user(self.conf, user, *addrs, password='secret')
        self.proc = None

    def change(self, old, new):
        text = self.conf.read_text()
        assert old in text, f'no {old!r} in {text}'
        self.conf.write_text(text.replace(old, new))

    def start(self):
        log = open(self.dir / 'log', 'ab')
        self.proc = subprocess.Popen(['ip', 'netns', 'exec', ns(self.name), DAEMON, '-f',
                                      '-c', self.conf], stdout=log, stderr=log)
        wait(lambda: (self.dir / 'pid').exists(), 'packetboatd to start')

    def stop(self):
        if self.proc:
            sh(TOOL, '-c', self.conf, 'stop')
            assert self.proc.wait(30) == 0, 'did not end in order'
            self.proc = None

    def kill(self):
        if self.proc:
            self.proc.kill()
            self.proc.wait()
            (self.dir / 'pid').unlink(missing_ok=True)
            self.proc = None

    def queue(self):
        return sh(TOOL, '-c', self.conf, 'queue', 'list').splitlines()[1:]

    def stat(self, name):
        return int(sh(TOOL, '-c', self.conf, 'stat', name).splitlines()[1].split()[1])

    def mail(self, user):
        return take_mail(self.addr, user)


class Postfix:
    def __init__(self, folder):
        owner = pwd.getpwnam('postfix')
        self.dir, self.conf = folder / 'gamma', folder / 'gamma/etc'
        for name in ('etc', 'spool', 'data', 'mail'):
            (self.dir / name).mkdir(parents=True)
        for path in (folder, self.dir):
            os.chmod(path, 0o755)
        for name in ('data', 'mail'):
            os.chown(self.dir / name, owner.pw_uid, owner.pw_gid)
        self.log = pathlib.Path(f'/var/log/postfix-{ns("gamma")}.log')
        (self.conf / 'main.cf').write_text(MAIN_CF.format(
            dir=self.dir, uid=owner.pw_uid, gid=owner.pw_gid, addr=ADDR['gamma'],
            addr6=ADDR6['gamma'], us=US, us6=US6, ns=ns('gamma')))
        (self.conf / 'master.cf').write_text(self.master())
        # ip netns exec puts this in the place of the host's.
        self.etc = pathlib.Path('/etc/netns') / ns('gamma')
        self.etc.mkdir(parents=True)
        (self.etc / 'resolv.conf').write_text(f'nameserver {US}\n')

    @staticmethod
    def master():
        lines = ['postlog unix-dgram n - n - 1 postlogd']
        for line in pathlib.Path('/usr/share/postfix/master.cf.dist').read_text().splitlines():
            words = line.split()
            # Nothing chrooted: the spool is in a folder of ours.
            if len(words) > 7 and not line.startswith(('#', ' ')):
                words[4] = 'n'
                lines.append(' '.join(words))
        return '\n'.join(dict.fromkeys(lines)) + '\n'

    def run(self, what):
        sh('ip', 'netns', 'exec', ns('gamma'), 'postfix', '-c', self.conf, what)

    def start(self):
        self.run('start')

    def stop(self):
        subprocess.run(['ip', 'netns', 'exec', ns('gamma'), 'postfix', '-c', self.conf,
                        'stop'], capture_output=True)
        shutil.rmtree(self.etc)
        self.log.unlink(missing_ok=True)

    def mail(self, user):
        new = self.dir / 'mail' / user / 'new'
        texts = [path.read_text() for path in sorted(new.glob('*'))] if new.exists() else []
        for path in new.glob('*'):
            path.unlink()
        return texts


def send(server, sender, to, subject, body='Hello.\n.dot\n'):
    with smtplib.SMTP(ADDR[server], timeout=20, local_hostname='us.example') as smtp:
        return smtp.sendmail(sender, to, f'Subject: {subject}\n\n{body}')


def gets(server, user, *parts):
    return one(wait(lambda: server.mail(user), f'mail for {user}'), *parts)


def empty(server):
    wait(lambda: not server.queue(), f'the queue of {server.name} to be empty')


class Tests:
    def __init__(self, folder):
        self.alpha = Ours(folder, 'alpha', {'smith': ['smith@alpha.example']})
        self.beta = Ours(folder, 'beta', {
            'jones': ['jones@beta.example', 'jones@two.example', 'jones@implicit.example',
                      'jones@beta6.example'],
            'brown': ['brown@beta.example']})
        self.postfix = Postfix(folder)

    def mail_goes_and_a_refused_user_bounces(self):
        send('alpha', 'smith@alpha.example',
             ['jones@beta.example', 'green@beta.example', 'brown@beta.example'], 'one')
        for user in ('jones', 'brown'):
            text = gets(self.beta, user, 'Return-Path: <smith@alpha.example>',
                        'by mx.alpha.example with ESMTP', 'Subject: one\n\nHello.\n.dot')
            assert text.count('Received:') == 2, text
        gets(self.alpha, 'smith', 'Return-Path: <>', 'Auto-Submitted:',
             'Final-Recipient: rfc822; green@beta.example\nAction: failed\nStatus: 5.1.1',
             'Remote-MTA: dns; mx.beta.example', 'Subject: one')
        empty(self.alpha)
        assert self.beta.mail('jones') == [] and self.alpha.mail('smith') == []

    def strangers_may_not_relay(self):
        with smtplib.SMTP(ADDR['beta'], timeout=20) as smtp:
            smtp.ehlo('us.example')
            smtp.mail('x@alpha.example')
            assert smtp.rcpt('x@elsewhere.example')[0] == 250   # we are in relay_from
        enter(ns('gamma'))
        try:
            with smtplib.SMTP(ADDR['beta'], timeout=20) as smtp:
                smtp.ehlo('gamma.example')
                smtp.mail('x@alpha.example')
                code, text = smtp.rcpt('x@elsewhere.example')
                assert (code, text[:5]) == (550, b'5.7.1'), (code, text)
        finally:
            enter(ns(MID))

    def the_spool_keeps_mail_while_the_other_is_down(self):
        self.beta.stop()
        send('alpha', 'smith@alpha.example', ['jones@beta.example'], 'two')
        wait(lambda: int(self.alpha.queue()[0].split()[5]) > 0, 'an attempt')
        self.alpha.stop()       # and over a restart of ours
        self.alpha.start()
        row = self.alpha.queue()[0].split()
        assert row[1:4] == ['beta.example', 'smith@alpha.example', '1'], row
        self.beta.start()
        gets(self.beta, 'jones', 'Subject: two')
        empty(self.alpha)
        assert self.alpha.mail('smith') == []

    def an_item_can_be_held_shown_retried_and_removed(self):
        self.beta.stop()
        for subject in ('held', 'removed'):
            send('alpha', 'smith@alpha.example', ['jones@beta.example'], subject)
        held, removed = (line.split()[0] for line in wait(
            lambda: len(self.alpha.queue()) == 2 and self.alpha.queue(), 'two items'))
        tool = [TOOL, '-c', self.alpha.conf, 'queue']
        sh(*tool, 'hold', held)
        sh(*tool, 'remove', removed)
        wait(lambda: len(self.alpha.queue()) == 1, 'one to go')
        self.beta.start()
        assert 'jones@beta.example' in sh(*tool, 'show', held)
        time.sleep(6)
        assert self.alpha.queue()[0].split()[6] == 'held', self.alpha.queue()
        assert self.beta.mail('jones') == []
        sh(*tool, 'retry', held)
        gets(self.beta, 'jones', 'Subject: held')
        empty(self.alpha)

    def the_next_host_takes_what_the_first_does_not(self):
        send('alpha', 'smith@alpha.example', ['jones@two.example'], 'three')
        gets(self.beta, 'jones', 'Subject: three', 'Delivered-To: jones@two.example')

    def a_domain_without_mx_is_its_own_host(self):
        send('alpha', 'smith@alpha.example', ['jones@implicit.example'], 'four')
        gets(self.beta, 'jones', 'Subject: four')

    def no_such_domain_bounces(self):
        send('alpha', 'smith@alpha.example', ['x@none.example'], 'five')
        gets(self.alpha, 'smith', 'Final-Recipient: rfc822; x@none.example', 'Status: 5.1.2')
        empty(self.alpha)

    def many_messages_take_few_connections(self):
        before = self.alpha.stat('relay.connects')
        with smtplib.SMTP(ADDR['alpha'], timeout=20) as smtp:
            for i in range(200):
                smtp.sendmail('smith@alpha.example', ['jones@beta.example'],
                              f'Subject: n{i}\n\nx\n')
        found = []

        def all_there():
            found.extend(self.beta.mail('jones'))
            return len(found) >= 200
        wait(all_there, '200 messages')
        subjects = sorted(text.split('Subject: n')[1].split('\n')[0] for text in found)
        assert subjects == sorted(str(i) for i in range(200)), subjects
        connects = self.alpha.stat('relay.connects') - before
        assert connects <= 40, connects
        empty(self.alpha)

    def a_big_message_arrives_as_it_was_sent(self):
        body = ''.join(f'{"." * (i % 3)}line {i} {"x" * (i % 70)}\n' for i in range(60000))
        send('alpha', 'smith@alpha.example', ['jones@beta.example'], 'big', body)
        text = gets(self.beta, 'jones')
        assert text.endswith(body.rstrip('\n')), len(text)

    def postfix_takes_our_mail_and_refuses_some(self):
        send('alpha', 'smith@alpha.example', ['jones@gamma.example', 'green@gamma.example'],
             'six')
        gets(self.postfix, 'jones', 'by mx.alpha.example', 'Subject: six\n\nHello.\n.dot')
        gets(self.alpha, 'smith', 'Final-Recipient: rfc822; green@gamma.example',
             'Action: failed', 'Remote-MTA: dns; mx.gamma.example', 'Subject: six')
        empty(self.alpha)

    def postfix_sends_us_mail_and_we_refuse_some(self):
        send('gamma', 'smith@alpha.example', ['jones@beta.example', 'green@beta.example'],
             'seven')
        gets(self.beta, 'jones', 'by mx.gamma.example', 'Subject: seven\n\nHello.\n.dot')
        gets(self.alpha, 'smith', 'green@beta.example', 'No such user here')

    def postfix_without_8bitmime_gets_7bit_text(self):
        text = ('Subject: gr\u00fc\u00df\n'
                'MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n'
                'Content-Transfer-Encoding: 8bit\n\nGr\u00fc\u00dfe aus K\u00f6ln an alle in der Stadt am Rhein\n')
        with smtplib.SMTP(ADDR['alpha'], timeout=20, local_hostname='us.example') as smtp:
            smtp.sendmail('smith@alpha.example', ['jones@gamma.example'],
                          text.replace('\n', '\r\n').encode(),
                          mail_options=['BODY=8BITMIME'])
        whole = gets(self.postfix, 'jones', 'Content-Transfer-Encoding: quoted-printable',
                     'Gr=C3=BC=C3=9Fe aus K=C3=B6ln an')
        assert whole.split('\n\n', 1)[1].isascii(), whole

    def postfix_takes_our_mail_over_ip6_alone(self):
        send('alpha', 'smith@alpha.example', ['jones@six.example'], 'nine')
        gets(self.postfix, 'jones', f'[IPv6:{ADDR6["alpha"]}]', 'by mx.alpha.example',
             'Subject: nine')
        empty(self.alpha)

    def we_take_mail_over_ip6_alone_from_postfix_and_from_ours(self):
        for server, subject in (('gamma', 'ten'), ('alpha', 'eleven')):
            send(server, 'smith@alpha.example', ['jones@beta6.example'], subject)
            gets(self.beta, 'jones', f'([IPv6:{ADDR6[server]}])',
                 f'by mx.{server}.example', f'Subject: {subject}')

    def ip6_that_is_a_black_hole_is_not_waited_for(self):
        # The time for a connection is longer than we wait.
        assert WAIT_S < 60
        self.alpha.stop()
        self.alpha.change('connect_s = 5', 'connect_s = 60')
        self.alpha.start()
        send('alpha', 'smith@alpha.example', ['jones@hole.example'], 'twelve')
        gets(self.postfix, 'jones', f'[{ADDR["alpha"]}]', 'Subject: twelve')
        empty(self.alpha)
        assert self.alpha.stat('relay.connects') == 2
        self.alpha.stop()
        self.alpha.change('connect_s = 60', 'connect_s = 5')
        self.alpha.start()

    def clients_send_and_read_over_ip6(self):
        run('curl', '-gsS', f'smtp://[{ADDR6["alpha"]}]/[IPv6:{US6}]', '-T', '-',
            '--mail-from', 'x@gamma.example', '--mail-rcpt', 'smith@alpha.example',
            stdin=b'Subject: thirteen\r\n\r\nHello.\r\n')
        at = f'imap://[{ADDR6["alpha"]}]/INBOX'
        got = run('curl', '-gsS', '-u', 'smith:secret', f'{at};MAILINDEX=1').stdout.decode()
        for part in (f'Received: from [IPv6:{US6}] ([IPv6:{US6}])', 'Subject: thirteen'):
            assert part in got, got
        one(take_mail(ADDR6['alpha'], 'smith'), 'Subject: thirteen')

    def our_bounce_reaches_a_sender_at_postfix(self):
        send('alpha', 'smith@gamma.example', ['green@beta.example'], 'eight')
        gets(self.postfix, 'smith', 'Final-Recipient: rfc822; green@beta.example')
        empty(self.alpha)


def skip(why):
    print(why)
    sys.exit(77)


def main():
    if os.geteuid() != 0:
        skip('needs root')
    for tool in ('dnsmasq', 'postfix', 'curl'):
        if not shutil.which(tool):
            skip(f'needs {tool}')
    if not DAEMON.exists():
        skip('packetboatd is not built')
    folder = pathlib.Path(tempfile.mkdtemp(prefix='relay.', dir='/var/tmp'))
    os.chmod(folder, 0o755)
    failed = 1
    with Lan():
        enter(ns(MID))
        dns, tests = Dns(folder), Tests(folder)
        try:
            for server in (tests.alpha, tests.beta, tests.postfix):
                server.start()
            failed = play(cases_of(tests))
            for server in (tests.alpha, tests.beta):
                server.stop()
        finally:
            if failed:
                for name in ('alpha', 'beta'):
                    print((folder / name / 'log').read_text()[-3000:])
                if tests.postfix.log.exists():
                    print(tests.postfix.log.read_text()[-3000:])
            tests.postfix.stop()
            tests.alpha.kill()
            tests.beta.kill()
            dns.end()
            shutil.rmtree(folder)
    return bool(failed)


if __name__ == '__main__':
    sys.exit(main())
