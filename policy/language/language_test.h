/*
 * language_test - the `test` blocks of a policy
 *
 * A test never sees live feeds, lists from files, DNS or the clock: its facts
 * are those given, its time the one given (or the start of 2026). Shadow rules
 * are judged as if they were enforced.
 */
#ifndef TOCSIN_LANGUAGE_LANGUAGE_TEST_H
#define TOCSIN_LANGUAGE_LANGUAGE_TEST_H

#include "base/builder.h"
#include "language/eval.h"

/* Envelope of a test, for the callback that reads its message. Texts are empty
 * where not given. */
struct language_test_envelope {
	struct ipaddr client;
	bool has_client;
	const char *helo;
	const char *mail_from;
	const char *auth_user;
	const char *const *recipients;
	unsigned recipient_count;
};

/* Fills `facts` from the message file at `path` (already resolved) and the
 * envelope; the test's `given` is laid over it afterwards. Returns NULL, or a
 * text that says what is wrong. */
typedef const char *language_test_message(void *context, const char *path,
    const struct language_test_envelope *envelope, int64_t now,
    struct facts *facts);

struct language_test_result {
	const char *name;
	const char *place; /* file:line */
	bool passed;
	bool skipped;        /* has a message, and there is no callback */
	const char *problem; /* what was expected and what came; "" if passed */
	struct verdict verdict;
	const struct eval *eval; /* the evaluation; NULL: there was none */
	/* the rules that did otherwise than an expectation says */
	const char *const *unexpected;
	size_t unexpected_count;
};

struct language_test_options {
	language_test_message *message; /* NULL: such tests are skipped */
	void *context;
	bool trace;
};

unsigned language_test_count(const struct program *program);

/* Does an expectation of the test name this rule? */
bool language_test_names(
    const struct program *program, unsigned index, const char *rule);

/* Runs one test; all memory comes from `arena`. */
enum tc_status language_test_run(const struct program *program, unsigned index,
    const struct language_test_options *options, struct arena *arena,
    struct language_test_result *result_out);

/* After tests have run: adds which rules matched in the test to `covered`
 * (one bool per rule). */
void language_test_cover(
    const struct language_test_result *result, bool *covered);

#endif
