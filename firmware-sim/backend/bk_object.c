#include <string.h>

#include "bk_core.h"
#include "bk_object.h"
#include "bk_sync.h"
#include "hsa_hash.h"

/* A unit has three live objects; strays come one per crash. */
#define OBJECTS_MAX 1024

/* What an object class is in the token: all of these must be there. */
static const struct half {
	enum cu_object_class of;
	CK_OBJECT_CLASS cls;
	const char *label;
	const char *text;
} halves[] = {
    {CU_OBJECT_MASTER_KEY, CKO_SECRET_KEY, BK_LABEL_MASTER, "master key"},
    {CU_OBJECT_IMPORTER, CKO_PRIVATE_KEY, BK_LABEL_IMPORTER,
	"private half of importer key"},
    {CU_OBJECT_IMPORTER, CKO_PUBLIC_KEY, BK_LABEL_IMPORTER,
	"public half of importer key"},
};
#define HALVES (sizeof(halves) / sizeof(halves[0]))

hsa_rc
bk_object_id(struct bk_ses *s, struct cu_key_id *id)
{
	struct cu_key_id fresh = {.set = true};
	hsa_rc rc = bk_ck_random(s, fresh.b, sizeof(fresh.b));

	if (hsa_is_ok(rc))
		*id = fresh;
	return rc;
}

static hsa_rc
find_all(struct bk_ses *s, CK_OBJECT_HANDLE *h, size_t *n, size_t max,
    CK_OBJECT_CLASS cls, const char *label, const struct cu_key_id *id)
{
	struct bk_attrs t = {0};

	bk_attr_num(&t, CKA_CLASS, cls);
	bk_attr_bool(&t, CKA_TOKEN, true);
	bk_attr_bytes(&t, CKA_LABEL, label, strlen(label));
	if (id != NULL)
		bk_attr_bytes(&t, CKA_ID, id->b, sizeof(id->b));
	return bk_ck_find(s, h, n, max, &t);
}

hsa_rc
bk_object_find(struct bk_ses *s, CK_OBJECT_HANDLE *h, CK_OBJECT_CLASS cls,
    const char *label, const struct cu_key_id *id)
{
	CK_OBJECT_HANDLE got[2] = {0};
	size_t n = 0;
	hsa_rc rc;

	HSA_TRY(rc, find_all(s, got, &n, 2, cls, label, id));
	if (n == 0)
		rc = HSA_RC(E_NOT_FOUND);
	else if (n > 1)
		rc = HSA_RC(E_CORRUPT);
	else
		*h = got[0];
out:
	return rc;
}

hsa_rc
bk_object_random(void *ctx, void *out, size_t n)
{
	struct bk_ses s = {0};
	hsa_rc rc;

	HSA_TRY(rc, bk_core_enter(ctx, &s));
	HSA_TRY(rc, bk_ck_random(&s, out, n));
out:
	bk_core_leave(ctx, &s);
	return rc;
}

/* Every half of the class, also when destroying one fails. */
static hsa_rc
destroy(struct bk_ses *s, enum cu_object_class cls, const struct cu_key_id *id)
{
	CK_OBJECT_HANDLE h[8] = {0};
	hsa_rc rc = HSA_OK, one;
	size_t n;

	for (size_t i = 0; i < HALVES; i++) {
		if (halves[i].of != cls)
			continue;
		n = 0;
		one = find_all(s, h, &n, 8, halves[i].cls, halves[i].label, id);
		if (!hsa_is_ok(one))
			rc = one;
		for (size_t j = 0; j < n; j++) {
			one = bk_ck_destroy(s, h[j]);
			if (!hsa_is_ok(one))
				rc = one;
		}
	}
	return rc;
}

hsa_rc
bk_object_destroy(
    void *ctx, enum cu_object_class cls, const struct cu_key_id *id)
{
	struct bk_ses s = {0};
	hsa_rc rc;

	if (!id->set)
		return HSA_OK;
	HSA_TRY(rc, bk_core_enter(ctx, &s));
	HSA_TRY(rc, destroy(&s, cls, id));
out:
	bk_core_leave(ctx, &s);
	return rc;
}

static bool
named(const struct cu_key_id *list, size_t n, const struct cu_key_id *id)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].set && memcmp(list[i].b, id->b, sizeof(id->b)) == 0)
			return true;
	return false;
}

/* E_CORRUPT unless every half of the object that id names is there. */
static hsa_rc
present(struct bk_ses *s, const struct cu_key_id *id, struct hsa_diag *diag,
    const struct bk_p11 *b)
{
	char hex[2 * CU_KEY_ID_LEN + 1];
	const char *missing = "master or importer key";
	enum cu_object_class of = 0;
	bool have[HALVES] = {false};
	CK_OBJECT_HANDLE h[1] = {0};
	hsa_rc rc = HSA_OK;
	size_t n;

	for (size_t i = 0; i < HALVES; i++) {
		n = 0;
		HSA_TRY(rc,
		    find_all(s, h, &n, 1, halves[i].cls, halves[i].label, id));
		have[i] = n != 0;
		if (have[i])
			of = halves[i].of;
	}
	for (size_t i = 0; i < HALVES; i++)
		if (of == halves[i].of && !have[i]) {
			missing = halves[i].text;
			of = 0;
		}
	if (of != 0)
		goto out;
	hsa_hex(hex, id->b, sizeof(id->b));
	rc = hsa_fail(diag, HSA_RC(E_CORRUPT),
	    "the unit's state names %s %s, which the token in %s does not "
	    "hold; restore the whole folder of the unit from one backup",
	    missing, hex, b->path.token);
out:
	return rc;
}

static hsa_rc
sweep(struct bk_ses *s, size_t *removed, const struct half *half,
    const struct cu_key_id *keep, size_t n)
{
	CK_OBJECT_HANDLE h[OBJECTS_MAX];
	struct cu_key_id id = {.set = true};
	size_t found = 0;
	hsa_rc rc;

	HSA_TRY(rc,
	    find_all(s, h, &found, OBJECTS_MAX, half->cls, half->label, NULL));
	for (size_t i = 0; i < found; i++) {
		rc = bk_ck_get_exact(s, id.b, sizeof(id.b), h[i], CKA_ID);
		if (hsa_is_ok(rc) && named(keep, n, &id))
			continue;
		/* a foreign id is nobody's */
		if (!hsa_is_ok(rc) && rc.v != HSA_E_RANGE)
			goto out;
		HSA_TRY(rc, bk_ck_destroy(s, h[i]));
		(*removed)++;
	}
	rc = HSA_OK;
out:
	return rc;
}

hsa_rc
bk_object_collect(void *ctx, size_t *removed, const struct cu_key_id *keep,
    size_t n, struct hsa_diag *diag)
{
	struct bk_p11 *b = ctx;
	struct bk_ses s = {0};
	size_t gone = 0;
	hsa_rc rc;

	HSA_TRY(rc, bk_core_enter(b, &s));
	/* look before touching: a token that does not fit stays as it is */
	for (size_t i = 0; i < n; i++)
		if (keep[i].set)
			HSA_TRY(rc, present(&s, &keep[i], diag, b));
	for (size_t i = 0; i < HALVES; i++)
		HSA_TRY(rc, sweep(&s, &gone, &halves[i], keep, n));
	*removed = gone;
out:
	bk_core_leave(b, &s);
	if (!hsa_is_ok(rc) && rc.v != HSA_E_CORRUPT)
		hsa_diag_set(diag, "the token in %s refused a call: %s",
		    b->path.token, bk_ck_rv_name(b->ck.last));
	return rc;
}

hsa_rc
bk_object_list(void *ctx, struct cu_key_id *id, size_t *n, size_t max)
{
	CK_OBJECT_HANDLE h[OBJECTS_MAX];
	struct bk_ses s = {0};
	struct cu_key_id one = {.set = true};
	size_t found = 0, out = 0;
	hsa_rc rc;

	HSA_TRY(rc, bk_core_enter(ctx, &s));
	HSA_TRY(rc, find_all(&s, h, &found, OBJECTS_MAX, CKO_SECRET_KEY,
			BK_LABEL_MASTER, NULL));
	for (size_t i = 0; i < found && out < max; i++) {
		HSA_TRY(rc,
		    bk_ck_get_exact(&s, one.b, sizeof(one.b), h[i], CKA_ID));
		id[out++] = one;
	}
	*n = out;
out:
	bk_core_leave(ctx, &s);
	return rc;
}

hsa_rc
bk_object_sync(void *ctx)
{
	struct bk_p11 *b = ctx;
	hsa_rc rc;

	(void)pthread_mutex_lock(&b->lock);
	rc = bk_sync_tree(b->path.token);
	(void)pthread_mutex_unlock(&b->lock);
	return rc;
}
