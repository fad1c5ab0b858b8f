/* ep_check.c - the values of a configuration. Every message names the key and
 * ends in what to do. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hsa_addr.h"
#include "ep_config.h"
#include "ep_check.h"

static const char lower[] = "abcdefghijklmnopqrstuvwxyz";
static const char lower_digit_dash[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
static const char hex_digit[] = "0123456789abcdef";
static const char decimal_digit[] = "0123456789";
static const char upper_digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
static const char file_char[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				"abcdefghijklmnopqrstuvwxyz0123456789._-";

static bool
only(const char *s, const char *set, size_t min, size_t max)
{
	size_t n = strlen(s);

	return n >= min && n <= max && strspn(s, set) == n;
}

bool
ep_is_text(const char *s, size_t max)
{
	size_t n = strlen(s), i = 0;

	for (i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return false;
	return n >= 1 && n <= max;
}

bool
ep_is_name(const char *s)
{
	return only(s, lower_digit_dash, 1, 32) && strspn(s, lower) > 0;
}

bool
ep_is_region(const char *s)
{
	return ep_is_name(s);
}

bool
ep_is_collector(const char *s)
{
	struct hsa_addr a = {0};

	if (!hsa_is_ok(hsa_addr_parse(&a, s)))
		return false;
	/* somebody listens there: not at a port yet to be chosen */
	return a.kind == HSA_ADDR_UNIX ? ep_is_text(a.path, 1000) : a.port != 0;
}

/* One "[...]" of a location; *at moves behind it. */
static bool
bracket(const char **at, const char **in, size_t *n)
{
	const char *end = NULL;

	if (**at != '[')
		return false;
	end = strchr(*at, ']');
	if (end == NULL)
		return false;
	*in = *at + 1;
	*n = (size_t)(end - *in);
	*at = end + 1;
	return *n > 0;
}

static bool
small_number(uint32_t *v, const char *p, size_t n)
{
	char text[4] = "";

	if (n < 1 || n > 3)
		return false;
	memcpy(text, p, n);
	if (strspn(text, decimal_digit) != n)
		return false;
	*v = (uint32_t)strtoul(text, NULL, 10);
	return true;
}

hsa_rc
ep_location_parse(uint32_t *module, uint32_t *domain, const char *s)
{
	static const char part_char[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					"abcdefghijklmnopqrstuvwxyz"
					"0123456789-_";
	const char *in = NULL, *at = s;
	uint32_t number[2] = {0, 0};
	size_t n = 0;
	int i = 0;

	for (i = 0; i < 4; i++) {
		if (i > 0 && *at++ != '.')
			return HSA_RC(E_FORMAT);
		if (!bracket(&at, &in, &n))
			return HSA_RC(E_FORMAT);
		if (i < 2 && (n > 32 || strspn(in, part_char) != n))
			return HSA_RC(E_FORMAT);
		if (i >= 2 && !small_number(&number[i - 2], in, n))
			return HSA_RC(E_FORMAT);
	}
	if (*at != '\0' || number[0] > 255 || number[1] > 255)
		return HSA_RC(E_FORMAT);
	*module = number[0];
	*domain = number[1];
	return HSA_OK;
}

static hsa_rc
loopback(char host[EP_HOST_MAX], const char *name)
{
	struct in6_addr v6 = {0};
	struct in_addr v4 = {0};

	if (strcmp(name, "localhost") == 0)
		name = "127.0.0.1";
	if (inet_pton(AF_INET, name, &v4) == 1) {
		if ((ntohl(v4.s_addr) >> 24) != 127)
			return HSA_RC(E_UNSUPPORTED);
		(void)inet_ntop(AF_INET, &v4, host, EP_HOST_MAX);
		return HSA_OK;
	}
	if (inet_pton(AF_INET6, name, &v6) == 1) {
		if (!IN6_IS_ADDR_LOOPBACK(&v6))
			return HSA_RC(E_UNSUPPORTED);
		(void)inet_ntop(AF_INET6, &v6, host, EP_HOST_MAX);
		return HSA_OK;
	}
	return HSA_RC(E_FORMAT);
}

hsa_rc
ep_listen_parse(char host[EP_HOST_MAX], uint16_t *port, const char *s)
{
	char name[64] = "", numeric[EP_HOST_MAX] = "";
	const char *colon = strrchr(s, ':'), *from = s;
	unsigned long number = 0;
	size_t n = 0;
	hsa_rc rc = HSA_OK;

	if (colon == NULL || !only(colon + 1, decimal_digit, 1, 5))
		return HSA_RC(E_FORMAT);
	number = strtoul(colon + 1, NULL, 10);
	n = (size_t)(colon - s);
	if (n >= 2 && s[0] == '[' && s[n - 1] == ']') {
		from++;
		n -= 2;
	} else if (memchr(s, ':', n) != NULL) {
		return HSA_RC(E_FORMAT); /* bare IPv6: where is the port? */
	}
	if (number < 1 || number > 65535 || n == 0 || n >= sizeof(name))
		return HSA_RC(E_FORMAT);
	memcpy(name, from, n);
	HSA_TRY(rc, loopback(numeric, name));
	memcpy(host, numeric, sizeof(numeric));
	*port = (uint16_t)number;
out:
	return rc;
}

/* ---- the checks of each part --------------------------------------------- */

static hsa_rc
check_crn(const struct ep_config *c, struct hsa_diag *diag)
{
	const char *at = c->crn_prefix;
	size_t colons = 0;

	if (!ep_is_text(c->crn_prefix, 128) || strchr(at, ' ') != NULL ||
	    strncmp(at, "crn:v1:", 7) != 0)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "crn_prefix \"%s\" does not begin with \"crn:v1:\"; fix: "
		    "use crn:v1:bluemix:public:hs-crypto",
		    at);
	for (; *at != '\0'; at++)
		colons += *at == ':';
	if (colons != 4 || at[-1] == ':')
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "crn_prefix \"%s\" does not have five parts, up to the "
		    "service name; fix: use crn:v1:bluemix:public:hs-crypto",
		    c->crn_prefix);
	return HSA_OK;
}

static hsa_rc
check_top(const struct ep_config *c, struct hsa_diag *diag)
{
	uint8_t id[HSA_UUID_LEN] = {0};
	hsa_rc rc = HSA_OK;

	if (!hsa_is_ok(hsa_uuid_parse(id, c->instance_id)))
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "instance_id \"%s\" is not a UUID; fix: give 8-4-4-4-12 "
		    "lower-case hex digits, as `uuidgen -r` prints",
		    c->instance_id);
	if (!only(c->account, hex_digit, 32, 32))
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "account \"%s\" is not 32 lower-case hex digits; fix: "
		    "give such a number, for instance from `openssl rand -hex "
		    "16`",
		    c->account);
	if (!ep_is_region(c->region))
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "region \"%s\" is not lower-case letters, digits and "
		    "dashes; fix: use one such as us-south",
		    c->region);
	HSA_TRY(rc, check_crn(c, diag));
	if (c->pkcs11_module[0] != '/' || !ep_is_text(c->pkcs11_module, 1024))
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "pkcs11_module \"%s\" is not an absolute path; fix: give "
		    "the path of libsofthsm2.so (dpkg -L libsofthsm2)",
		    c->pkcs11_module);
	if (c->ring_dir != NULL &&
	    (c->ring_dir[0] != '/' || !ep_is_text(c->ring_dir, 200)))
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "ring_dir \"%s\" is not an absolute path; fix: leave the "
		    "key out for " EP_RING_DIR ", or give a folder on tmpfs",
		    c->ring_dir);
	if (!only(c->admin_socket, file_char, 1, 64) ||
	    c->admin_socket[0] == '.')
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "admin_socket \"%s\" is not a plain file name; fix: use "
		    "admin.sock (it lies in the state directory)",
		    c->admin_socket);
out:
	return rc;
}

static hsa_rc
check_listen(const struct ep_config *c, struct hsa_diag *diag)
{
	char host[EP_HOST_MAX] = "";
	uint16_t port = 0;
	unsigned int i = 0;
	hsa_rc rc = HSA_OK;

	if (c->admin_listen == NULL || c->admin_listen[0] == '\0')
		return HSA_OK;
	rc = ep_listen_parse(host, &port, c->admin_listen);
	if (rc.v == HSA_E_UNSUPPORTED)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "admin_listen \"%s\" is not a loopback address, and this "
		    "service has no TLS of its own; fix: listen on "
		    "127.0.0.1:PORT and put a TLS proxy in front",
		    c->admin_listen);
	if (!hsa_is_ok(rc))
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "admin_listen \"%s\" is not HOST:PORT; fix: write "
		    "127.0.0.1:PORT or \"[::1]:PORT\", or leave the key out",
		    c->admin_listen);
	for (i = 0; i < c->identity_count; i++)
		if (c->identity[i].token_sha256 != NULL)
			return HSA_OK;
	return hsa_fail(diag, HSA_RC(E_CONFIG),
	    "admin_listen is set, but no identity has a token, so nobody could "
	    "sign in there; fix: add token_sha256 (printf %%s TOKEN | "
	    "sha256sum) to an identity, or leave admin_listen out");
}

static hsa_rc
check_unit(const struct ep_config *c, unsigned int i, struct hsa_diag *diag)
{
	const struct ep_unit_config *u = &c->unit[i], *o = NULL;
	uint32_t module = 0, domain = 0, other = 0, ignored = 0;
	uint8_t id[HSA_UUID_LEN] = {0};
	unsigned int k = 0;

	if (!ep_is_name(u->name))
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "units[%u].name \"%s\" is not a name; fix: a lower-case "
		    "letter, then letters, digits and dashes, at most 32",
		    i, u->name);
	if (!hsa_is_ok(hsa_uuid_parse(id, u->id)))
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "units[%u].id \"%s\" is not a UUID; fix: the id that init "
		    "wrote (it also names the token and the log)",
		    i, u->id);
	if (!hsa_is_ok(ep_location_parse(&module, &domain, u->location)))
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "units[%u].location \"%s\" is not a location; fix: "
		    "\"[zone].[host].[module].[domain]\", the last two "
		    "decimal and at most 255",
		    i, u->location);
	if (!only(u->serial, upper_digit, 8, 8))
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "units[%u].serial \"%s\" is not 8 upper-case letters and "
		    "digits; fix: the serial that init wrote (the module's "
		    "certificates carry it)",
		    i, u->serial);
	for (k = 0; k < i; k++) {
		const char *same = NULL;

		o = &c->unit[k];
		if (!hsa_is_ok(
			ep_location_parse(&other, &ignored, o->location)))
			continue;
		if (strcmp(o->name, u->name) == 0)
			same = "name";
		else if (strcmp(o->id, u->id) == 0)
			same = "id";
		else if (strcmp(o->serial, u->serial) == 0)
			same = "serial";
		else if (other == module)
			same = "location (module index)";
		if (same != NULL)
			return hsa_fail(diag, HSA_RC(E_CONFIG),
			    "units[%u] and units[%u] have the same %s; fix: "
			    "each unit is a module of its own and needs its "
			    "own",
			    k, i, same);
	}
	return HSA_OK;
}

/* A configuration in the making says nothing yet. */
static bool
is_sealed(enum ep_mode m)
{
	return m == 0 || m == EP_MODE_SEALED;
}

static hsa_rc
check_emission(const struct ep_config *c, unsigned int i, struct hsa_diag *diag)
{
	const struct ep_emission *e = &c->unit[i].emission;
	const char *family = !is_sealed(e->tke) ? "tke" : "keystore";

	if (e->ep11 == EP_MODE_OFF)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "units[%u].emission.ep11 is off: no unit that is in use "
		    "leaves calls without a record; fix: ring or sealed "
		    "(ep11-bench turns events off to measure, and the log "
		    "tells of it)",
		    i);
	if (!is_sealed(e->tke) || !is_sealed(e->keystore))
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "units[%u].emission.%s is not sealed: these actions change "
		    "what the unit holds, and change and event are one "
		    "transaction on stable storage; fix: sealed, or leave the "
		    "key out",
		    i, family);
	return HSA_OK;
}

#define SEGMENT_MIN 4096u
#define SEGMENT_MAX (UINT64_C(1) << 32)
#define RING_MIN 1024u
#define RING_MAX (1u << 22)
#define KEEP_DAYS_MAX 36500u

/* Two files always stay, and the limit has to be beyond them, or nothing that
 * is released could ever end a refusal. */
static hsa_rc
check_log(
    const struct ep_log *l, unsigned int collectors, struct hsa_diag *diag)
{
	uint64_t segment =
	    l->segment_bytes == 0 ? UINT64_C(64) << 20 : l->segment_bytes;

	if (l->segment_bytes != 0 &&
	    (l->segment_bytes < SEGMENT_MIN || l->segment_bytes > SEGMENT_MAX))
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "log.segment_bytes is out of range; fix: 4096 to "
		    "4294967296, or leave it out (64 MiB)");
	if (l->ring_slots != 0 &&
	    (l->ring_slots < RING_MIN || l->ring_slots > RING_MAX ||
		(l->ring_slots & (l->ring_slots - 1)) != 0))
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "log.ring_slots is no power of two from 1024 to 4194304; "
		    "fix: give one, or leave it out (65536)");
	if (l->keep_days > KEEP_DAYS_MAX)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "log.keep_days is above 36500; fix: a smaller number, or "
		    "release: never");
	if (l->max_bytes != 0 &&
	    (l->max_bytes / 4 < segment || l->max_bytes < l->keep_bytes))
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "log.max_bytes is less than four segments or than "
		    "keep_bytes; fix: raise it, or set segment_bytes lower "
		    "(64 MiB when left out)");
	if (l->release == EP_RELEASE_ACKNOWLEDGED && collectors == 0)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "log.release is acknowledged and there are no collectors "
		    "to acknowledge; fix: name one, or release: never");
	return HSA_OK;
}

static hsa_rc
check_identity(const struct ep_config *c, unsigned int i, struct hsa_diag *diag)
{
	const struct ep_identity *who = &c->identity[i];
	unsigned int k = 0;

	if (who->user == NULL && who->token_sha256 == NULL)
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "identities[%u] has neither user nor token_sha256, so "
		    "nobody is it; fix: add one",
		    i);
	if (who->user != NULL && !ep_is_text(who->user, 64))
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "identities[%u].user has control characters; fix: give a "
		    "login name, or \"*\" for any",
		    i);
	if (who->token_sha256 != NULL &&
	    !only(who->token_sha256, hex_digit, 64, 64))
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "identities[%u].token_sha256 is not 64 lower-case hex "
		    "digits; fix: printf %%s TOKEN | sha256sum",
		    i);
	if (!ep_is_text(who->id, 128) || !ep_is_text(who->name, 128))
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "identities[%u]: id and name must have 1 to 128 "
		    "characters and no control characters; fix: shorten or "
		    "retype them",
		    i);
	for (k = 0; who->token_sha256 != NULL && k < i; k++)
		if (c->identity[k].token_sha256 != NULL &&
		    strcmp(c->identity[k].token_sha256, who->token_sha256) == 0)
			return hsa_fail(diag, HSA_RC(E_CONFIG),
			    "identities[%u] and identities[%u] have the same "
			    "token_sha256; fix: a token of its own for each",
			    k, i);
	return HSA_OK;
}

static hsa_rc
check_collector(
    const struct ep_config *c, unsigned int i, struct hsa_diag *diag)
{
	const struct ep_collector *to = &c->collector[i];
	unsigned int k = 0;

	if (!ep_is_name(to->name))
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "collectors[%u].name \"%s\" is not a name; fix: a "
		    "lower-case letter, then letters, digits and dashes, at "
		    "most 32",
		    i, to->name);
	if (!ep_is_collector(to->address))
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "collectors[%u].address \"%s\" is neither unix:PATH nor "
		    "tls:HOST:PORT; fix: give what `hsa collect --listen` "
		    "says it is ready on",
		    i, to->address);
	if (to->tls_name != NULL && !hsa_is_dns_name(to->tls_name))
		return hsa_fail(diag, HSA_RC(E_CONFIG),
		    "collectors[%u].tls_name \"%s\" is no DNS name; fix: give "
		    "the one in the collector's certificate, or leave it out",
		    i, to->tls_name);
	for (k = 0; k < i; k++)
		if (strcmp(c->collector[k].name, to->name) == 0 ||
		    strcmp(c->collector[k].address, to->address) == 0)
			return hsa_fail(diag, HSA_RC(E_CONFIG),
			    "collectors[%u] and collectors[%u] have the same "
			    "name or address; fix: remove one",
			    k, i);
	return HSA_OK;
}

hsa_rc
ep_check(const struct ep_config *c, struct hsa_diag *diag)
{
	unsigned int i = 0;
	hsa_rc rc = HSA_OK;

	HSA_TRY(rc, check_top(c, diag));
	for (i = 0; i < c->unit_count; i++)
		HSA_TRY(rc, check_unit(c, i, diag));
	for (i = 0; i < c->unit_count; i++)
		HSA_TRY(rc, check_emission(c, i, diag));
	HSA_TRY(rc, check_log(&c->log, c->collector_count, diag));
	for (i = 0; i < c->identity_count; i++)
		HSA_TRY(rc, check_identity(c, i, diag));
	for (i = 0; i < c->collector_count; i++)
		HSA_TRY(rc, check_collector(c, i, diag));
	HSA_TRY(rc, check_listen(c, diag));
out:
	return rc;
}
