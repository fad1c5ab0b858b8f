#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hsa_buf.h"
#include "hsa_json.h"
#include "stats.h"
#include "vfy_utf8.h"

#define NS_PER_S 1000000000.0

/* Events in the mean between first and last; 0: all at one moment. */
static double
mean_rate(const struct stats *s)
{
	uint64_t ns = s->last_ns - s->first_ns;

	return ns == 0 ? 0 : (double)s->events * NS_PER_S / (double)ns;
}

static const struct {
	const char *key, *heading;
	size_t at;
} tables[] = {
#define TABLE(member, heading)                                                 \
	{                                                                      \
#member, heading, offsetof(struct stats, member)               \
	}
    TABLE(action, "actions"),
    TABLE(outcome, "outcomes"),
    TABLE(severity, "severities"),
    TABLE(function, "EP11 functions"),
    TABLE(mechanism, "EP11 mechanisms"),
    TABLE(reason, "reasons for failures"),
    TABLE(special, "special records"),
};
static const struct {
	const char *key, *heading;
	size_t at;
} spreads[] = {
    TABLE(bytes_in, "bytes in"),
    TABLE(bytes_out, "bytes out"),
    TABLE(duration, "duration, ns"),
};
#undef TABLE
static const char *const spread_key[] = {"bytesIn", "bytesOut", "durationNs"};
#define TABLES (sizeof(tables) / sizeof(tables[0]))
#define SPREADS (sizeof(spreads) / sizeof(spreads[0]))

static const struct tally *
table(const struct stats *s, size_t i)
{
	return (
	    const struct tally *)(const void *)((const char *)s + tables[i].at);
}

static const struct hist *
spread(const struct stats *s, size_t i)
{
	return (
	    const struct hist *)(const void *)((const char *)s + spreads[i].at);
}

/* ---- for people ---------------------------------------------------------- */

static void
put_time(struct hsa_buf *b, uint64_t ns)
{
	char t[40];

	hsa_time_rfc3339(t, ns);
	(void)snprintf(t + 23, sizeof(t) - 23, "Z");
	hsa_buf_str(b, t);
}

static void
put_table(
    struct hsa_buf *b, const char *heading, const struct tally *t, size_t top)
{
	uint64_t rest = t->other;

	if (t->len == 0 && rest == 0)
		return;
	hsa_buf_printf(b, "  %s:\n", heading);
	for (size_t i = 0; i < t->len; i++) {
		const struct tally_row *r = &t->row[i];

		if (i >= top) {
			rest += r->n;
			continue;
		}
		hsa_buf_printf(b, "    %10" PRIu64 "  ", r->n);
		vfy_utf8_show(b, r->name[0] == '\0' ? "(none)" : r->name);
		if (r->failed != 0)
			hsa_buf_printf(b, ", failed %" PRIu64, r->failed);
		if (r->weight != 0)
			hsa_buf_printf(b, ", of %" PRIu64 " calls", r->weight);
		hsa_buf_u8(b, '\n');
	}
	if (rest != 0)
		hsa_buf_printf(b, "    %10" PRIu64 "  others\n", rest);
}

static void
put_rate(struct hsa_buf *b, const char *span, const struct stats_rate *r)
{
	hsa_buf_printf(b, ", most in a %s %" PRIu64 " (", span, r->most);
	put_time(b, r->most_ns);
	hsa_buf_u8(b, ')');
}

static void
put_times(struct hsa_buf *b, const struct stats *s)
{
	hsa_buf_str(b, "  time         ");
	put_time(b, s->first_ns);
	hsa_buf_str(b, " to ");
	put_time(b, s->last_ns);
	hsa_buf_printf(
	    b, ", %.3f s\n", (double)(s->last_ns - s->first_ns) / NS_PER_S);
	if (s->second.most == 0)
		return; /* of several logs */
	hsa_buf_printf(b, "  events/s     mean %.3f", mean_rate(s));
	put_rate(b, "second", &s->second);
	put_rate(b, "minute", &s->minute);
	hsa_buf_printf(b, "\n  gaps         %" PRIu64 " of %.3f s or more\n",
	    s->gaps, (double)s->gap_ns / NS_PER_S);
	for (size_t i = 0; i < STATS_GAPS && s->gap[i].ns != 0; i++) {
		hsa_buf_printf(
		    b, "    %10.3f s from ", (double)s->gap[i].ns / NS_PER_S);
		put_time(b, s->gap[i].since_ns);
		hsa_buf_printf(
		    b, " to record %" PRIu64 "\n", s->gap[i].sequence);
	}
}

void
stats_text(
    struct hsa_buf *b, const struct stats *s, const char *name, size_t top)
{
	vfy_utf8_show(b, name == NULL ? "all" : name);
	hsa_buf_printf(b,
	    "\n  records      %" PRIu64 " (events %" PRIu64
	    ", EP11 calls among them %" PRIu64 ", specials %" PRIu64
	    ", contexts %" PRIu64 ")%s\n  checkpoints  %" PRIu64
	    ", epochs %" PRIu64 "\n",
	    s->records, s->events, s->calls, s->specials, s->contexts,
	    s->damaged ? ", DAMAGED behind them" : "", s->checkpoints,
	    s->epochs);
	if (s->events != 0)
		put_times(b, s);
	for (size_t i = 0; i < TABLES; i++)
		put_table(b, tables[i].heading, table(s, i), top);
	for (size_t i = 0; i < SPREADS && s->calls != 0; i++) {
		const struct hist *h = spread(s, i);

		hsa_buf_printf(b,
		    "  %-12s min %" PRIu64 ", median %" PRIu64 ", p99 %" PRIu64
		    ", max %" PRIu64 ", sum %" PRIu64 "\n",
		    spreads[i].heading, h->least, hist_at(h, 500),
		    hist_at(h, 990), h->most, h->sum);
	}
}

/* ---- for programs -------------------------------------------------------- */

static void
json_time(struct hsa_jw *w, const char *key, uint64_t ns)
{
	char t[40];

	hsa_time_rfc3339(t, ns);
	hsa_jw_text(w, key, t);
}

static void
json_rate(struct hsa_jw *w, const char *key, const struct stats_rate *r)
{
	hsa_jw_object(w, key);
	hsa_jw_uint(w, "most", r->most);
	json_time(w, "at", r->most_ns);
	hsa_jw_end(w);
}

static void
json_times(struct hsa_jw *w, const struct stats *s)
{
	json_time(w, "first", s->first_ns);
	json_time(w, "last", s->last_ns);
	hsa_jw_uint(w, "spanNs", s->last_ns - s->first_ns);
	if (s->second.most == 0)
		return;
	json_rate(w, "perSecond", &s->second);
	json_rate(w, "perMinute", &s->minute);
	hsa_jw_uint(w, "gapNs", s->gap_ns);
	hsa_jw_uint(w, "gaps", s->gaps);
	hsa_jw_array(w, "longestGaps");
	for (size_t i = 0; i < STATS_GAPS && s->gap[i].ns != 0; i++) {
		hsa_jw_object(w, NULL);
		hsa_jw_uint(w, "ns", s->gap[i].ns);
		json_time(w, "since", s->gap[i].since_ns);
		hsa_jw_uint(w, "sequence", s->gap[i].sequence);
		hsa_jw_end(w);
	}
	hsa_jw_end(w);
}

static void
json_table(struct hsa_jw *w, const char *key, const struct tally *t)
{
	char others[32];

	hsa_jw_array(w, key);
	for (size_t i = 0; i < t->len; i++) {
		hsa_jw_object(w, NULL);
		hsa_jw_text(w, "name", t->row[i].name);
		hsa_jw_uint(w, "count", t->row[i].n);
		if (t->failed_any)
			hsa_jw_uint(w, "failed", t->row[i].failed);
		if (t->row[i].weight != 0)
			hsa_jw_uint(w, "calls", t->row[i].weight);
		hsa_jw_end(w);
	}
	hsa_jw_end(w);
	if (t->other == 0)
		return;
	(void)snprintf(others, sizeof(others), "%sOthers", key);
	hsa_jw_uint(w, others, t->other);
}

void
stats_json(struct hsa_jw *w, const struct stats *s, const char *name)
{
	hsa_jw_object(w, name == NULL ? "total" : NULL);
	if (name != NULL)
		hsa_jw_text(w, "log", name);
	hsa_jw_bool(w, "damaged", s->damaged);
	hsa_jw_uint(w, "records", s->records);
	hsa_jw_uint(w, "events", s->events);
	hsa_jw_uint(w, "calls", s->calls);
	hsa_jw_uint(w, "specials", s->specials);
	hsa_jw_uint(w, "contexts", s->contexts);
	hsa_jw_uint(w, "checkpoints", s->checkpoints);
	hsa_jw_uint(w, "epochs", s->epochs);
	if (s->events != 0)
		json_times(w, s);
	for (size_t i = 0; i < TABLES; i++)
		json_table(w, tables[i].key, table(s, i));
	for (size_t i = 0; i < SPREADS; i++) {
		const struct hist *h = spread(s, i);

		hsa_jw_object(w, spread_key[i]);
		hsa_jw_uint(w, "count", h->n);
		hsa_jw_uint(w, "min", h->least);
		hsa_jw_uint(w, "median", hist_at(h, 500));
		hsa_jw_uint(w, "p99", hist_at(h, 990));
		hsa_jw_uint(w, "max", h->most);
		hsa_jw_uint(w, "sum", h->sum);
		hsa_jw_end(w);
	}
	hsa_jw_end(w);
}
