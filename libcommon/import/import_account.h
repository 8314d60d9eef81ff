#ifndef LUCIE_IMPORT_IMPORT_ACCOUNT_H
#define LUCIE_IMPORT_IMPORT_ACCOUNT_H
/*
 * What a run of lucie-import read, wrote and left out: over the account of documents
 * (par/account.h), what is no document, and the operands that gave none.
 *
 *	struct lu_import_account a = { 0 };
 *	lu_account_open(&a.account, ...);
 *	for each batch, in order:
 *		lu_import_account_write(&a, batch, &err);
 *	lu_import_account_end(&a, files, &err);		no operand is left
 *	lu_import_account_commit(&a, &err);
 *	lu_account_close(&a.account);
 *	lu_import_account_release(&a);
 *
 * Names of entries that repeat in their file get "#2", "#3" ... here, where the order is known. A file's
 * first LU_IMPORT_NAMES different names are remembered (90 MB); behind them an entry gets its own number
 * in place of that of the repetition.
 */
#include "libcommon/import/batch.h"
#include "libcommon/import/left_out.h"
#include "libcommon/import/missing.h"
#include "libcommon/par/account.h"

#define LU_IMPORT_NAMES ((size_t)1 << 21)

struct lu_import_account {
	struct lu_account account;
	uint64_t members, recoded, truncated, wrong_length;
	uint64_t optout, optout_dropped; /* documents, and what was dropped, with a reservation */
	uint64_t charset_errors, with_errors; /* U+FFFD put in; documents that have some */
	uint64_t excluded, links, special;    /* members that are no documents */

	/* Private. */
	struct lu_buf value, record, line; /* of a line of the reject file; of a document */
	/* The operand whose members are written. */
	size_t operand;
	uint64_t given;			   /* documents of it */
	bool itself;			   /* its member is itself */
	bool blank;			   /* and it is empty */
	bool hollow;			   /* it is an archive without members */
	struct lu_left_out here, left_out; /* of the operand; of all of them */
	struct lu_missing missing;	   /* from the texts of all documents */
	/* The file whose entries are written. */
	struct lu_buf file;
	struct lu_names names;
	uint64_t entries;
};

/* Write the documents of a batch, and count what was dropped. */
int lu_import_account_write(struct lu_import_account *a, const struct lu_import_batch *b,
		struct lu_err *err) LU_CHECKED;
/* Go on to operand `next`, unless one before it gave no document. */
int lu_import_account_end(struct lu_import_account *a, size_t next, struct lu_err *err) LU_CHECKED;
/* Complete and publish the files, and tell what was left out. */
int lu_import_account_commit(struct lu_import_account *a, struct lu_err *err) LU_CHECKED;
void lu_import_account_release(struct lu_import_account *a);

#endif
