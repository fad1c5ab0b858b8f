/*
 * Several collectors at once, and certificates that come and go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "helper_collector.h"
#include "helper_proto.h"

#define SLOWEST_MS 2000 /* an operation, on a machine with other work */

static void
begin(struct hcol *f)
{
	hcol_greet(f);
	hcol_resume(f, 0);
}

/* Seven that take the connection, and then nothing; each has its cursor. */
static void
test_chan__a_stalled_collector_holds_up_no_other(void **state)
{
	enum {
		STALLED = 7
	};
	struct hcol *f = hcol_begin(true, 5000);
	struct chan_config cfg = {
	    .name = "stalled", .origin = HELPER_ORIGIN, .epoch = 7};
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct hsa_collector_status st;
	struct chan *c[STALLED];
	int fd[STALLED];
	char address[128];
	uint64_t all;

	(void)state;
	memcpy(cfg.unit_id, hcol_unit_id, sizeof(cfg.unit_id));
	cfg.address = address;
	for (int i = 0; i < STALLED; i++) {
		(void)snprintf(
		    sa.sun_path, sizeof(sa.sun_path), "%s%d", f->path, i);
		(void)snprintf(
		    address, sizeof(address), "unix:%s", sa.sun_path);
		fd[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(
		    bind(fd[i], (struct sockaddr *)&sa, sizeof(sa)), 0);
		assert_int_equal(listen(fd[i], 4), 0);
		assert_ok(chan_start(&c[i], &cfg, f->l));
	}
	hcol_work(f);
	hcol_greet(f);
	hcol_resume(f, 0);
	for (long until = hcol_now_ms() + 500; hcol_now_ms() < until;) {
		assert_true(hcol_take_batch(f));
		hcol_ack(f, f->size, f->root);
	}
	all = hcol_rest(f);
	while (f->size < all) {
		assert_true(hcol_take_batch(f));
		hcol_ack(f, f->size, f->root);
	}
	hcol_wait_acknowledged(f, all);
	print_message("of 8 collectors 7 stalled: %u operations, slowest %u "
		      "ms, the eighth has all %u records\n",
	    atomic_load(&f->done), atomic_load(&f->slowest_ms),
	    (unsigned int)all);
	assert_true(atomic_load(&f->slowest_ms) < SLOWEST_MS);
	for (int i = 0; i < STALLED; i++) {
		chan_status(c[i], &st);
		assert_int_equal(st.acknowledged, 0);
		chan_stop(c[i], 0);
		(void)close(fd[i]);
	}
	hcol_end(f);
}

/* New certificates while connected: nothing is restarted. */
static void
test_chan__renewed_certificates_are_taken_without_a_restart(void **state)
{
	struct hcol *f = hcol_begin(true, 5000);
	int64_t ends;
	uint64_t all;

	(void)state;
	begin(f);
	assert_true(hcol_take_batch(f));
	hcol_ack(f, f->size, f->root);
	hcol_wait_acknowledged(f, f->size);
	ends = hcol_status(f).certificate_ends;
	assert_true(
	    ends > time(NULL) + 86400 * 39L && ends < time(NULL) + 86400 * 41L);
	/* both ends, by another authority */
	helper_ca_write(&f->wrong, f->ca_file);
	helper_ca_issue_collector(&f->wrong, HCOL_NAME, f->file);
	helper_ca_issue(&f->wrong,
	    &(struct helper_cert){.unit_id = hcol_unit_id,
		.client = true,
		.from = -60,
		.until = 86400 * 10L},
	    f->unit_file);
	helper_slog_batch(f->l, 10, 5, 60);
	assert_true(hcol_take_batch(f)); /* as long as nobody says so */
	hcol_ack(f, f->size, f->root);
	chan_renew(f->c);
	hcol_greet(f);
	hcol_resume(f, f->size);
	all = hcol_log_size(f);
	do {
		assert_true(hcol_take_batch(f));
		hcol_ack(f, f->size, f->root);
	} while (f->size < all);
	hcol_wait_acknowledged(f, all);
	assert_true(hcol_status(f).certificate_ends < time(NULL) + 86400 * 11L);
	hcol_end(f);
}

/* One that is good when it connects, and over two seconds later. */
static void
test_chan__a_connection_ends_with_the_certificate(void **state)
{
	struct hcol *f = hcol_begin(true, 5000);
	struct hsa_frame frame;

	(void)state;
	helper_ca_issue(&f->ca,
	    &(struct helper_cert){.unit_id = hcol_unit_id,
		.client = true,
		.from = -60,
		.until = 2},
	    f->unit_file);
	chan_renew(f->c);
	/* the one with the certificate before may be there still */
	do
		begin(f);
	while (!hcol_take_batch(f));
	hcol_ack(f, f->size, f->root);
	hcol_wait_acknowledged(f, f->size);
	while (hcol_receive(f, &frame))
		hsa_frame_free(&frame);
	for (long until = hcol_now_ms() + 5000;
	     strstr(hcol_status(f).last_error, "has expired") == NULL;) {
		assert_true(hcol_now_ms() < until);
		(void)usleep(1000);
	}
	hcol_end(f);
}

/* How fast a log goes through, from Resume to the last Ack, to a collector that
 * only looks at checkpoints. */
static void
test_chan__says_how_fast_a_log_goes_through(void **state)
{
	enum {
		RECORDS = 100000
	};

	(void)state;
	for (int tls = 0; tls < 2; tls++) {
		struct hcol *f = hcol_begin(tls == 1, 20000);
		uint64_t all;
		long began;

		for (uint64_t i = 0; i < RECORDS / 1000; i++)
			helper_slog_batch(f->l, 10 + i * 1000, 1000, 20);
		all = hcol_log_size(f);
		/* one that waited while the log was made may be given up */
		do {
			hcol_greet(f);
			began = hcol_now_ms();
			hcol_resume(f, 0);
		} while (!hcol_take_batch(f));
		hcol_ack(f, f->size, f->root);
		while (f->size < all) {
			assert_true(hcol_take_batch(f));
			hcol_ack(f, f->size, f->root);
		}
		hcol_wait_acknowledged(f, all);
		printf("COUNT records a second over %s: %.0f\n",
		    tls == 1 ? "TLS 1.3" : "a unix socket",
		    (double)all * 1000 / (double)(hcol_now_ms() - began + 1));
		hcol_end(f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_chan__a_stalled_collector_holds_up_no_other),
	    cmocka_unit_test(
		test_chan__renewed_certificates_are_taken_without_a_restart),
	    cmocka_unit_test(test_chan__a_connection_ends_with_the_certificate),
	    cmocka_unit_test(test_chan__says_how_fast_a_log_goes_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
