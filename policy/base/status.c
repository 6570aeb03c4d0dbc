#include <config.h>

#include "base/status.h"

const char *
status_name(enum tc_status status)
{
	switch (status) {
	case TC_OK:
		return "ok";
	case TC_AGAIN:
		return "again";
	case TC_LIMIT:
		return "limit";
	case TC_INVALID:
		return "invalid";
	case TC_SYSTEM:
		return "system";
	}
	return "unknown";
}
