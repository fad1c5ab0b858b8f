#include "helper_bk.h"

static bool
now(struct bk_fault *f, const char *name)
{
	if (++f->calls != f->fail_at)
		return false;
	f->failed = name;
	return true;
}

/* The call, or the failure instead of it, or the failure after it. */
#define CALL(f, name, ...)                                                     \
	do {                                                                   \
		bool hit = now(f, #name);                                      \
		hsa_rc rc = HSA_OK;                                            \
		if (!hit || (f)->when == BK_FAULT_AFTER)                       \
			rc =                                                   \
			    (f)->inner.ops->name((f)->inner.ctx, __VA_ARGS__); \
		return hit ? (f)->rc : rc;                                     \
	} while (0)

static hsa_rc
f_random(void *ctx, void *out, size_t n)
{
	struct bk_fault *f = ctx;

	CALL(f, random, out, n);
}

static hsa_rc
f_importer_generate(void *ctx, struct cu_key_id *id, struct hsa_buf *spki,
    enum tke_importer_kind kind)
{
	struct bk_fault *f = ctx;

	CALL(f, importer_generate, id, spki, kind);
}

static hsa_rc
f_master_key_import(void *ctx, struct cu_key_id *id, uint8_t pattern[32],
    uint8_t part_id[][32], size_t *bad, const struct cu_key_id *importer,
    const struct tke_recipient *part, size_t n)
{
	struct bk_fault *f = ctx;

	CALL(
	    f, master_key_import, id, pattern, part_id, bad, importer, part, n);
}

static hsa_rc
f_pattern(void *ctx, uint8_t pattern[32], const struct cu_key_id *id)
{
	struct bk_fault *f = ctx;

	CALL(f, pattern, pattern, id);
}

static hsa_rc
f_destroy(void *ctx, enum cu_object_class cls, const struct cu_key_id *id)
{
	struct bk_fault *f = ctx;

	CALL(f, destroy, cls, id);
}

static hsa_rc
f_collect(void *ctx, size_t *removed, const struct cu_key_id *keep, size_t n,
    struct hsa_diag *diag)
{
	struct bk_fault *f = ctx;

	CALL(f, collect, removed, keep, n, diag);
}

static hsa_rc
f_list(void *ctx, struct cu_key_id *id, size_t *n, size_t max)
{
	struct bk_fault *f = ctx;

	CALL(f, list, id, n, max);
}

static hsa_rc
f_oa_sign(void *ctx, struct hsa_buf *sig, const void *msg, size_t n)
{
	struct bk_fault *f = ctx;

	CALL(f, oa_sign, sig, msg, n);
}

static hsa_rc
f_checkpoint_sign(void *ctx, uint8_t sig[64], const void *msg, size_t n)
{
	struct bk_fault *f = ctx;

	CALL(f, checkpoint_sign, sig, msg, n);
}

static hsa_rc
f_sync(void *ctx)
{
	struct bk_fault *f = ctx;
	bool hit = now(f, "sync");
	hsa_rc rc = HSA_OK;

	if (!hit || f->when == BK_FAULT_AFTER)
		rc = f->inner.ops->sync(f->inner.ctx);
	return hit ? f->rc : rc;
}

struct cu_backend
bk_fault_backend(struct bk_fault *f)
{
	static const struct cu_backend_ops ops = {
	    .random = f_random,
	    .importer_generate = f_importer_generate,
	    .master_key_import = f_master_key_import,
	    .pattern = f_pattern,
	    .destroy = f_destroy,
	    .collect = f_collect,
	    .list = f_list,
	    .oa_sign = f_oa_sign,
	    .checkpoint_sign = f_checkpoint_sign,
	    .sync = f_sync,
	};

	return (struct cu_backend){&ops, f};
}
