#include <string.h>

#include "ep11_attrbound.h"
#include "ep11_slice.h"
#include "hsa_call.h"

static const uint8_t magic[4] = {'E', 'A', 'B', 1};

/* AES key wrap with padding: whole blocks of 8, at least two */
#define MATERIAL_MIN 16u

static bool
valid(const struct ep11_ab *a)
{
	bool private = a->cls == CKO_PRIVATE_KEY;

	return (private || a->cls == CKO_SECRET_KEY) && a->type <= 0xffffff &&
	       (a->form == EP11_FORM_OBJECT || a->form == EP11_FORM_VALUE) &&
	       (a->how == EP11_AB_AES || a->how == EP11_AB_RSA) &&
	       (private ? a->spki.n != 0 : a->spki.n + a->params.n == 0) &&
	       a->transport.n != 0 && a->material.n >= MATERIAL_MIN &&
	       a->material.n % 8 == 0;
}

hsa_rc
ep11_ab_encode(struct hsa_buf *b, const struct ep11_ab *ab)
{
	if (!valid(ab))
		return HSA_RC(E_FORMAT);
	if (ab->params.n > UINT16_MAX || ab->spki.n > UINT16_MAX ||
	    ab->transport.n > UINT16_MAX)
		return HSA_RC(E_RANGE);
	hsa_buf_put(b, magic, sizeof(magic));
	hsa_buf_be32(b, (uint32_t)(ab->cls << 24 | ab->type));
	hsa_buf_be32(b, ab->bools);
	hsa_buf_be32(b, ab->bits);
	hsa_buf_u8(b, (uint8_t)ab->form);
	hsa_buf_u8(b, (uint8_t)ab->how);
	ep11_slice_put(b, ab->params);
	ep11_slice_put(b, ab->spki);
	ep11_slice_put(b, ab->transport);
	hsa_buf_put(b, ab->material.p, ab->material.n);
	return hsa_buf_rc(b);
}

hsa_rc
ep11_ab_decode(struct ep11_ab *ab, const void *p, size_t n)
{
	struct hsa_cur c = hsa_cur_of(p, n);
	struct ep11_ab a = {.form = EP11_FORM_OBJECT};
	const uint8_t *head = NULL;
	uint32_t word = 0;
	uint8_t form = 0, how = 0;
	hsa_rc rc;

	if (n > HSA_BLOB_MAX)
		return HSA_RC(E_RANGE);
	HSA_TRY(rc, hsa_cur_bytes(&c, &head, sizeof(magic)));
	HSA_TRY(rc, hsa_cur_be32(&c, &word));
	HSA_TRY(rc, hsa_cur_be32(&c, &a.bools));
	HSA_TRY(rc, hsa_cur_be32(&c, &a.bits));
	HSA_TRY(rc, hsa_cur_u8(&c, &form));
	HSA_TRY(rc, hsa_cur_u8(&c, &how));
	HSA_TRY(rc, ep11_slice_get(&c, &a.params));
	HSA_TRY(rc, ep11_slice_get(&c, &a.spki));
	HSA_TRY(rc, ep11_slice_get(&c, &a.transport));
	if (hsa_cur_left(&c) < MATERIAL_MIN + EP11_MAC_LEN) {
		rc = HSA_RC(E_TRUNCATED);
		goto out;
	}
	a.material.n = hsa_cur_left(&c) - EP11_MAC_LEN;
	a.material.p = c.p;
	a.cls = word >> 24;
	a.type = word & 0xffffff;
	a.form = form == EP11_FORM_VALUE ? EP11_FORM_VALUE : EP11_FORM_OBJECT;
	a.how = how == EP11_AB_RSA ? EP11_AB_RSA : EP11_AB_AES;
	if (memcmp(head, magic, sizeof(magic)) != 0 ||
	    form != (uint8_t)a.form || how != (uint8_t)a.how || !valid(&a)) {
		rc = HSA_RC(E_FORMAT);
		goto out;
	}
	*ab = a;
out:
	return rc;
}
