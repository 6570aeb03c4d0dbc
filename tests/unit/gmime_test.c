/*
 * gmime_test - the same mail as GMime reads it: each difference has a reason
 *
 * Every message of the data set is read by GMime in a child process, which may
 * die on hostile mail, and compared with the usual reading: number of parts,
 * types, names, decoded bytes. A difference belongs to a class below, which
 * says when it may be, or the test fails. TOCSIN_DATA names the folder, the
 * sibling ../shared/data of the source tree without it.
 */
#include <config.h>

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/other_reader.h"
#include "support/unit.h"

#include "message/message.h"

#define BIT(name) MIME_DEFECT_BIT(MIME_DEFECT_##name)
#define FILES_MAX 4000

/* ------------------------------------------------------- GMime in a child */

static bool
put(int out, const void *bytes, size_t length)
{
	const char *at = bytes;

	while (length > 0) {
		ssize_t written = write(out, at, length);

		if (written <= 0)
			return false;
		at += written;
		length -= (size_t)written;
	}
	return true;
}

static bool
put_slice(int out, struct slice slice)
{
	return put(out, &slice.length, sizeof slice.length) &&
	       put(out, slice.data, slice.length);
}

static void
child(int out, struct slice raw)
{
	struct rlimit limit = { 0, 0 };
	struct arena *arena = arena_new(0, NULL);
	struct other_parts parts = { .count = 0 };

	/* it may well die: without a core, and not for ever */
	setrlimit(RLIMIT_CORE, &limit);
	alarm(30);
	if (!other_reader_read(arena, raw, &parts))
		_exit(3);
	for (size_t i = 0; i < parts.count; i++)
		if (!put_slice(out, parts.items[i].type) ||
		    !put_slice(out, parts.items[i].name) ||
		    !put_slice(out, parts.items[i].content))
			_exit(4);
	_exit(0);
}

static bool
get(FILE *in, struct arena *arena, struct slice *slice_out)
{
	size_t length;
	char *bytes;

	if (fread(&length, sizeof length, 1, in) != 1)
		return false;
	bytes = arena_alloc(arena, length + 1);
	*slice_out = slice_make(bytes, length);
	return fread(bytes, 1, length, in) == length;
}

/* The exit status of the child as waitpid() has it; 0: *parts is whole. */
static int
read_otherwise(struct arena *arena, struct slice raw, struct other_parts *parts)
{
	struct other_part part;
	int ends[2], status;
	FILE *in;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(ends[0]);
		child(ends[1], raw);
	}
	close(ends[1]);
	in = fdopen(ends[0], "rb");
	while (get(in, arena, &part.type) && get(in, arena, &part.name) &&
	       get(in, arena, &part.content))
		*(struct other_part *)list_append(arena, parts, SIZE_MAX) =
		    part;
	fclose(in);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* ------------------------------------------------------------ the classes */

enum difference {
	DIFFERENCE_NONE,
	OTHER_DIED,
	OTHER_NO_MESSAGE,
	STRUCTURE_AMBIGUOUS,
	STRUCTURE_EMPTY,
	STRUCTURE_CUT,
	STRUCTURE_TYPE_COMMENT,
	STRUCTURE_BOUNDARY_CODED,
	STRUCTURE_BOUNDARY_LONG,
	STRUCTURE_BOUNDARY_GLUED,
	TYPE_BROKEN,
	NAME_OTHER_READING,
	NAME_INSIDE,
	NAME_WIDE,
	NAME_UNDECODED,
	BYTES_TRAILING_BLANKS,
	BYTES_SOFT_BREAK,
	BYTES_OTHER_READING,
	BYTES_UNDECODED,
	BYTES_AMBIGUOUS,
	UNEXPLAINED,
	DIFFERENCES
};

static const char *const reasons[DIFFERENCES] = {
	[DIFFERENCE_NONE] = "none",
	[OTHER_DIED] = "GMime dies",
	[OTHER_NO_MESSAGE] =
	    "GMime sees no message: broken headers or blanks before them",
	[STRUCTURE_AMBIGUOUS] = "parts: a defect says that readers disagree",
	[STRUCTURE_EMPTY] = "parts: one without headers and body is dropped",
	[STRUCTURE_CUT] = "parts: cut before its close delimiter",
	[STRUCTURE_TYPE_COMMENT] = "parts: a comment inside the type's name",
	[STRUCTURE_BOUNDARY_CODED] =
	    "parts: a boundary in RFC 2231 form, which GMime takes as it is",
	[STRUCTURE_BOUNDARY_LONG] = "parts: a boundary longer than 70",
	[STRUCTURE_BOUNDARY_GLUED] =
	    "parts: a boundary without ';' before it, which GMime drops",
	[TYPE_BROKEN] =
	    "type: not type/subtype; GMime then drops its parameters",
	[NAME_OTHER_READING] = "name: among the other names that we read",
	[NAME_INSIDE] = "name: given by uuencode, which GMime does not look at",
	[NAME_WIDE] = "name: UTF-16, which GMime takes for ASCII or drops",
	[NAME_UNDECODED] = "name: quotes or escapes that GMime leaves",
	[BYTES_TRAILING_BLANKS] =
	    "bytes: blanks at a line's end (RFC 2045, 6.7)",
	[BYTES_SOFT_BREAK] =
	    "bytes: blanks behind a soft line break, which GMime keeps",
	[BYTES_OTHER_READING] = "bytes: those of another reading of ours",
	[BYTES_UNDECODED] = "bytes: not decoded by GMime",
	[BYTES_AMBIGUOUS] = "bytes: a defect says that readers disagree",
	[UNEXPLAINED] = "unexplained",
};

/* One message, read by both. */
struct pair {
	const struct message *message;
	const struct mime_part *ours[2000]; /* usual leafs */
	size_t count;
	struct other_parts others;
};

/* What is in a part that GMime does not look into: uuencode in a text, an
 * encoded message. */
static bool
is_deeper(const struct mime_parts *parts, const struct mime_part *part)
{
	const struct mime_part *parent;

	for (; part->parent != MIME_NO_PART; part = parent) {
		parent = &parts->items[part->parent];
		if (!parent->is_container ||
		    (parent->encoding != TRANSFER_IDENTITY &&
			parent->encoding != TRANSFER_UNKNOWN &&
			parent->content_kept))
			return true;
	}
	return false;
}

/* Whether GMime shows it as a part: an encoded message as a whole. */
static bool
is_shown(const struct mime_part *part)
{
	return !part->is_container ||
	       (part->content_kept && part->encoding != TRANSFER_IDENTITY &&
		   part->encoding != TRANSFER_UNKNOWN);
}

static void
list_ours(struct pair *pair)
{
	const struct mime_parts *parts = message_parts(pair->message);

	for (size_t i = 0; i < parts->count && pair->count < 2000; i++)
		if (parts->items[i].reading == NULL &&
		    is_shown(&parts->items[i]) &&
		    !is_deeper(parts, &parts->items[i]))
			pair->ours[pair->count++] = &parts->items[i];
}

/* The message's Content-Type; GMime alone counts parts by it. */
static struct slice
type_of(const struct message *message)
{
	size_t at = 0;
	const struct header_field *field =
	    header_find(message_headers(message), "Content-Type", &at);

	return field == NULL ? SLICE_LITERAL("") : field->value;
}

static enum difference
boundary_difference(const struct message *message)
{
	struct slice type = type_of(message), main_type;
	const struct mime_parts *parts = message_parts(message);
	size_t at;

	slice_split(type, ';', &main_type);
	if (slice_find_byte(main_type, '(') != SIZE_MAX)
		return STRUCTURE_TYPE_COMMENT;
	if (slice_find_fold(type, SLICE_LITERAL("boundary*")) != SIZE_MAX)
		return STRUCTURE_BOUNDARY_CODED;
	at = slice_find_fold(type, SLICE_LITERAL("boundary=\""));
	if (at != SIZE_MAX && parts->count > 1 &&
	    slice_find_byte(slice_skip(type, at + 10), '"') > 70)
		return STRUCTURE_BOUNDARY_LONG;
	if (slice_find_fold(main_type, SLICE_LITERAL("boundary=")) != SIZE_MAX)
		return STRUCTURE_BOUNDARY_GLUED;
	return UNEXPLAINED;
}

static enum difference
structure_difference(const struct pair *pair)
{
	const mime_defect_set ambiguous =
	    BIT(BOUNDARY_AMBIGUOUS) | BIT(BOUNDARY_NESTED) |
	    BIT(BOUNDARY_MISSING) | BIT(TYPE_DUPLICATE) | BIT(TYPE_MALFORMED) |
	    BIT(HEADER_MALFORMED) | BIT(DELIMITER_ODD) | BIT(PART_AFTER_CLOSE) |
	    BIT(ENCODING_COMPOSITE) | BIT(HEADER_FOLDED_ODDLY);
	mime_defect_set defects = message_defects(pair->message);
	size_t empty = 0;

	if (pair->count == pair->others.count)
		return DIFFERENCE_NONE;
	for (size_t i = 0; i < pair->count; i++)
		empty += pair->ours[i]->raw.length == 0;
	if (pair->count - empty <= pair->others.count &&
	    pair->count > pair->others.count)
		return STRUCTURE_EMPTY;
	if (defects & ambiguous)
		return STRUCTURE_AMBIGUOUS;
	if (defects & BIT(DELIMITER_MISSING))
		return STRUCTURE_CUT;
	return boundary_difference(pair->message);
}

static bool
is_broken_type(const struct mime_part *part)
{
	size_t at = 0;
	const struct header_field *field =
	    header_find(&part->headers, "Content-Type", &at);
	struct slice main_type, type = part->type;
	struct slice rest = slice_split(type, '/', &main_type);

	if (field != NULL &&
	    slice_starts_with(slice_trim(field->value), SLICE_LITERAL(";")))
		return true;
	for (size_t i = 0; i < type.length; i++)
		if (strchr("\\?=() ", type.data[i]) != NULL)
			return true;
	return main_type.length == 0 || rest.length == 0;
}

/* Without quotes, escapes, controls and blanks. */
static struct slice
plain_name(struct arena *arena, struct slice name)
{
	char *copy = arena_text(arena, name);
	size_t length = 0;

	for (size_t i = 0; i < name.length; i++)
		if ((unsigned char)name.data[i] > ' ' &&
		    strchr("\"\\'", name.data[i]) == NULL)
			copy[length++] = name.data[i];
	return slice_make(copy, length);
}

static enum difference
name_difference(struct arena *arena, const struct mime_part *part,
    const struct other_part *other)
{
	struct slice ours = SLICE_LITERAL("");
	struct slice plain = plain_name(arena, other->name);

	if (part->names.count > 0)
		ours = part->names.items[0].name;
	if (slice_equal(ours, other->name))
		return DIFFERENCE_NONE;
	for (size_t i = 0; i < part->names.count; i++)
		if (slice_equal(part->names.items[i].name, other->name))
			return NAME_OTHER_READING;
	if (part->names.count > 0 && other->name.length == 0 &&
	    strcmp(part->names.items[0].how, "uuencode") == 0)
		return NAME_INSIDE;
	for (size_t i = 0; i < part->names.count; i++)
		if (slice_equal(
			plain_name(arena, part->names.items[i].name), plain))
			return NAME_UNDECODED;
	/* U+6600 for "f": three octets each */
	if (ours.length > 0 && other->name.length == 3 * ours.length &&
	    (unsigned char)other->name.data[0] >= 0xe2)
		return NAME_WIDE;
	if (is_broken_type(part) && other->name.length == 0)
		return TYPE_BROKEN;
	if (part->defects &
	    (BIT(NAME_AMBIGUOUS) | BIT(PARAM_MALFORMED) | BIT(TYPE_MALFORMED)))
		return NAME_OTHER_READING;
	return UNEXPLAINED;
}

/* Without blanks before line breaks. */
static struct slice
without_trailing_blanks(struct arena *arena, struct slice text)
{
	char *copy = arena_text(arena, text);
	size_t length = 0;

	for (size_t i = 0; i < text.length; i++) {
		if (copy[i] == '\r')
			continue;
		if (copy[i] == '\n')
			while (length > 0 && (copy[length - 1] == ' ' ||
						 copy[length - 1] == '\t'))
				length--;
		copy[length++] = copy[i];
	}
	while (length > 0 && strchr(" \t\n", copy[length - 1]) != NULL)
		length--;
	return slice_make(copy, length);
}

static bool
is_content_somewhere(const struct message *message, struct slice content)
{
	const struct mime_parts *parts = message_parts(message);

	for (size_t i = 0; i < parts->count; i++)
		if (slice_equal(parts->items[i].content, content))
			return true;
	return false;
}

static bool
has_blank_soft_breaks(struct slice raw)
{
	static const char *const forms[] = { "= \n", "=\t\n", "= \r\n",
		"=\t\r\n" };

	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
		if (slice_find(raw, slice_text(forms[i])) != SIZE_MAX)
			return true;
	return false;
}

static enum difference
bytes_difference(struct arena *arena, const struct pair *pair,
    const struct mime_part *part, struct slice other)
{
	if (slice_equal(part->content, other))
		return DIFFERENCE_NONE;
	if (part->encoding == TRANSFER_QUOTED_PRINTABLE &&
	    slice_equal(without_trailing_blanks(arena, part->content),
		without_trailing_blanks(arena, other)))
		return BYTES_TRAILING_BLANKS;
	if (is_content_somewhere(pair->message, other))
		return BYTES_OTHER_READING;
	if (slice_equal(without_trailing_blanks(arena, part->raw),
		without_trailing_blanks(arena, other)))
		return BYTES_UNDECODED;
	if (part->encoding == TRANSFER_QUOTED_PRINTABLE &&
	    has_blank_soft_breaks(part->raw))
		return BYTES_SOFT_BREAK;
	if (message_defects(pair->message) &
		(BIT(HEADER_MALFORMED) | BIT(BARE_CR) | BIT(TYPE_DUPLICATE)) ||
	    part->defects &
		(BIT(BASE64_JUNK) | BIT(ENCODING_MALFORMED) |
		    BIT(ENCODING_DUPLICATE) | BIT(QUOTED_PRINTABLE_MALFORMED)))
		return BYTES_AMBIGUOUS;
	return UNEXPLAINED;
}

/* ---------------------------------------------------------------- the sets */

static char *set_files[FILES_MAX];
static size_t set_count;
static unsigned counts[DIFFERENCES];

static int
collect(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)walk;
	if (type == FTW_F && status->st_size > 0 && set_count < FILES_MAX)
		set_files[set_count++] = strdup(path);
	return 0;
}

static struct slice
read_file(struct arena *arena, const char *path)
{
	FILE *file = fopen(path, "rb");
	struct stat status;
	char *bytes;
	size_t length;

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &status), 0);
	bytes = arena_alloc(arena, (size_t)status.st_size + 1);
	length = fread(bytes, 1, (size_t)status.st_size, file);
	fclose(file);
	return slice_make(bytes, length);
}

static void
tell(enum difference difference, const char *path, const char *what,
    struct slice ours, struct slice other)
{
	counts[difference]++;
	if (difference == UNEXPLAINED || getenv("TOCSIN_VERBOSE") != NULL)
		fprintf(stderr, "# %s: %s, %s: \"%.*s\" and \"%.*s\"\n", path,
		    reasons[difference], what,
		    (int)slice_range(ours, 0, 60).length, ours.data,
		    (int)slice_range(other, 0, 60).length, other.data);
}

static void
compare_parts(struct arena *arena, const struct pair *pair, const char *path)
{
	enum difference structure = structure_difference(pair);

	tell(
	    structure, path, "parts", slice_make(NULL, 0), slice_make(NULL, 0));
	for (size_t i = 0; structure == DIFFERENCE_NONE && i < pair->count;
	     i++) {
		const struct mime_part *part = pair->ours[i];
		const struct other_part *other = &pair->others.items[i];
		struct slice name = part->names.count > 0
					? part->names.items[0].name
					: SLICE_LITERAL("");

		if (!slice_equal(part->type, other->type))
			tell(is_broken_type(part) ? TYPE_BROKEN : UNEXPLAINED,
			    path, "type", part->type, other->type);
		tell(name_difference(arena, part, other), path, "name", name,
		    other->name);
		tell(bytes_difference(arena, pair, part, other->content), path,
		    "bytes", part->content, other->content);
	}
}

static void
compare_file(const char *path)
{
	struct arena *arena = arena_new(0, NULL);
	struct pair pair = { .count = 0 };
	struct slice raw = read_file(arena, path);
	struct message *message =
	    message_new(arena, &message_limits_default, MESSAGE_NEED_CONTENT);
	int status = read_otherwise(arena, raw, &pair.others);

	message_parse_raw(message, raw);
	pair.message = message;
	list_ours(&pair);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		compare_parts(arena, &pair, path);
	else if (WIFEXITED(status) && WEXITSTATUS(status) == 3)
		tell((message_defects(message) & BIT(HEADER_MALFORMED)) ||
			     ascii_is_space(raw.data[0])
			 ? OTHER_NO_MESSAGE
			 : UNEXPLAINED,
		    path, "message", raw, slice_make(NULL, 0));
	else
		tell(OTHER_DIED, path, "message", raw, slice_make(NULL, 0));
	arena_free(&arena);
}

static void
each_difference_from_gmime_has_a_reason(void **state)
{
	const char *top = getenv("TOCSIN_DATA"), *source = getenv("srcdir");
	char folder[2048];

	(void)state;
	if (!other_reader_here()) {
		fprintf(stderr, "# skipped: built without GMime\n");
		skip();
	}
	snprintf(folder, sizeof folder, "%s/mail",
	    top != NULL ? top : "../shared/data");
	if (top == NULL && source != NULL)
		snprintf(
		    folder, sizeof folder, "%s/../shared/data/mail", source);
	if (nftw(folder, collect, 16, FTW_PHYS) != 0) {
		fprintf(stderr, "# skipped: %s is not here\n", folder);
		skip();
	}
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < set_count; i++) {
		compare_file(set_files[i]);
		free(set_files[i]);
	}
	fprintf(stderr, "# %zu messages; compared and the same: %u\n",
	    set_count, counts[DIFFERENCE_NONE]);
	for (unsigned i = 1; i < DIFFERENCES; i++)
		fprintf(stderr, "# %5u  %s\n", counts[i], reasons[i]);
	assert_int_equal(counts[UNEXPLAINED], 0);
	assert_true(counts[DIFFERENCE_NONE] > set_count);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(each_difference_from_gmime_has_a_reason),
};

UNIT_MAIN(tests)
