/*
 * helper_bk.h - a real SoftHSM token in a temporary folder, and a backend
 * that fails on demand around any other.
 */
#ifndef HELPER_BK_H
#define HELPER_BK_H
#include <stdbool.h>
#include "bk_p11.h"

#define HELPER_BK_LABEL "0123456789abcdef0123456789abcdef"

struct helper_bk {
	char dir[64]; /* temporary; the unit's folder is dir/unit */
	char unit[80];
	struct bk_config cfg;            /* of the unit */
	uint8_t oa_point[TKE_POINT_LEN]; /* as init returned them */
	uint8_t checkpoint_pub[32];
	struct bk_p11 *b;     /* open, or NULL */
	struct cu_backend be; /* of b */
};

/*
 * helper_bk_have() - is there a SoftHSM? A test program without one must
 * return HELPER_BK_SKIP from main, never pass.
 * helper_bk_make(h) - temporary folder, token made, not opened.
 * helper_bk_open(h), helper_bk_close(h) - h->b. helper_bk_free(h) - close,
 * remove the folder; repeatable. All fail the running test on an error.
 */
#define HELPER_BK_SKIP 77
bool helper_bk_have(void);
void helper_bk_make(struct helper_bk *h);
void helper_bk_open(struct helper_bk *h);
void helper_bk_close(struct helper_bk *h);
void helper_bk_free(struct helper_bk *h);

/* helper_bk_dir(dir) - a fresh temporary folder.
 * helper_bk_remove(dir) - a folder and what is in it. */
void helper_bk_dir(char dir[64]);
void helper_bk_remove(const char *dir);

/* ---- a backend that fails ------------------------------------------------ */

enum bk_fault_when {
	BK_FAULT_BEFORE = 0, /* the call does nothing and fails */
	BK_FAULT_AFTER       /* the call is done, its result is lost */
};

/*
 * Counts the calls; the one with number fail_at (from 1; 0: none) returns rc
 * instead. Zero it, set inner and rc, then take bk_fault_backend.
 */
struct bk_fault {
	struct cu_backend inner;
	unsigned fail_at, calls;
	enum bk_fault_when when;
	hsa_rc rc;
	const char *failed; /* name of the call that failed, NULL: none did */
};
struct cu_backend bk_fault_backend(struct bk_fault *f);

#endif
