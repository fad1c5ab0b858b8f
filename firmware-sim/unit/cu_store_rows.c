/* What the store keeps: rows to state and back. */
#include <string.h>

#include "cu_sql.h"
#include "hsa_buf.h"

#define INT64_LIMIT ((uint64_t)INT64_MAX)

static hsa_rc
damaged(const struct cu_store *s, struct hsa_diag *diag, const char *what)
{
	return hsa_fail(diag, HSA_RC(E_CORRUPT),
	    "%s: %s is out of its range: put back the newest copy of the "
	    "unit's whole folder",
	    s->path, what);
}

/* ---- reading ------------------------------------------------------------- */

static bool
get_blob(sqlite3_stmt *q, int col, void *to, size_t n)
{
	const void *p = sqlite3_column_blob(q, col);

	if ((size_t)sqlite3_column_bytes(q, col) != n || (p == NULL && n != 0))
		return false;
	if (n != 0)
		memcpy(to, p, n);
	return true;
}

static bool
get_u32(sqlite3_stmt *q, int col, uint32_t *to)
{
	int64_t v = sqlite3_column_int64(q, col);

	if (v < 0 || v > UINT32_MAX)
		return false;
	*to = (uint32_t)v;
	return true;
}

static bool
get_u64(sqlite3_stmt *q, int col, uint64_t *to)
{
	int64_t v = sqlite3_column_int64(q, col);

	if (v < 0)
		return false;
	*to = (uint64_t)v;
	return true;
}

static bool
get_key_id(sqlite3_stmt *q, int col, struct cu_key_id *to)
{
	to->set = sqlite3_column_type(q, col) != SQLITE_NULL;
	return !to->set || get_blob(q, col, to->b, sizeof(to->b));
}

/* What the commands on control points hold (cu_act_cp.c). */
static bool
points_good(const struct cu_state *st)
{
	uint8_t never[EP11_CP_LEN];
	size_t i = 0;

	ep11_cp_impossible(never);
	for (i = 0; i < sizeof(never); i++)
		if ((st->control_points[i] & never[i]) != 0)
			return false;
	return st->attr.standards == ep11_cp_compliance(st->control_points);
}

static hsa_rc
load_unit(struct cu_store *s, struct cu_state *st, struct hsa_diag *diag)
{
	sqlite3_stmt *q = s->stmt[CU_SQL_UNIT_GET];
	int code = sqlite3_step(q);
	uint32_t kind = 0;
	hsa_rc rc = HSA_OK;

	if (code == SQLITE_DONE)
		rc = HSA_RC(E_NOT_FOUND);
	else if (code != SQLITE_ROW)
		rc = cu_sql_fail(s, code, cu_sql_text(CU_SQL_UNIT_GET), diag);
	else if (!get_blob(q, 1, st->unit_id, sizeof(st->unit_id)) ||
		 !get_blob(q, 2, st->serial, sizeof(st->serial)) ||
		 !get_blob(
		     q, 3, st->module_instance, sizeof(st->module_instance)) ||
		 !get_u32(q, 4, &st->domain_instance) ||
		 !get_blob(q, 5, st->counter, sizeof(st->counter)) ||
		 !get_u32(q, 6, &st->attr.signature_threshold) ||
		 !get_u32(q, 7, &st->attr.revocation_threshold) ||
		 !get_u32(q, 8, &st->attr.permissions) ||
		 !get_u32(q, 9, &st->attr.operational_mode) ||
		 !get_u32(q, 10, &st->attr.standards) ||
		 !get_key_id(q, 11, &st->importer) || !get_u32(q, 12, &kind) ||
		 !get_u64(q, 13, &st->epoch) ||
		 !get_u64(q, 14, &st->outbox_last) ||
		 !get_blob(
		     q, 15, st->control_points, sizeof(st->control_points)) ||
		 (kind != TKE_IMPORTER_RSA2048 && kind != TKE_IMPORTER_P521) ||
		 st->epoch == 0 || st->outbox_last == 0 || !points_good(st))
		rc = damaged(s, diag, "table unit");
	st->importer_kind = (enum tke_importer_kind)kind;
	(void)sqlite3_reset(q);
	return rc;
}

static hsa_rc
load_admins(struct cu_store *s, struct cu_state *st, struct hsa_diag *diag)
{
	sqlite3_stmt *q = s->stmt[CU_SQL_ADMIN_GET];
	struct cu_admin *a = NULL;
	int code = SQLITE_OK;
	hsa_rc rc = HSA_OK;

	while ((code = sqlite3_step(q)) == SQLITE_ROW) {
		if (st->admin_len == CU_ADMINS_MAX) {
			rc = damaged(s, diag, "table admin");
			goto out;
		}
		a = &st->admin[st->admin_len];
		a->cert_len = (size_t)sqlite3_column_bytes(q, 2);
		if (sqlite3_column_int64(q, 0) != (int64_t)st->admin_len ||
		    a->cert_len > sizeof(a->cert) ||
		    !get_blob(q, 1, a->ski, sizeof(a->ski)) ||
		    !get_blob(q, 2, a->cert, a->cert_len)) {
			rc = damaged(s, diag, "table admin");
			goto out;
		}
		st->admin_len++;
	}
	if (code != SQLITE_DONE)
		rc = cu_sql_fail(s, code, cu_sql_text(CU_SQL_ADMIN_GET), diag);
	if (st->attr.signature_threshold > st->admin_len ||
	    st->attr.revocation_threshold > st->admin_len)
		rc = damaged(s, diag, "a threshold");
out:
	(void)sqlite3_reset(q);
	return rc;
}

static hsa_rc
load_registers(struct cu_store *s, struct cu_state *st, struct hsa_diag *diag)
{
	struct cu_register *const slot[] = {&st->pending, &st->current};
	sqlite3_stmt *q = s->stmt[CU_SQL_REGISTER_GET];
	size_t i = 0;
	hsa_rc rc = HSA_OK;

	for (i = 0; i < 2; i++) {
		struct cu_register *r = slot[i];
		uint32_t fill = 0;
		int code = sqlite3_step(q);
		size_t n = 0;

		if (code != SQLITE_ROW) {
			rc = code == SQLITE_DONE
				 ? damaged(s, diag, "table register")
				 : cu_sql_fail(s, code,
				       cu_sql_text(CU_SQL_REGISTER_GET), diag);
			goto out;
		}
		n = (size_t)sqlite3_column_bytes(q, 4);
		r->part_len = n / sizeof(r->part_id[0]);
		if (sqlite3_column_int64(q, 0) != (int64_t)i ||
		    !get_u32(q, 1, &fill) || fill > CU_VALID ||
		    !get_key_id(q, 2, &r->key) ||
		    !get_blob(q, 3, r->pattern, sizeof(r->pattern)) ||
		    n > sizeof(r->part_id) ||
		    n != r->part_len * sizeof(r->part_id[0]) ||
		    !get_blob(q, 4, r->part_id, n) ||
		    (fill != CU_EMPTY) != r->key.set ||
		    (fill == CU_VALID && r != &st->current) ||
		    (r == &st->current && fill != CU_EMPTY &&
			fill != CU_VALID)) {
			rc = damaged(s, diag, "table register");
			goto out;
		}
		r->fill = (enum cu_fill)fill;
	}
out:
	(void)sqlite3_reset(q);
	return rc;
}

hsa_rc
cu_store_load(struct cu_store *s, struct cu_state *st, struct hsa_diag *diag)
{
	hsa_rc rc;

	cu_state_init(st);
	HSA_TRY(rc, load_unit(s, st, diag));
	HSA_TRY(rc, load_admins(s, st, diag));
	HSA_TRY(rc, load_registers(s, st, diag));
out:
	return rc;
}

hsa_rc
cu_store_outbox_next(struct cu_store *s, uint64_t *id, struct hsa_buf *rec,
    uint64_t after, struct hsa_diag *diag)
{
	sqlite3_stmt *q = s->stmt[CU_SQL_OUTBOX_NEXT];
	int code = SQLITE_OK;
	hsa_rc rc = HSA_OK;

	if (after > INT64_LIMIT)
		return HSA_RC(E_NOT_FOUND);
	(void)sqlite3_bind_int64(q, 1, (int64_t)after);
	code = sqlite3_step(q);
	if (code == SQLITE_DONE) {
		rc = HSA_RC(E_NOT_FOUND);
	} else if (code != SQLITE_ROW) {
		rc =
		    cu_sql_fail(s, code, cu_sql_text(CU_SQL_OUTBOX_NEXT), diag);
	} else {
		hsa_buf_put(rec, sqlite3_column_blob(q, 1),
		    (size_t)sqlite3_column_bytes(q, 1));
		rc = hsa_buf_rc(rec);
		if (hsa_is_ok(rc))
			*id = (uint64_t)sqlite3_column_int64(q, 0);
	}
	(void)sqlite3_reset(q);
	return rc;
}

/* ---- writing ------------------------------------------------------------- */

/* Binding fails for want of memory alone, and then the step fails as well: a
 * parameter left NULL breaks its NOT NULL. Nullable ones are checked. */
static void
put_blob(sqlite3_stmt *q, int at, const void *p, size_t n)
{
	static const uint8_t nothing;

	(void)sqlite3_bind_blob64(
	    q, at, n == 0 ? &nothing : p, n, SQLITE_STATIC);
}

static hsa_rc
put_key_id(sqlite3_stmt *q, int at, const struct cu_key_id *id)
{
	if (id->set && sqlite3_bind_blob64(q, at, id->b, sizeof(id->b),
			   SQLITE_STATIC) != SQLITE_OK)
		return HSA_RC(E_NOMEM);
	return HSA_OK;
}

static hsa_rc
put_unit(struct cu_store *s, const struct cu_state *st, struct hsa_diag *diag)
{
	sqlite3_stmt *q = s->stmt[CU_SQL_UNIT_PUT];
	hsa_rc rc;

	put_blob(q, 1, st->unit_id, sizeof(st->unit_id));
	put_blob(q, 2, st->serial, sizeof(st->serial));
	put_blob(q, 3, st->module_instance, sizeof(st->module_instance));
	(void)sqlite3_bind_int64(q, 4, st->domain_instance);
	put_blob(q, 5, st->counter, sizeof(st->counter));
	(void)sqlite3_bind_int64(q, 6, st->attr.signature_threshold);
	(void)sqlite3_bind_int64(q, 7, st->attr.revocation_threshold);
	(void)sqlite3_bind_int64(q, 8, st->attr.permissions);
	(void)sqlite3_bind_int64(q, 9, st->attr.operational_mode);
	(void)sqlite3_bind_int64(q, 10, st->attr.standards);
	HSA_TRY(rc, put_key_id(q, 11, &st->importer));
	(void)sqlite3_bind_int64(q, 12, (int64_t)st->importer_kind);
	(void)sqlite3_bind_int64(q, 13, (int64_t)st->epoch);
	(void)sqlite3_bind_int64(q, 14, (int64_t)st->outbox_last);
	put_blob(q, 15, st->control_points, sizeof(st->control_points));
	return cu_sql_run(s, CU_SQL_UNIT_PUT, diag);
out:
	(void)sqlite3_clear_bindings(q);
	return rc;
}

static hsa_rc
put_admins(struct cu_store *s, const struct cu_state *st, struct hsa_diag *diag)
{
	sqlite3_stmt *q = s->stmt[CU_SQL_ADMIN_PUT];
	size_t i = 0;
	hsa_rc rc;

	HSA_TRY(rc, cu_sql_run(s, CU_SQL_ADMIN_CLEAR, diag));
	for (i = 0; i < st->admin_len; i++) {
		const struct cu_admin *a = &st->admin[i];

		(void)sqlite3_bind_int64(q, 1, (int64_t)i);
		put_blob(q, 2, a->ski, sizeof(a->ski));
		put_blob(q, 3, a->cert, a->cert_len);
		HSA_TRY(rc, cu_sql_run(s, CU_SQL_ADMIN_PUT, diag));
	}
out:
	return rc;
}

static hsa_rc
put_register(struct cu_store *s, int slot, const struct cu_register *r,
    struct hsa_diag *diag)
{
	sqlite3_stmt *q = s->stmt[CU_SQL_REGISTER_PUT];
	hsa_rc rc;

	(void)sqlite3_bind_int(q, 1, slot);
	(void)sqlite3_bind_int(q, 2, (int)r->fill);
	HSA_TRY(rc, put_key_id(q, 3, &r->key));
	put_blob(q, 4, r->pattern, sizeof(r->pattern));
	put_blob(q, 5, r->part_id, r->part_len * sizeof(r->part_id[0]));
	return cu_sql_run(s, CU_SQL_REGISTER_PUT, diag);
out:
	(void)sqlite3_clear_bindings(q);
	return rc;
}

/* The record, and away with what the log has. */
static hsa_rc
put_outbox(struct cu_store *s, uint64_t id, uint64_t sealed, const void *rec,
    size_t n, struct hsa_diag *diag)
{
	hsa_rc rc;

	(void)sqlite3_bind_int64(
	    s->stmt[CU_SQL_OUTBOX_DROP], 1, (int64_t)sealed);
	HSA_TRY(rc, cu_sql_run(s, CU_SQL_OUTBOX_DROP, diag));
	(void)sqlite3_bind_int64(s->stmt[CU_SQL_OUTBOX_PUT], 1, (int64_t)id);
	put_blob(s->stmt[CU_SQL_OUTBOX_PUT], 2, rec, n);
	HSA_TRY(rc, cu_sql_run(s, CU_SQL_OUTBOX_PUT, diag));
out:
	return rc;
}

static hsa_rc
end(struct cu_store *s, hsa_rc rc, struct hsa_diag *diag)
{
	if (hsa_is_ok(rc))
		rc = cu_sql_run(s, CU_SQL_COMMIT, diag);
	if (!hsa_is_ok(rc) && sqlite3_get_autocommit(s->db) == 0)
		(void)!hsa_is_ok(cu_sql_run(s, CU_SQL_ROLLBACK, NULL));
	return rc;
}

hsa_rc
cu_store_commit(struct cu_store *s, const struct cu_state *st, uint64_t sealed,
    const void *rec, size_t n, struct hsa_diag *diag)
{
	hsa_rc rc;

	if (st->outbox_last > INT64_LIMIT || sealed > INT64_LIMIT)
		return HSA_RC(E_RANGE);
	HSA_TRY(rc, cu_sql_run(s, CU_SQL_BEGIN, diag));
	HSA_TRY(rc, put_unit(s, st, diag));
	HSA_TRY(rc, put_admins(s, st, diag));
	HSA_TRY(rc, put_register(s, 0, &st->pending, diag));
	HSA_TRY(rc, put_register(s, 1, &st->current, diag));
	HSA_TRY(rc, put_outbox(s, st->outbox_last, sealed, rec, n, diag));
out:
	return end(s, rc, diag);
}

hsa_rc
cu_store_commit_rows(struct cu_store *s, uint64_t id, uint64_t sealed,
    const void *rec, size_t n, const struct cu_rows *rows,
    struct hsa_diag *diag)
{
	hsa_rc rc;

	if (id > INT64_LIMIT || sealed > INT64_LIMIT)
		return HSA_RC(E_RANGE);
	HSA_TRY(rc, cu_sql_run(s, CU_SQL_BEGIN, diag));
	(void)sqlite3_bind_int64(s->stmt[CU_SQL_UNIT_OUTBOX], 1, (int64_t)id);
	HSA_TRY(rc, cu_sql_run(s, CU_SQL_UNIT_OUTBOX, diag));
	if (sqlite3_changes(s->db) != 1) {
		rc = HSA_RC(E_STATE);
		goto out;
	}
	if (rows != NULL)
		HSA_TRY(rc, rows->put(rows->ctx, s, diag));
	HSA_TRY(rc, put_outbox(s, id, sealed, rec, n, diag));
out:
	return end(s, rc, diag);
}
