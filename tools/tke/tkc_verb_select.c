/* Verbs that list and select crypto units. */
#include <stdio.h>
#include <string.h>

#include "hsa_json.h"
#include "tkc_session.h"

static hsa_rc
print_units(struct tkc_session *s)
{
	const struct tkc_fleet *f = &s->fleet;
	struct hsa_buf out = {0};
	struct hsa_jw w = {.b = &out};
	size_t i;
	hsa_rc rc;

	if (s->opt.json) {
		hsa_jw_object(&w, NULL);
		hsa_jw_text(&w, "instance", f->instance);
		hsa_jw_array(&w, "cryptounits");
	} else {
		hsa_buf_printf(&out, "SERVICE INSTANCE: %s\n", f->instance);
		hsa_buf_printf(&out, "%-4s %-9s %-12s %-9s %s\n", "NUM",
		    "SELECTED", "TYPE", "SERIAL", "LOCATION");
	}
	for (i = 0; i < f->len; i++) {
		const struct tkc_unit *u = &f->unit[i];
		bool on = tkc_selection_has_unit(&s->selection, u->id);

		if (!s->opt.json) {
			hsa_buf_printf(&out, "%-4u %-9s %-12s %-9s %s\n",
			    u->number, on ? "true" : "false",
			    tkc_unit_type_name(u->type), u->serial,
			    u->location);
			continue;
		}
		hsa_jw_object(&w, NULL);
		hsa_jw_uint(&w, "number", u->number);
		hsa_jw_bool(&w, "selected", on);
		hsa_jw_text(&w, "type", tkc_unit_type_name(u->type));
		hsa_jw_text(&w, "id", u->id);
		hsa_jw_text(&w, "serial", u->serial);
		hsa_jw_text(&w, "location", u->location);
		hsa_jw_end(&w);
	}
	if (s->opt.json) {
		hsa_jw_end(&w);
		hsa_jw_end(&w);
		hsa_buf_str(&out, "\n");
	}
	rc = tkc_put(&out);
	hsa_buf_free(&out);
	return rc;
}

static hsa_rc
list(struct tkc_session *s)
{
	hsa_rc rc;

	HSA_TRY(rc, tkc_session_files(s));
	HSA_TRY(rc, tkc_session_fleet(s));
	HSA_TRY(rc, print_units(s));
out:
	return rc;
}

static hsa_rc
change(struct tkc_session *s, bool add, const char *word)
{
	struct tkc_unit *u = NULL;
	size_t i;
	hsa_rc rc = HSA_OK;

	if (strcmp(word, "all") != 0) {
		HSA_TRY(rc, tkc_fleet_find(&u, &s->fleet, word, &s->diag));
		if (add)
			rc = tkc_selection_add_unit(&s->selection, u->id);
		else
			tkc_selection_remove_unit(&s->selection, u->id);
		goto out;
	}
	for (i = 0; i < s->fleet.len && hsa_is_ok(rc); i++)
		if (add)
			rc = tkc_selection_add_unit(
			    &s->selection, s->fleet.unit[i].id);
		else
			tkc_selection_remove_unit(
			    &s->selection, s->fleet.unit[i].id);
out:
	return rc;
}

static hsa_rc
select_units(struct tkc_session *s, bool add)
{
	struct tkc_words words = {.len = 0};
	size_t i;
	hsa_rc rc;

	HSA_TRY(rc, tkc_session_files(s));
	HSA_TRY(rc, tkc_session_fleet(s));
	if (s->opt.line.arg_count == 0)
		HSA_TRY(rc, print_units(s));
	HSA_TRY(rc, tkc_session_words(s, &words,
			add ? "Numbers of the crypto units to select"
			    : "Numbers of the crypto units to leave out",
			"the numbers as arguments"));
	for (i = 0; i < words.len; i++)
		HSA_TRY(rc, change(s, add, words.word[i]));
	HSA_TRY(rc, tkc_selection_save(&s->selection, &s->files, &s->diag));
	HSA_TRY(rc, print_units(s));
out:
	tkc_words_free(&words);
	return rc;
}

static hsa_rc
add(struct tkc_session *s)
{
	return select_units(s, true);
}

static hsa_rc
rm(struct tkc_session *s)
{
	return select_units(s, false);
}

#define WITH (TKC_OPT_SERVER | TKC_OPT_FILES | TKC_OPT_JSON)

const struct tkc_verb tkc_verbs_select[] = {
    {{"cryptounits", "", "List the crypto units of the service instance", "",
	 WITH, 0, 0},
	list},
    {{"cryptounit-add", "[NUM...]", "Select crypto units",
	 "NUM: the number in the list, a location, a serial number, or "
	 "all.\nThe next commands go to every selected unit.",
	 WITH, 0, TKC_FLEET_MAX},
	add},
    {{"cryptounit-rm", "[NUM...]", "Take crypto units out of the selection", "",
	 WITH, 0, TKC_FLEET_MAX},
	rm},
    {.is = {.name = NULL}},
};
