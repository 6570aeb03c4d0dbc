/*
 * switches - what operators flipped at run time, and until when
 *
 * Kept in STATE-DIRECTORY/switches.json, which is written aside and renamed, so
 * it survives a restart. A switch that the policy does not know (any more) is
 * kept and has no effect.
 */
#ifndef TOCSIN_DAEMON_SWITCHES_H
#define TOCSIN_DAEMON_SWITCHES_H

#include <stdint.h>

#include "base/list.h"
#include "base/status.h"
#include "language/program.h"

#define SWITCHES_FILE_NAME "switches.json"
#define SWITCHES_MAX       1000

struct switches_entry {
	const char *name;
	bool on;
	int64_t until_unix; /* 0: without an end */
	int64_t since_unix;
	const char *reason; /* "" without */
	const char *by;     /* "" unknown */
};

struct switches {
	LIST_OF(struct switches_entry) entries;
};

/* Reads the file into the arena; one that is not there is empty. TC_INVALID
 * when it is not of its form (then nothing is set), TC_SYSTEM with errno. */
enum tc_status switches_read(const char *state_directory, struct arena *arena,
    struct switches *switches_out);

/* Writes it whole. TC_SYSTEM with errno. */
enum tc_status switches_write(
    const char *state_directory, const struct switches *switches);

/* Sets one, replacing what was set before. TC_LIMIT: too many. */
enum tc_status switches_set(struct switches *switches, struct arena *arena,
    const struct switches_entry *entry);

/* Takes one out; false when it was not set. */
bool switches_clear(struct switches *switches, const char *name);

/* Takes out the first that ended by `now_unix`, into *ended_out; false when
 * there is none. */
bool switches_end_one(struct switches *switches, int64_t now_unix,
    struct switches_entry *ended_out);

/* NULL when it is not set by hand. */
const struct switches_entry *switches_find(
    const struct switches *switches, const char *name);

/* The position of each switch of the program, by index; freed with free().
 * NULL without memory. */
bool *switches_positions(const struct switches *switches,
    const struct program *program, int64_t now_unix);

#endif
