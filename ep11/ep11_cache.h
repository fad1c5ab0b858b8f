/*
 * ep11_cache.h - unwrapped keys: session objects of the token by the blob that
 * they came of. Bounded, least recently used out first.
 *
 * Only keys whose blob's MAC was right get in, and a blob is found again only
 * byte for byte; so a hit needs no second look at the MAC. An entry that is
 * let go while in use lives until its last user puts it back; its object is
 * destroyed then. Any number of threads; the lock is held for no call of the
 * token.
 */
#ifndef EP11_CACHE_H
#define EP11_CACHE_H
#include <stddef.h>
#include "ep11_engine.h"
#include "ep11_key.h"
#include "ep11_token.h"
#include "hsa_err.h"

struct ep11_cache;

/* max: entries, at least 1. ep11_cache_free: NULL-safe; no key may be out. */
HSA_MUST_USE hsa_rc ep11_cache_new(struct ep11_cache **c, size_t max);
void ep11_cache_free(struct ep11_cache *c, const struct ep11_token *token);

/*
 * ep11_cache_find(c, blob) - the key of this blob, or NULL.
 * ep11_cache_add(c, token, k, blob) - keep a loaded key: k is copied, slices of
 * it into blob follow into the cache's own copy. Another thread may have been
 * faster: then that key is returned and k's object destroyed. NULL: no memory,
 * k's object is the caller's still.
 * Both give a reference, which ep11_cache_put ends.
 */
struct ep11_key *ep11_cache_find(struct ep11_cache *c, struct hsa_slice blob);
struct ep11_key *ep11_cache_add(struct ep11_cache *c,
    const struct ep11_token *token, const struct ep11_key *k,
    struct hsa_slice blob);
void ep11_cache_put(
    struct ep11_cache *c, const struct ep11_token *token, struct ep11_key *k);

/*
 * A second object of the token that belongs to a key: made by whoever needs the
 * key in another form, destroyed with it.
 * ep11_cache_second(c, k) - 0: none yet.
 * ep11_cache_second_add(c, token, k, h) - h is the cache's now; returns the one
 * to use, for another thread may have been faster.
 */
CK_OBJECT_HANDLE ep11_cache_second(
    struct ep11_cache *c, const struct ep11_key *k);
CK_OBJECT_HANDLE ep11_cache_second_add(struct ep11_cache *c,
    const struct ep11_token *token, const struct ep11_key *k,
    CK_OBJECT_HANDLE h);

/* The blob that a key of the cache came of; valid as long as the key. */
struct hsa_slice ep11_cache_blob(const struct ep11_key *k);

/* ep11_cache_drop(c, token, session) - every key, or those bound to a session
 * of 32 bytes. */
void ep11_cache_drop(struct ep11_cache *c, const struct ep11_token *token,
    const uint8_t *session);

/* Fills in what is the cache's. */
void ep11_cache_stats(struct ep11_cache *c, struct ep11_engine_stats *s);

#endif
