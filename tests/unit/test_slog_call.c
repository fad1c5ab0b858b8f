/* EP11 calls through the ring into the log, read back by the verifier, which
 * knows nothing of either. */
#include <setjmp.h>
#include <pthread.h>
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
#include "helper_slog_fault.h"
#include "hsa_codec.h"
#include "slog_impl.h"
#include "vfy_log.h"

#define THREADS 8
#define EACH 2000u

static struct helper_slog h;
static char ring[96];

static int
setup(void **state)
{
	(void)state;
	helper_slog_init(&h);
	(void)snprintf(ring, sizeof(ring), "%s/ring", h.base);
	h.cfg.clock = &cu_clock_system;
	h.cfg.ring = ring;
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

/* A context that says its name in its session. */
static uint32_t
context(struct cu_sink sink, uint8_t name)
{
	struct hsa_record r = {0};
	struct hsa_buf b = {0};
	uint32_t handle = 0;

	hp_context(&r);
	memcpy(r.unit_id, h.cfg.unit_id, sizeof(r.unit_id));
	r.epoch = 1;
	r.wall_ns = r.mono_ns = r.source_sequence = 0;
	memset(r.session, name, sizeof(r.session));
	assert_ok(hsa_record_encode(&b, &r));
	assert_ok(sink.ops->context(sink.ctx, &handle, b.p, b.len));
	hsa_record_free(&r);
	hsa_buf_free(&b);
	return handle;
}

/* Call number `number` of a thread, which both are in the correlation id. */
static struct cu_sink_call
call_of(uint32_t handle, uint32_t thread, uint32_t number)
{
	struct cu_sink_call c = {
	    .start_ns = cu_clock_system.mono_ns(cu_clock_system.ctx),
	    .duration_ns = 1000,
	    .mechanism = 0x1087,
	    .bytes_in = number,
	    .bytes_out = 16,
	    .context = handle,
	    .function = 10,
	    .flags = CU_SINK_KEY,
	};

	memset(c.key_id, 0x44, sizeof(c.key_id));
	memcpy(c.correlation_id, &thread, 4);
	memcpy(c.correlation_id + 4, &number, 4);
	if (number % 7 == 0) {
		c.flags |= CU_SINK_COMMAND;
		memset(c.command_id, 0x99, sizeof(c.command_id));
	}
	return c;
}

/* ---- what the log has ---------------------------------------------------- */

struct seen {
	uint32_t next[THREADS]; /* number of each thread's next call */
	uint32_t calls, outbox, opened, contexts;
	uint8_t session; /* of the last call */
	bool bad;
};

static hsa_rc
look(void *ctx, const struct hsa_record *r, const uint8_t *raw, size_t n)
{
	struct seen *s = ctx;
	uint8_t id[HSA_UUID_LEN];
	uint32_t thread = 0, number = 0;

	(void)raw;
	if (r->body == HSA_BODY_CONTEXT)
		s->contexts++;
	if (r->body == HSA_BODY_SPECIAL && r->source == HSA_SOURCE_OUTBOX)
		s->outbox++;
	if (r->body == HSA_BODY_SPECIAL && r->source == HSA_SOURCE_SEALER)
		s->opened++;
	if (r->body != HSA_BODY_EVENT)
		return HSA_OK;
	assert_true(n < 130); /* what is stored is compact */
	assert_ok(hsa_uuid_parse(id, r->event.correlation_id));
	memcpy(&thread, id, 4);
	memcpy(&number, id + 4, 4);
	assert_true(thread < THREADS);
	assert_int_equal(r->use.bytes_in, number);
	assert_int_equal(r->has_command_id, number % 7 == 0);
	assert_int_equal(r->event.action, HSA_ACTION_EP11_USE);
	s->bad |= number != s->next[thread];
	s->next[thread]++;
	s->session = r->use.session[0];
	s->calls++;
	return HSA_OK;
}

static void
verify(struct seen *s, struct vfy_result *res)
{
	struct vfy_key key = {0};
	struct vfy_keys keys = {&key, 1};
	struct vfy_options opt = {.keys = &keys, .on_record = look, .ctx = s};
	struct hsa_diag diag = {{0}};
	struct slog_key k;

	memset(s, 0, sizeof(*s));
	assert_ok(slog_key_init(&k, HELPER_ORIGIN, h.cfg.public_key));
	(void)snprintf(key.origin, sizeof(key.origin), "%s", HELPER_ORIGIN);
	memcpy(key.public_key, h.cfg.public_key, sizeof(key.public_key));
	memcpy(key.key_hash, k.hash, sizeof(key.key_hash));
	assert_ok(vfy_log(res, h.dir, &opt, &diag));
	if (res->bad)
		fail_msg("%s: %s", res->rule, res->finding);
	assert_false(s->bad);
}

/* ---- threads ------------------------------------------------------------- */

struct worker {
	pthread_t id;
	struct cu_sink sink;
	uint32_t handle, thread, done, most;
	bool durable;
	hsa_rc rc;
};

static void *
work(void *arg)
{
	struct worker *w = arg;
	struct cu_sink_call c;

	for (; w->done < w->most; w->done++) {
		c = call_of(w->handle, w->thread, w->done);
		w->rc = w->sink.ops->call(w->sink.ctx, &c, w->durable, 60000);
		if (!hsa_is_ok(w->rc))
			break;
	}
	return NULL;
}

/* durable: so many of them wait. */
static void
start(struct worker w[THREADS], struct cu_sink sink, uint32_t durable,
    uint32_t most)
{
	for (uint32_t i = 0; i < THREADS; i++) {
		w[i] = (struct worker){.sink = sink,
		    .handle = context(sink, (uint8_t)(i + 1)),
		    .thread = i,
		    .durable = i < durable,
		    .most = most};
		assert_int_equal(
		    pthread_create(&w[i].id, NULL, work, &w[i]), 0);
	}
}

static void
run(bool durable, size_t segment_bytes)
{
	struct worker w[THREADS];
	uint64_t sequence = 0, outbox = 0;
	struct vfy_result res = {0};
	struct seen s;
	struct slog *l;

	h.cfg.segment_bytes = segment_bytes;
	h.cfg.ring_slots = 1024; /* full again and again */
	l = helper_slog_open(&h);
	start(w, slog_sink(l), durable ? THREADS : 0, EACH);
	while (outbox < 50)
		assert_ok(helper_slog_seal(l, &sequence, ++outbox, 30));
	for (uint32_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(w[i].id, NULL), 0);
		assert_ok(w[i].rc);
		assert_int_equal(w[i].done, EACH);
	}
	slog_close(l);
	verify(&s, &res);
	assert_int_equal(s.calls, THREADS * EACH);
	assert_int_equal(s.outbox, outbox);
	assert_int_equal(res.calls, THREADS * EACH);
	if (segment_bytes != 0) {
		assert_true(s.opened > 5);
		assert_true(s.contexts > THREADS);
	} else {
		assert_int_equal(s.opened, 1);
		assert_int_equal(s.contexts, THREADS);
	}
	/* nothing is in it, so nothing stays */
	assert_int_equal(access(ring, F_OK), -1);
}

static void
test_slog_call__threads_lose_and_double_nothing_in_their_order(void **state)
{
	(void)state;
	run(false, 0);
}

static void
test_slog_call__each_segment_has_the_contexts_of_its_calls(void **state)
{
	(void)state;
	run(false, 100000);
}

static void
test_slog_call__who_wants_it_durable_waits_for_the_disk(void **state)
{
	(void)state;
	run(true, 0);
}

/* ---- order --------------------------------------------------------------- */

static hsa_rc
alternate(void *ctx, const struct hsa_record *r, const uint8_t *raw, size_t n)
{
	uint32_t *at = ctx;

	(void)raw;
	(void)n;
	if (r->source == HSA_SOURCE_SEALER)
		return HSA_OK;
	assert_int_equal(
	    r->source, *at % 4 == 3 ? HSA_SOURCE_OUTBOX : HSA_SOURCE_USE);
	(*at)++;
	return HSA_OK;
}

static void
test_slog_call__a_change_stands_behind_the_calls_before_it(void **state)
{
	struct slog *l = helper_slog_open(&h);
	struct cu_sink sink = slog_sink(l);
	uint32_t handle = context(sink, 1), at = 0;
	struct vfy_result res = {0};
	struct vfy_key key = {0};
	struct vfy_keys keys = {&key, 1};
	struct vfy_options opt = {
	    .keys = &keys, .on_record = alternate, .ctx = &at};
	uint64_t ticket = 0;
	struct slog_key k;

	(void)state;
	for (uint32_t i = 0; i < 400; i++) {
		struct hsa_buf b = {0};

		for (uint32_t n = 0; n < 3; n++) {
			struct cu_sink_call c = call_of(handle, 0, 3 * i + n);

			assert_ok(sink.ops->call(sink.ctx, &c, false, 0));
		}
		/* in one batch with them, most of the time */
		helper_slog_record(&b, i + 1, 20);
		assert_ok(helper_slog_put(l, &ticket, i + 1, b.p, b.len));
		hsa_buf_free(&b);
	}
	assert_ok(helper_slog_wait(l, ticket));
	slog_close(l);
	assert_ok(slog_key_init(&k, HELPER_ORIGIN, h.cfg.public_key));
	(void)snprintf(key.origin, sizeof(key.origin), "%s", HELPER_ORIGIN);
	memcpy(key.public_key, h.cfg.public_key, sizeof(key.public_key));
	memcpy(key.key_hash, k.hash, sizeof(key.key_hash));
	assert_ok(vfy_log(&res, h.dir, &opt, NULL));
	assert_false(res.bad);
	assert_int_equal(at, 1600);
}

/* ---- a process that dies ------------------------------------------------- */

static int
count_replies(int fd)
{
	char reply;
	int n = 0;

	while (read(fd, &reply, 1) == 1)
		n++;
	return n;
}

static void
child(int fd, uint64_t first)
{
	struct slog *l = helper_slog_open(&h);
	struct cu_sink sink = slog_sink(l);
	uint32_t handle = context(sink, (uint8_t)(first + 1));

	for (uint32_t i = 0;; i++) {
		struct cu_sink_call c = call_of(handle, 0, (uint32_t)first + i);

		if (!hsa_is_ok(
			sink.ops->call(sink.ctx, &c, i % 50 == 49, 1000)) ||
		    write(fd, "x", 1) != 1)
			_exit(1);
	}
}

static void
test_slog_call__a_kill_loses_no_call_that_was_answered(void **state)
{
	struct vfy_result res = {0};
	uint64_t replied = 0, drained = 0;
	struct slog_ring_status st;
	struct seen s = {0};
	struct slog *l;

	(void)state;
	h.cfg.segment_bytes = 20000;
	for (unsigned int round = 0; round < 12; round++) {
		int fds[2], status = 0;
		char first;
		pid_t pid;

		assert_int_equal(pipe(fds), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			(void)close(fds[0]);
			child(fds[1], replied);
		}
		(void)close(fds[1]);
		assert_int_equal(read(fds[0], &first, 1), 1);
		(void)usleep(round * 600);
		(void)kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		replied += 1 + (uint64_t)count_replies(fds[0]);
		(void)close(fds[0]);
		l = helper_slog_open(&h);
		slog_ring_status(l, &st);
		drained += st.drained;
		slog_close(l);
		verify(&s, &res);
		/* at most the one that was not answered any more */
		assert_true(s.calls == replied || s.calls == replied + 1);
		replied = s.calls;
	}
	print_message("  %u calls, %llu of them drained after a kill\n",
	    s.calls, (unsigned long long)drained);
	assert_true(drained > 0);
}

static void
leave_calls(uint32_t first, uint32_t n)
{
	pid_t pid = fork();
	int status = 0;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct slog *l = helper_slog_open(&h);
		struct cu_sink sink = slog_sink(l);
		uint32_t handle = context(sink, 3);

		for (uint32_t i = 0; i < n; i++) {
			struct cu_sink_call c = call_of(handle, 0, first + i);

			/* the first one is sealed, the rest may be */
			if (!hsa_is_ok(
				sink.ops->call(sink.ctx, &c, i == 0, 1000)))
				_exit(1);
		}
		(void)kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

/* Contexts of both lie at the same place of the ring. */
static void
test_slog_call__a_restart_mistakes_no_context_for_that_of_before(void **state)
{
	struct vfy_result res = {0};
	struct cu_sink_call c;
	struct cu_sink sink;
	struct seen s;
	struct slog *l;

	(void)state;
	leave_calls(0, 10);
	l = helper_slog_open(&h);
	sink = slog_sink(l);
	c = call_of(context(sink, 5), 0, 10);
	assert_int_equal(c.context, 0);
	assert_ok(sink.ops->call(sink.ctx, &c, true, 0));
	slog_close(l);
	verify(&s, &res);
	assert_int_equal(s.calls, 11);
	assert_int_equal(s.session, 5);
}

/* More than one batch takes, and holes in it. */
static void
test_slog_call__a_full_ring_of_a_dead_process_is_drained_to_its_end(
    void **state)
{
	struct slog_ring_place hole;
	struct vfy_result res = {0};
	struct slog_ring_status st;
	struct seen s;
	struct slog *l;
	pid_t pid;
	int status = 0;

	(void)state;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct helper_fault f;
		struct cu_sink sink;
		uint32_t handle;

		helper_fault_init(&f);
		h.cfg.os = &f.os;
		l = helper_slog_open(&h);
		f.sync_us = 60 * 1000 * 1000; /* a disk that hangs */
		sink = slog_sink(l);
		handle = context(sink, 3);
		for (uint32_t i = 0; i < SLOG_RING_SLOTS - 10; i++) {
			struct cu_sink_call c = call_of(handle, 0, i);

			if (!hsa_is_ok(sink.ops->call(sink.ctx, &c, false, 0)))
				_exit(1);
			if (i % 9000 == 8999 && !hsa_is_ok(slog_ring_reserve(
						    l->ring, &hole, 10, 0)))
				_exit(1);
		}
		(void)kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	l = helper_slog_open(&h);
	slog_ring_status(l, &st);
	assert_int_equal(st.used, 0);
	assert_int_equal(st.drained, SLOG_RING_SLOTS - 10);
	slog_close(l);
	verify(&s, &res);
	assert_int_equal(s.calls, SLOG_RING_SLOTS - 10);
}

static void
copy(const char *to, const char *from)
{
	struct hsa_buf b = {0};

	helper_file_read(&b, h.base, from);
	helper_file_write(h.base, to, b.p, b.len);
	hsa_buf_free(&b);
}

static void
refused(const char *text)
{
	struct hsa_diag diag = {{0}};
	struct slog *l = NULL;

	assert_rc("E_CORRUPT", slog_open(&l, &h.cfg, &diag));
	assert_null(l);
	if (strstr(diag.text, text) == NULL)
		fail_msg("%s", diag.text);
}

static void
test_slog_call__ring_and_log_that_do_not_belong_together_are_refused(
    void **state)
{
	char old[96];

	(void)state;
	leave_calls(0, 10);
	copy("old", "ring");
	(void)snprintf(old, sizeof(old), "%s.log", h.dir);
	helper_dir_copy(old, h.dir);
	slog_close(helper_slog_open(&h));
	leave_calls(10, 10);
	/* the ring of before the log's last calls */
	copy("new", "ring");
	copy("ring", "old");
	assert_int_equal(chmod(ring, 0600), 0);
	refused("the ring is an older copy");
	copy("ring", "new");
	assert_int_equal(chmod(ring, 0600), 0);
	/* the log of before the ring's last calls */
	helper_dir_remove(h.dir);
	helper_dir_copy(h.dir, old);
	refused("the log is an older copy");
}

/* ---- failures ------------------------------------------------------------ */

static void
test_slog_call__a_failing_disk_refuses_every_call_from_then_on(void **state)
{
	struct helper_fault f;
	struct worker w[THREADS];
	struct cu_sink_call c;
	struct vfy_result res = {0};
	struct seen s;
	struct slog *l;

	(void)state;
	for (unsigned int n = 6; n < 40; n++) {
		uint64_t durable = 0;

		helper_fault_init(&f);
		h.cfg.os = &f.os;
		h.cfg.ring_slots = 1024;
		f.sync_us = 100;
		f.fail_at = n;
		l = helper_slog_open(&h);
		start(w, slog_sink(l), n % 2 == 0 ? THREADS : 0, UINT32_MAX);
		for (uint32_t i = 0; i < THREADS; i++) {
			assert_int_equal(pthread_join(w[i].id, NULL), 0);
			assert_true(w[i].rc.v == HSA_E_IO ||
				    w[i].rc.v == HSA_E_STOPPED);
			durable += n % 2 == 0 ? w[i].done : 0;
		}
		c = call_of(0, 0, 0);
		assert_rc("E_IO", slog_sink(l).ops->call(l, &c, false, 1000));
		slog_close(l);
		/* what nobody could write is in the ring still */
		assert_int_equal(access(ring, F_OK), 0);
		f.fail_at = 0;
		slog_close(helper_slog_open(&h));
		assert_int_equal(access(ring, F_OK), -1);
		verify(&s, &res);
		assert_true(s.calls >= durable);
		helper_fault_free(&f);
		h.cfg.os = NULL;
		helper_dir_remove(h.dir);
	}
}

/* Some wait and some fill the ring, so that both stages have work; what lies in
 * the ring is lost with the power. */
static void
test_slog_call__power_that_goes_at_any_call_takes_no_durable_one(void **state)
{
	uint64_t durable = 0, later = 0;
	struct vfy_result res = {0};
	struct hsa_diag diag = {{0}};
	struct worker w[THREADS];
	struct helper_fault f;
	struct seen s;
	struct slog *l;
	uint64_t sequence;

	(void)state;
	h.cfg.ring_slots = 1024;
	h.cfg.segment_bytes = 30000;
	for (unsigned int n = 1; n <= 60; n++) {
		memset(w, 0, sizeof(w));
		helper_fault_init(&f);
		f.dead = f.half = true;
		f.fail_at = n;
		h.cfg.os = &f.os;
		l = NULL;
		if (hsa_is_ok(slog_open(&l, &h.cfg, &diag))) {
			start(w, slog_sink(l), 1 + n % THREADS, UINT32_MAX);
			for (uint32_t i = 0; i < THREADS; i++) {
				assert_int_equal(
				    pthread_join(w[i].id, NULL), 0);
				assert_true(w[i].rc.v == HSA_E_IO ||
					    w[i].rc.v == HSA_E_STOPPED);
			}
		}
		slog_close(l);
		helper_fault_cut(&f, h.dir, (enum helper_kept)(n % 3));
		helper_fault_free(&f);
		(void)unlink(ring);
		h.cfg.os = NULL;
		l = helper_slog_open(&h);
		assert_ok(helper_slog_seal(l, &sequence, 1, 30));
		slog_close(l);
		verify(&s, &res);
		for (uint32_t i = 0; i < THREADS; i++) {
			later += w[i].durable ? 0 : w[i].done - s.next[i];
			if (!w[i].durable)
				continue;
			assert_true(s.next[i] >= w[i].done);
			durable += w[i].done;
		}
		helper_dir_remove(h.dir);
	}
	print_message("  60 cuts: %llu calls durable, 0 lost; %llu lost with "
		      "the ring\n",
	    (unsigned long long)durable, (unsigned long long)later);
	assert_true(durable > 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_slog_call__threads_lose_and_double_nothing_in_their_order),
	    T(test_slog_call__each_segment_has_the_contexts_of_its_calls),
	    T(test_slog_call__who_wants_it_durable_waits_for_the_disk),
	    T(test_slog_call__a_change_stands_behind_the_calls_before_it),
	    T(test_slog_call__a_kill_loses_no_call_that_was_answered),
	    T(test_slog_call__a_restart_mistakes_no_context_for_that_of_before),
	    T(test_slog_call__a_full_ring_of_a_dead_process_is_drained_to_its_end),
	    T(test_slog_call__ring_and_log_that_do_not_belong_together_are_refused),
	    T(test_slog_call__a_failing_disk_refuses_every_call_from_then_on),
	    T(test_slog_call__power_that_goes_at_any_call_takes_no_durable_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
