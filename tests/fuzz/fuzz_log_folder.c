/* Covers: vfy_log vfy_follow_next vfy_store_open vfy_find vfy_scan_record */
/*
 * A folder of files, read by everything that reads one. Input: files one
 * after the other, each as selector, length (two bytes, big-endian), bytes.
 * Selector 0: head; n: the segment whose name says n - 1 records.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hsa_cur.h"
#include "vfy_file.h"
#include "vfy_find.h"
#include "vfy_log.h"
#include "vfy_note.h"
#include "vfy_scan.h"
#include "vfy_store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Public half of the key that signed the corpus. */
static const char key_line[] =
    "cryptounit/01010101-0101-0101-0101-010101010101+"
    "93f1c415+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";

static char dir[64];

static void
clear(void)
{
	struct vfy_segments segs = {0};
	int fd;

	if (!hsa_is_ok(vfy_file_folder(&fd, dir, NULL)) ||
	    !hsa_is_ok(vfy_file_list(&segs, fd, NULL)))
		abort();
	for (size_t i = 0; i < segs.len; i++)
		(void)unlinkat(fd, segs.seg[i].name, 0);
	(void)unlinkat(fd, VFY_HEAD, 0);
	vfy_segments_free(&segs);
	(void)close(fd);
}

static void
finish(void)
{
	clear();
	(void)rmdir(dir);
}

static void
put(const char *name, const void *p, size_t n)
{
	char path[160];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, p, n) != (ssize_t)n)
		abort();
	(void)close(fd);
}

static void
unpack(const uint8_t *data, size_t size)
{
	struct hsa_cur c = hsa_cur_of(data, size);
	char name[VFY_NAME_MAX];
	const uint8_t *p;
	uint8_t select;
	uint16_t n;

	while (hsa_is_ok(hsa_cur_u8(&c, &select)) &&
	       hsa_is_ok(hsa_cur_be16(&c, &n)) &&
	       hsa_is_ok(hsa_cur_bytes(&c, &p, n))) {
		(void)snprintf(name, sizeof(name), "head");
		if (select != 0)
			vfy_file_name(name, select - 1u);
		put(name, p, n);
	}
}

static hsa_rc
on_record(void *ctx, const struct hsa_record *r, const uint8_t *raw, size_t n)
{
	struct vfy_seen seen;
	const char *why;

	(void)ctx;
	if (!hsa_is_ok(vfy_scan_record(&seen, &why, raw, n)) ||
	    seen.sequence != r->sequence)
		abort();
	return HSA_OK;
}

static uint64_t
follow(void)
{
	struct vfy_follow *f = NULL;
	struct hsa_record r;
	uint64_t n = 0;

	if (!hsa_is_ok(vfy_follow_open(&f, dir, NULL)))
		abort();
	while (hsa_is_ok(vfy_follow_next(f, &r, 0))) {
		hsa_record_free(&r);
		n++;
	}
	vfy_follow_free(f);
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vfy_keys keys;
	struct vfy_options opt = {.keys = &keys, .on_record = on_record};
	struct vfy_store *s = NULL;
	struct hsa_diag diag = {{0}};
	struct vfy_result res, again;
	struct vfy_logs logs = {0};
	hsa_rc rc;

	if (dir[0] == '\0') {
		(void)snprintf(dir, sizeof(dir), "/dev/shm/fuzz-XXXXXX");
		if (mkdtemp(dir) == NULL ||
		    !hsa_is_ok(vfy_keys_parse(
			&keys, key_line, sizeof(key_line) - 1, &diag)))
			abort();
		(void)atexit(finish);
	}
	clear();
	unpack(data, size);
	if (!hsa_is_ok(vfy_log(&res, dir, &opt, &diag)))
		abort(); /* whatever lies there can be read */
	if (res.bad && (res.rule[0] != 'V' || res.finding[0] == '\0'))
		abort();
	if (res.sealed > res.records)
		abort();
	/* a good log is shown whole, and found to be a log */
	if (!res.bad &&
	    (follow() != res.sealed ||
		!hsa_is_ok(vfy_find(&logs, dir, &diag)) || logs.len != 1))
		abort();
	vfy_logs_free(&logs);
	if (res.bad)
		(void)follow();
	rc = vfy_store_open(&s, dir, keys.key, 0, &diag);
	if (!res.bad &&
	    (!hsa_is_ok(rc) || vfy_store_state(s)->tree.size != res.sealed))
		abort();
	vfy_store_free(s);
	/* recovery never breaks a good log */
	if (!hsa_is_ok(vfy_log(&again, dir, &opt, &diag)) ||
	    (!res.bad && again.bad))
		abort();
	return 0;
}
