/*
 * Lists. By ids: each id is looked up by its index. By attributes: the walk
 * follows the attribute that fewest objects have and asks for the others.
 */
#include <string.h>

#include "cu_ks.h"
#include "cu_sql.h"
#include "hsa_codec.h"
#include "hsa_hash.h"

/* Bytes of a reply's objects: the rest of the frame is for their tags. */
#define ROOM (HSA_FRAME_MAX - HSA_FRAME_MAX / 8)
/* Objects that one request may look at: a page may come back short, or empty,
 * with a token that goes on. Keeps the unit free for others. */
#define LOOKED_AT_MAX 8192
/* How far objects with an attribute are counted before choosing. */
#define COUNT_MAX 64

/* ---- page tokens --------------------------------------------------------- */

static hsa_rc
search_digest(uint8_t out[HSA_SHA256_LEN], const uint8_t head[9],
    const struct hsa_ks_request *q)
{
	struct hsa_buf b = {0};
	size_t i = 0;
	hsa_rc rc;

	hsa_buf_put(&b, head, 9);
	hsa_buf_be32(&b, (uint32_t)q->op);
	hsa_buf_put(&b, q->keystore_id, sizeof(q->keystore_id));
	hsa_buf_be64(&b, q->attr_len);
	for (i = 0; i < q->attr_len; i++) {
		hsa_buf_be64(&b, q->attr[i].type);
		hsa_buf_be64(&b, q->attr[i].n);
		hsa_buf_put(&b, q->attr[i].p, q->attr[i].n);
	}
	for (i = 0; i < q->wanted_len; i++)
		hsa_buf_put(&b, q->wanted[i], sizeof(q->wanted[i]));
	HSA_TRY(rc, hsa_buf_rc(&b));
	HSA_TRY(rc, hsa_sha256(out, b.p, b.len));
out:
	hsa_buf_free(&b);
	return rc;
}

hsa_rc
cu_ks_page_encode(uint8_t token[CU_KS_TOKEN_LEN], uint64_t position,
    const struct hsa_ks_request *q)
{
	uint8_t digest[HSA_SHA256_LEN];
	size_t i = 0;
	hsa_rc rc;

	token[0] = 1;
	for (i = 0; i < 8; i++)
		token[1 + i] = (uint8_t)(position >> (56 - 8 * i));
	HSA_TRY(rc, search_digest(digest, token, q));
	memcpy(token + 9, digest, CU_KS_TOKEN_LEN - 9);
out:
	return rc;
}

hsa_rc
cu_ks_page_decode(uint64_t *position, const struct hsa_ks_request *q)
{
	uint8_t digest[HSA_SHA256_LEN];
	uint64_t at = 0;
	size_t i = 0;
	hsa_rc rc;

	if (q->token.n != CU_KS_TOKEN_LEN || q->token.p[0] != 1)
		return HSA_RC(E_FORMAT);
	HSA_TRY(rc, search_digest(digest, q->token.p, q));
	for (i = 0; i < 8; i++)
		at = at << 8 | q->token.p[1 + i];
	if (memcmp(digest, q->token.p + 9, CU_KS_TOKEN_LEN - 9) != 0 ||
	    at > INT64_MAX)
		rc = HSA_RC(E_FORMAT);
	else
		*position = at;
out:
	return rc;
}

/* ---- a page being filled ------------------------------------------------- */

struct page {
	struct cu_ks_cmd *c;
	bool keys;     /* else keystores */
	int64_t scope; /* of their attributes; keys: the keystore's row */
	size_t max, bytes;
	uint64_t position; /* last one looked at: row, or place among ids */
};

static size_t
attrs_size(const struct hsa_attr *a, size_t n)
{
	size_t sum = 0, i = 0;

	for (i = 0; i < n; i++)
		sum += a[i].n + 16;
	return sum;
}

/* Adds one object, by id or by row. full: out, it did not fit any more. */
static hsa_rc
add(struct page *p, bool *full, int64_t row, const uint8_t *id,
    struct hsa_diag *diag)
{
	struct hsa_ks_reply *r = p->c->reply;
	struct cu_store *s = p->c->u->store;
	struct hsa_keystore store = {0};
	struct hsa_ks_key key = {0};
	size_t size = 128;
	hsa_rc rc;

	*full = r->key_len + r->store_len == p->max;
	if (*full)
		return HSA_OK;
	if (p->keys) {
		HSA_TRY(rc, cu_ks_sql_key(s, &row, &key, &r->memory, p->scope,
				id, p->c->q->blobs, diag));
		memcpy(key.keystore_id, p->c->q->keystore_id,
		    sizeof(key.keystore_id));
		size += key.blob.n + strlen(key.label) +
			attrs_size(key.attr, key.attr_len);
	} else {
		HSA_TRY(
		    rc, cu_ks_sql_store(s, &row, &store, &r->memory, id, diag));
		size +=
		    strlen(store.name) + attrs_size(store.attr, store.attr_len);
	}
	*full = p->bytes + size > ROOM;
	if (*full)
		goto out;
	p->bytes += size;
	if (p->keys)
		r->key[r->key_len++] = key;
	else
		r->store[r->store_len++] = store;
out:
	return rc;
}

static hsa_rc
by_ids(struct page *p, bool *more, struct hsa_diag *diag)
{
	const struct hsa_ks_request *q = p->c->q;
	bool full = false;
	hsa_rc rc = HSA_OK;

	for (; p->position < q->wanted_len; p->position++) {
		rc = add(p, &full, 0, q->wanted[p->position], diag);
		if (rc.v == HSA_E_NOT_FOUND)
			rc = HSA_OK;
		if (!hsa_is_ok(rc) || full)
			break;
	}
	*more = full;
	return rc;
}

/* ---- by attributes ------------------------------------------------------- */

static void
bind_value(struct cu_ks_cmd *c, enum cu_ks_sql which, int64_t at,
    const struct hsa_attr *a)
{
	sqlite3_stmt *q = c->u->store->ks[which];

	(void)sqlite3_bind_int64(q, 4, at);
	(void)sqlite3_bind_blob64(
	    q, 5, a->n == 0 ? "" : (const void *)a->p, a->n, SQLITE_STATIC);
}

/* The attribute that fewest objects have. */
static hsa_rc
rarest(struct page *p, size_t *best, struct hsa_diag *diag)
{
	const struct hsa_ks_request *q = p->c->q;
	struct cu_store *s = p->c->u->store;
	int64_t n = 0, least = INT64_MAX;
	size_t i = 0;
	hsa_rc rc = HSA_OK;

	*best = 0;
	for (i = 0; i < q->attr_len && q->attr_len > 1; i++) {
		HSA_TRY(rc, cu_ks_sql_bind_attr(
				s, CU_KS_ATTR_COUNT, p->scope, &q->attr[i]));
		(void)sqlite3_bind_int64(s->ks[CU_KS_ATTR_COUNT], 4, COUNT_MAX);
		HSA_TRY(rc, cu_ks_sql_next(s, CU_KS_ATTR_COUNT, &n, diag));
		cu_ks_sql_reset(s, CU_KS_ATTR_COUNT);
		if (n < least) {
			least = n;
			*best = i;
		}
	}
out:
	return rc;
}

static hsa_rc
has_others(
    struct page *p, bool *has, int64_t row, size_t known, struct hsa_diag *diag)
{
	const struct hsa_ks_request *q = p->c->q;
	struct cu_store *s = p->c->u->store;
	int64_t owner = 0;
	size_t i = 0;
	hsa_rc rc = HSA_OK;

	*has = true;
	for (i = 0; i < q->attr_len && *has; i++) {
		if (i == known)
			continue;
		HSA_TRY(rc, cu_ks_sql_bind_attr(
				s, CU_KS_ATTR_HAS, p->scope, &q->attr[i]));
		bind_value(p->c, CU_KS_ATTR_HAS, row, &q->attr[i]);
		rc = cu_ks_sql_next(s, CU_KS_ATTR_HAS, &owner, diag);
		*has = hsa_is_ok(rc);
		cu_ks_sql_reset(s, CU_KS_ATTR_HAS);
		if (rc.v == HSA_E_NOT_FOUND)
			rc = HSA_OK;
		if (!hsa_is_ok(rc))
			goto out;
	}
out:
	return rc;
}

/* Starts the walk over the rows behind the position. */
static hsa_rc
begin(
    struct page *p, enum cu_ks_sql *walk, size_t *known, struct hsa_diag *diag)
{
	const struct hsa_ks_request *q = p->c->q;
	struct cu_store *s = p->c->u->store;
	int64_t at = (int64_t)p->position;
	hsa_rc rc = HSA_OK;

	if (q->attr_len == 0) {
		*walk = p->keys ? CU_KS_KEY_WALK : CU_KS_STORE_WALK;
		(void)sqlite3_bind_int64(s->ks[*walk], 1, p->scope);
		(void)sqlite3_bind_int64(s->ks[*walk], 2, at);
		return rc;
	}
	HSA_TRY(rc, rarest(p, known, diag));
	*walk = CU_KS_ATTR_WALK;
	HSA_TRY(rc, cu_ks_sql_bind_attr(s, *walk, p->scope, &q->attr[*known]));
	bind_value(p->c, *walk, at, &q->attr[*known]);
out:
	return rc;
}

static hsa_rc
by_attributes(struct page *p, bool *more, struct hsa_diag *diag)
{
	struct cu_store *s = p->c->u->store;
	enum cu_ks_sql walk = CU_KS_ATTR_WALK;
	size_t known = 0, looked_at = 0;
	bool has = false, full = false;
	int64_t row = 0;
	hsa_rc rc;

	HSA_TRY(rc, begin(p, &walk, &known, diag));
	while (hsa_is_ok(rc = cu_ks_sql_next(s, walk, &row, diag))) {
		*more = looked_at++ == LOOKED_AT_MAX;
		if (*more)
			break;
		HSA_TRY(rc, has_others(p, &has, row, known, diag));
		if (has)
			HSA_TRY(rc, add(p, &full, row, NULL, diag));
		*more = full;
		if (full)
			break;
		p->position = (uint64_t)row;
	}
	if (rc.v == HSA_E_NOT_FOUND)
		rc = HSA_OK;
out:
	cu_ks_sql_reset(s, walk);
	return rc;
}

/* ---- all four ------------------------------------------------------------ */

/* Ids that were asked for; else the keystore searched, or those found. */
static void
name_target(const struct page *p)
{
	const struct hsa_ks_request *q = p->c->q;
	const struct hsa_ks_reply *r = p->c->reply;
	size_t i = 0;

	for (i = 0; i < q->wanted_len; i++)
		cu_ks_target(p->c, q->wanted[i]);
	if (q->wanted_len > 0)
		return;
	if (p->keys)
		cu_ks_target(p->c, q->keystore_id);
	for (i = 0; i < r->store_len; i++)
		cu_ks_target(p->c, r->store[i].id);
}

hsa_rc
cu_ks_do_list(struct cu_ks_cmd *c, struct hsa_diag *diag)
{
	const struct hsa_ks_request *q = c->q;
	struct hsa_ks_reply *r = c->reply;
	const size_t max = q->limit == 0 ? HSA_KS_PAGE_USUAL : q->limit;
	struct page p = {.c = c, .max = max};
	uint8_t token[CU_KS_TOKEN_LEN] = {0};
	bool more = false;
	void *room = NULL;
	hsa_rc rc = HSA_OK;

	p.keys =
	    q->op == HSA_KS_KEYS_BY_IDS || q->op == HSA_KS_KEYS_BY_ATTRIBUTES;
	if (q->token.n != 0) {
		rc = cu_ks_page_decode(&p.position, q);
		if (rc.v == HSA_E_FORMAT)
			return cu_ks_refuse(c, HSA_KS_CANNOT_UNMARSHAL,
			    "start the list again without it");
		if (!hsa_is_ok(rc))
			goto out;
	}
	if (p.keys)
		HSA_TRY(rc, cu_ks_store_row(c, &p.scope, NULL, diag));
	if (r->rv != HSA_KS_OK)
		goto out;
	room = hsa_ks_keep(&r->memory, NULL,
	    max * (p.keys ? sizeof(*r->key) : sizeof(*r->store)));
	if (room == NULL) {
		rc = HSA_RC(E_NOMEM);
		goto out;
	}
	if (p.keys)
		r->key = room;
	else
		r->store = room;
	HSA_TRY(rc, q->wanted_len > 0 ? by_ids(&p, &more, diag)
				      : by_attributes(&p, &more, diag));
	name_target(&p);
	if (!more)
		goto out;
	HSA_TRY(rc, cu_ks_page_encode(token, p.position, q));
	r->next.p = hsa_ks_keep(&r->memory, token, sizeof(token));
	r->next.n = sizeof(token);
	if (r->next.p == NULL)
		rc = HSA_RC(E_NOMEM);
out:
	return rc;
}
