/*
 * members - the files in an archive, by libarchive, within the budget
 *
 * Adds an item for each member and looks into it (unpack.h). libarchive has no
 * limits of its own, so each is held here: bytes, ratio, entries.
 */
#ifndef TOCSIN_SCANNER_MEMBERS_H
#define TOCSIN_SCANNER_MEMBERS_H

#include "scanner/forms.h"
#include "scanner/unpack.h"

/* Opens `content`, item `index`, as `reading` has it. */
void members_open(struct unpack *unpack, struct slice content, size_t index,
    const struct forms_reading *reading);

/* Where the names in a zip's directories differ from those before its
 * members' data, both are noted; after the members have been added, which
 * begin at item `first`. */
void members_compare_names(
    struct unpack *unpack, struct slice content, size_t parent, size_t first);

#endif
