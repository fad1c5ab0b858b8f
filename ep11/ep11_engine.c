#include <stdlib.h>
#include <string.h>

#include "ep11_cache.h"
#include "ep11_core.h"
#include "ep11_login.h"

#define CACHE_DEFAULT 1024

/* The functions served. One that is not here answers
 * CKR_FUNCTION_NOT_SUPPORTED and is not told of. */
static ep11_do *const table[] = {
    [HSA_FN_LOGIN] = ep11_do_login,
    [HSA_FN_LOGOUT] = ep11_do_logout,
    [HSA_FN_SEED_RANDOM] = ep11_do_seed,
    [HSA_FN_GENERATE_RANDOM] = ep11_do_random,
    [HSA_FN_DIGEST_INIT] = ep11_do_digest_init,
    [HSA_FN_DIGEST_UPDATE] = ep11_do_digest_update,
    [HSA_FN_DIGEST_FINAL] = ep11_do_digest_final,
    [HSA_FN_DIGEST] = ep11_do_digest,
    [HSA_FN_DIGEST_SINGLE] = ep11_do_digest_single,
    [HSA_FN_ENCRYPT_INIT] = ep11_do_crypt_init,
    [HSA_FN_DECRYPT_INIT] = ep11_do_crypt_init,
    [HSA_FN_ENCRYPT_UPDATE] = ep11_do_crypt_update,
    [HSA_FN_DECRYPT_UPDATE] = ep11_do_crypt_update,
    [HSA_FN_ENCRYPT_FINAL] = ep11_do_crypt_final,
    [HSA_FN_DECRYPT_FINAL] = ep11_do_crypt_final,
    [HSA_FN_ENCRYPT] = ep11_do_crypt,
    [HSA_FN_DECRYPT] = ep11_do_crypt,
    [HSA_FN_ENCRYPT_SINGLE] = ep11_do_crypt_single,
    [HSA_FN_DECRYPT_SINGLE] = ep11_do_crypt_single,
    [HSA_FN_SIGN_INIT] = ep11_do_sign_init,
    [HSA_FN_SIGN_UPDATE] = ep11_do_sign_update,
    [HSA_FN_SIGN_FINAL] = ep11_do_sign_final,
    [HSA_FN_SIGN] = ep11_do_sign,
    [HSA_FN_VERIFY_INIT] = ep11_do_sign_init,
    [HSA_FN_VERIFY_UPDATE] = ep11_do_sign_update,
    [HSA_FN_VERIFY_FINAL] = ep11_do_verify_final,
    [HSA_FN_VERIFY] = ep11_do_verify,
    [HSA_FN_SIGN_SINGLE] = ep11_do_sign_single,
    [HSA_FN_VERIFY_SINGLE] = ep11_do_verify_single,
    [HSA_FN_GET_MECHANISM_LIST] = ep11_do_mech_list,
    [HSA_FN_GET_MECHANISM_INFO] = ep11_do_mech_info,
    [HSA_FN_REENCRYPT_SINGLE] = ep11_do_reencrypt_single,
    [HSA_FN_WRAP_KEY] = ep11_do_wrap,
    [HSA_FN_UNWRAP_KEY] = ep11_do_unwrap,
    [HSA_FN_DERIVE_KEY] = ep11_do_derive,
    [HSA_FN_GET_ATTRIBUTE_VALUE] = ep11_do_attr_get,
    [HSA_FN_SET_ATTRIBUTE_VALUE] = ep11_do_attr_set,
    [HSA_FN_GENERATE_KEY] = ep11_do_generate_key,
    [HSA_FN_GENERATE_KEY_PAIR] = ep11_do_generate_pair,
    [HSA_FN_REWRAP_KEY_BLOB] = ep11_do_rewrap,
};

#define TABLE_LEN (sizeof(table) / sizeof(table[0]))

hsa_rc
ep11_engine_new(struct ep11_engine **out, struct ep11_token token, size_t cache)
{
	struct ep11_engine *e = calloc(1, sizeof(*e));
	hsa_rc rc = HSA_RC(E_NOMEM);

	if (e == NULL)
		goto out;
	e->token = token;
	ep11_cp_default(e->cp);
	HSA_TRY(
	    rc, ep11_cache_new(&e->cache, cache == 0 ? CACHE_DEFAULT : cache));
	HSA_TRY(rc, ep11_logins_new(&e->logins));
	*out = e;
	e = NULL;
out:
	ep11_engine_free(e);
	return rc;
}

void
ep11_engine_free(struct ep11_engine *e)
{
	if (e == NULL)
		return;
	ep11_cache_free(e->cache, &e->token);
	ep11_logins_free(e->logins);
	ep11_wk_close(&e->current, &e->token);
	ep11_wk_close(&e->next, &e->token);
	free(e);
}

hsa_rc
ep11_engine_wk(struct ep11_engine *e, const struct ep11_wk_name *current,
    const struct ep11_wk_name *next)
{
	bool same = e->current.set && current->set &&
		    memcmp(e->current.id, current->pattern, EP11_WKID_LEN) == 0;
	hsa_rc rc = HSA_OK;

	ep11_cache_drop(e->cache, &e->token, NULL);
	if (!same)
		ep11_logins_clear(e->logins);
	ep11_wk_close(&e->current, &e->token);
	ep11_wk_close(&e->next, &e->token);
	if (current->set)
		HSA_TRY(rc, ep11_wk_open(&e->current, &e->token, current));
	if (next->set)
		HSA_TRY(rc, ep11_wk_open(&e->next, &e->token, next));
out:
	if (!hsa_is_ok(rc)) {
		ep11_wk_close(&e->current, &e->token);
		ep11_logins_clear(e->logins);
	}
	return rc;
}

void
ep11_engine_control_points(
    struct ep11_engine *e, const uint8_t cp[16], uint64_t compliance)
{
	/* loading a public key asks what the control points allow */
	if (memcmp(e->cp, cp, sizeof(e->cp)) != 0)
		ep11_cache_drop(e->cache, &e->token, NULL);
	memcpy(e->cp, cp, sizeof(e->cp));
	e->compliance = compliance;
}

/* ---- one call ------------------------------------------------------------ */

/* Before anything is looked at: what is too long for any function. */
static CK_RV
limits(const struct hsa_call *c)
{
	const struct hsa_slice key[] = {c->key, c->key2, c->key3};
	const struct hsa_slice param[] = {
	    c->mech.a, c->mech.b, c->mech2.a, c->mech2.b};

	if (c->data.n > HSA_CALL_DATA_MAX)
		return CKR_DATA_LEN_RANGE;
	for (size_t i = 0; i < sizeof(key) / sizeof(key[0]); i++)
		if (key[i].n > HSA_BLOB_MAX)
			return CKR_IBM_BLOB_ERROR;
	if (c->state.n > HSA_BLOB_MAX)
		return CKR_SAVED_STATE_INVALID;
	if (c->signature.n > HSA_BLOB_MAX)
		return CKR_SIGNATURE_LEN_RANGE;
	if (c->pin.n > HSA_BLOB_MAX)
		return CKR_PIN_LEN_RANGE;
	if (c->nonce.n > HSA_BLOB_MAX || c->attr_len > HSA_CALL_ATTR_MAX ||
	    c->attr2_len > HSA_CALL_ATTR_MAX)
		return CKR_ARGUMENTS_BAD;
	for (size_t i = 0; i < sizeof(param) / sizeof(param[0]); i++)
		if (param[i].n > HSA_CALL_DATA_MAX)
			return CKR_MECHANISM_PARAM_INVALID;
	return CKR_OK;
}

/* GetAttributeValue answers attribute by attribute, also when it fails. */
static bool
by_attribute(const struct hsa_call *c)
{
	return c->fn == HSA_FN_GET_ATTRIBUTE_VALUE;
}

static void
no_output(struct hsa_call *c)
{
	hsa_buf_reset(&c->out);
	hsa_buf_reset(&c->out2);
	hsa_buf_reset(&c->new_state);
}

/* What the caller gets of a call that went well. */
static CK_RV
deliver(struct hsa_call *c)
{
	if (c->out.failed || c->out2.failed || c->new_state.failed)
		return CKR_HOST_MEMORY;
	if (by_attribute(c))
		return CKR_OK;
	if (c->length_only) {
		if (c->out.len != 0)
			c->needed = c->out.len;
		no_output(c);
		return CKR_OK;
	}
	c->needed = c->out.len;
	if (c->limited && c->out.len > c->room)
		return CKR_BUFFER_TOO_SMALL;
	return CKR_OK;
}

void
ep11_engine_call(struct ep11_engine *e, struct hsa_call *c)
{
	ep11_do *run = NULL;
	CK_RV rv;

	c->needed = 0;
	c->reason = 0;
	c->has_key_id = c->has_session = false;
	if ((size_t)c->fn < TABLE_LEN)
		run = table[c->fn];
	rv = run == NULL ? CKR_FUNCTION_NOT_SUPPORTED : limits(c);
	if (rv == CKR_OK)
		rv = run(e, c);
	if (rv == CKR_OK)
		rv = deliver(c);
	if (rv != CKR_OK && !(by_attribute(c) && c->got != NULL))
		no_output(c);
	if (rv != CKR_OK && rv != CKR_BUFFER_TOO_SMALL)
		c->needed = 0;
	c->rv = rv;
}

void
ep11_engine_stats(struct ep11_engine *e, struct ep11_engine_stats *s)
{
	ep11_cache_stats(e->cache, s);
	s->logins = ep11_logins_count(e->logins);
}

void
ep11_engine_functions(uint8_t mask[16])
{
	memset(mask, 0, 16);
	for (size_t i = 0; i < TABLE_LEN && i < 128; i++)
		if (table[i] != NULL)
			mask[i / 8] |= (uint8_t)(0x80 >> i % 8);
}
