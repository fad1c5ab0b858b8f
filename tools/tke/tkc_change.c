#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "hsa_catalogue.h"
#include "tkc_change.h"
#include "tke_part.h"

/* One change on its way to one unit. */
struct job {
	const struct tkc_change *c;
	struct tkc_fleet *f;
	struct tkc_unit *u;
	struct tkc_ring *ring;
	struct tkc_outcome *o;
	struct tkc_state state;
	struct tkc_key *signer[TKC_SIGNERS_MAX];
	size_t signers;
};

static struct tke_slice
slice(const void *p, size_t n)
{
	return (struct tke_slice){p, n};
}

static struct tke_slice
slice_of(const struct hsa_buf *b)
{
	return (struct tke_slice){b->p, b->len};
}

/* ---- who signs ----------------------------------------------------------- */

static hsa_rc
unlock_signers(struct job *j)
{
	size_t i;
	hsa_rc rc = HSA_OK;

	for (i = 0; i < j->signers && hsa_is_ok(rc); i++)
		rc = tkc_ring_unlock(j->ring, j->signer[i], &j->o->diag);
	return rc;
}

/* Signers for a command; an import spreads its parts over all that may sign,
 * so that two custodians stand behind two parts. */
static hsa_rc
choose_signers(struct job *j, uint32_t command)
{
	const struct tkc_change *c = j->c;
	uint32_t need = 0;
	size_t max, i;
	hsa_rc rc;

	j->signers = 0;
	if (c->exact) {
		for (i = 0; i < c->signers; i++)
			j->signer[j->signers++] = c->signer[i];
		return unlock_signers(j);
	}
	need =
	    tkc_signatures_needed(command, &j->state.attributes, c->signature);
	if (need == 0)
		return HSA_OK;
	HSA_TRY(
	    rc, tkc_state_admins(&j->state, j->f, j->u, false, &j->o->diag));
	max = command == TKE_CMD_WK_IMPORT ? c->parts : need;
	for (i = 0; i < c->signers && j->signers < max; i++)
		if (tkc_state_has_admin(&j->state, c->signer[i]->file.id))
			j->signer[j->signers++] = c->signer[i];
	if (j->signers < need)
		return hsa_fail(&j->o->diag, HSA_RC(E_STATE),
		    "not sent: %s needs %u signature%s, and %zu of the "
		    "selected signature keys %s an administrator of this unit: "
		    "select others with tke sigkey-sel (--sign sends it "
		    "all the same)",
		    tke_command_text(command), need, need == 1 ? "" : "s",
		    j->signers, j->signers == 1 ? "is" : "are");
	rc = unlock_signers(j);
out:
	return rc;
}

/* ---- one command --------------------------------------------------------- */

static hsa_rc
sign_all(struct hsa_buf *signatures, const struct job *j, struct tke_slice tbs)
{
	size_t i;
	hsa_rc rc = HSA_OK;

	for (i = 0; i < j->signers && hsa_is_ok(rc); i++)
		rc = tke_sign(signatures, j->signer[i]->key, tbs.p, tbs.n);
	return rc;
}

/* 5.5: the counter after the present one, unless a replay is rehearsed. */
static hsa_rc
next_counter(struct job *j)
{
	hsa_rc rc;

	rc = tkc_state_attributes(&j->state, j->f, j->u, &j->o->diag);
	if (hsa_is_ok(rc) && !j->c->replay)
		tke_counter_next(j->state.counter);
	return rc;
}

static hsa_rc
block(struct hsa_buf *b, const struct job *j, uint32_t command,
    struct tke_slice input)
{
	return tke_admin_block_encode(b, command,
	    slice(j->state.domain, TKE_DOMAIN_LEN),
	    slice(j->state.module, TKE_MODULE_LEN),
	    slice(j->state.counter, TKE_COUNTER_LEN), input);
}

/* Send a finished block; a counter that is not ours means an old answer. */
static hsa_rc
send_block(struct job *j, struct tkc_answer *a, uint32_t command,
    struct tke_slice tbs, struct tke_slice signatures)
{
	struct tkc_sent *s = &j->o->sent[j->o->sents];
	hsa_rc rc;

	HSA_TRY(rc, tkc_fleet_admin(
			j->f, j->u, a, tbs, signatures, command, &j->o->diag));
	*s = (struct tkc_sent){command, a->reply.rc,
	    a->reply.reason == UINT32_MAX ? 0 : a->reply.reason};
	if (s->rc == 0)
		s->reason = 0;
	j->o->sents++;
	j->o->ep11_rc = s->rc;
	j->o->reason = s->reason;
	if (s->rc == 0 && command != TKE_CMD_ZEROIZE &&
	    memcmp(a->reply.counter.p, j->state.counter, TKE_COUNTER_LEN) != 0)
		rc = hsa_fail(&j->o->diag, HSA_RC(E_SIGNATURE),
		    "crypto unit %u %s: its answer carries another counter "
		    "than the command: it is not believed",
		    j->u->number, j->u->location);
out:
	return rc;
}

static hsa_rc
send_command(struct job *j, struct tkc_answer *a, uint32_t command,
    struct tke_slice input)
{
	struct hsa_buf tbs = {0}, signatures = {0};
	hsa_rc rc;

	HSA_TRY(rc, next_counter(j));
	HSA_TRY(rc, choose_signers(j, command));
	HSA_TRY(rc, block(&tbs, j, command, input));
	HSA_TRY(rc, sign_all(&signatures, j, slice_of(&tbs)));
	j->o->signatures = j->signers;
	HSA_TRY(rc,
	    send_block(j, a, command, slice_of(&tbs), slice_of(&signatures)));
out:
	hsa_buf_free(&tbs);
	hsa_buf_free(&signatures);
	return rc;
}

/* ---- key parts (13.4) ---------------------------------------------------- */

static hsa_rc
inner_request(
    struct hsa_buf *out, struct job *j, size_t part, EVP_PKEY *importer)
{
	struct hsa_buf info = {0}, tbs = {0}, signatures = {0};
	size_t i;
	hsa_rc rc;

	HSA_TRY(
	    rc, tke_recipient_build(&info, j->c->part[part]->part, importer));
	HSA_TRY(rc, block(&tbs, j, TKE_CMD_WK_IMPORT, slice_of(&info)));
	if (j->c->exact) {
		HSA_TRY(rc, sign_all(&signatures, j, slice_of(&tbs)));
	} else if (j->signers > 0) {
		i = part % j->signers;
		HSA_TRY(rc,
		    tke_sign(&signatures, j->signer[i]->key, tbs.p, tbs.len));
	}
	HSA_TRY(rc, tke_admin_request_encode(out, j->u->domain_index,
			slice_of(&tbs), slice_of(&signatures)));
out:
	hsa_buf_free(&info);
	hsa_buf_free(&tbs);
	hsa_buf_free(&signatures);
	return rc;
}

static hsa_rc
send_parts(struct job *j, struct tkc_answer *a, EVP_PKEY *importer)
{
	struct hsa_buf input = {0}, tbs = {0};
	size_t i;
	hsa_rc rc;

	HSA_TRY(rc, next_counter(j));
	HSA_TRY(rc, choose_signers(j, TKE_CMD_WK_IMPORT));
	for (i = 0; i < j->c->parts; i++)
		HSA_TRY(rc, inner_request(&input, j, i, importer));
	HSA_TRY(rc, block(&tbs, j, TKE_CMD_WK_IMPORT, slice_of(&input)));
	j->o->signatures = j->signers;
	HSA_TRY(rc, send_block(j, a, TKE_CMD_WK_IMPORT, slice_of(&tbs),
			(struct tke_slice){0}));
out:
	hsa_buf_free(&input);
	hsa_buf_free(&tbs);
	return rc;
}

static hsa_rc
load(struct job *j, struct tkc_answer *a)
{
	static const uint8_t kind[4] = {0, 0, 0, TKE_IMPORTER_P521};
	EVP_PKEY *importer = NULL;
	hsa_rc rc;

	HSA_TRY(rc, send_command(
			j, a, TKE_CMD_GEN_IMPORTER, slice(kind, sizeof(kind))));
	if (j->o->ep11_rc != 0 && !j->c->exact)
		goto out;
	/* a refusal that is rehearsed goes on with a key nobody holds, so that
	 * the load itself is refused, and audited as what it is */
	rc = j->o->ep11_rc != 0 ? tkc_key_new(&importer, TKE_KEY_P521)
				: tke_importer_spki_parse(&importer,
				      a->reply.output.p, a->reply.output.n);
	if (!hsa_is_ok(rc)) {
		rc = hsa_fail(&j->o->diag, HSA_RC(E_SIGNATURE),
		    "crypto unit %u %s: its importer key is malformed",
		    j->u->number, j->u->location);
		goto out;
	}
	HSA_TRY(rc, send_parts(j, a, importer));
out:
	EVP_PKEY_free(importer);
	return rc;
}

/* ---- the other changes --------------------------------------------------- */

static hsa_rc
add_admin(struct job *j, struct tkc_answer *a)
{
	struct hsa_buf cert = {0};
	hsa_rc rc;

	HSA_TRY(rc,
	    tke_admin_cert_build(&cert, j->c->admin->key, j->c->admin->name));
	HSA_TRY(rc, send_command(j, a, TKE_CMD_ADMIN_ADD, slice_of(&cert)));
out:
	hsa_buf_free(&cert);
	return rc;
}

static hsa_rc
set_thresholds(struct job *j, struct tkc_answer *a)
{
	struct hsa_buf input = {0};
	struct tke_attributes want;
	hsa_rc rc;

	HSA_TRY(rc, tkc_state_attributes(&j->state, j->f, j->u, &j->o->diag));
	want = j->state.attributes;
	want.signature_threshold = j->c->signature;
	want.revocation_threshold = j->c->revocation;
	tke_attributes_encode_set(&input, &want);
	HSA_TRY(rc, hsa_buf_rc(&input));
	HSA_TRY(
	    rc, send_command(j, a, TKE_CMD_SET_ATTRIBUTES, slice_of(&input)));
out:
	hsa_buf_free(&input);
	return rc;
}

static hsa_rc
with_pattern(struct job *j, struct tkc_answer *a)
{
	const uint8_t *pattern = j->c->pattern;
	hsa_rc rc;

	if (!j->c->has_pattern) {
		HSA_TRY(rc,
		    tkc_state_registers(&j->state, j->f, j->u, &j->o->diag));
		pattern = j->state.info.pending;
	}
	HSA_TRY(rc, send_command(j, a, j->c->command, slice(pattern, 32)));
out:
	return rc;
}

static hsa_rc
dispatch(struct job *j, struct tkc_answer *a)
{
	switch (j->c->command) {
	case TKE_CMD_ADMIN_ADD:
		return add_admin(j, a);
	case TKE_CMD_ADMIN_REMOVE:
		return send_command(
		    j, a, TKE_CMD_ADMIN_REMOVE, slice(j->c->ski, TKE_SKI_LEN));
	case TKE_CMD_SET_ATTRIBUTES:
		return set_thresholds(j, a);
	case TKE_CMD_WK_IMPORT:
		return load(j, a);
	case TKE_CMD_WK_COMMIT:
	case TKE_CMD_WK_FINALIZE:
		return with_pattern(j, a);
	case TKE_CMD_CP_SET:
	case TKE_CMD_CP_ADD:
	case TKE_CMD_CP_DELETE:
		return send_command(j, a, j->c->command,
		    slice(j->c->points, sizeof(j->c->points)));
	default:
		return send_command(j, a, j->c->command, (struct tke_slice){0});
	}
}

/* Which pattern to show: what the register holds now. */
static hsa_rc
see_pattern(struct job *j)
{
	uint32_t c = j->c->command;
	hsa_rc rc;

	if (c != TKE_CMD_WK_IMPORT && c != TKE_CMD_WK_COMMIT &&
	    c != TKE_CMD_WK_FINALIZE)
		return HSA_OK;
	HSA_TRY(rc, tkc_state_registers(&j->state, j->f, j->u, &j->o->diag));
	memcpy(j->o->pattern,
	    c == TKE_CMD_WK_FINALIZE ? j->state.info.current
				     : j->state.info.pending,
	    sizeof(j->o->pattern));
	j->o->has_pattern = true;
out:
	return rc;
}

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void
tkc_change_apply(struct tkc_outcome *o, const struct tkc_change *c,
    struct tkc_fleet *f, struct tkc_unit *u, struct tkc_ring *r)
{
	struct tkc_answer a = {.reply = {0}};
	struct job j = {.c = c, .f = f, .u = u, .ring = r, .o = o};

	*o = (struct tkc_outcome){.unit = u, .time_ns = now_ns()};
	o->rc = dispatch(&j, &a);
	if (hsa_is_ok(o->rc) && o->ep11_rc == 0)
		o->rc = see_pattern(&j);
	if (!hsa_is_ok(o->rc) && o->diag.text[0] == '\0')
		hsa_diag_set(&o->diag, "%s", hsa_err_text(o->rc));
	tkc_answer_free(&a);
}

hsa_rc
tkc_change_unlock(
    const struct tkc_change *c, struct tkc_ring *r, struct hsa_diag *diag)
{
	size_t i;
	hsa_rc rc = HSA_OK;

	if (c->admin != NULL)
		rc = tkc_ring_unlock(r, c->admin, diag);
	for (i = 0; i < c->parts && hsa_is_ok(rc); i++)
		rc = tkc_ring_unlock(r, c->part[i], diag);
	return rc;
}

bool
tkc_outcome_ok(const struct tkc_outcome *o)
{
	return hsa_is_ok(o->rc) && o->ep11_rc == 0;
}

static const char *
done_text(uint32_t command)
{
	switch (command) {
	case TKE_CMD_ADMIN_ADD:
		return "administrator added";
	case TKE_CMD_ADMIN_REMOVE:
		return "administrator removed";
	case TKE_CMD_SET_ATTRIBUTES:
		return "thresholds set";
	case TKE_CMD_WK_IMPORT:
		return "new master key register loaded";
	case TKE_CMD_WK_COMMIT:
		return "new master key register committed";
	case TKE_CMD_WK_FINALIZE:
		return "master key activated";
	case TKE_CMD_ZEROIZE:
		return "crypto unit zeroized, back in imprint mode";
	case TKE_CMD_WK_CLEAR_CURRENT:
		return "current master key register cleared";
	case TKE_CMD_WK_CLEAR_PENDING:
		return "new master key register cleared";
	case TKE_CMD_CP_ADD:
		return "control points on";
	case TKE_CMD_CP_DELETE:
		return "control points off";
	default:
		return "done";
	}
}

void
tkc_outcome_text(
    struct hsa_buf *b, const struct tkc_outcome *o, const struct tkc_change *c)
{
	if (!hsa_is_ok(o->rc)) {
		hsa_buf_str(b, o->diag.text);
	} else if (o->ep11_rc != 0) {
		hsa_ep11_text(b, o->ep11_rc, o->reason);
	} else {
		hsa_buf_str(b, done_text(c->command));
		if (o->has_pattern) {
			hsa_buf_str(b, ", verification pattern ");
			hsa_buf_hex(b, o->pattern, sizeof(o->pattern));
		}
	}
}
