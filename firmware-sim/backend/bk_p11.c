#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bk_child.h"
#include "bk_core.h"
#include "bk_importer.h"
#include "bk_master.h"
#include "bk_object.h"
#include "bk_sign.h"
#include "bk_sync.h"
#include "hsa_hash.h"

static const struct cu_backend_ops ops = {
    .random = bk_object_random,
    .importer_generate = bk_importer_generate,
    .master_key_import = bk_master_import,
    .pattern = bk_master_pattern,
    .destroy = bk_object_destroy,
    .collect = bk_object_collect,
    .list = bk_object_list,
    .oa_sign = bk_sign_oa,
    .checkpoint_sign = bk_sign_checkpoint,
    .sync = bk_object_sync,
};

const char *
bk_find_module(void)
{
	static const char *const places[] = {
	    "/usr/lib/softhsm/libsofthsm2.so",
	    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
	    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
	    "/usr/lib/s390x-linux-gnu/softhsm/libsofthsm2.so",
	    "/usr/lib64/softhsm/libsofthsm2.so",
	    "/usr/lib64/pkcs11/libsofthsm2.so",
	    "/usr/lib64/libsofthsm2.so",
	    "/usr/local/lib/softhsm/libsofthsm2.so",
	};
	const char *own = getenv("SOFTHSM2_MODULE");

	if (own != NULL && access(own, R_OK) == 0)
		return own;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (access(places[i], R_OK) == 0)
			return places[i];
	return NULL;
}

static hsa_rc
check(const struct bk_config *cfg, struct hsa_diag *diag)
{
	size_t n = cfg->label == NULL ? 0 : strlen(cfg->label);

	if (cfg->module == NULL)
		return hsa_fail(diag, HSA_RC(E_NOT_FOUND),
		    "no PKCS#11 module found; install SoftHSM (package "
		    "softhsm2), or name its libsofthsm2.so");
	/* SoftHSM pads with blanks, so a label cannot end with one */
	if (n == 0 || n > BK_LABEL_MAX || cfg->label[n - 1] == ' ')
		return hsa_fail(diag, HSA_RC(E_ARG),
		    "token label '%s' must have 1 to %d bytes and not end "
		    "with a blank",
		    cfg->label == NULL ? "" : cfg->label, BK_LABEL_MAX);
	return HSA_OK;
}

/* ---- a new token --------------------------------------------------------- */

struct init {
	const struct bk_config *cfg;
	const struct bk_paths *path;
	const char *pin;
};

struct init_out {
	uint8_t oa_point[TKE_POINT_LEN];
	uint8_t checkpoint_pub[32];
};

/* The folder may be as new as what is in it. */
static hsa_rc
sync_above(const char *dir)
{
	char path[BK_DIR_MAX + 8];

	(void)snprintf(path, sizeof(path), "%s/..", dir);
	return bk_sync_path(path);
}

/* In the child. */
static hsa_rc
init_child(void *ctx, void *to, size_t n, struct hsa_diag *diag)
{
	struct init *in = ctx;
	struct bk_p11 b = {.path = *in->path};
	struct init_out out = {0};
	hsa_rc rc;

	HSA_TRY(rc, bk_token_conf(in->path, diag));
	HSA_TRY(rc, bk_core_forked(in->cfg, diag));
	HSA_TRY(rc, bk_token_format(in->cfg, in->pin, diag));
	HSA_TRY(rc, bk_core_open(&b, in->cfg, in->pin, diag));
	HSA_TRY(rc, bk_sign_make(&b, diag));
	HSA_TRY(rc, bk_sign_load(&b, diag));
	memcpy(out.oa_point, b.oa_point, sizeof(out.oa_point));
	memcpy(
	    out.checkpoint_pub, b.checkpoint_pub, sizeof(out.checkpoint_pub));
	rc = bk_sync_tree(in->path->dir);
	if (hsa_is_ok(rc))
		rc = sync_above(in->path->dir);
	if (!hsa_is_ok(rc)) {
		hsa_diag_set(diag, "cannot sync %s: %s; check its disk",
		    in->path->dir, strerror(errno));
		goto out;
	}
	memcpy(to, &out, n);
out:
	bk_core_close(&b);
	return rc;
}

hsa_rc
bk_p11_init(const struct bk_config *cfg, uint8_t oa_point[TKE_POINT_LEN],
    uint8_t checkpoint_pub[32], struct hsa_diag *diag)
{
	char pin[BK_PIN_LEN + 1] = "";
	struct bk_paths path = {0};
	struct init in = {cfg, &path, pin};
	struct init_out out = {0};
	bool made = false;
	hsa_rc rc;

	HSA_TRY(rc, check(cfg, diag));
	if (mkdir(cfg->dir, 0700) != 0 && errno != EEXIST) {
		rc = hsa_fail(diag, HSA_RC(E_IO),
		    "cannot make the unit folder %s: %s; make the folder "
		    "above it, or check that one's owner and mode",
		    cfg->dir, strerror(errno));
		goto out;
	}
	HSA_TRY(rc, bk_token_paths(&path, cfg->dir, diag));
	HSA_TRY(rc, bk_token_files(&path, pin, diag));
	made = true;
	HSA_TRY(rc, bk_child_run(&out, sizeof(out), init_child, &in, diag));
	made = false;
	memcpy(oa_point, out.oa_point, sizeof(out.oa_point));
	memcpy(checkpoint_pub, out.checkpoint_pub, sizeof(out.checkpoint_pub));
out:
	if (made)
		bk_token_remove(&path);
	hsa_wipe(pin, sizeof(pin));
	return rc;
}

/* ---- an existing token --------------------------------------------------- */

hsa_rc
bk_p11_open(
    struct bk_p11 **out, const struct bk_config *cfg, struct hsa_diag *diag)
{
	char pin[BK_PIN_LEN + 1] = "";
	struct bk_p11 *b = NULL;
	hsa_rc rc;

	HSA_TRY(rc, check(cfg, diag));
	b = calloc(1, sizeof(*b));
	if (b == NULL) {
		rc = HSA_RC(E_NOMEM);
		goto out;
	}
	HSA_TRY(rc, bk_token_paths(&b->path, cfg->dir, diag));
	HSA_TRY(rc, bk_token_pin(pin, &b->path, diag));
	HSA_TRY(rc, bk_token_conf(&b->path, diag));
	HSA_TRY(rc, bk_core_open(b, cfg, pin, diag));
	if (cfg->make_checkpoint)
		HSA_TRY(rc, bk_sign_checkpoint_make(b, diag));
	HSA_TRY(rc, bk_sign_load(b, diag));
	*out = b;
	b = NULL;
out:
	bk_p11_close(b);
	hsa_wipe(pin, sizeof(pin));
	return rc;
}

void
bk_p11_close(struct bk_p11 *b)
{
	if (b == NULL)
		return;
	bk_core_close(b);
	free(b);
}

struct cu_backend
bk_p11_backend(struct bk_p11 *b)
{
	return (struct cu_backend){&ops, b};
}

hsa_rc
bk_p11_checkpoint_pub(struct bk_p11 *b, uint8_t pub[32])
{
	memcpy(pub, b->checkpoint_pub, sizeof(b->checkpoint_pub));
	return HSA_OK;
}

hsa_rc
bk_p11_oa_point(struct bk_p11 *b, uint8_t point[TKE_POINT_LEN])
{
	memcpy(point, b->oa_point, sizeof(b->oa_point));
	return HSA_OK;
}
