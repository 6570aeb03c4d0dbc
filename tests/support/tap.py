"""Tests that speak TAP: cases are functions, their names are sentences.

    from tap import case, check, run, Skip

    @case('a held message stays in the hold queue')
    def held(bench):
        check(bench.queue(), [...])

    run(make_bench)
"""
import os
import sys
import time
import traceback

CASES = []


class Skip(Exception):
    """What a case needs is not there; the text says what."""


def case(name):
    def keep(function):
        CASES.append((name, function))
        return function
    return keep


def check(found, wanted, what='value'):
    if found != wanted:
        raise AssertionError(f'{what}: found {found!r}, wanted {wanted!r}')


def check_in(part, whole, what='text'):
    if part not in whole:
        shown = whole if len(whole) < 2000 else whole[:2000] + '…'
        raise AssertionError(f'{what}: {part!r} is not in {shown!r}')


def check_not_in(part, whole, what='text'):
    if part in whole:
        raise AssertionError(f'{what}: {part!r} is in {whole!r}')


def wait_for(ready, seconds=10.0, what='what was waited for'):
    """Calls `ready` until it returns something true, and returns that."""
    end = time.monotonic() + seconds
    while True:
        found = ready()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f'{what} did not come within {seconds:g} s')
        time.sleep(0.02)


def skip_all(why):
    print(f'1..0 # SKIP {why}')
    sys.exit(0)


def diag(text):
    for line in str(text).rstrip().splitlines():
        print('#', line)
    sys.stdout.flush()


def run(make=None, on_failure=None):
    """Runs all cases; `make` builds what each gets as argument (a context
    manager, made once). `on_failure(bench)` returns text worth seeing."""
    wanted = os.environ.get('CASES', '').split(',') if os.environ.get('CASES') else []
    cases = [c for c in CASES if not wanted or any(w in c[0] for w in wanted)]
    failed = 0
    print(f'1..{len(cases)}')
    sys.stdout.flush()
    if make is None:
        failed = run_cases(cases, None, on_failure)
    else:
        try:
            manager = make()
            bench = manager.__enter__()
        except Skip as why:
            for number, (name, _) in enumerate(cases, 1):
                print(f'ok {number} - {name} # SKIP {why}')
            sys.exit(0)
        try:
            failed = run_cases(cases, bench, on_failure)
        finally:
            manager.__exit__(None, None, None)
    sys.exit(1 if failed else 0)


def run_cases(cases, bench, on_failure):
    failed = 0
    for number, (name, function) in enumerate(cases, 1):
        start = time.monotonic()
        try:
            if bench is None:
                function()
            else:
                function(bench)
        except Skip as why:
            print(f'ok {number} - {name} # SKIP {why}')
        except Exception:
            failed += 1
            print(f'not ok {number} - {name}')
            diag(traceback.format_exc())
            if on_failure is not None:
                try:
                    diag(on_failure(bench))
                except Exception as problem:
                    diag(f'and no more is known: {problem}')
        else:
            print(f'ok {number} - {name} ({time.monotonic() - start:.1f} s)')
        sys.stdout.flush()
    return failed
