#include <config.h>

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "language/regex.h"

/* PCRE2 counts its steps anew at each place where a match could start, so its
 * limit alone bounds nothing over a long text. A callout at the start looks at
 * the thread's CPU time: what the limits give, and for each octet twenty times
 * what an ordinary pattern needs. */
#define BUDGET_NS_PER_BYTE 50
/* Up to here the limit on steps is bound enough, and asking for the time would
 * cost more than the match. */
#define SHORT_TEXT  64
#define WRAP_BEFORE "(?C1)(?:"
#define WRAP_AFTER  ")"

struct regex {
	pcre2_code *code;
	bool fold;
	size_t length;
	char pattern[]; /* as given */
};

const struct regex_limits regex_default_limits = {
	.steps = 100000,
	.depth = 1000,
	.memory_kib = 16000,
	.time_ns = 20000000,
	.end_coarse_ns = INT64_MAX,
	.end_cpu_ns = INT64_MAX,
};

/* When a match has to end, by both clocks. */
struct budget {
	int64_t end_coarse_ns, end_cpu_ns;
};

static int64_t
clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The coarse clock costs next to nothing; the exact one is asked only when
 * that says that time may be up. */
static bool
has_passed(int64_t end_coarse_ns, int64_t end_cpu_ns)
{
	return clock_ns(CLOCK_MONOTONIC_COARSE) > end_coarse_ns &&
	       clock_ns(CLOCK_THREAD_CPUTIME_ID) > end_cpu_ns;
}

void
regex_deadline(struct regex_limits *limits, int64_t total_ns)
{
	limits->end_coarse_ns = clock_ns(CLOCK_MONOTONIC_COARSE) + total_ns;
	limits->end_cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) + total_ns;
}

static int
check_budget(pcre2_callout_block *block, void *context)
{
	const struct budget *budget = context;

	(void)block;
	return has_passed(budget->end_coarse_ns, budget->end_cpu_ns)
		   ? PCRE2_ERROR_CALLOUT
		   : 0;
}

/* The earlier of what one text may take and of what a message may. */
static struct budget
budget_of(const struct regex_limits *limits, size_t length)
{
	int64_t allowed =
	    limits->time_ns + (int64_t)length * BUDGET_NS_PER_BYTE;
	struct budget budget = {
		.end_coarse_ns = clock_ns(CLOCK_MONOTONIC_COARSE) + allowed,
		.end_cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) + allowed,
	};

	if (limits->end_cpu_ns < budget.end_cpu_ns) {
		budget.end_cpu_ns = limits->end_cpu_ns;
		budget.end_coarse_ns = limits->end_coarse_ns;
	}
	return budget;
}

static pcre2_code *
compile(struct slice pattern, bool fold, int *error, size_t *offset)
{
	uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF |
			   PCRE2_NEVER_BACKSLASH_C;
	const char *text = pattern.data == NULL ? "" : pattern.data;
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	pcre2_code *code;

	if (context == NULL) {
		*error = PCRE2_ERROR_NOMEMORY;
		return NULL;
	}
	/* However the library was built: superset.h counts on it. */
	pcre2_set_newline(context, PCRE2_NEWLINE_LF);
	code = pcre2_compile((PCRE2_SPTR)text, pattern.length,
	    options | (fold ? PCRE2_CASELESS : 0), error, offset, context);
	pcre2_compile_context_free(context);
	return code;
}

/* The pattern with the callout before it. */
static pcre2_code *
compile_wrapped(struct slice pattern, bool fold, int *error, size_t *offset)
{
	size_t length =
	    pattern.length + strlen(WRAP_BEFORE) + strlen(WRAP_AFTER);
	char wrapped[REGEX_PATTERN_MAX + 16];

	snprintf(wrapped, sizeof wrapped, "%s", WRAP_BEFORE);
	if (pattern.length > 0)
		memcpy(wrapped + strlen(WRAP_BEFORE), pattern.data,
		    pattern.length);
	memcpy(wrapped + strlen(WRAP_BEFORE) + pattern.length, WRAP_AFTER,
	    strlen(WRAP_AFTER));
	return compile(slice_make(wrapped, length), fold, error, offset);
}

struct regex *
regex_new(
    struct slice pattern, bool fold, char problem[128], size_t *offset_out)
{
	struct regex *regex;
	pcre2_code *plain;
	int error = 0;

	*offset_out = 0;
	if (pattern.length > REGEX_PATTERN_MAX) {
		snprintf(
		    problem, 128, "longer than %d bytes", REGEX_PATTERN_MAX);
		return NULL;
	}
	regex = calloc(1, sizeof *regex + pattern.length);
	if (regex == NULL) {
		snprintf(problem, 128, "no memory");
		return NULL;
	}
	regex->fold = fold;
	regex->length = pattern.length;
	if (pattern.length > 0)
		memcpy(regex->pattern, pattern.data, pattern.length);
	/* Alone first: its errors and their places are what counts. */
	plain = compile(pattern, fold, &error, offset_out);
	if (plain != NULL)
		regex->code =
		    compile_wrapped(pattern, fold, &error, offset_out);
	pcre2_code_free(plain);
	if (regex->code != NULL)
		return regex;
	pcre2_get_error_message(error, (PCRE2_UCHAR *)problem, 128);
	free(regex);
	return NULL;
}

void
regex_free(struct regex **regex)
{
	if (*regex == NULL)
		return;
	pcre2_code_free((*regex)->code);
	free(*regex);
	*regex = NULL;
}

struct slice
regex_pattern(const struct regex *regex)
{
	return slice_make(regex->pattern, regex->length);
}

bool
regex_folds(const struct regex *regex)
{
	return regex->fold;
}

enum regex_result
regex_match(const struct regex *regex, struct slice text,
    const struct regex_limits *limits, size_t *start_out, size_t *end_out)
{
	pcre2_match_context *context = pcre2_match_context_create(NULL);
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	const char *bytes = text.data == NULL ? "" : text.data;
	enum regex_result result = REGEX_LIMIT;
	struct budget budget;
	int matched;

	if (context == NULL || data == NULL ||
	    has_passed(limits->end_coarse_ns, limits->end_cpu_ns))
		goto done;
	if (text.length > SHORT_TEXT) {
		budget = budget_of(limits, text.length);
		pcre2_set_callout(context, check_budget, &budget);
	}
	pcre2_set_match_limit(context, limits->steps);
	pcre2_set_depth_limit(context, limits->depth);
	pcre2_set_heap_limit(context, limits->memory_kib);
	matched = pcre2_match(
	    regex->code, (PCRE2_SPTR)bytes, text.length, 0, 0, data, context);
	if (matched >= 0) {
		const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(data);

		if (start_out != NULL)
			*start_out = ends[0];
		if (end_out != NULL)
			*end_out = ends[1];
		result = REGEX_YES;
	} else if (matched == PCRE2_ERROR_NOMATCH) {
		result = REGEX_NO;
	}
done:
	pcre2_match_data_free(data);
	pcre2_match_context_free(context);
	return result;
}
