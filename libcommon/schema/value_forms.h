#ifndef LUCIE_SCHEMA_VALUE_FORMS_H
#define LUCIE_SCHEMA_VALUE_FORMS_H
/*
 * Parts of an automaton that read strings and numbers of JSON. Each begins at `from` and returns the
 * state that it ends in, which is new.
 */
#include "libcommon/base/buf.h"
#include "libcommon/schema/automaton.h"

#define LU_FORM_UNBOUNDED UINT64_MAX
/* An integer has at most 18 digits, so that it fits 64 bits; a number at most 15 before the point and
 * 15 behind it, and an exponent of at most two, so that it is a finite double. */
#define LU_FORM_INTEGER ((int64_t)999999999999999999)
#define LU_FORM_NUMBER ((int64_t)999999999999999)

/* At least one byte. */
uint32_t lu_form_literal(struct lu_automaton *a, uint32_t from, struct lu_str bytes);
/* A string of min to max characters: UTF-8 or an escape, without surrogates. */
uint32_t lu_form_string(struct lu_automaton *a, uint32_t from, uint64_t min, uint64_t max);
/* min <= max, both within LU_FORM_INTEGER. */
uint32_t lu_form_integer(struct lu_automaton *a, uint32_t from, int64_t min, int64_t max);
/* A number with min <= number <= max, both within LU_FORM_NUMBER; without an exponent unless they are
 * the largest. */
uint32_t lu_form_number(struct lu_automaton *a, uint32_t from, int64_t min, int64_t max);

#endif
