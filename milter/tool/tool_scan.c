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
#include "message/charset.h"
#include "scanner/scanner.h"
#include "tool/compare.h"
#include "tool/judge.h"
#include "tool/scan_report.h"

#define MESSAGE_OPTIONS_MAX 1000

/* What --against ends with when something differs, as diff(1) does. */
#define EXIT_DIFFERS 1

struct scan {
	const char *config;
	const char *against; /* the old policy; NULL: nothing is compared */
	bool json;
	bool all; /* also messages on which nothing matched */
	struct scan_report_options report;
	struct judge_options options;
	const char *recipients[MESSAGE_OPTIONS_MAX];
	const char *rules[MESSAGE_OPTIONS_MAX];
	struct judge_switch switches[MESSAGE_OPTIONS_MAX];

	struct judge judge;
	struct judge old;        /* of `against` */
	struct compare *compare; /* NULL without `against` */

	unsigned long messages, matched, failed;
	struct explain_options explain;
	unsigned long unasked; /* results of authentication not on record */
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
    "  --rule NAME        explain this rule alone; may be given more than once\n"
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
    "  --as-of received   judge each message as of its day\n"
    "  --switch NAME=on   take a switch to be on (or off); else they are as\n"
    "                     `tocsin set` left them\n"
    "  --against OLD.conf what changes from the policy OLD.conf to that of -c:\n"
    "                     messages judged differently, with the rules that\n"
    "                     match under both, gained and lost, and a table;\n"
    "                     ends with 1 when something differs\n";

enum option_id {
	OPTION_AGAINST = 256,
	OPTION_ALL,
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
	OPTION_RULE,
	OPTION_SHOW_CONTENT,
	OPTION_SWITCH,
	OPTION_ZONE
};

static const struct option options[] = {
	{ "against", required_argument, NULL, OPTION_AGAINST },
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
	{ "rule", required_argument, NULL, OPTION_RULE },
	{ "show-content", no_argument, NULL, OPTION_SHOW_CONTENT },
	{ "switch", required_argument, NULL, OPTION_SWITCH },
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
	static const char *const times[] = { [JUDGE_AS_OF_ANY] = "any",
		[JUDGE_AS_OF_NOW] = "now",
		[JUDGE_AS_OF_RECEIVED] = "received",
		NULL };
	int chosen;

	if (option == OPTION_AUTH) {
		chosen = choose("--auth", word, auths);
		scan->options.auth = (enum session_auth)chosen;
		scan->options.auth_given = true;
	} else {
		chosen = choose("--as-of", word, times);
		scan->options.as_of = (enum judge_as_of)chosen;
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

/* One recipient an option: two in one would be judged as one odd address. */
static bool
take_recipient(struct scan *scan, const char *argument)
{
	struct replay_envelope *envelope = &scan->options.envelope;

	if (*argument != '"' && strpbrk(argument, ", \t;") != NULL) {
		tool_misused("scan",
		    "--rcpt takes one address, and may be given again: \"%s\"",
		    argument);
		return false;
	}
	if (envelope->recipient_count < MESSAGE_OPTIONS_MAX)
		scan->recipients[envelope->recipient_count++] = argument;
	return true;
}

/* NAME=on, NAME=off. */
static bool
take_switch(struct scan *scan, const char *argument)
{
	const char *equals = strchr(argument, '=');
	struct judge_switch *taken =
	    &scan->switches[scan->options.switch_count];

	if (equals == NULL || equals == argument ||
	    (strcmp(equals, "=on") != 0 && strcmp(equals, "=off") != 0)) {
		tool_misused("scan",
		    "--switch takes NAME=on or NAME=off, not \"%s\"", argument);
		return false;
	}
	if (scan->options.switch_count == MESSAGE_OPTIONS_MAX) {
		tool_misused("scan", "--switch is given too often");
		return false;
	}
	taken->name = slice_make(argument, (size_t)(equals - argument));
	taken->on = strcmp(equals, "=on") == 0;
	scan->options.switch_count++;
	return true;
}

/* One option; false when it was misused (and said). */
static bool
take_option(struct scan *scan, int option, const char *argument)
{
	struct replay_envelope *envelope = &scan->options.envelope;

	switch (option) {
	case 'c':
		scan->config = argument;
		return true;
	case OPTION_AGAINST:
		scan->against = argument;
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
		scan->options.dns = true;
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
		return take_recipient(scan, argument);
	case OPTION_RULE:
		scan->report.explain = true;
		scan->report.rules = scan->rules;
		if (scan->report.rule_count < MESSAGE_OPTIONS_MAX)
			scan->rules[scan->report.rule_count++] = argument;
		return true;
	case OPTION_SHOW_CONTENT:
		scan->report.show_content = true;
		return true;
	case OPTION_SWITCH:
		return take_switch(scan, argument);
	case OPTION_ZONE:
		scan->options.zone = argument;
		return true;
	default:
		return false;
	}
}

/* A misspelt name must not look like a rule that did not match. */
static int
check_rules(const struct scan *scan)
{
	const struct program *program = scan->judge.engine.program;

	for (size_t i = 0; i < scan->report.rule_count; i++)
		if (program_find_rule(program, slice_text(scan->rules[i])) ==
		    NULL)
			return tool_misused("scan",
			    "the policy has no rule \"%s\"", scan->rules[i]);
	return EX_OK;
}

/* Nor one like a switch that changes nothing. */
static int
check_switches(const struct scan *scan)
{
	for (size_t i = 0; i < scan->options.switch_count; i++) {
		struct slice name = scan->switches[i].name;

		if (!judge_has_switch(&scan->judge, name) &&
		    (scan->against == NULL ||
			!judge_has_switch(&scan->old, name)))
			return tool_misused("scan",
			    "the policy has no switch \"%.*s\"",
			    (int)name.length, name.data);
	}
	return EX_OK;
}

static int
open_all(struct scan *scan)
{
	int status;

	/* Forked first, while the process is small. */
	scan->options.zygote = scanner_zygote_start();
	scan->explain = scan_report_explaining(&scan->report);
	if (scan->report.explain)
		scan->options.explain = &scan->explain;
	scan->options.envelope.recipients = scan->recipients;
	scan->options.switches = scan->switches;
	status = judge_open(&scan->judge, scan->config, &scan->options);
	if (status == EX_OK)
		status = check_rules(scan);
	if (status == EX_OK && scan->against != NULL)
		status = judge_open(&scan->old, scan->against, &scan->options);
	if (status == EX_OK)
		status = check_switches(scan);
	if (status != EX_OK || scan->against == NULL)
		return status;
	scan->compare = compare_new(&scan->old, &scan->judge);
	return scan->compare == NULL ? EX_OSERR : EX_OK;
}

static void
close_all(struct scan *scan)
{
	compare_free(&scan->compare);
	judge_close(&scan->old);
	judge_close(&scan->judge);
	if (scan->options.zygote >= 0)
		close(scan->options.zygote);
	charset_close_all();
}

static void
report(struct scan *scan, const struct mailbox_entry *entry)
{
	const struct session *session = scan->judge.session;
	const struct replay_result *result = &scan->judge.result;
	struct builder out = builder_make(scan->judge.arena, SIZE_MAX);
	const struct verdict *verdict = session_verdict(session);
	bool matched = scan_report_has_match(session, result);

	scan->messages++;
	scan->matched += matched;
	scan->dispositions[verdict != NULL
			       ? verdict->disposition
			       : replay_early_disposition(result)]++;
	if (session_evidence(session) != NULL) {
		scan->hits += session_evidence(session)->hit_count;
		scan->unasked +=
		    (session_evidence(session)->gaps & EVIDENCE_GAP_AUTH) != 0;
	}
	if (scan->compare != NULL)
		compare_message(scan->compare, &out, entry,
		    scan->json  ? COMPARE_JSON
		    : scan->all ? COMPARE_ALL
				: COMPARE_CHANGES);
	else if (scan->json)
		scan_report_json(&out, entry, session, result, &scan->report);
	else if (matched || scan->all || scan->report.explain)
		scan_report_text(&out, entry, session, result, &scan->report);
	fwrite(out.data, 1, out.length, stdout);
}

static void
scan_message(struct scan *scan, const struct mailbox_entry *entry)
{
	enum tc_status status = judge_message(&scan->judge, entry->raw);

	if (status == TC_OK && scan->compare != NULL)
		status = judge_message(&scan->old, entry->raw);
	if (status == TC_OK) {
		report(scan, entry);
		return;
	}
	scan->failed++;
	fflush(stdout);
	fprintf(stderr, "tocsin scan: %s: could not be examined (%s)\n",
	    entry->path, status_name(status));
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
	fflush(stdout); /* the two may share one pipe */
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

static void
print_comparison(const struct scan *scan)
{
	struct builder out = builder_make(scan->judge.arena, SIZE_MAX);

	if (!scan->json && compare_changed(scan->compare) > 0)
		builder_byte(&out, '\n');
	compare_summary(scan->compare, &out, scan->json);
	fwrite(out.data, 1, out.length, stdout);
	fflush(stdout);
	fprintf(stderr, "%lu messages, %lu judged differently",
	    compare_messages(scan->compare), compare_changed(scan->compare));
	if (scan->failed > 0)
		fprintf(stderr, ", %lu not examined", scan->failed);
	fputc('\n', stderr);
}

static void
print_patterns(const struct judge *judge)
{
	if (judge->patterns != NULL)
		fprintf(stderr,
		    "%u patterns over %u fields in one pass, from message %d "
		    "on\n",
		    judge->pattern_report.patterns,
		    judge->pattern_report.fields, JUDGE_PATTERNS_AFTER);
}

/* Rules about SPF, DKIM and DMARC say little about such mail. */
static void
print_unasked(const struct scan *scan)
{
	if (scan->unasked > 0)
		fprintf(stderr,
		    "%lu without results of authentication on record; DNS was "
		    "not asked (--dns, --zone)\n",
		    scan->unasked);
}

/* Log lines are for daemons: here the report says it all. */
static void
drop_line(void *context, enum log_level level, const char *line)
{
	(void)context;
	(void)level;
	(void)line;
}

static int
scan_all(struct scan *scan, char **paths, int count)
{
	int status = open_all(scan);

	if (status != EX_OK)
		return status;
	for (int i = 0; i < count; i++) {
		int result = scan_path(scan, paths[i]);

		if (status == EX_OK)
			status = result;
	}
	if (scan->compare != NULL)
		print_comparison(scan);
	else if (scan->messages > 0 || status == EX_OK)
		print_summary(scan);
	print_unasked(scan);
	print_patterns(&scan->judge);
	if (status == EX_OK && scan->failed > 0)
		status = EX_NOINPUT;
	if (status == EX_OK && scan->compare != NULL &&
	    compare_changed(scan->compare) > 0)
		status = EXIT_DIFFERS;
	return status;
}

int
tool_scan(int argc, char **argv)
{
	struct scan scan = { .config = TOOL_CONFIGURATION,
		.options = { .auth = SESSION_AUTH_RECORDED, .zygote = -1 } };
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
	if (scan.against != NULL && scan.report.explain)
		return tool_misused("scan",
		    "--against compares; --explain is for one policy at a "
		    "time");
	log_set_sink(drop_line, NULL, LOG_LEVEL_ERROR);
	status = scan_all(&scan, argv + optind, argc - optind);
	close_all(&scan);
	return status;
}
