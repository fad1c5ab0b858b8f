/*
 * helper_client.h - a small TKE client that talks straight to a unit's socket:
 * what crash tests drive a unit with. Shares the wire (tke/) with the unit,
 * nothing else. Not for several threads.
 */
#ifndef HELPER_CLIENT_H
#define HELPER_CLIENT_H
#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_buf.h"
#include "hsa_unit.h"
#include "tke_wire.h"

struct hc {
	char sock[200];
	int fd; /* -1: not connected */
	uint32_t module_index, domain_index;
	uint8_t domain[TKE_DOMAIN_LEN], module[TKE_MODULE_LEN];
	uint8_t counter[TKE_COUNTER_LEN];
};

struct hc_answer {
	bool replied; /* false: the connection broke, outcome unknown */
	uint32_t http_status, rc, reason;
	struct hsa_buf output;
	uint8_t command_id[HSA_UUID_LEN];
};

void hc_init(struct hc *c, const char *sock, uint32_t module_index,
    uint32_t domain_index);
void hc_close(struct hc *c);

/* Present identifiers and counter by a query; false: no answer. */
bool hc_refresh(struct hc *c);
/* Status of the unit; false: no answer. */
bool hc_status(struct hc *c, struct hsa_unit_status *st);
/*
 * One signed command with the counter of the last refresh plus one. Signs
 * with each key. Import: parts are given as separate inner inputs.
 */
void hc_command(struct hc *c, struct hc_answer *a, uint32_t command,
    const void *input, size_t n, EVP_PKEY *const *signer, size_t signers);
void hc_import(struct hc *c, struct hc_answer *a, const uint8_t (*part)[32],
    size_t parts, const void *importer_spki, size_t spki_len, EVP_PKEY *signer);
void hc_answer_free(struct hc_answer *a);

EVP_PKEY *hc_key_new(void); /* P-521 */

#endif
