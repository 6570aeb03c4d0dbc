#include <config.h>

#include <pcre2.h>
#include <stdint.h>

#include "base/builder.h"
#include "base/ipaddr.h"
#include "indicator/normal.h"
#include "indicator/stix_field.h"
#include "indicator/stix_program.h"
#include "indicator/stix_view.h"

#define EXPRESSION_STEPS 20000u /* backtracking of one MATCHES */
#define EXPRESSION_KIB   1024u  /* memory of it */
#define PROGRAM_DEPTH    80     /* groups, [ ] and OR/AND between them */
#define NO_PART          INT32_MIN
#define VALUES_MAX       4096u /* constants of one IN */

/* ----------------------------------------------------------------- compiling */

struct compiler {
	struct arena *arena;
	struct stix_compiled *out;
	struct builder code;
	unsigned visible;
	bool one_part; /* body_multipart is of one part in the [ ] at hand */
};

/* What can become of a part of a pattern at best, and how it is found. */
struct outlook {
	enum stix_truth best;
	bool strong;     /* a strong comparison could be true in it */
	bool keyed;      /* never a match without one of the strong atoms */
	bool keyed_weak; /* nor without one of all atoms */
	bool plain;      /* true by each of its atoms alone */
};

enum code_operation {
	CODE_AND = 1,
	CODE_OR,
	CODE_OBSERVATION,
	CODE_COMPARISON
};

static bool
is_positive_equality(const struct stix_comparison *comparison)
{
	return !comparison->negated &&
	       (comparison->operator== STIX_EQUAL || comparison->operator==
		   STIX_IN);
}

/* An address lies in a network as it equals one: found by the same key. */
static bool
is_positive_subset(
    enum stix_field field, const struct stix_comparison *comparison)
{
	return !comparison->negated &&
	       comparison->operator== STIX_IS_SUBSET && stix_field_table[field]
		   .kind == INDICATOR_NETWORK;
}

static void
put_number(struct builder *code, size_t number)
{
	builder_byte(code, (char)(number & 255));
	builder_byte(code, (char)(number >> 8 & 255));
}

/* The constant as the program compares it: canonical where the comparison is
 * one of identity. Constants that are not of their kind stay as written and
 * equal nothing. */
static struct slice
code_value(struct arena *arena, enum stix_field field,
    const struct stix_comparison *comparison, struct slice value)
{
	bool identity = comparison->operator== STIX_EQUAL ||
			comparison->
			operator== STIX_NOT_EQUAL ||
			comparison->
			operator== STIX_IN ||
			comparison->
			operator== STIX_IS_SUBSET || comparison->
			operator== STIX_IS_SUPERSET;
	size_t digest = indicator_digest_size(stix_field_table[field].kind);
	struct slice key;

	if (!identity || stix_field_table[field].kind == INDICATOR_KINDS ||
	    (digest != 0 && value.length != 2 * digest) ||
	    normal_key(arena, stix_field_table[field].kind, value, &key) !=
		NORMAL_GOOD)
		return value;
	return key;
}

static bool
add_atoms(struct compiler *compiler, enum stix_field field,
    const struct stix_comparison *comparison)
{
	for (size_t i = 0; i < comparison->literals.count; i++) {
		struct stix_atom *atom = list_append(
		    compiler->arena, &compiler->out->atoms, VALUES_MAX);

		if (atom == NULL)
			return false;
		*atom = (struct stix_atom){
			.kind = stix_field_table[field].kind,
			.roles = stix_field_table[field].roles,
			.value = comparison->literals.items[i].text,
		};
	}
	return true;
}

/* The step of email-message:body_multipart[...], NULL where it is not that. */
static const struct stix_step *
multipart_step(const struct stix_comparison *comparison)
{
	return slice_equal_text(comparison->object, "email-message") &&
		       comparison->step_count > 1 &&
		       slice_equal_text(
			   comparison->steps[0].name, "body_multipart") &&
		       comparison->steps[1].name.length == 0
		   ? &comparison->steps[1]
		   : NULL;
}

/* Whether all that is said of body_multipart[...] speaks of one index; *index
 * is that of the first, -1 before it. [*] is any part, each time anew. */
static bool
speaks_of_one_part(const struct stix_node *node, long *index)
{
	const struct stix_step *step;

	if (node->type == STIX_NODE_COMPARISON) {
		step = multipart_step(node->comparison);
		if (step == NULL)
			return true;
		if (*index == -1)
			*index = step->index;
		return !step->any && step->index == *index;
	}
	for (node = node->first_child; node != NULL; node = node->next)
		if (!speaks_of_one_part(node, index))
			return false;
	return true;
}

/* A message has many parts: what is said of them need not hold for one. */
static enum stix_field
field_in_message(const struct compiler *compiler, enum stix_field field,
    const struct stix_comparison *comparison)
{
	if (compiler->one_part || !stix_field_table[field].of_file ||
	    multipart_step(comparison) == NULL)
		return field;
	return field == STIX_FIELD_FILE_NAME
		   ? STIX_FIELD_PART_NAME
		   : (enum stix_field)(
			 STIX_FIELD_PART_MD5 + (field - STIX_FIELD_MD5));
}

static struct outlook
compile_comparison(
    struct compiler *compiler, const struct stix_comparison *comparison)
{
	enum stix_field field = field_in_message(
	    compiler, stix_field_of(compiler->arena, comparison), comparison);
	bool visible =
	    field != STIX_FIELD_INVISIBLE && field != STIX_FIELD_COMPANION;
	bool strong =
	    visible && indicator_kind_is_strong(stix_field_table[field].kind);
	bool equality = visible && is_positive_equality(comparison);
	bool found =
	    equality || (visible && is_positive_subset(field, comparison));
	struct outlook outlook = {
		.best = visible ? STIX_TRUE : STIX_UNKNOWN,
		.strong = strong && equality,
		.keyed = strong && found,
		.keyed_weak = found,
		.plain = found,
	};

	compiler->visible += visible;
	builder_byte(&compiler->code, CODE_COMPARISON);
	builder_byte(&compiler->code, (char)field);
	builder_byte(&compiler->code, (char)comparison->operator);
	builder_byte(&compiler->code, comparison->negated);
	put_number(&compiler->code, comparison->literals.count);
	for (size_t i = 0; i < comparison->literals.count; i++) {
		struct slice value =
		    code_value(compiler->arena, field, comparison,
			slice_range(
			    comparison->literals.items[i].text, 0, UINT16_MAX));

		put_number(&compiler->code, value.length);
		builder_slice(&compiler->code, value);
	}
	if (found && !add_atoms(compiler, field, comparison))
		compiler->code.failed = true;
	return outlook;
}

/* Whether a comparison only accompanies a stronger one of the same object:
 * "evil.example AND resolves to", "192.0.2.1 AND port 443". */
static bool
is_companion(struct arena *arena, const struct stix_node *node)
{
	return node->type == STIX_NODE_COMPARISON &&
	       stix_field_of(arena, node->comparison) == STIX_FIELD_COMPANION;
}

static bool
is_leader(struct arena *arena, const struct stix_node *node)
{
	enum stix_field field;

	if (node->type != STIX_NODE_COMPARISON ||
	    !is_positive_equality(node->comparison))
		return false;
	field = stix_field_of(arena, node->comparison);
	return field == STIX_FIELD_DOMAIN || field == STIX_FIELD_IP_SOURCE ||
	       field == STIX_FIELD_IP_DESTINATION;
}

static bool
same_object(const struct stix_node *a, const struct stix_node *b)
{
	return slice_equal(a->comparison->object, b->comparison->object);
}

/* True when `node` is a companion of one of its siblings in an AND. */
static bool
is_reduced(struct arena *arena, const struct stix_node *parent,
    const struct stix_node *node)
{
	if (parent->type != STIX_NODE_AND || !is_companion(arena, node))
		return false;
	for (const struct stix_node *sibling = parent->first_child;
	     sibling != NULL; sibling = sibling->next)
		if (is_leader(arena, sibling) && same_object(sibling, node))
			return true;
	return false;
}

static struct outlook compile_node(
    struct compiler *compiler, const struct stix_node *node);

static struct outlook
compile_chain(struct compiler *compiler, const struct stix_node *node)
{
	bool and = node->type == STIX_NODE_AND;
	struct outlook all = { .best = and? STIX_TRUE : STIX_FALSE,
		.keyed = !and,
		.keyed_weak = !and,
		.plain = !and};
	const struct stix_node *child;
	size_t count = 0;

	for (child = node->first_child; child != NULL; child = child->next)
		count += !is_reduced(compiler->arena, node, child);
	builder_byte(&compiler->code, and? CODE_AND : CODE_OR);
	put_number(&compiler->code, count);
	for (child = node->first_child; child != NULL; child = child->next) {
		struct outlook one;

		if (is_reduced(compiler->arena, node, child))
			continue;
		one = compile_node(compiler, child);
		all.strong = all.strong || one.strong;
		if (and) {
			all.best = one.best < all.best ? one.best : all.best;
			all.keyed = all.keyed || one.keyed;
			all.keyed_weak = all.keyed_weak || one.keyed_weak;
			/* What is left of a reduced AND is one comparison. */
			all.plain = count == 1 && one.plain;
			continue;
		}
		all.best = one.best > all.best ? one.best : all.best;
		/* A branch that can never match needs no key. */
		if (one.best == STIX_TRUE || one.strong) {
			all.keyed = all.keyed && one.keyed;
			all.keyed_weak = all.keyed_weak && one.keyed_weak;
			all.plain = all.plain && one.plain;
		}
	}
	return all;
}

/* Depth: the parser bounds parentheses, and each may add two chains. */
static struct outlook
compile_node(struct compiler *compiler, const struct stix_node *node)
{
	long index = -1;

	switch (node->type) {
	case STIX_NODE_AND:
	case STIX_NODE_OR:
		return compile_chain(compiler, node);
	case STIX_NODE_OBSERVATION:
		builder_byte(&compiler->code, CODE_OBSERVATION);
		compiler->one_part =
		    speaks_of_one_part(node->first_child, &index);
		return compile_node(compiler, node->first_child);
	case STIX_NODE_COMPARISON:
		return compile_comparison(compiler, node->comparison);
	case STIX_NODE_FOLLOWED_BY:
	case STIX_NODE_QUALIFIED:
		break;
	}
	return (struct outlook){ .best = STIX_FALSE };
}

/* FOLLOWEDBY and qualifiers speak of several observations in time. */
static const char *
unsupported(const struct stix_node *node)
{
	const char *found = NULL;

	if (node->type == STIX_NODE_FOLLOWED_BY)
		return "FOLLOWEDBY needs more than one message";
	if (node->type == STIX_NODE_QUALIFIED)
		return slice_equal_text(slice_text(node->qualifier), "WITHIN")
			   ? "WITHIN needs more than one message"
		       : slice_equal_text(
			     slice_text(node->qualifier), "REPEATS")
			   ? "REPEATS needs more than one message"
			   : "START ... STOP asks when, which a pattern for "
			     "mail cannot";
	if (node->type == STIX_NODE_COMPARISON)
		return NULL;
	for (const struct stix_node *child = node->first_child;
	     child != NULL && found == NULL; child = child->next)
		found = unsupported(child);
	return found;
}

/* Leaves only the atoms by which the pattern has to be found. */
static void
drop_weak_atoms(struct stix_compiled *out)
{
	size_t kept = 0;

	for (size_t i = 0; i < out->atoms.count; i++)
		if (indicator_kind_is_strong(out->atoms.items[i].kind))
			out->atoms.items[kept++] = out->atoms.items[i];
	out->atoms.count = kept;
}

enum tc_status
stix_program_compile(struct arena *arena, const struct stix_pattern *pattern,
    struct stix_compiled *compiled_out)
{
	struct compiler compiler = { .arena = arena, .out = compiled_out };
	struct outlook outlook;

	*compiled_out = (struct stix_compiled){ .reason = FEED_USED };
	compiled_out->detail = unsupported(pattern->root);
	if (compiled_out->detail != NULL) {
		compiled_out->reason = FEED_UNSUPPORTED_PATTERN;
		return TC_OK;
	}
	compiler.code = builder_make(arena, 1u << 20);
	outlook = compile_node(&compiler, pattern->root);
	if (compiler.code.failed || arena_exhausted(arena))
		return TC_LIMIT;
	if (compiler.visible == 0) {
		compiled_out->reason = FEED_NOT_VISIBLE;
		compiled_out->detail = "mail shows nothing of it";
	} else if (outlook.best != STIX_TRUE && !outlook.strong) {
		compiled_out->reason = FEED_NO_STRONG_PART;
		compiled_out->detail = "what mail shows of it does not suffice";
	}
	compiled_out->plain = outlook.plain;
	if (!outlook.plain) {
		compiled_out->program = builder_result(&compiler.code);
		compiled_out->unkeyed = !outlook.keyed && !outlook.keyed_weak;
		if (outlook.keyed)
			drop_weak_atoms(compiled_out);
	}
	/* Or it would be in the store under nothing, and counted nowhere. */
	if (compiled_out->reason == FEED_USED && !compiled_out->unkeyed &&
	    compiled_out->atoms.count == 0) {
		compiled_out->reason = FEED_NO_STRONG_PART;
		compiled_out->detail = "IN () equals nothing";
	}
	return TC_OK;
}

/* ---------------------------------------------------------------- evaluation */

struct evaluation {
	struct stix_view *view;
	struct slice code; /* what is still to be read */
	size_t *steps_left;
	int part;        /* the file at hand; NO_PART: none */
	int message;     /* that at hand; STIX_VIEW_OUTERMOST: itself */
	bool hash_found; /* a hash of that file was true */
	bool damaged;
	const struct match_observation *decided;
};

struct value_of_node {
	enum stix_truth truth;
	bool
	    strong; /* a strong comparison is true where it could still count */
	bool sure;  /* true, and by strong comparisons alone */
};

static unsigned
take_octet(struct evaluation *evaluation)
{
	unsigned octet;

	if (evaluation->code.length == 0) {
		evaluation->damaged = true;
		return 0;
	}
	octet = (unsigned char)evaluation->code.data[0];
	evaluation->code = slice_skip(evaluation->code, 1);
	return octet;
}

static unsigned
take_short(struct evaluation *evaluation)
{
	unsigned low = take_octet(evaluation);

	return low | take_octet(evaluation) << 8;
}

static struct slice
take_text(struct evaluation *evaluation)
{
	unsigned length = take_short(evaluation);
	struct slice text = slice_range(evaluation->code, 0, length);

	if (text.length != length)
		evaluation->damaged = true;
	evaluation->code = slice_skip(evaluation->code, length);
	return text;
}

/* The field under which an observed value also counts. */
static bool
field_shows(enum stix_field asked, enum stix_field has)
{
	if (asked == has)
		return true;
	if (asked >= STIX_FIELD_PART_NAME && asked <= STIX_FIELD_PART_SHA512)
		return stix_field_table[asked].kind ==
		       stix_field_table[has].kind;
	if (asked == STIX_FIELD_ADDRESS_ANY)
		return has == STIX_FIELD_ADDRESS_FROM ||
		       has == STIX_FIELD_ADDRESS_TO ||
		       has == STIX_FIELD_ADDRESS_REPLY;
	return asked == STIX_FIELD_IP_ANY &&
	       (has == STIX_FIELD_IP_SOURCE ||
		   has == STIX_FIELD_IP_DESTINATION);
}

static bool
network_within(struct slice inner, struct slice outer)
{
	struct ipaddr_network network;
	struct ipaddr address;

	if (inner.length != 17 || outer.length != 17 ||
	    (unsigned char)outer.data[16] > 128 ||
	    (unsigned char)inner.data[16] < (unsigned char)outer.data[16])
		return false;
	memcpy(address.octets, inner.data, 16);
	memcpy(network.address.octets, outer.data, 16);
	network.prefix_length = (uint8_t)outer.data[16];
	return ipaddr_in_network(&address, &network);
}

/* "exact and below" for names, containment for networks, folders of a URL. */
static bool
is_identical(enum stix_field field, struct slice key, struct slice constant)
{
	if (stix_field_table[field].kind == INDICATOR_DOMAIN)
		return slice_equal(key, constant) ||
		       (slice_ends_with(key, constant) &&
			   key.length > constant.length &&
			   key.data[key.length - constant.length - 1] == '.');
	if (stix_field_table[field].kind == INDICATOR_NETWORK)
		return network_within(key, constant);
	if (stix_field_table[field].kind == INDICATOR_URL &&
	    slice_starts_with(key, constant) && constant.length > 0 &&
	    key.length > constant.length &&
	    slice_find_byte(constant, '?') == SIZE_MAX)
		return key.data[constant.length] == '?' ||
		       (constant.data[constant.length - 1] == '/' &&
			   slice_find_byte(constant, '/') !=
			       constant.length - 1);
	return slice_equal(key, constant);
}

static void *
take_memory(size_t size, void *arena)
{
	return arena_alloc(arena, size);
}

static void
leave_memory(void *memory, void *arena)
{
	(void)memory;
	(void)arena;
}

/* What matching needs, once for a message. */
static bool
prepare_matching(struct stix_view *view)
{
	pcre2_general_context *general;

	if (view->match_data != NULL)
		return true;
	general = pcre2_general_context_create(
	    take_memory, leave_memory, view->arena);
	if (general == NULL)
		return false;
	view->match_context = pcre2_match_context_create(general);
	if (view->match_context == NULL)
		return false;
	pcre2_set_match_limit(view->match_context, EXPRESSION_STEPS);
	pcre2_set_heap_limit(view->match_context, EXPRESSION_KIB);
	view->match_data = pcre2_match_data_create(1, general);
	return view->match_data != NULL;
}

/* MATCHES: the expression anywhere in the value, without regard to nothing.
 * -1: it does not compile or took too long. */
static int
expression_matches(
    struct stix_view *view, struct slice expression, struct slice value)
{
	const pcre2_code *code =
	    stix_expressions_get(view->expressions, expression);
	pcre2_code *own = NULL;
	int found = -1;

	if (code == NULL)
		code = own = stix_expression_compile(expression);
	if (code != NULL && prepare_matching(view)) {
		found = pcre2_match(code, (PCRE2_SPTR)value.data, value.length,
		    0, 0, view->match_data, view->match_context);
		found = found >= 0 ? 1 : found == PCRE2_ERROR_NOMATCH ? 0 : -1;
	}
	pcre2_code_free(own);
	return found;
}

/* One observed value against one constant: 1, 0, or -1 unknown. */
static int
compare(struct stix_view *view, enum stix_field field,
    enum stix_operator operator, const struct stix_view_value * value,
    struct slice constant)
{
	int order = slice_compare(value->raw, constant);

	switch (operator) {
	case STIX_EQUAL:
	case STIX_IN:
		return is_identical(field, value->key, constant);
	case STIX_NOT_EQUAL:
		return !is_identical(field, value->key, constant);
	case STIX_GREATER:
		return order > 0;
	case STIX_LESS:
		return order < 0;
	case STIX_GREATER_EQUAL:
		return order >= 0;
	case STIX_LESS_EQUAL:
		return order <= 0;
	case STIX_LIKE:
		return stix_like(value->raw, constant);
	case STIX_MATCHES:
		return expression_matches(view, constant, value->raw);
	case STIX_IS_SUBSET:
		return network_within(value->key, constant);
	case STIX_IS_SUPERSET:
		return network_within(constant, value->key);
	case STIX_EXISTS:
		return 1;
	}
	return -1;
}

/* A property of a file that this file does not show is unknown where it is a
 * digest (not computed for it), else absent. */
static enum stix_truth
truth_of_absent(const struct evaluation *evaluation, enum stix_field field)
{
	if (evaluation->part != NO_PART && stix_field_is_digest(field))
		return STIX_UNKNOWN;
	return STIX_FALSE;
}

struct comparison_code {
	enum stix_field field;
	enum stix_operator operator;
	bool negated;
	unsigned count;
	struct slice constants; /* each with its length before it */
};

static bool
take_comparison(
    struct evaluation *evaluation, struct comparison_code *comparison)
{
	unsigned field = take_octet(evaluation);
	unsigned operator= take_octet(evaluation);

	comparison->negated = take_octet(evaluation) != 0;
	comparison->count = take_short(evaluation);
	comparison->constants = evaluation->code;
	for (unsigned i = 0; i < comparison->count && !evaluation->damaged; i++)
		take_text(evaluation);
	if (field >= STIX_FIELDS || operator> STIX_EXISTS)
		evaluation->damaged = true;
	comparison->field =
	    evaluation->damaged ? STIX_FIELD_INVISIBLE : (enum stix_field)field;
	comparison->operator=(enum stix_operator) operator;
	return !evaluation->damaged;
}

/* One observed value against all constants of the comparison. */
static int
compare_all(struct evaluation *evaluation,
    const struct comparison_code *comparison,
    const struct stix_view_value *value)
{
	struct evaluation constants = { .code = comparison->constants };
	int result = comparison->operator== STIX_EXISTS ? 1 : 0;

	for (unsigned i = 0; i < comparison->count && result != 1; i++) {
		int one;

		if (*evaluation->steps_left == 0)
			return -1;
		--*evaluation->steps_left;
		one = compare(evaluation->view, comparison->field,
		    comparison->operator, value, take_text(&constants));
		if (one != 0)
			result = one;
	}
	if (comparison->negated && result >= 0)
		result = !result;
	return result;
}

static struct value_of_node
run_comparison(struct evaluation *evaluation)
{
	struct value_of_node out = { .truth = STIX_UNKNOWN };
	struct comparison_code comparison;
	const struct stix_view *view = evaluation->view;
	bool of_file, of_message, shown = false, unknown = false;

	if (!take_comparison(evaluation, &comparison))
		return out;
	of_file = stix_field_table[comparison.field].of_file;
	of_message = stix_field_is_of_message(comparison.field);
	if (comparison.field == STIX_FIELD_INVISIBLE ||
	    comparison.field == STIX_FIELD_COMPANION ||
	    !(view->kinds_known &
		INDICATOR_KIND_BIT(stix_field_table[comparison.field].kind)))
		return out;
	for (size_t i = 0; i < view->values.count; i++) {
		const struct stix_view_value *value = &view->values.items[i];
		int one;

		if (!field_shows(comparison.field, value->field) ||
		    (of_file && value->part != evaluation->part) ||
		    (of_message && value->part != evaluation->message))
			continue;
		shown = true;
		one = compare_all(evaluation, &comparison, value);
		unknown = unknown || one < 0;
		if (one <= 0)
			continue;
		out.truth = STIX_TRUE;
		out.strong =
		    !comparison.negated &&
		    (comparison.operator== STIX_EQUAL || comparison.operator==
			STIX_IN) &&
		    indicator_kind_is_strong(
			stix_field_table[comparison.field].kind);
		out.sure = out.strong || (!comparison.negated &&
					     comparison
						 .
						 operator== STIX_IS_SUBSET &&
					     stix_field_table[comparison.field]
						 .kind == INDICATOR_NETWORK);
		if (evaluation->decided == NULL || out.strong)
			evaluation->decided = value->observation;
		return out;
	}
	out.truth = unknown ? STIX_UNKNOWN : STIX_FALSE;
	if (!shown)
		out.truth = truth_of_absent(evaluation, comparison.field);
	/* NOT EXISTS: what was looked for is not there. */
	if (!shown && out.truth == STIX_FALSE && comparison.negated &&
	    comparison.operator== STIX_EXISTS)
		out.truth = STIX_TRUE;
	/* The same file goes by many names. */
	if (evaluation->hash_found &&
	    stix_field_table[comparison.field].kind == INDICATOR_FILENAME &&
	    out.truth == STIX_FALSE)
		out.truth = STIX_UNKNOWN;
	return out;
}

static struct value_of_node run_node(
    struct evaluation *evaluation, unsigned depth);

static struct value_of_node
run_chain(struct evaluation *evaluation, bool and, unsigned depth)
{
	unsigned count = take_short(evaluation);
	struct value_of_node all = { .truth = and? STIX_TRUE : STIX_FALSE };

	for (unsigned i = 0; i < count && !evaluation->damaged; i++) {
		struct value_of_node one = run_node(evaluation, depth + 1);

		if (and? one.truth < all.truth : one.truth > all.truth)
			all.truth = one.truth;
		/* Strong parts of a branch that is false do not count. */
		if (one.truth != STIX_FALSE)
			all.strong = all.strong || one.strong;
		/* One branch of an OR suffices; of an AND the other ones only
		 * narrow what a strong one says. */
		all.sure = all.sure || one.sure;
	}
	if (all.truth == STIX_FALSE)
		all.strong = false;
	if (all.truth != STIX_TRUE)
		all.sure = false;
	return all;
}

/* Whether a hash is true of the file at hand, anywhere in the group. Leaves
 * the place in the code as it was. */
static bool
file_hash_is_true(struct evaluation *evaluation, unsigned depth)
{
	struct evaluation look = *evaluation;
	size_t pending = 1;

	(void)depth;
	while (pending > 0 && !look.damaged) {
		unsigned operation = take_octet(&look);

		pending--;
		if (operation == CODE_AND || operation == CODE_OR) {
			pending += take_short(&look);
		} else if (operation == CODE_COMPARISON) {
			struct evaluation at = look;
			struct comparison_code comparison;

			if (!take_comparison(&look, &comparison))
				break;
			if (stix_field_is_digest(comparison.field) &&
			    !comparison.negated && run_comparison(&at).strong)
				return true;
		} else {
			break;
		}
	}
	return false;
}

/* The truer one, or of two the one that strong comparisons decide. */
static bool
is_better(const struct value_of_node *one, const struct value_of_node *other)
{
	if (one->truth != other->truth)
		return one->truth > other->truth;
	if (one->sure != other->sure)
		return one->sure;
	return one->strong && !other->strong;
}

/* What stands in [ ]: once for each message and each file, the best counts.
 * Without files once with none. */
static struct value_of_node
run_observation(struct evaluation *evaluation, unsigned depth)
{
	struct value_of_node best = { .truth = STIX_FALSE };
	struct slice start = evaluation->code;
	const struct stix_view *view = evaluation->view;
	size_t files = view->parts.count == 0 ? 1 : view->parts.count;
	size_t count = files * (view->messages.count + 1);

	for (size_t i = 0; i < count; i++) {
		const struct match_observation *before = evaluation->decided;
		struct value_of_node one;

		evaluation->code = start;
		evaluation->part = view->parts.count == 0
				       ? NO_PART
				       : view->parts.items[i % files];
		evaluation->message = i < files
					  ? STIX_VIEW_OUTERMOST
					  : view->messages.items[i / files - 1];
		evaluation->hash_found = false;
		evaluation->hash_found = file_hash_is_true(evaluation, depth);
		one = run_node(evaluation, depth + 1);
		if (is_better(&one, &best))
			best = one;
		else
			evaluation->decided = before;
		if (best.sure || evaluation->damaged)
			break;
	}
	evaluation->part = NO_PART;
	evaluation->message = STIX_VIEW_OUTERMOST;
	evaluation->hash_found = false;
	return best;
}

static struct value_of_node
run_node(struct evaluation *evaluation, unsigned depth)
{
	struct value_of_node unknown = { .truth = STIX_UNKNOWN };

	if (depth > PROGRAM_DEPTH || *evaluation->steps_left == 0)
		evaluation->damaged = true;
	else
		--*evaluation->steps_left;
	if (evaluation->damaged)
		return unknown;
	switch ((enum code_operation)take_octet(evaluation)) {
	case CODE_AND:
		return run_chain(evaluation, true, depth);
	case CODE_OR:
		return run_chain(evaluation, false, depth);
	case CODE_OBSERVATION:
		return run_observation(evaluation, depth);
	case CODE_COMPARISON:
		return run_comparison(evaluation);
	}
	evaluation->damaged = true;
	return unknown;
}

struct stix_result
stix_program_run(
    struct slice program, struct stix_view *view, size_t *steps_left)
{
	struct evaluation evaluation = { .view = view,
		.code = program,
		.steps_left = steps_left,
		.part = NO_PART,
		.message = STIX_VIEW_OUTERMOST };
	struct value_of_node value = run_node(&evaluation, 0);
	struct stix_result result = { .truth = value.truth };

	if (evaluation.damaged) {
		result.truth = STIX_UNKNOWN;
		return result;
	}
	result.partial = value.truth == STIX_UNKNOWN && value.strong;
	result.strong = value.sure || result.partial;
	result.decided = evaluation.decided;
	return result;
}

void
stix_program_constants(
    struct slice program, stix_constant_function *take, void *context)
{
	struct evaluation look = { .code = program };
	size_t pending = 1;

	while (pending-- > 0 && !look.damaged) {
		struct comparison_code comparison;
		struct evaluation constants;

		switch ((enum code_operation)take_octet(&look)) {
		case CODE_AND:
		case CODE_OR:
			pending += take_short(&look);
			continue;
		case CODE_OBSERVATION:
			pending++;
			continue;
		case CODE_COMPARISON:
			break;
		default:
			return;
		}
		if (!take_comparison(&look, &comparison))
			return;
		constants = (struct evaluation){ .code = comparison.constants };
		for (unsigned i = 0; i < comparison.count; i++)
			take(context, comparison.operator,
			    take_text(&constants));
	}
}

static void
take_expression(
    void *expressions, enum stix_operator operator, struct slice constant)
{
	if (operator== STIX_MATCHES)
		stix_expressions_add(expressions, constant);
}

void
stix_program_expressions(
    struct slice program, struct stix_expressions *expressions)
{
	stix_program_constants(program, take_expression, expressions);
}
