#include <config.h>

#include <stdint.h>

#include "auth/dmarc_record.h"

/* What is collected before the defaults are filled in. */
struct raw_record {
	struct dmarc_record *record;
	bool has_p, has_sp, has_np;
	bool bad_policy;
	unsigned seen; /* bits by index of the tag table */
};

static struct slice
trim_blanks(struct slice slice)
{
	/* WSP of RFC 5234 is SP and TAB; CR and LF cannot be meant either. */
	return slice_trim(slice);
}

static bool
read_policy(struct slice value, enum dmarc_policy *policy_out)
{
	for (int i = DMARC_POLICY_NONE; i <= DMARC_POLICY_REJECT; i++)
		if (slice_equal_text_fold(
			value, dmarc_policy_name((enum dmarc_policy)i))) {
			*policy_out = (enum dmarc_policy)i;
			return true;
		}
	return false;
}

static void
read_p(struct raw_record *raw, struct slice value)
{
	raw->has_p = read_policy(value, &raw->record->p);
	raw->bad_policy |= !raw->has_p;
}

static void
read_sp(struct raw_record *raw, struct slice value)
{
	raw->has_sp = read_policy(value, &raw->record->sp);
	raw->bad_policy |= !raw->has_sp;
}

static void
read_np(struct raw_record *raw, struct slice value)
{
	raw->has_np = read_policy(value, &raw->record->np);
	raw->bad_policy |= !raw->has_np;
}

static enum dmarc_alignment
alignment_of(struct slice value)
{
	return slice_equal_text_fold(value, "s") ? DMARC_STRICT : DMARC_RELAXED;
}

static void
read_adkim(struct raw_record *raw, struct slice value)
{
	raw->record->adkim = alignment_of(value);
}

static void
read_aspf(struct raw_record *raw, struct slice value)
{
	raw->record->aspf = alignment_of(value);
}

static void
read_psd(struct raw_record *raw, struct slice value)
{
	if (slice_equal_text_fold(value, "y"))
		raw->record->psd = DMARC_PSD_YES;
	else if (slice_equal_text_fold(value, "n"))
		raw->record->psd = DMARC_PSD_NO;
}

static void
read_t(struct raw_record *raw, struct slice value)
{
	raw->record->testing = slice_equal_text_fold(value, "y");
}

static void
read_fo(struct raw_record *raw, struct slice value)
{
	while (value.length > 0) {
		struct slice word;

		value = slice_split(value, ':', &word);
		word = trim_blanks(word);
		raw->record->fail_any |= slice_equal_text(word, "1");
		raw->record->fail_dkim |= slice_equal_text_fold(word, "d");
		raw->record->fail_spf |= slice_equal_text_fold(word, "s");
	}
}

/* A URI in the shape that matters here: a scheme, a colon, something more,
 * and neither blanks nor controls (RFC 3986, 3). */
static bool
is_uri(struct slice uri)
{
	size_t colon = slice_find_byte(uri, ':');

	if (colon == SIZE_MAX || colon + 1 >= uri.length ||
	    !ascii_is_alpha(uri.data[0]))
		return false;
	for (size_t i = 0; i < uri.length; i++) {
		unsigned char c = (unsigned char)uri.data[i];

		if (c <= ' ' || c >= 0x7f)
			return false;
		if (i < colon && !ascii_is_alpha(uri.data[i]) &&
		    !ascii_is_digit(uri.data[i]) && c != '+' && c != '-' &&
		    c != '.')
			return false;
	}
	return true;
}

/* The list as written where it holds at least one URI, else nothing. */
static struct slice
uri_list(struct slice value)
{
	struct slice rest = value;

	while (rest.length > 0) {
		struct slice uri;

		rest = slice_split(rest, ',', &uri);
		if (is_uri(trim_blanks(uri)))
			return value;
	}
	return slice_make(NULL, 0);
}

static void
read_rua(struct raw_record *raw, struct slice value)
{
	raw->record->rua = uri_list(value);
}

static void
read_ruf(struct raw_record *raw, struct slice value)
{
	raw->record->ruf = uri_list(value);
}

/* The registered tags (RFC 9989, 4.7 and 9.3); all others are ignored. */
static const struct {
	const char *name;
	void (*read)(struct raw_record *raw, struct slice value);
} tags[] = {
	{ "p", read_p },
	{ "sp", read_sp },
	{ "np", read_np },
	{ "adkim", read_adkim },
	{ "aspf", read_aspf },
	{ "psd", read_psd },
	{ "t", read_t },
	{ "fo", read_fo },
	{ "rua", read_rua },
	{ "ruf", read_ruf },
};

static bool
split_tag(struct slice spec, struct slice *name_out, struct slice *value_out)
{
	size_t equals = slice_find_byte(spec, '=');

	if (equals == SIZE_MAX)
		return false;
	*name_out = trim_blanks(slice_range(spec, 0, equals));
	*value_out = trim_blanks(slice_skip(spec, equals + 1));
	return true;
}

static void
read_tag(struct raw_record *raw, struct slice spec)
{
	struct slice name, value;

	if (!split_tag(spec, &name, &value))
		return;
	for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
		if (!slice_equal_text_fold(name, tags[i].name))
			continue;
		if ((raw->seen & 1u << i) == 0)
			tags[i].read(raw, value);
		raw->seen |= 1u << i;
	}
}

static void
fill_defaults(struct raw_record *raw)
{
	struct dmarc_record *record = raw->record;

	/* An absent p= is p=none (4.7); a bad one counts only with a rua=
	 * (4.10.1). */
	record->usable = !raw->bad_policy || record->rua.length > 0;
	if (raw->bad_policy) {
		record->p = record->sp = record->np = DMARC_POLICY_NONE;
		return;
	}
	if (!raw->has_sp)
		record->sp = record->p;
	if (!raw->has_np)
		record->np = record->sp;
}

enum tc_status
dmarc_record_parse(struct slice text, struct dmarc_record *record_out)
{
	struct raw_record raw = { .record = record_out };
	struct slice spec, name, value, rest;

	/* The version's name stands at the very start, its value counts by
	 * case (4.7: "MUST be the first tag in the list"). */
	rest = slice_split(text, ';', &spec);
	if (!slice_starts_with_fold(text, SLICE_LITERAL("v")) ||
	    !split_tag(spec, &name, &value) ||
	    !slice_equal_text_fold(name, "v") ||
	    !slice_equal_text(value, "DMARC1"))
		return TC_INVALID;
	*record_out = (struct dmarc_record){ .p = DMARC_POLICY_NONE };
	while (rest.length > 0) {
		rest = slice_split(rest, ';', &spec);
		read_tag(&raw, spec);
	}
	fill_defaults(&raw);
	return TC_OK;
}

const char *
dmarc_policy_name(enum dmarc_policy policy)
{
	static const char *const names[] = { "none", "quarantine", "reject" };

	return names[policy];
}
