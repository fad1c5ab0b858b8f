/* Covers: hsa_contexts_take hsa_contexts_skip hsa_context_seal */
/*
 * A log without its files: records, each behind its length (two bytes,
 * big-endian), read one by one. What comes out encodes as a record, and a
 * reader that skips what it does not want to see is told the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hsa_buf.h"
#include "hsa_codec.h"
#include "hsa_contexts.h"
#include "hsa_cur.h"
#include "hsa_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int holds)
{
	if (!holds)
		abort();
}

/* Both ways to write a compact record. */
static void
put_again(const struct hsa_record *r, const uint8_t *p, size_t n)
{
	struct hsa_compact_record c = {
	    .sequence = r->sequence,
	    .source_sequence = r->source_sequence,
	    .wall_ns = r->wall_ns,
	    .mono_ns = r->mono_ns,
	    .ep11_rc = r->ep11_rc,
	    .ep11_reason = r->ep11_reason,
	    .has_command_id = r->has_command_id,
	    .has_use = r->has_use,
	    .use = r->use,
	    .compact = r->compact,
	};
	uint8_t to[HSA_COMPACT_MAX];

	memcpy(c.command_id, r->command_id, sizeof(c.command_id));
	must(hsa_compact_put(to, &c) == n && memcmp(to, p, n) == 0);
}

/* Any bytes, registered as a context: refused, or sealed as a record. */
static void
seal(const uint8_t *p, size_t n)
{
	struct hsa_context_place at = {1, 2, 3, 4};
	struct hsa_record r = {0};
	struct hsa_buf b = {0};

	if (hsa_is_ok(hsa_context_seal(&b, &at, p, n)) &&
	    hsa_is_ok(hsa_record_decode(&r, b.p, b.len)))
		must(r.sequence == 1 && r.source_sequence == 2 &&
		     r.wall_ns == 3 && r.mono_ns == 4 &&
		     r.source == HSA_SOURCE_SEALER);
	hsa_record_free(&r);
	hsa_buf_free(&b);
}

static void
one(struct hsa_contexts *seen, struct hsa_contexts *skipped, const uint8_t *p,
    size_t n)
{
	struct hsa_buf b = {0};
	struct hsa_record r = {0};
	bool compact;
	hsa_rc rc;

	seal(p, n);
	if (!hsa_is_ok(hsa_record_decode(&r, p, n)))
		return;
	compact = r.body == HSA_BODY_COMPACT;
	if (compact)
		put_again(&r, p, n);
	must(hsa_is_ok(hsa_contexts_skip(skipped, p, n)));
	rc = hsa_contexts_take(seen, &r);
	must(hsa_is_ok(rc) || (compact && rc.v == HSA_E_NOT_FOUND));
	must(seen->count == skipped->count);
	must((r.body == HSA_BODY_COMPACT) == !hsa_is_ok(rc));
	must(hsa_is_ok(hsa_record_encode(&b, &r)));
	hsa_buf_reset(&b);
	hsa_record_json(&b, &r);
	must(hsa_is_ok(hsa_buf_rc(&b)) && b.p[b.len - 1] == '}');
	hsa_record_free(&r);
	hsa_buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hsa_contexts seen = {0}, skipped = {0};
	struct hsa_cur c = hsa_cur_of(data, size);
	const uint8_t *p = NULL;
	uint16_t n = 0;

	while (hsa_is_ok(hsa_cur_be16(&c, &n)) &&
	       hsa_is_ok(hsa_cur_bytes(&c, &p, n)))
		one(&seen, &skipped, p, n);
	hsa_contexts_free(&seen);
	hsa_contexts_free(&skipped);
	return 0;
}
