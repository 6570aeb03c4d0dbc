# fuzz targets of language
FUZZ_TARGETS += tests/fuzz/policy_fuzz
tests_fuzz_policy_fuzz_SOURCES = tests/fuzz/policy_fuzz.c $(FUZZ_MAIN)
tests_fuzz_policy_fuzz_CPPFLAGS = $(TEST_CPPFLAGS)
tests_fuzz_policy_fuzz_LDADD = $(FUZZ_LIBS)
EXTRA_DIST += tests/fuzz/policy.dict \
	$(wildcard $(srcdir)/tests/fuzz/corpus/policy/*)
