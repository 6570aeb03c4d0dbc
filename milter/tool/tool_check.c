#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/diag.h"
#include "daemon/feeds.h"
#include "daemon/settings_check.h"
#include "indicator/feed_folder.h"
#include "language/ends.h"
#include "language/load.h"
#include "tool/tool.h"

static const char usage[] =
    "Loads the configuration and all policy that it includes, and reports every\n"
    "error and warning with file, line and column. Nothing is changed or sent.\n"
    "\n"
    "  -c, --config FILE  the configuration (default " SYSCONFDIR
    "/tocsin.conf)\n"
    "      --strict       more warnings: an enforcing rule without a test\n"
    "      --json         the result as one JSON object\n"
    "  -h, --help         this text\n"
    "\n"
    "Exit status: 0 good (warnings at most), 78 errors.\n";

struct check_options {
	const char *config;
	bool strict, json;
};

static bool
parse_options(int argc, char **argv, struct check_options *options, int *status)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "strict", no_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "c:h", known, NULL)) != -1) {
		switch (option) {
		case 'c':
			options->config = optarg;
			break;
		case 's':
			options->strict = true;
			break;
		case 'j':
			options->json = true;
			break;
		case 'h':
			*status = tool_usage(
			    "check [-c FILE] [--strict] [--json]", usage);
			return false;
		default:
			*status = tool_misused("check", "unknown option");
			return false;
		}
	}
	if (optind < argc) {
		*status = tool_misused("check",
		    "unexpected \"%s\"; rules are checked together with the "
		    "configuration that includes them: -c FILE",
		    argv[optind]);
		return false;
	}
	return true;
}

struct rule_counts {
	unsigned enforcing, shadow;
	unsigned ended; /* neither, and off */
};

static bool
is_over(int64_t until_unix, int64_t now_unix)
{
	return until_unix != 0 && until_unix <= now_unix;
}

static struct rule_counts
count_rules(const struct program *program)
{
	bool all_shadow = program_settings(program)->enforcement_shadow ==
			  SETTINGS_ENFORCEMENT_SHADOW;
	struct rule_counts counts = { 0 };
	int64_t now = (int64_t)time(NULL);

	for (unsigned i = 0; i < program_rule_count(program); i++) {
		const struct program_rule *rule = program_rule(program, i);

		if (is_over(rule->until, now) ||
		    (rule->shadow && is_over(rule->shadow_until, now)))
			counts.ended++;
		else if (all_shadow || rule->shadow || now < rule->from)
			counts.shadow++;
		else
			counts.enforcing++;
	}
	return counts;
}

#define ENTRIES_SHOWN 20 /* of all lists together */

#define SOON_DAYS     7 /* shadows that end by then are named */

struct ends_shown {
	struct builder *out;
	int64_t soon_unix;
	unsigned entries;
	unsigned shadows;        /* that end later */
	struct end first_shadow; /* of these */
};

/* When something ends, with the zone in which that is meant. */
static void
print_end(void *context, const struct end *end)
{
	struct ends_shown *shown = context;
	time_t seconds = (time_t)end->until_unix;
	struct tm local;
	char text[64];

	if (end->kind == END_ENTRY && shown->entries++ >= ENTRIES_SHOWN)
		return;
	if (end->kind == END_SHADOW && end->until_unix > shown->soon_unix) {
		if (shown->shadows++ == 0 ||
		    end->until_unix < shown->first_shadow.until_unix)
			shown->first_shadow = *end;
		return;
	}
	if (localtime_r(&seconds, &local) == NULL)
		return;
	strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %Z (%z)", &local);
	builder_printf(
	    shown->out, "  %s %s", ends_kind_text(end->kind), end->name);
	if (end->kind == END_ENTRY) {
		builder_text(shown->out, ": ");
		builder_printable(shown->out, end->entry, 100);
	}
	builder_printf(shown->out, " %s %s\n",
	    is_over(end->until_unix, (int64_t)time(NULL)) ? "ended" : "ends",
	    text);
}

static void
print_ends(const struct program *program, struct builder *out)
{
	struct ends_shown shown = { .out = out,
		.soon_unix = (int64_t)time(NULL) + SOON_DAYS * 86400 };
	unsigned later;

	ends_between(program, NULL, INT64_MIN, INT64_MAX, print_end, &shown);
	later = shown.shadows;
	shown.soon_unix = INT64_MAX;
	if (later > 0)
		print_end(&shown, &shown.first_shadow);
	if (later > 1)
		builder_printf(out,
		    "  and the shadow of %u more rule%s, at that time or "
		    "later\n",
		    later - 1, later == 2 ? "" : "s");
	if (shown.entries > ENTRIES_SHOWN)
		builder_printf(out, "  and %u more entries of lists\n",
		    shown.entries - ENTRIES_SHOWN);
}

/* Without own domains all mail is inbound and no rule about our names can
 * match; a fresh installation has none yet. */
static void
print_ours(const struct program *program, struct builder *out)
{
	int index = program_settings(program)->own_domains;
	const struct value_list *list =
	    program_list(program_own_lists(program), index);
	const char *file;

	if (list == NULL || value_list_count(list) > 0)
		return;
	file = program_list_file(program, (unsigned)index);
	builder_printf(out,
	    "own-domains is empty: all mail counts as inbound, and no rule "
	    "knows our names; put them into %s\n",
	    file == NULL ? "that list" : file);
}

static void
print_summary(const struct program *program, struct builder *out)
{
	const struct settings *settings = program_settings(program);
	struct rule_counts counts = count_rules(program);

	if (settings->enforcement_shadow == SETTINGS_ENFORCEMENT_SHADOW)
		builder_text(out,
		    "enforcement shadow: no rule acts; the log says what each "
		    "would have done\n");
	print_ours(program, out);
	builder_printf(out,
	    "good: %u files, %u rules (%u enforcing, %u in shadow",
	    program_file_count(program), program_rule_count(program),
	    counts.enforcing, counts.shadow);
	if (counts.ended > 0)
		builder_printf(out, ", %u ended", counts.ended);
	builder_printf(out,
	    "), %u exemptions, %u lists, %zu feeds, policy %s\n",
	    program_exemption_count(program), program_list_count(program),
	    settings->feed_count, program_hash(program));
	print_ends(program, out);
}

static void
print_json(
    const struct program *program, const struct diag *diag, struct builder *out)
{
	static const char *const levels[] = {
		[DIAG_NOTE] = "note",
		[DIAG_WARNING] = "warning",
		[DIAG_ERROR] = "error",
	};

	builder_printf(out, "{\"good\":%s,\"errors\":%u,\"warnings\":%u",
	    program != NULL ? "true" : "false", diag->error_count,
	    diag->warning_count);
	if (program != NULL) {
		struct rule_counts counts = count_rules(program);

		builder_printf(out,
		    ",\"policy\":\"%s\",\"enforcement\":\"%s\",\"enforcing\":%u"
		    ",\"shadow\":%u,\"ended\":%u",
		    program_hash(program),
		    program_settings(program)->enforcement_shadow ==
			    SETTINGS_ENFORCEMENT_SHADOW
			? "shadow"
			: "on",
		    counts.enforcing, counts.shadow, counts.ended);
	}
	builder_text(out, ",\"messages\":[");
	for (size_t i = 0; i < diag->entries.count; i++) {
		const struct diag_entry *entry = &diag->entries.items[i];

		builder_printf(out, "%s{\"level\":\"%s\",\"file\":\"",
		    i > 0 ? "," : "", levels[entry->level]);
		if (entry->source != NULL)
			builder_json(out, slice_text(entry->source->file));
		builder_printf(out, "\",\"line\":%u,\"column\":%u,\"text\":\"",
		    entry->line, entry->column);
		builder_json(out, slice_text(entry->message));
		builder_text(out, "\"}");
	}
	builder_text(out, "]}\n");
}

static void
check_warninglists(
    const struct program *program, struct arena *arena, struct diag *diag)
{
	struct build_request request;
	const char *none = NULL;

	if (feeds_build_request(program, time(NULL), arena, &request) == TC_OK)
		none = feeds_without_warninglists(&request, arena);
	if (none != NULL)
		diag_plain(diag, DIAG_NOTE, "%s", none);
}

/* How many certificates a file has, in PEM; -1 with errno when it cannot be
 * read. *over_out: one of them holds no longer. */
static int
count_certificates(const char *path, bool *over_out)
{
	FILE *file = fopen(path, "re");
	int count = 0;
	X509 *one;

	*over_out = false;
	if (file == NULL)
		return -1;
	while ((one = PEM_read_X509(file, NULL, NULL, NULL)) != NULL) {
		if (X509_cmp_current_time(X509_get0_notAfter(one)) < 0)
			*over_out = true;
		X509_free(one);
		count++;
	}
	ERR_clear_error();
	fclose(file);
	return count;
}

static void
check_certificates(
    struct diag *diag, const char *feed, const char *setting, const char *path)
{
	bool over;
	int count;

	if (path == NULL)
		return;
	count = count_certificates(path, &over);
	if (count == 0)
		diag_plain(diag, DIAG_ERROR,
		    "feed %s: %s %s: there is no certificate in it; it takes "
		    "those of PEM form (-----BEGIN CERTIFICATE-----)",
		    feed, setting, path);
	else if (count < 0)
		diag_plain(diag, DIAG_WARNING, "feed %s: %s %s: %s", feed,
		    setting, path, strerror(errno));
	else if (over)
		diag_plain(diag, DIAG_WARNING,
		    "feed %s: %s %s: a certificate in it has expired", feed,
		    setting, path);
}

/* A secret: the user who fetches reads it, which may not be who checks. */
static void
check_secret(
    struct diag *diag, const char *feed, const char *setting, const char *path)
{
	struct stat info;

	if (path == NULL)
		return;
	if (stat(path, &info) != 0)
		diag_plain(diag, DIAG_WARNING, "feed %s: %s %s: %s", feed,
		    setting, path, strerror(errno));
	else if ((info.st_mode & 077) != 0)
		diag_plain(diag, DIAG_WARNING,
		    "feed %s: %s %s is readable by others; `chmod 0600` it, or "
		    "it is not used",
		    feed, setting, path);
}

/* What an address is fetched with. */
static void
check_fetch(struct diag *diag, const char *feed,
    const struct settings_feed_fetch *fetch)
{
	if (fetch->url == NULL)
		return;
	check_secret(diag, feed, "auth-file", fetch->auth_file);
	check_secret(diag, feed, "client-key", fetch->client_key);
	check_certificates(diag, feed, "ca-file", fetch->ca_file);
	check_certificates(diag, feed, "client-cert", fetch->client_cert);
	if (fetch->post_file != NULL && access(fetch->post_file, F_OK) != 0)
		diag_plain(diag, DIAG_WARNING, "feed %s: post-file %s: %s",
		    feed, fetch->post_file, strerror(errno));
}

/* Warns of feeds that are not there, and says what of a folder is not read. */
static void
check_feeds(
    const struct program *program, struct arena *arena, struct diag *diag)
{
	const struct settings *settings = program_settings(program);
	struct feed_limits limits = feed_limits_defaults();
	const char *problem;

	limits.columns_max = (unsigned)settings->limits.feed_columns;
	limits.line_bytes_max = (size_t)settings->limits.feed_line;
	for (size_t i = 0; i < settings->feed_count; i++) {
		const struct feed_config *feed = &settings->feeds[i];
		struct feed_folder folder;

		check_fetch(diag, feed->name, &settings->feed_fetches[i]);
		if (feed_folder_look(arena, feed,
			(size_t)settings->limits.feed_files, &folder)) {
			for (size_t k = 0; k < folder.left_out.count; k++)
				diag_plain(diag, DIAG_WARNING, "feed %s: %s/%s",
				    feed->name, feed->source,
				    folder.left_out.items[k]);
		} else if ((problem = feed_look(arena, feed, &limits)) !=
			   NULL) {
			/* What a publisher serves today is no fault of the
			 * configuration, unless it names columns. */
			diag_plain(diag,
			    settings->feed_fetches[i].url != NULL &&
				    feed->column_count == 0
				? DIAG_WARNING
				: DIAG_ERROR,
			    "feed %s: %s %s", feed->name, feed->source,
			    problem);
		} else if (access(feed->source, R_OK) != 0) {
			diag_plain(diag, DIAG_WARNING, "feed %s: %s: %s%s",
			    feed->name, feed->source, strerror(errno),
			    settings->feed_fetches[i].url == NULL
				? ""
				: "; `tocsin feeds update` fetches it");
		}
	}
}

int
tool_check(int argc, char **argv)
{
	struct check_options options = { .config = TOOL_CONFIGURATION };
	struct load_options load = { .now = time(NULL),
		.check = settings_check };
	struct arena *arena;
	struct builder out, problems;
	struct diag diag;
	struct program *program;
	int status = EX_OK;

	if (!parse_options(argc, argv, &options, &status))
		return status;
	load.strict = options.strict;
	arena = arena_new(0, NULL);
	out = builder_make(arena, SIZE_MAX);
	problems = builder_make(arena, SIZE_MAX);
	diag = diag_make(arena, LOAD_ERRORS_MAX);
	program = load_file(options.config, &load, &diag);
	if (program != NULL)
		check_feeds(program, arena, &diag);
	if (program != NULL)
		check_warninglists(program, arena, &diag);
	if (diag.error_count > 0)
		program_free(&program);
	if (options.json) {
		print_json(program, &diag, &out);
	} else {
		diag_print_all(&diag, &problems);
		if (program != NULL)
			print_summary(program, &out);
		else
			builder_printf(&problems, "%u error%s, %u warning%s\n",
			    diag.error_count, diag.error_count == 1 ? "" : "s",
			    diag.warning_count,
			    diag.warning_count == 1 ? "" : "s");
	}
	fwrite(problems.data, 1, problems.length, stderr);
	fwrite(out.data, 1, out.length, stdout);
	status = program != NULL ? EX_OK : EX_CONFIG;
	program_free(&program);
	arena_free(&arena);
	return status;
}
