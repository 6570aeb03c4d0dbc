#include <config.h>

#include "daemon/backoff.h"

uint64_t
backoff_next_ms(struct backoff *backoff, uint64_t lived_ms)
{
	uint64_t delay_ms;

	if (lived_ms >= BACKOFF_SOUND_MS)
		backoff->early_ends = 0;
	if (backoff->early_ends == 0) {
		backoff->early_ends = 1;
		return 0;
	}
	delay_ms = BACKOFF_FIRST_MS;
	for (unsigned i = 1;
	     i < backoff->early_ends && delay_ms < BACKOFF_LAST_MS; i++)
		delay_ms *= 2;
	backoff->early_ends++;
	return delay_ms < BACKOFF_LAST_MS ? delay_ms : BACKOFF_LAST_MS;
}
