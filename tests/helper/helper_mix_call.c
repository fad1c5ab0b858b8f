/* One call of a fuzzer's bytes. */
#include <stdlib.h>
#include <string.h>

#include "helper_mix.h"

CK_FLAGS
mix_flag(enum hsa_fn fn)
{
	switch (fn) {
	case HSA_FN_DIGEST_INIT:
	case HSA_FN_DIGEST_UPDATE:
	case HSA_FN_DIGEST_FINAL:
	case HSA_FN_DIGEST:
	case HSA_FN_DIGEST_SINGLE:
		return CKF_DIGEST;
	case HSA_FN_ENCRYPT_INIT:
	case HSA_FN_ENCRYPT_UPDATE:
	case HSA_FN_ENCRYPT_FINAL:
	case HSA_FN_ENCRYPT:
	case HSA_FN_ENCRYPT_SINGLE:
		return CKF_ENCRYPT;
	case HSA_FN_DECRYPT_INIT:
	case HSA_FN_DECRYPT_UPDATE:
	case HSA_FN_DECRYPT_FINAL:
	case HSA_FN_DECRYPT:
	case HSA_FN_DECRYPT_SINGLE:
	case HSA_FN_REENCRYPT_SINGLE:
		return CKF_DECRYPT;
	case HSA_FN_SIGN_INIT:
	case HSA_FN_SIGN_UPDATE:
	case HSA_FN_SIGN_FINAL:
	case HSA_FN_SIGN:
	case HSA_FN_SIGN_SINGLE:
		return CKF_SIGN;
	case HSA_FN_VERIFY_INIT:
	case HSA_FN_VERIFY_UPDATE:
	case HSA_FN_VERIFY_FINAL:
	case HSA_FN_VERIFY:
	case HSA_FN_VERIFY_SINGLE:
		return CKF_VERIFY;
	case HSA_FN_GENERATE_KEY:
		return CKF_GENERATE;
	case HSA_FN_GENERATE_KEY_PAIR:
		return CKF_GENERATE_KEY_PAIR;
	case HSA_FN_WRAP_KEY:
		return CKF_WRAP;
	case HSA_FN_UNWRAP_KEY:
		return CKF_UNWRAP;
	case HSA_FN_DERIVE_KEY:
		return CKF_DERIVE;
	default:
		return 0;
	}
}

static enum hsa_fn
some_fn(struct mix *x)
{
	static const uint16_t none[] = {0, 38, 41, 45, 255, 257, 65535};
	unsigned v = mix_u8(x) % 52;
	enum hsa_fn fn = HSA_FN_NONE;

	for (unsigned i = 0; i <= v; i++) {
		fn = hsa_fn_next(fn);
		if (fn == HSA_FN_NONE)
			return (enum hsa_fn)none[v % 7];
	}
	return fn;
}

/* Of the rows that have this use; now and then of all. */
static const struct ep11_mech_row *
some_row(struct mix *x, CK_FLAGS flag)
{
	size_t n = 0, fit = 0, at;
	const struct ep11_mech_row *rows = ep11_mech_rows(&n);
	uint8_t v = mix_u8(x);

	if (v == 255)
		return NULL;
	for (size_t i = 0; i < n; i++)
		fit += (rows[i].flags & flag) != 0;
	if (v >= 248 || fit == 0)
		return &rows[mix_u8(x) % n];
	at = v % fit;
	for (size_t i = 0; i < n; i++)
		if ((rows[i].flags & flag) != 0 && at-- == 0)
			return &rows[i];
	return NULL;
}

static const struct ep11_mech_row *
some_mech(struct mix *x, struct hsa_mech *m, CK_FLAGS flag)
{
	const struct ep11_mech_row *row = some_row(x, flag);

	mix_param(x, m, row);
	if (row == NULL)
		m->type = mix_u64(x);
	return row;
}

/* ---- arguments of the pool ----------------------------------------------- */

static bool
same(const struct mix_item *i, struct hsa_slice s)
{
	return i->b.len == s.n && s.n != 0 && memcmp(i->b.p, s.p, s.n) == 0;
}

static struct hsa_slice
flipped(struct mix *x, const struct hsa_buf *b)
{
	struct hsa_slice s = mix_copy(x, b->p, b->len);
	uint8_t *p = x->held[x->held_len - 1];
	size_t at = mix_u16(x) % s.n;
	uint8_t with = mix_u8(x);

	p[at] ^= with == 0 ? 1 : with;
	return s;
}

/* Bytes of two items, the cut anywhere. */
static struct hsa_slice
spliced(struct mix *x, const struct hsa_buf *b)
{
	const struct hsa_buf *o = &x->item[mix_u8(x) % x->items].b;
	size_t at = mix_u16(x) % b->len;
	struct hsa_buf both = {0};
	struct hsa_slice s;

	hsa_buf_put(&both, b->p, at);
	if (at < o->len)
		hsa_buf_put(&both, o->p + at, o->len - at);
	s = mix_copy(x, both.p, both.len);
	hsa_buf_free(&both);
	return s;
}

static struct hsa_slice
longer(struct mix *x, const struct hsa_buf *b)
{
	struct hsa_slice more = mix_bytes(x), s;
	struct hsa_buf all = {0};

	hsa_buf_put(&all, b->p, b->len);
	hsa_buf_put(&all, more.p, more.n);
	s = mix_copy(x, all.p, all.len);
	hsa_buf_free(&all);
	return s;
}

/* An item as it is or damaged; 0: as it is. */
static struct hsa_slice
take(struct mix *x, struct mix_arg *a, int item)
{
	uint8_t how = mix_u8(x);
	struct hsa_slice s = {NULL, 0};
	const struct hsa_buf *b;

	*a = (struct mix_arg){.item = item};
	if (item < 0 || x->item[item].b.len == 0 || how >= 244)
		return how == 255 ? s : mix_bytes(x);
	b = &x->item[item].b;
	if (how < 176)
		s = mix_copy(x, b->p, b->len);
	else if (how < 216)
		s = flipped(x, b);
	else if (how < 226)
		s = mix_copy(x, b->p, mix_u16(x) % b->len);
	else if (how < 234)
		s = longer(x, b);
	else
		s = spliced(x, b);
	a->genuine = same(&x->item[item], s);
	a->flipped = how >= 176 && how < 216;
	/* what was damaged may be another item */
	for (int i = 0; i < x->items && !a->genuine; i++) {
		if (same(&x->item[i], s)) {
			a->item = i;
			a->genuine = true;
			a->flipped = false;
		}
	}
	return s;
}

static int
any(struct mix *x)
{
	return mix_u8(x) % x->items;
}

/* The newest of a kind, or one before it, or now and then anything. */
static int
recent(struct mix *x, enum mix_kind kind)
{
	uint8_t v = mix_u8(x);
	unsigned back = v % 4;

	if (v >= 240)
		return any(x);
	for (int i = x->items; i-- > 0;)
		if (x->item[i].kind == kind && back-- == 0)
			return i;
	return mix_newest(x, kind);
}

static bool
fits(const struct mix_item *i, const struct ep11_mech_row *row,
    CK_OBJECT_CLASS cls)
{
	bool bound = row != NULL && row->family == EP11_FAMILY_ATTRBOUND;

	if (i->kind != MIX_KEY || i->cls != cls)
		return false;
	if (bound)
		return i->bound && i->type == CKK_AES;
	return row == NULL || ep11_mech_key_fits(row, i->type);
}

static int
some_key(struct mix *x, const struct ep11_mech_row *row, CK_OBJECT_CLASS cls)
{
	uint8_t v = mix_u8(x);
	unsigned n = 0, at;

	if (v >= 232)
		return any(x);
	for (int i = 0; i < x->items; i++)
		n += fits(&x->item[i], row, cls);
	if (n == 0)
		return any(x);
	at = v % n;
	for (int i = 0; i < x->items; i++)
		if (fits(&x->item[i], row, cls) && at-- == 0)
			return i;
	return -1;
}

static CK_OBJECT_CLASS
class_of(const struct ep11_mech_row *row, CK_FLAGS flag)
{
	if (row == NULL || row->family == EP11_FAMILY_CIPHER ||
	    row->family == EP11_FAMILY_MAC ||
	    row->family == EP11_FAMILY_KEY_WRAP ||
	    row->family == EP11_FAMILY_ATTRBOUND)
		return CKO_SECRET_KEY;
	return flag == CKF_ENCRYPT || flag == CKF_VERIFY || flag == CKF_WRAP
		   ? CKO_PUBLIC_KEY
		   : CKO_PRIVATE_KEY;
}

static struct hsa_slice
some_arg(struct mix *x, struct mix_call *m, enum mix_arg_at at, int item)
{
	return take(x, &m->arg[at], item);
}

/* ---- one call ------------------------------------------------------------ */

static bool
starts(enum hsa_fn fn)
{
	return fn == HSA_FN_ENCRYPT_INIT || fn == HSA_FN_ENCRYPT_SINGLE ||
	       fn == HSA_FN_DECRYPT_INIT || fn == HSA_FN_DECRYPT_SINGLE ||
	       fn == HSA_FN_SIGN_INIT || fn == HSA_FN_SIGN_SINGLE ||
	       fn == HSA_FN_VERIFY_INIT || fn == HSA_FN_VERIFY_SINGLE ||
	       fn == HSA_FN_DERIVE_KEY;
}

static enum mix_kind
source_of(CK_FLAGS flag)
{
	return flag == CKF_DECRYPT  ? MIX_CIPHER
	       : flag == CKF_VERIFY ? MIX_SIGNATURE
				    : MIX_WRAPPED;
}

/* As the newest ciphertext, signature or wrapped key was made; else freely. */
static const struct ep11_mech_row *
mech_and_key(struct mix *x, struct mix_call *m, CK_FLAGS flag)
{
	bool undoes =
	    flag == CKF_DECRYPT || flag == CKF_VERIFY || flag == CKF_UNWRAP;
	int at =
	    undoes && mix_u8(x) < 160 ? mix_newest(x, source_of(flag)) : -1;
	enum mix_arg_at where =
	    flag == CKF_UNWRAP || flag == CKF_WRAP ? MIX_ARG_KEY2 : MIX_ARG_KEY;
	struct hsa_slice *to = where == MIX_ARG_KEY2 ? &m->c.key2 : &m->c.key;
	const struct ep11_mech_row *row;
	int key;

	if (at >= 0 && x->item[at].key >= 0) {
		const struct mix_item *i = &x->item[at];

		m->c.mech = i->mech;
		m->c.mech.a = mix_copy(x, i->mech.a.p, i->mech.a.n);
		m->c.mech.b = mix_copy(x, i->mech.b.p, i->mech.b.n);
		row = ep11_mech_find(i->mech.type);
		key = x->item[i->key].mate >= 0 ? x->item[i->key].mate : i->key;
	} else {
		row = some_mech(x, &m->c.mech, flag);
		key = some_key(x, row, class_of(row, flag));
	}
	/* a bare public key comes under no other */
	if (row == NULL || row->family != EP11_FAMILY_TRANSPORT ||
	    mix_u8(x) >= 240)
		*to = some_arg(x, m, where, key);
	return row;
}

/* CKM_IBM_ATTRIBUTEBOUND_WRAP: its MAC key. */
static int
bound_mac(struct mix *x)
{
	if (mix_u8(x) < 224)
		for (int i = 0; i < x->items; i++)
			if (x->item[i].kind == MIX_KEY && x->item[i].bound &&
			    x->item[i].type == CKK_GENERIC_SECRET)
				return i;
	return any(x);
}

static void
wrapping(struct mix *x, struct mix_call *m, bool wraps)
{
	struct hsa_call *c = &m->c;
	const struct ep11_mech_row *row =
	    mech_and_key(x, m, wraps ? CKF_WRAP : CKF_UNWRAP);
	bool bound = row != NULL && row->family == EP11_FAMILY_ATTRBOUND;
	int data;

	if (wraps) {
		CK_OBJECT_CLASS cls =
		    mix_u8(x) % 3 != 2 ? CKO_SECRET_KEY : CKO_PRIVATE_KEY;

		c->key = some_arg(
		    x, m, MIX_ARG_KEY, some_key(x, bound ? row : NULL, cls));
	}
	if (bound)
		c->key3 = some_arg(x, m, MIX_ARG_KEY3, bound_mac(x));
	else if (mix_u8(x) >= 240)
		c->key3 = some_arg(x, m, MIX_ARG_KEY3, any(x));
	if (wraps)
		return;
	data = row != NULL && row->type == CKM_IBM_TRANSPORTKEY
		   ? recent(x, MIX_SPKI)
		   : recent(x, MIX_WRAPPED);
	c->data = some_arg(x, m, MIX_ARG_DATA, data);
	c->attr_len =
	    mix_template(x, m->attr[0], HSA_FN_UNWRAP_KEY, row, false);
}

/* Data to work on; to undo: what was done; to verify: what was signed. */
static void
data(struct mix *x, struct mix_call *m, CK_FLAGS flag)
{
	int at = recent(x, flag == CKF_VERIFY ? MIX_SIGNATURE : MIX_CIPHER);

	if (flag == CKF_VERIFY) {
		m->c.signature = some_arg(x, m, MIX_ARG_SIGNATURE, at);
		if (mix_u8(x) < 160 && at >= 0) {
			m->c.data =
			    mix_copy(x, x->item[at].fed.p, x->item[at].fed.len);
			return;
		}
	}
	if (flag == CKF_DECRYPT && at >= 0 && mix_u8(x) < 192)
		m->c.data = some_arg(x, m, MIX_ARG_DATA, at);
	else
		m->c.data = mix_bytes(x);
}

static void
continued(struct mix *x, struct mix_call *m)
{
	int at = recent(x, MIX_STATE);

	/* the newest of this use, which is the one meant */
	for (int i = mix_u8(x) < 200 ? x->items : 0; i-- > 0;) {
		if (x->item[i].kind == MIX_STATE &&
		    mix_flag(x->item[i].fn) == mix_flag(m->c.fn)) {
			at = i;
			break;
		}
	}
	m->c.state = some_arg(x, m, MIX_ARG_STATE, at);
	data(x, m, mix_flag(m->c.fn));
}

/* What takes milliseconds: a login's key from its PIN, twice in an input; a
 * pair of DSA or DH, once; a pair of RSA, of 1024 bits and once in many inputs.
 */
static bool
too_slow(struct mix *x, struct mix_call *m)
{
	const struct ep11_mech_row *row = ep11_mech_find(m->c.mech.type);
	uint64_t bits = 0;

	if (m->c.fn == HSA_FN_LOGIN || m->c.fn == HSA_FN_LOGIN_EXTENDED)
		return x->logins++ >= 2;
	if (m->c.fn != HSA_FN_GENERATE_KEY_PAIR || row == NULL)
		return false;
	if (row->family == EP11_FAMILY_PAIRGEN &&
	    (row->key_type == CKK_DSA || row->key_type == CKK_DH))
		return x->pairs++ >= 1;
	if (row->key_type != CKK_RSA)
		return false;
	for (size_t i = 0; i < m->c.attr_len; i++) {
		if (m->attr[0][i].type == CKA_MODULUS_BITS &&
		    m->attr[0][i].p != NULL && m->attr[0][i].n == sizeof(bits))
			memcpy(&bits, m->attr[0][i].p, sizeof(bits));
	}
	if (bits < 1024 || bits > 4096)
		return false;
	return bits > 1024 || x->rsa++ > x->inputs / 64;
}

static void
room(struct mix *x, struct hsa_call *c)
{
	uint8_t v = mix_u8(x);

	c->length_only = v >= 128 && v < 176;
	c->limited = v >= 176;
	if (c->limited)
		c->room = v < 240 ? v % 64u * 4 : mix_u64(x);
}

static void
by_function(struct mix *x, struct mix_call *m)
{
	struct hsa_call *c = &m->c;
	CK_FLAGS flag = mix_flag(c->fn);
	const struct ep11_mech_row *row = NULL;

	switch (c->fn) {
	case HSA_FN_DIGEST_INIT:
	case HSA_FN_DIGEST_SINGLE:
		(void)some_mech(x, &c->mech, flag);
		c->data = mix_bytes(x);
		return;
	case HSA_FN_WRAP_KEY:
	case HSA_FN_UNWRAP_KEY:
		wrapping(x, m, c->fn == HSA_FN_WRAP_KEY);
		return;
	case HSA_FN_GENERATE_KEY:
	case HSA_FN_GENERATE_KEY_PAIR:
		row = some_mech(x, &c->mech, flag);
		c->attr_len = mix_template(x, m->attr[0], c->fn, row, false);
		c->attr2_len = mix_template(x, m->attr[1], c->fn, row, true);
		return;
	case HSA_FN_REENCRYPT_SINGLE:
		row = mech_and_key(x, m, flag);
		data(x, m, flag);
		row = some_mech(x, &c->mech2, CKF_ENCRYPT);
		c->key2 = some_arg(x, m, MIX_ARG_KEY2,
		    some_key(x, row, class_of(row, CKF_ENCRYPT)));
		return;
	case HSA_FN_GET_ATTRIBUTE_VALUE:
	case HSA_FN_SET_ATTRIBUTE_VALUE:
	case HSA_FN_REWRAP_KEY_BLOB:
		c->key = some_arg(x, m, MIX_ARG_KEY, any(x));
		c->attr_len = mix_template(x, m->attr[0], c->fn, NULL, false);
		return;
	case HSA_FN_LOGIN:
	case HSA_FN_LOGIN_EXTENDED:
		/* what the seed of a bound key logged in with */
		c->pin = mix_u8(x) < 160 ? mix_copy(x, "a pin of us", 8)
					 : mix_bytes(x);
		c->nonce = mix_bytes(x);
		return;
	case HSA_FN_GENERATE_RANDOM:
		c->number = mix_u8(x) < 128 ? mix_u8(x) : mix_u64(x);
		return;
	case HSA_FN_GET_MECHANISM_INFO:
		row = some_row(x, 0);
		c->number = row != NULL ? row->type : mix_u64(x);
		return;
	case HSA_FN_SEED_RANDOM:
		c->data = mix_bytes(x);
		return;
	default:
		break;
	}
	if (starts(c->fn)) {
		row = mech_and_key(x, m, flag);
		if (c->fn == HSA_FN_DERIVE_KEY)
			c->attr_len =
			    mix_template(x, m->attr[0], c->fn, row, false);
		else
			data(x, m, flag);
	} else if (flag != 0) {
		continued(x, m);
	}
}

bool
mix_next(struct mix *x, struct mix_call *m)
{
	do {
		if (x->n == 0)
			return false;
		mix_drop(x);
		memset(m, 0, sizeof(*m));
		for (int i = 0; i < MIX_ARGS; i++)
			m->arg[i].item = -1;
		m->c.fn = some_fn(x);
		room(x, &m->c);
		by_function(x, m);
	} while (too_slow(x, m));
	m->c.attr = m->attr[0];
	m->c.attr2 = m->attr[1];
	if (m->c.fn == HSA_FN_LOGOUT ||
	    (mix_flag(m->c.fn) != 0 && mix_u8(x) >= 232))
		m->c.pin = some_arg(x, m, MIX_ARG_PIN, recent(x, MIX_PIN));
	return true;
}
