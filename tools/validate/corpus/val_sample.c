#include <string.h>

#include "hsa_buf.h"
#include "hsa_json.h"
#include "val_sample_impl.h"

void
val_sample_init(
    struct val_sample *s, const struct hsa_action_row *row, uint32_t status)
{
	*s = (struct val_sample){
	    .row = row,
	    .status = status,
	    .time_ns = VAL_SAMPLE_TIME +
		       ((uint64_t)row->code * 10 + status) * 1000000000,
	    .tag = "",
	    .region = "us-south",
	    .unit = (unsigned int)row->code % 16, /* one for each action */
	    .admin = 1,
	    .admins = row->code == HSA_ACTION_TKE_ADMIN_REMOVE ? 1 : 3,
	    .threshold = 2,
	    .revocation = 2,
	    .sequence = 1,
	};
	(void)val_sample_unit_answers(
	    row, status, &s->ep11_rc, &s->ep11_reason);
}

static hsa_rc
reason(struct hsa_buf *b, const struct val_sample *s)
{
	const struct hsa_status_row *st = hsa_status(s->status);

	if (s->answer != NULL && s->answer->reason[0] != '\0')
		hsa_buf_str(b, s->answer->reason);
	else if (!val_sample_unit_reason(b, s))
		hsa_buf_printf(b, "request refused: %s",
		    st == NULL ? "unknown" : st->phrase);
	return hsa_buf_rc(b);
}

static hsa_rc
initiator(struct hsa_initiator *who, const struct val_sample *s,
    const char *fingerprint)
{
	static const char person[] = "service/security/account/user";
	static const char vcenter[] = "service/security/client/certificateid";
	bool kmip = strcmp(s->row->family, "kmip") == 0;
	bool tke = strcmp(s->row->family, "tke") == 0;
	hsa_rc rc;

	HSA_TRY(rc, hsa_strdup_opt(&who->id, kmip ? fingerprint : USER));
	HSA_TRY(
	    rc, hsa_strdup_opt(&who->name,
		    kmip ? "vcenter.example.com" : "custodian1@example.com"));
	HSA_TRY(rc, hsa_strdup_opt(&who->type_uri, kmip ? vcenter : person));
	HSA_TRY(rc, hsa_strdup_opt(
			&who->credential_type, kmip ? "certificate" : "token"));
	if (kmip) /* the document: without the initiator's address */
		return rc;
	HSA_TRY(rc, hsa_strdup_opt(&who->host_address, "203.0.113.7"));
	HSA_TRY(rc, hsa_strdup_opt(&who->host_address_type, "IPv4"));
	rc = hsa_strdup_opt(&who->host_agent, tke ? "tke/0.1.0" : "curl/8.5.0");
out:
	return rc;
}

hsa_rc
val_sample_event(
    struct hsa_event *ev, const struct val_sample *s, struct hsa_diag *diag)
{
	struct hsa_buf why = {0}, id = {0}, name = {0}, log = {0};
	struct hsa_data request = {0}, response = {0};
	char correlation[HSA_UUID_TEXT], print[80] = "CertificateID-";
	uint8_t h[HSA_SHA256_LEN], event_id[HSA_UUID_LEN];
	struct hsa_initiator who = {0};
	unsigned int n =
	    s->status + s->unit * 1000 +
	    (unsigned int)(s->time_ns / 1000000000 % 1000000) * 1000;
	struct hsa_event_args a = {
	    .action = s->row->code,
	    .status = s->status,
	    .time_ns = s->time_ns,
	    .initiator = &who,
	    .request = &request,
	    .response = &response,
	    .id = event_id,
	};
	hsa_rc rc;

	HSA_TRY(rc, val_sample_hash(h, NULL, "vcenter", 1));
	hsa_hex(print + strlen(print), h, sizeof(h));
	HSA_TRY(rc, initiator(&who, s, print));
	HSA_TRY(rc, val_sample_uuid(event_id, s, "event", n));
	HSA_TRY(rc, val_sample_uuid_text(correlation, s, "request", n));
	if (s->row->correlation == HSA_CORRELATION_REQUIRED)
		a.correlation_id = correlation;
	val_sample_crn(&log, s);
	hsa_buf_str(&log, "::");
	HSA_TRY(rc, hsa_buf_rc(&log));
	a.log_source_crn = hsa_buf_cstr(&log);
	HSA_TRY(rc, val_sample_target(&id, &name, s));
	a.target_id = hsa_buf_cstr(&id);
	a.target_name = hsa_buf_cstr(&name);
	if (s->status >= 300) {
		HSA_TRY(rc, reason(&why, s));
		a.reason_failure = hsa_buf_cstr(&why);
	}
	HSA_TRY(rc, val_sample_data(&request, &response, s));
	rc = hsa_event_build(ev, &a, diag);
out:
	hsa_initiator_free(&who);
	hsa_data_free(&request);
	hsa_data_free(&response);
	hsa_buf_free(&why);
	hsa_buf_free(&id);
	hsa_buf_free(&name);
	hsa_buf_free(&log);
	return rc;
}

hsa_rc
val_sample_json(
    struct hsa_buf *b, const struct val_sample *s, struct hsa_diag *diag)
{
	struct hsa_event ev = {0};
	hsa_rc rc;

	hsa_buf_reset(b);
	HSA_TRY(rc, val_sample_event(&ev, s, diag));
	hsa_event_json(b, &ev);
	rc = hsa_buf_rc(b);
out:
	hsa_event_free(&ev);
	return rc;
}
