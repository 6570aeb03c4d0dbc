/*
 * dkim_libopendkim - the DKIM engine on libopendkim
 *
 * One DKIM_LIB serves all threads. The library sees the signatures that our
 * reader let pass, and no others: its own reader takes a tag twice, keeps l=
 * from one signature to the next, has no count, and answers SYNTAX for a whole
 * message. So a message has up to two handles, one for the signatures with l=
 * and one for those without. Keys come out of the job, written anew.
 *
 * What it cannot be trusted with goes to another engine; takes() tells.
 */
#ifndef TOCSIN_AUTH_DKIM_LIBOPENDKIM_H
#define TOCSIN_AUTH_DKIM_LIBOPENDKIM_H

#include "auth/dkim_engine.h"

extern const struct dkim_engine dkim_libopendkim;

/* False for a sound signature that the library would get wrong: h= names
 * DKIM-Signature (it is not shown the others), or its clock and its arithmetic
 * say otherwise about t= or x= than our reader did. */
bool dkim_libopendkim_takes(const struct signature *signature);

#endif
