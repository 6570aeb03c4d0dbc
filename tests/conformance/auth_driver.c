/*
 * auth_driver - plays messages to the authentication modules, without a milter
 *
 * Reads cases from standard input and writes their results. A case is a list
 * of lines, some followed by octets:
 *
 *	case NAME
 *	engine native|libopendkim
 *	mode rfc9989|rfc7489
 *	now UNIX-SECONDS
 *	spf pass|temperror|fail DOMAIN
 *	zone LENGTH			(newline, octets: a zone text)
 *	header NAME-LENGTH VALUE-LENGTH	(newline, octets)
 *	body LENGTH			(newline, octets)
 *	run
 *
 * and its answer
 *
 *	NAME
 *	dkim RESULT DOMAIN REASON	(for each signature)
 *	arc RESULT SEALER REASON
 *	dmarc RESULT POLICY DOMAIN REASON
 *	.
 */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "auth/arc.h"
#include "auth/dkim_verify.h"
#include "auth/dmarc.h"
#include "dns/lookups.h"
#include "dns/resolver_zone.h"
#include "message/address.h"

#define HEADERS_MAX 10000

struct one_case {
	char name[256];
	enum dkim_verify_engine engine;
	uint64_t now_unix;
	enum dmarc_mode mode;
	struct dmarc_spf spf;
	char spf_domain[256];
	struct slice zone;
	struct slice body;
	struct header_list headers;
	struct arena *arena;
};

static void
die(const char *what)
{
	fprintf(stderr, "auth_driver: %s\n", what);
	exit(1);
}

static struct slice
read_octets(struct arena *arena, size_t length)
{
	char *data = arena_alloc(arena, length + 1);

	if (data == NULL || fread(data, 1, length, stdin) != length)
		die("input ends within octets");
	return slice_make(data, length);
}

static void
read_header(struct one_case *one, const char *line)
{
	size_t name_length, value_length;
	struct header_field *field;

	if (sscanf(line, "header %zu %zu", &name_length, &value_length) != 2)
		die("bad header line");
	field = list_grow(one->arena, (void **)&one->headers.items,
	    &one->headers.count, &one->headers.capacity, sizeof *field,
	    HEADERS_MAX);
	if (field == NULL)
		die("too many headers");
	field->name = read_octets(one->arena, name_length);
	field->value = read_octets(one->arena, value_length);
}

static void
read_spf(struct one_case *one, const char *line)
{
	char result[32];

	if (sscanf(line, "spf %31s %255s", result, one->spf_domain) != 2)
		die("bad spf line");
	one->spf.pass = strcmp(result, "pass") == 0;
	one->spf.temperror = strcmp(result, "temperror") == 0;
	one->spf.domain = slice_text(one->spf_domain);
}

static void
read_line(struct one_case *one, const char *line)
{
	char word[32] = "";
	size_t length = 0;

	if (sscanf(line, "case %255s", one->name) == 1)
		return;
	if (sscanf(line, "engine %31s", word) == 1)
		one->engine = strcmp(word, "native") == 0
				  ? DKIM_VERIFY_NATIVE
				  : DKIM_VERIFY_LIBOPENDKIM;
	else if (sscanf(line, "mode %31s", word) == 1)
		one->mode = strcmp(word, "rfc7489") == 0 ? DMARC_RFC7489
							 : DMARC_RFC9989;
	else if (sscanf(line, "now %" SCNu64, &one->now_unix) == 1)
		return;
	else if (strncmp(line, "spf ", 4) == 0)
		read_spf(one, line);
	else if (sscanf(line, "zone %zu", &length) == 1)
		one->zone = read_octets(one->arena, length);
	else if (sscanf(line, "body %zu", &length) == 1)
		one->body = read_octets(one->arena, length);
	else if (strncmp(line, "header ", 7) == 0)
		read_header(one, line);
	else
		die("unknown line");
}

static void
print_word(struct slice word)
{
	if (word.length == 0)
		printf(" -");
	else
		printf(" %.*s", (int)word.length, word.data);
}

static const struct dkim_verify_outcome *
run_dkim(struct one_case *one, struct lookups *lookups)
{
	struct dkim_verify_limits limits = DKIM_VERIFY_LIMITS_DEFAULT;
	struct dkim_verify *verify = dkim_verify_new(
	    one->arena, lookups, &limits, one->engine, one->now_unix);
	const struct dkim_verify_outcome *outcome = NULL;

	for (size_t i = 0; i < one->headers.count; i++)
		if (dkim_verify_header(verify, one->headers.items[i].name,
			one->headers.items[i].value) != TC_OK)
			die("header");
	if (dkim_verify_end_of_headers(verify) != TC_OK ||
	    dkim_verify_body(verify, one->body) != TC_OK ||
	    dkim_verify_end(verify, &outcome) != TC_OK)
		die("dkim");
	if (outcome->signatures.count == 0)
		printf("dkim none -\n");
	for (size_t i = 0; i < outcome->signatures.count; i++) {
		const struct dkim_signature *signature =
		    &outcome->signatures.items[i];

		printf("dkim %s", dkim_verify_result_name(signature->result));
		print_word(signature->domain);
		printf(" %s%s\n",
		    signature->reason == NULL ? "" : signature->reason,
		    signature->extended_after_length ? " (extended)" : "");
	}
	dkim_verify_free(&verify);
	return outcome;
}

static void
run_arc(struct one_case *one, struct lookups *lookups)
{
	struct arc_limits limits = ARC_LIMITS_DEFAULT;
	struct arc_verify *verify =
	    arc_verify_new(one->arena, lookups, &limits, one->now_unix);
	const struct arc_outcome *outcome = NULL;

	for (size_t i = 0; i < one->headers.count; i++)
		if (arc_verify_header(verify, one->headers.items[i].name,
			one->headers.items[i].value) != TC_OK)
			die("header");
	if (arc_verify_end_of_headers(verify) != TC_OK ||
	    arc_verify_body(verify, one->body) != TC_OK ||
	    arc_verify_end(verify, &outcome) != TC_OK)
		die("arc");
	printf("arc %s", arc_result_name(outcome->result));
	print_word(outcome->sealer);
	printf(" %s\n", outcome->reason == NULL ? "" : outcome->reason);
	arc_verify_free(&verify);
}

static void
run_dmarc(struct one_case *one, struct lookups *lookups,
    const struct dkim_verify_outcome *dkim)
{
	struct address_list from = { 0 };
	struct slice authors[2] = { 0 };
	struct dmarc_outcome outcome;
	struct dmarc_eval *eval;
	size_t count = 0;

	if (address_list_collect(one->arena, &one->headers, "From",
		&address_limits_default, &from) != TC_OK)
		die("from");
	if (from.count > 0)
		authors[count++] = from.items[0].domain;
	if (from.count > 1)
		authors[count++] = from.items[1].domain;
	eval = dmarc_eval_new(one->arena, lookups, authors, count, one->mode);
	if (eval == NULL ||
	    dmarc_eval_step(eval, &one->spf, dkim->signatures.items,
		dkim->signatures.count, &outcome) != TC_OK)
		die("dmarc");
	printf("dmarc %s %s", dmarc_result_name(outcome.result),
	    dmarc_policy_name(outcome.policy));
	print_word(outcome.author_domain);
	printf(" %s\n", outcome.reason);
}

static void
run(struct one_case *one)
{
	char problem[RESOLVER_PROBLEM_MAX];
	struct resolver *resolver = resolver_zone_new(one->zone, problem);
	const struct dkim_verify_outcome *dkim;
	struct lookups *lookups;

	if (resolver == NULL)
		die(problem);
	lookups = lookups_new(one->arena, resolver, NULL);
	printf("%s\n", one->name);
	dkim = run_dkim(one, lookups);
	run_arc(one, lookups);
	run_dmarc(one, lookups, dkim);
	printf(".\n");
	lookups_free(&lookups);
	resolver_free(&resolver);
}

int
main(void)
{
	struct one_case one = { .arena = arena_new(0, NULL) };
	char line[1024];

	while (fgets(line, sizeof line, stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strcmp(line, "run") != 0) {
			read_line(&one, line);
			continue;
		}
		run(&one);
		arena_free(&one.arena);
		one = (struct one_case){ .arena = arena_new(0, NULL) };
	}
	arena_free(&one.arena);
	return 0;
}
