#!/usr/bin/env python3
"""The example of the manual, apps/examples/echo.c, with clients good and bad.

What is sent comes back; a client that floods without reading, lives on or dies, costs no
processor time when nothing moves.  In a network namespace of its own.
"""
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
ECHO = pathlib.Path(os.environ.get('BUILD', TOP / 'build')) / 'apps/examples/echo'
PORT = ('192.0.2.2', 7)
TICKS_MAX = 20      # of 100 or more in which a spinning server would be busy
QUIET_S = 1.5


def inside(pid):
    sys.exit(0 if all([there_and_back(pid), flood(pid, False), flood(pid, True),
                       there_and_back(pid)]) else 1)


def result(good, name):
    print(f'{"" if good else "not "}ok {name}', flush=True)
    return good


def connect():
    for _ in range(100):
        try:
            return socket.create_connection(PORT, timeout=10)
        except OSError:
            time.sleep(0.1)
    raise SystemExit('the echo server does not answer')


def ticks(pid):
    fields = pathlib.Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return int(fields[11]) + int(fields[12])


def there_and_back(pid):
    text = os.urandom(3000000)
    got = bytearray()
    with connect() as s:
        s.setblocking(False)
        sent, end = 0, time.monotonic() + 60
        while len(got) < len(text) and time.monotonic() < end:
            try:
                if sent < len(text):
                    sent += s.send(text[sent:sent + 65536])
            except BlockingIOError:
                pass
            try:
                got += s.recv(65536)
            except BlockingIOError:
                time.sleep(0.001)
        s.setblocking(True)
        s.shutdown(socket.SHUT_WR)
        ended = s.recv(1) == b''
    return result(got == text and ended, 'what was sent comes back, then the end')


def flood(pid, dies):
    s = connect()
    s.settimeout(1)
    try:
        while True:
            s.send(bytes(65536))
    except TimeoutError:
        pass
    if dies:
        s.close()
    time.sleep(0.5)
    before = ticks(pid)
    time.sleep(QUIET_S)
    used = ticks(pid) - before
    s.close()
    print(f'{used} ticks in {QUIET_S} s')
    return result(used < TICKS_MAX, 'a client that does not read costs nothing'
                  + (', and when it dies neither' if dies else ''))


def main():
    if os.geteuid() != 0:
        print('must be root to make network namespaces')
        return 77
    if not os.path.exists('/dev/net/tun') or not shutil.which('ip'):
        print('there is no /dev/net/tun, or no ip')
        return 77
    ns = f'pb-echo-{os.getpid()}'
    run_in = ['ip', 'netns', 'exec', ns]
    subprocess.run(['ip', 'netns', 'add', ns], check=True)
    try:
        with subprocess.Popen([*run_in, ECHO, 'tap:pb0', '192.0.2.2/24',
                               '192.0.2.1/24']) as server:
            try:
                done = subprocess.run([*run_in, sys.executable, __file__, 'inside',
                                       str(server.pid)], timeout=150)
            finally:
                server.kill()
    finally:
        subprocess.run(['ip', 'netns', 'del', ns], check=True)
    return done.returncode


if len(sys.argv) == 3:
    inside(int(sys.argv[2]))
sys.exit(main())
