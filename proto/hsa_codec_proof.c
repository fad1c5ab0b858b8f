#include <string.h>

#include "audit.pb-c.h"
#include "hsa_codec.h"
#include "hsa_codec_wire.h"
#include "hsa_proof.h"

#define RECORD 1u
#define CONTEXT 2u
#define CONTEXT_PROOF 3u
#define EXTRA_MAX (2 * HSA_RECORD_MAX + HSA_PROOF_WAY_MAX * 34u + 16u)

static hsa_rc
limits(const struct hsa_proof_extra *x)
{
	if (x->record.n > HSA_RECORD_MAX || x->context.n > HSA_RECORD_MAX ||
	    x->way_len > HSA_PROOF_WAY_MAX)
		return HSA_RC(E_RANGE);
	/* a way without the context that it is of says nothing */
	if (x->record.n == 0 || (x->context.n == 0 && x->way_len != 0))
		return HSA_RC(E_FORMAT);
	return HSA_OK;
}

static void
extra(struct hsa_out *o, const void *arg)
{
	const struct hsa_proof_extra *x = arg;

	hsa_out_bytes_opt(o, RECORD, x->record.p, x->record.n);
	hsa_out_bytes_opt(o, CONTEXT, x->context.p, x->context.n);
	for (size_t i = 0; i < x->way_len; i++)
		hsa_out_bytes(o, CONTEXT_PROOF, x->way[i], HSA_SHA256_LEN);
}

hsa_rc
hsa_proof_extra_encode(struct hsa_buf *b, const struct hsa_proof_extra *x)
{
	hsa_rc rc;

	HSA_TRY(rc, limits(x));
	rc = hsa_out_write(b, extra, x, EXTRA_MAX, false);
out:
	return rc;
}

static hsa_rc
take(struct hsa_proof_extra *x, const struct hsa_wire_field *f)
{
	switch (f->desc->id) {
	case RECORD:
		x->record = (struct hsa_slice){f->p, f->n};
		return HSA_OK;
	case CONTEXT:
		x->context = (struct hsa_slice){f->p, f->n};
		return HSA_OK;
	default:
		if (x->way_len == HSA_PROOF_WAY_MAX)
			return HSA_RC(E_RANGE);
		if (f->n != HSA_SHA256_LEN)
			return HSA_RC(E_FORMAT);
		memcpy(x->way[x->way_len++], f->p, HSA_SHA256_LEN);
		return HSA_OK;
	}
}

hsa_rc
hsa_proof_extra_decode(struct hsa_proof_extra *to, const void *p, size_t n)
{
	struct hsa_wire w =
	    hsa_wire_of(&hsa__v1__proof_extra__descriptor, 0, p, n);
	struct hsa_proof_extra x = {.way_len = 0};
	struct hsa_wire_field f;
	hsa_rc rc = HSA_OK;

	while (hsa_cur_left(&w.cur) != 0) {
		HSA_TRY(rc, hsa_wire_next(&w, &f));
		HSA_TRY(rc, take(&x, &f));
	}
	HSA_TRY(rc, limits(&x));
	*to = x;
out:
	return rc;
}
