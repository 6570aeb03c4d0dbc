/*
 * log_sink - where tocsind's lines go: syslog, standard error, as text or JSON
 *
 * In the foreground lines go to standard error. Where that is systemd's
 * journal they go to syslog instead, which ends in the same journal but keeps
 * the facility, so that mail.log has them. In the background they go to syslog.
 */
#ifndef TOCSIN_DAEMON_LOG_SINK_H
#define TOCSIN_DAEMON_LOG_SINK_H

#include <stdbool.h>

#include "base/log.h"

struct log_sink_settings {
	bool to_stderr;
	bool to_syslog;
	bool json;
	const char *facility; /* "mail", "daemon", "local0" ... */
	enum log_level level;
};

/* True when standard error is systemd's journal (JOURNAL_STREAM). */
bool log_sink_stderr_is_journal(void);

/* Directs log_write() there; again at each reload. */
void log_sink_set(const struct log_sink_settings *settings);

/* True when the word names a facility of syslog(3). */
bool log_sink_facility_known(const char *facility);

#endif
