#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "chan_impl.h"

#define HEALTH_MS 1000 /* between looks at the unit */
/* Of records in a frame, and of bytes on their way. */
#define BATCH_BYTES ((size_t)256 * 1024)
#define CLOCK_S 60 /* between two looks at the clock for certificates */

static hsa_rc
send_records(struct chan *c)
{
	struct hsa_frame f = {.kind = HSA_FRAME_RECORDS};
	hsa_rc rc;

	if (c->span_len == 0)
		return HSA_OK;
	for (size_t i = 0; i < c->span_len; i++)
		c->slice[i] = (struct hsa_slice){
		    c->records.p + c->span[i].at, c->span[i].n};
	f.sequence = c->first;
	f.record = c->slice;
	f.record_len = c->span_len;
	HSA_TRY(rc, chan_conn_send(&c->conn, &f));
	c->span_len = 0;
	hsa_buf_reset(&c->records);
out:
	return rc;
}

static hsa_rc
add_record(struct chan *c, const struct slog_item *it)
{
	hsa_rc rc;

	if (c->span_len == 0)
		c->first = it->sequence;
	c->span[c->span_len++] = (struct chan_span){c->records.len, it->n};
	hsa_buf_put(&c->records, it->p, it->n);
	HSA_TRY(rc, hsa_buf_rc(&c->records));
	if (c->records.len >= BATCH_BYTES || c->span_len == CHAN_BATCH_RECORDS)
		rc = send_records(c);
out:
	return rc;
}

static hsa_rc
add_checkpoint(struct chan *c, const struct slog_item *it)
{
	struct hsa_frame f = {.kind = HSA_FRAME_CHECKPOINT};
	char note[HSA_NOTE_MAX];
	hsa_rc rc;

	if (it->n > sizeof(note))
		return HSA_RC(E_RANGE);
	memcpy(note, it->p, it->n);
	f.text = note;
	f.text_len = it->n;
	HSA_TRY(rc, send_records(c));
	HSA_TRY(rc, chan_conn_send(&c->conn, &f));
	chan_window_add(&c->window, it->sequence, it->root);
out:
	return rc;
}

/* Take from the log as much as the connection should hold. */
static hsa_rc
fill(struct chan *c)
{
	struct slog_item it = {0};
	hsa_rc rc = HSA_OK;

	c->idle = false;
	while (chan_conn_unsent(&c->conn) + c->records.len < BATCH_BYTES &&
	       !chan_window_full(&c->window)) {
		rc = slog_reader_next(c->reader, &it, 0);
		if (rc.v == HSA_E_TIMEOUT || rc.v == HSA_E_CLOSED) {
			c->idle = true;
			c->log_ended = rc.v == HSA_E_CLOSED;
			return HSA_OK;
		}
		if (!hsa_is_ok(rc)) {
			chan_show(c, true,
			    "the unit's own log cannot be read: %s; "
			    "run hsa verify on it",
			    hsa_err_text(rc));
			goto out;
		}
		if (it.kind == SLOG_RECORD && it.sequence < c->resumed)
			continue;
		if (it.kind == SLOG_RECORD)
			HSA_TRY(rc, add_record(c, &it));
		else
			HSA_TRY(rc, add_checkpoint(c, &it));
	}
out:
	return rc;
}

static hsa_rc
send_hello(struct chan *c)
{
	struct hsa_frame f = {.kind = HSA_FRAME_HELLO};

	memcpy(f.unit_id, c->unit_id, sizeof(f.unit_id));
	(void)snprintf(f.origin, sizeof(f.origin), "%s", c->origin);
	f.epoch = c->epoch;
	f.sequence = chan_log_size(c);
	return chan_conn_send(&c->conn, &f);
}

/* ms until the peer has been silent for too long; -1: nothing is due. */
static int
patience(const struct chan *c)
{
	int64_t limit = c->reader == NULL ? c->hello_ms : c->stall_ms;
	int64_t left;

	if (c->reader != NULL && chan_conn_unsent(&c->conn) == 0 &&
	    chan_window_open(&c->window) == 0)
		return -1;
	left = c->moved + limit - chan_now_ms();
	return left > 0 ? (int)left : 0;
}

/* Both are looked at anew: which certificates are good, and which files there
 * are. ms until then; -1 without TLS. */
static int
term(const struct chan *c)
{
	int64_t left = c->ends - (int64_t)time(NULL);

	if (c->conn.tls == NULL)
		return -1;
	if (left <= 0)
		return 0;
	/* the clock may be set meanwhile */
	return left < CLOCK_S ? (int)left * 1000 : CLOCK_S * 1000;
}

static hsa_rc
receive(struct chan *c)
{
	hsa_rc rc = chan_conn_read(&c->conn), frames;

	if (c->conn.tls != NULL && (rc.v == HSA_E_REMOTE || rc.v == HSA_E_IO)) {
		chan_show(c, rc.v == HSA_E_REMOTE,
		    "the collector ended TLS: %s; see what it says itself",
		    chan_tls_why(c->conn.tls));
		return HSA_RC(E_REMOTE);
	}
	if (hsa_is_ok(rc) || rc.v == HSA_E_CLOSED) {
		frames = chan_take(c);
		if (!hsa_is_ok(frames))
			return frames;
	}
	return rc;
}

static hsa_rc
act(struct chan *c, int revents)
{
	bool moved = false, read = chan_conn_can_read(&c->conn, revents);
	hsa_rc rc = HSA_OK;

	if (chan_conn_can_send(&c->conn, revents)) {
		rc = chan_conn_flush(&c->conn, &moved);
		if (moved)
			c->moved = chan_now_ms();
		/* a peer that hung up may have said why: read first */
		if (!hsa_is_ok(rc) && rc.v != HSA_E_CLOSED)
			return rc;
		read = read || rc.v == HSA_E_CLOSED;
	}
	if (read)
		rc = receive(c);
	if (rc.v == HSA_E_CLOSED)
		chan_show(c, false, "the collector closed the connection");
	return rc;
}

/* C9: only what changed; a collector that comes to a unit that works knows. */
static hsa_rc
tell_health(struct chan *c)
{
	struct hsa_frame f = {.kind = HSA_FRAME_HEALTH};
	struct chan_health h = {.status = 0};
	hsa_rc rc = HSA_OK;

	if (c->health == NULL || c->reader == NULL)
		return rc;
	c->health(c->health_ctx, &h);
	if (h.status == c->told)
		return rc;
	f.status = h.status;
	f.sequence = h.lost;
	f.text = h.text;
	f.text_len = strlen(h.text);
	/* behind what was read so far, not between records and checkpoint */
	HSA_TRY(rc, send_records(c));
	HSA_TRY(rc, chan_conn_send(&c->conn, &f));
	c->told = h.status;
out:
	return rc;
}

static hsa_rc
wait_for_news(struct chan *c, int drain_left)
{
	struct pollfd p[3] = {
	    {.fd = c->conn.fd},
	    {.fd = c->stop, .events = POLLIN},
	    {.fd = -1, .events = POLLIN},
	};
	int quiet = patience(c), left = term(c);

	if (quiet == 0) {
		chan_show(c, false, "the collector made no progress for %g s",
		    (c->reader == NULL ? c->hello_ms : c->stall_ms) / 1000.0);
		return HSA_RC(E_TIMEOUT);
	}
	if (left == 0) {
		chan_show(c, false, "a certificate has ended; connecting anew");
		return HSA_RC(E_TIMEOUT);
	}
	/* room to send matters while there is something, or more to read */
	p[0].events = (short)chan_conn_events(
	    &c->conn, chan_conn_unsent(&c->conn) != 0 ||
			  (c->reader != NULL && !c->idle &&
			      !chan_window_full(&c->window)));
	if (c->reader != NULL && c->idle && !c->log_ended)
		p[2].fd = slog_reader_fd(c->reader);
	if (c->health != NULL && c->reader != NULL)
		left = chan_sooner(left, HEALTH_MS);
	if (poll(p, 3, chan_sooner(chan_sooner(quiet, left), drain_left)) < 0)
		return errno == EINTR ? HSA_OK : HSA_RC(E_IO);
	if (p[1].revents != 0)
		chan_hear(c);
	if (chan_renewing(c))
		return HSA_RC(E_STATE);
	return act(c, p[0].revents);
}

hsa_rc
chan_session(struct chan *c)
{
	bool moved = false;
	int left = -1;
	hsa_rc rc;

	chan_window_reset(&c->window);
	c->log_ended = c->idle = false;
	c->held = 0;
	c->told = 0;
	c->span_len = 0;
	hsa_buf_reset(&c->records);
	c->moved = chan_now_ms();
	HSA_TRY(rc, send_hello(c));
	while (!chan_finished(c, &left)) {
		if (c->reader != NULL) {
			bool nothing_due = patience(c) < 0;

			HSA_TRY(rc, fill(c));
			if (nothing_due) /* the clock starts now */
				c->moved = chan_now_ms();
		}
		HSA_TRY(rc, tell_health(c));
		rc = chan_conn_flush(&c->conn, &moved);
		if (moved)
			c->moved = chan_now_ms();
		/* closed: what the peer said before is still to be read */
		if (!hsa_is_ok(rc) && rc.v != HSA_E_CLOSED)
			goto out;
		HSA_TRY(rc, wait_for_news(c, left));
	}
out:
	if (rc.v == HSA_E_NOMEM || rc.v == HSA_E_IO)
		chan_show(
		    c, false, "the connection broke: %s", hsa_err_text(rc));
	slog_reader_free(c->reader);
	c->reader = NULL;
	chan_conn_close(&c->conn);
	chan_show_connected(c, false);
	return rc;
}
