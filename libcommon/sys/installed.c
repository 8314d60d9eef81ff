#include "libcommon/sys/installed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/sys/file.h"

char *lu_own_folder(struct lu_err *err)
{
	char *path = realpath("/proc/self/exe", NULL);
	char *slash = path ? strrchr(path, '/') : NULL;

	if (!path)
		lu_err_sys(err, errno, "/proc/self/exe");
	if (slash)
		*slash = '\0';
	return path;
}

char *lu_installed_file(const char *folder, const char *installed, const char *in_tree)
{
	char *near = lu_concat(folder, "/../share/", installed);
	char *far = lu_concat(folder, "/../../../", in_tree);
	char *found = near ? realpath(near, NULL) : NULL;

	if (!found && far)
		found = realpath(far, NULL);
	free(near);
	free(far);
	return found;
}

char *lu_installed_pipelines(const char *folder, const char *part, struct lu_err *err)
{
	char *installed = lu_concat("lucie/pipelines/", part, NULL);
	char *in_tree = lu_concat("pipelines/", part, NULL);
	char *found = installed && in_tree ? lu_installed_file(folder, installed, in_tree) : NULL;

	free(installed);
	free(in_tree);
	if (!found)
		lu_err_set(err, "no %s/../share/lucie/pipelines/%s: install with 'make install'",
				folder, part);
	return found;
}
