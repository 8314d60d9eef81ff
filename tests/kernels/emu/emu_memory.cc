#include "tests/kernels/emu/emu_memory.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <map>
#include <mutex>

#include "tests/kernels/emu/emu.h"
#include "tests/kernels/emu/emu_fibre.h"

namespace
{

const size_t page = 4096;
/* To open and close more memory than this for each kernel takes too long: some 20 ns a page. */
const size_t much = 4 << 20;

struct allocation {
	unsigned char *first; /* its pages */
	size_t room;	      /* bytes of them */
	size_t bytes;
};

typedef std::map<const unsigned char *, allocation> table; /* by address */

struct memory {
	unsigned char *base;
	size_t reach, capacity, used; /* bytes of addresses, of memory, in use */
	bool open_always;
	bool lingers; /* it is open still, until the host waits */
	int depth;
	table taken, pinned;
	struct sigaction before;
};

memory &mem = *new memory{}; /* outlives the process's destructors */
/* Of the tables, which arguments are looked up in before a launch takes its turn. */
std::mutex &tables = *new std::mutex;
typedef std::lock_guard<std::mutex> guard;

} // namespace

/* The allocation that p lies in or behind; NULL if there is none. */
static const table::value_type *before(const table &t, const void *p)
{
	auto after = t.upper_bound(static_cast<const unsigned char *>(p));

	return after == t.begin() ? nullptr : &*std::prev(after);
}

/* Name a forbidden access, then let the process die as it would have. */
static void fault(int signal, siginfo_t *info, void *)
{
	const unsigned char *p = static_cast<unsigned char *>(info->si_addr);
	const table::value_type *a = nullptr;
	char where[128] = "outside of all allocations";

	if (emu_memory_near(p)) {
		a = before(mem.taken, p);
		if (a)
			(void)snprintf(where, sizeof(where), "byte %zu of an allocation of %zu",
					(size_t)(p - a->first), a->second.bytes);
		fprintf(stderr, "emulation: %s%s to device memory, %s\n",
				mem.depth > 0 ? emu_where() : "the host",
				mem.depth > 0 ? ": access" : " has access", where);
	} else if (*emu_where()) {
		fprintf(stderr, "emulation: %s: access to address %p\n", emu_where(),
				static_cast<const void *>(p));
	}
	(void)sigaction(signal, &mem.before, nullptr);
}

/* Called by the address sanitizer before its report. */
extern "C" void __asan_on_error()
{
	if (*emu_where())
		fprintf(stderr, "emulation: %s:\n", emu_where());
}

void emu_memory_begin(size_t capacity)
{
	/* Kernels run on small stacks. */
	static unsigned char alternative[64 << 10];
	const stack_t stack = { alternative, 0, sizeof(alternative) };
	struct sigaction action = {};
	void *p;

	mem.capacity = capacity;
	mem.reach = 2 * capacity;
	p = mmap(nullptr, mem.reach, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		emu_fail("cannot reserve %zu bytes of addresses", mem.reach);
	mem.base = static_cast<unsigned char *>(p);
	action.sa_sigaction = fault;
	action.sa_flags = SA_SIGINFO | SA_ONSTACK;
	if (sigaltstack(&stack, nullptr) != 0 || sigaction(SIGSEGV, &action, &mem.before) != 0)
		emu_fail("cannot set a signal handler");
}

static void protect(const allocation &a, int how)
{
	if (mprotect(a.first, a.room, how) != 0)
		emu_fail("cannot change the protection of %zu bytes", a.room);
}

static void protect_all(int how)
{
	if (!mem.open_always)
		for (const auto &a : mem.taken)
			protect(a.second, how);
}

void emu_memory_open()
{
	if (mem.depth++ == 0 && !mem.lingers)
		protect_all(PROT_READ | PROT_WRITE);
	mem.lingers = false;
}

void emu_memory_close()
{
	if (--mem.depth > 0)
		return;
	if (mem.used > much)
		mem.lingers = true;
	else
		protect_all(PROT_NONE);
}

void emu_memory_settle()
{
	if (mem.lingers)
		protect_all(PROT_NONE);
	mem.lingers = false;
}

void emu_set_protect(int on)
{
	if (mem.open_always == !on)
		return;
	mem.open_always = mem.lingers = false;
	protect_all(on ? PROT_NONE : PROT_READ | PROT_WRITE);
	mem.open_always = !on;
}

/* The lowest addresses where `room` bytes fit with a page to spare on each side. */
static unsigned char *find_room(size_t room)
{
	unsigned char *at = mem.base + page;

	for (const auto &a : mem.taken) {
		if (at + room + page <= a.second.first)
			break;
		at = a.second.first + a.second.room + page;
	}
	return (size_t)(at - mem.base) + room + page <= mem.reach ? at : nullptr;
}

void *emu_memory_take(size_t bytes)
{
	allocation a = { nullptr, 0, bytes };
	unsigned char *p;

	if (bytes > mem.capacity)
		return nullptr;
	a.room = (bytes + page - 1) / page * page;
	if (a.room > mem.capacity - mem.used)
		return nullptr;
	a.first = find_room(a.room);
	if (!a.first)
		return nullptr;
	/* As near to the end of its pages as the alignment allows. */
	p = a.first + (a.room - bytes) / 256 * 256;
	protect(a, PROT_READ | PROT_WRITE);
	memset(p, 0xff, bytes);
	EMU_POISON(a.first, a.room);
	EMU_UNPOISON(p, bytes);
	{
		guard g(tables);

		mem.taken[p] = a;
	}
	mem.used += a.room;
	if (mem.depth == 0 && !mem.lingers && !mem.open_always)
		protect(a, PROT_NONE);
	return p;
}

bool emu_memory_give(void *p)
{
	auto found = mem.taken.find(static_cast<unsigned char *>(p));

	if (found == mem.taken.end())
		return false;
	allocation a = found->second;

	protect(a, PROT_NONE);
	(void)madvise(a.first, a.room, MADV_DONTNEED);
	EMU_UNPOISON(a.first, a.room);
	mem.used -= a.room;
	guard g(tables);
	mem.taken.erase(found);
	return true;
}

void *emu_memory_pin(size_t bytes)
{
	unsigned char *p;

	if (bytes > mem.capacity)
		return nullptr;
	p = static_cast<unsigned char *>(
			aligned_alloc(page, bytes == 0 ? page : (bytes + page - 1) / page * page));
	if (p) {
		guard g(tables);

		mem.pinned[p] = { p, 0, bytes };
	}
	return p;
}

bool emu_memory_unpin(void *p)
{
	{
		guard g(tables);

		if (mem.pinned.erase(static_cast<unsigned char *>(p)) == 0)
			return false;
	}
	free(p);
	return true;
}

void emu_memory_info(size_t *available, size_t *total)
{
	*total = mem.capacity;
	*available = mem.capacity - mem.used;
}

static bool inside(const table &t, const void *p, size_t bytes)
{
	const table::value_type *a = before(t, p);
	size_t at;

	if (!a)
		return false;
	at = (size_t)(static_cast<const unsigned char *>(p) - a->first);
	return at <= a->second.bytes && bytes <= a->second.bytes - at;
}

bool emu_memory_owns(const void *p, size_t bytes)
{
	return inside(mem.taken, p, bytes);
}

bool emu_memory_near(const void *p)
{
	return mem.base && p >= mem.base && p < mem.base + mem.reach;
}

void emu_check_argument(const char *kernel, int argument, const void *p)
{
	guard g(tables);

	if (p && !inside(mem.taken, p, 0) && !inside(mem.pinned, p, 0))
		emu_fail("kernel %s: argument %d, %p, points to no device memory", kernel, argument,
				p);
}

/*
 * Counts and pairs of small ones are small numbers and doubles large ones; the addresses of heap, stack
 * and programs lie between, above 2^45, in pages that are there.
 */
void emu_check_words(const char *kernel, int argument, const void *p, size_t bytes)
{
	for (size_t i = 0; i + sizeof(uint64_t) <= bytes; i += sizeof(uint64_t)) {
		unsigned char resident;
		uint64_t word;

		memcpy(&word, static_cast<const char *>(p) + i, sizeof(word));
		/* A small number in the lower half is the first of two of 32 bits. */
		if (word < (uint64_t)1 << 45 || word >= (uint64_t)1 << 48 ||
				(uint32_t)word < (uint32_t)1 << 24)
			continue;
		void *at = reinterpret_cast<void *>(word / page * page);

		if (!emu_memory_near(at) && mincore(at, page, &resident) == 0)
			emu_check_argument(kernel, argument, reinterpret_cast<void *>(word));
	}
}
