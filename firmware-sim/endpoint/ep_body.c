/* ep_body.c - see ep_body.h. */
#include <stdbool.h>
#include <string.h>
#include <jansson.h>
#include "hsa_buf.h"
#include "hsa_json.h"
#include "tke_wire.h"
#include "ep_body.h"
#include "ep_config.h"

#define SHAPE "fix: send {\"request\":\"<transport string>\"}"

static hsa_rc
pick(struct hsa_buf *b, const json_t *top, struct hsa_diag *diag)
{
	const json_t *v = NULL;

	if (!json_is_object(top))
		return hsa_fail(diag, HSA_RC(E_FORMAT),
		    "the body is JSON, but no object; " SHAPE);
	v = json_object_get(top, "request");
	if (v == NULL)
		return hsa_fail(diag, HSA_RC(E_FORMAT),
		    "the object has no member \"request\"; " SHAPE);
	if (!json_is_string(v))
		return hsa_fail(
		    diag, HSA_RC(E_FORMAT), "\"request\" is no string; " SHAPE);
	if (json_object_size(top) != 1)
		return hsa_fail(diag, HSA_RC(E_FORMAT),
		    "the object has other members than \"request\"; " SHAPE);
	if (json_string_length(v) > TKE_TRANSPORT_MAX)
		return hsa_fail(diag, HSA_RC(E_FORMAT),
		    "the transport string has more than %u characters; fix: "
		    "send one command",
		    TKE_TRANSPORT_MAX);
	hsa_buf_put(b, json_string_value(v), json_string_length(v));
	return hsa_buf_rc(b);
}

hsa_rc
ep_body_request(
    struct hsa_buf *b, const void *p, size_t n, struct hsa_diag *diag)
{
	json_error_t err = {0};
	json_t *top = NULL;
	hsa_rc rc = HSA_OK;

	if (n == 0)
		return hsa_fail(
		    diag, HSA_RC(E_FORMAT), "the body is empty; " SHAPE);
	top = json_loadb(p, n, JSON_REJECT_DUPLICATES, &err);
	if (top == NULL)
		rc = hsa_fail(diag, HSA_RC(E_FORMAT),
		    "the body is not JSON (line %d, column %d: %s); " SHAPE,
		    err.line, err.column, err.text);
	else
		rc = pick(b, top, diag);
	json_decref(top);
	return rc;
}

void
ep_body_response(struct hsa_buf *b, const void *p, size_t n)
{
	hsa_buf_str(b, "{\"response\":");
	hsa_json_string(b, p, n);
	hsa_buf_str(b, "}\n");
}

void
ep_body_instances(struct hsa_buf *b, const struct ep_config *cfg)
{
	struct hsa_jw w = {.b = b};

	hsa_jw_object(&w, NULL);
	hsa_jw_array(&w, "instances");
	hsa_jw_object(&w, NULL);
	hsa_jw_text(&w, "instance_id", cfg->instance_id);
	hsa_jw_end(&w);
	hsa_jw_end(&w);
	hsa_jw_end(&w);
	hsa_buf_str(b, "\n");
}

static void
list(struct hsa_jw *w, const char *key, const struct ep_config *cfg,
    enum ep_unit_type type)
{
	unsigned int i = 0;

	hsa_jw_array(w, key);
	for (i = 0; i < cfg->unit_count; i++) {
		const struct ep_unit_config *u = &cfg->unit[i];

		if (u->type != type)
			continue;
		hsa_jw_object(w, NULL);
		hsa_jw_text(w, "hsm_id", u->id);
		hsa_jw_text(w, "location", u->location);
		hsa_jw_text(w, "serial_number", u->serial);
		hsa_jw_end(w);
	}
	hsa_jw_end(w);
}

void
ep_body_units(struct hsa_buf *b, const struct ep_config *cfg)
{
	struct hsa_jw w = {.b = b};

	hsa_jw_object(&w, NULL);
	list(&w, "hsms", cfg, EP_UNIT_OPERATIONAL);
	list(&w, "source_hsms", cfg, EP_UNIT_RECOVERY);
	list(&w, "failover_hsms", cfg, EP_UNIT_FAILOVER);
	hsa_jw_end(&w);
	hsa_buf_str(b, "\n");
}
