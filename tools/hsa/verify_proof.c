#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "hsa_buf.h"
#include "hsa_json.h"
#include "render.h"
#include "verify_proof.h"
#include "vfy_file.h"
#include "vfy_utf8.h"

hsa_rc
verify_proofs_run(struct verify_proofs *s, const char *const *paths, size_t n,
    const struct vfy_proven_options *opt, struct hsa_diag *diag)
{
	struct hsa_buf text = {0};
	hsa_rc rc = HSA_OK;

	s->asked = opt->witnesses != NULL;
	s->proof = calloc(n + 1, sizeof(*s->proof));
	if (s->proof == NULL)
		return hsa_fail(diag, HSA_RC(E_NOMEM), "out of memory");
	for (; s->len < n; s->len++) {
		struct verify_proof *p = &s->proof[s->len];

		p->path = paths[s->len];
		hsa_buf_reset(&text);
		rc = vfy_file_slurp(&text, p->path, VFY_PROOF_FILE_MAX);
		if (!hsa_is_ok(rc)) {
			hsa_diag_set(diag, "%s: %s", p->path,
			    rc.v == HSA_E_IO ? strerror(errno)
					     : hsa_err_text(rc));
			goto out;
		}
		rc = vfy_proven_check(&p->v, opt, text.p, text.len, diag);
		if (!hsa_is_ok(rc)) {
			hsa_diag_wrap(diag, "%s", p->path);
			vfy_proven_free(&p->v);
			goto out;
		}
	}
out:
	hsa_buf_free(&text);
	return rc;
}

bool
verify_proofs_bad(const struct verify_proofs *s)
{
	for (size_t i = 0; i < s->len; i++)
		if (s->proof[i].v.bad)
			return true;
	return false;
}

void
verify_proofs_free(struct verify_proofs *s)
{
	for (size_t i = 0; i < s->len; i++)
		vfy_proven_free(&s->proof[i].v);
	free(s->proof);
	*s = (struct verify_proofs){0};
}

/* ---- for people ---------------------------------------------------------- */

static void
checkpoint_text(struct hsa_buf *b, const struct vfy_proven *v,
    const struct verify_proofs *s)
{
	hsa_buf_printf(b,
	    "  checkpoint over %" PRIu64 " records, %zu signature%s", v->size,
	    v->signatures, v->signatures == 1 ? "" : "s");
	if (s->asked)
		hsa_buf_printf(b, ", %zu of the witnesses asked for among them",
		    v->witnessed);
	hsa_buf_str(b, "\n  root     ");
	hsa_buf_hex(b, v->root, sizeof(v->root));
	hsa_buf_u8(b, '\n');
}

static void
proof_text(struct hsa_buf *b, const struct verify_proof *p,
    const struct verify_proofs *s)
{
	const struct vfy_proven *v = &p->v;

	vfy_utf8_show(b, p->path);
	hsa_buf_u8(b, '\n');
	if (v->origin[0] != '\0') {
		hsa_buf_str(b, "  origin   ");
		vfy_utf8_show(b, v->origin);
		hsa_buf_u8(b, '\n');
		checkpoint_text(b, v, s);
	}
	if (v->bad) {
		hsa_buf_printf(b, "  BAD %s: ", v->rule);
		vfy_utf8_show(b, v->finding);
		hsa_buf_u8(b, '\n');
		return;
	}
	if (v->kind == VFY_PROOF_CONSISTENCY) {
		hsa_buf_printf(b,
		    "  begins with the %" PRIu64 " records of root ", v->from);
		hsa_buf_hex(b, v->old_root, sizeof(v->old_root));
		hsa_buf_str(b, "\n  OK\n");
		return;
	}
	hsa_buf_printf(b, "  record   %" PRIu64 ":\n  ", v->from);
	render_line(
	    b, render_find("text"), &(const struct render_in){.r = &v->record});
	hsa_buf_str(b, "  OK\n");
}

void
verify_proofs_text(struct hsa_buf *b, const struct verify_proofs *s, bool quiet)
{
	for (size_t i = 0; i < s->len; i++)
		if (s->proof[i].v.bad || !quiet)
			proof_text(b, &s->proof[i], s);
	hsa_buf_printf(b, "verify: %zu proof%s, %s\n", s->len,
	    s->len == 1 ? "" : "s", verify_proofs_bad(s) ? "NOT PROVEN" : "OK");
}

/* ---- for programs -------------------------------------------------------- */

static void
proof_json(struct hsa_jw *w, const struct verify_proof *p,
    const struct verify_proofs *s)
{
	const struct vfy_proven *v = &p->v;

	hsa_jw_object(w, NULL);
	hsa_jw_text(w, "path", p->path);
	if (v->kind != 0)
		hsa_jw_text(w, "kind",
		    v->kind == VFY_PROOF_INCLUSION ? "inclusion"
						   : "consistency");
	if (v->origin[0] != '\0') {
		hsa_jw_text(w, "origin", v->origin);
		hsa_jw_uint(w,
		    v->kind == VFY_PROOF_INCLUSION ? "sequence" : "from",
		    v->from);
		hsa_jw_uint(w, "size", v->size);
		hsa_jw_hex(w, "root", v->root, sizeof(v->root));
		hsa_jw_uint(w, "hashes", v->hashes);
		hsa_jw_uint(w, "signatures", v->signatures);
		if (s->asked)
			hsa_jw_uint(w, "witnesses", v->witnessed);
	}
	if (!v->bad && v->kind == VFY_PROOF_CONSISTENCY)
		hsa_jw_hex(w, "fromRoot", v->old_root, sizeof(v->old_root));
	if (!v->bad && v->has_record) {
		hsa_buf_str(w->b, ",\"record\":");
		hsa_record_json(w->b, &v->record);
	}
	hsa_jw_bool(w, "ok", !v->bad);
	if (v->bad) {
		hsa_jw_object(w, "finding");
		hsa_jw_text(w, "rule", v->rule);
		hsa_jw_text(w, "text", v->finding);
		hsa_jw_end(w);
	}
	hsa_jw_end(w);
}

void
verify_proofs_json(struct hsa_buf *b, const struct verify_proofs *s)
{
	struct hsa_jw w = {.b = b};

	hsa_jw_object(&w, NULL);
	hsa_jw_array(&w, "proofs");
	for (size_t i = 0; i < s->len; i++)
		proof_json(&w, &s->proof[i], s);
	hsa_jw_end(&w);
	hsa_jw_bool(&w, "ok", !verify_proofs_bad(s));
	hsa_jw_end(&w);
	hsa_buf_u8(b, '\n');
}
