# sources of milter/evidence
libtocsin_a_SOURCES += \
	milter/evidence/authenticate.c milter/evidence/authenticate.h \
	milter/evidence/evidence.c milter/evidence/evidence.h \
	milter/evidence/examine.c milter/evidence/examine.h \
	milter/evidence/extensions.c milter/evidence/extensions.h \
	milter/evidence/facts_fill.c milter/evidence/facts_fill.h \
	milter/evidence/hop.c milter/evidence/hop.h \
	milter/evidence/inspect.c milter/evidence/inspect.h \
	milter/evidence/observe.c milter/evidence/observe.h \
	milter/evidence/recorded.c milter/evidence/recorded.h \
	milter/evidence/results.c milter/evidence/results.h
