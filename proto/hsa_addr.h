/*
 * hsa_addr.h - the address of a collector, and how the two ends of a TLS
 * channel name themselves (FORMAT.md 6, C6 to C8):
 *
 *	unix:PATH
 *	tls:HOST:PORT	HOST is a name, an IPv4 address or [an IPv6 address]
 */
#ifndef HSA_ADDR_H
#define HSA_ADDR_H
#include <stdbool.h>
#include <stdint.h>
#include "hsa_err.h"
#include "hsa_hash.h"

#define HSA_HOST_MAX 253 /* of a DNS name, RFC 1035 */

/* The protocol that both ends agree on (ALPN, RFC 7301). */
#define HSA_CHANNEL_ALPN "cryptounit-audit/1"
/* What stands before a unit's id in its certificate (RFC 9562, 4). */
#define HSA_CHANNEL_URN "urn:uuid:"

enum hsa_addr_kind {
	HSA_ADDR_UNIX = 1,
	HSA_ADDR_TLS
};

struct hsa_addr {
	enum hsa_addr_kind kind;
	const char *path; /* UNIX: inside the string that was parsed */
	char host[HSA_HOST_MAX + 1]; /* TLS: without brackets */
	bool numeric;                /* host is an address, not a name */
	uint16_t port;               /* 0 only to listen: any that is free */
};

struct hsa_buf;

/*
 * hsa_addr_parse(a, s) - E_UNSUPPORTED: another scheme; E_FORMAT: HOST:PORT is
 * none, or the path is empty. A path may be of any length.
 * hsa_addr_text(b, a) - and back, the same bytes.
 */
HSA_MUST_USE hsa_rc hsa_addr_parse(struct hsa_addr *a, const char *s);
void hsa_addr_text(struct hsa_buf *b, const struct hsa_addr *a);

/* hsa_is_dns_name(s) - letters, digits and dashes between dots (RFC 1123), the
 * last label not a number: what a collector's certificate may be for. */
bool hsa_is_dns_name(const char *s);

#endif
