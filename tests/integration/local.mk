# A real Postfix, a scripted DNS and tocsind together.
SCRIPT_TESTS += \
	tests/integration/actions_test.py \
	tests/integration/attack_test.py \
	tests/integration/bombs_test.py \
	tests/integration/content_test.py \
	tests/integration/daemon_test.py \
	tests/integration/documents_test.py \
	tests/integration/explain_test.py \
	tests/integration/feeds_test.py \
	tests/integration/indicators_daemon_test.py \
	tests/integration/indicators_data_test.py \
	tests/integration/indicators_evasion_test.py \
	tests/integration/indicators_hidden_test.py \
	tests/integration/indicators_input_test.py \
	tests/integration/input_test.py \
	tests/integration/package_test.py \
	tests/integration/readings_test.py \
	tests/integration/scan_test.py \
	tests/integration/scanner_daemon_test.py \
	tests/integration/sendmail_test.py \
	tests/integration/slow_dns_test.py \
	tests/integration/survival_test.py
EXTRA_DIST += tests/integration/bench.py tests/integration/scan_bench.py tests/integration/load.py
LONG_TESTS += tests/integration/survival_long_test.py

# tocsind with workers that obey attachments.
check_PROGRAMS += tests/integration/rogue_tocsind
tests_integration_rogue_tocsind_SOURCES = milter/daemon/main.c \
	tests/integration/rogue.c
if VECTORSCAN
tests_integration_rogue_tocsind_SOURCES += tests/integration/rogue_patterns.c
endif
tests_integration_rogue_tocsind_CPPFLAGS = $(MILTER_CPPFLAGS)
tests_integration_rogue_tocsind_LDADD = $(MILTER_LIBS)
