/* From a decided command to its record. */
#include <stdlib.h>
#include <string.h>

#include "cu_core.h"
#include "hsa_event.h"
#include "hsa_hash.h"
#include "hsa_utf8.h"

/* A caller's strings are bounded here, so that no request can make a record
 * that the log does not take. */
hsa_rc
cu_event_text(char **to, const char *s, size_t max)
{
	struct hsa_buf b = {0};
	size_t n = 0, len = 0, k = 0;
	hsa_rc rc = HSA_OK;

	*to = NULL;
	if (s == NULL)
		return rc;
	len = strlen(s);
	while (n < len && n < max) {
		k = hsa_utf8_len(s + n, len - n);
		n += k == 0 ? 1 : k;
	}
	hsa_utf8_clean(&b, s, n);
	HSA_TRY(rc, hsa_buf_rc(&b));
	HSA_TRY(rc, hsa_strdup_opt(to, hsa_buf_cstr(&b)));
out:
	hsa_buf_free(&b);
	return rc;
}

hsa_rc
cu_event_initiator(
    struct hsa_initiator *to, const struct hsa_initiator *from, size_t max)
{
	hsa_rc rc;

	HSA_TRY(rc, cu_event_text(&to->id, from->id, max));
	HSA_TRY(rc, cu_event_text(&to->name, from->name, max));
	HSA_TRY(rc, cu_event_text(&to->type_uri, from->type_uri, max));
	HSA_TRY(rc,
	    cu_event_text(&to->credential_type, from->credential_type, max));
	HSA_TRY(rc, cu_event_text(&to->host_address, from->host_address, max));
	HSA_TRY(rc, cu_event_text(
			&to->host_address_type, from->host_address_type, max));
	HSA_TRY(rc, cu_event_text(&to->host_agent, from->host_agent, max));
out:
	return rc;
}

static void
envelope(struct hsa_record *r, const struct cu_unit *u, uint64_t wall_ns,
    uint64_t mono_ns)
{
	memcpy(r->unit_id, u->id.unit_id, sizeof(r->unit_id));
	r->epoch = u->epoch;
	r->wall_ns = wall_ns;
	r->mono_ns = mono_ns;
	r->source = HSA_SOURCE_OUTBOX;
}

hsa_rc
cu_event_envelope(struct hsa_record *r, const struct cu_unit *u,
    const struct hsa_caller *caller, uint64_t wall_ns, uint64_t mono_ns)
{
	static const uint8_t none[HSA_UUID_LEN];
	hsa_rc rc;

	envelope(r, u, wall_ns, mono_ns);
	r->has_command_id = memcmp(caller->command_id, none, sizeof(none)) != 0;
	memcpy(r->command_id, caller->command_id, sizeof(r->command_id));
	HSA_TRY(rc,
	    cu_event_text(&r->ceremony_id, caller->ceremony_id, CU_TEXT_MAX));
	HSA_TRY(rc, cu_event_text(
			&r->ceremony_step, caller->ceremony_step, CU_TEXT_MAX));
out:
	return rc;
}

static hsa_rc
special(struct hsa_record *r, enum hsa_special_code code)
{
	const struct hsa_special_row *row = hsa_special(code);
	hsa_rc rc;

	r->body = HSA_BODY_SPECIAL;
	r->special.category = row->category;
	r->special.specific = row->specific;
	HSA_TRY(rc, hsa_strdup_opt(&r->special.name, row->name));
	HSA_TRY(rc, hsa_strdup_opt(&r->special.text, row->text));
out:
	return rc;
}

hsa_rc
cu_event_special(
    struct hsa_record *r, const struct cu_unit *u, enum hsa_special_code code)
{
	hsa_rc rc;

	envelope(r, u, u->clock->wall_ns(u->clock->ctx),
	    u->clock->mono_ns(u->clock->ctx));
	HSA_TRY(rc, special(r, code));
	HSA_TRY(
	    rc, hsa_data_text(&r->special.details, "location", u->id.location));
out:
	return rc;
}

/* ---- requestData and responseData (catalogue, ep11-tke-wire 17) ---------- */

static hsa_rc
request_data(struct hsa_data *d, const struct cu_cmd *c, bool ok)
{
	const struct cu_input *in = &c->in;
	const struct cu_register *r = &c->u->next.pending;
	hsa_rc rc;

	HSA_TRY(rc, hsa_data_text(d, "location", c->u->id.location));
	if (in->has_ski)
		HSA_TRY(
		    rc, hsa_data_hex(d, "adminId", in->ski, sizeof(in->ski)));
	/* an attribute that was left out is asked to stay as it is */
	if (in->has_attr &&
	    (ok || (in->present & 1u << TKE_ATTR_SIGNATURE_THRESHOLD) != 0))
		HSA_TRY(rc, hsa_data_integer(d, "signatureThreshold",
				in->attr.signature_threshold));
	if (in->has_attr &&
	    (ok || (in->present & 1u << TKE_ATTR_REVOCATION_THRESHOLD) != 0))
		HSA_TRY(rc, hsa_data_integer(d, "revocationSignatureThreshold",
				in->attr.revocation_threshold));
	if (ok && c->q.command == TKE_CMD_WK_IMPORT)
		HSA_TRY(rc, hsa_data_hex_list(d, "masterKeyIds", r->part_id[0],
				sizeof(r->part_id[0]), r->part_len));
	if (in->has_pattern)
		HSA_TRY(rc, hsa_data_hex(d, "verificationPattern", in->pattern,
				sizeof(in->pattern)));
out:
	return rc;
}

static hsa_rc
response_data(struct hsa_data *d, const struct cu_cmd *c)
{
	const struct cu_state *s = &c->u->next;
	uint8_t skis[CU_ADMINS_MAX * TKE_SKI_LEN] = {0};
	size_t i = 0;
	hsa_rc rc = HSA_OK;

	for (i = 0; i < s->admin_len; i++)
		memcpy(skis + i * TKE_SKI_LEN, s->admin[i].ski, TKE_SKI_LEN);
	switch (c->q.command) {
	case TKE_CMD_ADMIN_ADD:
	case TKE_CMD_ADMIN_REMOVE:
		return hsa_data_hex_list(
		    d, "adminIds", skis, TKE_SKI_LEN, s->admin_len);
	case TKE_CMD_SET_ATTRIBUTES:
		HSA_TRY(rc, hsa_data_integer(d, "signatureThreshold",
				s->attr.signature_threshold));
		return hsa_data_integer(d, "revocationSignatureThreshold",
		    s->attr.revocation_threshold);
	case TKE_CMD_WK_IMPORT:
		return hsa_data_hex(d, "verificationPattern",
		    s->pending.pattern, sizeof(s->pending.pattern));
	case TKE_CMD_WK_COMMIT:
		return hsa_data_hex_list(d, "masterKeyIds",
		    s->pending.part_id[0], sizeof(s->pending.part_id[0]),
		    s->pending.part_len);
	case TKE_CMD_WK_FINALIZE:
		return hsa_data_hex(d, "verificationPattern",
		    s->current.pattern, sizeof(s->current.pattern));
	default:
		break;
	}
out:
	return rc;
}

/* ---- records ------------------------------------------------------------- */

static uint32_t
event_status(const struct cu_cmd *c)
{
	const struct hsa_ep11_row *row = hsa_ep11(c->rc);

	if (c->http != 200)
		return c->http;
	if (c->rc == HSA_EP11_OK && c->text != NULL)
		return 400;
	return row != NULL ? row->status : 500;
}

static hsa_rc
failure_text(char **to, const struct cu_cmd *c)
{
	struct hsa_buf b = {0};
	hsa_rc rc = HSA_OK;

	if (c->http == 200 && c->rc == HSA_EP11_OK && c->text == NULL)
		return rc;
	if (c->http != 200)
		hsa_buf_str(&b, c->caller->denied_text != NULL &&
					c->caller->denied_text[0] != '\0'
				    ? c->caller->denied_text
				    : "caller is not authorized");
	else if (c->text != NULL)
		hsa_buf_str(&b, c->text);
	else
		hsa_ep11_text(&b, c->rc, c->reason);
	HSA_TRY(rc, hsa_buf_rc(&b));
	HSA_TRY(rc, cu_event_text(to, hsa_buf_cstr(&b), CU_TEXT_MAX));
out:
	hsa_buf_free(&b);
	return rc;
}

static hsa_rc
event_body(struct hsa_record *r, const struct cu_cmd *c, const char *failure,
    struct hsa_diag *diag)
{
	struct hsa_data request = {0}, response = {0};
	struct hsa_initiator who = {0};
	struct hsa_event_args args = {
	    .action = c->row->event,
	    .status = event_status(c),
	    .reason_failure = failure,
	    .time_ns = c->wall_ns,
	    .log_source_crn = c->u->id.log_source_crn,
	    .target_id = c->u->id.target_crn,
	    .target_name = c->u->id.location,
	    .initiator = &who,
	    .request = &request,
	    .response = &response,
	};
	hsa_rc rc;

	HSA_TRY(
	    rc, cu_event_initiator(&who, &c->caller->initiator, CU_TEXT_MAX));
	HSA_TRY(rc, request_data(&request, c, failure == NULL));
	if (failure == NULL)
		HSA_TRY(rc, response_data(&response, c));
	r->body = HSA_BODY_EVENT;
	HSA_TRY(rc, hsa_event_build(&r->event, &args, diag));
out:
	hsa_data_free(&request);
	hsa_data_free(&response);
	hsa_initiator_free(&who);
	return rc;
}

static hsa_rc
special_body(struct hsa_record *r, const struct cu_cmd *c, const char *failure)
{
	struct hsa_data *d = &r->special.details;
	const struct cu_state *s = &c->u->next;
	hsa_rc rc;

	HSA_TRY(rc, special(r, c->report == CU_REPORT_EVENT
				   ? HSA_SPECIAL_ADMIN_FUNCTION
				   : HSA_SPECIAL_REQUEST_REFUSED));
	r->special.has_initiator = true;
	HSA_TRY(rc, cu_event_initiator(&r->special.initiator,
			&c->caller->initiator, CU_TEXT_MAX));
	HSA_TRY(rc, hsa_data_text(d, "location", c->u->id.location));
	if (c->decoded)
		HSA_TRY(rc, hsa_data_text(
				d, "command", tke_command_text(c->q.command)));
	HSA_TRY(rc, hsa_data_text(
			d, "outcome", failure == NULL ? "success" : "failure"));
	HSA_TRY(rc, hsa_data_integer(d, "status", event_status(c)));
	if (failure != NULL)
		HSA_TRY(rc, hsa_data_text(d, "reasonForFailure", failure));
	if (c->requests > 0)
		HSA_TRY(
		    rc, hsa_data_integer(d, "requests", (int64_t)c->requests));
	if (c->in.has_kind)
		HSA_TRY(rc,
		    hsa_data_integer(d, "importerKind", (int64_t)c->in.kind));
	if (failure == NULL && c->in.has_kind)
		HSA_TRY(rc, hsa_data_hex(d, "importerObject", s->importer.b,
				sizeof(s->importer.b)));
	if (c->in.has_points)
		HSA_TRY(rc, hsa_data_hex(d, "requestedPoints", c->in.points,
				sizeof(c->in.points)));
	if (failure == NULL && c->in.has_points) {
		HSA_TRY(rc, hsa_data_hex(d, "controlPoints", s->control_points,
				sizeof(s->control_points)));
		HSA_TRY(
		    rc, hsa_data_integer(d, "standards", s->attr.standards));
	}
out:
	return rc;
}

hsa_rc
cu_event_record(
    struct hsa_record *r, const struct cu_cmd *c, struct hsa_diag *diag)
{
	char *failure = NULL;
	hsa_rc rc;

	HSA_TRY(
	    rc, cu_event_envelope(r, c->u, c->caller, c->wall_ns, c->mono_ns));
	r->command = c->decoded ? c->q.command : 0;
	r->ep11_rc = c->rc;
	r->ep11_reason = c->reason;
	if (c->signer_len > 0) {
		r->signer_id = calloc(c->signer_len, sizeof(*r->signer_id));
		if (r->signer_id == NULL) {
			rc = HSA_RC(E_NOMEM);
			goto out;
		}
		memcpy(r->signer_id, c->signer,
		    c->signer_len * sizeof(*r->signer_id));
		r->signer_len = c->signer_len;
	}
	HSA_TRY(rc, failure_text(&failure, c));
	if (c->report == CU_REPORT_EVENT && c->row->event != HSA_ACTION_NONE)
		HSA_TRY(rc, event_body(r, c, failure, diag));
	else
		HSA_TRY(rc, special_body(r, c, failure));
out:
	free(failure);
	return rc;
}

hsa_rc
cu_event_check(const struct cu_unit *u, struct hsa_diag *diag)
{
	struct hsa_initiator who = {0};
	struct hsa_data request = {0};
	struct hsa_event ev = {0};
	struct hsa_event_args args = {
	    .action = HSA_ACTION_TKE_RESET,
	    .status = 200,
	    .log_source_crn = u->id.log_source_crn,
	    .target_id = u->id.target_crn,
	    .target_name = u->id.location,
	    .initiator = &who,
	    .request = &request,
	};
	hsa_rc rc;

	HSA_TRY(rc, hsa_data_text(&request, "location", u->id.location));
	HSA_TRY(rc, hsa_event_build(&ev, &args, diag));
out:
	hsa_data_free(&request);
	hsa_event_free(&ev);
	return rc;
}
