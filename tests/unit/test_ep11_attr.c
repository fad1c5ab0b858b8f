/* Boolean words, templates, and what control points say of keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ep11_attr.h"
#include "ep11_cp.h"
#include "ep11_policy.h"

static const uint8_t All[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t Yes = 1, No = 0;

static void
without(uint8_t cp[16], int bit)
{
	memcpy(cp, All, 16);
	cp[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
}

static CK_RV
read_one(
    struct ep11_template *t, CK_ATTRIBUTE_TYPE type, const void *p, size_t n)
{
	struct hsa_attr a = {.type = type, .p = p, .n = n};

	return ep11_template_read(t, &a, 1);
}

/* ep11-host-api 10.4 once more, by hand: bit, attribute, may be cleared, may
 * be set. */
static const struct {
	uint32_t bit;
	CK_ATTRIBUTE_TYPE type;
	bool clear, set;
} table[] = {
    {0x000001, 0x162, true, false},
    {0x000002, 0x164, false, false},
    {0x000004, 0x170, true, false},
    {0x000008, 0x80010002, false, false},
    {0x000010, 0x80010001, false, false},
    {0x000020, 0x163, false, false},
    {0x000040, 0x80010004, false, false},
    {0x000080, 0x80010008, true, true},
    {0x000100, 0x108, true, true},
    {0x000200, 0x109, false, false},
    {0x000400, 0x105, true, true},
    {0x000800, 0x104, true, true},
    {0x001000, 0x10c, true, true},
    {0x002000, 0x107, true, true},
    {0x004000, 0x106, true, true},
    {0x008000, 0x10a, true, true},
    {0x010000, 0x10b, false, false},
    {0x020000, 0x86, true, false},
    {0x040000, 0x210, true, true},
    {0x080000, 0x80010003, false, false},
    {0x200000, 0x8001000c, true, false},
    {0x400000, 0x8001000d, false, false},
};
#define TABLE (sizeof(table) / sizeof(table[0]))

static void
test_ep11_attr__rows_are_those_of_the_reference(void **state)
{
	const struct ep11_bool_row *rows = NULL;
	uint32_t seen = 0;
	size_t n = 0;

	(void)state;
	rows = ep11_bool_rows(&n);
	assert_int_equal(n, TABLE);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(rows[i].bit, table[i].bit);
		assert_int_equal(rows[i].type, table[i].type);
		assert_int_equal(rows[i].may_clear, table[i].clear);
		assert_int_equal(rows[i].may_set, table[i].set);
		assert_int_equal(strncmp(rows[i].name, "CKA_", 4), 0);
		assert_int_equal(seen & rows[i].bit, 0);
		seen |= rows[i].bit;
		assert_ptr_equal(ep11_bool_of(rows[i].type), &rows[i]);
	}
	assert_null(ep11_bool_of(CKA_VALUE_LEN));
	assert_null(ep11_bool_of(CKA_TOKEN));
}

static void
test_ep11_attr__change_follows_every_cell_of_the_table(void **state)
{
	size_t cells = 0;

	(void)state;
	for (size_t i = 0; i < TABLE; i++)
		for (int before = 0; before < 2; before++)
			for (int want = 0; want < 2; want++) {
				struct ep11_template t = {.named = table[i].bit,
				    .values = want != 0 ? table[i].bit : 0};
				uint32_t word = EP11_MODIFIABLE | EP11_LOCAL;
				uint32_t after, was;
				bool may =
				    before == want ||
				    (want != 0 ? table[i].set : table[i].clear);

				word = before != 0 ? word | table[i].bit
						   : word & ~table[i].bit;
				/* a key without it cannot change at all */
				if (table[i].bit == EP11_MODIFIABLE &&
				    before == 0)
					may = want == 0;
				after = was = word;
				assert_int_equal(ep11_bools_change(&after, &t),
				    may ? CKR_OK : CKR_ATTRIBUTE_READ_ONLY);
				if (may)
					was = want != 0 ? was | table[i].bit
							: was & ~table[i].bit;
				assert_int_equal(after, was);
				cells++;
			}
	printf("COUNT attribute changes walked: %zu\n", cells);
}

static void
test_ep11_attr__keys_that_are_not_modifiable_stay(void **state)
{
	struct ep11_template less = {.named = EP11_SIGN},
			     more = {.named = EP11_WRAP, .values = EP11_WRAP},
			     same = {.named = EP11_SIGN, .values = EP11_SIGN};
	uint32_t w = EP11_SIGN, r = EP11_SIGN | EP11_RESTRICTABLE;

	(void)state;
	assert_int_equal(ep11_bools_change(&w, &less), CKR_ATTRIBUTE_READ_ONLY);
	assert_int_equal(ep11_bools_change(&w, &more), CKR_ATTRIBUTE_READ_ONLY);
	assert_int_equal(ep11_bools_change(&w, &same), CKR_OK);
	assert_int_equal(w, EP11_SIGN);
	assert_int_equal(ep11_bools_change(&r, &more), CKR_ATTRIBUTE_READ_ONLY);
	assert_int_equal(ep11_bools_change(&r, &less), CKR_OK);
	assert_int_equal(r, EP11_RESTRICTABLE);
	/* what holds a key back is no right of its */
	r |= EP11_WRAP_WITH_TRUSTED;
	less.named = EP11_WRAP_WITH_TRUSTED;
	assert_int_equal(ep11_bools_change(&r, &less), CKR_ATTRIBUTE_READ_ONLY);
	assert_int_equal(r, EP11_RESTRICTABLE | EP11_WRAP_WITH_TRUSTED);
	less.named = EP11_SIGN;
	/* one that may not: nothing of the template happens */
	w = EP11_MODIFIABLE | EP11_SIGN;
	less.named |= EP11_LOCAL;
	less.values = EP11_LOCAL;
	assert_int_equal(ep11_bools_change(&w, &less), CKR_ATTRIBUTE_READ_ONLY);
	assert_int_equal(w, EP11_MODIFIABLE | EP11_SIGN);
}

static void
test_ep11_attr__template_values_are_read(void **state)
{
	CK_OBJECT_CLASS cls = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_AES;
	CK_ULONG len = 32, bits = 2048, mode = 5;
	uint8_t e[] = {1, 0, 1}, oid[] = {6, 1, 1};
	struct hsa_attr a[] = {
	    {.type = CKA_CLASS, .p = (uint8_t *)&cls, .n = 8},
	    {.type = CKA_KEY_TYPE, .p = (uint8_t *)&type, .n = 8},
	    {.type = CKA_VALUE_LEN, .p = (uint8_t *)&len, .n = 8},
	    {.type = CKA_MODULUS_BITS, .p = (uint8_t *)&bits, .n = 8},
	    {.type = CKA_IBM_STD_COMPLIANCE1, .p = (uint8_t *)&mode, .n = 8},
	    {.type = CKA_PUBLIC_EXPONENT, .p = e, .n = 3},
	    {.type = CKA_EC_PARAMS, .p = oid, .n = 3},
	    {.type = CKA_IBM_STRUCT_PARAMS, .p = oid, .n = 2},
	    {.type = CKA_PRIME, .p = e, .n = 1},
	    {.type = CKA_SUBPRIME, .p = e, .n = 2},
	    {.type = CKA_BASE, .p = e + 1, .n = 1},
	    {.type = CKA_SIGN, .p = &Yes, .n = 1},
	    {.type = CKA_WRAP, .p = &No, .n = 1},
	    {.type = CKA_TOKEN, .p = &Yes, .n = 1},
	    {.type = CKA_LABEL, .p = NULL, .n = 0},
	    {.type = CKA_SENSITIVE, .p = &No, .n = 1},
	};
	struct ep11_template t;

	(void)state;
	assert_int_equal(
	    ep11_template_read(&t, a, sizeof(a) / sizeof(a[0])), CKR_OK);
	assert_true(t.has_class && t.has_type && t.has_value_len &&
		    t.has_bits && t.has_compliance);
	assert_int_equal(t.cls, CKO_SECRET_KEY);
	assert_int_equal(t.type, CKK_AES);
	assert_int_equal(t.value_len, 32);
	assert_int_equal(t.bits, 2048);
	assert_int_equal(t.compliance, 5);
	assert_ptr_equal(t.exponent.p, e);
	assert_int_equal(t.exponent.n, 3);
	assert_ptr_equal(t.ec_params.p, oid);
	assert_int_equal(t.struct_params.n, 2);
	assert_int_equal(t.prime.n, 1);
	assert_int_equal(t.subprime.n, 2);
	assert_ptr_equal(t.base.p, e + 1);
	assert_int_equal(t.named, EP11_SIGN | EP11_WRAP);
	assert_int_equal(t.values, EP11_SIGN);
	assert_int_equal(ep11_template_read(&t, NULL, 0), CKR_OK);
	assert_int_equal(t.named, 0);
	assert_false(t.has_class);
}

static void
test_ep11_attr__template_faults_have_their_codes(void **state)
{
	struct ep11_template t;
	CK_ULONG n = 1;
	uint8_t two = 2;
	struct hsa_attr many[HSA_CALL_ATTR_MAX + 1];
	struct hsa_attr twice[] = {{.type = CKA_LABEL, .p = &two, .n = 1},
	    {.type = CKA_LABEL, .p = &two, .n = 1}};
	struct hsa_attr sizes[] = {
	    {.type = CKA_MODULUS_BITS, .p = (uint8_t *)&n, .n = 8},
	    {.type = CKA_PRIME_BITS, .p = (uint8_t *)&n, .n = 8}};
	static const CK_ATTRIBUTE_TYPE numbers[] = {CKA_CLASS, CKA_KEY_TYPE,
	    CKA_VALUE_LEN, CKA_MODULUS_BITS, CKA_PRIME_BITS,
	    CKA_IBM_STD_COMPLIANCE1};
	static const CK_ATTRIBUTE_TYPE units[] = {CKA_LOCAL,
	    CKA_NEVER_EXTRACTABLE, CKA_IBM_NEVER_MODIFIABLE,
	    CKA_IBM_PROTKEY_NEVER_EXTRACTABLE, CKA_VALUE, CKA_CHECK_VALUE,
	    CKA_PUBLIC_KEY_INFO, CKA_EC_POINT, CKA_ALWAYS_SENSITIVE};

	(void)state;
	assert_int_equal(
	    ep11_template_read(&t, twice, 2), CKR_TEMPLATE_INCONSISTENT);
	assert_int_equal(
	    ep11_template_read(&t, sizes, 2), CKR_TEMPLATE_INCONSISTENT);
	for (size_t i = 0; i <= HSA_CALL_ATTR_MAX; i++)
		many[i] = (struct hsa_attr){.type = 0x70000000 + i};
	assert_int_equal(ep11_template_read(&t, many, HSA_CALL_ATTR_MAX + 1),
	    CKR_TEMPLATE_INCONSISTENT);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		assert_int_equal(read_one(&t, numbers[i], &n, 8), CKR_OK);
		assert_int_equal(read_one(&t, numbers[i], &n, 7),
		    CKR_ATTRIBUTE_VALUE_INVALID);
		assert_int_equal(read_one(&t, numbers[i], &n, 4),
		    CKR_ATTRIBUTE_VALUE_INVALID);
		assert_int_equal(read_one(&t, numbers[i], NULL, 8),
		    CKR_ATTRIBUTE_VALUE_INVALID);
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		assert_int_equal(
		    read_one(&t, units[i], &Yes, 1), CKR_ATTRIBUTE_READ_ONLY);
	assert_int_equal(
	    read_one(&t, CKA_SIGN, &two, 1), CKR_ATTRIBUTE_VALUE_INVALID);
	assert_int_equal(
	    read_one(&t, CKA_SIGN, &n, 2), CKR_ATTRIBUTE_VALUE_INVALID);
	assert_int_equal(
	    read_one(&t, CKA_SIGN, NULL, 0), CKR_ATTRIBUTE_VALUE_INVALID);
	assert_int_equal(read_one(&t, CKA_PUBLIC_EXPONENT, &n, 0),
	    CKR_ATTRIBUTE_VALUE_INVALID);
	assert_int_equal(read_one(&t, CKA_HW_FEATURE_TYPE, &n, 8),
	    CKR_ATTRIBUTE_TYPE_INVALID);
	/* neither kept inside nor handed to the processor */
	assert_int_equal(read_one(&t, CKA_IBM_RETAINKEY, &Yes, 1),
	    CKR_ATTRIBUTE_VALUE_INVALID);
	assert_int_equal(read_one(&t, CKA_IBM_RETAINKEY, &No, 1), CKR_OK);
	assert_int_equal(read_one(&t, CKA_IBM_PROTKEY_EXTRACTABLE, &Yes, 1),
	    CKR_ATTRIBUTE_VALUE_INVALID);
	assert_int_equal(
	    read_one(&t, CKA_IBM_PROTKEY_EXTRACTABLE, &No, 1), CKR_OK);
}

/* What each key may do, by hand. */
static const struct {
	CK_OBJECT_CLASS cls;
	CK_KEY_TYPE type;
	uint32_t preset, may;
} keys[] = {
    {CKO_SECRET_KEY, CKK_GENERIC_SECRET, 0x9100, 0xfd00},
    {CKO_SECRET_KEY, CKK_AES, 0xfd00, 0xfd00},
    {CKO_SECRET_KEY, CKK_DES2, 0xfd00, 0xfd00},
    {CKO_SECRET_KEY, CKK_DES3, 0xfd00, 0xfd00},
    {CKO_PRIVATE_KEY, CKK_RSA, 0x2500, 0x2700},
    {CKO_PUBLIC_KEY, CKK_RSA, 0xc800, 0x1c800},
    {CKO_PRIVATE_KEY, CKK_EC, 0x1100, 0x1100},
    {CKO_PUBLIC_KEY, CKK_EC, 0x8000, 0x9000},
    {CKO_PRIVATE_KEY, CKK_DSA, 0x0100, 0x0100},
    {CKO_PUBLIC_KEY, CKK_DSA, 0x8000, 0x8000},
    {CKO_PRIVATE_KEY, CKK_DH, 0x1000, 0x1000},
    {CKO_PUBLIC_KEY, CKK_DH, 0, 0x1000},
};
#define KEYS (sizeof(keys) / sizeof(keys[0]))

static void
test_ep11_attr__new_keys_have_the_uses_of_their_type(void **state)
{
	size_t cells = 0;

	(void)state;
	for (size_t k = 0; k < KEYS; k++) {
		struct ep11_template none = {0};
		uint32_t w = 0;

		assert_int_equal(
		    ep11_bools_new(&w, keys[k].cls, keys[k].type, &none, All),
		    CKR_OK);
		assert_int_equal(w, keys[k].preset | 0x5);
		for (uint32_t bit = 0x100; bit <= 0x10000; bit <<= 1) {
			struct ep11_template on = {.named = bit, .values = bit},
					     off = {.named = bit};
			bool may = (keys[k].may & bit) != 0;

			assert_int_equal(ep11_bools_new(&w, keys[k].cls,
					     keys[k].type, &on, All),
			    may ? CKR_OK : CKR_TEMPLATE_INCONSISTENT);
			if (may)
				assert_int_equal(w, keys[k].preset | bit | 0x5);
			assert_int_equal(ep11_bools_new(&w, keys[k].cls,
					     keys[k].type, &off, All),
			    CKR_OK);
			assert_int_equal(w, (keys[k].preset & ~bit) | 0x5);
			cells += 2;
		}
	}
	printf("COUNT uses of key types walked: %zu\n", cells);
	assert_int_equal(ep11_bools_new(&(uint32_t){0}, CKO_SECRET_KEY, CKK_RSA,
			     &(struct ep11_template){0}, All),
	    CKR_TEMPLATE_INCONSISTENT);
	assert_int_equal(ep11_bools_new(&(uint32_t){0}, CKO_DATA, CKK_AES,
			     &(struct ep11_template){0}, All),
	    CKR_TEMPLATE_INCONSISTENT);
}

static void
test_ep11_attr__a_key_made_read_only_says_so(void **state)
{
	struct ep11_template t = {.named = EP11_MODIFIABLE | EP11_EXTRACTABLE};
	uint32_t w = 0;

	(void)state;
	assert_int_equal(
	    ep11_bools_new(&w, CKO_SECRET_KEY, CKK_AES, &t, All), CKR_OK);
	assert_int_equal(w & 0xff, EP11_NEVER_MODIFIABLE);
}

static void
test_ep11_attr__control_points_hold_uses_apart(void **state)
{
	static const struct {
		int cp;
		uint32_t a, b;
	} apart[] = {
	    {39, EP11_ENCRYPT | EP11_DECRYPT, EP11_WRAP | EP11_UNWRAP},
	    {40, EP11_ENCRYPT | EP11_DECRYPT, EP11_SIGN | EP11_VERIFY},
	    {41, EP11_SIGN | EP11_VERIFY, EP11_WRAP | EP11_UNWRAP},
	};
	uint8_t cp[16];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct ep11_template none = {0};
		uint32_t w = 0;

		without(cp, apart[i].cp);
		/* nothing said: the preset gives way */
		assert_int_equal(
		    ep11_bools_new(&w, CKO_SECRET_KEY, CKK_AES, &none, cp),
		    CKR_OK);
		assert_int_equal(w & apart[i].b, 0);
		assert_int_equal(w & apart[i].a, apart[i].a);
		for (uint32_t a = 0x100; a <= 0x8000; a <<= 1)
			for (uint32_t b = 0x100; b <= 0x8000; b <<= 1) {
				struct ep11_template t = {
				    .named = a | b, .values = a | b};
				bool clash = (a & apart[i].a) != 0 &&
					     (b & apart[i].b) != 0;

				if (((a | b) & ~0xfd00u) != 0)
					continue;
				clash = clash || ((b & apart[i].a) != 0 &&
						     (a & apart[i].b) != 0);
				assert_int_equal(
				    ep11_bools_new(
					&w, CKO_SECRET_KEY, CKK_AES, &t, cp),
				    clash ? CKR_FUNCTION_CANCELED : CKR_OK);
				assert_int_equal(ep11_bools_allowed(a | b, cp),
				    clash ? CKR_FUNCTION_CANCELED : CKR_OK);
				if (!clash)
					assert_int_equal(w & (a | b), a | b);
				assert_int_equal(
				    ep11_bools_new(
					&w, CKO_SECRET_KEY, CKK_AES, &t, All),
				    CKR_OK);
			}
	}
}

static void
test_ep11_attr__users_mark_keys_only_when_control_points_let_them(void **state)
{
	static const struct {
		int cp;
		uint32_t bit;
	} marks[] = {{37, EP11_TRUSTED}, {42, EP11_ATTRBOUND}};
	uint8_t cp[16];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct ep11_template t = {
		    .named = marks[i].bit, .values = marks[i].bit};
		uint32_t w = 0;

		assert_int_equal(
		    ep11_bools_new(&w, CKO_SECRET_KEY, CKK_AES, &t, All),
		    CKR_OK);
		assert_int_equal(w & marks[i].bit, marks[i].bit);
		without(cp, marks[i].cp);
		assert_int_equal(
		    ep11_bools_new(&w, CKO_SECRET_KEY, CKK_AES, &t, cp),
		    CKR_FUNCTION_CANCELED);
		t.values = 0;
		assert_int_equal(
		    ep11_bools_new(&w, CKO_SECRET_KEY, CKK_AES, &t, cp),
		    CKR_OK);
	}
	without(cp, 75);
	assert_int_equal(
	    ep11_bools_allowed(0x200001, cp), CKR_FUNCTION_CANCELED);
	assert_int_equal(ep11_bools_allowed(0x200001, All), CKR_OK);
	assert_int_equal(ep11_bools_allowed(0x200000, cp), CKR_OK);
}

/* ---- policy -------------------------------------------------------------- */

static void
test_ep11_policy__strength_is_that_of_sp_800_57(void **state)
{
	static const struct {
		CK_KEY_TYPE type;
		uint32_t bits;
		unsigned strength;
	} rows[] = {
	    {CKK_RSA, 512, 0},
	    {CKK_RSA, 1023, 0},
	    {CKK_RSA, 1024, 80},
	    {CKK_RSA, 2047, 80},
	    {CKK_RSA, 2048, 112},
	    {CKK_RSA, 3072, 128},
	    {CKK_RSA, 7680, 192},
	    {CKK_RSA, 15360, 256},
	    {CKK_DSA, 1024, 80},
	    {CKK_DSA, 3072, 128},
	    {CKK_DH, 2048, 112},
	    {CKK_AES, 128, 128},
	    {CKK_AES, 192, 192},
	    {CKK_AES, 256, 256},
	    {CKK_DES2, 128, 80},
	    {CKK_DES3, 192, 112},
	    {CKK_GENERIC_SECRET, 8, 0},
	    {CKK_GENERIC_SECRET, 80, 80},
	    {CKK_GENERIC_SECRET, 111, 80},
	    {CKK_GENERIC_SECRET, 112, 112},
	    {CKK_GENERIC_SECRET, 2048, 256},
	};
	static const struct {
		uint8_t number;
		unsigned strength;
	} curves[] = {{1, 80}, {2, 112}, {3, 128}, {4, 192}, {5, 256}, {6, 80},
	    {8, 80}, {10, 112}, {12, 128}, {14, 128}, {16, 192}, {18, 256},
	    {20, 128}, {23, 128}, {24, 192}, {25, 192}, {26, 128}};
	const struct ep11_curve *c = NULL;
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
		    ep11_policy_strength(rows[i].type, rows[i].bits, NULL),
		    rows[i].strength);
	c = ep11_curve_rows(&n);
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
		for (size_t j = 0; j < n; j++)
			if (c[j].number == curves[i].number)
				assert_int_equal(ep11_policy_strength(
						     CKK_EC, c[j].bits, &c[j]),
				    curves[i].strength);
}

static void
test_ep11_policy__each_control_point_refuses_its_keys(void **state)
{
	static const struct {
		int cp;
		CK_KEY_TYPE type;
		uint32_t bits;
		int curve; /* number, 0: none */
		CK_RV rv;
	} rows[] = {
	    {30, CKK_RSA, 2048, 0, CKR_MECHANISM_INVALID},
	    {31, CKK_DSA, 1024, 0, CKR_MECHANISM_INVALID},
	    {32, CKK_EC, 256, 3, CKR_MECHANISM_INVALID},
	    {46, CKK_DH, 2048, 0, CKR_MECHANISM_INVALID},
	    {33, CKK_EC, 256, 12, CKR_CURVE_NOT_SUPPORTED},
	    {34, CKK_EC, 256, 3, CKR_CURVE_NOT_SUPPORTED},
	    {55, CKK_EC, 255, 26, CKR_CURVE_NOT_SUPPORTED},
	    {60, CKK_EC, 256, 23, CKR_CURVE_NOT_SUPPORTED},
	    {23, CKK_RSA, 1023, 0, CKR_IBM_STATIC_POLICY},
	    {24, CKK_RSA, 1024, 0, CKR_IBM_STATIC_POLICY},
	    {25, CKK_RSA, 2048, 0, CKR_IBM_STATIC_POLICY},
	    {26, CKK_AES, 128, 0, CKR_IBM_STATIC_POLICY},
	    {27, CKK_AES, 192, 0, CKR_IBM_STATIC_POLICY},
	    {28, CKK_AES, 256, 0, CKR_IBM_STATIC_POLICY},
	};
	const struct ep11_curve *c = NULL;
	size_t n = 0;

	(void)state;
	c = ep11_curve_rows(&n);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct ep11_curve *curve = NULL;
		uint8_t cp[16];

		for (size_t j = 0; j < n; j++)
			if (rows[i].curve == c[j].number)
				curve = &c[j];
		for (int bit = 0; bit < 128; bit++) {
			CK_RV rv;

			without(cp, bit);
			rv = ep11_policy_key(
			    cp, rows[i].type, rows[i].bits, curve);
			if (bit == rows[i].cp)
				assert_int_equal(rv, rows[i].rv);
			else if (rv != CKR_OK)
				/* another point of the same key */
				assert_in_range(bit, 23, 46);
		}
	}
	{
		uint8_t cp[16];

		without(cp, 23);
		assert_int_equal(
		    ep11_policy_key(cp, CKK_GENERIC_SECRET, 8, NULL), CKR_OK);
		cp[22 / 8] &= (uint8_t) ~(0x80u >> 22 % 8);
		assert_int_equal(
		    ep11_policy_key(cp, CKK_GENERIC_SECRET, 8, NULL),
		    CKR_IBM_STATIC_POLICY);
	}
}

static void
test_ep11_policy__exponents_and_lengths(void **state)
{
	static const uint8_t big[] = {0, 0, 1, 0, 0, 0, 0, 0, 0, 1};
	static const uint8_t f4[] = {1, 0, 1}, below[] = {0xff, 0xff};
	uint8_t cp[16];

	(void)state;
	without(cp, 29);
	for (uint8_t e = 0; e < 8; e++)
		assert_int_equal(ep11_policy_exponent(All, &e, 1),
		    e >= 3 && e % 2 != 0 ? CKR_OK
					 : CKR_ATTRIBUTE_VALUE_INVALID);
	assert_int_equal(ep11_policy_exponent(cp, f4, 3), CKR_OK);
	assert_int_equal(
	    ep11_policy_exponent(cp, below, 2), CKR_IBM_STATIC_POLICY);
	assert_int_equal(ep11_policy_exponent(All, below, 2), CKR_OK);
	assert_int_equal(ep11_policy_exponent(All, big, sizeof(big)), CKR_OK);
	assert_int_equal(ep11_policy_exponent(All, big + 1, 9), CKR_OK);
	assert_int_equal(
	    ep11_policy_exponent(All, NULL, 0), CKR_ATTRIBUTE_VALUE_INVALID);
	{
		uint8_t nine[9] = {1, 0, 0, 0, 0, 0, 0, 0, 1};

		assert_int_equal(ep11_policy_exponent(All, nine, 9),
		    CKR_ATTRIBUTE_VALUE_INVALID);
	}
	for (uint64_t n = 0; n < 300; n++) {
		assert_int_equal(ep11_policy_secret_len(CKK_AES, n),
		    n == 16 || n == 24 || n == 32);
		assert_int_equal(ep11_policy_secret_len(CKK_DES2, n), n == 16);
		assert_int_equal(ep11_policy_secret_len(CKK_DES3, n), n == 24);
		assert_int_equal(ep11_policy_secret_len(CKK_GENERIC_SECRET, n),
		    n >= 1 && n <= 256);
		assert_false(ep11_policy_secret_len(CKK_RSA, n));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ep11_attr__rows_are_those_of_the_reference),
	    cmocka_unit_test(
		test_ep11_attr__change_follows_every_cell_of_the_table),
	    cmocka_unit_test(test_ep11_attr__keys_that_are_not_modifiable_stay),
	    cmocka_unit_test(test_ep11_attr__template_values_are_read),
	    cmocka_unit_test(test_ep11_attr__template_faults_have_their_codes),
	    cmocka_unit_test(
		test_ep11_attr__new_keys_have_the_uses_of_their_type),
	    cmocka_unit_test(test_ep11_attr__a_key_made_read_only_says_so),
	    cmocka_unit_test(test_ep11_attr__control_points_hold_uses_apart),
	    cmocka_unit_test(
		test_ep11_attr__users_mark_keys_only_when_control_points_let_them),
	    cmocka_unit_test(test_ep11_policy__strength_is_that_of_sp_800_57),
	    cmocka_unit_test(
		test_ep11_policy__each_control_point_refuses_its_keys),
	    cmocka_unit_test(test_ep11_policy__exponents_and_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
