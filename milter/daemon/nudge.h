/*
 * nudge - makes libmilter start another worker
 *
 * libmilter starts a thread for a session that has become ready only when none
 * is idle, and counts a thread as idle until it has woken up. Sessions that
 * become ready in the same instant are therefore all left to the one idle
 * thread; when the first of them waits for DNS, the others wait behind it,
 * though nothing keeps them: 60 messages that each wait 2 s took up to 30 s.
 *
 * A connection to our own socket that is closed at once is an event like any
 * other. It comes while no thread is idle, so libmilter starts one, which then
 * also takes what was left behind. A callback that is about to wait nudges; who
 * is taken up by that and waits too nudges again.
 */
#ifndef TOCSIN_DAEMON_NUDGE_H
#define TOCSIN_DAEMON_NUDGE_H

#include "daemon/socket_address.h"

/* Says where the socket is, once, before threads start. */
void nudge_at(const struct socket_address *address);

/* Nudges; never waits. Thread-safe. */
void nudge_pool(void);

#endif
