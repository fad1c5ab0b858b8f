/* Covers: tke_request_decode tke_reply_encode tke_reply_decode */
#include <stdlib.h>
#include <string.h>

#include "tke_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The unit's answer to a request, read by the client. */
static void
answered(const struct tke_request *q)
{
	struct hsa_buf b = {0}, cprb = {0};
	struct tke_slice payload = {0};

	if (!hsa_is_ok(tke_reply_encode(&b, q, q->payload.p, q->payload.n)) ||
	    !hsa_is_ok(tke_reply_decode(
		&cprb, &payload, (const char *)b.p, b.len, NULL)) ||
	    payload.n != q->payload.n ||
	    memcmp(payload.p, q->payload.p, payload.n) != 0)
		abort();
	hsa_buf_free(&b);
	hsa_buf_free(&cprb);
}

/* Input: a CPRB in binary; the text around it is always right. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hsa_buf rest = {0}, text = {0};
	struct tke_request q = {0};
	enum tke_host_error host = TKE_HOST_OK;

	if (size > 4096)
		return 0;
	hsa_buf_str(&rest, ";PCI request;XPNUM   ;3;        ;");
	hsa_buf_hex(&rest, data, size);
	hsa_buf_printf(&text, "%zu", rest.len);
	hsa_buf_put(&text, rest.p, rest.len);
	if (hsa_is_ok(tke_request_decode(
		&q, &host, (const char *)text.p, text.len, NULL)))
		answered(&q);
	tke_request_free(&q);
	hsa_buf_free(&rest);
	hsa_buf_free(&text);
	return 0;
}
