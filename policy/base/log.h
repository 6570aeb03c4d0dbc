/*
 * log - where the programs' messages go
 *
 * Session, outcome, daemon and tool log; lower layers return. A message is one
 * line, queue id first where there is one; values from outside pass through
 * builder_printable() before they come here. The sink (syslog, stderr, JSON)
 * is set once at start.
 */
#ifndef TOCSIN_BASE_LOG_H
#define TOCSIN_BASE_LOG_H

enum log_level {
	LOG_LEVEL_ERROR,   /* somebody must act */
	LOG_LEVEL_WARNING, /* something is not as it should be, work goes on */
	LOG_LEVEL_NOTICE,  /* start, stop, reload, verdicts */
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

typedef void log_sink(void *context, enum log_level level, const char *line);

/* Sends all lines up to `level` to `sink` from now on. Call before threads
 * start. Without a sink lines go to stderr. */
void log_set_sink(log_sink *sink, void *context, enum log_level level);

/* Formats and sends one line; line breaks inside become blanks. */
void log_write(enum log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

const char *log_level_name(enum log_level level);

#endif
