#ifndef LUCIE_ENTRIES_JSON_VALUES_H
#define LUCIE_ENTRIES_JSON_VALUES_H
/*
 * JSON records as entries that are no lines: the elements of one array, or objects one behind another
 * over several lines each, as jq writes them. The file may have any size; one value is held at a time.
 *
 * An entry is named by its number. A value that is wrong inside is a bad entry; where brackets and
 * commas do not tell where the next one begins, or the file ends inside one, reading ends.
 */
#include "libcommon/entries/entries.h"

extern const struct lu_entries_type lu_json_values;

/* True for the first bytes of an array of objects, or of an object over several lines. */
bool lu_json_values_look(struct lu_str head);
/* True for the first bytes of any file of records: an array of objects, or an object, without a fault in
 * the first value as far as it is there. Many files are called .json that only programs which want them
 * can read. */
bool lu_json_file_look(struct lu_str head);

#endif
