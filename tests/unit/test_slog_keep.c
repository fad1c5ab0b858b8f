/* The log's files: lost under the writer, limited, released (FORMAT V1, W4,
 * W5), and a clock that is set. Read back by the verifier. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "cu_clock.h"
#include "helper_proto.h"
#include "helper_slog.h"
#include "hsa_codec.h"
#include "slog_impl.h"
#include "vfy_log.h"

static struct helper_slog h;
static uint64_t number; /* of the last record put */

static int
setup(void **state)
{
	(void)state;
	helper_slog_init(&h);
	h.cfg.segment_bytes = 1500; /* a new one every few records */
	number = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	helper_slog_free(&h);
	return 0;
}

static void
again(void **state)
{
	(void)teardown(state);
	(void)setup(state);
}

static void
put(struct slog *l, unsigned int n)
{
	uint64_t sequence = 0;

	while (n-- > 0)
		assert_ok(helper_slog_seal(l, &sequence, ++number, 100));
}

static void
verify(struct vfy_result *res, vfy_record_fn *fn, void *ctx)
{
	struct vfy_key key = {0};
	struct vfy_keys keys = {&key, 1};
	struct vfy_options opt = {.keys = &keys, .on_record = fn, .ctx = ctx};
	struct hsa_diag diag = {{0}};
	struct slog_key k;

	assert_ok(slog_key_init(&k, HELPER_ORIGIN, h.cfg.public_key));
	(void)snprintf(key.origin, sizeof(key.origin), "%s", HELPER_ORIGIN);
	memcpy(key.public_key, h.cfg.public_key, sizeof(key.public_key));
	memcpy(key.key_hash, k.hash, sizeof(key.key_hash));
	assert_ok(vfy_log(res, h.dir, &opt, &diag));
}

/* ---- lost under the writer ----------------------------------------------- */

enum loss {
	LOSS_LAST,
	LOSS_LAST_REPLACED,
	LOSS_HEAD,
	LOSS_HEAD_REPLACED,
	LOSS_COUNT
};

static void
lose(enum loss how)
{
	char name[64][32], path[160], copy[160];
	struct hsa_buf b = {0};
	size_t n = helper_dir_segments(name, 64, h.dir);
	const char *which = how < LOSS_HEAD ? name[n - 1] : "head";

	(void)snprintf(path, sizeof(path), "%s/%s", h.dir, which);
	if (how == LOSS_LAST || how == LOSS_HEAD) {
		assert_int_equal(unlink(path), 0);
		return;
	}
	/* the same bytes, in another file */
	(void)snprintf(copy, sizeof(copy), "%s/copy", h.dir);
	helper_file_read(&b, h.dir, which);
	helper_file_write(h.dir, "copy", b.p, b.len);
	assert_int_equal(rename(copy, path), 0);
	hsa_buf_free(&b);
}

static void
test_slog_keep__a_lost_file_is_noticed_before_the_next_acknowledgement(
    void **state)
{
	uint64_t sequence = 0;
	struct hsa_diag why;
	struct slog *l;

	for (int how = 0; how < LOSS_COUNT; how++) {
		again(state);
		l = helper_slog_open(&h);
		put(l, 10);
		lose((enum loss)how);
		assert_rc(
		    "E_IO", helper_slog_seal(l, &sequence, ++number, 100));
		slog_why(l, &why);
		if (strstr(why.text, "closed for good") == NULL ||
		    strstr(why.text, how == LOSS_LAST || how == LOSS_HEAD
					 ? "was deleted"
					 : "another file") == NULL)
			fail_msg("%d: %s", how, why.text);
		/* and it stays so */
		assert_rc(
		    "E_IO", helper_slog_seal(l, &sequence, ++number, 100));
		slog_close(l);
	}
}

static void
test_slog_keep__an_older_file_that_is_gone_closes_the_log(void **state)
{
	char name[64][32], path[160];
	struct hsa_diag why = {{0}};
	uint64_t sequence = 0;
	struct slog *l;

	(void)state;
	l = helper_slog_open(&h);
	put(l, 30);
	assert_ok(slog_check(l, &why));
	assert_true(helper_dir_segments(name, 64, h.dir) > 2);
	(void)snprintf(path, sizeof(path), "%s/%.31s", h.dir, name[1]);
	assert_int_equal(unlink(path), 0);
	assert_rc("E_IO", slog_check(l, &why));
	assert_non_null(strstr(why.text, name[1]));
	assert_rc("E_IO", helper_slog_seal(l, &sequence, ++number, 100));
	slog_close(l);
}

/* ---- release ------------------------------------------------------------- */

/* What a unit does: the record, sealed; then the files. */
static void
say_released(struct slog *l, uint64_t before)
{
	struct cu_sink sink = slog_sink(l);
	struct hsa_record r = {0};
	struct hsa_buf b = {0};
	uint64_t sequence = 0;

	helper_slog_record(&b, ++number, 1);
	/* the decoder wants a sequence */
	{
		struct hsa_buf sealed = {0};

		hsa_record_seal(&sealed, 0, b.p, b.len);
		assert_ok(hsa_record_decode(&r, sealed.p, sealed.len));
		hsa_buf_free(&sealed);
	}
	free(r.special.name);
	r.special.name = strdup("LOG_RELEASED");
	assert_ok(
	    hsa_data_integer(&r.special.details, "before", (int64_t)before));
	hsa_buf_reset(&b);
	assert_ok(hsa_record_encode(&b, &r));
	assert_ok(sink.ops->seal(
	    sink.ctx, &sequence, HSA_SOURCE_OUTBOX, number, b.p, b.len));
	hsa_record_free(&r);
	hsa_buf_free(&b);
}

static struct slog_plan
plan(struct slog *l, uint64_t acknowledged, uint64_t keep_bytes)
{
	const struct slog_policy policy = {.acknowledged = acknowledged,
	    .keep_bytes = keep_bytes,
	    .now_ns = INT64_MAX / 2};
	struct slog_plan p;

	assert_ok(slog_release_plan(l, &p, &policy));
	return p;
}

static void
test_slog_keep__what_all_have_is_released_and_the_rest_verifies(void **state)
{
	struct slog_reader *r = NULL;
	struct hsa_diag diag = {{0}};
	struct vfy_result res;
	struct slog_kept k;
	struct slog_plan p;
	struct slog *l;

	(void)state;
	l = helper_slog_open(&h);
	put(l, 60);
	assert_int_equal(plan(l, 0, 0).files, 0);
	p = plan(l, 30, 0);
	assert_true(p.files > 3 && p.before <= 30 && p.before > 20);
	slog_kept(l, &k);
	assert_int_equal(k.first, 0);
	assert_true(k.bytes > p.bytes + 2000);
	/* not below what is to be kept */
	assert_int_equal(plan(l, 30, k.bytes).files, 0);
	assert_true(plan(l, 30, k.bytes - p.bytes / 2).files < p.files);
	say_released(l, p.before);
	assert_ok(slog_reader_open(&r, l, 3));
	slog_reader_free(r);
	assert_ok(slog_release(l, p.before, &diag));
	slog_kept(l, &k);
	assert_int_equal(k.first, p.before);
	r = NULL;
	assert_rc("E_NOT_FOUND", slog_reader_open(&r, l, p.before - 1));
	assert_ok(slog_reader_open(&r, l, p.before));
	slog_reader_free(r);
	put(l, 5);
	slog_close(l);
	verify(&res, NULL, NULL);
	assert_false(res.bad);
	assert_int_equal(res.first, p.before);
	assert_int_equal(res.records, number);
	/* the writer goes on, and again */
	l = helper_slog_open(&h);
	slog_kept(l, &k);
	assert_int_equal(k.first, p.before);
	put(l, 30);
	p = plan(l, number, 0);
	say_released(l, p.before);
	assert_ok(slog_release(l, p.before, &diag));
	slog_close(l);
	verify(&res, NULL, NULL);
	assert_false(res.bad);
	assert_int_equal(res.first, p.before);
}

static void
test_slog_keep__the_last_two_files_stay_whatever_is_acknowledged(void **state)
{
	struct hsa_diag diag = {{0}};
	struct slog_plan p;
	char name[64][32];
	struct slog *l;

	(void)state;
	l = helper_slog_open(&h);
	put(l, 40);
	say_released(l, UINT64_MAX >> 1);
	p = plan(l, UINT64_MAX, 0);
	assert_ok(slog_release(l, p.before, &diag));
	assert_int_equal(helper_dir_segments(name, 64, h.dir), 2);
	assert_int_equal(plan(l, UINT64_MAX, 0).files, 0);
	slog_close(l);
	l = helper_slog_open(&h);
	slog_close(l);
}

static void
test_slog_keep__a_crash_between_record_and_release_is_harmless(void **state)
{
	struct hsa_diag diag = {{0}};
	struct vfy_result res;
	char name[64][32], path[160];
	struct slog_plan p;
	struct slog *l;
	size_t left;

	/* after each number of files that went */
	for (size_t gone = 0; gone < 4; gone++) {
		again(state);
		l = helper_slog_open(&h);
		put(l, 40);
		p = plan(l, 30, 0);
		assert_true(p.files >= 4);
		say_released(l, p.before);
		slog_close(l);
		left = helper_dir_segments(name, 64, h.dir);
		for (size_t i = 0; i < gone; i++) {
			(void)snprintf(
			    path, sizeof(path), "%s/%.31s", h.dir, name[i]);
			assert_int_equal(unlink(path), 0);
		}
		verify(&res, NULL, NULL);
		assert_false(res.bad);
		l = helper_slog_open(&h);
		assert_int_equal(plan(l, 30, 0).before, p.before);
		assert_ok(slog_release(l, p.before, &diag));
		assert_int_equal(
		    helper_dir_segments(name, 64, h.dir), left - p.files);
		slog_close(l);
	}
}

static void
test_slog_keep__files_that_nobody_released_stop_the_unit(void **state)
{
	struct hsa_diag diag = {{0}};
	char name[64][32], path[160];
	struct slog *l = NULL;

	(void)state;
	l = helper_slog_open(&h);
	put(l, 40);
	say_released(l, 5); /* less than what goes missing */
	slog_close(l);
	(void)helper_dir_segments(name, 64, h.dir);
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(path, sizeof(path), "%s/%.31s", h.dir, name[i]);
		assert_int_equal(unlink(path), 0);
	}
	assert_rc("E_CORRUPT", slog_open(&l, &h.cfg, &diag));
	assert_non_null(strstr(diag.text, "first files are missing"));
}

/* ---- the limit ----------------------------------------------------------- */

static void
test_slog_keep__the_limit_shows_and_space_that_is_released_ends_it(void **state)
{
	struct hsa_diag diag = {{0}};
	struct slog_plan p;
	struct slog_kept k;
	struct cu_sink sink;
	struct slog *l;

	(void)state;
	h.cfg.cap_bytes = 9000;
	l = helper_slog_open(&h);
	sink = slog_sink(l);
	while (!sink.ops->full(sink.ctx))
		put(l, 1);
	slog_kept(l, &k);
	assert_true(k.full && k.bytes >= 9000 && k.bytes < 10000);
	/* it says so, and takes what is put all the same */
	p = plan(l, number - 5, 0);
	assert_true(p.bytes > 2000);
	say_released(l, p.before);
	slog_close(l);
	l = helper_slog_open(&h);
	sink = slog_sink(l);
	assert_true(sink.ops->full(sink.ctx));
	assert_ok(slog_release(l, p.before, &diag));
	assert_false(sink.ops->full(sink.ctx));
	slog_close(l);
}

/* ---- the clock ----------------------------------------------------------- */

static struct {
	uint64_t wall, mono;
} now;

static uint64_t
fake_wall(void *ctx)
{
	(void)ctx;
	return now.wall;
}

static uint64_t
fake_mono(void *ctx)
{
	(void)ctx;
	return now.mono;
}

struct steps {
	unsigned int n;
	int64_t before, after, by;
};

static hsa_rc
find_steps(void *ctx, const struct hsa_record *r, const uint8_t *raw, size_t n)
{
	struct steps *s = ctx;

	(void)raw;
	(void)n;
	if (r->body != HSA_BODY_SPECIAL ||
	    strcmp(r->special.name, "CLOCK_STEP") != 0)
		return HSA_OK;
	assert_int_equal(r->special.category, 11);
	s->n++;
	s->before = hsa_data_find(&r->special.details, "before")->integer;
	s->after = hsa_data_find(&r->special.details, "after")->integer;
	s->by = hsa_data_find(&r->special.details, "by")->integer;
	return HSA_OK;
}

static void
test_slog_keep__a_clock_that_is_set_leaves_a_record(void **state)
{
	static const struct cu_clock clock = {
	    .wall_ns = fake_wall, .mono_ns = fake_mono};
	const uint64_t s = 1000000000;
	struct steps seen = {0};
	struct vfy_result res;
	struct slog *l;

	(void)state;
	now.wall = 1000000 * s;
	now.mono = 5000 * s;
	h.cfg.clock = &clock;
	assert_ok(
	    hsa_uuid_parse(h.cfg.unit_id, strchr(HELPER_ORIGIN, '/') + 1));
	l = helper_slog_open(&h);
	put(l, 1);
	now.wall += 3600 * s + 3 * s; /* slewed a little in an hour */
	now.mono += 3600 * s;
	put(l, 1);
	now.wall += s + s / 2; /* set, while half a second went by */
	now.mono += s / 2;
	put(l, 1);
	slog_close(l);
	verify(&res, find_steps, &seen);
	assert_false(res.bad);
	assert_int_equal(seen.n, 0); /* by one second exactly: not beyond */
	l = helper_slog_open(&h);
	put(l, 1);
	now.wall -= 7200 * s;
	put(l, 1);
	put(l, 1);
	slog_close(l);
	verify(&res, find_steps, &seen);
	assert_false(res.bad);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.by, -7200 * (int64_t)s);
	assert_int_equal(seen.after - seen.before, seen.by);
	assert_int_equal(seen.after, now.wall);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(
		test_slog_keep__a_lost_file_is_noticed_before_the_next_acknowledgement),
	    CASE(test_slog_keep__an_older_file_that_is_gone_closes_the_log),
	    CASE(
		test_slog_keep__what_all_have_is_released_and_the_rest_verifies),
	    CASE(
		test_slog_keep__the_last_two_files_stay_whatever_is_acknowledged),
	    CASE(
		test_slog_keep__a_crash_between_record_and_release_is_harmless),
	    CASE(test_slog_keep__files_that_nobody_released_stop_the_unit),
	    CASE(
		test_slog_keep__the_limit_shows_and_space_that_is_released_ends_it),
	    CASE(test_slog_keep__a_clock_that_is_set_leaves_a_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
