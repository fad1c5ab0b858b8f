#include <string.h>

#include "hsa_codec_ks.h"

static const uint8_t none[HSA_UUID_LEN];

/* An id that may be absent: absent ones are all zero in the struct, and no
 * message spells zeros out. */
static ProtobufCBinaryData
id_put(const uint8_t id[HSA_UUID_LEN])
{
	bool there = memcmp(id, none, sizeof(none)) != 0;

	return hsa_wire_bytes(there ? id : NULL, there ? HSA_UUID_LEN : 0);
}

static hsa_rc
id_get(uint8_t id[HSA_UUID_LEN], const ProtobufCBinaryData *b)
{
	hsa_rc rc = HSA_OK;

	if (b->len == 0)
		return rc;
	HSA_TRY(rc, hsa_wire_fixed(id, HSA_UUID_LEN, b));
	if (memcmp(id, none, sizeof(none)) == 0)
		rc = HSA_RC(E_FORMAT);
out:
	return rc;
}

static hsa_rc
text_get(const char **to, struct hsa_pool **pool, const char *s)
{
	if (s == NULL || s[0] == '\0')
		return HSA_OK;
	*to = hsa_ks_keep(pool, s, strlen(s));
	return *to == NULL ? HSA_RC(E_NOMEM) : HSA_OK;
}

static hsa_rc
slice_get(
    struct hsa_slice *to, struct hsa_pool **pool, const ProtobufCBinaryData *b)
{
	if (b->len == 0)
		return HSA_OK;
	to->p = hsa_ks_keep(pool, b->data, b->len);
	to->n = b->len;
	return to->p == NULL ? HSA_RC(E_NOMEM) : HSA_OK;
}

/* n zeroed elements; *to stays NULL for none. */
static hsa_rc
array_get(void **to, struct hsa_pool **pool, size_t n, size_t size)
{
	if (n == 0)
		return HSA_OK;
	*to = hsa_ks_keep(pool, NULL, n * size);
	return *to == NULL ? HSA_RC(E_NOMEM) : HSA_OK;
}

/* ---- attributes ---------------------------------------------------------- */

static hsa_rc
attrs_put(size_t *n, Hsa__V1__KeystoreAttribute ***to, struct hsa_pool *pool,
    const struct hsa_attr *a, size_t len)
{
	if (len > HSA_KS_ATTRS_MAX)
		return HSA_RC(E_ARG);
	*n = len;
	*to = hsa_pool_array(pool, len, sizeof(***to));
	for (size_t i = 0; i < len && !pool->failed; i++) {
		hsa__v1__keystore_attribute__init((*to)[i]);
		(*to)[i]->type = a[i].type;
		(*to)[i]->value = hsa_wire_bytes(a[i].p, a[i].n);
	}
	return HSA_OK;
}

static hsa_rc
attrs_get(const struct hsa_attr **to, size_t *len, struct hsa_pool **pool,
    Hsa__V1__KeystoreAttribute *const *m, size_t n)
{
	struct hsa_slice value = {0};
	struct hsa_attr *a = NULL;
	void *v = NULL;
	hsa_rc rc;

	if (n > HSA_KS_ATTRS_MAX)
		return HSA_RC(E_RANGE);
	HSA_TRY(rc, array_get(&v, pool, n, sizeof(*a)));
	a = v;
	for (size_t i = 0; i < n; i++) {
		value = (struct hsa_slice){0};
		HSA_TRY(rc, slice_get(&value, pool, &m[i]->value));
		a[i] = (struct hsa_attr){
		    .type = m[i]->type, .p = value.p, .n = value.n};
	}
	*to = a;
	*len = n;
out:
	return rc;
}

/* ---- requests ------------------------------------------------------------ */

hsa_rc
hsa_codec_ks_request_put(Hsa__V1__KeystoreRequest *m, struct hsa_pool *pool,
    const struct hsa_ks_request *q)
{
	hsa_rc rc = HSA_RC(E_ARG);

	hsa__v1__keystore_request__init(m);
	if (hsa_ks_op((uint32_t)q->op) == NULL ||
	    q->wanted_len > HSA_KS_IDS_MAX || q->token.n > HSA_KS_TOKEN_MAX)
		goto out;
	m->id = hsa_wire_bytes(q->id, sizeof(q->id));
	m->operation = (uint32_t)q->op;
	m->tx_id = id_put(q->tx_id);
	m->keystore_id = id_put(q->keystore_id);
	m->key_id = id_put(q->key_id);
	m->name = hsa_pool_text(pool, q->name);
	HSA_TRY(rc, attrs_put(&m->n_attribute, &m->attribute, pool, q->attr,
			q->attr_len));
	m->blob = hsa_wire_bytes(q->blob.p, q->blob.n);
	m->version = q->version;
	m->force = q->force;
	m->blobs = q->blobs;
	m->limit = q->limit;
	m->token = hsa_wire_bytes(q->token.p, q->token.n);
	m->n_wanted = q->wanted_len;
	m->wanted = hsa_pool_get(pool, q->wanted_len * sizeof(*m->wanted));
	for (size_t i = 0; i < q->wanted_len && !pool->failed; i++)
		m->wanted[i] = hsa_wire_bytes(q->wanted[i], HSA_UUID_LEN);
out:
	return rc;
}

hsa_rc
hsa_codec_ks_request_get(
    struct hsa_ks_request *q, const Hsa__V1__KeystoreRequest *m)
{
	uint8_t(*wanted)[HSA_UUID_LEN] = NULL;
	void *v = NULL;
	hsa_rc rc = HSA_RC(E_FORMAT);

	if (hsa_ks_op(m->operation) == NULL)
		goto out;
	q->op = (enum hsa_ks_op)m->operation;
	rc = HSA_RC(E_RANGE);
	if (m->n_wanted > HSA_KS_IDS_MAX || m->token.len > HSA_KS_TOKEN_MAX)
		goto out;
	HSA_TRY(rc, hsa_wire_fixed(q->id, sizeof(q->id), &m->id));
	HSA_TRY(rc, id_get(q->tx_id, &m->tx_id));
	HSA_TRY(rc, id_get(q->keystore_id, &m->keystore_id));
	HSA_TRY(rc, id_get(q->key_id, &m->key_id));
	HSA_TRY(rc, text_get(&q->name, &q->memory, m->name));
	HSA_TRY(rc, attrs_get(&q->attr, &q->attr_len, &q->memory, m->attribute,
			m->n_attribute));
	HSA_TRY(rc, slice_get(&q->blob, &q->memory, &m->blob));
	q->version = m->version;
	q->force = m->force;
	q->blobs = m->blobs;
	q->limit = m->limit;
	HSA_TRY(rc, slice_get(&q->token, &q->memory, &m->token));
	HSA_TRY(rc, array_get(&v, &q->memory, m->n_wanted, sizeof(*wanted)));
	wanted = v;
	for (size_t i = 0; i < m->n_wanted; i++)
		HSA_TRY(
		    rc, hsa_wire_fixed(wanted[i], HSA_UUID_LEN, &m->wanted[i]));
	q->wanted = (const uint8_t(*)[HSA_UUID_LEN])wanted;
	q->wanted_len = m->n_wanted;
out:
	return rc;
}

/* ---- replies ------------------------------------------------------------- */

static hsa_rc
store_put(
    Hsa__V1__Keystore *m, struct hsa_pool *pool, const struct hsa_keystore *s)
{
	hsa__v1__keystore__init(m);
	m->id = hsa_wire_bytes(s->id, sizeof(s->id));
	m->name = hsa_pool_text(pool, s->name);
	m->keys = s->keys;
	m->created_ns = s->created_ns;
	m->updated_ns = s->updated_ns;
	return attrs_put(
	    &m->n_attribute, &m->attribute, pool, s->attr, s->attr_len);
}

static hsa_rc
key_put(
    Hsa__V1__KeystoreKey *m, struct hsa_pool *pool, const struct hsa_ks_key *k)
{
	hsa__v1__keystore_key__init(m);
	m->id = hsa_wire_bytes(k->id, sizeof(k->id));
	m->keystore_id = hsa_wire_bytes(k->keystore_id, sizeof(k->keystore_id));
	m->label = hsa_pool_text(pool, k->label);
	m->version = k->version;
	m->tx_id = hsa_wire_bytes(k->tx_id, sizeof(k->tx_id));
	m->blob = hsa_wire_bytes(k->blob.p, k->blob.n);
	m->created_ns = k->created_ns;
	m->updated_ns = k->updated_ns;
	return attrs_put(
	    &m->n_attribute, &m->attribute, pool, k->attr, k->attr_len);
}

hsa_rc
hsa_codec_ks_reply_put(Hsa__V1__KeystoreReply *m, struct hsa_pool *pool,
    const struct hsa_ks_reply *r)
{
	hsa_rc rc = HSA_RC(E_ARG);

	hsa__v1__keystore_reply__init(m);
	if (r->next.n > HSA_KS_TOKEN_MAX || r->store_len > HSA_KS_PAGE_MAX ||
	    r->key_len > HSA_KS_PAGE_MAX)
		goto out;
	rc = HSA_OK;
	m->rv = r->rv;
	m->text = hsa_pool_text(pool, r->text);
	m->next = hsa_wire_bytes(r->next.p, r->next.n);
	m->n_keystore = r->store_len;
	m->keystore =
	    hsa_pool_array(pool, r->store_len, sizeof(*m->keystore[0]));
	for (size_t i = 0; i < r->store_len && !pool->failed; i++)
		HSA_TRY(rc, store_put(m->keystore[i], pool, &r->store[i]));
	m->n_key = r->key_len;
	m->key = hsa_pool_array(pool, r->key_len, sizeof(*m->key[0]));
	for (size_t i = 0; i < r->key_len && !pool->failed; i++)
		HSA_TRY(rc, key_put(m->key[i], pool, &r->key[i]));
out:
	return rc;
}

static hsa_rc
store_get(
    struct hsa_keystore *s, struct hsa_pool **pool, const Hsa__V1__Keystore *m)
{
	hsa_rc rc;

	HSA_TRY(rc, hsa_wire_fixed(s->id, sizeof(s->id), &m->id));
	HSA_TRY(rc, text_get(&s->name, pool, m->name));
	HSA_TRY(rc, attrs_get(&s->attr, &s->attr_len, pool, m->attribute,
			m->n_attribute));
	s->keys = m->keys;
	s->created_ns = m->created_ns;
	s->updated_ns = m->updated_ns;
out:
	return rc;
}

static hsa_rc
key_get(
    struct hsa_ks_key *k, struct hsa_pool **pool, const Hsa__V1__KeystoreKey *m)
{
	hsa_rc rc;

	HSA_TRY(rc, hsa_wire_fixed(k->id, sizeof(k->id), &m->id));
	HSA_TRY(rc, hsa_wire_fixed(k->keystore_id, sizeof(k->keystore_id),
			&m->keystore_id));
	HSA_TRY(rc, text_get(&k->label, pool, m->label));
	HSA_TRY(rc, hsa_wire_fixed(k->tx_id, sizeof(k->tx_id), &m->tx_id));
	HSA_TRY(rc, attrs_get(&k->attr, &k->attr_len, pool, m->attribute,
			m->n_attribute));
	HSA_TRY(rc, slice_get(&k->blob, pool, &m->blob));
	k->version = m->version;
	k->created_ns = m->created_ns;
	k->updated_ns = m->updated_ns;
out:
	return rc;
}

hsa_rc
hsa_codec_ks_reply_get(struct hsa_ks_reply *r, const Hsa__V1__KeystoreReply *m)
{
	void *v = NULL;
	hsa_rc rc = HSA_RC(E_RANGE);

	if (m->next.len > HSA_KS_TOKEN_MAX || m->n_keystore > HSA_KS_PAGE_MAX ||
	    m->n_key > HSA_KS_PAGE_MAX)
		goto out;
	r->rv = m->rv;
	HSA_TRY(rc, text_get(&r->text, &r->memory, m->text));
	HSA_TRY(rc, slice_get(&r->next, &r->memory, &m->next));
	HSA_TRY(
	    rc, array_get(&v, &r->memory, m->n_keystore, sizeof(*r->store)));
	r->store = v;
	r->store_len = m->n_keystore;
	for (size_t i = 0; i < m->n_keystore; i++)
		HSA_TRY(
		    rc, store_get(&r->store[i], &r->memory, m->keystore[i]));
	v = NULL;
	HSA_TRY(rc, array_get(&v, &r->memory, m->n_key, sizeof(*r->key)));
	r->key = v;
	r->key_len = m->n_key;
	for (size_t i = 0; i < m->n_key; i++)
		HSA_TRY(rc, key_get(&r->key[i], &r->memory, m->key[i]));
out:
	return rc;
}
