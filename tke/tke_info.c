/* get_xcp_info, ep11-tke-wire 5.2. */
#include <string.h>

#include "tke_der.h"
#include "tke_wire.h"

hsa_rc
tke_info_request_decode(struct tke_info_request *q, const void *p, size_t n)
{
	struct hsa_cur all = hsa_cur_of(p, n), in = {0};
	struct tke_info_request r = {0};
	uint32_t fn = 0, spare = 0;
	hsa_rc rc;

	HSA_TRY(rc, tke_der_enter(&all, &in, TKE_DER_SEQ));
	HSA_TRY(rc, hsa_cur_end(&all));
	HSA_TRY(rc, tke_der_u32(&in, &fn));
	HSA_TRY(rc, tke_der_u32(&in, &r.domain_index));
	HSA_TRY(rc, tke_der_u32(&in, &r.subtype));
	HSA_TRY(rc, tke_der_u32(&in, &spare));
	HSA_TRY(rc, hsa_cur_end(&in));
	if (fn != TKE_FN_XCP_INFO || spare != 0)
		return HSA_RC(E_FORMAT);
	*q = r;
out:
	return rc;
}

hsa_rc
tke_info_request_encode(struct hsa_buf *b, const struct tke_info_request *q)
{
	size_t at = b->len;

	tke_der_put_u32(b, TKE_FN_XCP_INFO);
	tke_der_put_u32(b, q->domain_index);
	tke_der_put_u32(b, q->subtype);
	tke_der_put_u32(b, 0);
	tke_der_wrap(b, at, TKE_DER_SEQ);
	return hsa_buf_rc(b);
}

hsa_rc
tke_info_reply_encode(struct hsa_buf *b, uint32_t domain_index, uint32_t rc,
    const void *data, size_t n)
{
	size_t at = b->len;

	tke_der_put_u32(b, TKE_FN_XCP_INFO);
	tke_der_put_u32(b, domain_index);
	tke_der_put_u32(b, rc);
	tke_der_put(b, TKE_DER_OCTETS, data, n);
	tke_der_wrap(b, at, TKE_DER_SEQ);
	return hsa_buf_rc(b);
}

hsa_rc
tke_info_reply_decode(
    struct tke_slice *data, uint32_t *code, const void *p, size_t n)
{
	struct hsa_cur all = hsa_cur_of(p, n), in = {0};
	struct tke_slice v = {0};
	uint32_t fn = 0, domain = 0, c = 0;
	hsa_rc rc;

	HSA_TRY(rc, tke_der_enter(&all, &in, TKE_DER_SEQ));
	HSA_TRY(rc, hsa_cur_end(&all));
	HSA_TRY(rc, tke_der_u32(&in, &fn));
	HSA_TRY(rc, tke_der_u32(&in, &domain));
	HSA_TRY(rc, tke_der_u32(&in, &c));
	HSA_TRY(rc, tke_der_value(&in, &v, TKE_DER_OCTETS));
	HSA_TRY(rc, hsa_cur_end(&in));
	if (fn != TKE_FN_XCP_INFO)
		return HSA_RC(E_FORMAT);
	*code = c;
	*data = v;
out:
	return rc;
}

static uint8_t *
be32(uint8_t *to, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		*to++ = (uint8_t)(v >> (24 - 8 * i));
	return to;
}

void
tke_domain_info_encode(
    uint8_t out[TKE_DOMINFO_LEN], const struct tke_domain_info *i)
{
	uint8_t *to = be32(out, i->domain_index);

	memcpy(to, i->current, sizeof(i->current));
	to += sizeof(i->current);
	memcpy(to, i->pending, sizeof(i->pending));
	to += sizeof(i->pending);
	to = be32(to, i->flags);
	to = be32(to, i->operational_mode);
	be32(to, i->standards);
}

hsa_rc
tke_domain_info_decode(struct tke_domain_info *i, const void *p, size_t n)
{
	struct hsa_cur c = hsa_cur_of(p, n);
	struct tke_domain_info d = {0};
	hsa_rc rc;

	HSA_TRY(rc, hsa_cur_be32(&c, &d.domain_index));
	HSA_TRY(rc, hsa_cur_copy(&c, d.current, sizeof(d.current)));
	HSA_TRY(rc, hsa_cur_copy(&c, d.pending, sizeof(d.pending)));
	HSA_TRY(rc, hsa_cur_be32(&c, &d.flags));
	HSA_TRY(rc, hsa_cur_be32(&c, &d.operational_mode));
	HSA_TRY(rc, hsa_cur_be32(&c, &d.standards));
	/* newer modules say more (5.2: at least 80 bytes): not an error */
	*i = d;
out:
	return rc;
}
