#ifndef LUCIE_TRAINER_COMM_PROCESS_H
#define LUCIE_TRAINER_COMM_PROCESS_H
/*
 * The process of a rank, so that others on its host can see whether it lives, and end it. A pid
 * means nothing on another host or in another container, and may be reused: host and PID namespace
 * are compared, and the time at which the process began is checked before a signal is sent.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lt_process {
	char host[64]; /* its name: Slurm's for the node, or gethostname() */
	char boot[40]; /* the system's boot id, "" if unknown: equal on one machine only */
	uint64_t pid_namespace;
	uint64_t start; /* clock ticks since boot, as /proc/PID/stat has it */
	uint64_t pid;
	uint64_t probe; /* address of a word in its memory that holds LT_PROCESS_PROBE */
};

#define LT_PROCESS_PROBE UINT64_C(0x6c75636965207472)

struct lt_process lt_process_self(void);
/* True if both run on one machine. */
bool lt_process_same_host(const struct lt_process *a, const struct lt_process *b);
/* True if `other` can be seen and signalled from the process `self`. */
bool lt_process_in_reach(const struct lt_process *self, const struct lt_process *other);
/* The state of a process in reach, as /proc has it: 'T' stopped; 0 if it has ended. */
char lt_process_state(const struct lt_process *p);
/* Let other processes of this user read this one's memory, where the system (Yama) asks for it. */
void lt_process_allow_reading(void);
/* Copy at most n bytes from the memory of a process in reach, as many as *got says; -1 with errno. */
int lt_process_read(const struct lt_process *p, void *to, uint64_t from, size_t n, size_t *got);
/* True if that works. */
bool lt_process_is_readable(const struct lt_process *p);
/* Send SIGKILL to a process in reach; nothing happens if it has ended. */
void lt_process_kill(const struct lt_process *p);

#endif
