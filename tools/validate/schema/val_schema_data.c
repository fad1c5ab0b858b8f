/* Of the schema: the documented members of requestData and responseData. */
#include <stdio.h>
#include <string.h>

#include "hsa_buf.h"
#include "hsa_field_type.h"
#include "val_schema_impl.h"
#include "val_words.h"

/* ---- what must be there -------------------------------------------------- */

/* The head of a dotted name, and whether field i is the first with it. */
static bool
first_with(const char *list, const char *name, size_t head)
{
	struct hsa_field_spec f;
	size_t at = 0;

	while (hsa_field_spec_next(list, &at, &f))
		if (strncmp(f.name, name, head) == 0 &&
		    (f.name[head] == '.' || f.name[head] == '\0'))
			return strcmp(f.name, name) == 0;
	return true;
}

static bool
is_demanded(const struct hsa_field_spec *f)
{
	return !f->optional && strcmp(f->type, "location") != 0;
}

/* Members of the list that begin with prefix ("" or "initialValue."). */
static void
demanded(struct sch *s, const char *list, const char *prefix, enum val_check c)
{
	size_t skip = strlen(prefix), at = 0, head;
	struct hsa_field_spec f;
	char name[2 * sizeof(f.name)];
	char seen[8][sizeof(f.name)];
	bool nested[8];
	size_t n = 0, i;

	while (hsa_field_spec_next(list, &at, &f) && n < 8) {
		if (!is_demanded(&f) || strncmp(f.name, prefix, skip) != 0)
			continue;
		head = strcspn(f.name + skip, ".");
		memcpy(seen[n], f.name + skip, head);
		seen[n][head] = '\0';
		for (i = 0; i < n && strcmp(seen[i], seen[n]) != 0;)
			i++;
		if (i == n)
			nested[n++] = f.name[skip + head] == '.';
	}
	hsa_jw_array(&s->w, "required");
	for (i = 0; i < n; i++)
		hsa_jw_text(&s->w, NULL, seen[i]);
	hsa_jw_end(&s->w);
	sch_open(s, "properties");
	for (i = 0; i < n; i++) {
		if (!nested[i]) {
			hsa_jw_bool(&s->w, seen[i], true);
			continue;
		}
		(void)snprintf(
		    name, sizeof(name), "%.63s%.63s.", prefix, seen[i]);
		sch_check(s, seen[i], c, "object");
		demanded(s, list, name, c);
		sch_close(s, 1);
	}
	sch_close(s, 1);
}

static void
must_have(struct sch *s, const struct hsa_action_row *row, enum val_field data,
    const char *list)
{
	enum val_check c = sch_is_tke(row) ? VAL_E09 : VAL_W05;
	struct hsa_field_spec f;
	bool some = false;
	const char *key;
	size_t at = 0;
	unsigned int n, outer;

	while (hsa_field_spec_next(list, &at, &f))
		some |= is_demanded(&f);
	if (!some || !sch_wants(s, c))
		return;
	outer = sch_begin(s, &key, data);
	sch_when_success(s, key, c);
	n = sch_present(s, data, c);
	hsa_jw_text(&s->w, "$comment", val_check_row(c)->id);
	hsa_jw_text(&s->w, "type", "object");
	demanded(s, list, "", c);
	sch_close(s, n + 2 + outer);
}

/* ---- types --------------------------------------------------------------- */

/* A type's name in $defs: brackets have no place in a fragment (RFC 3986). */
static void
def_name(char to[24], const char *type)
{
	size_t n = strcspn(type, "[");

	(void)snprintf(
	    to, 24, "%.*s%s", (int)n, type, type[n] == '\0' ? "" : "List");
}

/* "initialValue": all its documented members; or a value of its type. */
static void
typed(struct sch *s, const char *list, const struct hsa_field_spec *f,
    size_t skip)
{
	const char *name = f->name + skip;
	size_t head = strcspn(name, "."), at = 0;
	struct hsa_field_spec g;
	char key[sizeof(g.name)];

	memcpy(key, name, head);
	key[head] = '\0';
	sch_open(s, key);
	if (name[head] == '\0') {
		char ref[40], def[24];

		def_name(def, f->type);
		(void)snprintf(ref, sizeof(ref), "#/$defs/%s",
		    val_is_key_state(f->name) ? "keyState" : def);
		hsa_jw_text(&s->w, "$ref", ref);
		sch_close(s, 1);
		return;
	}
	sch_open(s, "if");
	hsa_jw_text(&s->w, "type", "object");
	sch_close(s, 1);
	sch_open(s, "then");
	hsa_jw_text(&s->w, "type", "object");
	sch_open(s, "properties");
	skip += head + 1;
	while (hsa_field_spec_next(list, &at, &g))
		if (strncmp(g.name, f->name, skip) == 0 &&
		    first_with(
			list, g.name, skip + strcspn(g.name + skip, ".")))
			typed(s, list, &g, skip);
	sch_close(s, 3);
}

static void
types(struct sch *s, const struct hsa_action_row *row, enum val_field data,
    const char *list)
{
	struct hsa_field_spec f;
	size_t at = 0;
	unsigned int n;

	if (list[0] == '\0')
		return;
	sch_open(s, NULL);
	n = sch_within(s, data);
	sch_open(s, "properties");
	while (hsa_field_spec_next(list, &at, &f)) {
		/* E08's */
		if (strcmp(f.type, "location") == 0 && sch_is_tke(row))
			continue;
		if (first_with(list, f.name, strcspn(f.name, ".")))
			typed(s, list, &f, 0);
	}
	sch_close(s, 1);
	/* the other spelling counts where the documented one is not there */
	for (at = 0; hsa_field_spec_next(list, &at, &f);) {
		const char *alias = val_name_alias(f.name);
		struct hsa_field_spec g = f;

		if (alias == NULL)
			continue;
		sch_open(s, "if");
		sch_open(s, "not");
		sch_required(s, f.name);
		sch_open(s, "properties");
		hsa_jw_bool(&s->w, f.name, true);
		sch_close(s, 3);
		sch_open(s, "then");
		hsa_jw_text(&s->w, "type", "object");
		sch_open(s, "properties");
		(void)snprintf(g.name, sizeof(g.name), "%s", alias);
		typed(s, list, &g, 0);
		sch_close(s, 2);
	}
	sch_close(s, n + 1);
}

static void
type_def(struct sch *s, const struct hsa_field_type *t)
{
	bool hash = strncmp(t->name, "hex64", 5) == 0;
	enum val_check c = hash ? VAL_E10 : VAL_E22;
	char name[24];

	def_name(name, t->name);
	sch_check(s, name, c,
	    t->kind == HSA_VALUE_LIST      ? "array"
	    : t->kind == HSA_VALUE_INTEGER ? "integer"
	    : t->kind == HSA_VALUE_BOOLEAN ? "boolean"
					   : "string");
	hsa_jw_text(&s->w, "description", t->form);
	if (t->kind == HSA_VALUE_LIST) {
		sch_check(s, "items", c, "string");
		hsa_jw_text(&s->w, "pattern", t->pattern);
		sch_close(s, 1);
	} else if (t->kind == HSA_VALUE_INTEGER) {
		/* beyond, and readers that use doubles get another value */
		hsa_jw_int(&s->w, "minimum", -((int64_t)1 << 53));
		hsa_jw_int(&s->w, "maximum", (int64_t)1 << 53);
	} else if (t->pattern != NULL) {
		hsa_jw_text(&s->w, "pattern", t->pattern);
	}
	sch_close(s, 1);
}

void
sch_types(struct sch *s)
{
	static const char *const names[] = {"string", "uri", "uuid", "hex64",
	    "hex64[]", "location", "timestamp", "int", "bool"};
	size_t i;
	int64_t v;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		type_def(s, hsa_field_type(names[i]));
	sch_open(s, "keyState");
	hsa_jw_text(&s->w, "$ref", "#/$defs/int");
	sch_guard(s, VAL_E23, "integer");
	hsa_jw_array(&s->w, "enum");
	for (v = 0; v < 16; v++)
		if (val_key_state_fits(v))
			hsa_jw_int(&s->w, NULL, v);
	hsa_jw_end(&s->w);
	sch_close(s, 2);
}

void
sch_data(struct sch *s, const struct hsa_action_row *row)
{
	must_have(s, row, VAL_F_REQUEST, row->request_data);
	must_have(s, row, VAL_F_RESPONSE, row->response_data);
	types(s, row, VAL_F_REQUEST, row->request_data);
	types(s, row, VAL_F_RESPONSE, row->response_data);
}
