#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "hsa_addr.h"
#include "hsa_buf.h"

#define LABEL_MAX 63
#define UNIX_SCHEME "unix:"
#define TLS_SCHEME "tls:"

static const char letter_digit_dash[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					"abcdefghijklmnopqrstuvwxyz"
					"0123456789-";
static const char digit[] = "0123456789";

bool
hsa_is_dns_name(const char *s)
{
	const char *label = s;
	size_t n;

	if (strlen(s) > HSA_HOST_MAX)
		return false;
	for (;; label += n + 1) {
		n = strspn(label, letter_digit_dash);
		if (n == 0 || n > LABEL_MAX || label[0] == '-' ||
		    label[n - 1] == '-')
			return false;
		if (label[n] == '\0')
			break;
		if (label[n] != '.')
			return false;
	}
	/* a number there is a mistyped IPv4 address (RFC 3696, 2) */
	return strspn(label, digit) != n;
}

static bool
port(uint16_t *v, const char *s)
{
	unsigned long n;
	size_t len = strlen(s);

	if (len == 0 || len > 5 || strspn(s, digit) != len ||
	    (len > 1 && s[0] == '0'))
		return false;
	n = strtoul(s, NULL, 10);
	if (n > UINT16_MAX)
		return false;
	*v = (uint16_t)n;
	return true;
}

static hsa_rc
tls(struct hsa_addr *a, const char *s)
{
	const char *colon = strrchr(s, ':');
	struct in6_addr v6;
	struct in_addr v4;
	size_t n;
	bool bracket;

	if (colon == NULL || !port(&a->port, colon + 1))
		return HSA_RC(E_FORMAT);
	n = (size_t)(colon - s);
	bracket = n >= 2 && s[0] == '[' && s[n - 1] == ']';
	if (bracket) {
		s++;
		n -= 2;
	}
	if (n == 0 || n > HSA_HOST_MAX)
		return HSA_RC(E_FORMAT);
	memcpy(a->host, s, n);
	a->host[n] = '\0';
	if (bracket) {
		a->numeric = true;
		return inet_pton(AF_INET6, a->host, &v6) == 1
			   ? HSA_OK
			   : HSA_RC(E_FORMAT);
	}
	a->numeric = inet_pton(AF_INET, a->host, &v4) == 1;
	return a->numeric || hsa_is_dns_name(a->host) ? HSA_OK
						      : HSA_RC(E_FORMAT);
}

hsa_rc
hsa_addr_parse(struct hsa_addr *to, const char *s)
{
	const size_t unix_n = sizeof(UNIX_SCHEME) - 1;
	const size_t tls_n = sizeof(TLS_SCHEME) - 1;
	struct hsa_addr a = {.kind = HSA_ADDR_UNIX};
	hsa_rc rc = HSA_OK;

	if (strncmp(s, UNIX_SCHEME, unix_n) == 0) {
		a.path = s + unix_n;
		if (a.path[0] == '\0')
			return HSA_RC(E_FORMAT);
	} else if (strncmp(s, TLS_SCHEME, tls_n) == 0) {
		a.kind = HSA_ADDR_TLS;
		HSA_TRY(rc, tls(&a, s + tls_n));
	} else
		return HSA_RC(E_UNSUPPORTED);
	*to = a;
out:
	return rc;
}

void
hsa_addr_text(struct hsa_buf *b, const struct hsa_addr *a)
{
	bool v6 = strchr(a->host, ':') != NULL;

	if (a->kind == HSA_ADDR_UNIX)
		hsa_buf_printf(b, UNIX_SCHEME "%s", a->path);
	else
		hsa_buf_printf(b, TLS_SCHEME "%s%s%s:%u", v6 ? "[" : "",
		    a->host, v6 ? "]" : "", (unsigned int)a->port);
}
