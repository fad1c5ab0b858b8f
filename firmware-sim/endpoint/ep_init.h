/*
 * ep_init.h - a new installation: state directory, tokens, certificates,
 * verifier keys and a commented configuration.
 */
#ifndef EP_INIT_H
#define EP_INIT_H
#include "ep_config.h"
#include "hsa_err.h"

struct ep_init_options {
	unsigned int operational, recovery, failover; /* how many units */
	const char *region;
	const char *module;       /* NULL: found */
	const char *admin_listen; /* NULL: unix socket only */
	const struct ep_collector *collector;
	unsigned int collector_len;
};

/*
 * ep_init(dir, opt, diag) - dir is absent or empty. config.yaml is written
 * last: a folder without one is no installation. On failure what was made is
 * removed again. With admin_listen a random token for the default identity is
 * left in DIR/admin.token, 0600. E_EXISTS: dir has something in it.
 */
HSA_MUST_USE hsa_rc ep_init(
    const char *dir, const struct ep_init_options *opt, struct hsa_diag *diag);

/* ep_init_units(opt, text, diag) - "operational=2,recovery=1" into opt. */
HSA_MUST_USE hsa_rc ep_init_units(
    struct ep_init_options *opt, const char *text, struct hsa_diag *diag);

#endif
