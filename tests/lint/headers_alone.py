#!/usr/bin/env python3
"""Fails on a header that gcc or clang does not compile alone, without a warning.

The flags are those with which the build compiles stack/base, plus every library's
include folder that any file of the build needs.  Of ours only the top: meson adds the
folders of targets too, where a queue/sched.h would stand in for the system's.
"""
import concurrent.futures
import json
import os
import shlex
import subprocess
import sys

from tree import BUILD, TOP, files, verdict

COMPILERS = [['gcc'], ['clang-14', '-Wno-unknown-warning-option']]
DROP_WITH_NEXT = ('-o', '-c', '-MF', '-MQ', '-MT')
STRICT_SOURCE = 'stack/base/check.c'


def house_flags():
    commands = json.loads((BUILD / 'compile_commands.json').read_text())
    folders, flags = set(), []
    for command in commands:
        args = shlex.split(command['command'])[1:]
        folders.update(a for a in args if a.startswith('-I/') or a in ('-I.', '-I..'))
        folders.update('-isystem' + args[i + 1] for i, a in enumerate(args)
                       if a == '-isystem')
        if command['file'].endswith(STRICT_SOURCE):
            flags = [a for i, a in enumerate(args)
                     if a.startswith(('-f', '-W', '-D', '-std'))
                     and args[i - 1] not in DROP_WITH_NEXT]
    return flags + sorted(folders)


def compile_alone(header, compiler, flags):
    """What the compiler has to say, or an empty string."""
    done = subprocess.run(
        [*compiler, *flags, '-Werror', '-fdiagnostics-color=never', '-fsyntax-only',
         '-x', 'c', '-'], cwd=BUILD,
        input=f'#include "{header}"\n', capture_output=True, text=True)
    return f'{header} with {compiler[0]}:\n{done.stderr}' if done.returncode else ''


def main():
    flags = house_flags()
    if not flags:
        return verdict([f'{STRICT_SOURCE} is not in {BUILD}/compile_commands.json'])
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        said = list(pool.map(lambda job: compile_alone(*job, flags),
                             [(h, c) for h in files('.h') for c in COMPILERS]))
    return verdict(filter(None, said))


sys.exit(main())
