/*
 * helper_matrix.h - the matrix function x mechanism: libep11.so.4 opened as an
 * application opens it, calls in all their forms, keys in and out, and what
 * was found. What a call gave is checked by OpenSSL or a published vector,
 * never by the unit's own word alone.
 *
 * One library, one unit, one thread. Failures print where they are found; the
 * table at the end says which cell was wrong.
 */
#ifndef HELPER_MATRIX_H
#define HELPER_MATRIX_H
#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ep11.h"
#include "ep11_pkcs11.h"
#include "helper_daemon.h"

/* ---- the library --------------------------------------------------------- */

#define MX_FUNCTIONS(F)                                                        \
	F(m_init)                                                              \
	F(m_shutdown)                                                          \
	F(m_add_module)                                                        \
	F(m_rm_module)                                                         \
	F(m_admin)                                                             \
	F(xcpa_cmdblock)                                                       \
	F(xcpa_internal_rv)                                                    \
	F(m_Login)                                                             \
	F(m_Logout)                                                            \
	F(m_DigestInit)                                                        \
	F(m_Digest)                                                            \
	F(m_DigestUpdate)                                                      \
	F(m_DigestFinal)                                                       \
	F(m_DigestSingle)                                                      \
	F(m_EncryptInit)                                                       \
	F(m_DecryptInit)                                                       \
	F(m_Encrypt)                                                           \
	F(m_Decrypt)                                                           \
	F(m_EncryptUpdate)                                                     \
	F(m_DecryptUpdate)                                                     \
	F(m_EncryptFinal)                                                      \
	F(m_DecryptFinal)                                                      \
	F(m_EncryptSingle)                                                     \
	F(m_DecryptSingle)                                                     \
	F(m_ReencryptSingle)                                                   \
	F(m_SignInit)                                                          \
	F(m_VerifyInit)                                                        \
	F(m_Sign)                                                              \
	F(m_Verify)                                                            \
	F(m_SignUpdate)                                                        \
	F(m_VerifyUpdate)                                                      \
	F(m_SignFinal)                                                         \
	F(m_VerifyFinal)                                                       \
	F(m_SignSingle)                                                        \
	F(m_VerifySingle)                                                      \
	F(m_GenerateKey)                                                       \
	F(m_GenerateKeyPair)                                                   \
	F(m_WrapKey)                                                           \
	F(m_UnwrapKey)                                                         \
	F(m_DeriveKey)                                                         \
	F(m_GetMechanismList)                                                  \
	F(m_GetMechanismInfo)                                                  \
	F(m_GetAttributeValue)                                                 \
	F(m_SetAttributeValue)

#define MX_MEMBER(name) __typeof__(name) *name;
extern struct mx_lib {
	MX_FUNCTIONS(MX_MEMBER)
} mx;
#undef MX_MEMBER
extern target_t mx_target;      /* every unit of $EP11_UNIT */
extern unsigned long mx_calls_; /* calls that reached a unit: mx_calls() */

/* mx_open(d, units) - dlopen the build's library, its EP11_UNIT these sockets
 * (names, by commas) of a running installation. false: said why.
 * mx_use(d, units) - the same library, other units. */
bool mx_open(const struct hd *d, const char *units);
bool mx_use(const struct hd *d, const char *units);

/* ---- the matrix ---------------------------------------------------------- */

/* Encrypt to Digest have three forms each. */
enum mx_form {
	MX_SINGLE,
	MX_ONESHOT,
	MX_PARTS,
	MX_FORMS
};
enum mx_col {
	MX_ENCRYPT = 0,
	MX_DECRYPT = 3,
	MX_SIGN = 6,
	MX_VERIFY = 9,
	MX_DIGEST = 12,
	MX_GENERATE = 15,
	MX_PAIR,
	MX_WRAP,
	MX_UNWRAP,
	MX_DERIVE,
	MX_REENCRYPT,
	MX_COLS
};
static inline enum mx_col
mx_col(enum mx_col function, enum mx_form form)
{
	return (enum mx_col)((int)function + (int)form);
}

/* mx_list() - ask the unit what it serves; false: it does not say.
 * mx_info(m) - what it said of a mechanism; NULL: not listed. */
bool mx_list(void);
const CK_MECHANISM_INFO *mx_info(CK_MECHANISM_TYPE m);
/* Not used in parts: PKCS #11 calls them "single-part operations only", or the
 * token cannot (GCM). */
bool mx_single_part(CK_MECHANISM_TYPE m);

/* mx_check(m, col, good, what, ...) - one check of one cell; prints when it is
 * not good. Returns good.
 * mx_ok(m, col, rv, what, ...) - good: rv is CKR_OK. */
bool mx_check(CK_MECHANISM_TYPE m, enum mx_col col, bool good, const char *what,
    ...) __attribute__((format(printf, 4, 5)));
bool mx_ok(CK_MECHANISM_TYPE m, enum mx_col col, CK_RV rv, const char *what,
    ...) __attribute__((format(printf, 4, 5)));
void mx_vector(void); /* one published vector was looked at */
/* Print the table and its counts; the number of wrong cells, among them those
 * that the unit promises and nothing checked. */
unsigned mx_print(void);
unsigned mx_wrong(void); /* checks that were not good, so far */

/* ---- bytes --------------------------------------------------------------- */

struct mx_bytes {
	uint8_t p[16384];
	size_t n;
};
void mx_set(struct mx_bytes *b, const void *p, size_t n);
bool mx_same(const struct mx_bytes *b, const void *p, size_t n);
void mx_random(void *p, size_t n);

/* ---- calls in their forms ------------------------------------------------ */

CK_RV mx_crypt(bool encrypt, enum mx_form form, const struct mx_bytes *key,
    CK_MECHANISM *m, const void *in, size_t n, struct mx_bytes *out);
CK_RV mx_sign(enum mx_form form, const struct mx_bytes *key, CK_MECHANISM *m,
    const void *in, size_t n, struct mx_bytes *sig);
CK_RV mx_verify(enum mx_form form, const struct mx_bytes *key, CK_MECHANISM *m,
    const void *in, size_t n, const void *sig, size_t sig_len);
CK_RV mx_digest(enum mx_form form, CK_MECHANISM *m, const void *in, size_t n,
    struct mx_bytes *out);

/*
 * mx_crypt_check(m, key, plain, n, cipher, cn) - the three forms of Encrypt
 * give cipher, those of Decrypt plain; a NULL text is not asked for. For
 * mechanisms whose ciphertext is determined.
 * mx_mac_check(m, key, in, n, mac, mn) - the same for Sign and Verify, and
 * another MAC is refused.
 * mx_parts_refused(m, col, ...) - of a single-part mechanism, Update answers
 * CKR_FUNCTION_NOT_SUPPORTED.
 */
void mx_crypt_check(CK_MECHANISM *m, const struct mx_bytes *key,
    const void *plain, size_t n, const void *cipher, size_t cn);
void mx_mac_check(CK_MECHANISM *m, const struct mx_bytes *key, const void *in,
    size_t n, const void *mac, size_t mn);
void mx_parts_refused(
    CK_MECHANISM *m, enum mx_col function, const struct mx_bytes *key);

/* ---- keys ---------------------------------------------------------------- */

/* A template by hand: at most 16, booleans and numbers live in it. */
struct mx_template {
	CK_ATTRIBUTE a[16];
	CK_ULONG num[16], n;
	CK_BBOOL flag[16];
};
void mx_bool(struct mx_template *t, CK_ATTRIBUTE_TYPE type, bool v);
void mx_num(struct mx_template *t, CK_ATTRIBUTE_TYPE type, CK_ULONG v);
void mx_attr(
    struct mx_template *t, CK_ATTRIBUTE_TYPE type, const void *p, size_t n);

/*
 * mx_keys_open() - the key that imports go through, and one whose value is
 * known (mx_kek, mx_kek_value) under which keys leave. false: said why.
 * mx_import(key, csum, cls, type, p, n) - a clear key (ep11-host-api 12.1).
 * mx_import_private(key, pub, pkey) - PKCS #8 of it; pub: MACed SPKI, or NULL.
 * mx_import_public(key, pkey) - by CKM_IBM_TRANSPORTKEY.
 * mx_export(out, key) - the value, or PKCS #8, of a key: wrapped under mx_kek
 * with CBC_PAD, opened by OpenSSL.
 * mx_export_private(key) - the same, parsed; NULL when it does not.
 * mx_public(spki) - the public key in a MACed SPKI; NULL.
 */
extern struct mx_bytes mx_kek;
extern uint8_t mx_kek_value[32];
bool mx_keys_open(void);
CK_RV mx_import(struct mx_bytes *key, struct mx_bytes *csum,
    CK_OBJECT_CLASS cls, CK_KEY_TYPE type, const void *p, size_t n);
CK_RV mx_import_private(
    struct mx_bytes *key, struct mx_bytes *pub, EVP_PKEY *pkey);
CK_RV mx_import_public(struct mx_bytes *key, EVP_PKEY *pkey);
CK_RV mx_export(struct mx_bytes *out, const struct mx_bytes *key);
EVP_PKEY *mx_export_private(const struct mx_bytes *key);
EVP_PKEY *mx_public(const struct mx_bytes *spki);
CK_KEY_TYPE mx_key_type(EVP_PKEY *pkey);
bool mx_pkcs8(struct mx_bytes *to, EVP_PKEY *pkey);
EVP_PKEY *mx_pkcs8_parse(const void *p, size_t n);

CK_RV mx_generate(CK_MECHANISM *m, const struct mx_template *t,
    struct mx_bytes *key, struct mx_bytes *csum);
CK_RV mx_pair(CK_MECHANISM *m, const struct mx_template *pub,
    const struct mx_template *prv, struct mx_bytes *prv_key,
    struct mx_bytes *pub_key);
CK_RV mx_wrap(const struct mx_bytes *key, const struct mx_bytes *kek,
    const struct mx_bytes *mac, CK_MECHANISM *m, struct mx_bytes *out);
CK_RV mx_unwrap(const void *p, size_t n, const struct mx_bytes *kek,
    const struct mx_bytes *mac, CK_MECHANISM *m, const struct mx_template *t,
    struct mx_bytes *key, struct mx_bytes *csum);
CK_RV mx_derive(CK_MECHANISM *m, const struct mx_template *t,
    const struct mx_bytes *base, struct mx_bytes *key, struct mx_bytes *csum);

/* mx_pem(name) - a private key of tests/kat/keys; NULL.
 * mx_hash(m) - OpenSSL's digest of CKM_SHA256 and everything that hashes by
 * it; NULL: none. */
EVP_PKEY *mx_pem(const char *name);
const EVP_MD *mx_hash(CK_MECHANISM_TYPE m);
const EVP_CIPHER *mx_cipher(CK_MECHANISM_TYPE m, size_t key_len);
/* mx_openssl(c, encrypt, pad, key, iv, in, n, out) - whole, with or without
 * padding; key wraps too. false: OpenSSL says no. */
bool mx_openssl(const EVP_CIPHER *c, bool encrypt, bool pad, const void *key,
    const void *iv, const void *in, size_t n, struct mx_bytes *out);
/* mx_kcv(value, n, type, csum) - is csum what ep11-host-api 4 says of it? */
bool mx_kcv(
    const struct mx_bytes *csum, CK_KEY_TYPE type, const void *value, size_t n);

/* ---- families: each runs its rows ---------------------------------------- */

void mx_run_digest(void);
void mx_run_cipher(void);
void mx_run_mac(void);
void mx_run_rsa(void);
void mx_run_ec(void);
void mx_run_ecdh(void);
void mx_run_sha(void);
void mx_run_dsa(void);
void mx_run_dh(void);
void mx_run_generate(void);
void mx_run_wrap(void);
void mx_run_attrbound(void);
void mx_run_vectors(void);

/* ---- curves -------------------------------------------------------------- */

struct mx_curve {
	const char *name; /* OpenSSL's */
	const char *ours; /* DER of its OID, hex */
	unsigned bits;
	enum {
		MX_PRIME,
		MX_EDWARDS,
		MX_MONTGOMERY
	} kind;
	bool all; /* min, a middle, max: every hash is tried on it */
};
extern const struct mx_curve mx_curves[];
extern const size_t mx_curves_len;
EVP_PKEY *mx_curve_key(const struct mx_curve *c);
/* ECDSA and DSA: r || s of width bytes each, from and to DER. */
bool mx_raw_of_der(struct mx_bytes *raw, size_t width, const void *p, size_t n);
bool mx_der_of_raw(struct mx_bytes *der, const void *raw, size_t n);

#endif
