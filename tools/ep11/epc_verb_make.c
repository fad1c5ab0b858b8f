/* Verbs that make a key: generate, unwrap, derive, import-public. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "ep11_key.h"
#include "epc_session.h"
#include "hsa_hash.h"

#define CSUM_MAX                                                               \
	HSA_BLOB_MAX /* a public key when a private one is unwrapped           \
		      */
#define IN_MAX HSA_BLOB_MAX

struct make {
	struct epc_session *s;
	struct epc_template t, pub;
	struct epc_mech mech;
	struct hsa_buf pin, key, csum, other, in, mac;
};

static void
make_free(struct make *m)
{
	epc_template_free(&m->t);
	epc_template_free(&m->pub);
	epc_mech_free(&m->mech);
	hsa_buf_free(&m->pin);
	hsa_buf_free(&m->key);
	hsa_buf_free(&m->csum);
	hsa_buf_free(&m->other);
	hsa_buf_free(&m->in);
	hsa_buf_free(&m->mac);
}

/* Templates, login and room for what comes. */
static hsa_rc
make_begin(struct make *m)
{
	struct epc_session *s = m->s;
	hsa_rc rc;

	HSA_TRY(rc, epc_template_list(&m->t, &s->opt.attr, &s->diag));
	HSA_TRY(rc, epc_template_list(&m->pub, &s->opt.public_attr, &s->diag));
	if (s->opt.pin_blob != NULL)
		HSA_TRY(rc, epc_file_read(&m->pin, s->opt.pin_blob,
				HSA_BLOB_MAX, &s->diag));
	HSA_TRY(rc, epc_room(&m->key, HSA_BLOB_MAX));
	HSA_TRY(rc, epc_room(&m->csum, CSUM_MAX));
	HSA_TRY(rc, epc_up(s));
out:
	return rc;
}

/* The key and what the unit says of it: 3 bytes check value and the bits, or
 * the public half. */
static hsa_rc
make_end(struct make *m)
{
	struct epc_session *s = m->s;
	const uint8_t *c = m->csum.p;
	bool secret = m->csum.len == 7;
	hsa_rc rc;

	HSA_TRY(rc, epc_out(s, "key", m->key.p, m->key.len));
	if (secret) {
		epc_say_hex(s, "checkValue", c, 3);
		epc_say_uint(s, "bits",
		    (uint64_t)c[3] << 24 | (uint64_t)c[4] << 16 |
			(uint64_t)c[5] << 8 | c[6]);
	} else if (m->csum.len != 0) {
		HSA_TRY(rc, epc_out_file(s, "public", s->opt.public_out, c,
				m->csum.len));
	}
out:
	return rc;
}

/* ---- generate ------------------------------------------------------------ */

static const struct kind {
	const char *name;
	CK_MECHANISM_TYPE mech;
	bool pair;
	uint64_t bits; /* usual */
} kinds[] = {
    {"aes", CKM_AES_KEY_GEN, false, 256},
    {"generic", CKM_GENERIC_SECRET_KEY_GEN, false, 256},
    {"des2", CKM_DES2_KEY_GEN, false, 0},
    {"des3", CKM_DES3_KEY_GEN, false, 0},
    {"rsa", CKM_RSA_PKCS_KEY_PAIR_GEN, true, 2048},
    {"ec", CKM_EC_KEY_PAIR_GEN, true, 0},
    {"dsa", CKM_DSA_KEY_PAIR_GEN, true, 0},
    {"dh", CKM_DH_PKCS_KEY_PAIR_GEN, true, 0},
};

static hsa_rc
bits_of(uint64_t *bits, const struct kind *k, struct epc_session *s)
{
	hsa_rc rc = HSA_OK;

	*bits = k->bits;
	if (s->opt.bits == NULL)
		return rc;
	HSA_TRY(rc, epc_number(bits, s->opt.bits, &s->diag));
	if (k->bits == 0 || *bits == 0 || *bits > 65536 || *bits % 8 != 0)
		rc = hsa_fail(&s->diag, HSA_RC(E_ARG),
		    "--bits %s does not fit a key of type %s", s->opt.bits,
		    k->name);
out:
	return rc;
}

static hsa_rc
exponent(struct make *m)
{
	const char *text = m->s->opt.exponent;
	uint64_t e = 65537;
	uint8_t be[8] = {0};
	size_t i = 0, skip = 0;
	hsa_rc rc = HSA_OK;

	if (text != NULL)
		HSA_TRY(rc, epc_number(&e, text, &m->s->diag));
	for (i = 0; i < 8; i++)
		be[i] = (uint8_t)(e >> (56 - 8 * i));
	while (skip < 7 && be[skip] == 0)
		skip++;
	rc = epc_template_put(
	    &m->pub, CKA_PUBLIC_EXPONENT, be + skip, sizeof(be) - skip);
out:
	return rc;
}

static hsa_rc
curve(struct make *m)
{
	const char *name = m->s->opt.curve;
	struct hsa_buf text = {0};
	struct epc_template t = {.n = 0};
	hsa_rc rc;

	hsa_buf_printf(
	    &text, "CKA_EC_PARAMS=%s", name == NULL ? "P-256" : name);
	HSA_TRY(rc, hsa_buf_rc(&text));
	rc = epc_template_add(&t, hsa_buf_cstr(&text), &m->s->diag);
	if (hsa_is_ok(rc))
		rc = epc_template_put(
		    &m->pub, CKA_EC_PARAMS, t.a[0].pValue, t.a[0].ulValueLen);
out:
	epc_template_free(&t);
	hsa_buf_free(&text);
	return rc;
}

static hsa_rc
generate_pair(struct make *m, const struct kind *k, uint64_t bits)
{
	struct epc_session *s = m->s;
	hsa_rc rc = HSA_OK;

	if (s->opt.public_out == NULL && !s->opt.json)
		return hsa_fail(&s->diag, HSA_RC(E_ARG),
		    "where does the public key go? fix: --public FILE");
	if (k->mech == CKM_RSA_PKCS_KEY_PAIR_GEN) {
		HSA_TRY(
		    rc, epc_template_ulong(&m->pub, CKA_MODULUS_BITS, bits));
		HSA_TRY(rc, exponent(m));
	}
	if (k->mech == CKM_EC_KEY_PAIR_GEN)
		HSA_TRY(rc, curve(m));
	HSA_TRY(rc,
	    epc_check(s, m_GenerateKeyPair(&m->mech.m, m->pub.a, m->pub.n,
			     m->t.a, m->t.n, m->pin.p, m->pin.len, m->key.p,
			     &m->key.len, m->csum.p, &m->csum.len, s->target)));
out:
	return rc;
}

static hsa_rc
generate_key(struct make *m, uint64_t bits)
{
	struct epc_session *s = m->s;
	hsa_rc rc = HSA_OK;

	if (bits != 0)
		HSA_TRY(rc, epc_template_ulong(&m->t, CKA_VALUE_LEN, bits / 8));
	HSA_TRY(
	    rc, epc_check(s, m_GenerateKey(&m->mech.m, m->t.a, m->t.n, m->pin.p,
				 m->pin.len, m->key.p, &m->key.len, m->csum.p,
				 &m->csum.len, s->target)));
out:
	return rc;
}

static hsa_rc
run_generate(struct epc_session *s)
{
	const char *name = s->opt.line.args[0];
	const struct kind *k = NULL;
	struct make m = {.s = s};
	uint64_t bits = 0;
	size_t i = 0;
	hsa_rc rc;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcasecmp(name, kinds[i].name) == 0)
			k = &kinds[i];
	if (k == NULL)
		return hsa_fail(&s->diag, HSA_RC(E_ARG),
		    "\"%s\" is no type of key; fix: aes, generic, des2, des3, "
		    "rsa, ec, dsa or dh",
		    name);
	HSA_TRY(rc, bits_of(&bits, k, s));
	m.mech.m.mechanism = k->mech;
	HSA_TRY(rc, make_begin(&m));
	HSA_TRY(
	    rc, k->pair ? generate_pair(&m, k, bits) : generate_key(&m, bits));
	HSA_TRY(rc, make_end(&m));
out:
	make_free(&m);
	return rc;
}

/* ---- unwrap, derive ------------------------------------------------------ */

static hsa_rc
run_unwrap(struct epc_session *s)
{
	struct make m = {.s = s};
	hsa_rc rc;

	HSA_TRY(rc,
	    epc_mech_set(&m.mech, s->opt.mechanism, &s->opt.param, &s->diag));
	HSA_TRY(rc, epc_key(s, &m.other, s->opt.kek, "--kek"));
	if (s->opt.mac_key != NULL)
		HSA_TRY(rc, epc_key(s, &m.mac, s->opt.mac_key, "--mac-key"));
	HSA_TRY(rc, epc_file_read(&m.in, s->opt.in, IN_MAX, &s->diag));
	HSA_TRY(rc, make_begin(&m));
	HSA_TRY(rc,
	    epc_check(s,
		m_UnwrapKey(m.in.p, m.in.len, m.other.p, m.other.len, m.mac.p,
		    m.mac.len, m.pin.p, m.pin.len, &m.mech.m, m.t.a, m.t.n,
		    m.key.p, &m.key.len, m.csum.p, &m.csum.len, s->target)));
	HSA_TRY(rc, make_end(&m));
out:
	make_free(&m);
	return rc;
}

static hsa_rc
run_derive(struct epc_session *s)
{
	struct make m = {.s = s};
	hsa_rc rc;

	HSA_TRY(rc,
	    epc_mech_set(&m.mech, s->opt.mechanism, &s->opt.param, &s->diag));
	HSA_TRY(rc, epc_key(s, &m.other, s->opt.key, "--key"));
	HSA_TRY(rc, make_begin(&m));
	HSA_TRY(rc,
	    epc_check(s, m_DeriveKey(&m.mech.m, m.t.a, m.t.n, m.other.p,
			     m.other.len, NULL, 0, m.pin.p, m.pin.len, m.key.p,
			     &m.key.len, m.csum.p, &m.csum.len, s->target)));
	HSA_TRY(rc, make_end(&m));
out:
	make_free(&m);
	return rc;
}

/* ---- import-public ------------------------------------------------------- */

/* PEM or DER of a SubjectPublicKeyInfo, or of a certificate, as DER. */
static hsa_rc
public_der(struct hsa_buf *out, const struct hsa_buf *in, struct hsa_diag *diag)
{
	BIO *bio = BIO_new_mem_buf(in->p, (int)in->len);
	const unsigned char *at = in->p;
	unsigned char *der = NULL;
	EVP_PKEY *key = NULL;
	X509 *cert = NULL;
	int n = 0;
	hsa_rc rc = HSA_OK;

	if (bio != NULL)
		key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	if (key == NULL)
		key = d2i_PUBKEY(NULL, &at, (long)in->len);
	if (key == NULL && bio != NULL && BIO_reset(bio) == 1)
		cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	if (cert != NULL)
		key = X509_get_pubkey(cert);
	if (key != NULL)
		n = i2d_PUBKEY(key, &der);
	if (n > 0) {
		hsa_buf_put(out, der, (size_t)n);
		rc = hsa_buf_rc(out);
	} else {
		rc = hsa_fail(diag, HSA_RC(E_FORMAT),
		    "the input is no public key; fix: PEM or DER of a "
		    "SubjectPublicKeyInfo, or a certificate in PEM");
	}
	ERR_clear_error();
	OPENSSL_free(der);
	EVP_PKEY_free(key);
	X509_free(cert);
	BIO_free(bio);
	return rc;
}

static hsa_rc
run_import(struct epc_session *s)
{
	struct make m = {.s = s};
	struct hsa_buf file = {0};
	hsa_rc rc;

	m.mech.m.mechanism = CKM_IBM_TRANSPORTKEY;
	HSA_TRY(rc, epc_file_read(&file, s->opt.in, IN_MAX, &s->diag));
	HSA_TRY(rc, public_der(&m.in, &file, &s->diag));
	HSA_TRY(rc, make_begin(&m));
	HSA_TRY(rc, epc_check(s,
			m_UnwrapKey(m.in.p, m.in.len, NULL, 0, NULL, 0, m.pin.p,
			    m.pin.len, &m.mech.m, m.t.a, m.t.n, m.key.p,
			    &m.key.len, m.csum.p, &m.csum.len, s->target)));
	HSA_TRY(rc, epc_out(s, "key", m.key.p, m.key.len));
out:
	hsa_buf_free(&file);
	make_free(&m);
	return rc;
}

const struct epc_verb epc_verbs_make[] = {
    {{"generate", "TYPE", "Generate a key or a key pair",
	 "TYPE: aes, generic, des2, des3; rsa, ec, dsa, dh (pairs: --public).\n"
	 "dsa and dh take their domain parameters as --public-attr\n"
	 "CKA_IBM_STRUCT_PARAMS=@FILE.",
	 EPC_OPT_OUT | EPC_OPT_HEX | EPC_OPT_ATTR | EPC_OPT_PAIR |
	     EPC_OPT_MAKE | EPC_OPT_PIN,
	 1, 1},
	run_generate},
    {{"unwrap", "", "Make a key of wrapped material",
	 "--attr CKA_CLASS=secret --attr CKA_KEY_TYPE=aes says what it is. "
	 "The\n"
	 "public half of a private key goes to --public.",
	 EPC_OPT_IN | EPC_OPT_OUT | EPC_OPT_HEX | EPC_OPT_MECH | EPC_OPT_ATTR |
	     EPC_OPT_KEK | EPC_OPT_PIN | EPC_OPT_PAIR,
	 0, 0},
	run_unwrap},
    {{"derive", "", "Derive a key",
	 "ep11 derive --key k --mechanism ECDH1_DERIVE --param public=@point\n"
	 "--attr CKA_CLASS=secret --attr CKA_KEY_TYPE=aes --attr "
	 "CKA_VALUE_LEN=32",
	 EPC_OPT_OUT | EPC_OPT_HEX | EPC_OPT_MECH | EPC_OPT_ATTR | EPC_OPT_KEY |
	     EPC_OPT_PIN,
	 0, 0},
	run_derive},
    {{"import-public", "", "Make a public key of the unit's from a file",
	 "The input is PEM or DER, or a certificate in PEM.",
	 EPC_OPT_IN | EPC_OPT_OUT | EPC_OPT_HEX | EPC_OPT_ATTR | EPC_OPT_PIN, 0,
	 0},
	run_import},
    {.is = {.name = NULL}},
};
