# Conformance and attack sets, played where they are at hand.
SCRIPT_TESTS += tests/conformance/conformance_test.py
EXTRA_DIST += tests/conformance/floor.txt \
	tests/conformance/held-wrong.txt \
	tests/conformance/tocsin.conf.in

# The authentication sets, played to the modules without a milter.
check_PROGRAMS += tests/conformance/auth_driver
tests_conformance_auth_driver_SOURCES = tests/conformance/auth_driver.c
tests_conformance_auth_driver_CPPFLAGS = $(TEST_CPPFLAGS)
tests_conformance_auth_driver_LDADD = $(MILTER_LIBS)
SCRIPT_TESTS += tests/conformance/auth_sets_test.py
