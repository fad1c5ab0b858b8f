#include <stdlib.h>
#include <string.h>

#include "val_in.h"
#include "val_known.h"

struct entry {
	char *key; /* the four, each with its NUL */
	size_t n;
	uint64_t left;
};

struct val_known {
	struct entry *e;
	size_t len, cap;
	struct hsa_buf key;
};

static void
key_of(struct hsa_buf *b, const char *input, const char *action,
    const char *check, const char *path)
{
	hsa_buf_reset(b);
	hsa_buf_put(b, input, strlen(input) + 1);
	hsa_buf_put(b, action, strlen(action) + 1);
	hsa_buf_put(b, check, strlen(check) + 1);
	hsa_buf_put(b, path, strlen(path) + 1);
}

static int
order(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;
	size_t n = a->n < b->n ? a->n : b->n;
	int d = memcmp(a->key, b->key, n);

	return d != 0 ? d : (a->n > b->n) - (a->n < b->n);
}

static hsa_rc
add(struct val_known *k)
{
	size_t cap = k->cap == 0 ? 64 : 2 * k->cap;
	struct entry *e;

	if (k->len == k->cap) {
		e = realloc(k->e, cap * sizeof(*e));
		if (e == NULL)
			return HSA_RC(E_NOMEM);
		k->e = e;
		k->cap = cap;
	}
	e = &k->e[k->len];
	*e = (struct entry){malloc(k->key.len), k->key.len, 1};
	if (e->key == NULL)
		return HSA_RC(E_NOMEM);
	memcpy(e->key, k->key.p, k->key.len);
	k->len++;
	return HSA_OK;
}

static const char *
text(const struct val_json *j, const char *name)
{
	const struct val_node *n = val_member(j, j->node, name);

	return n == NULL || n->kind != VAL_TEXT ? NULL : val_text(j, n);
}

static hsa_rc
take(struct val_known *k, const struct val_json *j, struct hsa_diag *diag)
{
	const char *input = text(j, "input"), *action = text(j, "action");
	const char *check = text(j, "check"), *path = text(j, "path");
	hsa_rc rc;

	if (val_member(j, j->node, "summary") != NULL)
		return HSA_OK;
	if (input == NULL || action == NULL || check == NULL || path == NULL)
		return hsa_fail(diag, HSA_RC(E_FORMAT),
		    "is no output of hsa validate --format json");
	key_of(&k->key, input, action, check, path);
	HSA_TRY(rc, hsa_buf_rc(&k->key));
	rc = add(k);
out:
	return rc;
}

/* Equal ones become one with their number. */
static void
join(struct val_known *k)
{
	size_t i, to = 0;

	if (k->len == 0)
		return;
	qsort(k->e, k->len, sizeof(*k->e), order);
	for (i = 1; i < k->len; i++)
		if (order(&k->e[to], &k->e[i]) == 0) {
			k->e[to].left++;
			free(k->e[i].key);
		} else {
			k->e[++to] = k->e[i];
		}
	k->len = to + 1;
}

hsa_rc
val_known_load(struct val_known **to, const char *path, struct hsa_diag *diag)
{
	struct val_known *k = calloc(1, sizeof(*k));
	struct val_json j = {0};
	struct val_in *in = NULL;
	struct val_text t = {0};
	struct hsa_diag why = {{0}};
	size_t at = 0;
	hsa_rc rc = HSA_RC(E_NOMEM);

	if (k == NULL)
		goto out;
	HSA_TRY(rc, val_in_open(&in, path, &why));
	while (hsa_is_ok(rc = val_in_next(in, &t, &why))) {
		if (t.bad != NULL) {
			rc = hsa_fail(&why, HSA_RC(E_FORMAT), "%s", t.bad);
			goto out;
		}
		HSA_TRY(rc, val_json_parse(&j, &at, &why, t.p, t.n));
		HSA_TRY(rc, take(k, &j, &why));
	}
	if (rc.v == HSA_E_NOT_FOUND)
		rc = HSA_OK;
	if (!hsa_is_ok(rc))
		goto out;
	join(k);
	*to = k;
	k = NULL;
out:
	if (!hsa_is_ok(rc))
		rc = hsa_fail(diag, rc, "%s: %s", path,
		    why.text[0] != '\0' ? why.text : hsa_err_text(rc));
	val_in_close(in);
	val_json_free(&j);
	val_known_free(k);
	return rc;
}

bool
val_known_has(
    struct val_known *k, const struct val_place *p, const struct val_finding *f)
{
	struct entry want, *e;

	key_of(
	    &k->key, p->input, p->action, val_check_row(f->check)->id, f->path);
	if (!hsa_is_ok(hsa_buf_rc(&k->key)) || k->len == 0)
		return false;
	want = (struct entry){(char *)k->key.p, k->key.len, 0};
	e = bsearch(&want, k->e, k->len, sizeof(*k->e), order);
	if (e == NULL || e->left == 0)
		return false;
	e->left--;
	return true;
}

void
val_known_free(struct val_known *k)
{
	size_t i;

	if (k == NULL)
		return;
	for (i = 0; i < k->len; i++)
		free(k->e[i].key);
	free(k->e);
	hsa_buf_free(&k->key);
	free(k);
}
