/*
 * share - \\HOST\SHARE paths, which Windows fetches like links
 *
 * In octets and in UTF-16 of either order, as documents and shortcuts have
 * them, also with @SSL or a port. Only hosts with a dot count: others are of
 * the reader's own network, or no host at all.
 */
#ifndef TOCSIN_SCANNER_SHARE_H
#define TOCSIN_SCANNER_SHARE_H

#include "base/slice.h"

#define SHARE_BYTES_MAX 1024 /* longer paths are cut */

struct share_walk {
	struct slice rest;
	size_t step; /* octets of a character: 1 or 2 */
};

/* The next one, written as file://HOST/SHARE into `space`; false when there is
 * none left. */
bool share_next(struct share_walk *walk, char space[SHARE_BYTES_MAX],
    struct slice *link_out);

#endif
