/* Kernels: fibres, barriers, what warps do together, shared memory, cp.async. */
#include "tests/kernels/emu/emu.h"

#include <stdarg.h>
#include <sys/mman.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "tests/kernels/emu/emu_fibre.h"

namespace
{

enum : unsigned { MOST = 1024, WARP = 32 };
enum { MOST_ARRAYS = 64 };
enum state { READY, AT_BARRIER, IN_WARP, ENDED };
const size_t shared_room = 256 << 10, shared_static = 48 << 10;
const size_t gap = 128; /* bytes between the arrays in shared memory */

/* A cp.async that has been issued. */
struct copy {
	void *to;
	const void *from;
	size_t bytes;
	bool valid;
	int group;
};

struct thread : emu_fibre {
	unsigned number;
	uint3 index;
	enum state state;
	emu_place at; /* of what it waits for */
	int vote;
	/* in a warp: */
	emu_together *fn;
	const char *what;
	unsigned mask;
	void *arg;
	/* cp.async: */
	std::vector<copy> copies;
	int group;
};

struct {
	const emu_kernel *kernel;
	uint64_t serial; /* of the block, from 1 */
	unsigned n, arrived, ended;
	uint64_t barriers;
	thread *now;
	thread threads[MOST];
	unsigned order[MOST], place[MOST]; /* order[place[i]] == i */
	unsigned warp_first[MOST / WARP];  /* the first place of a warp's threads in the order */
	unsigned waiting[MOST / WARP];	   /* lanes that wait for others of their warp */
	emu_votes votes;
	emu_fibre host;
	unsigned char *shared, *dynamic;
	size_t used, fixed; /* bytes of shared memory, gaps included; of static arrays */
	unsigned char *array[MOST_ARRAYS];
	size_t array_bytes[MOST_ARRAYS], arrays;
	unsigned ordering;
} block;

/*
 * Addresses that stand for the begin and end of blocks and for barriers, in the thread sanitizer's
 * eyes, to which 8 bytes are one. Two for barriers, since a thread may be at the next one before all
 * have left the last.
 */
uint64_t begin_point, end_point, barrier_point[2], warp_point[MOST / WARP];

} // namespace

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

const char *emu_where()
{
	static char text[256];

	if (!block.kernel)
		return "";
	(void)snprintf(text, sizeof(text), "kernel %s, block (%u,%u,%u), thread (%u,%u,%u)",
			block.kernel->name, blockIdx.x, blockIdx.y, blockIdx.z, threadIdx.x,
			threadIdx.y, threadIdx.z);
	return text;
}

void emu_fail(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "emulation: %s%s", emu_where(), block.kernel ? ": " : "");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n");
	abort();
}

/* --- the order of threads --------------------------------------------------------------------- */

void emu_set_order(unsigned order)
{
	block.ordering = order;
}

/* Number i of a pseudo-random sequence (splitmix64). */
static uint64_t mix(uint64_t seed, uint64_t i)
{
	uint64_t z = (seed + i + 1) * 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static void put_in_order()
{
	unsigned n = block.n;

	std::iota(block.order, block.order + n, 0u);
	if (block.ordering == 1)
		std::reverse(block.order, block.order + n);
	for (unsigned i = n; block.ordering > 1 && i > 1; i--)
		std::swap(block.order[i - 1], block.order[mix(block.ordering, i) % i]);
	std::fill(block.warp_first, block.warp_first + MOST / WARP, MOST);
	for (unsigned i = n; i-- > 0;) {
		block.place[block.order[i]] = i;
		block.warp_first[block.order[i] / WARP] = i;
	}
}

/* What a thread that others wait for does instead. */
static void describe(const thread *t, char *text, size_t size)
{
	static const char *const doing[] = { "runs", "waits at a barrier", "waits in a warp",
		"has ended" };

	if (t->state == READY || t->state == ENDED)
		(void)snprintf(text, size, "%s", doing[t->state]);
	else
		(void)snprintf(text, size, "%s at %s:%d", doing[t->state], t->at.file, t->at.line);
}

/* No thread can go on: say which one another waits for. */
[[noreturn]] static void deadlock()
{
	thread *t = std::find_if(block.threads, block.threads + block.n,
			[](const thread &x) { return x.state == IN_WARP; });
	char text[256];

	if (t != block.threads + block.n) {
		unsigned first = t->number / WARP * WARP, lane = 0;

		threadIdx = t->index;
		for (; lane < WARP; lane++) {
			thread *o = &block.threads[first + lane];

			if ((t->mask >> lane & 1) == 0)
				continue;
			if (first + lane >= block.n)
				emu_fail("%s of %s:%d waits for lane %u, which is not there",
						t->what, t->at.file, t->at.line, lane);
			if (o->state == IN_WARP && o->fn == t->fn && o->mask == t->mask)
				continue;
			describe(o, text, sizeof(text));
			emu_fail("%s of %s:%d with mask %#x waits for lane %u, which %s", t->what,
					t->at.file, t->at.line, t->mask, lane, text);
		}
	}
	t = std::find_if(block.threads, block.threads + block.n,
			[](const thread &x) { return x.state == AT_BARRIER; });
	threadIdx = t->index;
	for (unsigned i = 0; i < block.n; i++) {
		thread *o = &block.threads[i];

		if (o->state == AT_BARRIER)
			continue;
		describe(o, text, sizeof(text));
		emu_fail("the barrier of %s:%d is not reached by thread (%u,%u,%u), which %s",
				t->at.file, t->at.line, o->index.x, o->index.y, o->index.z, text);
	}
	emu_fail("no thread can go on");
}

static void enter(thread *t)
{
	block.now = t;
	threadIdx = t->index;
}

/* Go on with the next thread that can, from place `from` of the order on. */
static void next(unsigned from)
{
	thread *old = block.now;

	if (block.ended == block.n) {
		block.now = nullptr;
		emu_fibre_switch(old, &block.host);
		return;
	}
	for (unsigned i = 0; i < block.n; i++) {
		unsigned at = from + i < block.n ? from + i : from + i - block.n;
		thread *t = &block.threads[block.order[at]];

		if (t->state != READY)
			continue;
		enter(t);
		if (t != old)
			emu_fibre_switch(old, t);
		return;
	}
	deadlock();
}

/* --- barriers --------------------------------------------------------------------------------- */

emu_votes emu_barrier(int vote, emu_place at)
{
	thread *t = block.now;
	uint64_t *point = &barrier_point[block.barriers % 2];
	int count = 0;

	t->state = AT_BARRIER;
	t->at = at;
	t->vote = vote;
	emu_fibre_release(point);
	if (++block.arrived < block.n) {
		next(block.place[t->number] + 1);
	} else {
		for (unsigned i = 0; i < block.n; i++) {
			thread *o = &block.threads[i];

			if (o->at.line != at.line || strcmp(o->at.file, at.file) != 0)
				emu_fail("a barrier at %s:%d, but thread (%u,%u,%u) is at that of "
					 "%s:%d",
						at.file, at.line, o->index.x, o->index.y,
						o->index.z, o->at.file, o->at.line);
			count += o->vote != 0;
			o->state = READY;
		}
		block.votes = { count, count == (int)block.n };
		block.arrived = 0;
		block.barriers++;
		next(0);
	}
	emu_fibre_acquire(point);
	return block.votes;
}

/* --- warps ------------------------------------------------------------------------------------ */

void emu_collective(emu_together *fn, const char *what, unsigned mask, void *arg, emu_place at)
{
	thread *t = block.now;
	unsigned warp = t->number / WARP, lane = t->number % WARP;
	void *args[WARP] = {};

	if ((mask >> lane & 1) == 0)
		emu_fail("%s of %s:%d with mask %#x by lane %u, which is not in it", what, at.file,
				at.line, mask, lane);
	t->state = IN_WARP;
	t->at = at;
	t->fn = fn;
	t->what = what;
	t->mask = mask;
	t->arg = arg;
	block.waiting[warp] |= 1u << lane;
	if ((block.waiting[warp] & mask) != mask) {
		next(block.place[t->number] + 1);
		return;
	}
	for (unsigned i = 0; i < WARP; i++) {
		const thread *o = &block.threads[warp * WARP + i];

		if ((mask >> i & 1) == 0)
			continue;
		if (o->fn != fn || o->mask != mask) {
			next(block.place[t->number] + 1);
			return;
		}
		args[i] = o->arg;
	}
	fn(args, mask);
	block.waiting[warp] &= ~mask;
	for (unsigned i = 0; i < WARP; i++)
		if (mask >> i & 1)
			block.threads[warp * WARP + i].state = READY;
	next(block.warp_first[warp]);
}

int emu_lane()
{
	return (int)(block.now->number % WARP);
}

static void do_nothing(void *const *, unsigned)
{
}

void emu_sync_warp(unsigned mask, emu_place at)
{
	uint64_t *point = &warp_point[block.now->number / WARP];

	emu_fibre_release(point);
	emu_collective(do_nothing, "__syncwarp", mask, nullptr, at);
	emu_fibre_acquire(point);
}

void emu_do_vote(void *const arg[32], unsigned mask)
{
	unsigned ballot = 0;

	for (unsigned i = 0; i < WARP; i++)
		if (mask >> i & 1)
			ballot |= (unsigned)(static_cast<emu_vote *>(arg[i])->mine != 0) << i;
	for (unsigned i = 0; i < WARP; i++)
		if (mask >> i & 1)
			static_cast<emu_vote *>(arg[i])->ballot = ballot;
}

/* The lane that lane i reads, by the description of the shuffle functions in the programming guide. */
static unsigned source_lane(const emu_shuffle *s, unsigned i)
{
	unsigned width = (unsigned)s->width, first = i & ~(width - 1), from = i;

	switch (s->how) {
	case EMU_IDX: return first | (s->by & (width - 1));
	case EMU_UP: from = i - s->by; return i < first + s->by ? i : from;
	case EMU_DOWN: from = i + s->by; return from >= first + width || from < i ? i : from;
	case EMU_XOR: from = i ^ s->by; return from >= first + width ? i : from;
	}
	return i;
}

void emu_do_shuffle(void *const arg[32], unsigned mask)
{
	for (unsigned i = 0; i < WARP; i++) {
		emu_shuffle *s = static_cast<emu_shuffle *>(arg[i]);

		if ((mask >> i & 1) == 0)
			continue;
		if (s->width < 1 || s->width > 32 || (s->width & (s->width - 1)) != 0)
			emu_fail("a shuffle with a width of %d", s->width);
		unsigned from = source_lane(s, i);
		/* The value of a lane that does not take part is undefined. */
		s->out = mask >> from & 1 ? static_cast<emu_shuffle *>(arg[from])->in : UINT64_MAX;
	}
}

/* --- shared memory ---------------------------------------------------------------------------- */

/* Bytes of shared memory of the block, with a gap after them. */
static unsigned char *take_shared(size_t bytes, size_t align)
{
	size_t at = (block.used + align - 1) / align * align;
	unsigned char *p = block.shared + at;

	if (at + bytes + gap > shared_room)
		emu_fail("%zu bytes of shared memory are too many", at + bytes);
	EMU_UNPOISON(p, bytes);
	if (block.arrays == MOST_ARRAYS)
		emu_fail("more than %d arrays in shared memory", MOST_ARRAYS);
	block.array[block.arrays] = p;
	block.array_bytes[block.arrays++] = bytes;
	block.used = at + bytes + gap;
	return p;
}

void *emu_shared(emu_shared_site *site, size_t bytes, size_t align)
{
	if (site->block != block.serial) {
		block.fixed += bytes;
		if (block.fixed > shared_static)
			emu_fail("%zu bytes of static shared memory; there are 48 KiB",
					block.fixed);
		/* Wide enough for vectors, as on the device, but no more. */
		site->p = take_shared(bytes, std::max(align, (size_t)16));
		site->block = block.serial;
	}
	return site->p;
}

void *emu_shared_dynamic()
{
	return block.dynamic;
}

/* Memory is filled by the host, which the thread sanitizer takes for a thread of its own. */
static void fill_shared(size_t bytes)
{
	EMU_UNPOISON(block.shared, bytes);
	memset(block.shared, 0xff, bytes);
	EMU_POISON(block.shared, bytes);
	block.used = gap;
	block.fixed = 0;
	block.arrays = 0;
}

/* Find stores beside the arrays of shared memory; the address sanitizer finds them at once. */
static void check_shared()
{
	EMU_UNPOISON(block.shared, block.used);
	for (size_t i = 0; i < block.arrays; i++) {
		const unsigned char *end = block.array[i] + block.array_bytes[i];

		for (size_t j = 0; j < gap; j++)
			if (end[j] != 0xff)
				emu_fail("byte %zu behind a shared array of %zu bytes is "
					 "overwritten",
						j, block.array_bytes[i]);
	}
	fill_shared(block.used);
}

/* --- cp.async --------------------------------------------------------------------------------- */

static void begin_copy(void *to, const void *from, size_t bytes, bool valid)
{
	thread *t = block.now;

	if ((uintptr_t)to % bytes != 0 || (valid && (uintptr_t)from % bytes != 0))
		emu_fail("cp.async of %zu bytes from %p to %p: not aligned", bytes, from, to);
	if ((unsigned char *)to < block.shared || (unsigned char *)to >= block.shared + shared_room)
		emu_fail("cp.async to %p, which is not in shared memory", to);
	memset(to, 0xff, bytes);
	t->copies.push_back({ to, from, bytes, valid, t->group });
}

void emu_cp_async16(void *shared, const void *global, bool valid)
{
	begin_copy(shared, global, 16, valid);
}

void emu_cp_async8(void *shared, const void *global, bool valid)
{
	begin_copy(shared, global, 8, valid);
}

void emu_cp_async4(void *shared, const void *global, bool valid)
{
	begin_copy(shared, global, 4, valid);
}

void emu_cp_async_commit()
{
	block.now->group++;
}

void emu_cp_async_wait(int n)
{
	thread *t = block.now;
	size_t done = 0;

	for (; done < t->copies.size() && t->copies[done].group < t->group - n; done++) {
		const copy *c = &t->copies[done];

		emu_fibre_writes(c->to, c->bytes);
		if (c->valid)
			memcpy(c->to, c->from, c->bytes);
		else
			memset(c->to, 0, c->bytes);
	}
	t->copies.erase(t->copies.begin(), t->copies.begin() + (ptrdiff_t)done);
}

/* --- blocks ----------------------------------------------------------------------------------- */

/* The life of a fibre: the kernel, for one block after the other. */
static void live(emu_fibre *fibre)
{
	thread *t = static_cast<thread *>(fibre);

	for (;;) {
		emu_fibre_acquire(&begin_point);
		block.kernel->body();
		emu_fibre_release(&end_point);
		t->state = ENDED;
		block.ended++;
		next(block.place[t->number] + 1);
	}
}

static void run_block()
{
	block.serial++;
	block.arrived = block.ended = 0;
	std::fill(block.waiting, block.waiting + MOST / WARP, 0u);
	block.dynamic = take_shared(block.kernel->shared, 128);
	for (unsigned i = 0; i < block.n; i++) {
		thread *t = &block.threads[i];

		t->number = i;
		t->index = { i % blockDim.x, i / blockDim.x % blockDim.y,
			i / blockDim.x / blockDim.y };
		t->state = READY;
		t->copies.clear();
		t->group = 0;
		emu_fibre_open(t, live);
	}
	emu_fibre_release(&begin_point);
	enter(&block.threads[block.order[0]]);
	emu_fibre_switch(&block.host, block.now);
	emu_fibre_acquire(&end_point);
	check_shared();
}

/* Block i of n in the order that is set; a pseudo-random one by a stride without a common factor. */
static uint64_t block_number(uint64_t i, uint64_t n)
{
	uint64_t stride;

	if (block.ordering == 0)
		return i;
	if (block.ordering == 1)
		return n - 1 - i;
	for (stride = mix(block.ordering, 0) % n; std::gcd(stride, n) != 1;)
		stride = (stride + 1) % n;
	return (i % n * stride + block.ordering) % n;
}

/* Called by the stream, with device memory at hand. */
void emu_run_kernel(const emu_kernel &k)
{
	uint64_t n = (uint64_t)k.grid.x * k.grid.y * k.grid.z;

	if (!block.shared) {
		void *p = mmap(nullptr, shared_room, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			emu_fail("cannot map shared memory");
		block.shared = static_cast<unsigned char *>(p);
		fill_shared(shared_room);
	}
	block.kernel = &k;
	gridDim = k.grid;
	blockDim = k.block;
	block.n = k.block.x * k.block.y * k.block.z;
	put_in_order();
	for (uint64_t i = 0; i < n; i++) {
		uint64_t b = block_number(i, n);

		blockIdx = { (unsigned)(b % k.grid.x), (unsigned)(b / k.grid.x % k.grid.y),
			(unsigned)(b / k.grid.x / k.grid.y) };
		run_block();
	}
	block.kernel = nullptr;
}
