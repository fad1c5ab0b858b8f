/* Rules for who and what: target, CRNs, host; and for secrets. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "hsa_field_type.h"
#include "val_rule.h"
#include "val_words.h"

/* ---- CRN ----------------------------------------------------------------- */

#define CRN_PARTS 10

enum {
	CRN_REGION = 5,
	CRN_SCOPE,
	CRN_INSTANCE
};

struct part {
	const char *p;
	size_t n;
};

/* crn:version:cname:ctype:service:region:scope:instance:type:resource; the last
 * one may hold colons. */
static bool
split(struct part to[CRN_PARTS], const char *s)
{
	size_t i;

	for (i = 0; i < CRN_PARTS; i++) {
		to[i].p = s;
		to[i].n = i + 1 < CRN_PARTS ? strcspn(s, ":") : strlen(s);
		s += to[i].n;
		if (i + 1 < CRN_PARTS && *s++ != ':')
			return false;
	}
	return to[0].n == 3 && memcmp(to[0].p, "crn", 3) == 0 && to[1].n == 2 &&
	       memcmp(to[1].p, "v1", 2) == 0 && to[2].n > 0 && to[3].n > 0 &&
	       to[4].n > 0;
}

static bool
same(const struct part *a, const struct part *b)
{
	return a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
}

static bool
crn(const struct val_event *e, struct val_report *r, enum val_field f,
    struct part to[CRN_PARTS])
{
	const char *s = val_get(e, f);

	if (s == NULL)
		return false;
	if (split(to, s))
		return true;
	val_find(r, VAL_E16, e->json, e->field[f],
	    "%.80s is no CRN: ten parts, crn:v1:...", s);
	return false;
}

static void
region(const struct val_event *e, struct val_report *r, const struct part *p)
{
	const struct val_node *at =
	    e->field[VAL_F_REQUEST] == NULL
		? NULL
		: val_member(e->json, e->field[VAL_F_REQUEST], "location");
	bool found = false;
	const char *s;
	size_t i;

	for (i = 0; val_regions[i] != NULL; i++)
		found |= p->n == strlen(val_regions[i]) &&
			 memcmp(p->p, val_regions[i], p->n) == 0;
	if (!found)
		val_find(r, VAL_E24, e->json, e->field[VAL_F_LOG_SOURCE],
		    "%.*s is no documented region, such as us-south", (int)p->n,
		    p->p);
	if (!e->tke || at == NULL || at->kind != VAL_TEXT)
		return;
	s = val_text(e->json, at);
	if (hsa_field_type("location")->fits(s) && /* else it is E08's */
	    (strncmp(s + 1, p->p, p->n) != 0 || s[1 + p->n] != ']'))
		val_find(r, VAL_E24, e->json, at,
		    "is in another region than logSourceCRN, %.*s", (int)p->n,
		    p->p);
}

void
val_rule_target(const struct val_event *e, struct val_report *r)
{
	struct part log[CRN_PARTS], target[CRN_PARTS];
	const char *type = val_get(e, VAL_F_TARGET_TYPE);
	bool log_ok = crn(e, r, VAL_F_LOG_SOURCE, log);
	bool target_ok = crn(e, r, VAL_F_TARGET_ID, target);
	const struct val_node *id = e->field[VAL_F_CORRELATION];

	if (e->row != NULL && type != NULL &&
	    strcmp(type, e->row->type_uri) != 0)
		val_find(r, VAL_E15, e->json, e->field[VAL_F_TARGET_TYPE],
		    "%.80s should be %s", type, e->row->type_uri);
	if (log_ok)
		region(e, r, &log[CRN_REGION]);
	if (log_ok && target_ok && !same(&log[CRN_SCOPE], &target[CRN_SCOPE]))
		val_find(r, VAL_E16, e->json, e->field[VAL_F_TARGET_ID],
		    "is of another account than logSourceCRN");
	else if (log_ok && target_ok &&
		 !same(&log[CRN_INSTANCE], &target[CRN_INSTANCE]))
		val_find(r, VAL_E16, e->json, e->field[VAL_F_TARGET_ID],
		    "is of another instance than logSourceCRN");
	if (e->row != NULL && !e->tke && (id == NULL || id->text_len == 0))
		val_find_at(r, VAL_E21, "correlationId",
		    "is missing; it names the API request of the event");
}

/* ---- host ---------------------------------------------------------------- */

static bool
is_address(const char *s, const char *type)
{
	unsigned char to[sizeof(struct in6_addr)];

	if (type != NULL && strcmp(type, "IPv6") == 0)
		return inet_pton(AF_INET6, s, to) == 1;
	return inet_pton(AF_INET, s, to) == 1;
}

/* The document names one form of initiator.id, for KMIP. */
static void
vcenter(const struct val_event *e, struct val_report *r)
{
	const char *id = val_get(e, VAL_F_INITIATOR_ID), *print;

	if (id == NULL)
		return;
	print = id + sizeof(VAL_VCENTER) - 1;
	if (strncmp(id, VAL_VCENTER, sizeof(VAL_VCENTER) - 1) != 0 ||
	    *print == '\0' || print[strspn(print, VAL_HEX_DIGITS ":")] != '\0')
		val_find(r, VAL_E42, e->json, e->field[VAL_F_INITIATOR_ID],
		    "%.80s should be " VAL_VCENTER "<fingerprint>", id);
}

void
val_rule_host(const struct val_event *e, struct val_report *r)
{
	const struct val_node *n = e->field[VAL_F_HOST_ADDRESS];
	const char *s = val_get(e, VAL_F_HOST_ADDRESS);
	const char *type = val_get(e, VAL_F_HOST_ADDRESS_TYPE);
	const char *who = val_get(e, VAL_F_INITIATOR_TYPE);
	bool kmip = e->row != NULL && strcmp(e->row->family, "kmip") == 0;
	bool service = who != NULL && strcmp(who, VAL_PERSON) != 0;

	if (kmip)
		vcenter(e, r);
	if (s == NULL) {
		if (!e->cfg->private_network && !kmip)
			val_find_at(r, VAL_E17, "initiator.host.address",
			    "is missing, as it is for requests through "
			    "private networks only: say --private-network if "
			    "they were");
		return;
	}
	/* requests of a service have none to tell */
	if (s[0] == '\0' && service)
		return;
	if (kmip) {
		val_find(r, VAL_E17, e->json, n,
		    "is there; events of KMIP for VMware do not include it");
		return;
	}
	/* names of a network, not addresses */
	if (type != NULL &&
	    (strcmp(type, "CSE") == 0 || strcmp(type, "subnet") == 0))
		return;
	if (!is_address(s, type))
		val_find(r, VAL_E17, e->json, n, "%.60s is no %s address", s,
		    type == NULL ? "IPv4" : type);
}

/* ---- secrets ------------------------------------------------------------- */

/* The mark with these before and behind it. Marks are rare, so this is several
 * times as fast as looking for the whole. */
static bool
holds(const char *s, size_t n, const char *before, char mark, const char *after)
{
	size_t b = strlen(before), a = strlen(after), left;
	const char *at;

	for (at = s; (at = memchr(at, mark, n - (size_t)(at - s))) != NULL;
	     at++) {
		left = n - (size_t)(at - s) - 1;
		if ((size_t)(at - s) >= b && left >= a &&
		    memcmp(at - b, before, b) == 0 &&
		    memcmp(at + 1, after, a) == 0)
			return true;
	}
	return false;
}

static const char *
secret_in(const char *s, size_t n)
{
	if (holds(s, n, "PRIVATE", ' ', "KEY-----"))
		return "a PEM private key";
	if (holds(s, n, "assword", '=', ""))
		return "a password";
	if (holds(s, n, "Bearer", ' ', "ey") ||
	    holds(s, n, "bearer", ' ', "ey"))
		return "a bearer token";
	/* a signed JSON Web Token: header and payload begin {" */
	if (holds(s, n, ".ey", 'J', ""))
		return "a JSON Web Token";
	return NULL;
}

static bool
secret_name(const char *s, size_t n)
{
	size_t i;

	for (i = 0; val_secret_names[i] != NULL; i++)
		if (n > 0 && (*s | 0x20) == *val_secret_names[i] &&
		    n == strlen(val_secret_names[i]) &&
		    strncasecmp(s, val_secret_names[i], n) == 0)
			return true;
	return false;
}

void
val_rule_secret(const struct val_event *e, struct val_report *r)
{
	const struct val_json *j = e->json;
	/* all strings of the event, decoded: no escape hides anything */
	bool some = j->text.len > 0 &&
		    secret_in((const char *)j->text.p, j->text.len) != NULL;
	const struct val_node *v;
	const char *what;
	size_t i;

	for (i = 0; i < j->len; i++) {
		v = &j->node[i];
		if (v->kind != VAL_TEXT)
			continue;
		what = some ? secret_in(val_text(j, v), v->text_len) : NULL;
		if (what != NULL)
			val_find(r, VAL_E18, j, v, "holds %s", what);
		else if (v->member && v->text_len > 0 &&
			 secret_name(val_name(j, v), v->name_len))
			val_find(r, VAL_E18, j, v,
			    "is named as what no event may hold");
	}
}
