/* Covers: val_across_event val_across_special val_across_end val_units_parse */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "helper_val.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Eight bytes are an event: action, target, outcome, time, and what its fields
 * have; or a record around it. 0xff as action: another input begins. */
#define STEP 8

static void
must(int holds)
{
	if (!holds)
		abort();
}

static void
take(void *ctx, const struct val_finding *f)
{
	unsigned int *n = ctx;

	must((size_t)f->check < VAL_CHECKS && f->message[0] != '\0');
	(*n)++;
}

static const enum hsa_action actions[] = {HSA_ACTION_TKE_ADMIN_ADD,
    HSA_ACTION_TKE_ADMIN_REMOVE, HSA_ACTION_TKE_THRESHOLD_SET,
    HSA_ACTION_TKE_REGISTER_ADD, HSA_ACTION_TKE_REGISTER_COMMIT,
    HSA_ACTION_TKE_REGISTER_ACTIVATE, HSA_ACTION_TKE_NEW_CLEAR,
    HSA_ACTION_TKE_CURRENT_CLEAR, HSA_ACTION_TKE_RESET,
    HSA_ACTION_SECRETS_CREATE, HSA_ACTION_SECRETS_ENABLE,
    HSA_ACTION_SECRETS_DISABLE, HSA_ACTION_SECRETS_EXPIRE,
    HSA_ACTION_SECRETS_DELETE, HSA_ACTION_SECRETS_RESTORE,
    HSA_ACTION_SECRETS_PURGE, HSA_ACTION_SECRETS_WRAP,
    HSA_ACTION_SECRETS_UNWRAP, HSA_ACTION_SECRETS_READ,
    HSA_ACTION_SECRETS_SETKEYFORDELETION,
    HSA_ACTION_SECRETS_UNSETKEYFORDELETION, HSA_ACTION_SECRETS_LIST};

static void
value(struct hsa_buf *b, uint8_t v)
{
	if (v < 0xc0)
		hsa_buf_printf(b, "\"%s\"", hv_id(v % 12));
	else if (v < 0xe0)
		hsa_buf_printf(b, "%d", v % 12 - 1);
	else
		hsa_buf_str(b, v < 0xe8   ? "null"
			       : v < 0xf0 ? "\"00\""
			       : v < 0xf8 ? "[1]"
					  : "{}");
}

static void
list(struct hsa_buf *b, uint8_t from, uint8_t many)
{
	uint8_t i;

	hsa_buf_str(b, "[");
	for (i = 0; i < many; i++) {
		hsa_buf_str(b, i == 0 ? "" : ",");
		value(b, (uint8_t)(from + i));
	}
	hsa_buf_str(b, "]");
}

/* Every member that a rule asks for, whatever the action. */
static void
members(struct hsa_buf *b, const uint8_t p[4])
{
	hsa_buf_str(b, "\"adminId\":");
	value(b, p[0]);
	hsa_buf_str(b, ",\"adminIds\":");
	list(b, p[1], p[2] % 11);
	hsa_buf_str(b, ",\"masterKeyIds\":");
	list(b, p[2], p[1] % 5);
	hsa_buf_str(b, ",\"verificationPattern\":");
	value(b, p[3]);
	hsa_buf_printf(b,
	    ",\"signatureThreshold\":%d,\"revocationSignatureThreshold\":%d,"
	    "\"keyState\":%d,\"initialValue\":{\"keyState\":%d},"
	    "\"newValue\":{\"keyState\":%d}",
	    p[0] % 11 - 1, p[1] % 11 - 1, p[0] % 8 - 1, p[1] % 8 - 1,
	    p[2] % 8 - 1);
}

/* What is around it; bits of p say how it goes on from the one before. */
static void
around(struct val_envelope *env, const uint8_t p[STEP])
{
	static const char *const names[] = {"UNIT_START", "UNIT_STOP",
	    "CLOCK_STEP", "LOST_EVENTS", "", "SEGMENT_OPENED"};

	memset(env->unit_id, p[1] % 3, sizeof(env->unit_id));
	env->sequence += p[5] < 0xe0 ? 1 : p[5] < 0xf0 ? 0 : p[6];
	env->sequence = p[5] == 0xff ? p[6] : env->sequence;
	env->epoch = p[6] < 0xf0 ? env->epoch + (p[6] >= 0xe0) : p[6] % 4;
	env->source = p[4] % 4;
	env->mono_ns += p[7] * UINT64_C(100000000);
	env->wall_ns = env->mono_ns + (p[7] > 0xe0 ? UINT64_MAX / 2 : p[7]);
	env->mono_ns = p[7] == 0xff ? 0 : env->mono_ns;
	env->special = p[4] >= 0xc0;
	env->has_command_id = p[2] >= 0x40;
	env->command_id[0] = p[2] / 16;
	env->name[0] = '\0';
	if (env->special)
		memcpy(env->name, names[p[0] % 6], strlen(names[p[0] % 6]) + 1);
}

static void
one(struct val_run *v, const uint8_t p[STEP], uint64_t *time,
    struct val_envelope *env)
{
	static const uint32_t status[] = {200, 200, 200, 200, 200, 202, 500, 0};
	struct hsa_buf q = {0}, a = {0}, text = {0};
	struct hv_event e = {.target = p[1] % 9, .status = status[p[2] % 8]};
	struct val_text t = {.envelope = env};

	*time += p[3] < 0xf0 ? p[3] * 8u : 0;
	e.time = p[3] < 0xf8 ? *time : *time / 2;
	e.id = p[3] % 16 == 7 ? 1 : 0;
	e.action = actions[p[0] % (sizeof(actions) / sizeof(actions[0]))];
	members(&q, p + 4);
	members(&a, p + 4);
	e.request = p[2] >= 0xf0 ? NULL : hsa_buf_cstr(&q);
	e.response = p[2] >= 0xe0 ? NULL : hsa_buf_cstr(&a);
	hv_event(&text, &e);
	if (env != NULL)
		around(env, p);
	t.p = text.p;
	t.n = text.len;
	must(hsa_is_ok(val_run_take(v, &t)));
	hsa_buf_free(&q);
	hsa_buf_free(&a);
	hsa_buf_free(&text);
}

/* A list of units: each is found by its name. */
static void
list_of_units(const uint8_t *data, size_t size)
{
	struct val_units u = {0};
	struct hsa_diag diag = {{0}};
	size_t i;
	hsa_rc rc;

	rc = val_units_parse(&u, (const char *)data, size, &diag);
	must(hsa_is_ok(rc) || diag.text[0] != '\0');
	must(u.n <= VAL_UNITS);
	for (i = 0; i < u.n; i++)
		must(val_units_find(&u, "", u.name[i]) == i);
	val_units_free(&u);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct val_run v = {.cfg = {.profile = VAL_IBM_AT}};
	unsigned int findings = 0;
	struct val_envelope env = {.epoch = 1};
	struct val_units units = {.n = 1 + size % 7};
	uint64_t time = 0;
	uint32_t limit;
	size_t i;

	if (size == 0)
		return 0;
	if (data[0] == 0xff) {
		list_of_units(data + 1, size - 1);
		return 0;
	}
	limit = 1 + data[0] % 8;
	v.cfg.strict = (data[0] & 0x80) != 0;
	v.cfg.across = true;
	v.report.take = take;
	v.report.ctx = &findings;
	v.across.targets.limit = limit;
	v.across.fan.units = (data[0] & 0x20) != 0 ? &units : NULL;
	for (i = 1; i + STEP <= size; i += STEP) {
		if (data[i] == 0xff)
			val_across_input(&v.across);
		else
			one(&v, data + i, &time,
			    (data[0] & 0x40) != 0 ? &env : NULL);
		must(v.across.targets.len <= limit &&
		     v.across.targets.cap <= limit);
	}
	must(hsa_is_ok(val_run_end(&v)));
	must(v.across.fan.len == 0);
	val_run_free(&v);
	return 0;
}
