/* Covers: ep_config_parse ep_check ep_location_parse ep_listen_parse */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ep_config.h"
#include "ep_init.h"
#include "ep_template.h"
#include "hsa_buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* What was accepted can be written and read again, and is the same text. */
static void
round_trip(const struct ep_config *c)
{
	struct hsa_buf one = {0}, two = {0};
	struct ep_config *back = NULL;
	struct hsa_diag d = {{0}};

	ep_template(&one, c);
	if (!hsa_is_ok(hsa_buf_rc(&one)) || one.len > EP_CONFIG_MAX)
		goto out;
	if (!hsa_is_ok(ep_config_parse(&back, one.p, one.len, &d))) {
		(void)fprintf(stderr, "%s\n%s\n", d.text, hsa_buf_cstr(&one));
		abort();
	}
	ep_template(&two, back);
	if (one.len != two.len || memcmp(one.p, two.p, one.len) != 0)
		abort();
out:
	ep_config_free(back);
	hsa_buf_free(&one);
	hsa_buf_free(&two);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ep_config *c = NULL;
	struct hsa_diag d = {{0}};
	uint32_t module = 0, domain = 0;
	char host[EP_HOST_MAX] = "", text[256] = "";
	struct ep_init_options opt = {0};
	enum ep_unit_type type = EP_UNIT_FAILOVER;
	uint16_t port = 0;

	if (hsa_is_ok(ep_config_parse(&c, p, n, &d)))
		round_trip(c);
	else if (d.text[0] == '\0')
		abort(); /* every refusal says why */
	ep_config_free(c);
	if (n < sizeof(text)) {
		memcpy(text, p, n);
		(void)!hsa_is_ok(ep_location_parse(&module, &domain, text));
		(void)!hsa_is_ok(ep_listen_parse(host, &port, text));
		(void)!hsa_is_ok(ep_unit_type_parse(&type, text));
		if (hsa_is_ok(ep_init_units(&opt, text, &d)) &&
		    opt.operational + opt.recovery + opt.failover >
			EP_UNITS_MAX)
			abort();
	}
	return 0;
}
