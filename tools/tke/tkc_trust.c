/* tkc_fleet.h: requests to one unit, and why its answers may be believed. */
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hsa_catalogue.h"
#include "hsa_json.h"
#include "tkc_fleet.h"
#include "tke_oa.h"
#include "tke_sig.h"

/* Whatever is wrong with bytes that came from the unit, the consequence is the
 * same: they are not believed. */
static hsa_rc
distrust(const struct tkc_unit *u, hsa_rc rc, struct hsa_diag *diag,
    const char *what)
{
	if (hsa_is_ok(rc) || rc.v == HSA_E_NOMEM || rc.v == HSA_E_REMOTE)
		return rc;
	if (diag != NULL && diag->text[0] == '\0')
		hsa_diag_set(diag, "%s", hsa_err_text(rc));
	hsa_diag_wrap(
	    diag, "crypto unit %u %s: %s", u->number, u->location, what);
	return HSA_RC(E_SIGNATURE);
}

/* {"response": "..."}, every member a string (2.3). */
static hsa_rc
unwrap(struct hsa_buf *text, const struct hsa_buf *body, struct hsa_diag *diag)
{
	json_error_t e;
	json_t *o = json_loadb(body->len == 0 ? "" : (const char *)body->p,
	    body->len, JSON_REJECT_DUPLICATES, &e);
	const json_t *v = json_object_get(o, "response");
	hsa_rc rc = HSA_OK;

	if (!json_is_string(v) || json_string_length(v) == 0)
		rc = hsa_fail(
		    diag, HSA_RC(E_FORMAT), "no string \"response\" in it");
	else
		hsa_buf_put(text, json_string_value(v), json_string_length(v));
	json_decref(o);
	if (hsa_is_ok(rc))
		rc = hsa_buf_rc(text);
	return rc;
}

/* Payload to payload. */
static hsa_rc
exchange(struct tkc_fleet *f, struct tkc_unit *u, struct hsa_buf *cprb,
    struct tke_slice *payload, const struct hsa_buf *request,
    struct hsa_diag *diag)
{
	struct hsa_buf text = {0}, json = {0}, body = {0}, answer = {0};
	char path[256];
	hsa_rc rc;

	HSA_TRY(rc, tke_request_encode(&text, u->module_index, u->domain_index,
			request->p, request->len));
	hsa_buf_str(&json, "{\"request\":");
	hsa_json_string(&json, hsa_buf_cstr(&text), text.len);
	hsa_buf_str(&json, "}");
	HSA_TRY(rc, hsa_buf_rc(&json));
	snprintf(path, sizeof(path), "/v1/tke/%s/hsms/%s", f->instance, u->id);
	HSA_TRY(
	    rc, tkc_http_post(f->http, &body, path, json.p, json.len, diag));
	rc = unwrap(&answer, &body, diag);
	if (hsa_is_ok(rc))
		rc = tke_reply_decode(
		    cprb, payload, hsa_buf_cstr(&answer), answer.len, diag);
	rc = distrust(u, rc, diag, "answer not understood");
out:
	hsa_buf_free(&text);
	hsa_buf_free(&json);
	hsa_buf_free(&body);
	hsa_buf_free(&answer);
	return rc;
}

/* 8.1, and what the SDK leaves out: the answer must be to this command, from
 * this module and domain. */
static hsa_rc
check_answer(const struct tkc_unit *u, EVP_PKEY *key,
    const struct tke_admin_reply *r, uint32_t command, struct hsa_diag *diag)
{
	struct tke_signer_info s = {.used = 0};
	uint8_t ski[TKE_SKI_LEN];
	hsa_rc rc;

	if (r->envelope_rc != 0) {
		struct hsa_buf why = {0};

		hsa_ep11_text(&why, r->envelope_rc, 0);
		rc = hsa_fail(diag, HSA_RC(E_REMOTE),
		    "crypto unit %u could not read the request: %s", u->number,
		    hsa_buf_cstr(&why));
		hsa_buf_free(&why);
		return rc;
	}
	if (key != NULL) {
		HSA_TRY(rc,
		    tke_signer_info_parse(&s, r->signature.p, r->signature.n));
		HSA_TRY(rc, tke_ski(ski, key));
		if (memcmp(s.ski, ski, sizeof(ski)) != 0)
			return hsa_fail(diag, HSA_RC(E_SIGNATURE),
			    "it is signed by another key");
		HSA_TRY(rc, tke_verify(&s, key, r->block.p, r->block.n));
	}
	if (r->domain_index != u->domain_index)
		return hsa_fail(diag, HSA_RC(E_SIGNATURE),
		    "its envelope is for domain %u, not %u", r->domain_index,
		    u->domain_index);
	if (r->module.n != TKE_MODULE_LEN || r->domain.n != TKE_DOMAIN_LEN ||
	    r->counter.n != TKE_COUNTER_LEN)
		return HSA_RC(E_FORMAT);
	if (memcmp(r->module.p, u->serial, 8) != 0)
		return hsa_fail(diag, HSA_RC(E_SIGNATURE),
		    "it is module %.8s, the list says %s",
		    (const char *)r->module.p, u->serial);
	if (r->command != command)
		return hsa_fail(diag, HSA_RC(E_SIGNATURE),
		    "it answers another command (%#x, not %#x)", r->command,
		    command);
	rc = HSA_OK;
out:
	return rc;
}

/* 5.3: the certificate query's block names domain 0 whatever the real one; a
 * unit may echo that or name itself. */
static hsa_rc
check_domain(const struct tkc_unit *u, const struct tke_admin_reply *r,
    struct hsa_diag *diag)
{
	const uint8_t *d = r->domain.p;
	uint32_t got = (uint32_t)d[0] << 24 | (uint32_t)d[1] << 16 |
		       (uint32_t)d[2] << 8 | d[3];

	if (got == u->domain_index || r->command == TKE_QUERY_DEVICE_CERT)
		return HSA_OK;
	return hsa_fail(diag, HSA_RC(E_SIGNATURE),
	    "it speaks for domain %u, not %u", got, u->domain_index);
}

static hsa_rc
admin(struct tkc_fleet *f, struct tkc_unit *u, struct tkc_answer *a,
    EVP_PKEY *key, struct tke_slice block, struct tke_slice signatures,
    uint32_t command, struct hsa_diag *diag)
{
	struct hsa_buf request = {0};
	struct tke_slice payload = {0};
	hsa_rc rc;

	hsa_diag_set(diag, "%s", "");
	tkc_answer_free(a);
	HSA_TRY(rc, tke_admin_request_encode(
			&request, u->domain_index, block, signatures));
	HSA_TRY(rc, exchange(f, u, &a->cprb, &payload, &request, diag));
	rc = tke_admin_reply_decode(&a->reply, payload.p, payload.n, diag);
	if (hsa_is_ok(rc))
		rc = check_answer(u, key, &a->reply, command, diag);
	if (hsa_is_ok(rc))
		rc = check_domain(u, &a->reply, diag);
	rc = distrust(u, rc, diag, "its answer is not believed");
out:
	if (!hsa_is_ok(rc))
		tkc_answer_free(a);
	hsa_buf_free(&request);
	return rc;
}

void
tkc_answer_free(struct tkc_answer *a)
{
	if (a == NULL)
		return;
	hsa_buf_free(&a->cprb);
	*a = (struct tkc_answer){.reply = {0}};
}

static hsa_rc
query(struct tkc_fleet *f, struct tkc_unit *u, struct tkc_answer *a,
    EVP_PKEY *key, uint32_t id, struct tke_slice input, struct hsa_diag *diag)
{
	const struct tke_slice none = {0};
	uint8_t domain[TKE_DOMAIN_LEN] = {0};
	struct hsa_buf block = {0};
	hsa_rc rc;

	if (id != TKE_QUERY_DEVICE_CERT) {
		domain[0] = (uint8_t)(u->domain_index >> 24);
		domain[1] = (uint8_t)(u->domain_index >> 16);
		domain[2] = (uint8_t)(u->domain_index >> 8);
		domain[3] = (uint8_t)u->domain_index;
	}
	HSA_TRY(rc,
	    tke_admin_block_encode(&block, id,
		(struct tke_slice){domain, sizeof(domain)}, none, none, input));
	HSA_TRY(rc, admin(f, u, a, key, (struct tke_slice){block.p, block.len},
			none, id, diag));
out:
	hsa_buf_free(&block);
	return rc;
}

/* ---- the chain (8.2) ----------------------------------------------------- */

struct chain {
	struct tkc_answer cert[TKE_OA_CHAIN_MAX + 1]; /* and the end mark */
	struct tke_slice slice[TKE_OA_CHAIN_MAX];
	size_t len;
};

static hsa_rc
read_chain(struct tkc_fleet *f, struct tkc_unit *u, struct chain *c,
    struct hsa_diag *diag)
{
	struct tkc_answer a = {.reply = {0}};
	uint8_t index[4] = {0};
	hsa_rc rc;

	for (;;) {
		const struct tke_admin_reply *r = &a.reply;

		index[3] = (uint8_t)c->len;
		HSA_TRY(rc, query(f, u, &a, NULL, TKE_QUERY_DEVICE_CERT,
				(struct tke_slice){index, 4}, diag));
		if (c->len > 0 && r->rc == HSA_EP11_KEY_HANDLE_INVALID &&
		    r->reason == HSA_REASON_OA_INDEX_RANGE)
			break;
		if (r->rc != 0 || c->len == TKE_OA_CHAIN_MAX) {
			rc = hsa_fail(diag, HSA_RC(E_SIGNATURE),
			    "crypto unit %u: certificate %zu: %s", u->number,
			    c->len,
			    r->rc != 0 ? "refused" : "the chain does not end");
			goto out;
		}
		c->cert[c->len] = a;
		c->slice[c->len] = r->output;
		c->len++;
		a = (struct tkc_answer){.reply = {0}};
	}
	/* kept for the check of its signature below */
	c->cert[c->len] = a;
	a = (struct tkc_answer){.reply = {0}};
out:
	tkc_answer_free(&a);
	return rc;
}

/* The adapter a certificate was made for must be the one in the list. */
static hsa_rc
check_adapters(
    const struct tkc_unit *u, const struct chain *c, struct hsa_diag *diag)
{
	size_t i;

	for (i = 0; i < c->len; i++) {
		struct tke_oa_cert cert;
		hsa_rc rc = tke_oa_parse(&cert, c->slice[i].p, c->slice[i].n);

		if (!hsa_is_ok(rc))
			return rc;
		if (strncmp(cert.adapter_id, u->serial, 8) != 0)
			return hsa_fail(diag, HSA_RC(E_SIGNATURE),
			    "certificate %zu is for module %.8s, the list says "
			    "%s",
			    i, cert.adapter_id, u->serial);
	}
	return HSA_OK;
}

static hsa_rc
check_chain(struct tkc_fleet *f, const struct tkc_unit *u, EVP_PKEY **key,
    const struct chain *c, struct hsa_diag *diag)
{
	EVP_PKEY *got = NULL;
	size_t i;
	hsa_rc rc;

	HSA_TRY(rc, tke_oa_chain_verify(&got, c->slice, c->len, f->root, diag));
	HSA_TRY(rc, check_adapters(u, c, diag));
	/* now that the key is known: the answers that brought the chain */
	for (i = 0; i <= c->len; i++)
		HSA_TRY(rc, check_answer(u, got, &c->cert[i].reply,
				TKE_QUERY_DEVICE_CERT, diag));
	*key = got;
	got = NULL;
out:
	EVP_PKEY_free(got);
	return rc;
}

hsa_rc
tkc_fleet_trust(struct tkc_fleet *f, struct tkc_unit *u, struct hsa_diag *diag)
{
	struct chain *c = NULL;
	size_t i;
	hsa_rc rc;

	if (u->oa_key != NULL)
		return HSA_OK;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return HSA_RC(E_NOMEM);
	HSA_TRY(rc, read_chain(f, u, c, diag));
	rc = check_chain(f, u, &u->oa_key, c, diag);
	rc = distrust(u, rc, diag,
	    "not trusted: its certificate chain does not lead to --oa-root");
out:
	for (i = 0; i <= TKE_OA_CHAIN_MAX; i++)
		tkc_answer_free(&c->cert[i]);
	free(c);
	return rc;
}

hsa_rc
tkc_fleet_admin(struct tkc_fleet *f, struct tkc_unit *u, struct tkc_answer *a,
    struct tke_slice block, struct tke_slice signatures, uint32_t command,
    struct hsa_diag *diag)
{
	hsa_rc rc;

	HSA_TRY(rc, tkc_fleet_trust(f, u, diag));
	HSA_TRY(
	    rc, admin(f, u, a, u->oa_key, block, signatures, command, diag));
out:
	return rc;
}

hsa_rc
tkc_fleet_query(struct tkc_fleet *f, struct tkc_unit *u, struct tkc_answer *a,
    uint32_t id, struct tke_slice input, struct hsa_diag *diag)
{
	struct hsa_buf why = {0};
	hsa_rc rc;

	HSA_TRY(rc, tkc_fleet_trust(f, u, diag));
	HSA_TRY(rc, query(f, u, a, u->oa_key, id, input, diag));
	if (a->reply.rc != 0) {
		hsa_ep11_text(&why, a->reply.rc, a->reply.reason);
		rc = hsa_fail(diag, HSA_RC(E_REMOTE),
		    "crypto unit %u %s: query of %s refused: %s", u->number,
		    u->location, tke_command_text(id), hsa_buf_cstr(&why));
	}
out:
	hsa_buf_free(&why);
	return rc;
}

hsa_rc
tkc_fleet_info(struct tkc_fleet *f, struct tkc_unit *u,
    struct tke_domain_info *info, struct hsa_diag *diag)
{
	const struct tke_info_request q = {
	    u->domain_index, TKE_XCP_INFO_DOMAIN};
	struct hsa_buf request = {0}, cprb = {0};
	struct tke_slice payload = {0}, data = {0};
	uint32_t code = 0;
	hsa_rc rc;

	hsa_diag_set(diag, "%s", "");
	HSA_TRY(rc, tkc_fleet_trust(f, u, diag));
	HSA_TRY(rc, tke_info_request_encode(&request, &q));
	HSA_TRY(rc, exchange(f, u, &cprb, &payload, &request, diag));
	rc = tke_info_reply_decode(&data, &code, payload.p, payload.n);
	if (hsa_is_ok(rc) && code != 0)
		rc = HSA_RC(E_STATE);
	if (hsa_is_ok(rc))
		rc = tke_domain_info_decode(info, data.p, data.n);
	if (hsa_is_ok(rc) && info->domain_index != u->domain_index)
		rc = HSA_RC(E_FORMAT);
	rc = distrust(u, rc, diag, "its domain information is not believed");
out:
	hsa_buf_free(&request);
	hsa_buf_free(&cprb);
	return rc;
}
