"""What tests with real processes share: the programs, how to run them, what became of it."""
import contextlib
import ctypes
import os
import pathlib
import poplib
import socket
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get('BUILD', TOP / 'build'))
DAEMON, TOOL = BUILD / 'apps/packetboatd/packetboatd', BUILD / 'apps/packetboat/packetboat'
PBMAIL = BUILD / 'apps/pbmail/pbmail'
# Where a server is on each of the two networks that apps/lib/net.h has.
NETS = {'kernel': '127.0.0.1', 'stack': '192.0.2.2'}
CLONE_NEWNET = 0x40000000
WAIT_S, CLIENT_LIMIT_S = 40, 300


def sh(*args, **kw):
    """What it printed."""
    return subprocess.run(list(map(str, args)), check=True, text=True,
                          capture_output=True, **kw).stdout


def run(*args, stdin=None, check=True):
    """A client, in bytes; a failure shows what it said."""
    done = subprocess.run(args, input=stdin, capture_output=True, timeout=CLIENT_LIMIT_S)
    if check and done.returncode:
        raise AssertionError(f'{args[0]} said {done.returncode}\n'
                             f'{done.stdout.decode(errors="replace")[-1500:]}\n'
                             f'{done.stderr.decode(errors="replace")[-1500:]}')
    return done


def enter(namespace):
    """This process goes into the network namespace."""
    with open(f'/run/netns/{namespace}') as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), 'setns')


def wait(true, what):
    """What @true() gives, as soon as it is something."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        with contextlib.suppress(OSError, poplib.error_proto):
            found = true()
            if found:
                return found
        time.sleep(0.05)
    raise AssertionError(f'waited {WAIT_S} s in vain for {what}')


def add_user(conf, user, *addrs, password=None):
    sh(TOOL, '-c', conf, 'user', 'add', user, *addrs, '--password-stdin',
       input=f'{password or f"secret of {user}"}\n')


CONF = """\
net = {net}
hostname = {host}
user = root
users = {dir}/users
control = {dir}/control
pid_file = {dir}/pid
[store]
dir = {dir}/store
size_max = 1G
free_min = 1M
"""
TAP = """\
[stack]
port = tap:pb0
addr = 192.0.2.2/24
host_addr = 192.0.2.1/24
probe_addr = no
"""


def conf_of(folder, host, net='stack'):
    """What every packetboatd of a test is told first."""
    return CONF.format(dir=folder, host=host, net=net)


def wait_for_start(folder, daemon):
    """packetboatd writes its pid when everything runs."""
    def started():
        assert daemon.poll() is None, f'packetboatd ended with {daemon.returncode}'
        return (folder / 'pid').exists()

    wait(started, 'packetboatd to start')


def take_mail(addr, user, port=110):
    """Takes all of a user's messages out, by POP3."""
    pop = poplib.POP3(addr, port, timeout=20)
    pop.user(user)
    pop.pass_('secret')
    n = pop.stat()[0]
    texts = [b'\n'.join(pop.retr(i + 1)[1]).decode() for i in range(n)]
    for i in range(n):
        pop.dele(i + 1)
    pop.quit()
    return texts


def one(texts, *parts):
    """The only message; all of @parts are in it."""
    assert len(texts) == 1, f'{len(texts)} messages where one was expected: {texts}'
    for part in parts:
        assert part in texts[0], f'no {part!r} in {texts[0]}'
    return texts[0]


def cases_of(tests, prefix=''):
    """The public methods that begin with @prefix, as they are written."""
    return [getattr(tests, name) for name in vars(type(tests))
            if name.startswith(prefix) and not name.startswith('_')]


def play(cases, *args, before=''):
    """Runs all with @args, one behind the other; True: one failed.  One failure does not hide
    the others."""
    failed = False
    for case in cases:
        name = before + case.__name__.removeprefix('test_')
        try:
            case(*args)
            print(f'ok {name}', flush=True)
        except Exception as why:
            failed = True
            print(f'not ok {name}\n{why!r:.3000}\n{getattr(why, "stderr", None) or ""}',
                  flush=True)
    return failed


@contextlib.contextmanager
def packetboatd(conf, folder, at, port):
    """It runs, and ends in order."""
    def listens():
        assert daemon.poll() is None, f'packetboatd ended with {daemon.returncode}'
        socket.create_connection((at, port), 1).close()
        return True

    with open(folder / 'log', 'wb') as log:
        daemon = subprocess.Popen([DAEMON, '-f', '-c', conf], stdout=log, stderr=log)
    try:
        wait(listens, f'somebody to listen at {at}:{port}')
        yield daemon
    finally:
        daemon.terminate()
        code = daemon.wait(30)
    assert code == 0, f'packetboatd ended with {code}'


def play_clients(net, folder, server, make):
    """The test_ methods of what @make(daemon) gives, while @server runs."""
    failed = True
    try:
        with server as daemon:
            failed = play(cases_of(make(daemon), 'test_'), before=f'{net}: ')
        print(f'ok {net}: packetboatd ends in order')
    except Exception as why:
        failed = True
        print(f'not ok {net}: packetboatd ends in order\n{why!r:.3000}\n'
              f'{(folder / "log").read_text()[-3000:]}')
    return failed


def on_both_nets(file, inside):
    """main() of a program that does @inside(net) in a namespace for each of the two."""
    if len(sys.argv) > 1:
        sh('ip', 'link', 'set', 'lo', 'up')
        return inside(sys.argv[1])
    if os.geteuid() != 0:
        print('needs root, for network namespaces')
        return 77
    failed = False
    for net in NETS:
        namespace = f'pb-clients-{os.getpid()}'
        sh('ip', 'netns', 'add', namespace)
        try:
            failed |= subprocess.run(['ip', 'netns', 'exec', namespace, sys.executable,
                                      file, net]).returncode != 0
        finally:
            sh('ip', 'netns', 'del', namespace)
    return failed
