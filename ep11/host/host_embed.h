/*
 * host_embed.h - a crypto unit inside this process: libcryptounit.so, opened
 * from the folder in which this library lies, or by the loader's path.
 */
#ifndef HOST_EMBED_H
#define HOST_EMBED_H
#include "hsa_err.h"
#include "hsa_unit.h"

struct host_embed;

/*
 * host_embed_open(e, dir, name, diag) - the unit `name`, or NULL: the first, of
 * the installation in dir. E_NOT_FOUND: no such library; E_UNSUPPORTED: it
 * lacks a function; else as cryptounit_open.
 * host_embed_close(e) - NULL-safe; no call may be running.
 */
HSA_MUST_USE hsa_rc host_embed_open(struct host_embed **e, const char *dir,
    const char *name, struct hsa_diag *diag);
void host_embed_close(struct host_embed *e);

/* As cryptounit_request and cryptounit_call. */
HSA_MUST_USE hsa_rc host_embed_request(struct host_embed *e,
    struct hsa_unit_reply *r, const struct hsa_unit_request *q);
void host_embed_call(
    struct host_embed *e, struct hsa_call *c, const struct hsa_caller *who);

#endif
