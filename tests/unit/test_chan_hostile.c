/*
 * Shows 5: what a stalled, slow or malicious collector can do to a unit. Each
 * row of the table is played over real sockets while operations go on, and
 * then a good collector takes over and gets everything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/ssl.h>
#include <cmocka.h>

#include "helper_collector.h"
#include "helper_proto.h"

#define SLOWEST_MS 2000 /* an operation, on a machine with other work */

/* ---- what they do: frames ------------------------------------------------ */

static void
never_accepts(struct hcol *f)
{
	(void)f;
}

static void
never_answers(struct hcol *f)
{
	hcol_greet(f);
}

static void
half_a_frame(struct hcol *f)
{
	hcol_greet(f);
	hcol_put(f, "\x0b\x12", 2);
}

static void
half_a_frame_and_away(struct hcol *f)
{
	half_a_frame(f);
	hcol_hang_up(f);
}

static void
never_acknowledges(struct hcol *f)
{
	hcol_greet(f);
	hcol_resume(f, 0);
	while (hcol_take_batch(f))
		continue;
}

static void
never_reads(struct hcol *f)
{
	hcol_greet(f);
	hcol_resume(f, 0);
}

static void
begin_batch(struct hcol *f)
{
	hcol_greet(f);
	hcol_resume(f, 0);
	assert_true(hcol_take_batch(f));
}

static void
acks_another_root(struct hcol *f)
{
	begin_batch(f);
	f->root[31] ^= 1;
	hcol_ack(f, f->size, f->root);
}

static void
acks_the_future(struct hcol *f)
{
	begin_batch(f);
	hcol_ack(f, UINT64_MAX, f->root);
}

static void
acks_one_more(struct hcol *f)
{
	begin_batch(f);
	while (hcol_take_batch(f) && f->size < 1000 && hcol_status(f).connected)
		if (f->size >= hcol_log_size(f))
			break;
	hcol_ack(f, f->size + 100000, f->root);
}

static void
acks_before_resume(struct hcol *f)
{
	hcol_greet(f);
	hcol_ack(f, f->size, f->root);
}

/* Of the connection before this one, as from an epoch that is over. */
static void
acks_what_an_old_epoch_sent(struct hcol *f)
{
	uint64_t size = f->size;
	uint8_t root[32];

	memcpy(root, f->root, 32);
	hcol_greet(f);
	hcol_resume(f, size + 1);
	assert_true(hcol_take_batch(f));
	hcol_ack(f, size, root);
}

static void
resumes_beyond_the_log(struct hcol *f)
{
	hcol_greet(f);
	hcol_resume(f, UINT64_MAX);
}

static void
resumes_twice(struct hcol *f)
{
	begin_batch(f);
	hcol_resume(f, 0);
}

static void
sends_garbage(struct hcol *f)
{
	uint8_t junk[3000];

	hcol_greet(f);
	for (size_t i = 0; i < sizeof(junk); i++)
		junk[i] = (uint8_t)(i * 131 + 100);
	hcol_put(f, junk, sizeof(junk));
}

static void
sends_an_oversized_frame(struct hcol *f)
{
	static const uint8_t two_mib[] = {0x80, 0x80, 0x80, 0x01, 0x12};

	hcol_greet(f);
	hcol_put(f, two_mib, sizeof(two_mib));
}

/* A length that is allowed, and then no end. */
static void
sends_a_frame_without_end(struct hcol *f)
{
	static const uint8_t head[] = {0x80, 0x80, 0x20, 0x32};
	uint8_t more[1024] = {0};

	hcol_greet(f);
	hcol_put(f, head, sizeof(head));
	for (int i = 0; i < 100; i++)
		hcol_put(f, more, sizeof(more));
}

static void
sends_what_a_unit_sends(struct hcol *f)
{
	struct hsa_frame h = {.kind = HSA_FRAME_HELLO, .epoch = 1};

	hcol_greet(f);
	(void)snprintf(h.origin, sizeof(h.origin), "%s", HELPER_ORIGIN);
	hcol_put_frame(f, &h);
}

static void
refuses(struct hcol *f)
{
	char text[] = "the cellar is full";
	const struct hsa_frame r = {.kind = HSA_FRAME_REFUSE,
	    .text = text,
	    .text_len = sizeof(text) - 1};

	hcol_greet(f);
	hcol_put_frame(f, &r);
}

/* One checkpoint further than before. */
static void
begin_next(struct hcol *f)
{
	uint64_t before = f->size;

	hcol_greet(f);
	hcol_resume(f, before);
	do
		assert_true(hcol_take_batch(f));
	while (f->size == before);
}

/* Good, but in single bytes. */
static void
drips(struct hcol *f)
{
	struct hsa_frame a = {.kind = HSA_FRAME_ACK};
	struct hsa_buf b = {0};

	begin_next(f);
	a.sequence = f->size;
	memcpy(a.root, f->root, 32);
	assert_ok(hsa_frame_encode(&b, &a));
	for (size_t i = 0; i < b.len; i++) {
		hcol_put(f, b.p + i, 1);
		(void)usleep(5000);
	}
	hsa_buf_free(&b);
}

static void
acks_a_thousand_times(struct hcol *f)
{
	begin_next(f);
	for (int i = 0; i < 1000; i++)
		hcol_ack(f, f->size, f->root);
}

/* ---- what they do: TLS --------------------------------------------------- */

static void
shake(struct hcol *f, const struct helper_end *e)
{
	struct hsa_frame hello;

	hcol_accept(f);
	f->ssl = helper_end_tls(f->fd, e);
	/* the unit does not say who it is to somebody whom it does not know */
	if (f->ssl != NULL)
		assert_false(hcol_receive(f, &hello));
}

static void
with_cert(
    struct hcol *f, const struct helper_ca *ca, const struct helper_cert *c)
{
	char file[128];
	const struct helper_end e = {
	    .ca = f->ca_file, .identity = file, .server = true};

	(void)snprintf(file, sizeof(file), "%s/bad.pem", f->h.base);
	helper_ca_issue(ca, c, file);
	shake(f, &e);
}

static const struct helper_cert good = {
    .dns = HCOL_NAME, .server = true, .from = -3600, .until = 3600};

static void
wrong_ca(struct hcol *f)
{
	with_cert(f, &f->wrong, &good);
}

static void
expired(struct hcol *f)
{
	struct helper_cert c = good;

	c.until = -60;
	with_cert(f, &f->ca, &c);
}

static void
not_yet_valid(struct hcol *f)
{
	struct helper_cert c = good;

	c.from = 1800;
	with_cert(f, &f->ca, &c);
}

static void
wrong_name(struct hcol *f)
{
	struct helper_cert c = good;

	c.dns = "another.test";
	with_cert(f, &f->ca, &c);
}

static void
wildcard(struct hcol *f)
{
	struct helper_cert c = good;

	c.dns = "*.test";
	with_cert(f, &f->ca, &c);
}

static void
a_units_certificate(struct hcol *f)
{
	struct helper_cert c = good;

	c.server = false;
	c.client = true;
	c.unit_id = hcol_other_id;
	with_cert(f, &f->ca, &c);
}

static void
tls12(struct hcol *f)
{
	const struct helper_end e = {.ca = f->ca_file,
	    .identity = f->file,
	    .server = true,
	    .tls12 = true};

	shake(f, &e);
}

static void
another_protocol(struct hcol *f)
{
	const struct helper_end e = {.ca = f->ca_file,
	    .identity = f->file,
	    .server = true,
	    .no_alpn = true};

	shake(f, &e);
}

static void
distrusts_the_unit(struct hcol *f)
{
	const struct helper_end e = {
	    .ca = f->wrong_file, .identity = f->file, .server = true};

	shake(f, &e);
	/* what it said is read before the connection goes */
	(void)shutdown(f->fd, SHUT_WR);
	(void)usleep(100000);
}

static void
plain_bytes(struct hcol *f)
{
	static const char http[] = "HTTP/1.1 400 Bad Request\r\n\r\n";

	hcol_accept(f);
	(void)send(f->fd, http, sizeof(http) - 1, MSG_NOSIGNAL);
}

static void
silent_handshake(struct hcol *f)
{
	hcol_accept(f);
}

/* A ServerHello that is announced, and comes a byte at a time for ever. */
static void
endless_handshake(struct hcol *f)
{
	static const uint8_t head[] = {22, 3, 3, 0x3f, 0xff, 2, 0, 0x3f, 0xfb};

	hcol_accept(f);
	(void)send(f->fd, head, sizeof(head), MSG_NOSIGNAL);
	for (int i = 0; i < 100; i++) {
		if (send(f->fd, "", 1, MSG_NOSIGNAL) != 1)
			break;
		(void)usleep(10000);
	}
}

static void
oversized_record(struct hcol *f)
{
	static const uint8_t head[] = {23, 3, 3, 0xff, 0xff, 1, 2, 3};

	begin_batch(f);
	(void)send(f->fd, head, sizeof(head), MSG_NOSIGNAL);
}

static void
forged_record(struct hcol *f)
{
	uint8_t record[5 + 64] = {23, 3, 3, 0, 64};

	begin_batch(f);
	(void)send(f->fd, record, sizeof(record), MSG_NOSIGNAL);
}

static void
cut_without_goodbye(struct hcol *f)
{
	half_a_frame(f);
	SSL_set_quiet_shutdown(f->ssl, 1);
	hcol_hang_up(f);
}

/* TLS 1.3 has no renegotiation; what is left of it are new keys. */
static void
renegotiates(struct hcol *f)
{
	begin_next(f);
	assert_int_equal(SSL_renegotiate(f->ssl), 0);
	assert_int_equal(SSL_verify_client_post_handshake(f->ssl), 0);
	for (int i = 0; i < 300; i++) {
		assert_int_equal(
		    SSL_key_update(f->ssl, SSL_KEY_UPDATE_REQUESTED), 1);
		if (SSL_do_handshake(f->ssl) != 1)
			break;
	}
	hcol_ack(f, f->size, f->root);
}

/* The unit's own certificates, as the collector knows nothing of. */
static void
own_expired(struct hcol *f)
{
	const struct helper_cert c = {.unit_id = hcol_unit_id,
	    .client = true,
	    .from = -3600,
	    .until = -60};

	helper_ca_issue(&f->ca, &c, f->unit_file);
}

static void
own_is_another_units(struct hcol *f)
{
	helper_ca_issue_unit(&f->ca, hcol_other_id, f->unit_file);
}

static void
own_is_readable_by_others(struct hcol *f)
{
	assert_int_equal(chmod(f->unit_file, 0640), 0);
}

static void
own_is_gone(struct hcol *f)
{
	assert_int_equal(unlink(f->unit_file), 0);
}

/* ---- the table ----------------------------------------------------------- */

enum {
	BOTH,
	UNIX_ONLY,
	TLS_ONLY
};

struct row {
	int transport;
	const char *name;
	void (*play)(struct hcol *f);
	const char *says; /* the status, of what happened; "": nothing */
	bool moves;       /* it acknowledged truly, so the cursor follows */
};

static const struct row table[] = {
    {UNIX_ONLY, "never accepts", never_accepts, "no progress", false},
    {TLS_ONLY, "never accepts", never_accepts, "did not finish TLS", false},
    {BOTH, "never answers Hello", never_answers, "no progress", false},
    {BOTH, "half a frame, then silence", half_a_frame, "no progress", false},
    {BOTH, "half a frame, then away", half_a_frame_and_away, "closed", false},
    {BOTH, "never acknowledges", never_acknowledges, "no progress", false},
    {BOTH, "never reads", never_reads, "no progress", false},
    {BOTH, "answers in single bytes", drips, "", true},
    {BOTH, "ack of another root", acks_another_root, "another root", false},
    {BOTH, "ack of size 2^64-1", acks_the_future, "that was sent", false},
    {BOTH, "ack from the future", acks_one_more, "that was sent", false},
    {BOTH, "ack before Resume", acks_before_resume, "out of turn", false},
    {BOTH, "ack of an old epoch", acks_what_an_old_epoch_sent, "that was sent",
	false},
    {BOTH, "the same ack 1,000 times", acks_a_thousand_times, "", true},
    {BOTH, "Resume beyond the log", resumes_beyond_the_log, "never made",
	false},
    {BOTH, "Resume twice", resumes_twice, "out of turn", false},
    {BOTH, "garbage", sends_garbage, "no frame", false},
    {BOTH, "frame of 2 MiB", sends_an_oversized_frame, "no frame", false},
    {BOTH, "frame without end", sends_a_frame_without_end, "no frame", false},
    {BOTH, "a unit's Hello", sends_what_a_unit_sends, "out of turn", false},
    {BOTH, "Refuse", refuses, "the cellar is full", false},
    {TLS_ONLY, "certificate of another CA", wrong_ca,
	"unable to get local issuer", false},
    {TLS_ONLY, "expired certificate", expired, "has expired", false},
    {TLS_ONLY, "certificate of tomorrow", not_yet_valid, "not yet valid",
	false},
    {TLS_ONLY, "right CA, wrong name", wrong_name, "mismatch", false},
    {TLS_ONLY, "right CA, wildcard", wildcard, "mismatch", false},
    {TLS_ONLY, "right CA, a unit's certificate", a_units_certificate, "purpose",
	false},
    {TLS_ONLY, "TLS 1.2 alone", tls12, "protocol version", false},
    {TLS_ONLY, "another protocol (ALPN)", another_protocol, "no collector",
	false},
    {TLS_ONLY, "does not know the unit's CA", distrusts_the_unit, "unknown ca",
	false},
    {TLS_ONLY, "plain bytes", plain_bytes, "no TLS", false},
    {TLS_ONLY, "handshake that never begins", silent_handshake,
	"did not finish TLS", false},
    {TLS_ONLY, "handshake that never ends", endless_handshake,
	"did not finish TLS", false},
    {TLS_ONLY, "oversized record", oversized_record, "ended TLS", false},
    {TLS_ONLY, "forged record", forged_record, "ended TLS", false},
    {TLS_ONLY, "cut without goodbye", cut_without_goodbye, "closed", false},
    {TLS_ONLY, "renegotiation, 300 new keys", renegotiates, "", true},
    {TLS_ONLY, "unit's certificate expired", own_expired, "has expired", false},
    {TLS_ONLY, "unit's is another unit's", own_is_another_units,
	"not of this unit", false},
    {TLS_ONLY, "unit's key open to others", own_is_readable_by_others,
	"open to others", false},
    {TLS_ONLY, "unit's certificate gone", own_is_gone, "No such file", false},
};

/* What the status said at first, of a thing that may pass. */
static void
wait_text(struct hcol *f, const char *text, char said[160])
{
	long until = hcol_now_ms() + 10000;

	do {
		(void)snprintf(said, 160, "%s", hcol_status(f).last_error);
		(void)usleep(500);
	} while (strstr(said, text) == NULL && hcol_now_ms() < until);
	if (strstr(said, text) == NULL)
		fail_msg("no '%s' in '%s'", text, said);
}

/* A good collector gets all that was sealed meanwhile. */
static void
recover(struct hcol *f)
{
	uint64_t all = hcol_rest(f);

	hcol_hang_up(f);
	helper_ca_issue_unit(&f->ca, hcol_unit_id, f->unit_file);
	f->size = 0;
	while (f->size < all) {
		hcol_greet(f);
		hcol_resume(f, 0);
		while (f->size < all && hcol_take_batch(f))
			hcol_ack(f, f->size, f->root);
	}
	hcol_wait_acknowledged(f, all);
	assert_string_equal(hcol_status(f).last_error, "");
}

static void
play(const struct row *row, bool tls)
{
	struct hcol *f = hcol_begin(tls, 400);
	char said[160] = "";
	uint64_t before, expected;
	unsigned int done;
	long until;

	/* one good batch first, so that there is a cursor to move */
	begin_batch(f);
	hcol_ack(f, f->size, f->root);
	hcol_wait_acknowledged(f, f->size);
	hcol_work(f);
	hcol_hang_up(f);
	before = hcol_status(f).acknowledged;
	done = atomic_load(&f->done);
	row->play(f);
	expected = row->moves ? f->size : before;
	if (row->says[0] != '\0')
		wait_text(f, row->says, said);
	if (row->moves)
		hcol_wait_acknowledged(f, expected);
	until = hcol_now_ms() + 5000;
	while (atomic_load(&f->done) < done + 20 && hcol_now_ms() < until)
		(void)usleep(1000);
	done = atomic_load(&f->done) - done;
	assert_int_equal(hcol_status(f).acknowledged, expected);
	assert_true(done >= 20);
	assert_true(atomic_load(&f->slowest_ms) < SLOWEST_MS);
	print_message("%-4s | %-31s | %-52.52s | %2u -> %2u | %4u, "
		      "slowest %u ms\n",
	    tls ? "tls" : "unix", row->name, said[0] == '\0' ? "goes on" : said,
	    (unsigned int)before, (unsigned int)expected, done,
	    atomic_load(&f->slowest_ms));
	recover(f);
	hcol_end(f);
}

static void
play_all(bool tls)
{
	print_message("%-4s | %-31s | %-52s | %-8s | %s\n", "over", "case",
	    "unit's behaviour", "cursor", "operations done meanwhile");
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].transport != (tls ? UNIX_ONLY : TLS_ONLY))
			play(&table[i], tls);
}

static void
test_chan__no_collector_moves_a_cursor_or_blocks_an_operation(void **state)
{
	(void)state;
	play_all(false);
}

static void
test_chan__nor_does_one_over_tls(void **state)
{
	(void)state;
	play_all(true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_chan__no_collector_moves_a_cursor_or_blocks_an_operation),
	    cmocka_unit_test(test_chan__nor_does_one_over_tls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
