"""What the rows of bench/run share: namespaces, programs, and results."""
import contextlib
import os
import pathlib
import statistics
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
BUILD = TOP / 'build-bench'


def need_programs(*names):
    """Builds for release, in a folder of its own; returns the programs' paths."""
    if not (BUILD / 'build.ninja').exists():
        sh('meson', 'setup', '-Dbuildtype=release', '-Db_ndebug=true', '-Dtests=disabled',
           str(BUILD), str(TOP))
    sh('ninja', '-C', str(BUILD), *names)
    return [BUILD / name for name in names]


def sh(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    if done.returncode:
        sys.exit(f'bench: {" ".join(command)}\n{done.stdout}')
    return done.stdout


@contextlib.contextmanager
def namespace(name):
    """A network namespace of our own, with loopback up; gone at the end."""
    full = f'pbbench-{os.getpid()}-{name}'
    sh('ip', 'netns', 'add', full)
    try:
        sh('ip', '-n', full, 'link', 'set', 'lo', 'up')
        yield full
    finally:
        sh('ip', 'netns', 'del', full)


@contextlib.contextmanager
def veth(a, b, addr_a, addr_b):
    """A pair between two namespaces, with the offloads that veth has by itself."""
    sh('ip', '-n', a, 'link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v0',
       'netns', b)
    for ns, addr in ((a, addr_a), (b, addr_b)):
        sh('ip', '-n', ns, 'addr', 'add', addr, 'dev', 'v0')
        sh('ip', '-n', ns, 'link', 'set', 'v0', 'up')
    yield


def in_ns(ns, cpu, *command):
    """The command line that runs there, on that processor."""
    return ['ip', 'netns', 'exec', ns, 'taskset', '-c', str(cpu), *map(str, command)]


@contextlib.contextmanager
def running(command, ready):
    """A server, started and seen to print @ready; stopped at the end."""
    proc = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        line = proc.stdout.readline()
        if ready not in line:
            sys.exit(f'bench: {" ".join(command)} did not start: {line}')
        time.sleep(0.3)
        yield proc
    finally:
        proc.terminate()
        proc.wait(timeout=20)


def result(row, case, unit, peer, ours, theirs):
    """One line of the scoreboard, from the figures of all runs."""
    mine, other = statistics.median(ours), statistics.median(theirs)
    return {
        'row': row, 'case': case, 'unit': unit, 'peer': peer,
        'ours': mine, 'theirs': other, 'ratio': mine / other if other else 0,
        'runs': len(ours),
        'spread': {'ours': [min(ours), max(ours)], 'theirs': [min(theirs), max(theirs)]},
    }
