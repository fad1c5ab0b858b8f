/*
 * hsa_ks.h - the keystore of a crypto unit: nine operations that the user's
 * document names hs-crypto.keystore.* (seed Table 10), as flat structs, and
 * what they answer. unit.proto carries them; the codec is hsa_codec_ks.c.
 *
 * A keystore is a named folder of keys; a key is a key blob or a MACed public
 * key with its attributes. Version and TxID mean what they do in GREP11's
 * KeyBlob: the version counts up with each update and is what the next update
 * must name (optimistic concurrency); the TxID is 16 random bytes, new for
 * each change, by which a request that is sent twice is found out.
 *
 * Attributes are PKCS #11's, values as in struct hsa_attr, ascending by type
 * and none twice in a reply, in any order in a request.
 *
 * Ownership: what a request or reply points to belongs to its memory once
 * hsa_ks_keep or the decoder made it, otherwise to the caller. The free
 * functions release the memory; a zeroed struct is free; repeatable.
 */
#ifndef HSA_KS_H
#define HSA_KS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_buf.h"
#include "hsa_call.h"
#include "hsa_catalogue.h"
#include "hsa_hash.h"

struct hsa_pool;

enum hsa_ks_op {
	HSA_KS_CREATE_KEYSTORE = 1,
	HSA_KS_DELETE_KEYSTORE,
	HSA_KS_KEYSTORES_BY_IDS,
	HSA_KS_KEYSTORES_BY_ATTRIBUTES,
	HSA_KS_STORE_KEY,
	HSA_KS_UPDATE_KEY,
	HSA_KS_DELETE_KEY,
	HSA_KS_KEYS_BY_IDS,
	HSA_KS_KEYS_BY_ATTRIBUTES
};
#define HSA_KS_OPS 9

struct hsa_ks_op_row {
	enum hsa_ks_op op;
	enum hsa_action action;
	const char *name; /* last part of the action's name */
	bool change;      /* needs a TxID */
};
/* hsa_ks_op(op) - NULL for a number that is none. */
const struct hsa_ks_op_row *hsa_ks_op(uint32_t op);

#define HSA_KS_NAME_MAX 255u /* bytes of a name or label */
#define HSA_KS_ATTRS_MAX                                                       \
	96u /* attributes of an object, the unit's own counted */
#define HSA_KS_VALUE_MAX 4096u   /* bytes of one attribute's value */
#define HSA_KS_VALUES_MAX 16384u /* of all of an object's values */
#define HSA_KS_IDS_MAX 1024u     /* ids in one request */
#define HSA_KS_PAGE_MAX 1000u    /* objects in one reply */
#define HSA_KS_PAGE_USUAL 100u   /* with limit 0 */
#define HSA_KS_TOKEN_MAX 64u     /* bytes of a page token */

/* Attributes that GREP11 adds (ep11-host-api 20.1). The first two are the
 * unit's own: a keystore's name, and the id of the master key that wraps a
 * key; the third would be a secret, which no keystore here takes. */
#define HSA_KS_CKA_TOKEN_LABEL 0x80040001u
#define HSA_KS_CKA_WKID 0x80040002u
#define HSA_KS_CKA_PASSWORD 0x80040003u

struct hsa_ks_request {
	enum hsa_ks_op op;
	uint8_t id[HSA_UUID_LEN];    /* of the request: correlationId */
	uint8_t tx_id[HSA_UUID_LEN]; /* changes; zero: absent */
	/* Zero: absent. Of a new object: the unit then gives it an id. */
	uint8_t keystore_id[HSA_UUID_LEN], key_id[HSA_UUID_LEN];
	const char *name; /* keystore's name, key's label; NULL: "" */
	const struct hsa_attr *attr; /* to keep, or all to be found */
	size_t attr_len;
	struct hsa_slice blob; /* update: empty leaves it as it is */
	/* The version that an update expects; of a deletion too, 0: any. */
	uint64_t version;
	bool force; /* delete a keystore together with its keys */
	bool blobs; /* lists: with the blobs */
	const uint8_t (*wanted)[HSA_UUID_LEN]; /* lists by ids */
	size_t wanted_len;
	uint32_t limit;         /* lists: objects in a page, 0: usual */
	struct hsa_slice token; /* lists: next of the page before */
	struct hsa_pool *memory;
};

struct hsa_keystore {
	uint8_t id[HSA_UUID_LEN];
	const char *name;
	const struct hsa_attr *attr;
	size_t attr_len;
	uint64_t keys; /* in it */
	uint64_t created_ns, updated_ns;
};

struct hsa_ks_key {
	uint8_t id[HSA_UUID_LEN], keystore_id[HSA_UUID_LEN];
	const char *label;
	uint64_t version;
	uint8_t tx_id[HSA_UUID_LEN]; /* of the change that made the version */
	const struct hsa_attr *attr;
	size_t attr_len;
	struct hsa_slice blob; /* empty where it was not asked for */
	uint64_t created_ns, updated_ns;
};

/*
 * Changes answer with the object as it stands then (a deleted one: as it
 * stood), without its blob. Ids that a list does not find are left out.
 */
struct hsa_ks_reply {
	uint32_t rv;      /* CKR_*, HSA_KS_* below */
	const char *text; /* not CKR_OK: what was wrong; NULL else */
	struct hsa_keystore *store;
	size_t store_len;
	struct hsa_ks_key *key;
	size_t key_len;
	struct hsa_slice next; /* page token; empty: that was all */
	struct hsa_pool *memory;
};

/* ---- return values ------------------------------------------------------- */

/* PKCS #11's, EP11's, and those that GREP11 alone has: CKR_VENDOR_DEFINED +
 * 0x40000 + 1 to 7 (ep11-host-api 20.1). */
#define HSA_KS_OK 0u
#define HSA_KS_ARGUMENTS_BAD 7u
#define HSA_KS_ATTRIBUTE_TYPE_INVALID 0x12u
#define HSA_KS_ATTRIBUTE_VALUE_INVALID 0x13u
#define HSA_KS_DEVICE_ERROR 0x30u
#define HSA_KS_TEMPLATE_INCONSISTENT 0xd1u
#define HSA_KS_BLOB_ERROR 0x80010004u
#define HSA_KS_NOT_AUTHENTICATED 0x80040001u
#define HSA_KS_CANNOT_UNMARSHAL 0x80040002u
#define HSA_KS_CANNOT_MARSHAL 0x80040003u
#define HSA_KS_CONFLICT 0x80040004u
#define HSA_KS_DATABASE 0x80040005u
#define HSA_KS_MISSING 0x80040006u
#define HSA_KS_REPLAY 0x80040007u

struct hsa_ks_rv_row {
	uint32_t rv;
	uint32_t status;  /* HTTP status of the event */
	const char *name; /* "CKR_IBM_GREP11_CONFLICT" */
	const char *text; /* what it means and what to do */
};
const struct hsa_ks_rv_row *hsa_ks_rv(uint32_t rv); /* NULL: unknown */

/* ---- memory -------------------------------------------------------------- */

/* hsa_ks_keep(pool, p, n) - a copy of n bytes and a NUL behind them in memory
 * that hsa_ks_*_free releases; p NULL: zeroed room. NULL: out of memory. */
void *hsa_ks_keep(struct hsa_pool **pool, const void *p, size_t n);
void hsa_ks_request_free(struct hsa_ks_request *q);
void hsa_ks_reply_free(struct hsa_ks_reply *r);

#endif
