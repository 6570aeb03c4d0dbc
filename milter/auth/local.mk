# sources of milter/auth
libtocsin_a_SOURCES += \
	milter/auth/arc.h \
	milter/auth/auth_results.h \
	milter/auth/dkim_verify.h \
	milter/auth/dmarc.h
libtocsin_a_SOURCES += milter/auth/spf.h
