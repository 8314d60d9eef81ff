#ifndef LUCIE_SYS_MACHINE_H
#define LUCIE_SYS_MACHINE_H
/*
 * When and where a run took place, for its records: only those that may differ between equal runs.
 */
#include <stdint.h>

#include "libcommon/base/buf.h"

/* Append the host's name, the model of its processors if the system tells, and their number: "node7,
 * AMD EPYC 9575F 64-Core Processor, 2 processors". */
void lu_machine(struct lu_buf *b);
/* Append the time in UTC as RFC 3339 has it: 2026-11-29T17:01:15Z. */
void lu_date(struct lu_buf *b);

/* Bytes of memory that this process has in use (its resident set); 0 if the system does not tell. */
uint64_t lu_resident_bytes(void);

#endif
