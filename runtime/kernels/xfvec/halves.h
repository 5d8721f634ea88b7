/* Halves laid out anew. */
#ifndef MG_HALVES_H
#define MG_HALVES_H

#include "arithmetic.h"
#include "xfvec.h"

/* The even number that is not below n. */
static inline int32_t mg_even(int32_t n) {
    return (n + 1) & -2;
}

/* Words where both sides and n are even. */
void mg_copy_halves(int32_t n, const mg_f16 *from, mg_f16 *to);

void mg_clear_halves(int32_t n, mg_f16 *to);

/* to[c][r] = from[r][c]; from_step and to_step: from row to row of each. */
void mg_turn_halves(int32_t rows, int32_t columns, const mg_f16 *from, int32_t from_step,
                    mg_f16 *to, int32_t to_step);

#endif
