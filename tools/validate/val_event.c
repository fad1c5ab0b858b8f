#include <string.h>

#include "val_check.h"
#include "val_event.h"

static const struct val_field_row rows[VAL_FIELDS] = {
#define VAL_FIELD(ID, PARENT, name, path, kinds, need)                         \
	[VAL_F_##ID] = {                                                       \
	    VAL_F_##PARENT, name, path, sizeof(name) - 1, kinds, need},
#include "val_field.def"
#undef VAL_FIELD
};

static const char *const profiles[] = {
    [VAL_IBM_AT] = "ibm-at",
    [VAL_AT_EXPORT] = "at-export",
    [VAL_UNIT] = "unit",
    [VAL_CADF_1_0] = "cadf-1.0",
};

const char *
val_profile_name(enum val_profile p)
{
	return profiles[p];
}

bool
val_profile_find(enum val_profile *p, const char *name)
{
	size_t i;

	for (i = 1; i < sizeof(profiles) / sizeof(profiles[0]); i++)
		if (strcmp(profiles[i], name) == 0) {
			*p = (enum val_profile)i;
			return true;
		}
	return false;
}

const struct val_field_row *
val_field_row(enum val_field f)
{
	return &rows[f];
}

static const char *
kind_text(unsigned int kinds)
{
	if (kinds & VAL_K_TEXT)
		return "a string";
	if (kinds & VAL_K_BOOL)
		return "true or false, without quotes";
	if (kinds & VAL_K_NUMBER)
		return "a number, without quotes";
	return kinds & VAL_K_NULL ? "an object or null" : "an object";
}

static bool
is_field(size_t i, enum val_field parent, const char *name, size_t n)
{
	return rows[i].parent == parent && rows[i].name_len == n &&
	       memcmp(rows[i].name, name, n) == 0;
}

/* After `last`, which is where members in the table's order are, then all. */
static enum val_field
find(enum val_field parent, const char *name, size_t n, enum val_field last)
{
	size_t i;

	for (i = last + 1; i < VAL_FIELDS; i++)
		if (is_field(i, parent, name, n))
			return (enum val_field)i;
	for (i = 1; i <= last; i++)
		if (is_field(i, parent, name, n))
			return (enum val_field)i;
	return VAL_F_ROOT;
}

static void
members(struct val_event *e, struct val_report *r, enum val_field parent)
{
	const struct val_json *j = e->json;
	const struct val_node *n;
	enum val_field f, last = parent;

	for (n = val_child(j, e->field[parent]); n != NULL;
	     n = val_next(j, n)) {
		/* what a collector wraps around */
		if (parent == VAL_F_ROOT && e->cfg->profile == VAL_AT_EXPORT &&
		    val_name(j, n)[0] == '_')
			continue;
		f = find(parent, val_name(j, n), n->name_len, last);
		if (f == VAL_F_ROOT) {
			val_find(r, VAL_E01, j, n,
			    "an event has no such member; what is the "
			    "service's own belongs into requestData or "
			    "responseData");
			continue;
		}
		last = f;
		if ((rows[f].kinds & 1u << n->kind) == 0) {
			val_find(r, VAL_E02, j, n, "must be %s",
			    kind_text(rows[f].kinds));
			continue;
		}
		if (e->field[f] != NULL) /* the first of two is read */
			continue;
		e->field[f] = n;
		if (n->kind == VAL_OBJECT && f != VAL_F_REQUEST &&
		    f != VAL_F_RESPONSE)
			members(e, r, f);
	}
}

static void
required(struct val_event *e, struct val_report *r)
{
	size_t i;

	for (i = 1; i < VAL_FIELDS; i++) {
		const struct val_field_row *w = &rows[i];

		/* of what is not there, the outermost is told */
		if (w->need != VAL_ALWAYS || e->field[i] != NULL ||
		    e->field[w->parent] == NULL)
			continue;
		/* one of another kind was told already */
		if (val_member(e->json, e->field[w->parent], w->name) == NULL)
			val_find_at(r, VAL_E02, w->path,
			    "is missing; every event has it");
	}
}

static void
outcome(struct val_event *e)
{
	const struct val_node *n = e->field[VAL_F_OUTCOME];

	if (val_is(e->json, n, "success"))
		e->outcome = VAL_OUTCOME_SUCCESS;
	else if (val_is(e->json, n, "failure"))
		e->outcome = VAL_OUTCOME_FAILURE;
	else if (val_is(e->json, n, "pending"))
		e->outcome = VAL_OUTCOME_PENDING;
}

void
val_event_known(struct val_event *e)
{
	const char *action = val_get(e, VAL_F_ACTION);

	outcome(e);
	if (action == NULL)
		return;
	e->row = hsa_catalogue_by_name(action);
	if (e->row == NULL) {
		e->row = hsa_catalogue_by_old_name(action);
		e->old_name = e->row != NULL;
	}
	e->tke = e->row != NULL && strcmp(e->row->family, "tke") == 0;
}

void
val_event_read(struct val_event *e, struct val_report *r,
    const struct val_config *cfg, const struct val_json *json)
{
	memset(e, 0, sizeof(*e));
	e->cfg = cfg;
	e->json = json;
	e->field[VAL_F_ROOT] = json->node;
	members(e, r, VAL_F_ROOT);
	required(e, r);
	e->has_code = val_integer(json, e->field[VAL_F_REASON_CODE], &e->code);
	if (!e->has_code)
		e->code = 0;
	val_event_known(e);
}

const char *
val_get(const struct val_event *e, enum val_field f)
{
	const struct val_node *n = e->field[f];

	return n == NULL || n->kind != VAL_TEXT ? NULL : val_text(e->json, n);
}
