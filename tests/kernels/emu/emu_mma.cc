/*
 * Matrix instructions of a warp. The fragments are written as the PTX manual (ISA 8.5, chapter 9.7.14)
 * gives them: row and column of element i of a lane, where
 *	groupID = lane >> 2		threadID_in_group = lane % 4
 */
#include "tests/kernels/emu/emu.h"
#include "tests/kernels/emu/emu_fibre.h"

namespace
{

enum { LANES = 32 };

struct mma {
	float *d;
	const uint32_t *a, *b;
};

/* Registers of each lane, and the address of the row that it gave. */
struct matrices {
	uint32_t row[4];   /* ldmatrix: what stands there */
	uint32_t *r;	   /* ldmatrix: what the lane gets */
	const uint32_t *s; /* stmatrix: what the lane gives */
	int count;
	bool trans;
};

} // namespace

/* Element `half` of a register of two bf16; the lower half is the first. */
static float half_of(uint32_t r, int half)
{
	return emu_widen_bf16((uint16_t)(r >> 16 * half));
}

/* D = A B + D, A[16][k], B[k][8], D[16][8]. The device's own order of addition is not known. */
static void multiply(void *const arg[32], const float *a, const float *b, int k)
{
	float d[16][8];

	for (int lane = 0; lane < LANES; lane++)
		for (int i = 0; i < 4; i++)
			d[(lane >> 2) + (i < 2 ? 0 : 8)][lane % 4 * 2 + (i & 1)] =
					static_cast<mma *>(arg[lane])->d[i];
	for (int i = 0; i < 16; i++)
		for (int l = 0; l < k; l++)
			for (int j = 0; j < 8; j++)
				d[i][j] += a[i * k + l] * b[l * 8 + j];
	for (int lane = 0; lane < LANES; lane++)
		for (int i = 0; i < 4; i++)
			static_cast<mma *>(arg[lane])->d[i] =
					d[(lane >> 2) + (i < 2 ? 0 : 8)][lane % 4 * 2 + (i & 1)];
}

static void do_bf16(void *const arg[32], unsigned)
{
	float a[16][16], b[16][8];

	for (int lane = 0; lane < LANES; lane++) {
		const mma *m = static_cast<mma *>(arg[lane]);
		int group = lane >> 2, in_group = lane % 4;

		/* a0..a7, two in a register */
		for (int i = 0; i < 8; i++) {
			int row = i < 2 || (i >= 4 && i < 6) ? group : group + 8;
			int col = in_group * 2 + (i & 1) + (i >= 4 ? 8 : 0);

			a[row][col] = half_of(m->a[i / 2], i & 1);
		}
		for (int i = 0; i < 4; i++) {
			int row = in_group * 2 + (i & 1) + (i >= 2 ? 8 : 0);

			b[row][group] = half_of(m->b[i / 2], i & 1);
		}
	}
	multiply(arg, a[0], b[0], 16);
}

/* tf32 is a float whose 13 lowest bits are not read. */
static float tf32(uint32_t r)
{
	return emu_bits<float>(r & 0xffffe000u);
}

static void do_tf32(void *const arg[32], unsigned)
{
	float a[16][8], b[8][8];

	for (int lane = 0; lane < LANES; lane++) {
		const mma *m = static_cast<mma *>(arg[lane]);
		int group = lane >> 2, in_group = lane % 4;

		for (int i = 0; i < 4; i++)
			a[i == 0 || i == 2 ? group : group + 8][i < 2 ? in_group : in_group + 4] =
					tf32(m->a[i]);
		for (int i = 0; i < 2; i++)
			b[i == 0 ? in_group : in_group + 4][group] = tf32(m->b[i]);
	}
	multiply(arg, a[0], b[0], 8);
}

void emu_mma_m16n8k16_bf16(
		float d[4], const uint32_t a[4], const uint32_t b[2], const char *file, int line)
{
	mma m = { d, a, b };

	emu_collective(do_bf16, "mma.m16n8k16", 0xffffffffu, &m, { file, line });
}

void emu_mma_m16n8k8_tf32(
		float d[4], const uint32_t a[4], const uint32_t b[2], const char *file, int line)
{
	mma m = { d, a, b };

	emu_collective(do_tf32, "mma.m16n8k8", 0xffffffffu, &m, { file, line });
}

/* Lane 4 r + c holds elements 2c and 2c + 1 of row r; with trans, of column r. */
static void do_load(void *const arg[32], unsigned)
{
	const matrices *first = static_cast<matrices *>(arg[0]);

	for (int i = 0; i < first->count; i++)
		for (int lane = 0; lane < LANES; lane++) {
			int r = lane / 4, c = lane % 4 * 2;
			uint16_t e[2];

			for (int h = 0; h < 2; h++) {
				int row = first->trans ? c + h : r, col = first->trans ? r : c + h;

				memcpy(&e[h],
						(const char *)static_cast<matrices *>(
								arg[8 * i + row])
										->row +
								2 * col,
						2);
			}
			static_cast<matrices *>(arg[lane])->r[i] = e[0] | (uint32_t)e[1] << 16;
		}
}

/* The reverse: lane 8i + row gets the row that it will write. */
static void do_store(void *const arg[32], unsigned)
{
	const matrices *first = static_cast<matrices *>(arg[0]);

	for (int i = 0; i < first->count; i++)
		for (int lane = 0; lane < LANES; lane++) {
			const matrices *m = static_cast<matrices *>(arg[lane]);
			int r = lane / 4, c = lane % 4 * 2;

			for (int h = 0; h < 2; h++) {
				int row = first->trans ? c + h : r, col = first->trans ? r : c + h;
				uint16_t e = (uint16_t)(m->s[i] >> 16 * h);

				memcpy((char *)static_cast<matrices *>(arg[8 * i + row])->row +
								2 * col,
						&e, 2);
			}
		}
}

/* Each lane reads its own row, before the others have come: what they write then comes too late. */
static void load(uint32_t *r, const void *row, int count, bool trans, emu_place at)
{
	matrices m = { {}, r, nullptr, count, trans };

	if (emu_lane() < count * 8) {
		if ((uintptr_t)row % 16 != 0)
			emu_fail("ldmatrix of %s:%d: row %p is not aligned to 16 bytes", at.file,
					at.line, row);
		emu_fibre_reads(row, 16);
		memcpy(m.row, row, 16);
	}
	emu_collective(do_load, "ldmatrix", 0xffffffffu, &m, at);
}

static void store(void *row, const uint32_t *r, int count, bool trans, emu_place at)
{
	matrices m = { {}, nullptr, r, count, trans };

	emu_collective(do_store, "stmatrix", 0xffffffffu, &m, at);
	if (emu_lane() < count * 8) {
		if ((uintptr_t)row % 16 != 0)
			emu_fail("stmatrix of %s:%d: row %p is not aligned to 16 bytes", at.file,
					at.line, row);
		emu_fibre_writes(row, 16);
		memcpy(row, m.row, 16);
	}
}

void emu_ldmatrix_x4(uint32_t r[4], const void *row, bool trans, const char *file, int line)
{
	load(r, row, 4, trans, { file, line });
}

void emu_ldmatrix_x2(uint32_t r[2], const void *row, bool trans, const char *file, int line)
{
	load(r, row, 2, trans, { file, line });
}

void emu_ldmatrix_x1(uint32_t r[1], const void *row, bool trans, const char *file, int line)
{
	load(r, row, 1, trans, { file, line });
}

void emu_stmatrix_x4(void *row, const uint32_t r[4], bool trans, const char *file, int line)
{
	store(row, r, 4, trans, { file, line });
}

void emu_stmatrix_x2(void *row, const uint32_t r[2], bool trans, const char *file, int line)
{
	store(row, r, 2, trans, { file, line });
}

void emu_stmatrix_x1(void *row, const uint32_t r[1], bool trans, const char *file, int line)
{
	store(row, r, 1, trans, { file, line });
}
