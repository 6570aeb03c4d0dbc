/*
 * vary - reads parts as other readers in the wild do
 *
 * A second pass, over the kept bytes of those parts alone whose headers or
 * octets can be read in several ways. One declaration is varied at a time.
 */
#ifndef TOCSIN_MESSAGE_VARY_H
#define TOCSIN_MESSAGE_VARY_H

#include "message/entity.h"

/* Adds the other readings of all entities of the work, which are sealed. */
void vary_all(struct entity_work *work);

#endif
