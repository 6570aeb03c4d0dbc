# sources of milter/session
libtocsin_a_SOURCES += \
	milter/session/callbacks.c milter/session/callbacks.h \
	milter/session/flow.c milter/session/flow.h \
	milter/session/generation.c milter/session/generation.h \
	milter/session/limits.c milter/session/limits.h \
	milter/session/session.c milter/session/session.h
