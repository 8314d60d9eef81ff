#ifndef LUCIE_CHARSET_PRESCAN_H
#define LUCIE_CHARSET_PRESCAN_H
/*
 * The charset that a document declares.
 *
 * For HTML this is the prescan of the HTML Standard (section 13.2.3.2, "prescan a byte stream to
 * determine its encoding"): the first <meta> with a charset attribute, or with http-equiv=content-type
 * and a charset in its content, whose label is known; what looks like one within a comment or within
 * the attributes of another tag does not count. UTF-16 named there means UTF-8, and x-user-defined
 * windows-1252. Without such a <meta>, the encoding of an XML declaration counts.
 *
 * It goes further than the standard in two ways, so that it finds what the parser proper would.
 * The content of <title> and <textarea> is passed over where the element is closed, and that of
 * <script>, <style> and the like counts only when there is nothing else. Where the first
 * LU_PRESCAN_BYTES bytes declare nothing, the scan goes on to the end of the head, where a browser
 * would find the <meta> while it parses, and begin again.
 */
#include "libcommon/charset/charset_label.h"

#define LU_PRESCAN_BYTES ((size_t)1024)

/* The encoding of a page. When its label is not one of the standard's, LU_ENC_NONE; *label is then
 * the first label that was unknown, a slice of `html`, or .p NULL. */
enum lu_encoding lu_prescan_html(struct lu_str html, struct lu_str *label);

/* The charset parameter of a media type, "text/html; charset=utf-8", as a slice of it; .p NULL when
 * there is none. Quotes are removed. */
struct lu_str lu_charset_of_media_type(struct lu_str type);

/* The charset in the first line of a manual page, "-*- coding: ISO-8859-1 -*-"; .p NULL: none. */
struct lu_str lu_charset_of_man(struct lu_str page);

#endif
