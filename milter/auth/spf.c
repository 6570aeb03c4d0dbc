#include <config.h>

#include "auth/spf.h"
#include "auth/spf_engine.h"
#include "auth/spf_libspf2.h"
#include "auth/spf_native.h"
#include "base/builder.h"
#include "base/domain.h"

struct spf_eval {
	struct spf_task task;
	enum spf_engine engine;
	bool concluded;
	struct spf_native *native;
	struct spf_libspf2 *libspf2;
};

struct slice
spf_engine_problem(struct spf_task *task, const char *what, struct slice about)
{
	struct builder builder = builder_make(task->arena, 400);

	builder_text(&builder, what);
	if (about.length > 0) {
		builder_byte(&builder, ' ');
		builder_printable(&builder, about, 120);
	}
	return builder_result(&builder);
}

void
spf_engine_conclude(struct spf_task *task, enum spf_result result,
    struct slice problem, const char *section)
{
	task->outcome.result = result;
	task->outcome.problem = problem;
	task->outcome.rfc = section;
}

static bool
is_all_digits(struct slice label)
{
	for (size_t i = 0; i < label.length; i++)
		if (!ascii_is_digit(label.data[i]))
			return false;
	return true;
}

bool
spf_engine_is_domain(struct slice name)
{
	size_t dot;

	if (!dns_name_is_sound(name))
		return false;
	if (name.data[name.length - 1] == '.')
		name.length--;
	dot = slice_find_last_byte(name, '.');
	return dot != SIZE_MAX && name.data[0] != '[' &&
	       !is_all_digits(slice_skip(name, dot + 1));
}

/* Whether a name holds what no mail domain has (RFC 7208, 4.3; RFC 5321,
 * 4.1.2), such as "victim.example(.evil.example": readers of what is written
 * about it may stop early. */
static bool
holds_special(struct slice name)
{
	for (size_t i = 0; i < name.length; i++) {
		unsigned char c = (unsigned char)name.data[i];

		if (c <= ' ' || c == 0x7f ||
		    strchr("()<>@,;:\\\"/[]?=", c) != NULL)
			return true;
	}
	return false;
}

/* Splits the sender at its last "@"; without one it is all domain. */
static void
split_sender(
    struct slice sender, struct slice *local_out, struct slice *domain_out)
{
	size_t at = slice_find_last_byte(sender, '@');

	*local_out = slice_range(sender, 0, at == SIZE_MAX ? 0 : at);
	*domain_out = at == SIZE_MAX ? sender : slice_skip(sender, at + 1);
	if (local_out->length == 0)
		*local_out = SLICE_LITERAL("postmaster");
}

static bool
has_octet_above_ascii(struct slice text)
{
	for (size_t i = 0; i < text.length; i++)
		if ((unsigned char)text.data[i] >= 0x80)
			return true;
	return false;
}

/* Names with U-labels are asked for by their A-labels; others keep their case,
 * which explanations show. */
static struct slice
to_a_labels(struct arena *arena, struct slice name)
{
	struct slice canonical;

	if (has_octet_above_ascii(name) &&
	    domain_canonical(arena, name, &canonical))
		return canonical;
	return name;
}

/* RFC 7208, 2.4 and 4.1: who is judged, and what macros stand for. */
static bool
prepare(struct spf_task *task)
{
	const struct spf_query *query = &task->query;
	struct spf_outcome *outcome = &task->outcome;
	struct spf_macro_values *values = &task->values;
	struct builder sender;
	bool helo =
	    query->identity == SPF_IDENTITY_HELO ||
	    (query->identity == SPF_IDENTITY_AUTO && query->sender.length == 0);

	outcome->identity = helo ? SPF_IDENTITY_HELO : SPF_IDENTITY_MAILFROM;
	values->local_part = SLICE_LITERAL("postmaster");
	values->sender_domain = query->helo;
	if (!helo)
		split_sender(
		    query->sender, &values->local_part, &values->sender_domain);
	task->domain = to_a_labels(task->arena, values->sender_domain);
	values->sender_domain = task->domain;
	sender = builder_make(task->arena, SIZE_MAX);
	builder_slice(&sender, values->local_part);
	builder_byte(&sender, '@');
	builder_slice(&sender, values->sender_domain);
	values->sender = builder_result(&sender);
	values->helo = to_a_labels(task->arena, query->helo);
	values->receiver = query->receiver.length > 0
			       ? query->receiver
			       : SLICE_LITERAL("unknown");
	values->client = query->client;
	values->now_unix = query->now_unix;
	outcome->sender = values->sender;
	if (!domain_canonical(task->arena, task->domain, &outcome->domain))
		outcome->domain = task->domain;
	return !sender.failed;
}

struct spf_eval *
spf_eval_new(struct arena *arena, struct lookups *lookups,
    const struct spf_query *query, const struct spf_limits *limits,
    enum spf_engine engine)
{
	struct spf_eval *eval = arena_alloc(arena, sizeof *eval);

	if (eval == NULL)
		return NULL;
	/* libspf2 lets any loopback client pass. */
	eval->engine =
	    ipaddr_is_loopback(&query->client) ? SPF_ENGINE_NATIVE : engine;
	eval->task.arena = arena;
	eval->task.lookups = lookups;
	eval->task.limits = limits == NULL ? SPF_LIMITS_DEFAULT : *limits;
	eval->task.query = *query;
	if (!prepare(&eval->task))
		return NULL;
	if (!spf_engine_is_domain(eval->task.domain) ||
	    holds_special(eval->task.domain)) {
		spf_engine_conclude(&eval->task, SPF_NONE,
		    spf_engine_problem(
			&eval->task, "no domain name:", eval->task.domain),
		    "4.3");
		eval->concluded = true;
		return eval;
	}
	if (eval->engine == SPF_ENGINE_NATIVE)
		eval->native = spf_native_new(&eval->task);
	else
		eval->libspf2 = spf_libspf2_new(&eval->task);
	return eval->native == NULL && eval->libspf2 == NULL ? NULL : eval;
}

enum tc_status
spf_eval_step(struct spf_eval *eval, struct spf_outcome *outcome_out)
{
	if (!eval->concluded) {
		enum tc_status status = eval->engine == SPF_ENGINE_NATIVE
					    ? spf_native_step(eval->native)
					    : spf_libspf2_step(eval->libspf2);

		if (status != TC_OK)
			return status;
		eval->concluded = true;
		/* What merely did not match leaves no problem behind. */
		if (eval->task.outcome.result != SPF_NONE &&
		    eval->task.outcome.result != SPF_TEMPERROR &&
		    eval->task.outcome.result != SPF_PERMERROR)
			eval->task.outcome.problem = slice_make(NULL, 0);
	}
	*outcome_out = eval->task.outcome;
	return TC_OK;
}

const char *
spf_result_name(enum spf_result result)
{
	static const char *const names[] = { [SPF_NONE] = "none",
		[SPF_NEUTRAL] = "neutral",
		[SPF_PASS] = "pass",
		[SPF_FAIL] = "fail",
		[SPF_SOFTFAIL] = "softfail",
		[SPF_TEMPERROR] = "temperror",
		[SPF_PERMERROR] = "permerror" };

	return names[result];
}

const char *
spf_identity_name(enum spf_identity identity)
{
	switch (identity) {
	case SPF_IDENTITY_HELO:
		return "helo";
	case SPF_IDENTITY_MAILFROM:
		return "mailfrom";
	case SPF_IDENTITY_AUTO:
		break;
	}
	return "auto";
}

const char *
spf_engine_name(enum spf_engine engine)
{
	return engine == SPF_ENGINE_NATIVE ? "native" : "libspf2";
}

/* " key=value;" with the value as a dot-atom or a quoted string, on a line of
 * its own; nothing where that is not possible. */
static void
append_pair(struct builder *builder, const char *key, struct slice value)
{
	if (value.length == 0 || value.length > 320 ||
	    slice_find(value, SLICE_LITERAL("=?")) != SIZE_MAX)
		return;
	for (size_t i = 0; i < value.length; i++)
		if ((unsigned char)value.data[i] < 0x20 ||
		    (unsigned char)value.data[i] > 0x7e)
			return;
	builder_printf(builder, "\n\t%s=\"", key);
	for (size_t i = 0; i < value.length; i++) {
		if (value.data[i] == '"' || value.data[i] == '\\')
			builder_byte(builder, '\\');
		builder_byte(builder, value.data[i]);
	}
	builder_text(builder, "\";");
}

struct slice
spf_received_header(struct arena *arena, const struct spf_query *query,
    const struct spf_outcome *outcome)
{
	struct builder builder = builder_make(arena, 4096);
	char client[IPADDR_TEXT_MAX];

	builder_text(&builder, spf_result_name(outcome->result));
	append_pair(&builder, "receiver", query->receiver);
	append_pair(&builder, "client-ip",
	    slice_text(ipaddr_format(&query->client, client)));
	append_pair(&builder, "envelope-from", query->sender);
	append_pair(&builder, "helo", query->helo);
	append_pair(&builder, "identity",
	    slice_text(spf_identity_name(outcome->identity)));
	append_pair(&builder, "mechanism", outcome->mechanism);
	append_pair(&builder, "problem", outcome->problem);
	return builder.failed ? slice_make(NULL, 0) : builder_result(&builder);
}
