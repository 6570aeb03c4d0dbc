libtocsin_a_SOURCES += milter/tool/fetch.c milter/tool/fetch.h
