#include "libcommon/check/attempts.h"

#include <dirent.h>
#include <string.h>

#include "libcommon/base/buf.h"
#include "libcommon/sys/atomicfile.h"

#define ENDING ".lu-tmp"

/* ".NAME.HOST.PID.N.lu-tmp", where NAME is `base`, or `base` and what follows the prefix of a shard. */
static bool is_attempt(const char *name, const char *base)
{
	size_t n = strlen(name), b = strlen(base), e = strlen(ENDING);

	return n > b + e + 1 && name[0] == '.' && strncmp(name + 1, base, b) == 0 &&
			(name[b + 1] == '.' || name[b + 1] == '-') &&
			strcmp(name + n - e, ENDING) == 0;
}

int lu_attempts_beside(const char *path, void (*found)(void *ctx, const char *name, bool ended),
		void *ctx, struct lu_err *err)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	struct lu_buf name = { 0 };
	struct dirent *entry;
	size_t folder;
	DIR *d;
	int rc = 0;

	lu_buf_append(&name, path, (size_t)(base - path));
	folder = name.n;
	lu_buf_putc(&name, '.');
	if (lu_buf_check(&name, err) < 0)
		return -1;
	d = opendir(name.p);
	/* The folder may vanish or be unreadable: then there is nothing to tell. */
	while (rc == 0 && d && (entry = readdir(d))) {
		if (!is_attempt(entry->d_name, base))
			continue;
		name.n = folder;
		lu_buf_puts(&name, entry->d_name);
		rc = lu_buf_check(&name, err);
		if (rc == 0)
			found(ctx, name.p, lu_attempt_is_stale(entry->d_name));
	}
	if (d)
		closedir(d);
	lu_buf_release(&name);
	return rc;
}
