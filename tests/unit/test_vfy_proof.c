#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "helper_cosign.h"
#include "helper_vfy.h"
#include "hsa_codec.h"
#include "hsa_proof.h"
#include "vfy_note.h"
#include "vfy_path.h"
#include "vfy_proof.h"
#include "vfy_proven.h"

#define RECORDS 23

/* l: whole records; calls: the same unit, compact ones */
static struct helper_vfy_log l, calls;
static const struct helper_vfy_log *cur = &l;
static struct vfy_keys keys;
static struct hsa_sha256 *h;

static int
setup(void **state)
{
	struct hsa_diag d = {{0}};

	(void)state;
	h = hsa_sha256_new();
	helper_vfy_init(&l, 1);
	helper_vfy_fill(&l, RECORDS, 5, 100);
	helper_vfy_init(&calls, 1);
	helper_vfy_fill_calls(&calls, RECORDS, 5, 100);
	assert_int_equal(
	    vfy_keys_parse(&keys, l.key_line, strlen(l.key_line), &d).v, 0);
	return h == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	helper_vfy_free(&l);
	helper_vfy_free(&calls);
	vfy_keys_free(&keys);
	hsa_sha256_free(h);
	return 0;
}

static hsa_rc
node(void *ctx, const struct vfy_node *n)
{
	vfy_path_node(ctx, n);
	return HSA_OK;
}

/* A proof file made of parts, each as the case wants it. */
struct made {
	struct hsa_buf text, note, old;
	struct hsa_buf extra;
};

static void
made_free(struct made *m)
{
	hsa_buf_free(&m->text);
	hsa_buf_free(&m->note);
	hsa_buf_free(&m->old);
	hsa_buf_free(&m->extra);
}

static void
sign(struct hsa_buf *to, size_t size)
{
	uint8_t root[32];

	hsa_buf_reset(to);
	helper_vfy_root(root, cur, size);
	helper_vfy_note(to, cur->origin, size, root, cur->key);
}

static void
grow(struct vfy_tree *t, struct vfy_path *p, size_t size)
{
	vfy_tree_init(t, h);
	t->on_node = node;
	t->node_ctx = p;
	for (size_t i = 0; i < size; i++)
		assert_int_equal(
		    vfy_tree_add(t, cur->leaf[i].p, cur->leaf[i].len).v, 0);
}

static void
way_of(struct vfy_hashes *to, size_t index, size_t size)
{
	struct vfy_path path;
	struct vfy_tree t;

	vfy_path_leaf(&path, index);
	grow(&t, &path, size);
	assert_int_equal(vfy_path_end(&path, &t, to).v, 0);
}

/* x: the extra data, or NULL. */
static void
assemble(
    struct made *m, size_t index, size_t size, const struct hsa_proof_extra *x)
{
	struct vfy_proof p = {.kind = VFY_PROOF_INCLUSION, .from = index};

	sign(&m->note, size);
	way_of(&p.way, index, size);
	if (x != NULL) {
		p.has_extra = true;
		assert_int_equal(hsa_proof_extra_encode(&p.extra, x).v, 0);
	}
	p.note = (struct hsa_slice){m->note.p, m->note.len};
	hsa_buf_reset(&m->text);
	vfy_proof_write(&m->text, &p);
	vfy_proof_free(&p);
}

static void
inclusion(struct made *m, size_t index, size_t size, bool with_record)
{
	const struct hsa_proof_extra x = {
	    .record = {cur->leaf[index].p, cur->leaf[index].len}};

	assemble(m, index, size, with_record ? &x : NULL);
}

static void
consistency(struct made *m, size_t from, size_t size)
{
	struct vfy_proof p = {.kind = VFY_PROOF_CONSISTENCY, .from = from};
	struct vfy_path path;
	struct vfy_tree t;

	sign(&m->note, size);
	sign(&m->old, from);
	vfy_path_size(&path, from);
	grow(&t, &path, size);
	assert_int_equal(vfy_path_consistency(&path, &t, from, &p.way).v, 0);
	p.note = (struct hsa_slice){m->note.p, m->note.len};
	p.old = (struct hsa_slice){m->old.p, m->old.len};
	hsa_buf_reset(&m->text);
	vfy_proof_write(&m->text, &p);
}

/* NULL: proven; else the rule that is broken. */
static const char *
check(const struct hsa_buf *text, const struct vfy_proven_options *more)
{
	static char rule[8];
	struct vfy_proven_options opt = {.keys = &keys};
	struct hsa_diag d = {{0}};
	struct vfy_proven v;
	bool bad;

	if (more != NULL)
		opt = *more;
	assert_int_equal(
	    vfy_proven_check(&v, &opt, text->p, text->len, &d).v, 0);
	bad = v.bad;
	assert_true(!bad || v.finding[0] != '\0');
	memcpy(rule, v.rule, sizeof(rule));
	vfy_proven_free(&v);
	return bad ? rule : NULL;
}

static void
test_proof__every_record_is_proven_in_every_checkpoint(void **state)
{
	const struct vfy_proven_options opt = {.keys = &keys};
	struct hsa_diag d = {{0}};
	unsigned int proven = 0;
	struct made m = {.text = {0}};
	struct vfy_proven v;

	(void)state;
	for (size_t size = 1; size <= RECORDS; size++)
		for (size_t i = 0; i < size; i++) {
			inclusion(&m, i, size, true);
			assert_true(vfy_proof_is_one(m.text.p, m.text.len));
			assert_int_equal(
			    vfy_proven_check(&v, &opt, m.text.p, m.text.len, &d)
				.v,
			    0);
			assert_false(v.bad);
			assert_int_equal(v.kind, VFY_PROOF_INCLUSION);
			assert_string_equal(v.origin, l.origin);
			assert_true(v.from == i && v.size == size);
			assert_true(v.has_record && v.record.sequence == i);
			vfy_proven_free(&v);
			proven++;
		}
	printf("COUNT records proven: %u\n", proven);
	made_free(&m);
}

static void
test_proof__every_size_is_the_beginning_of_every_later_one(void **state)
{
	struct made m = {.text = {0}};

	(void)state;
	for (size_t size = 1; size <= RECORDS; size++)
		for (size_t from = 1; from <= size; from++) {
			consistency(&m, from, size);
			assert_null(check(&m.text, NULL));
		}
	made_free(&m);
}

static void
flip_all(const struct hsa_buf *text, const char *what)
{
	struct hsa_buf b = {0};
	unsigned int flipped = 0;

	hsa_buf_put(&b, text->p, text->len);
	for (size_t i = 0; i < b.len; i++)
		for (unsigned int bit = 0; bit < 8; bit++) {
			b.p[i] ^= (uint8_t)(1u << bit);
			assert_non_null(check(&b, NULL));
			b.p[i] ^= (uint8_t)(1u << bit);
			flipped++;
		}
	assert_null(check(&b, NULL));
	for (b.len = 0; b.len < text->len; b.len++)
		assert_non_null(check(&b, NULL));
	hsa_buf_u8(&b, '\n');
	assert_non_null(check(&b, NULL));
	printf("COUNT bits of %s flipped, each found: %u\n", what, flipped);
	hsa_buf_free(&b);
}

static void
test_proof__no_bit_of_a_proof_is_free(void **state)
{
	struct made m = {.text = {0}};

	(void)state;
	inclusion(&m, 9, RECORDS, true);
	flip_all(&m.text, "an inclusion proof");
	consistency(&m, 13, RECORDS);
	flip_all(&m.text, "a consistency proof");
	made_free(&m);
}

static void
test_proof__a_record_from_beside_it_will_do(void **state)
{
	struct vfy_proven_options opt = {.keys = &keys};
	struct hsa_diag d = {{0}};
	struct made m = {.text = {0}};
	struct hsa_buf b = {0};
	struct vfy_proven v;

	(void)state;
	inclusion(&m, 9, RECORDS, false);
	assert_int_equal(
	    vfy_proven_check(&v, &opt, m.text.p, m.text.len, &d).v, HSA_E_ARG);
	assert_non_null(strstr(d.text, "--record"));
	vfy_proven_free(&v);
	opt.record = (struct hsa_slice){l.leaf[9].p, l.leaf[9].len};
	assert_null(check(&m.text, &opt));
	opt.record = (struct hsa_slice){l.leaf[8].p, l.leaf[8].len};
	assert_string_equal(check(&m.text, &opt), "P2");
	/* anybody's extra data is passed over then, and only then */
	hsa_buf_str(&b, "c2sp.org/tlog-proof@v1\nextra AAAA\n");
	hsa_buf_str(&b, strstr(hsa_buf_cstr(&m.text), "index "));
	opt.record = (struct hsa_slice){l.leaf[9].p, l.leaf[9].len};
	assert_null(check(&b, &opt));
	assert_string_equal(check(&b, NULL), "P2");
	hsa_buf_free(&b);
	made_free(&m);
}

static void
test_proof__the_rules_are_named(void **state)
{
	struct helper_vfy_log other;
	struct vfy_keys none = {0};
	struct vfy_proven_options opt = {.keys = &none};
	struct hsa_diag d = {{0}};
	struct made m = {.text = {0}}, n = {.text = {0}};
	struct hsa_buf b = {0};
	uint8_t root[32];

	(void)state;
	/* P1: no key for it, another key for it */
	inclusion(&m, 9, RECORDS, true);
	helper_vfy_init(&other, 7);
	assert_int_equal(
	    vfy_keys_parse(&none, other.key_line, strlen(other.key_line), &d).v,
	    0);
	assert_string_equal(check(&m.text, &opt), "P1");
	(void)snprintf(
	    none.key[0].origin, sizeof(none.key[0].origin), "%s", l.origin);
	assert_string_equal(check(&m.text, &opt), "P1");
	vfy_keys_free(&none);
	/* P2: the proof of a neighbour, of another size */
	inclusion(&n, 8, RECORDS, true);
	hsa_buf_put(&b, m.text.p,
	    (size_t)(strstr(hsa_buf_cstr(&m.text), "index") -
		     (char *)m.text.p));
	hsa_buf_str(&b, strstr(hsa_buf_cstr(&n.text), "index"));
	assert_string_equal(check(&b, NULL), "P2");
	hsa_buf_reset(&b);
	hsa_buf_str(&b, hsa_buf_cstr(&m.text));
	sign(&m.note, RECORDS - 1);
	b.len = (size_t)(strstr(hsa_buf_cstr(&b), l.origin) - (char *)b.p);
	hsa_buf_put(&b, m.note.p, m.note.len);
	assert_string_equal(check(&b, NULL), "P2");
	/* P5: another history, two logs */
	consistency(&m, 13, RECORDS);
	hsa_buf_reset(&b);
	hsa_buf_put(&b, m.text.p, m.text.len - m.old.len);
	memset(root, 3, sizeof(root));
	helper_vfy_note(&b, l.origin, 13, root, l.key);
	assert_string_equal(check(&b, NULL), "P5");
	helper_vfy_fill(&other, 13, 13, 100);
	b.len = m.text.len - m.old.len;
	hsa_buf_put(&b, other.note.p, other.note.len);
	assert_string_equal(check(&b, NULL), "P1");
	helper_vfy_free(&other);
	hsa_buf_free(&b);
	made_free(&m);
	made_free(&n);
}

/* Signed leaves that are no good records: the log's key alone is not enough. */
static void
test_proof__a_leaf_that_is_no_record_of_the_log_is_said_so(void **state)
{
	struct helper_vfy_log odd, other;
	struct vfy_proof p = {.kind = VFY_PROOF_INCLUSION, .from = 0};
	struct vfy_proven_options opt = {.keys = &keys};
	struct hsa_buf text = {0};

	(void)state;
	helper_vfy_init(&other, 9);
	helper_vfy_segment(&other);
	helper_vfy_start(&other);
	for (unsigned int i = 0; i < 3; i++) {
		helper_vfy_init(&odd, 1);
		helper_vfy_segment(&odd);
		if (i == 0)
			helper_vfy_raw(&odd, "no record", 9);
		else if (i == 1) /* of another sequence */
			helper_vfy_raw(&odd, l.leaf[1].p, l.leaf[1].len);
		else /* of another unit */
			helper_vfy_raw(
			    &odd, other.leaf[0].p, other.leaf[0].len);
		helper_vfy_checkpoint(&odd);
		p.note = (struct hsa_slice){odd.note.p, odd.note.len};
		hsa_buf_reset(&text);
		vfy_proof_write(&text, &p);
		opt.record = (struct hsa_slice){odd.leaf[0].p, odd.leaf[0].len};
		assert_string_equal(check(&text, &opt), "P3");
		helper_vfy_free(&odd);
	}
	helper_vfy_free(&other);
	hsa_buf_free(&text);
}

static void
set_context(struct hsa_proof_extra *x, size_t index, size_t size)
{
	struct vfy_hashes way;

	way_of(&way, index, size);
	x->context =
	    (struct hsa_slice){calls.leaf[index].p, calls.leaf[index].len};
	memcpy(x->way, way.hash, sizeof(x->way));
	x->way_len = way.n;
}

/* The next record from i on with this body. */
static size_t
next(size_t i, enum hsa_body body)
{
	struct hsa_look look;

	for (;; i++) {
		assert_true(i < calls.n);
		assert_int_equal(
		    hsa_record_look(&look, calls.leaf[i].p, calls.leaf[i].len)
			.v,
		    0);
		if (look.body == body)
			return i;
	}
}

static void
test_proof__a_compact_record_comes_with_its_context(void **state)
{
	const struct vfy_proven_options opt = {.keys = &keys};
	size_t i = next(0, HSA_BODY_COMPACT), other = 0, special;
	struct hsa_proof_extra x = {.way_len = 0}, y;
	struct hsa_diag d = {{0}};
	struct made m = {.text = {0}};
	struct hsa_record r = {0};
	struct vfy_proven v;
	size_t named;

	(void)state;
	cur = &calls;
	assert_int_equal(
	    hsa_record_decode(&r, calls.leaf[i].p, calls.leaf[i].len).v, 0);
	named = (size_t)r.compact.context;
	hsa_record_free(&r);
	while ((other = next(other, HSA_BODY_CONTEXT)) == named)
		other++;
	special = next(0, HSA_BODY_SPECIAL);
	x.record = (struct hsa_slice){calls.leaf[i].p, calls.leaf[i].len};
	set_context(&x, named, RECORDS);
	assemble(&m, i, RECORDS, &x);
	assert_int_equal(
	    vfy_proven_check(&v, &opt, m.text.p, m.text.len, &d).v, 0);
	assert_false(v.bad);
	assert_int_equal(v.record.body, HSA_BODY_EVENT);
	assert_string_equal(v.record.event.action_name, "hs-crypto.ep11.use");
	assert_true(v.record.sequence == i && v.record.has_use);
	assert_memory_equal(
	    v.record.unit_id, calls.unit_id, sizeof(calls.unit_id));
	vfy_proven_free(&v);
	/* no context, another one, what is none, another way, another size */
	y = x;
	y.context.n = y.way_len = 0;
	assemble(&m, i, RECORDS, &y);
	assert_string_equal(check(&m.text, NULL), "P4");
	set_context(&y, other, RECORDS);
	assemble(&m, i, RECORDS, &y);
	assert_string_equal(check(&m.text, NULL), "P4");
	set_context(&y, special, RECORDS);
	assemble(&m, i, RECORDS, &y);
	assert_string_equal(check(&m.text, NULL), "P4");
	y = x;
	y.way[1][7] ^= 1;
	assemble(&m, i, RECORDS, &y);
	assert_string_equal(check(&m.text, NULL), "P4");
	y = x;
	y.way_len--;
	assemble(&m, i, RECORDS, &y);
	assert_string_equal(check(&m.text, NULL), "P4");
	set_context(&y, named, RECORDS - 1);
	assemble(&m, i, RECORDS, &y);
	assert_string_equal(check(&m.text, NULL), "P4");
	/* one that has no use for it */
	y = x;
	y.record =
	    (struct hsa_slice){calls.leaf[special].p, calls.leaf[special].len};
	assemble(&m, special, RECORDS, &y);
	assert_string_equal(check(&m.text, NULL), "P4");
	assemble(&m, i, RECORDS, &x);
	flip_all(&m.text, "a proof of a compact record");
	made_free(&m);
	cur = &l;
}

static void
test_proof__witnesses_are_counted(void **state)
{
	struct vfy_keys w = {0};
	struct vfy_proven_options opt = {
	    .keys = &keys, .witnesses = &w, .need = 2};
	struct hsa_diag d = {{0}};
	struct made m = {.text = {0}};
	struct hsa_buf b = {0};

	(void)state;
	helper_cosign_key(&b, "w.example/1", 101, 4);
	helper_cosign_key(&b, "w.example/2", 102, 4);
	helper_cosign_key(&b, "w.example/3", 103, 4);
	assert_int_equal(
	    vfy_witnesses_parse(&w, hsa_buf_cstr(&b), b.len, &d).v, 0);
	inclusion(&m, 4, RECORDS, true);
	assert_string_equal(check(&m.text, &opt), "P1");
	helper_cosign_line(
	    &m.text, m.note.p, m.note.len, "w.example/3", 103, 5);
	assert_string_equal(check(&m.text, &opt), "P1");
	helper_cosign_line(&m.text, m.note.p, m.note.len, "w.example/4", 9, 5);
	assert_string_equal(check(&m.text, &opt), "P1");
	helper_cosign_line(
	    &m.text, m.note.p, m.note.len, "w.example/1", 101, 5);
	assert_null(check(&m.text, &opt));
	/* made for another checkpoint */
	sign(&m.old, 3);
	helper_cosign_line(&m.text, m.old.p, m.old.len, "w.example/2", 102, 5);
	assert_string_equal(check(&m.text, &opt), "P1");
	vfy_keys_free(&w);
	hsa_buf_free(&b);
	made_free(&m);
}

static void
test_proof__extra_data_has_one_spelling(void **state)
{
	struct hsa_proof_extra x = {.record = {(const uint8_t *)"r", 1}}, y;
	struct hsa_buf b = {0}, again = {0};

	(void)state;
	assert_int_equal(hsa_proof_extra_encode(&b, &x).v, 0);
	assert_int_equal(b.len, 3);
	x.context = (struct hsa_slice){(const uint8_t *)"ctx", 3};
	x.way_len = 2;
	memset(x.way, 7, sizeof(x.way));
	hsa_buf_reset(&b);
	assert_int_equal(hsa_proof_extra_encode(&b, &x).v, 0);
	assert_int_equal(hsa_proof_extra_decode(&y, b.p, b.len).v, 0);
	assert_int_equal(y.record.n, 1);
	assert_int_equal(y.context.n, 3);
	assert_int_equal(y.way_len, 2);
	assert_int_equal(hsa_proof_extra_encode(&again, &y).v, 0);
	assert_int_equal(again.len, b.len);
	assert_memory_equal(again.p, b.p, b.len);
	for (size_t n = 0; n < b.len; n++)
		assert_true(n == 3 || n == 8 || n == 8 + 34 ||
			    !hsa_is_ok(hsa_proof_extra_decode(&y, b.p, n)));
	hsa_buf_u8(&b, 0x20);
	assert_int_equal(
	    hsa_proof_extra_decode(&y, b.p, b.len).v, HSA_E_FORMAT);
	/* a way of no context, no record, too much of either */
	assert_int_equal(
	    hsa_proof_extra_decode(&y, "\x12\x01x", 3).v, HSA_E_FORMAT);
	assert_int_equal(hsa_proof_extra_decode(&y, "", 0).v, HSA_E_FORMAT);
	x.context.n = 0;
	assert_int_equal(hsa_proof_extra_encode(&again, &x).v, HSA_E_FORMAT);
	x.context.n = 65537;
	assert_int_equal(hsa_proof_extra_encode(&again, &x).v, HSA_E_RANGE);
	hsa_buf_free(&b);
	hsa_buf_free(&again);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_proof__every_record_is_proven_in_every_checkpoint),
	    cmocka_unit_test(
		test_proof__every_size_is_the_beginning_of_every_later_one),
	    cmocka_unit_test(test_proof__no_bit_of_a_proof_is_free),
	    cmocka_unit_test(test_proof__a_record_from_beside_it_will_do),
	    cmocka_unit_test(test_proof__the_rules_are_named),
	    cmocka_unit_test(
		test_proof__a_leaf_that_is_no_record_of_the_log_is_said_so),
	    cmocka_unit_test(
		test_proof__a_compact_record_comes_with_its_context),
	    cmocka_unit_test(test_proof__witnesses_are_counted),
	    cmocka_unit_test(test_proof__extra_data_has_one_spelling),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
