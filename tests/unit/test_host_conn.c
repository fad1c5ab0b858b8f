/*
 * test_host_conn.c - how the host library reaches units: targets, groups,
 * connections that break, threads, fork.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "ep11.h"
#include "ep11_pkcs11.h"
#include "ep_file.h"
#include "ep_sock.h"
#include "helper_host.h"
#include "helper_left.h"
#include "hsa_buf.h"

#define UNITS 3

static char dir[40];
static struct hh_unit unit[UNITS];

/* A unit answers with its own number, so that a caller sees whose it is. */
static void
who(struct hh_unit *u, struct hsa_unit_reply *r,
    const struct hsa_unit_request *q)
{
	if (q->kind != HSA_UNIT_EP11) {
		hsa_buf_be32(&r->info.data, (uint32_t)(u - unit));
		return;
	}
	r->call.fn = q->call.fn;
	for (uint64_t i = 0; i < q->call.number; i++)
		hsa_buf_u8(&r->call.out, (uint8_t)(u - unit));
}

static void
nap(long ms)
{
	const struct timespec t = {
	    .tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};

	(void)nanosleep(&t, NULL);
}

/* Units 0 and 1: domains 3 and 7 of module 0; unit 2: domain 3 of module 5. */
static int
set_up(void **state)
{
	static const struct hh_unit are[UNITS] = {
	    {.module = 0, .domain = 3},
	    {.module = 0, .domain = 7},
	    {.module = 5, .domain = 3},
	};
	struct hsa_buf where = {0};

	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/test-host-conn-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	helper_left(dir);
	for (size_t i = 0; i < UNITS; i++) {
		char name[8] = "";

		unit[i] = are[i];
		unit[i].knows_location = true;
		unit[i].answer = who;
		(void)snprintf(name, sizeof(name), "u%zu", i);
		hh_start(&unit[i], dir, name);
		hsa_buf_printf(
		    &where, "%sunix:%s", i == 0 ? "" : ",", unit[i].path);
	}
	(void)setenv("EP11_UNIT", hsa_buf_cstr(&where), 1);
	hsa_buf_free(&where);
	(void)unsetenv("EP11_TIMEOUT_MS");
	(void)unsetenv("EP11_INITIATOR");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	(void)m_shutdown();
	for (size_t i = 0; i < UNITS; i++)
		hh_stop(&unit[i]);
	ep_dir_clear(dir, true);
	return 0;
}

/* The number of the unit that answers there, or minus the return code. */
static long
asks(target_t target)
{
	uint8_t b[4] = {99, 99, 99, 99};
	CK_RV rv = m_GenerateRandom(b, sizeof(b), target);

	return rv == CKR_OK ? b[3] : -(long)rv;
}

static int
add(target_t *target, uint64_t flags, uint32_t module, unsigned int domain)
{
	struct XCP_Module m = {
	    .version = XCP_MOD_VERSION_2, .flags = flags, .module_nr = module};

	XCPTGTMASK_SET_DOM(m.domainmask, domain);
	return m_add_module(&m, target);
}

/* ---- targets ------------------------------------------------------------- */

static void
test_host_conn__a_target_is_the_unit_with_that_module_and_domain(void **state)
{
	target_t a = XCP_TGT_INIT, b = XCP_TGT_INIT, c = 0;
	target_t flags = XCP_TGTFL_API_CHKD | XCP_TGTFL_NO_LOCK |
			 XCP_TGTFL_CHK_ATTR | XCP_TGTFL_SET_ACMD |
			 XCP_TGTFL_NO_SPLIT | XCP_TGTFL_SET_SCMD;

	(void)state;
	assert_int_equal(m_init(), XCP_OK);
	assert_int_equal(m_init(), XCP_OK);
	assert_int_equal(add(&a, XCP_MFL_MODULE, 0, 7), XCP_OK);
	assert_int_equal(add(&b, XCP_MFL_MODULE, 5, 3), XCP_OK);
	assert_int_equal(
	    add(&c, XCP_MFL_MODULE | XCP_MFL_PROBE | XCP_MFL_ALW_TGT_ADD, 0, 3),
	    XCP_OK);
	assert_int_equal(asks(a), 1);
	assert_int_equal(asks(b), 2);
	assert_int_equal(asks(c), 0);
	assert_int_equal(asks(b | flags), 2);
	assert_int_equal(asks(0), 0);
	assert_int_equal(m_rm_module(NULL, b | flags), XCP_OK);
	assert_int_equal(asks(b), -(long)CKR_IBM_TARGET_INVALID);
	assert_int_equal(m_rm_module(NULL, b), XCP_ETARGET);
	assert_int_equal(asks(XCP_TGT_INIT), -(long)CKR_IBM_TARGET_INVALID);
	assert_int_equal(asks(12345), -(long)CKR_IBM_TARGET_INVALID);
	assert_int_equal(
	    asks((uint64_t)5 << 32 | 3), -(long)CKR_IBM_TARGET_INVALID);
	assert_int_equal(
	    asks(a | XCP_TGTFL_WCAP), -(long)CKR_FUNCTION_NOT_SUPPORTED);
	assert_int_equal(
	    asks(a | XCP_TGTFL_WCAP_SQ), -(long)CKR_FUNCTION_NOT_SUPPORTED);
}

static void
test_host_conn__what_is_not_there_cannot_be_added(void **state)
{
	target_t t = XCP_TGT_INIT, stale = XCP_TGT_INIT;
	struct XCP_Module m = {.version = 3};

	(void)state;
	assert_int_equal(m_init(), XCP_OK);
	assert_int_equal(add(&t, XCP_MFL_MODULE, 1, 3), XCP_MOD_EMODULE);
	assert_int_equal(add(&t, XCP_MFL_MODULE, 0, 4), XCP_MOD_EDOMAIN);
	assert_int_equal(add(&t, XCP_MFL_SOCKET, 0, 3), XCP_MOD_EFLAGS);
	assert_int_equal(m_add_module(&m, &t), XCP_MOD_EVERSION);
	assert_int_equal(m_add_module(NULL, &t), XCP_EARG);
	assert_int_equal(m_add_module(&m, NULL), XCP_EARG);
	assert_true(t == XCP_TGT_INIT);
	assert_int_equal(add(&stale, XCP_MFL_MODULE, 0, 3), XCP_OK);
	assert_int_equal(m_rm_module(NULL, stale), XCP_OK);
	assert_int_equal(add(&stale, XCP_MFL_MODULE, 0, 3), XCP_ETARGET);
	assert_int_equal(m_add_backend("host", 1), XCP_MOD_EOBSOLETE);
}

static void
test_host_conn__the_structure_comes_back_with_what_is_there(void **state)
{
	/* version 1 ends before the last member: nothing behind it is touched
	 */
	union {
		struct XCP_Module m;
		uint8_t bytes[sizeof(struct XCP_Module)];
	} v1;
	struct XCP_Module m = {.version = 2, .flags = XCP_MFL_MODULE};
	target_t t = XCP_TGT_INIT;

	(void)state;
	assert_int_equal(m_init(), XCP_OK);
	assert_int_equal(m_add_module(&m, &t), XCP_OK);
	assert_int_equal(m.domains, 2);
	assert_int_equal(m.domainmask[0], 0x11); /* 3 and 7 */
	assert_int_equal(asks(t), 0);
	/* more than there is: trimmed, unless strict */
	memset(m.domainmask, 0xff, sizeof(m.domainmask));
	t = XCP_TGT_INIT;
	m.flags = XCP_MFL_MODULE | XCP_MFL_STRICT;
	assert_int_equal(m_add_module(&m, &t), XCP_MOD_EDOMAIN);
	assert_int_equal(m.domainmask[31], 0xff);
	m.flags = XCP_MFL_MODULE;
	assert_int_equal(m_add_module(&m, &t), XCP_OK);
	assert_int_equal(m.domainmask[0], 0x11);
	assert_int_equal(m.domainmask[31], 0);
	memset(&v1, 0xa5, sizeof(v1));
	v1.m.version = 1;
	v1.m.flags = XCP_MFL_MODULE;
	v1.m.module_nr = 5;
	v1.m.domains = 0;
	memset(v1.m.domainmask, 0, sizeof(v1.m.domainmask));
	t = XCP_TGT_INIT;
	assert_int_equal(m_add_module(&v1.m, &t), XCP_OK);
	assert_int_equal(asks(t), 2);
	assert_int_equal(v1.m.api, 0xa5a5a5a5);
	assert_int_equal(v1.m.domains, 1);
}

static void
test_host_conn__a_group_keeps_to_its_first_unit_until_that_is_down(void **state)
{
	const uint64_t group = XCP_MFL_VIRTUAL | XCP_MFL_MODULE;
	struct XCP_Module m = {
	    .version = 2, .flags = XCP_MFL_VIRTUAL | XCP_MFL_MODULE};
	target_t t = XCP_TGT_INIT, any = XCP_TGT_INIT, same = 0;

	(void)state;
	assert_int_equal(m_init(), XCP_OK);
	assert_int_equal(add(&t, group, 0, 7), XCP_OK);
	same = t;
	assert_int_equal(add(&t, group, 5, 3), XCP_OK);
	assert_true(t == same);
	{
		struct XCP_Module all = {
		    .version = 2, .flags = XCP_MFL_VIRTUAL};

		assert_int_equal(m_add_module(&all, &any), XCP_OK);
	}
	for (int i = 0; i < 5; i++)
		assert_int_equal(asks(t), 1);
	assert_int_equal(asks(any), 0);
	hh_stop(&unit[1]);
	assert_int_equal(asks(t), 2);
	hh_stop(&unit[0]);
	assert_int_equal(asks(any), 2);
	assert_int_equal(asks(0), 2);
	hh_start(&unit[1], dir, "u1");
	assert_int_equal(asks(t), 1);
	/* and one that is taken out of it is not asked any more */
	m.module_nr = 0;
	XCPTGTMASK_SET_DOM(m.domainmask, 7);
	assert_int_equal(m_rm_module(&m, t), XCP_OK);
	assert_int_equal(asks(t), 2);
	hh_stop(&unit[2]);
	assert_int_equal(asks(t), -(long)CKR_DEVICE_ERROR);
	assert_int_equal(
	    add(&same, XCP_MFL_MODULE | XCP_MFL_PROBE, 5, 3), XCP_MOD_EPROBE);
	m.module_nr = 5;
	memset(m.domainmask, 0, sizeof(m.domainmask));
	assert_int_equal(m_rm_module(&m, t), XCP_OK);
	assert_int_equal(asks(t), -(long)CKR_IBM_TARGET_INVALID);
}

static void
test_host_conn__a_unit_that_tells_no_module_is_found_by_its_place(void **state)
{
	target_t t = XCP_TGT_INIT;

	(void)state;
	for (size_t i = 0; i < UNITS; i++)
		unit[i].knows_location = false;
	assert_int_equal(m_init(), XCP_OK);
	assert_int_equal(add(&t, XCP_MFL_MODULE, 2, 3), XCP_OK);
	assert_int_equal(asks(t), 2);
}

/* ---- opening ------------------------------------------------------------- */

/* m_init in a child, whose standard error is what is compared. */
static void
refuses(const char *where, int expected, const char *says)
{
	char text[2000] = "";
	int fd[2] = {-1, -1}, st = 0;
	ssize_t n = 0;
	pid_t pid = 0;

	assert_int_equal(pipe(fd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)dup2(fd[1], 2);
		(void)m_shutdown();
		if (where != NULL)
			(void)setenv("EP11_UNIT", where, 1);
		_exit(m_init() == expected ? 0 : 1);
	}
	(void)close(fd[1]);
	n = read(fd[0], text, sizeof(text) - 1);
	(void)close(fd[0]);
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(st, 0);
	assert_true(n > 0);
	assert_int_equal(strncmp(text, "libep11: ", 9), 0);
	assert_non_null(strstr(text, says));
	assert_non_null(strstr(text, "fix: "));
	/* one line */
	assert_ptr_equal(strchr(text, '\n'), text + n - 1);
}

static void
test_host_conn__m_init_says_what_it_tried(void **state)
{
	char where[200] = "";

	(void)state;
	refuses("unix:/nowhere/at/all", XCP_EDEVICE, "/nowhere/at/all");
	refuses("tcp:x", XCP_EINVALID, "EP11_UNIT");
	(void)snprintf(where, sizeof(where), "unix:%s", dir);
	refuses(where, XCP_EDEVICE, "no crypto unit's socket below");
	/* beside this program, of which the library is a part, there is none */
	(void)snprintf(where, sizeof(where), "embedded:%s", dir);
	refuses(where, XCP_EDEVICE, "no libcryptounit.so");
	(void)setenv("EP11_TIMEOUT_MS", "soon", 1);
	refuses(NULL, XCP_EINVALID, "EP11_TIMEOUT_MS");
	(void)unsetenv("EP11_TIMEOUT_MS");
	(void)setenv("EP11_INITIATOR", "\t", 1);
	refuses(NULL, XCP_EINVALID, "EP11_INITIATOR");
	(void)unsetenv("EP11_INITIATOR");
	/* one of three is enough */
	hh_stop(&unit[0]);
	hh_stop(&unit[1]);
	assert_int_equal(m_init(), XCP_OK);
	assert_int_equal(asks(0), 2);
	assert_int_equal(m_shutdown(), XCP_OK);
	assert_int_equal(asks(0), -(long)CKR_CRYPTOKI_NOT_INITIALIZED);
	assert_int_equal(m_init(), XCP_OK);
	assert_int_equal(asks(0), 2);
}

static void
test_host_conn__a_path_longer_than_an_address_is_reached(void **state)
{
	static struct hh_unit far = {.knows_location = true, .answer = who};
	char deep[300] = "", where[420] = "";
	size_t n = 0;

	(void)state;
	(void)snprintf(deep, sizeof(deep), "%s/", dir);
	n = strlen(deep);
	memset(deep + n, 'd', 200);
	deep[n + 200] = '\0';
	assert_int_equal(mkdir(deep, 0700), 0);
	hh_start(&far, deep, "unit.sock");
	(void)snprintf(where, sizeof(where), "unix:%s", far.path);
	(void)setenv("EP11_UNIT", where, 1);
	assert_int_equal(m_init(), XCP_OK);
	(void)asks(0);
	assert_int_equal(atomic_load(&far.calls), 1);
	hh_stop(&far);
	assert_int_equal(asks(0), -(long)CKR_DEVICE_ERROR);
}

/* ---- connections that break ---------------------------------------------- */

/* A unit that reads a request, and hangs up or says nothing. */
struct mute {
	pthread_t thread;
	int listener;
	bool hang_up;
	int taken; /* requests begun */
};

static void *
be_mute(void *arg)
{
	struct mute *m = arg;
	uint8_t room[4096] = {0};
	int fd = -1;

	while ((fd = accept(m->listener, NULL, NULL)) >= 0) {
		/* what m_init asks is answered with an end, too */
		while (recv(fd, room, sizeof(room), 0) > 0) {
			m->taken++;
			if (m->hang_up)
				break;
		}
		(void)close(fd);
	}
	return NULL;
}

static void
test_host_conn__a_call_whose_outcome_is_open_is_not_repeated(void **state)
{
	struct mute m = {.listener = -1, .hang_up = true};
	target_t t = XCP_TGT_INIT;
	int before = 0;

	(void)state;
	assert_int_equal(m_init(), XCP_OK);
	assert_int_equal(add(&t, XCP_MFL_MODULE, 0, 3), XCP_OK);
	assert_int_equal(
	    add(&t, XCP_MFL_MODULE | XCP_MFL_VIRTUAL, 0, 7), XCP_OK);
	assert_int_equal(asks(t), 0);
	hh_stop(&unit[0]);
	assert_int_equal(ep_sock_listen(&m.listener, unit[0].path, NULL).v, 0);
	assert_int_equal(fcntl(m.listener, F_SETFL, 0), 0);
	assert_int_equal(pthread_create(&m.thread, NULL, be_mute, &m), 0);
	before = atomic_load(&unit[1].calls);
	/* the idle connection is found dead and replaced; the new one takes
	 * the request and breaks: neither it nor the next unit is tried */
	assert_int_equal(asks(t), -(long)CKR_DEVICE_ERROR);
	assert_int_equal(atomic_load(&unit[1].calls), before);
	(void)shutdown(m.listener, SHUT_RDWR);
	assert_int_equal(pthread_join(m.thread, NULL), 0);
	assert_int_equal(m.taken, 1);
	(void)close(m.listener);
	(void)unlink(unit[0].path);
}

static void
test_host_conn__a_unit_that_says_nothing_is_given_up_by_the_deadline(
    void **state)
{
	struct mute m = {.listener = -1};
	target_t t = XCP_TGT_INIT;
	uint64_t began = 0, took = 0;

	(void)state;
	(void)setenv("EP11_TIMEOUT_MS", "300", 1);
	assert_int_equal(m_init(), XCP_OK);
	assert_int_equal(add(&t, XCP_MFL_MODULE, 0, 3), XCP_OK);
	hh_stop(&unit[0]);
	assert_int_equal(ep_sock_listen(&m.listener, unit[0].path, NULL).v, 0);
	assert_int_equal(fcntl(m.listener, F_SETFL, 0), 0);
	assert_int_equal(pthread_create(&m.thread, NULL, be_mute, &m), 0);
	began = ep_sock_now();
	assert_int_equal(asks(t), -(long)CKR_DEVICE_ERROR);
	took = ep_sock_now() - began;
	assert_in_range(took, 250, 5000);
	(void)shutdown(m.listener, SHUT_RDWR);
	assert_int_equal(pthread_join(m.thread, NULL), 0);
	assert_int_equal(m.taken, 1);
	(void)close(m.listener);
	(void)unlink(unit[0].path);
}

static void
test_host_conn__a_unit_that_was_restarted_is_reached_again(void **state)
{
	(void)state;
	assert_int_equal(m_init(), XCP_OK);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(asks(0), 0);
		hh_stop(&unit[0]);
		hh_start(&unit[0], dir, "u0");
	}
	assert_int_equal(asks(0), 0);
}

/* ---- threads and fork ---------------------------------------------------- */

#define THREADS 8
#define EACH 500

static void *
call_often(void *arg)
{
	const target_t *t = arg;

	for (int i = 0; i < EACH; i++)
		if (asks(t[i % 2]) != (i % 2 == 0 ? 1 : 2))
			return NULL;
	return arg;
}

static unsigned int
descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned int n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return n;
}

static void
test_host_conn__eight_threads_share_targets_and_connections(void **state)
{
	target_t t[2] = {XCP_TGT_INIT, XCP_TGT_INIT};
	pthread_t thread[THREADS];
	void *done = NULL;
	unsigned int before = 0;
	int i = 0;

	(void)state;
	assert_int_equal(m_init(), XCP_OK);
	assert_int_equal(add(&t[0], XCP_MFL_MODULE, 0, 7), XCP_OK);
	assert_int_equal(add(&t[1], XCP_MFL_MODULE, 5, 3), XCP_OK);
	before = descriptors();
	for (i = 0; i < THREADS; i++)
		assert_int_equal(
		    pthread_create(&thread[i], NULL, call_often, t), 0);
	/* targets come and go meanwhile, and m_init is called again */
	for (i = 0; i < 50; i++) {
		target_t mine = XCP_TGT_INIT;

		assert_int_equal(add(&mine, XCP_MFL_MODULE, 0, 3), XCP_OK);
		assert_int_equal(asks(mine), 0);
		assert_int_equal(m_rm_module(NULL, mine), XCP_OK);
		assert_int_equal(m_init(), XCP_OK);
	}
	for (i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(thread[i], &done), 0);
		assert_ptr_equal(done, t);
	}
	assert_int_equal(atomic_load(&unit[1].calls), THREADS * EACH / 2);
	assert_int_equal(atomic_load(&unit[2].calls), THREADS * EACH / 2);
	/* both ends are in this process; a call at a time needs one of each */
	assert_in_range(descriptors(), before, before + 4 * THREADS);
}

static void *
call_once(void *arg)
{
	return asks(0) == 0 ? arg : NULL;
}

static void
test_host_conn__a_call_under_way_outlives_a_shutdown(void **state)
{
	pthread_t t;
	void *done = NULL;

	(void)state;
	assert_int_equal(m_init(), XCP_OK);
	atomic_store(&unit[0].slow_ms, 300);
	assert_int_equal(pthread_create(&t, NULL, call_once, dir), 0);
	while (atomic_load(&unit[0].calls) == 0)
		nap(1);
	assert_int_equal(m_shutdown(), XCP_OK);
	assert_int_equal(asks(0), -(long)CKR_CRYPTOKI_NOT_INITIALIZED);
	assert_int_equal(pthread_join(t, &done), 0);
	assert_ptr_equal(done, dir);
	assert_int_equal(atomic_load(&unit[0].calls), 1);
}

static atomic_bool enough;

static void *
call_until_enough(void *arg)
{
	const target_t *t = arg;

	while (!atomic_load(&enough))
		if (asks(*t) != 1)
			return NULL;
	return arg;
}

/* The allocators of the sanitizers do not survive a fork in the middle of an
 * allocation, as the C library's does: nobody else calls then. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CALLERS 0
#else
#define CALLERS 4
#endif

/* Children are forked while threads are in the middle of calls. Units are in
 * the parent: what a child finds wrong it says by its exit status. */
static void
test_host_conn__a_child_has_targets_and_connections_of_its_own(void **state)
{
	target_t t = XCP_TGT_INIT, gone = XCP_TGT_INIT;
	pthread_t thread[CALLERS + 1];
	void *done = NULL;
	int st = 0, i = 0;
	pid_t pid = 0;

	(void)state;
	assert_int_equal(m_init(), XCP_OK);
	assert_int_equal(add(&t, XCP_MFL_MODULE, 0, 7), XCP_OK);
	assert_int_equal(asks(t), 1);
	atomic_store(&enough, false);
	for (i = 0; i < CALLERS; i++)
		assert_int_equal(
		    pthread_create(&thread[i], NULL, call_until_enough, &t), 0);
	for (i = 0; i < 20; i++) {
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			(void)alarm(30); /* rather dead than hanging */
			if (asks(t) != 1 || m_init() != XCP_OK || asks(t) != 1)
				_exit(1);
			if (add(&gone, XCP_MFL_MODULE, 5, 3) != XCP_OK ||
			    asks(gone) != 2)
				_exit(2);
			if (m_shutdown() != XCP_OK ||
			    asks(t) != -(long)CKR_CRYPTOKI_NOT_INITIALIZED)
				_exit(3);
			if (m_init() != XCP_OK ||
			    asks(t) != -(long)CKR_IBM_TARGET_INVALID ||
			    asks(0) != 0)
				_exit(4);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &st, 0), pid);
		assert_int_equal(st, 0);
		assert_int_equal(asks(t), 1);
	}
	atomic_store(&enough, true);
	for (i = 0; i < CALLERS; i++) {
		assert_int_equal(pthread_join(thread[i], &done), 0);
		assert_ptr_equal(done, &t);
	}
	nap(1);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    CASE(
		test_host_conn__a_target_is_the_unit_with_that_module_and_domain),
	    CASE(test_host_conn__what_is_not_there_cannot_be_added),
	    CASE(test_host_conn__the_structure_comes_back_with_what_is_there),
	    CASE(
		test_host_conn__a_group_keeps_to_its_first_unit_until_that_is_down),
	    CASE(
		test_host_conn__a_unit_that_tells_no_module_is_found_by_its_place),
	    CASE(test_host_conn__m_init_says_what_it_tried),
	    CASE(test_host_conn__a_path_longer_than_an_address_is_reached),
	    CASE(test_host_conn__a_call_under_way_outlives_a_shutdown),
	    CASE(test_host_conn__a_call_whose_outcome_is_open_is_not_repeated),
	    CASE(
		test_host_conn__a_unit_that_says_nothing_is_given_up_by_the_deadline),
	    CASE(test_host_conn__a_unit_that_was_restarted_is_reached_again),
	    CASE(test_host_conn__eight_threads_share_targets_and_connections),
	    CASE(
		test_host_conn__a_child_has_targets_and_connections_of_its_own),
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
