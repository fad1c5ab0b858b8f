/* Login and Logout (ep11-host-api 14.1). */
#include <string.h>

#include "ep11_cache.h"
#include "ep11_core.h"
#include "ep11_login.h"
#include "hsa_hash.h"

#define MARK_AT 4
#define MARK 0xaa
#define SPKI_TAG 0x30 /* what public keys begin with */

/*
 * HMAC over 40 bytes, "EP11-PIN" and SHA-256 of PIN length, PIN and nonce:
 * shorter than anything else that the MAC key covers, so no session id is the
 * MAC of something.
 */
static CK_RV
session_id(struct ep11_engine *e, uint8_t id[EP11_SESSION_LEN],
    const struct hsa_call *c)
{
	uint8_t text[8 + HSA_SHA256_LEN] = "EP11-PIN";
	struct hsa_buf b = {0};
	CK_RV rv = CKR_HOST_MEMORY;

	hsa_buf_u8(&b, (uint8_t)c->pin.n);
	hsa_buf_put(&b, c->pin.p, c->pin.n);
	hsa_buf_put(&b, c->nonce.p, c->nonce.n);
	if (!hsa_is_ok(hsa_buf_rc(&b)))
		goto out;
	rv = CKR_FUNCTION_FAILED;
	if (!hsa_is_ok(hsa_sha256(text + 8, b.p, b.len)))
		goto out;
	rv = ep11_trouble(
	    ep11_wk_mac(&e->current, &e->token, id, text, sizeof(text)));
	id[MARK_AT] = MARK;
	if (id[0] == SPKI_TAG)
		id[0] = 0xcc;
out:
	hsa_wipe(text, sizeof(text));
	hsa_buf_free(&b);
	return rv;
}

static void
record(struct hsa_call *c, const uint8_t id[EP11_SESSION_LEN])
{
	c->has_session = true;
	memcpy(c->session, id, EP11_SESSION_LEN);
}

CK_RV
ep11_do_login(struct ep11_engine *e, struct hsa_call *c)
{
	uint8_t blob[EP11_PIN_BLOB_LEN] = {0};
	uint8_t *mac = blob + EP11_PIN_BLOB_LEN - EP11_MAC_LEN;
	CK_RV rv;

	if (!e->current.set)
		return CKR_IBM_WK_NOT_INITIALIZED;
	if (!ep11_cp_on(e->cp, EP11_CP_ALLOW_LOGIN_PRE_F2021))
		return CKR_FUNCTION_CANCELED;
	if (c->pin.n < EP11_PIN_MIN || c->pin.n > EP11_PIN_MAX)
		return CKR_PIN_LEN_RANGE;
	if (c->length_only || (c->limited && c->room < sizeof(blob))) {
		c->needed = sizeof(blob);
		return c->length_only ? CKR_OK : CKR_BUFFER_TOO_SMALL;
	}
	rv = session_id(e, blob, c);
	memcpy(blob + EP11_SESSION_LEN, e->current.id, EP11_WKID_LEN);
	if (rv == CKR_OK)
		rv = ep11_trouble(ep11_wk_mac(&e->current, &e->token, mac, blob,
		    sizeof(blob) - EP11_MAC_LEN));
	if (rv == CKR_OK)
		rv = ep11_logins_add(e->logins, blob);
	if (rv == CKR_OK) {
		record(c, blob);
		hsa_buf_put(&c->out, blob, sizeof(blob));
	}
	hsa_wipe(blob, sizeof(blob));
	return rv;
}

CK_RV
ep11_do_logout(struct ep11_engine *e, struct hsa_call *c)
{
	uint8_t id[EP11_SESSION_LEN];
	CK_RV rv = ep11_pin_blob_check(e, id, c->pin);

	if (rv != CKR_OK)
		return rv;
	record(c, id);
	rv = ep11_logins_remove(e->logins, id);
	if (rv == CKR_OK)
		ep11_cache_drop(e->cache, &e->token, id);
	return rv;
}
