#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd.h"
#include "record_filter.h"

#define NS_PER_S UINT64_C(1000000000)

void
record_filter_init(struct record_filter *f)
{
	*f = (struct record_filter){.to = UINT64_MAX};
}

/* ---- times --------------------------------------------------------------- */

/* Exactly n digits. */
static bool
digits(int *v, const char **at, size_t n)
{
	*v = 0;
	for (size_t i = 0; i < n; i++, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		*v = *v * 10 + (**at - '0');
	}
	return true;
}

static bool
letter(const char **at, const char *any)
{
	if (**at == '\0' || strchr(any, **at) == NULL)
		return false;
	(*at)++;
	return true;
}

static bool
fraction(uint64_t *ns, const char **at)
{
	uint64_t weight = NS_PER_S / 10;

	*ns = 0;
	if (!letter(at, "."))
		return true;
	if (**at < '0' || **at > '9')
		return false;
	for (; **at >= '0' && **at <= '9'; (*at)++, weight /= 10)
		*ns += (uint64_t)(**at - '0') * weight;
	return true;
}

/* Seconds east of Greenwich. */
static bool
offset(int *s, const char **at)
{
	bool west;
	int h, m;

	*s = 0;
	if (letter(at, "Zz"))
		return true;
	west = **at == '-';
	if (!letter(at, "+-") || !digits(&h, at, 2))
		return false;
	(void)letter(at, ":");
	if (!digits(&m, at, 2) || h > 23 || m > 59)
		return false;
	*s = (h * 60 + m) * (west ? -60 : 60);
	return true;
}

bool
record_filter_time(uint64_t *ns, const char *text)
{
	struct tm tm = {0}, back = {0};
	uint64_t part = 0;
	time_t s;
	int east = 0;

	if (!digits(&tm.tm_year, &text, 4) || !letter(&text, "-") ||
	    !digits(&tm.tm_mon, &text, 2) || !letter(&text, "-") ||
	    !digits(&tm.tm_mday, &text, 2))
		return false;
	if (*text != '\0' &&
	    (!letter(&text, "Tt ") || !digits(&tm.tm_hour, &text, 2) ||
		!letter(&text, ":") || !digits(&tm.tm_min, &text, 2) ||
		!letter(&text, ":") || !digits(&tm.tm_sec, &text, 2) ||
		!fraction(&part, &text) || !offset(&east, &text) ||
		*text != '\0'))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	back = tm;
	s = timegm(&tm);
	/* no 30th of February, no 25 o'clock, and within 64 bits of ns */
	if (tm.tm_mday != back.tm_mday || tm.tm_mon != back.tm_mon ||
	    tm.tm_hour != back.tm_hour || tm.tm_min != back.tm_min ||
	    tm.tm_sec != back.tm_sec || s - east < 0 ||
	    (uint64_t)(s - east) >= UINT64_MAX / NS_PER_S)
		return false;
	*ns = (uint64_t)(s - east) * NS_PER_S + part;
	return true;
}

/* ---- options ------------------------------------------------------------- */

static bool
number(uint64_t *v, const char *s)
{
	char *end;

	errno = 0;
	*v = strtoull(s, &end, 10);
	return errno == 0 && s[0] >= '0' && s[0] <= '9' && *end == '\0';
}

static bool
outcome(const char *s)
{
	return strcmp(s, "success") == 0 || strcmp(s, "failure") == 0 ||
	       strcmp(s, "pending") == 0 || strcmp(s, "unknown") == 0;
}

int
record_filter_take(
    struct record_filter *f, const struct cmd *c, int o, const char *value)
{
	switch (o) {
	case 'n':
		if (number(&f->from, value))
			break;
		return cmd_usage(c, "--from %s: not a sequence number", value);
	case 'N':
		if (number(&f->to, value))
			break;
		return cmd_usage(c, "--to %s: not a sequence number", value);
	case 'A':
		if (f->actions == RECORD_FILTER_ACTIONS)
			return cmd_usage(c, "--action: at most %d of them",
			    RECORD_FILTER_ACTIONS);
		f->action[f->actions++] = value;
		break;
	case 'O':
		if (!outcome(value))
			return cmd_usage(c,
			    "no outcome %s; there are success, failure, "
			    "pending, unknown",
			    value);
		f->outcome = value;
		break;
	case 'S':
		f->has_since = record_filter_time(&f->since_ns, value);
		if (f->has_since)
			break;
		return cmd_usage(c,
		    "--since %s: no time as 2026-01-31T09:00:00Z or 2026-01-31",
		    value);
	case 'U':
		f->has_until = record_filter_time(&f->until_ns, value);
		if (f->has_until)
			break;
		return cmd_usage(c,
		    "--until %s: no time as 2026-01-31T09:00:00Z or 2026-01-31",
		    value);
	case 'u':
		f->unit = value;
		break;
	default:
		break;
	}
	return CMD_OK;
}

/* ---- records ------------------------------------------------------------- */

static bool
named(const struct record_filter *f, const struct hsa_record *r)
{
	const char *name = r->body == HSA_BODY_EVENT     ? r->event.action_name
			   : r->body == HSA_BODY_SPECIAL ? r->special.name
							 : NULL;

	for (size_t i = 0; name != NULL && i < f->actions; i++)
		if (fnmatch(f->action[i], name, 0) == 0)
			return true;
	return f->actions == 0;
}

bool
record_filter_has(const struct record_filter *f, const struct hsa_record *r)
{
	bool event = r->body == HSA_BODY_EVENT;
	uint64_t ns = event ? r->event.event_time_ns : r->wall_ns;

	if (r->sequence < f->from || r->sequence > f->to ||
	    (f->has_since && ns < f->since_ns) ||
	    (f->has_until && ns >= f->until_ns))
		return false;
	if (f->outcome != NULL &&
	    (!event || r->event.outcome == NULL ||
		strcmp(r->event.outcome, f->outcome) != 0))
		return false;
	return named(f, r);
}
