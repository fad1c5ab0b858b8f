/* Covers: tke_oa_parse */
#include <stdlib.h>

#include "tke_oa.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tke_oa_cert c = {0};

	if (!hsa_is_ok(tke_oa_parse(&c, data, size)))
		return 0;
	/* all but the signer information and its padding is signed */
	if (c.tbs.p != data || c.tbs.n != size - 208 || c.r.n != 66 ||
	    c.s.n != 66 || c.s.p + c.s.n + 1 != data + size ||
	    c.adapter_id[12] != '\0')
		abort();
	return 0;
}
