"""The files of the source tree, for the lints beside this file."""
import os
import pathlib
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get('BUILD', TOP / 'build'))


def walk():
    """Everything below TOP that is neither built nor git's own."""
    for folder, subfolders, names in os.walk(TOP):
        subfolders[:] = [s for s in subfolders if not s.startswith(('build', '.git'))]
        for name in names:
            yield os.path.relpath(os.path.join(folder, name), TOP)


def files(*endings):
    """Paths below TOP, sorted: what git has or would take; all when there is no git."""
    listed = subprocess.run(['git', '-C', TOP, '-c', 'safe.directory=*', 'ls-files',
                             '-z', '--cached', '--others', '--exclude-standard'],
                            capture_output=True, text=True)
    names = walk() if listed.returncode else listed.stdout.split('\0')
    return sorted(n for n in set(names)
                  if n and n.endswith(endings or '') and (TOP / n).is_file())


def verdict(wrong):
    """Prints what is wrong; the exit status."""
    wrong = list(wrong)
    for line in wrong:
        print(line)
    return 1 if wrong else 0
