#!/usr/bin/env python3
"""Fails unless the shared library exports just what stack/api declares."""
import re
import subprocess
import sys

from tree import BUILD, TOP, files, verdict

DECLARED = re.compile(r'^PB_API\b[^;(]*?(\w+)\(', re.M)


def exported(library):
    listing = subprocess.run(['nm', '-D', '--defined-only', library], text=True,
                             capture_output=True, check=True).stdout
    return {line.split()[-1].partition('@')[0] for line in listing.splitlines()}


def main():
    library = BUILD / 'libpacketboat.so'
    if not library.exists():
        return verdict([f'no {library}'])
    declared = {name for header in files('.h') if header.startswith('stack/api/')
                for name in DECLARED.findall((TOP / header).read_text())}
    there = exported(library)
    wrong = [f'{n}: declared in stack/api, missing in the library'
             for n in sorted(declared - there)]
    wrong += [f'{n}: exported, but not declared in stack/api'
              for n in sorted(there - declared)]
    wrong += [f'{n}: an exported name begins with pb_'
              for n in sorted(there) if not n.startswith('pb_')]
    return verdict(wrong)


sys.exit(main())
