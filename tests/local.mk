# Tests: every test is a program or script that speaks TAP on its standard
# output. tests/support/run_tests runs them and ends with one line
# `N passed, N failed[, N skipped]`.
TEST_CPPFLAGS = $(MILTER_CPPFLAGS) -I$(top_srcdir)/tests
TEST_LIBS = $(MILTER_LIBS) $(CMOCKA_LIBS)

# Programs and scripts that `make check` runs, and those of `make check-long`.
UNIT_TESTS =
SCRIPT_TESTS =
LONG_TESTS =

include tests/support/local.mk
include tests/unit/local.mk
include tests/policy/local.mk
include tests/scenes/local.mk
include tests/integration/local.mk
include tests/conformance/local.mk
include tests/fuzz/local.mk
include tests/bench/local.mk
include tests/lint/local.mk

check_PROGRAMS += $(UNIT_TESTS)
EXTRA_DIST += $(SCRIPT_TESTS) $(LONG_TESTS)

TEST_ENVIRONMENT = srcdir='$(abs_top_srcdir)' builddir='$(abs_top_builddir)' \
	PYTHON3='$(PYTHON3)' FUZZ_TARGETS='$(FUZZ_TARGETS)' \
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH='$(abs_top_srcdir)/tests/support'

check-local: $(check_PROGRAMS)
	$(AM_V_at)$(TEST_ENVIRONMENT) $(PYTHON3) $(srcdir)/tests/support/run_tests \
		$(UNIT_TESTS) $(addprefix $(abs_top_srcdir)/,$(SCRIPT_TESTS))

# Load, kill and size runs, long fuzzing: hours. What needs no more than the
# daemon and the tool reports figures and judges no time.
check-long: check-programs
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) tests/bench/indicators_bench
	$(AM_V_at)$(TEST_ENVIRONMENT) $(PYTHON3) $(srcdir)/tests/support/run_tests \
		--timeout 14400 $(addprefix $(abs_top_srcdir)/,$(LONG_TESTS))

# Builds all that `make check` runs, without running it.
# In two steps, because `all` is a make of its own and would race for objects.
check-programs: all
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) $(check_PROGRAMS)

.PHONY: check-long check-programs

print-unit-tests:
	@echo $(UNIT_TESTS)
.PHONY: print-unit-tests

# The cmocka programs alone: no servers, no root.
check-units: $(UNIT_TESTS)
	$(AM_V_at)$(TEST_ENVIRONMENT) $(PYTHON3) $(srcdir)/tests/support/run_tests \
		$(UNIT_TESTS)
.PHONY: check-units

clean-local:
	-rm -rf test-logs fuzz-findings
.PHONY: clean-local
