#include <config.h>

#include "base/address.h"
#include "base/compose.h"
#include "base/domain.h"
#include "base/list.h"
#include "base/table.h"
#include "base/utf8.h"
#include "language/moment.h"
#include "language/occurrence.h"
#include "language/value_list.h"

#define PREFIX_LENGTHS   129
#define LINE_BYTES_MAX   4096
#define STRING_BYTES_MAX 1000

struct entry {
	struct slice text;  /* as given */
	struct entry *same; /* another entry with the same key */
	int64_t expires;    /* 0: never */
};

struct value_list {
	struct arena *arena;
	const char *name;
	enum value_list_type type;
	struct table keys; /* canonical key to struct entry */
	LIST_OF(struct entry *) entries;
	LIST_OF(struct entry *) ending; /* those that expire, or did once */
	bool prefix_lengths[PREFIX_LENGTHS]; /* networks: those that occur */
};

struct value_list *
value_list_new(struct arena *arena, enum value_list_type type, const char *name)
{
	struct value_list *list = arena_alloc(arena, sizeof *list);

	if (list == NULL)
		return NULL;
	list->arena = arena;
	list->name = name;
	list->type = type;
	list->keys = table_make(arena);
	return list;
}

/* A network's key: its masked octets, then the length. */
struct network_key {
	uint8_t bytes[17];
};

static struct slice
network_key(const struct ipaddr *address, unsigned prefix_length,
    struct network_key *key)
{
	struct ipaddr masked = ipaddr_mask(address, prefix_length);

	memcpy(key->bytes, masked.octets, 16);
	key->bytes[16] = (uint8_t)prefix_length;
	return slice_make(key->bytes, sizeof key->bytes);
}

/* Mail has odd names and they can be compared; what an entry can never equal is
 * refused, or the list would look as if it protected. */
static struct slice
domain_entry_key(
    struct value_list *list, struct slice text, const char **problem_out)
{
	const char *instead;
	struct slice key = { 0 };

	if (text.data[0] == '*' || text.data[0] == '.') {
		*problem_out = "not a domain name; under covers all "
			       "that lies below an entry";
		return key;
	}
	instead = domain_misread(list->arena, text);
	if (instead == NULL && domain_canonical(list->arena, text, &key))
		return key;
	*problem_out = arena_printf(
	    list->arena, "not a domain name%s", instead == NULL ? "" : instead);
	if (*problem_out == NULL)
		*problem_out = "not a domain name";
	return key;
}

static struct slice
address_entry_key(
    struct value_list *list, struct slice text, const char **problem_out)
{
	struct address parts;
	struct slice domain;
	struct builder key;

	if (text.length > 1 && text.data[0] == '@') {
		domain = slice_skip(text, 1);
		if (domain_misread(list->arena, domain) != NULL ||
		    !domain_canonical(list->arena, domain, &domain)) {
			*problem_out = "no domain after the @";
			return (struct slice){ 0 };
		}
		key = builder_make(list->arena, SIZE_MAX);
		builder_byte(&key, '@');
		builder_slice(&key, domain);
		return builder_result(&key);
	}
	if (address_is_misread(text) ||
	    !address_canonical(list->arena, text, &parts)) {
		*problem_out = "not a mail address (user@domain or @domain)";
		return (struct slice){ 0 };
	}
	return address_key(list->arena, &parts);
}

static struct slice
network_entry_key(
    struct value_list *list, struct slice text, const char **problem_out)
{
	struct network_key key;
	struct ipaddr_network network;
	bool host_bits;

	if (!ipaddr_network_parse(text, &network, &host_bits)) {
		*problem_out = "not an address or network";
		return (struct slice){ 0 };
	}
	list->prefix_lengths[network.prefix_length] = true;
	return arena_copy(list->arena,
	    network_key(&network.address, network.prefix_length, &key));
}

static struct slice
hash_entry_key(
    struct value_list *list, struct slice text, const char **problem_out)
{
	bool digits = true;

	for (size_t i = 0; i < text.length; i++)
		digits = digits && ascii_hex_value(text.data[i]) >= 0;
	if (!digits || (text.length != 32 && text.length != 40 &&
			   text.length != 64 && text.length != 128)) {
		*problem_out =
		    "not a hash (32, 40, 64 or 128 hexadecimal digits)";
		return (struct slice){ 0 };
	}
	return utf8_fold_slice(list->arena, text);
}

/* The key of an entry; NULL data with *problem_out set, or at the ceiling. */
static struct slice
entry_key(struct value_list *list, struct slice text, const char **problem_out)
{
	struct slice key = { 0 };

	switch (list->type) {
	case LIST_DOMAINS:
		return domain_entry_key(list, text, problem_out);
	case LIST_ADDRESSES:
		return address_entry_key(list, text, problem_out);
	case LIST_NETWORKS:
		return network_entry_key(list, text, problem_out);
	case LIST_HASHES:
		return hash_entry_key(list, text, problem_out);
	case LIST_STRINGS:
		break;
	}
	key = utf8_fold_slice(list->arena, text);
	if (key.length > STRING_BYTES_MAX) {
		*problem_out = "longer than 1000 bytes";
		return (struct slice){ 0 };
	}
	return key;
}

/* The entry under this key with the same text (strings differ by case). */
static struct entry *
same_text(struct entry *entry, struct slice text)
{
	for (; entry != NULL; entry = entry->same)
		if (slice_equal(entry->text, text))
			return entry;
	return NULL;
}

enum tc_status
value_list_add(struct value_list *list, struct slice text, int64_t expires,
    const char **problem_out)
{
	struct entry *entry, *first, **slot;
	struct slice key;

	*problem_out = "";
	if (text.length == 0) {
		*problem_out = "an empty value";
		return TC_INVALID;
	}
	text = compose_slice(list->arena, arena_copy(list->arena, text));
	key = text.data == NULL ? text : entry_key(list, text, problem_out);
	if (key.data == NULL)
		return **problem_out == '\0' ? TC_LIMIT : TC_INVALID;
	first = table_get(&list->keys, key);
	entry = same_text(first, text);
	if (entry != NULL) {
		if (entry->expires != 0 &&
		    (expires == 0 || expires > entry->expires))
			entry->expires = expires;
		return TC_OK;
	}
	entry = arena_alloc(list->arena, sizeof *entry);
	slot = list_append(list->arena, &list->entries, VALUE_LIST_ENTRIES_MAX);
	if (entry == NULL || slot == NULL)
		return TC_LIMIT;
	*slot = entry;
	entry->text = text;
	entry->expires = expires;
	if (expires != 0) {
		slot = list_append(
		    list->arena, &list->ending, VALUE_LIST_ENTRIES_MAX);
		if (slot == NULL)
			return TC_LIMIT;
		*slot = entry;
	}
	entry->same = first;
	return table_put(&list->keys, key, entry) ? TC_OK : TC_LIMIT;
}

/* Takes "# why" off the end: a # at the start or after a blank. */
static struct slice
without_comment(struct slice line)
{
	for (size_t i = 0; i < line.length; i++)
		if (line.data[i] == '#' &&
		    (i == 0 || ascii_is_space(line.data[i - 1])))
			return slice_range(line, 0, i);
	return line;
}

/* Splits `VALUE until TIME`; true unless the time is none. */
static bool
split_until(struct slice *value, int64_t *expires_out)
{
	static const struct slice word = { " until ", 7 };
	size_t at;
	struct slice moment;

	*expires_out = 0;
	at = slice_find(*value, word);
	if (at == SIZE_MAX)
		return true;
	moment = slice_trim(slice_skip(*value, at + word.length));
	*value = slice_trim(slice_range(*value, 0, at));
	return moment_parse(moment, true, expires_out);
}

bool
value_list_read(struct value_list *list, const struct diag_source *source,
    struct diag *diag)
{
	struct slice rest = source->text;
	bool good = true;

	if (slice_starts_with(rest, SLICE_LITERAL("\xef\xbb\xbf")))
		rest = slice_skip(rest, 3);
	while (rest.length > 0) {
		struct slice line, value;
		const char *problem = "";
		int64_t expires;
		size_t offset = (size_t)(rest.data - source->text.data);

		rest = slice_split(rest, '\n', &line);
		value = slice_trim(without_comment(line));
		if (value.length == 0)
			continue;
		if (line.length > LINE_BYTES_MAX)
			problem = "the line is too long";
		else if (!split_until(&value, &expires))
			problem = "no time after until (2026-12-24 or "
				  "2026-12-24T10:00:00Z)";
		else if (value_list_add(list, value, expires, &problem) ==
			 TC_LIMIT)
			problem = "the list is too large";
		if (*problem == '\0')
			continue;
		offset +=
		    value.data == NULL ? 0 : (size_t)(value.data - line.data);
		diag_at(diag, DIAG_ERROR, source, offset, "list %s: %s",
		    list->name, problem);
		good = false;
	}
	return good;
}

enum value_list_type
value_list_type_of(const struct value_list *list)
{
	return list->type;
}

const char *
value_list_name(const struct value_list *list)
{
	return list->name;
}

size_t
value_list_count(const struct value_list *list)
{
	return list->entries.count;
}

struct slice
value_list_entry(const struct value_list *list, size_t i, int64_t *expires_out)
{
	if (expires_out != NULL)
		*expires_out = list->entries.items[i]->expires;
	return list->entries.items[i]->text;
}

size_t
value_list_ending_count(const struct value_list *list)
{
	return list->ending.count;
}

struct slice
value_list_ending(const struct value_list *list, size_t i, int64_t *expires_out)
{
	*expires_out = list->ending.items[i]->expires;
	return list->ending.items[i]->text;
}

static bool
holds(const struct value_list *list, struct slice key, int64_t now)
{
	const struct entry *entry = table_get(&list->keys, key);

	for (; entry != NULL; entry = entry->same)
		if (entry->expires == 0 || now < entry->expires)
			return true;
	return false;
}

bool
value_list_has_domain(
    const struct value_list *list, struct slice domain, int64_t now)
{
	return list->type == LIST_DOMAINS && holds(list, domain, now);
}

bool
value_list_covers_domain(
    const struct value_list *list, struct slice domain, int64_t now)
{
	if (list->type != LIST_DOMAINS)
		return false;
	for (; domain.length > 0; domain = domain_parent(domain))
		if (holds(list, domain, now))
			return true;
	return false;
}

bool
value_list_has_address(
    const struct value_list *list, struct slice address, int64_t now)
{
	size_t at;

	if (list->type != LIST_ADDRESSES)
		return false;
	if (holds(list, address, now))
		return true;
	at = slice_find_last_byte(address, '@');
	return at != SIZE_MAX && holds(list, slice_skip(address, at), now);
}

bool
value_list_has_ip(
    const struct value_list *list, const struct ipaddr *ip, int64_t now)
{
	if (list->type != LIST_NETWORKS)
		return false;
	for (unsigned length = 0; length < PREFIX_LENGTHS; length++) {
		struct network_key key;

		if (list->prefix_lengths[length] &&
		    holds(list, network_key(ip, length, &key), now))
			return true;
	}
	return false;
}

/* Keys of strings are folded with a buffer on the stack where they fit. */
static bool
has_folded(
    const struct value_list *list, struct slice text, bool exactly, int64_t now)
{
	char buffer[STRING_BYTES_MAX + 24];
	size_t length = 0;
	struct slice rest = text, key;
	const struct entry *entry;

	while (rest.length > 0) {
		struct slice before = rest;
		bool valid;
		uint32_t c = utf8_next(&rest, &valid);

		if (length + 4 > sizeof buffer)
			return false; /* longer than any entry may be */
		if (valid)
			length += utf8_encode(utf8_fold(c), buffer + length);
		else
			buffer[length++] = before.data[0];
	}
	key = slice_make(buffer, length);
	if (!exactly)
		return holds(list, key, now);
	for (entry = table_get(&list->keys, key); entry != NULL;
	     entry = entry->same)
		if (slice_equal(entry->text, text) &&
		    (entry->expires == 0 || now < entry->expires))
			return true;
	return false;
}

bool
value_list_has_string(
    const struct value_list *list, struct slice text, bool exactly, int64_t now)
{
	if (list->type != LIST_STRINGS && list->type != LIST_HASHES)
		return false;
	return has_folded(list, text, exactly, now);
}

struct occurrence_index *
value_list_index(struct arena *arena, const struct value_list *list)
{
	return occurrence_index_new(arena, &list->keys);
}

/* What a word that stands in the folded text is asked next. */
struct question {
	const struct value_list *list;
	struct slice text; /* as it is */
	bool exactly;
	int64_t now;
};

/* Is one of the entries under this key in force, and there as written? */
static bool
counts(void *context, size_t word)
{
	const struct question *question = context;
	const struct entry *entry = question->list->keys.entries[word].value;

	for (; entry != NULL; entry = entry->same)
		if ((entry->expires == 0 || question->now < entry->expires) &&
		    (!question->exactly ||
			slice_find(question->text, entry->text) != SIZE_MAX))
			return true;
	return false;
}

bool
value_list_occurs_in(const struct value_list *list,
    const struct occurrence_index *index, struct slice text,
    struct slice folded, bool exactly, int64_t now)
{
	struct question question = { list, text, exactly, now };

	if (index != NULL)
		return occurrence_find(index, folded, counts, &question);
	for (size_t i = 0; i < list->keys.count; i++)
		if (slice_find(folded, list->keys.entries[i].key) != SIZE_MAX &&
		    counts(&question, i))
			return true;
	return false;
}

static const char *const type_names[] = { "domains", "addresses", "networks",
	"hashes", "strings" };

const char *
value_list_type_name(enum value_list_type type)
{
	return type_names[type];
}

bool
value_list_type_parse(struct slice word, enum value_list_type *type_out)
{
	for (unsigned i = 0; i < sizeof type_names / sizeof *type_names; i++)
		if (slice_equal_text(word, type_names[i])) {
			*type_out = (enum value_list_type)i;
			return true;
		}
	return false;
}
