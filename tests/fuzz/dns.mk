# fuzz targets of dns and SPF
FUZZ_TARGETS += tests/fuzz/dns_fuzz tests/fuzz/spf_fuzz
tests_fuzz_dns_fuzz_SOURCES = tests/fuzz/dns_fuzz.c $(FUZZ_MAIN)
tests_fuzz_dns_fuzz_CPPFLAGS = $(TEST_CPPFLAGS)
tests_fuzz_dns_fuzz_LDADD = $(FUZZ_LIBS)
tests_fuzz_spf_fuzz_SOURCES = tests/fuzz/spf_fuzz.c $(FUZZ_MAIN)
tests_fuzz_spf_fuzz_CPPFLAGS = $(TEST_CPPFLAGS)
tests_fuzz_spf_fuzz_LDADD = $(FUZZ_LIBS)
EXTRA_DIST += tests/fuzz/dns.dict tests/fuzz/spf.dict \
	tests/fuzz/corpus/dns tests/fuzz/corpus/spf
