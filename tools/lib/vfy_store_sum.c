/*
 * What a collector remembers of its own reading, so that a start need not check
 * every signature of the last segment again: the file `resume` beside the copy,
 * "<segment> <bytes> <SHA-256 of them, hex>". It is a note to itself and nobody
 * else's: bytes that are still those are the ones that were checked as they
 * came. It vouches for nothing by itself - the last checkpoint's signature is
 * checked in any case, and that one covers every record - and it may be
 * missing, old or torn: then what it does not tell is checked as if it were not
 * there.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <openssl/evp.h>

#include "vfy_file.h"
#include "vfy_store_impl.h"

#define RESUME "resume"
#define RESUME_NEW "resume.new"
#define RESUME_MAX 160
/* It is written anew after so many checkpoints: so many signatures a start
 * behind a kill has to check. */
#define CHECKPOINTS 512

static void
forget(struct vfy_store *s)
{
	EVP_MD_CTX_free(s->sum.ctx);
	s->sum = (struct vfy_store_sum){.ctx = NULL};
}

void
vfy_store_sum_start(struct vfy_store *s, const char *name)
{
	uint64_t noted = s->sum.checkpoints;

	forget(s);
	s->sum.checkpoints = noted;
	s->sum.ctx = EVP_MD_CTX_new();
	if (s->sum.ctx == NULL ||
	    EVP_DigestInit_ex2(s->sum.ctx, EVP_sha256(), NULL) != 1)
		forget(s);
	(void)snprintf(s->sum.name, sizeof(s->sum.name), "%s", name);
}

void
vfy_store_sum_add(struct vfy_store *s, const void *p, size_t n)
{
	if (s->sum.ctx == NULL)
		return;
	if (EVP_DigestUpdate(s->sum.ctx, p, n) == 1)
		s->sum.bytes += n;
	else
		forget(s);
}

/* hex: of what was added so far. */
static bool
digest(const struct vfy_store *s, char hex[2 * HSA_SHA256_LEN + 1])
{
	uint8_t md[HSA_SHA256_LEN];
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool good = c != NULL && s->sum.ctx != NULL &&
		    EVP_MD_CTX_copy_ex(c, s->sum.ctx) == 1 &&
		    EVP_DigestFinal_ex(c, md, NULL) == 1;

	EVP_MD_CTX_free(c);
	for (size_t i = 0; good && i < sizeof(md); i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", md[i]);
	return good;
}

void
vfy_store_sum_upto(struct vfy_store *s, const char *name, uint64_t bytes)
{
	uint8_t buf[65536];
	int fd = -1;

	if (s->sum.ctx == NULL || strcmp(s->sum.name, name) != 0 ||
	    s->sum.bytes > bytes)
		vfy_store_sum_start(s, name);
	if (!hsa_is_ok(vfy_file_open(&fd, s->folder, name))) {
		forget(s);
		return;
	}
	while (s->sum.ctx != NULL && s->sum.bytes < bytes) {
		uint64_t want = bytes - s->sum.bytes;
		ssize_t n = pread(fd, buf,
		    want < sizeof(buf) ? (size_t)want : sizeof(buf),
		    (off_t)s->sum.bytes);

		if (n <= 0)
			forget(s);
		else
			vfy_store_sum_add(s, buf, (size_t)n);
	}
	(void)close(fd);
}

uint64_t
vfy_store_sum_known(struct vfy_store *s, const char *name)
{
	char hex[2 * HSA_SHA256_LEN + 1], line[RESUME_MAX] = "";
	struct hsa_buf b = {0};
	uint64_t bytes = 0;
	char *end = NULL;
	size_t n = strlen(name);
	bool same = false;

	if (hsa_is_ok(vfy_file_get(&b, s->folder, RESUME, RESUME_MAX - 1)) &&
	    b.len > n && memcmp(b.p, name, n) == 0 && b.p[n] == ' ') {
		bytes = strtoull(hsa_buf_cstr(&b) + n + 1, &end, 10);
		vfy_store_sum_upto(s, name, bytes);
		/* written again, it has to be what is there */
		same = digest(s, hex) &&
		       (size_t)snprintf(line, sizeof(line),
			   "%s %" PRIu64 " %s\n", name, bytes, hex) == b.len &&
		       memcmp(line, b.p, b.len) == 0;
	}
	hsa_buf_free(&b);
	return same ? bytes : 0;
}

void
vfy_store_sum_note(struct vfy_store *s, bool now)
{
	char hex[2 * HSA_SHA256_LEN + 1], line[RESUME_MAX];
	uint64_t points = s->state.checkpoints;
	bool good;
	int fd, n;

	if (s->sum.bytes != s->written || s->sum.noted == s->sum.bytes ||
	    (!now && points - s->sum.checkpoints < CHECKPOINTS) ||
	    !digest(s, hex))
		return;
	n = snprintf(line, sizeof(line), "%s %" PRIu64 " %s\n", s->sum.name,
	    s->sum.bytes, hex);
	fd = openat(s->folder, RESUME_NEW,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || n <= 0 || (size_t)n >= sizeof(line))
		goto out;
	/* not synced: one that is torn says nothing */
	good = write(fd, line, (size_t)n) == n &&
	       renameat(s->folder, RESUME_NEW, s->folder, RESUME) == 0;
	if (good)
		s->sum.noted = s->sum.bytes;
	s->sum.checkpoints = points;
out:
	if (fd >= 0)
		(void)close(fd);
}

void
vfy_store_sum_free(struct vfy_store *s)
{
	forget(s);
}
