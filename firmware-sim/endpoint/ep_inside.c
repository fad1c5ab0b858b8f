/* ep_inside.c - see ep_inside.h. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "hsa_buf.h"
#include "hsa_chain.h"
#include "tke_oa.h"
#include "cu_clock.h"
#include "cu_unit.h"
#include "bk_p11.h"
#include "slog.h"
#include "chan.h"
#include "ep_certs.h"
#include "ep_chain.h"
#include "ep_config.h"
#include "ep_file.h"
#include "ep_inside.h"
#include "ep_keep.h"
#include "ep_sock.h"

#define OA_CERTS 2
#define DRAIN_MS 5000     /* all connected collectors together */
#define DRAIN_AWAY_MS 200 /* one that is not connected */

struct ep_inside {
	struct ep_config *cfg;
	const struct ep_unit_config *me;
	const char *path; /* the installation's folder, while it is opened */
	struct hsa_buf folder, origin, crn, log_crn, label; /* texts */
	uint8_t id[HSA_UUID_LEN];
	uint8_t oa_cert[OA_CERTS][TKE_OA_CERT_LEN];
	struct bk_p11 *bk;
	struct cu_backend backend;
	struct slog *log;
	struct cu_unit *cu;
	struct chan *chan[EP_COLLECTORS_MAX];
	struct ep_keep *keep;
	pthread_mutex_t health;  /* channels outlive the unit a while: */
	bool gone;               /* it must not be asked any more */
	struct chan_health last; /* what it said */
	struct ep_chain chain;
	int lock, dir; /* dir: the installation's folder */
};

static hsa_rc
path_in(struct hsa_buf *b, struct ep_inside *u, const char *name)
{
	hsa_buf_reset(b);
	hsa_buf_printf(b, "%s/%s", hsa_buf_cstr(&u->folder), name);
	return hsa_buf_rc(b);
}

static hsa_rc
load_certs(struct ep_inside *u, struct hsa_diag *diag)
{
	struct hsa_buf path = {0}, cert = {0};
	char name[32] = "";
	hsa_rc rc = HSA_OK;
	int i = 0;

	for (i = 0; i < OA_CERTS; i++) {
		(void)snprintf(name, sizeof(name), "oa-%d.der", i);
		HSA_TRY(rc, path_in(&path, u, name));
		hsa_buf_reset(&cert);
		HSA_TRY(rc, ep_file_read(&cert, hsa_buf_cstr(&path),
				TKE_OA_CERT_LEN, diag));
		if (cert.len != TKE_OA_CERT_LEN) {
			rc = hsa_fail(diag, HSA_RC(E_CORRUPT),
			    "%s has %zu bytes instead of %d; fix: restore it "
			    "from a backup of this installation",
			    hsa_buf_cstr(&path), cert.len, TKE_OA_CERT_LEN);
			goto out;
		}
		memcpy(u->oa_cert[i], cert.p, TKE_OA_CERT_LEN);
	}
out:
	hsa_buf_free(&path);
	hsa_buf_free(&cert);
	return rc;
}

/* Certificate 0 must certify the key that is in the token, or every client
 * would refuse every answer. */
static hsa_rc
check_certs(struct ep_inside *u, struct hsa_diag *diag)
{
	struct tke_oa_cert c = {0};
	uint8_t point[TKE_POINT_LEN] = {0};
	hsa_rc rc = HSA_OK;

	HSA_TRY(rc, bk_p11_oa_point(u->bk, point));
	rc = tke_oa_parse(&c, u->oa_cert[0], TKE_OA_CERT_LEN);
	if (!hsa_is_ok(rc) || memcmp(c.point, point, sizeof(point)) != 0)
		rc = hsa_fail(diag, HSA_RC(E_CORRUPT),
		    "oa-0.der is not the certificate of the OA key in this "
		    "unit's token; fix: restore both from the same backup");
out:
	return rc;
}

static hsa_rc
open_token(struct ep_inside *u, struct hsa_diag *diag)
{
	struct bk_config cfg = {0};
	hsa_rc rc = HSA_OK;

	hsa_buf_hex(&u->label, u->id, sizeof(u->id));
	HSA_TRY(rc, hsa_buf_rc(&u->label));
	cfg.module = u->cfg->pkcs11_module;
	cfg.dir = hsa_buf_cstr(&u->folder);
	cfg.label = hsa_buf_cstr(&u->label);
	HSA_TRY(rc, bk_p11_open(&u->bk, &cfg, diag));
	u->backend = bk_p11_backend(u->bk);
	HSA_TRY(rc, check_certs(u, diag));
out:
	return rc;
}

/* What a ring is damaged for is not the log's. */
static void
name_way_out(const struct ep_inside *u, struct hsa_diag *diag)
{
	struct hsa_diag was;

	if (diag == NULL || strstr(diag->text, "then remove it") != NULL)
		return;
	was = *diag;
	hsa_diag_set(diag,
	    "%.700s; or begin a new log, which says so: cryptounitd new-log "
	    "%.120s --unit %s",
	    was.text, u->path, u->me->name);
}

static hsa_rc
open_log(struct ep_inside *u, struct hsa_diag *diag)
{
	char origin[HSA_ORIGIN_TEXT];
	struct hsa_buf path = {0}, ring = {0}, mark = {0};
	struct slog_config cfg = {0};
	hsa_rc rc = HSA_OK;

	HSA_TRY(rc, path_in(&path, u, "log"));
	HSA_TRY(rc, path_in(&mark, u, "ring"));
	ep_unit_ring(&ring, u->cfg, u->me);
	HSA_TRY(rc, hsa_buf_rc(&ring));
	hsa_origin_text(origin, u->id, u->chain.number);
	hsa_buf_str(&u->origin, origin);
	HSA_TRY(rc, hsa_buf_rc(&u->origin));
	HSA_TRY(rc, bk_p11_checkpoint_pub(u->bk, cfg.public_key));
	/* of a new log whose making was cut short */
	HSA_TRY(rc, ep_chain_settled(u->path, hsa_buf_cstr(&u->folder),
			&u->chain, u->id, cfg.public_key, diag));
	cfg.dir = hsa_buf_cstr(&path);
	cfg.origin = hsa_buf_cstr(&u->origin);
	cfg.sign = u->backend.ops->checkpoint_sign;
	cfg.sign_ctx = u->backend.ctx;
	cfg.clock = &cu_clock_system;
	memcpy(cfg.unit_id, u->id, sizeof(cfg.unit_id));
	cfg.ring = hsa_buf_cstr(&ring);
	cfg.ring_mark = hsa_buf_cstr(&mark);
	cfg.ring_slots = u->cfg->log.ring_slots;
	cfg.cap_bytes = u->cfg->log.max_bytes;
	cfg.segment_bytes = (size_t)u->cfg->log.segment_bytes;
	rc = slog_open(&u->log, &cfg, diag);
	if (rc.v == HSA_E_CORRUPT || rc.v == HSA_E_KEY)
		name_way_out(u, diag);
out:
	hsa_buf_free(&mark);
	hsa_buf_free(&ring);
	hsa_buf_free(&path);
	return rc;
}

hsa_rc
ep_inside_emission(
    struct ep_inside *u, enum cu_emission mode, struct hsa_diag *diag)
{
	hsa_rc rc = HSA_OK;

	if (mode == CU_EMIT_RING)
		HSA_TRY(rc, slog_ring_mark(u->log, diag));
	rc = cu_unit_emission(u->cu, mode);
out:
	return rc;
}

static hsa_rc
open_state(struct ep_inside *u, struct hsa_diag *diag)
{
	struct hsa_buf path = {0};
	struct cu_identity id = {0};
	struct ep11_token token = bk_p11_token(u->bk);
	struct slog_ring_status ring = {0};
	hsa_rc rc = HSA_OK;

	HSA_TRY(rc, path_in(&path, u, "state.db"));
	ep_instance_crn(&u->log_crn, u->cfg);
	ep_unit_crn(&u->crn, u->cfg, u->me);
	HSA_TRY(rc, hsa_buf_rc(&u->log_crn));
	HSA_TRY(rc, hsa_buf_rc(&u->crn));
	memcpy(id.unit_id, u->id, sizeof(id.unit_id));
	id.location = u->me->location;
	id.log_source_crn = hsa_buf_cstr(&u->log_crn);
	id.target_crn = hsa_buf_cstr(&u->crn);
	HSA_TRY(rc, ep_location_parse(
			&id.module_index, &id.domain_index, u->me->location));
	memcpy(id.serial, u->me->serial, sizeof(id.serial));
	id.oa_cert = (const uint8_t(*)[752])u->oa_cert;
	id.oa_cert_len = OA_CERTS;
	HSA_TRY(rc, cu_unit_open(&u->cu, &id, hsa_buf_cstr(&path), u->backend,
			&token, slog_sink(u->log), &cu_clock_system, diag));
	/* its first records tell of what could not be recorded before */
	slog_ring_status(u->log, &ring);
	slog_ring_told(u->log, ring.unrecorded);
	HSA_TRY(rc, slog_ring_lost_told(u->log, diag));
	HSA_TRY(rc, ep_inside_emission(u,
			u->me->emission.ep11 == EP_MODE_RING ? CU_EMIT_RING
							     : CU_EMIT_SEALED,
			diag));
out:
	hsa_buf_free(&path);
	return rc;
}

/* A relative address counts from the installation's folder, and is reached
 * through its descriptor: so it is short whatever the folder's path, and the
 * process may stand wherever it likes. */
static void
address(struct hsa_buf *b, const struct ep_inside *u, const char *configured)
{
	static const char scheme[] = "unix:";
	const char *path = configured + sizeof(scheme) - 1;

	if (strncmp(configured, scheme, sizeof(scheme) - 1) != 0 ||
	    path[0] == '/')
		hsa_buf_str(b, configured);
	else
		hsa_buf_printf(
		    b, "%s/proc/self/fd/%d/%s", scheme, u->dir, path);
}

static void
health(void *ctx, struct chan_health *to)
{
	struct ep_inside *u = ctx;

	(void)pthread_mutex_lock(&u->health);
	if (!u->gone)
		u->last.status = cu_unit_health(
		    u->cu, u->last.text, sizeof(u->last.text), &u->last.lost);
	*to = u->last;
	(void)pthread_mutex_unlock(&u->health);
}

static hsa_rc
start_channels(struct ep_inside *u)
{
	struct hsa_unit_status *st = calloc(1, sizeof(*st));
	struct chan_config cc = {0};
	struct hsa_buf at = {0}, ca = {0}, identity = {0};
	unsigned int i = 0;
	hsa_rc rc = HSA_OK;

	if (st == NULL)
		return HSA_RC(E_NOMEM);
	HSA_TRY(rc, cu_unit_status(u->cu, st));
	/* units/NAME is two below the installation's folder */
	HSA_TRY(rc, path_in(&ca, u, "../../" EP_TLS_CA));
	HSA_TRY(rc, path_in(&identity, u, EP_TLS_UNIT));
	cc.tls_ca = hsa_buf_cstr(&ca);
	cc.tls_identity = hsa_buf_cstr(&identity);
	cc.origin = hsa_buf_cstr(&u->origin);
	memcpy(cc.unit_id, u->id, sizeof(cc.unit_id));
	cc.epoch = st->epoch;
	cc.health = health;
	cc.health_ctx = u;
	for (i = 0; i < u->cfg->collector_count; i++) {
		cc.name = u->cfg->collector[i].name;
		cc.tls_name = ep_collector_tls_name(&u->cfg->collector[i]);
		hsa_buf_reset(&at);
		address(&at, u, u->cfg->collector[i].address);
		HSA_TRY(rc, hsa_buf_rc(&at));
		cc.address = hsa_buf_cstr(&at);
		HSA_TRY(rc, chan_start(&u->chan[i], &cc, u->log));
	}
out:
	hsa_buf_free(&at);
	hsa_buf_free(&ca);
	hsa_buf_free(&identity);
	free(st);
	return rc;
}

static hsa_rc
start_keep(struct ep_inside *u, struct hsa_diag *diag)
{
	const struct ep_keep_config kc = {
	    .folder = hsa_buf_cstr(&u->folder),
	    .cfg = u->cfg,
	    .log = u->log,
	    .unit = u->cu,
	    .chan = u->chan,
	    .log_number = u->chain.number,
	};

	return ep_keep_start(&u->keep, &kc, diag);
}

/* ---- requests ------------------------------------------------------------ */

static hsa_rc
status(struct ep_inside *u, struct hsa_unit_status *st)
{
	struct slog_kept kept = {0};
	unsigned int i = 0;
	hsa_rc rc = HSA_OK;

	HSA_TRY(rc, cu_unit_status(u->cu, st));
	st->pid = (uint32_t)getpid();
	st->collector_len = u->cfg->collector_count;
	for (i = 0; i < u->cfg->collector_count; i++) {
		chan_status(u->chan[i], &st->collector[i]);
		ep_keep_status(u->keep, i, &st->collector[i]);
	}
	slog_kept(u->log, &kept);
	st->log_first = kept.first;
	st->log_bytes = kept.bytes;
	st->log_cap = kept.cap;
	st->log_number = u->chain.number;
out:
	return rc;
}

hsa_rc
ep_inside_request(
    void *ctx, struct hsa_unit_reply *r, const struct hsa_unit_request *q)
{
	struct ep_inside *u = ctx;

	r->kind = q->kind;
	switch (q->kind) {
	case HSA_UNIT_ADMIN:
		return cu_unit_admin(u->cu, &r->admin, &q->caller,
		    (const char *)q->transport.p, q->transport.len);
	case HSA_UNIT_STATUS:
		return status(u, &r->status);
	case HSA_UNIT_EP11:
		/* the request stays q's; the reply carries the function */
		r->call = q->call;
		r->call.memory = NULL;
		cu_unit_call(u->cu, &r->call, &q->caller);
		return HSA_OK;
	case HSA_UNIT_INFO:
		return cu_unit_info(
		    u->cu, &r->info.rv, &r->info.data, q->query, q->subquery);
	case HSA_UNIT_BLOCK:
		return cu_unit_block(u->cu, &r->block, &q->caller,
		    (struct hsa_slice){q->command.p, q->command.len},
		    (struct hsa_slice){q->signatures.p, q->signatures.len});
	case HSA_UNIT_KEYSTORE:
		cu_unit_keystore(u->cu, &r->keystore, &q->caller, &q->keystore);
		return HSA_OK;
	case HSA_UNIT_ERROR:
		break;
	}
	return HSA_RC(E_UNSUPPORTED);
}

/* Only processes of our own user reach the socket. */
void
ep_inside_unreadable(void *ctx, hsa_rc why)
{
	struct ep_inside *u = ctx;
	char id[40];
	struct hsa_caller caller = {.initiator.id = id};
	struct hsa_diag text = {{0}};

	(void)snprintf(
	    id, sizeof(id), "local-user:#%u", (unsigned int)geteuid());
	hsa_diag_set(&text, "bytes at the unit's socket are no request: %s",
	    hsa_err_text(why));
	cu_unit_unreadable(u->cu, &caller, text.text);
}

void
ep_inside_renew(void *ctx)
{
	struct ep_inside *u = ctx;
	unsigned int i = 0;

	for (i = 0; i < EP_COLLECTORS_MAX; i++)
		if (u->chan[i] != NULL)
			chan_renew(u->chan[i]);
}

struct cu_unit *
ep_inside_unit(struct ep_inside *u)
{
	return u->cu;
}

const struct ep_unit_config *
ep_inside_config(const struct ep_inside *u)
{
	return u->me;
}

const char *
ep_inside_folder(struct ep_inside *u)
{
	return hsa_buf_cstr(&u->folder);
}

/* ---- life ---------------------------------------------------------------- */

static void
stop_channels(struct ep_inside *u)
{
	uint64_t deadline = ep_sock_now() + DRAIN_MS, now = 0;
	struct hsa_collector_status st = {0};
	unsigned int i = 0;
	int ms = 0;

	for (i = 0; i < EP_COLLECTORS_MAX; i++) {
		if (u->chan[i] == NULL)
			continue;
		chan_status(u->chan[i], &st);
		now = ep_sock_now();
		ms = now < deadline ? (int)(deadline - now) : 0;
		if (!st.connected && ms > DRAIN_AWAY_MS)
			ms = DRAIN_AWAY_MS;
		chan_stop(u->chan[i], ms);
		u->chan[i] = NULL;
	}
}

static hsa_rc
find_unit(struct ep_inside *u, const char *dir, const char *name,
    struct hsa_diag *diag)
{
	hsa_rc rc = HSA_OK;

	u->me = name == NULL ? &u->cfg->unit[0] : ep_unit_find(u->cfg, name);
	if (u->me == NULL)
		return hsa_fail(diag, HSA_RC(E_NOT_FOUND),
		    "no unit \"%s\" in config.yaml; fix: use a name from its "
		    "units",
		    name);
	HSA_TRY(rc, hsa_uuid_parse(u->id, u->me->id));
	hsa_buf_printf(&u->folder, "%s/units/%s", dir, u->me->name);
	HSA_TRY(rc, hsa_buf_rc(&u->folder));
	u->dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (u->dir < 0)
		rc = hsa_fail(diag, HSA_RC(E_IO), "cannot enter %s: %s", dir,
		    strerror(errno));
out:
	return rc;
}

hsa_rc
ep_inside_open(struct ep_inside **to, const char *dir, const char *name,
    int wait_ms, struct hsa_diag *diag)
{
	struct ep_inside *u = calloc(1, sizeof(*u));
	struct hsa_buf path = {0};
	hsa_rc rc = HSA_RC(E_NOMEM);

	if (u == NULL)
		goto out;
	u->lock = u->dir = -1;
	(void)pthread_mutex_init(&u->health, NULL);
	HSA_TRY(rc, ep_config_load(&u->cfg, dir, diag));
	HSA_TRY(rc, find_unit(u, dir, name, diag));
	HSA_TRY(rc, path_in(&path, u, "lock"));
	HSA_TRY(rc, ep_lock(&u->lock, hsa_buf_cstr(&path), wait_ms, diag));
	u->path = dir;
	HSA_TRY(rc,
	    ep_chain_settle(&u->chain, hsa_buf_cstr(&u->folder), u->id, diag));
	HSA_TRY(rc, load_certs(u, diag));
	HSA_TRY(rc, open_token(u, diag));
	HSA_TRY(rc, open_log(u, diag));
	HSA_TRY(rc, open_state(u, diag));
	HSA_TRY(rc, start_channels(u));
	HSA_TRY(rc, start_keep(u, diag));
	*to = u;
	u = NULL;
out:
	ep_inside_close(u);
	hsa_buf_free(&path);
	return rc;
}

void
ep_inside_close(struct ep_inside *u)
{
	if (u == NULL)
		return;
	ep_keep_stop(u->keep);
	(void)pthread_mutex_lock(&u->health);
	u->gone = true;
	(void)pthread_mutex_unlock(&u->health);
	cu_unit_close(u->cu);
	stop_channels(u);
	slog_close(u->log);
	bk_p11_close(u->bk);
	if (u->lock >= 0)
		(void)close(u->lock);
	if (u->dir >= 0)
		(void)close(u->dir);
	hsa_buf_free(&u->folder);
	hsa_buf_free(&u->origin);
	hsa_buf_free(&u->crn);
	hsa_buf_free(&u->log_crn);
	hsa_buf_free(&u->label);
	ep_config_free(u->cfg);
	(void)pthread_mutex_destroy(&u->health);
	free(u);
}
