#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "bk_mock.h"
#include "hsa_buf.h"
#include "hsa_hash.h"

struct bk_mock *
bk_mock_new(void)
{
	struct bk_mock *m = calloc(1, sizeof(*m));

	if (m == NULL)
		abort();
	m->oa = EVP_EC_gen("P-521");
	m->checkpoint = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	m->fail_rc = HSA_RC(E_TOKEN);
	if (m->oa == NULL || m->checkpoint == NULL)
		abort();
	return m;
}

static void
forget(struct bk_mock_object *o)
{
	EVP_PKEY_free(o->pair);
	OPENSSL_cleanse(o, sizeof(*o));
}

void
bk_mock_free(struct bk_mock *m)
{
	size_t i = 0;

	if (m == NULL)
		return;
	for (i = 0; i < BK_MOCK_OBJECTS; i++) {
		forget(&m->object[i]);
		forget(&m->saved[i]);
	}
	EVP_PKEY_free(m->oa);
	EVP_PKEY_free(m->checkpoint);
	free(m);
}

void
bk_mock_crash(struct bk_mock *m)
{
	size_t i = 0;

	for (i = 0; i < BK_MOCK_OBJECTS; i++) {
		if (!m->object[i].synced)
			forget(&m->object[i]);
		m->object[i].doomed = false;
	}
	memset(m->fail_at, 0, sizeof(m->fail_at));
}

static void
copy(struct bk_mock_object *to, const struct bk_mock_object *from)
{
	size_t i = 0;

	for (i = 0; i < BK_MOCK_OBJECTS; i++) {
		forget(&to[i]);
		to[i] = from[i];
		if (to[i].pair != NULL && EVP_PKEY_up_ref(to[i].pair) != 1)
			abort();
	}
}

void
bk_mock_save(struct bk_mock *m)
{
	copy(m->saved, m->object);
}

void
bk_mock_restore(struct bk_mock *m)
{
	copy(m->object, m->saved);
	memset(m->fail_at, 0, sizeof(m->fail_at));
}

static bool
lives(const struct bk_mock_object *o)
{
	return o->used && !o->doomed;
}

size_t
bk_mock_count(const struct bk_mock *m, enum cu_object_class cls)
{
	size_t n = 0, i = 0;

	for (i = 0; i < BK_MOCK_OBJECTS; i++)
		if (lives(&m->object[i]) && m->object[i].cls == cls)
			n++;
	return n;
}

static struct bk_mock_object *
find(struct bk_mock *m, const uint8_t id[CU_KEY_ID_LEN])
{
	size_t i = 0;

	for (i = 0; i < BK_MOCK_OBJECTS; i++)
		if (lives(&m->object[i]) &&
		    memcmp(m->object[i].id, id, CU_KEY_ID_LEN) == 0)
			return &m->object[i];
	return NULL;
}

bool
bk_mock_has(const struct bk_mock *m, const uint8_t id[CU_KEY_ID_LEN])
{
	size_t i = 0;

	for (i = 0; i < BK_MOCK_OBJECTS; i++)
		if (lives(&m->object[i]) &&
		    memcmp(m->object[i].id, id, CU_KEY_ID_LEN) == 0)
			return true;
	return false;
}

void
bk_mock_lose(struct bk_mock *m, enum cu_object_class cls)
{
	size_t i = 0;

	for (i = 0; i < BK_MOCK_OBJECTS; i++)
		if (m->object[i].used && m->object[i].cls == cls)
			forget(&m->object[i]);
}

static bool
fails(struct bk_mock *m, enum bk_mock_op op)
{
	return m->fail_at[op] != 0 && --m->fail_at[op] == 0;
}

static struct bk_mock_object *
make(struct bk_mock *m, enum cu_object_class cls)
{
	size_t i = 0;

	for (i = 0; i < BK_MOCK_OBJECTS; i++) {
		struct bk_mock_object *o = &m->object[i];

		if (o->used)
			continue;
		o->used = true;
		o->cls = cls;
		if (RAND_bytes(o->id, sizeof(o->id)) != 1)
			abort();
		return o;
	}
	abort();
}

/* ---- the calls ----------------------------------------------------------- */

static hsa_rc
mock_random(void *ctx, void *out, size_t n)
{
	if (fails(ctx, BK_MOCK_RANDOM))
		return ((struct bk_mock *)ctx)->fail_rc;
	return RAND_bytes(out, (int)n) == 1 ? HSA_OK : HSA_RC(E_TOKEN);
}

static hsa_rc
mock_importer(void *ctx, struct cu_key_id *id, struct hsa_buf *spki,
    enum tke_importer_kind kind)
{
	struct bk_mock *m = ctx;
	struct bk_mock_object *o = NULL;
	EVP_PKEY *pair = NULL;
	hsa_rc rc;

	if (fails(m, BK_MOCK_IMPORTER))
		return m->fail_rc;
	pair =
	    kind == TKE_IMPORTER_P521 ? EVP_EC_gen("P-521") : EVP_RSA_gen(2048);
	if (pair == NULL)
		return HSA_RC(E_TOKEN);
	rc = tke_importer_spki_encode(spki, pair);
	if (!hsa_is_ok(rc)) {
		EVP_PKEY_free(pair);
		return rc;
	}
	o = make(m, CU_OBJECT_IMPORTER);
	o->pair = pair;
	memcpy(id->b, o->id, sizeof(id->b));
	id->set = true;
	return rc;
}

static bool
unwrap(uint8_t key[32], const uint8_t kek[32], struct tke_slice in)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t out[64];
	int n = 0, more = 0;
	bool good = false;

	if (ctx == NULL)
		abort();
	EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	good = in.n == 40 &&
	       EVP_DecryptInit_ex2(ctx, EVP_aes_256_wrap(), kek, NULL, NULL) ==
		   1 &&
	       EVP_DecryptUpdate(ctx, out, &n, in.p, (int)in.n) == 1 &&
	       EVP_DecryptFinal_ex(ctx, out + n, &more) == 1 && n + more == 32;
	if (good)
		memcpy(key, out, 32);
	EVP_CIPHER_CTX_free(ctx);
	return good;
}

static bool
agree(uint8_t key[32], EVP_PKEY *mine, const struct tke_recipient *r)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, mine, NULL);
	EVP_PKEY *theirs = NULL;
	struct hsa_sha256 *h = hsa_sha256_new();
	struct hsa_buf info = {0};
	uint8_t z[66], kek[32];
	size_t n = sizeof(z);
	bool good = false;
	int with_null = 1;

	if (ctx == NULL || h == NULL)
		abort();
	good = hsa_is_ok(tke_key_from_point(&theirs, r->originator)) &&
	       EVP_PKEY_derive_init(ctx) == 1 &&
	       EVP_PKEY_derive_set_peer(ctx, theirs) == 1 &&
	       EVP_PKEY_derive(ctx, z, &n) == 1;
	for (; good && with_null >= 0; with_null--) {
		hsa_buf_reset(&info);
		if (!hsa_is_ok(
			tke_kdf_info(&info, r->ukm.p, r->ukm.n, with_null)) ||
		    !hsa_is_ok(hsa_sha256_three(
			h, kek, z, n, info.p, info.len, NULL, 0)))
			abort();
		if (unwrap(key, kek, r->encrypted))
			break;
	}
	hsa_buf_free(&info);
	hsa_sha256_free(h);
	EVP_PKEY_free(theirs);
	EVP_PKEY_CTX_free(ctx);
	return good && with_null >= 0;
}

static bool
rsa_decrypt(uint8_t key[32], EVP_PKEY *mine, struct tke_slice in)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, mine, NULL);
	uint8_t out[256];
	size_t n = sizeof(out);
	bool good = false;

	if (ctx == NULL)
		abort();
	good = EVP_PKEY_decrypt_init(ctx) == 1 &&
	       EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
	       EVP_PKEY_decrypt(ctx, out, &n, in.p, in.n) == 1 && n == 32;
	if (good)
		memcpy(key, out, 32);
	EVP_PKEY_CTX_free(ctx);
	return good;
}

static hsa_rc
mock_import(void *ctx, struct cu_key_id *id, uint8_t pattern[32],
    uint8_t part_id[][32], size_t *bad, const struct cu_key_id *importer,
    const struct tke_recipient *part, size_t n)
{
	struct bk_mock *m = ctx;
	struct bk_mock_object *by = NULL, *o = NULL;
	uint8_t sum[32] = {0}, one[32] = {0};
	size_t i = 0, k = 0;
	bool good = false;

	if (fails(m, BK_MOCK_IMPORT))
		return m->fail_rc;
	by = find(m, importer->b);
	if (by == NULL || by->cls != CU_OBJECT_IMPORTER)
		return HSA_RC(E_NOT_FOUND);
	for (i = 0; i < n; i++) {
		good = part[i].kind == TKE_IMPORTER_P521
			   ? agree(one, by->pair, &part[i])
			   : rsa_decrypt(one, by->pair, part[i].encrypted);
		if (!good) {
			*bad = i;
			return HSA_RC(E_KEY);
		}
		if (!hsa_is_ok(hsa_verification_pattern(part_id[i], one)))
			abort();
		for (k = 0; k < sizeof(sum); k++)
			sum[k] ^= one[k];
	}
	o = make(m, CU_OBJECT_MASTER_KEY);
	memcpy(o->key, sum, sizeof(sum));
	memcpy(id->b, o->id, sizeof(id->b));
	id->set = true;
	return hsa_verification_pattern(pattern, sum);
}

static hsa_rc
mock_pattern(void *ctx, uint8_t pattern[32], const struct cu_key_id *id)
{
	struct bk_mock *m = ctx;
	const struct bk_mock_object *o = find(m, id->b);

	if (fails(m, BK_MOCK_PATTERN))
		return m->fail_rc;
	if (o == NULL || o->cls != CU_OBJECT_MASTER_KEY)
		return HSA_RC(E_NOT_FOUND);
	return hsa_verification_pattern(pattern, o->key);
}

static hsa_rc
mock_destroy(void *ctx, enum cu_object_class cls, const struct cu_key_id *id)
{
	struct bk_mock *m = ctx;
	struct bk_mock_object *o = find(m, id->b);

	if (fails(m, BK_MOCK_DESTROY))
		return m->fail_rc;
	if (o != NULL && o->cls == cls)
		o->doomed = true;
	return HSA_OK;
}

static hsa_rc
mock_collect(void *ctx, size_t *removed, const struct cu_key_id *keep, size_t n,
    struct hsa_diag *diag)
{
	struct bk_mock *m = ctx;
	size_t i = 0, k = 0;

	if (fails(m, BK_MOCK_COLLECT))
		return m->fail_rc;
	for (k = 0; k < n; k++)
		if (find(m, keep[k].b) == NULL)
			return hsa_fail(diag, HSA_RC(E_CORRUPT),
			    "an object that the state names is missing");
	*removed = 0;
	for (i = 0; i < BK_MOCK_OBJECTS; i++) {
		for (k = 0; k < n; k++)
			if (memcmp(m->object[i].id, keep[k].b, CU_KEY_ID_LEN) ==
			    0)
				break;
		if (k == n && lives(&m->object[i])) {
			forget(&m->object[i]);
			(*removed)++;
		}
	}
	return HSA_OK;
}

static hsa_rc
mock_list(void *ctx, struct cu_key_id *id, size_t *n, size_t max)
{
	struct bk_mock *m = ctx;
	size_t i = 0;

	*n = 0;
	for (i = 0; i < BK_MOCK_OBJECTS && *n < max; i++)
		if (lives(&m->object[i]) &&
		    m->object[i].cls == CU_OBJECT_MASTER_KEY) {
			memcpy(id[*n].b, m->object[i].id, CU_KEY_ID_LEN);
			id[(*n)++].set = true;
		}
	return HSA_OK;
}

static hsa_rc
mock_oa_sign(void *ctx, struct hsa_buf *sig, const void *msg, size_t n)
{
	struct bk_mock *m = ctx;
	EVP_MD_CTX *md = NULL;
	uint8_t value[160];
	size_t len = sizeof(value);

	if (fails(m, BK_MOCK_OA_SIGN))
		return m->fail_rc;
	md = EVP_MD_CTX_new();
	if (md == NULL ||
	    EVP_DigestSignInit(md, NULL, EVP_sha512(), NULL, m->oa) != 1 ||
	    EVP_DigestSign(md, value, &len, msg, n) != 1)
		abort();
	EVP_MD_CTX_free(md);
	hsa_buf_put(sig, value, len);
	return hsa_buf_rc(sig);
}

static hsa_rc
mock_checkpoint_sign(void *ctx, uint8_t sig[64], const void *msg, size_t n)
{
	struct bk_mock *m = ctx;
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	size_t len = 64;

	if (md == NULL ||
	    EVP_DigestSignInit(md, NULL, NULL, NULL, m->checkpoint) != 1 ||
	    EVP_DigestSign(md, sig, &len, msg, n) != 1)
		abort();
	EVP_MD_CTX_free(md);
	return HSA_OK;
}

static hsa_rc
mock_sync(void *ctx)
{
	struct bk_mock *m = ctx;
	size_t i = 0;

	if (fails(m, BK_MOCK_SYNC))
		return m->fail_rc;
	for (i = 0; i < BK_MOCK_OBJECTS; i++) {
		if (m->object[i].doomed)
			forget(&m->object[i]);
		else if (m->object[i].used)
			m->object[i].synced = true;
	}
	return HSA_OK;
}

struct cu_backend
bk_mock_backend(struct bk_mock *m)
{
	static const struct cu_backend_ops ops = {
	    .random = mock_random,
	    .importer_generate = mock_importer,
	    .master_key_import = mock_import,
	    .pattern = mock_pattern,
	    .destroy = mock_destroy,
	    .collect = mock_collect,
	    .list = mock_list,
	    .oa_sign = mock_oa_sign,
	    .checkpoint_sign = mock_checkpoint_sign,
	    .sync = mock_sync,
	};

	return (struct cu_backend){&ops, m};
}
