#include <openssl/crypto.h>
#include <string.h>

#include "ep11_cache.h"
#include "ep11_hash.h"
#include "ep11_mac.h"
#include "ep11_use.h"
#include "hsa_hash.h"

static bool
is_hmac(const struct ep11_mech_row *row)
{
	return row->hash != 0;
}

/* of CMAC's cipher */
static size_t
block_of(const struct ep11_key *k)
{
	return k->type == CKK_AES ? 16 : 8;
}

static size_t
full_len(const struct ep11_key *k, const struct ep11_mech_row *row)
{
	return is_hmac(row) ? ep11_hash_len(row->hash) : block_of(k);
}

CK_RV
ep11_mac_len(size_t *n, const struct ep11_key *k,
    const struct ep11_mech_row *row, const struct hsa_mech *m)
{
	size_t full = full_len(k, row);
	CK_ULONG asked = full;

	if (row->param == HSA_MECH_BYTES)
		memcpy(&asked, m->a.p, sizeof(asked));
	if (asked < 1 || asked > full)
		return CKR_MECHANISM_PARAM_INVALID;
	*n = asked;
	return CKR_OK;
}

/* HMAC: the hash over the inner padded key and the data, and the one over the
 * outer padded key. */
size_t
ep11_mac_work(const struct ep11_mech_row *row)
{
	return is_hmac(row) ? 2 * EP11_HASH_SAVED : sizeof(struct ep11_chain);
}

static CK_RV
token_mac(struct ep11_engine *e, uint8_t *mac, size_t n, CK_MECHANISM_TYPE type,
    CK_OBJECT_HANDLE h, struct hsa_slice in)
{
	CK_MECHANISM m = {.mechanism = type};
	struct hsa_buf out = {0};
	CK_RV rv = ep11_use_sign(e, &out, &m, h, in, EP11_MAC_MAX, CKR_OK);

	if (rv == CKR_OK && out.len != n)
		rv = CKR_FUNCTION_FAILED;
	if (rv == CKR_OK)
		memcpy(mac, out.p, n);
	hsa_buf_free(&out);
	return rv;
}

/* ---- HMAC ---------------------------------------------------------------- */

/*
 * The key as HMAC uses it: a block of the hash, filled with zeros, or the
 * hash of a longer key. In secure memory (OPENSSL_secure_clear_free of
 * EP11_HASH_BLOCK_MAX bytes).
 */
static CK_RV
block_key(struct ep11_engine *e, uint8_t **key, const struct ep11_key *k,
    uint64_t hash, enum ep11_exposure why)
{
	size_t block = ep11_hash_block(hash), n = 0;
	uint8_t *to, *value = NULL;
	CK_RV rv = ep11_key_value(e, k, why, &value, &n);

	if (rv != CKR_OK)
		return rv;
	to = OPENSSL_secure_zalloc(EP11_HASH_BLOCK_MAX);
	if (to == NULL) {
		rv = CKR_HOST_MEMORY;
	} else if (n <= block) {
		memcpy(to, value, n);
	} else {
		struct ep11_hash h;

		ep11_hash_init(&h, hash);
		ep11_hash_update(&h, value, n);
		ep11_hash_final(&h, to);
	}
	OPENSSL_secure_clear_free(value, n);
	*key = to;
	return rv;
}

/*
 * SoftHSM refuses HMAC keys that are shorter than the hash: their zeros are
 * written out for it, up to what every hash takes as it is - no longer than a
 * block of the small ones, no shorter than the longest hash. The object stays
 * with the cached key.
 */
static CK_RV
long_key(struct ep11_engine *e, CK_OBJECT_HANDLE *out, const struct ep11_key *k,
    uint64_t hash)
{
	CK_OBJECT_CLASS cls = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_OBJECT_HANDLE h = ep11_cache_second(e->cache, k);
	uint8_t *key = NULL;
	CK_RV rv;

	if (h != 0) {
		*out = h;
		return CKR_OK;
	}
	rv = block_key(e, &key, k, hash, EP11_EXPOSURE_HMAC_SHORT);
	if (rv == CKR_OK) {
		const CK_ATTRIBUTE t[] = {{CKA_CLASS, &cls, sizeof(cls)},
		    {CKA_KEY_TYPE, &type, sizeof(type)},
		    {CKA_PRIVATE, &yes, sizeof(yes)},
		    {CKA_SIGN, &yes, sizeof(yes)},
		    {CKA_SENSITIVE, &yes, sizeof(yes)},
		    {CKA_EXTRACTABLE, &no, sizeof(no)},
		    {CKA_VALUE, key, EP11_HASH_MAX}};

		rv = ep11_trouble(e->token.ops->create(
		    e->token.ctx, &h, t, sizeof(t) / sizeof(t[0])));
	}
	OPENSSL_secure_clear_free(key, EP11_HASH_BLOCK_MAX);
	if (rv == CKR_OK)
		*out = ep11_cache_second_add(e->cache, &e->token, k, h);
	return rv;
}

static CK_RV
hmac_once(struct ep11_engine *e, uint8_t *mac, const struct ep11_key *k,
    const struct ep11_mech_row *row, struct hsa_slice in)
{
	size_t n = ep11_hash_len(row->hash);
	CK_OBJECT_HANDLE h = k->h;
	CK_RV rv = CKR_OK;

	if (k->bits / 8 < n)
		rv = long_key(e, &h, k, row->hash);
	return rv == CKR_OK ? token_mac(e, mac, n, row->token, h, in) : rv;
}

static void
padded(struct ep11_hash *h, uint64_t hash, uint8_t *key, uint8_t with)
{
	size_t block = ep11_hash_block(hash);

	for (size_t i = 0; i < block; i++)
		key[i] ^= with;
	ep11_hash_init(h, hash);
	ep11_hash_update(h, key, block);
	for (size_t i = 0; i < block; i++)
		key[i] ^= with;
}

/* The key's value is read once, here; the two hash states do from then on. */
static CK_RV
hmac_begin(struct ep11_engine *e, const struct ep11_key *k,
    const struct ep11_mech_row *row, struct ep11_op *op)
{
	uint8_t *key = NULL;
	CK_RV rv =
	    block_key(e, &key, k, row->hash, EP11_EXPOSURE_HMAC_MULTIPART);
	struct ep11_hash h;

	if (rv != CKR_OK)
		return rv;
	padded(&h, row->hash, key, 0x36);
	ep11_hash_save(op->work, &h);
	padded(&h, row->hash, key, 0x5c);
	ep11_hash_save(op->work + EP11_HASH_SAVED, &h);
	hsa_wipe(&h, sizeof(h));
	OPENSSL_secure_clear_free(key, EP11_HASH_BLOCK_MAX);
	return CKR_OK;
}

static CK_RV
hash_of(struct ep11_hash *h, const struct ep11_mech_row *row, const uint8_t *p)
{
	if (!hsa_is_ok(ep11_hash_decode(h, p)) || h->type != row->hash)
		return CKR_SAVED_STATE_INVALID;
	return CKR_OK;
}

static CK_RV
hmac_update(
    const struct ep11_mech_row *row, struct ep11_op *op, struct hsa_slice in)
{
	struct ep11_hash h = {0};
	CK_RV rv = hash_of(&h, row, op->work);

	if (rv == CKR_OK) {
		ep11_hash_update(&h, in.p, in.n);
		ep11_hash_save(op->work, &h);
	}
	hsa_wipe(&h, sizeof(h));
	return rv;
}

static CK_RV
hmac_final(uint8_t *mac, const struct ep11_mech_row *row, struct ep11_op *op)
{
	struct ep11_hash inner = {0}, outer = {0};
	CK_RV rv = hash_of(&inner, row, op->work);

	if (rv == CKR_OK)
		rv = hash_of(&outer, row, op->work + EP11_HASH_SAVED);
	if (rv == CKR_OK) {
		ep11_hash_final(&inner, mac);
		ep11_hash_update(&outer, mac, ep11_hash_len(row->hash));
		ep11_hash_final(&outer, mac);
	}
	hsa_wipe(&inner, sizeof(inner));
	return rv;
}

/* ---- CMAC ---------------------------------------------------------------- */

static CK_MECHANISM_TYPE
cmac_of(const struct ep11_key *k)
{
	return k->type == CKK_AES ? CKM_AES_CMAC : CKM_DES3_CMAC;
}

/* The chain over complete blocks: the last block of their CBC encryption. */
static CK_RV
cmac_blocks(struct ep11_engine *e, const struct ep11_key *k,
    struct ep11_chain *chain, struct hsa_slice in)
{
	size_t block = block_of(k);
	CK_MECHANISM m = {k->type == CKK_AES ? CKM_AES_CBC : CKM_DES3_CBC,
	    chain->value, block};
	struct hsa_buf out = {0};
	CK_RV rv =
	    ep11_use_crypt(e, &out, true, &m, k->h, in, in.n + block, CKR_OK);

	if (rv == CKR_OK && out.len != in.n)
		rv = CKR_FUNCTION_FAILED;
	if (rv == CKR_OK)
		memcpy(chain->value, out.p + out.len - block, block);
	hsa_buf_free(&out);
	return rv;
}

static CK_RV
chain_of(struct ep11_chain **chain, const struct ep11_key *k,
    const struct ep11_op *op)
{
	*chain = ep11_chain_of(op);
	if (*chain == NULL || (*chain)->held_len > 2 * block_of(k))
		return CKR_SAVED_STATE_INVALID;
	return CKR_OK;
}

/* Two blocks at most, and more than one once something went into the chain,
 * are held back: see cmac_final. */
static CK_RV
cmac_update(struct ep11_engine *e, const struct ep11_key *k, struct ep11_op *op,
    struct hsa_slice in)
{
	size_t block = block_of(k), all, now = 0;
	struct ep11_chain *chain = NULL;
	struct hsa_buf joined = {0};
	CK_RV rv = chain_of(&chain, k, op);

	if (rv != CKR_OK)
		return rv;
	all = chain->held_len + in.n;
	if (all > 2 * block)
		now = (all - block - 1) / block * block;
	hsa_buf_put(&joined, chain->held, chain->held_len);
	hsa_buf_put(&joined, in.p, in.n);
	if (joined.failed)
		rv = CKR_HOST_MEMORY;
	else if (now != 0)
		rv =
		    cmac_blocks(e, k, chain, (struct hsa_slice){joined.p, now});
	if (rv == CKR_OK) {
		hsa_wipe(chain->held, sizeof(chain->held));
		if (all != now)
			memcpy(chain->held, joined.p + now, all - now);
		chain->held_len = (uint8_t)(all - now);
	}
	hsa_buf_free(&joined);
	return rv;
}

/*
 * CMAC over what is held, with the chain added to its first block, is CMAC
 * over everything: the token then does the last two blocks with its subkey,
 * which so never leaves it. A chain of zero is added to no effect.
 */
static CK_RV
cmac_final(struct ep11_engine *e, uint8_t *mac, const struct ep11_key *k,
    struct ep11_op *op)
{
	struct ep11_chain *chain = NULL;
	uint8_t last[32];
	size_t n;
	CK_RV rv = chain_of(&chain, k, op);

	if (rv != CKR_OK)
		return rv;
	n = chain->held_len;
	memcpy(last, chain->held, n);
	for (size_t i = 0; i < block_of(k) && i < n; i++)
		last[i] ^= chain->value[i];
	rv = token_mac(
	    e, mac, block_of(k), cmac_of(k), k->h, (struct hsa_slice){last, n});
	hsa_wipe(last, sizeof(last));
	return rv;
}

/* ---- both ---------------------------------------------------------------- */

CK_RV
ep11_mac_once(struct ep11_engine *e, uint8_t mac[EP11_MAC_MAX],
    const struct ep11_key *k, const struct ep11_mech_row *row,
    struct hsa_slice in)
{
	if (is_hmac(row))
		return hmac_once(e, mac, k, row, in);
	return token_mac(e, mac, block_of(k), cmac_of(k), k->h, in);
}

CK_RV
ep11_mac_update(struct ep11_engine *e, const struct ep11_key *k,
    const struct ep11_mech_row *row, struct ep11_op *op, struct hsa_slice in)
{
	CK_RV rv = CKR_OK;

	if (op->work_len != ep11_mac_work(row))
		return CKR_SAVED_STATE_INVALID;
	if (!is_hmac(row))
		return cmac_update(e, k, op, in);
	if (!op->fed)
		rv = hmac_begin(e, k, row, op);
	return rv == CKR_OK ? hmac_update(row, op, in) : rv;
}

CK_RV
ep11_mac_final(struct ep11_engine *e, uint8_t mac[EP11_MAC_MAX],
    const struct ep11_key *k, const struct ep11_mech_row *row,
    struct ep11_op *op)
{
	if (op->work_len != ep11_mac_work(row))
		return CKR_SAVED_STATE_INVALID;
	return is_hmac(row) ? hmac_final(mac, row, op)
			    : cmac_final(e, mac, k, op);
}
