# fuzz targets of policy/indicator
FUZZ_TARGETS += tests/fuzz/stix_fuzz tests/fuzz/feed_fuzz tests/fuzz/store_fuzz
tests_fuzz_stix_fuzz_SOURCES = tests/fuzz/stix_fuzz.c $(FUZZ_MAIN)
tests_fuzz_stix_fuzz_CPPFLAGS = $(TEST_CPPFLAGS)
tests_fuzz_stix_fuzz_LDADD = $(FUZZ_LIBS)
tests_fuzz_feed_fuzz_SOURCES = tests/fuzz/feed_fuzz.c $(FUZZ_MAIN)
tests_fuzz_feed_fuzz_CPPFLAGS = $(TEST_CPPFLAGS)
tests_fuzz_feed_fuzz_LDADD = $(FUZZ_LIBS)
tests_fuzz_store_fuzz_SOURCES = tests/fuzz/store_fuzz.c $(FUZZ_MAIN)
tests_fuzz_store_fuzz_CPPFLAGS = $(TEST_CPPFLAGS)
tests_fuzz_store_fuzz_LDADD = $(FUZZ_LIBS)
EXTRA_DIST += tests/fuzz/stix.dict tests/fuzz/corpus/stix \
	tests/fuzz/corpus/feed tests/fuzz/corpus/store
