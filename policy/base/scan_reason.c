#include <config.h>

#include "base/scan_reason.h"

static const struct {
	const char *name;
	enum scan_reason_cause cause;
} reasons[] = {
#define SCAN_REASON_ROW(name, cause) { name, SCAN_REASON_OF_##cause },
	SCAN_REASON_TABLE(SCAN_REASON_ROW)
#undef SCAN_REASON_ROW
};

#define COUNT (sizeof reasons / sizeof reasons[0])

/* COUNT for none. */
static size_t
find(struct slice reason)
{
	size_t i = 0;

	while (i < COUNT && !slice_equal_text(reason, reasons[i].name))
		i++;
	return i;
}

const char *
scan_reason_known(struct slice reason)
{
	size_t i = find(reason);

	return i < COUNT ? reasons[i].name : "scanner-worker-died";
}

enum scan_reason_cause
scan_reason_cause(struct slice reason)
{
	size_t i = find(reason);

	return i < COUNT ? reasons[i].cause : SCAN_REASON_OF_FAILURE;
}

const char *
scan_reason_name(unsigned index)
{
	return index < COUNT ? reasons[index].name : NULL;
}
