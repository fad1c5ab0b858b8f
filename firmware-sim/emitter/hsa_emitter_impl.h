/*
 * hsa_emitter_impl.h - struct hsa_emitter and what its files share. Private to
 * emitter/ and its tests.
 */
#ifndef HSA_EMITTER_IMPL_H
#define HSA_EMITTER_IMPL_H
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include "hsa_emitter.h"
#include "hsa_event.h"
#include "slog.h"

struct chan;

#define HSA_EMITTER_TEXT_MAX 4096u
#define HSA_EMITTER_NAME_MAX 64
#define HSA_EMITTER_ORIGIN_MAX 64

/* The folder: its lock, its identity, its key. Zeroed: closed. */
struct hsa_emitter_home {
	int dir, lock; /* descriptors; valid when open */
	bool open;
	uint8_t id[HSA_UUID_LEN];
	char origin[HSA_EMITTER_ORIGIN_MAX];
	uint8_t public_key[32];
	void *key; /* EVP_PKEY of checkpoint.key; NULL: the caller signs */
	hsa_emitter_sign *sign;
	void *sign_ctx;
};

/*
 * hsa_emitter_home_open(h, cfg, diag) - make or find the folder, take its
 * lock, make or load key and identity. What is made is on stable storage when
 * it returns, the verifier key after the key. Errors as hsa_emitter_open.
 */
HSA_MUST_USE hsa_rc hsa_emitter_home_open(struct hsa_emitter_home *h,
    const struct hsa_emitter_config *cfg, struct hsa_diag *diag);
void hsa_emitter_home_close(struct hsa_emitter_home *h);

/*
 * hsa_emitter_key_load(h, make, diag) - h->key and h->public_key from
 * checkpoint.key in h->dir, made when absent if `make`. E_KEY: absent, open to
 * others, or no Ed25519 key.
 * hsa_emitter_key_sign: a hsa_emitter_sign with h as its ctx.
 */
HSA_MUST_USE hsa_rc hsa_emitter_key_load(
    struct hsa_emitter_home *h, bool make, struct hsa_diag *diag);
hsa_rc hsa_emitter_key_sign(
    void *h, uint8_t sig[64], const void *msg, size_t n);
void hsa_emitter_key_free(struct hsa_emitter_home *h);

/* hsa_emitter_file_read(b, dir, name, max, forbidden) - E_NOT_FOUND, E_RANGE,
 * E_IO with errno; E_AUTH: no file of ours, or with permissions forbidden.
 * hsa_emitter_file_make(dir, name, p, n) - under another name first, so that
 * it is there whole or not at all; durable. E_IO with errno. */
HSA_MUST_USE hsa_rc hsa_emitter_file_read(
    struct hsa_buf *b, int dir, const char *name, size_t max, mode_t forbidden);
HSA_MUST_USE hsa_rc hsa_emitter_file_make(
    int dir, const char *name, const void *p, size_t n);

struct hsa_emitter {
	struct hsa_emitter_home home;
	enum hsa_emitter_mode mode;
	char *name;
	int drain_ms, wait_ms;
	unsigned int generation; /* of hsa_emitter_generation at open */
	uint64_t epoch;
	struct slog *log;
	struct cu_sink sink;

	atomic_bool closed;
	atomic_uint refs; /* the owner, contexts */

	/* lost: of unrecorded, those that the ring has not counted */
	atomic_ullong emitted, refused, unrecorded, lost, not_sealed;

	pthread_mutex_t channels; /* chan, chans */
	struct chan *chan[HSA_EMITTER_COLLECTORS_MAX];
	size_t chans;
};

struct hsa_emitter_context {
	struct hsa_emitter *e;
	enum hsa_emitter_mode mode;
	char *log_source_crn, *target_id, *target_name, *correlation_id;
	struct hsa_initiator initiator;
};

/* hsa_emitter_alive(e, diag) - E_STATE in a forked child, E_CLOSED. */
HSA_MUST_USE hsa_rc hsa_emitter_alive(
    const struct hsa_emitter *e, struct hsa_diag *diag);
/* hsa_emitter_unref(e) - the last one frees what is left of it. */
void hsa_emitter_unref(struct hsa_emitter *e);

/* hsa_emitter_now(clock) - ns. */
uint64_t hsa_emitter_now(clockid_t clock);

/*
 * hsa_emitter_open_log(e, cfg, diag) - with the ring, if there is one; what was
 * left in it is sealed. Sets log, sink, epoch.
 * hsa_emitter_start(e, diag) - the first records of an epoch.
 * hsa_emitter_special(e, code, count, diag) - count: of events that the log did
 * not get, where the record is about that.
 * hsa_emitter_tell_lost(e, more, diag) - a record of what the ring refused and
 * `more`, if there is any.
 * hsa_emitter_log_failed(e, rc, diag) - rc, with the log's own reason.
 */
HSA_MUST_USE hsa_rc hsa_emitter_open_log(struct hsa_emitter *e,
    const struct hsa_emitter_config *cfg, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc hsa_emitter_start(
    struct hsa_emitter *e, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc hsa_emitter_special(struct hsa_emitter *e,
    enum hsa_special_code code, uint64_t count, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc hsa_emitter_tell_lost(
    struct hsa_emitter *e, uint64_t more, struct hsa_diag *diag);
hsa_rc hsa_emitter_log_failed(
    struct hsa_emitter *e, hsa_rc rc, struct hsa_diag *diag);

/* hsa_emitter_envelope(r, e) - all but source, number and body; times: now. */
void hsa_emitter_envelope(struct hsa_record *r, const struct hsa_emitter *e);

/* hsa_emitter_seal(e, sequence, number, r, diag) - into the log, in r's source:
 * OUTBOX waits until it is durable, USE goes through the ring and has no
 * sequence yet. r->source_sequence is 0. E_IO, E_CLOSED, E_TIMEOUT. */
HSA_MUST_USE hsa_rc hsa_emitter_seal(struct hsa_emitter *e, uint64_t *sequence,
    uint64_t *number, const struct hsa_record *r, struct hsa_diag *diag);

/*
 * hsa_emitter_ring_name(b, e, cfg, diag) - the file of the ring that the mode
 * wants; empty when it wants none. E_CONFIG, E_RANGE, E_IO.
 * hsa_emitter_ring_slots(slots, bytes, diag) - E_ARG: too many.
 */
HSA_MUST_USE hsa_rc hsa_emitter_ring_name(struct hsa_buf *b,
    const struct hsa_emitter *e, const struct hsa_emitter_config *cfg,
    struct hsa_diag *diag);
HSA_MUST_USE hsa_rc hsa_emitter_ring_slots(
    uint32_t *slots, size_t bytes, struct hsa_diag *diag);

/* hsa_emitter_unrecorded_read(n, e, diag), hsa_emitter_unrecorded_write(e, n) -
 * events of a run whose log was closed, for the next one to tell of; 0: told.
 * What cannot be written is known to those who emitted. */
HSA_MUST_USE hsa_rc hsa_emitter_unrecorded_read(
    uint64_t *n, const struct hsa_emitter *e, struct hsa_diag *diag);
void hsa_emitter_unrecorded_write(struct hsa_emitter *e, uint64_t n);

/* hsa_emitter_text(s, what, diag) - E_ARG, E_RANGE: what is wrong with it. */
HSA_MUST_USE hsa_rc hsa_emitter_text(
    const char *s, const char *what, struct hsa_diag *diag);

#endif
