/*
 * test_ep11_matrix.c - function x mechanism: every mechanism that a unit lists,
 * in every function that its flags promise and every form of it, through
 * libep11.so.4 and a real cryptounitd's socket, checked by OpenSSL and by
 * published vectors. Prints the matrix.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ep11_mech.h"
#include "helper_matrix.h"

static struct hd daemon_;

/* ---- mechanisms that hosts can use and no unit here lists ---------------- */

/* ep11-host-api 9.2 and 18.3 against the list; why, is ep11/README.md's. */
static const struct {
	CK_MECHANISM_TYPE type;
	const char *name, *why;
} absent[] = {
#define V(n) (CKM_VENDOR_DEFINED + (n))
    {0x1071, "AES_XTS", "SoftHSM has no AES-XTS"},
    {CKM_PBE_SHA1_DES3_EDE_CBC, "PBE_SHA1_DES3_EDE_CBC", "no PBE in SoftHSM"},
    {CKM_RSA_X9_31, "RSA_X9_31", "no X9.31 signature in SoftHSM"},
    {CKM_SHA1_RSA_X9_31, "SHA1_RSA_X9_31", "no X9.31 signature in SoftHSM"},
    {0x2b0, "SHA512_224", "SoftHSM does not hash it"},
    {0x2b1, "SHA512_224_HMAC", "SoftHSM has no such HMAC"},
    {0x2b2, "SHA512_224_HMAC_GENERAL", "SoftHSM has no such HMAC"},
    {0x2c0, "SHA512_256", "SoftHSM does not hash it"},
    {0x2c1, "SHA512_256_HMAC", "SoftHSM has no such HMAC"},
    {0x2c2, "SHA512_256_HMAC_GENERAL", "SoftHSM has no such HMAC"},
    {V(0x10001), "IBM_SHA3_224", "SoftHSM has no SHA-3"},
    {V(0x10002), "IBM_SHA3_256", "SoftHSM has no SHA-3"},
    {V(0x10003), "IBM_SHA3_384", "SoftHSM has no SHA-3"},
    {V(0x10004), "IBM_SHA3_512", "SoftHSM has no SHA-3"},
    {V(0x10025), "IBM_SHA3_224_HMAC", "SoftHSM has no SHA-3"},
    {V(0x10026), "IBM_SHA3_256_HMAC", "SoftHSM has no SHA-3"},
    {V(0x10027), "IBM_SHA3_384_HMAC", "SoftHSM has no SHA-3"},
    {V(0x10028), "IBM_SHA3_512_HMAC", "SoftHSM has no SHA-3"},
    {V(0x10023), "IBM_DILITHIUM", "no post-quantum in SoftHSM"},
    {V(0x10024), "IBM_KYBER", "no post-quantum in SoftHSM"},
    {V(0x10031), "IBM_ECDSA_OTHER", "no Schnorr or BLS in SoftHSM"},
    {V(0x10034), "IBM_EC_AGGREGATE", "no pairing curves in SoftHSM"},
    {V(0x10035), "IBM_ML_DSA_KEY_PAIR_GEN", "no post-quantum in SoftHSM"},
    {V(0x10036), "IBM_ML_DSA", "no post-quantum in SoftHSM"},
    {V(0x10037), "IBM_ML_KEM_KEY_PAIR_GEN", "no post-quantum in SoftHSM"},
    {V(0x10038), "IBM_ML_KEM", "no post-quantum in SoftHSM"},
    {V(0x60001), "IBM_CPACF_WRAP", "protected keys are of s390"},
    {V(0x70001), "IBM_BTC_DERIVE", "no BIP-32 in SoftHSM"},
    {V(0x70002), "IBM_ETH_DERIVE", "no EIP-2333 in SoftHSM"},
#undef V
};
#define ABSENT (sizeof(absent) / sizeof(absent[0]))

/* Refused wherever it is named, not only missing from a list. */
static void
test_matrix__what_the_token_cannot_do_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ABSENT; i++) {
		CK_MECHANISM m = {absent[i].type, NULL, 0};
		CK_MECHANISM_INFO info;
		struct mx_bytes out, sig = {.n = 64};

		assert_null(mx_info(absent[i].type));
		assert_int_equal(
		    mx.m_GetMechanismInfo(0, absent[i].type, &info, mx_target),
		    CKR_MECHANISM_INVALID);
		assert_int_equal(mx_digest(MX_SINGLE, &m, "abc", 3, &out),
		    CKR_MECHANISM_INVALID);
		assert_int_equal(
		    mx_crypt(true, MX_SINGLE, &mx_kek, &m, "abc", 3, &out),
		    CKR_MECHANISM_INVALID);
		assert_int_equal(
		    mx_sign(MX_SINGLE, &mx_kek, &m, "abc", 3, &sig),
		    CKR_MECHANISM_INVALID);
	}
}

/* ---- families ------------------------------------------------------------ */

static void
run(void (*family)(void))
{
	unsigned before = mx_wrong();

	family();
	assert_int_equal(mx_wrong() - before, 0);
}

#define FAMILY(name)                                                           \
	static void test_matrix__##name(void **state)                          \
	{                                                                      \
		(void)state;                                                   \
		run(mx_run_##name);                                            \
	}
FAMILY(digest)
FAMILY(cipher)
FAMILY(mac)
FAMILY(rsa)
FAMILY(ec)
FAMILY(ecdh)
FAMILY(sha)
FAMILY(dsa)
FAMILY(dh)
FAMILY(generate)
FAMILY(wrap)
FAMILY(attrbound)
FAMILY(vectors)

/* The families try the smallest and the largest key of these ranges: a unit
 * that promises another is not tried. */
static void
test_matrix__sizes_tried_are_those_promised(void **state)
{
	static const struct {
		CK_MECHANISM_TYPE type;
		CK_ULONG min, max;
	} all[] = {{CKM_AES_KEY_GEN, 16, 32}, {CKM_AES_ECB, 16, 32},
	    {CKM_AES_CBC, 16, 32}, {CKM_AES_CBC_PAD, 16, 32},
	    {CKM_AES_CTR, 16, 32}, {CKM_AES_GCM, 16, 32},
	    {CKM_AES_CMAC, 16, 32}, {CKM_AES_KEY_WRAP, 16, 32},
	    {CKM_AES_KEY_WRAP_PAD, 16, 32}, {CKM_DES2_KEY_GEN, 16, 16},
	    {CKM_DES3_KEY_GEN, 24, 24}, {CKM_DES3_ECB, 16, 24},
	    {CKM_DES3_CBC, 16, 24}, {CKM_DES3_CBC_PAD, 16, 24},
	    {CKM_DES3_CMAC, 16, 24}, {CKM_IBM_CMAC, 16, 32},
	    {CKM_RSA_PKCS_KEY_PAIR_GEN, 1024, 4096},
	    {CKM_RSA_X9_31_KEY_PAIR_GEN, 2048, 4096},
	    {CKM_RSA_PKCS, 1024, 4096}, {CKM_RSA_PKCS_OAEP, 1024, 4096},
	    {CKM_RSA_X_509, 1024, 4096}, {CKM_RSA_PKCS_PSS, 1024, 4096},
	    {CKM_SHA512_RSA_PKCS, 1024, 4096},
	    {CKM_SHA512_RSA_PKCS_PSS, 1024, 4096},
	    {CKM_EC_KEY_PAIR_GEN, 160, 521}, {CKM_ECDSA, 160, 521},
	    {CKM_ECDSA_SHA512, 160, 521}, {CKM_IBM_ECDSA_SHA512, 160, 521},
	    {CKM_ECDH1_DERIVE, 160, 521}, {CKM_EDDSA, 255, 448},
	    {CKM_EC_EDWARDS_KEY_PAIR_GEN, 255, 448},
	    {CKM_DSA_KEY_PAIR_GEN, 1024, 1024}, {CKM_DSA, 512, 1024},
	    {CKM_DH_PKCS_KEY_PAIR_GEN, 512, 4096},
	    {CKM_DH_PKCS_DERIVE, 512, 4096}};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const CK_MECHANISM_INFO *info = mx_info(all[i].type);

		assert_non_null(info);
		if (info->ulMinKeySize != all[i].min ||
		    info->ulMaxKeySize != all[i].max)
			fail_msg("%s: %lu to %lu", ep11_mech_name(all[i].type),
			    info->ulMinKeySize, info->ulMaxKeySize);
	}
}

static void
test_matrix__every_promise_was_tried_and_kept(void **state)
{
	(void)state;
	assert_int_equal(mx_print(), 0);
	printf("COUNT mechanisms of EP11 absent by the token: %zu\n", ABSENT);
	for (size_t i = 0; i < ABSENT; i++)
		printf("    %-24s %s\n", absent[i].name, absent[i].why);
}

/* ---- the installation ---------------------------------------------------- */

static int
setup(void **state)
{
	(void)state;
	/* what a call gives is looked at here, not whether it outlives a power
	 * cut: fifteen thousand calls need not wait for a disk */
	if (access("/dev/shm", W_OK) == 0)
		(void)setenv("TMPDIR", "/dev/shm", 1);
	if (!hd_ceremony(&daemon_) || !hd_start(&daemon_) ||
	    !mx_open(&daemon_, "operational-1") || !mx_list() ||
	    !mx_keys_open())
		return -1;
	return 0;
}

static int
teardown(void **state)
{
	int rc = hd_stop(&daemon_);

	(void)state;
	hd_free(&daemon_);
	return rc;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_matrix__what_the_token_cannot_do_is_refused),
	    cmocka_unit_test(test_matrix__digest),
	    cmocka_unit_test(test_matrix__cipher),
	    cmocka_unit_test(test_matrix__mac),
	    cmocka_unit_test(test_matrix__rsa),
	    cmocka_unit_test(test_matrix__ec),
	    cmocka_unit_test(test_matrix__ecdh),
	    cmocka_unit_test(test_matrix__sha),
	    cmocka_unit_test(test_matrix__dsa),
	    cmocka_unit_test(test_matrix__dh),
	    cmocka_unit_test(test_matrix__generate),
	    cmocka_unit_test(test_matrix__wrap),
	    cmocka_unit_test(test_matrix__attrbound),
	    cmocka_unit_test(test_matrix__vectors),
	    cmocka_unit_test(test_matrix__sizes_tried_are_those_promised),
	    cmocka_unit_test(test_matrix__every_promise_was_tried_and_kept),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
