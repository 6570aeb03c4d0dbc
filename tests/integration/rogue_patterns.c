/*
 * rogue_patterns - a Vectorscan that crashes at the pattern "roguecrash"
 *
 * Stands in for the library's function in rogue_tocsind, and takes no pattern
 * at all.
 */
#include <config.h>

#include <hs/hs.h>
#include <stdlib.h>
#include <string.h>

hs_error_t
hs_compile_multi(const char *const *expressions, const unsigned *flags,
    const unsigned *ids, unsigned elements, unsigned mode,
    const hs_platform_info_t *platform, hs_database_t **db,
    hs_compile_error_t **error)
{
	(void)flags;
	(void)ids;
	(void)mode;
	(void)platform;
	for (unsigned i = 0; i < elements; i++)
		if (strstr(expressions[i], "roguecrash") != NULL)
			abort();
	*db = NULL;
	*error = NULL;
	return HS_COMPILER_ERROR;
}
