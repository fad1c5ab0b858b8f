#include <string.h>

#include "hsa_event.h"
#include "hsa_event_check.h"
#include "hsa_field_type.h"

static bool
holds(const struct hsa_field_type *t, const struct hsa_field *f)
{
	if (f->kind != t->kind)
		return false;
	if (f->kind == HSA_VALUE_TEXT)
		return f->text != NULL && t->fits(f->text);
	for (size_t i = 0; f->kind == HSA_VALUE_LIST && i < f->list_len; i++)
		if (!t->fits(f->list[i]))
			return false;
	return true;
}

/* The row's field called path, or one inside the object called path. */
static bool
documented(const char *list, const char *path, bool inside)
{
	struct hsa_field_spec spec;
	size_t at = 0, n = strlen(path);

	while (hsa_field_spec_next(list, &at, &spec))
		if (strncmp(spec.name, path, n) == 0 &&
		    spec.name[n] == (inside ? '.' : '\0'))
			return true;
	return false;
}

/* No member beside the documented ones. path holds the names of the objects
 * around d, each with its dot: n bytes. */
static hsa_rc
check_members(const struct hsa_data *d, const char *list, const char *member,
    char *path, size_t n, struct hsa_diag *diag)
{
	const size_t cap = sizeof(((struct hsa_field_spec *)NULL)->name);
	hsa_rc rc = HSA_OK;

	for (size_t i = 0; d != NULL && i < d->len; i++) {
		const struct hsa_field *f = &d->field[i];
		bool inside = f->kind == HSA_VALUE_OBJECT;
		size_t len = strlen(f->name);

		if (len < cap - n - 1)
			memcpy(path + n, f->name, len + 1);
		if (len >= cap - n - 1 || !documented(list, path, inside) ||
		    (inside && f->object->len == 0))
			return hsa_fail(diag, HSA_RC(E_ARG),
			    "%s.%.*s%s is not documented for this action: "
			    "leave "
			    "it out",
			    member, (int)n, path, f->name);
		if (!inside)
			continue;
		path[n + len] = '.';
		HSA_TRY(rc, check_members(f->object, list, member, path,
				n + len + 1, diag));
	}
out:
	return rc;
}

hsa_rc
hsa_event_check(const struct hsa_data *d, const char *list, const char *member,
    bool complete, struct hsa_diag *diag)
{
	char path[sizeof(((struct hsa_field_spec *)NULL)->name)] = "";
	const struct hsa_field *f = NULL;
	const struct hsa_field_type *t = NULL;
	struct hsa_field_spec spec;
	size_t at = 0;
	hsa_rc rc;

	HSA_TRY(rc, check_members(d, list, member, path, 0, diag));
	while (hsa_field_spec_next(list, &at, &spec)) {
		f = d == NULL ? NULL : hsa_data_find(d, spec.name);
		t = hsa_field_type(spec.type);
		if (f == NULL && complete && !spec.optional)
			return hsa_fail(diag, HSA_RC(E_ARG),
			    "%s.%s is missing: a success of this action "
			    "documents it as %s",
			    member, spec.name, t == NULL ? "?" : t->form);
		if (f != NULL && (t == NULL || !holds(t, f)))
			return hsa_fail(diag, HSA_RC(E_ARG),
			    "%s.%s has the wrong form: give %s", member,
			    spec.name, t == NULL ? "?" : t->form);
	}
out:
	return rc;
}
