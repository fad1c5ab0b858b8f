/* ep_certs.c - see ep_certs.h. */
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>
#include "hsa_buf.h"
#include "hsa_json.h"
#include "ep_cert.h"
#include "ep_certs.h"
#include "ep_file.h"
#include "ep_super.h"

#define PEM_MAX 65536

static hsa_rc
path_of(struct hsa_buf *b, const char *dir, const char *name)
{
	hsa_buf_reset(b);
	hsa_buf_printf(b, "%s/%s", dir, name);
	return hsa_buf_rc(b);
}

/* ---- the authority ------------------------------------------------------- */

static hsa_rc
new_ca(struct ep_ca **ca, const char *dir, const struct ep_config *c,
    struct hsa_diag *diag)
{
	struct hsa_buf path = {0}, key = {0}, cert = {0};
	hsa_rc rc;

	HSA_TRY(rc, ep_ca_new(ca, c->instance_id));
	HSA_TRY(rc, ep_ca_key_pem(&key, *ca));
	HSA_TRY(rc, ep_ca_cert_pem(&cert, *ca));
	/* the key first: a certificate without it is of no use */
	HSA_TRY(rc, path_of(&path, dir, EP_TLS_DIR "/ca.key"));
	HSA_TRY(rc, ep_file_replace(hsa_buf_cstr(&path), key.p, key.len, diag));
	HSA_TRY(rc, path_of(&path, dir, EP_TLS_CA));
	HSA_TRY(
	    rc, ep_file_replace(hsa_buf_cstr(&path), cert.p, cert.len, diag));
out:
	hsa_buf_free(&path);
	hsa_buf_free(&key);
	hsa_buf_free(&cert);
	return rc;
}

static hsa_rc
open_ca(struct ep_ca **ca, const char *dir, const struct ep_config *c,
    struct hsa_diag *diag)
{
	struct hsa_buf path = {0}, key = {0}, cert = {0};
	hsa_rc rc;

	HSA_TRY(rc, path_of(&path, dir, EP_TLS_DIR));
	rc = ep_dir_make(hsa_buf_cstr(&path), diag);
	if (rc.v != HSA_E_EXISTS)
		HSA_TRY(rc, rc);
	HSA_TRY(rc, path_of(&path, dir, EP_TLS_CA));
	rc = ep_file_read(&cert, hsa_buf_cstr(&path), PEM_MAX, diag);
	if (rc.v == HSA_E_NOT_FOUND) {
		rc = new_ca(ca, dir, c, diag);
		goto out;
	}
	HSA_TRY(rc, rc);
	HSA_TRY(rc, path_of(&path, dir, EP_TLS_DIR "/ca.key"));
	HSA_TRY(rc, ep_file_read(&key, hsa_buf_cstr(&path), PEM_MAX, diag));
	rc = ep_ca_load(ca, &key, &cert);
	if (rc.v == HSA_E_KEY)
		hsa_diag_set(diag,
		    "%s/" EP_TLS_DIR ": ca.key is not the key of ca.pem; fix: "
		    "restore both from one backup, or remove both for a new "
		    "authority",
		    dir);
out:
	hsa_buf_free(&path);
	hsa_buf_free(&key);
	hsa_buf_free(&cert);
	return rc;
}

/* ---- what it certifies --------------------------------------------------- */

static hsa_rc
issue(struct hsa_buf *said, const char *dir, const char *name,
    const struct ep_ca *ca, const struct ep_cert_for *who, unsigned int days,
    struct hsa_diag *diag)
{
	struct hsa_buf path = {0}, pem = {0};
	char until[40] = "";
	int64_t ends = 0;
	hsa_rc rc;

	HSA_TRY(rc, ep_ca_issue(&pem, &ends, ca, who, days));
	HSA_TRY(rc, path_of(&path, dir, name));
	HSA_TRY(rc, ep_file_replace(hsa_buf_cstr(&path), pem.p, pem.len, diag));
	hsa_time_rfc3339(until, (uint64_t)ends * 1000000000u);
	hsa_buf_printf(said, "%s  until %.10s\n", hsa_buf_cstr(&path), until);
	rc = hsa_buf_rc(said);
out:
	hsa_buf_free(&path);
	hsa_buf_free(&pem);
	return rc;
}

static hsa_rc
issue_all(const char *dir, const struct ep_config *c, const struct ep_ca *ca,
    unsigned int days, struct hsa_buf *said, struct hsa_diag *diag)
{
	uint8_t id[HSA_UUID_LEN] = {0};
	struct ep_cert_for who = {0};
	struct hsa_buf name = {0};
	unsigned int i = 0;
	hsa_rc rc = HSA_OK;

	who.unit_id = id;
	for (i = 0; i < c->unit_count; i++) {
		HSA_TRY(rc, hsa_uuid_parse(id, c->unit[i].id));
		hsa_buf_reset(&name);
		hsa_buf_printf(&name, "units/%s/" EP_TLS_UNIT, c->unit[i].name);
		HSA_TRY(rc, issue(said, dir, hsa_buf_cstr(&name), ca, &who,
				days, diag));
	}
	who.unit_id = NULL;
	for (i = 0; i < c->collector_count; i++) {
		who.collector = ep_collector_tls_name(&c->collector[i]);
		hsa_buf_reset(&name);
		hsa_buf_printf(&name, EP_TLS_DIR "/collector-%s.pem",
		    c->collector[i].name);
		HSA_TRY(rc, issue(said, dir, hsa_buf_cstr(&name), ca, &who,
				days, diag));
	}
out:
	hsa_buf_free(&name);
	return rc;
}

hsa_rc
ep_certs_make(const char *dir, const struct ep_config *c, unsigned int days,
    struct hsa_buf *said, struct hsa_diag *diag)
{
	struct ep_ca *ca = NULL;
	struct hsa_buf path = {0};
	hsa_rc rc;

	HSA_TRY(rc, open_ca(&ca, dir, c, diag));
	HSA_TRY(rc, issue_all(dir, c, ca, days, said, diag));
	HSA_TRY(rc, path_of(&path, dir, EP_TLS_DIR));
	HSA_TRY(rc, ep_dir_sync(hsa_buf_cstr(&path), diag));
out:
	ep_ca_free(ca);
	hsa_buf_free(&path);
	return rc;
}

hsa_rc
ep_certs_renew(const char *dir, unsigned int days, struct hsa_buf *said,
    struct hsa_diag *diag)
{
	struct ep_config *c = NULL;
	struct hsa_buf path = {0};
	long pid = 0;
	hsa_rc rc;

	HSA_TRY(rc, ep_config_load(&c, dir, diag));
	HSA_TRY(rc, ep_certs_make(dir, c, days, said, diag));
	HSA_TRY(rc, path_of(&path, dir, EP_LOCK_FILE));
	pid = ep_lock_holder(hsa_buf_cstr(&path));
	if (pid > 0 && kill((pid_t)pid, SIGHUP) == 0)
		hsa_buf_str(said, "the daemon connects again with them\n");
	rc = hsa_buf_rc(said);
out:
	ep_config_free(c);
	hsa_buf_free(&path);
	return rc;
}
