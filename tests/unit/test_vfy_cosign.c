#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "helper_cosign.h"
#include "helper_vfy.h"
#include "vfy_cosign.h"
#include "vfy_note.h"

#define DASH "\xe2\x80\x94"
#define ROOT "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

/*
 * The example of C2SP tlog-cosignature, word by word: the log's own signature
 * and one of a witness.
 */
static const char example[] =
    "example.com/behind-the-sofa\n"
    "20852163\n"
    "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    "\n" DASH " example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniM"
    "p+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n" DASH
    " witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeol"
    "MI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";

static struct helper_vfy_log log_;
static struct vfy_key own;
static struct vfy_keys witnesses;

static int
setup(void **state)
{
	struct hsa_diag d = {{0}};
	struct hsa_buf text = {0};

	(void)state;
	helper_vfy_init(&log_, 1);
	helper_vfy_fill(&log_, 10, 5, 100);
	assert_int_equal(
	    vfy_key_parse(&own, log_.key_line, strlen(log_.key_line) - 1, &d).v,
	    0);
	helper_cosign_key(&text, "w.example/1", 101, 4);
	hsa_buf_str(&text, "# another\n\n");
	helper_cosign_key(&text, "w.example/2", 102, 4);
	helper_cosign_key(&text, "w.example/3", 103, 4);
	assert_int_equal(
	    vfy_witnesses_parse(&witnesses, hsa_buf_cstr(&text), text.len, &d)
		.v,
	    0);
	assert_int_equal(witnesses.len, 3);
	hsa_buf_free(&text);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	helper_vfy_free(&log_);
	vfy_keys_free(&witnesses);
	return 0;
}

static hsa_rc
parse(struct vfy_cosigned *c, const struct hsa_buf *b)
{
	struct hsa_diag d = {{0}};
	hsa_rc rc = vfy_cosigned_parse(c, b->p, b->len, &d);

	assert_true(hsa_is_ok(rc) || d.text[0] != '\0');
	return rc;
}

static void
test_cosign__the_example_of_the_specification_is_read(void **state)
{
	struct hsa_diag d = {{0}};
	struct vfy_cosigned c;

	(void)state;
	assert_int_equal(
	    vfy_cosigned_parse(&c, example, sizeof(example) - 1, &d).v, 0);
	assert_string_equal(c.origin, "example.com/behind-the-sofa");
	assert_true(c.size == 20852163);
	assert_int_equal(c.signatures, 2);
	assert_int_equal(c.text_len, strstr(example, "\n\n") - example + 1);
}

static void
test_cosign__lines_stand_in_any_order_beside_unknown_ones(void **state)
{
	struct hsa_buf b = {0}, text = {0};
	struct hsa_diag d = {{0}};
	struct vfy_cosigned c;
	const char *gap;
	uint64_t time = 0;
	size_t n = 0;

	(void)state;
	/* text, a witness, a stranger, a post-quantum one, the log, a witness
	 */
	gap = strstr(hsa_buf_cstr(&log_.note), "\n\n");
	hsa_buf_put(
	    &text, log_.note.p, (size_t)(gap + 2 - hsa_buf_cstr(&log_.note)));
	hsa_buf_put(&b, text.p, text.len);
	helper_cosign_line(
	    &b, log_.note.p, log_.note.len, "w.example/2", 102, 1700000000);
	helper_cosign_line(
	    &b, log_.note.p, log_.note.len, "stranger.example", 9, 1);
	hsa_buf_str(&b, DASH " w.example/1 ");
	for (size_t i = 0; i < 3240 / 4; i++)
		hsa_buf_str(&b, "AAAA");
	hsa_buf_u8(&b, '\n');
	hsa_buf_put(&b, log_.note.p + text.len, log_.note.len - text.len);
	helper_cosign_line(
	    &b, log_.note.p, log_.note.len, "w.example/1", 101, 1763807400);
	assert_int_equal(parse(&c, &b).v, 0);
	assert_int_equal(c.signatures, 5);
	assert_true(c.size == 10);
	assert_int_equal(vfy_cosigned_own(&c, &own).v, 0);
	assert_int_equal(vfy_cosigned_count(&c, &witnesses, &n, &d).v, 0);
	assert_int_equal(n, 2);
	assert_int_equal(vfy_cosigned_by(&c, &witnesses.key[0], &time).v, 0);
	assert_true(time == 1763807400);
	assert_int_equal(
	    vfy_cosigned_by(&c, &witnesses.key[2], &time).v, HSA_E_NOT_FOUND);
	hsa_buf_free(&b);
	hsa_buf_free(&text);
}

static void
test_cosign__no_bit_of_a_cosigned_checkpoint_is_free(void **state)
{
	struct hsa_buf b = {0};
	struct hsa_diag d = {{0}};
	unsigned int flipped = 0;
	struct vfy_cosigned c;
	size_t n = 0;

	(void)state;
	hsa_buf_put(&b, log_.note.p, log_.note.len);
	helper_cosign_line(
	    &b, log_.note.p, log_.note.len, "w.example/1", 101, 77);
	for (size_t i = 0; i < b.len; i++)
		for (unsigned int bit = 0; bit < 8; bit++) {
			b.p[i] ^= (uint8_t)(1u << bit);
			assert_false(
			    hsa_is_ok(vfy_cosigned_parse(&c, b.p, b.len, &d)) &&
			    hsa_is_ok(vfy_cosigned_own(&c, &own)) &&
			    hsa_is_ok(
				vfy_cosigned_count(&c, &witnesses, &n, &d)) &&
			    n == 1);
			b.p[i] ^= (uint8_t)(1u << bit);
			flipped++;
		}
	assert_int_equal(parse(&c, &b).v, 0);
	assert_int_equal(vfy_cosigned_own(&c, &own).v, 0);
	printf("COUNT bits of a cosigned checkpoint flipped: %u\n", flipped);
	hsa_buf_free(&b);
}

static void
test_cosign__a_line_of_a_known_key_that_is_bad_spoils_it(void **state)
{
	struct hsa_buf b = {0}, other = {0};
	struct helper_vfy_log l;
	struct hsa_diag d = {{0}};
	struct vfy_cosigned c;
	size_t n = 9;

	(void)state;
	/* a witness' line of another checkpoint, behind its good one */
	helper_vfy_init(&l, 2);
	helper_vfy_fill(&l, 3, 3, 100);
	hsa_buf_put(&b, log_.note.p, log_.note.len);
	helper_cosign_line(
	    &b, log_.note.p, log_.note.len, "w.example/1", 101, 77);
	helper_cosign_line(&b, l.note.p, l.note.len, "w.example/1", 101, 77);
	assert_int_equal(parse(&c, &b).v, 0);
	assert_int_equal(
	    vfy_cosigned_count(&c, &witnesses, &n, &d).v, HSA_E_SIGNATURE);
	assert_non_null(strstr(d.text, "w.example/1"));
	/* the log's own likewise: by another name it would be a stranger's */
	helper_vfy_note(&other, log_.origin, 9, own.public_key, log_.key);
	hsa_buf_reset(&b);
	hsa_buf_put(&b, log_.note.p, log_.note.len);
	hsa_buf_str(&b, strstr(hsa_buf_cstr(&other), DASH));
	assert_int_equal(parse(&c, &b).v, 0);
	assert_int_equal(vfy_cosigned_own(&c, &own).v, HSA_E_SIGNATURE);
	/* without any line of the log's it is nobody's */
	hsa_buf_reset(&b);
	hsa_buf_put(&b, log_.note.p,
	    (size_t)(strstr(hsa_buf_cstr(&log_.note), DASH) -
		     (char *)log_.note.p));
	helper_cosign_line(
	    &b, log_.note.p, log_.note.len, "w.example/1", 101, 77);
	assert_int_equal(parse(&c, &b).v, 0);
	assert_int_equal(vfy_cosigned_own(&c, &own).v, HSA_E_SIGNATURE);
	/* a time beyond 2^63 - 1 */
	hsa_buf_reset(&b);
	hsa_buf_put(&b, log_.note.p, log_.note.len);
	helper_cosign_line(&b, log_.note.p, log_.note.len, "w.example/1", 101,
	    UINT64_C(1) << 63);
	assert_int_equal(parse(&c, &b).v, 0);
	assert_int_equal(
	    vfy_cosigned_count(&c, &witnesses, &n, &d).v, HSA_E_SIGNATURE);
	helper_vfy_free(&l);
	hsa_buf_free(&b);
	hsa_buf_free(&other);
}

static void
test_cosign__what_is_no_note_is_refused(void **state)
{
	static const char *const bad[] = {
	    "",
	    "o\n1\n" ROOT "\n",
	    "o\n1\n" ROOT "\n\n",
	    "o\n1\n" ROOT "\n" DASH " o AAAAAAA=\n",
	    "o\n1\n" ROOT "\n\n" DASH " o AAAAAAA=",
	    "o\n1\n" ROOT "\n\n" DASH " o AAAAAA==\n",
	    "o\n1\n" ROOT "\n\n" DASH " o AAAAAAB=\n",
	    "o\n1\n" ROOT "\n\n" DASH " o+ AAAAAAA=\n",
	    "o\n1\n" ROOT "\n\n" DASH " o AAAAAAA=\n\n",
	    "o\n01\n" ROOT "\n\n" DASH " o AAAAAAA=\n",
	    "o\n1\nAAAA\n\n" DASH " o AAAAAAA=\n",
	    "o\n1\n" ROOT "\nx\ty\n\n" DASH " o AAAAAAA=\n",
	    "o\n1\n" ROOT "\n\xff\n\n" DASH " o AAAAAAA=\n",
	    " \n1\n" ROOT "\n\n" DASH " o AAAAAAA=\n",
	};
	static const char good[] =
	    "o\n1\n" ROOT "\nan extension\n\n" DASH " x AAAAAAA=\n";
	struct hsa_buf b = {0};
	struct vfy_cosigned c;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		hsa_buf_reset(&b);
		hsa_buf_str(&b, bad[i]);
		assert_int_equal(parse(&c, &b).v, HSA_E_FORMAT);
	}
	hsa_buf_reset(&b);
	hsa_buf_str(&b, good);
	assert_int_equal(parse(&c, &b).v, 0);
	assert_int_equal(c.text_len, strstr(good, "\n\n") - good + 1);
	while (b.len <= VFY_COSIGNED_MAX)
		hsa_buf_str(&b, DASH " x AAAAAAA=\n");
	assert_int_equal(parse(&c, &b).v, HSA_E_RANGE);
	hsa_buf_free(&b);
}

static void
test_cosign__a_witness_counts_once(void **state)
{
	struct hsa_buf b = {0};
	struct vfy_keys k = {0};
	struct vfy_key one;
	struct hsa_diag d = {{0}};

	(void)state;
	/* the same line twice is one; one key by two names is refused */
	helper_cosign_key(&b, "w.example/1", 101, 4);
	assert_int_equal(
	    vfy_witness_parse(&one, hsa_buf_cstr(&b), b.len - 1, &d).v, 0);
	assert_string_equal(one.origin, "w.example/1");
	helper_cosign_key(&b, "w.example/1", 101, 4);
	assert_int_equal(
	    vfy_witnesses_parse(&k, hsa_buf_cstr(&b), b.len, &d).v, 0);
	assert_int_equal(k.len, 1);
	vfy_keys_free(&k);
	helper_cosign_key(&b, "w.example/x", 101, 4);
	assert_int_equal(vfy_witnesses_parse(&k, hsa_buf_cstr(&b), b.len, &d).v,
	    HSA_E_EXISTS);
	assert_non_null(strstr(d.text, "count twice"));
	hsa_buf_reset(&b);
	helper_cosign_key(&b, "w.example/1", 101, 4);
	helper_cosign_key(&b, "w.example/1", 105, 4);
	assert_int_equal(vfy_witnesses_parse(&k, hsa_buf_cstr(&b), b.len, &d).v,
	    HSA_E_EXISTS);
	/* a log's key is none of a witness, nor the other way round */
	hsa_buf_reset(&b);
	helper_cosign_key(&b, "w.example/1", 101, 1);
	assert_int_equal(
	    vfy_witness_parse(&one, hsa_buf_cstr(&b), b.len - 1, &d).v,
	    HSA_E_UNSUPPORTED);
	hsa_buf_reset(&b);
	helper_cosign_key(&b, "w.example/1", 101, 4);
	assert_int_equal(vfy_key_parse(&one, hsa_buf_cstr(&b), b.len - 1, &d).v,
	    HSA_E_UNSUPPORTED);
	hsa_buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_cosign__the_example_of_the_specification_is_read),
	    cmocka_unit_test(
		test_cosign__lines_stand_in_any_order_beside_unknown_ones),
	    cmocka_unit_test(
		test_cosign__no_bit_of_a_cosigned_checkpoint_is_free),
	    cmocka_unit_test(
		test_cosign__a_line_of_a_known_key_that_is_bad_spoils_it),
	    cmocka_unit_test(test_cosign__what_is_no_note_is_refused),
	    cmocka_unit_test(test_cosign__a_witness_counts_once),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
