/* Login and Logout (ep11-host-api 14.1). */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#include "ep11_cache.h"
#include "ep11_core.h"
#include "ep11_login.h"
#include "hsa_hash.h"

#define MARK_AT 4
#define MARK 0xaa
#define SPKI_TAG 0x30 /* what public keys begin with */

/* Slows down whoever has a bound key's blob, which names its session, and
 * tries PINs at it: some milliseconds each. A MAC by the master key would stop
 * them, but keys that go over to the next master key keep their session, and
 * its owner has to come back to it. */
#define ROUNDS 10000

/* PBKDF2 of the PIN (RFC 8018; HMAC-SHA-256). Its length is in the salt, for
 * HMAC takes no notice of zeros at the end. */
static CK_RV
session_id(uint8_t id[EP11_SESSION_LEN], const struct hsa_call *c)
{
	struct hsa_buf salt = {0};
	CK_RV rv = CKR_HOST_MEMORY;

	hsa_buf_put(&salt, "EP11-PIN", 8);
	hsa_buf_u8(&salt, (uint8_t)c->pin.n);
	hsa_buf_put(&salt, c->nonce.p, c->nonce.n);
	if (!salt.failed)
		rv = PKCS5_PBKDF2_HMAC((const char *)c->pin.p, (int)c->pin.n,
			 salt.p, (int)salt.len, ROUNDS, EVP_sha256(),
			 EP11_SESSION_LEN, id) == 1
			 ? CKR_OK
			 : CKR_FUNCTION_FAILED;
	ERR_clear_error();
	id[MARK_AT] = MARK;
	if (id[0] == SPKI_TAG)
		id[0] = 0xcc;
	hsa_buf_free(&salt);
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
	rv = session_id(blob, c);
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
