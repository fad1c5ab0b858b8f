#include <stdio.h>
#include <string.h>

#include "tkc_state.h"

hsa_rc
tkc_state_attributes(struct tkc_state *s, struct tkc_fleet *f,
    struct tkc_unit *u, struct hsa_diag *diag)
{
	const uint32_t needed = 1u << TKE_ATTR_SIGNATURE_THRESHOLD |
				1u << TKE_ATTR_REVOCATION_THRESHOLD |
				1u << TKE_ATTR_PERMISSIONS;
	struct tkc_answer a = {.reply = {0}};
	const struct tke_admin_reply *r = &a.reply;
	struct tke_attributes attr = {0};
	uint32_t present = 0;
	hsa_rc rc;

	HSA_TRY(rc, tkc_fleet_query(f, u, &a, TKE_QUERY_DOMAIN_ATTRIBUTES,
			(struct tke_slice){0}, diag));
	rc = tke_attributes_decode(
	    &attr, &present, r->output.p, r->output.n, true);
	if (!hsa_is_ok(rc) || (present & needed) != needed) {
		rc = hsa_fail(diag, HSA_RC(E_SIGNATURE),
		    "crypto unit %u %s: its attributes are malformed or "
		    "incomplete",
		    u->number, u->location);
		goto out;
	}
	s->attributes = attr;
	memcpy(s->domain, r->domain.p, sizeof(s->domain));
	memcpy(s->module, r->module.p, sizeof(s->module));
	memcpy(s->counter, r->counter.p, sizeof(s->counter));
out:
	tkc_answer_free(&a);
	return rc;
}

static hsa_rc
admin_name(struct tkc_state *s, size_t i, struct tkc_fleet *f,
    struct tkc_unit *u, struct hsa_diag *diag)
{
	struct tkc_answer a = {.reply = {0}};
	struct tke_admin_cert cert = {.key = NULL};
	hsa_rc rc;

	snprintf(s->admin_name[i], sizeof(s->admin_name[i]), "?");
	HSA_TRY(rc, tkc_fleet_query(f, u, &a, TKE_QUERY_DOMAIN_ADMINS,
			(struct tke_slice){s->admin[i], TKE_SKI_LEN}, diag));
	if (hsa_is_ok(tke_admin_cert_parse(
		&cert, a.reply.output.p, a.reply.output.n)) &&
	    memcmp(cert.ski, s->admin[i], TKE_SKI_LEN) == 0)
		memcpy(s->admin_name[i], cert.name, sizeof(cert.name));
out:
	tke_admin_cert_free(&cert);
	tkc_answer_free(&a);
	return rc;
}

hsa_rc
tkc_state_admins(struct tkc_state *s, struct tkc_fleet *f, struct tkc_unit *u,
    bool names, struct hsa_diag *diag)
{
	struct tkc_answer a = {.reply = {0}};
	const struct tke_slice *list = &a.reply.output;
	size_t i;
	hsa_rc rc;

	HSA_TRY(rc, tkc_fleet_query(f, u, &a, TKE_QUERY_DOMAIN_ADMINS,
			(struct tke_slice){0}, diag));
	if (list->n % TKE_SKI_LEN != 0 ||
	    list->n / TKE_SKI_LEN > TKC_ADMINS_MAX) {
		rc = hsa_fail(diag, HSA_RC(E_SIGNATURE),
		    "crypto unit %u %s: its list of administrators is "
		    "malformed",
		    u->number, u->location);
		goto out;
	}
	s->admins = list->n / TKE_SKI_LEN;
	for (i = 0; i < s->admins; i++)
		memcpy(s->admin[i], list->p + i * TKE_SKI_LEN, TKE_SKI_LEN);
	for (i = 0; names && i < s->admins; i++)
		HSA_TRY(rc, admin_name(s, i, f, u, diag));
out:
	tkc_answer_free(&a);
	return rc;
}

hsa_rc
tkc_state_registers(struct tkc_state *s, struct tkc_fleet *f,
    struct tkc_unit *u, struct hsa_diag *diag)
{
	return tkc_fleet_info(f, u, &s->info, diag);
}

hsa_rc
tkc_state_all(struct tkc_state *s, struct tkc_fleet *f, struct tkc_unit *u,
    bool names, struct hsa_diag *diag)
{
	hsa_rc rc;

	HSA_TRY(rc, tkc_state_attributes(s, f, u, diag));
	HSA_TRY(rc, tkc_state_admins(s, f, u, names, diag));
	HSA_TRY(rc, tkc_state_registers(s, f, u, diag));
out:
	return rc;
}

hsa_rc
tkc_state_points(struct tkc_state *s, struct tkc_fleet *f, struct tkc_unit *u,
    struct hsa_diag *diag)
{
	struct tkc_answer a = {.reply = {0}};
	const struct tke_admin_reply *r = &a.reply;
	hsa_rc rc;

	HSA_TRY(rc, tkc_fleet_query(f, u, &a, TKE_QUERY_DOMAIN_CONTROL_POINTS,
			(struct tke_slice){0}, diag));
	if (r->output.n == sizeof(s->points))
		memcpy(s->points, r->output.p, sizeof(s->points));
	else
		rc = hsa_fail(diag, HSA_RC(E_SIGNATURE),
		    "crypto unit %u %s: its control points are malformed",
		    u->number, u->location);
out:
	tkc_answer_free(&a);
	return rc;
}

bool
tkc_state_has_admin(const struct tkc_state *s, const uint8_t ski[TKE_SKI_LEN])
{
	size_t i;

	for (i = 0; i < s->admins; i++)
		if (memcmp(s->admin[i], ski, TKE_SKI_LEN) == 0)
			return true;
	return false;
}

const char *
tkc_new_register(const struct tke_domain_info *i)
{
	if ((i->flags & TKE_DOMINFO_PENDING) == 0)
		return "Empty";
	return (i->flags & TKE_DOMINFO_COMMITTED) != 0 ? "Full Committed"
						       : "Full Uncommitted";
}

const char *
tkc_current_register(const struct tke_domain_info *i)
{
	return (i->flags & TKE_DOMINFO_CURRENT) != 0 ? "Valid" : "Empty";
}

uint32_t
tkc_signatures_needed(
    uint32_t command, const struct tke_attributes *a, uint32_t signature)
{
	uint32_t present = a->signature_threshold;

	if (present == 0)
		return command == TKE_CMD_SET_ATTRIBUTES ? signature : 0;
	switch (command) {
	case TKE_CMD_ADMIN_ADD:
	case TKE_CMD_SET_ATTRIBUTES:
	case TKE_CMD_WK_COMMIT:
		return present;
	case TKE_CMD_ADMIN_REMOVE:
		return a->revocation_threshold;
	case TKE_CMD_CP_SET:
	case TKE_CMD_CP_ADD:
	case TKE_CMD_CP_DELETE:
		return (a->permissions & TKE_PERM_CP_ONE) != 0 ? 1 : present;
	case TKE_CMD_ZEROIZE:
		return (a->permissions & TKE_PERM_ZEROIZE_ONE) != 0 ? 1
								    : present;
	default:
		return 1;
	}
}
