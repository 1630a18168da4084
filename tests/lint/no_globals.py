#!/usr/bin/env python3
"""Fails on a writable global in the libraries: all state belongs to a core.

So a hundred stacks can live in one process, and no two threads meet by accident.
Tables of pointers lie in .data.rel.ro, which the loader fills and then protects.
"""
import re
import subprocess
import sys

from tree import BUILD, verdict

ALLOWED = {
    'current_socks': 'thread-local: whose sockets the calls of this thread mean',
}
WRITABLE = re.compile(r'\.data(?!\.rel\.ro)|\.bss|\.tdata|\.tbss|\*COM\*')
MEMBER = re.compile(r'(\S+): +file format')
# value, flags (the sixth: d for a section or a file), section, size, name
SYMBOL = re.compile(r'[0-9a-f]+ .{5}[^d]. (\S+)\t[0-9a-f]+ +(?:\.\w+ )?(\S+)$')


def writable(archive):
    """(member, section, symbol) of each object that can be written."""
    listing = subprocess.run(['objdump', '-t', archive], capture_output=True, text=True,
                             check=True).stdout
    member = ''
    for line in listing.splitlines():
        begins, symbol = MEMBER.match(line), SYMBOL.match(line)
        if begins:
            member = begins[1]
        elif symbol and WRITABLE.match(symbol[1]):
            yield member, symbol[1], symbol[2]


def main():
    archives = [a for a in BUILD.rglob('*.a')
                if a.relative_to(BUILD).parts[0] not in ('tests', 'bench')]
    if not any(a.name == 'libpacketboat.a' for a in archives):
        return verdict([f'no libpacketboat.a in {BUILD}'])
    return verdict(sorted(
        f'{a.name}: {member}: {symbol} in {section} can be written'
        for a in archives for member, section, symbol in writable(a)
        if symbol not in ALLOWED))


sys.exit(main())
