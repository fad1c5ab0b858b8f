/* tkc_ceremony.h: what the schema cannot say. */
#include <stdio.h>
#include <string.h>

#include "tkc_ceremony.h"
#include "tkc_ring.h"

#define NO_COMMAND 0u

/* Text that reaches terminals, headers and the transcript. */
static hsa_rc
check_text(const char *what, const char *text, struct hsa_diag *diag)
{
	const unsigned char *p = (const unsigned char *)text;

	if (text == NULL)
		return HSA_OK;
	for (; *p != '\0'; p++)
		if (*p < 0x20 || *p == 0x7f)
			return hsa_fail(diag, HSA_RC(E_CONFIG),
			    "%s holds a control character: write it on one "
			    "line of printable text",
			    what);
	return HSA_OK;
}

static hsa_rc
check_hex(const char *what, const char *text, struct hsa_diag *diag)
{
	uint8_t id[32];

	if (text == NULL || hsa_is_ok(hsa_unhex(id, 32, text, strlen(text))))
		return HSA_OK;
	return hsa_fail(
	    diag, HSA_RC(E_CONFIG), "%s must be 64 hexadecimal digits", what);
}

/* ---- units, roles, parts ------------------------------------------------- */

static hsa_rc
check_unit(const struct tkc_ceremony *c, size_t i, struct hsa_diag *diag)
{
	const struct tkc_c_unit *u = &c->units[i];
	hsa_rc rc;

	HSA_TRY(rc, check_text("units: name", u->name, diag));
	HSA_TRY(rc, check_text("units: location", u->location, diag));
	if (tkc_c_unit_index(c, u->name) != i)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "units: two are named %s: give each its own name", u->name);
	if (u->type != NULL && strcmp(u->type, "operational") != 0 &&
	    strcmp(u->type, "recovery") != 0 &&
	    strcmp(u->type, "failover") != 0)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "unit %s: type is operational, recovery or failover",
		    u->name);
	if (u->type == NULL && u->location == NULL && u->serial == NULL &&
	    u->number == NULL)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "unit %s: say which one, by number, location, serial or "
		    "type",
		    u->name);
out:
	return rc;
}

static hsa_rc
check_role(const struct tkc_ceremony *c, size_t i, struct hsa_diag *diag)
{
	const struct tkc_c_role *r = &c->roles[i];
	size_t k;
	hsa_rc rc;

	HSA_TRY(rc, check_text("roles: name", r->name, diag));
	HSA_TRY(rc, check_text("roles: person", r->person, diag));
	HSA_TRY(rc, check_text("roles: password_file", r->password_file, diag));
	if (tkc_c_role_find(c, r->name) != r)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "roles: two are named %s: give each its own name", r->name);
	if (r->sigkey == NULL)
		return HSA_OK;
	HSA_TRY(rc, tkc_name_check(r->sigkey, diag));
	for (k = 0; k < i; k++)
		if (c->roles[k].sigkey != NULL &&
		    strcmp(c->roles[k].sigkey, r->sigkey) == 0)
			return hsa_fail(diag, HSA_RC(E_CONFIG),
			    "roles %s and %s share the signature key %s: a "
			    "quorum needs different people",
			    c->roles[k].name, r->name, r->sigkey);
out:
	if (rc.v == HSA_E_ARG) {
		hsa_diag_wrap(diag, "role %s: sigkey", r->name);
		rc = HSA_RC(E_CONFIG);
	}
	return rc;
}

static hsa_rc
check_part(const struct tkc_ceremony *c, size_t i, struct hsa_diag *diag)
{
	const struct tkc_c_part *p = &c->key_parts[i];
	hsa_rc rc;

	HSA_TRY(rc, check_text("key_parts: name", p->name, diag));
	if (tkc_c_part_find(c, p->name) != p)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "key_parts: two are named %s: give each its own name",
		    p->name);
	if (tkc_c_role_find(c, p->holder) == NULL)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "key part %s: its holder %s is none of the roles", p->name,
		    p->holder);
out:
	return rc;
}

/* ---- steps --------------------------------------------------------------- */

static unsigned int
given(const struct tkc_c_with *w)
{
	unsigned int bits = 0;

	if (w == NULL)
		return 0;
	bits |= w->role != NULL ? TKC_ARG_ROLE : 0u;
	bits |= w->part != NULL ? TKC_ARG_PART : 0u;
	bits |= w->parts_count > 0 ? TKC_ARG_PARTS : 0u;
	bits |= w->type != NULL ? TKC_ARG_TYPE : 0u;
	bits |= w->random || w->value_file != NULL ? TKC_ARG_VALUE : 0u;
	bits |= w->signature != NULL || w->revocation != NULL
		    ? TKC_ARG_THRESHOLDS
		    : 0u;
	bits |= w->ski != NULL ? TKC_ARG_SKI : 0u;
	return bits;
}

static const char *
arg_text(unsigned int bits)
{
	static const struct {
		unsigned int bit;
		const char *text;
	} names[] = {
	    {TKC_ARG_ROLE, "role"},
	    {TKC_ARG_PART, "part"},
	    {TKC_ARG_PARTS, "parts"},
	    {TKC_ARG_TYPE, "type"},
	    {TKC_ARG_VALUE, "random: true or value_file"},
	    {TKC_ARG_THRESHOLDS, "signature and revocation"},
	    {TKC_ARG_SKI, "ski"},
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if ((bits & names[i].bit) != 0)
			return names[i].text;
	return "nothing";
}

/* Which arguments are there; ROLE and SKI stand for each other. */
static hsa_rc
check_args(const struct tkc_c_step *s, const struct tkc_c_verb *v,
    struct hsa_diag *diag)
{
	const unsigned int either = TKC_ARG_ROLE | TKC_ARG_SKI;
	unsigned int got = given(s->with), missing = v->required & ~got;

	if ((got & ~(v->required | v->optional)) != 0)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "step %s: %s takes no \"%s\"", s->id, v->name,
		    arg_text(got & ~(v->required | v->optional)));
	if ((v->required & either) == either) {
		if ((got & either) == either)
			return hsa_fail(diag, HSA_RC(E_CONFIG),
			    "step %s: give role or ski, not both", s->id);
		if ((got & either) != 0)
			missing &= ~either;
	}
	if (missing != 0)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "step %s: %s needs \"%s\" under with:", s->id, v->name,
		    arg_text(missing));
	return HSA_OK;
}

static hsa_rc
need_sigkey(const struct tkc_ceremony *c, const struct tkc_c_step *s,
    const char *role, struct hsa_diag *diag)
{
	const struct tkc_c_role *r = tkc_c_role_find(c, role);

	if (r == NULL)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "step %s: %s is none of the roles", s->id, role);
	if (r->sigkey == NULL)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "step %s: role %s has no sigkey", s->id, role);
	return HSA_OK;
}

static hsa_rc
check_with(const struct tkc_ceremony *c, const struct tkc_c_step *s,
    struct hsa_diag *diag)
{
	const struct tkc_c_with *w = s->with;
	size_t i;
	hsa_rc rc = HSA_OK;

	if (w == NULL)
		return HSA_OK;
	if (w->role != NULL)
		HSA_TRY(rc, need_sigkey(c, s, w->role, diag));
	HSA_TRY(rc, check_hex("with: ski", w->ski, diag));
	HSA_TRY(rc, check_text("with: value_file", w->value_file, diag));
	if (w->type != NULL && strcmp(w->type, "p521") != 0 &&
	    strcmp(w->type, "rsa2048") != 0)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "step %s: type is p521 or rsa2048", s->id);
	if (w->random && w->value_file != NULL)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "step %s: random and value_file exclude each other", s->id);
	if ((w->signature == NULL) != (w->revocation == NULL) ||
	    (w->signature != NULL && (*w->signature > 8 || *w->revocation > 8)))
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "step %s: give both signature and revocation, 0 to 8",
		    s->id);
	if (w->part != NULL && tkc_c_part_find(c, w->part) == NULL)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "step %s: %s is none of the key_parts", s->id, w->part);
	for (i = 0; i < w->parts_count; i++)
		if (tkc_c_part_find(c, w->parts[i]) == NULL)
			return hsa_fail(diag, HSA_RC(E_CONFIG),
			    "step %s: %s is none of the key_parts", s->id,
			    w->parts[i]);
out:
	return rc;
}

static hsa_rc
check_rehearse(const struct tkc_ceremony *c, const struct tkc_c_step *s,
    const struct tkc_c_verb *v, struct hsa_diag *diag)
{
	const struct tkc_c_rehearse *r = s->rehearse;
	size_t i;
	hsa_rc rc = HSA_OK;

	if (r == NULL)
		return HSA_OK;
	if (v->command == NO_COMMAND)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "step %s: %s sends no command, so there is nothing to "
		    "rehearse",
		    s->id, v->name);
	if (r->pattern != NULL && (v->optional & TKC_ARG_PATTERN) == 0)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "step %s: %s sends no pattern", s->id, v->name);
	if (r->unsigned_ && r->signers_count > 0)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "step %s: unsigned and signers exclude each other", s->id);
	HSA_TRY(rc, check_hex("rehearse: pattern", r->pattern, diag));
	for (i = 0; i < r->signers_count; i++)
		HSA_TRY(rc, need_sigkey(c, s, r->signers[i], diag));
out:
	return rc;
}

static hsa_rc
check_outcome(const struct tkc_c_step *s, const char *outcome,
    const uint32_t *rc, const uint32_t *reason, struct hsa_diag *diag)
{
	bool success = strcmp(outcome, "success") == 0;

	if (!success && strcmp(outcome, "refused") != 0)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "step %s: outcome is success or refused", s->id);
	if (success &&
	    ((rc != NULL && *rc != 0) || (reason != NULL && *reason != 0)))
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "step %s: a success has return and reason code 0", s->id);
	if (!success && rc != NULL && (*rc == 0 || hsa_ep11(*rc) == NULL))
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "step %s: no refusal has return code %u", s->id, *rc);
	if (!success && reason != NULL && *reason != 0 &&
	    hsa_reason(*reason) == NULL)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "step %s: there is no reason code %u", s->id, *reason);
	return HSA_OK;
}

static bool
known_action(const char *name)
{
	size_t i;

	for (i = 0; i < HSA_SPECIAL_COUNT; i++)
		if (strcmp(hsa_special((enum hsa_special_code)i)->name, name) ==
		    0)
			return true;
	return hsa_catalogue_by_name(name) != NULL;
}

static bool
step_has_unit(const struct tkc_c_step *s, const char *unit)
{
	size_t i;

	for (i = 0; i < s->units_count; i++)
		if (strcmp(s->units[i], unit) == 0)
			return true;
	return s->units_count == 0;
}

static hsa_rc
check_expect(const struct tkc_ceremony *c, const struct tkc_c_step *s,
    const struct tkc_c_verb *v, struct hsa_diag *diag)
{
	const struct tkc_c_expect *e = s->expect;
	size_t i, k;
	hsa_rc rc;

	HSA_TRY(rc, check_outcome(s, e->outcome, e->rc, e->reason, diag));
	if (v->command == NO_COMMAND &&
	    (e->rc != NULL || e->reason != NULL || e->action != NULL ||
		e->units_count > 0))
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "step %s: %s sends no command: expect only an outcome",
		    s->id, v->name);
	if (e->action != NULL && !known_action(e->action))
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "step %s: no action %s in the catalogue (hsa catalogue "
		    "lists them)",
		    s->id, e->action);
	for (i = 0; i < e->units_count; i++) {
		const struct tkc_c_result *u = &e->units[i];

		HSA_TRY(
		    rc, check_outcome(s, u->outcome, u->rc, u->reason, diag));
		if (tkc_c_unit_index(c, u->unit) == c->units_count ||
		    !step_has_unit(s, u->unit))
			return hsa_fail(diag, HSA_RC(E_CONFIG),
			    "step %s: unit %s takes no part in it", s->id,
			    u->unit);
		for (k = 0; k < i; k++)
			if (strcmp(e->units[k].unit, u->unit) == 0)
				return hsa_fail(diag, HSA_RC(E_CONFIG),
				    "step %s: unit %s is expected twice", s->id,
				    u->unit);
	}
out:
	return rc;
}

static hsa_rc
check_lists(const struct tkc_ceremony *c, const struct tkc_c_step *s,
    struct hsa_diag *diag)
{
	size_t i, k;

	for (i = 0; i < s->who_count; i++)
		if (tkc_c_role_find(c, s->who[i]) == NULL)
			return hsa_fail(diag, HSA_RC(E_CONFIG),
			    "step %s: who: %s is none of the roles", s->id,
			    s->who[i]);
	for (i = 0; i < s->units_count; i++) {
		if (tkc_c_unit_index(c, s->units[i]) == c->units_count)
			return hsa_fail(diag, HSA_RC(E_CONFIG),
			    "step %s: %s is none of the units", s->id,
			    s->units[i]);
		for (k = 0; k < i; k++)
			if (strcmp(s->units[k], s->units[i]) == 0)
				return hsa_fail(diag, HSA_RC(E_CONFIG),
				    "step %s: unit %s is named twice", s->id,
				    s->units[i]);
	}
	return HSA_OK;
}

static hsa_rc
check_step(const struct tkc_ceremony *c, size_t i, struct hsa_diag *diag)
{
	const struct tkc_c_step *s = &c->steps[i];
	const struct tkc_c_verb *v = tkc_c_verb_find(s->verb);
	size_t k;
	hsa_rc rc;

	if (s->id[strspn(s->id, "abcdefghijklmnopqrstuvwxyz"
				"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] !=
	    '\0')
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "step %zu: its id may hold letters, digits, '.', '_', '-'",
		    i + 1);
	for (k = 0; k < i; k++)
		if (strcmp(c->steps[k].id, s->id) == 0)
			return hsa_fail(diag, HSA_RC(E_CONFIG),
			    "two steps have the id %s: ids must be unique",
			    s->id);
	HSA_TRY(rc, check_text("title of a step", s->title, diag));
	if (v == NULL)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "step %s: do: no verb %.32s in a ceremony; "
		    "tke-ceremony(5) lists them",
		    s->id, s->verb);
	HSA_TRY(rc, check_lists(c, s, diag));
	HSA_TRY(rc, check_args(s, v, diag));
	HSA_TRY(rc, check_with(c, s, diag));
	HSA_TRY(rc, check_rehearse(c, s, v, diag));
	HSA_TRY(rc, check_expect(c, s, v, diag));
out:
	return rc;
}

hsa_rc
tkc_ceremony_check(const struct tkc_ceremony *c, struct hsa_diag *diag)
{
	size_t i;
	hsa_rc rc;

	HSA_TRY(rc, check_text("name", c->name, diag));
	for (i = 0; i < c->units_count; i++)
		HSA_TRY(rc, check_unit(c, i, diag));
	for (i = 0; i < c->roles_count; i++)
		HSA_TRY(rc, check_role(c, i, diag));
	for (i = 0; i < c->key_parts_count; i++)
		HSA_TRY(rc, check_part(c, i, diag));
	for (i = 0; i < c->steps_count; i++)
		HSA_TRY(rc, check_step(c, i, diag));
out:
	return rc;
}
