/*
 * store_grave - where stores go that nobody uses any longer
 *
 * The last message that was judged by a store lets go of it, on the thread
 * that serves the message. Unmapping a gigabyte takes that thread a tenth of a
 * second; so it only buries the store, and the thread that keeps things fresh
 * unmaps it. Thread-safe.
 */
#ifndef TOCSIN_DAEMON_STORE_GRAVE_H
#define TOCSIN_DAEMON_STORE_GRAVE_H

#include "indicator/store.h"

/* Takes over the store. */
void store_grave_bury(struct store *store);

/* Closes all that are buried. */
void store_grave_clear(void);

#endif
