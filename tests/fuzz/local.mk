# Fuzz targets, one .mk per area. A target NAME is tests/fuzz/NAME_fuzz.c with
# LLVMFuzzerTestOneInput(); its corpus is tests/fuzz/corpus/NAME/, a dictionary
# may stand in tests/fuzz/NAME.dict. clang's sanitizer build links libFuzzer;
# other builds link driver.c, which replays the corpus and mutates it.
FUZZ_TARGETS =
if LIBFUZZER
FUZZ_MAIN =
FUZZ_LIBS = $(TEST_LIBS) $(FUZZER_LIBS)
else
FUZZ_MAIN = tests/fuzz/driver.c
FUZZ_LIBS = $(TEST_LIBS)
endif

include tests/fuzz/indicator.mk
include tests/fuzz/language.mk
include tests/fuzz/message.mk
include tests/fuzz/dns.mk
include tests/fuzz/auth.mk
include tests/fuzz/evidence.mk
include tests/fuzz/scanner.mk

check_PROGRAMS += $(FUZZ_TARGETS)
EXTRA_DIST += tests/fuzz/driver.c
SCRIPT_TESTS += tests/fuzz/fuzz_test.py
LONG_TESTS += tests/fuzz/fuzz_long_test.py
