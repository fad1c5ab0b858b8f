/*
 * tkc_prompt.h - questions to a person at a terminal. Where there is no
 * terminal every question is refused with the option that answers it, so a
 * script never hangs.
 */
#ifndef TKC_PROMPT_H
#define TKC_PROMPT_H
#include <stdbool.h>
#include "hsa_buf.h"
#include "hsa_err.h"

#define TKC_LINE_MAX 1024u

struct tkc_prompt {
	int in, out; /* usually 0 and 2 */
};

/*
 * tkc_prompt_line(p, line, question, option, diag) - one line without its
 * end, appended. tkc_prompt_secret - the same without echo; twice: asked a
 * second time, E_FORMAT when the two differ. tkc_prompt_yes - E_STOPPED unless
 * the answer is y or yes.
 * E_ARG: in is no terminal; the diagnosis names option. E_STOPPED: cancelled
 * (control-C or end of file).
 */
HSA_MUST_USE hsa_rc tkc_prompt_line(const struct tkc_prompt *p,
    struct hsa_buf *line, const char *question, const char *option,
    struct hsa_diag *diag);
HSA_MUST_USE hsa_rc tkc_prompt_secret(const struct tkc_prompt *p,
    struct hsa_buf *secret, const char *question, const char *option,
    bool twice, struct hsa_diag *diag);
HSA_MUST_USE hsa_rc tkc_prompt_yes(const struct tkc_prompt *p,
    const char *question, const char *option, struct hsa_diag *diag);

#endif
