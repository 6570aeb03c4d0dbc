#include <config.h>

#include <stdint.h>

#include "base/builder.h"
#include "message/declare.h"
#include "message/encoded_word.h"

#define NAMES_MAX      8
#define BOUNDARIES_MAX 8
#define EXTERNAL_MAX   16384

#define BIT(name)      MIME_DEFECT_BIT(MIME_DEFECT_##name)

static bool
is_token(struct slice text)
{
	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if (c <= ' ' || c >= 0x7f ||
		    strchr("()<>@,;:\\\"/[]?=", c) != NULL)
			return false;
	}
	return text.length > 0;
}

/* Whether the type is TYPE/SUBTYPE of tokens. */
static bool
is_type(struct slice type)
{
	struct slice main_type, rest = slice_split(type, '/', &main_type);

	return is_token(main_type) && is_token(rest);
}

/* Whether some reader could take this for a multipart. */
static bool
smells_of_multipart(struct slice type)
{
	return slice_find_fold(type, SLICE_LITERAL("multi")) != SIZE_MAX;
}

/* File names whose pieces stand in both headers, or under the other header's
 * name: some readers throw all parameters into one table. */
static bool
read_mixed_names(struct arena *arena, struct param_header *mixed,
    struct declaration *declaration)
{
	bool other = declaration->names.count == 0;
	bool pieces = false;

	for (size_t i = 0; i < mixed->params.count; i++)
		pieces |= mixed->params.items[i].section >= 0;
	if (!other && !pieces)
		return true;
	return param_read(arena, mixed, "filename", true, NAMES_MAX,
		   &declaration->names) &&
	       param_read(
		   arena, mixed, "name", true, NAMES_MAX, &declaration->names);
}

static bool
mix(struct arena *arena, const struct param_header *header,
    struct param_header *mixed)
{
	for (size_t i = 0; i < header->params.count; i++) {
		struct param *added =
		    list_append(arena, &mixed->params, SIZE_MAX);

		if (added == NULL)
			return false;
		*added = header->params.items[i];
	}
	return true;
}

/* The first value of a parameter, or empty. False at the arena's ceiling. */
static bool
read_value(struct arena *arena, struct param_header *header, const char *name,
    struct slice *value_out)
{
	struct param_readings readings = { .count = 0 };

	if (!param_read(arena, header, name, false, 1, &readings))
		return false;
	*value_out =
	    readings.count > 0 ? readings.items[0].value : slice_make(NULL, 0);
	return true;
}

/* Where the content of a message/external-body is to be had: its URL (RFC
 * 2017, without the breaks that mail puts in), else that of its server (RFC
 * 2046, 5.2.3). */
static bool
read_external(struct arena *arena, struct param_header *header,
    struct declaration *declaration)
{
	struct slice url, site, folder, name, server;
	struct builder out = builder_make(arena, EXTERNAL_MAX);

	if (!read_value(arena, header, "url", &url) ||
	    !read_value(arena, header, "site", &site) ||
	    !read_value(arena, header, "directory", &folder) ||
	    !read_value(arena, header, "name", &name) ||
	    !read_value(arena, header, "server", &server))
		return false;
	for (size_t i = 0; i < url.length; i++)
		if (!ascii_is_space(url.data[i]))
			builder_byte(&out, url.data[i]);
	if (url.length == 0 && site.length > 0) {
		builder_text(&out, "ftp://");
		builder_slice(&out, site);
		builder_byte(&out, '/');
		builder_slice(&out, folder);
		builder_byte(&out, '/');
		builder_slice(&out, name);
	} else if (url.length == 0)
		builder_slice(&out, server);
	declaration->external = builder_result(&out);
	return !arena_exhausted(arena);
}

/* What the usual Content-Type says beside its boundary and name. */
static bool
read_details(struct arena *arena, struct param_header *header,
    struct declaration *declaration)
{
	struct slice value;

	if (!read_value(arena, header, "charset", &declaration->charset) ||
	    !read_value(arena, header, "delsp", &value))
		return false;
	if (slice_equal_text_fold(value, "yes")) {
		if (!read_value(arena, header, "format", &value))
			return false;
		declaration->flowed = slice_equal_text_fold(value, "flowed");
	}
	return !slice_equal_text(header->token, "message/external-body") ||
	       read_external(arena, header, declaration);
}

/* One Content-Type field. */
static bool
read_type(struct arena *arena, struct slice value,
    const struct message_limits *limits, bool first, struct param_header *mixed,
    struct declaration *declaration)
{
	struct param_header header;
	struct encoded_word_result decoded;

	if (!param_header_parse(arena, value, limits->params, &header))
		return false;
	if (!mix(arena, &header, mixed))
		return false;
	declaration->multipart |= smells_of_multipart(header.token);
	if (!is_type(header.token)) {
		declaration->type_odd = true;
		if (encoded_word_decode(arena, value, &decoded) &&
		    decoded.had_words)
			declaration->multipart |=
			    smells_of_multipart(decoded.text);
		/* "text" alone is what very old mail says (RFC 1049) */
		if (header.token.length > 0 && !is_token(header.token))
			declaration->defects |= BIT(TYPE_MALFORMED);
	}
	declaration->defects |= header.defects & BIT(TOO_MANY_PARAMS);
	if (first)
		declaration->type = header.token;
	else if (!slice_equal(declaration->type, header.token)) {
		declaration->type_odd = true;
		declaration->defects |= BIT(TYPE_DUPLICATE);
	}
	if (!param_read(arena, &header, "boundary", false, BOUNDARIES_MAX,
		&declaration->boundaries) ||
	    !param_read(
		arena, &header, "name", true, NAMES_MAX, &declaration->names))
		return false;
	if (first && !read_details(arena, &header, declaration))
		return false;
	/* a broken parameter counts where it is one that matters */
	if (declaration->boundaries.count > 1)
		declaration->defects |= header.defects & BIT(PARAM_MALFORMED);
	return true;
}

static bool
read_types(struct arena *arena, const struct header_list *headers,
    const struct message_limits *limits, struct param_header *mixed,
    struct declaration *declaration)
{
	const struct header_field *field;
	size_t at = 0, count = 0;

	while ((field = header_find(headers, "Content-Type", &at)) != NULL &&
	       count < 4)
		if (!read_type(arena, field->value, limits, count++ == 0, mixed,
			declaration))
			return false;
	return true;
}

static bool
read_dispositions(struct arena *arena, const struct header_list *headers,
    const struct message_limits *limits, struct param_header *mixed,
    struct declaration *declaration)
{
	const struct header_field *field;
	size_t at = 0, count = 0;

	while ((field = header_find(headers, "Content-Disposition", &at)) !=
		   NULL &&
	       count < 4) {
		struct param_header header;

		if (!param_header_parse(
			arena, field->value, limits->params, &header))
			return false;
		if (!mix(arena, &header, mixed))
			return false;
		if (count++ == 0)
			declaration->disposition = header.token;
		else if (!slice_equal(declaration->disposition, header.token))
			declaration->defects |= BIT(DISPOSITION_DUPLICATE);
		declaration->defects |= header.defects & BIT(TOO_MANY_PARAMS);
		if (!param_read(arena, &header, "filename", true, NAMES_MAX,
			&declaration->names))
			return false;
	}
	return true;
}

static void
add_encoding(struct declaration *declaration, enum transfer_encoding encoding)
{
	for (size_t i = 0; i < declaration->encoding_count; i++)
		if (declaration->encodings[i] == encoding)
			return;
	if (declaration->encoding_count < DECLARE_ENCODINGS_MAX)
		declaration->encodings[declaration->encoding_count++] =
		    encoding;
}

static void
read_encodings(struct arena *arena, const struct header_list *headers,
    struct declaration *declaration)
{
	const struct header_field *field;
	size_t at = 0, count = 0;

	while ((field = header_find(
		    headers, "Content-Transfer-Encoding", &at)) != NULL &&
	       count < DECLARE_ENCODINGS_MAX) {
		enum transfer_encoding strict, lenient;

		strict = transfer_encoding_read(
		    arena, field->value, &lenient, &declaration->defects);
		/* decorated: most programs see through it */
		add_encoding(
		    declaration, strict == TRANSFER_UNKNOWN ? lenient : strict);
		add_encoding(declaration, lenient);
		if (strict != lenient)
			add_encoding(declaration, TRANSFER_IDENTITY);
		if (count++ > 0 && declaration->encoding_count > 1)
			declaration->defects |= BIT(ENCODING_DUPLICATE);
	}
	declaration->encoding_declared = count > 0;
	if (declaration->encoding_count == 0)
		add_encoding(declaration, TRANSFER_IDENTITY);
}

/* File names that differ in what a reader would show: a bare ASCII fallback
 * beside the RFC 2231 form is how ordinary mail does it. */
static bool
names_conflict(const struct param_readings *names)
{
	for (size_t i = 1; i < names->count; i++) {
		struct slice a = names->items[0].value;
		struct slice b = names->items[i].value;
		size_t dot_a = slice_find_last_byte(a, '.');
		size_t dot_b = slice_find_last_byte(b, '.');

		if (strcmp(names->items[0].how, "rfc2047") == 0 ||
		    strcmp(names->items[i].how, "rfc2047") == 0)
			continue;
		if (!slice_equal_fold(
			slice_skip(a, dot_a), slice_skip(b, dot_b)))
			return true;
	}
	return false;
}

/* Whether a part that says it is text has a name that says otherwise. */
static bool
name_denies_text(const struct declaration *declaration)
{
	static const char *const endings[] = { ".png", ".gif", ".jpg", ".jpeg",
		".zip", ".rar", ".7z", ".iso", ".img", ".exe", ".scr", ".com",
		".pdf", ".docm", ".xlsm", ".dll", ".msi", ".cab", ".gz", ".lnk",
		".mp3", ".mp4" };

	if (!slice_starts_with(declaration->type, SLICE_LITERAL("text/")))
		return false;
	for (size_t n = 0; n < declaration->names.count; n++)
		for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
			if (slice_ends_with_fold(
				declaration->names.items[n].value,
				slice_text(endings[i])))
				return true;
	return false;
}

bool
declare_read(struct arena *arena, const struct header_list *headers,
    const struct message_limits *limits, struct declaration *declaration_out)
{
	struct declaration declaration = { .type_odd = false };
	struct param_header mixed = { .defects = 0 };

	/* the disposition's file name is the usual one */
	if (!read_dispositions(arena, headers, limits, &mixed, &declaration) ||
	    !read_types(arena, headers, limits, &mixed, &declaration) ||
	    !read_mixed_names(arena, &mixed, &declaration))
		return false;
	read_encodings(arena, headers, &declaration);
	if (declaration.boundaries.count > 1 && declaration.multipart)
		declaration.defects |= BIT(BOUNDARY_AMBIGUOUS);
	if (names_conflict(&declaration.names))
		declaration.defects |= BIT(NAME_AMBIGUOUS);
	if (name_denies_text(&declaration))
		declaration.defects |= BIT(TYPE_NAME_CONFLICT);
	declaration.defects |= declaration.names.defects;
	*declaration_out = declaration;
	return !arena_exhausted(arena);
}
