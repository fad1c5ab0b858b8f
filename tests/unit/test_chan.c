#include <setjmp.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "chan.h"
#include "chan_window.h"
#include "helper_proto.h"
#include "helper_slog.h"
#include "hsa_codec.h"
#include "slog_impl.h"

/* ---- a collector that does what the test says ---------------------------- */

struct fixture {
	struct helper_slog h;
	struct slog *l;
	struct chan *c;
	char path[96];
	int listening, fd;
	struct hsa_buf in;
	/* what it stored, and the tree over that */
	uint64_t stored;
	struct slog_merkle tree;
	uint64_t doubled; /* records that came again */
	size_t largest;   /* frame with records */
};

static int
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int)(t.tv_sec * 1000 + t.tv_nsec / 1000000);
}

static void
listen_again(struct fixture *f)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", f->path);
	(void)unlink(f->path);
	f->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
	    bind(f->listening, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(f->listening, 4), 0);
}

static void
hang_up(struct fixture *f)
{
	if (f->fd >= 0)
		(void)close(f->fd);
	f->fd = -1;
	hsa_buf_reset(&f->in);
}

static void
accept_one(struct fixture *f)
{
	struct pollfd p = {.fd = f->listening, .events = POLLIN};

	hang_up(f);
	assert_int_equal(poll(&p, 1, 10000), 1);
	f->fd = accept(f->listening, NULL, NULL);
	assert_true(f->fd >= 0);
}

/* The next frame; false at the end of the connection. */
static bool
receive(struct fixture *f, struct hsa_frame *frame)
{
	struct pollfd p = {.fd = f->fd, .events = POLLIN};
	size_t used = 0;
	ssize_t got;
	uint8_t *to;
	hsa_rc rc;

	for (;;) {
		memset(frame, 0, sizeof(*frame));
		rc = HSA_RC(E_TRUNCATED);
		if (f->in.len != 0)
			rc = hsa_frame_decode(frame, &used, f->in.p, f->in.len);
		if (hsa_is_ok(rc)) {
			if (frame->kind == HSA_FRAME_RECORDS &&
			    used > f->largest)
				f->largest = used;
			f->in.len -= used;
			memmove(f->in.p, f->in.p + used, f->in.len);
			return true;
		}
		assert_rc("E_TRUNCATED", rc);
		assert_int_equal(poll(&p, 1, 10000), 1);
		to = hsa_buf_reserve(&f->in, 65536);
		got = recv(f->fd, to, 65536, 0);
		if (got <= 0)
			return false;
		f->in.len += (size_t)got;
	}
}

static void
send_bytes(struct fixture *f, const void *p, size_t n)
{
	/* the unit may have hung up already: that is for it to decide */
	(void)send(f->fd, p, n, MSG_NOSIGNAL);
}

static void
send_frame(struct fixture *f, const struct hsa_frame *frame)
{
	struct hsa_buf b = {0};

	assert_ok(hsa_frame_encode(&b, frame));
	send_bytes(f, b.p, b.len);
	hsa_buf_free(&b);
}

static void
send_resume(struct fixture *f, uint64_t next)
{
	struct hsa_frame r = {.kind = HSA_FRAME_RESUME, .sequence = next};

	send_frame(f, &r);
}

static void
send_ack(struct fixture *f, uint64_t size, const uint8_t root[32])
{
	struct hsa_frame a = {.kind = HSA_FRAME_ACK, .sequence = size};

	memcpy(a.root, root, 32);
	send_frame(f, &a);
}

/* Hello must come first and say who it is. */
static void
greet(struct fixture *f)
{
	struct hsa_frame hello;
	uint8_t root[32];
	uint64_t size = 0;
	struct cu_sink sink = slog_sink(f->l);

	accept_one(f);
	assert_true(receive(f, &hello));
	assert_int_equal(hello.kind, HSA_FRAME_HELLO);
	assert_string_equal(hello.origin, HELPER_ORIGIN);
	assert_int_equal(hello.epoch, 7);
	assert_int_equal(hello.unit_id[3], 3);
	sink.ops->head(sink.ctx, &size, root);
	assert_true(hello.sequence <= size);
	hsa_frame_free(&hello);
}

/* Takes frames until a checkpoint; records are checked against what is there
 * already. The root as the collector's own tree has it. */
static bool
take_batch(struct fixture *f, uint64_t *size, uint8_t root[32])
{
	struct hsa_frame frame;
	struct slog_note note;
	struct slog_key key;
	bool point = false;

	while (!point) {
		if (!receive(f, &frame))
			return false;
		if (frame.kind == HSA_FRAME_RECORDS) {
			uint64_t at = frame.sequence;

			assert_true(at <= f->stored);
			for (size_t i = 0; i < frame.record_len; i++, at++) {
				enum hsa_source source;
				uint64_t sequence, number;

				assert_ok(
				    hsa_record_peek(&sequence, &source, &number,
					frame.record[i].p, frame.record[i].n));
				assert_int_equal(sequence, at);
				assert_int_equal(number, at + 1);
				if (at < f->stored) {
					f->doubled++;
					continue;
				}
				assert_ok(slog_merkle_add(&f->tree,
				    frame.record[i].p, frame.record[i].n));
				f->stored++;
			}
		} else {
			assert_int_equal(frame.kind, HSA_FRAME_CHECKPOINT);
			assert_ok(slog_key_init(
			    &key, HELPER_ORIGIN, f->h.cfg.public_key));
			assert_ok(slog_note_parse(
			    &note, &key, frame.text, frame.text_len));
			assert_ok(slog_note_verify(&note, &key));
			*size = note.size;
			memcpy(root, note.root, 32);
			if (note.size == f->stored) {
				uint8_t mine[32];

				assert_ok(slog_merkle_root(&f->tree, mine));
				assert_memory_equal(mine, root, 32);
			}
			point = true;
		}
		hsa_frame_free(&frame);
	}
	return true;
}

/* A good collector, up to `until` records. */
static void
collect(struct fixture *f, uint64_t until)
{
	uint8_t root[32];
	uint64_t size = 0;

	while (size < until) {
		assert_true(take_batch(f, &size, root));
		send_ack(f, size, root);
	}
	assert_int_equal(f->stored, until);
}

static struct hsa_collector_status
status(struct fixture *f)
{
	struct hsa_collector_status st;

	chan_status(f->c, &st);
	return st;
}

static void
wait_acknowledged(struct fixture *f, uint64_t n)
{
	int until = now_ms() + 10000;

	while (status(f).acknowledged != n && now_ms() < until)
		(void)usleep(1000);
	assert_int_equal(status(f).acknowledged, n);
}

static void
wait_error(struct fixture *f, const char *text)
{
	int until = now_ms() + 10000;

	while (strstr(status(f).last_error, text) == NULL && now_ms() < until)
		(void)usleep(1000);
	if (strstr(status(f).last_error, text) == NULL)
		fail_msg("no '%s' in '%s'", text, status(f).last_error);
}

/* The status follows the connection by a moment. */
static void
wait_away(struct fixture *f)
{
	int until = now_ms() + 10000;

	while (status(f).connected && now_ms() < until)
		(void)usleep(1000);
	assert_false(status(f).connected);
}

/* The unit hangs up; what it says last. */
static void
expect_refuse(struct fixture *f, const char *text)
{
	struct hsa_frame frame;
	bool said = false;

	while (receive(f, &frame)) {
		if (frame.kind == HSA_FRAME_REFUSE)
			said = strstr(frame.text, text) != NULL;
		hsa_frame_free(&frame);
	}
	assert_true(said);
	wait_error(f, text);
}

static void
begin_pausing(struct fixture *f, int pause_ms)
{
	struct chan_config cfg = {.name = "test",
	    .origin = HELPER_ORIGIN,
	    .epoch = 7,
	    .pause_max_ms = pause_ms};
	char address[120];

	(void)snprintf(address, sizeof(address), "unix:%s", f->path);
	cfg.address = address;
	for (uint8_t i = 0; i < HSA_UUID_LEN; i++)
		cfg.unit_id[i] = i;
	assert_ok(chan_start(&f->c, &cfg, f->l));
}

static void
begin(struct fixture *f)
{
	begin_pausing(f, 20); /* tests are in a hurry */
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	helper_slog_init(&f->h);
	f->h.cfg.segment_bytes = 20000;
	f->l = helper_slog_open(&f->h);
	f->fd = f->listening = -1;
	(void)snprintf(f->path, sizeof(f->path), "%s/sock", f->h.base);
	assert_ok(slog_merkle_init(&f->tree));
	listen_again(f);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	chan_stop(f->c, 0);
	hang_up(f);
	(void)close(f->listening);
	slog_close(f->l);
	slog_merkle_free(&f->tree);
	hsa_buf_free(&f->in);
	helper_slog_free(&f->h);
	free(f);
	return 0;
}

/* ---- what works ---------------------------------------------------------- */

static void
test_chan__a_log_arrives_in_order_and_the_cursor_follows_acks(void **state)
{
	struct fixture *f = *state;
	uint64_t size = 0;

	for (uint64_t i = 0; i < 20; i++, size += 7)
		helper_slog_batch(f->l, size + 1, 7, 60);
	begin(f);
	greet(f);
	assert_int_equal(status(f).acknowledged, 0);
	send_resume(f, 0);
	collect(f, size);
	wait_acknowledged(f, size);
	assert_true(status(f).connected);
	assert_string_equal(status(f).name, "test");
	assert_string_equal(status(f).last_error, "");
	/* and what is sealed from now on */
	for (uint64_t i = 0; i < 50; i++, size++) {
		helper_slog_batch(f->l, size + 1, 1, 60);
		collect(f, size + 1);
	}
	wait_acknowledged(f, size);
	assert_int_equal(f->doubled, 0);
}

static void
test_chan__records_alone_advance_nothing(void **state)
{
	struct fixture *f = *state;
	uint8_t root[32];
	uint64_t size = 0;

	helper_slog_batch(f->l, 1, 5, 60);
	begin(f);
	greet(f);
	send_resume(f, 0);
	while (size < 5)
		assert_true(take_batch(f, &size, root));
	(void)usleep(50000);
	assert_int_equal(status(f).acknowledged, 0);
	send_ack(f, size, root);
	wait_acknowledged(f, 5);
}

static void
test_chan__a_broken_connection_is_resumed_where_the_collector_says(void **state)
{
	struct fixture *f = *state;
	uint8_t root[32];
	uint64_t size = 0, sealed = 0;

	for (uint64_t i = 0; i < 30; i++, sealed += 3)
		helper_slog_batch(f->l, sealed + 1, 3, 60);
	begin(f);
	for (int round = 0; round < 12; round++) {
		greet(f);
		/* sometimes a little back: redelivery is harmless */
		send_resume(f, round % 3 == 2 && f->stored > 2 ? f->stored - 2
							       : f->stored);
		for (int k = 0; k < round % 4 && size < sealed; k++) {
			assert_true(take_batch(f, &size, root));
			if (k % 2 == 0)
				send_ack(f, size, root);
		}
		hang_up(f);
		helper_slog_batch(f->l, sealed + 1, 2, 60);
		sealed += 2;
	}
	greet(f);
	send_resume(f, f->stored);
	collect(f, sealed);
	wait_acknowledged(f, sealed);
	assert_int_equal(f->stored, sealed);
	assert_true(f->doubled > 0);
}

static void
test_chan__a_connection_cut_at_every_byte_loses_nothing(void **state)
{
	struct fixture *f = *state;
	uint8_t byte;

	helper_slog_batch(f->l, 1, 3, 10);
	begin(f);
	for (size_t n = 0; n < 40; n++) {
		greet(f);
		send_resume(f, 0);
		for (size_t i = 0; i < 9 * n; i++) /* half a frame */
			if (recv(f->fd, &byte, 1, MSG_DONTWAIT) != 1)
				break;
		hang_up(f);
		if (n % 10 == 9) { /* keep its patience short */
			greet(f);
			send_resume(f, f->stored);
			collect(f, 3);
			wait_acknowledged(f, 3);
			hang_up(f);
		}
	}
}

static void
test_chan__a_collector_that_comes_late_gets_everything(void **state)
{
	struct fixture *f = *state;

	(void)close(f->listening);
	(void)unlink(f->path);
	helper_slog_batch(f->l, 1, 5, 60);
	begin(f);
	wait_error(f, "start the collector");
	assert_false(status(f).connected);
	listen_again(f);
	greet(f);
	send_resume(f, 0);
	collect(f, 5);
	wait_acknowledged(f, 5);
	assert_string_equal(status(f).last_error, "");
}

static void
test_chan__answers_may_come_in_single_bytes(void **state)
{
	struct fixture *f = *state;
	struct hsa_frame r = {.kind = HSA_FRAME_RESUME};
	struct hsa_frame a = {.kind = HSA_FRAME_ACK};
	struct hsa_buf b = {0};
	uint64_t size = 0;

	helper_slog_batch(f->l, 1, 5, 60);
	begin(f);
	greet(f);
	assert_ok(hsa_frame_encode(&b, &r));
	for (size_t i = 0; i < b.len; i++) {
		send_bytes(f, b.p + i, 1);
		(void)usleep(2000);
	}
	while (size < 5)
		assert_true(take_batch(f, &size, a.root));
	a.sequence = size;
	hsa_buf_reset(&b);
	assert_ok(hsa_frame_encode(&b, &a));
	for (size_t i = 0; i < b.len; i++) {
		send_bytes(f, b.p + i, 1);
		(void)usleep(1000);
	}
	wait_acknowledged(f, 5);
	hsa_buf_free(&b);
}

static void
test_chan__a_slow_collector_gets_bounded_frames_and_every_record(void **state)
{
	struct fixture *f = *state;
	uint64_t size = 0, sealed = 0;
	uint8_t root[32];

	for (uint64_t i = 0; i < 40; i++, sealed += 20)
		helper_slog_batch(f->l, sealed + 1, 20, 5000); /* 4 MB */
	begin(f);
	greet(f);
	send_resume(f, 0);
	(void)usleep(200000);
	while (size < sealed) {
		assert_true(take_batch(f, &size, root));
		(void)usleep(3000);
	}
	assert_true(f->largest < 512 * 1024);
	/* one Ack for everything */
	send_ack(f, size, root);
	wait_acknowledged(f, sealed);
	assert_int_equal(f->doubled, 0);
}

static void
test_chan__more_checkpoints_than_the_window_wait_for_acks(void **state)
{
	struct fixture *f = *state;
	uint64_t size = 0, sealed = 0;
	uint8_t root[32];
	size_t open = 0;

	for (; sealed < 2500; sealed++)
		helper_slog_batch(f->l, sealed + 1, 1, 5);
	begin(f);
	greet(f);
	send_resume(f, 0);
	while (size < sealed) {
		struct pollfd p = {.fd = f->fd, .events = POLLIN};

		/* acknowledge only when nothing more comes */
		if (size > 0 && f->in.len == 0 && poll(&p, 1, 200) == 0) {
			send_ack(f, size, root);
			open = 1; /* the last one is kept */
		}
		assert_true(take_batch(f, &size, root));
		assert_true(++open <= CHAN_WINDOW);
	}
	send_ack(f, size, root);
	wait_acknowledged(f, sealed);
	assert_int_equal(f->stored, sealed);
}

/* A new process knows of no Ack: the checkpoint at Resume gets it one. */
static void
test_chan__the_checkpoint_at_resume_is_sent_again(void **state)
{
	struct fixture *f = *state;
	struct hsa_frame frame;
	uint8_t root[32];

	helper_slog_batch(f->l, 1, 1, 60);
	helper_slog_batch(f->l, 2, 1, 60);
	begin(f);
	greet(f);
	send_resume(f, 0);
	collect(f, 2);
	wait_acknowledged(f, 2);
	chan_stop(f->c, 0);
	begin(f);
	greet(f);
	assert_int_equal(status(f).acknowledged, 0);
	send_resume(f, 2);
	assert_true(receive(f, &frame)); /* without a record before it */
	assert_int_equal(frame.kind, HSA_FRAME_CHECKPOINT);
	hsa_frame_free(&frame);
	assert_ok(slog_merkle_root(&f->tree, root));
	send_ack(f, 2, root);
	wait_acknowledged(f, 2);
	send_ack(f, 2, root); /* a repeated Ack is none too many */
	helper_slog_batch(f->l, 3, 1, 60);
	collect(f, 3);
	wait_acknowledged(f, 3);
	assert_true(status(f).connected);
	assert_int_equal(f->doubled, 0);
}

static void
test_chan__the_cursor_never_goes_back(void **state)
{
	struct fixture *f = *state;
	uint64_t size = 0;
	uint8_t root[32];

	for (uint64_t i = 1; i <= 4; i++)
		helper_slog_batch(f->l, i, 1, 60);
	begin(f);
	greet(f);
	send_resume(f, 0);
	collect(f, 4);
	wait_acknowledged(f, 4);
	greet(f); /* a copy restored from an old backup */
	send_resume(f, 1);
	while (size < 4) {
		assert_true(take_batch(f, &size, root));
		send_ack(f, size, root);
		(void)usleep(20000);
		assert_int_equal(status(f).acknowledged, 4);
	}
	assert_int_equal(f->doubled, 3);
}

static void
test_chan__resume_between_checkpoints_goes_on_there(void **state)
{
	struct fixture *f = *state;
	uint64_t size = 0;
	uint8_t root[32];

	helper_slog_batch(f->l, 1, 40, 60);
	begin(f);
	for (uint64_t next = 0; next < 40; next++) {
		greet(f);
		send_resume(f, next);
		size = 0;
		while (size < 40)
			assert_true(take_batch(f, &size, root));
		assert_int_equal(f->stored, 40);
		send_ack(f, size, root);
		wait_acknowledged(f, 40);
		hang_up(f);
	}
	assert_int_equal(f->doubled, 40 * 39 / 2);
}

/* ---- what is refused (C3, C4) -------------------------------------------- */

static void
recovers(struct fixture *f, uint64_t sealed)
{
	greet(f);
	send_resume(f, f->stored);
	collect(f, sealed);
	helper_slog_batch(f->l, sealed + 1, 1, 20);
	collect(f, sealed + 1);
	wait_acknowledged(f, sealed + 1);
	assert_string_equal(status(f).last_error, "");
}

static void
test_chan__an_ack_with_another_root_closes_and_advances_nothing(void **state)
{
	struct fixture *f = *state;
	uint64_t size = 0;
	uint8_t root[32];

	helper_slog_batch(f->l, 1, 1, 60);
	begin(f);
	greet(f);
	send_resume(f, 0);
	assert_true(take_batch(f, &size, root));
	root[31] ^= 1;
	send_ack(f, size, root);
	expect_refuse(f, "another root");
	assert_int_equal(status(f).acknowledged, 0);
	wait_away(f);
	recovers(f, 1);
}

static void
test_chan__an_ack_from_the_future_closes_and_advances_nothing(void **state)
{
	struct fixture *f = *state;
	uint64_t size = 0;
	uint8_t root[32];

	helper_slog_batch(f->l, 1, 1, 60);
	begin(f);
	greet(f);
	send_resume(f, 0);
	assert_true(take_batch(f, &size, root));
	send_ack(f, size + 1, root);
	expect_refuse(f, "no checkpoint there");
	assert_int_equal(status(f).acknowledged, 0);
	recovers(f, 1);
}

static void
test_chan__an_old_ack_with_another_root_closes(void **state)
{
	struct fixture *f = *state;
	struct hsa_frame frame;
	static const uint8_t root[32];

	helper_slog_batch(f->l, 1, 1, 60);
	begin(f);
	greet(f);
	send_resume(f, 1);
	assert_true(receive(f, &frame));
	hsa_frame_free(&frame);
	send_ack(f, 1, root);
	expect_refuse(f, "another root");
	assert_int_equal(status(f).acknowledged, 0);
}

static void
test_chan__resume_beyond_the_log_is_refused(void **state)
{
	struct fixture *f = *state;
	uint64_t beyond[] = {6, 1000, UINT64_MAX};

	helper_slog_batch(f->l, 1, 5, 60);
	begin(f);
	for (size_t i = 0; i < 3; i++) {
		greet(f);
		send_resume(f, beyond[i]);
		expect_refuse(f, "a log this unit never made");
		wait_away(f);
	}
	recovers(f, 5);
}

static void
test_chan__garbage_and_frames_out_of_turn_are_refused(void **state)
{
	static const uint8_t garbage[][12] = {
	    {0x07, 'G', 'E', 'T', ' ', '/', ' ', 'H'},
	    {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff},
	    {0x00},
	    {0x80, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06},
	};
	static const uint8_t root[32];
	struct fixture *f = *state;

	helper_slog_batch(f->l, 1, 2, 60);
	begin(f);
	for (size_t i = 0; i < 4; i++) {
		greet(f);
		send_bytes(f, garbage[i], sizeof(garbage[i]));
		expect_refuse(f, "no frame");
	}
	greet(f);
	send_ack(f, 0, root); /* before Resume */
	expect_refuse(f, "out of turn");
	greet(f);
	send_resume(f, 0);
	send_resume(f, 0);
	expect_refuse(f, "out of turn");
	recovers(f, 2);
}

static void
test_chan__a_frame_that_never_ends_is_bounded(void **state)
{
	struct fixture *f = *state;
	uint8_t zero[1024] = {0};
	struct hsa_buf b = {0};
	struct hsa_frame frame;
	bool said = false;

	begin(f);
	greet(f);
	hsa_buf_varint(&b, 1000000); /* a Refuse of a megabyte */
	hsa_buf_u8(&b, 0x32);
	send_bytes(f, b.p, b.len);
	memset(zero, 'a', sizeof(zero));
	for (int i = 0; i < 80; i++)
		send_bytes(f, zero, sizeof(zero));
	while (receive(f, &frame)) {
		said = frame.kind == HSA_FRAME_REFUSE;
		hsa_frame_free(&frame);
	}
	/* the socket may be reset with our bytes in it: then only the status
	 * tells */
	wait_error(f, "no frame");
	(void)said;
	hsa_buf_free(&b);
}

static void
test_chan__what_the_collector_refuses_is_shown_as_plain_text(void **state)
{
	struct fixture *f = *state;
	static char text[] = "no key\nfor \xe2\x82\xac this origin";
	struct hsa_frame r = {.kind = HSA_FRAME_REFUSE,
	    .text = text,
	    .text_len = sizeof(text) - 1};
	int start;

	begin_pausing(f, 0);
	greet(f);
	send_frame(f, &r);
	wait_error(f, "the collector refuses: no key?for ??? this origin");
	hang_up(f);
	start = now_ms();
	greet(f); /* slowly */
	assert_true(now_ms() - start > 1000);
}

static void
test_chan__pauses_double_while_nobody_listens(void **state)
{
	struct fixture *f = *state;
	int start;

	begin_pausing(f, 0);
	start = now_ms();
	for (int i = 0; i < 4; i++) { /* 50, 100, 200 */
		accept_one(f);
		hang_up(f);
	}
	assert_true(now_ms() - start >= 330 && now_ms() - start < 2000);
}

/* ---- the end ------------------------------------------------------------- */

static void *
drain_later(void *arg)
{
	struct fixture *f = arg;

	(void)usleep(100000);
	collect(f, 5);
	return NULL;
}

static void
test_chan__stop_waits_for_the_last_ack(void **state)
{
	struct fixture *f = *state;
	pthread_t thread;
	int start;

	helper_slog_batch(f->l, 1, 5, 60);
	begin(f);
	greet(f);
	send_resume(f, 0);
	assert_int_equal(pthread_create(&thread, NULL, drain_later, f), 0);
	start = now_ms();
	chan_stop(f->c, 10000);
	f->c = NULL;
	assert_true(now_ms() - start < 5000);
	assert_true(now_ms() - start >= 90);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(f->stored, 5);
}

static void
test_chan__stop_gives_up_on_a_dead_collector(void **state)
{
	struct fixture *f = *state;
	int start;

	helper_slog_batch(f->l, 1, 5, 60);
	(void)close(f->listening);
	begin(f);
	start = now_ms();
	chan_stop(f->c, 300);
	assert_true(now_ms() - start >= 290 && now_ms() - start < 2000);
	begin(f);
	start = now_ms();
	chan_stop(f->c, 0);
	assert_true(now_ms() - start < 1000);
	f->c = NULL;
	chan_stop(NULL, 5);
	listen_again(f);
}

static void
test_chan__a_dead_collector_does_not_hold_the_log(void **state)
{
	struct fixture *f = *state;
	uint64_t sequence = 0;
	int start;

	begin(f);
	greet(f); /* and never a word */
	start = now_ms();
	for (uint64_t i = 0; i < 500; i++)
		assert_ok(helper_slog_seal(f->l, &sequence, i + 1, 2000));
	assert_true(now_ms() - start < 5000);
}

static void
test_chan__addresses_that_are_none_are_refused(void **state)
{
	struct fixture *f = *state;
	char longest[200];
	struct chan_config cfg = {.name = "x", .origin = HELPER_ORIGIN};
	struct chan *c = NULL;

	cfg.address = "tcp:localhost:1";
	assert_rc("E_UNSUPPORTED", chan_start(&c, &cfg, f->l));
	cfg.address = "unix:";
	assert_rc("E_ARG", chan_start(&c, &cfg, f->l));
	(void)snprintf(longest, sizeof(longest), "unix:%0150d", 1);
	cfg.address = longest;
	assert_rc("E_ARG", chan_start(&c, &cfg, f->l));
	cfg.origin = "";
	cfg.address = "unix:/x";
	assert_rc("E_ARG", chan_start(&c, &cfg, f->l));
	assert_null(c);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_chan__a_log_arrives_in_order_and_the_cursor_follows_acks),
	    T(test_chan__records_alone_advance_nothing),
	    T(test_chan__a_broken_connection_is_resumed_where_the_collector_says),
	    T(test_chan__a_connection_cut_at_every_byte_loses_nothing),
	    T(test_chan__a_collector_that_comes_late_gets_everything),
	    T(test_chan__answers_may_come_in_single_bytes),
	    T(test_chan__a_slow_collector_gets_bounded_frames_and_every_record),
	    T(test_chan__more_checkpoints_than_the_window_wait_for_acks),
	    T(test_chan__the_checkpoint_at_resume_is_sent_again),
	    T(test_chan__the_cursor_never_goes_back),
	    T(test_chan__resume_between_checkpoints_goes_on_there),
	    T(test_chan__an_ack_with_another_root_closes_and_advances_nothing),
	    T(test_chan__an_ack_from_the_future_closes_and_advances_nothing),
	    T(test_chan__an_old_ack_with_another_root_closes),
	    T(test_chan__resume_beyond_the_log_is_refused),
	    T(test_chan__garbage_and_frames_out_of_turn_are_refused),
	    T(test_chan__a_frame_that_never_ends_is_bounded),
	    T(test_chan__what_the_collector_refuses_is_shown_as_plain_text),
	    T(test_chan__pauses_double_while_nobody_listens),
	    T(test_chan__stop_waits_for_the_last_ack),
	    T(test_chan__stop_gives_up_on_a_dead_collector),
	    T(test_chan__a_dead_collector_does_not_hold_the_log),
	    T(test_chan__addresses_that_are_none_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
