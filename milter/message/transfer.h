/*
 * transfer - content transfer encodings (RFC 2045, 6; uuencode)
 *
 * Decoders read a whole body and write into memory of the caller; each tells
 * what was odd and never writes more than it said it would. Where readers
 * disagree there is one decoder per reading.
 */
#ifndef TOCSIN_MESSAGE_TRANSFER_H
#define TOCSIN_MESSAGE_TRANSFER_H

#include <stdint.h>

#include "base/arena.h"
#include "base/mime_defect.h"

enum transfer_encoding {
	TRANSFER_IDENTITY, /* 7bit, 8bit, binary, or none declared */
	TRANSFER_BASE64,
	TRANSFER_QUOTED_PRINTABLE,
	TRANSFER_UUENCODE,
	TRANSFER_YENC,
	TRANSFER_BINHEX,
	TRANSFER_UNKNOWN
};

const char *transfer_encoding_name(enum transfer_encoding encoding);

/* Reads one Content-Transfer-Encoding value: the encoding that its clean
 * reading names. When decoration (comments, semicolons, doubled or affixed
 * words, encoded words) lets some readers see another, that one is in
 * *lenient_out, else it is the same. Defects are added to *defects. */
enum transfer_encoding transfer_encoding_read(struct arena *arena,
    struct slice value, enum transfer_encoding *lenient_out,
    mime_defect_set *defects);

/* How base64 is read where its text is not clean. */
enum base64_reading {
	BASE64_THROUGH, /* skip what is no base64; padding ends a quantum and
			 * decoding goes on after it (most mail programs) */
	BASE64_STOP,    /* as above, but the first padding ends the data */
	BASE64_IGNORE_PADDING, /* padding is skipped like any other junk */
	BASE64_TUPLES,         /* every four characters, padding or not, are a
				* quantum of those among them that are none */
	BASE64_LINE_TAILS,     /* junk hides the rest of its line */
	BASE64_WHOLE_LINES,    /* what is over at a line's end is dropped */
	BASE64_LINES           /* a line with junk is skipped as a whole */
};

struct transfer_result {
	size_t length;           /* bytes written */
	mime_defect_set defects; /* what was odd */
};

/* Bytes that the base64 decoders may write for `length` bytes of text. */
#define TRANSFER_BASE64_ROOM(length) ((length) / 4 * 3 + 8)

/* Decodes base64 to `out`, which has TRANSFER_BASE64_ROOM(text.length). */
struct transfer_result transfer_base64(
    struct slice text, enum base64_reading reading, unsigned char *out);

/* base64 in its usual reading, piece by piece. Begin with all zero. */
struct transfer_base64_stream {
	uint32_t bits;
	unsigned count;  /* characters of a quantum that is not finished */
	bool padded;     /* padding was the last that was seen of base64 */
	bool line_ended; /* a line break was the last */
	bool blank_line; /* an empty line was seen */
	mime_defect_set defects;
};

/* Decodes a piece to `out`, which has TRANSFER_BASE64_ROOM(text.length);
 * returns the bytes written. */
size_t transfer_base64_add(struct transfer_base64_stream *stream,
    struct slice text, unsigned char *out);

/* Writes what is left, at most 2 bytes. */
size_t transfer_base64_end(
    struct transfer_base64_stream *stream, unsigned char *out);

/* What becomes of a '=' that begins no escape. */
enum quoted_reading {
	QUOTED_KEEP,       /* it stays, with what follows (most programs) */
	QUOTED_DROP,       /* it goes, and a lone hexadecimal digit behind it */
	QUOTED_DROP_ESCAPE /* it goes, and the two characters behind it */
};

/* Bytes that the decoder may write for `length` bytes of text. */
#define TRANSFER_QUOTED_ROOM(length) ((length) + 32)

/* Decodes quoted-printable to `out`, which has that room. Lines are
 * independent of each other: text may be given in pieces that end with a line
 * break. */
struct transfer_result transfer_quoted_printable(
    struct slice text, enum quoted_reading reading, unsigned char *out);

/* Decodes the first yEnc file to `out`, which has text.length bytes. False
 * when there is none. */
bool transfer_yenc(struct slice text, unsigned char *out,
    struct slice *name_out, struct transfer_result *result_out);

/* Decodes the data fork of a BinHex 4.0 file (RFC 1741) into the arena, at
 * most max_bytes. False when there is none. */
bool transfer_binhex(struct arena *arena, struct slice text, size_t max_bytes,
    struct slice *content_out, struct slice *name_out);

/* Finds the next uuencoded file in *rest: takes it off, writes its bytes to
 * `out` (rest->length bytes) and its name (slice into the text, may be empty).
 * False when there is none. `need_begin` false: the data may lack its first
 * line (the part is declared uuencoded). */
bool transfer_uuencode_next(struct slice *rest, bool need_begin,
    unsigned char *out, struct slice *name_out,
    struct transfer_result *result_out);

#endif
