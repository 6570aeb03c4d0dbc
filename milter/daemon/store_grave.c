#include <config.h>

#include <stdatomic.h>
#include <stdlib.h>

#include "daemon/store_grave.h"

struct grave {
	struct grave *next;
	struct store *store;
};

static _Atomic(struct grave *) newest;

void
store_grave_bury(struct store *store)
{
	struct grave *grave = malloc(sizeof *grave);

	if (grave == NULL) {
		store_close(&store);
		return;
	}
	grave->store = store;
	grave->next = atomic_load(&newest);
	while (!atomic_compare_exchange_weak(&newest, &grave->next, grave))
		;
}

void
store_grave_clear(void)
{
	struct grave *grave = atomic_exchange(&newest, NULL);

	while (grave != NULL) {
		struct grave *next = grave->next;

		store_close(&grave->store);
		free(grave);
		grave = next;
	}
}
