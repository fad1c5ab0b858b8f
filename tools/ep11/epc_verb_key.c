/* Verbs on a key that there is: wrap, export-public, rewrap, attributes; and
 * logins. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "epc_session.h"
#include "hsa_hash.h"

/* ---- wrap ---------------------------------------------------------------- */

static hsa_rc
run_wrap(struct epc_session *s)
{
	struct hsa_buf key = {0}, kek = {0}, mac = {0}, out = {0};
	struct epc_mech mech = {.row = NULL};
	CK_ULONG n = HSA_BLOB_MAX;
	hsa_rc rc;

	HSA_TRY(
	    rc, epc_mech_set(&mech, s->opt.mechanism, &s->opt.param, &s->diag));
	HSA_TRY(rc, epc_key(s, &key, s->opt.key, "--key"));
	HSA_TRY(rc, epc_key(s, &kek, s->opt.kek, "--kek"));
	if (s->opt.mac_key != NULL)
		HSA_TRY(rc, epc_key(s, &mac, s->opt.mac_key, "--mac-key"));
	HSA_TRY(rc, epc_room(&out, n));
	HSA_TRY(rc, epc_up(s));
	HSA_TRY(
	    rc, epc_check(s, m_WrapKey(key.p, key.len, kek.p, kek.len, mac.p,
				 mac.len, &mech.m, out.p, &n, s->target)));
	HSA_TRY(rc, epc_out(s, "wrapped", out.p, n));
out:
	epc_mech_free(&mech);
	hsa_buf_free(&key);
	hsa_buf_free(&kek);
	hsa_buf_free(&mac);
	hsa_buf_free(&out);
	return rc;
}

/* ---- export-public ------------------------------------------------------- */

/* A MACed public key begins with its SPKI; of a private key the unit tells
 * it. */
static EVP_PKEY *
read_spki(const uint8_t *p, size_t n)
{
	const unsigned char *at = p;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)n);

	ERR_clear_error();
	return key;
}

static hsa_rc
ask_spki(struct epc_session *s, struct hsa_buf *to, const struct hsa_buf *key)
{
	CK_ATTRIBUTE a = {.type = CKA_PUBLIC_KEY_INFO};
	hsa_rc rc;

	HSA_TRY(rc, epc_room(to, HSA_BLOB_MAX));
	a.pValue = to->p;
	a.ulValueLen = to->len;
	HSA_TRY(rc, epc_up(s));
	HSA_TRY(rc, epc_check(s, m_GetAttributeValue(
				     key->p, key->len, &a, 1, s->target)));
	if (a.ulValueLen > to->len)
		rc = hsa_fail(&s->diag, HSA_RC(E_REMOTE),
		    "the key has no public half; fix: use a private or public "
		    "key");
	else
		to->len = a.ulValueLen;
out:
	return rc;
}

static hsa_rc
run_export(struct epc_session *s)
{
	struct hsa_buf key = {0}, spki = {0};
	unsigned char *der = NULL;
	EVP_PKEY *pub = NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long n = 0;
	hsa_rc rc = HSA_RC(E_NOMEM);

	if (bio == NULL)
		goto out;
	HSA_TRY(rc, epc_key(s, &key, s->opt.key, "--key"));
	if (key.len > 0 && key.p[0] == 0x30) {
		pub = read_spki(key.p, key.len);
	} else {
		HSA_TRY(rc, ask_spki(s, &spki, &key));
		pub = read_spki(spki.p, spki.len);
	}
	if (pub == NULL) {
		rc = hsa_fail(&s->diag, HSA_RC(E_FORMAT),
		    "%s holds no public key that OpenSSL can read", s->opt.key);
		goto out;
	}
	if (s->opt.der) {
		n = i2d_PUBKEY(pub, &der);
		HSA_TRY(rc, epc_out(s, "spki", der, n < 0 ? 0 : (size_t)n));
		goto out;
	}
	if (PEM_write_bio_PUBKEY(bio, pub) != 1) {
		rc = HSA_RC(E_NOMEM);
		goto out;
	}
	n = BIO_get_mem_data(bio, &text);
	rc = epc_file_write(s->opt.out, text, (size_t)n, &s->diag);
out:
	OPENSSL_free(der);
	EVP_PKEY_free(pub);
	BIO_free(bio);
	hsa_buf_free(&key);
	hsa_buf_free(&spki);
	return rc;
}

/* ---- rewrap: administrative command 25 (ep11-host-api 15) ---------------- */

#define BLOCK_MAX (HSA_BLOB_MAX + 1024u)

/* The block names the domain that it is for: get_xcp_info query 3. */
static hsa_rc
ask_domain(struct epc_session *s, uint32_t *domain)
{
	CK_ULONG info[32] = {0}, n = sizeof(info);
	hsa_rc rc;

	HSA_TRY(rc, epc_check(s, m_get_xcp_info(info, &n, 3, 0, s->target)));
	*domain = (uint32_t)info[0];
out:
	return rc;
}

static hsa_rc
ask_rewrap(
    struct epc_session *s, struct hsa_buf *out, const struct hsa_buf *key)
{
	struct XCPadmresp info = {.fn = XCP_ADM_REENCRYPT};
	struct hsa_buf block = {0};
	long n = 0;
	CK_RV rv = CKR_OK;
	hsa_rc rc;

	HSA_TRY(rc, ask_domain(s, &info.domain));
	HSA_TRY(rc, epc_room(&block, BLOCK_MAX));
	HSA_TRY(rc, epc_room(out, BLOCK_MAX));
	n = xcpa_cmdblock(block.p, block.len, XCP_ADM_REENCRYPT, &info, NULL,
	    key->p, key->len);
	if (n <= 0) {
		rc = hsa_fail(&s->diag, HSA_RC(E_FORMAT),
		    "no command can be made of the key (%ld)", n);
		goto out;
	}
	HSA_TRY(rc, epc_check(s, m_admin(out->p, &out->len, NULL, NULL, block.p,
				     (size_t)n, NULL, 0, s->target)));
	if (xcpa_internal_rv(out->p, out->len, &info, &rv) != 0) {
		rc = hsa_fail(&s->diag, HSA_RC(E_REMOTE),
		    "the unit's answer is malformed");
		goto out;
	}
	HSA_TRY(rc, epc_check(s, rv));
	if (info.payload == NULL || info.pllen == 0)
		rc = hsa_fail(
		    &s->diag, HSA_RC(E_REMOTE), "the unit answered no key");
	else
		rc = epc_out(s, "key", info.payload, info.pllen);
out:
	hsa_buf_free(&block);
	return rc;
}

static hsa_rc
run_rewrap(struct epc_session *s)
{
	struct hsa_buf key = {0}, out = {0};
	hsa_rc rc;

	HSA_TRY(rc, epc_key(s, &key, s->opt.key, "--key"));
	HSA_TRY(rc, epc_up(s));
	HSA_TRY(rc, ask_rewrap(s, &out, &key));
out:
	hsa_buf_free(&key);
	hsa_buf_free(&out);
	return rc;
}

/* ---- attributes ---------------------------------------------------------- */

static void
show(struct epc_session *s, const CK_ATTRIBUTE *a)
{
	struct hsa_buf text = {0};
	char name[48];

	if (s->opt.json) {
		epc_attr_json(&s->jw, a->type, a->pValue, a->ulValueLen);
		return;
	}
	epc_attr_name(name, a->type);
	epc_attr_text(&text, a->type, a->pValue, a->ulValueLen);
	printf("%s=%s\n", name, hsa_buf_cstr(&text));
	hsa_buf_free(&text);
}

/* One attribute; false: the key has none such. */
static hsa_rc
get_one(struct epc_session *s, bool *has, CK_ATTRIBUTE_TYPE type,
    const struct hsa_buf *key, bool asked)
{
	uint8_t value[2048] = {0};
	CK_ATTRIBUTE a = {
	    .type = type, .pValue = value, .ulValueLen = sizeof(value)};
	CK_RV rv = m_GetAttributeValue(key->p, key->len, &a, 1, s->target);

	*has = rv == CKR_OK && a.ulValueLen <= sizeof(value);
	if (*has)
		show(s, &a);
	if (!asked &&
	    (rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_SENSITIVE))
		return HSA_OK;
	return epc_check(s, rv);
}

static hsa_rc
attributes_get(struct epc_session *s, const struct hsa_buf *key)
{
	const struct epc_attr_row *row = NULL;
	CK_ATTRIBUTE_TYPE type = 0;
	bool has = false;
	size_t i = 0;
	hsa_rc rc = HSA_OK;

	for (i = 0; i < s->opt.attr.n; i++) {
		const char *name = s->opt.attr.v[i];

		HSA_TRY(rc, epc_attr_type(&type, name, strlen(name), &s->diag));
		HSA_TRY(rc, get_one(s, &has, type, key, true));
		if (!has) {
			rc = hsa_fail(&s->diag, HSA_RC(E_REMOTE),
			    "the key has no %s", name);
			goto out;
		}
	}
	for (i = 0; s->opt.attr.n == 0 && (row = epc_attr_row(i)) != NULL; i++)
		if (row->of_key)
			HSA_TRY(rc, get_one(s, &has, row->type, key, false));
out:
	return rc;
}

static hsa_rc
attributes_set(struct epc_session *s, struct hsa_buf *key)
{
	struct epc_template t = {.n = 0};
	hsa_rc rc;

	if (s->opt.attr.n == 0)
		return hsa_fail(&s->diag, HSA_RC(E_ARG),
		    "which attributes? fix: --attr NAME=VALUE");
	HSA_TRY(rc, epc_template_list(&t, &s->opt.attr, &s->diag));
	HSA_TRY(rc, epc_check(s, m_SetAttributeValue(
				     key->p, key->len, t.a, t.n, s->target)));
	if (s->opt.out == NULL)
		rc = epc_file_write(s->opt.key, key->p, key->len, &s->diag);
	else
		rc = epc_out(s, "key", key->p, key->len);
out:
	epc_template_free(&t);
	return rc;
}

static hsa_rc
run_attributes(struct epc_session *s)
{
	const char *what = s->opt.line.args[0];
	struct hsa_buf key = {0};
	hsa_rc rc;

	if (strcmp(what, "get") != 0 && strcmp(what, "set") != 0)
		return hsa_fail(&s->diag, HSA_RC(E_ARG),
		    "\"%s\": fix: ep11 attributes get or set", what);
	HSA_TRY(rc, epc_key(s, &key, s->opt.key, "--key"));
	HSA_TRY(rc, epc_up(s));
	HSA_TRY(rc,
	    what[0] == 'g' ? attributes_get(s, &key) : attributes_set(s, &key));
out:
	hsa_buf_free(&key);
	return rc;
}

/* ---- logins -------------------------------------------------------------- */

#define PIN_FILE_MAX 256u
#define NONCE_MAX 32u
#define PIN_BLOB_LEN 80u

static hsa_rc
read_pin(struct epc_session *s, struct hsa_buf *pin)
{
	const uint8_t *end = NULL;
	hsa_rc rc;

	if (s->opt.pin_file == NULL)
		return hsa_fail(&s->diag, HSA_RC(E_ARG),
		    "where is the PIN? fix: --pin-file FILE, - for standard "
		    "input");
	HSA_TRY(
	    rc, epc_file_read(pin, s->opt.pin_file, PIN_FILE_MAX, &s->diag));
	end = pin->len == 0 ? NULL : memchr(pin->p, '\n', pin->len);
	if (end != NULL)
		pin->len = (size_t)(end - pin->p);
out:
	return rc;
}

static hsa_rc
run_login(struct epc_session *s)
{
	struct hsa_buf pin = {0}, nonce = {0}, blob = {0};
	hsa_rc rc;

	HSA_TRY(rc, read_pin(s, &pin));
	if (s->opt.nonce != NULL) {
		HSA_TRY(rc, epc_bytes(&nonce, s->opt.nonce, &s->diag));
	} else {
		HSA_TRY(rc, epc_room(&nonce, NONCE_MAX));
		HSA_TRY(rc, hsa_random(nonce.p, nonce.len));
	}
	HSA_TRY(rc, epc_room(&blob, PIN_BLOB_LEN));
	HSA_TRY(rc, epc_up(s));
	HSA_TRY(rc, epc_check(s, m_Login(pin.p, pin.len, nonce.p, nonce.len,
				     blob.p, &blob.len, s->target)));
	HSA_TRY(rc, epc_out(s, "pinBlob", blob.p, blob.len));
	epc_say_hex(s, "nonce", nonce.p, nonce.len);
out:
	hsa_buf_free(&pin);
	hsa_buf_free(&nonce);
	hsa_buf_free(&blob);
	return rc;
}

static hsa_rc
run_logout(struct epc_session *s)
{
	struct hsa_buf blob = {0};
	hsa_rc rc;

	HSA_TRY(rc, epc_key(s, &blob, s->opt.pin_blob, "--pin-blob"));
	HSA_TRY(rc, epc_up(s));
	HSA_TRY(rc, epc_check(s, m_Logout(blob.p, blob.len, s->target)));
out:
	hsa_buf_free(&blob);
	return rc;
}

const struct epc_verb epc_verbs_key[] = {
    {{"wrap", "", "Wrap a key with another one", "",
	 EPC_OPT_KEY | EPC_OPT_KEK | EPC_OPT_MECH | EPC_OPT_OUT | EPC_OPT_HEX,
	 0, 0},
	run_wrap},
    {{"export-public", "", "Write the public half of a key",
	 "PEM, for OpenSSL and others; the key may be public or private.",
	 EPC_OPT_KEY | EPC_OPT_OUT | EPC_OPT_DER | EPC_OPT_HEX, 0, 0},
	run_export},
    {{"rewrap", "", "Bring a key under the new master key",
	 "While a committed new master key waits beside the current one.",
	 EPC_OPT_KEY | EPC_OPT_OUT | EPC_OPT_HEX, 0, 0},
	run_rewrap},
    {{"attributes", "get|set", "Show or change a key's attributes",
	 "get: all, or those named by --attr. set: the key's file is written\n"
	 "anew unless --out names another.",
	 EPC_OPT_KEY | EPC_OPT_ATTR | EPC_OPT_OUT, 1, 1},
	run_attributes},
    {{"login", "", "Open a session that keys can be bound to",
	 "The output is the PIN blob: --pin-blob of the verbs that make a "
	 "key.\n"
	 "The same PIN and nonce open the same session again.",
	 EPC_OPT_LOGIN | EPC_OPT_OUT | EPC_OPT_HEX, 0, 0},
	run_login},
    {{"logout", "", "Close a session", "", EPC_OPT_PIN, 0, 0}, run_logout},
    {.is = {.name = NULL}},
};
