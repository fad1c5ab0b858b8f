#include <openssl/err.h>
#include <string.h>

#include "bk_ep11_pool.h"

/* Forks that lead to this process. getpid() is a system call, this is not. */
static atomic_uint forks;

static void
forked(void)
{
	atomic_fetch_add_explicit(&forks, 1, memory_order_relaxed);
}

static void
watch(void)
{
	(void)pthread_atfork(NULL, NULL, forked);
}

bool
bk_ep11_alive(const struct bk_ep11_pool *p)
{
	return p->started &&
	       atomic_load_explicit(&forks, memory_order_relaxed) == p->born;
}

static CK_RV
open_one(struct bk_ep11_pool *p, CK_SESSION_HANDLE *h)
{
	return p->ck->C_OpenSession(
	    p->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, h);
}

hsa_rc
bk_ep11_pool_start(struct bk_ep11_pool *p, struct bk_ck *ck, CK_SLOT_ID slot)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	size_t n = 0;

	memset(p, 0, sizeof(*p));
	(void)pthread_once(&once, watch);
	p->ck = ck;
	p->slot = slot;
	p->born = atomic_load(&forks);
	if (pthread_mutex_init(&p->lock, NULL) != 0)
		return HSA_RC(E_NOMEM);
	while (n < BK_EP11_OWNERS &&
	       pthread_mutex_init(&p->owner[n].lock, NULL) == 0)
		n++;
	p->started = n == BK_EP11_OWNERS;
	if (p->started)
		return HSA_OK;
	while (n > 0)
		(void)pthread_mutex_destroy(&p->owner[--n].lock);
	(void)pthread_mutex_destroy(&p->lock);
	return HSA_RC(E_NOMEM);
}

void
bk_ep11_pool_stop(struct bk_ep11_pool *p)
{
	if (!p->started)
		return;
	while (p->idle_len > 0)
		(void)p->ck->C_CloseSession(p->idle[--p->idle_len]);
	for (size_t i = 0; i < BK_EP11_OWNERS; i++) {
		if (p->owner[i].open)
			(void)p->ck->C_CloseSession(p->owner[i].h);
		(void)pthread_mutex_destroy(&p->owner[i].lock);
	}
	(void)pthread_mutex_destroy(&p->lock);
	p->started = false;
}

CK_RV
bk_ep11_take(struct bk_ep11_pool *p, CK_SESSION_HANDLE *h)
{
	bool have = false;
	CK_RV rv;

	if (!bk_ep11_alive(p))
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	(void)pthread_mutex_lock(&p->lock);
	if (p->idle_len > 0) {
		*h = p->idle[--p->idle_len];
		have = true;
	}
	(void)pthread_mutex_unlock(&p->lock);
	if (have)
		return CKR_OK;
	rv = open_one(p, h);
	if (rv != CKR_OK)
		ERR_clear_error();
	return rv;
}

CK_RV
bk_ep11_give(struct bk_ep11_pool *p, CK_SESSION_HANDLE h, CK_RV rv, bool busy)
{
	bool keep = rv == CKR_OK || !busy;

	if (keep) {
		(void)pthread_mutex_lock(&p->lock);
		keep = p->idle_len < BK_EP11_IDLE;
		if (keep)
			p->idle[p->idle_len++] = h;
		(void)pthread_mutex_unlock(&p->lock);
	}
	if (!keep)
		(void)p->ck->C_CloseSession(h);
	if (rv != CKR_OK)
		ERR_clear_error();
	return rv;
}

CK_RV
bk_ep11_own(struct bk_ep11_pool *p, struct bk_ep11_owner **o)
{
	struct bk_ep11_owner *it = NULL;
	CK_RV rv = CKR_OK;
	unsigned turn;

	*o = NULL;
	if (!bk_ep11_alive(p))
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	turn = atomic_fetch_add_explicit(&p->turn, 1, memory_order_relaxed);
	for (unsigned i = 0; i < BK_EP11_OWNERS && it == NULL; i++) {
		it = &p->owner[(turn + i) % BK_EP11_OWNERS];
		if (pthread_mutex_trylock(&it->lock) != 0)
			it = NULL;
	}
	if (it == NULL) {
		it = &p->owner[turn % BK_EP11_OWNERS];
		(void)pthread_mutex_lock(&it->lock);
	}
	if (!it->open)
		rv = open_one(p, &it->h);
	if (rv != CKR_OK) {
		(void)pthread_mutex_unlock(&it->lock);
		ERR_clear_error();
		return rv;
	}
	it->open = true;
	*o = it;
	return CKR_OK;
}

CK_RV
bk_ep11_disown(struct bk_ep11_owner *o, CK_RV rv)
{
	if (o != NULL)
		(void)pthread_mutex_unlock(&o->lock);
	if (rv != CKR_OK)
		ERR_clear_error();
	return rv;
}
