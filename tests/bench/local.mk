# run_bench measures the cost of a message beside other milters.
EXTRA_DIST += tests/bench/run_bench tests/bench/tocsin.conf.in

# The indicator store at size: a report, not a test.
EXTRA_PROGRAMS += tests/bench/indicators_bench
tests_bench_indicators_bench_SOURCES = tests/bench/indicators_bench.c
tests_bench_indicators_bench_CPPFLAGS = $(TEST_CPPFLAGS)
tests_bench_indicators_bench_LDADD = $(MILTER_LIBS)
LONG_TESTS += tests/bench/indicators_long_test.py

# What rules cost: a report as well.
EXTRA_PROGRAMS += tests/bench/policy_bench
tests_bench_policy_bench_SOURCES = tests/bench/policy_bench.c
tests_bench_policy_bench_CPPFLAGS = $(TEST_CPPFLAGS)
tests_bench_policy_bench_LDADD = $(MILTER_LIBS)
EXTRA_DIST += tests/bench/policy_bench.py
# Ordinary mail beside senders with slow DNS, in a table.
LONG_TESTS += tests/bench/slow_senders_long_test.py

# How fast messages are read, beside GMime where that is there: a report.
EXTRA_PROGRAMS += tests/bench/mime_bench
tests_bench_mime_bench_SOURCES = tests/bench/mime_bench.c $(OTHER_READER)
tests_bench_mime_bench_CPPFLAGS = $(TEST_CPPFLAGS) $(OTHER_READER_CPPFLAGS)
tests_bench_mime_bench_LDADD = $(MILTER_LIBS) $(GMIME_LIBS)

# size_bench.py reports what a message costs by its size.
EXTRA_DIST += tests/bench/size_bench.py
