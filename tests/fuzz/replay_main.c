/*
 * replay_main.c - run a fuzz target over its corpus without a fuzzer, so that
 * `make test` repeats every input ever found. Arguments: files or folders.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned long ran;

static int
replay_file(const char *path)
{
	uint8_t *data = NULL;
	size_t size = 0, cap = 0, n = 0;
	FILE *f = fopen(path, "rb");

	if (f == NULL) {
		perror(path);
		return 1;
	}
	do {
		if (size == cap) {
			uint8_t *more;

			cap = cap == 0 ? 4096 : 2 * cap;
			more = realloc(data, cap);
			if (more == NULL)
				abort();
			data = more;
		}
		n = fread(data + size, 1, cap - size, f);
		size += n;
	} while (n != 0);
	fclose(f);
	/* an exact copy, so that a sanitizer sees a read behind the end */
	if (size < cap) {
		uint8_t *exact = malloc(size == 0 ? 1 : size);

		if (exact == NULL)
			abort();
		memcpy(exact, data, size);
		free(data);
		data = exact;
	}
	(void)LLVMFuzzerTestOneInput(data, size);
	free(data);
	ran++;
	return 0;
}

static int
replay(const char *path)
{
	struct dirent *e;
	struct stat st;
	char name[4096];
	int bad = 0;
	DIR *d;

	if (stat(path, &st) != 0) {
		perror(path);
		return 1;
	}
	if (!S_ISDIR(st.st_mode))
		return replay_file(path);
	d = opendir(path);
	if (d == NULL) {
		perror(path);
		return 1;
	}
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		if ((size_t)snprintf(name, sizeof(name), "%s/%s", path,
			e->d_name) >= sizeof(name))
			bad = 1;
		else
			bad |= replay(name);
	}
	closedir(d);
	return bad;
}

int
main(int argc, char **argv)
{
	int bad = argc < 2;

	for (int i = 1; i < argc; i++)
		bad |= replay(argv[i]);
	printf("COUNT corpus inputs replayed: %lu\n", ran);
	/* an empty corpus is a test that cannot fail */
	return bad || ran == 0;
}
