/* ep_who.c - see ep_who.h. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include "hsa_hash.h"
#include "ep_config.h"
#include "ep_sock.h"
#include "ep_who.h"

#define TYPE_USER "service/security/account/user"

bool
ep_who_printable(const char *s, size_t max)
{
	size_t n = strlen(s), i = 0;

	for (i = 0; i < n; i++)
		if (s[i] < 0x20 || s[i] > 0x7e)
			return false;
	return n >= 1 && n <= max;
}

static hsa_rc
refuse(struct hsa_caller *c, uint32_t status, const char *text)
{
	c->denied = status;
	return hsa_strdup_opt(&c->denied_text, text);
}

static hsa_rc
set_name(struct hsa_caller *c, const char *id, const char *name,
    const char *credential)
{
	struct hsa_initiator *i = &c->initiator;
	hsa_rc rc = HSA_OK;

	HSA_TRY(rc, hsa_strdup_opt(&i->id, id));
	HSA_TRY(rc, hsa_strdup_opt(&i->name, name));
	HSA_TRY(rc, hsa_strdup_opt(&i->type_uri, TYPE_USER));
	HSA_TRY(rc, hsa_strdup_opt(&i->credential_type, credential));
out:
	return rc;
}

static hsa_rc
take(
    struct hsa_caller *c, const struct ep_identity *who, const char *credential)
{
	hsa_rc rc = HSA_OK;

	HSA_TRY(rc, set_name(c, who->id, who->name, credential));
	if (who->denied)
		HSA_TRY(rc, refuse(c, 403,
				"this identity has no permission on the "
				"instance (denied: true in config.yaml)"));
out:
	return rc;
}

/* Every identity is compared, and in constant time: how long it takes says
 * nothing about the tokens. */
static hsa_rc
by_token(struct hsa_caller *c, const struct ep_config *cfg, const char *header)
{
	const struct ep_identity *found = NULL;
	uint8_t digest[HSA_SHA256_LEN] = {0};
	char hex[2 * HSA_SHA256_LEN + 1] = "";
	const char *token = header;
	unsigned int i = 0;
	hsa_rc rc = HSA_OK;

	if (strncasecmp(token, "Bearer ", 7) == 0)
		token += 7;
	if (strlen(token) > EP_TOKEN_MAX)
		token = "";
	HSA_TRY(rc, hsa_sha256(digest, token, strlen(token)));
	hsa_hex(hex, digest, sizeof(digest));
	for (i = 0; *token != '\0' && i < cfg->identity_count; i++)
		if (cfg->identity[i].token_sha256 != NULL &&
		    hsa_equal_ct(
			cfg->identity[i].token_sha256, hex, sizeof(hex) - 1) &&
		    found == NULL)
			found = &cfg->identity[i];
	if (found != NULL) {
		rc = take(c, found, "token");
		goto out;
	}
	HSA_TRY(rc, set_name(c, "unknown", "unknown", "token"));
	HSA_TRY(rc, refuse(c, 401,
			"the token in the Authorization header is not known; "
			"fix: send one whose SHA-256 is in config.yaml "
			"(identities, token_sha256)"));
out:
	hsa_wipe(hex, sizeof(hex));
	hsa_wipe(digest, sizeof(digest));
	return rc;
}

/* "#1000" when the uid has no login name. */
static hsa_rc
login_of(char *to, size_t n, int fd)
{
	char room[4096] = "";
	struct passwd pw = {0}, *got = NULL;
	uid_t uid = 0;
	hsa_rc rc = HSA_OK;

	HSA_TRY(rc, ep_sock_peer(&uid, fd));
	if (getpwuid_r(uid, &pw, room, sizeof(room), &got) == 0 && got != NULL)
		(void)snprintf(to, n, "%s", pw.pw_name);
	else
		(void)snprintf(to, n, "#%u", (unsigned int)uid);
out:
	return rc;
}

static hsa_rc
by_peer(struct hsa_caller *c, const struct ep_config *cfg, int fd)
{
	char login[256] = "", text[768] = "", id[300] = "";
	unsigned int i = 0;
	hsa_rc rc = HSA_OK;

	rc = login_of(login, sizeof(login), fd);
	if (!hsa_is_ok(rc)) {
		HSA_TRY(rc, set_name(c, "unknown", "unknown", "user"));
		return refuse(c, 401,
		    "the kernel does not say who connected; fix: connect "
		    "from this machine");
	}
	for (i = 0; i < cfg->identity_count; i++) {
		const char *user = cfg->identity[i].user;

		if (user != NULL &&
		    (strcmp(user, login) == 0 || strcmp(user, "*") == 0))
			return take(c, &cfg->identity[i], "user");
	}
	(void)snprintf(id, sizeof(id), "local-user:%s", login);
	HSA_TRY(rc, set_name(c, id, login, "user"));
	(void)snprintf(text, sizeof(text),
	    "the local user %s has no identity here; fix: add one with user: "
	    "\"%s\" to identities in config.yaml, and restart",
	    login, login);
	HSA_TRY(rc, refuse(c, 403, text));
out:
	return rc;
}

static hsa_rc
set_host(
    struct hsa_initiator *i, const struct sockaddr *peer, const char *agent)
{
	char text[INET6_ADDRSTRLEN] = "127.0.0.1";
	const char *type = "IPv4";
	hsa_rc rc = HSA_OK;

	if (peer->sa_family == AF_INET) {
		struct sockaddr_in v4 = {0};

		memcpy(&v4, peer, sizeof(v4));
		(void)inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
	} else if (peer->sa_family == AF_INET6) {
		struct sockaddr_in6 v6 = {0};

		memcpy(&v6, peer, sizeof(v6));
		(void)inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
		type = "IPv6";
	}
	HSA_TRY(rc, hsa_strdup_opt(&i->host_address, text));
	HSA_TRY(rc, hsa_strdup_opt(&i->host_address_type, type));
	if (agent != NULL && ep_who_printable(agent, EP_AGENT_MAX))
		HSA_TRY(rc, hsa_strdup_opt(&i->host_agent, agent));
out:
	return rc;
}

hsa_rc
ep_who(struct hsa_caller *c, const struct ep_config *cfg,
    const struct ep_who_facts *facts)
{
	bool tcp = facts->peer->sa_family == AF_INET ||
		   facts->peer->sa_family == AF_INET6;
	hsa_rc rc = HSA_OK;

	HSA_TRY(rc, set_host(&c->initiator, facts->peer, facts->agent));
	if (facts->authorization != NULL) {
		HSA_TRY(rc, by_token(c, cfg, facts->authorization));
	} else if (tcp) {
		HSA_TRY(rc, set_name(c, "unknown", "unknown", "token"));
		HSA_TRY(rc, refuse(c, 401,
				"no Authorization header; fix: send your "
				"token in one"));
	} else {
		HSA_TRY(rc, by_peer(c, cfg, facts->fd));
	}
out:
	return rc;
}
