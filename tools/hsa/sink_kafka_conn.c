#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "sink_kafka_conn.h"
#include "sink_options.h"

#define CALL_MS 1000  /* one call of librdkafka: how late a stop is heard */
#define ASK_MS 10000  /* an answer of a broker */
#define SEND_MS 20000 /* a transaction from begin to commit */
#define SOCKET_MS "10000"
#define HEADERS 5

struct sink_kafka_conn {
	const struct sink_kafka_plan *plan;
	char unit[SINK_UNIT_TEXT];
	char id[600]; /* transactional id and group */
	rd_kafka_t *rk;
	rd_kafka_topic_t *topic;
	rd_kafka_consumer_group_metadata_t *group;
	rd_kafka_topic_partition_list_t *place;
	/* librdkafka's last complaint, from its threads */
	pthread_mutex_t m;
	char said[400];
};

static void
on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
	struct sink_kafka_conn *c = rd_kafka_opaque(rk);

	if (c == NULL || level > LOG_WARNING)
		return;
	(void)pthread_mutex_lock(&c->m);
	(void)snprintf(c->said, sizeof(c->said), "%s: %s", facility, text);
	(void)pthread_mutex_unlock(&c->m);
}

/* The error, and what the library said last beside it. */
static hsa_rc
report(struct sink_kafka_conn *c, hsa_rc rc, const char *what,
    const char *error, struct hsa_diag *diag)
{
	if (sink_stop_now(c->plan->stop))
		return HSA_RC(E_STOPPED);
	(void)pthread_mutex_lock(&c->m);
	hsa_diag_set(diag, "%s: %s%s%s%s", what, error,
	    c->said[0] == '\0' ? "" : " (", c->said,
	    c->said[0] == '\0' ? "" : ")");
	(void)pthread_mutex_unlock(&c->m);
	return rc;
}

/* Takes e over. */
static hsa_rc
report_error(struct sink_kafka_conn *c, const char *what, rd_kafka_error_t *e,
    struct hsa_diag *diag)
{
	hsa_rc rc = report(c,
	    rd_kafka_error_is_retriable(e) ? HSA_RC(E_TIMEOUT) : HSA_RC(E_IO),
	    what, rd_kafka_error_string(e), diag);

	rd_kafka_error_destroy(e);
	return rc;
}

/* ---- settings ------------------------------------------------------------ */

static hsa_rc
set(rd_kafka_conf_t *conf, const char *name, const char *value,
    struct hsa_diag *diag)
{
	char why[256];

	if (rd_kafka_conf_set(conf, name, value, why, sizeof(why)) ==
	    RD_KAFKA_CONF_OK)
		return HSA_OK;
	/* the library's text may quote the value */
	return hsa_fail(diag, HSA_RC(E_ARG), "Kafka option %s: %s", name,
	    sink_options_secret(name) ? "not accepted" : why);
}

static hsa_rc
settings(rd_kafka_conf_t **to, rd_kafka_type_t type, struct sink_kafka_conn *c,
    struct hsa_diag *diag)
{
	const struct sink_kafka_plan *p = c->plan;
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	hsa_rc rc;

	HSA_TRY(rc, set(conf, "bootstrap.servers", p->brokers, diag));
	HSA_TRY(rc, set(conf, "client.id", "hsa-collect", diag));
	if (type == RD_KAFKA_CONSUMER) {
		HSA_TRY(rc, set(conf, "group.id", c->id, diag));
		HSA_TRY(rc, set(conf, "enable.auto.commit", "false", diag));
		/* never what an open transaction may still take back */
		HSA_TRY(
		    rc, set(conf, "isolation.level", "read_committed", diag));
	} else {
		HSA_TRY(rc, set(conf, "enable.idempotence", "true", diag));
		HSA_TRY(rc, set(conf, "transactional.id", c->id, diag));
		/* what Java's clients do: all agree where a unit is */
		HSA_TRY(rc, set(conf, "partitioner", "murmur2_random", diag));
	}
	/* calls of the library wait for this, whatever time they are given */
	HSA_TRY(rc, set(conf, "socket.timeout.ms", SOCKET_MS, diag));
	for (size_t i = 0; i < p->options->len; i++)
		HSA_TRY(rc, set(conf, p->options->option[i].name,
				p->options->option[i].value, diag));
	rd_kafka_conf_set_log_cb(conf, on_log);
	rd_kafka_conf_set_opaque(conf, c);
	*to = conf;
	conf = NULL;
out:
	if (conf != NULL)
		rd_kafka_conf_destroy(conf);
	return rc;
}

static hsa_rc
new_handle(rd_kafka_t **to, rd_kafka_type_t type, struct sink_kafka_conn *c,
    struct hsa_diag *diag)
{
	rd_kafka_conf_t *conf = NULL;
	char why[512] = "";
	hsa_rc rc;

	HSA_TRY(rc, settings(&conf, type, c, diag));
	*to = rd_kafka_new(type, conf, why, sizeof(why));
	if (*to == NULL) {
		rd_kafka_conf_destroy(conf);
		rc = hsa_fail(diag, HSA_RC(E_ARG), "Kafka: %s", why);
	}
	/* it complains about settings that are for the other type */
	(void)pthread_mutex_lock(&c->m);
	c->said[0] = '\0';
	(void)pthread_mutex_unlock(&c->m);
out:
	return rc;
}

hsa_rc
sink_kafka_check(const struct sink_kafka_plan *plan, struct hsa_diag *diag)
{
	struct sink_kafka_conn *c = NULL;
	hsa_rc rc = sink_kafka_conn_new(&c, plan, "check", diag);

	sink_kafka_conn_free(c);
	return rc;
}

hsa_rc
sink_kafka_conn_new(struct sink_kafka_conn **to,
    const struct sink_kafka_plan *plan, const char *unit, struct hsa_diag *diag)
{
	struct sink_kafka_conn *c = calloc(1, sizeof(*c));
	hsa_rc rc;

	if (c == NULL)
		return hsa_fail(diag, HSA_RC(E_NOMEM), "out of memory");
	(void)pthread_mutex_init(&c->m, NULL);
	c->plan = plan;
	(void)snprintf(c->unit, sizeof(c->unit), "%s", unit);
	if ((size_t)snprintf(c->id, sizeof(c->id), "%s/%s/%s", plan->prefix,
		plan->topic, unit) >= sizeof(c->id)) {
		rc = hsa_fail(diag, HSA_RC(E_ARG), "id and topic are too long");
		goto out;
	}
	HSA_TRY(rc, new_handle(&c->rk, RD_KAFKA_PRODUCER, c, diag));
	c->topic = rd_kafka_topic_new(c->rk, plan->topic, NULL);
	c->group = rd_kafka_consumer_group_metadata_new(c->id);
	c->place = rd_kafka_topic_partition_list_new(1);
	if (c->topic == NULL || c->group == NULL || c->place == NULL) {
		rc = hsa_fail(diag, HSA_RC(E_ARG), "Kafka: topic %s: %s",
		    plan->topic, rd_kafka_err2str(rd_kafka_last_error()));
		goto out;
	}
	/* any partition would do; this one every topic has */
	(void)rd_kafka_topic_partition_list_add(c->place, plan->topic, 0);
	*to = c;
	c = NULL;
out:
	sink_kafka_conn_free(c);
	return rc;
}

void
sink_kafka_conn_free(struct sink_kafka_conn *c)
{
	if (c == NULL)
		return;
	if (c->topic != NULL)
		rd_kafka_topic_destroy(c->topic);
	if (c->group != NULL)
		rd_kafka_consumer_group_metadata_destroy(c->group);
	if (c->place != NULL)
		rd_kafka_topic_partition_list_destroy(c->place);
	if (c->rk != NULL) {
		(void)rd_kafka_purge(
		    c->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
		rd_kafka_destroy(c->rk);
	}
	(void)pthread_mutex_destroy(&c->m);
	free(c);
}

/* ---- where it stands ----------------------------------------------------- */

hsa_rc
sink_kafka_conn_cluster(
    struct sink_kafka_conn *c, char **id, struct hsa_diag *diag)
{
	char *got = NULL;

	for (int64_t end = sink_now_ms() + ASK_MS;
	     got == NULL && sink_now_ms() < end &&
	     !sink_stop_now(c->plan->stop);)
		got = rd_kafka_clusterid(c->rk, CALL_MS);
	if (got == NULL)
		return report(c, HSA_RC(E_TIMEOUT), "no broker answers",
		    c->plan->brokers, diag);
	*id = strdup(got);
	rd_kafka_mem_free(c->rk, got);
	return *id != NULL ? HSA_OK
			   : hsa_fail(diag, HSA_RC(E_NOMEM), "out of memory");
}

hsa_rc
sink_kafka_conn_init(struct sink_kafka_conn *c, struct hsa_diag *diag)
{
	int64_t end = sink_now_ms() + ASK_MS;
	rd_kafka_error_t *e;

	for (;;) {
		e = rd_kafka_init_transactions(c->rk, CALL_MS);
		if (e == NULL)
			return HSA_OK;
		if (!rd_kafka_error_is_retriable(e) || sink_now_ms() >= end ||
		    sink_stop_now(c->plan->stop))
			return report_error(
			    c, "cannot begin transactions", e, diag);
		rd_kafka_error_destroy(e);
	}
}

/*
 * By a consumer of the group: the same question through the producer's admin
 * calls crashes librdkafka (at least 2.0.2 to 2.4.0) when the group has no
 * coordinator yet.
 */
hsa_rc
sink_kafka_conn_cursor(
    struct sink_kafka_conn *c, bool *has, uint64_t *next, struct hsa_diag *diag)
{
	rd_kafka_topic_partition_list_t *list =
	    rd_kafka_topic_partition_list_copy(c->place);
	rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR__TIMED_OUT;
	rd_kafka_t *rk = NULL;
	hsa_rc rc;

	HSA_TRY(rc, new_handle(&rk, RD_KAFKA_CONSUMER, c, diag));
	for (int64_t end = sink_now_ms() + ASK_MS;
	     err == RD_KAFKA_RESP_ERR__TIMED_OUT && sink_now_ms() < end &&
	     !sink_stop_now(c->plan->stop);)
		err = rd_kafka_committed(rk, list, CALL_MS);
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
		err = list->elems[0].err;
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
		rc = report(c, HSA_RC(E_TIMEOUT), "the cursor",
		    rd_kafka_err2str(err), diag);
		goto out;
	}
	*has = list->elems[0].offset >= 0;
	*next = *has ? (uint64_t)list->elems[0].offset : 0;
out:
	if (rk != NULL)
		rd_kafka_destroy_flags(
		    rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
	rd_kafka_topic_partition_list_destroy(list);
	return rc;
}

/* ---- a transaction ------------------------------------------------------- */

static void
add_header(rd_kafka_headers_t *to, const char *name, const char *value)
{
	if (value[0] != '\0')
		(void)rd_kafka_header_add(to, name, -1, value, -1);
}

static rd_kafka_headers_t *
headers(const struct sink_kafka_msg *m)
{
	rd_kafka_headers_t *h = rd_kafka_headers_new(HEADERS);
	char sequence[24];

	(void)snprintf(sequence, sizeof(sequence), "%" PRIu64, m->sequence);
	add_header(h, "type", "audit");
	add_header(h, "account", m->origin->account);
	add_header(h, "region", m->origin->region);
	add_header(h, "location", m->origin->location);
	add_header(h, "sequence", sequence);
	return h;
}

static rd_kafka_error_t *
produce(struct sink_kafka_conn *c, const struct sink_kafka_msg *m)
{
	rd_kafka_headers_t *h = headers(m);
	rd_kafka_error_t *e;
	rd_kafka_vu_t v[5];

	/* the library takes the value as not const, and copies it */
	union {
		const void *in;
		void *out;
	} value = {.in = m->value};

	v[0].vtype = RD_KAFKA_VTYPE_RKT;
	v[0].u.rkt = c->topic;
	v[1].vtype = RD_KAFKA_VTYPE_KEY;
	v[1].u.mem.ptr = c->unit;
	/* the unit's id: a later log of it stays in the same partition */
	v[1].u.mem.size = strcspn(c->unit, ".");
	v[2].vtype = RD_KAFKA_VTYPE_VALUE;
	v[2].u.mem.ptr = value.out;
	v[2].u.mem.size = m->n;
	v[3].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
	v[3].u.i = RD_KAFKA_MSG_F_COPY;
	/* no timestamp of ours: a broker may refuse one ahead of its clock,
	 * and a unit's clock may be wrong; the event has its time */
	v[4].vtype = RD_KAFKA_VTYPE_HEADERS;
	v[4].u.headers = h;
	e = rd_kafka_produceva(c->rk, v, 5);
	if (e != NULL)
		rd_kafka_headers_destroy(h);
	return e;
}

static rd_kafka_error_t *
produce_patiently(
    struct sink_kafka_conn *c, const struct sink_kafka_msg *m, int64_t end)
{
	rd_kafka_error_t *e;

	for (;;) {
		e = produce(c, m);
		if (e == NULL ||
		    rd_kafka_error_code(e) != RD_KAFKA_RESP_ERR__QUEUE_FULL ||
		    sink_now_ms() >= end || sink_stop_now(c->plan->stop))
			return e;
		rd_kafka_error_destroy(e);
		(void)rd_kafka_poll(c->rk, 100);
	}
}

static rd_kafka_error_t *
send_offset(struct sink_kafka_conn *c, uint64_t next, int64_t end)
{
	rd_kafka_error_t *e;

	c->place->elems[0].offset = (int64_t)next;
	for (;;) {
		e = rd_kafka_send_offsets_to_transaction(
		    c->rk, c->place, c->group, CALL_MS);
		if (e == NULL || !rd_kafka_error_is_retriable(e) ||
		    sink_now_ms() >= end || sink_stop_now(c->plan->stop))
			return e;
		rd_kafka_error_destroy(e);
	}
}

static rd_kafka_error_t *
commit(struct sink_kafka_conn *c, int64_t end)
{
	rd_kafka_error_t *e;

	for (;;) {
		e = rd_kafka_commit_transaction(c->rk, CALL_MS);
		if (e == NULL || !rd_kafka_error_is_retriable(e) ||
		    sink_now_ms() >= end || sink_stop_now(c->plan->stop))
			return e;
		rd_kafka_error_destroy(e);
	}
}

hsa_rc
sink_kafka_conn_send(struct sink_kafka_conn *c, bool *fenced,
    const struct sink_kafka_msg *msg, size_t n, uint64_t next,
    struct hsa_diag *diag)
{
	int64_t end = sink_now_ms() + SEND_MS;
	const char *what = "begin";
	rd_kafka_error_t *e;
	hsa_rc rc;

	if (next > INT64_MAX)
		return hsa_fail(diag, HSA_RC(E_RANGE), "sequence too large");
	e = rd_kafka_begin_transaction(c->rk);
	if (e != NULL)
		goto out;
	what = "send";
	for (size_t i = 0; i < n && e == NULL; i++)
		e = produce_patiently(c, &msg[i], end);
	if (e == NULL) {
		what = "cursor";
		e = send_offset(c, next, end);
	}
	if (e == NULL) {
		what = "commit";
		e = commit(c, end);
	}
	if (e == NULL)
		return HSA_OK;
	*fenced =
	    rd_kafka_error_code(e) == RD_KAFKA_RESP_ERR__FENCED ||
	    rd_kafka_fatal_error(c->rk, NULL, 0) == RD_KAFKA_RESP_ERR__FENCED;
	if (rd_kafka_error_txn_requires_abort(e)) {
		/* what stays open, the next one's init aborts */
		rd_kafka_error_t *a =
		    rd_kafka_abort_transaction(c->rk, CALL_MS);

		if (a != NULL)
			rd_kafka_error_destroy(a);
	}
out:
	rc = report_error(c, what, e, diag);
	return rc;
}
