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

hsa_rc
vfy_put_file(int folder, const char *path, const void *p, size_t n, bool sync)
{
	struct hsa_buf other = {0};
	int fd = -1, why;
	hsa_rc rc;

	hsa_buf_printf(&other, "%s.%ld.new", path, (long)getpid());
	HSA_TRY(rc, hsa_buf_rc(&other));
	fd = openat(folder, hsa_buf_cstr(&other),
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0) {
		rc = HSA_RC(E_IO);
		goto out;
	}
	rc = write_all(fd, p, n);
	if (hsa_is_ok(rc) && sync && fsync(fd) != 0)
		rc = HSA_RC(E_IO);
	if (close(fd) != 0)
		rc = HSA_RC(E_IO);
	if (hsa_is_ok(rc) &&
	    renameat(folder, hsa_buf_cstr(&other), folder, path) != 0)
		rc = HSA_RC(E_IO);
	if (!hsa_is_ok(rc)) {
		why = errno;
		(void)unlinkat(folder, hsa_buf_cstr(&other), 0);
		errno = why;
	}
out:
	hsa_buf_free(&other);
	return rc;
}
