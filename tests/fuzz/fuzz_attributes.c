/* Covers: tke_attributes_decode */
#include <stdlib.h>
#include <string.h>

#include "tke_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tke_attributes strict = {1, 2, 3, 4, 5}, tolerant = strict;
	uint32_t a = 0, b = 0;

	if (!hsa_is_ok(tke_attributes_decode(&strict, &a, data, size, false)))
		return 0;
	/* what the unit takes, the client reads alike */
	if (!hsa_is_ok(
		tke_attributes_decode(&tolerant, &b, data, size, true)) ||
	    a != b || memcmp(&strict, &tolerant, sizeof(strict)) != 0 ||
	    size / 8 != (size_t)__builtin_popcount(a) || (a & ~0x3eu) != 0)
		abort();
	return 0;
}
