/*
 * mime_defect - what can be odd about a message's form: the closed list
 *
 * `mime.defect` in the policy language holds these names and no others. The
 * message parser sets them; the policy's field table knows them. Ordinary mail
 * has none. A defect is evidence, never an error: what was ambiguous has been
 * read in each plausible way (milter/message/mime.h).
 */
#ifndef TOCSIN_BASE_MIME_DEFECT_H
#define TOCSIN_BASE_MIME_DEFECT_H

#include <stdint.h>

#include "base/slice.h"

/* X(SYMBOL, "name", "what it means") */
#define MIME_DEFECT_TABLE(X)                                                   \
	X(BARE_CR, "bare-cr", "a CR without LF in a header or a text body")    \
	X(BARE_LF, "bare-lf", "LF and CRLF both end lines of the body")        \
	X(NUL_OCTET, "nul-octet",                                              \
	    "a NUL in a header or a body that is not "                         \
	    "declared binary")                                                 \
	X(HEADER_MALFORMED, "header-malformed",                                \
	    "a line that is no header field inside a header block")            \
	X(HEADER_FOLDED_ODDLY, "header-folded-oddly",                          \
	    "a header that matters for MIME is folded before its colon, by a " \
	    "blank line or by VT or FF")                                       \
	X(TYPE_DUPLICATE, "type-duplicate",                                    \
	    "several Content-Type headers on one part that differ")            \
	X(TYPE_MALFORMED, "type-malformed",                                    \
	    "Content-Type that is not type/subtype, yet may be read as one")   \
	X(BOUNDARY_MISSING, "boundary-missing",                                \
	    "a multipart without boundary")                                    \
	X(BOUNDARY_AMBIGUOUS, "boundary-ambiguous",                            \
	    "several boundaries can be read from one part's headers")          \
	X(BOUNDARY_NESTED, "boundary-nested",                                  \
	    "a boundary equals or begins the one of an enclosing part")        \
	X(DELIMITER_ODD, "delimiter-odd",                                      \
	    "a line that is a delimiter for some readers only")                \
	X(DELIMITER_MISSING, "delimiter-missing",                              \
	    "a multipart without any part, or cut before its close delimiter") \
	X(PART_AFTER_CLOSE, "part-after-close",                                \
	    "a delimiter after the close delimiter")                           \
	X(CONTENT_OUTSIDE, "content-outside",                                  \
	    "encoded content before the first or after the last delimiter, "   \
	    "or a link before the first")                                      \
	X(ENCODING_DUPLICATE, "encoding-duplicate",                            \
	    "several Content-Transfer-Encoding headers that differ")           \
	X(ENCODING_MALFORMED, "encoding-malformed",                            \
	    "a transfer encoding with decoration that some readers ignore")    \
	X(ENCODING_UNKNOWN, "encoding-unknown",                                \
	    "a transfer encoding that is not registered")                      \
	X(ENCODING_COMPOSITE, "encoding-composite",                            \
	    "a multipart that is itself base64 or quoted-printable")           \
	X(BASE64_PADDING, "base64-padding",                                    \
	    "padding inside base64 with data after it, or of a wrong length")  \
	X(BASE64_JUNK, "base64-junk",                                          \
	    "octets inside base64 that are neither base64 nor white space")    \
	X(QUOTED_PRINTABLE_MALFORMED, "quoted-printable-malformed",            \
	    "an escape that is none, or data that readers keep or drop")       \
	X(UUENCODE_MALFORMED, "uuencode-malformed",                            \
	    "uuencoded data without its first or last line")                   \
	X(DISPOSITION_DUPLICATE, "disposition-duplicate",                      \
	    "several Content-Disposition headers on one part that differ")     \
	X(NAME_AMBIGUOUS, "name-ambiguous",                                    \
	    "file names of one part that readers see differently")             \
	X(TYPE_NAME_CONFLICT, "type-name-conflict",                            \
	    "declared as text, named like an image, archive or program")       \
	X(PARAM_MALFORMED, "param-malformed",                                  \
	    "a parameter that matters is duplicated, broken or misnumbered")   \
	X(ENCODED_WORD_MALFORMED, "encoded-word-malformed",                    \
	    "an encoded word (RFC 2047) that readers decode differently")      \
	X(CHARSET_UNKNOWN, "charset-unknown",                                  \
	    "a text part in a charset that cannot be converted")               \
	X(MESSAGE_PARTIAL, "message-partial",                                  \
	    "a fragment of a message that is put together elsewhere")          \
	X(EXTERNAL_BODY, "external-body", "content that is fetched elsewhere") \
	X(TOO_DEEP, "too-deep", "limit: parts nested deeper than read")        \
	X(TOO_MANY_PARTS, "too-many-parts", "limit: more parts than read")     \
	X(TOO_MANY_HEADERS, "too-many-headers",                                \
	    "limit: more header fields than kept")                             \
	X(HEADERS_TOO_LARGE, "headers-too-large",                              \
	    "limit: more header octets than kept")                             \
	X(TOO_MANY_PARAMS, "too-many-params",                                  \
	    "limit: more parameters on one header than read")                  \
	X(TOO_LARGE, "too-large", "limit: body or decoded octets not read")    \
	X(TOO_MANY_READINGS, "too-many-readings",                              \
	    "limit: more readings than were tried")                            \
	X(TOO_MANY_URLS, "too-many-urls", "limit: more URLs than kept")        \
	X(TEXT_TOO_LARGE, "text-too-large",                                    \
	    "limit: more text, or more HTML, than read")

enum mime_defect {
#define MIME_DEFECT_SYMBOL(symbol, name, text) MIME_DEFECT_##symbol,
	MIME_DEFECT_TABLE(MIME_DEFECT_SYMBOL)
#undef MIME_DEFECT_SYMBOL
	MIME_DEFECT_COUNT
};

/* A set of them, one bit each. */
typedef uint64_t mime_defect_set;

#define MIME_DEFECT_BIT(defect) (UINT64_C(1) << (defect))

/* The defects that say that a limit ended the work (analysis.incomplete). */
#define MIME_DEFECTS_OF_LIMITS                               \
	(MIME_DEFECT_BIT(MIME_DEFECT_TOO_DEEP) |             \
	    MIME_DEFECT_BIT(MIME_DEFECT_TOO_MANY_PARTS) |    \
	    MIME_DEFECT_BIT(MIME_DEFECT_TOO_MANY_HEADERS) |  \
	    MIME_DEFECT_BIT(MIME_DEFECT_HEADERS_TOO_LARGE) | \
	    MIME_DEFECT_BIT(MIME_DEFECT_TOO_MANY_PARAMS) |   \
	    MIME_DEFECT_BIT(MIME_DEFECT_TOO_LARGE) |         \
	    MIME_DEFECT_BIT(MIME_DEFECT_TOO_MANY_READINGS) | \
	    MIME_DEFECT_BIT(MIME_DEFECT_TOO_MANY_URLS) |     \
	    MIME_DEFECT_BIT(MIME_DEFECT_TEXT_TOO_LARGE))

/* The name and the one-line description; constant. */
const char *mime_defect_name(enum mime_defect defect);
const char *mime_defect_description(enum mime_defect defect);

/* Finds a defect by its name; false when there is none of that name. */
bool mime_defect_find(struct slice name, enum mime_defect *defect_out);

#endif
