#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "helper_tkc.h"
#include "hsa_json.h"
#include "tke_sig.h"

#define CHECK(x)                                                               \
	do {                                                                   \
		if (!(x)) {                                                    \
			fprintf(                                               \
			    stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);    \
			abort();                                               \
		}                                                              \
	} while (0)
#define OK(x) CHECK(hsa_is_ok(x))

static const char INSTANCE[] = "00000000-0000-4000-8000-000000000001";

/* ---- certificates -------------------------------------------------------- */

static void
certify(uint8_t cert[TKE_OA_CERT_LEN], const char serial[8], EVP_PKEY *key,
    EVP_PKEY *by)
{
	uint8_t point[TKE_POINT_LEN], signer[TKE_SKI_LEN];
	struct hsa_buf b = {0};
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t sig[256];
	size_t n = sizeof(sig);

	OK(tke_point(point, key));
	OK(tke_ski(signer, by));
	OK(tke_oa_tbs(&b, serial, point, signer, "20260101000000Z"));
	CHECK(EVP_DigestSignInit(ctx, NULL, EVP_sha512(), NULL, by) == 1);
	CHECK(EVP_DigestSign(ctx, sig, &n, b.p, b.len) == 1);
	OK(tke_oa_finish(&b, signer, sig, n));
	CHECK(b.len == TKE_OA_CERT_LEN);
	memcpy(cert, b.p, b.len);
	EVP_MD_CTX_free(ctx);
	hsa_buf_free(&b);
}

static void
write_pem(const char *path, EVP_PKEY *key)
{
	FILE *f = fopen(path, "w");

	CHECK(f != NULL && PEM_write_PUBKEY(f, key) == 1 && fclose(f) == 0);
}

static void
make_chain(struct htkc *h)
{
	EVP_PKEY *root = EVP_EC_gen("P-521"), *device = EVP_EC_gen("P-521");
	EVP_PKEY *wrong = EVP_EC_gen("P-521");

	certify(h->b->oa[0], h->b->id.serial, h->b->bk->oa, device);
	certify(h->b->oa[1], h->b->id.serial, device, root);
	write_pem(h->root_pem, root);
	write_pem(h->wrong_pem, wrong);
	EVP_PKEY_free(root);
	EVP_PKEY_free(device);
	EVP_PKEY_free(wrong);
}

/* ---- the collected copy -------------------------------------------------- */

/* Grows the files in place, as a collector does: a reader has them open. */
static void
write_copy(const struct htkc *h)
{
	size_t i;

	CHECK(mkdir(h->collected, 0700) == 0 || errno == EEXIST);
	for (i = 0; i < h->log->files; i++) {
		const struct helper_vfy_file *f = &h->log->file[i];
		char path[200];
		struct stat st;
		int fd;

		(void)snprintf(
		    path, sizeof(path), "%s/%s", h->collected, f->name);
		fd = open(path, O_WRONLY | O_CREAT, 0600);
		CHECK(fd >= 0 && fstat(fd, &st) == 0);
		CHECK((size_t)st.st_size <= f->b.len);
		CHECK(pwrite(fd, f->b.p + st.st_size,
			  f->b.len - (size_t)st.st_size, st.st_size) ==
		      (ssize_t)(f->b.len - (size_t)st.st_size));
		close(fd);
	}
	helper_vfy_put_file(
	    h->collected, "head", h->log->head.p, h->log->head.len);
}

static void
copy_records(struct htkc *h)
{
	bool more = false;

	for (; h->log != NULL && h->copied < h->b->sink->len; h->copied++) {
		struct hsa_record r = {.sequence = 0};

		sink_mock_get(h->b->sink, &r, h->copied);
		if (h->bend == NULL || h->bend(h->ctx, &r)) {
			helper_vfy_put(h->log, &r, h->log->n);
			more = true;
		}
		hsa_record_free(&r);
	}
	if (more) {
		helper_vfy_checkpoint(h->log);
		write_copy(h);
	}
}

/* ---- the server ---------------------------------------------------------- */

static void
header_text(char **to, const char *head, const char *name)
{
	const char *at = strcasestr(head, name);
	size_t n = 0;

	free(*to);
	*to = NULL;
	if (at == NULL)
		return;
	at += strlen(name) + 1;
	at += strspn(at, " ");
	n = strcspn(at, "\r\n");
	*to = strndup(at, n);
}

static void
caller_of(struct htkc *h, const char *head)
{
	char *uuid = NULL;

	header_text(&uuid, head, "Cryptounit-Command-Id");
	if (uuid != NULL)
		OK(hsa_uuid_parse(h->b->caller.command_id, uuid));
	free(uuid);
	header_text(&h->b->caller.ceremony_id, head, "Cryptounit-Ceremony-Id");
	header_text(
	    &h->b->caller.ceremony_step, head, "Cryptounit-Ceremony-Step");
}

static void
run_command(struct htkc *h, struct hsa_buf *out, const char *json, size_t n)
{
	struct hsa_admin_reply reply = {.http_status = 0};
	json_t *o = json_loadb(json, n, 0, NULL);
	const char *text = json_string_value(json_object_get(o, "request"));

	CHECK(text != NULL);
	OK(cu_unit_admin(h->b->u, &reply, &h->b->caller, text, strlen(text)));
	CHECK(reply.http_status == 200);
	if (h->tamper != NULL)
		h->tamper(h->ctx, &reply.transport);
	hsa_buf_str(out, "{\"response\":");
	hsa_json_string(
	    out, hsa_buf_cstr(&reply.transport), reply.transport.len);
	hsa_buf_str(out, "}");
	copy_records(h);
	hsa_buf_free(&reply.transport);
	free(reply.text);
	json_decref(o);
}

static void
answer_get(struct htkc *h, struct hsa_buf *out, const char *head)
{
	if (strncmp(head, "GET /v1/tke ", 12) == 0)
		hsa_buf_printf(out,
		    "{\"instances\":[{\"instance_id\":\"%s\"}]}", INSTANCE);
	else if (h->list != NULL)
		hsa_buf_str(out, h->list);
	else
		hsa_buf_printf(out,
		    "{\"hsms\":[{\"hsm_id\":\"%s\",\"location\":\"%s\","
		    "\"serial_number\":\"%.8s\"}]}",
		    h->id, h->b->id.location, h->b->id.serial);
}

static bool
send_all(int fd, const void *p, size_t n)
{
	return send(fd, p, n, MSG_NOSIGNAL) == (ssize_t)n;
}

static void
serve(struct htkc *h, int fd)
{
	struct hsa_buf in = {0}, out = {0}, head = {0};
	const char *end = NULL, *length = NULL;
	size_t body = 0;

	for (;;) {
		uint8_t *p = hsa_buf_reserve(&in, 65536);
		ssize_t n = recv(fd, p, 65536, 0);

		if (n <= 0)
			goto out;
		in.len += (size_t)n;
		end = strstr(hsa_buf_cstr(&in), "\r\n\r\n");
		if (end == NULL)
			continue;
		length = strcasestr(hsa_buf_cstr(&in), "Content-Length:");
		body = length == NULL || length > end
			   ? 0
			   : strtoul(length + 15, NULL, 10);
		if (in.len >= (size_t)(end + 4 - (const char *)in.p) + body)
			break;
	}
	if (in.p[0] == 'P') {
		h->posts++;
		(void)snprintf(h->request, sizeof(h->request), "%.*s",
		    (int)(end - (const char *)in.p), (const char *)in.p);
		caller_of(h, h->request);
		if (h->body != NULL)
			hsa_buf_str(&out, h->body);
		else
			run_command(h, &out, end + 4, body);
	} else {
		answer_get(h, &out, hsa_buf_cstr(&in));
	}
	hsa_buf_printf(&head,
	    "HTTP/1.1 %u X\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
	    h->status == 0 ? 200 : h->status, out.len);
	if (send_all(fd, head.p, head.len) && out.len > 0)
		(void)send_all(fd, out.p, out.len);
out:
	hsa_buf_free(&in);
	hsa_buf_free(&out);
	hsa_buf_free(&head);
	close(fd);
}

static void *
loop(void *arg)
{
	struct htkc *h = arg;

	for (;;) {
		int fd = accept(h->fd, NULL, NULL);

		if (fd < 0)
			return NULL;
		serve(h, fd);
	}
}

static void
listen_on(struct htkc *h, const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	h->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(h->fd >= 0);
	CHECK(bind(h->fd, (struct sockaddr *)&a, sizeof(a)) == 0);
	CHECK(listen(h->fd, 8) == 0);
	CHECK(pthread_create(&h->thread, NULL, loop, h) == 0);
}

struct htkc *
htkc_new(bool collect)
{
	struct htkc *h = calloc(1, sizeof(*h));
	char path[96];

	CHECK(h != NULL);
	h->b = cu_bench_new();
	h->b->any_records = true;
	helper_vfy_tmpdir(h->dir);
	CHECK(chmod(h->dir, 0700) == 0);
	(void)snprintf(h->root_pem, sizeof(h->root_pem), "%s/root.pem", h->dir);
	(void)snprintf(
	    h->wrong_pem, sizeof(h->wrong_pem), "%s/wrong.pem", h->dir);
	(void)snprintf(h->password, sizeof(h->password), "%s/pw", h->dir);
	(void)snprintf(
	    h->collected, sizeof(h->collected), "%s/collected", h->dir);
	helper_vfy_put_file(h->dir, "pw", "correct horse\n", 14);
	CHECK(chmod(h->password, 0600) == 0);
	make_chain(h);
	if (collect) {
		h->log = calloc(1, sizeof(*h->log));
		CHECK(h->log != NULL && mkdir(h->collected, 0700) == 0);
		helper_vfy_init(h->log, 7);
		helper_vfy_segment(h->log);
		memcpy(h->b->id.unit_id, h->log->unit_id, HSA_UUID_LEN);
		helper_vfy_put_file(
		    h->dir, "keys", h->log->key_line, strlen(h->log->key_line));
		(void)snprintf(h->keys, sizeof(h->keys), "%s/keys", h->dir);
	}
	hsa_uuid_text(h->id, h->b->id.unit_id);
	if (collect)
		(void)snprintf(h->collected, sizeof(h->collected),
		    "%s/collected/%s", h->dir, h->id);
	cu_bench_open(h->b);
	copy_records(h);
	(void)snprintf(path, sizeof(path), "%.63s/s", h->dir);
	(void)snprintf(h->server, sizeof(h->server), "unix:%s", path);
	listen_on(h, path);
	return h;
}

void
htkc_free(struct htkc *h)
{
	if (h == NULL)
		return;
	(void)shutdown(h->fd, SHUT_RDWR);
	(void)pthread_join(h->thread, NULL);
	close(h->fd);
	cu_bench_free(h->b);
	if (h->log != NULL)
		helper_vfy_free(h->log);
	free(h->log);
	helper_vfy_rmdir(h->dir);
	free(h);
}

void
htkc_client_open(struct htkc_client *c, struct htkc *h)
{
	const struct tkc_http_config cfg = {.server = h->server};
	char files[128];

	*c = (struct htkc_client){
	    .files = {.fd = -1}, .passwords = {.prompt = {-1, -1}}};
	(void)snprintf(files, sizeof(files), "%s/files", h->dir);
	OK(tkc_http_open(&c->http, &cfg, &c->diag));
	OK(tkc_fleet_open(&c->fleet, c->http, NULL, h->root_pem, &c->diag));
	OK(tkc_files_open(&c->files, files, &c->diag));
	OK(tkc_passwords_add(&c->passwords, h->password));
	OK(tkc_ring_load(&c->ring, &c->files, &c->passwords, &c->diag));
	c->ring.iterations = TKC_ITERATIONS_SDK; /* tests make many keys */
}

void
htkc_client_close(struct htkc_client *c)
{
	tkc_ring_free(&c->ring);
	tkc_files_close(&c->files);
	tkc_passwords_free(&c->passwords);
	tkc_fleet_close(&c->fleet);
	tkc_http_close(c->http);
}
