/* host_module.c - opening the library, modules and targets of ep11.h. */
#include <stdio.h>
#include <string.h>
#include "ep11.h"
#include "host_lib.h"

int
m_init(void)
{
	struct hsa_diag diag = {{0}};
	hsa_rc rc = host_lib_open(&diag);

	if (hsa_is_ok(rc))
		return XCP_OK;
	(void)fprintf(stderr, "libep11: %s\n",
	    diag.text[0] != '\0' ? diag.text : hsa_err_text(rc));
	switch (rc.v) {
	case HSA_E_NOMEM:
		return XCP_EMEMORY;
	case HSA_E_ARG:
	case HSA_E_FORMAT:
	case HSA_E_RANGE:
		return XCP_EINVALID;
	default:
		return XCP_EDEVICE;
	}
}

int
m_shutdown(void)
{
	host_lib_close();
	return XCP_OK;
}

int
m_add_backend(const char *name, unsigned int port)
{
	(void)name;
	(void)port;
	return XCP_MOD_EOBSOLETE;
}

static int
check(const struct XCP_Module *m)
{
	const uint64_t known = XCP_MFL_MODULE | XCP_MFL_MHANDLE | XCP_MFL_PERF |
			       XCP_MFL_VIRTUAL | XCP_MFL_STRICT |
			       XCP_MFL_PROBE | XCP_MFL_ALW_TGT_ADD;

	if (m->version != XCP_MOD_VERSION_1 && m->version != XCP_MOD_VERSION_2)
		return XCP_MOD_EVERSION;
	return (m->flags & ~known) == 0 ? XCP_OK : XCP_MOD_EFLAGS;
}

/* Units that the structure means, which learns what there is. */
static int
find(struct host_lib *l, host_units *units, struct XCP_Module *m)
{
	const struct host_want want = {.any = (m->flags & XCP_MFL_MODULE) == 0,
	    .module = m->module_nr,
	    .domain = m->domainmask};
	uint8_t mask[sizeof(m->domainmask)] = {0};
	bool has_module = false;
	uint32_t domains = 0;
	host_units got = host_lib_match(l, &want, &has_module, mask, &domains);

	if (!has_module)
		return XCP_MOD_EMODULE;
	if (got == 0 || (!want.any && (m->flags & XCP_MFL_STRICT) != 0 &&
			    memcmp(mask, m->domainmask, sizeof(mask)) != 0))
		return XCP_MOD_EDOMAIN;
	if ((m->flags & XCP_MFL_PROBE) != 0) {
		got = host_lib_probe(l, got);
		if (got == 0)
			return XCP_MOD_EPROBE;
	}
	memcpy(m->domainmask, mask, sizeof(mask));
	if (m->domains == 0)
		m->domains = domains;
	*units = got;
	return XCP_OK;
}

int
m_add_module(XCP_Module_t m, target_t *target)
{
	struct host_lib *l = NULL;
	host_units units = 0;
	uint64_t made = 0;
	hsa_rc rc = HSA_OK;
	int r = XCP_EARG;

	if (m == NULL || target == NULL)
		return r;
	r = check(m);
	if (r != XCP_OK)
		return r;
	l = host_lib_get();
	if (l == NULL)
		return XCP_EINIT;
	r = find(l, &units, m);
	if (r == XCP_OK && (*target == XCP_TGT_INIT || *target == 0)) {
		rc = host_lib_target_new(&made, units);
		if (hsa_is_ok(rc))
			*target = made;
		else
			r = XCP_EMEMORY;
	} else if (r == XCP_OK) {
		rc = host_lib_target_add(*target, units);
		r = hsa_is_ok(rc) ? XCP_OK : XCP_ETARGET;
	}
	host_lib_put(l);
	return r;
}

int
m_rm_module(XCP_Module_t m, target_t target)
{
	struct XCP_Module copy = {0};
	struct host_lib *l = NULL;
	host_units units = ~(host_units)0;
	int r = XCP_OK;

	if (m != NULL) {
		r = check(m);
		if (r != XCP_OK)
			return r;
	}
	l = host_lib_get();
	if (l == NULL)
		return XCP_EINIT;
	if (m != NULL) {
		/* of a version 1 there is no more to read; what is found is
		 * not the caller's to be told here */
		memcpy(&copy, m, offsetof(struct XCP_Module, api));
		copy.flags &= ~(uint64_t)(XCP_MFL_PROBE | XCP_MFL_STRICT);
		r = find(l, &units, &copy);
	}
	if (r == XCP_OK && !hsa_is_ok(host_lib_target_take(target, units)))
		r = XCP_ETARGET;
	host_lib_put(l);
	return r;
}
