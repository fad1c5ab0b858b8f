/*
 * tkc_select.h - which crypto units and which signature keys the next commands
 * work with: selection.json in the directory of local files.
 */
#ifndef TKC_SELECT_H
#define TKC_SELECT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"
#include "hsa_hash.h"
#include "tkc_files.h"

#define TKC_SELECT_MAX 64
#define TKC_UNIT_ID 65 /* characters of a unit's or instance's id, with NUL */

struct tkc_selection {
	char unit[TKC_SELECT_MAX][TKC_UNIT_ID];
	size_t units;
	uint8_t sigkey[TKC_SELECT_MAX][HSA_SHA256_LEN];
	size_t sigkeys;
};

/* tkc_selection_load - empty when there is no file. */
HSA_MUST_USE hsa_rc tkc_selection_load(
    struct tkc_selection *s, const struct tkc_files *f, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc tkc_selection_save(const struct tkc_selection *s,
    const struct tkc_files *f, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc tkc_selection_parse(
    struct tkc_selection *s, const char *text, size_t n, struct hsa_diag *diag);

bool tkc_selection_has_unit(const struct tkc_selection *s, const char *id);
/* add: present is success, E_FULL. remove: absent is success. */
HSA_MUST_USE hsa_rc tkc_selection_add_unit(
    struct tkc_selection *s, const char *id);
void tkc_selection_remove_unit(struct tkc_selection *s, const char *id);
bool tkc_selection_has_sigkey(
    const struct tkc_selection *s, const uint8_t ski[HSA_SHA256_LEN]);
HSA_MUST_USE hsa_rc tkc_selection_add_sigkey(
    struct tkc_selection *s, const uint8_t ski[HSA_SHA256_LEN]);
void tkc_selection_remove_sigkey(
    struct tkc_selection *s, const uint8_t ski[HSA_SHA256_LEN]);

#endif
