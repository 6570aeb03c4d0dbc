#include <config.h>

#include <inttypes.h>

#include "base/utf8.h"
#include "language/expand.h"
#include "language/moment.h"

static bool
is_unsafe(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

void
expand_safe(struct builder *out, struct slice text, size_t max_bytes)
{
	size_t written = 0;

	while (text.length > 0) {
		uint32_t c = utf8_next(&text, NULL);
		char bytes[4];
		size_t length;

		if (is_unsafe(c))
			c = ' ';
		length = utf8_encode(c, bytes);
		if (written + length > max_bytes) {
			builder_text(out, "...");
			return;
		}
		builder_slice(out, slice_make(bytes, length));
		written += length;
	}
}

/* The two largest units: "3d 2h", "45s". */
static void
add_duration(struct builder *out, int64_t seconds)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };
	unsigned shown = 0;

	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		int64_t count = seconds / units[i].seconds;

		if (count == 0 && (shown > 0 || units[i].unit != 's'))
			continue;
		builder_printf(out, "%s%" PRId64 "%c", shown > 0 ? " " : "",
		    count, units[i].unit);
		seconds %= units[i].seconds;
		if (++shown == 2)
			return;
	}
}

void
expand_value(struct builder *out, const struct value *value,
    enum value_type type, const struct schema_enum *words)
{
	char text[IPADDR_TEXT_MAX];

	if (value->state != VALUE_PRESENT)
		return;
	switch (type) {
	case VALUE_BOOL:
		builder_text(out, value->truth ? "true" : "false");
		break;
	case VALUE_INTEGER:
	case VALUE_SIZE:
		builder_printf(out, "%" PRId64, value->number);
		break;
	case VALUE_DURATION:
		add_duration(out, value->number / 1000);
		break;
	case VALUE_TIME:
		builder_text(out, moment_format(out->arena, value->number));
		break;
	case VALUE_ENUM:
		if (words != NULL && value->number >= 0 &&
		    value->number < (int64_t)words->count)
			builder_text(out, words->words[value->number]);
		break;
	case VALUE_STRING:
	case VALUE_DOMAIN:
	case VALUE_ADDRESS:
		expand_safe(out, value->text, EXPAND_VALUE_MAX);
		break;
	case VALUE_IP:
		builder_text(out, ipaddr_format(&value->ip, text));
		break;
	case VALUE_STRINGS:
		for (size_t i = 0; i < value->texts.count && i < 20; i++) {
			if (i > 0)
				builder_text(out, ", ");
			expand_safe(
			    out, value->texts.items[i], EXPAND_VALUE_MAX);
		}
		break;
	case VALUE_COLLECTION:
		break;
	}
}

static void
add_field(struct builder *out, const struct compiled_operand *operand,
    struct facts *facts)
{
	const struct facts_collection *collection;

	if (facts_require(facts, operand->field) != TC_OK)
		return;
	if (operand->kind == COMPILED_FIELD) {
		expand_value(out, &facts->values[operand->field], operand->type,
		    operand->words);
		return;
	}
	collection = &facts->collections[operand->field];
	if (collection->elements.count > 0)
		expand_value(out,
		    &collection->elements.items[0][operand->member],
		    operand->type, operand->words);
}

struct slice
expand_text(struct arena *arena, const struct program_text *text,
    const struct program_rule *rule, struct facts *facts)
{
	struct builder out = builder_make(arena, EXPAND_TEXT_MAX);

	for (unsigned i = 0; i < text->count; i++) {
		const struct program_piece *piece = &text->pieces[i];

		switch (piece->kind) {
		case PIECE_TEXT:
			expand_safe(&out, piece->text, EXPAND_TEXT_MAX);
			break;
		case PIECE_VALUE:
			add_field(&out, piece->operand, facts);
			break;
		case PIECE_RULE:
			builder_text(&out, rule->name);
			break;
		case PIECE_DESCRIPTION:
			expand_safe(&out, slice_text(rule->description),
			    EXPAND_VALUE_MAX);
			break;
		case PIECE_ID:
			expand_safe(
			    &out, slice_text(rule->id), EXPAND_VALUE_MAX);
			break;
		case PIECE_SEVERITY:
			if (rule->severity >= 0)
				builder_text(&out,
				    schema_severities.words[rule->severity]);
			break;
		}
	}
	return builder_result(&out);
}
