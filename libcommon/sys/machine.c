#include "libcommon/sys/machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

/* The model of the first processor, as Linux on x86 has it. */
static void put_model(struct lu_buf *b)
{
	static const char key[] = "model name";
	FILE *f = fopen("/proc/cpuinfo", "re");
	char line[512];

	while (f && fgets(line, sizeof(line), f)) {
		const char *value = strchr(line, ':');

		if (strncmp(line, key, strlen(key)) != 0 || !value)
			continue;
		value += 1 + strspn(value + 1, " \t");
		lu_buf_puts(b, ", ");
		lu_buf_append(b, value, strcspn(value, "\n"));
		break;
	}
	if (f)
		fclose(f);
}

void lu_machine(struct lu_buf *b)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	struct utsname u;

	lu_buf_puts(b, uname(&u) == 0 ? u.nodename : "unknown");
	put_model(b);
	if (n > 0)
		lu_buf_printf(b, ", %ld processor%s", n, n == 1 ? "" : "s");
}

void lu_date(struct lu_buf *b)
{
	time_t now = time(NULL);
	char text[32];
	struct tm tm;

	if (gmtime_r(&now, &tm) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0)
		lu_buf_puts(b, text);
}

uint64_t lu_resident_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	uint64_t size, resident = 0;

	if (f && fscanf(f, "%" SCNu64 " %" SCNu64, &size, &resident) != 2)
		resident = 0;
	if (f)
		fclose(f);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}
