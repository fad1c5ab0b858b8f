/*
 * test_host_break.c - connections that end before they took a request: nothing
 * was carried out, so that the host library asks again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "ep11.h"
#include "ep11_pkcs11.h"
#include "ep_file.h"
#include "ep_serve.h"
#include "ep_sock.h"
#include "helper_call.h"
#include "helper_host.h"
#include "helper_left.h"
#include "hsa_buf.h"
#include "hsa_codec.h"

static char dir[40];
static struct hh_unit unit;

static void
nap(long ms)
{
	const struct timespec t = {.tv_nsec = ms * 1000000};

	(void)nanosleep(&t, NULL);
}

static void
answer(struct hh_unit *u, struct hsa_unit_reply *r,
    const struct hsa_unit_request *q)
{
	(void)u;
	r->kind = q->kind;
	r->call.fn = q->call.fn;
	for (int i = 0; i < 4; i++)
		hsa_buf_u8(&r->call.out, 7);
}

static int
set_up(void **state)
{
	char where[500] = "";

	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/test-host-break-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	helper_left(dir);
	unit = (struct hh_unit){.knows_location = true, .answer = answer};
	hh_start(&unit, dir, "u");
	(void)snprintf(where, sizeof(where), "unix:%s", unit.path);
	(void)setenv("EP11_UNIT", where, 1);
	(void)unsetenv("EP11_TIMEOUT_MS");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	(void)m_shutdown();
	hh_stop(&unit);
	ep_dir_clear(dir, true);
	return 0;
}

static CK_RV
asks(void)
{
	uint8_t b[4] = {0};

	return m_GenerateRandom(b, sizeof(b), 0);
}

/* A unit that answers once per connection and then reads no more of it, as
 * ep_serve does with who is shown out; but here the connection stays. */
struct curt {
	pthread_t thread;
	int listener;
	int fd[8], taken;
	size_t part; /* of the first connection: bytes read, no answer */
};

static void
answer_one(int fd)
{
	struct hsa_unit_request q = {0};
	struct hsa_unit_reply r = {0};
	struct hsa_buf in = {0}, out = {0};
	size_t used = 0;
	ssize_t n = 0;

	while (hsa_unit_request_decode(&q, &used, in.p, in.len).v ==
	       HSA_E_TRUNCATED) {
		n = recv(fd, hsa_buf_reserve(&in, 16384), 16384, 0);
		if (n <= 0)
			break;
		in.len += (size_t)n;
	}
	r.kind = q.kind;
	answer(&unit, &r, &q);
	if (n > 0 && hsa_is_ok(hsa_unit_reply_encode(&out, &r)))
		(void)!send(fd, out.p, out.len, MSG_NOSIGNAL);
	hsa_unit_request_free(&q);
	hsa_unit_reply_free(&r);
	hsa_buf_free(&in);
	hsa_buf_free(&out);
}

static void *
be_curt(void *arg)
{
	struct curt *c = arg;
	uint8_t room[4096] = {0};
	int fd = -1;

	while (c->taken < 8 && (fd = accept(c->listener, NULL, NULL)) >= 0) {
		if (c->part != 0 && c->taken == 0)
			(void)!recv(fd, room, c->part, MSG_WAITALL);
		else
			answer_one(fd);
		(void)shutdown(fd, SHUT_RD);
		c->fd[c->taken++] = fd;
	}
	return NULL;
}

static void
start_curt(struct curt *c)
{
	assert_int_equal(m_init(), XCP_OK);
	hh_stop(&unit);
	assert_int_equal(ep_sock_listen(&c->listener, unit.path, NULL).v, 0);
	assert_int_equal(fcntl(c->listener, F_SETFL, 0), 0);
	assert_int_equal(pthread_create(&c->thread, NULL, be_curt, c), 0);
}

static void
stop_curt(struct curt *c)
{
	(void)shutdown(c->listener, SHUT_RDWR);
	assert_int_equal(pthread_join(c->thread, NULL), 0);
	for (int i = 0; i < c->taken; i++)
		(void)close(c->fd[i]);
	(void)close(c->listener);
	(void)unlink(unit.path);
}

static void
test_host_break__who_was_shown_out_while_idle_comes_back(void **state)
{
	struct curt c = {.listener = -1};

	(void)state;
	start_curt(&c);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(asks(), CKR_OK);
		nap(20); /* until it reads no more */
	}
	stop_curt(&c);
	assert_int_equal(c.taken, 5);
}

static void
test_host_break__a_request_that_never_got_there_whole_is_sent_anew(void **state)
{
	static uint8_t data[HSA_CALL_DATA_MAX];
	struct curt c = {.listener = -1, .part = 1000};
	CK_MECHANISM m = {CKM_SHA256, NULL, 0};
	uint8_t out[32] = {0};
	CK_ULONG n = sizeof(out);

	(void)state;
	start_curt(&c);
	assert_int_equal(
	    m_DigestSingle(&m, data, sizeof(data), out, &n, 0), CKR_OK);
	stop_curt(&c);
	assert_int_equal(c.taken, 2);
}

/* All places of the unit are taken while the library's connection is idle. */
static void
test_host_break__a_full_house_does_not_fail_an_idle_library(void **state)
{
	int fd[EP_SERVE_MAX + 1];
	size_t i = 0;

	(void)state;
	assert_int_equal(m_init(), XCP_OK);
	assert_int_equal(asks(), CKR_OK);
	for (i = 0; i < sizeof(fd) / sizeof(fd[0]); i++) {
		assert_int_equal(
		    ep_sock_connect(&fd[i], unit.path, 5000, NULL).v, 0);
		/* there was no place left but the library's */
		if (i >= EP_SERVE_MAX - 2)
			assert_int_equal(asks(), CKR_OK);
	}
	for (i = 0; i < sizeof(fd) / sizeof(fd[0]); i++)
		(void)close(fd[i]);
}

static void *
open_library(void *arg)
{
	return m_init() == XCP_OK ? NULL : arg;
}

/* A fork meets another thread inside m_init, at a unit that says nothing. */
static void
test_host_break__a_child_opens_what_the_parent_was_opening(void **state)
{
	char where[500] = "";
	int fd = -1, st = 0;
	void *failed = NULL;
	pthread_t thread;
	pid_t pid = 0;

	(void)state;
	(void)snprintf(where, sizeof(where), "%s/mute", dir);
	assert_int_equal(ep_sock_listen(&fd, where, NULL).v, 0);
	(void)snprintf(where, sizeof(where), "unix:%s/mute", dir);
	(void)setenv("EP11_UNIT", where, 1);
	(void)setenv("EP11_TIMEOUT_MS", "1000", 1);
	assert_int_equal(pthread_create(&thread, NULL, open_library, dir), 0);
	nap(300);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)alarm(10);
		(void)snprintf(where, sizeof(where), "unix:%s", unit.path);
		(void)setenv("EP11_UNIT", where, 1);
		_exit(m_init() == XCP_OK && asks() == CKR_OK ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(st, 0);
	assert_int_equal(pthread_join(thread, &failed), 0);
	assert_ptr_equal(failed, dir);
	(void)close(fd);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    CASE(test_host_break__who_was_shown_out_while_idle_comes_back),
	    CASE(
		test_host_break__a_request_that_never_got_there_whole_is_sent_anew),
	    CASE(test_host_break__a_full_house_does_not_fail_an_idle_library),
	    CASE(test_host_break__a_child_opens_what_the_parent_was_opening),
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
