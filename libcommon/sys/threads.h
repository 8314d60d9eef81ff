#ifndef LUCIE_SYS_THREADS_H
#define LUCIE_SYS_THREADS_H
/*
 * What OpenMP's runtime cannot be asked for: an error where threads cannot start, and a limit to the
 * time that a waiting thread spins.
 */
#include "libcommon/base/err.h"

/* Most threads of a program, by -j or by the environment. */
#define LU_THREADS_MAX 1024

/* Threads that -j 0 stands for: those that OpenMP may use, at most LU_THREADS_MAX. */
int lu_threads_default(void);

/* Processors of this machine. A process that is bound to some of them has fewer threads. */
int lu_threads_online(void);

/* What OMP_NUM_THREADS says where that is not a number of threads, or numbers with commas between; NULL
 * if it is, or is not set. OpenMP's runtime complains in its own words and ignores it. */
const char *lu_threads_odd_default(void);

/* Fail unless n threads can run at once: starts and ends n - 1. OpenMP's runtime would end the
 * program where a limit of the user or of the container forbids one. */
int lu_threads_check(int n, struct lu_err *err) LU_CHECKED;

/*
 * Let threads that wait for others spin for some 20 microseconds and then sleep, unless
 * OMP_WAIT_POLICY or GOMP_SPINCOUNT says otherwise. By default libgomp spins for milliseconds, and
 * on a machine that others use too, a thread that spins takes the processor from the one it waits
 * for. The runtime reads its environment before main(), so this starts the program again with
 * GOMP_SPINCOUNT set; a program for which it matters calls it first in main(). Where it cannot,
 * nothing changes.
 */
void lu_threads_spin_briefly(char **argv);

#endif
