#include <errno.h>
#include <openssl/ec.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "hsa_codec.h"
#include "tke_part.h"
#include "tke_sig.h"
#include "helper_client.h"

void
hc_init(struct hc *c, const char *sock, uint32_t module_index,
    uint32_t domain_index)
{
	*c = (struct hc){.fd = -1,
	    .module_index = module_index,
	    .domain_index = domain_index};
	strncpy(c->sock, sock, sizeof(c->sock) - 1);
}

void
hc_close(struct hc *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

static bool
connected(struct hc *c)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	if (c->fd >= 0)
		return true;
	if (strlen(c->sock) >= sizeof(un.sun_path))
		return false;
	memcpy(un.sun_path, c->sock, strlen(c->sock));
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return false;
	if (connect(c->fd, (struct sockaddr *)&un, sizeof(un)) == 0)
		return true;
	hc_close(c);
	return false;
}

static bool
exchange(
    struct hc *c, struct hsa_unit_reply *r, const struct hsa_unit_request *q)
{
	struct hsa_buf out = {0}, in = {0};
	bool good = false;
	size_t used = 0, at = 0;

	if (!connected(c) || !hsa_is_ok(hsa_unit_request_encode(&out, q)))
		goto out;
	while (at < out.len) {
		ssize_t w = send(c->fd, out.p + at, out.len - at, MSG_NOSIGNAL);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			goto out;
		at += (size_t)w;
	}
	for (;;) {
		struct pollfd p = {.fd = c->fd, .events = POLLIN};
		uint8_t *to = hsa_buf_reserve(&in, 65536);
		hsa_rc rc = HSA_OK;
		ssize_t n;

		if (to == NULL || poll(&p, 1, 20000) <= 0)
			goto out;
		n = recv(c->fd, to, 65536, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			goto out;
		in.len += (size_t)n;
		rc = hsa_unit_reply_decode(r, &used, in.p, in.len);
		if (hsa_is_ok(rc))
			break;
		if (rc.v != HSA_E_TRUNCATED)
			goto out;
	}
	good = true;
out:
	if (!good)
		hc_close(c);
	hsa_buf_free(&out);
	hsa_buf_free(&in);
	return good;
}

bool
hc_status(struct hc *c, struct hsa_unit_status *st)
{
	struct hsa_unit_request q = {.kind = HSA_UNIT_STATUS};
	struct hsa_unit_reply r = {0};
	bool good = exchange(c, &r, &q) && r.kind == HSA_UNIT_STATUS;

	if (good)
		*st = r.status;
	hsa_unit_reply_free(&r);
	return good;
}

/* one admin request, already encoded; fills a from the reply */
static bool
call(struct hc *c, struct hc_answer *a, struct tke_admin_reply *ar,
    struct hsa_buf *cprb, const struct hsa_buf *payload,
    const uint8_t command_id[HSA_UUID_LEN])
{
	struct hsa_unit_request q = {.kind = HSA_UNIT_ADMIN};
	struct hsa_unit_reply r = {0};
	struct tke_slice body = {0};
	struct hsa_diag diag = {{0}};
	bool good = false;

	if (!hsa_is_ok(tke_request_encode(&q.transport, c->module_index,
		c->domain_index, payload->p, payload->len)))
		goto out;
	memcpy(q.caller.command_id, command_id, HSA_UUID_LEN);
	if (!hsa_is_ok(
		hsa_strdup_opt(&q.caller.initiator.id, "IBMid-550000TEST")) ||
	    !hsa_is_ok(hsa_strdup_opt(
		&q.caller.initiator.name, "crash@example.com")) ||
	    !hsa_is_ok(hsa_strdup_opt(&q.caller.initiator.type_uri,
		"service/security/account/user")) ||
	    !hsa_is_ok(
		hsa_strdup_opt(&q.caller.initiator.credential_type, "user")) ||
	    !hsa_is_ok(hsa_strdup_opt(
		&q.caller.initiator.host_address, "127.0.0.1")) ||
	    !hsa_is_ok(
		hsa_strdup_opt(&q.caller.initiator.host_address_type, "IPv4")))
		goto out;
	if (!exchange(c, &r, &q) || r.kind != HSA_UNIT_ADMIN)
		goto out;
	a->http_status = r.admin.http_status;
	a->replied = true;
	if (r.admin.http_status != 200)
		goto out;
	if (!hsa_is_ok(
		tke_reply_decode(cprb, &body, (const char *)r.admin.transport.p,
		    r.admin.transport.len, &diag)) ||
	    !hsa_is_ok(tke_admin_reply_decode(ar, body.p, body.n, &diag)))
		goto out;
	a->rc = ar->envelope_rc != 0 ? ar->envelope_rc : ar->rc;
	a->reason = ar->reason;
	if (ar->envelope_rc == 0)
		hsa_buf_put(&a->output, ar->output.p, ar->output.n);
	good = true;
out:
	hsa_buf_free(&q.transport);
	hsa_caller_free(&q.caller);
	hsa_unit_reply_free(&r);
	return good;
}

static struct tke_slice
slice(const void *p, size_t n)
{
	return (struct tke_slice){p, n};
}

bool
hc_refresh(struct hc *c)
{
	uint8_t domain[TKE_DOMAIN_LEN] = {0}, id[HSA_UUID_LEN] = {0};
	struct hsa_buf block = {0}, payload = {0}, cprb = {0};
	struct tke_admin_reply ar = {0};
	struct hc_answer a = {0};
	bool good = false;

	for (unsigned int i = 0; i < 4; i++)
		domain[i] = (uint8_t)(c->domain_index >> (24 - 8 * i));
	if (!hsa_is_ok(tke_admin_block_encode(&block,
		TKE_QUERY_DOMAIN_ATTRIBUTES, slice(domain, 8), slice("", 0),
		slice("", 0), slice("", 0))) ||
	    !hsa_is_ok(tke_admin_request_encode(&payload, c->domain_index,
		slice(block.p, block.len), slice("", 0))) ||
	    !hsa_is_ok(hsa_uuid_new(id)) ||
	    !call(c, &a, &ar, &cprb, &payload, id) || a.rc != 0 ||
	    ar.domain.n != TKE_DOMAIN_LEN || ar.module.n != TKE_MODULE_LEN ||
	    ar.counter.n != TKE_COUNTER_LEN)
		goto out;
	memcpy(c->domain, ar.domain.p, TKE_DOMAIN_LEN);
	memcpy(c->module, ar.module.p, TKE_MODULE_LEN);
	memcpy(c->counter, ar.counter.p, TKE_COUNTER_LEN);
	good = true;
out:
	hsa_buf_free(&block);
	hsa_buf_free(&payload);
	hsa_buf_free(&cprb);
	hc_answer_free(&a);
	return good;
}

/* a request with its signatures, appended to payload */
static bool
request(struct hc *c, struct hsa_buf *payload, uint32_t command,
    struct tke_slice input, EVP_PKEY *const *signer, size_t signers)
{
	uint8_t counter[TKE_COUNTER_LEN];
	struct hsa_buf block = {0}, sigs = {0};
	bool good = false;

	memcpy(counter, c->counter, sizeof(counter));
	tke_counter_next(counter);
	if (!hsa_is_ok(tke_admin_block_encode(&block, command,
		slice(c->domain, TKE_DOMAIN_LEN),
		slice(c->module, TKE_MODULE_LEN),
		slice(counter, TKE_COUNTER_LEN), input)))
		goto out;
	for (size_t i = 0; i < signers; i++)
		if (!hsa_is_ok(tke_sign(&sigs, signer[i], block.p, block.len)))
			goto out;
	good = hsa_is_ok(tke_admin_request_encode(payload, c->domain_index,
	    slice(block.p, block.len), slice(sigs.p, sigs.len)));
out:
	hsa_buf_free(&block);
	hsa_buf_free(&sigs);
	return good;
}

void
hc_command(struct hc *c, struct hc_answer *a, uint32_t command,
    const void *input, size_t n, EVP_PKEY *const *signer, size_t signers)
{
	struct hsa_buf payload = {0}, cprb = {0};
	struct tke_admin_reply ar = {0};

	*a = (struct hc_answer){0};
	if (hsa_is_ok(hsa_uuid_new(a->command_id)) &&
	    request(c, &payload, command, slice(input, n), signer, signers))
		(void)call(c, a, &ar, &cprb, &payload, a->command_id);
	hsa_buf_free(&payload);
	hsa_buf_free(&cprb);
}

void
hc_import(struct hc *c, struct hc_answer *a, const uint8_t (*part)[32],
    size_t parts, const void *importer_spki, size_t spki_len, EVP_PKEY *signer)
{
	struct hsa_buf inner = {0}, recipient = {0};
	EVP_PKEY *importer = NULL;
	bool good;

	*a = (struct hc_answer){0};
	good = hsa_is_ok(
	    tke_importer_spki_parse(&importer, importer_spki, spki_len));
	for (size_t i = 0; good && i < parts; i++) {
		hsa_buf_reset(&recipient);
		good = hsa_is_ok(tke_recipient_build(
			   &recipient, part[i], importer)) &&
		       request(c, &inner, TKE_CMD_WK_IMPORT,
			   slice(recipient.p, recipient.len), &signer, 1);
	}
	if (good)
		hc_command(
		    c, a, TKE_CMD_WK_IMPORT, inner.p, inner.len, NULL, 0);
	EVP_PKEY_free(importer);
	hsa_buf_free(&inner);
	hsa_buf_free(&recipient);
}

void
hc_answer_free(struct hc_answer *a)
{
	hsa_buf_free(&a->output);
}

EVP_PKEY *
hc_key_new(void)
{
	return EVP_EC_gen("P-521");
}
