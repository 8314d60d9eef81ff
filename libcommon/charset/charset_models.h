#ifndef LUCIE_CHARSET_CHARSET_MODELS_H
#define LUCIE_CHARSET_CHARSET_MODELS_H
/*
 * What languages look like, for charset_guess.h.
 */
enum lu_script_group {
	LU_GROUP_WEST,
	LU_GROUP_ESTONIAN, /* of the west, but not in code pages of DOS, where it is Finnish misread */
	LU_GROUP_CENTRAL,
	LU_GROUP_TURKISH,
	LU_GROUP_BALTIC,
	LU_GROUP_CYRILLIC,
	LU_GROUP_GREEK,
	LU_GROUP_HEBREW,
	LU_GROUP_ARABIC,
};

struct lu_charset_model {
	enum lu_script_group group;
	const char *letters; /* beyond ASCII, small, the most frequent first */
	const char *words;   /* frequent ones of ASCII, between blanks; "": none */
};

#define LU_CHARSET_MODELS 32
extern const struct lu_charset_model lu_charset_model[LU_CHARSET_MODELS];

/* The most frequent characters of Chinese (simplified, traditional), of Japanese beside kana, and of
 * Korean. */
extern const char lu_charset_hans[], lu_charset_hant[], lu_charset_kanji[], lu_charset_hangul[];

#endif
