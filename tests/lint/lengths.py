#!/usr/bin/env python3
"""Fails on a .c file above 1,000 lines and on a header above 200."""
import sys

from tree import TOP, files, verdict

LIMITS = {'.c': 1000, '.h': 200}

sys.exit(verdict(
    f'{name}: {n} lines, at most {LIMITS[name[-2:]]}'
    for name in files(*LIMITS)
    for n in [(TOP / name).read_text().count('\n')] if n > LIMITS[name[-2:]]))
