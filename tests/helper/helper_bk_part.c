#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "helper_bk_part.h"

/* counter 1, then SharedInfo up to the ukm, with and without the NULL */
static const uint8_t info_null[] = {0, 0, 0, 1, 0x30, 0x43, 0x30, 0x0d, 0x06,
    0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2d, 0x05, 0x00,
    0xa0, 0x2a, 0x04, 0x28};
static const uint8_t info_bare[] = {0, 0, 0, 1, 0x30, 0x41, 0x30, 0x0b, 0x06,
    0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2d, 0xa0, 0x2a,
    0x04, 0x28};
static const uint8_t info_end[] = {0xa2, 0x06, 0x04, 0x04, 0, 0, 1, 0};

static void
ecdh(uint8_t z[66], uint8_t point[133], EVP_PKEY *importer)
{
	EVP_PKEY *eph = EVP_EC_gen("P-521");
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(eph, NULL);
	size_t n = 66, m = 0;

	assert_non_null(eph);
	assert_int_equal(EVP_PKEY_derive_init(ctx), 1);
	assert_int_equal(EVP_PKEY_derive_set_peer(ctx, importer), 1);
	assert_int_equal(EVP_PKEY_derive(ctx, z, &n), 1);
	assert_int_equal(n, 66);
	assert_int_equal(
	    EVP_PKEY_get_octet_string_param(eph, "pub", point, 133, &m), 1);
	assert_int_equal(m, 133);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(eph);
}

static bool
starts_with_zeros(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != 0)
			return false;
	return true;
}

void
helper_part_p521(struct helper_part *p, const uint8_t *value, size_t n,
    EVP_PKEY *importer, bool with_null, size_t zeros)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t z[66], kek[32];
	int len = 0, more = 0;

	memset(p, 0, sizeof(*p));
	p->r.kind = TKE_IMPORTER_P521;
	do
		ecdh(z, p->r.originator, importer);
	while (!starts_with_zeros(z, zeros));
	assert_int_equal(RAND_bytes(p->ukm, sizeof(p->ukm)), 1);
	EVP_DigestInit_ex(md, EVP_sha256(), NULL);
	EVP_DigestUpdate(md, z, sizeof(z));
	if (with_null)
		EVP_DigestUpdate(md, info_null, sizeof(info_null));
	else
		EVP_DigestUpdate(md, info_bare, sizeof(info_bare));
	EVP_DigestUpdate(md, p->ukm, sizeof(p->ukm));
	EVP_DigestUpdate(md, info_end, sizeof(info_end));
	assert_int_equal(EVP_DigestFinal_ex(md, kek, NULL), 1);
	EVP_CIPHER_CTX_set_flags(c, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	assert_int_equal(
	    EVP_EncryptInit_ex(c, EVP_aes_256_wrap(), NULL, kek, NULL), 1);
	assert_int_equal(
	    EVP_EncryptUpdate(c, p->encrypted, &len, value, (int)n), 1);
	assert_int_equal(EVP_EncryptFinal_ex(c, p->encrypted + len, &more), 1);
	p->r.ukm = (struct tke_slice){p->ukm, sizeof(p->ukm)};
	p->r.encrypted = (struct tke_slice){p->encrypted, (size_t)(len + more)};
	EVP_MD_CTX_free(md);
	EVP_CIPHER_CTX_free(c);
}

void
helper_part_rsa(
    struct helper_part *p, const uint8_t *value, size_t n, EVP_PKEY *importer)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(importer, NULL);
	size_t len = sizeof(p->encrypted);

	memset(p, 0, sizeof(*p));
	p->r.kind = TKE_IMPORTER_RSA2048;
	assert_int_equal(EVP_PKEY_encrypt_init(ctx), 1);
	assert_int_equal(
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING), 1);
	assert_int_equal(
	    EVP_PKEY_encrypt(ctx, p->encrypted, &len, value, n), 1);
	p->r.encrypted = (struct tke_slice){p->encrypted, len};
	EVP_PKEY_CTX_free(ctx);
}

void
helper_part(struct helper_part *p, const uint8_t value[32], EVP_PKEY *importer)
{
	if (EVP_PKEY_is_a(importer, "RSA"))
		helper_part_rsa(p, value, 32, importer);
	else
		helper_part_p521(p, value, 32, importer, true, 0);
}
