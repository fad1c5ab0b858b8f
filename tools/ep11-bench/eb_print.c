#include <jansson.h>
#include <stdio.h>

#include "eb_print.h"

static const char *const name_of[EB_WAYS] = {
    [EB_DIRECT] = "direct",
    [EB_OFF] = "off",
    [EB_SOCKET] = "socket",
    [EB_RING] = "ring",
    [EB_LTTNG] = "lttng",
    [EB_TRACE] = "trace",
    [EB_SEALED] = "sealed",
    [EB_BARE] = "bare",
};

static double
percent(const struct eb_result *r, enum eb_way way)
{
	return 100 * r->way[way].added / r->way[EB_OFF].ns;
}

/* ---- for people ---------------------------------------------------------- */

static void
number(bool has, int digits, int width, double v)
{
	char text[32] = "-";

	if (has)
		(void)snprintf(text, sizeof(text), "%.*f", digits, v);
	(void)printf(" %*s", width, text);
}

static void
row(const struct eb_result *r)
{
	const struct eb_figures *w = r->way;

	(void)printf("%-19s", r->what->name);
	number(w[EB_DIRECT].has, 0, 8, w[EB_DIRECT].ns);
	number(true, 0, 8, w[EB_OFF].ns);
	number(w[EB_DIRECT].has, 3, 7, r->off_to_direct);
	number(w[EB_SOCKET].has, 0, 8, w[EB_SOCKET].ns);
	number(true, 0, 8, w[EB_RING].added);
	number(true, 2, 7, percent(r, EB_RING));
	number(r->has_lost, 1, 6, r->ring_lost);
	number(r->has_lost, 1, 6, r->ring_cpu);
	number(w[EB_LTTNG].has, 0, 7, w[EB_LTTNG].added);
	number(w[EB_TRACE].has, 0, 7, w[EB_TRACE].added);
	number(true, 0, 10, w[EB_SEALED].added);
	number(true, 0, 9, w[EB_SEALED].per_s);
	number(w[EB_BARE].has, 0, 9, w[EB_BARE].per_s);
	number(w[EB_BARE].has, 3, 7, r->sealed_to_bare);
	(void)putchar('\n');
}

int
eb_print_text(const struct eb_result *r, size_t n, const struct eb_plan *plan)
{
	(void)printf("%u caller%s, %u rounds of interleaved slices; ns per "
		     "operation, medians\n\n"
		     "%-19s %8s %8s %7s %8s %8s %7s %6s %6s %7s %7s %10s "
		     "%9s %9s "
		     "%7s\n",
	    plan->threads, plan->threads == 1 ? "" : "s", plan->rounds,
	    "operation", "direct", "off", "off/dir", "socket", "+ring",
	    "+ring%", "lost%", "cpu%", "+lttng", "+trace", "+sealed",
	    "sealed/s", "bare/s", "of bare");
	for (size_t i = 0; i < n; i++)
		row(&r[i]);
	(void)printf(
	    "\ndirect: the token's own Cryptoki call; off: through the crypto "
	    "unit, no event;\nsocket: off, over a unix socket; +ring, +lttng, "
	    "+sealed: added to off when the\nevent is in the ring, in a "
	    "blocking LTTng-UST buffer instead (+trace: the fields\nof a "
	    "compact "
	    "record alone), on stable storage; lost%%, cpu%%: throughput, and "
	    "processor\ntime of all threads, until the ring is empty again; "
	    "bare: "
	    "off, and as many bytes by\na write and fdatasync that all callers "
	    "share\n");
	return fflush(stdout) == 0 && !ferror(stdout);
}

/* ---- for programs -------------------------------------------------------- */

static bool
set(json_t *o, const char *prefix, const char *suffix, double v)
{
	char key[48];

	(void)snprintf(key, sizeof(key), "%s%s", prefix, suffix);
	return json_object_set_new(o, key, json_real(v)) == 0;
}

static bool
figures(json_t *o, const struct eb_result *r)
{
	bool good = true;

	for (int i = 0; i < EB_WAYS && good; i++) {
		const struct eb_figures *f = &r->way[i];
		const char *name = name_of[i];

		if (!f->has)
			continue;
		good = set(o, name, "_ns", f->ns) &&
		       set(o, name, "_p99_ns", f->p99) &&
		       set(o, name, "_per_s", f->per_s);
		if (good && i != EB_DIRECT && i != EB_OFF)
			good = set(o, name, "_added_ns", f->added) &&
			       set(o, name, "_added_percent",
				   percent(r, (enum eb_way)i));
	}
	return good;
}

static json_t *
object(const struct eb_result *r)
{
	json_t *o = json_pack("{s:s, s:s, s:I}", "name", r->what->name, "what",
	    r->what->what, "calls", (json_int_t)r->calls);
	bool good = o != NULL && figures(o, r);

	if (good && r->way[EB_DIRECT].has)
		good = set(o, "off_to_direct", "", r->off_to_direct);
	if (good && r->way[EB_LTTNG].has)
		good = set(o, "ring_to_lttng", "", r->ring_to_lttng);
	if (good && r->has_lost)
		good = set(o, "ring_lost_percent", "", r->ring_lost) &&
		       set(o, "ring_cpu_percent", "", r->ring_cpu);
	if (good && r->way[EB_BARE].has)
		good = set(o, "sealed_to_bare", "", r->sealed_to_bare) &&
		       set(o, "bytes_per_call", "", r->bytes);
	if (good)
		return o;
	json_decref(o);
	return NULL;
}

int
eb_print_json(const struct eb_result *r, size_t n, const struct eb_plan *plan)
{
	json_t *list = json_array(), *all = NULL;
	int good = list != NULL;

	for (size_t i = 0; good && i < n; i++) {
		json_t *o = object(&r[i]);

		good = o != NULL && json_array_append_new(list, o) == 0;
	}
	if (good)
		all = json_pack("{s:i, s:i, s:i, s:O}", "threads",
		    (int)plan->threads, "rounds", (int)plan->rounds, "slice_us",
		    (int)plan->slice_us, "results", list);
	good = all != NULL &&
	       json_dumpf(
		   all, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6)) == 0 &&
	       putchar('\n') != EOF && fflush(stdout) == 0;
	json_decref(all);
	json_decref(list);
	return good;
}
