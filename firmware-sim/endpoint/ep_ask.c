/* ep_ask.c - see ep_ask.h. */
#include <unistd.h>
#include "hsa_codec.h"
#include "ep_sock.h"
#include "ep_ask.h"

static hsa_rc
exchange(struct hsa_unit_reply *r, int fd, const struct hsa_buf *out,
    uint64_t deadline)
{
	struct hsa_buf in = {0};
	uint8_t *room = NULL;
	size_t got = 0, used = 0;
	hsa_rc rc = HSA_OK;

	HSA_TRY(rc, ep_sock_write(fd, out->p, out->len, deadline));
	do {
		room = hsa_buf_reserve(&in, 4096);
		if (room == NULL) {
			rc = HSA_RC(E_NOMEM);
			goto out;
		}
		HSA_TRY(rc, ep_sock_read(fd, room, 4096, &got, deadline));
		in.len += got;
		rc = hsa_unit_reply_decode(r, &used, in.p, in.len);
	} while (rc.v == HSA_E_TRUNCATED);
	if (hsa_is_ok(rc) && used != in.len) {
		hsa_unit_reply_free(r);
		rc = HSA_RC(E_FORMAT);
	}
out:
	hsa_buf_free(&in);
	return rc;
}

hsa_rc
ep_ask(struct hsa_unit_reply *r, const char *path,
    const struct hsa_unit_request *q, int timeout_ms, struct hsa_diag *diag)
{
	uint64_t deadline = ep_sock_now() + (uint64_t)timeout_ms;
	struct hsa_buf out = {0};
	int fd = -1;
	hsa_rc rc = HSA_OK;

	HSA_TRY(rc, hsa_unit_request_encode(&out, q));
	HSA_TRY(rc, ep_sock_connect(&fd, path, timeout_ms, diag));
	rc = exchange(r, fd, &out, deadline);
	if (rc.v == HSA_E_CLOSED)
		rc = hsa_fail(diag, HSA_RC(E_IO),
		    "the unit went away before it answered");
	else if (!hsa_is_ok(rc))
		hsa_diag_set(
		    diag, "no answer from the unit: %s", hsa_err_text(rc));
out:
	if (fd >= 0)
		(void)close(fd);
	hsa_buf_free(&out);
	return rc;
}
