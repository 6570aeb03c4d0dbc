/*
 * value_list - a named list of domains, addresses, networks, hashes or strings
 *
 * Entries come from the policy or from a file with one `VALUE [until TIME]
 * [# why]` a line. Look-up is by hash (networks: one probe per prefix length
 * that occurs), so a list of a million entries costs a message no more than
 * one of ten. Immutable once built; belongs to the arena it was made in.
 */
#ifndef TOCSIN_LANGUAGE_VALUE_LIST_H
#define TOCSIN_LANGUAGE_VALUE_LIST_H

#include "base/diag.h"
#include "base/ipaddr.h"
#include "base/status.h"
#include "language/value.h"

enum value_list_type {
	LIST_DOMAINS,
	LIST_ADDRESSES,
	LIST_NETWORKS,
	LIST_HASHES,
	LIST_STRINGS
};

struct occurrence_index;
struct value_list;

/* Most entries of one list. */
#define VALUE_LIST_ENTRIES_MAX 10000000

struct value_list *value_list_new(
    struct arena *arena, enum value_list_type type, const char *name);

/* Adds one entry; `expires` is Unix seconds, 0 = never. TC_INVALID when the
 * text is no value of the list's type (*problem_out says why, constant
 * text), TC_LIMIT at a limit. A value given twice keeps the later expiry. */
enum tc_status value_list_add(struct value_list *list, struct slice text,
    int64_t expires, const char **problem_out);

/* Adds all lines of a file's text; bad lines are noted in `diag` as errors.
 * True when there was none. */
bool value_list_read(struct value_list *list, const struct diag_source *source,
    struct diag *diag);

enum value_list_type value_list_type_of(const struct value_list *list);
const char *value_list_name(const struct value_list *list);
size_t value_list_count(const struct value_list *list);
/* The i-th entry as given, in order; *expires_out may be NULL. */
struct slice value_list_entry(
    const struct value_list *list, size_t i, int64_t *expires_out);

/* Those entries that have an end, in order. */
size_t value_list_ending_count(const struct value_list *list);
struct slice value_list_ending(
    const struct value_list *list, size_t i, int64_t *expires_out);

/* Questions; `now` in Unix seconds lets expired entries be absent. Names are
 * canonical, addresses in key form, strings any (compared folded, or octet by
 * octet when `exactly`). A list of another type holds nothing. */
bool value_list_has_domain(
    const struct value_list *list, struct slice domain, int64_t now);
/* The entry itself or one that `domain` lies below. */
bool value_list_covers_domain(
    const struct value_list *list, struct slice domain, int64_t now);
/* The address itself, or "@its-domain" as an entry. */
bool value_list_has_address(
    const struct value_list *list, struct slice address, int64_t now);
bool value_list_has_ip(
    const struct value_list *list, const struct ipaddr *ip, int64_t now);
bool value_list_has_string(const struct value_list *list, struct slice text,
    bool exactly, int64_t now);

/* What lets value_list_occurs_in() ask a list, once it is filled, in one pass
 * over a text, however many entries it has. NULL without memory. */
struct occurrence_index *value_list_index(
    struct arena *arena, const struct value_list *list);

/* An entry stands somewhere inside the text, which is given as it is and
 * folded. Without an index (NULL) each entry is looked for by itself. */
bool value_list_occurs_in(const struct value_list *list,
    const struct occurrence_index *index, struct slice text,
    struct slice folded, bool exactly, int64_t now);

const char *value_list_type_name(enum value_list_type type);
/* False when the word is none. */
bool value_list_type_parse(struct slice word, enum value_list_type *type_out);

#endif
