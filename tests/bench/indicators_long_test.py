#!/usr/bin/env python3
"""The indicator store at ten million: runs indicators_bench and shows what it
reports. It judges no time; it fails when the build or a look-up does.

INDICATORS names another number.
"""
import os
import subprocess
import tempfile

from tap import case, check, diag, run, skip_all

PROGRAM = os.path.join(os.environ.get('builddir', '.'), 'tests', 'bench', 'indicators_bench')


@case('a store of ten million is built, opened and asked')
def build():
    with tempfile.TemporaryDirectory(prefix='tocsin-long-') as folder:
        done = subprocess.run([PROGRAM, folder, os.environ.get('INDICATORS', '10000000')], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    diag(done.stdout)
    check(done.returncode, 0, 'exit status')


if not os.path.exists(PROGRAM):
    skip_all('indicators_bench is not built')
run()
