#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helper_tls.h"
#include "helper_vfy.h"
#include "hsa_json.h"
#include "sink.h"
#include "sink_syslog_line.h"

static char base[64];
static struct helper_vfy_log a;
static struct sink_stop stop;

/* ---- a receiver -----------------------------------------------------------
 */

static struct receiver {
	int listen;
	unsigned int port;
	const struct helper_end *tls; /* NULL: plain */
	size_t close_after;           /* bytes of the first connection */
	bool deaf;                    /* takes connections, reads nothing */
	pthread_t thread;
	_Atomic bool end;
	_Atomic unsigned int connections;
	struct hsa_buf got[8]; /* of each connection */
} rx;

static void
take(struct hsa_buf *to, int fd, size_t limit)
{
	void *ssl = NULL;
	uint8_t part[65536];
	size_t n = 1;

	if (rx.tls != NULL && (ssl = helper_end_tls(fd, rx.tls)) == NULL)
		return;
	while (
	    n > 0 && !atomic_load(&rx.end) && (limit == 0 || to->len < limit)) {
		struct pollfd p = {.fd = fd, .events = POLLIN};

		if (rx.deaf || poll(&p, 1, 20) <= 0)
			continue;
		n = helper_end_get(ssl, fd, part, sizeof(part));
		hsa_buf_put(to, part, n);
	}
	helper_end_free(ssl);
}

static void *
receive(void *arg)
{
	(void)arg;
	while (!atomic_load(&rx.end)) {
		struct pollfd p = {.fd = rx.listen, .events = POLLIN};
		unsigned int i = atomic_load(&rx.connections);
		int fd;

		if (poll(&p, 1, 20) <= 0)
			continue;
		fd = accept(rx.listen, NULL, NULL);
		if (fd < 0 || i >= 8)
			continue;
		atomic_store(&rx.connections, i + 1);
		take(&rx.got[i], fd, i == 0 ? rx.close_after : 0);
		(void)close(fd);
	}
	return NULL;
}

static void
start(void)
{
	atomic_store(&rx.end, false);
	assert_int_equal(pthread_create(&rx.thread, NULL, receive, NULL), 0);
}

/* Everything that comes within a moment, and then no more. */
static void
finish(void)
{
	(void)usleep(150000);
	atomic_store(&rx.end, true);
	assert_int_equal(pthread_join(rx.thread, NULL), 0);
}

static int
setup(void **state)
{
	(void)state;
	rx = (struct receiver){0};
	rx.listen = helper_tcp_listen(&rx.port);
	atomic_store(&stop.asked, false);
	helper_vfy_tmpdir(base);
	helper_vfy_init(&a, 1);
	helper_vfy_segment(&a);
	for (int i = 0; i < 30; i++)
		if (i % 5 == 2)
			helper_vfy_special(&a);
		else
			helper_vfy_event(&a);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < 8; i++)
		hsa_buf_free(&rx.got[i]);
	(void)close(rx.listen);
	helper_vfy_free(&a);
	helper_vfy_rmdir(base);
	return 0;
}

/* ---- the sink -------------------------------------------------------------
 */

static void *
open_sink(const struct sink_kind *kind, const char *params)
{
	struct sink_uri u;
	struct sink_config cfg = {.dir = base, .uri = &u, .stop = &stop};
	struct hsa_diag d = {{0}};
	char address[400];
	void *ctx = NULL;
	hsa_rc rc;

	(void)snprintf(address, sizeof(address), "%s://127.0.0.1:%u%s",
	    kind->scheme, rx.port, params);
	assert_int_equal(sink_uri_parse(&u, address, &d).v, 0);
	rc = kind->open(&ctx, &cfg, &d);
	if (!hsa_is_ok(rc))
		print_error("%s\n", d.text);
	assert_int_equal(rc.v, 0);
	sink_uri_free(&u);
	return ctx;
}

static hsa_rc
pass(const struct sink_kind *kind, void *ctx, uint64_t to)
{
	struct hsa_diag d = {{0}};
	struct hsa_record r;
	uint64_t from = 99;
	hsa_rc rc;

	assert_int_equal(kind->resume(ctx, &from, a.unit, &d).v, 0);
	for (uint64_t i = from; i < to; i++) {
		const struct hsa_buf *leaf = &a.leaf[i];

		assert_int_equal(
		    hsa_record_decode(&r, leaf->p, leaf->len).v, 0);
		assert_int_equal(
		    kind->add(ctx, a.unit, &r, leaf->p, leaf->len).v, 0);
		hsa_record_free(&r);
	}
	rc = kind->put(ctx, a.unit, from, to, &d);
	if (!hsa_is_ok(rc))
		kind->drop(ctx);
	return rc;
}

/* RFC 6587, 3.4.1: MSG-LEN SP SYSLOG-MSG, and nothing between two. The count
 * of whole frames; each one's sequence is marked. */
static size_t
frames(const struct hsa_buf *b, unsigned int seen[30])
{
	static const char key[] = "[hsa@32473 unit=\"01010101-0101-0101-0101-"
				  "010101010101\" sequence=\"";
	size_t at = 0, n = 0;

	while (at < b->len) {
		size_t len = 0, digits = 0;
		const char *msg, *where;
		char *copy;

		for (; at < b->len && b->p[at] >= '0' && b->p[at] <= '9';
		     at++, digits++)
			len = 10 * len + (size_t)(b->p[at] - '0');
		if (at == b->len)
			break;
		assert_true(digits > 0 && digits < 7);
		assert_int_equal(b->p[at++], ' ');
		if (b->len - at < len)
			break; /* cut */
		copy = strndup((const char *)b->p + at, len);
		msg = copy;
		assert_int_equal(strlen(msg), len);
		assert_int_equal(msg[0], '<');
		assert_int_equal(msg[len - 1], '}');
		where = strstr(msg, key);
		assert_non_null(where);
		seen[strtoul(where + sizeof(key) - 1, NULL, 10) % 30]++;
		free(copy);
		at += len;
		n++;
	}
	return n;
}

static bool
is_event(size_t i)
{
	return i % 5 != 2;
}

/* ---- the message ----------------------------------------------------------
 */

static const struct sink_syslog_style plain = {.format = SINK_IBM_AT,
    .facility = 13,
    .host = "collector-1",
    .sd_id = "hsa@32473"};

/* The frame, spelled out, around the JSON. */
static void
line_is(const struct hsa_record *r, const struct sink_syslog_style *s,
    const char *head)
{
	struct hsa_buf got = {0}, want = {0}, json = {0};

	if (s->format == SINK_IBM_AT)
		hsa_event_json(&json, &r->event);
	else
		hsa_record_json(&json, r);
	hsa_buf_printf(&want, "%zu %s ", strlen(head) + 1 + json.len, head);
	hsa_buf_put(&want, json.p, json.len);
	assert_int_equal(sink_syslog_line(&got, r, s).v, 0);
	assert_string_equal(hsa_buf_cstr(&got), hsa_buf_cstr(&want));
	hsa_buf_free(&got);
	hsa_buf_free(&want);
	hsa_buf_free(&json);
}

static void
test_syslog_line__an_event_byte_by_byte(void **state)
{
	struct hsa_record r;

	(void)state;
	assert_int_equal(
	    hsa_record_decode(&r, a.leaf[1].p, a.leaf[1].len).v, 0);
	r.wall_ns = UINT64_C(1763807400123456789);
	/* 13 * 8 + 2 */
	assert_string_equal(r.event.severity, "critical");
	line_is(&r, &plain,
	    "<106>1 2025-11-22T10:30:00.123456Z collector-1 cryptounit "
	    "01010101-0101-0101-0101-010101010101 "
	    "tke-cryptounit-threshold.set "
	    "[hsa@32473 unit=\"01010101-0101-0101-0101-010101010101\" "
	    "sequence=\"1\" epoch=\"0\" "
	    "action=\"hs-crypto.tke-cryptounit-threshold.set\" "
	    "outcome=\"failure\" "
	    "id=\"55555555-5555-5555-5555-555555550001\"]");
	hsa_record_free(&r);
}

static void
test_syslog_line__a_special_and_its_severity(void **state)
{
	struct sink_syslog_style s = plain;
	struct hsa_record r;

	(void)state;
	assert_int_equal(
	    hsa_record_decode(&r, a.leaf[2].p, a.leaf[2].len).v, 0);
	s.format = SINK_ENVELOPE;
	s.facility = 4;
	s.host = "two words";
	s.sd_id = "x@1.2";
	r.wall_ns = 0;
	/* refused: 4 * 8 + 4; a blank would end the field */
	line_is(&r, &s,
	    "<36>1 1970-01-01T00:00:00.000000Z two_words cryptounit "
	    "01010101-0101-0101-0101-010101010101 REQUEST_REFUSED "
	    "[x@1.2 unit=\"01010101-0101-0101-0101-010101010101\" "
	    "sequence=\"2\" epoch=\"0\"]");
	r.ep11_rc = 0;
	s.host = NULL;
	line_is(&r, &s,
	    "<37>1 1970-01-01T00:00:00.000000Z - cryptounit "
	    "01010101-0101-0101-0101-010101010101 REQUEST_REFUSED "
	    "[x@1.2 unit=\"01010101-0101-0101-0101-010101010101\" "
	    "sequence=\"2\" epoch=\"0\"]");
	hsa_record_free(&r);
}

static void
test_syslog_line__what_would_end_a_field_is_kept_out(void **state)
{
	struct hsa_record r;

	(void)state;
	assert_int_equal(
	    hsa_record_decode(&r, a.leaf[1].p, a.leaf[1].len).v, 0);
	free(r.event.action_name);
	r.event.action_name =
	    strdup("hs-crypto.a b\"\\]\xc3\xa4-and-more-than-32-characters");
	free(r.event.severity);
	r.event.severity = strdup("normal");
	r.wall_ns = 0;
	line_is(&r, &plain,
	    "<110>1 1970-01-01T00:00:00.000000Z collector-1 cryptounit "
	    "01010101-0101-0101-0101-010101010101 "
	    "a_b\"\\]__-and-more-than-32-charac "
	    "[hsa@32473 unit=\"01010101-0101-0101-0101-010101010101\" "
	    "sequence=\"1\" epoch=\"0\" "
	    "action=\"hs-crypto.a b\\\"\\\\\\]\xc3\xa4-and-more-than-32-"
	    "characters\" outcome=\"failure\" "
	    "id=\"55555555-5555-5555-5555-555555550001\"]");
	hsa_record_free(&r);
}

/* ---- over TCP --------------------------------------------------------------
 */

static void
test_syslog_tcp__frames_follow_each_other_and_none_comes_twice(void **state)
{
	unsigned int seen[30] = {0};
	void *s;

	(void)state;
	start();
	s = open_sink(&sink_syslog_tcp, "");
	assert_int_equal(pass(&sink_syslog_tcp, s, 7).v, 0);
	assert_int_equal(pass(&sink_syslog_tcp, s, 8).v, 0);
	sink_syslog_tcp.close(s);
	s = open_sink(&sink_syslog_tcp, ""); /* the cursor lasts */
	assert_int_equal(pass(&sink_syslog_tcp, s, 30).v, 0);
	sink_syslog_tcp.close(s);
	finish();
	assert_int_equal(rx.connections, 2);
	assert_int_equal(
	    frames(&rx.got[0], seen) + frames(&rx.got[1], seen), 24);
	for (size_t i = 0; i < 30; i++)
		assert_int_equal(seen[i], is_event(i));
}

static void
test_syslog_tcp__a_peer_that_goes_gets_the_batch_again(void **state)
{
	unsigned int seen[30] = {0};
	bool failed = false;
	void *s;

	(void)state;
	rx.close_after = 1;
	start();
	s = open_sink(&sink_syslog_tcp, "");
	for (uint64_t to = 5; to <= 30; to += 5) {
		while (!hsa_is_ok(pass(&sink_syslog_tcp, s, to)))
			failed = true;
		/* what a kernel has taken and nobody has read is lost with
		 * the connection: syslog has no better acknowledgement */
		(void)usleep(60000);
	}
	sink_syslog_tcp.close(s);
	finish();
	assert_true(rx.connections >= 2);
	for (size_t i = 0; i < rx.connections; i++)
		(void)frames(&rx.got[i], seen);
	assert_true(failed);
	for (size_t i = 0; i < 30; i++)
		assert_true(seen[i] >= is_event(i));
}

static void
test_syslog_tcp__nobody_there_is_an_error_that_passes(void **state)
{
	unsigned int seen[30] = {0};
	void *s;
	int gone;

	(void)state;
	gone = rx.listen;
	(void)close(gone);
	s = open_sink(&sink_syslog_tcp, "");
	assert_int_equal(pass(&sink_syslog_tcp, s, 7).v, HSA_E_IO);
	sink_syslog_tcp.close(s);
	rx.listen = helper_tcp_listen(&rx.port);
	start();
	s = open_sink(&sink_syslog_tcp, "");
	assert_int_equal(pass(&sink_syslog_tcp, s, 7).v, 0);
	sink_syslog_tcp.close(s);
	finish();
	assert_int_equal(frames(&rx.got[0], seen), 6);
}

static void
test_syslog_tcp__a_deaf_peer_does_not_hold_the_end(void **state)
{
	int small = 4096;
	struct hsa_diag d;
	struct hsa_record r;
	int64_t begin;
	void *s;

	(void)state;
	rx.deaf = true;
	(void)setsockopt(
	    rx.listen, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	start();
	s = open_sink(&sink_syslog_tcp, "");
	assert_int_equal(
	    hsa_record_decode(&r, a.leaf[1].p, a.leaf[1].len).v, 0);
	for (int i = 0; i < 20000; i++)
		assert_int_equal(
		    sink_syslog_tcp.add(s, a.unit, &r, NULL, 0).v, 0);
	hsa_record_free(&r);
	begin = sink_now_ms();
	atomic_store(&stop.deadline, begin + 300);
	atomic_store(&stop.asked, true);
	assert_int_equal(
	    sink_syslog_tcp.put(s, a.unit, 0, 9, &d).v, HSA_E_STOPPED);
	assert_true(sink_now_ms() - begin < 3000);
	sink_syslog_tcp.close(s);
	finish();
}

/* ---- over TLS --------------------------------------------------------------
 */

static char ca_file[96], other_file[96], server_file[96], client_file[96],
    late_file[96];

static void
certificates(void)
{
	struct helper_ca ca, other;
	struct helper_cert late = {.dns = "logs.example.com",
	    .server = true,
	    .from = -7200,
	    .until = -3600};

	(void)snprintf(ca_file, sizeof(ca_file), "%s/ca.pem", base);
	(void)snprintf(other_file, sizeof(other_file), "%s/other.pem", base);
	(void)snprintf(server_file, sizeof(server_file), "%s/server.pem", base);
	(void)snprintf(client_file, sizeof(client_file), "%s/client.pem", base);
	(void)snprintf(late_file, sizeof(late_file), "%s/late.pem", base);
	helper_ca_new(&ca, "logs");
	helper_ca_new(&other, "others");
	helper_ca_write(&ca, ca_file);
	helper_ca_write(&other, other_file);
	helper_ca_issue_collector(&ca, "logs.example.com", server_file);
	helper_ca_issue_unit(&ca, a.unit_id, client_file);
	helper_ca_issue(&ca, &late, late_file);
	helper_ca_free(&ca);
	helper_ca_free(&other);
}

static void
tls_params(char to[400], const char *ca, const char *name, bool cert)
{
	(void)snprintf(to, 400, "?ca=%s&name=%s%s%s", ca, name,
	    cert ? "&cert=" : "", cert ? client_file : "");
}

static void
test_syslog_tls__delivers_to_whom_it_trusts(void **state)
{
	struct helper_end end = {.ca = ca_file,
	    .identity = server_file,
	    .server = true,
	    .no_alpn = true};
	unsigned int seen[30] = {0};
	char params[400];
	void *s;

	(void)state;
	certificates();
	rx.tls = &end;
	start();
	tls_params(params, ca_file, "logs.example.com", true);
	s = open_sink(&sink_syslog_tls, params);
	assert_int_equal(pass(&sink_syslog_tls, s, 20).v, 0);
	assert_int_equal(pass(&sink_syslog_tls, s, 30).v, 0);
	sink_syslog_tls.close(s);
	finish();
	assert_int_equal(frames(&rx.got[0], seen), 24);
}

static void
test_syslog_tls__sends_nothing_to_anybody_else(void **state)
{
	static const struct {
		const char *server, *ca, *name;
		bool cert;
		int rc; /* 0: any */
	} c[] = {
	    {server_file, other_file, "logs.example.com", true, HSA_E_AUTH},
	    {server_file, ca_file, "mallory.example.com", true, HSA_E_AUTH},
	    {late_file, ca_file, "logs.example.com", true, HSA_E_AUTH},
	    {server_file, ca_file, "logs.example.com", false, 0},
	};
	struct helper_end end = {
	    .ca = ca_file, .server = true, .no_alpn = true};
	char params[400];
	void *s;

	(void)state;
	certificates();
	rx.tls = &end;
	for (size_t i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		hsa_rc rc;

		end.identity = c[i].server;
		start();
		tls_params(params, c[i].ca, c[i].name, c[i].cert);
		s = open_sink(&sink_syslog_tls, params);
		rc = pass(&sink_syslog_tls, s, 20);
		assert_int_not_equal(rc.v, 0);
		if (c[i].rc != 0)
			assert_int_equal(rc.v, c[i].rc);
		sink_syslog_tls.close(s);
		finish();
		assert_int_equal(rx.got[i].len, 0);
	}
}

static void
test_syslog_tls__files_that_are_missing_are_said_at_the_start(void **state)
{
	struct sink_uri u;
	struct sink_config cfg = {.dir = base, .uri = &u, .stop = &stop};
	struct hsa_diag d = {{0}};
	void *s = NULL;

	(void)state;
	assert_int_equal(
	    sink_uri_parse(&u, "syslog+tls://a:1?ca=/nowhere/ca.pem", &d).v, 0);
	assert_int_equal(sink_syslog_tls.open(&s, &cfg, &d).v, HSA_E_ARG);
	assert_non_null(strstr(d.text, "/nowhere/ca.pem"));
	sink_uri_free(&u);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_syslog_line__an_event_byte_by_byte),
	    CASE(test_syslog_line__a_special_and_its_severity),
	    CASE(test_syslog_line__what_would_end_a_field_is_kept_out),
	    CASE(
		test_syslog_tcp__frames_follow_each_other_and_none_comes_twice),
	    CASE(test_syslog_tcp__a_peer_that_goes_gets_the_batch_again),
	    CASE(test_syslog_tcp__nobody_there_is_an_error_that_passes),
	    CASE(test_syslog_tcp__a_deaf_peer_does_not_hold_the_end),
	    CASE(test_syslog_tls__delivers_to_whom_it_trusts),
	    CASE(test_syslog_tls__sends_nothing_to_anybody_else),
	    CASE(test_syslog_tls__files_that_are_missing_are_said_at_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
