/*
 * test_libep11_key.c - keys through libep11.so.4 as a program meets it that
 * knows nothing of this project; what comes out is checked by OpenSSL.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>
#include "helper_dl.h"

static struct hd d;
static target_t target;
static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static uc iv[16] = "1234567812345678"; /* as openCryptoki's */
static CK_MECHANISM aes_gen = {CKM_AES_KEY_GEN, NULL, 0};
static CK_MECHANISM ecb = {CKM_AES_ECB, NULL, 0};
static CK_MECHANISM cbc_pad = {CKM_AES_CBC_PAD, iv, sizeof(iv)};

static int
set_up(void **state)
{
	(void)state;
	return dl_start(&d, &target) ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	dl_stop(&d);
	return 0;
}

/* The key that openCryptoki makes for its imports (ep11-host-api 12.1). */
static void
wrap_key(uc blob[BLOB], size_t *n, uc csum[7])
{
	CK_ULONG len = 32;
	CK_ATTRIBUTE t[] = {
	    {CKA_VALUE_LEN, &len, sizeof(len)},
	    {CKA_WRAP, &yes, 1},
	    {CKA_UNWRAP, &yes, 1},
	    {CKA_ENCRYPT, &yes, 1},
	    {CKA_DECRYPT, &yes, 1},
	    {CKA_EXTRACTABLE, &yes, 1},
	};
	size_t m_len = 7;

	*n = BLOB;
	assert_int_equal(m.generate(&aes_gen, t, sizeof(t) / sizeof(t[0]), NULL,
			     0, blob, n, csum, &m_len, target),
	    CKR_OK);
	assert_in_range(*n, 80 + 32 + 32, BLOB);
	assert_int_equal(m_len, 7);
}

static void
test_libep11_key__a_new_key_is_a_blob_as_opencryptoki_reads_it(void **state)
{
	uc blob[BLOB] = {0}, csum[7] = {0}, zero[16] = {0}, out[16] = {0};
	uc domain[88] = {0};
	uint16_t version = 0;
	uint32_t bools = 0;
	size_t n = 0;
	CK_ULONG k = sizeof(domain);

	(void)state;
	wrap_key(blob, &n, csum);
	assert_int_equal(m.info(domain, &k, 3, 0, target), CKR_OK);
	for (int i = 0; i < 32; i++)
		assert_int_equal(blob[i], 0);
	assert_memory_equal(blob + 32, domain + 8, 16);
	memcpy(&version, blob + 64, sizeof(version));
	assert_int_equal(version, 0x1234);
	memcpy(&bools, blob + 52, sizeof(bools));
	assert_int_equal(bools & 0x6c01, 0x6c01);
	k = sizeof(out);
	assert_int_equal(
	    m.encrypt_single(blob, n, &ecb, zero, 16, out, &k, target), CKR_OK);
	assert_memory_equal(csum, out, 3);
	assert_memory_equal(csum + 3, "\0\0\1\0", 4); /* 256 bits */
	/* it is a key of all units, as they hold one master key */
	{
		target_t other = ~0UL;
		uc again[16] = {0};

		assert_true(dl_add(&d, &other, "recovery-1", 0));
		assert_int_equal(
		    m.encrypt_single(blob, n, &ecb, zero, 16, again, &k, other),
		    CKR_OK);
		assert_memory_equal(again, out, 16);
	}
	blob[n - 1] ^= 1;
	assert_int_not_equal(
	    m.encrypt_single(blob, n, &ecb, zero, 16, out, &k, target), CKR_OK);
}

static void
test_libep11_key__room_for_keys_and_data_is_handled_as_documented(void **state)
{
	uc blob[BLOB] = {0}, csum[7] = {0}, plain[40] = "forty bytes of text";
	uc ciphered[48] = {0}, back[48] = {0};
	CK_ULONG len = 32, k = 0;
	CK_ATTRIBUTE t = {CKA_VALUE_LEN, &len, sizeof(len)};
	size_t n = 60, c = 7;

	(void)state;
	assert_int_equal(
	    m.generate(&aes_gen, &t, 1, NULL, 0, blob, &n, csum, &c, target),
	    CKR_BUFFER_TOO_SMALL);
	assert_in_range(n, 61, BLOB);
	c = 6;
	assert_int_equal(
	    m.generate(&aes_gen, &t, 1, NULL, 0, blob, &n, csum, &c, target),
	    CKR_BUFFER_TOO_SMALL);
	assert_int_equal(c, 7);
	wrap_key(blob, &n, csum);
	assert_int_equal(
	    m.encrypt_single(blob, n, &cbc_pad, plain, 40, NULL, &k, target),
	    CKR_OK);
	assert_int_equal(k, 48);
	k = 47;
	assert_int_equal(m.encrypt_single(blob, n, &cbc_pad, plain, 40,
			     ciphered, &k, target),
	    CKR_BUFFER_TOO_SMALL);
	assert_int_equal(k, 48);
	assert_int_equal(m.encrypt_single(blob, n, &cbc_pad, plain, 40,
			     ciphered, &k, target),
	    CKR_OK);
	assert_int_equal(k, 48);
	assert_int_equal(
	    m.decrypt_single(blob, n, &cbc_pad, ciphered, 48, back, &k, target),
	    CKR_OK);
	assert_int_equal(k, 40);
	assert_memory_equal(back, plain, 40);
	/* no bytes are bytes: one block of padding */
	k = sizeof(ciphered);
	assert_int_equal(
	    m.encrypt_single(blob, n, &cbc_pad, NULL, 0, ciphered, &k, target),
	    CKR_OK);
	assert_int_equal(k, 16);
	k = sizeof(back);
	assert_int_equal(
	    m.decrypt_single(blob, n, &cbc_pad, ciphered, 16, back, &k, target),
	    CKR_OK);
	assert_int_equal(k, 0);
}

static void
test_libep11_key__parts_are_encrypted_by_a_state_that_keeps_its_length(
    void **state)
{
	uc blob[BLOB] = {0}, csum[7] = {0}, st[STATE] = {0}, old[STATE] = {0};
	uc plain[40] = "forty bytes of text", out[64] = {0}, again[64] = {0};
	uc back[64] = {0};
	size_t n = 0, len = sizeof(st);
	CK_ULONG k = 0, used = 0;

	(void)state;
	wrap_key(blob, &n, csum);
	assert_int_equal(
	    m.encrypt_init(st, &len, &cbc_pad, blob, n, target), CKR_OK);
	assert_in_range(len, 1, STATE);
	k = sizeof(out);
	assert_int_equal(
	    m.encrypt_update(st, len, plain, 20, out, &k, target), CKR_OK);
	assert_int_equal(k, 16);
	memcpy(old, st, len);
	/* too little room changes nothing */
	k = 0;
	assert_int_equal(
	    m.encrypt_update(st, len, plain + 20, 20, again, &k, target),
	    CKR_BUFFER_TOO_SMALL);
	assert_memory_equal(old, st, len);
	for (int i = 0; i < 2; i++) {
		used = 16;
		k = sizeof(out) - used;
		assert_int_equal(m.encrypt_update(st, len, plain + 20, 20,
				     out + used, &k, target),
		    CKR_OK);
		used += k;
		k = sizeof(out) - used;
		assert_int_equal(
		    m.encrypt_final(st, len, out + used, &k, target), CKR_OK);
		used += k;
		assert_int_equal(used, 48);
		k = sizeof(back);
		assert_int_equal(m.decrypt_single(blob, n, &cbc_pad, out, 48,
				     back, &k, target),
		    CKR_OK);
		assert_int_equal(k, 40);
		assert_memory_equal(back, plain, 40);
		/* and once more, from the older copy */
		memcpy(st, old, len);
		memset(out + 16, 0, sizeof(out) - 16);
	}
}

/* A clear key gets in encrypted by a key that can unwrap (12.1); the pointer
 * of the MAC key is NULL, its length is not. */
static void
import(uc blob[BLOB], size_t *n, uc csum[64], CK_ULONG *csum_len,
    CK_ATTRIBUTE *t, CK_ULONG t_len, uc *value, CK_ULONG len)
{
	uc kek[BLOB] = {0}, kek_csum[7] = {0}, wrapped[4096] = {0};
	CK_ULONG k = sizeof(wrapped);
	size_t kek_len = 0;

	wrap_key(kek, &kek_len, kek_csum);
	assert_int_equal(m.encrypt_single(kek, kek_len, &cbc_pad, value, len,
			     wrapped, &k, target),
	    CKR_OK);
	*n = BLOB;
	*csum_len = 64;
	assert_int_equal(
	    m.unwrap(wrapped, k, kek, kek_len, NULL, ~(size_t)0, NULL, 0,
		&cbc_pad, t, t_len, blob, n, csum, csum_len, target),
	    CKR_OK);
}

static void
test_libep11_key__a_clear_key_comes_in_and_openssl_agrees(void **state)
{
	CK_OBJECT_CLASS cls = CKO_SECRET_KEY;
	CK_KEY_TYPE aes = CKK_AES;
	CK_ULONG len = 32;
	CK_ATTRIBUTE t[] = {
	    {CKA_CLASS, &cls, sizeof(cls)},
	    {CKA_KEY_TYPE, &aes, sizeof(aes)},
	    {CKA_VALUE_LEN, &len, sizeof(len)},
	    {CKA_ENCRYPT, &yes, 1},
	    {CKA_DECRYPT, &yes, 1},
	};
	uc value[32] = "thirty-two bytes that are a key!", blob[BLOB] = {0};
	uc csum[64] = {0}, got[48] = {0}, want[64] = {0};
	uc plain[40] = "and forty bytes of what it encrypts";
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	CK_ULONG csum_len = 0, k = sizeof(got);
	size_t n = 0;
	int a = 0, b = 0;

	(void)state;
	import(blob, &n, csum, &csum_len, t, 5, value, sizeof(value));
	assert_int_equal(csum_len, 7);
	assert_memory_equal(csum + 3, "\0\0\1\0", 4);
	assert_int_equal(
	    m.encrypt_single(blob, n, &cbc_pad, plain, 40, got, &k, target),
	    CKR_OK);
	assert_non_null(c);
	assert_int_equal(
	    EVP_EncryptInit_ex(c, EVP_aes_256_cbc(), NULL, value, iv), 1);
	assert_int_equal(EVP_EncryptUpdate(c, want, &a, plain, 40), 1);
	assert_int_equal(EVP_EncryptFinal_ex(c, want + a, &b), 1);
	assert_int_equal(a + b, 48);
	assert_int_equal(k, 48);
	assert_memory_equal(got, want, 48);
	EVP_CIPHER_CTX_free(c);
}

static void
test_libep11_key__attributes_answer_one_by_one(void **state)
{
	uc blob[BLOB] = {0}, csum[7] = {0}, value[64] = {0};
	CK_BBOOL encrypt = CK_FALSE, restrictable = CK_TRUE;
	CK_ULONG type = 99, compliance = 99;
	CK_ATTRIBUTE t[] = {
	    {CKA_ENCRYPT, &encrypt, 1},
	    {VENDOR + 0x10001, &restrictable, 1},
	    {VENDOR + 0x1000a, &compliance, 8},
	    {CKA_KEY_TYPE, &type, 8},
	};
	CK_ATTRIBUTE secret[] = {
	    {CKA_KEY_TYPE, NULL, 0}, {CKA_VALUE, value, sizeof(value)}};
	CK_ATTRIBUTE off = {CKA_ENCRYPT, &no, 1};
	size_t n = 0;

	(void)state;
	wrap_key(blob, &n, csum);
	assert_int_equal(m.attr_get(blob, n, t, 4, target), CKR_OK);
	assert_int_equal(encrypt, CK_TRUE);
	assert_int_equal(t[0].ulValueLen, 1);
	assert_int_equal(t[2].ulValueLen, 8);
	assert_int_equal(type, CKK_AES);
	(void)m.attr_get(blob, n, secret, 2, target);
	assert_int_equal(secret[0].ulValueLen, 8);
	assert_true(secret[1].ulValueLen == ~0UL);
	for (int i = 0; i < 64; i++)
		assert_int_equal(value[i], 0);
	/* the blob is changed where it is, and is a good one afterwards */
	assert_int_equal(m.attr_set(blob, n, &off, 1, target), CKR_OK);
	assert_int_equal(m.attr_get(blob, n, t, 1, target), CKR_OK);
	assert_int_equal(encrypt, CK_FALSE);
	{
		uc zero[16] = {0};
		CK_ULONG k = 16;

		assert_int_not_equal(
		    m.encrypt_single(blob, n, &ecb, zero, 16, zero, &k, target),
		    CKR_OK);
	}
}

/* A pair of 2048 bits; n2: of the public key's MACed SPKI. */
static void
rsa_pair(uc key[BLOB], size_t *n1, uc spki[BLOB], size_t *n2)
{
	CK_MECHANISM gen = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
	CK_ULONG bits = 2048;
	uc e[3] = {1, 0, 1};
	CK_ATTRIBUTE pub[] = {
	    {CKA_MODULUS_BITS, &bits, sizeof(bits)},
	    {CKA_PUBLIC_EXPONENT, e, sizeof(e)},
	    {CKA_VERIFY, &yes, 1},
	};
	CK_ATTRIBUTE prv[] = {{CKA_SIGN, &yes, 1}};

	*n1 = BLOB;
	*n2 = BLOB;
	assert_int_equal(
	    m.pair(&gen, pub, 3, prv, 1, NULL, 0, key, n1, spki, n2, target),
	    CKR_OK);
}

static CK_MECHANISM pkcs = {CKM_RSA_PKCS, NULL, 0};

static void
test_libep11_key__rsa_signs_no_bytes_and_openssl_agrees(void **state)
{
	static uc key[BLOB], spki[BLOB];
	uc sig[256] = {0}, block[256] = {0};
	size_t key_len = 0, spki_len = 0, block_len = sizeof(block);
	CK_ULONG k = sizeof(sig);
	const uc *at = spki;
	EVP_PKEY *public = NULL;
	EVP_PKEY_CTX *c = NULL;

	(void)state;
	rsa_pair(key, &key_len, spki, &spki_len);
	assert_int_equal(
	    m.sign_single(key, key_len, &pkcs, NULL, 0, NULL, &k, target),
	    CKR_OK);
	assert_int_equal(k, 256);
	assert_int_equal(
	    m.sign_single(key, key_len, &pkcs, NULL, 0, sig, &k, target),
	    CKR_OK);
	assert_int_equal(k, 256);
	assert_int_equal(
	    m.verify_single(spki, spki_len, &pkcs, NULL, 0, sig, k, target),
	    CKR_OK);
	/* the SPKI that begins it is any program's */
	public = d2i_PUBKEY(NULL, &at, (long)spki_len);
	assert_non_null(public);
	assert_true(at < spki + spki_len);
	/* of no bytes it verifies nothing, so the padding is looked at */
	c = EVP_PKEY_CTX_new(public, NULL);
	assert_int_equal(EVP_PKEY_encrypt_init(c), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(c, RSA_NO_PADDING), 1);
	assert_int_equal(EVP_PKEY_encrypt(c, block, &block_len, sig, k), 1);
	assert_int_equal(block_len, 256);
	assert_int_equal(block[0], 0);
	assert_int_equal(block[1], 1);
	for (int i = 2; i < 255; i++)
		assert_int_equal(block[i], 0xff);
	assert_int_equal(block[255], 0);
	sig[5] ^= 1;
	assert_int_equal(
	    m.verify_single(spki, spki_len, &pkcs, NULL, 0, sig, k, target),
	    CKR_SIGNATURE_INVALID);
	EVP_PKEY_CTX_free(c);
	EVP_PKEY_free(public);
}

static void
test_libep11_key__a_bare_public_key_comes_in_and_verifies(void **state)
{
	CK_MECHANISM transport = {IBM_TRANSPORTKEY, NULL, 0};
	CK_ATTRIBUTE in[] = {{CKA_VERIFY, &yes, 1}};
	static uc key[BLOB], spki[BLOB], again[BLOB];
	uc sig[256] = {0}, csum[64] = {0}, *der = NULL;
	size_t key_len = 0, spki_len = 0, again_len = BLOB;
	CK_ULONG k = sizeof(sig), csum_len = sizeof(csum);
	const uc *at = spki;
	EVP_PKEY *public = NULL;
	int der_len = 0;

	(void)state;
	rsa_pair(key, &key_len, spki, &spki_len);
	assert_int_equal(
	    m.sign_single(key, key_len, &pkcs, S("x"), 1, sig, &k, target),
	    CKR_OK);
	public = d2i_PUBKEY(NULL, &at, (long)spki_len);
	assert_non_null(public);
	der_len = i2d_PUBKEY(public, &der);
	assert_true(der_len > 0);
	assert_int_equal(
	    m.unwrap(der, (CK_ULONG)der_len, NULL, 0, NULL, ~(size_t)0, NULL, 0,
		&transport, in, 1, again, &again_len, csum, &csum_len, target),
	    CKR_OK);
	assert_true(again_len > (size_t)der_len);
	assert_memory_equal(again, der, (size_t)der_len);
	assert_int_equal(
	    m.verify_single(again, again_len, &pkcs, S("x"), 1, sig, k, target),
	    CKR_OK);
	again[again_len - 1] ^= 1;
	assert_int_not_equal(
	    m.verify_single(again, again_len, &pkcs, S("x"), 1, sig, k, target),
	    CKR_OK);
	OPENSSL_free(der);
	EVP_PKEY_free(public);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_libep11_key__a_new_key_is_a_blob_as_opencryptoki_reads_it),
	    cmocka_unit_test(
		test_libep11_key__room_for_keys_and_data_is_handled_as_documented),
	    cmocka_unit_test(
		test_libep11_key__parts_are_encrypted_by_a_state_that_keeps_its_length),
	    cmocka_unit_test(
		test_libep11_key__a_clear_key_comes_in_and_openssl_agrees),
	    cmocka_unit_test(test_libep11_key__attributes_answer_one_by_one),
	    cmocka_unit_test(
		test_libep11_key__rsa_signs_no_bytes_and_openssl_agrees),
	    cmocka_unit_test(
		test_libep11_key__a_bare_public_key_comes_in_and_verifies),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
