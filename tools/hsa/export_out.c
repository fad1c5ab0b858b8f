#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "export_out.h"
#include "hsa_buf.h"

static bool
fail(const struct export_out *o)
{
	(void)cmd_error(
	    o->cmd, "cannot write %s: %s", o->path, strerror(errno));
	return false;
}

bool
export_out_open(struct export_out *o, const struct cmd *c, const char *path)
{
	size_t n;
	mode_t mask;

	*o = (struct export_out){.cmd = c, .path = path, .fd = -1};
	if (path == NULL)
		return true;
	n = strlen(path) + sizeof(".XXXXXX");
	o->beside = malloc(n);
	if (o->beside == NULL)
		return fail(o);
	(void)snprintf(o->beside, n, "%s.XXXXXX", path);
	o->fd = mkostemp(o->beside, O_CLOEXEC);
	if (o->fd < 0) {
		(void)fail(o);
		free(o->beside);
		o->beside = NULL;
		return false;
	}
	/* as any other file that a program makes */
	mask = umask(0);
	(void)umask(mask);
	(void)fchmod(o->fd, 0666 & ~mask);
	return true;
}

bool
export_out_put(struct export_out *o, struct hsa_buf *b)
{
	size_t at = 0;
	ssize_t n;

	if (o->path == NULL)
		return cmd_print(o->cmd, b);
	if (!hsa_is_ok(hsa_buf_rc(b))) {
		(void)cmd_error(o->cmd, "out of memory");
		return false;
	}
	while (at < b->len) {
		n = write(o->fd, b->p + at, b->len - at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(o);
		at += (size_t)n;
	}
	hsa_buf_reset(b);
	return true;
}

int
export_out_close(struct export_out *o, int code)
{
	if (o->path == NULL)
		return cmd_flush(o->cmd, code);
	if (o->fd < 0)
		return code;
	if (code == CMD_OK &&
	    (fdatasync(o->fd) != 0 || rename(o->beside, o->path) != 0)) {
		(void)fail(o);
		code = CMD_USAGE;
	}
	if (code != CMD_OK)
		(void)unlink(o->beside);
	(void)close(o->fd);
	free(o->beside);
	*o = (struct export_out){.fd = -1};
	return code;
}
