/*
 * journal - one JSON line about every message, and the messages worth keeping
 *
 * Reads:    records (outcome/record.h), and messages that are to be kept
 * Produces: DIRECTORY/YYYY-MM-DD.jsonl (UTC day), one record per line, and
 *           DIRECTORY/REFERENCE.eml with REFERENCE.json for `preserve`
 *
 * Files are made with mode 0600 and opened O_APPEND | O_NOFOLLOW | O_CLOEXEC;
 * a record is one write(2), so records of several processes never mix. A
 * record that could not be written is counted (METRICS_JOURNAL_FAILED), logged
 * and never keeps mail from its way. Preserved messages count against a quota;
 * when it is used up preserving fails, loudly: nothing kept is ever evicted.
 * Thread-safe.
 */
#ifndef TOCSIN_OUTCOME_JOURNAL_H
#define TOCSIN_OUTCOME_JOURNAL_H

#include <stdint.h>
#include <time.h>

#include "base/arena.h"
#include "base/status.h"

struct evidence;
struct journal;

struct journal_settings {
	const char *directory;   /* exists; the journal never makes parents */
	bool no_records;         /* keeps messages all the same */
	unsigned retention_days; /* day files older than this go; 0: keep all */
	uint64_t preserve_quota_bytes; /* of preserved messages; 0: no limit */
};

/* Opens the journal; nothing is created before the first record. NULL without
 * memory. */
struct journal *journal_new(const struct journal_settings *settings);
void journal_free(struct journal **journal);

/* Takes other settings, but for the directory. */
void journal_configure(
    struct journal *journal, const struct journal_settings *settings);
/* Whether records are wanted at all. */
bool journal_wants_records(struct journal *journal);

/* Writes one record, in the file of now_unix's day. TC_SYSTEM: not written;
 * errno tells. */
enum tc_status journal_write(
    struct journal *journal, struct slice record, time_t now_unix);

/* Removes day files beyond the retention; cheap when it did so today. */
void journal_expire(struct journal *journal, time_t now_unix);

/* Keeps the raw message with its envelope: *path_out is where (in `arena`).
 * TC_LIMIT: the quota is used up; TC_SYSTEM: errno tells. */
enum tc_status journal_preserve(struct journal *journal, struct arena *arena,
    const struct evidence *evidence, const char **path_out);

#endif
