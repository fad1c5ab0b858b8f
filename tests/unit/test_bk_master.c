/* Master keys in a real token, from parts encrypted by OpenSSL. */
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "bk_core.h"
#include "bk_object.h"
#include "helper_bk.h"
#include "helper_bk_part.h"
#include "hsa_buf.h"
#include "hsa_hash.h"

static struct helper_bk H;

struct importer {
	struct cu_key_id id;
	EVP_PKEY *key;
};
static struct importer P521, OTHER, RSA2048;

static struct importer
importer_new(enum tke_importer_kind kind)
{
	struct importer i = {.key = NULL};
	struct hsa_buf spki = {0};

	assert_int_equal(
	    H.be.ops->importer_generate(H.be.ctx, &i.id, &spki, kind).v, 0);
	assert_true(i.id.set);
	assert_int_equal(
	    tke_importer_spki_parse(&i.key, spki.p, spki.len).v, 0);
	hsa_buf_free(&spki);
	return i;
}

static int
group_setup(void **state)
{
	(void)state;
	helper_bk_make(&H);
	helper_bk_open(&H);
	P521 = importer_new(TKE_IMPORTER_P521);
	OTHER = importer_new(TKE_IMPORTER_P521);
	RSA2048 = importer_new(TKE_IMPORTER_RSA2048);
	return 0;
}

static int
group_teardown(void **state)
{
	(void)state;
	EVP_PKEY_free(P521.key);
	EVP_PKEY_free(OTHER.key);
	EVP_PKEY_free(RSA2048.key);
	helper_bk_free(&H);
	return 0;
}

/* Every object that a logged-in session sees: session objects too. */
static size_t
objects(void)
{
	CK_OBJECT_HANDLE h[256];
	struct bk_attrs none = {0};
	struct bk_ses s = {0};
	size_t n = 0;

	assert_int_equal(bk_core_enter(H.b, &s).v, 0);
	assert_int_equal(bk_ck_find(&s, h, &n, 256, &none).v, 0);
	bk_core_leave(H.b, &s);
	return n;
}

static size_t
masters(struct cu_key_id id[8])
{
	size_t n = 0;

	assert_int_equal(H.be.ops->list(H.be.ctx, id, &n, 8).v, 0);
	return n;
}

static int
no_masters(void **state)
{
	struct cu_key_id keep[] = {P521.id, OTHER.id, RSA2048.id};
	struct hsa_diag d = {""};
	size_t removed = 0;

	(void)state;
	return H.be.ops->collect(H.be.ctx, &removed, keep, 3, &d).v;
}

struct import {
	struct cu_key_id id;
	uint8_t pattern[32], part_id[CU_PARTS_MAX][32];
	size_t bad;
};

static hsa_rc
import(struct import *i, const struct importer *with,
    const struct helper_part *p, size_t n)
{
	struct tke_recipient r[CU_PARTS_MAX];

	memset(i, 0xee, sizeof(*i));
	i->id.set = false;
	for (size_t k = 0; k < n; k++) {
		r[k] = p[k].r;
		r[k].encrypted.p = p[k].encrypted;
		r[k].ukm.p = p[k].ukm;
	}
	return H.be.ops->master_key_import(
	    H.be.ctx, &i->id, i->pattern, i->part_id, &i->bad, &with->id, r, n);
}

/* What must hold for values[n] imported with an importer. */
static void
round_trip(const struct importer *with, size_t n)
{
	uint8_t value[CU_PARTS_MAX][32], sum[32] = {0}, want[32];
	struct helper_part p[CU_PARTS_MAX];
	size_t before = objects();
	struct import i;

	for (size_t k = 0; k < n; k++) {
		assert_int_equal(RAND_bytes(value[k], 32), 1);
		for (size_t j = 0; j < 32; j++)
			sum[j] ^= value[k][j];
		helper_part(&p[k], value[k], with->key);
	}
	assert_int_equal(import(&i, with, p, n).v, 0);
	assert_true(i.id.set);
	assert_int_equal(hsa_verification_pattern(want, sum).v, 0);
	assert_memory_equal(i.pattern, want, 32);
	for (size_t k = 0; k < n; k++) {
		assert_int_equal(hsa_verification_pattern(want, value[k]).v, 0);
		assert_memory_equal(i.part_id[k], want, 32);
	}
	for (size_t k = n; k < CU_PARTS_MAX; k++)
		assert_int_equal(i.part_id[k][0], 0xee);
	assert_int_equal(objects(), before + 1);
	assert_int_equal(H.be.ops->pattern(H.be.ctx, want, &i.id).v, 0);
	assert_memory_equal(i.pattern, want, 32);
	assert_int_equal(
	    H.be.ops->destroy(H.be.ctx, CU_OBJECT_MASTER_KEY, &i.id).v, 0);
	assert_int_equal(objects(), before);
	assert_int_equal(
	    H.be.ops->pattern(H.be.ctx, want, &i.id).v, HSA_E_NOT_FOUND);
}

static void
test_bk_master__one_two_three_p521_parts_make_their_xor(void **state)
{
	(void)state;
	for (size_t n = 1; n <= 3; n++)
		round_trip(&P521, n);
}

static void
test_bk_master__one_two_three_rsa_parts_make_their_xor(void **state)
{
	(void)state;
	for (size_t n = 1; n <= 3; n++)
		round_trip(&RSA2048, n);
}

static void
test_bk_master__parts_built_by_the_client_library_import(void **state)
{
	const struct importer *with[] = {&P521, &RSA2048};

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		uint8_t value[32], want[32], id[1][32], pattern[32];
		struct tke_recipient r = {0};
		struct cu_key_id key = {0};
		struct hsa_buf b = {0};
		size_t bad = 9;

		assert_int_equal(RAND_bytes(value, 32), 1);
		assert_int_equal(
		    tke_recipient_build(&b, value, with[k]->key).v, 0);
		assert_int_equal(tke_recipient_parse(&r, b.p, b.len).v, 0);
		assert_int_equal(H.be.ops
				     ->master_key_import(H.be.ctx, &key,
					 pattern, id, &bad, &with[k]->id, &r, 1)
				     .v,
		    0);
		assert_int_equal(hsa_verification_pattern(want, value).v, 0);
		assert_memory_equal(pattern, want, 32);
		assert_memory_equal(id[0], want, 32);
		assert_int_equal(bad, 9);
		hsa_buf_free(&b);
	}
}

static void
test_bk_master__shared_info_without_the_null_is_accepted(void **state)
{
	uint8_t value[2][32], sum[32], want[32];
	struct helper_part p[2];
	struct import i;

	(void)state;
	assert_int_equal(RAND_bytes(value[0], 64), 1);
	for (size_t j = 0; j < 32; j++)
		sum[j] = value[0][j] ^ value[1][j];
	helper_part_p521(&p[0], value[0], 32, P521.key, false, 0);
	helper_part_p521(&p[1], value[1], 32, P521.key, true, 0);
	assert_int_equal(import(&i, &P521, p, 2).v, 0);
	assert_int_equal(hsa_verification_pattern(want, sum).v, 0);
	assert_memory_equal(i.pattern, want, 32);
	assert_int_equal(import(&i, &P521, p, 1).v, 0);
	assert_memory_equal(i.pattern, i.part_id[0], 32);
}

static void
test_bk_master__z_keeps_its_leading_zero_bytes(void **state)
{
	struct helper_part p;
	uint8_t value[32];
	struct import i;

	(void)state;
	assert_int_equal(RAND_bytes(value, 32), 1);
	helper_part_p521(&p, value, 32, P521.key, true, 2);
	assert_int_equal(import(&i, &P521, &p, 1).v, 0);
}

/* Refused with E_KEY for part `bad`, nothing written, nothing left. */
static void
refused(const struct importer *with, const struct helper_part *p, size_t n,
    size_t bad)
{
	size_t before = objects();
	struct cu_key_id id[8];
	struct import i;

	assert_int_equal(import(&i, with, p, n).v, HSA_E_KEY);
	assert_int_equal(i.bad, bad);
	assert_false(i.id.set);
	assert_int_equal(i.pattern[0], 0xee);
	assert_int_equal(i.part_id[0][0], 0xee);
	assert_int_equal(objects(), before);
	assert_int_equal(masters(id), 0);
}

static void
test_bk_master__flipped_byte_is_refused_and_named(void **state)
{
	const struct importer *with[] = {&P521, &RSA2048};
	struct helper_part p[3];
	uint8_t value[32] = {1};

	(void)state;
	for (size_t k = 0; k < 2; k++)
		for (size_t n = 1; n <= 3; n++)
			for (size_t bad = 0; bad < n; bad++) {
				for (size_t j = 0; j < n; j++)
					helper_part(&p[j], value, with[k]->key);
				p[bad].encrypted[bad * 15 + 5] ^= 0x10;
				refused(with[k], p, n, bad);
			}
}

static void
test_bk_master__changed_ukm_or_point_is_refused(void **state)
{
	struct helper_part p;
	uint8_t value[32] = {2};

	(void)state;
	helper_part(&p, value, P521.key);
	p.ukm[39] ^= 1;
	refused(&P521, &p, 1, 0);
	helper_part(&p, value, P521.key);
	p.r.originator[100] ^= 1; /* off the curve */
	refused(&P521, &p, 1, 0);
	helper_part(&p, value, P521.key);
	p.r.originator[0] = 2; /* not uncompressed */
	refused(&P521, &p, 1, 0);
}

static void
test_bk_master__part_for_another_importer_is_refused(void **state)
{
	struct helper_part p[2];
	uint8_t value[32] = {3};

	(void)state;
	helper_part(&p[0], value, OTHER.key);
	refused(&P521, p, 1, 0);
	helper_part(&p[0], value, P521.key);
	helper_part(&p[1], value, RSA2048.key);
	refused(&P521, p, 2, 1);
	refused(&RSA2048, p, 1, 0);
	/* right bytes under the wrong kind */
	helper_part(&p[0], value, P521.key);
	p[0].r.kind = TKE_IMPORTER_RSA2048;
	refused(&P521, p, 1, 0);
}

static void
test_bk_master__part_of_wrong_length_is_refused(void **state)
{
	static const size_t rsa_len[] = {0, 1, 16, 24, 31, 33, 64, 245};
	uint8_t value[245] = {4};
	struct helper_part p[2];

	(void)state;
	for (size_t k = 0; k < sizeof(rsa_len) / sizeof(rsa_len[0]); k++) {
		helper_part_rsa(&p[0], value, rsa_len[k], RSA2048.key);
		helper_part(&p[1], value, RSA2048.key);
		refused(&RSA2048, p, 1, 0);
		refused(&RSA2048, p, 2, 0);
	}
	for (size_t n = 16; n <= 48; n += 8) {
		if (n == 32)
			continue;
		helper_part_p521(&p[0], value, n, P521.key, true, 0);
		refused(&P521, p, 1, 0);
	}
	helper_part(&p[0], value, P521.key);
	p[0].r.encrypted.n = 0;
	refused(&P521, p, 1, 0);
	helper_part(&p[0], value, RSA2048.key);
	p[0].r.encrypted.n--;
	refused(&RSA2048, p, 1, 0);
}

static void
test_bk_master__counts_and_importers_out_of_range_are_refused(void **state)
{
	struct importer none = {.key = NULL}, unset = {.key = NULL};
	struct helper_part p[CU_PARTS_MAX + 1];
	uint8_t value[32] = {5};
	struct cu_key_id id = {0};
	struct hsa_buf b = {0};
	struct import i;

	(void)state;
	for (size_t k = 0; k <= CU_PARTS_MAX; k++)
		helper_part(&p[k], value, P521.key);
	assert_int_equal(import(&i, &P521, p, 0).v, HSA_E_ARG);
	assert_int_equal(
	    H.be.ops
		->master_key_import(H.be.ctx, &i.id, i.pattern, i.part_id,
		    &i.bad, &P521.id, &p[0].r, CU_PARTS_MAX + 1)
		.v,
	    HSA_E_ARG);
	none.id.set = true;
	assert_int_equal(import(&i, &none, p, 1).v, HSA_E_NOT_FOUND);
	assert_int_equal(import(&i, &unset, p, 1).v, HSA_E_NOT_FOUND);
	assert_int_equal(H.be.ops
			     ->importer_generate(
				 H.be.ctx, &id, &b, (enum tke_importer_kind)2)
			     .v,
	    HSA_E_UNSUPPORTED);
	assert_int_equal(b.len, 0);
	assert_false(id.set);
}

static CK_RV
attribute(CK_OBJECT_HANDLE obj, CK_ATTRIBUTE_TYPE type, void *p, size_t n)
{
	CK_ATTRIBUTE a = {.type = type, .pValue = p, .ulValueLen = n};
	struct bk_ses s = {0};
	CK_RV rv;

	assert_int_equal(bk_core_enter(H.b, &s).v, 0);
	rv = H.b->ck.C_GetAttributeValue(s.h, obj, &a, 1);
	bk_core_leave(H.b, &s);
	return rv;
}

static void
guarded(CK_OBJECT_CLASS cls, const char *label, size_t want)
{
	CK_OBJECT_HANDLE h[8];
	struct bk_attrs t = {0};
	uint8_t secret[2048];
	struct bk_ses s = {0};
	CK_KEY_TYPE type = 0;
	CK_BBOOL flag;
	size_t n = 0;

	bk_attr_num(&t, CKA_CLASS, cls);
	bk_attr_bytes(&t, CKA_LABEL, label, strlen(label));
	assert_int_equal(bk_core_enter(H.b, &s).v, 0);
	assert_int_equal(bk_ck_find(&s, h, &n, 8, &t).v, 0);
	bk_core_leave(H.b, &s);
	assert_int_equal(n, want);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(
		    attribute(h[i], CKA_KEY_TYPE, &type, sizeof(type)), 0);
		assert_int_equal(
		    attribute(h[i],
			type == CKK_RSA ? CKA_PRIVATE_EXPONENT : CKA_VALUE,
			secret, sizeof(secret)),
		    CKR_ATTRIBUTE_SENSITIVE);
		assert_int_equal(attribute(h[i], CKA_SENSITIVE, &flag, 1), 0);
		assert_int_equal(flag, CK_TRUE);
		assert_int_equal(attribute(h[i], CKA_EXTRACTABLE, &flag, 1), 0);
		assert_int_equal(flag, CK_FALSE);
		assert_int_equal(attribute(h[i], CKA_PRIVATE, &flag, 1), 0);
		assert_int_equal(flag, CK_TRUE);
		assert_int_equal(attribute(h[i], CKA_TOKEN, &flag, 1), 0);
		assert_int_equal(flag, CK_TRUE);
	}
}

static void
test_bk_master__no_key_value_can_be_read(void **state)
{
	struct helper_part p[2];
	uint8_t value[32] = {6};
	struct import i;

	(void)state;
	helper_part(&p[0], value, P521.key);
	assert_int_equal(import(&i, &P521, p, 1).v, 0);
	value[7] = 9;
	helper_part(&p[1], value, P521.key);
	assert_int_equal(import(&i, &P521, p, 2).v, 0);
	helper_part(&p[0], value, RSA2048.key);
	assert_int_equal(import(&i, &RSA2048, p, 1).v, 0);
	guarded(CKO_SECRET_KEY, BK_LABEL_MASTER, 3);
	guarded(CKO_PRIVATE_KEY, "oa", 1);
	guarded(CKO_PRIVATE_KEY, "checkpoint", 1);
	guarded(CKO_PRIVATE_KEY, BK_LABEL_IMPORTER, 3);
}

static void
test_bk_master__ids_are_never_used_twice(void **state)
{
	struct helper_part p;
	uint8_t value[32] = {7};
	struct cu_key_id id[8];
	struct import a, b;

	(void)state;
	helper_part(&p, value, P521.key);
	assert_int_equal(import(&a, &P521, &p, 1).v, 0);
	assert_int_equal(import(&b, &P521, &p, 1).v, 0);
	assert_memory_equal(a.pattern, b.pattern, 32);
	assert_memory_not_equal(a.id.b, b.id.b, CU_KEY_ID_LEN);
	assert_int_equal(masters(id), 2);
}

/* ---- every Cryptoki call fails once -------------------------------------- */

static struct {
	struct bk_ck real;
	unsigned calls, fail_at;
	const char *name; /* of the call that failed */
} F;

/* Fails with a code that no step may take for a bad part. */
#define HOOK(fn, params, args)                                                 \
	static CK_RV f_##fn params                                             \
	{                                                                      \
		if (++F.calls == F.fail_at) {                                  \
			F.name = #fn;                                          \
			return CKR_DEVICE_ERROR;                               \
		}                                                              \
		return F.real.fn args;                                         \
	}
HOOK(C_OpenSession,
    (CK_SLOT_ID a, CK_FLAGS b, void *c, CK_NOTIFY d, CK_SESSION_HANDLE *e),
    (a, b, c, d, e))
HOOK(C_FindObjectsInit, (CK_SESSION_HANDLE a, CK_ATTRIBUTE *b, CK_ULONG c),
    (a, b, c))
HOOK(C_FindObjects,
    (CK_SESSION_HANDLE a, CK_OBJECT_HANDLE *b, CK_ULONG c, CK_ULONG *d),
    (a, b, c, d))
HOOK(C_FindObjectsFinal, (CK_SESSION_HANDLE a), (a))
HOOK(C_GetAttributeValue,
    (CK_SESSION_HANDLE a, CK_OBJECT_HANDLE b, CK_ATTRIBUTE *c, CK_ULONG d),
    (a, b, c, d))
HOOK(C_CreateObject,
    (CK_SESSION_HANDLE a, CK_ATTRIBUTE *b, CK_ULONG c, CK_OBJECT_HANDLE *d),
    (a, b, c, d))
HOOK(C_CopyObject,
    (CK_SESSION_HANDLE a, CK_OBJECT_HANDLE b, CK_ATTRIBUTE *c, CK_ULONG d,
	CK_OBJECT_HANDLE *e),
    (a, b, c, d, e))
HOOK(C_DestroyObject, (CK_SESSION_HANDLE a, CK_OBJECT_HANDLE b), (a, b))
HOOK(C_GenerateRandom, (CK_SESSION_HANDLE a, unsigned char *b, CK_ULONG c),
    (a, b, c))
HOOK(C_GenerateKeyPair,
    (CK_SESSION_HANDLE a, CK_MECHANISM *b, CK_ATTRIBUTE *c, CK_ULONG d,
	CK_ATTRIBUTE *e, CK_ULONG f, CK_OBJECT_HANDLE *g, CK_OBJECT_HANDLE *h),
    (a, b, c, d, e, f, g, h))
HOOK(C_DeriveKey,
    (CK_SESSION_HANDLE a, CK_MECHANISM *b, CK_OBJECT_HANDLE c, CK_ATTRIBUTE *d,
	CK_ULONG e, CK_OBJECT_HANDLE *f),
    (a, b, c, d, e, f))
HOOK(C_UnwrapKey,
    (CK_SESSION_HANDLE a, CK_MECHANISM *b, CK_OBJECT_HANDLE c, unsigned char *d,
	CK_ULONG e, CK_ATTRIBUTE *f, CK_ULONG g, CK_OBJECT_HANDLE *h),
    (a, b, c, d, e, f, g, h))
HOOK(C_DigestInit, (CK_SESSION_HANDLE a, CK_MECHANISM *b), (a, b))
HOOK(C_DigestUpdate, (CK_SESSION_HANDLE a, unsigned char *b, CK_ULONG c),
    (a, b, c))
HOOK(C_DigestKey, (CK_SESSION_HANDLE a, CK_OBJECT_HANDLE b), (a, b))
HOOK(C_DigestFinal, (CK_SESSION_HANDLE a, unsigned char *b, CK_ULONG *c),
    (a, b, c))

static void
hooks_in(unsigned fail_at)
{
	struct bk_ck *ck = &H.b->ck;

	F.real = *ck;
	F.calls = 0;
	F.fail_at = fail_at;
	F.name = NULL;
	ck->C_OpenSession = f_C_OpenSession;
	ck->C_FindObjectsInit = f_C_FindObjectsInit;
	ck->C_FindObjects = f_C_FindObjects;
	ck->C_FindObjectsFinal = f_C_FindObjectsFinal;
	ck->C_GetAttributeValue = f_C_GetAttributeValue;
	ck->C_CreateObject = f_C_CreateObject;
	ck->C_CopyObject = f_C_CopyObject;
	ck->C_DestroyObject = f_C_DestroyObject;
	ck->C_GenerateRandom = f_C_GenerateRandom;
	ck->C_GenerateKeyPair = f_C_GenerateKeyPair;
	ck->C_DeriveKey = f_C_DeriveKey;
	ck->C_UnwrapKey = f_C_UnwrapKey;
	ck->C_DigestInit = f_C_DigestInit;
	ck->C_DigestUpdate = f_C_DigestUpdate;
	ck->C_DigestKey = f_C_DigestKey;
	ck->C_DigestFinal = f_C_DigestFinal;
}

static void
hooks_out(void)
{
	CK_RV last = H.b->ck.last;

	H.b->ck = F.real;
	H.b->ck.last = last;
}

/* Fail call 1, 2, 3, ... of an import of n parts, until none is left. */
static void
fail_each(const struct importer *with, size_t n, unsigned least)
{
	struct helper_part p[CU_PARTS_MAX];
	uint8_t value[32] = {8};
	size_t before = objects();
	struct import i;
	unsigned at;
	hsa_rc rc;

	for (size_t k = 0; k < n; k++) {
		value[1] = (uint8_t)k;
		helper_part(&p[k], value, with->key);
	}
	for (at = 1; at < 200; at++) {
		hooks_in(at);
		rc = import(&i, with, p, n);
		hooks_out();
		if (F.name == NULL)
			break;
		if (rc.v != HSA_E_TOKEN)
			fail_msg(
			    "call %u, %s: %s", at, F.name, hsa_err_name(rc));
		assert_false(i.id.set);
		assert_int_equal(i.pattern[0], 0xee);
		if (objects() != before)
			fail_msg("call %u, %s: an object is left", at, F.name);
	}
	assert_int_equal(rc.v, 0);
	assert_in_range(at, least, 199);
	assert_int_equal(objects(), before + 1);
}

static void
test_bk_master__any_failing_call_leaves_nothing(void **state)
{
	(void)state;
	fail_each(&P521, 1, 15);
	fail_each(&P521, 2, 25);
	fail_each(&P521, 3, 35);
	fail_each(&RSA2048, 1, 10);
	fail_each(&RSA2048, 3, 20);
}

static void
test_bk_importer__any_failing_call_leaves_nothing(void **state)
{
	static const enum tke_importer_kind kind[] = {
	    TKE_IMPORTER_P521, TKE_IMPORTER_RSA2048};
	size_t before = objects();

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct hsa_buf b = {0};
		struct cu_key_id id = {0};
		unsigned at;
		hsa_rc rc;

		hsa_buf_str(&b, "before");
		for (at = 1; at < 50; at++) {
			hooks_in(at);
			rc = H.be.ops->importer_generate(
			    H.be.ctx, &id, &b, kind[k]);
			hooks_out();
			if (F.name == NULL)
				break;
			assert_int_equal(rc.v, HSA_E_TOKEN);
			assert_int_equal(b.len, 6);
			assert_false(id.set);
			assert_int_equal(objects(), before);
		}
		assert_int_equal(rc.v, 0);
		assert_in_range(at, 4, 49);
		assert_memory_equal(b.p, "before", 6);
		assert_int_equal(
		    b.len, kind[k] == TKE_IMPORTER_P521 ? 6 + 158 : 6 + 294);
		assert_int_equal(objects(), before + 2);
		assert_int_equal(
		    H.be.ops->destroy(H.be.ctx, CU_OBJECT_IMPORTER, &id).v, 0);
		assert_int_equal(objects(), before);
		hsa_buf_free(&b);
	}
}

/* ---- threads ------------------------------------------------------------- */

static void *
caller(void *arg)
{
	const struct helper_part *p = arg;
	uint8_t raw[40], pattern[32];
	struct hsa_buf sig = {0};
	uintptr_t wrong = 0;
	struct import i;

	for (int k = 0; k < 8; k++) {
		wrong += !hsa_is_ok(import(&i, &P521, p, 1));
		wrong +=
		    !hsa_is_ok(H.be.ops->pattern(H.be.ctx, pattern, &i.id));
		wrong += memcmp(pattern, i.pattern, 32) != 0;
		wrong += memcmp(pattern, i.part_id[0], 32) != 0;
		wrong += !hsa_is_ok(H.be.ops->random(H.be.ctx, raw, 40));
		wrong += !hsa_is_ok(H.be.ops->oa_sign(H.be.ctx, &sig, raw, 40));
		wrong += !hsa_is_ok(H.be.ops->checkpoint_sign(
		    H.be.ctx, (uint8_t[64]){0}, raw, 40));
		wrong += !hsa_is_ok(
		    H.be.ops->destroy(H.be.ctx, CU_OBJECT_MASTER_KEY, &i.id));
		hsa_buf_reset(&sig);
	}
	wrong += !hsa_is_ok(H.be.ops->sync(H.be.ctx));
	hsa_buf_free(&sig);
	return (void *)wrong;
}

static void
test_bk_p11__eight_threads_do_not_disturb_each_other(void **state)
{
	struct helper_part p[8];
	pthread_t t[8];
	uint8_t value[32];
	size_t before = objects();

	(void)state;
	for (size_t k = 0; k < 8; k++) {
		assert_int_equal(RAND_bytes(value, 32), 1);
		helper_part(&p[k], value, P521.key);
	}
	for (size_t k = 0; k < 8; k++)
		assert_int_equal(pthread_create(&t[k], NULL, caller, &p[k]), 0);
	for (size_t k = 0; k < 8; k++) {
		void *wrong = NULL;

		assert_int_equal(pthread_join(t[k], &wrong), 0);
		assert_null(wrong);
	}
	assert_int_equal(objects(), before);
}

#define CASE(f) cmocka_unit_test_setup(f, no_masters)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_bk_master__one_two_three_p521_parts_make_their_xor),
	    CASE(test_bk_master__one_two_three_rsa_parts_make_their_xor),
	    CASE(test_bk_master__parts_built_by_the_client_library_import),
	    CASE(test_bk_master__shared_info_without_the_null_is_accepted),
	    CASE(test_bk_master__z_keeps_its_leading_zero_bytes),
	    CASE(test_bk_master__flipped_byte_is_refused_and_named),
	    CASE(test_bk_master__changed_ukm_or_point_is_refused),
	    CASE(test_bk_master__part_for_another_importer_is_refused),
	    CASE(test_bk_master__part_of_wrong_length_is_refused),
	    CASE(test_bk_master__counts_and_importers_out_of_range_are_refused),
	    CASE(test_bk_master__no_key_value_can_be_read),
	    CASE(test_bk_master__ids_are_never_used_twice),
	    CASE(test_bk_master__any_failing_call_leaves_nothing),
	    CASE(test_bk_importer__any_failing_call_leaves_nothing),
	    CASE(test_bk_p11__eight_threads_do_not_disturb_each_other),
	};

	if (!helper_bk_have())
		return HELPER_BK_SKIP;
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
