/*
 * html_entities - the table of HTML character references, sorted by name
 *
 * Made by tests/support/make_html_entities.
 */
#ifndef TOCSIN_MESSAGE_HTML_ENTITIES_H
#define TOCSIN_MESSAGE_HTML_ENTITIES_H

#include <stdbool.h>

struct html_entity {
	const char *name; /* without '&' and ';' */
	const char *text; /* UTF-8 */
	bool bare;        /* also taken without ';' */
};

extern const struct html_entity html_entities[];
extern const unsigned html_entity_count;

#endif
