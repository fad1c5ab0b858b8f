/* Attributes of a stored object: what the caller says, and what the object
 * says of itself, which nobody else may say differently. */
#include <stdlib.h>
#include <string.h>

#include "cu_ks.h"

#define CKA_LABEL 0x3u

/* Offsets of a key blob (ep11-host-api 10.1). */
#define BLOB_WKID 32
#define BLOB_WKID_LEN 16
#define BLOB_VERSION 64
#define BLOB_LEAST 112 /* header and MAC */
#define SPKI_LEAST 64

struct own {
	struct hsa_attr attr[HSA_KS_ATTRS_MAX];
	size_t n;
};

static void
own_add(struct own *o, uint64_t type, const void *p, size_t n)
{
	o->attr[o->n++] = (struct hsa_attr){.type = type, .p = p, .n = n};
}

static uint32_t
blob_read(struct own *o, struct hsa_diag *why, struct hsa_slice blob)
{
	const uint8_t *p = blob.p;

	if (blob.n >= SPKI_LEAST && p[0] == 0x30)
		return HSA_KS_OK;
	if (blob.n < BLOB_LEAST || p[BLOB_VERSION] != 0x34 ||
	    p[BLOB_VERSION + 1] != 0x12 || p[0] == 0x30) {
		hsa_diag_set(why, "give what the unit made, unchanged");
		return HSA_KS_BLOB_ERROR;
	}
	own_add(o, HSA_KS_CKA_WKID, p + BLOB_WKID, BLOB_WKID_LEN);
	return HSA_KS_OK;
}

static const struct hsa_attr *
find(const struct hsa_attr *a, size_t n, uint64_t type)
{
	size_t i = 0;

	for (i = 0; i < n; i++)
		if (a[i].type == type)
			return &a[i];
	return NULL;
}

/* A caller may repeat what the object says, and say nothing else. */
static uint32_t
merge(struct own *o, struct hsa_diag *why, const struct hsa_ks_request *q)
{
	size_t known = o->n, i = 0;

	for (i = 0; i < q->attr_len; i++) {
		const struct hsa_attr *a = &q->attr[i];
		const struct hsa_attr *mine = find(o->attr, known, a->type);

		if (mine != NULL &&
		    (mine->n != a->n ||
			(a->n != 0 && memcmp(mine->p, a->p, a->n) != 0))) {
			hsa_diag_set(why,
			    "attribute 0x%llx is not what the name or the "
			    "blob says",
			    (unsigned long long)a->type);
			return HSA_KS_TEMPLATE_INCONSISTENT;
		}
		if (mine != NULL)
			continue;
		if (o->n == HSA_KS_ATTRS_MAX) {
			hsa_diag_set(why, "there are too many attributes");
			return HSA_KS_ARGUMENTS_BAD;
		}
		o->attr[o->n++] = *a;
	}
	return HSA_KS_OK;
}

static int
by_type(const void *a, const void *b)
{
	const struct hsa_attr *x = a, *y = b;

	return x->type < y->type ? -1 : x->type > y->type;
}

hsa_rc
cu_ks_attributes(const struct hsa_attr **attr, size_t *n,
    struct hsa_pool **pool, uint32_t *rv, struct hsa_diag *why,
    const struct hsa_ks_request *q, struct hsa_slice blob)
{
	const bool key =
	    q->op == HSA_KS_STORE_KEY || q->op == HSA_KS_UPDATE_KEY;
	const char *name = q->name == NULL ? "" : q->name;
	struct own o = {.n = 0};
	struct hsa_attr *kept = NULL;
	size_t i = 0;

	own_add(
	    &o, key ? CKA_LABEL : HSA_KS_CKA_TOKEN_LABEL, name, strlen(name));
	*rv = key ? blob_read(&o, why, blob) : HSA_KS_OK;
	if (*rv == HSA_KS_OK)
		*rv = merge(&o, why, q);
	if (*rv != HSA_KS_OK)
		return HSA_OK;
	qsort(o.attr, o.n, sizeof(o.attr[0]), by_type);
	kept = hsa_ks_keep(pool, o.attr, o.n * sizeof(*kept));
	if (kept == NULL)
		return HSA_RC(E_NOMEM);
	for (i = 0; i < o.n; i++) {
		kept[i].p = hsa_ks_keep(pool, o.attr[i].p, o.attr[i].n);
		if (kept[i].p == NULL)
			return HSA_RC(E_NOMEM);
	}
	*attr = kept;
	*n = o.n;
	return HSA_OK;
}
