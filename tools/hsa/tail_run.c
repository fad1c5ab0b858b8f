#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "export_out.h"
#include "hsa_buf.h"
#include "render.h"
#include "tail_run.h"
#include "tail_set.h"

#define CHUNK (64u * 1024u)
#define NAP_MS 50
#define LOOK_EVERY 20 /* naps: for units that appear later */

struct job {
	const struct tail_job *j;
	const struct cmd *cmd;
	struct tail_set set;
	struct export_out out;
};

static volatile sig_atomic_t stopped;

static void
on_stop(int sig)
{
	(void)sig;
	stopped = 1;
}

int
tail_damage(const struct cmd *c, const struct tail_log *l, hsa_rc rc)
{
	struct vfy_place at;

	vfy_follow_place(l->follow, &at);
	if (rc.v == HSA_E_IO) {
		(void)cmd_error(
		    c, "%s/%s: %s", l->path, at.file, strerror(errno));
		return CMD_USAGE;
	}
	(void)cmd_error(c,
	    "%s/%s: no more log from record %" PRIu64
	    " on (%s); `hsa verify` says where and what",
	    l->path, at.file, at.sequence, hsa_err_text(rc));
	return CMD_FOUND;
}

/* All that is sealed of one log now. */
static int
drain(struct job *j, struct tail_log *l, struct hsa_buf *b)
{
	struct hsa_record r = {0};
	bool end = false;
	hsa_rc rc;

	while (!stopped && !end) {
		rc = vfy_follow_next(l->follow, &r, 0);
		if (rc.v == HSA_E_TIMEOUT)
			break;
		if (!hsa_is_ok(rc)) {
			(void)export_out_put(&j->out, b);
			return tail_damage(j->cmd, l, rc);
		}
		end = r.sequence > j->j->filter.to;
		if (record_filter_has(&j->j->filter, &r))
			render_line(b, j->j->format,
			    &(const struct render_in){.r = &r,
				.unit = l->unit[0] == '\0' ? NULL : l->unit,
				.colour = j->j->colour});
		hsa_record_free(&r);
		if ((b->len >= CHUNK || b->failed) &&
		    !export_out_put(&j->out, b))
			return CMD_USAGE;
	}
	return export_out_put(&j->out, b) ? CMD_OK : CMD_USAGE;
}

static int
look(struct job *j, bool first)
{
	struct hsa_diag diag = {{0}};
	hsa_rc rc;

	for (int i = 0; i < j->j->dirs_len; i++) {
		rc = tail_set_look(&j->set, j->j->dirs[i], &diag);
		/* a collector's folder may be empty when we begin to follow */
		if (rc.v == HSA_E_NOT_FOUND && j->j->follow &&
		    access(j->j->dirs[i], F_OK) == 0)
			continue;
		if (!hsa_is_ok(rc) && (first || rc.v != HSA_E_NOT_FOUND))
			return cmd_error(j->cmd, "%s", diag.text);
	}
	if (first && j->set.len == 0 && j->set.unit != NULL && !j->j->follow)
		return cmd_error(j->cmd, "no unit %s there", j->set.unit);
	return CMD_OK;
}

static int
once(struct job *j, struct hsa_buf *b)
{
	struct hsa_diag diag = {{0}};
	int code = CMD_OK, now;
	hsa_rc rc;

	for (size_t i = 0; i < j->set.len && !stopped; i++) {
		struct tail_log *l = &j->set.log[i];

		if (l->over)
			continue;
		rc = tail_set_open(l, j->set.from, &diag);
		if (rc.v == HSA_E_NOT_FOUND)
			continue; /* a unit that has not started yet */
		now = hsa_is_ok(rc) ? drain(j, l, b)
				    : cmd_error(j->cmd, "%s", diag.text);
		/* that a log which was set aside is damaged is no reason not to
		 * follow the others */
		l->over = now == CMD_FOUND && l->old && j->j->follow;
		if (l->over)
			continue;
		if (now == CMD_USAGE || (now != CMD_OK && j->j->follow))
			return now;
		code = now > code ? now : code;
	}
	return code;
}

static int
work(struct job *j, struct hsa_buf *b)
{
	const struct timespec nap = {0, NAP_MS * 1000000L};
	struct sigaction sa = {.sa_handler = on_stop};
	int code;

	code = look(j, true);
	if (j->j->follow) {
		(void)sigaction(SIGINT, &sa, NULL);
		(void)sigaction(SIGTERM, &sa, NULL);
	}
	for (unsigned int n = 1; code == CMD_OK; n++) {
		code = once(j, b);
		if (!j->j->follow || stopped || code != CMD_OK)
			break;
		code = cmd_flush(j->cmd, code);
		(void)nanosleep(&nap, NULL);
		if (n % LOOK_EVERY == 0 && code == CMD_OK)
			code = look(j, false);
	}
	return code;
}

int
tail_run(const struct tail_job *t)
{
	struct job j = {.j = t,
	    .cmd = t->cmd,
	    .set = {.unit = t->filter.unit, .from = t->filter.from}};
	struct hsa_buf b = {0};
	int code;

	if (!export_out_open(&j.out, t->cmd, t->output))
		return CMD_USAGE;
	if (t->format->head != NULL)
		t->format->head(&b);
	code = work(&j, &b);
	/* of no log at all the first line is all there is */
	if (code == CMD_OK && !export_out_put(&j.out, &b))
		code = CMD_USAGE;
	hsa_buf_free(&b);
	tail_set_free(&j.set);
	return export_out_close(&j.out, code);
}
