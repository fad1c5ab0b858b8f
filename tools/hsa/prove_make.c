#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hsa_codec.h"
#include "hsa_event.h"
#include "hsa_proof.h"
#include "prove_make.h"
#include "vfy_merkle.h"
#include "vfy_path.h"

struct near { /* the checkpoints around a size that has none */
	uint64_t below, above;
	bool has_above;
};

struct walk {
	const struct prove_job *j;
	struct prove_made *m;
	const struct vfy_tree *tree; /* the walk's, with the last record */
	struct vfy_path path;
	bool found; /* the record; the old size */
	bool ready; /* m->proof leads to the checkpoint that is wanted */
	struct hsa_buf raw;
	struct near from, to;
};

/* The proof as it is when the tree has the size of a checkpoint. */
static hsa_rc
take(struct walk *w, const struct vfy_tree *t, const void *note, size_t n)
{
	struct prove_made *m = w->m;
	hsa_rc rc = HSA_OK;

	if (w->ready && w->j->to.kind != PROVE_NEWEST)
		return rc; /* one is enough */
	if (w->j->what == PROVE_SIZES && w->j->from.size == 0)
		m->proof.way.n = 0;
	else if (w->j->what == PROVE_SIZES)
		HSA_TRY(rc, vfy_path_consistency(
				&w->path, t, w->j->from.size, &m->proof.way));
	else
		HSA_TRY(rc, vfy_path_end(&w->path, t, &m->proof.way));
	hsa_buf_reset(&m->note);
	hsa_buf_put(&m->note, note, n);
	m->size = t->size;
	w->ready = true;
	rc = hsa_buf_rc(&m->note);
out:
	return rc;
}

static hsa_rc
at_size(struct walk *w)
{
	const struct prove_end *to = &w->j->to;

	if (w->found && to->kind == PROVE_NOTE && w->tree->size == to->size)
		return take(w, w->tree, to->note.p, to->note.len);
	return HSA_OK;
}

static hsa_rc
on_begin(void *ctx, const struct vfy_tree *t)
{
	struct walk *w = ctx;

	if (w->j->what == PROVE_SIZES)
		vfy_path_begin(&w->path, t);
	return HSA_OK;
}

static hsa_rc
on_node(void *ctx, const struct vfy_node *n)
{
	struct walk *w = ctx;

	if (w->j->what == PROVE_EVENT && !w->found && n->level == 0)
		vfy_path_leaf(&w->path, n->index);
	vfy_path_node(&w->path, n);
	return HSA_OK;
}

static hsa_rc
keep(struct walk *w, uint64_t sequence, const void *raw, size_t n)
{
	w->found = true;
	w->m->proof.from = sequence;
	hsa_buf_put(&w->raw, raw, n);
	return hsa_buf_rc(&w->raw);
}

static hsa_rc
on_leaf(void *ctx, const struct vfy_tree *t, const uint8_t *raw, size_t n)
{
	struct walk *w = ctx;
	hsa_rc rc = HSA_OK;

	w->tree = t;
	if (w->j->what == PROVE_SEQUENCE && t->size - 1 == w->j->sequence)
		HSA_TRY(rc, keep(w, w->j->sequence, raw, n));
	if (w->j->what == PROVE_SIZES && t->size >= w->j->from.size)
		w->found = w->path.found;
	/* an event is known only when its record has been read */
	if (w->j->what != PROVE_EVENT)
		rc = at_size(w);
out:
	return rc;
}

static hsa_rc
on_record(void *ctx, const struct hsa_record *r, const uint8_t *raw, size_t n)
{
	struct walk *w = ctx;
	hsa_rc rc = HSA_OK;

	if (!w->found && r->body == HSA_BODY_EVENT &&
	    memcmp(r->event.id, w->j->event, HSA_UUID_LEN) == 0)
		HSA_TRY(rc, keep(w, r->sequence, raw, n));
	rc = at_size(w);
out:
	return rc;
}

static void
neighbour(struct near *n, uint64_t want, uint64_t size)
{
	if (size < want)
		n->below = size;
	else if (size > want && !n->has_above) {
		n->above = size;
		n->has_above = true;
	}
}

static hsa_rc
on_checkpoint(
    void *ctx, const struct vfy_tree *t, const uint8_t *note, size_t n)
{
	struct walk *w = ctx;
	const struct prove_end *from = &w->j->from, *to = &w->j->to;
	hsa_rc rc = HSA_OK;

	if (w->j->what == PROVE_SIZES && from->kind == PROVE_SIZE) {
		if (t->size == from->size) {
			hsa_buf_put(&w->m->old, note, n);
			HSA_TRY(rc, hsa_buf_rc(&w->m->old));
		} else
			neighbour(&w->from, from->size, t->size);
	}
	if (to->kind == PROVE_SIZE)
		neighbour(&w->to, to->size, t->size);
	if (w->found && (to->kind == PROVE_NEWEST ||
			    (to->kind == PROVE_SIZE && t->size == to->size)))
		rc = take(w, t, note, n);
out:
	return rc;
}

/* ---- what came of it ----------------------------------------------------- */

static void
no_checkpoint(const struct near *n, uint64_t size, struct hsa_diag *diag)
{
	char below[64] = "none over fewer", above[64] = "none over more";

	if (n->below != 0)
		(void)snprintf(below, sizeof(below),
		    "the one before is over %" PRIu64, n->below);
	if (n->has_above)
		(void)snprintf(above, sizeof(above),
		    "the next is over %" PRIu64, n->above);
	hsa_diag_set(diag,
	    "the log has no checkpoint over %" PRIu64 " records; %s, %s", size,
	    below, above);
}

static bool
released(const struct walk *w)
{
	const struct prove_job *j = w->j;
	uint64_t first = w->m->log.first;

	return !w->found &&
	       ((j->what == PROVE_SEQUENCE && j->sequence < first) ||
		   (j->what == PROVE_SIZES && j->from.size < first));
}

static void
why_not(const struct walk *w, struct hsa_diag *diag)
{
	const struct prove_job *j = w->j;
	uint64_t sealed = w->m->log.sealed;
	char id[HSA_UUID_TEXT];

	hsa_uuid_text(id, j->event);
	if (released(w))
		hsa_diag_set(diag,
		    "the log begins with record %" PRIu64
		    ": those before it were released, and only a collected "
		    "copy can prove anything of them",
		    w->m->log.first);
	else if (!w->found && j->what == PROVE_EVENT)
		hsa_diag_set(diag, "there is no event %s", id);
	else if (!w->found && j->what == PROVE_SEQUENCE)
		hsa_diag_set(diag,
		    "there is no record %" PRIu64 "; the log has %" PRIu64
		    " that are sealed",
		    j->sequence, sealed);
	else if (j->what == PROVE_SIZES && j->from.size > sealed)
		hsa_diag_set(diag,
		    "the log has %" PRIu64 " sealed records, not %" PRIu64,
		    sealed, j->from.size);
	else if (!w->ready && j->to.kind != PROVE_NEWEST && j->to.size > sealed)
		hsa_diag_set(diag,
		    "the log has %" PRIu64 " sealed records, not %" PRIu64,
		    sealed, j->to.size);
	else if (!w->ready && j->to.kind != PROVE_NEWEST &&
		 j->what != PROVE_SIZES && w->m->proof.from >= j->to.size)
		hsa_diag_set(diag,
		    "record %" PRIu64 " is not among the first %" PRIu64
		    " of the checkpoint",
		    w->m->proof.from, j->to.size);
	else if (!w->ready && j->to.kind == PROVE_SIZE)
		no_checkpoint(&w->to, j->to.size, diag);
	else if (!w->ready)
		hsa_diag_set(diag, "no checkpoint of the log covers it yet");
	else
		no_checkpoint(&w->from, j->from.size, diag);
}

/* ---- the walks ----------------------------------------------------------- */

static hsa_rc
go(struct walk *w, const char *dir, struct hsa_diag *diag)
{
	const struct prove_job *j = w->j;
	const struct vfy_watch watch = {
	    .begin = on_begin,
	    .node = on_node,
	    .leaf = on_leaf,
	    .checkpoint = on_checkpoint,
	    .ctx = w,
	};
	struct vfy_anchor brought[2];
	struct vfy_options opt = {
	    .keys = j->keys,
	    .on_record = j->what == PROVE_EVENT ? on_record : NULL,
	    .ctx = w,
	    .watch = &watch,
	    .anchors = brought,
	    .settle_ms = j->settle_ms,
	};

	if (j->from.kind == PROVE_NOTE)
		brought[opt.anchors_len++] = j->from.anchor;
	if (j->to.kind == PROVE_NOTE)
		brought[opt.anchors_len++] = j->to.anchor;
	if (j->what == PROVE_SEQUENCE)
		vfy_path_leaf(&w->path, j->sequence);
	else if (j->what == PROVE_SIZES && j->from.size != 0)
		vfy_path_size(&w->path, j->from.size);
	else
		w->found = j->what == PROVE_SIZES;
	return vfy_log(&w->m->log, dir, &opt, diag);
}

/* The context came before the record that names it, so it takes a walk of its
 * own, to the same checkpoint. */
static hsa_rc
add_context(struct walk *w, struct hsa_proof_extra *x, struct hsa_buf *raw,
    const char *dir, struct hsa_diag *diag)
{
	struct hsa_record r = {0};
	struct prove_job j = {
	    .what = PROVE_SEQUENCE,
	    .to = {.kind = PROVE_NOTE, .size = w->m->size, .note = w->m->note},
	    .keys = w->j->keys,
	    .settle_ms = w->j->settle_ms,
	};
	struct prove_made m = {.done = false};
	struct walk again = {.j = &j, .m = &m};
	hsa_rc rc;

	HSA_TRY(rc, hsa_record_decode(&r, w->raw.p, w->raw.len));
	if (r.body != HSA_BODY_COMPACT)
		goto out;
	j.sequence = r.compact.context;
	HSA_TRY(rc, go(&again, dir, diag));
	if (!again.ready) {
		rc = HSA_RC(E_STATE);
		goto out;
	}
	*raw = again.raw;
	again.raw = (struct hsa_buf){0}; /* taken over */
	x->context = (struct hsa_slice){raw->p, raw->len};
	x->way_len = m.proof.way.n;
	memcpy(x->way, m.proof.way.hash, sizeof(x->way));
out:
	hsa_record_free(&r);
	hsa_buf_free(&again.raw);
	prove_made_free(&m);
	return rc;
}

static hsa_rc
finish(struct walk *w, const char *dir, struct hsa_diag *diag)
{
	const struct prove_job *j = w->j;
	struct prove_made *m = w->m;
	struct hsa_proof_extra x = {.way_len = 0};
	struct hsa_buf context = {0};
	hsa_rc rc = HSA_OK;

	if (j->what == PROVE_SIZES && j->from.kind == PROVE_NOTE)
		hsa_buf_put(&m->old, j->from.note.p, j->from.note.len);
	HSA_TRY(rc, hsa_buf_rc(&m->old));
	if (!w->ready ||
	    (j->what == PROVE_SIZES && j->from.size != 0 && m->old.len == 0)) {
		why_not(w, diag);
		return HSA_OK;
	}
	m->proof.kind = j->what == PROVE_SIZES ? VFY_PROOF_CONSISTENCY
					       : VFY_PROOF_INCLUSION;
	m->proof.note = (struct hsa_slice){m->note.p, m->note.len};
	m->proof.old = (struct hsa_slice){m->old.p, m->old.len};
	if (j->what == PROVE_SIZES)
		m->proof.from = j->from.size;
	else {
		m->proof.has_extra = true;
		x.record = (struct hsa_slice){w->raw.p, w->raw.len};
		HSA_TRY(rc, add_context(w, &x, &context, dir, diag));
		HSA_TRY(rc, hsa_proof_extra_encode(&m->proof.extra, &x));
	}
	m->done = true;
out:
	hsa_buf_free(&context);
	return rc;
}

hsa_rc
prove_make(struct prove_made *m, const struct prove_job *j, const char *dir,
    struct hsa_diag *diag)
{
	struct walk w = {.j = j, .m = m};
	hsa_rc rc;

	*m = (struct prove_made){.done = false};
	HSA_TRY(rc, go(&w, dir, diag));
	rc = finish(&w, dir, diag);
	if (!hsa_is_ok(rc))
		hsa_diag_set(diag, "%s: %s", dir, hsa_err_text(rc));
out:
	hsa_buf_free(&w.raw);
	return rc;
}

void
prove_made_free(struct prove_made *m)
{
	vfy_proof_free(&m->proof);
	hsa_buf_free(&m->note);
	hsa_buf_free(&m->old);
	*m = (struct prove_made){.done = false};
}
