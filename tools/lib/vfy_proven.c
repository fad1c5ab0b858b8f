#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hsa_codec.h"
#include "hsa_contexts.h"
#include "hsa_hash.h"
#include "hsa_proof.h"
#include "vfy_note.h"
#include "vfy_proven.h"
#include "vfy_scan.h"

struct check {
	struct vfy_proven *v;
	const struct vfy_proven_options *opt;
	struct vfy_proof proof;
	struct vfy_cosigned note;
	struct hsa_sha256 *h;
	struct hsa_diag *diag;
};

static hsa_rc found(struct check *c, const char *rule, const char *fmt, ...)
    HSA_PRINTF(3, 4);

/* A finding ends the check: E_CORRUPT, which vfy_proven_check takes back. */
static hsa_rc
found(struct check *c, const char *rule, const char *fmt, ...)
{
	va_list ap;

	c->v->bad = true;
	(void)snprintf(c->v->rule, sizeof(c->v->rule), "%s", rule);
	va_start(ap, fmt);
	(void)vsnprintf(c->v->finding, sizeof(c->v->finding), fmt, ap);
	va_end(ap);
	return HSA_RC(E_CORRUPT);
}

/* ---- checkpoints --------------------------------------------------------- */

static hsa_rc
checkpoint(struct check *c, struct vfy_cosigned *to, const char *which,
    const struct hsa_slice *s)
{
	const struct vfy_key *key;
	struct hsa_diag d = {{0}};
	hsa_rc rc;

	rc = vfy_cosigned_parse(to, s->p, s->n, &d);
	if (rc.v == HSA_E_FORMAT || rc.v == HSA_E_RANGE)
		return found(c, "P1", "its %s is not well-formed: %.300s",
		    which, d.text);
	HSA_TRY(rc, rc);
	key = vfy_keys_find(c->opt->keys, to->origin);
	if (key == NULL)
		return found(c, "P1",
		    "its %s is of %s, for which the key file has no key", which,
		    to->origin);
	rc = vfy_cosigned_own(to, key);
	if (rc.v == HSA_E_SIGNATURE)
		return found(c, "P1",
		    "its %s is not signed by the log's key: it was altered, or "
		    "another key signed it",
		    which);
out:
	return rc;
}

static hsa_rc
witnesses(struct check *c)
{
	struct hsa_diag d = {{0}};
	hsa_rc rc;

	if (c->opt->witnesses == NULL)
		return HSA_OK;
	rc = vfy_cosigned_count(
	    &c->note, c->opt->witnesses, &c->v->witnessed, &d);
	if (rc.v == HSA_E_SIGNATURE)
		return found(c, "P1", "%.400s", d.text);
	HSA_TRY(rc, rc);
	if (c->v->witnessed < c->opt->need)
		return found(c, "P1",
		    "%zu of the witnesses have cosigned its checkpoint, %zu "
		    "are asked for",
		    c->v->witnessed, c->opt->need);
out:
	return rc;
}

/* ---- inclusion ----------------------------------------------------------- */

static hsa_rc
leaf_in(struct check *c, const char *rule, const char *what,
    const struct hsa_slice *leaf, uint64_t index, const struct vfy_hashes *way)
{
	uint8_t hash[HSA_SHA256_LEN];
	hsa_rc rc;

	if (index >= c->note.size)
		return found(c, rule,
		    "%s is record %" PRIu64 ", its checkpoint covers %" PRIu64
		    " records",
		    what, index, c->note.size);
	HSA_TRY(rc, vfy_leaf_hash(c->h, hash, leaf->p, leaf->n));
	rc = vfy_path_included(
	    c->h, hash, index, c->note.size, way, c->note.root);
	if (rc.v == HSA_E_CORRUPT)
		return found(c, rule,
		    "%s and its hashes do not lead to the signed root: one of "
		    "them was altered, or is not of record %" PRIu64,
		    what, index);
out:
	return rc;
}

/* Is it a good record of this unit, and at this place? */
static hsa_rc
scan(struct check *c, struct vfy_seen *seen, const char *rule, const char *what,
    const struct hsa_slice *raw)
{
	uint8_t unit[HSA_UUID_LEN];
	const char *why;

	if (!hsa_is_ok(vfy_scan_record(seen, &why, raw->p, raw->n)))
		return found(c, rule, "%s is not well-formed: %s", what, why);
	if (seen->unit_id == NULL)
		return HSA_OK; /* a compact one has its context's */
	if (!hsa_is_ok(vfy_origin_unit(unit, c->note.origin)) ||
	    memcmp(unit, seen->unit_id, sizeof(unit)) != 0)
		return found(c, rule, "%s is another unit's", what);
	return HSA_OK;
}

static hsa_rc
decode(struct check *c, struct hsa_record *r, const char *rule,
    const struct hsa_slice *raw)
{
	hsa_rc rc = hsa_record_decode(r, raw->p, raw->n);

	if (rc.v == HSA_E_FORMAT || rc.v == HSA_E_TRUNCATED)
		return found(c, rule, "a record in it does not decode");
	return rc;
}

/* What a compact record is short for. */
static hsa_rc
context(struct check *c, uint64_t named, const struct hsa_proof_extra *x)
{
	struct vfy_hashes way = {.n = x->way_len};
	struct hsa_record r = {0};
	struct vfy_seen seen;
	hsa_rc rc;

	if (x->context.n == 0)
		return found(c, "P4",
		    "the record names its context, record %" PRIu64
		    ", and the proof does not bring it",
		    named);
	HSA_TRY(rc, scan(c, &seen, "P4", "its context", &x->context));
	if (seen.body != HSA_BODY_CONTEXT || seen.sequence != named ||
	    named >= c->proof.from)
		return found(c, "P4",
		    "the record names record %" PRIu64
		    " as its context, the proof brings another",
		    named);
	memcpy(way.hash, x->way, sizeof(way.hash));
	HSA_TRY(rc, leaf_in(c, "P4", "its context", &x->context, named, &way));
	HSA_TRY(rc, decode(c, &r, "P4", &x->context));
	rc = hsa_contexts_expand(&c->v->record, &r);
out:
	hsa_record_free(&r);
	return rc;
}

static hsa_rc
record(struct check *c, const struct hsa_slice *raw,
    const struct hsa_proof_extra *x)
{
	struct vfy_seen seen;
	hsa_rc rc;

	HSA_TRY(rc, scan(c, &seen, "P3", "what is proven", raw));
	if (seen.sequence != c->proof.from)
		return found(c, "P3",
		    "the record has sequence %" PRIu64 " at place %" PRIu64,
		    seen.sequence, c->proof.from);
	HSA_TRY(rc, decode(c, &c->v->record, "P3", raw));
	if (seen.body == HSA_BODY_COMPACT)
		HSA_TRY(rc, context(c, seen.context, x));
	else if (x->context.n != 0)
		return found(c, "P4",
		    "the proof brings a context, and the record names none");
	c->v->has_record = true;
out:
	return rc;
}

static hsa_rc
inclusion(struct check *c)
{
	struct hsa_proof_extra x = {.way_len = 0};
	struct hsa_slice raw = c->opt->record;
	hsa_rc rc;

	/* beside a record of the caller's, extra data may be anybody's */
	if (c->proof.has_extra &&
	    !hsa_is_ok(hsa_proof_extra_decode(
		&x, c->proof.extra.p, c->proof.extra.len)) &&
	    raw.n == 0)
		return found(c, "P2",
		    "its extra data is not what this format puts there");
	if (raw.n == 0)
		raw = x.record;
	if (raw.n == 0)
		return hsa_fail(c->diag, HSA_RC(E_ARG),
		    "there is no record in it: give it with --record FILE");
	HSA_TRY(rc,
	    leaf_in(c, "P2", "the record", &raw, c->proof.from, &c->proof.way));
	rc = record(c, &raw, &x);
out:
	return rc;
}

/* ---- consistency --------------------------------------------------------- */

static hsa_rc
consistency(struct check *c)
{
	struct vfy_cosigned old = {.size = 0};
	hsa_rc rc;

	HSA_TRY(rc, checkpoint(c, &old, "old checkpoint", &c->proof.old));
	memcpy(c->v->old_root, old.root, sizeof(old.root));
	if (strcmp(old.origin, c->note.origin) != 0)
		return found(c, "P5",
		    "its two checkpoints are of two logs, %.150s and %.150s",
		    old.origin, c->note.origin);
	if (old.size != c->proof.from)
		return found(c, "P5",
		    "it says that it leads from %" PRIu64
		    " records, its old checkpoint covers %" PRIu64,
		    c->proof.from, old.size);
	rc = vfy_path_consistent(c->h, old.size, old.root, c->note.size,
	    c->note.root, &c->proof.way);
	if (rc.v == HSA_E_CORRUPT)
		return found(c, "P5",
		    "its hashes do not show that the %" PRIu64
		    " records of the old checkpoint are the first of the "
		    "%" PRIu64 " of the new one",
		    old.size, c->note.size);
out:
	return rc;
}

/* ---- the whole ----------------------------------------------------------- */

static hsa_rc
run(struct check *c, const void *text, size_t n)
{
	struct hsa_diag d = {{0}};
	hsa_rc rc;

	rc = vfy_proof_parse(&c->proof, text, n, &d);
	if (rc.v == HSA_E_FORMAT || rc.v == HSA_E_RANGE)
		return found(c, "P1", "no proof file: %.400s", d.text);
	HSA_TRY(rc, rc);
	c->v->kind = c->proof.kind;
	c->v->from = c->proof.from;
	c->v->hashes = c->proof.way.n;
	HSA_TRY(rc, checkpoint(c, &c->note, "checkpoint", &c->proof.note));
	(void)snprintf(
	    c->v->origin, sizeof(c->v->origin), "%s", c->note.origin);
	c->v->size = c->note.size;
	c->v->signatures = c->note.signatures;
	memcpy(c->v->root, c->note.root, sizeof(c->note.root));
	HSA_TRY(rc, witnesses(c));
	rc = c->proof.kind == VFY_PROOF_INCLUSION ? inclusion(c)
						  : consistency(c);
out:
	return rc;
}

hsa_rc
vfy_proven_check(struct vfy_proven *v, const struct vfy_proven_options *opt,
    const void *text, size_t n, struct hsa_diag *diag)
{
	struct check c = {.v = v, .opt = opt, .diag = diag};
	hsa_rc rc;

	*v = (struct vfy_proven){.kind = 0};
	c.h = hsa_sha256_new();
	if (c.h == NULL)
		return hsa_fail(diag, HSA_RC(E_NOMEM), "out of memory");
	rc = run(&c, text, n);
	if (v->bad && rc.v == HSA_E_CORRUPT)
		rc = HSA_OK;
	else if (!hsa_is_ok(rc) && rc.v != HSA_E_ARG)
		hsa_diag_set(diag, "%s", hsa_err_text(rc));
	vfy_proof_free(&c.proof);
	hsa_sha256_free(c.h);
	return rc;
}

void
vfy_proven_free(struct vfy_proven *v)
{
	hsa_record_free(&v->record);
	*v = (struct vfy_proven){.kind = 0};
}
