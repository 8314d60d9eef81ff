#ifndef LUCIE_ENTRIES_MAIL_H
#define LUCIE_ENTRIES_MAIL_H
/*
 * A message of mail as entries.
 *
 * The text of a message is its text/plain parts; of alternatives the plain one, unless it is blank; a
 * message that has only HTML is a page. What is quoted of other messages, and signatures, stay. Transfer encodings and charsets are undone. Other parts, and
 * those that the message calls attachments, are counted in the member "attachments". A message inside a
 * message (message/rfc822) is an entry of its own.
 *
 * Members: title is the subject, author the sender, date the date of the message; in_reply_to its
 * reference. An entry is named by its Message-ID without the angle brackets, or by its number where
 * there is none; a single message has no name, and one inside another without an ID is named
 * NAME.1, NAME.2 ...
 */
#include "libcommon/entries/entries.h"

/* Parts nest at most so deep; deeper ones count as attachments. */
#define LU_MAIL_DEPTH 16

/* Give the message as an entry, and those inside it. `base` has name, line and size. */
int lu_mail_message(const struct lu_entries_options *o, struct lu_str message,
		const struct lu_entry *base, lu_entry_fn *emit, void *ctx,
		struct lu_err *err) LU_CHECKED;

#endif
