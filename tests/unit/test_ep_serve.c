/* test_ep_serve.c - a unit's socket, both ends, and the files beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "ep_ask.h"
#include "ep_file.h"
#include "ep_harden.h"
#include "ep_serve.h"
#include "ep_sock.h"
#include "helper_left.h"
#include "hsa_buf.h"
#include "hsa_codec.h"

static char dir[300];

static int
set_up(void **state)
{
	char base[] = "/tmp/test-ep-serve-XXXXXX";
	size_t n = 0;

	(void)state;
	if (mkdtemp(base) == NULL)
		return -1;
	helper_left(base);
	/* a path far beyond the 107 bytes of an address */
	(void)snprintf(dir, sizeof(dir), "%s/", base);
	n = strlen(dir);
	memset(dir + n, 'd', 200);
	dir[n + 200] = '\0';
	return mkdir(dir, 0700);
}

static int
tear_down(void **state)
{
	char *slash = strrchr(dir, '/');

	(void)state;
	*slash = '\0';
	ep_dir_clear(dir, true);
	return access(dir, F_OK) == 0 ? -1 : 0;
}

static const char *
in_dir(const char *name)
{
	static char path[400];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void
nap(long ms)
{
	const struct timespec t = {
	    .tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};

	(void)nanosleep(&t, NULL);
}

/* ---- a server in this process, stopped through its signal descriptor ----- */

struct server {
	pthread_t thread;
	int listener, signals;
	atomic_int calls, inside, bad;
	int slow_ms;
	char path[400];
	hsa_rc rc;
};

static hsa_rc
on_request(
    void *ctx, struct hsa_unit_reply *r, const struct hsa_unit_request *q)
{
	struct server *s = ctx;

	atomic_fetch_add(&s->inside, 1);
	atomic_fetch_add(&s->calls, 1);
	if (s->slow_ms > 0)
		nap(s->slow_ms);
	atomic_fetch_sub(&s->inside, 1);
	if (q->kind == HSA_UNIT_STATUS)
		return HSA_RC(E_STATE);
	r->kind = HSA_UNIT_ADMIN;
	r->admin.http_status = 200;
	hsa_buf_put(&r->admin.transport, q->transport.p, q->transport.len);
	return HSA_OK;
}

static void
on_bad(void *ctx, hsa_rc why)
{
	struct server *s = ctx;

	if (!hsa_is_ok(why))
		atomic_fetch_add(&s->bad, 1);
}

static void *
serve(void *arg)
{
	static const struct ep_serve_calls calls = {
	    .fn = on_request, .bad = on_bad};
	struct server *s = arg;

	s->rc = ep_serve(s->listener, s->signals, &calls, s);
	return NULL;
}

/* A signalfd would need a signal for one thread; a socket pair that yields
 * the same record does for the reader of it. */
static void
start(struct server *s, int *stop_fd)
{
	int fd[2] = {-1, -1};

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	s->signals = fd[0];
	*stop_fd = fd[1];
	(void)snprintf(s->path, sizeof(s->path), "%s", in_dir("unit.sock"));
	assert_int_equal(ep_sock_listen(&s->listener, s->path, NULL).v, 0);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void
stop(struct server *s, int stop_fd)
{
	uint8_t record[128] = {SIGTERM}; /* struct signalfd_siginfo */

	assert_int_equal(write(stop_fd, record, sizeof(record)), 128);
	assert_int_equal(pthread_join(s->thread, NULL), 0);
	assert_int_equal(s->rc.v, 0);
	assert_int_equal(atomic_load(&s->inside), 0);
	(void)close(stop_fd);
	(void)close(s->signals);
	(void)close(s->listener);
}

static void
make_request(struct hsa_unit_request *q, const char *text)
{
	*q = (struct hsa_unit_request){.kind = HSA_UNIT_ADMIN};
	assert_int_equal(hsa_uuid_new(q->caller.command_id).v, 0);
	assert_int_equal(hsa_strdup_opt(&q->caller.initiator.id, "x").v, 0);
	hsa_buf_str(&q->transport, text);
}

static void
test_ep_serve__a_request_is_answered_through_a_long_path(void **state)
{
	struct server s = {.listener = -1};
	struct hsa_unit_request q = {0}, st = {.kind = HSA_UNIT_STATUS};
	struct hsa_unit_reply r = {0};
	struct hsa_diag d = {{0}};
	struct stat sb = {0};
	int stop_fd = -1;

	(void)state;
	start(&s, &stop_fd);
	assert_int_equal(stat(s.path, &sb), 0);
	assert_true(S_ISSOCK(sb.st_mode));
	assert_int_equal(sb.st_mode & 0777, 0600);
	make_request(&q, "hello");
	assert_int_equal(ep_ask(&r, s.path, &q, 5000, &d).v, 0);
	assert_int_equal(r.kind, HSA_UNIT_ADMIN);
	assert_string_equal(hsa_buf_cstr(&r.admin.transport), "hello");
	hsa_unit_reply_free(&r);
	/* an error of the handler becomes an error reply, not silence */
	assert_int_equal(ep_ask(&r, s.path, &st, 5000, &d).v, 0);
	assert_int_equal(r.kind, HSA_UNIT_ERROR);
	assert_string_equal(r.error, hsa_err_text(HSA_RC(E_STATE)));
	hsa_unit_reply_free(&r);
	hsa_unit_request_free(&q);
	stop(&s, stop_fd);
	assert_int_equal(ep_ask(&r, s.path, &st, 1000, &d).v, HSA_E_CLOSED);
	(void)unlink(s.path);
	assert_int_equal(ep_ask(&r, s.path, &st, 1000, &d).v, HSA_E_CLOSED);
	assert_int_equal(
	    ep_ask(&r, "/nowhere/unit.sock", &st, 1000, &d).v, HSA_E_NOT_FOUND);
}

static void
test_ep_serve__requests_in_pieces_and_in_a_row_are_answered_in_order(
    void **state)
{
	struct server s = {.listener = -1};
	struct hsa_unit_request a = {0}, b = {0};
	struct hsa_unit_reply r = {0};
	struct hsa_buf out = {0}, in = {0};
	int stop_fd = -1, fd = -1;
	size_t i = 0, got = 0, used = 0;

	(void)state;
	start(&s, &stop_fd);
	make_request(&a, "first");
	make_request(&b, "second");
	assert_int_equal(hsa_unit_request_encode(&out, &a).v, 0);
	assert_int_equal(hsa_unit_request_encode(&out, &b).v, 0);
	assert_int_equal(ep_sock_connect(&fd, s.path, 1000, NULL).v, 0);
	for (i = 0; i < out.len; i++)
		assert_int_equal(
		    ep_sock_write(fd, out.p + i, 1, ep_sock_now() + 1000).v, 0);
	while (hsa_unit_reply_decode(&r, &used, in.p, in.len).v ==
	       HSA_E_TRUNCATED) {
		assert_int_equal(ep_sock_read(fd, hsa_buf_reserve(&in, 1), 1,
				     &got, ep_sock_now() + 5000)
				     .v,
		    0);
		in.len++;
	}
	assert_string_equal(hsa_buf_cstr(&r.admin.transport), "first");
	hsa_unit_reply_free(&r);
	hsa_buf_reset(&in);
	while (hsa_unit_reply_decode(&r, &used, in.p, in.len).v ==
	       HSA_E_TRUNCATED) {
		assert_int_equal(ep_sock_read(fd, hsa_buf_reserve(&in, 1), 1,
				     &got, ep_sock_now() + 5000)
				     .v,
		    0);
		in.len++;
	}
	assert_string_equal(hsa_buf_cstr(&r.admin.transport), "second");
	hsa_unit_reply_free(&r);
	(void)close(fd);
	hsa_unit_request_free(&a);
	hsa_unit_request_free(&b);
	hsa_buf_free(&in);
	hsa_buf_free(&out);
	stop(&s, stop_fd);
}

static void
test_ep_serve__garbage_ends_that_connection_only(void **state)
{
	static const char *const bad[] = {"\x03\xff\xff\xff",
	    "GET / HTTP/1.1\r\n",
	    "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"};
	struct server s = {.listener = -1};
	struct hsa_unit_request q = {0};
	struct hsa_unit_reply r = {0};
	int stop_fd = -1, fd = -1;
	char byte = 0;
	size_t i = 0, got = 0;

	(void)state;
	start(&s, &stop_fd);
	make_request(&q, "x");
	for (i = 0; i < 3; i++) {
		assert_int_equal(ep_sock_connect(&fd, s.path, 1000, NULL).v, 0);
		assert_int_equal(ep_sock_write(fd, bad[i], strlen(bad[i]),
				     ep_sock_now() + 1000)
				     .v,
		    0);
		(void)shutdown(fd, SHUT_WR);
		assert_int_equal(
		    ep_sock_read(fd, &byte, 1, &got, ep_sock_now() + 5000).v,
		    HSA_E_CLOSED);
		(void)close(fd);
		assert_int_equal(ep_ask(&r, s.path, &q, 5000, NULL).v, 0);
		hsa_unit_reply_free(&r);
	}
	assert_int_equal(atomic_load(&s.calls), 3);
	/* the second begins something that never came whole */
	assert_int_equal(atomic_load(&s.bad), 2);
	hsa_unit_request_free(&q);
	stop(&s, stop_fd);
}

static void
test_ep_serve__stopping_answers_what_is_under_way_and_ends_idle_peers(
    void **state)
{
	struct server s = {.listener = -1, .slow_ms = 300};
	struct hsa_unit_request q = {0};
	struct hsa_unit_reply r = {0};
	struct hsa_buf out = {0}, in = {0};
	int stop_fd = -1, idle = -1, busy = -1;
	uint64_t began = 0;
	size_t got = 0, used = 0;
	uint8_t room[4096] = {0};

	(void)state;
	start(&s, &stop_fd);
	make_request(&q, "late");
	assert_int_equal(hsa_unit_request_encode(&out, &q).v, 0);
	assert_int_equal(ep_sock_connect(&idle, s.path, 1000, NULL).v, 0);
	assert_int_equal(ep_sock_connect(&busy, s.path, 1000, NULL).v, 0);
	assert_int_equal(
	    ep_sock_write(busy, out.p, out.len, ep_sock_now() + 1000).v, 0);
	while (atomic_load(&s.inside) == 0)
		nap(1);
	began = ep_sock_now();
	stop(&s, stop_fd);
	assert_true(ep_sock_now() - began < 5000);
	assert_int_equal(
	    ep_sock_read(busy, room, sizeof(room), &got, ep_sock_now() + 100).v,
	    0);
	hsa_buf_put(&in, room, got);
	assert_int_equal(hsa_unit_reply_decode(&r, &used, in.p, in.len).v, 0);
	assert_string_equal(hsa_buf_cstr(&r.admin.transport), "late");
	assert_int_equal(
	    ep_sock_read(idle, room, sizeof(room), &got, ep_sock_now() + 100).v,
	    HSA_E_CLOSED);
	hsa_unit_reply_free(&r);
	hsa_unit_request_free(&q);
	hsa_buf_free(&in);
	hsa_buf_free(&out);
	(void)close(idle);
	(void)close(busy);
}

struct many {
	pthread_t t;
	struct server *s;
	int ok;
};

static void *
ask_often(void *arg)
{
	struct many *m = arg;
	char text[32] = "";
	int i = 0;

	for (i = 0; i < 20; i++) {
		struct hsa_unit_request q = {.kind = HSA_UNIT_ADMIN};
		struct hsa_unit_reply r = {0};

		(void)snprintf(text, sizeof(text), "%p/%d", (void *)m, i);
		hsa_buf_str(&q.transport, text);
		if (hsa_is_ok(hsa_strdup_opt(&q.caller.initiator.id, "x")) &&
		    hsa_is_ok(hsa_uuid_new(q.caller.command_id)) &&
		    hsa_is_ok(ep_ask(&r, m->s->path, &q, 20000, NULL)) &&
		    strcmp(hsa_buf_cstr(&r.admin.transport), text) == 0)
			m->ok++;
		hsa_unit_reply_free(&r);
		hsa_unit_request_free(&q);
	}
	return NULL;
}

static void
test_ep_serve__more_peers_than_slots_are_all_served(void **state)
{
	static struct many m[EP_SERVE_MAX + 30];
	struct server s = {.listener = -1, .slow_ms = 2};
	int stop_fd = -1;
	size_t i = 0, n = sizeof(m) / sizeof(m[0]);

	(void)state;
	start(&s, &stop_fd);
	for (i = 0; i < n; i++) {
		m[i].s = &s;
		assert_int_equal(
		    pthread_create(&m[i].t, NULL, ask_often, &m[i]), 0);
	}
	for (i = 0; i < n; i++) {
		assert_int_equal(pthread_join(m[i].t, NULL), 0);
		assert_int_equal(m[i].ok, 20);
	}
	assert_int_equal(atomic_load(&s.calls), (int)n * 20);
	stop(&s, stop_fd);
}

/* Peers who hold all places and want nothing do not keep others out; and one
 * that was shown out learns it before it can send anything. */
static void
test_ep_serve__idle_peers_make_room(void **state)
{
	struct server s = {.listener = -1};
	struct hsa_unit_request q = {.kind = HSA_UNIT_STATUS};
	struct hsa_unit_reply r = {0};
	int fd[EP_SERVE_MAX], stop_fd = -1, more[3];
	size_t i = 0, gone = 0;

	(void)state;
	start(&s, &stop_fd);
	for (i = 0; i < EP_SERVE_MAX; i++)
		assert_int_equal(
		    ep_sock_connect(&fd[i], s.path, 1000, NULL).v, 0);
	for (i = 0; i < 3; i++) {
		assert_int_equal(ep_ask(&r, s.path, &q, 20000, NULL).v, 0);
		hsa_unit_reply_free(&r);
		assert_int_equal(
		    ep_sock_connect(&more[i], s.path, 1000, NULL).v, 0);
	}
	for (i = 0; i < EP_SERVE_MAX; i++) {
		gone += ep_sock_write(fd[i], "", 1, ep_sock_now() + 1000).v ==
			HSA_E_CLOSED;
		(void)close(fd[i]);
	}
	/* one place served all three questions; each new peer took another */
	assert_true(gone >= 3 && gone <= 6);
	for (i = 0; i < 3; i++)
		(void)close(more[i]);
	stop(&s, stop_fd);
}

/* A place that came free by itself is for the peer that waits, who may take
 * its time: nobody else waits who could need it. */
static void
test_ep_serve__who_waited_for_a_place_keeps_it(void **state)
{
	struct server s = {.listener = -1};
	struct hsa_unit_request q = {0};
	struct hsa_unit_reply r = {0};
	struct hsa_buf out = {0};
	int fd[EP_SERVE_MAX], stop_fd = -1, late = -1;
	uint8_t room[4096] = {0};
	size_t i = 0, got = 0, used = 0;

	(void)state;
	start(&s, &stop_fd);
	make_request(&q, "late");
	assert_int_equal(hsa_unit_request_encode(&out, &q).v, 0);
	for (i = 0; i < EP_SERVE_MAX; i++) {
		assert_int_equal(
		    ep_sock_connect(&fd[i], s.path, 1000, NULL).v, 0);
		/* in the middle of a request: not idle */
		assert_int_equal(
		    ep_sock_write(fd[i], out.p, 1, ep_sock_now() + 1000).v, 0);
	}
	nap(100);
	assert_int_equal(ep_sock_connect(&late, s.path, 1000, NULL).v, 0);
	nap(100);
	(void)close(fd[0]);
	nap(100);
	assert_int_equal(
	    ep_sock_write(late, out.p, out.len, ep_sock_now() + 1000).v, 0);
	assert_int_equal(
	    ep_sock_read(late, room, sizeof(room), &got, ep_sock_now() + 5000)
		.v,
	    0);
	assert_int_equal(hsa_unit_reply_decode(&r, &used, room, got).v, 0);
	assert_string_equal(hsa_buf_cstr(&r.admin.transport), "late");
	for (i = 1; i < EP_SERVE_MAX; i++)
		(void)close(fd[i]);
	(void)close(late);
	hsa_unit_reply_free(&r);
	hsa_unit_request_free(&q);
	hsa_buf_free(&out);
	stop(&s, stop_fd);
}

static void
test_ep_ask__a_server_that_says_nothing_or_half_runs_into_an_error(void **state)
{
	struct hsa_unit_request q = {.kind = HSA_UNIT_STATUS};
	struct hsa_unit_reply r = {0};
	struct hsa_diag d = {{0}};
	uint64_t began = ep_sock_now();
	int fd = -1;

	(void)state;
	assert_int_equal(ep_sock_listen(&fd, in_dir("mute"), NULL).v, 0);
	assert_int_equal(
	    ep_ask(&r, in_dir("mute"), &q, 200, &d).v, HSA_E_TIMEOUT);
	assert_true(ep_sock_now() - began >= 190);
	(void)close(fd);
	assert_int_equal(
	    ep_ask(&r, in_dir("mute"), &q, 200, &d).v, HSA_E_CLOSED);
}

static void
test_ep_sock__only_a_socket_is_replaced(void **state)
{
	struct hsa_diag d = {{0}};
	int fd = -1, again = -1;

	(void)state;
	assert_int_equal(ep_file_create(in_dir("file"), "x", 1, &d).v, 0);
	assert_int_equal(
	    ep_sock_listen(&fd, in_dir("file"), &d).v, HSA_E_EXISTS);
	assert_non_null(strstr(d.text, "fix: "));
	assert_int_equal(ep_sock_listen(&fd, in_dir("s"), &d).v, 0);
	assert_int_equal(ep_sock_listen(&again, in_dir("s"), &d).v, 0);
	(void)close(fd);
	(void)close(again);
	assert_int_equal(ep_sock_listen(&fd, in_dir(""), &d).v, HSA_E_RANGE);
}

static void
test_ep_file__a_lock_has_one_holder_and_tells_who(void **state)
{
	struct hsa_diag d = {{0}};
	char text[32] = "";
	int a = -1, b = -1;

	(void)state;
	assert_int_equal(ep_lock_holder(in_dir("lock")), 0);
	assert_int_equal(ep_lock(&a, in_dir("lock"), 0, &d).v, 0);
	assert_int_equal(ep_lock_holder(in_dir("lock")), getpid());
	assert_int_equal(ep_lock(&b, in_dir("lock"), 50, &d).v, HSA_E_BUSY);
	(void)snprintf(text, sizeof(text), "process %ld", (long)getpid());
	assert_non_null(strstr(d.text, text));
	assert_int_equal(b, -1);
	(void)close(a);
	assert_int_equal(ep_lock_holder(in_dir("lock")), 0);
	assert_int_equal(ep_lock(&b, in_dir("lock"), 0, &d).v, 0);
	(void)close(b);
}

static void
test_ep_file__files_are_private_new_and_bounded(void **state)
{
	struct hsa_buf b = {0};
	struct stat st = {0};
	bool empty = true;

	(void)state;
	assert_int_equal(ep_file_create(in_dir("new"), "12345", 5, NULL).v, 0);
	assert_int_equal(stat(in_dir("new"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(
	    ep_file_create(in_dir("new"), "x", 1, NULL).v, HSA_E_EXISTS);
	assert_int_equal(ep_file_read(&b, in_dir("new"), 5, NULL).v, 0);
	assert_string_equal(hsa_buf_cstr(&b), "12345");
	hsa_buf_reset(&b);
	assert_int_equal(
	    ep_file_read(&b, in_dir("new"), 4, NULL).v, HSA_E_RANGE);
	hsa_buf_reset(&b);
	assert_int_equal(
	    ep_file_read(&b, in_dir("none"), 4, NULL).v, HSA_E_NOT_FOUND);
	assert_int_equal(ep_file_read(&b, dir, 4, NULL).v, HSA_E_IO);
	assert_int_equal(ep_file_number(in_dir("pid"), 42, NULL).v, 0);
	assert_int_equal(ep_file_number(in_dir("pid"), 7, NULL).v, 0);
	hsa_buf_reset(&b);
	assert_int_equal(ep_file_read(&b, in_dir("pid"), 9, NULL).v, 0);
	assert_string_equal(hsa_buf_cstr(&b), "7\n");
	assert_int_equal(ep_dir_empty(&empty, dir, NULL).v, 0);
	assert_false(empty);
	assert_int_equal(ep_dir_make(in_dir("sub"), NULL).v, 0);
	assert_int_equal(ep_dir_make(in_dir("sub"), NULL).v, HSA_E_EXISTS);
	assert_int_equal(ep_dir_empty(&empty, in_dir("sub"), NULL).v, 0);
	assert_true(empty);
	hsa_buf_free(&b);
}

static void
test_ep_file__clearing_a_folder_follows_no_link(void **state)
{
	char outside[] = "/tmp/test-ep-outside-XXXXXX", kept[64] = "";

	(void)state;
	assert_non_null(mkdtemp(outside));
	helper_left(outside);
	(void)snprintf(kept, sizeof(kept), "%s/kept", outside);
	assert_int_equal(ep_file_create(kept, "x", 1, NULL).v, 0);
	assert_int_equal(mkdir(in_dir("tree"), 0700), 0);
	assert_int_equal(symlink(outside, in_dir("tree/link")), 0);
	assert_int_equal(mkdir(in_dir("tree/a"), 0700), 0);
	assert_int_equal(ep_file_create(in_dir("tree/a/b"), "", 0, NULL).v, 0);
	ep_dir_clear(in_dir("tree"), false);
	assert_int_equal(access(in_dir("tree"), F_OK), 0);
	assert_int_not_equal(access(in_dir("tree/a"), F_OK), 0);
	assert_int_not_equal(access(in_dir("tree/link"), F_OK), 0);
	assert_int_equal(access(kept, F_OK), 0);
	ep_dir_clear(outside, true);
	assert_int_not_equal(access(outside, F_OK), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_ep_serve__a_request_is_answered_through_a_long_path),
	    cmocka_unit_test(
		test_ep_serve__requests_in_pieces_and_in_a_row_are_answered_in_order),
	    cmocka_unit_test(test_ep_serve__garbage_ends_that_connection_only),
	    cmocka_unit_test(
		test_ep_serve__stopping_answers_what_is_under_way_and_ends_idle_peers),
	    cmocka_unit_test(
		test_ep_serve__more_peers_than_slots_are_all_served),
	    cmocka_unit_test(test_ep_serve__idle_peers_make_room),
	    cmocka_unit_test(test_ep_serve__who_waited_for_a_place_keeps_it),
	    cmocka_unit_test(
		test_ep_ask__a_server_that_says_nothing_or_half_runs_into_an_error),
	    cmocka_unit_test(test_ep_sock__only_a_socket_is_replaced),
	    cmocka_unit_test(test_ep_file__a_lock_has_one_holder_and_tells_who),
	    cmocka_unit_test(test_ep_file__files_are_private_new_and_bounded),
	    cmocka_unit_test(test_ep_file__clearing_a_folder_follows_no_link),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
