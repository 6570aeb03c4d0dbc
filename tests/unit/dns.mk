# unit tests of milter/dns
UNIT_TESTS += tests/unit/dns_test
tests_unit_dns_test_SOURCES = tests/unit/dns_test.c tests/support/unit.h
tests_unit_dns_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_dns_test_LDADD = $(TEST_LIBS)
