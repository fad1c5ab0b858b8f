/* Attributes of a stored object: what the caller says, and what the object
 * says of itself, which nobody else may say differently. */
#include <stdlib.h>
#include <string.h>

#include "cu_ks.h"
#include "ep11_attr.h"
#include "ep11_blob.h"
#include "ep11_pkey.h"

/* Scratch for the values that an object shows as bits or numbers. */
#define SCRATCH 256

struct own {
	struct hsa_attr attr[HSA_KS_ATTRS_MAX];
	size_t n;
	uint8_t scratch[SCRATCH];
	size_t used;
};

static void
own_add(struct own *o, uint64_t type, const void *p, size_t n)
{
	o->attr[o->n++] = (struct hsa_attr){.type = type, .p = p, .n = n};
}

/* A CK_BBOOL, or a CK_ULONG of this machine. */
static void
own_number(struct own *o, uint64_t type, uint64_t v, size_t n)
{
	uint8_t *p = o->scratch + o->used;

	if (n > SCRATCH - o->used)
		return;
	if (n == 1)
		p[0] = v != 0;
	else
		memcpy(p, &v, n);
	o->used += n;
	own_add(o, type, p, n);
}

static void
own_key(struct own *o, CK_OBJECT_CLASS cls, CK_KEY_TYPE type, uint32_t bools,
    const uint8_t *wkid)
{
	size_t n = 0, i = 0;
	const struct ep11_bool_row *row = ep11_bool_rows(&n);

	own_number(o, CKA_CLASS, cls, sizeof(CK_ULONG));
	own_number(o, CKA_KEY_TYPE, type, sizeof(CK_ULONG));
	own_add(o, HSA_KS_CKA_WKID, wkid, EP11_WKID_LEN);
	for (i = 0; i < n; i++)
		own_number(o, row[i].type, bools & row[i].bit, 1);
}

/* p and n live as long as the blob. */
static hsa_rc
own_blob(struct own *o, struct hsa_slice blob)
{
	struct ep11_blob b = {.form = EP11_FORM_OBJECT};
	hsa_rc rc;

	HSA_TRY(rc, ep11_blob_decode(&b, blob.p, blob.n));
	own_key(o, b.cls, b.type, b.bools,
	    blob.p + sizeof(b.session)); /* where b.wkid was copied from */
	if (b.params.n != 0)
		own_add(o, CKA_EC_PARAMS, b.params.p, b.params.n);
	if (b.cls == CKO_SECRET_KEY)
		own_number(
		    o, CKA_VALUE_LEN, (b.bits + 7) / 8, sizeof(CK_ULONG));
	else if (b.type == CKK_RSA)
		own_number(o, CKA_MODULUS_BITS, b.bits, sizeof(CK_ULONG));
out:
	return rc;
}

static hsa_rc
own_public(struct own *o, struct hsa_slice blob)
{
	struct ep11_spki s = {.maced = false};
	struct ep11_pkey k = {.key = NULL};
	size_t maced = 0;
	hsa_rc rc;

	HSA_TRY(rc, ep11_spki_decode(&s, &maced, blob.p, blob.n));
	if (!s.maced || ep11_pkey_public(&k, s.spki.p, s.spki.n) != CKR_OK) {
		rc = HSA_RC(E_FORMAT);
		goto out;
	}
	/* the first OCTET STRING behind the SPKI */
	own_key(o, CKO_PUBLIC_KEY, k.type, s.bools, s.spki.p + s.spki.n + 2);
	if (k.curve != NULL)
		own_add(o, CKA_EC_PARAMS, k.curve->oid, k.curve->oid_len);
	else if (k.type == CKK_RSA)
		own_number(o, CKA_MODULUS_BITS, k.bits, sizeof(CK_ULONG));
out:
	ep11_pkey_free(&k);
	return rc;
}

/* Structure only: whether the MAC holds is asked at every use of the key,
 * under the master key of that time. */
static uint32_t
blob_read(struct own *o, struct hsa_diag *why, struct hsa_slice blob)
{
	hsa_rc rc = ep11_is_spki(blob.p, blob.n) ? own_public(o, blob)
						 : own_blob(o, blob);

	if (hsa_is_ok(rc))
		return HSA_KS_OK;
	hsa_diag_set(why, "give what the unit made, unchanged");
	return HSA_KS_BLOB_ERROR;
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
