# fuzz targets of evidence
FUZZ_TARGETS += tests/fuzz/hop_fuzz
tests_fuzz_hop_fuzz_SOURCES = tests/fuzz/hop_fuzz.c $(FUZZ_MAIN)
tests_fuzz_hop_fuzz_CPPFLAGS = $(TEST_CPPFLAGS)
tests_fuzz_hop_fuzz_LDADD = $(FUZZ_LIBS)
EXTRA_DIST += tests/fuzz/hop.dict \
	tests/fuzz/corpus/hop/postfix tests/fuzz/corpus/hop/exim \
	tests/fuzz/corpus/hop/qmail tests/fuzz/corpus/hop/sendmail
