/*
 * forms - where in a file an archive begins, and of which form
 *
 * Not only at its first octet: a self-extractor is a program with an archive
 * behind it, and unpackers find RAR, 7z and zip behind anything. A file may so
 * be several archives at once; each is a reading of it. By comparisons alone,
 * so that filter and workers come to the same answer.
 */
#ifndef TOCSIN_SCANNER_FORMS_H
#define TOCSIN_SCANNER_FORMS_H

#include "base/slice.h"

enum forms_set {
	FORMS_ZIP = 1 << 0,
	FORMS_ZIP_STREAM = 1 << 1, /* by local headers, in their order */
	FORMS_7ZIP = 1 << 2,
	FORMS_RAR = 1 << 3, /* 4 and 5 */
	FORMS_CAB = 1 << 4,
	FORMS_OTHER = 1 << 5, /* tar, cpio, ar, iso, lha, compressed files */
	FORMS_UUENCODE = 1 << 6,
	FORMS_ALL = FORMS_ZIP | FORMS_7ZIP | FORMS_RAR | FORMS_CAB | FORMS_OTHER
};

#define FORMS_READINGS_MAX 6

struct forms_reading {
	size_t at;      /* first octet */
	unsigned forms; /* enum forms_set bits that are tried there */
	bool sure;      /* the file says that it is one: broken is a fact */
	bool piece;     /* of what a document holds, which may lie scattered in
			 * it: broken says nothing */
};

/* Stores the archives that the file may be taken for; returns how many. Of a
 * zip's directory members_max entries are looked at. */
size_t forms_readings(struct slice content, unsigned members_max,
    struct forms_reading readings[FORMS_READINGS_MAX]);

/* True for containers that nothing here opens. */
bool forms_is_closed(struct slice content);

#endif
