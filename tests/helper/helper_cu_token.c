#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "helper_cu_token.h"
#include "hsa_hash.h"

#define TRACKED 64

/* There is one token a process. */
static struct {
	struct cu_token *t;
	struct bk_mock *mock;
	struct cu_backend backend;
	struct ep11_token token;
	pthread_mutex_t lock;
	struct {
		CK_OBJECT_HANDLE h;
		uint8_t root[16]; /* the master key's id */
	} made[TRACKED];
} G = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- what comes of a master key ------------------------------------------ */

static void
track(CK_OBJECT_HANDLE h, const uint8_t root[16])
{
	size_t i = 0;

	while (i < TRACKED && G.made[i].h != 0)
		i++;
	if (i == TRACKED)
		abort();
	G.made[i].h = h;
	memcpy(G.made[i].root, root, 16);
	G.t->live++;
}

static CK_RV
watched_master(void *ctx, CK_OBJECT_HANDLE *h, const uint8_t id[16])
{
	CK_RV rv = CKR_GENERAL_ERROR;

	(void)pthread_mutex_lock(&G.lock);
	if (G.t->fail_master_at == 0 || --G.t->fail_master_at != 0)
		rv = G.token.ops->master(ctx, h, id);
	if (rv == CKR_OK)
		track(*h, id);
	(void)pthread_mutex_unlock(&G.lock);
	return rv;
}

static CK_RV
watched_derive(void *ctx, CK_OBJECT_HANDLE *h, CK_MECHANISM *m,
    CK_OBJECT_HANDLE base, const CK_ATTRIBUTE *t, size_t n)
{
	CK_RV rv = G.token.ops->derive(ctx, h, m, base, t, n);
	size_t i = 0;

	(void)pthread_mutex_lock(&G.lock);
	for (i = 0; rv == CKR_OK && i < TRACKED; i++)
		if (G.made[i].h == base) {
			track(*h, G.made[i].root);
			break;
		}
	(void)pthread_mutex_unlock(&G.lock);
	return rv;
}

static CK_RV
watched_destroy(void *ctx, CK_OBJECT_HANDLE h)
{
	size_t i = 0;

	(void)pthread_mutex_lock(&G.lock);
	for (i = 0; i < TRACKED; i++)
		if (G.made[i].h == h) {
			memset(&G.made[i], 0, sizeof(G.made[i]));
			G.t->live--;
		}
	(void)pthread_mutex_unlock(&G.lock);
	return G.token.ops->destroy(ctx, h);
}

static hsa_rc
unit_destroy(void *ctx, enum cu_object_class cls, const struct cu_key_id *id)
{
	size_t i = 0;

	(void)pthread_mutex_lock(&G.lock);
	for (i = 0; i < TRACKED; i++)
		if (G.made[i].h != 0 &&
		    memcmp(G.made[i].root, id->b, 16) == 0) {
			fprintf(stderr, "helper_cu_token: a key is destroyed "
					"that the engine still works with\n");
			abort();
		}
	G.t->destroyed += cls == CU_OBJECT_MASTER_KEY ? 1 : 0;
	(void)pthread_mutex_unlock(&G.lock);
	return G.backend.ops->destroy(ctx, cls, id);
}

static hsa_rc
mock_oa_sign(void *ctx, struct hsa_buf *sig, const void *msg, size_t n)
{
	struct cu_backend b = bk_mock_backend(G.mock);

	(void)ctx;
	return b.ops->oa_sign(b.ctx, sig, msg, n);
}

/* ---- the bench ----------------------------------------------------------- */

struct cu_bench *
cu_token_bench(struct cu_token *t)
{
	static struct cu_backend_ops backend;
	static struct ep11_token_ops token;
	struct cu_bench *b = cu_bench_new();

	if (t->h.b != NULL) /* a test before this one failed */
		helper_bk_free(&t->h);
	memset(t, 0, sizeof(*t));
	memset(G.made, 0, sizeof(G.made));
	helper_bk_make(&t->h);
	helper_bk_open(&t->h);
	G.t = t;
	G.mock = b->bk;
	G.backend = t->h.be;
	G.token = bk_p11_token(t->h.b);
	backend = *G.backend.ops;
	backend.oa_sign = mock_oa_sign;
	backend.destroy = unit_destroy;
	b->backend = (struct cu_backend){&backend, G.backend.ctx};
	token = *G.token.ops;
	token.master = watched_master;
	token.derive = watched_derive;
	token.destroy = watched_destroy;
	t->token = (struct ep11_token){&token, G.token.ctx};
	b->token = &t->token;
	b->mono_step = 1000; /* calls take time */
	return b;
}

void
cu_token_free(struct cu_token *t, struct cu_bench *b)
{
	cu_bench_free(b);
	assert_int_equal(t->live, 0);
	helper_bk_free(&t->h);
}

void
cu_token_commit(struct cu_bench *b, uint8_t pattern[32], uint8_t value)
{
	const uint8_t part[1][32] = {{value, 1, 2, 3}};
	struct hsa_unit_status st;

	cu_bench_status(b, &st);
	if (st.imprint)
		cu_bench_ready(b, 1, 1, 1);
	cu_bench_load(b, pattern, part, 1, 1);
	assert_int_equal(
	    cu_bench_command(b, TKE_CMD_WK_COMMIT, pattern, 32, 1), 0);
}

void
cu_token_load(struct cu_bench *b, uint8_t value)
{
	uint8_t pattern[32];

	cu_token_commit(b, pattern, value);
	assert_int_equal(
	    cu_bench_command(b, TKE_CMD_WK_FINALIZE, pattern, 32, 1), 0);
}

uint64_t
cu_bench_call(struct cu_bench *b, struct hsa_call *c)
{
	static const uint8_t none[HSA_UUID_LEN];
	struct hsa_unit_status st;
	size_t before = 0;

	if (memcmp(c->id, none, sizeof(none)) == 0)
		assert_true(hsa_is_ok(hsa_uuid_new(c->id)));
	cu_bench_status(b, &st);
	before = b->sink->len;
	cu_unit_call(b->u, c, &b->caller);
	b->calls += st.halted[0] == '\0' ? 1 : 0;
	if (!b->any_records)
		assert_int_equal(
		    b->sink->len, before + (st.halted[0] == '\0' ? 1 : 0));
	return c->rv;
}
