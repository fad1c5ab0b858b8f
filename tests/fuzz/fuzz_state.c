/* Covers: ep11_state_decode ep11_op_decode ep11_hash_decode */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ep11_hash.h"
#include "ep11_op.h"
#include "ep11_state.h"
#include "hsa_buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int holds)
{
	if (!holds)
		abort();
}

static void
head(const uint8_t *data, size_t size)
{
	struct ep11_state_head h = {0};
	struct hsa_buf b = {0};

	if (!hsa_is_ok(ep11_state_decode(&h, data, size)))
		return;
	ep11_state_head_put(&b, h.kind, h.iv, h.wkid, h.body.n);
	hsa_buf_put(&b, h.body.p, h.body.n);
	must(b.len == h.maced.n && memcmp(b.p, data, b.len) == 0);
	must(h.mac == data + b.len);
	hsa_buf_free(&b);
}

static void
work(const struct ep11_op *op)
{
	uint8_t again[EP11_HASH_SAVED], digest[EP11_HASH_MAX];
	const struct ep11_chain *c = ep11_chain_of(op);
	struct ep11_hash h;

	if (c != NULL)
		must(c->held_len <= sizeof(c->held));
	if (op->work_len != EP11_HASH_SAVED ||
	    !hsa_is_ok(ep11_hash_decode(&h, op->work)))
		return;
	ep11_hash_save(again, &h);
	must(memcmp(again, op->work, sizeof(again)) == 0);
	ep11_hash_update(&h, again, sizeof(again));
	ep11_hash_final(&h, digest);
}

static void
body(const uint8_t *data, size_t size)
{
	uint8_t *mine = malloc(size == 0 ? 1 : size);
	struct ep11_op op = {0};
	struct hsa_buf b = {0};

	must(mine != NULL);
	memcpy(mine, data, size);
	if (hsa_is_ok(ep11_op_decode(&op, mine, size))) {
		must(hsa_is_ok(
		    ep11_op_encode(&b, &op.mech, op.key, op.work_len)));
		must(b.len == size);
		b.p[0] = data[0];
		memcpy(b.p + (size - op.work_len), op.work, op.work_len);
		must(memcmp(b.p, data, size) == 0);
		work(&op);
		ep11_op_feed(&op, mine);
		must(mine[0] == 1);
	}
	hsa_buf_free(&b);
	free(mine);
}

/* A state as it comes and the body that is inside its encryption. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	head(data, size);
	body(data, size);
	return 0;
}
