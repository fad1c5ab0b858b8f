#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper_proto.h"
#include "hsa_call.h"

static void
must(hsa_rc rc, const char *what)
{
	if (hsa_is_ok(rc))
		return;
	fprintf(stderr, "helper_proto: %s: %s\n", what, hsa_err_name(rc));
	abort();
}

static const struct {
	const char *type, *text;
} samples[] = {
    {"string", "some text"},
    {"uri", "/api/v2/keys?limit=2"},
    {"uuid", "1f2d1a0e-58ab-4a2b-8b3d-2a6f5f0f7a11"},
    {"hex64",
	"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"},
    {"location", HP_LOCATION},
    {"timestamp", "2026-01-31T09:00:00Z"},
    {"int", "7"},
    {"bool", "true"},
};

const char *
hp_sample(const char *type)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if (strcmp(samples[i].type, type) == 0)
			return samples[i].text;
	return NULL;
}

void
hp_fields(struct hsa_data *d, const char *list, bool optional)
{
	uint8_t ids[2][32];
	struct hsa_field_spec f;
	const char *text;
	size_t at = 0;

	memset(ids[0], 0xa5, sizeof(ids[0]));
	memset(ids[1], 0x5a, sizeof(ids[1]));
	while (hsa_field_spec_next(list, &at, &f)) {
		if (f.optional && !optional)
			continue;
		text = hp_sample(f.type);
		if (strcmp(f.type, "int") == 0)
			must(hsa_data_integer(d, f.name, 7), f.name);
		else if (strcmp(f.type, "bool") == 0)
			must(hsa_data_boolean(d, f.name, true), f.name);
		else if (strcmp(f.type, "hex64[]") == 0)
			must(hsa_data_hex_list(d, f.name, ids[0], 32, 2),
			    f.name);
		else if (text != NULL)
			must(hsa_data_text(d, f.name, text), f.name);
		else
			must(HSA_RC(E_UNSUPPORTED), f.type);
	}
}

static char *
copy(const char *s)
{
	char *to = NULL;

	must(hsa_strdup_opt(&to, s), "strdup");
	return to;
}

static void
initiator(struct hsa_initiator *i)
{
	i->id = copy("IBMid-550000ABCD");
	i->name = copy("custodian1@example.com");
	i->type_uri = copy("service/security/account/user");
	i->credential_type = copy("token");
	i->host_address = copy("203.0.113.7");
	i->host_address_type = copy("IPv4");
	i->host_agent = copy("tke/0.1.0");
}

void
hp_event(struct hsa_event *ev, enum hsa_action action, uint32_t status)
{
	const struct hsa_action_row *row = hsa_catalogue_by_code(action);
	struct hsa_data request = {0}, response = {0};
	struct hsa_initiator who = {0};
	struct hsa_event_args a = {
	    .action = action,
	    .status = status,
	    .time_ns = HP_TIME,
	    .log_source_crn = HP_CRN,
	    .target_id = HP_UNIT_CRN,
	    .target_name = HP_LOCATION,
	    .initiator = &who,
	    .request = &request,
	    .response = &response,
	};
	struct hsa_diag diag = {""};

	if (row == NULL)
		must(HSA_RC(E_NOT_FOUND), "action");
	initiator(&who);
	hp_fields(&request, row->request_data, true);
	if (status < 300)
		hp_fields(&response, row->response_data, false);
	else
		a.reason_failure = HP_FAILURE;
	if (row->correlation == HSA_CORRELATION_REQUIRED)
		a.correlation_id = HP_CORRELATION;
	must(hsa_event_build(ev, &a, &diag), diag.text);
	hsa_initiator_free(&who);
	hsa_data_free(&request);
	hsa_data_free(&response);
}

static void
envelope(struct hsa_record *r)
{
	*r = (struct hsa_record){
	    .sequence = 41,
	    .epoch = 3,
	    .wall_ns = HP_TIME,
	    .mono_ns = 8123456789,
	    .source = HSA_SOURCE_OUTBOX,
	    .source_sequence = 42,
	    .has_command_id = true,
	    .command = 0x0d,
	    .ep11_rc = HSA_EP11_TEMPLATE_INCOMPLETE,
	    .ep11_reason = HSA_REASON_TOO_FEW_SIGNATURES,
	};
	memset(r->unit_id, 0x11, sizeof(r->unit_id));
	memset(r->command_id, 0x22, sizeof(r->command_id));
	r->ceremony_id = copy("ceremony-2025-11");
	r->ceremony_step = copy("7.2");
	r->signer_id = calloc(2, sizeof(*r->signer_id));
	if (r->signer_id == NULL)
		must(HSA_RC(E_NOMEM), "signers");
	r->signer_len = 2;
	memset(r->signer_id[0], 0x33, HSA_SKI_LEN);
	memset(r->signer_id[1], 0x44, HSA_SKI_LEN);
}

static void
used(struct hsa_record *r)
{
	r->source = HSA_SOURCE_USE;
	r->has_use = true;
	r->use = (struct hsa_use){
	    .function = HSA_FN_ENCRYPT_SINGLE,
	    .mechanism = 0x80010009, /* one of IBM's own */
	    .has_key_id = true,
	    .has_session = true,
	    .bytes_in = 1024,
	    .bytes_out = UINT64_C(1) << 40,
	    .duration_ns = 123456,
	    .length_only = true,
	};
	memset(r->use.key_id, 0x55, sizeof(r->use.key_id));
	memset(r->use.session, 0x66, sizeof(r->use.session));
}

void
hp_record(struct hsa_record *r, enum hsa_action action, uint32_t status)
{
	envelope(r);
	r->body = HSA_BODY_EVENT;
	if (action == HSA_ACTION_EP11_USE)
		used(r);
	hp_event(&r->event, action, status);
}

void
hp_context(struct hsa_record *r)
{
	envelope(r);
	r->source = HSA_SOURCE_SEALER;
	r->has_command_id = false;
	memset(r->command_id, 0, sizeof(r->command_id));
	r->command = r->ep11_rc = r->ep11_reason = 0;
	r->signer_len = 0;
	r->body = HSA_BODY_CONTEXT;
	r->has_session = true;
	memset(r->session, 0x66, sizeof(r->session));
	hp_event(&r->event, HSA_ACTION_EP11_USE, 200);
	r->event.event_time_ns = 0;
	free(r->event.correlation_id);
	r->event.correlation_id = NULL;
}

void
hp_compact(struct hsa_record *r)
{
	*r = (struct hsa_record){
	    .sequence = 43,
	    .wall_ns = HP_TIME,
	    .mono_ns = 8123456789,
	    .source_sequence = 17,
	    .has_command_id = true,
	    .ep11_rc = 0x60,
	    .ep11_reason = 3,
	    .body = HSA_BODY_COMPACT,
	    .compact = {.context = 41, .has_correlation_id = true},
	};
	memset(r->command_id, 0x22, sizeof(r->command_id));
	memset(r->compact.correlation_id, 0x77, HSA_UUID_LEN);
	used(r);
	r->use.has_session = false;
	memset(r->use.session, 0, sizeof(r->use.session));
}

void
hp_special(struct hsa_record *r)
{
	struct hsa_special *sp = &r->special;
	const uint8_t id[2] = {0xab, 0xcd};

	envelope(r);
	r->body = HSA_BODY_SPECIAL;
	sp->category = 2;
	sp->specific = 9;
	sp->name = copy("ADMIN_FUNCTION");
	sp->text =
	    copy("control points set, \xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x91");
	sp->has_initiator = true;
	initiator(&sp->initiator);
	must(hsa_data_text(&sp->details, "text", ""), "text");
	must(hsa_data_integer(&sp->details, "deep.er.number", -5), "number");
	must(hsa_data_integer(&sp->details, "zero", 0), "zero");
	must(hsa_data_boolean(&sp->details, "deep.no", false), "no");
	must(hsa_data_hex(&sp->details, "id", id, sizeof(id)), "id");
	must(hsa_data_hex_list(&sp->details, "none", NULL, 32, 0), "none");
}
