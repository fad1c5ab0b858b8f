/*
 * Forced audit: when a unit refuses work, in which words, and how many calls
 * were refused without a record. The number lies in a file of its own that was
 * written at the start, so that it can be overwritten on a full disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cu_core.h"

#define FILE_LEN 16 /* epoch, calls: big-endian */

/* ---- the file ------------------------------------------------------------ */

static uint64_t
get64(const uint8_t *p)
{
	return (uint64_t)cu_get_be32(p) << 32 | cu_get_be32(p + 4);
}

static bool
write_file(const struct cu_lost *x, uint64_t epoch, uint64_t calls)
{
	uint8_t b[FILE_LEN];

	cu_be32(b, (uint32_t)(epoch >> 32));
	cu_be32(b + 4, (uint32_t)epoch);
	cu_be32(b + 8, (uint32_t)(calls >> 32));
	cu_be32(b + 12, (uint32_t)calls);
	return pwrite(x->fd, b, sizeof(b), 0) == (ssize_t)sizeof(b);
}

hsa_rc
cu_lost_open(struct cu_unit *u, const char *db, struct hsa_diag *diag)
{
	struct cu_lost *x = &u->lost;
	struct hsa_buf path = {0};
	uint8_t b[FILE_LEN] = {0};
	ssize_t n = 0;
	hsa_rc rc = HSA_OK;

	hsa_buf_printf(&path, "%s.lost", db);
	HSA_TRY(rc, hsa_buf_rc(&path));
	x->fd = open(hsa_buf_cstr(&path),
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (x->fd >= 0)
		n = pread(x->fd, b, sizeof(b), 0);
	/* shorter: made just now, or by a start that was cut short */
	if (x->fd < 0 || n < 0) {
		rc = hsa_fail(diag, HSA_RC(E_IO),
		    "%s: %s: it must be readable and writable by the user who "
		    "runs the unit",
		    hsa_buf_cstr(&path), strerror(errno));
		goto out;
	}
	if (n == (ssize_t)sizeof(b)) {
		x->before_epoch = get64(b);
		x->before = get64(b + 8);
	}
out:
	hsa_buf_free(&path);
	return rc;
}

void
cu_lost_close(struct cu_unit *u)
{
	if (u->lost.fd >= 0)
		(void)close(u->lost.fd);
	u->lost.fd = -1;
}

static hsa_rc
record(struct cu_unit *u, uint64_t epoch, uint64_t calls, struct hsa_diag *diag)
{
	struct hsa_record r = {0};
	struct hsa_data *d = &r.special.details;
	hsa_rc rc;

	u->next = u->now;
	HSA_TRY(rc, cu_event_special(&r, u, HSA_SPECIAL_LOST_EVENTS));
	HSA_TRY(rc, hsa_data_integer(d, "ofEpoch", (int64_t)epoch));
	HSA_TRY(rc, hsa_data_integer(d, "calls", (int64_t)calls));
	rc = cu_journal_commit(u, &r, diag);
out:
	hsa_record_free(&r);
	return rc;
}

/* Their number is known to nobody. */
static hsa_rc
record_ring(
    struct cu_unit *u, const struct cu_sink_ring *ring, struct hsa_diag *diag)
{
	struct hsa_record r = {0};
	struct hsa_data *d = &r.special.details;
	hsa_rc rc;

	u->next = u->now;
	HSA_TRY(rc, cu_event_special(&r, u, HSA_SPECIAL_RING_LOST));
	HSA_TRY(rc, hsa_data_integer(d, "ofEpoch", (int64_t)ring->lost_epoch));
	HSA_TRY(rc, hsa_data_text(d, "why", ring->lost_why));
	rc = cu_journal_commit(u, &r, diag);
out:
	hsa_record_free(&r);
	return rc;
}

hsa_rc
cu_lost_start(struct cu_unit *u, struct hsa_diag *diag)
{
	struct cu_lost *x = &u->lost;
	struct cu_sink_ring ring = {0};
	uint64_t calls = x->before, epoch = x->before_epoch;
	hsa_rc rc = HSA_OK;

	/* a kill may come between the ring's count and ours */
	if (u->sink.ops->ring != NULL)
		u->sink.ops->ring(u->sink.ctx, &ring);
	if (ring.lost)
		HSA_TRY(rc, record_ring(u, &ring, diag));
	if (calls < ring.unrecorded) {
		calls = ring.unrecorded;
		epoch = u->epoch - 1;
	}
	if (calls != 0)
		HSA_TRY(rc, record(u, epoch, calls, diag));
	if (!write_file(x, u->epoch, 0) || fdatasync(x->fd) != 0)
		rc = hsa_fail(diag, HSA_RC(E_IO),
		    "the number of calls without a record cannot be written: "
		    "%s: free space or repair the disk",
		    strerror(errno));
out:
	return rc;
}

void
cu_lost_add(struct cu_unit *u)
{
	(void)pthread_mutex_lock(&u->view);
	u->lost.calls++;
	/* where not even that works, the status has it */
	(void)!write_file(&u->lost, u->epoch, u->lost.calls);
	(void)pthread_mutex_unlock(&u->view);
}

uint64_t
cu_lost_calls(struct cu_unit *u)
{
	uint64_t n;

	(void)pthread_mutex_lock(&u->view);
	n = u->lost.calls;
	(void)pthread_mutex_unlock(&u->view);
	return n;
}

/* ---- refusing ------------------------------------------------------------ */

static bool
full(const struct cu_unit *u)
{
	return u->sink.ops->full != NULL && u->sink.ops->full(u->sink.ctx);
}

uint32_t
cu_unit_refuses(struct cu_unit *u, struct hsa_buf *text)
{
	uint32_t status = cu_unit_halted(u, text);

	if (status != 0 || !full(u))
		return status;
	if (text != NULL)
		hsa_buf_str(text,
		    "the audit log has reached its limit (log.max_bytes): let "
		    "the collectors catch up, or raise the limit and resume "
		    "the unit");
	return 507;
}

void
cu_unit_turned_away(struct cu_unit *u)
{
	cu_unit_count(u, CU_STAT_HALTED);
	cu_lost_add(u);
}

/* What to do, by what the system said. */
static const struct {
	const char *said, *fix;
} fixes[] = {
    {"No space left", "free space on its disk"},
    {"quota", "free space on its disk"},
    {"was deleted", "put its folder back as it was"},
    {"another file", "put its folder back as it was"},
    {"Permission denied", "make its folder writable"},
    {"Read-only", "mount its disk for writing"},
};

void
cu_unit_halt_log(struct cu_unit *u, hsa_rc rc)
{
	const char *fix = "repair its disk";
	struct hsa_diag why = {{0}}, text = {{0}};
	size_t i;

	if (u->sink.ops->why != NULL)
		u->sink.ops->why(u->sink.ctx, &why);
	for (i = 0; i < sizeof(fixes) / sizeof(fixes[0]); i++)
		if (strstr(why.text, fixes[i].said) != NULL)
			fix = fixes[i].fix;
	if (why.text[0] == '\0')
		hsa_diag_set(&why, "%s", hsa_err_text(rc));
	hsa_diag_set(&text,
	    "the audit log cannot be written (%.130s): %s, then `cryptounitd "
	    "resume`",
	    why.text, fix);
	cu_unit_halt(u, 507, text.text);
}

void
cu_unit_check(struct cu_unit *u)
{
	struct hsa_diag why = {{0}};

	if (u->sink.ops->why == NULL || cu_unit_halted(u, NULL) != 0)
		return;
	u->sink.ops->why(u->sink.ctx, &why);
	if (why.text[0] != '\0')
		cu_unit_halt_log(u, HSA_RC(E_IO));
}

uint32_t
cu_unit_health(struct cu_unit *u, char *text, size_t room, uint64_t *lost)
{
	struct hsa_buf b = {0};
	uint32_t status = cu_unit_refuses(u, &b);

	(void)snprintf(text, room, "%s", hsa_buf_cstr(&b));
	*lost = cu_lost_calls(u);
	hsa_buf_free(&b);
	return status;
}

/* ---- what was released --------------------------------------------------- */

hsa_rc
cu_unit_released(struct cu_unit *u, uint64_t before, uint64_t bytes,
    const char *who, struct hsa_diag *diag)
{
	struct hsa_record r = {0};
	struct hsa_data *d = &r.special.details;
	hsa_rc rc = HSA_RC(E_STATE);

	(void)pthread_mutex_lock(&u->command);
	if (cu_unit_halted(u, NULL) != 0)
		goto out;
	u->next = u->now;
	HSA_TRY(rc, cu_event_special(&r, u, HSA_SPECIAL_LOG_RELEASED));
	HSA_TRY(rc, hsa_data_integer(d, "before", (int64_t)before));
	HSA_TRY(rc, hsa_data_integer(d, "bytes", (int64_t)bytes));
	HSA_TRY(rc, hsa_data_text(d, "acknowledgedBy", who));
	rc = cu_journal_commit(u, &r, diag);
out:
	(void)pthread_mutex_unlock(&u->command);
	hsa_record_free(&r);
	return rc;
}
