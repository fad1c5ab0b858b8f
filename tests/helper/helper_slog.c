#include <dirent.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper_left.h"
#include "helper_slog.h"
#include "hsa_codec.h"
#include "slog_impl.h"

#define MUST(x)                                                                \
	do {                                                                   \
		if (!(x)) {                                                    \
			(void)fprintf(                                         \
			    stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);    \
			abort();                                               \
		}                                                              \
	} while (0)

static hsa_rc
sign(void *ctx, uint8_t sig[64], const void *msg, size_t n)
{
	struct helper_slog *h = ctx;
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	size_t len = 64;

	MUST(c != NULL);
	if (++h->signs == h->fail_sign) {
		EVP_MD_CTX_free(c);
		return HSA_RC(E_TOKEN);
	}
	MUST(EVP_DigestSignInit(c, NULL, NULL, NULL, h->key) == 1);
	MUST(EVP_DigestSign(c, sig, &len, msg, n) == 1 && len == 64);
	EVP_MD_CTX_free(c);
	return HSA_OK;
}

void
helper_slog_init(struct helper_slog *h)
{
	static const uint8_t seed[32] = {7, 1, 9, 4};
	size_t n = 32;

	memset(h, 0, sizeof(*h));
	/* memory where there is some: damage tests sync thousands of times */
	(void)snprintf(h->base, sizeof(h->base), "/dev/shm/slog-test-XXXXXX");
	if (mkdtemp(h->base) == NULL) {
		(void)snprintf(
		    h->base, sizeof(h->base), "/tmp/slog-test-XXXXXX");
		MUST(mkdtemp(h->base) != NULL);
	}
	helper_left(h->base);
	(void)snprintf(h->dir, sizeof(h->dir), "%s/log", h->base);
	h->key = EVP_PKEY_new_raw_private_key(
	    EVP_PKEY_ED25519, NULL, seed, sizeof(seed));
	MUST(h->key != NULL);
	h->cfg.dir = h->dir;
	h->cfg.origin = HELPER_ORIGIN;
	h->cfg.sign = sign;
	h->cfg.sign_ctx = h;
	MUST(EVP_PKEY_get_raw_public_key(h->key, h->cfg.public_key, &n) == 1);
}

void
helper_slog_free(struct helper_slog *h)
{
	EVP_PKEY_free(h->key);
	helper_dir_remove(h->base);
}

struct slog *
helper_slog_open(struct helper_slog *h)
{
	struct hsa_diag diag = {{0}};
	struct slog *l = NULL;
	hsa_rc rc = slog_open(&l, &h->cfg, &diag);

	if (!hsa_is_ok(rc)) {
		(void)fprintf(
		    stderr, "slog_open: %s: %s\n", hsa_err_name(rc), diag.text);
		abort();
	}
	return l;
}

static void
unit_id(struct hsa_record *r)
{
	for (uint8_t i = 0; i < HSA_UUID_LEN; i++)
		r->unit_id[i] = i;
	r->unit_id[6] = 0x46;
	r->unit_id[8] = 0x88;
}

void
helper_slog_record(struct hsa_buf *b, uint64_t number, size_t text_len)
{
	static char name[] = "UNIT_START";
	struct hsa_record r = {0};
	char *text = malloc(text_len + 1);

	MUST(text != NULL);
	for (size_t i = 0; i < text_len; i++)
		text[i] = (char)('a' + (number + i) % 26);
	text[text_len] = '\0';
	unit_id(&r);
	r.epoch = 1;
	r.wall_ns = 1700000000000000000u + number;
	r.mono_ns = number;
	r.source = HSA_SOURCE_OUTBOX;
	r.source_sequence = number;
	r.body = HSA_BODY_SPECIAL;
	r.special.category = 3;
	r.special.name = name;
	r.special.text = text;
	MUST(hsa_is_ok(hsa_record_encode(b, &r)));
	free(text);
}

void
helper_slog_use(struct hsa_buf *b, uint64_t number)
{
	static char action[] = "hs-crypto.ep11.use";
	struct hsa_record r = {
	    .epoch = 1,
	    .wall_ns = 1700000000000000000u + number,
	    .source = HSA_SOURCE_USE,
	    .source_sequence = number,
	    .has_use = true,
	    .use = {.function = 1, .bytes_in = number},
	    .body = HSA_BODY_EVENT,
	    .event = {.action_name = action},
	};

	unit_id(&r);
	MUST(hsa_is_ok(hsa_record_encode(b, &r)));
}

hsa_rc
helper_slog_seal_use(struct slog *l, uint64_t *sequence, uint64_t number)
{
	struct cu_sink sink = slog_sink(l);
	struct hsa_buf b = {0};
	hsa_rc rc;

	helper_slog_use(&b, number);
	rc = sink.ops->seal(
	    sink.ctx, sequence, HSA_SOURCE_USE, number, b.p, b.len);
	hsa_buf_free(&b);
	return rc;
}

hsa_rc
helper_slog_seal(
    struct slog *l, uint64_t *sequence, uint64_t number, size_t text_len)
{
	struct cu_sink sink = slog_sink(l);
	struct hsa_buf b = {0};
	hsa_rc rc;

	helper_slog_record(&b, number, text_len);
	rc = sink.ops->seal(
	    sink.ctx, sequence, HSA_SOURCE_OUTBOX, number, b.p, b.len);
	hsa_buf_free(&b);
	return rc;
}

hsa_rc
helper_slog_put(struct slog *l, uint64_t *ticket, uint64_t number,
    const void *rec, size_t n)
{
	hsa_rc rc;

	(void)pthread_mutex_lock(&l->mutex);
	rc = slog_put(l, ticket, NULL, HSA_SOURCE_OUTBOX, number, rec, n);
	(void)pthread_mutex_unlock(&l->mutex);
	return rc;
}

hsa_rc
helper_slog_wait(struct slog *l, uint64_t ticket)
{
	hsa_rc rc;

	(void)pthread_mutex_lock(&l->mutex);
	rc = slog_wait(l, ticket);
	(void)pthread_mutex_unlock(&l->mutex);
	return rc;
}

void
helper_slog_batch(struct slog *l, uint64_t first, size_t count, size_t text_len)
{
	struct hsa_buf b = {0};
	uint64_t sequence = 0;

	for (size_t i = 0; i < count; i++) {
		hsa_buf_reset(&b);
		helper_slog_record(&b, first + i, text_len);
		MUST(hsa_is_ok(
		    helper_slog_put(l, &sequence, first + i, b.p, b.len)));
	}
	hsa_buf_free(&b);
	MUST(count == 0 || hsa_is_ok(helper_slog_wait(l, sequence)));
}

uint64_t
helper_slog_count(struct slog *l, uint64_t *checkpoints)
{
	struct slog_reader *r = NULL;
	struct slog_item it = {0};
	uint64_t records = 0, points = 0, last[HSA_SOURCES + 1] = {0};
	hsa_rc rc;

	MUST(hsa_is_ok(slog_reader_open(&r, l, 0)));
	for (;;) {
		enum hsa_source source = 0;
		uint64_t sequence = 0, number = 0;

		rc = slog_reader_next(r, &it, 0);
		if (!hsa_is_ok(rc))
			break;
		if (it.kind == SLOG_CHECKPOINT) {
			MUST(it.sequence == records);
			points++;
			continue;
		}
		MUST(it.sequence == records);
		MUST(hsa_is_ok(
		    hsa_record_peek(&sequence, &source, &number, it.p, it.n)));
		MUST(sequence == records && number == last[source] + 1);
		last[source] = number;
		records++;
	}
	MUST(rc.v == HSA_E_TIMEOUT || rc.v == HSA_E_CLOSED);
	slog_reader_free(r);
	if (checkpoints != NULL)
		*checkpoints = points;
	return records;
}

static void
join(char to[512], const char *dir, const char *name)
{
	MUST((size_t)snprintf(to, 512, "%s/%s", dir, name) < 512);
}

void
helper_file_read(struct hsa_buf *b, const char *dir, const char *name)
{
	char path[512];
	uint8_t chunk[4096];
	size_t n;
	FILE *f;

	join(path, dir, name);
	f = fopen(path, "rb");
	MUST(f != NULL);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) != 0)
		hsa_buf_put(b, chunk, n);
	(void)fclose(f);
}

void
helper_file_write(const char *dir, const char *name, const void *p, size_t n)
{
	char path[512];
	FILE *f;

	join(path, dir, name);
	f = fopen(path, "wb");
	MUST(f != NULL);
	MUST(n == 0 || fwrite(p, 1, n, f) == n);
	MUST(fclose(f) == 0);
}

bool
helper_file_exists(const char *dir, const char *name)
{
	char path[512];

	join(path, dir, name);
	return access(path, F_OK) == 0;
}

void
helper_dir_copy(const char *to, const char *from)
{
	struct hsa_buf b = {0};
	struct dirent *d;
	DIR *list;

	MUST(mkdir(to, 0700) == 0 || errno == EEXIST);
	list = opendir(from);
	MUST(list != NULL);
	while ((d = readdir(list)) != NULL) {
		if (d->d_name[0] == '.')
			continue;
		hsa_buf_reset(&b);
		helper_file_read(&b, from, d->d_name);
		helper_file_write(to, d->d_name, b.p, b.len);
	}
	(void)closedir(list);
	hsa_buf_free(&b);
}

void
helper_dir_remove(const char *dir)
{
	struct dirent *d;
	char path[512];
	DIR *list = opendir(dir);

	if (list == NULL)
		return;
	while ((d = readdir(list)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		join(path, dir, d->d_name);
		if (unlink(path) != 0)
			helper_dir_remove(path);
	}
	(void)closedir(list);
	MUST(rmdir(dir) == 0);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

size_t
helper_dir_segments(char (*name)[32], size_t max, const char *dir)
{
	struct dirent *d;
	size_t n = 0;
	DIR *list = opendir(dir);

	MUST(list != NULL);
	while ((d = readdir(list)) != NULL)
		if (strncmp(d->d_name, "seg-", 4) == 0) {
			MUST(n < max && strlen(d->d_name) < 32);
			(void)snprintf(name[n++], 32, "%.31s", d->d_name);
		}
	(void)closedir(list);
	qsort(name, n, sizeof(*name), by_name);
	return n;
}
