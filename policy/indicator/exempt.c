#include <config.h>

#include <errno.h>
#include <pcre2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/builder.h"
#include "base/domain.h"
#include "base/list.h"
#include "indicator/exempt.h"
#include "indicator/normal.h"
#include "indicator/store_format.h"
#include "indicator/warninglist.h"

#define PROBLEMS_MAX      1000u
#define SCRATCH_BYTES_MAX (1u << 20)
#define BROKEN_SHOWN      3u /* of one list */
#define SHORT_TEXT        4u /* names and subjects below this match anything */

struct exempt_list {
	const char *name;
	bool hostname;  /* MISP's "hostname": with all below, under its rule */
	uint32_t kinds; /* of which its regular expressions speak */
};

/* A key of some list; `parent`: an entry lies below it. */
struct exempt_key {
	struct slice key;
	uint32_t hash;
	uint16_t list;
	uint8_t kind;
	bool parent;
};

struct exempt_network {
	struct ipaddr_network network;
	uint16_t list;
};

struct exempt_expression {
	pcre2_code *code;
	uint16_t list;
	uint64_t stopped; /* values that took more than the steps allowed */
};

/* What one pin has done so far is kept for the report. */
struct pin {
	struct slice key; /* empty: none of its kind */
	enum indicator_kind kind;
	uint64_t used;
	const char *reason;
};

struct exempt {
	struct arena *arena;
	struct arena *scratch;
	LIST_OF(struct exempt_list) lists;
	LIST_OF(const char *) problems;
	LIST_OF(struct exempt_network) networks; /* sorted by address */
	LIST_OF(struct exempt_expression) expressions;
	uint32_t prefix_lengths[5]; /* bit n: some entry has length n */
	struct exempt_key *slots;
	size_t slot_count, key_count, entry_count, broken_count;
	uint64_t seed;
	pcre2_match_data *match_data;
	pcre2_match_context *match_context;
	LIST_OF(struct slice) own_domains;
	LIST_OF(struct ipaddr_network) own_networks;
	struct pin *pins; /* as many as configured */
	size_t pin_count;
	bool misp_rule;
	struct exempt_limits limits;
};

/* ---------------------------------------------------------------------- keys */

static bool
keys_grow(struct exempt *exempt)
{
	size_t count = exempt->slot_count == 0 ? 4096 : exempt->slot_count * 2;
	struct exempt_key *slots = calloc(count, sizeof *slots);

	if (slots == NULL)
		return false;
	for (size_t i = 0; i < exempt->slot_count; i++) {
		size_t at = exempt->slots[i].hash & (count - 1);

		if (exempt->slots[i].key.data == NULL)
			continue;
		while (slots[at].key.data != NULL)
			at = (at + 1) & (count - 1);
		slots[at] = exempt->slots[i];
	}
	free(exempt->slots);
	exempt->slots = slots;
	exempt->slot_count = count;
	return true;
}

/* The slot of a key, or the free one where it would go. */
static struct exempt_key *
key_slot(
    const struct exempt *exempt, enum indicator_kind kind, struct slice key)
{
	uint32_t hash = (uint32_t)format_hash(exempt->seed, kind, key);
	size_t at;

	if (exempt->slot_count == 0)
		return NULL;
	at = hash & (exempt->slot_count - 1);
	while (exempt->slots[at].key.data != NULL) {
		if (exempt->slots[at].hash == hash &&
		    exempt->slots[at].kind == kind &&
		    slice_equal(exempt->slots[at].key, key))
			return &exempt->slots[at];
		at = (at + 1) & (exempt->slot_count - 1);
	}
	exempt->slots[at].hash = hash;
	return &exempt->slots[at];
}

/* Enters a key whose octets last; an entry counts before a parent. */
static bool
key_add(struct exempt *exempt, enum indicator_kind kind, struct slice key,
    uint16_t list, bool parent)
{
	struct exempt_key *slot;

	if (exempt->key_count * 2 >= exempt->slot_count && !keys_grow(exempt))
		return false;
	slot = key_slot(exempt, kind, key);
	if (slot->key.data != NULL) {
		if (slot->parent && !parent) {
			slot->parent = false;
			slot->list = list;
		}
		return true;
	}
	slot->key = key;
	slot->kind = (uint8_t)kind;
	slot->list = list;
	slot->parent = parent;
	exempt->key_count++;
	return true;
}

static const struct exempt_key *
key_find(
    const struct exempt *exempt, enum indicator_kind kind, struct slice key)
{
	const struct exempt_key *slot = key_slot(exempt, kind, key);

	return slot == NULL || slot->key.data == NULL ? NULL : slot;
}

/* ------------------------------------------------------------------- reading */

static bool
add_name(struct exempt *exempt, struct slice key, uint16_t list)
{
	key = arena_copy(exempt->arena, key);
	if (key.data == NULL ||
	    !key_add(exempt, INDICATOR_DOMAIN, key, list, false))
		return false;
	for (key = domain_parent(key); key.length > 0; key = domain_parent(key))
		if (!key_add(exempt, INDICATOR_DOMAIN, key, list, true))
			return false;
	return true;
}

static bool
add_network(struct exempt *exempt, struct slice key, uint16_t list)
{
	struct exempt_network *entry =
	    list_append(exempt->arena, &exempt->networks, SIZE_MAX);

	if (entry == NULL)
		return false;
	memcpy(entry->network.address.octets, key.data, 16);
	entry->network.prefix_length = (uint8_t)key.data[16];
	entry->list = list;
	exempt->prefix_lengths[entry->network.prefix_length / 32] |=
	    1u << entry->network.prefix_length % 32;
	key = arena_copy(exempt->arena, key);
	return key.data != NULL &&
	       key_add(exempt, INDICATOR_NETWORK, key, list, false);
}

static void
note_problem(struct exempt *exempt, const char *path, const char *why)
{
	const char **slot = why == NULL ? NULL
					: list_append(exempt->arena,
					      &exempt->problems, PROBLEMS_MAX);

	if (slot != NULL)
		*slot = arena_printf(exempt->arena, "%s: %s", path, why);
}

/* One list on its way in. */
struct reading {
	struct exempt *exempt;
	const char *path;
	struct warninglist list;
	uint16_t number;
	size_t broken, beyond_entries, beyond_regexes;
};

/* Counts an entry that is of no use and, of the first few, says which. */
static void
note_broken(struct reading *reading, struct slice text, const char *why)
{
	struct exempt *exempt = reading->exempt;
	struct builder shown = builder_make(exempt->arena, 200);

	exempt->broken_count++;
	if (reading->broken++ >= BROKEN_SHOWN)
		return;
	builder_printable(&shown, text, 60);
	note_problem(exempt, reading->path,
	    arena_printf(exempt->arena, "entry %zu, \"%s\", is left out: %s",
		reading->list.number, builder_c_string(&shown), why));
}

/* "/EXPRESSION/flags" or a bare one. */
static void
add_expression(struct reading *reading, struct slice text)
{
	struct exempt *exempt = reading->exempt;
	uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF;
	struct exempt_expression *entry;
	size_t end = slice_find_last_byte(text, '/'), offset;
	struct slice whole = text;
	PCRE2_UCHAR message[120];
	pcre2_code *code;
	int error;

	if (exempt->expressions.count >= exempt->limits.regexes_max) {
		reading->beyond_regexes++;
		return;
	}
	if (text.length > 2 && text.data[0] == '/' && end > 0 &&
	    end != SIZE_MAX) {
		if (slice_find_byte(slice_skip(text, end), 'i') != SIZE_MAX)
			options |= PCRE2_CASELESS;
		text = slice_range(text, 1, end);
	}
	code = pcre2_compile(
	    (PCRE2_SPTR)text.data, text.length, options, &error, &offset, NULL);
	if (code == NULL) {
		(void)pcre2_get_error_message(error, message, sizeof message);
		note_broken(reading, whole,
		    arena_printf(exempt->arena, "%s, behind \"%.*s\"",
			(const char *)message, (int)(offset < 40 ? offset : 40),
			text.data));
		return;
	}
	entry = list_append(exempt->arena, &exempt->expressions, SIZE_MAX);
	if (entry == NULL) {
		pcre2_code_free(code);
		return;
	}
	*entry =
	    (struct exempt_expression){ .code = code, .list = reading->number };
	exempt->entry_count++;
}

/* False without memory. */
static bool
add_key(struct reading *reading, const struct warninglist_entry *entry)
{
	struct exempt *exempt = reading->exempt;
	struct slice key = entry->key;

	if (exempt->entry_count >= exempt->limits.entries_max) {
		reading->beyond_entries++;
		return true;
	}
	exempt->entry_count++;
	if (entry->kind == INDICATOR_DOMAIN)
		return add_name(exempt, key, reading->number);
	if (entry->kind == INDICATOR_NETWORK)
		return add_network(exempt, key, reading->number);
	key = arena_copy(exempt->arena, key);
	return key.data != NULL &&
	       key_add(exempt, entry->kind, key, reading->number, false);
}

static bool
read_entries(struct reading *reading)
{
	struct warninglist_entry entry;

	while (warninglist_next(
	    &reading->list, reading->exempt->scratch, &entry)) {
		switch (entry.state) {
		case WARNINGLIST_KEY:
			if (!add_key(reading, &entry))
				return false;
			break;
		case WARNINGLIST_EXPRESSION:
			add_expression(reading, entry.text);
			break;
		case WARNINGLIST_BROKEN:
			note_broken(reading, entry.text, entry.why);
			break;
		case WARNINGLIST_OTHER:
			break;
		}
	}
	return true;
}

/* Says what of a list does not count, beside the first broken entries. */
static void
note_losses(struct reading *reading)
{
	struct exempt *exempt = reading->exempt;

	if (reading->broken > BROKEN_SHOWN)
		note_problem(exempt, reading->path,
		    arena_printf(exempt->arena,
			"and %zu more entries are left out",
			reading->broken - BROKEN_SHOWN));
	if (reading->beyond_entries > 0)
		note_problem(exempt, reading->path,
		    arena_printf(exempt->arena,
			"%zu entries are too many for limits { "
			"warninglist-entries %u }; a higher one takes them",
			reading->beyond_entries, exempt->limits.entries_max));
	if (reading->beyond_regexes > 0)
		note_problem(exempt, reading->path,
		    arena_printf(exempt->arena,
			"%zu entries are too many for limits { "
			"warninglist-regexes %u }; a higher one takes them",
			reading->beyond_regexes, exempt->limits.regexes_max));
}

/* Returns why the file is of no use, or NULL. */
static const char *
read_list(struct exempt *exempt, const char *path, struct slice bytes)
{
	struct reading reading = { .exempt = exempt, .path = path };
	const char *problem =
	    warninglist_open(exempt->arena, bytes, &reading.list);
	struct exempt_list *list;

	if (problem != NULL)
		return problem;
	if (exempt->lists.count >= exempt->limits.lists_max)
		return arena_printf(exempt->arena,
		    "is one too many for limits { warninglist-files %u }; a "
		    "higher one takes it",
		    exempt->limits.lists_max);
	list = list_append(exempt->arena, &exempt->lists, UINT16_MAX);
	if (list == NULL)
		return "finds no memory";
	*list = (struct exempt_list){ .name = reading.list.name,
		.hostname = reading.list.hostname,
		.kinds = reading.list.kinds };
	reading.number = (uint16_t)(exempt->lists.count - 1);
	if (!read_entries(&reading))
		return "finds no memory";
	note_losses(&reading);
	return reading.list.entries.broken ? "ends in the middle" : NULL;
}

static const char *
too_large(const struct exempt *exempt)
{
	return arena_printf(exempt->arena,
	    "is too large for limits { warninglist-size %zu }; a higher one "
	    "takes it",
	    exempt->limits.list_bytes_max);
}

static void
read_list_file(void *context, const char *path)
{
	struct exempt *exempt = context;
	FILE *file = fopen(path, "rbe");
	struct stat info;
	const char *problem = NULL;
	char *bytes = NULL;
	size_t size;

	if (file == NULL || fstat(fileno(file), &info) != 0) {
		problem = strerror(errno);
	} else if (!S_ISREG(info.st_mode)) {
		problem = "is no file";
	} else if ((uint64_t)info.st_size > exempt->limits.list_bytes_max) {
		problem = too_large(exempt);
	} else {
		bytes = malloc((size_t)info.st_size + 1);
		size = bytes == NULL
			   ? 0
			   : fread(bytes, 1, (size_t)info.st_size, file);
		problem = read_list(exempt, path, slice_make(bytes, size));
	}
	note_problem(exempt, path, problem);
	free(bytes);
	if (file != NULL)
		fclose(file);
}

static void
read_lists(struct exempt *exempt, const struct exempt_config *config)
{
	for (size_t i = 0; i < config->warninglist_count; i++)
		if (!warninglist_each_file(
			config->warninglists[i], read_list_file, exempt) &&
		    !config->warninglists_optional)
			note_problem(
			    exempt, config->warninglists[i], "names no file");
}

static int
compare_networks(const void *left, const void *right)
{
	const struct exempt_network *a = left, *b = right;

	return memcmp(a->network.address.octets, b->network.address.octets, 16);
}

static bool
copy_own(struct exempt *exempt, const struct exempt_config *config)
{
	for (size_t i = 0; i < config->own_domain_count; i++) {
		struct slice *own =
		    list_append(exempt->arena, &exempt->own_domains, SIZE_MAX);

		if (own == NULL)
			return false;
		*own = arena_copy(exempt->arena, config->own_domains[i]);
	}
	for (size_t i = 0; i < config->own_network_count; i++) {
		struct ipaddr_network *own =
		    list_append(exempt->arena, &exempt->own_networks, SIZE_MAX);

		if (own == NULL)
			return false;
		*own = config->own_networks[i];
	}
	exempt->pins = arena_alloc_array(
	    exempt->arena, config->pin_count + 1, sizeof *exempt->pins);
	if (exempt->pins == NULL)
		return false;
	for (size_t i = 0; i < config->pin_count; i++) {
		struct pin *pin = &exempt->pins[exempt->pin_count++];

		*pin = (struct pin){ .kind = config->pins[i].kind };
		if (normal_key(exempt->arena, pin->kind, config->pins[i].value,
			&pin->key) != NORMAL_GOOD)
			pin->key = slice_make("", 0);
	}
	return true;
}

static struct exempt_limits
with_defaults(const struct exempt_limits *set)
{
	struct exempt_limits limits = exempt_limits_defaults();

	if (set->list_bytes_max != 0)
		limits = *set;
	return limits;
}

struct exempt_limits
exempt_limits_defaults(void)
{
	return (struct exempt_limits){
		.list_bytes_max = 64000000,
		.lists_max = 1000,
		.entries_max = 20000000,
		.regexes_max = 1000,
		.regex_steps_max = 100000,
	};
}

struct exempt *
exempt_new(const struct exempt_config *config)
{
	struct exempt *exempt = calloc(1, sizeof *exempt);

	if (exempt == NULL)
		return NULL;
	exempt->arena = arena_new(0, NULL);
	exempt->scratch = arena_new(SCRATCH_BYTES_MAX, NULL);
	exempt->match_data = pcre2_match_data_create(1, NULL);
	exempt->match_context = pcre2_match_context_create(NULL);
	exempt->misp_rule = config->misp_hostname_rule;
	exempt->limits = with_defaults(&config->limits);
	exempt->seed = (uint64_t)(uintptr_t)exempt;
	if (exempt->arena == NULL || exempt->scratch == NULL ||
	    exempt->match_data == NULL || exempt->match_context == NULL ||
	    !copy_own(exempt, config)) {
		exempt_free(&exempt);
		return NULL;
	}
	pcre2_set_match_limit(
	    exempt->match_context, exempt->limits.regex_steps_max);
	read_lists(exempt, config);
	if (exempt->networks.count > 1)
		qsort(exempt->networks.items, exempt->networks.count,
		    sizeof *exempt->networks.items, compare_networks);
	return exempt;
}

void
exempt_free(struct exempt **exempt)
{
	struct exempt *old = *exempt;

	*exempt = NULL;
	if (old == NULL)
		return;
	for (size_t i = 0; i < old->expressions.count; i++)
		pcre2_code_free(old->expressions.items[i].code);
	pcre2_match_data_free(old->match_data);
	pcre2_match_context_free(old->match_context);
	arena_free(&old->scratch);
	arena_free(&old->arena);
	free(old->slots);
	free(old);
}

struct exempt_counts
exempt_counts(const struct exempt *exempt)
{
	return (struct exempt_counts){ .lists = exempt->lists.count,
		.entries = exempt->entry_count,
		.broken = exempt->broken_count };
}

uint64_t
exempt_stopped_count(const struct exempt *exempt)
{
	uint64_t count = 0;

	for (size_t i = 0; i < exempt->expressions.count; i++)
		count += exempt->expressions.items[i].stopped;
	return count;
}

const char *
exempt_problem(const struct exempt *exempt, size_t number)
{
	return number < exempt->problems.count ? exempt->problems.items[number]
					       : NULL;
}

/* ------------------------------------------------------------------- judging */

static struct exempt_verdict
refused(const char *reason)
{
	return (struct exempt_verdict){ .exempted = true, .reason = reason };
}

/* What nobody can mean. */
static struct exempt_verdict
refused_for_good(const char *reason)
{
	return (struct exempt_verdict){
		.exempted = true, .never = true, .reason = reason
	};
}

static struct exempt_verdict
listed(const struct exempt *exempt, uint16_t list)
{
	return (struct exempt_verdict){ .exempted = true,
		.by_warninglist = true,
		.reason = exempt->lists.items[list].name };
}

static const struct exempt_verdict not_exempted;

static struct exempt_verdict
judge_broad_domain(const struct exempt *exempt, struct slice name)
{
	if (slice_find_byte(name, '.') == SIZE_MAX)
		return refused_for_good("is a top-level or local name");
	if (domain_is_public_suffix(name))
		return refused("is a public suffix: names of many owners lie "
			       "below it");
	for (size_t i = 0; i < exempt->own_domains.count; i++) {
		struct slice own = exempt->own_domains.items[i];

		if (domain_is_under(own, name) || domain_is_under(name, own))
			return refused("is one of our own domains");
	}
	return not_exempted;
}

static struct exempt_verdict
judge_broad_network(
    const struct exempt *exempt, const struct ipaddr_network *network)
{
	bool v4 =
	    ipaddr_is_v4(&network->address) && network->prefix_length >= 96;
	unsigned length = network->prefix_length - (v4 ? 96u : 0);

	if (length <= (v4 ? 8u : 16u))
		return refused_for_good("is a network of too many addresses");
	if (ipaddr_is_loopback(&network->address))
		return refused("is the loopback address");
	if (ipaddr_is_special(&network->address))
		return refused("is a private or reserved network");
	for (size_t i = 0; i < exempt->own_networks.count; i++) {
		const struct ipaddr_network *own =
		    &exempt->own_networks.items[i];

		if (ipaddr_in_network(&own->address, network) ||
		    ipaddr_in_network(&network->address, own))
			return refused("is or holds one of our own networks");
	}
	return not_exempted;
}

/* Of files of nothing, or of one line end, as empty texts of mail are. */
static struct exempt_verdict
judge_broad_digest(enum indicator_kind kind, struct slice key)
{
	static const char *const digests[][INDICATOR_KINDS] = {
		{
		    [INDICATOR_MD5] = "\xd4\x1d\x8c\xd9\x8f\x00\xb2\x04",
		    [INDICATOR_SHA1] = "\xda\x39\xa3\xee\x5e\x6b\x4b\x0d",
		    [INDICATOR_SHA256] = "\xe3\xb0\xc4\x42\x98\xfc\x1c\x14",
		    [INDICATOR_SHA512] = "\xcf\x83\xe1\x35\x7e\xef\xb8\xbd",
		},
		{
		    [INDICATOR_MD5] = "\x68\xb3\x29\xda\x98\x93\xe3\x40",
		    [INDICATOR_SHA1] = "\xad\xc8\x3b\x19\xe7\x93\x49\x1b",
		    [INDICATOR_SHA256] = "\x01\xba\x47\x19\xc8\x0b\x6f\xe9",
		    [INDICATOR_SHA512] = "\xbe\x68\x88\x38\xca\x86\x86\xe5",
		},
		{
		    [INDICATOR_MD5] = "\x81\x05\x1b\xcc\x2c\xf1\xbe\xdf",
		    [INDICATOR_SHA1] = "\xba\x8a\xb5\xa0\x28\x0b\x95\x3a",
		    [INDICATOR_SHA256] = "\x7e\xb7\x02\x57\x59\x3d\xa0\x6f",
		    [INDICATOR_SHA512] = "\x1b\x30\x2a\x2f\x1e\x62\x4a\x5f",
		},
	};

	/* Eight octets of a digest say enough. */
	for (size_t i = 0; i < sizeof digests / sizeof digests[0]; i++)
		if (key.length >= 8 &&
		    memcmp(key.data, digests[i][kind], 8) == 0)
			return refused(
			    i == 0 ? "is the digest of the empty file"
				   : "is the digest of a file of one line end");
	return not_exempted;
}

static bool
key_network(struct slice key, struct ipaddr_network *network_out)
{
	if (key.length != 17)
		return false;
	memcpy(network_out->address.octets, key.data, 16);
	network_out->prefix_length = (uint8_t)key.data[16];
	return network_out->prefix_length <= 128;
}

static struct exempt_verdict
judge_broad_url(const struct exempt *exempt, struct slice key)
{
	struct slice host = normal_url_key_host(key);
	/* The page at the root stands for all of the host. */
	bool whole =
	    key.length == host.length + 1 && key.data[host.length] == '/';
	struct ipaddr address;

	if (host.length > 2 && host.data[0] == '[')
		host = slice_range(host, 1, host.length - 1);
	if (ipaddr_parse(host, &address))
		return ipaddr_is_special(&address)
			   ? refused(
				 "is a URL at a private or reserved address")
			   : not_exempted;
	return whole ? judge_broad_domain(exempt, host) : not_exempted;
}

bool
exempt_is_own_url(const struct exempt *exempt, struct slice key)
{
	struct slice host = normal_url_key_host(key);

	for (size_t i = 0; i < exempt->own_domains.count; i++)
		if (domain_is_under(host, exempt->own_domains.items[i]))
			return true;
	return false;
}

static struct exempt_verdict
judge_broad_address(const struct exempt *exempt, struct slice key)
{
	struct slice domain =
	    slice_skip(key, slice_find_last_byte(key, '@') + 1);

	for (size_t i = 0; i < exempt->own_domains.count; i++)
		if (domain_is_under(domain, exempt->own_domains.items[i]))
			return refused("is an address of our own");
	if (key.data[0] == '@')
		return judge_broad_domain(exempt, domain);
	return not_exempted;
}

static struct exempt_verdict
judge_broad(
    const struct exempt *exempt, enum indicator_kind kind, struct slice key)
{
	struct ipaddr_network network;

	switch (kind) {
	case INDICATOR_DOMAIN:
		return judge_broad_domain(exempt, key);
	case INDICATOR_ADDRESS:
		return judge_broad_address(exempt, key);
	case INDICATOR_NETWORK:
		if (key_network(key, &network))
			return judge_broad_network(exempt, &network);
		break;
	case INDICATOR_URL:
		return judge_broad_url(exempt, key);
	case INDICATOR_MD5:
	case INDICATOR_SHA1:
	case INDICATOR_SHA256:
	case INDICATOR_SHA512:
		return judge_broad_digest(kind, key);
	case INDICATOR_FILENAME:
	case INDICATOR_SUBJECT:
	case INDICATOR_MAILER:
		if (key.length < SHORT_TEXT)
			return refused("is too short to mean anything");
		break;
	case INDICATOR_MESSAGE_ID:
	case INDICATOR_PATTERN:
	case INDICATOR_YARA:
	case INDICATOR_KINDS:
		break;
	}
	return not_exempted;
}

static struct exempt_verdict
judge_expressions(
    const struct exempt *exempt, enum indicator_kind kind, struct slice text)
{
	for (size_t i = 0; i < exempt->expressions.count; i++) {
		struct exempt_expression *entry = &exempt->expressions.items[i];
		int found;

		if (!(exempt->lists.items[entry->list].kinds &
			INDICATOR_KIND_BIT(kind)))
			continue;
		found =
		    pcre2_match(entry->code, (PCRE2_SPTR)text.data, text.length,
			0, 0, exempt->match_data, exempt->match_context);
		if (found >= 0)
			return listed(exempt, entry->list);
		entry->stopped += found == PCRE2_ERROR_MATCHLIMIT;
	}
	return not_exempted;
}

static struct exempt_verdict
judge_listed_domain(const struct exempt *exempt, struct slice name)
{
	const struct exempt_key *found =
	    key_find(exempt, INDICATOR_DOMAIN, name);

	if (found != NULL)
		return listed(exempt, found->list);
	if (!exempt->misp_rule)
		return not_exempted;
	for (name = domain_parent(name); name.length > 0;
	     name = domain_parent(name)) {
		found = key_find(exempt, INDICATOR_DOMAIN, name);
		if (found != NULL && !found->parent &&
		    exempt->lists.items[found->list].hostname)
			return listed(exempt, found->list);
	}
	return not_exempted;
}

/* Inside an entry, or around one. */
static struct exempt_verdict
judge_listed_network(
    const struct exempt *exempt, const struct ipaddr_network *network)
{
	size_t low = 0, high = exempt->networks.count;

	for (unsigned length = 0; length <= network->prefix_length; length++) {
		const struct exempt_key *found;
		struct ipaddr masked;
		char key[17];

		if (!(exempt->prefix_lengths[length / 32] & 1u << length % 32))
			continue;
		masked = ipaddr_mask(&network->address, length);
		memcpy(key, masked.octets, 16);
		key[16] = (char)length;
		found = key_find(
		    exempt, INDICATOR_NETWORK, slice_make(key, sizeof key));
		if (found != NULL)
			return listed(exempt, found->list);
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(
			exempt->networks.items[middle].network.address.octets,
			network->address.octets, 16) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < exempt->networks.count &&
	    ipaddr_in_network(
		&exempt->networks.items[low].network.address, network))
		return listed(exempt, exempt->networks.items[low].list);
	return not_exempted;
}

/* A URL is the list's when it is listed itself, or stands for a whole host
 * that is. */
static struct exempt_verdict
judge_listed_url(const struct exempt *exempt, struct slice key)
{
	const struct exempt_key *found = key_find(exempt, INDICATOR_URL, key);
	struct slice host = normal_url_key_host(key);

	if (found != NULL)
		return listed(exempt, found->list);
	if (key.length == host.length + 1 && key.data[host.length] == '/') {
		struct exempt_verdict verdict =
		    judge_listed_domain(exempt, host);

		return verdict.exempted
			   ? verdict
			   : judge_expressions(exempt, INDICATOR_DOMAIN, host);
	}
	return not_exempted;
}

/* @DOMAIN stands for all addresses of a domain, which is listed by its name. */
static struct exempt_verdict
judge_listed_address(const struct exempt *exempt, struct slice key)
{
	const struct exempt_key *found =
	    key_find(exempt, INDICATOR_ADDRESS, key);
	struct slice domain = slice_skip(key, 1);
	struct exempt_verdict verdict;

	if (found != NULL)
		return listed(exempt, found->list);
	if (key.data[0] != '@')
		return not_exempted;
	verdict = judge_listed_domain(exempt, domain);
	return verdict.exempted
		   ? verdict
		   : judge_expressions(exempt, INDICATOR_DOMAIN, domain);
}

static struct pin *
pin_of(const struct exempt *exempt, enum indicator_kind kind, struct slice key)
{
	for (size_t i = 0; i < exempt->pin_count; i++)
		if (exempt->pins[i].kind == kind &&
		    slice_equal(exempt->pins[i].key, key))
			return &exempt->pins[i];
	return NULL;
}

bool
exempt_pin_use(const struct exempt *exempt, size_t number, uint64_t *count_out,
    const char **reason_out)
{
	if (number >= exempt->pin_count)
		return false;
	*count_out = exempt->pins[number].used;
	*reason_out = exempt->pins[number].reason;
	return true;
}

static struct exempt_verdict
judge_unpinned(
    const struct exempt *exempt, enum indicator_kind kind, struct slice key)
{
	struct exempt_verdict verdict;
	struct ipaddr_network network;
	const struct exempt_key *found;

	verdict = judge_broad(exempt, kind, key);
	if (verdict.exempted)
		return verdict;
	if (kind == INDICATOR_NETWORK)
		return key_network(key, &network)
			   ? judge_listed_network(exempt, &network)
			   : not_exempted;
	if (kind == INDICATOR_DOMAIN)
		verdict = judge_listed_domain(exempt, key);
	else if (kind == INDICATOR_ADDRESS)
		verdict = judge_listed_address(exempt, key);
	else if (kind == INDICATOR_URL)
		verdict = judge_listed_url(exempt, key);
	else if ((found = key_find(exempt, kind, key)) != NULL)
		verdict = listed(exempt, found->list);
	if (!verdict.exempted && indicator_digest_size(kind) == 0)
		verdict = judge_expressions(exempt, kind, key);
	return verdict;
}

struct exempt_verdict
exempt_judge(
    const struct exempt *exempt, enum indicator_kind kind, struct slice key)
{
	struct exempt_verdict verdict;
	struct pin *pin;

	if ((unsigned)kind >= INDICATOR_KINDS || kind == INDICATOR_PATTERN ||
	    key.length == 0)
		return not_exempted;
	verdict = judge_unpinned(exempt, kind, key);
	pin = verdict.exempted && !verdict.never ? pin_of(exempt, kind, key)
						 : NULL;
	if (pin == NULL)
		return verdict;
	pin->used++;
	pin->reason = verdict.reason;
	return not_exempted;
}
