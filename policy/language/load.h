/*
 * load - from files to a program, or to a list of what is wrong with them
 *
 * Reads tocsin.conf and all that it includes, in order of names; relative paths
 * start at the folder of the file that names them. The parser recovers, so one
 * run reports all errors of all files (up to LOAD_ERRORS_MAX).
 */
#ifndef TOCSIN_LANGUAGE_LOAD_H
#define TOCSIN_LANGUAGE_LOAD_H

#include "base/diag.h"
#include "language/program.h"

#define LOAD_ERRORS_MAX 200

struct load_limits {
	size_t file_bytes_max;      /* one policy file */
	size_t list_file_bytes_max; /* one list file */
	unsigned files_max;
	unsigned rules_max;
	unsigned nodes_max; /* of all expressions together */
	unsigned nesting_max;
};

extern const struct load_limits load_default_limits;

struct load_options {
	const struct load_limits *limits; /* NULL: the defaults */
	bool strict;                      /* more warnings (`check --strict`) */
	bool
	    refuse_writable; /* files that group or others may write are errors,
			       * not warnings (run as a service) */
	bool no_lists;       /* don't read list files (tests) */
	int64_t now;         /* Unix seconds, for warnings about dates */
	/* What only the user of the settings can find out is said with what is
	 * wrong otherwise; NULL: nothing is. The program is whole but for what
	 * has an error. */
	void (*check)(const struct program *program, struct diag *diag);
};

/* Loads the configuration file at `path`. Returns the program, or NULL when
 * there was an error; either way `diag` holds what is to be said. The diag's
 * arena must outlive both. */
struct program *load_file(
    const char *path, const struct load_options *options, struct diag *diag);

/* As load_file for text in memory, named `name` in messages; relative paths
 * start at `folder`. For tests and the fuzzer. */
struct program *load_text(const char *name, struct slice text,
    const char *folder, const struct load_options *options, struct diag *diag);

#endif
