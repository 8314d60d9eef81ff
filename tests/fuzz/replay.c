/*
 * Run one fuzz target over its corpus: the empty input and each file of tests/fuzz/corpus/X, where
 * the program is called replay_X. A fault aborts, as under libFuzzer.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/sys/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	const char *name = slash ? slash + 1 : argv[0];
	char path[4096];
	struct dirent **entry;
	int n, run = 0;

	(void)argc;
	if (strncmp(name, "replay_", 7) != 0)
		return 2;
	snprintf(path, sizeof(path), "tests/fuzz/corpus/%s", name + 7);
	n = scandir(path, &entry, NULL, alphasort);
	if (n < 0) {
		perror(path);
		return 2;
	}
	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	printf("ok %d - %s: empty input\n", ++run, name + 7);
	for (int i = 0; i < n; i++) {
		struct lu_err err;
		char *p;
		size_t size;

		if (entry[i]->d_name[0] != '.') {
			snprintf(path, sizeof(path), "tests/fuzz/corpus/%s/%s", name + 7,
					entry[i]->d_name);
			if (lu_read_file(path, SIZE_MAX / 4, &p, &size, &err) < 0) {
				printf("Bail out! %s\n", err.msg);
				return 2;
			}
			/* After a crash, the last line printed names the input before it. */
			fflush(stdout);
			LLVMFuzzerTestOneInput((const uint8_t *)p, size);
			printf("ok %d - %s\n", ++run, entry[i]->d_name);
			free(p);
		}
		free(entry[i]);
	}
	free(entry);
	printf("1..%d\n", run);
	return 0;
}
