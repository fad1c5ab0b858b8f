/*
 * Members of requestData and responseData: hsa_data_* of hsa_event.h. A tree
 * of at most HSA_DATA_DEPTH objects, kept in the order of insertion.
 */
#include <stdlib.h>
#include <string.h>

#include "hsa_event.h"

static struct hsa_field *
find_here(const struct hsa_data *d, const char *name, size_t n)
{
	for (size_t i = 0; i < d->len; i++)
		if (strlen(d->field[i].name) == n &&
		    memcmp(d->field[i].name, name, n) == 0)
			return &d->field[i];
	return NULL;
}

static void
field_free(struct hsa_field *f)
{
	free(f->name);
	free(f->text);
	for (size_t i = 0; i < f->list_len; i++)
		free(f->list[i]);
	free(f->list);
	hsa_data_free(f->object);
	free(f->object);
	*f = (struct hsa_field){0};
}

void
hsa_data_free(struct hsa_data *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < d->len; i++)
		field_free(&d->field[i]);
	free(d->field);
	*d = (struct hsa_data){0};
}

/* Appends f under the n bytes of name; f stays the caller's on failure. */
static hsa_rc
append(struct hsa_data *d, const char *name, size_t n, struct hsa_field f)
{
	struct hsa_field *grown;

	grown = realloc(d->field, (d->len + 1) * sizeof(*grown));
	if (grown == NULL)
		return HSA_RC(E_NOMEM);
	d->field = grown;
	f.name = strndup(name, n);
	if (f.name == NULL)
		return HSA_RC(E_NOMEM);
	d->field[d->len++] = f;
	return HSA_OK;
}

/* Checked before anything is made, so that a refusal leaves d as it was. */
static hsa_rc
check(const struct hsa_data *d, const char *name)
{
	const struct hsa_field *f;
	unsigned int depth = 1;
	size_t n;

	for (;; name += n + 1) {
		n = strcspn(name, ".");
		if (n == 0)
			return HSA_RC(E_ARG);
		if (depth++ > HSA_DATA_DEPTH)
			return HSA_RC(E_RANGE);
		f = d == NULL ? NULL : find_here(d, name, n);
		if (f != NULL &&
		    (name[n] == '\0' || f->kind != HSA_VALUE_OBJECT))
			return HSA_RC(E_EXISTS);
		if (name[n] == '\0')
			return HSA_OK;
		d = f == NULL ? NULL : f->object;
	}
}

/* Takes f over in any case. */
static hsa_rc
add(struct hsa_data *d, const char *name, struct hsa_field *f)
{
	struct hsa_field between = {.kind = HSA_VALUE_OBJECT}, *at;
	size_t n;
	hsa_rc rc;

	HSA_TRY(rc, check(d, name));
	for (; name[n = strcspn(name, ".")] == '.'; name += n + 1) {
		at = find_here(d, name, n);
		if (at != NULL) {
			d = at->object;
			continue;
		}
		between.object = calloc(1, sizeof(*between.object));
		if (between.object == NULL) {
			rc = HSA_RC(E_NOMEM);
			goto out;
		}
		HSA_TRY(rc, append(d, name, n, between));
		d = between.object;
		between.object = NULL;
	}
	HSA_TRY(rc, append(d, name, n, *f));
	*f = (struct hsa_field){0};
out:
	free(between.object);
	field_free(f);
	return rc;
}

hsa_rc
hsa_data_text(struct hsa_data *d, const char *name, const char *text)
{
	struct hsa_field f = {.kind = HSA_VALUE_TEXT};

	f.text = strdup(text);
	return f.text == NULL ? HSA_RC(E_NOMEM) : add(d, name, &f);
}

hsa_rc
hsa_data_integer(struct hsa_data *d, const char *name, int64_t v)
{
	struct hsa_field f = {.kind = HSA_VALUE_INTEGER, .integer = v};

	return add(d, name, &f);
}

hsa_rc
hsa_data_boolean(struct hsa_data *d, const char *name, bool v)
{
	struct hsa_field f = {.kind = HSA_VALUE_BOOLEAN, .integer = v};

	return add(d, name, &f);
}

static char *
hex_of(const uint8_t *id, size_t len)
{
	char *text;

	if (len > (SIZE_MAX - 1) / 2)
		return NULL;
	text = malloc(2 * len + 1);
	if (text != NULL)
		hsa_hex(text, id, len);
	return text;
}

hsa_rc
hsa_data_hex(
    struct hsa_data *d, const char *name, const uint8_t *id, size_t len)
{
	struct hsa_field f = {.kind = HSA_VALUE_TEXT};

	f.text = hex_of(id, len);
	return f.text == NULL ? HSA_RC(E_NOMEM) : add(d, name, &f);
}

hsa_rc
hsa_data_hex_list(struct hsa_data *d, const char *name, const uint8_t *ids,
    size_t len, size_t n)
{
	struct hsa_field f = {.kind = HSA_VALUE_LIST};

	if (n != 0) {
		f.list = calloc(n, sizeof(*f.list));
		if (f.list == NULL)
			return HSA_RC(E_NOMEM);
	}
	for (; f.list_len < n; f.list_len++) {
		f.list[f.list_len] = hex_of(ids + f.list_len * len, len);
		if (f.list[f.list_len] == NULL) {
			field_free(&f);
			return HSA_RC(E_NOMEM);
		}
	}
	return add(d, name, &f);
}

const struct hsa_field *
hsa_data_find(const struct hsa_data *d, const char *name)
{
	const struct hsa_field *f;
	size_t n;

	for (;; name += n + 1) {
		n = strcspn(name, ".");
		f = find_here(d, name, n);
		if (f == NULL || name[n] == '\0')
			return f;
		if (f->kind != HSA_VALUE_OBJECT)
			return NULL;
		d = f->object;
	}
}
