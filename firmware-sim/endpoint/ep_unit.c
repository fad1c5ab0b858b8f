/* ep_unit.c - see ep_unit.h. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "hsa_buf.h"
#include "ep_file.h"
#include "ep_harden.h"
#include "ep_inside.h"
#include "ep_log.h"
#include "ep_resume.h"
#include "ep_serve.h"
#include "ep_sock.h"
#include "ep_unit.h"

#define LOCK_MS 15000 /* a predecessor that is still closing */

struct unit {
	struct ep_inside *in;
	int listener, signals;
};

static hsa_rc
path_in(struct hsa_buf *b, struct unit *u, const char *name)
{
	hsa_buf_reset(b);
	hsa_buf_printf(b, "%s/%s", ep_inside_folder(u->in), name);
	return hsa_buf_rc(b);
}

static hsa_rc
open_socket(struct unit *u, struct hsa_diag *diag)
{
	struct hsa_buf path = {0};
	hsa_rc rc = HSA_OK;

	HSA_TRY(rc, path_in(&path, u, "unit.sock"));
	HSA_TRY(rc, ep_sock_listen(&u->listener, hsa_buf_cstr(&path), diag));
	HSA_TRY(rc, path_in(&path, u, "pid"));
	HSA_TRY(rc, ep_file_number(hsa_buf_cstr(&path), (long)getpid(), diag));
out:
	hsa_buf_free(&path);
	return rc;
}

static void
remove_files(struct unit *u)
{
	struct hsa_buf path = {0};

	if (u->listener < 0)
		return;
	(void)close(u->listener);
	u->listener = -1;
	if (hsa_is_ok(path_in(&path, u, "unit.sock")))
		(void)unlink(hsa_buf_cstr(&path));
	if (hsa_is_ok(path_in(&path, u, "pid")))
		(void)unlink(hsa_buf_cstr(&path));
	hsa_buf_free(&path);
}

/* For status and resume, where the disk lets us; NULL: nothing is wrong. */
static void
say_halted(const char *dir, const char *name, const struct hsa_diag *why)
{
	struct hsa_buf path = {0};

	hsa_buf_printf(&path, "%s/units/%s/" EP_HALTED_FILE, dir, name);
	if (hsa_is_ok(hsa_buf_rc(&path))) {
		(void)unlink(hsa_buf_cstr(&path));
		if (why != NULL && why->text[0] != '\0')
			(void)!hsa_is_ok(ep_file_create(hsa_buf_cstr(&path),
			    why->text, strlen(why->text), NULL));
	}
	hsa_buf_free(&path);
}

static void
tell_ready(int fd)
{
	if (fd < 0)
		return;
	if (write(fd, "R", 1) != 1)
		ep_log("the supervisor does not listen any more");
	(void)close(fd);
}

hsa_rc
ep_unit_run(
    const char *dir, const char *name, int ready_fd, struct hsa_diag *diag)
{
	static const struct ep_serve_calls calls = {.fn = ep_inside_request,
	    .bad = ep_inside_unreadable,
	    .renew = ep_inside_renew};
	struct unit u = {.listener = -1, .signals = -1};
	hsa_rc rc = HSA_OK;

	/* before the first thread, so that all of them inherit the mask */
	HSA_TRY(rc, ep_signals(&u.signals, 0, diag));
	HSA_TRY(rc, ep_inside_open(&u.in, dir, name, LOCK_MS, diag));
	HSA_TRY(rc, open_socket(&u, diag));
	say_halted(dir, name, NULL);
	tell_ready(ready_fd);
	ep_log("serving %s", ep_inside_config(u.in)->location);
	rc = ep_serve(u.listener, u.signals, &calls, u.in);
	if (rc.v == HSA_E_TIMEOUT) {
		/* A thread is inside the unit still: what it uses cannot be
		 * closed under it. The log and the state survive this. */
		ep_log("a request does not end; leaving without a clean stop");
		_exit(1);
	}
out:
	if (!hsa_is_ok(rc))
		say_halted(dir, name, diag);
	remove_files(&u);
	ep_inside_close(u.in);
	if (u.signals >= 0)
		(void)close(u.signals);
	return rc;
}
