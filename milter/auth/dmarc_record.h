/*
 * dmarc_record - read one DMARC record (RFC 9989, 4.6 to 4.8)
 */
#ifndef TOCSIN_AUTH_DMARC_RECORD_H
#define TOCSIN_AUTH_DMARC_RECORD_H

#include "base/slice.h"
#include "base/status.h"

enum dmarc_policy {
	DMARC_POLICY_NONE,
	DMARC_POLICY_QUARANTINE,
	DMARC_POLICY_REJECT
};

enum dmarc_alignment {
	DMARC_RELAXED,
	DMARC_STRICT
};

enum dmarc_psd {
	DMARC_PSD_UNKNOWN, /* psd=u, the default */
	DMARC_PSD_YES,
	DMARC_PSD_NO
};

/* One DMARC record as read (RFC 9989, 4.7 and 4.8), defaults filled in. */
struct dmarc_record {
	enum dmarc_policy p;
	enum dmarc_policy sp; /* = p where absent */
	enum dmarc_policy np; /* = sp where absent */
	/* False: p= is missing or bad, or sp= or np= is bad, and no rua= can be
	 * read; the record then asks for nothing (RFC 9989, 4.7). With a rua=
	 * it is as p=none. */
	bool usable;
	enum dmarc_alignment adkim;
	enum dmarc_alignment aspf;
	enum dmarc_psd psd;
	bool testing;     /* t=y */
	bool fail_dkim;   /* fo= holds d */
	bool fail_spf;    /* fo= holds s */
	bool fail_any;    /* fo= holds 1 */
	struct slice rua; /* as written; empty where absent or malformed */
	struct slice ruf;
};

/* Reads a TXT record. TC_INVALID: it is no DMARC record, since v=DMARC1 does
 * not stand at its start. Unknown tags and such as cannot be read are ignored;
 * of a tag that stands twice the first counts. Slices point into `text`. */
enum tc_status dmarc_record_parse(
    struct slice text, struct dmarc_record *record_out);

const char *dmarc_policy_name(enum dmarc_policy policy);

#endif
