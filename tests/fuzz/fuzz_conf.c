/* Configuration files: any bytes give settings or an error that names the file. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libcommon/sys/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int note(void *ctx, const char *section, const char *name, const char *key,
		const char *value, struct lu_err *err)
{
	size_t *bytes = ctx;

	(void)err;
	*bytes += strlen(section) + strlen(name);
	if (key)
		*bytes += strlen(key) + strlen(value);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", 0);
	struct lu_err err = { 0 };
	struct lu_conf c;
	char name[32];
	size_t bytes = 0;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	if (lu_conf_open(&c, name, &err) == 0) {
		if (lu_conf_each(&c, note, &bytes, &err) < 0 &&
				strncmp(err.msg, name, strlen(name)) != 0)
			abort();
		lu_conf_close(&c);
	}
	close(fd);
	return 0;
}
