/*
 * spf_cases - runs SPF over cases from standard input
 *
 *	spf_cases [-e native|libspf2] [-s SERVER [-t TRUST_ANCHOR]]
 *	    [-d DEADLINE_MS]
 *
 * Input, fields separated by tabs, octets as %XX where they are not plain:
 *
 *	zone		the lines up to one that says "end" are a zone text
 *	case	ID	CLIENT	HELO	SENDER	[RECEIVER]
 *
 * Output, one line per case, in the same form:
 *
 *	ID RESULT IDENTITY EXPLANATION QUESTIONS MS up|down PROBLEM
 *
 * Without -s the questions are answered by the zone read last; -t validates.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "auth/spf.h"
#include "base/builder.h"
#include "dns/lookups.h"
#include "dns/resolver_zone.h"

static enum spf_engine engine = SPF_ENGINE_NATIVE;
static unsigned deadline_ms = 15000;
static struct resolver *resolver;
static bool from_server;

static void
stop(const char *what, const char *about)
{
	fprintf(stderr, "spf_cases: %s %s\n", what, about);
	exit(1);
}

static struct slice
decode(struct arena *arena, struct slice text)
{
	struct builder builder = builder_make(arena, SIZE_MAX);

	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] == '%' && i + 2 < text.length) {
			builder_byte(&builder,
			    (char)(ascii_hex_value(text.data[i + 1]) * 16 +
				   ascii_hex_value(text.data[i + 2])));
			i += 2;
		} else {
			builder_byte(&builder, text.data[i]);
		}
	}
	return builder_result(&builder);
}

static void
print_encoded(struct slice text)
{
	putchar('\t');
	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if (c <= 0x20 || c > 0x7e || c == '%')
			printf("%%%02X", c);
		else
			putchar(c);
	}
}

static void
read_zone(void)
{
	struct arena *arena = arena_new(0, NULL);
	struct builder text = builder_make(arena, SIZE_MAX);
	char problem[RESOLVER_PROBLEM_MAX];
	char *line = NULL;
	size_t size = 0;
	ssize_t length;

	while ((length = getline(&line, &size, stdin)) > 0 &&
	       strcmp(line, "end\n") != 0)
		builder_slice(&text, slice_make(line, (size_t)length));
	if (!from_server) {
		resolver_free(&resolver);
		resolver = resolver_zone_new(builder_result(&text), problem);
		if (resolver == NULL)
			stop("bad zone:", problem);
	}
	free(line);
	arena_free(&arena);
}

static void
run_case(struct arena *arena, const struct slice *fields)
{
	struct lookups_limits limits = LOOKUPS_LIMITS_DEFAULT;
	struct lookups *lookups;
	struct lookups_usage usage;
	struct spf_query query = { .helo = fields[3],
		.sender = fields[4],
		.receiver = fields[5],
		.now_unix = 1234567890 };
	struct spf_outcome outcome;
	struct spf_eval *eval;
	enum tc_status status;
	uint64_t start_ms = resolver_clock_ms();

	if (!ipaddr_parse(fields[2], &query.client))
		stop("bad address in case", fields[1].data);
	limits.deadline_ms = deadline_ms;
	lookups = lookups_new(arena, resolver, &limits);
	eval = spf_eval_new(arena, lookups, &query, NULL, engine);
	if (eval == NULL)
		stop("no memory in case", fields[1].data);
	while ((status = spf_eval_step(eval, &outcome)) == TC_AGAIN)
		lookups_wait(lookups, UINT64_MAX);
	if (status != TC_OK)
		stop(status_name(status), fields[1].data);
	lookups_usage_read(lookups, &usage);
	printf("%s\t%s\t%s", fields[1].data, spf_result_name(outcome.result),
	    spf_identity_name(outcome.identity));
	print_encoded(outcome.explanation);
	printf("\t%u\t%llu\t%s", usage.questions,
	    (unsigned long long)(resolver_clock_ms() - start_ms),
	    lookups_resolver_down(lookups) ? "down" : "up");
	print_encoded(outcome.problem);
	putchar('\n');
	lookups_free(&lookups);
}

static void
read_case(char *line)
{
	struct arena *arena = arena_new((size_t)8 << 20, NULL);
	struct slice rest = slice_trim(slice_text(line)), fields[6] = { 0 };

	for (int i = 0; i < 6 && rest.length > 0; i++) {
		struct slice head;

		rest = slice_split(rest, '\t', &head);
		fields[i] = arena_copy(arena, decode(arena, head));
		if (slice_equal_text(fields[i], "-"))
			fields[i].length = 0;
	}
	if (!slice_equal_text(fields[0], "case") || fields[4].data == NULL)
		stop("bad line", line);
	run_case(arena, fields);
	arena_free(&arena);
}

int
main(int argc, char **argv)
{
	char problem[RESOLVER_PROBLEM_MAX];
	struct resolver_settings settings = { 0 };
	char *line = NULL;
	size_t size = 0;
	int option;

	while ((option = getopt(argc, argv, "e:s:d:t:")) != -1) {
		if (option == 'e')
			engine = strcmp(optarg, "libspf2") == 0
				     ? SPF_ENGINE_LIBSPF2
				     : SPF_ENGINE_NATIVE;
		else if (option == 's')
			settings.server = optarg;
		else if (option == 't')
			settings.trust_anchor = optarg;
		else if (option == 'd')
			deadline_ms = (unsigned)atoi(optarg);
		else
			return 1;
	}
	settings.dnssec = settings.trust_anchor != NULL;
	from_server = settings.server != NULL;
	if (from_server) {
		resolver = resolver_open(&settings, problem);
		if (resolver == NULL)
			stop("no resolver:", problem);
	}
	while (getline(&line, &size, stdin) > 0) {
		if (strcmp(line, "zone\n") == 0)
			read_zone();
		else
			read_case(line);
		fflush(stdout);
	}
	free(line);
	resolver_free(&resolver);
	return 0;
}
