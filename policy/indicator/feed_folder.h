/*
 * feed_folder - which files a feed is read from when its source is a folder
 *
 * A folder is read flat: its files, and none below it. MISP feeds are flat; a
 * folder with folders in it is mostly a repository that holds other things as
 * well, and what an operator wants of it is named as feeds. What is left out
 * is said, never passed over in silence; so are events that the manifest of a
 * MISP feed names and that are not there.
 */
#ifndef TOCSIN_INDICATOR_FEED_FOLDER_H
#define TOCSIN_INDICATOR_FEED_FOLDER_H

#include "indicator/feed.h"

struct feed_folder {
	LIST_OF(const char *) names;    /* of files to read, in order */
	uint64_t bytes;                 /* of them */
	LIST_OF(const char *) left_out; /* "NAME: why", at most 100 */
	size_t left_out_count;          /* of all */
	size_t too_many;                /* of these: beyond files_max */
	bool is_misp;                   /* it has the manifest of one */
};

/* Looks into the folder config->source. Hidden files do not count at all.
 * Texts live in the arena. False, with errno, when it is no folder that can be
 * read. */
bool feed_folder_look(struct arena *arena, const struct feed_config *config,
    size_t files_max, struct feed_folder *folder_out);

#endif
