/* The state table against a second one, written by hand from the protocol
 * description (registers, imprint mode, who must sign). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cu_fsm.h"

/* States as N/C: new register Empty, Uncommitted, Committed; current Empty,
 * Valid. First six imprint mode, last six normal:
 *   0 E/E  1 E/V  2 U/E  3 U/V  4 C/E  5 C/V  6 E/E ... 11 C/V */
enum who {
	NOBODY,
	ONE,
	S,    /* signature threshold */
	R,    /* revocation threshold */
	NEW,  /* the threshold being set */
	ZERO, /* 1 with permission 0x40, else S */
	CP,   /* 1 with permission 0x20, else S */
	PART  /* one in each embedded request */
};

struct cell {
	uint32_t rc, reason; /* rc 0: allowed */
	enum who who;
	int next;
};
#define GO(who, next)                                                          \
	{                                                                      \
		0, 0, who, next                                                \
	}
#define NO(rc, reason)                                                         \
	{                                                                      \
		rc, reason, NOBODY, -1                                         \
	}
#define IMPRINT6                                                               \
	NO(179, 34), NO(179, 34), NO(179, 34), NO(179, 34), NO(179, 34),       \
	    NO(179, 34)

#define POINTS(command)                                                        \
	{                                                                      \
		command, "",                                                   \
		{                                                              \
			IMPRINT6, GO(CP, 6), GO(CP, 7), GO(CP, 8), GO(CP, 9),  \
			    GO(CP, 10), GO(CP, 11)                             \
		}                                                              \
	}

static const struct {
	uint32_t command;
	const char *event; /* "": no action in the catalogue */
	struct cell cell[12];
} expected[] = {
    {0x02, "hs-crypto.tke-cryptounit-admin.add",
	{GO(NOBODY, 0), GO(NOBODY, 1), GO(NOBODY, 2), GO(NOBODY, 3),
	    GO(NOBODY, 4), GO(NOBODY, 5), GO(S, 6), GO(S, 7), GO(S, 8),
	    GO(S, 9), GO(S, 10), GO(S, 11)}},
    {0x04, "hs-crypto.tke-cryptounit-admin.remove",
	{GO(NOBODY, 0), GO(NOBODY, 1), GO(NOBODY, 2), GO(NOBODY, 3),
	    GO(NOBODY, 4), GO(NOBODY, 5), GO(R, 6), GO(R, 7), GO(R, 8),
	    GO(R, 9), GO(R, 10), GO(R, 11)}},
    /* from imprint mode to the same registers in either mode */
    {0x08, "hs-crypto.tke-cryptounit-threshold.set",
	{GO(NEW, 6), GO(NEW, 7), GO(NEW, 8), GO(NEW, 9), GO(NEW, 10),
	    GO(NEW, 11), GO(S, 6), GO(S, 7), GO(S, 8), GO(S, 9), GO(S, 10),
	    GO(S, 11)}},
    {0x09, "",
	{IMPRINT6, GO(ONE, 6), GO(ONE, 7), GO(ONE, 8), GO(ONE, 9), GO(ONE, 10),
	    GO(ONE, 11)}},
    {0x0c, "hs-crypto.tke-cryptounit-master-key-register.add",
	{IMPRINT6, GO(PART, 8), GO(PART, 9), GO(PART, 8), GO(PART, 9),
	    GO(PART, 8), GO(PART, 9)}},
    {0x0d, "hs-crypto.tke-cryptounit-master-key-register.commit",
	{IMPRINT6, NO(101, 50), NO(101, 50), GO(S, 10), GO(S, 11), NO(101, 0),
	    NO(101, 0)}},
    {0x0e, "hs-crypto.tke-cryptounit-master-key-register.activate",
	{IMPRINT6, NO(101, 64), NO(101, 64), NO(101, 64), NO(101, 64),
	    GO(ONE, 7), GO(ONE, 7)}},
    {0x10, "hs-crypto.tke-cryptounit.reset",
	{GO(NOBODY, 0), GO(NOBODY, 0), GO(NOBODY, 0), GO(NOBODY, 0),
	    GO(NOBODY, 0), GO(NOBODY, 0), GO(ZERO, 0), GO(ZERO, 0), GO(ZERO, 0),
	    GO(ZERO, 0), GO(ZERO, 0), GO(ZERO, 0)}},
    {0x1b, "hs-crypto.tke-cryptounit-current-master-key-register.clear",
	{IMPRINT6, GO(ONE, 6), GO(ONE, 6), GO(ONE, 8), GO(ONE, 8), GO(ONE, 10),
	    GO(ONE, 10)}},
    {0x1c, "hs-crypto.tke-cryptounit-new-master-key-register.clear",
	{IMPRINT6, GO(ONE, 6), GO(ONE, 7), GO(ONE, 6), GO(ONE, 7), GO(ONE, 6),
	    GO(ONE, 7)}},
    POINTS(0x11),
    POINTS(0x12),
    POINTS(0x13),
};

#define EXPECTED (sizeof(expected) / sizeof(expected[0]))

/* What each kind of row asks for when S is 3, R is 2, the new S is 5. */
static const uint32_t needs[] = {
    [NOBODY] = 0, [ONE] = 1, [S] = 3, [R] = 2, [NEW] = 5, [PART] = 0};

static struct cu_state
state_of(unsigned int n)
{
	static const enum cu_fill pending[] = {
	    CU_EMPTY, CU_UNCOMMITTED, CU_COMMITTED};
	struct cu_state s;

	cu_state_init(&s);
	s.attr.signature_threshold = n >= 6 ? 2 : 0;
	s.pending.fill = pending[n % 6 / 2];
	s.current.fill = n % 2 == 0 ? CU_EMPTY : CU_VALID;
	return s;
}

static void
test_cu_fsm__states_are_numbered_as_documented(void **state)
{
	unsigned int n = 0;
	struct cu_state s;

	(void)state;
	for (n = 0; n < CU_STATES; n++) {
		s = state_of(n);
		assert_int_equal(cu_fsm_state(&s), n);
	}
}

static void
test_cu_fsm__every_pair_is_decided_by_exactly_one_row(void **state)
{
	size_t n = 0, i = 0, k = 0;
	const struct cu_fsm_row *row = cu_fsm_rows(&n);
	unsigned int st = 0;
	uint16_t all = 0;

	(void)state;
	for (i = 0; i < EXPECTED; i++)
		for (st = 0; st < CU_STATES; st++) {
			unsigned int hits = 0;

			for (k = 0; k < n; k++)
				if (row[k].command == expected[i].command &&
				    (row[k].from >> st & 1u) != 0)
					hits++;
			assert_int_equal(hits, 1);
		}
	for (k = 0; k < n; k++) {
		assert_int_not_equal(row[k].from, 0);
		assert_int_equal(row[k].from & ~0xfff, 0);
		assert_true((row[k].act != NULL) == (row[k].rc == 0));
		all |= row[k].from;
	}
	assert_int_equal(all, 0xfff);
}

static void
test_cu_fsm__the_table_is_the_one_expected(void **state)
{
	size_t i = 0;
	unsigned int st = 0, to = 0;

	(void)state;
	for (i = 0; i < EXPECTED; i++)
		for (st = 0; st < CU_STATES; st++) {
			const struct cell *want = &expected[i].cell[st];
			const struct cu_fsm_row *row =
			    cu_fsm_row(expected[i].command, st);
			struct cu_state before = state_of(st);

			assert_non_null(row);
			assert_int_equal(row->rc, want->rc);
			assert_int_equal(row->reason, want->reason);
			if (want->rc != 0)
				continue;
			for (to = 0; to < CU_STATES; to++) {
				struct cu_state after = state_of(to);
				/* staying in imprint mode is allowed too */
				bool ok = (int)to == want->next ||
					  (expected[i].command == 0x08 &&
					      st < 6 && to == st);

				if (cu_fsm_arrived(row, &before, &after) != ok)
					fail_msg("command %02x, %u to %u",
					    expected[i].command, st, to);
			}
		}
}

static void
test_cu_fsm__each_row_asks_for_the_signers_expected(void **state)
{
	const struct tke_attributes now = {.signature_threshold = 3,
	    .revocation_threshold = 2,
	    .permissions = TKE_PERM_DEFAULT};
	const struct tke_attributes one = {.signature_threshold = 3,
	    .revocation_threshold = 2,
	    .permissions = TKE_PERM_DEFAULT | TKE_PERM_ZEROIZE_ONE};
	const struct tke_attributes cp_one = {.signature_threshold = 3,
	    .revocation_threshold = 2,
	    .permissions = TKE_PERM_DEFAULT | TKE_PERM_CP_ONE};
	const struct tke_attributes wanted = {.signature_threshold = 5};
	size_t i = 0;
	unsigned int st = 0;

	(void)state;
	for (i = 0; i < EXPECTED; i++)
		for (st = 0; st < CU_STATES; st++) {
			const struct cell *want = &expected[i].cell[st];
			const struct cu_fsm_row *row =
			    cu_fsm_row(expected[i].command, st);

			if (want->rc != 0)
				continue;
			if (want->who == ZERO || want->who == CP) {
				const bool zero = want->who == ZERO;

				assert_int_equal(
				    cu_fsm_need(row->who, &now, &wanted), 3);
				assert_int_equal(
				    cu_fsm_need(row->who, &one, &wanted),
				    zero ? 1 : 3);
				assert_int_equal(
				    cu_fsm_need(row->who, &cp_one, &wanted),
				    zero ? 3 : 1);
				continue;
			}
			assert_int_equal(cu_fsm_need(row->who, &now, &wanted),
			    needs[want->who]);
			assert_true((row->who == CU_WHO_EACH_PART) ==
				    (want->who == PART));
		}
}

static void
test_cu_fsm__each_row_names_its_event(void **state)
{
	size_t i = 0;
	unsigned int st = 0;

	(void)state;
	for (i = 0; i < EXPECTED; i++)
		for (st = 0; st < CU_STATES; st++) {
			const struct cu_fsm_row *row =
			    cu_fsm_row(expected[i].command, st);
			const struct hsa_action_row *action = NULL;

			if (expected[i].event[0] == '\0') {
				assert_int_equal(row->event, HSA_ACTION_NONE);
				continue;
			}
			action = hsa_catalogue_by_name(expected[i].event);
			assert_non_null(action);
			assert_int_equal(row->event, action->code);
		}
}

static void
test_cu_fsm__no_other_command_has_a_row(void **state)
{
	uint32_t id = 0;
	unsigned int st = 0;
	size_t i = 0;

	(void)state;
	for (id = 0; id < 0x20; id++) {
		for (i = 0; i < EXPECTED && expected[i].command != id; i++)
			;
		for (st = 0; st < CU_STATES; st++)
			assert_true(
			    (cu_fsm_row(id, st) != NULL) == (i < EXPECTED));
	}
	assert_null(cu_fsm_row(0x10002, 0));
	assert_null(cu_fsm_row(UINT32_MAX, 11));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cu_fsm__states_are_numbered_as_documented),
	    cmocka_unit_test(
		test_cu_fsm__every_pair_is_decided_by_exactly_one_row),
	    cmocka_unit_test(test_cu_fsm__the_table_is_the_one_expected),
	    cmocka_unit_test(
		test_cu_fsm__each_row_asks_for_the_signers_expected),
	    cmocka_unit_test(test_cu_fsm__each_row_names_its_event),
	    cmocka_unit_test(test_cu_fsm__no_other_command_has_a_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
