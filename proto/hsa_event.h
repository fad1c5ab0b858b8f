/*
 * hsa_event.h - an audit event and its record as C structs, and the builder
 * that fills in all that the catalogue determines.
 *
 * Ownership: strings of hsa_event and hsa_record are owned by the struct and
 * released by hsa_event_free / hsa_record_free; both accept zeroed structs and
 * may be called twice. NULL strings mean "absent" and render as nothing.
 */
#ifndef HSA_EVENT_H
#define HSA_EVENT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_catalogue.h"
#include "hsa_err.h"
#include "hsa_hash.h"

/* ---- requestData and responseData ---------------------------------------- */

enum hsa_value_kind {
	HSA_VALUE_TEXT = 1,
	HSA_VALUE_INTEGER,
	HSA_VALUE_BOOLEAN,
	HSA_VALUE_LIST,  /* of texts */
	HSA_VALUE_OBJECT /* of fields */
};

struct hsa_field {
	char *name;
	enum hsa_value_kind kind;
	char *text;
	int64_t integer; /* also the boolean, 0 or 1 */
	char **list;
	size_t list_len;
	struct hsa_data *object;
};

struct hsa_data {
	struct hsa_field *field;
	size_t len;
};

#define HSA_DATA_DEPTH 8 /* objects within objects, the outermost counted */

/*
 * hsa_data_*(d, name, value) - append a member. name may hold dots
 * ("initialValue.keyState"): the objects between are made or reused. Copies
 * everything. E_EXISTS when the name is there already; E_ARG for an empty
 * name or part of one, E_RANGE beyond HSA_DATA_DEPTH.
 */
HSA_MUST_USE hsa_rc hsa_data_text(
    struct hsa_data *d, const char *name, const char *text);
HSA_MUST_USE hsa_rc hsa_data_integer(
    struct hsa_data *d, const char *name, int64_t v);
HSA_MUST_USE hsa_rc hsa_data_boolean(
    struct hsa_data *d, const char *name, bool v);
/* ids rendered as lower-case hex, n of them, each len bytes, back to back */
HSA_MUST_USE hsa_rc hsa_data_hex(
    struct hsa_data *d, const char *name, const uint8_t *id, size_t len);
HSA_MUST_USE hsa_rc hsa_data_hex_list(struct hsa_data *d, const char *name,
    const uint8_t *ids, size_t len, size_t n);
/* hsa_data_find(d, name) - the member, dots as above, or NULL. */
const struct hsa_field *hsa_data_find(
    const struct hsa_data *d, const char *name);
void hsa_data_free(struct hsa_data *d);

/* ---- the event ----------------------------------------------------------- */

struct hsa_initiator {
	char *id, *name, *type_uri, *credential_type;
	char *host_address, *host_address_type, *host_agent;
};

struct hsa_event {
	enum hsa_action action; /* 0 when action_name is not in the catalogue */
	char *action_name, *outcome, *severity, *message;
	char *log_source_crn, *correlation_id, *observer_name;
	uint64_t event_time_ns;
	bool data_event, save_service_copy;
	uint8_t id[HSA_UUID_LEN];
	struct hsa_initiator initiator;
	char *target_id, *target_name, *target_type_uri;
	uint32_t reason_code;
	char *reason_type, *reason_failure;
	bool has_request, has_response;
	struct hsa_data request, response;
};

/* What the caller of hsa_event_build knows; the rest is looked up. Nothing is
 * kept: strings are copied, request and response are taken over (moved out,
 * left empty) on success. */
struct hsa_event_args {
	enum hsa_action action;
	uint32_t status;            /* HTTP status; 2xx means success */
	const char *reason_failure; /* needed when status is not 2xx */
	uint64_t time_ns;
	const char *log_source_crn;
	const char *correlation_id; /* NULL where the catalogue forbids it */
	const char *target_id, *target_name;
	const struct hsa_initiator *initiator;
	struct hsa_data *request, *response; /* either may be NULL */
	const uint8_t
	    *id; /* a random UUID of the caller's; NULL: a fresh one */
};

/*
 * hsa_event_build(ev, args, diag) - a complete event: names, typeURI,
 * severity, message, reason type from the tables, a fresh id.
 * E_ARG with a diagnosis when the action or status is unknown, a failure has
 * no reason, correlation_id is against the catalogue, or on success a
 * documented field is missing from request or response, has the wrong type or
 * is not documented. On failure the fields are optional, types still hold.
 */
HSA_MUST_USE hsa_rc hsa_event_build(
    struct hsa_event *ev, struct hsa_event_args *args, struct hsa_diag *diag);
void hsa_event_free(struct hsa_event *ev);

/* ---- the record ---------------------------------------------------------- */

enum hsa_source {
	HSA_SOURCE_OUTBOX = 1, /* committed with a state change */
	HSA_SOURCE_USE,        /* an EP11 call: no state changed */
	HSA_SOURCE_SEALER      /* the log's own */
};
#define HSA_SOURCES 3

/* What an EP11 call was: the part of the envelope that IBM's event has no
 * field for. Never holds key material. */
struct hsa_use {
	uint32_t function;  /* enum hsa_fn */
	uint64_t mechanism; /* CKM_*, 0: none */
	bool has_key_id, has_session;
	uint8_t key_id[HSA_SHA256_LEN];  /* hash of the blob's public part */
	uint8_t session[HSA_SHA256_LEN]; /* login session */
	uint64_t bytes_in, bytes_out, duration_ns;
	bool length_only; /* the caller asked for a length only */
};
/* hsa_use_has_mech(u) - 0 is a mechanism where key pairs are made (of RSA), and
 * none elsewhere. */
bool hsa_use_has_mech(const struct hsa_use *u);

struct hsa_special {
	uint32_t category, specific;
	char *name, *text;
	struct hsa_data details;
	bool has_initiator;
	struct hsa_initiator initiator;
};

/* One call that names what it shares with others (hsa_contexts.h). */
struct hsa_compact {
	uint64_t context; /* sequence of the context's record */
	bool has_correlation_id;
	uint8_t correlation_id[HSA_UUID_LEN];
};

enum hsa_body {
	HSA_BODY_EVENT = 1,
	HSA_BODY_SPECIAL,
	HSA_BODY_CONTEXT, /* event, and session where there is one */
	HSA_BODY_COMPACT  /* unit_id and epoch are zero: the context's */
};

#define HSA_SKI_LEN 32

struct hsa_record {
	uint64_t sequence;
	uint8_t unit_id[HSA_UUID_LEN];
	uint64_t epoch, wall_ns, mono_ns;
	enum hsa_source source;
	uint64_t source_sequence;
	bool has_command_id;
	uint8_t command_id[HSA_UUID_LEN];
	char *ceremony_id, *ceremony_step;
	uint32_t command, ep11_rc, ep11_reason;
	uint8_t (*signer_id)[HSA_SKI_LEN];
	size_t signer_len;
	bool has_use;
	struct hsa_use use;
	enum hsa_body body;
	struct hsa_event event;
	struct hsa_special special;
	struct hsa_compact compact;
	bool has_session; /* of a context; calls have it in use */
	uint8_t session[HSA_SHA256_LEN];
};

void hsa_record_free(struct hsa_record *r);

/*
 * hsa_event_copy(to, from) - all of it; to is zeroed. hsa_data_copy the same.
 */
HSA_MUST_USE hsa_rc hsa_event_copy(
    struct hsa_event *to, const struct hsa_event *from);
HSA_MUST_USE hsa_rc hsa_data_copy(
    struct hsa_data *to, const struct hsa_data *from);
/* hsa_strdup_opt(to, s) - copy a string that may be NULL. */
HSA_MUST_USE hsa_rc hsa_strdup_opt(char **to, const char *s);
HSA_MUST_USE hsa_rc hsa_initiator_copy(
    struct hsa_initiator *to, const struct hsa_initiator *from);
void hsa_initiator_free(struct hsa_initiator *i);

#endif
