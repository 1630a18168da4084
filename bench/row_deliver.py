"""Durable deliveries: packetboatd beside Debian's Postfix with Maildir.

Both get the same mail from the same client (Postfix's smtp-source, 32 sessions, 4 KiB
messages) and keep it on the same disk, in turns.  The clock runs until the last message
is in its mailbox: for us that is the last 250, for Postfix the last file in new/.
"""
import os
import sys
import time

from rows import namespace, need_programs, result
from servers import DOMAIN, OUR_ADDR, POSTFIX_PORT, packetboatd, postfix, source, work_dir

PEER = "Debian's Postfix, virtual(8) into Maildir"
MAIN_CF = """\
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {dir}/mail
virtual_mailbox_maps = static:all/
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
"""


def send(ns, where, count, keep):
    source(ns, where, f'u0@{DOMAIN}', count, keep)


def postfix_run(ns, new, count, keep):
    before = len(os.listdir(new)) if new.exists() else 0
    began = time.monotonic()
    send(ns, f'127.0.0.1:{POSTFIX_PORT}', count, keep)
    while not new.exists() or len(os.listdir(new)) < before + count:
        if time.monotonic() > began + 300:
            sys.exit('bench: Postfix did not deliver all in 300 s')
        time.sleep(0.01)
    return count / (time.monotonic() - began)


def our_run(ns, count, keep):
    began = time.monotonic()
    send(ns, f'{OUR_ADDR}:25', count, keep)
    return count / (time.monotonic() - began)


def run(quick):
    need_programs('apps/packetboatd/packetboatd')
    runs, few, many = (2, 1000, 5000) if quick else (5, 3000, 20000)
    mine, peer = {}, {}
    with work_dir() as top, namespace('pb') as pb, namespace('pf') as pf, \
            packetboatd(pb, top / 'ours'), postfix(pf, top / 'postfix', MAIN_CF):
        new = top / 'postfix/mail/all/new'
        for _ in range(runs):
            for keep in (True, False):
                mine.setdefault(keep, []).append(our_run(pb, many, keep))
                peer.setdefault(keep, []).append(postfix_run(pf, new, few, keep))
    for keep, case in ((True, '32 sessions, many messages each'),
                       (False, '32 at a time, a session a message')):
        yield result('deliver', case, 'messages/s', PEER, mine[keep], peer[keep])
