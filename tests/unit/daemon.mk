# unit tests of daemon
UNIT_TESTS += tests/unit/daemon_test
tests_unit_daemon_test_SOURCES = tests/unit/daemon_test.c tests/support/unit.h
tests_unit_daemon_test_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_daemon_test_LDADD = $(TEST_LIBS)
