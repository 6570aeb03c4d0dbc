#include <config.h>

#include <stdint.h>

#include "outcome/verdict_log.h"

#include "base/log.h"
#include "evidence/evidence.h"
#include "evidence/inspect.h"
#include "evidence/results.h"
#include "indicator/match.h"
#include "language/facts.h"
#include "language/program.h"

#define LINE_MAX_BYTES  4000 /* syslog daemons cut at 8 KiB or below */
#define VALUE_MAX_BYTES 256
#define NAMED_MAX       20 /* rules or indicators that are spelt out */

static bool
needs_quotes(struct slice value)
{
	if (value.length == 0)
		return true;
	for (size_t i = 0; i < value.length; i++)
		if (value.data[i] == ' ' || value.data[i] == '"' ||
		    value.data[i] == '=')
			return true;
	return false;
}

void
verdict_log_field(struct builder *out, const char *key, struct slice value)
{
	bool quoted = needs_quotes(value);

	builder_printf(out, " %s=%s", key, quoted ? "\"" : "");
	while (quoted && value.length > 0) {
		size_t at = slice_find_byte(value, '"');
		struct slice head = slice_range(value, 0, at);

		builder_printable(out, head, VALUE_MAX_BYTES);
		if (at == SIZE_MAX)
			break;
		builder_text(out, "\\x22");
		value = slice_skip(value, at + 1);
	}
	if (quoted)
		builder_byte(out, '"');
	else
		builder_printable(out, value, VALUE_MAX_BYTES);
}

void
verdict_log_indicator(struct builder *out, const struct match_hit *hit)
{
	builder_printable(out, hit->feed, VALUE_MAX_BYTES);
	builder_byte(out, ':');
	builder_printable(
	    out, hit->id.length > 0 ? hit->id : hit->value, VALUE_MAX_BYTES);
}

static bool
is_enforced(const struct verdict_match *match)
{
	return !match->shadow && match->exempted_by == NULL;
}

void
verdict_log_rules(struct builder *out, const struct verdict *verdict)
{
	const char *separator = "";
	size_t named = 0;

	if (verdict->decided_by != NULL) {
		builder_text(out, verdict->decided_by->name);
		separator = ",";
		named++;
	}
	for (size_t i = 0; i < verdict->matches.count; i++) {
		const struct verdict_match *match = &verdict->matches.items[i];

		if (!is_enforced(match) || match->rule == verdict->decided_by)
			continue;
		if (named++ == NAMED_MAX) {
			builder_text(out, ",...");
			return;
		}
		builder_printf(out, "%s%s", separator, match->rule->name);
		separator = ",";
	}
	if (named == 0)
		builder_byte(out, '-');
}

/* Rules that changed nothing: in shadow, or exempted. */
static void
add_idle_rules(struct builder *out, const struct verdict *verdict)
{
	const char *separator = " shadow=";

	if (verdict->would != DISPOSITION_NONE)
		builder_printf(
		    out, " would=%s", verdict_disposition_name(verdict->would));
	for (size_t i = 0; i < verdict->matches.count && i < NAMED_MAX; i++) {
		if (!verdict->matches.items[i].shadow)
			continue;
		builder_printf(out, "%s%s", separator,
		    verdict->matches.items[i].rule->name);
		separator = ",";
	}
	separator = " exempted=";
	for (size_t i = 0; i < verdict->matches.count && i < NAMED_MAX; i++) {
		if (verdict->matches.items[i].exempted_by == NULL)
			continue;
		builder_printf(out, "%s%s", separator,
		    verdict->matches.items[i].rule->name);
		separator = ",";
	}
}

static void
add_errors(struct builder *out, const struct verdict *verdict)
{
	const char *separator = " failure=";

	for (unsigned i = 0; i < FAILURE_COUNT; i++) {
		if ((verdict->failures & 1u << i) == 0)
			continue;
		builder_printf(out, "%s%s", separator, results_failure_name(i));
		separator = ",";
	}
	separator = " errors=";
	for (size_t i = 0; i < verdict->errors.count && i < NAMED_MAX; i++) {
		const struct verdict_error *error = &verdict->errors.items[i];

		builder_printf(out, "%s%s", separator,
		    error->rule == NULL ? "-" : error->rule->name);
		separator = ",";
	}
}

static void
add_indicators(struct builder *out, const struct evidence *evidence)
{
	if (evidence->hit_count == 0)
		return;
	builder_text(out, " indicator=");
	for (size_t i = 0; i < evidence->hit_count && i < NAMED_MAX; i++) {
		if (i > 0)
			builder_byte(out, ',');
		verdict_log_indicator(out, &evidence->hits[i]);
	}
	builder_printf(out, " hits=%zu", evidence->hit_count);
}

static void
add_results(struct builder *out, const struct evidence *evidence)
{
	const char *separator = " incomplete=";

	builder_printf(out, " spf=%s dkim=%s dmarc=%s arc=%s",
	    results_spf(evidence), results_dkim(evidence),
	    results_dmarc(evidence), results_arc(evidence));
	for (unsigned i = 0; i < EVIDENCE_GAP_COUNT; i++) {
		if ((evidence->gaps & 1u << i) == 0)
			continue;
		builder_printf(
		    out, "%s%s", separator, evidence_gap_name(1u << i));
		separator = ",";
	}
}

static bool
is_among(const struct slice *seen, size_t count, struct slice word)
{
	for (size_t i = 0; i < count; i++)
		if (slice_equal(seen[i], word))
			return true;
	return false;
}

/* Why files could not be looked into: "unscannable=encrypted", each once. */
static void
add_unscannable(struct builder *out, const struct evidence *evidence)
{
	const struct inspection *inspection = evidence->inspection;
	const char *separator = " unscannable=";
	struct slice seen[NAMED_MAX];
	size_t count = 0;

	for (size_t i = 0; inspection != NULL && i < inspection->files.count &&
			   count < NAMED_MAX;
	     i++) {
		struct slice reason = inspection->files.items[i].item->reason;

		if (reason.length == 0 || is_among(seen, count, reason))
			continue;
		seen[count++] = reason;
		builder_text(out, separator);
		/* A worker's word, which may have been taken over. */
		builder_printable(out, reason, 32);
		separator = ",";
	}
}

/* What is done beside the disposition: "action=tag,alert", each kind once. */
static void
add_actions(struct builder *out, const struct evidence *evidence,
    const struct verdict *verdict)
{
	const char *separator = " action=";
	unsigned seen = 0;

	if (evidence->preserve_failed) {
		builder_printf(out, "%spreserve-failed", separator);
		separator = ",";
		seen |= 1u << ACTION_PRESERVE;
	}
	for (size_t i = 0; i < verdict->actions.count; i++) {
		enum verdict_action_kind kind = verdict->actions.items[i].kind;

		if ((seen & 1u << kind) != 0)
			continue;
		seen |= 1u << kind;
		builder_printf(
		    out, "%s%s", separator, verdict_action_name(kind));
		separator = ",";
	}
}

static void
add_parties(struct builder *out, const struct evidence *evidence)
{
	char ip[IPADDR_TEXT_MAX] = "-";

	if (evidence->has_client_ip)
		ipaddr_format(&evidence->client_ip, ip);
	verdict_log_field(out, "from", results_author(evidence));
	verdict_log_field(out, "mail-from", evidence->sender_text);
	if (evidence->recipients.count > 0)
		verdict_log_field(out, "rcpt",
		    evidence->recipients.items[evidence->recipients.count - 1]
			.text);
	if (evidence->recipients.count > 1)
		builder_printf(out, " rcpts=%zu", evidence->recipients.count);
	if (evidence->auth_user.length > 0)
		verdict_log_field(out, "auth", evidence->auth_user);
	builder_printf(out, " client=%s direction=%s", ip,
	    evidence_direction_name(evidence->direction));
}

void
verdict_log_line(struct builder *out, const struct evidence *evidence,
    const struct verdict *verdict, enum schema_stage stage)
{
	if (evidence->queue_id.length > 0)
		builder_printable(out, evidence->queue_id, 64);
	else
		builder_text(out, "NOQUEUE");
	builder_printf(out, ": verdict disposition=%s rule=",
	    verdict_disposition_name(verdict->disposition));
	verdict_log_rules(out, verdict);
	add_actions(out, evidence, verdict);
	if (stage != STAGE_MESSAGE)
		builder_printf(out, " stage=%s", schema_stage_name(stage));
	add_idle_rules(out, verdict);
	add_indicators(out, evidence);
	if (stage == STAGE_MESSAGE) {
		add_results(out, evidence);
		add_unscannable(out, evidence);
	}
	add_errors(out, verdict);
	add_parties(out, evidence);
	builder_printf(out, " policy=%s store=%llu ref=%s",
	    evidence->policy_hash,
	    (unsigned long long)evidence->store_generation,
	    evidence->reference);
	if (stage == STAGE_MESSAGE)
		builder_printf(out, " took_ms=%u", evidence->took_ms);
}

void
verdict_log_write(const struct evidence *evidence,
    const struct verdict *verdict, enum schema_stage stage)
{
	struct builder line = builder_make(evidence->arena, LINE_MAX_BYTES);
	struct slice text;

	verdict_log_line(&line, evidence, verdict, stage);
	text = builder_result(&line);
	log_write(LOG_LEVEL_NOTICE, "%.*s%s", (int)text.length, text.data,
	    line.failed ? " ..." : "");
}
