/*
 * chan_conn.h - one connection of the audit channel: a non-blocking socket,
 * TLS on it or not, and the bytes on their way (FORMAT.md 6). Knows frames, not
 * their meaning.
 */
#ifndef CHAN_CONN_H
#define CHAN_CONN_H
#include <stdbool.h>
#include <stddef.h>
#include "chan_tls.h"
#include "hsa_buf.h"
#include "hsa_codec.h"
#include "hsa_err.h"

struct chan_conn {
	int fd;                /* -1: closed */
	struct chan_tls *tls;  /* NULL: none */
	int read_on, write_on; /* of poll, when TLS wants others; 0: usual */
	struct hsa_buf out, in;
	size_t sent; /* of out */
};

/* chan_conn_open(c, path, err) - connect to a unix socket; err: errno with
 * E_IO. For others see chan_dial.h. chan_conn_close(c) - drops what was not
 * sent; repeatable. chan_conn_free(c). */
HSA_MUST_USE hsa_rc chan_conn_open(
    struct chan_conn *c, int *err, const char *path);
void chan_conn_close(struct chan_conn *c);
void chan_conn_free(struct chan_conn *c);

/* chan_conn_unsent(c) - bytes still to go. */
size_t chan_conn_unsent(const struct chan_conn *c);

/* chan_conn_send(c, f) - encode a frame behind what waits to be sent. */
HSA_MUST_USE hsa_rc chan_conn_send(
    struct chan_conn *c, const struct hsa_frame *f);
/* chan_conn_events(c, send) - what to wait for with poll; send: to send, too.
 * chan_conn_can_send(c, revents), chan_conn_can_read(c, revents) - what came:
 * call flush, call read. */
int chan_conn_events(const struct chan_conn *c, bool send);
bool chan_conn_can_send(const struct chan_conn *c, int revents);
bool chan_conn_can_read(const struct chan_conn *c, int revents);

/* chan_conn_flush(c, moved) - what the socket takes now; E_CLOSED, E_IO, or
 * an error of chan_tls_write. */
HSA_MUST_USE hsa_rc chan_conn_flush(struct chan_conn *c, bool *moved);
/* chan_conn_read(c) - what the socket has now; E_CLOSED at its end, E_IO, or
 * an error of chan_tls_read. */
HSA_MUST_USE hsa_rc chan_conn_read(struct chan_conn *c);
/* chan_conn_frame(c, f) - take the next frame of what was read. E_NOT_FOUND:
 * no whole one yet; E_FORMAT, E_RANGE: not a frame that a unit is sent. */
HSA_MUST_USE hsa_rc chan_conn_frame(struct chan_conn *c, struct hsa_frame *f);

#endif
