"""Relaying: packetboatd beside Debian's Postfix.

Both get the same mail for another domain from the same client (Postfix's smtp-source, 32
sessions, 4 KiB messages), commit it to their spool, say 250, and send it to the same sink
(Postfix's smtp-sink, on the kernel's TCP), in turns.  The clock runs until the sink has
the last message.
"""
import contextlib
import re
import subprocess
import sys
import threading
import time

from rows import in_ns, namespace, need_programs, result
from servers import (HOST_ADDR, OUR_ADDR, POSTFIX_PORT, packetboatd, postfix, source,
                     work_dir)

PEER = "Debian's Postfix, smtp(8)"
TO, SINK_PORT = 'all@sink.example', 2526
LIMIT_S = 300
CONF = f"""\
relay_from = {HOST_ADDR}
[relay]
route = sink.example via {HOST_ADDR}:{SINK_PORT}
"""
# Without its pause before each message when the queue grows, which is for hosts with
# little to do.
MAIN_CF = """\
relay_domains = sink.example
relay_transport = smtp:[127.0.0.1]:{port}
in_flow_delay = 0
"""


class Sink:
    """smtp-sink, which prints how many messages it has each time one has come."""

    def __init__(self, ns, addr):
        self.proc = subprocess.Popen(
            in_ns(ns, 1, 'smtp-sink', '-u', 'postfix', '-c',
                  f'{addr}:{SINK_PORT}', '1024'),
            stdout=subprocess.PIPE)
        self.n, self.more = 0, threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while data := self.proc.stdout.read1(65536):
            found = re.findall(rb'mesg=(\d+)\r', data)
            with self.more:
                self.n = int(found[-1]) if found else self.n
                self.more.notify()

    def wait(self, n):
        with self.more:
            if not self.more.wait_for(lambda: self.n >= n, LIMIT_S):
                sys.exit(f'bench: the sink has {self.n} messages of {n} after {LIMIT_S} s')


@contextlib.contextmanager
def sink(ns, addr):
    it = Sink(ns, addr)
    try:
        yield it
    finally:
        it.proc.terminate()
        it.proc.wait(timeout=20)


def relay_run(ns, where, sink, count, keep):
    before, began = sink.n, time.monotonic()
    source(ns, where, TO, count, keep)
    sink.wait(before + count)
    return count / (time.monotonic() - began)


def run(quick):
    need_programs('apps/packetboatd/packetboatd')
    runs, few, many = (2, 500, 3000) if quick else (5, 2000, 10000)
    cases = ((True, '32 sessions, many messages each'),
             (False, '32 at a time, a session a message'))
    mine, peer = {}, {}
    with work_dir() as top, namespace('pb') as pb, namespace('pf') as pf, \
            packetboatd(pb, top / 'ours', CONF), sink(pb, HOST_ADDR) as our_sink, \
            postfix(pf, top / 'postfix', MAIN_CF.replace('{port}', str(SINK_PORT))), \
            sink(pf, '127.0.0.1') as their_sink:
        for _ in range(runs):
            for keep, _ in cases:
                mine.setdefault(keep, []).append(
                    relay_run(pb, f'{OUR_ADDR}:25', our_sink, many, keep))
                peer.setdefault(keep, []).append(
                    relay_run(pf, f'127.0.0.1:{POSTFIX_PORT}', their_sink, few, keep))
    for keep, case in cases:
        yield result('relay', case, 'messages/s', PEER, mine[keep], peer[keep])
