#include <config.h>

#include <cjson/cJSON.h>
#include <pcre2.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/builder.h"
#include "base/ipaddr.h"
#include "indicator/feed_reader.h"
#include "indicator/json_split.h"
#include "indicator/stix_judge.h"

#define JSON_DEPTH_MAX   64
#define COMPARISONS_MAX  4096
#define OBJECTS_MAX      100000
#define EXPRESSION_STEPS 1000000u

struct observed_object {
	struct slice id; /* STIX id, or the name in a 2.0 container */
	const cJSON *object;
	int observation;
};

struct judging {
	struct arena *arena;
	LIST_OF(struct observed_object) objects;
	int observations;
	int observation;    /* the one at hand */
	const cJSON *bound; /* the object that [ ] speaks of, or NULL */
	struct slice decided;
	const char *problem;
};

const char *
stix_truth_name(enum stix_truth truth)
{
	return truth == STIX_TRUE    ? "true"
	       : truth == STIX_FALSE ? "false"
				     : "unknown";
}

/* ------------------------------------------------------------- observed data */

static void
add_object(struct judging *judging, struct slice id, const cJSON *object,
    int observation)
{
	struct observed_object *slot =
	    list_append(judging->arena, &judging->objects, OBJECTS_MAX);

	if (slot != NULL)
		*slot = (struct observed_object){ id, object, observation };
}

/* The objects inside observed-data: a dictionary (2.0), or references (2.1)
 * to what stands beside it. */
static void
add_observed_data(struct judging *judging, const cJSON *data)
{
	const cJSON *objects =
	    cJSON_GetObjectItemCaseSensitive(data, "objects");
	const cJSON *refs =
	    cJSON_GetObjectItemCaseSensitive(data, "object_refs");
	int observation = judging->observations++;
	const cJSON *child;

	cJSON_ArrayForEach(child, objects)
	    add_object(judging, slice_text(child->string), child, observation);
	cJSON_ArrayForEach(child, refs)
	{
		size_t count = judging->objects.count;

		if (!cJSON_IsString(child))
			continue;
		for (size_t i = 0; i < count; i++) {
			struct observed_object *have =
			    &judging->objects.items[i];

			if (slice_equal_text(have->id, child->valuestring))
				have->observation = observation;
		}
	}
}

static bool
is_type(const cJSON *object, const char *type)
{
	return slice_equal_text(json_text(NULL, object, "type"), type);
}

static void
collect(struct judging *judging, const cJSON *whole)
{
	const cJSON *list = whole, *child;

	if (cJSON_IsObject(whole) && is_type(whole, "bundle"))
		list = cJSON_GetObjectItemCaseSensitive(whole, "objects");
	if (cJSON_IsObject(list)) {
		if (is_type(list, "observed-data"))
			add_observed_data(judging, list);
		else
			add_object(
			    judging, json_text(NULL, list, "id"), list, -1);
		return;
	}
	cJSON_ArrayForEach(child, list) if (!is_type(child, "observed-data"))
	    add_object(judging, json_text(NULL, child, "id"), child, -1);
	cJSON_ArrayForEach(child, list) if (is_type(child, "observed-data"))
	    add_observed_data(judging, child);
}

/* ----------------------------------------------------------------- constants */

static int
order_of(double a, double b)
{
	return a < b ? -1 : a > b;
}

static double
number_of(struct slice literal)
{
	char text[64];
	size_t length =
	    literal.length < sizeof text - 1 ? literal.length : sizeof text - 1;

	memcpy(text, literal.data, length);
	text[length] = '\0';
	return strtod(text, NULL);
}

/* Compares where the types allow it; false where they do not. */
static bool
order_values(struct arena *arena, const cJSON *value,
    const struct stix_literal *literal, int *order_out)
{
	struct slice text;
	uint32_t ns, literal_ns;

	if (literal->type == STIX_INTEGER || literal->type == STIX_FLOAT) {
		if (!cJSON_IsNumber(value))
			return false;
		*order_out =
		    order_of(value->valuedouble, number_of(literal->text));
		return true;
	}
	if (literal->type == STIX_BOOLEAN) {
		bool wanted = slice_equal_text_fold(literal->text, "true");

		if (!cJSON_IsBool(value))
			return false;
		*order_out = cJSON_IsTrue(value) == wanted ? 0 : 1;
		return true;
	}
	if (!cJSON_IsString(value))
		return false;
	text = slice_text(value->valuestring);
	if (literal->type == STIX_TIMESTAMP) {
		int64_t a = feed_reader_moment(text, &ns);
		int64_t b = feed_reader_moment(literal->text, &literal_ns);

		*order_out = a != b ? (a < b ? -1 : 1)
				    : (ns < literal_ns ? -1 : ns > literal_ns);
		return a != 0 && b != 0;
	}
	/* JSON holds octets in the same notations. */
	if ((literal->type == STIX_HEX &&
		!stix_decode_hex(arena, text, &text)) ||
	    (literal->type == STIX_BINARY &&
		!stix_decode_base64(arena, text, &text)))
		return false;
	*order_out = slice_compare(text, literal->text);
	return true;
}

static int
expression_matches(struct slice expression, struct slice value)
{
	pcre2_match_context *context = pcre2_match_context_create(NULL);
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	pcre2_code *code;
	size_t offset;
	int error, found = -1;

	code = pcre2_compile((PCRE2_SPTR)expression.data, expression.length,
	    PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_DOTALL, &error, &offset,
	    NULL);
	if (code != NULL && context != NULL && data != NULL) {
		pcre2_set_match_limit(context, EXPRESSION_STEPS);
		found = pcre2_match(code, (PCRE2_SPTR)value.data, value.length,
		    0, 0, data, context);
		found = found >= 0 ? 1 : found == PCRE2_ERROR_NOMATCH ? 0 : -1;
	}
	pcre2_code_free(code);
	pcre2_match_data_free(data);
	pcre2_match_context_free(context);
	return found;
}

static bool
subset(struct slice inner, struct slice outer)
{
	struct ipaddr_network a, b;

	return ipaddr_network_parse(inner, &a, NULL) &&
	       ipaddr_network_parse(outer, &b, NULL) &&
	       a.prefix_length >= b.prefix_length &&
	       ipaddr_in_network(&a.address, &b);
}

/* 1, 0 or -1: unknown. */
static int
compare(struct arena *arena, enum stix_operator operator, const cJSON * value,
    const struct stix_literal *literal)
{
	struct slice text =
	    slice_text(cJSON_IsString(value) ? value->valuestring : "");
	int order;

	switch (operator) {
	case STIX_LIKE:
		return cJSON_IsString(value) && stix_like(text, literal->text);
	case STIX_MATCHES:
		return cJSON_IsString(value)
			   ? expression_matches(literal->text, text)
			   : 0;
	case STIX_IS_SUBSET:
		return subset(text, literal->text);
	case STIX_IS_SUPERSET:
		return subset(literal->text, text);
	case STIX_EXISTS:
		return 1;
	case STIX_EQUAL:
	case STIX_NOT_EQUAL:
	case STIX_GREATER:
	case STIX_LESS:
	case STIX_GREATER_EQUAL:
	case STIX_LESS_EQUAL:
	case STIX_IN:
		break;
	}
	if (!order_values(arena, value, literal, &order))
		return operator== STIX_NOT_EQUAL;
	switch (operator) {
	case STIX_NOT_EQUAL:
		return order != 0;
	case STIX_GREATER:
		return order > 0;
	case STIX_LESS:
		return order < 0;
	case STIX_GREATER_EQUAL:
		return order >= 0;
	case STIX_LESS_EQUAL:
		return order <= 0;
	default: /* = and IN */
		return order == 0;
	}
}

static int
compare_all(struct arena *arena, const struct stix_comparison *comparison,
    const cJSON *value)
{
	int result = comparison->operator== STIX_EXISTS ? 1 : 0;

	for (size_t i = 0; i < comparison->literals.count && result != 1; i++) {
		int one = compare(arena, comparison->operator, value,
		    &comparison->literals.items[i]);

		if (one != 0)
			result = one;
	}
	return comparison->negated && result >= 0 &&
		       comparison->operator!= STIX_EXISTS
		   ? !result
		   : result;
}

/* --------------------------------------------------------------------- paths */

static const cJSON *
object_of_id(const struct judging *judging, const char *id)
{
	for (size_t i = 0; i < judging->objects.count; i++) {
		const struct observed_object *have = &judging->objects.items[i];

		if (slice_equal_text(have->id, id) &&
		    (have->observation < 0 ||
			have->observation == judging->observation))
			return have->object;
	}
	return NULL;
}

static const cJSON *
member_of(struct judging *judging, const cJSON *value, struct slice name)
{
	char *text = arena_text(judging->arena, name);

	return text == NULL || !cJSON_IsObject(value)
		   ? NULL
		   : cJSON_GetObjectItemCaseSensitive(value, text);
}

/* Follows the steps from `value`; the truth over all values that they reach. */
static enum stix_truth
follow(struct judging *judging, const struct stix_comparison *comparison,
    unsigned step, const cJSON *value)
{
	enum stix_truth best = STIX_FALSE;
	const cJSON *child;
	int index = 0;

	if (value == NULL)
		return STIX_FALSE;
	if (step == comparison->step_count) {
		int one = compare_all(judging->arena, comparison, value);

		return one < 0 ? STIX_UNKNOWN : one ? STIX_TRUE : STIX_FALSE;
	}
	/* A reference stands for the object, unless it is compared itself. */
	if (step > 0 && cJSON_IsString(value))
		value = object_of_id(judging, value->valuestring);
	if (comparison->steps[step].name.length > 0)
		return follow(judging, comparison, step + 1,
		    member_of(judging, value, comparison->steps[step].name));
	cJSON_ArrayForEach(child, value)
	{
		enum stix_truth one;

		if (!comparison->steps[step].any &&
		    index++ != comparison->steps[step].index)
			continue;
		one = follow(judging, comparison, step + 1, child);
		best = one > best ? one : best;
	}
	return best;
}

static enum stix_truth
judge_comparison(
    struct judging *judging, const struct stix_comparison *comparison)
{
	enum stix_truth best = STIX_FALSE;

	for (size_t i = 0; i < judging->objects.count; i++) {
		const struct observed_object *have = &judging->objects.items[i];
		enum stix_truth one;

		if ((have->observation >= 0 &&
			have->observation != judging->observation) ||
		    (judging->bound != NULL &&
			have->object != judging->bound) ||
		    !slice_equal(json_text(NULL, have->object, "type"),
			comparison->object))
			continue;
		one = follow(judging, comparison, 0, have->object);
		best = one > best ? one : best;
	}
	judging->decided = comparison->source;
	/* follow() tells whether a path leads anywhere, of any object. */
	if (comparison->operator== STIX_EXISTS && comparison->negated)
		best = best == STIX_TRUE ? STIX_FALSE : STIX_TRUE;
	return best;
}

/* --------------------------------------------------------------- expressions */

/* The object type that all comparisons of a [ ] share, or an empty one. */
static bool
shared_type(const struct stix_node *node, struct slice *type)
{
	if (node->type == STIX_NODE_COMPARISON) {
		if (type->length == 0)
			*type = node->comparison->object;
		return slice_equal(*type, node->comparison->object);
	}
	for (node = node->first_child; node != NULL; node = node->next)
		if (!shared_type(node, type))
			return false;
	return true;
}

static enum stix_truth judge_node(
    struct judging *judging, const struct stix_node *node);

/* A [ ] holds when one observation shows it, and one object where all of it
 * speaks of one type. */
static enum stix_truth
judge_observation(struct judging *judging, const struct stix_node *inside)
{
	struct slice type = { NULL, 0 };
	bool binds = shared_type(inside, &type);
	enum stix_truth best = STIX_FALSE;
	int last = judging->observations == 0 ? 1 : judging->observations;

	for (int at = 0; at < last && best != STIX_TRUE; at++) {
		judging->observation = at;
		judging->bound = NULL;
		if (!binds) {
			enum stix_truth one = judge_node(judging, inside);

			best = one > best ? one : best;
		}
		for (size_t i = 0;
		     binds && i < judging->objects.count && best != STIX_TRUE;
		     i++) {
			const cJSON *object = judging->objects.items[i].object;
			enum stix_truth one;

			if (!slice_equal(json_text(NULL, object, "type"), type))
				continue;
			judging->bound = object;
			one = judge_node(judging, inside);
			best = one > best ? one : best;
		}
	}
	judging->bound = NULL;
	return best;
}

static enum stix_truth
judge_chain(struct judging *judging, const struct stix_node *node)
{
	bool and = node->type == STIX_NODE_AND;
	enum stix_truth all = and? STIX_TRUE : STIX_FALSE;
	struct slice decided = { NULL, 0 };

	for (const struct stix_node *child = node->first_child; child != NULL;
	     child = child->next) {
		enum stix_truth one;

		/* Nothing is compared where no object has the type. */
		judging->decided = slice_make(NULL, 0);
		one = judge_node(judging, child);
		if (child == node->first_child ||
		    (and? one < all : one > all)) {
			all = one;
			decided = judging->decided;
		}
	}
	judging->decided = decided;
	return all;
}

/* Depth is bounded by the parser. */
static enum stix_truth
judge_node(struct judging *judging, const struct stix_node *node)
{
	switch (node->type) {
	case STIX_NODE_AND:
	case STIX_NODE_OR:
		return judge_chain(judging, node);
	case STIX_NODE_OBSERVATION:
		return judge_observation(judging, node->first_child);
	case STIX_NODE_COMPARISON:
		return judge_comparison(judging, node->comparison);
	case STIX_NODE_FOLLOWED_BY:
		judging->problem = "FOLLOWEDBY needs the order of several "
				   "observations, which is not evaluated";
		break;
	case STIX_NODE_QUALIFIED:
		judging->problem = arena_printf(judging->arena,
		    "%s needs the times of several observations, which are "
		    "not evaluated",
		    node->qualifier);
		break;
	}
	return STIX_UNKNOWN;
}

enum tc_status
stix_judge(struct arena *arena, struct slice pattern, struct slice observed,
    struct stix_judgement *judgement_out)
{
	struct judging judging = { .arena = arena };
	struct stix_pattern parsed;
	struct json_value value;
	enum tc_status status;
	cJSON *whole = NULL;

	*judgement_out = (struct stix_judgement){ .truth = STIX_UNKNOWN };
	status = stix_pattern_parse(arena, pattern, COMPARISONS_MAX, &parsed);
	if (status != TC_OK) {
		judgement_out->problem = parsed.problem;
		judgement_out->column = parsed.column;
		return status;
	}
	if (json_split_value(&observed, &value))
		whole = json_parse(&value, JSON_DEPTH_MAX);
	if (whole == NULL) {
		judgement_out->problem = "the observed data is no JSON, or "
					 "nested too deeply";
		return TC_INVALID;
	}
	collect(&judging, whole);
	judgement_out->truth = judge_node(&judging, parsed.root);
	judgement_out->decided = judging.decided;
	judgement_out->problem = judging.problem;
	cJSON_Delete(whole);
	return arena_exhausted(arena) ? TC_LIMIT : TC_OK;
}
