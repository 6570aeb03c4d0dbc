# sources of milter/outcome
libtocsin_a_SOURCES += milter/outcome/apply.h milter/outcome/journal.h \
	milter/outcome/metrics.c milter/outcome/metrics.h
