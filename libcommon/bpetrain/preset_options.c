#include "libcommon/bpetrain/preset_options.h"

const struct lu_enum lu_preset_kinds[] = {
	{ "lucie", LU_PRESET_LUCIE },
	{ "lucie-2024", LU_PRESET_LUCIE_2024 },
	{ "bytelevel", LU_PRESET_BYTELEVEL },
	{ "metaspace", LU_PRESET_METASPACE },
	LU_ENUM_END,
};
const struct lu_enum lu_preset_digits[] = {
	{ "single", true },
	{ "keep", false },
	LU_ENUM_END,
};
const struct lu_enum lu_preset_punctuation[] = {
	{ "split", true },
	{ "keep", false },
	LU_ENUM_END,
};
const struct lu_enum lu_preset_forms[] = {
	{ "nfc", LU_FORM_NFC },
	{ "nfkc", LU_FORM_NFKC },
	{ "none", LU_PRESET_NO_FORM },
	LU_ENUM_END,
};

void lu_preset_put_splitting(const struct lu_preset *p, struct lu_buf *out)
{
	lu_buf_printf(out, "--preset %s --form %s --digits %s --punctuation %s",
			lu_enum_name(lu_preset_kinds, (int)p->kind),
			lu_enum_name(lu_preset_forms, p->form),
			lu_enum_name(lu_preset_digits, p->single_digits),
			lu_enum_name(lu_preset_punctuation, p->split_symbols));
}
