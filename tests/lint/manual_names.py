#!/usr/bin/env python3
"""Fails where a manual page of stack/api does not tell what its header declares.

The page of a header is the one whose SYNOPSIS includes it.  Each function must be among
its NAMEs and have a prototype; each type, field and constant must be mentioned.
"""
import re
import sys

from tree import TOP, files, verdict

COMMENT = re.compile(r'/\*.*?\*/', re.S)
FUNCTION = re.compile(r'^PB_API\b[^;(]*?(\w+)\(', re.M)
TYPEDEF = re.compile(r'^typedef\b[^;]*?(\w+)\(', re.M)
BODY = re.compile(r'^(struct|enum) (\w*) ?\{(.*?)\};', re.S | re.M)
FIELD = re.compile(r'(\w+)(?:\[\w+\])?\s*[,;]')
CONSTANT = re.compile(r'\b([A-Z]\w+)\b(?=\s*(?:=|,|$))', re.M)


def declared(header):
    """Functions; and all other names."""
    text = COMMENT.sub('', (TOP / header).read_text())
    others = set(TYPEDEF.findall(text))
    for kind, name, body in BODY.findall(text):
        others |= {name} if name else set()
        others |= set((FIELD if kind == 'struct' else CONSTANT).findall(body))
    return set(FUNCTION.findall(text)), others


def wrong_names(header, pages):
    mine = [p for p, text in pages.items() if f'.In {header}\n' in text]
    if len(mine) != 1:
        yield f'{header}: of {len(mine)} manual pages, not of one'
        return
    page, text = mine[0], pages[mine[0]]
    names = set(re.findall(r'^\.Nm (\w+)', text.partition('.Nd ')[0], re.M))
    prototypes = set(re.findall(r'^\.Fn (\w+)',
                                text.partition('.Sh DESCRIPTION')[0], re.M))
    functions, others = declared(header)
    for name in sorted(functions - names):
        yield f'{page}: {name} is not among its NAMEs'
    for name in sorted(functions - prototypes):
        yield f'{page}: {name} has no prototype'
    for name in sorted(names - functions):
        yield f'{page}: {name} is not in {header}'
    for name in sorted(others - set(re.findall(r'\w+', text))):
        yield f'{page}: {name} is not mentioned'


def main():
    pages = {p: (TOP / p).read_text() for p in files('.3') if p.startswith('stack/api/')}
    headers = [h for h in files('.h') if h.startswith('stack/api/')]
    if not pages or not headers:
        return verdict(['stack/api has no headers, or no manual pages'])
    return verdict(w for h in headers for w in wrong_names(h, pages))


sys.exit(main())
