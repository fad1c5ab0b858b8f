#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hsa_buf.h"
#include "val_edit.h"

/* The place in its parent: a name or, where that is a list, an index. */
struct spot {
	json_t *parent; /* borrowed */
	char name[64];
	bool element;
	size_t index;
};

static hsa_rc
step(struct spot *s, const char **at)
{
	size_t n;

	s->element = **at == '[';
	if (s->element) {
		char *end;

		s->index = (size_t)strtoul(*at + 1, &end, 10);
		if (*end != ']')
			return HSA_RC(E_ARG);
		*at = end + 1;
	} else {
		n = strcspn(*at, ".[");
		if (n == 0 || n >= sizeof(s->name))
			return HSA_RC(E_ARG);
		memcpy(s->name, *at, n);
		s->name[n] = '\0';
		*at += n;
	}
	if (**at == '.')
		++*at;
	return HSA_OK;
}

static json_t *
get(const struct spot *s)
{
	return s->element ? json_array_get(s->parent, s->index)
			  : json_object_get(s->parent, s->name);
}

static hsa_rc
find(struct spot *s, json_t *event, const char *at)
{
	hsa_rc rc;

	s->parent = event;
	HSA_TRY(rc, step(s, &at));
	while (*at != '\0') {
		s->parent = get(s);
		if (s->parent == NULL)
			return HSA_RC(E_NOT_FOUND);
		HSA_TRY(rc, step(s, &at));
	}
out:
	return rc;
}

/* Takes v, NULL when there is none. */
static hsa_rc
set(const struct spot *s, json_t *v)
{
	if (v == NULL)
		return HSA_RC(E_FORMAT);
	if (s->element
		? json_array_set_new(s->parent, s->index, v) != 0
		: json_object_set_new_nocheck(s->parent, s->name, v) != 0)
		return HSA_RC(E_NOT_FOUND);
	return HSA_OK;
}

static hsa_rc
member(json_t *event, const struct val_edit *e)
{
	struct spot s, from;
	hsa_rc rc;

	HSA_TRY(rc, find(&s, event, e->at));
	if (e->kind == VAL_EDIT_SET)
		return set(&s,
		    json_loads(e->to, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL));
	if (e->kind == VAL_EDIT_COPY) {
		HSA_TRY(rc, find(&from, event, e->to));
		return set(&s, json_deep_copy(get(&from)));
	}
	if (s.element ? json_array_remove(s.parent, s.index) != 0
		      : json_object_del(s.parent, s.name) != 0)
		return HSA_RC(E_NOT_FOUND);
out:
	return rc;
}

hsa_rc
val_edit_tree(json_t *list, const struct val_edit *e)
{
	json_t *event = json_array_get(list, e->event);
	int failed = 0;

	if (event == NULL)
		return HSA_RC(E_NOT_FOUND);
	switch (e->kind) {
	case VAL_EDIT_SET:
	case VAL_EDIT_COPY:
	case VAL_EDIT_DROP:
		return member(event, e);
	case VAL_EDIT_SKIP:
		failed = json_array_remove(list, e->event);
		break;
	case VAL_EDIT_SWAP:
		json_incref(event);
		failed = json_array_remove(list, e->event) != 0 ||
			 json_array_insert_new(list, e->event + 1, event) != 0;
		break;
	case VAL_EDIT_REPEAT:
		failed = json_array_insert(list, e->event, event);
		break;
	case VAL_EDIT_TEXT:
	case VAL_EDIT_NONE:
	default:
		return HSA_RC(E_ARG);
	}
	return failed != 0 ? HSA_RC(E_NOT_FOUND) : HSA_OK;
}

hsa_rc
val_edit_text(struct hsa_buf *b, const struct val_edit *e)
{
	struct hsa_buf to = {0};
	const char *s = hsa_buf_cstr(b), *at = strstr(s, e->at);
	hsa_rc rc;

	if (at == NULL)
		return HSA_RC(E_NOT_FOUND);
	hsa_buf_put(&to, s, (size_t)(at - s));
	hsa_buf_str(&to, e->to);
	hsa_buf_str(&to, at + strlen(e->at));
	HSA_TRY(rc, hsa_buf_rc(&to));
	hsa_buf_free(b);
	*b = to;
	return rc;
out:
	hsa_buf_free(&to);
	return rc;
}
