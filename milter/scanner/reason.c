#include <config.h>

#include "scanner/reason.h"

static const struct {
	const char *name;
	enum reason_cause cause;
} reasons[] = {
	{ "archive-broken", REASON_OF_MAIL },
	{ "archive-form", REASON_OF_MAIL },
	{ "encrypted", REASON_OF_MAIL },
	{ "zip-names-differ", REASON_OF_MAIL },
	{ "archive-bytes", REASON_OF_LIMIT },
	{ "archive-depth", REASON_OF_LIMIT },
	{ "archive-entries", REASON_OF_LIMIT },
	{ "archive-limit", REASON_OF_LIMIT },
	{ "archive-ratio", REASON_OF_LIMIT },
	{ "content-bytes", REASON_OF_LIMIT },
	{ "embedded", REASON_OF_LIMIT },
	{ "limit", REASON_OF_LIMIT },
	{ "memory", REASON_OF_FAILURE },
	{ "scan-time", REASON_OF_FAILURE },
	{ "scanner-absent", REASON_OF_FAILURE },
	{ "scanner-worker-died", REASON_OF_FAILURE },
	{ "yara", REASON_OF_FAILURE },
};

enum reason_cause
reason_cause(struct slice reason)
{
	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
		if (slice_equal_text(reason, reasons[i].name))
			return reasons[i].cause;
	return REASON_OF_FAILURE;
}

const char *
reason_name(unsigned index)
{
	return index < sizeof reasons / sizeof reasons[0] ? reasons[index].name
							  : NULL;
}
