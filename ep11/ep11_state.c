#include <string.h>

#include "ep11_core.h"
#include "ep11_state.h"
#include "hsa_hash.h"

CK_RV
ep11_state_seal(struct ep11_engine *e, struct hsa_buf *out,
    enum ep11_state_kind kind, const void *body, size_t n)
{
	size_t max =
	    kind == EP11_STATE_DIGEST ? EP11_STATE_DIGEST_MAX : EP11_STATE_MAX;
	size_t at = out->len;
	uint8_t iv[16], *to;
	CK_RV rv;

	if (!e->current.set)
		return CKR_IBM_WK_NOT_INITIALIZED;
	if (n > max - EP11_STATE_HEAD - EP11_MAC_LEN)
		return CKR_DATA_LEN_RANGE;
	rv = e->token.ops->random(e->token.ctx, iv, sizeof(iv));
	if (rv != CKR_OK)
		return ep11_trouble(rv);
	ep11_state_head_put(out, kind, iv, e->current.id, n);
	to = hsa_buf_reserve(out, n + EP11_MAC_LEN);
	if (to == NULL)
		return CKR_HOST_MEMORY;
	memcpy(to, body, n);
	rv = ep11_wk_crypt(&e->current, &e->token, iv, to, n);
	if (rv == CKR_OK)
		rv = ep11_wk_mac(&e->current, &e->token, to + n, out->p + at,
		    EP11_STATE_HEAD + n);
	if (rv != CKR_OK) {
		hsa_wipe(to, n);
		out->len = at;
		return ep11_trouble(rv);
	}
	out->len += n + EP11_MAC_LEN;
	return CKR_OK;
}

CK_RV
ep11_state_open(struct ep11_engine *e, struct hsa_buf *body,
    enum ep11_state_kind kind, struct hsa_slice state)
{
	struct ep11_state_head h = {0};
	uint8_t mac[EP11_MAC_LEN], *to;
	CK_RV rv;

	if (!e->current.set)
		return CKR_IBM_WK_NOT_INITIALIZED;
	if (!hsa_is_ok(ep11_state_decode(&h, state.p, state.n)) ||
	    h.kind != kind)
		return CKR_SAVED_STATE_INVALID;
	if (memcmp(h.wkid, e->current.id, EP11_WKID_LEN) != 0)
		return CKR_IBM_WKID_MISMATCH;
	rv = ep11_wk_mac(&e->current, &e->token, mac, h.maced.p, h.maced.n);
	if (rv != CKR_OK)
		return ep11_trouble(rv);
	if (!hsa_equal_ct(mac, h.mac, sizeof(mac)))
		return CKR_SAVED_STATE_INVALID;
	to = hsa_buf_reserve(body, h.body.n);
	if (to == NULL)
		return CKR_HOST_MEMORY;
	memcpy(to, h.body.p, h.body.n);
	rv = ep11_wk_crypt(&e->current, &e->token, h.iv, to, h.body.n);
	if (rv == CKR_OK)
		body->len += h.body.n;
	return ep11_trouble(rv);
}
