#include "trainer/comm/process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* State and start of a process: fields 3 and 22 of /proc/PID/stat, counted from the end of the name,
 * which may itself have blanks and parentheses. False if there is no such process. */
static bool look(uint64_t pid, char *state, uint64_t *start)
{
	char path[64], text[1024];
	const char *at;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%" PRIu64 "/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	at = strrchr(text, ')');
	if (!at || !at[1])
		return false;
	*state = at[2];
	at += 2;
	for (int field = 3; field < 22; field++) {
		at = strchr(at, ' ');
		if (!at)
			return false;
		at++;
	}
	*start = strtoull(at, NULL, 10);
	return true;
}

static const uint64_t probe = LT_PROCESS_PROBE;

struct lt_process lt_process_self(void)
{
	struct lt_process p = { .pid = (uint64_t)getpid(), .probe = (uint64_t)(uintptr_t)&probe };
	const char *node = getenv("SLURMD_NODENAME");
	struct stat ns;
	char state;
	FILE *f;

	/* A node's name in Slurm is the one that sbatch --exclude wants. */
	if (node && *node)
		snprintf(p.host, sizeof(p.host), "%s", node);
	else if (gethostname(p.host, sizeof(p.host) - 1) < 0 || !p.host[0])
		snprintf(p.host, sizeof(p.host), "unknown");
	f = fopen("/proc/sys/kernel/random/boot_id", "re");
	if (f) {
		if (fscanf(f, "%39s", p.boot) != 1)
			p.boot[0] = '\0';
		fclose(f);
	}
	if (stat("/proc/self/ns/pid", &ns) == 0)
		p.pid_namespace = (uint64_t)ns.st_ino;
	if (!look(p.pid, &state, &p.start))
		p.start = 0;
	return p;
}

bool lt_process_same_host(const struct lt_process *a, const struct lt_process *b)
{
	if (a->boot[0] && b->boot[0])
		return strcmp(a->boot, b->boot) == 0;
	return strcmp(a->host, b->host) == 0;
}

bool lt_process_in_reach(const struct lt_process *self, const struct lt_process *other)
{
	return self->boot[0] && strcmp(self->boot, other->boot) == 0 && self->start &&
			other->start && self->pid_namespace &&
			self->pid_namespace == other->pid_namespace;
}

char lt_process_state(const struct lt_process *p)
{
	uint64_t start;
	char state;

	if (!look(p->pid, &state, &start) || start != p->start || state == 'Z' || state == 'X')
		return 0;
	return state;
}

void lt_process_allow_reading(void)
{
	/* Fails where there is no Yama, which then does not forbid it either. */
	(void)prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
}

int lt_process_read(const struct lt_process *p, void *to, uint64_t from, size_t n, size_t *got)
{
	struct iovec here = { .iov_base = to, .iov_len = n }, there = { .iov_len = n };
	ssize_t k;

	/* An address of another process, which means nothing in this one. */
	memcpy(&there.iov_base, &(uintptr_t){ (uintptr_t)from }, sizeof(there.iov_base));
	k = process_vm_readv((pid_t)p->pid, &here, 1, &there, 1, 0);
	*got = k > 0 ? (size_t)k : 0;
	if (k == 0 && n > 0)
		errno = EFAULT;
	return *got > 0 || n == 0 ? 0 : -1;
}

bool lt_process_is_readable(const struct lt_process *p)
{
	uint64_t word = 0;
	size_t got;

	return lt_process_read(p, &word, p->probe, sizeof(word), &got) == 0 &&
			got == sizeof(word) && word == LT_PROCESS_PROBE;
}

void lt_process_kill(const struct lt_process *p)
{
	/* The descriptor stands for the process, so the check and the signal mean the same one. */
	int fd = (int)syscall(SYS_pidfd_open, (pid_t)p->pid, 0);
	bool there = lt_process_state(p) != 0;

	if (fd < 0) {
		/* A kernel before 5.3. */
		if (there)
			(void)kill((pid_t)p->pid, SIGKILL);
		return;
	}
	if (there)
		(void)syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
	close(fd);
}
