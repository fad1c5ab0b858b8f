#include <string.h>

#include "ep11_key_open.h"
#include "ep11_login.h"
#include "hsa_hash.h"

#define AT_WKID 32

static CK_RV
mac_right(struct ep11_engine *e, struct hsa_slice maced, const uint8_t *mac)
{
	uint8_t want[EP11_MAC_LEN] = {0};
	CK_RV rv = ep11_wk_mac(&e->current, &e->token, want, maced.p, maced.n);

	if (rv != CKR_OK)
		rv = ep11_trouble(rv);
	else if (!hsa_equal_ct(want, mac, sizeof(want)))
		rv = CKR_IBM_BLOB_ERROR;
	hsa_wipe(want, sizeof(want));
	return rv;
}

static bool
is_current(const struct ep11_engine *e, const uint8_t wkid[EP11_WKID_LEN])
{
	return memcmp(wkid, e->current.id, EP11_WKID_LEN) == 0;
}

CK_RV
ep11_key_id(
    uint8_t id[HSA_SHA256_LEN], const uint8_t *blob, const struct ep11_blob *b)
{
	/* form, bits and two lengths beside what they count */
	size_t n = EP11_BLOB_CLEAR + 9 + b->params.n + b->spki.n;

	return hsa_is_ok(hsa_sha256(id, blob, n)) ? CKR_OK
						  : CKR_FUNCTION_FAILED;
}

static CK_RV
open_public(struct ep11_engine *e, struct ep11_opened *o, struct hsa_slice p)
{
	size_t maced = 0;
	CK_RV rv;

	if (!hsa_is_ok(ep11_spki_decode(&o->spki, &maced, p.p, p.n)) ||
	    !o->spki.maced)
		return CKR_IBM_BLOB_ERROR;
	if (!is_current(e, o->spki.wkid))
		return CKR_IBM_WKID_MISMATCH;
	o->maced = (struct hsa_slice){p.p, maced};
	rv = mac_right(e, o->maced, p.p + maced + 2);
	if (rv != CKR_OK)
		return rv;
	o->is_public = true;
	o->bools = o->spki.bools;
	o->mode = o->spki.mode;
	memcpy(o->session, o->spki.session, sizeof(o->session));
	return hsa_is_ok(hsa_sha256(o->id, o->spki.spki.p, o->spki.spki.n))
		   ? CKR_OK
		   : CKR_FUNCTION_FAILED;
}

static CK_RV
open_key(struct ep11_engine *e, struct ep11_opened *o, struct hsa_slice p)
{
	CK_RV rv;

	/* what is no blob at all is not one of another master key */
	if (p.n < EP11_BLOB_CLEAR + EP11_MAC_LEN || !ep11_is_blob(p.p, p.n))
		return CKR_IBM_BLOB_ERROR;
	if (!is_current(e, p.p + AT_WKID))
		return CKR_IBM_WKID_MISMATCH;
	o->maced = (struct hsa_slice){p.p, p.n - EP11_MAC_LEN};
	rv = mac_right(e, o->maced, p.p + o->maced.n);
	if (rv != CKR_OK)
		return rv;
	if (!hsa_is_ok(ep11_blob_decode(&o->key, p.p, p.n)))
		return CKR_IBM_BLOB_ERROR;
	o->bools = o->key.bools;
	o->mode = o->key.mode;
	memcpy(o->session, o->key.session, sizeof(o->session));
	return ep11_key_id(o->id, p.p, &o->key);
}

CK_RV
ep11_key_open(
    struct ep11_engine *e, struct ep11_opened *o, struct hsa_slice blob)
{
	static const uint8_t nobody[EP11_SESSION_LEN];
	CK_RV rv;

	memset(o, 0, sizeof(*o));
	if (blob.n == 0)
		return CKR_KEY_HANDLE_INVALID;
	if (!e->current.set)
		return CKR_IBM_WK_NOT_INITIALIZED;
	if (blob.n > HSA_BLOB_MAX)
		return CKR_IBM_BLOB_ERROR;
	rv = ep11_is_spki(blob.p, blob.n) ? open_public(e, o, blob)
					  : open_key(e, o, blob);
	o->bound = memcmp(o->session, nobody, sizeof(nobody)) != 0;
	return rv;
}

CK_RV
ep11_key_allowed(
    struct ep11_engine *e, bool bound, const uint8_t session[EP11_SESSION_LEN])
{
	if (bound)
		return ep11_logins_has(e->logins, session) ? CKR_OK
							   : CKR_SESSION_CLOSED;
	return ep11_cp_on(e->cp, EP11_CP_ALLOW_NONSESSION)
		   ? CKR_OK
		   : CKR_FUNCTION_CANCELED;
}

void
ep11_key_named(struct hsa_call *c, const uint8_t id[HSA_SHA256_LEN], bool bound,
    const uint8_t session[EP11_SESSION_LEN])
{
	if (c == NULL || c->has_key_id)
		return;
	c->has_key_id = true;
	memcpy(c->key_id, id, HSA_SHA256_LEN);
	if (bound && !c->has_session) {
		c->has_session = true;
		memcpy(c->session, session, EP11_SESSION_LEN);
	}
}

CK_RV
ep11_key_session(struct ep11_engine *e, uint8_t session[EP11_SESSION_LEN],
    bool *bound, struct hsa_call *c)
{
	uint8_t id[EP11_SESSION_LEN] = {0};
	CK_RV rv = CKR_OK;

	if (c->pin.n != 0)
		rv = ep11_pin_blob_check(e, id, c->pin);
	if (rv == CKR_OK && c->pin.n != 0) {
		c->has_session = true;
		memcpy(c->session, id, sizeof(id));
	}
	if (rv == CKR_OK)
		rv = ep11_key_allowed(e, c->pin.n != 0, id);
	if (rv == CKR_OK) {
		*bound = c->pin.n != 0;
		memcpy(session, id, sizeof(id));
	}
	return rv;
}
