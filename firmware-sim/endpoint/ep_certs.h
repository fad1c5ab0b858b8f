/*
 * ep_certs.h - the files of an installation for the channel over TLS:
 *
 *	DIR/tls/ca.key, DIR/tls/ca.pem		the installation's authority
 *	DIR/tls/collector-NAME.pem		key and certificate, for that
 *machine DIR/units/NAME/tls.pem			key and certificate of a
 *unit
 */
#ifndef EP_CERTS_H
#define EP_CERTS_H
#include "ep_config.h"
#include "hsa_err.h"

#define EP_TLS_DIR "tls"
#define EP_TLS_CA EP_TLS_DIR "/ca.pem"
#define EP_TLS_UNIT "tls.pem" /* in the unit's folder */
#define EP_TLS_DAYS 365       /* what init asks for */
#define EP_TLS_DAYS_MAX 3650

struct hsa_buf;

/*
 * ep_certs_make(dir, c, days, said, diag) - new keys and certificates for all
 * units and collectors of c; an authority when there is none. Each file is
 * replaced in one step, 0600, and synced. said: a line for each is appended.
 * E_KEY: the authority's files do not fit together.
 */
HSA_MUST_USE hsa_rc ep_certs_make(const char *dir, const struct ep_config *c,
    unsigned int days, struct hsa_buf *said, struct hsa_diag *diag);

/* ep_certs_renew(dir, days, said, diag) - the same for an installation that is
 * there; a supervisor that runs has its channels meet them. */
HSA_MUST_USE hsa_rc ep_certs_renew(const char *dir, unsigned int days,
    struct hsa_buf *said, struct hsa_diag *diag);

#endif
