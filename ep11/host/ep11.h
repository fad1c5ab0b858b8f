/*
 * ep11.h - the host library of EP11, libep11.so.4: what an application calls.
 * Names, argument orders, numbers and layouts are those of IBM's EP11 host
 * library, so that a program written for the coprocessor loads this one
 * unchanged (ep11-host-api 3, 4, 5, 15.2). libep11(3) says how calls behave
 * and what differs.
 *
 * Types are PKCS #11's. A program that has its own pkcs11.h includes that
 * first; otherwise p11-kit's is used.
 *
 * Everything may be called from any number of threads. Every function that
 * returns a CK_RV carries out one call on a crypto unit, which leaves one
 * audit event, unless the library refuses its arguments.
 */
#ifndef EP11_H
#define EP11_H
#include <stddef.h>
#include <stdint.h>
#ifndef CKR_OK
#include <p11-kit-1/p11-kit/pkcs11.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* ---- what functions return that return an int ---------------------------- */

#define XCP_OK 0
#define XCP_EINTERNAL (-1)
#define XCP_EARG (-2)
#define XCP_ETARGET (-3)
#define XCP_EMEMORY (-4)
#define XCP_EMUTEX (-5)
#define XCP_EINIT (-6)
#define XCP_EDEVICE (-7)
#define XCP_EGROUP (-8)
#define XCP_ESIZE (-9)
#define XCP_EINVALID (-10)
#define XCP_ERESPONSE (-11)
#define XCP_EAPI (-12)
#define XCP_MOD_EOBSOLETE (-101)
#define XCP_MOD_EVERSION (-102)
#define XCP_MOD_EFLAGS (-103)
#define XCP_MOD_EMODULE (-104)
#define XCP_MOD_EDOMAIN (-105)
#define XCP_MOD_EINIT (-106)
#define XCP_MOD_EPROBE (-107)

/* ---- modules and targets (5) --------------------------------------------- */

typedef uint64_t target_t;

#define XCP_TGT_INIT (~0UL) /* no target yet */

/* Flags that may be or-ed into a target. Capturing is refused with
 * CKR_FUNCTION_NOT_SUPPORTED, as there is no wire request to show; the others
 * change nothing here. */
#define XCP_TGTFL_NO_LOCK 0x01000000UL
#define XCP_TGTFL_CHK_ATTR 0x02000000UL
#define XCP_TGTFL_SET_ACMD 0x04000000UL
#define XCP_TGTFL_NO_SPLIT 0x08000000UL
#define XCP_TGTFL_WCAP 0x10000000UL
#define XCP_TGTFL_WCAP_SQ 0x20000000UL
#define XCP_TGTFL_SET_SCMD 0x40000000UL
#define XCP_TGTFL_API_CHKD 0x80000000UL

typedef struct XCP_ModuleSocket {
	char host[257];
	uint32_t port;
} * XCP_ModuleSocket_t;

typedef struct XCP_DomainPerf {
	unsigned int lastperf[256];
} * XCP_DomainPerf_t;

#define XCP_MOD_VERSION_1 1u
#define XCP_MOD_VERSION_2 2u
#define XCP_MOD_VERSION XCP_MOD_VERSION_2

typedef struct XCP_Module {
	uint32_t version; /* 1: ends before api */
	uint64_t flags;
	uint32_t domains;
	unsigned char domainmask[32]; /* domain 0: top bit of byte 0 */
	struct XCP_ModuleSocket socket;
	uint32_t module_nr;
	void *mhandle;
	struct XCP_DomainPerf perf;
	uint32_t api;
} * XCP_Module_t;

#define XCP_MFL_SOCKET 0x01u
#define XCP_MFL_MODULE 0x02u
#define XCP_MFL_MHANDLE 0x04u
#define XCP_MFL_PERF 0x08u
#define XCP_MFL_VIRTUAL 0x10u
#define XCP_MFL_STRICT 0x20u
#define XCP_MFL_PROBE 0x40u
#define XCP_MFL_ALW_TGT_ADD 0x80u

#define XCPTGTMASK_SET_DOM(mask, domain)                                       \
	((mask)[(domain) / 8] |= (unsigned char)(0x80u >> ((domain) % 8)))

/*
 * m_init() - find the crypto units ($EP11_UNIT, libep11(3)). Again in the same
 * process: nothing happens. XCP_EDEVICE: none was reached, and a line on
 * standard error says what was tried; XCP_EINVALID: $EP11_UNIT or
 * $EP11_INITIATOR cannot be read; XCP_EMEMORY.
 * m_shutdown() - close connections, forget every target. Calls under way end
 * as they would have.
 * m_add_backend(name, port) - XCP_MOD_EOBSOLETE.
 */
int m_init(void);
int m_shutdown(void);
int m_add_backend(const char *name, unsigned int port);

/*
 * m_add_module(m, target) - a new target (*target ~0 or 0), or one unit more
 * for the group that it is. XCP_MFL_MODULE: units of module_nr whose domain is
 * in the mask (an empty mask: any); without it: all units. On return domains,
 * when it was 0, and domainmask say what is there. Errors: XCP_EARG,
 * XCP_ETARGET, XCP_MOD_EVERSION, _EFLAGS (sockets), _EMODULE, _EDOMAIN,
 * _EPROBE, XCP_EINIT before m_init.
 * m_rm_module(m, target) - take m's units, or NULL: all, away from it; a
 * target that has none left is gone.
 */
int m_add_module(XCP_Module_t m, target_t *target);
int m_rm_module(XCP_Module_t m, target_t target);

/* ---- information --------------------------------------------------------- */

/*
 * m_get_xcp_info(out, len, query, sub, target) - query FF000000 to FF000006
 * are answered by the library, numbers in host order; others by the unit.
 */
CK_RV m_get_xcp_info(CK_VOID_PTR out, CK_ULONG_PTR len, unsigned int query,
    unsigned int sub, target_t target);
CK_RV m_GetMechanismList(CK_SLOT_ID slot, CK_MECHANISM_TYPE_PTR list,
    CK_ULONG_PTR count, target_t target);
CK_RV m_GetMechanismInfo(CK_SLOT_ID slot, CK_MECHANISM_TYPE type,
    CK_MECHANISM_INFO_PTR info, target_t target);

/* ---- administration (15.2) ----------------------------------------------- */

#define XCP_SERIALNR_CHARS 8
#define XCP_ADMCTR_BYTES ((size_t)16)
#define XCP_ADM_QUERY 0x10000u
#define XCP_ADM_REENCRYPT 25u

typedef struct XCPadmresp {
	uint32_t fn;
	uint32_t domain;
	uint32_t domainInst;
	unsigned char module[2 * XCP_SERIALNR_CHARS]; /* serial || instance */
	unsigned char modNr[XCP_SERIALNR_CHARS];
	unsigned char modInst[XCP_SERIALNR_CHARS];
	unsigned char tctr[XCP_ADMCTR_BYTES];
	CK_RV rv;
	uint32_t reason;
	const unsigned char *payload; /* inside the response; NULL: none */
	size_t pllen;
} * XCPadmresp_t;

/*
 * m_admin(...) - a command block and its signatures, answered by a response
 * block and its signature. rsp2 may be NULL. CKR_OK whenever the unit
 * answered: what came of the command is in the response.
 */
CK_RV m_admin(unsigned char *rsp1, size_t *rsp1_len, unsigned char *rsp2,
    size_t *rsp2_len, const unsigned char *cmd, size_t cmd_len,
    const unsigned char *sigs, size_t sigs_len, target_t target);

/*
 * xcpa_queryblock(out, room, fn, domain, payload, n) - a query; domain: module
 * << 32 | domain. xcpa_cmdblock(out, room, fn, info, counter, payload, n) - a
 * command; domain, its instance and module from info; counter NULL: an empty
 * field. Queries and re-encipher (25) name neither module nor instance.
 * Both: bytes written, or with out NULL the bytes needed. XCP_EARG, XCP_ESIZE.
 * xcpa_internal_rv(rsp, n, info, rv) - take a response block apart. 0, or
 * XCP_ERESPONSE with info untouched; XCP_EARG.
 */
long xcpa_queryblock(unsigned char *out, size_t room, unsigned int fn,
    target_t domain, const unsigned char *payload, size_t n);
long xcpa_cmdblock(unsigned char *out, size_t room, unsigned int fn,
    const struct XCPadmresp *info, const unsigned char *counter,
    const unsigned char *payload, size_t n);
long xcpa_internal_rv(
    const unsigned char *rsp, size_t n, struct XCPadmresp *info, CK_RV *rv);

/* ---- logins (14) --------------------------------------------------------- */

CK_RV m_Login(CK_UTF8CHAR_PTR pin, CK_ULONG pin_len, const unsigned char *nonce,
    size_t nonce_len, unsigned char *pinblob, size_t *pinblob_len,
    target_t target);
CK_RV m_Logout(const unsigned char *pinblob, size_t n, target_t target);
CK_RV m_LoginExtended(CK_UTF8CHAR_PTR pin, CK_ULONG pin_len,
    const unsigned char *nonce, size_t nonce_len, const unsigned char *xstruct,
    size_t xstruct_len, unsigned char *pinblob, size_t *pinblob_len,
    target_t target);
CK_RV m_LogoutExtended(CK_UTF8CHAR_PTR pin, CK_ULONG pin_len,
    const unsigned char *nonce, size_t nonce_len, const unsigned char *xstruct,
    size_t xstruct_len, target_t target);

/* ---- random, digests ----------------------------------------------------- */

CK_RV m_GenerateRandom(CK_BYTE_PTR out, CK_ULONG n, target_t target);
CK_RV m_SeedRandom(CK_BYTE_PTR seed, CK_ULONG n, target_t target);
CK_RV m_DigestInit(unsigned char *state, size_t *state_len,
    CK_MECHANISM_PTR mech, target_t target);
CK_RV m_Digest(const unsigned char *state, size_t state_len, CK_BYTE_PTR data,
    CK_ULONG n, CK_BYTE_PTR digest, CK_ULONG_PTR digest_len, target_t target);
CK_RV m_DigestUpdate(unsigned char *state, size_t state_len, CK_BYTE_PTR data,
    CK_ULONG n, target_t target);
CK_RV m_DigestKey(unsigned char *state, size_t state_len,
    const unsigned char *key, size_t key_len, target_t target);
CK_RV m_DigestFinal(const unsigned char *state, size_t state_len,
    CK_BYTE_PTR digest, CK_ULONG_PTR digest_len, target_t target);
CK_RV m_DigestSingle(CK_MECHANISM_PTR mech, CK_BYTE_PTR data, CK_ULONG n,
    CK_BYTE_PTR digest, CK_ULONG_PTR digest_len, target_t target);

/* ---- encryption ---------------------------------------------------------- */

CK_RV m_EncryptInit(unsigned char *state, size_t *state_len,
    CK_MECHANISM_PTR mech, const unsigned char *key, size_t key_len,
    target_t target);
CK_RV m_DecryptInit(unsigned char *state, size_t *state_len,
    CK_MECHANISM_PTR mech, const unsigned char *key, size_t key_len,
    target_t target);
CK_RV m_Encrypt(const unsigned char *state, size_t state_len, CK_BYTE_PTR in,
    CK_ULONG n, CK_BYTE_PTR out, CK_ULONG_PTR out_len, target_t target);
CK_RV m_Decrypt(const unsigned char *state, size_t state_len, CK_BYTE_PTR in,
    CK_ULONG n, CK_BYTE_PTR out, CK_ULONG_PTR out_len, target_t target);
CK_RV m_EncryptUpdate(unsigned char *state, size_t state_len, CK_BYTE_PTR in,
    CK_ULONG n, CK_BYTE_PTR out, CK_ULONG_PTR out_len, target_t target);
CK_RV m_DecryptUpdate(unsigned char *state, size_t state_len, CK_BYTE_PTR in,
    CK_ULONG n, CK_BYTE_PTR out, CK_ULONG_PTR out_len, target_t target);
CK_RV m_EncryptFinal(const unsigned char *state, size_t state_len,
    CK_BYTE_PTR out, CK_ULONG_PTR out_len, target_t target);
CK_RV m_DecryptFinal(const unsigned char *state, size_t state_len,
    CK_BYTE_PTR out, CK_ULONG_PTR out_len, target_t target);
CK_RV m_EncryptSingle(const unsigned char *key, size_t key_len,
    CK_MECHANISM_PTR mech, CK_BYTE_PTR in, CK_ULONG n, CK_BYTE_PTR out,
    CK_ULONG_PTR out_len, target_t target);
CK_RV m_DecryptSingle(const unsigned char *key, size_t key_len,
    CK_MECHANISM_PTR mech, CK_BYTE_PTR in, CK_ULONG n, CK_BYTE_PTR out,
    CK_ULONG_PTR out_len, target_t target);
CK_RV m_ReencryptSingle(const unsigned char *decrypt_key, size_t decrypt_len,
    const unsigned char *encrypt_key, size_t encrypt_len,
    CK_MECHANISM_PTR decrypt_mech, CK_MECHANISM_PTR encrypt_mech,
    CK_BYTE_PTR in, CK_ULONG n, CK_BYTE_PTR out, CK_ULONG_PTR out_len,
    target_t target);

/* ---- signatures ---------------------------------------------------------- */

CK_RV m_SignInit(unsigned char *state, size_t *state_len, CK_MECHANISM_PTR mech,
    const unsigned char *key, size_t key_len, target_t target);
CK_RV m_VerifyInit(unsigned char *state, size_t *state_len,
    CK_MECHANISM_PTR mech, const unsigned char *key, size_t key_len,
    target_t target);
CK_RV m_Sign(const unsigned char *state, size_t state_len, CK_BYTE_PTR data,
    CK_ULONG n, CK_BYTE_PTR sig, CK_ULONG_PTR sig_len, target_t target);
CK_RV m_Verify(const unsigned char *state, size_t state_len, CK_BYTE_PTR data,
    CK_ULONG n, CK_BYTE_PTR sig, CK_ULONG sig_len, target_t target);
CK_RV m_SignUpdate(unsigned char *state, size_t state_len, CK_BYTE_PTR data,
    CK_ULONG n, target_t target);
CK_RV m_VerifyUpdate(unsigned char *state, size_t state_len, CK_BYTE_PTR data,
    CK_ULONG n, target_t target);
CK_RV m_SignFinal(const unsigned char *state, size_t state_len, CK_BYTE_PTR sig,
    CK_ULONG_PTR sig_len, target_t target);
CK_RV m_VerifyFinal(const unsigned char *state, size_t state_len,
    CK_BYTE_PTR sig, CK_ULONG sig_len, target_t target);
CK_RV m_SignSingle(const unsigned char *key, size_t key_len,
    CK_MECHANISM_PTR mech, CK_BYTE_PTR data, CK_ULONG n, CK_BYTE_PTR sig,
    CK_ULONG_PTR sig_len, target_t target);
CK_RV m_VerifySingle(const unsigned char *key, size_t key_len,
    CK_MECHANISM_PTR mech, CK_BYTE_PTR data, CK_ULONG n, CK_BYTE_PTR sig,
    CK_ULONG sig_len, target_t target);

/* ---- keys ---------------------------------------------------------------- */

/* pin: the pin blob of a login that the key is to be bound to, or NULL. csum
 * may be NULL. */
CK_RV m_GenerateKey(CK_MECHANISM_PTR mech, CK_ATTRIBUTE_PTR templ,
    CK_ULONG templ_len, const unsigned char *pin, size_t pin_len,
    unsigned char *key, size_t *key_len, unsigned char *csum, size_t *csum_len,
    target_t target);
CK_RV m_GenerateKeyPair(CK_MECHANISM_PTR mech, CK_ATTRIBUTE_PTR pub_templ,
    CK_ULONG pub_len, CK_ATTRIBUTE_PTR prv_templ, CK_ULONG prv_len,
    const unsigned char *pin, size_t pin_len, unsigned char *prv,
    size_t *prv_blob_len, unsigned char *pub, size_t *pub_blob_len,
    target_t target);
CK_RV m_WrapKey(const unsigned char *key, size_t key_len,
    const unsigned char *kek, size_t kek_len, const unsigned char *mackey,
    size_t mackey_len, CK_MECHANISM_PTR mech, CK_BYTE_PTR wrapped,
    CK_ULONG_PTR wrapped_len, target_t target);
CK_RV m_UnwrapKey(CK_BYTE_PTR wrapped, CK_ULONG wrapped_len,
    const unsigned char *kek, size_t kek_len, const unsigned char *mackey,
    size_t mackey_len, const unsigned char *pin, size_t pin_len,
    CK_MECHANISM_PTR mech, CK_ATTRIBUTE_PTR templ, CK_ULONG templ_len,
    unsigned char *key, size_t *key_len, CK_BYTE_PTR csum, CK_ULONG *csum_len,
    target_t target);
CK_RV m_DeriveKey(CK_MECHANISM_PTR mech, CK_ATTRIBUTE_PTR templ,
    CK_ULONG templ_len, const unsigned char *base, size_t base_len,
    const unsigned char *data, size_t data_len, const unsigned char *pin,
    size_t pin_len, unsigned char *key, size_t *key_len, unsigned char *csum,
    size_t *csum_len, target_t target);
CK_RV m_GetAttributeValue(const unsigned char *blob, size_t n,
    CK_ATTRIBUTE_PTR templ, CK_ULONG templ_len, target_t target);
CK_RV m_SetAttributeValue(unsigned char *blob, size_t n, CK_ATTRIBUTE_PTR templ,
    CK_ULONG templ_len, target_t target);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
