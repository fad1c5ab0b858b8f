#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hsa_buf.h"
#include "hsa_hash.h"
#include "vfy_file.h"
#include "vfy_find.h"
#include "vfy_note.h"

#define DAMAGED "log.damaged-" /* of a unit's folder, and a number */

static bool
is_folder(int fd, const char *name)
{
	struct stat st;

	return fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(st.st_mode);
}

static bool
is_there(int fd, const char *name)
{
	struct stat st;

	return fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool
any_folder(const char *name)
{
	return name[0] != '.';
}

bool
vfy_log_name_good(const char *s)
{
	uint8_t id[HSA_UUID_LEN];
	char origin[VFY_LOG_NAME + 16];

	(void)snprintf(
	    origin, sizeof(origin), "cryptounit/%.*s", VFY_LOG_NAME, s);
	return hsa_is_ok(vfy_origin_unit(id, origin));
}

static bool
damaged_folder(const char *name)
{
	return strncmp(name, DAMAGED, sizeof(DAMAGED) - 1) == 0 &&
	       name[sizeof(DAMAGED) - 1] != '\0' &&
	       name[strspn(name + sizeof(DAMAGED) - 1, "0123456789") +
		    sizeof(DAMAGED) - 1] == '\0';
}

bool
vfy_found_is(const struct vfy_found *f, const char *unit)
{
	size_t n = unit == NULL ? 0 : strlen(unit);

	if (unit == NULL || f->unit[0] == '\0' || strcmp(f->unit, unit) == 0)
		return true;
	return strncmp(f->unit, unit, n) == 0 &&
	       (n >= 4 || f->unit[n] == '/' || f->unit[n] == '.');
}

/* Of one unit: damaged ones by number, then the one at hand; and collected ones
 * by number, the first having none. */
static unsigned long
rank(const struct vfy_found *f)
{
	const char *dash = strrchr(f->unit, '-'), *dot = strchr(f->unit, '.');

	if (f->old)
		return strtoul(dash + 1, NULL, 10);
	if (!vfy_log_name_good(f->unit))
		return ULONG_MAX;
	return dot != NULL ? strtoul(dot + 1, NULL, 10) : 1;
}

static int
by_unit(const void *a, const void *b)
{
	const struct vfy_found *x = a, *y = b;
	size_t n = strcspn(x->unit, "/."), m = strcspn(y->unit, "/.");
	int c = memcmp(x->unit, y->unit, n < m ? n : m);

	if (c != 0 || n != m)
		return c != 0 ? c : n < m ? -1 : 1;
	return rank(x) < rank(y) ? -1 : rank(x) > rank(y);
}

static hsa_rc
add(struct vfy_logs *l, const char *dir, const char *between, const char *unit,
    const char *below)
{
	struct hsa_buf path = {0};
	struct vfy_found *more;
	hsa_rc rc = HSA_RC(E_NOMEM);

	hsa_buf_printf(&path, "%s%s%s%s", dir, between, unit, below);
	more = reallocarray(l->log, l->len + 1, sizeof(*more));
	if (more == NULL)
		goto out;
	l->log = more;
	more += l->len;
	more->old = false;
	more->path = strdup(hsa_buf_cstr(&path));
	more->unit = strdup(unit);
	if (path.failed || more->path == NULL || more->unit == NULL) {
		free(more->path);
		free(more->unit);
		goto out;
	}
	l->len++;
	rc = HSA_OK;
out:
	hsa_buf_free(&path);
	return rc;
}

/* Calls each for the subfolders of fd that are wanted. */
static hsa_rc
subfolders(int fd, bool (*wanted)(const char *name),
    hsa_rc (*each)(void *ctx, const char *name), void *ctx, const char *dir,
    struct hsa_diag *diag)
{
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = again < 0 ? NULL : fdopendir(again);
	struct dirent *d;
	hsa_rc rc = HSA_OK;

	if (list == NULL) {
		rc = hsa_fail(
		    diag, HSA_RC(E_IO), "%s: %s", dir, strerror(errno));
		if (again >= 0)
			(void)close(again);
		return rc;
	}
	while ((d = readdir(list)) != NULL)
		if (wanted(d->d_name) && is_folder(fd, d->d_name))
			HSA_TRY(rc, each(ctx, d->d_name));
out:
	(void)closedir(list);
	return rc;
}

struct state {
	struct vfy_logs *l;
	const char *dir, *unit;
	int units; /* folder of units */
	struct hsa_diag *diag;
};

static hsa_rc
add_collected(void *ctx, const char *name)
{
	const struct state *s = ctx;

	return add(s->l, s->dir, "/", name, "");
}

static hsa_rc
add_damaged(void *ctx, const char *name)
{
	const struct state *s = ctx;
	char label[2 * NAME_MAX + 2];
	hsa_rc rc;

	(void)snprintf(label, sizeof(label), "%s/%s", s->unit, name);
	HSA_TRY(rc, add(s->l, s->dir, "/units/", label, ""));
	s->l->log[s->l->len - 1].old = true;
out:
	return rc;
}

static hsa_rc
add_unit(void *ctx, const char *name)
{
	struct state *s = ctx;
	int fd;
	hsa_rc rc;

	HSA_TRY(rc, add(s->l, s->dir, "/units/", name, "/log"));
	fd = openat(
	    s->units, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return rc; /* what is in it the verifier will say */
	s->unit = name;
	rc = subfolders(fd, damaged_folder, add_damaged, s, s->dir, s->diag);
	(void)close(fd);
out:
	return rc;
}

static hsa_rc
state(struct vfy_logs *l, int fd, const char *dir, struct hsa_diag *diag)
{
	struct state s = {.l = l, .dir = dir, .diag = diag};
	hsa_rc rc;

	l->where = VFY_STATE;
	s.units = openat(
	    fd, "units", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (s.units < 0)
		return hsa_fail(diag, HSA_RC(E_NOT_FOUND), "%s/units: %s", dir,
		    strerror(errno));
	rc = subfolders(s.units, any_folder, add_unit, &s, dir, diag);
	(void)close(s.units);
	return rc;
}

hsa_rc
vfy_find(struct vfy_logs *to, const char *dir, struct hsa_diag *diag)
{
	struct vfy_segments segs = {0};
	struct vfy_logs l = {0};
	int fd = -1;
	hsa_rc rc;

	HSA_TRY(rc, vfy_file_folder(&fd, dir, diag));
	HSA_TRY(rc, vfy_file_list(&segs, fd, diag));
	if (is_there(fd, "config.yaml") && is_folder(fd, "units"))
		HSA_TRY(rc, state(&l, fd, dir, diag));
	else if (segs.len != 0 || is_there(fd, VFY_HEAD)) {
		l.where = VFY_LOG;
		HSA_TRY(rc, add(&l, dir, "", "", ""));
	} else {
		l.where = VFY_COLLECTED;
		HSA_TRY(
		    rc, subfolders(fd, vfy_log_name_good, add_collected,
			    &(struct state){.l = &l, .dir = dir}, dir, diag));
	}
	if (l.len == 0) {
		rc = hsa_fail(diag, HSA_RC(E_NOT_FOUND),
		    "%s: no log in it; name a log folder (seg-*.slog), a "
		    "collector's folder or a state directory of cryptounitd",
		    dir);
		goto out;
	}
	qsort(l.log, l.len, sizeof(*l.log), by_unit);
	*to = l;
	l = (struct vfy_logs){0};
out:
	if (fd >= 0)
		(void)close(fd);
	vfy_segments_free(&segs);
	vfy_logs_free(&l);
	return rc;
}

void
vfy_logs_free(struct vfy_logs *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < l->len; i++) {
		free(l->log[i].path);
		free(l->log[i].unit);
	}
	free(l->log);
	*l = (struct vfy_logs){0};
}
