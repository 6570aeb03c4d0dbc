# unit tests of language
UNIT_TESTS += tests/unit/policy_language_test
tests_unit_policy_language_test_SOURCES = \
	tests/unit/policy_language_test.c tests/support/unit.h
tests_unit_policy_language_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_policy_language_test_LDADD = $(TEST_LIBS)
EXTRA_DIST += $(wildcard $(srcdir)/tests/policy/errors/*.policy) \
	$(wildcard $(srcdir)/tests/policy/errors/*.expected)
EXTRA_DIST += tests/policy/example/tocsin.conf \
	tests/policy/example/policy.d/10-breach.policy \
	tests/policy/example/policy.d/samples/lateral.eml \
	tests/policy/example/lists/stolen-accounts.txt \
	tests/policy/example/lists/partners.txt

UNIT_TESTS += tests/unit/policy_property_test
tests_unit_policy_property_test_SOURCES = \
	tests/unit/policy_property_test.c tests/support/unit.h
tests_unit_policy_property_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_policy_property_test_LDADD = $(TEST_LIBS)

UNIT_TESTS += tests/unit/pattern_set_test
tests_unit_pattern_set_test_SOURCES = \
	tests/unit/pattern_set_test.c tests/support/unit.h
tests_unit_pattern_set_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_pattern_set_test_LDADD = $(TEST_LIBS)

UNIT_TESTS += tests/unit/redos_test
tests_unit_redos_test_SOURCES = tests/unit/redos_test.c tests/support/unit.h
tests_unit_redos_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_redos_test_LDADD = $(TEST_LIBS)

UNIT_TESTS += tests/unit/policy_eval_test
tests_unit_policy_eval_test_SOURCES = \
	tests/unit/policy_eval_test.c tests/support/unit.h
tests_unit_policy_eval_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_policy_eval_test_LDADD = $(TEST_LIBS)
