#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "col_peer.h"
#include "vfy_note.h"
#include "vfy_state.h"

void
col_peer_init(struct col_peer *p, struct col_hub *hub)
{
	*p = (struct col_peer){.hub = hub};
}

static void
count_pending(struct col_peer *p)
{
	p->hub->pending += p->pending.len - p->counted;
	p->counted = p->pending.len;
}

static void
drop_pending(struct col_peer *p)
{
	hsa_buf_free(&p->pending);
	p->hub->pending -= p->counted;
	p->counted = 0;
}

void
col_peer_free(struct col_peer *p)
{
	if (p->hub != NULL)
		drop_pending(p);
	hsa_buf_free(&p->in);
	hsa_buf_free(&p->acks);
	hsa_buf_free(&p->out);
	*p = (struct col_peer){0};
}

void
col_peer_refuse(struct col_peer *p, const char *fmt, ...)
{
	struct hsa_frame f = {.kind = HSA_FRAME_REFUSE};
	va_list ap;

	if (p->done)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(p->note.text, sizeof(p->note.text), fmt, ap);
	va_end(ap);
	p->done = true;
	f.text = p->note.text;
	f.text_len = strlen(f.text);
	/* out of memory: then it is closed without a word */
	(void)!hsa_is_ok(hsa_frame_encode(&p->out, &f));
	drop_pending(p);
	hsa_buf_free(&p->in);
	hsa_buf_free(&p->acks);
}

/* The store moved on under us, by another connection of this unit. */
static void
restart(struct col_peer *p)
{
	p->next = *vfy_store_state(p->unit->store);
	p->next.stream = true;
	p->base = p->next.tree.size;
}

static void
hello(struct col_peer *p, const struct hsa_frame *f)
{
	struct hsa_frame resume = {.kind = HSA_FRAME_RESUME};
	struct hsa_diag diag = {{0}};
	uint8_t id[HSA_UUID_LEN];
	unsigned int number = 0;

	if (p->unit != NULL) {
		col_peer_refuse(p, "a second Hello");
		return;
	}
	if (!hsa_is_ok(vfy_origin_unit(id, f->origin)) ||
	    memcmp(id, f->unit_id, sizeof(id)) != 0) {
		col_peer_refuse(
		    p, "the origin is not cryptounit/ and this unit's id");
		return;
	}
	if (p->fits != NULL && !p->fits(p->who, id)) {
		col_peer_refuse(
		    p, "the certificate is not of the unit that Hello names");
		return;
	}
	if (!hsa_is_ok(col_hub_unit(&p->unit, p->hub, f->origin, &diag))) {
		p->unit = NULL;
		col_peer_refuse(p, "%s", diag.text);
		return;
	}
	restart(p);
	if (f->sequence < p->base) {
		p->warned = true;
		hsa_diag_set(&p->note,
		    "the unit has %" PRIu64 " records, the copy %" PRIu64
		    ": the unit's log was cut, or is another one; keep the "
		    "copy",
		    f->sequence, p->base);
	} else if (p->base == 0 && f->sequence != 0 &&
		   hsa_is_ok(vfy_origin_log(id, &number, f->origin)) &&
		   number > 1) {
		p->fresh = true;
		hsa_diag_set(&p->note,
		    "the unit has begun its log number %u, as the one before "
		    "was damaged: a copy of its own begins in %s, that of the "
		    "old log stays",
		    number, p->unit->name);
	}
	resume.sequence = p->base;
	if (!hsa_is_ok(hsa_frame_encode(&p->out, &resume)))
		col_peer_refuse(p, "out of memory");
}

static void
records(struct col_peer *p, const struct hsa_frame *f)
{
	struct vfy_why why;
	hsa_rc rc;

	if (f->sequence != p->next.tree.size) {
		col_peer_refuse(p,
		    "records from %" PRIu64 " where %" PRIu64 " comes next",
		    f->sequence, p->next.tree.size);
		return;
	}
	for (size_t i = 0; i < f->record_len; i++) {
		rc = vfy_state_record(
		    &p->next, f->record[i].p, f->record[i].n, &why);
		if (!hsa_is_ok(rc)) {
			col_peer_refuse(p, "record %" PRIu64 ": %s%s%s",
			    f->sequence + i,
			    rc.v == HSA_E_CORRUPT ? why.rule : "",
			    rc.v == HSA_E_CORRUPT ? ": " : "",
			    rc.v == HSA_E_CORRUPT ? why.text
						  : hsa_err_text(rc));
			return;
		}
		hsa_entry_encode_record(
		    &p->pending, f->record[i].p, f->record[i].n);
	}
	count_pending(p);
	if (p->pending.failed)
		col_peer_refuse(p, "out of memory");
	else if (p->pending.len > COL_PENDING_PEER ||
		 p->hub->pending > COL_PENDING_ALL)
		col_peer_refuse(
		    p, "too many records without a checkpoint over them");
}

static void
ack(struct col_peer *p)
{
	struct hsa_frame f = {.kind = HSA_FRAME_ACK};

	f.sequence = p->next.sealed_size;
	memcpy(f.root, p->next.sealed_root, sizeof(f.root));
	if (!hsa_is_ok(hsa_frame_encode(&p->acks, &f)))
		col_peer_refuse(p, "out of memory");
}

/* The checkpoint that is stored already, sent again (C5)? */
static bool
again(struct col_peer *p, const struct hsa_frame *f)
{
	struct vfy_note note;

	return p->pending.len == 0 && p->next.sealed &&
	       hsa_is_ok(vfy_note_parse(&note, f->text, f->text_len, NULL)) &&
	       note.size == p->next.sealed_size &&
	       memcmp(note.root, p->next.sealed_root, sizeof(note.root)) == 0 &&
	       hsa_is_ok(vfy_signer_verify(p->next.signer, &note));
}

static void
checkpoint(struct col_peer *p, const struct hsa_frame *f)
{
	struct vfy_why why;
	hsa_rc rc;

	if (again(p, f)) {
		ack(p);
		return;
	}
	rc = vfy_state_checkpoint(&p->next, f->text, f->text_len, &why);
	if (rc.v == HSA_E_CORRUPT) {
		col_peer_refuse(p,
		    "checkpoint behind record %" PRIu64 ": %s: %s%s",
		    p->next.tree.size, why.rule, why.text,
		    p->base != 0
			? "; or this is not the log that the copy is of"
			: "");
		return;
	}
	if (hsa_is_ok(rc) &&
	    vfy_store_state(p->unit->store)->tree.size != p->base) {
		col_peer_refuse(p, "another connection of this unit was "
				   "faster: connect again");
		return;
	}
	hsa_entry_encode_checkpoint(&p->pending, f->text, f->text_len);
	count_pending(p);
	if (hsa_is_ok(rc))
		rc = hsa_buf_rc(&p->pending);
	if (hsa_is_ok(rc))
		rc = col_hub_keep(p->hub, p->unit, &p->next, &p->pending,
		    f->text, f->text_len);
	if (!hsa_is_ok(rc)) {
		col_peer_refuse(p, "the collector cannot store: %s",
		    p->hub->failed ? p->hub->why.text : hsa_err_text(rc));
		return;
	}
	drop_pending(p);
	restart(p);
	ack(p);
}

static void
frame(struct col_peer *p, const struct hsa_frame *f)
{
	if (p->unit == NULL && f->kind != HSA_FRAME_HELLO &&
	    f->kind != HSA_FRAME_REFUSE) {
		col_peer_refuse(p, "the first frame is no Hello");
		return;
	}
	switch (f->kind) {
	case HSA_FRAME_HELLO:
		hello(p, f);
		break;
	case HSA_FRAME_RECORDS:
		records(p, f);
		break;
	case HSA_FRAME_CHECKPOINT:
		checkpoint(p, f);
		break;
	case HSA_FRAME_REFUSE:
		hsa_diag_set(&p->note, "the unit refuses: %.900s",
		    f->text == NULL ? "" : f->text);
		drop_pending(p);
		p->done = true;
		break;
	case HSA_FRAME_HEALTH:
		p->fresh = true;
		if (f->status == 0)
			hsa_diag_set(&p->note, "the unit works again");
		else
			hsa_diag_set(&p->note,
			    "the unit refuses work (%" PRIu32 "): %.700s; "
			    "%" PRIu64 " calls refused without a record",
			    f->status, f->text == NULL ? "" : f->text,
			    f->sequence);
		break;
	case HSA_FRAME_RESUME:
	case HSA_FRAME_ACK:
		col_peer_refuse(p, "a frame that only a collector sends");
		break;
	}
}

void
col_peer_feed(struct col_peer *p, const void *bytes, size_t n)
{
	struct hsa_frame f = {0};
	size_t at = 0, used = 0;
	hsa_rc rc;

	if (p->done)
		return;
	hsa_buf_put(&p->in, bytes, n);
	while (!p->done && !p->in.failed && at < p->in.len) {
		rc = hsa_frame_decode(&f, &used, p->in.p + at, p->in.len - at);
		if (rc.v == HSA_E_TRUNCATED)
			break;
		if (!hsa_is_ok(rc)) {
			col_peer_refuse(p, "not a frame: %s", hsa_err_text(rc));
			return;
		}
		frame(p, &f);
		hsa_frame_free(&f);
		f = (struct hsa_frame){0};
		at += used;
	}
	if (p->in.failed)
		col_peer_refuse(p, "out of memory");
	if (p->done || at == 0)
		return;
	if (at == p->in.len) {
		hsa_buf_free(&p->in); /* an idle peer holds no memory */
		return;
	}
	memmove(p->in.p, p->in.p + at, p->in.len - at);
	p->in.len -= at;
}

void
col_peer_synced(struct col_peer *p)
{
	if (p->hub->failed)
		col_peer_refuse(
		    p, "the collector cannot store: %s", p->hub->why.text);
	hsa_buf_put(&p->out, p->acks.p, p->acks.len);
	if (p->out.failed)
		p->done = true;
	hsa_buf_reset(&p->acks);
}
