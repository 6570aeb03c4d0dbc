/* DMARC records: no crash, and every record has policies. */
#include <config.h>

#include <assert.h>
#include <stdint.h>

#include "auth/dmarc_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_make(data, size);
	struct dmarc_record record;

	if (dmarc_record_parse(text, &record) != TC_OK)
		return 0;
	assert(dmarc_policy_name(record.p) != NULL);
	assert(dmarc_policy_name(record.sp) != NULL);
	assert(dmarc_policy_name(record.np) != NULL);
	assert(record.usable || record.rua.length == 0);
	assert(record.rua.length < size && record.ruf.length < size);
	return 0;
}
