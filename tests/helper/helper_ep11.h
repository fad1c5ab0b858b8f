/*
 * helper_ep11.h - the EP11 engine on a real token that holds two master keys.
 */
#ifndef HELPER_EP11_H
#define HELPER_EP11_H
#include "ep11_core.h"
#include "helper_bk.h"

struct helper_ep11 {
	struct helper_bk bk;
	struct ep11_token token; /* of bk.b, when the engine's is wrapped */
	struct ep11_engine *e;
	struct ep11_wk_name wk[2]; /* names of the two master keys */
};

/*
 * helper_ep11_make(h, seed, cache) - token, master keys whose values are made
 * of seed (two units of one seed have the same), engine with the first one
 * current and no next. helper_ep11_free(h) - repeatable.
 * helper_ep11_wk(h, current, next) - index into wk, -1: none. Fails the
 * running test when the engine cannot have it.
 */
void helper_ep11_make(struct helper_ep11 *h, uint8_t seed, size_t cache);
void helper_ep11_free(struct helper_ep11 *h);
void helper_ep11_wk(struct helper_ep11 *h, int current, int next);

/* Objects that the token's sessions see, session objects too. */
size_t helper_ep11_objects(struct helper_ep11 *h);

/*
 * helper_ep11_secret(h, blob, type, value, n, bools) - the blob of a secret key
 * of a known value; blob is reset first. helper_ep11_secret_of - bound to a
 * session of 32 bytes.
 */
void helper_ep11_secret(struct helper_ep11 *h, struct hsa_buf *blob,
    CK_KEY_TYPE type, const void *value, size_t n, uint32_t bools);
void helper_ep11_secret_of(struct helper_ep11 *h, struct hsa_buf *blob,
    CK_KEY_TYPE type, const void *value, size_t n, uint32_t bools,
    const uint8_t *session);

/* helper_ep11_call(h, c, fn) - reset the reply, call, return rv. */
CK_RV helper_ep11_call(
    struct helper_ep11 *h, struct hsa_call *c, enum hsa_fn fn);

/* Bytes of a buffer, and the other way round. */
static inline struct hsa_slice
helper_slice(const struct hsa_buf *b)
{
	return (struct hsa_slice){b->p, b->len};
}

/* ---- a token that fails -------------------------------------------------- */

/*
 * Counts the calls of the token; number fail_at (from 1; 0: none) answers rv
 * instead, and nothing is done. Zero it, set inner and rv.
 */
struct helper_ep11_fault {
	struct ep11_token inner;
	unsigned fail_at, calls;
	CK_RV rv;
	const char *failed; /* name of the call that failed, NULL: none did */
};
struct ep11_token helper_ep11_faulty(struct helper_ep11_fault *f);

#endif
