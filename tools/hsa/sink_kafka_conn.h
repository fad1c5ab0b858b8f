/*
 * sink_kafka_conn.h - the transactional producer of one unit: the only user of
 * librdkafka. How far the topic has come is the committed offset of a consumer
 * group of its own, moved inside the transaction that carries the records, so
 * that both are there or neither (KIP-98, KIP-447). Group and transactional id
 * are the same: PREFIX/TOPIC/UNIT-ID. Whoever opens that id later fences off
 * whoever had it, and aborts what was open.
 */
#ifndef SINK_KAFKA_CONN_H
#define SINK_KAFKA_CONN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"
#include "sink.h"
#include "sink_value.h"

struct sink_kafka_plan { /* borrowed; outlives the connections */
	const char *brokers, *topic, *prefix;
	const struct sink_options *options;
	const struct sink_stop *stop;
};

struct sink_kafka_msg {
	const void *value;
	size_t n;
	uint64_t sequence;
	const struct sink_origin *origin;
};

struct sink_kafka_conn;

/* sink_kafka_check(plan, diag) - the settings make a producer. E_ARG. */
HSA_MUST_USE hsa_rc sink_kafka_check(
    const struct sink_kafka_plan *plan, struct hsa_diag *diag);

/* sink_kafka_conn_new(c, plan, unit, diag) - connects in the background. */
HSA_MUST_USE hsa_rc sink_kafka_conn_new(struct sink_kafka_conn **c,
    const struct sink_kafka_plan *plan, const char *unit,
    struct hsa_diag *diag);
/* sink_kafka_conn_cluster(c, id, diag) - the cluster's id; freed by the
 * caller. E_TIMEOUT: no broker answers. */
HSA_MUST_USE hsa_rc sink_kafka_conn_cluster(
    struct sink_kafka_conn *c, char **id, struct hsa_diag *diag);
/* sink_kafka_conn_init(c, diag) - fence off others, abort what they left.
 * E_TIMEOUT: call again. */
HSA_MUST_USE hsa_rc sink_kafka_conn_init(
    struct sink_kafka_conn *c, struct hsa_diag *diag);
/* sink_kafka_conn_cursor(c, has, next, diag) - what is committed, open
 * transactions waited for. */
HSA_MUST_USE hsa_rc sink_kafka_conn_cursor(struct sink_kafka_conn *c, bool *has,
    uint64_t *next, struct hsa_diag *diag);
/*
 * sink_kafka_conn_send(c, fenced, msg, n, next, diag) - one transaction: the
 * messages, keyed by the unit's id, and the cursor. On any failure c is of no
 * more use, and only a new one's cursor says whether it took place. fenced:
 * somebody else opened the id.
 */
HSA_MUST_USE hsa_rc sink_kafka_conn_send(struct sink_kafka_conn *c,
    bool *fenced, const struct sink_kafka_msg *msg, size_t n, uint64_t next,
    struct hsa_diag *diag);
void sink_kafka_conn_free(struct sink_kafka_conn *c);

#endif
