/*
 * test_export_speed.c - events a second of each format, and of hsa stats, from
 * a log of EXPORT_RECORDS records: nine EP11 calls to one failed command of an
 * administrator. Prints; asserts only that all was read.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "helper_daemon.h"
#include "helper_vfy.h"
#include "hsa_call.h"
#include "hsa_codec.h"
#include "hsa_compact.h"
#include "render.h"

#define BATCH 1000u /* records between checkpoints */
#define START UINT64_C(1763807400000000000)
#define STEP_NS 20000u

static char base[64], dir[80];

static void
put_call(struct hsa_buf *b, uint64_t sequence, uint64_t number)
{
	struct hsa_compact_record c = {
	    .sequence = sequence,
	    .source_sequence = number,
	    .wall_ns = START + sequence * STEP_NS,
	    .mono_ns = sequence * STEP_NS,
	    .has_use = true,
	    .use = {.function = sequence % 3 ? HSA_FN_ENCRYPT_SINGLE
					     : HSA_FN_SIGN_SINGLE,
		.mechanism = sequence % 3 ? 0x1085 : 0x1044,
		.has_key_id = true,
		.bytes_in = 64 + sequence % 4096,
		.bytes_out = 80 + sequence % 4096,
		.duration_ns = 9000 + sequence * 7919 % 100000},
	    .compact = {.context = 2, .has_correlation_id = true},
	};
	uint8_t raw[HSA_COMPACT_MAX];

	memset(c.use.key_id, (int)(sequence % 251), sizeof(c.use.key_id));
	memcpy(c.compact.correlation_id, &sequence, sizeof(sequence));
	hsa_entry_encode_record(b, raw, hsa_compact_put(raw, &c));
}

/* What hsa says is a log; only `hsa verify` would ask for signatures. */
static bool
write_log(uint64_t records)
{
	struct hsa_buf rest = {0}, whole = {0};
	struct helper_vfy_log l;
	struct hsa_record event;
	uint64_t uses = 0;
	struct hsa_buf *b;
	bool good;

	helper_vfy_init(&l, 1);
	helper_vfy_segment(&l);
	helper_vfy_opened(&l);
	helper_vfy_start(&l);
	helper_vfy_context(&l);
	helper_vfy_event(&l);
	b = &l.file[0].b;
	if (!hsa_is_ok(hsa_record_decode(&event, l.leaf[3].p, l.leaf[3].len)))
		return false;
	for (uint64_t i = 4; i < records; i++) {
		if (i % 10 != 0) {
			put_call(b, i, ++uses);
		} else {
			hsa_buf_reset(&rest);
			hsa_buf_reset(&whole);
			event.source_sequence++;
			event.event.event_time_ns = event.wall_ns =
			    START + i * STEP_NS;
			if (!hsa_is_ok(hsa_record_encode(&rest, &event)))
				return false;
			hsa_record_seal(&whole, i, rest.p, rest.len);
			hsa_entry_encode_record(b, whole.p, whole.len);
		}
		if (i % BATCH == BATCH - 1 || i + 1 == records)
			hsa_entry_encode_checkpoint(b, "checkpoint\n", 11);
	}
	helper_vfy_write(&l, dir);
	good = hsa_is_ok(hsa_buf_rc(b));
	printf("COUNT log of %llu records, %zu bytes\n",
	    (unsigned long long)records, b->len);
	hsa_record_free(&event);
	hsa_buf_free(&rest);
	hsa_buf_free(&whole);
	helper_vfy_free(&l);
	return good;
}

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool
measure(const struct cmd *c, const char *format, uint64_t records)
{
	char name[16];
	char *argv[] = {(char[]){"hsa"}, (char[]){"-o"}, name, dir, NULL};
	double start = now(), took;
	int status = 1;
	pid_t pid;

	(void)snprintf(name, sizeof(name), "%s", format == NULL ? "" : format);
	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int fd = open("/dev/null", O_WRONLY);

		if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0)
			_exit(99);
		if (format == NULL) {
			argv[1] = dir;
			argv[2] = NULL;
		}
		exit(c->run(format == NULL ? 2 : 4, argv));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		return false;
	took = now() - start;
	printf("COUNT %-9s %8.0f events/s\n", format == NULL ? "stats" : format,
	    (double)records / took);
	return true;
}

int
main(void)
{
	uint64_t records = hd_env("EXPORT_RECORDS", 20000);
	const struct render *f = NULL;
	bool good;

	helper_vfy_tmpdir(base);
	(void)snprintf(dir, sizeof(dir), "%s/log", base);
	good = write_log(records) && measure(&cmd_stats, NULL, records);
	while (good && (f = render_next(f)) != NULL)
		good = measure(&cmd_tail, f->name, records);
	helper_vfy_rmdir(base);
	return good ? 0 : 1;
}
