#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "eb_raw.h"

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

static hsa_rc
check(CK_RV rv, const char *what, struct hsa_diag *diag)
{
	if (rv == CKR_OK)
		return HSA_OK;
	return hsa_fail(diag, HSA_RC(E_TOKEN),
	    "direct Cryptoki: %s failed with 0x%lx", what, rv);
}

static hsa_rc
find_slot(struct eb_raw *r, CK_SLOT_ID *slot, const char *label,
    struct hsa_diag *diag)
{
	CK_SLOT_ID all[64];
	CK_ULONG n = sizeof(all) / sizeof(all[0]);
	hsa_rc rc;

	HSA_TRY(rc, check(r->f->C_GetSlotList(CK_TRUE, all, &n),
			"C_GetSlotList", diag));
	for (CK_ULONG i = 0; i < n; i++) {
		CK_TOKEN_INFO info = {0};

		if (r->f->C_GetTokenInfo(all[i], &info) == CKR_OK &&
		    memcmp(info.label, label, sizeof(info.label)) == 0) {
			*slot = all[i];
			return HSA_OK;
		}
	}
	rc = hsa_fail(diag, HSA_RC(E_NOT_FOUND),
	    "no token labelled %s in the module", label);
out:
	return rc;
}

static CK_RV
secret(
    struct eb_raw *r, CK_OBJECT_HANDLE *h, CK_MECHANISM_TYPE mech, CK_ULONG len)
{
	CK_MECHANISM m = {mech, NULL, 0};
	CK_ATTRIBUTE t[] = {{CKA_TOKEN, &no, sizeof(no)},
	    {CKA_PRIVATE, &yes, sizeof(yes)},
	    {CKA_SENSITIVE, &yes, sizeof(yes)},
	    {CKA_EXTRACTABLE, &yes, sizeof(yes)},
	    {CKA_ENCRYPT, &yes, sizeof(yes)}, {CKA_DECRYPT, &yes, sizeof(yes)},
	    {CKA_SIGN, &yes, sizeof(yes)}, {CKA_VERIFY, &yes, sizeof(yes)},
	    {CKA_VALUE_LEN, &len, sizeof(len)}};

	return r->f->C_GenerateKey(r->s, &m, t, sizeof(t) / sizeof(t[0]), h);
}

static CK_RV
pair(struct eb_raw *r, CK_OBJECT_HANDLE *pub, CK_OBJECT_HANDLE *priv,
    CK_MECHANISM_TYPE mech, CK_ATTRIBUTE *kind, CK_ULONG n)
{
	CK_MECHANISM m = {mech, NULL, 0};
	CK_ATTRIBUTE pub_t[5] = {
	    {CKA_TOKEN, &no, sizeof(no)}, {CKA_VERIFY, &yes, sizeof(yes)}};
	CK_ATTRIBUTE priv_t[] = {{CKA_TOKEN, &no, sizeof(no)},
	    {CKA_PRIVATE, &yes, sizeof(yes)},
	    {CKA_SENSITIVE, &yes, sizeof(yes)}, {CKA_SIGN, &yes, sizeof(yes)}};

	memcpy(pub_t + 2, kind, n * sizeof(*kind));
	return r->f->C_GenerateKeyPair(r->s, &m, pub_t, 2 + n, priv_t,
	    sizeof(priv_t) / sizeof(priv_t[0]), pub, priv);
}

static hsa_rc
keys(struct eb_raw *r, struct hsa_diag *diag)
{
	static CK_BYTE p256[] = {
	    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
	static CK_BYTE f4[] = {1, 0, 1};
	CK_ULONG bits = 2048;
	CK_ATTRIBUTE ec[] = {{CKA_EC_PARAMS, p256, sizeof(p256)}};
	CK_ATTRIBUTE rsa[] = {{CKA_MODULUS_BITS, &bits, sizeof(bits)},
	    {CKA_PUBLIC_EXPONENT, f4, sizeof(f4)}};
	CK_OBJECT_HANDLE unused = 0;
	hsa_rc rc;

	HSA_TRY(rc, check(secret(r, &r->aes, CKM_AES_KEY_GEN, 32),
			"AES key generation", diag));
	HSA_TRY(rc, check(secret(r, &r->mac, CKM_GENERIC_SECRET_KEY_GEN, 32),
			"secret generation", diag));
	HSA_TRY(
	    rc, check(pair(r, &r->ec_pub, &r->ec, CKM_EC_KEY_PAIR_GEN, ec, 1),
		    "EC key generation", diag));
	HSA_TRY(rc,
	    check(pair(r, &unused, &r->rsa, CKM_RSA_PKCS_KEY_PAIR_GEN, rsa, 2),
		"RSA key generation", diag));
out:
	return rc;
}

/* The unit has it loaded: whatever the configuration calls it, it is the
 * loaded object that has the name of SoftHSM's module. */
static int
softhsm(struct dl_phdr_info *info, size_t n, void *to)
{
	const char **found = to;
	const char *slash = strrchr(info->dlpi_name, '/');

	(void)n;
	if (slash == NULL || strcmp(slash, "/libsofthsm2.so") != 0)
		return 0;
	*found = info->dlpi_name;
	return 1;
}

static const char *
find_module(void)
{
	const char *own = getenv("SOFTHSM2_MODULE"), *found = NULL;

	if (own != NULL)
		return own;
	(void)dl_iterate_phdr(softhsm, &found);
	return found;
}

hsa_rc
eb_raw_open(struct eb_raw *r, const char *label, struct hsa_diag *diag)
{
	const char *module = find_module();
	CK_C_GetFunctionList get = NULL;
	CK_SLOT_ID slot = 0;
	hsa_rc rc = HSA_OK;

	if (module == NULL) {
		rc = hsa_fail(diag, HSA_RC(E_NOT_FOUND),
		    "SoftHSM's module is not loaded under its name; fix: name "
		    "it in SOFTHSM2_MODULE, or give --no-direct");
		goto out;
	}
	r->so = dlopen(module, RTLD_NOW | RTLD_LOCAL);
	if (r->so == NULL) {
		rc = hsa_fail(diag, HSA_RC(E_NOT_FOUND), "%s", dlerror());
		goto out;
	}
	*(void **)&get = dlsym(r->so, "C_GetFunctionList");
	if (get == NULL || get(&r->f) != CKR_OK) {
		rc = hsa_fail(
		    diag, HSA_RC(E_TOKEN), "%s is no PKCS#11 module", module);
		goto out;
	}
	HSA_TRY(rc, find_slot(r, &slot, label, diag));
	HSA_TRY(rc,
	    check(r->f->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION,
		      NULL, NULL, &r->s),
		"C_OpenSession", diag));
	HSA_TRY(rc, keys(r, diag));
out:
	return rc;
}

void
eb_raw_close(struct eb_raw *r)
{
	if (r->s != 0)
		(void)r->f->C_CloseSession(r->s);
	if (r->so != NULL)
		(void)dlclose(r->so);
	*r = (struct eb_raw){0};
}
