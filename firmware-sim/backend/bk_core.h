/*
 * bk_core.h - the inside of a bk_p11: module, token, login, lock. Private to
 * backend/ and to its tests, which reach in to make Cryptoki calls fail.
 */
#ifndef BK_CORE_H
#define BK_CORE_H
#include <libp11.h>
#include <pthread.h>
#include "bk_cryptoki.h"
#include "bk_ep11_pool.h"
#include "bk_p11.h"
#include "bk_token.h"

struct bk_p11 {
	pthread_mutex_t lock; /* one operation at a time */
	struct bk_paths path;
	struct bk_ck ck;
	PKCS11_CTX *ctx;
	PKCS11_SLOT *slots, *slot; /* all, ours */
	unsigned slot_len;
	CK_SLOT_ID slot_id;
	bool locked, taken,
	    loaded;         /* lock made, process taken, module loaded */
	struct bk_ses home; /* idle: as long as it lives, so does the login */
	CK_OBJECT_HANDLE oa, checkpoint; /* private halves */
	struct bk_ep11_pool ep11;        /* sessions of EP11 operations */
	uint8_t oa_point[TKE_POINT_LEN];
	uint8_t checkpoint_pub[32];
};

/*
 * bk_core_open(b, cfg, pin, diag) - into a zeroed struct whose path is set:
 * everything but the keys. One token per process: E_BUSY. bk_core_close:
 * repeatable, also after a failed open.
 */
HSA_MUST_USE hsa_rc bk_core_open(struct bk_p11 *b, const struct bk_config *cfg,
    const char *pin, struct hsa_diag *diag);
void bk_core_close(struct bk_p11 *b);

/*
 * bk_core_forked(cfg, diag) - in a child of fork: forget the token that the
 * parent may have had open.
 */
HSA_MUST_USE hsa_rc bk_core_forked(
    const struct bk_config *cfg, struct hsa_diag *diag);

/*
 * bk_core_enter(b, s) - take the lock and open a session for one operation;
 * bk_core_leave(b, s) must follow, whatever enter returned.
 */
HSA_MUST_USE hsa_rc bk_core_enter(struct bk_p11 *b, struct bk_ses *s);
void bk_core_leave(struct bk_p11 *b, struct bk_ses *s);

#endif
