#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "helper_cu.h"
#include "helper_left.h"
#include "hsa_hash.h"

#define CHECK(x)                                                               \
	do {                                                                   \
		if (!(x)) {                                                    \
			fprintf(                                               \
			    stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);    \
			abort();                                               \
		}                                                              \
	} while (0)
#define OK(f) CHECK(hsa_is_ok(f))

static uint64_t
wall_ns(void *ctx)
{
	struct cu_bench *b = ctx;

	return b->now_ns += 10000000;
}

static uint64_t
mono_ns(void *ctx)
{
	struct cu_bench *b = ctx;

	return b->now_ns - 1700000000000000000u +
	       (b->mono_extra += b->mono_step);
}

/* ---- the bench ----------------------------------------------------------- */

static void
sign_ecdsa(struct hsa_buf *sig, EVP_PKEY *key, const struct hsa_buf *msg)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t value[160];
	size_t n = sizeof(value);

	CHECK(md != NULL);
	CHECK(EVP_DigestSignInit(md, NULL, EVP_sha512(), NULL, key) == 1);
	CHECK(EVP_DigestSign(md, value, &n, msg->p, msg->len) == 1);
	EVP_MD_CTX_free(md);
	hsa_buf_put(sig, value, n);
}

static void
oa_cert(uint8_t out[TKE_OA_CERT_LEN], EVP_PKEY *key, EVP_PKEY *signer)
{
	static const char when[16] = "20260101000000Z";
	struct hsa_buf cert = {0}, sig = {0};
	uint8_t point[TKE_POINT_LEN], parent[32];

	OK(tke_point(point, key));
	OK(tke_ski(parent, signer));
	OK(tke_oa_tbs(&cert, "SIM00001", point, parent, when));
	sign_ecdsa(&sig, signer, &cert);
	OK(tke_oa_finish(&cert, parent, sig.p, sig.len));
	CHECK(cert.len == TKE_OA_CERT_LEN);
	memcpy(out, cert.p, cert.len);
	hsa_buf_free(&cert);
	hsa_buf_free(&sig);
}

static void
make_admins(struct cu_bench *b)
{
	/* one set for the whole program: making them is the slow part */
	static struct {
		EVP_PKEY *key;
		struct hsa_buf cert;
	} made[CU_BENCH_ADMINS];
	char name[32];
	size_t i = 0;

	for (i = 0; i < CU_BENCH_ADMINS; i++) {
		if (made[i].key == NULL) {
			made[i].key = i == CU_BENCH_RSA ? EVP_RSA_gen(2048)
							: EVP_EC_gen("P-521");
			CHECK(made[i].key != NULL);
			(void)snprintf(name, sizeof(name), "Admin %zu", i);
			OK(tke_admin_cert_build(
			    &made[i].cert, made[i].key, name));
		}
		CHECK(EVP_PKEY_up_ref(made[i].key) == 1);
		b->admin[i] = made[i].key;
		OK(tke_ski(b->ski[i], made[i].key));
		hsa_buf_put(&b->cert[i], made[i].cert.p, made[i].cert.len);
	}
}

struct cu_bench *
cu_bench_new(void)
{
	struct cu_bench *b = calloc(1, sizeof(*b));
	EVP_PKEY *device = EVP_EC_gen("P-521"), *root = EVP_EC_gen("P-521");

	CHECK(b != NULL && device != NULL && root != NULL);
	/* in memory if there is such a place: thousands of commits sync */
	(void)snprintf(b->dir, sizeof(b->dir), "%s/cu-test-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	CHECK(mkdtemp(b->dir) != NULL);
	helper_left(b->dir);
	(void)snprintf(b->db, sizeof(b->db), "%s/state-0.db", b->dir);
	b->bk = bk_mock_new();
	b->backend = bk_mock_backend(b->bk);
	b->sink = sink_mock_new();
	b->now_ns = 1763808127319876543u;
	b->clock = (struct cu_clock){wall_ns, mono_ns, b};
	oa_cert(b->oa[0], b->bk->oa, device);
	oa_cert(b->oa[1], device, root);
	EVP_PKEY_free(device);
	EVP_PKEY_free(root);
	memset(b->id.unit_id, 0xaa, sizeof(b->id.unit_id));
	b->id.location = CU_BENCH_LOCATION;
	b->id.log_source_crn =
	    "crn:v1:bluemix:public:hs-crypto:us-south:a/0123456789abcdef"
	    "0123456789abcdef:00000000-0000-4000-8000-000000000001::";
	b->id.target_crn = CU_BENCH_TARGET;
	b->id.module_index = CU_BENCH_MODULE;
	b->id.domain_index = CU_BENCH_DOMAIN;
	memcpy(b->id.serial, "SIM00001", 8);
	b->id.oa_cert = (const uint8_t(*)[752])b->oa;
	b->id.oa_cert_len = 2;
	memset(b->caller.command_id, 0xc0, sizeof(b->caller.command_id));
	OK(hsa_strdup_opt(&b->caller.initiator.id, "IBMid-550000ABCD"));
	OK(hsa_strdup_opt(&b->caller.initiator.name, "alice@example.com"));
	OK(hsa_strdup_opt(
	    &b->caller.initiator.type_uri, "service/security/account/user"));
	OK(hsa_strdup_opt(&b->caller.initiator.credential_type, "user"));
	OK(hsa_strdup_opt(&b->caller.initiator.host_address, "127.0.0.1"));
	OK(hsa_strdup_opt(&b->caller.initiator.host_address_type, "IPv4"));
	OK(hsa_strdup_opt(&b->caller.ceremony_id, "first-load"));
	OK(hsa_strdup_opt(&b->caller.ceremony_step, "7"));
	make_admins(b);
	return b;
}

void
cu_bench_free(struct cu_bench *b)
{
	char cmd[200];
	size_t i = 0;

	if (b == NULL)
		return;
	cu_unit_close(b->u);
	bk_mock_free(b->bk);
	sink_mock_free(b->sink);
	hsa_caller_free(&b->caller);
	for (i = 0; i < CU_BENCH_ADMINS; i++) {
		EVP_PKEY_free(b->admin[i]);
		hsa_buf_free(&b->cert[i]);
	}
	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", b->dir);
	CHECK(system(cmd) == 0);
	free(b);
}

hsa_rc
cu_bench_try_open(struct cu_bench *b, struct hsa_diag *diag)
{
	hsa_rc rc = cu_unit_open(&b->u, &b->id, b->db, b->backend, b->token,
	    sink_mock_sink(b->sink), &b->clock, diag);

	if (hsa_is_ok(rc))
		b->epochs++;
	return rc;
}

void
cu_bench_open(struct cu_bench *b)
{
	struct hsa_diag diag = {{0}};

	if (!hsa_is_ok(cu_bench_try_open(b, &diag))) {
		fprintf(stderr, "cu_bench_open: %s\n", diag.text);
		abort();
	}
}

void
cu_bench_close(struct cu_bench *b)
{
	cu_unit_close(b->u);
	b->u = NULL;
}

static void
copy_db(const char *from, const char *to)
{
	char cmd[1000];

	(void)snprintf(cmd, sizeof(cmd),
	    "cp '%s' '%s' && if [ -e '%s-wal' ]; then cp '%s-wal' '%s-wal'; "
	    "fi",
	    from, to, from, from, to);
	CHECK(system(cmd) == 0);
}

void
cu_bench_kill(struct cu_bench *b)
{
	char was[sizeof(b->db)];
	size_t records = b->sink->len;

	memcpy(was, b->db, sizeof(was));
	b->generation++;
	(void)snprintf(
	    b->db, sizeof(b->db), "%s/state-%u.db", b->dir, b->generation);
	copy_db(was, b->db);
	/* what closing does to the old copy and the log never happened */
	cu_unit_close(b->u);
	b->u = NULL;
	sink_mock_cut(b->sink, records);
	sink_mock_reopen(b->sink);
	bk_mock_crash(b->bk);
}

void
cu_bench_save(struct cu_bench *b)
{
	char saved[sizeof(b->db)];

	(void)snprintf(saved, sizeof(saved), "%s/saved.db", b->dir);
	copy_db(b->db, saved);
	b->saved_records = b->sink->len;
	b->saved_epochs = b->epochs;
	b->saved_commands = b->commands;
	b->saved_calls = b->calls;
	bk_mock_save(b->bk);
}

void
cu_bench_restore(struct cu_bench *b)
{
	char saved[sizeof(b->db)];

	(void)snprintf(saved, sizeof(saved), "%s/saved.db", b->dir);
	cu_unit_close(b->u);
	b->u = NULL;
	b->generation++;
	(void)snprintf(
	    b->db, sizeof(b->db), "%s/state-%u.db", b->dir, b->generation);
	copy_db(saved, b->db);
	sink_mock_cut(b->sink, b->saved_records);
	sink_mock_reopen(b->sink);
	b->epochs = b->saved_epochs;
	b->commands = b->saved_commands;
	b->calls = b->saved_calls;
	bk_mock_restore(b->bk);
	cu_bench_open(b);
}

/* ---- requests ------------------------------------------------------------ */

void
cu_answer_free(struct cu_answer *a)
{
	hsa_buf_free(&a->output);
	memset(a, 0, sizeof(*a));
}

/* Everything a careful client would check. */
static void
verify_answer(struct cu_bench *b, const struct tke_admin_reply *r)
{
	struct tke_signer_info s = {0};
	uint8_t ski[TKE_SKI_LEN];

	OK(tke_signer_info_parse(&s, r->signature.p, r->signature.n));
	CHECK(s.used == r->signature.n);
	OK(tke_ski(ski, b->bk->oa));
	CHECK(memcmp(ski, s.ski, sizeof(ski)) == 0);
	OK(tke_verify(&s, b->bk->oa, r->block.p, r->block.n));
	CHECK(r->domain.n == TKE_DOMAIN_LEN && r->module.n == TKE_MODULE_LEN &&
	      r->counter.n == TKE_COUNTER_LEN);
	CHECK(r->domain_index == CU_BENCH_DOMAIN);
}

static void
decode_admin(
    struct cu_bench *b, struct cu_answer *a, const uint8_t *p, size_t n)
{
	struct tke_admin_reply r = {0};
	struct hsa_diag diag = {{0}};

	OK(tke_admin_reply_decode(&r, p, n, &diag));
	a->envelope_rc = r.envelope_rc;
	if (r.envelope_rc != 0)
		return;
	verify_answer(b, &r);
	a->command = r.command;
	a->rc = r.rc;
	a->reason = r.rc == 0 ? 0 : r.reason;
	memcpy(a->domain, r.domain.p, sizeof(a->domain));
	memcpy(a->module, r.module.p, sizeof(a->module));
	memcpy(a->counter, r.counter.p, sizeof(a->counter));
	hsa_buf_put(&a->output, r.output.p, r.output.n);
}

static void
decode_answer(
    struct cu_bench *b, struct cu_answer *a, const struct hsa_buf *transport)
{
	struct hsa_buf cprb = {0};
	struct tke_slice payload = {0}, data = {0};
	struct hsa_diag diag = {{0}};
	uint32_t fn = 0;
	hsa_rc rc = tke_reply_decode(
	    &cprb, &payload, (const char *)transport->p, transport->len, &diag);

	if (!hsa_is_ok(rc)) {
		CHECK(rc.v == HSA_E_REMOTE);
		a->host_error = true;
		(void)snprintf(a->text, sizeof(a->text), "%s", diag.text);
		goto out;
	}
	OK(tke_payload_function(&fn, payload.p, payload.n));
	if (fn == TKE_FN_XCP_INFO) {
		OK(tke_info_reply_decode(&data, &a->rc, payload.p, payload.n));
		hsa_buf_put(&a->output, data.p, data.n);
		goto out;
	}
	decode_admin(b, a, payload.p, payload.n);
out:
	hsa_buf_free(&cprb);
}

void
cu_bench_send(
    struct cu_bench *b, struct cu_answer *a, const char *transport, size_t n)
{
	struct hsa_admin_reply reply = {0};

	memset(a, 0, sizeof(*a));
	OK(cu_unit_admin(b->u, &reply, &b->caller, transport, n));
	a->http = reply.http_status;
	if (a->http == 200) {
		CHECK(reply.text == NULL);
		decode_answer(b, a, &reply.transport);
	} else {
		CHECK(reply.transport.len == 0 && reply.text != NULL);
		(void)snprintf(a->text, sizeof(a->text), "%s", reply.text);
	}
	hsa_buf_free(&reply.transport);
	free(reply.text);
}

bool cu_bench_blocks;

/* What m_admin would carry of this request. */
static bool
send_block(
    struct cu_bench *b, struct cu_answer *a, const struct hsa_buf *payload)
{
	struct tke_admin_request q = {0};
	struct hsa_block_reply r = {0};
	struct hsa_buf envelope = {0};

	if (!cu_bench_blocks ||
	    !hsa_is_ok(
		tke_admin_request_decode(&q, payload->p, payload->len, NULL)) ||
	    q.domain_index != CU_BENCH_DOMAIN)
		return false;
	memset(a, 0, sizeof(*a));
	OK(cu_unit_block(b->u, &r, &b->caller,
	    (struct hsa_slice){q.block.p, q.block.n},
	    (struct hsa_slice){q.signatures.p, q.signatures.n}));
	a->http = r.http_status;
	CHECK((r.http_status == 200) == (r.text == NULL));
	if (r.text != NULL)
		(void)snprintf(a->text, sizeof(a->text), "%s", r.text);
	if (r.http_status == 200) {
		OK(tke_admin_reply_encode(&envelope, CU_BENCH_DOMAIN,
		    (struct tke_slice){r.response.p, r.response.len},
		    (struct tke_slice){r.signature.p, r.signature.len}));
		decode_admin(b, a, envelope.p, envelope.len);
	}
	hsa_buf_free(&envelope);
	hsa_buf_free(&r.response);
	hsa_buf_free(&r.signature);
	free(r.text);
	return true;
}

void
cu_bench_payload(
    struct cu_bench *b, struct cu_answer *a, const struct hsa_buf *payload)
{
	struct hsa_buf transport = {0};

	if (send_block(b, a, payload))
		return;
	OK(tke_request_encode(&transport, CU_BENCH_MODULE, CU_BENCH_DOMAIN,
	    payload->p, payload->len));
	cu_bench_send(b, a, (const char *)transport.p, transport.len);
	hsa_buf_free(&transport);
}

void
cu_bench_query(struct cu_bench *b, struct cu_answer *a, uint32_t id,
    const void *input, size_t n)
{
	static const uint8_t zeros[TKE_DOMAIN_LEN];
	struct hsa_buf block = {0}, payload = {0};
	size_t before = sink_mock_len(b->sink);

	OK(tke_admin_block_encode(&block, id,
	    (struct tke_slice){zeros, sizeof(zeros)}, (struct tke_slice){0},
	    (struct tke_slice){0}, (struct tke_slice){input, n}));
	OK(tke_admin_request_encode(&payload, CU_BENCH_DOMAIN,
	    (struct tke_slice){block.p, block.len}, (struct tke_slice){0}));
	cu_bench_payload(b, a, &payload);
	CHECK(b->any_records || sink_mock_len(b->sink) == before);
	hsa_buf_free(&block);
	hsa_buf_free(&payload);
}

static void
sign_order(struct cu_bench *b, struct hsa_buf *list, const struct cu_order *o,
    const struct hsa_buf *block)
{
	size_t i = 0;

	for (i = 0; i < CU_BENCH_ADMINS; i++) {
		size_t n =
		    (o->spoiled >> i & 1u) != 0 ? block->len - 1 : block->len;

		if ((o->signers >> i & 1u) != 0)
			OK(tke_sign(list, b->admin[i], block->p, n));
		if ((o->twice >> i & 1u) != 0)
			OK(tke_sign(list, b->admin[i], block->p, n));
	}
	if (o->garbage)
		hsa_buf_str(list, "garbage");
}

void
cu_bench_request(
    struct cu_bench *b, struct hsa_buf *payload, const struct cu_order *o)
{
	struct cu_answer now = {0};
	struct hsa_buf block = {0}, list = {0};
	struct tke_slice domain = o->domain, module = o->module;
	struct tke_slice counter = o->counter;
	uint32_t outer =
	    o->outer_domain != NULL ? *o->outer_domain : CU_BENCH_DOMAIN;

	cu_bench_query(b, &now, TKE_QUERY_DOMAIN_ATTRIBUTES, NULL, 0);
	CHECK(now.http == 200 && now.rc == 0);
	tke_counter_next(now.counter);
	if (domain.p == NULL)
		domain = (struct tke_slice){now.domain, sizeof(now.domain)};
	if (module.p == NULL)
		module = (struct tke_slice){now.module, sizeof(now.module)};
	if (counter.p == NULL)
		counter = (struct tke_slice){now.counter, sizeof(now.counter)};
	OK(tke_admin_block_encode(&block, o->command, domain, module, counter,
	    (struct tke_slice){o->input, o->input_len}));
	sign_order(b, &list, o, &block);
	OK(tke_admin_request_encode(payload, outer,
	    (struct tke_slice){block.p, block.len},
	    (struct tke_slice){list.p, list.len}));
	cu_answer_free(&now);
	hsa_buf_free(&block);
	hsa_buf_free(&list);
}

void
cu_bench_order(
    struct cu_bench *b, struct cu_answer *a, const struct cu_order *o)
{
	struct hsa_buf payload = {0};
	size_t before = 0;

	cu_bench_request(b, &payload, o);
	before = sink_mock_len(b->sink);
	cu_bench_payload(b, a, &payload);
	b->commands++;
	CHECK(b->any_records || sink_mock_len(b->sink) == before + 1);
	hsa_buf_free(&payload);
}

/* ---- commands ------------------------------------------------------------ */

static uint32_t
code_of(const struct cu_answer *a)
{
	if (a->http != 200)
		return a->http << 16;
	CHECK(!a->host_error && a->envelope_rc == 0);
	return CU_CODE(a->rc, a->reason);
}

uint32_t
cu_bench_command(struct cu_bench *b, uint32_t command, const void *input,
    size_t n, unsigned int signers)
{
	const struct cu_order o = {
	    .command = command,
	    .input = input,
	    .input_len = n,
	    .signers = signers,
	};
	struct cu_answer a = {0};
	uint32_t code = 0;

	cu_bench_order(b, &a, &o);
	code = code_of(&a);
	cu_answer_free(&a);
	return code;
}

uint32_t
cu_bench_add(struct cu_bench *b, size_t who, unsigned int signers)
{
	return cu_bench_command(
	    b, TKE_CMD_ADMIN_ADD, b->cert[who].p, b->cert[who].len, signers);
}

uint32_t
cu_bench_remove(struct cu_bench *b, size_t who, unsigned int signers)
{
	return cu_bench_command(
	    b, TKE_CMD_ADMIN_REMOVE, b->ski[who], TKE_SKI_LEN, signers);
}

uint32_t
cu_bench_attributes(struct cu_bench *b, uint32_t s, uint32_t r,
    uint32_t permissions, unsigned int signers)
{
	const struct tke_attributes attr = {
	    .signature_threshold = s,
	    .revocation_threshold = r,
	    .permissions = permissions,
	};
	struct hsa_buf in = {0};
	uint32_t code = 0;

	tke_attributes_encode_set(&in, &attr);
	code =
	    cu_bench_command(b, TKE_CMD_SET_ATTRIBUTES, in.p, in.len, signers);
	hsa_buf_free(&in);
	return code;
}

uint32_t
cu_bench_importer(struct cu_bench *b, struct evp_pkey_st **key, uint32_t kind,
    unsigned int signers)
{
	const uint8_t in[4] = {(uint8_t)(kind >> 24), (uint8_t)(kind >> 16),
	    (uint8_t)(kind >> 8), (uint8_t)kind};
	const struct cu_order o = {
	    .command = TKE_CMD_GEN_IMPORTER,
	    .input = in,
	    .input_len = sizeof(in),
	    .signers = signers,
	};
	struct cu_answer a = {0};
	uint32_t code = 0;

	cu_bench_order(b, &a, &o);
	code = code_of(&a);
	if (code == 0 && key != NULL)
		OK(tke_importer_spki_parse(key, a.output.p, a.output.len));
	cu_answer_free(&a);
	return code;
}

void
cu_bench_parts(struct cu_bench *b, struct hsa_buf *input,
    struct evp_pkey_st *key, const uint8_t (*part)[32], size_t n,
    unsigned int signers, const uint8_t counter[TKE_COUNTER_LEN])
{
	size_t i = 0;

	for (i = 0; i < n; i++) {
		struct hsa_buf recipient = {0};
		struct cu_order o = {
		    .command = TKE_CMD_WK_IMPORT,
		    .signers = signers,
		};

		OK(tke_recipient_build(&recipient, part[i], key));
		o.input = recipient.p;
		o.input_len = recipient.len;
		if (counter != NULL)
			o.counter =
			    (struct tke_slice){counter, TKE_COUNTER_LEN};
		cu_bench_request(b, input, &o);
		hsa_buf_free(&recipient);
	}
}

uint32_t
cu_bench_import(struct cu_bench *b, struct evp_pkey_st *key,
    const uint8_t (*part)[32], size_t n, unsigned int signers)
{
	struct hsa_buf in = {0};
	uint32_t code = 0;

	cu_bench_parts(b, &in, key, part, n, signers, NULL);
	code = cu_bench_command(b, TKE_CMD_WK_IMPORT, in.p, in.len, 0);
	hsa_buf_free(&in);
	return code;
}

void
cu_bench_ready(struct cu_bench *b, size_t n, uint32_t s, uint32_t r)
{
	size_t i = 0;

	for (i = 0; i < n; i++)
		CHECK(cu_bench_add(b, i, 0) == 0);
	CHECK(cu_bench_attributes(b, s, r, TKE_PERM_DEFAULT | TKE_PERM_ONE_PART,
		  (1u << s) - 1u) == 0);
}

void
cu_bench_load(struct cu_bench *b, uint8_t pattern[32],
    const uint8_t (*part)[32], size_t n, unsigned int s)
{
	EVP_PKEY *key = NULL;
	uint8_t sum[32] = {0};
	size_t i = 0, k = 0;

	CHECK(cu_bench_importer(b, &key, TKE_IMPORTER_P521, s) == 0);
	CHECK(cu_bench_import(b, key, part, n, s) == 0);
	for (i = 0; i < n; i++)
		for (k = 0; k < sizeof(sum); k++)
			sum[k] ^= part[i][k];
	OK(hsa_verification_pattern(pattern, sum));
	EVP_PKEY_free(key);
}

/* ---- what came out ------------------------------------------------------- */

void
cu_bench_last(struct cu_bench *b, struct hsa_record *r)
{
	sink_mock_get(b->sink, r, b->sink->len - 1);
}

void
cu_bench_status(struct cu_bench *b, struct hsa_unit_status *st)
{
	OK(cu_unit_status(b->u, st));
}

uint64_t
cu_bench_counter(struct cu_bench *b, const char *name)
{
	struct hsa_unit_status st;
	size_t i = 0;

	cu_bench_status(b, &st);
	for (i = 0; i < st.counter_len; i++)
		if (strcmp(st.counter[i].name, name) == 0)
			return st.counter[i].value;
	fprintf(stderr, "no counter %s\n", name);
	abort();
}

/* What a unit tells of itself, asked or not. */
static bool
of_its_life(const struct hsa_record *r)
{
	static const char *const names[] = {"UNIT_START", "UNIT_STOP",
	    "SELF_TEST", "SELF_TEST_FAILED", "LOST_EVENTS"};
	size_t i = 0;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (r->body == HSA_BODY_SPECIAL &&
		    strcmp(r->special.name, names[i]) == 0)
			return true;
	return false;
}

void
cu_bench_check_log(struct cu_bench *b)
{
	uint64_t epoch = 0, starts = 0, lives = 0;
	uint64_t of_source[HSA_SOURCES + 1] = {0};
	size_t i = 0;

	for (i = 0; i < b->sink->len; i++) {
		struct hsa_record r = {0};
		bool start = false;

		sink_mock_get(b->sink, &r, i);
		CHECK(r.sequence == i);
		CHECK(r.source_sequence == ++of_source[r.source]);
		start = r.body == HSA_BODY_SPECIAL &&
			strcmp(r.special.name, "UNIT_START") == 0;
		CHECK(r.epoch == epoch + (start ? 1 : 0));
		epoch = r.epoch;
		starts += start ? 1 : 0;
		lives += of_its_life(&r) ? 1 : 0;
		CHECK(memcmp(r.unit_id, b->id.unit_id, 16) == 0);
		hsa_record_free(&r);
	}
	CHECK(starts == epoch);
	if (!b->any_records) {
		CHECK(starts == b->epochs);
		CHECK(b->sink->len - lives == b->commands + b->calls);
	}
}
