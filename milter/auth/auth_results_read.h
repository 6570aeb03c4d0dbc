/*
 * auth_results_read - read an Authentication-Results value (RFC 8601)
 *
 * Strict for fields whose content is to be believed, lenient for seeing what a
 * careless reader might see. Neither recurses; comments nest at any depth.
 */
#ifndef TOCSIN_AUTH_AUTH_RESULTS_READ_H
#define TOCSIN_AUTH_AUTH_RESULTS_READ_H

#include "auth/auth_results.h"

/* Reads a value strictly by RFC 8601, 2.2 (with CFWS where RFC 5322 has it);
 * TC_INVALID for all else. What is read lives in the arena. */
enum tc_status auth_results_read(
    struct arena *arena, struct slice value, struct auth_results *results_out);

/* Reads what a careless reader might find: skips what is no method, takes
 * methods without regard to unknown versions. TC_INVALID only when there is
 * not even an authserv-id. */
enum tc_status auth_results_read_lenient(
    struct arena *arena, struct slice value, struct auth_results *results_out);

/* Lexical classes that the writer shares. An address is [[local-part] "@"]
 * domain-name with the "@" there and the local part a dot-atom. */
bool auth_results_is_token_octet(char c);
bool auth_results_is_address(struct slice text);

#endif
