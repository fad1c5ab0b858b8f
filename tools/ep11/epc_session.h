/*
 * epc_session.h - one run of a verb: options, the unit that it talks to, and
 * what it answers. Calls go through libep11 as any application's do.
 */
#ifndef EPC_SESSION_H
#define EPC_SESSION_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ep11_pkcs11.h"
#include "ep11.h"
#include "epc_attr.h"
#include "epc_cli.h"
#include "epc_file.h"
#include "epc_param.h"
#include "epc_rv.h"
#include "hsa_buf.h"
#include "hsa_call.h"
#include "hsa_err.h"
#include "hsa_json.h"
#include "hsa_ks.h"

struct host_conn;

struct epc_session {
	struct epc_options opt;
	const struct opt_verb *verb;
	struct hsa_diag diag;
	bool up;         /* m_init was called */
	bool facts_only; /* the verb has no output but what it says */
	target_t target;
	struct hsa_buf json; /* of --json: an object that is open */
	struct hsa_jw jw;
	struct host_conn *conn; /* of keystore verbs */
};

/* epc_up(s) - libep11 with a target of all units that --unit or EP11_UNIT
 * names. E_CLOSED when none is within reach (libep11 says on standard error
 * what it tried). */
HSA_MUST_USE hsa_rc epc_up(struct epc_session *s);
void epc_session_close(struct epc_session *s);

/* epc_check(s, rv) - what a call answered: HSA_OK, or an error in words. */
HSA_MUST_USE hsa_rc epc_check(struct epc_session *s, CK_RV rv);

/* epc_key(s, b, path, option) - a key blob from a file; option names what was
 * not given. */
HSA_MUST_USE hsa_rc epc_key(struct epc_session *s, struct hsa_buf *b,
    const char *path, const char *option);
/* epc_room(b, n) - b empty with room for n bytes of a call's output, len set
 * to n for the call to correct. */
HSA_MUST_USE hsa_rc epc_room(struct hsa_buf *b, size_t n);

/*
 * What a verb gives. With --json a verb writes members with s->jw, and the
 * object is printed at the end; otherwise it prints lines.
 * epc_out(s, name, p, n) - the main output: to --out; else with --json as a
 * member in hexadecimal digits; else to standard output, raw or with --hex.
 * epc_out_file(s, name, path, p, n) - a further output to its own file.
 */
HSA_MUST_USE hsa_rc epc_out(
    struct epc_session *s, const char *name, const void *p, size_t n);
HSA_MUST_USE hsa_rc epc_out_file(struct epc_session *s, const char *name,
    const char *path, const void *p, size_t n);
/* epc_say_*(s, name, ...) - a fact beside the output: member of --json, else a
 * line on standard output unless the output itself goes there. */
void epc_say(struct epc_session *s, const char *name, const char *text);
void epc_say_hex(
    struct epc_session *s, const char *name, const void *p, size_t n);
void epc_say_uint(struct epc_session *s, const char *name, uint64_t v);

/*
 * epc_keystore(s, r, q) - one keystore operation on the unit's own socket,
 * with ids and TxID filled in. r: the caller's to free. E_REMOTE when it is
 * refused, E_CLOSED, E_ARG when --unit names no single running unit.
 */
HSA_MUST_USE hsa_rc epc_keystore(
    struct epc_session *s, struct hsa_ks_reply *r, struct hsa_ks_request *q);

#endif
