/*
 * regex - regular expressions that stop
 *
 * PCRE2 with UTF and Unicode properties, without its JIT (which needs memory
 * that is writable and executable), with limits on steps and depth. A pattern
 * that runs into them over a hostile text is REGEX_LIMIT, never a stall.
 */
#ifndef TOCSIN_LANGUAGE_REGEX_H
#define TOCSIN_LANGUAGE_REGEX_H

#include <stdint.h>

#include "base/arena.h"

struct regex;

struct regex_limits {
	uint32_t steps;      /* PCRE2's match limit */
	uint32_t depth;      /* its depth limit */
	uint32_t memory_kib; /* its heap limit */
	/* CPU time over one text, which gets 50 ns more for each octet. */
	int64_t time_ns;
	/* From when on nothing is matched any more, of all that a message is
	 * asked: both clocks must have passed (regex_deadline()). */
	int64_t end_coarse_ns, end_cpu_ns;
};

/* Defaults, and no end. */
extern const struct regex_limits regex_default_limits;

/* Sets the end to `total_ns` of this thread's CPU time from now. */
void regex_deadline(struct regex_limits *limits, int64_t total_ns);

enum regex_result {
	REGEX_NO,
	REGEX_YES,
	REGEX_LIMIT
};

/* Longest pattern, bytes. */
#define REGEX_PATTERN_MAX 4096

/* Compiles; NULL when it is no pattern, with what is wrong in problem
 * (constant size) and where in *offset_out (bytes). Free with regex_free(). */
struct regex *regex_new(
    struct slice pattern, bool fold, char problem[128], size_t *offset_out);
void regex_free(struct regex **regex);

/* The pattern as it was given, and whether it ignores case. */
struct slice regex_pattern(const struct regex *regex);
bool regex_folds(const struct regex *regex);

/* Looks for the pattern anywhere in `text` (any bytes: what is no UTF-8 does
 * not match). Safe from several threads at once. *start_out and *end_out (may
 * be NULL) tell where it matched. */
enum regex_result regex_match(const struct regex *regex, struct slice text,
    const struct regex_limits *limits, size_t *start_out, size_t *end_out);

#endif
