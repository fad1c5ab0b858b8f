/* Whether a ring is missed that is gone, or not the one that it should be. */
#include <setjmp.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "cu_clock.h"
#include "helper_proto.h"
#include "helper_slog.h"
#include "slog_impl.h"

static struct helper_slog h;
static char ring[96], mark[96];

static int
setup(void **state)
{
	(void)state;
	helper_slog_init(&h);
	(void)snprintf(ring, sizeof(ring), "%s/ring", h.base);
	(void)snprintf(mark, sizeof(mark), "%s/mark", h.base);
	h.cfg.clock = &cu_clock_system;
	h.cfg.ring = ring;
	h.cfg.ring_mark = mark;
	assert_ok(
	    hsa_uuid_parse(h.cfg.unit_id, strchr(HELPER_ORIGIN, '/') + 1));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	helper_slog_free(&h);
	return 0;
}

/* A process that puts n calls into the log and kills itself. */
static void
killed(uint32_t n, bool marked)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		struct slog *l = helper_slog_open(&h);
		struct cu_sink sink = slog_sink(l);
		struct cu_sink_call c = {.function = 1, .duration_ns = 1};
		struct hsa_record r = {0};
		struct hsa_buf b = {0};

		hp_context(&r);
		memcpy(r.unit_id, h.cfg.unit_id, sizeof(r.unit_id));
		r.epoch = 1;
		r.wall_ns = r.mono_ns = r.source_sequence = 0;
		if (marked && !hsa_is_ok(slog_ring_mark(l, NULL)))
			_exit(1);
		if (!hsa_is_ok(hsa_record_encode(&b, &r)) ||
		    !hsa_is_ok(
			sink.ops->context(sink.ctx, &c.context, b.p, b.len)))
			_exit(1);
		c.start_ns = cu_clock_system.mono_ns(cu_clock_system.ctx);
		for (uint32_t i = 0; i < n; i++)
			if (!hsa_is_ok(sink.ops->call(sink.ctx, &c, true, 100)))
				_exit(1);
		(void)kill(getpid(), SIGKILL);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

static struct slog_ring_status
status(struct slog *l)
{
	struct slog_ring_status st;

	slog_ring_status(l, &st);
	return st;
}

static void
copy(const char *to, const char *from)
{
	char path[128];
	struct hsa_buf b = {0};

	helper_file_read(&b, h.base, from);
	helper_file_write(h.base, to, b.p, b.len);
	(void)snprintf(path, sizeof(path), "%s/%s", h.base, to);
	assert_int_equal(chmod(path, 0600), 0);
	hsa_buf_free(&b);
}

static void
test_slog_mark__a_ring_that_is_gone_is_lost_until_that_is_told(void **state)
{
	struct slog_ring_status st;
	struct slog *l;

	(void)state;
	killed(3, true);
	assert_int_equal(unlink(ring), 0);
	/* however often nobody comes to tell it, by a kill or an error */
	for (int i = 0; i < 3; i++) {
		killed(i == 1 ? 2 : 0, i == 1);
		l = helper_slog_open(&h);
		st = status(l);
		assert_true(st.lost);
		assert_int_equal(st.lost_epoch, 1);
		assert_non_null(strstr(st.lost_why, "gone"));
		slog_close(l);
		assert_int_equal(access(mark, F_OK), 0);
	}
	l = helper_slog_open(&h);
	assert_true(status(l).lost);
	assert_ok(slog_ring_lost_told(l, NULL));
	assert_false(status(l).lost);
	slog_close(l);
	assert_int_equal(access(mark, F_OK), -1);
	l = helper_slog_open(&h);
	assert_false(status(l).lost);
	slog_close(l);
}

static void
test_slog_mark__nothing_is_lost_where_nothing_can_be(void **state)
{
	struct slog *l;

	(void)state;
	/* the ring is there */
	killed(3, true);
	l = helper_slog_open(&h);
	assert_false(status(l).lost);
	assert_int_equal(access(mark, F_OK), 0);
	slog_close(l);
	/* an end in order */
	assert_int_equal(access(mark, F_OK), -1);
	assert_int_equal(access(ring, F_OK), -1);
	l = helper_slog_open(&h);
	assert_false(status(l).lost);
	slog_close(l);
	/* each call waited for the disk */
	killed(3, false);
	assert_int_equal(unlink(ring), 0);
	l = helper_slog_open(&h);
	assert_false(status(l).lost);
	slog_close(l);
}

/* It may be configured elsewhere by now, or not at all. */
static void
test_slog_mark__the_ring_that_is_named_is_the_one_that_is_opened(void **state)
{
	char other[112];
	struct slog *l;

	(void)state;
	killed(3, true);
	(void)snprintf(other, sizeof(other), "%s/other", h.base);
	h.cfg.ring = other;
	l = helper_slog_open(&h);
	assert_true(status(l).found);
	assert_int_equal(access(other, F_OK), -1);
	slog_close(l);
	l = helper_slog_open(&h);
	assert_false(status(l).found);
	assert_int_equal(access(other, F_OK), 0);
	slog_close(l);
	h.cfg.ring = ring;
	killed(3, true);
	h.cfg.ring = NULL;
	l = helper_slog_open(&h);
	assert_true(status(l).found);
	slog_close(l);
	assert_int_equal(access(ring, F_OK), -1);
	assert_int_equal(access(mark, F_OK), -1);
}

static void
aside(const char *name, const char *has)
{
	struct slog *l = helper_slog_open(&h);
	struct slog_ring_status st = status(l);
	struct hsa_buf b = {0};

	assert_true(st.lost);
	assert_false(st.found);
	assert_non_null(strstr(st.lost_why, "set aside"));
	helper_file_read(&b, h.base, name);
	assert_non_null(memmem(b.p, b.len, has, strlen(has)));
	hsa_buf_free(&b);
	assert_ok(slog_ring_lost_told(l, NULL));
	slog_close(l);
	l = helper_slog_open(&h);
	assert_false(status(l).lost);
	slog_close(l);
}

static void
test_slog_mark__a_ring_that_is_not_this_log_s_is_set_aside(void **state)
{
	struct slog *l;

	(void)state;
	/* no ring at all */
	slog_close(helper_slog_open(&h));
	helper_file_write(h.base, "ring", "something else", 14);
	assert_int_equal(chmod(ring, 0600), 0);
	aside("ring.aside-1", "something else");
	/* another unit's, while this one's is missed */
	killed(3, true);
	copy("mine", "ring");
	{
		int fd = open(ring, O_WRONLY);

		assert_true(fd >= 0);
		assert_int_equal(pwrite(fd, "XX", 2, 24), 2);
		assert_int_equal(close(fd), 0);
	}
	aside("ring.aside-2", "XX");
	/* an older copy of its own */
	copy("ring", "mine");
	l = helper_slog_open(&h);
	slog_close(l); /* as long as nothing came behind it, it is not old */
	killed(3, true);
	copy("ring", "mine");
	aside("ring.aside-3", "cuRING1");
}

static void
test_slog_mark__a_damaged_ring_is_not(void **state)
{
	struct hsa_diag diag = {{0}};
	struct slog *l = NULL;
	uint64_t head = 0;
	int fd;

	(void)state;
	killed(3, true);
	fd = open(ring, O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, &head, sizeof(head), 128), 8);
	assert_int_equal(close(fd), 0);
	assert_rc("E_CORRUPT", slog_open(&l, &h.cfg, &diag));
	assert_int_equal(access(ring, F_OK), 0);
	/* the way out that it names; the loss shows */
	assert_non_null(strstr(diag.text, "remove it"));
	assert_int_equal(unlink(ring), 0);
	l = helper_slog_open(&h);
	assert_true(status(l).lost);
	slog_close(l);
}

static void
test_slog_mark__a_file_that_is_no_mark_is_refused(void **state)
{
	static const char *const text[] = {
	    "/x\nfound 1 y\n",
	    "/x\nlost y\n",
	    "/x\nlost 1",
	};
	struct hsa_diag diag = {{0}};
	struct slog *l = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		helper_file_write(h.base, "mark", text[i], strlen(text[i]));
		assert_int_equal(chmod(mark, 0600), 0);
		assert_rc("E_CORRUPT", slog_open(&l, &h.cfg, &diag));
		assert_non_null(strstr(diag.text, mark));
	}
	helper_file_write(h.base, "mark", "/x\n", 3);
	assert_int_equal(chmod(mark, 0644), 0);
	assert_rc("E_CORRUPT", slog_open(&l, &h.cfg, &diag));
	assert_int_equal(unlink(mark), 0);
	assert_int_equal(symlink("/etc/hostname", mark), 0);
	assert_rc("E_CORRUPT", slog_open(&l, &h.cfg, &diag));
	assert_null(l);
	/* as a version before this one wrote it */
	assert_int_equal(unlink(mark), 0);
	helper_file_write(h.base, "mark", "/nowhere/x", 10);
	assert_int_equal(chmod(mark, 0600), 0);
	l = helper_slog_open(&h);
	assert_true(status(l).lost);
	slog_close(l);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(
		test_slog_mark__a_ring_that_is_gone_is_lost_until_that_is_told),
	    CASE(test_slog_mark__nothing_is_lost_where_nothing_can_be),
	    CASE(
		test_slog_mark__the_ring_that_is_named_is_the_one_that_is_opened),
	    CASE(test_slog_mark__a_ring_that_is_not_this_log_s_is_set_aside),
	    CASE(test_slog_mark__a_damaged_ring_is_not),
	    CASE(test_slog_mark__a_file_that_is_no_mark_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
