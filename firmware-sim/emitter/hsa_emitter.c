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
#include "slog_ring.h"

#define DRAIN_MS 2000
#define WAIT_MS 5000

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
	    strlen(cfg->name) > HSA_EMITTER_NAME_MAX)
		return hsa_fail(diag, bad,
		    "no name; fix: set name to the service's, 1 to %d bytes",
		    HSA_EMITTER_NAME_MAX);
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

static void
abandon(struct hsa_emitter *e)
{
	slog_close(e->log);
	e->log = NULL;
	hsa_emitter_home_close(&e->home);
	hsa_emitter_unref(e);
}

static hsa_rc
open_all(struct hsa_emitter **to, const struct hsa_emitter_config *cfg,
    struct hsa_diag *diag)
{
	struct hsa_emitter *e = NULL;
	hsa_rc rc;

	HSA_TRY(rc, check(cfg, diag));
	e = calloc(1, sizeof(*e));
	if (e == NULL)
		return HSA_RC(E_NOMEM);
	atomic_init(&e->refs, 1);
	e->generation = atomic_load(&generation);
	e->mode = cfg->mode;
	e->drain_ms = cfg->drain_ms != 0 ? cfg->drain_ms : DRAIN_MS;
	e->wait_ms = cfg->wait_ms != 0 ? cfg->wait_ms : WAIT_MS;
	(void)pthread_mutex_init(&e->channels, NULL);
	HSA_TRY(rc, hsa_strdup_opt(&e->name, cfg->name));
	HSA_TRY(rc, hsa_emitter_home_open(&e->home, cfg, diag));
	HSA_TRY(rc, hsa_emitter_open_log(e, cfg, diag));
	HSA_TRY(rc, hsa_emitter_start(e, diag));
	*to = e;
	return rc;
out:
	if (e != NULL)
		abandon(e);
	return rc;
}

hsa_rc
hsa_emitter_open(struct hsa_emitter **to, const struct hsa_emitter_config *cfg,
    struct hsa_diag *diag)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct hsa_diag text = {{0}};
	hsa_rc rc;

	(void)pthread_once(&once, watch_forks);
	rc = open_all(to, cfg, &text);
	if (diag != NULL)
		*diag = text;
	return rc;
}

void
hsa_emitter_unref(struct hsa_emitter *e)
{
	if (atomic_fetch_sub(&e->refs, 1) != 1)
		return;
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
	    hsa_emitter_now(CLOCK_MONOTONIC) / 1000000u + (uint64_t)e->drain_ms;

	for (size_t i = 0; i < e->chans; i++) {
		uint64_t at = hsa_emitter_now(CLOCK_MONOTONIC) / 1000000u;

		chan_status(e->chan[i], &st);
		chan_stop(e->chan[i],
		    st.connected && at < until ? (int)(until - at) : 0);
	}
	e->chans = 0;
}

void
hsa_emitter_close(struct hsa_emitter *e)
{
	bool good = true;

	/* what is open belongs to the parent, and so does its memory */
	if (e == NULL || forked(e))
		return;
	if (e->mode == HSA_EMITTER_OFF)
		good = hsa_is_ok(hsa_emitter_special(e, HSA_SPECIAL_EMISSION_ON,
		    atomic_load(&e->not_sealed), NULL));
	if (good && hsa_is_ok(hsa_emitter_tell_lost(e, 0, NULL)))
		(void)!hsa_is_ok(
		    hsa_emitter_special(e, HSA_SPECIAL_UNIT_STOP, 0, NULL));
	atomic_store(&e->closed, true);
	stop_channels(e);
	slog_close(e->log);
	e->log = NULL;
	if (atomic_load(&e->lost) != 0)
		hsa_emitter_unrecorded_write(e, atomic_load(&e->lost));
	abandon(e);
}

/* ---- beside emitting ----------------------------------------------------- */

hsa_rc
hsa_emitter_flush(struct hsa_emitter *e, struct hsa_diag *diag)
{
	hsa_rc rc;

	HSA_TRY(rc, hsa_emitter_alive(e, diag));
	rc = slog_flush(e->log);
	if (!hsa_is_ok(rc))
		rc = hsa_emitter_log_failed(e, rc, diag);
out:
	return rc;
}

static hsa_rc
connect_check(const char *name, const char *address,
    const struct hsa_emitter_tls *tls, struct hsa_diag *diag)
{
	const hsa_rc bad = HSA_RC(E_ARG);

	if (name == NULL || address == NULL)
		return hsa_fail(diag, bad,
		    "a collector without name or address; fix: give both");
	if (tls == NULL)
		return HSA_OK;
	for (size_t i = 0; i < sizeof(tls->reserved) / sizeof(uint64_t); i++)
		if (tls->reserved[i] != 0)
			return hsa_fail(diag, bad,
			    "tls has members that this version of libhsa does "
			    "not know; fix: start from zeros");
	if (tls->ca == NULL || tls->identity == NULL || tls->name == NULL)
		return hsa_fail(diag, bad,
		    "collector %s: tls is not complete; fix: set ca, identity "
		    "and name",
		    name);
	return HSA_OK;
}

hsa_rc
hsa_emitter_connect(struct hsa_emitter *e, const char *name,
    const char *address, const struct hsa_emitter_tls *tls,
    struct hsa_diag *diag)
{
	struct chan_config cfg = {
	    .name = name,
	    .address = address,
	    .origin = e->home.origin,
	    .epoch = e->epoch,
	};
	hsa_rc rc;

	HSA_TRY(rc, hsa_emitter_alive(e, diag));
	HSA_TRY(rc, connect_check(name, address, tls, diag));
	if (tls != NULL) {
		cfg.tls_ca = tls->ca;
		cfg.tls_identity = tls->identity;
		cfg.tls_name = tls->name;
	}
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
			     "unix:PATH, a path of 1 to 107 bytes, or "
			     "tls:HOST:PORT "
			     "with tls; at most %d collectors",
			     name, address, hsa_err_text(rc),
			     HSA_EMITTER_COLLECTORS_MAX);
out:
	return rc;
}

void
hsa_emitter_renew(struct hsa_emitter *e)
{
	if (!hsa_is_ok(hsa_emitter_alive(e, NULL)))
		return;
	(void)pthread_mutex_lock(&e->channels);
	for (size_t i = 0; i < e->chans; i++)
		chan_renew(e->chan[i]);
	(void)pthread_mutex_unlock(&e->channels);
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
	struct slog_ring_status ring = {0};
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
	slog_ring_status(e->log, &ring);
	st->ring_size = ring.slots * SLOG_RING_SLOT;
	st->ring_used = ring.used * SLOG_RING_SLOT;
	slog_why(e->log, &why);
	memcpy(st->halted, why.text, sizeof(st->halted));
	collectors(e, st);
}
