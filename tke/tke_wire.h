/*
 * tke_wire.h - the outer layers of TKE administration: transport string, CPRB
 * and the payloads in it (ep11-tke-wire 3 to 5). Both directions of each
 * message live here, so client and unit read the same words.
 *
 * Parsers: every length is checked before the byte, trailing bytes are
 * E_TRAILING, wrong tags or sizes E_FORMAT. Lengths in BER's long form with
 * surplus bytes are accepted (5.1), indefinite ones never. Slices point into
 * the input and live as long as it does.
 */
#ifndef TKE_WIRE_H
#define TKE_WIRE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_buf.h"
#include "hsa_err.h"

#define TKE_TRANSPORT_MAX (256u * 1024u) /* bytes of a transport string */
#define TKE_SKI_LEN 32
#define TKE_COUNTER_LEN 16
#define TKE_DOMAIN_LEN 8  /* index(4) || instance(4) */
#define TKE_MODULE_LEN 16 /* serial(8) || instance(8) */
#define TKE_CP_LEN 16     /* control points; bit 0: top bit of byte 0 */
#define TKE_CP_LAST 80    /* highest index that has a name */

enum tke_command {
#define TKE_CMD(NAME, id, action, text) TKE_CMD_##NAME = (id),
#include "tke_cmd.def"
#undef TKE_CMD
};
enum tke_query {
#define TKE_QUERY(NAME, id, text) TKE_QUERY_##NAME = (id),
#include "tke_query.def"
#undef TKE_QUERY
};
#define TKE_IS_QUERY(id) (((id)&0x10000u) != 0)
/* tke_command_text(id) - of a command or query; "unknown command" otherwise */
const char *tke_command_text(uint32_t id);

#define TKE_FN_XCP_INFO 0x00010026u
#define TKE_FN_ADMIN 0x00010029u
#define TKE_XCP_INFO_MODULE 1u
#define TKE_XCP_INFO_DOMAIN 3u

struct tke_slice {
	const uint8_t *p;
	size_t n;
};

/* ---- transport string ---------------------------------------------------- */

/* Host-program errors, section 14.3, type 9: the status column of a reply. */
enum tke_host_error {
	TKE_HOST_OK = 0,
	TKE_HOST_MODULE_NUMBER = 1,
	TKE_HOST_MODULE_RANGE = 2,
	TKE_HOST_DOMAIN_RANGE = 5,
	TKE_HOST_BAD_HEX = 12,
	TKE_HOST_ODD_HEX = 13,
	TKE_HOST_BAD_LENGTH = 27
};

struct tke_request { /* transport string + CPRB of a request, decoded */
	uint32_t module_index;
	uint32_t domain_index;
	struct hsa_buf cprb;      /* the 32 + n bytes; owned */
	struct tke_slice payload; /* inside cprb */
};
/*
 * tke_request_decode(q, host, text, n, diag) - host: out, which 14.3 code
 * answers a malformed one (also set on failure).
 */
HSA_MUST_USE hsa_rc tke_request_decode(struct tke_request *q,
    enum tke_host_error *host, const char *text, size_t n,
    struct hsa_diag *diag);
void tke_request_free(struct tke_request *q);
/* Client: whole transport string around a payload. */
HSA_MUST_USE hsa_rc tke_request_encode(struct hsa_buf *b, uint32_t module_index,
    uint32_t domain_index, const void *payload, size_t n);

/* Unit: reply with a payload; header echoes the request's CPRB. */
HSA_MUST_USE hsa_rc tke_reply_encode(struct hsa_buf *b,
    const struct tke_request *q, const void *payload, size_t n);
/* Unit: status columns only (type 9, the code, text without ';'). */
HSA_MUST_USE hsa_rc tke_reply_encode_error(
    struct hsa_buf *b, enum tke_host_error code, const char *text);
/* Client: payload of a reply; owned by cprb. E_REMOTE with a diagnosis for
 * any status type but 00 or a CPRB return code. */
HSA_MUST_USE hsa_rc tke_reply_decode(struct hsa_buf *cprb,
    struct tke_slice *payload, const char *text, size_t n,
    struct hsa_diag *diag);

/* ---- payloads ------------------------------------------------------------ */

/* tke_payload_function(fn, p, n) - which function a request payload calls. */
HSA_MUST_USE hsa_rc tke_payload_function(uint32_t *fn, const void *p, size_t n);

struct tke_info_request {
	uint32_t domain_index, subtype;
};
HSA_MUST_USE hsa_rc tke_info_request_decode(
    struct tke_info_request *q, const void *p, size_t n);
HSA_MUST_USE hsa_rc tke_info_request_encode(
    struct hsa_buf *b, const struct tke_info_request *q);
HSA_MUST_USE hsa_rc tke_info_reply_encode(struct hsa_buf *b,
    uint32_t domain_index, uint32_t rc, const void *data, size_t n);
HSA_MUST_USE hsa_rc tke_info_reply_decode(
    struct tke_slice *data, uint32_t *rc, const void *p, size_t n);

/* Domain information, subtype 3 (5.2), 80 bytes. */
#define TKE_DOMINFO_LEN 80
#define TKE_DOMINFO_ADMINS 0x01u
#define TKE_DOMINFO_CURRENT 0x02u
#define TKE_DOMINFO_PENDING 0x04u
#define TKE_DOMINFO_COMMITTED 0x08u
#define TKE_DOMINFO_LEFT_IMPRINT 0x10u
#define TKE_DOMINFO_PROTECTED_KEYS 0x20u
struct tke_domain_info {
	uint32_t domain_index, flags, operational_mode, standards;
	uint8_t current[32], pending[32];
};
void tke_domain_info_encode(
    uint8_t out[TKE_DOMINFO_LEN], const struct tke_domain_info *i);
HSA_MUST_USE hsa_rc tke_domain_info_decode(
    struct tke_domain_info *i, const void *p, size_t n);

/* xcpAdminReq and the block in it that is signed (5.3). */
struct tke_admin_request {
	uint32_t domain_index;
	struct tke_slice block;      /* the exact bytes that are signed */
	struct tke_slice signatures; /* concatenated SignerInfos, or empty */
	/* the block, decoded. Ids and counter may have any length: a unit
	 * answers a wrong one by its reason (13, 15, 18), so it looks at n
	 * before it reads. */
	uint32_t command;
	struct tke_slice domain, module, counter, input;
};
HSA_MUST_USE hsa_rc tke_admin_request_decode(struct tke_admin_request *q,
    const void *p, size_t n, struct hsa_diag *diag);
/* As above for one of several back to back (Import WK, 13.4); used: its
 * bytes. Depth is bounded: an inner request is not searched for others. */
HSA_MUST_USE hsa_rc tke_admin_request_next(struct tke_admin_request *q,
    size_t *used, const void *p, size_t n, struct hsa_diag *diag);
/* tke_admin_block_encode - the DER to sign. domain, module, counter may be
 * empty slices (queries). */
HSA_MUST_USE hsa_rc tke_admin_block_encode(struct hsa_buf *b, uint32_t command,
    struct tke_slice domain, struct tke_slice module, struct tke_slice counter,
    struct tke_slice input);
HSA_MUST_USE hsa_rc tke_admin_request_encode(struct hsa_buf *b,
    uint32_t domain_index, struct tke_slice block, struct tke_slice signatures);

/* xcpAdminRsp and its block (5.4). */
struct tke_admin_reply {
	uint32_t domain_index, envelope_rc;
	struct tke_slice block, signature; /* empty when envelope_rc != 0 */
	uint32_t command, rc;
	uint32_t reason; /* of a refusal; UINT32_MAX when it gave none */
	struct tke_slice domain, module, counter, output;
};
HSA_MUST_USE hsa_rc tke_admin_reply_decode(
    struct tke_admin_reply *r, const void *p, size_t n, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc tke_admin_reply_block_encode(struct hsa_buf *b,
    uint32_t command, const uint8_t domain[TKE_DOMAIN_LEN],
    const uint8_t module[TKE_MODULE_LEN],
    const uint8_t counter[TKE_COUNTER_LEN], uint32_t rc,
    struct tke_slice output);
HSA_MUST_USE hsa_rc tke_admin_reply_encode(struct hsa_buf *b,
    uint32_t domain_index, struct tke_slice block, struct tke_slice signature);
/* The three-field form for a request that no block can answer. */
HSA_MUST_USE hsa_rc tke_admin_reply_encode_rc(
    struct hsa_buf *b, uint32_t domain_index, uint32_t rc);

/* tke_counter_next(c) - plus one, big-endian, wrapping (5.5).
 * tke_counter_compare(a, b) - as memcmp. */
void tke_counter_next(uint8_t c[TKE_COUNTER_LEN]);
int tke_counter_compare(
    const uint8_t a[TKE_COUNTER_LEN], const uint8_t b[TKE_COUNTER_LEN]);

/* ---- domain attributes (10) ---------------------------------------------- */

enum {
	TKE_ATTR_SIGNATURE_THRESHOLD = 1,
	TKE_ATTR_REVOCATION_THRESHOLD = 2,
	TKE_ATTR_PERMISSIONS = 3,
	TKE_ATTR_OPERATIONAL_MODE = 4,
	TKE_ATTR_STANDARDS = 5
};
#define TKE_PERM_IMPORT 0x00000001u
#define TKE_PERM_EXPORT 0x00000002u
#define TKE_PERM_ONE_PART 0x00000004u
#define TKE_PERM_RANDOM 0x00000008u
#define TKE_PERM_THRESHOLD_ONE 0x00000010u
#define TKE_PERM_CP_ONE 0x00000020u
#define TKE_PERM_ZEROIZE_ONE 0x00000040u
#define TKE_PERM_DO_NOT_DISTURB 0x00002000u
#define TKE_PERM_CHANGE_IMPORT 0x00010000u
#define TKE_PERM_CHANGE_EXPORT 0x00020000u
#define TKE_PERM_CHANGE_ONE_PART 0x00040000u
#define TKE_PERM_CHANGE_RANDOM 0x00080000u
#define TKE_PERM_CHANGE_SIGNATURE 0x00100000u
#define TKE_PERM_CHANGE_REVOCATION 0x00200000u
#define TKE_PERM_CHANGE_THRESHOLD_ONE 0x00400000u
#define TKE_PERM_CHANGE_CP_ONE 0x00800000u
#define TKE_PERM_CHANGE_ZEROIZE_ONE 0x01000000u
#define TKE_PERM_CHANGE_DO_NOT_DISTURB 0x80000000u
#define TKE_PERM_DEFAULT 0x81ff0011u

struct tke_attributes {
	uint32_t signature_threshold, revocation_threshold, permissions;
	uint32_t operational_mode, standards;
};
/* Query output: all five pairs. Set input: indices 1 to 4, 32 bytes. */
void tke_attributes_encode_all(
    struct hsa_buf *b, const struct tke_attributes *a);
void tke_attributes_encode_set(
    struct hsa_buf *b, const struct tke_attributes *a);
/*
 * tke_attributes_decode(a, present, p, n) - any order; present: bit i set when
 * index i was there; members that were not there stay as they were. E_FORMAT
 * for a length that is no multiple of 8, E_EXISTS for a repeated index.
 * Unknown indices: ignored when tolerant (client), else E_NOT_FOUND.
 */
HSA_MUST_USE hsa_rc tke_attributes_decode(struct tke_attributes *a,
    uint32_t *present, const void *p, size_t n, bool tolerant);

#endif
