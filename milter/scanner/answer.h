/*
 * answer - a scanner_result as bytes, and back
 *
 * The worker writes, the pool reads what it has copied. Reading trusts
 * nothing: counts are bounded by what is left, indexes by what came before.
 */
#ifndef TOCSIN_SCANNER_ANSWER_H
#define TOCSIN_SCANNER_ANSWER_H

#include "scanner/wire.h"

/* Writes the result; members' content is left out from the point where it
 * would not fit. writer->failed when not even the rest fits. */
void answer_write(
    struct wire_writer *writer, const struct scanner_result *result);

/* Reads an answer whose bytes live as long as the arena. TC_INVALID when it
 * is not one that answer_write could have made. */
enum tc_status answer_read(struct slice bytes, struct arena *arena,
    unsigned items_max, struct scanner_result *result_out);

#endif
