#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "evidence/evidence.h"
#include "evidence/examine.h"
#include "evidence/facts_fill.h"
#include "language/explain.h"
#include "language/language_test.h"
#include "language/load.h"
#include "message/message.h"
#include "scanner/scanner.h"
#include "tool/tool.h"

#define MESSAGE_BYTES_MAX (100u << 20)

static const char usage[] =
    "Runs the `test` blocks of a policy. Tests never see live feeds, lists, DNS\n"
    "or the clock; a shadow rule is judged as if it were enforced.\n"
    "\n"
    "  -c, --config FILE  the configuration (default " SYSCONFDIR
    "/tocsin.conf)\n"
    "      --coverage     also list the rules that no test makes match\n"
    "      --json         the results as JSON\n"
    "  -v, --verbose      name the tests that pass as well\n"
    "  -h, --help         this text\n"
    "\n"
    "With NAMEs, only tests whose name holds one of them, or that expect\n"
    "something of a rule of that name. A test that fails shows the clauses of\n"
    "the rules that did otherwise than it expects. Exit status: 0 all\n"
    "passed, 1 some failed, 78 the policy does not load.\n";

struct options {
	const char *config;
	bool coverage, json, verbose;
};

/* What the callback needs to read a test's message. */
struct reader {
	const struct program *program;
	struct scanner *scanner; /* NULL: archives stay closed */
};

static const char *
read_message(const char *path, struct arena *arena, struct slice *raw_out)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	const char *problem = NULL;
	struct stat info;
	char *bytes = NULL;

	if (file < 0 || fstat(file, &info) != 0)
		problem = strerror(errno);
	else if (info.st_size > (off_t)MESSAGE_BYTES_MAX)
		problem = "larger than 100 MiB";
	else
		bytes = arena_alloc(arena, (size_t)info.st_size + 1);
	if (bytes != NULL &&
	    read(file, bytes, (size_t)info.st_size) != info.st_size)
		problem = "cannot be read whole";
	if (file >= 0)
		close(file);
	if (problem != NULL)
		return arena_printf(arena, "%s", problem); /* it names it */
	*raw_out = slice_make(bytes, (size_t)info.st_size);
	return bytes == NULL ? "no memory for the message" : NULL;
}

static void
take_envelope(struct evidence *evidence, struct evidence_connection *peer,
    const struct language_test_envelope *envelope)
{
	peer->has_ip = envelope->has_client;
	peer->ip = envelope->client;
	peer->helo = slice_text(envelope->helo);
	evidence->auth_user = slice_text(envelope->auth_user);
	evidence_set_sender(evidence, slice_text(envelope->mail_from));
	for (unsigned i = 0; i < envelope->recipient_count; i++)
		evidence_add_recipient(
		    evidence, slice_text(envelope->recipients[i]));
}

static void
take_hops(struct evidence *evidence)
{
	const struct header_list *headers = message_headers(evidence->message);

	for (size_t i = 0; i < headers->count; i++)
		if (slice_equal_text_fold(headers->items[i].name, "Received"))
			evidence_add_hop(evidence, headers->items[i].value);
}

/* Facts of a message at rest: what it holds and its envelope. Results of
 * authentication are what the test gives. */
static const char *
fill_facts(void *context, const char *path,
    const struct language_test_envelope *envelope, int64_t now,
    struct facts *facts)
{
	const struct reader *reader = context;
	struct arena *arena = facts->arena;
	struct facts_fill_source *source = arena_alloc(arena, sizeof *source);
	struct evidence_connection *peer = arena_alloc(arena, sizeof *peer);
	struct evidence *evidence;
	struct slice raw = { 0 };
	const char *problem = read_message(path, arena, &raw);

	if (problem != NULL)
		return problem;
	if (source == NULL || peer == NULL)
		return "no memory for the message";
	evidence =
	    evidence_new(arena, reader->program, NULL, peer, (time_t)now);
	if (evidence == NULL)
		return "no memory for the message";
	evidence->message =
	    message_new(arena, &message_limits_default, MESSAGE_NEED_ALL);
	if (evidence->message == NULL)
		return "no memory for the message";
	take_envelope(evidence, peer, envelope);
	message_parse_raw(evidence->message, raw);
	take_hops(evidence);
	evidence->size_bytes = raw.length;
	evidence_place(evidence);
	examine_parts(evidence, reader->scanner, NULL);
	source->evidence = evidence;
	return facts_fill_message(facts, source) == TC_OK
		   ? NULL
		   : "no memory for the facts";
}

struct outcome {
	unsigned passed, failed, skipped;
	bool first;
};

static void
print_json_text(const char *text)
{
	struct arena *arena = arena_new(0, NULL);
	struct builder out = builder_make(arena, SIZE_MAX);

	builder_json(&out, slice_text(text));
	fwrite(out.data, 1, out.length, stdout);
	arena_free(&arena);
}

/* Clause by clause, why rules did otherwise than the test expects. */
static void
explain(const struct language_test_result *result)
{
	const struct explain_options options = { .show_content = true,
		.names = result->unexpected,
		.name_count = result->unexpected_count };
	struct arena *arena = arena_new(0, NULL);
	struct builder out = builder_make(arena, SIZE_MAX);

	if (result->eval != NULL && result->unexpected_count > 0) {
		explain_print(result->eval, &options, &out);
		fwrite(out.data, 1, out.length, stdout);
	}
	arena_free(&arena);
}

static void
report(const struct options *options, struct outcome *outcome,
    const struct language_test_result *result)
{
	const char *word = result->skipped  ? "skipped"
			   : result->passed ? "passed"
					    : "failed";

	outcome->skipped += result->skipped;
	outcome->passed += !result->skipped && result->passed;
	outcome->failed += !result->skipped && !result->passed;
	if (options->json) {
		printf("%s{\"test\":\"", outcome->first ? "" : ",\n");
		print_json_text(result->name);
		printf("\",\"place\":\"");
		print_json_text(result->place);
		printf("\",\"result\":\"%s\",\"problem\":\"", word);
		print_json_text(result->problem);
		printf("\"}");
		outcome->first = false;
		return;
	}
	if (options->verbose || !result->passed) {
		printf("%s: %s: %s\n", result->place, word, result->name);
		if (result->problem[0] != '\0')
			printf("    %s\n", result->problem);
		explain(result);
	}
}

static bool
is_wanted(const struct program *program, unsigned index, const char *name,
    int count, char **names)
{
	for (int i = 0; i < count; i++)
		if (strstr(name, names[i]) != NULL ||
		    language_test_names(program, index, names[i]))
			return true;
	return count == 0;
}

static void
report_coverage(const struct program *program, const bool *covered)
{
	unsigned without = 0;

	for (unsigned i = 0; i < program_rule_count(program); i++) {
		struct arena *arena = arena_new(0, NULL);
		const struct program_rule *rule = program_rule(program, i);

		if (!covered[i]) {
			printf("%s: no test makes rule %s match\n",
			    program_rule_place(arena, rule), rule->name);
			without++;
		}
		arena_free(&arena);
	}
	printf("%u of %u rules are made to match by a test\n",
	    program_rule_count(program) - without, program_rule_count(program));
}

static int
run_tests(const struct program *program, const struct options *options,
    struct scanner *scanner, int count, char **names)
{
	struct reader reader = { .program = program, .scanner = scanner };
	struct language_test_options test_options = { .message = fill_facts,
		.context = &reader };
	bool *covered =
	    calloc(program_rule_count(program) + 1, sizeof *covered);
	struct outcome outcome = { .first = true };

	printf(options->json ? "[" : "");
	for (unsigned i = 0; i < language_test_count(program); i++) {
		struct arena *arena = arena_new(0, NULL);
		struct language_test_result result = { 0 };

		if (language_test_run(
			program, i, &test_options, arena, &result) == TC_OK &&
		    is_wanted(program, i, result.name, count, names)) {
			report(options, &outcome, &result);
			if (covered != NULL)
				language_test_cover(&result, covered);
		}
		arena_free(&arena);
	}
	printf(options->json ? "]\n" : "");
	if (!options->json) {
		if (options->coverage && covered != NULL)
			report_coverage(program, covered);
		printf("%u passed, %u failed", outcome.passed, outcome.failed);
		if (outcome.skipped > 0)
			printf(", %u skipped", outcome.skipped);
		printf("\n");
	}
	free(covered);
	/* A misspelt name must not look like a test that passed. */
	if (count > 0 &&
	    outcome.passed + outcome.failed + outcome.skipped == 0) {
		fprintf(stderr,
		    "tocsin test: no test has such a name, or expects anything of such a rule: %s\n",
		    names[0]);
		return EX_USAGE;
	}
	return outcome.failed > 0 ? 1 : EX_OK;
}

/* Loads the policy and prints what is wrong with it; NULL when it cannot be
 * used. */
static struct program *
load_policy(const char *path, struct arena *arena)
{
	struct load_options load = { .now = time(NULL), .no_lists = true };
	struct builder text = builder_make(arena, SIZE_MAX);
	struct diag diag = diag_make(arena, LOAD_ERRORS_MAX);
	struct program *program = load_file(path, &load, &diag);

	if (program == NULL) {
		diag_print_all(&diag, &text);
		fwrite(text.data, 1, text.length, stderr);
	}
	return program;
}

static int
test_policy(const struct options *options, int count, char **names)
{
	struct scanner_settings settings = scanner_settings_default();
	struct arena *arena = arena_new(0, NULL);
	struct diag diag = diag_make(arena, 10);
	struct scanner *scanner = NULL;
	int zygote = scanner_zygote_start();
	struct program *program = load_policy(options->config, arena);
	int status = EX_CONFIG;

	if (zygote >= 0)
		scanner_new(zygote, &settings, NULL, 0, &diag, &scanner);
	if (program != NULL)
		status = run_tests(program, options, scanner, count, names);
	scanner_free(&scanner);
	if (zygote >= 0)
		close(zygote);
	program_free(&program);
	arena_free(&arena);
	return status;
}

int
tool_test(int argc, char **argv)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "coverage", no_argument, NULL, 'C' },
		{ "json", no_argument, NULL, 'j' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct options options = { .config = TOOL_CONFIGURATION };
	int option;

	while ((option = getopt_long(argc, argv, "c:vh", known, NULL)) != -1) {
		switch (option) {
		case 'c':
			options.config = optarg;
			break;
		case 'C':
			options.coverage = true;
			break;
		case 'j':
			options.json = true;
			break;
		case 'v':
			options.verbose = true;
			break;
		case 'h':
			return tool_usage(
			    "test [-c FILE] [--coverage] [NAME...]", usage);
		default:
			return tool_misused("test", "unknown option");
		}
	}
	if (options.coverage && optind < argc)
		return tool_misused("test",
		    "--coverage counts what all tests reach: leave out the "
		    "names");
	return test_policy(&options, argc - optind, argv + optind);
}
