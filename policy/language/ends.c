#include <config.h>

#include "language/compiled.h"
#include "language/ends.h"

/* The span that is asked for, and who is told. */
struct asker {
	int64_t after, up_to;
	void (*tell)(void *context, const struct end *end);
	void *context;
};

static void
offer(const struct asker *asker, enum end_kind kind, const char *name,
    struct slice entry, int64_t until_unix)
{
	struct end end = { kind, name, entry, until_unix };

	if (until_unix != 0 && until_unix > asker->after &&
	    until_unix <= asker->up_to)
		asker->tell(asker->context, &end);
}

static void
offer_list(const struct asker *asker, const struct value_list *list)
{
	for (size_t i = 0; i < value_list_ending_count(list); i++) {
		int64_t until_unix;
		struct slice entry = value_list_ending(list, i, &until_unix);

		offer(
		    asker, END_ENTRY, value_list_name(list), entry, until_unix);
	}
}

void
ends_between(const struct program *program, const struct program_lists *lists,
    int64_t after, int64_t up_to,
    void (*tell)(void *context, const struct end *end), void *context)
{
	const struct asker asker = { after, up_to, tell, context };
	const struct slice none = { 0 };

	for (size_t i = 0; i < program->rules.count; i++) {
		const struct program_rule *rule = program->rules.items[i];

		offer(&asker, END_RULE, rule->name, none, rule->until);
		offer(&asker, END_SHADOW, rule->name, none, rule->shadow_until);
		offer(&asker, END_WAIT, rule->name, none, rule->from);
	}
	for (size_t i = 0; i < program->exemptions.count; i++)
		offer(&asker, END_EXEMPTION, program->exemptions.items[i]->name,
		    none, program->exemptions.items[i]->until);
	if (lists == NULL)
		lists = &program->lists;
	for (size_t i = 0; i < lists->count; i++)
		if (lists->items[i] != NULL)
			offer_list(&asker, lists->items[i]);
}

const char *
ends_kind_text(enum end_kind kind)
{
	static const char *const texts[] = { "rule", "shadow of rule",
		"waiting time of rule", "exemption", "entry of list" };

	return texts[kind];
}
