# sources of milter/tool: a subcommand is tool_NAME.c and a line in main.c
libtocsin_a_SOURCES += milter/tool/fetch.c milter/tool/fetch.h \
	milter/tool/fetch_http.c milter/tool/fetch_http.h \
	milter/tool/fetch_retry.c milter/tool/fetch_retry.h
libtocsin_a_SOURCES += milter/tool/control_client.c \
	milter/tool/control_client.h milter/tool/tool.c milter/tool/tool.h \
	milter/tool/tool_reload.c milter/tool/tool_set.c \
	milter/tool/tool_status.c
libtocsin_a_SOURCES += \
	milter/tool/tool_check.c milter/tool/tool_feeds.c milter/tool/engine.c milter/tool/engine.h \
	milter/tool/tool_fields.c milter/tool/tool_fmt.c milter/tool/tool_indicators.c milter/tool/tool_test.c \
	milter/tool/indicators_change.c milter/tool/indicators_change.h \
	milter/tool/indicators_report.c milter/tool/indicators_report.h
libtocsin_a_SOURCES += milter/tool/compare.c milter/tool/compare.h \
	milter/tool/judge.c milter/tool/judge.h
libtocsin_a_SOURCES += milter/tool/progress.c milter/tool/progress.h
libtocsin_a_SOURCES += milter/tool/mailbox.c milter/tool/mailbox.h \
	milter/tool/replay.c milter/tool/replay.h \
	milter/tool/scan_report.c milter/tool/scan_report.h \
	milter/tool/tool_hunt.c milter/tool/tool_scan.c

bin_PROGRAMS += tocsin
tocsin_SOURCES = milter/tool/main.c
tocsin_CPPFLAGS = $(MILTER_CPPFLAGS)
tocsin_LDADD = $(MILTER_LIBS)
