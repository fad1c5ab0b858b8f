#include <openssl/dsa.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ep11_cache.h"
#include "ep11_login.h"
#include "ep11_pkey.h"
#include "helper_mix.h"
#include "helper_tmpl.h"

void
mix_must_at(bool holds, const char *what, const char *file, int line)
{
	if (holds)
		return;
	(void)fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	abort();
}

/* ---- bytes --------------------------------------------------------------- */

uint8_t
mix_u8(struct mix *x)
{
	if (x->n == 0)
		return 0;
	x->n--;
	return *x->p++;
}

uint16_t
mix_u16(struct mix *x)
{
	uint8_t high = mix_u8(x);

	return (uint16_t)(high << 8 | mix_u8(x));
}

uint64_t
mix_u64(struct mix *x)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | mix_u8(x);
	return v;
}

static uint8_t *
hold(struct mix *x, size_t n)
{
	uint8_t *p = malloc(n);

	mix_must(p != NULL && x->held_len < MIX_HELD);
	x->held[x->held_len++] = p;
	return p;
}

struct hsa_slice
mix_copy(struct mix *x, const void *p, size_t n)
{
	uint8_t *to;

	if (n == 0)
		return (struct hsa_slice){NULL, 0};
	to = hold(x, n);
	memcpy(to, p, n);
	return (struct hsa_slice){to, n};
}

struct hsa_slice
mix_some(struct mix *x, size_t n)
{
	size_t given = n < x->n ? n : x->n;
	uint8_t *to;

	if (n == 0)
		return (struct hsa_slice){NULL, 0};
	to = hold(x, n);
	for (size_t i = given; i < n; i++)
		to[i] = (uint8_t)(i * 7 + 1);
	if (given != 0)
		memcpy(to, x->p, given);
	x->p += given;
	x->n -= given;
	return (struct hsa_slice){to, n};
}

/* Below 128 bytes of the input; beyond, mostly a pattern: what is in them
 * says little, how many there are much. */
struct hsa_slice
mix_bytes(struct mix *x)
{
	static const uint32_t lens[] = {256, 255, 245, 246, 512, 1024, 1025,
	    2048, 4095, 16384, 16385, 65537, HSA_CALL_DATA_MAX,
	    HSA_CALL_DATA_MAX + 1};
	uint8_t how = mix_u8(x);
	size_t n = how;
	uint8_t *to;

	if (how < 128)
		return mix_some(x, how);
	if (how < 240)
		n = how - 128u;
	else if (how < 254)
		n = lens[how - 240];
	else
		n = mix_u16(x);
	if (n == 0)
		return (struct hsa_slice){NULL, 0};
	to = hold(x, n);
	memset(to, how, n);
	return (struct hsa_slice){to, n};
}

void
mix_drop(struct mix *x)
{
	for (size_t i = 0; i < x->held_len; i++)
		free(x->held[i]);
	x->held_len = 0;
}

/* ---- the pool ------------------------------------------------------------ */

struct mix_item *
mix_add(struct mix *x, enum mix_kind kind, const void *p, size_t n)
{
	struct mix_item *i = &x->item[x->items];

	if (x->items == MIX_ITEMS)
		return NULL;
	memset(i, 0, sizeof(*i));
	i->kind = kind;
	i->mate = i->key = -1;
	hsa_buf_put(&i->b, p, n);
	mix_must(!i->b.failed);
	x->items++;
	return i;
}

struct mix_item *
mix_add_key(struct mix *x, const struct hsa_buf *b)
{
	struct mix_item *i = mix_add(x, MIX_KEY, b->p, b->len);
	struct ep11_blob blob = {0};
	struct ep11_spki spki = {0};
	struct ep11_pkey k = {0};
	size_t maced = 0;

	if (i == NULL)
		return NULL;
	if (ep11_is_spki(b->p, b->len)) {
		mix_must(
		    hsa_is_ok(ep11_spki_decode(&spki, &maced, b->p, b->len)));
		mix_must(spki.maced);
		mix_must(
		    ep11_pkey_public(&k, spki.spki.p, spki.spki.n) == CKR_OK);
		i->cls = CKO_PUBLIC_KEY;
		i->type = k.type;
		ep11_pkey_free(&k);
	} else {
		mix_must(hsa_is_ok(ep11_blob_decode(&blob, b->p, b->len)));
		i->cls = blob.cls;
		i->type = blob.type;
		i->bound = (blob.bools & EP11_ATTRBOUND) != 0;
	}
	return i;
}

int
mix_index(const struct mix *x, const struct mix_item *i)
{
	return i == NULL ? -1 : (int)(i - x->item);
}

int
mix_newest(const struct mix *x, enum mix_kind kind)
{
	for (int i = x->items; i-- > 0;)
		if (x->item[i].kind == kind)
			return i;
	return -1;
}

void
mix_made_with(
    struct mix *x, struct mix_item *i, const struct hsa_mech *m, int key)
{
	(void)x;
	hsa_buf_put(&i->a1, m->a.p, m->a.n);
	hsa_buf_put(&i->a2, m->b.p, m->b.n);
	i->mech = *m;
	i->mech.a = helper_slice(&i->a1);
	i->mech.b = helper_slice(&i->a2);
	i->key = key;
}

static void
forget(struct mix *x, int down_to)
{
	while (x->items > down_to) {
		struct mix_item *i = &x->item[--x->items];

		hsa_buf_free(&i->b);
		hsa_buf_free(&i->a1);
		hsa_buf_free(&i->a2);
		hsa_buf_free(&i->fed);
		hsa_buf_free(&i->given);
	}
}

/* ---- seeds --------------------------------------------------------------- */

static struct mix_item *
secret(struct mix *x, CK_KEY_TYPE type, size_t n, uint32_t bools)
{
	static const uint8_t value[256] = {1, 2, 4, 7, 8, 11, 13, 14, 16, 19,
	    21, 22, 25, 26, 28, 31, 32, 35, 37, 38, 41, 42, 44, 47};
	struct hsa_buf b = {0};
	struct mix_item *i;

	helper_ep11_secret(&x->h, &b, type, value, n, bools);
	i = mix_add_key(x, &b);
	hsa_buf_free(&b);
	return i;
}

/* Both halves, the bare public key, and its value for agreements. */
static void
pair(struct mix *x, CK_MECHANISM_TYPE mech, const struct helper_tmpl *t)
{
	struct mix_item *priv, *pub;
	struct hsa_buf point = {0};
	struct ep11_pkey k = {0};
	struct ep11_spki s = {0};
	struct hsa_call c = {0};
	size_t maced = 0;

	mix_must(helper_generate_pair(&x->h, &c, mech, t, NULL) == CKR_OK);
	priv = mix_add_key(x, &c.out);
	pub = mix_add_key(x, &c.out2);
	mix_must(priv != NULL && pub != NULL);
	priv->mate = mix_index(x, pub);
	pub->mate = mix_index(x, priv);
	mix_must(hsa_is_ok(ep11_spki_decode(&s, &maced, c.out2.p, c.out2.len)));
	mix_must(ep11_pkey_public(&k, s.spki.p, s.spki.n) == CKR_OK);
	mix_must(mix_add(x, MIX_SPKI, s.spki.p, s.spki.n) != NULL);
	if (k.type == CKK_EC)
		mix_must(ep11_pkey_point(&point, &k) == CKR_OK);
	else if (k.type == CKK_DH)
		mix_must(ep11_pkey_number(&point, &k, "pub", 0) == CKR_OK);
	if (point.len != 0)
		mix_add(x, MIX_POINT, point.p, point.len)->type = k.type;
	hsa_buf_free(&point);
	ep11_pkey_free(&k);
	hsa_call_free(&c);
}

static void
curve(struct mix *x, const char *name)
{
	size_t n = 0;
	const struct ep11_curve *row = ep11_curve_rows(&n);
	struct helper_tmpl t = {.n = 0};

	for (size_t i = 0; i < n; i++)
		if (strcmp(row[i].name, name) == 0)
			pair(x, CKM_EC_KEY_PAIR_GEN,
			    tmpl_bytes(
				&t, CKA_EC_PARAMS, row[i].oid, row[i].oid_len));
	mix_must(t.n == 1);
}

/* The shortest that a new domain allows. */
static void
group(struct mix *x)
{
	static const char *const names[] = {"p", "q", "g"};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DSA", NULL);
	EVP_PKEY *k = NULL;
	uint8_t bytes[128];
	BIGNUM *v = NULL;

	mix_must(ctx != NULL && EVP_PKEY_paramgen_init(ctx) == 1 &&
		 EVP_PKEY_CTX_set_dsa_paramgen_bits(ctx, 1024) == 1 &&
		 EVP_PKEY_CTX_set_dsa_paramgen_q_bits(ctx, 160) == 1 &&
		 EVP_PKEY_paramgen(ctx, &k) == 1);
	for (int i = 0; i < 3; i++) {
		int n;

		mix_must(EVP_PKEY_get_bn_param(k, names[i], &v) == 1);
		n = BN_bn2bin(v, bytes);
		hsa_buf_put(&x->group[i], bytes, (size_t)n);
		BN_free(v);
		v = NULL;
	}
	EVP_PKEY_free(k);
	EVP_PKEY_CTX_free(ctx);
}

static void
numbers(struct mix *x)
{
	struct helper_tmpl dsa = {.n = 0}, dh = {.n = 0}, rsa = {.n = 0};

	group(x);
	tmpl_bytes(&dsa, CKA_PRIME, x->group[0].p, x->group[0].len);
	tmpl_bytes(&dsa, CKA_SUBPRIME, x->group[1].p, x->group[1].len);
	tmpl_bytes(&dsa, CKA_BASE, x->group[2].p, x->group[2].len);
	pair(x, CKM_DSA_KEY_PAIR_GEN, &dsa);
	tmpl_bytes(&dh, CKA_PRIME, x->group[0].p, x->group[0].len);
	tmpl_bytes(&dh, CKA_BASE, x->group[2].p, x->group[2].len);
	pair(x, CKM_DH_PKCS_KEY_PAIR_GEN, &dh);
	pair(x, CKM_RSA_PKCS_KEY_PAIR_GEN,
	    tmpl_num(&rsa, CKA_MODULUS_BITS, 1024));
}

#define ALL                                                                    \
	(EP11_EXTRACTABLE | EP11_MODIFIABLE | EP11_ENCRYPT | EP11_DECRYPT |    \
	    EP11_WRAP | EP11_UNWRAP | EP11_SIGN | EP11_VERIFY | EP11_DERIVE)

/* Under the other master key, and of a state under it. */
static void
foreign(struct mix *x)
{
	static const uint8_t hash[] = "under another master key";
	struct hsa_call c = {0};
	struct helper_tmpl t = {.n = 0};

	helper_ep11_wk(&x->h, 1, -1);
	secret(x, CKK_AES, 32, ALL)->kind = MIX_FOREIGN;
	mix_must(helper_generate_pair(&x->h, &c, CKM_EC_KEY_PAIR_GEN,
		     tmpl_bytes(&t, CKA_EC_PARAMS,
			 ep11_curve_rows(&(size_t){0})->oid,
			 ep11_curve_rows(&(size_t){0})->oid_len),
		     NULL) == CKR_OK);
	mix_add(x, MIX_FOREIGN, c.out.p, c.out.len);
	mix_add(x, MIX_FOREIGN, c.out2.p, c.out2.len);
	c.mech = helper_mech(CKM_SHA256);
	mix_must(helper_ep11_call(&x->h, &c, HSA_FN_DIGEST_INIT) == CKR_OK);
	mix_add(x, MIX_FOREIGN, c.new_state.p, c.new_state.len);
	c.pin = (struct hsa_slice){hash, 12};
	mix_must(helper_ep11_call(&x->h, &c, HSA_FN_LOGIN) == CKR_OK);
	mix_add(x, MIX_FOREIGN, c.out.p, c.out.len);
	hsa_call_free(&c);
	/* the next key is there, so that RewrapKeyBlob has something to do */
	helper_ep11_wk(&x->h, 0, 1);
}

/* A key bound to a session; its input must log in before it is of use. */
static void
bound(struct mix *x)
{
	static const uint8_t pin[] = "a pin of us";
	struct hsa_call c = {.pin = {pin, 8}};
	struct hsa_buf b = {0};

	mix_must(helper_ep11_call(&x->h, &c, HSA_FN_LOGIN) == CKR_OK);
	mix_add(x, MIX_PIN, c.out.p, c.out.len);
	helper_ep11_secret_of(
	    &x->h, &b, CKK_AES, "0123456789abcdef", 16, ALL, c.out.p);
	mix_must(mix_add_key(x, &b) != NULL);
	ep11_logins_clear(x->h.e->logins);
	hsa_buf_free(&b);
	hsa_call_free(&c);
}

void
mix_make(struct mix *x)
{
	/* more than an input uses; the fewer, the more is loaded again */
	helper_ep11_make(&x->h, 7, 12);
	foreign(x);
	secret(x, CKK_AES, 16, ALL);
	secret(x, CKK_AES, 32, ALL);
	secret(x, CKK_AES, 24, EP11_ENCRYPT | EP11_WRAP | EP11_SIGN);
	secret(x, CKK_AES, 32, ALL | EP11_ATTRBOUND);
	secret(x, CKK_DES3, 24, ALL);
	secret(x, CKK_DES2, 16, ALL);
	secret(x, CKK_GENERIC_SECRET, 32, ALL);
	secret(x, CKK_GENERIC_SECRET, 64, ALL);
	secret(x, CKK_GENERIC_SECRET, 13, ALL);
	secret(x, CKK_GENERIC_SECRET, 256, ALL | EP11_ATTRBOUND);
	numbers(x);
	curve(x, "P-256");
	curve(x, "P-521");
	curve(x, "brainpoolP160t1");
	curve(x, "secp256k1");
	curve(x, "ED25519");
	curve(x, "ED448");
	curve(x, "X25519");
	bound(x);
	ep11_cache_drop(x->h.e->cache, &x->h.e->token, NULL);
	x->seeds = x->items;
}

void
mix_free(struct mix *x)
{
	forget(x, 0);
	for (int i = 0; i < 3; i++)
		hsa_buf_free(&x->group[i]);
	helper_ep11_free(&x->h);
}

void
mix_begin(struct mix *x, const uint8_t *p, size_t n)
{
	x->p = p;
	x->n = n;
	x->logins = x->pairs = 0;
	x->inputs++;
}

void
mix_end(struct mix *x)
{
	forget(x, x->seeds);
	helper_cp(&x->h, NULL, 0);
	ep11_logins_clear(x->h.e->logins);
	ep11_cache_drop(x->h.e->cache, &x->h.e->token, NULL);
}
