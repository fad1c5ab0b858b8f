/* test_tkc_prompt.c - questions at a terminal, on a real pseudo-terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <termios.h>
#include <unistd.h>

#include "tkc_prompt.h"
#include "tkc_select.h"

static int master = -1, slave = -1;
static struct hsa_diag diag;

static int
setup(void **state)
{
	(void)state;
	return openpty(&master, &slave, NULL, NULL, NULL);
}

static int
teardown(void **state)
{
	(void)state;
	close(master);
	close(slave);
	return 0;
}

/* Typed by a child once the prompt is out: TCSAFLUSH drops what came before. */
static pid_t
type_later(const char *const *line, size_t n)
{
	pid_t pid = fork();
	size_t i;

	if (pid != 0)
		return pid;
	for (i = 0; i < n; i++) {
		char seen[256] = "";
		size_t got = 0;

		while (strstr(seen, ": ") == NULL && got < sizeof(seen) - 1) {
			ssize_t k = read(master, seen + got, 1);

			if (k <= 0)
				_exit(1);
			got += (size_t)k;
		}
		if (write(master, line[i], strlen(line[i])) < 0)
			_exit(1);
	}
	_exit(0);
}

/* The rest of what the terminal showed. */
static void
shown(char *to, size_t size)
{
	struct timeval t = {0, 200000};
	fd_set set;
	ssize_t n = 0;

	to[0] = '\0';
	FD_ZERO(&set);
	FD_SET(master, &set);
	if (select(master + 1, &set, NULL, NULL, &t) == 1)
		n = read(master, to, size - 1);
	to[n > 0 ? n : 0] = '\0';
}

static void
test_prompt__a_secret_is_not_echoed_and_the_echo_comes_back(void **state)
{
	static const char *const typed[] = {"pass\x7fs wort\x15secret\n"};
	const struct tkc_prompt p = {slave, slave};
	struct hsa_buf b = {0};
	struct termios before, after;
	char screen[256];
	pid_t pid = type_later(typed, 1);

	(void)state;
	assert_int_equal(tcgetattr(slave, &before), 0);
	assert_true(hsa_is_ok(
	    tkc_prompt_secret(&p, &b, "Password", "--pw", false, &diag)));
	assert_string_equal(hsa_buf_cstr(&b), "secret");
	shown(screen, sizeof(screen));
	assert_null(strstr(screen, "secret"));
	assert_null(strstr(screen, "pass"));
	assert_int_equal(tcgetattr(slave, &after), 0);
	assert_int_equal(before.c_lflag, after.c_lflag);
	hsa_buf_free(&b);
	kill(pid, SIGKILL);
}

static void
test_prompt__control_c_cancels_and_the_echo_comes_back(void **state)
{
	static const char *const typed[] = {"half\x03"};
	const struct tkc_prompt p = {slave, slave};
	struct hsa_buf b = {0};
	struct termios after;
	pid_t pid = type_later(typed, 1);

	(void)state;
	assert_int_equal(
	    tkc_prompt_secret(&p, &b, "Password", "--pw", false, &diag).v,
	    HSA_E_STOPPED);
	assert_int_equal(b.len, 0);
	assert_int_equal(tcgetattr(slave, &after), 0);
	assert_true((after.c_lflag & ECHO) != 0);
	hsa_buf_free(&b);
	kill(pid, SIGKILL);
}

static void
test_prompt__a_new_password_must_be_typed_alike_twice(void **state)
{
	static const char *const same[] = {"secret\n", "secret\n"};
	static const char *const differ[] = {"secret\n", "Secret\n"};
	const struct tkc_prompt p = {slave, slave};
	struct hsa_buf b = {0};
	char screen[256];
	pid_t pid = type_later(same, 2);

	(void)state;
	assert_true(
	    hsa_is_ok(tkc_prompt_secret(&p, &b, "New", "--pw", true, &diag)));
	assert_string_equal(hsa_buf_cstr(&b), "secret");
	kill(pid, SIGKILL);
	shown(screen, sizeof(screen));
	pid = type_later(differ, 2);
	assert_int_equal(
	    tkc_prompt_secret(&p, &b, "New", "--pw", true, &diag).v,
	    HSA_E_FORMAT);
	hsa_buf_free(&b);
	kill(pid, SIGKILL);
}

static void
test_prompt__a_line_is_read_and_yes_must_be_said(void **state)
{
	static const struct {
		const char *typed;
		int rc;
	} rows[] = {{"y\n", 0}, {"YES\n", 0}, {"n\n", HSA_E_STOPPED},
	    {"\n", HSA_E_STOPPED}, {"yess\n", HSA_E_STOPPED}};
	const struct tkc_prompt p = {slave, slave};
	char screen[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		pid_t pid = type_later(&rows[i].typed, 1);

		assert_int_equal(
		    tkc_prompt_yes(&p, "Sure", "--yes", &diag).v, rows[i].rc);
		kill(pid, SIGKILL);
		shown(screen, sizeof(screen));
	}
}

static void
test_prompt__without_a_terminal_the_option_is_named(void **state)
{
	struct tkc_prompt p = {-1, -1};
	struct hsa_buf b = {0};
	int fd[2];

	(void)state;
	assert_int_equal(pipe(fd), 0);
	p.in = fd[0];
	assert_int_equal(
	    tkc_prompt_line(&p, &b, "Name", "--name NAME", &diag).v, HSA_E_ARG);
	assert_non_null(strstr(diag.text, "--name NAME"));
	assert_int_equal(
	    tkc_prompt_secret(&p, &b, "Password", "--pw F", true, &diag).v,
	    HSA_E_ARG);
	assert_non_null(strstr(diag.text, "--pw F"));
	assert_int_equal(
	    tkc_prompt_yes(&p, "Sure", "--yes", &diag).v, HSA_E_ARG);
	assert_non_null(strstr(diag.text, "--yes"));
	close(fd[0]);
	close(fd[1]);
}

/* ---- the selection, which is what many answers go into ------------------- */

static void
test_selection__parsed_strictly(void **state)
{
	static const char *const bad[] = {"", "[]", "{}", "{\"units\":[]}",
	    "{\"units\":[1],\"sigkeys\":[]}",
	    "{\"units\":[],\"sigkeys\":[\"00\"]}",
	    "{\"units\":{},\"sigkeys\":[]}",
	    "{\"units\":[],\"sigkeys\":[],\"units\":[]}"};
	static const char good[] = "{\"units\":[\"a\",\"b\"],\"sigkeys\":["
				   "\"00112233445566778899aabbccddeeff"
				   "00112233445566778899aabbccddeeff\"]}";
	struct tkc_selection s;
	uint8_t ski[32];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (hsa_is_ok(
			tkc_selection_parse(&s, bad[i], strlen(bad[i]), &diag)))
			fail_msg("accepted: %s", bad[i]);
	assert_true(
	    hsa_is_ok(tkc_selection_parse(&s, good, strlen(good), &diag)));
	assert_true(tkc_selection_has_unit(&s, "b"));
	assert_false(tkc_selection_has_unit(&s, "c"));
	tkc_selection_remove_unit(&s, "a");
	tkc_selection_remove_unit(&s, "a");
	assert_int_equal(s.units, 1);
	assert_string_equal(s.unit[0], "b");
	memcpy(ski, s.sigkey[0], sizeof(ski));
	assert_true(tkc_selection_has_sigkey(&s, ski));
	assert_true(hsa_is_ok(tkc_selection_add_sigkey(&s, ski)));
	assert_int_equal(s.sigkeys, 1);
	tkc_selection_remove_sigkey(&s, ski);
	assert_false(tkc_selection_has_sigkey(&s, ski));
}

#define WITH(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(test_prompt__a_secret_is_not_echoed_and_the_echo_comes_back),
	    WITH(test_prompt__control_c_cancels_and_the_echo_comes_back),
	    WITH(test_prompt__a_new_password_must_be_typed_alike_twice),
	    WITH(test_prompt__a_line_is_read_and_yes_must_be_said),
	    WITH(test_prompt__without_a_terminal_the_option_is_named),
	    cmocka_unit_test(test_selection__parsed_strictly),
	};

	(void)signal(SIGCHLD, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
