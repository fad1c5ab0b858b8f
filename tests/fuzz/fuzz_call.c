/* Covers: hsa_call_decode hsa_call_reply_decode */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hsa_buf.h"
#include "hsa_call.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int holds)
{
	if (!holds)
		abort();
}

/* The n-th function of the table, counted round. */
static enum hsa_fn
function(unsigned int n)
{
	enum hsa_fn fn = HSA_FN_NONE;

	do {
		fn = hsa_fn_next(fn);
		if (fn == HSA_FN_NONE)
			fn = hsa_fn_next(fn);
	} while (n-- != 0);
	return fn;
}

/* First byte: the function, and with the top bit its reply. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hsa_buf again = {0};
	struct hsa_call c = {0};
	enum hsa_fn fn;
	hsa_rc rc;

	if (size == 0)
		return 0;
	fn = function(data[0] & 0x7f);
	if ((data[0] & 0x80) == 0)
		rc = hsa_call_decode(&c, fn, data + 1, size - 1);
	else
		rc = hsa_call_reply_decode(&c, fn, data + 1, size - 1);
	if (!hsa_is_ok(rc))
		return 0;
	if ((data[0] & 0x80) == 0)
		must(hsa_is_ok(hsa_call_encode(&again, &c)));
	else
		must(hsa_is_ok(hsa_call_reply_encode(&again, &c)));
	must(again.len == size - 1);
	must(size == 1 || memcmp(again.p, data + 1, size - 1) == 0);
	hsa_call_free(&c);
	hsa_buf_free(&again);
	return 0;
}
