#ifndef LUCIE_BPETRAIN_PRESET_JSON_H
#define LUCIE_BPETRAIN_PRESET_JSON_H
/*
 * The tokenizer.json of a preset, and its components by themselves, which training runs too. Only
 * preset.c uses this; preset.h is the manual, and lucie-tokenizer(5) describes the format.
 */
#include "libcommon/bpetrain/preset.h"

#define LU_PRESET_MARK "\xE2\x96\x81" /* U+2581, which stands for the space */
/* Stands for a U+2581 of the text: U+FDD0, a noncharacter, which Unicode reserves for such internal
 * use and no text should hold. */
#define LU_PRESET_ESCAPED_MARK "\xEF\xB7\x90"

/* The special tokens of every preset, by id. */
#define LU_PRESET_BASE_TOKENS 4
extern const char *const lu_preset_base_token[LU_PRESET_BASE_TOKENS];
/* What runs are made of. */
extern const char *const lu_preset_blank[LU_PRESET_RUNS];

/* True for lucie and lucie-2024. */
bool lu_preset_is_lucie(const struct lu_preset *p);
/* A run of n blanks, n <= LU_PRESET_RUN_MAX, in `out`. */
struct lu_str lu_preset_run(char out[3 * LU_PRESET_RUN_MAX], const char *blank, uint32_t n);

/* Put a component as a JSON value, null if the preset has none. `training` selects the one that
 * training runs, which differs for lucie-2024: as in the original, it is trained on spaces, which
 * become markers afterwards. */
void lu_preset_put_normalizer(
		struct lu_buf *b, const char *key, const struct lu_preset *p, bool training);
void lu_preset_put_pre_tokenizer(
		struct lu_buf *b, const char *key, const struct lu_preset *p, bool training);

/* Append the whole file in Hugging Face's layout. *merges: the number of merges written, those of
 * runs included. */
int lu_preset_write(struct lu_buf *json, const struct lu_preset *p, const struct lu_bpe_trained *tr,
		uint32_t *merges, struct lu_err *err) LU_CHECKED;

#endif
