#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hsa_event.h"
#include "hsa_hash.h"
#include "val_check.h"
#include "val_envelope.h"
#include "val_json.h"
#include "val_time.h"

#define NS 1000000000u
#define WHOLE ((uint64_t)1 << 53) /* what JSON carries without loss */

void
val_envelope_of(struct val_envelope *to, const struct hsa_record *r)
{
	*to = (struct val_envelope){
	    .epoch = r->epoch,
	    .sequence = r->sequence,
	    .source = r->source,
	    .source_sequence = r->source_sequence,
	    .wall_ns = r->wall_ns,
	    .mono_ns = r->mono_ns,
	    .ep11_rc = r->ep11_rc,
	    .ep11_reason = r->ep11_reason,
	    .has_command_id = r->has_command_id,
	    .special = r->body != HSA_BODY_EVENT,
	};
	memcpy(to->unit_id, r->unit_id, sizeof(to->unit_id));
	memcpy(to->command_id, r->command_id, sizeof(to->command_id));
	if (r->body == HSA_BODY_SPECIAL && r->special.name != NULL)
		(void)snprintf(
		    to->name, sizeof(to->name), "%s", r->special.name);
}

/* ---- from JSON ----------------------------------------------------------- */

struct from {
	const struct val_json *j;
	const struct val_node *at; /* the object whose members are read */
	const char *path;          /* of it, with a dot */
	struct val_report *r;
};

static const struct val_node *
body(const struct val_json *j, const char *name)
{
	const struct val_node *n = val_member(j, &j->node[0], name);

	return n != NULL && n->kind == VAL_OBJECT ? n : NULL;
}

bool
val_envelope_is(const struct val_json *j, bool *event)
{
	const struct val_node *root = &j->node[0];

	*event = false;
	if (root->kind != VAL_OBJECT ||
	    val_member(j, root, "sequence") == NULL ||
	    val_member(j, root, "source") == NULL)
		return false;
	*event = body(j, "event") != NULL;
	return *event || body(j, "special") != NULL ||
	       body(j, "context") != NULL;
}

/* The member; NULL, told when it is demanded: there is none. */
static const struct val_node *
member(const struct from *f, const char *name, bool demanded)
{
	const struct val_node *n = val_member(f->j, f->at, name);
	char path[32];

	if (n == NULL && demanded) {
		(void)snprintf(path, sizeof(path), "%s%s", f->path, name);
		val_find_at(f->r, VAL_E36, path,
		    "is missing; every record has it around its event");
	}
	return n;
}

static uint64_t
number(const struct from *f, const char *name, bool demanded, uint64_t max)
{
	const struct val_node *n = member(f, name, demanded);
	int64_t v = 0;

	if (n == NULL)
		return 0;
	if (val_integer(f->j, n, &v) && v >= 0 && (uint64_t)v <= max)
		return (uint64_t)v;
	val_find(f->r, VAL_E36, f->j, n,
	    "of a record must be an integer from 0 to %" PRIu64, max);
	return 0;
}

static bool
uuid(const struct from *f, const char *name, bool demanded, uint8_t to[16])
{
	const struct val_node *n = member(f, name, demanded);

	if (n == NULL)
		return false;
	if (n->kind == VAL_TEXT &&
	    hsa_is_ok(hsa_uuid_parse(to, val_text(f->j, n))))
		return true;
	val_find(f->r, VAL_E36, f->j, n, "of a record must be a UUID");
	return false;
}

static uint64_t
digits(const char *s, size_t n)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < n; i++)
		v = v * 10 + (uint64_t)(s[i] - '0');
	return v;
}

/* "2025-11-22T10:42:07.310123456Z", as a record's time is written. */
static bool
wall(uint64_t *ns, const char *s)
{
	struct hsa_time t;

	return val_time_read(&t, s) && t.fraction == 9 &&
	       strcmp(t.offset, "Z") == 0 && val_time_ns(ns, &t);
}

/* "123.000000456" */
static bool
boot(uint64_t *ns, const char *s)
{
	size_t n = strspn(s, "0123456789");
	uint64_t seconds, part;

	if (n < 1 || n > 11 || s[n] != '.' ||
	    strspn(s + n + 1, "0123456789") != 9 || s[n + 10] != '\0')
		return false;
	seconds = digits(s, n);
	part = digits(s + n + 1, 9);
	*ns = seconds * NS + part;
	return seconds <= (UINT64_MAX - part) / NS;
}

static uint64_t
when(const struct from *f, const char *name,
    bool (*read)(uint64_t *ns, const char *s), const char *form)
{
	const struct val_node *n = member(f, name, true);
	uint64_t ns = 0;

	if (n == NULL || (n->kind == VAL_TEXT && read(&ns, val_text(f->j, n))))
		return ns;
	val_find(f->r, VAL_E36, f->j, n, "of a record has the form %s", form);
	return 0;
}

static uint64_t
source(const struct from *f)
{
	static const char *const names[] = {
	    [HSA_SOURCE_OUTBOX] = "outbox",
	    [HSA_SOURCE_USE] = "use",
	    [HSA_SOURCE_SEALER] = "sealer",
	};
	const struct val_node *n = member(f, "source", true);
	size_t i;

	for (i = 1; i < sizeof(names) / sizeof(names[0]); i++)
		if (val_is(f->j, n, names[i]))
			return i;
	val_find(
	    f->r, VAL_E36, f->j, n, "of a record is outbox, use or sealer");
	return 0;
}

static void
codes(struct val_envelope *to, const struct from *f)
{
	const struct val_node *n = val_member(f->j, f->at, "ep11");
	const struct from in = {f->j, n, "ep11.", f->r};

	if (n == NULL)
		return;
	if (n->kind != VAL_OBJECT) {
		val_find(f->r, VAL_E36, f->j, n, "of a record is an object");
		return;
	}
	to->ep11_rc = (uint32_t)number(&in, "rc", true, UINT32_MAX);
	to->ep11_reason = (uint32_t)number(&in, "reason", false, UINT32_MAX);
}

static void
no_event(struct val_envelope *to, const struct from *f)
{
	const struct val_node *n = body(f->j, "special");

	to->special = true;
	if (n == NULL) /* a context */
		return;
	n = val_member(f->j, n, "name");
	if (n != NULL && n->kind == VAL_TEXT && n->text_len > 0)
		(void)snprintf(
		    to->name, sizeof(to->name), "%s", val_text(f->j, n));
	else
		val_find_at(f->r, VAL_E36, "special.name",
		    "is missing; a special record has a name");
}

void
val_envelope_unwrap(
    struct val_envelope *to, struct val_json *j, struct val_report *r)
{
	const struct from f = {j, &j->node[0], "", r};
	const struct val_node *n;

	*to = (struct val_envelope){0};
	(void)uuid(&f, "unit", true, to->unit_id);
	to->sequence = number(&f, "sequence", true, WHOLE);
	to->epoch = number(&f, "epoch", true, WHOLE);
	to->wall_ns = when(&f, "time", wall, "2025-11-22T10:42:07.310123456Z");
	to->mono_ns = when(&f, "bootTime", boot, "123.000000456");
	to->source = source(&f);
	to->source_sequence = number(&f, "sourceSequence", true, WHOLE);
	to->has_command_id = uuid(&f, "commandId", false, to->command_id);
	codes(to, &f);
	n = body(j, "event");
	if (n == NULL)
		no_event(to, &f);
	else
		val_json_root(j, (size_t)(n - j->node));
}
