/* Covers: cu_input_read cu_attributes_check cu_fsm_row cu_fsm_need */
#include <stdlib.h>
#include <string.h>

#include "cu_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* First byte: the command; the rest: its input. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const uint8_t zeros[16];
	static struct cu_state s;
	struct cu_input in;
	struct tke_admin_request q = {0};
	const struct cu_fsm_row *row = NULL;
	uint32_t reason = 0, code = 0;

	if (n == 0)
		return 0;
	cu_state_init(&s);
	s.admin_len = 2;
	q.command = p[0];
	q.domain = (struct tke_slice){zeros, 8};
	q.module = (struct tke_slice){zeros, 16};
	q.counter = (struct tke_slice){zeros, 16};
	q.input = (struct tke_slice){p + 1, n - 1};
	cu_input_read(&in, &q, &s);
	if (in.part_len > CU_PARTS_MAX || (in.rc == 0 && in.reason != 0))
		abort();
	/* nothing may claim to be there that does not fill its input */
	if (in.has_pattern && q.input.n != sizeof(in.pattern))
		abort();
	if (in.has_points && q.input.n != sizeof(in.points))
		abort();
	if (in.rc == 0 && q.command == TKE_CMD_WK_IMPORT && in.part_len == 0)
		abort();
	row = cu_fsm_row(q.command, cu_fsm_state(&s));
	if (row != NULL && in.has_attr) {
		code = cu_attributes_check(
		    &reason, &s.attr, &in.attr, s.admin_len);
		if ((code == 0) != (reason == 0))
			abort();
		/* what is allowed leaves a state that can be left again */
		if (code == 0 && (in.attr.signature_threshold > 2 ||
				     (in.attr.signature_threshold > 0 &&
					 in.attr.revocation_threshold == 0)))
			abort();
		(void)cu_fsm_need(row->who, &s.attr, &in.attr);
	}
	return 0;
}
