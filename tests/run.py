"""Builds the tree and runs its test suites; started by tests/run.

A suite has two kinds of members:

  - tests of that suite in meson.build; in a Criterion program every Test() counts;
  - programs tests/SUITE/*.py and *.sh, which begin with #!, run at the top of the tree with
    BUILD naming the build folder.  0 is a pass; 77 a skip, with the reason as the
    last line; anything else a failure.  One may also print `ok NAME` and
    `not ok NAME` lines: then each of those counts.

The suite `sanitize` is unit and fuzz once more, in a build of its own under the
address and undefined behaviour sanitizers: a report or a leak is a failure.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
SUITES = ['unit', 'sanitize', 'lint', 'fuzz', 'interop', 'script', 'sim',
          'scenarios', 'crash']
SANITIZED = ['unit', 'fuzz']
AS_ROOT = ['interop', 'scenarios', 'crash']
PROGRAM_LIMIT_S = 1800
TAIL_LINES = 40
PLAIN = {'b_ndebug': 'false', 'werror': 'true', 'pkgconfig.relocatable': 'true'}
SANITIZE = {**PLAIN, 'b_sanitize': 'address,undefined', 'b_lundef': 'false',
            'optimization': '1', 'debug': 'true'}


class Tally:
    """What happened; failures and skips are printed as they come."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def ok(self):
        self.passed += 1

    def fail(self, name, log):
        self.failed += 1
        print(f'  FAIL {name}')
        for line in log.rstrip().splitlines()[-TAIL_LINES:]:
            print(f'  | {line}')

    def skip(self, name, why):
        self.skipped += 1
        print(f'  skip {name}: {why}')

    def __str__(self):
        return (f'{self.passed} passed, {self.failed} failed, '
                f'{self.skipped} skipped')


def run(*args, **kw):
    return subprocess.run(args, cwd=TOP, text=True, errors='replace',
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **kw)


def configured(build):
    """The build's options, or None before its first configuration."""
    info = TOP / build / 'meson-info/intro-buildoptions.json'
    if not (TOP / build / 'build.ninja').exists() or not info.exists():
        return None
    values = {o['name']: o['value'] for o in json.loads(info.read_text())}
    return {k: str(v).lower() for k, v in values.items()}


def compile_tree(build, options, tally):
    """Configures where needed, compiles.  False, and a failure, on any error."""
    start, now = time.time(), configured(build)
    flags = [f'-D{k}={v}' for k, v in options.items()
             if now is None or now.get(k) != v]
    steps = [['ninja', '-C', build]]
    if now is None:
        steps.insert(0, ['meson', 'setup', build, *flags])
    elif flags:
        steps.insert(0, ['meson', 'configure', build, *flags])
    for step in steps:
        done = run(*step)
        if done.returncode:
            tally.fail(' '.join(step), done.stdout)
            return False
    print(f'{"compile " + build:<20} {time.time() - start:6.1f} s', flush=True)
    return True


def meson_tests(build):
    """Suite -> how many tests meson has for it."""
    info = TOP / build / 'meson-info/intro-tests.json'
    count = {}
    for test in json.loads(info.read_text()):
        for suite in test['suite']:
            name = suite.rpartition(':')[2]
            count[name] = count.get(name, 0) + 1
    return count


def programs(suite):
    return sorted(p for p in (TOP / 'tests' / suite).glob('*')
                  if p.suffix in ('.py', '.sh') and p.read_bytes().startswith(b'#!'))


CASE = re.compile(r'(?P<bad>not )?ok (?:\d+ )?(?:- )?(?P<name>\S.*?)'
                  r'(?:\s+# SKIP (?P<skip>.*)|\s+\([\d.]+s\))?$')


def count_program(name, result, log, tally):
    """Each case that a program's log names, or else the program: PASS, SKIP, or bad."""
    cases, failed = [], 0
    for line in log.splitlines():
        case = CASE.match(line)
        if case:
            cases.append((case, []))
        elif cases:
            cases[-1][1].append(line)
    for case, details in cases:
        full = f'{name}: {case["name"]}'
        if case['bad']:
            failed += 1
            tally.fail(full, '\n'.join(details))
        elif case['skip']:
            tally.skip(full, case['skip'])
        else:
            tally.ok()
    if result == 'SKIP' and not cases:
        tally.skip(name, log.rstrip().rpartition('\n')[2] or 'no reason given')
    elif result == 'PASS' and not cases:
        tally.ok()
    elif result not in ('PASS', 'SKIP') and not failed:
        tally.fail(f'{name}: {result}', log)


def run_meson(build, suite, tally, label, patience, env=None):
    # Not the JUnit report: there a program that was killed or timed out has passed.
    report = TOP / build / f'meson-logs/{suite}.json'
    report.unlink(missing_ok=True)
    before = tally.failed
    done = run('meson', 'test', '-C', build, '--no-rebuild', '--suite', suite,
               '--logbase', suite, '-t', str(patience), env=env)
    if report.exists():
        for line in report.read_text().splitlines():
            program = json.loads(line)
            result = 'PASS' if program['result'] == 'OK' else program['result']
            count_program(f'{label}/{program["name"].rpartition(" / ")[2]}', result,
                          program.get('stdout', '') + program.get('stderr', ''), tally)
    if done.returncode and tally.failed == before:
        tally.fail(f'{label}: meson test', done.stdout)


def run_sanitized(tally):
    """Reports go to files: Criterion shows nobody what its children print, and a
    leak is found only after a test has passed."""
    if not compile_tree('build-san', SANITIZE, tally):
        return
    reports = TOP / 'build-san/reports'
    shutil.rmtree(reports, ignore_errors=True)
    reports.mkdir()
    common = f'log_path={reports}/report:log_exe_name=1'
    env = dict(os.environ, UBSAN_OPTIONS=f'{common}:print_stacktrace=1',
               ASAN_OPTIONS=f'{common}:detect_stack_use_after_return=1')
    for suite in SANITIZED:
        run_meson('build-san', suite, tally, f'sanitize/{suite}', 20, env)
    for report in sorted(reports.iterdir()):
        text = report.read_text(errors='replace')
        tally.fail(f'sanitize/{report.name}', text.partition('Shadow bytes')[0])


def run_limited(path, env):
    """Runs one program and all it starts; both are gone when this returns."""
    if not os.access(path, os.X_OK):
        return 1, 'it may not be executed: chmod +x'
    with subprocess.Popen([path], cwd=TOP, env=env, text=True, errors='replace',
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, start_new_session=True) as child:
        try:
            out, _ = child.communicate(timeout=PROGRAM_LIMIT_S)
            return child.returncode, out
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            out, _ = child.communicate()
            return 1, f'{out}\nkilled after {PROGRAM_LIMIT_S} s'


def run_program(suite, path, tally):
    name = f'{suite}/{path.name}'
    if suite in AS_ROOT and os.geteuid() != 0:
        tally.skip(name, 'must be root to make network namespaces')
        return
    code, out = run_limited(path, dict(os.environ, BUILD=str(TOP / 'build')))
    result = {0: 'PASS', 77: 'SKIP'}.get(code, f'exit status {code}')
    count_program(name, result, out, tally)


def run_suite(suite, tally):
    if suite == 'sanitize':
        run_sanitized(tally)
        return
    if suite in meson_tests('build'):
        run_meson('build', suite, tally, suite, 4)
    for path in programs(suite):
        run_program(suite, path, tally)


def run_all(wanted, total):
    if not compile_tree('build', PLAIN, total):
        return
    known = meson_tests('build')
    there = [s for s in SUITES if s == 'sanitize' or s in known or programs(s)]
    for suite in wanted:
        if suite not in there:
            total.fail(suite, f'no such suite; there are: {" ".join(there)}')
    for suite in [s for s in there if not wanted or s in wanted]:
        tally, start = Tally(), time.time()
        run_suite(suite, tally)
        print(f'{suite:<20} {time.time() - start:6.1f} s   {tally}', flush=True)
        total.passed += tally.passed
        total.failed += tally.failed
        total.skipped += tally.skipped


def main(wanted):
    total = Tally()
    run_all(wanted, total)
    print(total)
    return 1 if total.failed or not total.passed else 0


sys.exit(main(sys.argv[1:]))
