#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bk_sync.h"

/* token/, one folder per token, its files: more is not SoftHSM's. */
#define DEPTH_MAX 8

static hsa_rc
sync_fd(int fd)
{
	int r;

	do
		r = fsync(fd);
	while (r != 0 && errno == EINTR);
	return r == 0 ? HSA_OK : HSA_RC(E_IO);
}

static hsa_rc walk(int fd, int depth);

static hsa_rc
entry(int at, const char *name, int depth)
{
	struct stat st = {0};
	hsa_rc rc;
	int fd = -1;

	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		/* removed meanwhile: its folder's sync covers that */
		return errno == ENOENT ? HSA_OK : HSA_RC(E_IO);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return HSA_OK;
	fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? HSA_OK : HSA_RC(E_IO);
	if (S_ISDIR(st.st_mode))
		return walk(fd, depth + 1);
	rc = sync_fd(fd);
	(void)close(fd);
	return rc;
}

/* Takes the descriptor over. */
static hsa_rc
walk(int fd, int depth)
{
	struct dirent *e = NULL;
	DIR *d = NULL;
	hsa_rc rc = HSA_RC(E_IO);

	if (depth > DEPTH_MAX || (d = fdopendir(fd)) == NULL) {
		(void)close(fd);
		return rc;
	}
	for (errno = 0; (e = readdir(d)) != NULL; errno = 0) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		HSA_TRY(rc, entry(dirfd(d), e->d_name, depth));
	}
	rc = errno == 0 ? sync_fd(dirfd(d)) : HSA_RC(E_IO);
out:
	(void)closedir(d);
	return rc;
}

hsa_rc
bk_sync_tree(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? HSA_RC(E_IO) : walk(fd, 0);
}

hsa_rc
bk_sync_path(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	hsa_rc rc = HSA_RC(E_IO);

	if (fd >= 0) {
		rc = sync_fd(fd);
		(void)close(fd);
	}
	return rc;
}
