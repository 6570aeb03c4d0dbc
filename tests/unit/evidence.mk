# unit tests of evidence, outcome and session
UNIT_TESTS += tests/unit/hop_test
tests_unit_hop_test_SOURCES = tests/unit/hop_test.c tests/support/unit.h
tests_unit_hop_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_hop_test_LDADD = $(TEST_LIBS)

UNIT_TESTS += tests/unit/outcome_test
tests_unit_outcome_test_SOURCES = tests/unit/outcome_test.c \
	tests/support/unit.h
tests_unit_outcome_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_outcome_test_LDADD = $(TEST_LIBS)

UNIT_TESTS += tests/unit/extensions_test
tests_unit_extensions_test_SOURCES = tests/unit/extensions_test.c \
	tests/support/unit.h
tests_unit_extensions_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_extensions_test_LDADD = $(TEST_LIBS)
