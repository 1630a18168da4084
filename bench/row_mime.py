"""The structure of mail: our parser beside GMime.

Both read the same messages, made from a seed, out of memory, on one processor.  Ordinary
mail has attachments in a quarter of its messages; short mail has none.
"""
import json
import subprocess

from rows import need_programs, result

PEER = 'GMime 3'
CASES = (('ordinary', 'ordinary mail, with attachments'),
         ('short', 'short mail: text, text and HTML'))


def run(quick):
    (program,) = need_programs('bench/micro/mime_bench')
    rounds, megabytes = (3, 32) if quick else (7, 128)
    for kind, case in CASES:
        out = subprocess.run(['taskset', '-c', '0', program, '-n', str(megabytes), '-r',
                              str(rounds), kind], check=True, stdout=subprocess.PIPE,
                             text=True).stdout
        got = [json.loads(line) for line in out.splitlines()]
        yield result('mime', case, 'MB/s', PEER, [g['ours'] for g in got],
                     [g['theirs'] for g in got])
