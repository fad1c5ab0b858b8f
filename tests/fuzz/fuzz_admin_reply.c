/* Covers: tke_admin_reply_decode tke_info_reply_decode */
/* Covers: tke_domain_info_decode */
#include <stdlib.h>
#include <string.h>

#include "tke_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tke_admin_reply r = {0};
	struct tke_domain_info i = {0};
	struct tke_slice info = {0};
	struct hsa_buf block = {0};
	struct hsa_diag diag = {0};
	uint8_t out[TKE_DOMINFO_LEN];
	uint32_t rc = 0;

	if (hsa_is_ok(tke_admin_reply_decode(&r, data, size, &diag)) &&
	    r.envelope_rc == 0 &&
	    (r.domain.n != TKE_DOMAIN_LEN || r.module.n != TKE_MODULE_LEN ||
		r.counter.n != TKE_COUNTER_LEN ||
		!hsa_is_ok(tke_admin_reply_block_encode(&block, r.command,
		    r.domain.p, r.module.p, r.counter.p, r.rc, r.output)) ||
		block.len > r.block.n))
		abort();
	hsa_buf_free(&block);
	if (hsa_is_ok(tke_info_reply_decode(&info, &rc, data, size)) &&
	    hsa_is_ok(tke_domain_info_decode(&i, info.p, info.n))) {
		tke_domain_info_encode(out, &i);
		if (memcmp(out, info.p, sizeof(out)) != 0)
			abort();
	}
	return 0;
}
