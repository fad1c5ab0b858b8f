/*
 * test_libep11.c - libep11.so.4 as a program meets it that knows nothing of
 * this project: PKCS #11's types, prototypes of its own, dlopen, and crypto
 * units served by cryptounitd. Each convention of ep11-host-api 4 is a case.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "helper_dl.h"

static struct hd d;
static target_t target; /* operational-1 */

static int
set_up(void **state)
{
	(void)state;
	return dl_start(&d, &target) ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	dl_stop(&d);
	return 0;
}

/* ---- start of a token ---------------------------------------------------- */

static void
test_libep11__starts_as_opencryptoki_starts_it(void **state)
{
	target_t group = ~0UL, one = ~0UL;
	uint32_t version = 0;
	uc domain[88] = {0}, first[16] = {0}, cmd[100] = {0}, rsp[200] = {0};
	uc module[512] = {0};
	static const char *const name[] = {
	    "operational-1", "operational-2", "recovery-1"};
	CK_ULONG n = sizeof(version);
	struct admresp rb = {0};
	size_t len = sizeof(rsp);
	CK_RV rv = 99;
	long blen = 0;

	(void)state;
	assert_int_equal(m.info(&version, &n, 0xff000001, 0, 0), CKR_OK);
	assert_int_equal(n, 4);
	assert_int_equal(version >> 16 & 0xff, 4);
	for (int i = 0; i < 3; i++) {
		CK_ULONG flags = 0;

		one = ~0UL;
		assert_true(dl_add(&d, &one, name[i], 0));
		n = sizeof(domain);
		assert_int_equal(m.info(domain, &n, 3, 0, one), CKR_OK);
		assert_int_equal(n, sizeof(domain));
		memcpy(&flags, domain + 72, sizeof(flags));
		assert_true((flags & 2) != 0); /* there is a current WK */
		if (i == 0)
			memcpy(first, domain + 8, sizeof(first));
		assert_memory_equal(first, domain + 8, sizeof(first));
		n = sizeof(module);
		assert_int_equal(m.info(module, &n, 1, 0, one), CKR_OK);
		assert_int_equal(m.rm_module(NULL, one), 0);
		assert_int_equal(
		    m.info(domain, &n, 3, 0, one), IBM_TARGET_INVALID);
	}
	/* control points, by an unsigned query */
	blen = m.queryblock(cmd, sizeof(cmd), 0x10006, 0, NULL, 0);
	assert_true(blen > 0);
	assert_int_equal(
	    m.admin(rsp, &len, NULL, NULL, cmd, (size_t)blen, NULL, 0, target),
	    CKR_OK);
	assert_int_equal(m.internal_rv(rsp, len, &rb, &rv), 0);
	assert_int_equal(rv, CKR_OK);
	assert_int_equal(rb.pllen, 16);
	assert_true(rb.payload > rsp && rb.payload < rsp + sizeof(rsp));
	/* 48 and 73: what a token without FIPS sessions needs */
	assert_true((rb.payload[48 / 8] & 0x80 >> 48 % 8) != 0);
	assert_true((rb.payload[73 / 8] & 0x80 >> 73 % 8) != 0);
	assert_true(dl_add(&d, &group, "operational-1", 0x10));
	one = group;
	assert_true(dl_add(&d, &group, "operational-2", 0x10));
	assert_true(group == one);
	assert_int_equal(m.random(rsp, 64, group), CKR_OK);
	assert_int_equal(m.rm_module(NULL, group), 0);
}

static void
test_libep11__mechanisms_are_listed_and_each_has_its_info(void **state)
{
	CK_MECHANISM_TYPE list[512] = {0};
	CK_MECHANISM_INFO info = {0};
	CK_ULONG n = 0, all = 0;

	(void)state;
	assert_int_equal(m.mech_list(0, NULL, &all, target), CKR_OK);
	assert_in_range(all, 5, 512);
	n = all - 1;
	assert_int_equal(
	    m.mech_list(0, list, &n, target), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(n, all);
	assert_int_equal(m.mech_list(0, list, &n, target), CKR_OK);
	assert_int_equal(n, all);
	for (CK_ULONG i = 0; i < all; i++)
		assert_int_equal(
		    m.mech_info(0, list[i], &info, target), CKR_OK);
	assert_int_equal(m.mech_info(0, VENDOR + 0x7fffff, &info, target),
	    CKR_MECHANISM_INVALID);
	print_message("COUNT mechanisms listed: %lu\n", all);
}

/* ---- digests: states that are copied, rewound, handed to a child --------- */

static CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0};

static void
expect_sha256(const uc got[32], const char *text)
{
	uc want[32] = {0};
	unsigned int n = 0;

	assert_int_equal(
	    EVP_Digest(text, strlen(text), want, &n, EVP_sha256(), NULL), 1);
	assert_memory_equal(got, want, 32);
}

static void
test_libep11__a_length_query_and_small_room_leave_the_operation_alive(
    void **state)
{
	uc st[1024] = {0}, out[32] = {0};
	size_t len = sizeof(st);
	CK_ULONG n = 0;

	(void)state;
	assert_int_equal(m.digest_init(st, &len, &sha256, target), CKR_OK);
	assert_in_range(len, 1, sizeof(st));
	assert_int_equal(
	    m.digest_update(st, len, S("hello "), 6, target), CKR_OK);
	assert_int_equal(
	    m.digest_update(st, len, S("world"), 5, target), CKR_OK);
	assert_int_equal(m.digest_final(st, len, NULL, &n, target), CKR_OK);
	assert_int_equal(n, 32);
	n = 31;
	assert_int_equal(
	    m.digest_final(st, len, out, &n, target), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(n, 32);
	assert_int_equal(m.digest_final(st, len, out, &n, target), CKR_OK);
	expect_sha256(out, "hello world");
	n = 32;
	assert_int_equal(
	    m.digest_single(&sha256, S("abc"), 3, out, &n, target), CKR_OK);
	expect_sha256(out, "abc");
	assert_int_equal(
	    m.digest_single(&sha256, NULL, 0, out, &n, target), CKR_OK);
	expect_sha256(out, "");
	assert_int_equal(m.digest_single(&sha256, NULL, 3, out, &n, target),
	    CKR_ARGUMENTS_BAD);
}

static void
test_libep11__states_survive_copies_rewinding_and_fork(void **state)
{
	uc a[1024] = {0}, b[1024] = {0}, old[1024] = {0}, out[32] = {0};
	size_t len = sizeof(a);
	CK_ULONG n = 32;
	int fd[2] = {-1, -1}, st = 0;
	pid_t pid = 0;

	(void)state;
	assert_int_equal(m.digest_init(a, &len, &sha256, target), CKR_OK);
	memcpy(old, a, len);
	assert_int_equal(m.digest_update(a, len, S("one"), 3, target), CKR_OK);
	memcpy(b, a, len);
	assert_int_equal(m.digest_update(a, len, S("two"), 3, target), CKR_OK);
	assert_int_equal(m.digest_update(b, len, S("TWO"), 3, target), CKR_OK);
	assert_int_equal(m.digest_final(a, len, out, &n, target), CKR_OK);
	expect_sha256(out, "onetwo");
	assert_int_equal(m.digest_final(b, len, out, &n, target), CKR_OK);
	expect_sha256(out, "oneTWO");
	assert_int_equal(
	    m.digest(old, len, S("zero"), 4, out, &n, target), CKR_OK);
	expect_sha256(out, "zero");
	/* a child goes on from its parent's state, after an m_init of its own
	 */
	assert_int_equal(pipe(fd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		bool good =
		    m.init() == 0 &&
		    m.digest_update(b, len, S("!"), 1, target) == CKR_OK &&
		    write(fd[1], b, len) == (ssize_t)len;

		_exit(good ? 0 : 1);
	}
	assert_int_equal(read(fd[0], b, len), (ssize_t)len);
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(st, 0);
	(void)close(fd[0]);
	(void)close(fd[1]);
	assert_int_equal(m.digest_final(b, len, out, &n, target), CKR_OK);
	expect_sha256(out, "oneTWO!");
	/* a state that was tampered with is none */
	b[len / 2] ^= 1;
	assert_int_not_equal(m.digest_final(b, len, out, &n, target), CKR_OK);
}

/* ---- logins -------------------------------------------------------------- */

static void
test_libep11__a_pin_blob_is_80_bytes_and_says_the_session(void **state)
{
	uc one[80] = {0}, two[80] = {0}, nonce[32] = {7};
	size_t n = sizeof(one);

	(void)state;
	assert_int_equal(
	    m.login(S("        "), 8, nonce, 32, one, &n, target), CKR_OK);
	assert_int_equal(n, 80);
	assert_int_equal(one[4], 0xaa);
	assert_int_not_equal(one[0], 0x30);
	assert_int_equal(
	    m.login(S("        "), 8, nonce, 32, two, &n, target), CKR_OK);
	assert_memory_equal(one, two, 32);
	n = 79;
	assert_int_equal(m.login(S("        "), 8, nonce, 32, two, &n, target),
	    CKR_BUFFER_TOO_SMALL);
	assert_int_equal(n, 80);
	assert_int_equal(m.logout(one, 80, target), CKR_OK);
}

/* ---- threads ------------------------------------------------------------- */

static void *
many(void *arg)
{
	uc st[1024] = {0}, out[32] = {0}, want[32] = {0};
	char text[40] = "";
	unsigned int k = 0;

	for (int i = 0; i < 50; i++) {
		size_t len = sizeof(st);
		CK_ULONG n = sizeof(out);

		(void)snprintf(text, sizeof(text), "%p %d", arg, i);
		if (m.digest_init(st, &len, &sha256, target) != CKR_OK ||
		    m.digest_update(
			st, len, (uc *)text, strlen(text), target) != CKR_OK ||
		    m.digest_final(st, len, out, &n, target) != CKR_OK ||
		    EVP_Digest(text, strlen(text), want, &k, EVP_sha256(),
			NULL) != 1 ||
		    memcmp(out, want, 32) != 0)
			return NULL;
	}
	return arg;
}

static void
test_libep11__eight_threads_use_one_target(void **state)
{
	pthread_t t[8];
	char mark[8] = {0};
	void *done = NULL;

	(void)state;
	for (int i = 0; i < 8; i++)
		assert_int_equal(
		    pthread_create(&t[i], NULL, many, &mark[i]), 0);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(pthread_join(t[i], &done), 0);
		assert_ptr_equal(done, &mark[i]);
	}
}

/* ---- a unit that goes and comes ------------------------------------------ */

static void
test_libep11__a_restarted_daemon_is_reached_again(void **state)
{
	uc out[16] = {0};

	(void)state;
	assert_int_equal(hd_stop(&d), 0);
	assert_int_equal(m.random(out, 16, target), CKR_DEVICE_ERROR);
	assert_true(hd_start(&d));
	assert_int_equal(m.random(out, 16, target), CKR_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_libep11__starts_as_opencryptoki_starts_it),
	    cmocka_unit_test(
		test_libep11__mechanisms_are_listed_and_each_has_its_info),
	    cmocka_unit_test(
		test_libep11__a_length_query_and_small_room_leave_the_operation_alive),
	    cmocka_unit_test(
		test_libep11__states_survive_copies_rewinding_and_fork),
	    cmocka_unit_test(
		test_libep11__a_pin_blob_is_80_bytes_and_says_the_session),
	    cmocka_unit_test(test_libep11__eight_threads_use_one_target),
	    cmocka_unit_test(test_libep11__a_restarted_daemon_is_reached_again),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
