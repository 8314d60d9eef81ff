/* Available memory: /proc/meminfo, and the limits of control groups of both versions. */
#include "tests/trainer/tiny.h"

#include <sys/stat.h>

#include "libcommon/sys/file.h"
#include "trainer/run/available.h"

/* Write a file below the root, with its folders. */
static void put(const char *root, const char *name, const char *text)
{
	char *path = path_in(root, name), *slash = strrchr(path, '/');
	struct lu_err err;
	FILE *f;

	*slash = '\0';
	ok(lu_make_folders(path, &err), &err);
	*slash = '/';
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	free(path);
}

static void expect(const char *root, uint64_t bytes)
{
	assert_true(lt_available_memory(root) == bytes);
}

static void test_meminfo(void **state)
{
	char *root = scratch_new();

	(void)state;
	expect(root, UINT64_MAX);
	put(root, "proc/meminfo", "MemTotal:  100 kB\nMemFree:  10 kB\nMemAvailable:    64 kB\n");
	expect(root, 64 << 10);
	put(root, "proc/meminfo", "MemTotal:  100 kB\n");
	expect(root, UINT64_MAX);
	scratch_remove(root);
}

/* The tightest of the group and those above it counts; cached file pages are free. */
static void test_version_2(void **state)
{
	char *root = scratch_new();

	(void)state;
	put(root, "proc/meminfo", "MemAvailable:    64 kB\n");
	put(root, "proc/self/cgroup", "0::/job/step\n");
	put(root, "sys/fs/cgroup/job/step/memory.max", "max\n");
	put(root, "sys/fs/cgroup/job/step/memory.current", "5\n");
	expect(root, 64 << 10);
	put(root, "sys/fs/cgroup/job/memory.max", "30000\n");
	put(root, "sys/fs/cgroup/job/memory.current", "20000\n");
	expect(root, 10000);
	put(root, "sys/fs/cgroup/job/memory.stat",
			"anon 1\nfile 9\ninactive_file 3000\nactive_file 500\n");
	expect(root, 13500);
	put(root, "sys/fs/cgroup/job/step/memory.max", "25\n");
	expect(root, 20);
	put(root, "sys/fs/cgroup/job/step/memory.current", "26\n");
	expect(root, 0);
	scratch_remove(root);
}

static void test_version_1(void **state)
{
	char *root = scratch_new();

	(void)state;
	put(root, "proc/meminfo", "MemAvailable:    64 kB\n");
	put(root, "proc/self/cgroup", "5:cpu:/x\n4:memory:/a/b\n0::/\n");
	put(root, "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
	put(root, "sys/fs/cgroup/memory/memory.usage_in_bytes", "7\n");
	expect(root, 64 << 10);
	/* In a container the path is that of the host, the mount shows the group itself. */
	put(root, "sys/fs/cgroup/memory/memory.limit_in_bytes", "1000\n");
	put(root, "sys/fs/cgroup/memory/memory.stat", "inactive_file 1\ntotal_inactive_file 6\n");
	expect(root, 999);
	put(root, "sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "500\n");
	put(root, "sys/fs/cgroup/memory/a/b/memory.usage_in_bytes", "100\n");
	expect(root, 400);
	scratch_remove(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_meminfo),
		cmocka_unit_test(test_version_2),
		cmocka_unit_test(test_version_1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
