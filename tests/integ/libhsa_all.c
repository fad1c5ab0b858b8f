/*
 * libhsa_all.c DIR [MODE] - every action of the catalogue through the public
 * emitter, as a success with all its documented fields and as a failure, each
 * with a name of its own in target.name: what test_libhsa.sh then looks for in
 * the export. Built with what pkg-config says and nothing else.
 */
#include <hsa_emitter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX 40
#define CRN                                                                    \
	"crn:v1:bluemix:public:hs-crypto:us-south:a/"                          \
	"0123456789abcdef0123456789abcdef:"                                    \
	"11111111-2222-4333-8444-555555555555::"
#define UUID "8c2d5a51-9b6c-4a53-8f0e-0f5e3c1b2a10"

static const uint8_t ids[96] = {0x5a, 0xa5, [32] = 1, [64] = 2};
static char name[FIELDS_MAX][64];

static void
die(const char *what, hsa_rc rc, const struct hsa_diag *why)
{
	fprintf(stderr, "%s: %s: %s\n", what, hsa_err_name(rc), why->text);
	exit(1);
}

/* A value of the documented form, by the macro that makes it. */
#define VALUE(M)                                                               \
	do {                                                                   \
		const struct hsa_emitter_field                                 \
		    text = HSA_##M##_TEXT(n, "some text"),                     \
		    uri = HSA_##M##_TEXT(n, "/api/v2/keys?limit=1"),           \
		    uuid = HSA_##M##_UUID(n, ids),                             \
		    hex = HSA_##M##_HEX(n, ids, 32),                           \
		    list = HSA_##M##_HEX_LIST(n, ids, 32, 3),                  \
		    place =                                                    \
			HSA_##M##_TEXT(n, "[us-south].[AZ1-CS4].[00].[03]"),   \
		    time = HSA_##M##_TIME(n, 1764028800000000000),             \
		    number = HSA_##M##_INTEGER(n, 2),                          \
		    yes = HSA_##M##_BOOLEAN(n, 1);                             \
                                                                               \
		*f = strcmp(type, "string") == 0      ? text                   \
		     : strcmp(type, "uri") == 0       ? uri                    \
		     : strcmp(type, "uuid") == 0      ? uuid                   \
		     : strcmp(type, "hex64") == 0     ? hex                    \
		     : strcmp(type, "hex64[]") == 0   ? list                   \
		     : strcmp(type, "location") == 0  ? place                  \
		     : strcmp(type, "timestamp") == 0 ? time                   \
		     : strcmp(type, "int") == 0       ? number                 \
						      : yes;                         \
	} while (0)

static size_t
fill(struct hsa_emitter_field *f, size_t len, const char *list, int response)
{
	struct hsa_field_spec spec;
	size_t at = 0;

	while (hsa_field_spec_next(list, &at, &spec)) {
		const char *n = name[len], *type = spec.type;

		if (len == FIELDS_MAX - 1)
			exit(3);
		snprintf(name[len], sizeof(name[len]), "%s", spec.name);
		if (response)
			VALUE(RESPONSE);
		else
			VALUE(REQUEST);
		f++;
		len++;
	}
	return len;
}

int
main(int argc, char **argv)
{
	const struct hsa_emitter_field end = HSA_FIELDS_END;
	struct hsa_emitter_config config = {
	    .dir = argv[1],
	    .name = "every action",
	    .mode = argc > 2 && strcmp(argv[2], "ring") == 0
			? HSA_EMITTER_RING
			: HSA_EMITTER_SEALED,
	};
	struct hsa_emitter_context_config who = {
	    .log_source_crn = CRN,
	    .target_id = CRN,
	    .correlation_id = UUID,
	    .initiator_id = "IBMid-550000ABCD",
	    .initiator_name = "custodian1@example.com",
	    .initiator_type = "service/security/account/user",
	    .credential_type = "token",
	    .host_address = "203.0.113.7",
	    .host_address_type = "IPv4",
	    .host_agent = "libhsa_all/1",
	};
	struct hsa_emitter_context *c = NULL;
	struct hsa_emitter *e = NULL;
	const struct hsa_action_row *row;
	struct hsa_diag why;
	size_t rows = 0;
	hsa_rc rc;

	rc = hsa_emitter_open(&e, &config, &why);
	if (!hsa_is_ok(rc))
		die("open", rc, &why);
	rc = hsa_emitter_context(&c, e, &who, &why);
	if (!hsa_is_ok(rc))
		die("context", rc, &why);
	row = hsa_catalogue(&rows);
	for (size_t i = 0; i < 2 * rows; i++) {
		const struct hsa_action_row *r = &row[i / 2];
		struct hsa_emitter_field f[FIELDS_MAX];
		struct hsa_emitter_event ev = {0};
		struct hsa_emitter_receipt receipt;
		char target[96];
		size_t n = 0;

		snprintf(target, sizeof(target), "%s %zu", r->name, i % 2);
		ev.target_name = target;
		if (i % 2 == 0) {
			ev.action = r->code;
			ev.status = 200;
			n = fill(f, 0, r->request_data, 0);
			n = fill(f + n, n, r->response_data, 1);
		} else {
			/* the same by name, and the first member alone */
			ev.action_name = r->name;
			ev.status = 400;
			ev.reason = "no: \"request\" is not valid";
			n = fill(f, 0, r->request_data, 0) > 0;
		}
		f[n] = end;
		ev.field = f;
		rc = hsa_emitter_emit(c, &receipt, &ev, &why);
		if (!hsa_is_ok(rc))
			die(r->name, rc, &why);
		printf("%s\t%zu\t%s\t%llu\n", r->name, i % 2,
		    receipt.event_id_text, (unsigned long long)receipt.number);
	}
	rc = hsa_emitter_flush(e, &why);
	if (!hsa_is_ok(rc))
		die("flush", rc, &why);
	hsa_emitter_context_free(c);
	hsa_emitter_close(e);
	return 0;
}
