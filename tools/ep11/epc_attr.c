#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ep11_attr.h"
#include "ep11_key.h"
#include "epc_attr.h"
#include "epc_file.h"
#include "hsa_hash.h"
#include "hsa_ks.h"
#include "hsa_utf8.h"

#define VALUE_MAX 16384u

/* ---- tables -------------------------------------------------------------- */

/* The booleans of a key come from the engine's own table. */
static const struct epc_attr_row others[] = {
    {CKA_CLASS, "CKA_CLASS", EPC_ATTR_CLASS, true, true},
    {CKA_KEY_TYPE, "CKA_KEY_TYPE", EPC_ATTR_KEY_TYPE, true, true},
    {CKA_VALUE_LEN, "CKA_VALUE_LEN", EPC_ATTR_ULONG, true, true},
    {CKA_MODULUS_BITS, "CKA_MODULUS_BITS", EPC_ATTR_ULONG, true, true},
    {CKA_PRIME_BITS, "CKA_PRIME_BITS", EPC_ATTR_ULONG, false, false},
    {CKA_EC_PARAMS, "CKA_EC_PARAMS", EPC_ATTR_CURVE, true, true},
    {CKA_PUBLIC_EXPONENT, "CKA_PUBLIC_EXPONENT", EPC_ATTR_BYTES, false, false},
    {CKA_IBM_STD_COMPLIANCE1, "CKA_IBM_STD_COMPLIANCE1", EPC_ATTR_ULONG, true,
	false},
    {CKA_PUBLIC_KEY_INFO, "CKA_PUBLIC_KEY_INFO", EPC_ATTR_BYTES, false, false},
    {CKA_CHECK_VALUE, "CKA_CHECK_VALUE", EPC_ATTR_BYTES, false, false},
    {CKA_IBM_STRUCT_PARAMS, "CKA_IBM_STRUCT_PARAMS", EPC_ATTR_BYTES, false,
	false},
    {CKA_PRIME, "CKA_PRIME", EPC_ATTR_BYTES, false, false},
    {CKA_SUBPRIME, "CKA_SUBPRIME", EPC_ATTR_BYTES, false, false},
    {CKA_BASE, "CKA_BASE", EPC_ATTR_BYTES, false, false},
    {CKA_LABEL, "CKA_LABEL", EPC_ATTR_TEXT, false, true},
    {CKA_ID, "CKA_ID", EPC_ATTR_BYTES, false, false},
    {CKA_SUBJECT, "CKA_SUBJECT", EPC_ATTR_BYTES, false, false},
    {CKA_TOKEN, "CKA_TOKEN", EPC_ATTR_BOOL, false, false},
    {CKA_PRIVATE, "CKA_PRIVATE", EPC_ATTR_BOOL, false, false},
    {CKA_SENSITIVE, "CKA_SENSITIVE", EPC_ATTR_BOOL, false, false},
    {CKA_START_DATE, "CKA_START_DATE", EPC_ATTR_TEXT, false, false},
    {CKA_END_DATE, "CKA_END_DATE", EPC_ATTR_TEXT, false, false},
    {HSA_KS_CKA_TOKEN_LABEL, "CKA_GREP11_TOKEN_LABEL", EPC_ATTR_TEXT, false,
	true},
    {HSA_KS_CKA_WKID, "CKA_GREP11_WKID", EPC_ATTR_BYTES, false, true},
};
#define OTHERS (sizeof(others) / sizeof(others[0]))

static const struct {
	const char *name;
	CK_ULONG v;
} classes[] = {{"public", CKO_PUBLIC_KEY}, {"private", CKO_PRIVATE_KEY},
    {"secret", CKO_SECRET_KEY}},
  types[] = {{"rsa", CKK_RSA}, {"dsa", CKK_DSA}, {"dh", CKK_DH}, {"ec", CKK_EC},
      {"generic", CKK_GENERIC_SECRET}, {"des", CKK_DES}, {"des2", CKK_DES2},
      {"des3", CKK_DES3}, {"aes", CKK_AES}};

const struct epc_attr_row *
epc_attr_row(size_t i)
{
	static struct epc_attr_row row;
	size_t n = 0;
	const struct ep11_bool_row *b = ep11_bool_rows(&n);

	if (i < OTHERS)
		return &others[i];
	if (i - OTHERS >= n)
		return NULL;
	b += i - OTHERS;
	row =
	    (struct epc_attr_row){b->type, b->name, EPC_ATTR_BOOL, true, true};
	return &row;
}

const struct epc_attr_row *
epc_attr_of(CK_ATTRIBUTE_TYPE type)
{
	const struct epc_attr_row *row = NULL;
	size_t i = 0;

	for (i = 0; (row = epc_attr_row(i)) != NULL; i++)
		if (row->type == type)
			return row;
	return NULL;
}

/* ---- words --------------------------------------------------------------- */

hsa_rc
epc_number(uint64_t *v, const char *text, struct hsa_diag *diag)
{
	char *end = NULL;

	errno = 0;
	*v = strtoull(text, &end, 0);
	if (errno != 0 || end == text || *end != '\0' || text[0] == '-' ||
	    text[0] == ' ')
		return hsa_fail(
		    diag, HSA_RC(E_ARG), "\"%s\" is no number", text);
	return HSA_OK;
}

hsa_rc
epc_bytes(struct hsa_buf *b, const char *text, struct hsa_diag *diag)
{
	size_t n = strlen(text);
	uint8_t *to = NULL;
	hsa_rc rc = HSA_OK;

	if (text[0] == '@')
		return epc_file_read(b, text + 1, VALUE_MAX, diag);
	if (strncmp(text, "text:", 5) == 0) {
		hsa_buf_str(b, text + 5);
		return hsa_buf_rc(b);
	}
	to = hsa_buf_reserve(b, n / 2 + 1);
	if (to == NULL)
		return HSA_RC(E_NOMEM);
	rc = hsa_unhex(to, n / 2, text, n);
	if (!hsa_is_ok(rc))
		return hsa_fail(diag, HSA_RC(E_ARG),
		    "\"%s\" is not an even number of hexadecimal digits; "
		    "fix: those, or @FILE, or text:WORDS",
		    text);
	b->len += n / 2;
	return rc;
}

static hsa_rc
word_class(uint64_t *v, const char *text, struct hsa_diag *diag)
{
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (strcasecmp(text, classes[i].name) == 0) {
			*v = classes[i].v;
			return HSA_OK;
		}
	if (text[0] >= '0' && text[0] <= '9')
		return epc_number(v, text, diag);
	return hsa_fail(diag, HSA_RC(E_ARG),
	    "\"%s\" is no class; fix: public, private or secret", text);
}

static hsa_rc
word_type(uint64_t *v, const char *text, struct hsa_diag *diag)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcasecmp(text, types[i].name) == 0) {
			*v = types[i].v;
			return HSA_OK;
		}
	if (text[0] >= '0' && text[0] <= '9')
		return epc_number(v, text, diag);
	return hsa_fail(diag, HSA_RC(E_ARG),
	    "\"%s\" is no key type; fix: aes, des2, des3, generic, rsa, ec, "
	    "dsa, dh or a number",
	    text);
}

static hsa_rc
word_curve(struct hsa_buf *b, const char *text, struct hsa_diag *diag)
{
	size_t n = 0, i = 0;
	const struct ep11_curve *c = ep11_curve_rows(&n);

	for (i = 0; i < n; i++)
		if (strcasecmp(text, c[i].name) == 0) {
			hsa_buf_put(b, c[i].oid, c[i].oid_len);
			return hsa_buf_rc(b);
		}
	if (strncasecmp(text, "06", 2) == 0 || text[0] == '@')
		return epc_bytes(b, text, diag);
	return hsa_fail(diag, HSA_RC(E_ARG),
	    "\"%s\" is no curve that a unit has; fix: P-256, secp256k1, "
	    "brainpoolP256r1, Ed25519 ..., or the DER of an OID",
	    text);
}

static hsa_rc
word_bool(uint64_t *v, const char *text, struct hsa_diag *diag)
{
	*v = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
	if (*v == 0 && strcmp(text, "false") != 0 && strcmp(text, "0") != 0)
		return hsa_fail(diag, HSA_RC(E_ARG),
		    "\"%s\" is neither true nor false", text);
	return HSA_OK;
}

hsa_rc
epc_attr_type(
    CK_ATTRIBUTE_TYPE *type, const char *name, size_t n, struct hsa_diag *diag)
{
	const struct epc_attr_row *row = NULL;
	char text[64] = "";
	uint64_t v = 0;
	size_t i = 0;
	hsa_rc rc = HSA_OK;

	if (n >= sizeof(text))
		n = sizeof(text) - 1;
	memcpy(text, name, n);
	if (text[0] >= '0' && text[0] <= '9') {
		HSA_TRY(rc, epc_number(&v, text, diag));
		*type = v;
		return rc;
	}
	for (i = 0; (row = epc_attr_row(i)) != NULL; i++)
		if (strcasecmp(text, row->name) == 0 ||
		    strcasecmp(text, row->name + strlen("CKA_")) == 0) {
			*type = row->type;
			return rc;
		}
	rc = hsa_fail(diag, HSA_RC(E_ARG),
	    "\"%s\" is no attribute known here; fix: CKA_SIGN, CKA_ID ..., or "
	    "its number",
	    text);
out:
	return rc;
}

/* ---- templates ----------------------------------------------------------- */

hsa_rc
epc_template_put(
    struct epc_template *t, CK_ATTRIBUTE_TYPE type, const void *p, size_t n)
{
	struct hsa_buf *value = &t->value[t->n];
	CK_ULONG i = 0;
	hsa_rc rc;

	for (i = 0; i < t->n; i++)
		if (t->a[i].type == type)
			return HSA_OK;
	if (t->n == OPT_LIST_MAX)
		return HSA_RC(E_RANGE);
	hsa_buf_put(value, p, n);
	HSA_TRY(rc, hsa_buf_rc(value));
	t->a[t->n++] = (CK_ATTRIBUTE){
	    .type = type, .pValue = value->p, .ulValueLen = value->len};
out:
	return rc;
}

hsa_rc
epc_template_ulong(struct epc_template *t, CK_ATTRIBUTE_TYPE type, CK_ULONG v)
{
	return epc_template_put(t, type, &v, sizeof(v));
}

static hsa_rc
value_of(struct hsa_buf *b, enum epc_attr_kind kind, const char *text,
    struct hsa_diag *diag)
{
	uint64_t v = 0;
	CK_BBOOL yes = 0;
	hsa_rc rc = HSA_OK;

	switch (kind) {
	case EPC_ATTR_BOOL:
		HSA_TRY(rc, word_bool(&v, text, diag));
		yes = v != 0;
		hsa_buf_put(b, &yes, sizeof(yes));
		return hsa_buf_rc(b);
	case EPC_ATTR_ULONG:
		HSA_TRY(rc, epc_number(&v, text, diag));
		break;
	case EPC_ATTR_CLASS:
		HSA_TRY(rc, word_class(&v, text, diag));
		break;
	case EPC_ATTR_KEY_TYPE:
		HSA_TRY(rc, word_type(&v, text, diag));
		break;
	case EPC_ATTR_CURVE:
		return word_curve(b, text, diag);
	case EPC_ATTR_TEXT:
		hsa_buf_str(b, text);
		return hsa_buf_rc(b);
	case EPC_ATTR_BYTES:
		return epc_bytes(b, text, diag);
	}
	hsa_buf_put(b, &v, sizeof(CK_ULONG));
	rc = hsa_buf_rc(b);
out:
	return rc;
}

hsa_rc
epc_template_add(
    struct epc_template *t, const char *text, struct hsa_diag *diag)
{
	const char *eq = strchr(text, '=');
	const struct epc_attr_row *row = NULL;
	struct hsa_buf value = {0};
	CK_ATTRIBUTE_TYPE type = 0;
	CK_ULONG before = t->n;
	hsa_rc rc;

	if (eq == NULL)
		return hsa_fail(diag, HSA_RC(E_ARG),
		    "--attr %s has no value; fix: %s=VALUE", text, text);
	HSA_TRY(rc, epc_attr_type(&type, text, (size_t)(eq - text), diag));
	row = epc_attr_of(type);
	rc = value_of(
	    &value, row == NULL ? EPC_ATTR_BYTES : row->kind, eq + 1, diag);
	if (!hsa_is_ok(rc)) {
		hsa_diag_wrap(diag, "--attr %.*s", (int)(eq - text), text);
		goto out;
	}
	HSA_TRY(rc, epc_template_put(t, type, value.p, value.len));
	if (t->n == before)
		rc = hsa_fail(diag, HSA_RC(E_ARG), "--attr %.*s is given twice",
		    (int)(eq - text), text);
out:
	hsa_buf_free(&value);
	return rc;
}

hsa_rc
epc_template_list(
    struct epc_template *t, const struct opt_list *list, struct hsa_diag *diag)
{
	size_t i = 0;
	hsa_rc rc = HSA_OK;

	for (i = 0; i < list->n; i++)
		HSA_TRY(rc, epc_template_add(t, list->v[i], diag));
out:
	return rc;
}

void
epc_template_free(struct epc_template *t)
{
	size_t i = 0;

	for (i = 0; i < OPT_LIST_MAX; i++)
		hsa_buf_free(&t->value[i]);
	t->n = 0;
}

/* ---- values as text ------------------------------------------------------ */

void
epc_attr_name(char to[48], CK_ATTRIBUTE_TYPE type)
{
	const struct epc_attr_row *row = epc_attr_of(type);

	if (row != NULL)
		(void)snprintf(to, 48, "%s", row->name);
	else
		(void)snprintf(to, 48, "0x%lx", (unsigned long)type);
}

static const char *
named(const struct epc_attr_row *row, const void *p, size_t n, CK_ULONG v)
{
	const struct ep11_curve *c = NULL;

	if (row->kind == EPC_ATTR_CURVE) {
		c = ep11_curve_find(p, n);
		return c == NULL ? NULL : c->name;
	}
	if (n != sizeof(CK_ULONG))
		return NULL;
	if (row->kind == EPC_ATTR_CLASS)
		for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]);
		     i++)
			if (classes[i].v == v)
				return classes[i].name;
	if (row->kind == EPC_ATTR_KEY_TYPE)
		for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
			if (types[i].v == v)
				return types[i].name;
	return NULL;
}

/* What a value is, once its length was looked at. */
static enum epc_attr_kind
kind_of(const struct epc_attr_row *row, const void *p, size_t n)
{
	if (row == NULL)
		return EPC_ATTR_BYTES;
	if (row->kind == EPC_ATTR_BOOL && n == 1)
		return EPC_ATTR_BOOL;
	if (row->kind == EPC_ATTR_TEXT && n != 0 && hsa_utf8_valid(p, n) &&
	    memchr(p, '\0', n) == NULL)
		return EPC_ATTR_TEXT;
	if ((row->kind == EPC_ATTR_ULONG || row->kind == EPC_ATTR_CLASS ||
		row->kind == EPC_ATTR_KEY_TYPE) &&
	    n == sizeof(CK_ULONG))
		return EPC_ATTR_ULONG;
	return EPC_ATTR_BYTES;
}

void
epc_attr_text(
    struct hsa_buf *b, CK_ATTRIBUTE_TYPE type, const void *p, size_t n)
{
	const struct epc_attr_row *row = epc_attr_of(type);
	const char *name = NULL;
	CK_ULONG v = 0;

	if (n == sizeof(v))
		memcpy(&v, p, sizeof(v));
	name = row == NULL ? NULL : named(row, p, n, v);
	if (name != NULL) {
		hsa_buf_str(b, name);
		return;
	}
	switch (kind_of(row, p, n)) {
	case EPC_ATTR_BOOL:
		hsa_buf_str(b, *(const uint8_t *)p != 0 ? "true" : "false");
		break;
	case EPC_ATTR_ULONG:
		hsa_buf_printf(b, "%lu", (unsigned long)v);
		break;
	case EPC_ATTR_TEXT:
		hsa_buf_put(b, p, n);
		break;
	default:
		hsa_buf_hex(b, p, n);
	}
}

void
epc_attr_json(struct hsa_jw *w, CK_ATTRIBUTE_TYPE type, const void *p, size_t n)
{
	const struct epc_attr_row *row = epc_attr_of(type);
	struct hsa_buf text = {0};
	char name[48];
	CK_ULONG v = 0;

	epc_attr_name(name, type);
	if (n == sizeof(v))
		memcpy(&v, p, sizeof(v));
	if (kind_of(row, p, n) == EPC_ATTR_BOOL) {
		hsa_jw_bool(w, name, *(const uint8_t *)p != 0);
	} else if (kind_of(row, p, n) == EPC_ATTR_ULONG &&
		   named(row, p, n, v) == NULL) {
		hsa_jw_uint(w, name, v);
	} else {
		epc_attr_text(&text, type, p, n);
		hsa_jw_text(w, name, hsa_buf_cstr(&text));
	}
	hsa_buf_free(&text);
}
