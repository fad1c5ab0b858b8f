/* Known answers, asked of the token itself. */
#include <string.h>

#include "cu_core.h"

/* FIPS 180-4: SHA-256 of "abc". spoil: expect something else, as the query
 * for a test that fails wants it. */
static CK_RV
test_digest(const struct ep11_token *t, bool spoil)
{
	uint8_t want[32] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea,
	    0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61,
	    0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00,
	    0x15, 0xad};
	uint8_t got[32] = {0};
	size_t n = sizeof(got);
	CK_RV rv = t->ops->digest(t->ctx, CKM_SHA256, "abc", 3, got, &n);

	want[0] = (uint8_t)(want[0] ^ (spoil ? 1 : 0));
	if (rv != CKR_OK || n != sizeof(got) ||
	    memcmp(got, want, sizeof(got)) != 0)
		return CKR_IBM_ERROR_STATE;
	return CKR_OK;
}

/* FIPS 197, appendix C.1: AES-128. */
static CK_RV
test_cipher(const struct ep11_token *t)
{
	static const uint8_t want[16] = {0x69, 0xc4, 0xe0, 0xd8, 0x6a, 0x7b,
	    0x04, 0x30, 0xd8, 0xcd, 0xb7, 0x80, 0x70, 0xb4, 0xc5, 0x5a};
	uint8_t key[16], plain[16], got[32] = {0};
	CK_OBJECT_CLASS cls = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_AES;
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	const CK_ATTRIBUTE template[] = {
	    {CKA_CLASS, &cls, sizeof(cls)},
	    {CKA_KEY_TYPE, &type, sizeof(type)},
	    {CKA_PRIVATE, &yes, sizeof(yes)},
	    {CKA_SENSITIVE, &no, sizeof(no)},
	    {CKA_ENCRYPT, &yes, sizeof(yes)},
	    {CKA_VALUE, key, sizeof(key)},
	};
	CK_MECHANISM m = {CKM_AES_ECB, NULL, 0};
	CK_OBJECT_HANDLE h = 0;
	size_t n = sizeof(got);
	CK_RV rv;

	for (size_t i = 0; i < sizeof(key); i++) {
		key[i] = (uint8_t)i;
		plain[i] = (uint8_t)(i * 0x11);
	}
	rv = t->ops->create(
	    t->ctx, &h, template, sizeof(template) / sizeof(template[0]));
	if (rv != CKR_OK)
		return CKR_IBM_ERROR_STATE;
	rv = t->ops->encrypt(t->ctx, &m, h, plain, sizeof(plain), got, &n);
	if (t->ops->destroy(t->ctx, h) != CKR_OK || rv != CKR_OK ||
	    n != sizeof(want) || memcmp(got, want, sizeof(want)) != 0)
		return CKR_IBM_ERROR_STATE;
	return CKR_OK;
}

static hsa_rc
leave(struct cu_unit *u, uint32_t rv, const char *when, bool provoked,
    struct hsa_diag *diag)
{
	struct hsa_record r = {0};
	struct hsa_data *d = &r.special.details;
	hsa_rc rc;

	u->next = u->now;
	HSA_TRY(rc, cu_event_special(&r, u,
			rv == CKR_OK ? HSA_SPECIAL_SELF_TEST
				     : HSA_SPECIAL_SELF_TEST_FAILED));
	r.ep11_rc = rv;
	HSA_TRY(rc, hsa_data_text(d, "when", when));
	if (provoked)
		HSA_TRY(rc, hsa_data_boolean(d, "provoked", true));
	rc = cu_journal_commit(u, &r, diag);
out:
	hsa_record_free(&r);
	return rc;
}

static void
halt_failed(struct cu_unit *u)
{
	u->error_state = true;
	cu_unit_halt(u, 503,
	    "the self-test of its token failed: restore the unit's folder or "
	    "replace the PKCS#11 module, then `cryptounitd resume`");
}

hsa_rc
cu_selftest_start(struct cu_unit *u, uint32_t rv, struct hsa_diag *diag)
{
	hsa_rc rc = HSA_OK;

	if (rv == CKR_OK || rv == CKR_FUNCTION_NOT_SUPPORTED)
		return rc;
	HSA_TRY(rc, leave(u, rv, "start", false, diag));
	halt_failed(u);
out:
	return rc;
}

void
cu_selftest_told(struct cu_unit *u, uint32_t rv, uint32_t sub)
{
	if (rv != CKR_OK && rv != CKR_IBM_ERROR_STATE)
		return; /* there was no test */
	(void)pthread_mutex_lock(&u->command);
	/* one that cannot be sealed halts the unit */
	if (cu_unit_refuses(u, NULL) == 0)
		(void)!hsa_is_ok(leave(u, rv, "command", sub == 1, NULL));
	if (rv != CKR_OK && sub == 0)
		halt_failed(u);
	(void)pthread_mutex_unlock(&u->command);
}

uint32_t
cu_selftest(const struct cu_unit *u, uint32_t sub)
{
	const struct ep11_token *t = &u->token;

	if (sub > 1)
		return CKR_ARGUMENTS_BAD;
	if (t->ops == NULL)
		return CKR_FUNCTION_NOT_SUPPORTED;
	if (test_digest(t, sub == 1) != CKR_OK || test_cipher(t) != CKR_OK)
		return (uint32_t)CKR_IBM_ERROR_STATE;
	return CKR_OK;
}
