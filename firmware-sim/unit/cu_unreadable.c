/* Bytes that are no request: refused before anything of them is known. */
#include "cu_core.h"

#define EVERY_NS UINT64_C(1000000000)

static void
refused(struct cu_unit *u, const struct hsa_caller *caller, const char *text,
    uint64_t requests)
{
	struct cu_state s;
	struct cu_cmd c;

	cu_cmd_begin(&c, u, caller);
	(void)cu_cmd_refuse(&c, HSA_EP11_ARGUMENTS_BAD, 0);
	c.text = text;
	c.requests = requests;
	/* one that cannot be sealed halts the unit */
	(void)!hsa_is_ok(cu_command_run(&c, &s));
	cu_cmd_free(&c);
}

/* How many a record would stand for now, 0: it is not time. */
static uint64_t
due(struct cu_unit *u, uint64_t now, bool one_more)
{
	uint64_t n = 0;

	(void)pthread_mutex_lock(&u->view);
	u->unreadable += one_more ? 1 : 0;
	if (!one_more || now >= u->unreadable_next) {
		n = u->unreadable;
		u->unreadable = 0;
		u->unreadable_next = now + EVERY_NS;
	}
	(void)pthread_mutex_unlock(&u->view);
	return n;
}

void
cu_unit_unreadable(
    struct cu_unit *u, const struct hsa_caller *caller, const char *text)
{
	uint64_t n = due(u, u->clock->mono_ns(u->clock->ctx), true);

	if (n > 0)
		refused(u, caller, text, n);
}

void
cu_unreadable_rest(struct cu_unit *u)
{
	char id[] = "unknown";
	const struct hsa_caller nobody = {.initiator.id = id};
	uint64_t n = due(u, 0, false);

	if (n > 0)
		refused(u, &nobody, "bytes that are no request", n);
}
