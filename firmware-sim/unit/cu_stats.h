/* cu_stats.h - what a unit counts: queries, which leave no record, and the
 * outcome of commands. From 0 at each start. */
#ifndef CU_STATS_H
#define CU_STATS_H
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include "tke_wire.h"

struct hsa_counter;

enum cu_stat {
#define TKE_CMD(NAME, ...) CU_STAT_OK_##NAME, CU_STAT_REFUSED_##NAME,
#include "tke_cmd.def"
#undef TKE_CMD
#define TKE_QUERY(NAME, ...) CU_STAT_QUERY_##NAME,
#include "tke_query.def"
#undef TKE_QUERY
	CU_STAT_QUERY_MODULE_INFO,
	CU_STAT_QUERY_DOMAIN_INFO,
	CU_STAT_QUERY_INFO, /* other get_xcp_info */
	CU_STAT_QUERY_UNKNOWN,
	CU_STAT_KEYSTORE_OK,
	CU_STAT_KEYSTORE_REFUSED,
	CU_STAT_CALL_OK,
	CU_STAT_CALL_REFUSED,
	CU_STAT_CALL_SILENT, /* emission off: success and refusal */
	CU_STAT_UNAUTHORIZED,
	CU_STAT_MALFORMED,
	CU_STAT_UNKNOWN_COMMAND,
	CU_STAT_HALTED,
	CU_STAT_COUNT
};

struct cu_stats {
	_Atomic uint64_t v[CU_STAT_COUNT];
};

/* cu_stat_command(id, ok) - the counter of a command that cu_fsm knows;
 * cu_stat_query(id) - of a query, CU_STAT_QUERY_UNKNOWN for any other. */
enum cu_stat cu_stat_command(uint32_t id, int ok);
enum cu_stat cu_stat_query(uint32_t id);

/* cu_stats_export(to, max, s) - as named counters, at most max; returns their
 * number. Names: "command.admin-add.ok", "query.domain-attributes". */
size_t cu_stats_export(
    struct hsa_counter *to, size_t max, const struct cu_stats *s);

#endif
