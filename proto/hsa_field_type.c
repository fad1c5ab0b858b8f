#include <string.h>

#include "hsa_field_type.h"
#include "hsa_time.h"

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_string(const char *s)
{
	(void)s;
	return true;
}

/* Lower case: ids are compared as text by those who read them. */
static bool
is_hex64(const char *s)
{
	return strlen(s) == 64 && strspn(s, "0123456789abcdef") == 64;
}

static bool
is_uuid(const char *s)
{
	uint8_t id[HSA_UUID_LEN];

	return hsa_is_ok(hsa_uuid_parse(id, s));
}

/* RFC 3339: date-time. */
static bool
is_timestamp(const char *s)
{
	struct hsa_time t;

	return hsa_time_read(&t, s) &&
	       (*t.offset == 'Z' || strchr(t.offset, ':') != NULL);
}

/* [region].[zone-host].[NN].[NN] */
static bool
is_location(const char *s)
{
	for (unsigned int part = 0; part < 4; part++) {
		size_t n = 0;

		if (part != 0 && *s++ != '.')
			return false;
		if (*s++ != '[')
			return false;
		while (is_alnum(s[n]) || (n != 0 && s[n] == '-'))
			n++;
		if (n == 0 || s[n] != ']')
			return false;
		if (part >= 2 && (n != 2 || !is_digit(s[0]) || !is_digit(s[1])))
			return false;
		s += n + 1;
	}
	return *s == '\0';
}

/* A path, or an absolute URI; no blanks or controls. */
static bool
is_uri(const char *s)
{
	size_t n = 0;

	for (const char *at = s; *at != '\0'; at++)
		if ((unsigned char)*at <= ' ' || *at == 0x7f)
			return false;
	if (s[0] == '/')
		return true;
	if (!is_alnum(s[0]) || is_digit(s[0]))
		return false;
	while (is_alnum(s[n]) || s[n] == '+' || s[n] == '-' || s[n] == '.')
		n++;
	return s[n] == ':' && s[n + 1] != '\0';
}

#define HEX(n) "[0-9a-fA-F]{" #n "}"
#define PART "\\[[A-Za-z0-9][A-Za-z0-9-]*\\]\\."
/* neither blank nor control */
#define GRAPHIC                                                                \
	"[^\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"       \
	"\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f "    \
	"\x7f]"
#define MINUTES "([01][0-9]|2[0-3]):[0-5][0-9]"

static const struct hsa_field_type types[] = {
    {"string", HSA_VALUE_TEXT, is_string, "a text", NULL},
    {"uri", HSA_VALUE_TEXT, is_uri, "a path or an absolute URI",
	"^(/" GRAPHIC "*|[A-Za-z][A-Za-z0-9+.-]*:" GRAPHIC "+)$"},
    {"uuid", HSA_VALUE_TEXT, is_uuid, "a UUID",
	"^" HEX(8) "-" HEX(4) "-" HEX(4) "-" HEX(4) "-" HEX(12) "$"},
    {"hex64", HSA_VALUE_TEXT, is_hex64, "64 lower-case hex digits",
	"^[0-9a-f]{64}$"},
    {"hex64[]", HSA_VALUE_LIST, is_hex64,
	"a list of 64 lower-case hex digits each", "^[0-9a-f]{64}$"},
    {"location", HSA_VALUE_TEXT, is_location, "[region].[zone-host].[NN].[NN]",
	"^" PART PART "\\[[0-9]{2}\\]\\.\\[[0-9]{2}\\]$"},
    {"timestamp", HSA_VALUE_TEXT, is_timestamp, "an RFC 3339 time",
	"^" HSA_PATTERN_DAY "T"
	"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)([.][0-9]+)?"
	"(Z|[+-]" MINUTES ")$"},
    {"int", HSA_VALUE_INTEGER, NULL, "a number", NULL},
    {"bool", HSA_VALUE_BOOLEAN, NULL, "true or false", NULL},
};

const struct hsa_field_type *
hsa_field_type(const char *name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].name, name) == 0)
			return &types[i];
	return NULL;
}
