#ifndef LUCIE_TESTS_UNIT_REFUSE_MMAP_H
#define LUCIE_TESTS_UNIT_REFUSE_MMAP_H
/*
 * Tests link an mmap() of their own: it refuses to map files while it is told to, as some file systems
 * and limits do.
 */

/* From now on mapping a file fails with this errno; 0: it works again. */
void refuse_mmap(int errnum);

#endif
