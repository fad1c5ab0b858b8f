/* sink_mock.h - a unit's log in memory, which checks what a log may demand of
 * its writer, and fails on demand. */
#ifndef SINK_MOCK_H
#define SINK_MOCK_H
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "cu_sink.h"
#include "hsa_buf.h"
#include "hsa_event.h"

enum sink_mock_failure {
	SINK_MOCK_LOST = 1, /* nothing was written */
	SINK_MOCK_WRITTEN   /* the record is in the log, the answer was not */
};

struct sink_mock {
	pthread_mutex_t lock;
	struct hsa_buf *record; /* sealed bytes */
	size_t len;
	uint64_t last[HSA_SOURCES + 1];
	unsigned int fail_at; /* 1: the next call; 0: never */
	enum sink_mock_failure failure;
	bool closed;
	/* contexts given, by handle; at sequences that are not of this log */
	struct hsa_record *context;
	size_t contexts, dropped;
	size_t durable;          /* calls that waited for the disk */
	uint64_t unrecorded;     /* for the status */
	uint64_t wall_less_mono; /* of the clock that calls are timed by */
};

struct sink_mock *sink_mock_new(void);
void sink_mock_free(struct sink_mock *m);
struct cu_sink sink_mock_sink(struct sink_mock *m);
/* sink_mock_reopen(m) - as after a restart: failures are off. */
void sink_mock_reopen(struct sink_mock *m);
/* sink_mock_len(m) - records, while others may be sealing. */
size_t sink_mock_len(struct sink_mock *m);
/* sink_mock_get(m, r, i) - record i, decoded; aborts when it does not. */
void sink_mock_get(struct sink_mock *m, struct hsa_record *r, size_t i);
/* A call is in the log as the whole event that it stands for. */
/* sink_mock_cut(m, n) - keep the first n records only. */
void sink_mock_cut(struct sink_mock *m, size_t n);

#endif
