#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "ep11_cache.h"
#include "hsa_hash.h"

struct ep11_cached {
	struct ep11_key key;
	CK_OBJECT_HANDLE second; /* 0: none */
	bool listed; /* found by others; else only its users know it */
	uint64_t hash;
	struct ep11_cached *chain;         /* of the same bucket */
	struct ep11_cached *newer, *older; /* use; older also lists what goes */
	size_t n;
	uint8_t blob[];
};

struct ep11_cache {
	pthread_mutex_t lock;
	size_t max, len, mask;
	struct ep11_cached *newest, *oldest;
	uint64_t hits, misses, evictions;
	struct ep11_cached *bucket[];
};

hsa_rc
ep11_cache_new(struct ep11_cache **out, size_t max)
{
	struct ep11_cache *c;
	size_t buckets = 16;

	if (max == 0 || max > SIZE_MAX / 64)
		return HSA_RC(E_ARG);
	while (buckets < 2 * max)
		buckets *= 2;
	c = calloc(1, sizeof(*c) + buckets * sizeof(c->bucket[0]));
	if (c == NULL)
		return HSA_RC(E_NOMEM);
	if (pthread_mutex_init(&c->lock, NULL) != 0) {
		free(c);
		return HSA_RC(E_NOMEM);
	}
	c->max = max;
	c->mask = buckets - 1;
	*out = c;
	return HSA_OK;
}

void
ep11_cache_free(struct ep11_cache *c, const struct ep11_token *token)
{
	if (c == NULL)
		return;
	ep11_cache_drop(c, token, NULL);
	(void)pthread_mutex_destroy(&c->lock);
	free(c);
}

/* ---- with the lock held -------------------------------------------------- */

/* A blob ends in its MAC, which nobody without the MAC key can aim. */
static uint64_t
hash_of(struct hsa_slice blob)
{
	uint64_t h = 0;

	if (blob.n >= EP11_MAC_LEN)
		memcpy(&h, blob.p + blob.n - EP11_MAC_LEN, sizeof(h));
	return h;
}

static void
unuse(struct ep11_cache *c, struct ep11_cached *e)
{
	if (e->newer != NULL)
		e->newer->older = e->older;
	else
		c->newest = e->older;
	if (e->older != NULL)
		e->older->newer = e->newer;
	else
		c->oldest = e->newer;
	e->newer = e->older = NULL;
}

static void
use(struct ep11_cache *c, struct ep11_cached *e)
{
	e->older = c->newest;
	if (c->newest != NULL)
		c->newest->newer = e;
	else
		c->oldest = e;
	c->newest = e;
}

static struct ep11_cached *
lookup(struct ep11_cache *c, uint64_t hash, struct hsa_slice blob)
{
	struct ep11_cached *e = c->bucket[hash & c->mask];

	while (e != NULL && (e->hash != hash || e->n != blob.n ||
				!hsa_equal_ct(e->blob, blob.p, blob.n)))
		e = e->chain;
	return e;
}

/* Out of the lists; true when nobody uses it, and it is the caller's. */
static bool
unlist(struct ep11_cache *c, struct ep11_cached *e)
{
	struct ep11_cached **at = &c->bucket[e->hash & c->mask];

	while (*at != e)
		at = &(*at)->chain;
	*at = e->chain;
	unuse(c, e);
	e->listed = false;
	c->len--;
	return e->key.refs == 0;
}

/* ---- without it ---------------------------------------------------------- */

static void
release(const struct ep11_token *token, struct ep11_cached *e)
{
	if (e == NULL)
		return;
	(void)token->ops->destroy(token->ctx, e->key.h);
	if (e->second != 0)
		(void)token->ops->destroy(token->ctx, e->second);
	free(e);
}

struct ep11_key *
ep11_cache_find(struct ep11_cache *c, struct hsa_slice blob)
{
	uint64_t hash = hash_of(blob);
	struct ep11_cached *e;

	(void)pthread_mutex_lock(&c->lock);
	e = lookup(c, hash, blob);
	if (e != NULL) {
		e->key.refs++;
		if (c->newest != e) {
			unuse(c, e);
			use(c, e);
		}
		c->hits++;
	} else
		c->misses++;
	(void)pthread_mutex_unlock(&c->lock);
	return e == NULL ? NULL : &e->key;
}

static struct ep11_cached *
entry(const struct ep11_key *k, struct hsa_slice blob)
{
	struct ep11_cached *e = calloc(1, sizeof(*e) + blob.n);

	if (e == NULL)
		return NULL;
	e->key = *k;
	e->n = blob.n;
	e->hash = hash_of(blob);
	memcpy(e->blob, blob.p, blob.n);
	if (k->spki.n != 0)
		e->key.spki.p = e->blob + (k->spki.p - blob.p);
	e->key.refs = 1;
	e->key.home = e;
	return e;
}

struct ep11_key *
ep11_cache_add(struct ep11_cache *c, const struct ep11_token *token,
    const struct ep11_key *k, struct hsa_slice blob)
{
	struct ep11_cached *e = entry(k, blob), *there, *out = NULL;

	if (e == NULL)
		return NULL;
	(void)pthread_mutex_lock(&c->lock);
	there = lookup(c, e->hash, blob);
	if (there != NULL) {
		there->key.refs++;
		out = e;
		e = there;
	} else {
		if (c->len >= c->max) {
			out = c->oldest;
			c->evictions++;
			if (!unlist(c, out))
				out = NULL;
		}
		e->chain = c->bucket[e->hash & c->mask];
		c->bucket[e->hash & c->mask] = e;
		e->listed = true;
		use(c, e);
		c->len++;
	}
	(void)pthread_mutex_unlock(&c->lock);
	release(token, out);
	return &e->key;
}

void
ep11_cache_put(
    struct ep11_cache *c, const struct ep11_token *token, struct ep11_key *k)
{
	struct ep11_cached *e = k->home;
	bool gone;

	(void)pthread_mutex_lock(&c->lock);
	e->key.refs--;
	gone = e->key.refs == 0 && !e->listed;
	(void)pthread_mutex_unlock(&c->lock);
	if (gone)
		release(token, e);
}

CK_OBJECT_HANDLE
ep11_cache_second(struct ep11_cache *c, const struct ep11_key *k)
{
	CK_OBJECT_HANDLE h;

	(void)pthread_mutex_lock(&c->lock);
	h = k->home->second;
	(void)pthread_mutex_unlock(&c->lock);
	return h;
}

CK_OBJECT_HANDLE
ep11_cache_second_add(struct ep11_cache *c, const struct ep11_token *token,
    const struct ep11_key *k, CK_OBJECT_HANDLE h)
{
	CK_OBJECT_HANDLE there;

	(void)pthread_mutex_lock(&c->lock);
	there = k->home->second;
	if (there == 0)
		k->home->second = h;
	(void)pthread_mutex_unlock(&c->lock);
	if (there == 0)
		return h;
	(void)token->ops->destroy(token->ctx, h);
	return there;
}

struct hsa_slice
ep11_cache_blob(const struct ep11_key *k)
{
	return (struct hsa_slice){k->home->blob, k->home->n};
}

void
ep11_cache_drop(struct ep11_cache *c, const struct ep11_token *token,
    const uint8_t *session)
{
	struct ep11_cached *e, *next, *gone = NULL;

	(void)pthread_mutex_lock(&c->lock);
	for (e = c->oldest; e != NULL; e = next) {
		next = e->newer;
		if (session != NULL &&
		    (!e->key.bound ||
			memcmp(e->key.session, session, EP11_SESSION_LEN) != 0))
			continue;
		if (unlist(c, e)) {
			e->older = gone;
			gone = e;
		}
	}
	(void)pthread_mutex_unlock(&c->lock);
	for (; gone != NULL; gone = next) {
		next = gone->older;
		release(token, gone);
	}
}

void
ep11_cache_stats(struct ep11_cache *c, struct ep11_engine_stats *s)
{
	(void)pthread_mutex_lock(&c->lock);
	s->hits = c->hits;
	s->misses = c->misses;
	s->evictions = c->evictions;
	s->cached = c->len;
	(void)pthread_mutex_unlock(&c->lock);
}
