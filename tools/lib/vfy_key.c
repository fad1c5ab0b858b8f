#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "hsa_buf.h"
#include "hsa_hash.h"
#include "vfy_file.h"
#include "vfy_note.h"
#include "vfy_note_impl.h"

#define KEYS_FILE_MAX (1024u * 1024u)

struct vfy_signer {
	struct vfy_key key;
	EVP_PKEY *pkey;
	EVP_MD_CTX *ctx;
};

void
vfy_signer_free(struct vfy_signer *s)
{
	if (s == NULL)
		return;
	EVP_MD_CTX_free(s->ctx);
	EVP_PKEY_free(s->pkey);
	free(s);
}

hsa_rc
vfy_signer_new(struct vfy_signer **to, const struct vfy_key *key)
{
	struct vfy_signer *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return HSA_RC(E_NOMEM);
	s->key = *key;
	s->pkey = EVP_PKEY_new_raw_public_key(
	    EVP_PKEY_ED25519, NULL, key->public_key, sizeof(key->public_key));
	s->ctx = EVP_MD_CTX_new();
	if (s->pkey == NULL || s->ctx == NULL) {
		vfy_signer_free(s);
		return HSA_RC(E_CRYPTO);
	}
	*to = s;
	return HSA_OK;
}

hsa_rc
vfy_signer_check(
    struct vfy_signer *s, const uint8_t sig[64], const void *p, size_t n)
{
	if (EVP_MD_CTX_reset(s->ctx) != 1 ||
	    EVP_DigestVerifyInit(s->ctx, NULL, NULL, NULL, s->pkey) != 1)
		return HSA_RC(E_CRYPTO);
	if (EVP_DigestVerify(s->ctx, sig, 64, p, n) != 1)
		return HSA_RC(E_SIGNATURE);
	return HSA_OK;
}

hsa_rc
vfy_signer_verify(struct vfy_signer *s, const struct vfy_note *n)
{
	if (strcmp(n->origin, s->key.origin) != 0 ||
	    memcmp(n->key_hash, s->key.key_hash, 4) != 0)
		return HSA_RC(E_SIGNATURE);
	return vfy_signer_check(s, n->signature, n->text, n->text_len);
}

hsa_rc
vfy_key_line(struct vfy_key *to, uint8_t type, const char *text, size_t n,
    struct hsa_diag *diag)
{
	static const char form[] =
	    "not a verifier key of the form <origin>+<8 hex digits>+<base64>";
	const uint8_t *p = (const uint8_t *)text, *plus;
	uint8_t raw[33], hash[HSA_SHA256_LEN];
	struct hsa_buf in = {0};
	struct vfy_key k = {0};
	size_t name;
	hsa_rc rc;

	plus = n == 0 ? NULL : memchr(p, '+', n);
	name = plus == NULL ? 0 : (size_t)(plus - p);
	if (!vfy_note_name(p, name) || n - name < 10 || p[name + 9] != '+')
		return hsa_fail(diag, HSA_RC(E_FORMAT), "%s", form);
	memcpy(k.origin, p, name);
	rc = hsa_unhex(k.key_hash, 4, text + name + 1, 8);
	if (hsa_is_ok(rc))
		rc = vfy_note_base64(
		    raw, sizeof(raw), p + name + 10, n - name - 10);
	if (!hsa_is_ok(rc))
		return hsa_fail(diag, rc, "%s", form);
	if (raw[0] != type)
		return hsa_fail(diag, HSA_RC(E_UNSUPPORTED),
		    "key type %u is not %u, %s", raw[0], type,
		    type == VFY_KEY_ED25519
			? "Ed25519"
			: "an Ed25519 cosignature of a witness");
	hsa_buf_put(&in, k.origin, name);
	hsa_buf_u8(&in, '\n');
	hsa_buf_put(&in, raw, sizeof(raw));
	HSA_TRY(rc, hsa_buf_rc(&in));
	HSA_TRY(rc, hsa_sha256(hash, in.p, in.len));
	if (memcmp(hash, k.key_hash, 4) != 0) {
		rc = hsa_fail(diag, HSA_RC(E_FORMAT),
		    "the key hash is not that of this origin and key: "
		    "the line was altered");
		goto out;
	}
	memcpy(k.public_key, raw + 1, sizeof(k.public_key));
	*to = k;
out:
	hsa_buf_free(&in);
	return rc;
}

hsa_rc
vfy_key_parse(
    struct vfy_key *k, const char *line, size_t n, struct hsa_diag *diag)
{
	return vfy_key_line(k, VFY_KEY_ED25519, line, n, diag);
}

const struct vfy_key *
vfy_keys_find(const struct vfy_keys *k, const char *origin)
{
	for (size_t i = 0; i < k->len; i++)
		if (strcmp(k->key[i].origin, origin) == 0)
			return &k->key[i];
	return NULL;
}

hsa_rc
vfy_key_put(struct vfy_keys *k, const struct vfy_key *key)
{
	struct vfy_key *more = reallocarray(k->key, k->len + 1, sizeof(*more));

	if (more == NULL)
		return HSA_RC(E_NOMEM);
	k->key = more;
	k->key[k->len++] = *key;
	return HSA_OK;
}

static hsa_rc
keys_add(struct vfy_keys *k, const struct vfy_key *key, struct hsa_diag *diag)
{
	const struct vfy_key *have = vfy_keys_find(k, key->origin);

	if (have != NULL && memcmp(have->public_key, key->public_key, 32) == 0)
		return HSA_OK;
	if (have != NULL)
		return hsa_fail(diag, HSA_RC(E_EXISTS),
		    "two different keys for %s: remove the wrong one",
		    key->origin);
	if (!hsa_is_ok(vfy_key_put(k, key)))
		return hsa_fail(diag, HSA_RC(E_NOMEM), "out of memory");
	return HSA_OK;
}

hsa_rc
vfy_keys_add(
    struct vfy_keys *k, const struct vfy_keys *more, struct hsa_diag *diag)
{
	hsa_rc rc = HSA_OK;

	for (size_t i = 0; i < more->len; i++)
		HSA_TRY(rc, keys_add(k, &more->key[i], diag));
out:
	return rc;
}

hsa_rc
vfy_key_text(struct vfy_keys *to, const char *text, size_t n,
    vfy_key_one_fn *one, vfy_key_add_fn *add, struct hsa_diag *diag)
{
	struct vfy_keys k = {0};
	struct vfy_key key;
	unsigned long number = 0;
	const char *lf;
	size_t len;
	hsa_rc rc = HSA_OK;

	for (; n > 0; text += len, n -= len) {
		number++;
		lf = memchr(text, '\n', n);
		len = lf == NULL ? n : (size_t)(lf - text);
		if (len > 0 && text[0] != '#') {
			rc = one(&key, text, len, diag);
			if (hsa_is_ok(rc))
				rc = add(&k, &key, diag);
			if (!hsa_is_ok(rc)) {
				hsa_diag_wrap(diag, "line %lu", number);
				goto out;
			}
		}
		if (lf != NULL)
			len++;
	}
	if (k.len == 0) {
		rc = hsa_fail(diag, HSA_RC(E_NOT_FOUND), "no key in it");
		goto out;
	}
	*to = k;
	k = (struct vfy_keys){0};
out:
	vfy_keys_free(&k);
	return rc;
}

hsa_rc
vfy_keys_parse(
    struct vfy_keys *k, const char *text, size_t n, struct hsa_diag *diag)
{
	return vfy_key_text(k, text, n, vfy_key_parse, keys_add, diag);
}

void
vfy_keys_free(struct vfy_keys *k)
{
	if (k == NULL)
		return;
	free(k->key);
	*k = (struct vfy_keys){0};
}

hsa_rc
vfy_key_file(struct hsa_buf *b, const char *what, const char *path,
    const char *fix, struct hsa_diag *diag)
{
	hsa_rc rc = vfy_file_slurp(b, path, KEYS_FILE_MAX);

	if (!hsa_is_ok(rc))
		hsa_diag_set(diag, "%s %s: %s; give %s", what, path,
		    rc.v == HSA_E_IO ? strerror(errno) : hsa_err_text(rc), fix);
	return rc;
}

hsa_rc
vfy_keys_load(struct vfy_keys *k, const char *path, struct hsa_diag *diag)
{
	struct hsa_buf b = {0};
	hsa_rc rc;

	HSA_TRY(rc, vfy_key_file(&b, "key file", path,
			"the unit's checkpoint.pub", diag));
	rc = vfy_keys_parse(k, (const char *)b.p, b.len, diag);
	if (!hsa_is_ok(rc))
		hsa_diag_wrap(diag, "key file %s", path);
out:
	hsa_buf_free(&b);
	return rc;
}

/* ".<number>" behind the id: 2 to 9999, no leading zero. 1: nothing there. */
static unsigned int
number_of(const char *s)
{
	unsigned int n = 0;

	if (s[0] == '\0')
		return 1;
	if (s[0] != '.' || s[1] < '1' || strlen(s + 1) > 4)
		return 0;
	for (s++; *s >= '0' && *s <= '9'; s++)
		n = 10 * n + (unsigned int)(*s - '0');
	return *s == '\0' && n > 1 ? n : 0;
}

hsa_rc
vfy_origin_log(
    uint8_t id[HSA_UUID_LEN], unsigned int *number, const char *origin)
{
	static const char prefix[] = "cryptounit/";
	uint8_t raw[HSA_UUID_LEN];
	char text[HSA_UUID_TEXT] = "", again[HSA_UUID_TEXT];
	unsigned int n;
	hsa_rc rc;

	if (strncmp(origin, prefix, sizeof(prefix) - 1) != 0)
		return HSA_RC(E_FORMAT);
	origin += sizeof(prefix) - 1;
	if (strlen(origin) < sizeof(text) - 1)
		return HSA_RC(E_FORMAT);
	memcpy(text, origin, sizeof(text) - 1);
	HSA_TRY(rc, hsa_uuid_parse(raw, text));
	hsa_uuid_text(again, raw);
	n = number_of(origin + sizeof(text) - 1);
	if (strcmp(again, text) != 0 || n == 0)
		return HSA_RC(E_FORMAT);
	memcpy(id, raw, sizeof(raw));
	*number = n;
out:
	return rc;
}

hsa_rc
vfy_origin_unit(uint8_t id[HSA_UUID_LEN], const char *origin)
{
	unsigned int number;

	return vfy_origin_log(id, &number, origin);
}
