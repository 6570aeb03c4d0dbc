#include <config.h>

#include <netinet/in.h>
#include <spf2/spf.h>

#include "auth/spf_libspf2.h"
#include "auth/spf_record.h"
#include "base/builder.h"

#define RECORD_BYTES_MAX 2048
#define SPEC_BYTES_MAX   255
#define SPEC_MACROS_MAX  24
#define CALLS_MAX        120 /* look-ups of one run */

struct spf_libspf2 {
	struct spf_task *task;
	SPF_dns_server_t hooks;
	SPF_server_t *server;
	SPF_request_t *request;
	SPF_dns_rr_t *spare; /* never return NULL to the library: it aborts */
	unsigned calls;
	bool missing;         /* an answer was */
	bool full;            /* the arena is */
	bool failed;          /* DNS did, for a TXT record */
	struct slice problem; /* of a record; empty: none */
};

/* -------------------------------------------------------------- DNS hooks */

static SPF_dns_rr_t *
rr_of_state(struct spf_libspf2 *engine, const char *domain, ns_type type,
    SPF_dns_stat_t state)
{
	SPF_dns_rr_t *rr =
	    SPF_dns_rr_new_init(&engine->hooks, domain, type, 60, state);

	if (rr == NULL) {
		rr = engine->spare;
		engine->spare = NULL;
		engine->full = true;
	}
	return rr;
}

static bool
rr_append(SPF_dns_rr_t *rr, struct slice data, bool text)
{
	int index = rr->num_rr;

	if (SPF_dns_rr_buf_realloc(rr, index,
		data.length + (text ? 1 : 0) + sizeof(SPF_dns_rr_data_t)) !=
	    SPF_E_SUCCESS)
		return false;
	memcpy(rr->rr[index], data.data, data.length);
	if (text)
		((char *)rr->rr[index])[data.length] = '\0';
	rr->num_rr++;
	return true;
}

static unsigned
count_byte(struct slice text, char byte)
{
	unsigned count = 0;

	for (size_t i = 0; i < text.length; i++)
		count += text.data[i] == byte;
	return count;
}

static bool
spec_is_tame(struct slice spec)
{
	return spec.length <= SPEC_BYTES_MAX &&
	       count_byte(spec, '%') <= SPEC_MACROS_MAX;
}

static bool
is_plain_name(struct slice name)
{
	for (size_t i = 0; i < name.length; i++) {
		char byte = name.data[i];

		if (!ascii_is_alpha(byte) && !ascii_is_digit(byte) &&
		    byte != '-' && byte != '_' &&
		    (byte != '.' || i == 0 || name.data[i - 1] == '.'))
			return false;
	}
	return name.length > 0;
}

/* The library drops a label where a macro asks for as many as there are: of
 * %{d2} for example.org it makes ".org". So it gets the finished name. */
static void
add_spec(struct builder *text, struct spf_libspf2 *engine, struct slice spec,
    const char *domain)
{
	struct spf_macro_values values = engine->task->values;
	struct slice name;

	values.domain = slice_text(domain);
	if (slice_find_byte(spec, '%') != SIZE_MAX &&
	    !spf_macro_needs_validated(spec) &&
	    spf_macro_target(engine->task->arena, spec, &values, &name) &&
	    is_plain_name(name))
		spec = name;
	builder_slice(text, spec);
}

static void
add_directive(struct builder *text, struct spf_libspf2 *engine,
    const struct spf_directive *directive, const char *domain)
{
	size_t at = slice_find_byte(directive->text, ':') + 1;

	if (directive->target.length == 0) {
		builder_slice(text, directive->text);
		return;
	}
	builder_slice(text, slice_range(directive->text, 0, at));
	add_spec(text, engine, directive->target, domain);
	builder_slice(
	    text, slice_skip(directive->text, at + directive->target.length));
}

/* The record without modifiers that we do not hand on; NULL when it holds more
 * than the library should see. */
static const char *
tame(struct spf_libspf2 *engine, const struct spf_record *record,
    const char *domain)
{
	struct arena *arena = engine->task->arena;
	struct builder text = builder_make(arena, RECORD_BYTES_MAX);

	builder_text(&text, "v=spf1");
	for (size_t i = 0; i < record->directives.count; i++) {
		const struct spf_directive *directive =
		    &record->directives.items[i];

		if (!spec_is_tame(directive->target))
			return NULL;
		builder_byte(&text, ' ');
		add_directive(&text, engine, directive, domain);
	}
	if (!spec_is_tame(record->redirect))
		return NULL;
	if (record->redirect.length > 0) {
		builder_text(&text, " redirect=");
		add_spec(&text, engine, record->redirect, domain);
	}
	return builder_c_string(&text);
}

/* The library's buffers are fixed, and what does not fit is left out without
 * a word: compare what it took in. It counts redirect= as a mechanism. */
static bool
is_taken_in_whole(struct spf_libspf2 *engine, const char *text, size_t terms)
{
	SPF_response_t *response = SPF_response_new(engine->request);
	SPF_record_t *record = NULL;
	bool whole = false;

	if (response == NULL)
		return false;
	if (SPF_record_compile(engine->server, response, &record, text) ==
	    SPF_E_SUCCESS)
		whole = record->num_mech == terms;
	if (record != NULL)
		SPF_record_free(record);
	SPF_response_free(response);
	return whole;
}

static void
refuse(struct spf_libspf2 *engine, const char *what, const char *domain)
{
	if (engine->problem.length == 0)
		engine->problem =
		    spf_engine_problem(engine->task, what, slice_text(domain));
}

/* Hands the one SPF record on, if it is fit for that. */
static SPF_dns_rr_t *
text_lookup(struct spf_libspf2 *engine, const char *domain,
    const struct dns_answer *answer)
{
	struct arena *arena = engine->task->arena;
	struct slice text = { 0 }, problem = { 0 };
	struct spf_record record;
	SPF_dns_rr_t *rr;
	const char *tamed;
	size_t count = 0;
	enum tc_status status;

	status = spf_record_select(arena, answer, &text, &count);
	if (status == TC_OK && count == 1)
		status = spf_record_parse(arena, text, &record, &problem);
	engine->full = engine->full || status == TC_LIMIT;
	if (status == TC_INVALID && engine->problem.length == 0)
		engine->problem = problem;
	if (status != TC_OK || count != 1) {
		if (count > 1)
			refuse(engine, "several SPF records at", domain);
		return rr_of_state(engine, domain, ns_t_txt, NO_DATA);
	}
	tamed = text.length > RECORD_BYTES_MAX ? NULL
					       : tame(engine, &record, domain);
	if (tamed == NULL ||
	    !is_taken_in_whole(engine, tamed,
		record.directives.count + (record.redirect.length > 0))) {
		refuse(engine, "libspf2 cannot hold the SPF record at", domain);
		return rr_of_state(engine, domain, ns_t_txt, NO_DATA);
	}
	rr = rr_of_state(engine, domain, ns_t_txt, NETDB_SUCCESS);
	if (!rr_append(rr, slice_text(tamed), true))
		engine->full = true;
	return rr;
}

static bool
is_c_text(struct slice text)
{
	for (size_t i = 0; i < text.length; i++)
		if ((unsigned char)text.data[i] <= 0x20 ||
		    (unsigned char)text.data[i] > 0x7e)
			return false;
	return text.length > 0 && text.length <= 500;
}

static SPF_dns_rr_t *
data_lookup(struct spf_libspf2 *engine, const char *domain, ns_type type,
    const struct dns_answer *answer)
{
	SPF_dns_rr_t *rr = rr_of_state(engine, domain, type, NETDB_SUCCESS);
	size_t count = answer->record_count > 100 ? 100 : answer->record_count;

	for (size_t i = 0; i < count; i++) {
		struct slice data = answer->records[i];
		bool name = type == ns_t_mx || type == ns_t_ptr;

		if (name &&
		    (!dns_answer_name(engine->task->arena, answer, i, &data) ||
			!is_c_text(data)))
			continue;
		if (!name && data.length != (type == ns_t_a ? 4 : 16))
			continue;
		if (!rr_append(rr, data, name))
			engine->full = true;
	}
	return rr;
}

static SPF_dns_rr_t *
lookup(SPF_dns_server_t *hooks, const char *domain, ns_type type, int cache)
{
	struct spf_libspf2 *engine = hooks->hook;
	const struct dns_answer *answer;

	(void)cache;
	if (type != ns_t_a && type != ns_t_aaaa && type != ns_t_mx &&
	    type != ns_t_ptr && type != ns_t_txt)
		return rr_of_state(engine, domain, type, NO_DATA);
	if (++engine->calls > CALLS_MAX) {
		refuse(engine, "too many look-ups, the last for", domain);
		return rr_of_state(engine, domain, type, HOST_NOT_FOUND);
	}
	answer = lookups_ask(
	    engine->task->lookups, slice_text(domain), (enum dns_type)type);
	switch (answer->state) {
	case DNS_PENDING:
		engine->missing = true;
		break;
	case DNS_FOUND:
		return type == ns_t_txt
			   ? text_lookup(engine, domain, answer)
			   : data_lookup(engine, domain, type, answer);
	case DNS_NODATA:
		return rr_of_state(engine, domain, type, NO_DATA);
	case DNS_NXDOMAIN:
		return rr_of_state(engine, domain, type, HOST_NOT_FOUND);
	case DNS_TEMPERROR:
		engine->failed = engine->failed || type == ns_t_txt;
		break;
	}
	return rr_of_state(engine, domain, type, TRY_AGAIN);
}

/* -------------------------------------------------------------------- runs */

struct spf_libspf2 *
spf_libspf2_new(struct spf_task *task)
{
	struct spf_libspf2 *engine = arena_alloc(task->arena, sizeof *engine);

	if (engine == NULL)
		return NULL;
	engine->task = task;
	engine->hooks.lookup = lookup;
	engine->hooks.name = "tocsin";
	engine->hooks.hook = engine;
	return engine;
}

static bool
set_up(struct spf_libspf2 *engine)
{
	struct spf_task *task = engine->task;
	SPF_response_t *response = NULL;
	const struct ipaddr *client = &task->query.client;
	struct in_addr v4;
	struct in6_addr v6;
	const char *helo = arena_text(task->arena, task->values.helo);
	const char *sender = arena_text(task->arena, task->values.sender);

	memcpy(&v4, client->octets + 12, sizeof v4);
	memcpy(&v6, client->octets, sizeof v6);
	engine->spare =
	    SPF_dns_rr_new_init(&engine->hooks, "", ns_t_txt, 0, TRY_AGAIN);
	engine->server = SPF_server_new_dns(&engine->hooks, 0);
	if (engine->spare == NULL || engine->server == NULL || helo == NULL ||
	    sender == NULL)
		return false;
	if (SPF_server_set_rec_dom(engine->server, "unknown") !=
		SPF_E_SUCCESS ||
	    SPF_server_set_explanation(engine->server, "refused", &response) !=
		SPF_E_SUCCESS)
		return false;
	if (response != NULL)
		SPF_response_free(response);
	engine->request = SPF_request_new(engine->server);
	if (engine->request == NULL)
		return false;
	if (ipaddr_is_v4(client))
		SPF_request_set_ipv4(engine->request, v4);
	else
		SPF_request_set_ipv6(engine->request, v6);
	return SPF_request_set_helo_dom(engine->request, helo) ==
		   SPF_E_SUCCESS &&
	       SPF_request_set_env_from(engine->request, sender) == 0;
}

static void
tear_down(struct spf_libspf2 *engine)
{
	if (engine->request != NULL)
		SPF_request_free(engine->request);
	if (engine->server != NULL)
		SPF_server_free(engine->server);
	if (engine->spare != NULL)
		SPF_dns_rr_free(engine->spare);
	engine->request = NULL;
	engine->server = NULL;
	engine->spare = NULL;
}

static enum spf_result
result_of(SPF_response_t *response)
{
	SPF_errcode_t error;

	if (response == NULL)
		return SPF_TEMPERROR;
	error = SPF_response_errcode(response);
	switch (SPF_response_result(response)) {
	case SPF_RESULT_NEUTRAL:
		return SPF_NEUTRAL;
	case SPF_RESULT_PASS:
		return SPF_PASS;
	case SPF_RESULT_FAIL:
		return SPF_FAIL;
	case SPF_RESULT_SOFTFAIL:
		return SPF_SOFTFAIL;
	case SPF_RESULT_NONE:
		return SPF_NONE;
	case SPF_RESULT_TEMPERROR:
		return SPF_TEMPERROR;
	case SPF_RESULT_PERMERROR:
	case SPF_RESULT_INVALID:
		break;
	}
	return error == SPF_E_DNS_ERROR || error == SPF_E_NO_MEMORY
		   ? SPF_TEMPERROR
		   : SPF_PERMERROR;
}

/* One whole evaluation with the answers that are there. */
static enum tc_status
run(struct spf_libspf2 *engine)
{
	struct spf_task *task = engine->task;
	SPF_response_t *response = NULL;
	enum spf_result result;
	struct slice problem = { 0 };

	SPF_request_query_mailfrom(engine->request, &response);
	result = result_of(response);
	/* It takes a first record that cannot be had for a broken one. */
	if (result == SPF_PERMERROR && engine->failed)
		result = SPF_TEMPERROR;
	if (result == SPF_PERMERROR || result == SPF_TEMPERROR)
		problem = SLICE_LITERAL("libspf2 found an error");
	if (engine->problem.length > 0) {
		problem = engine->problem;
		result = SPF_PERMERROR;
	}
	if (response != NULL)
		SPF_response_free(response);
	if (engine->full)
		return TC_LIMIT;
	if (engine->missing)
		return TC_AGAIN;
	task->outcome.terms = engine->calls;
	spf_engine_conclude(task, result, problem, "4.6");
	return TC_OK;
}

enum tc_status
spf_libspf2_step(struct spf_libspf2 *engine)
{
	struct spf_task *task = engine->task;
	enum tc_status status = TC_SYSTEM;

	if (!is_c_text(task->values.sender) || !is_c_text(task->values.helo)) {
		spf_engine_conclude(task, SPF_PERMERROR,
		    SLICE_LITERAL("the sender is no text for libspf2"), "4.3");
		return TC_OK;
	}
	engine->calls = 0;
	engine->missing = false;
	engine->failed = false;
	engine->problem = slice_make(NULL, 0);
	if (set_up(engine))
		status = run(engine);
	tear_down(engine);
	return status;
}
