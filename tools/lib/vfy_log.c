#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hsa_buf.h"
#include "hsa_chain.h"
#include "hsa_contexts.h"
#include "hsa_hash.h"
#include "vfy_file.h"
#include "vfy_log.h"
#include "vfy_state.h"

#define HEAD_MAX HSA_NOTE_MAX
#define SETTLE_STEP_MS 20

struct mark { /* the root that the head says and the log has at a size */
	uint64_t size;
	uint8_t root[HSA_SHA256_LEN], have[HSA_SHA256_LEN];
	bool reached;
};

struct walk {
	struct vfy_result *res;
	const struct vfy_options *opt;
	struct hsa_diag *diag;
	const char *dir;
	int folder, patience; /* ms left to wait for a writer */
	struct vfy_segments segs;
	struct vfy_reader reader;
	struct hsa_sha256 *h;
	struct vfy_signer *signer;
	struct vfy_state state;
	struct hsa_contexts contexts; /* for opt->on_record */
	bool known;        /* state is set up: the origin has been read */
	uint64_t released; /* records before this one were, the log says */
	enum hsa_entry_kind last;
	uint64_t end;          /* of the last file read */
	struct vfy_anchor own; /* opt->anchor */
	struct mark head;
	char head_origin[256];
	bool has_head;
	struct vfy_why head_why;
	uint64_t next_point; /* smallest size still to be noted */
};

static void
nap(int ms)
{
	struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};

	(void)nanosleep(&t, NULL);
}

/* Take a finding over into the result; the walk ends here. */
static void
found(struct walk *w, const struct vfy_why *why, const char *file,
    uint64_t offset)
{
	struct vfy_result *res = w->res;

	res->bad = true;
	(void)snprintf(res->rule, sizeof(res->rule), "%s", why->rule);
	(void)snprintf(res->finding, sizeof(res->finding), "%s", why->text);
	(void)snprintf(res->place.file, sizeof(res->place.file), "%s", file);
	res->place.offset = offset;
	res->place.sequence = w->known ? w->state.tree.size : 0;
}

/* ---- sizes whose root is wanted ------------------------------------------ */

static void
next_point(struct walk *w)
{
	uint64_t now = w->state.tree.size, next = UINT64_MAX;

	for (size_t i = 0; i < w->opt->points_len; i++)
		if (w->opt->points[i].size > now &&
		    w->opt->points[i].size < next)
			next = w->opt->points[i].size;
	for (size_t i = 0; i < w->opt->anchors_len; i++)
		if (w->opt->anchors[i].size > now &&
		    w->opt->anchors[i].size < next)
			next = w->opt->anchors[i].size;
	if (w->opt->anchor != NULL && w->own.size > now && w->own.size < next)
		next = w->own.size;
	if (w->has_head && w->head.size > now && w->head.size < next)
		next = w->head.size;
	w->next_point = next;
}

static bool
is_mine(const struct walk *w, const struct vfy_anchor *a)
{
	return w->known && strcmp(a->origin, w->state.origin) == 0;
}

static hsa_rc
anchor_here(struct walk *w, const struct vfy_anchor *a, const uint8_t *root,
    struct vfy_why *why)
{
	if (a->size != w->state.tree.size ||
	    memcmp(a->root, root, HSA_SHA256_LEN) == 0)
		return HSA_OK;
	return vfy_why_set(why, "V9",
	    "%.200s is a checkpoint over %" PRIu64
	    " records with another root: the log was rewritten, or a second "
	    "history exists",
	    a->path, a->size);
}

static hsa_rc
at_point(struct walk *w, struct vfy_why *why)
{
	uint8_t root[HSA_SHA256_LEN];
	hsa_rc rc;

	HSA_TRY(rc, vfy_tree_root(&w->state.tree, root));
	for (size_t i = 0; i < w->opt->points_len; i++) {
		if (w->opt->points[i].size != w->state.tree.size)
			continue;
		memcpy(w->opt->points[i].root, root, sizeof(root));
		w->opt->points[i].reached = true;
	}
	for (size_t i = 0; i < w->opt->anchors_len; i++)
		if (is_mine(w, &w->opt->anchors[i]))
			HSA_TRY(
			    rc, anchor_here(w, &w->opt->anchors[i], root, why));
	if (w->opt->anchor != NULL)
		HSA_TRY(rc, anchor_here(w, &w->own, root, why));
	if (w->has_head && w->head.size == w->state.tree.size) {
		memcpy(w->head.have, root, sizeof(root));
		w->head.reached = true;
	}
	next_point(w);
out:
	return rc;
}

/* ---- entries ------------------------------------------------------------- */

static hsa_rc
learn_origin(struct walk *w, const struct hsa_entry *e, struct vfy_why *why)
{
	const struct vfy_key *key;
	hsa_rc rc;

	key = vfy_keys_find(w->opt->keys, e->origin);
	if (key == NULL)
		return vfy_why_set(why, "V3",
		    "the header's origin is %s, for which the key file has no "
		    "key",
		    e->origin);
	HSA_TRY(rc, vfy_signer_new(&w->signer, key));
	rc = vfy_state_init(&w->state, w->h, w->signer, e->origin);
	if (rc.v == HSA_E_FORMAT)
		return vfy_why_set(why, "V3",
		    "the header's origin %s names no unit", e->origin);
	HSA_TRY(rc, rc);
	w->known = true;
	(void)snprintf(w->res->origin, sizeof(w->res->origin), "%s", e->origin);
	/* of a log whose first records were released (V1): what its header says
	 * of them holds once a checkpoint agrees */
	if (w->res->first != 0)
		HSA_TRY(rc, vfy_state_start(&w->state, e, why));
	HSA_TRY(rc, at_point(w, why));
out:
	return rc;
}

/* V1: what the log says itself of its first records. */
static void
note_released(struct walk *w, const void *p, size_t n)
{
	const struct hsa_field *f;
	struct hsa_record r = {0};

	if (hsa_is_ok(hsa_record_decode(&r, p, n)) &&
	    r.body == HSA_BODY_SPECIAL &&
	    strcmp(r.special.name, "LOG_RELEASED") == 0) {
		f = hsa_data_find(&r.special.details, "before");
		if (f != NULL && f->kind == HSA_VALUE_INTEGER && f->integer > 0)
			w->released = (uint64_t)f->integer;
	}
	hsa_record_free(&r);
}

/* V11: what it says of the log before it. */
static void
note_chain(struct walk *w, const void *p, size_t n)
{
	struct vfy_chain *to = &w->res->chain;
	struct hsa_chain c = {0};
	struct hsa_record r = {0};

	if (hsa_is_ok(hsa_record_decode(&r, p, n)) &&
	    hsa_is_ok(hsa_chain_of(&c, &r))) {
		to->has = true;
		(void)snprintf(
		    to->old_origin, sizeof(to->old_origin), "%s", c.old_origin);
		to->verified = c.verified;
		memcpy(to->root, c.root, sizeof(to->root));
		to->found = c.found;
		(void)snprintf(to->rule, sizeof(to->rule), "%s",
		    c.rule == NULL ? "" : c.rule);
		(void)snprintf(to->why, sizeof(to->why), "%s%s%s%sby %s%s%s",
		    c.finding == NULL ? "" : c.finding,
		    c.place == NULL ? "" : " (", c.place == NULL ? "" : c.place,
		    c.place == NULL     ? ""
		    : c.finding == NULL ? ""
					: "); ",
		    c.by, c.reason == NULL ? "" : ": ",
		    c.reason == NULL ? "" : c.reason);
	}
	hsa_record_free(&r);
	hsa_chain_free(&c);
}

static hsa_rc
watch_tree(struct walk *w)
{
	const struct vfy_watch *watch = w->opt->watch;

	if (watch == NULL)
		return HSA_OK;
	w->state.tree.on_node = watch->node;
	w->state.tree.node_ctx = watch->ctx;
	return watch->begin == NULL ? HSA_OK
				    : watch->begin(watch->ctx, &w->state.tree);
}

static hsa_rc
on_checkpoint(struct walk *w, const struct hsa_entry *e, struct vfy_why *why)
{
	const struct vfy_watch *watch = w->opt->watch;
	hsa_rc rc;

	HSA_TRY(rc, vfy_state_checkpoint(&w->state, e->p, e->n, why));
	if (watch != NULL && watch->checkpoint != NULL)
		rc = watch->checkpoint(watch->ctx, &w->state.tree, e->p, e->n);
out:
	return rc;
}

static hsa_rc
on_record(struct walk *w, const struct hsa_entry *e, struct vfy_why *why)
{
	struct hsa_record r = {0};
	uint64_t specials = w->state.specials;
	hsa_rc rc;

	HSA_TRY(rc, vfy_state_record(&w->state, e->p, e->n, why));
	if (w->res->first != 0 && w->state.specials != specials)
		note_released(w, e->p, e->n);
	if (w->state.number > 1 && w->state.tree.size == 2)
		note_chain(w, e->p, e->n);
	if (w->state.tree.size == w->next_point)
		HSA_TRY(rc, at_point(w, why));
	if (w->opt->watch != NULL && w->opt->watch->leaf != NULL)
		HSA_TRY(rc, w->opt->watch->leaf(w->opt->watch->ctx,
				&w->state.tree, e->p, e->n));
	if (w->opt->on_record == NULL)
		return HSA_OK;
	rc = hsa_record_decode(&r, e->p, e->n);
	if (rc.v == HSA_E_FORMAT || rc.v == HSA_E_TRUNCATED)
		return vfy_why_set(why, "V4", "the record does not decode");
	HSA_TRY(rc, rc);
	/* vfy_state_record knows its context, so it is known here, too */
	HSA_TRY(rc, hsa_contexts_take(&w->contexts, &r));
	rc = w->opt->on_record(w->opt->ctx, &r, e->p, e->n);
out:
	hsa_record_free(&r);
	return rc;
}

static hsa_rc
on_entry(
    struct walk *w, const struct hsa_entry *e, bool first, struct vfy_why *why)
{
	hsa_rc rc = HSA_OK;

	if (first != (e->kind == HSA_ENTRY_HEADER))
		return vfy_why_set(why, "V3",
		    first ? "the segment does not begin with a header"
			  : "a header in the middle of a segment");
	switch (e->kind) {
	case HSA_ENTRY_HEADER:
		if (!w->known) {
			HSA_TRY(rc, learn_origin(w, e, why));
			HSA_TRY(rc, watch_tree(w));
		}
		rc = vfy_state_header(&w->state, e, why);
		break;
	case HSA_ENTRY_RECORD:
		rc = on_record(w, e, why);
		break;
	case HSA_ENTRY_CHECKPOINT:
		rc = on_checkpoint(w, e, why);
		break;
	}
out:
	return rc;
}

/* ---- segments ------------------------------------------------------------ */

static hsa_rc
unreadable(struct walk *w, hsa_rc rc, const char *name)
{
	return hsa_fail(w->diag, rc, "%s/%s: %s", w->dir, name,
	    rc.v == HSA_E_IO ? strerror(errno) : hsa_err_text(rc));
}

/* Is somebody still writing what ends here? Then wait for it. */
static bool
wait_more(struct walk *w, hsa_rc rc, bool newest)
{
	if (!newest || w->patience <= 0)
		return false;
	if (rc.v != HSA_E_TRUNCATED &&
	    (rc.v != HSA_E_CLOSED || w->last == HSA_ENTRY_CHECKPOINT))
		return false;
	nap(SETTLE_STEP_MS);
	w->patience -= SETTLE_STEP_MS;
	return true;
}

/* What it means that the entries end like this. */
static hsa_rc
judge_end(hsa_rc rc, bool empty, bool newest, struct vfy_why *why)
{
	switch (rc.v) {
	case HSA_E_CLOSED:
		return empty ? vfy_why_set(why, "V3", "the segment is empty")
			     : HSA_OK;
	case HSA_E_TRUNCATED:
		return vfy_why_set(why, "V2", "the file ends within an entry%s",
		    newest ? ": it was cut, or the unit stopped while writing "
			     "(then its next start repairs this)"
			   : "");
	case HSA_E_UNSUPPORTED:
		return vfy_why_set(why, "V3", "the header's version is not 1");
	case HSA_E_FORMAT:
	case HSA_E_RANGE:
		return vfy_why_set(why, "V2", "these bytes are no entry");
	default:
		return rc;
	}
}

static hsa_rc
entries(struct walk *w, bool newest, struct vfy_why *why)
{
	struct hsa_entry e;
	bool first = true;
	size_t used;
	hsa_rc rc;

	w->last = HSA_ENTRY_HEADER;
	for (;;) {
		w->end = w->reader.offset;
		rc = vfy_reader_next(&w->reader, &e, &used);
		if (wait_more(w, rc, newest))
			continue;
		if (!hsa_is_ok(rc))
			return judge_end(rc, first, newest, why);
		HSA_TRY(rc, on_entry(w, &e, first, why));
		w->last = e.kind;
		first = false;
	}
out:
	return rc;
}

static hsa_rc
segment(struct walk *w, const struct vfy_segment *s, bool newest)
{
	uint64_t before = w->known ? w->state.tree.size : w->res->first;
	struct vfy_why why = {0};
	hsa_rc rc;

	w->end = 0;
	rc = vfy_reader_open(&w->reader, w->folder, s->name);
	if (rc.v == HSA_E_UNSUPPORTED)
		rc = vfy_why_set(&why, "V1", "not a regular file");
	else if (hsa_is_ok(rc) && s->first != before)
		rc = vfy_why_set(&why, "V1",
		    "the name says that %" PRIu64
		    " records come before it, there are %" PRIu64
		    ": a segment is missing, cut or renamed",
		    s->first, before);
	else if (hsa_is_ok(rc))
		rc = entries(w, newest, &why);
	vfy_reader_close(&w->reader);
	if (why.rule[0] != '\0' && rc.v == HSA_E_CORRUPT) {
		found(w, &why, s->name, w->end);
		return HSA_OK;
	}
	if (rc.v == HSA_E_IO || rc.v == HSA_E_NOT_FOUND)
		return unreadable(w, rc, s->name);
	return rc;
}

/* ---- the head ------------------------------------------------------------ */

/* Before the walk: what is read now, the log must have when we get there. */
static hsa_rc
read_head(struct walk *w)
{
	struct vfy_signer *signer = NULL;
	const struct vfy_key *key;
	struct hsa_diag d = {{0}};
	struct hsa_buf b = {0};
	struct vfy_note note;
	hsa_rc rc;

	w->head_why = (struct vfy_why){0};
	w->has_head = false;
	rc = vfy_file_get(&b, w->folder, VFY_HEAD, HEAD_MAX);
	if (rc.v == HSA_E_NOT_FOUND || rc.v == HSA_E_UNSUPPORTED ||
	    rc.v == HSA_E_RANGE) {
		(void)vfy_why_set(&w->head_why, "V8",
		    rc.v == HSA_E_NOT_FOUND
			? "there is no head: it was removed, or the unit "
			  "stopped before its first checkpoint"
			: "the head is no checkpoint");
		rc = HSA_OK;
		goto out;
	}
	if (!hsa_is_ok(rc)) {
		rc = unreadable(w, rc, VFY_HEAD);
		goto out;
	}
	if (!hsa_is_ok(vfy_note_parse(&note, b.p, b.len, &d))) {
		(void)vfy_why_set(&w->head_why, "V8",
		    "the head is no checkpoint: it was altered, or torn by a "
		    "power cut (then the unit's next start repairs it)");
		rc = HSA_OK;
		goto out;
	}
	key = vfy_keys_find(w->opt->keys, note.origin);
	rc = HSA_RC(E_SIGNATURE);
	if (key != NULL) {
		HSA_TRY(rc, vfy_signer_new(&signer, key));
		rc = vfy_signer_verify(signer, &note);
	}
	if (rc.v == HSA_E_SIGNATURE) {
		(void)vfy_why_set(&w->head_why, "V8",
		    "the head's signature is not the log's key's");
		rc = HSA_OK;
		goto out;
	}
	HSA_TRY(rc, rc);
	w->has_head = true;
	w->head.size = note.size;
	memcpy(w->head.root, note.root, sizeof(note.root));
	(void)snprintf(
	    w->head_origin, sizeof(w->head_origin), "%s", note.origin);
out:
	vfy_signer_free(signer);
	hsa_buf_free(&b);
	return rc;
}

static void
check_head(struct walk *w)
{
	struct vfy_why why = w->head_why;

	if (w->has_head && strcmp(w->head_origin, w->state.origin) != 0)
		(void)vfy_why_set(
		    &why, "V8", "the head is of %.200s", w->head_origin);
	else if (w->has_head && w->head.size > w->res->sealed)
		(void)vfy_why_set(&why, "V8",
		    "the head is a checkpoint over %" PRIu64
		    " records, the log ends at %" PRIu64 ": %" PRIu64
		    " sealed records were cut off",
		    w->head.size, w->res->sealed,
		    w->head.size - w->res->sealed);
	else if (w->has_head &&
		 (!w->head.reached ||
		     memcmp(w->head.have, w->head.root, HSA_SHA256_LEN) != 0))
		(void)vfy_why_set(&why, "V8",
		    "the head has another root for %" PRIu64
		    " records than the log: one of the two was replaced",
		    w->head.size);
	if (why.rule[0] != '\0')
		found(w, &why, VFY_HEAD, 0);
}

/* ---- anchors ------------------------------------------------------------- */

static void
check_anchor(struct walk *w, const struct vfy_anchor *a)
{
	struct vfy_why why;

	if (w->known && strcmp(a->origin, w->state.origin) != 0)
		(void)vfy_why_set(&why, "V9",
		    "%.200s is a checkpoint of %.200s, not of this log",
		    a->path, a->origin);
	else if (a->size > w->res->sealed)
		(void)vfy_why_set(&why, "V9",
		    "%.200s is a checkpoint over %" PRIu64
		    " records, the log ends at %" PRIu64
		    ": sealed records were cut off",
		    a->path, a->size, w->res->sealed);
	else if (a->size < w->res->first)
		(void)vfy_why_set(&why, "V9",
		    "%.200s is a checkpoint over %" PRIu64
		    " records, the log begins with record %" PRIu64
		    ": what it covers was released, only a collected copy can "
		    "be compared with it",
		    a->path, a->size, w->res->first);
	else
		return;
	found(w, &why, w->segs.seg[w->segs.len - 1].name, w->end);
}

/* ---- the whole ----------------------------------------------------------- */

static void
result(struct walk *w)
{
	struct vfy_result *res = w->res;

	if (!w->known)
		return;
	res->records = w->state.tree.size;
	res->sealed = w->state.checkpoints != 0 ? w->state.sealed_size : 0;
	res->epochs = w->state.epoch;
	res->checkpoints = w->state.checkpoints;
	res->events = w->state.events;
	res->specials = w->state.specials;
	res->contexts = w->state.contexts;
	res->calls = w->state.calls;
	memcpy(res->root, w->state.sealed_root, sizeof(res->root));
}

static hsa_rc
files(struct walk *w)
{
	struct vfy_why why;
	hsa_rc rc = HSA_OK;

	if (w->segs.len == 0) {
		(void)vfy_why_set(&why, "V1",
		    "the folder has no segment: the log was removed, or the "
		    "unit never started");
		found(w, &why, "", 0);
		return rc;
	}
	w->res->first = w->segs.seg[0].first;
	for (size_t i = 0; i < w->segs.len && !w->res->bad; i++) {
		HSA_TRY(rc, segment(w, &w->segs.seg[i], i + 1 == w->segs.len));
		result(w);
	}
	if (!w->res->bad && w->last != HSA_ENTRY_CHECKPOINT) {
		(void)vfy_why_set(&why, "V7",
		    "%s at the end without a checkpoint: the log was cut, or "
		    "the unit stopped while writing (then its next start "
		    "repairs this)",
		    w->last == HSA_ENTRY_RECORD ? "records" : "a header");
		found(w, &why, w->segs.seg[w->segs.len - 1].name, w->end);
	}
	if (!w->res->bad && w->res->first > w->released) {
		(void)vfy_why_set(&why, "V1",
		    "the log begins with record %" PRIu64
		    ", and no LOG_RELEASED of it says that those before were "
		    "released: its first segments are missing",
		    w->res->first);
		found(w, &why, w->segs.seg[0].name, 0);
		w->res->sealed = 0;
	}
out:
	return rc;
}

hsa_rc
vfy_log(struct vfy_result *res, const char *dir, const struct vfy_options *opt,
    struct hsa_diag *diag)
{
	struct walk w = {.res = res,
	    .opt = opt,
	    .diag = diag,
	    .dir = dir,
	    .folder = -1,
	    .patience = opt->settle_ms};
	hsa_rc rc;

	*res = (struct vfy_result){0};
	HSA_TRY(rc, vfy_file_folder(&w.folder, dir, diag));
	w.h = hsa_sha256_new();
	if (w.h == NULL) {
		rc = hsa_fail(diag, HSA_RC(E_NOMEM), "out of memory");
		goto out;
	}
	if (opt->anchor != NULL)
		HSA_TRY(
		    rc, vfy_anchor_load(&w.own, opt->anchor, opt->keys, diag));
	HSA_TRY(rc, read_head(&w));
	/* a writer in the middle of replacing it is done in a moment */
	while (w.head_why.rule[0] != '\0' && w.patience > 0) {
		nap(SETTLE_STEP_MS);
		w.patience -= SETTLE_STEP_MS;
		HSA_TRY(rc, read_head(&w));
	}
	HSA_TRY(rc, vfy_file_list(&w.segs, w.folder, diag));
	HSA_TRY(rc, files(&w));
	if (!res->bad)
		check_head(&w);
	if (!res->bad && opt->anchor != NULL)
		check_anchor(&w, &w.own);
	for (size_t i = 0; i < opt->anchors_len && !res->bad; i++)
		if (is_mine(&w, &opt->anchors[i]))
			check_anchor(&w, &opt->anchors[i]);
out:
	vfy_signer_free(w.signer);
	hsa_sha256_free(w.h);
	hsa_contexts_free(&w.contexts);
	vfy_segments_free(&w.segs);
	if (w.folder >= 0)
		(void)close(w.folder);
	return rc;
}
