/*
 * epc_attr.h - attributes by name: from --attr to templates, and from values
 * to text.
 */
#ifndef EPC_ATTR_H
#define EPC_ATTR_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ep11_pkcs11.h"
#include "epc_cli.h"
#include "hsa_buf.h"
#include "hsa_err.h"
#include "hsa_json.h"

enum epc_attr_kind {
	EPC_ATTR_BOOL = 1,
	EPC_ATTR_ULONG,
	EPC_ATTR_BYTES,
	EPC_ATTR_TEXT,
	EPC_ATTR_CLASS,
	EPC_ATTR_KEY_TYPE,
	EPC_ATTR_CURVE /* EC parameters, DER of an OID */
};

struct epc_attr_row {
	CK_ATTRIBUTE_TYPE type;
	const char *name; /* "CKA_SIGN" */
	enum epc_attr_kind kind;
	bool of_key;  /* a key blob can be asked for it */
	bool derived; /* a keystore reads it from the blob or the label */
};
/* epc_attr_row(i) - walk the table; NULL at its end. epc_attr_of(type). */
const struct epc_attr_row *epc_attr_row(size_t i);
const struct epc_attr_row *epc_attr_of(CK_ATTRIBUTE_TYPE type);

/* A template and the memory of its values; zeroed: empty. */
struct epc_template {
	CK_ATTRIBUTE a[OPT_LIST_MAX];
	struct hsa_buf value[OPT_LIST_MAX];
	CK_ULONG n;
};

/*
 * epc_template_add(t, text, diag) - one "NAME=VALUE". E_ARG with the fix.
 * epc_template_list(t, list, diag) - a whole list of them.
 * epc_template_put(t, type, p, n) - a value; epc_template_ulong likewise. What
 * is there already stays: a user's word goes before a default. E_RANGE: full.
 */
HSA_MUST_USE hsa_rc epc_template_add(
    struct epc_template *t, const char *text, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc epc_template_list(
    struct epc_template *t, const struct opt_list *list, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc epc_template_put(
    struct epc_template *t, CK_ATTRIBUTE_TYPE type, const void *p, size_t n);
HSA_MUST_USE hsa_rc epc_template_ulong(
    struct epc_template *t, CK_ATTRIBUTE_TYPE type, CK_ULONG v);
void epc_template_free(struct epc_template *t);

/* epc_attr_type(type, name, n, diag) - "CKA_SIGN", "sign", "0x108".
 * epc_attr_name(to, type) - "CKA_SIGN" or "0x80050001"; 24 bytes suffice. */
HSA_MUST_USE hsa_rc epc_attr_type(
    CK_ATTRIBUTE_TYPE *type, const char *name, size_t n, struct hsa_diag *diag);
void epc_attr_name(char to[48], CK_ATTRIBUTE_TYPE type);

/* epc_attr_text(b, type, p, n) - a value as --attr takes it, appended.
 * epc_attr_json(w, type, p, n) - as a member: true, a number, a text. */
void epc_attr_text(
    struct hsa_buf *b, CK_ATTRIBUTE_TYPE type, const void *p, size_t n);
void epc_attr_json(
    struct hsa_jw *w, CK_ATTRIBUTE_TYPE type, const void *p, size_t n);

/* epc_bytes(b, text, diag) - hexadecimal digits, or @FILE, or text:WORDS;
 * appended. epc_number(v, text, diag) - decimal or 0x. */
HSA_MUST_USE hsa_rc epc_bytes(
    struct hsa_buf *b, const char *text, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc epc_number(
    uint64_t *v, const char *text, struct hsa_diag *diag);

#endif
