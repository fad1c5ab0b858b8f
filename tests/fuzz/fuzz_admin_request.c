/* Covers: tke_admin_request_decode tke_admin_request_next */
/* Covers: tke_payload_function tke_info_request_decode */
#include <stdlib.h>
#include <string.h>

#include "tke_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Encoded again it is DER; decoded again it is the same. */
static void
again(const struct tke_admin_request *q)
{
	struct hsa_buf block = {0}, b = {0};
	struct tke_admin_request r = {0};

	if (!hsa_is_ok(tke_admin_block_encode(&block, q->command, q->domain,
		q->module, q->counter, q->input)) ||
	    block.len > q->block.n ||
	    !hsa_is_ok(tke_admin_request_encode(&b, q->domain_index,
		(struct tke_slice){block.p, block.len}, q->signatures)) ||
	    !hsa_is_ok(tke_admin_request_decode(&r, b.p, b.len, NULL)) ||
	    r.command != q->command || r.input.n != q->input.n ||
	    r.domain.n != q->domain.n || r.module.n != q->module.n ||
	    r.counter.n != q->counter.n ||
	    memcmp(r.input.p, q->input.p, r.input.n) != 0)
		abort();
	hsa_buf_free(&block);
	hsa_buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tke_admin_request q = {0};
	struct tke_info_request i = {0};
	struct hsa_diag diag = {0};
	size_t at = 0, used = 0;
	uint32_t fn = 0;

	if (hsa_is_ok(tke_admin_request_decode(&q, data, size, &diag)) &&
	    (!hsa_is_ok(tke_payload_function(&fn, data, size)) ||
		fn != TKE_FN_ADMIN))
		abort();
	for (; hsa_is_ok(tke_admin_request_next(
		 &q, &used, data + at, size - at, &diag));
	     at += used) {
		if (used == 0 || used > size - at)
			abort();
		again(&q);
	}
	if (hsa_is_ok(tke_info_request_decode(&i, data, size)) &&
	    (!hsa_is_ok(tke_payload_function(&fn, data, size)) ||
		fn != TKE_FN_XCP_INFO))
		abort();
	return 0;
}
