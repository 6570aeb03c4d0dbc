/*
 * vba - the source of macros, as Office squeezes it into streams
 *
 * MS-OVBA 2.4.1. Where a module's source begins another stream tells; it is
 * found here by how every source begins, so that a stream which says something
 * else hides nothing.
 */
#ifndef TOCSIN_SCANNER_VBA_H
#define TOCSIN_SCANNER_VBA_H

#include "scanner/found.h"

/* Hands out, as text, each source in the stream. */
void vba_sources(struct slice stream, const struct found *found);

#endif
