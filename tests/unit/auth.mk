# unit tests of milter/auth without SPF
UNIT_TESTS += tests/unit/dkim_test
tests_unit_dkim_test_SOURCES = tests/unit/dkim_test.c \
	tests/support/signer.c tests/support/signer.h tests/support/unit.h
tests_unit_dkim_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_dkim_test_LDADD = $(TEST_LIBS)

UNIT_TESTS += tests/unit/dmarc_test
tests_unit_dmarc_test_SOURCES = tests/unit/dmarc_test.c tests/support/unit.h
tests_unit_dmarc_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_dmarc_test_LDADD = $(TEST_LIBS)

UNIT_TESTS += tests/unit/auth_results_test
tests_unit_auth_results_test_SOURCES = tests/unit/auth_results_test.c \
	tests/support/unit.h
tests_unit_auth_results_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_auth_results_test_LDADD = $(TEST_LIBS)

UNIT_TESTS += tests/unit/arc_test
tests_unit_arc_test_SOURCES = tests/unit/arc_test.c \
	tests/support/signer.c tests/support/signer.h tests/support/unit.h
tests_unit_arc_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_arc_test_LDADD = $(TEST_LIBS)

UNIT_TESTS += tests/unit/canonical_test
tests_unit_canonical_test_SOURCES = tests/unit/canonical_test.c \
	tests/support/unit.h
tests_unit_canonical_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_canonical_test_LDADD = $(TEST_LIBS)

UNIT_TESTS += tests/unit/signing_key_test
tests_unit_signing_key_test_SOURCES = tests/unit/signing_key_test.c \
	tests/support/signer.c tests/support/signer.h tests/support/unit.h
tests_unit_signing_key_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_signing_key_test_LDADD = $(TEST_LIBS)
