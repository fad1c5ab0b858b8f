/* Covers: tkc_fleet_parse tkc_location_parse */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tkc_fleet.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct tkc_fleet fleet;
	const char *text = n == 0 ? "" : (const char *)p;
	struct hsa_diag diag = {.text = ""};
	struct tkc_unit *u = NULL;
	uint32_t module = 0, domain = 0;
	char location[256] = "";
	size_t i;

	if (hsa_is_ok(tkc_fleet_parse(&fleet, text, n, &diag)))
		for (i = 0; i < fleet.len; i++) {
			/* ids go into paths, serials are compared as 8 bytes */
			if (strlen(fleet.unit[i].serial) != 8 ||
			    strpbrk(fleet.unit[i].id, "/%?# ") != NULL)
				abort();
			if (!hsa_is_ok(tkc_fleet_find(
				&u, &fleet, fleet.unit[i].id, &diag)) ||
			    u != &fleet.unit[i])
				diag.text[0] = '\0'; /* an id may be a serial */
		}
	if (n < sizeof(location)) {
		memcpy(location, text, n);
		if (hsa_is_ok(tkc_location_parse(&module, &domain, location)) &&
		    (module > 999999 || domain > 999999))
			abort();
	}
	return 0;
}
