#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

#include "hsa_buf.h"
#include "vfy_put.h"

static hsa_rc
write_all(int fd, const void *p, size_t n)
{
	const char *at = p;
	ssize_t done;

	while (n > 0) {
		done = write(fd, at, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return HSA_RC(E_IO);
		at += done;
		n -= (size_t)done;
	}
	return HSA_OK;
}

/* In a folder that is locked always the same, so that what a killed writer
 * left is written over. */
static hsa_rc
other_name(struct hsa_buf *to, int folder, const char *path)
{
	hsa_buf_str(to, path);
	if (folder == AT_FDCWD)
		hsa_buf_printf(to, ".%ld", (long)getpid());
	hsa_buf_str(to, ".new");
	return hsa_buf_rc(to);
}

hsa_rc
vfy_put_begin(int folder, const char *path, const void *p, size_t n, bool sync)
{
	struct hsa_buf other = {0};
	int fd;
	hsa_rc rc;

	HSA_TRY(rc, other_name(&other, folder, path));
	fd = openat(folder, hsa_buf_cstr(&other),
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0) {
		rc = HSA_RC(E_IO);
		goto out;
	}
	rc = write_all(fd, p, n);
	if (hsa_is_ok(rc) && sync && fsync(fd) != 0)
		rc = HSA_RC(E_IO);
	if (close(fd) != 0)
		rc = HSA_RC(E_IO);
	if (!hsa_is_ok(rc))
		vfy_put_drop(folder, path);
out:
	hsa_buf_free(&other);
	return rc;
}

hsa_rc
vfy_put_done(int folder, const char *path)
{
	struct hsa_buf other = {0};
	hsa_rc rc;

	HSA_TRY(rc, other_name(&other, folder, path));
	if (renameat(folder, hsa_buf_cstr(&other), folder, path) != 0) {
		rc = HSA_RC(E_IO);
		vfy_put_drop(folder, path);
	}
out:
	hsa_buf_free(&other);
	return rc;
}

void
vfy_put_drop(int folder, const char *path)
{
	struct hsa_buf other = {0};
	int why = errno;

	if (hsa_is_ok(other_name(&other, folder, path)))
		(void)unlinkat(folder, hsa_buf_cstr(&other), 0);
	hsa_buf_free(&other);
	errno = why;
}

hsa_rc
vfy_put_file(int folder, const char *path, const void *p, size_t n, bool sync)
{
	hsa_rc rc;

	HSA_TRY(rc, vfy_put_begin(folder, path, p, n, sync));
	rc = vfy_put_done(folder, path);
out:
	return rc;
}
