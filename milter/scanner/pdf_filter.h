/*
 * pdf_filter - undoes what a PDF's streams are coded with
 *
 * ISO 32000-1, 7.4: Flate, LZW, run lengths, ASCIIHex, ASCII85, and the
 * predictors behind the first two. A stream that breaks off is good as far as
 * it goes. Reads nothing beyond the bytes given; what is unpacked is charged
 * to a budget.
 */
#ifndef TOCSIN_SCANNER_PDF_FILTER_H
#define TOCSIN_SCANNER_PDF_FILTER_H

#include "scanner/bytes.h"

enum pdf_filter {
	PDF_FILTER_FLATE,
	PDF_FILTER_LZW,
	PDF_FILTER_RUNS,
	PDF_FILTER_HEX,
	PDF_FILTER_85,
	PDF_FILTER_OTHER /* of pictures, or encrypted */
};

/* What a dictionary says of the numbers that filters need. */
struct pdf_parameters {
	unsigned predictor; /* 1: none */
	unsigned columns, colors, bits;
	bool late_change; /* of LZW's width */
};

struct pdf_budget {
	size_t bytes_left;   /* of the document */
	size_t bytes_max;    /* of one stream */
	unsigned ratio;      /* beyond the first megabyte */
	const char *reached; /* name of a reason; NULL: none */
};

/* By its long or short name. */
enum pdf_filter pdf_filter_of(struct slice name, bool *known_out);

/* True for octets that Flate may have written. */
bool pdf_filter_is_flate(struct slice coded);

/* Decodes into memory of its own, which the caller frees. *used_out: octets
 * of `coded` that it took. */
struct bytes pdf_filter_undo(enum pdf_filter filter, struct slice coded,
    const struct pdf_parameters *parameters, struct pdf_budget *budget,
    size_t *used_out);

/* Undoes the predictor in place. */
void pdf_filter_unpredict(
    const struct pdf_parameters *parameters, struct bytes *bytes);

/* Appends the digits up to a '>', passing over all else. */
void pdf_filter_add_hex(struct slice coded, struct bytes *out);

#endif
