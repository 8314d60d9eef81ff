#ifndef LUCIE_TEXT_MOJIBAKE_H
#define LUCIE_TEXT_MOJIBAKE_H
/*
 * Double encoding: UTF-8 text that was decoded by another code page and encoded as UTF-8 again, so
 * that "é" became "Ã©" (Windows-1252, Latin-1), "Ă©" (Windows-1250), "Г©" (Windows-1251), "√©"
 * (MacRoman) or "├⌐" (CP437), and "’" became "â€™". Also ISO 8859-2 and Windows-1257.
 *
 * The unit is a line. A sequence is a run of characters whose bytes in one code page form a
 * character of UTF-8. All sequences of a line in one code page are undone together, or none. They
 * are if some of them are evidence that right text does not give, and if either two sequences are on
 * the line, or no other character beyond ASCII is, or the evidence is compelling. Of several code
 * pages the one with the most characters in sequences counts, the first of them if that is equal.
 *
 * Evidence is
 *   - for two bytes 0xC2-0xC5, 0xCE and 0xCF (Latin, Greek): a second character that is a sign and no
 *     letter ("Ã©", "Ä±", "Î³"), or a quotation mark, dash, ellipsis, ® ™ or the like with a letter
 *     behind it ("HÃ”TEL" but not "VOCÃ”"), or a letter where the first is none and has a letter
 *     before it ("wei√ü");
 *   - for three bytes: U+2010-203A ("â€™"), the euro, U+1E00-1EFF, full-width forms, ligatures, the
 *     replacement character, and with second and third characters that are not both quotation marks
 *     or the like, arrows, mathematical and other signs;
 *   - for four bytes: emoji;
 *   - two sequences of another kind without a character between (Cyrillic, Hebrew, Arabic, Chinese);
 *   - a control character U+0080-009F.
 * Compelling are control characters, sequences of three bytes but for those of the last kind, and of
 * four.
 *
 * On a line that is repaired, what was lost on the way is too: the no-break space that became a blank
 * ("voilÃ  le", "Ã perturber": "à" keeps one blank, but for Portuguese "às" and "àquele"), and a byte
 * that became U+FFFD takes its sequence with it ("SlovenÄ\uFFFDina" becomes "Sloven\uFFFDina").
 * Repaired lines are examined again, which undoes triple encoding, and surrogates that were encoded
 * one by one are joined.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"

/* Tables, constant once they are filled in (100 kB; see mojibake_pages.h). */
struct lu_mojibake;
void lu_mojibake_init(struct lu_mojibake *m);

/* Append the repaired line to `out` and return true, or return false and append nothing. `bytes` is
 * scratch. A failed allocation shows in the buffers. */
bool lu_mojibake_line(const struct lu_mojibake *m, struct lu_str line, struct lu_buf *bytes,
		struct lu_buf *out);

/* Map a C1 control U+0080-009F to its Windows-1252 character (U+0092 to "’"); others are returned
 * unchanged. */
uint32_t lu_cp1252(uint32_t c);

#endif
