/* host_lib_impl.h - the inside of host_lib.h, for host_lib.c and host_unit.c.
 */
#ifndef HOST_LIB_IMPL_H
#define HOST_LIB_IMPL_H
#include "host_conn.h"
#include "host_embed.h"
#include "host_lib.h"
#include "host_where.h"

#define HOST_UNITS_ALL (~(host_units)0)
#define HOST_FORKED_TEXT                                                       \
	"a crypto unit embedded in a process cannot be used in its child "     \
	"after fork; fix: EP11_UNIT=unix:..., or do not fork"

struct host_unit {
	char *path;
	bool learned;
	uint32_t module, domain;
	struct host_conn *all; /* every open one, idle or in use */
	struct host_conn *idle[HOST_IDLE_MAX];
	size_t idle_len;
};

struct host_lib {
	unsigned int refs; /* under the lock, as are the units' members */
	bool forked;       /* inherited from a parent process */
	bool said;         /* HOST_FORKED_TEXT, on standard error */
	struct host_unit unit[HOST_UNITS_MAX];
	size_t n;
	struct host_embed *embed;
	/* constant after host_lib_open */
	struct hsa_caller caller;
	int timeout_ms;
};

void host_lib_lock(void);
void host_lib_unlock(void);

/* Both with the lock held, or while nobody else knows the unit. */
void host_unit_forked(struct host_unit *u);
void host_unit_free(struct host_unit *u);

#endif
