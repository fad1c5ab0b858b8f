/* Covers: val_read_log */
/*
 * A folder of files as fuzz_log_folder has it - each as selector, length (two
 * bytes, big-endian), bytes; selector 0: head; n: the segment whose name says
 * n - 1 records -, and 255: checkpoint.pub. Read and validated as an input.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hsa_cur.h"
#include "val_read.h"
#include "val_run.h"
#include "vfy_file.h"
#include "vfy_log.h"
#include "vfy_note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PUB "checkpoint.pub"

/* Public half of the key that signed the corpus of fuzz_log_folder. */
static const char key_line[] =
    "cryptounit/01010101-0101-0101-0101-010101010101+"
    "93f1c415+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";

static char dir[64];

struct seen {
	struct val_run run;
	unsigned int inputs, records, bad;
};

static void
must(int holds)
{
	if (!holds)
		abort();
}

static void
clear(void)
{
	struct vfy_segments segs = {0};
	int fd = -1;

	must(hsa_is_ok(vfy_file_folder(&fd, dir, NULL)));
	must(hsa_is_ok(vfy_file_list(&segs, fd, NULL)));
	for (size_t i = 0; i < segs.len; i++)
		(void)unlinkat(fd, segs.seg[i].name, 0);
	(void)unlinkat(fd, VFY_HEAD, 0);
	(void)unlinkat(fd, PUB, 0);
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
	must(fd >= 0 && write(fd, p, n) == (ssize_t)n);
	(void)close(fd);
}

static void
unpack(const uint8_t *data, size_t size)
{
	struct hsa_cur c = hsa_cur_of(data, size);
	char name[VFY_NAME_MAX];
	const uint8_t *p = NULL;
	uint8_t select = 0;
	uint16_t n = 0;

	while (hsa_is_ok(hsa_cur_u8(&c, &select)) &&
	       hsa_is_ok(hsa_cur_be16(&c, &n)) &&
	       hsa_is_ok(hsa_cur_bytes(&c, &p, n))) {
		(void)snprintf(
		    name, sizeof(name), "%s", select == 0 ? VFY_HEAD : PUB);
		if (select != 0 && select != 255)
			vfy_file_name(name, select - 1u);
		put(name, p, n);
	}
}

static void
take(void *ctx, const struct val_finding *f)
{
	(void)ctx;
	must(f->message[0] != '\0');
}

static hsa_rc
on_input(void *ctx, const char *name)
{
	struct seen *s = ctx;

	must(strcmp(name, dir) == 0);
	s->inputs++;
	val_across_input(&s->run.across);
	return HSA_OK;
}

static hsa_rc
on_text(void *ctx, const struct val_text *t)
{
	struct seen *s = ctx;

	must(t->envelope != NULL && t->bad == NULL);
	s->records++;
	return val_run_take(&s->run, t);
}

static void
on_bad(void *ctx, const char *name, const char *why)
{
	struct seen *s = ctx;

	must(strcmp(name, dir) == 0 && why[0] != '\0');
	s->bad++;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen s = {
	    .run = {
		.cfg = {.profile = VAL_UNIT, .strict = true, .across = true}}};
	const struct val_taker taker = {on_input, on_text, on_bad, &s};
	static struct vfy_keys keys;
	struct vfy_options opt = {.keys = &keys};
	struct hsa_diag diag = {{0}};
	struct vfy_result res;

	if (dir[0] == '\0') {
		(void)snprintf(dir, sizeof(dir), "/dev/shm/fuzz-XXXXXX");
		must(mkdtemp(dir) != NULL &&
		     hsa_is_ok(vfy_keys_parse(
			 &keys, key_line, sizeof(key_line) - 1, &diag)));
		(void)atexit(finish);
	}
	clear();
	unpack(data, size);
	s.run.report.take = take;
	/* with the key files that lie there, if any */
	must(hsa_is_ok(val_read_log(dir, NULL, 0, &taker)));
	must(s.inputs <= 1 && s.bad <= 1 && s.inputs + s.bad >= 1);
	/* and with our own: what hsa verify takes is read whole */
	s.inputs = s.records = s.bad = 0;
	must(hsa_is_ok(val_read_log(dir, &keys, 0, &taker)));
	if (hsa_is_ok(vfy_log(&res, dir, &opt, &diag)) && s.inputs == 1) {
		must(s.bad == res.bad);
		must(res.bad || s.records == res.records - res.first);
	}
	val_run_free(&s.run);
	return 0;
}
