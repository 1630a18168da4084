"""Bulk TCP: our stack to a kernel peer over TAP, beside kernel to kernel over veth.

Both by pbperf with the same calls, MTU 1500, all offloads on, server and client each
on a processor of its own.  CPU seconds are those of the whole machine while the
figures are taken, since on a TAP the peer's work is charged to our write.
"""
import json
import subprocess

from rows import in_ns, namespace, need_programs, result, running, veth

PEER = 'kernel to kernel over veth'
CASES = [(streams, reverse) for streams in (1, 8) for reverse in (False, True)]


def load(ns, addr, pbperf, streams, reverse, seconds):
    command = in_ns(ns, 1, pbperf, 'bulk', '--net', 'kernel', '-c', addr, '-P', streams,
                    '-t', seconds, '-J', *(['-R'] if reverse else []))
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    got = json.loads(out)
    return got['gbit_s'], got['machine_cpu_s'] / (got['bytes'] / 1e9)


def run(quick):
    (pbperf,) = need_programs('bench/pbperf')
    runs, seconds = (2, 1) if quick else (5, 3)
    ours = {case: [] for case in CASES}
    theirs = {case: [] for case in CASES}
    with namespace('tap') as tap, namespace('a') as a, namespace('b') as b, \
            veth(a, b, '198.51.100.1/24', '198.51.100.2/24'), \
            running(in_ns(tap, 0, pbperf, 'serve', '--net', 'stack', '--port', 'tap:pb0',
                          '--addr', '192.0.2.2/24', '--host-addr', '192.0.2.1/24'),
                    'echo on'), \
            running(in_ns(b, 0, pbperf, 'serve', '--net', 'kernel'), 'echo on'):
        for _ in range(runs):
            for case in CASES:
                ours[case].append(load(tap, '192.0.2.2', pbperf, *case, seconds))
                theirs[case].append(load(a, '198.51.100.2', pbperf, *case, seconds))
    for case in CASES:
        streams, reverse = case
        name = f'{streams} stream{"s" if streams > 1 else ""}, ' \
               f'{"from us to the peer" if reverse else "from the peer to us"}'
        for i, unit in enumerate(('Gbit/s', 'CPU s per GB')):
            yield result('bulk', name, unit, PEER, [r[i] for r in ours[case]],
                         [r[i] for r in theirs[case]])
