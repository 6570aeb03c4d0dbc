#include <config.h>

#include "base/mime_defect.h"

static const struct {
	const char *name;
	const char *description;
} defects[MIME_DEFECT_COUNT] = {
#define MIME_DEFECT_ROW(symbol, name, text) \
	[MIME_DEFECT_##symbol] = { name, text },
	MIME_DEFECT_TABLE(MIME_DEFECT_ROW)
#undef MIME_DEFECT_ROW
};

const char *
mime_defect_name(enum mime_defect defect)
{
	return defects[defect].name;
}

const char *
mime_defect_description(enum mime_defect defect)
{
	return defects[defect].description;
}

bool
mime_defect_find(struct slice name, enum mime_defect *defect_out)
{
	for (unsigned i = 0; i < MIME_DEFECT_COUNT; i++)
		if (slice_equal_text(name, defects[i].name)) {
			*defect_out = (enum mime_defect)i;
			return true;
		}
	return false;
}
