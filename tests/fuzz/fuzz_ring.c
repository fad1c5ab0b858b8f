/* Covers: slog_ring_open slog_ring_next slog_ring_context */
/*
 * A ring as a killed process left it, with damage on top. The input is a list
 * of patches: where (0 header, 1 context, 2 slot, 3 the file ends there), an
 * index, an offset, a length up to 16, and the bytes. Whatever is in the file,
 * opening says why it refuses, or all that comes out lies inside of it, and the
 * ring works from there on.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hsa_buf.h"
#include "slog_ring.h"

#define SLOTS SLOG_RING_SLOTS_MIN
#define HEADER 4096u
#define CONTEXT 4096u
#define FILE_BYTES                                                             \
	(HEADER + SLOG_RING_CONTEXTS * CONTEXT + SLOTS * SLOG_RING_SLOT)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[64];
static struct slog_ring_config cfg;
static uint8_t good[FILE_BYTES], file[FILE_BYTES];

static void
must(int holds)
{
	if (!holds)
		abort();
}

static void
gone(void)
{
	(void)unlink(path);
}

static void
leave(struct slog_ring *r, size_t n, int publish)
{
	static const uint8_t rec[5000];
	struct slog_ring_place p;

	must(hsa_is_ok(slog_ring_reserve(r, &p, n, 0)));
	slog_ring_fill(r, &p, rec);
	if (publish)
		slog_ring_publish(r, &p, 1);
}

/* Contexts, records of one slot and of several, and places never published. */
static void
build(void)
{
	enum slog_ring_found found;
	struct slog_ring *r = NULL;
	uint32_t h;
	FILE *f;

	(void)snprintf(
	    path, sizeof(path), "/dev/shm/fuzz-ring-%d", (int)getpid());
	(void)unlink(path);
	must(atexit(gone) == 0);
	cfg.path = path;
	cfg.slots = SLOTS;
	cfg.base = SLOTS - 3; /* over the end of the file's slots */
	must(hsa_is_ok(slog_ring_open(&r, &found, &cfg, NULL)));
	must(hsa_is_ok(slog_ring_context_put(r, &h, "one", 3)));
	must(hsa_is_ok(slog_ring_context_put(r, &h, "two", 3)));
	leave(r, 96, 1);
	leave(r, 300, 0);
	leave(r, 5000, 1);
	leave(r, 112, 1);
	leave(r, 10, 0);
	slog_ring_close(r, false);
	f = fopen(path, "r");
	must(f != NULL && fread(good, 1, FILE_BYTES, f) == FILE_BYTES);
	(void)fclose(f);
}

static size_t
damage(const uint8_t *data, size_t size)
{
	size_t end = FILE_BYTES, at, n;

	memcpy(file, good, sizeof(file));
	while (size >= 4) {
		n = data[3] & 15u;
		if (n > size - 4)
			n = size - 4;
		at = data[1] * (size_t)16 + data[2];
		if (data[0] % 4 == 1)
			at = HEADER + data[1] * (size_t)CONTEXT + data[2];
		else if (data[0] % 4 == 2)
			at = HEADER + SLOG_RING_CONTEXTS * CONTEXT +
			     (data[1] * (size_t)SLOG_RING_SLOT + data[2] +
				 (SLOTS - 8) * (size_t)SLOG_RING_SLOT) %
				 (SLOTS * SLOG_RING_SLOT);
		if (data[0] % 4 == 3)
			end = (size_t)data[1] << 13 | (size_t)data[2] << 5;
		else if (at + n <= sizeof(file))
			memcpy(file + at, data + 4, n);
		data += 4 + n;
		size -= 4 + n;
	}
	return end < sizeof(file) ? end : sizeof(file);
}

/* Every byte is looked at: it can be read. */
static void
read_all(const uint8_t *p, size_t n)
{
	static uint8_t to[SLOG_RING_RECORD_MAX];

	must(n <= sizeof(to));
	memcpy(to, p, n);
	must(memcmp(to, p, n) == 0);
}

static void
drain(struct slog_ring *r)
{
	uint64_t cursor = slog_ring_tail(r), before, generation = 0;
	struct slog_ring_item it = {0};
	const uint8_t *p = NULL;
	size_t n = 0;
	hsa_rc rc;

	for (uint32_t h = 0; h <= SLOG_RING_CONTEXTS; h++)
		if (hsa_is_ok(slog_ring_context(r, h, &generation, &p, &n))) {
			must(n != 0 && n <= SLOG_RING_CONTEXT_MAX);
			must(generation != 0);
			read_all(p, n);
		}
	for (;;) {
		before = cursor;
		rc = slog_ring_next(r, &it, &cursor, true);
		if (!hsa_is_ok(rc))
			break;
		must(it.at >= before && it.end == cursor && it.at < it.end);
		must(cursor <= slog_ring_head(r) && it.kind != 0);
		must(it.n != 0 && it.n <= SLOG_RING_RECORD_MAX);
		read_all(it.p, it.n);
	}
	if (rc.v == HSA_E_CORRUPT)
		return;
	must(rc.v == HSA_E_NOT_FOUND && cursor == slog_ring_head(r));
	slog_ring_release(r, cursor, cursor);
	leave(r, 200, 1);
	must(hsa_is_ok(slog_ring_next(r, &it, &cursor, false)));
	must(it.n == 200 && it.kind == 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hsa_diag diag = {{0}};
	enum slog_ring_found found = 0;
	struct slog_ring *r = NULL;
	size_t n;
	hsa_rc rc;
	int fd;

	if (path[0] == '\0')
		build();
	n = damage(data, size);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	must(fd >= 0 && write(fd, file, n) == (ssize_t)n && close(fd) == 0);
	rc = slog_ring_open(&r, &found, &cfg, &diag);
	if (!hsa_is_ok(rc)) {
		must(r == NULL &&
		     (rc.v == HSA_E_CORRUPT || rc.v == HSA_E_FORMAT));
		must(diag.text[0] != '\0');
		return 0;
	}
	drain(r);
	slog_ring_close(r, false);
	return 0;
}
