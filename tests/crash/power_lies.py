#!/usr/bin/env python3
"""That cuts of the power are noticed: on a disk that says it had synced and did not, mail that
was answered with 250 is lost, or the store is damaged."""
import pathlib
import poplib
import random
import shutil
import smtplib
import sys
import tempfile

from power import Power
from relay_crash import BUILD, USERS, Server
from smtp_crash import IO_LIMIT_S, free_ports

N_MAILS = 20


def deliver(server):
    with smtplib.SMTP('127.0.0.1', server.smtp, timeout=IO_LIMIT_S) as smtp:
        for i in range(N_MAILS):
            smtp.sendmail('a@a.example', f'{USERS[0]}@b.example', f'Id: {i}\n\nHello.\n')


def count(server):
    pop = poplib.POP3('127.0.0.1', server.pop3, timeout=IO_LIMIT_S)
    pop.user(USERS[0])
    pop.pass_('secret')
    n = pop.stat()[0]
    pop.quit()
    return n


def life(folder, lies):
    """What is left of the mails behind a cut of the power; None: no store."""
    server = Server(folder, f'lies-{lies}', (*free_ports(3), 9))
    server.power = Power(BUILD, server.dir, lies)
    server.tool('user', 'add', USERS[0], f'{USERS[0]}@b.example', '--password-stdin',
                input='secret\n')
    server.start()
    assert server.stop() == 0
    server.start()
    deliver(server)
    said = server.kill(random.Random(1), cuts=1)
    if said:
        return None
    server.start()
    try:
        return count(server)
    finally:
        server.stop()


def main():
    if not (BUILD / 'apps/packetboatd/packetboatd').exists():
        print('packetboatd is not built')
        return 77
    folder = pathlib.Path(tempfile.mkdtemp(prefix='power_lies.', dir='/var/tmp'))
    try:
        honest, lying = life(folder, False), life(folder, True)
    finally:
        shutil.rmtree(folder)
    print(f'of {N_MAILS} messages {honest} are left on a disk that syncs, {lying} on one '
          'that lies')
    return honest != N_MAILS or lying == N_MAILS


if __name__ == '__main__':
    sys.exit(main())
