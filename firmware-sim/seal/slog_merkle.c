#include <string.h>

#include "slog_merkle.h"

/* RFC 6962 2.1: the prefix keeps a leaf from being read as a node. */
static const uint8_t leaf_prefix[1] = {0};
static const uint8_t node_prefix[1] = {1};

hsa_rc
slog_merkle_init(struct slog_merkle *m)
{
	m->size = 0;
	m->len = 0;
	m->hash = hsa_sha256_new();
	return m->hash == NULL ? HSA_RC(E_NOMEM) : HSA_OK;
}

void
slog_merkle_free(struct slog_merkle *m)
{
	if (m == NULL)
		return;
	hsa_sha256_free(m->hash);
	m->hash = NULL;
}

static size_t
ones(uint64_t v)
{
	size_t n = 0;

	for (; v != 0; v &= v - 1)
		n++;
	return n;
}

hsa_rc
slog_merkle_set(struct slog_merkle *m, uint64_t size,
    const uint8_t (*frontier)[HSA_SHA256_LEN], size_t n)
{
	if (n > SLOG_MERKLE_MAX || n != ones(size))
		return HSA_RC(E_FORMAT);
	m->size = size;
	m->len = n;
	if (n != 0)
		memcpy(m->frontier, frontier, n * HSA_SHA256_LEN);
	return HSA_OK;
}

hsa_rc
slog_merkle_add(struct slog_merkle *m, const void *p, size_t n)
{
	uint8_t node[HSA_SHA256_LEN];
	size_t len = m->len;
	hsa_rc rc;

	if (m->size == UINT64_MAX)
		return HSA_RC(E_RANGE);
	HSA_TRY(
	    rc, hsa_sha256_three(m->hash, node, leaf_prefix, 1, p, n, NULL, 0));
	/* each trailing 1 bit is a full subtree of the new node's height */
	for (uint64_t bits = m->size; bits & 1; bits >>= 1) {
		len--;
		HSA_TRY(rc,
		    hsa_sha256_three(m->hash, node, node_prefix, 1,
			m->frontier[len], HSA_SHA256_LEN, node, sizeof(node)));
	}
	memcpy(m->frontier[len], node, sizeof(node));
	m->len = len + 1;
	m->size++;
out:
	return rc;
}

hsa_rc
slog_merkle_root(const struct slog_merkle *m, uint8_t root[HSA_SHA256_LEN])
{
	uint8_t node[HSA_SHA256_LEN];
	hsa_rc rc = HSA_OK;

	if (m->len == 0)
		return hsa_sha256(root, NULL, 0);
	memcpy(node, m->frontier[m->len - 1], sizeof(node));
	for (size_t i = m->len - 1; i > 0; i--)
		HSA_TRY(rc, hsa_sha256_three(m->hash, node, node_prefix, 1,
				m->frontier[i - 1], HSA_SHA256_LEN, node,
				sizeof(node)));
	memcpy(root, node, sizeof(node));
out:
	return rc;
}
