# sources of milter/evidence
libtocsin_a_SOURCES += milter/evidence/evidence.c milter/evidence/evidence.h \
	milter/evidence/hop.c milter/evidence/hop.h \
	milter/evidence/observe.h milter/evidence/facts_fill.h
libtocsin_a_SOURCES += milter/evidence/inspect.c milter/evidence/inspect.h
