#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hsa_chain.h"
#include "vfy_scan.h"
#include "vfy_state.h"

hsa_rc
vfy_why_set(struct vfy_why *w, const char *rule, const char *fmt, ...)
{
	va_list ap;

	(void)snprintf(w->rule, sizeof(w->rule), "%s", rule);
	va_start(ap, fmt);
	(void)vsnprintf(w->text, sizeof(w->text), fmt, ap);
	va_end(ap);
	return HSA_RC(E_CORRUPT);
}

hsa_rc
vfy_state_init(struct vfy_state *s, struct hsa_sha256 *h,
    struct vfy_signer *signer, const char *origin)
{
	struct vfy_state new = {0};
	hsa_rc rc;

	if (strlen(origin) >= sizeof(new.origin))
		return HSA_RC(E_FORMAT);
	HSA_TRY(rc, vfy_origin_log(new.unit_id, &new.number, origin));
	memcpy(new.origin, origin, strlen(origin) + 1);
	vfy_tree_init(&new.tree, h);
	new.signer = signer;
	*s = new;
out:
	return rc;
}

static void
begin_segment(struct vfy_state *s, uint64_t first)
{
	s->segment = first;
	s->opened = false;
	s->known.count = s->known.last_named = 0;
}

hsa_rc
vfy_state_start(
    struct vfy_state *s, const struct hsa_entry *e, struct vfy_why *why)
{
	hsa_rc rc;

	if (strcmp(e->origin, s->origin) != 0)
		return vfy_why_set(why, "V3",
		    "the header's origin is %s, the log's is %s", e->origin,
		    s->origin);
	rc = vfy_tree_start(&s->tree, s->tree.h, e->first_sequence, e->frontier,
	    e->frontier_len);
	if (rc.v == HSA_E_FORMAT)
		return vfy_why_set(why, "V3",
		    "the header's frontier has %zu hashes, a tree of %" PRIu64
		    " records has another number",
		    e->frontier_len, e->first_sequence);
	for (size_t i = 0; i <= HSA_SOURCES; i++)
		if (e->first_sequence == 0 && e->source_last[i] != 0)
			return vfy_why_set(why, "V3",
			    "the first header says that source %zu has %" PRIu64
			    " as last number of the records before it",
			    i, e->source_last[i]);
	memcpy(s->source_sequence, e->source_last, sizeof(e->source_last));
	begin_segment(s, e->first_sequence);
	s->sealed = e->first_sequence != 0;
	s->sealed_size = e->first_sequence;
	if (s->sealed && hsa_is_ok(rc))
		rc = vfy_tree_root(&s->tree, s->sealed_root);
	return rc;
}

hsa_rc
vfy_state_header(
    struct vfy_state *s, const struct hsa_entry *e, struct vfy_why *why)
{
	if (strcmp(e->origin, s->origin) != 0)
		return vfy_why_set(why, "V3",
		    "the header's origin is %s, the log's is %s", e->origin,
		    s->origin);
	if (e->first_sequence != s->tree.size)
		return vfy_why_set(why, "V1",
		    "the header says %" PRIu64
		    " records come before it, there are %" PRIu64,
		    e->first_sequence, s->tree.size);
	if (e->frontier_len != s->tree.depth ||
	    memcmp(e->frontier, s->tree.hash, s->tree.depth * HSA_SHA256_LEN) !=
		0)
		return vfy_why_set(why, "V3",
		    "the header's frontier is not that of the %" PRIu64
		    " records before it",
		    s->tree.size);
	for (size_t i = 0; i <= HSA_SOURCES; i++)
		if (e->source_last[i] != s->source_sequence[i])
			return vfy_why_set(why, "V3",
			    "the header says that source %zu stands at %" PRIu64
			    ", by the records before it it stands at %" PRIu64,
			    i, e->source_last[i], s->source_sequence[i]);
	begin_segment(s, e->first_sequence);
	return HSA_OK;
}

/* ---- segments and contexts (V10) ----------------------------------------- */

static bool
is_known(struct vfy_contexts *k, uint64_t sequence)
{
	uint64_t first =
	    k->count > HSA_CONTEXTS_MAX ? k->count - HSA_CONTEXTS_MAX : 0;
	uint64_t end = k->count;

	if (sequence == 0)
		return false;
	while (first < end) {
		uint64_t mid = first + (end - first) / 2;
		uint64_t here = k->sequence[mid % HSA_CONTEXTS_MAX];

		if (here == sequence)
			return true;
		if (here < sequence)
			first = mid + 1;
		else
			end = mid;
	}
	return false;
}

static hsa_rc
in_segment(struct vfy_state *s, const struct vfy_seen *r, struct vfy_why *why)
{
	struct vfy_contexts *k = &s->known;

	switch (r->body) {
	case HSA_BODY_EVENT:
		return HSA_OK;
	case HSA_BODY_SPECIAL:
		if (!vfy_scan_segment_opened(r))
			return HSA_OK;
		if (s->stream &&
		    s->tree.size == (s->sealed ? s->sealed_size : 0))
			begin_segment(s, s->tree.size);
		if (s->tree.size != s->segment)
			return vfy_why_set(why, "V10",
			    "a SEGMENT_OPENED in the middle of a segment");
		s->opened = true;
		return HSA_OK;
	case HSA_BODY_CONTEXT:
		if (!s->opened)
			return vfy_why_set(why, "V10",
			    "a context in a segment that does not begin with "
			    "SEGMENT_OPENED");
		k->sequence[k->count++ % HSA_CONTEXTS_MAX] = r->sequence;
		k->last_named = 0; /* it may be one too many now */
		return HSA_OK;
	case HSA_BODY_COMPACT:
		if (r->context == k->last_named || is_known(k, r->context)) {
			k->last_named = r->context;
			return HSA_OK;
		}
		return vfy_why_set(why, "V10",
		    "the record names %" PRIu64
		    " as its context, which is none of its segment and epoch, "
		    "or not among the last %u",
		    r->context, HSA_CONTEXTS_MAX);
	}
	return HSA_OK;
}

static hsa_rc
epoch(struct vfy_state *s, const struct vfy_seen *r, struct vfy_why *why)
{
	if (r->body == HSA_BODY_COMPACT) /* its context's */
		return HSA_OK;
	if (s->tree.size == 0 && r->epoch != 1 &&
	    (s->number == 1 || r->epoch == 0))
		return vfy_why_set(why, "V5",
		    "the first record has epoch %" PRIu64 " instead of 1",
		    r->epoch);
	if (s->epoch == 0 || r->epoch == s->epoch)
		return HSA_OK;
	if (r->epoch < s->epoch)
		return vfy_why_set(why, "V5",
		    "the epoch falls from %" PRIu64 " to %" PRIu64, s->epoch,
		    r->epoch);
	if (r->epoch != s->epoch + 1)
		return vfy_why_set(why, "V5",
		    "the epoch jumps from %" PRIu64 " to %" PRIu64
		    ": a start of the unit is missing",
		    s->epoch, r->epoch);
	if (!vfy_scan_unit_start(r))
		return vfy_why_set(why, "V5",
		    "epoch %" PRIu64 " begins without a UNIT_START record",
		    r->epoch);
	/* those of the epoch before are of no use from here on */
	s->known.count = s->known.last_named = 0;
	return HSA_OK;
}

/* ---- a log after a damaged one (V11) --------------------------------------
 */

hsa_rc
vfy_state_numbers(uint64_t last[HSA_SOURCES + 1], const char *origin,
    const void *p, size_t n, struct vfy_why *why)
{
	uint8_t unit[HSA_UUID_LEN], old_unit[HSA_UUID_LEN];
	unsigned int number = 0, old = 0;
	struct hsa_chain c = {0};
	struct hsa_record r = {0};
	hsa_rc rc;

	HSA_TRY(rc, hsa_record_decode(&r, p, n));
	HSA_TRY(rc, hsa_chain_of(&c, &r));
	HSA_TRY(rc, vfy_origin_log(unit, &number, origin));
	HSA_TRY(rc, vfy_origin_log(old_unit, &old, c.old_origin));
	if (memcmp(unit, old_unit, sizeof(unit)) != 0 || old + 1 != number)
		rc = HSA_RC(E_FORMAT);
	last[HSA_SOURCE_OUTBOX] = c.outbox_last;
	last[HSA_SOURCE_USE] = c.use_last;
out:
	hsa_record_free(&r);
	hsa_chain_free(&c);
	if (!hsa_is_ok(rc) && rc.v != HSA_E_NOMEM)
		rc = vfy_why_set(why, "V11",
		    "a NEW_CHAIN that does not say what it has to of the log "
		    "before this one");
	return rc;
}

static hsa_rc
chain(struct vfy_state *s, const struct vfy_seen *r, const void *p, size_t n,
    struct vfy_why *why)
{
	bool due = s->number > 1 && s->tree.size == 1;
	bool is = r->body == HSA_BODY_SPECIAL && vfy_scan_new_chain(r);

	if (s->number > 1 && s->tree.size == 0 &&
	    (r->body != HSA_BODY_SPECIAL || !vfy_scan_segment_opened(r)))
		return vfy_why_set(why, "V11",
		    "the unit's log number %u does not begin with a "
		    "SEGMENT_OPENED",
		    s->number);
	if (is && (!due || r->source != HSA_SOURCE_SEALER))
		return vfy_why_set(why, "V11",
		    "a NEW_CHAIN that is not record 1 of a log with a number "
		    "in its origin");
	if (due && !is)
		return vfy_why_set(why, "V11",
		    "record 1 of the unit's log number %u is no NEW_CHAIN",
		    s->number);
	return is ? vfy_state_numbers(s->source_sequence, s->origin, p, n, why)
		  : HSA_OK;
}

hsa_rc
vfy_state_record(
    struct vfy_state *s, const void *p, size_t n, struct vfy_why *why)
{
	struct vfy_seen r;
	const char *what;
	hsa_rc rc;

	if (!hsa_is_ok(vfy_scan_record(&r, &what, p, n)))
		return vfy_why_set(
		    why, "V4", "not a well-formed record: %s", what);
	if (r.sequence != s->tree.size)
		return vfy_why_set(why, "V4",
		    "the record has sequence %" PRIu64 " at place %" PRIu64,
		    r.sequence, s->tree.size);
	if (r.unit_id != NULL &&
	    memcmp(r.unit_id, s->unit_id, sizeof(s->unit_id)) != 0)
		return vfy_why_set(why, "V4", "the record is another unit's");
	HSA_TRY(rc, epoch(s, &r, why));
	HSA_TRY(rc, in_segment(s, &r, why));
	if (s->tree.size < 2 || r.body == HSA_BODY_SPECIAL)
		HSA_TRY(rc, chain(s, &r, p, n, why));
	if (r.source_sequence <= s->source_sequence[r.source])
		return vfy_why_set(why, "V5",
		    "source sequence %" PRIu64 " after %" PRIu64
		    ": a record is repeated or out of order",
		    r.source_sequence, s->source_sequence[r.source]);
	rc = vfy_tree_add(&s->tree, p, n);
	if (rc.v == HSA_E_RANGE)
		return vfy_why_set(why, "V4", "more than 2^64 records");
	if (r.body != HSA_BODY_COMPACT)
		s->epoch = r.epoch;
	s->source_sequence[r.source] = r.source_sequence;
	if (r.body == HSA_BODY_SPECIAL)
		s->specials++;
	else if (r.body == HSA_BODY_CONTEXT)
		s->contexts++;
	else
		s->events++;
	if (r.use)
		s->calls++;
out:
	return rc;
}

/* The signature first: where it is good, the records are what changed. */
hsa_rc
vfy_state_checkpoint(
    struct vfy_state *s, const void *p, size_t n, struct vfy_why *why)
{
	uint8_t root[HSA_SHA256_LEN];
	struct hsa_diag diag = {{0}};
	struct vfy_note note;
	uint64_t first = s->sealed ? s->sealed_size : 0;
	hsa_rc rc;

	if (!hsa_is_ok(vfy_note_parse(&note, p, n, &diag)))
		return vfy_why_set(why, "V6",
		    "not a well-formed checkpoint: %.300s", diag.text);
	if (strcmp(note.origin, s->origin) != 0)
		return vfy_why_set(
		    why, "V6", "the checkpoint's origin is not the log's");
	rc = s->signer == NULL ? HSA_OK : vfy_signer_verify(s->signer, &note);
	if (rc.v == HSA_E_SIGNATURE)
		return vfy_why_set(why, "V6",
		    "the checkpoint's signature is not the log's key's: it was "
		    "altered, or another key signed it");
	HSA_TRY(rc, rc);
	if (note.size != s->tree.size)
		return vfy_why_set(why, "V6",
		    "a checkpoint over %" PRIu64
		    " records stands behind %" PRIu64
		    ": records are missing, repeated or moved",
		    note.size, s->tree.size);
	HSA_TRY(rc, vfy_tree_root(&s->tree, root));
	if (memcmp(root, note.root, sizeof(root)) != 0 && note.size == 0)
		return vfy_why_set(
		    why, "V6", "the signed root is not that of the empty tree");
	if (memcmp(root, note.root, sizeof(root)) != 0)
		return vfy_why_set(why, "V6",
		    "the signed root is not that of the records: one of the "
		    "records %" PRIu64 " to %" PRIu64 " was altered",
		    first, note.size - 1);
	if (s->sealed && note.size <= s->sealed_size)
		return vfy_why_set(why, "V6",
		    "the checkpoint seals nothing new: the one before has the "
		    "same size %" PRIu64,
		    note.size);
	s->sealed = true;
	s->sealed_size = note.size;
	memcpy(s->sealed_root, root, sizeof(root));
	s->checkpoints++;
out:
	return rc;
}
