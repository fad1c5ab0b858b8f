#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "hsa_buf.h"

int
cmd_help(const struct cmd *c)
{
	(void)printf("hsa %s - %s\n\n%s", c->name, c->summary, c->help);
	return cmd_flush(c, CMD_OK);
}

static void complain(const struct cmd *c, const char *fmt, va_list ap)
    HSA_PRINTF(2, 0);

static void
complain(const struct cmd *c, const char *fmt, va_list ap)
{
	(void)fflush(stdout);
	(void)fprintf(stderr, "hsa %s: ", c->name);
	(void)vfprintf(stderr, fmt, ap);
	(void)fputc('\n', stderr);
}

int
cmd_usage(const struct cmd *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(c, fmt, ap);
	va_end(ap);
	(void)fprintf(stderr, "`hsa help %s` shows the options\n", c->name);
	return CMD_USAGE;
}

int
cmd_error(const struct cmd *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(c, fmt, ap);
	va_end(ap);
	return CMD_USAGE;
}

int
cmd_bad_option(const struct cmd *c, char **argv)
{
	if (optopt != 0 && optopt < 256)
		return cmd_usage(c, "no option -%c", optopt);
	return cmd_usage(
	    c, "%s: unknown option, or its value is missing", argv[optind - 1]);
}

bool
cmd_print(const struct cmd *c, struct hsa_buf *b)
{
	bool good = hsa_is_ok(hsa_buf_rc(b));

	if (!good)
		(void)cmd_error(c, "out of memory");
	else if (b->len != 0 && fwrite(b->p, 1, b->len, stdout) != b->len) {
		good = false;
		if (errno != EPIPE)
			(void)cmd_error(
			    c, "cannot write the output: %s", strerror(errno));
	}
	hsa_buf_reset(b);
	return good;
}

int
cmd_flush(const struct cmd *c, int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	if (errno != EPIPE)
		(void)cmd_error(
		    c, "cannot write the output: %s", strerror(errno));
	return CMD_USAGE;
}
