/*
 * callbacks - libmilter's events, handed to flow.h
 *
 * Thin: each callback turns libmilter's arguments into ours, calls the flow
 * function of the same name and turns the answer back. The one thing it does
 * beside is to wait: when a flow function returns TC_AGAIN the callback sleeps
 * until an answer from DNS came or the session's deadline passed, and calls it
 * again (at end of message the MTA is told that we are alive).
 *
 * Replies are asked of us at connect, HELO, MAIL, RCPT and end of message only:
 * an answer to each header costs more than all else that a milter does. What
 * goes wrong in between is answered at end of message.
 *
 * A message is judged from MAIL to its end by one generation of the policy; the
 * indicators are those of the end of the message.
 */
#ifndef TOCSIN_SESSION_CALLBACKS_H
#define TOCSIN_SESSION_CALLBACKS_H

#include "session/generation.h"

/* What all connections share. All members outlive the callbacks. */
struct callbacks_setup {
	struct generation_slot *generations;
	struct session_shared shared;
	/* Called when a callback is about to wait while others may be ready
	 * and left behind (daemon/nudge.h); may be NULL. */
	void (*before_wait)(void);
};

/* Registers with libmilter; once per process, before smfi_setconn(). False
 * when libmilter refuses. `setup` is kept. */
bool callbacks_register(const struct callbacks_setup *setup);

/* From now on new messages are deferred; those under way are finished. */
void callbacks_drain(void);

/* Connections that are open, and messages between MAIL and their end. */
unsigned callbacks_connections(void);
unsigned callbacks_messages(void);

#endif
