#!/usr/bin/env python3
"""Fails when a study of apps/pbsim/studies gives another table than the one kept there.

	tests/sim/studies.py		runs all of them, and a run twice, which must be alike
	tests/sim/studies.py --update	writes the tables anew

BUILD is the build folder.  The tables are of virtual time: they change when the stack
behaves differently, and with nothing else.
"""
import difflib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

TOP = pathlib.Path(__file__).resolve().parents[2]
STUDIES = TOP / 'apps/pbsim/studies'
PBSIM = pathlib.Path(os.environ.get('BUILD', TOP / 'build')) / 'apps/pbsim/pbsim'


def pbsim(*args):
    """What it prints; None, and the reason printed, when it fails."""
    done = subprocess.run([PBSIM, *args], capture_output=True, text=True)
    if done.returncode:
        print('#', done.stderr.strip())
        return None
    return done.stdout


def check(study, table):
    kept = study.with_suffix('.txt')
    old = kept.read_text() if kept.exists() else ''
    if table is None:
        return False
    for line in difflib.unified_diff(old.splitlines(), table.splitlines(), kept.name,
                                     'now', lineterm='', n=1):
        print('#', line)
    return old == table


def is_readable(made):
    """Series by a JSON parser, plots by an XML parser; and they are of something."""
    rows = [json.loads(line) for line in made['series.jsonl'].splitlines()]
    fields = {'t', 'flow', 'name', 'cwnd', 'ssthresh', 'srtt_us', 'rate_bps',
              'in_flight', 'delivered', 'retrans'}
    for name in made:
        if name.endswith('.svg'):
            xml.etree.ElementTree.fromstring(made[name])
    return (all(set(row) == fields for row in rows) and rows[-1]['delivered'] > 0 and
            sum(name.endswith('.svg') for name in made) == 5)


def is_repeatable():
    """All that a run leaves behind, twice."""
    made = []
    for _ in range(2):
        with tempfile.TemporaryDirectory() as folder:
            args = ['-p', '-D', 'time=5s', '-D', 'queue=fq_codel', '-o', folder]
            if pbsim(*args, STUDIES / 'try.pbsim') is None:
                return False
            made.append({p.name: p.read_bytes()
                         for p in sorted(pathlib.Path(folder).iterdir())})
    different = [name for name in made[0] if made[0][name] != made[1].get(name)]
    for name in different:
        print('# different:', name)
    return is_readable(made[0]) and not different


def main(update):
    failed = False
    studies = sorted(s for s in STUDIES.glob('*.pbsim') if s.stem != 'try')
    for study in studies:
        table = pbsim(study)
        if update and table is not None:
            study.with_suffix('.txt').write_text(table)
        good = check(study, table)
        print(f'{"ok" if good else "not ok"} {study.stem}', flush=True)
        failed |= not good
    good = is_repeatable()
    print(f'{"ok" if good else "not ok"} the same scenario gives the same bytes')
    return 1 if failed or not good else 0


sys.exit(main(sys.argv[1:] == ['--update']))
