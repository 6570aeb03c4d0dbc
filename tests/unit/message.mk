# unit tests of message
UNIT_TESTS += tests/unit/message_test
tests_unit_message_test_SOURCES = tests/unit/message_test.c tests/support/unit.h
tests_unit_message_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_message_test_LDADD = $(TEST_LIBS)

UNIT_TESTS += tests/unit/noxxi_test
tests_unit_noxxi_test_SOURCES = tests/unit/noxxi_test.c tests/support/unit.h \
	tests/support/handed_over.c tests/support/handed_over.h
tests_unit_noxxi_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_noxxi_test_LDADD = $(TEST_LIBS)

EXTRA_PROGRAMS += tests/bench/message_bench
tests_bench_message_bench_SOURCES = tests/bench/message_bench.c
tests_bench_message_bench_CPPFLAGS = $(TEST_CPPFLAGS)
tests_bench_message_bench_LDADD = $(TEST_LIBS)

UNIT_TESTS += tests/unit/mime_test
tests_unit_mime_test_SOURCES = tests/unit/mime_test.c tests/support/unit.h
tests_unit_mime_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_mime_test_LDADD = $(TEST_LIBS)

UNIT_TESTS += tests/unit/message_address_test
tests_unit_message_address_test_SOURCES = tests/unit/message_address_test.c \
	tests/support/unit.h
tests_unit_message_address_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_message_address_test_LDADD = $(TEST_LIBS)

UNIT_TESTS += tests/unit/message_words_test
tests_unit_message_words_test_SOURCES = tests/unit/message_words_test.c \
	tests/support/unit.h
tests_unit_message_words_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_message_words_test_LDADD = $(TEST_LIBS)

UNIT_TESTS += tests/unit/message_html_test
tests_unit_message_html_test_SOURCES = tests/unit/message_html_test.c \
	tests/support/unit.h
tests_unit_message_html_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_message_html_test_LDADD = $(TEST_LIBS)

UNIT_TESTS += tests/unit/push_test
tests_unit_push_test_SOURCES = tests/unit/push_test.c tests/support/unit.h
tests_unit_push_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_push_test_LDADD = $(TEST_LIBS)

UNIT_TESTS += tests/unit/gmime_test
tests_unit_gmime_test_SOURCES = tests/unit/gmime_test.c tests/support/unit.h \
	$(OTHER_READER)
tests_unit_gmime_test_CPPFLAGS = $(TEST_CPPFLAGS) $(OTHER_READER_CPPFLAGS)
tests_unit_gmime_test_LDADD = $(TEST_LIBS) $(GMIME_LIBS)

UNIT_TESTS += tests/unit/torture_test
tests_unit_torture_test_SOURCES = tests/unit/torture_test.c tests/support/unit.h \
	tests/support/handed_over.c tests/support/handed_over.h
tests_unit_torture_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_torture_test_LDADD = $(TEST_LIBS)
