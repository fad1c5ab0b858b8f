#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tkc_ring.h"

static const char SIGKEY[] = ".sigkey";
static const char PART[] = ".mkpart";

static const char *
kind_text(enum tkc_keyfile_kind kind)
{
	return kind == TKC_KEYFILE_SIGKEY ? "signature key" : "key part";
}

static void
key_free(struct tkc_key *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_free(k->key);
	OPENSSL_secure_clear_free(k->part, TKE_PART_LEN);
	tkc_keyfile_free(&k->file);
	free(k);
}

static void
keys_free(struct tkc_keys *keys)
{
	size_t i;

	for (i = 0; i < keys->len; i++)
		key_free(keys->key[i]);
	free(keys->key);
	*keys = (struct tkc_keys){0};
}

static int
compare_keys(const void *a, const void *b)
{
	const struct tkc_key *x = *(struct tkc_key *const *)a;
	const struct tkc_key *y = *(struct tkc_key *const *)b;
	int c = strcmp(x->name, y->name);

	return c != 0 ? c : memcmp(x->file.id, y->file.id, sizeof(x->file.id));
}

static hsa_rc
keys_insert(struct tkc_keys *keys, struct tkc_key *k)
{
	struct tkc_key **more =
	    realloc(keys->key, (keys->len + 1) * sizeof(*more));

	if (more == NULL)
		return HSA_RC(E_NOMEM);
	keys->key = more;
	more[keys->len++] = k;
	qsort(more, keys->len, sizeof(*more), compare_keys);
	return HSA_OK;
}

static void
name_of(struct tkc_key *k, const char *suffix)
{
	size_t n = strlen(k->file_name) - strlen(suffix);

	if (n > TKC_LABEL_MAX)
		n = TKC_LABEL_MAX;
	if (k->file.label[0] != '\0')
		snprintf(k->name, sizeof(k->name), "%s", k->file.label);
	else
		snprintf(
		    k->name, sizeof(k->name), "%.*s", (int)n, k->file_name);
}

static hsa_rc
load_one(struct tkc_ring *r, struct tkc_keys *keys, const char *name,
    enum tkc_keyfile_kind kind, const char *suffix)
{
	struct tkc_key *k = calloc(1, sizeof(*k));
	struct hsa_buf text = {0};
	struct hsa_diag diag = {.text = ""};
	hsa_rc rc;

	if (k == NULL)
		return HSA_RC(E_NOMEM);
	snprintf(k->file_name, sizeof(k->file_name), "%s", name);
	rc = tkc_files_read(r->files, &text, name, &diag);
	if (hsa_is_ok(rc))
		rc = tkc_keyfile_parse(
		    &k->file, kind, hsa_buf_cstr(&text), text.len, &diag);
	if (!hsa_is_ok(rc)) {
		hsa_diag_set(&r->unreadable, "skipped key file %s/%s: %s",
		    r->files->path, name,
		    diag.text[0] != '\0' ? diag.text : hsa_err_text(rc));
		rc = rc.v == HSA_E_NOMEM ? rc : HSA_OK;
		goto out;
	}
	name_of(k, suffix);
	HSA_TRY(rc, keys_insert(keys, k));
	k = NULL;
out:
	key_free(k);
	hsa_buf_free(&text);
	return rc;
}

static hsa_rc
load_kind(struct tkc_ring *r, struct tkc_keys *keys, enum tkc_keyfile_kind kind,
    const char *suffix, struct hsa_diag *diag)
{
	struct tkc_names names = {0};
	size_t i;
	hsa_rc rc;

	HSA_TRY(rc, tkc_files_list(r->files, &names, suffix, diag));
	for (i = 0; i < names.len; i++)
		HSA_TRY(rc, load_one(r, keys, names.name[i], kind, suffix));
out:
	tkc_names_free(&names);
	return rc;
}

hsa_rc
tkc_ring_load(struct tkc_ring *r, const struct tkc_files *files,
    const struct tkc_passwords *passwords, struct hsa_diag *diag)
{
	struct tkc_ring made = {.files = files,
	    .passwords = passwords,
	    .iterations = TKC_ITERATIONS};
	hsa_rc rc;

	HSA_TRY(rc,
	    load_kind(&made, &made.sigkeys, TKC_KEYFILE_SIGKEY, SIGKEY, diag));
	HSA_TRY(
	    rc, load_kind(&made, &made.parts, TKC_KEYFILE_PART, PART, diag));
	*r = made;
	return HSA_OK;
out:
	tkc_ring_free(&made);
	return rc;
}

void
tkc_ring_free(struct tkc_ring *r)
{
	if (r == NULL)
		return;
	keys_free(&r->sigkeys);
	keys_free(&r->parts);
	*r = (struct tkc_ring){0};
}

struct tkc_key *
tkc_keys_by_id(const struct tkc_keys *keys, const uint8_t id[HSA_SHA256_LEN])
{
	size_t i;

	for (i = 0; i < keys->len; i++)
		if (memcmp(keys->key[i]->file.id, id, HSA_SHA256_LEN) == 0)
			return keys->key[i];
	return NULL;
}

/* Index of a number as listed, from 1; len or more when it is none. */
static size_t
number_of(const char *text)
{
	size_t v = 0, i;

	for (i = 0; i < 6 && text[i] >= '0' && text[i] <= '9'; i++)
		v = v * 10 + (size_t)(text[i] - '0');
	return text[i] == '\0' && v > 0 ? v - 1 : SIZE_MAX;
}

static bool
has_prefix(const struct tkc_key *k, const char *text)
{
	char hex[2 * HSA_SHA256_LEN + 1];
	size_t n = strlen(text);

	hsa_hex(hex, k->file.id, HSA_SHA256_LEN);
	return n >= 4 && n < sizeof(hex) && strncasecmp(hex, text, n) == 0;
}

hsa_rc
tkc_keys_find(struct tkc_key **k, const struct tkc_keys *keys, const char *what,
    const char *text, struct hsa_diag *diag)
{
	struct tkc_key *found = NULL;
	size_t hits = 0, i;

	for (i = 0; i < keys->len; i++)
		if (strcmp(keys->key[i]->name, text) == 0) {
			found = keys->key[i];
			hits++;
		}
	if (hits == 0 && number_of(text) < keys->len) {
		found = keys->key[number_of(text)];
		hits = 1;
	}
	for (i = 0; found == NULL && i < keys->len; i++)
		if (has_prefix(keys->key[i], text))
			hits++;
	for (i = 0; found == NULL && hits == 1 && i < keys->len; i++)
		if (has_prefix(keys->key[i], text))
			found = keys->key[i];
	if (hits > 1)
		return hsa_fail(diag, HSA_RC(E_ARG),
		    "\"%s\" means more than one %s: use its number or more "
		    "digits of its id",
		    text, what);
	if (found == NULL)
		return hsa_fail(diag, HSA_RC(E_NOT_FOUND),
		    "no %s \"%s\": list them with tke %s", what, text,
		    strcmp(what, "key part") == 0 ? "mks" : "sigkeys");
	*k = found;
	return HSA_OK;
}

static hsa_rc
open_with(struct tkc_key *k, const struct hsa_buf *password)
{
	uint8_t *part = NULL;
	hsa_rc rc;

	if (k->file.kind == TKC_KEYFILE_SIGKEY)
		return tkc_keyfile_open_key(&k->key, &k->file, password);
	part = OPENSSL_secure_zalloc(TKE_PART_LEN);
	if (part == NULL)
		return HSA_RC(E_NOMEM);
	HSA_TRY(rc, tkc_keyfile_open_part(part, &k->file, password));
	k->part = part;
	part = NULL;
out:
	OPENSSL_secure_clear_free(part, TKE_PART_LEN);
	return rc;
}

hsa_rc
tkc_ring_unlock(struct tkc_ring *r, struct tkc_key *k, struct hsa_diag *diag)
{
	const char *what = kind_text(k->file.kind);
	struct hsa_buf password = {0};
	hsa_rc rc;

	if (k->key != NULL || k->part != NULL)
		return HSA_OK;
	HSA_TRY(rc, tkc_passwords_get(
			r->passwords, &password, what, k->name, false, diag));
	rc = open_with(k, &password);
	if (rc.v == HSA_E_PASSWORD)
		hsa_diag_set(diag,
		    "wrong password for %s %s, or its file %s was changed",
		    what, k->name, k->file_name);
	else if (!hsa_is_ok(rc))
		hsa_diag_set(diag,
		    "%s %s: its file %s does not hold what it names: %s", what,
		    k->name, k->file_name, hsa_err_text(rc));
out:
	hsa_buf_free(&password);
	return rc;
}

static bool
printable(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr(" '()+,-./:=?", c));
}

hsa_rc
tkc_name_check(const char *name, struct hsa_diag *diag)
{
	size_t n = strlen(name), i;
	bool only_digits = true;

	for (i = 0; i < n && printable(name[i]); i++)
		only_digits = only_digits && name[i] >= '0' && name[i] <= '9';
	if (n == 0 || n > TKE_NAME_MAX || i < n || name[0] == ' ' ||
	    name[n - 1] == ' ')
		return hsa_fail(diag, HSA_RC(E_ARG),
		    "\"%.40s\" is not a name of a signature key: use 1 to %d "
		    "letters, digits, blanks or '()+,-./:=?",
		    name, TKE_NAME_MAX);
	if (only_digits)
		return hsa_fail(diag, HSA_RC(E_ARG),
		    "a name of digits only (\"%s\") would be taken for a "
		    "number in the list: add a letter",
		    name);
	return HSA_OK;
}

/* Store a sealed key file under its id and take the key into the ring. */
static hsa_rc
keep(struct tkc_ring *r, struct tkc_keys *keys, struct tkc_key *k,
    const char *suffix, struct hsa_diag *diag)
{
	struct hsa_buf text = {0};
	char hex[17];
	hsa_rc rc;

	hsa_hex(hex, k->file.id, 8);
	snprintf(k->file_name, sizeof(k->file_name), "%s%s", hex, suffix);
	name_of(k, suffix);
	HSA_TRY(rc, tkc_keyfile_render(&text, &k->file));
	HSA_TRY(rc,
	    tkc_files_create(r->files, k->file_name, text.p, text.len, diag));
	HSA_TRY(rc, keys_insert(keys, k));
out:
	hsa_buf_free(&text);
	return rc;
}

hsa_rc
tkc_ring_add_sigkey(struct tkc_ring *r, struct tkc_key **k, const char *name,
    enum tke_key_type type, struct hsa_diag *diag)
{
	struct tkc_key *made = calloc(1, sizeof(*made));
	struct hsa_buf password = {0};
	size_t i;
	hsa_rc rc;

	if (made == NULL)
		return HSA_RC(E_NOMEM);
	HSA_TRY(rc, tkc_name_check(name, diag));
	for (i = 0; i < r->sigkeys.len; i++)
		if (strcmp(r->sigkeys.key[i]->name, name) == 0) {
			rc = hsa_fail(diag, HSA_RC(E_EXISTS),
			    "there is a signature key named %s already: choose "
			    "another name or remove it with tke sigkey-rm",
			    name);
			goto out;
		}
	HSA_TRY(rc, tkc_passwords_get(r->passwords, &password, "signature key",
			name, true, diag));
	HSA_TRY(rc, tkc_key_new(&made->key, type));
	HSA_TRY(rc, tkc_keyfile_seal_key(&made->file, made->key, name,
			&password, r->iterations));
	HSA_TRY(rc, keep(r, &r->sigkeys, made, SIGKEY, diag));
	*k = made;
	made = NULL;
out:
	key_free(made);
	hsa_buf_free(&password);
	return rc;
}

static hsa_rc
check_description(const char *text, struct hsa_diag *diag)
{
	size_t n = strlen(text), i;

	for (i = 0; i < n; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			break;
	if (n > TKC_LABEL_MAX || i < n)
		return hsa_fail(diag, HSA_RC(E_ARG),
		    "description: at most %d printable characters",
		    TKC_LABEL_MAX);
	return HSA_OK;
}

hsa_rc
tkc_ring_add_part(struct tkc_ring *r, struct tkc_key **k,
    const char *description, const uint8_t *value, struct hsa_diag *diag)
{
	struct tkc_key *made = calloc(1, sizeof(*made));
	struct hsa_buf password = {0};
	hsa_rc rc;

	if (made == NULL)
		return HSA_RC(E_NOMEM);
	HSA_TRY(rc, check_description(description, diag));
	made->part = OPENSSL_secure_zalloc(TKE_PART_LEN);
	if (made->part == NULL) {
		rc = HSA_RC(E_NOMEM);
		goto out;
	}
	if (value != NULL)
		memcpy(made->part, value, TKE_PART_LEN);
	else
		HSA_TRY(rc, hsa_random(made->part, TKE_PART_LEN));
	HSA_TRY(rc, tkc_passwords_get(r->passwords, &password, "key part",
			description, true, diag));
	HSA_TRY(rc, tkc_keyfile_seal_part(&made->file, made->part, description,
			&password, r->iterations));
	if (tkc_keys_by_id(&r->parts, made->file.id) != NULL) {
		rc = hsa_fail(diag, HSA_RC(E_EXISTS),
		    "a key part with this value is there already: see tke mks");
		goto out;
	}
	HSA_TRY(rc, keep(r, &r->parts, made, PART, diag));
	*k = made;
	made = NULL;
out:
	key_free(made);
	hsa_buf_free(&password);
	return rc;
}

hsa_rc
tkc_ring_remove(struct tkc_ring *r, struct tkc_key *k, struct hsa_diag *diag)
{
	struct tkc_keys *keys =
	    k->file.kind == TKC_KEYFILE_SIGKEY ? &r->sigkeys : &r->parts;
	size_t i;
	hsa_rc rc;

	HSA_TRY(rc, tkc_files_remove(r->files, k->file_name, diag));
	for (i = 0; i < keys->len && keys->key[i] != k; i++)
		;
	keys->len--;
	memmove(&keys->key[i], &keys->key[i + 1],
	    (keys->len - i) * sizeof(keys->key[0]));
	key_free(k);
out:
	return rc;
}
