#include <config.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/builder.h"
#include "base/domain.h"
#include "base/list.h"
#include "base/table.h"
#include "dns/resolver_zone.h"

#define CHAIN_MAX      16
#define ZONE_BYTES_MAX ((size_t)64 << 20)
#define SCRIPT_TTL_S   60

/* What a line says instead of data. */
enum mood {
	MOOD_NONE,
	MOOD_TIMEOUT,
	MOOD_NEVER,
	MOOD_SERVFAIL,
	MOOD_BOGUS,
	MOOD_NXDOMAIN,
	MOOD_NODATA,
	MOOD_DELAY
};

static const char *const mood_words[] = { [MOOD_TIMEOUT] = "TIMEOUT",
	[MOOD_NEVER] = "NEVER",
	[MOOD_SERVFAIL] = "SERVFAIL",
	[MOOD_BOGUS] = "BOGUS",
	[MOOD_NXDOMAIN] = "NXDOMAIN",
	[MOOD_NODATA] = "NODATA",
	[MOOD_DELAY] = "DELAY" };

static const enum dns_type zone_types[] = { DNS_TYPE_A, DNS_TYPE_AAAA,
	DNS_TYPE_CNAME, DNS_TYPE_MX, DNS_TYPE_NS, DNS_TYPE_PTR, DNS_TYPE_TXT,
	DNS_TYPE_SPF };

struct record {
	unsigned type; /* 0 for a mood about all types */
	enum mood mood;
	struct slice rdata;
};

struct node {
	bool listed;    /* stands in the text; else only a parent of one */
	bool denied;    /* NXDOMAIN */
	enum mood mood; /* about the types without data */
	unsigned delay_ms;
	LIST_OF(struct record) records;
};

/* An answer that waits for its time. */
struct late {
	struct late *next;
	uint64_t due_ms; /* UINT64_MAX: never */
	resolver_done done;
	void *context;
	struct dns_reply *reply; /* NULL: never */
};

struct resolver_zone {
	struct resolver base;
	struct arena *arena;
	struct table nodes; /* lower-case name → struct node */
	bool delays;
	bool has_thread;
	pthread_t thread;
	pthread_mutex_t mutex; /* what follows */
	pthread_cond_t changed;
	struct late *late;
	bool stopping;
};

/* Reading a zone text. */
struct reader {
	struct resolver_zone *zone;
	char *problem;
	unsigned line_number;
	struct slice line; /* what is left of it */
	struct slice owner;
	bool failed;
};

static void
reader_fail(struct reader *reader, const char *what)
{
	if (!reader->failed)
		snprintf(reader->problem, RESOLVER_PROBLEM_MAX,
		    "zone line %u: %s", reader->line_number, what);
	reader->failed = true;
}

static void
skip_blanks(struct reader *reader)
{
	struct slice *line = &reader->line;

	while (line->length > 0 && ascii_is_space(line->data[0]))
		*line = slice_skip(*line, 1);
	if (line->length > 0 && (line->data[0] == ';' || line->data[0] == '#'))
		*line = slice_make(NULL, 0);
}

/* The next word, or an empty slice at the end of the line. */
static struct slice
next_word(struct reader *reader)
{
	struct slice line;
	size_t length = 0;

	skip_blanks(reader);
	line = reader->line;
	while (length < line.length && !ascii_is_space(line.data[length]))
		length += line.data[length] == '\\' && length + 1 < line.length
			      ? 2
			      : 1;
	reader->line = slice_skip(line, length);
	return slice_range(line, 0, length);
}

/* Takes one octet, perhaps escaped (\DDD or \X), off the front of *text. */
static bool
next_octet(struct slice *text, char *octet_out, bool *escaped_out)
{
	const char *at = text->data;
	unsigned value;

	*escaped_out = at[0] == '\\';
	if (at[0] != '\\') {
		*octet_out = at[0];
		*text = slice_skip(*text, 1);
		return true;
	}
	if (text->length < 2)
		return false;
	if (!ascii_is_digit(at[1])) {
		*octet_out = at[1];
		*text = slice_skip(*text, 2);
		return true;
	}
	if (text->length < 4 || !ascii_is_digit(at[2]) ||
	    !ascii_is_digit(at[3]))
		return false;
	value = (unsigned)(at[1] - '0') * 100 + (unsigned)(at[2] - '0') * 10 +
		(unsigned)(at[3] - '0');
	*octet_out = (char)value;
	*text = slice_skip(*text, 4);
	return value < 256;
}

/* A name as raw octets; the empty name for ".". */
static bool
read_name(struct reader *reader, struct slice word, struct slice *name_out)
{
	char name[256];
	size_t length = 0;

	if (slice_equal_text(word, ".")) {
		*name_out = slice_make("", 0);
		return true;
	}
	while (word.length > 0) {
		char octet;
		bool escaped;

		if (!next_octet(&word, &octet, &escaped) ||
		    (escaped && octet == '.') || length == sizeof name) {
			reader_fail(reader, "this is no name");
			return false;
		}
		name[length++] = octet;
	}
	if (!dns_name_is_sound(slice_make(name, length))) {
		reader_fail(reader, "this is no name");
		return false;
	}
	if (name[length - 1] == '.')
		length--;
	*name_out = arena_copy(reader->zone->arena, slice_make(name, length));
	return name_out->data != NULL;
}

static void
append_wire_name(struct builder *builder, struct slice name)
{
	while (name.length > 0) {
		struct slice label;

		name = slice_split(name, '.', &label);
		builder_byte(builder, (char)label.length);
		builder_slice(builder, label);
	}
	builder_byte(builder, 0);
}

/* The octets of one quoted or plain word, escapes undone. */
static bool
read_string(struct reader *reader, struct builder *text)
{
	bool quoted, escaped;
	char octet;

	skip_blanks(reader);
	if (reader->line.length == 0)
		return false;
	quoted = reader->line.data[0] == '"';
	if (quoted)
		reader->line = slice_skip(reader->line, 1);
	while (reader->line.length > 0) {
		if (!quoted && ascii_is_space(reader->line.data[0]))
			return true;
		if (!next_octet(&reader->line, &octet, &escaped)) {
			reader_fail(reader, "bad escape in a text");
			return false;
		}
		if (quoted && octet == '"' && !escaped)
			return true;
		builder_byte(text, octet);
	}
	if (quoted)
		reader_fail(reader, "a quoted text has no end");
	return !quoted;
}

static void
read_texts(struct reader *reader, struct builder *rdata)
{
	struct builder text = builder_make(reader->zone->arena, 65535);
	bool any = false;

	for (;;) {
		struct slice left;

		text.length = 0;
		if (!read_string(reader, &text))
			break;
		any = true;
		left = builder_result(&text);
		do {
			struct slice part = slice_range(left, 0, 255);

			builder_byte(rdata, (char)part.length);
			builder_slice(rdata, part);
			left = slice_skip(left, part.length);
		} while (left.length > 0);
	}
	if (!any)
		reader_fail(reader, "a text is missing");
	if (text.failed)
		reader_fail(reader, "a text is too long");
}

static void
read_target(struct reader *reader, struct builder *rdata)
{
	struct slice word = next_word(reader), name;

	if (word.length == 0)
		reader_fail(reader, "a name is missing");
	else if (read_name(reader, word, &name))
		append_wire_name(rdata, name);
}

static void
read_address(struct reader *reader, struct builder *rdata, bool v6)
{
	struct slice word = next_word(reader);
	struct ipaddr address;

	if (!ipaddr_parse(word, &address) ||
	    (!v6 && slice_find_byte(word, ':') != SIZE_MAX) ||
	    (v6 && slice_find_byte(word, ':') == SIZE_MAX)) {
		reader_fail(reader, "this is no address of that kind");
		return;
	}
	if (v6)
		builder_slice(rdata, slice_make(address.octets, 16));
	else
		builder_slice(rdata, slice_make(address.octets + 12, 4));
}

static void
read_mx(struct reader *reader, struct builder *rdata)
{
	unsigned long preference;

	if (!slice_parse_number(next_word(reader), 65535, &preference)) {
		reader_fail(reader, "MX needs a preference and a name");
		return;
	}
	builder_byte(rdata, (char)(preference >> 8));
	builder_byte(rdata, (char)(preference & 255));
	read_target(reader, rdata);
}

static void
read_rdata(struct reader *reader, enum dns_type type, struct builder *rdata)
{
	switch (type) {
	case DNS_TYPE_A:
	case DNS_TYPE_AAAA:
		read_address(reader, rdata, type == DNS_TYPE_AAAA);
		break;
	case DNS_TYPE_MX:
		read_mx(reader, rdata);
		break;
	case DNS_TYPE_TXT:
	case DNS_TYPE_SPF:
		read_texts(reader, rdata);
		break;
	case DNS_TYPE_CNAME:
	case DNS_TYPE_NS:
	case DNS_TYPE_PTR:
		read_target(reader, rdata);
		break;
	case DNS_TYPE_SOA:
		break;
	}
	skip_blanks(reader);
	if (reader->line.length > 0)
		reader_fail(reader, "something follows the data");
	if (rdata->failed || rdata->length > 65535)
		reader_fail(reader, "the data is too long");
}

static struct slice
lower_copy(struct arena *arena, struct slice name)
{
	char *copy = arena_text(arena, name);

	if (copy == NULL)
		return slice_make(NULL, 0);
	for (size_t i = 0; i < name.length; i++)
		copy[i] = ascii_lower(copy[i]);
	return slice_make(copy, name.length);
}

/* The node of a name, made if need be together with its parents. */
static struct node *
node_of(struct resolver_zone *zone, struct slice name)
{
	struct slice key = lower_copy(zone->arena, name);
	struct node *node, *first = NULL;

	if (key.data == NULL)
		return NULL;
	while (key.length > 0) {
		node = table_get(&zone->nodes, key);
		if (node != NULL)
			return first == NULL ? node : first;
		node = arena_alloc(zone->arena, sizeof *node);
		if (node == NULL || !table_put(&zone->nodes, key, node))
			return NULL;
		if (first == NULL)
			first = node;
		key = domain_parent(key);
	}
	return first;
}

static bool
type_of_word(struct slice word, enum dns_type *type_out)
{
	for (size_t i = 0; i < sizeof zone_types / sizeof zone_types[0]; i++)
		if (slice_equal_text_fold(word, dns_type_name(zone_types[i]))) {
			*type_out = zone_types[i];
			return true;
		}
	return false;
}

static enum mood
mood_of_word(struct slice word)
{
	for (enum mood mood = MOOD_TIMEOUT; mood <= MOOD_DELAY; mood++)
		if (slice_equal_text_fold(word, mood_words[mood]))
			return mood;
	return MOOD_NONE;
}

static void
node_add(struct reader *reader, struct node *node, struct record record)
{
	struct record *place =
	    list_append(reader->zone->arena, &node->records, SIZE_MAX);

	if (place == NULL)
		reader_fail(reader, "out of memory");
	else
		*place = record;
}

static void
read_mood(struct reader *reader, struct node *node, enum mood mood)
{
	struct slice word = next_word(reader);
	unsigned long number;
	enum dns_type type;

	if (mood == MOOD_DELAY) {
		if (!slice_parse_number(word, 600000, &number)) {
			reader_fail(reader, "DELAY needs milliseconds");
			return;
		}
		node->delay_ms = (unsigned)number;
		reader->zone->delays = true;
	} else if (word.length == 0) {
		node->denied = node->denied || mood == MOOD_NXDOMAIN;
		if (mood != MOOD_NXDOMAIN && mood != MOOD_NODATA)
			node->mood = mood;
	} else if (type_of_word(word, &type)) {
		node_add(reader, node,
		    (struct record){ .type = type, .mood = mood });
	} else {
		reader_fail(reader, "unknown type");
	}
}

static void
read_record(struct reader *reader, struct node *node)
{
	struct builder rdata = builder_make(reader->zone->arena, 70000);
	struct slice word = next_word(reader);
	unsigned long ttl;
	enum dns_type type;
	enum mood mood;

	if (slice_parse_number(word, UINT32_MAX, &ttl))
		word = next_word(reader);
	if (slice_equal_text_fold(word, "IN"))
		word = next_word(reader);
	mood = mood_of_word(word);
	if (mood != MOOD_NONE) {
		read_mood(reader, node, mood);
	} else if (type_of_word(word, &type)) {
		read_rdata(reader, type, &rdata);
		node_add(reader, node,
		    (struct record){
			.type = type, .rdata = builder_result(&rdata) });
	} else {
		reader_fail(reader, "unknown record type");
	}
}

static void
read_line(struct reader *reader)
{
	bool goes_on =
	    reader->line.length > 0 && ascii_is_space(reader->line.data[0]);
	struct node *node;

	skip_blanks(reader);
	if (reader->line.length == 0)
		return;
	if (!goes_on) {
		struct slice word = next_word(reader);

		if (!read_name(reader, word, &reader->owner))
			return;
	}
	if (reader->owner.length == 0) {
		reader_fail(reader, "no name to add this to");
		return;
	}
	node = node_of(reader->zone, reader->owner);
	if (node == NULL) {
		reader_fail(reader, "out of memory");
		return;
	}
	node->listed = true;
	read_record(reader, node);
}

/* ------------------------------------------------------------- answering */

static const struct node *
find_node(const struct resolver_zone *zone, struct slice name)
{
	char star[260] = "*.";
	struct slice parent = name;
	struct node *node = table_get(&zone->nodes, name);

	if (node != NULL)
		return node->denied ? NULL : node;
	while (parent.length > 0) {
		parent = domain_parent(parent);
		if (parent.length == 0)
			break;
		memcpy(star + 2, parent.data, parent.length);
		node = table_get(
		    &zone->nodes, slice_make(star, parent.length + 2));
		if (node != NULL)
			return node->denied ? NULL : node;
		/* The closest name that exists ends the search (RFC 4592). */
		if (table_get(&zone->nodes, parent) != NULL)
			break;
	}
	return NULL;
}

static struct dns_reply *
reply_of_state(enum dns_state state)
{
	return dns_reply_new(state, SCRIPT_TTL_S, slice_make(NULL, 0), NULL, 0);
}

static struct dns_reply *
reply_of_mood(enum mood mood)
{
	struct dns_reply *reply = NULL;

	switch (mood) {
	case MOOD_NEVER:
		return NULL;
	case MOOD_NXDOMAIN:
		return reply_of_state(DNS_NXDOMAIN);
	case MOOD_NONE:
	case MOOD_NODATA:
	case MOOD_DELAY:
		return reply_of_state(DNS_NODATA);
	case MOOD_TIMEOUT:
	case MOOD_SERVFAIL:
	case MOOD_BOGUS:
		reply = reply_of_state(DNS_TEMPERROR);
		break;
	}
	if (reply != NULL) {
		reply->timed_out = mood == MOOD_TIMEOUT;
		reply->bogus = mood == MOOD_BOGUS;
	}
	return reply;
}

static struct dns_reply *
reply_of_records(
    const struct node *node, enum dns_type type, struct slice canonical)
{
	struct slice *rdata = NULL;
	struct dns_reply *reply;
	size_t count = 0;

	rdata = calloc(node->records.count, sizeof *rdata);
	if (rdata == NULL)
		return NULL;
	for (size_t i = 0; i < node->records.count; i++)
		if (node->records.items[i].type == type &&
		    node->records.items[i].mood == MOOD_NONE)
			rdata[count++] = node->records.items[i].rdata;
	reply = dns_reply_new(DNS_FOUND, SCRIPT_TTL_S, canonical, rdata, count);
	free(rdata);
	return reply;
}

static const struct record *
find_record(const struct node *node, enum dns_type type, bool data)
{
	for (size_t i = 0; i < node->records.count; i++) {
		const struct record *record = &node->records.items[i];

		if (record->type == type && (record->mood == MOOD_NONE) == data)
			return record;
	}
	return NULL;
}

static bool
cname_target(
    struct arena *arena, const struct record *record, struct slice *target_out)
{
	struct dns_answer answer = {
		.type = DNS_TYPE_CNAME,
		.record_count = 1,
		.records = &record->rdata,
	};
	struct slice name;

	if (!dns_answer_name(arena, &answer, 0, &name) || name.length == 0)
		return false;
	*target_out = lower_copy(arena, name);
	return target_out->data != NULL;
}

/* What the script says, with the delays on the way added up; *never_out where
 * it wants silence. */
static struct dns_reply *
answer(struct resolver_zone *zone, struct arena *arena, struct slice name,
    enum dns_type type, unsigned *delay_ms_out, bool *never_out)
{
	for (int hop = 0; hop <= CHAIN_MAX; hop++) {
		const struct node *node = find_node(zone, name);
		const struct record *record;
		enum mood mood;

		if (node == NULL)
			return reply_of_state(DNS_NXDOMAIN);
		*delay_ms_out += node->delay_ms;
		if (find_record(node, type, true) != NULL)
			return reply_of_records(node, type, name);
		record = find_record(node, type, false);
		mood = record == NULL ? node->mood : record->mood;
		if (mood != MOOD_NONE) {
			*never_out = mood == MOOD_NEVER;
			return reply_of_mood(mood);
		}
		record = find_record(node, DNS_TYPE_CNAME, true);
		if (record == NULL)
			return reply_of_state(DNS_NODATA);
		if (!cname_target(arena, record, &name))
			break;
	}
	return reply_of_mood(MOOD_SERVFAIL);
}

static void
postpone(struct resolver_zone *zone, struct late *late)
{
	struct late **place = &zone->late;

	pthread_mutex_lock(&zone->mutex);
	while (*place != NULL && (*place)->due_ms <= late->due_ms)
		place = &(*place)->next;
	late->next = *place;
	*place = late;
	pthread_cond_signal(&zone->changed);
	pthread_mutex_unlock(&zone->mutex);
}

static struct dns_reply *
zone_ask(struct resolver *resolver, struct slice name, enum dns_type type,
    resolver_done done, void *context)
{
	struct resolver_zone *zone = (struct resolver_zone *)resolver;
	struct arena *arena = arena_new(0, NULL);
	struct dns_reply *reply = NULL;
	struct late *late;
	unsigned delay_ms = 0;
	bool never = false;

	if (arena != NULL)
		reply = answer(zone, arena, name, type, &delay_ms, &never);
	arena_free(&arena);
	if (!never && reply == NULL) {
		done(context, NULL);
		return NULL;
	}
	if (!never && delay_ms == 0)
		return reply;
	late = calloc(1, sizeof *late);
	if (late == NULL) {
		dns_reply_release(&reply);
		done(context, NULL);
		return NULL;
	}
	late->due_ms = never ? UINT64_MAX : resolver_clock_ms() + delay_ms;
	late->done = done;
	late->context = context;
	late->reply = reply;
	postpone(zone, late);
	return NULL;
}

static void *
zone_thread(void *argument)
{
	struct resolver_zone *zone = argument;

	pthread_mutex_lock(&zone->mutex);
	while (!zone->stopping) {
		struct late *late = zone->late;
		struct timespec until;

		if (late == NULL || late->due_ms == UINT64_MAX) {
			pthread_cond_wait(&zone->changed, &zone->mutex);
			continue;
		}
		if (late->due_ms <= resolver_clock_ms()) {
			zone->late = late->next;
			pthread_mutex_unlock(&zone->mutex);
			late->done(late->context, late->reply);
			free(late);
			pthread_mutex_lock(&zone->mutex);
			continue;
		}
		until.tv_sec = (time_t)(late->due_ms / 1000);
		until.tv_nsec = (long)(late->due_ms % 1000) * 1000000;
		pthread_cond_timedwait(&zone->changed, &zone->mutex, &until);
	}
	pthread_mutex_unlock(&zone->mutex);
	return NULL;
}

static bool
zone_is_down(const struct resolver *resolver)
{
	(void)resolver;
	return false;
}

static void
zone_free(struct resolver *resolver)
{
	struct resolver_zone *zone = (struct resolver_zone *)resolver;

	pthread_mutex_lock(&zone->mutex);
	zone->stopping = true;
	pthread_cond_signal(&zone->changed);
	pthread_mutex_unlock(&zone->mutex);
	if (zone->has_thread)
		pthread_join(zone->thread, NULL);
	while (zone->late != NULL) {
		struct late *late = zone->late;

		zone->late = late->next;
		dns_reply_release(&late->reply);
		late->done(late->context, reply_of_mood(MOOD_TIMEOUT));
		free(late);
	}
	pthread_cond_destroy(&zone->changed);
	pthread_mutex_destroy(&zone->mutex);
	arena_free(&zone->arena);
	free(zone);
}

static const struct resolver_class zone_class = {
	.name = "zone",
	.ask = zone_ask,
	.is_down = zone_is_down,
	.free = zone_free,
};

static struct resolver_zone *
zone_new(void)
{
	struct resolver_zone *zone = calloc(1, sizeof *zone);
	pthread_condattr_t attributes;

	if (zone == NULL)
		return NULL;
	zone->base.class = &zone_class;
	zone->arena = arena_new(0, NULL);
	if (zone->arena == NULL) {
		free(zone);
		return NULL;
	}
	zone->nodes = table_make(zone->arena);
	pthread_mutex_init(&zone->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&zone->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	return zone;
}

struct resolver *
resolver_zone_new(struct slice text, char problem[RESOLVER_PROBLEM_MAX])
{
	struct resolver_zone *zone = zone_new();
	struct reader reader = { .zone = zone, .problem = problem };
	struct resolver *resolver;

	problem[0] = '\0';
	if (zone == NULL) {
		snprintf(problem, RESOLVER_PROBLEM_MAX, "out of memory");
		return NULL;
	}
	while (text.length > 0 && !reader.failed) {
		text = slice_split(text, '\n', &reader.line);
		reader.line_number++;
		read_line(&reader);
	}
	if (!reader.failed && zone->delays) {
		zone->has_thread =
		    pthread_create(&zone->thread, NULL, zone_thread, zone) == 0;
		if (!zone->has_thread)
			reader_fail(&reader, "no thread for DELAY");
	}
	resolver = &zone->base;
	if (reader.failed)
		resolver_free(&resolver);
	return resolver;
}

static struct resolver *
read_zone(const char *path, struct slice text, char *problem)
{
	char what[RESOLVER_PROBLEM_MAX];
	struct resolver *resolver = resolver_zone_new(text, what);

	if (resolver == NULL)
		snprintf(problem, RESOLVER_PROBLEM_MAX, "%.120s: %.120s", path,
		    what);
	return resolver;
}

struct resolver *
resolver_zone_open(const char *path, char problem[RESOLVER_PROBLEM_MAX])
{
	struct resolver *resolver = NULL;
	struct arena *arena = arena_new(0, NULL);
	struct builder text;
	char buffer[8192];
	size_t length;
	FILE *file = fopen(path, "re");

	if (file == NULL || arena == NULL) {
		snprintf(problem, RESOLVER_PROBLEM_MAX, "%s: %s", path,
		    strerror(errno));
	} else {
		text = builder_make(arena, ZONE_BYTES_MAX);
		while ((length = fread(buffer, 1, sizeof buffer, file)) > 0)
			builder_slice(&text, slice_make(buffer, length));
		if (ferror(file) || text.failed)
			snprintf(problem, RESOLVER_PROBLEM_MAX,
			    "%s: cannot be read", path);
		else
			resolver =
			    read_zone(path, builder_result(&text), problem);
	}
	if (file != NULL)
		fclose(file);
	arena_free(&arena);
	return resolver;
}
