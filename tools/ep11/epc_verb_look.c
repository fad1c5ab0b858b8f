/* Verbs that look: info, mechanisms, list. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "epc_list.h"
#include "epc_session.h"

/* ---- info: get_xcp_info (ep11-host-api 6.1), native layout --------------- */

struct module_info {
	CK_ULONG api, firmware_id;
	uint8_t major, minor, csp_major, csp_minor;
	uint8_t hash[3][32];
	char serial[16], time[16]; /* serial(8) || instance(8) */
	CK_ULONG mode[2], flags, extended_flags, domains;
	CK_ULONG size[7];
	CK_ULONG profile_bytes, highest_cp;
};

struct domain_info {
	CK_ULONG domain;
	uint8_t current[32], next[32];
	CK_ULONG flags;
	uint8_t mode[8];
};

static hsa_rc
ask(struct epc_session *s, void *to, size_t n, unsigned int query)
{
	uint8_t room[4096] = {0};
	CK_ULONG len = sizeof(room);
	hsa_rc rc;

	HSA_TRY(
	    rc, epc_check(s, m_get_xcp_info(room, &len, query, 0, s->target)));
	if (len < n) {
		rc = hsa_fail(&s->diag, HSA_RC(E_REMOTE),
		    "the unit's answer to query %u has %lu bytes instead of "
		    "%zu",
		    query, (unsigned long)len, n);
		goto out;
	}
	memcpy(to, room, n);
out:
	return rc;
}

static const struct {
	CK_ULONG bit;
	const char *text;
} domain_flags[] = {
    {1, "administrators"},
    {2, "current master key"},
    {4, "new master key"},
    {8, "new master key committed"},
    {0x10, "left imprint mode"},
};

static void
show_domain(struct epc_session *s, const struct domain_info *d)
{
	size_t i = 0;

	epc_say_uint(s, "domain", d->domain);
	if ((d->flags & 2) != 0)
		epc_say_hex(s, "masterKey", d->current, sizeof(d->current));
	if ((d->flags & 4) != 0)
		epc_say_hex(s, "newMasterKey", d->next, sizeof(d->next));
	if (s->opt.json)
		hsa_jw_array(&s->jw, "state");
	for (i = 0; i < sizeof(domain_flags) / sizeof(domain_flags[0]); i++) {
		if ((d->flags & domain_flags[i].bit) == 0)
			continue;
		if (s->opt.json)
			hsa_jw_text(&s->jw, NULL, domain_flags[i].text);
		else
			printf("state: %s\n", domain_flags[i].text);
	}
	if (s->opt.json)
		hsa_jw_end(&s->jw);
}

static hsa_rc
run_info(struct epc_session *s)
{
	struct module_info m = {.api = 0};
	struct domain_info d = {.domain = 0};
	uint32_t host = 0;
	char text[64] = "";
	hsa_rc rc;

	s->facts_only = true;
	HSA_TRY(rc, epc_up(s));
	HSA_TRY(rc, ask(s, &host, sizeof(host), 0xff000001u));
	(void)snprintf(text, sizeof(text), "%u.%u.%u", host >> 16 & 0xff,
	    host >> 8 & 0xf, host & 0xf);
	epc_say(s, "library", text);
	HSA_TRY(rc, ask(s, &m, sizeof(m), 1));
	(void)snprintf(text, sizeof(text), "%.8s", m.serial);
	epc_say(s, "module", text);
	epc_say_hex(s, "instance", m.serial + 8, 8);
	epc_say_uint(s, "api", m.api);
	(void)snprintf(text, sizeof(text), "%u.%u", m.major, m.minor);
	epc_say(s, "firmware", text);
	epc_say_uint(s, "domains", m.domains);
	HSA_TRY(rc, ask(s, &d, sizeof(d), 3));
	show_domain(s, &d);
out:
	return rc;
}

/* ---- mechanisms ---------------------------------------------------------- */

static const struct {
	CK_FLAGS bit;
	const char *name;
} uses[] = {
    {CKF_ENCRYPT, "encrypt"},
    {CKF_DECRYPT, "decrypt"},
    {CKF_DIGEST, "digest"},
    {CKF_SIGN, "sign"},
    {CKF_VERIFY, "verify"},
    {CKF_GENERATE, "generate"},
    {CKF_GENERATE_KEY_PAIR, "generate-pair"},
    {CKF_WRAP, "wrap"},
    {CKF_UNWRAP, "unwrap"},
    {CKF_DERIVE, "derive"},
};

static void
show_mechanism(struct epc_session *s, CK_MECHANISM_TYPE type,
    const CK_MECHANISM_INFO *info)
{
	const char *name = ep11_mech_name(type);
	char number[32] = "";
	size_t i = 0;

	(void)snprintf(number, sizeof(number), "0x%lx", (unsigned long)type);
	if (name == NULL)
		name = number;
	if (s->opt.json) {
		hsa_jw_object(&s->jw, NULL);
		hsa_jw_text(&s->jw, "name", name);
		hsa_jw_uint(&s->jw, "number", type);
		hsa_jw_uint(&s->jw, "min", info->ulMinKeySize);
		hsa_jw_uint(&s->jw, "max", info->ulMaxKeySize);
		hsa_jw_array(&s->jw, "uses");
	} else {
		printf("%-28s %5lu %5lu ", name, info->ulMinKeySize,
		    info->ulMaxKeySize);
	}
	for (i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		if ((info->flags & uses[i].bit) == 0)
			continue;
		if (s->opt.json)
			hsa_jw_text(&s->jw, NULL, uses[i].name);
		else
			printf(" %s", uses[i].name);
	}
	if (s->opt.json) {
		hsa_jw_end(&s->jw);
		hsa_jw_end(&s->jw);
	} else {
		printf("\n");
	}
}

static hsa_rc
run_mechanisms(struct epc_session *s)
{
	CK_MECHANISM_TYPE list[512] = {0};
	CK_ULONG n = sizeof(list) / sizeof(list[0]), i = 0;
	hsa_rc rc;

	HSA_TRY(rc, epc_up(s));
	HSA_TRY(rc, epc_check(s, m_GetMechanismList(0, list, &n, s->target)));
	if (s->opt.json)
		hsa_jw_array(&s->jw, "mechanisms");
	for (i = 0; i < n; i++) {
		CK_MECHANISM_INFO info = {.flags = 0};

		HSA_TRY(rc, epc_check(s, m_GetMechanismInfo(
					     0, list[i], &info, s->target)));
		show_mechanism(s, list[i], &info);
	}
	if (s->opt.json)
		hsa_jw_end(&s->jw);
out:
	return rc;
}

static hsa_rc
run_list(struct epc_session *s)
{
	const char *what =
	    s->opt.line.arg_count == 0 ? "mechanisms" : s->opt.line.args[0];

	if (strcmp(what, "mechanisms") == 0)
		return run_mechanisms(s);
	if (strcmp(what, "keystores") == 0)
		return epc_list_stores(s);
	return epc_list_keys(s, what, NULL);
}

const struct epc_verb epc_verbs_look[] = {
    {{"info", "", "Library, module and domain", "", 0, 0, 0}, run_info},
    {{"mechanisms", "", "What the unit can do, with key sizes",
	 "Control points of the domain take mechanisms away.", 0, 0, 0},
	run_mechanisms},
    {{"list", "[WHAT]", "List mechanisms, keystores, or the keys of one",
	 "WHAT: mechanisms (default), keystores, or a keystore's name or id.",
	 EPC_OPT_ATTR, 0, 1},
	run_list},
    {.is = {.name = NULL}},
};
