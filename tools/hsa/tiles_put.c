#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hsa_buf.h"
#include "tiles.h"
#include "tiles_put.h"
#include "vfy_file.h"
#include "vfy_put.h"

#define CHECKPOINT "checkpoint"

_Static_assert(TILES_PATH_MAX == 64, "struct tiles_put has rows of it");

void
tiles_path(char to[TILES_PATH_MAX], int level, uint64_t n, unsigned int width)
{
	struct hsa_buf b = {0};
	uint64_t part[7];
	size_t parts = 0;

	/* 2^64 / 256 has 17 digits: six parts of three */
	do {
		part[parts++] = n % 1000;
		n /= 1000;
	} while (n != 0);
	if (level < 0)
		hsa_buf_str(&b, "tile/entries/");
	else
		hsa_buf_printf(&b, "tile/%d/", level);
	while (parts-- > 1)
		hsa_buf_printf(&b, "x%03" PRIu64 "/", part[parts]);
	hsa_buf_printf(&b, "%03" PRIu64, part[0]);
	if (width != 0)
		hsa_buf_printf(&b, ".p/%u", width);
	(void)snprintf(to, TILES_PATH_MAX, "%s", hsa_buf_cstr(&b));
	hsa_buf_free(&b);
}

static hsa_rc
cannot(const struct tiles_put *s, const char *path)
{
	return hsa_fail(s->diag, HSA_RC(E_IO), "cannot write %s: %s", path,
	    strerror(errno));
}

hsa_rc
tiles_put_open(struct tiles_put *s, const char *dir, struct hsa_diag *diag)
{
	*s = (struct tiles_put){.folder = -1, .diag = diag};
	if (mkdir(dir, 0755) != 0 && errno != EEXIST)
		return cannot(s, dir);
	s->folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->folder < 0)
		return cannot(s, dir);
	if (flock(s->folder, LOCK_EX | LOCK_NB) != 0)
		return hsa_fail(diag, HSA_RC(E_BUSY),
		    "%s: another export is writing there", dir);
	return HSA_OK;
}

void
tiles_put_close(struct tiles_put *s)
{
	for (size_t i = 0; i < s->waits; i++)
		vfy_put_drop(s->folder, s->waiting[i]);
	free(s->waiting);
	free(s->outgrown);
	if (s->folder >= 0)
		(void)close(s->folder);
	*s = (struct tiles_put){.folder = -1};
}

static hsa_rc
remember(char (**list)[64], size_t *n, size_t *cap, const char *path)
{
	char(*more)[64];

	if (*n == *cap) {
		*cap = *cap == 0 ? 16 : 2 * *cap;
		more = reallocarray(*list, *cap, sizeof(*more));
		if (more == NULL)
			return HSA_RC(E_NOMEM);
		*list = more;
	}
	(void)snprintf((*list)[(*n)++], 64, "%s", path);
	return HSA_OK;
}

static hsa_rc
make_folders(const struct tiles_put *s, const char *path)
{
	char dir[TILES_PATH_MAX];

	for (size_t i = 0; path[i] != '\0'; i++) {
		if (path[i] == '/') {
			dir[i] = '\0';
			if (mkdirat(s->folder, dir, 0755) != 0 &&
			    errno != EEXIST)
				return cannot(s, dir);
		}
		dir[i] = path[i];
	}
	return HSA_OK;
}

/* E_NOT_FOUND: not there yet. */
static hsa_rc
compare(const struct tiles_put *s, const char *path, const void *p, size_t len)
{
	struct hsa_buf have = {0};
	hsa_rc rc = vfy_file_get(&have, s->folder, path, len);

	if (rc.v == HSA_E_RANGE ||
	    (hsa_is_ok(rc) && (have.len != len || memcmp(have.p, p, len) != 0)))
		rc = hsa_fail(s->diag, HSA_RC(E_EXISTS),
		    "%s is there with other content: it was altered, or is of "
		    "another log",
		    path);
	else if (rc.v == HSA_E_IO || rc.v == HSA_E_UNSUPPORTED)
		rc = hsa_fail(s->diag, HSA_RC(E_IO), "cannot read %s: %s", path,
		    rc.v == HSA_E_IO ? strerror(errno) : hsa_err_text(rc));
	hsa_buf_free(&have);
	return rc;
}

hsa_rc
tiles_put_one(struct tiles_put *s, int level, uint64_t n, unsigned int width,
    const void *p, size_t len)
{
	char path[TILES_PATH_MAX], part[TILES_PATH_MAX];
	struct stat st;
	hsa_rc rc;

	tiles_path(path, level, n, width);
	rc = compare(s, path, p, len);
	if (hsa_is_ok(rc)) {
		s->kept++;
		return rc;
	}
	if (rc.v != HSA_E_NOT_FOUND)
		return rc;
	rc = vfy_put_begin(s->folder, path, p, len, false);
	if (rc.v == HSA_E_IO && errno == ENOENT) {
		HSA_TRY(rc, make_folders(s, path));
		rc = vfy_put_begin(s->folder, path, p, len, false);
	}
	if (!hsa_is_ok(rc))
		return cannot(s, path);
	s->written++;
	HSA_TRY(rc, remember(&s->waiting, &s->waits, &s->cap, path));
	if (width != 0)
		return HSA_OK;
	(void)snprintf(part, sizeof(part), "%.60s.p", path);
	if (fstatat(s->folder, part, &st, AT_SYMLINK_NOFOLLOW) == 0)
		rc = remember(
		    &s->outgrown, &s->outgrowns, &s->outgrown_cap, part);
out:
	return rc;
}

hsa_rc
tiles_put_named(struct tiles_put *s)
{
	while (s->waits > 0)
		if (!hsa_is_ok(vfy_put_done(s->folder, s->waiting[--s->waits])))
			return cannot(s, s->waiting[s->waits]);
	return HSA_OK;
}

/* A client may be on its way to one; the full tile serves it as well. */
static void
remove_outgrown(struct tiles_put *s)
{
	struct dirent *d;
	DIR *list;
	int fd;

	for (size_t i = 0; i < s->outgrowns; i++) {
		fd = openat(s->folder, s->outgrown[i],
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		list = fd < 0 ? NULL : fdopendir(fd);
		if (list == NULL) {
			if (fd >= 0)
				(void)close(fd);
			continue;
		}
		while ((d = readdir(list)) != NULL)
			if (d->d_name[0] != '.' &&
			    unlinkat(dirfd(list), d->d_name, 0) == 0)
				s->removed++;
		(void)closedir(list);
		(void)unlinkat(s->folder, s->outgrown[i], AT_REMOVEDIR);
	}
	s->outgrowns = 0;
}

hsa_rc
tiles_put_checkpoint(struct tiles_put *s, const void *p, size_t n)
{
	hsa_rc rc;

	HSA_TRY(rc, tiles_put_named(s));
	/* one for all: a sync a tile would be most of the time */
	if (s->written != 0 && syncfs(s->folder) != 0)
		return cannot(s, "the tiles");
	if (!hsa_is_ok(vfy_put_file(s->folder, CHECKPOINT, p, n, true)) ||
	    fsync(s->folder) != 0)
		return cannot(s, CHECKPOINT);
	remove_outgrown(s);
out:
	return rc;
}
