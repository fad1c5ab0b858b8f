#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper_emitter.h"
#include "helper_left.h"

#define MUST(x)                                                                \
	do {                                                                   \
		if (!(x)) {                                                    \
			(void)fprintf(                                         \
			    stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);    \
			abort();                                               \
		}                                                              \
	} while (0)

static void
must(hsa_rc rc, const char *what, const struct hsa_diag *diag)
{
	if (hsa_is_ok(rc))
		return;
	(void)fprintf(
	    stderr, "%s: %s: %s\n", what, hsa_err_name(rc), diag->text);
	abort();
}

static bool
folder(struct helper_emitter *h, const char *parent)
{
	(void)snprintf(h->base, sizeof(h->base), "%.40s/hsae-XXXXXX", parent);
	if (mkdtemp(h->base) == NULL)
		return false;
	helper_left(h->base);
	(void)snprintf(h->dir, sizeof(h->dir), "%s/audit", h->base);
	(void)snprintf(h->log, sizeof(h->log), "%s/log", h->dir);
	(void)snprintf(h->pub, sizeof(h->pub), "%s/checkpoint.pub", h->dir);
	h->cfg.dir = h->dir;
	return true;
}

void
helper_emitter_init(struct helper_emitter *h, enum hsa_emitter_mode mode)
{
	memset(h, 0, sizeof(*h));
	/* a ring that is left goes with the folder */
	if (folder(h, "/dev/shm")) {
		memcpy(h->rings, h->base, sizeof(h->rings));
		h->cfg.ring_dir = h->rings;
	} else {
		MUST(folder(h, "/tmp"));
	}
	h->cfg.name = "helper";
	h->cfg.mode = mode;
}

void
helper_emitter_place(struct helper_emitter *h, const char *parent)
{
	if (h->rings[0] == '\0')
		MUST(rmdir(h->base) == 0);
	MUST(folder(h, parent));
}

void
helper_emitter_free(struct helper_emitter *h)
{
	char command[160];

	(void)snprintf(
	    command, sizeof(command), "rm -rf %s %s", h->base, h->rings);
	MUST(system(command) == 0); /* NOLINT: our own mkdtemp */
}

struct hsa_emitter *
helper_emitter_open(struct helper_emitter *h)
{
	struct hsa_diag diag = {{0}};
	struct hsa_emitter *e = NULL;

	must(hsa_emitter_open(&e, &h->cfg, &diag), "hsa_emitter_open", &diag);
	return e;
}

void
helper_emitter_context_config(struct hsa_emitter_context_config *c)
{
	*c = (struct hsa_emitter_context_config){
	    .log_source_crn = HELPER_CRN,
	    .target_id = HELPER_CRN,
	    .target_name = "payments",
	    .correlation_id = "8c2d5a51-9b6c-4a53-8f0e-0f5e3c1b2a10",
	    .initiator_id = "IBMid-550000ABCD",
	    .initiator_name = "custodian1@example.com",
	    .initiator_type = "service/security/account/user",
	    .credential_type = "token",
	    .host_address = "203.0.113.7",
	    .host_address_type = "IPv4",
	    .host_agent = "helper/1",
	};
}

struct hsa_emitter_context *
helper_emitter_context(struct hsa_emitter *e, enum hsa_emitter_mode mode)
{
	struct hsa_emitter_context_config cfg;
	struct hsa_diag diag = {{0}};
	struct hsa_emitter_context *c = NULL;

	helper_emitter_context_config(&cfg);
	cfg.mode = mode;
	must(hsa_emitter_context(&c, e, &cfg, &diag), "hsa_emitter_context",
	    &diag);
	return c;
}

void
helper_emitter_event(struct hsa_emitter_event *ev)
{
	static const struct hsa_emitter_field field[] = {
	    HSA_REQUEST_TEXT("requestURI", "/api/v2/keys/payments"),
	    HSA_FIELDS_END,
	};

	*ev = (struct hsa_emitter_event){
	    .action = HSA_ACTION_SECRETS_ROTATE,
	    .status = 204,
	    .field = field,
	};
}

void
helper_emitter_check(struct helper_emitter *h, struct vfy_result *res,
    vfy_record_fn *fn, void *ctx)
{
	struct vfy_options opt = {.on_record = fn, .ctx = ctx};
	struct vfy_keys keys = {0};
	struct hsa_diag diag = {{0}};

	must(vfy_keys_load(&keys, h->pub, &diag), "keys", &diag);
	opt.keys = &keys;
	must(vfy_log(res, h->log, &opt, &diag), "vfy_log", &diag);
	vfy_keys_free(&keys);
	if (res->bad)
		(void)fprintf(stderr, "%s: %s\n", res->rule, res->finding);
	MUST(!res->bad && res->records == res->sealed);
}
