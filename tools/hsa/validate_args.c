#include <string.h>

#include "log_set.h"
#include "validate_args.h"

/* "E14,W01" */
static bool
disable(bool off[VAL_CHECKS], const char *list)
{
	enum val_check c = 0;
	char id[8];
	size_t n;

	for (;; list += n + 1) {
		n = strcspn(list, ",");
		if (n == 0 || n >= sizeof(id))
			return false;
		memcpy(id, list, n);
		id[n] = '\0';
		if (!val_check_find(&c, id))
			return false;
		off[c] = true;
		if (list[n] == '\0')
			return true;
	}
}

int
validate_args_take(struct validate_args *a, const struct cmd *c, int o)
{
	struct hsa_diag diag = {{0}};

	switch (o) {
	case 'p':
		a->profile = optarg;
		return 1;
	case 's':
		a->strict = true;
		return 1;
	case 'l':
		a->lenient = true;
		return 1;
	case 'n':
		a->private_network = true;
		return 1;
	case '1':
		a->single = true;
		return 1;
	case 'd':
		if (disable(a->off, optarg))
			return 1;
		(void)cmd_usage(c,
		    "no check in %s: hsa validate --checks lists them", optarg);
		return -1;
	case 'k':
		if (hsa_is_ok(log_set_keys(&a->keys, optarg, &diag)))
			return 1;
		(void)cmd_error(c, "%s", diag.text);
		return -1;
	case 'u':
		val_units_free(&a->units);
		if (hsa_is_ok(val_units_load(&a->units, optarg, &diag)))
			return 1;
		(void)cmd_error(c, "--units: %s", diag.text);
		return -1;
	default:
		return 0;
	}
}

bool
validate_args_set(
    const struct validate_args *a, const struct cmd *c, struct val_run *run)
{
	const char *profile = a->profile == NULL ? "ibm-at" : a->profile;

	if (!val_profile_find(&run->cfg.profile, profile)) {
		(void)cmd_usage(c,
		    "no profile %s: ibm-at, at-export, unit or cadf-1.0",
		    profile);
		return false;
	}
	if (a->single && a->units.n != 0) {
		(void)cmd_usage(c, "--single or --units, not both");
		return false;
	}
	if (a->strict && a->lenient) {
		(void)cmd_usage(c, "--strict or --lenient, not both");
		return false;
	}
	run->cfg.strict =
	    a->strict || (!a->lenient && run->cfg.profile != VAL_AT_EXPORT);
	run->cfg.private_network = a->private_network;
	run->cfg.across = !a->single;
	run->across.fan.units = a->units.n == 0 ? NULL : &a->units;
	memcpy(run->report.off, a->off, sizeof(a->off));
	return true;
}

void
validate_args_free(struct validate_args *a)
{
	vfy_keys_free(&a->keys);
	val_units_free(&a->units);
}
