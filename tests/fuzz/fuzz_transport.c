/* Covers: tke_request_decode tke_reply_decode */
#include <stdlib.h>
#include <string.h>

#include "tke_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The payload put back into a transport string gives what was read. */
static void
again(const struct tke_request *q)
{
	struct hsa_buf b = {0};
	struct tke_request r = {0};
	enum tke_host_error host = TKE_HOST_OK;

	if (!hsa_is_ok(tke_request_encode(&b, q->module_index, q->domain_index,
		q->payload.p, q->payload.n)) ||
	    !hsa_is_ok(tke_request_decode(
		&r, &host, (const char *)b.p, b.len, NULL)) ||
	    r.module_index != q->module_index ||
	    r.domain_index != q->domain_index || r.payload.n != q->payload.n ||
	    memcmp(r.payload.p, q->payload.p, r.payload.n) != 0)
		abort();
	tke_request_free(&r);
	hsa_buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tke_request q = {0};
	struct hsa_buf cprb = {0};
	struct tke_slice payload = {0};
	struct hsa_diag diag = {0};
	enum tke_host_error host = TKE_HOST_OK;
	hsa_rc rc;

	rc = tke_request_decode(&q, &host, (const char *)data, size, &diag);
	if (hsa_is_ok(rc) != (host == TKE_HOST_OK))
		abort();
	if (hsa_is_ok(rc))
		again(&q);
	tke_request_free(&q);
	rc = tke_reply_decode(&cprb, &payload, (const char *)data, size, &diag);
	if (hsa_is_ok(rc) && payload.n + 32 != cprb.len)
		abort();
	hsa_buf_free(&cprb);
	return 0;
}
