/*
 * hsa_chain.h - a unit's log after one that was damaged: the name that it has,
 * and what its NEW_CHAIN record says of the one before (FORMAT.md 3, V11).
 */
#ifndef HSA_CHAIN_H
#define HSA_CHAIN_H
#include <stdbool.h>
#include <stdint.h>
#include "hsa_err.h"
#include "hsa_event.h"
#include "hsa_hash.h"

#define HSA_CHAIN_MAX 9999u
#define HSA_ORIGIN_TEXT 64 /* "cryptounit/<id>.<number>" and NUL */

/* hsa_origin_text(to, id, number) - of the unit's log with that number: the
 * first is 1, and has none in its name.
 * hsa_origin_number(number, id, origin) - and back; E_FORMAT: it is not such a
 * name, or another unit's. */
void hsa_origin_text(char to[HSA_ORIGIN_TEXT], const uint8_t id[HSA_UUID_LEN],
    unsigned int number);
HSA_MUST_USE hsa_rc hsa_origin_number(
    unsigned int *number, const uint8_t id[HSA_UUID_LEN], const char *origin);

/* Texts are owned; absent ones are NULL. */
struct hsa_chain {
	char *old_origin;
	/* how far the old log verifies: its last good checkpoint */
	uint64_t verified;
	uint8_t root[HSA_SHA256_LEN];
	uint64_t found; /* its records that are whole, good or not */
	/* what is wrong with it; NULL: nothing, somebody wanted a new one */
	char *rule, *place, *finding;
	uint64_t at; /* the record that was expected there */
	/* sources 1 and 2 go on behind these numbers */
	uint64_t outbox_last, use_last;
	/* changes that were sealed, and are neither in the part that verifies
	 * nor at hand to be sealed again; and at most so many calls */
	uint64_t outbox_lost, use_lost;
	char *by, *reason;
};

/*
 * hsa_chain_put(d, c) - as details of the record, appended. E_RANGE: a number
 * beyond 2^63 - 1.
 * hsa_chain_get(c, d) - from there; E_FORMAT: something is not there that has
 * to be, or is not of its type. c is zeroed, hsa_chain_free is the caller's.
 */
HSA_MUST_USE hsa_rc hsa_chain_put(
    struct hsa_data *d, const struct hsa_chain *c);
HSA_MUST_USE hsa_rc hsa_chain_get(
    struct hsa_chain *c, const struct hsa_data *d);
void hsa_chain_free(struct hsa_chain *c);

/* hsa_chain_of(c, r) - r is a NEW_CHAIN: what it says. E_NOT_FOUND: it is
 * another record. */
HSA_MUST_USE hsa_rc hsa_chain_of(
    struct hsa_chain *c, const struct hsa_record *r);

#endif
