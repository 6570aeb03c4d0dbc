# What the house asks of its code, held by machine.
SCRIPT_TESTS += tests/lint/lint_test.py
