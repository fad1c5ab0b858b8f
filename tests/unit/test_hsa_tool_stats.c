#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "helper_proto.h"
#include "helper_vfy.h"
#include "helper_vfy_run.h"
#include "stats.h"

/* base/1 and base/2: logs of calls, of different length */
static char base[64], dir[2][80];
static struct helper_vfy_log l[2];
static struct hsa_buf out, err;

static int
setup(void **state)
{
	(void)state;
	helper_vfy_tmpdir(base);
	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(dir[i], sizeof(dir[i]), "%s/%zu", base, i + 1);
		helper_vfy_init(&l[i], (uint8_t)(i + 1));
		helper_vfy_fill_calls(&l[i], 80 - i * 30, 4, 32);
		helper_vfy_write(&l[i], dir[i]);
	}
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	helper_vfy_free(&l[0]);
	helper_vfy_free(&l[1]);
	hsa_buf_free(&out);
	hsa_buf_free(&err);
	helper_vfy_rmdir(base);
	return 0;
}

static int
run(const struct cmd *c, const char *const *args)
{
	hsa_buf_reset(&out);
	hsa_buf_reset(&err);
	return helper_vfy_run(c->run, args, &out, &err);
}

#define ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})

static bool
says(const char *part)
{
	return strstr(hsa_buf_cstr(&out), part) != NULL;
}

/* ---- distributions ------------------------------------------------------- */

static int
by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void
test_hist__a_quantile_is_at_most_a_32nd_too_high(void **state)
{
	static const unsigned int at[] = {1, 250, 500, 900, 990, 999, 1000};
	uint64_t v[5000], seed = 88172645463325252u, sum = 0;
	struct hist h = {0}, half = {0};

	(void)state;
	for (size_t i = 0; i < 5000; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		v[i] = seed >> (seed % 60);
		sum = sum + v[i] < sum ? UINT64_MAX : sum + v[i];
		hist_add(i % 2 ? &h : &half, v[i]);
	}
	hist_merge(&h, &half);
	qsort(v, 5000, sizeof(v[0]), by_value);
	assert_int_equal(h.n, 5000);
	assert_true(h.least == v[0] && h.most == v[4999] && h.sum == sum);
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		uint64_t want = v[5000 * at[i] / 1000 - 1];
		uint64_t got = hist_at(&h, at[i]);

		assert_true(got >= want);
		assert_true(got - want <= want / 32);
	}
	memset(&h, 0, sizeof(h));
	assert_int_equal(hist_at(&h, 500), 0);
	hist_add(&h, UINT64_MAX);
	hist_add(&h, UINT64_MAX);
	assert_true(hist_at(&h, 500) == UINT64_MAX && h.sum == UINT64_MAX);
	/* small ones are exact */
	memset(&h, 0, sizeof(h));
	for (uint64_t i = 0; i <= 30; i++)
		hist_add(&h, i);
	assert_int_equal(hist_at(&h, 500), 15);
}

static void
test_tally__counts_all_and_names_the_first(void **state)
{
	struct tally t = {0}, all = {0};
	char name[300], first[300];
	uint64_t n = 0;

	(void)state;
	for (size_t turn = 0; turn < 3; turn++)
		for (size_t i = 0; i < TALLY_MAX + 100; i++) {
			(void)snprintf(name, sizeof(name), "name %zu", i);
			assert_ok(tally_add(&t, name, 1, i == 7, 0));
		}
	assert_int_equal(t.len, TALLY_MAX);
	assert_int_equal(t.other, 300);
	assert_true(t.failed_any);
	/* names that only differ behind the cut are one */
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_ok(tally_add(&all, name, 5, 0, 0));
	memcpy(first, name, sizeof(name));
	first[250] = 'y';
	assert_ok(tally_add(&all, first, 5, 0, 0));
	assert_ok(tally_add(&all, "", 1, 0, 2));
	assert_int_equal(all.len, 2);
	assert_ok(tally_merge(&all, &t));
	tally_sort(&all);
	assert_int_equal(all.row[0].n, 10);
	for (size_t i = 0; i < all.len; i++) {
		n += all.row[i].n;
		assert_true(i == 0 || all.row[i].n <= all.row[i - 1].n);
	}
	assert_int_equal(n + all.other, 11 + 3 * (TALLY_MAX + 100));
	tally_free(&t);
	tally_free(&all);
	tally_free(&all);
}

/* ---- time ---------------------------------------------------------------- */

#define S UINT64_C(1000000000)

static void
test_stats__rates_and_gaps_are_those_of_the_times(void **state)
{
	/* two sources a little out of order; 5 in one second, 11 in a minute */
	static const uint64_t ms[] = {0, 100, 900, 500, 999, 1000, 3000, 2000,
	    30000, 45000, 59999, 60000, 200000, 200001, 1200000, 1200000};
	const uint64_t base_ns = 1763808120 * S; /* a whole minute */
	struct stats s;

	(void)state;
	stats_init(&s, 10 * S);
	for (size_t i = 0; i < sizeof(ms) / sizeof(ms[0]); i++) {
		struct hsa_record r;

		hp_record(&r, HSA_ACTION_EP11_USE, 200);
		r.sequence = 100 + i;
		r.event.event_time_ns = base_ns + ms[i] * 1000000;
		assert_ok(stats_add(&s, &r, true));
		hsa_record_free(&r);
	}
	stats_end(&s);
	assert_int_equal(s.events, 16);
	assert_int_equal(s.second.most, 5);
	assert_int_equal(s.second.most_ns, base_ns);
	assert_int_equal(s.minute.most, 11);
	assert_int_equal(s.last_ns - s.first_ns, 1200 * S);
	/* 27, 15, 14.999, 140 and 999.999 seconds */
	assert_int_equal(s.gaps, 5);
	assert_int_equal(s.gap[0].ns, 999999 * (S / 1000));
	assert_int_equal(s.gap[0].sequence, 114);
	assert_int_equal(s.gap[1].ns, 140 * S);
	assert_int_equal(s.gap[1].since_ns, base_ns + 60 * S);
	assert_int_equal(s.gap[4].ns, 14999 * (S / 1000));
	stats_free(&s);
}

static void
test_stats__calls_that_left_no_event_are_added_up(void **state)
{
	struct hsa_record r;
	struct stats s;

	(void)state;
	stats_init(&s, S);
	for (int64_t i = 1; i <= 2; i++) {
		hp_special(&r);
		free(r.special.name);
		r.special.name = strdup("EMISSION_ON");
		assert_ok(
		    hsa_data_integer(&r.special.details, "calls", 1000 * i));
		assert_ok(stats_add(&s, &r, true));
		hsa_record_free(&r);
	}
	/* a compact record that nobody filled in is not passed over */
	hp_compact(&r);
	assert_rc("E_FORMAT", stats_add(&s, &r, true));
	hsa_record_free(&r);
	assert_int_equal(s.special.row[0].n, 2);
	assert_int_equal(s.special.row[0].weight, 3000);
	stats_free(&s);
}

/* ---- the command --------------------------------------------------------- */

static json_int_t
sum(const json_t *table, const char *member)
{
	json_int_t n = 0;

	for (size_t i = 0; i < json_array_size(table); i++)
		n += json_integer_value(
		    json_object_get(json_array_get(table, i), member));
	return n;
}

static json_int_t
whole(const json_t *j, const char *name)
{
	return json_integer_value(json_object_get(j, name));
}

/* Counted again over the records as JSON. */
static void
expect(const json_t *log, const char *where)
{
	json_int_t events = 0, calls = 0, failed = 0, records = 0, in = 0;
	const char *p, *lf;

	assert_int_equal(
	    run(&cmd_export, ARGS("export", "-o", "envelope", where)), 0);
	p = hsa_buf_cstr(&out);
	for (; (lf = strchr(p, '\n')) != NULL; p = lf + 1, records++) {
		json_t *j = json_loadb(p, (size_t)(lf - p), 0, NULL);
		json_t *e = json_object_get(j, "event");
		json_t *use = json_object_get(j, "use");
		const char *o =
		    json_string_value(json_object_get(e, "outcome"));

		events += e != NULL;
		calls += use != NULL;
		in += whole(use, "bytesIn");
		failed += o != NULL && strcmp(o, "failure") == 0;
		json_decref(j);
	}
	assert_int_equal(whole(log, "records"), records);
	assert_int_equal(whole(log, "events"), events);
	assert_int_equal(whole(log, "calls"), calls);
	assert_int_equal(sum(json_object_get(log, "action"), "count"), events);
	assert_int_equal(sum(json_object_get(log, "action"), "failed"), failed);
	assert_int_equal(sum(json_object_get(log, "reason"), "count"), failed);
	assert_int_equal(sum(json_object_get(log, "outcome"), "count"), events);
	assert_int_equal(sum(json_object_get(log, "function"), "count"), calls);
	assert_int_equal(
	    whole(json_object_get(log, "bytesIn"), "count"), calls);
	assert_int_equal(whole(json_object_get(log, "bytesIn"), "sum"), in);
	assert_int_equal(whole(log, "epochs"), 2);
}

static void
test_stats__counts_what_the_records_say(void **state)
{
	json_t *j, *logs, *total;

	(void)state;
	assert_int_equal(
	    run(&cmd_stats, ARGS("stats", "--json", dir[0], dir[1])), 0);
	j = json_loadb(
	    (const char *)out.p, out.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(j);
	logs = json_object_get(j, "logs");
	total = json_object_get(j, "total");
	assert_int_equal(json_array_size(logs), 2);
	expect(json_array_get(logs, 0), dir[0]);
	expect(json_array_get(logs, 1), dir[1]);
	assert_int_equal(whole(total, "records"), 130);
	assert_int_equal(whole(json_array_get(logs, 0), "checkpoints"), 20);
	assert_int_equal(whole(json_array_get(logs, 1), "checkpoints"), 13);
	assert_int_equal(whole(total, "checkpoints"), 33);
	assert_int_equal(whole(total, "epochs"), 4);
	assert_int_equal(sum(json_object_get(total, "action"), "count"),
	    whole(total, "events"));
	assert_null(json_object_get(total, "perSecond"));
	json_decref(j);
}

static void
test_stats__text_has_names_and_the_filters_hold(void **state)
{
	(void)state;
	assert_int_equal(run(&cmd_stats, ARGS("stats", dir[0], dir[1])), 0);
	assert_true(says("records      80 (events "));
	assert_true(says("hs-crypto.ep11.use\n"));
	assert_true(says("EncryptSingle\n"));
	assert_true(says("CKM_AES_CBC_PAD\n"));
	assert_true(says("UNIT_START\n"));
	assert_true(says("too few signatures"));
	assert_true(says("most in a second 1 ("));
	assert_true(says("\nall\n"));
	assert_int_equal(run(&cmd_stats, ARGS("stats", "-A", "*.ep11.*", "-T",
					     "2", "--gap", "1.5", dir[0])),
	    0);
	assert_false(says("threshold"));
	assert_true(says("UNIT_START\n"));
	assert_false(says("\nall\n"));
	assert_true(says("of 1.500 s or more"));
	assert_int_equal(run(&cmd_stats, ARGS("stats")), 2);
	assert_int_equal(run(&cmd_stats, ARGS("stats", "-g", "x", dir[0])), 2);
	assert_int_equal(
	    run(&cmd_stats, ARGS("stats", "-g", "nan", dir[0])), 2);
	assert_int_equal(run(&cmd_stats, ARGS("stats", "-T", "-1", dir[0])), 2);
	assert_int_equal(run(&cmd_stats, ARGS("stats", "-u", "none", base)), 2);
}

static void
test_stats__damage_is_said_and_the_rest_counted(void **state)
{
	json_t *j, *log;

	(void)state;
	l[0].file[1].b.p[0] ^= 1;
	helper_vfy_write(&l[0], dir[0]);
	assert_int_equal(
	    run(&cmd_stats, ARGS("stats", "-j", dir[0], dir[1])), 1);
	j = json_loadb((const char *)out.p, out.len, 0, NULL);
	assert_non_null(j);
	log = json_array_get(json_object_get(j, "logs"), 0);
	assert_true(json_is_true(json_object_get(log, "damaged")));
	assert_int_equal(whole(log, "records"), 32);
	assert_true(json_is_true(
	    json_object_get(json_object_get(j, "total"), "damaged")));
	json_decref(j);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_hist__a_quantile_is_at_most_a_32nd_too_high),
	    cmocka_unit_test(test_tally__counts_all_and_names_the_first),
	    cmocka_unit_test(test_stats__rates_and_gaps_are_those_of_the_times),
	    cmocka_unit_test(test_stats__calls_that_left_no_event_are_added_up),
	    CASE(test_stats__counts_what_the_records_say),
	    CASE(test_stats__text_has_names_and_the_filters_hold),
	    CASE(test_stats__damage_is_said_and_the_rest_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
