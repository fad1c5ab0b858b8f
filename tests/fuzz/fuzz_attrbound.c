/* Covers: ep11_ab_decode */
#include <stdlib.h>
#include <string.h>

#include "ep11_attrbound.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is taken has one spelling. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hsa_buf again = {0};
	struct ep11_ab ab;

	if (!hsa_is_ok(ep11_ab_decode(&ab, data, size)))
		return 0;
	if (!hsa_is_ok(ep11_ab_encode(&again, &ab)) ||
	    again.len != size - EP11_MAC_LEN ||
	    memcmp(again.p, data, again.len) != 0)
		abort();
	hsa_buf_free(&again);
	return 0;
}
