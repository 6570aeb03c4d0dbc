/*
 * url_fuzz - a normal form is its own normal form, and text is searched
 */
#include <config.h>

#include <stdint.h>
#include <stdlib.h>

#include "message/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_make(data, size);
	struct arena *arena = arena_new(64u << 20, NULL);
	struct url_canonical url, again;
	struct url_list list = url_list_make(arena, 50);
	struct html_link link = { .target = text, .text = text };

	if (url_canonical_parse(arena, text, &url)) {
		struct slice target;
		bool known;

		if (url.normal.length < URL_LENGTH_MAX) {
			if (!url_canonical_parse(arena, url.normal, &again) &&
			    !arena_exhausted(arena))
				abort();
			if (!arena_exhausted(arena) &&
			    !slice_equal(url.normal, again.normal))
				abort();
		}
		url_canonical_redirect(arena, &url, &target, &known);
	}
	url_list_add_text(arena, &list, text, URL_IN_TEXT, 0);
	url_list_add_text(arena, &list, text, URL_IN_CONTENT, 1);
	url_list_add_field(arena, &list, text, "link", 2);
	url_list_add_link(
	    arena, &list, &link, SLICE_LITERAL("http://base.example/a/b"), 0);
	arena_free(&arena);
	return 0;
}
