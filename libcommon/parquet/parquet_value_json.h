#ifndef LUCIE_PARQUET_VALUE_JSON_H
#define LUCIE_PARQUET_VALUE_JSON_H
/*
 * A value of a column as JSON:
 *
 *	strings, enumerations		a string; bytes that are no UTF-8 become U+FFFD
 *	JSON				as it is, line ends as blanks; a string if it is none
 *	integers, truth values		a number of any width; true, false
 *	float16, float, double		the shortest number that reads back; null unless finite
 *	decimals			a number with all its digits, 12.30
 *	dates				"2026-11-30"
 *	times of day			"12:30:00.000", digits as the unit has them, none for zero
 *	timestamps			"2026-11-30T12:30:00Z"; without Z where the file says local time
 *	UUID				"123e4567-e89b-12d3-a456-426614174000"
 *	other bytes			a string, if the column was asked for by its name
 */
#include "libcommon/parquet/parquet_values.h"

/* Append the value; *replaced is raised by the number of characters replaced. */
void lu_pq_value_json(const struct lu_pq_node *node, const struct lu_pq_value *v,
		struct lu_buf *out, uint64_t *replaced);

#endif
