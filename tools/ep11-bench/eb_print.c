#include <jansson.h>
#include <stdio.h>

#include "eb_print.h"

static double
percent(const struct eb_result *r)
{
	return 100 * r->added_ns / r->off_ns;
}

int
eb_print_text(const struct eb_result *r, size_t n, const struct eb_plan *plan)
{
	(void)printf("%u caller%s, %u rounds of interleaved slices; ns per "
		     "operation, medians\n\n"
		     "%-20s %9s %9s %7s %9s %10s %10s %8s %9s\n",
	    plan->threads, plan->threads == 1 ? "" : "s", plan->rounds,
	    "operation", "direct", "off", "off/dir", "socket", "sealed",
	    "added", "added %", "sealed/s");
	for (size_t i = 0; i < n; i++) {
		(void)printf("%-20s ", r[i].what->name);
		if (r[i].has_raw)
			(void)printf("%9.0f %9.0f %7.3f", r[i].raw_ns,
			    r[i].off_ns, r[i].ratio);
		else
			(void)printf("%9s %9.0f %7s", "-", r[i].off_ns, "-");
		if (r[i].has_socket)
			(void)printf(" %9.0f", r[i].socket_ns);
		else
			(void)printf(" %9s", "-");
		(void)printf(" %10.0f %10.0f %8.0f %9.0f\n", r[i].sealed_ns,
		    r[i].added_ns, percent(&r[i]), r[i].sealed_per_s);
	}
	(void)printf(
	    "\ndirect: the token's own Cryptoki call; off: through the crypto "
	    "unit, no event;\nsocket: off, over a unix socket; sealed: the "
	    "reply leaves when its event is on\nstable storage\n");
	return fflush(stdout) == 0 && !ferror(stdout);
}

int
eb_print_json(const struct eb_result *r, size_t n, const struct eb_plan *plan)
{
	json_t *list = json_array(), *all = NULL;
	int good = list != NULL;

	for (size_t i = 0; good && i < n; i++) {
		json_t *o = json_pack(
		    "{s:s, s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:I}",
		    "name", r[i].what->name, "what", r[i].what->what, "off_ns",
		    r[i].off_ns, "off_p99_ns", r[i].off_p99, "sealed_ns",
		    r[i].sealed_ns, "sealed_p99_ns", r[i].sealed_p99,
		    "added_ns", r[i].added_ns, "added_percent", percent(&r[i]),
		    "off_per_s", r[i].off_per_s, "sealed_per_s",
		    r[i].sealed_per_s, "calls", (json_int_t)r[i].calls);

		good = o != NULL;
		if (good && r[i].has_raw)
			good = json_object_set_new(o, "direct_ns",
				   json_real(r[i].raw_ns)) == 0 &&
			       json_object_set_new(o, "off_to_direct",
				   json_real(r[i].ratio)) == 0;
		if (good && r[i].has_socket)
			good = json_object_set_new(o, "socket_ns",
				   json_real(r[i].socket_ns)) == 0;
		good = good && json_array_append(list, o) == 0;
		json_decref(o);
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
