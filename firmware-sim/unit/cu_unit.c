#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cu_core.h"
#include "hsa_hash.h"

/* ---- small doors to what the view lock guards ---------------------------- */

void
cu_unit_halt(struct cu_unit *u, uint32_t status, const char *cause)
{
	(void)pthread_mutex_lock(&u->view);
	if (atomic_load(&u->halted_status) == 0) {
		(void)snprintf(u->halted, sizeof(u->halted), "%s", cause);
		atomic_store(&u->halted_status, status);
	}
	(void)pthread_mutex_unlock(&u->view);
}

uint32_t
cu_unit_halted(struct cu_unit *u, struct hsa_buf *text)
{
	uint32_t status = 0;

	if (text == NULL) /* on the way of every call */
		return atomic_load(&u->halted_status);
	(void)pthread_mutex_lock(&u->view);
	status = atomic_load(&u->halted_status);
	hsa_buf_str(text, u->halted);
	(void)pthread_mutex_unlock(&u->view);
	return status;
}

void
cu_unit_count(struct cu_unit *u, enum cu_stat which)
{
	atomic_fetch_add_explicit(&u->stats.v[which], 1, memory_order_relaxed);
}

void
cu_unit_view(struct cu_unit *u, struct cu_state *to)
{
	(void)pthread_mutex_lock(&u->view);
	*to = u->now;
	(void)pthread_mutex_unlock(&u->view);
}

/* ---- opening ------------------------------------------------------------- */

/* A unit that never started: everything that only its token can make up. */
static hsa_rc
first_state(struct cu_unit *u, struct hsa_diag *diag)
{
	struct cu_state *s = &u->now;
	const struct cu_backend *b = &u->backend;
	hsa_rc rc;

	cu_state_init(s);
	memcpy(s->unit_id, u->id.unit_id, sizeof(s->unit_id));
	memcpy(s->serial, u->id.serial, sizeof(s->serial));
	HSA_TRY(rc, b->ops->random(b->ctx, s->module_instance,
			sizeof(s->module_instance)));
	HSA_TRY(rc, b->ops->random(b->ctx, s->counter, sizeof(s->counter)));
	s->counter[0] = 0; /* leaves room above it */
	return HSA_OK;
out:
	hsa_diag_set(diag, "the token gives no random bytes");
	return rc;
}

static hsa_rc
check_state(const struct cu_unit *u, struct hsa_diag *diag)
{
	const struct cu_state *s = &u->now;
	size_t i = 0;

	if (memcmp(s->unit_id, u->id.unit_id, sizeof(s->unit_id)) != 0 ||
	    memcmp(s->serial, u->id.serial, sizeof(s->serial)) != 0)
		return hsa_fail(diag, HSA_RC(E_CORRUPT),
		    "the state belongs to another unit: put each unit's own "
		    "folder back");
	for (i = 0; i < s->admin_len; i++) {
		const struct cu_admin *a = &s->admin[i];
		struct tke_admin_cert cert = {0};
		hsa_rc rc = tke_admin_cert_parse(&cert, a->cert, a->cert_len);
		bool good = hsa_is_ok(rc) &&
			    memcmp(cert.ski, a->ski, sizeof(a->ski)) == 0;

		tke_admin_cert_free(&cert);
		if (rc.v == HSA_E_NOMEM)
			return rc;
		if (!good)
			return hsa_fail(diag, HSA_RC(E_CORRUPT),
			    "the certificate of administrator %zu does not "
			    "match its identifier: put back the newest copy "
			    "of the unit's whole folder",
			    i + 1);
	}
	return HSA_OK;
}

static hsa_rc
check_pattern(const struct cu_unit *u, const struct cu_register *r,
    const char *name, struct hsa_diag *diag)
{
	uint8_t pattern[32] = {0};
	hsa_rc rc;

	if (r->fill == CU_EMPTY)
		return HSA_OK;
	rc = u->backend.ops->pattern(u->backend.ctx, pattern, &r->key);
	if (!hsa_is_ok(rc) && rc.v != HSA_E_NOT_FOUND)
		return hsa_fail(diag, rc,
		    "the token does not tell the pattern of the %s master "
		    "key: %s",
		    name, hsa_err_text(rc));
	if (!hsa_is_ok(rc) ||
	    !hsa_equal_ct(pattern, r->pattern, sizeof(pattern)))
		return hsa_fail(diag, HSA_RC(E_CORRUPT),
		    "the token does not hold the %s master key that the "
		    "unit's state names: put back the newest copy of the "
		    "unit's whole folder",
		    name);
	return HSA_OK;
}

static hsa_rc
reconcile(
    struct cu_unit *u, size_t *swept, uint64_t *resealed, struct hsa_diag *diag)
{
	struct cu_key_id keep[CU_OBJECTS_MAX];
	size_t n = 0;
	hsa_rc rc;

	HSA_TRY(rc, check_state(u, diag));
	HSA_TRY(rc, cu_journal_drain(u, resealed, diag));
	n = cu_state_keep(&u->now, keep);
	HSA_TRY(
	    rc, u->backend.ops->collect(u->backend.ctx, swept, keep, n, diag));
	HSA_TRY(rc, check_pattern(u, &u->now.current, "current", diag));
	HSA_TRY(rc, check_pattern(u, &u->now.pending, "new", diag));
out:
	return rc;
}

static hsa_rc
start(struct cu_unit *u, size_t swept, uint64_t resealed, struct hsa_diag *diag)
{
	struct hsa_record r = {0};
	struct hsa_data *d = &r.special.details;
	uint32_t test;
	hsa_rc rc;

	u->next = u->now;
	u->next.epoch++;
	u->epoch = u->next.epoch;
	HSA_TRY(rc, cu_event_special(&r, u, HSA_SPECIAL_UNIT_START));
	HSA_TRY(rc, hsa_data_text(d, "version", HSA_VERSION));
	HSA_TRY(rc, hsa_data_integer(d, "resealedRecords", (int64_t)resealed));
	HSA_TRY(rc, hsa_data_integer(d, "sweptObjects", (int64_t)swept));
	HSA_TRY(rc, cu_ep11_open(u, diag));
	test = cu_selftest(u, 0);
	if (test != CKR_FUNCTION_NOT_SUPPORTED)
		HSA_TRY(rc, hsa_data_text(d, "selfTest",
				test == CKR_OK ? "passed" : "failed"));
	HSA_TRY(rc, cu_journal_commit(u, &r, diag));
	HSA_TRY(rc, cu_lost_start(u, diag));
	rc = cu_selftest_start(u, test, diag);
out:
	hsa_record_free(&r);
	return rc;
}

/* Writers first: a change of keys would otherwise wait for a gap between
 * calls that never comes. */
static void
locks_init(struct cu_unit *u)
{
	pthread_rwlockattr_t a;

	(void)pthread_mutex_init(&u->command, NULL);
	(void)pthread_mutex_init(&u->view, NULL);
	(void)pthread_rwlockattr_init(&a);
	(void)pthread_rwlockattr_setkind_np(
	    &a, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	(void)pthread_rwlock_init(&u->work, &a);
	(void)pthread_rwlockattr_destroy(&a);
}

static void
unit_free(struct cu_unit *u)
{
	if (u == NULL)
		return;
	cu_ep11_close(u);
	cu_kinds_free(&u->kinds);
	cu_store_close(u->store);
	cu_lost_close(u);
	(void)pthread_rwlock_destroy(&u->work);
	(void)pthread_mutex_destroy(&u->command);
	(void)pthread_mutex_destroy(&u->view);
	hsa_wipe(u, sizeof(*u));
	free(u);
}

hsa_rc
cu_unit_open(struct cu_unit **to, const struct cu_identity *id, const char *db,
    struct cu_backend backend, const struct ep11_token *token,
    struct cu_sink sink, const struct cu_clock *clock, struct hsa_diag *diag)
{
	struct cu_unit *u = NULL;
	uint64_t resealed = 0;
	size_t swept = 0;
	hsa_rc rc = HSA_RC(E_NOMEM);

	if (id->oa_cert_len == 0)
		return hsa_fail(diag, HSA_RC(E_ARG),
		    "the unit has no OA certificate: give at least one");
	u = calloc(1, sizeof(*u));
	if (u == NULL)
		goto out;
	u->lost.fd = -1;
	locks_init(u);
	cu_kinds_init(&u->kinds);
	u->mode = CU_EMIT_SEALED;
	u->id = *id;
	u->backend = backend;
	if (token != NULL)
		u->token = *token;
	u->sink = sink;
	u->clock = clock;
	HSA_TRY(rc, cu_event_check(u, diag));
	HSA_TRY(rc, cu_store_open(&u->store, db, diag));
	HSA_TRY(rc, cu_lost_open(u, db, diag));
	rc = cu_store_load(u->store, &u->now, diag);
	if (rc.v == HSA_E_NOT_FOUND)
		rc = first_state(u, diag);
	if (!hsa_is_ok(rc))
		goto out;
	HSA_TRY(rc, reconcile(u, &swept, &resealed, diag));
	HSA_TRY(rc, start(u, swept, resealed, diag));
	*to = u;
	u = NULL;
out:
	unit_free(u);
	return rc;
}

void
cu_unit_close(struct cu_unit *u)
{
	struct hsa_record r = {0};

	if (u == NULL)
		return;
	cu_unreadable_rest(u);
	(void)pthread_mutex_lock(&u->command);
	(void)!hsa_is_ok(cu_emission_set(u, CU_EMIT_SEALED));
	u->next = u->now;
	/* a stop that cannot be sealed shows as a start without one */
	if (cu_unit_halted(u, NULL) == 0 &&
	    hsa_is_ok(cu_event_special(&r, u, HSA_SPECIAL_UNIT_STOP)))
		(void)!hsa_is_ok(cu_journal_commit(u, &r, NULL));
	(void)pthread_mutex_unlock(&u->command);
	hsa_record_free(&r);
	unit_free(u);
}

/* ---- status -------------------------------------------------------------- */

static void
object_text(char to[33], const struct cu_key_id *id)
{
	to[0] = '\0';
	if (id->set)
		hsa_hex(to, id->b, sizeof(id->b));
}

hsa_rc
cu_unit_status(struct cu_unit *u, struct hsa_unit_status *st)
{
	const size_t objects_max =
	    sizeof(st->token_object) / sizeof(st->token_object[0]);
	struct cu_key_id
	    object[sizeof(st->token_object) / sizeof(st->token_object[0])];
	struct hsa_buf text = {0};
	struct cu_state s;
	size_t n = 0, i = 0;
	hsa_rc rc;

	memset(st, 0, sizeof(*st));
	HSA_TRY(
	    rc, u->backend.ops->list(u->backend.ctx, object, &n, objects_max));
	(void)pthread_mutex_lock(&u->view);
	s = u->now;
	st->lost = u->lost.calls;
	st->counter_len = cu_stats_export(st->counter,
	    sizeof(st->counter) / sizeof(st->counter[0]), &u->stats);
	(void)pthread_mutex_unlock(&u->view);
	st->halted_status = cu_unit_refuses(u, &text);
	(void)snprintf(
	    st->halted, sizeof(st->halted), "%s", hsa_buf_cstr(&text));
	cu_ep11_status(u, st);
	cu_emission_status(u, &st->emission);
	memcpy(st->unit_id, u->id.unit_id, sizeof(st->unit_id));
	st->epoch = s.epoch;
	st->imprint = s.attr.signature_threshold == 0;
	st->signature_threshold = s.attr.signature_threshold;
	st->revocation_threshold = s.attr.revocation_threshold;
	st->admin_len = s.admin_len;
	for (i = 0; i < s.admin_len; i++)
		memcpy(st->admin[i], s.admin[i].ski, sizeof(st->admin[i]));
	(void)snprintf(st->new_register, sizeof(st->new_register), "%s",
	    cu_fill_text(s.pending.fill));
	(void)snprintf(st->current_register, sizeof(st->current_register), "%s",
	    cu_fill_text(s.current.fill));
	memcpy(st->new_pattern, s.pending.pattern, sizeof(st->new_pattern));
	memcpy(st->current_pattern, s.current.pattern,
	    sizeof(st->current_pattern));
	u->sink.ops->head(u->sink.ctx, &st->log_size, st->log_root);
	for (i = 0; i < n; i++)
		memcpy(st->token_object[i], object[i].b, sizeof(object[i].b));
	st->token_object_len = n;
	object_text(st->new_object, &s.pending.key);
	object_text(st->current_object, &s.current.key);
out:
	hsa_buf_free(&text);
	return rc;
}
