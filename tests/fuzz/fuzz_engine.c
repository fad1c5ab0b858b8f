/* Covers: ep11_engine_call ep11_key_get ep11_state_open */
/*
 * Calls of the EP11 engine on a real token, a sequence for an input
 * (helper_mix.h), and what must hold after each of them whatever was asked.
 */
#include <stdlib.h>
#include <string.h>

#include "ep11_cache.h"
#include "ep11_login.h"
#include "helper_mix.h"
#include "hsa_catalogue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CALLS_MAX 40 /* of one input */

/*
 * SoftHSM 2.6.1 leaks a curve's name at each C_SignInit of an Edwards key
 * (tests/lint/lsan.supp), and OpenSSL keeps a thread's random generator where
 * the leak finder does not look. Without frame pointers in either, and with
 * no time for full stacks, the two places are left out by hand.
 */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

static struct mix *the;
static size_t objects; /* in the token when no key is loaded */
static bool cps_changed;

static void
stop(void)
{
	mix_free(the);
	free(the);
	the = NULL;
}

static void
leaks(bool may)
{
	if (may && __lsan_disable != NULL)
		__lsan_disable();
	if (!may && __lsan_enable != NULL)
		__lsan_enable();
}

/* No helper fails here, so cmocka is not asked for a running test. */
static void
start(void)
{
	leaks(true);
	the = calloc(1, sizeof(*the));
	mix_must(the != NULL);
	mix_make(the);
	objects = helper_ep11_objects(&the->h);
	mix_must(atexit(stop) == 0);
	leaks(false);
}

static bool
edwards(const struct hsa_call *c)
{
	const struct ep11_mech_row *row = ep11_mech_find(c->mech.type);

	/* the mechanism of a state is not in the call */
	return c->state.n != 0 ||
	       (row != NULL && row->family == EP11_FAMILY_EDDSA);
}

static void
engine(struct hsa_call *c)
{
	bool may = edwards(c);

	if (may)
		leaks(true);
	ep11_engine_call(the->h.e, c);
	if (may)
		leaks(false);
}

/* ---- after every call ---------------------------------------------------- */

static bool
gives_state(enum hsa_fn fn)
{
	switch (fn) {
	case HSA_FN_DIGEST_INIT:
	case HSA_FN_DIGEST_UPDATE:
	case HSA_FN_ENCRYPT_INIT:
	case HSA_FN_ENCRYPT_UPDATE:
	case HSA_FN_DECRYPT_INIT:
	case HSA_FN_DECRYPT_UPDATE:
	case HSA_FN_SIGN_INIT:
	case HSA_FN_SIGN_UPDATE:
	case HSA_FN_VERIFY_INIT:
	case HSA_FN_VERIFY_UPDATE:
		return true;
	default:
		return false;
	}
}

static void
travels(const struct hsa_call *c)
{
	struct hsa_call again = {.fn = c->fn};
	struct hsa_buf b = {0};

	mix_must(hsa_is_ok(hsa_call_reply_encode(&b, c)));
	mix_must(hsa_is_ok(hsa_call_reply_decode(&again, c->fn, b.p, b.len)));
	mix_must(again.out.len == c->out.len || c->got != NULL);
	mix_must(again.out2.len == c->out2.len);
	mix_must(again.new_state.len == c->new_state.len);
	hsa_call_free(&again);
	hsa_buf_free(&b);
}

static void
attributes(const struct hsa_call *c)
{
	mix_must(c->got_len == c->attr_len);
	for (size_t i = 0; i < c->got_len; i++) {
		const struct hsa_attr *g = &c->got[i];

		mix_must(g->type == c->attr[i].type);
		if (g->p == NULL)
			continue;
		mix_must(g->n <= HSA_BLOB_MAX && g->p >= c->out.p &&
			 g->p + g->n <= c->out.p + c->out.len);
		mix_must(g->typed || g->n <= c->attr[i].n);
	}
}

static void
outputs(const struct hsa_call *c)
{
	bool ok = c->rv == CKR_OK, short_room = c->rv == CKR_BUFFER_TOO_SMALL;
	bool any = c->out.len + c->out2.len + c->new_state.len != 0;

	mix_must(hsa_ep11_use(c->rv) != NULL);
	if (c->got != NULL) {
		mix_must(c->fn == HSA_FN_GET_ATTRIBUTE_VALUE);
		mix_must(ok || short_room);
		attributes(c);
		return;
	}
	mix_must(ok || (!any && (short_room || c->needed == 0)));
	if (short_room)
		mix_must(c->limited && c->needed > c->room);
	if (!ok)
		return;
	mix_must(c->out.len <= HSA_CALL_DATA_MAX + HSA_BLOB_MAX);
	mix_must(c->out2.len <= HSA_BLOB_MAX);
	if (c->length_only) {
		mix_must(!any);
		return;
	}
	mix_must(c->needed == c->out.len);
	mix_must(!c->limited || c->out.len <= c->room);
	mix_must((c->new_state.len != 0) == gives_state(c->fn));
	mix_must(c->new_state.len <= HSA_BLOB_MAX);
	if (c->state.n != 0 && c->new_state.len != 0)
		mix_must(c->new_state.len == c->state.n);
	travels(c);
}

/* ---- nothing that is not genuine is taken -------------------------------- */

static bool
takes(const struct hsa_call *c, enum mix_arg_at at)
{
	bool transport = c->mech.type == CKM_IBM_TRANSPORTKEY;
	bool bound = c->mech.type == CKM_IBM_ATTRIBUTEBOUND_WRAP;

	switch (at) {
	case MIX_ARG_KEY2:
		return !(c->fn == HSA_FN_UNWRAP_KEY && transport);
	case MIX_ARG_KEY3:
		return bound;
	case MIX_ARG_PIN: /* operations on keys have no use for it */
		return c->pin.n != 0 && (c->fn == HSA_FN_LOGOUT ||
					    c->fn == HSA_FN_GENERATE_KEY ||
					    c->fn == HSA_FN_GENERATE_KEY_PAIR ||
					    c->fn == HSA_FN_UNWRAP_KEY ||
					    c->fn == HSA_FN_DERIVE_KEY);
	default:
		return true;
	}
}

static struct hsa_slice
slice(const struct hsa_call *c, enum mix_arg_at at)
{
	switch (at) {
	case MIX_ARG_STATE:
		return c->state;
	case MIX_ARG_KEY:
		return c->key;
	case MIX_ARG_KEY2:
		return c->key2;
	case MIX_ARG_KEY3:
		return c->key3;
	default:
		return c->pin;
	}
}

static bool
right_kind(
    const struct mix_item *i, const struct hsa_call *c, enum mix_arg_at at)
{
	switch (at) {
	case MIX_ARG_STATE:
		return i->kind == MIX_STATE &&
		       mix_flag(i->fn) == mix_flag(c->fn);
	case MIX_ARG_PIN:
		return i->kind == MIX_PIN;
	default:
		return i->kind == MIX_KEY;
	}
}

static bool
is_bare(struct hsa_slice key)
{
	struct ep11_spki s;
	size_t maced = 0;

	return ep11_is_spki(key.p, key.n) &&
	       hsa_is_ok(ep11_spki_decode(&s, &maced, key.p, key.n)) &&
	       !s.maced;
}

static void
genuine(const struct mix_call *m)
{
	static const enum mix_arg_at which[] = {MIX_ARG_STATE, MIX_ARG_KEY,
	    MIX_ARG_KEY2, MIX_ARG_KEY3, MIX_ARG_PIN};

	if (m->c.rv != CKR_OK)
		return;
	for (size_t i = 0; i < sizeof(which) / sizeof(which[0]); i++) {
		const struct mix_arg *a = &m->arg[which[i]];

		if (slice(&m->c, which[i]).n == 0 || !takes(&m->c, which[i]))
			continue;
		/* what a control point allows */
		if (m->c.fn == HSA_FN_WRAP_KEY && which[i] == MIX_ARG_KEY2 &&
		    is_bare(m->c.key2))
			continue;
		mix_must(a->genuine);
		mix_must(right_kind(&the->item[a->item], &m->c, which[i]));
	}
}

/* MACs that are cut to so few bytes that a change may hit another's. */
static bool
short_mac(const struct hsa_mech *m)
{
	const struct ep11_mech_row *row = ep11_mech_find(m->type);
	uint64_t len = 0;

	if (row == NULL || row->family != EP11_FAMILY_MAC ||
	    m->a.n != sizeof(len))
		return false;
	memcpy(&len, m->a.p, sizeof(len));
	return len < 8;
}

/* What has a check value of its own does not survive a change. */
static void
unchanged(const struct mix_call *m)
{
	const struct hsa_call *c = &m->c;
	CK_MECHANISM_TYPE type = c->mech.type;
	bool data = m->arg[MIX_ARG_DATA].flipped;

	if (c->rv != CKR_OK)
		return;
	if (c->fn == HSA_FN_UNWRAP_KEY && data)
		mix_must(type != CKM_AES_KEY_WRAP &&
			 type != CKM_AES_KEY_WRAP_PAD &&
			 type != CKM_IBM_ATTRIBUTEBOUND_WRAP);
	if (c->fn == HSA_FN_DECRYPT_SINGLE && data)
		mix_must(type != CKM_AES_GCM || c->mech.tag_bits < 64);
	if (c->fn == HSA_FN_VERIFY_SINGLE && m->arg[MIX_ARG_SIGNATURE].flipped)
		mix_must(short_mac(&c->mech));
}

/* ---- there and back ------------------------------------------------------ */

/* A call that undoes another may be refused for what the key or the domain do
 * not allow, and for nothing else. */
static bool
may_refuse(CK_RV rv)
{
	if (rv == CKR_KEY_FUNCTION_NOT_PERMITTED || rv == CKR_SESSION_CLOSED)
		return true;
	return cps_changed &&
	       (rv == CKR_FUNCTION_CANCELED || rv == CKR_MECHANISM_INVALID ||
		   rv == CKR_KEY_SIZE_RANGE || rv == CKR_CURVE_NOT_SUPPORTED);
}

static int
partner(int key)
{
	return the->item[key].mate >= 0 ? the->item[key].mate : key;
}

/* Raw RSA gives a whole block: zeros in front of what went in. */
static void
same_but_zeros(const struct hsa_buf *got, struct hsa_slice want)
{
	size_t front = got->len - want.n;

	mix_must(got->len >= want.n);
	for (size_t i = 0; i < front; i++)
		mix_must(got->p[i] == 0);
	mix_must(want.n == 0 || memcmp(got->p + front, want.p, want.n) == 0);
}

static void
decrypts(int key, const struct hsa_mech *m, struct hsa_slice cipher,
    struct hsa_slice plain)
{
	struct hsa_call c = {
	    .fn = HSA_FN_DECRYPT_SINGLE, .mech = *m, .data = cipher};

	c.key = helper_slice(&the->item[partner(key)].b);
	engine(&c);
	if (c.rv != CKR_OK)
		mix_must(may_refuse(c.rv));
	else if (m->type == CKM_RSA_X_509)
		same_but_zeros(&c.out, plain);
	else
		mix_must(
		    c.out.len == plain.n &&
		    (plain.n == 0 || memcmp(c.out.p, plain.p, plain.n) == 0));
	hsa_call_free(&c);
}

static void
verifies(int key, const struct hsa_mech *m, struct hsa_slice sig,
    struct hsa_slice data)
{
	struct hsa_call c = {.fn = HSA_FN_VERIFY_SINGLE,
	    .mech = *m,
	    .data = data,
	    .signature = sig};

	c.key = helper_slice(&the->item[partner(key)].b);
	engine(&c);
	mix_must(c.rv == CKR_OK || may_refuse(c.rv));
	hsa_call_free(&c);
}

static void
digests(const struct hsa_mech *m, const struct hsa_buf *digest,
    struct hsa_slice data)
{
	struct hsa_call c = {
	    .fn = HSA_FN_DIGEST_SINGLE, .mech = *m, .data = data};

	/* an input of many parts may be longer than one call takes */
	if (data.n > HSA_CALL_DATA_MAX)
		return;
	engine(&c);
	mix_must(c.rv == CKR_OK || may_refuse(c.rv));
	if (c.rv == CKR_OK)
		mix_must(c.out.len == digest->len &&
			 memcmp(c.out.p, digest->p, digest->len) == 0);
	hsa_call_free(&c);
}

/* What was wrapped by a way that has no chance in it is wrapped so again. */
static void
wraps_again(const struct mix_call *m, const struct hsa_buf *blob)
{
	struct hsa_call c = {.fn = HSA_FN_WRAP_KEY, .mech = m->c.mech};

	c.key = helper_slice(blob);
	c.key2 = m->c.key2;
	engine(&c);
	mix_must(c.rv == CKR_OK || may_refuse(c.rv));
	if (c.rv == CKR_OK)
		mix_must(c.out.len == m->c.out.len &&
			 memcmp(c.out.p, m->c.out.p, c.out.len) == 0);
	hsa_call_free(&c);
}

static void
unwraps(const struct mix_call *m)
{
	const struct mix_item *k = &the->item[m->arg[MIX_ARG_KEY].item];
	const struct ep11_mech_row *row = ep11_mech_find(m->c.mech.type);
	struct hsa_call c = {.fn = HSA_FN_UNWRAP_KEY, .mech = m->c.mech};
	struct ep11_blob was = {0}, is = {0};
	uint64_t len;
	struct hsa_attr t[] = {
	    {.type = CKA_CLASS, .p = (const uint8_t *)&k->cls, .n = 8},
	    {.type = CKA_KEY_TYPE, .p = (const uint8_t *)&k->type, .n = 8},
	    {.type = CKA_VALUE_LEN, .p = (const uint8_t *)&len, .n = 8}};
	bool bound = row->family == EP11_FAMILY_ATTRBOUND;

	/* with a bare public key nobody here unwraps */
	if (the->item[m->arg[MIX_ARG_KEY2].item].kind != MIX_KEY ||
	    is_bare(m->c.key2))
		return;
	mix_must(hsa_is_ok(ep11_blob_decode(&was, k->b.p, k->b.len)));
	len = was.bits / 8;
	c.attr = t;
	c.attr_len = bound ? 0 : was.cls == CKO_SECRET_KEY ? 3 : 2;
	c.data = helper_slice(&m->c.out);
	c.key2 = helper_slice(&the->item[partner(m->arg[MIX_ARG_KEY2].item)].b);
	c.key3 = m->c.key3;
	engine(&c);
	mix_must(c.rv == CKR_OK || may_refuse(c.rv));
	if (c.rv == CKR_OK) {
		mix_must(hsa_is_ok(ep11_blob_decode(&is, c.out.p, c.out.len)));
		mix_must(is.cls == was.cls && is.type == was.type &&
			 is.bits == was.bits && is.spki.n == was.spki.n &&
			 is.params.n == was.params.n);
		mix_must(is.spki.n == 0 ||
			 memcmp(is.spki.p, was.spki.p, is.spki.n) == 0);
		if (!bound && row->family != EP11_FAMILY_RSA_CRYPT)
			wraps_again(m, &c.out);
	}
	hsa_call_free(&c);
}

/* A whole operation is done: fed went in, all came out. */
static void
done(CK_FLAGS flag, int key, const struct hsa_mech *m,
    const struct hsa_buf *all, struct hsa_slice fed)
{
	enum mix_kind kind = flag == CKF_ENCRYPT ? MIX_CIPHER : MIX_SIGNATURE;
	struct mix_item *i;

	if (flag == CKF_DIGEST)
		digests(m, all, fed);
	if (flag != CKF_ENCRYPT && flag != CKF_SIGN)
		return;
	if (fed.n <= HSA_CALL_DATA_MAX && all->len <= HSA_CALL_DATA_MAX) {
		if (flag == CKF_ENCRYPT)
			decrypts(key, m, helper_slice(all), fed);
		else
			verifies(key, m, helper_slice(all), fed);
	}
	i = mix_add(the, kind, all->p, all->len);
	if (i == NULL)
		return;
	mix_made_with(the, i, m, key);
	hsa_buf_put(&i->fed, fed.p, fed.n);
}

static void
new_state(const struct mix_call *m, const struct mix_item *before)
{
	const struct hsa_call *c = &m->c;
	struct mix_item *i =
	    mix_add(the, MIX_STATE, c->new_state.p, c->new_state.len);

	if (i == NULL)
		return;
	if (before == NULL) {
		i->fn = c->fn;
		mix_made_with(the, i, &c->mech, m->arg[MIX_ARG_KEY].item);
		return;
	}
	i->fn = before->fn;
	mix_made_with(the, i, &before->mech, before->key);
	hsa_buf_put(&i->fed, before->fed.p, before->fed.len);
	hsa_buf_put(&i->fed, c->data.p, c->data.n);
	hsa_buf_put(&i->given, before->given.p, before->given.len);
	hsa_buf_put(&i->given, c->out.p, c->out.len);
}

static bool
one_shot(enum hsa_fn fn)
{
	return fn == HSA_FN_DIGEST || fn == HSA_FN_ENCRYPT ||
	       fn == HSA_FN_DECRYPT || fn == HSA_FN_SIGN || fn == HSA_FN_VERIFY;
}

static void
of_state(const struct mix_call *m)
{
	const struct hsa_call *c = &m->c;
	const struct mix_item *s = &the->item[m->arg[MIX_ARG_STATE].item];
	struct hsa_buf all = {0}, fed = {0};

	if (c->new_state.len != 0) {
		new_state(m, s);
		return;
	}
	hsa_buf_put(&all, s->given.p, s->given.len);
	hsa_buf_put(&all, c->out.p, c->out.len);
	hsa_buf_put(&fed, s->fed.p, s->fed.len);
	if (one_shot(c->fn)) {
		mix_must(fed.len == 0);
		hsa_buf_put(&fed, c->data.p, c->data.n);
	}
	done(mix_flag(c->fn), s->key, &s->mech, &all, helper_slice(&fed));
	hsa_buf_free(&all);
	hsa_buf_free(&fed);
}

/* ---- what later calls find ----------------------------------------------- */

static void
new_keys(const struct mix_call *m)
{
	const struct hsa_call *c = &m->c;
	struct mix_item *a = mix_add_key(the, &c->out), *b;

	if (a == NULL)
		return;
	if (c->fn == HSA_FN_SET_ATTRIBUTE_VALUE) {
		mix_must(c->out.len == c->key.n);
		a->mate = the->item[m->arg[MIX_ARG_KEY].item].mate;
		return;
	}
	/* beside a secret key: its checksum */
	if (a->cls != CKO_PRIVATE_KEY)
		return;
	b = mix_add_key(the, &c->out2);
	a->mate = mix_index(the, b);
	if (b != NULL)
		b->mate = mix_index(the, a);
}

static void
wrapped(const struct mix_call *m)
{
	const struct mix_item *k = &the->item[m->arg[MIX_ARG_KEY].item];
	struct mix_item *i =
	    mix_add(the, MIX_WRAPPED, m->c.out.p, m->c.out.len);

	if (i == NULL)
		return;
	mix_made_with(the, i, &m->c.mech, m->arg[MIX_ARG_KEY2].item);
	i->cls = k->cls;
	i->type = k->type;
}

static void
keep(const struct mix_call *m)
{
	const struct hsa_call *c = &m->c;

	switch (c->fn) {
	case HSA_FN_GENERATE_KEY:
	case HSA_FN_GENERATE_KEY_PAIR:
	case HSA_FN_UNWRAP_KEY:
	case HSA_FN_DERIVE_KEY:
	case HSA_FN_SET_ATTRIBUTE_VALUE:
		new_keys(m);
		break;
	case HSA_FN_REWRAP_KEY_BLOB:
		(void)mix_add(the, MIX_FOREIGN, c->out.p, c->out.len);
		break;
	case HSA_FN_LOGIN:
		(void)mix_add(the, MIX_PIN, c->out.p, c->out.len);
		break;
	case HSA_FN_WRAP_KEY:
		unwraps(m);
		wrapped(m);
		break;
	case HSA_FN_ENCRYPT_SINGLE:
	case HSA_FN_SIGN_SINGLE:
		done(mix_flag(c->fn), m->arg[MIX_ARG_KEY].item, &c->mech,
		    &c->out, c->data);
		break;
	default:
		if (m->arg[MIX_ARG_STATE].item >= 0)
			of_state(m);
		else if (c->new_state.len != 0)
			new_state(m, NULL);
		break;
	}
}

/* ---- one input ----------------------------------------------------------- */

/* Most inputs: as a new domain has them. Others: one control point changed. */
static void
control_points(void)
{
	uint8_t how = mix_u8(the), bit = mix_u8(the) % 128, cp[EP11_CP_LEN];

	cps_changed = how >= 192;
	if (!cps_changed)
		return;
	ep11_cp_default(cp);
	cp[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
	ep11_engine_control_points(the->h.e, cp, 0);
}

static void
one(struct mix_call *m)
{
	engine(&m->c);
	outputs(&m->c);
	genuine(m);
	unchanged(m);
	if (m->c.rv == CKR_OK && !m->c.length_only)
		keep(m);
	hsa_call_free(&m->c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ep11_engine_stats s = {0};
	struct mix_call m;
	size_t n;

	if (the == NULL)
		start();
	mix_begin(the, data, size);
	control_points();
	for (int i = 0; i < CALLS_MAX && mix_next(the, &m); i++)
		one(&m);
	mix_drop(the);
	ep11_engine_stats(the->h.e, &s);
	/* a short HMAC key has a second object beside it (ep11_cache_second) */
	n = helper_ep11_objects(&the->h) - objects;
	mix_must(n >= s.cached && n <= 2 * s.cached);
	mix_end(the);
	ep11_engine_stats(the->h.e, &s);
	mix_must(s.cached == 0 && s.logins == 0);
	mix_must(helper_ep11_objects(&the->h) == objects);
	return 0;
}
