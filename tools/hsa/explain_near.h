/*
 * explain_near.h - names that a misspelt word may have meant.
 */
#ifndef EXPLAIN_NEAR_H
#define EXPLAIN_NEAR_H

struct hsa_buf;

/* explain_near(b, word) - append up to five, closest first, "a, b or c": names
 * of actions, former ones and ids of checks; nothing when none is near. */
void explain_near(struct hsa_buf *b, const char *word);

#endif
