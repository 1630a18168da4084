#!/usr/bin/env python3
"""Fails where the tree speaks of the place or the tools with which it was written.

What stands here is for those who read the program; how and where somebody typed it
is not.  The patterns are written so that they do not match themselves.
"""
import re
import sys

from tree import TOP, files, verdict

PATTERNS = [
    r'[/]work[/]', r'[.][.][/]shared', r'[/]root[/]', r'[/]home[/]',
    r'\b[A][I]\b', r'\b[L][L][M]s?\b', r'language [m]odel', r'[c]hatbot',
    r'[c]laude\b', r'[a]nthropic', r'[o]penai', r'[c]opilot', r'coding [a]gent',
    r'[s]ub-?agent', r'[T]ODO', r'[F]IXME', r'\b[X]XX\b', r'not [i]mplemented yet',
]
# Upper case words are meant as they stand, the others in any case.
FORBIDDEN = [re.compile(p, 0 if re.search(r'\[[A-Z]\]', p) else re.I) for p in PATTERNS]


def wrong_lines(name):
    text = (TOP / name).read_bytes()
    if b'\0' in text:
        return
    for n, line in enumerate(text.decode(errors='replace').splitlines(), 1):
        if any(pattern.search(line) for pattern in FORBIDDEN):
            yield f'{name}:{n}: {line.strip()}'


sys.exit(verdict([w for name in files() for w in wrong_lines(name)]))
