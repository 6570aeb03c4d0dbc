#!/usr/bin/env python3
"""Kills, reloads and load beside a real Postfix: survival_test.py with thirty
times its messages (TEST_LOAD)."""
import os
import runpy

os.environ.setdefault('TEST_LOAD', '30')
runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'survival_test.py'), run_name='__main__')
