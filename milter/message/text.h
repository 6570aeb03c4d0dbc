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

/* Sets `text` of every text part, *text_out to all of them joined (usual
 * readings first, then what other readings say differently), and adds URLs to
 * *urls unless that is NULL. TC_LIMIT at the arena's ceiling. */
enum tc_status text_collect(struct arena *arena,
    const struct message_limits *limits, struct url_list *urls,
    struct slice subject, struct mime_parts *parts, struct slice *text_out,
    mime_defect_set *defects);

/* Without characters that nobody sees: zero-width ones, soft hyphens,
 * direction marks, variation selectors, tags. NULL data at the ceiling. */
struct slice text_strip_invisible(struct arena *arena, struct slice text);

/* Folds look-alike characters (Cyrillic and Greek letters, fullwidth forms,
 * mathematical alphabets, accents) to ASCII, then case, for `contains` and
 * `matches` that ask for it. NULL data at the arena's ceiling. */
struct slice text_fold_homoglyphs(struct arena *arena, struct slice text);

#endif
