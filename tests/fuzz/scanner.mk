# fuzz target of scanner
FUZZ_TARGETS += tests/fuzz/scanner_fuzz
tests_fuzz_scanner_fuzz_SOURCES = tests/fuzz/scanner_fuzz.c $(FUZZ_MAIN)
tests_fuzz_scanner_fuzz_CPPFLAGS = $(TEST_CPPFLAGS)
tests_fuzz_scanner_fuzz_LDADD = $(FUZZ_LIBS)
EXTRA_DIST += tests/fuzz/scanner.dict tests/fuzz/corpus/scanner
