/* ep_config.c - config.yaml through libcyaml: the schema and the loading. The
 * meaning of the values is checked in ep_check.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cyaml/cyaml.h>
#include "hsa_buf.h"
#include "ep_check.h"
#include "ep_file.h"
#include "ep_config.h"

#define OPTIONAL_TEXT (CYAML_FLAG_POINTER_NULL | CYAML_FLAG_OPTIONAL)

static const cyaml_strval_t unit_types[] = {
    {"operational", EP_UNIT_OPERATIONAL},
    {"recovery", EP_UNIT_RECOVERY},
    {"failover", EP_UNIT_FAILOVER},
};

/* libcyaml's own booleans take every unknown word for true. */
static const cyaml_strval_t truths[] = {
    {"false", 0},
    {"true", 1},
};

static const cyaml_strval_t modes[] = {
    {"sealed", EP_MODE_SEALED},
    {"ring", EP_MODE_RING},
    {"off", EP_MODE_OFF},
};

#define MODE(name, member)                                                     \
	CYAML_FIELD_ENUM(name, CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL,        \
	    struct ep_emission, member, modes, CYAML_ARRAY_LEN(modes))

static const cyaml_schema_field_t emission_fields[] = {
    MODE("ep11", ep11),
    MODE("tke", tke),
    MODE("keystore", keystore),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t unit_fields[] = {
    CYAML_FIELD_STRING_PTR(
	"name", CYAML_FLAG_POINTER, struct ep_unit_config, name, 1, 64),
    CYAML_FIELD_STRING_PTR(
	"id", CYAML_FLAG_POINTER, struct ep_unit_config, id, 1, 64),
    CYAML_FIELD_ENUM("type", CYAML_FLAG_STRICT, struct ep_unit_config, type,
	unit_types, CYAML_ARRAY_LEN(unit_types)),
    CYAML_FIELD_STRING_PTR("location", CYAML_FLAG_POINTER,
	struct ep_unit_config, location, 1, 128),
    CYAML_FIELD_STRING_PTR(
	"serial", CYAML_FLAG_POINTER, struct ep_unit_config, serial, 1, 64),
    CYAML_FIELD_MAPPING("emission", CYAML_FLAG_OPTIONAL, struct ep_unit_config,
	emission, emission_fields),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t unit_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct ep_unit_config, unit_fields),
};

static const cyaml_schema_field_t identity_fields[] = {
    CYAML_FIELD_STRING_PTR(
	"user", OPTIONAL_TEXT, struct ep_identity, user, 1, 64),
    CYAML_FIELD_STRING_PTR("token_sha256", OPTIONAL_TEXT, struct ep_identity,
	token_sha256, 1, 128),
    CYAML_FIELD_STRING_PTR(
	"id", CYAML_FLAG_POINTER, struct ep_identity, id, 1, 256),
    CYAML_FIELD_STRING_PTR(
	"name", CYAML_FLAG_POINTER, struct ep_identity, name, 1, 256),
    CYAML_FIELD_ENUM("denied", CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL,
	struct ep_identity, denied, truths, CYAML_ARRAY_LEN(truths)),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t identity_entry = {
    CYAML_VALUE_MAPPING(
	CYAML_FLAG_DEFAULT, struct ep_identity, identity_fields),
};

static const cyaml_schema_field_t collector_fields[] = {
    CYAML_FIELD_STRING_PTR(
	"name", CYAML_FLAG_POINTER, struct ep_collector, name, 1, 64),
    CYAML_FIELD_STRING_PTR(
	"address", CYAML_FLAG_POINTER, struct ep_collector, address, 1, 1024),
    CYAML_FIELD_STRING_PTR(
	"tls_name", OPTIONAL_TEXT, struct ep_collector, tls_name, 1, 253),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t collector_entry = {
    CYAML_VALUE_MAPPING(
	CYAML_FLAG_DEFAULT, struct ep_collector, collector_fields),
};

static const cyaml_strval_t releases[] = {
    {"acknowledged", EP_RELEASE_ACKNOWLEDGED},
    {"never", EP_RELEASE_NEVER},
};
#define NUMBER(name, member)                                                   \
	CYAML_FIELD_UINT(name, CYAML_FLAG_OPTIONAL, struct ep_log, member)

static const cyaml_schema_field_t log_fields[] = {
    NUMBER("max_bytes", max_bytes),
    NUMBER("keep_bytes", keep_bytes),
    NUMBER("keep_days", keep_days),
    NUMBER("segment_bytes", segment_bytes),
    NUMBER("ring_slots", ring_slots),
    CYAML_FIELD_ENUM("release", CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL,
	struct ep_log, release, releases, CYAML_ARRAY_LEN(releases)),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t top_fields[] = {
    CYAML_FIELD_STRING_PTR("instance_id", CYAML_FLAG_POINTER, struct ep_config,
	instance_id, 1, 64),
    CYAML_FIELD_STRING_PTR(
	"account", CYAML_FLAG_POINTER, struct ep_config, account, 1, 64),
    CYAML_FIELD_STRING_PTR(
	"region", CYAML_FLAG_POINTER, struct ep_config, region, 1, 64),
    CYAML_FIELD_STRING_PTR(
	"crn_prefix", CYAML_FLAG_POINTER, struct ep_config, crn_prefix, 1, 128),
    CYAML_FIELD_STRING_PTR("pkcs11_module", CYAML_FLAG_POINTER,
	struct ep_config, pkcs11_module, 1, 1024),
    CYAML_FIELD_STRING_PTR(
	"ring_dir", OPTIONAL_TEXT, struct ep_config, ring_dir, 1, 256),
    CYAML_FIELD_STRING_PTR("admin_socket", CYAML_FLAG_POINTER, struct ep_config,
	admin_socket, 1, 128),
    CYAML_FIELD_STRING_PTR(
	"admin_listen", OPTIONAL_TEXT, struct ep_config, admin_listen, 0, 128),
    CYAML_FIELD_SEQUENCE_COUNT("units", CYAML_FLAG_POINTER, struct ep_config,
	unit, unit_count, &unit_entry, 1, EP_UNITS_MAX),
    CYAML_FIELD_SEQUENCE_COUNT("identities", CYAML_FLAG_POINTER,
	struct ep_config, identity, identity_count, &identity_entry, 1,
	EP_IDENTITIES_MAX),
    CYAML_FIELD_SEQUENCE_COUNT("collectors",
	CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct ep_config, collector,
	collector_count, &collector_entry, 0, EP_COLLECTORS_MAX),
    CYAML_FIELD_MAPPING(
	"log", CYAML_FLAG_OPTIONAL, struct ep_config, log, log_fields),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t top_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct ep_config, top_fields),
};

/* What to do about the mistakes that libcyaml finds itself. */
static const struct {
	cyaml_err_t err;
	const char *fix;
} fixes[] = {
    {CYAML_ERR_INVALID_KEY,
	"remove or correct that key; cryptounitd.yaml(5) lists them all"},
    {CYAML_ERR_INVALID_VALUE,
	"give one of the values that cryptounitd.yaml(5) lists for it"},
    {CYAML_ERR_MAPPING_FIELD_MISSING,
	"add the missing key; cryptounitd.yaml(5) has an example"},
    {CYAML_ERR_STRING_LENGTH_MIN, "give it a value"},
    {CYAML_ERR_STRING_LENGTH_MAX, "shorten the value"},
    {CYAML_ERR_SEQUENCE_ENTRIES_MIN, "add an entry to that list"},
    {CYAML_ERR_SEQUENCE_ENTRIES_MAX, "remove entries from that list"},
    {CYAML_ERR_ALIAS, "write the value out: aliases are not allowed"},
    {CYAML_ERR_UNEXPECTED_EVENT,
	"give a text where a text is due and a list where a list is due"},
    {CYAML_ERR_LIBYAML_PARSER, "correct the YAML (indentation, quotes)"},
};

static const char *
fix_of(cyaml_err_t err)
{
	size_t i = 0;

	for (i = 0; i < CYAML_ARRAY_LEN(fixes); i++)
		if (fixes[i].err == err)
			return fixes[i].fix;
	return "see cryptounitd.yaml(5)";
}

/* Joins the lines that libcyaml logs about one mistake: message, then the
 * keys around it with their lines. */
struct complaint {
	char text[640];
	size_t len;
};

static HSA_PRINTF(3, 0) void on_log(
    cyaml_log_t level, void *ctx, const char *fmt, va_list ap)
{
	struct complaint *c = ctx;
	char line[256] = "";
	const char *at = line;
	size_t n = 0;

	if (level < CYAML_LOG_ERROR)
		return;
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	if (strncmp(at, "Load: ", 6) == 0)
		at += 6;
	while (*at == ' ')
		at++;
	n = strcspn(at, "\n");
	if (n == 0 || strncmp(at, "Backtrace", 9) == 0)
		return;
	if (c->len + n + 3 > sizeof(c->text))
		return;
	if (c->len > 0) {
		memcpy(c->text + c->len, ", ", 2);
		c->len += 2;
	}
	memcpy(c->text + c->len, at, n);
	c->len += n;
	c->text[c->len] = '\0';
}

static const cyaml_config_t quiet = {
    .mem_fn = cyaml_mem,
    .flags = CYAML_CFG_NO_ALIAS,
};

/* What is not said: design D7. */
static void
set_modes(struct ep_config *c)
{
	for (unsigned int i = 0; i < c->unit_count; i++) {
		struct ep_emission *e = &c->unit[i].emission;

		if (e->ep11 == 0)
			e->ep11 = EP_MODE_RING;
		if (e->tke == 0)
			e->tke = EP_MODE_SEALED;
		if (e->keystore == 0)
			e->keystore = EP_MODE_SEALED;
	}
}

hsa_rc
ep_config_parse(
    struct ep_config **c, const void *yaml, size_t n, struct hsa_diag *diag)
{
	struct complaint said = {0};
	cyaml_config_t cfg = quiet;
	cyaml_data_t *data = NULL;
	struct ep_config *got = NULL;
	cyaml_err_t err = CYAML_OK;
	hsa_rc rc = HSA_OK;

	if (n == 0)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "the configuration is empty; fix: restore it, or make a "
		    "new installation with `cryptounitd init`");
	if (n > EP_CONFIG_MAX)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "the configuration has %zu bytes, more than %u; fix: "
		    "shorten it",
		    n, EP_CONFIG_MAX);
	cfg.log_fn = on_log;
	cfg.log_ctx = &said;
	cfg.log_level = CYAML_LOG_ERROR;
	err = cyaml_load_data(yaml, n, &cfg, &top_schema, &data, NULL);
	if (err == CYAML_ERR_OOM)
		return HSA_RC(E_NOMEM);
	if (err != CYAML_OK || data == NULL)
		return hsa_fail(diag, HSA_RC(E_CONFIG), "%s%s%s; fix: %s",
		    err == CYAML_OK ? "no mapping" : cyaml_strerror(err),
		    said.len > 0 ? ": " : "", said.text, fix_of(err));
	got = data;
	set_modes(got);
	HSA_TRY(rc, ep_check(got, diag));
	*c = got;
	got = NULL;
out:
	ep_config_free(got);
	return rc;
}

/* Whoever can write the file chooses the PKCS#11 module that we load. */
static hsa_rc
check_owner(const char *path, struct hsa_diag *diag)
{
	struct stat st = {0};

	if (stat(path, &st) != 0)
		return HSA_OK; /* reading it says why */
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "%s belongs to uid %u, not to you or root; fix: chown it",
		    path, (unsigned int)st.st_uid);
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "%s is writable by others, and it names a library to "
		    "load; fix: chmod go-w %s",
		    path, path);
	return HSA_OK;
}

hsa_rc
ep_config_load(struct ep_config **c, const char *dir, struct hsa_diag *diag)
{
	struct hsa_buf path = {0}, text = {0};
	hsa_rc rc = HSA_OK;

	hsa_buf_printf(&path, "%s/" EP_CONFIG_FILE, dir);
	HSA_TRY(rc, hsa_buf_rc(&path));
	HSA_TRY(rc, check_owner(hsa_buf_cstr(&path), diag));
	rc = ep_file_read(&text, hsa_buf_cstr(&path), EP_CONFIG_MAX, diag);
	if (rc.v == HSA_E_NOT_FOUND)
		hsa_diag_set(diag,
		    "%s is not there; fix: name the folder that `cryptounitd "
		    "init` made, or make one with it",
		    hsa_buf_cstr(&path));
	if (!hsa_is_ok(rc))
		goto out;
	rc = ep_config_parse(c, text.p, text.len, diag);
	if (!hsa_is_ok(rc))
		hsa_diag_wrap(diag, "%s", hsa_buf_cstr(&path));
out:
	hsa_buf_free(&path);
	hsa_buf_free(&text);
	return rc;
}

void
ep_config_free(struct ep_config *c)
{
	if (c != NULL)
		(void)cyaml_free(&quiet, &top_schema, c, 0);
}

void
ep_instance_crn(struct hsa_buf *b, const struct ep_config *c)
{
	hsa_buf_printf(b, "%s:%s:a/%s:%s::", c->crn_prefix, c->region,
	    c->account, c->instance_id);
}

void
ep_unit_crn(struct hsa_buf *b, const struct ep_config *c,
    const struct ep_unit_config *u)
{
	hsa_buf_printf(b, "%s:%s:a/%s:%s:crypto-unit:%s", c->crn_prefix,
	    c->region, c->account, c->instance_id, u->id);
}

void
ep_unit_origin(struct hsa_buf *b, const struct ep_unit_config *u)
{
	hsa_buf_printf(b, "cryptounit/%s", u->id);
}

void
ep_unit_ring(struct hsa_buf *b, const struct ep_config *c,
    const struct ep_unit_config *u)
{
	hsa_buf_printf(b, "%s/cryptounit-%u-%s.ring",
	    c->ring_dir != NULL ? c->ring_dir : EP_RING_DIR,
	    (unsigned int)geteuid(), u->id);
}

const char *
ep_collector_tls_name(const struct ep_collector *c)
{
	return c->tls_name != NULL ? c->tls_name : c->name;
}

const struct ep_unit_config *
ep_unit_find(const struct ep_config *c, const char *name)
{
	unsigned int i = 0;

	for (i = 0; i < c->unit_count; i++)
		if (strcmp(c->unit[i].name, name) == 0)
			return &c->unit[i];
	return NULL;
}

const char *
ep_unit_type_name(enum ep_unit_type t)
{
	size_t i = 0;

	for (i = 0; i < CYAML_ARRAY_LEN(unit_types); i++)
		if (unit_types[i].val == (int64_t)t)
			return unit_types[i].str;
	return "unknown";
}

const char *
ep_mode_name(enum ep_mode m)
{
	size_t i = 0;

	for (i = 0; i < CYAML_ARRAY_LEN(modes); i++)
		if (modes[i].val == (int64_t)m)
			return modes[i].str;
	return "unknown";
}

hsa_rc
ep_unit_type_parse(enum ep_unit_type *t, const char *s)
{
	size_t i = 0;

	for (i = 0; i < CYAML_ARRAY_LEN(unit_types); i++) {
		if (strcmp(unit_types[i].str, s) == 0) {
			*t = (enum ep_unit_type)unit_types[i].val;
			return HSA_OK;
		}
	}
	return HSA_RC(E_NOT_FOUND);
}
