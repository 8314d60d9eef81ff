#ifndef LUCIE_TESTS_EMU_FIBRE_H
#define LUCIE_TESTS_EMU_FIBRE_H
/*
 * Fibres: stacks that take turns on one thread of the host. On x86-64 a switch saves the registers
 * that a function must keep and takes some 2 ns; elsewhere it is swapcontext()'s. The address and the
 * thread sanitizer are told of each switch; to the latter fibres are threads, ordered by release and
 * acquire alone.
 */
#include <stddef.h>
#include <ucontext.h>

#if defined(__SANITIZE_ADDRESS__)
#define EMU_ASAN
#elif defined(__SANITIZE_THREAD__)
#define EMU_TSAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EMU_ASAN
#elif __has_feature(thread_sanitizer)
#define EMU_TSAN
#endif
#endif

#ifdef EMU_ASAN
#include <sanitizer/asan_interface.h>
#define EMU_POISON(p, bytes) __asan_poison_memory_region(p, bytes)
#define EMU_UNPOISON(p, bytes) __asan_unpoison_memory_region(p, bytes)
#else
#define EMU_POISON(p, bytes) ((void)(p), (void)(bytes))
#define EMU_UNPOISON(p, bytes) ((void)(p), (void)(bytes))
#endif

struct emu_fibre {
	void *stack;		   /* its lowest address; NULL: that of the host */
	void *sp;		   /* where it stopped, on x86-64 */
	ucontext_t *context;	   /* elsewhere */
	void *fake;		   /* of the address sanitizer */
	void *tsan;		   /* of the thread sanitizer */
	void (*live)(emu_fibre *); /* never returns */
};

/* Give f a stack and a beginning; f that has one is left as it is. */
void emu_fibre_open(emu_fibre *f, void (*live)(emu_fibre *));
void emu_fibre_switch(emu_fibre *from, emu_fibre *to);
/* What a fibre did before release(p) comes before what follows an acquire(p). */
void emu_fibre_release(void *p);
void emu_fibre_acquire(void *p);
/* What the thread sanitizer does not see by itself, since the emulation is compiled without it. */
void emu_fibre_reads(const void *p, size_t bytes);
void emu_fibre_writes(void *p, size_t bytes);

#endif
