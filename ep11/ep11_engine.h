/*
 * ep11_engine.h - EP11 functions of one crypto unit: key blobs under its
 * master key, executed in its token. Knows nothing of sockets, callers or
 * events; what a record needs is left in the call.
 *
 * Any number of threads may call at once; ep11_engine_wk and
 * ep11_engine_control_points must not overlap with calls: the unit holds them
 * apart (it takes its lock for writing then).
 */
#ifndef EP11_ENGINE_H
#define EP11_ENGINE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ep11_token.h"
#include "hsa_call.h"
#include "hsa_err.h"

struct ep11_engine;

/* A master key, as the unit's state names it. */
struct ep11_wk_name {
	bool set;
	uint8_t object[16];  /* CKA_ID of its token object */
	uint8_t pattern[32]; /* verification pattern; first 16: the WK id */
};

/* cache: unwrapped keys kept as session objects, at most (0: 1024). */
HSA_MUST_USE hsa_rc ep11_engine_new(
    struct ep11_engine **e, struct ep11_token token, size_t cache);
void ep11_engine_free(struct ep11_engine *e); /* NULL-safe */

/*
 * ep11_engine_wk(e, current, next) - the registers as they stand now: next is
 * set when the new register is committed (RewrapKeyBlob re-enciphers to it).
 * Drops every cached key and, when the current key changed, every login.
 * E_TOKEN: the token does not give the key; the engine then has no key.
 */
HSA_MUST_USE hsa_rc ep11_engine_wk(struct ep11_engine *e,
    const struct ep11_wk_name *current, const struct ep11_wk_name *next);

/* Which control points are on (bit 0 = top bit of byte 0), and the domain's
 * compliance mode, which new keys carry. */
void ep11_engine_control_points(
    struct ep11_engine *e, const uint8_t cp[16], uint64_t compliance);

/*
 * ep11_engine_call(e, c) - carry out c->fn. Always leaves a c->rv; on anything
 * but CKR_OK no output but c->needed (with CKR_BUFFER_TOO_SMALL) and, for
 * GetAttributeValue, c->got. Applies length_only and room to the first output.
 */
void ep11_engine_call(struct ep11_engine *e, struct hsa_call *c);

struct ep11_engine_stats {
	uint64_t hits, misses, evictions;
	size_t cached, logins;
};
void ep11_engine_stats(struct ep11_engine *e, struct ep11_engine_stats *s);

/* What get_xcp_info tells of functions and mechanisms: 16-byte mask of the
 * function ids served (id 0 = top bit of byte 0); curves (query 10). */
void ep11_engine_functions(uint8_t mask[16]);

#endif
