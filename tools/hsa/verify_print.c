#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hsa_buf.h"
#include "hsa_json.h"
#include "verify_set.h"
#include "vfy_utf8.h"

/* ---- for people ---------------------------------------------------------- */

static void
valid_up_to(struct hsa_buf *b, const struct vfy_result *r)
{
	if (r->sealed == 0)
		hsa_buf_str(b, "valid up to no record");
	else
		hsa_buf_printf(b, "valid up to record %" PRIu64, r->sealed - 1);
}

static void
chain_text(struct hsa_buf *b, const struct vfy_chain *c)
{
	hsa_buf_str(b, "  begins   because of the log before it: ");
	if (c->rule[0] != '\0')
		hsa_buf_printf(b, "damaged, %s: ", c->rule);
	vfy_utf8_show(b, c->why);
	hsa_buf_str(b, "\n  before   ");
	vfy_utf8_show(b, c->old_origin);
	hsa_buf_printf(b,
	    ": %" PRIu64 " of the %" PRIu64 " records found could be verified"
	    "\n",
	    c->verified, c->found);
}

static void
log_text(struct hsa_buf *b, const struct verify_log *l)
{
	const struct vfy_result *r = &l->res;

	vfy_utf8_show(b, l->path);
	hsa_buf_str(b, "\n");
	if (r->origin[0] != '\0') {
		hsa_buf_str(b, "  origin   ");
		vfy_utf8_show(b, r->origin);
		hsa_buf_printf(b,
		    "\n  records  %" PRIu64 " (events %" PRIu64
		    ", EP11 calls among them %" PRIu64 ", specials %" PRIu64
		    ", contexts %" PRIu64 ")\n  checkpoints %" PRIu64
		    ", epochs %" PRIu64 "\n  sealed   %" PRIu64 ", root ",
		    r->records, r->events, r->calls, r->specials, r->contexts,
		    r->checkpoints, r->epochs, r->sealed);
		hsa_buf_hex(b, r->root, sizeof(r->root));
		hsa_buf_u8(b, '\n');
		if (r->first != 0)
			hsa_buf_printf(b,
			    "  begins   with record %" PRIu64
			    ", those before it were released\n",
			    r->first);
	}
	if (r->chain.has)
		chain_text(b, &r->chain);
	if (l->witnessed != NULL)
		hsa_buf_printf(b,
		    "  witnessed %" PRIu64
		    " records, by %zu of the witnesses\n",
		    l->witnessed->size, l->witnessed->witnessed);
	if (!r->bad) {
		hsa_buf_str(b, "  OK\n");
		return;
	}
	hsa_buf_printf(b, "  BAD %s: ", r->rule);
	vfy_utf8_show(b, r->finding);
	hsa_buf_str(b, "\n      ");
	if (r->place.file[0] != '\0') {
		vfy_utf8_show(b, r->place.file);
		hsa_buf_printf(b, ", byte %" PRIu64 ", at record %" PRIu64 "; ",
		    r->place.offset, r->place.sequence);
	}
	valid_up_to(b, r);
	hsa_buf_u8(b, '\n');
}

static void
pair_text(struct hsa_buf *b, const struct verify_set *s,
    const struct verify_pair *p, bool quiet)
{
	const struct verify_log *x = &s->log[p->shorter],
				*y = &s->log[p->longer];

	if (p->same && quiet)
		return;
	hsa_buf_str(b, "copies of ");
	vfy_utf8_show(b, x->res.origin);
	hsa_buf_str(b, "\n  ");
	vfy_utf8_show(b, x->path);
	if (p->apart) {
		hsa_buf_printf(b,
		    "\n  ends with %" PRIu64 " records, and record %" PRIu64
		    " is the first in\n  ",
		    x->res.sealed, y->res.first);
		vfy_utf8_show(b, y->path);
		hsa_buf_str(b, "\n  BAD: those between are in neither\n");
		return;
	}
	hsa_buf_str(
	    b, p->same ? "\n  holds the first " : "\n  is not the first ");
	hsa_buf_printf(b, "%" PRIu64 " of the %" PRIu64 " records in\n  ",
	    x->res.sealed, y->res.sealed);
	vfy_utf8_show(b, y->path);
	hsa_buf_str(
	    b, p->same
		   ? "\n  OK\n"
		   : "\n  BAD: two histories under one key; one of the two was "
		     "rewritten\n");
}

static void
link_text(struct hsa_buf *b, const struct verify_set *s,
    const struct verify_link *l, bool quiet)
{
	if (l->same && quiet)
		return;
	vfy_utf8_show(b, s->log[l->new].res.origin);
	hsa_buf_str(b, "\n  goes on after the log in\n  ");
	vfy_utf8_show(b, s->log[l->old].path);
	hsa_buf_str(b, l->same ? "\n  OK\n"
			       : "\n  BAD V11: what it says of that log's good "
				 "part is not what is there\n");
}

void
verify_set_text(struct hsa_buf *b, const struct verify_set *s, bool quiet)
{
	for (size_t i = 0; i < s->len; i++)
		if (s->log[i].res.bad || !quiet)
			log_text(b, &s->log[i]);
	for (size_t i = 0; i < s->pairs; i++)
		pair_text(b, s, &s->pair[i], quiet);
	for (size_t i = 0; i < s->links; i++)
		link_text(b, s, &s->link[i], quiet);
	for (size_t i = 0; i < s->lost_len; i++) {
		hsa_buf_str(b, "BAD: the key file promises ");
		vfy_utf8_show(b, s->lost[i]);
		hsa_buf_str(b, ", and there is no log of it\n");
	}
	for (size_t i = 0; i < s->stray_len; i++) {
		const struct vfy_anchor *a = &s->anchor[s->stray[i]];

		hsa_buf_str(b, "BAD V9: anchor ");
		vfy_utf8_show(b, a->path);
		hsa_buf_printf(
		    b, " says that %" PRIu64 " records exist of ", a->size);
		vfy_utf8_show(b, a->origin);
		hsa_buf_str(b, ", and no log here is of it\n");
	}
	if (s->own_keys && !quiet)
		hsa_buf_str(b, "the keys are those that lie beside the log; "
			       "with your own copy of checkpoint.pub\n(--key) "
			       "a replaced key is found, too\n");
	hsa_buf_printf(b, "verify: %zu log%s, %" PRIu64 " records, %s\n",
	    s->len, s->len == 1 ? "" : "s", verify_set_records(s),
	    verify_set_bad(s) ? "DAMAGED" : "OK");
}

/* ---- for programs -------------------------------------------------------- */

static void
log_json(struct hsa_jw *w, const struct verify_log *l)
{
	const struct vfy_result *r = &l->res;

	hsa_jw_object(w, NULL);
	hsa_jw_text(w, "path", l->path);
	hsa_jw_text(w, "unit", l->unit);
	hsa_jw_text(w, "origin", r->origin);
	hsa_jw_uint(w, "first", r->first);
	hsa_jw_uint(w, "records", r->records);
	hsa_jw_uint(w, "events", r->events);
	hsa_jw_uint(w, "calls", r->calls);
	hsa_jw_uint(w, "specials", r->specials);
	hsa_jw_uint(w, "contexts", r->contexts);
	hsa_jw_uint(w, "checkpoints", r->checkpoints);
	hsa_jw_uint(w, "epochs", r->epochs);
	hsa_jw_uint(w, "sealed", r->sealed);
	hsa_jw_hex(w, "root", r->root, sizeof(r->root));
	if (r->chain.has) {
		hsa_jw_object(w, "newChain");
		hsa_jw_text(w, "oldOrigin", r->chain.old_origin);
		hsa_jw_uint(w, "verifiedRecords", r->chain.verified);
		hsa_jw_hex(
		    w, "verifiedRoot", r->chain.root, sizeof(r->chain.root));
		hsa_jw_uint(w, "foundRecords", r->chain.found);
		hsa_jw_text(w, "rule", r->chain.rule);
		hsa_jw_text(w, "why", r->chain.why);
		hsa_jw_end(w);
	}
	if (l->witnessed != NULL) {
		hsa_jw_uint(w, "witnessed", l->witnessed->size);
		hsa_jw_uint(w, "witnesses", l->witnessed->witnessed);
	}
	hsa_jw_bool(w, "ok", !r->bad);
	if (r->bad) {
		hsa_jw_object(w, "finding");
		hsa_jw_text(w, "rule", r->rule);
		hsa_jw_text(w, "text", r->finding);
		hsa_jw_text(w, "file", r->place.file);
		hsa_jw_uint(w, "byte", r->place.offset);
		hsa_jw_uint(w, "sequence", r->place.sequence);
		hsa_jw_end(w);
	}
	hsa_jw_end(w);
}

static void
pair_json(
    struct hsa_jw *w, const struct verify_set *s, const struct verify_pair *p)
{
	const struct verify_log *x = &s->log[p->shorter],
				*y = &s->log[p->longer];

	hsa_jw_object(w, NULL);
	hsa_jw_text(w, "origin", x->res.origin);
	hsa_jw_text(w, "shorter", x->path);
	hsa_jw_uint(w, "shorterSealed", x->res.sealed);
	hsa_jw_text(w, "longer", y->path);
	hsa_jw_uint(w, "longerSealed", y->res.sealed);
	hsa_jw_bool(w, "ok", p->same);
	hsa_jw_end(w);
}

void
verify_set_json(struct hsa_buf *b, const struct verify_set *s)
{
	struct hsa_jw w = {.b = b};

	hsa_jw_object(&w, NULL);
	hsa_jw_array(&w, "logs");
	for (size_t i = 0; i < s->len; i++)
		log_json(&w, &s->log[i]);
	hsa_jw_end(&w);
	hsa_jw_array(&w, "copies");
	for (size_t i = 0; i < s->pairs; i++)
		pair_json(&w, s, &s->pair[i]);
	hsa_jw_end(&w);
	hsa_jw_array(&w, "newChains");
	for (size_t i = 0; i < s->links; i++) {
		hsa_jw_object(&w, NULL);
		hsa_jw_text(&w, "new", s->log[s->link[i].new].path);
		hsa_jw_text(&w, "old", s->log[s->link[i].old].path);
		hsa_jw_bool(&w, "ok", s->link[i].same);
		hsa_jw_end(&w);
	}
	hsa_jw_end(&w);
	hsa_jw_array(&w, "missingLogs");
	for (size_t i = 0; i < s->lost_len; i++)
		hsa_jw_text(&w, NULL, s->lost[i]);
	hsa_jw_end(&w);
	hsa_jw_array(&w, "anchors");
	for (size_t i = 0; i < s->anchors; i++) {
		bool stray = false;

		for (size_t k = 0; k < s->stray_len; k++)
			stray = stray || s->stray[k] == i;
		hsa_jw_object(&w, NULL);
		hsa_jw_text(&w, "path", s->anchor[i].path);
		hsa_jw_text(&w, "origin", s->anchor[i].origin);
		hsa_jw_uint(&w, "size", s->anchor[i].size);
		hsa_jw_bool(&w, "logFound", !stray);
		hsa_jw_end(&w);
	}
	hsa_jw_end(&w);
	hsa_jw_bool(&w, "keysBesideLog", s->own_keys);
	hsa_jw_uint(&w, "records", verify_set_records(s));
	hsa_jw_bool(&w, "ok", !verify_set_bad(s));
	hsa_jw_end(&w);
	hsa_buf_u8(b, '\n');
}
