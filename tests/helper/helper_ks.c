#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ep11_blob.h"
#include "helper_ks.h"
#include "hsa_hash.h"

#define CHECK(x)                                                               \
	do {                                                                   \
		if (!(x)) {                                                    \
			fprintf(                                               \
			    stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);    \
			abort();                                               \
		}                                                              \
	} while (0)

void
ks_blob_of(uint8_t *blob, size_t n, uint32_t seed)
{
	static uint8_t material[HSA_BLOB_MAX];
	struct ep11_blob k = {
	    .cls = CKO_SECRET_KEY,
	    .type = CKK_AES,
	    .bools = EP11_ENCRYPT | EP11_DECRYPT | EP11_EXTRACTABLE,
	    .form = EP11_FORM_OBJECT,
	    .bits = 256,
	    .wrapped = {material, n - EP11_BLOB_CLEAR - 9 - EP11_MAC_LEN},
	};
	struct hsa_buf b = {0};

	memset(k.wkid, 0x5a, sizeof(k.wkid));
	memcpy(k.iv, &seed, sizeof(seed));
	memset(material, 0x77, sizeof(material));
	CHECK(hsa_is_ok(ep11_blob_encode(&b, &k)));
	hsa_buf_put(&b, material, EP11_MAC_LEN);
	CHECK(b.len == n);
	memcpy(blob, b.p, n);
	hsa_buf_free(&b);
}

void
ks_blob(uint8_t blob[KS_BLOB_LEN], uint32_t seed)
{
	ks_blob_of(blob, KS_BLOB_LEN, seed);
}

static void
check_record(struct cu_bench *b, const struct hsa_ks_request *q, uint32_t rv)
{
	struct hsa_record r = {0};
	char id[HSA_UUID_TEXT];
	bool ok = rv == HSA_KS_OK;

	cu_bench_last(b, &r);
	hsa_uuid_text(id, q->id);
	CHECK(r.body == HSA_BODY_EVENT);
	CHECK(r.source == HSA_SOURCE_OUTBOX);
	CHECK(r.ep11_rc == rv);
	CHECK(r.event.action == hsa_ks_op(q->op)->action);
	CHECK(strcmp(r.event.correlation_id, id) == 0);
	CHECK(strcmp(r.event.outcome, ok ? "success" : "failure") == 0);
	CHECK(
	    r.event.reason_code ==
	    (b->caller.denied != 0 ? b->caller.denied : hsa_ks_rv(rv)->status));
	CHECK(ok == (r.event.reason_failure == NULL));
	CHECK(strcmp(r.event.target_id, b->id.target_crn) == 0);
	CHECK(strcmp(hsa_data_find(&r.event.request, "instanceID")->text,
		  KS_INSTANCE) == 0);
	CHECK(r.event.data_event);
	hsa_record_free(&r);
}

uint32_t
ks_do(struct cu_bench *b, struct hsa_ks_reply *r, struct hsa_ks_request *q)
{
	static const uint8_t none[16];
	static uint32_t turn;
	size_t before = b->sink->len;

	turn++;
	if (memcmp(q->id, none, 16) == 0) {
		memset(q->id, 0x40, 16);
		memcpy(q->id, &turn, sizeof(turn));
	}
	if (hsa_ks_op(q->op)->change && memcmp(q->tx_id, none, 16) == 0) {
		memset(q->tx_id, 0x41, 16);
		memcpy(q->tx_id, &turn, sizeof(turn));
	}
	cu_unit_keystore(b->u, r, &b->caller, q);
	if (b->any_records)
		return r->rv;
	CHECK(b->sink->len == before + 1);
	b->commands++;
	CHECK((r->rv == HSA_KS_OK) == (r->text == NULL));
	check_record(b, q, r->rv);
	return r->rv;
}

void
ks_create(struct cu_bench *b, uint8_t id[16], const char *name)
{
	struct hsa_ks_request q = {.op = HSA_KS_CREATE_KEYSTORE, .name = name};
	struct hsa_ks_reply r = {0};

	CHECK(ks_do(b, &r, &q) == HSA_KS_OK && r.store_len == 1);
	memcpy(id, r.store[0].id, 16);
	hsa_ks_reply_free(&r);
}

void
ks_store(struct cu_bench *b, uint8_t id[16], const uint8_t keystore[16],
    const char *label, uint32_t seed)
{
	struct hsa_ks_request q = {.op = HSA_KS_STORE_KEY, .name = label};
	struct hsa_ks_reply r = {0};
	uint8_t blob[KS_BLOB_LEN];

	ks_blob(blob, seed);
	q.blob = (struct hsa_slice){blob, sizeof(blob)};
	memcpy(q.keystore_id, keystore, 16);
	CHECK(ks_do(b, &r, &q) == HSA_KS_OK && r.key_len == 1);
	memcpy(id, r.key[0].id, 16);
	hsa_ks_reply_free(&r);
}

const char *
ks_target(struct cu_bench *b)
{
	static char text[1100];
	struct hsa_record r = {0};

	cu_bench_last(b, &r);
	(void)snprintf(text, sizeof(text), "%s",
	    r.event.target_name == NULL ? "" : r.event.target_name);
	hsa_record_free(&r);
	return text;
}
