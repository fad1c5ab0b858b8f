#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "epc_attr.h"
#include "epc_param.h"

enum member {
	IV,
	AAD,
	TAG,
	HASH,
	MGF,
	SALT,
	SOURCE,
	KDF,
	PUBLIC,
	SHARED,
	BITS,
	LENGTH,
	RAW,
	MEMBERS
};
static const char *const members[MEMBERS] = {"iv", "aad", "tag", "hash", "mgf",
    "salt", "source", "kdf", "public", "shared", "bits", "length", "raw"};

/* PKCS #11 v3.0: hashes with their MGF1 and KDF (X9.63). */
static const struct {
	const char *name;
	CK_MECHANISM_TYPE hash;
	CK_ULONG mgf, kdf, len;
} hashes[] = {
    {"SHA_1", CKM_SHA_1, CKG_MGF1_SHA1, CKD_SHA1_KDF, 20},
    {"SHA1", CKM_SHA_1, CKG_MGF1_SHA1, CKD_SHA1_KDF, 20},
    {"SHA224", CKM_SHA224, CKG_MGF1_SHA224, CKD_SHA224_KDF, 28},
    {"SHA256", CKM_SHA256, CKG_MGF1_SHA256, CKD_SHA256_KDF, 32},
    {"SHA384", CKM_SHA384, CKG_MGF1_SHA384, CKD_SHA384_KDF, 48},
    {"SHA512", CKM_SHA512, CKG_MGF1_SHA512, CKD_SHA512_KDF, 64},
};
#define HASHES (sizeof(hashes) / sizeof(hashes[0]))

struct words {
	struct hsa_buf text[MEMBERS];
	bool given[MEMBERS], used[MEMBERS];
};

/* ---- reading --param ----------------------------------------------------- */

static hsa_rc
member(struct words *w, const char *at, size_t n, struct hsa_diag *diag)
{
	const char *eq = memchr(at, '=', n);
	size_t len = eq == NULL ? n : (size_t)(eq - at);
	size_t i = 0;

	for (i = 0; i < MEMBERS; i++)
		if (strlen(members[i]) == len &&
		    strncmp(members[i], at, len) == 0)
			break;
	if (i == MEMBERS || eq == NULL)
		return hsa_fail(diag, HSA_RC(E_ARG),
		    "--param %.*s: fix: NAME=VALUE with one of iv, aad, tag, "
		    "hash, mgf, salt, source, kdf, public, shared, bits, "
		    "length, raw",
		    (int)n, at);
	if (w->given[i])
		return hsa_fail(diag, HSA_RC(E_ARG),
		    "--param %s is given twice", members[i]);
	w->given[i] = true;
	hsa_buf_put(&w->text[i], eq + 1, n - len - 1);
	return hsa_buf_rc(&w->text[i]);
}

static hsa_rc
read_words(
    struct words *w, const struct opt_list *params, struct hsa_diag *diag)
{
	size_t i = 0, n = 0;
	const char *at = NULL;
	hsa_rc rc = HSA_OK;

	for (i = 0; i < params->n; i++)
		for (at = params->v[i]; *at != '\0'; at += n) {
			n = strcspn(at, ",");
			HSA_TRY(rc, member(w, at, n, diag));
			if (at[n] == ',')
				n++;
		}
out:
	return rc;
}

/* The text of a member, NULL when it was not given. */
static const char *
text_of(struct words *w, enum member m)
{
	w->used[m] = true;
	return w->given[m] ? hsa_buf_cstr(&w->text[m]) : NULL;
}

static hsa_rc
bytes_of(struct hsa_buf *b, struct words *w, enum member m, bool needed,
    struct hsa_diag *diag)
{
	const char *text = text_of(w, m);

	if (text == NULL && needed)
		return hsa_fail(diag, HSA_RC(E_ARG),
		    "the mechanism needs --param %s=HEX", members[m]);
	return text == NULL ? HSA_OK : epc_bytes(b, text, diag);
}

static hsa_rc
number_of(CK_ULONG *v, struct words *w, enum member m, CK_ULONG usual,
    struct hsa_diag *diag)
{
	const char *text = text_of(w, m);
	uint64_t n = usual;
	hsa_rc rc = HSA_OK;

	if (text != NULL)
		HSA_TRY(rc, epc_number(&n, text, diag));
	*v = n;
out:
	return rc;
}

/* Row of a hash by name, with or without CKM_, MGF1_ or CKG_ before it. */
static hsa_rc
hash_row(size_t *row, const char *text, struct hsa_diag *diag)
{
	static const char *const before[] = {"CKM_", "CKG_", "CKD_", "MGF1_"};
	const char *at = text;
	size_t i = 0;

	for (i = 0; i < sizeof(before) / sizeof(before[0]); i++)
		if (strncasecmp(at, before[i], strlen(before[i])) == 0)
			at += strlen(before[i]);
	for (i = 0; i < HASHES; i++)
		if (strcasecmp(at, hashes[i].name) == 0) {
			*row = i;
			return HSA_OK;
		}
	return hsa_fail(diag, HSA_RC(E_ARG),
	    "\"%s\" is no hash; fix: SHA1, SHA224, SHA256, SHA384 or SHA512",
	    text);
}

/* hash: what --param or the mechanism says, else the one of that row. */
static hsa_rc
hash_of(size_t *row, struct words *w, enum member m, size_t usual,
    struct hsa_diag *diag)
{
	const char *text = text_of(w, m);

	*row = usual;
	return text == NULL ? HSA_OK : hash_row(row, text, diag);
}

static size_t
row_of_hash(CK_MECHANISM_TYPE hash, const char *usual)
{
	size_t i = 0;

	for (i = 0; i < HASHES; i++)
		if (hashes[i].hash == hash)
			return i;
	for (i = 0; strcmp(hashes[i].name, usual) != 0; i++)
		;
	return i;
}

/* ---- parameters ---------------------------------------------------------- */

static hsa_rc
set_oaep(struct epc_mech *to, struct words *w, struct hsa_diag *diag)
{
	size_t hash = 0, mgf = 0;
	hsa_rc rc;

	HSA_TRY(rc, hash_of(&hash, w, HASH, row_of_hash(0, "SHA_1"), diag));
	HSA_TRY(rc, hash_of(&mgf, w, MGF, hash, diag));
	HSA_TRY(rc, bytes_of(&to->a, w, SOURCE, false, diag));
	to->param.oaep = (CK_RSA_PKCS_OAEP_PARAMS){
	    .hashAlg = hashes[hash].hash,
	    .mgf = hashes[mgf].mgf,
	    .source = CKZ_DATA_SPECIFIED,
	    .pSourceData = to->a.p,
	    .ulSourceDataLen = to->a.len,
	};
	to->m.ulParameterLen = sizeof(to->param.oaep);
out:
	return rc;
}

static hsa_rc
set_pss(struct epc_mech *to, struct words *w, struct hsa_diag *diag)
{
	size_t hash = 0, mgf = 0;
	CK_ULONG salt = 0;
	hsa_rc rc;

	HSA_TRY(rc, hash_of(&hash, w, HASH,
			row_of_hash(to->row->hash, "SHA256"), diag));
	HSA_TRY(rc, hash_of(&mgf, w, MGF, hash, diag));
	HSA_TRY(rc, number_of(&salt, w, SALT, hashes[hash].len, diag));
	to->param.pss = (CK_RSA_PKCS_PSS_PARAMS){
	    .hashAlg = hashes[hash].hash,
	    .mgf = hashes[mgf].mgf,
	    .sLen = salt,
	};
	to->m.ulParameterLen = sizeof(to->param.pss);
out:
	return rc;
}

static hsa_rc
set_ecdh(struct epc_mech *to, struct words *w, struct hsa_diag *diag)
{
	const char *kdf = text_of(w, KDF);
	CK_ULONG id = CKD_NULL;
	size_t hash = 0;
	hsa_rc rc = HSA_OK;

	if (kdf != NULL && strcasecmp(kdf, "null") != 0) {
		HSA_TRY(rc, hash_row(&hash, kdf, diag));
		id = hashes[hash].kdf;
	}
	HSA_TRY(rc, bytes_of(&to->a, w, PUBLIC, true, diag));
	HSA_TRY(rc, bytes_of(&to->b, w, SHARED, false, diag));
	to->param.ecdh = (CK_ECDH1_DERIVE_PARAMS){
	    .kdf = id,
	    .ulSharedDataLen = to->b.len,
	    .pSharedData = to->b.p,
	    .ulPublicDataLen = to->a.len,
	    .pPublicData = to->a.p,
	};
	to->m.ulParameterLen = sizeof(to->param.ecdh);
out:
	return rc;
}

static hsa_rc
set_gcm(struct epc_mech *to, struct words *w, struct hsa_diag *diag)
{
	CK_ULONG tag = 0;
	hsa_rc rc;

	HSA_TRY(rc, bytes_of(&to->a, w, IV, true, diag));
	HSA_TRY(rc, bytes_of(&to->b, w, AAD, false, diag));
	HSA_TRY(rc, number_of(&tag, w, TAG, 128, diag));
	to->param.gcm = (CK_GCM_PARAMS){
	    .pIv = to->a.p,
	    .ulIvLen = to->a.len,
	    .ulIvBits = to->a.len * 8,
	    .pAAD = to->b.p,
	    .ulAADLen = to->b.len,
	    .ulTagBits = tag,
	};
	to->m.ulParameterLen = sizeof(to->param.gcm);
out:
	return rc;
}

static hsa_rc
set_ctr(struct epc_mech *to, struct words *w, struct hsa_diag *diag)
{
	CK_ULONG bits = 0;
	hsa_rc rc;

	HSA_TRY(rc, bytes_of(&to->a, w, IV, true, diag));
	HSA_TRY(rc, number_of(&bits, w, BITS, 128, diag));
	if (to->a.len != sizeof(to->param.ctr.cb)) {
		rc = hsa_fail(diag, HSA_RC(E_ARG),
		    "--param iv: %zu bytes instead of 16", to->a.len);
		goto out;
	}
	to->param.ctr.ulCounterBits = bits;
	memcpy(to->param.ctr.cb, to->a.p, to->a.len);
	to->m.ulParameterLen = sizeof(to->param.ctr);
out:
	return rc;
}

/* Bytes as they are: an IV, a peer's public value, a MAC's length. */
static hsa_rc
set_bytes(struct epc_mech *to, struct words *w, struct hsa_diag *diag)
{
	const struct ep11_mech_row *row = to->row;
	CK_ULONG length = 0;
	hsa_rc rc;

	if (row->type == CKM_AES_CTR)
		return set_ctr(to, w, diag);
	if (row->family == EP11_FAMILY_MAC) {
		if (!w->given[LENGTH])
			return hsa_fail(diag, HSA_RC(E_ARG),
			    "the mechanism needs --param length=BYTES");
		HSA_TRY(rc, number_of(&length, w, LENGTH, 0, diag));
		to->param.number = length;
		to->m.ulParameterLen = sizeof(to->param.number);
		return rc;
	}
	HSA_TRY(
	    rc, bytes_of(&to->a, w, row->family == EP11_FAMILY_DH ? PUBLIC : IV,
		    true, diag));
	to->m.pParameter = to->a.p;
	to->m.ulParameterLen = to->a.len;
out:
	return rc;
}

static hsa_rc
set_param(struct epc_mech *to, struct words *w, struct hsa_diag *diag)
{
	hsa_rc rc;

	to->m.pParameter = &to->param;
	if (w->given[RAW] || to->row == NULL) {
		rc = bytes_of(&to->a, w, RAW, false, diag);
		to->m.pParameter = to->a.p;
		to->m.ulParameterLen = to->a.len;
		return rc;
	}
	switch (to->row->param) {
	case HSA_MECH_OAEP:
		return set_oaep(to, w, diag);
	case HSA_MECH_PSS:
		return set_pss(to, w, diag);
	case HSA_MECH_ECDH1:
		return set_ecdh(to, w, diag);
	case HSA_MECH_GCM:
		return set_gcm(to, w, diag);
	case HSA_MECH_BYTES:
		return set_bytes(to, w, diag);
	default:
		to->m.pParameter = NULL;
		return HSA_OK;
	}
}

/* ---- names --------------------------------------------------------------- */

hsa_rc
epc_mech_type(CK_MECHANISM_TYPE *type, const char *name, struct hsa_diag *diag)
{
	size_t n = 0, i = 0;
	const struct ep11_mech_row *row = ep11_mech_rows(&n);
	uint64_t v = 0;
	hsa_rc rc = HSA_OK;

	if (name[0] >= '0' && name[0] <= '9') {
		HSA_TRY(rc, epc_number(&v, name, diag));
		*type = v;
		return rc;
	}
	for (i = 0; i < n; i++)
		if (strcasecmp(name, row[i].name) == 0 ||
		    strcasecmp(name, row[i].name + strlen("CKM_")) == 0) {
			*type = row[i].type;
			return rc;
		}
	rc = hsa_fail(diag, HSA_RC(E_ARG),
	    "\"%s\" is no mechanism of a unit here; fix: see ep11 mechanisms",
	    name);
out:
	return rc;
}

hsa_rc
epc_mech_set(struct epc_mech *to, const char *name,
    const struct opt_list *params, struct hsa_diag *diag)
{
	struct words w = {.given = {false}};
	CK_MECHANISM_TYPE type = 0;
	size_t i = 0;
	hsa_rc rc;

	if (name == NULL)
		return hsa_fail(diag, HSA_RC(E_ARG),
		    "which mechanism? fix: --mechanism NAME, see ep11 "
		    "mechanisms");
	HSA_TRY(rc, epc_mech_type(&type, name, diag));
	to->m.mechanism = type;
	to->row = ep11_mech_find(type);
	HSA_TRY(rc, read_words(&w, params, diag));
	HSA_TRY(rc, set_param(to, &w, diag));
	for (i = 0; i < MEMBERS; i++)
		if (w.given[i] && !w.used[i]) {
			rc = hsa_fail(diag, HSA_RC(E_ARG),
			    "%s has no --param %s", name, members[i]);
			goto out;
		}
out:
	for (i = 0; i < MEMBERS; i++)
		hsa_buf_free(&w.text[i]);
	return rc;
}

void
epc_mech_free(struct epc_mech *m)
{
	hsa_buf_free(&m->a);
	hsa_buf_free(&m->b);
}
