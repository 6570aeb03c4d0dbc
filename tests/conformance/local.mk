# Conformance and attack sets, played where they are at hand.
SCRIPT_TESTS += tests/conformance/conformance_test.py
EXTRA_DIST += tests/conformance/floor.txt tests/conformance/tocsin.conf.in
