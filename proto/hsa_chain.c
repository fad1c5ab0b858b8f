#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hsa_chain.h"

#define PREFIX "cryptounit/"

void
hsa_origin_text(char to[HSA_ORIGIN_TEXT], const uint8_t id[HSA_UUID_LEN],
    unsigned int number)
{
	char text[HSA_UUID_TEXT];

	hsa_uuid_text(text, id);
	if (number <= 1)
		(void)snprintf(to, HSA_ORIGIN_TEXT, PREFIX "%s", text);
	else
		(void)snprintf(
		    to, HSA_ORIGIN_TEXT, PREFIX "%s.%u", text, number);
}

hsa_rc
hsa_origin_number(
    unsigned int *number, const uint8_t id[HSA_UUID_LEN], const char *origin)
{
	char again[HSA_ORIGIN_TEXT];
	const char *dot = strchr(origin, '.');
	unsigned long n = dot == NULL ? 1 : strtoul(dot + 1, NULL, 10);

	if (n == 0 || n > HSA_CHAIN_MAX)
		return HSA_RC(E_FORMAT);
	/* one spelling, whatever strtoul takes */
	hsa_origin_text(again, id, (unsigned int)n);
	if (strcmp(again, origin) != 0)
		return HSA_RC(E_FORMAT);
	*number = (unsigned int)n;
	return HSA_OK;
}

/* ---- members ------------------------------------------------------------- */

#define AT(member) offsetof(struct hsa_chain, member)

static const struct {
	const char *name;
	size_t at;
	bool always;
} texts[] = {
    {"oldOrigin", AT(old_origin), true},
    {"rule", AT(rule), false},
    {"place", AT(place), false},
    {"finding", AT(finding), false},
    {"by", AT(by), true},
    {"reason", AT(reason), false},
};
static const struct {
	const char *name;
	size_t at;
} numbers[] = {
    {"verifiedRecords", AT(verified)},
    {"foundRecords", AT(found)},
    {"atRecord", AT(at)},
    {"outboxLast", AT(outbox_last)},
    {"useLast", AT(use_last)},
    {"lostChanges", AT(outbox_lost)},
    {"lostCalls", AT(use_lost)},
};
#define TEXTS (sizeof(texts) / sizeof(texts[0]))
#define NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

static char **
text_at(struct hsa_chain *c, size_t i)
{
	return (char **)(void *)((char *)c + texts[i].at);
}

static const char *
text_of(const struct hsa_chain *c, size_t i)
{
	return *(char *const *)(const void *)((const char *)c + texts[i].at);
}

static uint64_t *
number_at(struct hsa_chain *c, size_t i)
{
	return (uint64_t *)(void *)((char *)c + numbers[i].at);
}

static uint64_t
number_of(const struct hsa_chain *c, size_t i)
{
	return *(
	    const uint64_t *)(const void *)((const char *)c + numbers[i].at);
}

hsa_rc
hsa_chain_put(struct hsa_data *d, const struct hsa_chain *c)
{
	hsa_rc rc = HSA_OK;

	for (size_t i = 0; i < TEXTS; i++)
		if (text_of(c, i) != NULL)
			HSA_TRY(
			    rc, hsa_data_text(d, texts[i].name, text_of(c, i)));
	for (size_t i = 0; i < NUMBERS; i++) {
		uint64_t v = number_of(c, i);

		if (v > INT64_MAX)
			return HSA_RC(E_RANGE);
		HSA_TRY(rc, hsa_data_integer(d, numbers[i].name, (int64_t)v));
	}
	HSA_TRY(rc, hsa_data_hex(d, "verifiedRoot", c->root, sizeof(c->root)));
	/* for whoever reads the record and cannot subtract */
	if (c->found >= c->verified)
		rc = hsa_data_integer(
		    d, "untrustedRecords", (int64_t)(c->found - c->verified));
out:
	return rc;
}

hsa_rc
hsa_chain_get(struct hsa_chain *c, const struct hsa_data *d)
{
	const struct hsa_field *f;
	hsa_rc rc = HSA_OK;

	for (size_t i = 0; i < TEXTS; i++) {
		f = hsa_data_find(d, texts[i].name);
		if (f == NULL && !texts[i].always)
			continue;
		if (f == NULL || f->kind != HSA_VALUE_TEXT || f->text == NULL)
			return HSA_RC(E_FORMAT);
		HSA_TRY(rc, hsa_strdup_opt(text_at(c, i), f->text));
	}
	for (size_t i = 0; i < NUMBERS; i++) {
		f = hsa_data_find(d, numbers[i].name);
		if (f == NULL || f->kind != HSA_VALUE_INTEGER || f->integer < 0)
			return HSA_RC(E_FORMAT);
		*number_at(c, i) = (uint64_t)f->integer;
	}
	f = hsa_data_find(d, "verifiedRoot");
	if (f == NULL || f->kind != HSA_VALUE_TEXT || f->text == NULL)
		return HSA_RC(E_FORMAT);
	rc = hsa_unhex(c->root, sizeof(c->root), f->text, strlen(f->text));
	if (!hsa_is_ok(rc))
		rc = HSA_RC(E_FORMAT);
out:
	return rc;
}

void
hsa_chain_free(struct hsa_chain *c)
{
	for (size_t i = 0; i < TEXTS; i++)
		free(*text_at(c, i));
	*c = (struct hsa_chain){0};
}

hsa_rc
hsa_chain_of(struct hsa_chain *c, const struct hsa_record *r)
{
	if (r->body != HSA_BODY_SPECIAL || r->special.name == NULL ||
	    strcmp(r->special.name, "NEW_CHAIN") != 0)
		return HSA_RC(E_NOT_FOUND);
	return hsa_chain_get(c, &r->special.details);
}
