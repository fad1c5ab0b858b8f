#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "hsa_json.h"
#include "tkc_files.h"
#include "tkc_keyfile.h"

#define SEALED_MIN (12u + 1u + 16u)
#define SEALED_MAX 16384u

static const char TYPE_P521[] = "p521ec";
static const char TYPE_RSA[] = "rsa2048";
static const char TYPE_PART[] = "aes256part";

static hsa_rc
member(const char **text, size_t *n, const json_t *o, const char *name,
    struct hsa_diag *diag)
{
	const json_t *v = json_object_get(o, name);

	if (!json_is_string(v))
		return hsa_fail(diag, HSA_RC(E_FORMAT),
		    "member \"%s\" is missing or not a string", name);
	*text = json_string_value(v);
	*n = json_string_length(v);
	return HSA_OK;
}

static hsa_rc
member_hex(uint8_t *to, size_t *len, const json_t *o, const char *name,
    size_t min, size_t max, struct hsa_diag *diag)
{
	const char *text = NULL;
	size_t n = 0;
	hsa_rc rc;

	HSA_TRY(rc, member(&text, &n, o, name, diag));
	if (n % 2 != 0 || n / 2 < min || n / 2 > max) {
		rc = hsa_fail(diag, HSA_RC(E_RANGE),
		    "member \"%s\" has %zu characters, %zu to %zu expected",
		    name, n, 2 * min, 2 * max);
		goto out;
	}
	rc = hsa_unhex(to, n / 2, text, n);
	if (!hsa_is_ok(rc))
		hsa_diag_set(diag, "member \"%s\" is not hexadecimal", name);
	*len = n / 2;
out:
	return rc;
}

/* A label is shown on terminals and in transcripts: printable text only. */
static hsa_rc
member_label(struct tkc_keyfile *k, const json_t *o, const char *name,
    struct hsa_diag *diag)
{
	const char *text = "";
	size_t n = 0, i;
	hsa_rc rc;

	if (json_object_get(o, name) == NULL)
		return HSA_OK;
	HSA_TRY(rc, member(&text, &n, o, name, diag));
	for (i = 0; i < n; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			break;
	if (n > TKC_LABEL_MAX || i < n) {
		rc = hsa_fail(diag, HSA_RC(E_RANGE),
		    "member \"%s\" is longer than %d characters or not "
		    "printable",
		    name, TKC_LABEL_MAX);
		goto out;
	}
	memcpy(k->label, text, n);
	k->label[n] = '\0';
out:
	return rc;
}

static hsa_rc
member_iterations(struct tkc_keyfile *k, const json_t *o, struct hsa_diag *diag)
{
	const char *text = NULL;
	size_t n = 0, i;
	uint32_t v = 0;
	hsa_rc rc;

	k->iterations = TKC_ITERATIONS_SDK;
	if (json_object_get(o, "iterations") == NULL)
		return HSA_OK;
	HSA_TRY(rc, member(&text, &n, o, "iterations", diag));
	for (i = 0; i < n && i < 9 && text[i] >= '0' && text[i] <= '9'; i++)
		v = v * 10 + (uint32_t)(text[i] - '0');
	if (n == 0 || i < n || v < TKC_ITERATIONS_SDK || v > TKC_ITERATIONS_MAX)
		rc = hsa_fail(diag, HSA_RC(E_RANGE),
		    "member \"iterations\" must be %u to %u",
		    TKC_ITERATIONS_SDK, TKC_ITERATIONS_MAX);
	k->iterations = v;
out:
	return rc;
}

static hsa_rc
member_type(struct tkc_keyfile *k, const json_t *o, struct hsa_diag *diag)
{
	const char *text = "";
	size_t n = 0;
	hsa_rc rc;

	HSA_TRY(rc, member(&text, &n, o, "keyType", diag));
	if (strcmp(text, TYPE_PART) == 0 && k->kind == TKC_KEYFILE_PART)
		return HSA_OK;
	if (k->kind == TKC_KEYFILE_PART || strcmp(text, TYPE_PART) == 0) {
		rc = hsa_fail(diag, HSA_RC(E_FORMAT),
		    "keyType \"%.20s\" is another kind of key file", text);
		goto out;
	}
	/* 7.5: anything but p521ec means RSA */
	k->type = strcmp(text, TYPE_P521) == 0 ? TKE_KEY_P521 : TKE_KEY_RSA2048;
out:
	return rc;
}

static hsa_rc
parse_object(struct tkc_keyfile *k, const json_t *o, struct hsa_diag *diag)
{
	bool part = k->kind == TKC_KEYFILE_PART;
	uint8_t *room = NULL;
	size_t n = 0;
	hsa_rc rc;

	if (!json_is_object(o))
		return hsa_fail(diag, HSA_RC(E_FORMAT), "not a JSON object");
	HSA_TRY(rc, member_type(k, o, diag));
	HSA_TRY(rc, member_hex(k->id, &n, o, part ? "id" : "ski",
			HSA_SHA256_LEN, HSA_SHA256_LEN, diag));
	HSA_TRY(rc, member_hex(k->salt, &k->salt_len, o, "seaSalt", 8,
			TKC_SALT_MAX, diag));
	room = hsa_buf_reserve(&k->sealed, SEALED_MAX);
	if (room == NULL)
		return HSA_RC(E_NOMEM);
	HSA_TRY(rc,
	    member_hex(room, &n, o, "enckey", SEALED_MIN, SEALED_MAX, diag));
	k->sealed.len += n;
	HSA_TRY(rc, member_iterations(k, o, diag));
	HSA_TRY(rc, member_label(k, o, part ? "description" : "name", diag));
out:
	return rc;
}

hsa_rc
tkc_keyfile_parse(struct tkc_keyfile *k, enum tkc_keyfile_kind kind,
    const char *text, size_t n, struct hsa_diag *diag)
{
	struct tkc_keyfile got = {.kind = kind};
	json_error_t e;
	json_t *o = NULL;
	hsa_rc rc;

	if (n > TKC_FILE_MAX)
		return hsa_fail(diag, HSA_RC(E_RANGE), "larger than %u bytes",
		    TKC_FILE_MAX);
	o = json_loadb(text, n, JSON_REJECT_DUPLICATES, &e);
	if (o == NULL)
		return hsa_fail(diag, HSA_RC(E_FORMAT),
		    "not JSON: %s (line %d)", e.text, e.line);
	rc = parse_object(&got, o, diag);
	json_decref(o);
	if (hsa_is_ok(rc))
		*k = got;
	else
		tkc_keyfile_free(&got);
	return rc;
}

static void
line(struct hsa_buf *b, const char *name, const char *text)
{
	hsa_buf_str(b, "  \"");
	hsa_buf_str(b, name);
	hsa_buf_str(b, "\": ");
	hsa_json_string(b, text, strlen(text));
	hsa_buf_str(b, ",\n");
}

static void
line_hex(struct hsa_buf *b, const char *name, const void *p, size_t n,
    const char *end)
{
	hsa_buf_printf(b, "  \"%s\": \"", name);
	hsa_buf_hex(b, p, n);
	hsa_buf_printf(b, "\"%s\n", end);
}

hsa_rc
tkc_keyfile_render(struct hsa_buf *b, const struct tkc_keyfile *k)
{
	bool part = k->kind == TKC_KEYFILE_PART;

	hsa_buf_str(b, "{\n");
	line(b, "keyType",
	    part                      ? TYPE_PART
	    : k->type == TKE_KEY_P521 ? TYPE_P521
				      : TYPE_RSA);
	line(b, part ? "description" : "name", k->label);
	line_hex(b, part ? "id" : "ski", k->id, sizeof(k->id), ",");
	hsa_buf_printf(b, "  \"iterations\": \"%u\",\n", k->iterations);
	line_hex(b, "seaSalt", k->salt, k->salt_len, ",");
	line_hex(b, "enckey", k->sealed.p, k->sealed.len, "");
	hsa_buf_str(b, "}\n");
	return hsa_buf_rc(b);
}

void
tkc_keyfile_free(struct tkc_keyfile *k)
{
	if (k == NULL)
		return;
	hsa_buf_free(&k->sealed);
	*k = (struct tkc_keyfile){0};
}

const char *
tkc_key_type_name(enum tke_key_type type)
{
	return type == TKE_KEY_P521 ? "p521" : "rsa2048";
}
