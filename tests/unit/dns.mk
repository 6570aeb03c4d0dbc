# unit tests of milter/dns
UNIT_TESTS += tests/unit/dns_test
tests_unit_dns_test_SOURCES = tests/unit/dns_test.c tests/support/unit.h
tests_unit_dns_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_dns_test_LDADD = $(TEST_LIBS)

# SPF
UNIT_TESTS += tests/unit/spf_test
tests_unit_spf_test_SOURCES = tests/unit/spf_test.c tests/support/unit.h
tests_unit_spf_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_spf_test_LDADD = $(TEST_LIBS)

# Runs SPF over cases that scripts hand it; not a test by itself.
check_PROGRAMS += tests/unit/spf_cases
tests_unit_spf_cases_SOURCES = tests/unit/spf_cases.c
tests_unit_spf_cases_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_spf_cases_LDADD = $(MILTER_LIBS)

# Public suites through both engines; skips where they are not there.
SCRIPT_TESTS += tests/unit/spf_suite_test.py tests/unit/dns_hostile_test.py
