#include <stdlib.h>
#include <string.h>

#include "hsa_codec_event.h"

static int
by_text(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

/* FORMAT E6. Sorted, so that a hostile message of many names costs no more
 * than its size. */
static hsa_rc
check_names(struct hsa_pool *pool, const Hsa__V1__Data *m)
{
	const char **name = NULL;

	if (m->n_field == 0)
		return HSA_OK;
	name = hsa_pool_get(pool, m->n_field * sizeof(*name));
	if (name == NULL)
		return HSA_RC(E_NOMEM);
	for (size_t i = 0; i < m->n_field; i++) {
		name[i] = m->field[i]->name;
		if (name[i] == NULL)
			return HSA_RC(E_NOMEM);
		if (name[i][0] == '\0' || strchr(name[i], '.') != NULL)
			return HSA_RC(E_FORMAT);
	}
	qsort(name, m->n_field, sizeof(*name), by_text);
	for (size_t i = 1; i < m->n_field; i++)
		if (strcmp(name[i - 1], name[i]) == 0)
			return HSA_RC(E_FORMAT);
	return HSA_OK;
}

/* ---- writing ------------------------------------------------------------- */

static hsa_rc
list_put(Hsa__V1__Value *v, struct hsa_pool *pool, const struct hsa_field *f)
{
	v->list = hsa_pool_get(pool, sizeof(*v->list));
	if (v->list == NULL)
		return HSA_RC(E_NOMEM);
	hsa__v1__text_list__init(v->list);
	v->list->item =
	    hsa_pool_get(pool, f->list_len * sizeof(*v->list->item));
	if (v->list->item == NULL)
		return HSA_RC(E_NOMEM);
	v->list->n_item = f->list_len;
	for (size_t i = 0; i < f->list_len; i++)
		v->list->item[i] = hsa_pool_text(pool, f->list[i]);
	return HSA_OK;
}

static hsa_rc
value_put(Hsa__V1__Value *v, struct hsa_pool *pool, const struct hsa_field *f,
    unsigned int level)
{
	switch (f->kind) {
	case HSA_VALUE_TEXT:
		v->kind_case = HSA__V1__VALUE__KIND_TEXT;
		v->text = hsa_pool_text(pool, f->text);
		return HSA_OK;
	case HSA_VALUE_INTEGER:
		v->kind_case = HSA__V1__VALUE__KIND_INTEGER;
		v->integer = f->integer;
		return HSA_OK;
	case HSA_VALUE_BOOLEAN:
		v->kind_case = HSA__V1__VALUE__KIND_BOOLEAN;
		v->boolean = f->integer != 0;
		return HSA_OK;
	case HSA_VALUE_LIST:
		v->kind_case = HSA__V1__VALUE__KIND_LIST;
		return list_put(v, pool, f);
	case HSA_VALUE_OBJECT:
		v->kind_case = HSA__V1__VALUE__KIND_OBJECT;
		v->object = hsa_pool_get(pool, sizeof(*v->object));
		if (v->object == NULL)
			return HSA_RC(E_NOMEM);
		hsa__v1__data__init(v->object);
		return f->object == NULL ? HSA_RC(E_ARG)
		    : hsa_codec_data_put(v->object, pool, f->object, level + 1);
	}
	return HSA_RC(E_ARG);
}

hsa_rc
hsa_codec_data_put(Hsa__V1__Data *m, struct hsa_pool *pool,
    const struct hsa_data *d, unsigned int level)
{
	hsa_rc rc;

	if (level > HSA_DATA_DEPTH)
		return HSA_RC(E_RANGE);
	if (d->len == 0)
		return HSA_OK;
	m->field = hsa_pool_array(pool, d->len, sizeof(*m->field[0]));
	if (m->field == NULL)
		return HSA_RC(E_NOMEM);
	m->n_field = d->len;
	for (size_t i = 0; i < d->len; i++) {
		Hsa__V1__Field *f = m->field[i];

		hsa__v1__field__init(f);
		f->name = hsa_pool_text(pool, d->field[i].name);
		f->value = hsa_pool_get(pool, sizeof(*f->value));
		if (f->value == NULL)
			return HSA_RC(E_NOMEM);
		hsa__v1__value__init(f->value);
		HSA_TRY(rc, value_put(f->value, pool, &d->field[i], level));
	}
	rc = check_names(pool, m);
out:
	return rc;
}

/* ---- reading ------------------------------------------------------------- */

static hsa_rc
list_get(struct hsa_field *f, const Hsa__V1__TextList *m)
{
	if (m->n_item == 0)
		return HSA_OK;
	f->list = calloc(m->n_item, sizeof(*f->list));
	if (f->list == NULL)
		return HSA_RC(E_NOMEM);
	for (; f->list_len < m->n_item; f->list_len++) {
		f->list[f->list_len] = strdup(m->item[f->list_len]);
		if (f->list[f->list_len] == NULL)
			return HSA_RC(E_NOMEM);
	}
	return HSA_OK;
}

static hsa_rc
value_get(struct hsa_field *f, struct hsa_pool *pool, const Hsa__V1__Value *v,
    unsigned int level)
{
	switch (v->kind_case) {
	case HSA__V1__VALUE__KIND_TEXT:
		f->kind = HSA_VALUE_TEXT;
		f->text = strdup(v->text);
		return f->text == NULL ? HSA_RC(E_NOMEM) : HSA_OK;
	case HSA__V1__VALUE__KIND_INTEGER:
		f->kind = HSA_VALUE_INTEGER;
		f->integer = v->integer;
		return HSA_OK;
	case HSA__V1__VALUE__KIND_BOOLEAN:
		f->kind = HSA_VALUE_BOOLEAN;
		f->integer = v->boolean;
		return HSA_OK;
	case HSA__V1__VALUE__KIND_LIST:
		f->kind = HSA_VALUE_LIST;
		return list_get(f, v->list);
	case HSA__V1__VALUE__KIND_OBJECT:
		f->kind = HSA_VALUE_OBJECT;
		f->object = calloc(1, sizeof(*f->object));
		return f->object == NULL ? HSA_RC(E_NOMEM)
		    : hsa_codec_data_get(f->object, pool, v->object, level + 1);
	default:
		return HSA_RC(E_FORMAT);
	}
}

hsa_rc
hsa_codec_data_get(struct hsa_data *d, struct hsa_pool *pool,
    const Hsa__V1__Data *m, unsigned int level)
{
	hsa_rc rc;

	if (level > HSA_DATA_DEPTH)
		return HSA_RC(E_RANGE);
	HSA_TRY(rc, check_names(pool, m));
	if (m->n_field == 0)
		return HSA_OK;
	d->field = calloc(m->n_field, sizeof(*d->field));
	if (d->field == NULL)
		return HSA_RC(E_NOMEM);
	for (; d->len < m->n_field; d->len++) {
		struct hsa_field f = {0};

		if (m->field[d->len]->value == NULL)
			return HSA_RC(E_FORMAT);
		f.name = strdup(m->field[d->len]->name);
		if (f.name == NULL)
			return HSA_RC(E_NOMEM);
		rc = value_get(&f, pool, m->field[d->len]->value, level);
		d->field[d->len] = f;
		if (!hsa_is_ok(rc)) {
			d->len++; /* what f holds so far is freed with d */
			return rc;
		}
	}
out:
	return rc;
}
