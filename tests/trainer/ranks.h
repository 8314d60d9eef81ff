#ifndef LUCIE_TESTS_RANKS_H
#define LUCIE_TESTS_RANKS_H
/*
 * Runs of several ranks for tests: each is a process of its own on this host, started with LUCIE_RANK
 * and its like. cmocka's assertions belong to the parent; a rank uses must() and good().
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trainer/comm/comm.h"

#define RANKS_MAX 64
#define RANKS_TEXT 4096
#define RANKS_GOOD 0   /* exit status of a rank whose work returned 0 and that closed the run */
#define RANKS_ERROR 2  /* its work returned -1, or the run could not be opened */
#define RANKS_WRONG 99 /* must() failed */

struct ranks {
	size_t size;
	double deadline, rendezvous; /* seconds; 0: 20 */
	/* The work of a rank; its error is printed. */
	int (*work)(struct lt_comm *c, void *arg, struct lu_err *err);
	void *arg;
	const struct lk_ops *ops; /* NULL: host_ops */
	/* In the process of a rank before it opens the run, or NULL. */
	void (*before)(size_t rank, void *arg);
	size_t leave_out; /* as many ranks, the highest, are not started */

	/* While it runs: */
	int pid[RANKS_MAX];
	FILE *output[RANKS_MAX];
	double start;

	/* After ranks_wait(): */
	int status[RANKS_MAX]; /* exit status, or 128 + signal */
	char text[RANKS_MAX][RANKS_TEXT];
	double seconds[RANKS_MAX]; /* from the start to the end of the process */
};

void ranks_start(struct ranks *r);
/* Wait for the ends of all; those that are left `limit` seconds after the start are killed, and the test
 * fails. */
void ranks_wait(struct ranks *r, double limit);
/* Both; all must be RANKS_GOOD. */
void ranks_good(struct ranks *r, double limit);

void sleep_for(double seconds);

/* In a rank: end with RANKS_WRONG and a message unless the condition holds. */
#define must(cond) ((cond) ? (void)0 : must_fail(#cond, __FILE__, __LINE__))
void must_fail(const char *cond, const char *file, int line) __attribute__((noreturn));

/* What the communication asks of a backend: memory of the host; activations are of bf16. */
extern const struct lk_ops host_ops;

/* A group of all ranks in their order, neighbours ready for messages. */
struct lt_group *world(struct lt_comm *c);

#endif
