#include "libcommon/sys/terminal.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROGRAMS "lucie" /* how the names of our programs begin */
#define HOPS 16

size_t lu_terminal_columns(void)
{
	struct winsize w;

	if (!isatty(STDERR_FILENO))
		return 0;
	return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col ? w.ws_col : 80;
}

/* True if standard stream `fd` of a process is the pipe with this inode. */
static bool has_pipe(const char *pid, int fd, uint64_t inode)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%.16s/fd/%d", pid, fd);
	return stat(path, &st) == 0 && S_ISFIFO(st.st_mode) && st.st_ino == inode;
}

static bool is_program(const char *pid)
{
	char path[64], name[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.16s/comm", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(name, sizeof(name), f))
		name[0] = '\0';
	fclose(f);
	return strncmp(name, PROGRAMS, strlen(PROGRAMS)) == 0;
}

enum reader { READER_NONE, READER_PROGRAM, READER_OTHER };

/* Find the process of our group that reads a pipe, and how its standard output looks. */
static enum reader find_reader(uint64_t inode, struct stat *output)
{
	enum reader found = READER_NONE;
	const struct dirent *e;
	char path[64];
	DIR *proc = opendir("/proc");

	if (!proc)
		return READER_NONE;
	while (found != READER_PROGRAM && (e = readdir(proc))) {
		pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);

		if (pid <= 0 || pid == getpid() || getpgid(pid) != getpgrp() ||
				!has_pipe(e->d_name, STDIN_FILENO, inode))
			continue;
		if (is_program(e->d_name)) {
			found = READER_PROGRAM;
			continue;
		}
		snprintf(path, sizeof(path), "/proc/%.16s/fd/%d", e->d_name, STDOUT_FILENO);
		if (stat(path, output) == 0)
			found = READER_OTHER;
	}
	closedir(proc);
	return found;
}

bool lu_terminal_is_ours(void)
{
	struct stat terminal, output;

	if (!isatty(STDERR_FILENO) || tcgetpgrp(STDERR_FILENO) != getpgrp() ||
			fstat(STDERR_FILENO, &terminal) < 0 || fstat(STDOUT_FILENO, &output) < 0)
		return false;
	if (!S_ISFIFO(output.st_mode))
		return true;
	for (int hop = 0; hop < HOPS && S_ISFIFO(output.st_mode); hop++) {
		if (find_reader(output.st_ino, &output) != READER_OTHER)
			return false;
	}
	return !S_ISFIFO(output.st_mode) &&
			!(S_ISCHR(output.st_mode) && output.st_rdev == terminal.st_rdev);
}
