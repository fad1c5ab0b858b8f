/*
 * hsa_unit.h - requests to a unit's socket as C structs (unit.proto). Used by
 * the supervisor's endpoint, `cryptounitd status`, and the unit itself.
 * Ownership as in hsa_event.h: strings and buffers belong to the struct.
 */
#ifndef HSA_UNIT_H
#define HSA_UNIT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_buf.h"
#include "hsa_call.h"
#include "hsa_err.h"
#include "hsa_event.h"
#include "hsa_ks.h"

struct hsa_caller {
	struct hsa_initiator initiator;
	uint32_t denied; /* 0, 401 or 403 */
	char *denied_text;
	uint8_t command_id[HSA_UUID_LEN];
	char *ceremony_id, *ceremony_step; /* NULL outside a ceremony */
	/* Not sent. 0, or from hsa_caller_tag: whoever fills in the struct
	 * promises that all with this number say the same but for command_id,
	 * which spares a unit the comparison at every call. */
	uint64_t tag;
};

/* hsa_caller_tag() - a number that nobody in this process has had. */
uint64_t hsa_caller_tag(void);

struct hsa_admin_reply {
	uint32_t http_status;
	struct hsa_buf transport; /* with 200 */
	char *text;               /* otherwise */
};

struct hsa_counter {
	char name[48];
	uint64_t value;
};

struct hsa_emission_status {
	char mode[16]; /* "sealed", "ring", "off" */
	uint64_t ring_slots, ring_used;
	uint64_t unrecorded;
};

struct hsa_collector_status {
	char name[64];
	bool connected;
	uint64_t acknowledged;
	char last_error[160];
	/* of this unit, for this collector: seconds since 1970; 0: none */
	int64_t certificate_ends;
};

struct hsa_unit_status {
	uint8_t unit_id[HSA_UUID_LEN];
	uint64_t epoch;
	uint32_t pid;
	bool imprint;
	uint32_t signature_threshold, revocation_threshold;
	uint8_t admin[8][HSA_SKI_LEN];
	size_t admin_len;
	char new_register[24], current_register[24];
	uint8_t new_pattern[32], current_pattern[32];
	uint64_t log_size;
	uint8_t log_root[32];
	char halted[256];
	struct hsa_counter counter[64];
	size_t counter_len;
	struct hsa_collector_status collector[8];
	size_t collector_len;
	uint8_t token_object[64][16]; /* master-key objects in the token */
	size_t token_object_len;
	char new_object[33], current_object[33]; /* hex; "" when none */
	struct hsa_emission_status emission;
	uint32_t halted_status; /* 0, or 507 or 503 as callers are told */
	uint64_t lost;          /* refused without a record since the start */
	uint64_t log_first;     /* record; those before it were released */
	uint64_t log_bytes, log_cap;
	uint32_t log_number; /* 1, or that of one after a damaged one */
};

/* Answer to m_admin: the response block and, when asked, its signature. */
struct hsa_block_reply {
	uint32_t http_status; /* 200, else text says why nothing was answered */
	char *text;
	struct hsa_buf response, signature;
};

/*
 * A query of get_xcp_info beside EP11's own, none of which tells a module's
 * number: index of the module(4) || of the domain(4), big-endian. For the host
 * library, which finds units by them.
 */
#define HSA_INFO_LOCATION 0xfe000001u

/* Answer to get_xcp_info. */
struct hsa_info_reply {
	uint32_t rv; /* CKR_* */
	struct hsa_buf data;
};

enum hsa_unit_kind {
	HSA_UNIT_ADMIN = 1,
	HSA_UNIT_STATUS,
	HSA_UNIT_ERROR, /* replies only */
	HSA_UNIT_EP11,
	HSA_UNIT_INFO,
	HSA_UNIT_BLOCK,
	HSA_UNIT_KEYSTORE
};

struct hsa_unit_request {
	enum hsa_unit_kind kind;
	struct hsa_caller caller;
	struct hsa_buf transport;           /* ADMIN */
	struct hsa_call call;               /* EP11: its request */
	uint32_t query, subquery;           /* INFO */
	struct hsa_buf command, signatures; /* BLOCK */
	struct hsa_ks_request keystore;     /* KEYSTORE */
};

struct hsa_unit_reply {
	enum hsa_unit_kind kind;
	struct hsa_admin_reply admin;
	struct hsa_unit_status status;
	struct hsa_call call; /* EP11: fn and its reply; decoded, fn is NONE
				 when rv says no and nothing is given */
	struct hsa_info_reply info;
	struct hsa_block_reply block;
	struct hsa_ks_reply keystore;
	char *error;
};

/* Delimited, at most HSA_FRAME_MAX; decode as hsa_entry_decode. */
HSA_MUST_USE hsa_rc hsa_unit_request_encode(
    struct hsa_buf *b, const struct hsa_unit_request *q);
HSA_MUST_USE hsa_rc hsa_unit_request_decode(
    struct hsa_unit_request *q, size_t *used, const void *p, size_t n);
/* hsa_unit_request_encode_call(b, caller, c), hsa_unit_reply_encode_call(b, c)
 * - the same for a call that is not inside one of the structs above. */
HSA_MUST_USE hsa_rc hsa_unit_request_encode_call(struct hsa_buf *b,
    const struct hsa_caller *caller, const struct hsa_call *c);
HSA_MUST_USE hsa_rc hsa_unit_reply_encode_call(
    struct hsa_buf *b, const struct hsa_call *c);
void hsa_unit_request_free(struct hsa_unit_request *q);
HSA_MUST_USE hsa_rc hsa_unit_reply_encode(
    struct hsa_buf *b, const struct hsa_unit_reply *r);
HSA_MUST_USE hsa_rc hsa_unit_reply_decode(
    struct hsa_unit_reply *r, size_t *used, const void *p, size_t n);
void hsa_unit_reply_free(struct hsa_unit_reply *r);
void hsa_caller_free(struct hsa_caller *c);

#endif
