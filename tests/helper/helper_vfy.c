#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper_left.h"
#include "helper_vfy.h"
#include "hsa_chain.h"
#include "hsa_call.h"
#include "hsa_catalogue.h"
#include "hsa_hash.h"

#define MUST(x)                                                                \
	do {                                                                   \
		if (!(x)) {                                                    \
			(void)fprintf(                                         \
			    stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);    \
			abort();                                               \
		}                                                              \
	} while (0)

/* ---- keys and notes ------------------------------------------------------ */

static void
key_hash(uint8_t to[4], const char *origin, EVP_PKEY *key)
{
	uint8_t pub[32], hash[32];
	struct hsa_buf in = {0};
	size_t n = sizeof(pub);

	MUST(EVP_PKEY_get_raw_public_key(key, pub, &n) == 1 && n == 32);
	hsa_buf_printf(&in, "%s\n", origin);
	hsa_buf_u8(&in, 1);
	hsa_buf_put(&in, pub, 32);
	MUST(hsa_is_ok(hsa_sha256(hash, in.p, in.len)));
	memcpy(to, hash, 4);
	hsa_buf_free(&in);
}

void
helper_vfy_note(struct hsa_buf *to, const char *origin, uint64_t size,
    const uint8_t root[32], EVP_PKEY *key)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct hsa_buf text = {0}, sig = {0};
	uint8_t raw[64], hash[4];
	size_t n = sizeof(raw);

	hsa_buf_printf(&text, "%s\n%" PRIu64 "\n", origin, size);
	hsa_base64(&text, root, 32);
	hsa_buf_u8(&text, '\n');
	MUST(EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1);
	MUST(EVP_DigestSign(ctx, raw, &n, text.p, text.len) == 1 && n == 64);
	key_hash(hash, origin, key);
	hsa_buf_put(&sig, hash, 4);
	hsa_buf_put(&sig, raw, 64);
	hsa_buf_put(to, text.p, text.len);
	hsa_buf_printf(to, "\n\xe2\x80\x94 %s ", origin);
	hsa_base64(to, sig.p, sig.len);
	hsa_buf_u8(to, '\n');
	MUST(hsa_is_ok(hsa_buf_rc(to)));
	EVP_MD_CTX_free(ctx);
	hsa_buf_free(&text);
	hsa_buf_free(&sig);
}

void
helper_vfy_init(struct helper_vfy_log *l, uint8_t seed)
{
	helper_vfy_init_log(l, seed, 1);
}

void
helper_vfy_init_log(struct helper_vfy_log *l, uint8_t seed, unsigned int number)
{
	uint8_t secret[32], hash[4], raw[33] = {1};
	struct hsa_buf b = {0};
	char hex[9];
	size_t n = 32;

	*l = (struct helper_vfy_log){0};
	memset(secret, seed, sizeof(secret));
	memset(l->unit_id, seed, sizeof(l->unit_id));
	hsa_uuid_text(l->unit, l->unit_id);
	(void)snprintf(l->origin, sizeof(l->origin), "cryptounit/%s", l->unit);
	if (number > 1)
		(void)snprintf(l->origin, sizeof(l->origin), "cryptounit/%s.%u",
		    l->unit, number);
	l->key =
	    EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, 32);
	MUST(l->key != NULL);
	MUST(EVP_PKEY_get_raw_public_key(l->key, l->public_key, &n) == 1);
	memcpy(raw + 1, l->public_key, 32);
	key_hash(hash, l->origin, l->key);
	hsa_hex(hex, hash, 4);
	hsa_buf_printf(&b, "%s+%s+", l->origin, hex);
	hsa_base64(&b, raw, 33);
	(void)snprintf(
	    l->key_line, sizeof(l->key_line), "%s\n", hsa_buf_cstr(&b));
	hsa_buf_free(&b);
}

void
helper_vfy_free(struct helper_vfy_log *l)
{
	for (size_t i = 0; i < l->n; i++)
		hsa_buf_free(&l->leaf[i]);
	free(l->leaf);
	for (size_t i = 0; i < l->files; i++)
		hsa_buf_free(&l->file[i].b);
	hsa_buf_free(&l->head);
	hsa_buf_free(&l->note);
	EVP_PKEY_free(l->key);
	*l = (struct helper_vfy_log){0};
}

/* ---- the tree, from its definition --------------------------------------- */

static void
subtree(uint8_t root[32], const struct helper_vfy_log *l, size_t from, size_t n)
{
	uint8_t in[65] = {1};
	struct hsa_buf leaf = {0};
	size_t k = 1;

	if (n == 1) {
		hsa_buf_u8(&leaf, 0);
		hsa_buf_put(&leaf, l->leaf[from].p, l->leaf[from].len);
		MUST(hsa_is_ok(hsa_sha256(root, leaf.p, leaf.len)));
		hsa_buf_free(&leaf);
		return;
	}
	while (2 * k < n)
		k *= 2;
	subtree(in + 1, l, from, k);
	subtree(in + 33, l, from + k, n - k);
	MUST(hsa_is_ok(hsa_sha256(root, in, sizeof(in))));
}

void
helper_vfy_root(uint8_t root[32], const struct helper_vfy_log *l, size_t n)
{
	if (n == 0)
		MUST(hsa_is_ok(hsa_sha256(root, NULL, 0)));
	else
		subtree(root, l, 0, n);
}

static size_t
frontier(uint8_t (*to)[32], const struct helper_vfy_log *l)
{
	size_t from = 0, count = 0;

	for (size_t k = (size_t)1 << 30; k > 0; k /= 2) {
		if ((l->n & k) == 0)
			continue;
		subtree(to[count++], l, from, k);
		from += k;
	}
	return count;
}

/* ---- entries ------------------------------------------------------------- */

static struct helper_vfy_file *
note_entry(struct helper_vfy_log *l, enum hsa_entry_kind kind)
{
	struct helper_vfy_file *f = &l->file[l->files - 1];

	MUST(l->files > 0 && l->entries < HELPER_VFY_ENTRIES);
	l->entry[l->entries++] = (struct helper_vfy_entry){
	    .kind = kind,
	    .file = l->files - 1,
	    .offset = f->b.len,
	    .sequence = l->n,
	};
	return f;
}

static void
entry_done(struct helper_vfy_log *l)
{
	struct helper_vfy_entry *e = &l->entry[l->entries - 1];

	MUST(hsa_is_ok(hsa_buf_rc(&l->file[e->file].b)));
	e->len = l->file[e->file].b.len - e->offset;
}

void
helper_vfy_segment(struct helper_vfy_log *l)
{
	uint8_t f[64][32];
	size_t n = frontier(f, l);

	MUST(l->files < HELPER_VFY_FILES);
	(void)snprintf(l->file[l->files].name, 32, "seg-%016zx.slog", l->n);
	l->files++;
	MUST(hsa_is_ok(
	    hsa_entry_encode_header(&note_entry(l, HSA_ENTRY_HEADER)->b,
		l->origin, l->n, (const uint8_t(*)[32])f, n, l->source_last)));
	entry_done(l);
}

void
helper_vfy_raw(struct helper_vfy_log *l, const void *p, size_t n)
{
	if (l->n == l->cap) {
		l->cap = l->cap == 0 ? 64 : 2 * l->cap;
		l->leaf = reallocarray(l->leaf, l->cap, sizeof(*l->leaf));
		MUST(l->leaf != NULL);
	}
	hsa_entry_encode_record(&note_entry(l, HSA_ENTRY_RECORD)->b, p, n);
	l->leaf[l->n] = (struct hsa_buf){0};
	hsa_buf_put(&l->leaf[l->n++], p, n);
	entry_done(l);
}

void
helper_vfy_forge(struct helper_vfy_log *l, const char *origin, uint64_t size,
    const uint8_t root[32], EVP_PKEY *key)
{
	hsa_buf_reset(&l->note);
	helper_vfy_note(&l->note, origin, size, root, key);
	hsa_entry_encode_checkpoint(
	    &note_entry(l, HSA_ENTRY_CHECKPOINT)->b, l->note.p, l->note.len);
	entry_done(l);
	hsa_buf_reset(&l->head);
	hsa_buf_put(&l->head, l->note.p, l->note.len);
}

void
helper_vfy_checkpoint(struct helper_vfy_log *l)
{
	uint8_t root[32];

	helper_vfy_root(root, l, l->n);
	helper_vfy_forge(l, l->origin, l->n, root, l->key);
}

/* ---- records ------------------------------------------------------------- */

static char *
copy(const char *s)
{
	char *c = strdup(s);

	MUST(c != NULL);
	return c;
}

void
helper_vfy_make(const struct helper_vfy_log *l, struct hsa_record *r)
{
	*r = (struct hsa_record){
	    .epoch = l->epoch,
	    .wall_ns = UINT64_C(1763807400000000000) + l->n * 1000000000,
	    .mono_ns = 5000 + l->n,
	    .source = HSA_SOURCE_OUTBOX,
	    .source_sequence = l->source_last[HSA_SOURCE_OUTBOX] + 1,
	    .ep11_rc = 3,
	    .body = HSA_BODY_SPECIAL,
	};
	memcpy(r->unit_id, l->unit_id, HSA_UUID_LEN);
	r->special.category = 8;
	r->special.name = copy("REQUEST_REFUSED");
	r->special.text = copy("not for this unit");
}

void
helper_vfy_put(
    struct helper_vfy_log *l, const struct hsa_record *r, uint64_t sequence)
{
	struct hsa_buf rest = {0}, whole = {0};

	MUST(hsa_is_ok(hsa_record_encode(&rest, r)));
	hsa_record_seal(&whole, sequence, rest.p, rest.len);
	MUST(hsa_is_ok(hsa_buf_rc(&whole)));
	helper_vfy_raw(l, whole.p, whole.len);
	if (r->body != HSA_BODY_COMPACT)
		l->epoch = r->epoch;
	l->source_last[r->source] = r->source_sequence;
	hsa_buf_free(&rest);
	hsa_buf_free(&whole);
}

void
helper_vfy_special(struct helper_vfy_log *l)
{
	struct hsa_record r;

	helper_vfy_make(l, &r);
	helper_vfy_put(l, &r, l->n);
	hsa_record_free(&r);
}

void
helper_vfy_chain(const struct helper_vfy_log *l, struct hsa_chain *chain)
{
	char old[80];
	size_t n;

	(void)snprintf(old, sizeof(old), "%s", l->origin);
	n = strcspn(old, ".");
	if (strcmp(old + n, ".2") == 0)
		old[n] = '\0';
	else if (old[n] != '\0')
		(void)snprintf(
		    old + n, sizeof(old) - n, ".%d", atoi(old + n + 1) - 1);
	*chain = (struct hsa_chain){.old_origin = copy(old),
	    .verified = 30,
	    .found = 41,
	    .rule = copy("V6"),
	    .place = copy("seg-0000000000000000.slog, byte 77"),
	    .finding = copy("the signed root is not that of the records"),
	    .at = 30,
	    .outbox_last = 20,
	    .use_last = 10,
	    .outbox_lost = 1,
	    .use_lost = 2,
	    .by = copy("tester"),
	    .reason = copy("it was broken")};
}

void
helper_vfy_new_chain(struct helper_vfy_log *l, const struct hsa_chain *chain)
{
	struct hsa_record r;

	helper_vfy_make(l, &r);
	r.source = HSA_SOURCE_SEALER;
	r.source_sequence = l->source_last[HSA_SOURCE_SEALER] + 1;
	r.ep11_rc = 0;
	r.special.category = 11;
	r.special.specific = 0xffff0006;
	free(r.special.name);
	r.special.name = copy("NEW_CHAIN");
	MUST(hsa_is_ok(hsa_chain_put(&r.special.details, chain)));
	helper_vfy_put(l, &r, l->n);
	l->source_last[HSA_SOURCE_OUTBOX] = chain->outbox_last;
	l->source_last[HSA_SOURCE_USE] = chain->use_last;
	hsa_record_free(&r);
}

void
helper_vfy_start(struct helper_vfy_log *l)
{
	struct hsa_record r;

	helper_vfy_make(l, &r);
	r.epoch++;
	r.ep11_rc = 0;
	r.special.category = 3;
	free(r.special.name);
	r.special.name = copy("UNIT_START");
	helper_vfy_put(l, &r, l->n);
	hsa_record_free(&r);
}

static void
make_event(const struct helper_vfy_log *l, struct hsa_record *r,
    enum hsa_action action, const char *failure)
{
	struct hsa_initiator who = {
	    .id = copy("IBMid-1"),
	    .name = copy("a@example.com"),
	    .type_uri = copy("service/security/account/user"),
	    .credential_type = copy("user"),
	};
	struct hsa_data request = {0}, response = {0};
	struct hsa_event_args args = {
	    .action = action,
	    .status = failure != NULL ? 500 : 200,
	    .reason_failure = failure,
	    .time_ns = UINT64_C(1763807400000000000) + l->n * 1000000000,
	    .log_source_crn = "crn:v1:x",
	    .correlation_id = r->source != HSA_SOURCE_OUTBOX
				  ? "b7c1a1de-3f46-4c8e-9a53-0f2f5c2b6e77"
				  : NULL,
	    .target_id = "crn:v1:x:unit",
	    .target_name = "[us-south].[AZ1-CS1].[00].[03]",
	    .initiator = &who,
	    .request = &request,
	    .response = &response,
	};
	struct hsa_diag diag = {{0}};
	hsa_rc rc;

	free(r->special.name);
	free(r->special.text);
	r->special = (struct hsa_special){0};
	r->body = HSA_BODY_EVENT;
	rc = hsa_event_build(&r->event, &args, &diag);
	if (!hsa_is_ok(rc))
		(void)fprintf(stderr, "event: %s\n", diag.text);
	MUST(hsa_is_ok(rc));
	/* the same bytes in every run */
	memset(r->event.id, 0x55, sizeof(r->event.id));
	r->event.id[14] = (uint8_t)(l->n >> 8);
	r->event.id[15] = (uint8_t)l->n;
	hsa_initiator_free(&who);
	hsa_data_free(&request);
	hsa_data_free(&response);
}

static void
put_event(struct helper_vfy_log *l, struct hsa_record *r,
    enum hsa_action action, const char *failure)
{
	make_event(l, r, action, failure);
	helper_vfy_put(l, r, l->n);
	hsa_record_free(r);
}

void
helper_vfy_event(struct helper_vfy_log *l)
{
	struct hsa_record r;

	helper_vfy_make(l, &r);
	r.ep11_rc = 208;
	r.ep11_reason = 21;
	r.has_command_id = true;
	memset(r.command_id, 0x33, sizeof(r.command_id));
	r.signer_id = calloc(1, sizeof(*r.signer_id));
	MUST(r.signer_id != NULL);
	memset(r.signer_id[0], 0x44, sizeof(r.signer_id[0]));
	r.signer_len = 1;
	put_event(l, &r, HSA_ACTION_TKE_THRESHOLD_SET, "too few signatures");
}

static struct hsa_use
use_of(void)
{
	struct hsa_use u = {
	    .function = HSA_FN_ENCRYPT_SINGLE,
	    .mechanism = 0x1085, /* CKM_AES_CBC_PAD */
	    .has_key_id = true,
	    .bytes_in = 1024,
	    .bytes_out = 1040,
	    .duration_ns = 31415,
	};

	memset(u.key_id, 0x66, sizeof(u.key_id));
	return u;
}

void
helper_vfy_use(struct helper_vfy_log *l)
{
	struct hsa_record r;

	helper_vfy_make(l, &r);
	r.source = HSA_SOURCE_USE;
	r.source_sequence = l->source_last[HSA_SOURCE_USE] + 1;
	r.ep11_rc = 0;
	r.has_use = true;
	r.use = use_of();
	put_event(l, &r, HSA_ACTION_EP11_USE, NULL);
}

void
helper_vfy_opened(struct helper_vfy_log *l)
{
	uint64_t before = l->epoch;
	struct hsa_record r;

	helper_vfy_make(l, &r);
	r.source = HSA_SOURCE_SEALER;
	r.source_sequence = l->source_last[HSA_SOURCE_SEALER] + 1;
	r.epoch = l->epoch == 0 ? 1 : l->epoch;
	r.ep11_rc = 0;
	r.special.category = 2;
	free(r.special.name);
	r.special.name = copy("SEGMENT_OPENED");
	helper_vfy_put(l, &r, l->n);
	if (l->n == 1)
		l->epoch = before; /* the first start makes 0 1 */
	hsa_record_free(&r);
}

void
helper_vfy_context(struct helper_vfy_log *l)
{
	struct hsa_record r;

	helper_vfy_make(l, &r);
	r.source = HSA_SOURCE_SEALER;
	r.source_sequence = l->source_last[HSA_SOURCE_SEALER] + 1;
	r.ep11_rc = 0;
	make_event(l, &r, HSA_ACTION_EP11_USE, NULL);
	r.body = HSA_BODY_CONTEXT;
	/* a base, which the numbers of the calls make different */
	memset(r.event.id, 0x55, sizeof(r.event.id));
	r.event.event_time_ns = 0;
	free(r.event.correlation_id);
	r.event.correlation_id = NULL;
	r.has_session = true;
	memset(r.session, 0x77, sizeof(r.session));
	helper_vfy_put(l, &r, l->n);
	hsa_record_free(&r);
}

void
helper_vfy_released(struct helper_vfy_log *l, int64_t before)
{
	struct hsa_record r = {0};

	helper_vfy_make(l, &r);
	free(r.special.name);
	r.special.name = copy("LOG_RELEASED");
	hsa_data_free(&r.special.details);
	MUST(hsa_is_ok(hsa_data_integer(&r.special.details, "before", before)));
	helper_vfy_put(l, &r, l->n);
	hsa_record_free(&r);
	helper_vfy_checkpoint(l);
}

void
helper_vfy_compact(struct helper_vfy_log *l, uint64_t context)
{
	struct hsa_record r = {
	    .wall_ns = UINT64_C(1763807400000000000) + l->n * 1000000000,
	    .mono_ns = 5000 + l->n,
	    .source = HSA_SOURCE_USE,
	    .source_sequence = l->source_last[HSA_SOURCE_USE] + 1,
	    .has_use = true,
	    .use = use_of(),
	    .body = HSA_BODY_COMPACT,
	    .compact = {.context = context, .has_correlation_id = true},
	};

	memset(r.compact.correlation_id, 0x88, HSA_UUID_LEN);
	helper_vfy_put(l, &r, l->n);
}

void
helper_vfy_fill(
    struct helper_vfy_log *l, size_t n, size_t batch, size_t per_segment)
{
	size_t in_batch = 0, in_segment = 0;

	helper_vfy_segment(l);
	for (size_t i = 0; i < n; i++) {
		if (in_segment >= per_segment && in_batch == 0) {
			helper_vfy_segment(l);
			in_segment = 0;
		}
		if (i == 0 || i == n / 2 + 1)
			helper_vfy_start(l);
		else if (i % 6 == 3)
			helper_vfy_use(l);
		else if (i % 3 == 0)
			helper_vfy_event(l);
		else
			helper_vfy_special(l);
		in_segment++;
		if (++in_batch == batch) {
			helper_vfy_checkpoint(l);
			in_batch = 0;
		}
	}
	if (in_batch != 0 || n == 0)
		helper_vfy_checkpoint(l);
}

void
helper_vfy_fill_calls(
    struct helper_vfy_log *l, size_t n, size_t batch, size_t per_segment)
{
	size_t in_batch = 0, in_segment = per_segment;
	uint64_t context[2] = {0, 0};

	for (size_t i = 0; i < n; i++) {
		if (in_segment >= per_segment && in_batch == 0) {
			helper_vfy_segment(l);
			helper_vfy_opened(l);
			in_segment = 0;
			context[0] = context[1] = 0;
		} else if (l->epoch == 0 || i == n / 2 + 1) {
			helper_vfy_start(l);
			context[0] = context[1] = 0;
		} else if (i % 7 == 0 || context[0] == 0) {
			context[1] = context[0];
			context[0] = l->n;
			helper_vfy_context(l);
		} else if (i % 5 == 0) {
			helper_vfy_event(l);
		} else {
			helper_vfy_compact(
			    l, context[1] != 0 ? context[i % 2] : context[0]);
		}
		in_segment++;
		if (++in_batch == batch) {
			helper_vfy_checkpoint(l);
			in_batch = 0;
		}
	}
	if (in_batch != 0)
		helper_vfy_checkpoint(l);
}

/* ---- files --------------------------------------------------------------- */

void
helper_vfy_put_file(const char *dir, const char *name, const void *p, size_t n)
{
	char path[512];
	FILE *f;

	MUST((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) <
	     sizeof(path));
	f = fopen(path, "wb");
	MUST(f != NULL);
	MUST(n == 0 || fwrite(p, 1, n, f) == n);
	MUST(fclose(f) == 0);
}

void
helper_vfy_write(const struct helper_vfy_log *l, const char *dir)
{
	helper_vfy_rmdir(dir);
	MUST(mkdir(dir, 0700) == 0);
	for (size_t i = 0; i < l->files; i++)
		helper_vfy_put_file(
		    dir, l->file[i].name, l->file[i].b.p, l->file[i].b.len);
	if (l->head.len != 0)
		helper_vfy_put_file(dir, "head", l->head.p, l->head.len);
}

void
helper_vfy_tmpdir(char to[64])
{
	(void)snprintf(to, 64, "/dev/shm/vfy-XXXXXX");
	if (mkdtemp(to) == NULL) {
		(void)snprintf(to, 64, "/tmp/vfy-XXXXXX");
		MUST(mkdtemp(to) != NULL);
	}
	helper_left(to);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
helper_vfy_rmdir(const char *dir)
{
	(void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
