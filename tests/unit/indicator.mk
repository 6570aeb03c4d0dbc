# unit tests of policy/indicator
UNIT_TESTS += tests/unit/indicator_normal_test
tests_unit_indicator_normal_test_SOURCES = tests/unit/indicator_normal_test.c \
	tests/support/unit.h
tests_unit_indicator_normal_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_indicator_normal_test_LDADD = $(TEST_LIBS)

UNIT_TESTS += tests/unit/indicator_stix_test
tests_unit_indicator_stix_test_SOURCES = tests/unit/indicator_stix_test.c \
	tests/support/unit.h
tests_unit_indicator_stix_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_indicator_stix_test_LDADD = $(TEST_LIBS)

UNIT_TESTS += tests/unit/indicator_match_test
tests_unit_indicator_match_test_SOURCES = tests/unit/indicator_match_test.c \
	tests/support/unit.h
tests_unit_indicator_match_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_indicator_match_test_LDADD = $(TEST_LIBS)

UNIT_TESTS += tests/unit/indicator_feed_test
tests_unit_indicator_feed_test_SOURCES = tests/unit/indicator_feed_test.c \
	tests/support/unit.h
tests_unit_indicator_feed_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_indicator_feed_test_LDADD = $(TEST_LIBS)

UNIT_TESTS += tests/unit/indicator_life_test
tests_unit_indicator_life_test_SOURCES = tests/unit/indicator_life_test.c \
	tests/support/unit.h
tests_unit_indicator_life_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_indicator_life_test_LDADD = $(TEST_LIBS)
