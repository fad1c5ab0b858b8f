#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper_dl.h"

struct dl m;

static const struct {
	const char *name;
	void *to;
} symbols[] = {
    {"m_init", &m.init},
    {"m_shutdown", &m.shutdown},
    {"m_add_module", &m.add_module},
    {"m_rm_module", &m.rm_module},
    {"m_get_xcp_info", &m.info},
    {"m_admin", &m.admin},
    {"xcpa_queryblock", &m.queryblock},
    {"xcpa_internal_rv", &m.internal_rv},
    {"m_Login", &m.login},
    {"m_Logout", &m.logout},
    {"m_GenerateRandom", &m.random},
    {"m_DigestInit", &m.digest_init},
    {"m_Digest", &m.digest},
    {"m_DigestUpdate", &m.digest_update},
    {"m_DigestFinal", &m.digest_final},
    {"m_DigestSingle", &m.digest_single},
    {"m_EncryptInit", &m.encrypt_init},
    {"m_EncryptUpdate", &m.encrypt_update},
    {"m_EncryptFinal", &m.encrypt_final},
    {"m_EncryptSingle", &m.encrypt_single},
    {"m_DecryptSingle", &m.decrypt_single},
    {"m_SignSingle", &m.sign_single},
    {"m_VerifySingle", &m.verify_single},
    {"m_GenerateKey", &m.generate},
    {"m_GenerateKeyPair", &m.pair},
    {"m_UnwrapKey", &m.unwrap},
    {"m_GetMechanismList", &m.mech_list},
    {"m_GetMechanismInfo", &m.mech_info},
    {"m_GetAttributeValue", &m.attr_get},
    {"m_SetAttributeValue", &m.attr_set},
};

bool
dl_add(const struct hd *d, target_t *t, const char *unit, uint64_t flags)
{
	struct module mod = {.version = 2, .flags = flags | 2};
	unsigned int module = 0, domain = 0;

	if (!hd_unit_indices(d, unit, &module, &domain))
		return false;
	mod.module_nr = module;
	mod.domainmask[domain / 8] |= (uc)(0x80u >> domain % 8);
	return m.add_module(&mod, t) == 0;
}

bool
dl_load(void)
{
	const char *build = getenv("CU_BUILD");
	char path[256] = "";
	void *lib = NULL, *p = NULL;

	(void)snprintf(path, sizeof(path), "%s/lib/libep11.so.4",
	    build != NULL ? build : "build");
	lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (lib == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		return false;
	}
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		p = dlsym(lib, symbols[i].name);
		if (p == NULL) {
			fprintf(stderr, "no %s\n", symbols[i].name);
			return false;
		}
		memcpy(symbols[i].to, &p, sizeof(p));
	}
	return true;
}

bool
dl_start(struct hd *d, target_t *t)
{
	char where[300] = "";

	if (!hd_ceremony(d) || !hd_start(d))
		return false;
	(void)snprintf(where, sizeof(where), "unix:%s", d->state);
	(void)setenv("EP11_UNIT", where, 1);
	*t = ~0UL;
	return dl_load() && m.init() == 0 && dl_add(d, t, "operational-1", 0);
}

void
dl_stop(struct hd *d)
{
	if (m.shutdown != NULL)
		(void)m.shutdown();
	hd_free(d);
}
