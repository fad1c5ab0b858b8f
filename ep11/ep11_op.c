#include <string.h>

#include "ep11_op.h"
#include "ep11_slice.h"

hsa_rc
ep11_op_encode(struct hsa_buf *b, const struct hsa_mech *m,
    struct hsa_slice key, size_t work_len)
{
	uint8_t *work;

	if (m->a.n > UINT16_MAX || m->b.n > UINT16_MAX || key.n > UINT16_MAX ||
	    work_len > UINT16_MAX)
		return HSA_RC(E_RANGE);
	hsa_buf_u8(b, 0);
	hsa_buf_be64(b, m->type);
	hsa_buf_u8(b, (uint8_t)m->kind);
	hsa_buf_be64(b, m->hash);
	hsa_buf_be64(b, m->mgf);
	hsa_buf_be64(b, m->source_type);
	hsa_buf_be64(b, m->salt_len);
	hsa_buf_be64(b, m->kdf);
	hsa_buf_be64(b, m->tag_bits);
	ep11_slice_put(b, m->a);
	ep11_slice_put(b, m->b);
	ep11_slice_put(b, key);
	hsa_buf_be16(b, (uint16_t)work_len);
	work = hsa_buf_reserve(b, work_len);
	if (work == NULL)
		return HSA_RC(E_NOMEM);
	memset(work, 0, work_len);
	b->len += work_len;
	return hsa_buf_rc(b);
}

hsa_rc
ep11_op_decode(struct ep11_op *op, uint8_t *p, size_t n)
{
	struct hsa_cur c = hsa_cur_of(p, n);
	struct ep11_op got = {0};
	struct hsa_slice work = {0};
	uint8_t fed = 0, kind = 0;
	hsa_rc rc;

	HSA_TRY(rc, hsa_cur_u8(&c, &fed));
	HSA_TRY(rc, hsa_cur_be64(&c, &got.mech.type));
	HSA_TRY(rc, hsa_cur_u8(&c, &kind));
	HSA_TRY(rc, hsa_cur_be64(&c, &got.mech.hash));
	HSA_TRY(rc, hsa_cur_be64(&c, &got.mech.mgf));
	HSA_TRY(rc, hsa_cur_be64(&c, &got.mech.source_type));
	HSA_TRY(rc, hsa_cur_be64(&c, &got.mech.salt_len));
	HSA_TRY(rc, hsa_cur_be64(&c, &got.mech.kdf));
	HSA_TRY(rc, hsa_cur_be64(&c, &got.mech.tag_bits));
	HSA_TRY(rc, ep11_slice_get(&c, &got.mech.a));
	HSA_TRY(rc, ep11_slice_get(&c, &got.mech.b));
	HSA_TRY(rc, ep11_slice_get(&c, &got.key));
	HSA_TRY(rc, ep11_slice_get(&c, &work));
	HSA_TRY(rc, hsa_cur_end(&c));
	if (fed > 1 || kind > HSA_MECH_OTHER) {
		rc = HSA_RC(E_FORMAT);
		goto out;
	}
	got.fed = fed == 1;
	got.mech.kind = (enum hsa_mech_kind)kind;
	got.work = p + (n - work.n);
	got.work_len = work.n;
	*op = got;
out:
	return rc;
}

void
ep11_op_feed(struct ep11_op *op, uint8_t *p)
{
	op->fed = true;
	p[0] = 1;
}

struct ep11_chain *
ep11_chain_of(const struct ep11_op *op)
{
	struct ep11_chain *c = (struct ep11_chain *)op->work;

	if (op->work_len != sizeof(*c) || c->held_len > sizeof(c->held) ||
	    c->spent > 1)
		return NULL;
	return c;
}
