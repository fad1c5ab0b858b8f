#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "helper_vfy.h"
#include "helper_vfy_run.h"
#include "vfy_log.h"

/* A real collector in a child process, and scripted units on its socket. */
static char base[64], sock[96], address[104], out[80], keyfile[80], errors[80],
    events[80];
static struct helper_vfy_log a, b;

static int
setup(void **state)
{
	struct hsa_buf f = {0};

	(void)state;
	helper_vfy_tmpdir(base);
	(void)snprintf(sock, sizeof(sock), "%s/s", base);
	(void)snprintf(address, sizeof(address), "unix:%s", sock);
	(void)snprintf(out, sizeof(out), "%s/out", base);
	(void)snprintf(keyfile, sizeof(keyfile), "%s/checkpoint.pub", base);
	(void)snprintf(errors, sizeof(errors), "%s/stderr", base);
	(void)snprintf(events, sizeof(events), "%s/events", base);
	helper_vfy_init(&a, 1);
	helper_vfy_init(&b, 2);
	hsa_buf_printf(&f, "%s%s", a.key_line, b.key_line);
	helper_vfy_put_file(base, "checkpoint.pub", f.p, f.len);
	hsa_buf_free(&f);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	helper_vfy_free(&a);
	helper_vfy_free(&b);
	helper_vfy_rmdir(base);
	return 0;
}

static pid_t
start(void)
{
	const char *const args[] = {"collect", "--listen", address, "--out",
	    out, "--key", keyfile, "--events", events, NULL};

	return helper_vfy_spawn(cmd_collect.run, args, "ready", errors);
}

/* ---- a scripted unit ----------------------------------------------------- */

static int
dial(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	const struct timeval limit = {20, 0};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	(void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", sock);
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0) {
		(void)close(fd);
		return -1;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

static bool
say_bytes(int fd, const void *p, size_t n)
{
	const uint8_t *at = p;

	while (n > 0) {
		ssize_t w = send(fd, at, n, MSG_NOSIGNAL);

		if (w <= 0)
			return false;
		at += w;
		n -= (size_t)w;
	}
	return true;
}

static bool
say(int fd, const struct hsa_frame *f)
{
	struct hsa_buf frame = {0};
	bool good;

	assert_int_equal(hsa_frame_encode(&frame, f).v, 0);
	good = say_bytes(fd, frame.p, frame.len);
	hsa_buf_free(&frame);
	return good;
}

/* The next frame; false when the collector is gone. */
static bool
hear(int fd, struct hsa_frame *f)
{
	uint8_t part[HSA_NOTE_MAX];
	size_t n = 0, used;
	hsa_rc rc;

	for (;;) {
		*f = (struct hsa_frame){0};
		rc = hsa_frame_decode(f, &used, part, n);
		if (hsa_is_ok(rc))
			return true;
		assert_int_equal(rc.v, HSA_E_TRUNCATED);
		assert_true(n < sizeof(part));
		/* one byte at a time: never into the next frame */
		if (recv(fd, part + n, 1, 0) != 1)
			return false;
		n++;
	}
}

static bool
hello(int fd, const struct helper_vfy_log *l, uint64_t *next)
{
	struct hsa_frame f = {
	    .kind = HSA_FRAME_HELLO, .epoch = 1, .sequence = l->n};

	memcpy(f.unit_id, l->unit_id, 16);
	(void)snprintf(f.origin, sizeof(f.origin), "%s", l->origin);
	if (!say(fd, &f) || !hear(fd, &f))
		return false;
	assert_int_equal(f.kind, HSA_FRAME_RESUME);
	*next = f.sequence;
	hsa_frame_free(&f);
	return true;
}

static bool
batch(int fd, const struct helper_vfy_log *l, size_t from, size_t to)
{
	struct hsa_slice s[64];
	struct hsa_frame f = {.kind = HSA_FRAME_RECORDS,
	    .sequence = from,
	    .record = s,
	    .record_len = to - from};
	struct hsa_frame c = {.kind = HSA_FRAME_CHECKPOINT};
	struct hsa_buf note = {0};
	uint8_t root[32];
	bool good;

	for (size_t i = from; i < to; i++)
		s[i - from] = (struct hsa_slice){l->leaf[i].p, l->leaf[i].len};
	helper_vfy_root(root, l, to);
	helper_vfy_note(&note, l->origin, to, root, l->key);
	c.text = (char *)note.p;
	c.text_len = note.len;
	good = say(fd, &f) && say(fd, &c);
	hsa_buf_free(&note);
	return good;
}

static bool
acked(int fd, const struct helper_vfy_log *l, uint64_t *size)
{
	struct hsa_frame f;
	uint8_t root[32];

	if (!hear(fd, &f))
		return false;
	if (f.kind == HSA_FRAME_REFUSE)
		print_error("refused: %s\n", f.text);
	assert_int_equal(f.kind, HSA_FRAME_ACK);
	assert_true(f.sequence <= l->n);
	helper_vfy_root(root, l, (size_t)f.sequence);
	assert_memory_equal(root, f.root, 32);
	*size = f.sequence;
	hsa_frame_free(&f);
	return true;
}

/* From where the copy ends to the log's end, as far as the collector lives;
 * what was acknowledged. */
static uint64_t
push(const struct helper_vfy_log *l, size_t step)
{
	uint64_t next = 0, got = 0;
	int fd = dial();

	if (fd < 0)
		return 0;
	if (!hello(fd, l, &next)) {
		(void)close(fd);
		return 0;
	}
	got = next;
	while (next < l->n) {
		uint64_t to = next + step > l->n ? l->n : next + step;

		if (!batch(fd, l, (size_t)next, (size_t)to) ||
		    !acked(fd, l, &got))
			break;
		assert_int_equal(got, to);
		next = to;
	}
	(void)close(fd);
	return got;
}

/* ---- checks -------------------------------------------------------------- */

static void
copy_is(const struct helper_vfy_log *l, uint64_t size)
{
	struct vfy_keys keys = {0};
	struct vfy_options opt = {.keys = &keys};
	struct vfy_result res;
	struct hsa_diag d;
	uint8_t root[32];
	char dir[160];

	(void)snprintf(dir, sizeof(dir), "%s/%s", out, l->unit);
	assert_int_equal(vfy_keys_load(&keys, keyfile, &d).v, 0);
	assert_int_equal(vfy_log(&res, dir, &opt, &d).v, 0);
	if (res.bad)
		print_error("%s %s\n", res.rule, res.finding);
	assert_false(res.bad);
	assert_int_equal(res.sealed, size);
	helper_vfy_root(root, l, (size_t)size);
	assert_memory_equal(root, res.root, 32);
	vfy_keys_free(&keys);
}

static size_t
size_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return (size_t)st.st_size;
}

static void
test_collect__keeps_two_units_and_stops_in_order(void **state)
{
	struct stat st;
	pid_t pid;

	(void)state;
	helper_vfy_fill(&a, 30, 4, 100);
	helper_vfy_fill(&b, 17, 4, 100);
	pid = start();
	assert_int_equal(stat(sock, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(push(&a, 7), 30);
	assert_int_equal(push(&b, 3), 17);
	copy_is(&a, 30); /* while it runs */
	assert_int_equal(helper_vfy_stop(pid, SIGTERM), 0);
	assert_int_not_equal(stat(sock, &st), 0);
	copy_is(&a, 30);
	copy_is(&b, 17);
	/* again, with nothing to do, and SIGINT */
	pid = start();
	assert_int_equal(push(&a, 7), 30);
	assert_int_equal(helper_vfy_stop(pid, SIGINT), 0);
	copy_is(&a, 30);
}

static void
test_collect__one_collector_for_a_folder_and_a_socket(void **state)
{
	char other[120];
	const char *const same_out[] = {
	    "collect", "--listen", other, "--out", out, "--key", keyfile, NULL};
	const char *const same_sock[] = {"collect", "--listen", address,
	    "--out", base, "--key", keyfile, NULL};
	struct hsa_buf o = {0}, e = {0};
	pid_t pid;

	(void)state;
	(void)snprintf(other, sizeof(other), "unix:%s/other", base);
	pid = start();
	assert_int_equal(helper_vfy_run(cmd_collect.run, same_out, &o, &e), 2);
	assert_non_null(strstr(hsa_buf_cstr(&e), "another collector"));
	hsa_buf_reset(&e);
	assert_int_equal(helper_vfy_run(cmd_collect.run, same_sock, &o, &e), 2);
	assert_non_null(strstr(hsa_buf_cstr(&e), "another collector"));
	helper_vfy_fill(&a, 4, 4, 100);
	assert_int_equal(push(&a, 4), 4); /* the first one is unharmed */
	/* a killed collector's socket is in nobody's way */
	assert_int_equal(helper_vfy_stop(pid, SIGKILL), 1009);
	assert_int_equal(access(sock, F_OK), 0);
	pid = start();
	assert_int_equal(push(&a, 4), 4);
	assert_int_equal(helper_vfy_stop(pid, SIGTERM), 0);
	/* but what is no socket stays */
	helper_vfy_put_file(base, "s", "keep", 4);
	hsa_buf_reset(&e);
	assert_int_equal(helper_vfy_run(cmd_collect.run, same_sock, &o, &e), 2);
	assert_int_equal(size_of(sock), 4);
	hsa_buf_free(&o);
	hsa_buf_free(&e);
}

static void
test_collect__a_socket_path_of_any_length(void **state)
{
	char dir[400], listen[420];
	const char *const args[] = {"collect", "--listen", listen, "--out", out,
	    "--key", keyfile, NULL};
	pid_t pid;

	(void)state;
	(void)snprintf(dir, sizeof(dir), "%s/%0150d", base, 1);
	assert_int_equal(mkdir(dir, 0700), 0);
	(void)snprintf(listen, sizeof(listen), "unix:%s/s", dir);
	pid = helper_vfy_spawn(cmd_collect.run, args, "ready", errors);
	assert_int_equal(access(listen + 5, F_OK), 0);
	assert_int_equal(helper_vfy_stop(pid, SIGTERM), 0);
}

static void
test_collect__hostile_peers_do_not_harm_others(void **state)
{
	static const uint8_t half[] = {0x80, 0x80, 0x04, 10};
	int idle[20], fd;
	struct hsa_frame f;
	uint64_t next;
	pid_t pid;

	(void)state;
	helper_vfy_fill(&a, 30, 4, 100);
	pid = start();
	for (int i = 0; i < 20; i++) {
		idle[i] = dial();
		assert_true(idle[i] >= 0);
		if (i % 2 == 0)
			assert_true(say_bytes(idle[i], half, sizeof(half)));
	}
	for (int i = 0; i < 20; i++) {
		struct hsa_buf junk = {0};

		fd = dial();
		assert_true(fd >= 0);
		for (int k = 0; k < 300; k++)
			hsa_buf_u8(&junk, (uint8_t)(k * 7 + i * 31));
		(void)say_bytes(fd, junk.p, junk.len);
		if (i % 2 == 0 && hear(fd, &f)) {
			assert_int_equal(f.kind, HSA_FRAME_REFUSE);
			hsa_frame_free(&f);
		}
		(void)close(fd);
		hsa_buf_free(&junk);
		/* one that leaves in the middle of a batch */
		fd = dial();
		assert_true(hello(fd, &a, &next));
		(void)batch(fd, &a, (size_t)next,
		    (size_t)next + 1 > a.n ? a.n - 1 : (size_t)next + 1);
		(void)close(fd);
	}
	assert_int_equal(push(&a, 6), 30);
	for (int i = 0; i < 20; i++)
		(void)close(idle[i]);
	assert_int_equal(helper_vfy_stop(pid, SIGTERM), 0);
	copy_is(&a, 30);
}

struct killer {
	pid_t pid;
	long ns;
};

static void *
kill_later(void *arg)
{
	const struct killer *k = arg;
	const struct timespec t = {0, k->ns};

	(void)nanosleep(&t, NULL);
	(void)kill(k->pid, SIGKILL);
	return NULL;
}

static size_t
count_lines(const char *path)
{
	FILE *f = fopen(path, "r");
	size_t n = 0;
	int c;

	assert_non_null(f);
	while ((c = fgetc(f)) != EOF)
		n += c == '\n';
	(void)fclose(f);
	return n;
}

static void
test_collect__killed_fifty_times_the_copy_is_the_source(void **state)
{
	uint64_t acked_before = 0, got, seen_events = 0;
	unsigned int x = 99, in_time = 0;
	struct killer k;
	pthread_t t;

	(void)state;
	helper_vfy_segment(&a);
	helper_vfy_start(&a);
	for (int i = 1; i < 1200; i++) {
		if (i % 3 == 0) {
			helper_vfy_event(&a);
			seen_events++;
		} else
			helper_vfy_special(&a);
	}
	for (int round = 0; round < 50; round++) {
		k.pid = start();
		x = x * 1664525u + 1013904223u;
		k.ns = (long)(x >> 8) % 25000000;
		assert_int_equal(pthread_create(&t, NULL, kill_later, &k), 0);
		got = push(&a, 1 + (size_t)round % 5);
		assert_int_equal(pthread_join(t, NULL), 0);
		assert_int_equal(helper_vfy_stop(k.pid, SIGKILL), 1009);
		/* an acknowledgement is a promise */
		if (got != 0)
			assert_true(got >= acked_before);
		if (got > acked_before)
			acked_before = got;
		in_time += got > 0 && got < a.n;
	}
	print_message("acknowledged under fire: %u of %zu, %u rounds cut\n",
	    (unsigned int)acked_before, a.n, in_time);
	assert_true(in_time >= 5); /* else nothing was tested */
	k.pid = start();
	assert_int_equal(push(&a, 40), a.n);
	assert_int_equal(helper_vfy_stop(k.pid, SIGTERM), 0);
	copy_is(&a, a.n);
	/* each once, over all kills */
	assert_int_equal(count_lines(events), seen_events);
}

static void
test_collect__stops_after_so_many_records(void **state)
{
	const char *const args[] = {"collect", "--listen", address, "--out",
	    out, "--key", keyfile, "--once", "8", "--quiet", NULL};
	int status;
	pid_t pid;

	(void)state;
	helper_vfy_fill(&a, 8, 4, 100);
	pid = helper_vfy_spawn(cmd_collect.run, args, "ready", errors);
	assert_int_equal(push(&a, 4), 8);
	status = helper_vfy_stop(pid, 0);
	assert_int_equal(status, 0);
	copy_is(&a, 8);
	assert_int_equal(size_of(errors), 0);
}

static void
test_collect__a_damaged_copy_stops_its_own_unit_only(void **state)
{
	struct hsa_frame f = {.kind = HSA_FRAME_HELLO, .epoch = 1};
	char path[256];
	pid_t pid;
	int fd;

	(void)state;
	helper_vfy_fill(&a, 8, 4, 100);
	helper_vfy_fill(&b, 8, 4, 100);
	pid = start();
	assert_int_equal(push(&a, 4), 8);
	assert_int_equal(helper_vfy_stop(pid, SIGTERM), 0);
	(void)snprintf(
	    path, sizeof(path), "%s/%s/%s", out, a.unit, a.file[0].name);
	assert_int_equal(truncate(path, 400), 0);
	pid = start();
	fd = dial();
	memcpy(f.unit_id, a.unit_id, 16);
	(void)snprintf(f.origin, sizeof(f.origin), "%s", a.origin);
	assert_true(say(fd, &f));
	assert_true(hear(fd, &f));
	assert_int_equal(f.kind, HSA_FRAME_REFUSE);
	assert_non_null(strstr(f.text, "hsa verify"));
	hsa_frame_free(&f);
	(void)close(fd);
	assert_int_equal(push(&b, 4), 8);
	assert_int_equal(helper_vfy_stop(pid, SIGTERM), 0);
	copy_is(&b, 8);
	assert_int_equal(size_of(path), 400); /* evidence is not touched */
}

/* ---- a unit that refuses work ----------------------------------------------
 */

static void
health(int fd, uint32_t status, const char *text, uint64_t lost)
{
	struct hsa_frame f = {.kind = HSA_FRAME_HEALTH,
	    .status = status,
	    .sequence = lost,
	    .text = (char *)(uintptr_t)text,
	    .text_len = strlen(text)};

	assert_true(say(fd, &f));
}

static unsigned int
times_said(const char *what)
{
	char said[8192];
	unsigned int n = 0;
	const char *at = said;
	FILE *f = fopen(errors, "r");

	assert_non_null(f);
	said[fread(said, 1, sizeof(said) - 1, f)] = '\0';
	(void)fclose(f);
	while ((at = strstr(at, what)) != NULL) {
		n++;
		at++;
	}
	return n;
}

/* C9: who watches the collector hears of it at once, and that it is over; the
 * records go on as before. */
static void
test_collect__says_that_a_unit_refuses_work_and_works_again(void **state)
{
	char line[300];
	uint64_t next = 9, got = 0;
	pid_t pid;
	int fd;

	(void)state;
	helper_vfy_fill(&a, 12, 4, 100);
	pid = start();
	fd = dial();
	assert_true(hello(fd, &a, &next));
	health(fd, 507, "the log has reached its limit", 12);
	assert_true(batch(fd, &a, 0, 6));
	assert_true(acked(fd, &a, &got));
	assert_int_equal(got, 6);
	/* an Ack is behind what was said before it */
	(void)snprintf(line, sizeof(line),
	    "hsa collect: %s: the unit refuses work (507): the log has reached "
	    "its limit; 12 calls refused without a record\n",
	    a.unit);
	assert_int_equal(times_said(line), 1);
	assert_int_equal(times_said("works again"), 0);
	health(fd, 0, "", 12);
	assert_true(batch(fd, &a, 6, 9));
	assert_true(acked(fd, &a, &got));
	/* for another reason, whose words are not for a terminal */
	health(fd, 503, "self-test\x1b[2J\r\nhsa collect: all is well", 13);
	assert_true(batch(fd, &a, 9, 12));
	assert_true(acked(fd, &a, &got));
	assert_int_equal(got, 12);
	(void)snprintf(line, sizeof(line),
	    "hsa collect: %s: the unit works again\n", a.unit);
	assert_int_equal(times_said(line), 1);
	assert_int_equal(times_said("refuses work (507)"), 1);
	assert_int_equal(times_said("refuses work (503): self-test"), 1);
	assert_int_equal(times_said("; 13 calls refused without a record"), 1);
	assert_int_equal(times_said("\x1b"), 0);
	assert_int_equal(times_said("\nhsa collect: all is well"), 0);
	/* nothing is due for it: what comes next is the end */
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_false(hear(fd, &(struct hsa_frame){0}));
	(void)close(fd);
	assert_int_equal(helper_vfy_stop(pid, SIGTERM), 0);
	copy_is(&a, 12);
}

/* Before it has said which unit it is, nobody's health is taken. */
static void
test_collect__takes_no_health_of_a_stranger(void **state)
{
	struct hsa_frame f;
	pid_t pid;
	int fd;

	(void)state;
	pid = start();
	fd = dial();
	health(fd, 507, "full", 1);
	assert_true(hear(fd, &f));
	assert_int_equal(f.kind, HSA_FRAME_REFUSE);
	assert_non_null(strstr(f.text, "Hello"));
	hsa_frame_free(&f);
	(void)close(fd);
	assert_int_equal(helper_vfy_stop(pid, SIGTERM), 0);
	assert_int_equal(times_said("refuses work"), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_collect__keeps_two_units_and_stops_in_order),
	    CASE(test_collect__one_collector_for_a_folder_and_a_socket),
	    CASE(test_collect__a_socket_path_of_any_length),
	    CASE(test_collect__hostile_peers_do_not_harm_others),
	    CASE(test_collect__killed_fifty_times_the_copy_is_the_source),
	    CASE(test_collect__stops_after_so_many_records),
	    CASE(test_collect__a_damaged_copy_stops_its_own_unit_only),
	    CASE(test_collect__says_that_a_unit_refuses_work_and_works_again),
	    CASE(test_collect__takes_no_health_of_a_stranger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
