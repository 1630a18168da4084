"""Goodput on a bad wire: our TCP beside Linux's, each with the same luck.

The wire is bench/wire/wire.c: 100 Mbit/s, a queue of one product of bandwidth and delay, and
losses in both directions, ACKs among them.  Linux to Linux, us to Linux and Linux to us
run at the same time, each through a wire of its own with the same seed; then the next
seed.  What counts is what the receiver was given, from the first SYN on.
"""
import contextlib
import json
import pathlib
import subprocess

from rows import in_ns, namespace, need_programs, result, running, sh

PEER = 'Linux to Linux through the same wire'
RATE = 100_000_000
CELLS = [(0, 20), (0.1, 20), (1, 20), (0.1, 100), (1, 100), (3, 100)]  # %, ms
BUFFERS = 16 << 20
OURS, LINUX = 'stack', 'kernel'
ADDR = {'a': '192.0.2.1', 'b': '192.0.2.2'}
AVAILABLE = '/proc/sys/net/ipv4/tcp_available_congestion_control'


def pairs():
    """(algorithm, sender, receiver), those of one algorithm after its base."""
    names = pathlib.Path(AVAILABLE).read_text().split()
    for cc in ('cubic', 'bbr'):
        if cc not in names:
            print(f'{cc}: this kernel has only {", ".join(names)}')
            continue
        yield cc, LINUX, LINUX
        if cc in our_names():
            yield cc, OURS, LINUX
        yield cc, LINUX, OURS


def our_names():
    """By the file that each algorithm of ours has."""
    tcp = pathlib.Path(__file__).resolve().parent.parent / 'tcp'
    return [f.stem.removeprefix('cc_') for f in tcp.glob('cc_*.c')]


def sysctl(ns, **values):
    for name, value in values.items():
        sh('ip', 'netns', 'exec', ns, 'sysctl', '-qw', f'net.ipv4.tcp_{name}={value}')


@contextlib.contextmanager
def host(kind, end, wire, cc):
    """A namespace at one end of @wire; who answers there, and the options of pbperf."""
    with namespace(f'{wire}-{end}') as ns:
        # Nobody but the two may speak on the wire.
        sh('ip', 'netns', 'exec', ns, 'sysctl', '-qw',
           'net.ipv6.conf.default.disable_ipv6=1')
        sysctl(ns, no_metrics_save=1,
               rmem=f'4096 131072 {2 * BUFFERS}', wmem=f'4096 131072 {2 * BUFFERS}')
        options = ['--net', 'kernel', '--cc', cc]
        if kind == OURS:
            options = ['--net', 'stack', '--port', f'packet:{end}', '--no-offload',
                       '--addr', f'{ADDR[end]}/24', '--buffers', BUFFERS,
                       *(['--cc', cc] if cc in our_names() else [])]
        yield ns, kind, options


def attach(middle, end, ns, kind):
    sh('ip', '-n', middle, 'link', 'set', 'dev', end, 'netns', ns)
    if kind == LINUX:
        sh('ip', '-n', ns, 'addr', 'add', f'{ADDR[end]}/24', 'dev', end)
    sh('ip', '-n', ns, 'link', 'set', 'dev', end, 'up')


@contextlib.contextmanager
def flow(i, pair, what, seconds, programs):
    """Bulk from end a to end b of wire @i; yields the client, which is running."""
    cc, sender, receiver = pair
    pbperf, wire = programs
    with namespace(f'{i}-wire') as middle, \
            running(in_ns(middle, '0-1', wire, what, 'a', 'b'), 'up'), \
            host(sender, 'a', i, cc) as (at, kind, options), \
            host(receiver, 'b', i, cc) as (to, to_kind, to_options):
        attach(middle, 'a', at, kind)
        attach(middle, 'b', to, to_kind)
        with running(in_ns(at, '0-1', pbperf, 'serve', *options), 'echo on'):
            client = in_ns(to, '0-1', pbperf, 'bulk', *to_options, '-c', ADDR['a'],
                           '-R', '-J', '-w', 0, '-t', seconds)
            yield subprocess.Popen(client, stdout=subprocess.PIPE, text=True)


def together(flows):
    """Mbit/s of each."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(f) for f in flows]
        texts = [client.communicate()[0] for client in clients]
    if any(client.returncode for client in clients):
        raise SystemExit('bench: a flow through the wire failed')
    got = [json.loads(text.splitlines()[0]) for text in texts]
    return [of['bytes'] * 8 / of['seconds'] / 1e6 for of in got]


def cell(loss, rtt_ms, quick, programs):
    """All figures of each pair."""
    seeds, seconds = (1, 4) if quick else (4, 10)
    got = {pair: [] for pair in pairs()}
    queue = max(64_000, RATE // 8 * rtt_ms // 1000)
    for seed in range(1, 1 + seeds):
        what = f'rate={RATE},queue={queue},delay={rtt_ms * 500}us,loss={loss}%,seed={seed}'
        for cc in dict.fromkeys(pair[0] for pair in got):
            at_once = [pair for pair in got if pair[0] == cc]
            mbit = together([flow(i, pair, what, seconds, programs)
                             for i, pair in enumerate(at_once)])
            for pair, value in zip(at_once, mbit):
                got[pair].append(value)
    return got


def run(quick):
    programs = need_programs('bench/pbperf', 'bench/wire/wire')
    for loss, rtt_ms in CELLS:
        got = cell(loss, rtt_ms, quick, programs)
        for pair, mbit in got.items():
            cc, sender, receiver = pair
            if (sender, receiver) == (LINUX, LINUX):
                continue
            way = 'from us' if sender == OURS else 'to us'
            yield result('goodput', f'{loss} %, {rtt_ms} ms, {cc}, {way}', 'Mbit/s',
                         f'{PEER}, {cc}', mbit, got[cc, LINUX, LINUX])
