/*
 * Planted faults: small kernels, and host code, each with an error that the emulation must find. Every
 * one runs in a process of its own, in several orders of threads and with work done late, once as it
 * should be and once broken. As it should be, it ends well and all runs give the bits that are wanted.
 * Broken, it ends with the message that is expected of it, or some run gives other bits.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "tests/kernels/emu/emu_fibre.h"
#include "tests/kernels/emu/planted_kernels.h"

extern "C" {
#include <cmocka.h>
}

namespace
{

struct queue {
	cudaStream_t stream;
};

/* What a case gets: two queues, input x[ALL] = 1, 2, 3 ... and output y[ALL], on the host and the device. */
struct bench {
	queue *q, *q2;
	float *x, *y, *z; /* device */
	float *in, *out;  /* host */
	bool broken;
};

} // namespace

/* --- the cases -------------------------------------------------------------------------------- */

#define LAUNCH(k, ...) LK_LAUNCH(k, BLOCKS, N, 0, b->q, b->y, b->x, __VA_ARGS__)

static void by_flag(void (*k)(float *, const float *, bool), bench *b)
{
	LAUNCH(k, b->broken);
}

static void run_early_return(bench *b)
{
	LAUNCH(early_return, b->broken ? ALL - 1 : ALL);
}

static void run_read_too_far(bench *b)
{
	LAUNCH(one_too_far, b->broken ? ALL : ALL - 1, 1);
}

static void run_write_too_far(bench *b)
{
	LAUNCH(one_too_far, b->broken ? ALL : ALL - 1, 0);
}

static void run_unwritten(bench *b)
{
	LAUNCH(unwritten, b->broken ? ALL - 1 : ALL);
}

static void run_misaligned(bench *b)
{
	LAUNCH(misaligned, b->broken ? 1 : 4);
}

static void run_atomics(bench *b)
{
	(void)cudaMemsetAsync(b->y, 0, ALL * sizeof(float), b->q->stream);
	LAUNCH(sum_by_atomics, b->broken);
}

static void run_staged(bench *b, int fault)
{
	(void)cudaMemsetAsync(b->y, 0, ALL * sizeof(float), b->q->stream);
	LK_LAUNCH(staged, 1, N / 4, 2 * N * sizeof(float), b->q, b->y, b->x,
			b->broken ? fault : NO_FAULT);
}

static void run_no_wait(bench *b)
{
	run_staged(b, NO_WAIT);
}

static void run_no_barrier(bench *b)
{
	run_staged(b, NO_BARRIER);
}

static void run_no_commit(bench *b)
{
	run_staged(b, NO_COMMIT);
}

static void run_too_loose(bench *b)
{
	run_staged(b, TOO_LOOSE);
}

static void run_fragments(bench *b)
{
	LK_LAUNCH(fragments, 1, 32, 0, b->q, b->y, b->x, b->broken);
}

static void run_rows_too_soon(bench *b)
{
	LK_LAUNCH(rows_too_soon, 1, 32, 0, b->q, b->y, b->x, b->broken);
}

static void run_big_shared(bench *b)
{
	const size_t bytes = 100 << 10;

	if (!b->broken)
		(void)cudaFuncSetAttribute(
				staged, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)bytes);
	LK_LAUNCH(staged, 1, N / 4, bytes, b->q, b->y, b->x, NO_FAULT);
	if (cudaGetLastError() != cudaSuccess)
		emu_fail("the launch is refused");
	(void)cudaMemsetAsync(b->y, 0, ALL * sizeof(float), b->q->stream);
}

static void run_host_reads(bench *b)
{
	LK_LAUNCH(twice, BLOCKS, N, 0, b->q, b->y, b->x);
	(void)cudaStreamSynchronize(b->q->stream);
	if (b->broken)
		b->in[0] = b->y[0];
}

static void run_host_writes(bench *b)
{
	if (b->broken)
		b->x[0] = 1;
	LK_LAUNCH(twice, BLOCKS, N, 0, b->q, b->y, b->x);
}

static void run_host_pointer(bench *b)
{
	LK_LAUNCH(twice, BLOCKS, N, 0, b->q, b->y, b->broken ? b->in : b->x);
}

static void run_host_in_structure(bench *b)
{
	static float elsewhere[ALL];
	arguments a = { b->y, b->broken ? elsewhere : b->x };

	LK_LAUNCH(by_structure, BLOCKS, N, 0, b->q, a);
}

static void run_after_free(bench *b)
{
	float *p;

	(void)cudaMalloc(&p, ALL * sizeof(*p));
	LK_LAUNCH(twice, BLOCKS, N, 0, b->q, p, b->x);
	if (b->broken)
		(void)cudaFree(p);
	LK_LAUNCH(twice, BLOCKS, N, 0, b->q, b->y, p);
	if (!b->broken)
		(void)cudaFree(p);
}

static void run_wrong_direction(bench *b)
{
	if (cudaMemcpyAsync(b->y, b->broken ? b->in : b->x, ALL * sizeof(float),
			    cudaMemcpyDeviceToDevice, b->q->stream) != cudaSuccess)
		emu_fail("the copy is refused");
}

/* The second queue uses what the first has made. */
static void run_no_event(bench *b)
{
	cudaEvent_t e;

	(void)cudaEventCreate(&e);
	LK_LAUNCH(twice, BLOCKS, N, 0, b->q, b->z, b->x);
	(void)cudaEventRecord(e, b->q->stream);
	if (!b->broken)
		(void)cudaStreamWaitEvent(b->q2->stream, e);
	LK_LAUNCH(twice, BLOCKS, N, 0, b->q2, b->y, b->z);
	(void)cudaStreamSynchronize(b->q2->stream);
	(void)cudaEventDestroy(e);
}

/* The second queue overwrites what the first still reads. */
static void run_overwritten(bench *b)
{
	cudaEvent_t e;

	(void)cudaEventCreate(&e);
	LK_LAUNCH(twice, BLOCKS, N, 0, b->q, b->y, b->x);
	(void)cudaEventRecord(e, b->q->stream);
	if (!b->broken)
		(void)cudaStreamWaitEvent(b->q2->stream, e);
	(void)cudaMemsetAsync(b->x, 0, ALL * sizeof(float), b->q2->stream);
	(void)cudaStreamSynchronize(b->q2->stream);
	(void)cudaEventDestroy(e);
}

/* The host uses a buffer again before the copy from it is done. */
static void run_buffer_again(bench *b)
{
	(void)cudaMemcpyAsync(
			b->y, b->in, ALL * sizeof(float), cudaMemcpyHostToDevice, b->q->stream);
	if (!b->broken)
		(void)cudaStreamSynchronize(b->q->stream);
	memset(b->in, 0, ALL * sizeof(float));
}

/* The host reads a result before it is there. */
static void run_read_early(bench *b)
{
	std::vector<float> got(ALL);

	LK_LAUNCH(twice, BLOCKS, N, 0, b->q, b->z, b->x);
	(void)cudaMemcpyAsync(got.data(), b->z, ALL * sizeof(float), cudaMemcpyDeviceToHost,
			b->q->stream);
	if (!b->broken)
		(void)cudaStreamSynchronize(b->q->stream);
	(void)cudaMemcpyAsync(
			b->y, got.data(), sizeof(float), cudaMemcpyHostToDevice, b->q2->stream);
	(void)cudaStreamSynchronize(b->q2->stream);
	(void)cudaStreamSynchronize(b->q->stream);
}

/* A fault that the address sanitizer's build alone can find; one that the thread sanitizer finds too. */
enum { NEEDS_ASAN = 1, RACE };

struct planted {
	const char *name;
	void (*run)(bench *b);
	/* What the message says, if there has to be one; NULL: the bits are others. */
	const char *says;
	int how;
	void (*kernel)(float *, const float *, bool); /* in place of run */
};

#define BY_FLAG(k, says, how)             \
	{                                 \
#k, nullptr, says, how, k \
	}

static const planted cases[] = {
	BY_FLAG(reverse, nullptr, RACE),
	BY_FLAG(rotate, nullptr, RACE),
	BY_FLAG(sum_by_warp, nullptr, RACE),
	BY_FLAG(divergent, "thread (0,0,0): the barrier of ", 0),
	BY_FLAG(two_barriers, "is at that of", 0),
	BY_FLAG(lost_lane, "waits for lane 7, which has ended", 0),
	BY_FLAG(wrong_mask, "which is not in it", 0),
	BY_FLAG(absent_source, nullptr, 0),
	BY_FLAG(beside_shared, "kernel k, block (", 0),
	BY_FLAG(uninitialised, nullptr, 0),
	BY_FLAG(other_block, nullptr, 0),
	{ "early return", run_early_return, "is not reached by thread (127,0,0), which has ended",
			0, nullptr },
	{ "read too far", run_read_too_far, "kernel one_too_far, block (0,0,0), thread (0,0,0)", 0,
			nullptr },
	{ "write too far", run_write_too_far, "kernel one_too_far, block (0,0,0), thread (0,0,0)",
			0, nullptr },
	{ "unwritten", run_unwritten, nullptr, 0, nullptr },
	{ "misaligned", run_misaligned, "misaligned address", NEEDS_ASAN, nullptr },
	{ "order of additions", run_atomics, nullptr, 0, nullptr },
	{ "no wait", run_no_wait, nullptr, 0, nullptr },
	{ "no barrier after the wait", run_no_barrier, nullptr, RACE, nullptr },
	{ "no commit", run_no_commit, nullptr, 0, nullptr },
	{ "a group too few", run_too_loose, nullptr, 0, nullptr },
	{ "fragments", run_fragments, nullptr, 0, nullptr },
	{ "ldmatrix too soon", run_rows_too_soon, nullptr, RACE, nullptr },
	{ "shared memory above 48 KiB", run_big_shared, "the launch is refused", 0, nullptr },
	{ "host reads", run_host_reads,
			"the host has access to device memory, byte 0 of an allocation of 1536", 0,
			nullptr },
	{ "host writes", run_host_writes, "the host has access to device memory", 0, nullptr },
	{ "host pointer", run_host_pointer, "argument 2", 0, nullptr },
	{ "host pointer in a structure", run_host_in_structure, "argument 1", 0, nullptr },
	{ "use after free", run_after_free, "argument 2", 0, nullptr },
	{ "wrong direction", run_wrong_direction, "the copy is refused", 0, nullptr },
	{ "no event", run_no_event, nullptr, 0, nullptr },
	{ "overwritten", run_overwritten, nullptr, 0, nullptr },
	{ "buffer used again", run_buffer_again, nullptr, 0, nullptr },
	{ "result read early", run_read_early, nullptr, 0, nullptr },
};

/* --- running them ----------------------------------------------------------------------------- */

#ifdef EMU_TSAN
/* Otherwise each run would sleep for a second at its end. */
extern "C" const char *__tsan_default_options()
{
	return "atexit_sleep_ms=0";
}
#endif

/* In a process of its own: run the case and write what it made of y to `fd`. */
static void child(const planted *p, bool broken, unsigned order, int fd)
{
	std::vector<float> in(ALL), out(ALL);
	queue a, c;
	bench b = { &a, &c, nullptr, nullptr, nullptr, in.data(), out.data(), broken };
	const size_t bytes = ALL * sizeof(float);

	/* cmocka's handler would go on with the test. */
	(void)signal(SIGSEGV, SIG_DFL);
	emu_set_order(order);
	emu_set_late(order >= 3);
	for (int i = 0; i < ALL; i++)
		in[(size_t)i] = (float)(i + 1);
	(void)cudaStreamCreate(&a.stream);
	(void)cudaStreamCreate(&c.stream);
	(void)cudaMalloc(&b.x, bytes);
	(void)cudaMalloc(&b.y, bytes);
	(void)cudaMalloc(&b.z, bytes);
	(void)cudaMemcpy(b.x, in.data(), bytes, cudaMemcpyHostToDevice);
	if (p->kernel)
		by_flag(p->kernel, &b);
	else
		p->run(&b);
	(void)cudaMemcpy(out.data(), b.y, bytes, cudaMemcpyDeviceToHost);
	if (write(fd, out.data(), bytes) != (ssize_t)bytes)
		_exit(3);
	_exit(0);
}

/* What a run gave and wrote to standard error, and how it ended. */
struct outcome {
	std::vector<char> bits, text;
	int status;
};

static std::vector<char> contents(FILE *f)
{
	std::vector<char> to;
	int c;

	rewind(f);
	while ((c = getc(f)) != EOF)
		to.push_back((char)c);
	(void)fclose(f);
	return to;
}

static outcome run_apart(const planted *p, bool broken, unsigned order)
{
	FILE *bits = tmpfile(), *text = tmpfile();
	outcome o;
	pid_t pid;

	assert_non_null(bits);
	assert_non_null(text);
	(void)fflush(nullptr);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)dup2(fileno(text), 2);
		child(p, broken, order, fileno(bits));
	}
	assert_int_equal(waitpid(pid, &o.status, 0), pid);
	o.bits = contents(bits);
	o.text = contents(text);
	o.text.push_back(0);
	return o;
}

static void check(const planted *p)
{
	const unsigned orders[] = { 0, 1, 2, 3, 4, 5 };
	outcome want;
	bool caught = false;

	for (unsigned order : orders) {
		outcome o = run_apart(p, false, order);

		if (o.status != 0)
			fail_msg("%s: status %d as it should be: %s", p->name, o.status,
					o.text.data());
		if (order == 0)
			want = o;
		else if (o.bits != want.bits)
			fail_msg("%s: order %u has other bits as it should be", p->name, order);
	}
	for (unsigned order : orders) {
		outcome o = run_apart(p, true, order);

		if (p->says && (o.status == 0 || !strstr(o.text.data(), p->says)))
			fail_msg("%s, order %u: status %d, not the message \"%s\": %s", p->name,
					order, o.status, p->says, o.text.data());
#ifdef EMU_TSAN
		if (p->how == RACE) {
			if (!strstr(o.text.data(), "ThreadSanitizer: data race"))
				fail_msg("%s, order %u: no data race", p->name, order);
			caught = true;
			continue;
		}
#endif
		/* Without a message all orders end well, and one shows the fault. */
		if (!p->says && o.status != 0)
			fail_msg("%s, order %u: status %d: %s", p->name, order, o.status,
					o.text.data());
		caught = caught || o.status != 0 || o.bits != want.bits;
	}
	if (!caught)
		fail_msg("%s is not found", p->name);
}

static void test_planted(void **state)
{
	(void)state;
	for (const planted &p : cases) {
#ifndef EMU_ASAN
		if (p.how == NEEDS_ASAN)
			continue;
#endif
		print_message("# %s\n", p.name);
		check(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_planted) };

	return cmocka_run_group_tests_name("kernels/emu/planted", tests, NULL, NULL);
}
