#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hsa_buf.h"
#include "hsa_hash.h"
#include "vfy_file.h"
#include "vfy_find.h"

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

static bool
unit_folder(const char *name)
{
	uint8_t id[HSA_UUID_LEN];

	return hsa_is_ok(hsa_uuid_parse(id, name));
}

static int
by_unit(const void *a, const void *b)
{
	const struct vfy_found *x = a, *y = b;

	return strcmp(x->unit, y->unit);
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

/* The subfolders of fd that are wanted, as dir + between + name + below. */
static hsa_rc
subfolders(struct vfy_logs *l, int fd, bool (*wanted)(const char *name),
    const char *dir, const char *between, const char *below,
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
			HSA_TRY(rc, add(l, dir, between, d->d_name, below));
out:
	(void)closedir(list);
	return rc;
}

static hsa_rc
state(struct vfy_logs *l, int fd, const char *dir, struct hsa_diag *diag)
{
	int units;
	hsa_rc rc;

	l->where = VFY_STATE;
	units = openat(
	    fd, "units", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (units < 0)
		return hsa_fail(diag, HSA_RC(E_NOT_FOUND), "%s/units: %s", dir,
		    strerror(errno));
	rc = subfolders(l, units, any_folder, dir, "/units/", "/log", diag);
	(void)close(units);
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
		    rc, subfolders(&l, fd, unit_folder, dir, "/", "", diag));
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
