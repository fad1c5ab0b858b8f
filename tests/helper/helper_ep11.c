#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "bk_core.h"
#include "helper_bk_part.h"
#include "helper_ep11.h"

static void
import(struct helper_ep11 *h, struct ep11_wk_name *name,
    const struct cu_key_id *importer, EVP_PKEY *key, uint8_t first)
{
	uint8_t value[32], part_id[CU_PARTS_MAX][32];
	struct cu_key_id id = {0};
	struct helper_part part;
	size_t bad = 0;

	for (size_t i = 0; i < sizeof(value); i++)
		value[i] = (uint8_t)(first + 7 * i);
	helper_part(&part, value, key);
	if (!hsa_is_ok(h->bk.be.ops->master_key_import(h->bk.be.ctx, &id,
		name->pattern, part_id, &bad, importer, &part.r, 1)))
		fail_msg("master key is not imported");
	memcpy(name->object, id.b, sizeof(name->object));
	name->set = true;
}

void
helper_ep11_make(struct helper_ep11 *h, uint8_t seed, size_t cache)
{
	struct cu_key_id importer = {0};
	struct hsa_buf spki = {0};
	EVP_PKEY *key = NULL;

	memset(h, 0, sizeof(*h));
	helper_bk_make(&h->bk);
	helper_bk_open(&h->bk);
	if (!hsa_is_ok(h->bk.be.ops->importer_generate(
		h->bk.be.ctx, &importer, &spki, TKE_IMPORTER_P521)) ||
	    !hsa_is_ok(tke_importer_spki_parse(&key, spki.p, spki.len)))
		fail_msg("no importer key");
	import(h, &h->wk[0], &importer, key, seed);
	import(h, &h->wk[1], &importer, key, (uint8_t)(seed + 1));
	EVP_PKEY_free(key);
	hsa_buf_free(&spki);
	h->token = bk_p11_token(h->bk.b);
	if (!hsa_is_ok(ep11_engine_new(&h->e, h->token, cache)))
		fail_msg("no engine");
	helper_ep11_wk(h, 0, -1);
}

void
helper_ep11_free(struct helper_ep11 *h)
{
	ep11_engine_free(h->e);
	h->e = NULL;
	helper_bk_free(&h->bk);
}

void
helper_ep11_wk(struct helper_ep11 *h, int current, int next)
{
	static const struct ep11_wk_name none;

	if (!hsa_is_ok(
		ep11_engine_wk(h->e, current < 0 ? &none : &h->wk[current],
		    next < 0 ? &none : &h->wk[next])))
		fail_msg("the engine does not get its master keys");
}

size_t
helper_ep11_objects(struct helper_ep11 *h)
{
	CK_OBJECT_HANDLE found[512];
	struct bk_attrs none = {0};
	struct bk_ses s = {0};
	size_t n = 0;
	hsa_rc rc = bk_core_enter(h->bk.b, &s);

	if (hsa_is_ok(rc))
		rc = bk_ck_find(&s, found, &n, 512, &none);
	bk_core_leave(h->bk.b, &s);
	if (!hsa_is_ok(rc))
		fail_msg("the token's objects cannot be counted");
	return n;
}

void
helper_ep11_secret_of(struct helper_ep11 *h, struct hsa_buf *blob,
    CK_KEY_TYPE type, const void *value, size_t n, uint32_t bools,
    const uint8_t *session)
{
	CK_OBJECT_CLASS cls = CKO_SECRET_KEY;
	CK_BBOOL yes = CK_TRUE;
	const CK_ATTRIBUTE t[] = {{CKA_CLASS, &cls, sizeof(cls)},
	    {CKA_KEY_TYPE, &type, sizeof(type)},
	    {CKA_SENSITIVE, &yes, sizeof(yes)},
	    {CKA_EXTRACTABLE, &yes, sizeof(yes)},
	    {CKA_VALUE, ep11_input(value), n}};
	struct ep11_key_new new = {.cls = cls,
	    .type = type,
	    .bits = (uint32_t)(8 * n),
	    .bools = bools};

	if (session != NULL)
		new.session = (struct hsa_slice){session, EP11_SESSION_LEN};
	hsa_buf_reset(blob);
	if (h->token.ops->create(
		h->token.ctx, &new.h, t, sizeof(t) / sizeof(t[0])) != CKR_OK ||
	    ep11_key_seal(h->e, blob, NULL, &new) != CKR_OK ||
	    h->token.ops->destroy(h->token.ctx, new.h) != CKR_OK)
		fail_msg("no blob of a known key");
}

void
helper_ep11_secret(struct helper_ep11 *h, struct hsa_buf *blob,
    CK_KEY_TYPE type, const void *value, size_t n, uint32_t bools)
{
	helper_ep11_secret_of(h, blob, type, value, n, bools, NULL);
}

CK_RV
helper_ep11_call(struct helper_ep11 *h, struct hsa_call *c, enum hsa_fn fn)
{
	hsa_call_reset(c);
	c->fn = fn;
	ep11_engine_call(h->e, c);
	return c->rv;
}
