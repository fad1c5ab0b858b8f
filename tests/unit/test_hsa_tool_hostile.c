/*
 * Shows 5, the other way round: what a malicious unit can do to a collector.
 * Each row of the table is played at a real `hsa collect` over real sockets;
 * then a good unit adds a batch, and the copies are what was acknowledged.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "helper_tls.h"
#include "helper_vfy.h"
#include "helper_vfy_run.h"
#include "vfy_log.h"

#define NAME "collector.test"
#define STEP 3 /* records of a batch */
#define ROUNDS 64

static char base[64], sock[96], address[2][104], out[80], keyfile[80],
    errors[80], ca_file[80], wrong_file[80], collector_file[80];
static struct helper_ca ca, wrong;
static struct helper_vfy_log a, b, stranger;
static unsigned int port;
static bool tls; /* of the cases that are played now */

struct peer {
	int fd;
	void *ssl;
};

static long
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static const char *
in_base(char to[80], const char *name)
{
	(void)snprintf(to, 80, "%s/%s", base, name);
	return to;
}

/* ---- one end of a connection --------------------------------------------- */

static int
dial_socket(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	const struct timeval limit = {20, 0};
	int fd;

	if (tls) {
		fd = helper_tcp_connect(port);
		assert_true(fd >= 0);
	} else {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		(void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", sock);
		assert_int_equal(
		    connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

static struct peer
dial_as(const char *identity)
{
	char path[80];
	const struct helper_end e = {
	    .ca = ca_file, .identity = in_base(path, identity), .host = NAME};
	struct peer p = {.fd = dial_socket()};

	if (tls) {
		p.ssl = helper_end_tls(p.fd, &e);
		assert_non_null(p.ssl);
	}
	return p;
}

static void
leave(struct peer *p)
{
	helper_end_free(p->ssl);
	if (p->fd >= 0)
		(void)close(p->fd);
	*p = (struct peer){.fd = -1};
}

static bool
say_bytes(const struct peer *p, const void *bytes, size_t n)
{
	return helper_end_put(p->ssl, p->fd, bytes, n);
}

static bool
say(const struct peer *p, const struct hsa_frame *f)
{
	struct hsa_buf frame = {0};
	bool good;

	assert_int_equal(hsa_frame_encode(&frame, f).v, 0);
	good = say_bytes(p, frame.p, frame.len);
	hsa_buf_free(&frame);
	return good;
}

static bool
hear(const struct peer *p, struct hsa_frame *f)
{
	uint8_t part[HSA_NOTE_MAX];
	size_t n = 0, used;
	hsa_rc rc;

	for (;;) {
		*f = (struct hsa_frame){0};
		rc = hsa_frame_decode(f, &used, part, n);
		if (hsa_is_ok(rc))
			return true;
		assert_int_equal(rc.v, HSA_E_TRUNCATED);
		assert_true(n < sizeof(part));
		/* one byte at a time: never into the next frame */
		if (helper_end_get(p->ssl, p->fd, part + n, 1) != 1)
			return false;
		n++;
	}
}

static bool
say_hello(const struct peer *p, const uint8_t unit_id[16], const char *origin,
    uint64_t size)
{
	struct hsa_frame f = {
	    .kind = HSA_FRAME_HELLO, .epoch = 1, .sequence = size};

	memcpy(f.unit_id, unit_id, 16);
	(void)snprintf(f.origin, sizeof(f.origin), "%s", origin);
	return say(p, &f);
}

static uint64_t
hello(const struct peer *p, const struct helper_vfy_log *l)
{
	struct hsa_frame f;
	uint64_t next;

	assert_true(say_hello(p, l->unit_id, l->origin, l->n));
	assert_true(hear(p, &f));
	if (f.kind == HSA_FRAME_REFUSE)
		print_error("refused: %s\n", f.text);
	assert_int_equal(f.kind, HSA_FRAME_RESUME);
	next = f.sequence;
	hsa_frame_free(&f);
	return next;
}

/* Records from..to-1 of a log, said to begin at `at`. */
static bool
say_records(const struct peer *p, const struct helper_vfy_log *l, size_t from,
    size_t to, uint64_t at)
{
	struct hsa_slice s[64];
	struct hsa_frame f = {.kind = HSA_FRAME_RECORDS,
	    .sequence = at,
	    .record = s,
	    .record_len = to - from};

	for (size_t i = from; i < to; i++)
		s[i - from] = (struct hsa_slice){l->leaf[i].p, l->leaf[i].len};
	return say(p, &f);
}

static bool
say_point(const struct peer *p, const struct helper_vfy_log *l, size_t size,
    EVP_PKEY *key)
{
	struct hsa_frame c = {.kind = HSA_FRAME_CHECKPOINT};
	struct hsa_buf note = {0};
	uint8_t root[32];
	bool good;

	helper_vfy_root(root, l, size);
	helper_vfy_note(&note, l->origin, size, root, key);
	c.text = (char *)note.p;
	c.text_len = note.len;
	good = say(p, &c);
	hsa_buf_free(&note);
	return good;
}

/* ---- what they do -------------------------------------------------------- */

static void
forged_hello(struct peer *p)
{
	(void)say_hello(p, b.unit_id, a.origin, a.n);
}

static void
unknown_unit(struct peer *p)
{
	(void)say_hello(p, stranger.unit_id, stranger.origin, 1);
}

static void
another_units_hello(struct peer *p)
{
	(void)say_hello(p, b.unit_id, b.origin, b.n);
}

static void
no_hello(struct peer *p)
{
	(void)say_records(p, &a, 0, 1, 0);
}

static void
second_hello(struct peer *p)
{
	(void)hello(p, &a);
	(void)say_hello(p, a.unit_id, a.origin, a.n);
}

static void
gap(struct peer *p)
{
	uint64_t next = hello(p, &a);

	(void)say_records(p, &a, (size_t)next + 1, (size_t)next + 2, next + 1);
}

/* The same, and the number is forged: the record says another one. */
static void
hidden_gap(struct peer *p)
{
	uint64_t next = hello(p, &a);

	(void)say_records(p, &a, (size_t)next + 1, (size_t)next + 2, next);
}

static void
again(struct peer *p)
{
	uint64_t next = hello(p, &a);

	(void)say_records(p, &a, (size_t)next - 1, (size_t)next, next - 1);
}

static void
another_units_records(struct peer *p)
{
	uint64_t next = hello(p, &a);

	(void)say_records(p, &b, (size_t)next, (size_t)next + 1, next);
}

static void
changed_record(struct peer *p)
{
	uint64_t next = hello(p, &a);
	struct hsa_buf *r = &a.leaf[next];

	/* a time that was another one; the checkpoint is the true one */
	r->p[r->len - 1] ^= 1;
	(void)say_records(p, &a, (size_t)next, (size_t)next + 1, next);
	r->p[r->len - 1] ^= 1;
	(void)say_point(p, &a, (size_t)next + 1, a.key);
}

static void
another_key(struct peer *p)
{
	uint64_t next = hello(p, &a);

	(void)say_records(p, &a, (size_t)next, (size_t)next + 1, next);
	(void)say_point(p, &a, (size_t)next + 1, b.key);
}

static void
old_checkpoint(struct peer *p)
{
	uint64_t next = hello(p, &a);

	(void)say_point(p, &a, (size_t)next - 1, a.key);
}

static void
future_checkpoint(struct peer *p)
{
	uint64_t next = hello(p, &a);

	(void)say_point(p, &a, (size_t)next + 1, a.key);
}

static void
oversized_frame(struct peer *p)
{
	static const uint8_t two_mib[] = {0x80, 0x80, 0x80, 0x01, 0x1a};

	(void)hello(p, &a);
	(void)say_bytes(p, two_mib, sizeof(two_mib));
}

static void
garbage(struct peer *p)
{
	uint8_t junk[3000];

	for (size_t i = 0; i < sizeof(junk); i++)
		junk[i] = (uint8_t)(i * 131 + 100);
	(void)say_bytes(p, junk, sizeof(junk));
}

static void
half_a_frame(struct peer *p)
{
	static const uint8_t half[] = {0x80, 0x80, 0x04, 0x1a};

	(void)hello(p, &a);
	(void)say_bytes(p, half, sizeof(half));
	leave(p);
}

static void
collectors_frame(struct peer *p)
{
	const struct hsa_frame ack = {.kind = HSA_FRAME_ACK, .sequence = a.n};

	(void)hello(p, &a);
	(void)say(p, &ack);
}

/* The same checkpoint for ever, and no Ack is read: memory must not grow. */
static void
never_reads(struct peer *p)
{
	uint64_t next = hello(p, &a);
	struct hsa_frame c = {.kind = HSA_FRAME_CHECKPOINT};
	struct hsa_buf note = {0}, many = {0};
	long until = now_ms() + 60000;
	uint8_t root[32];

	helper_vfy_root(root, &a, (size_t)next);
	helper_vfy_note(&note, a.origin, next, root, a.key);
	c.text = (char *)note.p;
	c.text_len = note.len;
	for (int i = 0; i < 500; i++)
		assert_int_equal(hsa_frame_encode(&many, &c).v, 0);
	while (say_bytes(p, many.p, many.len) && now_ms() < until)
		continue;
	assert_true(now_ms() < until);
	hsa_buf_free(&note);
	hsa_buf_free(&many);
}

static void
nothing(struct peer *p)
{
	struct hsa_frame f;

	/* TLS 1.3: the refusal comes with the first bytes */
	assert_false(hear(p, &f));
}

/* ---- what they do: TLS --------------------------------------------------- */

static void
end_with(struct peer *p, const struct helper_end *e)
{
	struct hsa_frame f;

	p->ssl = helper_end_tls(p->fd, e);
	if (p->ssl != NULL)
		assert_false(hear(p, &f));
}

static void
no_certificate(struct peer *p)
{
	const struct helper_end e = {.ca = ca_file};

	end_with(p, &e);
}

static void
tls12(struct peer *p)
{
	char path[80];
	const struct helper_end e = {
	    .ca = ca_file, .identity = in_base(path, "a"), .tls12 = true};

	end_with(p, &e);
}

static void
no_alpn(struct peer *p)
{
	char path[80];
	const struct helper_end e = {
	    .ca = ca_file, .identity = in_base(path, "a"), .no_alpn = true};

	end_with(p, &e);
}

static void
plain_bytes(struct peer *p)
{
	(void)say_hello(p, a.unit_id, a.origin, a.n);
}

static void
oversized_record(struct peer *p)
{
	static const uint8_t head[] = {23, 3, 3, 0xff, 0xff, 1, 2, 3};

	(void)hello(p, &a);
	(void)send(p->fd, head, sizeof(head), MSG_NOSIGNAL);
}

/* More than there are places; nobody says a word. They stay while the good
 * unit comes. */
static int crowd[100];

static void
silent_crowd(struct peer *p)
{
	(void)p;
	for (size_t i = 0; i < 100; i++)
		crowd[i] = helper_tcp_connect(port);
	(void)usleep(700000); /* the good unit is not the only one to wait */
}

/* ---- the table ----------------------------------------------------------- */

enum {
	BOTH,
	TLS_ONLY
};

static const struct row {
	int transport;
	const char *name, *identity; /* NULL: the case does TLS itself */
	void (*play)(struct peer *p);
	const char *says; /* the collector, on standard error; "": nothing */
} table[] = {
    {BOTH, "forged Hello", "a", forged_hello, "origin is not"},
    {BOTH, "Hello of an unknown unit", "stranger", unknown_unit, "no key for"},
    {BOTH, "no Hello", "a", no_hello, "no Hello"},
    {BOTH, "a second Hello", "a", second_hello, "second Hello"},
    {BOTH, "a gap", "a", gap, "comes next"},
    {BOTH, "a gap, renumbered", "a", hidden_gap, "V4"},
    {BOTH, "records again", "a", again, "comes next"},
    {BOTH, "records of another unit", "a", another_units_records, "V4"},
    {BOTH, "a changed record", "a", changed_record, "V6"},
    {BOTH, "checkpoint by another key", "a", another_key, "V6"},
    {BOTH, "checkpoint of an old size", "a", old_checkpoint, "V6"},
    {BOTH, "checkpoint of the future", "a", future_checkpoint, "V6"},
    {BOTH, "frame of 2 MiB", "a", oversized_frame, "not a frame"},
    {BOTH, "garbage", "a", garbage, "not a frame"},
    {BOTH, "half a frame, then away", "a", half_a_frame, "closed"},
    {BOTH, "a collector's frame", "a", collectors_frame, "only a collector"},
    {BOTH, "never reads an Ack", "a", never_reads, "closed"},
    {TLS_ONLY, "another unit's certificate", "a", another_units_hello,
	"not of the unit"},
    {TLS_ONLY, "certificate of another CA", "wrong", nothing,
	"issuer certificate"},
    {TLS_ONLY, "expired certificate", "expired", nothing, "has expired"},
    {TLS_ONLY, "a collector's certificate", "server", nothing, "purpose"},
    {TLS_ONLY, "certificate of no unit", "nobody", another_units_hello,
	"not of the unit"},
    {TLS_ONLY, "no certificate", NULL, no_certificate, "did not return"},
    {TLS_ONLY, "TLS 1.2 alone", NULL, tls12, "unsupported protocol"},
    {TLS_ONLY, "another protocol (ALPN)", NULL, no_alpn, "does not speak"},
    {TLS_ONLY, "plain bytes", NULL, plain_bytes, "TLS: "},
    {TLS_ONLY, "oversized record", "a", oversized_record, "TLS: "},
    {TLS_ONLY, "100 that never begin", NULL, silent_crowd, ""},
};

static void
read_errors(struct hsa_buf *text, long from)
{
	FILE *f = fopen(errors, "r");
	char part[4096];
	size_t n;

	assert_non_null(f);
	assert_int_equal(fseek(f, from, SEEK_SET), 0);
	hsa_buf_reset(text);
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		hsa_buf_put(text, part, n);
	(void)fclose(f);
}

static long
errors_size(void)
{
	FILE *f = fopen(errors, "r");
	long n;

	assert_non_null(f);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	n = ftell(f);
	(void)fclose(f);
	return n;
}

/* The line with that text, without what every line begins with. */
static void
wait_said(char line[200], const char *text, long from)
{
	long until = now_ms() + 10000;
	struct hsa_buf all = {0};
	const char *at;

	do {
		read_errors(&all, from);
		at = strstr(hsa_buf_cstr(&all), text);
		if (at == NULL)
			(void)usleep(2000);
	} while (at == NULL && now_ms() < until);
	if (at == NULL)
		fail_msg("no '%s' in '%s'", text, hsa_buf_cstr(&all));
	while (at > (const char *)all.p && at[-1] != '\n')
		at--;
	at = strstr(at, ": ") + 2;
	at = strstr(at, ": ") + 2;
	(void)snprintf(line, 200, "%.*s", (int)strcspn(at, "\n"), at);
	hsa_buf_free(&all);
}

/* A good unit adds a batch; the copy's size after it. */
static uint64_t
push(void)
{
	struct peer p = dial_as("a");
	struct hsa_frame f;
	uint64_t next = hello(&p, &a);
	size_t to = (size_t)next + STEP;

	assert_true(to <= a.n);
	assert_true(say_records(&p, &a, (size_t)next, to, next));
	assert_true(say_point(&p, &a, to, a.key));
	assert_true(hear(&p, &f));
	assert_int_equal(f.kind, HSA_FRAME_ACK);
	assert_int_equal(f.sequence, to);
	hsa_frame_free(&f);
	leave(&p);
	return to;
}

static void
play(const struct row *row)
{
	struct peer p = {.fd = -1};
	uint64_t before = push();
	long from = errors_size(), began;
	char line[200] = "goes on";

	memset(crowd, 0xff, sizeof(crowd));
	if (row->identity != NULL)
		p = dial_as(row->identity);
	else
		p.fd = dial_socket();
	row->play(&p);
	if (row->says[0] != '\0')
		wait_said(line, row->says, from);
	began = now_ms();
	assert_int_equal(push(), before + STEP);
	print_message("%-4s | %-26s | %-56.56s | %2u -> %2u, %ld ms\n",
	    tls ? "tls" : "unix", row->name, line, (unsigned int)before,
	    (unsigned int)before + STEP, now_ms() - began);
	leave(&p);
	for (size_t i = 0; i < sizeof(crowd) / sizeof(crowd[0]); i++)
		if (crowd[i] >= 0)
			(void)close(crowd[i]);
}

static void
check_copy(const struct helper_vfy_log *l, uint64_t size)
{
	struct vfy_keys keys = {0};
	struct vfy_options opt = {.keys = &keys};
	struct vfy_result res;
	struct hsa_diag d;
	uint8_t root[32];
	char dir[160];

	(void)snprintf(dir, sizeof(dir), "%s/%s", out, l->unit);
	assert_int_equal(vfy_keys_load(&keys, keyfile, &d).v, 0);
	assert_int_equal(vfy_log(&res, dir, &opt, &d).v, 0);
	assert_false(res.bad);
	assert_int_equal(res.sealed, size);
	helper_vfy_root(root, l, (size_t)size);
	assert_memory_equal(root, res.root, 32);
	vfy_keys_free(&keys);
}

/* ---- certificates that are good and bad ---------------------------------- */

static void
make_certificates(void)
{
	char path[80];
	struct helper_cert c = {.unit_id = a.unit_id,
	    .client = true,
	    .from = -7200,
	    .until = 86400 * 60};

	helper_ca_new(&ca, "right");
	helper_ca_new(&wrong, "wrong");
	helper_ca_write(&ca, ca_file);
	helper_ca_write(&wrong, wrong_file);
	helper_ca_issue_collector(&ca, NAME, collector_file);
	helper_ca_issue(&ca, &c, in_base(path, "a"));
	helper_ca_issue(&wrong, &c, in_base(path, "wrong"));
	c.unit_id = stranger.unit_id;
	helper_ca_issue(&ca, &c, in_base(path, "stranger"));
	c.unit_id = NULL;
	c.dns = "nobody.test";
	helper_ca_issue(&ca, &c, in_base(path, "nobody"));
	c.unit_id = a.unit_id;
	c.client = false;
	c.server = true;
	helper_ca_issue(&ca, &c, in_base(path, "server"));
	c.client = true;
	c.until = -60;
	helper_ca_issue(&ca, &c, in_base(path, "expired"));
}

static int
setup(void **state)
{
	struct hsa_buf f = {0};

	(void)state;
	helper_vfy_tmpdir(base);
	(void)snprintf(sock, sizeof(sock), "%s/s", base);
	(void)in_base(out, "out");
	(void)in_base(keyfile, "checkpoint.pub");
	(void)in_base(errors, "stderr");
	(void)in_base(ca_file, "ca");
	(void)in_base(wrong_file, "wrong-ca");
	(void)in_base(collector_file, "collector");
	helper_vfy_init(&a, 1);
	helper_vfy_init(&b, 2);
	helper_vfy_init(&stranger, 3);
	helper_vfy_fill(&a, 4 * ROUNDS * STEP, 4, 10000);
	helper_vfy_fill(&b, 4 * ROUNDS * STEP, 4, 10000);
	hsa_buf_printf(&f, "%s%s", a.key_line, b.key_line);
	helper_vfy_put_file(base, "checkpoint.pub", f.p, f.len);
	hsa_buf_free(&f);
	make_certificates();
	(void)close(helper_tcp_listen(&port));
	(void)snprintf(address[0], sizeof(address[0]), "unix:%s", sock);
	(void)snprintf(
	    address[1], sizeof(address[1]), "tls:127.0.0.1:%u", port);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	helper_ca_free(&ca);
	helper_ca_free(&wrong);
	helper_vfy_free(&a);
	helper_vfy_free(&b);
	helper_vfy_free(&stranger);
	helper_vfy_rmdir(base);
	return 0;
}

static void
test_collect__no_unit_harms_a_copy_or_another_unit(void **state)
{
	const char *const args[] = {"collect", "--listen", address[0],
	    "--listen", address[1], "--ca", ca_file, "--identity",
	    collector_file, "--out", out, "--key", keyfile, NULL};
	uint64_t size = 0;
	pid_t pid;

	(void)state;
	pid = helper_vfy_spawn(cmd_collect.run, args, "ready", errors);
	print_message("%-4s | %-26s | %-56s | %s\n", "over", "case",
	    "collector's behaviour", "copy, and a good unit's time");
	for (int t = 0; t < 2; t++) {
		tls = t == 1;
		for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
			if (tls || table[i].transport == BOTH)
				play(&table[i]);
	}
	size = push();
	assert_int_equal(helper_vfy_stop(pid, SIGTERM), 0);
	check_copy(&a, size);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_collect__no_unit_harms_a_copy_or_another_unit, setup,
		teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
