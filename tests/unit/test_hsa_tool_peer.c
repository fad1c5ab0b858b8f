#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "col_peer.h"
#include "helper_vfy.h"
#include "hsa_chain.h"

/* One hub with the keys of two logs, and peers without sockets. */
static struct helper_vfy_log a, b;
static struct vfy_keys keys;
static struct col_hub hub;
static struct hsa_buf sent; /* what the unit sends next */
static char base[64], out[80];

static int
setup(void **state)
{
	struct hsa_buf f = {0};
	struct hsa_diag d;

	(void)state;
	helper_vfy_tmpdir(base);
	(void)snprintf(out, sizeof(out), "%s/out", base);
	helper_vfy_init(&a, 1);
	helper_vfy_init(&b, 2);
	helper_vfy_fill(&a, 20, 4, 7);
	helper_vfy_fill(&b, 9, 3, 100);
	hsa_buf_printf(&f, "%s%s", a.key_line, b.key_line);
	assert_int_equal(
	    vfy_keys_parse(&keys, (const char *)f.p, f.len, &d).v, 0);
	hsa_buf_free(&f);
	assert_int_equal(col_hub_open(&hub, out, &keys, &d).v, 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	assert_int_equal(hub.pending, 0);
	col_hub_close(&hub);
	vfy_keys_free(&keys);
	helper_vfy_free(&a);
	helper_vfy_free(&b);
	hsa_buf_free(&sent);
	helper_vfy_rmdir(base);
	return 0;
}

/* ---- what a unit says ---------------------------------------------------- */

static void
put(const struct hsa_frame *f)
{
	assert_int_equal(hsa_frame_encode(&sent, f).v, 0);
}

static void
put_hello(const struct helper_vfy_log *l, uint64_t size)
{
	struct hsa_frame f = {
	    .kind = HSA_FRAME_HELLO, .epoch = 1, .sequence = size};

	memcpy(f.unit_id, l->unit_id, 16);
	(void)snprintf(f.origin, sizeof(f.origin), "%s", l->origin);
	put(&f);
}

static void
put_records(
    const struct helper_vfy_log *l, size_t from, size_t to, uint64_t first)
{
	struct hsa_slice s[64];
	struct hsa_frame f = {.kind = HSA_FRAME_RECORDS,
	    .sequence = first,
	    .record = s,
	    .record_len = to - from};

	for (size_t i = from; i < to; i++)
		s[i - from] = (struct hsa_slice){l->leaf[i].p, l->leaf[i].len};
	put(&f);
}

static void
put_note(const void *p, size_t n)
{
	struct hsa_frame f = {.kind = HSA_FRAME_CHECKPOINT};
	char text[4096];

	memcpy(text, p, n);
	f.text = text;
	f.text_len = n;
	put(&f);
}

static void
put_checkpoint(const struct helper_vfy_log *l, size_t size)
{
	struct hsa_buf note = {0};
	uint8_t root[32];

	helper_vfy_root(root, l, size);
	helper_vfy_note(&note, l->origin, size, root, l->key);
	put_note(note.p, note.len);
	hsa_buf_free(&note);
}

static void
feed(struct col_peer *p)
{
	col_peer_feed(p, sent.p, sent.len);
	hsa_buf_reset(&sent);
	if (p->acks.len != 0) {
		(void)!hsa_is_ok(col_hub_sync(&hub));
		col_peer_synced(p);
	}
}

/* ---- what it hears ------------------------------------------------------- */

static void
hear(struct col_peer *p, struct hsa_frame *f)
{
	size_t used;

	*f = (struct hsa_frame){0};
	assert_true(p->out.len > 0);
	assert_int_equal(hsa_frame_decode(f, &used, p->out.p, p->out.len).v, 0);
	memmove(p->out.p, p->out.p + used, p->out.len - used);
	p->out.len -= used;
}

static void
hear_resume(struct col_peer *p, uint64_t next)
{
	struct hsa_frame f;

	hear(p, &f);
	assert_int_equal(f.kind, HSA_FRAME_RESUME);
	assert_int_equal(f.sequence, next);
	assert_false(p->done);
	hsa_frame_free(&f);
}

static void
hear_ack(struct col_peer *p, const struct helper_vfy_log *l, uint64_t size)
{
	struct hsa_frame f;
	uint8_t root[32];

	hear(p, &f);
	if (f.kind == HSA_FRAME_REFUSE)
		print_error("refused: %s\n", f.text);
	assert_int_equal(f.kind, HSA_FRAME_ACK);
	assert_int_equal(f.sequence, size);
	helper_vfy_root(root, l, (size_t)size);
	assert_memory_equal(f.root, root, 32);
	hsa_frame_free(&f);
}

static void
hear_refuse(struct col_peer *p, const char *part)
{
	struct hsa_frame f;

	assert_true(p->done);
	hear(p, &f);
	assert_int_equal(f.kind, HSA_FRAME_REFUSE);
	if (strstr(f.text, part) == NULL)
		print_error("refused, but: %s\n", f.text);
	assert_non_null(strstr(f.text, part));
	assert_int_equal(p->out.len, 0);
	hsa_frame_free(&f);
}

static void
greet(struct col_peer *p, const struct helper_vfy_log *l, uint64_t next)
{
	col_peer_init(p, &hub);
	put_hello(l, l->n);
	feed(p);
	hear_resume(p, next);
}

/* The copy of l holds exactly its first `size` records, and verifies. */
static void
copy_is(const struct helper_vfy_log *l, uint64_t size)
{
	struct vfy_options opt = {.keys = &keys};
	struct vfy_result res;
	struct hsa_diag d;
	uint8_t root[32];
	char dir[160];

	(void)snprintf(dir, sizeof(dir), "%s/%s", out, l->unit);
	assert_int_equal(vfy_log(&res, dir, &opt, &d).v, 0);
	assert_false(res.bad);
	assert_int_equal(res.sealed, size);
	helper_vfy_root(root, l, (size_t)size);
	assert_memory_equal(root, res.root, 32);
}

/* ---- cases --------------------------------------------------------------- */

static void
test_peer__a_whole_log_is_stored_and_acknowledged(void **state)
{
	struct col_peer p;

	(void)state;
	greet(&p, &a, 0);
	for (size_t n = 0; n < 20; n += 4) {
		put_records(&a, n, n + 1, n);
		put_records(&a, n + 1, n + 4, n + 1);
		feed(&p);
		assert_int_equal(
		    p.out.len, 0); /* nothing before it is sealed */
		put_checkpoint(&a, n + 4);
		feed(&p);
		hear_ack(&p, &a, n + 4);
		copy_is(&a, n + 4);
	}
	assert_int_equal(hub.stored, 20);
	col_peer_free(&p);
}

static void
test_peer__bytes_may_come_one_by_one(void **state)
{
	struct hsa_buf all = {0};
	struct col_peer p;

	(void)state;
	col_peer_init(&p, &hub);
	put_hello(&a, a.n);
	put_records(&a, 0, 20, 0);
	put_checkpoint(&a, 20);
	all = sent;
	sent = (struct hsa_buf){0};
	for (size_t i = 0; i < all.len; i++) {
		col_peer_feed(&p, all.p + i, 1);
		assert_false(p.done);
	}
	assert_int_equal(col_hub_sync(&hub).v, 0);
	col_peer_synced(&p);
	hear_resume(&p, 0);
	hear_ack(&p, &a, 20);
	copy_is(&a, 20);
	hsa_buf_free(&all);
	col_peer_free(&p);
}

static void
test_peer__resumes_where_the_copy_ends(void **state)
{
	struct col_peer p;

	(void)state;
	greet(&p, &a, 0);
	put_records(&a, 0, 4, 0);
	put_checkpoint(&a, 4);
	put_records(&a, 4, 7, 4); /* lost with the connection */
	feed(&p);
	hear_ack(&p, &a, 4);
	col_peer_free(&p);
	greet(&p, &a, 4);
	put_records(&a, 4, 8, 4);
	put_checkpoint(&a, 8);
	feed(&p);
	hear_ack(&p, &a, 8);
	col_peer_free(&p);
	/* the same checkpoint once more is harmless */
	greet(&p, &a, 8);
	put_checkpoint(&a, 8);
	feed(&p);
	hear_ack(&p, &a, 8);
	assert_false(p.done);
	col_peer_free(&p);
	copy_is(&a, 8);
}

static void
test_peer__a_unit_with_a_shorter_log_is_reported(void **state)
{
	struct col_peer p;

	(void)state;
	greet(&p, &a, 0);
	put_records(&a, 0, 8, 0);
	put_checkpoint(&a, 8);
	feed(&p);
	hear_ack(&p, &a, 8);
	col_peer_free(&p);
	col_peer_init(&p, &hub);
	put_hello(&a, 3);
	feed(&p);
	assert_non_null(strstr(p.note.text, "cut"));
	hear_resume(&p, 8); /* which that unit refuses (C4) */
	col_peer_free(&p);
	copy_is(&a, 8);
}

static void
refused(void (*say)(void), const char *why)
{
	struct col_peer p;

	greet(&p, &a, 0);
	put_records(&a, 0, 4, 0);
	put_checkpoint(&a, 4);
	feed(&p);
	hear_ack(&p, &a, 4);
	say();
	feed(&p);
	hear_refuse(&p, why);
	/* deaf from now on */
	put_records(&a, 4, 8, 4);
	put_checkpoint(&a, 8);
	feed(&p);
	assert_int_equal(p.out.len, 0);
	col_peer_free(&p);
	copy_is(&a, 4);
	assert_int_equal(hub.pending, 0);
	/* and the unit itself goes on as if nothing had happened */
	greet(&p, &a, 4);
	put_records(&a, 4, 8, 4);
	put_checkpoint(&a, 8);
	feed(&p);
	hear_ack(&p, &a, 8);
	col_peer_free(&p);
	/* begin afresh for the next case */
	vfy_store_free(hub.unit[0].store);
	hub.unit[0].store = NULL;
	helper_vfy_rmdir(out);
	{
		struct hsa_diag d;

		col_hub_close(&hub);
		assert_int_equal(col_hub_open(&hub, out, &keys, &d).v, 0);
	}
}

static void
garbage(void)
{
	hsa_buf_str(&sent, "GET / HTTP/1.1\r\nHost: of a server that is no "
			   "collector of audit logs\r\n\r\n");
}
static void
huge(void)
{
	hsa_buf_varint(&sent, HSA_FRAME_MAX + 1);
}
static void
endless_varint(void)
{
	for (int i = 0; i < 12; i++)
		hsa_buf_u8(&sent, 0xff);
}
static void
empty_frame(void)
{
	hsa_buf_u8(&sent, 0);
}
static void
second_hello(void)
{
	put_hello(&a, 20);
}
static void
resume_frame(void)
{
	struct hsa_frame f = {.kind = HSA_FRAME_RESUME};

	put(&f);
}
static void
hole(void)
{
	put_records(&a, 5, 8, 5);
}
static void
old_records(void)
{
	put_records(&a, 0, 2, 0);
}
static void
wrong_label(void)
{
	put_records(&a, 5, 8, 4);
}
static void
others_record(void)
{
	put_records(&b, 4, 5, 4);
}
static void
no_record(void)
{
	struct hsa_slice s = {(const uint8_t *)"nothing", 7};
	struct hsa_frame f = {.kind = HSA_FRAME_RECORDS,
	    .sequence = 4,
	    .record = &s,
	    .record_len = 1};

	put_records(&a, 4, 5, 4);
	f.sequence = 5;
	put(&f);
}
static void
early_checkpoint(void)
{
	put_records(&a, 4, 7, 4);
	put_checkpoint(&a, 8);
}
static void
late_checkpoint(void)
{
	put_records(&a, 4, 8, 4);
	put_checkpoint(&a, 7);
}
static void
forge(const struct helper_vfy_log *by, int change)
{
	struct hsa_buf note = {0};
	uint8_t root[32];

	put_records(&a, 4, 8, 4);
	helper_vfy_root(root, &a, 8);
	root[0] ^= (uint8_t)change;
	helper_vfy_note(&note, a.origin, 8, root, by->key);
	put_note(note.p, note.len);
	hsa_buf_free(&note);
}
static void
forged_key(void)
{
	forge(&b, 0);
}
static void
forged_root(void)
{
	forge(&a, 1);
}
static void
other_checkpoint(void)
{
	put_records(&a, 4, 8, 4);
	put_checkpoint(&b, 8);
}
static void
note_garbage(void)
{
	put_records(&a, 4, 8, 4);
	put_note("x", 1);
}
/* Another history of the same unit, under the same key. */
static void
rewritten(void)
{
	struct helper_vfy_log x;

	helper_vfy_init(&x, 1);
	helper_vfy_segment(&x);
	helper_vfy_start(&x);
	for (int i = 0; i < 7; i++)
		helper_vfy_event(&x);
	put_records(&x, 4, 8, 4);
	put_checkpoint(&x, 8);
	helper_vfy_free(&x);
}

static void
test_peer__what_breaks_a_rule_is_refused_and_harms_nothing(void **state)
{
	static const struct {
		void (*say)(void);
		const char *why;
	} cases[] = {
	    {garbage, "not a frame"},
	    {huge, "not a frame"},
	    {endless_varint, "not a frame"},
	    {empty_frame, "not a frame"},
	    {second_hello, "second Hello"},
	    {resume_frame, "only a collector"},
	    {hole, "where 4 comes next"},
	    {old_records, "where 4 comes next"},
	    {wrong_label, "V4"},
	    {others_record, "another unit's"},
	    {no_record, "V4"},
	    {early_checkpoint, "V6"},
	    {late_checkpoint, "V6"},
	    {forged_key, "signature"},
	    {forged_root, "V6"},
	    {other_checkpoint, "V6"},
	    {note_garbage, "V6"},
	    {rewritten, "V6"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		refused(cases[i].say, cases[i].why);
}

static void
test_peer__who_does_not_say_hello_is_refused(void **state)
{
	struct col_peer p;
	struct hsa_frame f = {.kind = HSA_FRAME_HELLO, .epoch = 1};

	(void)state;
	col_peer_init(&p, &hub);
	put_records(&a, 0, 1, 0);
	feed(&p);
	hear_refuse(&p, "no Hello");
	col_peer_free(&p);
	/* a unit id that is not the origin's */
	col_peer_init(&p, &hub);
	(void)snprintf(f.origin, sizeof(f.origin), "%s", a.origin);
	memcpy(f.unit_id, b.unit_id, 16);
	put(&f);
	feed(&p);
	hear_refuse(&p, "origin");
	col_peer_free(&p);
	/* an origin that would be a path */
	col_peer_init(&p, &hub);
	(void)snprintf(f.origin, sizeof(f.origin), "cryptounit/../../etc");
	put(&f);
	feed(&p);
	hear_refuse(&p, "origin");
	col_peer_free(&p);
}

static void
test_peer__a_unit_without_a_key_is_refused(void **state)
{
	struct helper_vfy_log c;
	struct col_peer p;

	(void)state;
	helper_vfy_init(&c, 3);
	col_peer_init(&p, &hub);
	put_hello(&c, 1);
	feed(&p);
	hear_refuse(&p, "no key");
	col_peer_free(&p);
	helper_vfy_free(&c);
}

/* What takes the place of a damaged log is another log, and the collector says
 * that there is one (C5). */
static void
test_peer__a_new_log_of_a_known_unit_begins_beside_the_old_one(void **state)
{
	struct helper_vfy_log c;
	struct hsa_chain chain;
	struct hsa_diag d;
	struct hsa_buf f = {0};
	struct col_peer p;

	(void)state;
	greet(&p, &a, 0);
	put_records(&a, 0, 4, 0);
	put_checkpoint(&a, 4);
	feed(&p);
	hear_ack(&p, &a, 4);
	assert_string_equal(p.note.text, "");
	col_peer_free(&p);
	helper_vfy_init_log(&c, 1, 2);
	c.epoch = 2;
	helper_vfy_segment(&c);
	helper_vfy_opened(&c);
	helper_vfy_chain(&c, &chain);
	helper_vfy_new_chain(&c, &chain);
	hsa_chain_free(&chain);
	helper_vfy_start(&c);
	/* its key is not there yet: it may be anybody's */
	col_peer_init(&p, &hub);
	put_hello(&c, c.n);
	feed(&p);
	hear_refuse(&p, "a new log of a unit known here");
	col_peer_free(&p);
	col_hub_close(&hub);
	vfy_keys_free(&keys);
	hsa_buf_printf(&f, "%s%s", a.key_line, c.key_line);
	assert_int_equal(
	    vfy_keys_parse(&keys, (const char *)f.p, f.len, &d).v, 0);
	hsa_buf_free(&f);
	assert_int_equal(col_hub_open(&hub, out, &keys, &d).v, 0);
	greet(&p, &c, 0);
	assert_true(p.fresh);
	assert_non_null(strstr(p.note.text, "log number 2"));
	put_records(&c, 0, c.n, 0);
	put_checkpoint(&c, c.n);
	feed(&p);
	hear_ack(&p, &c, c.n);
	assert_int_equal(
	    vfy_store_state(p.unit->store)->source_sequence[HSA_SOURCE_USE],
	    10);
	col_peer_free(&p);
	/* the old one is as it was */
	greet(&p, &a, 4);
	assert_string_equal(p.note.text, "");
	col_peer_free(&p);
	helper_vfy_free(&c);
}

static void
test_peer__two_units_do_not_meet(void **state)
{
	struct col_peer p, q;

	(void)state;
	greet(&p, &a, 0);
	greet(&q, &b, 0);
	put_records(&a, 0, 4, 0);
	feed(&p);
	put_records(&b, 0, 9, 0);
	put_checkpoint(&b, 9);
	feed(&q);
	hear_ack(&q, &b, 9);
	put_checkpoint(&a, 4);
	feed(&p);
	hear_ack(&p, &a, 4);
	col_peer_free(&p);
	col_peer_free(&q);
	copy_is(&a, 4);
	copy_is(&b, 9);
}

static void
test_peer__of_two_connections_of_a_unit_the_faster_wins(void **state)
{
	struct col_peer p, q;

	(void)state;
	greet(&p, &a, 0);
	greet(&q, &a, 0);
	put_records(&a, 0, 4, 0);
	feed(&p);
	put_records(&a, 0, 4, 0);
	feed(&q);
	put_checkpoint(&a, 4);
	feed(&q);
	hear_ack(&q, &a, 4);
	put_checkpoint(&a, 4);
	feed(&p);
	hear_refuse(&p, "connect again");
	put_records(&a, 4, 20, 4);
	put_checkpoint(&a, 20);
	feed(&q);
	hear_ack(&q, &a, 20);
	col_peer_free(&p);
	col_peer_free(&q);
	copy_is(&a, 20);
}

static void
test_peer__records_without_end_are_refused(void **state)
{
	struct helper_vfy_log l;
	struct hsa_record r;
	struct col_peer p;
	size_t total = 0;

	(void)state;
	greet(&p, &a, 0);
	helper_vfy_init(&l, 1);
	helper_vfy_segment(&l);
	helper_vfy_start(&l);
	put_records(&l, 0, 1, 0);
	feed(&p);
	helper_vfy_make(&l, &r);
	free(r.special.text);
	r.special.text = malloc(60000);
	assert_non_null(r.special.text);
	memset(r.special.text, 'x', 59999);
	r.special.text[59999] = '\0';
	for (uint64_t i = 1; !p.done; i++) {
		struct hsa_buf rest = {0}, one = {0};
		struct hsa_slice s;
		struct hsa_frame f = {.kind = HSA_FRAME_RECORDS,
		    .sequence = i,
		    .record = &s,
		    .record_len = 1};

		r.source_sequence = i + 1;
		assert_int_equal(hsa_record_encode(&rest, &r).v, 0);
		hsa_record_seal(&one, i, rest.p, rest.len);
		s = (struct hsa_slice){one.p, one.len};
		put(&f);
		feed(&p);
		total += one.len;
		hsa_buf_free(&rest);
		hsa_buf_free(&one);
		assert_true(total < 80u * 1024 * 1024);
	}
	hear_refuse(&p, "without a checkpoint");
	assert_true(total > 60u * 1024 * 1024);
	assert_int_equal(hub.pending, 0);
	hsa_record_free(&r);
	helper_vfy_free(&l);
	col_peer_free(&p);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_peer__a_whole_log_is_stored_and_acknowledged),
	    CASE(test_peer__bytes_may_come_one_by_one),
	    CASE(test_peer__resumes_where_the_copy_ends),
	    CASE(test_peer__a_unit_with_a_shorter_log_is_reported),
	    CASE(test_peer__what_breaks_a_rule_is_refused_and_harms_nothing),
	    CASE(test_peer__who_does_not_say_hello_is_refused),
	    CASE(test_peer__a_unit_without_a_key_is_refused),
	    CASE(
		test_peer__a_new_log_of_a_known_unit_begins_beside_the_old_one),
	    CASE(test_peer__two_units_do_not_meet),
	    CASE(test_peer__of_two_connections_of_a_unit_the_faster_wins),
	    CASE(test_peer__records_without_end_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
