/* tkc_run.h: tying a ceremony file to keys, passwords and crypto units. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tkc_run.h"

hsa_rc
tkc_run_path(struct hsa_buf *b, const char *base, const char *path)
{
	if (path[0] == '/' || base[0] == '\0')
		hsa_buf_str(b, path);
	else
		hsa_buf_printf(b, "%s/%s", base, path);
	return hsa_buf_rc(b);
}

/* ---- passwords ----------------------------------------------------------- */

static hsa_rc
try_password(struct tkc_passwords *w, const char *key, const char *base,
    const char *file, struct hsa_diag *diag)
{
	struct hsa_buf path = {0}, password = {0};
	hsa_rc rc;

	HSA_TRY(rc, tkc_run_path(&path, base, file));
	HSA_TRY(rc, tkc_slurp_line(&password, hsa_buf_cstr(&path), diag));
	HSA_TRY(rc, tkc_passwords_add_for(w, key, hsa_buf_cstr(&path)));
out:
	hsa_buf_free(&path);
	hsa_buf_free(&password);
	return rc;
}

hsa_rc
tkc_run_passwords(const struct tkc_ceremony *c, const char *base,
    struct tkc_passwords *w, struct hsa_diag *diag)
{
	size_t i;
	hsa_rc rc = HSA_OK;

	for (i = 0; i < c->roles_count; i++) {
		const struct tkc_c_role *r = &c->roles[i];

		if (r->sigkey == NULL || r->password_file == NULL)
			continue;
		rc = try_password(w, r->sigkey, base, r->password_file, diag);
		if (!hsa_is_ok(rc)) {
			hsa_diag_wrap(diag, "role %s", r->name);
			goto out;
		}
	}
	for (i = 0; i < c->key_parts_count; i++) {
		const struct tkc_c_part *p = &c->key_parts[i];
		const struct tkc_c_role *r = tkc_c_role_find(c, p->holder);

		if (r == NULL || r->password_file == NULL)
			continue;
		HSA_TRY(
		    rc, try_password(w, p->name, base, r->password_file, diag));
	}
out:
	if (!hsa_is_ok(rc) && rc.v != HSA_E_NOMEM)
		rc = HSA_RC(E_CONFIG);
	return rc;
}

/* ---- keys ---------------------------------------------------------------- */

static size_t
count_named(const struct tkc_keys *keys, const char *name)
{
	size_t i, n = 0;

	for (i = 0; i < keys->len; i++)
		n += strcmp(keys->key[i]->name, name) == 0 ? 1u : 0u;
	return n;
}

/* Does a step before `before` make this key? */
static bool
made_before(const struct tkc_ceremony *c, size_t before, const char *verb,
    const char *name)
{
	size_t i;

	for (i = 0; i < before; i++) {
		const struct tkc_c_step *s = &c->steps[i];
		const char *made = s->with == NULL         ? NULL
				   : s->with->role != NULL ? s->with->role
							   : s->with->part;

		if (strcmp(s->verb, verb) == 0 && made != NULL &&
		    strcmp(made, name) == 0)
			return true;
	}
	return false;
}

static hsa_rc
need(struct tkc_run *r, size_t step, const char *verb,
    const struct tkc_keys *keys, const char *name, const char *label,
    struct hsa_diag *diag)
{
	const char *id = r->c->steps[step].id;
	size_t n = count_named(keys, label);

	if (made_before(r->c, step, verb, name))
		return HSA_OK;
	if (n == 1)
		return HSA_OK;
	if (n > 1)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "step %s: there are %zu key files named %s: remove or "
		    "rename all but one",
		    id, n, label);
	return hsa_fail(diag, HSA_RC(E_CONFIG),
	    "step %s: no key named %s in %s, and no earlier step makes it with "
	    "%s",
	    id, label, r->ring->files->path, verb);
}

static hsa_rc
need_role(
    struct tkc_run *r, size_t step, const char *role, struct hsa_diag *diag)
{
	return need(r, step, "sigkey-add", &r->ring->sigkeys, role,
	    tkc_c_role_find(r->c, role)->sigkey, diag);
}

/* A step that makes a key must not find it, nor must two make the same. */
static hsa_rc
must_be_new(struct tkc_run *r, size_t step, struct hsa_diag *diag)
{
	const struct tkc_c_step *s = &r->c->steps[step];
	bool sig = strcmp(s->verb, "sigkey-add") == 0;
	const char *name = sig ? s->with->role : s->with->part;
	const char *label = sig ? tkc_c_role_find(r->c, name)->sigkey : name;

	if (count_named(sig ? &r->ring->sigkeys : &r->ring->parts, label) > 0 ||
	    made_before(r->c, step, s->verb, name))
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "step %s: it makes %s, but there is a key of that name "
		    "already: use another directory (files:) or leave the step "
		    "out",
		    s->id, label);
	return HSA_OK;
}

hsa_rc
tkc_run_keys(struct tkc_run *r, struct hsa_diag *diag)
{
	size_t i, k;
	hsa_rc rc = HSA_OK;

	for (i = 0; i < r->c->steps_count; i++) {
		const struct tkc_c_step *s = &r->c->steps[i];
		const struct tkc_c_rehearse *x = s->rehearse;

		if (strcmp(s->verb, "sigkey-add") == 0 ||
		    strcmp(s->verb, "mk-add") == 0) {
			HSA_TRY(rc, must_be_new(r, i, diag));
			continue;
		}
		if (s->with != NULL && s->with->role != NULL)
			HSA_TRY(rc, need_role(r, i, s->with->role, diag));
		for (k = 0; s->with != NULL && k < s->with->parts_count; k++)
			HSA_TRY(rc,
			    need(r, i, "mk-add", &r->ring->parts,
				s->with->parts[k], s->with->parts[k], diag));
		for (k = 0; x != NULL && k < x->signers_count; k++)
			HSA_TRY(rc, need_role(r, i, x->signers[k], diag));
	}
out:
	return rc;
}

/* ---- units --------------------------------------------------------------- */

static bool
matches(const struct tkc_unit *u, const struct tkc_c_unit *want)
{
	return (want->number == NULL || *want->number == u->number) &&
	       (want->type == NULL ||
		   strcmp(want->type, tkc_unit_type_name(u->type)) == 0) &&
	       (want->location == NULL ||
		   strcmp(want->location, u->location) == 0) &&
	       (want->serial == NULL || strcmp(want->serial, u->serial) == 0);
}

hsa_rc
tkc_run_units(struct tkc_run *r, struct hsa_diag *diag)
{
	size_t i, k, hits;

	for (i = 0; i < r->c->units_count; i++) {
		const struct tkc_c_unit *want = &r->c->units[i];

		r->unit[i] = NULL;
		for (hits = 0, k = 0; k < r->fleet->len; k++)
			if (matches(&r->fleet->unit[k], want)) {
				r->unit[i] = &r->fleet->unit[k];
				hits++;
			}
		if (hits != 1)
			return hsa_fail(diag, HSA_RC(E_CONFIG),
			    "unit %s of the ceremony is %s of the instance's "
			    "crypto units: correct number, type, location or "
			    "serial (see tke cryptounits)",
			    want->name, hits == 0 ? "none" : "more than one");
		for (k = 0; k < i; k++)
			if (r->unit[k] == r->unit[i])
				return hsa_fail(diag, HSA_RC(E_CONFIG),
				    "units %s and %s of the ceremony are the "
				    "same crypto unit",
				    r->c->units[k].name, want->name);
	}
	return HSA_OK;
}
