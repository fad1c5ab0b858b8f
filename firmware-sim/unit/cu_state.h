/*
 * cu_state.h - what a crypto unit remembers. A plain value without pointers:
 * a command works on a copy, and the copy replaces the original once the
 * command's event is sealed, so that a failure anywhere leaves the original.
 */
#ifndef CU_STATE_H
#define CU_STATE_H
#include <stddef.h>
#include <stdint.h>
#include "cu_backend.h"
#include "ep11_cp.h"
#include "tke_wire.h"

#define CU_ADMINS_MAX 8
#define CU_ADMIN_CERT_MAX 4096u /* bytes of an administrator's certificate */
#define CU_UNIT_ID_LEN 16
#define CU_SERIAL_LEN 8
#define CU_INSTANCE_LEN 8 /* of the module */

struct cu_admin {
	uint8_t ski[TKE_SKI_LEN];
	uint8_t cert[CU_ADMIN_CERT_MAX]; /* as it came, unchanged */
	size_t cert_len;
};

enum cu_fill {
	CU_EMPTY = 0,
	CU_UNCOMMITTED, /* new register only */
	CU_COMMITTED,   /* new register only */
	CU_VALID        /* current register only */
};

struct cu_register {
	enum cu_fill fill;
	struct cu_key_id key;
	uint8_t pattern[32];
	uint8_t part_id[CU_PARTS_MAX][32];
	size_t part_len;
};

struct cu_state {
	uint8_t unit_id[CU_UNIT_ID_LEN];
	uint8_t serial[CU_SERIAL_LEN];
	uint8_t module_instance[CU_INSTANCE_LEN];
	uint32_t domain_instance;
	uint8_t counter[TKE_COUNTER_LEN];
	struct tke_attributes attr; /* standards: what the points below meet */
	uint8_t control_points[EP11_CP_LEN];
	struct cu_admin admin[CU_ADMINS_MAX]; /* in order of installation */
	size_t admin_len;
	struct cu_register pending, current;
	struct cu_key_id importer;
	enum tke_importer_kind importer_kind; /* when importer.set */
	uint64_t epoch;                       /* 0: never started */
	uint64_t outbox_last; /* source sequence given out last */
};

/* cu_state_init(s) - imprint mode, defaults, registers empty; identity,
 * instances and counter are the caller's. */
void cu_state_init(struct cu_state *s);

/* cu_state_zeroize(s) - what Zeroize Domain leaves: as cu_state_init, under
 * the next domain instance; identity, counter, epoch and outbox stay. */
void cu_state_zeroize(struct cu_state *s);

/* cu_state_admin(s, ski) - index of the administrator, or admin_len. */
size_t cu_state_admin(const struct cu_state *s, const uint8_t ski[TKE_SKI_LEN]);

/* cu_state_keep(s, id) - ids of the token objects that s names; room for
 * three; returns their number. */
#define CU_OBJECTS_MAX 3
size_t cu_state_keep(
    const struct cu_state *s, struct cu_key_id id[CU_OBJECTS_MAX]);

struct cu_object {
	enum cu_object_class cls;
	struct cu_key_id id;
};
/* cu_state_lost(out, before, after) - objects that before names and after
 * does not; returns their number. Swapped: the objects that were made. */
size_t cu_state_lost(struct cu_object out[CU_OBJECTS_MAX],
    const struct cu_state *before, const struct cu_state *after);

/* cu_fill_text(f) - "Empty", "Full Uncommitted", "Full Committed", "Valid" */
const char *cu_fill_text(enum cu_fill f);

#endif
