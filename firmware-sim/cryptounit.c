/* cryptounit.c - see cryptounit.h: wiring only, as main.c is. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include "ep11_pkcs11.h"
#include "cu_unit.h"
#include "ep_inside.h"
#include "cryptounit.h"

#define LOCK_MS 1000 /* somebody who is about to let go */

struct cryptounit {
	struct ep_inside *in;
};

/* The token, the threads and the log's lock stay with the parent. */
static atomic_bool forked;

static void
in_child(void)
{
	atomic_store(&forked, true);
}

static void
watch_forks(void)
{
	(void)pthread_atfork(NULL, NULL, in_child);
}

hsa_rc
cryptounit_open(struct cryptounit **to, const char *dir, const char *name,
    struct hsa_diag *diag)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct cryptounit *u = NULL;
	char *real = NULL;
	hsa_rc rc = HSA_RC(E_NOMEM);

	(void)pthread_once(&once, watch_forks);
	if (atomic_load(&forked))
		return hsa_fail(diag, HSA_RC(E_STATE),
		    "a crypto unit was embedded before this process was "
		    "forked, and SoftHSM does not survive that; fix: exec, or "
		    "use the unit's socket");
	real = realpath(dir, NULL);
	if (real == NULL) {
		rc = hsa_fail(diag, HSA_RC(E_NOT_FOUND),
		    "%s: no such folder; fix: name the one that `cryptounitd "
		    "init` made",
		    dir);
		goto out;
	}
	u = calloc(1, sizeof(*u));
	if (u == NULL)
		goto out;
	HSA_TRY(rc, ep_inside_open(&u->in, real, name, LOCK_MS, diag));
	*to = u;
	u = NULL;
out:
	free(real);
	free(u);
	return rc;
}

void
cryptounit_close(struct cryptounit *u)
{
	if (u == NULL)
		return;
	/* what is open belongs to the parent */
	if (!atomic_load(&forked))
		ep_inside_close(u->in);
	free(u);
}

const char *
cryptounit_folder(struct cryptounit *u)
{
	return ep_inside_folder(u->in);
}

hsa_rc
cryptounit_request(struct cryptounit *u, struct hsa_unit_reply *r,
    const struct hsa_unit_request *q)
{
	if (atomic_load(&forked))
		return HSA_RC(E_STATE);
	return ep_inside_request(u->in, r, q);
}

void
cryptounit_call(
    struct cryptounit *u, struct hsa_call *c, const struct hsa_caller *caller)
{
	if (atomic_load_explicit(&forked, memory_order_relaxed)) {
		hsa_call_reset(c);
		c->rv = CKR_DEVICE_ERROR;
		return;
	}
	cu_unit_call(ep_inside_unit(u->in), c, caller);
}

hsa_rc
cryptounit_emission(struct cryptounit *u, enum cryptounit_emission mode)
{
	static const enum cu_emission modes[] = {
	    [CRYPTOUNIT_SEALED] = CU_EMIT_SEALED,
	    [CRYPTOUNIT_OFF] = CU_EMIT_OFF,
	    [CRYPTOUNIT_RING] = CU_EMIT_RING,
	};

	if (atomic_load(&forked))
		return HSA_RC(E_STATE);
	if (mode < CRYPTOUNIT_SEALED || mode > CRYPTOUNIT_RING)
		return HSA_RC(E_ARG);
	return ep_inside_emission(u->in, modes[mode], NULL);
}

hsa_rc
cryptounit_flush(struct cryptounit *u)
{
	if (atomic_load(&forked))
		return HSA_RC(E_STATE);
	return cu_unit_flush(ep_inside_unit(u->in));
}
