# unit tests of policy/base
UNIT_TESTS += tests/unit/base_test
tests_unit_base_test_SOURCES = tests/unit/base_test.c tests/support/unit.h
tests_unit_base_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_base_test_LDADD = $(TEST_LIBS)

UNIT_TESTS += tests/unit/url_canonical_test
tests_unit_url_canonical_test_SOURCES = tests/unit/url_canonical_test.c \
	tests/support/unit.h
tests_unit_url_canonical_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_url_canonical_test_LDADD = $(TEST_LIBS)
