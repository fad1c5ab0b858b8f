#include <string.h>

#include "cu_stats.h"
#include "hsa_unit.h"

/* The word in the middle is a name of tke_cmd.def or tke_query.def and is
 * shown in lower case with dashes. */
static const struct {
	const char *before, *name, *after;
} names[CU_STAT_COUNT] = {
#define TKE_CMD(NAME, ...)                                                     \
	[CU_STAT_OK_##NAME] = {"command.", #NAME, ".ok"},                      \
	[CU_STAT_REFUSED_##NAME] = {"command.", #NAME, ".refused"},
#include "tke_cmd.def"
#undef TKE_CMD
#define TKE_QUERY(NAME, ...) [CU_STAT_QUERY_##NAME] = {"query.", #NAME, ""},
#include "tke_query.def"
#undef TKE_QUERY
    [CU_STAT_QUERY_MODULE_INFO] = {"query.", "MODULE_INFO", ""},
    [CU_STAT_QUERY_DOMAIN_INFO] = {"query.", "DOMAIN_INFO", ""},
    [CU_STAT_QUERY_INFO] = {"query.", "INFO", ""},
    [CU_STAT_QUERY_UNKNOWN] = {"query.", "UNKNOWN", ""},
    [CU_STAT_KEYSTORE_OK] = {"", "KEYSTORE", ".ok"},
    [CU_STAT_KEYSTORE_REFUSED] = {"", "KEYSTORE", ".refused"},
    [CU_STAT_CALL_OK] = {"", "CALL", ".ok"},
    [CU_STAT_CALL_REFUSED] = {"", "CALL", ".refused"},
    [CU_STAT_CALL_SILENT] = {"", "CALL", ".silent"},
    [CU_STAT_UNAUTHORIZED] = {"refused.", "UNAUTHORIZED", ""},
    [CU_STAT_MALFORMED] = {"refused.", "MALFORMED", ""},
    [CU_STAT_UNKNOWN_COMMAND] = {"refused.", "UNKNOWN_COMMAND", ""},
    [CU_STAT_HALTED] = {"refused.", "HALTED", ""},
};

enum cu_stat
cu_stat_command(uint32_t id, int ok)
{
	switch (id) {
#define TKE_CMD(NAME, ...)                                                     \
	case TKE_CMD_##NAME:                                                   \
		return ok ? CU_STAT_OK_##NAME : CU_STAT_REFUSED_##NAME;
#include "tke_cmd.def"
#undef TKE_CMD
	default:
		return CU_STAT_UNKNOWN_COMMAND;
	}
}

enum cu_stat
cu_stat_query(uint32_t id)
{
	switch (id) {
#define TKE_QUERY(NAME, ...)                                                   \
	case TKE_QUERY_##NAME:                                                 \
		return CU_STAT_QUERY_##NAME;
#include "tke_query.def"
#undef TKE_QUERY
	default:
		return CU_STAT_QUERY_UNKNOWN;
	}
}

static void
append(char *to, size_t room, const char *s)
{
	size_t at = strlen(to);

	for (; *s != '\0' && at + 1 < room; s++)
		to[at++] = *s;
	to[at] = '\0';
}

size_t
cu_stats_export(struct hsa_counter *to, size_t max, const struct cu_stats *s)
{
	size_t n = max < CU_STAT_COUNT ? max : CU_STAT_COUNT;
	size_t i = 0;
	char *c = NULL;

	for (i = 0; i < n; i++) {
		char *name = to[i].name;
		size_t word = strlen(names[i].before);

		name[0] = '\0';
		append(name, sizeof(to[i].name), names[i].before);
		append(name, sizeof(to[i].name), names[i].name);
		for (c = name + word; *c != '\0'; c++) {
			if (*c == '_')
				*c = '-';
			else if (*c >= 'A' && *c <= 'Z')
				*c = (char)(*c - 'A' + 'a');
		}
		append(name, sizeof(to[i].name), names[i].after);
		to[i].value =
		    atomic_load_explicit(&s->v[i], memory_order_relaxed);
	}
	return n;
}
