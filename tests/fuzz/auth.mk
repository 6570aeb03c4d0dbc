# fuzz targets of milter/auth without SPF
FUZZ_TARGETS += tests/fuzz/dkim_fuzz
tests_fuzz_dkim_fuzz_SOURCES = tests/fuzz/dkim_fuzz.c $(FUZZ_MAIN)
tests_fuzz_dkim_fuzz_CPPFLAGS = $(TEST_CPPFLAGS)
tests_fuzz_dkim_fuzz_LDADD = $(FUZZ_LIBS)

FUZZ_TARGETS += tests/fuzz/dmarc_fuzz
tests_fuzz_dmarc_fuzz_SOURCES = tests/fuzz/dmarc_fuzz.c $(FUZZ_MAIN)
tests_fuzz_dmarc_fuzz_CPPFLAGS = $(TEST_CPPFLAGS)
tests_fuzz_dmarc_fuzz_LDADD = $(FUZZ_LIBS)

FUZZ_TARGETS += tests/fuzz/auth_results_fuzz
tests_fuzz_auth_results_fuzz_SOURCES = tests/fuzz/auth_results_fuzz.c \
	$(FUZZ_MAIN)
tests_fuzz_auth_results_fuzz_CPPFLAGS = $(TEST_CPPFLAGS)
tests_fuzz_auth_results_fuzz_LDADD = $(FUZZ_LIBS)

FUZZ_TARGETS += tests/fuzz/arc_fuzz
tests_fuzz_arc_fuzz_SOURCES = tests/fuzz/arc_fuzz.c $(FUZZ_MAIN)
tests_fuzz_arc_fuzz_CPPFLAGS = $(TEST_CPPFLAGS)
tests_fuzz_arc_fuzz_LDADD = $(FUZZ_LIBS)

FUZZ_TARGETS += tests/fuzz/dkim_engines_fuzz
tests_fuzz_dkim_engines_fuzz_SOURCES = tests/fuzz/dkim_engines_fuzz.c \
	tests/support/signer.c tests/support/signer.h $(FUZZ_MAIN)
tests_fuzz_dkim_engines_fuzz_CPPFLAGS = $(TEST_CPPFLAGS)
tests_fuzz_dkim_engines_fuzz_LDADD = $(FUZZ_LIBS)

EXTRA_DIST += tests/fuzz/dkim.dict tests/fuzz/dmarc.dict \
	tests/fuzz/auth_results.dict tests/fuzz/arc.dict \
	tests/fuzz/dkim_engines.dict \
	tests/fuzz/corpus/dkim tests/fuzz/corpus/dmarc \
	tests/fuzz/corpus/auth_results tests/fuzz/corpus/arc \
	tests/fuzz/corpus/dkim_engines
