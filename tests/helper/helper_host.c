#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ep11_pkcs11.h"
#include "ep_serve.h"
#include "ep_sock.h"
#include "helper_call.h"
#include "helper_host.h"

static void
info(struct hh_unit *u, struct hsa_info_reply *r, uint32_t query)
{
	CK_ULONG native = u->domain;

	if (query == HSA_INFO_LOCATION && u->knows_location) {
		hsa_buf_be32(&r->data, u->module);
		hsa_buf_be32(&r->data, u->domain);
	} else if (query == 3) {
		hsa_buf_put(&r->data, &native, sizeof(native));
		for (int i = 0; i < 80; i++)
			hsa_buf_u8(&r->data, 0);
	} else {
		r->rv = CKR_FUNCTION_NOT_SUPPORTED;
	}
}

static hsa_rc
on_request(
    void *ctx, struct hsa_unit_reply *r, const struct hsa_unit_request *q)
{
	struct timespec nap = {.tv_sec = 0};
	struct hh_unit *u = ctx;

	r->kind = q->kind;
	if (q->kind == HSA_UNIT_INFO &&
	    (q->query == HSA_INFO_LOCATION || q->query == 3)) {
		info(u, &r->info, q->query);
		return HSA_OK;
	}
	atomic_fetch_add(&u->calls, 1);
	nap.tv_nsec = atomic_load(&u->slow_ms) * 1000000L;
	(void)nanosleep(&nap, NULL);
	if (u->answer != NULL)
		u->answer(u, r, q);
	else if (q->kind == HSA_UNIT_EP11)
		hcall_reply(&r->call, q->call.fn);
	else
		return HSA_RC(E_UNSUPPORTED);
	return HSA_OK;
}

static void *
serve(void *arg)
{
	struct hh_unit *u = arg;

	return hsa_is_ok(ep_serve(u->listener, u->signals,
		   &(struct ep_serve_calls){.fn = on_request}, u))
		   ? u
		   : NULL;
}

void
hh_start(struct hh_unit *u, const char *dir, const char *name)
{
	int fd[2] = {-1, -1};

	(void)snprintf(u->path, sizeof(u->path), "%s/%s", dir, name);
	assert_int_equal(socketpair(AF_UNIX,
			     SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd),
	    0);
	u->signals = fd[0];
	u->stop = fd[1];
	assert_int_equal(ep_sock_listen(&u->listener, u->path, NULL).v, 0);
	assert_int_equal(pthread_create(&u->thread, NULL, serve, u), 0);
	u->runs = true;
}

void
hh_stop(struct hh_unit *u)
{
	uint8_t record[128] = {SIGTERM}; /* struct signalfd_siginfo */
	void *done = NULL;

	if (!u->runs)
		return;
	u->runs = false;
	assert_int_equal(write(u->stop, record, sizeof(record)), 128);
	assert_int_equal(pthread_join(u->thread, &done), 0);
	assert_non_null(done);
	(void)close(u->stop);
	(void)close(u->signals);
	(void)close(u->listener);
	(void)unlink(u->path);
}
