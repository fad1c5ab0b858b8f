/*
 * hsa_catalogue.h - the table of hs-crypto actions (event.def): one row makes
 * the enum, the name, severity, typeURI, documented fields, and a line of the
 * generated documentation. Also the tables around it: HTTP statuses with their
 * severity, EP11 return and reason codes, special records.
 * Source: seeds/hpcs-audit-events (the user's document), catalogue.tsv.
 */
#ifndef HSA_CATALOGUE_H
#define HSA_CATALOGUE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"

struct hsa_buf;

enum hsa_action {
	HSA_ACTION_NONE = 0,
#define HSA_ACTION(code, NAME, ...) HSA_ACTION_##NAME = (code),
#include "event.def"
#undef HSA_ACTION
};

enum hsa_correlation {
	HSA_CORRELATION_REQUIRED = 1,
	HSA_CORRELATION_FORBIDDEN
};

struct hsa_action_row {
	enum hsa_action code;
	const char *name;   /* "hs-crypto.tke-cryptounit.reset" */
	const char *family; /* "tke" */
	const char *listed; /* "table" or "severity-only" */
	const char *description;
	const char *type_uri;
	const char *type_uri_source; /* "seed" or "inferred" */
	const char *severity;        /* of a success */
	const char *severity_source; /* "seed", "typo-fixed", "fallback" */
	bool data_event;
	bool success_is_200; /* else any 2xx */
	enum hsa_correlation correlation;
	const char *request_data; /* "name:type,name:type?", as documented */
	const char *response_data;
	const char *old_name; /* "" when never renamed */
	const char *notes;
};

/* Rows in the order of the user's document; *n is their number. */
const struct hsa_action_row *hsa_catalogue(size_t *n);
/* NULL when unknown. by_name does not take old names; by_old_name does. */
const struct hsa_action_row *hsa_catalogue_by_code(enum hsa_action code);
const struct hsa_action_row *hsa_catalogue_by_name(const char *name);
const struct hsa_action_row *hsa_catalogue_by_old_name(const char *name);

/* One documented field of request_data or response_data. */
struct hsa_field_spec {
	char name[64]; /* dots for nesting */
	char type[16]; /* "hex64", "hex64[]", "location", "int", ... */
	bool optional;
};
/*
 * hsa_field_spec_next(list, at, spec) - walk a row's list; *at starts at 0.
 * Returns false at the end. The table's own text is well-formed (tested).
 */
bool hsa_field_spec_next(
    const char *list, size_t *at, struct hsa_field_spec *spec);

/* ---- HTTP statuses (seed Table 21) --------------------------------------- */

struct hsa_status_row {
	uint32_t code;
	const char *phrase;   /* reasonType */
	const char *severity; /* "" when Table 21 does not list it */
};
const struct hsa_status_row *hsa_status(uint32_t code); /* NULL: unknown */

/* Which rule of catalogue-notes 2 decided. */
enum hsa_severity_rule {
	HSA_SEVERITY_TKE = 1, /* every TKE event is critical */
	HSA_SEVERITY_STATUS,  /* failure, status in Table 21 */
	HSA_SEVERITY_ACTION,  /* the action's row in Table 20 */
	HSA_SEVERITY_FALLBACK /* action not in Table 20: by verb, W01 */
};
/*
 * hsa_severity(row, status, rule) - "normal", "warning" or "critical"; rule,
 * when not NULL, says who decided.
 */
const char *hsa_severity(const struct hsa_action_row *row, uint32_t status,
    enum hsa_severity_rule *rule);

/* ---- EP11 codes (ep11-tke-wire 14) --------------------------------------- */

struct hsa_ep11_row {
	uint32_t rc;
	const char *name; /* "TEMPLATE_INCOMPLETE" */
	const char *text; /* what happened, for a person */
	uint32_t status;  /* HTTP status of the event */
};
struct hsa_reason_row {
	uint32_t reason;
	const char *name; /* "TOO_FEW_SIGNATURES" */
	const char *text; /* what exactly, and what to do */
};
/* NULL when no row has the code. */
const struct hsa_ep11_row *hsa_ep11(uint32_t rc);
const struct hsa_reason_row *hsa_reason(uint32_t reason);
/*
 * hsa_ep11_text(b, rc, reason) - the text of reasonForFailure, for instance
 * "too few signatures: fewer signatures than the quorum (return code 208
 * TEMPLATE_INCOMPLETE, reason code 21)". A reason of 0 is left out; a code
 * without a row shows its number.
 */
void hsa_ep11_text(struct hsa_buf *b, uint32_t rc, uint32_t reason);

/* What an EP11 call answers (ep11_use_rc.def). */
struct hsa_use_row {
	uint64_t rv;
	const char *name; /* "CKR_MECHANISM_INVALID" */
	const char *text;
	uint32_t status; /* HTTP status of the event */
};
/* hsa_ep11_use(rv) - NULL: not in the table, status 500.
 * hsa_ep11_use_text(b, function, rv, reason) - the text of reasonForFailure,
 * for instance "Sign: key is not valid (return value 0x00000060
 * CKR_KEY_HANDLE_INVALID)". */
const struct hsa_use_row *hsa_ep11_use(uint64_t rv);
void hsa_ep11_use_text(
    struct hsa_buf *b, const char *function, uint64_t rv, uint32_t reason);

enum {
#define HSA_EP11(NAME, rc, status, text) HSA_EP11_##NAME = (rc),
#include "ep11_rc.def"
#undef HSA_EP11
#define HSA_REASON(NAME, reason, text) HSA_REASON_##NAME = (reason),
#include "ep11_reason.def"
#undef HSA_REASON
};

/* ---- special records ----------------------------------------------------- */

enum hsa_special_code {
#define HSA_SPECIAL(NAME, category, specific, text) HSA_SPECIAL_##NAME,
#include "special.def"
#undef HSA_SPECIAL
	HSA_SPECIAL_COUNT
};
struct hsa_special_row {
	const char *name;            /* "UNIT_START" */
	uint32_t category, specific; /* XCP_LOGEV_*, XCP_LOGSPEV_* */
	const char *text;
};
const struct hsa_special_row *hsa_special(enum hsa_special_code code);

/* hsa_catalogue_markdown(b) - the generated documentation page. */
void hsa_catalogue_markdown(struct hsa_buf *b);

#endif
