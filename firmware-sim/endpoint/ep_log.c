/* ep_log.c - see ep_log.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "hsa_json.h"
#include "ep_log.h"

static char name[96] = "cryptounitd";

void
ep_log_name(const char *who)
{
	(void)snprintf(name, sizeof(name), "%s", who);
}

void
ep_log(const char *fmt, ...)
{
	char line[1600] = "", when[40] = "";
	struct timespec now = {0};
	int head = 0, body = 0;
	size_t n = 0, i = 0;
	va_list ap;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	hsa_time_rfc3339(
	    when, (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec);
	head = snprintf(line, sizeof(line) - 1,
	    "%s cryptounitd[%ld] %s: ", when, (long)getpid(), name);
	if (head < 0)
		return;
	va_start(ap, fmt);
	body = vsnprintf(line + head, sizeof(line) - 1 - (size_t)head, fmt, ap);
	va_end(ap);
	if (body < 0)
		return;
	n = strlen(line);
	for (i = 0; i < n; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[n++] = '\n';
	/* nobody to tell when stderr is gone */
	if (write(STDERR_FILENO, line, n) < 0)
		return;
}
