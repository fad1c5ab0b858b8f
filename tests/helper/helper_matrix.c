#include <dlfcn.h>
#include <openssl/rand.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ep11_mech.h"
#include "helper_matrix.h"

struct mx_lib mx;
target_t mx_target;
unsigned long mx_calls_;
static void *lib;

/* ---- the library --------------------------------------------------------- */

bool
mx_use(const struct hd *d, const char *units)
{
	struct XCP_Module m = {.version = XCP_MOD_VERSION,
	    .flags = XCP_MFL_VIRTUAL | XCP_MFL_MODULE};
	char where[1024] = "", list[256], *save = NULL, *one;

	(void)snprintf(list, sizeof(list), "%s", units);
	for (one = strtok_r(list, ",", &save); one != NULL;
	     one = strtok_r(NULL, ",", &save)) {
		size_t at = strlen(where);

		(void)snprintf(where + at, sizeof(where) - at,
		    "%sunix:%s/units/%s/unit.sock", at == 0 ? "" : ",",
		    d->state, one);
	}
	if (setenv("EP11_UNIT", where, 1) != 0)
		return false;
	if (mx_target != 0)
		(void)mx.m_shutdown();
	if (mx.m_init() < 0) {
		fprintf(stderr, "m_init failed for %s\n", where);
		return false;
	}
	mx_target = XCP_TGT_INIT;
	m.flags = XCP_MFL_VIRTUAL; /* no module number: all units */
	if (mx.m_add_module(&m, &mx_target) != 0) {
		fprintf(stderr, "m_add_module failed\n");
		return false;
	}
	return true;
}

bool
mx_open(const struct hd *d, const char *units)
{
	const char *build = getenv("CU_BUILD");
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/lib/libep11.so.4",
	    build != NULL ? build : "build");
	lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (lib == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		return false;
	}
#define LOOK(name)                                                             \
	{                                                                      \
		void *f = dlsym(lib, #name);                                   \
                                                                               \
		if (f == NULL) {                                               \
			fprintf(stderr, "no symbol " #name "\n");              \
			return false;                                          \
		}                                                              \
		memcpy(&mx.name, &f, sizeof(f));                               \
	}
	MX_FUNCTIONS(LOOK)
#undef LOOK
	return mx_use(d, units);
}

/* ---- bytes --------------------------------------------------------------- */

void
mx_set(struct mx_bytes *b, const void *p, size_t n)
{
	b->n = n <= sizeof(b->p) ? n : 0;
	memcpy(b->p, p, b->n);
}

bool
mx_same(const struct mx_bytes *b, const void *p, size_t n)
{
	return b->n == n && (n == 0 || memcmp(b->p, p, n) == 0);
}

void
mx_random(void *p, size_t n)
{
	if (RAND_bytes(p, (int)n) != 1)
		abort();
}

/* ---- the matrix ---------------------------------------------------------- */

#define ROWS_MAX 256

static struct row {
	CK_MECHANISM_TYPE type;
	CK_MECHANISM_INFO info;
	bool listed;
	unsigned checks[MX_COLS], wrong[MX_COLS];
} row[ROWS_MAX];
static size_t rows;
static unsigned wrong_checks, all_checks, vectors;

static struct row *
row_of(CK_MECHANISM_TYPE m)
{
	for (size_t i = 0; i < rows; i++)
		if (row[i].type == m)
			return &row[i];
	if (rows == ROWS_MAX)
		abort();
	row[rows].type = m;
	return &row[rows++];
}

bool
mx_list(void)
{
	CK_MECHANISM_TYPE list[ROWS_MAX];
	CK_ULONG n = 0;

	if (mx.m_GetMechanismList(0, NULL, &n, mx_target) != CKR_OK || n == 0 ||
	    n > ROWS_MAX ||
	    mx.m_GetMechanismList(0, list, &n, mx_target) != CKR_OK)
		return false;
	for (CK_ULONG i = 0; i < n; i++) {
		struct row *r = row_of(list[i]);

		if (r->listed) {
			fprintf(stderr, "listed twice: %lx\n", list[i]);
			return false;
		}
		r->listed = true;
		if (mx.m_GetMechanismInfo(0, list[i], &r->info, mx_target) !=
		    CKR_OK) {
			fprintf(stderr, "no info of %lx\n", list[i]);
			return false;
		}
	}
	return true;
}

const CK_MECHANISM_INFO *
mx_info(CK_MECHANISM_TYPE m)
{
	for (size_t i = 0; i < rows; i++)
		if (row[i].type == m && row[i].listed)
			return &row[i].info;
	return NULL;
}

bool
mx_single_part(CK_MECHANISM_TYPE m)
{
	switch (m) {
	case CKM_AES_GCM: /* GCM_MULTIPART of ep11_exposure.def */
	case CKM_RSA_PKCS:
	case CKM_RSA_PKCS_OAEP:
	case CKM_RSA_X_509:
	case CKM_RSA_PKCS_PSS:
	case CKM_ECDSA:
	case CKM_DSA:
	case CKM_EDDSA:
	case CKM_IBM_ED25519_SHA512:
	case CKM_IBM_ED448_SHA3:
		return true;
	default:
		return false;
	}
}

static const char *const column[MX_COLS] = {"Enc1", "Enc", "EncP", "Dec1",
    "Dec", "DecP", "Sig1", "Sig", "SigP", "Ver1", "Ver", "VerP", "Dig1", "Dig",
    "DigP", "Gen", "Pair", "Wrap", "Unwr", "Derv", "Reen"};

static const char *
name_of(CK_MECHANISM_TYPE m)
{
	const char *name = ep11_mech_name(m);

	return name != NULL ? name + strlen("CKM_") : "?";
}

static bool check(CK_MECHANISM_TYPE m, enum mx_col col, bool good,
    const char *what, va_list ap) HSA_PRINTF(4, 0);

static bool
check(CK_MECHANISM_TYPE m, enum mx_col col, bool good, const char *what,
    va_list ap)
{
	struct row *r = row_of(m);

	all_checks++;
	r->checks[col]++;
	if (good)
		return true;
	wrong_checks++;
	r->wrong[col]++;
	fprintf(stderr, "WRONG %s %s: ", name_of(m), column[col]);
	(void)vfprintf(stderr, what, ap);
	fprintf(stderr, "\n");
	return false;
}

bool
mx_check(CK_MECHANISM_TYPE m, enum mx_col col, bool good, const char *what, ...)
{
	va_list ap;

	va_start(ap, what);
	good = check(m, col, good, what, ap);
	va_end(ap);
	return good;
}

bool
mx_ok(CK_MECHANISM_TYPE m, enum mx_col col, CK_RV rv, const char *what, ...)
{
	va_list ap;
	bool good;

	va_start(ap, what);
	good = check(m, col, rv == CKR_OK, what, ap);
	va_end(ap);
	if (!good)
		fprintf(stderr, "    answer %lx\n", rv);
	return good;
}

void
mx_vector(void)
{
	vectors++;
}

unsigned
mx_wrong(void)
{
	return wrong_checks;
}

/* What the flags of a mechanism promise of a column. */
static bool
promised(const struct row *r, enum mx_col col)
{
	static const CK_FLAGS flag[MX_COLS] = {CKF_ENCRYPT, CKF_ENCRYPT,
	    CKF_ENCRYPT, CKF_DECRYPT, CKF_DECRYPT, CKF_DECRYPT, CKF_SIGN,
	    CKF_SIGN, CKF_SIGN, CKF_VERIFY, CKF_VERIFY, CKF_VERIFY, CKF_DIGEST,
	    CKF_DIGEST, CKF_DIGEST, CKF_GENERATE, CKF_GENERATE_KEY_PAIR,
	    CKF_WRAP, CKF_UNWRAP, CKF_DERIVE, CKF_ENCRYPT | CKF_DECRYPT};

	return r->listed && (r->info.flags & flag[col]) == flag[col];
}

static bool
parts_column(enum mx_col col)
{
	return (int)col < MX_GENERATE && (int)col % 3 == MX_PARTS;
}

/* "WRONG" of a column also when nobody looked, or looked unasked. */
static const char *
verdict(const struct row *r, enum mx_col c)
{
	bool due = promised(r, c);

	if (!due && r->checks[c] == 0)
		return ".";
	if (r->wrong[c] != 0 || !due || r->checks[c] == 0)
		return "WRONG";
	return parts_column(c) && mx_single_part(r->type) ? "-" : "ok";
}

static void
print_missed(void)
{
	for (size_t i = 0; i < rows; i++)
		for (int c = 0; c < MX_COLS; c++) {
			bool due = promised(&row[i], (enum mx_col)c);

			if (due != (row[i].checks[c] != 0))
				printf("WRONG %s (%lx) %s: %s\n",
				    name_of(row[i].type), row[i].type,
				    column[c],
				    due ? "offered, and nothing checked it"
					: "not offered, and checked");
		}
}

unsigned
mx_print(void)
{
	unsigned ok = 0, wrong = 0, refused = 0, listed = 0;

	printf("\n%-26s", "");
	for (int c = 0; c < MX_COLS; c++)
		printf(" %-5s", column[c]);
	printf("\n");
	for (size_t i = 0; i < rows; i++) {
		listed += row[i].listed;
		printf("%-26s", name_of(row[i].type));
		for (int c = 0; c < MX_COLS; c++) {
			const char *v = verdict(&row[i], (enum mx_col)c);

			ok += v[0] == 'o';
			wrong += v[0] == 'W';
			refused += v[0] == '-';
			printf(" %-5s", v);
		}
		printf("\n");
	}
	print_missed();
	printf("(1: Single; bare: Init and one call; P: Init, Update, Final; "
	       "-: one part only, Update refused; .: not offered)\n");
	printf("COUNT mechanisms listed: %u\n", listed);
	printf("COUNT cells of function x mechanism: %u, wrong: %u\n",
	    ok + wrong, wrong);
	printf("COUNT cells where parts are refused: %u\n", refused);
	printf(
	    "COUNT checks in them: %u, wrong: %u\n", all_checks, wrong_checks);
	printf("COUNT published vectors: %u\n", vectors);
	return wrong;
}
