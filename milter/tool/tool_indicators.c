#include <config.h>

#include <cjson/cJSON.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "indicator/normal.h"
#include "language/moment.h"
#include "tool/control_client.h"
#include "tool/engine.h"
#include "tool/indicators_change.h"
#include "tool/indicators_report.h"
#include "tool/progress.h"
#include "tool/tool.h"

#define KINDS_FIRST \
	"address domain url network md5 sha1 sha256 sha512 filename subject"
#define KINDS_LAST "mailer message-id"

static const char usage[] =
    "  build               read all feeds and put a new store into force\n"
    "  verify              check the store's every byte\n"
    "  stat                what the store holds, by feed and kind\n"
    "  query VALUE|ID      which indicators match VALUE or have that ID, and\n"
    "                      would they act; since when one is revoked\n"
    "  pattern PATTERN OBSERVED.json\n"
    "                      evaluate a STIX pattern: true, false or unknown\n"
    "  add KIND VALUE      add one by hand; acts within a second\n"
    "  remove KIND VALUE   take a hand-added one back; with --mask hide the\n"
    "                      value in all feeds as well\n"
    "  list                the hand-added ones\n"
    "  suppressed          what warninglists and safety rules took out, and why\n"
    "  explain FEED        read one feed now and say what would become of it\n"
    "\n"
    "  -c, --config FILE   the configuration (default " SYSCONFDIR
    "/tocsin.conf)\n"
    "      --json          results as JSON\n"
    "  -k, --kind KIND     query: what VALUE is (default: guessed)\n"
    "      --severity LEVEL, --confidence N, --expire DURATION|DATE,\n"
    "      --tlp COLOUR, --tag TAG, --description TEXT\n"
    "                      add: what is known of it; without: severity high,\n"
    "                      confidence 100, until it is removed\n"
    "      --force         add: although it would match too much\n"
    "      --mask          remove: hide the value in all feeds\n"
    "      --accept FEED   build: take a feed that has shrunk, is empty or has\n"
    "                      gone back to older versions\n"
    "  -h, --help          this text\n"
    "\n"
    "Kinds: " KINDS_FIRST "\n" KINDS_LAST ".\n";

static const struct option known_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "json", no_argument, NULL, 'j' },
	{ "kind", required_argument, NULL, 'k' },
	{ "severity", required_argument, NULL, 's' },
	{ "confidence", required_argument, NULL, 'C' },
	{ "expire", required_argument, NULL, 'e' },
	{ "tlp", required_argument, NULL, 't' },
	{ "tag", required_argument, NULL, 'g' },
	{ "description", required_argument, NULL, 'd' },
	{ "mask", no_argument, NULL, 'm' },
	{ "force", no_argument, NULL, 'f' },
	{ "accept", required_argument, NULL, 'a' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

/* A filter that does not answer at once is not waited for. */
#define ASK_TIMEOUT_S 5

struct options {
	const char *config;
	const char *accept; /* a feed, or NULL */
	bool json, mask, help;
	bool has_kind;
	enum indicator_kind kind;
	struct overlay_change change;
	char tags[1024]; /* joined by '\n' */
};

static int
misused(const char *option)
{
	return tool_misused(
	    "indicators", "%s does not take \"%s\"", option, optarg);
}

static bool
add_tag(struct options *options, const char *tag)
{
	size_t used = strlen(options->tags);

	return snprintf(options->tags + used, sizeof options->tags - used,
		   "%s%s", used > 0 ? "\n" : "",
		   tag) < (int)(sizeof options->tags - used);
}

/* --expire: a duration, or a time as elsewhere; it has to lie ahead. */
static int
take_end(struct options *options)
{
	int64_t now = (int64_t)time(NULL), *end = &options->change.expires_unix;
	uint64_t seconds;

	if (engine_parse_duration(optarg, &seconds))
		*end = now + (int64_t)seconds;
	else if (!moment_parse(slice_text(optarg), true, end))
		return tool_misused("indicators",
		    "--expire takes a duration (12h, 30d) or a date "
		    "(2027-01-31), not \"%s\"",
		    optarg);
	return *end > now ? EX_OK
			  : tool_misused("indicators",
				"--expire %s is over already", optarg);
}

/* Takes one option; EX_OK, or a status with a message. */
static int
take_option(struct options *options, int option)
{
	struct slice text = slice_text(optarg);
	unsigned long number;

	switch (option) {
	case 'c':
		options->config = optarg;
		return EX_OK;
	case 'a':
		options->accept = optarg;
		return EX_OK;
	case 'j':
		options->json = true;
		return EX_OK;
	case 'm':
		options->mask = true;
		return EX_OK;
	case 'h':
		options->help = true;
		return EX_OK;
	case 'd':
		options->change.description = text;
		return EX_OK;
	case 'k':
		options->has_kind = indicator_kind_parse(text, &options->kind);
		return options->has_kind ? EX_OK : misused("--kind");
	case 's':
		return indicator_severity_parse(text, &options->change.severity)
			   ? EX_OK
			   : misused("--severity");
	case 't':
		return indicator_tlp_parse(text, &options->change.tlp)
			   ? EX_OK
			   : misused("--tlp");
	case 'e':
		return take_end(options);
	case 'f':
		options->change.force = true;
		return EX_OK;
	case 'g':
		return add_tag(options, optarg) ? EX_OK : misused("--tag");
	case 'C':
		if (!slice_parse_number(text, 100, &number))
			return misused("--confidence");
		options->change.confidence = (uint8_t)number;
		return EX_OK;
	default:
		return tool_misused("indicators", "unknown option");
	}
}

/* What writing an octet of the store costs beside reading one of a feed. */
#define WRITE_WEIGHT 0.5

/* Which part of a build is done; the store is about as large as its feeds
 * before there is one to measure. */
static double
part_done(const struct build_progress *build)
{
	double read = (double)build->bytes, to_read = (double)build->to_read;
	double to_write =
	    build->to_write > 0 ? (double)build->to_write : to_read;

	if (build->to_read == 0)
		return 0;
	if (read > to_read)
		read = to_read; /* a feed has grown meanwhile */
	return (read + (double)build->written * WRITE_WEIGHT) /
	       (to_read + to_write * WRITE_WEIGHT);
}

static bool
show_build(void *context, const struct build_progress *build)
{
	struct progress *progress = context;
	double seconds;

	if (!progress_is_due(progress))
		return true;
	seconds = progress_seconds(progress);
	if (build->to_write > 0)
		progress_show(progress, "writing the store", part_done(build),
		    "%.0f of %.0f MB", (double)build->written / 1e6,
		    (double)build->to_write / 1e6);
	else
		progress_show(progress, build->feed, part_done(build),
		    "%llu indicators, %.0f a second, %.0f MB/s",
		    (unsigned long long)build->indicators,
		    (double)build->indicators / seconds,
		    (double)build->bytes / 1e6 / seconds);
	return true;
}

static bool
is_feed(const struct engine *engine, const char *name)
{
	for (size_t i = 0; name != NULL && i < engine->request.feed_count; i++)
		if (strcmp(engine->request.feeds[i].name, name) == 0)
			return true;
	return name == NULL;
}

/* A running tocsind with other settings builds its own store again, which
 * would undo this one without a word. */
static void
tell_other_settings(const struct engine *engine, const char *config)
{
	struct cJSON *request = cJSON_CreateObject(), *reply;
	const cJSON *sum, *folder;
	char path[256];

	cJSON_AddStringToObject(request, "request", "status");
	if (!control_client_path(NULL, config, path, sizeof path)) {
		cJSON_Delete(request);
		return;
	}
	reply = control_client_ask(NULL, path, request, ASK_TIMEOUT_S);
	sum = cJSON_GetObjectItem(reply, "store-settings");
	folder = cJSON_GetObjectItem(reply, "state-directory");
	if (cJSON_IsNumber(sum) && sum->valuedouble != 0 &&
	    cJSON_IsString(folder) &&
	    strcmp(folder->valuestring, engine->request.state_directory) == 0 &&
	    (uint32_t)sum->valuedouble != engine->request.settings_sum)
		fprintf(stderr,
		    "tocsin indicators: the running tocsind has other settings "
		    "of feeds, warninglists, pins or own names loaded than %s "
		    "and builds the store again with those; `tocsin reload` "
		    "loads the new ones\n",
		    config);
	cJSON_Delete(reply);
}

static int
run_build(struct engine *engine, const struct options *options, char **words)
{
	struct progress progress = progress_begin();
	struct build_report report = { 0 };
	enum tc_status status;

	(void)words;
	if (!is_feed(engine, options->accept)) {
		fprintf(stderr,
		    "tocsin indicators: there is no feed \"%s\" in the "
		    "configuration\n",
		    options->accept);
		return EX_NOINPUT;
	}
	engine->request.accept = options->accept;
	if (progress.on) {
		engine->request.progress = show_build;
		engine->request.context = &progress;
	}
	status = build_run(engine->arena, &engine->request, &report);
	progress_end(&progress);
	indicators_report_build(&report,
	    feeds_without_warninglists(&engine->request, engine->arena),
	    options->json);
	if (status == TC_OK) {
		tell_other_settings(engine, options->config);
		return EX_OK;
	}
	fprintf(stderr, "tocsin indicators: no new store: %s\n",
	    report.problem != NULL ? report.problem
				   : "another build is under way");
	return status == TC_AGAIN ? EX_TEMPFAIL : EX_CANTCREAT;
}

static int
run_verify(struct engine *engine, const struct options *options, char **words)
{
	const char *problem = "";
	int status = engine_open_matcher(engine);

	(void)words;
	if (status != EX_OK)
		return status;
	if (engine->store == NULL)
		return EX_NOINPUT;
	if (!store_verify(engine->store, &problem)) {
		if (options->json)
			printf(
			    "{\"good\":false,\"problem\":\"%s\"}\n", problem);
		fprintf(stderr,
		    "tocsin indicators: the store is damaged: %s; `tocsin "
		    "indicators build` makes it anew\n",
		    problem);
		return EX_DATAERR;
	}
	printf(options->json
		   ? "{\"good\":true,\"generation\":%llu,\"indicators\":%u,"
		     "\"bytes\":%llu}\n"
		   : "good: generation %llu, %u indicators, %llu bytes\n",
	    (unsigned long long)store_generation(engine->store),
	    store_entry_count(engine->store),
	    (unsigned long long)store_size_bytes(engine->store));
	return EX_OK;
}

static int
run_stat(struct engine *engine, const struct options *options, char **words)
{
	int status = engine_open_matcher(engine);
	struct exempt *exempt;

	(void)words;
	if (status != EX_OK)
		return status;
	if (engine->store == NULL)
		return EX_NOINPUT;
	exempt = exempt_new(&engine->request.exempt);
	if (exempt == NULL)
		return EX_OSERR;
	indicators_report_stat(
	    engine->store, exempt, engine->request.now_unix, options->json);
	exempt_free(&exempt);
	return EX_OK;
}

/* Feeds that were configured after the last build. Without a store that has
 * been said already. */
static void
tell_feeds_not_built(const struct engine *engine)
{
	const struct build_request *request = &engine->request;

	for (size_t i = 0; engine->store != NULL && i < request->feed_count;
	     i++)
		if (store_feed_index(engine->store,
			slice_text(request->feeds[i].name)) == UINT32_MAX)
			fprintf(stderr,
			    "tocsin indicators: feed %s is not in the store "
			    "yet; `tocsin indicators build` reads it\n",
			    request->feeds[i].name);
}

/* EX_OK when the value is one of the kind that was said: a hash that lost an
 * octet would match nothing, and nobody would know why. */
static int
check_kind(struct engine *engine, enum indicator_kind kind, const char *word)
{
	struct slice value =
	    slice_trim(normal_refang(engine->arena, slice_text(word), NULL));
	size_t size = indicator_digest_size(kind);
	enum normal_problem problem;
	struct slice key;

	if (kind == INDICATOR_PATTERN || kind == INDICATOR_YARA)
		return EX_OK;
	problem = normal_key(engine->arena, kind, value, &key);
	if (size != 0 && value.length != 2 * size)
		problem = NORMAL_NOT_DIGEST;
	if (problem == NORMAL_GOOD)
		return EX_OK;
	fprintf(stderr, "tocsin indicators: \"%s\" %s\n", word,
	    normal_problem_text(problem));
	return EX_DATAERR;
}

/* What looks like no other kind, and like no id, may be the text of one of
 * these; what stands in <> is taken for an address first. */
static enum tc_status
ask(struct engine *engine, const struct options *options, const char *word,
    struct match_answers *answers)
{
	static const enum indicator_kind texts[] = { INDICATOR_FILENAME,
		INDICATOR_SUBJECT, INDICATOR_MAILER, INDICATOR_MESSAGE_ID };
	const enum indicator_kind *kind =
	    options->has_kind ? &options->kind : NULL;
	enum tc_status status = match_query(engine->matcher, kind,
	    slice_text(word), engine->request.now_unix, engine->arena, answers);

	if (kind != NULL || answers->items.count > 0 ||
	    (status == TC_OK && word[0] != '<'))
		return status;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct match_answers found;

		if (match_query(engine->matcher, &texts[i], slice_text(word),
			engine->request.now_unix, engine->arena,
			&found) == TC_OK &&
		    found.items.count > 0) {
			*answers = found;
			return TC_OK;
		}
	}
	return status;
}

static int
run_query(struct engine *engine, const struct options *options, char **words)
{
	struct match_answers answers = { 0 };
	int status = options->has_kind
			 ? check_kind(engine, options->kind, words[0])
			 : EX_OK;
	bool unread;

	if (status == EX_OK)
		status = engine_open_matcher(engine);
	if (status != EX_OK)
		return status;
	if (ask(engine, options, words[0], &answers) == TC_INVALID) {
		fprintf(stderr,
		    "tocsin indicators: \"%s\" is no value of any kind, and no "
		    "id, file name or other text that is known; say which kind "
		    "with --kind\n",
		    words[0]);
		return EX_DATAERR;
	}
	tell_feeds_not_built(engine);
	/* "Nothing matches" would be said without having looked. */
	unread = engine->store == NULL && engine->request.feed_count > 0;
	if (unread && answers.items.count == 0 && !options->json)
		return EX_NOINPUT; /* and why has been said */
	status = indicators_report_query(&answers, words[0],
	    &engine->request.exempt, engine->arena, options->json);
	return status != EX_OK && unread ? EX_NOINPUT : status;
}

/* Takes kind and value from the command line; EX_OK, or a status with a
 * message. People paste defanged values. */
static int
take_change(struct engine *engine, const struct options *options,
    enum overlay_operation operation, char **words,
    struct overlay_change *change_out)
{
	struct slice value = slice_text(words[1]);

	*change_out = options->change;
	change_out->operation = operation;
	change_out->tags = slice_text(options->tags);
	change_out->author = slice_text(engine->author);
	if (!indicator_kind_parse(slice_text(words[0]), &change_out->kind))
		return tool_misused("indicators",
		    "there is no kind \"%s\"; kinds are " KINDS_FIRST
		    " " KINDS_LAST,
		    words[0]);
	switch (change_out->kind) {
	case INDICATOR_ADDRESS:
	case INDICATOR_DOMAIN:
	case INDICATOR_URL:
	case INDICATOR_NETWORK:
		value = normal_refang(engine->arena, value, NULL);
		break;
	case INDICATOR_MD5:
	case INDICATOR_SHA1:
	case INDICATOR_SHA256:
	case INDICATOR_SHA512:
	case INDICATOR_FILENAME:
	case INDICATOR_SUBJECT:
	case INDICATOR_MAILER:
	case INDICATOR_MESSAGE_ID:
	case INDICATOR_PATTERN:
	case INDICATOR_YARA:
	case INDICATOR_KINDS:
		break;
	}
	change_out->value = value;
	return EX_OK;
}

static int
run_add(struct engine *engine, const struct options *options, char **words)
{
	struct overlay_change change;
	int status;

	if (options->mask)
		return tool_misused("indicators", "--mask goes with remove");
	status = take_change(engine, options, OVERLAY_ADD, words, &change);
	return status == EX_OK ? indicators_add(engine, &change, options->json)
			       : status;
}

static int
run_remove(struct engine *engine, const struct options *options, char **words)
{
	struct overlay_change change;
	int status;

	if (options->change.force)
		return tool_misused("indicators", "--force goes with add");
	status = take_change(engine, options,
	    options->mask ? OVERLAY_MASK : OVERLAY_REMOVE, words, &change);
	return status == EX_OK
		   ? indicators_remove(engine, &change, options->json)
		   : status;
}

static int
run_list(struct engine *engine, const struct options *options, char **words)
{
	int status = engine_open_matcher(engine);

	(void)words;
	if (status != EX_OK)
		return status;
	indicators_report_list(engine->matcher, engine->overlay, engine->arena,
	    engine->request.now_unix, options->json);
	if (overlay_bad_lines(engine->overlay) > 0)
		fprintf(stderr,
		    "tocsin indicators: %llu lines of %s are not understood\n",
		    (unsigned long long)overlay_bad_lines(engine->overlay),
		    OVERLAY_FILE_NAME);
	return EX_OK;
}

static int
run_suppressed(
    struct engine *engine, const struct options *options, char **words)
{
	int status = engine_open_matcher(engine);

	(void)words;
	if (status != EX_OK)
		return status;
	if (engine->store == NULL)
		return EX_NOINPUT;
	indicators_report_suppressed(
	    engine->store, engine->overlay, engine->arena, options->json);
	return EX_OK;
}

static int
run_explain(struct engine *engine, const struct options *options, char **words)
{
	for (size_t i = 0; i < engine->request.feed_count; i++) {
		const struct feed_config *feed = &engine->request.feeds[i];
		struct build_explanation explanation = { 0 };
		enum tc_status status;
		struct progress progress = progress_begin();

		if (strcmp(feed->name, words[0]) != 0)
			continue;
		if (progress.on) {
			engine->request.progress = show_build;
			engine->request.context = &progress;
		}
		status = build_explain(
		    engine->arena, &engine->request, feed, 5, &explanation);
		progress_end(&progress);
		indicators_report_explain(&explanation, options->json);
		return status == TC_OK ? EX_OK : EX_DATAERR;
	}
	fprintf(stderr,
	    "tocsin indicators: there is no feed \"%s\" in the "
	    "configuration\n",
	    words[0]);
	return EX_NOINPUT;
}

static const struct {
	const char *name;
	int words; /* that follow the name */
	int (*run)(
	    struct engine *engine, const struct options *options, char **words);
} subcommands[] = {
	{ "add", 2, run_add },
	{ "build", 0, run_build },
	{ "explain", 1, run_explain },
	{ "list", 0, run_list },
	{ "query", 1, run_query },
	{ "remove", 2, run_remove },
	{ "stat", 0, run_stat },
	{ "suppressed", 0, run_suppressed },
	{ "verify", 0, run_verify },
};

static int
run_subcommand(const struct options *options, int count, char **words)
{
	for (size_t i = 0; i < sizeof subcommands / sizeof subcommands[0];
	     i++) {
		struct engine engine;
		int status;

		if (strcmp(words[0], subcommands[i].name) != 0)
			continue;
		if (count - 1 != subcommands[i].words)
			return tool_misused("indicators",
			    "%s takes %d words, not %d", words[0],
			    subcommands[i].words, count - 1);
		status = engine_open(&engine, "indicators", options->config);
		if (status != EX_OK)
			return status;
		status = engine_become_owner(&engine);
		if (status == EX_OK)
			status =
			    subcommands[i].run(&engine, options, words + 1);
		engine_close(&engine);
		return status;
	}
	return tool_misused(
	    "indicators", "there is no \"%s\" among its commands", words[0]);
}

int
tool_indicators(int argc, char **argv)
{
	struct options options = {
		.config = TOOL_CONFIGURATION,
		.change = { .confidence = INDICATOR_CONFIDENCE_ABSENT },
	};
	int option;

	while ((option = getopt_long(
		    argc, argv, "c:k:h", known_options, NULL)) != -1) {
		int status = take_option(&options, option);

		if (status != EX_OK)
			return status;
	}
	if (options.help)
		return tool_usage(
		    "indicators COMMAND [ARGUMENT...] [OPTION...]", usage);
	if (optind == argc)
		return tool_misused("indicators", "which command?");
	if (strcmp(argv[optind], "pattern") == 0)
		return indicators_report_pattern(
		    argc - optind - 1, argv + optind + 1, options.json);
	return run_subcommand(&options, argc - optind, argv + optind);
}
