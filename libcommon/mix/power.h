#ifndef LUCIE_MIX_POWER_H
#define LUCIE_MIX_POWER_H
/*
 * n to the power 1/T in integers, for shares by temperature: pow() of one library may differ from
 * another's in the last bit, and a mix must not.
 */
#include <stdint.h>

/* n^(1 / temperature), with 50 correct bits. n is above 0; the temperature is in millionths and at least
 * 1000000. */
double lu_power(uint64_t n, uint64_t temperature);

#endif
