#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "hsa_buf.h"
#include "val_read.h"
#include "val_record.h"
#include "vfy_find.h"
#include "vfy_log.h"
#include "vfy_utf8.h"

#define KEYS "checkpoint.pub"

struct reader {
	const struct val_taker *taker;
	struct vfy_keys own; /* of the files beside the log */
	const struct vfy_keys *keys;
	int settle_ms;
	bool *seen; /* by key: a log of its origin was there */
	struct val_records records;
	struct hsa_buf why;
	hsa_rc taken; /* what the taker said */
};

static hsa_rc
bad(struct reader *r, const char *name)
{
	hsa_rc rc;

	HSA_TRY(rc, hsa_buf_rc(&r->why));
	r->taker->bad(r->taker->ctx, name, hsa_buf_cstr(&r->why));
out:
	return rc;
}

/* Errors that are no finding about the input, but ours. */
static hsa_rc
failed(struct reader *r, const char *name, hsa_rc rc, const struct hsa_diag *d)
{
	if (hsa_is_ok(rc) || rc.v == HSA_E_NOMEM)
		return rc;
	hsa_buf_reset(&r->why);
	hsa_buf_str(&r->why, d->text[0] != '\0' ? d->text : hsa_err_text(rc));
	return bad(r, name);
}

/* ---- keys ---------------------------------------------------------------- */

static bool
there(const char *dir, const char *below)
{
	struct hsa_buf b = {0};
	struct stat st;
	bool is;

	hsa_buf_printf(&b, "%s/%s", dir, below);
	is = hsa_is_ok(hsa_buf_rc(&b)) && lstat(hsa_buf_cstr(&b), &st) == 0;
	hsa_buf_free(&b);
	return is;
}

/* Where a key file may lie: in the folder, the one above; further up only in
 * a state directory, where the log is units/NAME/log. */
static bool
has_keys(const char *dir, const char *up)
{
	struct hsa_buf b = {0};
	bool is;

	hsa_buf_printf(&b, "%s%s", dir, up);
	is = hsa_is_ok(hsa_buf_rc(&b)) && there(hsa_buf_cstr(&b), KEYS) &&
	     (strlen(up) < 6 || (there(hsa_buf_cstr(&b), "config.yaml") &&
				    there(hsa_buf_cstr(&b), "units")));
	hsa_buf_free(&b);
	return is;
}

static hsa_rc
find_keys(struct reader *r, const char *dir, const struct vfy_keys *given,
    struct hsa_diag *diag)
{
	static const char *const up[] = {"", "/..", "/../..", "/../../.."};
	struct hsa_buf b = {0};
	hsa_rc rc = HSA_OK;
	size_t i;

	r->keys = given;
	if (given == NULL || given->len == 0) {
		r->keys = &r->own;
		for (i = 0; i < sizeof(up) / sizeof(up[0]); i++)
			if (has_keys(dir, up[i]))
				break;
		if (i == sizeof(up) / sizeof(up[0])) {
			rc = hsa_fail(diag, HSA_RC(E_KEY),
			    "no key: give the unit's " KEYS
			    " with --key FILE, or lay it beside the log");
			goto out;
		}
		hsa_buf_printf(&b, "%s%s/" KEYS, dir, up[i]);
		HSA_TRY(rc, hsa_buf_rc(&b));
		HSA_TRY(rc, vfy_keys_load(&r->own, hsa_buf_cstr(&b), diag));
	}
	r->seen = calloc(r->keys->len + 1, sizeof(*r->seen));
	rc = r->seen == NULL ? HSA_RC(E_NOMEM) : HSA_OK;
out:
	hsa_buf_free(&b);
	return rc;
}

/* ---- one log ------------------------------------------------------------- */

static hsa_rc
leaf(void *ctx, const struct vfy_tree *tree, const uint8_t *raw, size_t n)
{
	struct reader *r = ctx;
	struct val_envelope envelope;
	struct hsa_slice json;
	hsa_rc rc;

	(void)tree;
	HSA_TRY(rc, val_record_next(&r->records, &envelope, &json, raw, n));
	r->taken = r->taker->text(r->taker->ctx,
	    &(const struct val_text){
		.p = json.p, .n = json.n, .envelope = &envelope});
	rc = r->taken;
out:
	return rc;
}

/* In the words of hsa verify. */
static void
damage(struct hsa_buf *b, const struct vfy_result *res)
{
	hsa_buf_reset(b);
	hsa_buf_printf(b, "damaged, %s: ", res->rule);
	vfy_utf8_show(b, res->finding);
	if (res->place.file[0] != '\0') {
		hsa_buf_str(b, "; ");
		vfy_utf8_show(b, res->place.file);
		hsa_buf_printf(b, ", byte %" PRIu64 ", at record %" PRIu64,
		    res->place.offset, res->place.sequence);
	}
	if (res->sealed == 0)
		hsa_buf_str(b, "; valid up to no record");
	else
		hsa_buf_printf(
		    b, "; valid up to record %" PRIu64, res->sealed - 1);
}

static hsa_rc
one_log(struct reader *r, const char *path)
{
	/* not on_record: val_record makes more of the bytes for less */
	const struct vfy_watch watch = {.leaf = leaf, .ctx = r};
	const struct vfy_options opt = {
	    .keys = r->keys, .watch = &watch, .settle_ms = r->settle_ms};
	struct hsa_diag diag = {{0}};
	struct vfy_result res;
	hsa_rc rc;
	size_t i;

	HSA_TRY(rc, r->taker->input(r->taker->ctx, path));
	rc = vfy_log(&res, path, &opt, &diag);
	for (i = 0; i < r->keys->len; i++)
		if (strcmp(r->keys->key[i].origin, res.origin) == 0 ||
		    /* what became of the one before it says (V11) */
		    (res.chain.has && res.sealed > 1 &&
			strcmp(r->keys->key[i].origin, res.chain.old_origin) ==
			    0))
			r->seen[i] = true;
	if (!hsa_is_ok(r->taken)) {
		rc = r->taken;
	} else if (!hsa_is_ok(rc)) {
		rc = failed(r, path, rc, &diag);
	} else if (res.bad) {
		damage(&r->why, &res);
		rc = bad(r, path);
	}
out:
	val_records_free(&r->records);
	return rc;
}

/* Who has a key in a state directory's own file and no log there. */
static hsa_rc
lost(struct reader *r, const char *dir)
{
	hsa_rc rc = HSA_OK;
	size_t i;

	for (i = 0; i < r->keys->len; i++) {
		if (r->seen[i])
			continue;
		hsa_buf_reset(&r->why);
		hsa_buf_str(&r->why, "the key file promises ");
		vfy_utf8_show(&r->why, r->keys->key[i].origin);
		hsa_buf_str(&r->why, ", and there is no log of it");
		HSA_TRY(rc, bad(r, dir));
	}
out:
	return rc;
}

/* A unit's folder in a state directory has its log below. */
static hsa_rc
find(struct vfy_logs *logs, const char *dir, struct hsa_diag *diag)
{
	struct hsa_buf b = {0};
	hsa_rc rc;

	rc = vfy_find(logs, dir, diag);
	if (rc.v != HSA_E_NOT_FOUND || !there(dir, "log"))
		return rc;
	hsa_buf_printf(&b, "%s/log", dir);
	HSA_TRY(rc, hsa_buf_rc(&b));
	diag->text[0] = '\0';
	rc = vfy_find(logs, hsa_buf_cstr(&b), diag);
out:
	hsa_buf_free(&b);
	return rc;
}

hsa_rc
val_read_log(const char *path, const struct vfy_keys *keys, int settle_ms,
    const struct val_taker *taker)
{
	struct reader r = {
	    .taker = taker, .settle_ms = settle_ms, .taken = HSA_OK};
	struct hsa_diag diag = {{0}};
	struct vfy_logs logs = {0};
	hsa_rc rc;
	size_t i;

	rc = find(&logs, path, &diag);
	if (hsa_is_ok(rc))
		rc = find_keys(&r, path, keys, &diag);
	if (!hsa_is_ok(rc)) {
		rc = failed(&r, path, rc, &diag);
		goto out;
	}
	for (i = 0; i < logs.len; i++)
		HSA_TRY(rc, one_log(&r, logs.log[i].path));
	if (logs.where == VFY_STATE && r.keys == &r.own)
		rc = lost(&r, path);
out:
	vfy_logs_free(&logs);
	vfy_keys_free(&r.own);
	hsa_buf_free(&r.why);
	free(r.seen);
	return rc;
}
