#!/usr/bin/env python3
"""Runs every fuzz target on its corpus, then lets it look for FUZZ_SECONDS.

A target tests/fuzz/NAME_fuzz has its corpus in tests/fuzz/corpus/NAME and may
have a dictionary tests/fuzz/NAME.dict. The clang sanitizer build searches with
libFuzzer's guidance; other builds replay the corpus and mutate it blindly.
What breaks a target is kept in fuzz-findings/ of the build folder.

FUZZ_SECONDS per target: 20.
FUZZ_TARGETS names the targets; make sets it.
"""
import concurrent.futures
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from tap import diag, skip_all

SRC = os.environ.get('srcdir', os.path.abspath(os.path.join(os.path.dirname(__file__), '..', '..')))
BUILD = os.environ.get('builddir', os.path.join(SRC, 'build'))


def run_target(target, findings):
    """(name, exit status, last output)"""
    program = os.path.join(BUILD, target)
    name = os.path.basename(target).removesuffix('_fuzz')
    corpus, words = (os.path.join(SRC, 'tests', 'fuzz', *parts) for parts in (('corpus', name), (name + '.dict',)))
    seconds = os.environ.get('FUZZ_SECONDS') or '20'
    with tempfile.TemporaryDirectory() as found:
        command = [program, f'-max_total_time={seconds}', '-timeout=20', '-rss_limit_mb=4096',
                   f'-artifact_prefix={findings}/{name}-', '-print_final_stats=1']
        if os.path.exists(words):
            command.append(f'-dict={words}')
        command.append(found)
        if os.path.isdir(corpus):
            command.append(corpus)
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=float(seconds) * 4 + 120, cwd=found)
        except subprocess.TimeoutExpired as late:
            return name, 'no end', (late.stdout or b'').decode('utf-8', 'replace')
    return name, done.returncode, done.stdout.decode('utf-8', 'replace')


def main():
    targets = os.environ.get('FUZZ_TARGETS', '').split()
    targets = [target for target in targets if os.path.exists(os.path.join(BUILD, target))]
    if not targets:
        skip_all('no fuzz target is built')
    findings = os.path.join(BUILD, 'fuzz-findings')
    os.makedirs(findings, exist_ok=True)
    failed = 0
    print(f'1..{len(targets)}', flush=True)
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get('TEST_JOBS', os.cpu_count() or 2))) as pool:
        jobs = [pool.submit(run_target, target, findings) for target in targets]
        for number, job in enumerate(concurrent.futures.as_completed(jobs), 1):
            name, status, output = job.result()
            runs = [line for line in output.splitlines() if 'number_of_executed_units' in line or 'Done ' in line]
            for line in runs[:1]:
                diag(f'{name}: {line.strip()}')
            if status == 0:
                print(f'ok {number} - {name} survives its fuzzing', flush=True)
                continue
            failed += 1
            print(f'not ok {number} - {name} ended with {status}', flush=True)
            diag('\n'.join(output.splitlines()[-60:]))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
