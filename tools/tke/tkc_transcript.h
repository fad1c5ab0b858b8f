/*
 * tkc_transcript.h - the record of a ceremony: Markdown for people, JSON for
 * programs. The same run gives the same text but for times and identifiers.
 */
#ifndef TKC_TRANSCRIPT_H
#define TKC_TRANSCRIPT_H
#include "tkc_run.h"

struct hsa_buf;

void tkc_transcript_markdown(struct hsa_buf *b, const struct tkc_run *r);
void tkc_transcript_json(struct hsa_buf *b, const struct tkc_run *r);
/* tkc_transcript_step(b, r, d) - one line about a step that has just ended. */
void tkc_transcript_step(
    struct hsa_buf *b, const struct tkc_run *r, const struct tkc_step_done *d);
/* tkc_groups(b, p, n) - hex in groups of four, to be read aloud. */
void tkc_groups(struct hsa_buf *b, const void *p, size_t n);
/* tkc_cell(b, text) - text inside a Markdown table: no bars, no line ends. */
void tkc_cell(struct hsa_buf *b, const char *text);

#endif
