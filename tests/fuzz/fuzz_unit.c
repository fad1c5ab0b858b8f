/* Covers: hsa_unit_request_decode hsa_unit_reply_decode */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hsa_buf.h"
#include "hsa_unit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int holds)
{
	if (!holds)
		abort();
}

static void
request(const uint8_t *data, size_t size)
{
	struct hsa_unit_request q = {0};
	struct hsa_buf again = {0};
	size_t used = 0;

	if (!hsa_is_ok(hsa_unit_request_decode(&q, &used, data, size)))
		return;
	must(hsa_is_ok(hsa_unit_request_encode(&again, &q)));
	must(again.len == used && memcmp(again.p, data, used) == 0);
	hsa_unit_request_free(&q);
	hsa_buf_free(&again);
}

static void
reply(const uint8_t *data, size_t size)
{
	static struct hsa_unit_reply r;
	struct hsa_buf again = {0};
	size_t used = 0;

	if (!hsa_is_ok(hsa_unit_reply_decode(&r, &used, data, size)))
		return;
	must(hsa_is_ok(hsa_unit_reply_encode(&again, &r)));
	must(again.len == used && memcmp(again.p, data, used) == 0);
	hsa_unit_reply_free(&r);
	hsa_buf_free(&again);
}

/* Both directions read the same bytes: each refuses most of the other's. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	request(data, size);
	reply(data, size);
	return 0;
}
