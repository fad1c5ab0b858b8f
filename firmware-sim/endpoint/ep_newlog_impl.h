/* ep_newlog_impl.h - what ep_newlog's files share. Private to them. */
#ifndef EP_NEWLOG_IMPL_H
#define EP_NEWLOG_IMPL_H
#include <stdbool.h>
#include <stdint.h>
#include "cu_backend.h"
#include "ep_chain.h"
#include "ep_config.h"
#include "ep_newlog.h"
#include "hsa_buf.h"
#include "hsa_chain.h"
#include "slog_survey.h"

struct bk_p11;

struct ep_newlog {
	const struct ep_newlog_options *opt;
	const char *dir;
	struct ep_config *cfg;
	const struct ep_unit_config *me;
	uint8_t id[HSA_UUID_LEN];
	struct hsa_buf folder, log, label, ring, mark;
	struct ep_chain chain;
	struct bk_p11 *bk;
	struct cu_backend backend;
	uint8_t key[32];
	bool new_key; /* made here */
	struct slog_survey s;
	struct hsa_chain c;
	uint64_t epoch;
	int lock;
};

/* ep_newlog_look(j, diag) - what is wrong with the log at hand, and what is
 * lost by it: fills s, c, epoch. E_STATE: a new log is not what helps. */
HSA_MUST_USE hsa_rc ep_newlog_look(struct ep_newlog *j, struct hsa_diag *diag);

#endif
