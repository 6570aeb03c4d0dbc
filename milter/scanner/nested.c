#include <config.h>

#include <stdlib.h>

#include "scanner/embedded.h"
#include "scanner/guess.h"
#include "scanner/nested.h"

#define EMBEDDED_MAX 200 /* files inside one page */

/* Where found files go. */
struct nest {
	struct unpack *unpack;
	size_t parent;
};

/* Files that a page hands to the browser. Its pictures stay out: they would
 * only be more attachments to tell apart. */
static void
open_page(struct nest *nest, struct slice content)
{
	struct embedded embedded = { .content = content };
	struct slice text;
	bool good = true;

	for (unsigned count = 0; good && embedded_next(&embedded, &text);) {
		unsigned char *file = malloc(text.length);
		size_t length = file == NULL ? 0 : embedded_decode(text, file);
		struct slice bytes = slice_make((char *)file, length);

		if (length > 0 && !embedded_is_picture(bytes))
			good = count++ < EMBEDDED_MAX &&
			       unpack_file(nest->unpack, nest->parent,
				   slice_make(NULL, 0), bytes);
		free(file);
	}
	if (!good)
		unpack_mark(
		    unpack_item(nest->unpack, nest->parent), "embedded");
}

void
nested_open(struct unpack *unpack, struct slice content, size_t index)
{
	struct nest nest = { .unpack = unpack, .parent = index };
	const struct scanner_item *item = unpack_item(unpack, index);
	bool page = guess_kind(content, item->name) == GUESS_HTML &&
		    embedded_any(content);

	if (!page)
		return;
	if (item->depth >= unpack->settings->archive_depth) {
		unpack_mark(unpack_item(unpack, index), "archive-depth");
		return;
	}
	if (page)
		open_page(&nest, content);
}
