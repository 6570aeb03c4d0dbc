/*
 * feed_type - the words by which feeds say what a value is
 *
 * "domain", "FileHash-SHA256", "ip-dst|port", "mal_domain": types of MISP, and
 * what other publishers write in a column or member `type`. Case does not
 * count, nor do blanks, '-' and '_' between words. tocsin-feeds(5) lists them.
 * Nobody but the feed's readers includes this.
 */
#ifndef TOCSIN_INDICATOR_FEED_TYPE_H
#define TOCSIN_INDICATOR_FEED_TYPE_H

#include "indicator/feed.h"

enum feed_type_word {
	FEED_TYPE_KNOWN,
	FEED_TYPE_LOOKS, /* says no more than the value's looks: "file", "hash" */
	FEED_TYPE_UNKNOWN /* no word that we know */
};

/* Reads a value by the word of its type: sets kind, value and roles of the
 * item. FEED_USED, FEED_NOT_VISIBLE for types that mail cannot show,
 * FEED_BAD_VALUE when a compound value has no second half. Unless
 * FEED_TYPE_KNOWN, the item is untouched. */
enum feed_reason feed_type_value(struct slice type, struct slice value,
    struct feed_item *item, enum feed_type_word *word_out);

#endif
