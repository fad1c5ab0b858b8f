/*
 * hsa - reads, verifies, collects and shows the audit log of crypto units.
 * Knows proto/FORMAT.md and nothing of the program that writes it.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"

static const struct cmd *const cmds[] = {&cmd_verify, &cmd_prove, &cmd_collect,
    &cmd_tail, &cmd_export, &cmd_stats, &cmd_catalogue, &cmd_validate,
    &cmd_schema, &cmd_corpus, &cmd_explain};

static const struct cmd *
find(const char *name)
{
	for (size_t i = 0; i < sizeof(cmds) / sizeof(cmds[0]); i++)
		if (strcmp(cmds[i]->name, name) == 0)
			return cmds[i];
	return NULL;
}

static int
overview(FILE *to, int code)
{
	(void)fprintf(to,
	    "hsa - the audit log of crypto units\n\nusage: hsa COMMAND "
	    "[OPTION]... [DIR]...\n\n");
	for (size_t i = 0; i < sizeof(cmds) / sizeof(cmds[0]); i++)
		(void)fprintf(
		    to, "  %-10s %s\n", cmds[i]->name, cmds[i]->summary);
	(void)fprintf(to,
	    "  %-10s the options of a command\n\n"
	    "hsa --version, hsa --help. Exit code 0: good, 1: damage found, "
	    "2: wrong\nusage or unreadable. Manual: hsa(1).\n",
	    "help");
	return fflush(to) == 0 ? code : CMD_USAGE;
}

int
main(int argc, char **argv)
{
	const struct cmd *c;

	/* a closed pipe is an error of write, not a silent death */
	(void)signal(SIGPIPE, SIG_IGN);
	if (argc < 2)
		return overview(stderr, CMD_USAGE);
	if (strcmp(argv[1], "--version") == 0) {
		(void)printf("hsa %s\n", HSA_VERSION);
		return fflush(stdout) == 0 ? CMD_OK : CMD_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    (strcmp(argv[1], "help") == 0 && argc == 2))
		return overview(stdout, CMD_OK);
	if (strcmp(argv[1], "help") == 0) {
		c = find(argv[2]);
		if (c != NULL)
			return cmd_help(c);
		(void)fprintf(stderr,
		    "hsa: no command %s; `hsa help` lists them\n", argv[2]);
		return CMD_USAGE;
	}
	c = find(argv[1]);
	if (c == NULL) {
		(void)fprintf(stderr,
		    "hsa: no command %s; `hsa help` lists them\n", argv[1]);
		return CMD_USAGE;
	}
	return c->run(argc - 1, argv + 1);
}
