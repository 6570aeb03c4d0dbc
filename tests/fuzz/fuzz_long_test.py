#!/usr/bin/env python3
"""Every fuzz target for ten minutes (FUZZ_SECONDS): fuzz_test.py at length."""
import os
import runpy

os.environ.setdefault('FUZZ_SECONDS', '600')
runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'fuzz_test.py'), run_name='__main__')
