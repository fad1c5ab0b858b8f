#include <string.h>

#include "val_sample_impl.h"

/* As the card reports it: the last four bytes are zero. */
static hsa_rc
pattern_of(uint8_t to[HSA_SHA256_LEN], const char *what, unsigned int n)
{
	hsa_rc rc = val_sample_hash(to, NULL, what, n);

	memset(to + HSA_SHA256_LEN - 4, 0, 4);
	return rc;
}

/* ---- the fields ---------------------------------------- */

/* Texts by the name of their field; a former and a new value are two. */
static const struct {
	const char *name, *text;
} texts[] = {
    {"keyType", "root_key"},
    {"initialValue.keyRingId", "default"},
    {"newValue.keyRingId", "payments"},
    {"initialValue.authID", "IBMid-550000EFGH"},
    {"newValue.authID", USER},
    {"initialValue.authExpiration", "2026-01-20T09:00:00Z"},
    {"newValue.authExpiration", "2026-01-22T09:00:00Z"},
    {"initialValue.policyAllowedNetworkAttribute", "public-only"},
    {"newValue.policyAllowedNetworkAttribute", "public-and-private"},
    {"expirationDate", "2026-01-15T08:59:00Z"},
    {"keyVersionCreationDate", "2026-01-10T12:30:00Z"},
    {"accountId", USER},
    {"certificateId", "vcenter-1"},
    {"resourceCRN",
	"crn:v1:bluemix:public:cloud-object-storage:global:" VAL_SAMPLE_ACCOUNT
	":0c1d2e3f-4a5b-4c6d-8e7f-8091a2b3c4d5:bucket:invoices"},
    {"instanceID", VAL_SAMPLE_INSTANCE},
};

static const char *
text_of(const struct val_sample *s, const char *name)
{
	if (strcmp(name, "requestURI") == 0)
		return val_sample_uri(s->row);
	if (strcmp(name, "expirationDate") == 0 &&
	    strcmp(s->row->family, "import-token") == 0)
		return "2026-01-15T10:00:00Z";
	if (strcmp(name, "action") == 0)
		return strrchr(s->row->name, '.') + 1;
	if (strcmp(name, "reasonForFailure") == 0 && s->answer != NULL)
		return s->answer->reason;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(texts[i].name, name) == 0)
			return texts[i].text;
	return "an example";
}

static int64_t
key_state_after(const struct hsa_action_row *row)
{
	switch ((unsigned int)row->code) {
	case HSA_ACTION_SECRETS_DELETE:
		return 5;
	case HSA_ACTION_SECRETS_EXPIRE:
		return 3;
	default:
		return 1;
	}
}

static int64_t
integer_of(const struct val_sample *s, const char *name)
{
	static const struct {
		const char *name;
		int64_t v;
	} set[] = {
	    {"initialValue.keyState", 1},
	    {"maxAllowedRetrievals", 50},
	    {"remainingRetrievals", 49},
	};

	if (strcmp(name, "signatureThreshold") == 0)
		return s->threshold;
	if (strcmp(name, "revocationSignatureThreshold") == 0)
		return s->revocation;
	if (strcmp(name, "totalResources") == 0)
		return s->answer != NULL && s->answer->of == VAL_OF_LIST ? 0
									 : 12;
	for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++)
		if (strcmp(set[i].name, name) == 0)
			return set[i].v;
	return key_state_after(s->row);
}

static hsa_rc
hash(struct hsa_data *d, const struct val_sample *s, const char *name)
{
	uint8_t h[HSA_SHA256_LEN];
	hsa_rc rc;

	if (strcmp(name, "adminId") == 0)
		HSA_TRY(
		    rc, val_sample_hash(h, NULL, "administrator", s->admin));
	else
		HSA_TRY(rc, pattern_of(h, "master key", s->key));
	rc = hsa_data_hex(d, name, h, sizeof(h));
out:
	return rc;
}

static hsa_rc
hash_list(struct hsa_data *d, const struct val_sample *s, const char *name)
{
	uint8_t h[8][HSA_SHA256_LEN];
	size_t n = 0;
	hsa_rc rc;

	if (strcmp(name, "adminIds") == 0) {
		for (unsigned int i = 0; i < 8; i++)
			if ((s->admins & 1u << i) != 0)
				HSA_TRY(rc, val_sample_hash(h[n++], NULL,
						"administrator", i));
	} else {
		for (unsigned int i = 0; i < 2; i++)
			HSA_TRY(
			    rc, pattern_of(h[n++], "key part", s->key * 2 + i));
	}
	rc = hsa_data_hex_list(d, name, h[0], HSA_SHA256_LEN, n);
out:
	return rc;
}

static hsa_rc
put(struct hsa_data *d, const struct val_sample *s,
    const struct hsa_field_spec *f)
{
	char text[HSA_UUID_TEXT > 40 ? HSA_UUID_TEXT : 40];
	hsa_rc rc;

	if (strcmp(f->type, "int") == 0)
		return hsa_data_integer(d, f->name, integer_of(s, f->name));
	if (strcmp(f->type, "bool") == 0)
		return hsa_data_boolean(
		    d, f->name, strncmp(f->name, "new", 3) == 0);
	if (strcmp(f->type, "hex64") == 0)
		return hash(d, s, f->name);
	if (strcmp(f->type, "hex64[]") == 0)
		return hash_list(d, s, f->name);
	if (strcmp(f->type, "location") == 0) {
		val_sample_location(text, s);
		return hsa_data_text(d, f->name, text);
	}
	if (strcmp(f->type, "uuid") == 0 && strcmp(f->name, "instanceID") != 0)
		HSA_TRY(rc,
		    val_sample_uuid_text(text, NULL,
			strcmp(f->name, "keyId") == 0 ? "payments" : f->name,
			s->key));
	else
		return hsa_data_text(d, f->name, text_of(s, f->name));
	rc = hsa_data_text(d, f->name, text);
out:
	return rc;
}

/* What is said of a failure only: registrations that were in the way. */
static bool
of_failure(const char *name)
{
	return strcmp(name, "reasonForFailure") == 0 ||
	       strcmp(name, "resourceCRN") == 0;
}

hsa_rc
val_sample_data(struct hsa_data *request, struct hsa_data *response,
    const struct val_sample *s)
{
	bool failed = s->status >= 300;
	bool registration =
	    s->answer != NULL && s->answer->of == VAL_OF_LIFECYCLE;
	struct hsa_field_spec f;
	hsa_rc rc = HSA_OK;
	size_t at = 0;

	while (hsa_field_spec_next(s->row->request_data, &at, &f))
		HSA_TRY(rc, put(request, s, &f));
	at = 0;
	while (hsa_field_spec_next(s->row->response_data, &at, &f))
		if (of_failure(f.name) ? failed && registration : !failed)
			HSA_TRY(rc, put(response, s, &f));
out:
	return rc;
}
