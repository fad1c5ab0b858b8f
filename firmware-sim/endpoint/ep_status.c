/* ep_status.c - see ep_status.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "hsa_buf.h"
#include "hsa_hash.h"
#include "hsa_json.h"
#include "ep_ask.h"
#include "ep_config.h"
#include "ep_file.h"
#include "ep_resume.h"
#include "ep_sock.h"
#include "ep_status.h"
#include "ep_super.h"

#define ASK_MS 5000
#define DAY_S 86400
#define WARN_DAYS 30

struct seen { /* of one unit */
	const struct ep_unit_config *u;
	struct hsa_unit_status st;
	char why[1024]; /* it is down; "" when it answered */
};

struct picture {
	const char *dir;
	struct ep_config *cfg;
	long supervisor; /* pid, 0 when none */
	bool front;
	struct seen *unit;
};

/* ---- asking -------------------------------------------------------------- */

/* What its last start said that failed. */
static bool
why_down(struct seen *s, const char *dir)
{
	struct hsa_buf path = {0}, why = {0};
	bool known = false;

	hsa_buf_printf(&path, "%s/units/%s/" EP_HALTED_FILE, dir, s->u->name);
	if (hsa_is_ok(hsa_buf_rc(&path)) &&
	    hsa_is_ok(ep_file_read(
		&why, hsa_buf_cstr(&path), sizeof(s->why) - 1, NULL)) &&
	    why.len != 0) {
		(void)snprintf(s->why, sizeof(s->why),
		    "%.900s; then cryptounitd resume", hsa_buf_cstr(&why));
		known = true;
	}
	hsa_buf_free(&path);
	hsa_buf_free(&why);
	return known;
}

static hsa_rc
ask_unit(struct seen *s, const char *dir)
{
	struct hsa_unit_request q = {.kind = HSA_UNIT_STATUS};
	struct hsa_unit_reply *r = calloc(1, sizeof(*r));
	struct hsa_diag d = {{0}};
	struct hsa_buf path = {0};
	hsa_rc rc = HSA_OK;

	if (r == NULL)
		return HSA_RC(E_NOMEM);
	hsa_buf_printf(&path, "%s/units/%s/unit.sock", dir, s->u->name);
	HSA_TRY(rc, hsa_buf_rc(&path));
	rc = ep_ask(r, hsa_buf_cstr(&path), &q, ASK_MS, &d);
	if (hsa_is_ok(rc) && r->kind == HSA_UNIT_STATUS)
		s->st = r->status;
	else if (why_down(s, dir))
		rc = HSA_OK;
	else
		(void)snprintf(s->why, sizeof(s->why), "%s",
		    !hsa_is_ok(rc)
			? (d.text[0] != '\0' ? d.text : hsa_err_text(rc))
			: (r->error != NULL ? r->error : "no status"));
	rc = HSA_OK;
out:
	hsa_unit_reply_free(r);
	free(r);
	hsa_buf_free(&path);
	return rc;
}

static hsa_rc
look(struct picture *p, struct hsa_diag *diag)
{
	struct hsa_buf path = {0};
	unsigned int i = 0;
	int fd = -1;
	hsa_rc rc = HSA_OK;

	HSA_TRY(rc, ep_config_load(&p->cfg, p->dir, diag));
	p->unit = calloc(p->cfg->unit_count, sizeof(*p->unit));
	if (p->unit == NULL) {
		rc = HSA_RC(E_NOMEM);
		goto out;
	}
	hsa_buf_printf(&path, "%s/" EP_LOCK_FILE, p->dir);
	HSA_TRY(rc, hsa_buf_rc(&path));
	p->supervisor = ep_lock_holder(hsa_buf_cstr(&path));
	hsa_buf_reset(&path);
	hsa_buf_printf(&path, "%s/%s", p->dir, p->cfg->admin_socket);
	HSA_TRY(rc, hsa_buf_rc(&path));
	p->front =
	    hsa_is_ok(ep_sock_connect(&fd, hsa_buf_cstr(&path), ASK_MS, NULL));
	for (i = 0; i < p->cfg->unit_count; i++) {
		p->unit[i].u = &p->cfg->unit[i];
		HSA_TRY(rc, ask_unit(&p->unit[i], p->dir));
	}
out:
	if (fd >= 0)
		(void)close(fd);
	hsa_buf_free(&path);
	return rc;
}

static bool
is_up(const struct seen *s)
{
	return s->why[0] == '\0' && s->st.halted[0] == '\0';
}

/* Whole days, rounded down: below 0 it is over. */
static int64_t
days_until(int64_t ends)
{
	int64_t left = ends - (int64_t)time(NULL);

	return left < 0 ? -1 - (-left - 1) / DAY_S : left / DAY_S;
}

/* ---- JSON ---------------------------------------------------------------- */

static void
json_register(struct hsa_jw *w, const char *key, const char *state,
    const uint8_t pattern[32], const char *object)
{
	hsa_jw_object(w, key);
	hsa_jw_text(w, "state", state);
	if (object[0] != '\0') {
		hsa_jw_hex(w, "verificationPattern", pattern, 32);
		hsa_jw_text(w, "object", object);
	}
	hsa_jw_end(w);
}

static void
json_certificate(struct hsa_jw *w, int64_t ends)
{
	char text[40] = "";

	if (ends <= 0)
		return;
	hsa_time_rfc3339(text, (uint64_t)ends * 1000000000u);
	hsa_jw_text(w, "certificateEnds", text);
	hsa_jw_int(w, "certificateDays", days_until(ends));
}

static void
json_lists(struct hsa_jw *w, const struct hsa_unit_status *st)
{
	size_t i = 0;

	hsa_jw_array(w, "administrators");
	for (i = 0; i < st->admin_len; i++)
		hsa_jw_hex(w, NULL, st->admin[i], sizeof(st->admin[i]));
	hsa_jw_end(w);
	hsa_jw_array(w, "collectors");
	for (i = 0; i < st->collector_len; i++) {
		hsa_jw_object(w, NULL);
		hsa_jw_text(w, "name", st->collector[i].name);
		hsa_jw_bool(w, "connected", st->collector[i].connected);
		hsa_jw_uint(w, "acknowledged", st->collector[i].acknowledged);
		hsa_jw_text(w, "lastError", st->collector[i].last_error);
		json_certificate(w, st->collector[i].certificate_ends);
		hsa_jw_end(w);
	}
	hsa_jw_end(w);
	hsa_jw_object(w, "counters");
	for (i = 0; i < st->counter_len; i++)
		hsa_jw_uint(w, st->counter[i].name, st->counter[i].value);
	hsa_jw_end(w);
	hsa_jw_array(w, "tokenObjects");
	for (i = 0; i < st->token_object_len; i++)
		hsa_jw_hex(
		    w, NULL, st->token_object[i], sizeof(st->token_object[i]));
	hsa_jw_end(w);
}

static void
json_emission(struct hsa_jw *w, const struct hsa_emission_status *e)
{
	hsa_jw_object(w, "emission");
	hsa_jw_text(w, "ep11", e->mode);
	hsa_jw_uint(w, "ringSlots", e->ring_slots);
	hsa_jw_uint(w, "ringUsed", e->ring_used);
	hsa_jw_uint(w, "unrecorded", e->unrecorded);
	hsa_jw_end(w);
}

static void
json_unit(struct hsa_jw *w, const struct seen *s)
{
	const struct hsa_unit_status *st = &s->st;

	hsa_jw_object(w, NULL);
	hsa_jw_text(w, "name", s->u->name);
	hsa_jw_text(w, "id", s->u->id);
	hsa_jw_text(w, "type", ep_unit_type_name(s->u->type));
	hsa_jw_text(w, "location", s->u->location);
	hsa_jw_text(w, "serial", s->u->serial);
	hsa_jw_bool(w, "up", is_up(s));
	if (s->why[0] != '\0') {
		hsa_jw_text(w, "error", s->why);
		hsa_jw_end(w);
		return;
	}
	hsa_jw_uint(w, "pid", st->pid);
	hsa_jw_uint(w, "epoch", st->epoch);
	hsa_jw_text(w, "halted", st->halted);
	hsa_jw_uint(w, "haltedStatus", st->halted_status);
	hsa_jw_uint(w, "refusedWithoutRecord", st->lost);
	hsa_jw_bool(w, "imprint", st->imprint);
	hsa_jw_uint(w, "signatureThreshold", st->signature_threshold);
	hsa_jw_uint(
	    w, "revocationSignatureThreshold", st->revocation_threshold);
	json_register(w, "currentMasterKeyRegister", st->current_register,
	    st->current_pattern, st->current_object);
	json_register(w, "newMasterKeyRegister", st->new_register,
	    st->new_pattern, st->new_object);
	json_emission(w, &st->emission);
	hsa_jw_uint(w, "logFirst", st->log_first);
	hsa_jw_uint(w, "logBytes", st->log_bytes);
	hsa_jw_uint(w, "logMaxBytes", st->log_cap);
	hsa_jw_uint(w, "logNumber", st->log_number);
	hsa_jw_uint(w, "logSize", st->log_size);
	hsa_jw_hex(w, "logRoot", st->log_root, sizeof(st->log_root));
	json_lists(w, st);
	hsa_jw_end(w);
}

static void
json_all(struct hsa_buf *b, const struct picture *p, bool all_up)
{
	struct hsa_jw w = {.b = b};
	unsigned int i = 0;

	hsa_jw_object(&w, NULL);
	hsa_jw_text(&w, "directory", p->dir);
	hsa_jw_text(&w, "instance_id", p->cfg->instance_id);
	hsa_jw_bool(&w, "up", all_up);
	hsa_jw_uint(&w, "supervisor", (uint64_t)p->supervisor);
	hsa_jw_bool(&w, "front", p->front);
	hsa_jw_array(&w, "units");
	for (i = 0; i < p->cfg->unit_count; i++)
		json_unit(&w, &p->unit[i]);
	hsa_jw_end(&w);
	hsa_jw_end(&w);
	hsa_buf_str(b, "\n");
}

/* ---- text ---------------------------------------------------------------- */

static void
text_register(struct hsa_buf *b, const char *name, const char *state,
    const uint8_t pattern[32], const char *object)
{
	hsa_buf_printf(b, "  %s register  %s", name, state);
	if (object[0] != '\0') {
		hsa_buf_str(b, "  ");
		hsa_buf_hex(b, pattern, 32);
	}
	hsa_buf_str(b, "\n");
}

static void
text_certificate(struct hsa_buf *b, int64_t ends)
{
	int64_t days = days_until(ends);

	if (ends <= 0)
		return;
	hsa_buf_printf(b, "  certificate       ");
	if (days < 0)
		hsa_buf_printf(b, "EXPIRED");
	else
		hsa_buf_printf(b, "ends in %" PRId64 " days", days);
	hsa_buf_printf(
	    b, "%s\n", days < WARN_DAYS ? "; fix: cryptounitd certs" : "");
}

static void
text_lists(struct hsa_buf *b, const struct hsa_unit_status *st)
{
	size_t i = 0;

	for (i = 0; i < st->admin_len; i++) {
		hsa_buf_str(b, "  administrator     ");
		hsa_buf_hex(b, st->admin[i], sizeof(st->admin[i]));
		hsa_buf_str(b, "\n");
	}
	for (i = 0; i < st->collector_len; i++) {
		const struct hsa_collector_status *c = &st->collector[i];

		hsa_buf_printf(b,
		    "  collector         %s %s, %llu of %llu "
		    "records acknowledged%s%s\n",
		    c->name, c->connected ? "connected" : "away",
		    (unsigned long long)c->acknowledged,
		    (unsigned long long)st->log_size,
		    c->last_error[0] != '\0' ? ": " : "", c->last_error);
		text_certificate(b, c->certificate_ends);
	}
	for (i = 0; i < st->counter_len; i++) {
		if (st->counter[i].value == 0)
			continue; /* --json has them all */
		hsa_buf_printf(b, "  count             %s %llu\n",
		    st->counter[i].name,
		    (unsigned long long)st->counter[i].value);
	}
	for (i = 0; i < st->token_object_len; i++) {
		hsa_buf_str(b, "  token object      ");
		hsa_buf_hex(
		    b, st->token_object[i], sizeof(st->token_object[i]));
		hsa_buf_str(b, "\n");
	}
}

static void
text_unit(struct hsa_buf *b, const struct seen *s)
{
	const struct hsa_unit_status *st = &s->st;

	hsa_buf_printf(b, "\n%s  %s  %s  %s\n", s->u->name, s->u->location,
	    s->u->serial, s->u->id);
	if (s->why[0] != '\0') {
		hsa_buf_printf(b,
		    "  process           DOWN: %s; fix: the "
		    "log of the daemon (stderr) says why\n",
		    s->why);
		return;
	}
	hsa_buf_printf(b, "  process           %u, epoch %llu\n", st->pid,
	    (unsigned long long)st->epoch);
	if (st->halted[0] != '\0')
		hsa_buf_printf(b,
		    "  HALTED %u        %s\n"
		    "                    %llu calls refused without a record\n",
		    st->halted_status, st->halted,
		    (unsigned long long)st->lost);
	hsa_buf_printf(b, "  thresholds        signature %u, revocation %u%s\n",
	    st->signature_threshold, st->revocation_threshold,
	    st->imprint ? " (imprint mode)" : "");
	text_register(b, "current", st->current_register, st->current_pattern,
	    st->current_object);
	text_register(
	    b, "new    ", st->new_register, st->new_pattern, st->new_object);
	hsa_buf_printf(b, "  log               %llu records, root ",
	    (unsigned long long)st->log_size);
	hsa_buf_hex(b, st->log_root, sizeof(st->log_root));
	hsa_buf_str(b, "\n");
	hsa_buf_printf(b, "                    %llu bytes",
	    (unsigned long long)st->log_bytes);
	if (st->log_cap != 0)
		hsa_buf_printf(b, " of %llu", (unsigned long long)st->log_cap);
	if (st->log_first != 0)
		hsa_buf_printf(b, ", those before record %llu released",
		    (unsigned long long)st->log_first);
	if (st->log_number > 1)
		hsa_buf_printf(b,
		    "; the unit's log number %u, those before it were damaged",
		    (unsigned int)st->log_number);
	hsa_buf_str(b, "\n");
	hsa_buf_printf(b,
	    "  emission          ep11 %s, ring %llu of %llu, %llu calls "
	    "unrecorded\n",
	    st->emission.mode, (unsigned long long)st->emission.ring_used,
	    (unsigned long long)st->emission.ring_slots,
	    (unsigned long long)st->emission.unrecorded);
	text_lists(b, st);
}

static void
text_all(struct hsa_buf *b, const struct picture *p)
{
	unsigned int i = 0;

	if (p->supervisor != 0)
		hsa_buf_printf(b, "supervisor  process %ld\n", p->supervisor);
	else
		hsa_buf_printf(
		    b, "supervisor  DOWN; fix: cryptounitd run %s\n", p->dir);
	hsa_buf_printf(b, "http        %s\n", p->front ? "answers" : "DOWN");
	hsa_buf_printf(b, "instance    %s\n", p->cfg->instance_id);
	for (i = 0; i < p->cfg->unit_count; i++)
		text_unit(b, &p->unit[i]);
}

hsa_rc
ep_status(struct hsa_buf *b, bool *all_up, const char *dir, bool json,
    struct hsa_diag *diag)
{
	struct picture p = {.dir = dir};
	unsigned int i = 0;
	bool up = false;
	hsa_rc rc = HSA_OK;

	HSA_TRY(rc, look(&p, diag));
	up = p.supervisor != 0 && p.front;
	for (i = 0; i < p.cfg->unit_count; i++)
		up = is_up(&p.unit[i]) && up;
	if (json)
		json_all(b, &p, up);
	else
		text_all(b, &p);
	HSA_TRY(rc, hsa_buf_rc(b));
	*all_up = up;
out:
	free(p.unit);
	ep_config_free(p.cfg);
	return rc;
}
