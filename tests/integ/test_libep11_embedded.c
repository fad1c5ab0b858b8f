/*
 * test_libep11_embedded.c - libep11.so.4 with a crypto unit inside the process:
 * the same calls, no daemon, nothing in a child after fork.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "helper_dl.h"

static struct hd d;
static CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0};

static int
set_up(void **state)
{
	(void)state;
	return hd_ceremony(&d) && dl_load() ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	dl_stop(&d);
	return 0;
}

static void
embedded(const char *name)
{
	char where[300] = "";

	(void)snprintf(where, sizeof(where), "embedded:%s%s", d.state, name);
	(void)setenv("EP11_UNIT", where, 1);
}

static CK_RV
digest_is_right(target_t target)
{
	uc out[32] = {0}, want[32] = {0};
	CK_ULONG n = sizeof(out);
	unsigned int k = 0;
	CK_RV rv = m.digest_single(&sha256, S("abc"), 3, out, &n, target);

	if (rv != CKR_OK)
		return rv;
	if (n != 32 ||
	    EVP_Digest("abc", 3, want, &k, EVP_sha256(), NULL) != 1 ||
	    memcmp(out, want, 32) != 0)
		return CKR_GENERAL_ERROR;
	return CKR_OK;
}

/* Run f in a child with its standard error caught; its exit status is 0. */
static void
in_child(void (*f)(void), char *said, size_t room)
{
	int fd[2] = {-1, -1}, st = 0;
	size_t got = 0;
	ssize_t n = 0;
	pid_t pid = 0;

	assert_int_equal(pipe(fd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)dup2(fd[1], 2);
		f();
		_exit(9);
	}
	(void)close(fd[1]);
	while (
	    got < room - 1 && (n = read(fd[0], said + got, room - 1 - got)) > 0)
		got += (size_t)n;
	said[got] = '\0';
	(void)close(fd[0]);
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(st, 0);
}

static void
opens(void)
{
	_exit(m.init() == -7 ? 0 : 1);
}

static void
test_libep11_embedded__a_served_unit_is_not_opened_twice(void **state)
{
	char said[2000] = "";

	(void)state;
	embedded("");
	assert_true(hd_start(&d));
	in_child(opens, said, sizeof(said));
	assert_int_equal(hd_stop(&d), 0);
	assert_non_null(strstr(said, "libep11: "));
	assert_non_null(strstr(said, "fix: "));
}

static void
calls_in_vain(void)
{
	if (digest_is_right(0) != CKR_DEVICE_ERROR ||
	    digest_is_right(0) != CKR_DEVICE_ERROR)
		_exit(1);
	if (m.init() != -7)
		_exit(2);
	if (m.shutdown() != 0 || m.init() != -7)
		_exit(3);
	_exit(0);
}

static unsigned int
times(const char *text, const char *what)
{
	unsigned int n = 0;

	for (text = strstr(text, what); text != NULL;
	     text = strstr(text + 1, what))
		n++;
	return n;
}

static void
test_libep11_embedded__calls_are_carried_out_here_but_not_in_a_child(
    void **state)
{
	char said[4000] = "";
	target_t t = ~0UL;

	(void)state;
	embedded("");
	assert_int_equal(m.init(), 0);
	assert_int_equal(m.init(), 0);
	assert_int_equal(digest_is_right(0), CKR_OK);
	assert_true(dl_add(&d, &t, "operational-1", 0));
	assert_int_equal(digest_is_right(t), CKR_OK);
	assert_false(dl_add(&d, &t, "operational-2", 0));
	in_child(calls_in_vain, said, sizeof(said));
	/* two calls said it once, two m_init once each */
	assert_int_equal(times(said, "after fork"), 3);
	assert_int_equal(digest_is_right(t), CKR_OK);
	assert_int_equal(m.shutdown(), 0);
	assert_int_equal(digest_is_right(t), CKR_CRYPTOKI_NOT_INITIALIZED);
	/* another one, by name */
	embedded("#operational-2");
	assert_int_equal(m.init(), 0);
	t = ~0UL;
	assert_true(dl_add(&d, &t, "operational-2", 0));
	assert_int_equal(digest_is_right(t), CKR_OK);
	assert_int_equal(m.shutdown(), 0);
	embedded("#nowhere");
	assert_int_equal(m.init(), -7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_libep11_embedded__a_served_unit_is_not_opened_twice),
	    cmocka_unit_test(
		test_libep11_embedded__calls_are_carried_out_here_but_not_in_a_child),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
