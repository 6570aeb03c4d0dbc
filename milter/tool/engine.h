/*
 * engine - the indicator engine as a subcommand opens it
 *
 * Loads the configuration, and on demand the store and the hand-added
 * indicators of its state directory, with messages on standard error that name
 * the remedy.
 */
#ifndef TOCSIN_TOOL_ENGINE_H
#define TOCSIN_TOOL_ENGINE_H

#include "daemon/feeds.h"
#include "indicator/match.h"

struct engine {
	const char *command; /* for messages: "indicators" */
	struct arena *arena;
	struct program *program;
	struct build_request request;
	struct store *store;     /* NULL: none yet */
	struct overlay *overlay; /* NULL: not opened */
	struct matcher *matcher; /* NULL: not opened */
	char author[64];         /* who runs the tool: "root", or by sudo */
};

/* Loads the configuration at `config`. Returns an exit status; EX_OK: the
 * engine is usable. */
int engine_open(struct engine *engine, const char *command, const char *config);

/* When root runs the tool, goes on as the user to whom the state directory
 * belongs: what is written there must be the daemon's to read and to replace,
 * and nothing that lies there can lead root anywhere else. Whatever writes
 * into the state directory calls this first; there is no other way.
 * EX_OK, or a status with a message. */
int engine_become_owner(struct engine *engine);

/* As engine_become_owner(), for what is written into feeds/ of the state
 * directory: that may belong to a user of its own. */
int engine_become_feeds_owner(struct engine *engine);

/* Opens the hand-added indicators alone; EX_OK, or a status with a message. */
int engine_open_overlay(struct engine *engine);

/* Opens store, overlay and matcher; EX_OK, or a status with a message. */
int engine_open_matcher(struct engine *engine);

void engine_close(struct engine *engine);

/* Reads "30d", "12h", "90m", "45s", "2w" into seconds; false when it is none. */
bool engine_parse_duration(const char *text, uint64_t *seconds_out);

/* Prints as the inside of a JSON string, or made safe for a terminal. */
void engine_print_json(struct slice text);
void engine_print_safe(struct slice text);

/* "2026-11-24 10:00 UTC", or `absent` for 0; in the arena. */
const char *engine_time_text(
    struct arena *arena, int64_t unix_time, const char *absent);

#endif
