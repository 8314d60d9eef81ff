#ifndef LUCIE_TEXT_MOJIBAKE_H
#define LUCIE_TEXT_MOJIBAKE_H
/*
 * Double encoding: text that was UTF-8, was read as Windows-1252 or Latin-1 and written as UTF-8
 * again, so that "é" became "Ã©" and "’" became "â€™".
 *
 * The unit is a line, since one page often holds good and bad ones. A line is repaired when all
 * of its characters, written as Windows-1252 (U+0080-009F, which the code page leaves out or
 * which Latin-1 gave, as themselves), are one valid UTF-8 text; and when at least one sequence of
 * it is evidence that honest text does not give:
 *   - "Ã" or "Â" and a character from 0x80-0xBF that is no quotation mark, dash, dots or bullet
 *     ("Ã©" and "Ã‰", but not "Ã”", which can end a quoted word in capitals),
 *   - "â€" and a third ("â€™"), "Å“" or "Å’" before a letter ("cÅ“ur"), "ï»¿", "ðŸ" and two more,
 *   - three sequences of any kind without anything between them (Greek, Cyrillic, Chinese...).
 * One honest accented character on the line ("é" is a lone 0xE9) makes it invalid UTF-8: then it
 * stays as it is. Repaired lines are looked at again, so text encoded three times comes out too.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"

/* True when the line was repaired: the result is appended to `out`. `bytes` is scratch. A failed
 * allocation shows in the buffers. */
bool lu_mojibake_line(struct lu_str line, struct lu_buf *bytes, struct lu_buf *out);

/* The character that Windows-1252 has for a C1 control U+0080-009F ("’" for U+0092), else c. */
uint32_t lu_cp1252(uint32_t c);

#endif
