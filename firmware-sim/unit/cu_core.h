/*
 * cu_core.h - the inside of a crypto unit, for the files of this folder: the
 * unit itself, a command on its way through, and the steps it takes.
 */
#ifndef CU_CORE_H
#define CU_CORE_H
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "cu_fsm.h"
#include "cu_state.h"
#include "cu_stats.h"
#include "cu_store.h"
#include "cu_unit.h"
#include "cu_use.h"
#include "ep11_engine.h"
#include "hsa_buf.h"
#include "tke_oa.h"
#include "tke_part.h"
#include "tke_sig.h"

/* Calls and commands that were refused without a record. */
struct cu_lost {
	int fd;                        /* of their number's file */
	uint64_t calls;                /* since the start; under view */
	uint64_t before, before_epoch; /* of the run before */
};

struct cu_unit {
	struct cu_identity id;
	struct cu_backend backend;
	struct cu_sink sink;
	const struct cu_clock *clock;
	struct ep11_token token;         /* ops NULL: none */
	uint64_t epoch;                  /* of this start */
	char instance_id[HSA_UUID_TEXT]; /* of the CRN; "": no UUID in it */

	pthread_mutex_t command; /* one command at a time; guards: */
	struct cu_store *store;
	struct cu_state next; /* what the command would leave */
	uint64_t sealed;      /* source sequence known to be in the log */

	/* Calls hold it for reading until their record is left, so that a
	 * record stands before that of a change that it did not see; for
	 * writing, inside of command, it guards: */
	pthread_rwlock_t work;
	struct ep11_engine *engine; /* NULL: no EP11 functions */
	atomic_bool error_state;    /* halted by a self-test; set before */
	enum cu_emission mode;      /* of calls */
	uint64_t silent_from;       /* count of calls that left no event, when
				       they began to */

	struct cu_kinds kinds; /* has a lock of its own, inside of work */

	pthread_mutex_t view;     /* held briefly, inside of command; guards: */
	struct cu_state now;      /* what queries see: sealed state only */
	uint64_t unreadable;      /* requests that no record tells of yet */
	uint64_t unreadable_next; /* mono_ns of the next record, 0: at once */
	char halted[256];         /* "": working */
	/* set under view, read without */
	_Atomic uint32_t halted_status;
	struct cu_stats stats;
	struct cu_lost lost;
};

/* ---- a command on its way ------------------------------------------------ */

#define CU_SIGNERS_MAX 32 /* SignerInfos in one list */

struct cu_part {
	struct tke_admin_request q;
	struct tke_recipient recipient;
	uint32_t signers; /* administrators whose signature holds */
};

/* A command's input, decoded as far as it goes: what the event can tell even
 * of a refused command. */
struct cu_input {
	uint32_t rc, reason; /* what is wrong with it; rc 0: nothing */
	bool has_ski;        /* add, remove */
	uint8_t ski[TKE_SKI_LEN];
	bool has_attr;
	uint32_t present;           /* bit i: attribute i is in the input */
	struct tke_attributes attr; /* as they would stand afterwards */
	bool has_pattern;           /* commit, finalize */
	uint8_t pattern[32];
	bool has_kind;
	enum tke_importer_kind kind;
	bool has_points; /* control points: set, add, delete */
	uint8_t points[EP11_CP_LEN];
	struct cu_part part[CU_PARTS_MAX];
	size_t part_len;
};

enum cu_report {
	CU_REPORT_EVENT = 1, /* the row's event, or an ADMIN_FUNCTION record */
	CU_REPORT_REFUSED    /* a REQUEST_REFUSED record */
};

struct cu_cmd {
	struct cu_unit *u;
	const struct hsa_caller *caller;
	uint64_t wall_ns, mono_ns;

	struct tke_admin_request q;
	bool decoded; /* q is there */
	struct cu_input in;
	const struct cu_fsm_row *row;

	uint8_t signer[CU_ADMINS_MAX][TKE_SKI_LEN]; /* verified, distinct */
	size_t signer_len;
	uint32_t outer_signers;

	uint32_t http;       /* 200, or why the caller was turned away */
	uint32_t rc, reason; /* the module's answer */
	const char *text;    /* REQUEST_REFUSED: what was wrong */
	uint64_t requests;   /* that the record stands for; 0: this one */
	enum cu_report report;
	struct hsa_buf output; /* of a success */
};

/* cu_cmd_refuse(c, rc, reason) - refuse; the first refusal stands. Returns
 * HSA_OK, so that an action can end with it. */
hsa_rc cu_cmd_refuse(struct cu_cmd *c, uint32_t rc, uint32_t reason);

/* cu_cmd_begin(c, u, caller) - clock read, all else empty.
 * cu_cmd_free(c) - repeatable. */
void cu_cmd_begin(
    struct cu_cmd *c, struct cu_unit *u, const struct hsa_caller *caller);
void cu_cmd_free(struct cu_cmd *c);

/* cu_input_read(in, q, now) - decode the input of a known command. */
void cu_input_read(struct cu_input *in, const struct tke_admin_request *q,
    const struct cu_state *now);

/*
 * cu_quorum_signatures(c) - verify the outer list and those of embedded
 * parts; fills signer, outer_signers, part[].signers. Refuses 193, 257, 192
 * with reason 22, in this order; a good signature beside a bad one still
 * counts as a signer in the record.
 * cu_quorum_counter(c) - check the transaction counter (163/18, 163/19). A
 * valid one is taken into u->next when at least one signature was good or the
 * domain is in imprint mode, whatever becomes of the command: so a block that
 * an administrator signed is used up by its first attempt, while requests
 * that nobody signed can never move the counter of a domain in use.
 * cu_quorum_enough(c) - whether the row's signers are there (208/21, 208/9).
 */
hsa_rc cu_quorum_signatures(struct cu_cmd *c);
void cu_quorum_counter(struct cu_cmd *c);
void cu_quorum_enough(struct cu_cmd *c);

/* cu_attributes_check(reason, now, wanted, admins) - the rules of
 * ep11-tke-wire 10 and 12 for Set Domain Attributes; returns 0 or 209. */
uint32_t cu_attributes_check(uint32_t *reason, const struct tke_attributes *now,
    const struct tke_attributes *wanted, size_t admins);

/* cu_event_record(r, c) - the record of a decided command, but for source and
 * source sequence. r is zeroed, the caller's to free. */
HSA_MUST_USE hsa_rc cu_event_record(
    struct hsa_record *r, const struct cu_cmd *c, struct hsa_diag *diag);
/* cu_event_envelope(r, u, caller, wall_ns, mono_ns) - unit, epoch, times, and
 * what the caller said of command and ceremony.
 * cu_event_initiator(to, from, max), cu_event_text(to, s, max) - a caller's
 * words for a record: bounded, as UTF-8; NULL stays NULL. */
#define CU_TEXT_MAX 1024u
HSA_MUST_USE hsa_rc cu_event_envelope(struct hsa_record *r,
    const struct cu_unit *u, const struct hsa_caller *caller, uint64_t wall_ns,
    uint64_t mono_ns);
HSA_MUST_USE hsa_rc cu_event_initiator(
    struct hsa_initiator *to, const struct hsa_initiator *from, size_t max);
HSA_MUST_USE hsa_rc cu_event_text(char **to, const char *s, size_t max);
/* cu_event_special(r, u, code) - envelope and frame of a special record. */
HSA_MUST_USE hsa_rc cu_event_special(
    struct hsa_record *r, const struct cu_unit *u, enum hsa_special_code code);

/* cu_event_check(u, diag) - that events of this identity can be built at all:
 * E_ARG with a diagnosis for a location or CRN that the catalogue refuses. */
HSA_MUST_USE hsa_rc cu_event_check(
    const struct cu_unit *u, struct hsa_diag *diag);

/* ---- state and event as one ---------------------------------------------- */

/*
 * cu_journal_commit(u, r, diag) - commit u->next together with record r, seal
 * r, then make u->next what queries see. Under the command lock. Any failure
 * halts the unit: 503 when state could not be committed, 507 when the log
 * could not be written.
 * cu_journal_drain(u, diag) - at start: seal what the outbox still holds.
 * E_CORRUPT when state and log do not agree.
 */
HSA_MUST_USE hsa_rc cu_journal_commit(
    struct cu_unit *u, struct hsa_record *r, struct hsa_diag *diag);
/* cu_journal_commit_rows(u, r, rows, diag) - the same for a record whose change
 * is in other tables than the state's (rows), or that changes nothing (rows
 * NULL). */
HSA_MUST_USE hsa_rc cu_journal_commit_rows(struct cu_unit *u,
    struct hsa_record *r, const struct cu_rows *rows, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc cu_journal_drain(
    struct cu_unit *u, uint64_t *resealed, struct hsa_diag *diag);

/*
 * cu_lost_open(u, db, diag) - the number that the run before left; E_IO.
 * cu_lost_start(u, diag) - a LOST_EVENTS for it when it is not 0, then 0 for
 * this run; a RING_LOST when the sink says so. A kill in between leaves the
 * same record twice: of the same epoch.
 * cu_lost_add(u), cu_lost_calls(u) - of this run. cu_lost_close(u).
 */
HSA_MUST_USE hsa_rc cu_lost_open(
    struct cu_unit *u, const char *db, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc cu_lost_start(struct cu_unit *u, struct hsa_diag *diag);
void cu_lost_add(struct cu_unit *u);
uint64_t cu_lost_calls(struct cu_unit *u);
void cu_lost_close(struct cu_unit *u);

/* cu_unit_refuses(u, text) - as cu_unit_halted, and 507 while the log is at its
 * limit, which passes. cu_unit_turned_away(u) - count one that met it.
 * cu_unit_halt_log(u, rc) - 507, with the sink's cause and what to do. */
uint32_t cu_unit_refuses(struct cu_unit *u, struct hsa_buf *text);
void cu_unit_turned_away(struct cu_unit *u);
void cu_unit_halt_log(struct cu_unit *u, hsa_rc rc);

/* cu_unit_halt(u, status, cause) - for good; the first cause stands.
 * cu_unit_halted(u, text) - 0, or the status to answer with; text appended. */
void cu_unit_halt(struct cu_unit *u, uint32_t status, const char *cause);
uint32_t cu_unit_halted(struct cu_unit *u, struct hsa_buf *text);
void cu_unit_count(struct cu_unit *u, enum cu_stat which);
/* cu_unit_view(u, to) - a copy of what queries see. */
void cu_unit_view(struct cu_unit *u, struct cu_state *to);

/*
 * cu_command_run(c) - decide and carry out the command in c->q, or turn it
 * away when c->http or c->text say so, and leave its record. Takes the command
 * lock. s: out, the state that the answer shows. Any error has halted the
 * unit.
 */
HSA_MUST_USE hsa_rc cu_command_run(struct cu_cmd *c, struct cu_state *s);

/* ---- EP11 ---------------------------------------------------------------- */

/*
 * cu_ep11_open(u, diag) - the engine over u->token, at u->now; nothing without
 * a token. cu_ep11_close(u) - repeatable.
 * cu_ep11_status(u, st) - appends the engine's counters.
 * cu_ep11_concerned(u, next) - whether the engine works with anything in which
 * next differs from u->now.
 * cu_ep11_adopt(u, s) - let the engine go over to state s. Under work, for
 * writing. On failure the engine has no key: the unit must halt.
 */
HSA_MUST_USE hsa_rc cu_ep11_open(struct cu_unit *u, struct hsa_diag *diag);
void cu_ep11_close(struct cu_unit *u);
void cu_ep11_status(struct cu_unit *u, struct hsa_unit_status *st);
bool cu_ep11_concerned(const struct cu_unit *u, const struct cu_state *next);
HSA_MUST_USE hsa_rc cu_ep11_adopt(struct cu_unit *u, const struct cu_state *s);

/* cu_unreadable_rest(u) - a record of those that none tells of yet. */
void cu_unreadable_rest(struct cu_unit *u);

/* cu_emission_set(u, mode) - cu_unit_emission, under the command lock.
 * cu_emission_status(u, st) */
HSA_MUST_USE hsa_rc cu_emission_set(struct cu_unit *u, enum cu_emission mode);
void cu_emission_status(struct cu_unit *u, struct hsa_emission_status *st);

/* ---- answers ------------------------------------------------------------- */

/* cu_query_admin(u, rc, reason, out, q, s) - answer an unsigned admin query
 * from state s. */
void cu_query_admin(const struct cu_unit *u, uint32_t *rc, uint32_t *reason,
    struct hsa_buf *out, const struct tke_admin_request *q,
    const struct cu_state *s);
/* cu_domain_flags(s) - of domain information (ep11-tke-wire 5.2). */
uint32_t cu_domain_flags(const struct cu_state *s);
/*
 * cu_selftest_start(u, diag) - at each start: the test; a failed one leaves a
 * SELF_TEST_FAILED and halts the unit. passed: out, for UNIT_START.
 * cu_selftest_told(u, rv, sub) - a test on command gave rv: leave the record
 * that says so, and halt unless it was to fail. Takes the command lock.
 */
HSA_MUST_USE hsa_rc cu_selftest_start(
    struct cu_unit *u, uint32_t rv, struct hsa_diag *diag);
void cu_selftest_told(struct cu_unit *u, uint32_t rv, uint32_t sub);
/* cu_selftest(u, sub) - known answers of the token: CKR_OK, or
 * CKR_IBM_ERROR_STATE; sub 1: with an expectation that must fail. */
uint32_t cu_selftest(const struct cu_unit *u, uint32_t sub);
/* cu_query_info(u, rc, out, subtype, s) - get_xcp_info. */
hsa_rc cu_query_info(const struct cu_unit *u, uint32_t *rc, struct hsa_buf *out,
    uint32_t subtype, const struct cu_state *s);

/*
 * cu_block_answer(r, c) - what the module says to the block in c->q, query or
 * command: http_status 200 with response and signature, or with text why it
 * says nothing. Whatever brings the block (transport string, m_admin) goes
 * through here.
 */
HSA_MUST_USE hsa_rc cu_block_answer(
    struct hsa_block_reply *r, struct cu_cmd *c);

/*
 * cu_reply_block(u, r, s, command, rc, reason, output) - a response block
 * signed by the OA key; state s gives domain, module, counter.
 */
HSA_MUST_USE hsa_rc cu_reply_block(const struct cu_unit *u,
    struct hsa_block_reply *r, const struct cu_state *s, uint32_t command,
    uint32_t rc, uint32_t reason, const struct hsa_buf *output);
/*
 * Answers that are no module's: status and text. cu_reply_text - these words.
 * cu_reply_halted - 507 or 503. cu_reply_denied - the caller's 401 or 403.
 * cu_reply_refused - leave a REQUEST_REFUSED record for c; answered: the
 * reply is made (halted, denied), else the caller makes it.
 */
HSA_MUST_USE hsa_rc cu_reply_text(uint32_t *http, char **to, uint32_t status,
    const char *fmt, ...) HSA_PRINTF(4, 5);
HSA_MUST_USE hsa_rc cu_reply_halted(
    uint32_t *http, char **to, struct cu_unit *u);
HSA_MUST_USE hsa_rc cu_reply_denied(
    uint32_t *http, char **to, const struct cu_cmd *c);
HSA_MUST_USE hsa_rc cu_reply_refused(bool *answered, uint32_t *http, char **to,
    struct cu_cmd *c, const char *text);

/* cu_ids(domain, module, u, s) - the ids of section 5.3. */
void cu_ids(uint8_t domain[TKE_DOMAIN_LEN], uint8_t module[TKE_MODULE_LEN],
    const struct cu_unit *u, const struct cu_state *s);

/* cu_be32(to, v) - big-endian. */
static inline void
cu_be32(uint8_t to[4], uint32_t v)
{
	to[0] = (uint8_t)(v >> 24);
	to[1] = (uint8_t)(v >> 16);
	to[2] = (uint8_t)(v >> 8);
	to[3] = (uint8_t)v;
}

static inline uint32_t
cu_get_be32(const uint8_t p[4])
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

#endif
