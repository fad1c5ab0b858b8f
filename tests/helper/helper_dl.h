/*
 * helper_dl.h - libep11.so.4 as a program sees it that knows nothing of this
 * project: PKCS #11's types, prototypes of its own, dlopen.
 */
#ifndef HELPER_DL_H
#define HELPER_DL_H
#include <p11-kit-1/p11-kit/pkcs11.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "helper_daemon.h"

#define VENDOR 0x80000000UL
#define IBM_TRANSPORTKEY (VENDOR + 0x20005UL)
#define IBM_TARGET_INVALID (VENDOR + 0x10030UL)
#define BLOB 16384
#define STATE 12288

typedef uint64_t target_t;
typedef unsigned char uc;

struct module {
	uint32_t version;
	uint64_t flags;
	uint32_t domains;
	uc domainmask[32];
	struct {
		char host[257];
		uint32_t port;
	} socket;
	uint32_t module_nr;
	void *mhandle;
	unsigned int lastperf[256];
	uint32_t api;
};

struct admresp {
	uint32_t fn, domain, domainInst;
	uc module[16], modNr[8], modInst[8], tctr[16];
	CK_RV rv;
	uint32_t reason;
	const uc *payload;
	size_t pllen;
};

struct dl {
	int (*init)(void);
	int (*shutdown)(void);
	int (*add_module)(struct module *, target_t *);
	int (*rm_module)(struct module *, target_t);
	CK_RV (*info)(void *, CK_ULONG *, unsigned int, unsigned int, target_t);
	CK_RV(*admin)
	(uc *, size_t *, uc *, size_t *, const uc *, size_t, const uc *, size_t,
	    target_t);
	long (*queryblock)(
	    uc *, size_t, unsigned int, target_t, const uc *, size_t);
	long (*internal_rv)(const uc *, size_t, struct admresp *, CK_RV *);
	CK_RV(*login)
	(uc *, CK_ULONG, const uc *, size_t, uc *, size_t *, target_t);
	CK_RV (*logout)(const uc *, size_t, target_t);
	CK_RV (*random)(uc *, CK_ULONG, target_t);
	CK_RV (*digest_init)(uc *, size_t *, CK_MECHANISM *, target_t);
	CK_RV(*digest)
	(const uc *, size_t, uc *, CK_ULONG, uc *, CK_ULONG *, target_t);
	CK_RV (*digest_update)(uc *, size_t, uc *, CK_ULONG, target_t);
	CK_RV (*digest_final)(const uc *, size_t, uc *, CK_ULONG *, target_t);
	CK_RV(*digest_single)
	(CK_MECHANISM *, uc *, CK_ULONG, uc *, CK_ULONG *, target_t);
	CK_RV(*encrypt_init)
	(uc *, size_t *, CK_MECHANISM *, const uc *, size_t, target_t);
	CK_RV(*encrypt_update)
	(uc *, size_t, uc *, CK_ULONG, uc *, CK_ULONG *, target_t);
	CK_RV (*encrypt_final)(const uc *, size_t, uc *, CK_ULONG *, target_t);
	CK_RV(*encrypt_single)
	(const uc *, size_t, CK_MECHANISM *, uc *, CK_ULONG, uc *, CK_ULONG *,
	    target_t);
	CK_RV(*decrypt_single)
	(const uc *, size_t, CK_MECHANISM *, uc *, CK_ULONG, uc *, CK_ULONG *,
	    target_t);
	CK_RV(*sign_single)
	(const uc *, size_t, CK_MECHANISM *, uc *, CK_ULONG, uc *, CK_ULONG *,
	    target_t);
	CK_RV(*verify_single)
	(const uc *, size_t, CK_MECHANISM *, uc *, CK_ULONG, uc *, CK_ULONG,
	    target_t);
	CK_RV(*generate)
	(CK_MECHANISM *, CK_ATTRIBUTE *, CK_ULONG, const uc *, size_t, uc *,
	    size_t *, uc *, size_t *, target_t);
	CK_RV(*pair)
	(CK_MECHANISM *, CK_ATTRIBUTE *, CK_ULONG, CK_ATTRIBUTE *, CK_ULONG,
	    const uc *, size_t, uc *, size_t *, uc *, size_t *, target_t);
	CK_RV(*unwrap)
	(uc *, CK_ULONG, const uc *, size_t, const uc *, size_t, const uc *,
	    size_t, CK_MECHANISM *, CK_ATTRIBUTE *, CK_ULONG, uc *, size_t *,
	    uc *, CK_ULONG *, target_t);
	CK_RV(*mech_list)
	(CK_SLOT_ID, CK_MECHANISM_TYPE *, CK_ULONG *, target_t);
	CK_RV(*mech_info)
	(CK_SLOT_ID, CK_MECHANISM_TYPE, CK_MECHANISM_INFO *, target_t);
	CK_RV(*attr_get)
	(const uc *, size_t, CK_ATTRIBUTE *, CK_ULONG, target_t);
	CK_RV (*attr_set)(uc *, size_t, CK_ATTRIBUTE *, CK_ULONG, target_t);
};
extern struct dl m;

/* These prototypes take literals without const; nothing writes to them. */
#define S(text) ((uc *)(uintptr_t)(text))

/*
 * dl_start(d, t) - an installation whose units hold one master key, served;
 * the library of the build loaded and initialised; t: a target for
 * operational-1 alone. false: said why. dl_stop(d) - all of it.
 * dl_load() - the library alone, not initialised.
 * dl_add(d, t, unit, flags) - as openCryptoki makes targets: by module number
 * and domain bit.
 */
bool dl_start(struct hd *d, target_t *t);
void dl_stop(struct hd *d);
bool dl_load(void);
bool dl_add(const struct hd *d, target_t *t, const char *unit, uint64_t flags);

#endif
