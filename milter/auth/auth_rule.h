/*
 * auth_rule - which rule of which RFC stands behind a reason
 *
 * DKIM, ARC and DMARC give their outcomes a reason in constant words
 * (dkim_verify.h, arc.h, dmarc.h). People who want to know who decided that
 * are told the section.
 */
#ifndef TOCSIN_AUTH_AUTH_RULE_H
#define TOCSIN_AUTH_AUTH_RULE_H

/* "RFC 8301, 3.1" and the like; NULL for NULL and for words that are none of
 * the reasons. */
const char *auth_rule(const char *reason);

#endif
