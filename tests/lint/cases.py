#!/usr/bin/env python3
"""Fails on a Criterion .fini, where nothing that is checked can fail, and on a Test() of
a suite that has Cases(), which would have no beginning and no end (tests/lib/case.h)."""
import re
import sys

from tree import TOP, files, verdict

FINI = re.compile(r'^[^*]*\.fini\s*=', re.M)
SUITE = re.compile(r'^Cases\((\w+),', re.M)
TEST = re.compile(r'^Test\((\w+),\s*(\w+)', re.M)


def wrong():
    for name in files('.c', '.h'):
        if not name.startswith('tests/'):
            continue
        text = (TOP / name).read_text()
        if FINI.search(text):
            yield f'{name}: .fini: use Cases() and Case() of tests/lib/case.h'
        suites = set(SUITE.findall(text))
        for suite, test in TEST.findall(text):
            if suite in suites:
                yield f'{name}: Test({suite}, {test}): Case() is meant'


sys.exit(verdict(wrong()))
