/*
 * spf_libspf2 - libspf2 as second engine, behind a guard
 *
 * The library differs from RFC 7208 in dozens of cases and can be crashed by
 * records. What protects us:
 *
 * - It never asks DNS. Its look-ups are answered from lookups; where one is
 *   missing the run is thrown away and made again when the answer is there.
 * - Look-ups of one run are capped, which its own counting does not achieve.
 * - Each record is read by our own grammar first; what is malformed, longer
 *   than 2 kB, full of macros, or only half taken in by the library's fixed
 *   buffers is a permerror.
 * - It sees no exp= and no unknown modifier; there are no explanations.
 * - Senders and HELO names that are not printable ASCII are not given to it.
 * - Loopback clients, which it always lets pass, are judged by the native
 *   engine, as spf.c arranges.
 *
 * The outcome has no mechanism and no count of void look-ups.
 */
#ifndef TOCSIN_AUTH_SPF_LIBSPF2_H
#define TOCSIN_AUTH_SPF_LIBSPF2_H

#include "auth/spf_engine.h"

struct spf_libspf2;

/* NULL at the arena's ceiling. */
struct spf_libspf2 *spf_libspf2_new(struct spf_task *task);

/* As spf_eval_step(); TC_OK with task->outcome filled in. */
enum tc_status spf_libspf2_step(struct spf_libspf2 *engine);

#endif
