/* Covers: ep_body_request ep_body_response ep_route */
#include <stdlib.h>
#include <string.h>
#include "ep_body.h"
#include "ep_config.h"
#include "ep_route.h"
#include "hsa_buf.h"
#include "tke_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static char instance[] = "5d00863e-ed8e-4684-822b-7fc2e55efccb";
static char id[] = "c9088dde-0571-43b8-a8ea-61e3fe9c58fa";
static struct ep_unit_config unit = {.id = id};
static const struct ep_config cfg = {
    .instance_id = instance, .unit = &unit, .unit_count = 1};

static void
route(const uint8_t *p, size_t n)
{
	const struct ep_unit_config *u = NULL;
	const char *missing = NULL;
	char path[512] = "";

	if (n >= sizeof(path))
		return;
	memcpy(path, p, n);
	switch (ep_route(&cfg, path, &u, &missing)) {
	case EP_ROUTE_UNIT:
		if (u != &unit)
			abort();
		break;
	case EP_ROUTE_NONE:
		if (missing == NULL)
			abort();
		break;
	case EP_ROUTE_INSTANCES:
	case EP_ROUTE_UNITS:
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct hsa_buf got = {0}, reply = {0};
	struct hsa_diag d = {{0}};

	route(p, n);
	if (n > EP_BODY_MAX)
		return 0;
	if (hsa_is_ok(ep_body_request(&got, p, n, &d))) {
		if (got.len > TKE_TRANSPORT_MAX ||
		    strlen(hsa_buf_cstr(&got)) != got.len)
			abort();
		ep_body_response(&reply, got.p, got.len);
	} else if (d.text[0] == '\0' || got.len != 0) {
		abort();
	}
	hsa_buf_free(&got);
	hsa_buf_free(&reply);
	return 0;
}
