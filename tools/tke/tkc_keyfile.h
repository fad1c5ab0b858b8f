/*
 * tkc_keyfile.h - password-protected key files (ep11-tke-wire 7.5): a JSON
 * object of strings around AES-256-GCM under a PBKDF2-HMAC-SHA256 key. Two
 * kinds: an administrator's signature key, and a master-key part. Ours name
 * their iterations; a file without that member is the TKE SDK's form, 4096.
 */
#ifndef TKC_KEYFILE_H
#define TKC_KEYFILE_H
#include <stddef.h>
#include <stdint.h>
#include "hsa_buf.h"
#include "hsa_err.h"
#include "hsa_hash.h"
#include "tke_part.h"
#include "tke_sig.h"

struct evp_pkey_st;

#define TKC_ITERATIONS 600000u
#define TKC_ITERATIONS_SDK 4096u
#define TKC_ITERATIONS_MAX 10000000u
#define TKC_SALT_LEN 16
#define TKC_SALT_MAX 64
#define TKC_LABEL_MAX 64 /* characters of a name or description */

enum tkc_keyfile_kind {
	TKC_KEYFILE_SIGKEY = 1,
	TKC_KEYFILE_PART
};

struct tkc_keyfile {
	enum tkc_keyfile_kind kind;
	enum tke_key_type type;        /* signature keys */
	char label[TKC_LABEL_MAX + 1]; /* name or description; may be "" */
	uint8_t id[HSA_SHA256_LEN];    /* SKI, or the part's pattern */
	uint32_t iterations;
	uint8_t salt[TKC_SALT_MAX];
	size_t salt_len;
	struct hsa_buf sealed; /* nonce(12) || ciphertext || tag(16) */
};

/*
 * tkc_keyfile_parse(k, kind, text, n, diag) - E_FORMAT, E_RANGE. Members that
 * this kind does not know are ignored, repeated ones refused.
 * tkc_keyfile_render(b, k) - the JSON text, one member a line.
 */
HSA_MUST_USE hsa_rc tkc_keyfile_parse(struct tkc_keyfile *k,
    enum tkc_keyfile_kind kind, const char *text, size_t n,
    struct hsa_diag *diag);
HSA_MUST_USE hsa_rc tkc_keyfile_render(
    struct hsa_buf *b, const struct tkc_keyfile *k);
void tkc_keyfile_free(struct tkc_keyfile *k);

/*
 * tkc_keyfile_seal_key(k, key, label, password, iterations) - a signature key
 * under a fresh salt and nonce; tkc_keyfile_seal_part - a part.
 */
HSA_MUST_USE hsa_rc tkc_keyfile_seal_key(struct tkc_keyfile *k,
    struct evp_pkey_st *key, const char *label, const struct hsa_buf *password,
    uint32_t iterations);
HSA_MUST_USE hsa_rc tkc_keyfile_seal_part(struct tkc_keyfile *k,
    const uint8_t part[TKE_PART_LEN], const char *label,
    const struct hsa_buf *password, uint32_t iterations);

/*
 * tkc_keyfile_open_key(key, k, password) - *key is the caller's
 * (EVP_PKEY_free). E_PASSWORD: does not decrypt. E_CORRUPT: it decrypts, but
 * what is inside is not what the file says it is.
 */
HSA_MUST_USE hsa_rc tkc_keyfile_open_key(struct evp_pkey_st **key,
    const struct tkc_keyfile *k, const struct hsa_buf *password);
HSA_MUST_USE hsa_rc tkc_keyfile_open_part(uint8_t part[TKE_PART_LEN],
    const struct tkc_keyfile *k, const struct hsa_buf *password);

/* tkc_key_new(key, type) - a new P-521 or RSA-2048 key. */
HSA_MUST_USE hsa_rc tkc_key_new(
    struct evp_pkey_st **key, enum tke_key_type type);
/* tkc_key_type_name(type) - "p521", "rsa2048". */
const char *tkc_key_type_name(enum tke_key_type type);

#endif
