#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "tkc_files.h"
#include "tkc_fleet.h"

static const struct {
	const char *member;
	const char *name;
	enum tkc_unit_type type;
	bool required;
} lists[] = {
    {"hsms", "operational", TKC_UNIT_OPERATIONAL, true},
    {"source_hsms", "recovery", TKC_UNIT_RECOVERY, false},
    {"failover_hsms", "failover", TKC_UNIT_FAILOVER, false},
};
#define LISTS (sizeof(lists) / sizeof(lists[0]))

const char *
tkc_unit_type_name(enum tkc_unit_type t)
{
	size_t i;

	for (i = 0; i < LISTS; i++)
		if (lists[i].type == t)
			return lists[i].name;
	return "unknown";
}

/* One "[...]" of a location; *s moves behind it and a following dot. */
static hsa_rc
location_part(const char **s, const char **text, size_t *n, bool last)
{
	const char *at = *s, *end = NULL;

	if (*at != '[')
		return HSA_RC(E_FORMAT);
	for (end = ++at; *end != ']'; end++)
		if ((unsigned char)*end <= 0x20 || (unsigned char)*end > 0x7e ||
		    *end == '.' || *end == '[')
			return HSA_RC(E_FORMAT);
	if (end == at || end[1] != (last ? '\0' : '.'))
		return HSA_RC(E_FORMAT);
	*text = at;
	*n = (size_t)(end - at);
	*s = end + (last ? 1 : 2);
	return HSA_OK;
}

static hsa_rc
small_number(uint32_t *v, const char *p, size_t n)
{
	uint32_t x = 0;
	size_t i;

	if (n > 6)
		return HSA_RC(E_RANGE);
	for (i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return HSA_RC(E_FORMAT);
		x = x * 10 + (uint32_t)(p[i] - '0');
	}
	*v = x;
	return HSA_OK;
}

hsa_rc
tkc_location_parse(uint32_t *module, uint32_t *domain, const char *text)
{
	const char *p = NULL;
	uint32_t m = 0, d = 0;
	size_t n = 0;
	hsa_rc rc;

	HSA_TRY(rc, location_part(&text, &p, &n, false));
	HSA_TRY(rc, location_part(&text, &p, &n, false));
	HSA_TRY(rc, location_part(&text, &p, &n, false));
	HSA_TRY(rc, small_number(&m, p, n));
	HSA_TRY(rc, location_part(&text, &p, &n, true));
	HSA_TRY(rc, small_number(&d, p, n));
	*module = m;
	*domain = d;
out:
	return rc;
}

/* Ids become part of a URL path, of file names and of terminal lines. */
static bool
plain(const char *s, size_t max)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz"
			     "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return n > 0 && n < max && s[n] == '\0' && s[0] != '.';
}

static hsa_rc
parse_unit(struct tkc_unit *u, const json_t *o, struct hsa_diag *diag)
{
	const char *id = json_string_value(json_object_get(o, "hsm_id"));
	const char *loc = json_string_value(json_object_get(o, "location"));
	const char *sn = json_string_value(json_object_get(o, "serial_number"));

	if (id == NULL || loc == NULL || sn == NULL)
		return hsa_fail(diag, HSA_RC(E_FORMAT),
		    "a crypto unit without hsm_id, location or serial_number");
	if (!plain(id, sizeof(u->id)) || !plain(sn, sizeof(u->serial)) ||
	    strlen(sn) != 8)
		return hsa_fail(diag, HSA_RC(E_FORMAT),
		    "a crypto unit with an impossible hsm_id or serial_number");
	if (strlen(loc) >= sizeof(u->location) ||
	    !hsa_is_ok(
		tkc_location_parse(&u->module_index, &u->domain_index, loc)))
		return hsa_fail(diag, HSA_RC(E_FORMAT),
		    "crypto unit %s: location is not "
		    "[region].[host].[module].[domain]",
		    id);
	snprintf(u->id, sizeof(u->id), "%s", id);
	snprintf(u->location, sizeof(u->location), "%s", loc);
	memcpy(u->serial, sn, sizeof(u->serial));
	return HSA_OK;
}

static hsa_rc
parse_list(struct tkc_fleet *f, const json_t *list, enum tkc_unit_type type,
    struct hsa_diag *diag)
{
	const json_t *o = NULL;
	size_t i, k;
	hsa_rc rc = HSA_OK;

	json_array_foreach(list, i, o)
	{
		struct tkc_unit *u = &f->unit[f->len];

		if (f->len >= TKC_FLEET_MAX)
			return hsa_fail(diag, HSA_RC(E_RANGE),
			    "more than %d crypto units", TKC_FLEET_MAX);
		*u = (struct tkc_unit){.type = type};
		HSA_TRY(rc, parse_unit(u, o, diag));
		for (k = 0; k < f->len; k++)
			if (strcmp(f->unit[k].id, u->id) == 0)
				return hsa_fail(diag, HSA_RC(E_FORMAT),
				    "crypto unit %s is listed twice", u->id);
		u->number = (unsigned int)++f->len;
	}
out:
	return rc;
}

hsa_rc
tkc_fleet_parse(
    struct tkc_fleet *f, const char *json, size_t n, struct hsa_diag *diag)
{
	json_error_t e;
	json_t *o = json_loadb(json, n, JSON_REJECT_DUPLICATES, &e);
	size_t i;
	hsa_rc rc = HSA_OK;

	f->len = 0;
	if (!json_is_object(o)) {
		rc = hsa_fail(diag, HSA_RC(E_FORMAT), "not a JSON object");
		goto out;
	}
	for (i = 0; i < LISTS; i++) {
		const json_t *list = json_object_get(o, lists[i].member);

		if (list == NULL && !lists[i].required)
			continue;
		if (!json_is_array(list)) {
			rc = hsa_fail(diag, HSA_RC(E_FORMAT),
			    "member \"%s\" is missing or not an array",
			    lists[i].member);
			goto out;
		}
		HSA_TRY(rc, parse_list(f, list, lists[i].type, diag));
	}
out:
	if (!hsa_is_ok(rc))
		f->len = 0;
	json_decref(o);
	return rc;
}

static hsa_rc
parse_instances(
    struct tkc_fleet *f, const struct hsa_buf *body, struct hsa_diag *diag)
{
	json_error_t e;
	json_t *o = json_loadb(body->len == 0 ? "" : (const char *)body->p,
	    body->len, JSON_REJECT_DUPLICATES, &e);
	const json_t *list = json_object_get(o, "instances");
	const char *id = json_string_value(
	    json_object_get(json_array_get(list, 0), "instance_id"));
	hsa_rc rc = HSA_OK;

	if (!json_is_array(list))
		rc = hsa_fail(diag, HSA_RC(E_SIGNATURE),
		    "the server's list of instances is not what it should be: "
		    "name one with --instance ID");
	else if (json_array_size(list) != 1)
		rc = hsa_fail(diag, HSA_RC(E_ARG),
		    "the server has %zu instances: name one with --instance ID",
		    json_array_size(list));
	else if (id == NULL || !plain(id, sizeof(f->instance)))
		rc = hsa_fail(diag, HSA_RC(E_SIGNATURE),
		    "the server's instance id is not usable in a path");
	else
		snprintf(f->instance, sizeof(f->instance), "%s", id);
	json_decref(o);
	return rc;
}

static hsa_rc
find_instance(struct tkc_fleet *f, const char *instance, struct hsa_diag *diag)
{
	struct hsa_buf body = {0};
	hsa_rc rc;

	if (instance != NULL) {
		if (!plain(instance, sizeof(f->instance)))
			return hsa_fail(diag, HSA_RC(E_ARG),
			    "--instance %.80s: not an instance id", instance);
		snprintf(f->instance, sizeof(f->instance), "%s", instance);
		return HSA_OK;
	}
	HSA_TRY(rc, tkc_http_get(f->http, &body, "/v1/tke", diag));
	HSA_TRY(rc, parse_instances(f, &body, diag));
out:
	hsa_buf_free(&body);
	return rc;
}

static hsa_rc
load_root(struct tkc_fleet *f, const char *path, struct hsa_diag *diag)
{
	struct hsa_buf pem = {0};
	BIO *bio = NULL;
	hsa_rc rc;

	rc = tkc_slurp(&pem, path, TKC_FILE_MAX, false, diag);
	if (!hsa_is_ok(rc)) {
		hsa_diag_wrap(diag, "root of the units' certificates "
				    "(--oa-root)");
		goto out;
	}
	bio = BIO_new_mem_buf(pem.p, (int)pem.len);
	f->root =
	    bio == NULL ? NULL : PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	if (f->root == NULL)
		rc = hsa_fail(diag, HSA_RC(E_CONFIG),
		    "%s holds no public key in PEM form: name the oa-root.pem "
		    "of the installation with --oa-root",
		    path);
out:
	BIO_free(bio);
	hsa_buf_free(&pem);
	return rc;
}

hsa_rc
tkc_fleet_open(struct tkc_fleet *f, struct tkc_http *http, const char *instance,
    const char *root_pem, struct hsa_diag *diag)
{
	struct hsa_buf body = {0};
	char path[128];
	hsa_rc rc;

	*f = (struct tkc_fleet){.http = http};
	HSA_TRY(rc, load_root(f, root_pem, diag));
	HSA_TRY(rc, find_instance(f, instance, diag));
	snprintf(path, sizeof(path), "/v1/tke/%s/hsms", f->instance);
	HSA_TRY(rc, tkc_http_get(http, &body, path, diag));
	rc = tkc_fleet_parse(f, hsa_buf_cstr(&body), body.len, diag);
	if (!hsa_is_ok(rc)) {
		hsa_diag_wrap(diag, "the server's list of crypto units");
		rc = HSA_RC(E_SIGNATURE);
	}
out:
	if (!hsa_is_ok(rc))
		tkc_fleet_close(f);
	hsa_buf_free(&body);
	return rc;
}

void
tkc_fleet_close(struct tkc_fleet *f)
{
	size_t i;

	if (f == NULL)
		return;
	for (i = 0; i < f->len; i++)
		EVP_PKEY_free(f->unit[i].oa_key);
	EVP_PKEY_free(f->root);
	*f = (struct tkc_fleet){.len = 0};
}

hsa_rc
tkc_fleet_find(struct tkc_unit **out, struct tkc_fleet *f, const char *text,
    struct hsa_diag *diag)
{
	struct tkc_unit *found = NULL;
	char number[16];
	size_t i;

	for (i = 0; i < f->len; i++) {
		struct tkc_unit *u = &f->unit[i];

		snprintf(number, sizeof(number), "%u", u->number);
		if (strcmp(text, number) != 0 &&
		    strcmp(text, u->location) != 0 &&
		    strcmp(text, u->id) != 0 && strcmp(text, u->serial) != 0)
			continue;
		if (found != NULL)
			return hsa_fail(diag, HSA_RC(E_ARG),
			    "\"%s\" means more than one crypto unit: use the "
			    "number",
			    text);
		found = u;
	}
	if (found == NULL)
		return hsa_fail(diag, HSA_RC(E_NOT_FOUND),
		    "no crypto unit \"%s\": list them with tke cryptounits",
		    text);
	*out = found;
	return HSA_OK;
}
