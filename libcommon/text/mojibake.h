#ifndef LUCIE_TEXT_MOJIBAKE_H
#define LUCIE_TEXT_MOJIBAKE_H
/*
 * Double encoding: UTF-8 text that was decoded as Windows-1252 or Latin-1 and encoded as UTF-8
 * again, so that "é" became "Ã©" and "’" became "â€™".
 *
 * The unit is a line, since one page often mixes good and bad lines. A line is repaired when all
 * its characters, encoded as Windows-1252 (U+0080-009F, which the code page leaves out or Latin-1
 * produced, as themselves), form valid UTF-8, and at least one sequence is evidence that correct
 * text does not give:
 *   - "Ã" or "Â" and a byte 0x80-0xBF that is no quotation mark, dash, ellipsis or bullet
 *     ("Ã©" and "Ã‰", but not "Ã”", which can end a quoted word in capitals),
 *   - "â€" and a third byte ("â€™"), "Å“" or "Å’" before a letter ("cÅ“ur"), "ï»¿", "ðŸ" and two
 *     more,
 *   - three adjacent multi-byte sequences of any kind (Greek, Cyrillic, Chinese...).
 * One correct accented character on the line ("é" is a lone 0xE9) makes it invalid UTF-8, so the
 * line is left alone. Repaired lines are examined again, which undoes triple encoding too.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"

/* Append the repaired line to `out` and return true, or return false and append nothing. `bytes` is
 * scratch. A failed allocation shows in the buffers. */
bool lu_mojibake_line(struct lu_str line, struct lu_buf *bytes, struct lu_buf *out);

/* Map a C1 control U+0080-009F to its Windows-1252 character (U+0092 to "’"); others are returned
 * unchanged. */
uint32_t lu_cp1252(uint32_t c);

#endif
