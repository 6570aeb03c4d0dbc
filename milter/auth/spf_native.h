/*
 * spf_native - our own evaluator: all of RFC 7208
 *
 * A state machine that stops where an answer is missing and goes on there. An
 * include is a frame on a list, not a C call; frames are bounded by the limit
 * of terms that ask DNS.
 */
#ifndef TOCSIN_AUTH_SPF_NATIVE_H
#define TOCSIN_AUTH_SPF_NATIVE_H

#include "auth/spf_engine.h"

struct spf_native;

/* NULL at the arena's ceiling. */
struct spf_native *spf_native_new(struct spf_task *task);

/* As spf_eval_step(); TC_OK with task->outcome filled in. */
enum tc_status spf_native_step(struct spf_native *native);

#endif
