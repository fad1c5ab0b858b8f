#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper_vfy.h"
#include "hsa_contexts.h"
#include "render.h"
#include "sink.h"
#include "sink_cursor.h"
#include "sink_value.h"

static char base[64], file[80];
static struct helper_vfy_log a, b;
static struct sink_stop stop;

static int
setup(void **state)
{
	(void)state;
	helper_vfy_tmpdir(base);
	(void)snprintf(file, sizeof(file), "%s/lines", base);
	helper_vfy_init(&a, 1);
	helper_vfy_init(&b, 2);
	helper_vfy_segment(&a);
	helper_vfy_segment(&b);
	/* the helper's events are the same bytes but for their time */
	for (int i = 0; i < 20; i++) {
		if (i % 5 == 2)
			helper_vfy_special(&a);
		else
			helper_vfy_event(&a);
		helper_vfy_event(&b);
	}
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	helper_vfy_free(&a);
	helper_vfy_free(&b);
	helper_vfy_rmdir(base);
	return 0;
}

static void *
open_sink(const char *format)
{
	struct sink_uri u;
	struct sink_config cfg = {.dir = base, .uri = &u, .stop = &stop};
	struct hsa_diag d = {{0}};
	char address[160];
	void *ctx = NULL;
	hsa_rc rc;

	(void)snprintf(
	    address, sizeof(address), "file:%s?format=%s", file, format);
	assert_int_equal(sink_uri_parse(&u, address, &d).v, 0);
	rc = sink_file.open(&ctx, &cfg, &d);
	if (!hsa_is_ok(rc))
		print_error("%s\n", d.text);
	assert_int_equal(rc.v, 0);
	sink_uri_free(&u);
	return ctx;
}

static uint64_t
resume(void *ctx, const struct helper_vfy_log *l)
{
	struct hsa_diag d = {{0}};
	uint64_t next = 99;

	assert_int_equal(sink_file.resume(ctx, &next, l->unit, &d).v, 0);
	return next;
}

static void
pass(void *ctx, const struct helper_vfy_log *l, uint64_t from, uint64_t to)
{
	struct hsa_diag d = {{0}};
	struct hsa_record r;

	for (uint64_t i = from; i < to; i++) {
		const struct hsa_buf *leaf = &l->leaf[i];

		assert_int_equal(
		    hsa_record_decode(&r, leaf->p, leaf->len).v, 0);
		assert_int_equal(
		    sink_file.add(ctx, l->unit, &r, leaf->p, leaf->len).v, 0);
		hsa_record_free(&r);
	}
	assert_int_equal(sink_file.put(ctx, l->unit, from, to, &d).v, 0);
}

static void
expect(struct hsa_buf *to, const struct helper_vfy_log *l, uint64_t from,
    uint64_t until)
{
	struct hsa_record r;

	for (uint64_t i = from; i < until; i++) {
		assert_int_equal(
		    hsa_record_decode(&r, l->leaf[i].p, l->leaf[i].len).v, 0);
		if (sink_value_has(SINK_IBM_AT, &r)) {
			assert_int_equal(
			    sink_value_put(to, SINK_IBM_AT, &r, NULL, 0).v, 0);
			hsa_buf_u8(to, '\n');
		}
		hsa_record_free(&r);
	}
}

static void
slurp(struct hsa_buf *to, const char *path)
{
	FILE *f = fopen(path, "rb");
	char part[4096];
	size_t n;

	hsa_buf_reset(to);
	assert_non_null(f);
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		hsa_buf_put(to, part, n);
	(void)fclose(f);
}

static void
file_is(const struct hsa_buf *want)
{
	struct hsa_buf got = {0};

	slurp(&got, file);
	assert_int_equal(got.len, want->len);
	assert_memory_equal(got.p, want->p, want->len);
	hsa_buf_free(&got);
}

/* The one cursor there is. */
static void
cursor_path(char to[160])
{
	struct sink_cursor c;
	struct hsa_diag d;
	char name[100];

	(void)snprintf(name, sizeof(name), "file:%s", file);
	assert_int_equal(sink_cursor_load(&c, base, name, &d).v, 0);
	(void)snprintf(to, 160, "%s/sinks/%s", base, c.path);
	sink_cursor_free(&c);
}

static void
test_sink_file__writes_events_of_all_units_and_knows_how_far(void **state)
{
	struct hsa_buf want = {0};
	void *s = open_sink("ibm-at");

	(void)state;
	assert_int_equal(resume(s, &a), 0);
	assert_int_equal(resume(s, &b), 0);
	pass(s, &a, 0, 7);
	pass(s, &b, 0, 3);
	pass(s, &a, 7, 8);
	sink_file.close(s);
	s = open_sink("ibm-at");
	assert_int_equal(resume(s, &a), 8);
	assert_int_equal(resume(s, &b), 3);
	pass(s, &b, 3, 20);
	sink_file.close(s);
	expect(&want, &a, 0, 7);
	expect(&want, &b, 0, 3);
	expect(&want, &a, 7, 8);
	expect(&want, &b, 3, 20);
	file_is(&want);
	hsa_buf_free(&want);
}

/* Cut the file at every byte that a kill may have left of the last batch; the
 * next start has another size of batch and serves the other unit first. */
static void
test_sink_file__each_line_once_wherever_a_kill_cuts_it(void **state)
{
	struct hsa_buf before = {0}, whole = {0}, cursor = {0}, want = {0};
	char path[160];
	size_t first;
	void *s = open_sink("ibm-at");

	(void)state;
	pass(s, &b, 0, 2);
	pass(s, &a, 0, 4);
	slurp(&before, file);
	first = before.len;
	pass(s, &a, 4, 9);
	cursor_path(path);
	slurp(&cursor, path); /* as announced before the write */
	slurp(&whole, file);
	sink_file.close(s);
	for (size_t cut = first; cut <= whole.len; cut++) {
		bool other_first = cut % 2 == 0;
		uint64_t from;

		helper_vfy_put_file(base, "lines", whole.p, cut);
		helper_vfy_put_file(
		    base, path + strlen(base) + 1, cursor.p, cursor.len);
		s = open_sink("ibm-at");
		hsa_buf_reset(&want);
		hsa_buf_put(&want, whole.p, cut);
		while (want.len > 0 && want.p[want.len - 1] != '\n')
			want.len--;
		if (other_first) {
			assert_int_equal(resume(s, &b), 2);
			pass(s, &b, 2, 3);
			expect(&want, &b, 2, 3);
		}
		from = resume(s, &a);
		assert_int_equal(from, 4);
		pass(s, &a, from, 7);
		if (cut % 3 == 0) { /* and killed again */
			slurp(&before, path);
			sink_file.close(s);
			helper_vfy_put_file(base, path + strlen(base) + 1,
			    before.p, before.len);
			s = open_sink("ibm-at");
		}
		pass(s, &a, resume(s, &a), 12);
		sink_file.close(s);
		/* what was there stays, the rest follows, none twice */
		{
			struct hsa_buf lines = {0}, got = {0};

			expect(&lines, &a, 0, 12);
			if (other_first)
				expect(&lines, &b, 2, 3);
			expect(&lines, &b, 0, 2);
			slurp(&got, file);
			assert_int_equal(got.len, lines.len);
			assert_true(got.len >= want.len);
			assert_memory_equal(
			    got.p, want.p, other_first ? first : want.len);
			hsa_buf_free(&lines);
			hsa_buf_free(&got);
		}
	}
	hsa_buf_free(&before);
	hsa_buf_free(&whole);
	hsa_buf_free(&cursor);
	hsa_buf_free(&want);
}

static void
test_sink_file__lines_of_somebody_else_lose_nothing(void **state)
{
	static const char foreign[] = "{\"not\":\"ours\"}\n";
	struct hsa_buf cursor = {0}, want = {0}, got = {0};
	char path[160];
	void *s = open_sink("ibm-at");
	FILE *f;

	(void)state;
	pass(s, &a, 0, 2);
	pass(s, &a, 2, 5);
	cursor_path(path);
	slurp(&cursor, path);
	sink_file.close(s);
	/* a killed batch of which nothing was written, and a stranger's line */
	expect(&want, &a, 0, 2);
	helper_vfy_put_file(base, "lines", want.p, want.len);
	f = fopen(file, "a");
	(void)fputs(foreign, f);
	(void)fclose(f);
	helper_vfy_put_file(
	    base, path + strlen(base) + 1, cursor.p, cursor.len);
	s = open_sink("ibm-at");
	pass(s, &a, resume(s, &a), 6);
	sink_file.close(s);
	hsa_buf_str(&want, foreign);
	expect(&want, &a, 2, 6);
	slurp(&got, file);
	file_is(&want);
	hsa_buf_free(&cursor);
	hsa_buf_free(&want);
	hsa_buf_free(&got);
}

static void
test_sink_file__a_file_moved_away_is_made_anew_on_request(void **state)
{
	struct hsa_buf want = {0}, got = {0};
	char old[96];
	struct stat st;
	void *s = open_sink("ibm-at");

	(void)state;
	(void)snprintf(old, sizeof(old), "%s.1", file);
	pass(s, &a, 0, 3);
	assert_int_equal(rename(file, old), 0);
	pass(s, &a, 3, 5); /* still into the old one */
	sink_file.reopen(s);
	assert_int_equal(resume(s, &a), 5);
	pass(s, &a, 5, 9);
	sink_file.close(s);
	expect(&want, &a, 0, 5);
	slurp(&got, old);
	assert_int_equal(got.len, want.len);
	hsa_buf_reset(&want);
	expect(&want, &a, 5, 9);
	file_is(&want);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	hsa_buf_free(&want);
	hsa_buf_free(&got);
}

static void
test_sink_file__a_damaged_cursor_is_refused_with_the_way_out(void **state)
{
	struct sink_uri u;
	struct sink_config cfg = {.dir = base, .uri = &u, .stop = &stop};
	struct hsa_diag d = {{0}};
	char path[160], address[100];
	void *s = open_sink("ibm-at");

	(void)state;
	pass(s, &a, 0, 3);
	sink_file.close(s);
	cursor_path(path);
	assert_int_equal(truncate(path, 40), 0);
	(void)snprintf(address, sizeof(address), "file:%s", file);
	assert_int_equal(sink_uri_parse(&u, address, &d).v, 0);
	assert_int_equal(sink_file.open(&s, &cfg, &d).v, HSA_E_CORRUPT);
	assert_non_null(strstr(d.text, "remove it"));
	sink_uri_free(&u);
}

static void
test_sink_file__envelope_has_specials_too(void **state)
{
	struct hsa_buf got = {0};
	void *s = open_sink("envelope");
	size_t lines = 0;

	(void)state;
	pass(s, &a, 0, 20);
	sink_file.close(s);
	slurp(&got, file);
	for (size_t i = 0; i < got.len; i++)
		lines += got.p[i] == '\n';
	assert_int_equal(lines, 20);
	assert_non_null(strstr(hsa_buf_cstr(&got), "REQUEST_REFUSED"));
	hsa_buf_free(&got);
}

/* What the collector passes on is what `hsa export` would write of the copy. */
static void
test_sink_file__other_formats_are_those_of_export(void **state)
{
	static const char *const format[] = {"cadf-1.0", "cef"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct hsa_buf got = {0}, want = {0};
		void *s;

		(void)unlink(file);
		s = open_sink(format[i]);
		pass(s, &a, 0, 20);
		sink_file.close(s);
		slurp(&got, file);
		for (size_t k = 0; k < 20; k++) {
			struct hsa_record r = {0};

			assert_int_equal(
			    hsa_record_decode(&r, a.leaf[k].p, a.leaf[k].len).v,
			    0);
			render_line(&want, render_find(format[i]),
			    &(const struct render_in){.r = &r});
			hsa_record_free(&r);
		}
		assert_true(want.len > 1000);
		assert_int_equal(got.len, want.len);
		assert_memory_equal(got.p, want.p, want.len);
		hsa_buf_free(&got);
		hsa_buf_free(&want);
	}
}

/* ---- addresses and cursors ----------------------------------------------- */

static void
test_sink_uri__takes_what_it_says(void **state)
{
	struct hsa_diag d;
	struct sink_uri u;
	char *host, *port;

	(void)state;
	assert_int_equal(sink_uri_parse(&u, "file:/a%3fb?format=x", &d).v, 0);
	assert_string_equal(u.path, "/a?b");
	assert_string_equal(sink_uri_get(&u, "format"), "x");
	assert_int_equal(sink_uri_only(&u, "other", &d).v, HSA_E_ARG);
	assert_int_equal(sink_uri_only(&u, "other format", &d).v, 0);
	sink_uri_free(&u);
	assert_int_equal(
	    sink_uri_parse(&u, "KAFKA://a:1,b:2/topic?x=1&y=%26", &d).v, 0);
	assert_string_equal(u.scheme, "kafka");
	assert_string_equal(u.host, "a:1,b:2");
	assert_string_equal(u.path, "topic");
	assert_string_equal(sink_uri_get(&u, "y"), "&");
	assert_int_equal(sink_uri_host(&host, &port, &u, &d).v, HSA_E_ARG);
	sink_uri_free(&u);
	assert_int_equal(sink_uri_parse(&u, "syslog+tcp://[::1]:514", &d).v, 0);
	assert_int_equal(sink_uri_host(&host, &port, &u, &d).v, 0);
	assert_string_equal(host, "::1");
	assert_string_equal(port, "514");
	free(host);
	free(port);
	sink_uri_free(&u);
}

static void
test_sink_uri__refuses_the_rest(void **state)
{
	static const char *const bad[] = {"", ":", "file", "?x=1", "file:%",
	    "file:%0", "file:%00", "file:%0a", "file:a\nb", "file:a?b",
	    "file:a?=1", "file:a?b=1&b=2", "file:a?b=%zz",
	    "a:?1=&2=&3=&4=&5=&6=&7=&8=&9=&a=&b=&c=&d=&e=&f=&g=&h="};
	struct sink_uri u = {0};
	struct hsa_diag d;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		d.text[0] = '\0';
		assert_int_equal(sink_uri_parse(&u, bad[i], &d).v, HSA_E_ARG);
		assert_int_not_equal(d.text[0], 0);
	}
}

static void
test_sink_value__the_origin_is_what_the_crn_says(void **state)
{
	struct sink_origin o;

	(void)state;
	sink_value_origin(
	    &o, "crn:v1:bluemix:public:hs-crypto:us-south:a/0123abcd:11-22::");
	assert_string_equal(o.location, "us-south");
	assert_string_equal(o.region, "us-south");
	assert_string_equal(o.account, "0123abcd");
	sink_value_origin(&o, "crn:v1:bluemix:public:x:eu-de-2:a/1:i::");
	assert_string_equal(o.location, "eu-de-2");
	assert_string_equal(o.region, "eu-de");
	sink_value_origin(&o, "crn:v1:x");
	assert_string_equal(o.location, "");
	assert_string_equal(o.account, "");
	sink_value_origin(&o, NULL);
	assert_string_equal(o.region, "");
}

/* A call that was sealed compactly leaves as the event that it stands for. */
static void
test_sink_value__a_compact_record_leaves_complete(void **state)
{
	const struct hsa_context_place at = {
	    .sequence = 1, .source_sequence = 2, .wall_ns = 5, .mono_ns = 6};
	struct hsa_compact_record call = {.sequence = 2,
	    .source_sequence = 7,
	    .wall_ns = UINT64_C(1763807400000000000),
	    .mono_ns = 9,
	    .has_use = true,
	    .use = {.function = 1, .bytes_in = 3},
	    .compact = {.context = 1}};
	struct hsa_buf rest = {0}, sealed = {0}, value = {0};
	struct hsa_contexts known = {0};
	struct hsa_record r, again;
	uint8_t bytes[HSA_COMPACT_MAX];
	size_t n = hsa_compact_put(bytes, &call);

	(void)state;
	assert_int_equal(
	    hsa_record_decode(&r, b.leaf[0].p, b.leaf[0].len).v, 0);
	r.source = HSA_SOURCE_SEALER;
	r.body = HSA_BODY_CONTEXT;
	r.wall_ns = r.mono_ns = r.source_sequence = r.event.event_time_ns = 0;
	r.ep11_rc = r.ep11_reason = 0;
	r.has_command_id = false;
	free(r.signer_id);
	r.signer_id = NULL;
	r.signer_len = 0;
	assert_int_equal(hsa_record_encode(&rest, &r).v, 0);
	hsa_record_free(&r);
	assert_int_equal(hsa_context_seal(&sealed, &at, rest.p, rest.len).v, 0);
	assert_int_equal(hsa_record_decode(&r, sealed.p, sealed.len).v, 0);
	assert_false(sink_value_has(SINK_IBM_AT, &r));
	assert_true(sink_value_has(SINK_PROTOBUF, &r));
	assert_int_equal(hsa_contexts_take(&known, &r).v, 0);
	hsa_record_free(&r);
	assert_int_equal(hsa_record_decode(&r, bytes, n).v, 0);
	assert_int_equal(hsa_contexts_take(&known, &r).v, 0);

	assert_int_equal(sink_value_put(&value, SINK_LEAF, &r, bytes, n).v, 0);
	assert_int_equal(value.len, n);
	assert_memory_equal(value.p, bytes, n);
	hsa_buf_reset(&value);
	assert_int_equal(
	    sink_value_put(&value, SINK_PROTOBUF, &r, bytes, n).v, 0);
	assert_true(value.len > 2 * n);
	assert_int_equal(hsa_record_decode(&again, value.p, value.len).v, 0);
	assert_int_equal(again.body, HSA_BODY_EVENT);
	assert_int_equal(again.sequence, 2);
	assert_int_equal(again.event.event_time_ns, call.wall_ns);
	assert_string_equal(again.event.initiator.name, "a@example.com");
	assert_memory_equal(again.unit_id, b.unit_id, sizeof(b.unit_id));
	hsa_buf_reset(&value);
	assert_true(sink_value_has(SINK_IBM_AT, &r));
	assert_int_equal(
	    sink_value_put(&value, SINK_IBM_AT, &r, bytes, n).v, 0);
	assert_non_null(
	    strstr(hsa_buf_cstr(&value), "2025-11-22T10:30:00.00+0000"));
	hsa_record_free(&again);
	hsa_record_free(&r);
	hsa_contexts_free(&known);
	hsa_buf_free(&rest);
	hsa_buf_free(&sealed);
	hsa_buf_free(&value);
}

static void
test_sink_cursor__what_is_no_cursor_is_refused(void **state)
{
#define HEAD "hsa-sink-cursor 1\nsink x:\n"
#define UNIT "unit 01010101-0101-0101-0101-010101010101 "
	static const char *const bad[] = {"", HEAD, HEAD "end", "end\n",
	    "hsa-sink-cursor 2\nsink x:\nend\n",
	    "hsa-sink-cursor 1\nsink y:\nend\n", HEAD UNIT "1 0 0\n",
	    HEAD UNIT "1 0\nend\n", HEAD UNIT "01 0 0\nend\n",
	    HEAD UNIT "1 2 1\nend\n", HEAD UNIT "1 0 0\n" UNIT "2 0 0\nend\n",
	    HEAD UNIT "99999999999999999999 0 0\nend\n",
	    HEAD UNIT "1 0 0\nfile 1 2\nend\n", HEAD "pending 1 2\nend\n",
	    HEAD "file 1 2\npending 01010101-0101-0101-0101-010101010101 "
		 "5\n" UNIT "1 0 0\nend\n",
	    HEAD "end\nend\n", HEAD "file 1 2 \nend\n",
	    HEAD "unit 01010101-0101-0101-0101-010101010101.1 1 0 0\nend\n",
	    HEAD "unit 01010101-0101-0101-0101-010101010101.02 1 0 0\nend\n",
	    HEAD "unit 01010101-0101-0101-0101-010101010101.10000 1 0 0\nend\n",
	    HEAD "unit 01010101-0101-0101-0101-0101010101012 1 0 0\nend\n"};
	char name[] = "x:";

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct sink_cursor c = {.name = name, .folder = -1};

		assert_int_equal(
		    sink_cursor_parse(&c, bad[i], strlen(bad[i])).v,
		    HSA_E_FORMAT);
		c.name = NULL;
		sink_cursor_free(&c);
	}
}

/* A unit that began a new log is twice there. */
static void
test_sink_cursor__each_log_of_a_unit_has_a_place(void **state)
{
	static const char text[] = HEAD UNIT
	    "70 0 0\nunit 01010101-0101-0101-0101-010101010101.2 5 0 0\nend\n";
	char name[] = "x:";
	struct sink_cursor c = {.name = name, .folder = -1};
	struct hsa_buf again = {0};

	(void)state;
	assert_int_equal(sink_cursor_parse(&c, text, sizeof(text) - 1).v, 0);
	assert_int_equal(c.len, 2);
	assert_int_equal(
	    sink_cursor_of(&c, "01010101-0101-0101-0101-010101010101.2")->next,
	    5);
	sink_cursor_print(&again, &c);
	assert_string_equal(hsa_buf_cstr(&again), text);
	hsa_buf_free(&again);
	c.name = NULL;
	sink_cursor_free(&c);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_sink_file__writes_events_of_all_units_and_knows_how_far),
	    CASE(test_sink_file__each_line_once_wherever_a_kill_cuts_it),
	    CASE(test_sink_file__lines_of_somebody_else_lose_nothing),
	    CASE(test_sink_file__a_file_moved_away_is_made_anew_on_request),
	    CASE(test_sink_file__a_damaged_cursor_is_refused_with_the_way_out),
	    CASE(test_sink_file__envelope_has_specials_too),
	    CASE(test_sink_file__other_formats_are_those_of_export),
	    cmocka_unit_test(test_sink_uri__takes_what_it_says),
	    cmocka_unit_test(test_sink_uri__refuses_the_rest),
	    cmocka_unit_test(test_sink_value__the_origin_is_what_the_crn_says),
	    CASE(test_sink_value__a_compact_record_leaves_complete),
	    cmocka_unit_test(test_sink_cursor__what_is_no_cursor_is_refused),
	    CASE(test_sink_cursor__each_log_of_a_unit_has_a_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
