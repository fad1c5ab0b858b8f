/*
 * test_ep11_damage.c - what comes back to a unit is what it gave, or is
 * refused: every byte of key blobs, public keys, states and wrapped keys
 * changed; blobs of another installation, of the former master key, of another
 * login. Each refusal has its documented code and its event, and the unit is
 * the same process at the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/ec.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "helper_matrix.h"
#include "hsa_call.h"
#include "vfy_log.h"

#define OP1 "operational-1"
#define OP2 "operational-2"

static struct hd here, there;
static pid_t pid1, pid2;

/* ---- what was refused, to be found again in the logs --------------------- */

#define CODES_MAX 32

static struct tally {
	const char *unit;
	struct {
		uint32_t fn;
		CK_RV rv;
		unsigned called, logged;
	} code[CODES_MAX];
	size_t n;
} tally[] = {{.unit = OP1}, {.unit = OP2}};
static struct tally *now = &tally[0];

static void
count(struct tally *t, uint32_t fn, CK_RV rv, bool logged)
{
	size_t i = 0;

	while (i < t->n && (t->code[i].fn != fn || t->code[i].rv != rv))
		i++;
	assert_true(i < CODES_MAX);
	t->code[i].fn = fn;
	t->code[i].rv = rv;
	t->code[i].called += !logged;
	t->code[i].logged += logged;
	t->n += i == t->n;
}

/* Every call of this program that may be refused goes through here. */
static CK_RV
said(enum hsa_fn fn, CK_RV rv)
{
	if (rv != CKR_OK)
		count(now, (uint32_t)fn, rv, false);
	return rv;
}

static void
use(const struct hd *d, const char *unit)
{
	assert_true(mx_use(d, unit));
	now = strcmp(unit, OP1) == 0 ? &tally[0] : &tally[1];
}

/* ---- good things to damage ----------------------------------------------- */

static struct mx_bytes aes, ec, ec_pub, kek, ab_kek, ab_mac;
static uint8_t aes_value[32];
static const uint8_t text[32] = "thirty-two bytes of plain text..";

static CK_RV
use_aes(const struct mx_bytes *b)
{
	CK_MECHANISM m = {CKM_AES_ECB, NULL, 0};
	struct mx_bytes out, want;
	CK_RV rv = said(HSA_FN_ENCRYPT_SINGLE,
	    mx_crypt(true, MX_SINGLE, b, &m, text, sizeof(text), &out));

	if (rv == CKR_OK) {
		assert_true(mx_openssl(EVP_aes_256_ecb(), true, false,
		    aes_value, NULL, text, sizeof(text), &want));
		assert_true(mx_same(&out, want.p, want.n));
	}
	return rv;
}

static CK_RV
use_ec(const struct mx_bytes *b)
{
	CK_MECHANISM m = {CKM_ECDSA, NULL, 0};
	struct mx_bytes sig;

	return said(HSA_FN_SIGN_SINGLE,
	    mx_sign(MX_SINGLE, b, &m, text, sizeof(text), &sig));
}

static struct mx_bytes ec_sig;

static CK_RV
use_pub(const struct mx_bytes *b)
{
	CK_MECHANISM m = {CKM_ECDSA, NULL, 0};

	return said(
	    HSA_FN_VERIFY_SINGLE, mx_verify(MX_SINGLE, b, &m, text,
				      sizeof(text), ec_sig.p, ec_sig.n));
}

static CK_RV
use_digest(const struct mx_bytes *b)
{
	uint8_t md[64];
	CK_ULONG n = sizeof(md);

	return said(HSA_FN_DIGEST_FINAL,
	    mx.m_DigestFinal(b->p, b->n, md, &n, mx_target));
}

static CK_RV
use_encrypt(const struct mx_bytes *b)
{
	uint8_t out[64];
	CK_ULONG n = sizeof(out);

	return said(HSA_FN_ENCRYPT, mx.m_Encrypt(b->p, b->n, ep11_input(text),
					sizeof(text), out, &n, mx_target));
}

static CK_RV
use_sign(const struct mx_bytes *b)
{
	struct mx_bytes sig = {.n = 0};
	CK_ULONG n = sizeof(sig.p);

	return said(HSA_FN_SIGN_FINAL,
	    mx.m_SignFinal(b->p, b->n, sig.p, &n, mx_target));
}

static CK_RV
use_wrapped(const struct mx_bytes *b)
{
	CK_MECHANISM m = {CKM_AES_KEY_WRAP_PAD, NULL, 0};
	struct mx_template t = {.n = 0};
	struct mx_bytes key;

	mx_num(&t, CKA_CLASS, CKO_SECRET_KEY);
	mx_num(&t, CKA_KEY_TYPE, CKK_AES);
	return said(HSA_FN_UNWRAP_KEY,
	    mx_unwrap(b->p, b->n, &kek, NULL, &m, &t, &key, NULL));
}

static CK_RV
use_bound(const struct mx_bytes *b)
{
	CK_MECHANISM m = {CKM_IBM_ATTRIBUTEBOUND_WRAP, NULL, 0};
	struct mx_template none = {.n = 0};
	struct mx_bytes key;

	return said(HSA_FN_UNWRAP_KEY,
	    mx_unwrap(b->p, b->n, &ab_kek, &ab_mac, &m, &none, &key, NULL));
}

/* ---- every byte ---------------------------------------------------------- */

/* Which code a changed byte may get: the master key's name is looked at before
 * the MAC, everything else is under it. */
struct region {
	size_t from, to;
	CK_RV rv;
};

static unsigned flipped;

static void
flip_all(const char *what, const struct mx_bytes *good,
    CK_RV (*use_it)(const struct mx_bytes *), const struct region *r,
    size_t regions)
{
	static const uint8_t mask[] = {0x01, 0x80, 0x10, 0x04, 0xff};
	struct mx_bytes b;

	assert_int_equal(use_it(good), CKR_OK);
	for (size_t i = 0; i < good->n; i++) {
		CK_RV want = r[regions - 1].rv, rv;

		for (size_t j = 0; j + 1 < regions; j++)
			if (i >= r[j].from && i < r[j].to)
				want = r[j].rv;
		mx_set(&b, good->p, good->n);
		b.p[i] ^= mask[i % sizeof(mask)];
		rv = use_it(&b);
		if (rv != want)
			fail_msg("%s, byte %zu of %zu: %lx, not %lx", what, i,
			    good->n, rv, want);
		flipped++;
	}
	/* and it was the damage, nothing else */
	assert_int_equal(use_it(good), CKR_OK);
}

static void
test_damage__every_byte_of_a_key_blob(void **state)
{
	static const struct region r[] = {
	    {32, 48, CKR_IBM_WKID_MISMATCH}, {0, 0, CKR_IBM_BLOB_ERROR}};

	(void)state;
	flip_all("AES blob", &aes, use_aes, r, 2);
	flip_all("EC blob", &ec, use_ec, r, 2);
}

static void
test_damage__every_byte_of_a_public_key(void **state)
{
	/* the first OCTET STRING behind the SPKI, without its tag and length */
	size_t at = ec_pub.n - 120 + 2;
	const struct region r[] = {
	    {at, at + 16, CKR_IBM_WKID_MISMATCH}, {0, 0, CKR_IBM_BLOB_ERROR}};

	(void)state;
	flip_all("public key", &ec_pub, use_pub, r, 2);
}

static void
test_damage__every_byte_of_a_state(void **state)
{
	static const struct region r[] = {
	    {32, 48, CKR_IBM_WKID_MISMATCH}, {0, 0, CKR_SAVED_STATE_INVALID}};
	CK_MECHANISM sha = {CKM_SHA256, NULL, 0}, ecb = {CKM_AES_ECB, NULL, 0},
		     sign = {CKM_ECDSA_SHA256, NULL, 0};
	struct mx_bytes s;

	(void)state;
	s.n = sizeof(s.p);
	assert_int_equal(mx.m_DigestInit(s.p, &s.n, &sha, mx_target), CKR_OK);
	assert_int_equal(mx.m_DigestUpdate(s.p, s.n, ep11_input(text),
			     sizeof(text), mx_target),
	    CKR_OK);
	flip_all("digest state", &s, use_digest, r, 2);
	s.n = sizeof(s.p);
	assert_int_equal(
	    mx.m_EncryptInit(s.p, &s.n, &ecb, aes.p, aes.n, mx_target), CKR_OK);
	flip_all("encrypt state", &s, use_encrypt, r, 2);
	s.n = sizeof(s.p);
	assert_int_equal(
	    mx.m_SignInit(s.p, &s.n, &sign, ec.p, ec.n, mx_target), CKR_OK);
	assert_int_equal(mx.m_SignUpdate(s.p, s.n, ep11_input(text),
			     sizeof(text), mx_target),
	    CKR_OK);
	flip_all("sign state", &s, use_sign, r, 2);
}

static void
test_damage__every_byte_of_a_wrapped_key(void **state)
{
	static const struct region r[] = {{0, 0, CKR_WRAPPED_KEY_INVALID}};
	CK_MECHANISM gen = {CKM_AES_KEY_GEN, NULL, 0},
		     secret = {CKM_GENERIC_SECRET_KEY_GEN, NULL, 0},
		     kwp = {CKM_AES_KEY_WRAP_PAD, NULL, 0},
		     bound = {CKM_IBM_ATTRIBUTEBOUND_WRAP, NULL, 0};
	struct mx_template t = {.n = 0};
	struct mx_bytes out, key;

	(void)state;
	assert_int_equal(mx_wrap(&aes, &kek, NULL, &kwp, &out), CKR_OK);
	flip_all("wrapped key", &out, use_wrapped, r, 1);
	mx_num(&t, CKA_VALUE_LEN, 32);
	mx_bool(&t, CKA_IBM_ATTRBOUND, true);
	assert_int_equal(mx_generate(&gen, &t, &ab_kek, NULL), CKR_OK);
	assert_int_equal(mx_generate(&secret, &t, &ab_mac, NULL), CKR_OK);
	assert_int_equal(mx_generate(&gen, &t, &key, NULL), CKR_OK);
	assert_int_equal(mx_wrap(&key, &ab_kek, &ab_mac, &bound, &out), CKR_OK);
	flip_all("bound wrapped key", &out, use_bound, r, 1);
}

/* Shorter, longer, nothing. */
static void
test_damage__every_length_of_a_blob(void **state)
{
	struct mx_bytes b;

	(void)state;
	mx_set(&b, aes.p, aes.n);
	b.n = 0;
	assert_int_equal(use_aes(&b), CKR_KEY_HANDLE_INVALID);
	for (b.n = 1; b.n < aes.n; b.n++) {
		CK_RV rv = use_aes(&b);

		if (rv != CKR_IBM_BLOB_ERROR)
			fail_msg("%zu of %zu bytes: %lx", b.n, aes.n, rv);
		flipped++;
	}
	b.p[b.n++] = 0;
	assert_int_equal(use_aes(&b), CKR_IBM_BLOB_ERROR);
}

/* ---- elsewhere ----------------------------------------------------------- */

static void
test_damage__a_blob_works_on_every_unit_of_its_installation(void **state)
{
	(void)state;
	use(&here, OP2);
	assert_int_equal(use_aes(&aes), CKR_OK);
	assert_int_equal(use_ec(&ec), CKR_OK);
	assert_int_equal(use_pub(&ec_pub), CKR_OK);
	use(&here, OP1);
}

static void
test_damage__a_blob_of_another_installation_is_refused(void **state)
{
	struct mx_bytes theirs, sig;
	CK_MECHANISM gen = {CKM_AES_KEY_GEN, NULL, 0},
		     ecb = {CKM_AES_ECB, NULL, 0}, ecdsa = {CKM_ECDSA, NULL, 0};
	struct mx_template t = {.n = 0};

	(void)state;
	assert_true(mx_use(&there, OP1));
	assert_int_equal(
	    mx_crypt(true, MX_SINGLE, &aes, &ecb, text, sizeof(text), &sig),
	    CKR_IBM_WKID_MISMATCH);
	assert_int_equal(
	    mx_sign(MX_SINGLE, &ec, &ecdsa, text, sizeof(text), &sig),
	    CKR_IBM_WKID_MISMATCH);
	assert_int_equal(mx_verify(MX_SINGLE, &ec_pub, &ecdsa, text,
			     sizeof(text), ec_sig.p, ec_sig.n),
	    CKR_IBM_WKID_MISMATCH);
	mx_num(&t, CKA_VALUE_LEN, 32);
	assert_int_equal(mx_generate(&gen, &t, &theirs, NULL), CKR_OK);
	use(&here, OP1);
	assert_int_equal(use_aes(&theirs), CKR_IBM_WKID_MISMATCH);
	/* the other one's name for its key does not make it that key */
	memcpy(theirs.p + 32, aes.p + 32, 16);
	assert_int_equal(use_aes(&theirs), CKR_IBM_BLOB_ERROR);
}

/* ---- logins -------------------------------------------------------------- */

static CK_RV
login(struct mx_bytes *pin, uint8_t nonce)
{
	CK_UTF8CHAR blanks[] = "        ";
	uint8_t n[32];

	memset(n, nonce, sizeof(n));
	pin->n = sizeof(pin->p);
	return mx.m_Login(blanks, 8, n, sizeof(n), pin->p, &pin->n, mx_target);
}

static void
test_damage__a_key_of_another_login_is_refused(void **state)
{
	CK_MECHANISM gen = {CKM_AES_KEY_GEN, NULL, 0},
		     ecb = {CKM_AES_ECB, NULL, 0};
	struct mx_bytes pin, other, again, key, csum, out, want;
	struct mx_template t = {.n = 0};

	(void)state;
	assert_int_equal(login(&pin, 7), CKR_OK);
	assert_int_equal(pin.n, 80);
	mx_num(&t, CKA_VALUE_LEN, 32);
	key.n = sizeof(key.p);
	csum.n = sizeof(csum.p);
	assert_int_equal(mx.m_GenerateKey(&gen, t.a, t.n, pin.p, pin.n, key.p,
			     &key.n, csum.p, &csum.n, mx_target),
	    CKR_OK);
	assert_memory_equal(key.p, pin.p, 32);
	assert_int_equal(
	    mx_crypt(true, MX_SINGLE, &key, &ecb, text, sizeof(text), &want),
	    CKR_OK);
	/* the second unit knows nothing of this login */
	use(&here, OP2);
	assert_int_equal(use_aes(&key), CKR_SESSION_CLOSED);
	use(&here, OP1);
	assert_int_equal(mx.m_Logout(pin.p, pin.n, mx_target), CKR_OK);
	assert_int_equal(use_aes(&key), CKR_SESSION_CLOSED);
	assert_int_equal(login(&other, 8), CKR_OK);
	assert_int_equal(use_aes(&key), CKR_SESSION_CLOSED);
	/* bound to nothing, or to the other: no longer what the MAC is over */
	mx_set(&out, key.p, key.n);
	memset(out.p, 0, 32);
	assert_int_equal(use_aes(&out), CKR_IBM_BLOB_ERROR);
	memcpy(out.p, other.p, 32);
	assert_int_equal(use_aes(&out), CKR_IBM_BLOB_ERROR);
	/* the same PIN and nonce is the same login, on the second unit too */
	assert_int_equal(login(&again, 7), CKR_OK);
	assert_memory_equal(again.p, pin.p, 32);
	assert_int_equal(
	    mx_crypt(true, MX_SINGLE, &key, &ecb, text, sizeof(text), &out),
	    CKR_OK);
	assert_true(mx_same(&out, want.p, want.n));
	use(&here, OP2);
	assert_int_equal(login(&again, 7), CKR_OK);
	assert_int_equal(
	    mx_crypt(true, MX_SINGLE, &key, &ecb, text, sizeof(text), &out),
	    CKR_OK);
	assert_true(mx_same(&out, want.p, want.n));
	use(&here, OP1);
}

/* ---- rotation ------------------------------------------------------------ */

/* Command 25 as hosts send it (ep11-host-api 15.1); the inner return value. */
static CK_RV
rewrap(const char *unit, struct mx_bytes *to, const struct mx_bytes *from,
    uint32_t *reason)
{
	struct XCPadmresp info = {.fn = 0};
	struct mx_bytes block, rsp;
	unsigned module = 0, domain = 0;
	CK_RV rv = CKR_GENERAL_ERROR;
	long n;

	assert_true(hd_unit_indices(&here, unit, &module, &domain));
	info.domain = domain;
	n = mx.xcpa_cmdblock(block.p, sizeof(block.p), XCP_ADM_REENCRYPT, &info,
	    NULL, from->p, from->n);
	assert_true(n > 0);
	rsp.n = sizeof(rsp.p);
	assert_int_equal(mx.m_admin(rsp.p, &rsp.n, NULL, NULL, block.p,
			     (size_t)n, NULL, 0, mx_target),
	    CKR_OK);
	assert_int_equal(mx.xcpa_internal_rv(rsp.p, rsp.n, &info, &rv), 0);
	*reason = info.reason;
	if (said(HSA_FN_REWRAP_KEY_BLOB, rv) == CKR_OK)
		mx_set(to, info.payload, info.pllen);
	return rv;
}

static void
test_damage__a_blob_goes_over_to_the_next_master_key(void **state)
{
	CK_MECHANISM sha = {CKM_SHA256, NULL, 0};
	struct mx_bytes aes2 = {.n = 0}, ec2 = {.n = 0}, pub2 = {.n = 0}, s,
			bad;
	uint32_t reason = 0;

	(void)state;
	assert_int_equal(
	    rewrap(OP1, &aes2, &aes, &reason), CKR_IBM_WK_NOT_INITIALIZED);
	assert_int_equal(reason, 50);
	s.n = sizeof(s.p);
	assert_int_equal(mx.m_DigestInit(s.p, &s.n, &sha, mx_target), CKR_OK);

	assert_true(hd_step(&here, "next-key"));
	assert_int_equal(use_aes(&aes), CKR_OK);
	assert_int_equal(use_digest(&s), CKR_OK);
	assert_int_equal(rewrap(OP1, &aes2, &aes, &reason), CKR_OK);
	assert_int_equal(rewrap(OP1, &ec2, &ec, &reason), CKR_OK);
	assert_int_equal(rewrap(OP1, &pub2, &ec_pub, &reason), CKR_OK);
	assert_int_equal(aes2.n, aes.n);
	assert_memory_not_equal(aes2.p + 32, aes.p + 32, 16);
	mx_set(&bad, aes.p, aes.n);
	bad.p[aes.n - 1] ^= 1;
	assert_int_equal(rewrap(OP1, &bad, &bad, &reason), CKR_IBM_BLOB_ERROR);
	/* not yet: the key it is under is not the current one */
	assert_int_equal(use_aes(&aes2), CKR_IBM_WKID_MISMATCH);

	assert_true(hd_step(&here, "activate-key"));
	assert_int_equal(use_aes(&aes), CKR_IBM_WKID_MISMATCH);
	assert_int_equal(use_ec(&ec), CKR_IBM_WKID_MISMATCH);
	assert_int_equal(use_pub(&ec_pub), CKR_IBM_WKID_MISMATCH);
	assert_int_equal(use_digest(&s), CKR_IBM_WKID_MISMATCH);
	assert_int_equal(use_aes(&aes2), CKR_OK);
	assert_int_equal(use_pub(&pub2), CKR_OK);
	assert_int_equal(use_ec(&ec2), CKR_OK);
	/* on every unit that made the change */
	use(&here, OP2);
	assert_int_equal(use_aes(&aes), CKR_IBM_WKID_MISMATCH);
	assert_int_equal(use_aes(&aes2), CKR_OK);
	use(&here, OP1);
	/* the way back is closed */
	assert_int_equal(
	    rewrap(OP1, &bad, &aes, &reason), CKR_IBM_WK_NOT_INITIALIZED);
	assert_int_equal(reason, 50);
}

/* ---- the log ------------------------------------------------------------- */

static hsa_rc
on_record(void *ctx, const struct hsa_record *r, const uint8_t *raw, size_t n)
{
	(void)raw;
	(void)n;
	if (r->has_use && r->ep11_rc != 0) {
		count(ctx, r->use.function, r->ep11_rc, true);
		assert_string_equal(r->event.outcome, "failure");
	}
	return HSA_OK;
}

static void
test_damage__every_refusal_is_an_event_and_no_unit_died(void **state)
{
	char log[256], pub[256];
	struct vfy_keys keys = {0};
	struct hsa_diag diag = {{0}};
	unsigned refused = 0;

	(void)state;
	assert_int_equal(hd_unit_pid(&here, OP1), pid1);
	assert_int_equal(hd_unit_pid(&here, OP2), pid2);
	assert_int_equal(hd_stop(&here), 0);
	(void)snprintf(pub, sizeof(pub), "%s/checkpoint.pub", here.state);
	assert_true(hsa_is_ok(vfy_keys_load(&keys, pub, &diag)));
	for (size_t u = 0; u < 2; u++) {
		struct tally *t = &tally[u];
		struct vfy_options opt = {
		    .keys = &keys, .on_record = on_record, .ctx = t};
		struct vfy_result res;

		memset(&res, 0, sizeof(res));
		(void)snprintf(
		    log, sizeof(log), "%s/units/%s/log", here.state, t->unit);
		assert_true(hsa_is_ok(vfy_log(&res, log, &opt, &diag)));
		if (res.bad)
			fail_msg("%s: %s", t->unit, res.finding);
		for (size_t i = 0; i < t->n; i++) {
			if (t->code[i].called != t->code[i].logged)
				fail_msg("%s: %s answered %lx %u times, and "
					 "%u events say so",
				    t->unit,
				    hsa_fn_text((enum hsa_fn)t->code[i].fn),
				    t->code[i].rv, t->code[i].called,
				    t->code[i].logged);
			refused += t->code[i].called;
		}
	}
	vfy_keys_free(&keys);
	printf("COUNT damaged inputs refused: %u\n", flipped);
	printf("COUNT refusals, each found as an event: %u\n", refused);
}

/* ---- the installations --------------------------------------------------- */

static bool
make_keys(void)
{
	EVP_PKEY *k = EVP_EC_gen("prime256v1");
	CK_MECHANISM gen = {CKM_AES_KEY_GEN, NULL, 0},
		     ecdsa = {CKM_ECDSA, NULL, 0};
	struct mx_template t = {.n = 0};
	bool good;

	mx_num(&t, CKA_VALUE_LEN, 32);
	mx_random(aes_value, sizeof(aes_value));
	good = mx_keys_open() &&
	       mx_import(&aes, NULL, CKO_SECRET_KEY, CKK_AES, aes_value,
		   sizeof(aes_value)) == CKR_OK &&
	       mx_import_private(&ec, &ec_pub, k) == CKR_OK &&
	       mx_generate(&gen, &t, &kek, NULL) == CKR_OK &&
	       mx_sign(MX_SINGLE, &ec, &ecdsa, text, sizeof(text), &ec_sig) ==
		   CKR_OK;
	EVP_PKEY_free(k);
	return good;
}

static int
setup(void **state)
{
	(void)state;
	/* see test_ep11_matrix.c */
	if (access("/dev/shm", W_OK) == 0)
		(void)setenv("TMPDIR", "/dev/shm", 1);
	if (!hd_ceremony(&here) || !hd_start(&here) || !hd_ceremony(&there) ||
	    !hd_start(&there) || !mx_open(&here, OP1) || !make_keys())
		return -1;
	pid1 = hd_unit_pid(&here, OP1);
	pid2 = hd_unit_pid(&here, OP2);
	return pid1 == 0 || pid2 == 0 ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	hd_free(&here);
	hd_free(&there);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_damage__every_byte_of_a_key_blob),
	    cmocka_unit_test(test_damage__every_byte_of_a_public_key),
	    cmocka_unit_test(test_damage__every_byte_of_a_state),
	    cmocka_unit_test(test_damage__every_byte_of_a_wrapped_key),
	    cmocka_unit_test(test_damage__every_length_of_a_blob),
	    cmocka_unit_test(
		test_damage__a_blob_works_on_every_unit_of_its_installation),
	    cmocka_unit_test(
		test_damage__a_blob_of_another_installation_is_refused),
	    cmocka_unit_test(test_damage__a_key_of_another_login_is_refused),
	    cmocka_unit_test(
		test_damage__a_blob_goes_over_to_the_next_master_key),
	    cmocka_unit_test(
		test_damage__every_refusal_is_an_event_and_no_unit_died),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
