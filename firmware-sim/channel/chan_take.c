#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "chan_impl.h"

/* A refusal that the peer gets to read, if it reads at all. */
static hsa_rc
refuse(struct chan *c, const char *text)
{
	struct hsa_frame f = {.kind = HSA_FRAME_REFUSE};
	char copy[160];
	bool moved;

	(void)snprintf(copy, sizeof(copy), "%s", text);
	f.text = copy;
	f.text_len = strlen(copy);
	/* not into the middle of a frame that is half sent */
	if (c->conn.sent == 0 && hsa_is_ok(chan_conn_send(&c->conn, &f)) &&
	    !hsa_is_ok(chan_conn_flush(&c->conn, &moved)))
		moved = false;
	chan_show(c, true, "%s", text);
	return HSA_RC(E_REMOTE);
}

static hsa_rc
take_resume(struct chan *c, uint64_t next)
{
	struct slog_kept kept = {0};
	uint64_t size = chan_log_size(c);
	char text[160];
	hsa_rc rc;

	if (next > size) { /* C4 */
		(void)snprintf(text, sizeof(text),
		    "the collector asks for "
		    "record %" PRIu64 ", the log has %" PRIu64 ": its copy is "
		    "of a log this unit never made; move it away",
		    next, size);
		return refuse(c, text);
	}
	/* from one before, for the checkpoint between the two: sent again, it
	 * makes the collector compare its copy with this log and say so */
	rc = slog_reader_open(&c->reader, c->l, next == 0 ? 0 : next - 1);
	if (rc.v == HSA_E_NOT_FOUND) /* that one was the last released */
		rc = slog_reader_open(&c->reader, c->l, next);
	if (rc.v == HSA_E_NOT_FOUND) {
		slog_kept(c->l, &kept);
		(void)snprintf(text, sizeof(text),
		    "the collector asks for record %" PRIu64 ", those before "
		    "%" PRIu64 " were released: give it a copy that has them",
		    next, kept.first);
		return refuse(c, text);
	}
	HSA_TRY(rc, rc);
	c->resumed = next;
	chan_show_connected(c, true);
out:
	return rc;
}

static hsa_rc
take_ack(struct chan *c, uint64_t size, const uint8_t root[32])
{
	char text[160];
	hsa_rc rc;

	rc = chan_window_ack(&c->window, size, root);
	if (!hsa_is_ok(rc)) {
		(void)snprintf(text, sizeof(text),
		    "the collector acknowledged "
		    "%" PRIu64 " records with %s; compare both copies with "
		    "hsa verify",
		    size,
		    rc.v == HSA_E_SIGNATURE
			? "another root than the log has"
			: "no checkpoint there that was sent");
		return refuse(c, text);
	}
	if (c->held < size)
		c->held = size;
	c->lasting = false;
	chan_pause_reset(c);
	(void)pthread_mutex_lock(&c->mutex);
	if (c->status.acknowledged < size)
		c->status.acknowledged = size;
	c->status.last_error[0] = '\0';
	(void)pthread_mutex_unlock(&c->mutex);
	return HSA_OK;
}

static hsa_rc
take_frame(struct chan *c, const struct hsa_frame *f)
{
	c->moved = chan_now_ms();
	if (f->kind == HSA_FRAME_REFUSE) {
		chan_show(c, true, "the collector refuses: %.120s",
		    f->text == NULL ? "" : f->text);
		return HSA_RC(E_REMOTE);
	}
	if (f->kind == HSA_FRAME_RESUME && c->reader == NULL)
		return take_resume(c, f->sequence);
	if (f->kind == HSA_FRAME_ACK && c->reader != NULL)
		return take_ack(c, f->sequence, f->root);
	return refuse(c, "the collector sent a frame out of turn; "
			 "check that the address is a collector's");
}

hsa_rc
chan_take(struct chan *c)
{
	hsa_rc rc = HSA_OK;

	while (hsa_is_ok(rc)) {
		struct hsa_frame f = {0};

		rc = chan_conn_frame(&c->conn, &f);
		if (hsa_is_ok(rc))
			rc = take_frame(c, &f);
		else if (rc.v != HSA_E_NOT_FOUND && rc.v != HSA_E_NOMEM)
			rc = refuse(c,
			    "the collector sent bytes that are no "
			    "frame; check that the address is a collector's");
		hsa_frame_free(&f);
	}
	return rc.v == HSA_E_NOT_FOUND ? HSA_OK : rc;
}
