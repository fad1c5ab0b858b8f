/*
 * ep_cert.h - X.509 for the channel over TLS (FORMAT.md C7): an installation's
 * own authority, and certificates of units and collectors by it. Keys are made
 * by OpenSSL, on P-256. PEM text with a private key in it belongs into buffers
 * that are freed, and thereby wiped.
 */
#ifndef EP_CERT_H
#define EP_CERT_H
#include <stddef.h>
#include <stdint.h>
#include "hsa_buf.h"
#include "hsa_err.h"
#include "hsa_hash.h"

struct ep_ca;

/* ep_ca_new(ca, instance_id) - a new authority, for ten years.
 * ep_ca_load(ca, key, cert) - from the PEM that the next two write; of several
 * certificates the first. E_KEY: they do not fit together, or are none. */
HSA_MUST_USE hsa_rc ep_ca_new(struct ep_ca **ca, const char *instance_id);
HSA_MUST_USE hsa_rc ep_ca_load(
    struct ep_ca **ca, const struct hsa_buf *key, const struct hsa_buf *cert);
void ep_ca_free(struct ep_ca *ca);
HSA_MUST_USE hsa_rc ep_ca_key_pem(struct hsa_buf *b, const struct ep_ca *ca);
HSA_MUST_USE hsa_rc ep_ca_cert_pem(struct hsa_buf *b, const struct ep_ca *ca);

/* Whom a certificate is for: one of the two. */
struct ep_cert_for {
	const char *collector;  /* DNS name */
	const uint8_t *unit_id; /* HSA_UUID_LEN bytes */
};

/* ep_ca_issue(pem, ends, ca, who, days) - append a new key and its certificate.
 * It begins an hour ago, for clocks that differ. ends: s since 1970. */
HSA_MUST_USE hsa_rc ep_ca_issue(struct hsa_buf *pem, int64_t *ends,
    const struct ep_ca *ca, const struct ep_cert_for *who, unsigned int days);

#endif
