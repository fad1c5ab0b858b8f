/*
 * hsa_err.h - the result type of the whole project and the message that
 * travels beside it.
 *
 * Four success conventions meet here (OpenSSL 1, PKCS#11 0, POSIX -1, ours).
 * Ours is a struct, so mixing them does not compile.
 */
#ifndef HSA_ERR_H
#define HSA_ERR_H
#include <stdint.h>

#define HSA_MUST_USE __attribute__((warn_unused_result))
#define HSA_PRINTF(f, a) __attribute__((format(printf, f, a)))

typedef struct {
	int32_t v;
} hsa_rc;

enum hsa_err {
#define HSA_ERR(name, value, duty, text) HSA_##name = (value),
#include "err.def"
#undef HSA_ERR
};

#define HSA_OK ((hsa_rc){0})
#define HSA_RC(name) ((hsa_rc){HSA_##name})

/* The only macro of the tree that hides control flow. */
#define HSA_TRY(rc, f)                                                         \
	do {                                                                   \
		(rc) = (f);                                                    \
		if ((rc).v != 0)                                               \
			goto out;                                              \
	} while (0)

static inline int
hsa_is_ok(hsa_rc rc)
{
	return rc.v == 0;
}

/*
 * hsa_err_name(rc) - "E_CORRUPT"; "OK" for success, "E_UNKNOWN" otherwise.
 * hsa_err_text(rc) - the row's text. hsa_err_duty(rc) - "FIX", "RETRY",
 * "STOP", "CLEAN" or "". All return static strings.
 */
const char *hsa_err_name(hsa_rc rc);
const char *hsa_err_text(hsa_rc rc);
const char *hsa_err_duty(hsa_rc rc);

/*
 * What a person should read when a call fails: the cause and the fix.
 * Functions that can be wrong through a user's input take one, NULL allowed.
 * Never holds a secret. text is always NUL-terminated and valid UTF-8 as far
 * as its arguments were.
 */
struct hsa_diag {
	char text[1024];
};

/*
 * hsa_diag_set(d, fmt, ...) - replace the message. d may be NULL.
 * hsa_diag_wrap(d, fmt, ...) - put "<new>: " before the present message.
 * hsa_fail(d, rc, fmt, ...) - set the message and return rc, so that a
 * refusal is one line: return hsa_fail(d, HSA_RC(E_ARG), "...", ...);
 */
void hsa_diag_set(struct hsa_diag *d, const char *fmt, ...) HSA_PRINTF(2, 3);
void hsa_diag_wrap(struct hsa_diag *d, const char *fmt, ...) HSA_PRINTF(2, 3);
hsa_rc hsa_fail(struct hsa_diag *d, hsa_rc rc, const char *fmt, ...)
    HSA_PRINTF(3, 4);

#endif
