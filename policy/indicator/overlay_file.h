/*
 * overlay_file - local.indicators as a file that grows, and is made shorter
 *
 * Lines are appended under a lock, each with one write and an fsync. Where most
 * lines are dead (a later one speaks of the same value) the file is written
 * anew beside itself, synced and renamed, under the same lock: whoever is
 * killed leaves the old file or the new one. Readers see the new file as they
 * see one that has grown: by its status.
 *
 * What goes are lines that a later one replaces, and, once a store was built
 * after them, those that remove and those that have expired. Lines that are
 * not understood, and comments, stay.
 */
#ifndef TOCSIN_INDICATOR_OVERLAY_FILE_H
#define TOCSIN_INDICATOR_OVERLAY_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

#define OVERLAY_BYTES_MAX (64u << 20)

/* From here on, each time it has doubled, the file is looked at. */
#define OVERLAY_COMPACT_BYTES (1u << 20)

/* Appends a line with its end. `built_unix` is when the store in force was
 * built: INT64_MAX when there is none, 0 when that is not known. False with
 * errno: EFBIG when even the file without its dead lines is too large. */
bool overlay_file_append(
    const char *path, struct slice line, int64_t built_unix, int64_t now_unix);

#endif
