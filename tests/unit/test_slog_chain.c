/*
 * A log after a damaged one, by the writer: what the survey says of the old
 * one against what the verifier says, and how the new one begins and goes on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "cu_clock.h"
#include "helper_proto.h"
#include "helper_slog.h"
#include "hsa_chain.h"
#include "slog_impl.h"
#include "slog_survey.h"
#include "vfy_log.h"
#include "vfy_note.h"

#define ORIGIN_2 HELPER_ORIGIN ".2"

static struct helper_slog h;

static int
setup(void **state)
{
	(void)state;
	helper_slog_init(&h);
	h.cfg.clock = &cu_clock_system;
	h.cfg.segment_bytes = 4096;
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

/* Several segments, closed in order. */
static void
fill(uint64_t first, unsigned int n)
{
	struct slog *l = helper_slog_open(&h);
	uint64_t sequence;

	for (unsigned int i = 0; i < n; i++)
		assert_ok(helper_slog_seal(l, &sequence, first + i, 200));
	slog_close(l);
}

static struct slog_survey
survey(void)
{
	struct hsa_diag diag = {{0}};
	struct slog_survey s;

	assert_ok(
	    slog_survey(&s, h.dir, h.cfg.origin, h.cfg.public_key, &diag));
	return s;
}

static struct vfy_result
verify(void)
{
	struct slog_key k;
	struct vfy_keys keys = {0};
	struct vfy_options opt = {.keys = &keys};
	struct hsa_diag diag = {{0}};
	struct hsa_buf line = {0};
	struct vfy_result res;

	assert_ok(slog_key_init(&k, h.cfg.origin, h.cfg.public_key));
	slog_key_text(&line, &k);
	assert_ok(vfy_keys_parse(&keys, (char *)line.p, line.len, &diag));
	assert_ok(vfy_log(&res, h.dir, &opt, &diag));
	vfy_keys_free(&keys);
	hsa_buf_free(&line);
	return res;
}

static void
same(const struct slog_survey *s, const struct vfy_result *r)
{
	if (s->damaged != r->bad || s->verified != r->sealed)
		fail_msg("survey: %s %s (%s), %llu good; verifier: %s %s (%s), "
			 "%llu",
		    s->rule, s->finding, s->place,
		    (unsigned long long)s->verified, r->rule, r->finding,
		    r->place.file, (unsigned long long)r->sealed);
	if (s->verified != 0)
		assert_memory_equal(s->root, r->root, sizeof(s->root));
}

static void
test_slog_chain__the_survey_says_what_the_verifier_says(void **state)
{
	char name[16][32], back[96];
	struct slog_survey s;
	struct vfy_result r;
	size_t files, flips = 0;

	(void)state;
	fill(1, 40);
	s = survey();
	r = verify();
	same(&s, &r);
	assert_false(s.damaged);
	assert_int_equal(s.last[HSA_SOURCE_OUTBOX], 40);
	assert_int_equal(s.found, r.records);
	assert_int_equal(s.epoch, 1);
	(void)snprintf(back, sizeof(back), "%s.good", h.dir);
	helper_dir_copy(back, h.dir);
	files = helper_dir_segments(name, 16, h.dir);
	assert_true(files >= 3);
	for (size_t i = 0; i < files; i++) {
		struct hsa_buf b = {0};
		bool last = i + 1 == files;

		helper_file_read(&b, h.dir, name[i]);
		for (size_t at = 0; at < b.len; at += 37, flips++) {
			b.p[at] ^= 0x10;
			helper_file_write(h.dir, name[i], b.p, b.len);
			b.p[at] ^= 0x10;
			r = verify();
			s = survey();
			/* what a start would take for a torn tail and cut is
			 * damage to who only reads; a header's second reading
			 * comes later here */
			if (last && !s.damaged && r.bad)
				assert_true(s.verified == r.sealed);
			else
				same(&s, &r);
			assert_true(s.found <= verify().records + 45);
		}
		helper_file_write(h.dir, name[i], b.p, b.len);
		hsa_buf_free(&b);
	}
	/* files that are not there */
	for (size_t i = 0; i < files; i++) {
		char path[128];

		(void)snprintf(path, sizeof(path), "%s/%s", h.dir, name[i]);
		assert_int_equal(unlink(path), 0);
		s = survey();
		r = verify();
		assert_true(s.damaged);
		assert_true(r.bad);
		assert_int_equal(s.verified, r.sealed);
		assert_int_equal(s.rule[0], 'V');
		helper_dir_remove(h.dir);
		helper_dir_copy(h.dir, back);
	}
	/* the whole log */
	helper_dir_remove(h.dir);
	s = survey();
	assert_true(s.damaged && s.absent);
	assert_string_equal(s.rule, "V1");
	assert_int_equal(access(h.dir, F_OK), -1);
	/* a cut tail, which only the head knows of */
	helper_dir_copy(h.dir, back);
	{
		struct hsa_buf b = {0};

		helper_file_read(&b, h.dir, name[files - 1]);
		helper_file_write(h.dir, name[files - 1], b.p, b.len / 2);
		hsa_buf_free(&b);
	}
	s = survey();
	r = verify();
	assert_true(s.damaged);
	assert_int_equal(s.verified, r.sealed);
	assert_non_null(strstr(s.finding, "head proves"));
	printf("  %zu flipped bytes in %zu files\n", flips, files);
}

static void
test_slog_chain__a_survey_does_not_disturb_a_writer(void **state)
{
	struct hsa_diag diag = {{0}};
	struct slog_survey s;
	struct slog *l;

	(void)state;
	fill(1, 3);
	l = helper_slog_open(&h);
	assert_rc("E_BUSY",
	    slog_survey(&s, h.dir, h.cfg.origin, h.cfg.public_key, &diag));
	slog_close(l);
	/* nor does it take a log of another origin or key for a good one */
	assert_ok(slog_survey(&s, h.dir, ORIGIN_2, h.cfg.public_key, &diag));
	assert_true(s.damaged);
	assert_int_equal(s.verified, 0);
}

static void
chain(struct hsa_data *d)
{
	struct hsa_chain c = {.old_origin = strdup(HELPER_ORIGIN),
	    .verified = 12,
	    .found = 41,
	    .outbox_last = 40,
	    .use_last = 900,
	    .by = strdup("tester")};

	assert_ok(hsa_chain_put(d, &c));
	hsa_chain_free(&c);
}

static void
test_slog_chain__begins_and_goes_on(void **state)
{
	struct hsa_data details = {0};
	struct slog_chain begin = {.epoch = 1, .details = &details};
	struct hsa_diag diag = {{0}};
	struct slog_survey s;
	struct vfy_result r;
	uint64_t sequence = 0;
	struct slog *l = NULL;
	char ring[96];

	(void)state;
	chain(&details);
	h.cfg.origin = ORIGIN_2;
	h.cfg.chain = &begin;
	l = helper_slog_open(&h);
	assert_int_equal(slog_sink(l).ops->last(l, HSA_SOURCE_OUTBOX), 40);
	assert_int_equal(slog_sink(l).ops->last(l, HSA_SOURCE_USE), 900);
	assert_rc("E_ARG", helper_slog_seal(l, &sequence, 40, 10));
	slog_close(l);
	r = verify();
	assert_false(r.bad);
	assert_int_equal(r.sealed, 2);
	assert_true(r.chain.has);
	/* only once */
	assert_rc("E_EXISTS", slog_open(&l, &h.cfg, &diag));
	h.cfg.chain = NULL;
	/* the numbers are known to the next start, also behind a segment
	 * without a record of that source, and to a ring that is made then */
	fill(41, 40);
	(void)snprintf(ring, sizeof(ring), "%s/ring", h.base);
	h.cfg.ring = ring;
	l = helper_slog_open(&h);
	assert_int_equal(slog_sink(l).ops->last(l, HSA_SOURCE_OUTBOX), 80);
	assert_int_equal(slog_sink(l).ops->last(l, HSA_SOURCE_USE), 900);
	assert_int_equal(slog_ring_head(l->ring), 900);
	slog_close(l);
	r = verify();
	if (r.bad)
		fail_msg("%s: %s", r.rule, r.finding);
	assert_int_equal(r.chain.verified, 12);
	s = survey();
	same(&s, &r);
	assert_int_equal(s.last[HSA_SOURCE_USE], 900);
	hsa_data_free(&details);
}

static void
test_slog_chain__one_that_says_nothing_is_not_begun(void **state)
{
	struct hsa_data details = {0};
	struct slog_chain begin = {.epoch = 1, .details = &details};
	struct hsa_diag diag = {{0}};
	struct slog *l = NULL;
	hsa_rc rc;

	(void)state;
	h.cfg.origin = ORIGIN_2;
	h.cfg.chain = &begin;
	rc = slog_open(&l, &h.cfg, &diag);
	assert_false(hsa_is_ok(rc));
	assert_null(l);
	h.cfg.clock = NULL;
	assert_rc("E_ARG", slog_open(&l, &h.cfg, &diag));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_slog_chain__the_survey_says_what_the_verifier_says),
	    CASE(test_slog_chain__a_survey_does_not_disturb_a_writer),
	    CASE(test_slog_chain__begins_and_goes_on),
	    CASE(test_slog_chain__one_that_says_nothing_is_not_begun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
