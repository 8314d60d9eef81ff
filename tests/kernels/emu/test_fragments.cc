/*
 * The matrix instructions of the emulation against the tables of the PTX manual (ISA 9.0, chapter
 * 9.7.14): the figures of sections 9.7.14.5.7, .8 and .15, written down element by element. A kernel
 * fills or reads the registers of each lane by these tables, and the product is compared with a plain
 * one.
 */
#include <setjmp.h>
#include <stdarg.h>

#include "tests/kernels/emu/emu.h"

extern "C" {
#include <cmocka.h>
}

struct queue {
	cudaStream_t stream;
};

/* Small integers, so that sums are exact in any order. */
static float number(int seed, int i)
{
	return (float)((i * 37 + seed * 11) % 19 - 9);
}

static uint16_t bf16(float x)
{
	return (uint16_t)(emu_bits<uint32_t>(x) >> 16);
}

/*
 * Figure of A of m16n8k16: row r, column c is in lane 4 (r % 8) + (c % 8) / 2, as element a0..a7:
 *	rows 0-7:  columns 0-7: a0, a1	columns 8-15: a4, a5
 *	rows 8-15: columns 0-7: a2, a3	columns 8-15: a6, a7
 */
static const int a_first[2][2] = { { 0, 4 }, { 2, 6 } };

__global__ static void product_bf16(float *d, const uint16_t *a, const uint16_t *b)
{
	int lane = (int)threadIdx.x;
	uint16_t ra[8], rb[4];
	uint32_t wa[4], wb[2];
	float rd[4];

	for (int r = 0; r < 16; r++)
		for (int c = 0; c < 16; c++)
			if (4 * (r % 8) + c % 8 / 2 == lane)
				ra[a_first[r / 8][c / 8] + c % 2] = a[16 * r + c];
	/* B: column n, row k is in lane 4 n + (k % 8) / 2; rows 0-7: b0, b1, rows 8-15: b2, b3 */
	for (int k = 0; k < 16; k++)
		for (int n = 0; n < 8; n++)
			if (4 * n + k % 8 / 2 == lane)
				rb[k / 8 * 2 + k % 2] = b[8 * k + n];
	memcpy(wa, ra, sizeof(wa));
	memcpy(wb, rb, sizeof(wb));
	/* C and D: rows 0-7: c0, c1, rows 8-15: c2, c3, of lane 4 (r % 8) + c / 2 */
	for (int i = 0; i < 4; i++)
		rd[i] = d[8 * (lane / 4 + i / 2 * 8) + lane % 4 * 2 + i % 2];
	emu_mma_m16n8k16_bf16(rd, wa, wb);
	for (int r = 0; r < 16; r++)
		for (int c = 0; c < 8; c++)
			if (4 * (r % 8) + c / 2 == lane)
				d[8 * r + c] = rd[r / 8 * 2 + c % 2];
}

/*
 * m16n8k8 with tf32: A's row r, column c is in lane 4 (r % 8) + c % 4: a0 rows 0-7 and columns 0-3, a1
 * rows 8-15, a2 columns 4-7, a3 both. B's row k, column n is in lane 4 n + k % 4; b0 rows 0-3, b1 rows
 * 4-7.
 */
__global__ static void product_tf32(float *d, const float *a, const float *b)
{
	int lane = (int)threadIdx.x;
	uint32_t ra[4], rb[2];
	float rd[4];

	for (int r = 0; r < 16; r++)
		for (int c = 0; c < 8; c++)
			if (4 * (r % 8) + c % 4 == lane)
				ra[r / 8 + c / 4 * 2] = __float_as_uint(a[8 * r + c]);
	for (int k = 0; k < 8; k++)
		for (int n = 0; n < 8; n++)
			if (4 * n + k % 4 == lane)
				rb[k / 4] = __float_as_uint(b[8 * k + n]);
	for (int i = 0; i < 4; i++)
		rd[i] = d[8 * (lane / 4 + i / 2 * 8) + lane % 4 * 2 + i % 2];
	emu_mma_m16n8k8_tf32(rd, ra, rb);
	for (int i = 0; i < 4; i++)
		d[8 * (lane / 4 + i / 2 * 8) + lane % 4 * 2 + i % 2] = rd[i];
}

/* y[matrix][row][column] from what each lane holds; then the registers are stored again, in z. */
__global__ static void matrices(uint16_t *y, uint16_t *z, const uint16_t *x, int count, bool trans)
{
	LK_SHARED(uint16_t, s, 4 * 64);
	LK_SHARED(uint16_t, back, 4 * 64);
	int lane = (int)threadIdx.x, n = count * 64;
	uint32_t r[4];
	/* Lanes beyond the last matrix give an address that must not be read. */
	bool used = lane < 8 * count;
	uint16_t *none = nullptr;

	for (int i = lane; i < n; i += 32)
		s[i] = x[i];
	__syncthreads();
	if (count == 4)
		emu_ldmatrix_x4(r, &s[8 * lane], trans);
	else if (count == 2)
		emu_ldmatrix_x2(r, used ? &s[8 * lane] : none, trans);
	else
		emu_ldmatrix_x1(r, used ? &s[8 * lane] : none, trans);
	/* Row lane / 4, elements 2 (lane % 4) and the next, of the matrix or of its transpose. */
	for (int i = 0; i < count; i++)
		for (int h = 0; h < 2; h++) {
			int row = lane / 4, col = lane % 4 * 2 + h;

			y[64 * i + (trans ? 8 * col + row : 8 * row + col)] =
					(uint16_t)(h == 0 ? r[i] & 0xffff : r[i] >> 16);
		}
	if (count == 4)
		emu_stmatrix_x4(&back[8 * lane], r, trans);
	else if (count == 2)
		emu_stmatrix_x2(used ? &back[8 * lane] : none, r, trans);
	else
		emu_stmatrix_x1(used ? &back[8 * lane] : none, r, trans);
	__syncthreads();
	for (int i = lane; i < n; i += 32)
		z[i] = back[i];
}

static void *on_device(const void *host, size_t bytes)
{
	void *p;

	assert_int_equal(cudaMalloc(&p, bytes), cudaSuccess);
	if (host)
		assert_int_equal(cudaMemcpy(p, host, bytes, cudaMemcpyHostToDevice), cudaSuccess);
	return p;
}

static void to_host(void *host, void *p, size_t bytes)
{
	assert_int_equal(cudaMemcpy(host, p, bytes, cudaMemcpyDeviceToHost), cudaSuccess);
	assert_int_equal(cudaFree(p), cudaSuccess);
}

/* k is 16 for bf16 and 8 for tf32. */
static void check_product(int k)
{
	float a[16 * 16], b[16 * 8], d[16 * 8], want[16 * 8];
	uint16_t ha[16 * 16], hb[16 * 8];
	struct queue none = { nullptr }, *q = &none;
	float *dd;

	for (int i = 0; i < 16 * k; i++)
		ha[i] = bf16(a[i] = number(1, i));
	for (int i = 0; i < k * 8; i++)
		hb[i] = bf16(b[i] = number(2, i));
	for (int i = 0; i < 16 * 8; i++) {
		want[i] = d[i] = number(3, i);
		for (int l = 0; l < k; l++)
			want[i] += a[i / 8 * k + l] * b[l * 8 + i % 8];
	}
	dd = (float *)on_device(d, sizeof(d));
	if (k == 16) {
		uint16_t *da = (uint16_t *)on_device(ha, sizeof(ha));
		uint16_t *db = (uint16_t *)on_device(hb, sizeof(hb));

		LK_LAUNCH(product_bf16, 1, 32, 0, q, dd, da, db);
		to_host(ha, da, sizeof(ha));
		to_host(hb, db, sizeof(hb));
	} else {
		float *da = (float *)on_device(a, sizeof(a)),
		      *db = (float *)on_device(b, sizeof(b));

		LK_LAUNCH(product_tf32, 1, 32, 0, q, dd, da, db);
		to_host(a, da, sizeof(a));
		to_host(b, db, sizeof(b));
	}
	to_host(d, dd, sizeof(d));
	assert_memory_equal(d, want, sizeof(d));
}

static void test_mma(void **state)
{
	(void)state;
	check_product(16);
	check_product(8);
}

static void test_ldmatrix(void **state)
{
	(void)state;
	for (int i = 0; i < 6; i++) {
		int count = 1 << i / 2;
		uint16_t x[4 * 64], y[4 * 64], z[4 * 64];
		struct queue none = { nullptr }, *q = &none;
		size_t bytes = (size_t)count * 64 * sizeof(*x);

		for (int j = 0; j < 4 * 64; j++)
			x[j] = (uint16_t)(j * 257 + 1);
		uint16_t *dx = (uint16_t *)on_device(x, bytes);
		uint16_t *dy = (uint16_t *)on_device(nullptr, bytes);
		uint16_t *dz = (uint16_t *)on_device(nullptr, bytes);

		LK_LAUNCH(matrices, 1, 32, 0, q, dy, dz, dx, count, i % 2 != 0);
		to_host(y, dy, bytes);
		to_host(z, dz, bytes);
		to_host(x, dx, bytes);
		assert_memory_equal(y, x, bytes);
		assert_memory_equal(z, x, bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mma),
		cmocka_unit_test(test_ldmatrix),
	};

	return cmocka_run_group_tests_name("kernels/emu/fragments", tests, NULL, NULL);
}
