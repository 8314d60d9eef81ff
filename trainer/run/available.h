#ifndef LUCIE_TRAINER_RUN_AVAILABLE_H
#define LUCIE_TRAINER_RUN_AVAILABLE_H
/*
 * Memory that this process can still get: MemAvailable of /proc/meminfo, or what the limits of its
 * control groups leave, if that is less. File pages in the cache count as free, for the kernel drops
 * them first.
 */
#include <stdint.h>

/* Return the bytes; UINT64_MAX if nothing is known. `root` is put before the paths of /proc and
 * /sys: "", or a folder of a test. */
uint64_t lt_available_memory(const char *root);

#endif
