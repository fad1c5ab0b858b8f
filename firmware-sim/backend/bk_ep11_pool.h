/*
 * bk_ep11_pool.h - sessions for EP11 operations, many threads at once.
 *
 * Two kinds. Idle sessions are taken for one operation each and given back,
 * last in first out; the lock is held for the exchange alone. Owners make the
 * session objects and live as long as the token is open, because SoftHSM
 * destroys a session's objects with it; making one takes an owner for itself.
 *
 * In a child of fork every take fails: SoftHSM's state there is a copy whose
 * locks another thread may have held.
 */
#ifndef BK_EP11_POOL_H
#define BK_EP11_POOL_H
#include <pthread.h>
#include <stdatomic.h>
#include "bk_cryptoki.h"

#define BK_EP11_IDLE 64  /* sessions kept; a busier moment opens more */
#define BK_EP11_OWNERS 8 /* RSA generation takes seconds: others go on */

struct bk_ep11_owner {
	pthread_mutex_t lock;
	CK_SESSION_HANDLE h;
	bool open;
};

struct bk_ep11_pool {
	struct bk_ck *ck;
	CK_SLOT_ID slot;
	unsigned born; /* forks of the process before this pool */
	bool started;
	pthread_mutex_t lock; /* of idle */
	CK_SESSION_HANDLE idle[BK_EP11_IDLE];
	size_t idle_len;
	atomic_uint turn;
	struct bk_ep11_owner owner[BK_EP11_OWNERS];
};

/* bk_ep11_pool_start(p, ck, slot) - opens nothing yet. bk_ep11_pool_stop(p) -
 * no operation may be running; repeatable, a zeroed struct is stopped. */
HSA_MUST_USE hsa_rc bk_ep11_pool_start(
    struct bk_ep11_pool *p, struct bk_ck *ck, CK_SLOT_ID slot);
void bk_ep11_pool_stop(struct bk_ep11_pool *p);
/* Started, and not in a child of fork since. */
bool bk_ep11_alive(const struct bk_ep11_pool *p);

/*
 * bk_ep11_take(p, h) - a session without an active operation.
 * bk_ep11_give(p, h, rv, busy) - take it back after rv, which is returned;
 * with busy a failure may have left an operation active, and the session is
 * closed. Clears OpenSSL's error queue after a failure.
 */
CK_RV bk_ep11_take(struct bk_ep11_pool *p, CK_SESSION_HANDLE *h);
CK_RV bk_ep11_give(
    struct bk_ep11_pool *p, CK_SESSION_HANDLE h, CK_RV rv, bool busy);

/* The same of an owner; o is NULL after a failed take and give takes that. */
CK_RV bk_ep11_own(struct bk_ep11_pool *p, struct bk_ep11_owner **o);
CK_RV bk_ep11_disown(struct bk_ep11_owner *o, CK_RV rv);

#endif
