#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "bk_core.h"

/*
 * Once this heap exists, OpenSSL puts every random generator (two per thread)
 * and every private EC number of the process into it and fails when it is
 * full, so it is far larger than our own few dozen bytes.
 */
#define SECURE_HEAP ((size_t)1024 * 1024)
#define SECURE_MIN 32u

static atomic_flag taken = ATOMIC_FLAG_INIT;

static hsa_rc
secure_heap(struct hsa_diag *diag)
{
	static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;
	hsa_rc rc = HSA_OK;
	int r = 1;

	(void)pthread_mutex_lock(&once);
	if (CRYPTO_secure_malloc_initialized() != 1)
		r = CRYPTO_secure_malloc_init(SECURE_HEAP, SECURE_MIN);
	if (r == 2)
		(void)CRYPTO_secure_malloc_done();
	(void)pthread_mutex_unlock(&once);
	if (r != 1)
		rc = hsa_fail(diag, HSA_RC(E_CONFIG),
		    "cannot lock %u KiB of memory for key parts; raise the "
		    "limit: ulimit -l %u, or LimitMEMLOCK in the service file",
		    (unsigned)(SECURE_HEAP / 1024),
		    (unsigned)(2 * SECURE_HEAP / 1024));
	return rc;
}

static hsa_rc
fail(struct hsa_diag *diag, const char *step)
{
	unsigned long e = ERR_peek_last_error();
	const char *why = e == 0 ? NULL : ERR_reason_error_string(e);
	hsa_rc rc = hsa_fail(diag, HSA_RC(E_TOKEN), "%s failed: %s", step,
	    why != NULL ? why : "no reason given");

	ERR_clear_error();
	return rc;
}

static PKCS11_SLOT *
find(struct bk_p11 *b, const char *label)
{
	PKCS11_SLOT *s = NULL;

	while ((s = PKCS11_find_next_token(b->ctx, b->slots, b->slot_len, s)) !=
	       NULL)
		if (s->token->label != NULL &&
		    strcmp(s->token->label, label) == 0)
			return s;
	return NULL;
}

/* The order is the one that libp11 allows: its read-write session first, the
 * login through it, direct Cryptoki last. */
hsa_rc
bk_core_open(struct bk_p11 *b, const struct bk_config *cfg, const char *pin,
    struct hsa_diag *diag)
{
	hsa_rc rc;

	if (pthread_mutex_init(&b->lock, NULL) != 0)
		return HSA_RC(E_NOMEM);
	b->locked = true;
	if (atomic_flag_test_and_set(&taken)) {
		rc = hsa_fail(diag, HSA_RC(E_BUSY),
		    "this process has a unit's token open already; SoftHSM "
		    "knows one token folder per process, so run one process "
		    "per unit");
		goto out;
	}
	b->taken = true;
	HSA_TRY(rc, secure_heap(diag));
	HSA_TRY(rc, bk_ck_load(&b->ck, cfg->module, diag));
	if (access(b->path.token, R_OK | W_OK | X_OK) != 0) {
		rc = hsa_fail(diag, HSA_RC(E_NOT_FOUND),
		    "token folder %s: %s; restore it from a backup of this "
		    "unit, or check its owner and mode",
		    b->path.token, strerror(errno));
		goto out;
	}
	b->ctx = PKCS11_CTX_new();
	if (b->ctx == NULL) {
		rc = HSA_RC(E_NOMEM);
		goto out;
	}
	if (PKCS11_CTX_load(b->ctx, cfg->module) != 0) {
		rc = fail(diag, "starting the PKCS#11 module");
		hsa_diag_wrap(
		    diag, "%s, configured by %s", cfg->module, b->path.conf);
		goto out;
	}
	b->loaded = true;
	if (PKCS11_enumerate_slots(b->ctx, &b->slots, &b->slot_len) != 0) {
		rc = fail(diag, "listing the token's slots");
		goto out;
	}
	b->slot = find(b, cfg->label);
	if (b->slot == NULL) {
		rc = hsa_fail(diag, HSA_RC(E_NOT_FOUND),
		    "no token labelled %s in %s; restore that folder from a "
		    "backup of this unit, or make the unit anew",
		    cfg->label, b->path.token);
		goto out;
	}
	if (PKCS11_open_session(b->slot, 1) != 0) {
		rc = fail(diag, "opening a session with the token");
		goto out;
	}
	if (PKCS11_login(b->slot, 0, pin) != 0) {
		ERR_clear_error();
		rc = hsa_fail(diag, HSA_RC(E_PASSWORD),
		    "the PIN in %s does not open the token in %s; the two come "
		    "from different units or backups: restore both from one",
		    b->path.pin, b->path.token);
		goto out;
	}
	b->slot_id = PKCS11_get_slotid_from_slot(b->slot);
	HSA_TRY(rc, bk_ck_start(&b->ck));
	HSA_TRY(rc, bk_ses_open(&b->home, &b->ck, b->slot_id));
	HSA_TRY(rc, bk_ep11_pool_start(&b->ep11, &b->ck, b->slot_id));
out:
	return rc;
}

/* Direct use ends before libp11, whose unload finalises the module. */
void
bk_core_close(struct bk_p11 *b)
{
	bk_ep11_pool_stop(&b->ep11);
	bk_ses_close(&b->home);
	if (b->slots != NULL)
		PKCS11_release_all_slots(b->ctx, b->slots, b->slot_len);
	b->slots = NULL;
	b->slot = NULL;
	if (b->loaded)
		PKCS11_CTX_unload(b->ctx);
	b->loaded = false;
	if (b->ctx != NULL)
		PKCS11_CTX_free(b->ctx);
	b->ctx = NULL;
	bk_ck_unload(&b->ck);
	if (b->taken)
		atomic_flag_clear(&taken);
	b->taken = false;
	if (b->locked)
		(void)pthread_mutex_destroy(&b->lock);
	b->locked = false;
	ERR_clear_error();
}

hsa_rc
bk_core_forked(const struct bk_config *cfg, struct hsa_diag *diag)
{
	struct bk_ck ck = {0};
	hsa_rc rc = bk_ck_load(&ck, cfg->module, diag);

	if (hsa_is_ok(rc))
		(void)ck.C_Finalize(NULL);
	bk_ck_unload(&ck);
	atomic_flag_clear(&taken);
	ERR_clear_error();
	return rc;
}

hsa_rc
bk_core_enter(struct bk_p11 *b, struct bk_ses *s)
{
	(void)pthread_mutex_lock(&b->lock);
	return bk_ses_open(s, &b->ck, b->slot_id);
}

void
bk_core_leave(struct bk_p11 *b, struct bk_ses *s)
{
	bk_ses_close(s);
	ERR_clear_error();
	(void)pthread_mutex_unlock(&b->lock);
}
