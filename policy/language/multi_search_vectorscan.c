#include <config.h>

#include <hs/hs.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "language/multi_search.h"

/* Scratch memory that waits for its next use: as many as threads are likely to
 * search at once. More make their own. */
#define SCRATCHES 64
/* Patterns that look well one by one and fail together; after so many nothing
 * is compiled. */
#define DROPS_MAX 20

struct multi_search {
	hs_database_t *database;
	hs_scratch_t *prototype; /* to clone from; never used itself */
	_Atomic(hs_scratch_t *) scratches[SCRATCHES];
	size_t size;
};

/* The patterns that are left, as hs_compile_multi() wants them. */
struct job {
	const char **texts;
	unsigned *flags;
	unsigned *numbers;
	unsigned count;
};

static unsigned
flags_of(const struct multi_search_pattern *pattern)
{
	return HS_FLAG_SINGLEMATCH | (pattern->loose ? HS_FLAG_PREFILTER : 0);
}

static bool
is_pattern(const struct multi_search_pattern *pattern)
{
	hs_compile_error_t *error = NULL;
	hs_expr_info_t *info = NULL;
	bool good = hs_expression_info(pattern->text, flags_of(pattern), &info,
			&error) == HS_SUCCESS &&
		    info->min_width > 0;

	hs_free_compile_error(error);
	free(info);
	return good;
}

static bool
fill_job(struct arena *arena, struct job *job,
    struct multi_search_pattern *patterns, unsigned count)
{
	job->count = 0;
	job->texts = arena_alloc_array(arena, count + 1, sizeof *job->texts);
	job->flags = arena_alloc_array(arena, count + 1, sizeof *job->flags);
	job->numbers =
	    arena_alloc_array(arena, count + 1, sizeof *job->numbers);
	if (job->texts == NULL || job->flags == NULL || job->numbers == NULL)
		return false;
	for (unsigned i = 0; i < count; i++) {
		patterns[i].taken = is_pattern(&patterns[i]);
		if (!patterns[i].taken)
			continue;
		job->texts[job->count] = patterns[i].text;
		job->flags[job->count] = flags_of(&patterns[i]);
		job->numbers[job->count++] = i;
	}
	return job->count > 0;
}

static void
drop(struct job *job, unsigned at, struct multi_search_pattern *patterns)
{
	patterns[job->numbers[at]].taken = false;
	job->count--;
	for (unsigned i = at; i < job->count; i++) {
		job->texts[i] = job->texts[i + 1];
		job->flags[i] = job->flags[i + 1];
		job->numbers[i] = job->numbers[i + 1];
	}
}

static hs_database_t *
compile(struct job *job, struct multi_search_pattern *patterns)
{
	hs_database_t *database = NULL;

	for (unsigned drops = 0; job->count > 0 && drops < DROPS_MAX; drops++) {
		hs_compile_error_t *error = NULL;
		int failed;

		if (hs_compile_multi(job->texts, job->flags, job->numbers,
			job->count, HS_MODE_BLOCK, NULL, &database,
			&error) == HS_SUCCESS)
			return database;
		failed = error == NULL ? -1 : error->expression;
		hs_free_compile_error(error);
		if (failed < 0 || (unsigned)failed >= job->count)
			return NULL;
		drop(job, (unsigned)failed, patterns);
	}
	return NULL;
}

struct multi_search *
multi_search_new(
    struct arena *arena, struct multi_search_pattern *patterns, unsigned count)
{
	struct multi_search *search = calloc(1, sizeof *search);
	size_t scratch_size = 0;
	struct job job;

	if (search == NULL)
		return NULL;
	/* It needs a processor with SSSE3 or the like. */
	if (hs_valid_platform() == HS_SUCCESS &&
	    fill_job(arena, &job, patterns, count))
		search->database = compile(&job, patterns);
	if (search->database == NULL ||
	    hs_alloc_scratch(search->database, &search->prototype) !=
		HS_SUCCESS ||
	    hs_database_size(search->database, &search->size) != HS_SUCCESS ||
	    hs_scratch_size(search->prototype, &scratch_size) != HS_SUCCESS) {
		for (unsigned i = 0; i < count; i++)
			patterns[i].taken = false;
		multi_search_free(&search);
		return NULL;
	}
	search->size += scratch_size;
	return search;
}

void
multi_search_free(struct multi_search **search)
{
	if (*search == NULL)
		return;
	for (unsigned i = 0; i < SCRATCHES; i++)
		hs_free_scratch(atomic_load(&(*search)->scratches[i]));
	hs_free_scratch((*search)->prototype);
	hs_free_database((*search)->database);
	free(*search);
	*search = NULL;
}

/* One that nobody uses; NULL without memory. */
static hs_scratch_t *
take_scratch(struct multi_search *search)
{
	hs_scratch_t *scratch = NULL;

	for (unsigned i = 0; i < SCRATCHES && scratch == NULL; i++)
		scratch = atomic_exchange(&search->scratches[i], NULL);
	if (scratch == NULL &&
	    hs_clone_scratch(search->prototype, &scratch) != HS_SUCCESS)
		return NULL;
	return scratch;
}

static void
give_scratch(struct multi_search *search, hs_scratch_t *scratch)
{
	for (unsigned i = 0; i < SCRATCHES; i++) {
		hs_scratch_t *none = NULL;

		if (atomic_compare_exchange_strong(
			&search->scratches[i], &none, scratch))
			return;
	}
	hs_free_scratch(scratch);
}

static int
note(unsigned number, unsigned long long from, unsigned long long to,
    unsigned flags, void *context)
{
	uint64_t *found = context;

	(void)from;
	(void)to;
	(void)flags;
	found[number / 64] |= UINT64_C(1) << number % 64;
	return 0;
}

bool
multi_search_run(
    const struct multi_search *search, struct slice text, uint64_t *found)
{
	/* The pool of scratch memory is all that changes. */
	struct multi_search *own = (struct multi_search *)(uintptr_t)search;
	hs_scratch_t *scratch;
	hs_error_t result;

	if (text.length == 0)
		return true; /* no pattern matches nothing */
	if (text.length > UINT32_MAX)
		return false;
	scratch = take_scratch(own);
	if (scratch == NULL)
		return false;
	result = hs_scan(search->database, text.data, (unsigned)text.length, 0,
	    scratch, note, found);
	give_scratch(own, scratch);
	return result == HS_SUCCESS;
}

size_t
multi_search_size(const struct multi_search *search)
{
	return search->size;
}

const char *
multi_search_library(void)
{
	return hs_version();
}
