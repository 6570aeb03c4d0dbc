# fuzz targets of message
FUZZ_TARGETS += tests/fuzz/mime_fuzz
tests_fuzz_mime_fuzz_SOURCES = tests/fuzz/mime_fuzz.c $(FUZZ_MAIN)
tests_fuzz_mime_fuzz_CPPFLAGS = $(TEST_CPPFLAGS)
tests_fuzz_mime_fuzz_LDADD = $(FUZZ_LIBS)
EXTRA_DIST += tests/fuzz/mime.dict
FUZZ_TARGETS += tests/fuzz/html_fuzz
tests_fuzz_html_fuzz_SOURCES = tests/fuzz/html_fuzz.c $(FUZZ_MAIN)
tests_fuzz_html_fuzz_CPPFLAGS = $(TEST_CPPFLAGS)
tests_fuzz_html_fuzz_LDADD = $(FUZZ_LIBS)
EXTRA_DIST += tests/fuzz/html.dict
FUZZ_TARGETS += tests/fuzz/url_fuzz
tests_fuzz_url_fuzz_SOURCES = tests/fuzz/url_fuzz.c $(FUZZ_MAIN)
tests_fuzz_url_fuzz_CPPFLAGS = $(TEST_CPPFLAGS)
tests_fuzz_url_fuzz_LDADD = $(FUZZ_LIBS)
EXTRA_DIST += tests/fuzz/url.dict
FUZZ_TARGETS += tests/fuzz/words_fuzz
tests_fuzz_words_fuzz_SOURCES = tests/fuzz/words_fuzz.c $(FUZZ_MAIN)
tests_fuzz_words_fuzz_CPPFLAGS = $(TEST_CPPFLAGS)
tests_fuzz_words_fuzz_LDADD = $(FUZZ_LIBS)
EXTRA_DIST += tests/fuzz/words.dict
FUZZ_TARGETS += tests/fuzz/addresses_fuzz
tests_fuzz_addresses_fuzz_SOURCES = tests/fuzz/addresses_fuzz.c $(FUZZ_MAIN)
tests_fuzz_addresses_fuzz_CPPFLAGS = $(TEST_CPPFLAGS)
tests_fuzz_addresses_fuzz_LDADD = $(FUZZ_LIBS)
EXTRA_DIST += tests/fuzz/addresses.dict
EXTRA_DIST += tests/fuzz/corpus/mime tests/fuzz/corpus/html \
	tests/fuzz/corpus/url tests/fuzz/corpus/words \
	tests/fuzz/corpus/addresses
