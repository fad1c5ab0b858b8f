#include <stdio.h>
#include <string.h>

#include "val_cadf.h"
#include "val_time.h"

enum type {
	NONE = 0,
	EVENT,
	RESOURCE,
	HOST,
	CREDENTIAL,
	ENDPOINT,
	GEOLOCATION,
	REASON,
	MEASUREMENT,
	METRIC,
	STEP,
	ATTACHMENT,
	HS_EVENT,
	HS_RECORD
};

enum value {
	V_TEXT = 1,
	V_ID,  /* not empty */
	V_URI, /* with a scheme */
	V_TIME,
	V_EVENT_URI,
	V_EVENT_TYPE,
	V_ACTION,
	V_OUTCOME,
	V_RESOURCE_TYPE,
	V_ROLE,
	V_TRUTH,
	V_COUNT,
	V_ANY,
	V_MAP,
	V_TEXTS,
	V_ONE,
	V_MANY
};

static const struct row {
	const char *name;
	enum type type;
	enum value value;
	enum type of;
	bool need;
} rows[] = {
#define VAL_CADF(TYPE, name, value, need, OF)                                  \
	{name, TYPE, V_##value, OF, (need) != 0},
#include "val_cadf.def"
#undef VAL_CADF
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

struct walk {
	const struct val_config *cfg;
	const struct val_json *j;
	struct val_report *r;
};

static void object(
    const struct walk *w, const struct val_node *n, enum type type);

/* ---- vocabularies -------------------------------------------------------- */

static bool
listed(const char *s, const char *const *list)
{
	for (; *list != NULL; list++)
		if (strcmp(*list, s) == 0)
			return true;
	return false;
}

/* A node of a taxonomy, or one below: the first part is a root, and no part is
 * empty. Whoever needs finer types puts them below the closest node. */
static bool
rooted(const char *s, const char *const *roots)
{
	size_t n = strcspn(s, "/"), k;
	char root[32];

	if (n >= sizeof(root))
		return false;
	memcpy(root, s, n);
	root[n] = '\0';
	if (!listed(root, roots))
		return false;
	for (; s[n] != '\0'; n += k) {
		k = strcspn(s + n + 1, "/") + 1;
		if (k == 1)
			return false;
	}
	return true;
}

static const char *const event_types[] = {
    "activity", "monitor", "control", NULL};
static const char *const outcomes[] = {
    "success", "failure", "pending", "unknown", NULL};
static const char *const roles[] = {"observer", "modifier", "relay", NULL};
static const char *const actions[] = {"backup", "capture", "create",
    "configure", "read", "update", "delete", "monitor", "start", "stop",
    "deploy", "undeploy", "enable", "disable", "send", "receive",
    "authenticate", "revoke", "renew", "restore", "evaluate", "allow", "deny",
    "notify", "unknown", NULL};
static const char *const resources[] = {
    "storage", "compute", "network", "service", "data", "unknown", NULL};

static bool
is_uri(const char *s)
{
	size_t n = strspn(s,
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    "+-.");

	return n > 0 && s[n] == ':' && s[n + 1] != '\0' &&
	       strpbrk(s, " \t\r\n") == NULL;
}

static bool
time_fits(const char *s, bool strict)
{
	struct hsa_time t;

	if (!val_time_read(&t, s))
		return false;
	/* "+00:00", never Z, in CADF; the service's own has no colon */
	return !strict || (t.offset[0] != 'Z' && t.offset[3] == ':');
}

static void
text(const struct walk *w, const struct val_node *n, enum value v)
{
	const char *s = val_text(w->j, n);

	switch (v) {
	case V_ID:
		if (s[0] == '\0')
			val_find(w->r, VAL_E41, w->j, n,
			    "is an identifier, and empty");
		break;
	case V_URI:
		if (!is_uri(s))
			val_find(w->r, VAL_E40, w->j, n,
			    "%.60s is no URI: it names a domain or a type", s);
		break;
	case V_TIME:
		if (!time_fits(s, w->cfg->strict))
			val_find(w->r, VAL_E04, w->j, n,
			    "%.60s is not of the form "
			    "2025-11-22T10:42:07.310000+00:00",
			    s);
		break;
	case V_EVENT_URI:
		if (strcmp(s, VAL_CADF_EVENT) != 0)
			val_find(w->r, VAL_E40, w->j, n,
			    "%.80s is not " VAL_CADF_EVENT, s);
		break;
	case V_EVENT_TYPE:
		if (!listed(s, event_types))
			val_find(w->r, VAL_E40, w->j, n,
			    "%.60s is none of activity, monitor, control", s);
		break;
	case V_ACTION:
		if (!rooted(s, actions))
			val_find(w->r, VAL_E40, w->j, n,
			    "%.80s is no action of CADF's taxonomy, nor below "
			    "one: create, read, update, delete, evaluate ...",
			    s);
		break;
	case V_OUTCOME:
		if (!listed(s, outcomes))
			val_find(w->r, VAL_E40, w->j, n,
			    "%.60s is none of success, failure, pending, "
			    "unknown",
			    s);
		break;
	case V_RESOURCE_TYPE:
		if (!rooted(s, resources))
			val_find(w->r, VAL_E40, w->j, n,
			    "%.80s is no type of CADF's taxonomy, nor below "
			    "one: storage, compute, network, service, data",
			    s);
		break;
	case V_ROLE:
		if (!listed(s, roles))
			val_find(w->r, VAL_E40, w->j, n,
			    "%.60s is none of observer, modifier, relay", s);
		break;
	default: /* any text is one */
		break;
	}
}

/* ---- values -------------------------------------------------------------- */

static const char *
kind_text(enum value v)
{
	switch (v) {
	case V_TRUTH:
		return "true or false, without quotes";
	case V_COUNT:
		return "a number from 0, without quotes";
	case V_MAP:
	case V_ONE:
		return "an object";
	case V_TEXTS:
		return "an array of strings";
	case V_MANY:
		return "an array of objects";
	default:
		return "a string";
	}
}

static void
elements(const struct walk *w, const struct val_node *n, const struct row *row)
{
	enum val_kind want = row->value == V_TEXTS ? VAL_TEXT : VAL_OBJECT;
	const struct val_node *c;

	for (c = val_child(w->j, n); c != NULL; c = val_next(w->j, c))
		if (c->kind != want)
			val_find(w->r, VAL_E02, w->j, c, "must be %s",
			    want == VAL_TEXT ? "a string" : "an object");
		else if (want == VAL_OBJECT)
			object(w, c, row->of);
}

static void
value(const struct walk *w, const struct val_node *n, const struct row *row)
{
	enum val_kind want = VAL_TEXT;
	int64_t v = 0;

	switch (row->value) {
	case V_ANY:
		return;
	case V_TRUTH:
		want = VAL_BOOL;
		break;
	case V_COUNT:
		want = VAL_NUMBER;
		break;
	case V_MAP:
	case V_ONE:
		want = VAL_OBJECT;
		break;
	case V_TEXTS:
	case V_MANY:
		want = VAL_ARRAY;
		break;
	default:
		break;
	}
	if (n->kind != want ||
	    (want == VAL_NUMBER && (!val_integer(w->j, n, &v) || v < 0))) {
		val_find(w->r, VAL_E02, w->j, n, "must be %s",
		    kind_text(row->value));
		return;
	}
	if (want == VAL_TEXT)
		text(w, n, row->value);
	else if (row->value == V_ONE)
		object(w, n, row->of);
	else if (want == VAL_ARRAY)
		elements(w, n, row);
}

/* ---- what depends on what ------------------------------------------------ */

/* One of the two, not both. */
static void
either(const struct walk *w, const struct val_node *n, const char *a,
    const char *b)
{
	bool one = val_member(w->j, n, a) != NULL;
	bool other = val_member(w->j, n, b) != NULL;

	if (one && other)
		val_find(w->r, VAL_E41, w->j, n,
		    "has %s and %s: one of them says it", a, b);
	else if (!one && !other)
		val_find(w->r, VAL_E41, w->j, n, "has neither %s nor %s", a, b);
}

static void
event_parts(const struct walk *w, const struct val_node *n)
{
	const struct val_node *type = val_member(w->j, n, "eventType");

	either(w, n, "initiator", "initiatorId");
	either(w, n, "target", "targetId");
	either(w, n, "observer", "observerId");
	if (val_is(w->j, type, "control") &&
	    val_member(w->j, n, "reason") == NULL)
		val_find(w->r, VAL_E41, w->j, type,
		    "is control: a reason is required then");
	if (val_is(w->j, type, "monitor") &&
	    val_member(w->j, n, "measurements") == NULL)
		val_find(w->r, VAL_E41, w->j, type,
		    "is monitor: measurements are required then");
}

/* {"id": "target"} alone is one by reference to the event's own. */
static void
resource_parts(const struct walk *w, const struct val_node *n)
{
	const struct val_node *id = val_member(w->j, n, "id");

	if (val_member(w->j, n, "typeURI") != NULL)
		return;
	if ((val_is(w->j, id, "target") || val_is(w->j, id, "initiator")) &&
	    id->next == 0 && val_child(w->j, n) == id)
		return;
	val_find(w->r, VAL_E02, w->j, n,
	    "has no typeURI; every resource has its type");
}

static void
parts(const struct walk *w, const struct val_node *n, enum type type)
{
	switch (type) {
	case EVENT:
		event_parts(w, n);
		break;
	case RESOURCE:
		resource_parts(w, n);
		if (val_member(w->j, n, "geolocation") != NULL &&
		    val_member(w->j, n, "geolocationId") != NULL)
			either(w, n, "geolocation", "geolocationId");
		break;
	case GEOLOCATION:
		if (n->child == 0)
			val_find(w->r, VAL_E41, w->j, n, "is empty");
		break;
	case REASON:
		if (val_member(w->j, n, "reasonCode") != NULL &&
		    val_member(w->j, n, "reasonType") == NULL)
			val_find(w->r, VAL_E41, w->j, n,
			    "has reasonCode without reasonType, which says "
			    "whose it is");
		if (val_member(w->j, n, "policyId") != NULL &&
		    val_member(w->j, n, "policyType") == NULL)
			val_find(w->r, VAL_E41, w->j, n,
			    "has policyId without policyType, which says whose "
			    "it is");
		break;
	case MEASUREMENT:
		either(w, n, "metric", "metricId");
		break;
	case STEP:
		either(w, n, "reporter", "reporterId");
		break;
	default:
		break;
	}
}

/* ---- objects ------------------------------------------------------------- */

static void
content(const struct walk *w, const struct val_node *n)
{
	const struct val_node *type = val_member(w->j, n, "typeURI");
	const struct val_node *c = val_member(w->j, n, "content");
	enum type of = NONE;

	if (val_is(w->j, type, VAL_CADF_HS_EVENT))
		of = HS_EVENT;
	else if (val_is(w->j, type, VAL_CADF_HS_RECORD))
		of = HS_RECORD;
	if (of == NONE || c == NULL)
		return;
	if (c->kind == VAL_OBJECT)
		object(w, c, of);
	else
		val_find(w->r, VAL_E02, w->j, c, "must be an object");
}

/* No type holds itself, so this ends. */
static void
object(const struct walk *w, const struct val_node *n, enum type type)
{
	const struct val_node *c;
	size_t i;

	for (c = val_child(w->j, n); c != NULL; c = val_next(w->j, c)) {
		for (i = 0; i < ROWS; i++)
			if (rows[i].type == type &&
			    strcmp(rows[i].name, val_name(w->j, c)) == 0)
				break;
		if (i < ROWS)
			value(w, c, &rows[i]);
		else if (w->cfg->strict)
			val_find(w->r, VAL_E01, w->j, c,
			    "CADF has no such member; what is your own "
			    "belongs into attachments");
	}
	for (i = 0; i < ROWS; i++)
		if (rows[i].type == type && rows[i].need &&
		    val_member(w->j, n, rows[i].name) == NULL)
			val_find(
			    w->r, VAL_E02, w->j, n, "has no %s", rows[i].name);
	parts(w, n, type);
	if (type == ATTACHMENT)
		content(w, n);
}

void
val_cadf_check(const struct val_config *cfg, const struct val_json *j,
    struct val_report *r)
{
	const struct walk w = {cfg, j, r};

	object(&w, j->node, EVENT);
}
