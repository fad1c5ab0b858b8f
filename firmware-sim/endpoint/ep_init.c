/* ep_init.c - see ep_init.h. */
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "hsa_buf.h"
#include "hsa_hash.h"
#include "bk_p11.h"
#include "slog_note.h"
#include "ep_certs.h"
#include "ep_check.h"
#include "ep_config.h"
#include "ep_file.h"
#include "ep_init.h"
#include "ep_oa.h"
#include "ep_template.h"

#define CRN_PREFIX "crn:v1:bluemix:public:hs-crypto"
#define TOKEN_BYTES 32

/* The configuration in the making. The texts are held here, so that nothing
 * has to be freed but c's few own ones. */
struct plan {
	struct ep_config c;
	struct ep_unit_config unit[EP_UNITS_MAX];
	struct ep_identity identity;
	char name[EP_UNITS_MAX][40], id[EP_UNITS_MAX][HSA_UUID_TEXT];
	char location[EP_UNITS_MAX][128], serial[EP_UNITS_MAX][16];
	char instance[HSA_UUID_TEXT], account[33], user[64], who[80];
	char token[2 * TOKEN_BYTES + 2], token_sha256[65];
	struct ep_collector collector[EP_COLLECTORS_MAX];
	char collector_name[EP_COLLECTORS_MAX][40];
	char collector_address[EP_COLLECTORS_MAX][1024];
	char region[64], module[1024], listen[128], prefix[64], socket[16];
	char identity_id[32];
};

/* ---- options ------------------------------------------------------------- */

/* One "TYPE=NUMBER" at *at, which moves behind it. False: no such thing. */
static bool
one_type(struct ep_init_options *opt, const char **at)
{
	const char *eq = strchr(*at, '=');
	enum ep_unit_type t = EP_UNIT_OPERATIONAL;
	unsigned int *to = NULL;
	unsigned long n = 0;
	char type[32] = "", *end = NULL;

	if (eq == NULL || (size_t)(eq - *at) >= sizeof(type) || eq[1] < '0' ||
	    eq[1] > '9')
		return false;
	memcpy(type, *at, (size_t)(eq - *at));
	if (!hsa_is_ok(ep_unit_type_parse(&t, type)))
		return false;
	n = strtoul(eq + 1, &end, 10);
	to = t == EP_UNIT_OPERATIONAL ? &opt->operational
	     : t == EP_UNIT_RECOVERY  ? &opt->recovery
				      : &opt->failover;
	if ((*end != '\0' && *end != ',') || n > EP_UNITS_MAX || *to != 0)
		return false;
	*to = (unsigned int)n;
	*at = end;
	return true;
}

hsa_rc
ep_init_units(
    struct ep_init_options *opt, const char *text, struct hsa_diag *diag)
{
	struct ep_init_options got = {0};
	const char *at = text;
	unsigned int n = 0;

	do {
		if (!one_type(&got, &at))
			return hsa_fail(diag, HSA_RC(E_ARG),
			    "--units %s: not understood; fix: "
			    "TYPE=NUMBER[,TYPE=NUMBER...], TYPE once each of "
			    "operational, recovery, failover",
			    text);
	} while (*at++ == ',');
	n = got.operational + got.recovery + got.failover;
	if (n < 1 || n > EP_UNITS_MAX)
		return hsa_fail(diag, HSA_RC(E_ARG),
		    "--units %s: %u units; fix: 1 to %d in all", text, n,
		    EP_UNITS_MAX);
	opt->operational = got.operational;
	opt->recovery = got.recovery;
	opt->failover = got.failover;
	return HSA_OK;
}

/* ---- the plan ------------------------------------------------------------ */

static hsa_rc
plan_units(struct plan *p, const struct ep_init_options *opt)
{
	const struct {
		enum ep_unit_type type;
		unsigned int n;
	} kind[] = {{EP_UNIT_OPERATIONAL, opt->operational},
	    {EP_UNIT_RECOVERY, opt->recovery},
	    {EP_UNIT_FAILOVER, opt->failover}};
	uint8_t id[HSA_UUID_LEN] = {0};
	unsigned int i = 0, k = 0, u = 0;
	hsa_rc rc = HSA_OK;

	for (k = 0; k < 3; k++) {
		for (i = 0; i < kind[k].n && u < EP_UNITS_MAX; i++, u++) {
			HSA_TRY(rc, hsa_uuid_new(id));
			hsa_uuid_text(p->id[u], id);
			(void)snprintf(p->name[u], sizeof(p->name[u]), "%s-%u",
			    ep_unit_type_name(kind[k].type), i + 1);
			/* Module and domain differ, and no unit has another's:
			 * a mix-up of the two shows. */
			(void)snprintf(p->location[u], sizeof(p->location[u]),
			    "[%s].[AZ%u-CS%u].[%02u].[%02u]", p->region,
			    u % 3 + 1, u / 3 + 1, u, u + 3);
			(void)snprintf(p->serial[u], sizeof(p->serial[u]),
			    "SIM%05u", u + 1);
			p->unit[u] = (struct ep_unit_config){.name = p->name[u],
			    .id = p->id[u],
			    .type = kind[k].type,
			    .location = p->location[u],
			    .serial = p->serial[u]};
		}
	}
	p->c.unit = p->unit;
	p->c.unit_count = u;
out:
	return rc;
}

static hsa_rc
plan_identity(struct plan *p, bool token)
{
	uint8_t secret[TOKEN_BYTES] = {0}, digest[HSA_SHA256_LEN] = {0};
	const struct passwd *pw = getpwuid(getuid());
	hsa_rc rc = HSA_OK;

	if (pw != NULL)
		(void)snprintf(p->user, sizeof(p->user), "%s", pw->pw_name);
	else
		(void)snprintf(
		    p->user, sizeof(p->user), "#%u", (unsigned int)getuid());
	(void)snprintf(p->who, sizeof(p->who), "%s@localhost", p->user);
	p->identity.user = p->user;
	(void)snprintf(
	    p->identity_id, sizeof(p->identity_id), "IBMid-0000000001");
	p->identity.id = p->identity_id;
	p->identity.name = p->who;
	if (token) {
		HSA_TRY(rc, hsa_random(secret, sizeof(secret)));
		hsa_hex(p->token, secret, sizeof(secret));
		HSA_TRY(rc, hsa_sha256(digest, p->token, strlen(p->token)));
		hsa_hex(p->token_sha256, digest, sizeof(digest));
		p->identity.token_sha256 = p->token_sha256;
	}
	p->c.identity = &p->identity;
	p->c.identity_count = 1;
out:
	hsa_wipe(secret, sizeof(secret));
	return rc;
}

static hsa_rc
plan_collectors(
    struct plan *p, const struct ep_init_options *opt, struct hsa_diag *diag)
{
	static const char name[] = "local", address[] = "unix:collect.sock";
	unsigned int i = 0, n = opt->collector_len;

	if (n > EP_COLLECTORS_MAX)
		return hsa_fail(diag, HSA_RC(E_ARG),
		    "%u collectors; fix: at most %d", n, EP_COLLECTORS_MAX);
	for (i = 0; i < n; i++)
		if (!ep_is_name(opt->collector[i].name) ||
		    !ep_is_collector(opt->collector[i].address))
			return hsa_fail(diag, HSA_RC(E_ARG),
			    "--collector %s=%s: not understood; fix: "
			    "NAME=unix:PATH or NAME=tls:HOST:PORT, NAME of "
			    "lower-case letters, digits and dashes",
			    opt->collector[i].name, opt->collector[i].address);
	(void)snprintf(p->collector_name[0], sizeof(p->collector_name[0]), "%s",
	    n == 0 ? name : opt->collector[0].name);
	(void)snprintf(p->collector_address[0], sizeof(p->collector_address[0]),
	    "%s", n == 0 ? address : opt->collector[0].address);
	for (i = 1; i < n; i++) {
		(void)snprintf(p->collector_name[i],
		    sizeof(p->collector_name[i]), "%s", opt->collector[i].name);
		(void)snprintf(p->collector_address[i],
		    sizeof(p->collector_address[i]), "%s",
		    opt->collector[i].address);
	}
	p->c.collector_count = n == 0 ? 1 : n;
	for (i = 0; i < p->c.collector_count; i++)
		p->collector[i] =
		    (struct ep_collector){.name = p->collector_name[i],
			.address = p->collector_address[i]};
	p->c.collector = p->collector;
	return HSA_OK;
}

static hsa_rc
plan_all(
    struct plan *p, const struct ep_init_options *opt, struct hsa_diag *diag)
{
	const char *module = opt->module;
	uint8_t id[HSA_UUID_LEN] = {0};
	hsa_rc rc = HSA_OK;

	if (module == NULL)
		module = bk_find_module();
	if (module == NULL)
		return hsa_fail(diag, HSA_RC(E_NOT_FOUND),
		    "SoftHSM's library is not where it is looked for; fix: "
		    "install libsofthsm2, or name it with --module");
	if (module[0] != '/' || strlen(module) >= sizeof(p->module) ||
	    access(module, R_OK) != 0)
		return hsa_fail(diag, HSA_RC(E_NOT_FOUND),
		    "no library %s; fix: give the absolute path of "
		    "libsofthsm2.so with --module",
		    module);
	(void)snprintf(p->module, sizeof(p->module), "%s", module);
	(void)snprintf(p->region, sizeof(p->region), "%s", opt->region);
	(void)snprintf(p->prefix, sizeof(p->prefix), CRN_PREFIX);
	(void)snprintf(p->socket, sizeof(p->socket), "admin.sock");
	HSA_TRY(rc, hsa_uuid_new(id));
	hsa_uuid_text(p->instance, id);
	HSA_TRY(rc, hsa_random(id, sizeof(id)));
	hsa_hex(p->account, id, sizeof(id));
	p->c.instance_id = p->instance;
	p->c.account = p->account;
	p->c.region = p->region;
	p->c.crn_prefix = p->prefix;
	p->c.pkcs11_module = p->module;
	p->c.admin_socket = p->socket;
	if (opt->admin_listen != NULL) {
		(void)snprintf(
		    p->listen, sizeof(p->listen), "%s", opt->admin_listen);
		p->c.admin_listen = p->listen;
	}
	HSA_TRY(rc, plan_units(p, opt));
	HSA_TRY(rc, plan_identity(p, opt->admin_listen != NULL));
	HSA_TRY(rc, plan_collectors(p, opt, diag));
	/* Options and file obey the same rules. */
	HSA_TRY(rc, ep_check(&p->c, diag));
out:
	return rc;
}

/* ---- the folder ---------------------------------------------------------- */

static hsa_rc
put_file(const char *dir, const char *name, const void *p, size_t n,
    struct hsa_diag *diag)
{
	struct hsa_buf path = {0};
	hsa_rc rc = HSA_OK;

	hsa_buf_printf(&path, "%s/%s", dir, name);
	HSA_TRY(rc, hsa_buf_rc(&path));
	HSA_TRY(rc, ep_file_create(hsa_buf_cstr(&path), p, n, diag));
out:
	hsa_buf_free(&path);
	return rc;
}

/* The verifier key line of FORMAT section 3. */
static hsa_rc
add_verifier_key(
    struct hsa_buf *keys, const struct ep_unit_config *u, const uint8_t pub[32])
{
	struct hsa_buf origin = {0};
	struct slog_key k;
	hsa_rc rc = HSA_OK;

	ep_unit_origin(&origin, u);
	HSA_TRY(rc, hsa_buf_rc(&origin));
	HSA_TRY(rc, slog_key_init(&k, hsa_buf_cstr(&origin), pub));
	slog_key_text(keys, &k);
	hsa_buf_str(keys, "\n");
	rc = hsa_buf_rc(keys);
out:
	hsa_buf_free(&origin);
	return rc;
}

static hsa_rc
make_unit(const char *dir, const struct ep_config *c,
    const struct ep_unit_config *u, struct ep_oa_root *root,
    struct hsa_buf *keys, struct hsa_diag *diag)
{
	uint8_t point[TKE_POINT_LEN] = {0}, pub[32] = {0};
	uint8_t cert[2][TKE_OA_CERT_LEN] = {{0}}, id[HSA_UUID_LEN] = {0};
	struct hsa_buf folder = {0};
	char label[2 * HSA_UUID_LEN + 1] = "";
	struct bk_config bc = {.module = c->pkcs11_module, .label = label};
	hsa_rc rc = HSA_OK;

	hsa_buf_printf(&folder, "%s/units/%s", dir, u->name);
	HSA_TRY(rc, hsa_buf_rc(&folder));
	HSA_TRY(rc, ep_dir_make(hsa_buf_cstr(&folder), diag));
	HSA_TRY(rc, hsa_uuid_parse(id, u->id));
	hsa_hex(label, id, sizeof(id));
	bc.dir = hsa_buf_cstr(&folder);
	HSA_TRY(rc, bk_p11_init(&bc, point, pub, diag));
	HSA_TRY(rc, ep_oa_certify(cert, root, u->serial, point, diag));
	HSA_TRY(
	    rc, put_file(bc.dir, "oa-0.der", cert[0], sizeof(cert[0]), diag));
	HSA_TRY(
	    rc, put_file(bc.dir, "oa-1.der", cert[1], sizeof(cert[1]), diag));
	HSA_TRY(rc, ep_dir_sync(bc.dir, diag));
	HSA_TRY(rc, add_verifier_key(keys, u, pub));
out:
	if (!hsa_is_ok(rc))
		hsa_diag_wrap(diag, "unit %s", u->name);
	hsa_buf_free(&folder);
	return rc;
}

static hsa_rc
make_units(const char *dir, const struct ep_config *c, struct hsa_diag *diag)
{
	struct hsa_buf folder = {0}, keys = {0}, pem = {0};
	struct ep_oa_root *root = NULL;
	unsigned int i = 0;
	hsa_rc rc = HSA_OK;

	hsa_buf_printf(&folder, "%s/units", dir);
	HSA_TRY(rc, hsa_buf_rc(&folder));
	HSA_TRY(rc, ep_dir_make(hsa_buf_cstr(&folder), diag));
	HSA_TRY(rc, ep_oa_root_new(&root));
	HSA_TRY(rc, ep_oa_root_pem(&pem, root));
	for (i = 0; i < c->unit_count; i++)
		HSA_TRY(rc, make_unit(dir, c, &c->unit[i], root, &keys, diag));
	HSA_TRY(rc, ep_dir_sync(hsa_buf_cstr(&folder), diag));
	HSA_TRY(rc, put_file(dir, "oa-root.pem", pem.p, pem.len, diag));
	HSA_TRY(rc, put_file(dir, "checkpoint.pub", keys.p, keys.len, diag));
out:
	ep_oa_root_free(root);
	hsa_buf_free(&folder);
	hsa_buf_free(&keys);
	hsa_buf_free(&pem);
	return rc;
}

/* Reads back what it wrote: init never leaves a file that run refuses. */
static hsa_rc
make_config(const char *dir, const struct ep_config *c, struct hsa_diag *diag)
{
	struct ep_config *back = NULL;
	struct hsa_buf text = {0};
	hsa_rc rc = HSA_OK;

	ep_template(&text, c);
	HSA_TRY(rc, hsa_buf_rc(&text));
	HSA_TRY(rc, ep_config_parse(&back, text.p, text.len, diag));
	/* all else first: a folder with this file is complete */
	HSA_TRY(rc, ep_dir_sync(dir, diag));
	HSA_TRY(rc, put_file(dir, EP_CONFIG_FILE, text.p, text.len, diag));
	HSA_TRY(rc, ep_dir_sync(dir, diag));
out:
	ep_config_free(back);
	hsa_buf_free(&text);
	return rc;
}

static hsa_rc
fill(const char *dir, struct plan *p, struct hsa_diag *diag)
{
	struct hsa_buf said = {0};
	hsa_rc rc = HSA_OK;

	HSA_TRY(rc, make_units(dir, &p->c, diag));
	HSA_TRY(rc, ep_certs_make(dir, &p->c, EP_TLS_DAYS, &said, diag));
	if (p->c.admin_listen != NULL) {
		p->token[2 * TOKEN_BYTES] = '\n'; /* a line, from here on */
		HSA_TRY(rc, put_file(dir, "admin.token", p->token,
				strlen(p->token), diag));
	}
	HSA_TRY(rc, make_config(dir, &p->c, diag));
out:
	hsa_buf_free(&said);
	return rc;
}

static hsa_rc
not_empty(const char *dir, struct hsa_diag *diag)
{
	struct hsa_buf path = {0};
	hsa_rc rc = HSA_OK;

	hsa_buf_printf(&path, "%s/" EP_CONFIG_FILE, dir);
	HSA_TRY(rc, hsa_buf_rc(&path));
	if (access(hsa_buf_cstr(&path), F_OK) == 0)
		rc = hsa_fail(diag, HSA_RC(E_EXISTS),
		    "%s is an installation already; fix: run it, or name a "
		    "folder that is not there yet",
		    dir);
	else
		rc = hsa_fail(diag, HSA_RC(E_EXISTS),
		    "%s is not empty; fix: name a folder that is not there "
		    "yet (if an init was killed here, remove what it left)",
		    dir);
out:
	hsa_buf_free(&path);
	return rc;
}

/* *made: the folder is ours to remove. */
static hsa_rc
take_folder(bool *made, const char *dir, struct hsa_diag *diag)
{
	bool empty = false;
	hsa_rc rc = ep_dir_empty(&empty, dir, diag);

	*made = false;
	if (rc.v == HSA_E_NOT_FOUND) {
		HSA_TRY(rc, ep_dir_make(dir, diag));
		*made = true;
		goto out;
	}
	if (!hsa_is_ok(rc))
		goto out;
	if (!empty)
		rc = not_empty(dir, diag);
	else if (chmod(dir, 0700) != 0)
		rc = hsa_fail(diag, HSA_RC(E_IO),
		    "cannot make %s private; fix: name a folder of yours", dir);
out:
	return rc;
}

/* The entry of dir in its parent. */
static hsa_rc
sync_parent(const char *dir, struct hsa_diag *diag)
{
	struct hsa_buf path = {0};
	hsa_rc rc = HSA_OK;

	hsa_buf_printf(&path, "%s/..", dir);
	HSA_TRY(rc, hsa_buf_rc(&path));
	HSA_TRY(rc, ep_dir_sync(hsa_buf_cstr(&path), diag));
out:
	hsa_buf_free(&path);
	return rc;
}

hsa_rc
ep_init(
    const char *dir, const struct ep_init_options *opt, struct hsa_diag *diag)
{
	struct plan *p = calloc(1, sizeof(*p));
	bool made = false, ours = false;
	hsa_rc rc = HSA_OK;

	if (p == NULL)
		return HSA_RC(E_NOMEM);
	HSA_TRY(rc, plan_all(p, opt, diag));
	HSA_TRY(rc, take_folder(&made, dir, diag));
	ours = true;
	HSA_TRY(rc, fill(dir, p, diag));
	HSA_TRY(rc, sync_parent(dir, diag));
out:
	if (!hsa_is_ok(rc) && ours)
		ep_dir_clear(dir, made);
	hsa_wipe(p, sizeof(*p));
	free(p);
	return rc;
}
