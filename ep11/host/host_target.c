/*
 * host_target.c - see host_target.h. A number is serial << 32 | slot: never 0
 * or ~0, and its bits 24 to 31, where callers put flags, are zero.
 */
#include <stdlib.h>
#include "host_target.h"

#define FLAGS 0xff000000u
#define STEP 16u

hsa_rc
host_target_new(struct host_targets *t, uint64_t *number, host_units units)
{
	size_t i = 0;

	while (i < t->cap && t->slot[i].serial != 0)
		i++;
	if (i == t->cap) {
		void *more = NULL;

		if (t->cap >= HOST_TARGETS_MAX)
			return HSA_RC(E_FULL);
		more = realloc(t->slot, (t->cap + STEP) * sizeof(*t->slot));
		if (more == NULL)
			return HSA_RC(E_NOMEM);
		t->slot = more;
		t->cap += STEP;
		for (i = t->cap - STEP; i < t->cap; i++)
			t->slot[i].serial = 0;
		i = t->cap - STEP;
	}
	t->serial = t->serial >= 0x7fffffffu ? 1 : t->serial + 1;
	t->slot[i].serial = t->serial;
	t->slot[i].units = units;
	*number = (uint64_t)t->serial << 32 | i;
	return HSA_OK;
}

host_units *
host_target_find(const struct host_targets *t, uint64_t number)
{
	uint32_t slot = (uint32_t)number & ~FLAGS;
	uint32_t serial = (uint32_t)(number >> 32);

	if (serial == 0 || slot >= t->cap || t->slot[slot].serial != serial)
		return NULL;
	return &t->slot[slot].units;
}

void
host_target_drop(struct host_targets *t, uint64_t number)
{
	if (host_target_find(t, number) != NULL)
		t->slot[(uint32_t)number & ~FLAGS].serial = 0;
}

void
host_targets_free(struct host_targets *t)
{
	free(t->slot);
	t->slot = NULL;
	t->cap = 0;
}
