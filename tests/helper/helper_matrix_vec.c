/* Published vectors: tests/kat/ep11_vectors.txt, whose format gen_ep11.py says.
 */
#include <stdio.h>
#include <string.h>

#include "ep11_mech.h"
#include "helper_matrix.h"
#include "hsa_hash.h"

#define PATH "tests/kat/ep11_vectors.txt"

struct vector {
	char source[128], what[16], mech[40];
	struct mx_bytes key, iv, aad, in, out, peer;
	CK_MECHANISM_TYPE type;
};

static CK_KEY_TYPE
secret_type(const struct vector *v)
{
	bool des = strncmp(v->mech, "DES3", 4) == 0 || v->out.n == 8;
	bool aes =
	    strncmp(v->mech, "AES", 3) == 0 || strcmp(v->mech, "IBM_CMAC") == 0;

	if (des)
		return v->key.n == 16 ? CKK_DES2 : CKK_DES3;
	return aes ? CKK_AES : CKK_GENERIC_SECRET;
}

static void
crypt_vector(const struct vector *v)
{
	CK_AES_CTR_PARAMS ctr = {.ulCounterBits = 128};
	CK_GCM_PARAMS gcm = {.pIv = ep11_input(v->iv.p),
	    .ulIvLen = v->iv.n,
	    .ulIvBits = v->iv.n * 8,
	    .pAAD = ep11_input(v->aad.n != 0 ? v->aad.p : NULL),
	    .ulAADLen = v->aad.n,
	    .ulTagBits = 128};
	CK_MECHANISM m = {v->type, NULL, 0};
	struct mx_bytes key;

	if (v->type == CKM_AES_CTR) {
		memcpy(ctr.cb, v->iv.p, sizeof(ctr.cb));
		m = (CK_MECHANISM){v->type, &ctr, sizeof(ctr)};
	} else if (v->type == CKM_AES_GCM) {
		m = (CK_MECHANISM){v->type, &gcm, sizeof(gcm)};
	} else if (v->iv.n != 0) {
		m = (CK_MECHANISM){v->type, ep11_input(v->iv.p), v->iv.n};
	}
	if (mx_ok(v->type, MX_ENCRYPT,
		mx_import(&key, NULL, CKO_SECRET_KEY, secret_type(v), v->key.p,
		    v->key.n),
		"%s: import", v->source))
		mx_crypt_check(&m, &key, v->in.p, v->in.n, v->out.p, v->out.n);
}

static void
mac_vector(const struct vector *v)
{
	CK_MECHANISM m = {v->type, NULL, 0};
	struct mx_bytes key;

	if (mx_ok(v->type, MX_SIGN,
		mx_import(&key, NULL, CKO_SECRET_KEY, secret_type(v), v->key.p,
		    v->key.n),
		"%s: import", v->source))
		mx_mac_check(&m, &key, v->in.p, v->in.n, v->out.p, v->out.n);
}

static void
verify_all(const struct vector *v, const struct mx_bytes *pub)
{
	CK_MECHANISM m = {v->type, NULL, 0};
	int forms = mx_single_part(v->type) ? MX_PARTS : MX_FORMS;

	for (int f = 0; f < forms; f++)
		mx_ok(v->type, mx_col(MX_VERIFY, (enum mx_form)f),
		    mx_verify((enum mx_form)f, pub, &m, v->in.p, v->in.n,
			v->out.p, v->out.n),
		    "%s", v->source);
}

static void
verify_vector(const struct vector *v)
{
	CK_MECHANISM m = {CKM_IBM_TRANSPORTKEY, NULL, 0};
	struct mx_template t = {.n = 0};
	struct mx_bytes pub;

	mx_bool(&t, CKA_VERIFY, true);
	if (mx_ok(v->type, MX_VERIFY,
		mx_unwrap(v->key.p, v->key.n, NULL, NULL, &m, &t, &pub, NULL),
		"%s: import", v->source))
		verify_all(v, &pub);
}

/* Signatures that are determined. */
static void
sign_vector(const struct vector *v)
{
	CK_MECHANISM m = {v->type, NULL, 0};
	struct mx_bytes prv, pub, sig;

	if (!mx_ok(v->type, MX_SIGN,
		mx_import(
		    &prv, &pub, CKO_PRIVATE_KEY, CKK_EC, v->key.p, v->key.n),
		"%s: import", v->source))
		return;
	verify_all(v, &pub);
	for (int f = 0; f < MX_PARTS; f++) {
		enum mx_col col = mx_col(MX_SIGN, (enum mx_form)f);

		if (mx_ok(v->type, col,
			mx_sign(
			    (enum mx_form)f, &prv, &m, v->in.p, v->in.n, &sig),
			"%s", v->source))
			mx_check(v->type, col,
			    mx_same(&sig, v->out.p, v->out.n),
			    "%s: another signature", v->source);
	}
}

static void
wrap_vector(const struct vector *v)
{
	bool aes = v->in.n == 16 || v->in.n == 24 || v->in.n == 32;
	CK_KEY_TYPE type = aes ? CKK_AES : CKK_GENERIC_SECRET;
	CK_MECHANISM m = {v->type, NULL, 0};
	struct mx_template t = {.n = 0};
	struct mx_bytes kek, key, out;

	mx_num(&t, CKA_CLASS, CKO_SECRET_KEY);
	mx_num(&t, CKA_KEY_TYPE, type);
	if (!mx_ok(v->type, MX_WRAP,
		mx_import(
		    &kek, NULL, CKO_SECRET_KEY, CKK_AES, v->key.p, v->key.n),
		"%s: import", v->source) ||
	    !mx_ok(v->type, MX_WRAP,
		mx_import(&key, NULL, CKO_SECRET_KEY, type, v->in.p, v->in.n),
		"%s: import", v->source))
		return;
	if (mx_ok(v->type, MX_WRAP, mx_wrap(&key, &kek, NULL, &m, &out), "%s",
		v->source))
		mx_check(v->type, MX_WRAP, mx_same(&out, v->out.p, v->out.n),
		    "%s: wrapped differently", v->source);
	if (mx_ok(v->type, MX_UNWRAP,
		mx_unwrap(v->out.p, v->out.n, &kek, NULL, &m, &t, &key, NULL),
		"%s", v->source))
		mx_check(v->type, MX_UNWRAP,
		    mx_export(&out, &key) == CKR_OK &&
			mx_same(&out, v->in.p, v->in.n),
		    "%s: another key", v->source);
}

static void
derive_vector(const struct vector *v)
{
	CK_ECDH1_DERIVE_PARAMS p = {.kdf = CKD_NULL,
	    .public_data = ep11_input(v->peer.p),
	    .public_data_len = v->peer.n};
	CK_MECHANISM m = {v->type, &p, sizeof(p)};
	struct mx_template t = {.n = 0};
	struct mx_bytes prv, key, out;

	mx_num(&t, CKA_CLASS, CKO_SECRET_KEY);
	mx_num(&t, CKA_KEY_TYPE, CKK_GENERIC_SECRET);
	mx_num(&t, CKA_VALUE_LEN, v->out.n);
	if (mx_ok(v->type, MX_DERIVE,
		mx_import(
		    &prv, NULL, CKO_PRIVATE_KEY, CKK_EC, v->key.p, v->key.n),
		"%s: import", v->source) &&
	    mx_ok(v->type, MX_DERIVE, mx_derive(&m, &t, &prv, &key, NULL), "%s",
		v->source))
		mx_check(v->type, MX_DERIVE,
		    mx_export(&out, &key) == CKR_OK &&
			mx_same(&out, v->out.p, v->out.n),
		    "%s: another secret", v->source);
}

static void
digest_vector(const struct vector *v)
{
	CK_MECHANISM m = {v->type, NULL, 0};
	struct mx_bytes out;

	for (int f = 0; f < MX_FORMS; f++) {
		enum mx_col col = mx_col(MX_DIGEST, (enum mx_form)f);

		if (mx_ok(v->type, col,
			mx_digest((enum mx_form)f, &m, v->in.p, v->in.n, &out),
			"%s", v->source))
			mx_check(v->type, col,
			    mx_same(&out, v->out.p, v->out.n), "%s", v->source);
	}
}

static bool
run(struct vector *v)
{
	static const struct {
		const char *what;
		void (*run)(const struct vector *v);
	} all[] = {{"digest", digest_vector}, {"crypt", crypt_vector},
	    {"mac", mac_vector}, {"verify", verify_vector},
	    {"sign", sign_vector}, {"wrap", wrap_vector},
	    {"derive", derive_vector}};
	char name[64];
	const struct ep11_mech_row *row;

	(void)snprintf(name, sizeof(name), "CKM_%s", v->mech);
	row = ep11_mech_find_name(name);
	for (size_t i = 0; row != NULL && i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(all[i].what, v->what) == 0) {
			v->type = row->type;
			all[i].run(v);
			mx_vector();
			return true;
		}
	return false;
}

static bool
line(struct vector *v, const char *name, const char *value)
{
	const struct {
		const char *name;
		char *text;
		size_t room;
		struct mx_bytes *bytes;
	} all[] = {{"source", v->source, sizeof(v->source), NULL},
	    {"do", v->what, sizeof(v->what), NULL},
	    {"mech", v->mech, sizeof(v->mech), NULL}, {"key", NULL, 0, &v->key},
	    {"iv", NULL, 0, &v->iv}, {"aad", NULL, 0, &v->aad},
	    {"in", NULL, 0, &v->in}, {"out", NULL, 0, &v->out},
	    {"peer", NULL, 0, &v->peer}};
	size_t n = strlen(value);

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (strcmp(all[i].name, name) != 0)
			continue;
		if (all[i].text != NULL) {
			(void)snprintf(all[i].text, all[i].room, "%s", value);
			return true;
		}
		all[i].bytes->n = strcmp(value, "-") == 0 ? 0 : n / 2;
		return all[i].bytes->n == 0 ||
		       hsa_is_ok(hsa_unhex(
			   all[i].bytes->p, all[i].bytes->n, value, n));
	}
	return false;
}

void
mx_run_vectors(void)
{
	static struct vector v;
	char text[4096];
	FILE *f = fopen(PATH, "r");
	unsigned n = 0, at = 0;

	if (f == NULL) {
		perror(PATH);
		mx_check(CKM_SHA256, MX_DIGEST, false, "no vectors");
		return;
	}
	memset(&v, 0, sizeof(v));
	while (fgets(text, sizeof(text), f) != NULL) {
		char *value = strchr(text, ' ');

		at++;
		text[strcspn(text, "\n")] = '\0';
		if (text[0] == '#')
			continue;
		if (text[0] == '\0' && v.what[0] != '\0') {
			if (!run(&v))
				mx_check(CKM_SHA256, MX_DIGEST, false,
				    PATH " before line %u: %s %s", at, v.what,
				    v.mech);
			n++;
			memset(&v, 0, sizeof(v));
		} else if (text[0] != '\0') {
			if (value != NULL)
				*value++ = '\0';
			if (value == NULL || !line(&v, text, value))
				mx_check(CKM_SHA256, MX_DIGEST, false,
				    PATH ":%u: not understood", at);
		}
	}
	fclose(f);
	mx_check(CKM_SHA256, MX_DIGEST, n > 140 && v.what[0] == '\0',
	    "only %u vectors", n);
}
