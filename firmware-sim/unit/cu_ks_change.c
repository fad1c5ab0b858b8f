/* Changes: decided here from what stands, written in the transaction. */
#include <string.h>

#include "cu_ks.h"
#include "cu_sql.h"
#include "hsa_hash.h"

/* ---- deciding ------------------------------------------------------------ */

static const uint8_t none[HSA_UUID_LEN];

static bool
absent(const uint8_t id[HSA_UUID_LEN])
{
	return memcmp(id, none, HSA_UUID_LEN) == 0;
}

hsa_rc
cu_ks_store_row(struct cu_ks_cmd *c, int64_t *row, struct hsa_keystore *to,
    struct hsa_diag *diag)
{
	char text[HSA_UUID_TEXT];
	hsa_rc rc = cu_ks_sql_store(
	    c->u->store, row, to, &c->reply->memory, c->q->keystore_id, diag);

	if (rc.v != HSA_E_NOT_FOUND)
		return rc;
	hsa_uuid_text(text, c->q->keystore_id);
	cu_ks_target(c, c->q->keystore_id);
	return cu_ks_refuse(c, HSA_KS_MISSING, "there is no keystore %s", text);
}

/* The keystore and key that a change names, the key into the reply, which
 * shows it only once the change is decided. */
static hsa_rc
find_key(struct cu_ks_cmd *c, bool blob, struct hsa_diag *diag)
{
	const struct hsa_ks_request *q = c->q;
	struct hsa_ks_reply *r = c->reply;
	char text[HSA_UUID_TEXT];
	hsa_rc rc;

	HSA_TRY(rc, cu_ks_store_row(c, &c->store_row, NULL, diag));
	if (r->rv != HSA_KS_OK)
		goto out;
	cu_ks_target(c, q->key_id);
	rc = cu_ks_sql_key(c->u->store, &c->key_row, r->key, &r->memory,
	    c->store_row, q->key_id, blob, diag);
	hsa_uuid_text(text, q->key_id);
	if (rc.v == HSA_E_NOT_FOUND)
		return cu_ks_refuse(c, HSA_KS_MISSING,
		    "there is no key %s in that keystore", text);
	if (!hsa_is_ok(rc))
		goto out;
	memcpy(
	    r->key->keystore_id, q->keystore_id, sizeof(r->key->keystore_id));
	if (q->version != 0 && q->version != r->key->version)
		return cu_ks_refuse(c, HSA_KS_CONFLICT,
		    "key %s is at version %llu, the request expects %llu", text,
		    (unsigned long long)r->key->version,
		    (unsigned long long)q->version);
out:
	return rc;
}

static hsa_rc
new_attributes(struct cu_ks_cmd *c, const struct hsa_attr **attr, size_t *n,
    struct hsa_slice blob)
{
	struct hsa_diag why = {{0}};
	uint32_t rv = HSA_KS_OK;
	hsa_rc rc =
	    cu_ks_attributes(attr, n, &c->reply->memory, &rv, &why, c->q, blob);

	if (hsa_is_ok(rc) && rv != HSA_KS_OK)
		return cu_ks_refuse(c, rv, "%s", why.text);
	return rc;
}

static hsa_rc
new_id(uint8_t id[HSA_UUID_LEN], const uint8_t asked[HSA_UUID_LEN])
{
	if (absent(asked))
		return hsa_uuid_new(id);
	memcpy(id, asked, HSA_UUID_LEN);
	return HSA_OK;
}

static hsa_rc
kept(const char **to, struct hsa_pool **pool, const char *s)
{
	*to = hsa_ks_keep(pool, s, s == NULL ? 0 : strlen(s));
	return *to == NULL ? HSA_RC(E_NOMEM) : HSA_OK;
}

/* ---- writing ------------------------------------------------------------- */

static void
bind_id(struct cu_store *s, enum cu_ks_sql which, int at,
    const uint8_t id[HSA_UUID_LEN])
{
	(void)sqlite3_bind_blob(
	    s->ks[which], at, id, HSA_UUID_LEN, SQLITE_STATIC);
}

static void
bind_text(struct cu_store *s, enum cu_ks_sql which, int at, const char *text)
{
	(void)sqlite3_bind_text(s->ks[which], at, text, -1, SQLITE_STATIC);
}

static hsa_rc
put_attributes(struct cu_store *s, int64_t scope, int64_t owner,
    const struct hsa_attr *a, size_t n, struct hsa_diag *diag)
{
	sqlite3_stmt *q = s->ks[CU_KS_ATTR_PUT];
	size_t i = 0;
	hsa_rc rc = HSA_OK;

	for (i = 0; i < n; i++) {
		HSA_TRY(
		    rc, cu_ks_sql_bind_attr(s, CU_KS_ATTR_PUT, scope, &a[i]));
		(void)sqlite3_bind_int64(q, 4, owner);
		(void)sqlite3_bind_blob64(q, 5,
		    a[i].n == 0 ? "" : (const void *)a[i].p, a[i].n,
		    SQLITE_STATIC);
		HSA_TRY(rc, cu_ks_sql_run(s, CU_KS_ATTR_PUT, diag));
	}
out:
	return rc;
}

/* A statement with up to two row numbers. */
static hsa_rc
run_rows(struct cu_store *s, enum cu_ks_sql which, int64_t a, int64_t b,
    struct hsa_diag *diag)
{
	sqlite3_stmt *q = s->ks[which];

	(void)sqlite3_bind_int64(q, 1, a);
	if (sqlite3_bind_parameter_count(q) > 1)
		(void)sqlite3_bind_int64(q, 2, b);
	return cu_ks_sql_run(s, which, diag);
}

static hsa_rc
touch(struct cu_ks_cmd *c, struct cu_store *s, int64_t more,
    struct hsa_diag *diag)
{
	sqlite3_stmt *q = s->ks[CU_KS_STORE_TOUCH];

	(void)sqlite3_bind_int64(q, 1, c->store_row);
	(void)sqlite3_bind_int64(q, 2, more);
	(void)sqlite3_bind_int64(q, 3, (int64_t)c->wall_ns);
	return cu_ks_sql_run(s, CU_KS_STORE_TOUCH, diag);
}

static hsa_rc
put_store(struct cu_ks_cmd *c, struct cu_store *s, struct hsa_diag *diag)
{
	const struct hsa_keystore *k = c->reply->store;
	sqlite3_stmt *q = s->ks[CU_KS_STORE_PUT];
	hsa_rc rc;

	bind_id(s, CU_KS_STORE_PUT, 1, k->id);
	bind_text(s, CU_KS_STORE_PUT, 2, k->name);
	(void)sqlite3_bind_int64(q, 3, (int64_t)k->created_ns);
	(void)sqlite3_bind_int64(q, 4, (int64_t)k->updated_ns);
	HSA_TRY(rc, cu_ks_sql_run(s, CU_KS_STORE_PUT, diag));
	HSA_TRY(rc, put_attributes(s, 0, sqlite3_last_insert_rowid(s->db),
			k->attr, k->attr_len, diag));
out:
	return rc;
}

static hsa_rc
drop_store(struct cu_ks_cmd *c, struct cu_store *s, struct hsa_diag *diag)
{
	int64_t row = c->store_row;
	hsa_rc rc;

	HSA_TRY(rc, run_rows(s, CU_KS_ATTR_DROP_ALL, row, 0, diag));
	HSA_TRY(rc, run_rows(s, CU_KS_KEY_DROP_ALL, row, 0, diag));
	HSA_TRY(rc, run_rows(s, CU_KS_ATTR_DROP, 0, row, diag));
	HSA_TRY(rc, run_rows(s, CU_KS_STORE_DROP, row, 0, diag));
out:
	return rc;
}

static hsa_rc
put_key(struct cu_ks_cmd *c, struct cu_store *s, struct hsa_diag *diag)
{
	const struct hsa_ks_key *k = c->reply->key;
	sqlite3_stmt *q = s->ks[CU_KS_KEY_PUT];
	hsa_rc rc;

	(void)sqlite3_bind_int64(q, 1, c->store_row);
	bind_id(s, CU_KS_KEY_PUT, 2, k->id);
	bind_text(s, CU_KS_KEY_PUT, 3, k->label);
	bind_id(s, CU_KS_KEY_PUT, 4, k->tx_id);
	(void)sqlite3_bind_int64(q, 5, (int64_t)k->created_ns);
	(void)sqlite3_bind_int64(q, 6, (int64_t)k->updated_ns);
	(void)sqlite3_bind_blob64(q, 7, c->blob.p, c->blob.n, SQLITE_STATIC);
	HSA_TRY(rc, cu_ks_sql_run(s, CU_KS_KEY_PUT, diag));
	HSA_TRY(rc,
	    put_attributes(s, c->store_row, sqlite3_last_insert_rowid(s->db),
		k->attr, k->attr_len, diag));
	HSA_TRY(rc, touch(c, s, 1, diag));
out:
	return rc;
}

static hsa_rc
set_key(struct cu_ks_cmd *c, struct cu_store *s, struct hsa_diag *diag)
{
	const struct hsa_ks_key *k = c->reply->key;
	sqlite3_stmt *q = s->ks[CU_KS_KEY_SET];
	hsa_rc rc;

	(void)sqlite3_bind_int64(q, 1, c->key_row);
	bind_text(s, CU_KS_KEY_SET, 2, k->label);
	(void)sqlite3_bind_int64(q, 3, (int64_t)k->version);
	bind_id(s, CU_KS_KEY_SET, 4, k->tx_id);
	(void)sqlite3_bind_int64(q, 5, (int64_t)k->updated_ns);
	(void)sqlite3_bind_blob64(q, 6, c->blob.p, c->blob.n, SQLITE_STATIC);
	HSA_TRY(rc, cu_ks_sql_run(s, CU_KS_KEY_SET, diag));
	HSA_TRY(
	    rc, run_rows(s, CU_KS_ATTR_DROP, c->store_row, c->key_row, diag));
	HSA_TRY(rc, put_attributes(s, c->store_row, c->key_row, k->attr,
			k->attr_len, diag));
	HSA_TRY(rc, touch(c, s, 0, diag));
out:
	return rc;
}

static hsa_rc
drop_key(struct cu_ks_cmd *c, struct cu_store *s, struct hsa_diag *diag)
{
	hsa_rc rc;

	HSA_TRY(
	    rc, run_rows(s, CU_KS_ATTR_DROP, c->store_row, c->key_row, diag));
	HSA_TRY(rc, run_rows(s, CU_KS_KEY_DROP, c->key_row, 0, diag));
	HSA_TRY(rc, touch(c, s, -1, diag));
out:
	return rc;
}

/* ---- operations ---------------------------------------------------------- */

/* Room for the one object that the answer shows. */
static hsa_rc
room(struct cu_ks_cmd *c)
{
	struct hsa_ks_reply *r = c->reply;

	r->store = hsa_ks_keep(&r->memory, NULL, sizeof(*r->store));
	r->key = hsa_ks_keep(&r->memory, NULL, sizeof(*r->key));
	return r->store == NULL || r->key == NULL ? HSA_RC(E_NOMEM) : HSA_OK;
}

/* Whether another keystore has that name. */
static hsa_rc
name_taken(struct cu_ks_cmd *c, bool *taken, struct hsa_diag *diag)
{
	struct cu_store *s = c->u->store;
	const struct hsa_attr label = {
	    .type = HSA_KS_CKA_TOKEN_LABEL,
	    .p = (const uint8_t *)c->q->name,
	    .n = strlen(c->q->name),
	};
	int64_t owner = 0;
	hsa_rc rc;

	HSA_TRY(rc, cu_ks_sql_bind_attr(s, CU_KS_ATTR_WALK, 0, &label));
	(void)sqlite3_bind_int64(s->ks[CU_KS_ATTR_WALK], 4, 0);
	(void)sqlite3_bind_blob64(
	    s->ks[CU_KS_ATTR_WALK], 5, label.p, label.n, SQLITE_STATIC);
	rc = cu_ks_sql_next(s, CU_KS_ATTR_WALK, &owner, diag);
	*taken = hsa_is_ok(rc);
	cu_ks_sql_reset(s, CU_KS_ATTR_WALK);
	if (rc.v == HSA_E_NOT_FOUND)
		rc = HSA_OK;
out:
	return rc;
}

hsa_rc
cu_ks_do_create(struct cu_ks_cmd *c, struct hsa_diag *diag)
{
	const struct hsa_ks_request *q = c->q;
	struct hsa_ks_reply *r = c->reply;
	struct hsa_keystore *k = NULL;
	bool taken = false;
	int64_t row = 0;
	hsa_rc rc;

	HSA_TRY(rc, room(c));
	k = r->store;
	HSA_TRY(rc, new_id(k->id, q->keystore_id));
	rc = cu_ks_sql_store(c->u->store, &row, NULL, NULL, k->id, diag);
	if (hsa_is_ok(rc)) {
		cu_ks_target(c, k->id);
		return cu_ks_refuse(
		    c, HSA_KS_CONFLICT, "there is a keystore of that id");
	}
	if (rc.v != HSA_E_NOT_FOUND)
		goto out;
	HSA_TRY(rc, name_taken(c, &taken, diag));
	if (taken)
		return cu_ks_refuse(
		    c, HSA_KS_CONFLICT, "there is a keystore of that name");
	HSA_TRY(rc,
	    new_attributes(c, &k->attr, &k->attr_len, (struct hsa_slice){0}));
	if (r->rv != HSA_KS_OK)
		goto out;
	HSA_TRY(rc, kept(&k->name, &r->memory, q->name));
	k->created_ns = k->updated_ns = c->wall_ns;
	r->store_len = 1;
	c->put = put_store;
	cu_ks_target(c, k->id);
out:
	return rc;
}

hsa_rc
cu_ks_do_delete_store(struct cu_ks_cmd *c, struct hsa_diag *diag)
{
	struct hsa_ks_reply *r = c->reply;
	hsa_rc rc;

	HSA_TRY(rc, room(c));
	HSA_TRY(rc, cu_ks_store_row(c, &c->store_row, r->store, diag));
	if (r->rv != HSA_KS_OK)
		goto out;
	cu_ks_target(c, c->q->keystore_id);
	if (r->store->keys != 0 && !c->q->force)
		return cu_ks_refuse(c, HSA_KS_CONFLICT,
		    "it holds %llu keys: delete them first, or force it",
		    (unsigned long long)r->store->keys);
	r->store_len = 1;
	c->put = drop_store;
out:
	return rc;
}

hsa_rc
cu_ks_do_store_key(struct cu_ks_cmd *c, struct hsa_diag *diag)
{
	const struct hsa_ks_request *q = c->q;
	struct hsa_ks_reply *r = c->reply;
	struct hsa_ks_key *k = NULL;
	hsa_rc rc;

	HSA_TRY(rc, room(c));
	k = r->key;
	HSA_TRY(rc, cu_ks_store_row(c, &c->store_row, NULL, diag));
	if (r->rv != HSA_KS_OK)
		goto out;
	HSA_TRY(rc, new_id(k->id, q->key_id));
	rc = cu_ks_sql_key(c->u->store, &c->key_row, NULL, NULL, c->store_row,
	    k->id, false, diag);
	if (hsa_is_ok(rc)) {
		cu_ks_target(c, k->id);
		return cu_ks_refuse(c, HSA_KS_CONFLICT,
		    "there is a key of that id in the keystore");
	}
	if (rc.v != HSA_E_NOT_FOUND)
		goto out;
	HSA_TRY(rc, new_attributes(c, &k->attr, &k->attr_len, q->blob));
	if (r->rv != HSA_KS_OK) {
		cu_ks_target(c, q->keystore_id);
		goto out;
	}
	memcpy(k->keystore_id, q->keystore_id, sizeof(k->keystore_id));
	memcpy(k->tx_id, q->tx_id, sizeof(k->tx_id));
	HSA_TRY(rc, kept(&k->label, &r->memory, q->name));
	k->version = 1;
	k->created_ns = k->updated_ns = c->wall_ns;
	r->key_len = 1;
	c->blob = q->blob;
	c->put = put_key;
	cu_ks_target(c, k->id);
out:
	return rc;
}

hsa_rc
cu_ks_do_update_key(struct cu_ks_cmd *c, struct hsa_diag *diag)
{
	const struct hsa_ks_request *q = c->q;
	struct hsa_ks_reply *r = c->reply;
	struct hsa_ks_key *k = NULL;
	hsa_rc rc;

	HSA_TRY(rc, room(c));
	k = r->key;
	HSA_TRY(rc, find_key(c, true, diag));
	if (r->rv != HSA_KS_OK)
		goto out;
	c->blob = q->blob.n != 0 ? q->blob : k->blob;
	k->blob = (struct hsa_slice){0};
	HSA_TRY(rc, new_attributes(c, &k->attr, &k->attr_len, c->blob));
	if (r->rv != HSA_KS_OK)
		goto out;
	HSA_TRY(rc, kept(&k->label, &r->memory, q->name));
	memcpy(k->tx_id, q->tx_id, sizeof(k->tx_id));
	k->version++;
	k->updated_ns = c->wall_ns;
	r->key_len = 1;
	c->put = set_key;
out:
	return rc;
}

hsa_rc
cu_ks_do_delete_key(struct cu_ks_cmd *c, struct hsa_diag *diag)
{
	hsa_rc rc;

	HSA_TRY(rc, room(c));
	HSA_TRY(rc, find_key(c, false, diag));
	if (c->reply->rv != HSA_KS_OK)
		goto out;
	c->reply->key_len = 1;
	c->put = drop_key;
out:
	return rc;
}
