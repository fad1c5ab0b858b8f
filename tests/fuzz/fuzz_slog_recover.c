/* Covers: slog_scan_next slog_recover slog_segments_list */
/*
 * The input is the files of a log folder: per file its kind (0: head, else the
 * first sequence), two bytes of length, big-endian, and the content. A folder
 * that recovers must recover again, unchanged and without a cut.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "slog_impl.h"

#define FILES 4
#define ROOM 70000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct file {
	char name[SLOG_NAME_LEN];
	uint8_t p[ROOM];
	size_t n;
} files[FILES + 1]; /* one more: a head that recovery writes */

static int
mem_list(void *ctx, int dir, slog_os_each *each, void *arg)
{
	int e = 0;

	(void)ctx;
	(void)dir;
	for (size_t i = 0; e >= 0 && i <= FILES; i++)
		if (files[i].name[0] != '\0')
			e = each(arg, files[i].name);
	return e;
}

static int
mem_open(void *ctx, int *fd, int dir, const char *name, int flags)
{
	(void)ctx;
	(void)dir;
	for (int i = 0; i <= FILES; i++)
		if (strcmp(files[i].name, name) == 0) {
			*fd = i;
			return 0;
		}
	if (!(flags & O_CREAT))
		return -ENOENT;
	for (int i = 0; i <= FILES; i++)
		if (files[i].name[0] == '\0') {
			(void)snprintf(
			    files[i].name, sizeof(files[i].name), "%s", name);
			files[i].n = 0;
			*fd = i;
			return 0;
		}
	return -ENOSPC;
}

static int
mem_size(void *ctx, uint64_t *n, int fd)
{
	(void)ctx;
	*n = files[fd].n;
	return 0;
}

static int
mem_stat(void *ctx, struct slog_os_stat *st, int fd)
{
	(void)ctx;
	*st = (struct slog_os_stat){
	    .device = 1, .inode = (uint64_t)fd + 1, .links = 1};
	st->size = files[fd].n;
	return 0;
}

static int
mem_stat_name(void *ctx, struct slog_os_stat *st, int dir, const char *name)
{
	int fd = -1, e = mem_open(ctx, &fd, dir, name, 0);

	return e != 0 ? e : mem_stat(ctx, st, fd);
}

static ssize_t
mem_pread(void *ctx, int fd, void *p, size_t n, uint64_t at)
{
	const struct file *f = &files[fd];

	(void)ctx;
	if (at >= f->n)
		return 0;
	if (n > f->n - at)
		n = (size_t)(f->n - at);
	memcpy(p, f->p + at, n);
	return (ssize_t)n;
}

static ssize_t
mem_pwrite(void *ctx, int fd, const void *p, size_t n, uint64_t at)
{
	struct file *f = &files[fd];

	(void)ctx;
	if (at > ROOM || n > ROOM - at)
		return -ENOSPC;
	memcpy(f->p + at, p, n);
	if (at + n > f->n)
		f->n = (size_t)at + n;
	return (ssize_t)n;
}

static int
mem_sync(void *ctx, int fd)
{
	(void)ctx;
	(void)fd;
	return 0;
}

static int
mem_truncate(void *ctx, int fd, uint64_t n)
{
	(void)ctx;
	if (n > files[fd].n) /* recovery only ever cuts */
		abort();
	files[fd].n = (size_t)n;
	return 0;
}

static int
mem_unlink(void *ctx, int dir, const char *name)
{
	(void)ctx;
	(void)dir;
	for (size_t i = 0; i <= FILES; i++)
		if (strcmp(files[i].name, name) == 0) {
			files[i].name[0] = '\0';
			return 0;
		}
	return -ENOENT;
}

static void
mem_close(void *ctx, int fd)
{
	(void)ctx;
	(void)fd;
}

static const struct slog_os mem_os = {
    .dir_list = mem_list,
    .open = mem_open,
    .size = mem_size,
    .stat = mem_stat,
    .stat_name = mem_stat_name,
    .pread = mem_pread,
    .pwrite = mem_pwrite,
    .fdatasync = mem_sync,
    .fsync = mem_sync,
    .ftruncate = mem_truncate,
    .unlink = mem_unlink,
    .close = mem_close,
};

/* The key of the corpus: public half of the Ed25519 seed 07 01 09 04 00... */
static const uint8_t public_key[32] = {0x96, 0xca, 0x5e, 0x14, 0xce, 0xfd, 0xb3,
    0xf0, 0xc4, 0x6d, 0x69, 0x68, 0x28, 0x53, 0xb3, 0x58, 0x6c, 0x01, 0x1a,
    0xc2, 0xf2, 0x9b, 0xde, 0x1a, 0xf7, 0x8c, 0x6d, 0x9a, 0xc6, 0xed, 0x83,
    0xfd};

static hsa_rc
recover(struct slog_tip *tip, struct hsa_diag *diag)
{
	struct slog l;
	hsa_rc rc;

	memset(&l, 0, sizeof(l));
	l.os = &mem_os;
	l.fd = l.head_fd = -1;
	rc = slog_key_init(&l.key,
	    "cryptounit/00010203-0405-4607-8809-0a0b0c0d0e0f", public_key);
	if (hsa_is_ok(rc))
		rc = slog_merkle_init(&l.tree);
	if (hsa_is_ok(rc))
		rc = slog_recover(&l, diag);
	*tip = l.tip;
	slog_merkle_free(&l.tree);
	slog_segments_free(&l.segments);
	hsa_buf_free(&l.note);
	return rc;
}

static void
lay(const uint8_t *data, size_t size)
{
	memset(files, 0, sizeof(files));
	for (size_t i = 0; i < FILES && size >= 3; i++) {
		size_t n = (size_t)data[1] << 8 | data[2];

		if (n > size - 3)
			n = size - 3;
		if (data[0] == 0)
			(void)snprintf(files[i].name, SLOG_NAME_LEN, "head");
		else
			slog_segment_name(files[i].name, data[0] - 1u);
		memcpy(files[i].p, data + 3, n);
		files[i].n = n;
		data += 3 + n;
		size -= 3 + n;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hsa_diag diag = {{0}};
	struct slog_tip first, second;

	lay(data, size);
	if (!hsa_is_ok(recover(&first, &diag))) {
		if (diag.text[0] == '\0') /* every refusal says why */
			abort();
		return 0;
	}
	if (!hsa_is_ok(recover(&second, &diag)) || diag.text[0] != '\0' ||
	    first.size != second.size || first.end != second.end ||
	    memcmp(first.root, second.root, sizeof(first.root)) != 0)
		abort();
	return 0;
}
