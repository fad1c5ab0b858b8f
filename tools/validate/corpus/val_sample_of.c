#include <stdio.h>
#include <string.h>

#include "hsa_buf.h"
#include "val_sample_impl.h"

/* ---- ids: hashes of what they stand for ---------------------------------- */

hsa_rc
val_sample_hash(uint8_t to[HSA_SHA256_LEN], const struct val_sample *s,
    const char *what, unsigned int n)
{
	char text[200];

	(void)snprintf(text, sizeof(text),
	    "cryptounit corpus: %s %u %s %u %u %s", what, n,
	    s == NULL ? "" : s->row->name, s == NULL ? 0 : s->status,
	    s == NULL ? 0 : s->unit, s == NULL ? "" : s->tag);
	return hsa_sha256(to, text, strlen(text));
}

hsa_rc
val_sample_uuid(uint8_t to[HSA_UUID_LEN], const struct val_sample *s,
    const char *what, unsigned int n)
{
	uint8_t h[HSA_SHA256_LEN];
	hsa_rc rc = val_sample_hash(h, s, what, n);

	h[6] = (uint8_t)((h[6] & 0x0f) | 0x40); /* version 4 */
	h[8] = (uint8_t)((h[8] & 0x3f) | 0x80);
	memcpy(to, h, HSA_UUID_LEN);
	return rc;
}

hsa_rc
val_sample_uuid_text(char to[HSA_UUID_TEXT], const struct val_sample *s,
    const char *what, unsigned int n)
{
	uint8_t id[HSA_UUID_LEN] = {0};
	hsa_rc rc = val_sample_uuid(id, s, what, n);

	hsa_uuid_text(to, id);
	return rc;
}

void
val_sample_location(char to[40], const struct val_sample *s)
{
	(void)snprintf(
	    to, 40, "[%s].[AZ1-CS4].[00].[%02u]", s->region, s->unit % 100);
}

/* ---- what the action is about -------------------------------------------- */

/* By the object of the action, the text between its dots, and its verb ("":
 * any): the type in its target's CRN ("": the instance itself), its name, the
 * URI of the request. The types are not documented, catalogue-notes 3. */
static const struct object {
	const char *object, *verb, *type, *name, *uri;
} objects[] = {
    {"secrets", "list", "", "hpcs-example", "/api/v2/keys"},
    {"secrets", "head", "", "hpcs-example", "/api/v2/keys"},
    {"secrets", "default", "", "hpcs-example", "/api/v2/keys"},
    {"secrets", "", "key", "payments", "/api/v2/keys"},
    {"secrets-alias", "", "key", "payments", "/api/v2/keys/payments/aliases"},
    {"secrets-event", "", "key", "payments", "/api/v2/event_ack"},
    {"secrets-key-versions", "", "key", "payments",
	"/api/v2/keys/payments/versions"},
    {"secrets-metadata", "", "key", "payments",
	"/api/v2/keys/payments/metadata"},
    {"key-rings", "create", "key-ring", "payments", "/api/v2/key_rings"},
    {"key-rings", "delete", "key-ring", "payments", "/api/v2/key_rings"},
    {"key-rings", "", "", "hpcs-example", "/api/v2/key_rings"},
    {"policies", "", "key", "payments", "/api/v2/keys/payments/policies"},
    {"instance-policies", "", "", "hpcs-example", "/api/v2/instance/policies"},
    {"import-token", "", "", "hpcs-example", "/api/v2/import_token"},
    {"registrations", "list", "", "hpcs-example", "/api/v2/keys/registrations"},
    {"registrations", "", "key", "payments",
	"/api/v2/keys/payments/registrations"},
    {"mtlscert-admin-key", "", "mtlscert-admin-key", "mtlscert-admin-key",
	"/example/mtlscert-admin-key"},
    {"mtlscert-cert", "", "mtlscert-cert", "mtlscert-cert",
	"/example/mtlscert-cert"},
    {"kmip-key", "", "kmip-key", "vm-disk", "/example/kmip"},
    {"kmip-key-attributes", "", "kmip-key", "vm-disk", "/example/kmip"},
};

static const struct object *
object_of(const struct hsa_action_row *row)
{
	static const struct object other = {
	    "", "", "", "hpcs-example", "/example"};
	const char *object = strchr(row->name, '.') + 1;
	const char *verb = strrchr(row->name, '.') + 1;
	size_t n = (size_t)(verb - object) - 1;

	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++)
		if (strlen(objects[i].object) == n &&
		    memcmp(objects[i].object, object, n) == 0 &&
		    (objects[i].verb[0] == '\0' ||
			strcmp(objects[i].verb, verb) == 0))
			return &objects[i];
	return &other;
}

/* Keystore actions name a key or a keystore; what a crypto unit did is its. */
bool
val_sample_of_unit(const struct hsa_action_row *row)
{
	return strcmp(row->family, "tke") == 0 ||
	       strcmp(row->family, "ep11") == 0 ||
	       strcmp(row->family, "keystore") == 0;
}

void
val_sample_crn(struct hsa_buf *b, const struct val_sample *s)
{
	hsa_buf_printf(b, "crn:v1:bluemix:public:hs-crypto:%s:%s:%s", s->region,
	    VAL_SAMPLE_ACCOUNT, VAL_SAMPLE_INSTANCE);
}

const char *
val_sample_uri(const struct hsa_action_row *row)
{
	return object_of(row)->uri;
}

hsa_rc
val_sample_target(
    struct hsa_buf *id, struct hsa_buf *name, const struct val_sample *s)
{
	const struct object *o = object_of(s->row);
	char uuid[HSA_UUID_TEXT], location[40];
	hsa_rc rc;

	val_sample_location(location, s);
	val_sample_crn(id, s);
	if (val_sample_of_unit(s->row)) {
		HSA_TRY(rc, val_sample_uuid_text(uuid, NULL, "unit", s->unit));
		hsa_buf_printf(id, ":crypto-unit:%s", uuid);
		HSA_TRY(
		    rc, val_sample_uuid_text(uuid, NULL, "keystore", s->key));
		hsa_buf_str(name,
		    strcmp(s->row->family, "keystore") == 0 ? uuid : location);
	} else {
		HSA_TRY(rc, val_sample_uuid_text(uuid, NULL, o->name, s->key));
		hsa_buf_printf(
		    id, ":%s:%s", o->type, o->type[0] == '\0' ? "" : uuid);
		hsa_buf_str(name, o->name);
	}
	HSA_TRY(rc, hsa_buf_rc(id));
	rc = hsa_buf_rc(name);
out:
	return rc;
}
