#ifndef LUCIE_TESTS_PLANTED_KERNELS_H
#define LUCIE_TESTS_PLANTED_KERNELS_H
/* Kernels with an error each, where `broken` or a number asks for it: see test_planted.cc. */
#include "tests/kernels/emu/emu.h"

/* The thread sanitizer tells some 250 threads apart. */
enum { N = 128, BLOCKS = 3, ALL = BLOCKS * N };

#define AT(i) ((int)blockIdx.x * N + (i))

/* Wait, unless the fault is that nobody does. */
#define BARRIER_IF(there)                \
	do {                             \
		if (there)               \
			__syncthreads(); \
	} while (0)

/* --- barriers --------------------------------------------------------------------------------- */

__global__ static void reverse(float *y, const float *x, bool broken)
{
	LK_SHARED(float, s, N);
	int t = (int)threadIdx.x;

	s[t] = x[AT(t)];
	BARRIER_IF(!broken);
	y[AT(t)] = s[N - 1 - t];
}

/* The barrier at the end of a loop, that keeps the next round from overwriting what is read. */
__global__ static void rotate(float *y, const float *x, bool broken)
{
	LK_SHARED(float, s, N);
	int t = (int)threadIdx.x;
	float v = x[AT(t)];

	for (int round = 0; round < 3; round++) {
		s[t] = v;
		__syncthreads();
		v = s[(t + 1) % N];
		BARRIER_IF(!broken);
	}
	y[AT(t)] = v;
}

/* A sum in shared memory whose last steps are of one warp. */
__global__ static void sum_by_warp(float *y, const float *x, bool broken)
{
	LK_SHARED(float, s, N);
	int t = (int)threadIdx.x;

	s[t] = x[AT(t)];
	for (int k = N / 2; k > 0; k /= 2) {
		__syncthreads();
		if (t < k)
			s[t] += s[t + k];
	}
	__syncthreads();
	if (t >= 32)
		return;
	float all = s[0];
	__syncwarp();
	s[t] = all + (float)t;
	if (!broken)
		__syncwarp();
	y[AT(t)] = s[31 - t];
}

__global__ static void divergent(float *y, const float *x, bool broken)
{
	int t = (int)threadIdx.x;

	if (!broken || t < 100)
		__syncthreads();
	y[AT(t)] = x[AT(t)];
}

__global__ static void early_return(float *y, const float *x, int n)
{
	LK_SHARED(float, s, N);
	int t = (int)threadIdx.x;

	if (AT(t) >= n)
		return;
	s[t] = x[AT(t)];
	__syncthreads();
	y[AT(t)] = s[t ^ 1];
}

__global__ static void two_barriers(float *y, const float *x, bool broken)
{
	int t = (int)threadIdx.x;

	if (broken && t % 2 == 0) {
		y[AT(t)] = x[AT(t)];
		__syncthreads();
	} else {
		__syncthreads();
		y[AT(t)] = x[AT(t)];
	}
}

/* --- warps ------------------------------------------------------------------------------------ */

__global__ static void lost_lane(float *y, const float *x, bool broken)
{
	int t = (int)threadIdx.x;
	float v = x[AT(t)];

	if (!broken || t % 32 != 7)
		v += __shfl_xor_sync(0xffffffffu, v, 1);
	y[AT(t)] = v;
}

__global__ static void wrong_mask(float *y, const float *x, bool broken)
{
	int t = (int)threadIdx.x;
	float v = x[AT(t)];

	y[AT(t)] = t < 16 ? __shfl_xor_sync(broken ? 0xffu : 0xffffu, v, 1) : v;
}

/* The lane that is read takes no part, so what it gives is undefined. */
__global__ static void absent_source(float *y, const float *x, bool broken)
{
	int t = (int)threadIdx.x;
	float v = x[AT(t)];

	if (t < 16)
		v = __shfl_sync(0xffffu, v, broken ? 20 : 10);
	y[AT(t)] = v;
}

/* --- indices ---------------------------------------------------------------------------------- */

/* n is ALL; one too many is read, or written. */
__global__ static void one_too_far(float *y, const float *x, int n, int read)
{
	int i = AT((int)threadIdx.x);

	for (; i <= n; i += ALL)
		if (read)
			y[i % ALL] = x[i];
		else
			y[i] = x[i % ALL];
}

__global__ static void beside_shared(float *y, const float *x, bool broken)
{
	LK_SHARED(float, s, N);
	LK_SHARED(float, after, N);
	int t = (int)threadIdx.x;

	s[t] = after[t] = 0;
	__syncthreads();
	/* Not by the array's own type, which the compiler's sanitizer knows. */
	float *p = s;

	p[t + broken] = x[AT(t)];
	__syncthreads();
	y[AT(t)] = p[t] + after[t];
}

__global__ static void uninitialised(float *y, const float *x, bool broken)
{
	LK_SHARED(float, s, N);
	int t = (int)threadIdx.x;

	if (!broken || t != 77)
		s[t] = 1;
	__syncthreads();
	y[AT(t)] = x[AT(t)] + s[t];
}

__global__ static void unwritten(float *y, const float *x, int n)
{
	int i = AT((int)threadIdx.x);

	if (i < n)
		y[i] = x[i];
}

__global__ static void misaligned(float *y, const float *x, int by)
{
	int i = AT((int)threadIdx.x);

	if (i % 4 == 0 && i + 4 <= ALL - 4)
		*reinterpret_cast<float4 *>(y + i) = *reinterpret_cast<const float4 *>(x + i + by);
}

/* --- order ------------------------------------------------------------------------------------ */

/* Floating-point additions in the order in which the blocks come. */
__global__ static void sum_by_atomics(float *y, const float *x, bool broken)
{
	int t = (int)threadIdx.x;

	if (broken) {
		atomicAdd(&y[0], x[AT(t)] / 3);
	} else if (AT(t) == 0) {
		for (int i = 0; i < ALL; i++)
			y[0] += x[i] / 3;
	}
}

/* A block that uses what another has written. */
__global__ static void other_block(float *y, const float *x, bool broken)
{
	int i = AT((int)threadIdx.x);

	y[i] = x[i];
	if (broken && blockIdx.x == 1)
		y[i] += y[i - N];
}

/* --- cp.async and matrices -------------------------------------------------------------------- */

enum { NO_FAULT, NO_WAIT, NO_BARRIER, NO_COMMIT, TOO_LOOSE };

/* Tiles of 4 floats a thread through two stages. */
__global__ static void staged(float *y, const float *x, int fault)
{
	LK_SHARED_DYNAMIC(float4, tile);
	int t = (int)threadIdx.x, each = N / 4;

	for (int stage = 0; stage < 2; stage++) {
		emu_cp_async16(&tile[stage * each + t], x + 4 * (stage * each + t), true);
		if (fault != NO_COMMIT)
			emu_cp_async_commit();
	}
	for (int stage = 0; stage < 2; stage++) {
		if (fault != NO_WAIT)
			emu_cp_async_wait(stage == 0 || fault == TOO_LOOSE ? 1 : 0);
		BARRIER_IF(fault != NO_BARRIER);
		const float4 v = tile[stage * each + each - 1 - t];

		y[4 * (stage * each + t)] = v.x + v.y + v.z + v.w;
	}
}

/* A product of 16 x 16 and 16 x 8 from memory; broken: with the rows 8 to 15 of A in the wrong place. */
__global__ static void fragments(float *y, const float *x, bool broken)
{
	int lane = (int)threadIdx.x, g = lane / 4, c = lane % 4 * 2;
	__nv_bfloat162 a[4], b[2];
	uint32_t wa[4], wb[2];
	float d[4] = {};

	for (int i = 0; i < 4; i++) {
		int row = g + i % 2 * 8, col = c + i / 2 * 8;

		if (broken) {
			row = g + i / 2 * 8;
			col = c + i % 2 * 8;
		}
		a[i] = __floats2bfloat162_rn(x[16 * row + col], x[16 * row + col + 1]);
	}
	for (int i = 0; i < 2; i++)
		b[i] = __floats2bfloat162_rn(
				x[256 + 8 * (c + 8 * i) + g], x[256 + 8 * (c + 8 * i + 1) + g]);
	memcpy(wa, a, sizeof(wa));
	memcpy(wb, b, sizeof(wb));
	emu_mma_m16n8k16_bf16(d, wa, wb);
	for (int i = 0; i < 4; i++)
		y[8 * (g + i / 2 * 8) + c + i % 2] = d[i];
}

/* The rows that ldmatrix is given are written by other lanes. */
__global__ static void rows_too_soon(float *y, const float *x, bool broken)
{
	LK_SHARED(uint32_t, s, 8 * 4);
	int lane = (int)threadIdx.x;
	uint32_t r[1];

	s[31 - lane] = __float_as_uint(x[lane]);
	if (!broken)
		__syncwarp();
	emu_ldmatrix_x1(r, &s[4 * (lane % 8)], false);
	y[lane] = __uint_as_float(r[0]);
}

__global__ static void twice(float *y, const float *x)
{
	int i = AT((int)threadIdx.x);

	y[i] = 2 * x[i];
}

struct arguments {
	float *y;
	const float *x;
};

__global__ static void by_structure(arguments a)
{
	twice(a.y, a.x);
}

#endif
