#ifndef LUCIE_PAR_KNOWN_MEMBERS_H
#define LUCIE_PAR_KNOWN_MEMBERS_H
/*
 * The members of a record that lucie-records(5) gives a type, checked all, for lucie-check; the
 * document stream checks what it uses.
 */
#include "libcommon/io/json.h"

/* The first fault as a static string, or NULL. A null member counts as absent. */
const char *lu_members_fault(const struct lu_json_obj *o);

#endif
