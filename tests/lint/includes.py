#!/usr/bin/env python3
"""Fails on an include that goes upward, sideways, or in a circle.

A file may include what lies below its folder, and its own folder.  Services do not
include each other and neither do programs; and the API is the only door: nothing
above the line sees more of the stack than stack/api and the tools of stack/base.
"""
import re
import sys
from pathlib import PurePath

from tree import TOP, files, verdict

# Lowest first; folders of one row do not see each other.  The longest name that
# fits a file is its folder.
ROWS = [
    ['stack/api', 'stack/base'],
    ['*_wire.h'],       # wire formats are leaves, wherever they live in the stack
    ['eth'],
    ['arp'],
    ['ip'],
    ['tcp'],
    ['stack/sock'],
    ['stack/core'],
    ['apps/lib'],
    ['apps/mail/wire'],
    ['apps/mail/auth', 'apps/mail/store'],
    ['apps/mail/queue'],        # rests on the store: one transaction for both
    ['apps/mail/smtpd', 'apps/mail/relay', 'apps/mail/deliver', 'apps/mail/pop3d',
     'apps/mail/imapd'],
    ['apps', 'bench'],
    ['bench/micro', 'bench/wire', 'tests', 'apps/pbsim', 'apps/packetdrill'], # these look anywhere
]
RANK = {folder: rank for rank, row in enumerate(ROWS) for folder in row}
DOOR, ANYWHERE = RANK['apps/lib'], RANK['tests']
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+"([^"]+)"', re.M)


def home(path):
    """The folder in ROWS that a file belongs to, or None."""
    parents = [str(p) for p in PurePath(path).parents]
    found = next((p for p in parents if p in RANK), None)
    if found and 0 < RANK[found] < DOOR and path.endswith('_wire.h'):
        return '*_wire.h'
    return found


def why_not(src, dst):
    """What forbids that @src includes @dst; None when nothing does."""
    above, below = home(src), home(dst)
    if below is None:
        return 'is in no folder that tests/lint/includes.py knows'
    if RANK[above] == ANYWHERE or PurePath(src).parent == PurePath(dst).parent:
        return None
    if above == below and RANK[above] == 0:
        return None
    if RANK[below] == ANYWHERE:
        return 'is for tests and measurements'
    if RANK[below] > RANK[above]:
        return 'lies above it'
    if RANK[below] == RANK[above]:
        return 'lies beside it'
    if RANK[above] >= DOOR > RANK[below] > 0:
        return 'is inside the stack: stack/api is the door'
    return None


def exists(path):
    """A file of the tree, or one that meson makes from PATH.in."""
    return (TOP / path).is_file() or (TOP / (path + '.in')).is_file()


def circle(graph):
    """A list of files that include each other in a ring, or None."""
    done, path = set(), []

    def walk(file):
        if file in path:
            return path[path.index(file):] + [file]
        if file in done:
            return None
        path.append(file)
        found = next(filter(None, map(walk, graph.get(file, ()))), None)
        path.pop()
        done.add(file)
        return found

    return next(filter(None, map(walk, sorted(graph))), None)


def main():
    graph = {f: INCLUDE.findall((TOP / f).read_text()) for f in files('.c', '.h')}
    wrong = [f'{f}: in no folder that this lint knows' for f in graph if not home(f)]
    for src, included in graph.items():
        for dst in included:
            why = why_not(src, dst) if exists(dst) else 'does not exist'
            if why:
                wrong.append(f'{src}: must not include {dst}, which {why}')
    ring = circle(graph)
    if ring:
        wrong.append('circle: ' + ' -> '.join(ring))
    return verdict(wrong)


sys.exit(main())
