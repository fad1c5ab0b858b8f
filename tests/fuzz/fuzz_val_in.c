/* Covers: val_in_open val_in_next */
/*
 * A file of events in any shape. First byte: 0, the rest is the file; else it
 * is compressed on the way, 1 by gzip, 2 by Zstandard, and must give the same
 * texts as without.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "hsa_buf.h"
#include "val_in.h"
#include "val_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int holds)
{
	if (!holds)
		abort();
}

/* What a file gives, one after the other; false: it cannot be read to its
 * end. */
static bool
texts(struct hsa_buf *to, const void *p, size_t n)
{
	char path[40];
	struct hsa_diag diag = {{0}};
	struct val_in *in = NULL;
	struct val_text t = {0};
	uint64_t line = 0;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	hsa_rc rc;

	must(fd >= 0 && write(fd, p, n) == (ssize_t)n);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	must(hsa_is_ok(val_in_open(&in, path, &diag)));
	while (hsa_is_ok(rc = val_in_next(in, &t, &diag))) {
		must(t.line >= line && t.envelope == NULL);
		must(t.n <= n + VAL_TEXT_MAX);
		line = t.line;
		hsa_buf_be64(to, line);
		hsa_buf_be64(to, t.n);
		if (t.bad != NULL)
			hsa_buf_str(to, t.bad);
		else
			hsa_buf_put(to, t.p, t.n);
	}
	must(rc.v == HSA_E_NOT_FOUND || diag.text[0] != '\0');
	val_in_close(in);
	(void)close(fd);
	must(hsa_is_ok(hsa_buf_rc(to)));
	return rc.v == HSA_E_NOT_FOUND;
}

static void
gzip(struct hsa_buf *to, const uint8_t *p, size_t n)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)p, .avail_in = (uInt)n};
	size_t room = n + n / 100 + 100;

	/* 16: a header of gzip around */
	must(deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) ==
	     Z_OK);
	z.next_out = hsa_buf_reserve(to, room);
	z.avail_out = (uInt)room;
	must(z.next_out != NULL && deflate(&z, Z_FINISH) == Z_STREAM_END);
	to->len = room - z.avail_out;
	must(deflateEnd(&z) == Z_OK);
}

static void
zstd(struct hsa_buf *to, const uint8_t *p, size_t n)
{
	size_t room = ZSTD_compressBound(n);

	must(hsa_buf_reserve(to, room) != NULL);
	to->len = ZSTD_compress(to->p, room, p, n, 1);
	must(!ZSTD_isError(to->len));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hsa_buf plain = {0}, packed = {0}, same = {0};
	bool whole;

	if (size == 0)
		return 0;
	whole = texts(&plain, data + 1, size - 1);
	if (data[0] % 3 != 0 && whole && size > 1) {
		if (data[0] % 3 == 1)
			gzip(&packed, data + 1, size - 1);
		else
			zstd(&packed, data + 1, size - 1);
		must(texts(&same, packed.p, packed.len));
		/* a file that is compressed twice is seen through once */
		if (memcmp(data + 1, "\x1f\x8b", size > 2 ? 2 : 1) != 0 &&
		    memcmp(data + 1, "\x28\xb5", size > 2 ? 2 : 1) != 0)
			must(plain.len == same.len &&
			     (plain.len == 0 ||
				 memcmp(plain.p, same.p, same.len) == 0));
	}
	hsa_buf_free(&plain);
	hsa_buf_free(&packed);
	hsa_buf_free(&same);
	return 0;
}
