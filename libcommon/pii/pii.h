#ifndef LUCIE_PII_PII_H
#define LUCIE_PII_PII_H
/*
 * Personal data in a text: e-mail addresses, IP addresses, telephone numbers, bank accounts (IBAN).
 *
 *	struct lu_pii_spans s = { 0 };
 *	if (lu_pii_find(text, &s, &err) < 0) ...	all kinds, in order, without overlap
 *	lu_pii_select(&s, 1u << LU_PII_EMAIL);		those of some kinds
 *	lu_pii_mask(text, &s, &out);			appended to a buffer
 *	lu_pii_spans_release(&s);
 *
 * A mask is fixed, "<email>", so the text says what stood there; all other bytes stay. Masking a
 * masked text changes nothing: a mask holds nothing that is looked for, and what lies beside a
 * find is judged as if the mask stood there already. For that reason every kind is looked for, also
 * where only some are masked: the digits of an account are no telephone number.
 *
 * What counts is written down here, since no rule finds all and only personal data. The choice is
 * for precision; the text should hold the data in a form that people write.
 *
 * E-mail. local@domain: the local part is of ASCII letters, digits, . _ + - and letters of other
 * scripts written with spaces, at most 64 bytes, without two dots in sequence; the domain has two or
 * more labels of letters, digits and inner hyphens, and the last one is 2 to 24 letters or xn--. Not
 * the rest of RFC 5321 (quotes, ! # / =), which in text is code. A capital after a dot ends the
 * domain where it was in small letters ("a@b.fr.Merci"). No address are: a name at a scale or
 * version ("logo@2x.png", "lodash@4.17.21"): last labels that are endings of files; the user of a
 * URL ("ssh://git@host") and git@host:path; a method ("obj@pkg.fn("); the reserved names of RFC 2606
 * (example.com, .invalid, .test), which belong to nobody.
 *
 * IP. Four octets of 0-255 without leading zeros, or the forms of RFC 4291. Only global addresses:
 * private, loopback, documentation, multicast and the other ranges of the IANA special-purpose
 * registries stay, as in Lucie-7B; for IPv6 global means 2000::/3 less documentation. An address of
 * four parts is a version or a section, and stays, after a word such as version, release, section,
 * build; after v, or a name and a slash or hyphen ("Chrome/99.0.4844.51"); within a longer run of
 * parts; before a hyphen and a letter or digit; at the start of a line before a full stop and a blank;
 * and where all four are below 32, as those of one address in 4,096 are, unless it is introduced as
 * an address (ip, host, server, address, dns, ping, //) or followed by a port or a prefix length. A
 * port or prefix length stays in the text.
 *
 * IBAN. The country's length (ISO 13616 registry), modulo 97 (ISO 7064), at least half digits,
 * without separators or in groups with single blanks or hyphens. With the country in small letters
 * all others are digits: hexadecimal numbers look alike.
 *
 * Telephone. A run of digit groups with single separators (blank, no-break blank, . - /), judged as
 * a whole:
 *   - international: + or 00, a calling code in use (ITU E.164), the national length where it is
 *     known (+33: 9), 8 to 15 digits in all; "(0)" is allowed after the code.
 *   - French: 0d dd dd dd dd with one separator, 0ddddddddd alone, 0ddd dd dd dd, 0 8dd ddd ddd,
 *     08dd ddd ddd; not where the pairs are evenly spaced (01 02 03 04 05) or the ten digits pass
 *     as an ISBN, or where the pairs are among bytes in hexadecimal.
 *   - others by their grouping: North America ddd-ddd-dddd and (ddd) ddd-dddd; United Kingdom 02d
 *     dddd dddd, 0dddd dddddd, 0dddd ddd ddd, 0ddd ddd dddd; Spain 6dd dd dd dd, 9d ddd dd dd;
 *     Switzerland 0dd ddd dd dd; Belgium 04dd/dd.dd.dd, 0d ddd dd dd; Netherlands 0dd-ddddddd,
 *     06-dddddddd; Germany and Italy 0ddd/ddddd and (0ddd) ddddd.
 *   - any 7 to 15 digits that are no date after a word for telephone (tel, phone, fax, mobile,
 *     Telefon, Handy, teléfono, móvil, cellulare, portable, ...) or one of its signs.
 * No number is one that touches letters, @ or currency signs, or follows ISBN, ISSN, EAN, SIRET,
 * SIREN, DOI, RFC and the like.
 *
 * Speed: the text is scanned 16 bytes at a time for '@', ':' and digits; what is found there is
 * judged by itself, at a bounded cost. Memory: the spans.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/vec.h"
#include "libcommon/sys/opt.h"

enum lu_pii_kind { LU_PII_EMAIL, LU_PII_IP, LU_PII_PHONE, LU_PII_IBAN, LU_PII_KINDS };
#define LU_PII_ALL ((1u << LU_PII_KINDS) - 1)

/* email, ip, phone, iban; ends with LU_ENUM_END. */
extern const struct lu_enum lu_pii_kinds[];
/* The mask of a kind, "<email>". */
const char *lu_pii_placeholder(enum lu_pii_kind kind);
/* Read a list of kinds, "email,ip", into a set of bits 1 << kind. */
int lu_pii_read_kinds(const char *list, unsigned *kinds, struct lu_err *err) LU_CHECKED;

/* Bytes start .. end - 1 of the text. */
struct lu_pii_span {
	uint64_t start, end;
	enum lu_pii_kind kind;
};
struct lu_pii_spans LU_VEC(struct lu_pii_span);

/* Find all spans of a text in valid UTF-8, in ascending order; replaces what was in `s`. */
int lu_pii_find(struct lu_str text, struct lu_pii_spans *s, struct lu_err *err) LU_CHECKED;
/* Keep the spans of these kinds. */
void lu_pii_select(struct lu_pii_spans *s, unsigned kinds);
/* Append the text with each span replaced by its mask. */
void lu_pii_mask(struct lu_str text, const struct lu_pii_spans *s, struct lu_buf *out);
void lu_pii_spans_release(struct lu_pii_spans *s);

#endif
