#include "tests/kernels/emu/emu_fibre.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#ifdef EMU_ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef EMU_TSAN
#include <sanitizer/tsan_interface.h>
extern "C" void __tsan_read_range(void *p, unsigned long bytes);
extern "C" void __tsan_write_range(void *p, unsigned long bytes);
#endif

static const size_t page = 4096;
#ifdef EMU_ASAN
static const size_t stack_size = 256 << 10; /* frames have red zones */
#else
static const size_t stack_size = 128 << 10;
#endif

static emu_fibre *entered;   /* the fibre that is switched to */
static const void *host_low; /* the stack of the thread that launched */
static size_t host_size;

void emu_fibre_release(void *p)
{
#ifdef EMU_TSAN
	__tsan_release(p);
#else
	(void)p;
#endif
}

void emu_fibre_acquire(void *p)
{
#ifdef EMU_TSAN
	__tsan_acquire(p);
#else
	(void)p;
#endif
}

void emu_fibre_reads(const void *p, size_t bytes)
{
#ifdef EMU_TSAN
	__tsan_read_range(const_cast<void *>(p), bytes);
#else
	(void)p, (void)bytes;
#endif
}

void emu_fibre_writes(void *p, size_t bytes)
{
#ifdef EMU_TSAN
	__tsan_write_range(p, bytes);
#else
	(void)p, (void)bytes;
#endif
}

/* Tell the address sanitizer that the switch to f is done. */
static void arrived(emu_fibre *f)
{
#ifdef EMU_ASAN
	const void *low;
	size_t size;

	__sanitizer_finish_switch_fiber(f->fake, &low, &size);
	if (!host_low && f->stack) {
		host_low = low;
		host_size = size;
	}
#else
	(void)f, (void)host_low, (void)host_size;
#endif
}

static void begin()
{
	emu_fibre *f = entered;

	arrived(f);
	f->live(f);
	abort();
}

#ifdef __x86_64__
/* Push what a function must keep, leave the stack pointer in *save, and go on where `to` stopped. */
extern "C" void emu_switch(void **save, void *to);
__asm__(".text\n"
	".globl emu_switch\n"
	".type emu_switch, @function\n"
	"emu_switch:\n"
	"	pushq %rbp\n"
	"	pushq %rbx\n"
	"	pushq %r12\n"
	"	pushq %r13\n"
	"	pushq %r14\n"
	"	pushq %r15\n"
	"	movq %rsp, (%rdi)\n"
	"	movq %rsi, %rsp\n"
	"	popq %r15\n"
	"	popq %r14\n"
	"	popq %r13\n"
	"	popq %r12\n"
	"	popq %rbx\n"
	"	popq %rbp\n"
	"	ret\n"
	".size emu_switch, . - emu_switch\n");

static void prepare(emu_fibre *f)
{
	/* begin() finds the stack as after a call: 8 bytes past a multiple of 16. */
	void **top = reinterpret_cast<void **>(static_cast<char *>(f->stack) + stack_size) - 1;

	*--top = reinterpret_cast<void *>(begin);
	f->sp = top - 6;
}
#else
static void emu_switch_context(emu_fibre *from, emu_fibre *to)
{
	if (!from->context)
		from->context = static_cast<ucontext_t *>(calloc(1, sizeof(ucontext_t)));
	if (swapcontext(from->context, to->context) != 0)
		abort();
}

static void prepare(emu_fibre *f)
{
	f->context = static_cast<ucontext_t *>(calloc(1, sizeof(ucontext_t)));
	if (!f->context || getcontext(f->context) != 0)
		abort();
	f->context->uc_stack.ss_sp = f->stack;
	f->context->uc_stack.ss_size = stack_size;
	makecontext(f->context, begin, 0);
}
#endif

void emu_fibre_open(emu_fibre *f, void (*live)(emu_fibre *))
{
	void *p;

	if (f->stack)
		return;
	/* A page below the stack that nobody may touch. */
	p = mmap(nullptr, page + stack_size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED || mprotect(p, page, PROT_NONE) != 0) {
		perror("emulation: cannot map a stack");
		abort();
	}
	f->stack = static_cast<char *>(p) + page;
	f->live = live;
#ifdef EMU_TSAN
	f->tsan = __tsan_create_fiber(0);
#endif
	prepare(f);
}

void emu_fibre_switch(emu_fibre *from, emu_fibre *to)
{
	entered = to;
#ifdef EMU_ASAN
	if (!from->stack)
		host_low = nullptr;
	__sanitizer_start_switch_fiber(&from->fake, to->stack ? to->stack : host_low,
			to->stack ? stack_size : host_size);
#endif
#ifdef EMU_TSAN
	if (!from->stack)
		from->tsan = __tsan_get_current_fiber();
	__tsan_switch_to_fiber(to->tsan, 1 /* without an order between the two */);
#endif
#ifdef __x86_64__
	emu_switch(&from->sp, to->sp);
#else
	emu_switch_context(from, to);
#endif
	arrived(from);
}
