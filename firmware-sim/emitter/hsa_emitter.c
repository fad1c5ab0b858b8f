#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chan.h"
#include "hsa_buf.h"
#include "hsa_codec.h"
#include "hsa_emitter_impl.h"
#include "hsa_utf8.h"

#define NAME_MAX_LEN 64
#define DRAIN_MS 2000

/* ---- what every call asks ------------------------------------------------ */

/* Threads and locks stay with the parent. */
static atomic_uint generation;

static void
in_child(void)
{
	(void)atomic_fetch_add(&generation, 1);
}

static void
watch_forks(void)
{
	(void)pthread_atfork(NULL, NULL, in_child);
}

static bool
forked(const struct hsa_emitter *e)
{
	return e->generation !=
	       atomic_load_explicit(&generation, memory_order_relaxed);
}

hsa_rc
hsa_emitter_alive(const struct hsa_emitter *e, struct hsa_diag *diag)
{
	if (forked(e))
		return hsa_fail(diag, HSA_RC(E_STATE),
		    "this emitter was opened before the process was forked; "
		    "fix: open a folder of its own in the child");
	if (atomic_load_explicit(&e->closed, memory_order_relaxed))
		return hsa_fail(diag, HSA_RC(E_CLOSED),
		    "this emitter is closed; fix: free its contexts, open "
		    "again");
	return HSA_OK;
}

hsa_rc
hsa_emitter_text(const char *s, const char *what, struct hsa_diag *diag)
{
	size_t n = strlen(s);

	if (n > HSA_EMITTER_TEXT_MAX)
		return hsa_fail(diag, HSA_RC(E_RANGE),
		    "%s is longer than %u bytes; fix: shorten it", what,
		    HSA_EMITTER_TEXT_MAX);
	if (!hsa_utf8_valid(s, n))
		return hsa_fail(diag, HSA_RC(E_ARG),
		    "%s is not UTF-8; fix: convert it, or hsa_utf8_clean",
		    what);
	for (const char *at = s; *at != '\0'; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return hsa_fail(diag, HSA_RC(E_ARG),
			    "%s has a control character at byte %zu; fix: "
			    "remove it",
			    what, (size_t)(at - s));
	return HSA_OK;
}

/* ---- records ------------------------------------------------------------- */

static uint64_t
now(clockid_t clock)
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
	r->wall_ns = now(CLOCK_REALTIME);
	r->mono_ns = now(CLOCK_BOOTTIME);
}

static hsa_rc
log_failed(struct hsa_emitter *e, hsa_rc rc, struct hsa_diag *diag)
{
	struct hsa_diag why = {{0}};

	slog_why(e->log, &why);
	return hsa_fail(diag, rc,
	    "%s; fix: stop the service, see that the folder can be written, "
	    "and open it again",
	    why.text[0] != '\0' ? why.text : hsa_err_text(rc));
}

hsa_rc
hsa_emitter_seal(struct hsa_emitter *e, struct hsa_record *r,
    uint64_t *sequence, struct hsa_diag *diag)
{
	struct cu_sink_place at = {0};
	struct hsa_buf b = {0};
	bool put = false;
	hsa_rc rc;

	r->source = HSA_SOURCE_OUTBOX;
	(void)pthread_mutex_lock(&e->order);
	r->source_sequence = e->number + 1;
	rc = hsa_record_encode(&b, r);
	if (hsa_is_ok(rc))
		rc = hsa_buf_rc(&b);
	if (hsa_is_ok(rc)) {
		rc = e->sink.ops->put(e->sink.ctx, &at, r->source,
		    r->source_sequence, b.p, b.len);
		put = hsa_is_ok(rc);
		if (put)
			e->number++;
	}
	(void)pthread_mutex_unlock(&e->order);
	if (put)
		rc = e->sink.ops->wait(e->sink.ctx, &at);
	if (put && hsa_is_ok(rc))
		*sequence = at.sequence;
	if (rc.v == HSA_E_IO || rc.v == HSA_E_CLOSED)
		rc = log_failed(e, rc, diag);
	else if (!hsa_is_ok(rc))
		hsa_diag_set(
		    diag, "the record was not taken: %s", hsa_err_text(rc));
	hsa_buf_free(&b);
	return rc;
}

static hsa_rc
special(struct hsa_emitter *e, enum hsa_special_code code, int64_t calls,
    struct hsa_diag *diag)
{
	const struct hsa_special_row *row = hsa_special(code);
	struct hsa_record r = {.body = HSA_BODY_SPECIAL};
	struct hsa_data *d = &r.special.details;
	uint64_t sequence = 0;
	hsa_rc rc;

	hsa_emitter_envelope(&r, e);
	r.special.category = row->category;
	r.special.specific = row->specific;
	HSA_TRY(rc, hsa_strdup_opt(&r.special.name, row->name));
	HSA_TRY(rc, hsa_strdup_opt(&r.special.text, row->text));
	HSA_TRY(rc, hsa_data_text(d, "emitter", e->name));
	if (code == HSA_SPECIAL_UNIT_START)
		HSA_TRY(rc, hsa_data_text(d, "version", HSA_VERSION));
	if (code == HSA_SPECIAL_EMISSION_ON)
		HSA_TRY(rc, hsa_data_integer(d, "calls", calls));
	HSA_TRY(rc, hsa_emitter_seal(e, &r, &sequence, diag));
out:
	hsa_record_free(&r);
	return rc;
}

/* ---- opening ------------------------------------------------------------- */

static hsa_rc
check(const struct hsa_emitter_config *cfg, struct hsa_diag *diag)
{
	const hsa_rc bad = HSA_RC(E_ARG);
	bool all = cfg->sign != NULL && cfg->public_key != NULL;
	hsa_rc rc = HSA_OK;

	for (size_t i = 0; i < sizeof(cfg->reserved) / sizeof(uint64_t); i++)
		if (cfg->reserved[i] != 0)
			return hsa_fail(diag, bad,
			    "the configuration has members that this version "
			    "of libhsa does not know; fix: start from zeros");
	if (cfg->dir == NULL || cfg->dir[0] == '\0')
		return hsa_fail(diag, bad,
		    "no folder; fix: set dir, for instance to "
		    "/var/lib/SERVICE/audit");
	if (cfg->name == NULL || cfg->name[0] == '\0' ||
	    strlen(cfg->name) > NAME_MAX_LEN)
		return hsa_fail(diag, bad,
		    "no name; fix: set name to the service's, 1 to %d bytes",
		    NAME_MAX_LEN);
	HSA_TRY(rc, hsa_emitter_text(cfg->name, "name", diag));
	if (cfg->mode != HSA_EMITTER_SEALED && cfg->mode != HSA_EMITTER_RING &&
	    cfg->mode != HSA_EMITTER_OFF)
		return hsa_fail(diag, bad,
		    "unknown mode %d; fix: HSA_EMITTER_SEALED or _RING",
		    (int)cfg->mode);
	if (cfg->mode == HSA_EMITTER_OFF && !cfg->measuring)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "HSA_EMITTER_OFF records nothing; fix: use _SEALED or "
		    "_RING, or set measuring if that is what you do");
	if (cfg->mode == HSA_EMITTER_RING)
		return hsa_fail(diag, HSA_RC(E_UNSUPPORTED),
		    "HSA_EMITTER_RING is not there yet; fix: "
		    "HSA_EMITTER_SEALED");
	if (cfg->wait_ms < 0 || cfg->drain_ms < 0)
		return hsa_fail(diag, bad,
		    "wait_ms and drain_ms are not "
		    "negative; fix: 0 is the default");
	if ((cfg->sign != NULL) != (cfg->public_key != NULL) ||
	    (!all && cfg->sign_ctx != NULL))
		return hsa_fail(diag, bad,
		    "sign and public_key go together; fix: set both, or "
		    "neither for a key file");
out:
	return rc;
}

/* The record before says which epoch that was; the first of all is 1. */
static hsa_rc
next_epoch(struct hsa_emitter *e)
{
	struct slog_reader *reader = NULL;
	struct slog_item it = {0};
	struct hsa_look last = {0};
	uint8_t root[HSA_SHA256_LEN];
	uint64_t size = 0;
	hsa_rc rc = HSA_OK;

	e->sink.ops->head(e->sink.ctx, &size, root);
	if (size != 0) {
		HSA_TRY(rc, slog_reader_open(&reader, e->log, size - 1));
		HSA_TRY(rc, slog_reader_next(reader, &it, 0));
		HSA_TRY(rc, hsa_record_look(&last, it.p, it.n));
	}
	e->epoch = last.epoch + 1;
out:
	slog_reader_free(reader);
	return rc;
}

static hsa_rc
open_log(struct hsa_emitter *e, const char *dir, struct hsa_diag *diag)
{
	struct slog_config cfg = {
	    .origin = e->home.origin,
	    .sign = e->home.sign,
	    .sign_ctx = e->home.sign_ctx,
	};
	struct hsa_buf path = {0};
	hsa_rc rc;

	hsa_buf_printf(&path, "%s/log", dir);
	HSA_TRY(rc, hsa_buf_rc(&path));
	cfg.dir = hsa_buf_cstr(&path);
	memcpy(cfg.public_key, e->home.public_key, sizeof(cfg.public_key));
	HSA_TRY(rc, slog_open(&e->log, &cfg, diag));
	e->sink = slog_sink(e->log);
	e->number = e->sink.ops->last(e->sink.ctx, HSA_SOURCE_OUTBOX);
	rc = next_epoch(e);
	if (!hsa_is_ok(rc))
		hsa_diag_set(diag, "%s: the last record cannot be read: %s",
		    cfg.dir, hsa_err_text(rc));
out:
	hsa_buf_free(&path);
	return rc;
}

static void
abandon(struct hsa_emitter *e)
{
	slog_close(e->log);
	e->log = NULL;
	hsa_emitter_home_close(&e->home);
	hsa_emitter_unref(e);
}

hsa_rc
hsa_emitter_open(struct hsa_emitter **to, const struct hsa_emitter_config *cfg,
    struct hsa_diag *diag)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct hsa_emitter *e = NULL;
	hsa_rc rc;

	hsa_diag_set(diag, "%s", "");
	(void)pthread_once(&once, watch_forks);
	HSA_TRY(rc, check(cfg, diag));
	e = calloc(1, sizeof(*e));
	if (e == NULL)
		return HSA_RC(E_NOMEM);
	atomic_init(&e->refs, 1);
	e->generation = atomic_load(&generation);
	e->mode = cfg->mode;
	e->drain_ms = cfg->drain_ms != 0 ? cfg->drain_ms : DRAIN_MS;
	(void)pthread_mutex_init(&e->order, NULL);
	(void)pthread_mutex_init(&e->channels, NULL);
	HSA_TRY(rc, hsa_strdup_opt(&e->name, cfg->name));
	HSA_TRY(rc, hsa_emitter_home_open(&e->home, cfg, diag));
	HSA_TRY(rc, open_log(e, cfg->dir, diag));
	HSA_TRY(rc, special(e, HSA_SPECIAL_UNIT_START, 0, diag));
	if (e->mode == HSA_EMITTER_OFF)
		HSA_TRY(rc, special(e, HSA_SPECIAL_EMISSION_OFF, 0, diag));
	*to = e;
	return rc;
out:
	if (e != NULL)
		abandon(e);
	return rc;
}

void
hsa_emitter_unref(struct hsa_emitter *e)
{
	if (atomic_fetch_sub(&e->refs, 1) != 1)
		return;
	(void)pthread_mutex_destroy(&e->order);
	(void)pthread_mutex_destroy(&e->channels);
	free(e->name);
	free(e);
}

/* Those who are not connected will get the rest after the next open. */
static void
stop_channels(struct hsa_emitter *e)
{
	struct hsa_collector_status st = {0};
	uint64_t until =
	    now(CLOCK_MONOTONIC) / 1000000u + (uint64_t)e->drain_ms;

	for (size_t i = 0; i < e->chans; i++) {
		uint64_t at = now(CLOCK_MONOTONIC) / 1000000u;

		chan_status(e->chan[i], &st);
		chan_stop(e->chan[i],
		    st.connected && at < until ? (int)(until - at) : 0);
	}
	e->chans = 0;
}

void
hsa_emitter_close(struct hsa_emitter *e)
{
	/* what is open belongs to the parent, and so does its memory */
	if (e == NULL || forked(e))
		return;
	if (e->mode == HSA_EMITTER_OFF)
		(void)special(e, HSA_SPECIAL_EMISSION_ON,
		    (int64_t)atomic_load(&e->not_sealed), NULL);
	(void)special(e, HSA_SPECIAL_UNIT_STOP, 0, NULL);
	atomic_store(&e->closed, true);
	stop_channels(e);
	abandon(e);
}

/* ---- beside emitting ----------------------------------------------------- */

hsa_rc
hsa_emitter_flush(struct hsa_emitter *e, struct hsa_diag *diag)
{
	struct hsa_diag why = {{0}};
	hsa_rc rc;

	HSA_TRY(rc, hsa_emitter_alive(e, diag));
	slog_why(e->log, &why);
	if (why.text[0] != '\0')
		rc = log_failed(e, HSA_RC(E_IO), diag);
out:
	return rc;
}

hsa_rc
hsa_emitter_connect(struct hsa_emitter *e, const char *name,
    const char *address, struct hsa_diag *diag)
{
	struct chan_config cfg = {
	    .name = name,
	    .address = address,
	    .origin = e->home.origin,
	    .epoch = e->epoch,
	};
	hsa_rc rc;

	HSA_TRY(rc, hsa_emitter_alive(e, diag));
	memcpy(cfg.unit_id, e->home.id, sizeof(cfg.unit_id));
	(void)pthread_mutex_lock(&e->channels);
	rc = e->chans == HSA_EMITTER_COLLECTORS_MAX ? HSA_RC(E_FULL)
		 : chan_start(&e->chan[e->chans], &cfg, e->log);
		 if (hsa_is_ok(rc))
			 e->chans++;
		 (void)pthread_mutex_unlock(&e->channels);
		 if (!hsa_is_ok(rc))
			 hsa_diag_set(diag,
			     "cannot connect to collector %s at %s: %s; fix: "
			     "unix:PATH with a path of 1 to 107 bytes, at most "
			     "%d of "
			     "them",
			     name, address, hsa_err_text(rc),
			     HSA_EMITTER_COLLECTORS_MAX);
out:
	return rc;
}

static void
collectors(struct hsa_emitter *e, struct hsa_emitter_status *st)
{
	struct hsa_collector_status c = {0};

	(void)pthread_mutex_lock(&e->channels);
	for (; st->collectors < e->chans; st->collectors++) {
		struct hsa_emitter_collector *to =
		    &st->collector[st->collectors];

		chan_status(e->chan[st->collectors], &c);
		(void)snprintf(to->name, sizeof(to->name), "%s", c.name);
		(void)snprintf(
		    to->last_error, sizeof(to->last_error), "%s", c.last_error);
		to->connected = c.connected;
		to->acknowledged = c.acknowledged;
	}
	(void)pthread_mutex_unlock(&e->channels);
}

void
hsa_emitter_status(struct hsa_emitter *e, struct hsa_emitter_status *st)
{
	struct hsa_diag why = {{0}};

	memset(st, 0, sizeof(*st));
	if (!hsa_is_ok(hsa_emitter_alive(e, NULL)))
		return;
	memcpy(st->emitter_id, e->home.id, sizeof(st->emitter_id));
	st->mode = e->mode;
	st->epoch = e->epoch;
	e->sink.ops->head(e->sink.ctx, &st->log_size, st->log_root);
	st->emitted = atomic_load(&e->emitted);
	st->refused = atomic_load(&e->refused);
	st->unrecorded = atomic_load(&e->unrecorded);
	st->not_sealed = atomic_load(&e->not_sealed);
	slog_why(e->log, &why);
	memcpy(st->halted, why.text, sizeof(st->halted));
	collectors(e, st);
}
