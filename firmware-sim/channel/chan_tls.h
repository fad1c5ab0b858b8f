/*
 * chan_tls.h - the unit's end of TLS on a connected non-blocking socket
 * (FORMAT.md C6 to C8): TLS 1.3 alone, both sides with certificates, nothing
 * resumed, nothing sent early. The only file of channel/ that sees OpenSSL.
 */
#ifndef CHAN_TLS_H
#define CHAN_TLS_H
#include <stddef.h>
#include <stdint.h>
#include "hsa_err.h"
#include "hsa_hash.h"

struct chan_tls;

struct chan_tls_config {
	const char *ca;       /* PEM: whom to trust */
	const char *identity; /* PEM: own key, own certificate, its chain */
	const char *peer; /* DNS name that the collector's certificate has */
	uint8_t unit_id[HSA_UUID_LEN];
};

/*
 * chan_tls_new(t, ends, cfg, fd, diag) - reads both files, now. ends: out,
 * also when the certificate is of no use any more, seconds since 1970 at which
 * it ends; 0 when it was not read. fd stays the caller's. E_CONFIG with the
 * cause and the fix: a file that others can read, no key, a certificate that
 * is another unit's, is over, or is not for this end.
 * chan_tls_free(t) - says goodbye if the socket takes it; NULL-safe.
 */
HSA_MUST_USE hsa_rc chan_tls_new(struct chan_tls **t, int64_t *ends,
    const struct chan_tls_config *cfg, int fd, struct hsa_diag *diag);
void chan_tls_free(struct chan_tls *t);

/*
 * All three: E_BUSY - come back when chan_tls_events(t), of poll, say so;
 * E_CLOSED - the peer is gone; E_REMOTE - it does not take us, E_AUTH - we do
 * not take it, E_IO - anything else; with the reason in chan_tls_why(t).
 * read: n >= CHAN_TLS_RECORD, so that nothing is left inside.
 */
#define CHAN_TLS_RECORD 16384u
HSA_MUST_USE hsa_rc chan_tls_handshake(struct chan_tls *t);
HSA_MUST_USE hsa_rc chan_tls_write(
    struct chan_tls *t, size_t *put, const void *p, size_t n);
HSA_MUST_USE hsa_rc chan_tls_read(
    struct chan_tls *t, size_t *got, void *p, size_t n);
int chan_tls_events(const struct chan_tls *t);
const char *chan_tls_why(const struct chan_tls *t);

/* chan_tls_ends(t) - after the handshake: when the first of both
 * certificates is over, seconds since 1970. */
int64_t chan_tls_ends(const struct chan_tls *t);

#endif
