/*
 * helper_vfy_run.h - a verb of a tool as a child process, without its binary:
 * forked from the test, so that sanitizers and coverage see it.
 */
#ifndef HELPER_VFY_RUN_H
#define HELPER_VFY_RUN_H
#include <sys/types.h>
#include "hsa_buf.h"

typedef int helper_vfy_main(int argc, char **argv);

/* Runs to the end; stdout and stderr are appended to out and err. Returns the
 * exit code, or 1000 + signal. args is NULL-terminated, name first. */
int helper_vfy_run(helper_vfy_main *f, const char *const *args,
    struct hsa_buf *out, struct hsa_buf *err);
/* Starts it and waits for a line of stdout with `word`; stderr goes to the
 * file errfile, or nowhere when NULL. Aborts the test when it ends before. */
pid_t helper_vfy_spawn(helper_vfy_main *f, const char *const *args,
    const char *word, const char *errfile);
/* kill(pid, sig), wait; the exit code, or 1000 + signal. */
int helper_vfy_stop(pid_t pid, int sig);

#endif
