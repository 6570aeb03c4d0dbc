# sources of milter/daemon
libtocsin_a_SOURCES += milter/daemon/feeds.c milter/daemon/feeds.h
libtocsin_a_SOURCES += \
	milter/daemon/assembly.c milter/daemon/assembly.h \
	milter/daemon/backoff.c milter/daemon/backoff.h \
	milter/daemon/channel.c milter/daemon/channel.h \
	milter/daemon/control.c milter/daemon/control.h \
	milter/daemon/filter.c milter/daemon/filter.h \
	milter/daemon/log_sink.c milter/daemon/log_sink.h \
	milter/daemon/milter_socket.c milter/daemon/milter_socket.h \
	milter/daemon/notify.c milter/daemon/notify.h \
	milter/daemon/nudge.c milter/daemon/nudge.h \
	milter/daemon/options.c milter/daemon/options.h \
	milter/daemon/pattern_build.c milter/daemon/pattern_build.h \
	milter/daemon/privilege.c milter/daemon/privilege.h \
	milter/daemon/report.c milter/daemon/report.h \
	milter/daemon/rulesets.c milter/daemon/rulesets.h \
	milter/daemon/sandbox.c milter/daemon/sandbox.h \
	milter/daemon/settings_check.c milter/daemon/settings_check.h \
	milter/daemon/socket_address.c milter/daemon/socket_address.h \
	milter/daemon/start.c milter/daemon/start.h \
	milter/daemon/store_build.c milter/daemon/store_build.h \
	milter/daemon/store_grave.c milter/daemon/store_grave.h \
	milter/daemon/supervise.c milter/daemon/supervise.h \
	milter/daemon/switches.c milter/daemon/switches.h \
	milter/daemon/trial.c milter/daemon/trial.h \
	milter/daemon/version.c milter/daemon/version.h \
	milter/daemon/watch.c milter/daemon/watch.h

sbin_PROGRAMS += tocsind
tocsind_SOURCES = milter/daemon/main.c
tocsind_CPPFLAGS = $(MILTER_CPPFLAGS)
tocsind_LDADD = $(MILTER_LIBS)
