/*
 * ep_who.h - who asks: from the kernel's word on a unix peer, or from a token,
 * to an identity of the configuration.
 *
 * A token, when one is sent, decides, on either kind of connection; without
 * one, a unix peer is its login name, and a TCP peer is nobody (401). Who is
 * known but has no identity, or one marked denied, gets 403.
 */
#ifndef EP_WHO_H
#define EP_WHO_H
#include <stdbool.h>
#include <sys/socket.h>
#include "hsa_err.h"
#include "hsa_unit.h"

struct ep_config;

#define EP_TOKEN_MAX 8192 /* characters of an Authorization header */
#define EP_AGENT_MAX 128
#define EP_CEREMONY_MAX 128

struct ep_who_facts {              /* of one HTTP request */
	const char *authorization; /* header, NULL when absent */
	const char *agent;         /* User-Agent, NULL when absent */
	int fd;                    /* of the connection */
	const struct sockaddr *peer;
};

/*
 * ep_who(c, cfg, facts) - the caller's initiator and, when refused, denied and
 * denied_text. Host address: the TCP peer's; for a unix peer 127.0.0.1, as
 * the client runs on this machine. c is empty before, freed by
 * hsa_caller_free.
 */
HSA_MUST_USE hsa_rc ep_who(struct hsa_caller *c, const struct ep_config *cfg,
    const struct ep_who_facts *facts);

/* ep_who_printable(s, max) - 1 to max printable ASCII characters. */
bool ep_who_printable(const char *s, size_t max);

#endif
