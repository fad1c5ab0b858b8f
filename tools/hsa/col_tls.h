/*
 * col_tls.h - the collector's end of TLS on an accepted non-blocking socket
 * (FORMAT.md C6 to C8): TLS 1.3 alone, a peer without a unit's certificate is
 * none.
 */
#ifndef COL_TLS_H
#define COL_TLS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"
#include "hsa_hash.h"

#define COL_TLS_RECORD 16384u

struct col_tls;

struct col_tls_config {
	const char *ca;       /* PEM: whom to trust */
	const char *identity; /* PEM: own key, own certificate, its chain */
};

/*
 * col_tls_new(t, cfg, fd, diag) - reads both files, now. fd stays the
 * caller's; -1: only to see whether the files are of use. E_CONFIG with the
 * cause and the fix. col_tls_free(t) - says goodbye if the socket takes it;
 * NULL-safe.
 */
HSA_MUST_USE hsa_rc col_tls_new(struct col_tls **t,
    const struct col_tls_config *cfg, int fd, struct hsa_diag *diag);
void col_tls_free(struct col_tls *t);

/*
 * All three: E_BUSY - come back when col_tls_events(t), of poll, say so;
 * E_CLOSED - the peer is gone; E_IO - anything else, with the reason in
 * col_tls_why(t). read: n >= COL_TLS_RECORD, so that nothing is left inside.
 */
HSA_MUST_USE hsa_rc col_tls_handshake(struct col_tls *t);
HSA_MUST_USE hsa_rc col_tls_write(
    struct col_tls *t, size_t *put, const void *p, size_t n);
HSA_MUST_USE hsa_rc col_tls_read(
    struct col_tls *t, size_t *got, void *p, size_t n);
int col_tls_events(const struct col_tls *t);
const char *col_tls_why(const struct col_tls *t);

/* After the handshake. col_tls_is_unit(t, id) - the peer's certificate is of
 * this unit. col_tls_own_ends(t), col_tls_peer_ends(t) - when the certificates
 * are over, seconds since 1970; own also before. */
bool col_tls_is_unit(
    const struct col_tls *t, const uint8_t unit_id[HSA_UUID_LEN]);
int64_t col_tls_own_ends(const struct col_tls *t);
int64_t col_tls_peer_ends(const struct col_tls *t);

#endif
