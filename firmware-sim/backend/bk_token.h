/*
 * bk_token.h - a unit's token on disk: folder, softhsm2.conf, PIN file, and
 * the initialisation of a new token.
 *
 *   DIR/softhsm2.conf   absolute paths, as SoftHSM wants them
 *   DIR/pin             user PIN, 32 hex digits, mode 0600
 *   DIR/token/          SoftHSM's object files, mode 0700
 */
#ifndef BK_TOKEN_H
#define BK_TOKEN_H
#include "hsa_err.h"

struct bk_config;

#define BK_PIN_LEN 32
#define BK_LABEL_MAX 32
/* SoftHSM reads its configuration by lines of 1024 bytes, and a diagnosis of
 * that size must have room for two paths. */
#define BK_DIR_MAX 360

struct bk_paths {
	char dir[BK_DIR_MAX + 1]; /* absolute, no symbolic link */
	char token[BK_DIR_MAX + 16];
	char conf[BK_DIR_MAX + 16];
	char pin[BK_DIR_MAX + 16];
};

/*
 * bk_token_paths(p, dir, diag) - of an existing folder. E_NOT_FOUND; E_CONFIG
 * for a path that softhsm2.conf cannot spell.
 */
HSA_MUST_USE hsa_rc bk_token_paths(
    struct bk_paths *p, const char *dir, struct hsa_diag *diag);

/*
 * bk_token_files(p, pin, diag) - make token/, softhsm2.conf and pin with a
 * fresh PIN; the caller syncs. E_EXISTS when token/ or pin is there; then
 * nothing was touched. pin: out, with NUL; the caller wipes it.
 * bk_token_remove(p) - undo it, best effort.
 */
HSA_MUST_USE hsa_rc bk_token_files(
    const struct bk_paths *p, char pin[BK_PIN_LEN + 1], struct hsa_diag *diag);
void bk_token_remove(const struct bk_paths *p);

/*
 * bk_token_format(cfg, pin, diag) - initialise the token and set its user
 * PIN. Loads and unloads the module; SOFTHSM2_CONF must be set. The SO PIN is
 * random and forgotten: an SO can only set a new user PIN or erase the token,
 * and a unit needs neither.
 */
HSA_MUST_USE hsa_rc bk_token_format(
    const struct bk_config *cfg, const char *pin, struct hsa_diag *diag);

/*
 * bk_token_conf(p, diag) - softhsm2.conf names this folder's token/, and
 * SOFTHSM2_CONF names it; an absent file is made. E_CONFIG when it names
 * another folder.
 * bk_token_pin(pin, p, diag) - read the PIN. E_NOT_FOUND, E_FORMAT; E_CONFIG
 * when others may read the file. The caller wipes it.
 */
HSA_MUST_USE hsa_rc bk_token_conf(
    const struct bk_paths *p, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc bk_token_pin(
    char pin[BK_PIN_LEN + 1], const struct bk_paths *p, struct hsa_diag *diag);

#endif
