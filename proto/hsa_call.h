/*
 * hsa_call.h - one call of an EP11 function: what is asked and what came of
 * it, as one flat struct whatever the function (design D3). The host library
 * fills the request, the unit's engine the reply; the codec carries both over
 * a socket as the messages of ep11.proto, and in-process embedding hands the
 * struct over as it is.
 *
 * Numbers (mechanisms, attributes, return values) are PKCS #11's with IBM's
 * vendor numbers. Values of attributes are bytes as in CK_ATTRIBUTE on this
 * machine: CK_BBOOL one byte, CK_ULONG eight.
 *
 * Ownership: request slices and arrays are the caller's and are only read;
 * in a decoded call they point into memory that the call holds. Reply buffers
 * belong to the call, got too (malloc). hsa_call_free wipes and releases both.
 */
#ifndef HSA_CALL_H
#define HSA_CALL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_buf.h"
#include "hsa_err.h"
#include "hsa_hash.h"

enum hsa_fn {
	HSA_FN_NONE = 0,
#define HSA_FN(id, name, text, permission) HSA_FN_##name = (id),
#include "ep11_fn.def"
#undef HSA_FN
};

/* hsa_fn_text(fn) - "EncryptSingle"; NULL for a number that is none.
 * hsa_fn_permission(fn) - "encrypt", "" or NULL.
 * hsa_fn_find(fn, text) - exact name. E_NOT_FOUND.
 * hsa_fn_next(fn) - walk the table: NONE gives the first, the last gives NONE.
 * hsa_mech_text(type) - "CKM_AES_GCM"; NULL for one that no unit here serves.
 */
const char *hsa_fn_text(enum hsa_fn fn);
const char *hsa_fn_permission(enum hsa_fn fn);
HSA_MUST_USE hsa_rc hsa_fn_find(enum hsa_fn *fn, const char *text);
enum hsa_fn hsa_fn_next(enum hsa_fn fn);
const char *hsa_mech_text(uint64_t type);

#define HSA_CALL_DATA_MAX 262144u /* bytes of data in one call */
#define HSA_CALL_ATTR_MAX 64u     /* attributes in one template */
#define HSA_BLOB_MAX 16384u       /* bytes of a key blob, state, public key */
#define HSA_CALL_MAX 1048576u     /* bytes of one encoded request or reply */

enum hsa_mech_kind {
	HSA_MECH_NONE = 0, /* no parameter */
	HSA_MECH_BYTES,    /* a: the parameter as it is (IV, CK_AES_CTR_PARAMS,
			      CK_ULONG of a MAC length ...) */
	HSA_MECH_OAEP,     /* hash, mgf, source_type, a: source data */
	HSA_MECH_PSS,      /* hash, mgf, salt_len */
	HSA_MECH_ECDH1,    /* kdf, a: public data, b: shared data */
	HSA_MECH_GCM,      /* a: IV, b: AAD, tag_bits */
	HSA_MECH_OTHER     /* a kind that GREP11 has and no unit here serves:
			      a: its message, source_type: its field */
};

struct hsa_mech {
	uint64_t type; /* CKM_* */
	enum hsa_mech_kind kind;
	struct hsa_slice a, b;
	uint64_t hash, mgf, source_type, salt_len, kdf, tag_bits;
};

struct hsa_attr {
	uint64_t type; /* CKA_* */
	/*
	 * Templates: the value. Asked for by GetAttributeValue: n is the room
	 * that the caller has, p NULL when only the length is wanted. In a
	 * reply: the value, n the length needed; HSA_ATTR_UNAVAILABLE when the
	 * object has no such attribute or must not show it; p NULL with another
	 * n when it did not fit or was not wanted.
	 */
	const uint8_t *p;
	size_t n;
	bool typed; /* asked for as GREP11's AttributeValue: no limit */
};
#define HSA_ATTR_UNAVAILABLE SIZE_MAX

struct hsa_call {
	/* ---- request; which members a function takes: hsa_call.c's table */
	enum hsa_fn fn;
	uint8_t id[HSA_UUID_LEN]; /* of the request: correlationId */
	/* Of the first output: only its length is wanted; or the most bytes
	 * that fit, when limited. */
	bool length_only, limited;
	uint64_t room;
	struct hsa_slice state;
	struct hsa_slice data; /* data, plain, ciphered, wrapped, seed; extended
				  login and logout: xstruct */
	struct hsa_slice signature; /* verify */
	struct hsa_slice key;       /* key; what is wrapped; base key; object */
	struct hsa_slice key2;      /* KEK; encryption key of ReencryptSingle */
	struct hsa_slice key3;      /* MAC key */
	struct hsa_slice pin; /* logins and LogoutExtended: PIN; else the pin
				 blob, or empty */
	struct hsa_slice nonce;
	struct hsa_mech mech;        /* ReencryptSingle: decryption */
	struct hsa_mech mech2;       /* ReencryptSingle: encryption */
	const struct hsa_attr *attr; /* template; of the public key for pairs */
	size_t attr_len;
	const struct hsa_attr *attr2; /* private key's template */
	size_t attr2_len;
	uint64_t number; /* bytes of GenerateRandom, mechanism asked about */

	/* ---- reply */
	uint64_t rv;     /* CKR_* */
	uint32_t reason; /* EP11 reason code, 0: none */
	uint64_t needed; /* length of the first output, also when not given */
	/*
	 * out: first output: random, digest, ciphertext, signature, wrapped
	 * key, new key blob, private key blob, pin blob, rewritten object;
	 * GetMechanismList: uint64_t each; GetMechanismInfo: three of them.
	 * out2: second output: checksum, or the pair's public key.
	 * new_state: of Init and Update; empty otherwise.
	 */
	struct hsa_buf out, out2, new_state;
	struct hsa_attr *got; /* GetAttributeValue; p points into out */
	size_t got_len;

	/* ---- for the record, filled in by the engine */
	bool has_key_id, has_session;
	uint8_t key_id[HSA_SHA256_LEN];
	uint8_t session[HSA_SHA256_LEN];

	struct hsa_call_memory *memory; /* of a decoded call; private */
};

/* hsa_call_reset(c) - wipe and empty the reply, keep request and memory of
 * the buffers: for a struct that is used again.
 * hsa_call_free(c) - all of it; a zeroed struct is free; repeatable. */
void hsa_call_reset(struct hsa_call *c);
void hsa_call_free(struct hsa_call *c);

/*
 * hsa_call_take_reply(to, from) - move the reply of a decoded call into the
 * one that was asked, whose former reply is wiped. E_FORMAT, and nothing
 * moved, when it answers another function.
 */
HSA_MUST_USE hsa_rc hsa_call_take_reply(
    struct hsa_call *to, struct hsa_call *from);

/*
 * The request, and the reply, of c->fn as GREP11's message, appended, without
 * what hsa_unit.h puts around it (id, room, pin blob; rv, reason, needed).
 * E_ARG for no function, E_RANGE beyond a limit above. Room for attribute
 * values above HSA_BLOB_MAX travels as that much, and what lies in that room
 * does not travel. The decoders are strict as hsa_codec.h's, take a KeyBlob
 * with exactly one blob and nothing else (E_UNSUPPORTED), and write to c on
 * success only, which the caller frees.
 */
HSA_MUST_USE hsa_rc hsa_call_encode(
    struct hsa_buf *b, const struct hsa_call *c);
HSA_MUST_USE hsa_rc hsa_call_decode(
    struct hsa_call *c, enum hsa_fn fn, const void *p, size_t n);
HSA_MUST_USE hsa_rc hsa_call_reply_encode(
    struct hsa_buf *b, const struct hsa_call *c);
HSA_MUST_USE hsa_rc hsa_call_reply_decode(
    struct hsa_call *c, enum hsa_fn fn, const void *p, size_t n);

/* hsa_call_bytes_in(c) - bytes of data, signature and state of the request;
 * hsa_call_bytes_out(c) - of both outputs and the state. For the record. */
uint64_t hsa_call_bytes_in(const struct hsa_call *c);
uint64_t hsa_call_bytes_out(const struct hsa_call *c);

#endif
