/* ep_route.h - the paths of ep11-tke-wire 2. */
#ifndef EP_ROUTE_H
#define EP_ROUTE_H

struct ep_config;
struct ep_unit_config;

enum ep_route {
	EP_ROUTE_INSTANCES, /* /v1/tke */
	EP_ROUTE_UNITS,     /* /v1/tke/{instance}/hsms */
	EP_ROUTE_UNIT,      /* /v1/tke/{instance}/hsms/{hsm_id} */
	EP_ROUTE_NONE
};

/*
 * ep_route(cfg, path, unit, missing) - what a path names. unit: out, with
 * EP_ROUTE_UNIT. missing: out, with EP_ROUTE_NONE, what is not there and the
 * fix; static text.
 */
enum ep_route ep_route(const struct ep_config *cfg, const char *path,
    const struct ep_unit_config **unit, const char **missing);

#endif
