#include <string.h>

#include "hsa_time.h"

static int
number(const char *s, size_t n)
{
	int v = 0;

	for (; n > 0; n--, s++)
		v = v * 10 + (*s - '0');
	return v;
}

/* s has the form, where 0 stands for any digit; more may follow. */
static bool
begins(const char *s, const char *form)
{
	for (; *form != '\0'; form++, s++)
		if (*form == '0' ? *s < '0' || *s > '9' : *s != *form)
			return false;
	return true;
}

struct date {
	int year, month, day;
};

static bool
is_leap(int y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static bool
day_exists(const struct date *d)
{
	static const int days[] = {
	    31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	if (d->month < 1 || d->month > 12 || d->day < 1)
		return false;
	return d->day <=
	       (d->month == 2 && !is_leap(d->year) ? 28 : days[d->month - 1]);
}

/* Days since 1970-01-01: timegm for every event would cost more than most of
 * its checks. */
static int64_t
day_number(const struct date *d)
{
	static const int before[] = {
	    0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	/* whole years before this one, from the year -399 on: 400 years, which
	 * have 146,097 days, make the divisions exact for the year 0 */
	int64_t n = d->year + 399;

	return 365 * n + n / 4 - n / 100 + n / 400 - 146097 +
	       before[d->month - 1] + (d->month > 2 && is_leap(d->year)) +
	       d->day - 1 - 719162;
}

/* The offset, which ends the text, in seconds. */
static bool
offset(int *to, const char *s)
{
	int h, m, sign = s[0] == '-' ? -1 : 1;

	*to = 0;
	if (strcmp(s, "Z") == 0)
		return true;
	if (s[0] != '+' && s[0] != '-')
		return false;
	s++;
	if (begins(s, "00:00") && s[5] == '\0')
		m = number(s + 3, 2);
	else if (begins(s, "0000") && s[4] == '\0')
		m = number(s + 2, 2);
	else
		return false;
	h = number(s, 2);
	*to = sign * (h * 60 + m) * 60;
	return h <= 23 && m <= 59;
}

bool
hsa_time_read(struct hsa_time *t, const char *s)
{
	struct date d;
	int off = 0, hour, minute, second;

	*t = (struct hsa_time){.seconds = 0};
	if (!begins(s, "0000-00-00T00:00:00"))
		return false;
	d = (struct date){number(s, 4), number(s + 5, 2), number(s + 8, 2)};
	hour = number(s + 11, 2);
	minute = number(s + 14, 2);
	second = number(s + 17, 2);
	/* 60: a leap second */
	if (!day_exists(&d) || hour > 23 || minute > 59 || second > 60)
		return false;
	s += 19;
	if (*s == '.') {
		t->fraction = (unsigned int)strspn(s + 1, "0123456789");
		if (t->fraction < 1)
			return false;
		t->ns =
		    (uint32_t)number(s + 1, t->fraction < 9 ? t->fraction : 9);
		for (unsigned int i = t->fraction; i < 9; i++)
			t->ns *= 10;
		s += 1 + t->fraction;
	}
	t->offset = s;
	if (!offset(&off, s))
		return false;
	t->seconds =
	    day_number(&d) * 86400 + hour * 3600 + minute * 60 + second - off;
	return true;
}
