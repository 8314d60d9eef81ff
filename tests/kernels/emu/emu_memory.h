#ifndef LUCIE_TESTS_EMU_MEMORY_H
#define LUCIE_TESTS_EMU_MEMORY_H
/*
 * Device memory of the emulated GPU: one stretch of addresses, in which an allocation has whole pages,
 * with one before and one behind it that nobody may touch. See emu_runtime.h.
 */
#include <stddef.h>

void emu_memory_begin(size_t capacity);
/* Between open and close device memory can be touched. They nest. Much of it stays open until settle(). */
void emu_memory_open();
void emu_memory_close();
void emu_memory_settle();

/* Aligned to 256 bytes; NULL if there is not so much left. give and unpin: false if p is not one. */
void *emu_memory_take(size_t bytes);
bool emu_memory_give(void *p);
void *emu_memory_pin(size_t bytes);
bool emu_memory_unpin(void *p);
void emu_memory_info(size_t *available, size_t *total);
/* Whether the bytes lie in one allocation; whether p is an address of the device at all. */
bool emu_memory_owns(const void *p, size_t bytes);
bool emu_memory_near(const void *p);

#endif
