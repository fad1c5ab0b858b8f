/*
 * helper_val.h - events for the rules across events: each good by itself, of
 * units and keys by number, with the members that a test gives.
 */
#ifndef HELPER_VAL_H
#define HELPER_VAL_H
#include "hsa_buf.h"
#include "val_run.h"

#define HV_SECOND 100 /* ticks of hv_event.time */

struct hv_event {
	enum hsa_action action;
	unsigned int target; /* number of the unit, or of the key */
	uint32_t status;     /* 0: 200; 202 is pending */
	uint64_t time;       /* ticks of 10 ms since the beginning of 2026 */
	uint64_t id;         /* of the event; 0: it has none */
	const char *request, *response; /* members without braces; or NULL */
};

/* hv_event(b, e) - appended to b, without a newline. */
void hv_event(struct hsa_buf *b, const struct hv_event *e);
/* hv_id(n) - 64 hex digits; of eight calls the text stays. */
const char *hv_id(uint64_t n);

/* What a run found: "E11 responseData.adminIds; ". */
struct hv_found {
	char text[4096];
	unsigned int findings;
};
/* hv_run(v, f) - v, zeroed: strict, with rules across events, telling f. */
void hv_run(struct val_run *v, struct hv_found *f);

/* A run with a clock. hv_begin(h) - nothing seen; repeatable. hv_tell(h, ...) -
 * an event, ten seconds after the one before. */
struct hv {
	struct val_run run;
	struct hv_found found;
	uint64_t time, id;
};
void hv_begin(struct hv *h);
void hv_tell(struct hv *h, enum hsa_action action, unsigned int target,
    uint32_t status, const char *request, const char *response);

#endif
