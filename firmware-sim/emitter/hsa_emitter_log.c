/* The log of an emitter: its records, and how it is opened. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cu_clock.h"
#include "hsa_buf.h"
#include "hsa_codec.h"
#include "hsa_emitter_impl.h"

/* ---- records ------------------------------------------------------------- */

uint64_t
hsa_emitter_now(clockid_t clock)
{
	struct timespec t = {0};

	(void)clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void
hsa_emitter_envelope(struct hsa_record *r, const struct hsa_emitter *e)
{
	memcpy(r->unit_id, e->home.id, sizeof(r->unit_id));
	r->epoch = e->epoch;
	r->wall_ns = hsa_emitter_now(CLOCK_REALTIME);
	r->mono_ns = hsa_emitter_now(CLOCK_BOOTTIME);
}

hsa_rc
hsa_emitter_log_failed(struct hsa_emitter *e, hsa_rc rc, struct hsa_diag *diag)
{
	struct hsa_diag why = {{0}};

	slog_why(e->log, &why);
	return hsa_fail(diag, rc,
	    "%s; fix: stop the service, see that the folder can be written, "
	    "and open it again",
	    why.text[0] != '\0' ? why.text : hsa_err_text(rc));
}

hsa_rc
hsa_emitter_seal(struct hsa_emitter *e, uint64_t *sequence, uint64_t *number,
    const struct hsa_record *r, struct hsa_diag *diag)
{
	struct hsa_buf b = {0};
	hsa_rc rc;

	HSA_TRY(rc, hsa_record_encode(&b, r));
	HSA_TRY(rc, hsa_buf_rc(&b));
	if (r->source == HSA_SOURCE_USE)
		rc = slog_leave(e->log, number, b.p, b.len, e->wait_ms);
	else
		rc = slog_emit(e->log, sequence, number, b.p, b.len);
out:
	if (rc.v == HSA_E_IO || rc.v == HSA_E_CLOSED)
		rc = hsa_emitter_log_failed(e, rc, diag);
	else if (rc.v == HSA_E_TIMEOUT)
		hsa_diag_set(diag,
		    "the ring was full for %d ms; fix: a larger ring_bytes, "
		    "or find out what holds up the disk",
		    e->wait_ms);
	else if (!hsa_is_ok(rc))
		hsa_diag_set(
		    diag, "the record was not taken: %s", hsa_err_text(rc));
	hsa_buf_free(&b);
	return rc;
}

/* The table's texts of start and stop are a crypto unit's. */
static hsa_rc
special_text(char **to, const struct hsa_emitter *e, enum hsa_special_code code,
    const char *text)
{
	char own[sizeof("emitter  closed in order") + 2 * HSA_EMITTER_NAME_MAX];

	if (code == HSA_SPECIAL_UNIT_START)
		(void)snprintf(
		    own, sizeof(own), "emitter %s opened, new epoch", e->name);
	else if (code == HSA_SPECIAL_UNIT_STOP)
		(void)snprintf(
		    own, sizeof(own), "emitter %s closed in order", e->name);
	else
		return hsa_strdup_opt(to, text);
	return hsa_strdup_opt(to, own);
}

hsa_rc
hsa_emitter_special(struct hsa_emitter *e, enum hsa_special_code code,
    uint64_t count, struct hsa_diag *diag)
{
	const struct hsa_special_row *row = hsa_special(code);
	struct hsa_record r = {
	    .body = HSA_BODY_SPECIAL, .source = HSA_SOURCE_OUTBOX};
	struct hsa_data *d = &r.special.details;
	struct slog_ring_status st = {0};
	uint64_t sequence = 0, number = 0;
	hsa_rc rc;

	hsa_emitter_envelope(&r, e);
	r.special.category = row->category;
	r.special.specific = row->specific;
	HSA_TRY(rc, hsa_strdup_opt(&r.special.name, row->name));
	HSA_TRY(rc, special_text(&r.special.text, e, code, row->text));
	HSA_TRY(rc, hsa_data_text(d, "emitter", e->name));
	if (code == HSA_SPECIAL_UNIT_START)
		HSA_TRY(rc, hsa_data_text(d, "version", HSA_VERSION));
	if (code == HSA_SPECIAL_EMISSION_ON || code == HSA_SPECIAL_LOST_EVENTS)
		HSA_TRY(rc, hsa_data_integer(d, "calls", (int64_t)count));
	if (code == HSA_SPECIAL_RING_LOST) {
		slog_ring_status(e->log, &st);
		HSA_TRY(
		    rc, hsa_data_integer(d, "ofEpoch", (int64_t)st.lost_epoch));
		HSA_TRY(rc, hsa_data_text(d, "why", st.lost_why));
	}
	HSA_TRY(rc, hsa_emitter_seal(e, &sequence, &number, &r, diag));
out:
	hsa_record_free(&r);
	return rc;
}

hsa_rc
hsa_emitter_tell_lost(
    struct hsa_emitter *e, uint64_t more, struct hsa_diag *diag)
{
	struct slog_ring_status st = {0};
	hsa_rc rc = HSA_OK;

	slog_ring_status(e->log, &st);
	if (st.unrecorded + more == 0)
		goto out;
	HSA_TRY(rc, hsa_emitter_special(e, HSA_SPECIAL_LOST_EVENTS,
			st.unrecorded + more, diag));
	slog_ring_told(e->log, st.unrecorded);
	if (more != 0)
		hsa_emitter_unrecorded_write(e, 0);
out:
	return rc;
}

/* The record before says which epoch that was, the first of all being 1. */
static hsa_rc
look_back(struct hsa_emitter *e)
{
	struct slog_reader *reader = NULL;
	struct slog_item it = {0};
	struct hsa_record last = {0};
	uint8_t root[HSA_SHA256_LEN];
	uint64_t size = 0;
	hsa_rc rc = HSA_OK;

	e->sink.ops->head(e->sink.ctx, &size, root);
	if (size != 0) {
		HSA_TRY(rc, slog_reader_open(&reader, e->log, size - 1));
		HSA_TRY(rc, slog_reader_next(reader, &it, 0));
		HSA_TRY(rc, hsa_record_decode(&last, it.p, it.n));
	}
	e->epoch = last.epoch + 1;
out:
	hsa_record_free(&last);
	slog_reader_free(reader);
	return rc;
}

static uint64_t
wall_ns(void *ctx)
{
	(void)ctx;
	return hsa_emitter_now(CLOCK_REALTIME);
}

static uint64_t
mono_ns(void *ctx)
{
	(void)ctx;
	return hsa_emitter_now(CLOCK_BOOTTIME);
}

hsa_rc
hsa_emitter_open_log(struct hsa_emitter *e,
    const struct hsa_emitter_config *from, struct hsa_diag *diag)
{
	static const struct cu_clock clock = {
	    .wall_ns = wall_ns, .mono_ns = mono_ns};
	struct slog_config cfg = {
	    .origin = e->home.origin,
	    .sign = e->home.sign,
	    .sign_ctx = e->home.sign_ctx,
	    .clock = &clock,
	};
	struct hsa_buf path = {0}, ring = {0}, mark = {0};
	hsa_rc rc;

	hsa_buf_printf(&path, "%s/log", from->dir);
	hsa_buf_printf(&mark, "%s/ring", from->dir);
	HSA_TRY(rc, hsa_buf_rc(&path));
	HSA_TRY(rc, hsa_buf_rc(&mark));
	HSA_TRY(rc, hsa_emitter_ring_name(&ring, e, from, diag));
	HSA_TRY(rc,
	    hsa_emitter_ring_slots(&cfg.ring_slots, from->ring_bytes, diag));
	cfg.dir = hsa_buf_cstr(&path);
	cfg.ring = ring.len == 0 ? NULL : hsa_buf_cstr(&ring);
	cfg.ring_mark = hsa_buf_cstr(&mark);
	memcpy(cfg.unit_id, e->home.id, sizeof(cfg.unit_id));
	memcpy(cfg.public_key, e->home.public_key, sizeof(cfg.public_key));
	HSA_TRY(rc, slog_open(&e->log, &cfg, diag));
	e->sink = slog_sink(e->log);
	if (from->mode == HSA_EMITTER_RING)
		HSA_TRY(rc, slog_ring_mark(e->log, diag));
	rc = look_back(e);
	if (!hsa_is_ok(rc))
		hsa_diag_set(diag, "%s: the last record cannot be read: %s",
		    cfg.dir, hsa_err_text(rc));
out:
	hsa_buf_free(&path);
	hsa_buf_free(&ring);
	hsa_buf_free(&mark);
	return rc;
}

hsa_rc
hsa_emitter_start(struct hsa_emitter *e, struct hsa_diag *diag)
{
	struct slog_ring_status st = {0};
	uint64_t lost = 0;
	hsa_rc rc;

	HSA_TRY(rc, hsa_emitter_unrecorded_read(&lost, e, diag));
	HSA_TRY(rc, hsa_emitter_special(e, HSA_SPECIAL_UNIT_START, 0, diag));
	slog_ring_status(e->log, &st);
	if (st.lost) {
		HSA_TRY(
		    rc, hsa_emitter_special(e, HSA_SPECIAL_RING_LOST, 0, diag));
		HSA_TRY(rc, slog_ring_lost_told(e->log, diag));
	}
	HSA_TRY(rc, hsa_emitter_tell_lost(e, lost, diag));
	if (e->mode == HSA_EMITTER_OFF)
		HSA_TRY(rc,
		    hsa_emitter_special(e, HSA_SPECIAL_EMISSION_OFF, 0, diag));
out:
	return rc;
}
