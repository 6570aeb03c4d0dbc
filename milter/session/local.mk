# sources of milter/session
libtocsin_a_SOURCES += milter/session/flow.h milter/session/limits.c milter/session/limits.h \
	milter/session/session.h
