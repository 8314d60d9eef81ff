#ifndef LUCIE_TESTS_EMU_CONTROL_H
#define LUCIE_TESTS_EMU_CONTROL_H
/*
 * What a test sets of the emulated GPU, before or between operations; nothing may be queued.
 */
#ifdef __cplusplus
extern "C" {
#endif

/* The order of threads and blocks: 0 ascending, 1 descending, more: pseudo-random by that seed. */
void emu_set_order(unsigned order);
/* Run work late, see emu_runtime.h. */
void emu_set_late(int on);
/* Whether the host is kept off device memory; on by default. */
void emu_set_protect(int on);

#ifdef __cplusplus
}
#endif
#endif
