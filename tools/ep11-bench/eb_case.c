#include <string.h>

#include "ep11_pkcs11.h"
#include "eb_case.h"
#include "eb_stats.h"

static struct hsa_slice
of(const struct hsa_buf *b)
{
	return (struct hsa_slice){b->p, b->len};
}

/* ---- the calls ----------------------------------------------------------- */

static void
gcm(struct eb_call *b)
{
	b->c.fn = HSA_FN_ENCRYPT_SINGLE;
	b->c.key = of(&b->keys->aes);
	b->c.data = (struct hsa_slice){b->data, EB_DATA};
	b->c.mech = (struct hsa_mech){.type = CKM_AES_GCM,
	    .kind = HSA_MECH_GCM,
	    .a = {b->iv, 12},
	    .tag_bits = 128};
}

static void
cbc(struct eb_call *b)
{
	b->c.fn = HSA_FN_ENCRYPT_SINGLE;
	b->c.key = of(&b->keys->aes);
	b->c.data = (struct hsa_slice){b->data, EB_DATA};
	b->c.mech = (struct hsa_mech){
	    .type = CKM_AES_CBC, .kind = HSA_MECH_BYTES, .a = {b->iv, 16}};
}

static void
rnd(struct eb_call *b)
{
	b->c.fn = HSA_FN_GENERATE_RANDOM;
	b->c.number = 32;
}

static void
digest(struct eb_call *b)
{
	b->c.fn = HSA_FN_DIGEST_SINGLE;
	b->c.data = (struct hsa_slice){b->data, EB_DATA};
	b->c.mech.type = CKM_SHA256;
}

static void
hmac(struct eb_call *b)
{
	b->c.fn = HSA_FN_SIGN_SINGLE;
	b->c.key = of(&b->keys->mac);
	b->c.data = (struct hsa_slice){b->data, EB_DATA};
	b->c.mech.type = CKM_SHA256_HMAC;
}

static void
ecdsa(struct eb_call *b)
{
	b->c.fn = HSA_FN_SIGN_SINGLE;
	b->c.key = of(&b->keys->ec);
	b->c.data = (struct hsa_slice){b->data, 32};
	b->c.mech.type = CKM_ECDSA;
}

static void
ecdsa_verify(struct eb_call *b)
{
	b->c.fn = HSA_FN_VERIFY_SINGLE;
	b->c.key = of(&b->keys->ec_pub);
	b->c.data = (struct hsa_slice){b->data, 32};
	b->c.signature = of(&b->keys->signature);
	b->c.mech.type = CKM_ECDSA;
}

static void
rsa(struct eb_call *b)
{
	b->c.fn = HSA_FN_SIGN_SINGLE;
	b->c.key = of(&b->keys->rsa);
	b->c.data = (struct hsa_slice){b->data, 32};
	b->c.mech.type = CKM_RSA_PKCS;
}

static void
generate(struct eb_call *b)
{
	b->c.fn = HSA_FN_GENERATE_KEY;
	b->c.mech.type = CKM_AES_KEY_GEN;
	b->value = 32;
	b->attr = (struct hsa_attr){.type = CKA_VALUE_LEN,
	    .p = (const uint8_t *)&b->value,
	    .n = sizeof(b->value)};
	b->c.attr = &b->attr;
	b->c.attr_len = 1;
}

/* ---- the same by direct Cryptoki ----------------------------------------- */

/* Cryptoki has no const; it only reads these. */
static CK_BYTE *
bytes(const uint8_t *p)
{
	CK_BYTE *q;

	memcpy(&q, &p, sizeof(q));
	return q;
}

static CK_RV
raw_encrypt(struct eb_raw *r, CK_MECHANISM *m, const uint8_t *data)
{
	CK_BYTE out[EB_DATA + 32];
	CK_ULONG n = sizeof(out);
	CK_RV rv = r->f->C_EncryptInit(r->s, m, r->aes);

	if (rv == CKR_OK)
		rv = r->f->C_Encrypt(r->s, bytes(data), EB_DATA, out, &n);
	return rv;
}

static CK_RV
raw_gcm(struct eb_raw *r, const uint8_t *data)
{
	CK_BYTE iv[12] = {1};
	CK_GCM_PARAMS p = {iv, sizeof(iv), 96, NULL, 0, 128};
	CK_MECHANISM m = {CKM_AES_GCM, &p, sizeof(p)};

	return raw_encrypt(r, &m, data);
}

static CK_RV
raw_cbc(struct eb_raw *r, const uint8_t *data)
{
	CK_BYTE iv[16] = {1};
	CK_MECHANISM m = {CKM_AES_CBC, iv, sizeof(iv)};

	return raw_encrypt(r, &m, data);
}

static CK_RV
raw_random(struct eb_raw *r, const uint8_t *data)
{
	CK_BYTE out[32];

	(void)data;
	return r->f->C_GenerateRandom(r->s, out, sizeof(out));
}

static CK_RV
raw_digest(struct eb_raw *r, const uint8_t *data)
{
	CK_MECHANISM m = {CKM_SHA256, NULL, 0};
	CK_BYTE out[32];
	CK_ULONG n = sizeof(out);
	CK_RV rv = r->f->C_DigestInit(r->s, &m);

	if (rv == CKR_OK)
		rv = r->f->C_Digest(r->s, bytes(data), EB_DATA, out, &n);
	return rv;
}

static CK_RV
raw_sign(struct eb_raw *r, CK_MECHANISM_TYPE mech, CK_OBJECT_HANDLE key,
    const uint8_t *data, CK_ULONG len)
{
	CK_MECHANISM m = {mech, NULL, 0};
	CK_BYTE out[512];
	CK_ULONG n = sizeof(out);
	CK_RV rv = r->f->C_SignInit(r->s, &m, key);

	if (rv == CKR_OK)
		rv = r->f->C_Sign(r->s, bytes(data), len, out, &n);
	return rv;
}

static CK_RV
raw_hmac(struct eb_raw *r, const uint8_t *data)
{
	return raw_sign(r, CKM_SHA256_HMAC, r->mac, data, EB_DATA);
}

static CK_RV
raw_ecdsa(struct eb_raw *r, const uint8_t *data)
{
	return raw_sign(r, CKM_ECDSA, r->ec, data, 32);
}

static CK_RV
raw_rsa(struct eb_raw *r, const uint8_t *data)
{
	return raw_sign(r, CKM_RSA_PKCS, r->rsa, data, 32);
}

static const struct eb_case cases[] = {
    {"random-32", "GenerateRandom, 32 bytes", rnd, raw_random, false, 1},
    {"sha256-1k", "DigestSingle SHA-256, 1 KiB", digest, raw_digest, false, 1},
    {"aes-gcm-1k", "EncryptSingle AES-256-GCM, 1 KiB", gcm, raw_gcm, false, 1},
    {"aes-gcm-1k-uncached", "the same, each time another key", gcm, NULL, true,
	4},
    {"aes-cbc-1k", "EncryptSingle AES-256-CBC, 1 KiB", cbc, raw_cbc, false, 1},
    {"hmac-sha256-1k", "SignSingle HMAC-SHA-256, 1 KiB", hmac, raw_hmac, false,
	1},
    {"ecdsa-p256-sign", "SignSingle ECDSA P-256", ecdsa, raw_ecdsa, false, 4},
    {"ecdsa-p256-verify", "VerifySingle ECDSA P-256", ecdsa_verify, NULL, false,
	4},
    {"rsa2048-sign", "SignSingle RSA-2048 PKCS#1", rsa, raw_rsa, false, 32},
    {"aes-generate", "GenerateKey AES-256", generate, NULL, false, 4},
};

const struct eb_case *
eb_cases(size_t *n)
{
	*n = sizeof(cases) / sizeof(cases[0]);
	return cases;
}

/* As many clocks read, and the same fields, as in a record of the unit. */
static void
fields(struct eb_lttng_call *t, const struct eb_call *b, uint64_t begin)
{
	const struct hsa_call *c = &b->c;

	*t = (struct eb_lttng_call){
	    .mono_ns = begin,
	    .mechanism = c->mech.type,
	    .bytes_in = hsa_call_bytes_in(c),
	    .bytes_out = hsa_call_bytes_out(c),
	    .duration_ns = eb_now() - begin,
	    .function = (uint32_t)c->fn,
	    .rv = (uint32_t)c->rv,
	    .reason = c->reason,
	};
	memcpy(t->key_id, c->key_id, sizeof(t->key_id));
	memcpy(t->correlation_id, c->id, sizeof(t->correlation_id));
	memcpy(t->command_id, b->caller->command_id, sizeof(t->command_id));
}

/* Values as long as a unit's are. */
static void
trace(const struct eb_call *b, uint64_t begin)
{
	static const char crn[] = "crn:v1:bluemix:public:hs-crypto:us-south:"
				  "a/6bb2b3285a3538d14df25d35c567a7d1:"
				  "5d00863e-ed8e-4684-822b-7fc2e55efccb::";
	static const char target[] =
	    "crn:v1:bluemix:public:hs-crypto:us-south:"
	    "a/6bb2b3285a3538d14df25d35c567a7d1:"
	    "5d00863e-ed8e-4684-822b-7fc2e55efccb:crypto-unit:"
	    "c9088dde-0571-43b8-a8ea-61e3fe9c58fa";
	const struct hsa_initiator *i = &b->caller->initiator;
	const struct eb_lttng_event e = {
	    .action = "hs-crypto.ep11.use",
	    .outcome = "success",
	    .severity = "normal",
	    .message = "Hyper Protect Crypto Services: use ep11 "
		       "[us-south].[AZ1-CS1].[00].[03]",
	    .log_source_crn = crn,
	    .initiator_id = i->id,
	    .initiator_name = i->name,
	    .initiator_type_uri = i->type_uri,
	    .credential_type = i->credential_type,
	    .host_address = i->host_address,
	    .host_address_type = i->host_address_type,
	    .target_id = target,
	    .target_name = "[us-south].[AZ1-CS1].[00].[03]",
	    .target_type_uri = "hs-crypto/ep11",
	    .reason_type = "OK",
	    .reason_code = 200,
	};
	struct eb_lttng_call t;

	fields(&t, b, begin);
	if (b->lttng != NULL)
		b->lttng->event(&e, &t);
	else
		b->trace->call(&t);
}

void
eb_call_set(struct eb_call *b, const struct eb_case *what, struct cryptounit *u,
    const struct hsa_caller *caller, const struct eb_keys *keys)
{
	b->u = u;
	b->caller = caller;
	b->keys = keys;
	b->uncached = what->uncached;
	memset(b->data, EB_FILL, sizeof(b->data));
	what->prepare(b);
}

uint64_t
eb_call_once(struct eb_call *b)
{
	bool traced = b->lttng != NULL || b->trace != NULL;
	uint64_t begin = traced ? eb_now() : 0;

	hsa_call_reset(&b->c);
	b->count++;
	memcpy(b->c.id, &b->count, sizeof(b->count));
	if (b->uncached)
		b->c.key = of(&b->keys->many[b->count % b->keys->many_len]);
	if (b->via == NULL)
		cryptounit_call(b->u, &b->c, b->caller);
	else if (!hsa_is_ok(eb_socket_call(b->via, &b->c, b->caller)))
		b->c.rv = CKR_DEVICE_ERROR;
	if (traced)
		trace(b, begin);
	if (b->bare != NULL && !hsa_is_ok(eb_bare_commit(b->bare)))
		b->c.rv = CKR_DEVICE_ERROR;
	return b->c.rv;
}

hsa_rc
eb_caller_make(struct hsa_caller *c)
{
	struct hsa_initiator *i = &c->initiator;
	hsa_rc rc;

	c->tag = hsa_caller_tag();
	HSA_TRY(rc, hsa_strdup_opt(&i->id, "ep11-bench"));
	HSA_TRY(rc, hsa_strdup_opt(&i->name, "ep11-bench"));
	HSA_TRY(
	    rc, hsa_strdup_opt(&i->type_uri, "service/security/account/user"));
	HSA_TRY(rc, hsa_strdup_opt(&i->credential_type, "user"));
	HSA_TRY(rc, hsa_strdup_opt(&i->host_address, "127.0.0.1"));
	HSA_TRY(rc, hsa_strdup_opt(&i->host_address_type, "IPv4"));
out:
	return rc;
}

/* ---- keys ---------------------------------------------------------------- */

static hsa_rc
make(struct hsa_buf *out, struct hsa_buf *out2, struct eb_call *b,
    struct hsa_diag *diag)
{
	if (eb_call_once(b) != CKR_OK)
		return hsa_fail(diag, HSA_RC(E_KEY), "%s failed with 0x%llx%s",
		    hsa_fn_text(b->c.fn), (unsigned long long)b->c.rv,
		    b->c.rv == CKR_IBM_WK_NOT_INITIALIZED
			? ": the unit has no master key; fix: run a ceremony "
			  "on it (tke ceremony run), then measure"
			: "");
	*out = b->c.out;
	b->c.out = (struct hsa_buf){0};
	if (out2 != NULL) {
		*out2 = b->c.out2;
		b->c.out2 = (struct hsa_buf){0};
	}
	return HSA_OK;
}

static hsa_rc
make_pair(struct hsa_buf *priv, struct hsa_buf *pub, struct eb_call *b,
    CK_MECHANISM_TYPE mech, CK_ATTRIBUTE_TYPE type, const void *p, size_t n,
    struct hsa_diag *diag)
{
	b->c.fn = HSA_FN_GENERATE_KEY_PAIR;
	b->c.mech = (struct hsa_mech){.type = mech};
	b->attr = (struct hsa_attr){.type = type, .p = p, .n = n};
	b->c.attr = &b->attr;
	b->c.attr_len = 1;
	return make(priv, pub, b, diag);
}

hsa_rc
eb_keys_make(struct eb_keys *k, struct cryptounit *u,
    const struct hsa_caller *caller, bool many, struct hsa_diag *diag)
{
	static const uint8_t p256[] = {
	    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
	const uint64_t bits = 2048;
	struct eb_call b = {.u = u, .caller = caller, .keys = k};
	struct hsa_buf unused = {0};
	hsa_rc rc;

	memset(b.data, EB_FILL, sizeof(b.data));
	generate(&b);
	HSA_TRY(rc, make(&k->aes, NULL, &b, diag));
	while (many && k->many_len < EB_UNCACHED) {
		HSA_TRY(rc, make(&k->many[k->many_len], NULL, &b, diag));
		k->many_len++;
	}
	b.c.mech.type = CKM_GENERIC_SECRET_KEY_GEN;
	HSA_TRY(rc, make(&k->mac, NULL, &b, diag));
	HSA_TRY(rc, make_pair(&k->ec, &k->ec_pub, &b, CKM_EC_KEY_PAIR_GEN,
			CKA_EC_PARAMS, p256, sizeof(p256), diag));
	HSA_TRY(rc, make_pair(&k->rsa, &unused, &b, CKM_RSA_PKCS_KEY_PAIR_GEN,
			CKA_MODULUS_BITS, &bits, sizeof(bits), diag));
	b.c.attr_len = 0;
	ecdsa(&b);
	HSA_TRY(rc, make(&k->signature, NULL, &b, diag));
out:
	hsa_buf_free(&unused);
	hsa_call_free(&b.c);
	return rc;
}

void
eb_keys_free(struct eb_keys *k)
{
	hsa_buf_free(&k->aes);
	hsa_buf_free(&k->mac);
	hsa_buf_free(&k->ec);
	hsa_buf_free(&k->ec_pub);
	hsa_buf_free(&k->rsa);
	hsa_buf_free(&k->signature);
	for (size_t i = 0; i < k->many_len; i++)
		hsa_buf_free(&k->many[i]);
	k->many_len = 0;
}
