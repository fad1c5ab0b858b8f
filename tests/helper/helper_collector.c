#include <setjmp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "helper_collector.h"
#include "helper_proto.h"
#include "slog_note.h"

const uint8_t hcol_unit_id[HSA_UUID_LEN] = {
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
const uint8_t hcol_other_id[HSA_UUID_LEN] = {
    100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112};

long
hcol_now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- the operations ------------------------------------------------------ */

/* What every command of a unit waits for: its record, durable. */
static void *
work(void *arg)
{
	struct hcol *f = arg;
	uint64_t sequence;

	while (atomic_load(&f->working)) {
		long began = hcol_now_ms();
		unsigned int took;

		if (!hsa_is_ok(
			helper_slog_seal(f->l, &sequence, ++f->number, 60)))
			abort();
		took = (unsigned int)(hcol_now_ms() - began);
		if (took > atomic_load(&f->slowest_ms))
			atomic_store(&f->slowest_ms, took);
		(void)atomic_fetch_add(&f->done, 1);
		(void)usleep(200);
	}
	return NULL;
}

uint64_t
hcol_log_size(struct hcol *f)
{
	struct cu_sink sink = slog_sink(f->l);
	uint8_t root[32];
	uint64_t size = 0;

	sink.ops->head(sink.ctx, &size, root);
	return size;
}

void
hcol_work(struct hcol *f)
{
	atomic_store(&f->working, true);
	assert_int_equal(pthread_create(&f->worker, NULL, work, f), 0);
}

uint64_t
hcol_rest(struct hcol *f)
{
	if (atomic_exchange(&f->working, false))
		assert_int_equal(pthread_join(f->worker, NULL), 0);
	return hcol_log_size(f);
}

/* ---- one end of a connection --------------------------------------------- */

void
hcol_hang_up(struct hcol *f)
{
	helper_end_free(f->ssl);
	f->ssl = NULL;
	if (f->fd >= 0)
		(void)close(f->fd);
	f->fd = -1;
	hsa_buf_reset(&f->in);
}

void
hcol_accept(struct hcol *f)
{
	const struct timeval limit = {5, 0};
	struct pollfd p = {.fd = f->listening, .events = POLLIN};

	hcol_hang_up(f);
	assert_int_equal(poll(&p, 1, 10000), 1);
	f->fd = accept(f->listening, NULL, NULL);
	assert_true(f->fd >= 0);
	(void)setsockopt(f->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	(void)setsockopt(f->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

void
hcol_put(struct hcol *f, const void *p, size_t n)
{
	/* the unit may have hung up already: that is for it to decide */
	(void)helper_end_put(f->ssl, f->fd, p, n);
}

bool
hcol_receive(struct hcol *f, struct hsa_frame *frame)
{
	size_t used = 0, got;
	hsa_rc rc;

	for (;;) {
		memset(frame, 0, sizeof(*frame));
		rc = HSA_RC(E_TRUNCATED);
		if (f->in.len != 0)
			rc = hsa_frame_decode(frame, &used, f->in.p, f->in.len);
		if (hsa_is_ok(rc)) {
			f->in.len -= used;
			memmove(f->in.p, f->in.p + used, f->in.len);
			return true;
		}
		assert_rc("E_TRUNCATED", rc);
		got = helper_end_get(
		    f->ssl, f->fd, hsa_buf_reserve(&f->in, 65536), 65536);
		if (got == 0)
			return false;
		f->in.len += got;
	}
}

/* Accept as a good collector does; a unit that was about to give up the
 * connection before gets another chance. */
void
hcol_greet(struct hcol *f)
{
	const struct helper_end e = {
	    .ca = f->ca_file, .identity = f->file, .server = true};
	struct hsa_frame hello;

	for (int tries = 0; tries < 50; tries++) {
		hcol_accept(f);
		if (f->tls)
			f->ssl = helper_end_tls(f->fd, &e);
		if ((f->tls && f->ssl == NULL) || !hcol_receive(f, &hello))
			continue;
		assert_int_equal(hello.kind, HSA_FRAME_HELLO);
		hsa_frame_free(&hello);
		return;
	}
	fail_msg("the unit does not come any more");
}

void
hcol_put_frame(struct hcol *f, const struct hsa_frame *frame)
{
	struct hsa_buf b = {0};

	assert_ok(hsa_frame_encode(&b, frame));
	hcol_put(f, b.p, b.len);
	hsa_buf_free(&b);
}

void
hcol_resume(struct hcol *f, uint64_t next)
{
	const struct hsa_frame r = {.kind = HSA_FRAME_RESUME, .sequence = next};

	hcol_put_frame(f, &r);
}

void
hcol_ack(struct hcol *f, uint64_t size, const uint8_t root[32])
{
	struct hsa_frame a = {.kind = HSA_FRAME_ACK, .sequence = size};

	memcpy(a.root, root, 32);
	hcol_put_frame(f, &a);
}

/* Up to the next checkpoint, whose size and root are kept. */
bool
hcol_take_batch(struct hcol *f)
{
	struct hsa_frame frame;
	struct slog_note note;
	struct slog_key key;
	bool point = false;

	while (!point) {
		if (!hcol_receive(f, &frame))
			return false;
		point = frame.kind == HSA_FRAME_CHECKPOINT;
		if (point) {
			assert_ok(slog_key_init(
			    &key, HELPER_ORIGIN, f->h.cfg.public_key));
			assert_ok(slog_note_parse(
			    &note, &key, frame.text, frame.text_len));
			assert_ok(slog_note_verify(&note, &key));
			f->size = note.size;
			memcpy(f->root, note.root, 32);
		}
		hsa_frame_free(&frame);
	}
	return true;
}

struct hsa_collector_status
hcol_status(struct hcol *f)
{
	struct hsa_collector_status st;

	chan_status(f->c, &st);
	return st;
}

void
hcol_wait_acknowledged(struct hcol *f, uint64_t n)
{
	long until = hcol_now_ms() + 10000;

	while (hcol_status(f).acknowledged != n && hcol_now_ms() < until)
		(void)usleep(1000);
	assert_int_equal(hcol_status(f).acknowledged, n);
}

/* ---- life --------------------------------------------------------------- */

static void
start_listening(struct hcol *f)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	if (f->tls) {
		f->listening = helper_tcp_listen(&f->port);
		return;
	}
	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", f->path);
	(void)unlink(f->path);
	f->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
	    bind(f->listening, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(f->listening, 64), 0);
}

static void
start_unit(struct hcol *f, int stall_ms)
{
	struct chan_config cfg = {.name = "test",
	    .origin = HELPER_ORIGIN,
	    .epoch = 7,
	    .tls_ca = f->ca_file,
	    .tls_identity = f->unit_file,
	    .tls_name = HCOL_NAME,
	    .pause_max_ms = 20,
	    .hello_ms = 500,
	    .stall_ms = stall_ms};
	char address[120];

	if (f->tls)
		(void)snprintf(
		    address, sizeof(address), "tls:localhost:%u", f->port);
	else
		(void)snprintf(address, sizeof(address), "unix:%s", f->path);
	cfg.address = address;
	memcpy(cfg.unit_id, hcol_unit_id, sizeof(hcol_unit_id));
	assert_ok(chan_start(&f->c, &cfg, f->l));
}

struct hcol *
hcol_begin(bool tls, int stall_ms)
{
	struct hcol *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->tls = tls;
	f->fd = -1;
	helper_slog_init(&f->h);
	f->l = helper_slog_open(&f->h);
	(void)snprintf(f->path, sizeof(f->path), "%s/sock", f->h.base);
	(void)snprintf(f->ca_file, sizeof(f->ca_file), "%s/ca", f->h.base);
	(void)snprintf(
	    f->wrong_file, sizeof(f->wrong_file), "%s/wrong", f->h.base);
	(void)snprintf(f->unit_file, sizeof(f->unit_file), "%s/u", f->h.base);
	(void)snprintf(f->file, sizeof(f->file), "%s/collector", f->h.base);
	helper_ca_new(&f->ca, "right");
	helper_ca_new(&f->wrong, "wrong");
	helper_ca_write(&f->ca, f->ca_file);
	helper_ca_write(&f->wrong, f->wrong_file);
	helper_ca_issue_unit(&f->ca, hcol_unit_id, f->unit_file);
	helper_ca_issue_collector(&f->ca, HCOL_NAME, f->file);
	start_listening(f);
	f->number = 9;
	helper_slog_batch(f->l, 1, 9, 60);
	start_unit(f, stall_ms);
	return f;
}

void
hcol_end(struct hcol *f)
{
	(void)hcol_rest(f);
	chan_stop(f->c, 0);
	hcol_hang_up(f);
	(void)close(f->listening);
	slog_close(f->l);
	helper_ca_free(&f->ca);
	helper_ca_free(&f->wrong);
	hsa_buf_free(&f->in);
	helper_slog_free(&f->h);
	free(f);
}
