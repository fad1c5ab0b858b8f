/*
 * hsa_emitter.h - audit events of one's own, sealed: for any service or
 * firmware that stands in front of a crypto unit. It opens an emitter, says
 * once who acts on what, and emits events of the catalogue (hsa_catalogue.h);
 * names, severity, message and the form of each field come from there.
 *
 * An emitter is a folder with a sealed log (FORMAT.md): what the audit tools
 * verify, collect, follow and export as they do a crypto unit's. In it:
 *
 *     checkpoint.key   its signing key, 0600, made at the first open
 *     checkpoint.pub   the verifier key: give it to who verifies and collects
 *     lock, log/       one process at a time; the records
 *     ring             where the ring is, while there is one
 *     unrecorded       how many events the log does not tell of yet
 *
 * Opening a folder again after any end, kill -9 too, loses nothing that was
 * promised and doubles nothing. A failure of the disk closes the log for good
 * and every call says so: a service that must be audited stops then, and
 * goes on when opening the folder succeeds again.
 *
 * A log keeps all that was ever emitted, some 1,000 bytes an event: there is no
 * limit and no release of old files here, as a crypto unit's log has them.
 * Whose disk must not fill up closes the emitter once every collector has
 * acknowledged log_size (hsa_emitter_status) and its copy verifies, moves the
 * folder away as a whole, and opens a new one: another log, with another
 * emitter_id (never the one that was used before) and, where the key is a file,
 * another key. The moved one verifies as before.
 *
 * Conventions. Functions that can fail return an hsa_rc, which hsa_is_ok
 * tests; hsa_err.h names the errors and what each asks of the caller. diag may
 * be NULL; otherwise it holds, after a failure, the cause and the fix for a
 * person to read. Strings are UTF-8, NUL-terminated, at most 4,096 bytes,
 * without control characters. The library copies what it is given and keeps no
 * pointer to it, unless said here. `reserved` members stay 0. Times are
 * nanoseconds since 1970-01-01T00:00:00Z, lengths bytes.
 *
 * Threads. emit, flush, renew and status may be called by any number of threads
 * on one emitter and one context; open, connect, close and the making and
 * freeing of a context by one at a time. The library's threads block all
 * signals. A child after fork cannot use an emitter of its parent (E_STATE);
 * closing it there forgets it and touches nothing. The child may open a folder
 * of its own. As long as it lives and has not called exec, it keeps the
 * parent's locked.
 */
#ifndef HSA_EMITTER_H
#define HSA_EMITTER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_catalogue.h"
#include "hsa_err.h"
#include "hsa_hash.h"

/* ---- opening ------------------------------------------------------------- */

struct hsa_emitter;

/*
 * What is promised when hsa_emitter_emit returns success. One emitter may have
 * contexts of both: what one thread emits is in the log in that order.
 */
enum hsa_emitter_mode {
	/* The event is on stable storage under a signed checkpoint: it
	 * survives a power cut. Those who wait at the same time share one
	 * write, sync and signature. */
	HSA_EMITTER_SEALED = 1,
	/* The event is in memory that outlives the process: it survives
	 * kill -9 of everything, not a reboot. Sealed within some 50 ms. */
	HSA_EMITTER_RING,
	/* Nothing: what an event costs without recording it, for measuring
	 * alone. Refused without `measuring`. The log says from when to when
	 * and how many events it did not get. */
	HSA_EMITTER_OFF
};

/*
 * Signs n bytes with the Ed25519 key of checkpoints, where that key is not a
 * file: in an HSM. Called by one thread at a time, the sealing thread mostly;
 * it may block, and all that is sealed waits for it. An error closes the log
 * for good.
 */
typedef hsa_rc hsa_emitter_sign(
    void *ctx, uint8_t sig[64], const void *msg, size_t n);

struct hsa_emitter_config {
	const char *dir;  /* made if absent, 0700; its parent exists */
	const char *name; /* of the service, for its start and stop records */
	enum hsa_emitter_mode mode; /* of contexts that say nothing */
	bool measuring;             /* HSA_EMITTER_OFF is meant */
	int wait_ms;  /* longest wait for room in the ring; 0: 5 s */
	int drain_ms; /* longest wait at close for a collector; 0: 2 s */
	const char *ring_dir; /* where rings are, on tmpfs; NULL: /dev/shm */
	size_t ring_bytes;    /* of a new ring; 0: 8 MiB. An event takes some
				 1,000 */
	/* all three, or none: then the key is checkpoint.key */
	hsa_emitter_sign *sign;
	void *sign_ctx;            /* kept: valid until close */
	const uint8_t *public_key; /* 32 bytes */
	/* UUID by which the log is known, 16 bytes; NULL: a random one. A
	 * folder keeps the one it was made with. */
	const uint8_t *emitter_id;
	uint64_t reserved[8];
};

/*
 * hsa_emitter_open(e, cfg, diag) - make or reopen the folder, recover the log,
 * seal what a killed process left in the ring, then the record UNIT_START (a
 * new epoch); LOST_EVENTS with the number of events that could not be recorded
 * before, if any; RING_LOST when a ring is gone that may have held some, or is
 * not this emitter's and was set aside.
 * E_ARG: cfg is not complete; E_BUSY: another process has the folder; E_KEY:
 * the key is not the log's, or its file is missing or open to others;
 * E_CORRUPT: the log is damaged (`hsa verify` says where); E_IO: the folder
 * cannot be written; E_CONFIG: mode off without `measuring`, or emitter_id is
 * not the folder's. diag on success: empty, or what recovery found and did.
 *
 * hsa_emitter_close(e) - seal what was emitted and UNIT_STOP, wait for
 * connected collectors, release; NULL-safe. No other call on e or its contexts
 * may be running. Contexts are freed by their owner, before or after.
 */
HSA_MUST_USE hsa_rc hsa_emitter_open(struct hsa_emitter **e,
    const struct hsa_emitter_config *cfg, struct hsa_diag *diag);
void hsa_emitter_close(struct hsa_emitter *e);

/*
 * What a collector over TLS needs (FORMAT.md C6 to C8). Files are read for each
 * connection, so a renewed certificate is used from the next one on.
 */
struct hsa_emitter_tls {
	const char *ca;       /* PEM: the authority of both sides */
	const char *identity; /* PEM, 0600: key, certificate, its chain. The
				 certificate is for TLS clients and has the URI
				 urn:uuid:<the emitter's id> */
	const char *name;     /* DNS name in the collector's certificate */
	uint64_t reserved[4];
};

/*
 * hsa_emitter_connect(e, name, address, tls, diag) - send the log to a
 * collector (`hsa collect`) from now on, in a thread of its own: all of it from
 * where the collector's copy ends. name: for the status. address: "unix:PATH",
 * tls NULL; or "tls:HOST:PORT". At most 8. Nobody waits for a collector that is
 * slow or away; the channel tries again for ever, and the status says why.
 * E_ARG, E_UNSUPPORTED: the address, or tls; E_FULL: too many.
 * hsa_emitter_renew(e) - end the connections over TLS and make new ones, with
 * the files as they are now.
 */
HSA_MUST_USE hsa_rc hsa_emitter_connect(struct hsa_emitter *e, const char *name,
    const char *address, const struct hsa_emitter_tls *tls,
    struct hsa_diag *diag);
void hsa_emitter_renew(struct hsa_emitter *e);

/* ---- contexts ------------------------------------------------------------ */

struct hsa_emitter_context;

/* What many events share. An event may name a target and correlation id of its
 * own instead. */
struct hsa_emitter_context_config {
	enum hsa_emitter_mode mode;  /* SEALED, or RING where the emitter's mode
					is; 0: the emitter's */
	const char *log_source_crn;  /* of the service's instance */
	const char *target_id;       /* CRN of what is acted on */
	const char *target_name;     /* may be "" */
	const char *correlation_id;  /* NULL: events bring theirs */
	const char *initiator_id;    /* "IBMid-...", "iam-ServiceId-..." */
	const char *initiator_name;  /* NULL: "" */
	const char *initiator_type;  /* "service/security/account/user" */
	const char *credential_type; /* "token", "apikey", "certificate" */
	const char *host_address;    /* NULL: private network */
	const char *host_address_type; /* "IPv4", "IPv6"; NULL: not said */
	const char *host_agent;        /* NULL: not said */
	uint64_t reserved[8];
};

/*
 * hsa_emitter_context(c, e, cfg, diag) - what is there is checked and copied;
 * a context does not change. E_ARG names the member and what it should be.
 * hsa_emitter_context_free(c) - NULL-safe; no emit with it may be running.
 */
HSA_MUST_USE hsa_rc hsa_emitter_context(struct hsa_emitter_context **c,
    struct hsa_emitter *e, const struct hsa_emitter_context_config *cfg,
    struct hsa_diag *diag);
void hsa_emitter_context_free(struct hsa_emitter_context *c);

/* ---- events -------------------------------------------------------------- */

enum hsa_emitter_member {
	HSA_EMITTER_REQUEST = 1, /* of requestData */
	HSA_EMITTER_RESPONSE     /* of responseData */
};
enum hsa_emitter_form {
	HSA_EMITTER_TEXT = 1,
	HSA_EMITTER_INTEGER,
	HSA_EMITTER_BOOLEAN,
	HSA_EMITTER_HEX,      /* bytes, as lower-case hex digits */
	HSA_EMITTER_HEX_LIST, /* count times len bytes, back to back */
	HSA_EMITTER_UUID,     /* 16 bytes, as a UUID's text */
	HSA_EMITTER_TIME      /* ns, as RFC 3339 */
};

/* One member of requestData or responseData, by the macros below. name as the
 * catalogue has it, dots for nesting ("newValue.keyState"). A text or bytes
 * of NULL leave the member out. Only read during the call. */
struct hsa_emitter_field {
	enum hsa_emitter_member member; /* 0 ends the list */
	enum hsa_emitter_form form;
	const char *name;
	const char *text;
	const uint8_t *bytes;
	size_t len, count;
	int64_t number; /* integer, boolean, time */
};

#define HSA_FIELD_TEXT(m, n, t)                                                \
	{                                                                      \
		HSA_EMITTER_##m, HSA_EMITTER_TEXT, (n), (t), 0, 0, 0, 0        \
	}
#define HSA_FIELD_NUMBER(m, f, n, v)                                           \
	{                                                                      \
		HSA_EMITTER_##m, HSA_EMITTER_##f, (n), 0, 0, 0, 0, (v)         \
	}
#define HSA_FIELD_BYTES(m, f, n, p, len, count)                                \
	{                                                                      \
		HSA_EMITTER_##m, HSA_EMITTER_##f, (n), 0, (p), (len), (count), \
		    0                                                          \
	}

#define HSA_REQUEST_TEXT(name, text) HSA_FIELD_TEXT(REQUEST, name, text)
#define HSA_REQUEST_INTEGER(name, v) HSA_FIELD_NUMBER(REQUEST, INTEGER, name, v)
#define HSA_REQUEST_BOOLEAN(name, v) HSA_FIELD_NUMBER(REQUEST, BOOLEAN, name, v)
#define HSA_REQUEST_TIME(name, ns) HSA_FIELD_NUMBER(REQUEST, TIME, name, ns)
#define HSA_REQUEST_UUID(name, p) HSA_FIELD_BYTES(REQUEST, UUID, name, p, 16, 1)
#define HSA_REQUEST_HEX(name, p, len)                                          \
	HSA_FIELD_BYTES(REQUEST, HEX, name, p, len, 1)
#define HSA_REQUEST_HEX_LIST(name, p, len, count)                              \
	HSA_FIELD_BYTES(REQUEST, HEX_LIST, name, p, len, count)
#define HSA_RESPONSE_TEXT(name, text) HSA_FIELD_TEXT(RESPONSE, name, text)
#define HSA_RESPONSE_INTEGER(name, v)                                          \
	HSA_FIELD_NUMBER(RESPONSE, INTEGER, name, v)
#define HSA_RESPONSE_BOOLEAN(name, v)                                          \
	HSA_FIELD_NUMBER(RESPONSE, BOOLEAN, name, v)
#define HSA_RESPONSE_TIME(name, ns) HSA_FIELD_NUMBER(RESPONSE, TIME, name, ns)
#define HSA_RESPONSE_UUID(name, p)                                             \
	HSA_FIELD_BYTES(RESPONSE, UUID, name, p, 16, 1)
#define HSA_RESPONSE_HEX(name, p, len)                                         \
	HSA_FIELD_BYTES(RESPONSE, HEX, name, p, len, 1)
#define HSA_RESPONSE_HEX_LIST(name, p, len, count)                             \
	HSA_FIELD_BYTES(RESPONSE, HEX_LIST, name, p, len, count)
#define HSA_FIELDS_END                                                         \
	{                                                                      \
		0, 0, 0, 0, 0, 0, 0, 0                                         \
	}

struct hsa_emitter_event {
	enum hsa_action action;  /* HSA_ACTION_SECRETS_ROTATE, ...; or 0 and */
	const char *action_name; /* "hs-crypto.secrets.rotate" */
	uint32_t status;         /* HTTP status of the answer; 2xx: success */
	const char *reason;      /* why it failed; needed when it did */
	const char *target_id, *target_name;   /* NULL: the context's */
	const char *correlation_id;            /* NULL: the context's */
	uint64_t time_ns;                      /* when it happened; 0: now */
	const struct hsa_emitter_field *field; /* ended by HSA_FIELDS_END, or
						  NULL: none */
	uint64_t reserved[4];
};

#define HSA_EMITTER_NOT_YET UINT64_MAX

struct hsa_emitter_receipt {
	uint8_t event_id[HSA_UUID_LEN];
	char event_id_text[HSA_UUID_TEXT]; /* "id" of the exported event */
	uint64_t time_ns;                  /* of the event */
	/* number of the record in the log; RING: HSA_EMITTER_NOT_YET */
	uint64_t sequence;
	/* number among the records that came to the log in the same way, which
	 * is its source_sequence: known in either mode */
	uint64_t number;
};

/*
 * hsa_emitter_emit(c, receipt, ev, diag) - one event. receipt may be NULL and
 * is written on success only.
 * Nothing is recorded after E_ARG, E_RANGE (the caller's event is wrong: the
 * action is unknown, a documented member is missing or has another form, a
 * failure has no reason, a text is not UTF-8 or too long; counted as refused),
 * E_TIMEOUT (the ring stayed full; counted as unrecorded), E_NOMEM, E_STATE
 * (in a forked child), E_CLOSED (the emitter is closed).
 * E_IO: the log is closed for good; whether this event is in it is open until
 * the folder is opened again, later ones are not and count as unrecorded. A
 * service whose audit is a duty must not answer its caller after these.
 * Blocks: SEALED until the next sync and signature end, RING not, unless the
 * ring is full (wait_ms).
 * A correlation id of the context is left away where the catalogue has none;
 * one of the event is refused there.
 */
HSA_MUST_USE hsa_rc hsa_emitter_emit(struct hsa_emitter_context *c,
    struct hsa_emitter_receipt *receipt, const struct hsa_emitter_event *ev,
    struct hsa_diag *diag);

/*
 * hsa_emitter_flush(e, diag) - until everything that was emitted before, in
 * any mode and by any thread, is on stable storage under a checkpoint. E_IO
 * as above.
 */
HSA_MUST_USE hsa_rc hsa_emitter_flush(
    struct hsa_emitter *e, struct hsa_diag *diag);

/* ---- status -------------------------------------------------------------- */

#define HSA_EMITTER_COLLECTORS_MAX 8

struct hsa_emitter_collector {
	char name[64];
	bool connected;
	uint64_t acknowledged; /* records that it has stored and verified */
	char last_error[160];  /* empty: none */
};

struct hsa_emitter_status {
	uint8_t emitter_id[HSA_UUID_LEN];
	enum hsa_emitter_mode mode;
	uint64_t epoch;    /* opens of this folder, this one counted */
	uint64_t log_size; /* records on stable storage under a checkpoint */
	uint8_t log_root[HSA_SHA256_LEN];
	/* since this open */
	uint64_t emitted;    /* successes of emit */
	uint64_t refused;    /* E_ARG, E_RANGE */
	uint64_t unrecorded; /* events lost to the log: any other failure */
	uint64_t not_sealed; /* emitted in OFF */
	uint64_t ring_size, ring_used; /* bytes; 0: no ring */
	char halted[1024]; /* why the log is closed; empty: it works */
	struct hsa_emitter_collector collector[HSA_EMITTER_COLLECTORS_MAX];
	size_t collectors;
	uint64_t reserved[16];
};

/* hsa_emitter_status(e, st) - all zeros in a forked child. */
void hsa_emitter_status(struct hsa_emitter *e, struct hsa_emitter_status *st);

#endif
