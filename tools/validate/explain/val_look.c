#include <stdio.h>
#include <string.h>

#include "hsa_buf.h"
#include "hsa_hash.h"
#include "hsa_json.h"
#include "hsa_utf8.h"
#include "val_look.h"
#include "val_tree.h"

enum scope {
	LOOK_EVERY = 1,
	LOOK_ACTION,
	LOOK_SUCCESS_200,
	LOOK_FAILURE,
	LOOK_TKE,
	LOOK_TKE_SUCCESS,
	LOOK_NOT_TKE,
	LOOK_NOT_TKE_SUCCESS,
	LOOK_HASHES,
	LOOK_ADMINS,
	LOOK_STATE,
	LOOK_KMIP,
	LOOK_RECORD,   /* and what is around it; also one without an event */
	LOOK_CADF,     /* of whatever service */
	LOOK_NO_EVENT, /* records without an event only */
	LOOK_TEXT      /* whatever there is */
};

static const struct look {
	enum scope scope;
	const char *members;
} looks[VAL_CHECKS] = {
#define VAL_LOOK(CHECK, scope, members) [VAL_##CHECK] = {LOOK_##scope, members},
#include "val_look.def"
#undef VAL_LOOK
};

/* ---- whom a check is about ----------------------------------------------- */

static bool
has_hashes(const struct hsa_action_row *row)
{
	return strstr(row->request_data, ":hex64") != NULL ||
	       strstr(row->response_data, ":hex64") != NULL;
}

/* Why a check is not about this event; NULL: it is. */
static const char *
scope_off(enum scope scope, const struct val_event *e)
{
	bool success = e->outcome == VAL_OUTCOME_SUCCESS;

	if (scope == LOOK_EVERY || scope == 0)
		return NULL;
	if (scope == LOOK_FAILURE)
		return e->outcome == VAL_OUTCOME_FAILURE
			   ? NULL
			   : "about failures only";
	if (scope == LOOK_CADF)
		return NULL;
	if (scope == LOOK_NO_EVENT)
		return "about records without an event only";
	if (scope == LOOK_RECORD)
		return e->envelope != NULL || e->cfg->profile == VAL_UNIT
			   ? NULL
			   : "there is no record around this event";
	if (e->row == NULL)
		return "about known actions only";
	switch (scope) {
	case LOOK_SUCCESS_200:
		return success && e->row->success_is_200
			   ? NULL
			   : "about successes of Trusted Key Entry, "
			     "certificate manager, keystore and EP11 only";
	case LOOK_TKE:
		return e->tke ? NULL : "about Trusted Key Entry only";
	case LOOK_TKE_SUCCESS:
		return e->tke && success
			   ? NULL
			   : "about successes of Trusted Key Entry only";
	case LOOK_NOT_TKE:
		return e->tke ? "not about Trusted Key Entry" : NULL;
	case LOOK_NOT_TKE_SUCCESS:
		return e->tke || !success ? "about successes of other actions "
					    "than Trusted Key Entry only"
					  : NULL;
	case LOOK_HASHES:
		return has_hashes(e->row)
			   ? NULL
			   : "the action has no field with a hash";
	case LOOK_KMIP:
		return strcmp(e->row->family, "kmip") == 0 ? NULL
							   : "about KMIP only";
	case LOOK_STATE:
		return strstr(e->row->response_data, "keyState:") != NULL
			   ? NULL
			   : "the action has no field with a key state";
	case LOOK_ADMINS:
		return strstr(e->row->request_data, "adminId:") != NULL &&
			       success
			   ? NULL
			   : "about administrators added or removed only";
	case LOOK_ACTION:
	default:
		return NULL;
	}
}

static bool
begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

const char *
val_look_off(const struct val_run *run, enum val_check c)
{
	const struct val_check_row *row = val_check_row(c);

	if (run->report.off[c])
		return "left out by --disable";
	if (begins(row->why, "Across events") && !run->cfg.across)
		return "events are looked at one by one, --single";
	if (begins(row->why, "Across events, with --units") &&
	    run->across.fan.units == NULL)
		return "nobody says which units there are, --units";
	if (begins(row->why, "Profile unit") && run->cfg.profile != VAL_UNIT)
		return "about --profile unit only";
	if (begins(row->why, "Profile cadf-1.0") &&
	    run->cfg.profile != VAL_CADF_1_0)
		return "about --profile cadf-1.0 only";
	if (run->no_event)
		return looks[c].scope == LOOK_RECORD ||
			       looks[c].scope == LOOK_NO_EVENT ||
			       looks[c].scope == LOOK_TEXT
			   ? NULL
			   : "there is no event in this record";
	if (looks[c].scope == LOOK_TEXT)
		return NULL;
	if (run->event.json == NULL)
		return "there is no event to look at";
	return scope_off(looks[c].scope, &run->event);
}

/* ---- what it looked at --------------------------------------------------- */

/* A string of the event may hold anything. */
json_t *
val_look_text(const char *s, size_t n)
{
	struct hsa_buf b = {0};
	json_t *j;

	hsa_utf8_clean(&b, s, n);
	j = json_string(hsa_buf_cstr(&b));
	hsa_buf_free(&b);
	return j;
}

#define SHOWN 8 /* elements of a list */

static json_t *
value(const struct val_json *j, const struct val_node *n)
{
	const struct val_node *k;
	json_t *list;
	int some = 0;

	switch (n->kind) {
	case VAL_NULL:
		return json_null();
	case VAL_BOOL:
		return json_boolean(n->truth);
	case VAL_ARRAY:
		list = json_array();
		for (k = val_child(j, n); k != NULL && some < SHOWN;
		     k = val_next(j, k), some++)
			(void)json_array_append_new(list, value(j, k));
		return list;
	case VAL_OBJECT:
		return json_string("an object");
	case VAL_NUMBER:
		/* as it is written where it is too large */
		list = json_loadb(
		    val_text(j, n), n->text_len, JSON_DECODE_ANY, NULL);
		if (list != NULL)
			return list;
		return val_look_text(val_text(j, n), n->text_len);
	case VAL_TEXT:
	default:
		return val_look_text(val_text(j, n), n->text_len);
	}
}

static void
one(json_t *to, const char *path, json_t *v, hsa_rc *rc)
{
	json_t *j = json_object();

	val_tree_put(j, "path", json_string(path), rc);
	/* what is not there has no value */
	if (v != NULL)
		val_tree_put(j, "value", v, rc);
	val_tree_add(to, j, rc);
}

/* A member of requestData or responseData that nobody expects there. */
static bool
unexpected(const struct val_event *e, const char *path)
{
	const char *name = strchr(path, '.');
	const char *list = NULL;
	struct hsa_field_spec f;
	size_t at = 0;

	if (e->row != NULL && strncmp(path, "requestData.", 12) == 0)
		list = e->row->request_data;
	if (e->row != NULL && strncmp(path, "responseData.", 13) == 0)
		list = e->row->response_data;
	if (list == NULL)
		return false;
	while (hsa_field_spec_next(list, &at, &f))
		if (strcmp(f.name, name + 1) == 0)
			return false;
	return true;
}

/* The rules' own way first: what CADF has elsewhere, and what is in strings,
 * is there. What is of another kind than it should be is in the tree only. */
static const struct val_node *
find(const struct val_event *e, const char *path)
{
	const struct val_node *n;
	const char *rest = strchr(path, '.');
	size_t i;

	for (i = 1; i < VAL_FIELDS; i++) {
		const struct val_field_row *w =
		    val_field_row((enum val_field)i);
		size_t len = strlen(w->path);

		if (e->field[i] == NULL)
			continue;
		if (strcmp(w->path, path) == 0)
			return e->field[i];
		if (rest != NULL && len == (size_t)(rest - path) &&
		    memcmp(w->path, path, len) == 0 &&
		    (i == VAL_F_REQUEST || i == VAL_F_RESPONSE)) {
			n = val_member(e->json, e->field[i], rest + 1);
			if (n != NULL)
				return n;
		}
	}
	return val_member(e->json, &e->json->node[0], path);
}

static void
member(json_t *to, const struct val_event *e, const char *path, hsa_rc *rc)
{
	const struct val_node *n = find(e, path);

	if (n == NULL && unexpected(e, path))
		return;
	one(to, path, n == NULL ? NULL : value(e->json, n), rc);
}

static void
around(json_t *to, const struct val_envelope *v, const char *path, hsa_rc *rc)
{
	const char *name = strchr(path, '.') + 1;
	char s[HSA_UUID_TEXT > 40 ? HSA_UUID_TEXT : 40];
	json_t *j;

	if (v == NULL) {
		one(to, path, NULL, rc);
		return;
	}
	if (strcmp(name, "name") == 0) {
		j = val_look_text(v->name, strlen(v->name));
	} else if (strcmp(name, "unit") == 0) {
		hsa_uuid_text(s, v->unit_id);
		j = json_string(s);
	} else if (strcmp(name, "time") == 0) {
		hsa_time_rfc3339(s, v->wall_ns);
		j = json_string(s);
	} else {
		j = json_integer(
		    (json_int_t)(strcmp(name, "epoch") == 0      ? v->epoch
				 : strcmp(name, "sequence") == 0 ? v->sequence
				 : strcmp(name, "source") == 0   ? v->source
				 : strcmp(name, "rc") == 0       ? v->ep11_rc
							   : v->ep11_reason));
	}
	one(to, path, j, rc);
}

static bool
chosen(const char *which, const struct hsa_field_spec *f)
{
	const char *last = strrchr(f->name, '.');
	bool hash = strncmp(f->type, "hex64", 5) == 0;

	if (strcmp(which, "needed") == 0)
		return !f->optional;
	if (strcmp(which, "hash") == 0)
		return hash;
	if (strcmp(which, "state") == 0)
		return strcmp(last == NULL ? f->name : last + 1, "keyState") ==
		       0;
	return !hash && strcmp(f->type, "location") != 0; /* typed */
}

static void
documented(json_t *to, const struct val_event *e, const char *which,
    const char *data, const char *list, hsa_rc *rc)
{
	struct hsa_field_spec f;
	char path[96];
	size_t at = 0;

	while (hsa_field_spec_next(list, &at, &f)) {
		(void)snprintf(path, sizeof(path), "%s.%s", data, f.name);
		if (chosen(which, &f))
			member(to, e, path, rc);
	}
}

/* What is too many to show: how many there are. */
static void
counted(json_t *to, const struct val_event *e, const char *which, hsa_rc *rc)
{
	const struct val_json *j = e->json;
	unsigned int n = 0;
	size_t i;

	if (strcmp(which, "required") == 0) {
		for (i = 1; i < VAL_FIELDS; i++)
			n += val_field_row((enum val_field)i)->need ==
			     VAL_ALWAYS;
		one(to, "required members", json_integer(n), rc);
		return;
	}
	for (i = 0; i < j->len; i++)
		n +=
		    strcmp(which, "values") == 0 || j->node[i].kind == VAL_TEXT;
	one(to, strcmp(which, "values") == 0 ? "all values" : "all strings",
	    json_integer(n), rc);
}

void
val_look(json_t *to, const struct val_run *run, const struct val_envelope *v,
    enum val_check c, hsa_rc *rc)
{
	const struct val_event *e = &run->event;
	const char *members = looks[c].members;
	char path[96];
	size_t n;

	for (; members != NULL && *members != '\0';
	     members += n + strspn(members + n, " ")) {
		n = strcspn(members, " ");
		(void)snprintf(path, sizeof(path), "%.*s", (int)n, members);
		if (strncmp(path, "record.", 7) == 0)
			around(to, v, path, rc);
		else if (e->json == NULL)
			continue;
		else if (path[0] != '*')
			member(to, e, path, rc);
		else if (strcmp(path, "*values") == 0 ||
			 strcmp(path, "*texts") == 0 ||
			 strcmp(path, "*required") == 0)
			counted(to, e, path + 1, rc);
		else if (e->row != NULL) {
			documented(to, e, path + 1, "requestData",
			    e->row->request_data, rc);
			documented(to, e, path + 1, "responseData",
			    e->row->response_data, rc);
		}
	}
}
