/* Mechanism parameters and templates of a fuzzer's bytes. */
#include <string.h>

#include "ep11_attr.h"
#include "helper_mix.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static const uint64_t hashes[] = {
    CKM_SHA256, CKM_SHA_1, CKM_SHA224, CKM_SHA384, CKM_SHA512, CKM_MD5, 0};
static const uint64_t masks[] = {CKG_MGF1_SHA256, CKG_MGF1_SHA1,
    CKG_MGF1_SHA224, CKG_MGF1_SHA384, CKG_MGF1_SHA512, 0, 9};

/* One of a list, or now and then any number. */
static uint64_t
among(struct mix *x, const uint64_t *list, size_t n)
{
	uint8_t v = mix_u8(x);

	return v < 240 ? list[v % n] : mix_u64(x);
}
#define AMONG(x, list) among(x, list, LEN(list))

static uint64_t
number(struct mix *x, uint64_t sane)
{
	static const uint64_t edges[] = {0, 1, 7, 8, 16, 20, 32, 63, 64, 65,
	    127, 128, 129, 256, 0x7fffffff, 0xffffffff, UINT64_MAX};
	uint8_t v = mix_u8(x);

	if (v < 64)
		return sane;
	return v < 220 ? edges[v % LEN(edges)] : mix_u64(x);
}

static struct hsa_slice
ulong_of(struct mix *x, uint64_t v)
{
	return mix_copy(x, &v, sizeof(v));
}

/* A public value for an agreement: one that exists, or bytes. */
static struct hsa_slice
point(struct mix *x, CK_KEY_TYPE type)
{
	uint8_t v = mix_u8(x), left = v;

	if (v >= 200)
		return mix_bytes(x);
	for (int turn = 0; turn < 16; turn++)
		for (int i = 0; i < x->items; i++)
			if (x->item[i].kind == MIX_POINT &&
			    x->item[i].type == type && left-- % 16 == 0)
				return mix_copy(
				    x, x->item[i].b.p, x->item[i].b.len);
	return mix_bytes(x);
}

static struct hsa_slice
counter(struct mix *x)
{
	CK_AES_CTR_PARAMS p = {.ulCounterBits = number(x, 128)};
	struct hsa_slice cb = mix_some(x, sizeof(p.cb));

	memcpy(p.cb, cb.p, sizeof(p.cb));
	return mix_copy(x, &p, sizeof(p));
}

static void
sane(struct mix *x, struct hsa_mech *m, const struct ep11_mech_row *row)
{
	static const uint64_t kdfs[] = {CKD_NULL, CKD_SHA256_KDF, CKD_SHA1_KDF,
	    CKD_SHA224_KDF, CKD_SHA384_KDF, CKD_SHA512_KDF};

	switch (row->param) {
	case HSA_MECH_BYTES:
		if (row->family == EP11_FAMILY_DH)
			m->a = point(x, CKK_DH);
		else if (row->type == CKM_AES_CTR)
			m->a = counter(x);
		else if (row->param_len == sizeof(CK_ULONG) &&
			 row->family == EP11_FAMILY_MAC)
			m->a = ulong_of(x, number(x, 8));
		else
			m->a = mix_some(
			    x, row->param_len == 0 ? 16 : row->param_len);
		break;
	case HSA_MECH_OAEP:
		m->hash = AMONG(x, hashes);
		m->mgf = AMONG(x, masks);
		m->source_type = number(x, CKZ_DATA_SPECIFIED);
		m->a = mix_bytes(x);
		break;
	case HSA_MECH_PSS:
		m->hash = row->hash != 0 ? row->hash : AMONG(x, hashes);
		m->mgf = AMONG(x, masks);
		m->salt_len = number(x, 20);
		break;
	case HSA_MECH_ECDH1:
		m->kdf = AMONG(x, kdfs);
		m->a = point(x, CKK_EC);
		if (m->kdf != CKD_NULL)
			m->b = mix_bytes(x);
		break;
	case HSA_MECH_GCM:
		m->tag_bits = number(x, 128);
		m->a = mix_u8(x) < 128 ? mix_some(x, 12) : mix_bytes(x);
		m->b = mix_bytes(x);
		break;
	default:
		break;
	}
	m->kind = row->param;
}

void
mix_param(struct mix *x, struct hsa_mech *m, const struct ep11_mech_row *row)
{
	uint8_t how = mix_u8(x);

	if (row != NULL) {
		m->type = row->type;
		if (how < 200) {
			sane(x, m, row);
			return;
		}
	}
	m->kind = (enum hsa_mech_kind)(how % (HSA_MECH_OTHER + 2));
	m->hash = AMONG(x, hashes);
	m->mgf = AMONG(x, masks);
	m->source_type = number(x, 1);
	m->salt_len = number(x, 32);
	m->kdf = number(x, 1);
	m->tag_bits = number(x, 96);
	m->a = mix_bytes(x);
	m->b = mix_bytes(x);
}

/* ---- templates ----------------------------------------------------------- */

static const CK_ATTRIBUTE_TYPE others[] = {CKA_CLASS, CKA_KEY_TYPE,
    CKA_VALUE_LEN, CKA_VALUE, CKA_MODULUS_BITS, CKA_MODULUS,
    CKA_PUBLIC_EXPONENT, CKA_PRIVATE_EXPONENT, CKA_EC_PARAMS, CKA_EC_POINT,
    CKA_PRIME, CKA_SUBPRIME, CKA_BASE, CKA_PRIME_BITS, CKA_PUBLIC_KEY_INFO,
    CKA_CHECK_VALUE, CKA_LABEL, CKA_ID, CKA_TOKEN, CKA_SENSITIVE,
    CKA_ALWAYS_SENSITIVE, CKA_WRAP_TEMPLATE, CKA_IBM_STD_COMPLIANCE1,
    CKA_IBM_STRUCT_PARAMS, CKA_IBM_KEYTYPE, CKA_IBM_PQC_PARAMS,
    CKA_IBM_PARAMETER_SET, CKA_IBM_LOGIN_SESSION, CKA_IBM_CV,
    CKA_IBM_MACED_PUBLIC_KEY_INFO};

static CK_ATTRIBUTE_TYPE
some_type(struct mix *x)
{
	size_t n = 0;
	const struct ep11_bool_row *rows = ep11_bool_rows(&n);
	uint8_t v = mix_u8(x);

	if (v < 120)
		return rows[v % n].type;
	return v < 240 ? others[v % LEN(others)] : mix_u64(x);
}

static struct hsa_slice
some_value(struct mix *x, CK_ATTRIBUTE_TYPE type)
{
	static const uint64_t small[] = {0, 1, 2, 3, 4, 16, 0x10, 0x13, 0x15,
	    24, 32, 64, 255, 256, 512, 1024, 2048, 4096, 4097};
	uint8_t v = mix_u8(x);

	if (v < (ep11_bool_of(type) != NULL ? 224 : 32))
		return mix_copy(x, &(uint8_t){v == 223 ? 2 : v % 2}, 1);
	return v < 176 ? ulong_of(x, AMONG(x, small)) : mix_bytes(x);
}

struct list {
	struct mix *x;
	struct hsa_attr *a;
	size_t n;
};

static void
put(struct list *l, CK_ATTRIBUTE_TYPE type, struct hsa_slice v)
{
	l->a[l->n++] = (struct hsa_attr){.type = type, .p = v.p, .n = v.n};
}

static void
put_num(struct list *l, CK_ATTRIBUTE_TYPE type, uint64_t v)
{
	put(l, type, ulong_of(l->x, v));
}

static void
put_buf(struct list *l, CK_ATTRIBUTE_TYPE type, const struct hsa_buf *b)
{
	put(l, type, mix_copy(l->x, b->p, b->len));
}

static void
put_pair(struct list *l, const struct ep11_mech_row *row)
{
	struct mix *x = l->x;
	size_t n = 0;
	const struct ep11_curve *c = ep11_curve_rows(&n);

	switch (row->key_type) {
	case CKK_RSA:
		put_num(l, CKA_MODULUS_BITS, number(x, 1024));
		break;
	case CKK_EC:
		/* the curves at the end of the list are the Edwards ones */
		c += row->type == CKM_EC_EDWARDS_KEY_PAIR_GEN
			 ? n - 1 - mix_u8(x) % n
			 : mix_u8(x) % n;
		put(l, CKA_EC_PARAMS, mix_copy(x, c->oid, c->oid_len));
		break;
	default:
		put_buf(l, CKA_PRIME, &x->group[0]);
		if (row->key_type == CKK_DSA)
			put_buf(l, CKA_SUBPRIME, &x->group[1]);
		put_buf(l, CKA_BASE, &x->group[2]);
		break;
	}
}

/* What a sane caller asks of a new secret, or private, key. */
static void
put_new(struct list *l, enum hsa_fn fn, const struct ep11_mech_row *row)
{
	static const uint64_t types[] = {CKK_AES, CKK_GENERIC_SECRET, CKK_DES3,
	    CKK_DES2, CKK_RSA, CKK_EC, CKK_DSA, CKK_DH};
	struct mix *x = l->x;
	CK_KEY_TYPE type;

	if (fn == HSA_FN_GENERATE_KEY) {
		if (row != NULL && row->type != CKM_DES2_KEY_GEN &&
		    row->type != CKM_DES3_KEY_GEN)
			put_num(l, CKA_VALUE_LEN, number(x, 32));
		return;
	}
	type = AMONG(x, types);
	/* as what was wrapped; and what was bound brings all that itself */
	if (fn == HSA_FN_UNWRAP_KEY && mix_u8(x) < 192) {
		int at = mix_newest(x, MIX_WRAPPED);

		if (row != NULL && row->family != EP11_FAMILY_CIPHER &&
		    row->family != EP11_FAMILY_KEY_WRAP &&
		    row->family != EP11_FAMILY_RSA_CRYPT)
			return;
		if (at >= 0)
			type = x->item[at].type;
	}
	put_num(l, CKA_CLASS,
	    type == CKK_RSA || type == CKK_EC || type == CKK_DSA ||
		    type == CKK_DH
		? CKO_PRIVATE_KEY
		: CKO_SECRET_KEY);
	put_num(l, CKA_KEY_TYPE, type);
	if (fn == HSA_FN_DERIVE_KEY &&
	    (type == CKK_AES || type == CKK_GENERIC_SECRET))
		put_num(l, CKA_VALUE_LEN, number(x, 16));
}

size_t
mix_template(struct mix *x, struct hsa_attr a[HSA_CALL_ATTR_MAX + 1],
    enum hsa_fn fn, const struct ep11_mech_row *row, bool second)
{
	bool makes = fn == HSA_FN_GENERATE_KEY || fn == HSA_FN_UNWRAP_KEY ||
		     fn == HSA_FN_DERIVE_KEY || fn == HSA_FN_GENERATE_KEY_PAIR;
	struct list l = {.x = x, .a = a};
	uint8_t how = mix_u8(x);
	size_t more = how % 4;

	if (makes && how < 224) {
		if (fn != HSA_FN_GENERATE_KEY_PAIR)
			put_new(&l, fn, row);
		else if (!second && row != NULL)
			put_pair(&l, row);
	} else if (how >= 248) {
		more = how == 248 ? HSA_CALL_ATTR_MAX + 1 : how % 64;
	}
	if (!makes)
		more += 1;
	for (size_t i = 0; i < more && l.n < HSA_CALL_ATTR_MAX + 1; i++) {
		struct hsa_attr *to = &a[l.n];

		to->type = some_type(x);
		put(&l, to->type, some_value(x, to->type));
		if (fn == HSA_FN_GET_ATTRIBUTE_VALUE) {
			to->typed = how >= 128;
			if (how % 8 < 2)
				to->p = NULL;
		}
	}
	return l.n;
}
