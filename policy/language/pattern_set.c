#include <config.h>

#include <stdlib.h>

#include "base/utf8.h"
#include "language/compiled.h"
#include "language/multi_search.h"
#include "language/pattern_set.h"
#include "language/superset.h"

#define GROUPS (FIELD_COUNT * SCHEMA_MEMBERS_MAX)

/* All patterns over one field, or over one member of a collection. */
struct group {
	struct multi_search *search; /* NULL: not worth one, or none taken */
	unsigned words;              /* of 64 bits, for one bit a pattern */
};

/* Where a node's answer is found. */
struct place {
	unsigned group;
	unsigned number;
	bool taken;
	bool exact; /* found is found; else it may be */
};

struct pattern_set {
	struct arena *arena;
	struct group groups[GROUPS];
	struct place *places; /* by node index */
};

/* What one search found, kept in the value. */
struct pattern_hits {
	const struct group *group;
	uint64_t found[];
};

/* -------------------------------------------------------------- making */

static unsigned
group_of(const struct compiled_operand *operand)
{
	return operand->field * SCHEMA_MEMBERS_MAX +
	       (operand->kind == COMPILED_MEMBER ? operand->member : 0);
}

/* How much each group would gain. */
static void
weigh_groups(const struct program *program, unsigned weights[GROUPS])
{
	for (size_t i = 0; i < program->searches.count; i++) {
		const struct program_node *node = program->searches.items[i];

		weights[group_of(node->left)] +=
		    node->kind == NODE_MATCHES ? PATTERN_SET_REGEX : 1;
	}
}

bool
pattern_set_is_worth(const struct program *program)
{
	unsigned weights[GROUPS] = { 0 };

	if (multi_search_library() == NULL)
		return false;
	weigh_groups(program, weights);
	for (unsigned i = 0; i < GROUPS; i++)
		if (weights[i] >= PATTERN_SET_LEAST)
			return true;
	return false;
}

static bool
write_pattern(
    struct arena *arena, const struct program_node *node, struct builder *out)
{
	if (node->kind == NODE_MATCHES)
		return superset_of_regex(
		    regex_pattern(node->regex), regex_folds(node->regex), out);
	return superset_of_text(
	    utf8_fold_slice(arena, node->right->literal.text), out);
}

static bool
is_exact(const struct program_node *node)
{
	return node->kind != NODE_MATCHES && !node->left->exactly &&
	       !node->right->exactly;
}

/* Compiles the patterns of one group and notes where each is. */
static bool
make_group(struct pattern_set *set, struct arena *arena,
    const struct program *program, unsigned at,
    struct pattern_set_report *report)
{
	struct group *group = &set->groups[at];
	struct multi_search_pattern *patterns = arena_alloc_array(
	    arena, program->searches.count + 1, sizeof *patterns);
	const struct program_node **nodes = arena_alloc_array(
	    arena, program->searches.count + 1, sizeof *nodes);
	unsigned count = 0;

	if (patterns == NULL || nodes == NULL)
		return false;
	for (size_t i = 0; i < program->searches.count; i++) {
		const struct program_node *node = program->searches.items[i];
		struct builder out = builder_make(arena, SIZE_MAX);

		if (group_of(node->left) != at)
			continue;
		if (!write_pattern(arena, node, &out)) {
			report->refused++;
			continue;
		}
		nodes[count] = node;
		patterns[count].text = builder_c_string(&out);
		patterns[count].loose = !is_exact(node);
		if (patterns[count++].text == NULL)
			return false;
	}
	group->words = count / 64 + 1;
	group->search = multi_search_new(arena, patterns, count);
	for (unsigned i = 0; i < count; i++) {
		struct place *place = &set->places[nodes[i]->index];

		if (!patterns[i].taken) {
			report->refused++;
			continue;
		}
		*place = (struct place){ at, i, true, is_exact(nodes[i]) };
		report->patterns++;
	}
	if (group->search != NULL) {
		report->fields++;
		report->bytes += multi_search_size(group->search);
	}
	return true;
}

struct pattern_set *
pattern_set_new(
    const struct program *program, struct pattern_set_report *report_out)
{
	unsigned weights[GROUPS] = { 0 };
	struct arena *arena = arena_new(0, NULL);
	struct pattern_set *set =
	    arena == NULL ? NULL : arena_alloc(arena, sizeof *set);
	bool good = true;

	memset(report_out, 0, sizeof *report_out);
	if (set == NULL) {
		arena_free(&arena);
		return NULL;
	}
	set->arena = arena;
	set->places =
	    arena_alloc_array(arena, program->node_count, sizeof *set->places);
	good = set->places != NULL;
	weigh_groups(program, weights);
	for (unsigned i = 0; good && i < GROUPS; i++) {
		struct arena *work;

		if (weights[i] < PATTERN_SET_LEAST)
			continue;
		work = arena_new(0, NULL);
		good = work != NULL &&
		       make_group(set, work, program, i, report_out);
		arena_free(&work);
	}
	if (!good || report_out->patterns == 0)
		pattern_set_free(&set);
	return set;
}

void
pattern_set_free(struct pattern_set **set)
{
	struct arena *arena;

	if (*set == NULL)
		return;
	for (unsigned i = 0; i < GROUPS; i++)
		multi_search_free(&(*set)->groups[i].search);
	arena = (*set)->arena; /* the set itself lies in it */
	*set = NULL;
	arena_free(&arena);
}

/* -------------------------------------------------------------- asking */

bool
pattern_set_has(const struct pattern_set *set, const struct program_node *node)
{
	return set->places[node->index].taken;
}

/* What is found in the value, searched on first call. NULL: unknown. */
static const struct pattern_hits *
hits_in(struct arena *arena, const struct group *group, struct value *value)
{
	struct pattern_hits *hits = value->hits;

	if (hits != NULL && hits->group == group)
		return hits;
	hits = arena_alloc(
	    arena, sizeof *hits + group->words * sizeof *hits->found);
	if (hits == NULL ||
	    !multi_search_run(group->search, value->folded, hits->found))
		return NULL;
	hits->group = group;
	value->hits = hits;
	return hits;
}

enum pattern_answer
pattern_set_ask(const struct pattern_set *set, struct arena *arena,
    const struct program_node *node, struct value *value)
{
	const struct place *place = &set->places[node->index];
	const struct pattern_hits *hits;

	if (!place->taken || value->folded.data == NULL ||
	    value->folded.length == 0)
		return PATTERN_UNKNOWN;
	hits = hits_in(arena, &set->groups[place->group], value);
	if (hits == NULL)
		return PATTERN_UNKNOWN;
	if ((hits->found[place->number / 64] >> place->number % 64 & 1) == 0)
		return PATTERN_NO;
	return place->exact ? PATTERN_YES : PATTERN_UNKNOWN;
}
