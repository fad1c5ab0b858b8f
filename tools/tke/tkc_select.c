#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "hsa_json.h"
#include "tkc_select.h"

static const char FILE_NAME[] = "selection.json";

static hsa_rc
parse_units(struct tkc_selection *s, const json_t *list)
{
	const json_t *v = NULL;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > TKC_SELECT_MAX)
		return HSA_RC(E_FORMAT);
	json_array_foreach(list, i, v)
	{
		if (!json_is_string(v) ||
		    json_string_length(v) >= TKC_UNIT_ID ||
		    json_string_length(v) != strlen(json_string_value(v)))
			return HSA_RC(E_FORMAT);
		snprintf(s->unit[s->units++], TKC_UNIT_ID, "%s",
		    json_string_value(v));
	}
	return HSA_OK;
}

static hsa_rc
parse_sigkeys(struct tkc_selection *s, const json_t *list)
{
	const json_t *v = NULL;
	size_t i;
	hsa_rc rc = HSA_OK;

	if (!json_is_array(list) || json_array_size(list) > TKC_SELECT_MAX)
		return HSA_RC(E_FORMAT);
	json_array_foreach(list, i, v)
	{
		if (!json_is_string(v))
			return HSA_RC(E_FORMAT);
		HSA_TRY(rc, hsa_unhex(s->sigkey[s->sigkeys], HSA_SHA256_LEN,
				json_string_value(v), json_string_length(v)));
		s->sigkeys++;
	}
out:
	return rc;
}

hsa_rc
tkc_selection_parse(
    struct tkc_selection *s, const char *text, size_t n, struct hsa_diag *diag)
{
	struct tkc_selection got = {.units = 0};
	json_error_t e;
	json_t *o = json_loadb(text, n, JSON_REJECT_DUPLICATES, &e);
	hsa_rc rc;

	if (!json_is_object(o)) {
		rc = HSA_RC(E_FORMAT);
		goto out;
	}
	HSA_TRY(rc, parse_units(&got, json_object_get(o, "units")));
	HSA_TRY(rc, parse_sigkeys(&got, json_object_get(o, "sigkeys")));
	*s = got;
out:
	json_decref(o);
	if (!hsa_is_ok(rc))
		hsa_diag_set(diag,
		    "%s is damaged: remove it, then select again with tke "
		    "cryptounit-add and tke sigkey-sel",
		    FILE_NAME);
	return rc;
}

hsa_rc
tkc_selection_load(
    struct tkc_selection *s, const struct tkc_files *f, struct hsa_diag *diag)
{
	struct hsa_buf text = {0};
	hsa_rc rc;

	rc = tkc_files_read(f, &text, FILE_NAME, diag);
	if (rc.v == HSA_E_NOT_FOUND) {
		*s = (struct tkc_selection){.units = 0};
		hsa_diag_set(diag, "%s", "");
		rc = HSA_OK;
		goto out;
	}
	if (hsa_is_ok(rc))
		rc =
		    tkc_selection_parse(s, hsa_buf_cstr(&text), text.len, diag);
out:
	hsa_buf_free(&text);
	return rc;
}

hsa_rc
tkc_selection_save(const struct tkc_selection *s, const struct tkc_files *f,
    struct hsa_diag *diag)
{
	struct hsa_buf text = {0};
	struct hsa_jw w = {.b = &text};
	size_t i;
	hsa_rc rc;

	hsa_jw_object(&w, NULL);
	hsa_jw_array(&w, "units");
	for (i = 0; i < s->units; i++)
		hsa_jw_text(&w, NULL, s->unit[i]);
	hsa_jw_end(&w);
	hsa_jw_array(&w, "sigkeys");
	for (i = 0; i < s->sigkeys; i++)
		hsa_jw_hex(&w, NULL, s->sigkey[i], HSA_SHA256_LEN);
	hsa_jw_end(&w);
	hsa_jw_end(&w);
	hsa_buf_str(&text, "\n");
	HSA_TRY(rc, hsa_buf_rc(&text));
	HSA_TRY(rc, tkc_files_replace(f, FILE_NAME, text.p, text.len, diag));
out:
	hsa_buf_free(&text);
	return rc;
}

static size_t
unit_at(const struct tkc_selection *s, const char *id)
{
	size_t i;

	for (i = 0; i < s->units && strcmp(s->unit[i], id) != 0; i++)
		;
	return i;
}

bool
tkc_selection_has_unit(const struct tkc_selection *s, const char *id)
{
	return unit_at(s, id) < s->units;
}

hsa_rc
tkc_selection_add_unit(struct tkc_selection *s, const char *id)
{
	if (tkc_selection_has_unit(s, id))
		return HSA_OK;
	if (s->units >= TKC_SELECT_MAX || strlen(id) >= TKC_UNIT_ID)
		return HSA_RC(E_FULL);
	snprintf(s->unit[s->units++], TKC_UNIT_ID, "%s", id);
	return HSA_OK;
}

void
tkc_selection_remove_unit(struct tkc_selection *s, const char *id)
{
	size_t i = unit_at(s, id);

	if (i >= s->units)
		return;
	s->units--;
	memmove(
	    s->unit[i], s->unit[i + 1], (s->units - i) * sizeof(s->unit[0]));
}

static size_t
sigkey_at(const struct tkc_selection *s, const uint8_t ski[HSA_SHA256_LEN])
{
	size_t i;

	for (i = 0; i < s->sigkeys; i++)
		if (memcmp(s->sigkey[i], ski, HSA_SHA256_LEN) == 0)
			break;
	return i;
}

bool
tkc_selection_has_sigkey(
    const struct tkc_selection *s, const uint8_t ski[HSA_SHA256_LEN])
{
	return sigkey_at(s, ski) < s->sigkeys;
}

hsa_rc
tkc_selection_add_sigkey(
    struct tkc_selection *s, const uint8_t ski[HSA_SHA256_LEN])
{
	if (tkc_selection_has_sigkey(s, ski))
		return HSA_OK;
	if (s->sigkeys >= TKC_SELECT_MAX)
		return HSA_RC(E_FULL);
	memcpy(s->sigkey[s->sigkeys++], ski, HSA_SHA256_LEN);
	return HSA_OK;
}

void
tkc_selection_remove_sigkey(
    struct tkc_selection *s, const uint8_t ski[HSA_SHA256_LEN])
{
	size_t i = sigkey_at(s, ski);

	if (i >= s->sigkeys)
		return;
	s->sigkeys--;
	memmove(s->sigkey[i], s->sigkey[i + 1],
	    (s->sigkeys - i) * sizeof(s->sigkey[0]));
}
