#ifndef LUCIE_ENTRIES_MBOX_H
#define LUCIE_ENTRIES_MBOX_H
/*
 * Files of mail as entries: mailboxes (mbox) and single messages (.eml). entries/mail.h says what becomes
 * of a message.
 *
 * A mailbox is cut at lines that begin with "From " and have a time and a year; where a message has a
 * Content-Length that leads to such a line or to the end, there. Lines of the body that were quoted as
 * ">From " lose one ">" (mboxrd, and mboxo as far as it can be undone), unless a Content-Length was true,
 * since nothing is quoted then.
 */
#include "libcommon/entries/entries.h"

extern const struct lu_entries_type lu_mbox, lu_eml;

/* True for the first bytes of a mailbox; of a message. */
bool lu_mbox_look(struct lu_str head);
bool lu_eml_look(struct lu_str head);

#endif
