# unit tests of milter/scanner
UNIT_TESTS += tests/unit/scanner_test
tests_unit_scanner_test_SOURCES = tests/unit/scanner_test.c tests/support/unit.h
tests_unit_scanner_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_scanner_test_LDADD = $(TEST_LIBS)
UNIT_TESTS += tests/unit/scanner_forms_test
tests_unit_scanner_forms_test_SOURCES = tests/unit/scanner_forms_test.c \
	tests/support/unit.h
tests_unit_scanner_forms_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_scanner_forms_test_LDADD = $(TEST_LIBS)
