#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "hsa_buf.h"
#include "hsa_hash.h"
#include "tiles.h"
#include "tiles_put.h"
#include "vfy_merkle.h"

#define LEVELS 8     /* of 8 each: 64 bits */
#define WIDTH 256u   /* hashes of a full tile */
#define ENTRIES (-1) /* "level" of a bundle */

struct tile {
	uint64_t n; /* index in its level */
	unsigned int width;
	uint8_t hash[WIDTH][HSA_SHA256_LEN];
};

struct walk {
	struct tiles_put put;
	struct tile level[LEVELS];
	struct hsa_buf bundle; /* of as many entries as level 0 has hashes */
	struct hsa_buf note;   /* the newest checkpoint */
	hsa_rc rc;             /* why the walk was stopped */
	struct hsa_diag *diag;
};

/* Errors of ours must not pass for the log's. */
static hsa_rc
stop(struct walk *w, hsa_rc rc)
{
	if (hsa_is_ok(rc))
		return rc;
	w->rc = rc;
	return HSA_RC(E_STOPPED);
}

static hsa_rc
add_hash(struct walk *w, const struct vfy_node *n)
{
	int level = n->level / 8;
	struct tile *t = &w->level[level];
	hsa_rc rc = HSA_OK;

	if (n->index != t->n * WIDTH + t->width)
		return hsa_fail(w->diag, HSA_RC(E_UNSUPPORTED),
		    "the log's first records have been released: tiles can be "
		    "made of a collected copy alone");
	memcpy(t->hash[t->width++], n->hash, HSA_SHA256_LEN);
	if (t->width < WIDTH)
		return rc;
	HSA_TRY(rc,
	    tiles_put_one(&w->put, level, t->n, 0, t->hash, sizeof(t->hash)));
	t->n++;
	t->width = 0;
out:
	return rc;
}

static hsa_rc
on_node(void *ctx, const struct vfy_node *n)
{
	struct walk *w = ctx;

	return n->level % 8 == 0 ? stop(w, add_hash(w, n)) : HSA_OK;
}

static hsa_rc
on_leaf(void *ctx, const struct vfy_tree *t, const uint8_t *raw, size_t n)
{
	struct walk *w = ctx;
	hsa_rc rc;

	if (n > UINT16_MAX)
		return stop(w,
		    hsa_fail(w->diag, HSA_RC(E_RANGE),
			"record %" PRIu64
			" has %zu bytes; an entry bundle of tlog-tiles can say "
			"no more than 65,535",
			t->size - 1, n));
	hsa_buf_be16(&w->bundle, (uint16_t)n);
	hsa_buf_put(&w->bundle, raw, n);
	HSA_TRY(rc, hsa_buf_rc(&w->bundle));
	if (t->size % WIDTH == 0) {
		rc = tiles_put_one(&w->put, ENTRIES, t->size / WIDTH - 1, 0,
		    w->bundle.p, w->bundle.len);
		hsa_buf_reset(&w->bundle);
	}
out:
	return stop(w, rc);
}

static hsa_rc
on_checkpoint(
    void *ctx, const struct vfy_tree *t, const uint8_t *note, size_t n)
{
	struct walk *w = ctx;
	hsa_rc rc;

	(void)t;
	hsa_buf_reset(&w->note);
	hsa_buf_put(&w->note, note, n);
	HSA_TRY(rc, hsa_buf_rc(&w->note));
	rc = tiles_put_named(&w->put);
out:
	return stop(w, rc);
}

/* The last of each level, as far as the newest checkpoint goes. */
static hsa_rc
partial(struct walk *w)
{
	const struct tile *t;
	hsa_rc rc = HSA_OK;

	for (int i = 0; i < LEVELS; i++) {
		t = &w->level[i];
		if (t->width != 0)
			HSA_TRY(
			    rc, tiles_put_one(&w->put, i, t->n, t->width,
				    t->hash, t->width * sizeof(t->hash[0])));
	}
	t = &w->level[0];
	if (t->width != 0)
		HSA_TRY(rc, tiles_put_one(&w->put, ENTRIES, t->n, t->width,
				w->bundle.p, w->bundle.len));
	rc = tiles_put_checkpoint(&w->put, w->note.p, w->note.len);
out:
	return rc;
}

hsa_rc
tiles_make(struct tiles_made *m, const char *to, const char *log,
    const struct vfy_keys *keys, int settle_ms, struct hsa_diag *diag)
{
	struct walk *w = calloc(1, sizeof(*w));
	const struct vfy_watch watch = {
	    .node = on_node,
	    .leaf = on_leaf,
	    .checkpoint = on_checkpoint,
	    .ctx = w,
	};
	struct vfy_options opt = {
	    .keys = keys, .watch = &watch, .settle_ms = settle_ms};
	struct hsa_buf before = {0};
	struct stat st;
	hsa_rc rc;

	*m = (struct tiles_made){.written = 0};
	if (w == NULL)
		return hsa_fail(diag, HSA_RC(E_NOMEM), "out of memory");
	w->diag = diag;
	HSA_TRY(rc, tiles_put_open(&w->put, to, diag));
	/* what was published binds: the log must go on from there */
	hsa_buf_printf(&before, "%s/checkpoint", to);
	HSA_TRY(rc, hsa_buf_rc(&before));
	if (stat(hsa_buf_cstr(&before), &st) == 0)
		opt.anchor = hsa_buf_cstr(&before);
	rc = vfy_log(&m->log, log, &opt, diag);
	if (rc.v == HSA_E_STOPPED)
		rc = w->rc;
	HSA_TRY(rc, rc);
	if (!m->log.bad)
		rc = partial(w);
	m->written = w->put.written;
	m->kept = w->put.kept;
	m->removed = w->put.removed;
out:
	if (!hsa_is_ok(rc) && diag->text[0] == '\0')
		hsa_diag_set(diag, "%s", hsa_err_text(rc));
	tiles_put_close(&w->put);
	hsa_buf_free(&w->bundle);
	hsa_buf_free(&w->note);
	hsa_buf_free(&before);
	free(w);
	return rc;
}
