# sources of milter/outcome
libtocsin_a_SOURCES += \
	milter/outcome/alert.c milter/outcome/alert.h \
	milter/outcome/apply.c milter/outcome/apply.h \
	milter/outcome/conclude.c milter/outcome/conclude.h \
	milter/outcome/header_out.c milter/outcome/header_out.h \
	milter/outcome/journal.c milter/outcome/journal.h \
	milter/outcome/metrics.c milter/outcome/metrics.h \
	milter/outcome/record.c milter/outcome/record.h \
	milter/outcome/verdict_log.c milter/outcome/verdict_log.h
