#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libp11.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bk_p11.h"
#include "bk_token.h"
#include "hsa_buf.h"
#include "hsa_hash.h"

#define CONF_MAX 65536

hsa_rc
bk_token_paths(struct bk_paths *p, const char *dir, struct hsa_diag *diag)
{
	struct bk_paths q = {0};
	struct stat st = {0};
	hsa_rc rc = HSA_OK;
	char *real = NULL;
	size_t n;

	real = realpath(dir, NULL);
	if (real == NULL || stat(real, &st) != 0 || !S_ISDIR(st.st_mode)) {
		rc = hsa_fail(diag, HSA_RC(E_NOT_FOUND),
		    "unit folder %s: %s; make the unit first, or name the "
		    "folder it lies in",
		    dir, real == NULL ? strerror(errno) : "not a folder");
		goto out;
	}
	n = strlen(real);
	/* SoftHSM cuts a line at '#' and '=' and trims blanks */
	if (n > BK_DIR_MAX || real[strcspn(real, "#=\r\n\t")] != '\0') {
		rc = hsa_fail(diag, HSA_RC(E_CONFIG),
		    "softhsm2.conf cannot hold the path of this unit folder; "
		    "choose one of at most %d bytes without #, =, tab and "
		    "line break: %.200s",
		    BK_DIR_MAX, real);
		goto out;
	}
	memcpy(q.dir, real, n + 1);
	(void)snprintf(q.token, sizeof(q.token), "%s/token", real);
	(void)snprintf(q.conf, sizeof(q.conf), "%s/softhsm2.conf", real);
	(void)snprintf(q.pin, sizeof(q.pin), "%s/pin", real);
	*p = q;
out:
	free(real);
	return rc;
}

static hsa_rc
write_all(int fd, const void *p, size_t n)
{
	const uint8_t *at = p;

	while (n > 0) {
		ssize_t w = write(fd, at, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return HSA_RC(E_IO);
		at += w;
		n -= (size_t)w;
	}
	return HSA_OK;
}

/* A new file, whole or none. */
static hsa_rc
new_file(const char *path, const void *p, size_t n, mode_t mode,
    struct hsa_diag *diag)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	hsa_rc rc;

	if (fd < 0)
		return hsa_fail(diag, HSA_RC(E_IO),
		    "cannot make %s: %s; check the folder's owner and mode",
		    path, strerror(errno));
	rc = write_all(fd, p, n);
	if (close(fd) != 0 && hsa_is_ok(rc))
		rc = HSA_RC(E_IO);
	if (!hsa_is_ok(rc)) {
		hsa_diag_set(diag,
		    "cannot write %s: %s; free space on its disk", path,
		    strerror(errno));
		(void)unlink(path);
	}
	return rc;
}

static hsa_rc
read_upto(struct hsa_buf *b, int fd, size_t max)
{
	uint8_t *to = hsa_buf_reserve(b, max);
	size_t have = 0;
	ssize_t n = 1;

	if (to == NULL)
		return HSA_RC(E_NOMEM);
	while (have < max && n != 0) {
		n = read(fd, to + have, max - have);
		if (n < 0 && errno != EINTR)
			return HSA_RC(E_IO);
		if (n > 0)
			have += (size_t)n;
	}
	b->len += have;
	return HSA_OK;
}

/* E_NOT_FOUND without a diagnosis when there is no such file. */
static hsa_rc
whole_file(struct hsa_buf *b, const char *path, size_t max, mode_t *mode,
    struct hsa_diag *diag)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st = {0};
	hsa_rc rc = HSA_RC(E_IO);

	if (fd < 0 && errno == ENOENT)
		return HSA_RC(E_NOT_FOUND);
	if (fd < 0 || fstat(fd, &st) != 0)
		goto out;
	HSA_TRY(rc, read_upto(b, fd, max));
	*mode = st.st_mode;
out:
	if (rc.v == HSA_E_IO)
		hsa_diag_set(diag,
		    "cannot read %s: %s; check its owner and mode", path,
		    strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

static void
conf_line(struct hsa_buf *b, const struct bk_paths *p)
{
	hsa_buf_printf(b, "directories.tokendir = %s\n", p->token);
}

static hsa_rc
conf_new(const struct bk_paths *p, struct hsa_diag *diag)
{
	struct hsa_buf b = {0};
	hsa_rc rc;

	conf_line(&b, p);
	hsa_buf_str(&b, "objectstore.backend = file\nlog.level = ERROR\n");
	HSA_TRY(rc, hsa_buf_rc(&b));
	HSA_TRY(rc, new_file(p->conf, b.p, b.len, 0600, diag));
out:
	hsa_buf_free(&b);
	return rc;
}

hsa_rc
bk_token_conf(const struct bk_paths *p, struct hsa_diag *diag)
{
	struct hsa_buf b = {0}, want = {0};
	const char *text, *at;
	mode_t mode = 0;
	hsa_rc rc;

	rc = whole_file(&b, p->conf, CONF_MAX, &mode, diag);
	if (rc.v == HSA_E_NOT_FOUND)
		rc = conf_new(p, diag);
	else if (hsa_is_ok(rc)) {
		conf_line(&want, p);
		HSA_TRY(rc, hsa_buf_rc(&want));
		text = hsa_buf_cstr(&b);
		at = strstr(text, hsa_buf_cstr(&want));
		if (at == NULL || (at != text && at[-1] != '\n'))
			rc = hsa_fail(diag, HSA_RC(E_CONFIG),
			    "%s does not name the token folder %s (was the "
			    "unit's folder moved?); remove the file, it is "
			    "made anew at the next start",
			    p->conf, p->token);
	}
	if (hsa_is_ok(rc) && setenv("SOFTHSM2_CONF", p->conf, 1) != 0)
		rc = HSA_RC(E_NOMEM);
out:
	hsa_buf_free(&b);
	hsa_buf_free(&want);
	return rc;
}

hsa_rc
bk_token_pin(
    char pin[BK_PIN_LEN + 1], const struct bk_paths *p, struct hsa_diag *diag)
{
	uint8_t raw[BK_PIN_LEN / 2];
	struct hsa_buf b = {0};
	mode_t mode = 0;
	hsa_rc rc;

	rc = whole_file(&b, p->pin, BK_PIN_LEN + 2, &mode, diag);
	if (rc.v == HSA_E_NOT_FOUND)
		rc = hsa_fail(diag, rc,
		    "PIN file %s is missing; restore it from a backup of the "
		    "unit's folder, without it the token cannot be opened",
		    p->pin);
	if (!hsa_is_ok(rc))
		goto out;
	if ((mode & (S_IRWXG | S_IRWXO)) != 0) {
		rc = hsa_fail(diag, HSA_RC(E_CONFIG),
		    "PIN file %s may be read by others (mode %04o); run: "
		    "chmod 600 %s",
		    p->pin, (unsigned)(mode & 07777), p->pin);
		goto out;
	}
	if (b.len == BK_PIN_LEN + 1 && b.p[BK_PIN_LEN] == '\n')
		b.len--;
	rc = HSA_RC(E_FORMAT);
	if (b.p != NULL)
		rc = hsa_unhex(raw, sizeof(raw), (const char *)b.p, b.len);
	if (!hsa_is_ok(rc)) {
		rc = hsa_fail(diag, rc,
		    "PIN file %s is not %d hex digits; restore it from a "
		    "backup of the unit's folder",
		    p->pin, BK_PIN_LEN);
		goto out;
	}
	memcpy(pin, b.p, BK_PIN_LEN);
	pin[BK_PIN_LEN] = '\0';
out:
	hsa_wipe(raw, sizeof(raw));
	hsa_buf_free(&b);
	return rc;
}

/* ---- a new token --------------------------------------------------------- */

static hsa_rc
random_pin(char pin[BK_PIN_LEN + 1])
{
	uint8_t raw[BK_PIN_LEN / 2];
	hsa_rc rc = hsa_random(raw, sizeof(raw));

	if (hsa_is_ok(rc))
		hsa_hex(pin, raw, sizeof(raw));
	hsa_wipe(raw, sizeof(raw));
	return rc;
}

static hsa_rc
exists(const struct bk_paths *p, struct hsa_diag *diag)
{
	return hsa_fail(diag, HSA_RC(E_EXISTS),
	    "%s holds a token already; open it, or choose another folder (to "
	    "start again, remove token and pin there: that destroys the "
	    "unit's keys)",
	    p->dir);
}

hsa_rc
bk_token_files(
    const struct bk_paths *p, char pin[BK_PIN_LEN + 1], struct hsa_diag *diag)
{
	char text[BK_PIN_LEN + 1];
	bool made = false;
	hsa_rc rc;

	if (access(p->pin, F_OK) == 0)
		return exists(p, diag);
	if (mkdir(p->token, 0700) != 0) {
		if (errno == EEXIST)
			return exists(p, diag);
		return hsa_fail(diag, HSA_RC(E_IO),
		    "cannot make %s: %s; check the folder's owner and mode",
		    p->token, strerror(errno));
	}
	made = true;
	HSA_TRY(rc, random_pin(pin));
	memcpy(text, pin, BK_PIN_LEN);
	text[BK_PIN_LEN] = '\n';
	HSA_TRY(rc, new_file(p->pin, text, sizeof(text), 0600, diag));
	/* left by an init that failed, it may name another folder */
	(void)unlink(p->conf);
	HSA_TRY(rc, conf_new(p, diag));
	made = false;
out:
	if (made)
		bk_token_remove(p);
	hsa_wipe(text, sizeof(text));
	return rc;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	(void)remove(path);
	return 0;
}

void
bk_token_remove(const struct bk_paths *p)
{
	(void)nftw(p->token, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	(void)unlink(p->pin);
	(void)unlink(p->conf);
}

static hsa_rc
p11_fail(struct hsa_diag *diag, const char *step)
{
	unsigned long e = ERR_peek_last_error();
	const char *why = e == 0 ? NULL : ERR_reason_error_string(e);
	hsa_rc rc = hsa_fail(diag, HSA_RC(E_TOKEN),
	    "%s failed: %s; check that the module is SoftHSM 2 and that the "
	    "unit's folder can be written",
	    step, why != NULL ? why : "no reason given");

	ERR_clear_error();
	return rc;
}

static PKCS11_SLOT *
slot_of(PKCS11_SLOT *slots, unsigned n, const char *label)
{
	for (unsigned i = 0; i < n; i++) {
		PKCS11_TOKEN *t = slots[i].token;

		if (t == NULL)
			continue;
		if (label == NULL ? !t->initialized
				  : t->initialized && t->label != NULL &&
					strcmp(t->label, label) == 0)
			return &slots[i];
	}
	return NULL;
}

hsa_rc
bk_token_format(
    const struct bk_config *cfg, const char *pin, struct hsa_diag *diag)
{
	char label[BK_LABEL_MAX + 1], so_pin[BK_PIN_LEN + 1] = "";
	PKCS11_CTX *ctx = PKCS11_CTX_new();
	PKCS11_SLOT *slots = NULL, *slot = NULL;
	unsigned n = 0;
	bool loaded = false;
	hsa_rc rc;

	if (ctx == NULL)
		return HSA_RC(E_NOMEM);
	/* Cryptoki wants 32 bytes, padded with blanks */
	(void)snprintf(label, sizeof(label), "%-*s", BK_LABEL_MAX, cfg->label);
	HSA_TRY(rc, random_pin(so_pin));
	if (PKCS11_CTX_load(ctx, cfg->module) != 0) {
		rc = p11_fail(diag, "loading the PKCS#11 module");
		goto out;
	}
	loaded = true;
	if (PKCS11_enumerate_slots(ctx, &slots, &n) != 0 ||
	    (slot = slot_of(slots, n, NULL)) == NULL ||
	    PKCS11_init_token(slot->token, so_pin, label) != 0) {
		rc = p11_fail(diag, "initialising the token");
		goto out;
	}
	/* the new token has got another slot number */
	PKCS11_release_all_slots(ctx, slots, n);
	slots = NULL;
	if (PKCS11_enumerate_slots(ctx, &slots, &n) != 0 ||
	    (slot = slot_of(slots, n, cfg->label)) == NULL ||
	    PKCS11_open_session(slot, 1) != 0 ||
	    PKCS11_login(slot, 1, so_pin) != 0 ||
	    PKCS11_init_pin(slot->token, pin) != 0)
		rc = p11_fail(diag, "setting the token's PIN");
out:
	if (slots != NULL)
		PKCS11_release_all_slots(ctx, slots, n);
	if (loaded)
		PKCS11_CTX_unload(ctx);
	PKCS11_CTX_free(ctx);
	hsa_wipe(so_pin, sizeof(so_pin));
	return rc;
}
