/*
 * text - what a message says: the text of its text and HTML parts
 *
 * Reads:    decoded parts
 * Produces: UTF-8 text per part and joined, and the URLs in it
 */
#ifndef TOCSIN_MESSAGE_TEXT_H
#define TOCSIN_MESSAGE_TEXT_H

#include "message/mime.h"
#include "message/url.h"

/* A file that a link of an HTML part carries. */
struct text_file {
	struct html_file file;
	size_t part;
};

/* What is read of the parts of one message. */
struct text_reader {
	struct arena *arena;
	const struct message_limits *limits;
	struct url_list *urls; /* NULL: nobody asks */
	LIST_OF(struct text_file) files;
	size_t next; /* parts before it have been read */
	bool halted; /* the next one is for the end */
};

/* Begins, with the URLs of the subject. */
struct text_reader text_begin(struct arena *arena,
    const struct message_limits *limits, struct url_list *urls,
    struct slice subject);

/* Reads the parts before index `end`, which are complete, ahead of time: sets
 * their `text` and adds their URLs. What lies in `moving` is copied first, or
 * left for text_end() when it is large. */
void text_advance(struct text_reader *reader, struct mime_parts *parts,
    size_t end, struct slice moving);

/* Reads the rest. *text_out is the text of all parts, joined: usual readings
 * first, then what other readings say differently. TC_LIMIT at the arena's
 * ceiling. */
enum tc_status text_end(struct text_reader *reader, struct mime_parts *parts,
    struct slice *text_out, mime_defect_set *defects);

/* How one page is read within the limits of a message. */
struct html_limits text_html_limits(const struct message_limits *limits);

/* Without characters that nobody sees: zero-width ones, soft hyphens,
 * direction marks, variation selectors, tags. NULL data at the ceiling. */
struct slice text_strip_invisible(struct arena *arena, struct slice text);

/* Folds look-alike characters (Cyrillic and Greek letters, fullwidth forms,
 * mathematical alphabets, accents) to ASCII, then case, for `contains` and
 * `matches` that ask for it. NULL data at the arena's ceiling. */
struct slice text_fold_homoglyphs(struct arena *arena, struct slice text);

#endif
