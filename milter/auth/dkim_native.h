/*
 * dkim_native - our own DKIM engine: auth/canonical.h and OpenSSL
 */
#ifndef TOCSIN_AUTH_DKIM_NATIVE_H
#define TOCSIN_AUTH_DKIM_NATIVE_H

#include "auth/dkim_engine.h"

extern const struct dkim_engine dkim_native;

#endif
