#include <config.h>

#include <cjson/cJSON.h>
#include <stdint.h>

#include "indicator/json_split.h"
#include "indicator/stix_marking.h"

#define DEFINITIONS_MAX       1024
#define DEFINITION_BYTES_MAX  16384
#define DEFINITION_DEPTH_MAX  16
#define DEFINITION_STARTS_MAX 64 /* opening braces before the type */

/* The TLP markings that STIX 2.1 (7.2.1.4) and TLP 2.0's extension define. */
static const struct {
	const char *id;
	enum indicator_tlp tlp;
} known[] = {
	{ "613f2e26-407d-48c7-9eca-b8e91df99dc9", INDICATOR_TLP_CLEAR },
	{ "34098fce-860f-48ae-8e50-ebd3cc5e41da", INDICATOR_TLP_GREEN },
	{ "f88d31f6-486f-44da-b317-01333bde0b82", INDICATOR_TLP_AMBER },
	{ "5e57c739-391a-4eb3-b6be-7d15ca92d5ed", INDICATOR_TLP_RED },
	{ "94868c89-83c2-464b-929b-a1a8aa3c8487", INDICATOR_TLP_CLEAR },
	{ "bab4a63c-aed9-4cf5-a766-dfca5abac2bb", INDICATOR_TLP_GREEN },
	{ "55d920b0-5e8b-4f79-9ee9-91f868d9b421", INDICATOR_TLP_AMBER },
	{ "939a9414-2ddd-4d32-a0cd-375ea402b003", INDICATOR_TLP_AMBER_STRICT },
	{ "e828b379-4e03-4974-9ac4-e53a884c97c1", INDICATOR_TLP_RED },
};

/* --------------------------------------------------------------- definitions */

/* {"tlp": "amber"}, the extension of TLP 2.0, or a name like TLP:RED. */
static enum indicator_tlp
colour_of(const cJSON *definition)
{
	enum indicator_tlp tlp = INDICATOR_TLP_ABSENT;
	const cJSON *extension;

	cJSON_ArrayForEach(extension,
	    cJSON_GetObjectItemCaseSensitive(definition, "extensions"))
	    indicator_tlp_parse(json_text(NULL, extension, "tlp_2_0"), &tlp);
	if (tlp == INDICATOR_TLP_ABSENT)
		indicator_tlp_parse(json_text(NULL,
					cJSON_GetObjectItemCaseSensitive(
					    definition, "definition"),
					"tlp"),
		    &tlp);
	if (tlp == INDICATOR_TLP_ABSENT)
		indicator_tlp_parse(
		    json_text(NULL, definition, "x_opencti_definition"), &tlp);
	if (tlp == INDICATOR_TLP_ABSENT)
		indicator_tlp_parse(json_text(NULL, definition, "name"), &tlp);
	return tlp;
}

/* Looks from the type's place back for the brace that opens its object; NULL
 * when it is no marking-definition. Free with cJSON_Delete(). */
static cJSON *
definition_around(struct slice bytes, size_t at)
{
	unsigned starts = 0;

	for (size_t i = at; i > 0 && starts < DEFINITION_STARTS_MAX; i--) {
		struct slice rest;
		struct json_value value;
		cJSON *object;

		if (at - i > DEFINITION_BYTES_MAX)
			break;
		if (bytes.data[i - 1] != '{')
			continue;
		starts++;
		rest = slice_range(bytes, i - 1, i - 1 + DEFINITION_BYTES_MAX);
		if (!json_split_value(&rest, &value) ||
		    value.text.length < at - i + 1)
			continue; /* too long, or ends before */
		object = json_parse(&value, DEFINITION_DEPTH_MAX);
		if (slice_equal_text(
			json_text(NULL, object, "type"), "marking-definition"))
			return object;
		cJSON_Delete(object);
	}
	return NULL;
}

void
stix_markings_add(struct stix_markings *markings, struct slice bytes,
    size_t begin, size_t end)
{
	struct slice type = SLICE_LITERAL("\"marking-definition\"");
	struct slice part = slice_range(bytes, 0, end + type.length - 1);
	size_t at = begin, found;

	while ((found = slice_find(slice_skip(part, at), type)) != SIZE_MAX &&
	       ++markings->looked_at <= DEFINITIONS_MAX) {
		struct arena *arena = markings->defined.arena;
		enum indicator_tlp *tlp = arena_alloc(arena, sizeof *tlp);
		cJSON *object = definition_around(bytes, at + found);
		char *id = arena_text(arena, json_text(NULL, object, "id"));

		at += found + type.length;
		if (object != NULL && tlp != NULL && id != NULL) {
			*tlp = colour_of(object);
			if (*tlp != INDICATOR_TLP_ABSENT)
				(void)table_put(
				    &markings->defined, slice_text(id), tlp);
		}
		cJSON_Delete(object);
	}
}

/* --------------------------------------------------------------------- marks */

static enum indicator_tlp
tlp_of_id(const struct stix_markings *markings, const cJSON *ref)
{
	struct slice id;
	const enum indicator_tlp *tlp;

	if (!cJSON_IsString(ref))
		return INDICATOR_TLP_ABSENT;
	id = slice_text(ref->valuestring);
	tlp = markings == NULL ? NULL : table_get(&markings->defined, id);
	if (tlp != NULL)
		return *tlp;
	if (!slice_starts_with(id, SLICE_LITERAL("marking-definition--")))
		return INDICATOR_TLP_ABSENT;
	id = slice_skip(id, strlen("marking-definition--"));
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (slice_equal_text(id, known[i].id))
			return known[i].tlp;
	return INDICATOR_TLP_ABSENT;
}

enum indicator_tlp
stix_marking_tlp(const struct stix_markings *markings, const cJSON *object)
{
	enum indicator_tlp strictest = INDICATOR_TLP_ABSENT, tlp;
	const cJSON *mark;

	cJSON_ArrayForEach(mark,
	    cJSON_GetObjectItemCaseSensitive(object, "object_marking_refs"))
	{
		tlp = tlp_of_id(markings, mark);
		strictest = tlp > strictest ? tlp : strictest;
	}
	/* A mark of the description alone is that of all we tell. */
	cJSON_ArrayForEach(
	    mark, cJSON_GetObjectItemCaseSensitive(object, "granular_markings"))
	{
		tlp = tlp_of_id(markings,
		    cJSON_GetObjectItemCaseSensitive(mark, "marking_ref"));
		strictest = tlp > strictest ? tlp : strictest;
	}
	return strictest;
}
