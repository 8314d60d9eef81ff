#ifndef LUCIE_TRAINER_COMM_PIECES_H
#define LUCIE_TRAINER_COMM_PIECES_H
/*
 * Messages in pieces. MPI counts in int, so a message may be larger than one of its own. Both sides
 * know the size and cut alike; pieces are small enough that one after the other shows progress.
 */
#include <stddef.h>

#define LT_PIECE ((size_t)64 << 20) /* bytes of every piece but the last */

static inline size_t lt_pieces(size_t bytes)
{
	return bytes / LT_PIECE + (bytes % LT_PIECE != 0);
}

static inline size_t lt_piece_at(size_t k)
{
	return k * LT_PIECE;
}

static inline int lt_piece_bytes(size_t bytes, size_t k)
{
	size_t left = bytes - lt_piece_at(k);

	return (int)(left < LT_PIECE ? left : LT_PIECE);
}

#endif
