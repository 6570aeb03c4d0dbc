/*
 * unit - what every cmocka program of ours includes
 *
 * UNIT_MAIN(tests) runs a table of tests with TAP output, which
 * tests/support/run_tests counts.
 */
#ifndef TOCSIN_TESTS_UNIT_H
#define TOCSIN_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"

static inline struct slice
text(const char *characters)
{
	return slice_text(characters);
}

/* Compares a slice with a C string and shows both when they differ. */
#define assert_slice(actual, expected)                                         \
	do {                                                                   \
		struct slice slice_ = (actual);                                \
		const char *expected_ = (expected);                            \
		if (!slice_equal_text(slice_, expected_))                      \
			fail_msg("\"%.*s\" is not \"%s\"", (int)slice_.length, \
			    slice_.data == NULL ? "" : slice_.data,            \
			    expected_);                                        \
	} while (0)

#define UNIT_MAIN(tests)                                          \
	int main(void)                                            \
	{                                                         \
		cmocka_set_message_output(CM_OUTPUT_TAP);         \
		return cmocka_run_group_tests(tests, NULL, NULL); \
	}

#endif
