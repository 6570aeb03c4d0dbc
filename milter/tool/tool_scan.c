#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "tool/tool.h"

#include "base/log.h"
#include "daemon/rulesets.h"
#include "dns/resolver.h"
#include "dns/resolver_zone.h"
#include "language/program.h"
#include "message/charset.h"
#include "tool/engine.h"
#include "tool/scan_report.h"

#define MESSAGE_OPTIONS_MAX 1000

/* How expired indicators and rules with an end are taken. */
enum as_of {
	AS_OF_ANY, /* indicators of any age, marked; rules as of now */
	AS_OF_NOW,
	AS_OF_RECEIVED /* everything as of the day the mail came */
};

struct scan {
	const char *config;
	const char *zone;
	bool dns;
	bool json;
	bool all; /* also messages on which nothing matched */
	bool auth_given;
	enum session_auth auth;
	enum as_of as_of;
	struct scan_report_options report;
	struct replay_envelope envelope;
	const char *recipients[MESSAGE_OPTIONS_MAX];

	struct engine engine;
	struct resolver *resolver;
	int zygote; /* of the scanner; -1: none */
	struct scanner *scanner;
	struct limits limits;
	struct session_shared shared;
	struct session_basis basis;
	struct arena *arena; /* of one message */

	unsigned long messages, matched, failed;
	unsigned long dispositions[DISPOSITION_REJECT + 1];
	unsigned long hits;
};

static const char synopsis[] = "scan [OPTION...] FILE|FOLDER|MAILDIR|MBOX|-...";
static const char help[] =
    "Runs the policy over messages at rest. No DNS is asked unless --dns or\n"
    "--zone is given: asking would tell the sender, and old mail can't be\n"
    "judged by today's DNS.\n"
    "\n"
    "  -c FILE            configuration (default " TOOL_CONFIGURATION ")\n"
    "  --json             one JSON object a line, of every message\n"
    "  --all              print also messages on which nothing matched\n"
    "  --explain          show look-ups, results and each clause of each rule\n"
    "  --show-content     show what of the body matched, not only where\n"
    "  --dns              ask DNS now\n"
    "  --zone FILE        take DNS answers from FILE\n"
    "  --auth recorded    take results from our own or trusted\n"
    "                     Authentication-Results (default)\n"
    "  --auth now         evaluate them (default with --dns or --zone)\n"
    "  --auth none        leave them out\n"
    "  --client ADDRESS   the envelope, where the message does not tell it or\n"
    "  --helo NAME        tells it wrongly; what is derived is marked\n"
    "  --mail-from ADDR\n"
    "  --rcpt ADDR        may be given more than once\n"
    "  --auth-user NAME\n"
    "  --as-of any        indicators count when expired, and are marked\n"
    "                     (default)\n"
    "  --as-of now        what has expired does not count\n"
    "  --as-of received   judge each message as of its day\n";

enum option_id {
	OPTION_ALL = 256,
	OPTION_AS_OF,
	OPTION_AUTH,
	OPTION_AUTH_USER,
	OPTION_CLIENT,
	OPTION_DNS,
	OPTION_EXPLAIN,
	OPTION_HELO,
	OPTION_JSON,
	OPTION_MAIL_FROM,
	OPTION_RCPT,
	OPTION_SHOW_CONTENT,
	OPTION_ZONE
};

static const struct option options[] = {
	{ "all", no_argument, NULL, OPTION_ALL },
	{ "as-of", required_argument, NULL, OPTION_AS_OF },
	{ "auth", required_argument, NULL, OPTION_AUTH },
	{ "auth-user", required_argument, NULL, OPTION_AUTH_USER },
	{ "client", required_argument, NULL, OPTION_CLIENT },
	{ "config", required_argument, NULL, 'c' },
	{ "dns", no_argument, NULL, OPTION_DNS },
	{ "explain", no_argument, NULL, OPTION_EXPLAIN },
	{ "helo", required_argument, NULL, OPTION_HELO },
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "mail-from", required_argument, NULL, OPTION_MAIL_FROM },
	{ "rcpt", required_argument, NULL, OPTION_RCPT },
	{ "show-content", no_argument, NULL, OPTION_SHOW_CONTENT },
	{ "zone", required_argument, NULL, OPTION_ZONE },
	{ NULL, 0, NULL, 0 },
};

/* Index of `word` among `words`, or -1 with a message. */
static int
choose(const char *option, const char *word, const char *const *words)
{
	for (int i = 0; words[i] != NULL; i++)
		if (strcmp(word, words[i]) == 0)
			return i;
	tool_misused("scan", "%s does not take \"%s\"", option, word);
	return -1;
}

static bool
take_choice(struct scan *scan, int option, const char *word)
{
	static const char *const auths[] = { [SESSION_AUTH_NOW] = "now",
		[SESSION_AUTH_RECORDED] = "recorded",
		[SESSION_AUTH_NONE] = "none",
		NULL };
	static const char *const times[] = { [AS_OF_ANY] = "any",
		[AS_OF_NOW] = "now",
		[AS_OF_RECEIVED] = "received",
		NULL };
	int chosen;

	if (option == OPTION_AUTH) {
		chosen = choose("--auth", word, auths);
		scan->auth = (enum session_auth)chosen;
		scan->auth_given = true;
	} else {
		chosen = choose("--as-of", word, times);
		scan->as_of = (enum as_of)chosen;
	}
	return chosen >= 0;
}

static bool
take_address(const char *option, const char *word, const char **out)
{
	struct ipaddr ip;

	if (!ipaddr_parse(slice_text(word), &ip)) {
		tool_misused("scan", "%s: \"%s\" is no address", option, word);
		return false;
	}
	*out = word;
	return true;
}

/* One option; false when it was misused (and said). */
static bool
take_option(struct scan *scan, int option, const char *argument)
{
	struct replay_envelope *envelope = &scan->envelope;

	switch (option) {
	case 'c':
		scan->config = argument;
		return true;
	case OPTION_ALL:
		scan->all = true;
		return true;
	case OPTION_AS_OF:
	case OPTION_AUTH:
		return take_choice(scan, option, argument);
	case OPTION_AUTH_USER:
		envelope->auth_user = argument;
		return true;
	case OPTION_CLIENT:
		return take_address("--client", argument, &envelope->client);
	case OPTION_DNS:
		scan->dns = true;
		return true;
	case OPTION_EXPLAIN:
		scan->report.explain = true;
		return true;
	case OPTION_HELO:
		envelope->helo = argument;
		return true;
	case OPTION_JSON:
		scan->json = true;
		return true;
	case OPTION_MAIL_FROM:
		envelope->mail_from = argument;
		return true;
	case OPTION_RCPT:
		if (envelope->recipient_count < MESSAGE_OPTIONS_MAX)
			scan->recipients[envelope->recipient_count++] =
			    argument;
		return true;
	case OPTION_SHOW_CONTENT:
		scan->report.show_content = true;
		return true;
	case OPTION_ZONE:
		scan->zone = argument;
		return true;
	default:
		return false;
	}
}

static int
open_resolver(struct scan *scan)
{
	const struct settings_resolver *settings =
	    &program_settings(scan->engine.program)->resolver;
	const struct resolver_settings request = {
		.server = settings->server,
		.port = (unsigned)settings->port,
		.dnssec = settings->dnssec,
		.trust_anchor = settings->trust_anchor,
		.cache_bytes = (size_t)settings->cache_size,
	};
	char problem[RESOLVER_PROBLEM_MAX] = "";

	if (scan->zone != NULL)
		scan->resolver = resolver_zone_open(scan->zone, problem);
	else if (scan->dns)
		scan->resolver = resolver_open(&request, problem);
	else
		return EX_OK;
	if (scan->resolver != NULL)
		return EX_OK;
	fprintf(stderr, "tocsin scan: %s\n", problem);
	return scan->zone != NULL ? EX_DATAERR : EX_CONFIG;
}

/* Without workers attachments are not opened, as in a daemon without them;
 * rules that do not compile are said. */
static void
open_scanner(struct scan *scan)
{
	const struct settings *settings =
	    program_settings(scan->engine.program);
	struct scanner_settings limits = rulesets_scanner_settings(settings);
	struct arena *arena = scan->engine.arena;
	struct diag diag = diag_make(arena, 100), first = diag_make(arena, 1);
	struct builder text = builder_make(arena, SIZE_MAX);
	struct rulesets rulesets = { 0 };

	if (scan->zygote < 0 ||
	    rulesets_read(settings, arena, &diag, &rulesets) != TC_OK)
		return;
	if (scanner_new(scan->zygote, &limits, rulesets.items.items,
		rulesets.items.count, &first, &scan->scanner) == TC_INVALID) {
		rulesets_drop_broken(scan->zygote, &limits, &diag, &rulesets);
		scanner_new(scan->zygote, &limits, rulesets.items.items,
		    rulesets.items.count, &diag, &scan->scanner);
	}
	diag_print_all(&diag, &text);
	fwrite(text.data, 1, text.length, stderr);
}

static int
open_all(struct scan *scan)
{
	int status;

	/* Forked first, while the process is small. */
	scan->zygote = scanner_zygote_start();
	status = engine_open(&scan->engine, "scan", scan->config);
	if (status != EX_OK)
		return status;
	open_scanner(scan);
	status = engine_open_matcher(&scan->engine);
	if (status == EX_OK)
		status = open_resolver(scan);
	if (status != EX_OK)
		return status;
	scan->arena = arena_new(0, NULL);
	if (scan->arena == NULL)
		return EX_OSERR;
	if (!scan->auth_given)
		scan->auth = scan->resolver != NULL ? SESSION_AUTH_NOW
						    : SESSION_AUTH_RECORDED;
	limits_set(&scan->limits, program_settings(scan->engine.program));
	scan->shared.limits = &scan->limits;
	scan->basis = (struct session_basis){ .program = scan->engine.program,
		.resolver = scan->resolver,
		.matcher = scan->engine.matcher,
		.scanner = scan->scanner,
		.store_generation =
		    scan->engine.store == NULL
			? 0
			: store_generation(scan->engine.store) };
	scan->envelope.recipients = scan->recipients;
	return EX_OK;
}

static void
close_all(struct scan *scan)
{
	arena_free(&scan->arena);
	scanner_free(&scan->scanner);
	if (scan->zygote >= 0)
		close(scan->zygote);
	resolver_free(&scan->resolver);
	if (scan->engine.arena != NULL)
		engine_close(&scan->engine);
	charset_close_all();
}

static void
report(struct scan *scan, const struct mailbox_entry *entry,
    const struct session *session, const struct replay_result *result)
{
	struct builder out = builder_make(scan->arena, SIZE_MAX);
	const struct verdict *verdict = session_verdict(session);
	bool matched = scan_report_has_match(session);

	scan->messages++;
	scan->matched += matched;
	if (verdict != NULL)
		scan->dispositions[verdict->disposition]++;
	if (session_evidence(session) != NULL)
		scan->hits += session_evidence(session)->hit_count;
	if (scan->json)
		scan_report_json(&out, entry, session, result, &scan->report);
	else if (matched || scan->all || scan->report.explain)
		scan_report_text(&out, entry, session, result, &scan->report);
	fwrite(out.data, 1, out.length, stdout);
}

static void
scan_message(struct scan *scan, const struct mailbox_entry *entry)
{
	struct session *session = session_new(&scan->shared, &scan->basis);
	struct replay_result result;
	enum tc_status status = TC_LIMIT;

	arena_reset(scan->arena);
	if (session != NULL) {
		session_keep(session);
		session_set_auth(session, scan->auth);
		session_set_trace(session, scan->report.explain);
		session_set_any_age(session, scan->as_of == AS_OF_ANY);
		if (scan->as_of == AS_OF_RECEIVED)
			session_set_now(session, replay_received(entry->raw));
		status = replay_message(
		    session, scan->arena, entry->raw, &scan->envelope, &result);
	}
	if (status == TC_OK) {
		report(scan, entry, session, &result);
	} else {
		scan->failed++;
		fprintf(stderr, "tocsin scan: %s: could not be examined (%s)\n",
		    entry->path, status_name(status));
	}
	session_free(&session);
}

static int
scan_path(struct scan *scan, const char *path)
{
	struct mailbox *mailbox = mailbox_open(path);
	struct mailbox_entry entry;

	if (mailbox == NULL) {
		fprintf(stderr, "tocsin scan: %s: %s\n", path, strerror(errno));
		return EX_NOINPUT;
	}
	while (mailbox_next(mailbox, &entry))
		scan_message(scan, &entry);
	scan->failed += mailbox_unreadable(mailbox);
	mailbox_close(&mailbox);
	return EX_OK;
}

static void
print_summary(const struct scan *scan)
{
	fprintf(stderr, "%lu messages, %lu with a match, %lu indicator hits",
	    scan->messages, scan->matched, scan->hits);
	for (unsigned i = DISPOSITION_DEFER; i <= DISPOSITION_REJECT; i++)
		if (scan->dispositions[i] > 0)
			fprintf(stderr, ", %lu %s", scan->dispositions[i],
			    verdict_disposition_name((enum disposition)i));
	if (scan->failed > 0)
		fprintf(stderr, ", %lu not examined", scan->failed);
	fputc('\n', stderr);
}

/* Log lines are for daemons: here the report says it all. */
static void
drop_line(void *context, enum log_level level, const char *line)
{
	(void)context;
	(void)level;
	(void)line;
}

int
tool_scan(int argc, char **argv)
{
	struct scan scan = { .config = TOOL_CONFIGURATION,
		.auth = SESSION_AUTH_RECORDED,
		.zygote = -1 };
	int option, status;

	while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		if (option == 'h')
			return tool_usage(synopsis, help);
		if (option == '?')
			return tool_misused("scan", "see above");
		if (!take_option(&scan, option, optarg))
			return EX_USAGE;
	}
	if (optind == argc)
		return tool_misused("scan", "what is to be scanned?");
	log_set_sink(drop_line, NULL, LOG_LEVEL_ERROR);
	status = open_all(&scan);
	for (int i = optind; i < argc && (status == EX_OK || i > optind); i++) {
		int result = scan_path(&scan, argv[i]);

		if (status == EX_OK)
			status = result;
	}
	if (scan.messages > 0 || status == EX_OK)
		print_summary(&scan);
	close_all(&scan);
	if (status == EX_OK && scan.failed > 0)
		status = EX_NOINPUT;
	return status;
}
