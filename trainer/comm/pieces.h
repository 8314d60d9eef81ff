#ifndef LUCIE_TRAINER_COMM_PIECES_H
#define LUCIE_TRAINER_COMM_PIECES_H
/*
 * Messages in pieces. MPI counts in int, so a message may be larger than one of its own. Both sides
 * know the size and cut alike; pieces are small enough that one after the other shows progress.
 */
#include <stddef.h>

#define LT_PIECE ((size_t)64 << 20) /* bytes of every piece but the last */

/* Bytes of the next piece when `left` are left; a window is the size of the pieces instead. */
static inline int lt_piece_bytes(size_t left, size_t window)
{
	size_t most = window && window < LT_PIECE ? window : LT_PIECE;

	return (int)(left < most ? left : most);
}

#endif
