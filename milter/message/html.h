/*
 * html - what an HTML part shows, and where its links lead
 *
 * A linear tokenizer: it builds no tree, never goes back and gives up at its
 * limits, not before. It reads as browsers do where a sender could hide
 * something: unquoted and slash-separated attributes, unclosed tags, comments
 * of every form, conditional comments, srcdoc, data: URLs, entities without
 * semicolon, escapes of styles and scripts. Scripts are searched, never run.
 */
#ifndef TOCSIN_MESSAGE_HTML_H
#define TOCSIN_MESSAGE_HTML_H

#include "base/arena.h"
#include "base/list.h"
#include "message/data_url.h"

/* Where a link was found. */
enum html_place {
	HTML_HREF,    /* <a href>, <area href>, <link href> */
	HTML_SRC,     /* src, srcset, background, data, poster, ... */
	HTML_ACTION,  /* form action, formaction */
	HTML_REFRESH, /* <meta http-equiv=refresh> */
	HTML_BASE,    /* <base href> */
	HTML_STYLE,   /* url() in a style attribute or element */
	HTML_SCRIPT,  /* a string inside a script or an event handler */
	HTML_COMMENT  /* inside a comment */
};

const char *html_place_name(enum html_place place);

struct html_link {
	struct slice target; /* entities decoded, as written otherwise */
	struct slice text;   /* what <a> shows: text and alt, blanks folded,
			      * at most 512 bytes; empty for the others */
	enum html_place place;
};

/* A file that a link carries in itself: what is no picture, and what a click
 * saves. */
struct html_file {
	struct data_url data;
	struct slice name; /* of `download`; may be empty */
};

struct html_limits {
	size_t input_max; /* bytes of HTML that are read */
	size_t text_max;  /* bytes of text */
	size_t links_max;
	size_t attributes_max; /* per tag that are looked at */
	size_t inner_max;   /* documents inside: srcdoc, comments, data: URLs */
	unsigned depth_max; /* of these in each other */
	size_t files_max;
};

extern const struct html_limits html_limits_default;

struct html_result {
	struct slice text; /* UTF-8: what is shown, blocks by line breaks */
	LIST_OF(struct html_link) links;
	LIST_OF(struct html_file) files;
	struct slice base; /* first <base href>, or empty */
	bool cut;          /* a limit was reached */
};

/* Reads `html` (UTF-8). False at the arena's ceiling; what was found until
 * then is in *result_out. */
bool html_read(struct arena *arena, struct slice html,
    const struct html_limits *limits, struct html_result *result_out);

/* Reads a file that is a script, as one inside a page. */
bool html_read_script(struct arena *arena, struct slice script,
    const struct html_limits *limits, struct html_result *result_out);

/* Decodes character references (HTML 5, 13.5) of a text or attribute value.
 * NULL data at the arena's ceiling. */
struct slice html_decode_entities(
    struct arena *arena, struct slice text, bool in_attribute);

#endif
