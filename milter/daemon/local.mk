# sources of milter/daemon
libtocsin_a_SOURCES += milter/daemon/feeds.c milter/daemon/feeds.h
