#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hsa_buf.h"
#include "sink.h"
#include "sink_cursor.h"
#include "sink_kafka_conn.h"
#include "sink_value.h"

#define FORMATS "protobuf ibm-at envelope cadf-1.0 cef leaf"
#define PARAMS "format id"
#define ORIGINS 16 /* different logSourceCRNs in a batch; one, as a rule */

/*
 * kafka://BROKER[,BROKER...]/TOPIC: a transaction for each batch, which holds
 * the cursor too. Where a kill falls, the next start learns from the brokers
 * whether the last transaction took place. A copy of the cursor is kept here
 * for the case that the brokers forget theirs (offsets.retention.minutes);
 * it goes by the id of the cluster.
 */
struct message {
	size_t at, n; /* in batch */
	uint64_t sequence;
	size_t origin;
};

struct link { /* one unit's */
	char unit[SINK_UNIT_TEXT];
	struct sink_kafka_conn *conn;
	bool ready;  /* conn may send */
	bool fenced; /* somebody else took over; seen: its cursor then */
	bool looked;
	uint64_t seen;
};

struct kafka {
	struct sink_kafka_plan plan;
	char *brokers, *topic, *prefix;
	const char *dir;
	enum sink_format format;
	struct link *link;
	size_t links;
	bool has_cursor;
	struct sink_cursor cursor;
	/* the batch */
	struct hsa_buf batch;
	struct message *message;
	struct sink_kafka_msg *msg; /* room for as many */
	size_t len, cap;
	struct sink_origin origin[ORIGINS];
	char *crn[ORIGINS]; /* that it was made from */
	size_t origins;
};

static void
forget_origins(struct kafka *k)
{
	for (size_t i = 0; i < k->origins; i++)
		free(k->crn[i]);
	k->origins = 0;
}

static void
kafka_drop(void *ctx)
{
	struct kafka *k = ctx;

	hsa_buf_reset(&k->batch);
	k->len = 0;
}

static void
kafka_close(void *ctx)
{
	struct kafka *k = ctx;

	if (k == NULL)
		return;
	for (size_t i = 0; i < k->links; i++)
		sink_kafka_conn_free(k->link[i].conn);
	forget_origins(k);
	if (k->has_cursor)
		sink_cursor_free(&k->cursor);
	hsa_buf_free(&k->batch);
	free(k->message);
	free(k->msg);
	free(k->link);
	free(k->brokers);
	free(k->topic);
	free(k->prefix);
	free(k);
}

static bool
good_topic(const char *t)
{
	size_t n = strlen(t);

	return n > 0 && n < 250 && strcmp(t, ".") != 0 &&
	       strcmp(t, "..") != 0 &&
	       strspn(t, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			 "0123456789._-") == n;
}

static hsa_rc
kafka_open(void **ctx, const struct sink_config *cfg, struct hsa_diag *diag)
{
	const char *id = sink_uri_get(cfg->uri, "id");
	struct kafka *k = calloc(1, sizeof(*k));
	static const struct sink_options none = {0};
	hsa_rc rc;

	if (k == NULL)
		return hsa_fail(diag, HSA_RC(E_NOMEM), "out of memory");
	HSA_TRY(rc, sink_value_format(&k->format, cfg->uri, FORMATS, diag));
	if (!cfg->uri->hosts || cfg->uri->host[0] == '\0' ||
	    !good_topic(cfg->uri->path)) {
		rc = hsa_fail(diag, HSA_RC(E_ARG),
		    "give kafka://HOST:PORT[,HOST:PORT...]/TOPIC");
		goto out;
	}
	if (id != NULL && !good_topic(id)) {
		rc = hsa_fail(diag, HSA_RC(E_ARG),
		    "id: letters, digits, dot, underscore, hyphen");
		goto out;
	}
	k->brokers = strdup(cfg->uri->host);
	k->topic = strdup(cfg->uri->path);
	k->prefix = strdup(id == NULL ? "hsa" : id);
	if (k->brokers == NULL || k->topic == NULL || k->prefix == NULL) {
		rc = hsa_fail(diag, HSA_RC(E_NOMEM), "out of memory");
		goto out;
	}
	k->dir = cfg->dir;
	k->plan = (struct sink_kafka_plan){.brokers = k->brokers,
	    .topic = k->topic,
	    .prefix = k->prefix,
	    .options = cfg->kafka == NULL ? &none : cfg->kafka,
	    .stop = cfg->stop};
	HSA_TRY(rc, sink_kafka_check(&k->plan, diag));
	*ctx = k;
	k = NULL;
out:
	kafka_close(k);
	return rc;
}

/* ---- where to go on ------------------------------------------------------ */

static struct link *
link_of(struct kafka *k, const char *unit)
{
	struct link *more;

	for (size_t i = 0; i < k->links; i++)
		if (strcmp(k->link[i].unit, unit) == 0)
			return &k->link[i];
	more = reallocarray(k->link, k->links + 1, sizeof(*more));
	if (more == NULL)
		return NULL;
	k->link = more;
	more += k->links++;
	*more = (struct link){0};
	(void)snprintf(more->unit, sizeof(more->unit), "%s", unit);
	return more;
}

static void
disconnect(struct link *l)
{
	sink_kafka_conn_free(l->conn);
	l->conn = NULL;
	l->ready = false;
}

static hsa_rc
local_cursor(struct kafka *k, struct sink_kafka_conn *c, struct hsa_diag *diag)
{
	struct hsa_buf name = {0};
	char *cluster = NULL;
	hsa_rc rc = HSA_OK;

	if (k->has_cursor)
		return rc;
	HSA_TRY(rc, sink_kafka_conn_cluster(c, &cluster, diag));
	hsa_buf_printf(&name, "kafka:%s/%s/%s", cluster, k->topic, k->prefix);
	HSA_TRY(rc, hsa_buf_rc(&name));
	HSA_TRY(rc,
	    sink_cursor_load(&k->cursor, k->dir, hsa_buf_cstr(&name), diag));
	k->has_cursor = true;
out:
	hsa_buf_free(&name);
	free(cluster);
	return rc;
}

/* Two collectors of one unit, one topic: while the other one moves on, it has
 * the word; when it stands still, this one takes over. */
static hsa_rc
wait_for_other(struct link *l, struct hsa_diag *diag)
{
	uint64_t at = 0;
	bool has, moved;
	hsa_rc rc;

	HSA_TRY(rc, sink_kafka_conn_cursor(l->conn, &has, &at, diag));
	moved = !l->looked || at != l->seen;
	l->looked = true;
	l->seen = at;
	if (moved)
		rc = hsa_fail(diag, HSA_RC(E_BUSY),
		    "another collector passes this unit on (it is at %" PRIu64
		    "); waiting for it to stand still",
		    at);
out:
	return rc;
}

static hsa_rc
kafka_resume(void *ctx, uint64_t *next, const char *unit, struct hsa_diag *diag)
{
	struct kafka *k = ctx;
	struct link *l = link_of(k, unit);
	struct sink_place *p;
	uint64_t there = 0;
	bool has = false;
	hsa_rc rc;

	if (l == NULL)
		return hsa_fail(diag, HSA_RC(E_NOMEM), "out of memory");
	disconnect(l);
	HSA_TRY(rc, sink_kafka_conn_new(&l->conn, &k->plan, unit, diag));
	HSA_TRY(rc, local_cursor(k, l->conn, diag));
	if (l->fenced)
		HSA_TRY(rc, wait_for_other(l, diag));
	HSA_TRY(rc, sink_kafka_conn_init(l->conn, diag));
	HSA_TRY(rc, sink_kafka_conn_cursor(l->conn, &has, &there, diag));
	p = sink_cursor_of(&k->cursor, unit);
	if (p == NULL) {
		rc = hsa_fail(diag, HSA_RC(E_NOMEM), "out of memory");
		goto out;
	}
	if (!has && p->next != 0)
		(void)fprintf(stderr,
		    "hsa collect: sink kafka %s: %s: the brokers have no "
		    "cursor any more; going on at record %" PRIu64
		    ", which they had\n",
		    k->topic, unit, p->next);
	*next = has ? there : p->next;
	l->fenced = l->looked = false;
	l->ready = true;
out:
	if (!hsa_is_ok(rc))
		disconnect(l);
	return rc;
}

/* ---- a batch ------------------------------------------------------------- */

static bool
more_room(struct kafka *k)
{
	size_t cap = k->cap == 0 ? 256 : 2 * k->cap;
	void *p;

	if (k->len < k->cap)
		return true;
	p = reallocarray(k->message, cap, sizeof(*k->message));
	if (p != NULL)
		k->message = p;
	if (p == NULL)
		return false;
	p = reallocarray(k->msg, cap, sizeof(*k->msg));
	if (p == NULL)
		return false;
	k->msg = p;
	k->cap = cap;
	return true;
}

/* Which of the batch's origins; ORIGINS: no memory, or too many. */
static size_t
origin_of(struct kafka *k, const struct hsa_record *r)
{
	const char *crn =
	    r->body == HSA_BODY_EVENT && r->event.log_source_crn != NULL
		? r->event.log_source_crn
		: "";

	for (size_t i = 0; i < k->origins; i++)
		if (strcmp(k->crn[i], crn) == 0)
			return i;
	/* the oldest batch's go when a new batch finds no room */
	if (k->origins == ORIGINS && k->len == 0)
		forget_origins(k);
	if (k->origins == ORIGINS)
		return ORIGINS;
	k->crn[k->origins] = strdup(crn);
	if (k->crn[k->origins] == NULL)
		return ORIGINS;
	sink_value_origin(&k->origin[k->origins], crn);
	return k->origins++;
}

static hsa_rc
kafka_add(void *ctx, const char *unit, const struct hsa_record *r,
    const void *raw, size_t n)
{
	struct kafka *k = ctx;
	struct message m = {.at = k->batch.len, .sequence = r->sequence};
	hsa_rc rc;

	(void)unit;
	if (!sink_value_has(k->format, r))
		return HSA_OK;
	m.origin = origin_of(k, r);
	if (m.origin == ORIGINS || !more_room(k))
		return HSA_RC(E_NOMEM);
	HSA_TRY(rc, sink_value_put(&k->batch, k->format, r, raw, n));
	m.n = k->batch.len - m.at;
	k->message[k->len++] = m;
out:
	return rc;
}

static hsa_rc
kafka_put(void *ctx, const char *unit, uint64_t first, uint64_t next,
    struct hsa_diag *diag)
{
	struct kafka *k = ctx;
	struct link *l = link_of(k, unit);
	struct sink_place *p = sink_cursor_of(&k->cursor, unit);
	hsa_rc rc;

	(void)first;
	if (l == NULL || p == NULL || !l->ready)
		return hsa_fail(diag, HSA_RC(E_NOMEM), "out of memory");
	for (size_t i = 0; i < k->len; i++) {
		const struct message *m = &k->message[i];

		k->msg[i] = (struct sink_kafka_msg){.value = k->batch.p + m->at,
		    .n = m->n,
		    .sequence = m->sequence,
		    .origin = &k->origin[m->origin]};
	}
	rc = sink_kafka_conn_send(
	    l->conn, &l->fenced, k->msg, k->len, next, diag);
	if (!hsa_is_ok(rc)) {
		disconnect(l);
		goto out;
	}
	/* the brokers' own is what counts: no failure of ours undoes it */
	p->next = next;
	if (!hsa_is_ok(sink_cursor_save(&k->cursor, diag)))
		(void)fprintf(stderr, "hsa collect: sink kafka %s: %s\n",
		    k->topic, diag->text);
out:
	kafka_drop(k);
	return rc;
}

/* Certificates and keys are read when a connection is made. */
static void
kafka_reopen(void *ctx)
{
	struct kafka *k = ctx;

	for (size_t i = 0; i < k->links; i++)
		disconnect(&k->link[i]);
}

const struct sink_kind sink_kafka = {
    .scheme = "kafka",
    .exact = true,
    .formats = FORMATS,
    .params = PARAMS,
    .open = kafka_open,
    .resume = kafka_resume,
    .add = kafka_add,
    .put = kafka_put,
    .drop = kafka_drop,
    .reopen = kafka_reopen,
    .close = kafka_close,
};
