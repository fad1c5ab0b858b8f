/*
 * tkc_fleet.h - the crypto units of one instance, as the server lists them,
 * and the trust in each: its OA certificate chain must lead to the root the
 * user named, and every admin answer must be signed by the key at its end.
 */
#ifndef TKC_FLEET_H
#define TKC_FLEET_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "tkc_http.h"
#include "tkc_select.h"
#include "tke_wire.h"

#define TKC_FLEET_MAX 64
#define TKC_LOCATION 128
#define TKC_ADMINS_MAX 64 /* of a list; a unit installs at most 8 */

struct evp_pkey_st;

enum tkc_unit_type {
	TKC_UNIT_OPERATIONAL = 1,
	TKC_UNIT_RECOVERY,
	TKC_UNIT_FAILOVER
};

struct tkc_unit {
	unsigned int number; /* as listed, from 1 */
	enum tkc_unit_type type;
	char id[TKC_UNIT_ID];
	char location[TKC_LOCATION];
	char serial[9];
	uint32_t module_index, domain_index;
	struct evp_pkey_st *oa_key; /* NULL until trusted */
};

struct tkc_fleet {
	struct tkc_http *http; /* not owned */
	struct evp_pkey_st *root;
	char instance[TKC_UNIT_ID];
	struct tkc_unit unit[TKC_FLEET_MAX];
	size_t len;
};

/*
 * tkc_fleet_open(f, http, instance, root_pem, diag) - list the units. instance
 * NULL: the only one that the server has (E_ARG when there are several).
 * root_pem: file with the public key that all chains must lead to.
 */
HSA_MUST_USE hsa_rc tkc_fleet_open(struct tkc_fleet *f, struct tkc_http *http,
    const char *instance, const char *root_pem, struct hsa_diag *diag);
void tkc_fleet_close(struct tkc_fleet *f);
/* tkc_fleet_parse(f, json, n, diag) - the answer of 2.2; fuzzed. */
HSA_MUST_USE hsa_rc tkc_fleet_parse(
    struct tkc_fleet *f, const char *json, size_t n, struct hsa_diag *diag);
/* tkc_location_parse(module, domain, text) - the last two of four parts. */
HSA_MUST_USE hsa_rc tkc_location_parse(
    uint32_t *module, uint32_t *domain, const char *text);
const char *tkc_unit_type_name(enum tkc_unit_type t); /* "operational" */

/*
 * tkc_fleet_find(u, f, text, diag) - by number, location, id or serial.
 */
HSA_MUST_USE hsa_rc tkc_fleet_find(struct tkc_unit **u, struct tkc_fleet *f,
    const char *text, struct hsa_diag *diag);

/* An admin answer whose signature, module and command were checked; slices
 * point into cprb. */
struct tkc_answer {
	struct hsa_buf cprb;
	struct tke_admin_reply reply;
};
void tkc_answer_free(struct tkc_answer *a);

/*
 * tkc_fleet_trust(f, u, diag) - walk the chain once per unit; everything below
 * does it first. E_SIGNATURE.
 * tkc_fleet_admin(f, u, a, block, signatures, command, diag) - one admin
 * request and its verified answer. Success also for a refusal: see
 * a->reply.rc. E_SIGNATURE for an answer that cannot be trusted.
 * tkc_fleet_query - the same for an unsigned query; a refusal is E_REMOTE.
 * tkc_fleet_info - get_xcp_info, which carries no signature.
 */
HSA_MUST_USE hsa_rc tkc_fleet_trust(
    struct tkc_fleet *f, struct tkc_unit *u, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc tkc_fleet_admin(struct tkc_fleet *f, struct tkc_unit *u,
    struct tkc_answer *a, struct tke_slice block, struct tke_slice signatures,
    uint32_t command, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc tkc_fleet_query(struct tkc_fleet *f, struct tkc_unit *u,
    struct tkc_answer *a, uint32_t query, struct tke_slice input,
    struct hsa_diag *diag);
HSA_MUST_USE hsa_rc tkc_fleet_info(struct tkc_fleet *f, struct tkc_unit *u,
    struct tke_domain_info *info, struct hsa_diag *diag);

#endif
