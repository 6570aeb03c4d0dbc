#include <config.h>

#include "auth/spf_native.h"
#include "auth/spf_record.h"
#include "base/domain.h"

/* One check_host() under way. */
struct frame {
	struct frame *parent; /* whose include this is; NULL: the first */
	struct slice domain;  /* <domain>, %{d} */
	struct spf_record record;
	bool has_record;
	bool redirected; /* came here by redirect= */
	bool counted;    /* the term under way counts to the limit already */
	size_t next;     /* directive under way */
};

struct spf_native {
	struct spf_task *task;
	struct frame *top;
	bool explaining; /* the result stands, its exp= is fetched */
	bool finished;
	const struct spf_directive *decided; /* of the first frame */
};

/* What came of one directive. */
enum match {
	MATCH_NO,
	MATCH_YES,
	MATCH_WAIT,    /* an answer is missing */
	MATCH_TEMP,    /* temperror; the reason is noted */
	MATCH_PERM,    /* permerror; the reason is noted */
	MATCH_DESCEND, /* a new frame is on top */
	MATCH_FULL     /* the arena is full */
};

struct spf_native *
spf_native_new(struct spf_task *task)
{
	struct spf_native *native = arena_alloc(task->arena, sizeof *native);
	struct frame *frame = arena_alloc(task->arena, sizeof *frame);

	if (native == NULL || frame == NULL)
		return NULL;
	native->task = task;
	native->top = frame;
	frame->domain = task->domain;
	return native;
}

static void
note(struct spf_native *native, const char *what, struct slice about,
    const char *section)
{
	struct spf_task *task = native->task;

	task->outcome.problem = spf_engine_problem(task, what, about);
	task->outcome.rfc = section;
}

static const struct dns_answer *
ask(struct spf_native *native, struct slice name, enum dns_type type)
{
	return lookups_ask(native->task->lookups, name, type);
}

static const struct dns_answer *
ask_address(struct spf_native *native, struct slice name)
{
	return ask(native, name,
	    ipaddr_is_v4(&native->task->query.client) ? DNS_TYPE_A
						      : DNS_TYPE_AAAA);
}

/* True when one of the answer's addresses is the client within the prefix. */
static bool
holds_client(const struct dns_answer *answer, const struct ipaddr *client,
    const struct spf_directive *directive)
{
	struct ipaddr_network network;
	unsigned prefix = ipaddr_is_v4(client) ? 96 + directive->prefix_v4
					       : directive->prefix_v6;

	for (size_t i = 0; i < answer->record_count; i++) {
		struct ipaddr address;

		if (!dns_answer_address(answer, i, &address) ||
		    ipaddr_is_v4(&address) != ipaddr_is_v4(client))
			continue;
		network.prefix_length = (uint8_t)prefix;
		network.address = ipaddr_mask(&address, prefix);
		if (ipaddr_in_network(client, &network))
			return true;
	}
	return false;
}

/* Notes a failed look-up and says so. */
static enum match
lookup_failed(struct spf_native *native, const struct dns_answer *answer)
{
	note(native,
	    answer->timed_out        ? "DNS gave no answer in time about"
	    : answer->refused_by_cap ? "limit of DNS look-ups reached at"
	    : answer->bogus          ? "DNSSEC validation failed for"
				     : "DNS error about",
	    answer->name, "2.6.6");
	return MATCH_TEMP;
}

/* Counts a term that found nothing (RFC 7208, 4.6.4). */
static enum match
count_void(struct spf_native *native, struct slice name)
{
	struct spf_task *task = native->task;

	if (++task->outcome.void_lookups <= task->limits.void_max)
		return MATCH_NO;
	note(native, "too many void look-ups, the last for", name, "4.6.4");
	return MATCH_PERM;
}

static bool
is_void(const struct dns_answer *answer)
{
	return answer->state == DNS_NODATA || answer->state == DNS_NXDOMAIN;
}

/* ------------------------------------------------------- validated names */

/* How well a validated name serves as %{p} (RFC 7208, 7.3). */
enum name_rank {
	RANK_NONE,
	RANK_OTHER,
	RANK_BELOW, /* a subdomain of <domain> */
	RANK_SAME
};

static bool
is_under_fold(struct slice name, struct slice parent)
{
	return name.length > parent.length && parent.length > 0 &&
	       slice_ends_with_fold(name, parent) &&
	       name.data[name.length - parent.length - 1] == '.';
}

/* Looks at one name of the PTR answer: does it lead back to the client? */
static enum match
is_validated(struct spf_native *native, struct slice name)
{
	static const struct spf_directive exact = { .prefix_v4 = 32,
		.prefix_v6 = 128 };
	const struct dns_answer *answer = ask_address(native, name);

	if (answer->state == DNS_PENDING)
		return MATCH_WAIT;
	return holds_client(answer, &native->task->query.client, &exact)
		   ? MATCH_YES
		   : MATCH_NO;
}

/* Finds the best validated name of the client for `domain`; *name_out is left
 * alone when there is none. MATCH_YES: RANK_SAME or RANK_BELOW. */
static enum match
find_validated(struct spf_native *native, const struct dns_answer *pointers,
    struct slice domain, struct slice *name_out)
{
	struct spf_task *task = native->task;
	enum name_rank best = RANK_NONE;
	size_t count = pointers->record_count;
	bool waiting = false;

	if (count > task->limits.ptr_names_max)
		count = task->limits.ptr_names_max;
	for (size_t i = 0; i < count; i++) {
		enum name_rank rank = RANK_OTHER;
		struct slice name;
		enum match valid;

		if (!dns_answer_name(task->arena, pointers, i, &name))
			continue;
		if (slice_equal_fold(name, domain))
			rank = RANK_SAME;
		else if (is_under_fold(name, domain))
			rank = RANK_BELOW;
		/* all names are asked about before any is waited for */
		valid = is_validated(native, name);
		waiting = waiting || valid == MATCH_WAIT;
		if (valid == MATCH_YES && rank > best) {
			best = rank;
			*name_out = name;
		}
	}
	if (waiting)
		return MATCH_WAIT;
	return best >= RANK_BELOW ? MATCH_YES : MATCH_NO;
}

static const struct dns_answer *
ask_pointers(struct spf_native *native)
{
	char reverse[DNS_REVERSE_MAX];

	return ask(native,
	    slice_text(dns_reverse_name(&native->task->query.client, reverse)),
	    DNS_TYPE_PTR);
}

/* Fills in the macro values for a text; MATCH_WAIT while %{p} is not known. */
static enum match
prepare_values(struct spf_native *native, const struct frame *frame,
    struct slice text, struct spf_macro_values *values_out)
{
	const struct dns_answer *pointers;

	*values_out = native->task->values;
	values_out->domain = frame->domain;
	values_out->validated = SLICE_LITERAL("unknown");
	if (!spf_macro_needs_validated(text))
		return MATCH_YES;
	pointers = ask_pointers(native);
	if (pointers->state == DNS_PENDING ||
	    find_validated(native, pointers, frame->domain,
		&values_out->validated) == MATCH_WAIT)
		return MATCH_WAIT;
	return MATCH_YES;
}

/* Expands a domain-spec, or takes the current domain where there is none. */
static enum match
target_of(struct spf_native *native, const struct frame *frame,
    struct slice spec, struct slice *target_out)
{
	struct spf_macro_values values;

	*target_out = frame->domain;
	if (spec.length == 0)
		return MATCH_YES;
	if (prepare_values(native, frame, spec, &values) == MATCH_WAIT)
		return MATCH_WAIT;
	if (spf_macro_target(native->task->arena, spec, &values, target_out))
		return MATCH_YES;
	if (arena_exhausted(native->task->arena))
		return MATCH_FULL;
	note(native, "the macros expand to too much", spec, "7.3");
	return MATCH_PERM;
}

/* -------------------------------------------------------------- mechanisms */

static enum match
match_address(struct spf_native *native, const struct spf_directive *directive,
    struct slice target)
{
	const struct dns_answer *answer = ask_address(native, target);

	if (answer->state == DNS_PENDING)
		return MATCH_WAIT;
	if (answer->state == DNS_TEMPERROR)
		return lookup_failed(native, answer);
	if (is_void(answer))
		return count_void(native, target);
	return holds_client(answer, &native->task->query.client, directive)
		   ? MATCH_YES
		   : MATCH_NO;
}

static enum match
match_hosts(struct spf_native *native, const struct spf_directive *directive,
    const struct dns_answer *exchangers)
{
	enum match match = MATCH_NO;

	/* All hosts are asked about at once; the first that decides, in the
	 * order of the answer, counts. */
	for (size_t i = 0; i < exchangers->record_count; i++) {
		const struct dns_answer *answer;
		struct slice host;

		if (!dns_answer_name(
			native->task->arena, exchangers, i, &host) ||
		    host.length == 0)
			continue;
		answer = ask_address(native, host);
		if (match != MATCH_NO)
			continue;
		if (answer->state == DNS_PENDING)
			match = MATCH_WAIT;
		else if (answer->state == DNS_TEMPERROR)
			match = lookup_failed(native, answer);
		else if (holds_client(
			     answer, &native->task->query.client, directive))
			match = MATCH_YES;
	}
	return match;
}

static enum match
match_mx(struct spf_native *native, const struct spf_directive *directive,
    struct slice target)
{
	const struct dns_answer *answer = ask(native, target, DNS_TYPE_MX);

	if (answer->state == DNS_PENDING)
		return MATCH_WAIT;
	if (answer->state == DNS_TEMPERROR)
		return lookup_failed(native, answer);
	if (is_void(answer))
		return count_void(native, target);
	if (answer->record_count > native->task->limits.mx_names_max) {
		note(native, "too many MX hosts of", target, "4.6.4");
		return MATCH_PERM;
	}
	return match_hosts(native, directive, answer);
}

/* RFC 7208, 5.5: errors of DNS make no match here. */
static enum match
match_ptr(struct spf_native *native, struct slice target)
{
	const struct dns_answer *pointers = ask_pointers(native);
	struct slice name;

	if (pointers->state == DNS_PENDING)
		return MATCH_WAIT;
	if (is_void(pointers))
		return count_void(native, pointers->name);
	return find_validated(native, pointers, target, &name);
}

/* RFC 7208, 5.7: an A look-up whatever the client's address is. */
static enum match
match_exists(struct spf_native *native, struct slice target)
{
	const struct dns_answer *answer = ask(native, target, DNS_TYPE_A);

	if (answer->state == DNS_PENDING)
		return MATCH_WAIT;
	if (answer->state == DNS_TEMPERROR)
		return lookup_failed(native, answer);
	if (is_void(answer))
		return count_void(native, target);
	return MATCH_YES;
}

static enum match
descend(struct spf_native *native, struct slice target)
{
	struct frame *frame = arena_alloc(native->task->arena, sizeof *frame);

	if (frame == NULL)
		return MATCH_FULL;
	frame->domain = target;
	frame->parent = native->top;
	native->top = frame;
	return MATCH_DESCEND;
}

/* Counts the term under way once; false beyond the limit. */
static bool
count_term(struct spf_native *native, struct frame *frame, struct slice text)
{
	struct spf_task *task = native->task;

	if (frame->counted)
		return true;
	frame->counted = true;
	if (task->outcome.terms >= task->limits.terms_max) {
		note(native, "too many terms that ask DNS, the last is", text,
		    "4.6.4");
		return false;
	}
	task->outcome.terms++;
	return true;
}

static enum match
match_directive(struct spf_native *native, struct frame *frame,
    const struct spf_directive *directive)
{
	const struct ipaddr *client = &native->task->query.client;
	bool v6_term = directive->mechanism == SPF_MECHANISM_IP6;
	struct slice target;
	enum match match;

	if (directive->mechanism == SPF_MECHANISM_ALL)
		return MATCH_YES;
	if (directive->mechanism == SPF_MECHANISM_IP4 || v6_term)
		return ipaddr_is_v4(client) != v6_term &&
			       ipaddr_in_network(client, &directive->network)
			   ? MATCH_YES
			   : MATCH_NO;
	if (!count_term(native, frame, directive->text))
		return MATCH_PERM;
	match = target_of(native, frame, directive->target, &target);
	if (match != MATCH_YES)
		return match;
	switch (directive->mechanism) {
	case SPF_MECHANISM_INCLUDE:
		return descend(native, target);
	case SPF_MECHANISM_A:
		return match_address(native, directive, target);
	case SPF_MECHANISM_MX:
		return match_mx(native, directive, target);
	case SPF_MECHANISM_PTR:
		return match_ptr(native, target);
	case SPF_MECHANISM_EXISTS:
		return match_exists(native, target);
	case SPF_MECHANISM_ALL:
	case SPF_MECHANISM_IP4:
	case SPF_MECHANISM_IP6:
		break;
	}
	return MATCH_NO;
}

/* ------------------------------------------------------------------ frames */

/* The section of RFC 7208 that says what the mechanism matches. */
static const char *
mechanism_section(enum spf_mechanism mechanism)
{
	switch (mechanism) {
	case SPF_MECHANISM_ALL:
		return "5.1";
	case SPF_MECHANISM_INCLUDE:
		return "5.2";
	case SPF_MECHANISM_A:
		return "5.3";
	case SPF_MECHANISM_MX:
		return "5.4";
	case SPF_MECHANISM_PTR:
		return "5.5";
	case SPF_MECHANISM_IP4:
	case SPF_MECHANISM_IP6:
		return "5.6";
	case SPF_MECHANISM_EXISTS:
		return "5.7";
	}
	return "4.6.2";
}

/* The first frame's result is the result. */
static void
conclude(struct spf_native *native, const struct frame *frame,
    enum spf_result result)
{
	struct spf_outcome *outcome = &native->task->outcome;

	outcome->result = result;
	if (frame->has_record && native->decided != NULL) {
		outcome->mechanism = native->decided->text;
		outcome->mechanism_domain = frame->domain;
	}
	if (outcome->rfc == NULL)
		outcome->rfc =
		    native->decided != NULL
			? mechanism_section(native->decided->mechanism)
			: "4.7";
	native->explaining =
	    result == SPF_FAIL && frame->record.explanation.length > 0;
	native->finished = !native->explaining;
}

/* Ends frames with `result`, from the top down, as far as that decides
 * (RFC 7208, 5.2). */
static void
finish(struct spf_native *native, enum spf_result result)
{
	for (;;) {
		struct frame *frame = native->top, *parent = frame->parent;
		const struct spf_directive *include;

		if (parent == NULL) {
			conclude(native, frame, result);
			return;
		}
		native->top = parent;
		include = &parent->record.directives.items[parent->next];
		switch (result) {
		case SPF_PASS:
			result = include->result;
			if (parent->parent == NULL)
				native->decided = include;
			break;
		case SPF_FAIL:
		case SPF_SOFTFAIL:
		case SPF_NEUTRAL:
			parent->next++;
			parent->counted = false;
			return;
		case SPF_TEMPERROR:
			break;
		case SPF_NONE:
			note(native, "there is no SPF record to include at",
			    frame->domain, "5.2");
			result = SPF_PERMERROR;
			break;
		case SPF_PERMERROR:
			break;
		}
		if (result == SPF_TEMPERROR || result == SPF_PERMERROR)
			if (parent->parent == NULL)
				native->decided = include;
	}
}

/* No record where one was looked for: none, but permerror after redirect=
 * (RFC 7208, 6.1). */
static void
finish_without_record(
    struct spf_native *native, struct frame *frame, const char *what)
{
	note(native, what, frame->domain, frame->redirected ? "6.1" : "4.5");
	finish(native, frame->redirected ? SPF_PERMERROR : SPF_NONE);
}

static enum tc_status
load(struct spf_native *native, struct frame *frame)
{
	struct spf_task *task = native->task;
	const struct dns_answer *answer;
	struct slice text = { 0 }, problem;
	enum tc_status status;
	size_t count;

	if (!spf_engine_is_domain(frame->domain)) {
		finish_without_record(native, frame, "no domain name:");
		return TC_OK;
	}
	answer = ask(native, frame->domain, DNS_TYPE_TXT);
	if (answer->state == DNS_PENDING)
		return TC_AGAIN;
	if (answer->state == DNS_TEMPERROR) {
		lookup_failed(native, answer);
		finish(native, SPF_TEMPERROR);
		return TC_OK;
	}
	status = spf_record_select(task->arena, answer, &text, &count);
	if (status != TC_OK)
		return status;
	if (count == 0) {
		finish_without_record(native, frame, "no SPF record at");
		return TC_OK;
	}
	if (frame->parent == NULL && !frame->redirected)
		task->outcome.record = text;
	if (count > 1 || text.length > task->limits.record_bytes_max) {
		note(native,
		    count > 1 ? "several SPF records at"
			      : "the SPF record is too long at",
		    frame->domain, "4.5");
		finish(native, SPF_PERMERROR);
		return TC_OK;
	}
	status = spf_record_parse(task->arena, text, &frame->record, &problem);
	if (status == TC_INVALID) {
		task->outcome.problem = problem;
		task->outcome.rfc = "4.6";
		finish(native, SPF_PERMERROR);
		return TC_OK;
	}
	frame->has_record = status == TC_OK;
	return status;
}

/* RFC 7208, 6.1: the frame begins anew with another domain. */
static enum tc_status
redirect(struct spf_native *native, struct frame *frame)
{
	struct slice target;
	enum match match;

	if (!count_term(native, frame, frame->record.redirect)) {
		finish(native, SPF_PERMERROR);
		return TC_OK;
	}
	match = target_of(native, frame, frame->record.redirect, &target);
	if (match == MATCH_WAIT)
		return TC_AGAIN;
	if (match == MATCH_FULL)
		return TC_LIMIT;
	if (match == MATCH_PERM) {
		finish(native, SPF_PERMERROR);
		return TC_OK;
	}
	*frame = (struct frame){
		.parent = frame->parent, .domain = target, .redirected = true
	};
	return TC_OK;
}

static enum tc_status
advance(struct spf_native *native, struct frame *frame)
{
	const struct spf_directive *directive;
	enum match match;

	if (frame->next == frame->record.directives.count) {
		if (frame->record.redirect.length > 0)
			return redirect(native, frame);
		finish(native, SPF_NEUTRAL);
		return TC_OK;
	}
	directive = &frame->record.directives.items[frame->next];
	match = match_directive(native, frame, directive);
	if (frame->parent == NULL &&
	    (match == MATCH_YES || match == MATCH_TEMP || match == MATCH_PERM))
		native->decided = directive;
	switch (match) {
	case MATCH_NO:
		frame->next++;
		frame->counted = false;
		break;
	case MATCH_YES:
		finish(native, directive->result);
		break;
	case MATCH_WAIT:
		return TC_AGAIN;
	case MATCH_TEMP:
		finish(native, SPF_TEMPERROR);
		break;
	case MATCH_PERM:
		finish(native, SPF_PERMERROR);
		break;
	case MATCH_DESCEND:
		break;
	case MATCH_FULL:
		return TC_LIMIT;
	}
	return TC_OK;
}

static bool
is_printable(struct slice text)
{
	for (size_t i = 0; i < text.length; i++)
		if ((unsigned char)text.data[i] < 0x20 ||
		    (unsigned char)text.data[i] > 0x7e)
			return false;
	return text.length > 0;
}

/* RFC 7208, 6.2: whatever goes wrong, there is no explanation. */
static enum tc_status
explain(struct spf_native *native)
{
	struct spf_task *task = native->task;
	struct frame *frame = native->top;
	const struct dns_answer *answer;
	struct spf_macro_values values;
	struct slice target, text;
	enum match match;

	match = target_of(native, frame, frame->record.explanation, &target);
	if (match == MATCH_WAIT)
		return TC_AGAIN;
	if (match != MATCH_YES)
		return TC_OK;
	answer = ask(native, target, DNS_TYPE_TXT);
	if (answer->state == DNS_PENDING)
		return TC_AGAIN;
	if (answer->state != DNS_FOUND || answer->record_count != 1 ||
	    !dns_answer_text(task->arena, answer, 0, &text) ||
	    text.length > task->limits.record_bytes_max ||
	    !spf_macro_is_valid(text, SPF_MACRO_EXPLANATION))
		return TC_OK;
	if (prepare_values(native, frame, text, &values) == MATCH_WAIT)
		return TC_AGAIN;
	if (spf_macro_expand(task->arena, text, &values,
		task->limits.explanation_bytes_max, &text) &&
	    is_printable(text))
		task->outcome.explanation = text;
	return TC_OK;
}

enum tc_status
spf_native_step(struct spf_native *native)
{
	enum tc_status status = TC_OK;

	while (!native->finished && status == TC_OK) {
		struct frame *frame = native->top;

		if (native->explaining) {
			struct slice problem = native->task->outcome.problem;
			const char *rfc = native->task->outcome.rfc;

			status = explain(native);
			native->finished = status == TC_OK;
			/* what went wrong there decides nothing */
			native->task->outcome.problem = problem;
			native->task->outcome.rfc = rfc;
		} else if (!frame->has_record) {
			status = load(native, frame);
		} else {
			status = advance(native, frame);
		}
	}
	return status;
}
