#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ep11_pkcs11.h"
#include "ep_sock.h"
#include "helper_load.h"
#include "hsa_codec.h"
#include "vfy_log.h"

#define DATA_MAX 2048
#define REPLY_MS 60000
#define STORED_MAX 64

/* ---- ids ----------------------------------------------------------------- */

/* A version 4 UUID in form; its last eight bytes name the place. */
static void
id_of(uint8_t id[HSA_UUID_LEN], size_t thread, size_t at)
{
	static const uint8_t mark[] = {
	    'l', 'o', 'a', 'd', 0, 0, 0x40, 0, 0x80, 0};
	const uint32_t n = (uint32_t)at;

	memcpy(id, mark, sizeof(mark));
	id[10] = (uint8_t)thread;
	id[11] = 0;
	memcpy(id + 12, &n, sizeof(n));
}

static struct load_entry *
entry_at(struct load *l, const uint8_t id[HSA_UUID_LEN])
{
	uint8_t again[HSA_UUID_LEN];
	uint32_t at = 0;

	memcpy(&at, id + 12, sizeof(at));
	id_of(again, id[10], at);
	if (memcmp(id, again, sizeof(again)) != 0 || id[10] >= l->threads ||
	    at >= l->used[id[10]])
		return NULL;
	return &l->ledger[id[10] * l->per_thread + at];
}

static struct load_entry *
entry_of(struct load *l, const char *text)
{
	uint8_t id[HSA_UUID_LEN];

	if (text == NULL || !hsa_is_ok(hsa_uuid_parse(id, text)))
		return NULL;
	return entry_at(l, id);
}

/* ---- one connection ------------------------------------------------------ */

bool
load_ask(int fd, struct hsa_unit_reply *r, const struct hsa_unit_request *q)
{
	const uint64_t deadline = ep_sock_now() + REPLY_MS;
	struct hsa_buf b = {0};
	size_t used = 0, got = 0;
	hsa_rc rc = hsa_unit_request_encode(&b, q);

	if (!hsa_is_ok(rc)) {
		fprintf(stderr, "a request that cannot be encoded: %s\n",
		    hsa_err_text(rc));
		abort();
	}
	rc = ep_sock_write(fd, b.p, b.len, deadline);
	hsa_buf_reset(&b);
	while (hsa_is_ok(rc)) {
		uint8_t *to = hsa_buf_reserve(&b, 65536);

		if (to == NULL)
			abort();
		rc = ep_sock_read(fd, to, 65536, &got, deadline);
		if (!hsa_is_ok(rc))
			break;
		b.len += got;
		rc = hsa_unit_reply_decode(r, &used, b.p, b.len);
		if (rc.v != HSA_E_TRUNCATED)
			break;
		rc = HSA_OK;
	}
	hsa_buf_free(&b);
	return hsa_is_ok(rc);
}

struct worker {
	struct load *l;
	unsigned int thread;
	size_t calls;
	struct hd_rng rng;
	int fd[LOAD_UNITS_MAX];
	struct hsa_buf aes[LOAD_UNITS_MAX], mac[LOAD_UNITS_MAX],
	    ec[LOAD_UNITS_MAX], ec_pub[LOAD_UNITS_MAX];
	uint8_t data[DATA_MAX];
	struct stored { /* keys of this thread in the keystore */
		uint8_t id[HSA_UUID_LEN];
		uint64_t version;
	} stored[STORED_MAX];
	size_t stored_len;
};

static bool
connected(struct worker *w, unsigned int u)
{
	const struct timespec nap = {0, 2000000};

	while (w->fd[u] < 0 && !atomic_load(&w->l->stop)) {
		if (hsa_is_ok(
			ep_sock_connect(&w->fd[u], w->l->sock[u], 1000, NULL)))
			break;
		w->fd[u] = -1;
		if (!w->l->reconnect)
			return false;
		(void)nanosleep(&nap, NULL);
	}
	return w->fd[u] >= 0;
}

/* One call into the ledger; its reply into r. False: no answer. */
static bool
call(struct worker *w, unsigned int u, struct hsa_unit_reply *r,
    struct hsa_call *c)
{
	struct load *l = w->l;
	struct hsa_unit_request q = {
	    .kind = HSA_UNIT_EP11, .caller = l->caller, .call = *c};
	size_t at = l->used[w->thread];
	struct load_entry *e = &l->ledger[w->thread * l->per_thread + at];

	if (at == l->per_thread || !connected(w, u))
		return false;
	id_of(q.call.id, w->thread, at);
	memcpy(q.caller.command_id, q.call.id, HSA_UUID_LEN);
	*e = (struct load_entry){
	    .unit = (uint8_t)u, .sent = true, .fn = (uint16_t)c->fn};
	l->used[w->thread] = at + 1;
	if (!load_ask(w->fd[u], r, &q) || r->kind != HSA_UNIT_EP11) {
		(void)close(w->fd[u]);
		w->fd[u] = -1;
		hsa_unit_reply_free(r);
		return false;
	}
	e->replied = true;
	e->rv = (uint32_t)r->call.rv;
	atomic_fetch_add(&l->answered, 1);
	return true;
}

/* ---- the calls ----------------------------------------------------------- */

static struct hsa_slice
of(const struct hsa_buf *b)
{
	return (struct hsa_slice){b->p, b->len};
}

static void
take(struct hsa_buf *to, struct hsa_buf *from)
{
	hsa_buf_free(to);
	*to = *from;
	*from = (struct hsa_buf){0};
}

static bool
make_keys(struct worker *w, unsigned int u)
{
	static const uint8_t p256[] = {
	    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
	const uint64_t len = 32;
	const struct hsa_attr size = {.type = CKA_VALUE_LEN,
	    .p = (const uint8_t *)&len,
	    .n = sizeof(len)};
	const struct hsa_attr curve = {
	    .type = CKA_EC_PARAMS, .p = p256, .n = sizeof(p256)};
	struct hsa_unit_reply r = {0};
	struct hsa_call c = {.fn = HSA_FN_GENERATE_KEY,
	    .mech = {.type = CKM_AES_KEY_GEN},
	    .attr = &size,
	    .attr_len = 1};
	bool good = true;

	if (w->ec_pub[u].len != 0)
		return true;
	good = call(w, u, &r, &c) && r.call.rv == CKR_OK;
	take(&w->aes[u], &r.call.out);
	hsa_unit_reply_free(&r);
	c.mech.type = CKM_GENERIC_SECRET_KEY_GEN;
	good = good && call(w, u, &r, &c) && r.call.rv == CKR_OK;
	take(&w->mac[u], &r.call.out);
	hsa_unit_reply_free(&r);
	c = (struct hsa_call){.fn = HSA_FN_GENERATE_KEY_PAIR,
	    .mech = {.type = CKM_EC_KEY_PAIR_GEN},
	    .attr = &curve,
	    .attr_len = 1};
	good = good && call(w, u, &r, &c) && r.call.rv == CKR_OK;
	take(&w->ec[u], &r.call.out);
	take(&w->ec_pub[u], &r.call.out2);
	hsa_unit_reply_free(&r);
	return good && w->ec_pub[u].len != 0;
}

/* A call that must be refused, one way or another. */
static void
spoil(struct worker *w, unsigned int u, struct hsa_call *c, struct hsa_buf *bad)
{
	*c = (struct hsa_call){.fn = HSA_FN_ENCRYPT_SINGLE,
	    .key = of(&w->aes[u]),
	    .data = {w->data, 32},
	    .mech = {.type = CKM_AES_CBC,
		.kind = HSA_MECH_BYTES,
		.a = {w->data, 16}}};
	switch (hd_rand(&w->rng, 6)) {
	case 0: /* a mechanism that is not there */
		c->mech.type = CKM_RC4;
		break;
	case 1: /* a byte of the blob flipped */
		hsa_buf_put(bad, c->key.p, c->key.n);
		if (bad->failed)
			abort();
		bad->p[hd_rand(&w->rng, (unsigned int)bad->len)] ^= 0x40;
		c->key = of(bad);
		break;
	case 2: /* half a block */
		c->data.n = 24;
		break;
	case 3: /* a key of another type */
		c->key = of(&w->mac[u]);
		break;
	case 4: /* no IV */
		c->mech.kind = HSA_MECH_NONE;
		break;
	default: /* a signature that is none */
		*c = (struct hsa_call){.fn = HSA_FN_VERIFY_SINGLE,
		    .key = of(&w->ec_pub[u]),
		    .data = {w->data, 32},
		    .signature = {w->data, 64},
		    .mech = {.type = CKM_ECDSA}};
	}
}

static void
choose(struct worker *w, unsigned int u, struct hsa_call *c)
{
	*c = (struct hsa_call){
	    .data = {w->data, 1 + hd_rand(&w->rng, DATA_MAX)}};
	switch (hd_rand(&w->rng, 9)) {
	case 0:
		c->fn = HSA_FN_GENERATE_RANDOM;
		c->data.n = 0;
		c->number = 1 + hd_rand(&w->rng, 256);
		break;
	case 1:
		c->fn = HSA_FN_DIGEST_SINGLE;
		c->mech.type = CKM_SHA256;
		break;
	case 2:
	case 3:
		c->fn = HSA_FN_ENCRYPT_SINGLE;
		c->key = of(&w->aes[u]);
		c->mech = (struct hsa_mech){.type = CKM_AES_CBC_PAD,
		    .kind = HSA_MECH_BYTES,
		    .a = {w->data, 16}};
		break;
	case 4:
		c->fn = HSA_FN_ENCRYPT_SINGLE;
		c->key = of(&w->aes[u]);
		c->mech = (struct hsa_mech){.type = CKM_AES_GCM,
		    .kind = HSA_MECH_GCM,
		    .a = {w->data, 12},
		    .tag_bits = 128};
		break;
	case 5:
		c->fn = HSA_FN_SIGN_SINGLE;
		c->key = of(&w->mac[u]);
		c->mech.type = CKM_SHA256_HMAC;
		break;
	case 6:
		c->fn = HSA_FN_SIGN_SINGLE;
		c->key = of(&w->ec[u]);
		c->data.n = 32;
		c->mech.type = CKM_ECDSA;
		break;
	case 7:
		c->fn = HSA_FN_GET_MECHANISM_LIST;
		c->data.n = 0;
		break;
	default:
		c->fn = HSA_FN_DIGEST_INIT;
		c->data.n = 0;
		c->mech.type = CKM_SHA512;
	}
}

/* One keystore operation into the ledger, as call. */
static bool
keep(struct worker *w, struct hsa_unit_reply *r, struct hsa_ks_request *k)
{
	struct load *l = w->l;
	struct hsa_unit_request q = {
	    .kind = HSA_UNIT_KEYSTORE, .caller = l->caller};
	size_t at = l->used[w->thread];
	struct load_entry *e = &l->ledger[w->thread * l->per_thread + at];

	if (at == l->per_thread || !connected(w, 0))
		return false;
	id_of(k->id, w->thread, at);
	memcpy(k->tx_id, k->id, sizeof(k->tx_id));
	memcpy(k->keystore_id, l->keystore_id, sizeof(k->keystore_id));
	if (k->op == HSA_KS_STORE_KEY)
		memcpy(k->key_id, k->id, sizeof(k->key_id));
	q.keystore = *k;
	*e = (struct load_entry){.sent = true, .keystore = (uint8_t)k->op};
	l->used[w->thread] = at + 1;
	if (!load_ask(w->fd[0], r, &q) || r->kind != HSA_UNIT_KEYSTORE) {
		(void)close(w->fd[0]);
		w->fd[0] = -1;
		hsa_unit_reply_free(r);
		return false;
	}
	e->replied = true;
	e->rv = r->keystore.rv;
	atomic_fetch_add(&l->answered, 1);
	return true;
}

/* Store, update or delete a key of this thread's; now and then a version that
 * is not there. What a broken connection leaves open, the log will tell. */
static void
keystore_step(struct worker *w)
{
	struct hsa_unit_reply r = {0};
	struct hsa_ks_request k = {.name = "load", .blob = of(&w->aes[0])};
	unsigned int what = hd_rand(&w->rng, 4);
	struct stored *s = NULL;

	if (w->stored_len > 0)
		s = &w->stored[hd_rand(&w->rng, (unsigned int)w->stored_len)];
	if (s == NULL || (what < 2 && w->stored_len < STORED_MAX)) {
		k.op = HSA_KS_STORE_KEY;
		if (keep(w, &r, &k) && r.keystore.rv == HSA_KS_OK) {
			s = &w->stored[w->stored_len++];
			memcpy(s->id, k.key_id, sizeof(s->id));
			s->version = 1;
		}
	} else if (what < 3) {
		k.op = HSA_KS_UPDATE_KEY;
		memcpy(k.key_id, s->id, sizeof(s->id));
		k.version = s->version + (hd_rand(&w->rng, 10) == 0);
		if (keep(w, &r, &k) && r.keystore.rv == HSA_KS_OK)
			s->version++;
	} else {
		k.op = HSA_KS_DELETE_KEY;
		memcpy(k.key_id, s->id, sizeof(s->id));
		k.blob = (struct hsa_slice){0};
		if (keep(w, &r, &k) && r.keystore.rv == HSA_KS_OK)
			*s = w->stored[--w->stored_len];
	}
	hsa_unit_reply_free(&r);
}

static void *
work(void *arg)
{
	struct worker *w = arg;
	struct load *l = w->l;
	size_t end = l->used[w->thread] + w->calls;

	while (l->used[w->thread] < end && !atomic_load(&l->stop)) {
		unsigned int u = hd_rand(&w->rng, l->units);
		struct hsa_unit_reply r = {0};
		struct hsa_buf bad = {0};
		struct hsa_call c;
		bool wrong = false;

		if (!make_keys(w, u)) {
			if (!l->reconnect)
				break;
			continue;
		}
		/* making keys may have been the last of them */
		if (l->used[w->thread] >= end)
			break;
		if (hd_rand(&w->rng, 100) < l->keystore_percent) {
			keystore_step(w);
			if (w->fd[0] < 0 && !l->reconnect)
				break;
			continue;
		}
		wrong = hd_rand(&w->rng, 100) < l->refuse_percent;
		if (wrong)
			spoil(w, u, &c, &bad);
		else
			choose(w, u, &c);
		if (call(w, u, &r, &c) && (r.call.rv != CKR_OK) != wrong &&
		    !(l->halts && r.call.rv == CKR_DEVICE_ERROR)) {
			l->disagree++; /* racy, and then wrong anyway */
			fprintf(stderr,
			    "DISAGREE: %s with mechanism 0x%llx: 0x%llx\n",
			    hsa_fn_text(c.fn), (unsigned long long)c.mech.type,
			    (unsigned long long)r.call.rv);
		}
		hsa_unit_reply_free(&r);
		hsa_buf_free(&bad);
		if (w->fd[u] < 0 && !l->reconnect)
			break;
	}
	return NULL;
}

void
load_run(struct load *l, size_t calls)
{
	struct worker *w = calloc(l->threads, sizeof(*w));
	pthread_t t[LOAD_THREADS_MAX];

	if (w == NULL)
		abort();
	atomic_store(&l->stop, false);
	for (unsigned int i = 0; i < l->threads; i++) {
		w[i].l = l;
		w[i].thread = i;
		w[i].calls = calls;
		w[i].rng.s = l->seed * 1000 + i + (l->used[i] << 20);
		for (unsigned int u = 0; u < LOAD_UNITS_MAX; u++)
			w[i].fd[u] = -1;
		for (size_t k = 0; k < DATA_MAX; k++)
			w[i].data[k] = (uint8_t)hd_rand(&w[i].rng, 256);
		if (pthread_create(&t[i], NULL, work, &w[i]) != 0)
			abort();
	}
	for (unsigned int i = 0; i < l->threads; i++) {
		(void)pthread_join(t[i], NULL);
		for (unsigned int u = 0; u < LOAD_UNITS_MAX; u++) {
			if (w[i].fd[u] >= 0)
				(void)close(w[i].fd[u]);
			hsa_buf_free(&w[i].aes[u]);
			hsa_buf_free(&w[i].mac[u]);
			hsa_buf_free(&w[i].ec[u]);
			hsa_buf_free(&w[i].ec_pub[u]);
		}
	}
	atomic_store(
	    &l->answered, 0); /* before anybody awaits the next run's */
	free(w);
}

void
load_await(struct load *l, unsigned int answers, unsigned int us)
{
	const struct timespec little = {0, 200000};
	const struct timespec t = {0, (long)us * 1000};

	for (int i = 0; i < 150000 && atomic_load(&l->answered) < answers; i++)
		(void)nanosleep(&little, NULL);
	(void)nanosleep(&t, NULL);
}

/* ---- life ---------------------------------------------------------------- */

void
load_new(struct load *l, const struct hd *d, const char *const *unit,
    unsigned int n, unsigned int threads, size_t per_thread, uint64_t seed)
{
	struct hsa_initiator *i = &l->caller.initiator;

	memset(l, 0, sizeof(*l));
	l->units = n;
	l->threads = threads;
	l->per_thread = per_thread;
	l->seed = seed;
	l->refuse_percent = 5;
	l->ledger = calloc(threads * per_thread, sizeof(*l->ledger));
	if (l->ledger == NULL ||
	    !hsa_is_ok(hsa_strdup_opt(&i->id, "IBMid-load")) ||
	    !hsa_is_ok(hsa_strdup_opt(&i->name, "load")) ||
	    !hsa_is_ok(hsa_strdup_opt(
		&i->type_uri, "service/security/account/user")) ||
	    !hsa_is_ok(hsa_strdup_opt(&i->credential_type, "user")) ||
	    !hsa_is_ok(hsa_strdup_opt(&i->host_address, "127.0.0.1")) ||
	    !hsa_is_ok(hsa_strdup_opt(&i->host_address_type, "IPv4")))
		abort();
	for (unsigned int u = 0; u < n; u++)
		(void)snprintf(l->sock[u], sizeof(l->sock[u]),
		    "%s/units/%s/unit.sock", d->state, unit[u]);
}

void
load_free(struct load *l)
{
	hsa_caller_free(&l->caller);
	free(l->ledger);
	l->ledger = NULL;
}

/* Ask the unit until it says what is waited for, at most 30 s. */
static bool
wait_status(struct load *l, unsigned int unit, uint8_t id[HSA_UUID_LEN],
    bool (*enough)(const struct hsa_unit_status *))
{
	const struct timespec nap = {0, 10000000};
	const uint64_t end = ep_sock_now() + 30000;
	struct hsa_unit_request q = {
	    .kind = HSA_UNIT_STATUS, .caller = l->caller};
	struct hsa_unit_reply *r = calloc(1, sizeof(*r));
	bool good = false;
	int fd = -1;

	if (r == NULL)
		abort();
	while (!good && ep_sock_now() < end) {
		if (fd < 0 &&
		    !hsa_is_ok(ep_sock_connect(&fd, l->sock[unit], 1000, NULL)))
			fd = -1;
		if (fd >= 0 && load_ask(fd, r, &q) &&
		    r->kind == HSA_UNIT_STATUS) {
			good = enough(&r->status);
			memcpy(id, r->status.unit_id, HSA_UUID_LEN);
		} else if (fd >= 0) {
			(void)close(fd);
			fd = -1;
		}
		hsa_unit_reply_free(r);
		if (!good)
			(void)nanosleep(&nap, NULL);
	}
	if (fd >= 0)
		(void)close(fd);
	free(r);
	return good;
}

static bool
is_sealed(const struct hsa_unit_status *st)
{
	return st->emission.ring_used == 0;
}

static bool
is_collected(const struct hsa_unit_status *st)
{
	return is_sealed(st) && st->collector_len == 1 && st->log_size != 0 &&
	       st->collector[0].acknowledged == st->log_size;
}

bool
load_settle(struct load *l, unsigned int unit)
{
	uint8_t id[HSA_UUID_LEN];

	return wait_status(l, unit, id, is_sealed);
}

bool
load_collected(struct load *l, unsigned int unit, uint8_t id[HSA_UUID_LEN])
{
	return wait_status(l, unit, id, is_collected);
}

void
load_keystore(struct load *l)
{
	struct hsa_unit_reply r = {0};
	struct hsa_unit_request q = {
	    .kind = HSA_UNIT_KEYSTORE, .caller = l->caller};
	struct hsa_ks_request *k = &q.keystore;
	int fd = -1;

	k->op = HSA_KS_CREATE_KEYSTORE;
	k->name = "load";
	if (!hsa_is_ok(hsa_uuid_new(k->id)) ||
	    !hsa_is_ok(hsa_uuid_new(k->tx_id)) ||
	    !hsa_is_ok(hsa_uuid_new(l->keystore_id)))
		abort();
	memcpy(k->keystore_id, l->keystore_id, sizeof(k->keystore_id));
	if (!hsa_is_ok(ep_sock_connect(&fd, l->sock[0], 1000, NULL)) ||
	    !load_ask(fd, &r, &q) || r.kind != HSA_UNIT_KEYSTORE ||
	    r.keystore.rv != HSA_KS_OK) {
		fprintf(stderr, "no keystore\n");
		abort();
	}
	(void)close(fd);
	hsa_unit_reply_free(&r);
}

/* ---- the ledger against the logs ----------------------------------------- */

struct checking {
	struct load *l;
	unsigned int unit;
};

static void
wrong(struct load *l, const struct hsa_record *r, const char *what)
{
	l->disagree++;
	fprintf(stderr, "DISAGREE: record %llu: %s\n",
	    (unsigned long long)r->sequence, what);
}

static unsigned int
action_op(enum hsa_action action)
{
	for (unsigned int op = 1; op <= HSA_KS_OPS; op++)
		if (hsa_ks_op(op)->action == action)
			return op;
	return 0;
}

/* What the log says of the keys, event after event. */
static void
fold(struct load *l, const struct hsa_record *r, const struct load_entry *e)
{
	struct load_entry *key = entry_of(l, r->event.target_name);

	if (action_op(r->event.action) != e->keystore ||
	    r->source != HSA_SOURCE_OUTBOX)
		wrong(l, r, "not the keystore operation that was asked for");
	if (r->ep11_rc != 0)
		return;
	if (key == NULL || key->keystore != HSA_KS_STORE_KEY)
		wrong(l, r, "of no key that was ever stored");
	else if (e->keystore == HSA_KS_STORE_KEY)
		key->version = 1;
	else if (e->keystore == HSA_KS_UPDATE_KEY)
		key->version++;
	else
		key->version = 0;
}

static hsa_rc
on_record(void *ctx, const struct hsa_record *r, const uint8_t *raw, size_t n)
{
	struct checking *k = ctx;
	struct load_entry *e = NULL;

	(void)raw;
	(void)n;
	if (r->body != HSA_BODY_EVENT ||
	    (r->event.action != HSA_ACTION_EP11_USE &&
		action_op(r->event.action) == 0) ||
	    r->event.action == HSA_ACTION_KEYSTORE_CREATEKEYSTORE)
		return HSA_OK;
	k->l->records++;
	e = entry_of(k->l, r->event.correlation_id);
	if (e == NULL || !e->sent || e->unit != k->unit) {
		k->l->invented++;
		fprintf(stderr, "INVENTED: record %llu of unit %u\n",
		    (unsigned long long)r->sequence, k->unit);
		return HSA_OK;
	}
	if (e->records < UINT8_MAX)
		e->records++;
	if (e->keystore != 0)
		fold(k->l, r, e);
	else if (r->source != HSA_SOURCE_USE || !r->has_use ||
		 r->use.function != e->fn)
		wrong(k->l, r, "not the function that was called");
	if (e->replied && r->ep11_rc != e->rv &&
	    !(k->l->halts && e->rv == CKR_DEVICE_ERROR))
		wrong(k->l, r, "another return code than the reply");
	if ((strcmp(r->event.outcome, "success") == 0) != (r->ep11_rc == 0))
		wrong(k->l, r, "outcome and return code differ");
	if ((r->event.reason_code == 200) != (r->ep11_rc == 0))
		wrong(k->l, r, "status and return code differ");
	return HSA_OK;
}

void
load_check(
    struct load *l, const char *log, const char *keys_file, unsigned int unit)
{
	struct checking k = {l, unit};
	struct vfy_keys keys = {0};
	struct vfy_result res = {0};
	struct hsa_diag diag = {{0}};
	hsa_rc rc = vfy_keys_load(&keys, keys_file, &diag);

	if (hsa_is_ok(rc))
		rc = vfy_log(&res, log,
		    &(struct vfy_options){
			.keys = &keys, .on_record = on_record, .ctx = &k},
		    &diag);
	if (!hsa_is_ok(rc) || res.bad || res.sealed != res.records) {
		l->disagree++;
		fprintf(stderr, "DISAGREE: the log of unit %u: %s%s\n", unit,
		    diag.text, res.finding);
	}
	vfy_keys_free(&keys);
}

void
load_conclude(struct load *l)
{
	for (unsigned int t = 0; t < l->threads; t++)
		for (size_t i = 0; i < l->used[t]; i++) {
			const struct load_entry *e =
			    &l->ledger[t * l->per_thread + i];

			if (e->replied) {
				l->replied++;
				l->refused += e->rv != CKR_OK;
				if (e->records == 0)
					l->lost++;
			} else {
				l->unanswered++;
				l->unanswered_sealed += e->records;
			}
			if (e->records > 1)
				l->doubled++;
		}
}

void
load_forget(struct load *l)
{
	for (unsigned int t = 0; t < l->threads; t++)
		for (size_t i = 0; i < l->used[t]; i++) {
			l->ledger[t * l->per_thread + i].records = 0;
			l->ledger[t * l->per_thread + i].version = 0;
		}
	l->replied = l->refused = l->unanswered = l->unanswered_sealed = 0;
	l->records = l->lost = l->doubled = l->invented = 0;
}

/* ---- the keystore against the log ---------------------------------------- */

size_t
load_keystore_check(struct load *l)
{
	struct hsa_unit_reply r = {0};
	struct hsa_unit_request q = {
	    .kind = HSA_UNIT_KEYSTORE, .caller = l->caller};
	struct hsa_ks_request *k = &q.keystore;
	uint8_t token[HSA_KS_TOKEN_MAX];
	size_t in_log = 0, found = 0;
	int fd = -1;

	for (unsigned int t = 0; t < l->threads; t++)
		for (size_t i = 0; i < l->used[t]; i++)
			in_log += l->ledger[t * l->per_thread + i].version > 0;
	if (!hsa_is_ok(ep_sock_connect(&fd, l->sock[0], 1000, NULL)))
		abort();
	k->op = HSA_KS_KEYS_BY_ATTRIBUTES;
	memcpy(k->keystore_id, l->keystore_id, sizeof(k->keystore_id));
	do {
		hsa_unit_reply_free(&r);
		if (!hsa_is_ok(hsa_uuid_new(k->id)) || !load_ask(fd, &r, &q) ||
		    r.kind != HSA_UNIT_KEYSTORE || r.keystore.rv != HSA_KS_OK) {
			l->disagree++;
			fprintf(stderr, "DISAGREE: the keystore does not "
					"list its keys\n");
			break;
		}
		for (size_t i = 0; i < r.keystore.key_len; i++) {
			const struct hsa_ks_key *key = &r.keystore.key[i];
			const struct load_entry *e = entry_at(l, key->id);

			found++;
			if (e != NULL && e->version == key->version)
				continue;
			l->disagree++;
			fprintf(stderr,
			    "DISAGREE: a key of version %llu that "
			    "the log has at %u\n",
			    (unsigned long long)key->version,
			    e == NULL ? 0 : e->version);
		}
		k->token = (struct hsa_slice){token, r.keystore.next.n};
		if (r.keystore.next.n > sizeof(token))
			abort();
		if (r.keystore.next.n != 0)
			memcpy(token, r.keystore.next.p, r.keystore.next.n);
	} while (k->token.n != 0);
	hsa_unit_reply_free(&r);
	(void)close(fd);
	if (found != in_log) {
		l->disagree++;
		fprintf(stderr,
		    "DISAGREE: the keystore has %zu keys, the log "
		    "%zu\n",
		    found, in_log);
	}
	return found;
}
