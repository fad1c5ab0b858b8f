/* Segments that begin with SEGMENT_OPENED, contexts, and calls that name them
 * (FORMAT V10): verified, followed, kept. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "helper_vfy.h"
#include "hsa_compact.h"
#include "vfy_log.h"
#include "vfy_store.h"

static char dir[80], base[64];

static int
setup(void **state)
{
	(void)state;
	helper_vfy_tmpdir(base);
	(void)snprintf(dir, sizeof(dir), "%s/log", base);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	helper_vfy_rmdir(base);
	return 0;
}

struct tally {
	uint64_t next, calls, contexts;
};

static void
check_call(const struct hsa_record *r)
{
	static const char id[] = "88888888-8888-8888-8888-888888888888";

	/* those that were written in full have none */
	if (r->body != HSA_BODY_EVENT || !r->use.has_session)
		return;
	assert_string_equal(r->event.action_name, "hs-crypto.ep11.use");
	assert_string_equal(r->event.correlation_id, id);
	assert_int_equal(r->event.event_time_ns, r->wall_ns);
	assert_true(r->epoch != 0 && r->has_use);
	assert_int_equal(r->use.session[31], 0x77);
	assert_int_equal(r->event.id[15], 0x55 ^ (uint8_t)r->source_sequence);
}

static hsa_rc
on_record(void *ctx, const struct hsa_record *r, const uint8_t *raw, size_t n)
{
	struct tally *t = ctx;

	(void)raw;
	(void)n;
	assert_int_equal(r->sequence, t->next++);
	assert_int_not_equal(r->body, HSA_BODY_COMPACT);
	t->contexts += r->body == HSA_BODY_CONTEXT ? 1 : 0;
	t->calls += r->has_use ? 1 : 0;
	check_call(r);
	return HSA_OK;
}

static void
verify(
    struct vfy_result *res, const struct helper_vfy_log *l, struct tally *tally)
{
	struct vfy_keys keys = {0};
	struct vfy_options opt = {
	    .keys = &keys, .on_record = on_record, .ctx = tally};
	struct hsa_diag d;

	assert_int_equal(
	    vfy_keys_parse(&keys, l->key_line, strlen(l->key_line), &d).v, 0);
	assert_int_equal(vfy_log(res, dir, &opt, &d).v, 0);
	vfy_keys_free(&keys);
}

static void
good(const struct helper_vfy_log *l)
{
	struct tally t = {0};
	struct vfy_result res;

	helper_vfy_write(l, dir);
	verify(&res, l, &t);
	if (res.bad)
		print_error("%s: %s\n", res.rule, res.finding);
	assert_false(res.bad);
	assert_int_equal(res.records, l->n);
	assert_int_equal(t.next, l->n);
	assert_int_equal(res.calls, t.calls);
	assert_int_equal(res.contexts, t.contexts);
	assert_int_equal(res.events + res.specials + res.contexts, res.records);
}

/* The last record of l is refused. */
static void
bad(struct helper_vfy_log *l)
{
	struct tally t = {0};
	struct vfy_result res;

	helper_vfy_checkpoint(l);
	helper_vfy_write(l, dir);
	verify(&res, l, &t);
	assert_true(res.bad);
	assert_string_equal(res.rule, "V10");
	assert_int_equal(res.place.sequence, l->n - 1);
	helper_vfy_free(l);
}

static void
test_contexts__good_logs_of_every_size_and_split_pass(void **state)
{
	static const size_t batches[] = {1, 3, 8}, segments[] = {3, 10, 1000};

	(void)state;
	for (size_t n = 1; n <= 60; n += 1)
		for (size_t b = 0; b < 3; b++)
			for (size_t s = 0; s < 3; s++) {
				struct helper_vfy_log l;

				helper_vfy_init(&l, 7);
				helper_vfy_fill_calls(
				    &l, n, batches[b], segments[s]);
				good(&l);
				helper_vfy_free(&l);
			}
}

static void
opened(struct helper_vfy_log *l)
{
	helper_vfy_init(l, 7);
	helper_vfy_segment(l);
	helper_vfy_opened(l);
	helper_vfy_start(l);
	helper_vfy_context(l); /* 2 */
}

static void
test_contexts__a_call_names_one_of_its_segment_and_epoch(void **state)
{
	struct helper_vfy_log l;

	(void)state;
	opened(&l);
	helper_vfy_compact(&l, 1);
	bad(&l);
	opened(&l);
	helper_vfy_compact(&l, 3); /* itself */
	bad(&l);
	opened(&l);
	helper_vfy_compact(&l, 2);
	helper_vfy_start(&l);
	helper_vfy_compact(&l, 2);
	bad(&l);
	opened(&l);
	helper_vfy_compact(&l, 2);
	helper_vfy_checkpoint(&l);
	helper_vfy_segment(&l);
	helper_vfy_opened(&l);
	helper_vfy_compact(&l, 2);
	bad(&l);
}

static void
test_contexts__stand_in_segments_that_say_so(void **state)
{
	struct helper_vfy_log l;

	(void)state;
	helper_vfy_init(&l, 7);
	helper_vfy_segment(&l);
	helper_vfy_start(&l);
	helper_vfy_context(&l);
	bad(&l);
	opened(&l); /* as one record, twice */
	helper_vfy_opened(&l);
	bad(&l);
	opened(&l);
	helper_vfy_checkpoint(&l);
	helper_vfy_opened(&l); /* without a header */
	bad(&l);
	opened(&l);
	helper_vfy_checkpoint(&l);
	helper_vfy_segment(&l);
	helper_vfy_special(&l);
	helper_vfy_context(&l);
	bad(&l);
	/* a segment without one may follow, if it has no use for one */
	opened(&l);
	helper_vfy_checkpoint(&l);
	helper_vfy_segment(&l);
	helper_vfy_use(&l);
	helper_vfy_checkpoint(&l);
	good(&l);
	helper_vfy_free(&l);
}

static void
test_contexts__the_last_1024_may_be_named(void **state)
{
	struct helper_vfy_log l;

	(void)state;
	opened(&l);
	for (size_t i = 1; i < HSA_CONTEXTS_MAX; i++)
		helper_vfy_context(&l);
	helper_vfy_compact(&l, 2);
	helper_vfy_compact(&l, 2 + HSA_CONTEXTS_MAX - 1);
	helper_vfy_compact(&l, 2);
	helper_vfy_checkpoint(&l);
	good(&l);
	helper_vfy_context(&l);
	helper_vfy_compact(&l, 3);
	helper_vfy_compact(&l, 2);
	bad(&l);
}

/* ---- following ----------------------------------------------------------- */

static void
test_contexts__a_reader_that_begins_anywhere_sees_whole_events(void **state)
{
	struct helper_vfy_log l;

	(void)state;
	helper_vfy_init(&l, 7);
	helper_vfy_fill_calls(&l, 70, 4, 20);
	helper_vfy_write(&l, dir);
	for (uint64_t from = 0; from <= l.n; from++) {
		struct tally t = {.next = from};
		struct vfy_follow *f;
		struct hsa_record r;
		struct hsa_diag d;

		assert_int_equal(vfy_follow_open(&f, dir, &d).v, 0);
		vfy_follow_from(f, from);
		while (hsa_is_ok(vfy_follow_next(f, &r, 0))) {
			assert_int_equal(on_record(&t, &r, NULL, 0).v, 0);
			hsa_record_free(&r);
		}
		assert_int_equal(t.next, l.n);
		vfy_follow_free(f);
	}
	helper_vfy_free(&l);
	/* damage, although nobody verifies */
	opened(&l);
	helper_vfy_compact(&l, 1);
	helper_vfy_checkpoint(&l);
	helper_vfy_write(&l, dir);
	for (uint64_t from = 0; from <= 3; from++) {
		struct vfy_follow *f;
		struct hsa_record r;
		struct hsa_diag d;
		hsa_rc rc;

		assert_int_equal(vfy_follow_open(&f, dir, &d).v, 0);
		vfy_follow_from(f, from);
		while (hsa_is_ok(rc = vfy_follow_next(f, &r, 0)))
			hsa_record_free(&r);
		assert_int_equal(rc.v, HSA_E_FORMAT);
		vfy_follow_free(f);
	}
	helper_vfy_free(&l);
}

/* ---- a copy -------------------------------------------------------------- */

static struct vfy_store *
store(const struct helper_vfy_log *l, size_t segment)
{
	struct vfy_store *s = NULL;
	struct vfy_key k;
	struct hsa_diag d;

	assert_int_equal(
	    vfy_key_parse(&k, l->key_line, strlen(l->key_line) - 1, &d).v, 0);
	if (!hsa_is_ok(vfy_store_open(&s, dir, &k, segment, &d)))
		fail_msg("%s", d.text);
	return s;
}

/* As they come over the channel: records and checkpoints, no headers. Opened
 * anew after each `batches`. */
static void
copy(const struct helper_vfy_log *l, size_t segment, size_t batches)
{
	struct vfy_store *s = store(l, segment);
	struct vfy_state next = *vfy_store_state(s);
	struct hsa_buf b = {0};
	struct vfy_why why;
	struct hsa_diag d;
	size_t done = 0;

	next.stream = true;
	for (size_t i = 0; i < l->entries; i++) {
		const struct helper_vfy_entry *at = &l->entry[i];
		const uint8_t *p = l->file[at->file].b.p + at->offset;
		struct hsa_entry e;
		size_t used;

		assert_int_equal(hsa_entry_decode(&e, &used, p, at->len).v, 0);
		if (e.kind == HSA_ENTRY_HEADER)
			continue;
		hsa_buf_put(&b, p, at->len);
		if (e.kind == HSA_ENTRY_RECORD) {
			assert_int_equal(
			    vfy_state_record(&next, e.p, e.n, &why).v, 0);
			continue;
		}
		assert_int_equal(
		    vfy_state_checkpoint(&next, e.p, e.n, &why).v, 0);
		assert_int_equal(
		    vfy_store_append(s, &next, b.p, b.len, e.p, e.n, &d).v, 0);
		hsa_buf_reset(&b);
		if (++done % batches != 0)
			continue;
		assert_int_equal(vfy_store_sync(s, &d).v, 0);
		vfy_store_free(s);
		s = store(l, segment);
		next = *vfy_store_state(s);
		next.stream = true;
	}
	assert_int_equal(vfy_store_sync(s, &d).v, 0);
	vfy_store_free(s);
	hsa_buf_free(&b);
}

static void
expect_file(const char *name, const struct hsa_buf *want)
{
	char path[160];
	struct stat st;
	uint8_t *p;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "rb");
	assert_non_null(f);
	assert_int_equal(fstat(fileno(f), &st), 0);
	assert_int_equal((size_t)st.st_size, want->len);
	p = malloc(want->len);
	assert_non_null(p);
	assert_int_equal(fread(p, 1, want->len, f), want->len);
	assert_memory_equal(p, want->p, want->len);
	free(p);
	(void)fclose(f);
}

static void
test_contexts__a_copy_has_the_borders_of_the_log(void **state)
{
	(void)state;
	for (size_t batches = 1; batches < 40; batches += 3)
		for (size_t segment = 1; segment < 20000; segment += 6000) {
			struct helper_vfy_log l;
			struct vfy_result res;
			struct tally t = {0};

			helper_vfy_rmdir(dir);
			helper_vfy_init(&l, 7);
			helper_vfy_fill_calls(&l, 90, 4, 25);
			copy(&l, segment, batches);
			for (size_t i = 0; i < l.files; i++)
				expect_file(l.file[i].name, &l.file[i].b);
			verify(&res, &l, &t);
			assert_false(res.bad);
			assert_int_equal(res.sealed, l.n);
			helper_vfy_free(&l);
		}
}

static void
test_contexts__a_copy_of_a_log_without_has_its_own_borders(void **state)
{
	struct helper_vfy_log l;
	struct vfy_result res;
	struct tally t = {0};
	struct stat st;
	char path[160];

	(void)state;
	helper_vfy_init(&l, 7);
	/* the first segments are of an older edition */
	helper_vfy_fill(&l, 12, 4, 1000);
	helper_vfy_segment(&l);
	helper_vfy_opened(&l);
	for (int i = 0; i < 8; i++) {
		helper_vfy_context(&l);
		helper_vfy_compact(&l, l.n - 1);
		helper_vfy_checkpoint(&l);
	}
	copy(&l, 1, 1000);
	verify(&res, &l, &t);
	assert_false(res.bad);
	assert_int_equal(res.sealed, l.n);
	for (size_t i = 0; i <= 12; i += 4) {
		(void)snprintf(
		    path, sizeof(path), "%s/seg-%016zx.slog", dir, i);
		assert_int_equal(stat(path, &st), 0);
	}
	expect_file(l.file[1].name, &l.file[1].b);
	helper_vfy_free(&l);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_contexts__good_logs_of_every_size_and_split_pass),
	    CASE(test_contexts__a_call_names_one_of_its_segment_and_epoch),
	    CASE(test_contexts__stand_in_segments_that_say_so),
	    CASE(test_contexts__the_last_1024_may_be_named),
	    CASE(
		test_contexts__a_reader_that_begins_anywhere_sees_whole_events),
	    CASE(test_contexts__a_copy_has_the_borders_of_the_log),
	    CASE(test_contexts__a_copy_of_a_log_without_has_its_own_borders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
