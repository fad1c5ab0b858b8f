/* Records of one log together: a true log has no finding, each break of it is
 * found, and after a gap the rules across events begin anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "helper_proto.h"
#include "helper_val.h"

#define SEC UINT64_C(1000000000)
#define WALL (UINT64_C(1767225600) * SEC)
#define UNIT 7
#define OUTBOX HSA_SOURCE_OUTBOX
#define USE HSA_SOURCE_USE
#define SEALER HSA_SOURCE_SEALER

#define RESET HSA_ACTION_TKE_RESET
#define CLEAR HSA_ACTION_TKE_NEW_CLEAR

struct rec {
	uint64_t source, epoch, mono, offset; /* seconds; to the wall clock */
	const char *special;                  /* NULL: an event */
	enum hsa_action action;
	uint64_t sequence; /* 0: the next one */
};

/* Two runs of a unit. */
static const struct rec log_[] = {
    {SEALER, 1, 1000, 0, "SEGMENT_OPENED", 0, 0},
    {OUTBOX, 1, 998, 0, "UNIT_START", 0, 0},
    {OUTBOX, 1, 1010, 0, NULL, CLEAR, 0},
    {SEALER, 1, 1011, 0, "", 0, 0}, /* a context */
    {USE, 1, 1020, 0, NULL, HSA_ACTION_EP11_USE, 0},
    {USE, 1, 1008, 0, NULL, HSA_ACTION_EP11_USE, 0}, /* it took long */
    {OUTBOX, 1, 1030, 0, NULL, CLEAR, 0},
    {OUTBOX, 1, 1026, 0, "REQUEST_REFUSED", 0, 0}, /* another thread */
    {SEALER, 1, 1040, 3600, "CLOCK_STEP", 0, 0},
    {OUTBOX, 1, 1039, 0, NULL, CLEAR, 0}, /* made before */
    {OUTBOX, 1, 1050, 3600, NULL, CLEAR, 0},
    {OUTBOX, 1, 9050, 3608, NULL, CLEAR, 0}, /* corrected a bit */
    {OUTBOX, 1, 9060, 3608, "UNIT_STOP", 0, 0},
    {SEALER, 1, 40, 0, "SEGMENT_OPENED", 0, 0}, /* the host started, too */
    {OUTBOX, 2, 39, 0, "UNIT_START", 0, 0},
    {OUTBOX, 2, 60, 0, NULL, CLEAR, 0},
    {OUTBOX, 2, 70, 0, NULL, RESET, 0},
    {OUTBOX, 3, 20, 0, "UNIT_START", 0, 0}, /* without a stop */
    {OUTBOX, 3, 30, 0, NULL, HSA_ACTION_TKE_ADMIN_ADD, 0},
};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The unit's next log, as this one was damaged (FORMAT.md V11). */
static const struct rec next_[] = {
    {SEALER, 3, 40, 0, "SEGMENT_OPENED", 0, 0},
    {SEALER, 3, 40, 0, "NEW_CHAIN", 0, 0},
    {OUTBOX, 3, 35, 0, "UNIT_STOP", 0, 0}, /* not sealed yet */
    {OUTBOX, 4, 50, 0, "UNIT_START", 0, 0},
    {OUTBOX, 4, 60, 0, NULL, RESET, 0},
};

static struct val_run run;
static struct hv_found got;

static void
begin(void)
{
	val_run_free(&run);
	hv_run(&run, &got);
}

static void
tell(const struct rec *r, uint64_t sequence, unsigned int unit)
{
	struct val_envelope env = {
	    .epoch = r->epoch,
	    .sequence = sequence,
	    .source = r->source,
	    .source_sequence = sequence + 1,
	    .wall_ns = WALL + (r->mono + r->offset) * SEC,
	    .mono_ns = r->mono * SEC,
	    .special = r->special != NULL,
	};
	struct val_text t = {.envelope = &env};
	char id[200], ids[200];
	struct hv_event e = {.action = r->action,
	    .target = unit,
	    .time = (r->mono + r->offset) * HV_SECOND,
	    .id = 1 + sequence};
	struct hsa_buf b = {0};

	memset(env.unit_id, (int)unit, sizeof(env.unit_id));
	(void)snprintf(id, sizeof(id), "\"adminId\":\"%s\"", hv_id(1));
	(void)snprintf(ids, sizeof(ids), "\"adminIds\":[\"%s\"]", hv_id(1));
	if (r->special != NULL)
		(void)snprintf(env.name, sizeof(env.name), "%s", r->special);
	if (r->action == HSA_ACTION_TKE_ADMIN_ADD) {
		e.request = id;
		e.response = ids;
	}
	if (r->special == NULL)
		hv_event(&b, &e);
	t.p = b.p;
	t.n = b.len;
	assert_ok(hsa_buf_rc(&b));
	assert_ok(val_run_take(&run, &t));
	hsa_buf_free(&b);
}

static void
test_val_across__a_true_log_has_no_finding_from_anywhere_on(void **state)
{
	size_t from, i;

	(void)state;
	for (from = 0; from < COUNT(log_); from++) {
		begin();
		for (i = from; i < COUNT(log_); i++)
			tell(&log_[i], i, UNIT);
		if (got.findings != 0)
			fail_msg("from %zu: %s", from, got.text);
	}
	/* several at once are told apart by their unit */
	begin();
	for (i = 0; i < COUNT(log_); i++)
		for (from = 1; from < 4; from++)
			tell(&log_[i], i, (unsigned int)from);
	assert_string_equal(got.text, "");
}

/* The record at `at` is another one, or there is none. */
struct brk {
	size_t at;
	bool missing;
	struct rec is;
	const char *want;
};

static void
test_val_across__each_break_of_a_log_is_found(void **state)
{
	static const struct brk set[] = {
	    {4, true, {0}, "E20 sequence; "},
	    {3, true, {0}, "E20 sequence; "},
	    {5, false, {USE, 1, 1008, 0, NULL, HSA_ACTION_EP11_USE, 4},
		"E20 sequence; E20 sequence; "},
	    {5, false, {USE, 1, 1008, 0, NULL, HSA_ACTION_EP11_USE, 900},
		"E20 sequence; E20 sequence; "},
	    /* a start that is none, none that is one, two at once */
	    {14, false, {OUTBOX, 2, 39, 0, "UNIT_STOP", 0, 0}, "E20 epoch; "},
	    {14, false, {OUTBOX, 1, 9061, 3608, "UNIT_START", 0, 0},
		"E20 epoch; "},
	    {14, false, {OUTBOX, 3, 39, 0, "UNIT_START", 0, 0},
		"E20 epoch; E20 epoch; "},
	    {0, false, {SEALER, 2, 1000, 0, "SEGMENT_OPENED", 0, 0},
		"E20 epoch; E20 epoch; "},
	    /* clocks */
	    {10, false, {OUTBOX, 1, 1000, 3600, NULL, CLEAR, 0},
		"E20 bootTime; "},
	    {10, false, {OUTBOX, 1, 1050, 3700, NULL, CLEAR, 0},
		"E20 time; E20 time; "},
	    {11, false, {OUTBOX, 1, 9050, 100, NULL, CLEAR, 0},
		"E20 time; E20 time; "},
	    {8, false, {SEALER, 1, 1040, 3600, "SELF_TEST", 0, 0},
		"E20 time; "},
	    {8, false, {OUTBOX, 1, 1040, 3600, NULL, CLEAR, 0},
		"E20 time; E20 time; E20 time; "},
	    /* what it says itself */
	    {7, false, {OUTBOX, 1, 1030, 0, "LOST_EVENTS", 0, 0},
		"W09 special.name; "},
	    {7, false, {SEALER, 1, 1030, 0, "RING_LOST", 0, 0},
		"W09 special.name; "},
	    {7, false, {OUTBOX, 1, 1030, 0, "EMISSION_OFF", 0, 0},
		"W09 special.name; "},
	    {7, false, {SEALER, 1, 1030, 0, "NEW_CHAIN", 0, 0},
		"W09 special.name; "},
	    /* one that is none: what follows is a beginning */
	    {7, false, {OUTBOX, 0, 1030, 0, "UNIT_START", 0, 0}, ""},
	    {7, false, {0, 1, 1030, 0, "UNIT_START", 0, 900}, ""},
	};
	size_t i, k;

	(void)state;
	for (k = 0; k < COUNT(set); k++) {
		begin();
		for (i = 0; i < COUNT(log_); i++) {
			const struct rec *r =
			    i == set[k].at ? &set[k].is : &log_[i];

			if (i != set[k].at || !set[k].missing)
				tell(r, r->sequence == 0 ? i : r->sequence,
				    UNIT);
		}
		if (strcmp(got.text, set[k].want) != 0)
			fail_msg("%zu: %s\nwant %s", k, got.text, set[k].want);
	}
}

static void
test_val_across__behind_a_gap_a_unit_is_unknown(void **state)
{
	static const struct rec start = {OUTBOX, 1, 100, 0, "UNIT_START", 0, 0},
				reset = {OUTBOX, 1, 200, 0, NULL, RESET, 0},
				clear = {OUTBOX, 1, 300, 0, NULL, CLEAR, 0};

	(void)state;
	begin();
	tell(&start, 0, UNIT);
	tell(&reset, 1, UNIT);
	tell(&clear, 2, UNIT);
	assert_string_equal(got.text, "W07 action; ");
	begin();
	tell(&start, 0, UNIT);
	tell(&reset, 1, UNIT);
	tell(&clear, 3, UNIT);
	assert_string_equal(got.text, "E20 sequence; ");
	/* that of another unit is its own */
	begin();
	tell(&reset, 1, UNIT);
	tell(&reset, 1, UNIT + 1);
	tell(&clear, 3, UNIT + 1);
	tell(&clear, 2, UNIT);
	assert_string_equal(got.text, "E20 sequence; W07 action; ");
	/* what is told twice counts once */
	begin();
	tell(&reset, 1, UNIT);
	tell(&log_[18], 2, UNIT);
	tell(&log_[18], 2, UNIT);
	assert_string_equal(got.text, "E20 epoch; E20 sequence; ");
}

static void
test_val_across__an_unreadable_line_may_have_been_a_record(void **state)
{
	static const struct rec clear = {OUTBOX, 1, 300, 0, NULL, CLEAR, 0};

	(void)state;
	begin();
	tell(&clear, 5, UNIT);
	assert_ok(val_run_text(&run, "{\"unit\":", 8));
	tell(&clear, 7, UNIT);
	assert_string_equal(got.text, "E01 ; ");
	tell(&clear, 9, UNIT);
	assert_string_equal(got.text, "E01 ; E20 sequence; ");
}

/* As lines, through the reader of envelopes. */
static void
test_val_across__lines_of_an_export_are_records(void **state)
{
	static const char form[] =
	    "{\"unit\":\"00000000-0000-4000-8000-000000000001\",\"sequence\":"
	    "%u,\"epoch\":%u,\"time\":\"2026-01-01T00:00:00.000000000Z\","
	    "\"bootTime\":\"100.000000000\",\"source\":\"outbox\","
	    "\"sourceSequence\":1,\"special\":{\"name\":\"%s\"}}";
	static const struct {
		unsigned int sequence, epoch;
		const char *name, *want;
	} set[] = {
	    {4, 1, "UNIT_STOP", ""},
	    {5, 2, "UNIT_START", ""},
	    {7, 2, "SELF_TEST", "E20 sequence; "},
	    {8, 3, "SELF_TEST", "E20 sequence; E20 epoch; "},
	};
	char line[400];
	size_t i;

	(void)state;
	begin();
	for (i = 0; i < COUNT(set); i++) {
		(void)snprintf(line, sizeof(line), form, set[i].sequence,
		    set[i].epoch, set[i].name);
		assert_ok(val_run_text(&run, line, strlen(line)));
		assert_true(run.no_event);
		assert_string_equal(got.text, set[i].want);
	}
}

static void
test_val_across__a_new_log_after_a_damaged_one_is_a_warning_alone(void **state)
{
	struct rec r;
	size_t i;

	(void)state;
	/* alone, and behind the old one in the same input */
	for (size_t before = 0; before < 2; before++) {
		begin();
		for (i = 0; before == 1 && i < COUNT(log_); i++)
			tell(&log_[i], i, UNIT);
		for (i = 0; i < COUNT(next_); i++)
			tell(&next_[i], i, UNIT);
		assert_string_equal(got.text, "W09 special.name; ");
	}
	/* without the record that says so */
	for (size_t before = 0; before < 2; before++) {
		begin();
		for (i = 0; before == 1 && i < COUNT(log_); i++)
			tell(&log_[i], i, UNIT);
		for (i = 0; i < COUNT(next_); i++) {
			r = next_[i];
			if (i == 1)
				r.special = "REQUEST_REFUSED";
			tell(&r, i, UNIT);
		}
		assert_string_equal(got.text,
		    before == 0 ? "E20 epoch; " : "E20 sequence; E20 epoch; ");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_val_across__a_true_log_has_no_finding_from_anywhere_on),
	    cmocka_unit_test(test_val_across__each_break_of_a_log_is_found),
	    cmocka_unit_test(test_val_across__behind_a_gap_a_unit_is_unknown),
	    cmocka_unit_test(
		test_val_across__an_unreadable_line_may_have_been_a_record),
	    cmocka_unit_test(test_val_across__lines_of_an_export_are_records),
	    cmocka_unit_test(
		test_val_across__a_new_log_after_a_damaged_one_is_a_warning_alone),
	};
	int bad = cmocka_run_group_tests(tests, NULL, NULL);

	val_run_free(&run);
	return bad;
}
