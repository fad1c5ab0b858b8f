#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#include "val_bytes.h"

#define IN ((size_t)128 * 1024)

enum coding {
	PLAIN = 1,
	GZIP,
	ZSTD
};

struct val_bytes {
	int fd;
	enum coding coding;
	bool end;    /* of the file */
	bool inside; /* a member that has begun */
	z_stream z;
	bool z_open;
	ZSTD_DStream *zstd;
	size_t at, len; /* of in */
	unsigned char in[IN];
};

static hsa_rc
fill(struct val_bytes *b, struct hsa_diag *diag)
{
	ssize_t got;

	if (b->at > 0) {
		memmove(b->in, b->in + b->at, b->len - b->at);
		b->len -= b->at;
		b->at = 0;
	}
	do
		got = read(b->fd, b->in + b->len, sizeof(b->in) - b->len);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return hsa_fail(
		    diag, HSA_RC(E_IO), "cannot be read: %s", strerror(errno));
	b->end = got == 0;
	b->len += (size_t)got;
	return HSA_OK;
}

static bool
begins(const struct val_bytes *b, const char *magic, size_t n)
{
	return b->len >= n && memcmp(b->in, magic, n) == 0;
}

static hsa_rc
recognize(struct val_bytes *b, struct hsa_diag *diag)
{
	hsa_rc rc = HSA_OK;

	while (b->len < 4 && !b->end)
		HSA_TRY(rc, fill(b, diag));
	b->coding = PLAIN;
	if (begins(b, "\x1f\x8b", 2)) {
		b->coding = GZIP;
		/* 16: a gzip header, no other */
		b->z_open = inflateInit2(&b->z, MAX_WBITS + 16) == Z_OK;
		if (!b->z_open)
			return HSA_RC(E_NOMEM);
	} else if (begins(b, "\x28\xb5\x2f\xfd", 4)) {
		b->coding = ZSTD;
		b->zstd = ZSTD_createDStream();
		if (b->zstd == NULL)
			return HSA_RC(E_NOMEM);
	}
out:
	return rc;
}

hsa_rc
val_bytes_open(struct val_bytes **to, const char *path, struct hsa_diag *diag)
{
	struct val_bytes *b = calloc(1, sizeof(*b));
	hsa_rc rc = HSA_RC(E_NOMEM);

	if (b == NULL)
		return rc;
	b->fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO)
				       : open(path, O_RDONLY | O_CLOEXEC);
	if (b->fd < 0) {
		rc = hsa_fail(diag,
		    errno == ENOENT ? HSA_RC(E_NOT_FOUND) : HSA_RC(E_IO),
		    "cannot be opened: %s", strerror(errno));
		goto out;
	}
	HSA_TRY(rc, recognize(b, diag));
	*to = b;
	b = NULL;
out:
	val_bytes_close(b);
	return rc;
}

static hsa_rc
take_gzip(
    struct val_bytes *b, size_t *got, void *p, size_t n, struct hsa_diag *diag)
{
	int r;

	if (!b->inside && inflateReset(&b->z) != Z_OK)
		return HSA_RC(E_NOMEM);
	b->inside = true;
	b->z.next_in = b->in + b->at;
	b->z.avail_in = (uInt)(b->len - b->at);
	b->z.next_out = p;
	b->z.avail_out = (uInt)n;
	r = inflate(&b->z, Z_NO_FLUSH);
	b->at = b->len - b->z.avail_in;
	*got = n - b->z.avail_out;
	if (r == Z_STREAM_END)
		b->inside = false;
	else if (r != Z_OK && r != Z_BUF_ERROR)
		return hsa_fail(diag, HSA_RC(E_IO),
		    "gzip stream is damaged: %s",
		    b->z.msg == NULL ? "bad data" : b->z.msg);
	return HSA_OK;
}

static hsa_rc
take_zstd(
    struct val_bytes *b, size_t *got, void *p, size_t n, struct hsa_diag *diag)
{
	ZSTD_inBuffer in = {b->in, b->len, b->at};
	ZSTD_outBuffer out = {p, n, 0};
	size_t r = ZSTD_decompressStream(b->zstd, &out, &in);

	if (ZSTD_isError(r))
		return hsa_fail(diag, HSA_RC(E_IO),
		    "zstd stream is damaged: %s", ZSTD_getErrorName(r));
	b->at = in.pos;
	*got = out.pos;
	b->inside = r != 0;
	return HSA_OK;
}

hsa_rc
val_bytes_read(
    struct val_bytes *b, size_t *got, void *p, size_t n, struct hsa_diag *diag)
{
	hsa_rc rc = HSA_OK;

	if (n > 1u << 30)
		n = 1u << 30; /* what zlib counts with */
	for (*got = 0; *got == 0;) {
		if (b->at == b->len && !b->end)
			HSA_TRY(rc, fill(b, diag));
		if (b->at == b->len && b->end && !b->inside)
			break;
		if (b->coding == PLAIN) {
			*got = b->len - b->at < n ? b->len - b->at : n;
			memcpy(p, b->in + b->at, *got);
			b->at += *got;
			continue;
		}
		HSA_TRY(rc, b->coding == GZIP ? take_gzip(b, got, p, n, diag)
					      : take_zstd(b, got, p, n, diag));
		if (*got == 0 && b->at == b->len && b->end && b->inside)
			return hsa_fail(diag, HSA_RC(E_IO),
			    "compressed stream ends too early");
	}
out:
	return rc;
}

void
val_bytes_close(struct val_bytes *b)
{
	if (b == NULL)
		return;
	if (b->fd >= 0)
		(void)close(b->fd);
	if (b->z_open)
		(void)inflateEnd(&b->z);
	(void)ZSTD_freeDStream(b->zstd);
	free(b);
}
