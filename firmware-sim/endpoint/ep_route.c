/* ep_route.c - see ep_route.h. */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include "ep_config.h"
#include "ep_route.h"

static bool
segment(const char **at, const char **p, size_t *n)
{
	if (**at != '/')
		return false;
	*p = *at + 1;
	*n = strcspn(*p, "/");
	*at = *p + *n;
	return *n > 0;
}

static bool
is(const char *p, size_t n, const char *s)
{
	return strlen(s) == n && memcmp(p, s, n) == 0;
}

enum ep_route
ep_route(const struct ep_config *cfg, const char *path,
    const struct ep_unit_config **unit, const char **missing)
{
	const char *at = path, *p = NULL;
	unsigned int i = 0;
	size_t n = 0;

	*missing = "no such resource; fix: GET /v1/tke lists the instances";
	if (!segment(&at, &p, &n) || !is(p, n, "v1") || !segment(&at, &p, &n) ||
	    !is(p, n, "tke"))
		return EP_ROUTE_NONE;
	if (*at == '\0')
		return EP_ROUTE_INSTANCES;
	if (!segment(&at, &p, &n))
		return EP_ROUTE_NONE;
	if (!is(p, n, cfg->instance_id)) {
		*missing = "no such instance; fix: GET /v1/tke lists the "
			   "instances";
		return EP_ROUTE_NONE;
	}
	if (!segment(&at, &p, &n) || !is(p, n, "hsms"))
		return EP_ROUTE_NONE;
	if (*at == '\0')
		return EP_ROUTE_UNITS;
	if (!segment(&at, &p, &n) || *at != '\0')
		return EP_ROUTE_NONE;
	for (i = 0; i < cfg->unit_count; i++) {
		if (is(p, n, cfg->unit[i].id)) {
			*unit = &cfg->unit[i];
			return EP_ROUTE_UNIT;
		}
	}
	*missing = "no such crypto unit; fix: GET /v1/tke/{instance}/hsms "
		   "lists them";
	return EP_ROUTE_NONE;
}
