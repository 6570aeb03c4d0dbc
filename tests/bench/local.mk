# run_bench measures the cost of a message beside other milters.
EXTRA_DIST += tests/bench/run_bench tests/bench/tocsin.conf.in
