/* Covers: hsa_record_decode hsa_record_peek hsa_record_json */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hsa_buf.h"
#include "hsa_codec.h"
#include "hsa_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int holds)
{
	if (!holds)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hsa_buf rest = {0}, again = {0}, json = {0};
	struct hsa_record r = {0};
	enum hsa_source source = 0;
	uint64_t seq = 0, src = 0;
	hsa_rc peek = hsa_record_peek(&seq, &source, &src, data, size);

	if (!hsa_is_ok(hsa_record_decode(&r, data, size)))
		return 0;
	/* what was read has this one spelling (FORMAT E1) */
	must(hsa_is_ok(hsa_record_encode(&rest, &r)));
	hsa_record_seal(&again, r.sequence, rest.p, rest.len);
	must(again.len == size && memcmp(again.p, data, size) == 0);
	must(hsa_is_ok(peek) && seq == r.sequence && source == r.source &&
	     src == r.source_sequence);
	hsa_record_json(&json, &r);
	must(hsa_is_ok(hsa_buf_rc(&json)) && json.p[json.len - 1] == '}');
	hsa_record_free(&r);
	hsa_buf_free(&rest);
	hsa_buf_free(&again);
	hsa_buf_free(&json);
	return 0;
}
