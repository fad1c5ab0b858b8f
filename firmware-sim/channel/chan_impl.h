/*
 * chan_impl.h - struct chan and what its files share. Private to channel/.
 *
 * chan.c starts, stops, waits and tells; chan_dial.c makes a connection;
 * chan_session.c is one from Hello to its end; chan_take.c is what the
 * collector may say on it.
 */
#ifndef CHAN_IMPL_H
#define CHAN_IMPL_H
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "chan.h"
#include "chan_conn.h"
#include "chan_window.h"
#include "hsa_addr.h"
#include "hsa_buf.h"

#define CHAN_BATCH_RECORDS 8192u

struct chan_span { /* a record inside chan.records */
	size_t at, n;
};

struct chan {
	/* set once */
	char *name, *address, *origin;
	char *tls_ca, *tls_identity, *tls_name;
	struct hsa_addr to; /* of address */
	uint8_t unit_id[HSA_UUID_LEN];
	uint64_t epoch;
	struct slog *l;
	pthread_t thread;
	int stop; /* eventfd: stopping, or a renewal is asked for */
	int pause_max, hello_ms, stall_ms;

	pthread_mutex_t mutex;
	struct hsa_collector_status status;
	bool stopping, renew;
	int64_t drain_until; /* ms, with stopping */

	/* the thread's own */
	struct chan_conn conn;
	struct slog_reader *reader; /* NULL before Resume */
	struct chan_window window;
	struct hsa_buf records; /* of the frame being filled */
	struct chan_span *span; /* CHAN_BATCH_RECORDS of them */
	struct hsa_slice *slice;
	size_t span_len;
	uint64_t first;       /* sequence of the first of them */
	uint64_t resumed;     /* where this connection began */
	uint64_t held;        /* acknowledged on it */
	bool idle, log_ended; /* nothing to read now; never again */
	bool lasting;         /* last_error stands until a good Ack */
	void (*health)(void *ctx, struct chan_health *h);
	void *health_ctx;
	uint32_t told; /* status that this connection was told */
	int64_t moved; /* ms of the last progress */
	int64_t ends;  /* of the certificates, s since 1970; 0: none */
	int pause;
};

/* chan_dial(c) - connect c->conn, with TLS where the address says so. Errors
 * are in the status. */
HSA_MUST_USE hsa_rc chan_dial(struct chan *c);

/* chan_session(c) - on the open c->conn; success: the thread is to end;
 * E_STATE: a renewal, so connect at once. Closes c->conn. */
HSA_MUST_USE hsa_rc chan_session(struct chan *c);

/* chan_take(c) - act on every whole frame that was read. An error ends the
 * connection, with the reason in the status. */
HSA_MUST_USE hsa_rc chan_take(struct chan *c);

/*
 * chan_show(c, lasting, fmt, ...) - set last_error, as one line of ASCII;
 * lasting: it stands until a good Ack. chan_show_connected(c, connected).
 */
void chan_show(struct chan *c, bool lasting, const char *fmt, ...)
    HSA_PRINTF(3, 4);
void chan_show_connected(struct chan *c, bool connected);

/* chan_finished(c, left) - is it time to end? left: ms until the drain ends,
 * -1 while nobody asked for the end. */
bool chan_finished(struct chan *c, int *left);

/* chan_wait(c, fd, events, until) - poll until then at most, chan_now_ms.
 * E_STOPPED: it is time to end; E_TIMEOUT: until has come. */
HSA_MUST_USE hsa_rc chan_wait(
    struct chan *c, int fd, int events, int64_t until);

/* chan_hear(c) - c->stop was readable; it is not any more. */
void chan_hear(struct chan *c);
/* chan_renewing(c) - was a renewal asked for? Only once. */
bool chan_renewing(struct chan *c);

/* chan_show_ends(c, own) - when our certificate is over. */
void chan_show_ends(struct chan *c, int64_t own);

/* chan_sooner(a, b) - of two times in ms, where negative means never. */
int chan_sooner(int a, int b);
int64_t chan_now_ms(void);
uint64_t chan_log_size(const struct chan *c);
/* chan_pause_reset(c) - the collector is well: try again soon next time. */
void chan_pause_reset(struct chan *c);

#endif
