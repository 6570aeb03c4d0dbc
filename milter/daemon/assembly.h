/*
 * assembly - puts generations together in the filter, and keeps them fresh
 *
 * A new generation is made when
 *
 *	a reload was asked for      new policy, lists; resolver and scanner only
 *	                            where their settings changed
 *	a list file changed         new lists
 *	the store was replaced      new store
 *	local.indicators changed    new overlay
 *	a switch was flipped        new positions
 *	a YARA file changed         new scanner
 *	a policy's patterns are     what searches for all of them in one pass
 *	  compiled, behind the swap
 *
 * All else is shared with the generation before. What cannot be read keeps what
 * is in force, with a line in the log. Used by one thread at a time.
 */
#ifndef TOCSIN_DAEMON_ASSEMBLY_H
#define TOCSIN_DAEMON_ASSEMBLY_H

#include "daemon/pattern_build.h"
#include "daemon/trial.h"
#include "daemon/watch.h"
#include "session/generation.h"

struct assembly {
	const char *configuration;
	int zygote; /* scanner_zygote_start(); -1: none */
	struct generation_slot *slot;
	struct limits *limits;
	/* What the newest generation is made of; a reference to each part. */
	struct generation_input input;
	unsigned long long scanner_signature;  /* 0: none yet */
	unsigned long long rules_taken;        /* rulesets_mark() in force */
	unsigned long long rules_seen;         /* at the last look */
	uint64_t stores_opened, stores_warmed; /* equal: the newest is warm */
	int64_t loaded_unix;
	int64_t resolver_retry_unix; /* 0: there is one */
	int64_t ends_told_unix; /* up to when ended rules have been logged */
	struct pattern_build patterns;
	char patterns_allowed[17]; /* program_hash() of a tried policy */
	struct generation_part *patterns_tried; /* policy; for comparing only */
	struct watch store_file;
	struct watch overlay_file;
	struct watch switches_file;
	struct watch *list_files; /* by list index */
};

/* Makes the first generation of a policy that is loaded already, taking it
 * over; `policy` is empty afterwards. False with lines in the log. */
bool assembly_begin(struct assembly *assembly, struct trial_policy *policy,
    uint64_t policy_generation);

/* Loads the configuration anew and swaps. On failure the old stays and
 * *text_out says why (malloc, may be NULL); on success it holds warnings. */
bool assembly_reload(
    struct assembly *assembly, uint64_t policy_generation, char **text_out);

/* The patterns of the policy of this hash have been made elsewhere: they can be
 * made here. */
void assembly_allow_patterns(struct assembly *assembly, const char *hash);

/* Looks at all files that may have changed, a stat(2) for each; swaps where
 * one has. Call it about once a second. */
void assembly_refresh(struct assembly *assembly);

/* The same for the store and the hand-added indicators alone, which have to
 * act within a second, and for compiled patterns: call it a few times in each.
 */
void assembly_refresh_indicators(struct assembly *assembly);

/* Lets go of everything; generations in use live on. */
void assembly_end(struct assembly *assembly);

const struct program *assembly_program(const struct assembly *assembly);

#endif
